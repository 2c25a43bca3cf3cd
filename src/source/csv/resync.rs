//! Where a failed record ends: at a line end at which the quoting is certain again.

use super::scan::{Scanner, count_lines};
use crate::source::window::Window;

/// Seeks the end of a record that is known to fail.
#[derive(Debug)]
pub(super) struct Resync {
    /// The length of the record, as far as it is known to go: up to a line end. `None` within a line.
    length: Option<usize>,
    /// What RFC 4180 says of the quoting behind the record, and how much of the record is before that place.
    quoting: Quoting,
    followed: usize,
}

/// Where a place is, if everything from the record that failed to there is read as RFC 4180 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Where a cell begins.
    CellStart,
    /// In a cell that is not quoted, or behind one that is.
    Outside,
    /// In a quoted cell.
    Inside,
    /// Behind a quote in a quoted cell: it closes the cell, or the next one makes a pair with it.
    BehindQuote,
    /// Behind text that RFC 4180 does not allow, so nothing follows from it.
    Unknown,
}

impl Resync {
    /// The record goes at least up to this line end.
    pub(super) fn after(window: &mut Window, end: usize, quoting: Quoting) -> Resync {
        window.at = end;
        let length = end - window.start;
        Resync { length: Some(length), quoting, followed: length }
    }

    /// The end of the record; `None` if more must be read to know it.
    ///
    /// The window's `at` is where the next quote, or within a line the line's end, is looked for.
    pub(super) fn find_end(
        &mut self,
        window: &mut Window,
        scanner: &mut Scanner,
        horizon: usize,
    ) -> Option<usize> {
        loop {
            let Some(length) = self.length else {
                let end = self.find_line_end(window, scanner)?;
                *self = Resync::after(window, end, self.quoting);
                continue;
            };
            let mut end = window.start + length;
            if length > scanner.max_bytes {
                let dropped = window.drop_before(end);
                scanner.dropped += dropped;
                end -= dropped;
                self.length = Some(end - window.start);
                self.followed = end - window.start;
            }
            match next_quote(window, scanner, end, horizon)? {
                Quote::None => return Some(end),
                // Two readings must agree: a fault may have made an opening quote of one that closes.
                Quote::Opens(_) if self.quoting != Quoting::Inside => return Some(end),
                Quote::Opens(at) | Quote::Doubtful(at) => {
                    scanner.line += count_lines(&window.bytes[end..at]);
                    window.at = at + 1;
                    self.length = None;
                }
            }
        }
    }

    /// The next line end. What is passed on the way is followed before any of it is dropped.
    fn find_line_end(&mut self, window: &mut Window, scanner: &mut Scanner) -> Option<usize> {
        let line_end = memchr::memchr2(b'\n', b'\r', &window.bytes[window.at..]);
        let end = line_end.map_or(window.bytes.len(), |length| window.at + length);
        let passed = &window.bytes[window.start + self.followed..end];
        self.quoting =
            passed.iter().fold(self.quoting, |quoting, byte| quoting.behind(*byte, scanner.delimiter));
        let dropped = scanner.dropped;
        let found = scanner.find_line_end(window);
        self.followed = end - window.start - (scanner.dropped - dropped);
        found
    }
}

impl Quoting {
    /// The quoting behind one byte more.
    fn behind(self, byte: u8, delimiter: u8) -> Quoting {
        let separates = byte == delimiter || matches!(byte, b'\n' | b'\r');
        match (self, byte) {
            (Quoting::Unknown, _) => Quoting::Unknown,
            (Quoting::CellStart | Quoting::BehindQuote, b'"') => Quoting::Inside,
            (Quoting::Inside, b'"') => Quoting::BehindQuote,
            (Quoting::Inside, _) => Quoting::Inside,
            (_, _) if separates => Quoting::CellStart,
            (Quoting::BehindQuote, _) => Quoting::Unknown,
            (Quoting::CellStart | Quoting::Outside, _) => Quoting::Outside,
        }
    }
}

/// What the next quote behind a line end says about it.
enum Quote {
    /// In text without another fault it can only open a cell, so the line end was outside of quotes.
    Opens(usize),
    /// It may be anything.
    Doubtful(usize),
    /// There is none near enough.
    None,
}

fn next_quote(window: &mut Window, scanner: &Scanner, end: usize, horizon: usize) -> Option<Quote> {
    let limit = end.saturating_add(horizon).min(window.bytes.len());
    let Some(length) = memchr::memchr(b'"', &window.bytes[window.at.min(limit)..limit]) else {
        if window.ended || limit < window.bytes.len() {
            return Some(Quote::None);
        }
        window.at = limit;
        return None;
    };
    let at = window.at + length;
    let after = window.bytes.get(at + 1).copied();
    if after.is_none() && !window.ended {
        window.at = at;
        return None;
    }
    let before = window.byte_before(at);
    let at_start = before == scanner.delimiter || matches!(before, b'\n' | b'\r');
    match at_start && !scanner.ends_cell(after) && after != Some(b'"') {
        true => Some(Quote::Opens(at)),
        false => Some(Quote::Doubtful(at)),
    }
}
