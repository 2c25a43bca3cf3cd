//! The question before many credentials are changed, on a terminal that the test holds the other end of.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use nix::pty::openpty;

use crate::support::*;

/// So many credentials, and their results in a file.
fn issued(count: usize) -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(count));
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.write("results.ndjson", &run.stdout);
    sandbox
}

fn with_status(sandbox: &Sandbox, status: &str) -> usize {
    sandbox.beltic(&["list", "--status", status]).expect(0).stdout.lines().count()
}

/// Runs a command with its input and its messages on a terminal, where this was typed beforehand. Gives its exit
/// code and what the terminal showed.
pub(crate) fn on_terminal(command: &mut Command, typed: &str) -> (i32, String) {
    let terminal = openpty(None, None).unwrap();
    let mut ours = File::from(terminal.master);
    ours.write_all(typed.as_bytes()).unwrap();
    let theirs = File::from(terminal.slave);
    command.stdin(theirs.try_clone().unwrap()).stderr(theirs.try_clone().unwrap()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    // The terminal ends when nobody holds it any more: neither the command nor this process.
    command.stdin(Stdio::null()).stderr(Stdio::null());
    drop(theirs);
    let mut shown = Vec::new();
    let mut block = [0; 4096];
    // Linux says EIO at the end, others give nothing.
    while let Ok(length @ 1..) = ours.read(&mut block) {
        shown.extend_from_slice(&block[..length]);
    }
    let shown = String::from_utf8(shown).unwrap().replace("\r\n", "\n");
    (child.wait().unwrap().code().unwrap(), shown)
}

/// The same command, started by another program.
pub(crate) fn started_by(starter: &[&str], command: &Command) -> Command {
    let mut started = Command::new(starter[0]);
    started.args(&starter[1..]).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => started.env(name, value),
            None => started.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        started.current_dir(folder);
    }
    started
}

const QUESTION: &str = "Revoke 11 credentials of run 'first'? Revocation is permanent. [y/N] ";

#[test]
fn more_than_ten_changes_are_confirmed() {
    let sandbox = issued(11);
    let revoke = ["revoke", "--run", "first"];
    for answer in ["\n", "n\n", "no\n", "yes please\n", "\u{4}"] {
        let (code, shown) = on_terminal(&mut sandbox.command(&revoke), answer);
        assert_eq!(code, 3, "{answer:?}: {shown}");
        assert!(shown.contains(QUESTION) && shown.ends_with("nothing was changed\n"), "{answer:?}: {shown}");
        assert_eq!(with_status(&sandbox, "revoked"), 0, "{answer:?}");
    }
    let (code, shown) = on_terminal(&mut sandbox.command(&revoke), "Yes\n");
    assert!(code == 0 && shown.contains(QUESTION) && shown.contains("revoked 11, failed 0"), "{shown}");
    assert_eq!(with_status(&sandbox, "revoked"), 11);
    // Nothing is left to be changed, so there is nothing to ask.
    let (code, shown) = on_terminal(&mut sandbox.command(&revoke), "");
    assert_eq!((code, shown.as_str()), (0, "revoked 0, already revoked 11, failed 0\n"));
}

#[test]
fn the_question_says_how_the_credentials_were_named() {
    let sandbox = issued(12);
    let table: String = (0..12).map(|number| format!("company-{number}\n")).collect();
    sandbox.write("own.csv", format!("Correlation ID\n{table}nobody\n"));
    let subjects: Vec<String> =
        (0..12).map(|number| format!("--subject=urn:example:company-{number}")).collect();
    let subjects: Vec<&str> = ["suspend"].into_iter().chain(subjects.iter().map(String::as_str)).collect();
    for (args, question) in [
        (
            &["suspend", "--from", "own.csv"][..],
            "12 credentials named by column 'Correlation ID' of own.csv?",
        ),
        (&["suspend", "--from", "results.ndjson"], "12 credentials named in results.ndjson?"),
        (&subjects, "12 credentials of 12 subject ids?"),
        (
            &["suspend", "--vct", "urn:beltic:business:1", "--run", "first"],
            "12 credentials of run 'first', vct '",
        ),
    ] {
        let (code, shown) = on_terminal(&mut sandbox.command(args), "n\n");
        assert_eq!(code, 3, "{shown}");
        assert!(shown.contains(question), "{args:?}: {shown}");
    }
    assert_eq!(with_status(&sandbox, "active"), 12);
}

/// What is counted is what is changed, also where the file can be read only once.
#[test]
fn a_pipe_is_read_once_and_changed_as_it_was_counted() {
    let sandbox = issued(11);
    let program = env!("CARGO_BIN_EXE_beltic");
    let script = format!("mkfifo pipe && {{ cat results.ndjson > pipe & {program} revoke --from pipe; }}");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(sandbox.path("")).env_remove("BELTIC_LEDGER");
    let (code, shown) = on_terminal(&mut command, "y\n");
    assert!(code == 0 && shown.contains("Revoke 11 credentials named in pipe?"), "{shown}");
    assert_eq!(with_status(&sandbox, "revoked"), 11);
}

#[test]
fn nobody_is_asked_without_need() {
    let sandbox = issued(22);
    let ten: String =
        sandbox.read("results.ndjson").lines().take(10).map(|line| format!("{line}\n")).collect();
    sandbox.write("ten.ndjson", ten);
    for args in [
        &["suspend", "--from", "ten.ndjson"][..],
        &["suspend", "--run", "first", "--dry-run"],
        &["suspend", "--run", "first", "--yes"],
        &["reinstate", "--run", "first", "-y"],
    ] {
        let (code, shown) = on_terminal(&mut sandbox.command(args), "");
        assert!(code == 0 && !shown.contains('?'), "{args:?}: {shown}");
    }
    // Neither with an input nor with messages that are no terminal.
    let terminal = openpty(None, None).unwrap();
    let theirs = File::from(terminal.slave);
    let run = |command: &mut Command| Run::of(command.output().unwrap()).expect(0);
    let said = run(sandbox.command(&["suspend", "--run", "first"]).stdin(theirs)).stderr;
    assert!(said.starts_with("suspended 22"), "{said}");
    let said = sandbox.beltic(&["revoke", "--run", "first"]).expect(0).stderr;
    assert!(said.starts_with("revoked 22"), "{said}");
}
