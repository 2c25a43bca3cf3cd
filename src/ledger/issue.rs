//! Issuing into the ledger: who a credential is and where its status stands, recorded before it
//! is signed; and what was issued before under the same name.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::issued::{Destination, Issued, Kind};
use super::items::ItemIndex;
use super::known::{self, Known, KnownByPosition};
use super::lanes::{self, Generation, Grants};
use super::record;
use super::retry::Retry;
use super::runs::{self, RunNumbers};
use super::scopes::{Scope, ScopeKind};
use super::seal::{Counts, Writing};
use super::store::{Store, StoreError, Stored, in_one_snapshot};
use super::terms::RunDescription;
use super::{
    Difference, Disturbance, Duplicate, Duplicates, Ledger, LedgerError, corrupt, events, openings, renewal,
};
use crate::clock::{UnixTime, system_millis, system_now};
use crate::credential::{CredentialStatus, Grant};
use crate::request::{BATCH_ITEMS, ContentHash, Draft, IdRule, ItemId, ItemKey};

/// How many batches are recorded together at most, beside one for each worker: an exchange with a server 20 ms away takes
/// as long as two workers need for about six.
const TOGETHER: usize = 4;

/// Why an item is not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// An item of its id, or at its place, was issued with other content.
    #[error("issued before under this idempotency key as urn:uuid:{id} (item {item}), with other content")]
    Changed {
        /// The credential.
        id: Uuid,
        /// The item that it was issued for.
        item: u64,
    },
    /// It was issued at a place that now holds something else: rows were put in or taken out.
    #[error("issued before under this idempotency key as urn:uuid:{0}, at another place in the batch")]
    Moved(Uuid),
    /// The status of a credential of its id was changed since that was looked at.
    #[error("the status of urn:uuid:{0} was changed while this run was at work; run it again")]
    Restless(Uuid),
    /// What it renews is revoked or suspended.
    #[error(
        "the credential that it renews, urn:uuid:{id}, is {} since {}",
        current.status.as_str(),
        current.since.unwrap_or(UnixTime::FIRST)
    )]
    Former {
        /// The credential.
        id: Uuid,
        /// Its status.
        current: CredentialStatus,
    },
}

/// What the ledger says to each entry.
pub type Answer = Result<Grant, Conflict>;

/// A draft and its place in the run.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'d> {
    /// The item's index in the run.
    pub position: u64,
    /// What is to be issued.
    pub draft: &'d Draft,
}

impl Entry<'_> {
    pub(super) fn key(&self) -> Option<ItemKey> {
        match self.draft.id {
            ItemId::Key(key) => Some(key),
            _ => None,
        }
    }
}

/// A scope and its index, as they are in a transaction.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) scope: Scope,
    pub(super) index: ItemIndex,
}

impl Indexed {
    /// A scope as it is now. What was read of its index before is used again where nobody has added to that.
    pub(super) fn reopen(store: &dyn Store, scope: Scope, before: Option<Indexed>) -> Stored<Indexed> {
        let index = match before {
            Some(before) if before.index.is_current(&scope) => before.index,
            _ => ItemIndex::open(store, &scope)?,
        };
        Ok(Indexed { scope, index })
    }
}

impl Ledger {
    /// Whether the idempotency key was used before, under the same terms, and what its items are known by: as they were
    /// when it was first used, else as is asked for.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or other terms or another rule are asked for than those of the first use.
    pub fn use_of_key(
        &self,
        run: &RunDescription,
        asked: Option<IdRule>,
    ) -> Result<(bool, IdRule), LedgerError> {
        let (runs, scope) = in_one_snapshot(&*self.store, || {
            let runs = runs::of_name(&*self.store, run)?;
            Ok((runs, Scope::find(&*self.store, ScopeKind::Key, &run.name)?))
        })
        .map_err(|source| self.cannot("read", source))?;
        runs.iter().try_for_each(|found| found.must_be_under(run))?;
        let first = match (scope, runs.is_empty()) {
            (Some(scope), _) => scope.rule,
            (None, false) => IdRule::Position,
            (None, true) => return Ok((false, asked.unwrap_or(IdRule::CorrelationIdOrPosition))),
        };
        match asked {
            Some(asked) if asked != first => Err(other_rule(run, first, asked)),
            _ => Ok((!runs.is_empty(), first)),
        }
    }

