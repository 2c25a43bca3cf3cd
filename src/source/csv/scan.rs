//! Follows quotes and line ends through the text, as RFC 4180 says, and counts cells.

use crate::source::item_fault::RecordProblem;
use crate::source::window::Window;

/// Finds where a record ends, and what its quotes say about it.
#[derive(Debug)]
pub(super) struct Scanner {
    pub(super) delimiter: u8,
    /// The longest record that is kept.
    pub(super) max_bytes: usize,
    /// Whether a quoted cell may hold line ends.
    pub(super) line_breaks: bool,
    /// The physical line of what comes next.
    pub(super) line: u64,
    /// The physical line where the record begins.
    pub(super) row_line: u64,
    /// The physical line of the quote that was not closed yet.
    pub(super) quote: Option<u64>,
    /// How much of the unfinished record was dropped, because it is too long.
    pub(super) dropped: usize,
    /// What the record's quotes show to be wrong. Up to the end of the line it belongs to the record.
    pub(super) problem: Option<RecordProblem>,
    /// The cells, from 0, that are not quoted and have quotes in them.
    pub(super) loose_quotes: Vec<usize>,
    /// The last of them, also where it is none that counts.
    loose_cell: Option<usize>,
    /// How many delimiters outside of quotes there were.
    delimiters: usize,
    /// How many cells a record can have; quotes in those behind them are of no interest.
    max_cells: usize,
}

impl Scanner {
    pub(super) fn new(delimiter: u8, max_bytes: usize, line_breaks: bool) -> Self {
        Self {
            delimiter,
            max_bytes,
            line_breaks,
            line: 1,
            row_line: 1,
            quote: None,
            dropped: 0,
            problem: None,
            loose_quotes: Vec::new(),
            loose_cell: None,
            delimiters: 0,
            max_cells: 0,
        }
    }

    /// Goes on from the header to the rows.
    pub(super) fn expect_rows(&mut self, max_bytes: usize, max_cells: usize) {
        self.max_bytes = max_bytes;
        self.max_cells = max_cells;
    }

    /// How many cells the record has, as far as it was looked at.
    pub(super) fn cells(&self) -> usize {
        self.delimiters + 1
    }

    /// The place of the line end that ends the record, or the end of the input; `None` if more must be read.
    pub(super) fn find_row_end(&mut self, window: &mut Window) -> Option<usize> {
        loop {
            if self.problem.is_some() {
                return self.find_line_end(window);
            }
            let from = window.at;
            let Some(length) = memchr::memchr3(b'"', b'\n', b'\r', &window.bytes[from..]) else {
                self.count_cells(&window.bytes[from..]);
                window.at = window.bytes.len();
                return self.at_window_end(window);
            };
            window.at = from + length;
            self.count_cells(&window.bytes[from..window.at]);
            match (window.bytes[window.at] == b'"', self.quote) {
                (true, None) => self.pass_opening(window),
                (true, Some(_)) => self.pass_quote(window)?,
                (false, None) => return Some(window.at),
                (false, Some(_)) if self.line_breaks => self.pass_line_end(window, window.at),
                (false, Some(line)) => {
                    self.problem = Some(RecordProblem::QuoteOpen { line });
                    return Some(window.at);
                }
            }
        }
    }

    /// The next line end, whatever stands before it.
    pub(super) fn find_line_end(&mut self, window: &mut Window) -> Option<usize> {
        match memchr::memchr2(b'\n', b'\r', &window.bytes[window.at..]) {
            Some(length) => {
                window.at += length;
                Some(window.at)
            }
            None => {
                window.at = window.bytes.len();
                if window.ended {
                    return Some(window.at);
                }
                self.drop_if_long(window);
                None
            }
        }
    }

    fn count_cells(&mut self, text: &[u8]) {
        if self.quote.is_none() {
            self.delimiters += memchr::memchr_iter(self.delimiter, text).count();
        }
    }

    /// A quote outside of quotes opens a cell at the cell's start. Behind white space it was meant to.
    fn pass_opening(&mut self, window: &mut Window) {
        let at = window.at;
        window.at = at + 1;
        if self.loose_cell == Some(self.delimiters) {
            return; // the first quote of a cell decides, so that no text is looked through twice
        }
        let text = &window.bytes[window.start..at];
        let start = memchr::memrchr(self.delimiter, text).map(|delimiter| delimiter + 1);
        let cell = match start {
            None if self.dropped > 0 => None,
            start => Some(&text[start.unwrap_or(0)..]),
        };
        match cell {
            Some([]) => self.quote = Some(self.line),
            Some(cell) if cell.iter().all(|byte| matches!(byte, b' ' | b'\t')) => {
                self.problem = Some(RecordProblem::SpaceBeforeQuote { line: self.line });
            }
            _ => {
                self.loose_cell = Some(self.delimiters);
                if self.delimiters < self.max_cells {
                    self.loose_quotes.push(self.delimiters);
                }
            }
        }
    }

    /// A quote within quotes is one of a pair, or closes the cell. `None` if the next byte must be read to know it.
    fn pass_quote(&mut self, window: &mut Window) -> Option<()> {
        let at = window.at;
        let after = window.bytes.get(at + 1).copied();
        if after.is_none() && !window.ended {
            self.drop_if_long(window);
            return None;
        }
        if after == Some(b'"') {
            window.at = at + 2;
            return Some(());
        }
        window.at = at + 1;
        self.quote = None;
        if !self.ends_cell(after) {
            self.problem = Some(RecordProblem::AfterQuote { line: self.line });
        }
        Some(())
    }

    /// Whether a cell ends before this byte, or the end of the input.
    pub(super) fn ends_cell(&self, after: Option<u8>) -> bool {
        after.is_none_or(|byte| byte == self.delimiter || matches!(byte, b'\r' | b'\n'))
    }

    fn at_window_end(&mut self, window: &mut Window) -> Option<usize> {
        if !window.ended {
            self.drop_if_long(window);
            return None;
        }
        if let Some(line) = self.quote {
            self.problem = Some(RecordProblem::QuoteOpen { line });
        }
        Some(window.bytes.len())
    }

    /// A record that is too long takes no memory.
    fn drop_if_long(&mut self, window: &mut Window) {
        if self.dropped + window.at - window.start > self.max_bytes {
            self.dropped += window.drop_unfinished();
        }
    }

    /// Goes past a line end within a record.
    fn pass_line_end(&mut self, window: &mut Window, at: usize) {
        let is_second_half = window.bytes[at] == b'\n' && window.byte_before(at) == b'\r';
        self.line += u64::from(!is_second_half);
        window.at = at + 1;
    }

    /// Goes past the line end that ends a record.
    pub(super) fn pass_row_end(&mut self, window: &mut Window, end: usize) {
        self.pass_line_end(window, end);
        window.advance(end + 1);
        self.row_line = self.line;
        self.quote = None;
        self.dropped = 0;
        self.problem = None;
        self.loose_quotes.clear();
        self.loose_cell = None;
        self.delimiters = 0;
    }

    /// Goes past the line at the window's start, which is complete or the last.
    pub(super) fn skip_line(&mut self, window: &mut Window) {
        match memchr::memchr2(b'\n', b'\r', &window.bytes[window.start..]) {
            Some(length) => self.pass_row_end(window, window.start + length),
            None => window.advance(window.bytes.len()),
        }
    }
}

/// The line ends in a text: CRLF is one.
pub(super) fn count_lines(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|at| text[*at] == b'\r' || *at == 0 || text[at - 1] != b'\r').count() as u64
}
