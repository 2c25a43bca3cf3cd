//! `--idempotency-key`: a run can be repeated, and gives each item what it got before. And a ledger
//! that went back in time.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::*;

/// What a repeated run must not change.
type Lasting = (String, u32, String, String, String);

fn lasting(run: &Run) -> Vec<Option<Lasting>> {
    let lasting = |credential: Credential| {
        let Credential { id, status_list_index, status_list_uri, issued_at, expires_at, .. } = credential;
        (id, status_list_index.unwrap(), status_list_uri.unwrap(), issued_at, expires_at)
    };
    run.rows().into_iter().map(|row| row.credential.map(lasting)).collect()
}

fn slots(run: &Run) -> Vec<(String, u32)> {
    lasting(run).into_iter().flatten().map(|(_, index, list, ..)| (list, index)).collect()
}

fn check_signatures(run: &Run) {
    let key = issuer_token_key();
    for credential in run.rows().into_iter().filter_map(|row| row.credential) {
        let token = key.open(&credential.signed_payload);
        assert_eq!(token.payload.text_of("jti"), credential.id);
        let index = token.payload.member("status").member("status_list").member("idx").integer();
        assert_eq!(index, i64::from(credential.status_list_index.unwrap()));
        assert_eq!(token.payload.text_of("validUntil"), credential.expires_at);
    }
}

/// A sandbox with so many items, of which the third is not sound.
fn sandbox_with(count: usize) -> (Sandbox, Vec<Value>) {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(count);
    batch[2] = with(batch[2].clone(), "/request/ttl", json!("soon"));
    sandbox.write_items("items.ndjson", &batch);
    (sandbox, batch)
}

fn summary(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.read("summary.json")).unwrap()
}

/// How many credentials `ledger check` finds.
fn recorded(sandbox: &Sandbox) -> String {
    let said = sandbox.beltic(&["ledger", "check"]).expect(0).stdout;
    said.split("is intact: ").nth(1).unwrap().split(" credential").next().unwrap().to_owned()
}

/// A key that looks like another one would issue everything once more.
#[test]
fn keys_with_characters_that_nobody_sees_are_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    for (key, named) in [
        ("k1\r", "U+000D (carriage return) at character 3 of 3"),
        (" k1", "U+0020 (space) at character 1"),
        ("k1 ", "U+0020 (space) at character 3"),
        ("k\t1", "U+0009 (tab)"),
        ("k\u{A0}1", "U+00A0 (no-break space)"),
        ("\u{FEFF}k1", "U+FEFF (byte order mark)"),
        ("k1\u{200B}", "U+200B (zero-width space)"),
    ] {
        let by_flag = sandbox.beltic(&["batch-issue", "items.ndjson", "--idempotency-key", key]).expect(2);
        let by_variable = sandbox.issue_with("items.ndjson", &[("BELTIC_IDEMPOTENCY_KEY", key)]).expect(2);
        for run in [by_flag, by_variable] {
            assert!(run.stderr.contains(named), "{key:?}: {}", run.stderr);
        }
    }
    assert!(!sandbox.has(".beltic/ledger.db") || sandbox.recorded() == 0);
    sandbox.beltic(&["batch-issue", "items.ndjson", "--idempotency-key", "May 2026, März"]).expect(0);
}

