//! Recording by several machines at once.
//!
//! A store that many machines share ([`Lanes`]) has a lock that whoever changes the ledger holds ([`Access::Write`]), as
//! a file has. Issuing would wait for it most of the time. So issuing goes by *lanes*: open status lists from which
//! slots are given without that lock.
//!
//! # What happens when
//!
//! 1. **Granted.** One statement takes a lane that nobody holds, moves it on by as many slots as there are credentials,
//!    and keeps their records as they are (a *grant*). It is one exchange with the server and one transaction: when it
//!    returns, the records are durable, and results may leave.
//! 2. **Entered.** Whoever next changes what was issued, or looks at it, takes the ledger's lock and enters the grants into
//!    the ledger: batches, events, the index of items. Every change and every look begins with that, so nobody sees a
//!    ledger that lacks what was delivered. Issuing leaves it to them, unless a run goes on under its key, or renews.
//!    So batches are numbered in the order in which they were entered, and the last event may be older than the last
//!    credential.
//!
//! The first batch of a run is recorded under the lock: that makes the run's rows, and looks for earlier uses of its
//! name. So is every batch of which something may have been issued before.
//!
//! A new lane takes several exchanges. So a process that has filled lanes opens several at once.
//!
//! # What keeps what
//!
//! - *A slot is given once*: a lane's row is locked while it moves on. Beside that, every range of slots that was ever
//!   given has a row that must begin where another one of its list ends, and no two begin or end at one place: overlaps
//!   are excluded by the store's own constraints.
//! - *An item is issued once under a key*: each item of a run that may be repeated leaves a *guard*, a key that exists
//!   once. If one exists, the whole statement is taken back, and the batch is recorded under the lock.
//! - *A lost answer is no second grant*: each grant has a number of its own, the ticket. Who does not know whether a
//!   statement was carried out asks for it, or sends it again, which cannot succeed twice.
//! - *What was granted is what is entered*: a lane seals each grant with the one before (SHA-256 over the seal before, the
//!   slots, and the hash of the records). A grant that is missing or changed leads to another seal than the lane's.
//!
//! [`Access::Write`]: super::store::Access::Write

mod body;
mod entering;

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(in crate::ledger) use self::body::GrantedBatch;
pub(in crate::ledger) use self::entering::{Grants, begin_to_write, enter_the_rest, look_after};
use super::allocation::{LIST_ENTRIES, ROLL_AT};
use super::batches::Slots;
use super::checksum::contradiction;
use super::identity::{FileId, Identity};
use super::issue::{Answer, Entry};
use super::issued::{Issued, by_kind};
use super::retry::Retry;
use super::rows::ListRow;
use super::seal::{Seal, Writing};
use super::store::{Store, Stored};
use super::terms::RunDescription;
use super::{Ledger, LedgerError, corrupt, lists, random};
use crate::request::{ItemId, ItemKey};

/// The guard of a run whose items have all had guards since it began.
const BEGUN_HERE: ItemKey = [0; 16];

/// So many credentials are granted at once at most: what is left of a list that gives its last.
pub(in crate::ledger) const MOST_GRANTED: usize = (LIST_ENTRIES - ROLL_AT) as usize;

/// So many lanes a process opens at once at most.
const OPENED_AT_ONCE: usize = 4;

/// The hash that seals something.
pub(in crate::ledger) type Hash = [u8; 32];

/// How several machines write to a store at once.
pub(in crate::ledger) trait Lanes {
    /// Which server keeps the store, and since which failover: what it was, or is now.
    fn home(&self) -> Stored<FileId>;
    /// How many lanes of one issuer and base URL there may be.
    fn most(&self) -> u32;
    /// Takes slots from a lane and keeps what is granted, durably, outside of a transaction.
    fn grant(&self, order: &Order<'_>, patience: Patience) -> Stored<Granted>;
    /// How many lanes of an issuer and base URL are open and not full.
    fn open_lanes(&self, issuer: &str, base: &str) -> Stored<u32>;
    /// Makes a list that was added just now a lane, with this seal.
    fn insert_lane(&self, list: i64, issuer: &str, base: &str, seal: Hash) -> Stored<()>;
    /// The grants that were not entered yet, in the order of their lists and slots: of about so many bytes, and one at
    /// least. Refuses where a lane has given slots and keeps no grant of them.
    fn pending(&self, bytes: u64) -> Stored<Vec<PendingRow>>;
    /// Notes that a lane is entered up to this slot, and forgets the grants before it.
    fn note_entered(&self, list: i64, seal: Hash, end: u32) -> Stored<()>;
    /// Leaves guards. If one exists, the fault is [`Taken`](super::store::ServerFault::Taken).
    fn insert_guards(&self, of: Uuid, keys: &[ItemKey]) -> Stored<()>;
    /// Whether there is this guard.
    fn has_guard(&self, of: Uuid, key: &ItemKey) -> Stored<bool>;
    /// How long whatever may pass is waited for.
    fn wait(&self) -> std::time::Duration;
}

/// What a process has learnt of a ledger holds as long as this does: it is the same ledger, on the same server, and its
/// lists were not closed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Generation {
    pub(in crate::ledger) id: [u8; 16],
    pub(in crate::ledger) home: FileId,
    pub(in crate::ledger) closings: i64,
}

