//! Tokens and lists that others have published.

use std::path::PathBuf;

use beltic::clock::UnixTime;
use beltic::verify::{KeyRing, Lists, NoLists, Policy, Reason, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::readers::machine;
use crate::world::hand;

/// A folder of published vectors, where it is there.
fn vectors(name: &str) -> Option<PathBuf> {
    machine::data(&format!("vectors/{name}"))
}

fn policy(now: i64) -> Policy {
    Policy::at(UnixTime::from_seconds(now).unwrap())
}

fn reason(verdict: &Verdict<'_>) -> Option<Reason> {
    match verdict {
        Verdict::Valid(_) => None,
        Verdict::Invalid(refusal) => Some(refusal.reason),
    }
}

/// The tokens of the W3C's test suite for VC-JOSE-COSE. One of them is a credential with ES256. Its signature is
/// sound, and its `iat` a date in words, which RFC 7519 section 4.1.6 forbids. The others are refused for their
/// algorithm alone.
#[test]
fn tokens_of_the_w3c_test_suite() {
    let Some(folder) = vectors("w3c-vc-jose-cose/test-suite-input") else { return };
    let method: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("vm-p256.json")).unwrap()).unwrap();
    let mut ring = KeyRing::default();
    let jwks = json!({"keys": [method["publicKeyJwk"]]}).to_string();
    ring.add_jwks(&jwks, method["controller"].as_str()).unwrap();
    let policy = policy(1_795_406_400);
    let mut verifier = Verifier::new(&ring, &policy, NoLists);
    let mut tokens = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        tokens += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let verdict = verifier.verify(text.trim_end());
        let expected = match path.file_stem().unwrap().to_str().unwrap() {
            "credential-jose-minimal" => (Reason::SchemaInvalid, Step::Claims),
            _ => (Reason::UnsupportedAlg, Step::Header),
        };
        let Verdict::Invalid(refusal) = verdict else { panic!("{} is valid", path.display()) };
        assert_eq!((refusal.reason, refusal.step), expected, "{}: {refusal}", path.display());
    }
    assert_eq!(tokens, 16);
}

/// The signed list in the Token Status List draft, with every one of its sixteen entries.
#[test]
fn the_signed_list_of_the_token_status_list_draft() {
    let Some(folder) = vectors("ietf-token-status-list") else { return };
    let vector: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("status-list-token.json")).unwrap())
            .unwrap();
    let issuer = "https://example.com";
    let mut ring = KeyRing::default();
    let jwks = json!({"keys": [vector["jwk"], hand().jwk("ours")]}).to_string();
    ring.add_jwks(&jwks, Some(issuer)).unwrap();
    let policy = policy(1_795_406_400);
    let mut lists = Lists::default();
    lists.add(vector["token"].as_str().unwrap(), &ring, &policy).unwrap();

    let mut verifier = Verifier::new(&ring, &policy, &lists);
    // The draft's own table for b9 a3, from the lowest bit up.
    let entries = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    for (index, entry) in entries.into_iter().chain([2, 2]).enumerate() {
        let payload = json!({
            "iss": issuer, "vct": "urn:example:x", "exp": 4_000_000_000u32,
            "status": {"status_list": {"idx": index, "uri": "https://example.com/statuslists/1"}},
        });
        let token = hand().sd_jwt(&json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": "ours"}), &payload, &[]);
        let expected = [None, Some(Reason::Revoked), Some(Reason::StatusUnknown)][entry];
        assert_eq!(reason(&verifier.verify(&token)), expected, "{index}");
    }

    // The draft's own credential has a type of its own.
    let referenced = vector["referenced_sd_jwt"].as_str().unwrap();
    assert_eq!(reason(&verifier.verify(referenced)), Some(Reason::UnsupportedType));
}
