//! The walk over an item: every violation, with its place.

use std::fmt::Write;

use super::rejection::{Detail, DetailCode};
use super::rules::{self, CalendarDuration, DateProblem, DateTimeProblem};
use super::warning::{Doubt, Warning};
use super::words::{expectation, found, found_before, meant_word, shorten_name, unknown_field};
use crate::clock::{Moment, UnixTime};
use crate::json::{self, Document, FaultKind, Kind, Value};
use crate::keys::{DidJwkProblem, HolderKey};
use crate::token::MAX_DISCLOSURES;
use crate::types::{
    CredentialType, Field, FieldKind, JSON_LD_KEYWORDS, Judged, Object, Others, Scalar, Types,
    credential_type_field, is_reserved,
};

/// A place in the item, as a chain up to its root.
pub(super) enum Place<'p> {
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
                json::push_pointer_segment(pointer, &shorten_name(name));
            }
            Place::Index(parent, index) => {
                parent.push_to(pointer);
                let _ = write!(pointer, "/{index}");
            }
        }
    }
}

/// The most violations that are told of one item. One that breaks more rules than that is no item
/// to be fixed by hand.
pub(super) const MAX_VIOLATIONS: usize = 100;

/// The most warnings of one item that are kept.
const MAX_WARNINGS: usize = 16;

/// What becomes of members that no rule names, and of missing ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// A request: unknown members are violations, unless they are to be carried through.
    Request {
        /// Whether unknown fields of `subject` and `claims` are carried through.
        allow_unknown: bool,
    },
    /// A credential: unknown members are ignored.
    Issued {
        /// Whether members may be missing, because their holder withheld them.
        may_be_withheld: bool,
    },
}

/// The fields of an object that were there, by their place in the table.
#[derive(Default)]
struct Seen {
    /// The first 64, which are all that most tables have.
    first: u64,
    others: Vec<usize>,
}

impl Seen {
    fn add(&mut self, place: usize) {
        match place {
            0..64 => self.first |= 1 << place,
            _ => self.others.push(place),
        }
    }

    fn has(&self, place: usize) -> bool {
        match place {
            0..64 => self.first & (1 << place) != 0,
            _ => self.others.contains(&place),
        }
    }
}

/// What the walk over an item has found.
pub(super) struct Findings {
    strictness: Strictness,
    /// Nothing that has happened is later than this.
    latest: UnixTime,
    /// How many values stand in fields that are known, each of which may become a disclosure.
    values: usize,
    /// The key of the item's did:jwk, once that was read.
    pub(super) key_of_did: Option<HolderKey>,
    pub(super) violations: Vec<Detail>,
    pub(super) warnings: Vec<Warning>,
}

