//! Rows of output in JSON and CSV, the same for every command.
//!
//! A row is a list of members in the order of its columns. JSON leaves out a member that a row lacks, CSV leaves its
//! cell empty. A member that holds others (`error`) is an object in JSON, and a column each in CSV (`error_code`).

use std::borrow::Cow;

use crate::json;
use crate::source::is_formula;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'r> {
    Number(u64),
    Flag(bool),
    /// Text from this program, such as an id or a time. A spreadsheet sees no formula in it.
    Word(Cow<'r, str>),
    /// Text from elsewhere, which CSV disarms.
    Text(Cow<'r, str>),
    /// Members of their own.
    Group(RowMembers<'r>),
}

/// The members of a row, in the order of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowMembers<'r>(Vec<(&'static str, Cell<'r>)>);

impl<'r> RowMembers<'r> {
    /// A number.
    pub(crate) fn number(&mut self, name: &'static str, number: impl Into<Option<u64>>) -> &mut Self {
        self.push(name, number.into().map(Cell::Number))
    }

    /// A flag, which is told where it is set.
    pub(crate) fn flag(&mut self, name: &'static str, is_set: bool) -> &mut Self {
        self.push(name, is_set.then_some(Cell::Flag(true)))
    }

    /// Text from this program.
    pub(crate) fn word(&mut self, name: &'static str, word: impl Into<Cow<'r, str>>) -> &mut Self {
        self.push(name, Some(Cell::Word(word.into())))
    }

    /// Text from elsewhere.
    pub(crate) fn text(&mut self, name: &'static str, text: Option<impl Into<Cow<'r, str>>>) -> &mut Self {
        self.push(name, text.map(|text| Cell::Text(text.into())))
    }

    /// A member that holds others.
    pub(crate) fn group(&mut self, name: &'static str, members: RowMembers<'r>) -> &mut Self {
        self.push(name, Some(Cell::Group(members)))
    }

    fn push(&mut self, name: &'static str, cell: Option<Cell<'r>>) -> &mut Self {
        self.0.extend(cell.map(|cell| (name, cell)));
        self
    }

    /// Writes the members as a JSON object, with these behind them as they are.
    pub(crate) fn write_json(&self, rest: &[u8], out: &mut Vec<u8>) {
        let mut separator = b'{';
        for (name, cell) in &self.0 {
            out.push(separator);
            json::push_str(out, name);
            out.push(b':');
            match cell {
                Cell::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
                Cell::Flag(is_set) => out.extend_from_slice(is_set.to_string().as_bytes()),
                Cell::Word(text) | Cell::Text(text) => json::push_str(out, text),
                Cell::Group(members) => members.write_json(&[], out),
            }
            separator = b',';
        }
        out.extend_from_slice(rest);
        out.push(b'}');
    }

    /// Writes the members as a CSV record of these columns.
    pub(crate) fn write_csv(&self, columns: &[&str], out: &mut Vec<u8>) {
        let mut named = Vec::with_capacity(columns.len());
        self.flatten("", &mut named);
        let mut named = named.into_iter().peekable();
        let cells: Vec<Cow<'_, str>> = columns
            .iter()
            .map(|column| named.next_if(|(name, _)| name == column).map(|(_, text)| text).unwrap_or_default())
            .collect();
        debug_assert!(named.peek().is_none(), "a member without a column, or out of order");
        write_record(out, cells.iter().map(|cell| cell.as_bytes()));
    }

    fn flatten<'m>(&'m self, group: &str, named: &mut Vec<(Cow<'static, str>, Cow<'m, str>)>) {
        for (name, cell) in &self.0 {
            let name = if group.is_empty() { Cow::Borrowed(*name) } else { format!("{group}_{name}").into() };
            match cell {
                Cell::Number(number) => named.push((name, number.to_string().into())),
                Cell::Flag(is_set) => named.push((name, is_set.to_string().into())),
                Cell::Word(word) => named.push((name, Cow::Borrowed(word))),
                Cell::Text(text) => named.push((name, harmless(text))),
                Cell::Group(members) => members.flatten(&name, named),
            }
        }
    }
}

/// The header record of a CSV table.
pub(crate) fn csv_header(columns: &[&str], out: &mut Vec<u8>) {
    write_record(out, columns);
}

/// Text that no spreadsheet runs as a formula: an apostrophe is put before what would be one, and
/// before what has an apostrophe there already, so that reading can take exactly one off.
fn harmless(text: &str) -> Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// A record whose columns are known only when the command runs.
pub(crate) fn csv_record(cells: &[Cell<'_>], out: &mut Vec<u8>) {
    let text = |cell: &Cell<'_>| match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Flag(is_set) => is_set.to_string(),
        Cell::Word(word) => word.to_string(),
        Cell::Text(text) => harmless(text).into_owned(),
        Cell::Group(_) => String::new(), // a column each, which only names could tell apart
    };
    write_record(out, cells.iter().map(text));
}

fn write_record(out: &mut Vec<u8>, cells: impl IntoIterator<Item = impl AsRef<[u8]>>) {
    let mut writer = ::csv::WriterBuilder::new().from_writer(out);
    // A Vec takes every byte, and all records have the same length.
    let _ = writer.write_record(cells);
    let _ = writer.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_a_row_lacks_are_left_out_of_json_and_empty_in_csv() {
        let mut error = RowMembers::default();
        error.word("code", "malformed").text("message", Some("=1"));
        let mut row = RowMembers::default();
        row.number("index", 7).number("line", None).flag("unchanged", false).group("error", error);
        let (mut json, mut csv) = (Vec::new(), Vec::new());
        row.write_json(b"", &mut json);
        row.write_csv(&["index", "line", "unchanged", "error_code", "error_message"], &mut csv);
        assert_eq!(json, br#"{"index":7,"error":{"code":"malformed","message":"=1"}}"#);
        assert_eq!(csv, b"7,,,malformed,'=1\n");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "without a column")]
    fn a_member_without_a_column_is_a_mistake() {
        let mut row = RowMembers::default();
        row.number("index", 7);
        row.write_csv(&["line"], &mut Vec::new());
    }

    #[test]
    fn formulas_are_disarmed() {
        for text in ["=1+1", "+1", "-1", "@SUM", "\tx", "\rx", "\n=1", "＝1+1", "＋1", "－1", "＠SUM"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("a=b"), "a=b");
        for text in ["-5", "'-5", "＝1", "'＝1", "\n", "'\n", "''=1", "a", "'a", "'", "''", "", "\t'"] {
            assert_eq!(crate::source::without_apostrophe(&harmless(text)), text);
        }
    }
}
