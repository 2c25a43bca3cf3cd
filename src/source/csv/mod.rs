//! CSV, read strictly by RFC 4180: cut into records by the reader, turned into items by the workers.
//!
//! What is signed must be what was written, and a cell must not be able to forge a row. So a record is one of two
//! things: allowed by RFC 4180 (with the header's number of cells, in UTF-8, without NUL), or a single failed item
//! that is named by its lines and given back as it stands. Nothing inside a failed record is ever read as rows.
//!
//! # States of the cutter
//!
//! ```text
//!          ┌──────────────────────────── the next record ◀───────────────────────────┐
//!          ▼                                                                          │
//!       Cells ── line end outside quotes, nothing wrong ──────────▶ an item ──────────┤
//!        │ │                                                                          │
//!        │ └── line end, record not allowed ──▶ Seeking ── quoting is certain ──▶ failed record
//!        │                                       ▲   │
//!        └── text after a closing quote ──▶ RestOfLine ◀── it is not
//! ```
//!
//! - *Cells* ([`scan`]): quotes and line ends are followed as RFC 4180 says, and delimiters outside quotes are
//!   counted. A quote inside an unquoted cell is text (inches are written so), except in an identifier.
//! - *RestOfLine*: quoting is in doubt, so everything up to the next line end belongs to the record.
//! - *Seeking* ([`resync`]): looks for a place where the quoting is certain again. In a correct file the next quote
//!   after a line end is either inside a quoted cell, where it is doubled or closes the cell, so that a quote, a
//!   delimiter or a line end follows; or it opens a cell. A quote at the start of a cell with anything else behind it
//!   can only open one: the line end before was outside of quotes, and the record ends there. That holds unless another
//!   fault made it so, and therefore what RFC 4180 says of the text since the failed record must not contradict it. Any
//!   other quote decides nothing, and the record goes on through its line.
//!
//! With `csv.line_breaks: never`, every line end ends a record, in whatever state.
//!
//! # What one fault can do
//!
//! A fault that makes a record impossible cannot change another record, nor bring a line of a quoted cell to be read
//! as a row. One stray quote can, however, leave text that RFC 4180 allows by chance: it runs up to a quote that
//! happens to stand before a delimiter. The lines that it swallowed give it away ([`suspects`]): a line of a quoted
//! cell that would pass as an item of its own fails the record. What nobody can notice is a stray quote directly
//! before a cell that somebody wrote to be read the other way round, or in the middle of such a cell. And where a file
//! was cut off inside such a cell, right behind a failed record, there is no quote left that tells cell from rows.
//!
//! # Memory
//!
//! A record holds at most `max_item_bytes`, as does what is looked at behind a failed one. What is longer is dropped
//! as it is read, while its quotes are still followed to its end; so no part of a long cell is taken for rows, either.

mod header;
mod resync;
mod rows;
mod scan;
mod suspects;

use std::sync::Arc;

pub(crate) use self::header::{cells_of_line, separator_line};
use self::resync::{Quoting, Resync};
pub(super) use self::rows::Rows;
use self::scan::Scanner;
use super::bytes::Bytes;
use super::columns::Columns;
use super::error::InputFault;
use super::item::RawItem;
use super::item_fault::{ItemFault, RecordProblem};
use super::window::{ItemBatch, Window};
use super::{Options, RowCheck};

/// As long as a file has had fewer records, many that are not UTF-8 mean that none of it is.
const FIRST_RECORDS: u64 = 1_000;

/// Cuts records. Knows where a record ends and whether RFC 4180 allows it, and nothing of what its cells mean.
#[derive(Debug)]
pub(super) struct CsvCutter {
    columns: Arc<Columns>,
    scanner: Scanner,
    /// Where the record ends that is being sought, once it is known to fail.
    resync: Option<Resync>,
    /// How far behind a failed record the next quote is looked for.
    horizon: usize,
    /// What the lines of quoted cells are tried with; `None` where they can be no items.
    row_check: Option<RowCheck>,
    encoding: EncodingGuess,
}

impl CsvCutter {
    /// Reads up to the end of the header, which is the first row that is not blank.
    pub(super) fn open(
        bytes: &mut Bytes,
        window: &mut Window,
        options: &Options,
    ) -> Result<Self, InputFault> {
        let (columns, mut scanner) = header::read(bytes, window, options)?;
        scanner.expect_rows(options.max_item_bytes, columns.width());
        Ok(Self {
            columns: Arc::new(columns),
            scanner,
            resync: None,
            horizon: options.dialect.horizon(options.max_item_bytes),
            row_check: options.dialect.row_check(),
            encoding: EncodingGuess::default(),
        })
    }