impl Findings {
    pub(super) fn new(strictness: Strictness, moment: Moment) -> Findings {
        Findings {
            strictness,
            latest: moment.latest,
            values: 0,
            key_of_did: None,
            violations: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Notes a violation, unless there are [`MAX_VIOLATIONS`] of the item already.
    pub(super) fn violation(&mut self, place: &Place<'_>, code: DetailCode, message: impl Into<String>) {
        if !self.is_full() {
            self.violations.push(Detail {
                path: place.pointer(),
                column: None,
                code,
                message: message.into(),
            });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.violations.len() >= MAX_VIOLATIONS
    }

    pub(super) fn note_faults(&mut self, document: Document<'_>) {
        for &fault in document.faults().iter().take(MAX_VIOLATIONS) {
            let code = match fault.kind {
                FaultKind::DuplicateKey => DetailCode::DuplicateKey,
                FaultKind::Nul | FaultKind::LoneSurrogate => DetailCode::InvalidCharacter,
            };
            self.violations.push(Detail {
                path: document.pointer(fault),
                column: None,
                code,
                message: fault.kind.to_string(),
            });
        }
    }

    pub(super) fn check_object(&mut self, value: Value<'_>, object: &'static Object, place: &Place<'_>) {
        let mut seen = Seen::default();
        let mut count = 0;
        for (name, member) in value.members() {
            count += 1;
            let place = Place::Name(place, &name);
            match object.fields.iter().position(|field| field.name == name) {
                Some(position) => {
                    seen.add(position);
                    self.check_field(member, &object.fields[position], &place);
                }
                None => self.check_unknown(&name, member, object, &place),
            }
        }
        if self.strictness == (Strictness::Issued { may_be_withheld: true }) {
            return;
        }
        for (position, field) in object.fields.iter().enumerate() {
            if field.required && !seen.has(position) {
                // An attestation that is not given is one that is not complete, whichever way it is not given.
                let code = match field.kind {
                    FieldKind::Attestation => DetailCode::NotTrue,
                    _ => DetailCode::Missing,
                };
                let place = Place::Name(place, field.name);
                self.violation(&place, code, format!("missing; expected {}", expectation(field)));
            }
        }
        if count < object.min_members {
            let message = match object.min_members {
                1 => "found an empty object; expected at least one claim".to_owned(),
                least => format!("found {count} members; expected at least {least}"),
            };
            self.violation(place, DetailCode::Empty, message);
        }
        if let Strictness::Request { .. } = self.strictness {
            self.check_rules(value, object, place);
        }
    }

    /// The type that the request names, or the default one. A type that is not issued here is noted.
    pub(super) fn check_type(
        &mut self,
        request: Option<Value<'_>>,
        bare: bool,
        types: Types,
    ) -> Option<&'static CredentialType> {
        let field = &credential_type_field(types.default_type().name);
        let Some(named) = request.and_then(|request| request.member(field.name)) else {
            return Some(types.default_type());
        };
        let text = named.as_str();
        if let Some(known) = text.as_deref().and_then(|name| types.named(name)) {
            return Some(known);
        }
        let envelope = Place::Name(&Place::Root, "request");
        let place = Place::Name(if bare { &Place::Root } else { &envelope }, field.name);
        let (code, found) = match text {
            Some(text) => (DetailCode::UnsupportedType, found_before(&text, field)),
            None => (DetailCode::WrongType, format!("found {}; ", found(named, field))),
        };
        self.violation(&place, code, format!("{found}expected {}", types.names()));
        None
    }

    /// Refuses an item whose `sd_jwt_vc` could have more disclosures than a verifier reads. It holds for both
    /// formats, so that an item does not depend on how it is issued.
    pub(super) fn check_size(&mut self, place: &Place<'_>) {
        let found = self.values;
        if found > MAX_DISCLOSURES {
            let message =
                format!("found {found} values; expected at most {MAX_DISCLOSURES}, which verifiers read");
            self.violation(place, DetailCode::TooMany, message);
        }
    }

    fn check_field(&mut self, value: Value<'_>, field: &'static Field, place: &Place<'_>) {
        self.values += 1;
        match &field.kind {
            FieldKind::Ignored => {}
            FieldKind::Any => self.check_any(value, place),
            FieldKind::Judged(judged) => self.check_judged(value, field, judged, place),
            FieldKind::Attestation => self.check_attestation(value, field, place),
            FieldKind::Boolean if matches!(value.kind(), Kind::Boolean(_)) => {}
            FieldKind::Percent if value.kind() == Kind::Number => self.check_percent(value, field, place),
            FieldKind::Object(object) if value.kind() == Kind::Object => {
                self.check_object(value, object, place)
            }
            FieldKind::PublicJwk if value.kind() == Kind::Object => self.check_jwk(value, place),
            FieldKind::Whole { .. } if value.kind() == Kind::Number => self.check_whole(value, field, place),
            FieldKind::Whole { or_null: true } if value.kind() == Kind::Null => {}
            FieldKind::Comparand => self.check_comparand(value, field, place),
            FieldKind::Array { of, min, max } if value.kind() == Kind::Array => {
                self.check_array(value, of, (*min, *max), place);
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

    fn check_attestation(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        if value.kind() != Kind::Boolean(true) {
            let message = format!("found {}; expected true", found(value, field));
            self.violation(place, DetailCode::NotTrue, message);
        }
    }

    fn check_percent(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        if rules::percent(value.text()).is_none() {
            let message = format!("found {}; expected {}", found(value, field), expectation(field));
            self.violation(place, DetailCode::OutOfRange, message);
        }
    }

    fn check_whole(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        if !rules::is_whole(value.text()) {
            let message = format!("found {}; expected {}", found(value, field), expectation(field));
            self.violation(place, DetailCode::OutOfRange, message);
        } else if value.text().contains('.') {
            self.request_doubt(Doubt::DecimalPoint, place);
        }
    }

    /// A value of which nothing is known but that it stands in a credential.
    fn check_any(&mut self, value: Value<'_>, place: &Place<'_>) {
        self.refuse_reserved_inside(value, &JSON_LD_KEYWORDS, place);
        if let Strictness::Request { .. } = self.strictness {
            self.doubt_inside(value, place);
        }
    }

    fn check_judged(&mut self, value: Value<'_>, field: &Field, judged: &Judged, place: &Place<'_>) {
        let is_null = value.kind() == Kind::Null && judged.or_null;
        let is_of_kind = match judged.scalar {
            Scalar::Text => value.kind() == Kind::String,
            Scalar::Number | Scalar::Whole => value.kind() == Kind::Number,
            Scalar::Boolean => matches!(value.kind(), Kind::Boolean(_)),
        };
        if is_null {
            return;
        }
        if !is_of_kind {
            return self.wrong_type(value, field, place);
        }
        // A number that the other parser does not take is beyond what a double can hold.
        let fits = serde_json::from_str(value.text()).is_ok_and(|value| judged.schema.fits(&value));
        if !fits {
            let code = if judged.scalar == Scalar::Text {
                DetailCode::InvalidFormat
            } else {
                DetailCode::OutOfRange
            };
            let message = format!("found {}; expected {}", found(value, field), expectation(field));
            return self.violation(place, code, message);
        }
        match value.as_str() {
            Some(text) => self.check_content(&text, field, place),
            None if judged.scalar == Scalar::Whole && value.text().contains('.') => {
                self.request_doubt(Doubt::DecimalPoint, place);
            }
            None => {}
        }
    }

    fn check_comparand(&mut self, value: Value<'_>, field: &Field, place: &Place<'_>) {
        let sound = value.elements().all(is_scalar) && (is_scalar(value) || value.kind() == Kind::Array);
        if !sound {
            return self.wrong_type(value, field, place);
        }
        self.refuse_reserved_inside(value, &[], place);
        if let Strictness::Request { .. } = self.strictness {
            self.doubt_inside(value, place);
        }
    }

    fn check_did(&mut self, text: &str, place: &Place<'_>) {
        match HolderKey::of_did(text) {
            Ok(key) => self.key_of_did = Some(key),
            Err(problem @ DidJwkProblem::Key(_)) => {
                self.violation(place, DetailCode::InvalidKey, problem.to_string());
            }
            Err(problem) => self.violation(place, DetailCode::InvalidFormat, problem.to_string()),
        }
    }

    fn check_jwk(&mut self, value: Value<'_>, place: &Place<'_>) {
        self.refuse_reserved_inside(value, &[], place);
        let problem = match serde_json::from_str(value.text()) {
            Ok(serde_json::Value::Object(members)) => {
                HolderKey::of_jwk(&members).err().map(|problem| problem.to_string())
            }
            // Whatever the other parser does not take is no key that anybody could use.
            _ => Some("is not a JSON object that every parser reads the same way".to_owned()),
        };
        if let Some(problem) = problem {
            self.violation(place, DetailCode::InvalidKey, problem);
        }
    }

    fn check_array(
        &mut self,
        value: Value<'_>,
        of: &'static Field,
        (min, max): (usize, Option<usize>),
        place: &Place<'_>,
    ) {
        let mut count = 0;
        for (index, element) in value.elements().enumerate() {
            count += 1;
            if max.is_none_or(|max| count <= max) {
                self.check_field(element, of, &Place::Index(place, index));
            }
        }
        if count < min && self.strictness != (Strictness::Issued { may_be_withheld: true }) {
            let message = format!("found {count} elements; expected at least {min}");
            self.violation(place, DetailCode::Empty, message);
        }
        if let Some(max) = max.filter(|&max| count > max) {
            let message = format!("found {count} elements; expected at most {max}");
            self.violation(place, DetailCode::TooMany, message);
        }
    }

    fn check_text(&mut self, text: &str, field: &Field, place: &Place<'_>) {
        let found = || found_before(text, field);
        match &field.kind {
            FieldKind::Text { min, max } => {
                self.check_length(text, *min, *max, place);
                self.check_content(text, field, place);
            }
            FieldKind::Word(words) if !words.contains(&text) => {
                let message =
                    format!("{}expected {}{}", found(), expectation(field), meant_word(text, words, field));
                self.violation(place, DetailCode::UnknownCode, message);
            }
            FieldKind::Country => {
                if let Some(problem) = rules::country_problem(text) {
                    let problem = without_meaning(problem, field);
                    self.violation(place, DetailCode::UnknownCode, found() + &problem);
                }
            }
            FieldKind::Jurisdiction => {
                if let Some(problem) = rules::jurisdiction_problem(text) {
                    let problem = without_meaning(problem, field);
                    self.violation(place, DetailCode::UnknownCode, found() + &problem);
                }
            }
            FieldKind::Currency => {
                if let Some(problem) = rules::currency_problem(text) {
                    self.violation(place, DetailCode::UnknownCode, found() + problem);
                }
            }
            FieldKind::Duration => {
                if let Err(problem) = CalendarDuration::parse(text) {
                    self.violation(place, problem.code(), format!("{}{problem}", found()));
                }
            }
            FieldKind::DidJwk => self.check_did(text, place),
            FieldKind::PastDateTime => {
                if let Some(problem) = rules::past_date_time_problem(text, self.latest.timestamp()) {
                    let code = match problem {
                        DateTimeProblem::Form => DetailCode::InvalidFormat,
                        DateTimeProblem::Future => DetailCode::OutOfRange,
                    };
                    self.violation(place, code, format!("{}{problem}", found()));
                }
            }
            FieldKind::PastDate => {
                if let Some(problem) = rules::past_date_problem(text, self.latest.timestamp()) {
                    let code = match problem {
                        DateProblem::Form => DetailCode::InvalidFormat,
                        DateProblem::Future => DetailCode::OutOfRange,
                    };
                    self.violation(place, code, format!("{}{problem}", found()));
                }
            }
            _ => {} // a life is judged once the time of issue is known: Checker::expiry; a type was judged before
        }
    }

    /// What text may not hold, or only with a warning. Credentials that were issued are what they are.
    fn check_content(&mut self, text: &str, field: &Field, place: &Place<'_>) {
        let Strictness::Request { .. } = self.strictness else { return };
        if field.identifier
            && let Some(problem) = rules::identifier_problem(text)
        {
            return self.violation(place, DetailCode::InvalidFormat, found_before(text, field) + &problem);
        }
        let doubt =
            if field.identifier { rules::encoding_doubt(text) } else { rules::text_doubt(text, field.lines) };
        if let Some(doubt) = doubt {
            self.doubt(doubt, place);
        }
    }

    /// Warns of what is doubtful at a place, unless there are [`MAX_WARNINGS`] of the item already.
    pub(super) fn doubt(&mut self, doubt: impl Into<Doubt>, place: &Place<'_>) {
        if self.warnings.len() < MAX_WARNINGS {
            let (doubt, path) = (doubt.into(), place.pointer());
            self.warnings.push(Warning::Place { doubt, path, column: None });
        }
    }

    /// Warns of what is doubtful in a request. Credentials that were issued are what they are.
    fn request_doubt(&mut self, doubt: Doubt, place: &Place<'_>) {
        if let Strictness::Request { .. } = self.strictness {
            self.doubt(doubt, place);
        }
    }

    fn check_length(&mut self, text: &str, min: usize, max: Option<usize>, place: &Place<'_>) {
        match min {
            1 if text.is_empty() => {
                self.violation(place, DetailCode::Empty, "found an empty string; expected text");
            }
            // A character has up to four bytes, so most texts need no counting.
            2.. if text.len() < min * 4 => {
                let count = text.chars().count();
                if count < min {
                    let noun = if count == 1 { "character" } else { "characters" };
                    let message = format!("found {count} {noun}; expected at least {min}");
                    self.violation(place, DetailCode::InvalidFormat, message);
                }
            }
            _ => {}
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
        let Strictness::Request { allow_unknown } = self.strictness else { return };
        if is_reserved(name) || object.reserved.contains(&name) {
            let message = "the name has a meaning of its own in a credential; expected another name";
            self.violation(place, DetailCode::ReservedName, message);
        } else if object.others == Others::Welcome || (allow_unknown && object.others == Others::Extensions) {
            self.values += 1;
            self.refuse_reserved_inside(value, &JSON_LD_KEYWORDS, place);
            self.doubt_inside(value, place);
        } else {
            self.violation(place, DetailCode::UnknownField, unknown_field(name, object));
        }
    }

    /// Warns of lost characters in text at any depth of a value that is carried through.
    fn doubt_inside(&mut self, value: Value<'_>, place: &Place<'_>) {
        if let Some(doubt) =
            value.as_str().filter(|text| !text.is_ascii()).and_then(|text| rules::encoding_doubt(&text))
        {
            self.doubt(doubt, place);
        }
        value.members().for_each(|(name, member)| self.doubt_inside(member, &Place::Name(place, &name)));
        let elements = value.elements().enumerate();
        elements.for_each(|(index, element)| self.doubt_inside(element, &Place::Index(place, index)));
    }

    /// Refuses names that no claim may have, at any depth of a value that is carried through.
    fn refuse_reserved_inside(&mut self, value: Value<'_>, also: &[&str], place: &Place<'_>) {
        if self.is_full() {
            return;
        }
        for (name, member) in value.members() {
            let place = Place::Name(place, &name);
            if is_reserved(&name) || also.contains(&name.as_ref()) {
                let message = "the name has a meaning of its own in a credential; expected another name";
                self.violation(&place, DetailCode::ReservedName, message);
            }
            self.refuse_reserved_inside(member, also, &place);
        }
        for (index, element) in value.elements().enumerate() {
            self.refuse_reserved_inside(element, also, &Place::Index(place, index));
        }
        if value.kind() == Kind::Number && value.text().parse::<f64>().is_ok_and(f64::is_infinite) {
            self.violation(place, DetailCode::OutOfRange, "the number is beyond what a double can hold");
        }
    }
}

/// What is wrong, without the guess at what was meant where that would show what a personal field holds.
fn without_meaning(problem: String, field: &Field) -> String {
    if field.personal { format!("expected {}", expectation(field)) } else { problem }
}

pub(super) fn is_scalar(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::Number | Kind::String | Kind::Boolean(_))
}

fn is_text(kind: &FieldKind) -> bool {
    use FieldKind::*;
    matches!(
        kind,
        CredentialType(_)
            | Text { .. }
            | Word(_)
            | Country
            | Jurisdiction
            | PastDateTime
            | PastDate
            | Duration
            | Life
            | Currency
            | DidJwk
    )
}
