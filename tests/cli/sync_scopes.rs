//! Scopes of `sync`: whose they are, how items are known in them, and what credentials outside of them mean.

use serde_json::{Value, json};

use crate::support::*;
use crate::sync_support::*;

/// Runs `sync`, which must change nothing and end with this code.
#[track_caller]
fn refused(sandbox: &Sandbox, args: &str, code: i32) -> Run {
    let before = (held(sandbox), events(sandbox));
    let run = sync(sandbox, args).expect(code);
    assert_eq!((held(sandbox), events(sandbox)), before, "nothing is changed by: {args}");
    run
}

fn without_correlation_ids(items: &[Value]) -> Vec<Value> {
    items.iter().map(|item| without(item.clone(), "/correlation_id")).collect()
}

// ---- How items are known

/// An item that cannot be known is none of the scope.
#[test]
fn an_item_without_the_id_that_counts_fails() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &without_correlation_ids(&items(2)));
    let run = sync(&sandbox, "register.ndjson").expect(3);
    assert_eq!(synced(&run).iter().filter(|row| row.error.is_some()).count(), 2, "{}", run.stdout);
    assert_eq!(sandbox.recorded(), 0);
    sync(&sandbox, "register.ndjson --by subject-id --scope other").expect(0);
    assert_eq!(sandbox.recorded(), 2);
}

/// By subject id, the correlation id is no content.
#[test]
fn the_correlation_id_is_not_content() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(2));
    sync(&sandbox, "register.ndjson --by subject-id").expect(0);
    let renamed: Vec<Value> = items(2)
        .into_iter()
        .map(|item| with(item, "/correlation_id", json!("another")))
        .chain(without_correlation_ids(&items(3)[2..]))
        .collect();
    sandbox.write_items("register.ndjson", &renamed);
    let run = sync(&sandbox, "register.ndjson --by subject-id --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { issued: 1, unchanged: 2, ..Counts::default() }, "{}", run.stderr);
}

/// Type, attestation type and id together are what an item is known by.
#[test]
fn the_same_id_in_another_type_is_another_item() {
    let subject = |item: Value| with(item, "/request/subject/id", json!("urn:example:one"));
    let named = |item: Value| with(item, "/correlation_id", json!("one"));
    let attestation =
        |name: &str| with(named(subject(full_outcome("x"))), "/request/attestation_type", json!(name));
    let all = [
        named(subject(full_item("x"))),
        named(subject(full_user("x"))),
        attestation("delivery_completed"),
        attestation("dispute_settled"),
    ];
    for by in ["correlation-id", "subject-id"] {
        let sandbox = issuer();
        sandbox.write_items("register.ndjson", &all);
        let run = sync(&sandbox, &format!("register.ndjson --by {by} --prune")).expect(0);
        assert_eq!(Counts::of(&run).issued, 4, "{}", run.stderr);
        sandbox.write_items("register.ndjson", &all[..3]);
        let run = sync(&sandbox, &format!("register.ndjson --by {by} --prune")).expect(0);
        let expected = Counts { removed: 1, unchanged: 3, ..Counts::default() };
        assert_eq!(Counts::of(&run), expected, "{}", run.stderr);
    }
}

/// A subject that becomes another one under the same correlation id is a change.
#[test]
fn another_subject_under_the_same_id_is_replaced() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(2));
    sync(&sandbox, "register.ndjson").expect(0);
    let mut changed = items(2);
    changed[1] = with(changed[1].clone(), "/request/subject/id", json!("urn:example:other"));
    sandbox.write_items("register.ndjson", &changed);
    let run = sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { replaced: 1, unchanged: 1, ..Counts::default() }, "{}", run.stderr);
}

// ---- Whose a scope is

#[test]
fn a_scope_belongs_to_one_issuer_and_one_by() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(3));
    sync(&sandbox, "register.ndjson --scope firms").expect(0);
    for (flags, named) in [("--by subject-id", "correlation-id"), ("--issuer did:web:other.example", DID_KEY)]
    {
        for more in ["", " --plan", " --prune --adopt --max-removals 100%"] {
            let run = refused(&sandbox, &format!("register.ndjson --scope firms {flags}{more}"), 2);
            assert!(run.stderr.contains(named), "names what it belongs to: {}", run.stderr);
        }
    }
    let other_key = issuer();
    other_key.write_items("register.ndjson", &items(3));
    sync(&other_key, "register.ndjson").expect(0);
    other_key.beltic(&["keygen", "--out", "second.pem", "--quiet", "--yes"]).expect(0);
    refused(&other_key, "register.ndjson --key second.pem", 2);
}