    pub(super) fn columns(&self) -> Arc<Columns> {
        Arc::clone(&self.columns)
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<(), InputFault> {
        while !batch.is_full(window) {
            let Some(end) = self.find_end(window) else { return Ok(()) };
            self.take_record(window, end, batch)?;
            if end == window.bytes.len() {
                window.advance(end);
                return self.encoding.at_end(); // of the input
            }
            self.scanner.pass_row_end(window, end);
        }
        Ok(())
    }

    /// The end of the record at the window's start; `None` if more must be read to know it.
    fn find_end(&mut self, window: &mut Window) -> Option<usize> {
        if self.resync.is_none() {
            let end = self.scanner.find_row_end(window)?;
            if self.scanner.problem.is_none() {
                self.scanner.problem = self.problem_of(window, end);
            }
            let Some(problem) = self.scanner.problem.as_ref().filter(|_| self.scanner.line_breaks) else {
                return Some(end);
            };
            let quoting = if problem.is_of_quotes() { Quoting::Unknown } else { Quoting::Outside };
            self.resync = Some(Resync::after(window, end, quoting));
        }
        let end = self.resync.as_mut()?.find_end(window, &mut self.scanner, self.horizon)?;
        self.resync = None;
        Some(end)
    }

    /// What is wrong with a record that ends here, as far as its quotes do not show it.
    fn problem_of(&mut self, window: &Window, end: usize) -> Option<RecordProblem> {
        let row = &window.bytes[window.start..end];
        let scanner = &self.scanner;
        let limit = scanner.max_bytes;
        if scanner.dropped + row.len() > limit {
            return Some(RecordProblem::TooLong { limit });
        }
        if is_blank(row, scanner.delimiter) {
            return None;
        }
        if self.columns.kept_record(row).is_some() {
            return Some(RecordProblem::Unrepaired);
        }
        let unterminated = end == window.bytes.len();
        let text = match self.encoding.text_of(row, scanner.row_line, unterminated) {
            Ok(text) => text,
            Err(problem) => return Some(problem),
        };
        let found = scanner.cells();
        if !self.columns.fits(found) {
            let expected = self.columns.fewest();
            return Some(RecordProblem::CellCount { found, expected, unterminated });
        }
        let mut loose_quotes = scanner.loose_quotes.iter().copied();
        if let Some(cell) = loose_quotes.find(|cell| self.columns.is_identifier(*cell)) {
            return Some(RecordProblem::QuoteInIdentifier { column: self.columns.own_name(cell) });
        }
        if scanner.line == scanner.row_line {
            return None;
        }
        let check = self.row_check.as_ref()?;
        let line = suspects::line_like_a_row(text, scanner.row_line, &self.columns, check)?;
        Some(RecordProblem::LooksLikeRows { line })
    }

    fn take_record(
        &mut self,
        window: &mut Window,
        end: usize,
        batch: &mut ItemBatch,
    ) -> Result<(), InputFault> {
        let scanner = &mut self.scanner;
        let problem = scanner.problem.take();
        let row = &window.bytes[window.start..end];
        if problem.is_none() && is_blank(row, scanner.delimiter) {
            return Ok(());
        }
        self.encoding.judge(row, &problem)?;
        let lines = (scanner.row_line, scanner.line);
        let kept = scanner.dropped == 0 && row.len() <= scanner.max_bytes;
        batch.items.push(RawItem {
            span: window.start..end,
            line: Some(lines.0),
            last_line: Some(lines.1),
            unterminated: end == window.bytes.len(),
            fault: problem.map(|problem| ItemFault::Record { problem, lines, kept }),
        });
        Ok(())
    }
}

/// A row of nothing but spaces and delimiters is no item.
fn is_blank(row: &[u8], delimiter: u8) -> bool {
    row.iter().all(|byte| *byte == delimiter || matches!(byte, b' ' | b'\t'))
}

/// Whether the file is UTF-8 at all, by its first records. One record that is not has a damaged byte, and fails alone;
/// where most of those with more than ASCII are not, the file is in another encoding, and the user must name it.
#[derive(Debug, Default)]
struct EncodingGuess {
    records: u64,
    /// Records with characters beyond ASCII, in UTF-8.
    utf8: u64,
    /// Lines that are not UTF-8.
    other: u64,
    first: Option<InputFault>,
    /// Whether a record was UTF-8, of any characters.
    any: bool,
}

impl EncodingGuess {
    /// The text of a record that ends with this row.
    fn text_of<'r>(
        &mut self,
        row: &'r [u8],
        line: u64,
        unterminated: bool,
    ) -> Result<&'r str, RecordProblem> {
        self.records += 1;
        if let Some(at) = memchr::memchr(0, row) {
            return Err(RecordProblem::NulBytes { line: line + scan::count_lines(&row[..at]) });
        }
        match std::str::from_utf8(row) {
            Ok(text) => {
                self.any = true;
                self.utf8 += u64::from(self.records <= FIRST_RECORDS && !text.is_ascii());
                Ok(text)
            }
            Err(error) if unterminated && error.error_len().is_none() => Err(RecordProblem::CutShort),
            Err(error) => {
                let (line, byte, value) = place_of(row, error.valid_up_to(), line);
                self.first.get_or_insert(InputFault::NotUtf8 { line, byte, value });
                Err(RecordProblem::NotUtf8 { line, byte, value })
            }
        }
    }

    /// Refuses the file at a record that shows that it is not UTF-8.
    fn judge(&mut self, row: &[u8], problem: &Option<RecordProblem>) -> Result<(), InputFault> {
        if self.records > FIRST_RECORDS || !matches!(problem, Some(RecordProblem::NotUtf8 { .. })) {
            return Ok(());
        }
        let lines = row.split(|byte| matches!(byte, b'\n' | b'\r'));
        self.other += lines.filter(|line| std::str::from_utf8(line).is_err()).count() as u64;
        match self.first.take_if(|_| self.other > 1.max(self.utf8)) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Refuses a file without a single record in UTF-8.
    fn at_end(&mut self) -> Result<(), InputFault> {
        self.first.take_if(|_| !self.any).map_or(Ok(()), Err)
    }
}

/// The physical line of a byte, its place in the line, from 1, and the byte.
fn place_of(row: &[u8], at: usize, line: u64) -> (u64, u64, u8) {
    let line_start = memchr::memrchr2(b'\n', b'\r', &row[..at]).map_or(0, |line_end| line_end + 1);
    (line + scan::count_lines(&row[..at]), (at - line_start) as u64 + 1, row[at])
}

#[cfg(test)]
mod tests;
