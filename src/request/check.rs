//! The validator: an item's text in, a [`Draft`] or a [`Rejection`] out.
//!
//! It walks the item and the table of its type ([`crate::types`]) together, and notes every
//! violation with its JSON Pointer before it judges. Nothing is changed on the way: what the
//! draft holds is the item's own text.

use std::borrow::Cow;

use super::content::{Content, ContentHasher, IdRule, Identity, ItemId, KnownBy};
use super::draft::{Draft, Lookup, LookupHash, Piece};
use super::findings::{Findings, Place, Strictness};
use super::rejection::Rejection;
use super::renewal::{Former, Life, Reading, is_row, other_row};
use super::rules::{self, CalendarDuration, DurationProblem};
use super::warning::Warning;
use super::words::found_before;
use crate::clock::{Moment, UnixTime};
use crate::json::{self, Document, Kind, Parser, SyntaxError, SyntaxProblem, Value};
use crate::keys::HolderKey;
use crate::types::{ATTESTATION_TYPE, CredentialType, TTL, Types};

/// What a run lays down for all its items.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The types that are issued.
    pub types: Types,
    /// Whether unknown fields of `subject` and `claims` are carried through.
    pub allow_unknown: bool,
    /// The life of a credential whose item says nothing, and whose type does not either.
    pub default_ttl: CalendarDuration,
    /// Whether that goes before what types of one's own say.
    pub overrules_types: bool,
    /// The ledger's key for hashes.
    pub hash_key: [u8; 32],
    /// What items are known by, where a run is repeatable.
    pub identity: Option<Identity>,
}

/// An item after the check.
#[derive(Debug)]
pub struct Checked {
    /// `correlation_id`, a string with its quotes; empty text where the item has none, or none
    /// that could be read.
    pub correlation_id: Piece,
    /// What the item is known by, whether it is valid or not.
    pub id: ItemId,
    /// The draft, or why there is none.
    pub outcome: Result<Draft, Box<Rejection>>,
    /// What is lawful and yet deserves a look.
    pub warnings: Vec<Warning>,
}

impl Checked {
    /// `correlation_id` as a JSON string with its quotes, where it could be read. `buffer` is the one that the check
    /// appended to.
    pub fn correlation_id<'b>(&self, buffer: &'b [u8]) -> Option<&'b str> {
        let id = (!self.correlation_id.is_empty()).then(|| self.correlation_id.of(buffer));
        id.map(|id| std::str::from_utf8(id).unwrap_or_default())
    }

    /// An item that was rejected before it could be checked; its `correlation_id` may be known all
    /// the same.
    pub fn rejected(rejection: Rejection, correlation_id: Option<&str>, buffer: &mut Vec<u8>) -> Checked {
        let write = |out: &mut Vec<u8>| correlation_id.into_iter().for_each(|id| json::push_str(out, id));
        Checked {
            correlation_id: Piece::append(buffer, write),
            id: ItemId::Unreadable,
            outcome: Err(Box::new(rejection)),
            warnings: Vec::new(),
        }
    }
}

/// Checks items one after the other. Each worker has its own, for its buffers.
#[derive(Debug)]
pub struct Checker {
    rules: Rules,
    parser: Parser,
    hasher: ContentHasher,
    /// The last duration read and what it came to: most items of a batch have the same.
    last_ttl: Option<(String, UnixTime, Result<UnixTime, DurationProblem>)>,
}

impl Checker {
    /// A checker for a run with these rules.
    pub fn new(rules: Rules) -> Checker {
        Checker { rules, parser: Parser::default(), hasher: ContentHasher::default(), last_ttl: None }
    }

    /// Checks one item, to be issued at this moment, and appends its pieces to `buffer`.
    /// `unterminated` says that the file ended before the item's line did. Rows of earlier results are left alone.
    pub fn read(
        &mut self,
        text: &str,
        unterminated: bool,
        moment: impl Into<Moment>,
        buffer: &mut Vec<u8>,
    ) -> Reading {
        // The parser is lent to the document, and the rest of the checker is needed beside it.
        let mut parser = std::mem::take(&mut self.parser);
        let reading = match parser.parse(text) {
            Ok(document) => self.read_document(document, moment.into(), buffer),
            Err(error) => {
                let hint = syntax_hint(&error, text, unterminated);
                let rejection = Rejection::malformed(format!("{error}{hint}"));
                Reading::Checked(Checked::rejected(rejection, None, buffer))
            }
        };
        self.parser = parser;
        reading
    }