#[test]
fn a_repeated_run_gives_everything_out_again() {
    let (sandbox, batch) = sandbox_with(2_300);
    let first =
        sandbox.issue("items.ndjson --idempotency-key job-1 --issued-at 2026-01-31T00:00:00Z").expect(3);
    assert!(!first.stderr.contains("replayed"), "{}", first.stderr);
    for jobs in [1, 7] {
        let args =
            format!("items.ndjson --idempotency-key job-1 --jobs {jobs} --summary summary.json --force");
        let again = sandbox.issue(&args).expect(3);
        assert_eq!(lasting(&again), lasting(&first), "ids, indices and dates, whatever the time is now");
        check_signatures(&again);
        assert!(again.stderr.contains("issued 0, already issued 2,299, failed 1"), "{}", again.stderr);
        assert_eq!(summary(&sandbox)["replayed_count"], 2_299);
        assert_eq!(summary(&sandbox)["success_count"], 2_299);
        assert_eq!(summary(&sandbox)["run_id"], "job-1");
    }
    assert_eq!(lasting(&first)[0].as_ref().unwrap().3, "2026-01-31T00:00:00Z");
    assert_eq!(recorded(&sandbox), "2,299");
    // More items behind the old ones, and the unsound one mended.
    let longer: Vec<_> = items(2_400).into_iter().collect();
    sandbox.write_items("items.ndjson", &longer);
    let more = sandbox.issue("items.ndjson --idempotency-key job-1").expect(0);
    assert!(more.stderr.contains("issued 101, already issued 2,299, failed 0"), "{}", more.stderr);
    for (before, after) in lasting(&first).iter().zip(lasting(&more)) {
        assert!(before.is_none() || *before == after);
    }
    assert_eq!(slots(&more).into_iter().collect::<HashSet<_>>().len(), 2_400);
    assert_eq!(batch.len(), 2_300);
}

/// Each run is new where no key says otherwise; the id that the summary shows can be given as key.
#[test]
fn a_run_without_a_key_can_be_repeated_by_its_id() {
    let (sandbox, _) = sandbox_with(1_200);
    let first = sandbox.issue("items.ndjson --summary summary.json").expect(3);
    let id = summary(&sandbox)["run_id"].as_str().unwrap().to_owned();
    let other = sandbox.issue("items.ndjson").expect(3);
    assert_ne!(lasting(&other), lasting(&first));
    let again = sandbox.issue(&format!("items.ndjson --idempotency-key {id}")).expect(3);
    assert_eq!(lasting(&again), lasting(&first));
    assert!(!again.stderr.contains("warning: the ledger"), "{}", again.stderr);
    assert_eq!(recorded(&sandbox), "2,398");
}

/// The key may come from the environment of a CI job.
#[test]
fn the_key_may_come_from_the_environment() {
    let (sandbox, _) = sandbox_with(5);
    let variables = [("BELTIC_IDEMPOTENCY_KEY", "job 4711")];
    let first = sandbox.issue_with("items.ndjson", &variables).expect(3);
    let again = sandbox.issue_with("items.ndjson", &variables).expect(3);
    assert_eq!(lasting(&again), lasting(&first));
}

/// The same items in other chunks, by another way and in another form.
#[test]
fn the_way_of_the_items_does_not_matter() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = items(1_500);
    sandbox.write_items("items.ndjson", &batch);
    let lines = ndjson(&batch);
    let first = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    // Standard input; two files; the API's body; spread over lines with spaces.
    let fed = sandbox.beltic_fed(&["batch-issue", "--idempotency-key", "k"], lines.as_bytes()).expect(0);
    assert_eq!(lasting(&fed), lasting(&first));
    sandbox.write_items("a.ndjson", &batch[..333]);
    sandbox.write_items("b.ndjson", &batch[333..]);
    let two = sandbox.issue("a.ndjson b.ndjson --idempotency-key k --jobs 3").expect(0);
    assert_eq!(lasting(&two), lasting(&first));
    sandbox.write("items.json", serde_json::to_string_pretty(&json!({ "items": batch })).unwrap());
    let body = sandbox.issue("items.json --idempotency-key k").expect(0);
    assert_eq!(lasting(&body), lasting(&first));
    // CSV that says the same is the same.
    let mut table = "correlation_id,subject_id,claims_jurisdiction,self_attestation_complete\n".to_owned();
    for number in 0..1_500 {
        table += &format!("company-{number},urn:example:company-{number},GB,TRUE\n");
    }
    sandbox.write("items.csv", table);
    let csv = sandbox.issue("items.csv --idempotency-key k").expect(0);
    assert_eq!(lasting(&csv), lasting(&first));
    assert_eq!(recorded(&sandbox), "1,500");
}

