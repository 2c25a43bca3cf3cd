//! The table of `sync`, row by row: what an item and its newest credential lead to.

use serde_json::{Value, json};

use crate::support::*;
use crate::sync_support::*;

/// A company whose credential is valid for so long.
fn company(name: &str, form: &str, ttl: &str) -> Value {
    let named = with(item(name), "/request/subject/legal_form", json!(form));
    with(named, "/request/ttl", json!(ttl))
}

/// A scope with one company as of the first of May, and its credential's id.
fn scope_with(form: &str, ttl: &str) -> (Sandbox, String) {
    let sandbox = issuer();
    let id = issue(&sandbox, form, ttl, "2031-05-01T00:00:00Z", "");
    (sandbox, id)
}

/// Brings the scope into line with a register of that one company; gives the id of its new credential.
#[track_caller]
fn issue(sandbox: &Sandbox, form: &str, ttl: &str, at: &str, flags: &str) -> String {
    synced(&run(sandbox, form, ttl, at, flags).expect(0))[0].id()
}

fn run(sandbox: &Sandbox, form: &str, ttl: &str, at: &str, flags: &str) -> Run {
    sandbox.write_items("register.ndjson", &[company("a", form, ttl)]);
    sync(sandbox, &format!("register.ndjson --issued-at {at} {flags}"))
}

/// A run that must leave everything as it is, with this code.
#[track_caller]
fn unchanged(sandbox: &Sandbox, form: &str, ttl: &str, at: &str, flags: &str, code: i32) -> Run {
    let before = (held(sandbox), events(sandbox));
    let run = run(sandbox, form, ttl, at, flags).expect(code);
    assert_eq!((held(sandbox), events(sandbox)), before, "{form} {ttl} {at} {flags}");
    run
}

fn status(sandbox: &Sandbox, id: &str) -> String {
    held(sandbox)[id].status.clone()
}

#[test]
fn what_is_new_is_issued_and_then_stays() {
    let sandbox = issuer();
    let first = run(&sandbox, "Ltd", "P100D", "2031-05-01T00:00:00Z", "").expect(0);
    let rows = synced(&first);
    assert_eq!(rows[0].action.as_deref(), Some("issued"));
    assert_eq!((rows[0].index, rows[0].correlation_id.as_deref()), (Some(0), Some("a")));
    assert_eq!(rows[0].former, None);
    assert_eq!(rows[0].credential.as_ref().unwrap()["issued_at"], "2031-05-01T00:00:00Z");
    let again = unchanged(&sandbox, "Ltd", "P100D", "2031-05-01T00:00:00Z", "", 0);
    assert!(again.stderr.contains("issued 0"), "{}", again.stderr);
    assert_eq!(again.stdout, "", "what did not change is not printed");
    let all = unchanged(&sandbox, "Ltd", "P100D", "2031-06-01T00:00:00Z", "--all", 0);
    let row = &synced(&all)[0];
    assert_eq!((row.action.as_deref(), row.id()), (Some("unchanged"), rows[0].id()));
    let [first, now] = [&rows[0], row].map(|row| row.credential.as_ref().unwrap());
    for name in ["subject", "claims", "issued_at", "expires_at", "status_list_index", "status"] {
        assert_eq!(first[name], now[name], "{name}");
    }
    issuer_token_key().open(now["signed_payload"].as_str().unwrap());
}

/// The former and its successor change places in one transaction.
#[test]
fn what_changed_is_replaced() {
    let (sandbox, first) = scope_with("Ltd", "P100D");
    let changed = run(&sandbox, "PLC", "P100D", "2031-05-02T00:00:00Z", "").expect(0);
    let row = synced(&changed).remove(0);
    assert_eq!((row.action.as_deref(), row.former.as_deref()), (Some("replaced"), Some(first.as_str())));
    let held = held(&sandbox);
    assert_eq!((held[&first].status.as_str(), held[&row.id()].status.as_str()), ("revoked", "active"));
    assert_eq!(held[&first].revocation_reason.as_deref(), Some("superseded"));
    // Back again is another change.
    let back = synced(&run(&sandbox, "Ltd", "P100D", "2031-05-03T00:00:00Z", "").expect(0)).remove(0);
    assert_eq!(back.former, Some(row.id()));
    assert_ne!(back.id(), first);
}

