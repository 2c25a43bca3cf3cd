//! `show`: one credential and its life.

use serde_json::{Value, json};

use crate::support::*;

/// A sandbox with two credentials, of which the first has seen everything, and both resources.
fn lived() -> (Sandbox, Vec<Credential>) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let credentials: Vec<_> = run.rows().into_iter().map(Row::into_credential).collect();
    let id = credentials[0].id.as_str();
    sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.beltic(&["suspend", id, "--reason", "user_request"]).expect(0);
    sandbox.beltic(&["reinstate", id]).expect(0);
    sandbox.beltic(&["revoke", id, "--reason", "compro\u{202e}mised"]).expect(0);
    (sandbox, credentials)
}

fn parsed(run: &Run) -> Value {
    assert_eq!(run.stdout.lines().count(), 1);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_life_is_told_from_issuance_to_revocation() {
    let (sandbox, credentials) = lived();
    let shown = parsed(&sandbox.beltic(&["show", &credentials[0].id]).expect(0));
    let events = shown["events"].as_array().unwrap();
    let facts: Vec<Value> = events.iter().map(|event| json!([event["kind"], event["reason"]])).collect();
    assert_eq!(
        facts,
        [
            json!(["issued", null]),
            json!(["replayed", null]),
            json!(["suspended", "user_request"]),
            json!(["reinstated", null]),
            json!(["revoked", "compro\u{202e}mised"]),
        ]
    );
    let listed = sandbox.beltic(&["list", "--status", "revoked"]).expect(0).stdout;
    let mut listed: Value = serde_json::from_str(&listed).unwrap();
    let listed = listed.as_object_mut().unwrap();
    assert_eq!(events[4]["at"], listed["revoked_at"]);
    // Beside its life, what `list` tells of it.
    listed.remove("cursor").unwrap();
    listed.insert("expired".into(), json!(false));
    listed.insert("events".into(), shown["events"].clone());
    assert_eq!(shown.as_object().unwrap(), listed);
}

#[test]
fn an_event_of_another_credential_is_not_told() {
    let (sandbox, credentials) = lived();
    let bare = credentials[1].id.trim_start_matches("urn:uuid:");
    let shown = parsed(&sandbox.beltic(&["show", bare, "--output-format", "json"]).expect(0));
    let kinds: Vec<_> = shown["events"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["issued", "replayed"]);
    assert_eq!(shown["index"], 1);
    assert_eq!(shown["status"], "active");
}

#[test]
fn the_text_is_for_people() {
    let (sandbox, credentials) = lived();
    let credential = &credentials[0];
    let shown = parsed(&sandbox.beltic(&["show", &credential.id]).expect(0));
    let at = |event: usize| shown["events"][event]["at"].as_str().unwrap();
    let text = sandbox.beltic(&["show", &credential.id, "--output-format", "text"]).expect(0).stdout;
    let expected = format!(
        "id            {}\nstatus        revoked\nissued        {}\nexpires       {}\nissuer        {}\n\
         kid           {}\nvct           {}\ntype          business\nproof format  jwt_vc\nrun           first, item 0\n\
         status list   {}, index {}\n\n{}  issued\n{}  replayed\n{}  suspended: user_request\n{}  reinstated\n\
         {}  revoked: compro\\u{{202e}}mised\n",
        credential.id,
        credential.issued_at,
        credential.expires_at,
        credential.issuer_did,
        credential.kid,
        credential.vct,
        credential.status_list_uri.as_ref().unwrap(),
        credential.status_list_index.unwrap(),
        at(0),
        at(1),
        at(2),
        at(3),
        at(4),
    );
    assert_eq!(text, expected);
}

#[test]
fn an_expired_credential_is_said_to_be() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let run = sandbox.issue("items.ndjson --issued-at 2020-01-01T00:00:00Z --ttl P1D").expect(0);
    let id = run.credential().id;
    sandbox.beltic(&["revoke", &id]).expect(0);
    assert_eq!(parsed(&sandbox.beltic(&["show", &id]).expect(0))["expired"], true);
    let text = sandbox.beltic(&["show", &id, "--output-format=text"]).expect(0).stdout;
    assert!(text.contains("expires       2020-01-02T00:00:00Z (expired)\n"), "{text}");
    let life: Vec<_> = text.lines().rev().take(3).map(|line| line.split_once("  ").unwrap()).collect();
    assert_eq!(life[1], ("2020-01-02T00:00:00Z", "expired"));
    assert_eq!((life[2].1, life[0].1), ("issued", "revoked"));
}

#[test]
fn an_unknown_id_and_no_id_are_two_things() {
    let (sandbox, _) = lived();
    let unknown = "01a20600-0000-7000-8000-000000000000";
    let run = sandbox.beltic(&["show", unknown]).expect(6);
    assert!(run.stderr.contains(&format!("has no credential urn:uuid:{unknown}")), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    // A subject's id, typed by mistake, is not told again. The last one is no version 7 UUID.
    for text in ["secret-company", "urn:uuid:secret", "", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"] {
        let run = sandbox.beltic(&["show", text]).expect(2);
        assert!(run.stderr.contains("expected one such as urn:uuid:"), "{}", run.stderr);
        assert!(text.is_empty() || !run.stderr.contains(text), "{}", run.stderr);
    }
    sandbox.beltic(&["show"]).expect(2);
}

#[test]
fn without_a_ledger_there_is_nothing_to_show() {
    let run = Sandbox::new().beltic(&["show", "01a20600-0000-7000-8000-000000000000"]).expect(6);
    assert!(run.stderr.contains("no ledger found at "), "{}", run.stderr);
}
