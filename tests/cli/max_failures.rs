//! `--max-failures`: a run that goes wrong is stopped, and what it issued stays.

use serde_json::{Value, json};

use crate::support::*;

/// So many items, of which those at these places are not sound.
fn batch(count: usize, unsound: &[usize]) -> Vec<Value> {
    let mut batch = items(count);
    for &place in unsound {
        batch[place] = with(batch[place].clone(), "/request/ttl", json!("soon"));
    }
    batch
}

fn sandbox_with(count: usize, unsound: &[usize]) -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &batch(count, unsound));
    sandbox
}

fn recorded(sandbox: &Sandbox) -> usize {
    let said = sandbox.beltic(&["ledger", "check"]).expect(0).stdout;
    said.split("is intact: ")
        .nth(1)
        .unwrap()
        .split(" credential")
        .next()
        .unwrap()
        .replace(',', "")
        .parse()
        .unwrap()
}

/// The key of the hint.
fn key_to_go_on(run: &Run) -> String {
    let said = run.stderr.split("--idempotency-key ").nth(1).unwrap_or_else(|| panic!("{}", run.stderr));
    said.split('`').next().unwrap().to_owned()
}

/// The item that is one failure too many is the last that has a result.
#[test]
fn the_failure_that_is_too_many_ends_the_run() {
    for (limit, unsound, rows) in [
        (0, &[0][..], 1),
        (0, &[5], 6),
        (1, &[5], 3_000),
        (1, &[5, 7], 8),
        (2, &[5, 7], 3_000),
        // At the borders of batches.
        (0, &[999], 1_000),
        (0, &[1_000], 1_001),
        (1, &[999, 1_000], 1_001),
        (1, &[0, 1_999], 2_000),
        (2, &[999, 1_999, 2_999], 3_000),
    ] {
        let sandbox = sandbox_with(3_000, unsound);
        let run =
            sandbox.issue(&format!("items.ndjson --max-failures {limit} --summary summary.json --force"));
        let stopped = unsound.len() > limit;
        assert_eq!(run.code, if stopped { 7 } else { 3 }, "{}", run.stderr);
        let results = run.rows();
        assert_eq!(results.len(), rows, "{limit} of {unsound:?}");
        assert!(results.iter().enumerate().all(|(place, row)| row.index == place as u64));
        let failed = unsound.iter().filter(|place| **place < rows).count();
        assert_eq!(run.errors().len(), failed);
        assert_eq!(recorded(&sandbox), rows - failed, "nothing is issued that has no result");
        let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
        assert_eq!(summary["success_count"], rows - failed);
        assert_eq!(summary["failure_count"], failed);
        if stopped {
            let said = format!("stopped after item {}", rows - 1);
            assert!(run.stderr.contains(&said), "{}", run.stderr);
        }
    }
}

/// What was issued is good, and going on issues the rest.
#[test]
fn the_hint_leads_to_the_end() {
    let sandbox = sandbox_with(2_600, &[1_500]);
    let stopped = sandbox.issue("items.ndjson --max-failures 0").expect(7);
    let key = issuer_token_key();
    let first: Vec<_> = stopped.rows();
    for row in first.iter().step_by(111) {
        key.open(&row.credential.as_ref().unwrap().signed_payload);
    }
    sandbox.write_items("items.ndjson", &batch(2_600, &[]));
    let again =
        sandbox.issue(&format!("items.ndjson --max-failures 0 --idempotency-key {}", key_to_go_on(&stopped)));
    let again = again.expect(0);
    assert!(again.stderr.contains("issued 1,100, already issued 1,500"), "{}", again.stderr);
    for (before, after) in first.into_iter().zip(again.rows()) {
        if let Some(before) = before.credential {
            assert_eq!(before.id, after.into_credential().id);
        }
    }
    assert_eq!(recorded(&sandbox), 2_600);
}

/// A share is looked at after each batch of 1,000.
#[test]
fn a_share_is_looked_at_after_each_batch() {
    let tenth: Vec<usize> = (0..100).collect();
    for (limit, unsound, rows) in [
        ("10%", tenth.clone(), 3_000),
        ("9.9%", tenth.clone(), 1_000),
        ("0%", vec![1_700], 2_000),
        ("0%", vec![], 3_000),
        // 100 of the first thousand is too much, however sound the rest is.
        ("5%", tenth.clone(), 1_000),
        // 5 % of 2,000 is 100: not exceeded at the end of the second batch.
        ("5%", (0..50).chain(1_000..1_050).collect(), 3_000),
        ("5%", (0..50).chain(1_000..1_051).collect(), 2_000),
        ("100%", (0..3_000).collect(), 3_000),
    ] {
        let sandbox = sandbox_with(3_000, &unsound);
        let run = sandbox.issue(&format!("items.ndjson --max-failures {limit}"));
        let stopped = rows < 3_000;
        let code = if stopped { 7 } else { i32::from(!unsound.is_empty()) * 3 };
        assert_eq!(run.code, code, "{limit}: {}", run.stderr);
        assert_eq!(run.rows().len(), rows, "{limit}");
    }
}

/// Conflicts are failures too.
#[test]
fn conflicts_count() {
    let sandbox = sandbox_with(1_500, &[]);
    sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    let mut changed = items(1_500);
    for place in [3, 700, 1_200] {
        changed[place] = with(changed[place].clone(), "/request/claims/jurisdiction", json!("FR"));
    }
    sandbox.write_items("items.ndjson", &changed);
    for (limit, rows) in [(0, 4), (1, 701), (2, 1_201), (3, 1_500)] {
        let run = sandbox.issue(&format!("items.ndjson --idempotency-key k --max-failures {limit}"));
        assert_eq!(run.code, if rows < 1_500 { 7 } else { 3 }, "{}", run.stderr);
        assert_eq!(run.rows().len(), rows, "{limit}");
    }
    assert_eq!(recorded(&sandbox), 1_500);
}

/// A run that stops stops waiting, too.
#[test]
fn a_pipe_that_stays_open_does_not_hold_the_run_up() {
    use std::io::Write;
    let sandbox = Sandbox::with_issuer_key();
    let mut command = sandbox.command(&["batch-issue", "--max-failures", "0"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(ndjson(&batch(3, &[1])).as_bytes()).unwrap();
    let run = Run::of(child.wait_with_output().unwrap()).expect(7);
    drop(stdin); // open until here
    assert!(run.rows().len() <= 2);
}

#[test]
fn limits_that_are_none_are_refused() {
    let sandbox = sandbox_with(1, &[]);
    for limit in ["-1", "many", "101%", "-1%", "%", "1.5", "NaN%", "inf%"] {
        let run =
            sandbox.beltic(&["batch-issue", "items.ndjson", &format!("--max-failures={limit}")]).expect(2);
        assert!(run.stderr.contains("expected a number such as 10"), "{limit}: {}", run.stderr);
    }
}
