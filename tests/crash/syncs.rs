//! `sync` is killed, starved and crowded while it issues, replaces, renews and prunes. Each time the same command has to
//! finish the work, and at no moment may an id have two credentials that count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;

use crate::faults::{block_size, limited};
use crate::machine::{rounds, skip};
use crate::support::*;
use crate::traced::{LEDGER_CALLS, LEDGER_FILES, Strace, stride};

/// When the scope is begun, and eight days later, when some of its credentials are near their end.
const TIMES: [&str; 2] = ["2031-05-01T00:00:00Z", "2031-05-09T00:00:00Z"];

/// What becomes of an item between the two registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Changes,
    NearsItsEnd,
    Goes,
    Comes,
}

const FATES: [Fate; 5] = [Fate::Stays, Fate::Changes, Fate::NearsItsEnd, Fate::Goes, Fate::Comes];

fn fate(number: usize) -> Fate {
    FATES[number % FATES.len()]
}

/// A register before and after its changes.
#[derive(Debug, Clone, Copy)]
struct Registers {
    count: usize,
    /// How many bytes longer each item is.
    filler: usize,
}

impl Registers {
    fn numbers(self, fates: &[Fate]) -> impl Iterator<Item = usize> {
        (0..self.count).filter(move |number| fates.contains(&fate(*number)))
    }

    fn write(self, yard: &Yard) {
        let before = [Fate::Stays, Fate::Changes, Fate::NearsItsEnd, Fate::Goes];
        let after = [Fate::Stays, Fate::Changes, Fate::NearsItsEnd, Fate::Comes];
        yard.write("before.ndjson", self.lines(&before, "Ltd"));
        yard.write("after.ndjson", self.lines(&after, "PLC"));
        yard.write("other.ndjson", self.lines(&after, "LLP"));
    }

    fn lines(self, fates: &[Fate], changed: &str) -> String {
        let filler = "x".repeat(self.filler);
        let mut text = String::new();
        for number in self.numbers(fates) {
            let form = if fate(number) == Fate::Changes { changed } else { "Ltd" };
            let ttl = if fate(number) == Fate::NearsItsEnd { "P10D" } else { "P1Y" };
            let _ = writeln!(
                text,
                r#"{{"request":{{"self_attestation_complete":true,"subject":{{"id":"urn:example:{number}","legal_form":"{form}{filler}"}},"claims":{{"jurisdiction":"GB"}},"ttl":"{ttl}"}},"correlation_id":"c-{number}"}}"#,
            );
        }
        text
    }

    /// Begins the scope, and gives the ids of the credentials by the numbers of their items.
    fn begin(self, yard: &Yard, ledger: &str) -> BTreeMap<usize, String> {
        self.write(yard);
        let begun = yard.run(&format!(
            "sync before.ndjson --ledger {ledger} --issued-at {} --output-format ndjson",
            TIMES[0]
        ));
        let begun = ids(&begun.expect(0).stdout);
        assert!(begun.keys().copied().eq(self.numbers(&FATES[..4])));
        begun
    }
}

fn command(register: &str, ledger: &str, more: &str) -> String {
    format!(
        "sync {register}.ndjson --ledger {ledger} --issued-at {} --renew-within P5D --prune --max-removals 100% \
         --output-format ndjson {more}",
        TIMES[1]
    )
}

/// A result, as far as these tests look at it.
#[derive(Debug, Deserialize)]
struct Synced {
    action: Option<String>,
    correlation_id: Option<String>,
    credential: Option<Given>,
}

#[derive(Debug, Deserialize)]
struct Given {
    id: String,
}

/// The ids of the credentials in an output that may end within a row, by the numbers of their items.
fn ids(output: &str) -> BTreeMap<usize, String> {
    let whole = output.rfind('\n').map_or("", |end| &output[..end]);
    let rows = whole.lines().map(|line| serde_json::from_str::<Synced>(line).unwrap());
    let given = rows.filter(|row| row.action.as_deref() != Some("revoked")).filter_map(|row| {
        let number = row.correlation_id?.strip_prefix("c-")?.parse().unwrap();
        Some((number, row.credential?.id))
    });
    given.collect()
}

