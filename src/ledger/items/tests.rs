//! What is known of items, over every store.

use std::collections::HashMap;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::super::scopes::{Scope, ScopeKind};
use super::super::seal::Counts;
use super::super::store::{Access, Transaction};
use super::super::tests::{Home, draft, run};
use super::super::{Conflict, Entry, Examination, LedgerError, RunDescription};
use super::*;
use crate::request::{Draft, IdRule, ItemId};

fn key(number: u32) -> ItemKey {
    let digest = Sha256::digest(number.to_le_bytes());
    std::array::from_fn(|at| digest[at])
}

fn item(number: u32, content: u8) -> Draft {
    Draft {
        id: ItemId::Key(key(number)),
        correlation_hash: number.to_le_bytes().repeat(2).try_into().unwrap(),
        ..draft(content)
    }
}

fn keyed(name: &str) -> RunDescription {
    RunDescription { repeatable: true, rule: IdRule::CorrelationId, ..run(name) }
}

/// Puts entries into an index, so many at a time, and compares it with a map at every turn: what is found, what
/// is not, and what another process finds.
fn compare_with_a_map(home: &Home, sizes: &[usize], numbers: &[u32]) {
    let ledger = home.open();
    let store = &*ledger.store;
    let transaction = Transaction::begin(store, Access::Write).unwrap();
    let mut added = Counts::default();
    let terms = ("register", "did:web:issuer.example", IdRule::CorrelationId);
    let mut scope = Scope::add(store, ScopeKind::Register, terms, &mut added).unwrap();
    let mut index = ItemIndex::open(store, &scope).unwrap();
    let mut model: HashMap<ItemKey, Vec<RecordPlace>> = HashMap::new();
    let mut numbers = numbers.iter().cycle();
    let mut places =
        (1..).flat_map(|batch| (0..BATCH_ITEMS as u32).map(move |place| RecordPlace { batch, place }));
    for size in sizes {
        let mut entries = Vec::new();
        for place in places.by_ref().take(*size) {
            let key = key(*numbers.next().unwrap());
            model.entry(key).or_default().push(place);
            entries.push(IndexEntry::new(&key, place));
        }
        index.insert(store, &mut scope, entries).unwrap();
        assert!(index.is_current(&scope));
    }
    let asked: Vec<ItemKey> = model.keys().copied().chain((1_000_000..1_000_200).map(key)).collect();
    let expected: Vec<_> = asked.iter().map(|key| model.get(key).cloned().unwrap_or_default()).collect();
    assert_eq!(index.find(store, &asked).unwrap(), expected);
    let mut reopened = ItemIndex::open(store, &scope).unwrap();
    assert_eq!(reopened.find(store, &asked).unwrap(), expected);
    let mut count = 0;
    reopened
        .examine(store, &mut |_| {
            count += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(count, sizes.iter().sum::<usize>());
    assert!(reopened.nodes.values().all(|known| known.len() <= MOST_MERGED));
    drop(transaction);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_put_in_is_found_and_nothing_else(
        sizes in proptest::collection::vec(
            prop_oneof![12 => 1usize..12, 4 => 900usize..1_001, 1 => 5_000usize..20_000],
            1..60,
        ),
        numbers in proptest::collection::vec(0u32..20_000, 1..400),
    ) {
        compare_with_a_map(&Home::in_memory(), &sizes, &numbers);
    }
}

#[test]
fn nodes_are_cut_as_they_fill() {
    let numbers: Vec<u32> = (0..90_000).collect();
    for home in [Home::in_file(), Home::in_memory()] {
        compare_with_a_map(&home, &[1_000; 90], &numbers);
    }
}

/// What several batches were granted is put in at once.
#[test]
fn many_entries_at_once_go_where_they_belong() {
    let numbers: Vec<u32> = (0..400_000).collect();
    compare_with_a_map(
        &Home::in_memory(),
        &[1_000, 80_000, 1_000, 80_000, 80_000, 7_000, 80_000, 1_000],
        &numbers,
    );
    // All of one key, which is never cut.
    compare_with_a_map(&Home::in_memory(), &[20_000; 3], &[7]);
}

#[test]
fn an_id_gets_one_credential_wherever_it_stands() {
    for home in [Home::in_file(), Home::in_memory()] {
        let drafts: Vec<Draft> = (0..5).map(|number| item(number, 7)).collect();
        let entries = |order: &[usize]| -> Vec<Entry<'_>> {
            (0..).zip(order).map(|(position, at)| Entry { position, draft: &drafts[*at] }).collect()
        };
        let first = home.open().record(&keyed("k"), &entries(&[0, 1, 2])).unwrap();
        let again = home.open().record(&keyed("k"), &entries(&[4, 2, 0, 3, 1, 3])).unwrap();
        let ids = |answers: &[Result<crate::credential::Grant, Conflict>]| -> Vec<_> {
            answers
                .iter()
                .map(|answer| answer.as_ref().map(|grant| (grant.id, grant.replayed)).unwrap())
                .collect()
        };
        let (first, again) = (ids(&first), ids(&again));
        assert_eq!(again[2], (first[0].0, true));
        assert_eq!(again[4], (first[1].0, true));
        assert_eq!(again[1], (first[2].0, true));
        assert!(!again[0].1 && !again[3].1);
        assert_eq!(again[5], (again[3].0, true), "the same id twice in a batch");

        let changed = item(1, 8);
        let conflict = home.open().record(&keyed("k"), &[Entry { position: 9, draft: &changed }]).unwrap();
        assert_eq!(conflict[0].as_ref().unwrap_err(), &Conflict::Changed { id: first[1].0, item: 1 });
        let elsewhere =
            home.open().record(&keyed("other"), &[Entry { position: 0, draft: &changed }]).unwrap();
        assert!(!elsewhere[0].as_ref().unwrap().replayed);

        let by_place = RunDescription { rule: IdRule::Position, ..keyed("k") };
        let refused = home.open().record(&by_place, &entries(&[0])).unwrap_err();
        assert!(matches!(refused, LedgerError::OtherTerms { .. }), "{refused}");
        let found = Examination::of_store(&*home.open().store, true).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
    }
}

/// What a transaction wrote that was not committed is not believed afterwards.
#[test]
fn a_failed_transaction_leaves_nothing_behind() {
    let home = Home::in_memory();
    let mut ledger = home.open();
    let one = item(1, 1);
    ledger.record(&keyed("k"), &[Entry { position: 0, draft: &one }]).unwrap();
    let expired = Draft { expires_at: crate::clock::UnixTime::from_seconds(1).unwrap(), ..item(2, 1) };
    ledger.clock_behind = crate::clock::UnixTime::from_seconds(1_900_000_000);
    let refused = ledger.record(&keyed("k"), &[Entry { position: 1, draft: &expired }]).unwrap_err();
    assert!(matches!(refused, LedgerError::Expired { .. }), "{refused}");
    ledger.clock_behind = None;
    let two = item(2, 1);
    let answers = ledger.record(&keyed("k"), &[Entry { position: 1, draft: &two }]).unwrap();
    assert!(!answers[0].as_ref().unwrap().replayed);
    assert_eq!(Examination::of_store(&*ledger.store, true).unwrap().problems, Vec::<String>::new());
}
