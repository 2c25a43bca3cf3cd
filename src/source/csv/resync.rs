//! Where a failed record ends: at a line end at which the quoting is certain again.

use super::scan::{Scanner, count_lines};
use crate::source::window::Window;

/// Seeks the end of a record that is known to fail.
#[derive(Debug)]
pub(super) struct Resync {
    /// The length of the record, as far as it is known to go: up to a line end. `None` within a line.
    length: Option<usize>,
    /// What RFC 4180 says of the quoting behind the record, and how far that was followed.
    quoting: Quoting,
    followed: usize,
    /// How much of the record was dropped when it was followed so far.
    dropped: usize,
}

/// Where a line end is, if everything from the record that failed to there is read as RFC 4180 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Between records.
    Outside,
    /// In a quoted cell.
    Inside,
    /// There is text that RFC 4180 does not allow, so nothing follows from it.
    Unknown,
}

impl Resync {
    /// The record goes at least up to this line end.
    pub(super) fn after(window: &mut Window, scanner: &Scanner, end: usize, quoting: Quoting) -> Resync {
        window.at = end;
        let length = end - window.start;
        Resync { length: Some(length), quoting, followed: length, dropped: scanner.dropped }
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
                let end = scanner.find_line_end(window)?;
                let quoting = self.quoting_at(window, scanner, end);
                *self = Resync::after(window, scanner, end, quoting);
                continue;
            };
            let mut end = window.start + length;
            if length > scanner.max_bytes {
                let dropped = window.drop_before(end);
                scanner.dropped += dropped;
                end -= dropped;
                *self = Resync { length: Some(end - window.start), dropped: scanner.dropped, ..*self };
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

    /// The quoting at this line end, where nothing of what is between was dropped.
    fn quoting_at(&self, window: &Window, scanner: &Scanner, end: usize) -> Quoting {
        match scanner.dropped == self.dropped {
            true => self.quoting.behind(&window.bytes[window.start + self.followed..end], scanner.delimiter),
            false => Quoting::Unknown,
        }
    }
}

impl Quoting {
    /// The quoting behind a text that begins with a line end, and ends before one.
    fn behind(mut self, text: &[u8], delimiter: u8) -> Quoting {
        let separates = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
        let mut at = 0;
        while let Some(length) = memchr::memchr(b'"', &text[at..]) {
            let quote = at + length;
            at = quote + 1;
            self = match (self, text.get(quote + 1)) {
                (Quoting::Unknown, _) => return Quoting::Unknown,
                (Quoting::Outside, _) if quote > 0 && separates(&text[quote - 1]) => Quoting::Inside,
                (Quoting::Outside, _) => Quoting::Outside, // within a cell that is not quoted
                (Quoting::Inside, Some(b'"')) => {
                    at += 1;
                    Quoting::Inside
                }
                (Quoting::Inside, after) if after.is_none_or(separates) => Quoting::Outside,
                (Quoting::Inside, _) => Quoting::Unknown,
            };
        }
        self
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
