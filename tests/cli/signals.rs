//! Ctrl-C and SIGTERM. No test waits for a time: what is waited for is something that is seen.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use crate::readers::machine::skip;
use crate::support::*;

/// Sends a signal, with the shell's own `kill`.
fn send(signal: &str, child: &Child) {
    let script = format!("kill -{signal} {}", child.id());
    Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status().unwrap();
}

fn key_to_go_on(stderr: &str) -> String {
    let said = stderr.split("--idempotency-key ").nth(1).unwrap_or_else(|| panic!("{stderr}"));
    said.split('`').next().unwrap().to_owned()
}

fn recorded(sandbox: &Sandbox) -> usize {
    let said = sandbox.beltic(&["ledger", "check"]).expect(0).stdout;
    said.split("is sound: ")
        .nth(1)
        .unwrap()
        .split(" credential")
        .next()
        .unwrap()
        .replace(',', "")
        .parse()
        .unwrap()
}

/// The first signal: what is in flight is finished, and nothing else is begun.
#[test]
fn the_first_signal_ends_the_run_in_good_order() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write_items("items.ndjson", &items(30_000));
        let args = ["batch-issue", "items.ndjson", "--jobs", "2", "--summary", "summary.json"];
        let mut child = sandbox.spawn(&args);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        output.read_line(&mut text).unwrap();
        // The pipe is full now or soon, and most of the file has not been read.
        send(signal, &child);
        output.read_to_string(&mut text).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{stderr}");
        assert!(text.ends_with('\n'));
        let first = rows(&text);
        assert!(first.len() < 30_000, "it stopped");
        assert!(first.iter().enumerate().all(|(place, row)| row.index == place as u64));
        assert_eq!(recorded(&sandbox), first.len(), "all that was begun has its result");
        assert!(stderr.contains("stopped on request"), "{stderr}");
        let summary: serde_json::Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
        assert_eq!(summary["success_count"], first.len());

        let run =
            sandbox.issue(&format!("items.ndjson --idempotency-key {}", key_to_go_on(&stderr))).expect(0);
        let again = run.rows();
        assert_eq!(again.len(), 30_000);
        for (before, after) in first.into_iter().zip(again) {
            let (before, after) = (before.into_credential(), after.into_credential());
            assert_eq!((before.id, before.status_list_index), (after.id, after.status_list_index));
        }
        assert_eq!(recorded(&sandbox), 30_000);
    }
}

/// The envelope is closed, so that what was issued can be read.
#[test]
fn an_interrupted_envelope_is_json() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(20_000));
    let mut child = sandbox.spawn(&["batch-issue", "items.ndjson", "--output-format", "json"]);
    let mut output = child.stdout.take().unwrap();
    let mut text = vec![0; 100];
    output.read_exact(&mut text).unwrap();
    send("TERM", &child);
    output.read_to_end(&mut text).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    let envelope: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let count = envelope["results"].as_array().unwrap().len();
    assert!(count < 20_000);
    assert_eq!(envelope["success_count"], count);
}

/// A pipe in which nothing comes does not hold the end up, be there items before or not.
#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    for (signal, code, before) in [("INT", 130, 3), ("TERM", 143, 1), ("TERM", 143, 0), ("INT", 130, 0)] {
        let sandbox = Sandbox::with_issuer_key();
        let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        for _ in 0..before {
            writeln!(stdin, "{}", item("a")).unwrap();
            output.read_line(&mut text).unwrap();
        }
        if before == 0 {
            wait_until_signals_are_caught(&child);
        }
        send(signal, &child);
        output.read_to_string(&mut text).unwrap();
        let run = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(code), "{before} items: {stderr}");
        assert_eq!(rows(&text).len(), before);
        assert!(stderr.contains("stopped on request"), "{stderr}");
        assert_eq!(stderr.contains("--idempotency-key"), before > 0, "{stderr}");
        drop(stdin); // open until here
    }
}

/// Until the program listens, a signal ends it as any other program.
fn wait_until_signals_are_caught(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    let catches = |text: String| {
        let line = text.lines().find(|line| line.starts_with("SigCgt:"))?.to_owned();
        let mask = u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()?;
        // SIGINT is 2 and SIGTERM is 15; bit 0 is signal 1.
        Some(mask & (1 << 1) != 0 && mask & (1 << 14) != 0)
    };
    while std::path::Path::new("/proc/self/status").exists()
        && !std::fs::read_to_string(&status).ok().and_then(catches).unwrap_or(true)
    {
        std::thread::yield_now();
    }
}

