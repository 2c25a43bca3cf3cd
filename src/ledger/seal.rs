//! The seal: the ledger's one row that every transaction changes.
//!
//! It holds the tokens of the last transactions, and how many rows the tables have that are looked through: a row that
//! has become invisible leaves a number too high.

use std::path::Path;

use super::checksum::{Checksum, contradiction};
use super::identity::Identity;
use super::lanes::{self, Grants};
use super::rows::SealRow;
use super::state::{SealTokens, State, Token};
use super::store::{Commit, Store, StoreError, Stored, Transaction};
use super::{LedgerError, Restoration, random, writable};

/// Tables whose rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) runs: i64,
    pub(super) lists: i64,
    pub(super) statuses: i64,
    pub(super) closings: i64,
    pub(super) scopes: i64,
}

impl Counts {
    fn with(self, added: Counts) -> Counts {
        Counts {
            runs: self.runs + added.runs,
            lists: self.lists + added.lists,
            statuses: self.statuses + added.statuses,
            closings: self.closings + added.closings,
            scopes: self.scopes + added.scopes,
        }
    }
}

/// The seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) tokens: SealTokens,
    pub(super) counts: Counts,
}

impl Seal {
    pub(super) fn read(store: &dyn Store) -> Stored<Seal> {
        let row = store.seal()?;
        let seal = Seal {
            tokens: SealTokens { token: row.token, before: row.before },
            counts: Counts {
                runs: row.runs,
                lists: row.lists,
                statuses: row.statuses,
                closings: row.closings,
                scopes: row.scopes,
            },
        };
        seal.checksum().must_be(row.crc, || "table `seal`".to_owned())?;
        Ok(seal)
    }

    fn row(&self) -> SealRow {
        let Seal { tokens: SealTokens { token, before }, counts } = *self;
        let Counts { runs, lists, statuses, closings, scopes } = counts;
        SealRow { token, before, runs, lists, statuses, closings, scopes, crc: self.checksum().sum() }
    }

    fn checksum(&self) -> Checksum {
        let counts = &self.counts;
        let sums = Checksum::of("seal").bytes(&self.tokens.token).bytes(&self.tokens.before);
        let sums = sums.number(counts.runs).number(counts.lists).number(counts.statuses);
        sums.number(counts.closings).number(counts.scopes)
    }

    /// The seal of an empty ledger.
    pub(super) fn insert(store: &dyn Store) -> Stored<()> {
        Seal::insert_with(store, Counts::default())
    }

    /// The seal of a ledger that has so many rows. Its tokens are its own.
    pub(super) fn insert_with(store: &dyn Store, counts: Counts) -> Stored<()> {
        let tokens = SealTokens { token: random()?, before: random()? };
        store.insert_seal(&Seal { tokens, counts }.row())
    }

    /// Counts rows that the open transaction has added, where it is read as a whole before its end. The transaction's
    /// [`Done`] does not name them once more.
    pub(super) fn count(store: &dyn Store, added: Counts) -> Stored<()> {
        let Seal { tokens, counts } = Seal::read(store)?;
        store.update_seal(&Seal { tokens, counts: counts.with(added) }.row())
    }

    /// Gives the transaction its token, and notes what it added. Called once in each, as the last
    /// of its changes.
    pub(super) fn renew(store: &dyn Store, added: Counts) -> Stored<Token> {
        let old = Seal::read(store)?;
        let counts = old.counts.with(added);
        let tokens = SealTokens { token: random()?, before: old.tokens.token };
        store.update_seal(&Seal { tokens, counts }.row())?;
        Ok(tokens.token)
    }
}

/// What a transaction did, as far as others have to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// How far the ledger had come before it.
    pub(super) reached: State,
    /// The rows that it added.
    pub(super) added: Counts,
    /// How many bytes of records it wrote.
    pub(super) bytes: u64,
    /// Whether it closed the open lists.
    pub(super) closes_lists: bool,
}

