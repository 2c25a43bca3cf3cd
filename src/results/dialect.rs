//! How results and lists are read: which keys, columns and first bytes they have.

use csv::StringRecord;

use crate::json::push_str_to;
use crate::source::{
    Binding, Dialect, Format, InputFault, Meaning, RowCheck, RowPlan, begins_on_a_line_of_its_own,
    cells_of_line, first_line_keys, normal, separator_line, shown, without_apostrophe,
};

/// Results of `batch-issue`, and lists of ids and tokens, which are told from one another by their content alone. A CSV
/// row becomes the JSON of a result; rows before a fault are always handed out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcomes {
    /// Whether the rows of a table may name credentials by ids of the user's own. Of the columns that name
    /// credentials, one is read then, and the others are not.
    pub(super) own_ids: bool,
}

/// The keys of a result, by which it is told from an envelope.
const RESULT_KEYS: [&str; 8] =
    ["index", "credential", "credentials", "error", "id", "credential_id", "presentation", "signed_payload"];

/// How far behind a failed row the next quote is looked for, in bytes. A row may be much longer.
const HORIZON: usize = 1024 * 1024;

impl Dialect for Outcomes {
    fn envelope(&self) -> &'static str {
        "results"
    }

    fn meaning_of(&self, key: &str) -> Meaning {
        if RESULT_KEYS.contains(&key) { Meaning::OfValue } else { Meaning::Unknown }
    }

    fn format_of(&self, head: &[u8]) -> Format {
        let text = head.trim_ascii_start();
        match text.first() {
            Some(b'[') => Format::Json,
            Some(b'{') if looks_like_results(text) => Format::Json,
            Some(b'{') | None => Format::Ndjson,
            Some(_) if self.looks_like_table(text) => Format::Csv,
            Some(_) => Format::Ndjson,
        }
    }

    fn is_telling_key(&self, key: &str) -> bool {
        key == self.envelope()
    }

    fn believes_names(&self) -> bool {
        false
    }

    fn withholds(&self) -> bool {
        false
    }

    fn knows_column(&self, name: &str) -> bool {
        result_column(name).is_some()
    }

    /// Binds the header of a table, which may have columns that are not read.
    fn bind(&self, header: &StringRecord, line: u64, _: u8) -> Result<Binding, InputFault> {
        let mut places = self.places(header)?;
        let readable = |column: &usize| self.own_ids || !NAMING_COLUMNS[*column].is_own_id();
        let naming = (0..NAMING_COLUMNS.len()).filter(readable).find(|column| places[*column].is_some());
        let Some(naming) = naming else { return Err(self.no_column(line)) };
        let key = self.own_ids.then(|| {
            for other in (0..NAMING_COLUMNS.len()).filter(|other| ![naming, CORRELATION_ID].contains(other)) {
                places[other] = None;
            }
            let name = places[naming].and_then(|cell| header.get(cell)).unwrap_or_default();
            (RESULT_COLUMNS[naming], shown(name))
        });
        let last = (0..header.len()).rfind(|cell| !header[*cell].trim().is_empty());
        Ok(Binding {
            readings: Vec::new(),
            named: last.map_or(0, |last| last + 1),
            unnamed: Vec::new(),
            correlation_id: places[CORRELATION_ID],
            errors: Vec::new(),
            record: None,
            key,
            plan: Box::new(OutcomePlan(places)),
        })
    }

    fn row_check(&self) -> Option<RowCheck> {
        None
    }

    fn horizon(&self, _: usize) -> usize {
        HORIZON
    }
}

impl Outcomes {
    /// The cell of each of [`RESULT_COLUMNS`].
    fn places(&self, header: &StringRecord) -> Result<Places, InputFault> {
        let mut places = Places::default();
        for (cell, name) in header.iter().enumerate() {
            let Some(column) = result_column(name) else { continue };
            if RESULT_COLUMNS[column] == "subject_id" && !self.own_ids {
                continue;
            }
            if let Some(first) = places[column].replace(cell) {
                let [first, second] = [first, cell].map(|cell| (shown(&header[cell]), cell + 1));
                return Err(InputFault::DuplicateColumn { first, second });
            }
        }
        Ok(places)
    }

    /// Neither ids nor tokens in a header, whose cells are not shown: it may be no header, and about a person.
    fn no_column(&self, line: u64) -> InputFault {
        let also = if self.own_ids { ", and no correlation_id or subject_id" } else { "" };
        InputFault::Header {
            line,
            problem: format!("no column id, credential_id or signed_payload in the header{also}"),
        }
    }

    /// Whether the first line is the header of a table, which a list does not have: several cells,
    /// one of them a known name, or none of them an id or a token; or the name of a column of the user's own ids alone.
    /// A header without a known name is refused as such, with its names.
    fn looks_like_table(&self, text: &[u8]) -> bool {
        let line = memchr::memchr2(b'\n', b'\r', text).map_or(text, |end| &text[..end]);
        let line = String::from_utf8_lossy(line);
        if separator_line(line.as_bytes()).is_some() {
            return true;
        }
        let cells: Vec<&str> = cells_of_line(&line, self).filter(|cell| !cell.is_empty()).collect();
        if let ([name], true) = (cells.as_slice(), self.own_ids) {
            return names_own_id(name);
        }
        let is_credential = |cell: &&str| cell.contains(':') || cell.starts_with("eyJ");
        cells.len() > 1
            && !line.starts_with('#')
            && (cells.iter().any(|cell| names_credential(cell)) || !cells.iter().any(is_credential))
    }
}

