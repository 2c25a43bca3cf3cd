//! CSV (RFC 4180): cut into rows by the reader, read into items by the workers.
//!
//! Both follow the rules of the `csv` crate: CR, LF and CRLF end a row; a quote opens a quoted
//! cell only at the cell's start, and is a character like any other elsewhere.

use std::io::{Chain, Read};
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::Options;
use super::bytes::Bytes;
use super::chunk::RawItem;
use super::columns::{Columns, count_known};
use super::error::{InputFault, ItemFault};
use super::feed::{Batch, Window};

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

// ------------------------------------------------------------------------------------ the reader

/// Cuts rows. Knows where a row ends, and nothing of its cells.
#[derive(Debug)]
pub(super) struct CsvCutter {
    columns: Arc<Columns>,
    scanner: Scanner,
    max_item_bytes: usize,
}

impl CsvCutter {
    /// Reads up to the end of the header, which is the first row that is not blank.
    pub(super) fn open(
        bytes: &mut Bytes,
        window: &mut Window,
        options: &Options,
    ) -> Result<Self, InputFault> {
        let max_item_bytes = options.max_item_bytes;
        let mut scanner = Scanner::new(options.delimiter.unwrap_or(b','), max_item_bytes);
        let mut line = first_line(bytes, window, &mut scanner)?;
        let mut delimiter = options.delimiter;
        if let Some(named) = separator_line(line) {
            delimiter = delimiter.or(Some(named));
            scanner.skip_line(window);
            line = first_line(bytes, window, &mut scanner)?;
        }
        scanner.delimiter = delimiter.unwrap_or_else(|| detect_delimiter(line, options));
        let columns = read_header(bytes, window, &mut scanner, options)?;
        Ok(Self { columns: Arc::new(columns), scanner, max_item_bytes })
    }

