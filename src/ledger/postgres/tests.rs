//! The tests of every store, on a server of their own; and what only a server has.

#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../../../tests/postgres/cluster.rs"]
mod cluster;

/// What [`cluster`] finds beside it where it is a part of the tests of the command.
mod readers {
    pub(super) use crate::machine;
}

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use self::cluster::Cluster;
use super::address::ServerAddress;
use crate::clock::UnixTime;
use crate::ledger::tests::{Home, draft, issued, record, run};
use crate::ledger::{Address, Change, ChangeOrder, Entry, Ledger, LedgerError, RunDescription};

/// A database of a server, in which a test keeps a ledger.
pub(in crate::ledger) struct Database {
    cluster: Arc<Cluster>,
    made: Arc<AtomicU32>,
    name: String,
}

impl Database {
    /// The first database of a server of its own; none where there is no PostgreSQL.
    fn first() -> Option<Database> {
        let cluster = Arc::new(Cluster::new()?);
        Some(Database { cluster, made: Arc::default(), name: cluster::DATABASE.to_owned() })
    }

    fn sql(&self, sql: &str) -> String {
        self.cluster.sql(&self.name, sql)
    }

    /// Whether a statement of somebody else is carried out.
    fn accepts(&self, sql: &str) -> bool {
        let caught = format!(
            "DO $$ BEGIN {sql}; RAISE EXCEPTION 'it was accepted'; EXCEPTION WHEN integrity_constraint_violation THEN
             NULL; END $$"
        );
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.sql(&caught))).is_err()
    }

    /// Another database of the same server.
    pub(in crate::ledger) fn another(&self) -> Database {
        let name = format!("ledger_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.cluster.sql("postgres", &format!("CREATE DATABASE {name} OWNER {}", cluster::USER));
        Database { cluster: Arc::clone(&self.cluster), made: Arc::clone(&self.made), name }
    }

    pub(in crate::ledger) fn address(&self) -> ServerAddress {
        let url = self.cluster.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        ServerAddress::parse(&format!("{server}/{}", self.name)).unwrap()
    }
}

/// A test by its name.
pub(in crate::ledger) type Named<'t> = (&'t str, fn(&Home));