    /// As [`Checker::read`], where rows of earlier results are not issued anew.
    pub fn check(
        &mut self,
        text: &str,
        unterminated: bool,
        moment: impl Into<Moment>,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        match self.read(text, unterminated, moment, buffer) {
            Reading::Checked(checked) => checked,
            Reading::Row => {
                let message = "found a row of earlier results; they are not renewed here";
                Checked::rejected(Rejection::malformed(message), None, buffer)
            }
        }
    }

    /// Checks what a credential of earlier results says, given as an item, to be issued anew for so many seconds.
    pub fn check_renewed(
        &mut self,
        item: &str,
        (former, seconds): (Former, i64),
        moment: Moment,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        let mut parser = std::mem::take(&mut self.parser);
        let mut checked = match parser.parse(item) {
            Ok(document) => self.check_document(document, Life::Seconds(seconds), moment, buffer),
            Err(error) => Checked::rejected(Rejection::malformed(error.to_string()), None, buffer),
        };
        self.parser = parser;
        if let Ok(draft) = &mut checked.outcome {
            draft.former = Some(former);
            draft.content_hash = draft.content_hash.with_any_ttl();
        }
        checked
    }

    fn read_document(&mut self, document: Document<'_>, moment: Moment, buffer: &mut Vec<u8>) -> Reading {
        let item = document.root();
        let has_request = item.member("request").is_some() || is_bare(item, self.rules.types);
        if !has_request && is_row(item) && document.faults().is_empty() {
            return Reading::Row;
        }
        let mut checked = self.check_document(document, Life::OfItem, moment, buffer);
        if checked.outcome.is_err()
            && item.member("request").is_none()
            && document.faults().is_empty()
            && let Some(rejection) = other_row(item)
        {
            checked.outcome = Err(Box::new(rejection));
        }
        Reading::Checked(checked)
    }

    fn check_document(
        &mut self,
        document: Document<'_>,
        life: Life,
        moment: Moment,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        let item = document.root();
        if item.kind() != Kind::Object {
            let message = format!("expected an item, which is a JSON object; found {}", item.kind());
            return Checked::rejected(Rejection::malformed(message), None, buffer);
        }
        let types = self.rules.types;
        let bare = is_bare(item, types);
        let mut findings =
            Findings::new(Strictness::Request { allow_unknown: self.rules.allow_unknown }, moment);
        findings.note_faults(document);
        let request = if bare { Some(item) } else { item.member("request") };
        let Some(credential_type) = findings.check_type(request, bare, types) else {
            // The rules of a type say nothing about an item of another one.
            return findings.into_rejected(item, buffer);
        };
        let table = if bare { credential_type.bare_item() } else { credential_type.item() };
        findings.check_object(item, table, &Place::Root);
        findings.check_size(&Place::Root);

        let issued_at = moment.at;
        let ttl = request.and_then(|request| request.member("ttl")).and_then(Value::as_str);
        let ttl = ttl.or_else(|| self.ttl_of(credential_type).map(Cow::Borrowed));
        let expires_at = match life {
            Life::OfItem => self.expiry(ttl.as_deref(), issued_at, &mut findings, bare),
            Life::Seconds(seconds) => Some(findings.end(issued_at, issued_at.saturating_add(seconds))),
        };
        if let Some((schema, request)) = credential_type.schema().zip(request) {
            findings.check_schema(schema, request, bare);
        }
        if let Some(expires_at) = expires_at {
            findings.check_life(credential_type, issued_at, expires_at, bare);
        }

        let readable_id = readable_id(item);
        let correlation_id = write_id(readable_id, buffer);
        let id = self.item_id(credential_type, (item, request), bare, &findings);
        let outcome = match (request, expires_at) {
            (Some(request), Some(expires_at)) if findings.violations.is_empty() => self
                .draft(
                    credential_type,
                    request,
                    findings.key_of_did.as_ref(),
                    (issued_at, expires_at),
                    buffer,
                )
                .map(|draft| self.findable(Draft { id, ..draft }, request, readable_id))
                .ok_or_else(|| Box::new(Rejection::of_details(Vec::new()))),
            _ => Err(Box::new(Rejection::of_details(findings.violations))),
        };
        let mut checked = Checked { correlation_id, id, outcome, warnings: findings.warnings };
        if let Some(identity) = self.rules.identity {
            checked.must_be_known(identity.rule);
        }
        checked
    }

