//! Renewal: a row of earlier results is issued anew.
//!
//! ```text
//! a row ─▶ its token is verified ─▶ what it says, as an item ─▶ Checker ─▶ Draft ─▶ the ledger: neither revoked
//!          by a key of this issuer   the row says nothing else   all rules           nor suspended?
//! └──────────────────────────── worker ─────────────────────────────────────┘      └─ the transaction that records ─┘
//! ```
//!
//! Everything comes from the token and its disclosures: type, subject, claims, evidence, holder's key, and for how many
//! seconds it is valid. It may have expired. The row beside it says nothing of its own but the `correlation_id`, and must
//! not contradict the token. Nothing that the token says may be lost: one with a disclosure less than it was issued with
//! is refused, and so is one with a member that is not written here.

use crate::clock::{Moment, UnixTime};
use crate::credential::{Contradiction, OwnCredential, Profile, ProofFormat, Status, stated_status};
use crate::json::{Kind, Parser, Value};
use crate::request::{Checked, Checker, Detail, DetailCode, ErrorCode, Former, Rejection, Warning};
use crate::token::{Compact, Part, decode_text, parse_object};
use crate::types::Types;
use crate::verify::{KeyRing, NoLists, Policy, Reason, Refusal, TokenFormat, Valid, Verdict, Verifier};

use super::Register;
use super::error::BatchError;
use super::stages::{CheckedBatch, CheckedItem};

/// By which keys credentials of earlier results are known to be the issuer's own.
#[derive(Debug)]
pub struct Renewals {
    ring: Result<KeyRing, String>,
    policy: Policy,
}

impl Renewals {
    /// Credentials of these types are renewed where they verify with one of these keys of the profile's issuer, or none
    /// are where the keys cannot be had: then that is said of each row.
    pub fn new(keys: Result<KeyRing, String>, profile: &Profile, types: Types, now: UnixTime) -> Renewals {
        let issuer = Some(profile.issuer.clone());
        // What became of a credential, the ledger knows; the lists that say so may not be published yet.
        let policy = Policy { issuer, types, may_have_expired: true, status: false, ..Policy::at(now) };
        Renewals { ring: keys, policy }
    }
}

/// Turns rows of earlier results into drafts, on one worker's thread.
pub(super) struct Renewer<'p> {
    verifier: Result<Verifier<'p>, &'p str>,
    profile: &'p Profile,
    row_parser: Parser,
    payload_parser: Parser,
    request_parser: Parser,
    header_parser: Parser,
    header: Vec<u8>,
    /// The item that a row's credential answers, and where its request begins.
    item: Vec<u8>,
}

/// What a row comes to, beside its item.
struct RenewedRow {
    former: Former,
    seconds: i64,
}

