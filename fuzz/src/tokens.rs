//! Tokens and disclosures, which nobody has verified.

use base64_simd::URL_SAFE_NO_PAD;
use beltic::cli::inspection::{self, Inspection};
use beltic::json::Parser;
use beltic::token::{Compact, Part, parse_object, present, process, unverified_id};
use beltic::verify::{KeyRing, NoLists, Policy, Verdict, Verifier};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::world::{ISSUER, KEY, KID, now};

/// A token in compact form: a JWS or an SD-JWT.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(compact) = Compact::split(text) {
        assert_eq!(written(&compact), text, "the parts make the token again");
    }
    let _ = unverified_id(text);
    laid_out(text);
    let mut ring = KeyRing::default();
    ring.add_named(KID, KEY.public(), ISSUER).expect("a name of the issuer's");
    let policy = Policy { legacy_vc: true, ..Policy::at(now()) };
    let verdict = Verifier::new(&ring, &policy, NoLists).verify(text).is_valid();
    assert!(!verdict, "nobody signed it");
}

/// An SD-JWT: the payload on the first line, then a disclosure a line, all as JSON. `#1` stands for the digest of
/// the first disclosure, and so on; a disclosure can hold those of later ones.
pub fn presentation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines: Vec<String> = text.lines().take(40).map(str::to_owned).collect();
    let mut disclosures = Vec::new();
    for at in (1..lines.len()).rev() {
        let disclosure = URL_SAFE_NO_PAD.encode_to_string(&lines[at]);
        let digest = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(disclosure.as_bytes()));
        let place = format!("\"#{at}\"");
        for line in &mut lines[..at] {
            *line = line.replace(&place, &format!("\"{digest}\""));
        }
        disclosures.insert(0, disclosure);
    }
    let Some(payload) = lines.first() else { return };
    put_in(payload, &disclosures);
    let mut token = format!("e30.{}.c2ln~", URL_SAFE_NO_PAD.encode_to_string(payload));
    for disclosure in &disclosures {
        token.push_str(disclosure);
        token.push('~');
    }
    laid_out(&token);
}

fn put_in(payload: &str, disclosures: &[String]) {
    let token = |disclosures: &[&str]| {
        let mut token = format!("e30.{}.c2ln~", URL_SAFE_NO_PAD.encode_to_string(payload));
        disclosures.iter().for_each(|disclosure| token.extend([*disclosure, "~"]));
        token
    };
    let disclosures: Vec<&str> = disclosures.iter().map(String::as_str).collect();
    let mut parser = Parser::for_tokens();
    let Ok(document) = parse_object(payload, Part::Payload, &mut parser) else { return };
    let Ok(processed) = process(document.root(), &disclosures) else { return };
    assert_eq!(processed.disclosed.len(), disclosures.len());
    if let Ok(value) = serde_json::from_str::<Value>(&processed.payload) {
        for disclosed in &processed.disclosed {
            assert!(value.pointer(&disclosed.pointer).is_some(), "{} is there", disclosed.pointer);
        }
    }
    let all = token(&disclosures);
    let pointers: Vec<String> = processed.disclosed.iter().map(|found| found.pointer.clone()).collect();
    assert_eq!(present(&all, &pointers).as_deref(), Ok(&*all), "all of it is the token as it was");
    let none = present(&all, &[]).expect("nothing has to be shown");
    assert_eq!(none, token(&[]));
    assert!(process(document.root(), &[]).is_ok(), "what shows everything can show nothing");
}

/// The token from its parts.
fn written(compact: &Compact<'_>) -> String {
    let mut text = format!("{}.{}.{}", compact.header, compact.payload, compact.signature);
    assert_eq!(text, compact.jwt);
    if compact.is_sd_jwt {
        text.push('~');
        compact.disclosures.iter().for_each(|disclosure| text.extend([*disclosure, "~"]));
        text.push_str(compact.key_binding.unwrap_or_default());
    }
    text
}

/// A token, a disclosure or a key as `inspect` shows it: JSON is JSON, and no line breaks out of its place.
fn laid_out(text: &str) {
    if let Ok(inspection) = Inspection::of(text) {
        let _ = inspection.disclosure_problem();
        is_printable(&inspection.text(now()));
        is_json(&inspection.json());
    }
    if let Some(page) = inspection::disclosure(text, false) {
        is_printable(&page);
    }
    if let Some(page) = inspection::disclosure(text, true) {
        is_json(&page);
    }
    let mut parser = Parser::default();
    if let Ok(document) = parser.parse(text) {
        if let Some(page) = inspection::keys(document.root(), false) {
            is_printable(&page);
        }
        if let Some(page) = inspection::keys(document.root(), true) {
            page.lines().for_each(is_json);
        }
    }
}

fn is_printable(page: &str) {
    let harmless = |character: char| character == '\n' || !character.is_control();
    assert!(page.chars().all(harmless), "control characters reach the terminal");
}

fn is_json(page: &str) {
    let read = serde_json::from_str::<serde::de::IgnoredAny>(page);
    assert!(read.is_ok(), "{read:?}: {page}");
}

/// A verdict in one word.
trait InOneWord {
    fn is_valid(&self) -> bool;
}

impl InOneWord for Verdict<'_> {
    fn is_valid(&self) -> bool {
        matches!(self, Verdict::Valid(_))
    }
}
