//! `beltic present`.

use serde_json::json;

use crate::readers::sign::{Hand, digest, element, member};
use crate::support::*;

/// An SD-JWT VC made by hand, with what the default policy makes disclosable.
pub(super) struct Company {
    pub(super) token: String,
    jwt: String,
    registration_number: String,
    owners: String,
    ada: String,
    bo: String,
    address: String,
}

pub(super) fn company() -> Company {
    let registration_number = member("registration_number", &json!("00012345"));
    let ada = element(&json!({"full_name": "Ada", "ownership_percent": 62.5}));
    let bo = element(&json!({"full_name": "Bo"}));
    let owners = member("beneficial_owners", &json!([{"...": digest(&ada)}, {"...": digest(&bo)}]));
    let address = member("registered_address", &json!({"line1": "1 Quay", "city": "Leith", "country": "GB"}));
    let payload = json!({
        "iss": DID_KEY, "vct": "urn:beltic:business:1", "sub": "urn:example:a", "exp": 4_000_000_000u32,
        "_sd_alg": "sha-256",
        "subject": {"id": "urn:example:a", "_sd": [digest(&registration_number)]},
        "claims": {"jurisdiction": "GB", "_sd": [digest(&address), digest(&owners), digest("a decoy")]},
    });
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": DID_KEY});
    let all = [&registration_number, &owners, &ada, &bo, &address].map(String::clone);
    let token = Hand::from_pem_file(&key_fixture("p256-pkcs8.pem")).sd_jwt(&header, &payload, &all);
    let jwt = token.split('~').next().unwrap().to_owned();
    Company { token, jwt, registration_number, owners, ada, bo, address }
}

#[test]
fn what_is_chosen_stays_with_what_is_around_it() {
    let Company { token, jwt, registration_number, owners, ada, bo, address } = company();
    let sandbox = Sandbox::new();
    sandbox.write("token.txt", format!("{token}\n"));
    let present = |paths: &[&str]| {
        let flags = paths.iter().flat_map(|path| ["--disclose", path]);
        let args: Vec<&str> = ["present", "token.txt"].into_iter().chain(flags).collect();
        sandbox.beltic(&args).expect(0).stdout
    };
    let expected = |kept: &[&String]| {
        let tail: String = kept.iter().map(|disclosure| format!("{disclosure}~")).collect();
        format!("{jwt}~{tail}\n")
    };
    assert_eq!(present(&[]), expected(&[]));
    assert_eq!(present(&["claims.registered_address"]), expected(&[&address]));
    assert_eq!(present(&["claims.beneficial_owners"]), expected(&[&owners]));
    assert_eq!(present(&["claims.beneficial_owners[1]"]), expected(&[&owners, &bo]));
    assert_eq!(present(&["claims.beneficial_owners[]"]), expected(&[&owners, &ada, &bo]));
    assert_eq!(
        present(&["claims.registered_address", "subject.registration_number"]),
        expected(&[&registration_number, &address]),
        "in the order of the token"
    );
}

#[test]
fn what_is_presented_can_be_read_and_presented_again() {
    let sandbox = Sandbox::new();
    let Company { token, .. } = company();
    let row = json!({"index": 0, "credential": {"signed_payload": token}}).to_string();
    let once = sandbox.beltic_fed(&["present", "--disclose", "claims.beneficial_owners[1]"], row.as_bytes());
    let once = once.expect(0).stdout;
    let seen = sandbox.beltic_fed(&["inspect", "--output-format", "json"], once.as_bytes()).expect(0).stdout;
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(
        seen["claims"]["claims"],
        json!({"jurisdiction": "GB", "beneficial_owners": [{"full_name": "Bo"}]})
    );

    // So can a table of results.
    let table = format!("index,id,signed_payload,error_code\n0,,,x\n1,,{token},\n");
    let from_table =
        sandbox.beltic_fed(&["present", "--disclose", "claims.beneficial_owners[1]"], table.as_bytes());
    assert_eq!(from_table.expect(0).stdout, once);

    // Bo is the only one left, and so the first.
    let twice =
        sandbox.beltic_fed(&["present", "--disclose", "claims.beneficial_owners[0]"], once.as_bytes());
    assert_eq!(twice.expect(0).stdout, once);
}