    /// What an item is known by. An invalid item has an id, too, as long as nothing is wrong with that.
    fn item_id(
        &self,
        credential_type: &'static CredentialType,
        (item, request): (Value<'_>, Option<Value<'_>>),
        bare: bool,
        findings: &Findings,
    ) -> ItemId {
        let Some(identity) = self.rules.identity else { return ItemId::Position };
        let of_request = |name: &str| if bare { format!("/{name}") } else { format!("/request/{name}") };
        let (id, place) = match identity.rule {
            IdRule::Position => return ItemId::Position,
            IdRule::SubjectId => {
                let subject = request.and_then(|request| request.member("subject"));
                (subject.and_then(|subject| subject.member("id")), of_request("subject/id"))
            }
            _ => (item.member("correlation_id"), "/correlation_id".to_owned()),
        };
        if id.is_none() && identity.rule == IdRule::CorrelationIdOrPosition {
            return ItemId::Position;
        }
        let attestation = attestation_type(request, credential_type);
        let lacks_kind = credential_type.own.field(ATTESTATION_TYPE).is_some() && attestation.is_none();
        let is_doubtful = findings.is_about(&place)
            || identity.within_type
                && (lacks_kind
                    || findings.is_about(&of_request(ATTESTATION_TYPE))
                    || findings.is_about(&of_request("credential_type")));
        match id.and_then(Value::as_str).filter(|_| !is_doubtful) {
            Some(id) => {
                let known_by = KnownBy { credential_type, attestation_type: attestation.as_deref(), id: &id };
                ItemId::Key(identity.key(&self.rules.hash_key, &known_by))
            }
            None => ItemId::Unreadable,
        }
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
            Ok(end) => Some(findings.end(issued_at, end)),
            Err(problem) => {
                let envelope = Place::Name(&Place::Root, "request");
                let place = Place::Name(if bare { &Place::Root } else { &envelope }, "ttl");
                let found = ttl.map(|text| found_before(text, &TTL)).unwrap_or_default();
                findings.violation(&place, problem.code(), format!("{found}{problem}"));
                None
            }
        }
    }

    /// What the type says of lives, where that holds.
    fn ttl_of(&self, credential_type: &CredentialType) -> Option<&'static str> {
        credential_type.default_ttl().filter(|_| !self.rules.overrules_types)
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
        &mut self,
        credential_type: &'static CredentialType,
        request: Value<'_>,
        key_of_did: Option<&HolderKey>,
        (issued_at, expires_at): (UnixTime, UnixTime),
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
        let evidence_refs = optional("evidence_refs", buffer);
        let derived_cnf = key_of_did
            .filter(|_| credential_type.holder_is_subject() && request.member("cnf").is_none())
            .map(|key| format!("{{\"jwk\":{}}}", key.jwk()).into_bytes());
        let cnf = match &derived_cnf {
            Some(cnf) => Piece::append(buffer, |out| out.extend_from_slice(cnf)),
            None => optional("cnf", buffer),
        };
        let content = Content { credential_type, request, derived_cnf: derived_cnf.as_deref() };
        Some(Draft {
            credential_type,
            own_members: Piece::append(buffer, |out| write_own_members(request, credential_type, out)),
            subject: Piece::append(buffer, |out| subject.write_compact(out)),
            subject_id: Piece::append(buffer, |out| subject_id.write_compact(out)),
            subject_members: Piece::append(buffer, |out| write_members_but_id(subject, out)),
            subject_id_is_uri: subject_id.as_str().is_some_and(|id| rules::is_uri(&id)),
            claims: Piece::append(buffer, |out| claims.write_compact(out)),
            evidence_refs,
            cnf,
            issued_at,
            expires_at,
            content_hash: self.hasher.hash(&self.rules.hash_key, &content),
            id: ItemId::Position,
            subject_hash: LookupHash::default(),
            delegator_hash: LookupHash::default(),
            attestation_type: attestation_type(Some(request), credential_type),
            correlation_hash: LookupHash::default(),
            former: None,
        })
    }

    /// Gives the draft the hashes by which its credential is found. They are of the texts, however
    /// the item escapes them.
    fn findable(&self, draft: Draft, request: Value<'_>, correlation_id: Option<Value<'_>>) -> Draft {
        let hash = |lookup: Lookup, text: Option<Value<'_>>| {
            let text = text.and_then(Value::as_str);
            text.map(|text| lookup.hash(&self.rules.hash_key, &text)).unwrap_or_default()
        };
        let subject_id = request.member("subject").and_then(|subject| subject.member("id"));
        let grants = draft.credential_type.grants.as_ref();
        let delegator = grants.and_then(|grants| request.member("claims")?.member(grants.delegated_by));
        Draft {
            // Who delegated is looked for by the same id as a subject.
            delegator_hash: hash(Lookup::Subject, delegator),
            subject_hash: hash(Lookup::Subject, subject_id),
            correlation_hash: hash(Lookup::CorrelationId, correlation_id),
            ..draft
        }
    }
}