impl Done {
    /// A transaction that added these rows, after this state.
    pub(super) fn adding(reached: State, added: Counts) -> Done {
        Done { reached, added, bytes: 0, closes_lists: false }
    }

    /// One that closed the open lists.
    pub(super) fn closing(reached: State) -> Done {
        let added = Counts { closings: 1, ..Counts::default() };
        Done { closes_lists: true, ..Done::adding(reached, added) }
    }
}

/// Seals a transaction and commits it. When this returns, what it wrote is durable.
///
/// # Errors
/// Where the store cannot be written, or is not what it was. Then nothing that depends on the transaction may leave the
/// process.
pub(super) fn commit(
    store: &dyn Store,
    transaction: Transaction<'_>,
    done: Done,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<(), LedgerError> {
    let token = Seal::renew(store, done.added).map_err(&fail)?;
    let writing = state(store).map_err(&fail)?;
    let Done { reached, bytes, closes_lists, .. } = done;
    transaction.commit(Commit { reached, writing, token, bytes, closes_lists })
}

/// A transaction that changes an open ledger. One that is dropped changes nothing.
pub(super) struct Writing<'s> {
    pub(super) store: &'s dyn Store,
    transaction: Transaction<'s>,
    /// What it did so far.
    pub(super) done: Done,
    /// What became of the ledger before, where that was noticed now.
    pub(super) restored: Option<Restoration>,
}

impl<'s> Writing<'s> {
    /// Begins one. What machines have granted without the ledger's lock is entered before.
    ///
    /// # Errors
    /// Where the ledger at this path is only looked at, and those of the store.
    pub(super) fn begin(
        store: &'s dyn Store,
        path: &Path,
        fail: impl Fn(StoreError) -> LedgerError,
    ) -> Result<Writing<'s>, LedgerError> {
        Writing::begin_with(store, path, Grants::Enter, fail)
    }

    /// As [`Writing::begin`], where it is said whether grants are entered.
    ///
    /// # Errors
    /// As [`Writing::begin`].
    pub(super) fn begin_with(
        store: &'s dyn Store,
        path: &Path,
        grants: Grants,
        fail: impl Fn(StoreError) -> LedgerError,
    ) -> Result<Writing<'s>, LedgerError> {
        let store = writable(store, path)?;
        let (transaction, restored) = lanes::begin_to_write(store, grants, &fail)?;
        if let Some(to) = Identity::read(store).map_err(&fail)?.moved_to {
            return Err(LedgerError::Moved { path: path.to_owned(), to });
        }
        let reached = state(store).map_err(&fail)?;
        Ok(Writing { store, transaction, done: Done::adding(reached, Counts::default()), restored })
    }

    /// As [`commit`].
    pub(super) fn commit(self, fail: impl Fn(StoreError) -> LedgerError) -> Result<(), LedgerError> {
        commit(self.store, self.transaction, self.done, fail)
    }
}

/// How far a ledger has come.
pub(super) fn state(store: &dyn Store) -> Stored<State> {
    let closings = Seal::read(store)?.counts.closings;
    Ok(match store.last_event()? {
        Some(last) => State { event: last.event, hash: half(&last.hash), closings },
        None => State { closings, ..State::NOTHING },
    })
}

/// Whether a state is the present one or was once.
pub(super) fn knows(store: &dyn Store, state: &State) -> Stored<bool> {
    if state.event == 0 {
        return Ok(true);
    }
    Ok(store.event(state.event)?.is_some_and(|event| half(&event.hash) == state.hash))
}

fn half(hash: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| hash[at])
}

/// Refuses a table in which other than so many rows were seen; both from one snapshot.
pub(super) fn must_count(table: &str, seen: i64, counted: i64) -> Stored<()> {
    match seen == counted {
        true => Ok(()),
        false => {
            Err(contradiction(format!("table `{table}` shows {seen} rows, and the ledger counted {counted}")))
        }
    }
}