    pub(super) fn columns(&self) -> Arc<Columns> {
        Arc::clone(&self.columns)
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut Batch) -> Result<(), InputFault> {
        while !batch.is_full(window) {
            match self.scanner.find_row_end(window)? {
                Some(end) => {
                    self.take_row(window, end, false, batch)?;
                    self.scanner.pass_row_end(window, end);
                }
                None if window.ended => {
                    let end = self.scanner.end(window)?;
                    self.take_row(window, end, true, batch)?;
                    window.advance(end);
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn take_row(
        &self,
        window: &mut Window,
        end: usize,
        unterminated: bool,
        batch: &mut Batch,
    ) -> Result<(), InputFault> {
        let row = &mut window.bytes[window.start..end];
        let scanner = &self.scanner;
        let too_long = scanner.dropped + row.len() > self.max_item_bytes;
        if !too_long && is_blank(row, scanner.delimiter) {
            return Ok(());
        }
        let line = scanner.row_line;
        let fault = if too_long {
            Some(ItemFault::TooLong { limit: self.max_item_bytes, line: Some(line) })
        } else {
            check_row(row, line, unterminated)?
        };
        if fault.is_some() {
            row.fill(b' '); // what is left of it must not lead the workers' reader astray
        }
        batch.items.push(RawItem {
            span: window.start..end,
            line: Some(line),
            last_line: Some(scanner.line),
            unterminated,
            fault,
        });
        Ok(())
    }
}

/// A row of nothing but spaces and delimiters is no item.
fn is_blank(row: &[u8], delimiter: u8) -> bool {
    row.iter().all(|byte| *byte == delimiter || matches!(byte, b' ' | b'\t'))
}

fn check_row(row: &[u8], line: u64, unterminated: bool) -> Result<Option<ItemFault>, InputFault> {
    if let Some(at) = memchr::memchr(0, row) {
        return Ok(Some(ItemFault::NulBytes { line: Some(line + count_lines(&row[..at])) }));
    }
    match std::str::from_utf8(row) {
        Ok(_) => Ok(None),
        Err(error) if unterminated && error.error_len().is_none() => Ok(Some(ItemFault::CutShort { line })),
        Err(error) => Err(not_utf8(row, error.valid_up_to(), line)),
    }
}

fn not_utf8(row: &[u8], at: usize, line: u64) -> InputFault {
    let line_start = memchr::memrchr2(b'\n', b'\r', &row[..at]).map_or(0, |line_end| line_end + 1);
    InputFault::NotUtf8 {
        line: line + count_lines(&row[..at]),
        byte: (at - line_start) as u64 + 1,
        value: row[at],
    }
}

/// The line ends in a text: CRLF is one.
fn count_lines(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|at| text[*at] == b'\r' || *at == 0 || text[at - 1] != b'\r').count() as u64
}

/// Follows quotes and line ends through the text.
#[derive(Debug)]
struct Scanner {
    delimiter: u8,
    max_item_bytes: usize,
    /// The physical line of what comes next.
    line: u64,
    /// The physical line where the row begins.
    row_line: u64,
    quote: Option<OpenQuote>,
    /// How much of the unfinished row was dropped, because it is too long.
    dropped: usize,
}

/// A quote that was not closed yet.
#[derive(Debug, Clone, Copy)]
struct OpenQuote {
    line: u64,
    /// Its place in the row, counting what was dropped.
    offset: usize,
}

impl Scanner {
    fn new(delimiter: u8, max_item_bytes: usize) -> Self {
        Self { delimiter, max_item_bytes, line: 1, row_line: 1, quote: None, dropped: 0 }
    }

    /// The place of the line end that ends the row, if the window has it.
    fn find_row_end(&mut self, window: &mut Window) -> Result<Option<usize>, InputFault> {
        loop {
            let Some(length) = memchr::memchr3(b'"', b'\n', b'\r', &window.bytes[window.at..]) else {
                window.at = window.bytes.len();
                self.check_length(window)?;
                return Ok(None);
            };
            let at = window.at + length;
            let is_quote = window.bytes[at] == b'"';
            match self.quote {
                None if !is_quote => return Ok(Some(at)),
                None => {
                    window.at = at + 1;
                    self.open_quote(window, at);
                }
                Some(_) if !is_quote => self.pass_line_end(window, at),
                Some(quote) => {
                    window.at = at;
                    self.check_quote(quote, window)?;
                    match window.bytes.get(at + 1) {
                        None if !window.ended => return Ok(None),
                        Some(b'"') => window.at = at + 2,
                        _ => {
                            window.at = at + 1;
                            self.quote = None;
                        }
                    }
                }
            }
        }
    }

    fn open_quote(&mut self, window: &Window, at: usize) {
        let offset = self.dropped + at - window.start;
        if offset == 0 || window.byte_before(at) == self.delimiter {
            self.quote = Some(OpenQuote { line: self.line, offset });
        }
    }

    /// Goes past a line end within a quoted cell.
    fn pass_line_end(&mut self, window: &mut Window, at: usize) {
        let is_second_half = window.bytes[at] == b'\n' && window.byte_before(at) == b'\r';
        self.line += u64::from(!is_second_half);
        window.at = at + 1;
    }

    /// Goes past the line end that ends a row.
    fn pass_row_end(&mut self, window: &mut Window, end: usize) {
        self.pass_line_end(window, end);
        window.advance(end + 1);
        self.row_line = self.line;
        self.dropped = 0;
    }

    /// Goes past the line at the window's start, which is complete or the last.
    fn skip_line(&mut self, window: &mut Window) {
        match memchr::memchr2(b'\n', b'\r', &window.bytes[window.start..]) {
            Some(length) => self.pass_row_end(window, window.start + length),
            None => window.advance(window.bytes.len()),
        }
    }

    /// The end of the last row, which has no line end.
    fn end(&self, window: &Window) -> Result<usize, InputFault> {
        match self.quote {
            Some(quote) => Err(InputFault::QuoteOpen { line: quote.line, limit: None }),
            None => Ok(window.bytes.len()),
        }
    }

    /// A quote that runs on and on was left open, and would swallow the file; a row that does
    /// is one item's fault.
    fn check_length(&mut self, window: &mut Window) -> Result<(), InputFault> {
        if let Some(quote) = self.quote {
            self.check_quote(quote, window)?;
        }
        if self.dropped + window.at - window.start > self.max_item_bytes {
            self.dropped += window.drop_unfinished();
        }
        Ok(())
    }

    fn check_quote(&self, quote: OpenQuote, window: &Window) -> Result<(), InputFault> {
        let length = self.dropped + window.at - window.start - quote.offset;
        if length > self.max_item_bytes {
            return Err(InputFault::QuoteOpen { line: quote.line, limit: Some(self.max_item_bytes) });
        }
        Ok(())
    }
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
        if is_complete && !is_blank_line(&window.bytes[window.start..end]) {
            return Ok(&window.bytes[window.start..end]);
        }
        match length {
            Some(_) => scanner.skip_line(window),
            None if window.ended => return Err(InputFault::NoItems),
            None => {
                window.drop_cut();
                refuse_long_header(window, scanner)?;
                window.ended = bytes.read_onto(&mut window.bytes)? == 0;
            }
        }
    }
}

/// Before the delimiter is known, all of them count.
fn is_blank_line(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == b' ' || DELIMITERS.contains(byte))
}

fn refuse_long_header(window: &Window, scanner: &Scanner) -> Result<(), InputFault> {
    let limit = scanner.max_item_bytes;
    if scanner.dropped + window.bytes.len() - window.start > limit {
        return Err(InputFault::HeaderTooLong { line: scanner.row_line, limit });
    }
    Ok(())
}

/// The delimiter that Excel's `sep=;` names.
fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            (delimiter.is_ascii() && *delimiter != b'"').then_some(*delimiter)
        }
        _ => None,
    }
}