/// Another key of the same issuer signs what is new, and replaces nothing.
#[test]
fn a_new_key_of_the_same_issuer_goes_on() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "issuer: { did: \"did:web:issuer.example\" }\n");
    sandbox.write_items("register.ndjson", &items(3));
    sync(&sandbox, "register.ndjson").expect(0);
    sandbox.beltic(&["keygen", "--out", "second.pem", "--quiet", "--yes"]).expect(0);
    sandbox.write_items("register.ndjson", &items(4));
    let run = sync(&sandbox, "register.ndjson --key second.pem --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { issued: 1, unchanged: 3, ..Counts::default() }, "{}", run.stderr);
}

/// The register of one scope says nothing about another one.
#[test]
fn scopes_do_not_touch_each_other() {
    let sandbox = issuer();
    sandbox.write_items("firms.ndjson", &items(8));
    let others: Vec<Value> = (0..8).map(|number| item(&format!("other-{number}"))).collect();
    sandbox.write_items("others.ndjson", &others);
    sync(&sandbox, "firms.ndjson --scope firms").expect(0);
    sync(&sandbox, "others.ndjson --scope others --prune").expect(0);
    let run = sync(&sandbox, "firms.ndjson --scope firms --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 8, ..Counts::default() }, "{}", run.stderr);
    assert_eq!(found(&sandbox, "--status active").len(), 16);
    sandbox.write_items("firms.ndjson", &items(6));
    sync(&sandbox, "firms.ndjson --scope firms --prune").expect(0);
    assert_eq!(found(&sandbox, "--status active").len(), 14);
}

/// The wrong file for a scope is an accident that the limit stops.
#[test]
fn the_file_of_another_scope_is_stopped() {
    let sandbox = issuer();
    let others: Vec<Value> = (0..20).map(|number| item(&format!("other-{number}"))).collect();
    sandbox.write_items("firms.ndjson", &items(20));
    sandbox.write_items("others.ndjson", &others);
    sync(&sandbox, "firms.ndjson --scope firms").expect(0);
    refused(&sandbox, "others.ndjson --scope firms --prune", 7);
    sync(&sandbox, "others.ndjson --scope others").expect(0);
    let run = sync(&sandbox, "others.ndjson --scope firms --prune");
    assert!(matches!(run.code, 2 | 3 | 7), "{}", run.stderr);
    let named: String = (0..20).map(|number| format!(" --correlation-id company-{number}")).collect();
    if run.code == 7 {
        assert_eq!(found(&sandbox, &format!("--status active{named}")).len(), 20);
    }
    assert_eq!(found(&sandbox, "").len(), 40, "none of them got a second credential");
    // A scope that is new refuses ids that have credentials elsewhere, adopted or not.
    refused(&sandbox, "firms.ndjson --scope third", 2);
    refused(&sandbox, "firms.ndjson --scope third --adopt", 2);
    refused(&sandbox, "firms.ndjson --scope third --plan", 2);
}

// ---- Credentials outside

#[test]
fn the_first_sync_refuses_ids_that_have_credentials() {
    let sandbox = issuer();
    sandbox.write_items("batch.ndjson", &items(3));
    sandbox.issue("batch.ndjson").expect(0);
    sandbox.write_items("register.ndjson", &items(5));
    refused(&sandbox, "register.ndjson --plan", 2);
    let run = refused(&sandbox, "register.ndjson", 2);
    assert!(run.stderr.contains("--adopt"), "the way out is named: {}", run.stderr);
}

#[test]
fn adopted_credentials_are_the_scopes_own() {
    for keyed in ["", "--idempotency-key november"] {
        let sandbox = issuer();
        sandbox.write_items("batch.ndjson", &items(3));
        let run = sandbox.issue(&format!("batch.ndjson {keyed}")).expect(0);
        let ids: Vec<String> = run.rows().into_iter().map(|row| row.into_credential().id).collect();
        let mut register = items(4);
        register[1] = with(register[1].clone(), "/request/subject/legal_form", json!("PLC"));
        sandbox.write_items("register.ndjson", &register);
        let plan = sync(&sandbox, "register.ndjson --adopt --plan").expect(3);
        let run = sync(&sandbox, "register.ndjson --adopt --all").expect(0);
        let expected = Counts { issued: 1, replaced: 1, unchanged: 2, ..Counts::default() };
        assert_eq!(Counts::of(&run), expected, "{}", run.stderr);
        assert_eq!(Counts::of(&plan), expected, "{}", plan.stderr);
        let rows = synced(&run);
        assert_eq!([rows[0].id(), rows[2].id()], [ids[0].clone(), ids[2].clone()]);
        assert_eq!(rows[1].former.as_ref(), Some(&ids[1]));
        // From now on they belong to it.
        sandbox.write_items("register.ndjson", &register[1..]);
        let run = sync(&sandbox, "register.ndjson --prune").expect(0);
        assert_eq!(
            Counts::of(&run),
            Counts { removed: 1, unchanged: 3, ..Counts::default() },
            "{}",
            run.stderr
        );
        assert_eq!(held(&sandbox)[&ids[0]].status, "revoked");
    }
}

/// In a scope that is already there, one such item fails, and the others go on.
#[test]
fn a_new_id_that_has_a_credential_outside_fails() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(3));
    sync(&sandbox, "register.ndjson").expect(0);
    sandbox.write_items("batch.ndjson", &items(4)[3..]);
    let outside = sandbox.issue("batch.ndjson").expect(0).credential().id;
    sandbox.write_items("register.ndjson", &items(5));
    let run = sync(&sandbox, "register.ndjson").expect(3);
    let rows = synced(&run);
    let failed: Vec<_> = rows.iter().filter(|row| row.error.is_some()).collect();
    assert_eq!(failed.len(), 1, "{}", run.stdout);
    assert_eq!((failed[0].index, failed[0].code()), (Some(3), Some("status_conflict")));
    assert_eq!(Counts::of(&run), Counts { issued: 1, unchanged: 3, failed: 1, ..Counts::default() });
    assert_eq!(held(&sandbox)[&outside].status, "active");
    let run = sync(&sandbox, "register.ndjson --adopt").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 5, ..Counts::default() }, "{}", run.stderr);
    // Without the flag, what was adopted stays so.
    let run = sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 5, ..Counts::default() }, "{}", run.stderr);
}

