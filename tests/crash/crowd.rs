//! Several processes on one ledger.

use crate::machine::{rounds, skip};
use crate::support::*;

/// Eight at once, 100,000 items in all where the scale is full.
#[test]
fn eight_processes_at_once_share_a_ledger() {
    let each = rounds("items of each process", 3_000, 12_500);
    let yard = Yard::new();
    let runs: Vec<_> = (0..8)
        .map(|number| {
            let (name, key) = (format!("items-{number}.ndjson"), format!("p{number}"));
            yard.write(&name, ndjson(&key, each, 0));
            // Half of them without a key, as most runs are.
            let with_key = if number % 2 == 0 { format!("--idempotency-key {key}") } else { String::new() };
            (key, yard.start(&format!("batch-issue {name} --issuer did:web:issuer.example --ledger ledger.db --jobs 2 {with_key}")))
        })
        .collect();
    let mut books = Books::default();
    for (key, run) in runs {
        let ended = run.end().finished();
        for word in ["locked", "in use", "warning", "error"] {
            assert!(!ended.stderr.contains(word), "{}", ended.stderr);
        }
        books.enter_complete(&key, &ended.stdout, each);
    }
    assert_eq!(books.credentials(), 8 * sound_items(each));
    assert_eq!(yard.check_ledger("ledger.db"), books.credentials(), "no record is lost");
}

/// A machine that retries a job while the first one is still running.
#[test]
fn two_processes_at_once_under_one_key_issue_each_item_once() {
    const COUNT: usize = 10_000;
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("same", COUNT, 0));
    yard.write("items.csv", csv("same", COUNT));
    let mut books = Books::default();
    let runs: Vec<_> = [1, 4]
        .map(|jobs| {
            yard.start(&format!(
                "batch-issue items.ndjson --ledger ledger.db --idempotency-key same --jobs {jobs}"
            ))
        })
        .into();
    for run in runs {
        let ended = run.end().finished();
        books.enter_complete("same", &ended.stdout, COUNT);
    }
    assert_eq!(books.credentials(), sound_items(COUNT));
    assert_eq!(yard.check_ledger("ledger.db"), sound_items(COUNT));
}

/// Many that find no ledger make one, together.
#[test]
fn many_processes_at_once_make_one_ledger() {
    for round in 0..rounds("new ledgers", 4, 10) {
        let yard = Yard::new();
        yard.write("items.ndjson", ndjson("m", 20, 0));
        let runs: Vec<_> =
            (0..12).map(|_| yard.start("batch-issue items.ndjson --issuer did:web:issuer.example --ledger new/ledger.db --jobs 1 --duplicates allow")).collect();
        let mut books = Books::default();
        for (number, run) in runs.into_iter().enumerate() {
            let ended = run.end().finished();
            assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
            books.enter_complete(&format!("{round}-{number}"), &ended.stdout, 20);
        }
        assert_eq!(yard.check_ledger("new/ledger.db"), 12 * sound_items(20));
    }
}

/// A copy of a ledger made with `VACUUM INTO` is in another journal mode, which the first process
/// changes while the others open it. strace makes each wait a little at every lock, so that they
/// meet.
#[test]
fn several_processes_at_once_open_a_ledger_that_is_a_copy() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("m", 20, 0));
    yard.run("batch-issue items.ndjson --ledger first.db").finished();
    let ledger = rusqlite::Connection::open(yard.path("first.db")).unwrap();
    let strace = |args: &str| {
        let mut command = yard.tool("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fcntl", "-e"]);
        command.args(["inject=fcntl:delay_exit=10000", "--", PROGRAM]).args(args.split(' '));
        command
    };
    if !strace("--version").output().is_ok_and(|output| output.status.success()) {
        skip("strace is missing, or may not trace here");
        return;
    }
    for round in 0..3 {
        let name = format!("copy-{round}.db");
        ledger.execute("VACUUM INTO ?1", [yard.path(&name).to_str().unwrap()]).unwrap();
        let args = format!("batch-issue items.ndjson --ledger {name} --jobs 1");
        let runs: Vec<_> = (0..4).map(|_| Running::of(strace(&args).spawn().unwrap())).collect();
        for run in runs {
            run.end().finished();
        }
        assert_eq!(yard.check_ledger(&name), 5 * sound_items(20));
    }
}
