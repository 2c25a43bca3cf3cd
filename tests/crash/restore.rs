//! Kill, then restore, copy, link or damage the ledger in some way, and go on: no place is given twice, nothing
//! is lost without a word, and no published revocation is taken back.
//!
//! `BELTIC_RESTORE_TRIALS` says how many trials there are, one of each kind unless it is set; `BELTIC_SOAK_SEED` repeats them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::*;

/// How many trials there are where nobody says otherwise: each mishap once.
const TRIALS: usize = MISHAPS.len();
/// Where the ledger is used.
const LEDGER: &str = "l/ledger.db";

/// What is done to the ledger between two runs.
const MISHAPS: [&str; 16] = [
    "backup over it, log and mark kept",
    "backup over it, log kept, mark removed",
    "backup over it, log removed, mark kept",
    "backup over it, log and mark removed",
    "backup renamed over it",
    "the whole folder restored in place",
    "the whole folder restored in place, saved in the last run",
    "the whole folder restored anew",
    "removed, log and mark kept",
    "copied to another path without its mark",
    "two copies with their marks",
    "a second name",
    "by a link, restored, by its own path",
    "another ledger's mark",
    "an old log put back",
    "flipped bits",
];

/// One trial: a folder, and all that ever left it.
struct Trial {
    yard: Yard,
    choices: Choices,
    /// Who got each place.
    places: HashMap<(String, u32), String>,
    runs: usize,
}

/// How a run went on.
#[derive(Debug)]
struct Went {
    stopped: bool,
    warned: bool,
    ended: Ended,
}

impl Trial {
    fn new(seed: u64) -> Trial {
        Trial { yard: Yard::new(), choices: Choices::from_seed(seed), places: HashMap::new(), runs: 0 }
    }

    /// Issues so many items, perhaps to be killed on the way, and enters what left.
    fn issue(&mut self, ledger: &str, count: usize, kill: bool) -> Went {
        self.runs += 1;
        let name = format!("run{}", self.runs);
        self.yard.write("items.ndjson", ndjson(&name, count, 0));
        let args =
            format!("batch-issue items.ndjson --ledger {ledger} --idempotency-key {name} --quiet --jobs 2");
        let ended = if kill {
            let bytes = self.choices.below(count * 1_500);
            let mut running = self.yard.start(&args);
            let saved = self.choices.below(bytes + 1);
            running.wait_until(|running| running.bytes_read() >= saved);
            let _ = fs::remove_dir_all(self.yard.path("in-run"));
            self.copy_all(LEDGER, "in-run/ledger.db");
            running.wait_until(|running| running.bytes_read() >= bytes);
            running.kill()
        } else {
            self.yard.run(&args)
        };
        for credential in rows(&ended.stdout).filter_map(|row| row.credential) {
            let place = (credential.status_list_uri, credential.status_list_index);
            let other = self.places.insert(place.clone(), credential.id);
            assert_eq!(other, None, "{place:?} is given twice");
        }
        let stopped = ended.code == Some(6);
        assert!(kill || stopped || matches!(ended.code, Some(0 | 3)), "{:?}: {}", ended.code, ended.stderr);
        assert!(!stopped || !ended.stderr.trim().is_empty());
        Went { stopped, warned: ended.stderr.contains("warning: "), ended }
    }

    fn copy(&self, from: &str, to: &str) {
        if self.yard.has(from) {
            fs::create_dir_all(self.yard.path(to).parent().unwrap()).unwrap();
            // A run that is going on may have removed it meanwhile.
            match fs::copy(self.yard.path(from), self.yard.path(to)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }

    fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.yard.path(name));
    }

    /// Copies the ledger and what is beside it.
    fn copy_all(&self, from: &str, to: &str) {
        for suffix in ["", "-wal", "-shm", ".mark", ".lock"] {
            self.copy(&format!("{from}{suffix}"), &format!("{to}{suffix}"));
        }
    }

    fn remove_all(&self) {
        for suffix in ["", "-wal", "-shm", ".mark", ".lock"] {
            self.remove(&format!("{LEDGER}{suffix}"));
        }
    }

