//! Rules between the members of an object.

use super::findings::{Findings, Place};
use super::rejection::DetailCode;
use super::rules;
use super::warning::{Doubt, Warning};
use crate::json::Value;
use crate::types::{FieldKind, Object, Rule};

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
                            format!("missing; expected beside {member}"),
                        );
                    }
                }
                Rule::NeedsWord { member, other, words } => {
                    if value.member(member).is_some() {
                        self.check_needed_word(value, object, (member, other, words), place);
                    }
                }
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
