//! `revoke`, `suspend`, `reinstate`: one credential or many, each with its own answer.

use serde_json::{Value, json};

use crate::support::*;

/// A sandbox with so many credentials, their results in a file, and their ids.
fn issued(count: usize) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(count));
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.write("results.ndjson", &run.stdout);
    (sandbox, run.rows().into_iter().map(|row| row.into_credential().id).collect())
}

/// The rows of a run, as JSON.
fn rows_of(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the ledger says of each credential of the first run: it is issued again under its key.
fn statuses(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    rows_of(&run).iter().map(|row| row["credential"]["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn credentials_are_revoked_by_id_and_stay_revoked() {
    let (sandbox, ids) = issued(3);
    let bare = ids[2].trim_start_matches("urn:uuid:").to_owned();
    let run = sandbox.beltic(&["revoke", &ids[0], &bare, "--reason", "compromised"]).expect(0);
    for (row, (index, id)) in rows_of(&run).iter().zip([(0, &ids[0]), (1, &ids[2])]) {
        let revoked_at = row["revoked_at"].as_str().unwrap();
        assert!(revoked_at.ends_with('Z') && revoked_at.len() == 20, "{revoked_at}");
        let expected = json!({"index": index, "id": id, "status": "revoked", "revoked_at": revoked_at, "revocation_reason": "compromised"});
        assert_eq!(row, &expected);
    }
    assert_eq!(run.stderr, "revoked 2, failed 0; `beltic publish` tells verifiers\n");
    assert_eq!(statuses(&sandbox), ["revoked", "active", "revoked"]);

    let again = sandbox.beltic(&["revoke", &ids[0], &ids[1]]).expect(3);
    let rows = rows_of(&again);
    assert_eq!(
        rows[0]["error"],
        json!({"code": "status_conflict", "message": "revoked already, which is final"})
    );
    assert_eq!(rows[1]["status"], "revoked");
    assert!(again.stderr.starts_with("revoked 1, failed 1;"), "{}", again.stderr);
}

#[test]
fn the_replayed_resource_tells_when_and_why() {
    let (sandbox, ids) = issued(1);
    sandbox.beltic(&["revoke", &ids[0], "--reason", "error"]).expect(0);
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let row = rows_of(&run).remove(0);
    let names: Vec<_> = crate::readers::exact::Exact::parse(run.stdout.trim_end())
        .member("credential")
        .names()
        .iter()
        .map(|name| name.to_string())
        .collect();
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    assert_eq!(at("revoked_at"), at("vct") + 1);
    assert_eq!(at("revocation_reason"), at("vct") + 2);
    assert_eq!(at("created_via"), at("vct") + 3);
    assert_eq!(row["credential"]["revocation_reason"], "error");
    let csv = sandbox.issue("items.ndjson --idempotency-key first --output-format csv").expect(0);
    assert!(csv.stdout.lines().nth(1).unwrap().contains(",revoked,"), "{}", csv.stdout);
}

#[test]
fn suspension_ends_and_revocation_does_not() {
    let (sandbox, ids) = issued(2);
    let said = |args: &[&str], code| {
        let run = sandbox.beltic(args).expect(code);
        rows_of(&run).remove(0)
    };
    let suspended = said(&["suspend", &ids[0], "--reason", "user_request"], 0);
    assert_eq!(
        (&suspended["status"], &suspended["suspension_reason"]),
        (&json!("suspended"), &json!("user_request"))
    );
    assert!(suspended["suspended_at"].is_string());
    assert_eq!(said(&["suspend", &ids[0]], 3)["error"]["code"], "status_conflict");
    assert_eq!(said(&["reinstate", &ids[0]], 0), json!({"index": 0, "id": ids[0], "status": "active"}));
    assert_eq!(said(&["reinstate", &ids[0]], 3)["error"]["message"], "not suspended");
    assert_eq!(said(&["suspend", &ids[0]], 0)["status"], "suspended");
    assert_eq!(said(&["revoke", &ids[0]], 0)["status"], "revoked");
    for command in ["suspend", "reinstate", "revoke"] {
        assert_eq!(said(&[command, &ids[0]], 3)["error"]["code"], "status_conflict", "{command}");
    }
    assert_eq!(statuses(&sandbox), ["revoked", "active"]);
}

#[test]
fn every_results_file_names_the_same_credentials() {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(5);
    batch[2] = without(batch[2].clone(), "/request/claims");
    sandbox.write_items("items.ndjson", &batch);
    for (form, args) in
        [("ndjson", ""), ("json", ""), ("csv", ""), ("jwt", ""), ("jwt", " --proof-format sd_jwt_vc")]
    {
        let run = sandbox.issue(&format!("items.ndjson --output-format {form}{args}")).expect(3);
        sandbox.write("results", &run.stdout);
        let run = sandbox.beltic(&["revoke", "--from", "results", "--output-format", "ndjson"]).expect(0);
        let rows = rows_of(&run);
        assert_eq!(rows.len(), 4, "{form}: {}", run.stdout);
        assert!(rows.iter().all(|row| row["status"] == "revoked"));
        if form != "jwt" {
            let ids: Vec<_> = rows.iter().map(|row| row["correlation_id"].as_str().unwrap()).collect();
            assert_eq!(ids, ["company-0", "company-1", "company-3", "company-4"], "{form}");
        }
        let passed_over = if form == "jwt" { "" } else { ", passed over 1 that were never issued" };
        assert_eq!(
            run.stderr,
            format!("revoked 4, failed 0{passed_over}; `beltic publish` tells verifiers\n")
        );
    }
}

#[test]
fn a_list_of_ids_may_hold_what_is_none() {
    let (sandbox, ids) = issued(2);
    let unknown = "urn:uuid:01a20600-0000-7000-8000-000000000000";
    let list = format!(
        "{}\n\nnonsense\n{unknown}\n{}\n{{\"a\":1}}\nurn:uuid:{}\n",
        ids[0],
        ids[1],
        uuid::Uuid::nil()
    );
    let run = sandbox.beltic_fed(&["revoke", "--from", "-"], list.as_bytes()).expect(3);
    let codes: Vec<_> = rows_of(&run)
        .into_iter()
        .map(|row| (row["line"].as_u64().unwrap(), row["error"]["code"].as_str().unwrap_or("").to_owned()))
        .collect();
    let expected = [
        (1, ""),
        (3, "malformed_request"),
        (4, "credential_not_found"),
        (5, ""),
        (6, "malformed_request"),
        (7, "malformed_request"),
    ];
    assert_eq!(codes, expected.map(|(line, code)| (line, code.to_owned())));
    assert!(run.stderr.starts_with("revoked 2, failed 4"), "{}", run.stderr);
}

#[test]
fn a_stray_quote_ends_the_file_after_the_rows_before_it() {
    let (sandbox, _) = issued(8);
    let table = sandbox.issue("items.ndjson --idempotency-key first --output-format csv").expect(0).stdout;
    sandbox.write("results.csv", table.replace(",company-1,", ",\"company-1,"));
    let run = sandbox.beltic(&["revoke", "--from", "results.csv", "--output-format", "ndjson"]).expect(4);
    assert_eq!(rows_of(&run).len(), 1);
    assert!(run.stderr.contains("results.csv: quote opened on line 3 is not closed"), "{}", run.stderr);
    assert_eq!(statuses(&sandbox)[..2], ["revoked", "active"]);
}

#[test]
fn rows_that_failed_before_are_not_tried_again() {
    let (sandbox, ids) = issued(2);
    sandbox.beltic(&["suspend", &ids[0]]).expect(0);
    for form in ["ndjson", "csv"] {
        let said = sandbox.beltic(&["suspend", &ids[0], "--output-format", form]).expect(3).stdout;
        sandbox.write("said", said);
        let run = sandbox.beltic(&["revoke", "--from", "said"]).expect(3);
        assert!(
            run.stdout.is_empty() && run.stderr.starts_with("revoked 0, failed 0"),
            "{form}: {}",
            run.stdout
        );
    }
    assert_eq!(statuses(&sandbox), ["suspended", "active"]);
}

#[test]
fn a_correlation_id_comes_back_from_csv_as_it_was() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("-5"), item("'=a"), item(" "), item(" b ")]);
    let table = sandbox.issue("items.ndjson --output-format csv").expect(0).stdout;
    let run = sandbox.beltic_fed(&["revoke", "--from", "-"], table.as_bytes()).expect(0);
    let ids: Vec<_> = rows_of(&run).into_iter().map(|row| row["correlation_id"].clone()).collect();
    assert_eq!(ids, ["-5", "'=a", " ", " b "]);
}

