//! Ledgers that were restored, copied or damaged, through the ledger's own interface.

use std::collections::HashSet;
use std::fs;

use rusqlite::types::Value;
use tempfile::TempDir;

use super::mark::MarkFile;
use super::*;
use crate::clock::UnixTime;
use crate::credential::Status;
use crate::files::Way;
use crate::ledger::identity::Identity;
use crate::ledger::seal;
use crate::ledger::state::State;
use crate::ledger::tests::{draft, open, reasons, record, run};
use crate::ledger::{
    Change, ChangeOrder, ClosingReason, Entry, Examination, History, Ledger, RunDescription,
};
use crate::request::{Draft, IdRule, ItemId};

fn connection(ledger: &Ledger) -> &Connection {
    let store: &dyn std::any::Any = &*ledger.store;
    &store.downcast_ref::<SqliteStore>().unwrap().connection
}

/// A folder with a ledger in it.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> World {
        // In memory where there is such a place: nothing here is about power cuts, and there are many commits.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        World { folder: folder.unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ledger(&self) -> PathBuf {
        self.path("ledger.db")
    }

    /// Copies the database and the log of a ledger that is open: what a killed process leaves.
    fn save_as_killed(&self) -> (Vec<u8>, Vec<u8>) {
        (fs::read(self.ledger()).unwrap(), fs::read(self.path("ledger.db-wal")).unwrap())
    }

    /// Ends the process's use of a ledger without writing its log back.
    fn kill(&self, ledger: Ledger) {
        let setting = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection(&ledger).set_db_config(setting, true).unwrap();
        drop(ledger);
    }
}

