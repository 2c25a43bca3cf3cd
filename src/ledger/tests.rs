//! The ledger's promises, through its own interface.

use std::collections::HashSet;
use std::thread;

use tempfile::TempDir;

use super::allocation::{LIST_ENTRIES, ROLL_AT};
use super::*;
use crate::request::Piece;

fn run(name: &str) -> RunDescription {
    RunDescription {
        name: name.into(),
        issuer: "did:web:issuer.example".into(),
        kid: "did:web:issuer.example#k".into(),
        status_base: None,
    }
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
    }
}

/// Records `count` credentials from `first` on, and returns (list, index) of each.
fn record(ledger: &mut Ledger, run: &RunDescription, first: u64, count: u64) -> Vec<(String, u32)> {
    let draft = draft(1);
    let entries: Vec<_> = (first..first + count).map(|position| Entry { position, draft: &draft }).collect();
    let grants = ledger.record(run, &entries, 1_795_406_400_123).unwrap();
    let place = |grant: Grant| {
        let (uris, index) = grant.status.unwrap();
        (uris.token.clone(), index)
    };
    grants.into_iter().map(place).collect()
}

#[test]
fn a_list_rolls_at_three_quarters_and_no_index_repeats() {
    let folder = TempDir::new().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
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
        let mut ledger = Ledger::open(&path).unwrap();
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
        let mut ledger = Ledger::open(&path).unwrap();
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
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
    let mut with_base = run("b");
    with_base.status_base = Some("https://issuer.example/".into());
    let mut of_other = run("c");
    of_other.issuer = "did:web:other.example".into();
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
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
    let draft = draft(1);
    let entries: Vec<_> = (0..500).map(|position| Entry { position, draft: &draft }).collect();
    let grants = ledger.record(&run("a"), &entries, 0x017F_22E2_79B0).unwrap();
    // RFC 9562 appendix A.6 has an id of this millisecond.
    assert!(grants.iter().all(|grant| grant.id.to_string().starts_with("017f22e2-79b0-7")));
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
    drop(Ledger::open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Ledger::open(&newer).unwrap_err(), LedgerError::Version { found: 99, .. }));
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state/ledger.db");
    let mut ledger = Ledger::open(&path).unwrap();
    record(&mut ledger, &run("a"), 0, 1);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
}
