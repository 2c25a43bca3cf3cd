//! NDJSON: one item a line.

use super::chunk::RawItem;
use super::error::ItemFault;
use super::feed::{Batch, Window};

/// Cuts at LF, and at nothing else: U+2028, VT or a lone CR are no line ends.
#[derive(Debug)]
pub(super) struct NdjsonCutter {
    max_item_bytes: usize,
    /// The physical line that starts at the window's start.
    line: u64,
    skipped: Option<Skipped>,
}

/// A line that is too long to be kept, as far as it was dropped.
#[derive(Debug)]
struct Skipped {
    /// Whether it is white space so far: then it is no item, however long.
    blank: bool,
}

impl NdjsonCutter {
    pub(super) fn new(max_item_bytes: usize) -> Self {
        Self { max_item_bytes, line: 1, skipped: None }
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut Batch) {
        while !batch.is_full(window) {
            let Some(length) = memchr::memchr(b'\n', &window.bytes[window.at..]) else {
                return self.reach_end(window, batch);
            };
            let end = window.at + length;
            self.take_line(window, end, false, batch);
            window.advance(end + 1);
            self.line += 1;
        }
    }

    fn reach_end(&mut self, window: &mut Window, batch: &mut Batch) {
        let end = window.bytes.len();
        if window.ended {
            self.take_line(window, end, true, batch);
            return window.advance(end);
        }
        // One byte more than the limit may be kept: it may be the CR before the LF.
        if self.skipped.is_some() || end - window.start > self.max_item_bytes.saturating_add(1) {
            let blank = self.skipped.as_ref().is_none_or(|skipped| skipped.blank)
                && is_blank(&window.bytes[window.start..]);
            self.skipped = Some(Skipped { blank });
            window.at = end;
            window.drop_unfinished();
        }
        window.at = window.bytes.len();
    }

    fn take_line(&mut self, window: &Window, end: usize, unterminated: bool, batch: &mut Batch) {
        let skipped = self.skipped.take();
        let mut line = &window.bytes[window.start..end];
        if is_blank(line) && skipped.as_ref().is_none_or(|skipped| skipped.blank) {
            return;
        }
        line = line.strip_suffix(b"\r").unwrap_or(line);
        let too_long = skipped.is_some() || line.len() > self.max_item_bytes;
        let kept = if too_long { 0 } else { line.len() };
        batch.items.push(RawItem {
            span: window.start..window.start + kept,
            line: Some(self.line),
            last_line: Some(self.line),
            unterminated,
            fault: too_long
                .then_some(ItemFault::TooLong { limit: self.max_item_bytes, line: Some(self.line) }),
        });
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
