//! What a credential says of itself, in a few words for people: who issued it, about whom, of what type, until when.
//!
//! Words of a verified credential are those of its issuer. Of any other token they are whatever somebody wrote.

use std::borrow::Cow;

use crate::cli::streams::printable;
use crate::clock::UnixTime;
use crate::json::{Kind, Parser, Value};
use crate::token::{Compact, Part, decode_text, parse_object, process};

/// The most characters of a value that are shown.
const MAX_CHARS: usize = 120;

/// What a credential says of itself; none of it where it says nothing.
#[derive(Debug, Default, Clone)]
pub(super) struct Said {
    pub(super) issuer: Option<String>,
    pub(super) subject: Option<String>,
    /// The type that is not that of every credential, or the `vct`.
    pub(super) kind: Option<String>,
    /// A date.
    pub(super) until: Option<String>,
    /// The status lists that it names.
    pub(super) lists: Vec<String>,
}

impl Said {
    /// What a credential says, given as JSON.
    pub(super) fn of_json(credential: &str, is_sd_jwt: bool) -> Said {
        let mut parser = Parser::for_tokens();
        let read = if is_sd_jwt { Said::of_sd_jwt } else { Said::of };
        parser.parse(credential).map_or_else(|_| Said::default(), |document| read(document.root()))
    }

    /// What a token says, which nobody has verified; none where it cannot be read.
    pub(super) fn of_token(token: &str) -> Option<Said> {
        let compact = Compact::split(token).ok()?;
        let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
        let payload = decode_text(compact.payload, Part::Payload, &mut buffer).ok()?;
        let document = parse_object(payload, Part::Payload, &mut parser).ok()?;
        Some(match process(document.root(), &compact.disclosures) {
            Ok(processed) if compact.is_sd_jwt => Said::of_json(&processed.payload, true),
            _ if compact.is_sd_jwt => Said::of_sd_jwt(document.root()),
            _ => Said::of(document.root()),
        })
    }

    /// What an SD-JWT VC says. Members of the W3C's data model mean nothing in it: nobody has checked them.
    fn of_sd_jwt(payload: Value<'_>) -> Said {
        let subject = payload.member("subject").and_then(|subject| text(subject, "id"));
        Said {
            issuer: text(payload, "iss").map(shown),
            subject: subject.or_else(|| text(payload, "sub")).map(shown),
            kind: text(payload, "vct").map(shown),
            until: until(payload, payload),
            lists: lists(payload, payload),
        }
    }

    fn of(payload: Value<'_>) -> Said {
        let vc = payload.member("vc").unwrap_or(payload);
        Said {
            issuer: text(payload, "iss").or_else(|| issuer(vc)).map(shown),
            subject: subject(payload, vc).map(shown),
            kind: own_type(vc).or_else(|| text(payload, "vct")).map(shown),
            until: until(payload, vc),
            lists: lists(payload, vc),
        }
    }

