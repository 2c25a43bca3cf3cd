//! CSV tables that `batch-issue` wrote: their rows are items, too, each of which is issued anew.
//!
//! Such a table is known by its column of tokens. A row becomes the JSON of a result, so that the same is made of it and
//! read in it as in NDJSON. Nothing in the settings gives its cells another meaning; a column of the user's own beside
//! them must be in `csv.ignore`, as in any other file.

use csv::StringRecord;

use super::Items;
use super::bind::{ERROR_RECORD, is_error_column};
use crate::json::push_str_to;
use crate::source::columns::{normal, shown};
use crate::source::damage::without_apostrophe;
use crate::source::dialect::{Binding, RowPlan};
use crate::source::error::InputFault;

/// Where a column of results belongs in a result, and what its cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belongs {
    /// To the row: text of the user's own.
    ToRow,
    /// To the row, which has it in no other form.
    Nowhere,
    /// To the credential: a text of this program.
    ToCredential,
    /// To the credential: text of the user's own.
    ToCredentialAsText,
    /// To the credential: a number.
    ToCredentialAsNumber,
}

use Belongs::{Nowhere, ToCredential, ToCredentialAsNumber, ToCredentialAsText, ToRow};

/// The columns of results, but for those of errors.
const COLUMNS: [(&str, Belongs); 24] = [
    ("index", Nowhere),
    ("line", Nowhere),
    (ACTION, Nowhere),
    ("former", Nowhere),
    ("correlation_id", ToRow),
    ("subject_id", ToRow),
    ("name", ToRow),
    ("id", ToCredential),
    ("credential_id", ToCredential),
    ("issuer_did", ToCredential),
    ("status_list_index", ToCredentialAsNumber),
    ("status_list_uri", ToCredential),
    ("kid", ToCredential),
    ("issued_at", ToCredential),
    ("expires_at", ToCredential),
    ("vct", ToCredential),
    ("revoked_at", ToCredential),
    ("revocation_reason", ToCredentialAsText),
    ("credential_type", ToCredential),
    ("attestation_type", ToCredentialAsText),
    ("proof_format", ToCredential),
    ("alg", ToCredential),
    (STATUS, ToCredential),
    (TOKEN, ToCredential),
];

/// The column by which a table of results is known.
const TOKEN: &str = "signed_payload";
const STATUS: &str = "status";
const ACTION: &str = "action";
const CORRELATION_ID: &str = "correlation_id";

/// Whether this is the name of the column by which a table of results is known.
pub(super) fn is_token(name: &str) -> bool {
    normal(name) == normal(TOKEN)
}

fn column(name: &str) -> Option<(&'static str, Belongs)> {
    let name = normal(name);
    COLUMNS.into_iter().find(|(known, _)| normal(known) == name)
}

impl Items {
    /// Whether a header is one of results. A column that the settings map or ignore does not make it one.
    pub(super) fn is_results_table(&self, header: &StringRecord) -> bool {
        let is_ours = |name: &str| self.mapping.fields_of(name).is_none() && !self.mapping.ignores(name);
        header.iter().any(|name| is_token(name) && is_ours(name))
    }

