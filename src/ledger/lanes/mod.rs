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
//! 2. **Entered.** Whoever next holds the ledger's lock enters the grants into the ledger: batches, events, the index of
//!    items. Every change and every look begins with that, so nobody sees a ledger that lacks what was delivered.
//!
//! The first batch of a run is recorded under the lock: that makes the run's rows, and looks for earlier uses of its
//! name. So is every batch of which something may have been issued before.
//!
//! # What keeps what
//!
//! - *A slot is given once*: a lane's row is locked while it moves on. Beside that, every range of slots that was ever
//!   given has a row that must begin where another one of its list ends, and no two begin or end at one place: overlaps
//!   are excluded by the store's own constraints.
//! - *An item is issued once under a key*: each item of a run that may be repeated leaves a *guard*, a key that exists
//!   once. Where one is there already, the whole statement is taken back, and the batch is recorded under the lock.
//! - *A lost answer is no second grant*: each grant has a number of its own, the ticket. Who does not know whether a
//!   statement was carried out asks for it, or sends it again, which cannot succeed twice.
//! - *What was granted is what is entered*: a lane seals each grant with the one before (SHA-256 over the seal before, the
//!   slots, and the hash of the records). A grant that is missing or changed leads to another seal than the lane's.
//!
//! [`Access::Write`]: super::store::Access::Write

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::batches::{Slots, StoredBatch};
use super::checksum::contradiction;
use super::closings::{self, ClosingReason, Restoration};
use super::identity::{FileId, Identity};
use super::issue::{Answer, Entry, Indexed, Issued, by_kind};
use super::items::{self, IndexEntry};
use super::record::{self, RecordPlace};
use super::retry::Retry;
use super::rows::ListRow;
use super::scopes::Scope;
use super::seal::{self, Counts, Done, Seal, Writing};
use super::store::{Access, ServerError, ServerFault, Store, StoreError, Stored, Transaction};
use super::terms::RunDescription;
use super::{Ledger, LedgerError, corrupt, events, lists, random};
use crate::clock::UnixTime;
use crate::request::{ItemId, ItemKey};

/// So many bytes of grants are entered in one transaction, which bounds what it takes.
const ENTERED_AT_ONCE: u64 = 8 << 20;

/// The guard of a run whose items have all had guards since it began.
const BEGUN_HERE: ItemKey = [0; 16];

/// The hash that seals something.
pub(super) type Hash = [u8; 32];

pub(super) use body::GrantedBatch;

/// How several machines write to a store at once.
pub(super) trait Lanes {
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
    /// Notes up to where a lane is entered, and forgets these grants of it.
    fn note_entered(&self, list: i64, seal: Hash, tickets: &[Uuid]) -> Stored<()>;
    /// Leaves guards. The fault is [`ServerFault::Taken`] where one is there already.
    fn insert_guards(&self, of: Uuid, keys: &[ItemKey]) -> Stored<()>;
    /// Whether there is this guard.
    fn has_guard(&self, of: Uuid, key: &ItemKey) -> Stored<bool>;
    /// How long whatever may pass is waited for.
    fn wait(&self) -> std::time::Duration;
}

/// What a process has learnt of a ledger holds as long as this does: it is the same ledger, on the same server, and its
/// lists were not closed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) id: [u8; 16],
    pub(super) home: FileId,
    pub(super) closings: i64,
}

impl Generation {
    /// The present one, within a transaction.
    pub(super) fn read(store: &dyn Store) -> Stored<Generation> {
        let Identity { id, home, .. } = Identity::read(store)?;
        Ok(Generation { id, home, closings: Seal::read(store)?.counts.closings })
    }
}

/// What is to be granted.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only a shared store looks into it"))]
pub(super) struct Order<'o> {
    /// The number of the grant.
    pub(super) ticket: Uuid,
    /// Nothing is granted by another one.
    pub(super) generation: Generation,
    pub(super) issuer: &'o str,
    pub(super) base: &'o str,
    /// How many slots it takes.
    pub(super) count: u32,
    /// What is kept, and its hash.
    pub(super) body: Vec<u8>,
    pub(super) digest: Hash,
    /// The guards that it leaves.
    pub(super) guards: Option<(Uuid, Vec<ItemKey>)>,
}

