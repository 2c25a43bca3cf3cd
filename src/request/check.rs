//! The validator: an item's text in, a [`Draft`] or a [`Rejection`] out.
//!
//! It walks the item and the table of [`fields`](super::fields) together, and notes every
//! violation with its JSON Pointer before it judges. Nothing is changed on the way: what the
//! draft holds is the item's own text.

use std::borrow::Cow;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::draft::{ContentHash, Draft, Piece};
use super::fields::{self, Field, Object};
use super::rejection::{Detail, DetailCode, Rejection};
use super::rules::{self, CalendarDuration, DurationProblem};
use crate::clock::UnixTime;
use crate::json::{self, Document, FaultKind, Kind, Parser, SyntaxProblem, Value};
use crate::keys;

/// What a run lays down for all its items.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Whether unknown fields of `subject` and `claims` are carried through.
    pub allow_unknown: bool,
    /// The life of a credential whose item says nothing.
    pub default_ttl: CalendarDuration,
    /// The ledger's key for content hashes.
    pub hash_key: [u8; 32],
}

/// An item after the check.
#[derive(Debug)]
pub struct Checked {
    /// `correlation_id`, a string with its quotes; empty text where the item has none, or none
    /// that could be read.
    pub correlation_id: Piece,
    /// The draft, or why there is none.
    pub outcome: Result<Draft, Box<Rejection>>,
    /// What is lawful and yet deserves a look.
    pub warnings: Vec<Warning>,
}

impl Checked {
    /// An item that cannot be read as one; its `correlation_id` may be known all the same.
    pub fn unreadable(message: String, correlation_id: Option<&str>, buffer: &mut Vec<u8>) -> Checked {
        let write = |out: &mut Vec<u8>| correlation_id.into_iter().for_each(|id| json::push_str(out, id));
        Checked {
            correlation_id: Piece::append(buffer, write),
            outcome: Err(Box::new(Rejection::malformed(message))),
            warnings: Vec::new(),
        }
    }
}

/// Something lawful that deserves a look.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Warning {
    /// A credential that lives for more than two years.
    #[error("the credential lives for more than two years, until {0}")]
    LongLife(UnixTime),
    /// Direct shares of more than 100 percent in all.
    #[error("the owners' direct shares add up to {0}, more than 100 percent")]
    SharesOver100(f64),
    /// A correlation id that was there a short while ago.
    #[error("the correlation_id was used before, by item {0}")]
    RepeatedCorrelationId(u64),
}

/// Checks items one after the other. Each worker has its own, for its buffers.
#[derive(Debug)]
pub struct Checker {
    rules: Rules,
    parser: Parser,
    /// The last duration read and what it came to: most items of a batch have the same.
    last_ttl: Option<(String, UnixTime, Result<UnixTime, DurationProblem>)>,
}

impl Checker {
    /// A checker for a run with these rules.
    pub fn new(rules: Rules) -> Checker {
        Checker { rules, parser: Parser::default(), last_ttl: None }
    }

    /// Checks one item, to be issued at `issued_at`, and appends its pieces to `buffer`.
    /// `unterminated` says that the file ended before the item's line did.
    pub fn check(
        &mut self,
        text: &str,
        unterminated: bool,
        issued_at: UnixTime,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        // The parser is lent to the document, and the rest of the checker is needed beside it.
        let mut parser = std::mem::take(&mut self.parser);
        let checked = match parser.parse(text) {
            Ok(document) => self.check_document(document, issued_at, buffer),
            Err(error) => {
                let cut = unterminated && error.problem == SyntaxProblem::UnexpectedEnd;
                let hint = if cut { "; the file may be truncated" } else { "" };
                Checked::unreadable(format!("{error}{hint}"), None, buffer)
            }
        };
        self.parser = parser;
        checked
    }

