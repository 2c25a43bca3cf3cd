//! The ledger, as far as `batch-issue` shows it: indices, records, several processes.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rusqlite::Connection;

use crate::readers::exact::Exact;
use crate::readers::token::Issuance;
use crate::support::*;

/// List and index of every credential.
fn slots(run: &Run) -> Vec<(String, u32)> {
    let slot = |row: Row| {
        let credential = row.into_credential();
        (credential.status_list_uri.unwrap(), credential.status_list_index.unwrap())
    };
    run.rows().into_iter().map(slot).collect()
}

#[test]
fn two_runs_never_repeat_an_index() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_200));
    let mut given = HashSet::new();
    for _ in 0..3 {
        for slot in slots(&sandbox.issue("items.ndjson --jobs 3").expect(0)) {
            assert!(slot.1 < 131_072);
            assert!(given.insert(slot.clone()), "{slot:?} twice");
        }
    }
    assert_eq!(given.len(), 3_600);
}

/// Indices say nothing about the order of issue.
#[test]
fn indices_are_not_in_order() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_000));
    let indices: Vec<_> =
        slots(&sandbox.issue("items.ndjson").expect(0)).into_iter().map(|slot| slot.1).collect();
    let ascending = indices.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((350..650).contains(&ascending), "{ascending} of 999 steps go up");
    let low = indices.iter().filter(|&&index| index < 65_536).count();
    assert!((350..650).contains(&low), "{low} of 1,000 in the lower half");
}

/// Four processes that start with no ledger share one, and no index.
#[test]
fn several_processes_at_once_never_repeat_an_index() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2_500));
    let args = ["batch-issue", "items.ndjson", "--jobs", "2"];
    let children: Vec<_> = (0..4).map(|_| sandbox.spawn(&args)).collect();
    // Their outputs are read at the same time, or a full pipe would hold a process up.
    let runs = std::thread::scope(|scope| {
        let waiting: Vec<_> = children
            .into_iter()
            .map(|child| scope.spawn(move || Run::of(child.wait_with_output().unwrap()).expect(0)))
            .collect();
        waiting.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let given: HashSet<_> = runs.iter().flat_map(slots).collect();
    let ids: HashSet<_> = runs.iter().flat_map(Run::rows).map(|row| row.into_credential().id).collect();
    assert_eq!((given.len(), ids.len()), (10_000, 10_000));
}

/// A list gives way to the next when three quarters of it are taken.
#[test]
fn a_new_list_is_opened_when_three_quarters_are_taken() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(50_000));
    let mut lists: Vec<String> = Vec::new();
    let mut given = HashSet::new();
    for _ in 0..2 {
        for slot in slots(&sandbox.issue("items.ndjson --summary summary.json").expect(0)) {
            if lists.last() != Some(&slot.0) {
                lists.push(slot.0.clone());
            }
            assert!(given.insert(slot));
        }
    }
    assert_eq!(lists.len(), 2, "{lists:?}");
    let first = given.iter().filter(|slot| slot.0 == lists[0]).count();
    assert!((98_304..98_304 + 1_000).contains(&first), "{first} in the first list");
    let summary = Exact::parse(&sandbox.read("summary.json"));
    let said: Vec<_> = summary.member("status_lists").elements().iter().map(Exact::text).collect();
    assert_eq!(said, lists);
}

/// Whoever has a result in hand finds its record in the ledger.
#[test]
fn records_come_before_results() {
    let sandbox = Sandbox::with_issuer_key();
    let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap());
    for count in 1..=5 {
        writeln!(stdin, "{}", item("a")).unwrap();
        let mut line = String::new();
        results.read_line(&mut line).unwrap();
        Row::parse(line.trim_end()).into_credential();
        assert_eq!(sandbox.recorded(), count);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A process that is killed in the middle leaves a ledger that opens, with a record for every
/// result that got out, and with indices that nobody gets again.
#[cfg(unix)]
#[test]
fn a_killed_process_leaves_a_sound_ledger() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(20_000));
    let mut delivered = Vec::new();
    for lines in [1, 700, 3_000] {
        let mut child = sandbox.spawn(&["batch-issue", "items.ndjson", "--jobs", "2"]);
        let mut results = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            let mut line = String::new();
            results.read_line(&mut line).unwrap();
            let credential = Row::parse(line.trim_end()).into_credential();
            delivered.push((credential.status_list_uri.unwrap(), credential.status_list_index.unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(sandbox.recorded() >= delivered.len() as i64);
    }
    sandbox.write_items("more.ndjson", &items(2_000));
    delivered.extend(slots(&sandbox.issue("more.ndjson").expect(0)));
    let distinct: HashSet<_> = delivered.iter().collect();
    assert_eq!(distinct.len(), delivered.len());
}

/// Rejected items take no index and leave no record.
#[test]
fn rejected_items_leave_nothing_in_the_ledger() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
    sandbox.issue("items.ndjson").expect(3);
    assert_eq!(sandbox.recorded(), 1);
}

/// `--ledger none`: no state, no index, no status.
#[test]
fn without_a_ledger_there_is_no_state_and_no_status() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a"), full_item("b")];
    sandbox.write_items("items.ndjson", &batch);
    let batch = batch.map(|item| Exact::of(&item));
    let issuance = Issuance { with_status: false, ..default_issuance() };
    let run = sandbox.issue("items.ndjson --ledger none").expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    let run = sandbox.issue_with("items.ndjson", &[("BELTIC_LEDGER", "none")]).expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    sandbox.write(".beltic.yaml", "ledger: none\n");
    let run = sandbox.issue("items.ndjson").expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    assert!(!sandbox.has(".beltic/ledger.db") && !sandbox.has("none"));
    let table = sandbox.issue("items.ndjson --output-format csv").expect(0).stdout;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "status_list_index").unwrap();
    assert!(reader.records().all(|row| row.unwrap()[column].is_empty()));
}

/// A file that is no ledger is left as it is.
#[test]
fn a_file_that_is_no_ledger_is_refused_and_kept() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox
        .write("notes.txt", "no database at all, and long enough to look like a header of one\n".repeat(9));
    Connection::open(sandbox.path("other.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    for name in ["notes.txt", "other.db"] {
        let before = std::fs::read(sandbox.path(name)).unwrap();
        let run = sandbox.issue(&format!("items.ndjson --ledger {name}")).expect(6);
        assert!(run.stderr.contains(name) && run.stderr.contains("not a beltic ledger"), "{}", run.stderr);
        assert_eq!(std::fs::read(sandbox.path(name)).unwrap(), before);
        assert_eq!(run.stdout, "");
    }
}

#[cfg(unix)]
#[test]
fn the_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson --ledger deep/er/ledger.db").expect(0);
    let mode = |name: &str| sandbox.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("deep/er/ledger.db"), 0o600);
    assert_eq!(mode("deep/er"), 0o700);
}

/// Each issuer has lists of its own in the same ledger.
#[test]
fn issuers_do_not_share_lists() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let list = |args: &str| slots(&sandbox.issue(&format!("items.ndjson {args}")).expect(0)).remove(0).0;
    let own = list("");
    let web = list("--issuer did:web:a.example");
    assert_ne!(own, web);
    assert_eq!(list(""), own);
    assert_eq!(list("--issuer did:web:a.example"), web);
}