    /// Gives each entry an id and an index, and records it; all or none. An entry that was issued
    /// before under the run's name gets what it got then.
    ///
    /// When this returns, the records are on the disk.
    ///
    /// # Errors
    /// Where the disk is full, the file cannot be written, or another process has held the ledger
    /// for longer than [`super::WAIT`]. Then nothing is recorded and nothing is given out.
    pub fn record(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Answer>, LedgerError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(answers) = self.record_on_lane(run, &[entries])? {
            return Ok(answers.into_iter().flatten().collect());
        }
        self.record_in_turn(run, entries)
    }

    /// As [`Ledger::record`], for several batches, which are recorded together where that saves something. Where one
    /// cannot be recorded, those before it are, and those after it are not.
    pub fn record_together(
        &mut self,
        run: &RunDescription,
        batches: &[&[Entry<'_>]],
    ) -> (Vec<Vec<Answer>>, Result<(), LedgerError>) {
        let mut answers = Vec::with_capacity(batches.len());
        let has_entries = batches.iter().any(|batch| !batch.is_empty());
        match if has_entries { self.record_on_lane(run, batches) } else { Ok(None) } {
            Ok(Some(answers)) => return (answers, Ok(())),
            Ok(None) => {}
            Err(error) => return (answers, Err(error)),
        }
        for batch in batches {
            match self.record(run, batch) {
                Ok(of_batch) => answers.push(of_batch),
                Err(error) => return (answers, Err(error)),
            }
        }
        (answers, Ok(()))
    }

    /// How many batches are worth recording together where so many workers make them: those that wait while an exchange
    /// with a server is under way.
    pub fn recorded_together(&self, workers: usize) -> usize {
        match self.store.lanes() {
            Some(_) => (workers + TOGETHER).min(lanes::MOST_GRANTED / BATCH_ITEMS as usize),
            None => 1,
        }
    }

    /// Records under the ledger's lock. What may pass is waited for.
    fn record_in_turn(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Answer>, LedgerError> {
        let mut retry = Retry::default();
        loop {
            match self.record_once(run, entries) {
                Err(error) if retry.is_worth_it(&*self.store, &error) => {}
                outcome => return outcome,
            }
        }
    }

    fn record_once(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Answer>, LedgerError> {
        let depends =
            run.repeatable && self.runs.is_some() || entries.iter().any(|entry| entry.draft.former.is_some());
        let grants = if depends { Grants::Enter } else { Grants::Leave };
        match self.record_after(grants, run, entries)? {
            Some(answers) => Ok(answers),
            None => {
                self.record_after(Grants::Enter, run, entries)?.ok_or_else(|| self.cannot("write", corrupt()))
            }
        }
    }

    /// Records under the ledger's lock; `None` where that depends on what was granted, which was left alone.
    fn record_after(
        &mut self,
        grants: Grants,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Option<Vec<Answer>>, LedgerError> {
        let fail = |source| LedgerError::store("write", &self.path, source);
        let mut writing = Writing::begin_with(&*self.store, &self.path, grants, fail)?;
        let store = writing.store;
        if store.lanes().is_some() {
            // What is known of another generation is forgotten: its numbers may mean something else by now.
            let generation = Generation::read(store).map_err(fail)?;
            if self.generation.is_some_and(|known| known.id != generation.id) {
                return Err(LedgerError::Changed {
                    path: self.path.clone(),
                    change: Disturbance::Replaced,
                    last: None,
                });
            }
            if self.generation.replace(generation) != Some(generation) {
                (self.runs, self.indexed, self.statuses_are_whole) = (None, None, false);
                (self.lists, self.lane_use) = Default::default();
            }
        }
        let mut runs = self.run_numbers(run, fail)?;
        if grants == Grants::Leave && store.lanes().is_some() && run.repeatable && !runs.is_empty() {
            let restored = writing.restored.take();
            drop(writing);
            self.note_restored(restored);
            return Ok(None);
        }
        let (opening, duplicate) = self.opening(run, entries)?;
        // Taken, so that after a failed transaction nothing is left of what it would have written.
        let before = self.indexed.take();
        let mut indexed = key_scope(store, run, &runs, before, &mut writing.done.added, fail)?;
        let known = known_credentials(store, run, indexed.as_mut(), entries).map_err(fail)?;
        note_displaced(&mut self.displaced, &known, entries);
        let refused = renewal::refused(store, entries, &mut self.statuses_are_whole).map_err(fail)?;
        let fresh = self.fresh(&known, &refused, entries);
        self.refuse_expired(&fresh)?;
        let guards = (self.hash_key, runs.is_empty());
        let is_guarded = lanes::leave_guards(store, run, guards, &fresh).map_err(fail)?;
        // A run under a key that goes on has an opening, or had its first items refused.
        let opening = opening.filter(|_| runs.is_empty() && fresh.len() == entries.len());
        let to = Destination { run, scope: indexed.as_ref().map(|indexed| indexed.scope.number), opening };
        let issued = Issued::insert(store, to, &mut runs, &fresh, &mut writing.done.added).map_err(fail)?;
        if let Some(Indexed { scope, index }) = &mut indexed {
            index.insert(store, scope, issued.index_entries()).map_err(fail)?;
        }
        append_replays(store, &known, entries).map_err(fail)?;
        let replayed = known.values().map(|known| known.slots.from(known.place.place, 1));
        self.lists.keep(store, replayed.chain(issued.slots())).map_err(fail)?;
        writing.done.bytes += (fresh.len() * record::RECORD_BYTES) as u64;
        let restored = writing.restored.take();
        writing.commit(fail)?;
        self.note_restored(restored);
        (self.runs, self.indexed, self.is_opened) = (Some(runs), indexed, true);
        self.lane_use.note(is_guarded, !known.is_empty());
        self.duplicate = duplicate.or(self.duplicate.take());
        Ok(Some(self.answers(entries, &known, &refused, &issued)))
    }

    /// The rows of a run, as this process knows them already, else as the ledger has them.
    pub(super) fn run_numbers(
        &self,
        run: &RunDescription,
        fail: impl Fn(StoreError) -> LedgerError,
    ) -> Result<RunNumbers, LedgerError> {
        match &self.runs {
            Some(runs) => Ok(runs.clone()),
            None => RunNumbers::find(&*self.store, run, fail),
        }
    }

    /// What the first items of a run say, where nothing else tells it from one before, and the run that began so.
    fn opening(
        &self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<(Option<i64>, Option<Duplicate>), LedgerError> {
        let Some(first) = entries.first().filter(|_| !self.is_opened) else { return Ok((None, None)) };
        let opening = openings::of(entries);
        if self.duplicates == Duplicates::Allow || run.repeatable {
            return Ok((Some(opening), None));
        }
        let found = openings::find(&*self.store, opening, entries.len() as u64, first.draft.issued_at);
        match found.map_err(|source| self.cannot("read", source))? {
            Some(duplicate) if self.duplicates == Duplicates::Refuse => {
                Err(LedgerError::Duplicate(duplicate))
            }
            found => Ok((Some(opening), found)),
        }
    }

    /// The entries that nothing was issued for yet. Of several with one id, the first.
    fn fresh<'e, 'd>(
        &self,
        known: &KnownByPosition,
        refused: &HashMap<u64, Conflict>,
        entries: &'e [Entry<'d>],
    ) -> Vec<&'e Entry<'d>> {
        let mut keys = std::collections::HashSet::new();
        let is_fresh = |entry: &&Entry<'_>| {
            !known.contains_key(&entry.position)
                && !self.displaced.contains_key(&entry.draft.content_hash)
                && !refused.contains_key(&entry.position)
                && entry.key().is_none_or(|key| keys.insert(key))
        };
        entries.iter().filter(is_fresh).collect()
    }

    /// Refuses to issue what has expired already, by the ledger's last event, although the clock says otherwise.
    pub(super) fn refuse_expired(&self, entries: &[&Entry<'_>]) -> Result<(), LedgerError> {
        let Some(last_event) = self.clock_behind.filter(|_| !self.accepts_expired) else { return Ok(()) };
        match entries.iter().find(|entry| entry.draft.expires_at <= last_event) {
            None => Ok(()),
            Some(entry) => Err(LedgerError::Expired {
                path: self.path.clone(),
                index: entry.position,
                expires_at: entry.draft.expires_at,
                last_event,
            }),
        }
    }

    fn answers(
        &self,
        entries: &[Entry<'_>],
        known: &KnownByPosition,
        refused: &HashMap<u64, Conflict>,
        issued: &Issued<'_>,
    ) -> Vec<Answer> {
        let mut given = issued.credentials();
        let mut of_keys: HashMap<ItemKey, Known> = HashMap::new();
        let has_repeats = known.len() + issued.count() < entries.len();
        let mut answer = |entry: &Entry<'_>| {
            if let Some(known) = known.get(&entry.position) {
                return self.replay(known, entry);
            }
            if let Some(id) = self.displaced.get(&entry.draft.content_hash) {
                return Err(Conflict::Moved(*id));
            }
            if let Some(conflict) = refused.get(&entry.position) {
                return Err(conflict.clone());
            }
            if let Some(first) = entry.key().and_then(|key| of_keys.get(&key)) {
                return self.replay(first, entry);
            }
            let of_kind = given.iter_mut().find(|(kind, _)| *kind == Kind::of(entry));
            let fresh = of_kind.and_then(|(_, credentials)| credentials.next());
            let fresh = fresh.expect("every entry that is not known is in a batch of its kind");
            let grant = self.grant(&fresh, false);
            if let Some(key) = entry.key().filter(|_| has_repeats) {
                of_keys.insert(key, fresh);
            }
            Ok(grant)
        };
        entries.iter().map(&mut answer).collect()
    }

    /// The answers for entries of which nothing was issued before, and each of which was issued now.
    pub(super) fn answers_for(&self, entries: &[Entry<'_>], issued: &Issued<'_>) -> Vec<Answer> {
        self.answers(entries, &HashMap::new(), &HashMap::new(), issued)
    }

    /// Whether something was issued at a place that now holds something else.
    pub(super) fn has_displaced(&self) -> bool {
        !self.displaced.is_empty()
    }

    /// What [`Ledger::record`] would say: for each entry, whether it would be replayed. Writes
    /// nothing.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn preview(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Result<bool, Conflict>>, LedgerError> {
        self.enter_what_was_left()?;
        let before = self.indexed.take();
        let mut statuses_are_whole = self.statuses_are_whole;
        let ((known, indexed), refused) = in_one_snapshot(&*self.store, || {
            let refused = renewal::refused(&*self.store, entries, &mut statuses_are_whole)?;
            Ok((self.known_now(run, entries, before)?, refused))
        })
        .map_err(|source| self.cannot("read", source))?;
        (self.indexed, self.statuses_are_whole) = (indexed, statuses_are_whole);
        let (_, duplicate) = self.opening(run, entries)?;
        (self.duplicate, self.is_opened) = (duplicate.or(self.duplicate.take()), true);
        note_displaced(&mut self.displaced, &known, entries);
        let mut previewed = std::mem::take(&mut self.previewed_ids);
        let mut answer = |entry: &Entry<'_>| match known.get(&entry.position) {
            Some(known) => known.must_be(entry.draft.content_hash).map(|()| true),
            None => match (self.displaced.get(&entry.draft.content_hash), entry.key()) {
                (Some(id), _) => Err(Conflict::Moved(*id)),
                _ if refused.contains_key(&entry.position) => Err(refused[&entry.position].clone()),
                (None, Some(key)) => Ok(!previewed.insert(key)),
                (None, None) => Ok(false),
            },
        };
        let answers = entries.iter().map(&mut answer).collect();
        self.previewed_ids = previewed;
        Ok(answers)
    }

    fn known_now(
        &self,
        run: &RunDescription,
        entries: &[Entry<'_>],
        before: Option<Indexed>,
    ) -> Stored<(KnownByPosition, Option<Indexed>)> {
        let store = &*self.store;
        if !run.repeatable {
            return Ok((HashMap::new(), None));
        }
        for found in runs::of_name(store, run)? {
            if self.runs.is_none() {
                found.must_find_all(store)?;
            }
        }
        let scope = Scope::find(store, ScopeKind::Key, &run.name)?;
        let mut indexed = scope.map(|scope| Indexed::reopen(store, scope, before)).transpose()?;
        let known = known_credentials(store, run, indexed.as_mut(), entries)?;
        Ok((known, indexed))
    }

    fn replay(&self, known: &Known, entry: &Entry<'_>) -> Answer {
        known.must_be(entry.draft.content_hash)?;
        Ok(self.grant(known, true))
    }

    pub(super) fn grant(&self, credential: &Known, replayed: bool) -> Grant {
        let slots = credential.slots;
        Grant {
            id: credential.id,
            status: Some(self.lists.place(slots.list, slots.first + credential.place.place)),
            issued_at: credential.record.issued_at,
            expires_at: credential.record.expires_at,
            replayed,
            current: credential.current.clone(),
        }
    }
}

fn other_rule(run: &RunDescription, was: IdRule, is: IdRule) -> LedgerError {
    let differences = vec![Difference::new("identity", was.as_str(), is.as_str())];
    LedgerError::OtherTerms { name: run.name.clone(), differences }
}

/// The scope of an idempotency key, which is added with the first items that are known by ids.
fn key_scope(
    store: &dyn Store,
    run: &RunDescription,
    runs: &RunNumbers,
    before: Option<Indexed>,
    added: &mut Counts,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<Option<Indexed>, LedgerError> {
    if !run.repeatable {
        return Ok(None);
    }
    let found = Scope::find(store, ScopeKind::Key, &run.name).map_err(&fail)?;
    let scope = match (found, run.rule) {
        (Some(scope), rule) => {
            scope.must_be(&run.terms.issuer, rule)?;
            scope
        }
        (None, IdRule::Position) => return Ok(None),
        (None, rule) if !runs.is_empty() => return Err(other_rule(run, IdRule::Position, rule)),
        (None, rule) => {
            Scope::add(store, ScopeKind::Key, (&run.name, &run.terms.issuer, rule), added).map_err(&fail)?
        }
    };
    Indexed::reopen(store, scope, before).map(Some).map_err(fail)
}

/// What was issued for the entries before under the run's name.
fn known_credentials(
    store: &dyn Store,
    run: &RunDescription,
    indexed: Option<&mut Indexed>,
    entries: &[Entry<'_>],
) -> Stored<KnownByPosition> {
    match indexed {
        _ if !run.repeatable => Ok(HashMap::new()),
        None => known::by_position(store, &run.name, entries),
        Some(Indexed { index, .. }) => {
            let mut known = known::by_position_without_id(store, &run.name, entries)?;
            known.extend(known::by_id(store, index, entries)?);
            Ok(known)
        }
    }
}

/// Notes what was issued where something else stands now. What is known by an id stands anywhere.
fn note_displaced(
    displaced: &mut HashMap<ContentHash, Uuid>,
    known: &KnownByPosition,
    entries: &[Entry<'_>],
) {
    for entry in entries.iter().filter(|entry| entry.key().is_none()) {
        if let Some(known) = known.get(&entry.position)
            && known.must_be(entry.draft.content_hash).is_err()
        {
            displaced.insert(known.record.content_hash, known.id);
        }
    }
}

/// Appends the events of what comes out again.
fn append_replays(store: &dyn Store, known: &KnownByPosition, entries: &[Entry<'_>]) -> Stored<()> {
    let mut batches: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for entry in entries {
        if let Some(known) = known.get(&entry.position)
            && known.must_be(entry.draft.content_hash).is_ok()
        {
            batches.entry(known.place.batch).or_default().push(known.place.place);
        }
    }
    for (batch, places) in batches {
        events::append_replayed(store, batch, system_now(), &places)?;
    }
    Ok(())
}

/// A name for a run that was given none: a version 7 UUID.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn new_run_name() -> Result<String, getrandom::Error> {
    let mut tail = [0; 10];
    getrandom::fill(&mut tail)?;
    Ok(record::id_from_parts(system_millis(), &tail).to_string())
}

/// Whether a name is of the form that [`new_run_name`] gives.
pub fn is_run_name(name: &str) -> bool {
    Uuid::parse_str(name).is_ok_and(|id| id.get_version_num() == 7)
}

/// Gives ids without a ledger: no index, and nothing remembered.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn grants_without_ledger(entries: &[Entry<'_>]) -> Result<Vec<Grant>, getrandom::Error> {
    let millis = system_millis();
    let mut tail = [0; 10];
    entries
        .iter()
        .map(|entry| {
            getrandom::fill(&mut tail)?;
            Ok(Grant {
                id: record::id_from_parts(millis, &tail),
                status: None,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                replayed: false,
                current: CredentialStatus::default(),
            })
        })
        .collect()
}