#[test]
fn an_unknown_path_lists_those_that_there_are() {
    let Company { token, .. } = company();
    let run = Sandbox::new().beltic(&["present", &token, "--disclose", "claims.jurisdiction"]).expect(2);
    assert!(run.stderr.contains(r#"no disclosure is at "claims.jurisdiction""#), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("subject.registration_number, claims.beneficial_owners, claims.beneficial_owners[0]"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn what_is_no_issued_sd_jwt_is_not_presented() {
    let Company { token, jwt, .. } = company();
    let sandbox = Sandbox::new();
    let run = sandbox.beltic(&["present", &jwt]).expect(4);
    assert!(run.stderr.contains("not an SD-JWT"), "{}", run.stderr);
    let run = sandbox.beltic(&["present", &format!("{token}{jwt}")]).expect(4);
    assert!(run.stderr.contains("key binding JWT"), "{}", run.stderr);
    let run = sandbox.beltic_fed(&["present"], format!("{token}\n{token}\n").as_bytes()).expect(4);
    assert!(run.stderr.contains("found 2 tokens; expected one"), "{}", run.stderr);
}

#[test]
fn a_json_pointer_names_a_disclosure_and_a_cut_token_is_refused() {
    let Company { token, jwt, address, .. } = company();
    let sandbox = Sandbox::new();
    let args = ["present", "--disclose", "/claims/registered_address"];
    let run = sandbox.beltic_fed(&args, token.as_bytes()).expect(0);
    assert_eq!(run.stdout, format!("{jwt}~{address}~\n"));
    let cut = token.strip_suffix('~').unwrap();
    let run = sandbox.beltic_fed(&["present"], cut.as_bytes()).expect(4);
    assert!(run.stderr.contains("every disclosure, including the last, must end with `~`"), "{}", run.stderr);
}

#[test]
fn a_path_of_two_disclosures_is_refused() {
    let (inner, outer) = (member("b", &json!("x")), member("a.b", &json!("y")));
    let payload = json!({
        "iss": DID_KEY, "vct": "urn:x", "exp": 4_000_000_000u32, "_sd": [digest(&outer)], "a": {"_sd": [digest(&inner)]},
    });
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": DID_KEY});
    let hand = Hand::from_pem_file(&key_fixture("p256-pkcs8.pem"));
    let token = hand.sd_jwt(&header, &payload, &[inner.clone(), outer]);
    let sandbox = Sandbox::new();
    let run = sandbox.beltic_fed(&["present", "--disclose", "a.b"], token.as_bytes()).expect(2);
    assert!(run.stderr.contains("/a/b or /a.b"), "{}", run.stderr);
    let run = sandbox.beltic_fed(&["present", "--disclose", "/a/b"], token.as_bytes()).expect(0);
    assert!(run.stdout.ends_with(&format!("~{inner}~\n")), "{}", run.stdout);
}

/// From the holder's key to a verdict: a presentation that is bound is valid for its audience and nonce alone.
#[test]
fn a_presentation_is_bound_to_the_holder_s_key() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen", "--quiet"]).expect(0);
    sandbox.beltic(&["keygen", "--out", "holder.pem", "--quiet"]).expect(0);
    let jwk: serde_json::Value = serde_json::from_str(&sandbox.read("holder.pub.jwk")).unwrap();
    let item = serde_json::json!({
        "self_attestation_complete": true,
        "subject": {"id": "urn:example:holder"},
        "claims": {"jurisdiction": "GB"},
        "cnf": {"jwk": jwk},
    });
    sandbox.write("item.json", item.to_string());
    sandbox.issue("item.json --proof-format sd_jwt_vc --output-format jwt --out c.txt --quiet").expect(0);
    let show = |more: &str| {
        let typed = format!("present c.txt {more}");
        sandbox.beltic(&typed.split_whitespace().collect::<Vec<_>>())
    };
    let bound = show("--holder-key holder.pem --audience https://v.example --nonce n1 --out shown.txt");
    assert_eq!(bound.expect(0).stderr, "");
    let verify = |more: &str| {
        let typed = format!(
            "verify shown.txt --key .beltic/issuer.pub.jwk --no-status --output-format ndjson {more}"
        );
        sandbox.beltic(&typed.split_whitespace().collect::<Vec<_>>())
    };
    assert!(verify("").expect(0).stdout.contains(r#""unchecked":["holder","#));
    let asked = verify("--audience https://v.example --nonce n1").expect(0).stdout;
    assert!(asked.contains(r#""unchecked":["status"]"#), "{asked}");
    assert!(
        verify("--audience https://v.example --nonce n2").expect(3).stdout.contains("key_binding_invalid")
    );
    assert!(
        verify("--audience https://w.example --nonce n1").expect(3).stdout.contains("key_binding_invalid")
    );
    assert!(
        verify("--audience https://v.example --nonce n1 --at 2030-01-01T00:00:00Z")
            .expect(3)
            .stdout
            .contains("kb-max-age")
    );
    for age in ["P50Y", "P1Y", "P7DT1S"] {
        let said =
            verify(&format!("--audience https://v.example --nonce n1 --kb-max-age {age}")).expect(2).stderr;
        assert!(said.contains("expected at most P7D"), "{age}: {said}");
    }
    verify("--audience https://v.example --nonce n1 --kb-max-age P7D").expect(0);
    assert!(verify("--key-binding required").expect(2).stderr.contains("needs `--audience`"));
    assert!(verify("--nonce n1").expect(2).stderr.contains("--audience"));
    assert!(
        verify("--key-binding required --audience https://v.example").expect(3).stdout.contains("--nonce")
    );
    // A nonce of its own beside each presentation.
    let presentation = sandbox.read("shown.txt").trim().to_owned();
    let line = |nonce: &str| serde_json::json!({"presentation": presentation, "nonce": nonce}).to_string();
    sandbox.write("many.ndjson", format!("{}\n{}\n", line("n1"), line("n2")));
    let many = sandbox.beltic(&[
        "verify",
        "many.ndjson",
        "--key",
        ".beltic/issuer.pub.jwk",
        "--no-status",
        "--key-binding",
        "required",
        "--audience",
        "https://v.example",
        "--output-format",
        "text",
    ]);
    let many = many.expect(3).stdout;
    let lines: Vec<&str> = many.lines().collect();
    assert!(lines[0].starts_with("valid") && lines[1].starts_with("INVALID"), "{many}");
    // `inspect` shows it, and judges nothing.
    let inspected = sandbox.beltic(&["inspect", "shown.txt", "--output-format", "text"]).expect(0).stdout;
    assert!(inspected.contains("key binding claims") && inspected.contains("n1"), "{inspected}");
    // Mistakes
    assert!(
        show("--holder-key .beltic/issuer.pem --audience a --nonce n")
            .expect(5)
            .stderr
            .contains("issued to another key")
    );
    assert!(show("--holder-key holder.pem --nonce n").expect(2).stderr.contains("--audience"));
    assert!(show("--nonce n").expect(2).stderr.contains("--holder-key"));
}