    /// Flips bits in the ledger or its log.
    fn flip(&mut self) {
        let log = format!("{LEDGER}-wal");
        let file = if self.yard.size(&log) > 0 && self.choices.below(2) == 0 { &log } else { LEDGER };
        let mut bytes = fs::read(self.yard.path(file)).unwrap();
        for _ in 0..1 + self.choices.below(3) {
            let at = self.choices.below(bytes.len());
            bytes[at] ^= 1 << self.choices.below(8);
        }
        fs::write(self.yard.path(file), bytes).unwrap();
    }

    /// Ids of the credentials that the ledger knows.
    fn known(&self, ledger: &str) -> HashSet<String> {
        let ended = self.yard.run(&format!("list --ledger {ledger} --output-format ndjson"));
        let ids = ended.stdout.lines().filter_map(|row| {
            serde_json::from_str::<serde_json::Value>(row).unwrap()["id"].as_str().map(str::to_owned)
        });
        ids.collect()
    }

    /// Goes on with a ledger to which something was done: with a message, or not at all, unless
    /// nothing that left was lost.
    fn go_on(&mut self, mishap: &str, ledger: &str) -> Went {
        let before: HashSet<String> = self.places.values().cloned().collect();
        let count = 20 + self.choices.below(200);
        let went = self.issue(ledger, count, false);
        if mishap == "flipped bits" {
            return went;
        }
        if !went.stopped {
            self.yard.check_ledger(ledger);
        }
        let is_told = went.stopped || went.warned;
        assert!(
            is_told || self.known(ledger).is_superset(&before),
            "{mishap}: credentials were lost without a word: {}",
            went.ended.stderr
        );
        went
    }

    /// Does it.
    fn mishap(&mut self, mishap: &str, backup: &str) {
        let (log, index, mark) = (format!("{LEDGER}-wal"), format!("{LEDGER}-shm"), format!("{LEDGER}.mark"));
        if mishap.starts_with("backup over it") {
            self.copy(backup, LEDGER);
        }
        match mishap {
            "backup over it, log kept, mark removed" => self.remove(&mark),
            "backup over it, log removed, mark kept" => {
                self.remove(&log);
                self.remove(&index);
            }
            "backup over it, log and mark removed" => {
                self.remove(&log);
                self.remove(&index);
                self.remove(&mark);
            }
            "backup renamed over it" => {
                self.copy(backup, "renamed.db");
                fs::rename(self.yard.path("renamed.db"), self.yard.path(LEDGER)).unwrap();
            }
            "the whole folder restored in place" => {
                self.remove(&log);
                self.remove(&index);
                self.copy_all("saved/ledger.db", LEDGER);
            }
            "the whole folder restored in place, saved in the last run" => {
                self.copy_all("in-run/ledger.db", LEDGER);
            }
            "the whole folder restored anew" => {
                self.remove_all();
                self.copy_all("saved/ledger.db", LEDGER);
            }
            "removed, log and mark kept" => self.remove(LEDGER),
            "another ledger's mark" => {
                self.issue("other/ledger.db", 5, false);
                self.copy("other/ledger.db.mark", &mark);
            }
            "an old log put back" => self.copy("saved/old-log", &log),
            "flipped bits" => self.flip(),
            _ => {}
        }
    }

