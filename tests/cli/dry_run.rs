//! `--dry-run`: everything is checked, nothing is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::*;

/// Every file and folder below a folder: its bytes and when it was changed.
fn snapshot(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let changed = path.metadata().unwrap().modified().unwrap();
            let bytes = if path.is_dir() { Vec::new() } else { std::fs::read(&path).unwrap() };
            found.insert(path.to_str().unwrap().to_owned(), (bytes, changed));
            folders.extend(path.is_dir().then_some(path));
        }
    }
    found
}

/// Makes a dry run, after which every file must be as it was.
#[track_caller]
fn dry(sandbox: &Sandbox, args: &str) -> Run {
    let before = snapshot(&sandbox.path(""));
    let run = sandbox.issue(&format!("{args} --dry-run"));
    let after = snapshot(&sandbox.path(""));
    let names = |files: &BTreeMap<String, _>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "{args}");
    for (name, (bytes, changed)) in &before {
        assert!(after[name].0 == *bytes, "{args}: {name} changed");
        assert_eq!(after[name].1, *changed, "{args}: {name} was touched");
    }
    run
}

/// What the results of a dry run preview.
fn previewed(run: &Run) -> Vec<String> {
    let said = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row.get("credential").is_none());
        let error = row.pointer("/error/code").and_then(Value::as_str);
        row.get("dry_run").and_then(Value::as_str).or(error).unwrap().to_owned()
    };
    run.stdout.lines().map(said).collect()
}

fn mixed() -> [Value; 3] {
    [item("alice"), with(item("bob"), "/request/ttl", json!("soon")), item("carol")]
}

/// Nothing is there before, and nothing afterwards.
#[test]
fn without_a_ledger_none_is_made() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &mixed());
    let files = "--out out --failed failed --summary summary";
    for args in ["", "--ledger deep/er/ledger.db", "--ledger none", "--idempotency-key k", files] {
        let run = dry(&sandbox, &format!("items.ndjson {args}")).expect(3);
        assert_eq!(previewed(&run), ["would_issue", "validation_failed", "would_issue"], "{args}");
        assert!(run.stderr.contains("dry run: would issue 2, would fail 1"), "{}", run.stderr);
    }
    sandbox.write_items("good.ndjson", &items(2_500));
    let run = dry(&sandbox, "good.ndjson --jobs 3").expect(0);
    assert_eq!(run.stdout.lines().count(), 2_500);
}

/// A ledger that is there is read, not written.
#[test]
fn replays_and_conflicts_are_previewed() {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(1_500);
    sandbox.write_items("items.ndjson", &batch);
    sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    batch[7] = with(batch[7].clone(), "/request/claims/jurisdiction", json!("FR"));
    batch[1_200] = without(item("unsound"), "/request/claims");
    batch.push(item("more"));
    sandbox.write_items("items.ndjson", &batch);
    let run = dry(&sandbox, "items.ndjson --idempotency-key k").expect(3);
    let said = previewed(&run);
    for (place, what) in said.iter().enumerate() {
        let expected = match place {
            7 => "idempotency_key_conflict",
            1_200 => "missing_required_field",
            1_500 => "would_issue",
            _ => "would_replay",
        };
        assert_eq!(what, expected, "{place}");
    }
    assert!(
        run.stderr.contains("dry run: would issue 1, already issued 1,498, would fail 2"),
        "{}",
        run.stderr
    );
    // What was previewed is what comes.
    let real = sandbox.issue("items.ndjson --idempotency-key k").expect(3);
    assert!(real.stderr.contains("issued 1, already issued 1,498, failed 2"), "{}", real.stderr);
    let conflicts = |run: &Run| -> Vec<Value> {
        let rows = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row.get("error").is_some()).collect()
    };
    assert_eq!(conflicts(&run), conflicts(&real));
    // Another key, and none.
    for args in ["items.ndjson --idempotency-key other", "items.ndjson"] {
        assert!(previewed(&dry(&sandbox, args)).iter().all(|what| what != "would_replay"));
    }
}

/// Other terms under a key are refused as in a real run.
#[test]
fn other_terms_are_refused_in_a_dry_run() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    let run = dry(&sandbox, "items.ndjson --idempotency-key k --ttl P2Y").expect(2);
    assert!(run.stderr.contains("another ttl"), "{}", run.stderr);
}

