//! Results of `revoke`, `suspend` and `reinstate`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::csv::{harmless, write_record};
use crate::cli::shared_args::RowFormat;
use crate::cli::streams::{paint, printable};
use crate::credential::{CredentialStatus, Status};
use crate::ledger::Change;
use crate::request::{ErrorCode, Lookup};

/// What became of one credential.
pub(crate) struct ChangeRow {
    pub(crate) index: u64,
    pub(crate) line: Option<u64>,
    pub(crate) own_id: OwnId,
    /// The credential; none where its id cannot be read, or no credential was found.
    pub(crate) id: Option<Uuid>,
    pub(crate) outcome: Result<Done, (ErrorCode, String)>,
}

/// The ids of the user's own that a row stands for, where they are known.
#[derive(Debug, Default)]
pub(crate) struct OwnId {
    pub(crate) correlation_id: Option<String>,
    pub(crate) subject_id: Option<String>,
}

impl OwnId {
    /// Notes an id.
    pub(crate) fn set(&mut self, lookup: Lookup, text: &str) {
        let place = match lookup {
            Lookup::Subject => &mut self.subject_id,
            Lookup::CorrelationId => &mut self.correlation_id,
        };
        *place = Some(text.to_owned());
    }
}

/// A credential that has the wanted status.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) current: CredentialStatus,
    /// Whether it had it before.
    pub(crate) unchanged: bool,
}

/// The columns of the table, in order.
const COLUMNS: [&str; 12] = [
    "index",
    "line",
    "correlation_id",
    "subject_id",
    "id",
    "status",
    "unchanged",
    "revoked_at",
    "suspended_at",
    "reason",
    "error_code",
    "error_message",
];

/// Renders rows in one form.
pub(crate) struct ChangeRows {
    format: RowFormat,
    change: Change,
    dry_run: bool,
    color: bool,
}

impl ChangeRows {
    /// Rows of a change in this form.
    pub(crate) fn new(format: RowFormat, change: Change, dry_run: bool, color: bool) -> ChangeRows {
        ChangeRows { format, change, dry_run, color }
    }

    /// What stands before the first row.
    pub(crate) fn head(&self) -> String {
        match self.format {
            RowFormat::Csv => COLUMNS.join(",") + "\n",
            RowFormat::Ndjson | RowFormat::Text => String::new(),
        }
    }

    /// The rows, and where each ends.
    pub(crate) fn render(&self, rows: &[ChangeRow]) -> (Vec<u8>, Vec<(u64, usize)>) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
        for row in rows {
            match self.format {
                RowFormat::Ndjson => bytes.extend_from_slice(format!("{}\n", self.json(row)).as_bytes()),
                RowFormat::Text => bytes.extend_from_slice(format!("{}\n", self.text(row)).as_bytes()),
                RowFormat::Csv => write_record(&mut bytes, &cells(row)),
            }
            ends.push((row.index, bytes.len()));
        }
        (bytes, ends)
    }

    /// A row as JSON, its members in the order of `batch-issue`.
    fn json(&self, row: &ChangeRow) -> String {
        let mut members = vec![("index", Value::from(row.index))];
        members.extend(row.line.map(|line| ("line", line.into())));
        members.extend(row.own_id.correlation_id.as_deref().map(|id| ("correlation_id", id.into())));
        members.extend(row.own_id.subject_id.as_deref().map(|id| ("subject_id", id.into())));
        members.extend(row.id.map(|id| ("id", id.urn().to_string().into())));
        match &row.outcome {
            Ok(Done { current, unchanged }) => {
                let would = done(self.change, self.dry_run).replace(' ', "_");
                members.extend((self.dry_run && !unchanged).then_some(("dry_run", would.into())));
                members.extend(unchanged.then_some(("unchanged", true.into())));
                members.push(("status", current.status.as_str().into()));
                let (since, reason) = names(current.status);
                members.extend(current.since.map(|time| (since, time.to_string().into())));
                members.extend(current.reason.as_deref().map(|text| (reason, text.into())));
            }
            Err((code, message)) => {
                members.push(("error", json!({ "code": code.as_str(), "message": message })));
            }
        }
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn text(&self, row: &ChangeRow) -> String {
        let name = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        let own_ids = [&row.own_id.correlation_id, &row.own_id.subject_id];
        let own_ids: String =
            own_ids.into_iter().flatten().map(|id| format!("  {}", printable(id))).collect();
        let line = row.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let place = format!("{:>5}{line}{own_ids}  {name}", row.index);
        match &row.outcome {
            Ok(Done { unchanged: true, .. }) => {
                format!("{} {place}", paint(already(self.change), "33", self.color))
            }
            Ok(_) => format!("{} {place}", paint(done(self.change, self.dry_run), "32", self.color)),
            Err((code, message)) => {
                format!("{} {place}  {}: {message}", paint("failed", "31", self.color), code.as_str())
            }
        }
    }
}

/// What was done, or would be, in words.
pub(crate) fn done(change: Change, dry_run: bool) -> &'static str {
    match (change, dry_run) {
        (Change::Revoke, false) => "revoked",
        (Change::Revoke, true) => "would revoke",
        (Change::Suspend, false) => "suspended",
        (Change::Suspend, true) => "would suspend",
        (Change::Reinstate, false) => "reinstated",
        (Change::Reinstate, true) => "would reinstate",
    }
}

/// What is said of a credential that had the wanted status before.
pub(crate) fn already(change: Change) -> &'static str {
    match change {
        Change::Revoke => "already revoked",
        Change::Suspend => "already suspended",
        Change::Reinstate => "already active",
    }
}

/// What a status's time and reason are called, as in the credential resource.
pub(crate) fn names(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Suspended => ("suspended_at", "suspension_reason"),
        _ => ("revoked_at", "revocation_reason"),
    }
}

fn cells(row: &ChangeRow) -> Vec<String> {
    let mut cells = vec![
        row.index.to_string(),
        row.line.map(|line| line.to_string()).unwrap_or_default(),
        harmless(row.own_id.correlation_id.clone().unwrap_or_default()),
        harmless(row.own_id.subject_id.clone().unwrap_or_default()),
        row.id.map(|id| id.urn().to_string()).unwrap_or_default(),
    ];
    cells.extend(match &row.outcome {
        Ok(Done { current, unchanged }) => {
            let unchanged = if *unchanged { "true".to_owned() } else { String::new() };
            let since = current.since.map(|time| time.to_string()).unwrap_or_default();
            let (revoked, suspended) = match current.status {
                Status::Suspended => (String::new(), since),
                _ => (since, String::new()),
            };
            let reason = harmless(current.reason.clone().unwrap_or_default());
            let status = current.status.as_str().to_owned();
            [status, unchanged, revoked, suspended, reason, String::new(), String::new()]
        }
        Err((code, message)) => [
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            code.as_str().to_owned(),
            harmless(message.clone()),
        ],
    });
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_every_column() {
        let row = |outcome| ChangeRow { index: 0, line: None, own_id: OwnId::default(), id: None, outcome };
        assert_eq!(cells(&row(Ok(Done::default()))).len(), COLUMNS.len());
        assert_eq!(cells(&row(Err((ErrorCode::StatusConflict, "m".into())))).len(), COLUMNS.len());
    }
}