#[test]
fn credentials_are_found_by_run_subject_and_correlation_id() {
    let sandbox = Sandbox::with_issuer_key();
    // The same texts, escaped in another way.
    sandbox.write("items.ndjson", ndjson(&items(4)).replace("company-1\"", "company\\u002d1\""));
    sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.issue("items.ndjson --idempotency-key second").expect(0);
    let changed = |args: &[&str], code| rows_of(&sandbox.beltic(args).expect(code)).len();
    assert_eq!(changed(&["suspend", "--correlation-id", "company-1", "--correlation-id", "company-3"], 0), 4);
    assert_eq!(changed(&["reinstate", "--subject", "urn:example:company-1", "--run", "first"], 0), 1);
    assert_eq!(statuses(&sandbox), ["active", "active", "active", "suspended"]);
    assert_eq!(changed(&["revoke", "--run", "second"], 0), 4);
    let nothing = sandbox.beltic(&["revoke", "--run", "third"]).expect(3);
    assert_eq!(nothing.stderr, "revoked 0, failed 0: no such credential was found\n");
    // Neither id stands in the ledger.
    let bytes = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"company-1"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let (sandbox, ids) = issued(2);
    let before = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    let run = sandbox.beltic(&["revoke", &ids[0], &ids[0], "--dry-run"]).expect(3);
    let rows = rows_of(&run);
    assert_eq!((&rows[0]["dry_run"], &rows[0]["status"]), (&json!("would_revoke"), &json!("revoked")));
    assert_eq!(rows[1]["error"]["code"], "status_conflict", "the second time it would be revoked already");
    assert_eq!(run.stderr, "would revoke 1, failed 1\n");
    assert_eq!(std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap(), before);
    assert_eq!(statuses(&sandbox), ["active", "active"]);
}

