//! The text that is being cut, and what was cut from it.

use super::bytes::BLOCK;
use super::item::RawItem;
use crate::request::BATCH_ITEMS;

/// The most items of a chunk: a batch of the API.
pub(super) const MAX_CHUNK_ITEMS: usize = BATCH_ITEMS as usize;
/// A chunk is full when its items take this many bytes.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// The text that is being cut.
#[derive(Debug)]
pub(super) struct Window {
    /// The text from the first item of the batch on, as far as it was read.
    pub(super) bytes: Vec<u8>,
    /// Everything before this place is cut; the item that is not complete yet starts here.
    pub(super) start: usize,
    /// How far the cutter has looked.
    pub(super) at: usize,
    /// How many bytes before `start` belong to an item that is not complete: they are kept with it.
    pub(super) held: usize,
    /// Whether nothing follows.
    pub(super) ended: bool,
    /// The byte before `bytes`.
    before: u8,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), start: 0, at: 0, held: 0, ended: false, before: b'\n' }
    }

    /// The byte before this place; a line end at the start of the input.
    pub(super) fn byte_before(&self, at: usize) -> u8 {
        if at == 0 { self.before } else { self.bytes[at - 1] }
    }

    /// Ends what is being cut: the next item starts at `to`.
    pub(super) fn advance(&mut self, to: usize) {
        self.start = to;
        self.at = to;
    }

    /// Forgets what is cut already, where no item of the batch lies in it.
    pub(super) fn drop_cut(&mut self) {
        let cut = self.start - self.held;
        self.before = self.byte_before(cut);
        self.bytes.drain(..cut);
        self.at -= cut;
        self.start -= cut;
    }

    /// Nothing but this text.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ended: true, ..Self::new() }
    }

    /// Forgets the unfinished item as far as it was looked at, but for its last byte, so that an
    /// item that is too long takes no memory. Returns how many bytes went.
    pub(super) fn drop_unfinished(&mut self) -> usize {
        self.drop_before(self.at)
    }

    /// Forgets the unfinished item up to this place, which was looked at, but for the last byte before it. Returns how
    /// many bytes went.
    pub(super) fn drop_before(&mut self, place: usize) -> usize {
        let dropped = (place - self.start).saturating_sub(1);
        self.bytes.drain(self.start..self.start + dropped);
        self.at -= dropped;
        dropped
    }

    /// Hands over what is cut, and keeps the rest.
    pub(super) fn split(&mut self) -> Vec<u8> {
        let end = self.start - self.held;
        let before = self.byte_before(end);
        // The next chunk is likely to be as large as this one.
        let mut rest = Vec::with_capacity(self.bytes.len() + BLOCK);
        rest.extend_from_slice(&self.bytes[end..]);
        let mut cut = std::mem::replace(&mut self.bytes, rest);
        cut.truncate(end);
        self.before = before;
        self.at -= end;
        self.start -= end;
        cut
    }
}

/// The items cut so far.
#[derive(Debug, Default)]
pub(super) struct ItemBatch {
    pub(super) items: Vec<RawItem>,
}

impl ItemBatch {
    pub(super) fn is_full(&self, window: &Window) -> bool {
        !self.items.is_empty() && (self.items.len() >= MAX_CHUNK_ITEMS || window.start >= MAX_CHUNK_BYTES)
    }
}
