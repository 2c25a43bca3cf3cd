//! kill -9 at each single write to the ledger, and failing system calls: by strace, which can do
//! either at the N-th call. Left out where strace is missing or may not trace.

use crate::machine::{is_full, reduced, skip};
use crate::support::*;

/// The command of strace, told to do this; `None` where it cannot.
pub(crate) struct Strace<'y> {
    yard: &'y Yard,
}

impl<'y> Strace<'y> {
    pub(crate) fn find(yard: &'y Yard) -> Option<Strace<'y>> {
        // The program keeps its memory to itself. To see the paths in its calls, strace needs root's rights.
        let mut probe = yard.tool("strace");
        probe.args(["-f", "-qq", "-o", "trace", "-e", "trace=openat", "--", PROGRAM]);
        let ended = probe.args(["keygen", "--out", "probe/key.pem"]).output();
        let trace = std::fs::read_to_string(yard.path("trace")).unwrap_or_default();
        if ended.is_ok_and(|output| output.status.success()) && trace.contains("probe/") {
            return Some(Strace { yard });
        }
        skip("strace is missing, or may not trace here");
        None
    }

    /// Runs the program, and meddles with its system calls.
    pub(crate) fn run(&self, paths: &[&str], inject: &str, args: &str) -> Ended {
        let mut command = self.yard.tool("strace");
        command.args(["-f", "-qq", "-o", "trace"]);
        for path in paths {
            command.arg("-P").arg(self.yard.path(path));
        }
        let calls = inject.split(':').next().unwrap();
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={inject}"), "--", PROGRAM]);
        command.args(args.split_whitespace());
        Ended::of(command.output().unwrap())
    }

    /// Whether the last run was meddled with.
    pub(crate) fn has_injected(&self) -> bool {
        std::fs::read_to_string(self.yard.path("trace")).unwrap().contains("(INJECTED)")
    }
}

pub(crate) const LEDGER_CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,fallocate,unlink";
pub(crate) const LEDGER_FILES: [&str; 3] = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];

/// After how many calls comes the next at which something happens, at each scale.
pub(crate) fn stride(full: usize, small: usize) -> usize {
    if is_full() {
        return full;
    }
    reduced(format_args!("one in {small} of the system calls"));
    small
}

/// Kills the program at its first, second, third… such call, until it gets through; after each
/// death repeats the run, and compares.
fn die_at_each(strace: &Strace<'_>, files: &[&str], calls: &str, input: (&str, usize), step: usize) -> usize {
    let (input, count) = input;
    let yard = strace.yard;
    let mut books = Books::default();
    let mut sound = 0;
    yard.run(&format!("batch-issue {input} --ledger ledger.db --idempotency-key first --quiet")).finished();
    sound += sound_items(count);
    for nth in (1..).step_by(step) {
        let key = format!("write-{nth}");
        let args = format!("batch-issue {input} --ledger ledger.db --idempotency-key {key} --quiet --jobs 1");
        let died = strace.run(files, &format!("{calls}:signal=SIGKILL:when={nth}"), &args);
        books.enter(&key, &died.stdout);
        let seen = books.credentials();
        let recorded = yard.check_ledger("ledger.db");
        assert!(recorded >= seen, "a record for each result that got out, at write {nth}");
        let again = yard.run(&args).finished();
        books.enter_complete(&key, &again.stdout, count);
        sound += sound_items(count);
        assert_eq!(yard.check_ledger("ledger.db"), sound, "at write {nth}");
        if died.code.is_some() {
            died.finished();
            return nth;
        }
    }
    unreachable!("some run gets through")
}

/// Small batches of large items, so that there are few enough writes to die at each of them:
/// several commits, and the writing back of the log at the end.
#[test]
fn death_at_every_write_of_the_ledger() {
    let yard = Yard::new();
    let Some(strace) = Strace::find(&yard) else { return };
    yard.write("items.ndjson", ndjson("w", 60, 25_000));
    let deaths = die_at_each(&strace, &LEDGER_FILES, LEDGER_CALLS, ("items.ndjson", 60), stride(1, 3));
    println!("died at calls up to number {deaths}");
    assert!(deaths > 20, "strace saw only {deaths} calls");
}

/// Batches of the usual size, whose records take many pages.
#[test]
fn death_at_writes_of_large_batches() {
    let yard = Yard::new();
    let Some(strace) = Strace::find(&yard) else { return };
    yard.write("items.ndjson", ndjson("w", 2_500, 0));
    let step = if std::env::var_os("BELTIC_EVERY_WRITE").is_some() { 1 } else { stride(11, 33) };
    let deaths = die_at_each(&strace, &LEDGER_FILES, LEDGER_CALLS, ("items.ndjson", 2_500), step);
    println!("died at every {step}. of {deaths} calls");
    assert!(deaths > 60, "strace saw only {deaths} calls");
}