/// A credential in the ledger.
#[derive(Debug, Deserialize)]
struct Held {
    id: String,
    status: String,
}

fn listed(yard: &Yard, ledger: &str, conditions: &str) -> Vec<Held> {
    let run = yard.run(&format!("list --ledger {ledger} --output-format ndjson {conditions}"));
    run.expect(0).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids of the active credentials that items with these fates have.
fn active(yard: &Yard, ledger: &str, registers: Registers, fates: &[Fate]) -> BTreeSet<String> {
    let named: String =
        registers.numbers(fates).map(|number| format!(" --correlation-id c-{number}")).collect();
    let active = listed(yard, ledger, &format!("--status active{named}"));
    active.into_iter().map(|held| held.id).collect()
}

/// What holds at every moment, also after a death: each changed item has exactly one active credential, the old one or
/// the new one; nothing that is not to be touched was touched; and whatever came out is in the ledger.
#[track_caller]
fn check_between(
    yard: &Yard,
    ledger: &str,
    registers: Registers,
    begun: &BTreeMap<usize, String>,
    out: &str,
) {
    let recorded = yard.check_ledger(ledger);
    if !yard.path(ledger).exists() {
        return;
    }
    let all: BTreeMap<String, String> =
        listed(yard, ledger, "").into_iter().map(|held| (held.id, held.status)).collect();
    assert_eq!(all.len(), recorded);
    for id in ids(out).values() {
        assert_eq!(all.get(id).map(String::as_str), Some("active"), "{id} came out of the process");
    }
    for (number, id) in begun {
        if matches!(fate(*number), Fate::Stays | Fate::NearsItsEnd) {
            assert_eq!(all[id], "active", "c-{number} was touched without need");
        }
    }
    let [stay, change, near, go, come] = FATES.map(|fate| registers.numbers(&[fate]).count());
    let found = FATES.map(|fate| active(yard, ledger, registers, &[fate]).len());
    assert_eq!([found[0], found[1]], [stay, change], "exactly one active credential each");
    assert!((near..=2 * near).contains(&found[2]) && found[3] <= go && found[4] <= come, "{found:?}");
}

/// What the ledger holds when all is done, whoever did it. Gives the ids that the register has now.
#[track_caller]
fn check_done(
    yard: &Yard,
    ledger: &str,
    registers: Registers,
    begun: &BTreeMap<usize, String>,
) -> BTreeMap<usize, String> {
    yard.check_ledger(ledger);
    let last = yard.run(&command("after", ledger, "--all")).expect(0);
    assert!(last.stderr.contains("issued 0"), "a run after the last one has nothing to do: {}", last.stderr);
    let now = ids(&last.stdout);
    assert!(
        now.keys().copied().eq(registers.numbers(&[FATES[0], FATES[1], FATES[2], FATES[4]])),
        "every item has a credential"
    );
    let formers = registers.numbers(&[Fate::NearsItsEnd]).map(|number| begun[&number].clone());
    let expected: BTreeSet<String> = now.values().cloned().chain(formers).collect();
    let found: BTreeSet<String> =
        listed(yard, ledger, "--status active").into_iter().map(|held| held.id).collect();
    assert_eq!(found, expected, "one for each item, and the renewed ones beside them");
    for number in registers.numbers(&[Fate::Stays]) {
        assert_eq!(now[&number], begun[&number]);
    }
    now
}

/// Dies at its first, second, third… write to the ledger, until it gets through.
fn die_at_each(registers: Registers, step: usize) -> usize {
    for nth in (1..).step_by(step) {
        let yard = Yard::new();
        let Some(strace) = Strace::find(&yard) else { return usize::MAX };
        let begun = registers.begin(&yard, "ledger.db");
        let args = command("after", "ledger.db", "--quiet --jobs 1");
        let died = strace.run(&LEDGER_FILES, &format!("{LEDGER_CALLS}:signal=SIGKILL:when={nth}"), &args);
        check_between(&yard, "ledger.db", registers, &begun, &died.stdout);
        let again = yard.run(&args).expect(0);
        let now = check_done(&yard, "ledger.db", registers, &begun);
        for (number, id) in ids(&died.stdout).into_iter().chain(ids(&again.stdout)) {
            assert_eq!(now[&number], id, "c-{number} at write {nth}");
        }
        if died.code.is_some() {
            died.expect(0);
            return nth;
        }
    }
    unreachable!("some run gets through")
}

/// Few items that are large: several commits, few enough writes to die at each of them.
#[test]
fn sync_dies_at_every_write_of_the_ledger() {
    let deaths = die_at_each(Registers { count: 60, filler: 25_000 }, stride(1, 4));
    println!("sync died at calls up to number {deaths}");
    assert!(deaths > 8, "strace saw only {deaths} calls");
}

/// More items than a batch of the ledger holds.
#[test]
fn sync_dies_at_writes_of_large_batches() {
    let deaths = die_at_each(Registers { count: 4_000, filler: 0 }, stride(11, 67));
    println!("sync died at some of {deaths} calls");
    assert!(deaths > 20, "strace saw only {deaths} calls");
}

/// Killed in its very first run, which makes the ledger and the scope.
#[test]
fn the_first_sync_dies_at_every_write() {
    let registers = Registers { count: 20, filler: 0 };
    for nth in (1..).step_by(stride(1, 6)) {
        let yard = Yard::new();
        let Some(strace) = Strace::find(&yard) else { return };
        registers.write(&yard);
        let args = command("after", "ledger.db", "--quiet --jobs 1");
        let died = strace.run(&[], &format!("{LEDGER_CALLS}:signal=SIGKILL:when={nth}"), &args);
        yard.check_ledger("ledger.db");
        let again = yard.run(&args).expect(0);
        let last = ids(&yard.run(&command("after", "ledger.db", "--all")).expect(0).stdout);
        assert_eq!(last.len(), registers.numbers(&[FATES[0], FATES[1], FATES[2], FATES[4]]).count());
        let found = listed(&yard, "ledger.db", "--status active").into_iter().map(|held| held.id);
        assert_eq!(found.collect::<BTreeSet<_>>(), last.values().cloned().collect(), "at write {nth}");
        for (number, id) in ids(&died.stdout).into_iter().chain(ids(&again.stdout)) {
            assert_eq!(last[&number], id, "c-{number} at write {nth}");
        }
        if died.code.is_some() {
            died.expect(0);
            return;
        }
    }
}

/// kill -9 at moments that nobody chose, again and again, before the same command is let through.
#[test]
fn sync_is_killed_again_and_again() {
    let registers = Registers { count: 6_000, filler: 0 };
    let kills = rounds("kills of sync", 4, 40);
    let mut killed = 0;
    while killed < kills {
        let yard = Yard::new();
        let begun = registers.begin(&yard, "ledger.db");
        let args = command("after", "ledger.db", "--jobs 2");
        let size = 6_000 * 1_500 / 2;
        for part in 1..=4 {
            let mut run = yard.start(&args);
            run.wait_until(|run| run.bytes_read() >= size * part / 5);
            let ended = run.kill();
            killed += usize::from(ended.code.is_none());
            check_between(&yard, "ledger.db", registers, &begun, &ended.stdout);
        }
        yard.run(&args).expect(0);
        check_done(&yard, "ledger.db", registers, &begun);
        killed += 1; // a round counts, however fast the machine is
    }
}

/// A signal ends the run in good order, and the same command goes on from there.
#[test]
fn sync_is_stopped_by_signals() {
    let registers = Registers { count: 6_000, filler: 0 };
    for (signal, code) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        let yard = Yard::new();
        let begun = registers.begin(&yard, "ledger.db");
        let args = command("after", "ledger.db", "--jobs 1");
        let child = yard.beltic(&args).spawn().unwrap();
        let process = child.id().to_string();
        let mut run = Running::of(child);
        run.wait_until(|run| run.bytes_read() > 0);
        yard.tool("kill").args([signal, &process]).status().unwrap();
        let ended = run.end();
        assert!(ended.code == Some(code) || ended.code == Some(0), "{signal}: {}", ended.stderr);
        assert!(ended.stdout.ends_with('\n'), "{signal}: half a row");
        check_between(&yard, "ledger.db", registers, &begun, &ended.stdout);
        yard.run(&args).expect(0);
        check_done(&yard, "ledger.db", registers, &begun);
    }
}

