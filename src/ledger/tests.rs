//! The ledger's promises, through its own interface.

use std::collections::HashSet;
use std::thread;

use tempfile::TempDir;

use super::allocation::{LIST_ENTRIES, ROLL_AT};
use super::*;
use crate::clock::{UnixTime, system_millis};
use crate::request::{Draft, Piece};

fn run(name: &str) -> RunDescription {
    RunDescription {
        name: name.into(),
        repeatable: false,
        terms: Terms {
            issuer: "did:web:issuer.example".into(),
            kid: "did:web:issuer.example#k".into(),
            proof_format: "jwt_vc".into(),
            vct: "urn:beltic:business:1".into(),
            context: String::new(),
            ttl: "P1Y".into(),
        },
        status_base: None,
    }
}

fn open(path: &Path) -> Ledger {
    let (ledger, history) = Ledger::open(path).unwrap();
    assert_eq!(history, History::Whole);
    ledger
}

fn draft(hash: u8) -> Draft {
    Draft {
        subject: Piece::default(),
        subject_id: Piece::default(),
        subject_members: Piece::default(),
        subject_id_is_uri: false,
        claims: Piece::default(),
        evidence_refs: Piece::default(),
        cnf: Piece::default(),
        issued_at: UnixTime::from_seconds(1_795_406_400).unwrap(),
        expires_at: UnixTime::from_seconds(1_826_942_400).unwrap(),
        content_hash: [hash; 16],
        subject_hash: [hash; 8],
        correlation_hash: [0; 8],
    }
}

/// Records `count` credentials from `first` on, and returns (list, index) of each.
fn record(ledger: &mut Ledger, run: &RunDescription, first: u64, count: u64) -> Vec<(String, u32)> {
    let draft = draft(1);
    let entries: Vec<_> = (first..first + count).map(|position| Entry { position, draft: &draft }).collect();
    let grants = ledger.record(run, &entries).unwrap();
    let place = |answer: Answer| {
        let (uris, index) = answer.unwrap().status.unwrap();
        (uris.token.clone(), index)
    };
    grants.into_iter().map(place).collect()
}

#[test]
fn a_list_rolls_at_three_quarters_and_no_index_repeats() {
    let folder = TempDir::new().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    let mut seen = HashSet::new();
    let mut of_first_list = 0;
    let first_list = record(&mut ledger, &run("a"), 0, 1)[0].0.clone();
    for batch in 0..200 {
        for place in record(&mut ledger, &run("a"), batch * 1_000, 1_000) {
            assert!(place.1 < LIST_ENTRIES);
            of_first_list += u32::from(place.0 == first_list);
            assert!(seen.insert(place));
        }
    }
    assert_eq!(
        of_first_list,
        ROLL_AT / 1_000 * 1_000 + 1_000,
        "the list rolls with the first batch after the mark"
    );
    assert_eq!(seen.iter().map(|(list, _)| list).collect::<HashSet<_>>().len(), 3);
}

#[test]
fn a_reopened_ledger_goes_on_where_it_stopped() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let mut seen = HashSet::new();
    for round in 0..20 {
        let mut ledger = open(&path);
        let places = record(&mut ledger, &run(&format!("run {round}")), 0, 37);
        assert!(places.into_iter().all(|place| seen.insert(place)));
    }
    assert_eq!(seen.len(), 20 * 37);
}

#[test]
fn writers_at_the_same_time_share_the_lists() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let write = |writer: u64| {
        let mut ledger = open(&path);
        let run = run(&format!("writer {writer}"));
        (0..25).flat_map(|batch| record(&mut ledger, &run, batch * 40, 40)).collect::<Vec<_>>()
    };
    let places: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(places.len(), 8 * 25 * 40);
    assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len());
}

#[test]
fn issuers_and_base_urls_have_lists_of_their_own() {
    let folder = TempDir::new().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    let mut with_base = run("b");
    with_base.status_base = Some("https://issuer.example/".into());
    let mut of_other = run("c");
    of_other.terms.issuer = "did:web:other.example".into();
    let uris: HashSet<_> = [run("a"), with_base, of_other]
        .iter()
        .map(|run| record(&mut ledger, run, 0, 1)[0].0.clone())
        .collect();
    assert_eq!(uris.len(), 3);
    assert_eq!(uris.iter().filter(|uri| uri.starts_with("https://issuer.example/status/")).count(), 1);
    assert_eq!(uris.iter().filter(|uri| uri.starts_with("urn:uuid:")).count(), 2);
}

