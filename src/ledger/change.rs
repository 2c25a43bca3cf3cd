//! What becomes of credentials after they were issued: revocation, suspension, reinstatement.
//!
//! ```text
//!            suspend                revoke
//!   active ──────────▶ suspended ──────────▶ revoked
//!      ▲                   │                    ▲
//!      └─── reinstate ─────┘                    │
//!      └──────────────── revoke ────────────────┘
//! ```
//!
//! Revocation is permanent. A change to the status that a credential already has is no failure, so that
//! a script can be run again: nothing is written, no event is appended, and the credential keeps the
//! date and the reason that it had. A change that leads out of `revoked` is refused.
//!
//! | now | revoke | suspend | reinstate |
//! | --- | --- | --- | --- |
//! | active | changed | changed | unchanged |
//! | suspended | changed | unchanged | changed |
//! | revoked | unchanged | refused | refused |
//!
//! The table `statuses` has a row for each credential that is not active. A change of it and the event
//! that records it are one transaction; so are all changes that one call of [`Ledger::change`] makes.
//! What it returns is durable.

use std::collections::HashMap;

use uuid::Uuid;

use super::batches::StoredBatch;
use super::events::EventKind;
use super::record::{self, RecordPlace};
use super::seal::Writing;
use super::store::{Store, Stored};
use super::{Ledger, LedgerError, events, lists, statuses};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};

/// A change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Permanently.
    Revoke,
    /// Until it is reinstated.
    Suspend,
    /// Ends a suspension.
    Reinstate,
}

impl Change {
    /// The status that it leads to.
    pub fn leads_to(self) -> Status {
        match self {
            Change::Revoke => Status::Revoked,
            Change::Suspend => Status::Suspended,
            Change::Reinstate => Status::Active,
        }
    }

    /// The event that records it.
    pub(super) fn event(self) -> EventKind {
        match self {
            Change::Revoke => EventKind::Revoked,
            Change::Suspend => EventKind::Suspended,
            Change::Reinstate => EventKind::Reinstated,
        }
    }
}

/// Why a credential's status cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    /// The ledger has no such credential.
    #[error("the ledger has no credential with this id")]
    Unknown,
    /// Revocation is permanent.
    #[error("already revoked; revocation is permanent")]
    Revoked,
}

/// A credential that has the wanted status now, or would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The credential.
    pub id: Uuid,
    /// What it is now.
    pub current: CredentialStatus,
    /// Whether it had that status before, so that nothing was changed.
    pub unchanged: bool,
}

/// What is to be done to credentials.
#[derive(Debug, Clone, Copy)]
pub struct ChangeOrder<'o> {
    /// The change.
    pub change: Change,
    /// Why.
    pub reason: Option<&'o str>,
    /// When.
    pub at: UnixTime,
    /// The run that does it by itself; none where somebody asks for it.
    pub cause: Option<&'o str>,
}

impl ChangeOrder<'_> {
    /// What it gives a credential whose status it changes.
    pub(super) fn outcome(&self) -> CredentialStatus {
        match self.change.leads_to() {
            Status::Active => CredentialStatus::default(),
            status => CredentialStatus {
                status,
                since: Some(self.at),
                reason: self.reason.map(str::to_owned),
                cause: self.cause.map(str::to_owned),
            },
        }
    }
}

/// The credentials that a dry run would have changed so far: a bit for each of a batch, so that a
/// million of them take 200 kB. A process serves one order, which gives them all the same status.
#[derive(Debug, Default)]
pub(super) struct Previewed(HashMap<i64, Vec<u64>>);

impl Previewed {
    fn add(&mut self, place: RecordPlace) {
        let (word, bit) = (place.place as usize / 64, place.place % 64);
        let words = self.0.entry(place.batch).or_default();
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        words[word] |= 1 << bit;
    }

    fn has(&self, place: RecordPlace) -> bool {
        let (word, bit) = (place.place as usize / 64, place.place % 64);
        self.0.get(&place.batch).and_then(|words| words.get(word)).is_some_and(|bits| bits >> bit & 1 == 1)
    }
}

/// Rows of a batch that were read before: credentials of one batch are mostly asked for together.
#[derive(Debug, Default)]
pub(super) struct Recent {
    millis: Option<u64>,
    batches: Vec<(i64, Vec<u8>)>,
}

