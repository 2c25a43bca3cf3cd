//! `list`: which credentials the ledger knows, and its audit trail.

use std::io::{BufRead, BufReader};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::readers::exact::Exact;
use crate::support::*;

/// The rows of a run, as JSON.
fn rows_of(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs `list` with these arguments, separated by spaces.
fn list(sandbox: &Sandbox, args: &str) -> Run {
    let args: Vec<_> = ["list"].into_iter().chain(args.split_whitespace()).collect();
    sandbox.beltic(&args)
}

/// The ids of the credentials that `list` finds.
#[track_caller]
fn found(sandbox: &Sandbox, args: &str) -> Vec<String> {
    let rows = rows_of(&list(sandbox, args).expect(0));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// A sandbox with so many credentials of one run, and their resources.
fn issued(count: usize) -> (Sandbox, Vec<Credential>) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(count));
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let credentials = run.rows().into_iter().map(Row::into_credential).collect();
    (sandbox, credentials)
}

fn ids(credentials: &[Credential]) -> Vec<String> {
    credentials.iter().map(|credential| credential.id.clone()).collect()
}

/// Issues one item as of this time, for so long, and gives its id.
fn issue_one(sandbox: &Sandbox, name: &str, issued_at: &str, ttl: &str) -> String {
    sandbox.write_items("one.ndjson", &[item(name)]);
    sandbox.issue(&format!("one.ndjson --issued-at {issued_at} --ttl {ttl}")).expect(0).credential().id
}

fn now_plus(days: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    jiff::Timestamp::from_second(now + days * 86_400).unwrap().to_string()
}

#[test]
fn a_row_says_what_the_resource_said() {
    let (sandbox, credentials) = issued(3);
    let run = list(&sandbox, "").expect(0);
    assert_eq!(run.stderr, "");
    assert_eq!(rows_of(&run).len(), 3);
    for (index, (row, credential)) in rows_of(&run).iter().zip(&credentials).enumerate() {
        let expected = json!({
            "id": credential.id,
            "issuer_did": credential.issuer_did,
            "status_list_index": credential.status_list_index,
            "kid": credential.kid,
            "issued_at": credential.issued_at,
            "expires_at": credential.expires_at,
            "vct": credential.vct,
            "credential_type": credential.credential_type,
            "proof_format": credential.proof_format,
            "status": "active",
            "status_list_uri": credential.status_list_uri,
            "run": "first",
            "index": index,
            "cursor": row["cursor"],
        });
        assert_eq!(row, &expected);
        assert!(row["cursor"].is_string());
    }
}

#[test]
fn a_row_tells_since_when_and_why_a_credential_is_not_active() {
    let (sandbox, credentials) = issued(3);
    sandbox.beltic(&["revoke", &credentials[0].id, "--reason", "compromised"]).expect(0);
    sandbox.beltic(&["suspend", &credentials[1].id, "--reason", "=user \"x\""]).expect(0);
    let rows = rows_of(&list(&sandbox, "").expect(0));
    assert_eq!([&rows[0]["status"], &rows[0]["revocation_reason"]], ["revoked", "compromised"]);
    assert_eq!([&rows[1]["status"], &rows[1]["suspension_reason"]], ["suspended", "=user \"x\""]);
    assert!(rows[0]["revoked_at"].is_string() && rows[0]["suspended_at"].is_null());
    assert!(rows[1]["suspended_at"].is_string() && rows[1]["revoked_at"].is_null());
    assert_eq!(rows[2]["status"], "active");

    let all = ids(&credentials);
    for (status, index) in [("revoked", 0), ("suspended", 1), ("active", 2)] {
        assert_eq!(found(&sandbox, &format!("--status {status}")), [all[index].as_str()], "{status}");
    }

    let table = list(&sandbox, "--output-format csv").expect(0).stdout;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().unwrap().clone();
    let at = |name: &str| names.iter().position(|known| known == name).unwrap();
    let cells: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(cells.len(), 3);
    assert_eq!(&cells[0][at("revocation_reason")], "compromised");
    assert_eq!(&cells[0][at("revoked_at")], rows[0]["revoked_at"]);
    assert_eq!(&cells[1][at("suspension_reason")], "'=user \"x\"", "no spreadsheet runs it");
    for (cells, row) in cells.iter().zip(&rows) {
        assert_eq!(&cells[at("id")], row["id"]);
        assert_eq!(&cells[at("cursor")], row["cursor"]);
        assert_eq!(cells[at("status_list_index")], row["status_list_index"].to_string());
    }

    let text = list(&sandbox, "--output-format text").expect(0).stdout;
    let lines: Vec<_> = text.lines().collect();
    let bare = |index: usize| all[index].trim_start_matches("urn:uuid:");
    let day = |time: &Value| time.as_str().unwrap()[..10].to_owned();
    let until = day(&rows[0]["expires_at"]);
    let since = day(&rows[0]["revoked_at"]);
    assert_eq!(lines[0], format!("revoked    {}  until   {until}  since {since}: compromised", bare(0)));
    assert_eq!(lines[2], format!("active     {}  until   {until}", bare(2)));
    assert!(lines[2].len() <= 80);
}

