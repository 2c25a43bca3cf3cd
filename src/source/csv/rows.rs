//! The rows of a chunk, read into items by the workers with the `csv` crate.
//!
//! Every record that is read here was found by the cutter to be allowed by RFC 4180, so the crate cannot read it in
//! any other way. Failed records lie between them; their bytes are hidden from the crate.

use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::request::FeedingColumn;
use crate::source::columns::Columns;
use crate::source::item::RawItem;
use crate::source::item_fault::ItemFault;

/// Text without the records that failed, of which only the length is left.
///
/// The line end before it keeps the reader from taking off a byte order mark, which would be a character of a cell.
#[derive(Debug)]
struct Masked<'a> {
    bytes: &'a [u8],
    /// The items that begin at `at` or later.
    items: &'a [RawItem],
    at: usize,
    begun: bool,
}

const LINE_END: &[u8] = b"\n";

impl Read for Masked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.begun, true) {
            return LINE_END.take(out.len() as u64).read(out);
        }
        while self.items.first().is_some_and(|item| item.fault.is_none() || item.span.end <= self.at) {
            self.items = &self.items[1..];
        }
        let hidden = self.items.first().map_or(self.bytes.len()..self.bytes.len(), |item| item.span.clone());
        let is_hidden = hidden.contains(&self.at);
        let end = if is_hidden { hidden.end } else { hidden.start };
        let length = out.len().min(end - self.at);
        match is_hidden {
            true => out[..length].fill(b' '),
            false => out[..length].copy_from_slice(&self.bytes[self.at..self.at + length]),
        }
        self.at += length;
        Ok(length)
    }
}

type RowReader<'a> = Reader<Masked<'a>>;

fn reader<'a>(bytes: &'a [u8], items: &'a [RawItem], delimiter: u8) -> RowReader<'a> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(Masked {
        bytes,
        items,
        at: 0,
        begun: false,
    })
}

/// The rows of a chunk, read one by one.
#[derive(Debug)]
pub(in super::super) struct Rows<'a> {
    columns: &'a Columns,
    reader: RowReader<'a>,
    row: StringRecord,
    json: String,
}

impl<'a> Rows<'a> {
    pub(in super::super) fn new(columns: &'a Columns, bytes: &'a [u8], items: &'a [RawItem]) -> Self {
        let reader = reader(bytes, items, columns.delimiter);
        Self { columns, reader, row: StringRecord::new(), json: String::new() }
    }

    /// The JSON of an item, and the correlation id of one that has a fault.
    pub(in super::super) fn read(&mut self, item: &RawItem) -> (Result<&str, ItemFault>, Option<&str>) {
        let line = item.line.unwrap_or_default();
        if let Err(error) = self.go_to(item) {
            return (Err(ItemFault::Unreadable { line, reason: error.to_string() }), None);
        }
        if !self.columns.fits(self.row.len()) {
            // Whatever the reason, what the cutter did not see is not signed.
            let reason = "its cells were counted twice, with different results".to_owned();
            return (Err(ItemFault::Unreadable { line, reason }), None);
        }
        if self.columns.repeats_header(&self.row) {
            return (Err(ItemFault::RepeatsHeader { line }), None);
        }
        if let Some(fault) = self.cell_fault(line) {
            return (Err(fault), self.columns.correlation_id(&self.row));
        }
        self.json.clear();
        self.columns.write_item(&self.row, &mut self.json);
        (Ok(&self.json), None)
    }

    /// The header cell of the column that feeds a place of the item that was read last.
    pub(in super::super) fn column_at(&self, pointer: &str) -> Option<FeedingColumn> {
        self.columns.column_at(&self.row, pointer)
    }

    /// The cells of an item's row.
    pub(in super::super) fn cells(
        &mut self,
        item: &RawItem,
    ) -> Result<impl Iterator<Item = &str>, csv::Error> {
        self.go_to(item)?;
        Ok(self.columns.own_cells(&self.row))
    }

    /// Reads on to the row that lies where the item does: between items there are blank rows,
    /// and items with a fault.
    fn go_to(&mut self, item: &RawItem) -> Result<(), csv::Error> {
        let start = (LINE_END.len() + item.span.start) as u64;
        while self.reader.position().byte() <= start {
            if !self.reader.read_record(&mut self.row)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn cell_fault(&self, line: u64) -> Option<ItemFault> {
        let position = self.columns.unnamed_value(&self.row)?;
        Some(ItemFault::UnnamedCell { position, line })
    }
}
