//! What the ledger knows, in the forms of `list` and `show`: credentials and events.

use std::io::Write;

use super::csv;
use crate::cli::shared_args::RowFormat;
use crate::cli::streams::{grouped, paint, printable};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};
use crate::json;
use crate::ledger::{Credential, Event, EventHash, EventKind};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// None: left out of JSON, empty in CSV.
    Absent,
    Number(u64),
    Text(String),
}

impl Cell {
    fn of(text: Option<impl Into<String>>) -> Cell {
        text.map_or(Cell::Absent, |text| Cell::Text(text.into()))
    }
}

/// Something that `list` lists.
pub(crate) trait Listed {
    /// What the rows are, in the plural.
    const NOUN: &'static str;
    /// The names of a row's values, in order.
    const COLUMNS: &'static [&'static str];

    /// The values, one for each name.
    fn cells(&self) -> Vec<Cell>;

    /// The row as a line for people, without its end.
    fn line(&self, now: UnixTime, color: bool) -> String;

    /// The row in `--after`.
    fn cursor(&self) -> String;
}

/// Rows in one of the forms of `list`.
pub(crate) struct Listing {
    pub(crate) form: RowFormat,
    pub(crate) now: UnixTime,
    pub(crate) color: bool,
}

impl Listing {
    /// What stands before the first row.
    pub(crate) fn head<T: Listed>(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.form == RowFormat::Csv {
            csv::write_record(&mut out, T::COLUMNS);
        }
        out
    }

    /// Writes a row.
    pub(crate) fn row<T: Listed>(&self, row: &T, out: &mut Vec<u8>) {
        match self.form {
            RowFormat::Ndjson => {
                write_object(out, T::COLUMNS, &row.cells());
                out.push(b'\n');
            }
            RowFormat::Csv => {
                let text = |cell| match cell {
                    Cell::Absent => String::new(),
                    Cell::Number(number) => number.to_string(),
                    Cell::Text(text) => csv::harmless(text),
                };
                csv::write_record(out, &row.cells().into_iter().map(text).collect::<Vec<_>>());
            }
            RowFormat::Text => {
                out.extend_from_slice(row.line(self.now, self.color).as_bytes());
                out.push(b'\n');
            }
        }
    }
}

/// Writes a JSON object of the values that there are.
fn write_object(out: &mut Vec<u8>, names: &[&str], cells: &[Cell]) {
    let mut separator = b'{';
    for (name, cell) in names.iter().zip(cells).filter(|(_, cell)| **cell != Cell::Absent) {
        out.push(separator);
        json::push_str(out, name);
        out.push(b':');
        match cell {
            Cell::Absent => {}
            Cell::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Cell::Text(text) => json::push_str(out, text),
        }
        separator = b',';
    }
    out.push(b'}');
}

/// The names are those of the credential resource where that has the field.
const CREDENTIAL_COLUMNS: [&str; 17] = [
    "id",
    "issuer_did",
    "status_list_index",
    "kid",
    "issued_at",
    "expires_at",
    "vct",
    "revoked_at",
    "revocation_reason",
    "suspended_at",
    "suspension_reason",
    "proof_format",
    "status",
    "status_list_uri",
    "run",
    "index",
    "cursor",
];

impl Listed for Credential {
    const NOUN: &'static str = "credentials";
    const COLUMNS: &'static [&'static str] = &CREDENTIAL_COLUMNS;

    fn cells(&self) -> Vec<Cell> {
        let (uris, index) = &self.list;
        let terms = &self.run.terms;
        let CredentialStatus { status, since, reason } = &self.current;
        let since = |of: Status| Cell::of(since.filter(|_| *status == of).map(|time| time.to_string()));
        let reason = |of: Status| Cell::of(reason.clone().filter(|_| *status == of));
        let cells: [Cell; CREDENTIAL_COLUMNS.len()] = [
            Cell::Text(self.id.urn().to_string()),
            Cell::Text(terms.issuer.clone()),
            Cell::Number(u64::from(*index)),
            Cell::Text(terms.kid.clone()),
            Cell::Text(self.issued_at.to_string()),
            Cell::Text(self.expires_at.to_string()),
            Cell::Text(self.run.of_type.vct.clone()),
            since(Status::Revoked),
            reason(Status::Revoked),
            since(Status::Suspended),
            reason(Status::Suspended),
            Cell::Text(terms.proof_format.clone()),
            Cell::Text(status.as_str().to_owned()),
            Cell::Text(uris.token.clone()),
            Cell::Text(self.run.name.clone()),
            Cell::Number(self.index),
            Cell::Text(self.cursor()),
        ];
        cells.into()
    }

    /// Fits into 80 columns where no reason was given: the id is written without its `urn:uuid:`.
    fn line(&self, now: UnixTime, color: bool) -> String {
        let word = if has_expired(self, now) { "expired" } else { "until" };
        let CredentialStatus { status, since, reason } = &self.current;
        let since = since.map(|time| format!("  since {}", day(time))).unwrap_or_default();
        let reason = reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
        let padded = format!("{:<9}", status.as_str());
        format!(
            "{}  {}  {word:<7} {}{since}{reason}",
            painted(*status, &padded, color),
            self.id,
            day(self.expires_at)
        )
    }

    fn cursor(&self) -> String {
        self.place.to_string()
    }
}