/// What may change about an item, and what may not.
#[test]
fn a_changed_item_conflicts_and_says_with_what() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a"), full_item("b"), item("c")];
    sandbox.write_items("items.ndjson", &batch);
    let first = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    let issued = lasting(&first);
    let id = &issued[1].as_ref().unwrap().0;
    for (pointer, value) in [
        ("/request/subject/id", json!("https://companies.example/other")),
        ("/request/subject/name", json!("Fennwick & Son Ltd")),
        ("/request/claims/kyb_status", json!("pending")),
        ("/request/claims/beneficial_owners/0/ownership_percent", json!(62.0)),
        ("/request/evidence_refs/0", json!("case:4712")),
        ("/request/ttl", json!("P7M")),
    ] {
        let changed = with(batch[1].clone(), pointer, value);
        sandbox.write_items("items.ndjson", &[batch[0].clone(), changed, batch[2].clone()]);
        let run = sandbox.issue("items.ndjson --idempotency-key k").expect(3);
        let error = run.error();
        assert_eq!(error.code, "idempotency_key_conflict", "{pointer}");
        assert!(error.message.contains(id), "{}", error.message);
        let rows = lasting(&run);
        assert_eq!((&rows[0], &rows[1], &rows[2]), (&issued[0], &None, &issued[2]), "{pointer}");
        assert!(run.stderr.contains("issued 0, already issued 2, failed 1"), "{}", run.stderr);
    }
    // An item that is not sound any more is told as that.
    let unsound = without(batch[1].clone(), "/request/claims");
    sandbox.write_items("items.ndjson", &[batch[0].clone(), unsound, batch[2].clone()]);
    assert_eq!(
        sandbox.issue("items.ndjson --idempotency-key k").expect(3).error().code,
        "missing_required_field"
    );
    // As it was, it is replayed.
    sandbox.write_items("items.ndjson", &batch);
    assert_eq!(lasting(&sandbox.issue("items.ndjson --idempotency-key k").expect(0)), issued);
    assert_eq!(recorded(&sandbox), "3");
}

/// Where items have ids, they may stand anywhere; one that has none is known by its place.
#[test]
fn items_with_ids_may_be_moved_and_others_put_between_them() {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(1_300);
    sandbox.write_items("items.ndjson", &batch);
    let first = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    batch.reverse();
    batch.insert(0, item("new"));
    batch.insert(700, item("newer"));
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    assert!(run.stderr.contains("issued 2, already issued 1,300"), "{}", run.stderr);
    let mut again = lasting(&run);
    again.remove(700);
    again.remove(0);
    again.reverse();
    assert_eq!(again, lasting(&first));
    assert_eq!(recorded(&sandbox), "1,302");

    let nameless = without(item("x"), "/correlation_id");
    sandbox.write_items("more.ndjson", &[item("m"), nameless.clone()]);
    sandbox.issue("more.ndjson --idempotency-key l").expect(0);
    let mixed = sandbox.issue("more.ndjson --idempotency-key l").expect(0);
    assert!(mixed.stderr.contains("issued 0, already issued 2"), "{}", mixed.stderr);
    let run = sandbox.issue("more.ndjson --idempotency-key n --idempotent-by correlation-id").expect(3);
    assert_eq!(run.error().code, "idempotency_key_missing");
    let by_subject = "more.ndjson --idempotency-key o --idempotent-by subject-id";
    sandbox.issue(by_subject).expect(0);
    let other_rule = sandbox.issue("more.ndjson --idempotency-key o --idempotent-by position").expect(2);
    assert!(
        other_rule.stderr.contains("another identity (subject-id, now position)"),
        "{}",
        other_rule.stderr
    );
    // What was first said about the key holds where nothing is said.
    let run = sandbox.issue("more.ndjson --idempotency-key o").expect(0);
    assert!(run.stderr.contains("already issued 2"), "{}", run.stderr);
}

/// The same id twice in a run is one credential if it says the same, and a conflict if not.
#[test]
fn a_repeated_id_is_one_credential_or_a_conflict() {
    let sandbox = Sandbox::with_issuer_key();
    let changed = with(item("a"), "/request/claims/jurisdiction", json!("FR"));
    sandbox.write_items("items.ndjson", &[item("a"), item("b"), item("a"), changed]);
    let run = sandbox.issue("items.ndjson --idempotency-key k").expect(3);
    assert!(run.stderr.contains("issued 2, already issued 1, failed 1"), "{}", run.stderr);
    let rows = lasting(&run);
    assert_eq!(rows[2], rows[0]);
    let error = run.error();
    assert_eq!(error.code, "idempotency_key_conflict");
    assert!(error.message.contains("(item 0)"), "{}", error.message);
}