    fn check_document(
        &mut self,
        document: Document<'_>,
        issued_at: UnixTime,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        let item = document.root();
        if item.kind() != Kind::Object {
            let message = format!("expected an item, which is a JSON object; found {}", item.kind());
            return Checked::unreadable(message, None, buffer);
        }
        let bare = is_bare(item);
        let mut findings = Findings::new(self.rules.allow_unknown, issued_at);
        findings.note_faults(document);
        let table = if bare { &fields::BARE_ITEM } else { &fields::ITEM };
        findings.check_object(item, table, &Place::Root);

        let request = if bare { Some(item) } else { item.member("request") };
        let ttl = request.and_then(|request| request.member("ttl")).and_then(Value::as_str);
        let expires_at = self.expiry(ttl.as_deref(), issued_at, &mut findings, bare);

        let readable_id = item.member("correlation_id").filter(|id| id.kind() == Kind::String);
        let correlation_id =
            Piece::append(buffer, |out| readable_id.into_iter().for_each(|id| id.write_compact(out)));
        let outcome = match (request, expires_at) {
            (Some(request), Some(expires_at)) if findings.violations.is_empty() => self
                .draft(request, correlation_id, issued_at, expires_at, buffer)
                .ok_or_else(|| Box::new(Rejection::of_details(Vec::new()))),
            _ => Err(Box::new(Rejection::of_details(findings.violations))),
        };
        Checked { correlation_id, outcome, warnings: findings.warnings }
    }

    /// When the credential expires; notes what is wrong with the duration.
    fn expiry(
        &mut self,
        ttl: Option<&str>,
        issued_at: UnixTime,
        findings: &mut Findings,
        bare: bool,
    ) -> Option<UnixTime> {
        let expires_at = match ttl {
            None => self.rules.default_ttl.after(issued_at),
            Some(text) => self.read_ttl(text, issued_at),
        };
        match expires_at {
            Ok(end) => {
                if rules::is_beyond_two_years(issued_at, end) {
                    findings.warnings.push(Warning::LongLife(end));
                }
                Some(end)
            }
            Err(problem) => {
                let (request, place);
                let place = match bare {
                    true => &Place::Name(&Place::Root, "ttl"),
                    false => {
                        request = Place::Name(&Place::Root, "request");
                        place = Place::Name(&request, "ttl");
                        &place
                    }
                };
                let code = match problem {
                    DurationProblem::Form => DetailCode::InvalidFormat,
                    DurationProblem::Zero | DurationProblem::TooLong => DetailCode::OutOfRange,
                };
                let found = ttl.map(|text| format!("found {}; ", quote(text))).unwrap_or_default();
                findings.violation(place, code, format!("{found}{problem}"));
                None
            }
        }
    }

    fn read_ttl(&mut self, text: &str, issued_at: UnixTime) -> Result<UnixTime, DurationProblem> {
        match &self.last_ttl {
            Some((last, at, end)) if last == text && *at == issued_at => *end,
            _ => {
                let end = CalendarDuration::parse(text).and_then(|duration| duration.after(issued_at));
                self.last_ttl = Some((text.to_owned(), issued_at, end));
                end
            }
        }
    }

    /// Copies a request without violations into its pieces. `None` cannot happen for one whose
    /// required fields were checked.
    fn draft(
        &self,
        request: Value<'_>,
        correlation_id: Piece,
        issued_at: UnixTime,
        expires_at: UnixTime,
        buffer: &mut Vec<u8>,
    ) -> Option<Draft> {
        let subject = request.member("subject")?;
        let subject_id = subject.member("id")?;
        let claims = request.member("claims")?;
        let optional = |name: &str, buffer: &mut Vec<u8>| {
            Piece::append(buffer, |out| {
                request.member(name).into_iter().for_each(|value| value.write_compact(out))
            })
        };
        let mut draft = Draft {
            subject: Piece::append(buffer, |out| subject.write_compact(out)),
            subject_id: Piece::append(buffer, |out| subject_id.write_compact(out)),
            subject_members: Piece::append(buffer, |out| write_members_but_id(subject, out)),
            subject_id_is_uri: subject_id.as_str().is_some_and(|id| rules::is_uri(&id)),
            claims: Piece::append(buffer, |out| claims.write_compact(out)),
            evidence_refs: optional("evidence_refs", buffer),
            cnf: optional("cnf", buffer),
            issued_at,
            expires_at,
            content_hash: ContentHash::default(),
        };
        let ttl = request.member("ttl").map(Value::text).unwrap_or_default();
        draft.content_hash = self.content_hash(&draft, correlation_id, ttl, buffer);
        Some(draft)
    }