#[test]
fn credentials_are_found_by_run_subject_and_correlation_id() {
    let (sandbox, credentials) = issued(4);
    let all = ids(&credentials);
    sandbox.write_items("items.ndjson", &[item("company-1")]);
    let other = sandbox.issue("items.ndjson --idempotency-key second").expect(0).credential().id;
    assert_eq!(found(&sandbox, "--run first"), all);
    assert_eq!(found(&sandbox, "--run second"), [other.as_str()]);
    assert_eq!(found(&sandbox, "--subject urn:example:company-1"), [all[1].as_str(), &other]);
    assert_eq!(
        found(&sandbox, "--correlation-id company-3 --correlation-id company-0"),
        [all[0].as_str(), &all[3]]
    );
    assert_eq!(found(&sandbox, "--subject urn:example:company-1 --run second"), [other.as_str()]);
    // People are told that there are none; programs see it.
    for (args, said) in
        [("", ""), (" --output-format text", "no credentials found\n"), (" --output-format text --quiet", "")]
    {
        let none = list(&sandbox, &format!("--subject company-1{args}")).expect(0);
        assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", said), "{args}");
    }
    assert_eq!(sandbox.beltic(&["list", "--subject", ""]).expect(2).stdout, "");
}

/// At the first bound and after it, before the second one.
#[test]
fn bounds_are_at_or_after_and_before() {
    let sandbox = Sandbox::with_issuer_key();
    let early = issue_one(&sandbox, "a", "2030-01-31T23:59:59Z", "P1D");
    let midnight = issue_one(&sandbox, "b", "2030-02-01T00:00:00Z", "P1D");
    let later = issue_one(&sandbox, "c", "2030-02-01T00:00:01Z", "P1D");
    let all = [early, midnight, later];
    for (args, expected) in [
        ("--issued-after 2030-02-01", &all[1..]),
        ("--issued-before 2030-02-01", &all[..1]),
        ("--issued-after 2030-02-01T01:00:00+01:00 --issued-before 2030-02-01T00:00:01Z", &all[1..2]),
        // Between two seconds.
        ("--issued-after 2030-02-01T00:00:00.5Z", &all[2..]),
        ("--issued-before 2030-02-01T00:00:00.5Z", &all[..2]),
        ("--expires-after 2030-02-02", &all[1..]),
        ("--expires-before 2030-02-02T00:00:00Z", &all[..1]),
        ("--expires-before 2030-02-03 --issued-before 2030-02-01", &all[..1]),
        ("--issued-after 2031-01-01", &[]),
    ] {
        assert_eq!(found(&sandbox, args), expected, "{args}");
    }
    for (args, said) in [
        ("--issued-after yesterday", "RFC 3339"),
        ("--issued-after 2030-02-30", "RFC 3339"),
        ("--issued-after 2030-02-01T00:00:00", "RFC 3339"),
        ("--issued-after 1969-12-31", "from 1970 on"),
        (
            "--issued-after 2030-02-01 --issued-before 2030-02-01",
            "expected a time after 2030-02-01T00:00:00Z",
        ),
        ("--expires-before 1970-01-01", "expected a time after 1970-01-01T00:00:00Z"),
    ] {
        let run = list(&sandbox, args).expect(2);
        assert!(run.stderr.contains(said), "{args}: {}", run.stderr);
    }
}