/// Without a key, a run that begins as one before did is noticed.
#[test]
fn a_file_that_was_issued_before_is_noticed() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_200));
    let first = sandbox.issue("items.ndjson").expect(0);
    assert!(!first.stderr.contains("issued before"), "{}", first.stderr);
    let refused = sandbox.issue("items.ndjson --duplicates refuse").expect(6);
    assert!(refused.stderr.contains("these items were issued before"), "{}", refused.stderr);
    assert_eq!(recorded(&sandbox), "1,200");
    for args in ["items.ndjson --dry-run", "items.ndjson"] {
        let warned = sandbox.issue(args).expect(0);
        assert_eq!(warned.stderr.matches("these items were issued before").count(), 1, "{}", warned.stderr);
    }
    let allowed = sandbox.issue("items.ndjson --duplicates allow").expect(0);
    assert!(!allowed.stderr.contains("issued before"), "{}", allowed.stderr);
    // Other items, another order, and those that are all revoked are no duplicates.
    let mut other = items(1_200);
    other.swap(3, 4);
    sandbox.write_items("other.ndjson", &other);
    sandbox.issue("other.ndjson --duplicates refuse").expect(0);
    sandbox.write_items("one.ndjson", &[item("one")]);
    let one = sandbox.issue("one.ndjson").expect(0);
    let id = lasting(&one)[0].as_ref().unwrap().0.clone();
    sandbox.beltic(&["revoke", &id]).expect(0);
    sandbox.issue("one.ndjson --duplicates refuse").expect(0);
}

/// A row that is put in at the top moves all others: each conflicts, and nothing is issued twice.
#[test]
fn a_row_put_in_at_the_top_issues_nothing_twice() {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(1_300);
    sandbox.write_items("items.ndjson", &batch);
    let first = sandbox.issue("items.ndjson --idempotency-key k --idempotent-by position").expect(0);
    batch.insert(0, item("new"));
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --idempotency-key k --idempotent-by position").expect(3);
    for (row, error) in run.errors().iter().enumerate() {
        assert_eq!(error.code, "idempotency_key_conflict", "{row}");
    }
    for (error, before) in run.errors().iter().zip(lasting(&first)) {
        assert!(error.message.contains(&before.unwrap().0), "{}", error.message);
    }
    // The last row stands where nothing was issued before, and was issued all the same.
    assert!(run.stderr.contains("issued 0, failed 1,301"), "{}", run.stderr);
    assert_eq!(recorded(&sandbox), "1,300");
    // Rows behind what was issued are no copies of it, and are.
    batch.remove(0);
    batch.extend([item("behind"), batch[0].clone()]);
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --idempotency-key k --idempotent-by position").expect(0);
    assert!(run.stderr.contains("issued 2, already issued 1,300"), "{}", run.stderr);
}

