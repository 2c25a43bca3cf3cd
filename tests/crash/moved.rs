//! A ledger that is taken away while it is in use: the run ends, and what left it is known.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

use crate::support::*;

/// A run that is fed one item after the other.
struct Fed {
    child: Child,
    results: BufReader<ChildStdout>,
    items: Vec<String>,
}

impl Fed {
    fn start(yard: &Yard) -> Fed {
        let mut command = yard.beltic("batch-issue - --input-format ndjson --ledger l/ledger.db --jobs 2");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let results = BufReader::new(child.stdout.take().unwrap());
        Fed { child, results, items: ndjson("fed", 13, 0).lines().map(str::to_owned).collect() }
    }

    /// Feeds an item, and waits for its result; none where the run has ended.
    fn feed(&mut self, number: usize) -> Option<Row> {
        let fed = writeln!(self.child.stdin.as_mut().unwrap(), "{}", self.items[number]);
        let mut line = String::new();
        if fed.is_err() || self.results.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        rows(&line).next()
    }

    fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        Ended::of(self.child.wait_with_output().unwrap())
    }
}

/// Copies a file over the ledger, in place.
fn overwrite(yard: &Yard, with: &str) {
    fs::copy(yard.path(with), yard.path("l/ledger.db")).unwrap();
}

/// Each way in which a ledger is taken away, and what is said of it.
#[test]
fn a_ledger_that_is_taken_away_ends_the_run() {
    type Mishap = fn(&Yard);
    let ways: [(&str, Mishap, &str); 11] = [
        (
            "moved",
            |yard| fs::rename(yard.path("l/ledger.db"), yard.path("elsewhere.db")).unwrap(),
            "moved or removed",
        ),
        ("removed", |yard| fs::remove_file(yard.path("l/ledger.db")).unwrap(), "moved or removed"),
        ("folder moved", |yard| fs::rename(yard.path("l"), yard.path("m")).unwrap(), "moved or removed"),
        (
            "replaced",
            |yard| fs::rename(yard.path("backup.db"), yard.path("l/ledger.db")).unwrap(),
            "replaced",
        ),
        ("overwritten", |yard| overwrite(yard, "backup.db"), "overwritten"),
        ("overwritten by another", |yard| overwrite(yard, "other.db"), "overwritten"),
        ("cut", |yard| fs::write(yard.path("l/ledger.db"), b"").unwrap(), "cut short"),
        (
            "cut by a page",
            |yard| {
                let ledger = fs::File::options().write(true).open(yard.path("l/ledger.db")).unwrap();
                ledger.set_len(ledger.metadata().unwrap().len() - 4096).unwrap();
            },
            "cut short",
        ),
        ("log emptied", |yard| fs::write(yard.path("l/ledger.db-wal"), b"").unwrap(), "write-ahead log"),
        ("log removed", |yard| fs::remove_file(yard.path("l/ledger.db-wal")).unwrap(), "write-ahead log"),
        (
            "linked",
            |yard| fs::hard_link(yard.path("l/ledger.db"), yard.path("link.db")).unwrap(),
            "second name",
        ),
    ];
    for (name, mishap, said) in ways {
        let yard = Yard::new();
        yard.write("one.ndjson", ndjson("one", 1, 0));
        yard.run("batch-issue one.ndjson --ledger other.db --quiet").expect(0);
        yard.run("batch-issue one.ndjson --ledger l/ledger.db --quiet").expect(0);
        fs::copy(yard.path("l/ledger.db"), yard.path("backup.db")).unwrap();
        // So that the backup is not what the log goes on from.
        yard.run("batch-issue one.ndjson --ledger l/ledger.db --quiet").expect(0);
        let mut run = Fed::start(&yard);
        assert!(run.feed(0).is_some() && run.feed(1).is_some());
        mishap(&yard);
        assert!(run.feed(2).is_none(), "{name}: a result left although its record is not where it belongs");
        let ended = run.end().expect(6);
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains("items 1 to 1 were delivered last"), "{name}: {}", ended.stderr);
        if name.starts_with("overwritten") || name == "replaced" {
            // What was put there is left as it is.
            let kept = if name == "overwritten by another" { "other.db" } else { "backup.db" };
            if let Ok(kept) = fs::read(yard.path(kept)) {
                assert!(fs::read(yard.path("l/ledger.db")).unwrap() == kept, "{name}: it was written to");
            }
            let next = yard.run("batch-issue one.ndjson --ledger l/ledger.db --quiet").expect(0);
            assert!(next.stderr.contains("warning: the ledger"), "{name}: {}", next.stderr);
            yard.check_ledger("l/ledger.db");
        }
    }
}

