//! The columns of one CSV file: its header, and what becomes of its rows.

use csv::StringRecord;

use super::dialect::{Binding, Dialect};
use super::error::InputFault;
use super::items::read_row;
use super::record::bytes_of;
use crate::invisible;
use crate::request::FeedingColumn;

/// The columns of one file, and the plan by which its rows become values.
#[derive(Debug)]
pub(super) struct Columns {
    /// The delimiter of the file.
    pub(super) delimiter: u8,
    header: StringRecord,
    binding: Binding,
}

impl Columns {
    /// Binds a header, which stands on this physical line.
    pub(super) fn new(
        header: StringRecord,
        line: u64,
        delimiter: u8,
        dialect: &dyn Dialect,
    ) -> Result<Self, InputFault> {
        let binding = dialect.bind(&header, line, delimiter)?;
        Ok(Self { delimiter, header, binding })
    }

    /// The one column that names what a row is about, where only one is read: the member that it feeds, and its name
    /// in the header.
    pub(super) fn key(&self) -> Option<(&'static str, &str)> {
        self.binding.key.as_ref().map(|(member, name)| (*member, name.as_str()))
    }

    /// The most cells that a row can have.
    pub(super) fn width(&self) -> usize {
        self.header.len()
    }

    /// The fewest cells that a record can have.
    pub(super) fn fewest(&self) -> usize {
        self.binding.named
    }

    /// Whether a row may have this many cells: those with a name, and any of the empty columns
    /// behind them.
    pub(super) fn fits(&self, cells: usize) -> bool {
        (self.binding.named..=self.header.len()).contains(&cells)
    }

    /// The record that could not be read, and the cells of its own columns, in a row of a file of failed items; `None`
    /// where the row keeps none.
    pub(super) fn kept_record(&self, row: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let cell = self.binding.record?;
        let cells = bytes_of(row, self.delimiter);
        let kept = cells.get(cell).filter(|kept| !kept.is_empty() && self.fits(cells.len()))?;
        let own = (0..cells.len()).filter(|cell| !self.binding.errors.contains(cell));
        Some((kept.to_vec(), own.map(|cell| cells[cell].to_vec()).collect()))
    }

    /// The user's own name of a column.
    pub(super) fn own_name(&self, cell: usize) -> String {
        shown(self.header.get(cell).unwrap_or_default())
    }

    /// Whether the cells of this column are identifiers.
    pub(super) fn is_identifier(&self, cell: usize) -> bool {
        self.binding.plan.is_identifier(cell)
    }

    /// Whether a row is the header once more, as where two exports were joined. The second one may bring its
    /// byte order mark along.
    pub(super) fn repeats_header(&self, row: &StringRecord) -> bool {
        let first = row.get(0).map(|text| text.strip_prefix('\u{FEFF}').unwrap_or(text));
        first == self.header.get(0)
            && self.fits(row.len())
            && row.iter().skip(1).eq(self.header.iter().take(row.len()).skip(1))
    }

    /// The place of a value under no name, from 1.
    pub(super) fn unnamed_value(&self, row: &StringRecord) -> Option<usize> {
        let with_value = |cell: &&usize| row.get(**cell).is_some_and(|text| !text.trim().is_empty());
        self.binding.unnamed.iter().find(with_value).map(|cell| cell + 1)
    }

    pub(super) fn correlation_id<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        let cell = self.binding.correlation_id?;
        let mut readings = self.binding.readings.iter().filter(|(read, _)| *read == cell);
        row.get(cell).filter(|text| !text.is_empty() && !readings.any(|(_, reading)| reading.is_null(text)))
    }

    /// The cells of a row, or of the header, without what an earlier run said about it.
    pub(super) fn own_cells<'r>(&self, row: &'r StringRecord) -> impl Iterator<Item = &'r str> {
        row.iter().enumerate().filter(|(cell, _)| !self.binding.errors.contains(cell)).map(|(_, text)| text)
    }

    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The header cell of the column that feeds a place, a JSON Pointer into the row's value. None where no column
    /// does: the field has a constant, or is missing from the file.
    pub(super) fn column_at(&self, row: &StringRecord, pointer: &str) -> Option<FeedingColumn> {
        let cell = self.binding.plan.cell_at(&read_row(row, &self.binding.readings), pointer)?;
        let mut readings = self.binding.readings.iter().filter(|(read, _)| *read == cell);
        let expected = readings.find_map(|(_, reading)| reading.unmet(row.get(cell)?));
        Some(FeedingColumn { name: shown(&self.header[cell]), expected })
    }

    /// Appends the value that a row describes, as JSON.
    pub(super) fn write_item(&self, row: &StringRecord, out: &mut String) {
        self.binding.plan.write(&read_row(row, &self.binding.readings), out);
    }
}

/// A name without case, spaces, dots, dashes and underscores.
pub(crate) fn normal(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '_'));
    plain.flat_map(char::to_lowercase).collect()
}

/// A header cell as a message shows it.
pub(crate) fn shown(name: &str) -> String {
    const MOST: usize = 40;
    let shown: String = name.trim().chars().take(MOST).flat_map(char::escape_debug).collect();
    let mut shown = invisible::escaped(&shown);
    if name.trim().chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