/// Runs tests, each over a database of its own.
pub(in crate::ledger) fn on_a_server(tests: &[Named<'_>]) {
    let Some(first) = Database::first() else { return };
    for (name, test) in tests {
        println!("{name}");
        test(&Home::Server(first.another()));
    }
}

/// A ledger of which three batches were granted and not entered.
fn with_grants(database: &Database) -> Vec<(String, u32)> {
    with_grants_of(database, "a")
}

/// As [`with_grants`], by a run of this name.
fn with_grants_of(database: &Database, name: &str) -> Vec<(String, u32)> {
    let mut ledger = Ledger::open(&database.address()).unwrap().0;
    let places = (0..4).flat_map(|batch| record(&mut ledger, &run(name), batch * 10, 10)).collect();
    assert_eq!(database.sql("SELECT count(*) FROM beltic.pending"), "3");
    places
}

fn said_at_opening(database: &Database) -> String {
    let error = Ledger::open(&database.address()).map(drop).unwrap_err();
    format!("{error}: {}", std::error::Error::source(&error).unwrap())
}

#[test]
fn what_was_granted_is_entered_whole_or_not_at_all() {
    let Some(first) = Database::first() else { return };
    for (damage, said) in [
        (
            "DELETE FROM beltic.pending WHERE first_slot = 10",
            "a grant of list 2 is missing or changed, from slot 10 on",
        ),
        (
            "DELETE FROM beltic.pending WHERE first_slot = 20",
            "a grant of list 2 is missing or changed, from slot 20 on",
        ),
        (
            "UPDATE beltic.pending SET body = set_byte(body, 400, 7) WHERE first_slot = 10",
            "missing or changed",
        ),
        ("UPDATE beltic.lanes SET seal = sha256(seal)", "missing or changed"),
        ("UPDATE beltic.lanes SET given = given + 1", "missing or changed"),
    ] {
        let database = first.another();
        with_grants(&database);
        database.sql(damage);
        let found = said_at_opening(&database);
        assert!(found.contains(said), "{damage}: {found}");
    }
    // And where nothing was done to it, everything is there.
    let database = first.another();
    let places = with_grants(&database);
    let ledger = Ledger::open(&database.address()).unwrap().0;
    let examined = ledger.examine().unwrap();
    assert_eq!((examined.credentials, examined.problems), (places.len() as u64, Vec::new()));
    assert_eq!(database.sql("SELECT count(*) FROM beltic.pending"), "0");
}

/// Issuing waits for nothing that others were granted, unless it depends on that.
#[test]
fn what_was_granted_is_left_to_whoever_depends_on_it() {
    let Some(database) = Database::first() else { return };
    with_grants(&database);
    let pending = || database.sql("SELECT count(*) FROM beltic.pending");
    let issue = |run: &RunDescription, first| {
        record(&mut Ledger::open_to_issue(&database.address()).unwrap().0, run, first, 10)
    };
    let keyed = RunDescription { repeatable: true, ..run("k") };
    let mut places = issue(&run("b"), 0);
    places.extend(issue(&keyed, 0));
    assert_eq!(pending(), "3");
    // What was issued under the key before may be among it.
    let again = issue(&keyed, 0);
    assert_eq!(pending(), "0");
    assert_eq!(again, places[10..]);
    with_grants_of(&database, "c");
    assert_eq!(pending(), "3");
    let found = Ledger::open_read_only(&database.address()).unwrap().unwrap();
    assert_eq!((found.unseen(), pending().as_str()), (30, "3"));
    let found = Ledger::open_to_look(&database.address()).unwrap().unwrap();
    assert_eq!((found.unseen(), pending().as_str()), (0, "0"));
    assert_eq!(found.examine().unwrap().credentials, 40 + 20 + 40);
}

/// More than a list that gives its last may have room for is recorded batch by batch.
#[test]
fn no_grant_is_larger_than_what_is_left_of_a_list() {
    let Some(database) = Database::first() else { return };
    let mut ledger = Ledger::open(&database.address()).unwrap().0;
    assert_eq!(ledger.recorded_together(1_000), 32);
    let draft = draft(1);
    let entries: Vec<_> = (0..100_000).map(|position| Entry { position, draft: &draft }).collect();
    let batches: Vec<_> = entries.chunks(1_000).collect();
    let mut given = HashSet::new();
    for together in [&batches[..1], &batches[1..51], &batches[51..83], &batches[83..]] {
        let (answers, outcome) = ledger.record_together(&run("a"), together);
        outcome.unwrap();
        let places = answers.into_iter().flatten().map(|answer| answer.unwrap().status.unwrap());
        given.extend(places.map(|(uris, index)| (uris.token.clone(), index)));
    }
    assert_eq!(given.len(), entries.len());
    assert_eq!(ledger.examine().unwrap().problems, Vec::<String>::new());
}

/// What a run would say of items depends on what others were granted.
#[test]
fn a_preview_sees_what_was_granted() {
    let Some(database) = Database::first() else { return };
    let keyed = RunDescription { repeatable: true, ..run("a") };
    let mut ledger = Ledger::open_to_issue(&database.address()).unwrap().0;
    (0..4).for_each(|batch| drop(record(&mut ledger, &keyed, batch * 10, 10)));
    assert_eq!(database.sql("SELECT count(*) FROM beltic.pending"), "3");
    let draft = draft(1);
    let entries: Vec<_> = (15..16).chain(90..91).map(|position| Entry { position, draft: &draft }).collect();
    let mut other = Ledger::open_to_issue(&database.address()).unwrap().0;
    let previewed: Vec<bool> =
        other.preview(&keyed, &entries).unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(previewed, [true, false]);
}

/// Whatever the code does: the database itself keeps slots from being given twice.
#[test]
fn the_database_excludes_overlapping_slots() {
    let Some(database) = Database::first() else { return };
    with_grants(&database);
    for (first, end) in [(0, 10), (5, 15), (10, 20), (20, 40), (31, 40), (0, 40)] {
        let insert = format!(
            "INSERT INTO beltic.slots (ticket, list, first_slot, end_slot)
             VALUES (gen_random_uuid(), 2, {first}, {end})"
        );
        assert!(!database.accepts(&insert), "{first} to {end}");
    }
}

#[test]
fn a_ledger_moves_to_a_database_and_back_with_its_trail() {
    let Some(database) = Database::first() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (there, back) = (folder.path().join("there.db"), folder.path().join("back.db"));
    let mut ledger = Ledger::open(there.as_path()).unwrap().0;
    let ids = issued(&mut ledger, &run("a"), 2_500);
    let order = ChangeOrder { change: Change::Revoke, reason: None, at: UnixTime::FIRST, cause: None };
    ledger.change(order, &ids[7..9]).unwrap();
    let head = ledger.verify_events(None).unwrap().head;
    ledger.move_to(&Address::from(&database.address())).unwrap();
    let retired = Ledger::open(there.as_path()).unwrap().0;
    assert_eq!(retired.moved_to().unwrap(), Some(database.address().to_string()));

    let mut on_server = Ledger::open(&database.address()).unwrap().0;
    assert_eq!(on_server.examine().unwrap().problems, Vec::<String>::new());
    let more = record(&mut on_server, &run("b"), 0, 1_000);
    assert!(on_server.verify_events(Some(head)).unwrap().problems.is_empty());
    on_server.move_to(&Address::from(back.as_path())).unwrap();
    assert!(Ledger::open(back.as_path()).unwrap().0.verify_events(Some(head)).unwrap().problems.is_empty());
    let examined = Ledger::open(back.as_path()).unwrap().0.examine().unwrap();
    assert_eq!(examined.credentials, (ids.len() + more.len()) as u64);
    // Nothing can be written where it was.
    let mut left = Ledger::open(&database.address()).unwrap().0;
    let draft = draft(1);
    let refused = left.record(&run("c"), &[Entry { position: 0, draft: &draft }]).unwrap_err();
    assert!(
        matches!(refused, LedgerError::Moved { to, .. } if to == back.canonicalize().unwrap().display().to_string())
    );
}
