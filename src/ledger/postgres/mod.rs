//! A ledger in a PostgreSQL database, which many machines share.
//!
//! | module | what it does |
//! | --- | --- |
//! | `address` | the URL, and what else a connection needs |
//! | `line` | a connection, on which statements follow each other without waiting |
//! | `schema` | the tables |
//! | [`rows`], `read` | the store: each operation is a statement |
//! | `cache` | what a transaction need not read again |
//! | `lanes` | recording without the ledger's lock, in one exchange: see [`crate::ledger::lanes`] |
//! | `opening` | opening a ledger |
//! | `fitness` | what is asked of the server |
//! | `fault` | what a server says, as an error of a store |
//!
//! # Transactions
//!
//! Whoever changes the ledger locks the one row of `seal` first, and holds it until the commit: that is
//! [`Access::Write`]. Writes are not waited for: they go out with the next statement whose answer is needed, and a
//! commit goes out with the last of them. What was read under the lock is kept until the end of the transaction, since
//! nobody else can change it ([`cache`]).
//!
//! # What is asked of the server
//!
//! In each transaction that writes, and in each statement that grants: that a commit is durable before it is confirmed
//! (`synchronous_commit`), and that the server is on the timeline on which the ledger was last looked after. A server
//! that was promoted is on another one: it may not know all that was given from the open lists, so they are closed.
//! A snapshot of the storage keeps both; `ledger close-lists` is for whoever restores one.
//!
//! # A commit whose answer is lost
//!
//! Its token is looked for in `commits`, under the lock, which the transaction in doubt holds as long as it may still
//! succeed. A grant is looked for by its ticket in `slots`.

mod address;
mod cache;
mod fault;
mod fitness;
mod lanes;
mod line;
mod opening;
mod read;
mod rows;
mod schema;
#[cfg(test)]
pub(in crate::ledger) mod tests;

use std::cell::{Cell, RefCell};

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

pub use self::address::{ServerAddress, UrlError};
use self::cache::Cache;
use self::line::{Line, Statement, Value, server_error};
pub(super) use self::opening::{create_copy, remove, to_look, to_write, to_write_existing};
use super::identity::FileId;
use super::retry::Retry;
use super::store::{Access, ServerFault, StoreError, Stored};

/// So many bytes of writes go out at once, before they are waited for.
const MOST_DEFERRED: usize = 4 << 20;

/// A ledger in a database, open.
#[derive(Debug)]
pub(super) struct PostgresStore {
    address: ServerAddress,
    line: RefCell<Option<Line>>,
    /// Writes that go out with the next statement.
    deferred: RefCell<Deferred>,
    transaction: Cell<Option<Access>>,
    cache: RefCell<Cache>,
    /// Which server it is, and on which timeline, as of the transaction's begin.
    home: Cell<FileId>,
    /// Whether the ledger was made for a server that does not say which one it is.
    is_unguarded: Cell<bool>,
    /// Whether the server lets the ledger be written.
    is_writable: Cell<bool>,
    /// How many cursors were opened, which tells their names apart.
    cursors: Cell<u64>,
}

#[derive(Default)]
struct Deferred {
    statements: Vec<Statement>,
    bytes: usize,
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} statements", self.statements.len())
    }
}

impl PostgresStore {
    fn new(address: &ServerAddress) -> PostgresStore {
        PostgresStore {
            address: address.clone(),
            line: RefCell::new(None),
            deferred: RefCell::default(),
            transaction: Cell::new(None),
            cache: RefCell::default(),
            home: Cell::default(),
            is_unguarded: Cell::new(false),
            is_writable: Cell::new(false),
            cursors: Cell::new(0),
        }
    }

    /// Sends what was deferred, and this; gives the rows of this.
    fn ask(&self, sql: impl Into<String>, values: Vec<Value>) -> Stored<Vec<Row>> {
        let mut answers = self.send(vec![Statement::new(sql, values)])?;
        answers.pop().ok_or_else(crate::ledger::corrupt)
    }

    /// Sends what was deferred, and these; gives the rows of these.
    fn send(&self, statements: Vec<Statement>) -> Stored<Vec<Vec<Row>>> {
        let mut all = std::mem::take(&mut *self.deferred.borrow_mut()).statements;
        let before = all.len();
        all.extend(statements);
        self.connect()?;
        // What comes after this in the transaction is of no use on another connection.
        self.cache.borrow_mut().note_begun();
        let mut line = self.line.borrow_mut();
        let sent = line.as_ref().ok_or_else(crate::ledger::corrupt)?.send(&all);
        if sent.as_ref().is_err_and(breaks_the_line) {
            *line = None;
        }
        Ok(sent?.split_off(before))
    }

    /// A write whose answer nobody needs before the commit.
    fn tell(&self, sql: &str, values: Vec<Value>, bytes: usize) -> Stored<()> {
        debug_assert!(self.transaction.get().is_some(), "rows are written within a transaction");
        let mut deferred = self.deferred.borrow_mut();
        deferred.statements.push(Statement::new(sql, values));
        deferred.bytes += bytes + 200;
        let is_much = deferred.bytes > MOST_DEFERRED;
        drop(deferred);
        if is_much { self.send(Vec::new()).map(drop) } else { Ok(()) }
    }

    /// Has a connection. In a transaction, one that broke off took the transaction with it.
    fn connect(&self) -> Stored<()> {
        let is_there = self.line.borrow().as_ref().is_some_and(|line| !line.is_closed());
        if is_there {
            return Ok(());
        }
        if self.transaction.get().is_some() && !self.is_beginning() {
            return Err(server_error(ServerFault::Lost, "the transaction was not carried out"));
        }
        let mut retry = Retry::default();
        let is_first = self.cache.borrow().was_never_connected();
        loop {
            match Line::connect(&self.address) {
                Ok(line) => {
                    *self.line.borrow_mut() = Some(line);
                    self.cache.borrow_mut().note_connected();
                    return Ok(());
                }
                // Somebody who has mistyped a host is told at once.
                Err(error) if is_first && error.fault() == Some(ServerFault::Unreachable) => {
                    return Err(error);
                }
                Err(error) => {
                    let passes =
                        error.fault().is_some_and(|fault| retry.is_worth_waiting(fault, self.address.wait));
                    if !passes {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Whether the open transaction has not sent anything yet.
    fn is_beginning(&self) -> bool {
        self.cache.borrow().is_beginning()
    }
}

/// Whether nothing more can be asked on a connection after this error.
fn breaks_the_line(error: &StoreError) -> bool {
    matches!(
        error.fault(),
        Some(ServerFault::Lost | ServerFault::Waited | ServerFault::Unreachable | ServerFault::Tls)
    )
}

fn value<T: ToSql + Sync + Send + 'static>(value: T, of: Type) -> Value {
    (Box::new(value), of)
}

fn number(number: i64) -> Value {
    value(number, Type::INT8)
}

fn text(text: &str) -> Value {
    value(text.to_owned(), Type::TEXT)
}

fn bytes(bytes: &[u8]) -> Value {
    value(bytes.to_vec(), Type::BYTEA)
}
