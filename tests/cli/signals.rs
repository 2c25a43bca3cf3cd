//! Ctrl-C, SIGTERM, SIGHUP and SIGXFSZ. No test waits for a time: what is waited for is something that is seen.
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

/// The first signal: what is in flight is finished, and nothing else is begun.
#[test]
fn the_first_signal_ends_the_run_in_good_order() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        if signal == "HUP" && ignores_hangups() {
            println!("skipped: these tests were started by nohup");
            continue;
        }
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
        assert!(stderr.contains("interrupted; work in progress was completed"), "{stderr}");
        let summary: serde_json::Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
        assert_eq!(summary["success_count"], first.len());
        assert_eq!(summary["exit_code"], code);

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
        assert!(stderr.contains("interrupted; work in progress was completed"), "{stderr}");
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
    assert!(stderr.contains("interrupted; work in progress was completed"), "in good order: {stderr}");
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

/// Whether this process, and so what it starts, ignores SIGHUP.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1)
}

/// `nohup` means that the run goes on when its terminal is gone.
#[cfg(target_os = "linux")]
#[test]
fn a_run_under_nohup_outlives_the_hangup() {
    let sandbox = Sandbox::with_issuer_key();
    let program = env!("CARGO_BIN_EXE_beltic");
    let script = format!("trap '' HUP; exec {program} batch-issue");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(sandbox.path("")).env("HOME", sandbox.path(""));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    writeln!(stdin, "{}", item("a")).unwrap();
    output.read_line(&mut line).unwrap();
    send("HUP", &child);
    writeln!(stdin, "{}", item("b")).unwrap();
    output.read_line(&mut line).unwrap();
    drop(stdin);
    assert_eq!(rows(&line).len(), 2);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

/// The largest file that is allowed: the write fails, and the run says so. SIGXFSZ does not end it.
#[test]
fn a_file_that_may_not_grow_is_code_6() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2_000));
    let program = env!("CARGO_BIN_EXE_beltic");
    // In blocks of 512 or 1,024 bytes, as the shell likes; the results take two megabytes.
    let script =
        format!("ulimit -f 200; exec {program} batch-issue items.ndjson --ledger none --out results.ndjson");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(sandbox.path("")).env("HOME", sandbox.path(""));
    let run = Run::of(command.output().unwrap()).expect(6);
    assert!(run.stderr.contains("cannot write results.ndjson"), "{}", run.stderr);
    assert!(run.stderr.contains("no results were written"), "{}", run.stderr);
    assert!(!run.stderr.contains("written up to"), "{}", run.stderr);
    assert!(!sandbox.has("results.ndjson"));
    assert_eq!(leftovers(&sandbox), 0);
}

fn leftovers(sandbox: &Sandbox) -> usize {
    let names = std::fs::read_dir(sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().ends_with(".tmp")).count()
}

/// What a killed run leaves is removed by the next one that writes there; what a run holds is not.
#[test]
fn the_next_run_removes_what_a_killed_one_left() {
    let sandbox = Sandbox::with_issuer_key();
    let start = || {
        let args = ["batch-issue", "--out", "results.ndjson", "--ledger", "none"];
        let mut child = sandbox.command(&args).stdin(Stdio::piped()).spawn().unwrap();
        // Files are begun once it is known what the input is.
        writeln!(child.stdin.as_mut().unwrap(), "{}", item("a")).unwrap();
        while !child_has_begun(&sandbox, &child) {
            std::thread::yield_now();
        }
        child
    };
    let mut first = start();
    let mut second = start();
    assert_eq!(leftovers(&sandbox), 2, "two runs at work");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(leftovers(&sandbox), 2, "one of them was killed");
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson --ledger none --out other.ndjson").expect(0);
    assert_eq!(leftovers(&sandbox), 1, "that of the run at work");
    drop(second.stdin.take());
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert_eq!(leftovers(&sandbox), 0);
    assert_eq!(rows(&sandbox.read("results.ndjson")).len(), 1);
}

/// Whether a run has its temporary file: it is seen among the files that it holds open.
#[cfg(target_os = "linux")]
fn child_has_begun(_sandbox: &Sandbox, child: &Child) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
    let named = |entry: std::fs::DirEntry| std::fs::read_link(entry.path()).ok();
    open.filter_map(named).any(|path| path.to_string_lossy().ends_with(".tmp"))
}

/// Elsewhere, by the file itself: there is one more for each run.
#[cfg(not(target_os = "linux"))]
fn child_has_begun(sandbox: &Sandbox, _child: &Child) -> bool {
    leftovers(sandbox) > 0
}

/// A system that starts no thread: exit code 1 and a message, whichever thread it is, and never a panic. Root is not
/// counted, so the program runs as somebody else; where there is no `setpriv` and `prlimit`, nothing can be tried.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_cannot_start_is_code_1() {
    let sandbox = Sandbox::new();
    set_mode(&sandbox.path(""), 0o755);
    sandbox.copy_key("p256-pkcs8.pem", "key.pem");
    set_mode(&sandbox.path("key.pem"), 0o644);
    sandbox.write_items("items.ndjson", &items(3_000));
    let program = sandbox.path("beltic");
    std::fs::copy(env!("CARGO_BIN_EXE_beltic"), &program).unwrap();
    let (mut refused, mut finished) = (0, 0);
    for limit in 1..12 {
        let nproc = format!("--nproc={limit}:{limit}");
        // A user of whom there are no other processes.
        let words = ["--reuid", "64321", "--regid", "64321", "--clear-groups", "prlimit", &nproc];
        let mut command = Command::new("setpriv");
        command.args(words).arg(&program).current_dir(sandbox.path("")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["batch-issue", "items.ndjson", "--key", "key.pem", "--ledger", "none", "--jobs", "4"]);
        let Ok(output) = command.output() else { break };
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => finished += 1,
            Some(1) if stderr.contains("cannot start another thread") => {
                assert!(!stderr.contains("panicked") && stderr.contains("--jobs"), "{stderr}");
                refused += 1;
            }
            _ if stderr.contains("setpriv:") || stderr.contains("prlimit:") => break,
            code => panic!("{limit}: {code:?}: {stderr}"),
        }
    }
    match refused + finished {
        0 => println!("skipped: setpriv and prlimit cannot be used here"),
        _ => assert!(refused >= 3 && finished >= 1, "{refused} refused, {finished} finished"),
    }
}
