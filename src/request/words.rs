//! The words of messages: what was found, and what was expected.

use std::borrow::Cow;

use super::rules;
use crate::invisible;
use crate::json::{Kind, Value};
use crate::types::{Field, FieldKind, Object};

/// What a field wants, in words that follow "expected".
pub(super) fn expectation(field: &Field) -> Cow<'static, str> {
    use FieldKind::*;
    match &field.kind {
        Ignored | Any => "anything".into(),
        Judged(judged) => judged.words.as_str().into(),
        Attestation => "true".into(),
        CredentialType(name) => (*name).into(),
        Word(words) => words.join(" or ").into(),
        Text { .. } => "text".into(),
        Country => "an ISO 3166-1 alpha-2 code, such as GB".into(),
        Jurisdiction => "an ISO 3166-1 or ISO 3166-2 code, such as GB or US-DE".into(),
        Boolean => "true or false".into(),
        Percent => "a number from 0 to 100, such as 25 or 12.5".into(),
        PastDateTime => "an RFC 3339 date-time, such as 2026-01-31T12:00:00Z".into(),
        PastDate => "an RFC 3339 date, such as 1990-01-31".into(),
        Currency => "an ISO 4217 code, such as EUR".into(),
        Whole { or_null: false } => "a whole number, 0 or more, such as 5000".into(),
        Whole { or_null: true } => "a whole number, 0 or more, or null".into(),
        DidJwk => "a did:jwk of a public key".into(),
        Comparand => "a number, text, true or false, or an array of those".into(),
        Duration | Life => "an ISO 8601 duration, such as P1Y".into(),
        PublicJwk => "a public JWK, which is an object".into(),
        Object(_) => "an object".into(),
        Array { of, .. } => format!("an array of {}s", of.name.replace('_', " ")).into(),
    }
}

/// What was found, without its value where that may be personal.
pub(super) fn found(value: Value<'_>, field: &Field) -> String {
    // What stands in the place of a person, an address or a key may be all or part of one.
    let quotable = value.as_str().is_none_or(|text| may_be_quoted(&text, field));
    match quotable && !field.personal && holds_nothing_personal(&field.kind) {
        true => preview(value),
        false => value.kind().to_string(),
    }
}

fn holds_nothing_personal(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Object(_) | FieldKind::PublicJwk => false,
        FieldKind::Array { of, .. } => holds_nothing_personal(&of.kind),
        _ => true,
    }
}

/// What was found, in words that stand before what is wrong.
pub(super) fn found_before(text: &str, field: &Field) -> String {
    match may_be_quoted(text, field) {
        true => format!("found {}; ", quote(text)),
        false => "found other text; ".to_owned(),
    }
}

/// Whether a text looks like an address to write to or a number to call, which belongs to somebody wherever it stands.
fn is_contact(text: &str) -> bool {
    let number =
        text.trim().strip_prefix('+').map(|number| number.chars().filter(char::is_ascii_digit).count());
    text.contains('@') || number.is_some_and(|digits| digits >= 5)
}

/// Whether a message may quote the text that was found in a field. In the place of a code, a number or a date one
/// word is quoted, which is most likely a slip of what belongs there. Several may be a name or an address that came
/// there with a column that slipped.
fn may_be_quoted(text: &str, field: &Field) -> bool {
    let is_short = |most: usize| text.chars().count() <= most;
    let is_one_word = || is_short(LONGEST_WORD) && !text.trim().contains(char::is_whitespace);
    match field.kind {
        _ if field.personal || is_contact(text) => false,
        FieldKind::Country => is_short(3),
        _ => is_short(SHORTEST_NAME) || is_one_word() || rules::probably_meant(text).is_some(),
    }
}

/// The most characters of a word that is quoted.
const LONGEST_WORD: usize = 32;

/// The most characters that are quoted with a space between them, as in `1 year` and `62,5 %`.
const SHORTEST_NAME: usize = 6;

/// The word of a list that another one was probably meant to be, in words that follow what was expected:
/// `organization` is `organisation` to those who write British English.
pub(super) fn meant_word(text: &str, words: &[&str], field: &Field) -> String {
    // A guess would show what a personal field holds.
    if field.personal {
        return String::new();
    }
    let wanted = text.to_lowercase();
    let near = |word: &&&str| strsim::damerau_levenshtein(word, &wanted) <= 2 && word.len() > 4;
    words.iter().find(near).map(|word| format!(" (did you mean {word}?)")).unwrap_or_default()
}

/// A member's name for a path, cut where it is longer than any name.
pub(super) fn shorten_name(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 128;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
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

/// Text in quotes, with invisible characters escaped and cut to a length that fits a message.
fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => invisible::escaped(&text[..end]) + "…",
        None => invisible::escaped(text),
    }
}

pub(super) fn unknown_field(name: &str, object: &Object) -> String {
    // An unknown name can hold anything, so it stands in the path and is not repeated here.
    match nearest(name, object) {
        Some(known) => format!("unknown field; did you mean {known}?"),
        None => {
            let known: Vec<_> = object.fields.iter().map(|field| field.name).collect();
            format!("unknown field; known here: {}", known.join(", "))
        }
    }
}

/// What other programs call a field, where the names are not alike.
const SYNONYMS: [(&str, &str); 12] = [
    ("expiresat", "ttl"),
    ("expires", "ttl"),
    ("expiry", "ttl"),
    ("expirydate", "ttl"),
    ("expiration", "ttl"),
    ("expirationdate", "ttl"),
    ("exp", "ttl"),
    ("validuntil", "ttl"),
    ("duration", "ttl"),
    ("validity", "ttl"),
    ("companyname", "name"),
    ("companynumber", "registration_number"),
];

/// The known name that another one was probably meant to be.
fn nearest(name: &str, object: &Object) -> Option<&'static str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let wanted = plain(name);
    let known =
        |synonym: &str| object.fields.iter().find(|field| field.name == synonym).map(|field| field.name);
    if let Some(field) =
        SYNONYMS.iter().filter(|(other, _)| *other == wanted).find_map(|(_, name)| known(name))
    {
        return Some(field);
    }
    object
        .fields
        .iter()
        .map(|field| (strsim::damerau_levenshtein(&plain(field.name), &wanted), field.name))
        .filter(|(distance, known)| *distance <= 3 && *distance * 2 < known.len())
        .min()
        .map(|(_, known)| known)
}
