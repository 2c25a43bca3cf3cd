//! The ledger's file: its tables, and what must be true of it before it is used.

use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use super::{LedgerError, WAIT};
use crate::clock::system_now;
use crate::files::{self, DirectoryMode};

/// "blti", so that `file` and SQLite tell a ledger from other databases.
const APPLICATION_ID: i64 = 0x626c_7469;

/// What turns a ledger of each version into one of the next; the first makes version 1 of an
/// empty database. Steps are only ever added.
const STEPS: [&str; 1] = ["
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
    proof_format TEXT NOT NULL,
    vct TEXT NOT NULL,
    context TEXT NOT NULL,
    ttl TEXT NOT NULL,
    disclosure TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;
CREATE TABLE lists (
    list INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL,
    base TEXT NOT NULL,
    token_uri TEXT NOT NULL UNIQUE,
    bitstring_uri TEXT NOT NULL UNIQUE,
    suspension_uri TEXT UNIQUE,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    taken INTEGER NOT NULL CHECK (taken BETWEEN 0 AND 131072),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    opened_at INTEGER NOT NULL
) STRICT;
CREATE TABLE orders (
    list INTEGER NOT NULL REFERENCES lists,
    part INTEGER NOT NULL,
    indices BLOB NOT NULL,
    PRIMARY KEY (list, part)
) STRICT;
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    first_position INTEGER NOT NULL,
    list INTEGER NOT NULL REFERENCES lists,
    first_slot INTEGER NOT NULL,
    id_millis INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0 AND first_slot + count <= 131072),
    records BLOB NOT NULL CHECK (length(records) = count * 66),
    issued_first INTEGER NOT NULL,
    issued_last INTEGER NOT NULL,
    expires_first INTEGER NOT NULL,
    expires_last INTEGER NOT NULL,
    UNIQUE (list, first_slot)
) STRICT;
CREATE INDEX batches_by_position ON batches (run, first_position);
CREATE INDEX batches_by_id ON batches (id_millis);
CREATE TABLE statuses (
    batch INTEGER NOT NULL REFERENCES batches,
    place INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('suspended', 'revoked')),
    since INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (batch, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    event INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('issued', 'replayed', 'revoked', 'suspended', 'reinstated')),
    batch INTEGER NOT NULL REFERENCES batches,
    place INTEGER,
    reason TEXT,
    places BLOB,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_by_batch ON events (batch);
"];

/// The version that the steps lead to.
const VERSION: i64 = STEPS.len() as i64;

/// Makes a ledger where there is no file. It is made whole under another name first, so that an
/// empty file is never a ledger that was just begun.
pub(super) fn create_missing(path: &Path) -> Result<(), LedgerError> {
    if path.exists() {
        return Ok(());
    }
    let fail = |source| LedgerError::File { action: "create", path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    files::create_directories(folder, DirectoryMode::Private).map_err(fail)?;
    // Mode 0600, because lists' secrets are in it. SQLite gives its other files the same mode.
    let file = files::Scratch::in_folder(folder).map_err(fail)?;
    create_tables(file.path()).map_err(|source| LedgerError::sqlite("create", path, source))?;
    match file.commit_new(path) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map_err(fail),
    }
}

fn create_tables(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // Nobody looks at the file before it is whole and on the disk.
    connection.pragma_update(None, "synchronous", "off")?;
    migrate(&mut connection, 0)?;
    connection.execute(
        "INSERT INTO ledger (one, hash_key, created_at) VALUES (1, ?1, ?2)",
        params![super::random::<32>()?, system_now().seconds()],
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    // The mode stays in the file, so that processes that open a new ledger at once need not set it.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.close().map_err(|(_, error)| error)
}

/// Runs the steps from this version on.
fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(from as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Opens a ledger for durable writes.
pub(super) fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let fail = |source| LedgerError::sqlite("open", path, source);
    refuse_empty(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    connection.busy_timeout(WAIT).map_err(fail)?;
    let found = version(&connection, path)?;
    use_log(&connection).map_err(fail)?;
    connection.pragma_update(None, "synchronous", "full").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    if found < VERSION {
        migrate(&mut connection, found).map_err(fail)?;
    }
    Ok(connection)
}

/// Sets WAL mode. Most ledgers have it; a copy made with `VACUUM INTO` has not. While another
/// process sets it, SQLite says "busy" at once, whatever the busy timeout is.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && begun.elapsed() < WAIT =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

/// Opens a ledger without changing what it holds, to read it while others write.
///
/// SQLite reads a ledger together with its log, and makes files beside it for that while it is
/// open. Where it cannot, on a medium that is read-only, nobody else writes either.
pub(super) fn connect_to_look(path: &Path) -> Result<Connection, LedgerError> {
    refuse_empty(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match query_only(path, path, flags) {
        Err(LedgerError::Database { source, .. })
            if matches!(source.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)) =>
        {
            connect_read_only(path)
        }
        outcome => outcome,
    }
}

/// Opens a ledger without changing a byte of it, or of the folder that it is in.
pub(super) fn connect_read_only(path: &Path) -> Result<Connection, LedgerError> {
    refuse_empty(path)?;
    // Where there is a log, another process is at work or one was killed, and the files that
    // reading needs are there already. Where there is none, SQLite would create them, unless it is
    // told that nothing changes the file; so what others write meanwhile is not seen.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let name = match Path::new(&log).exists() {
        true => path.to_owned(),
        false => format!("file:{}?immutable=1", uri_path(path)).into(),
    };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    query_only(&name, path, flags)
}

fn query_only(name: &Path, path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    let fail = |source| LedgerError::sqlite("open", path, source);
    let connection = Connection::open_with_flags(name, flags).map_err(fail)?;
    connection.busy_timeout(WAIT).map_err(fail)?;
    connection.pragma_update(None, "query_only", true).map_err(fail)?;
    version(&connection, path)?;
    Ok(connection)
}

/// A path as SQLite's URIs want it: everything that has a meaning there is escaped.
fn uri_path(path: &Path) -> String {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                escaped.push(char::from(*byte))
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

fn refuse_empty(path: &Path) -> Result<(), LedgerError> {
    match path.metadata() {
        Ok(file) if file.is_file() && file.len() == 0 => Err(LedgerError::Empty { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// The version of a ledger; refuses other databases, and ledgers from the future.
fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let number = |pragma| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|source| LedgerError::sqlite("open", path, source))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(LedgerError::NotALedger { path: path.to_owned() });
    }
    match number("user_version")? {
        found if found > VERSION => {
            Err(LedgerError::Version { path: path.to_owned(), found, known: VERSION })
        }
        found => Ok(found),
    }
}
