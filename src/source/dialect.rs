//! What inputs hold, and all that follows from it for how they are read.
//!
//! Batches of items ([`super::Items`]) are one dialect; what `batch-issue` wrote is another, and belongs to who reads it
//! ([`crate::results`]). Cutting knows neither.

use std::fmt;

use csv::StringRecord;

use super::items::CellReading;
use super::{Format, InputFault, RowCheck};

/// What inputs hold.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// The key of the array in a JSON envelope.
    fn envelope(&self) -> &'static str;

    /// The key of the array in an envelope of this kind, where this is it: an envelope may have another key than
    /// messages name.
    fn envelope_of(&self, key: &str) -> Option<&'static str> {
        (key == self.envelope()).then(|| self.envelope())
    }

    /// Whether an envelope has a member of this name beside its array, which says nothing of the values.
    fn stands_beside(&self, _key: &str) -> bool {
        false
    }

    /// What a key of an object at the top level of a JSON text says about that object.
    fn meaning_of(&self, key: &str) -> Meaning;

    /// The format that the content's first bytes show.
    fn format_of(&self, head: &[u8]) -> Format;

    /// Whether an object's first key alone decides between an envelope and one of its values.
    fn is_telling_key(&self, key: &str) -> bool;

    /// Whether names of files and flags are believed rather than the content alone.
    fn believes_names(&self) -> bool;

    /// Whether a fault takes back the values before it, as long as none were handed out.
    fn withholds(&self) -> bool;

    /// Whether a CSV column of this name is read.
    fn knows_column(&self, name: &str) -> bool;

    /// Binds the header of a CSV file, which stands on this physical line.
    ///
    /// # Errors
    /// Where the columns cannot be read.
    fn bind(&self, header: &StringRecord, line: u64, delimiter: u8) -> Result<Binding, InputFault>;

    /// What the lines of quoted cells are tried with; `None` where they can be no rows.
    fn row_check(&self) -> Option<RowCheck>;

    /// How far behind a failed CSV record the next quote is looked for, where a record has so many bytes at most.
    fn horizon(&self, max_item_bytes: usize) -> usize;
}

/// What a key at the top level says about the object that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The object is one of the values, and cannot be an envelope.
    Decides,
    /// One of the values may have it.
    OfValue,
    /// Nothing.
    Unknown,
}

/// The header of a CSV file, as a dialect understands it. Cells are counted from 0.
#[derive(Debug)]
pub struct Binding {
    /// The number of columns up to the last that has a name.
    pub named: usize,
    /// The columns without a name.
    pub unnamed: Vec<usize>,
    /// The column of correlation ids.
    pub correlation_id: Option<usize>,
    /// The columns of what an earlier run said about a row.
    pub errors: Vec<usize>,
    /// The column of a record that could not be read, in a file of failed items.
    pub record: Option<usize>,
    /// The one column that names what a row is about, where only one is read: the member that it feeds, and its name
    /// for messages.
    pub key: Option<(&'static str, String)>,
    /// How the cells of columns are read before they feed anything, by column.
    pub readings: Vec<(usize, CellReading)>,
    /// What becomes of a row.
    pub plan: Box<dyn RowPlan>,
}

/// How the rows of a CSV file become JSON.
pub trait RowPlan: fmt::Debug + Send + Sync {
    /// Appends the JSON of a row.
    fn write(&self, row: &StringRecord, out: &mut String);

    /// The cell that feeds a place, a JSON Pointer into the row's value; none where messages name no columns.
    fn cell_at(&self, _row: &StringRecord, _pointer: &str) -> Option<usize> {
        None
    }

    /// Whether the cells of this column are identifiers.
    fn is_identifier(&self, _cell: usize) -> bool {
        false
    }
}