/// Every part of the content counts, and nothing else does.
#[test]
fn what_counts_as_content() {
    let base = full_item("a");
    let changes = [
        ("/request/subject/name", json!("Another Ltd"), true),
        ("/request/subject/id", json!("https://companies.example/other"), true),
        ("/request/claims/tax_id_verified", json!(true), true),
        ("/request/claims/beneficial_owners/0/ownership_percent", json!(62), true),
        ("/request/evidence_refs", json!(["case:4712"]), true),
        ("/request/ttl", json!("P7M"), true),
        ("/request/cnf", json!({ "jwk": agent_jwk() }), true),
        ("/request/credential_type", json!("business"), false),
    ];
    for (pointer, value, counts) in changes {
        let sandbox = issuer();
        sandbox.write_items("register.ndjson", std::slice::from_ref(&base));
        sync(&sandbox, "register.ndjson").expect(0);
        sandbox.write_items("register.ndjson", &[with(base.clone(), pointer, value)]);
        let run = sync(&sandbox, "register.ndjson").expect(0);
        assert_eq!(Counts::of(&run).replaced, usize::from(counts), "{pointer}: {}", run.stderr);
    }
    // Numbers as they are written; members in any order.
    let sandbox = issuer();
    let text = |share: &str| {
        format!(
            "{{\"correlation_id\":\"a\",\"self_attestation_complete\":true,\"subject\":{{\"id\":\"1\"}},\
             \"claims\":{{\"beneficial_owners\":[{{\"full_name\":\"Ada\",\"ownership_percent\":{share}}}]}}}}\n"
        )
    };
    let turned = "{\"claims\":{\"beneficial_owners\":[{\"ownership_percent\":50,\"full_name\":\"Ada\"}]},\
                  \"subject\":{\"id\":\"1\"},\"self_attestation_complete\":true,\"correlation_id\":\"a\"}\n";
    for (text, replaced) in [(text("50"), 0), (turned.to_owned(), 0), (text("50.0"), 1)] {
        sandbox.write("register.ndjson", text);
        let run = sync(&sandbox, "register.ndjson").expect(0);
        assert_eq!(Counts::of(&run).replaced, replaced, "{}", run.stderr);
    }
}

/// Under both bounds, and not at one of them.
#[test]
fn renewal_is_under_both_bounds() {
    for (ttl, at, within, renews) in [
        ("P100D", "2031-07-10T00:00:00Z", "P30D", false), // exactly 30 days left
        ("P100D", "2031-07-10T00:00:01Z", "P30D", true),
        ("P100D", "2031-07-10T00:00:01Z", "", false),
        ("P100D", "2031-06-20T00:00:00Z", "P90D", false), // exactly half of its period
        ("P100D", "2031-06-20T00:00:01Z", "P90D", true),
        ("P10D", "2031-05-01T00:00:00Z", "P30D", false), // not again and again
        ("P10D", "2031-05-05T23:59:59Z", "P30D", false),
        ("P10D", "2031-05-06T00:00:01Z", "P30D", true),
        ("P10D", "2031-05-10T23:59:59Z", "PT1S", false), // exactly a second
        ("P10D", "2031-05-10T23:59:59Z", "PT2S", true),
    ] {
        let (sandbox, first) = scope_with("Ltd", ttl);
        let within = if within.is_empty() { String::new() } else { format!("--renew-within {within}") };
        let row = synced(&run(&sandbox, "Ltd", ttl, at, &within).expect(0)).pop();
        let action = row.as_ref().and_then(|row| row.action.clone());
        assert_eq!(action.as_deref(), renews.then_some("renewed"), "{ttl} {at} {within}");
        if let Some(row) = row {
            assert_eq!(row.former.as_deref(), Some(first.as_str()));
            assert_eq!(status(&sandbox, &first), "active", "it stays valid to its end");
            unchanged(&sandbox, "Ltd", ttl, at, &within, 0);
        }
    }
}