/// A ledger whose last process was killed has its newest records in the log beside it.
#[cfg(unix)]
#[test]
fn a_ledger_with_the_log_of_a_killed_process_is_read_with_it() {
    use std::io::{BufRead, BufReader};
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(20_000));
    let mut child = sandbox.spawn(&["batch-issue", "items.ndjson", "--idempotency-key", "k"]);
    let mut results = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..1_500 {
        results.read_line(&mut String::new()).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(sandbox.has(".beltic/ledger.db-wal"));

    // The shared memory beside the log is no part of the ledger's content; the rest stays.
    let shm = sandbox.path(".beltic/ledger.db-shm");
    let ignoring_shm = |sandbox: &Sandbox| {
        let mut files = snapshot(&sandbox.path(""));
        files.remove(shm.to_str().unwrap());
        files
    };
    let before = ignoring_shm(&sandbox);
    let run = sandbox.issue("items.ndjson --idempotency-key k --dry-run").expect(0);
    assert!(ignoring_shm(&sandbox) == before, "the ledger and its log are as they were");
    let replays = previewed(&run).iter().filter(|what| *what == "would_replay").count();
    assert!((1_500..20_000).contains(&replays), "{replays}");
    let real = sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    let said = format!("already issued {},{:03},", replays / 1_000, replays % 1_000);
    assert!(real.stderr.contains(&said), "{said}: {}", real.stderr);
}

/// A ledger that may not be written is enough.
#[cfg(unix)]
#[test]
fn a_ledger_that_may_only_be_read_is_enough() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(3));
    sandbox.issue("items.ndjson --ledger kept/ledger.db --idempotency-key k").expect(0);
    set_mode(&sandbox.path("kept/ledger.db"), 0o400);
    set_mode(&sandbox.path("kept"), 0o500);
    let run = dry(&sandbox, "items.ndjson --ledger kept/ledger.db --idempotency-key k");
    set_mode(&sandbox.path("kept"), 0o700);
    assert_eq!(previewed(&run.expect(0)), ["would_replay"; 3]);
}

/// The forms of results are those of a real run.
#[test]
fn each_form_has_its_words() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &mixed());
    let text = dry(&sandbox, "items.ndjson --output-format text").expect(3).stdout;
    assert_eq!(text.lines().filter(|line| line.starts_with("would issue ")).count(), 2, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("failed ")).count(), 1, "{text}");

    let json: Value =
        serde_json::from_str(&dry(&sandbox, "items.ndjson --output-format json").expect(3).stdout).unwrap();
    assert_eq!(
        json["results"][0],
        json!({ "index": 0, "correlation_id": "alice", "dry_run": "would_issue" })
    );
    assert_eq!((&json["success_count"], &json["failure_count"]), (&json!(2), &json!(1)));

    let table = dry(&sandbox, "items.ndjson --output-format csv").expect(3).stdout;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let status = reader.headers().unwrap().iter().position(|name| name == "status").unwrap();
    let said: Vec<_> = reader.records().map(|row| row.unwrap()[status].to_owned()).collect();
    assert_eq!(said, ["would_issue", "", "would_issue"]);

    let tokens = dry(&sandbox, "items.ndjson --output-format jwt").expect(3);
    assert_eq!(tokens.stdout, "");
    assert!(tokens.stderr.contains("bob"), "{}", tokens.stderr);
}

/// Each end has the code of a real run, the key included.
#[test]
fn the_exit_codes_are_those_of_a_real_run() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &mixed());
    sandbox.write("bad.json", "{}");
    sandbox.write("notes.db", "no database, and long enough to be one, if it were one; but it is not");
    for (args, code) in [
        ("items.ndjson --max-failures 0", 7),
        ("items.ndjson --key missing.pem", 5),
        ("items.ndjson --issuer nonsense", 2),
        ("bad.json", 4),
        ("missing.ndjson", 6),
        ("items.ndjson --ledger notes.db", 6),
    ] {
        let run = dry(&sandbox, args);
        assert_eq!(run.code, code, "{args}: {}", run.stderr);
        assert!(!run.stderr.contains("--idempotency-key"), "there is nothing to go on with: {}", run.stderr);
    }
}