/// The first run of all, which makes the ledger.
#[test]
fn death_at_every_call_while_the_ledger_is_made() {
    let mut deaths = 0;
    for nth in (1..).step_by(stride(1, 12)) {
        let yard = Yard::new();
        let Some(strace) = Strace::find(&yard) else { return };
        yard.write("items.ndjson", ndjson("w", 20, 0));
        let args = "batch-issue items.ndjson --ledger deep/er/ledger.db --idempotency-key k --quiet --jobs 1";
        let calls = "openat,pwrite64,fsync,fdatasync,link,linkat,rename,renameat2,unlink,mkdir";
        let died = strace.run(&[], &format!("{calls}:signal=SIGKILL:when={nth}"), args);
        let mut books = Books::default();
        books.enter("k", &died.stdout);
        let recorded = yard.check_ledger("deep/er/ledger.db");
        assert!(recorded == 0 || recorded == sound_items(20), "all or none, at call {nth}");
        let again = yard.run(args).finished();
        books.enter_complete("k", &again.stdout, 20);
        assert_eq!(yard.check_ledger("deep/er/ledger.db"), sound_items(20), "at call {nth}");
        if died.code.is_some() {
            break;
        }
        deaths = nth;
    }
    println!("died at calls up to number {deaths}");
}

/// Whatever of the ledger's writing fails, the run says so, and its repetition finishes.
#[test]
fn a_ledger_that_cannot_be_written() {
    let yard = Yard::new();
    let Some(strace) = Strace::find(&yard) else { return };
    yard.write("items.ndjson", ndjson("w", 60, 25_000));
    let args = |key: &str| {
        format!("batch-issue items.ndjson --ledger ledger.db --idempotency-key {key} --quiet --jobs 2")
    };
    yard.run(&args("first")).finished();
    let mut books = Books::default();
    let (mut sound, mut failures, mut full) = (sound_items(60), 0, 0);
    for (fault, every) in [
        ("pwrite64:error=ENOSPC", 3),
        ("pwrite64:error=EIO", 3),
        ("fsync,fdatasync:error=EIO", 1),
        ("fsync,fdatasync:error=ENOSPC", 1),
        ("ftruncate,fallocate:error=ENOSPC", 1),
    ] {
        for nth in (1..).step_by(every) {
            let key = format!("{}-{nth}", fault.replace([':', ','], "-"));
            // From the n-th call on: a disk that is full stays full.
            let failed = strace.run(&LEDGER_FILES, &format!("{fault}:when={nth}+"), &args(&key));
            let was_injected = strace.has_injected();
            books.enter(&key, &failed.stdout);
            if failed.code != Some(3) {
                failures += 1;
                assert_eq!(failed.code, Some(6), "{key}: {}", failed.stderr);
                assert!(failed.stderr.contains("ledger.db"), "names the ledger, {key}: {}", failed.stderr);
                full += usize::from(failed.stderr.contains("no space is left"));
            }
            assert!(yard.check_ledger("ledger.db") >= books.credentials(), "{key}");
            let again = yard.run(&args(&key)).finished();
            books.enter_complete(&key, &again.stdout, 60);
            sound += sound_items(60);
            assert_eq!(yard.check_ledger("ledger.db"), sound, "{key}");
            if !was_injected {
                break;
            }
        }
    }
    println!("{failures} runs failed as they should, {full} of them for want of space");
    assert!(failures > 10 && full > 5, "{failures}, {full}");
}

/// Whatever of the results' writing fails, the run says so and claims no results.
#[test]
fn results_that_cannot_be_written() {
    let yard = Yard::new();
    let Some(strace) = Strace::find(&yard) else { return };
    yard.write("items.ndjson", ndjson("w", 2_500, 0));
    let mut books = Books::default();
    let mut failures = 0;
    for fault in [
        "write:error=ENOSPC",
        "write:error=EIO",
        "fsync:error=EIO",
        "renameat,rename,link,linkat,renameat2:error=EIO",
    ] {
        for nth in 1..=8 {
            let key = format!("{}-{nth}", fault.replace([':', ','], "-"));
            let args = format!(
                "batch-issue items.ndjson --ledger ledger.db --idempotency-key {key} --quiet --out results.ndjson"
            );
            let failed = strace.run(&[], &format!("{fault}:when={nth}"), &args);
            let injected = strace.has_injected();
            if failed.code == Some(3) {
                // The call that failed was one that nothing depends on, or there was none.
                assert!(yard.has("results.ndjson"));
            } else {
                failures += 1;
                assert!(injected);
                assert_eq!(failed.code, Some(6), "{key}: {}", failed.stderr);
                assert!(!failed.stderr.is_empty());
                if yard.has("results.ndjson") {
                    // What failed was the ledger, its mark, or the folder's own fsync. Whole rows have a name.
                    let is_mark = failed.stderr.contains("ledger.db.mark");
                    assert!(
                        fault.starts_with("fsync") || is_mark,
                        "{key}: a result that is none: {}",
                        failed.stderr
                    );
                    let results = std::fs::read_to_string(yard.path("results.ndjson")).unwrap();
                    assert!(results.ends_with('\n'), "{key}: half a row");
                    books.enter(&key, &results);
                }
            }
            let left = std::fs::read_dir(yard.path("")).unwrap().map(|file| file.unwrap().file_name());
            let left: Vec<_> = left.filter(|name| name.to_str().unwrap().starts_with(".beltic-")).collect();
            assert!(left.is_empty(), "{key}: {left:?}");
            yard.check_ledger("ledger.db");
            let _ = std::fs::remove_file(yard.path("results.ndjson"));
            yard.run(&args).finished();
            let results = std::fs::read_to_string(yard.path("results.ndjson")).unwrap();
            books.enter_complete(&key, &results, 2_500);
            std::fs::remove_file(yard.path("results.ndjson")).unwrap();
        }
    }
    println!("{failures} runs failed as they should");
    assert!(failures > 5);
}