impl<'p> Renewer<'p> {
    pub(super) fn new(renewals: &'p Renewals, profile: &'p Profile) -> Renewer<'p> {
        let ring = renewals.ring.as_ref().map_err(String::as_str);
        Renewer {
            verifier: ring.map(|ring| Verifier::new(ring, &renewals.policy, NoLists)),
            profile,
            row_parser: Parser::default(),
            payload_parser: Parser::for_tokens(),
            request_parser: Parser::for_tokens(),
            header_parser: Parser::default(),
            header: Vec::new(),
            item: Vec::new(),
        }
    }

    /// Checks a row that [`Checker::read`] has found, to be issued anew at this moment.
    pub(super) fn renew(
        &mut self,
        checker: &mut Checker,
        text: &str,
        moment: Moment,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        let mut parser = std::mem::take(&mut self.row_parser);
        let checked = match parser.parse(text) {
            Ok(document) => self.renew_row(checker, document.root(), moment, buffer),
            Err(error) => Checked::rejected(Rejection::malformed(error.to_string()), None, buffer),
        };
        self.row_parser = parser;
        checked
    }

    fn renew_row(
        &mut self,
        checker: &mut Checker,
        row: Value<'_>,
        moment: Moment,
        buffer: &mut Vec<u8>,
    ) -> Checked {
        let renewed = match self.read(row, moment.at) {
            Ok(renewed) => renewed,
            Err(rejection) => {
                let correlation_id = row.member("correlation_id").and_then(Value::as_str);
                return Checked::rejected(rejection, correlation_id.as_deref(), buffer);
            }
        };
        let item = std::str::from_utf8(&self.item).unwrap_or_default();
        let mut checked = checker.check_renewed(item, (renewed.former, renewed.seconds), moment, buffer);
        place_in_row(&mut checked);
        checked
    }

    /// Reads a row: afterwards, its item is in the buffer.
    fn read(&mut self, row: Value<'_>, now: UnixTime) -> Result<RenewedRow, Rejection> {
        must_be_success(row)?;
        let resource = row.member("credential").filter(|resource| resource.kind() == Kind::Object);
        let token = resource.and_then(|resource| resource.member("signed_payload")).and_then(Value::as_str);
        let (Some(resource), Some(token)) = (resource, token) else {
            return Err(Rejection::malformed(
                "found a row without `credential.signed_payload`; only a credential with its token can be renewed",
            ));
        };
        if stated(resource) == Status::Revoked {
            return Err(status_conflict("the row says that its credential is revoked"));
        }
        let verifier = self.verifier.as_mut().map_err(|problem| invalid_token(problem))?;
        let kid = kid_of(&token, &mut self.header, &mut self.header_parser)
            .map_err(|problem| invalid_token(&problem))?;
        let valid = match verifier.verify_at(&token, now) {
            Verdict::Valid(valid) => valid,
            Verdict::Invalid(refusal) => return Err(invalid_token(&in_words(&refusal))),
        };
        let own = own_credential(&valid, self.profile, &mut self.payload_parser)
            .map_err(|problem| invalid_token(&problem))?;
        must_be_whole(&valid, self.profile.of_type(own.credential_type).decoys())
            .map_err(|problem| invalid_token(&problem))?;

        self.item.clear();
        write_item(row, &own, &mut self.item);
        let item = std::str::from_utf8(&self.item).unwrap_or_default();
        let document =
            self.request_parser.parse(item).map_err(|error| Rejection::malformed(error.to_string()))?;
        let request = document.root().member("request").unwrap_or(document.root());
        let mut details = own.contradictions(resource, request, kid.as_deref());
        details.extend(contradictions_of_row(row, request));
        if !details.is_empty() {
            return Err(Rejection::of_details(details));
        }
        let was_suspended = stated(resource) == Status::Suspended;
        Ok(RenewedRow { former: Former { id: own.id, was_suspended }, seconds: own.seconds() })
    }
}

/// The status that a resource states. One with a date of revocation is revoked, whatever else it says.
fn stated(resource: Value<'_>) -> Status {
    let is_there = |name| resource.member(name).is_some_and(|value| value.kind() != Kind::Null);
    match resource.member("status").and_then(stated_status) {
        _ if is_there("revoked_at") => Status::Revoked,
        status => status.unwrap_or_default(),
    }
}

/// A row that shows a credential, and yet not one that was issued.
fn must_be_success(row: Value<'_>) -> Result<(), Rejection> {
    match row.member("valid") {
        Some(_) => Err(Rejection::malformed("found a verdict of `verify`, not an item")),
        None => Ok(()),
    }
}

/// The name of the key in a token's header. A presentation is refused: it is what a holder shows, not what was issued.
fn kid_of(token: &str, buffer: &mut Vec<u8>, parser: &mut Parser) -> Result<Option<String>, String> {
    let compact = Compact::split(token).map_err(|error| error.to_string())?;
    if compact.key_binding.is_some() {
        return Err("it is a presentation, with a key binding JWT; expected the credential as it was issued"
            .to_owned());
    }
    let text = decode_text(compact.header, Part::Header, buffer).map_err(|error| error.to_string())?;
    let header = parse_object(text, Part::Header, parser).map_err(|error| error.to_string())?.root();
    Ok(header.member("kid").and_then(Value::as_str).map(|kid| kid.into_owned()))
}

fn own_credential<'d>(
    valid: &'d Valid<'_>,
    profile: &Profile,
    parser: &'d mut Parser,
) -> Result<OwnCredential<'d>, String> {
    let format = match valid.format {
        TokenFormat::JwtVc => ProofFormat::JwtVc,
        TokenFormat::SdJwtVc => ProofFormat::SdJwtVc,
        TokenFormat::LegacyVc => return Err("it is a credential of the VC Data Model 1.1".to_owned()),
    };
    let payload = std::str::from_utf8(valid.credential).unwrap_or_default();
    let payload = parse_object(payload, Part::Payload, parser).map_err(|error| error.to_string())?.root();
    OwnCredential::read(payload, format, profile)
}