    /// The hash by which a changed item is told from a repeated one. It is keyed, so that nobody
    /// can try out requests against a ledger's hashes without the ledger's key.
    fn content_hash(&self, draft: &Draft, correlation_id: Piece, ttl: &str, buffer: &[u8]) -> ContentHash {
        let mut hash = Sha256::new_with_prefix(self.rules.hash_key);
        for piece in [correlation_id, draft.subject, draft.claims, draft.evidence_refs, draft.cnf] {
            hash.update(piece.of(buffer));
            hash.update([0]); // no JSON text holds a NUL, so pieces cannot run into each other
        }
        hash.update(ttl);
        let mut short = ContentHash::default();
        short.copy_from_slice(&hash.finalize()[..16]);
        short
    }
}

/// Whether an item is a request without the envelope around it.
fn is_bare(item: Value<'_>) -> bool {
    item.member("request").is_none() && item.members().any(|(name, _)| fields::REQUEST.field(&name).is_some())
}

fn write_members_but_id(subject: Value<'_>, out: &mut Vec<u8>) {
    for (name, value) in subject.members().filter(|(name, _)| name != "id") {
        out.push(b',');
        json::push_str(out, &name);
        out.push(b':');
        value.write_compact(out);
    }
}

/// A place in the item, as a chain up to its root.
enum Place<'p> {
    Root,
    Name(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.push_to(&mut pointer);
        pointer
    }

    fn push_to(&self, pointer: &mut String) {
        match self {
            Place::Root => {}
            Place::Name(parent, name) => {
                parent.push_to(pointer);
                pointer.push('/');
                json::push_pointer_segment(pointer, name);
            }
            Place::Index(parent, index) => {
                parent.push_to(pointer);
                let _ = write!(pointer, "/{index}");
            }
        }
    }
}

/// What the walk over an item has found.
struct Findings {
    allow_unknown: bool,
    issued_at: UnixTime,
    violations: Vec<Detail>,
    warnings: Vec<Warning>,
}

impl Findings {
    fn new(allow_unknown: bool, issued_at: UnixTime) -> Findings {
        Findings { allow_unknown, issued_at, violations: Vec::new(), warnings: Vec::new() }
    }

    fn violation(&mut self, place: &Place<'_>, code: DetailCode, message: impl Into<String>) {
        self.violations.push(Detail { path: place.pointer(), code, message: message.into() });
    }

    fn note_faults(&mut self, document: Document<'_>) {
        for &fault in document.faults() {
            let code = match fault.kind {
                FaultKind::DuplicateKey => DetailCode::DuplicateKey,
                FaultKind::Nul | FaultKind::LoneSurrogate => DetailCode::InvalidCharacter,
            };
            self.violations.push(Detail {
                path: document.pointer(fault),
                code,
                message: fault.kind.to_string(),
            });
        }
    }

    fn check_object(&mut self, value: Value<'_>, object: &'static Object, place: &Place<'_>) {
        let mut seen = 0u32;
        let mut count = 0;
        for (name, member) in value.members() {
            count += 1;
            let place = Place::Name(place, &name);
            match object.fields.iter().position(|field| field.name == name) {
                Some(position) => {
                    seen |= 1 << position;
                    self.check_field(member, &object.fields[position], &place);
                }
                None => self.check_unknown(&name, member, object, &place),
            }
        }
        for (position, field) in object.fields.iter().enumerate() {
            if field.required && seen & (1 << position) == 0 {
                let place = Place::Name(place, field.name);
                self.violation(
                    &place,
                    DetailCode::Missing,
                    format!("missing; expected {}", expectation(field)),
                );
            }
        }
        if count < object.min_members {
            self.violation(place, DetailCode::Empty, "found an empty object; expected at least one claim");
        }
    }

    fn check_field(&mut self, value: Value<'_>, field: &'static Field, place: &Place<'_>) {
        match &field.kind {
            fields::Kind::Ignored => {}
            fields::Kind::Attestation => self.check_attestation(value, place),
            fields::Kind::Boolean if matches!(value.kind(), Kind::Boolean(_)) => {}
            fields::Kind::Percent if value.kind() == Kind::Number => self.check_percent(value, field, place),
            fields::Kind::Object(object) if value.kind() == Kind::Object => {
                self.check_object(value, object, place)
            }
            fields::Kind::PublicJwk if value.kind() == Kind::Object => self.check_jwk(value, place),
            fields::Kind::Array { of, max } if value.kind() == Kind::Array => {
                self.check_array(value, of, *max, place);
            }
            _ => match value.as_str() {
                Some(text) if is_text(&field.kind) => self.check_text(&text, field, place),
                _ => self.wrong_type(value, field, place),
            },
        }
    }

