//! What is issued: batches of credentials of one kind each, from their ids to their rows.

use super::batches::{Slots, StoredBatch};
use super::issue::Entry;
use super::items::{self, IndexEntry};
use super::known::Known;
use super::lanes::GrantedBatch;
use super::record::{self, Record, RecordPlace};
use super::runs::RunNumbers;
use super::seal::Counts;
use super::store::{Store, Stored};
use super::terms::RunDescription;
use super::{events, fill, lists};
use crate::clock::{system_millis, system_now};
use crate::credential::CredentialStatus;
use crate::request::ItemKey;
use crate::types::CredentialType;

/// What all credentials of a batch have in common, beside the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind<'d> {
    pub(super) credential_type: &'static CredentialType,
    attestation_type: Option<&'d str>,
}

impl<'d> Kind<'d> {
    pub(super) fn of(entry: &Entry<'d>) -> Kind<'d> {
        let attestation_type = entry.draft.attestation_type.as_deref();
        Kind { credential_type: entry.draft.credential_type, attestation_type }
    }
}

/// For what credentials are issued.
#[derive(Clone, Copy)]
pub(super) struct Destination<'r> {
    pub(super) run: &'r RunDescription,
    /// The scope within which items are known by their ids.
    pub(super) scope: Option<i64>,
    /// What the first items of the run say.
    pub(super) opening: Option<i64>,
}

/// What was issued now: a batch of each kind.
pub(super) struct Issued<'d> {
    batches: Vec<(Kind<'d>, IssuedBatch)>,
}

impl<'d> Issued<'d> {
    pub(super) fn insert(
        store: &dyn Store,
        mut to: Destination<'_>,
        runs: &mut RunNumbers,
        entries: &[&Entry<'d>],
        added: &mut Counts,
    ) -> Stored<Issued<'d>> {
        let mut issued = Issued { batches: Vec::new() };
        for (kind, entries) in by_kind(entries) {
            let run_number = runs.of_type(kind.credential_type, store, to.run, to.scope, added)?;
            let mut batch = IssuedBatch::prepare(run_number, to.scope, &entries)?;
            batch.insert(store, to, kind, added)?;
            issued.batches.push((kind, batch));
            to.opening = None; // it stands with the first batch
        }
        Ok(issued)
    }

    /// Batches of these kinds, with the numbers of their runs, which have no slots yet.
    pub(super) fn prepare(
        of_kinds: Vec<(Kind<'d>, i64, Vec<&Entry<'d>>)>,
        scope: Option<i64>,
    ) -> Stored<Issued<'d>> {
        let prepare = |(kind, run_number, entries): (Kind<'d>, i64, Vec<&Entry<'d>>)| {
            Ok((kind, IssuedBatch::prepare(run_number, scope, &entries)?))
        };
        Ok(Issued { batches: of_kinds.into_iter().map(prepare).collect::<Stored<_>>()? })
    }

    /// Gives the batches slots from these on, one batch after the other; the slot after the last one.
    pub(super) fn place_at(&mut self, mut slots: Slots) -> u32 {
        for (_, batch) in &mut self.batches {
            batch.slots = slots;
            slots.first += batch.records.len() as u32;
        }
        slots.first
    }

    /// What a grant keeps of the batches.
    pub(super) fn granted(&self) -> impl Iterator<Item = GrantedBatch> {
        self.batches.iter().map(|(kind, batch)| GrantedBatch {
            run: batch.run,
            scope: batch.scope,
            keys: batch.keys.clone(),
            millis: batch.millis,
            at: system_now().seconds(),
            attestation_type: kind.attestation_type.map(str::to_owned),
            records: record::pack(&batch.records),
        })
    }

    /// The slots that were given.
    pub(super) fn slots(&self) -> impl Iterator<Item = (i64, std::ops::Range<u32>)> {
        self.batches.iter().map(|(_, batch)| batch.slots.from(0, batch.records.len() as u32))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.batches.iter().map(|(_, batch)| batch.records.len()).sum()
    }

    /// What an index has to have of them.
    pub(super) fn index_entries(&self) -> Vec<IndexEntry> {
        self.batches.iter().flat_map(|(_, batch)| batch.index_entries()).collect()
    }

    /// The credentials of each kind, in the order of their entries.
    pub(super) fn credentials(&self) -> Vec<(Kind<'d>, impl Iterator<Item = Known>)> {
        self.batches.iter().map(|(kind, batch)| (*kind, batch.credentials())).collect()
    }

    /// The credentials of these entries, which are those that were issued, in their order.
    pub(super) fn in_order(&self, entries: &[&Entry<'d>]) -> Vec<Known> {
        let mut given = self.credentials();
        let next = |entry: &&Entry<'d>| {
            let of_kind = given.iter_mut().find(|(kind, _)| *kind == Kind::of(entry));
            of_kind
                .and_then(|(_, credentials)| credentials.next())
                .expect("each entry is in a batch of its kind")
        };
        entries.iter().map(next).collect()
    }
}

