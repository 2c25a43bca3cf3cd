//! What settings say about the columns of CSV files: which field each feeds, and how its cells are read.
//!
//! A cell goes through these steps, each of which a setting can ask for; then it is the text that its field reads:
//!
//! | step | setting |
//! | --- | --- |
//! | a text that means "nothing" is an empty cell | `csv.nulls` |
//! | a word of the column's own becomes another text | `csv.values` |
//! | a date in the column's own format becomes an ISO 8601 date | `csv.dates` |
//! | a percent sign behind a number goes | `csv.percent_sign` |
//! | an empty cell has a text after all | `csv.defaults` |
//!
//! What a setting cannot read stays as it is, so that the field's rule refuses it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::source::columns::normal;
use crate::source::error::InputFault;

/// The settings under `csv`, and `--set`.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The fields of each header of the user's own: `csv.columns`.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Headers that feed no field: `csv.ignore`.
    pub ignored: BTreeSet<String>,
    /// Whether headers that nothing is known of feed no field, too: `csv.ignore: "*"`.
    pub ignores_unknown: bool,
    /// The text of a cell that every row has, by field: `csv.constants`.
    pub constants: BTreeMap<String, String>,
    /// The same for this run, which goes before `csv.constants`: `--set`.
    pub set: BTreeMap<String, String>,
    /// The text of an empty cell, by field: `csv.defaults`.
    pub defaults: BTreeMap<String, String>,
    /// What a word in a column means, by header or field: `csv.values`.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// The format of a column's dates, by header or field, as strftime writes it: `csv.dates`.
    pub dates: BTreeMap<String, String>,
    /// Whether numbers may have a percent sign: `csv.percent_sign`.
    pub allows_percent_sign: bool,
    /// Texts of cells that mean "nothing": `csv.nulls`.
    pub nulls: BTreeSet<String>,
}

impl Mapping {
    /// A mapping that only names fields.
    pub fn of_columns(columns: impl IntoIterator<Item = (String, String)>) -> Mapping {
        let columns = columns.into_iter().map(|(header, field)| (header, vec![field])).collect();
        Mapping { columns, ..Mapping::default() }
    }

    /// The fields to which a header is mapped.
    pub(super) fn fields_of(&self, header: &str) -> Option<&[String]> {
        lookup(&self.columns, header).map(Vec::as_slice)
    }

    /// Whether a header is one that feeds no field.
    pub(super) fn ignores(&self, header: &str) -> bool {
        let wanted = normal(header);
        self.ignored.contains(header) || self.ignored.iter().any(|ignored| normal(ignored) == wanted)
    }

    /// Refuses what contradicts itself, or is no format of a date.
    pub(super) fn check(&self) -> Result<(), InputFault> {
        if let Some(column) = self.columns.keys().find(|header| self.ignores(header)) {
            return Err(InputFault::MappedAndIgnored { column: column.clone() });
        }
        // A format of dates gives back the date that it has written.
        let sample = sample_date();
        let read_back = |format: &String| {
            let text = jiff::fmt::strtime::format(format, sample.as_ref()?).ok()?;
            BrokenDownTime::parse(format, text).ok()?.to_date().ok()
        };
        let date = sample.as_ref().map(Zoned::date);
        match self.dates.iter().find(|(_, format)| read_back(format) != date) {
            Some((column, format)) => {
                Err(InputFault::DateFormat { column: column.clone(), format: format.clone() })
            }
            None => Ok(()),
        }
    }

    /// How the cells of a column are read. `names` are its header and those of its fields; `is_share` says that a
    /// percent sign may go, and `has_time` that dates get a time.
    pub(super) fn reading<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
        is_share: bool,
        has_time: bool,
    ) -> CellReading {
        let values = names.clone().find_map(|name| lookup(&self.values, name)).cloned().unwrap_or_default();
        let date = names.clone().find_map(|name| lookup(&self.dates, name)).cloned();
        let nulls = self.nulls.clone();
        CellReading { nulls, values, date, has_time, strips_percent: is_share && self.allows_percent_sign }
    }
}

/// A date whose day cannot be taken for a month.
fn sample_date() -> Option<Zoned> {
    Date::constant(2026, 1, 31).to_zoned(TimeZone::UTC).ok()
}

/// What is said of a name, in whatever spelling.
fn lookup<'m, T>(map: &'m BTreeMap<String, T>, name: &str) -> Option<&'m T> {
    map.get(name).or_else(|| {
        let wanted = normal(name);
        map.iter().find(|(known, _)| normal(known) == wanted).map(|(_, value)| value)
    })
}

/// How the cells of one column are read.
#[derive(Debug, Default)]
pub struct CellReading {
    nulls: BTreeSet<String>,
    values: BTreeMap<String, String>,
    date: Option<String>,
    has_time: bool,
    strips_percent: bool,
}