/// The delimiter under which most columns are known; the comma where none stands out.
fn detect_delimiter(line: &[u8], options: &Options) -> u8 {
    let line = String::from_utf8_lossy(line);
    let known = |delimiter: &u8| {
        let cells = line.split(char::from(*delimiter)).map(|cell| cell.trim().trim_matches('"'));
        count_known(cells, options)
    };
    // The last of several equal ones is the greatest, so that the likeliest comes last.
    DELIMITERS.into_iter().rev().max_by_key(known).unwrap_or(b',')
}

fn read_header(
    bytes: &mut Bytes,
    window: &mut Window,
    scanner: &mut Scanner,
    options: &Options,
) -> Result<Columns, InputFault> {
    let end = loop {
        if let Some(end) = scanner.find_row_end(window)? {
            break end;
        }
        if window.ended {
            break scanner.end(window)?;
        }
        refuse_long_header(window, scanner)?;
        window.ended = bytes.read_onto(&mut window.bytes)? == 0;
    };
    let row = &window.bytes[window.start..end];
    let line = scanner.row_line;
    let text = std::str::from_utf8(row).map_err(|error| not_utf8(row, error.valid_up_to(), line))?;
    let mut header = StringRecord::new();
    let read = reader(text.as_bytes(), scanner.delimiter).read_record(&mut header);
    debug_assert!(read.is_ok(), "UTF-8 was checked, and memory cannot fail");
    let columns = Columns::new(header, line, scanner.delimiter, options)?;
    if end < window.bytes.len() {
        scanner.pass_row_end(window, end);
    } else {
        window.advance(end);
    }
    Ok(columns)
}

// ------------------------------------------------------------------------------------ the worker

/// A reader that takes no byte order mark off, which would be a character of a cell: the line
/// end before the text keeps it from looking for one.
type RowReader<'a> = Reader<Chain<&'static [u8], &'a [u8]>>;

const LINE_END: &[u8] = b"\n";

fn reader(bytes: &[u8], delimiter: u8) -> RowReader<'_> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(LINE_END.chain(bytes))
}

/// The rows of a chunk, read one by one.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    columns: &'a Columns,
    reader: RowReader<'a>,
    row: StringRecord,
    json: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &'a Columns, bytes: &'a [u8]) -> Self {
        let reader = reader(bytes, columns.delimiter);
        Self { columns, reader, row: StringRecord::new(), json: String::new() }
    }

    /// The JSON of an item, and the correlation id of one that has a fault.
    pub(super) fn read(&mut self, item: &RawItem) -> (Result<&str, ItemFault>, Option<&str>) {
        let line = item.line.unwrap_or_default();
        if let Err(error) = self.go_to(item) {
            return (Err(ItemFault::Unreadable { line, reason: error.to_string() }), None);
        }
        if let Some(fault) = self.shape_fault(item, line) {
            return (Err(fault), None);
        }
        if let Some(fault) = self.cell_fault(line) {
            return (Err(fault), self.columns.correlation_id(&self.row));
        }
        self.json.clear();
        self.columns.write_item(&self.row, &mut self.json);
        (Ok(&self.json), None)
    }

    /// Reads on to the row that lies where the item does: between items there are blank rows,
    /// and items with a fault.
    fn go_to(&mut self, item: &RawItem) -> Result<(), csv::Error> {
        let start = (LINE_END.len() + item.span.start) as u64;
        while self.reader.position().byte() <= start {
            if !self.reader.read_record(&mut self.row)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn shape_fault(&self, item: &RawItem, line: u64) -> Option<ItemFault> {
        if self.columns.repeats_header(&self.row) {
            return Some(ItemFault::RepeatsHeader { line });
        }
        let found = self.row.len();
        let expected = self.columns.named();
        let lines = (line, item.last_line.unwrap_or(line));
        let unterminated = item.unterminated;
        (!self.columns.fits(found)).then_some(ItemFault::CellCount { found, expected, lines, unterminated })
    }

    fn cell_fault(&self, line: u64) -> Option<ItemFault> {
        if let Some(position) = self.columns.unnamed_value(&self.row) {
            return Some(ItemFault::UnnamedCell { position, line });
        }
        let cells = self.columns.damaged(&self.row);
        (!cells.is_empty()).then_some(ItemFault::Damaged { cells, line })
    }
}
