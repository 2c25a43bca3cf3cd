//! NDJSON: one item a line. A byte order mark before a line, which `cat` leaves where it joins files, is no part of
//! it.

use super::item::RawItem;
use super::item_fault::ItemFault;
use super::window::{ItemBatch, Window};
use crate::files::BYTE_ORDER_MARK;

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

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut ItemBatch) {
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

    fn reach_end(&mut self, window: &mut Window, batch: &mut ItemBatch) {
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

    fn take_line(&mut self, window: &Window, end: usize, unterminated: bool, batch: &mut ItemBatch) {
        let skipped = self.skipped.take();
        let start = window.start + mark_length(&window.bytes[window.start..end]);
        let mut line = &window.bytes[start..end];
        if is_blank(line) && skipped.as_ref().is_none_or(|skipped| skipped.blank) {
            return;
        }
        line = line.strip_suffix(b"\r").unwrap_or(line);
        let too_long = skipped.is_some() || line.len() > self.max_item_bytes;
        let kept = if too_long { 0 } else { line.len() };
        batch.items.push(RawItem {
            span: start..start + kept,
            line: Some(self.line),
            last_line: Some(self.line),
            unterminated,
            fault: too_long
                .then_some(ItemFault::TooLong { limit: self.max_item_bytes, line: Some(self.line) }),
        });
    }
}

/// The length of the byte order mark that a line begins with.
fn mark_length(line: &[u8]) -> usize {
    if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, max_item_bytes: usize) -> Vec<(Option<u64>, bool, Result<String, ItemFault>)> {
        let mut window = Window::new();
        let mut batch = ItemBatch::default();
        window.bytes = text.as_bytes().to_vec();
        window.ended = true;
        NdjsonCutter::new(max_item_bytes).cut(&mut window, &mut batch);
        let text = |item: &RawItem| match &item.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(String::from_utf8(window.bytes[item.span.clone()].to_vec()).unwrap()),
        };
        batch.items.iter().map(|item| (item.line, item.unterminated, text(item))).collect()
    }

    #[test]
    fn only_a_line_feed_ends_a_line() {
        let found = cut("1\r\n\n \t\r\n2\r3\u{2028}4\u{B}5\r\r\n 6", 100);
        let expected = [(1, false, "1"), (4, false, "2\r3\u{2028}4\u{B}5\r"), (5, true, " 6")];
        let expected =
            expected.map(|(line, unterminated, text)| (Some(line), unterminated, Ok(text.to_owned())));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_mark_before_a_line_is_no_part_of_it() {
        let found = cut("\u{FEFF}1\n\u{FEFF}\n2\u{FEFF}\n\u{FEFF}12345", 5);
        let expected = [(1, false, "1"), (3, false, "2\u{FEFF}"), (4, true, "12345")];
        let expected =
            expected.map(|(line, unterminated, text)| (Some(line), unterminated, Ok(text.to_owned())));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_limit_counts_what_is_between_line_ends() {
        let found = cut("1234\r\n12345\n1234", 4);
        let failed: Vec<_> = found.iter().map(|(.., text)| text.is_err()).collect();
        assert_eq!(failed, [false, true, false]);
    }
}