#[test]
fn ids_are_version_7_and_carry_the_time() {
    let folder = TempDir::new().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    let draft = draft(1);
    let entries: Vec<_> = (0..500).map(|position| Entry { position, draft: &draft }).collect();
    let before = system_millis();
    let answers = ledger.record(&run("a"), &entries).unwrap();
    let grants: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let millis = |id: Uuid| u64::from_str_radix(&id.simple().to_string()[..12], 16).unwrap();
    assert!(grants.iter().all(|grant| (before..=system_millis()).contains(&millis(grant.id))));
    assert!(grants.iter().all(|grant| grant.id.to_string().as_bytes()[14] == b'7'));
    assert!(
        grants.iter().all(|grant| matches!(grant.id.to_string().as_bytes()[19], b'8' | b'9' | b'a' | b'b'))
    );
    assert_eq!(grants.iter().map(|grant| grant.id).collect::<HashSet<_>>().len(), 500);
}

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
fn a_repeated_run_gets_what_it_got_and_nothing_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let repeatable = RunDescription { repeatable: true, ..run("job 1") };
    let (same, other, new) = (draft(1), draft(2), draft(3));
    let ask = |drafts: &[(u64, &Draft)]| {
        let entries: Vec<_> = drafts.iter().map(|&(position, draft)| Entry { position, draft }).collect();
        open(&path).record(&repeatable, &entries).unwrap()
    };
    let first: Vec<_> = ask(&[(0, &same), (2, &same)]).into_iter().map(Result::unwrap).collect();
    assert!(first.iter().all(|grant| !grant.replayed));

    let second = ask(&[(0, &same), (1, &new), (2, &other), (3, &new), (4, &same)]);
    let replay = second[0].as_ref().unwrap();
    assert!(replay.replayed);
    assert_eq!((replay.id, &replay.status), (first[0].id, &first[0].status));
    assert_eq!((replay.issued_at, replay.expires_at), (first[0].issued_at, first[0].expires_at));
    assert!(!second[1].as_ref().unwrap().replayed);
    assert_eq!(second[2].as_ref().unwrap_err(), &Conflict::Changed(first[1].id));
    assert!(!second[3].as_ref().unwrap().replayed);
    assert_eq!(second[4].as_ref().unwrap_err(), &Conflict::Moved(first[1].id), "it left place 2");

    let third = ask(&[(0, &same), (1, &new), (2, &same), (3, &new)]);
    assert!(third.iter().all(|answer| answer.as_ref().unwrap().replayed));
    let indices: HashSet<_> =
        third.iter().map(|answer| answer.as_ref().unwrap().status.as_ref().unwrap().1).collect();
    assert_eq!(indices.len(), 4);
}

#[test]
fn the_same_name_under_other_terms_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    assert!(!ledger.knows(&run("job")).unwrap());
    record(&mut ledger, &run("job"), 0, 1);
    assert!(ledger.knows(&run("job")).unwrap());
    let mut changed = run("job");
    changed.terms.ttl = "P2Y".into();
    changed.terms.vct = "urn:other:1".into();
    let said = ledger.knows(&changed).unwrap_err().to_string();
    assert!(said.contains("another vct (urn:beltic:business:1, now urn:other:1)"), "{said}");
    assert!(said.contains("another ttl (P1Y, now P2Y)"), "{said}");
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
    assert_eq!(history, History::WentBack);
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
            "INSERT INTO batches (run, first_position, list, first_slot, id_millis, count, records)
             SELECT run, first_position, list, first_slot + 5, id_millis, count, records FROM batches",
        )
        .unwrap();
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
    let foreseen: Vec<_> =
        ledger.foresee(&run("a"), &entries).unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(foreseen, [true, true, true, false]);
    drop(ledger);
    assert_eq!(files(), before);
}