impl Generation {
    /// The present one, within a transaction.
    pub(in crate::ledger) fn read(store: &dyn Store) -> Stored<Generation> {
        let Identity { id, home, .. } = Identity::read(store)?;
        Ok(Generation { id, home, closings: Seal::read(store)?.counts.closings })
    }
}

/// What is to be granted.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only a shared store looks into it"))]
pub(in crate::ledger) struct Order<'o> {
    /// The number of the grant.
    pub(in crate::ledger) ticket: Uuid,
    /// Nothing is granted by another one.
    pub(in crate::ledger) generation: Generation,
    pub(in crate::ledger) issuer: &'o str,
    pub(in crate::ledger) base: &'o str,
    /// Lanes that are taken first if they are free: this process has drawn the orders of these lists.
    pub(in crate::ledger) known: Vec<i64>,
    /// How many slots it takes.
    pub(in crate::ledger) count: u32,
    /// What is kept, and its hash.
    pub(in crate::ledger) body: Vec<u8>,
    pub(in crate::ledger) digest: Hash,
    /// The guards that it leaves.
    pub(in crate::ledger) guards: Option<(Uuid, Vec<ItemKey>)>,
}

/// Whether to wait for a lane that others hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Patience {
    Wait,
    GoOn,
}

/// What comes of an order.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only a shared store makes it"))]
pub(in crate::ledger) enum Granted {
    /// It is durable.
    Slots(Box<GrantedSlots>),
    /// A guard was there: something may have been issued before.
    Before,
    /// There is no lane that could be taken; so many are open.
    NoLane(u32),
    /// The ledger has to be looked after first: it is on another server than it was.
    Unsettled,
}

/// Slots of a lane.
pub(in crate::ledger) struct GrantedSlots {
    /// The lane's list, as it is.
    pub(in crate::ledger) list: ListRow,
    pub(in crate::ledger) first: u32,
    /// The lane's seal before and after; none where that was not learnt with the answer.
    pub(in crate::ledger) seals: Option<(Hash, Hash)>,
}

/// A grant that was not entered yet, with what its lane says at the same moment.
pub(in crate::ledger) struct PendingRow {
    /// How many there are in all.
    pub(in crate::ledger) of: u64,
    pub(in crate::ledger) list: i64,
    pub(in crate::ledger) first: u32,
    pub(in crate::ledger) end: u32,
    pub(in crate::ledger) body: Vec<u8>,
    /// The lane's seal up to what was entered.
    pub(in crate::ledger) entered: Hash,
    /// Up to where the lane has given, and its seal.
    pub(in crate::ledger) given: u32,
    pub(in crate::ledger) seal: Hash,
}

/// The seal of a lane after these slots.
pub(in crate::ledger) fn seal_after(before: &Hash, first: u32, count: u32, digest: &Hash) -> Hash {
    let mut hash = Sha256::new_with_prefix(before);
    hash.update(u64::from(first).to_be_bytes());
    hash.update(u64::from(count).to_be_bytes());
    hash.update(digest);
    hash.finalize().into()
}

/// How this process uses lanes in its run.
#[derive(Debug, Default)]
pub(in crate::ledger) struct LaneUse {
    /// Whether each item of the run left a guard.
    is_guarded: bool,
    /// Whether the last batch had something that was issued before: the next one likely has, too.
    meets_known: bool,
}

impl LaneUse {
    /// Notes how a batch went that was recorded under the lock.
    pub(in crate::ledger) fn note(&mut self, is_guarded: bool, meets_known: bool) {
        (self.is_guarded, self.meets_known) = (is_guarded, meets_known);
    }
}