impl Ledger {
    /// Changes the status of these credentials, all in one transaction; those that cannot be
    /// changed stay as they are. When this returns, the changes are on the disk.
    ///
    /// # Errors
    /// Where the ledger cannot be written. Then nothing is changed.
    pub fn change(
        &mut self,
        order: ChangeOrder<'_>,
        ids: &[Uuid],
    ) -> Result<Vec<Result<Changed, ChangeRefusal>>, LedgerError> {
        let fail = |source| LedgerError::store("write", &self.path, source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        let store = writing.store;
        if !self.statuses_are_whole {
            statuses::must_be_whole(store).map_err(fail)?;
            self.statuses_are_whole = true;
        }
        let before = store.count_statuses().map_err(fail)?;
        let mut recent = Recent::default();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(change_one(store, order, *id, &mut recent).map_err(fail)?);
        }
        if !answers.iter().any(|answer| answer.as_ref().is_ok_and(|changed| !changed.unchanged)) {
            return Ok(answers);
        }
        writing.done.added.statuses = store.count_statuses().map_err(fail)? - before;
        writing.commit(fail)?;
        Ok(answers)
    }

    /// What [`Ledger::change`] would say. Writes nothing. Takes into account what it said before, until
    /// [`Ledger::forget_previews`].
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn preview_change(
        &mut self,
        order: ChangeOrder<'_>,
        ids: &[Uuid],
    ) -> Result<Vec<Result<Changed, ChangeRefusal>>, LedgerError> {
        let mut recent = Recent::default();
        let mut previewed = std::mem::take(&mut self.previewed);
        let answers = ids
            .iter()
            .map(|id| preview_one(&*self.store, order, *id, &mut recent, &mut previewed))
            .collect::<Stored<_>>();
        self.previewed = previewed;
        answers.map_err(|source| self.cannot("read", source))
    }

    /// Forgets what [`Ledger::preview_change`] said.
    pub fn forget_previews(&mut self) {
        self.previewed = Previewed::default();
    }
}

fn change_one(
    store: &dyn Store,
    order: ChangeOrder<'_>,
    id: Uuid,
    recent: &mut Recent,
) -> Stored<Result<Changed, ChangeRefusal>> {
    let Some(place) = locate(store, id, recent)? else {
        return Ok(Err(ChangeRefusal::Unknown));
    };
    let current = match decide(order, statuses::of(store, place)?) {
        Ok((current, false)) => current,
        Ok((current, unchanged)) => return Ok(Ok(Changed { id, current, unchanged })),
        Err(refusal) => return Ok(Err(refusal)),
    };
    apply(store, order, place, &current)?;
    Ok(Ok(Changed { id, current, unchanged: false }))
}

/// Gives a credential the status that an order leads to, and appends the event of that.
pub(super) fn apply(
    store: &dyn Store,
    order: ChangeOrder<'_>,
    place: RecordPlace,
    current: &CredentialStatus,
) -> Stored<()> {
    statuses::write(store, place, current)?;
    if order.change == Change::Suspend {
        lists::begin_suspension(store, StoredBatch::of(store, place.batch)?.slots.list)?;
    }
    events::append_change(store, order, place)
}

fn preview_one(
    store: &dyn Store,
    order: ChangeOrder<'_>,
    id: Uuid,
    recent: &mut Recent,
    previewed: &mut Previewed,
) -> Stored<Result<Changed, ChangeRefusal>> {
    let Some(place) = locate(store, id, recent)? else { return Ok(Err(ChangeRefusal::Unknown)) };
    let now = match previewed.has(place) {
        true => order.outcome(),
        false => statuses::of(store, place)?,
    };
    Ok(decide(order, now).map(|(current, unchanged)| {
        if !unchanged {
            previewed.add(place);
        }
        Changed { id, current, unchanged }
    }))
}

/// The rule of the module's page: what the credential's status is afterwards, and whether it is what it was.
fn decide(order: ChangeOrder<'_>, now: CredentialStatus) -> Result<(CredentialStatus, bool), ChangeRefusal> {
    match (order.change, now.status) {
        (change, status) if change.leads_to() == status => Ok((now, true)),
        (_, Status::Revoked) => Err(ChangeRefusal::Revoked),
        _ => Ok((order.outcome(), false)),
    }
}

/// Where a credential's record stands. All ids of a batch hold its millisecond.
pub(super) fn locate(store: &dyn Store, id: Uuid, recent: &mut Recent) -> Stored<Option<RecordPlace>> {
    let Some(millis) = record::millis_of(id) else { return Ok(None) };
    if recent.millis != Some(millis) {
        let batches = store.batches_of_millis(millis as i64)?.into_iter().map(StoredBatch::read);
        recent.batches =
            batches.map(|batch| batch.map(|batch| (batch.number, batch.records))).collect::<Stored<_>>()?;
        recent.millis = Some(millis);
    }
    for (batch, records) in &recent.batches {
        if let Some(place) = record::find(records, id, millis) {
            return Ok(Some(RecordPlace { batch: *batch, place }));
        }
    }
    Ok(None)
}

/// Where the credential of this id stands.
pub(super) fn place_of(store: &dyn Store, id: Uuid) -> Stored<Option<RecordPlace>> {
    locate(store, id, &mut Recent::default())
}