/// Whether to wait for a lane that others hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Wait,
    GoOn,
}

/// What comes of an order.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only a shared store makes it"))]
pub(super) enum Granted {
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
pub(super) struct GrantedSlots {
    /// The lane's list, as it is.
    pub(super) list: ListRow,
    pub(super) first: u32,
    /// The lane's seal before and after; none where that was not learnt with the answer.
    pub(super) seals: Option<(Hash, Hash)>,
}

/// A grant that was not entered yet, with what its lane says at the same moment.
pub(super) struct PendingRow {
    /// How many there are in all.
    pub(super) of: u64,
    pub(super) ticket: Uuid,
    pub(super) list: i64,
    pub(super) first: u32,
    pub(super) end: u32,
    pub(super) body: Vec<u8>,
    /// The lane's seal up to what was entered.
    pub(super) entered: Hash,
    /// Up to where the lane has given, and its seal.
    pub(super) given: u32,
    pub(super) seal: Hash,
}

/// The seal of a lane after these slots.
pub(super) fn seal_after(before: &Hash, first: u32, count: u32, digest: &Hash) -> Hash {
    let mut hash = Sha256::new_with_prefix(before);
    hash.update(u64::from(first).to_be_bytes());
    hash.update(u64::from(count).to_be_bytes());
    hash.update(digest);
    hash.finalize().into()
}

/// How this process uses lanes in its run.
#[derive(Debug, Default)]
pub(super) struct LaneUse {
    /// Whether each item of the run left a guard.
    is_guarded: bool,
    /// Whether the last batch had something that was issued before: the next one likely has, too.
    meets_known: bool,
}

impl LaneUse {
    /// Notes how a batch went that was recorded under the lock.
    pub(super) fn note(&mut self, is_guarded: bool, meets_known: bool) {
        (self.is_guarded, self.meets_known) = (is_guarded, meets_known);
    }
}

impl Ledger {
    /// Records batches on a lane; `None` where they have to be recorded under the ledger's lock.
    pub(super) fn record_on_lane(
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
        let order = order_of(run, generation, &issued, guards).map_err(fail)?;
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
        self.is_opened
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
                    match self.open_lane(&run.terms.issuer, order.base) {
                        Err(error) if retry.is_worth_it(&*self.store, &error) => {}
                        outcome => outcome?,
                    }
                    patience = Patience::GoOn;
                }
            }
        }
    }

    /// Opens a lane, unless others have opened as many as there may be.
    fn open_lane(&mut self, issuer: &str, base: &str) -> Result<(), LedgerError> {
        let fail = |source| self.cannot("write", source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        let lanes = writing.store.lanes().ok_or_else(corrupt).map_err(fail)?;
        if lanes.open_lanes(issuer, base).map_err(fail)? >= lanes.most() {
            return Ok(());
        }
        let list = lists::add_list(writing.store, issuer, base).map_err(fail)?;
        let seal = random().map_err(fail)?;
        lanes.insert_lane(list, issuer, base, seal).map_err(fail)?;
        writing.done.added.lists += 1;
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
pub(super) fn leave_guards(
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

/// Enters what was granted, each part of it in a transaction of its own. Where the ledger is on another server than it
/// was, its open lists are closed in the first of them: another server may not know all that was given from them.
///
/// # Errors
/// Those of the store.
pub(super) fn look_after(
    store: &dyn Store,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<Option<Restoration>, LedgerError> {
    let Some(lanes) = store.lanes() else { return Ok(None) };
    let mut restored = None;
    loop {
        let transaction = Transaction::begin(store, Access::Write).map_err(&fail)?;
        let reached = seal::state(store).map_err(&fail)?;
        let mut done = Done::adding(reached, Counts::default());
        let closed = settle(store, lanes).map_err(&fail)?;
        let is_settled = closed.is_none();
        if closed.is_some() {
            done = Done::closing(reached);
            restored = closed;
        }
        let Entered { grants, bytes, is_all } = enter(store).map_err(&fail)?;
        if is_settled && grants == 0 {
            return Ok(restored);
        }
        done.bytes = bytes;
        seal::commit(store, transaction, done, &fail)?;
        if is_all {
            return Ok(restored);
        }
    }
}

/// Enters all that was granted before the lanes were closed, within the transaction that has closed them: nothing more
/// is granted then. How many bytes of records there were.
pub(super) fn enter_the_rest(store: &dyn Store) -> Stored<u64> {
    let mut bytes = 0;
    loop {
        let entered = enter(store)?;
        bytes += entered.bytes;
        if entered.is_all {
            return Ok(bytes);
        }
    }
}

/// Closes the open lists of a ledger that is on another server than it was, and notes where it is.
fn settle(store: &dyn Store, lanes: &dyn Lanes) -> Stored<Option<Restoration>> {
    let home = lanes.home()?;
    let mut identity = Identity::read(store)?;
    if identity.home == home {
        return Ok(None);
    }
    let restoration = closings::close_lists(store, vec![ClosingReason::FailedOver])?;
    identity.move_to(store, Some(home))?;
    Ok(Some(restoration))
}

/// Refuses to go on in a transaction on another server than the ledger was last looked after on.
pub(super) fn must_be_at(store: &dyn Store, home: FileId) -> Stored<()> {
    match store.lanes() {
        Some(lanes) if lanes.home()? != home => Err(StoreError::Server(ServerError {
            fault: ServerFault::FailedOver,
            said: "the ledger was written on another timeline".to_owned(),
            constraint: None,
        })),
        _ => Ok(()),
    }
}

/// What was entered in one go.
struct Entered {
    grants: u64,
    /// How many bytes of records.
    bytes: u64,
    /// Whether there was nothing more.
    is_all: bool,
}

/// Enters grants, within a transaction that writes: as much as one transaction takes.
fn enter(store: &dyn Store) -> Stored<Entered> {
    let Some(lanes) = store.lanes() else { return Ok(Entered { grants: 0, bytes: 0, is_all: true }) };
    let pending = lanes.pending(ENTERED_AT_ONCE)?;
    let grants = pending.len() as u64;
    let is_all = pending.first().is_none_or(|first| first.of == grants);
    let mut indices: BTreeMap<i64, Indexed> = BTreeMap::new();
    let mut bytes = 0;
    for of_lane in pending.chunk_by(|one, other| one.list == other.list) {
        let last = &of_lane[of_lane.len() - 1];
        let mut list = lists::of(store, last.list)?;
        let mut seal = of_lane[0].entered;
        for grant in of_lane {
            if grant.first != list.taken || grant.end <= grant.first {
                return Err(missing(grant.list, list.taken));
            }
            seal =
                seal_after(&seal, grant.first, grant.end - grant.first, &Sha256::digest(&grant.body).into());
            enter_one(store, grant, &mut indices)?;
            list.taken = grant.end;
            bytes += grant.body.len() as u64;
        }
        let is_whole = (last.given, last.seal) == (list.taken, seal);
        if !is_whole && is_all {
            return Err(missing(list.list, list.taken));
        }
        let number = list.list;
        store.update_list(&list.sealed())?;
        let tickets: Vec<Uuid> = of_lane.iter().map(|grant| grant.ticket).collect();
        lanes.note_entered(number, seal, &tickets)?;
    }
    Ok(Entered { grants, bytes, is_all })
}

fn missing(list: i64, slot: u32) -> StoreError {
    contradiction(format!(
        "table `pending`: a grant of list {list} is missing or changed, from slot {slot} on"
    ))
}

/// Enters the batches of a grant.
fn enter_one(store: &dyn Store, grant: &PendingRow, indices: &mut BTreeMap<i64, Indexed>) -> Stored<()> {
    let mut first = grant.first;
    for batch in body::read(&grant.body)? {
        let count = record::count(&batch.records);
        let slots = Slots { list: grant.list, first };
        first += count;
        let records: Option<Vec<_>> = record::unpack(&batch.records).collect();
        let attestation = batch.attestation_type.as_deref();
        let stored =
            StoredBatch::new(batch.run, slots, batch.millis, &records.ok_or_else(corrupt)?, attestation);
        let number = stored.insert(store)?;
        let entries = batch
            .keys
            .iter()
            .map(|&(place, key)| IndexEntry::new(&key, RecordPlace { batch: number, place }));
        let entries: Vec<IndexEntry> = entries.collect();
        let scope = batch.scope.filter(|_| !entries.is_empty());
        let sum = scope.map(|scope| items::sum_of(scope, &entries));
        let at = UnixTime::from_seconds(batch.at).ok_or_else(corrupt)?;
        events::append_issued(store, number, at, sum)?;
        if let Some(scope) = scope {
            let Indexed { scope, index } = match indices.entry(scope) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let scope = Scope::of_number(store, scope)?;
                    new.insert(Indexed::reopen(store, scope, None)?)
                }
            };
            index.insert(store, scope, entries)?;
        }
    }
    match first == grant.end {
        true => Ok(()),
        false => Err(missing(grant.list, first)),
    }
}

/// What a grant keeps of its batches, packed: numbers of eight bytes, the least first, and what has a length behind it.
mod body {
    use crate::ledger::corrupt;
    use crate::ledger::issue::Issued;
    use crate::ledger::store::Stored;
    use crate::request::ItemKey;

    /// The form, which stands first.
    const FORM: u64 = 1;

    /// A batch that was granted.
    pub(in crate::ledger) struct GrantedBatch {
        pub(in crate::ledger) run: i64,
        /// The scope within which items are known by these keys, by their places.
        pub(in crate::ledger) scope: Option<i64>,
        pub(in crate::ledger) keys: Vec<(u32, ItemKey)>,
        pub(in crate::ledger) millis: u64,
        /// When it was granted, in seconds.
        pub(in crate::ledger) at: i64,
        pub(in crate::ledger) attestation_type: Option<String>,
        pub(in crate::ledger) records: Vec<u8>,
    }

    pub(super) fn of(issued: &[Issued<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, FORM);
        for batch in issued.iter().flat_map(Issued::granted) {
            put(&mut bytes, batch.run.cast_unsigned());
            put(&mut bytes, batch.scope.unwrap_or_default().cast_unsigned());
            put(&mut bytes, batch.millis);
            put(&mut bytes, batch.at.cast_unsigned());
            put_bytes(&mut bytes, batch.attestation_type.as_deref().unwrap_or_default().as_bytes());
            put(&mut bytes, batch.keys.len() as u64);
            for (place, key) in &batch.keys {
                put(&mut bytes, u64::from(*place));
                bytes.extend_from_slice(key);
            }
            put_bytes(&mut bytes, &batch.records);
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Stored<Vec<GrantedBatch>> {
        let mut rest = bytes;
        let mut batches = Vec::new();
        if take(&mut rest)? != FORM {
            return Err(corrupt());
        }
        while !rest.is_empty() {
            let run = take(&mut rest)?.cast_signed();
            let scope = Some(take(&mut rest)?.cast_signed()).filter(|scope| *scope != 0);
            let (millis, at) = (take(&mut rest)?, take(&mut rest)?.cast_signed());
            let attestation_type =
                String::from_utf8(take_bytes(&mut rest)?.to_vec()).map_err(|_| corrupt())?;
            let count = take(&mut rest)?;
            let mut keys = Vec::new();
            for _ in 0..count {
                let place = u32::try_from(take(&mut rest)?).map_err(|_| corrupt())?;
                let (key, after) = rest.split_first_chunk::<16>().ok_or_else(corrupt)?;
                rest = after;
                keys.push((place, *key));
            }
            let records = take_bytes(&mut rest)?.to_vec();
            let attestation_type = Some(attestation_type).filter(|text| !text.is_empty());
            batches.push(GrantedBatch { run, scope, keys, millis, at, attestation_type, records });
        }
        Ok(batches)
    }

    fn put(bytes: &mut Vec<u8>, number: u64) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn put_bytes(bytes: &mut Vec<u8>, long: &[u8]) {
        put(bytes, long.len() as u64);
        bytes.extend_from_slice(long);
    }

    fn take(rest: &mut &[u8]) -> Stored<u64> {
        let (number, after) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
        *rest = after;
        Ok(u64::from_le_bytes(*number))
    }

    fn take_bytes<'b>(rest: &mut &'b [u8]) -> Stored<&'b [u8]> {
        let length = usize::try_from(take(rest)?).map_err(|_| corrupt())?;
        let (long, after) = rest.split_at_checked(length).ok_or_else(corrupt)?;
        *rest = after;
        Ok(long)
    }
}