    /// Binds the header of a table of results, which stands on this physical line.
    pub(super) fn bind_results(&self, header: &StringRecord, line: u64) -> Result<Binding, InputFault> {
        let refuse = |problem: String| Err(InputFault::Header { line, problem });
        if !self.mapping.set.is_empty() {
            return refuse(
                "--set adds a column to results, whose credentials say everything themselves".to_owned(),
            );
        }
        let mut cells: Vec<ResultCell> = Vec::new();
        for (cell, name) in header.iter().enumerate().filter(|(_, name)| !name.trim().is_empty()) {
            match column(name) {
                Some((name, belongs)) => {
                    if let Some(first) = cells.iter().find(|other| other.name == name) {
                        let [first, second] = [first.cell, cell].map(|cell| (shown(&header[cell]), cell + 1));
                        return Err(InputFault::DuplicateColumn { first, second });
                    }
                    cells.push(ResultCell { cell, name, belongs });
                }
                None if self.is_skipped(name) => {}
                None => {
                    return refuse(format!(
                        "column '{}' ({}) is not one of results; remove it, or name it in `csv.ignore`",
                        shown(name),
                        cell + 1
                    ));
                }
            }
        }
        let is_named = |cell: &usize| !header[*cell].trim().is_empty();
        Ok(Binding {
            named: (0..header.len()).rfind(is_named).map_or(0, |last| last + 1),
            unnamed: (0..header.len()).filter(|cell| !is_named(cell)).collect(),
            correlation_id: cells.iter().find(|cell| cell.name == CORRELATION_ID).map(|cell| cell.cell),
            errors: (0..header.len()).filter(|cell| is_error_column(&header[*cell])).collect(),
            record: header.iter().position(|name| normal(name) == normal(ERROR_RECORD)),
            key: None,
            readings: Vec::new(),
            plan: Box::new(ResultPlan(cells)),
        })
    }
}

/// A column of the table at hand.
#[derive(Debug)]
struct ResultCell {
    cell: usize,
    name: &'static str,
    belongs: Belongs,
}

/// How the rows of a table of results become results as NDJSON has them.
#[derive(Debug)]
struct ResultPlan(Vec<ResultCell>);

impl ResultPlan {
    fn text<'r>(&self, row: &'r StringRecord, name: &str) -> &'r str {
        let cell = self.0.iter().find(|cell| cell.name == name).map(|cell| cell.cell);
        cell.and_then(|cell| row.get(cell)).unwrap_or_default().trim()
    }

    /// Appends the members that belong there, each with a comma behind it.
    fn push_members(&self, row: &StringRecord, belongs: impl Fn(Belongs) -> bool, out: &mut String) {
        for column in self.0.iter().filter(|column| belongs(column.belongs)) {
            let text = row.get(column.cell).unwrap_or_default();
            let text = match column.belongs {
                // Text of the user's own is any text, so nothing is trimmed from it.
                ToRow | ToCredentialAsText => without_apostrophe(text),
                Nowhere | ToCredential | ToCredentialAsNumber => text.trim(),
            };
            if text.is_empty() {
                continue;
            }
            push_str_to(out, column.name);
            out.push(':');
            match column.belongs {
                ToCredentialAsNumber
                    if text.parse::<u64>().is_ok_and(|number| number.to_string() == text) =>
                {
                    out.push_str(text);
                }
                _ => push_str_to(out, text),
            }
            out.push(',');
        }
    }
}

impl RowPlan for ResultPlan {
    fn write(&self, row: &StringRecord, out: &mut String) {
        out.push('{');
        self.push_members(row, |belongs| belongs == ToRow, out);
        if self.text(row, TOKEN).is_empty() {
            // What is left to be said is what the row is instead.
            out.push_str(match self.text(row, STATUS) {
                status if status.starts_with("would_") => "\"dry_run\":true}",
                _ if !self.text(row, ACTION).is_empty() => "\"action\":true}",
                _ => "\"index\":null,\"error\":{}}",
            });
            return;
        }
        out.push_str("\"credential\":{");
        self.push_members(row, |belongs| !matches!(belongs, ToRow | Nowhere), out);
        out.pop(); // the comma behind the last member: there is a token
        out.push_str("}}");
    }

    /// What a credential says stands in its token, whatever else has columns.
    fn cell_at(&self, _: &StringRecord, pointer: &str) -> Option<usize> {
        let name = match pointer.strip_prefix("/credential/") {
            Some(member) if self.0.iter().any(|cell| cell.name == member) => member,
            Some(_) => TOKEN,
            None => pointer.strip_prefix('/')?,
        };
        self.0.iter().find(|cell| cell.name == name).map(|cell| cell.cell)
    }

    fn is_identifier(&self, cell: usize) -> bool {
        self.0.iter().any(|column| column.cell == cell && column.name != "name")
    }
}
