//! The ledger's file: its tables, and what must be true of it before it is used.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::LedgerError;
use crate::clock::system_now;
use crate::files::{self, DirectoryMode};

/// "blti", so that `file` and SQLite tell a ledger from other databases.
const APPLICATION_ID: i64 = 0x626c_7469;

/// The version of the tables below.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    hash_key BLOB NOT NULL CHECK (length(hash_key) = 32),
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    issuer TEXT NOT NULL,
    kid TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;
CREATE TABLE lists (
    list INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL,
    base TEXT NOT NULL,
    token_uri TEXT NOT NULL UNIQUE,
    bitstring_uri TEXT NOT NULL UNIQUE,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    taken INTEGER NOT NULL CHECK (taken BETWEEN 0 AND 131072),
    opened_at INTEGER NOT NULL
) STRICT;
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    list INTEGER NOT NULL REFERENCES lists,
    first_slot INTEGER NOT NULL,
    id_millis INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0 AND first_slot + count <= 131072),
    records BLOB NOT NULL CHECK (length(records) = count * 50),
    UNIQUE (list, first_slot)
) STRICT;
CREATE INDEX batches_by_run ON batches (run);
CREATE INDEX batches_by_id ON batches (id_millis);
";

/// Makes sure that there is a file, with a mode that lets nobody else read the lists' secrets.
pub(super) fn create_file(path: &Path) -> Result<(), LedgerError> {
    if path.exists() {
        return Ok(());
    }
    let fail = |source| LedgerError::File { action: "create", path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        files::create_directories(parent, DirectoryMode::Private).map_err(fail)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(fail(error)),
    }
}

/// Sets the connection up for durable writes, and creates the tables in an empty file.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let fail = |source| LedgerError::sqlite("open", path, source);
    let identity = identify(connection).map_err(fail)?;
    match identity {
        Identity::Empty => {}
        Identity::Ledger(VERSION) => {}
        Identity::Ledger(found) => {
            return Err(LedgerError::Version { path: path.to_owned(), found, known: VERSION });
        }
        Identity::Foreign => return Err(LedgerError::NotALedger { path: path.to_owned() }),
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(fail)?;
    connection.pragma_update(None, "synchronous", "full").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    if identity == Identity::Empty { create_tables(connection).map_err(fail) } else { Ok(()) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// A database without any table.
    Empty,
    /// A ledger of this version.
    Ledger(i64),
    /// A database of something else.
    Foreign,
}

fn identify(connection: &Connection) -> rusqlite::Result<Identity> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (number("application_id")?, tables) {
        (APPLICATION_ID, _) => Identity::Ledger(number("user_version")?),
        (0, 0) => Identity::Empty,
        _ => Identity::Foreign,
    })
}

fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Two processes may have found the file empty; the second finds the tables here.
    if identify(&transaction)? == Identity::Empty {
        transaction.execute_batch(TABLES)?;
        transaction.execute(
            "INSERT INTO ledger (one, hash_key, created_at) VALUES (1, ?1, ?2)",
            params![super::random::<32>()?, system_now().seconds()],
        )?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