/// A named pipe that nobody writes into any more is no different.
#[test]
fn a_signal_ends_the_wait_for_a_named_pipe() {
    let sandbox = Sandbox::with_issuer_key();
    let made = Command::new("mkfifo").arg(sandbox.path("pipe")).status();
    if !made.is_ok_and(|status| status.success()) {
        skip("there is no mkfifo");
        return;
    }
    let mut child = sandbox.spawn(&["batch-issue", "pipe", "--input-format", "ndjson"]);
    let mut pipe = std::fs::OpenOptions::new().write(true).open(sandbox.path("pipe")).unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    writeln!(pipe, "{}", item("a")).unwrap();
    output.read_line(&mut text).unwrap();
    send("TERM", &child);
    output.read_to_string(&mut text).unwrap();
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(143), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(rows(&text).len(), 1);
    drop(pipe);
}

/// Whoever does not want to wait asks again. The run cannot end by itself here, because nobody
/// reads its output.
#[test]
fn the_second_signal_ends_the_run_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write_items("items.ndjson", &items(20_000));
        let args = ["batch-issue", "items.ndjson", "--idempotency-key", "k", "--jobs", "2"];
        let mut child = sandbox.spawn(&args);
        let mut output = child.stdout.take().unwrap();
        let mut seen = vec![0; 20_000];
        output.read_exact(&mut seen).unwrap(); // it is writing, and the rest of the pipe is full
        // Two signals that come together are one request, so it is asked until it ends.
        while child.try_wait().unwrap().is_none() {
            send(signal, &child);
        }
        output.read_to_end(&mut seen).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let text = String::from_utf8(seen).unwrap();
        let first = rows(&text[..text.rfind('\n').unwrap()]);
        assert!(recorded(&sandbox) >= first.len());
        let again = sandbox.issue("items.ndjson --idempotency-key k").expect(0).rows();
        for (before, after) in first.into_iter().zip(again) {
            assert_eq!(before.into_credential().id, after.into_credential().id);
        }
        assert_eq!(recorded(&sandbox), 20_000);
    }
}

/// Signals at the same moment, as `timeout` and CI runners send them, are one request.
#[test]
fn signals_at_the_same_moment_are_one_request() {
    let sandbox = Sandbox::with_issuer_key();
    let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    writeln!(stdin, "{}", item("a")).unwrap();
    output.read_line(&mut text).unwrap();
    let pid = child.id();
    let script = format!("kill -TERM {pid}; kill -TERM {pid}");
    Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status().unwrap();
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(143));
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert!(stderr.contains("stopped on request"), "in good order: {stderr}");
    drop(stdin);
}

/// Changes of status stop between two transactions, and the same command finishes them.
#[test]
fn a_signal_leaves_whole_batches_of_changes() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(6_000));
    sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let mut child = sandbox.spawn(&["revoke", "--run", "first"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    // A batch of results does not fit into the pipe.
    send("TERM", &child);
    output.read_to_string(&mut text).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{stderr}");
    let told = text.lines().count();
    assert!(told < 6_000 && told.is_multiple_of(1_000), "{told}");
    assert!(stderr.contains("interrupted") && stderr.contains("run the same command again"), "{stderr}");
    let revoked = sandbox.beltic(&["list", "--status", "revoked"]).expect(0).stdout.lines().count();
    assert_eq!(revoked, told, "what is reported is what was changed");
    let rest = sandbox.beltic(&["revoke", "--run", "first"]).expect(0).stderr;
    let grouped = |count: usize| format!("{},000", count / 1_000);
    let said = format!("revoked {}, already revoked {}, failed 0;", grouped(6_000 - told), grouped(told));
    assert!(rest.starts_with(&said), "{rest}");
}

/// Nor does a pipe in which nothing comes hold a change of status up.
#[test]
fn a_signal_ends_the_wait_for_ids() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let id = sandbox.issue("items.ndjson").expect(0).credential().id;
    let mut child = sandbox.command(&["revoke", "--from", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{id}").unwrap();
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    assert!(text.contains("revoked"), "{text}");
    send("INT", &child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    drop(stdin);
}
