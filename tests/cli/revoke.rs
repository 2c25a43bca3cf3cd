//! `revoke`, `suspend`, `reinstate`: one credential or many, each with its own answer.

use serde_json::{Value, json};

use crate::support::*;

/// What the closing line of a change that verifiers cannot see yet ends with.
const PUBLISH: &str = "; run `beltic publish` so verifiers see it";

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
    assert_eq!(run.stderr, format!("revoked 2, failed 0{PUBLISH}\n"));
    assert_eq!(statuses(&sandbox), ["revoked", "active", "revoked"]);

    // A script that is run again is not red, and the credential keeps its date and its reason.
    let first = rows_of(&run).remove(0);
    let again = sandbox.beltic(&["revoke", &ids[0], &ids[1], "--reason", "error"]).expect(0);
    let rows = rows_of(&again);
    let expected = json!({
        "index": 0, "id": ids[0], "unchanged": true, "status": "revoked", "revoked_at": first["revoked_at"],
        "revocation_reason": "compromised",
    });
    assert_eq!(rows[0], expected);
    assert_eq!((&rows[1]["status"], &rows[1]["revocation_reason"]), (&json!("revoked"), &json!("error")));
    assert_eq!(again.stderr, format!("revoked 1, already revoked 1, failed 0{PUBLISH}\n"));
    let last = sandbox.beltic(&["revoke", &ids[0], &ids[1]]).expect(0);
    assert_eq!(last.stderr, "revoked 0, already revoked 2, failed 0\n");
    for command in ["suspend", "reinstate"] {
        let run = sandbox.beltic(&[command, &ids[0]]).expect(3);
        let error = json!({"code": "status_conflict", "message": "already revoked; revocation is permanent"});
        assert_eq!(rows_of(&run)[0]["error"], error, "{command}");
    }
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
    let again = said(&["suspend", &ids[0], "--reason", "error"], 0);
    assert_eq!((&again["unchanged"], &again["status"]), (&json!(true), &json!("suspended")));
    assert_eq!(again["suspension_reason"], "user_request", "what was said first stays");
    assert_eq!(said(&["reinstate", &ids[0]], 0), json!({"index": 0, "id": ids[0], "status": "active"}));
    let again = json!({"index": 0, "id": ids[0], "unchanged": true, "status": "active"});
    assert_eq!(said(&["reinstate", &ids[0]], 0), again);
    assert_eq!(said(&["suspend", &ids[0]], 0)["status"], "suspended");
    assert_eq!(said(&["revoke", &ids[0]], 0)["status"], "revoked");
    for command in ["suspend", "reinstate"] {
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
        let skipped = if form == "jwt" { "" } else { ", skipped 1 (never issued)" };
        let column = if form == "csv" { " (by column 'id')" } else { "" };
        assert_eq!(run.stderr, format!("revoked 4, failed 0{skipped}{column}{PUBLISH}\n"));
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
fn a_stray_quote_fails_the_record_that_it_opens() {
    let (sandbox, _) = issued(8);
    let table = sandbox.issue("items.ndjson --idempotency-key first --output-format csv").expect(0).stdout;
    sandbox.write("results.csv", table.replace(",company-1,", ",\"company-1,"));
    let run = sandbox.beltic(&["revoke", "--from", "results.csv", "--output-format", "ndjson"]).expect(3);
    let rows = rows_of(&run);
    assert_eq!(rows.len(), 2);
    let message = rows[1]["error"]["message"].as_str().unwrap();
    assert!(message.contains("the quote opened on line 3 is not closed"), "{message}");
    assert_eq!(statuses(&sandbox)[..2], ["revoked", "active"]);
}

#[test]
fn rows_that_failed_before_are_not_tried_again() {
    let (sandbox, ids) = issued(2);
    sandbox.beltic(&["revoke", &ids[0]]).expect(0);
    for form in ["ndjson", "csv"] {
        let said = sandbox.beltic(&["suspend", &ids[0], "--output-format", form]).expect(3).stdout;
        sandbox.write("said", said);
        let run = sandbox.beltic(&["reinstate", "--from", "said"]).expect(3);
        assert!(
            run.stdout.is_empty()
                && run.stderr.starts_with("reinstated 0, failed 0, skipped 1 (never issued)"),
            "{form}: {}",
            run.stdout
        );
    }
    assert_eq!(statuses(&sandbox), ["revoked", "active"]);
}

#[test]
fn a_correlation_id_comes_back_from_csv_as_it_was() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("-5"), item("'=a"), item("=\"b"), item("c  d")]);
    let table = sandbox.issue("items.ndjson --output-format csv").expect(0).stdout;
    let run = sandbox.beltic_fed(&["revoke", "--from", "-"], table.as_bytes()).expect(0);
    let ids: Vec<_> = rows_of(&run).into_iter().map(|row| row["correlation_id"].clone()).collect();
    assert_eq!(ids, ["-5", "'=a", "=\"b", "c  d"]);
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
    assert!(
        nothing.stderr.starts_with("error: the ledger has no credential of run 'third'\n"),
        "{nothing:?}"
    );
    // Neither id stands in the ledger.
    let bytes = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"company-1"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let (sandbox, ids) = issued(2);
    let before = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    let run = sandbox.beltic(&["revoke", &ids[0], &ids[0], "--dry-run"]).expect(0);
    let rows = rows_of(&run);
    assert_eq!((&rows[0]["dry_run"], &rows[0]["status"]), (&json!("would_revoke"), &json!("revoked")));
    assert_eq!(rows[1]["unchanged"], true, "the second time it would be revoked already");
    assert_eq!(run.stderr, "would revoke 1, already revoked 1, failed 0\n");
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
    let run = sandbox.beltic(&["revoke", &ids[0], "--output-format", "text"]).expect(0);
    assert!(run.stdout.starts_with("already revoked     0  "), "{}", run.stdout);
    let run = sandbox.beltic(&["revoke", &ids[0], "--output-format", "csv"]).expect(0);
    let row = run.stdout.lines().nth(1).unwrap();
    assert!(row.starts_with(&format!("0,,,,{},revoked,true,2", ids[0])), "{row}");
    let run = sandbox.beltic(&["suspend", &ids[0], "--output-format", "csv"]).expect(3);
    let mut lines = run.stdout.lines();
    assert_eq!(
        lines.next().unwrap(),
        "index,line,correlation_id,subject_id,id,status,unchanged,revoked_at,suspended_at,reason,error_code,error_message"
    );
    assert!(lines.next().unwrap().ends_with(",,,,,status_conflict,already revoked; revocation is permanent"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let (sandbox, ids) = issued(1);
    let empty = Sandbox::with_issuer_key();
    for (sandbox, args, code, said) in [
        (&sandbox, vec!["revoke"], 2, "`beltic revoke` needs ID"),
        (&sandbox, vec!["revoke", &ids[0], "--run", "first"], 2, "ID cannot be used together with --run"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", ""], 2, "the reason must have 1 to 512"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", "a\nb"], 2, "on one line"),
        (&sandbox, vec!["revoke", &ids[0], "--reason", " "], 2, "the reason must have"),
        (&sandbox, vec!["revoke", "--from", "absent.ndjson"], 6, "absent.ndjson"),
        (&sandbox, vec!["revoke", &ids[0], "--ledger", "none"], 2, "no ledger configured (ledger: none)"),
        (&empty, vec!["revoke", &ids[0]], 6, "no ledger found at .beltic/ledger.db"),
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

/// The code of each row's error, and what it names: `(line, own id, code)`; no code for a success.
fn answers(run: &Run) -> Vec<(Option<u64>, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own_id = |row: &Value| {
        text(if row["subject_id"].is_null() { &row["correlation_id"] } else { &row["subject_id"] })
    };
    let answer = |row: &Value| (row["line"].as_u64(), own_id(row), text(&row["error"]["code"]));
    rows_of(run).iter().map(answer).collect()
}

fn found(line: impl Into<Option<u64>>, own_id: &str) -> (Option<u64>, String, String) {
    (line.into(), own_id.to_owned(), String::new())
}

fn not_found(line: impl Into<Option<u64>>, own_id: &str) -> (Option<u64>, String, String) {
    (line.into(), own_id.to_owned(), "credential_not_found".to_owned())
}

#[test]
fn a_typo_is_a_failed_result_and_the_others_are_changed() {
    let (sandbox, _) = issued(4);
    let subject = |number: u32| format!("urn:example:company-{number}");
    let (a, typo) = (subject(0), "urn:example:compnay-1");
    let run = sandbox.beltic(&["suspend", "--subject", &a, "--subject", typo, "--subject", &a]).expect(3);
    assert_eq!(answers(&run), [found(None, &a), not_found(None, typo)]);
    assert_eq!(run.stderr, format!("suspended 1, failed 1{PUBLISH}\n"));
    let args = ["revoke", "--correlation-id", "x", "--correlation-id", "company-2", "--correlation-id", "y"];
    let run = sandbox.beltic(&args).expect(3);
    assert_eq!(answers(&run), [found(None, "company-2"), not_found(None, "x"), not_found(None, "y")]);
    assert_eq!(statuses(&sandbox), ["suspended", "active", "revoked", "active"]);
    // Each condition alone is met, but not both by one credential.
    let run =
        sandbox.beltic(&["revoke", "--subject", &subject(1), "--correlation-id", "company-3"]).expect(3);
    assert_eq!(answers(&run), [not_found(None, &subject(1)), not_found(None, "company-3")]);
    let run = sandbox.beltic(&["revoke", "--subject", &subject(1), "--run", "other"]).expect(3);
    assert_eq!(answers(&run), [not_found(None, &subject(1))]);
    assert!(run.stdout.contains("and meets the other conditions"), "{}", run.stdout);
    assert_eq!(statuses(&sandbox), ["suspended", "active", "revoked", "active"]);
}

/// The first column of the order that the file has is read, and no other one.
#[test]
fn a_table_names_credentials_by_exactly_one_column() {
    let (sandbox, ids) = issued(4);
    let id = &ids[0];
    for (table, column, expected) in [
        (
            "correlation_id\ncompany-0\nnobody\n",
            "correlation_id",
            vec![found(2, "company-0"), not_found(3, "nobody")],
        ),
        ("Subject ID\nurn:example:company-0\n", "Subject ID", vec![found(2, "urn:example:company-0")]),
        (
            "name;subject.id;Correlation-ID\nA;urn:example:company-1;company-0\nB;urn:example:company-0;\n",
            "Correlation-ID",
            vec![(Some(3), String::new(), "malformed_request".to_owned()), found(2, "company-0")],
        ),
        ("correlation_id,id\ncompany-1,{id}\n", "id", vec![found(2, "company-1")]),
        ("id,credential_id\nno 7,{id}\n", "credential_id", vec![found(2, "")]),
        (
            "subject_id,ID\nurn:example:company-0,{id}\nurn:example:company-1,\n",
            "ID",
            vec![found(2, ""), (Some(3), String::new(), "malformed_request".to_owned())],
        ),
        // The same row twice is one credential; a space is part of an id.
        (
            "correlation_id\ncompany-0\ncompany-0\n company-0\n",
            "correlation_id",
            vec![found(2, "company-0"), not_found(4, " company-0")],
        ),
    ] {
        sandbox.write("own.csv", table.replace("{id}", id));
        let run = sandbox.beltic(&["suspend", "--from", "own.csv", "--output-format", "ndjson"]);
        assert_eq!(answers(&run), expected, "{table}: {}", run.stderr);
        let has_failed = expected.iter().any(|(_, _, code)| !code.is_empty());
        assert_eq!(run.code, if has_failed { 3 } else { 0 }, "{table}");
        assert!(run.stderr.contains(&format!("(by column '{column}')")), "{table}: {}", run.stderr);
        assert_eq!(statuses(&sandbox), ["suspended", "active", "active", "active"], "{table}");
    }
    // Commands that need the credential itself do not take such a table.
    sandbox.write("own.csv", "correlation_id,subject_id\na,b\n");
    let run = sandbox.beltic(&["verify", "own.csv", "--key", ".beltic/issuer.pem", "--no-status"]);
    assert!(run.code != 0 && run.stdout.is_empty(), "{run:?}");
}

/// Thousands of ids in any order, some of them of nobody and some of several credentials, against a model.
#[test]
fn ids_of_one_s_own_are_found_in_one_pass() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2_500));
    sandbox.issue("items.ndjson").expect(0);
    sandbox.write_items("items.ndjson", &items(1_200));
    sandbox.issue("items.ndjson --ttl P1M").expect(0);
    // 1,999 is prime to 3,000: every number once, in an order that is none.
    let numbers: Vec<u64> = (0..3_000).map(|number| number * 1_999 % 3_000).collect();
    let rows: String = numbers.iter().map(|number| format!("{number},company-{number}\n")).collect();
    sandbox.write("own.csv", format!("customer,correlation_id\n{rows}"));
    let run = sandbox.beltic(&["revoke", "--from", "own.csv", "--output-format", "ndjson"]).expect(3);
    let said = format!("revoked 3,700, failed 500 (by column 'correlation_id'){PUBLISH}\n");
    assert_eq!(run.stderr, said);
    let mut told = answers(&run);
    assert!(rows_of(&run).iter().enumerate().all(|(place, row)| row["index"] == place as u64));
    let mut expected = Vec::new();
    for (line, number) in (2..).zip(&numbers) {
        let name = format!("company-{number}");
        let times = usize::from(*number < 2_500) + usize::from(*number < 1_200);
        expected.extend(std::iter::repeat_n(found(line, &name), times));
        expected.extend((times == 0).then(|| not_found(line, &name)));
    }
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    let again = sandbox.beltic(&["revoke", "--from", "own.csv", "-q", "--output-format", "csv"]).expect(3);
    assert_eq!(again.stdout.lines().filter(|line| line.contains(",revoked,true,")).count(), 3_700);
}