/// What a key was first used with holds for it.
#[test]
fn other_terms_are_refused_before_anything_is_issued() {
    let sandbox = Sandbox::with_issuer_key();
    let made = sandbox.beltic(&["keygen", "--out", "other.pem"]).expect(0);
    assert!(made.stdout.contains("did:key:"));
    sandbox.write_items("items.ndjson", &items(3));
    let first = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    sandbox.write_items("more.ndjson", &items(5));
    for (args, named) in [
        ("--ttl P2Y", "ttl"),
        ("--vct urn:example:other", "vct"),
        ("--issuer did:web:issuer.example", "issuer"),
        ("--key other.pem", "kid"),
    ] {
        let run =
            sandbox.issue(&format!("more.ndjson --idempotency-key k --out out.ndjson {args}")).expect(2);
        assert!(run.stderr.contains(&format!("another {named} (")), "{args}: {}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!sandbox.has("out.ndjson"));
        assert_eq!(recorded(&sandbox), "3");
    }
    // The same said in other words, and what no credential depends on.
    let run =
        sandbox.issue("items.ndjson --idempotency-key k --ttl P1Y --jobs 2 --output-format ndjson").expect(0);
    assert_eq!(lasting(&run), lasting(&first));
}

/// A key without a ledger, and keys that are none.
#[test]
fn a_key_needs_a_ledger_and_a_length() {
    let (sandbox, _) = sandbox_with(3);
    let run = sandbox.issue("items.ndjson --idempotency-key k --ledger none").expect(2);
    assert!(run.stderr.contains("needs a ledger"), "{}", run.stderr);
    for key in ["", &"k".repeat(256)] {
        let run = sandbox.beltic(&["batch-issue", "items.ndjson", "--idempotency-key", key]).expect(2);
        assert!(run.stderr.contains("1 to 255 bytes"), "{}", run.stderr);
    }
    assert!(!sandbox.has(".beltic/ledger.db"));
    sandbox.beltic(&["batch-issue", "items.ndjson", "--idempotency-key", &"k".repeat(255)]).expect(3);
}

/// A key belongs to its ledger: in two ledgers it is two runs.
#[test]
fn a_key_belongs_to_its_ledger() {
    let (sandbox, _) = sandbox_with(4);
    let first = sandbox.issue("items.ndjson --idempotency-key k").expect(3);
    let other = sandbox.issue("items.ndjson --idempotency-key k --ledger other.db").expect(3);
    assert!(slots(&first).iter().all(|slot| !slots(&other).contains(slot)));
    assert!(!other.stderr.contains("replayed"));
}

// ------------------------------------------------------------------------------ restored backups

/// A backup that was put back does not know what was given since; nothing of it is given again.
#[test]
fn a_restored_backup_is_noticed_and_repeats_nothing() {
    let (sandbox, _) = sandbox_with(1_500);
    let before = sandbox.issue("items.ndjson --idempotency-key before").expect(3);
    let backup = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    assert!(!sandbox.has(".beltic/ledger.db-wal"), "a ledger at rest is one file");
    let mut given: HashSet<_> = slots(&before).into_iter().collect();
    let lost = sandbox.issue("items.ndjson --idempotency-key lost").expect(3);
    given.extend(slots(&lost));
    assert_eq!(given.len(), 2 * 1_499);

    sandbox.write(".beltic/ledger.db", &backup);
    let after = sandbox.issue("items.ndjson --idempotency-key after").expect(3);
    assert!(
        after.stderr.contains("warning: ") && after.stderr.contains("restoring a backup"),
        "{}",
        after.stderr
    );
    for slot in slots(&after) {
        assert!(given.insert(slot.clone()), "{slot:?} is given twice");
    }
    let lists = |run: &Run| slots(run).into_iter().map(|slot| slot.0).collect::<HashSet<_>>();
    assert!(lists(&after).is_disjoint(&lists(&before)), "new ones go into new lists");
    // What the backup knows comes out again as it was; what it forgot is issued anew.
    let again = sandbox.issue("items.ndjson --idempotency-key before").expect(3);
    assert_eq!(lasting(&again), lasting(&before));
    assert!(!again.stderr.contains("warning: the ledger"), "it is said once: {}", again.stderr);
    let anew = sandbox.issue("items.ndjson --idempotency-key lost").expect(3);
    assert!(slots(&anew).into_iter().all(|slot| given.insert(slot)));
    sandbox.beltic(&["ledger", "check"]).expect(0);
}

/// The id of a run that the ledger ought to know.
#[test]
fn a_run_id_that_the_ledger_does_not_know_is_a_warning() {
    let (sandbox, _) = sandbox_with(3);
    let id = "0190a5c0-0000-7000-8000-000000000001";
    let run = sandbox.issue(&format!("items.ndjson --idempotency-key {id}")).expect(3);
    assert!(run.stderr.contains("the ledger has no run with this id"), "{}", run.stderr);
    let run = sandbox.issue(&format!("items.ndjson --idempotency-key {id}")).expect(3);
    assert!(!run.stderr.contains("warning: the ledger"), "{}", run.stderr);
}
