//! Items and command lines that once did harm, or could.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{DID_KEY, Sandbox, full_item, item, ndjson, with, without};

/// Issues one item, which must fail, and returns standard output and error.
fn refused(item: &str) -> String {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.ndjson", format!("{item}\n"));
    let run = sandbox.issue("items.ndjson --allow-unknown").expect(3);
    format!("{}{}", run.stdout, run.stderr)
}

/// A number that only one of two JSON parsers takes must not carry a private key past the check.
#[test]
fn a_holders_private_key_is_never_signed() {
    let jwk = r#"{"kty":"EC","crv":"P-256","d":"c2VjcmV0","z":17976931348623158e292}"#;
    let text = with(item("a"), "/request/cnf", json!({ "jwk": 0 }))
        .to_string()
        .replace(r#"{"jwk":0}"#, &format!(r#"{{"jwk":{jwk}}}"#));
    let said = refused(&text);
    assert!(said.contains("invalid_key") && !said.contains("c2VjcmV0"), "{said}");
}

/// Names, addresses and keys stay out of messages also where they stand in the wrong place.
#[test]
fn nothing_personal_is_quoted_from_the_wrong_place() {
    for (pointer, value) in [
        ("/request/claims/beneficial_owners", json!(["Zebedee Quillfeather"])),
        ("/request/claims/beneficial_owners", json!("Zebedee Quillfeather")),
        ("/request/claims/registered_address", json!("Zebedee Quillfeather Street 12")),
        ("/request/claims/registered_address/country", json!("Zebedee Quillfeather Street 12")),
        ("/request/subject", json!("Zebedee Quillfeather")),
        ("/request/claims", json!("Zebedee Quillfeather")),
        ("/request/cnf/jwk", json!("Zebedee Quillfeather")),
    ] {
        let said = refused(&with(full_item("a"), pointer, value).to_string());
        assert!(said.contains(pointer) && !said.contains("Quillfeather"), "{said}");
    }
}

/// Names with a meaning in JSON-LD and SD-JWT are refused at any depth.
#[test]
fn reserved_names_are_refused_at_any_depth() {
    for name in ["id", "type", "@type", "_sd", "..."] {
        let said = refused(
            &with(item("a"), "/request/claims/extra", json!({ "list": [{ name: "x" }] })).to_string(),
        );
        assert!(said.contains(&format!("/request/claims/extra/list/0/{name}")), "{said}");
    }
}

/// An item that breaks a rule a hundred thousand times is told of in bounded space.
#[test]
fn violations_are_told_up_to_a_limit() {
    let keys = vec![r#""a":0"#; 100_000].join(",");
    let elements = vec!["0"; 400_000].join(",");
    for claims in [format!("{{{keys}}}"), format!(r#"{{"beneficial_owners":[{elements}]}}"#)] {
        let text = with(item("a"), "/request/claims", json!(0))
            .to_string()
            .replace(r#""claims":0"#, &format!(r#""claims":{claims}"#));
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write("items.ndjson", text + "\n");
        let run = sandbox.issue("items.ndjson").expect(3);
        assert_eq!(run.error().details.len(), 100);
    }
}

/// No file that the run needs is written over, and no two outputs are one.
/// What our own verifier would not read is not issued, in either format and however large an item may be.
#[test]
fn what_no_verifier_reads_is_not_issued() {
    let sandbox = Sandbox::with_issuer_key();
    let owners: Vec<Value> = (0..70_000).map(|_| json!({"full_name": "a"})).collect();
    let many = with(item("many"), "/request/claims/beneficial_owners", json!(owners));
    let long = with(item("long"), "/request/subject/name", json!("n".repeat(13 << 20)));
    sandbox.write_items("items.ndjson", &[many, long]);
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let args = format!("items.ndjson --ledger none --proof-format {format} --max-item-bytes 33554432");
        let rows = sandbox.issue(&args).expect(3).rows();
        let errors: Vec<_> = rows.iter().map(|row| row.error.as_ref().unwrap()).collect();
        assert_eq!(errors[0].places(), [("", "too_many")], "{format}: {}", errors[0].message);
        assert!(errors[0].message.contains("at most 131072"), "{}", errors[0].message);
        assert_eq!(errors[1].places(), [("", "too_long")], "{format}: {}", errors[1].message);
    }
}

/// The most owners of an item, with every claim of theirs hidden, are verified.
#[test]
fn as_many_disclosures_as_an_item_can_have_are_verified() {
    let sandbox = Sandbox::with_issuer_key();
    let policy = "  claims.beneficial_owners: always\n  claims.beneficial_owners[]: always\n  \
                  claims.beneficial_owners[].full_name: always\n";
    sandbox.write(".beltic.yaml", format!("disclosure:\n claims:\n{policy}"));
    let owners: Vec<Value> = (0..30_000).map(|_| json!({"full_name": "a"})).collect();
    sandbox
        .write_items("items.ndjson", &[with(item("a"), "/request/claims/beneficial_owners", json!(owners))]);
    sandbox.issue("items.ndjson --ledger none --proof-format sd_jwt_vc --out results.ndjson").expect(0);
    let run = sandbox.beltic(&[
        "verify",
        "results.ndjson",
        "--issuer",
        DID_KEY,
        "--no-status",
        "--output-format",
        "text",
    ]);
    assert_eq!(run.code, 0, "{}", run.stdout.chars().take(500).collect::<String>());
}

#[test]
fn outputs_do_not_share_files() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    for args in [
        "items.ndjson --out items.ndjson --force",
        "items.ndjson --failed items.ndjson --force",
        "items.ndjson --summary items.ndjson",
        "items.ndjson --out r --failed ./r --force",
        "items.ndjson --summary .beltic/issuer.pem",
    ] {
        let run = sandbox.issue(args).expect(2);
        assert!(run.stderr.contains("would be overwritten"), "{args}: {}", run.stderr);
    }
    assert!(sandbox.read("items.ndjson").contains("urn:example:a"));
    assert!(sandbox.read(".beltic/issuer.pem").contains("PRIVATE KEY"));
}

/// A run that stops early says nothing about items that it never read.
#[test]
fn a_failed_file_of_an_unfinished_run_is_not_removed() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.json", r#"{"items":[ nonsense"#);
    sandbox.write("failed.json", "older");
    sandbox.issue("items.json --failed failed.json --force").expect(4);
    assert_eq!(sandbox.read("failed.json"), "older");
}

/// A run that has to end does not wait for more input.
#[test]
fn an_idle_pipe_does_not_hold_up_the_end() {
    let sandbox = Sandbox::with_issuer_key();
    let bad: Value = without(item("bad"), "/request/subject/id");
    let mut run = sandbox
        .command(&["batch-issue", "--max-failures=0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = run.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, ndjson(&[item("a"), bad]).as_bytes()).unwrap();
    // The pipe stays open, and nothing more comes.
    let status = run.wait().unwrap();
    assert_eq!(status.code(), Some(7));
    drop(pipe);
}