#[test]
fn renewed_formers_may_be_revoked_and_do_not_count_as_removals() {
    let sandbox = issuer();
    let all: Vec<Value> = (0..20).map(|number| company(&format!("c{number}"), "Ltd", "P10D")).collect();
    sandbox.write_items("register.ndjson", &all);
    sync(&sandbox, "register.ndjson --issued-at 2031-05-01T00:00:00Z").expect(0);
    let args = "register.ndjson --issued-at 2031-05-09T00:00:00Z --renew-within P5D --revoke-renewed";
    let plan = sync(&sandbox, &format!("{args} --max-removals 0 --plan")).expect(3);
    let run = sync(&sandbox, &format!("{args} --max-removals 0")).expect(0);
    assert_eq!(Counts::of(&run), Counts::of(&plan));
    assert_eq!(Counts::of(&run).renewed, 20, "{}", run.stderr);
    assert_eq!(found(&sandbox, "--status revoked").len(), 20);
    assert_eq!(found(&sandbox, "--status active").len(), 20);
}

/// A change after a renewal: the former that still runs says what is no longer so.
#[test]
fn a_replacement_revokes_all_formers() {
    for suspended in [false, true] {
        let (sandbox, first) = scope_with("Ltd", "P100D");
        let second =
            issue(&sandbox, "Ltd", "P100D", "2031-07-20T00:00:00Z", "--renew-within P30D --max-removals 0");
        if suspended {
            sandbox.beltic(&["suspend", &first]).expect(0);
        }
        let third = issue(&sandbox, "PLC", "P100D", "2031-07-21T00:00:00Z", "");
        let statuses = [&first, &second, &third].map(|id| status(&sandbox, id));
        assert_eq!(statuses, ["revoked", "revoked", "active"]);
    }
}

#[test]
fn what_expired_is_issued_again() {
    for (form, at, action) in [
        ("Ltd", "2031-05-10T23:59:59Z", None),
        ("Ltd", "2031-05-11T00:00:00Z", Some("issued")),
        ("PLC", "2031-05-11T00:00:00Z", Some("issued")),
        ("PLC", "2031-05-10T23:59:59Z", Some("replaced")),
    ] {
        let (sandbox, _) = scope_with("Ltd", "P10D");
        let rows = synced(&run(&sandbox, form, "P10D", at, "").expect(0));
        assert_eq!(rows.first().and_then(|row| row.action.as_deref()), action, "{form} {at}");
    }
}

/// A suspension is somebody's decision, and not undone by a register.
#[test]
fn what_is_suspended() {
    for at in ["2031-05-08T00:00:00Z", "2031-06-08T00:00:00Z"] {
        let (sandbox, first) = scope_with("Ltd", "P10D");
        sandbox.beltic(&["suspend", &first, "--reason", "under review"]).expect(0);
        let same = unchanged(&sandbox, "Ltd", "P10D", at, "--renew-within P30D", 0);
        assert!(same.stderr.contains("suspended"), "a warning counts it: {}", same.stderr);
        let replaced = unchanged(&sandbox, "Ltd", "P10D", at, "--replace-suspended", 0);
        assert!(replaced.stderr.contains("suspended"), "{}", replaced.stderr);
        let other = unchanged(&sandbox, "PLC", "P10D", at, "", 3);
        assert_eq!(synced(&other)[0].code(), Some("status_conflict"), "{}", other.stdout);
        unchanged(&sandbox, "PLC", "P10D", at, "--reissue-revoked", 3);
        unchanged(&sandbox, "PLC", "P10D", at, "--replace-suspended --plan", 3);
        let row = synced(&run(&sandbox, "PLC", "P10D", at, "--replace-suspended").expect(0)).remove(0);
        assert_eq!((row.action.as_deref(), row.former.as_deref()), (Some("replaced"), Some(first.as_str())));
        if at < "2031-05-11" {
            assert_eq!(status(&sandbox, &first), "revoked");
        }
        unchanged(&sandbox, "PLC", "P10D", at, "--replace-suspended", 0);
    }
}