/// A batch of credentials of one kind.
struct IssuedBatch {
    run: i64,
    /// The scope within which items are known by these keys, by their places.
    scope: Option<i64>,
    keys: Vec<(u32, ItemKey)>,
    millis: u64,
    records: Vec<Record>,
    /// Its number, once it is inserted.
    number: i64,
    slots: Slots,
}

impl IssuedBatch {
    /// A batch of these entries, which has no slots yet.
    fn prepare(run: i64, scope: Option<i64>, entries: &[&Entry<'_>]) -> Stored<IssuedBatch> {
        let records = (entries.iter().zip(random_tails(entries.len())?))
            .map(|(entry, id_tail)| Record {
                position: entry.position,
                id_tail,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                content_hash: entry.draft.content_hash,
                subject_hash: entry.draft.subject_hash,
                correlation_hash: entry.draft.correlation_hash,
                delegator_hash: entry.draft.delegator_hash,
            })
            .collect();
        let keys = (0..).zip(entries).filter_map(|(place, entry)| Some((place, entry.key()?))).collect();
        let slots = Slots { list: 0, first: 0 };
        Ok(IssuedBatch { run, scope, keys, millis: system_millis(), records, number: 0, slots })
    }

    /// Takes slots for it, and inserts it with its event.
    fn insert(
        &mut self,
        store: &dyn Store,
        to: Destination<'_>,
        kind: Kind<'_>,
        added: &mut Counts,
    ) -> Stored<()> {
        let base = to.run.status_base.as_deref().unwrap_or_default();
        let (slots, of_lists) =
            lists::take_slots(store, &to.run.terms.issuer, base, self.records.len() as u32)?;
        added.lists += of_lists.lists;
        self.slots = slots;
        let batch = StoredBatch::new(self.run, slots, self.millis, &self.records, kind.attestation_type);
        self.number = StoredBatch { opening: to.opening, ..batch }.insert(store)?;
        let entries = self.index_entries();
        let scope = self.scope.filter(|_| !entries.is_empty());
        let sum = scope.map(|scope| items::sum_of(scope, &entries));
        events::append_issued(store, self.number, system_now(), sum)
    }

    /// What an index has to have of it, once it is inserted.
    fn index_entries(&self) -> Vec<IndexEntry> {
        let place = |place| RecordPlace { batch: self.number, place };
        self.keys.iter().map(|(at, key)| IndexEntry::new(key, place(*at))).collect()
    }

    /// The credentials of the batch, in order.
    fn credentials(&self) -> impl Iterator<Item = Known> {
        (0..).zip(&self.records).map(|(place, record)| Known {
            id: record.id(self.millis),
            place: RecordPlace { batch: self.number, place },
            slots: self.slots,
            record: record.clone(),
            current: CredentialStatus::default(),
        })
    }
}

/// Entries of each kind, in their order. A batch is of one kind, and a row of a run is of one type.
pub(super) fn by_kind<'e, 'd>(entries: &[&'e Entry<'d>]) -> Vec<(Kind<'d>, Vec<&'e Entry<'d>>)> {
    let mut groups: Vec<(Kind<'d>, Vec<&Entry<'_>>)> = Vec::new();
    for &entry in entries {
        let kind = Kind::of(entry);
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, group)) => group.push(entry),
            None => groups.push((kind, vec![entry])),
        }
    }
    groups
}

/// The random parts of version 7 ids, drawn at once: one by one they would cost a hundred times
/// as much.
fn random_tails(count: usize) -> Stored<Vec<[u8; 10]>> {
    let mut bytes = vec![0; count * 10];
    fill(&mut bytes)?;
    let (tails, _) = bytes.as_chunks::<10>();
    Ok(tails.to_vec())
}
