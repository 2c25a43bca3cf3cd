//! `beltic inspect`.

use std::io::Write;

use serde_json::{Value, json};

use super::present::{Company, company};
use crate::readers::sign::Hand;
use crate::support::*;

/// What `--output-format json` prints, one object a line.
fn inspected(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_credential_of_a_results_file_is_decoded() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a"), json!({"request": {}}), item("b")]);
    let forms = [
        ("ndjson", "results.ndjson"),
        ("json", "results.json"),
        ("csv", "results.csv"),
        ("jwt", "tokens.txt"),
        ("jwt", "tokens.json"),
        ("csv", "results.gz"),
    ];
    for (form, name) in forms {
        let said = sandbox.issue(&format!("items.ndjson --output-format {form}")).expect(3).stdout;
        match name {
            "tokens.json" => sandbox.write(name, json!(said.lines().collect::<Vec<_>>()).to_string()),
            "results.gz" => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(said.as_bytes()).unwrap();
                sandbox.write(name, packed.finish().unwrap())
            }
            _ => sandbox.write(name, said),
        };
        let run = sandbox.beltic(&["inspect", name, "--output-format", "json"]).expect(0);
        let shown = inspected(&run);
        assert_eq!(shown.len(), 2, "{name}: {}", run.stdout);
        for inspection in &shown {
            assert_eq!(inspection["verified"], false);
            assert_eq!(inspection["kind"], "W3C Verifiable Credential 2.0 (VC-JOSE-COSE)");
            assert_eq!(inspection["header"]["typ"], "vc+jwt");
            assert_eq!(inspection["claims"]["iss"], DID_KEY);
        }
        assert_eq!(shown[0]["claims"]["credentialSubject"]["claims"]["kyb_status"], "verified", "{name}");
    }
}

#[test]
fn people_read_what_was_not_checked_and_when_it_ends() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a")]);
    let token =
        sandbox.issue("items.ndjson --output-format jwt --issued-at 2020-01-31T00:00:00Z").expect(0).stdout;
    let from_argument =
        sandbox.beltic(&["inspect", "--output-format", "text", token.trim()]).expect(0).stdout;
    let from_stdin =
        sandbox.beltic_fed(&["inspect", "--output-format", "text"], token.as_bytes()).expect(0).stdout;
    let from_dash =
        sandbox.beltic_fed(&["inspect", "--output-format", "text", "-"], token.as_bytes()).expect(0).stdout;
    assert_eq!([&from_stdin, &from_dash], [&from_argument; 2]);

    assert!(from_argument.starts_with("decoded only: no signature, date or status was checked\n"));
    let line = |name: &str| {
        let mut lines = from_argument.lines().filter(|line| line.split_whitespace().next() == Some(name));
        lines.next().unwrap_or_else(|| panic!("no {name} in {from_argument}"))
    };
    assert!(line("exp").contains("1596153600  (2020-07-31T00:00:00Z, 2"), "{}", line("exp"));
    assert!(line("exp").ends_with(" days ago)") && line("validUntil").ends_with(" days ago)"));
    assert!(line("full_name").ends_with(r#""Ada Fennwick""#));
    assert!(!from_argument.contains("withheld"), "nothing in it is an SD-JWT's");
}

#[test]
fn what_can_be_withheld_is_marked() {
    let Company { token, .. } = company();
    let sandbox = Sandbox::new();
    let text = sandbox.beltic(&["inspect", "--output-format", "text", &token]).expect(0).stdout;
    assert!(text.contains("SD-JWT VC"), "{text}");
    for marked in ["registered_address*", "beneficial_owners*", "[0]*", "[1]*", "registration_number*"] {
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(marked)), "{marked}: {text}");
    }
    assert!(text.contains("5 claims can be withheld by the holder (marked *)"), "{text}");
    assert!(text.contains("1 digest without a disclosure"), "{text}");
    assert!(!text.contains("jurisdiction*") && !text.contains("_sd"), "{text}");

    let shown = &inspected(&sandbox.beltic(&["inspect", &token, "--output-format", "json"]).expect(0))[0];
    assert_eq!(shown["disclosures"][0]["path"], "subject.registration_number");
    assert_eq!(shown["disclosures"][3]["pointer"], "/claims/beneficial_owners/1");
    assert_eq!(shown["disclosures"][3]["inside"], 1);
    assert_eq!(shown["unexplained_digests"], 1);
    assert_eq!(shown["claims"]["claims"]["beneficial_owners"][1]["full_name"], "Bo");
}

#[test]
fn disclosures_that_do_not_fit_are_told_of_and_the_rest_is_shown() {
    let Company { token, .. } = company();
    let sandbox = Sandbox::new();
    let stranger = crate::readers::sign::member("stranger", &json!("x"));
    let token = format!("{token}{stranger}~");
    let run = sandbox.beltic(&["inspect", "--output-format", "text", &token]).expect(4);
    assert!(run.stdout.contains("jurisdiction"), "{}", run.stdout);
    assert!(run.stdout.contains("disclosures omitted: disclosure 6 is not referred to"), "{}", run.stdout);
    assert!(run.stderr.contains("disclosure 6 is not referred to by any digest"), "{}", run.stderr);
}

