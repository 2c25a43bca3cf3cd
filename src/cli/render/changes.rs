//! Results of `revoke`, `suspend` and `reinstate`.

use uuid::Uuid;

use super::table::{RowMembers, csv_header};
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
    pub(crate) outcome: Result<StatusReached, (ErrorCode, String)>,
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
pub(crate) struct StatusReached {
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
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.format == RowFormat::Csv {
            csv_header(&COLUMNS, &mut out);
        }
        out
    }

    /// The rows, and where each ends.
    pub(crate) fn render(&self, rows: &[ChangeRow]) -> (Vec<u8>, Vec<(u64, usize)>) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
        for row in rows {
            match self.format {
                RowFormat::Ndjson => {
                    self.members(row).write_json(b"", &mut bytes);
                    bytes.push(b'\n');
                }
                RowFormat::Text => bytes.extend_from_slice(format!("{}\n", self.text(row)).as_bytes()),
                RowFormat::Csv => self.members(row).write_csv(&COLUMNS, &mut bytes),
            }
            ends.push((row.index, bytes.len()));
        }
        (bytes, ends)
    }

    /// A row's members. What a dry run would do is told in JSON only: the table's columns are those of a real run.
    fn members<'r>(&self, row: &'r ChangeRow) -> RowMembers<'r> {
        let mut members = RowMembers::default();
        members
            .number("index", row.index)
            .number("line", row.line)
            .text("correlation_id", row.own_id.correlation_id.as_deref())
            .text("subject_id", row.own_id.subject_id.as_deref());
        if let Some(id) = row.id {
            members.word("id", id.urn().to_string());
        }
        match &row.outcome {
            Ok(StatusReached { current, unchanged }) => {
                if self.dry_run && !unchanged && self.format == RowFormat::Ndjson {
                    members.word("dry_run", done(self.change, true).replace(' ', "_"));
                }
                members.word("status", current.status.as_str()).flag("unchanged", *unchanged);
                self.push_since(&mut members, current);
            }
            Err((code, message)) => {
                let mut error = RowMembers::default();
                error.word("code", code.as_str()).text("message", Some(message.as_str()));
                members.group("error", error);
            }
        }
        members
    }

    /// Since when and why. The table has one column for the reason, JSON calls it as the credential resource does.
    fn push_since<'r>(&self, members: &mut RowMembers<'r>, current: &'r CredentialStatus) {
        let (since, reason) = match current.status {
            Status::Suspended => ("suspended_at", "suspension_reason"),
            _ => ("revoked_at", "revocation_reason"),
        };
        let reason = if self.format == RowFormat::Csv { "reason" } else { reason };
        members
            .text(since, current.since.map(|time| time.to_string()))
            .text(reason, current.reason.as_deref());
    }

    fn text(&self, row: &ChangeRow) -> String {
        let name = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        let own_ids = [&row.own_id.correlation_id, &row.own_id.subject_id];
        let own_ids: String =
            own_ids.into_iter().flatten().map(|id| format!("  {}", printable(id))).collect();
        let line = row.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let place = format!("{:>5}{line}{own_ids}  {name}", row.index);
        match &row.outcome {
            Ok(StatusReached { unchanged: true, .. }) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;

    /// A member without a column would stop the test.
    #[test]
    fn every_row_has_every_column() {
        let row =
            |outcome| ChangeRow { index: 0, line: Some(2), own_id: OwnId::default(), id: None, outcome };
        let since = UnixTime::from_seconds(1_795_500_000);
        let of = |status, unchanged| {
            let current = CredentialStatus { status, since, reason: Some("r".to_owned()), cause: None };
            row(Ok(StatusReached { current, unchanged }))
        };
        let rows = [
            of(Status::Revoked, false),
            of(Status::Suspended, true),
            row(Ok(StatusReached::default())),
            row(Err((ErrorCode::StatusConflict, "m".into()))),
        ];
        for dry_run in [false, true] {
            let table = ChangeRows::new(RowFormat::Csv, Change::Revoke, dry_run, false);
            let (csv, ends) = table.render(&rows);
            assert_eq!(ends.len(), rows.len());
            let mut reader = ::csv::Reader::from_reader(&csv[..]);
            assert!(reader.records().all(|record| record.unwrap().len() == COLUMNS.len()));
        }
    }
}