    fn wrong_type(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        let code = DetailCode::WrongType;
        self.violation(
            place,
            code,
            format!("found {}; expected {}", found(value, field), expectation(field)),
        );
    }

    fn check_attestation(&mut self, value: Value<'_>, place: &Place<'_>) {
        if value.kind() != Kind::Boolean(true) {
            let message = format!("found {}; expected true", preview(value));
            self.violation(place, DetailCode::NotTrue, message);
        }
    }

    fn check_percent(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        if rules::percent(value.text()).is_none() {
            let message = format!("found {}; expected {}", preview(value), expectation(field));
            self.violation(place, DetailCode::OutOfRange, message);
        }
    }

    fn check_jwk(&mut self, value: Value<'_>, place: &Place<'_>) {
        self.refuse_reserved_inside(value, place);
        let Ok(serde_json::Value::Object(members)) = serde_json::from_str(value.text()) else { return };
        if let Err(problem) = keys::check_public_jwk(&members) {
            self.violation(place, DetailCode::InvalidKey, problem.to_string());
        }
    }

    fn check_array(&mut self, value: Value<'_>, of: &'static Field, max: Option<usize>, place: &Place<'_>) {
        let mut count = 0;
        for (index, element) in value.elements().enumerate() {
            count += 1;
            if max.is_none_or(|max| count <= max) {
                self.check_field(element, of, &Place::Index(place, index));
            }
        }
        if let Some(max) = max.filter(|&max| count > max) {
            let message = format!("found {count} elements; expected at most {max}");
            self.violation(place, DetailCode::TooMany, message);
        }
        if of.name == fields::OWNER_NAME {
            self.warn_of_shares(value);
        }
    }

    fn warn_of_shares(&mut self, owners: Value<'_>) {
        let share = |owner: Value<'_>| {
            owner.member("ownership_percent").and_then(|value| rules::percent(value.text()))
        };
        let sum: f64 = owners.elements().filter_map(share).sum();
        // Thirds written as decimals add up to a hair more than 100.
        if sum > 100.0 + 1e-9 {
            self.warnings.push(Warning::SharesOver100(sum));
        }
    }

    fn check_text(&mut self, text: &str, field: &Field, place: &Place<'_>) {
        let found = || if field.personal { String::new() } else { format!("found {}; ", quote(text)) };
        match &field.kind {
            fields::Kind::Text { min, max } => self.check_length(text, *min, *max, place),
            fields::Kind::CredentialType if text != fields::CREDENTIAL_TYPE => {
                let message = format!("{}expected {}", found(), expectation(field));
                self.violation(place, DetailCode::UnsupportedType, message);
            }
            fields::Kind::Word(words) if !words.contains(&text) => {
                let message = format!("{}expected {}", found(), expectation(field));
                self.violation(place, DetailCode::UnknownCode, message);
            }
            fields::Kind::Country => {
                if let Some(problem) = rules::country_problem(text) {
                    self.violation(place, DetailCode::UnknownCode, found() + &problem);
                }
            }
            fields::Kind::Jurisdiction => {
                if let Some(problem) = rules::jurisdiction_problem(text) {
                    self.violation(place, DetailCode::UnknownCode, found() + &problem);
                }
            }
            fields::Kind::PastDateTime => {
                let now = crate::clock::system_now().max(self.issued_at).timestamp();
                if let Some(problem) = rules::past_date_time_problem(text, now) {
                    self.violation(place, DetailCode::InvalidFormat, found() + problem);
                }
            }
            _ => {} // a duration is judged once the time of issue is known: Checker::expiry
        }
    }

    fn check_length(&mut self, text: &str, min: usize, max: Option<usize>, place: &Place<'_>) {
        if text.len() < min {
            self.violation(place, DetailCode::Empty, "found an empty string; expected text");
        }
        // There are at most as many characters as bytes, so most texts need no counting.
        if let Some(max) = max.filter(|&max| text.len() > max) {
            let count = text.chars().count();
            if count > max {
                let message = format!("found {count} characters; expected at most {max}");
                self.violation(place, DetailCode::TooLong, message);
            }
        }
    }

    fn check_unknown(&mut self, name: &str, value: Value<'_>, object: &'static Object, place: &Place<'_>) {
        if fields::is_reserved(name) || object.reserved.contains(&name) {
            let message = "the name has a meaning of its own in a credential; expected another name";
            self.violation(place, DetailCode::ReservedName, message);
        } else if self.allow_unknown && object.extensible {
            self.refuse_reserved_inside(value, place);
        } else {
            self.violation(place, DetailCode::UnknownField, unknown_field(name, object));
        }
    }

    /// Refuses names that no claim may have, at any depth of a value that is carried through.
    fn refuse_reserved_inside(&mut self, value: Value<'_>, place: &Place<'_>) {
        for (name, member) in value.members() {
            let place = Place::Name(place, &name);
            if fields::is_reserved(&name) {
                let message = "the name has a meaning of its own in a credential; expected another name";
                self.violation(&place, DetailCode::ReservedName, message);
            }
            self.refuse_reserved_inside(member, &place);
        }
        for (index, element) in value.elements().enumerate() {
            self.refuse_reserved_inside(element, &Place::Index(place, index));
        }
        if value.kind() == Kind::Number && value.text().parse::<f64>().is_ok_and(f64::is_infinite) {
            self.violation(place, DetailCode::OutOfRange, "the number is beyond what a double can hold");
        }
    }
}