impl Findings {
    /// When a credential expires; warns where that is far away.
    fn end(&mut self, issued_at: UnixTime, end: UnixTime) -> UnixTime {
        if rules::is_beyond_two_years(issued_at, end) {
            self.warnings.push(Warning::LongLife(end));
        }
        end
    }

    /// The rejection of an item by what was found so far.
    fn into_rejected(self, item: Value<'_>, buffer: &mut Vec<u8>) -> Checked {
        let outcome = Err(Box::new(Rejection::of_details(self.violations)));
        let correlation_id = write_id(readable_id(item), buffer);
        Checked { correlation_id, id: ItemId::Unreadable, outcome, warnings: self.warnings }
    }

    /// Whether something is wrong with the value at this place, or with one that holds it.
    fn is_about(&self, place: &str) -> bool {
        let holds = |path: &str| {
            !path.is_empty()
                && place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.is_full() || self.violations.iter().any(|violation| holds(&violation.path))
    }
}

/// What most likely led to a text that is not JSON, and what to do, where that is plain. Values of JSON files are cut
/// where they end, so one that ends early, or goes on, stands on a line of NDJSON.
fn syntax_hint(error: &SyntaxError, text: &str, unterminated: bool) -> &'static str {
    match error.problem {
        SyntaxProblem::UnexpectedEnd if unterminated => "; the file may be truncated",
        SyntaxProblem::UnexpectedEnd => "; NDJSON has one item a line, as `jq -c .` writes it",
        SyntaxProblem::TrailingText if text[error.offset..].starts_with(',') => {
            ": found a comma; remove it, because NDJSON has none between its lines"
        }
        _ => "",
    }
}

/// The item's `correlation_id`, where it is one.
fn readable_id(item: Value<'_>) -> Option<Value<'_>> {
    item.member("correlation_id").filter(|id| id.kind() == Kind::String && id.is_sound())
}

fn write_id(id: Option<Value<'_>>, buffer: &mut Vec<u8>) -> Piece {
    Piece::append(buffer, |out| id.into_iter().for_each(|id| id.write_compact(out)))
}

/// Whether an item is a request without the envelope around it.
fn is_bare(item: Value<'_>, types: Types) -> bool {
    item.member("request").is_none() && item.members().any(|(name, _)| types.have_request_member(&name))
}

fn attestation_type(request: Option<Value<'_>>, credential_type: &CredentialType) -> Option<Box<str>> {
    credential_type.own.field(ATTESTATION_TYPE)?;
    Some(request?.member(ATTESTATION_TYPE)?.as_str()?.into())
}

fn write_own_members(request: Value<'_>, credential_type: &CredentialType, out: &mut Vec<u8>) {
    for field in credential_type.own.fields {
        let Some(value) = request.member(field.name) else { continue };
        out.push(b',');
        json::push_str(out, field.name);
        out.push(b':');
        value.write_compact(out);
    }
}

fn write_members_but_id(subject: Value<'_>, out: &mut Vec<u8>) {
    for (name, value) in subject.members().filter(|(name, _)| name != "id") {
        out.push(b',');
        json::push_str(out, &name);
        out.push(b':');
        value.write_compact(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happened after the time of issue that a flag gives is past all the same; what no clock has seen is not.
    #[test]
    fn what_has_happened_is_judged_by_the_latest_time_that_is_known() {
        let at = |seconds| UnixTime::from_seconds(seconds).unwrap();
        let item = r#"{"self_attestation_complete":true,"subject":{"id":"a"},"claims":{"verified_at":"2026-01-01T00:00:00Z"}}"#;
        let verified_at = 1_767_225_600;
        let default_ttl = CalendarDuration::parse("P1Y").unwrap();
        let rules = Rules {
            types: Types::BUILT_IN,
            allow_unknown: false,
            default_ttl,
            overrules_types: false,
            hash_key: [0; 32],
            identity: None,
        };
        let mut checker = Checker::new(rules);
        let mut passes = |moment: Moment| checker.check(item, false, moment, &mut Vec::new()).outcome.is_ok();
        assert!(passes(at(verified_at).into()));
        assert!(!passes(at(verified_at - 1).into()));
        assert!(passes(Moment { at: at(0), latest: at(verified_at) }));
    }
}
