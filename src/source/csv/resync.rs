//! Where a failed record ends: at a line end at which the quoting is certain again.

use super::scan::{Scanner, count_lines};
use crate::source::window::Window;

/// Seeks the end of a record that is known to fail.
#[derive(Debug)]
pub(super) struct Resync {
    /// The length of the record, as far as it is known to go: up to a line end. `None` within a line.
    length: Option<usize>,
}

impl Resync {
    /// The record goes at least up to this line end.
    pub(super) fn after(window: &mut Window, end: usize) -> Resync {
        window.at = end;
        Resync { length: Some(end - window.start) }
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
                *self = Resync::after(window, end);
                continue;
            };
            let mut end = window.start + length;
            if length > scanner.max_bytes {
                let dropped = window.drop_before(end);
                scanner.dropped += dropped;
                end -= dropped;
                self.length = Some(end - window.start);
            }
            match next_quote(window, scanner, end, horizon)? {
                Quote::Opens | Quote::None => return Some(end),
                Quote::Doubtful(at) => {
                    scanner.line += count_lines(&window.bytes[end..at]);
                    window.at = at + 1;
                    self.length = None;
                }
            }
        }
    }
}

/// What the next quote behind a line end says about it.
enum Quote {
    /// It can only open a cell, so the line end was outside of quotes.
    Opens,
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
        true => Some(Quote::Opens),
        false => Some(Quote::Doubtful(at)),
    }
}
