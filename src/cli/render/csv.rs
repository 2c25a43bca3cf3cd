//! `csv`: a header row, then one result a row.

use super::Form;
use crate::batch::{Outcome, Render, Row};
use crate::credential::Resource;
use crate::request::Rejection;
use crate::source::is_formula;

pub(super) struct Table;

/// The columns, in order.
const COLUMNS: [&str; 19] = [
    "index",
    "line",
    "correlation_id",
    "id",
    "issuer_did",
    "status_list_index",
    "status_list_uri",
    "kid",
    "issued_at",
    "expires_at",
    "vct",
    "credential_type",
    "proof_format",
    "alg",
    "status",
    "signed_payload",
    "error_code",
    "error_message",
    "error_paths",
];

/// How many of them say which item it is.
const PLACE_COLUMNS: usize = 3;
/// Where `status` stands.
const STATUS: usize = 14;

impl Render for Table {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        let correlation_id =
            row.correlation_id.and_then(|json| serde_json::from_str::<String>(json).ok()).unwrap_or_default();
        let mut cells = vec![
            row.index.to_string(),
            row.line.map(|line| line.to_string()).unwrap_or_default(),
            harmless(correlation_id),
        ];
        match &row.outcome {
            Outcome::Issued(resource) => cells.extend(issued_cells(resource)),
            Outcome::WouldIssue { replay } => cells.extend(preview_cells(*replay)),
            Outcome::Rejected(rejection) => cells.extend(rejected_cells(rejection)),
        }
        write_record(out, &cells);
    }
}

impl Form for Table {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_record(&mut out, &COLUMNS);
        out
    }
}

fn issued_cells(resource: &Resource<'_>) -> Vec<String> {
    let Resource { profile, draft, grant, token } = resource;
    let credential_type = draft.credential_type();
    let (index, list) = match &grant.status {
        Some((uris, index)) => (index.to_string(), uris.token.clone()),
        None => Default::default(),
    };
    vec![
        grant.id.urn().to_string(),
        profile.issuer.clone(),
        index,
        list,
        profile.kid.clone(),
        grant.issued_at.to_string(),
        grant.expires_at.to_string(),
        profile.of_type(credential_type).vct.clone(),
        credential_type.name.to_owned(),
        profile.proof_format.as_str().to_owned(),
        "ES256".to_owned(),
        grant.current.status.as_str().to_owned(),
        String::from_utf8_lossy(token).into_owned(),
        String::new(),
        String::new(),
        String::new(),
    ]
}

/// Nothing but the status, which says what would happen.
fn preview_cells(replay: bool) -> Vec<String> {
    let mut cells = vec![String::new(); COLUMNS.len() - PLACE_COLUMNS];
    cells[STATUS - PLACE_COLUMNS] = if replay { "would_replay" } else { "would_issue" }.to_owned();
    cells
}

fn rejected_cells(rejection: &Rejection) -> Vec<String> {
    let paths: Vec<_> = rejection.details.iter().map(|detail| detail.path.as_str()).collect();
    let mut cells = vec![String::new(); 13];
    cells.push(rejection.code.as_str().to_owned());
    cells.push(harmless(rejection.message.clone()));
    cells.push(paths.join(" "));
    cells
}

/// Text that no spreadsheet runs as a formula: an apostrophe is put before what would be one, and
/// before what has an apostrophe there already, so that reading can take exactly one off.
pub(crate) fn harmless(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

pub(crate) fn write_record<S: AsRef<[u8]>>(out: &mut Vec<u8>, cells: &[S]) {
    let mut writer = ::csv::WriterBuilder::new().from_writer(out);
    // A Vec takes every byte, and all records have the same length.
    let _ = writer.write_record(cells);
    let _ = writer.flush();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Rejection;

    #[test]
    fn every_row_has_every_column() {
        let rejection = Rejection::malformed("m");
        assert_eq!(PLACE_COLUMNS + rejected_cells(&rejection).len(), COLUMNS.len());
        assert_eq!(PLACE_COLUMNS + preview_cells(true).len(), COLUMNS.len());
        assert_eq!(COLUMNS[STATUS], "status");
    }

    #[test]
    fn formulas_are_disarmed() {
        for text in ["=1+1", "+1", "-1", "@SUM", "\tx", "\rx", "\n=1", "＝1+1", "＋1", "－1", "＠SUM"] {
            assert_eq!(harmless(text.into()), format!("'{text}"));
        }
        assert_eq!(harmless("a=b".into()), "a=b");
        for text in ["-5", "'-5", "＝1", "'＝1", "\n", "'\n", "''=1", "a", "'a", "'", "''", "", "\t'"] {
            assert_eq!(crate::source::without_apostrophe(&harmless(text.into())), text);
        }
    }
}
