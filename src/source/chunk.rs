//! Consecutive items on their way from the reader to a worker.

use std::sync::Arc;

use super::columns::Columns;
use super::csv::Rows;
use super::item::RawItem;
use super::item_fault::ItemFault;
use crate::request::FeedingColumn;

/// Consecutive items, as they stand in the input: at least one, and at most 1,000.
#[derive(Debug)]
pub struct Chunk {
    /// The index of the first item, counted from 0 over the whole run.
    pub first_index: u64,
    /// The items.
    pub items: Vec<RawItem>,
    /// How many bytes of the inputs, as stored, were read when this chunk was complete, over
    /// all inputs so far: what a progress bar shows.
    pub bytes_consumed: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) shape: Shape,
}

/// How the items of a chunk are written.
#[derive(Debug)]
pub(super) enum Shape {
    Json,
    Csv(Arc<Columns>),
}

impl Chunk {
    pub(super) fn new(items: Vec<RawItem>, bytes: Vec<u8>, shape: Shape) -> Self {
        Self { first_index: 0, items, bytes_consumed: 0, bytes, shape }
    }

    /// The one column that names what the rows of a table are about, where only one is read: the member that it feeds,
    /// and its name in the header.
    pub fn key(&self) -> Option<(&'static str, &str)> {
        match &self.shape {
            Shape::Json => None,
            Shape::Csv(columns) => columns.key(),
        }
    }

    /// Reads the items one by one. This is the worker's part: UTF-8 and CSV cells are looked at
    /// here.
    pub fn open(&self) -> ItemTexts<'_> {
        let rows = match &self.shape {
            Shape::Json => None,
            Shape::Csv(columns) => Some(Rows::new(columns, &self.bytes, &self.items)),
        };
        ItemTexts { chunk: self, next: 0, rows }
    }
}

/// The items of a chunk as JSON text, one after the other.
#[derive(Debug)]
pub struct ItemTexts<'a> {
    chunk: &'a Chunk,
    next: usize,
    rows: Option<Rows<'a>>,
}

/// One item.
#[derive(Debug)]
pub struct ItemText<'a> {
    /// Its index, counted from 0 over the whole run.
    pub index: u64,
    /// The physical line where it begins, from 1. NDJSON and CSV only.
    pub line: Option<u64>,
    /// Whether the input ended before the line did: what is wrong with such an item may be that
    /// the file is truncated.
    pub unterminated: bool,
    /// The correlation id of a CSV row with a fault, where it could be read. A sound item has it
    /// in its text.
    pub correlation_id: Option<&'a str>,
    /// The item as JSON text, sound UTF-8, but not yet checked to be JSON; from CSV it is JSON.
    pub text: Result<&'a str, ItemFault>,
}

impl ItemTexts<'_> {
    /// The header cell of the column that feeds a place, a JSON Pointer, of the item that was given last: none
    /// where no column does. `None` around it says that the items do not come from a table.
    pub fn column_at(&self, pointer: &str) -> Option<Option<FeedingColumn>> {
        self.rows.as_ref().map(|rows| rows.column_at(pointer))
    }

    /// The next item. Not an [`Iterator`], because the text is lent until the next call.
    #[expect(clippy::should_implement_trait, reason = "a lending reader cannot be an Iterator")]
    pub fn next(&mut self) -> Option<ItemText<'_>> {
        let item = self.chunk.items.get(self.next)?;
        let index = self.chunk.first_index + self.next as u64;
        self.next += 1;
        let bytes = &self.chunk.bytes[item.span.clone()];
        let (text, correlation_id) = match (&item.fault, &mut self.rows) {
            (Some(fault), _) => (Err(fault.clone()), None),
            (None, None) => (json_text(item, bytes), None),
            (None, Some(rows)) => rows.read(item),
        };
        Some(ItemText { index, line: item.line, unterminated: item.unterminated, correlation_id, text })
    }
}

fn json_text<'a>(item: &RawItem, bytes: &'a [u8]) -> Result<&'a str, ItemFault> {
    if memchr::memchr(0, bytes).is_some() {
        return Err(ItemFault::NulBytes { line: item.line });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        ItemFault::NotUtf8 { line: item.line, byte: at + 1, value: bytes[at] }
    })
}