    /// All of it in one sentence; nothing where it says nothing.
    pub(super) fn in_words(&self) -> String {
        let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word}{value}"));
        let parts = [
            part("", &self.kind),
            part("about ", &self.subject),
            part("by ", &self.issuer),
            part("until ", &self.until),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A value as it is shown: short, and without what a terminal would act on.
fn shown(value: Cow<'_, str>) -> String {
    let cut: String = value.chars().take(MAX_CHARS).collect();
    let mark = if cut.len() < value.len() { "…" } else { "" };
    printable(&cut) + mark
}

fn text<'d>(object: Value<'d>, name: &str) -> Option<Cow<'d, str>> {
    object.member(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn issuer(vc: Value<'_>) -> Option<Cow<'_, str>> {
    text(vc, "issuer").or_else(|| text(vc.member("issuer")?, "id"))
}

fn subject<'d>(payload: Value<'d>, vc: Value<'d>) -> Option<Cow<'d, str>> {
    let subjects = vc.member("credentialSubject").or_else(|| payload.member("subject"));
    let first = subjects.map(|subjects| match subjects.kind() {
        Kind::Array => subjects.elements().next().unwrap_or(subjects),
        _ => subjects,
    });
    let id = first.and_then(|subject| text(subject, "id").or_else(|| text(subject, "subject_id")));
    id.or_else(|| text(payload, "sub"))
}

fn own_type(vc: Value<'_>) -> Option<Cow<'_, str>> {
    let types = vc.member("type")?;
    let single = types.as_str().into_iter();
    let all = single.chain(types.elements().filter_map(Value::as_str));
    all.filter(|name| name != "VerifiableCredential").last()
}

fn until(payload: Value<'_>, vc: Value<'_>) -> Option<String> {
    let seconds = payload.member("exp").and_then(|exp| exp.text().parse().ok());
    let exp = seconds.and_then(UnixTime::from_seconds).map(|time| time.to_string());
    let date = || text(vc, "validUntil").or_else(|| text(vc, "expirationDate")).map(Cow::into_owned);
    exp.or_else(date).map(|time| printable(&time.chars().take(10).collect::<String>()))
}

fn lists(payload: Value<'_>, vc: Value<'_>) -> Vec<String> {
    let token = payload.member("status").and_then(|status| text(status.member("status_list")?, "uri"));
    let entries = payload.member("credentialStatus").or_else(|| vc.member("credentialStatus"));
    let single = entries.filter(|entries| entries.kind() == Kind::Object);
    let entries = single.into_iter().chain(entries.into_iter().flat_map(Value::elements));
    let bitstrings = entries.filter_map(|entry| text(entry, "statusListCredential"));
    token.into_iter().chain(bitstrings).map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever may sign an SD-JWT VC may put anything beside what the format defines.
    #[test]
    fn an_sd_jwt_vc_is_what_its_own_members_say() {
        let credential = r#"{"vct":"urn:x","sub":"2","exp":1826942400,"issuer":"https://victim.example",
            "type":["VerifiableCredential","Licence"],"credentialSubject":{"id":"https://victim.example/1"}}"#;
        assert_eq!(Said::of_json(credential, true).in_words(), "urn:x about 2 until 2027-11-23");
    }

    #[test]
    fn a_credential_is_said_in_a_sentence() {
        for (credential, expected) in [
            (
                r#"{"iss":"did:web:a","type":["VerifiableCredential","BusinessCredential"],"vct":"urn:x",
                    "credentialSubject":{"subject_id":"1"},"validUntil":"2027-11-23T04:00:00Z"}"#,
                "BusinessCredential about 1 by did:web:a until 2027-11-23",
            ),
            (r#"{"vct":"urn:x","sub":"2","exp":1826942400}"#, "urn:x about 2 until 2027-11-23"),
            (
                r#"{"issuer":{"id":"https://a"},"credentialSubject":[{"id":"urn:3"}]}"#,
                "about urn:3 by https://a",
            ),
            (
                r#"{"iss":"a","vc":{"type":"VerifiableCredential","credentialSubject":{"id":"b"}}}"#,
                "about b by a",
            ),
            (r#"{"subject":{"id":5},"iss":7,"type":{},"exp":"x"}"#, ""),
            (r#"{"sub":"\u001b[31m\u202e"}"#, "about \\u{1b}[31m\\u{202e}"),
            ("", ""),
        ] {
            assert_eq!(Said::of_json(credential, false).in_words(), expected, "{credential}");
        }
        let long = format!(r#"{{"sub":"{}"}}"#, "x".repeat(200));
        assert_eq!(Said::of_json(&long, false).in_words(), format!("about {}…", "x".repeat(120)));
    }

    #[test]
    fn all_lists_are_found() {
        let credential = r#"{"status":{"status_list":{"uri":"a"}},
            "credentialStatus":[{"statusListCredential":"b"},{"statusListCredential":5},{}]}"#;
        assert_eq!(Said::of_json(credential, false).lists, ["a", "b"]);
    }
}