#[test]
fn a_tokens_text_cannot_act_on_the_terminal() {
    let payload = json!({"a\u{9b}31m": "\u{7f}\u{202e}evil", "b": "\u{1b}[2J"});
    let token = Hand::of_number(7).token(&json!({"alg": "none\u{85}"}), &payload);
    let text = Sandbox::new().beltic(&["inspect", "--output-format", "text", &token]).expect(0).stdout;
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}') && text.contains("\\u{202e}evil"), "{text:?}");
}

#[test]
fn keys_show_their_thumbprint() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["keygen", "--if-missing", "--issuer", "did:web:issuer.example"]).expect(0);
    let run = sandbox.beltic(&["inspect", "--output-format", "text", ".beltic/issuer.pub.jwk"]).expect(0);
    let kid = format!("did:web:issuer.example#{THUMBPRINT}");
    for fact in [&kid, THUMBPRINT, DID_KEY] {
        assert!(run.stdout.contains(fact), "{fact}: {}", run.stdout);
    }

    let keys = json!({"keys": [Hand::of_number(3).jwk("three"), {"kty": "RSA", "kid": "rsa"}]});
    sandbox.write("empty.json", r#"{"keys":[]}"#);
    let run = sandbox.beltic(&["inspect", "empty.json", "--output-format", "json"]).expect(4);
    assert!(run.stderr.contains("the JWK Set is empty"), "{}", run.stderr);
    sandbox.write("jwks.json", keys.to_string());
    let shown = inspected(&sandbox.beltic(&["inspect", "jwks.json", "--output-format", "json"]).expect(0));
    assert_eq!((&shown[0]["kid"], &shown[1]["kid"]), (&json!("three"), &json!("rsa")));
    assert_eq!(shown[0]["thumbprint"].as_str().unwrap().len(), 43);
    assert!(shown[1]["problem"].as_str().unwrap().contains("RSA"), "{}", shown[1]);
}

#[test]
fn what_cannot_be_decoded_is_exit_code_4() {
    let sandbox = Sandbox::new();
    for (text, said) in [
        ("a.b", "2 parts"),
        ("eyJ.e30.", "not base64url"),
        ("e30.W10.", "the payload is an array"),
        ("e30.eyJhIjoxLCJhIjoyfQ.", "duplicate key"),
        ("{\"a\":1}", "no token"),
        ("", "empty file"),
        (r#"{"index":0,"error":{"code":"x"}}"#, "has no token: all of its 1 results are failed items"),
        ("urn:uuid:01a20600-0000-7000-8000-000000000000", "no token: a credential's id alone"),
    ] {
        let run = sandbox.beltic_fed(&["inspect"], text.as_bytes()).expect(4);
        assert!(run.stderr.contains(said), "{text}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = sandbox.beltic(&["inspect", "nothing-here.txt"]).expect(6);
    assert!(run.stderr.contains("nothing-here.txt: no such file"), "{}", run.stderr);
    let run = sandbox.beltic(&["inspect", "."]).expect(6);
    assert!(run.stderr.contains("directory"), "{}", run.stderr);
}

#[test]
fn status_lists_tell_how_many_entries_are_set() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(3));
    let run = sandbox.issue("items.ndjson").expect(0);
    let ids: Vec<_> = run.rows().into_iter().map(|row| row.into_credential().id).collect();
    sandbox.beltic(&["revoke", &ids[0], &ids[2]]).expect(0);
    sandbox.beltic(&["publish", "--out", "site", "--quiet"]).expect(0);
    let folders = ["site/status/token", "site/status/bitstring"];
    let lists: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(sandbox.path(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(lists.len(), 2);
    for list in lists {
        let run = sandbox.beltic(&["inspect", "--output-format", "text", list.to_str().unwrap()]).expect(0);
        assert!(run.stdout.contains("131,072 entries, 2 of them set"), "{}", run.stdout);
    }
}

/// The disclosure and its digest are those of RFC 9901 section 4.2.
#[test]
fn a_disclosure_alone_is_decoded() {
    let sandbox = Sandbox::new();
    let text = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
    let digest = "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY";
    let run = sandbox.beltic(&["inspect", "--output-format", "text", text]).expect(0);
    assert!(run.stdout.contains(digest) && run.stdout.contains("name    \"family_name\""), "{}", run.stdout);
    let piped =
        sandbox.beltic_fed(&["inspect", "--output-format", "json"], format!("{text}\n").as_bytes()).expect(0);
    let found: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert_eq!((found["digest"].as_str(), found["value"].as_str()), (Some(digest), Some("Möbius")));
    assert_eq!(found["verified"], false);
}

/// A token with a slip in it is not shown: it is full of personal data.
#[test]
fn what_was_meant_to_be_a_token_is_not_echoed() {
    let sandbox = Sandbox::new();
    for command in ["inspect", "present", "verify"] {
        let run = sandbox.beltic(&[command, "eyJhIjoxfQ.eyJuYW1lIjoiSmFuZSJ9.AA="]);
        assert!(run.code != 0 && !run.stderr.contains("eyJuYW1l"), "{command}: {}", run.stderr);
    }
}
