//! The header of a CSV file: where it is, and what separates its cells.

use super::place_of;
use super::scan::Scanner;
use crate::source::bytes::Bytes;
use crate::source::columns::Columns;
use crate::source::dialect::Dialect;
use crate::source::error::InputFault;
use crate::source::item_fault::RecordProblem;
use crate::source::record::record_of;
use crate::source::window::Window;
use crate::source::{LineBreaks, Options};

/// The longest header, and the longest line before it.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads up to the end of the header, which is the first row that is not blank.
pub(super) fn read(
    bytes: &mut Bytes,
    window: &mut Window,
    options: &Options,
) -> Result<(Columns, Scanner), InputFault> {
    let line_breaks = options.line_breaks == LineBreaks::Allowed;
    let mut scanner = Scanner::new(b',', MAX_HEADER_BYTES, line_breaks);
    let mut line = first_line(bytes, window, &mut scanner)?;
    let mut delimiter = options.delimiter;
    if let Some(named) = separator_line(line) {
        delimiter = delimiter.or(Some(named));
        scanner.skip_line(window);
        line = first_line(bytes, window, &mut scanner)?;
    }
    scanner.delimiter = delimiter.unwrap_or_else(|| detect_delimiter(line, &*options.dialect));
    let columns = read_row(bytes, window, &mut scanner, options)?;
    Ok((columns, scanner))
}

/// Goes to the first line that is not blank, and reads all of it.
fn first_line<'w>(
    bytes: &mut Bytes,
    window: &'w mut Window,
    scanner: &mut Scanner,
) -> Result<&'w [u8], InputFault> {
    loop {
        let length = memchr::memchr2(b'\n', b'\r', &window.bytes[window.start..]);
        let end = length.map_or(window.bytes.len(), |length| window.start + length);
        let is_complete = length.is_some() || window.ended;
        refuse_long_header(window, end, scanner)?;
        if is_complete && !is_blank_line(&window.bytes[window.start..end]) {
            return Ok(&window.bytes[window.start..end]);
        }
        match length {
            Some(_) => scanner.skip_line(window),
            None if window.ended => return Err(InputFault::NoItems),
            None => {
                window.drop_cut();
                window.ended = bytes.read_onto(&mut window.bytes)? == 0;
            }
        }
    }
}

/// Before the delimiter is known, all of them count.
fn is_blank_line(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == b' ' || DELIMITERS.contains(byte))
}

fn refuse_long_header(window: &Window, end: usize, scanner: &Scanner) -> Result<(), InputFault> {
    if scanner.dropped + end - window.start > MAX_HEADER_BYTES {
        if let Some(line) = scanner.quote {
            return Err(InputFault::QuoteOpen { line, limit: Some(MAX_HEADER_BYTES) });
        }
        return Err(InputFault::HeaderTooLong { line: scanner.row_line, limit: MAX_HEADER_BYTES });
    }
    Ok(())
}

/// The delimiter that Excel's `sep=;` names.
pub(crate) fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            (delimiter.is_ascii() && *delimiter != b'"').then_some(*delimiter)
        }
        _ => None,
    }
}

/// The delimiter under which most columns are known; where none is known under any, the one that stands there most often,
/// and the comma where that is none.
pub(super) fn detect_delimiter(line: &[u8], dialect: &dyn Dialect) -> u8 {
    let line = String::from_utf8_lossy(line);
    let known = |delimiter: &u8| {
        let known = split(&line, *delimiter).filter(|cell| dialect.knows_column(cell)).count();
        (known, if known == 0 { split(&line, *delimiter).count() } else { 0 })
    };
    // The last of several equal ones is the greatest, so that the likeliest comes last.
    DELIMITERS.into_iter().rev().max_by_key(known).unwrap_or(b',')
}

/// The cells of a line that may be a header, roughly: names have no delimiters in them.
fn split(line: &str, delimiter: u8) -> impl Iterator<Item = &str> {
    line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'))
}

/// The cells of a line as [`split`] finds them, under the likeliest delimiter.
pub(crate) fn cells_of_line<'l>(line: &'l str, dialect: &dyn Dialect) -> impl Iterator<Item = &'l str> {
    split(line, detect_delimiter(line.as_bytes(), dialect))
}

/// Reads the row at the window's start. A fault in it is one of the file: nothing is known of the columns.
fn read_row(
    bytes: &mut Bytes,
    window: &mut Window,
    scanner: &mut Scanner,
    options: &Options,
) -> Result<Columns, InputFault> {
    let end = loop {
        if let Some(end) = scanner.find_row_end(window) {
            break end;
        }
        refuse_long_header(window, window.bytes.len(), scanner)?;
        window.ended = bytes.read_onto(&mut window.bytes)? == 0;
    };
    let line = scanner.row_line;
    match scanner.problem.take() {
        None => {}
        Some(RecordProblem::QuoteOpen { line }) => return Err(InputFault::QuoteOpen { line, limit: None }),
        Some(problem) => return Err(InputFault::HeaderQuotes { line, problem }),
    }
    refuse_long_header(window, end, scanner)?;
    let row = &window.bytes[window.start..end];
    let text = std::str::from_utf8(row).map_err(|error| {
        let (line, byte, value) = place_of(row, error.valid_up_to(), line);
        InputFault::NotUtf8 { line, byte, value }
    })?;
    let header = record_of(text, scanner.delimiter);
    let columns = Columns::new(header, line, scanner.delimiter, &*options.dialect)?;
    if end < window.bytes.len() {
        scanner.pass_row_end(window, end);
    } else {
        window.advance(end);
    }
    Ok(columns)
}
