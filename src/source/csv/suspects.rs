//! Lines of quoted cells that look like rows.
//!
//! Two stray quotes, or one that meets a quote before a delimiter, leave a record that RFC 4180 allows and that nobody
//! wrote: the rows between them are inside a cell. Addresses and remarks have line breaks too, but their lines are not
//! complete items under the header.

use super::scan::Scanner;
use crate::source::RowCheck;
use crate::source::columns::Columns;
use crate::source::record::record_of;
use crate::source::window::Window;

/// The physical line of the first line of a quoted cell that by itself has as many cells as the header and would pass
/// as an item. The record is allowed by RFC 4180, has line ends in it, and begins on this physical line.
///
/// A line is tried as it stands in the file, as it stands in its cell, and without the cell's doubled quotes.
pub(super) fn line_like_a_row(
    record: &str,
    first_line: u64,
    columns: &Columns,
    check: &RowCheck,
) -> Option<u64> {
    let mut quoted = false;
    for (number, line) in (first_line..).zip(PhysicalLines(record)) {
        let across = Across::of(line, columns.delimiter, quoted);
        let candidates = [Some(line), across.tail, across.head];
        if candidates.into_iter().flatten().any(|line| passes(line, columns, check)) {
            return Some(number);
        }
        quoted = across.ends_quoted;
    }
    None
}

/// What a line has of quoted cells that go on over a line end.
#[derive(Debug, Default, PartialEq)]
struct Across<'l> {
    /// What belongs to the cell that goes on from the line before.
    tail: Option<&'l str>,
    /// What belongs to the cell that goes on into the next line, where it begins in this one.
    head: Option<&'l str>,
    ends_quoted: bool,
}

impl<'l> Across<'l> {
    fn of(line: &'l str, delimiter: u8, starts_quoted: bool) -> Self {
        let mut across = Across::default();
        let mut at = 0;
        if starts_quoted {
            at = end_of_cell(line);
            across.tail = Some(&line[..at]);
            across.ends_quoted = at == line.len();
            at += 1;
        }
        let bytes = line.as_bytes();
        while let Some(length) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
            let quote = at + length;
            at = quote + 1;
            if quote > 0 && bytes[quote - 1] != delimiter {
                continue; // a quote within an unquoted cell
            }
            let cell = &line[at..];
            let end = end_of_cell(cell);
            if end == cell.len() {
                across.head = Some(cell);
                across.ends_quoted = true;
                break;
            }
            at += end + 1;
        }
        across
    }
}

/// The physical lines of a text, without their ends.
struct PhysicalLines<'t>(&'t str);

impl<'t> Iterator for PhysicalLines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', self.0.as_bytes()).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        let ends = ["\r\n", "\n", "\r"];
        self.0 = ends.into_iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
        Some(line)
    }
}

/// Where a quoted cell ends: at the first quote that is not one of a pair, or with the line.
fn end_of_cell(line: &str) -> usize {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'"', &bytes[at..]) {
        at += length;
        if bytes.get(at + 1) != Some(&b'"') {
            return at;
        }
        at += 2;
    }
    line.len()
}

fn passes(line: &str, columns: &Columns, check: &RowCheck) -> bool {
    let delimiters = memchr::memchr_iter(columns.delimiter, line.as_bytes()).count();
    if delimiters + 1 < columns.fewest() {
        return false;
    }
    let plain = || line.contains("\"\"").then(|| line.replace("\"\"", "\""));
    is_item(line, columns, check) || plain().is_some_and(|line| is_item(&line, columns, check))
}

/// Whether a line, read as a row of this file, would pass as an item.
fn is_item(line: &str, columns: &Columns, check: &RowCheck) -> bool {
    let mut window = Window::of(line.as_bytes());
    let mut scanner = Scanner::new(columns.delimiter, usize::MAX, false);
    scanner.expect_rows(usize::MAX, columns.width());
    scanner.find_row_end(&mut window);
    if scanner.problem.is_some()
        || !columns.fits(scanner.cells())
        || columns.kept_record(line.as_bytes()).is_some()
        || scanner.loose_quotes.iter().any(|cell| columns.is_identifier(*cell))
    {
        return false;
    }
    let row = record_of(line, columns.delimiter);
    if columns.repeats_header(&row) || columns.unnamed_value(&row).is_some() {
        return false;
    }
    let mut json = String::new();
    columns.write_item(&row, &mut json);
    check.passes(&json)
}
