//! Opening a ledger in a database.
//!
//! A ledger is made where there is none, by whoever opens it to write. What was granted and not entered is entered first,
//! by whoever may write, so that every command sees all that was delivered; but for issuing, which asks for it later,
//! where it has to know.

use std::path::PathBuf;

use super::address::ServerAddress;
use super::fitness::{UNGUARDED, fitness, read_fitness};
use super::line::server_error;
use super::{PostgresStore, schema};
use crate::ledger::identity::{FileId, Identity};
use crate::ledger::lanes::{self, Grants};
use crate::ledger::store::{ServerFault, Store, StoreError, Stored};
use crate::ledger::{History, Ledger, LedgerError, Restoration, copy, corrupt};

/// Opens a ledger for writing, and creates it where there is none.
pub(in crate::ledger) fn to_write(
    address: &ServerAddress,
    grants: Grants,
) -> Result<(Ledger, History), LedgerError> {
    let fail = failing("open", address);
    let store = PostgresStore::new(address);
    let mut format = schema::format_of(&store).map_err(&fail)?;
    if format.is_none() {
        store.is_unguarded.set(address.without_failover_guard);
        let home = store.must_be_fit().map_err(&fail)?;
        schema::create(&store, home).map_err(failing("create", address))?;
        // Another process may have made it, and be another version of this program.
        format = schema::format_of(&store).map_err(&fail)?;
    }
    opened(store, address, format.ok_or_else(corrupt).map_err(&fail)?, grants)
}

/// As [`to_write`], but `None` where there is no ledger.
pub(in crate::ledger) fn to_write_existing(
    address: &ServerAddress,
) -> Result<Option<(Ledger, History)>, LedgerError> {
    let fail = failing("open", address);
    let store = PostgresStore::new(address);
    match schema::format_of(&store).map_err(&fail)? {
        None => Ok(None),
        Some(format) => opened(store, address, format, Grants::Enter).map(Some),
    }
}

/// Opens a ledger to look at it. `None` where there is none. Where nothing is to be changed or nothing may be, as on a
/// standby, what was granted and not entered is not seen; [`Ledger::unseen`] says how much that is.
pub(in crate::ledger) fn to_look(
    address: &ServerAddress,
    changes_nothing: bool,
) -> Result<Option<Ledger>, LedgerError> {
    let fail = failing("open", address);
    let store = PostgresStore::new(address);
    let Some(format) = schema::format_of(&store).map_err(&fail)? else { return Ok(None) };
    schema::must_be_known(format, address)?;
    store.learn_guard().map_err(&fail)?;
    let looked_after = match changes_nothing {
        true => None,
        false => may_be_denied(lanes::look_after(&store, Grants::Enter, &fail))?,
    };
    let unseen = if looked_after.is_some() { 0 } else { store.unentered().map_err(&fail)? };
    let mut ledger = ledger_on(store, address, looked_after.flatten())?;
    ledger.unseen = unseen;
    Ok(Some(ledger))
}

/// What came of a change; `None` where it is not allowed here.
fn may_be_denied<T>(outcome: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
    match outcome {
        Err(LedgerError::Database { source: StoreError::Server(error), .. })
            if matches!(
                error.fault,
                ServerFault::ReadOnly
                    | ServerFault::NoRights
                    | ServerFault::Asynchronous
                    | ServerFault::Unguarded
            ) =>
        {
            Ok(None)
        }
        outcome => outcome.map(Some),
    }
}

/// Makes tables with a copy of a ledger that is to take its place.
pub(in crate::ledger) fn create_copy(address: &ServerAddress, from: &dyn Store) -> Result<(), LedgerError> {
    let fail = failing("copy to", address);
    let store = PostgresStore::new(address);
    store.is_unguarded.set(address.without_failover_guard);
    let home = store.must_be_fit().map_err(&fail)?;
    let copy = || copy::all(from, &store, copy::Purpose::Move(home)).map(drop);
    match schema::fill_tables(&store, copy).map_err(&fail)? {
        true => Ok(()),
        false => Err(LedgerError::Exists { path: shown(address) }),
    }
}

/// Removes a copy that was never in use.
pub(in crate::ledger) fn remove(address: &ServerAddress, id: [u8; 16]) -> Result<(), LedgerError> {
    let fail = failing("remove the unfinished copy", address);
    schema::remove(&PostgresStore::new(address), id).map_err(fail)
}

fn opened(
    store: PostgresStore,
    address: &ServerAddress,
    format: i64,
    grants: Grants,
) -> Result<(Ledger, History), LedgerError> {
    let fail = failing("open", address);
    schema::must_be_known(format, address)?;
    store.learn_guard().map_err(&fail)?;
    store.must_be_fit().map_err(&fail)?;
    store.is_writable.set(true);
    let restored = lanes::look_after(&store, grants, &fail)?;
    let ledger = ledger_on(store, address, restored)?;
    let history = ledger.history().clone();
    Ok((ledger, history))
}

/// The ledger in a store that was looked after.
fn ledger_on(
    store: PostgresStore,
    address: &ServerAddress,
    restored: Option<Restoration>,
) -> Result<Ledger, LedgerError> {
    let identity = Identity::read(&store).map_err(failing("open", address))?;
    let mut ledger = Ledger::on(Box::new(store), address, identity);
    ledger.note_clock()?;
    ledger.history = restored.map_or(History::Whole, History::Restored);
    Ok(ledger)
}

/// The place as messages name it.
pub(super) fn shown(address: &ServerAddress) -> PathBuf {
    PathBuf::from(address.to_string())
}

fn failing(action: &'static str, address: &ServerAddress) -> impl Fn(StoreError) -> LedgerError {
    let shown = shown(address);
    move |source| LedgerError::store(action, &shown, source)
}

impl PostgresStore {
    /// Sees that the server may keep a ledger, and says which one it is.
    fn must_be_fit(&self) -> Stored<FileId> {
        let rows = self.ask(fitness(self.is_unguarded.get()), Vec::new());
        let rows = rows.map_err(|error| match error.fault() {
            // Some services keep to themselves who they are.
            Some(ServerFault::NoRights | ServerFault::Other) if !self.is_unguarded.get() => {
                server_error(ServerFault::Unguarded, &error.to_string())
            }
            _ => error,
        })?;
        read_fitness(rows.first().ok_or_else(corrupt)?)
    }

    /// Whether the ledger that is there was made for a server that does not say which one it is.
    fn learn_guard(&self) -> Stored<()> {
        let home = Identity::read(self)?.home;
        self.is_unguarded.set(home == UNGUARDED);
        Ok(())
    }
}
