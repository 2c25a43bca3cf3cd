//! A register that changes while `sync` reads it. strace stops the program at each of its reads of the file; the file is
//! then replaced or cut short, and the program goes on. What it read must be one of the two files, whole, or it ends
//! with 4 before anything is removed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::OpenOptions;

use serde_json::Value;

use crate::machine::{is_full, reduced};
use crate::support::*;
use crate::traced::Strace;

/// So many items that a file of them takes several reads.
const COUNT: usize = 1_500;

/// A register without every item whose number has this remainder.
fn register(without: usize) -> String {
    let mut text = String::new();
    for number in (0..COUNT).filter(|number| number % 7 != without) {
        let _ = writeln!(
            text,
            r#"{{"self_attestation_complete":true,"subject":{{"id":"urn:example:{number}"}},"claims":{{"jurisdiction":"GB"}},"correlation_id":"c-{number}"}}"#,
        );
    }
    text
}

/// What somebody does to the file.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Another file gets its name.
    Replaced,
    /// It is written anew, with the same length or nearly so.
    Rewritten,
    /// It loses its second half.
    Truncated,
    /// It grows.
    Appended,
}

impl Change {
    /// What the file holds afterwards.
    fn text(self) -> String {
        let before = register(0);
        match self {
            Change::Replaced | Change::Rewritten => register(1),
            Change::Truncated => {
                let half = before[..before.len() / 2].rfind('\n').unwrap() + 1;
                before[..half].to_owned()
            }
            Change::Appended => {
                format!("{before}{}", register(1).lines().last().unwrap().replace("c-", "new-")) + "\n"
            }
        }
    }

    fn make(self, yard: &Yard) {
        match self {
            Change::Replaced => {
                yard.write("next.ndjson", self.text());
                std::fs::rename(yard.path("next.ndjson"), yard.path("register.ndjson")).unwrap();
            }
            Change::Rewritten | Change::Appended => yard.write("register.ndjson", self.text()),
            Change::Truncated => {
                let file = OpenOptions::new().write(true).open(yard.path("register.ndjson")).unwrap();
                file.set_len(self.text().len() as u64).unwrap();
            }
        }
    }
}

/// The numbers of the items whose credentials a run revoked.
fn removed(yard: &Yard) -> BTreeSet<String> {
    let run = yard.run("list --ledger ledger.db --status revoked --output-format ndjson").expect(0);
    let ids = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    ids.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_register_that_changes_while_it_is_read() {
    let mut ended_with = [0; 2];
    let step = if is_full() { 1 } else { 2 };
    if step > 1 {
        reduced("every second read of a register");
    }
    for change in [Change::Replaced, Change::Rewritten, Change::Truncated, Change::Appended] {
        for nth in (1..).step_by(step) {
            let yard = Yard::new();
            let Some(_) = Strace::find(&yard) else { return };
            let Some(code) = changed_at_read(&yard, change, nth) else { break };
            ended_with[usize::from(code == 4)] += 1;
        }
    }
    println!("{} runs saw one file, {} saw that it changed", ended_with[0], ended_with[1]);
    assert!(ended_with[1] > 2, "{ended_with:?}");
}

/// Changes the file at the n-th read of it; `None` where there were fewer.
fn changed_at_read(yard: &Yard, change: Change, nth: usize) -> Option<i32> {
    // All items, so that both files lack some of them.
    yard.write("all.ndjson", (0..7).map(register).fold(String::new(), merge));
    let begun = yard.run("sync all.ndjson --ledger ledger.db --output-format ndjson").expect(0);
    let ids: Vec<(String, String)> = begun
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&row["correlation_id"]), text(&row["credential"]["id"]))
        })
        .collect();
    yard.write("register.ndjson", register(0));
    let gone = |text: &str| -> BTreeSet<String> {
        let named: BTreeSet<String> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["correlation_id"].as_str().unwrap().to_owned()
            })
            .collect();
        ids.iter().filter(|(number, _)| !named.contains(number)).map(|(_, id)| id.clone()).collect()
    };
    let (before, after) = (gone(&register(0)), gone(&change.text()));

    let mut command = yard.tool("strace");
    command.args(["-f", "-qq", "-o", "trace", "-P"]).arg(yard.path("register.ndjson"));
    command.args(["-e", "trace=read,pread64,readv", "-e"]);
    command.arg(format!("inject=read,pread64,readv:signal=SIGSTOP:when={nth}"));
    command.args(["--", PROGRAM, "sync", "register.ndjson", "--ledger", "ledger.db", "--prune"]);
    command.args(["--max-removals", "100%", "--jobs", "1", "--quiet", "--output-format", "ndjson"]);
    let mut run = Running::of(command.spawn().unwrap());
    // strace counts the calls of each thread: later ones may stop, too, and go on.
    let mut stops = 0;
    run.wait_until(|_| {
        let trace = std::fs::read_to_string(yard.path("trace")).unwrap_or_default();
        let stopped: Vec<&str> = trace.split("--- SIGSTOP {").skip(1).collect();
        let is_still = stopped.last().is_some_and(|rest| rest.contains("--- stopped by SIGSTOP ---"));
        if is_still && stopped.len() > stops {
            if stops == 0 {
                change.make(yard);
            }
            stops = stopped.len();
            let process = trace.split_whitespace().next().unwrap();
            assert!(yard.tool("kill").args(["-CONT", process]).status().unwrap().success());
        }
        false
    });
    let ended = run.end();
    let code = ended.code.unwrap();
    yard.check_ledger("ledger.db");
    let removed = removed(yard);
    let said = format!("{change:?} at read {nth}, {}", ended.stderr);
    match code {
        0 => assert!(removed == before || removed == after, "{said}"),
        4 => assert!(removed.is_empty(), "{said}"),
        _ => panic!("ended with {code}: {said}"),
    }
    (stops > 0).then_some(code)
}

/// Adds the lines that are not there yet.
fn merge(mut all: String, more: String) -> String {
    let known: BTreeSet<String> = all.lines().map(str::to_owned).collect();
    for line in more.lines().filter(|line| !known.contains(*line)) {
        all.push_str(line);
        all.push('\n');
    }
    all
}