/// A revocation is permanent; whoever lifts it says so.
#[test]
fn what_was_revoked_by_hand() {
    for (form, at) in [
        ("Ltd", "2031-05-08T00:00:00Z"),
        ("PLC", "2031-05-08T00:00:00Z"),
        ("Ltd", "2031-06-08T00:00:00Z"),
        ("PLC", "2031-06-08T00:00:00Z"),
    ] {
        let (sandbox, first) = scope_with("Ltd", "P10D");
        sandbox.beltic(&["revoke", &first, "--reason", "compromised"]).expect(0);
        let today = held(&sandbox)[&first].clone();
        let refused = unchanged(&sandbox, form, "P10D", at, "--prune --replace-suspended", 3);
        let row = &synced(&refused)[0];
        assert_eq!(row.code(), Some("status_conflict"), "{}", refused.stdout);
        let message = row.error.as_ref().unwrap().to_string();
        assert!(message.contains("compromised"), "with the reason: {message}");
        let show = sandbox.beltic(&["list", "--status", "revoked", "--output-format", "ndjson"]).stdout;
        let revoked_at = show.split("\"revoked_at\":\"").nth(1).unwrap()[..10].to_owned();
        assert!(message.contains(&revoked_at), "with the date {revoked_at}: {message}");
        assert_eq!(today.status, "revoked");
        let second = issue(&sandbox, form, "P10D", at, "--reissue-revoked");
        assert_eq!([status(&sandbox, &first), status(&sandbox, &second)], ["revoked", "active"]);
        unchanged(&sandbox, form, "P10D", at, "", 0);
    }
}

/// What says the old things does not outlive the credential that was revoked by hand.
#[test]
fn a_reissued_item_has_no_former_with_other_content() {
    let (sandbox, first) = scope_with("Ltd", "P100D");
    let second = issue(&sandbox, "Ltd", "P100D", "2031-07-20T00:00:00Z", "--renew-within P30D");
    sandbox.beltic(&["revoke", &second]).expect(0);
    let third = issue(&sandbox, "PLC", "P100D", "2031-07-21T00:00:00Z", "--reissue-revoked");
    let statuses = [&first, &second, &third].map(|id| status(&sandbox, id));
    assert_eq!(statuses, ["revoked", "revoked", "active"]);
}

#[test]
fn what_is_gone_is_revoked_only_by_prune() {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(3));
    let ids: Vec<String> =
        synced(&sync(&sandbox, "register.ndjson").expect(0)).iter().map(Synced::id).collect();
    sandbox.beltic(&["suspend", &ids[2]]).expect(0);
    sandbox.write_items("register.ndjson", &items(1));
    let before = events(&sandbox);
    sync(&sandbox, "register.ndjson").expect(0);
    assert_eq!(events(&sandbox), before);
    let run = sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(Counts::of(&run).removed, 1, "{}", run.stderr);
    assert!(run.stderr.contains("suspended"), "a warning counts what stays suspended: {}", run.stderr);
    assert_eq!(synced(&run).len(), 1);
    assert_eq!(synced(&run)[0].action.as_deref(), Some("revoked"));
    let statuses: Vec<String> = ids.iter().map(|id| status(&sandbox, id)).collect();
    assert_eq!(statuses, ["active", "revoked", "suspended"]);
    let before = events(&sandbox);
    sync(&sandbox, "register.ndjson --prune").expect(0);
    assert_eq!(events(&sandbox), before);

    // What comes back is issued anew, but a suspension lasts.
    sandbox.write_items("register.ndjson", &items(3));
    let run = sync(&sandbox, "register.ndjson --prune").expect(0);
    let rows = synced(&run);
    let issued: Vec<_> = rows.iter().filter(|row| row.action.as_deref() == Some("issued")).collect();
    assert_eq!(issued.len(), 1, "{}", run.stdout);
    assert_eq!(issued[0].correlation_id.as_deref(), Some("company-1"));
    assert_eq!(found(&sandbox, "--status active").len(), 2);
}