/// No claim may have been withheld. Digests that no disclosure explains can also be decoys, of which each object and
/// array has as many as the settings say; where they say so only now, it has none.
fn must_be_whole(valid: &Valid<'_>, decoys: usize) -> Result<(), String> {
    let all = |count: usize| valid.unexplained.iter().all(|unexplained| *unexplained == count);
    match all(0) || all(decoys) {
        true => Ok(()),
        false => Err(format!(
            "it has {} without a disclosure: its disclosures are not complete, or it has other decoys than \
             `disclosure.decoys` says",
            match valid.unexplained.iter().sum() {
                1usize => "a digest".to_owned(),
                count => format!("{count} digests"),
            }
        )),
    }
}

/// Writes the item: the request that the credential answers, and the row's own `correlation_id`.
fn write_item(row: Value<'_>, own: &OwnCredential<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(id) = row.member("correlation_id") {
        out.extend_from_slice(b"\"correlation_id\":");
        id.write_compact(out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"request\":");
    own.write_request(out);
    out.push(b'}');
}

/// What a row says beside its credential: where it stood, what was done, and in CSV, who it is about.
fn contradictions_of_row(row: Value<'_>, request: Value<'_>) -> Vec<Detail> {
    let of_subject = |name: &str| request.member("subject").and_then(|subject| subject.member(name));
    let judge = |name: &str, found: Value<'_>| {
        let expected = match name {
            // An `error` is what an earlier run said of the row.
            "index" | "line" | "correlation_id" | "credential" | "error" | "action" | "former" => {
                return Ok(());
            }
            "subject_id" => of_subject("id"),
            "name" => of_subject("name"),
            _ => return Err(Contradiction::UnknownField),
        };
        match expected.is_some_and(|expected| expected.says_the_same_as(found)) {
            true => Ok(()),
            false => Err(Contradiction::Other),
        }
    };
    Contradiction::among(row, "", judge)
}

/// Why a token is not believed.
fn in_words(refusal: &Refusal) -> String {
    match refusal.reason {
        Reason::UnknownKid => format!("{refusal}; name former keys of the issuer in `keys.retired`"),
        _ => refusal.to_string(),
    }
}

fn invalid_token(problem: &str) -> Rejection {
    Rejection::of_details(vec![Detail {
        path: "/credential/signed_payload".to_owned(),
        column: None,
        code: DetailCode::InvalidToken,
        message: format!("cannot be renewed: {problem}"),
    }])
}

fn status_conflict(message: impl Into<String>) -> Rejection {
    Rejection { code: ErrorCode::StatusConflict, message: message.into(), details: Vec::new() }
}

/// What is wrong with the item is told of the row that it comes from.
fn place_in_row(checked: &mut Checked) {
    let moved = |path: &mut String| {
        if let Some(rest) = path.strip_prefix("/request") {
            *path = format!("/credential{rest}");
        }
    };
    if let Err(rejection) = &mut checked.outcome
        && !rejection.details.is_empty()
    {
        let mut details = std::mem::take(&mut rejection.details);
        details.iter_mut().for_each(|detail| moved(&mut detail.path));
        **rejection = Rejection::of_details(details);
    }
    for warning in &mut checked.warnings {
        if let Warning::Place { path, .. } = warning {
            moved(path);
        }
    }
}

/// Whether the batch has renewals.
pub(super) fn has_any(batch: &CheckedBatch) -> bool {
    batch.items.iter().any(|item| former_of(item).is_some())
}

fn former_of(item: &CheckedItem) -> Option<Former> {
    item.checked.outcome.as_ref().ok().and_then(|draft| draft.former)
}

/// Looks at renewals of which the ledger says nothing: where there is none, or it does not know the former credential.
/// Then the row's own word counts against it.
pub(super) fn judge_strangers(
    register: &mut Register<'_>,
    batch: &mut CheckedBatch,
) -> Result<(), BatchError> {
    if !has_any(batch) {
        return Ok(());
    }
    let ledger = match register {
        Register::Ledger(ledger) | Register::DryRun(Some(ledger)) => Some(ledger),
        Register::None | Register::DryRun(None) => None,
        // A plan knows the credentials of its items, and an item must be what it was when the plan was made.
        Register::Planned(_) => return Ok(()),
    };
    let ids = batch.items.iter().filter_map(former_of).map(|former| former.id);
    let strangers = ledger.map(|ledger| ledger.strangers(ids)).transpose()?;
    for item in &mut batch.items {
        let Some(former) = former_of(item) else { continue };
        if strangers.as_ref().is_some_and(|strangers| !strangers.contains(&former.id)) {
            continue;
        }
        if former.was_suspended {
            item.checked.outcome =
                Err(Box::new(status_conflict("the row says that its credential is suspended")));
        } else if strangers.is_some() {
            item.checked.warnings.push(Warning::UnknownFormer(former.id));
        }
    }
    Ok(())
}