const EVENT_COLUMNS: [&str; 8] = ["event", "at", "kind", "run", "id", "count", "reason", "hash"];

impl Listed for Event {
    const NOUN: &'static str = "events";
    const COLUMNS: &'static [&'static str] = &EVENT_COLUMNS;

    fn cells(&self) -> Vec<Cell> {
        let cells: [Cell; EVENT_COLUMNS.len()] = [
            Cell::Number(self.number.unsigned_abs()),
            Cell::Text(self.at.to_string()),
            Cell::Text(self.kind.as_str().to_owned()),
            Cell::Text(self.run.clone()),
            Cell::of(self.id.map(|id| id.urn().to_string())),
            Cell::Number(self.count),
            Cell::of(self.reason.clone()),
            Cell::Text(hex(&self.hash)),
        ];
        cells.into()
    }

    fn line(&self, _: UnixTime, _: bool) -> String {
        let what = match self.id {
            Some(id) => id.to_string(),
            None => format!("{} of run {}", grouped(self.count), printable(&self.run)),
        };
        let reason =
            self.reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
        format!("{:>6}  {}  {:<10}  {what}{reason}", self.number, self.at, self.kind.as_str())
    }

    fn cursor(&self) -> String {
        self.number.to_string()
    }
}

/// A credential's life as a JSON object: the values of `list` but its cursor, whether it has
/// expired, and its events.
pub(crate) fn life_as_json(credential: &Credential, events: &[Event], now: UnixTime) -> Vec<u8> {
    let mut out = Vec::new();
    write_object(&mut out, &CREDENTIAL_COLUMNS[..CREDENTIAL_COLUMNS.len() - 1], &credential.cells());
    out.pop();
    // A Vec takes every byte.
    let _ = write!(out, ",\"expired\":{},\"events\":[", has_expired(credential, now));
    for (position, event) in events.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_object(&mut out, &LIFE_COLUMNS, &life_cells(event));
    }
    out.extend_from_slice(b"]}\n");
    out
}

/// What a credential's own life tells of an event: not how many others it is about.
const LIFE_COLUMNS: [&str; 5] = ["event", "at", "kind", "reason", "hash"];

fn life_cells(event: &Event) -> [Cell; LIFE_COLUMNS.len()] {
    [
        Cell::Number(event.number.unsigned_abs()),
        Cell::Text(event.at.to_string()),
        Cell::Text(event.kind.as_str().to_owned()),
        Cell::of(event.reason.clone()),
        Cell::Text(hex(&event.hash)),
    ]
}

/// A credential's life for people.
pub(crate) fn life_as_text(credential: &Credential, events: &[Event], now: UnixTime, color: bool) -> String {
    let (uris, index) = &credential.list;
    let terms = &credential.run.terms;
    let status = credential.current.status;
    let expired = if has_expired(credential, now) { " (expired)" } else { "" };
    let mut text = String::new();
    for (name, value) in [
        ("id", credential.id.urn().to_string()),
        ("status", painted(status, status.as_str(), color)),
        ("issued", credential.issued_at.to_string()),
        ("expires", format!("{}{expired}", credential.expires_at)),
        ("issuer", printable(&terms.issuer)),
        ("kid", printable(&terms.kid)),
        ("vct", printable(&credential.run.of_type.vct)),
        ("proof format", terms.proof_format.clone()),
        ("run", format!("{}, item {}", printable(&credential.run.name), credential.index)),
        ("status list", format!("{}, index {index}", printable(&uris.token))),
    ] {
        text.push_str(&format!("{name:<12}  {value}\n"));
    }
    text.push('\n');
    let (before, after) = events.split_at(known_at_expiry(credential, events));
    before.iter().for_each(|event| text.push_str(&life_line(event)));
    if has_expired(credential, now) {
        text.push_str(&format!("{}  expired\n", credential.expires_at));
    }
    after.iter().for_each(|event| text.push_str(&life_line(event)));
    text
}

/// How many events stand before the credential's expiry. Its issuance always does, even of one
/// that was issued as of another time and had expired by then.
fn known_at_expiry(credential: &Credential, events: &[Event]) -> usize {
    let before = |event: &&Event| event.kind == EventKind::Issued || event.at < credential.expires_at;
    events.iter().take_while(before).count()
}

fn life_line(event: &Event) -> String {
    let reason = event.reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
    format!("{}  {}{reason}\n", event.at, event.kind.as_str())
}

/// The time in `exp` is the first at which a credential must not be accepted (RFC 7519 section
/// 4.1.4).
fn has_expired(credential: &Credential, now: UnixTime) -> bool {
    credential.expires_at <= now
}

fn painted(status: Status, text: &str, color: bool) -> String {
    let style = match status {
        Status::Active => "32",
        Status::Suspended => "33",
        Status::Revoked => "31",
    };
    paint(text, style, color)
}

/// The day of a time, in UTC.
fn day(time: UnixTime) -> String {
    time.to_string().chars().take("0000-00-00".len()).collect()
}

/// The hash of an event as hex digits.
pub(crate) fn hex(hash: &EventHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