impl CellReading {
    /// Whether cells are read as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.nulls.is_empty() && self.values.is_empty() && self.date.is_none() && !self.strips_percent
    }

    /// Whether a text means "nothing" in this column.
    pub(in crate::source) fn is_null(&self, text: &str) -> bool {
        self.nulls.contains(text.trim())
    }

    fn read<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_null(text) {
            return Cow::Borrowed("");
        }
        if let Some(value) = self.values.get(text).or_else(|| self.values.get(text.trim())) {
            return Cow::Owned(value.clone());
        }
        if let Some(date) = self.date.as_ref().and_then(|format| self.date(format, text)) {
            return Cow::Owned(date);
        }
        match text.trim_end().strip_suffix('%') {
            Some(number) if self.strips_percent => Cow::Owned(number.trim_end().to_owned()),
            _ => Cow::Borrowed(text),
        }
    }

    /// What the settings expect in a cell that holds something else: a date in another format.
    pub(in crate::source) fn unmet(&self, text: &str) -> Option<String> {
        let format = self.date.as_ref().filter(|format| self.date(format, text).is_none())?;
        let sample = sample_date().and_then(|sample| jiff::fmt::strtime::format(format, &sample).ok())?;
        Some(format!("a date such as {sample} (csv.dates: {format})"))
    }

    fn date(&self, format: &str, text: &str) -> Option<String> {
        let read = BrokenDownTime::parse(format, text.trim()).ok()?;
        if !self.has_time {
            return Some(read.to_date().ok()?.to_string());
        }
        // Without an offset, times are in UTC; without a time, a day begins at midnight.
        let moment = read.to_timestamp().or_else(|_| {
            let at = read.to_datetime().or_else(|_| read.to_date().map(Date::into))?;
            TimeZone::UTC.to_timestamp(at)
        });
        Some(moment.ok()?.to_string())
    }
}

/// The row as its columns read it: the row itself where none reads its cells otherwise.
pub(in crate::source) fn read_row<'r>(
    row: &'r StringRecord,
    readings: &[(usize, CellReading)],
) -> Cow<'r, StringRecord> {
    if readings.is_empty() {
        return Cow::Borrowed(row);
    }
    let mut cells: Vec<Cow<'_, str>> = row.iter().map(Cow::Borrowed).collect();
    for (cell, reading) in readings {
        if let Some(text) = row.get(*cell) {
            cells[*cell] = reading.read(text);
        }
    }
    Cow::Owned(cells.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(format: Option<&str>, has_time: bool) -> CellReading {
        CellReading {
            nulls: ["-".to_owned(), "n/a".to_owned()].into(),
            values: [("WAHR".to_owned(), "true".to_owned())].into(),
            date: format.map(str::to_owned),
            has_time,
            strips_percent: true,
        }
    }

    #[test]
    fn cells_are_read_step_by_step() {
        for (text, format, has_time, expected) in [
            ("-", None, false, ""),
            (" n/a ", None, false, ""),
            ("--", None, false, "--"),
            ("WAHR", None, false, "true"),
            ("wahr", None, false, "wahr"),
            ("62,5 %", None, false, "62,5"),
            ("%", None, false, ""),
            ("01.02.2026", Some("%d.%m.%Y"), false, "2026-02-01"),
            ("31.02.2026", Some("%d.%m.%Y"), false, "31.02.2026"),
            ("2026-02-01", Some("%d.%m.%Y"), false, "2026-02-01"),
            ("01.02.2026", Some("%d.%m.%Y"), true, "2026-02-01T00:00:00Z"),
            ("01.02.2026 13:45", Some("%d.%m.%Y %H:%M"), true, "2026-02-01T13:45:00Z"),
            ("01.02.2026 13:45 +0100", Some("%d.%m.%Y %H:%M %z"), true, "2026-02-01T12:45:00Z"),
        ] {
            assert_eq!(reading(format, has_time).read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let with = |columns: &[&str], ignored: &[&str], format: Option<&str>| Mapping {
            columns: columns.iter().map(|column| ((*column).to_owned(), vec!["name".to_owned()])).collect(),
            ignored: ignored.iter().map(|column| (*column).to_owned()).collect(),
            dates: format.iter().map(|format| ("a".to_owned(), (*format).to_owned())).collect(),
            ..Mapping::default()
        };
        assert!(with(&["A b"], &["c"], Some("%d.%m.%y")).check().is_ok());
        assert!(matches!(with(&["A b"], &["a-B"], None).check(), Err(InputFault::MappedAndIgnored { .. })));
        for format in ["%q", "%d.%m.", "", "date", "%"] {
            assert!(
                matches!(with(&[], &[], Some(format)).check(), Err(InputFault::DateFormat { .. })),
                "{format}"
            );
        }
    }
}
