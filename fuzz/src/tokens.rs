//! Tokens and disclosures, which nobody has verified.

use base64_simd::URL_SAFE_NO_PAD;
use beltic::cli::inspection::{self, Inspection};
use beltic::json::Parser;
use beltic::keys::SigningKey;
use beltic::request::rules::CalendarDuration;
use beltic::token::{Compact, Part, parse_object, present, process, sd_hash, sign_compact, unverified_id};
use beltic::verify::{KeyBinding, KeyRing, NoLists, Policy, Verdict, Verifier};
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
    let policy = Policy { legacy_vc: true, legacy_typ: true, ..Policy::at(now()) };
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

/// A key binding JWT: its header on the first line, its claims on the second. `HASH` stands for the `sd_hash` of the
/// presentation. It is signed here by the holder's key, so that it is valid where it says what it must.
pub fn key_binding(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((header, claims)) = text.split_once('\n') else { return };
    let mut signer = KEY.signer().expect("the key signs");
    let jwk =
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, KEY.public().x(), KEY.public().y());
    let payload = format!(r#"{{"iss":"{ISSUER}","vct":"urn:x","cnf":{{"jwk":{jwk}}}}}"#);
    let own = format!(r#"{{"alg":"ES256","typ":"dc+sd-jwt","kid":"{KID}"}}"#);
    let shown = sign_compact(&mut *signer, &own, &payload).expect("the key signs") + "~";
    let claims = claims.replace("HASH", &sd_hash(&shown));
    let binding = sign_compact(&mut *signer, header, &claims).expect("the key signs");
    let mut ring = KeyRing::default();
    ring.add_named(KID, KEY.public(), ISSUER).expect("a name of the issuer's");
    let max_age = CalendarDuration::parse("PT5M").expect("five minutes are a duration");
    let wanted = KeyBinding { audience: "https://v.example".into(), nonce: Some("n-1".into()), max_age };
    let policy = Policy { key_binding: Some(wanted), ..Policy::at(now()) };
    let presentation = format!("{shown}{binding}");
    if Verifier::new(&ring, &policy, NoLists).verify(&presentation).is_valid() {
        let header: Value = serde_json::from_str(header).expect("the header is JSON");
        let claims: Value = serde_json::from_str(&claims).expect("the claims are JSON");
        assert_eq!(header["alg"], "ES256");
        assert_eq!((&claims["aud"], &claims["nonce"]), (&"https://v.example".into(), &"n-1".into()));
        assert_eq!(claims["sd_hash"], sd_hash(&shown));
        let age = now().seconds() as f64 - claims["iat"].as_f64().expect("`iat` is a number");
        assert!((0.0..=300.0).contains(&age), "made {age} seconds ago");
    }
    let unbound = Policy::at(now());
    let verdict = Verifier::new(&ring, &unbound, NoLists).verify(&presentation).is_valid();
    assert!(verdict, "what nobody asks for changes nothing");
    laid_out(&presentation);
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
pub(crate) fn laid_out(text: &str) {
    if let Ok(inspection) = Inspection::of(text) {
        let _ = inspection.disclosure_problem();
        is_printable(&inspection.text(now()));
        is_json(&inspection.json());
    }
    if let Some(page) = inspection::certificates(text.as_bytes(), false, now()) {
        is_printable(&page);
    }
    if let Some(page) = inspection::certificates(text.as_bytes(), true, now()) {
        page.lines().for_each(is_json);
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