impl Ledger {
    /// Enters what was granted, where it was left when the ledger was opened: something depends on it now.
    pub(in crate::ledger) fn enter_what_was_left(&mut self) -> Result<(), LedgerError> {
        if std::mem::take(&mut self.leaves_grants) {
            let fail = |source| LedgerError::store("write", &self.path, source);
            let restored = look_after(&*self.store, Grants::Enter, fail)?;
            self.note_restored(restored);
        }
        Ok(())
    }

    /// Records batches on a lane; `None` where they have to be recorded under the ledger's lock.
    pub(in crate::ledger) fn record_on_lane(
        &mut self,
        run: &RunDescription,
        pieces: &[&[Entry<'_>]],
    ) -> Result<Option<Vec<Vec<Answer>>>, LedgerError> {
        let fail = |source| LedgerError::store("write", &self.path, source);
        if self.store.lanes().is_none() || !self.may_take_a_lane(run, pieces) {
            return Ok(None);
        }
        for piece in pieces {
            self.refuse_expired(&piece.iter().collect::<Vec<_>>())?;
        }
        let Some(mut issued) = self.prepared(run, pieces).map_err(fail)? else { return Ok(None) };
        let guards =
            run.repeatable.then(|| (guarded_run(run), guards_of(self.hash_key, pieces.concat().iter())));
        let Some(generation) = self.generation else { return Ok(None) };
        let known = self.lists.numbers().collect();
        let order = order_of(run, generation, known, &issued, guards).map_err(fail)?;
        let Some(granted) = self.granted(run, &order)? else {
            self.lane_use.meets_known = true;
            return Ok(None);
        };
        let slots = Slots { list: granted.list.list, first: granted.first };
        self.lists.keep_granted(&granted.list, slots.first..slots.first + order.count);
        let mut first = slots.first;
        for issued in &mut issued {
            first = issued.place_at(Slots { first, ..slots });
        }
        let answers = pieces.iter().zip(&issued).map(|(entries, issued)| self.answers_for(entries, issued));
        Ok(Some(answers.collect()))
    }

    /// Whether nothing speaks against a lane before it is asked: the run was begun, and no item may have been issued
    /// before, or depends on another credential.
    fn may_take_a_lane(&self, run: &RunDescription, pieces: &[&[Entry<'_>]]) -> bool {
        let mut entries = pieces.iter().copied().flatten();
        let mut keys = HashSet::new();
        let count: usize = pieces.iter().map(|piece| piece.len()).sum();
        count <= MOST_GRANTED
            && self.is_opened
            && self.runs.is_some()
            && !self.has_displaced()
            && (!run.repeatable || self.lane_use.is_guarded && !self.lane_use.meets_known)
            && entries.all(|entry| {
                entry.draft.former.is_none()
                    && match entry.draft.id {
                        ItemId::Key(key) => keys.insert(key),
                        _ => true,
                    }
            })
    }

    /// The batches of each piece, which have no slots yet; `None` where a row for a type is missing.
    fn prepared<'d>(&self, run: &RunDescription, pieces: &[&[Entry<'d>]]) -> Stored<Option<Vec<Issued<'d>>>> {
        let scope = self.indexed.as_ref().map(|indexed| indexed.scope.number);
        let Some(runs) = &self.runs else { return Ok(None) };
        let mut prepared = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let entries: Vec<_> = piece.iter().collect();
            let mut of_piece = Vec::new();
            for (kind, entries) in by_kind(&entries) {
                let Some(number) = runs.known(kind.credential_type) else { return Ok(None) };
                of_piece.push((kind, number, entries));
            }
            prepared.push(Issued::prepare(of_piece, scope)?);
        }
        debug_assert!(run.repeatable || scope.is_none());
        Ok(Some(prepared))
    }

    /// The slots for an order; `None` where it has to be recorded under the lock.
    fn granted(
        &mut self,
        run: &RunDescription,
        order: &Order<'_>,
    ) -> Result<Option<GrantedSlots>, LedgerError> {
        let mut patience = Patience::GoOn;
        let mut retry = Retry::default();
        loop {
            let fail = |source| LedgerError::store("write", &self.path, source);
            let lanes = self.store.lanes().ok_or_else(corrupt).map_err(fail)?;
            match lanes.grant(order, patience).map_err(fail)? {
                Granted::Slots(granted) => {
                    granted.must_follow(order).map_err(fail)?;
                    return Ok(Some(*granted));
                }
                Granted::Before | Granted::Unsettled => return Ok(None),
                Granted::NoLane(open) if open >= lanes.most() => patience = Patience::Wait,
                Granted::NoLane(_) => {
                    match self.open_lanes(&run.terms.issuer, order.base) {
                        Err(error) if retry.is_worth_it(&*self.store, &error) => {}
                        outcome => outcome?,
                    }
                    patience = Patience::GoOn;
                }
            }
        }
    }

    /// Opens a lane, unless others have opened as many as there may be; or as many as this process has used lists, so that
    /// it does so less and less often.
    fn open_lanes(&mut self, issuer: &str, base: &str) -> Result<(), LedgerError> {
        let fail = |source| self.cannot("write", source);
        let mut writing = Writing::begin_with(&*self.store, &self.path, Grants::Leave, fail)?;
        let lanes = writing.store.lanes().ok_or_else(corrupt).map_err(fail)?;
        let room = lanes.most().saturating_sub(lanes.open_lanes(issuer, base).map_err(fail)?) as usize;
        let wanted = room.min(self.lists.numbers().len().clamp(1, OPENED_AT_ONCE));
        if wanted == 0 {
            return Ok(());
        }
        for _ in 0..wanted {
            let list = lists::add_list(writing.store, issuer, base).map_err(fail)?;
            let seal = random().map_err(fail)?;
            lanes.insert_lane(list, issuer, base, seal).map_err(fail)?;
            writing.done.added.lists += 1;
        }
        writing.commit(fail)
    }
}