/// Two of one scope at once wait for each other, or one of them says why it stops. Never does an item get two.
#[test]
fn syncs_at_once_of_one_scope() {
    let registers = Registers { count: 3_000, filler: 0 };
    for round in 0..rounds("crowds of syncs", 3, 20) {
        let yard = Yard::new();
        let begun = registers.begin(&yard, "ledger.db");
        let second = ["after", "other"][round % 2];
        let runs: Vec<_> = [("after", 1), (second, 4), ("after", 2)]
            .map(|(register, jobs)| yard.start(&command(register, "ledger.db", &format!("--jobs {jobs}"))))
            .into();
        for run in runs {
            let ended = run.end();
            assert!(matches!(ended.code, Some(0 | 4 | 6)), "{:?}: {}", ended.code, ended.stderr);
            assert!(ended.code == Some(0) || ended.stderr.contains("error:"), "{}", ended.stderr);
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
        check_between(&yard, "ledger.db", registers, &begun, "");
        yard.run(&command("after", "ledger.db", "")).expect(0);
        check_done(&yard, "ledger.db", registers, &begun);
    }
}

/// Two begin a scope at once, in a ledger that is not there yet.
#[test]
fn syncs_at_once_begin_one_scope() {
    let registers = Registers { count: 1_500, filler: 0 };
    for _ in 0..rounds("crowds of first syncs", 3, 20) {
        let yard = Yard::new();
        registers.write(&yard);
        let runs: Vec<_> = (0..3).map(|_| yard.start(&command("after", "new/ledger.db", ""))).collect();
        for run in runs {
            let ended = run.end();
            assert!(matches!(ended.code, Some(0 | 6)), "{:?}: {}", ended.code, ended.stderr);
        }
        let last = yard.run(&command("after", "new/ledger.db", "--all")).expect(0);
        let found = listed(&yard, "new/ledger.db", "--status active").into_iter().map(|held| held.id);
        let found: BTreeSet<String> = found.collect();
        assert_eq!(found, ids(&last.stdout).into_values().collect());
        assert_eq!(found.len(), registers.numbers(&[FATES[0], FATES[1], FATES[2], FATES[4]]).count());
    }
}

/// People change statuses while a sync runs: what they revoked stays revoked, and no item gets two.
#[test]
fn statuses_are_changed_while_a_sync_runs() {
    let registers = Registers { count: 3_000, filler: 0 };
    let yard = Yard::new();
    let begun = registers.begin(&yard, "ledger.db");
    let stay: Vec<usize> = registers.numbers(&[Fate::Stays]).take(20).collect();
    let mut run = yard.start(&command("after", "ledger.db", "--jobs 1"));
    run.wait_until(|run| run.bytes_read() > 0);
    for number in &stay {
        yard.run(&format!("revoke {} --ledger ledger.db --quiet", begun[number])).expect(0);
    }
    let ended = run.end();
    assert!(matches!(ended.code, Some(0 | 3 | 6)), "{:?}: {}", ended.code, ended.stderr);
    yard.run(&command("after", "ledger.db", "")).expect(3);
    yard.check_ledger("ledger.db");
    let named: String = stay.iter().map(|number| format!(" --correlation-id c-{number}")).collect();
    assert!(listed(&yard, "ledger.db", &format!("--status active{named}")).is_empty());
    let changed = registers.numbers(&[Fate::Changes]).count();
    assert_eq!(active(&yard, "ledger.db", registers, &[Fate::Changes]).len(), changed);
}

/// The ledger may not grow: the run says so, nothing is half done, and the same command finishes the work.
#[test]
fn sync_with_a_ledger_that_may_not_grow() {
    let yard = Yard::new();
    let block = block_size(&yard);
    let registers = Registers { count: 5_000, filler: 0 };
    let probe = registers.begin(&yard, "probe.db");
    assert_eq!(probe.len(), 4_000);
    let full = usize::try_from(yard.size("probe.db")).unwrap() / 1024;
    let limits: Vec<usize> = (0..12).map(|step| full.saturating_sub(300) + 60 * step).collect();
    let taken = rounds("limits of sync", 5, limits.len());
    let mut failures = 0;
    for kib in limits.into_iter().step_by(12_usize.div_ceil(taken)) {
        let ledger = format!("ledger-{kib}.db");
        let begun = registers.begin(&yard, &ledger);
        let args = command("after", &ledger, "--quiet --jobs 2");
        let ended = limited(&yard, kib * 1024 / block, &args);
        if ended.code != Some(0) {
            failures += 1;
            assert_eq!(ended.code, Some(6), "{kib} KiB: {}", ended.stderr);
            assert!(ended.stderr.contains(&ledger), "names the ledger: {}", ended.stderr);
        }
        check_between(&yard, &ledger, registers, &begun, &ended.stdout);
        yard.run(&args).expect(0);
        check_done(&yard, &ledger, registers, &begun);
    }
    assert!(failures > 0, "no limit was too low");
}

/// Whatever of the ledger's writing fails, the run says so, and the same command finishes the work.
#[test]
fn sync_with_a_ledger_that_cannot_be_written() {
    let registers = Registers { count: 60, filler: 25_000 };
    let mut failures = 0;
    for fault in ["pwrite64:error=ENOSPC", "fsync,fdatasync:error=EIO"] {
        for nth in (1..).step_by(stride(1, 5)) {
            let yard = Yard::new();
            let Some(strace) = Strace::find(&yard) else { return };
            let begun = registers.begin(&yard, "ledger.db");
            let args = command("after", "ledger.db", "--quiet --jobs 2");
            let failed = strace.run(&LEDGER_FILES, &format!("{fault}:when={nth}+"), &args);
            let was_injected = strace.has_injected();
            if failed.code != Some(0) {
                failures += 1;
                assert_eq!(failed.code, Some(6), "{fault} {nth}: {}", failed.stderr);
                assert!(failed.stderr.contains("ledger.db"), "{fault} {nth}: {}", failed.stderr);
            }
            check_between(&yard, "ledger.db", registers, &begun, &failed.stdout);
            yard.run(&args).expect(0);
            check_done(&yard, "ledger.db", registers, &begun);
            if !was_injected {
                break;
            }
        }
    }
    println!("{failures} runs of sync failed as they should");
    assert!(failures > 4, "{failures}");
}

/// Spool files for registers that are sorted on disk, and copies of standard input, have no names that stay.
#[test]
fn nothing_is_left_behind_by_a_sync_that_is_killed() {
    let yard = Yard::new();
    let registers = Registers { count: 6_000, filler: 0 };
    registers.begin(&yard, "ledger.db");
    std::fs::create_dir(yard.path("tmp")).unwrap();
    let text = std::fs::read_to_string(yard.path("after.ndjson")).unwrap();
    let args = command("after", "ledger.db", "--input-format ndjson").replace("after.ndjson", "-");
    let mut child = yard.beltic(&args);
    let mut child =
        child.env("TMPDIR", yard.path("tmp")).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = std::thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, text.as_bytes())));
    let mut run = Running::of(child);
    run.wait_until(|run| run.bytes_read() > 100_000);
    let ended = run.kill();
    feed.join().unwrap();
    if ended.code.is_some() {
        skip("sync ended before it could be killed");
    }
    assert_eq!(std::fs::read_dir(yard.path("tmp")).unwrap().count(), 0, "in TMPDIR");
    let names = std::fs::read_dir(yard.path("")).unwrap().map(|file| file.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| name.to_str().unwrap().ends_with(".tmp")).collect();
    assert!(names.is_empty(), "{names:?}");
}
