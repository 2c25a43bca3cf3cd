//! Small inputs with the right answers: the cases of `cases/cases.json` in the test data.
//!
//! A case is a command for bash and what has to come of it ([`check`] says how that is written). Each runs in a folder
//! of its own, with copies of the files that it names and a fresh issuer key, as `cases/run.py` there does, whose
//! verdicts these are. Cases marked `later` wait for the issue that they name and are only counted.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `BELTIC_TEST_CASES` | run only cases whose name or kind contains this, those marked `later` too; empty: every case |
//! | `BELTIC_TEST_DATA` | where `cases` is, see `tests/support/machine.rs` |
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what helps tests is test code, too")]

mod check;
#[allow(dead_code, reason = "other tests need the rest")]
#[path = "../support/exact.rs"]
mod exact;
#[path = "../support/machine.rs"]
mod machine;
mod place;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value;

use check::{Verdict, faults};
use machine::skip;
use place::Place;

/// A command, and what has to come of it.
#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    kind: String,
    /// A script for bash.
    run: String,
    want: Value,
    /// The issue that the case waits for.
    later: Option<String>,
    /// After how many seconds the command hangs; 60 unless the case says otherwise.
    seconds: Option<u64>,
}

#[test]
fn every_case_gets_its_right_answer() {
    let Some(folder) = machine::data("cases/cases.json").map(|file| file.parent().unwrap().to_owned()) else {
        return;
    };
    if !machine::has_tool("bash") {
        return;
    }
    let cases = chosen(read(&folder));
    let place = Place::new(folder);
    let failed = run_all(&cases, &place);
    assert!(failed.is_empty(), "{} of {} cases fail:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

fn read(folder: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("cases.json: {error}"))
}

/// The issues whose cases no longer wait.
const DONE: [&str; 2] = ["people", "recipients"];

/// The cases that are to run: those that are asked for, else those that do not wait for an issue.
fn chosen(cases: Vec<Case>) -> Vec<Case> {
    if let Ok(word) = std::env::var("BELTIC_TEST_CASES") {
        let found: Vec<Case> =
            cases.into_iter().filter(|case| case.name.contains(&word) || case.kind.contains(&word)).collect();
        assert!(!found.is_empty(), "no case has {word:?} in its name or kind");
        return found;
    }
    let waits = |case: &Case| case.later.as_deref().is_some_and(|issue| !DONE.contains(&issue));
    let (later, now): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(waits);
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in &later {
        waiting.entry(case.later.as_deref().unwrap()).or_default().push(&case.name);
    }
    for (issue, names) in waiting {
        skip(format_args!("{} cases that wait for {issue}: {}", names.len(), names.join(", ")));
    }
    assert!(!now.is_empty(), "cases.json has no case to run");
    now
}

/// Runs cases on all cores, and gives a line for each that fails, in the order of the file.
fn run_all(cases: &[Case], place: &Place) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(BTreeMap::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    if let Some(line) = run(case, place) {
                        failed.lock().unwrap().insert(number, line);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap().into_values().collect()
}

/// What is wrong with a case; `None` where all is as wanted, or where it cannot run on this machine.
fn run(case: &Case, place: &Place) -> Option<String> {
    if let Some(tool) = place.missing_tool(&case.run) {
        skip(format_args!("case {}: there is no {tool}", case.name));
        return None;
    }
    let faults = match place.run(&case.run, case.seconds.unwrap_or(60)) {
        Some(verdict) => all_faults(&case.want, &verdict),
        None => vec!["took too long".to_owned()],
    };
    (!faults.is_empty()).then(|| format!("{} [{}]: {}", case.name, case.kind, faults.join("; ")))
}

/// A crash is wrong whatever the case wants.
fn all_faults(want: &Value, verdict: &Verdict) -> Vec<String> {
    let mut found = faults(want, verdict).unwrap_or_else(|error| panic!("cases.json: {error}"));
    if verdict.has_crashed() {
        found.push(format!("panic or crash: {}", verdict.messages()));
    }
    found
}