/// Revoked and expired credentials outside are in nobody's way.
#[test]
fn only_active_credentials_outside_count() {
    let sandbox = issuer();
    sandbox.write_items("batch.ndjson", &items(1));
    let revoked = sandbox.issue("batch.ndjson").expect(0).credential().id;
    sandbox.beltic(&["revoke", &revoked]).expect(0);
    sandbox.write_items("batch.ndjson", &items(2)[1..]);
    sandbox.issue("batch.ndjson --issued-at 2030-01-01T00:00:00Z --ttl P10D").expect(0);
    sandbox.write_items("register.ndjson", &items(2));
    let run = sync(&sandbox, "register.ndjson --issued-at 2030-02-01T00:00:00Z").expect(0);
    assert_eq!(Counts::of(&run).issued, 2, "{}", run.stderr);
}

/// Issuing by batch beside a scope does not change what the scope thinks of its items.
#[test]
fn a_batch_beside_the_scope_is_not_the_scopes() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(3));
    sync(&sandbox, "register.ndjson").expect(0);
    let others: Vec<Value> = (0..3).map(|number| item(&format!("aside-{number}"))).collect();
    sandbox.write_items("batch.ndjson", &others);
    sandbox.issue("batch.ndjson").expect(0);
    let run = sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 3, ..Counts::default() }, "{}", run.stderr);
    assert_eq!(found(&sandbox, "--status active").len(), 6);
}

/// What was issued twice is adopted with all that counts: a change or a removal leaves none of them.
#[test]
fn several_credentials_of_an_id_are_adopted_together() {
    let sandbox = issuer();
    sandbox.write_items("batch.ndjson", &items(2));
    sandbox.issue("batch.ndjson").expect(0);
    sandbox.issue("batch.ndjson").expect(0);
    sandbox.write_items("register.ndjson", &items(2));
    let run = sync(&sandbox, "register.ndjson --adopt").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 2, ..Counts::default() }, "{}", run.stderr);
    assert_eq!(found(&sandbox, "--status active").len(), 4);
    let changed = with(item("company-0"), "/request/subject/legal_form", json!("PLC"));
    sandbox.write_items("register.ndjson", &[changed]);
    sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(found(&sandbox, "--status active").len(), 1);
    assert_eq!(found(&sandbox, "--status revoked").len(), 4);
}

/// Also in a scope that is already there, `--adopt` takes nothing of another one.
#[test]
fn what_belongs_to_another_scope_is_never_taken() {
    let sandbox = issuer();
    sandbox.write_items("firms.ndjson", &items(3));
    sync(&sandbox, "firms.ndjson --scope firms").expect(0);
    sandbox.write_items("others.ndjson", &[item("other")]);
    sync(&sandbox, "others.ndjson --scope others").expect(0);
    sandbox.write_items("others.ndjson", &[item("other"), item("company-1"), item("newcomer")]);
    for adopt in ["", "--adopt"] {
        let run = sync(&sandbox, &format!("others.ndjson --scope others {adopt}")).expect(3);
        let rows = synced(&run);
        let failed = rows.iter().find(|row| row.error.is_some()).unwrap();
        assert_eq!((failed.index, failed.code()), (Some(1), Some("status_conflict")), "{}", run.stdout);
    }
    assert_eq!(found(&sandbox, "--status active").len(), 5);
    let run = sync(&sandbox, "firms.ndjson --scope firms --prune").expect(0);
    assert_eq!(Counts::of(&run), Counts { unchanged: 3, ..Counts::default() }, "{}", run.stderr);
}

/// What is to be compared must have been kept.
#[test]
fn a_scope_needs_a_ledger() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(1));
    sync(&sandbox, "register.ndjson --ledger none").expect(2);
}