    fn run(&mut self, mishap: &'static str) -> Vec<Went> {
        let count = 30 + self.choices.below(300);
        self.issue(LEDGER, count, false);
        let published = self.choices.below(2) == 0;
        let revoked: Vec<String> = self.places.values().take(3).cloned().collect();
        // A backup of either kind, and one of the whole folder.
        let backup = "backup.db";
        match self.choices.below(2) {
            0 => self.copy(LEDGER, backup),
            _ => drop(self.yard.run(&format!("ledger backup {backup} --ledger {LEDGER}")).expect(0)),
        }
        self.copy_all(LEDGER, "saved/ledger.db");
        self.issue(LEDGER, 3_000, true);
        self.copy(&format!("{LEDGER}-wal"), "saved/old-log");
        if published {
            let ids = revoked.join(" ");
            self.yard.run(&format!("revoke {ids} --ledger {LEDGER} --quiet")).expect(0);
            self.yard.run(&format!("publish --out site --ledger {LEDGER} --quiet")).expect(0);
        }
        let in_run = mishap.ends_with("saved in the last run");
        let (more, kill) = (100 + self.choices.below(3_000), in_run || self.choices.below(4) != 0);
        self.issue(LEDGER, more, kill);

        let went = match mishap {
            "copied to another path without its mark" | "two copies with their marks" => {
                match mishap.starts_with("two") {
                    true => self.copy_all(LEDGER, "m/ledger.db"),
                    false => self.copy(LEDGER, "m/ledger.db"),
                }
                vec![
                    self.go_on(mishap, "m/ledger.db"),
                    self.issue(LEDGER, 50, false),
                    self.issue("m/ledger.db", 50, false),
                ]
            }
            "a second name" => {
                fs::hard_link(self.yard.path(LEDGER), self.yard.path("second.db")).unwrap();
                let went = vec![self.go_on(mishap, "second.db"), self.go_on(mishap, LEDGER)];
                assert!(went.iter().all(|went| went.stopped));
                self.remove("second.db");
                went
            }
            "by a link, restored, by its own path" => {
                std::os::unix::fs::symlink(Path::new(LEDGER), self.yard.path("link.db")).unwrap();
                let by_link = self.go_on(mishap, "link.db");
                assert!(!by_link.warned && !by_link.stopped, "{}", by_link.ended.stderr);
                self.copy(backup, LEDGER);
                vec![self.go_on(mishap, LEDGER)]
            }
            _ => {
                self.mishap(mishap, backup);
                vec![self.go_on(mishap, LEDGER)]
            }
        };
        self.issue(LEDGER, 30, false);
        if published && mishap != "flipped bits" {
            self.publish_again(mishap, &revoked);
        }
        went
    }

    /// Publishing over what is published: refused, or what was revoked still is.
    fn publish_again(&self, mishap: &str, revoked: &[String]) {
        let ended = self.yard.run(&format!("publish --out site --ledger {LEDGER} --quiet"));
        if ended.code != Some(0) {
            assert_eq!(ended.code, Some(6), "{mishap}: {}", ended.stderr);
            return;
        }
        let listed =
            self.yard.run(&format!("list --ledger {LEDGER} --status revoked --output-format ndjson"));
        if listed.code == Some(6) {
            // What was saved while a run was writing may be damaged, which is said.
            assert!(listed.stderr.contains("is damaged"), "{mishap}: {}", listed.stderr);
            return;
        }
        let all = self.known(LEDGER);
        for id in revoked.iter().filter(|id| all.contains(*id)) {
            assert!(listed.stdout.contains(id.as_str()), "{mishap}: the revocation of {id} was taken back");
        }
    }
}

#[test]
fn whatever_is_restored_nothing_is_given_twice() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    let trials = number("BELTIC_RESTORE_TRIALS").map_or(TRIALS, |trials| trials as usize);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = number("BELTIC_SOAK_SEED").unwrap_or(u64::from(clock));
    println!("to repeat the choices: BELTIC_SOAK_SEED={seed}");
    let (mut told, mut stopped, mut silent, mut given) = (0, 0, 0, 0);
    for trial in 0..trials {
        let mishap = MISHAPS[trial % MISHAPS.len()];
        println!("trial {trial}: {mishap}");
        let mut run = Trial::new(seed.wrapping_add(trial as u64 * 7_919));
        for went in run.run(mishap) {
            match (went.stopped, went.warned) {
                (true, _) => stopped += 1,
                (false, true) => told += 1,
                (false, false) => silent += 1,
            }
        }
        given += run.places.len();
    }
    println!(
        "{trials} trials, {given} credentials: {told} runs went on with a message, {stopped} stopped, {silent} had \
         nothing to tell; 0 places given twice, 0 credentials lost without a word, 0 revocations taken back"
    );
}
