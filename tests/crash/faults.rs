//! Full disks and limits, without any tool.

use std::process::Stdio;

use crate::machine::rounds;
use crate::support::*;

/// The program under a limit for the size of its files, in blocks of 512 bytes. A write that
/// goes beyond is cut short, and the next one fails.
pub(crate) fn limited(yard: &Yard, blocks: usize, args: &str) -> Ended {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{PROGRAM}' {args}");
    Ended::of(yard.tool("sh").args(["-c", &script]).output().unwrap())
}

/// The size that the limit is in, which shells do not agree about.
pub(crate) fn block_size(yard: &Yard) -> usize {
    let script = "trap '' XFSZ; ulimit -f 4; head -c 100000 /dev/zero > limit";
    yard.tool("sh").args(["-c", script]).output().unwrap();
    let size = yard.size("limit") as usize;
    assert!(size == 4 * 512 || size == 4 * 1024, "the limit holds: {size}");
    size / 4
}

/// The ledger may not grow: the run ends with what was committed, and its repetition finishes.
#[test]
fn a_ledger_that_may_not_grow() {
    let yard = Yard::new();
    let block = block_size(&yard);
    yard.write("items.ndjson", ndjson("f", 6_000, 0));
    let mut books = Books::default();
    let (mut failures, mut partial) = (0, 0);
    let mut sound = 0;
    // From a limit that stops the first write to one that stops nothing. A new list's order takes 550 KiB.
    let limits = [0, 4, 20, 60, 200, 540, 600, 640, 680, 720, 760, 800, 840, 880, 920, 1_000_000];
    let taken = rounds("limits", 8, limits.len());
    // Every limit or every second one, up to the last.
    for kib in limits.into_iter().rev().step_by(limits.len() / taken) {
        let (ledger, key) = (format!("ledger-{kib}.db"), format!("limit-{kib}"));
        let args =
            format!("batch-issue items.ndjson --ledger {ledger} --idempotency-key {key} --quiet --jobs 2");
        let failed = limited(&yard, kib * 1024 / block, &args);
        let delivered = books.enter(&key, &failed.stdout);
        if failed.code != Some(3) {
            failures += 1;
            partial += usize::from(delivered > 0);
            assert_eq!(failed.code, Some(6), "{kib} KiB: {}", failed.stderr);
            assert!(failed.stderr.contains(&ledger), "{}", failed.stderr);
        }
        assert!(yard.check_ledger(&ledger) >= books.credentials() - sound, "{kib} KiB");
        let again = yard.run(&args).finished();
        books.enter_complete(&key, &again.stdout, 6_000);
        assert_eq!(yard.check_ledger(&ledger), sound_items(6_000));
        sound += sound_items(6_000);
    }
    assert!(
        failures >= taken / 2 && partial >= taken / 8,
        "{failures} failed, {partial} of them after some results"
    );
}

/// A results file that may not grow is no results file.
#[test]
fn results_that_may_not_grow() {
    let yard = Yard::new();
    let block = block_size(&yard);
    yard.write("items.ndjson", ndjson("f", 3_000, 0));
    let mut books = Books::default();
    for (form, kib) in [("ndjson", 1_700), ("ndjson", 3_000), ("json", 2_000), ("csv", 2_000), ("jwt", 2_000)]
    {
        let key = format!("{form}-{kib}");
        let args = format!("batch-issue items.ndjson --ledger ledger.db --idempotency-key {key} --jobs 2");
        let to_file = format!("{args} --out results --output-format {form} --failed failed.ndjson");
        let failed = limited(&yard, kib * 1024 / block, &to_file).expect(6);
        assert!(failed.stderr.contains("results"), "{}", failed.stderr);
        assert!(!yard.has("results"), "{form}: a results file that ends in the middle of a result");
        assert_eq!(failed.key_to_go_on(), key);
        let left = std::fs::read_dir(yard.path("")).unwrap().map(|file| file.unwrap().file_name());
        assert!(left.filter(|name| name.to_str().unwrap().ends_with(".tmp")).count() == 0);
        let _ = std::fs::remove_file(yard.path("failed.ndjson"));
        let again = yard.run(&format!("{args} --output-format ndjson")).finished();
        books.enter_complete(&key, &again.stdout, 3_000);
    }
    assert_eq!(yard.check_ledger("ledger.db"), books.credentials());
}

/// A standard output that takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("f", 3_000, 0));
    let full = Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut command = yard.beltic("batch-issue items.ndjson --ledger ledger.db");
    let failed = Ended::of(command.stdout(full).output().unwrap()).expect(6);
    assert!(failed.stderr.contains("cannot write to standard output"), "{}", failed.stderr);
    assert!(failed.stderr.contains("no space left on device"), "{}", failed.stderr);
    assert!(failed.stderr.contains("no results were"), "{}", failed.stderr);
    let recorded = yard.check_ledger("ledger.db");
    let key = failed.key_to_go_on();
    let again =
        yard.run(&format!("batch-issue items.ndjson --ledger ledger.db --idempotency-key {key}")).finished();
    Books::default().enter_complete(&key, &again.stdout, 3_000);
    assert_eq!(yard.check_ledger("ledger.db"), sound_items(3_000));
    assert!(again.stderr.contains(&format!("already issued {},", grouped(recorded))), "{}", again.stderr);
}

fn grouped(count: usize) -> String {
    if count < 1_000 { count.to_string() } else { format!("{},{:03}", count / 1_000, count % 1_000) }
}

/// A disk that is really full, for the ledger and for the results. Left out where this user may
/// not mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("f", 6_000, 0));
    std::fs::create_dir(yard.path("disk")).unwrap();
    let mut books = Books::default();
    for kib in [40, 80, 120, 200, 300, 600, 2_000, 6_000] {
        let size = format!("size={kib}k");
        let mounted = yard.tool("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", "disk"]).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            crate::machine::skip("this user may not mount a tmpfs");
            return;
        }
        let disk = Mounted(&yard);
        let (key, ledger) = (format!("disk-{kib}"), "disk/ledger.db");
        let args = format!("batch-issue items.ndjson --ledger {ledger} --idempotency-key {key} --quiet");
        let failed = yard.run(&format!("{args} --out disk/results.ndjson"));
        assert_eq!(failed.code, Some(6), "{kib} KiB: {}", failed.stderr);
        assert!(
            failed.stderr.contains("no space is left") || failed.stderr.contains("No space left on device"),
            "{kib} KiB: {}",
            failed.stderr
        );
        assert!(!yard.has("disk/results.ndjson"), "{kib} KiB");
        // The operator makes room.
        let room = yard.tool("mount").args(["-o", "remount,size=64m", "disk"]).output().unwrap();
        assert!(room.status.success());
        yard.check_ledger(ledger);
        let again = yard.run(&args).finished();
        books.enter_complete(&key, &again.stdout, 6_000);
        assert_eq!(yard.check_ledger(ledger), sound_items(6_000));
        drop(disk);
    }
}

/// Takes the small disk away again.
#[cfg(target_os = "linux")]
struct Mounted<'y>(&'y Yard);

#[cfg(target_os = "linux")]
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = self.0.tool("umount").arg("disk").output();
    }
}