/// Whether an object is the envelope of results: no result has a key of that name.
fn looks_like_results(text: &[u8]) -> bool {
    let is_of_envelope = |key: &[u8]| [&b"results"[..], b"success_count", b"failure_count"].contains(&key);
    begins_on_a_line_of_its_own(text) || first_line_keys(text).any(is_of_envelope)
}

/// The columns of a results table that are read, and the members of a result that they feed.
const RESULT_COLUMNS: [&str; 6] =
    ["credential_id", "id", "signed_payload", "correlation_id", "subject_id", "error_code"];

/// What each of the first [`RESULT_COLUMNS`] names a credential by, the preferred ones first.
const NAMING_COLUMNS: [RowKey; 5] =
    [RowKey::CredentialId, RowKey::CredentialId, RowKey::Token, RowKey::CorrelationId, RowKey::SubjectId];

/// The place of the correlation id among [`RESULT_COLUMNS`].
const CORRELATION_ID: usize = 3;

/// What the rows of a table name credentials by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKey {
    /// The credential's id.
    CredentialId,
    /// The credential itself.
    Token,
    /// The correlation id of its item.
    CorrelationId,
    /// The id of its subject.
    SubjectId,
}

impl RowKey {
    /// What the column of this canonical name holds.
    pub(super) fn named(name: &str) -> Option<RowKey> {
        row_key(name)
    }

    /// Whether it is an id of the user's own.
    pub(super) fn is_own_id(self) -> bool {
        matches!(self, RowKey::CorrelationId | RowKey::SubjectId)
    }
}

/// The place of a column among [`RESULT_COLUMNS`], however its name is spelt.
fn result_column(name: &str) -> Option<usize> {
    let name = normal(name);
    RESULT_COLUMNS.iter().position(|known| normal(known) == name)
}

fn row_key(name: &str) -> Option<RowKey> {
    result_column(name).and_then(|column| NAMING_COLUMNS.get(column).copied())
}

/// Whether this is the name of a column of ids or of tokens.
pub(super) fn names_credential(name: &str) -> bool {
    row_key(name).is_some_and(|key| !key.is_own_id())
}

/// Whether this is the name of a column of the user's own ids.
fn names_own_id(name: &str) -> bool {
    row_key(name).is_some_and(RowKey::is_own_id)
}

/// The cell of each of [`RESULT_COLUMNS`], where the table has it.
type Places = [Option<usize>; RESULT_COLUMNS.len()];

/// How the rows of a table become results as `batch-issue` writes them, with the members that are read back: those of
/// the credential, and whether there is an error.
#[derive(Debug)]
struct OutcomePlan(Places);

impl RowPlan for OutcomePlan {
    fn write(&self, row: &StringRecord, out: &mut String) {
        out.push('{');
        for (name, place) in RESULT_COLUMNS.into_iter().zip(&self.0) {
            let text = place.and_then(|cell| row.get(cell)).unwrap_or_default();
            // An id of the user's own is any text, so nothing is trimmed from it.
            let text = if names_own_id(name) { without_apostrophe(text) } else { text.trim() };
            match name {
                _ if text.is_empty() => continue,
                "error_code" => out.push_str("\"error\":{}"),
                name => {
                    push_str_to(out, name);
                    out.push(':');
                    push_str_to(out, text);
                }
            }
            out.push(',');
        }
        if out.len() > 1 {
            out.pop();
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_known_by_their_first_line() {
        let outcomes = Outcomes { own_ids: false };
        for (content, format) in [
            ("", Format::Ndjson),
            ("[\"urn:uuid:1\"]", Format::Json),
            ("{\"index\":0,\"results\":", Format::Json),
            ("{ \"index\": 0, \"credential\": {}}\n{\"results\":[]}", Format::Ndjson),
            ("{\"failure_count\":0,\"results\":[{", Format::Json),
            ("{\"success_count\":1,\n\"results\"", Format::Json),
            ("{\n  \"other\"", Format::Json),
            ("index;ID;x", Format::Csv),
            ("\"index\",\"Credential ID\"\r\n", Format::Csv),
            ("a\tsigned_payload", Format::Csv),
            ("sep=,\nid", Format::Csv),
            ("subject_id,claims_jurisdiction", Format::Csv),
            ("id", Format::Ndjson),
            ("\"ID\",\n", Format::Ndjson),
            ("\"urn:uuid:1\"\n", Format::Ndjson),
            ("urn:uuid:1,Acme\n", Format::Ndjson),
            ("# id, and so on\nurn:uuid:1", Format::Ndjson),
            ("eyJh.e30.x\n", Format::Ndjson),
        ] {
            assert_eq!(outcomes.format_of(content.as_bytes()), format, "{content}");
        }
    }
}