fn is_text(kind: &fields::Kind) -> bool {
    use fields::Kind::*;
    matches!(kind, CredentialType | Text { .. } | Word(_) | Country | Jurisdiction | PastDateTime | Duration)
}

/// What a field wants, in words that follow "expected".
fn expectation(field: &Field) -> Cow<'static, str> {
    use fields::Kind::*;
    match &field.kind {
        Ignored => "anything".into(),
        Attestation => "true".into(),
        CredentialType => fields::CREDENTIAL_TYPE.into(),
        Word(words) => words.join(" or ").into(),
        Text { .. } => "text".into(),
        Country => "an ISO 3166-1 alpha-2 code, such as GB".into(),
        Jurisdiction => "an ISO 3166-1 or ISO 3166-2 code, such as GB or US-DE".into(),
        Boolean => "true or false".into(),
        Percent => "a number from 0 to 100, such as 25 or 12.5".into(),
        PastDateTime => "an RFC 3339 date-time, such as 2026-01-31T12:00:00Z".into(),
        Duration => "an ISO 8601 duration, such as P1Y".into(),
        PublicJwk => "a public JWK, which is an object".into(),
        Object(_) => "an object".into(),
        Array { of, .. } => format!("an array of {}s", of.name.replace('_', " ")).into(),
    }
}

/// What was found, without its value where that may be personal.
fn found(value: Value<'_>, field: &Field) -> String {
    match field.personal {
        true => value.kind().to_string(),
        false => preview(value),
    }
}

/// A value for a message: short ones as they are, others by their kind.
fn preview(value: Value<'_>) -> String {
    match value.kind() {
        Kind::String => value.as_str().map(|text| quote(&text)).unwrap_or_default(),
        Kind::Number => shorten(value.text()),
        kind => kind.to_string(),
    }
}

/// Text in quotes, with control characters escaped and cut to a length that fits a message.
fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().take(LONGEST).flat_map(escape_control).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

fn escape_control(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

fn unknown_field(name: &str, object: &Object) -> String {
    // An unknown name can hold anything, so it stands in the path and is not repeated here.
    match nearest(name, object) {
        Some(known) => format!("unknown field; did you mean {known}?"),
        None => {
            let known: Vec<_> = object.fields.iter().map(|field| field.name).collect();
            format!("unknown field; known here: {}", known.join(", "))
        }
    }
}

/// The known name that a misspelt one was probably meant to be.
fn nearest(name: &str, object: &Object) -> Option<&'static str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let wanted = plain(name);
    object
        .fields
        .iter()
        .map(|field| (strsim::damerau_levenshtein(&plain(field.name), &wanted), field.name))
        .filter(|(distance, known)| *distance <= 3 && *distance * 2 < known.len())
        .min()
        .map(|(_, known)| known)
}
