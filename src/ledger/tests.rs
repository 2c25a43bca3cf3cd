//! The ledger's promises, through its own interface, over every store.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;

use super::allocation::{LIST_ENTRIES, ROLL_AT};
use super::identity::FileId;
use super::memory::{Memory, MemoryStore};
use super::seal::Seal;
use super::store::{Access, Commit};
use super::*;
use crate::clock::{UnixTime, system_millis};
use crate::credential::{CredentialStatus, Grant, Status};
use crate::request::{ContentHash, Draft, IdRule, ItemId, Piece};
use crate::types::Types;

pub(super) fn run(name: &str) -> RunDescription {
    RunDescription {
        name: name.into(),
        repeatable: false,
        rule: IdRule::Position,
        terms: Terms {
            issuer: "did:web:issuer.example".into(),
            kid: "did:web:issuer.example#k".into(),
            proof_format: "jwt_vc".into(),
            context: String::new(),
            ttl: "P1Y".into(),
        },
        types: vec![TypeTerms {
            credential_type: "business".into(),
            vct: "urn:beltic:business:1".into(),
            disclosure: String::new(),
        }],
        status_base: None,
    }
}

pub(super) fn open(path: &Path) -> Ledger {
    let (ledger, history) = Ledger::open(path).unwrap();
    assert_eq!(history, History::Whole);
    ledger
}

/// Where a ledger is kept, of each kind of store.
pub(super) enum Home {
    File(TempDir),
    Memory(Arc<Memory>),
    #[cfg(feature = "postgres")]
    Server(super::postgres::tests::Database),
}

impl Home {
    pub(super) fn in_file() -> Home {
        Home::File(TempDir::new().unwrap())
    }

    pub(super) fn in_memory() -> Home {
        Home::Memory(Arc::default())
    }

    /// A place of the same kind, with nothing in it.
    pub(super) fn another(&self) -> Home {
        match self {
            Home::File(_) => Home::in_file(),
            Home::Memory(_) => Home::in_memory(),
            #[cfg(feature = "postgres")]
            Home::Server(database) => Home::Server(database.another()),
        }
    }

    /// Opens the ledger; the first time, it is made.
    pub(super) fn open(&self) -> Ledger {
        match self {
            Home::File(folder) => open(&folder.path().join("ledger.db")),
            Home::Memory(memory) => in_memory(memory),
            #[cfg(feature = "postgres")]
            Home::Server(database) => Ledger::open(&database.address()).unwrap().0,
        }
    }
}

fn in_memory(memory: &Arc<Memory>) -> Ledger {
    let store = MemoryStore::over(memory);
    store.begin(Access::Write).unwrap();
    if store.is_new() {
        Seal::insert(&store).unwrap();
        Identity::new(FileId::default()).unwrap().insert(&store).unwrap();
        let state = seal::state(&store).unwrap();
        let commit = Commit { reached: state, writing: state, token: [0; 16], bytes: 0, closes_lists: false };
        store.commit(commit).unwrap();
    }
    store.roll_back();
    let identity = Identity::read(&store).unwrap();
    let mut ledger = Ledger::on(Box::new(store), Path::new("memory"), identity);
    ledger.note_clock().unwrap();
    ledger
}