#[test]
fn forms_for_people_and_spreadsheets() {
    let (sandbox, ids) = issued(2);
    let run = sandbox.beltic(&["revoke", "--from", "results.ndjson", "--output-format", "text"]).expect(0);
    let line = run.stdout.lines().next().unwrap();
    assert_eq!(
        line,
        format!("revoked     0 (line 1)  company-0  {}", ids[0].trim_start_matches("urn:uuid:"))
    );
    let run = sandbox.beltic(&["revoke", &ids[0], "--output-format", "csv"]).expect(3);
    let mut lines = run.stdout.lines();
    assert_eq!(
        lines.next().unwrap(),
        "index,line,correlation_id,id,status,revoked_at,suspended_at,reason,error_code,error_message"
    );
    assert!(lines.next().unwrap().ends_with(",,,,status_conflict,\"revoked already, which is final\""));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let (sandbox, ids) = issued(1);
    let empty = Sandbox::with_issuer_key();
    for (sandbox, args, code, said) in [
        (&sandbox, vec!["revoke"], 2, "required"),
        (&sandbox, vec!["revoke", &ids[0], "--run", "first"], 2, "cannot be used with"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", ""], 2, "the reason must have 1 to 512"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", "a\nb"], 2, "on one line"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", " "], 2, "the reason must have"),
        (&sandbox, vec!["revoke", "--from", "absent.ndjson"], 6, "absent.ndjson"),
        (&sandbox, vec!["revoke", &ids[0], "--ledger", "none"], 2, "needs a ledger"),
        (&empty, vec!["revoke", &ids[0]], 6, "there is no ledger at .beltic/ledger.db"),
    ] {
        let run = sandbox.beltic(&args).expect(code);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    assert!(!empty.has(".beltic/ledger.db"), "no ledger is made");
    assert_eq!(statuses(&sandbox), ["active"]);
}

#[test]
fn a_lost_pipe_is_told_and_what_was_changed_stays_changed() {
    let (sandbox, ids) = issued(1);
    let output = sandbox
        .command(&["revoke", &ids[0]])
        .stdout(std::fs::File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("revoked 1, failed 0") && said.contains("are in the ledger"), "{said}");
    assert_eq!(statuses(&sandbox), ["revoked"]);
}
