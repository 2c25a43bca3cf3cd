//! Failed items, given back in the form in which they came, with what is wrong beside them.
//!
//! Once fixed, such a file can be read as any other: what it says about errors is ignored.
//!
//! A CSV record that could not be read has no cells. It is given back whole, as the text of a single cell, under
//! `error_record`; the cells of its own columns are empty. So no text of it can be taken for rows or for other cells
//! when the file is read again, by this program or by a spreadsheet. A row that has anything there fails until somebody
//! has put the record's cells under their columns and emptied it. Bytes that are not UTF-8 stay as they are. A record
//! that was too long to keep is replaced by words that say so.

use std::io::Write;

use super::chunk::{Chunk, Shape};
use super::columns::Columns;
use super::csv::Rows;
use super::item::RawItem;
use super::item_fault::{ItemFault, RecordProblem};
use super::items::ERROR_COLUMNS;
use crate::json::{Parser, Value};
use crate::request::Rejection;

/// The form in which items came, and are given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemForm {
    /// Elements of the envelope's array.
    Json,
    /// One item a line.
    Ndjson,
    /// Rows under this header row, which ends with its line end.
    Csv {
        /// The file's own header, with the error columns behind it.
        header: Vec<u8>,
    },
}

impl ItemForm {
    /// The form of rows under these columns.
    pub(super) fn of_columns(columns: &Columns) -> ItemForm {
        let mut header = Vec::new();
        let names = ERROR_COLUMNS.into_iter().chain(columns.own_cells(columns.header()));
        write_row(&mut header, columns.delimiter, names.map(str::as_bytes));
        ItemForm::Csv { header }
    }
}

/// What stands in the place of a record that is longer than an item may be.
const NOT_KEPT: &str = "(too long to be kept; take it from the first file)";

/// Gives items of a chunk back, in order.
#[derive(Debug)]
pub struct FailedWriter<'c> {
    chunk: &'c Chunk,
    rows: Option<Rows<'c>>,
    parser: Parser,
}

impl Chunk {
    /// Starts to give items back.
    pub fn failed_writer(&self) -> FailedWriter<'_> {
        let rows = match &self.shape {
            Shape::Json => None,
            Shape::Csv(columns) => Some(Rows::new(columns, &self.bytes, &self.items)),
        };
        FailedWriter { chunk: self, rows, parser: Parser::default() }
    }
}

impl FailedWriter<'_> {
    /// The form of the chunk's items.
    pub fn form(&self) -> ItemForm {
        match &self.chunk.shape {
            Shape::Csv(columns) => ItemForm::of_columns(columns),
            // Only items of NDJSON have lines of their own.
            Shape::Json if self.chunk.items.iter().any(|item| item.line.is_some()) => ItemForm::Ndjson,
            Shape::Json => ItemForm::Json,
        }
    }

    /// Appends the item at this place in the chunk: CSV with its line end, or JSON without one. Places are asked for in
    /// ascending order.
    pub fn item(&mut self, place: usize, rejection: &Rejection, out: &mut Vec<u8>) {
        let Some(item) = self.chunk.items.get(place) else { return };
        let (Some(rows), Shape::Csv(columns)) = (&mut self.rows, &self.chunk.shape) else {
            return self.json(item, rejection, out);
        };
        let paths = rejection.details.iter().map(|detail| detail.path.as_str()).collect::<Vec<_>>().join(" ");
        let said = [rejection.code.as_str(), &rejection.message, &paths].map(str::as_bytes);
        let record = &self.chunk.bytes[item.span.clone()];
        match &item.fault {
            Some(fault) => {
                // What was kept before is kept as it was, not once more within itself.
                let before = matches!(fault, ItemFault::Record { problem: RecordProblem::Unrepaired, .. });
                let before = before.then(|| columns.kept_record(record)).flatten();
                let (kept, cells) = before.unwrap_or_else(|| {
                    let is_kept = matches!(fault, ItemFault::Record { kept: true, .. });
                    let kept = if is_kept { record } else { NOT_KEPT.as_bytes() };
                    (kept.to_vec(), columns.own_cells(columns.header()).map(|_| Vec::new()).collect())
                });
                let cells = [&kept].into_iter().chain(&cells).map(Vec::as_slice);
                write_row(out, columns.delimiter, said.into_iter().chain(cells));
            }
            // The row was read before.
            None => {
                if let Ok(cells) = rows.cells(item) {
                    let cells = cells.map(str::as_bytes);
                    write_row(out, columns.delimiter, said.into_iter().chain([b"".as_slice()]).chain(cells));
                }
            }
        }
    }

    fn json(&mut self, item: &RawItem, rejection: &Rejection, out: &mut Vec<u8>) {
        let bytes = &self.chunk.bytes[item.span.clone()];
        let object = std::str::from_utf8(bytes).ok().and_then(|text| self.parser.parse(text).ok());
        match object.map(|document| document.root()).filter(|root| root.members().next().is_some()) {
            Some(root) => write_with_error(root, rejection, out),
            // What is no JSON object has no place for an error; it comes back as it was, to be
            // mended by eye. An item that was too long to keep leaves its error alone.
            None if bytes.is_empty() => write_error(b"{", rejection, out),
            None => out.extend_from_slice(bytes),
        }
    }
}

/// An object with its members as they were, and the error in the place of an older one.
fn write_with_error(object: Value<'_>, rejection: &Rejection, out: &mut Vec<u8>) {
    out.push(b'{');
    for (name, value) in object.entries().filter(|(name, _)| name.as_str().as_deref() != Some("error")) {
        out.extend_from_slice(name.text().as_bytes());
        out.push(b':');
        value.write_compact(out);
        out.push(b',');
    }
    write_error(b"", rejection, out);
}

fn write_error(before: &[u8], rejection: &Rejection, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    out.extend_from_slice(b"\"error\":");
    // A struct of strings has a JSON form, and a Vec takes it.
    let _ = serde_json::to_writer(&mut *out, rejection);
    out.push(b'}');
}

fn write_row<'a>(out: &mut Vec<u8>, delimiter: u8, cells: impl Iterator<Item = &'a [u8]>) {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(out.by_ref());
    let _ = writer.write_record(cells);
    let _ = writer.flush();
}