/// A database and the log beside it, each of its own moment: only those that fit are gone on with
/// silently; no place is ever given twice, and what is used is intact.
#[test]
fn a_log_is_used_with_its_own_file_only() {
    // The moments: at rest (no log), with a log begun on each base, with a log that was written back in part.
    let world = World::new();
    let mut databases = Vec::new();
    let mut logs = vec![None];
    let mut given = HashSet::new();
    for round in 0..3u64 {
        let mut ledger = open(&world.ledger());
        databases.push(fs::read(world.ledger()).unwrap());
        for batch in 0..2 {
            given.extend(record(&mut ledger, &run(&format!("{round}")), batch * 30, 30));
            let (database, log) = world.save_as_killed();
            databases.push(database);
            logs.push(Some(log));
            if batch == round % 2 {
                connection(&ledger).query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
                databases.push(fs::read(world.ledger()).unwrap());
            }
        }
        if round == 1 {
            world.kill(ledger);
        }
    }
    databases.dedup();
    let (mut fitting, mut foreign) = (0, 0);
    let mut tried = 0;
    for database in &databases {
        for log in &logs {
            tried += 1;
            let _ = fs::remove_file(world.path("ledger.db-shm"));
            fs::write(world.ledger(), database).unwrap();
            match log {
                Some(log) => fs::write(world.path("ledger.db-wal"), log).unwrap(),
                None => drop(fs::remove_file(world.path("ledger.db-wal"))),
            }
            let (mut ledger, history) = match Ledger::open(&world.ledger()) {
                Ok(opened) => opened,
                Err(LedgerError::Damaged { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            match reasons(&history).iter().any(|reason| matches!(reason, ClosingReason::ForeignLog(_))) {
                true => foreign += 1,
                false => fitting += usize::from(log.is_some()),
            }
            for place in record(&mut ledger, &run(&format!("tried {tried}")), 0, 5) {
                assert!(given.insert(place.clone()), "{place:?} is given twice");
            }
            let found = Examination::of_store(&*ledger.store, false).unwrap();
            assert_eq!(found.problems, Vec::<String>::new());
        }
    }
    assert!(fitting >= 4 && foreign >= 15, "{fitting} fitted, {foreign} did not, of {tried}");
}

/// A new ledger is not born with what an old one left.
#[test]
fn a_new_ledger_takes_nothing_over() {
    for keep in 0..8u8 {
        let world = World::new();
        let mut ledger = open(&world.ledger());
        let mut given: HashSet<_> = record(&mut ledger, &run("a"), 0, 50).into_iter().collect();
        world.kill(ledger);
        fs::remove_file(world.ledger()).unwrap();
        for (bit, suffix) in ["-wal", "-shm", ".mark"].into_iter().enumerate() {
            if keep & 1 << bit == 0 {
                fs::remove_file(world.path(&format!("ledger.db{suffix}"))).unwrap();
            }
        }
        fs::write(world.path("ledger.db-journal"), b"a journal of something else").unwrap();
        let (mut ledger, history) = Ledger::open(&world.ledger()).unwrap();
        assert_eq!(history, if keep & 4 == 0 { History::Whole } else { History::Replaced });
        assert!(record(&mut ledger, &run("a"), 0, 50).into_iter().all(|place| given.insert(place)));
        drop(ledger);
        assert_eq!(Examination::of(&world.ledger()).unwrap().problems, Vec::<String>::new());
        assert_eq!(world.path("ledger.db-wal.aside-1").exists(), keep & 1 != 0);
        assert!(world.path("ledger.db-journal.aside-1").exists());
    }
}

/// Restores a file in place.
fn overwrite(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// Each way of losing what a ledger knew closes its lists once, says why, and is remembered.
#[test]
fn what_may_be_missing_is_noticed_once() {
    type Mishap = fn(&World);
    let ways: [(Mishap, &[ClosingReason]); 6] = [
        (|world| overwrite(&world.path("old.db"), &world.ledger()), &[ClosingReason::WentBack]),
        (
            |world| fs::rename(world.path("old.db"), world.ledger()).unwrap(),
            &[ClosingReason::Copied, ClosingReason::WentBack],
        ),
        (|world| fs::remove_file(world.path("ledger.db.mark")).unwrap(), &[ClosingReason::NoMark]),
        (|world| fs::write(world.path("ledger.db.mark"), "nonsense\n").unwrap(), &[ClosingReason::NoMark]),
        (
            |world| overwrite(&world.path("old.mark"), &world.path("ledger.db.mark")),
            &[ClosingReason::MovedMark],
        ),
        (
            |world| {
                drop(open(&world.path("other.db")));
                fs::rename(world.path("other.db.mark"), world.path("ledger.db.mark")).unwrap();
            },
            &[ClosingReason::OtherMark],
        ),
    ];
    for (mishap, expected) in ways {
        let world = World::new();
        let mut given: HashSet<_> =
            record(&mut open(&world.ledger()), &run("a"), 0, 20).into_iter().collect();
        fs::copy(world.ledger(), world.path("old.db")).unwrap();
        fs::copy(world.path("ledger.db.mark"), world.path("old.mark")).unwrap();
        given.extend(record(&mut open(&world.ledger()), &run("b"), 0, 20));
        assert_eq!(open(&world.ledger()).restored_at().unwrap(), None);
        mishap(&world);
        // Looking tells, and changes nothing.
        for _ in 0..2 {
            let looked = Ledger::open_to_look(&world.ledger()).unwrap().unwrap();
            assert_eq!(reasons(looked.history()), expected);
            assert!(looked.restored_at().unwrap().is_some());
        }
        let (mut ledger, history) = Ledger::open(&world.ledger()).unwrap();
        assert_eq!(reasons(&history), expected);
        let new: Vec<_> = record(&mut ledger, &run("c"), 0, 20);
        assert!(new.into_iter().all(|place| given.insert(place)), "{expected:?}");
        drop(ledger);
        assert!(open(&world.ledger()).restored_at().unwrap().is_some(), "said once, remembered for good");
    }
}

/// Restoring the same backup twice, with nothing issued in between, is noticed twice.
#[test]
fn closing_lists_is_never_taken_back() {
    let world = World::new();
    let mut given: HashSet<_> = record(&mut open(&world.ledger()), &run("a"), 0, 20).into_iter().collect();
    let old = fs::read(world.ledger()).unwrap();
    given.extend(record(&mut open(&world.ledger()), &run("b"), 0, 20));
    for time in 1..=4 {
        fs::write(world.ledger(), &old).unwrap();
        let (ledger, history) = Ledger::open(&world.ledger()).unwrap();
        assert_eq!(reasons(&history), [ClosingReason::WentBack], "time {time}");
        drop(ledger);
    }
    assert!(
        record(&mut open(&world.ledger()), &run("c"), 0, 20).into_iter().all(|place| given.insert(place))
    );
}

/// A ledger that finds itself at another place again and again counts how often.
#[test]
fn closings_of_a_month_are_counted() {
    let world = World::new();
    record(&mut open(&world.ledger()), &run("a"), 0, 1);
    for time in 1..=4 {
        fs::remove_file(world.path("ledger.db.mark")).unwrap();
        let (mut ledger, history) = Ledger::open(&world.ledger()).unwrap();
        let History::Restored(restoration) = history else { panic!("not noticed") };
        assert_eq!((restoration.closings_in_a_month, restoration.lists), (time, 1));
        record(&mut ledger, &run(&format!("{time}")), 0, 1);
        // What was asked for is no sign of trouble.
        assert_eq!(ledger.close_lists().unwrap().unwrap().reasons, [ClosingReason::Asked]);
        assert_eq!(ledger.close_lists().unwrap(), None);
        ledger.runs = None; // a ledger serves one run
        record(&mut ledger, &run(&format!("{time}.")), 0, 1);
    }
}

/// A backup is intact, and using it closes the lists, with the mark and without.
#[test]
fn a_backup_is_whole_and_no_ledger_of_its_own() {
    for keep_mark in [true, false] {
        let world = World::new();
        let mut ledger = open(&world.ledger());
        let mut given: HashSet<_> = record(&mut ledger, &run("a"), 0, 20).into_iter().collect();
        ledger.backup(&world.path("backup.db"), Way::Create).unwrap();
        assert!(matches!(
            ledger.backup(&world.path("backup.db"), Way::Create),
            Err(LedgerError::Backup { .. })
        ));
        ledger.backup(&world.path("backup.db"), Way::Replace).unwrap();
        let backup = Ledger::open_read_only(&world.path("backup.db")).unwrap().unwrap();
        assert_eq!(backup.examine().unwrap().problems, Vec::<String>::new());
        assert!(reasons(backup.history()).contains(&ClosingReason::Backup));
        drop(backup);
        given.extend(record(&mut ledger, &run("a"), 20, 20));
        drop(ledger);
        fs::copy(world.path("backup.db"), world.ledger()).unwrap();
        if !keep_mark {
            fs::remove_file(world.path("ledger.db.mark")).unwrap();
        }
        let (mut ledger, history) = Ledger::open(&world.ledger()).unwrap();
        assert!(reasons(&history).contains(&ClosingReason::Backup), "{history:?}");
        assert!(record(&mut ledger, &run("b"), 0, 20).into_iter().all(|place| given.insert(place)));
        drop(ledger);
        drop(open(&world.ledger()));
    }
}

#[cfg(unix)]
#[test]
fn a_ledger_has_one_name_and_links_lead_to_it() {
    let world = World::new();
    let mut given: HashSet<_> = record(&mut open(&world.ledger()), &run("a"), 0, 5).into_iter().collect();
    fs::create_dir(world.path("links")).unwrap();
    let link = world.path("links/l.db");
    std::os::unix::fs::symlink("../ledger.db", &link).unwrap();
    given.extend(record(&mut open(&link), &run("b"), 0, 5));
    assert_eq!(fs::read_dir(world.path("links")).unwrap().count(), 1, "nothing is put beside a link");
    fs::hard_link(world.ledger(), world.path("second.db")).unwrap();
    for name in ["ledger.db", "second.db", "links/l.db"] {
        assert!(
            matches!(Ledger::open(&world.path(name)), Err(LedgerError::Linked { names: 2, .. })),
            "{name}"
        );
        assert!(
            matches!(Ledger::open_read_only(&world.path(name)), Err(LedgerError::Linked { .. })),
            "{name}"
        );
    }
    // A link that leads nowhere yet: the ledger is made where it leads.
    std::os::unix::fs::symlink("../later.db", world.path("links/later.db")).unwrap();
    record(&mut open(&world.path("links/later.db")), &run("a"), 0, 5);
    assert!(world.path("later.db").is_file() && world.path("later.db.mark").is_file());
}

/// All that the tables hold; none where they cannot be read.
fn content(path: &Path) -> Option<Vec<Vec<Value>>> {
    let connection = Connection::open(path).ok()?;
    let mut content = Vec::new();
    for table in [
        "seal", "ledger", "closings", "schemas", "scopes", "segments", "runs", "lists", "orders", "batches",
        "statuses", "events",
    ] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            content.push((0..columns).map(|column| row.get(column).ok()).collect::<Option<Vec<Value>>>()?);
        }
    }
    Some(content)
}

/// Bytes that storage changed: a check sees every one that changes what the ledger says; and whoever issues or
/// replays regardless gets what was given before, or nothing.
#[test]
fn changed_bytes_are_noticed_or_do_not_matter() {
    let trials = std::env::var("BELTIC_DAMAGE_TRIALS").map_or(50, |trials| trials.parse().unwrap());
    let world = World::new();
    let path = world.ledger();
    let rule = IdRule::CorrelationIdOrPosition;
    let keyed = |name: &str| RunDescription { repeatable: true, rule, ..run(name) };
    // Some items are known by their ids, and some by their places.
    let known_by_id = |draft: Draft, byte: u8| Draft {
        id: ItemId::Key([byte; 16]),
        correlation_hash: [byte | 1; 8],
        ..draft
    };
    let drafts: Vec<Draft> = (0..40)
        .map(|byte| if byte < 20 { known_by_id(draft(byte), byte.wrapping_mul(13)) } else { draft(byte) })
        .collect();
    let entries: Vec<_> = (0..).zip(&drafts).map(|(position, draft)| Entry { position, draft }).collect();
    let mut ledger = open(&path);
    let first: Vec<_> =
        ledger.record(&keyed("key"), &entries).unwrap().into_iter().map(Result::unwrap).collect();
    let revoke = ChangeOrder {
        change: Change::Revoke,
        reason: None,
        at: UnixTime::from_seconds(1_795_500_000).unwrap(),
        cause: None,
    };
    ledger.change(revoke, &first.iter().step_by(7).map(|grant| grant.id).collect::<Vec<_>>()).unwrap();
    drop(ledger);
    let mut ledger = open(&path);
    let mut given: HashSet<_> = record(&mut ledger, &run("other"), 0, 30).into_iter().collect();
    given.extend(first.iter().map(|grant| {
        let (uris, index) = grant.status.clone().unwrap();
        (uris.token.clone(), index)
    }));
    let identity = Identity::read(&*ledger.store).unwrap();
    let mark = Mark::at(identity.id, seal::state(&*ledger.store).unwrap());
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let said = content(&path).unwrap();
    let mut choices = 0x9e37_79b9_7f4a_7c15u64;
    let mut below = |limit: usize| {
        choices ^= choices << 13;
        choices ^= choices >> 7;
        choices ^= choices << 17;
        (choices >> 20) as usize % limit
    };
    let mut noticed = 0;
    for trial in 0..trials {
        let mut bytes = whole.clone();
        // Half of the changes go where the decisions are, which is a small part of the file.
        let at = if trial % 2 == 0 { below(bytes.len()) } else { below(24 * 4096) };
        bytes[at] ^= below(255) as u8 + 1;
        fs::write(&path, &bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(world.path(&format!("ledger.db{suffix}")));
        }
        drop(MarkFile::begin(&world.path("ledger.db.mark"), &mark, false).unwrap());
        let changed = content(&path).as_ref() != Some(&said);
        let checked = Examination::of(&path).is_ok_and(|found| found.problems.is_empty());
        assert!(!(changed && checked), "byte {at} changes what the ledger says, and a check does not see it");
        noticed += usize::from(!checked);
        let Ok((mut ledger, _)) = Ledger::open(&path) else { continue };
        let Ok(again) = ledger.record(&keyed("key"), &entries) else { continue };
        for (answer, before) in again.into_iter().zip(&first) {
            let Ok(answer) = answer else { continue };
            assert!(answer.replayed, "byte {at}: a second credential");
            assert_eq!((answer.id, &answer.status), (before.id, &before.status), "byte {at}");
            let is_revoked = answer.current.status == Status::Revoked;
            assert_eq!(is_revoked, first.iter().step_by(7).any(|grant| grant.id == before.id), "byte {at}");
        }
        ledger.runs = None;
        let fresh = draft(1);
        let fresh: Vec<_> = (0..20).map(|position| Entry { position, draft: &fresh }).collect();
        let Ok(answers) = ledger.record(&run(&format!("new {trial}")), &fresh) else { continue };
        for answer in answers {
            let (uris, index) = answer.unwrap().status.unwrap();
            assert!(!given.contains(&(uris.token.clone(), index)), "byte {at}: a place is given twice");
        }
    }
    println!(
        "{noticed} of {trials} changes were noticed by a check; the others change nothing that the ledger says"
    );
    assert!(noticed > trials / 3);
}

/// The places that a test of the tables' own rows changes, and what must stop.
#[test]
fn contradictions_stop_whoever_needs_the_row() {
    let world = World::new();
    let keyed = RunDescription { repeatable: true, ..run("key") };
    let mut ledger = open(&world.ledger());
    record(&mut ledger, &keyed, 0, 30);
    let identity = Identity::read(&*ledger.store).unwrap();
    let mark = Mark::at(identity.id, seal::state(&*ledger.store).unwrap());
    drop(ledger);
    let whole = fs::read(world.ledger()).unwrap();
    for (tampering, table) in [
        ("UPDATE lists SET taken = taken - 10", "lists"),
        ("UPDATE lists SET secret = zeroblob(32)", "lists"),
        ("UPDATE lists SET token_uri = 'urn:x'", "lists"),
        ("UPDATE orders SET indices = zeroblob(4000) WHERE part = 0", "orders"),
        ("UPDATE orders SET part = 500 WHERE part = 0", "orders"),
        ("UPDATE batches SET first_position = 500", "batches"),
        ("UPDATE batches SET id_millis = id_millis + 1", "batches"),
        ("UPDATE batches SET records = zeroblob(length(records))", "batches"),
        ("UPDATE runs SET name = 'other'", "runs"),
        ("UPDATE runs SET kid = 'other'", "runs"),
        ("DELETE FROM events; DELETE FROM batches", "batches"),
        ("INSERT INTO statuses VALUES (1, 3, 'revoked', 0, NULL, NULL, 0)", "statuses"),
        ("UPDATE ledger SET hash_key = zeroblob(32)", "ledger"),
        ("UPDATE seal SET runs = 7", "seal"),
    ] {
        fs::write(world.ledger(), &whole).unwrap();
        let connection = Connection::open(world.ledger()).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(tampering).unwrap();
        connection.close().unwrap();
        drop(MarkFile::begin(&world.path("ledger.db.mark"), &mark, false).unwrap());
        let draft = draft(1);
        let entries: Vec<_> = (0..40).map(|position| Entry { position, draft: &draft }).collect();
        let outcome =
            Ledger::open(&world.ledger()).and_then(|(mut ledger, _)| ledger.record(&keyed, &entries));
        let Err(LedgerError::Damaged { source, .. }) = outcome else { panic!("{tampering}: {outcome:?}") };
        assert!(source.to_string().contains(&format!("`{table}`")), "{tampering}: {source}");
    }
}

/// A closing whose commit never came is begun again: the mark says nothing that the ledger could be taken for.
#[test]
fn a_closing_that_was_not_committed_is_begun_again() {
    let world = World::new();
    let path = world.ledger();
    let mut ledger = open(&path);
    record(&mut ledger, &run("first"), 0, 5);
    let identity = Identity::read(&*ledger.store).unwrap();
    let state = seal::state(&*ledger.store).unwrap();
    drop(ledger);
    let writing = State { closings: state.closings + 1, ..state };
    let mark = Mark { ledger: identity.id, reached: State::NEVER, writing };
    drop(MarkFile::begin(&world.path("ledger.db.mark"), &mark, false).unwrap());
    let (ledger, history) = Ledger::open(&path).unwrap();
    assert!(matches!(history, History::Restored(_)), "{history:?}");
    drop(ledger);
    assert!(matches!(Ledger::open(&path).unwrap().1, History::Whole), "it is told once");
}

/// A run that is in the table and not found by its index is never issued a second time.
#[test]
fn a_run_that_its_index_hides_is_not_issued_again() {
    let world = World::new();
    let path = world.ledger();
    let mut ledger = open(&path);
    let again = |ledger: &mut Ledger| {
        let drafts: Vec<_> = (0..5).map(draft).collect();
        let entries: Vec<_> = (0..).zip(&drafts).map(|(position, draft)| Entry { position, draft }).collect();
        let keyed = RunDescription { repeatable: true, ..run("nightly-2026") };
        ledger.record(&keyed, &entries)
    };
    again(&mut ledger).unwrap();
    let identity = Identity::read(&*ledger.store).unwrap();
    let mark = Mark::at(identity.id, seal::state(&*ledger.store).unwrap());
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let name = b"nightly-2026";
    let ends = whole.windows(name.len()).enumerate().filter(|(_, bytes)| bytes == name);
    let ends: Vec<_> = ends.map(|(at, _)| at + name.len() - 1).collect();
    assert!(ends.len() >= 2, "in the table and in its index");
    for at in ends {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(world.path(&format!("ledger.db{suffix}")));
        }
        drop(MarkFile::begin(&world.path("ledger.db.mark"), &mark, false).unwrap());
        let Ok((mut ledger, _)) = Ledger::open(&path) else { continue };
        // What a page no longer uses may change; then the run is found, and every item comes out again.
        if let Ok(answers) = again(&mut ledger) {
            assert!(
                answers.into_iter().all(|answer| answer.unwrap().replayed),
                "byte {at}: a second credential"
            );
        }
    }
}