impl GrantedSlots {
    /// Refuses slots that do not follow from the order.
    fn must_follow(&self, order: &Order<'_>) -> Stored<()> {
        self.list.must_be_sound()?;
        let is_own = (self.list.issuer.as_str(), self.list.base.as_str()) == (order.issuer, order.base);
        let follows = self.seals.is_none_or(|(before, after)| {
            after == seal_after(&before, self.first, order.count, &order.digest)
        });
        match is_own && follows {
            true => Ok(()),
            false => Err(contradiction(format!(
                "table `lanes`, list {}: another seal than follows",
                self.list.list
            ))),
        }
    }
}

/// The order for what was prepared.
fn order_of<'o>(
    run: &'o RunDescription,
    generation: Generation,
    known: Vec<i64>,
    issued: &[Issued<'_>],
    guards: Option<(Uuid, Vec<ItemKey>)>,
) -> Stored<Order<'o>> {
    let body = body::of(issued);
    let guards = guards.map(|(of, mut keys)| {
        keys.sort_unstable(); // whoever waits for another's guards waits in the same order
        (of, keys)
    });
    Ok(Order {
        ticket: uuid::Builder::from_random_bytes(random()?).into_uuid(),
        generation,
        issuer: &run.terms.issuer,
        base: run.status_base.as_deref().unwrap_or_default(),
        known,
        count: issued.iter().map(|issued| issued.count() as u32).sum(),
        digest: Sha256::digest(&body).into(),
        body,
        guards,
    })
}

/// What the guards of a run are kept under.
fn guarded_run(run: &RunDescription) -> Uuid {
    let digest = Sha256::digest(run.name.as_bytes());
    Uuid::from_bytes(std::array::from_fn(|at| digest[at]))
}

/// What items are guarded by: their ids, else their places.
fn guards_of<'e, 'd: 'e>(
    hash_key: [u8; 32],
    entries: impl IntoIterator<Item = &'e Entry<'d>>,
) -> Vec<ItemKey> {
    let key_of = |entry: &Entry<'_>| match entry.draft.id {
        ItemId::Key(key) => key,
        _ => {
            let mut hash = Sha256::new_with_prefix(hash_key);
            hash.update(b"position");
            hash.update(entry.position.to_le_bytes());
            let digest = hash.finalize();
            std::array::from_fn(|at| digest[at])
        }
    };
    entries.into_iter().map(key_of).collect()
}

/// Leaves the guards of items that are issued under the ledger's lock, and says whether all items of the run have left
/// theirs. One that began elsewhere has items without.
pub(in crate::ledger) fn leave_guards(
    store: &dyn Store,
    run: &RunDescription,
    (hash_key, is_new): ([u8; 32], bool),
    entries: &[&Entry<'_>],
) -> Stored<bool> {
    let Some(lanes) = store.lanes().filter(|_| run.repeatable) else { return Ok(false) };
    let of = guarded_run(run);
    let mut keys = guards_of(hash_key, entries.iter().copied());
    // A batch of which nothing is issued leaves no run behind.
    keys.extend((is_new && !entries.is_empty()).then_some(BEGUN_HERE));
    keys.sort_unstable();
    lanes.insert_guards(of, &keys)?;
    Ok(is_new && !entries.is_empty() || lanes.has_guard(of, &BEGUN_HERE)?)
}