/// What counts is the file that the next command will open by the path that was given.
#[cfg(unix)]
#[test]
fn a_link_that_is_switched_ends_the_run() {
    let yard = Yard::new();
    for folder in ["first", "second"] {
        fs::create_dir(yard.path(folder)).unwrap();
    }
    let lead_to = |folder: &str| std::os::unix::fs::symlink(folder, yard.path("l")).unwrap();
    lead_to("first");
    let mut run = Fed::start(&yard);
    assert!(run.feed(0).is_some() && run.feed(1).is_some());
    fs::remove_file(yard.path("l")).unwrap();
    lead_to("second");
    assert!(run.feed(2).is_none(), "a result left that the ledger behind the link does not know");
    assert!(run.end().expect(6).stderr.contains("moved or removed"));
}

/// A copy of ledger and log that is put back in place, index and all, takes the process back in time.
#[test]
fn a_copy_that_is_put_back_under_a_run_ends_it() {
    let yard = Yard::new();
    let mut run = Fed::start(&yard);
    assert!(run.feed(0).is_some());
    let names = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];
    let copies = names.map(|name| fs::read(yard.path("l").join(name)).unwrap());
    assert!(run.feed(1).is_some() && run.feed(2).is_some());
    for (name, bytes) in names.iter().zip(&copies) {
        fs::write(yard.path("l").join(name), bytes).unwrap();
    }
    let results: Vec<_> = (3..6).map_while(|number| run.feed(number)).collect();
    assert!(results.is_empty(), "{results:?}");
    run.end().expect(6);
}

/// Status changes, too, say nothing that the next command would not know.
#[test]
fn others_who_write_back_the_log_disturb_nobody() {
    let yard = Yard::new();
    let mut run = Fed::start(&yard);
    assert!(run.feed(0).is_some());
    // A second process fills the log and writes it back, more than once.
    yard.write("items.ndjson", ndjson("many", 60_000, 0));
    yard.run("batch-issue items.ndjson --ledger l/ledger.db --quiet").finished();
    for number in 1..12 {
        assert!(run.feed(number).is_some(), "item {number}");
    }
    run.end().expect(0);
    yard.check_ledger("l/ledger.db");
}

/// A copy of the ledger and all that is beside it, made by `cp` while a run goes on, and written over the same files
/// afterwards: places that were given since then are not given again, whether the run ended or was killed.
#[test]
fn a_copy_made_during_a_run_and_put_back_in_place_is_noticed() {
    for is_killed in [false, true] {
        let yard = Yard::new();
        let names = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.mark", "ledger.db.lock"];
        let copy = |from: &str, to: &str| {
            fs::create_dir_all(yard.path(to)).unwrap();
            for name in names {
                let (from, to) = (yard.path(from).join(name), yard.path(to).join(name));
                // In place: a file that is there stays the same file.
                if from.exists() {
                    fs::copy(from, to).unwrap();
                }
            }
        };
        let mut fed = Fed::start(&yard);
        let mut places: Vec<_> = (0..3).map(|number| place(fed.feed(number).unwrap())).collect();
        copy("l", "saved");
        places.extend((3..6).map(|number| place(fed.feed(number).unwrap())));
        if is_killed {
            fed.child.kill().unwrap();
            fed.child.wait().unwrap();
        } else {
            fed.end().expect(0);
        }
        copy("saved", "l");
        yard.write("more.ndjson", ndjson("more", 20, 0));
        let ended = yard.run("batch-issue more.ndjson --ledger l/ledger.db --quiet").finished();
        assert!(ended.stderr.contains("warning: the ledger"), "killed {is_killed}: {}", ended.stderr);
        places.extend(rows(&ended.stdout).filter(|row| row.credential.is_some()).map(place));
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count, "killed {is_killed}: a place is given twice");
    }
}

fn place(row: Row) -> (String, u32) {
    let credential = row.credential.unwrap();
    (credential.status_list_uri, credential.status_list_index)
}