/// For a cron job: the exit code says whether there is something to do.
#[test]
fn credentials_that_are_about_to_expire_give_exit_code_3() {
    let sandbox = Sandbox::with_issuer_key();
    let expired = issue_one(&sandbox, "a", &now_plus(-11), "P10D");
    let soon = issue_one(&sandbox, "b", &now_plus(-5), "P10D");
    let suspended = issue_one(&sandbox, "c", &now_plus(-5), "P10D");
    let revoked = issue_one(&sandbox, "d", &now_plus(-5), "P10D");
    let later = issue_one(&sandbox, "e", &now_plus(0), "P10D");
    sandbox.beltic(&["suspend", &suspended]).expect(0);
    sandbox.beltic(&["revoke", &revoked]).expect(0);
    let expiring = |args: &str, code| {
        let run = list(&sandbox, args).expect(code);
        rows_of(&run).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(expiring("--expiring-within P7D", 3), [soon.as_str(), &suspended]);
    assert_eq!(expiring("--expiring-within P7D --status active", 3), [soon.as_str()]);
    assert_eq!(
        expiring("--expiring-within P30D --issued-after 2020-01-01", 3),
        [soon.as_str(), &suspended, &later]
    );
    assert_eq!(expiring("--expiring-within P1D", 0), Vec::<String>::new());
    // Without the flag, what has expired is there too, and the exit code says nothing about it.
    assert!(found(&sandbox, "--expires-after 2020-01-01").contains(&expired));
    let text = list(&sandbox, "--output-format text --status active").expect(0).stdout;
    assert_eq!(text.matches("  expired ").count(), 1, "{text}");
    for args in [
        "--expiring-within 30",
        "--expiring-within P11Y",
        "--expiring-within P30D --expires-before 2040-01-01",
        "--expiring-within P30D --status revoked",
    ] {
        list(&sandbox, args).expect(2);
    }
}

#[test]
fn pages_follow_one_another_and_leave_nothing_out() {
    let (sandbox, credentials) = issued(2_500);
    let all = ids(&credentials);
    assert_eq!(found(&sandbox, ""), all);
    for limit in [999, 1_000, 1_250, 2_499] {
        let (mut seen, mut args) = (Vec::new(), format!("--limit {limit}"));
        loop {
            let run = list(&sandbox, &args).expect(0);
            let rows = rows_of(&run);
            seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(more) = run.stderr.strip_prefix("more: ") else {
                assert_eq!(run.stderr, "");
                break;
            };
            assert_eq!(rows.len(), limit);
            assert_eq!(more.trim_end(), format!("--after {}", rows[limit - 1]["cursor"].as_str().unwrap()));
            args = format!("--limit {limit} {}", more.trim_end());
        }
        assert_eq!(seen, all, "in pages of {limit}");
    }
    assert_eq!(list(&sandbox, "--limit 2500").expect(0).stderr, "", "nothing follows the last one");
    for args in ["--limit 0", "--after x", "--after 1", "--limit -1"] {
        list(&sandbox, args).expect(2);
    }
}

/// A reader that has seen enough is the end of a command that only reads, and nothing to tell.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_the_end() {
    let (sandbox, _) = issued(2_500);
    let mut child = sandbox.spawn(&["list"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"id\":\"urn:uuid:"));
    let run = Run::of(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(run.stderr, "");
}

// ---- The audit trail

#[test]
fn events_tell_what_happened() {
    let (sandbox, credentials) = issued(1_200);
    let (first, second) = (&credentials[0].id, &credentials[1].id);
    sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.beltic(&["suspend", first, "--reason=-1"]).expect(0);
    sandbox.beltic(&["reinstate", first]).expect(0);
    sandbox.beltic(&["revoke", second, "--reason", "error"]).expect(0);
    let run = list(&sandbox, "--events").expect(0);
    let rows = rows_of(&run);
    let facts: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["event"], row["kind"], row["run"], row["id"], row["count"], row["reason"]]))
        .collect();
    assert_eq!(
        facts,
        [
            json!([1, "issued", "first", null, 1000, null]),
            json!([2, "issued", "first", null, 200, null]),
            json!([3, "replayed", "first", null, 1000, null]),
            json!([4, "replayed", "first", null, 200, null]),
            json!([5, "suspended", "first", first, 1, "-1"]),
            json!([6, "reinstated", "first", first, 1, null]),
            json!([7, "revoked", "first", second, 1, "error"]),
        ]
    );
    for row in &rows {
        assert_eq!(row["hash"].as_str().unwrap().len(), 64);
        assert_eq!(row["at"].as_str().unwrap().len(), 20);
    }
    let names: Vec<_> =
        Exact::parse(run.stdout.lines().last().unwrap()).names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["event", "at", "kind", "run", "id", "count", "reason", "hash"]);

    let page = list(&sandbox, "--events --limit 3 --after 2").expect(0);
    assert_eq!(rows_of(&page), rows[2..5]);
    assert_eq!(page.stderr, "more: --after 5\n");
    assert_eq!(
        list(&sandbox, "--events --after 7 --output-format text").expect(0).stderr,
        "no events found\n"
    );
    let table = list(&sandbox, "--events --output-format csv").expect(0).stdout;
    assert!(table.starts_with("event,at,kind,run,id,count,reason,sync,hash\n1,"), "{table}");
    assert!(table.contains(",1,'-1,"), "no spreadsheet runs it: {table}");
    let text = list(&sandbox, "--events --output-format text").expect(0).stdout;
    assert!(text.starts_with("     1  "), "{text}");
    assert!(text.lines().next().unwrap().ends_with("  issued      1,000 of run first"), "{text}");
    assert!(
        text.trim_end().ends_with(&format!("revoked     {}: error", &second["urn:uuid:".len()..])),
        "{text}"
    );
}