/// A revocation by hand before the item went is still there when it comes back.
#[test]
fn what_was_revoked_by_hand_and_went_comes_back_revoked() {
    let sandbox = issuer();
    sandbox.write_items("all.ndjson", &items(3));
    sandbox.write_items("fewer.ndjson", &items(2));
    let ids: Vec<String> = synced(&sync(&sandbox, "all.ndjson").expect(0)).iter().map(Synced::id).collect();
    sandbox.beltic(&["revoke", &ids[2]]).expect(0);
    sync(&sandbox, "fewer.ndjson --prune").expect(0);
    let run = sync(&sandbox, "all.ndjson").expect(3);
    assert_eq!(synced(&run)[0].code(), Some("status_conflict"), "{}", run.stdout);
}

/// Every form of the results has every action.
#[test]
fn the_results_come_in_every_form() {
    let begin: Vec<Value> =
        ["stays", "changes", "goes"].map(|name| company(name, "Ltd", "P1Y")).into_iter().collect();
    let near = company("nears", "Ltd", "P10D");
    let invalid = company("fails", "Ltd", "soon");
    let actions = ["issued", "renewed", "replaced", "revoked", "unchanged"];
    for form in ["ndjson", "json", "csv", "text", "jwt"] {
        let sandbox = issuer();
        sandbox.write_items("before.ndjson", &[begin.clone(), vec![near.clone()]].concat());
        sync(&sandbox, "before.ndjson --issued-at 2031-05-01T00:00:00Z").expect(0);
        let changed = company("changes", "PLC", "P1Y");
        let new = company("comes", "Ltd", "P1Y");
        sandbox.write_items("after.ndjson", &[begin[0].clone(), changed, near.clone(), new, invalid.clone()]);
        let args = format!(
            "after.ndjson --issued-at 2031-05-09T00:00:00Z --prune --renew-within P5D --all --output-format {form}"
        );
        let run = sync(&sandbox, &args).expect(3);
        let mut found: Vec<String> = match form {
            "ndjson" => synced(&run).into_iter().filter_map(|row| row.action).collect(),
            "json" => {
                let envelope: Value = serde_json::from_str(&run.stdout).unwrap();
                let rows = envelope["results"].as_array().unwrap();
                rows.iter().filter_map(|row| Some(row["action"].as_str()?.to_owned())).collect()
            }
            "csv" => {
                let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
                let column =
                    reader.headers().unwrap().iter().position(|name| name == "action").expect("a column");
                reader.records().map(|row| row.unwrap()[column].to_owned()).collect()
            }
            "text" => {
                let words = run.stdout.lines().filter_map(|line| line.split_whitespace().next());
                words.filter(|word| actions.contains(word)).map(str::to_owned).collect()
            }
            _ => {
                let tokens = run.stdout.lines().filter(|line| line.split('.').count() == 3);
                assert_eq!(tokens.count(), run.stdout.lines().count(), "{}", run.stdout);
                assert_eq!(run.stdout.lines().count(), 4);
                continue;
            }
        };
        found.retain(|action| !action.is_empty());
        found.sort();
        assert_eq!(found, actions, "{form}: {}", run.stdout);
    }
}
