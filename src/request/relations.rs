//! Rules between the members of an object.

use super::findings::{Findings, Place, is_scalar};
use super::rejection::DetailCode;
use super::rules;
use super::warning::{Doubt, Warning};
use crate::clock::UnixTime;
use crate::json::{Kind, Value};
use crate::keys::HolderKey;
use crate::types::{CredentialType, FieldKind, Object, Rule};

impl Findings {
    /// Looks at what an object's rules ask of its members.
    pub(super) fn check_rules(&mut self, value: Value<'_>, object: &'static Object, place: &Place<'_>) {
        for rule in object.rules {
            match rule {
                Rule::SharesOfAWhole { list, share } => {
                    value.member(list).into_iter().for_each(|list| self.warn_of_shares(list, share));
                }
                Rule::Needs { member, other } => {
                    if value.member(member).is_some() && value.member(other).is_none() {
                        let place = Place::Name(place, other);
                        self.violation(
                            &place,
                            DetailCode::Missing,
                            format!("missing; required with {member}"),
                        );
                    }
                }
                Rule::NeedsWord { member, other, words } => {
                    if value.member(member).is_some() {
                        self.check_needed_word(value, object, (member, other, words), place);
                    }
                }
                Rule::DelegationNeeded { member, list, says } => {
                    self.check_delegation(value, member, list, says, place);
                }
                Rule::Comparison { operator, value: comparand } => {
                    self.check_comparison(
                        value.member(operator),
                        value.member(comparand),
                        &Place::Name(place, comparand),
                    );
                }
                Rule::KeyOfDid { did, jwk } => {
                    if let Some(found) = value.member(jwk) {
                        self.check_same_key(found, did, &Place::Name(place, jwk));
                    }
                }
                Rule::HolderIsSubject => {
                    if let Some(found) = value.member("cnf").and_then(|cnf| cnf.member("jwk")) {
                        let place = Place::Name(place, "cnf");
                        self.check_same_key(found, "subject.id", &Place::Name(&place, "jwk"));
                    }
                }
                Rule::AmongThese { of: (object, member), list } => {
                    let found = value.member(object).and_then(|object| object.member(member));
                    if let (Some(found), Some(list_found)) = (found, value.member(list))
                        && !list_found.elements().any(|element| element.as_str() == found.as_str())
                    {
                        let place = Place::Name(place, object);
                        self.doubt(Doubt::NotAmong { list }, &Place::Name(&place, member));
                    }
                }
                Rule::ShortLife { .. } => {} // is judged once the time of issue is known: check_life
                Rule::SeldomAlone { member, other } => {
                    if value.member(member).is_some() && value.member(other).is_none() {
                        self.doubt(Doubt::Alone { other }, &Place::Name(place, member));
                    }
                }
            }
        }
    }

    fn check_needed_word(
        &mut self,
        value: Value<'_>,
        object: &Object,
        (member, other, words): (&str, &str, &[&str]),
        place: &Place<'_>,
    ) {
        let expected = || format!("expected {} beside {member}", words.join(" or "));
        let place = Place::Name(place, other);
        let Some(found) = value.member(other) else {
            return self.violation(&place, DetailCode::Missing, format!("missing; {}", expected()));
        };
        // A word that is none of the field's own was refused before.
        if let Some(word) = found.as_str()
            && !words.contains(&word.as_ref())
            && let Some(FieldKind::Word(known)) = object.field(other).map(|field| &field.kind)
            && known.contains(&word.as_ref())
        {
            self.violation(&place, DetailCode::Inconsistent, format!("found {word}; {}", expected()));
        }
    }

    fn check_delegation(
        &mut self,
        value: Value<'_>,
        member: &str,
        list: &str,
        (part, word): &(&str, &str),
        place: &Place<'_>,
    ) {
        let says = |element: Value<'_>| {
            element.member(part).and_then(Value::as_str).is_some_and(|text| text == *word)
        };
        let needs = value.member(list).is_some_and(|list| list.elements().any(says));
        if needs && value.member(member).is_none() {
            let message = format!("missing; expected where one of {list} has the {part} {word}");
            self.violation(&Place::Name(place, member), DetailCode::DelegatedByRequired, message);
        }
    }

    fn check_comparison(
        &mut self,
        operator: Option<Value<'_>>,
        comparand: Option<Value<'_>>,
        place: &Place<'_>,
    ) {
        let Some((operator, comparand)) = operator.and_then(Value::as_str).zip(comparand) else { return };
        let is_array = comparand.kind() == Kind::Array;
        let (fits, expected) = match operator.as_ref() {
            "lte" | "lt" | "gte" | "gt" => (comparand.kind() == Kind::Number, "a number"),
            "in" => (is_array && comparand.elements().next().is_some(), "an array that is not empty"),
            _ => (!is_array, "one value"),
        };
        // What is none of these was refused before.
        let is_comparand = is_scalar(comparand) || (is_array && comparand.elements().all(is_scalar));
        if is_comparand && !fits {
            let message =
                format!("found {}; expected {expected} beside the operator {operator}", comparand.kind());
            self.violation(place, DetailCode::Inconsistent, message);
        }
    }

    fn check_same_key(&mut self, jwk: Value<'_>, did: &str, place: &Place<'_>) {
        let members = serde_json::from_str(jwk.text()).ok();
        let key = members.and_then(|members| HolderKey::of_jwk(&members).ok());
        if let (Some(key), Some(of_did)) = (key, &self.key_of_did)
            && key != *of_did
        {
            self.violation(place, DetailCode::Inconsistent, format!("is another key than that of {did}"));
        }
    }

    /// Warns of a life that is long for its type.
    pub(super) fn check_life(
        &mut self,
        credential_type: &CredentialType,
        issued_at: UnixTime,
        expires_at: UnixTime,
        bare: bool,
    ) {
        for rule in credential_type.rules {
            if let Rule::ShortLife { days } = rule
                && expires_at.seconds() - issued_at.seconds() > i64::from(*days) * 86_400
            {
                let envelope = Place::Name(&Place::Root, "request");
                let place = Place::Name(if bare { &Place::Root } else { &envelope }, "ttl");
                self.doubt(Doubt::LongLife { days: *days }, &place);
            }
        }
    }

    fn warn_of_shares(&mut self, list: Value<'_>, share: &str) {
        let share = |element: Value<'_>| element.member(share).and_then(|value| rules::percent(value.text()));
        let sum: f64 = list.elements().filter_map(share).sum();
        // Thirds written as decimals add up to a hair more than 100.
        if sum > 100.0 + 1e-9 {
            // Two decimals: more would be artefacts of adding doubles.
            let sum = (sum * 100.0).round() / 100.0;
            self.warnings.push(Warning::SharesOver100(sum));
        }
    }
}
