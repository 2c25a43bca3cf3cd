//! Whether two values say the same, however each is written.

use std::borrow::Cow;

use super::{Decimal, Kind, Value};

impl Value<'_> {
    /// Whether both values say the same: members in any order, escapes of any kind, and numbers by their value, so that
    /// `25.10` and `25.1` are one. That is what other programs leave of a text when they write it anew.
    pub fn says_the_same_as(self, other: Value<'_>) -> bool {
        match (self.kind(), other.kind()) {
            (Kind::Object, Kind::Object) => same_members(self, other),
            (Kind::Array, Kind::Array) => same_elements(self, other),
            (Kind::String, Kind::String) => self.as_str() == other.as_str(),
            (Kind::Number, Kind::Number) => same_numbers(self.text(), other.text()),
            (kind, other) => kind == other,
        }
    }
}

fn same_elements(one: Value<'_>, other: Value<'_>) -> bool {
    let (mut one, mut other) = (one.elements(), other.elements());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.says_the_same_as(other) => {}
            _ => return false,
        }
    }
}

fn same_members(one: Value<'_>, other: Value<'_>) -> bool {
    let (one, other) = (sorted(one), sorted(other));
    let same = |((name, value), (other_name, other)): (&Member<'_>, &Member<'_>)| {
        name == other_name && value.says_the_same_as(*other)
    };
    one.len() == other.len() && one.iter().zip(&other).all(same)
}

type Member<'a> = (Cow<'a, str>, Value<'a>);

fn sorted(object: Value<'_>) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> = object.members().collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    members
}

/// A number that is too large to be taken apart is only the same as itself.
fn same_numbers(one: &str, other: &str) -> bool {
    one == other || Decimal::parse(one).is_some_and(|one| Some(one) == Decimal::parse(other))
}

#[cfg(test)]
mod tests {
    use super::super::Parser;

    fn same(one: &str, other: &str) -> bool {
        let (mut parser, mut other_parser) = (Parser::default(), Parser::default());
        let (one, other) = (parser.parse(one).unwrap(), other_parser.parse(other).unwrap());
        let found = one.root().says_the_same_as(other.root());
        assert_eq!(found, other.root().says_the_same_as(one.root()));
        found
    }

    #[test]
    fn spelling_makes_no_difference() {
        for (one, other) in [
            (r#"{"a":1,"b":[true,null]}"#, r#" { "b" : [ true , null ] , "a" : 1.0 } "#),
            (r#""A\u00e9\/""#, "\"A\u{e9}/\""),
            (r#"{"\u0061":0}"#, r#"{"a":-0.0}"#),
            ("25.10", "251e-1"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("{}", "{ }"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn any_other_difference_does() {
        for (one, other) in [
            ("1", "2"),
            ("1", "-1"),
            ("1", "\"1\""),
            ("9007199254740993", "9007199254740992"),
            ("1e99999999999999999999", "1E99999999999999999999"),
            ("true", "false"),
            ("null", "{}"),
            ("[]", "{}"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"A":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            ("\"a\"", "\"a \""),
            ("\"\u{e9}\"", "\"e\u{301}\""),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