#[test]
fn credentials_are_found_by_issuer_kid_and_type() {
    let sandbox = Sandbox::with_issuer_key();
    let mut kids = Vec::new();
    for (number, issuer) in ["did:web:a.example", "did:web:b.example"].into_iter().enumerate() {
        for vct in ["urn:t:1", "urn:t:2"] {
            sandbox.write_items("items.ndjson", &[item(&format!("{number}-{vct}"))]);
            let run = sandbox.issue(&format!("items.ndjson --issuer {issuer} --vct {vct}")).expect(0);
            kids.push(run.credential().kid);
        }
    }
    let count = |args: &[&str]| {
        let [listed, changed] = ["list", "suspend"].map(|command| {
            let args: Vec<&str> = [command].into_iter().chain(args.iter().copied()).collect();
            let ids = |run: &Run| rows_of(run).iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
            ids(&sandbox.beltic(&args))
        });
        assert_eq!(listed, changed, "{args:?}");
        listed.len()
    };
    assert_eq!(count(&["--issuer", "did:web:a.example"]), 2);
    assert_eq!(count(&["--vct", "urn:t:2"]), 2);
    assert_eq!(count(&["--kid", &kids[2]]), 2);
    assert_eq!(count(&["--issuer", "did:web:a.example", "--vct", "urn:t:2"]), 1);
    assert_eq!(count(&["--issuer", "did:web:a.example", "--kid", &kids[3]]), 0);
    let run = sandbox.beltic(&["revoke", "--issuer", "did:web:c.example", "--vct", "urn:t:1"]).expect(3);
    let said = "error: the ledger has no credential of issuer 'did:web:c.example', vct 'urn:t:1'\n";
    assert!(run.stderr.starts_with(said) && run.stdout.is_empty(), "{run:?}");
    let run = sandbox.beltic(&["revoke", "--issuer", "did:web:a.example", "--quiet"]).expect(0);
    assert_eq!(run.stderr, "");
}
