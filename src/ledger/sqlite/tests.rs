//! What is true of a ledger in a file.

use std::collections::HashSet;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::ledger::tests::{draft, issued, open, order, reasons, record, record_one, run};
use crate::ledger::{Change, ClosingReason, Entry, Examination, Ledger, LedgerError, RunDescription};

#[test]
fn other_files_are_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let refuse = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        error
    };
    assert!(matches!(
        refuse("text", &b"not a database, and long enough to look at. ".repeat(40)),
        LedgerError::NotALedger { .. }
    ));

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Ledger::open(&foreign).unwrap_err(), LedgerError::NotALedger { .. }));

    let newer = folder.path().join("newer.db");
    drop(open(&newer));
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Ledger::open(&newer).unwrap_err(), LedgerError::Version { found: 99, .. }));
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state/ledger.db");
    let mut ledger = open(&path);
    record(&mut ledger, &run("a"), 0, 1);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_ledger_that_went_back_gives_from_new_lists_only() {
    let folder = TempDir::new().unwrap();
    let (path, backup) = (folder.path().join("ledger.db"), folder.path().join("backup.db"));
    let mut seen: HashSet<_> = record(&mut open(&path), &run("a"), 0, 10).into_iter().collect();
    std::fs::copy(&path, &backup).unwrap();
    seen.extend(record(&mut open(&path), &run("b"), 0, 10));
    std::fs::copy(&backup, &path).unwrap();

    let (mut ledger, history) = Ledger::open(&path).unwrap();
    assert_eq!(reasons(&history), [ClosingReason::WentBack]);
    assert!(record(&mut ledger, &run("c"), 0, 10).into_iter().all(|place| seen.insert(place)));
    drop(ledger);
    drop(open(&path)); // said once
}

#[test]
fn an_empty_file_is_a_damaged_ledger() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(Ledger::open(&path).unwrap_err(), LedgerError::Empty { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[test]
fn an_examination_finds_what_is_there_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    record(&mut open(&path), &run("a"), 0, 10);
    assert!(Examination::of(&path).unwrap().problems.is_empty());

    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TEMP TABLE twice AS SELECT * FROM batches;
             UPDATE twice SET batch = 2, first_slot = first_slot + 5;
             UPDATE runs SET batches = 0; INSERT INTO batches SELECT * FROM twice",
        )
        .unwrap();
    drop(connection);
    let problems = Examination::of(&path).unwrap().problems.join("; ");
    assert!(problems.contains("slots from 5 on of list 1 are given twice"), "{problems}");
    assert!(problems.contains("item 0 of run 1 was issued twice"), "{problems}");
    assert!(problems.contains("is given twice"), "{problems}");
}

#[test]
fn reading_only_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("odd ?#% name.db");
    assert!(Ledger::open_read_only(&path).unwrap().is_none());
    record(&mut open(&path), &run("a"), 0, 3);
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let mut ledger = Ledger::open_read_only(&path).unwrap().unwrap();
    let draft = draft(1);
    let entries: Vec<_> = (0..4).map(|position| Entry { position, draft: &draft }).collect();
    let previewed: Vec<_> = ledger
        .preview(&RunDescription { repeatable: true, ..run("a") }, &entries)
        .unwrap()
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(previewed, [true, true, true, false]);
    drop(ledger);
    assert_eq!(files(), before);
}

/// Whatever is changed in a ledger behind its back, the trail tells.
#[test]
fn the_trail_tells_of_every_change() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    let keyed = RunDescription { repeatable: true, ..run("key") };
    let ids = issued(&mut ledger, &keyed, 1_200);
    ledger.change(order(Change::Suspend), &ids[3..5]).unwrap();
    ledger.change(order(Change::Revoke), &ids[4..6]).unwrap();
    record_one(&mut ledger, &keyed);
    let trail = ledger.verify_events(None).unwrap();
    assert_eq!((trail.events, trail.problems.as_slice()), (7, [].as_slice()));
    assert_eq!(ledger.verify_events(Some(trail.head)).unwrap().problems, Vec::<String>::new());
    assert_eq!(ledger.verify_events(Some([1; 32])).unwrap().problems.len(), 1);
    drop(ledger);
    for tampering in [
        "UPDATE events SET at = at + 1 WHERE event = 3",
        "UPDATE events SET reason = 'x' WHERE event = 4",
        "UPDATE events SET reason = NULL WHERE event = 4",
        "UPDATE events SET place = place + 1 WHERE event = 5",
        "UPDATE events SET kind = 'revoked' WHERE event = 3",
        "UPDATE events SET places = x'03' WHERE event = 7",
        "UPDATE events SET batch = 2 WHERE event = 3",
        "DELETE FROM events WHERE event = 1",
        "DELETE FROM events WHERE event = 4",
        "UPDATE events SET event = 9 WHERE event = 7",
        "UPDATE batches SET records = zeroblob(length(records)) WHERE batch = 1",
        "UPDATE batches SET id_millis = id_millis + 1 WHERE batch = 2",
        "UPDATE batches SET first_position = 5000 WHERE batch = 2",
        "UPDATE runs SET kid = 'other'",
        "UPDATE runs SET name = 'other'",
        "UPDATE lists SET token_uri = 'urn:uuid:x'",
        "UPDATE lists SET secret = zeroblob(32)",
        "UPDATE orders SET indices = zeroblob(4000) WHERE part = 7",
        "UPDATE orders SET part = 200 WHERE part = 7",
        "DELETE FROM orders WHERE part = 131",
        "DELETE FROM statuses WHERE place = 5",
        "UPDATE statuses SET status = 'suspended' WHERE place = 5",
        "UPDATE statuses SET reason = 'x' WHERE place = 5",
        "UPDATE statuses SET since = since + 1 WHERE place = 5",
        "INSERT INTO statuses VALUES (1, 77, 'revoked', 0, NULL, NULL, 0)",
    ] {
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        let changed = connection.execute(tampering, []).unwrap();
        assert!(changed > 0, "{tampering}");
        drop(connection);
        let ledger = Ledger::open_read_only(&copy).unwrap().unwrap();
        assert_ne!(ledger.verify_events(None).unwrap().problems, Vec::<String>::new(), "{tampering}");
    }
    // The last event can be cut off unseen, unless its hash was noted.
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    rusqlite::Connection::open(&copy).unwrap().execute("DELETE FROM events WHERE event = 7", []).unwrap();
    let ledger = Ledger::open_read_only(&copy).unwrap().unwrap();
    assert!(ledger.verify_events(None).unwrap().problems.is_empty());
    assert!(!ledger.verify_events(Some(trail.head)).unwrap().problems.is_empty());
}