#[test]
fn the_trail_is_vouched_for_by_its_head() {
    let (sandbox, credentials) = issued(3);
    let said = list(&sandbox, "--events --verify").expect(0).stdout;
    let noted = said.trim_end().strip_prefix("1 event, head ").unwrap().to_owned();
    assert_eq!(noted, rows_of(&list(&sandbox, "--events").expect(0))[0]["hash"]);
    sandbox.beltic(&["revoke", &credentials[0].id, "--reason", "error"]).expect(0);
    let said = list(&sandbox, &format!("--events --verify --head {}", noted.to_uppercase())).expect(0).stdout;
    let head = said.trim_end().strip_prefix("2 events, head ").unwrap().to_owned();
    assert_ne!(head, noted);

    let other = "0123456789abcdef".repeat(4);
    let run = list(&sandbox, &format!("--events --verify --head {other}")).expect(6);
    assert!(run.stderr.contains("the noted hash does not match any event"), "{}", run.stderr);
    assert!(run.stderr.contains("  hint: "), "{}", run.stderr);
    list(&sandbox, "--events --verify --head abc").expect(2);

    let ledger = Connection::open(sandbox.path(".beltic/ledger.db")).unwrap();
    ledger.execute("UPDATE events SET reason = 'policy_change' WHERE event = 2", []).unwrap();
    drop(ledger);
    let run = list(&sandbox, "--events --verify").expect(6);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("event 2 or the record it describes was changed"), "{}", run.stderr);
    assert!(run.stderr.contains("statuses are not what the events say"), "{}", run.stderr);
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let (sandbox, _) = issued(1);
    for args in [
        "--verify",
        "--events --verify --limit 3",
        "--events --verify --output-format csv",
        "--events --status revoked",
        "--events --run first",
        "--events --subject x",
        "--events --expiring-within P1D",
        "--events --after 1-1",
        "--events --head 00",
        "--output-format json",
        "--status expired",
    ] {
        assert_eq!(list(&sandbox, args).expect(2).stdout, "", "{args}");
    }
}

// ---- The ledger itself

#[test]
fn a_ledger_that_is_not_there_is_a_failure_and_is_not_made() {
    let sandbox = Sandbox::with_issuer_key();
    let run = list(&sandbox, "").expect(6);
    assert!(
        run.stderr.contains("no ledger found at ") && run.stderr.contains("`--ledger FILE`"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.has(".beltic/ledger.db"));
    list(&sandbox, "--ledger none").expect(2);
}

#[test]
fn a_restored_ledger_is_warned_about() {
    let (sandbox, _) = issued(1);
    std::fs::copy(sandbox.path(".beltic/ledger.db"), sandbox.path("copy.db")).unwrap();
    sandbox.issue("items.ndjson").expect(0);
    std::fs::copy(sandbox.path("copy.db"), sandbox.path(".beltic/ledger.db")).unwrap();
    let run = list(&sandbox, "").expect(0);
    assert!(run.stderr.starts_with("warning: the ledger "), "{}", run.stderr);
    assert!(run.stderr.contains("it is older than it was"), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 1);
}

/// Ids of subjects and correlation ids are looked up, and never told.
#[test]
fn what_was_looked_up_is_not_told() {
    let (sandbox, _) = issued(1);
    let args =
        ["list", "--subject", "secret-subject", "--correlation-id", "secret-correlation", "--after", "?"];
    let run = sandbox.beltic(&args).expect(2);
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    let run = sandbox.beltic(&args[..5]).expect(0);
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
}
