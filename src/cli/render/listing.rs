//! What the ledger knows, in the forms of `list` and `show`: credentials and events.

use super::table::{RowMembers, csv_header};
use crate::cli::shared_args::RowFormat;
use crate::cli::streams::{grouped, paint, printable};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};
use crate::ledger::{Credential, Event, EventHash, EventKind};
use crate::types::ATTESTATION_TYPE;

/// Something that `list` lists.
pub(crate) trait Listed {
    /// What the rows are, in the plural.
    const NOUN: &'static str;
    /// The columns, in order.
    const COLUMNS: &'static [&'static str];

    /// The row's members, in the order of the columns.
    fn members(&self) -> RowMembers<'_>;

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
            csv_header(T::COLUMNS, &mut out);
        }
        out
    }

    /// Writes a row.
    pub(crate) fn row<T: Listed>(&self, row: &T, out: &mut Vec<u8>) {
        match self.form {
            RowFormat::Ndjson => {
                row.members().write_json(b"", out);
                out.push(b'\n');
            }
            RowFormat::Csv => row.members().write_csv(T::COLUMNS, out),
            RowFormat::Text => {
                out.extend_from_slice(row.line(self.now, self.color).as_bytes());
                out.push(b'\n');
            }
        }
    }
}

/// The names are those of the credential resource where that has the field.
const CREDENTIAL_COLUMNS: [&str; 19] = [
    "id",
    "issuer_did",
    "status_list_index",
    "kid",
    "issued_at",
    "expires_at",
    "vct",
    "credential_type",
    ATTESTATION_TYPE,
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

    fn members(&self) -> RowMembers<'_> {
        let mut members = credential_members(self);
        members.word("cursor", self.cursor());
        members
    }

    /// Fits into 80 columns where no reason was given: the id is written without its `urn:uuid:`.
    fn line(&self, now: UnixTime, color: bool) -> String {
        let word = if has_expired(self, now) { "expired" } else { "until" };
        let CredentialStatus { status, since, reason, .. } = &self.current;
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

/// What is told of a credential wherever it is told.
fn credential_members(credential: &Credential) -> RowMembers<'_> {
    let (uris, index) = &credential.list;
    let terms = &credential.run.terms;
    let CredentialStatus { status, since, reason, .. } = &credential.current;
    let mut members = RowMembers::default();
    members
        .word("id", credential.id.urn().to_string())
        .text("issuer_did", Some(terms.issuer.as_str()))
        .number("status_list_index", u64::from(*index))
        .text("kid", Some(terms.kid.as_str()))
        .word("issued_at", credential.issued_at.to_string())
        .word("expires_at", credential.expires_at.to_string())
        .text("vct", Some(credential.run.of_type.vct.as_str()))
        .text("credential_type", Some(credential.run.of_type.credential_type.as_str()))
        .text(ATTESTATION_TYPE, credential.attestation_type.as_deref());
    for (of, at, why) in [
        (Status::Revoked, "revoked_at", "revocation_reason"),
        (Status::Suspended, "suspended_at", "suspension_reason"),
    ] {
        if *status == of {
            members.text(at, since.map(|time| time.to_string())).text(why, reason.as_deref());
        }
    }
    members
        .text("proof_format", Some(terms.proof_format.as_str()))
        .word("status", status.as_str())
        .text("status_list_uri", Some(uris.token.as_str()))
        .text("run", Some(credential.run.name.as_str()))
        .number("index", credential.index);
    members
}

const EVENT_COLUMNS: [&str; 9] = ["event", "at", "kind", "run", "id", "count", "reason", "sync", "hash"];

impl Listed for Event {
    const NOUN: &'static str = "events";
    const COLUMNS: &'static [&'static str] = &EVENT_COLUMNS;

    fn members(&self) -> RowMembers<'_> {
        let mut members = RowMembers::default();
        members
            .number("event", self.number.unsigned_abs())
            .word("at", self.at.to_string())
            .word("kind", self.kind.as_str())
            .text("run", Some(self.run.as_str()));
        if let Some(id) = self.id {
            members.word("id", id.urn().to_string());
        }
        members
            .number("count", self.count)
            .text("reason", self.reason.as_deref())
            .text("sync", self.cause.as_deref())
            .word("hash", hex(&self.hash));
        members
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
    let mut rest = format!(",\"expired\":{},\"events\":[", has_expired(credential, now)).into_bytes();
    for (position, event) in events.iter().enumerate() {
        if position > 0 {
            rest.push(b',');
        }
        life_members(event).write_json(b"", &mut rest);
    }
    rest.push(b']');
    let mut out = Vec::new();
    credential_members(credential).write_json(&rest, &mut out);
    out.push(b'\n');
    out
}

/// What a credential's own life tells of an event: not how many others it is about.
fn life_members(event: &Event) -> RowMembers<'_> {
    let mut members = RowMembers::default();
    members
        .number("event", event.number.unsigned_abs())
        .word("at", event.at.to_string())
        .word("kind", event.kind.as_str())
        .text("reason", event.reason.as_deref())
        .text("sync", event.cause.as_deref())
        .word("hash", hex(&event.hash));
    members
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
        ("type", type_in_words(credential)),
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

/// The type, and what is attested.
fn type_in_words(credential: &Credential) -> String {
    let name = &credential.run.of_type.credential_type;
    match &credential.attestation_type {
        Some(attested) => format!("{name}: {}", printable(attested)),
        None => name.clone(),
    }
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