/// Runs each test over every store. One that is not named here is said to be dead code.
macro_rules! over_every_store {
    ($($test:ident),* $(,)?) => {
        mod in_file {
            $(#[test] fn $test() { super::$test(&super::Home::in_file()) })*
        }
        mod in_memory {
            $(#[test] fn $test() { super::$test(&super::Home::in_memory()) })*
        }
        /// One server has a database for each test.
        #[cfg(feature = "postgres")]
        #[test]
        fn on_a_server() {
            super::postgres::tests::on_a_server(&[$((stringify!($test), $test)),*]);
        }
    };
}

over_every_store!(
    a_list_rolls_at_three_quarters_and_no_index_repeats,
    a_reopened_ledger_goes_on_where_it_stopped,
    writers_at_the_same_time_share_the_lists,
    issuers_and_base_urls_have_lists_of_their_own,
    ids_are_version_7_and_carry_the_time,
    a_repeated_run_gets_what_it_got_and_nothing_twice,
    the_same_name_under_other_terms_is_refused,
    revocation_is_final_and_suspension_is_not,
    changes_of_status_follow_the_table,
    a_list_says_which_indices_are_not_active,
    a_replay_tells_what_became_of_a_credential,
    credentials_are_found_page_by_page,
    the_trail_holds_while_others_issue,
);

/// Why the lists were closed when the ledger was opened.
pub(super) fn reasons(history: &History) -> &[ClosingReason] {
    match history {
        History::Restored(restoration) => &restoration.reasons,
        _ => &[],
    }
}

pub(super) fn draft(hash: u8) -> Draft {
    Draft {
        credential_type: Types::BUILT_IN.default_type(),
        own_members: Piece::default(),
        subject: Piece::default(),
        subject_id: Piece::default(),
        subject_members: Piece::default(),
        subject_id_is_uri: false,
        claims: Piece::default(),
        evidence_refs: Piece::default(),
        cnf: Piece::default(),
        issued_at: UnixTime::from_seconds(1_795_406_400).unwrap(),
        expires_at: UnixTime::from_seconds(1_826_942_400).unwrap(),
        content_hash: ContentHash([hash; 16]),
        id: ItemId::Position,
        subject_hash: [hash; 8],
        delegator_hash: [hash ^ 0xff; 8],
        attestation_type: None,
        correlation_hash: [0; 8],
        former: None,
    }
}

/// Records `count` credentials from `first` on, and returns (list, index) of each.
pub(super) fn record(
    ledger: &mut Ledger,
    run: &RunDescription,
    first: u64,
    count: u64,
) -> Vec<(String, u32)> {
    let draft = draft(1);
    let entries: Vec<_> = (first..first + count).map(|position| Entry { position, draft: &draft }).collect();
    let grants = ledger.record(run, &entries).unwrap();
    let place = |answer: Answer| {
        let (uris, index) = answer.unwrap().status.unwrap();
        (uris.token.clone(), index)
    };
    grants.into_iter().map(place).collect()
}

fn a_list_rolls_at_three_quarters_and_no_index_repeats(home: &Home) {
    let mut ledger = home.open();
    let mut seen = HashSet::new();
    let mut of_lists: HashMap<String, u32> = HashMap::new();
    record(&mut ledger, &run("a"), 0, 1);
    for batch in 0..200 {
        for place in record(&mut ledger, &run("a"), batch * 1_000, 1_000) {
            assert!(place.1 < LIST_ENTRIES);
            *of_lists.entry(place.0.clone()).or_default() += 1;
            assert!(seen.insert(place));
        }
    }
    let full = ROLL_AT / 1_000 * 1_000 + 1_000;
    let mut counts: Vec<_> = of_lists.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [200_000 - 2 * full, full, full], "a list rolls with the first batch after the mark");
}

fn a_reopened_ledger_goes_on_where_it_stopped(home: &Home) {
    let mut seen = HashSet::new();
    for round in 0..20 {
        let mut ledger = home.open();
        let places = record(&mut ledger, &run(&format!("run {round}")), 0, 37);
        assert!(places.into_iter().all(|place| seen.insert(place)));
    }
    assert_eq!(seen.len(), 20 * 37);
}

fn writers_at_the_same_time_share_the_lists(home: &Home) {
    let write = |writer: u64| {
        let mut ledger = home.open();
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

fn issuers_and_base_urls_have_lists_of_their_own(home: &Home) {
    let mut ledger = home.open();
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

fn ids_are_version_7_and_carry_the_time(home: &Home) {
    let mut ledger = home.open();
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

fn a_repeated_run_gets_what_it_got_and_nothing_twice(home: &Home) {
    let repeatable = RunDescription { repeatable: true, ..run("job 1") };
    let (same, other, new) = (draft(1), draft(2), draft(3));
    let ask = |drafts: &[(u64, &Draft)]| {
        let entries: Vec<_> = drafts.iter().map(|&(position, draft)| Entry { position, draft }).collect();
        home.open().record(&repeatable, &entries).unwrap()
    };
    let first: Vec<_> = ask(&[(0, &same), (2, &same)]).into_iter().map(Result::unwrap).collect();
    assert!(first.iter().all(|grant| !grant.replayed));

    let second = ask(&[(0, &same), (1, &new), (2, &other), (3, &new), (4, &same)]);
    let replay = second[0].as_ref().unwrap();
    assert!(replay.replayed);
    assert_eq!((replay.id, &replay.status), (first[0].id, &first[0].status));
    assert_eq!((replay.issued_at, replay.expires_at), (first[0].issued_at, first[0].expires_at));
    assert!(!second[1].as_ref().unwrap().replayed);
    assert_eq!(second[2].as_ref().unwrap_err(), &Conflict::Changed { id: first[1].id, item: 2 });
    assert!(!second[3].as_ref().unwrap().replayed);
    assert_eq!(second[4].as_ref().unwrap_err(), &Conflict::Moved(first[1].id), "it left place 2");

    let third = ask(&[(0, &same), (1, &new), (2, &same), (3, &new)]);
    assert!(third.iter().all(|answer| answer.as_ref().unwrap().replayed));
    let indices: HashSet<_> =
        third.iter().map(|answer| answer.as_ref().unwrap().status.as_ref().unwrap().1).collect();
    assert_eq!(indices.len(), 4);
}

fn the_same_name_under_other_terms_is_refused(home: &Home) {
    let mut ledger = home.open();
    assert!(!ledger.use_of_key(&run("job"), None).unwrap().0);
    record(&mut ledger, &run("job"), 0, 1);
    assert!(ledger.use_of_key(&run("job"), None).unwrap().0);
    let mut changed = run("job");
    changed.terms.ttl = "P2Y".into();
    changed.types[0].vct = "urn:other:1".into();
    let said = ledger.use_of_key(&changed, None).unwrap_err().to_string();
    assert!(said.contains("another vct (urn:beltic:business:1, now urn:other:1)"), "{said}");
    assert!(said.contains("another ttl (P1Y, now P2Y)"), "{said}");
}

/// The ids of `count` credentials that were issued in batches of a thousand.
pub(super) fn issued(ledger: &mut Ledger, run: &RunDescription, count: u64) -> Vec<Uuid> {
    let draft = draft(1);
    let entries: Vec<_> = (0..count).map(|position| Entry { position, draft: &draft }).collect();
    let grants = entries.chunks(1_000).flat_map(|batch| ledger.record(run, batch).unwrap());
    grants.map(|answer| answer.unwrap().id).collect()
}

pub(super) fn order(change: Change) -> ChangeOrder<'static> {
    ChangeOrder {
        change,
        reason: Some("error"),
        at: UnixTime::from_seconds(1_795_500_000).unwrap(),
        cause: None,
    }
}

/// The statuses, and whether they were that before.
fn outcomes(answers: Vec<Result<Changed, ChangeRefusal>>) -> Vec<Result<(Status, bool), ChangeRefusal>> {
    answers
        .into_iter()
        .map(|answer| answer.map(|changed| (changed.current.status, changed.unchanged)))
        .collect()
}

fn revocation_is_final_and_suspension_is_not(home: &Home) {
    let mut ledger = home.open();
    let ids = issued(&mut ledger, &run("a"), 3);
    let unknown = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let mut change = |kind, ids: &[Uuid]| {
        let previewed = ledger.preview_change(order(kind), ids).unwrap();
        ledger.forget_previews();
        let answers = ledger.change(order(kind), ids).unwrap();
        assert_eq!(previewed, answers);
        outcomes(answers)
    };
    let (a, b) = (ids[0], ids[1]);
    let [changed, unchanged] = [false, true].map(|unchanged| move |status| Ok((status, unchanged)));
    assert_eq!(change(Change::Reinstate, &[a]), [unchanged(Status::Active)]);
    let twice = [changed(Status::Suspended), unchanged(Status::Suspended)];
    assert_eq!(change(Change::Suspend, &[a, a]), twice);
    assert_eq!(change(Change::Reinstate, &[a]), [changed(Status::Active)]);
    assert_eq!(
        change(Change::Revoke, &[b, unknown]),
        [changed(Status::Revoked), Err(ChangeRefusal::Unknown)]
    );
    assert_eq!(change(Change::Revoke, &[b]), [unchanged(Status::Revoked)]);
    for kind in [Change::Suspend, Change::Reinstate] {
        assert_eq!(change(kind, &[b]), [Err(ChangeRefusal::Revoked)]);
    }
    assert_eq!(change(Change::Suspend, &[a]), [changed(Status::Suspended)]);
    assert_eq!(change(Change::Revoke, &[a]), [changed(Status::Revoked)]);
    let current = |ledger: &mut Ledger, id| ledger.credential(id).unwrap().unwrap().current;
    let revoked = current(&mut ledger, a);
    assert_eq!((revoked.status, revoked.reason.as_deref()), (Status::Revoked, Some("error")));
    assert_eq!(revoked.since, Some(order(Change::Revoke).at));
    assert_eq!(current(&mut ledger, ids[2]), CredentialStatus::default());
}

/// Any changes in any order, against the table on the page of `status`.
fn changes_of_status_follow_the_table(home: &Home) {
    use proptest::prelude::*;
    const CHANGES: [Change; 3] = [Change::Revoke, Change::Suspend, Change::Reinstate];
    let steps = prop::collection::vec((0..3_usize, prop::collection::vec(0..5_usize, 1..4)), 1..16);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps)| {
        let home = home.another();
        let mut ledger = home.open();
        let mut ids = issued(&mut ledger, &run("a"), 4);
        ids.push(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        let mut model = vec![CredentialStatus::default(); 4];
        let mut events = ledger.events(0, 1_000).unwrap().len();
        for (number, (change, named)) in steps.into_iter().enumerate() {
            let (change, reason) = (CHANGES[change], number.to_string());
            let at = UnixTime::from_seconds(1_795_500_000 + number as i64).unwrap();
            let order = ChangeOrder { change, reason: Some(&reason), at, cause: None };
            let mut expected = Vec::new();
            for place in &named {
                let Some(now) = model.get_mut(*place) else { expected.push(Err(ChangeRefusal::Unknown)); continue };
                let unchanged = now.status == change.leads_to();
                if !unchanged && now.status == Status::Revoked {
                    expected.push(Err(ChangeRefusal::Revoked));
                    continue;
                }
                if !unchanged {
                    events += 1;
                    *now = match change {
                        Change::Reinstate => CredentialStatus::default(),
                        _ => CredentialStatus { status: change.leads_to(), since: Some(at), reason: Some(reason.clone()), cause: None },
                    };
                }
                expected.push(Ok(Changed { id: ids[*place], current: now.clone(), unchanged }));
            }
            let named: Vec<Uuid> = named.iter().map(|place| ids[*place]).collect();
            ledger.forget_previews();
            prop_assert_eq!(&ledger.preview_change(order, &named).unwrap(), &expected);
            prop_assert_eq!(&ledger.change(order, &named).unwrap(), &expected);
            prop_assert_eq!(ledger.events(0, 1_000).unwrap().len(), events);
        }
        for (id, current) in ids.iter().zip(model) {
            prop_assert_eq!(ledger.credential(*id).unwrap().unwrap().current, current);
        }
    });
}

fn a_list_says_which_indices_are_not_active(home: &Home) {
    let mut ledger = home.open();
    let ids = issued(&mut ledger, &run("a"), 2_500);
    ledger.change(order(Change::Revoke), &ids[100..110]).unwrap();
    let mut expected = HashSet::new();
    for id in &ids[100..110] {
        expected.insert((ledger.credential(*id).unwrap().unwrap().list.1, Status::Revoked));
    }
    let states = |ledger: &Ledger| {
        let numbers = ledger.status_lists().unwrap();
        numbers.into_iter().map(|number| ledger.status_list(number).unwrap()).collect::<Vec<_>>()
    };
    let state = &states(&ledger)[0];
    assert_eq!(state.entries.iter().copied().collect::<HashSet<_>>(), expected);
    assert_eq!(state.uris.suspension, None);
    // The first suspension gives the list a form for it, which stays.
    ledger.change(order(Change::Suspend), &ids[..1]).unwrap();
    let suspension = states(&ledger)[0].uris.suspension.clone().unwrap();
    ledger.change(order(Change::Reinstate), &ids[..1]).unwrap();
    assert_eq!(states(&ledger)[0].uris.suspension.as_ref(), Some(&suspension));
    let grant = record_one(&mut ledger, &run("b"));
    assert_eq!(grant.status.unwrap().0.suspension.as_ref(), Some(&suspension));
}

pub(super) fn record_one(ledger: &mut Ledger, run: &RunDescription) -> Grant {
    ledger.runs = None; // a ledger serves one run
    let draft = draft(1);
    ledger.record(run, &[Entry { position: 0, draft: &draft }]).unwrap().remove(0).unwrap()
}

fn a_replay_tells_what_became_of_a_credential(home: &Home) {
    let mut ledger = home.open();
    let keyed = RunDescription { repeatable: true, ..run("key") };
    let first = record_one(&mut ledger, &keyed);
    ledger.change(order(Change::Revoke), &[first.id]).unwrap();
    let again = record_one(&mut ledger, &keyed);
    assert_eq!((again.id, again.current.status), (first.id, Status::Revoked));
    let place = ledger.credential(first.id).unwrap().unwrap().place;
    let kinds: Vec<_> = ledger.events_of(place).unwrap().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Issued, EventKind::Revoked, EventKind::Replayed]);
}

fn credentials_are_found_page_by_page(home: &Home) {
    let mut ledger = home.open();
    let ids = issued(&mut ledger, &run("a"), 2_500);
    record_one(&mut ledger, &run("b"));
    ledger.change(order(Change::Revoke), &[ids[7], ids[1_500]]).unwrap();
    let mut all = |filter: &Filter, page: usize| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let next = ledger.credentials(filter, after, page).unwrap();
            let Some(last) = next.last() else { return found };
            after = Some(last.place);
            found.extend(next.into_iter().map(|credential| credential.id));
        }
    };
    let of_run = |name: &str| Filter { run: Some(name.into()), ..Filter::default() };
    assert_eq!(all(&of_run("a"), 7), ids);
    assert_eq!(all(&of_run("a"), 10_000), ids);
    assert_eq!((all(&of_run("b"), 10).len(), all(&of_run("c"), 10).len()), (1, 0));
    let revoked = Filter { status: Some(Status::Revoked), ..Filter::default() };
    assert_eq!(all(&revoked, 1), [ids[7], ids[1_500]]);
    let active = Filter { status: Some(Status::Active), ..of_run("a") };
    assert_eq!(all(&active, 999).len(), 2_498);
    let not_revoked = Filter { not_revoked: true, ..of_run("a") };
    assert_eq!(all(&not_revoked, 999).len(), 2_498);
    let time = |seconds| UnixTime::from_seconds(seconds).unwrap();
    let expiring = |from, to| Filter { expiring: Some(time(from)..=time(to)), ..Filter::default() };
    assert_eq!(all(&expiring(1_826_942_400, 1_826_942_400), 1_000).len(), 2_501);
    assert_eq!(all(&expiring(1_826_942_401, 1_900_000_000), 1_000).len(), 0);
    let subjects = |hash| Filter { subjects: Some(HashSet::from([[hash; 8]])), ..Filter::default() };
    assert_eq!((all(&subjects(1), 1_000).len(), all(&subjects(2), 1_000).len()), (2_501, 0));
}

/// What is issued while the trail is read is no problem of it.
fn the_trail_holds_while_others_issue(home: &Home) {
    let mut writer = home.open();
    let reader = home.open();
    thread::scope(|scope| {
        let writing =
            scope.spawn(|| (0..300).for_each(|batch| drop(record(&mut writer, &run("a"), batch * 9, 9))));
        while !writing.is_finished() {
            assert_eq!(reader.verify_events(None).unwrap().problems, Vec::<String>::new());
        }
    });
    // What was granted by then is entered by whoever opens the ledger next.
    assert_eq!(home.open().verify_events(None).unwrap().events, 300);
}
