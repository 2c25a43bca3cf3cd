//! The ledger's file: its tables, and what must be true of it before it is used.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

use super::SqliteStore;
use super::log::PAGE_BYTES;
use super::mark::{self, Mark, MarkFile, MarkFound};
use super::place::{Paths, open_no_link, read_at};
use crate::files::{self, DirectoryMode};
use crate::ledger::error::LedgerError;
use crate::ledger::identity::{FileId, Identity};
use crate::ledger::seal::Seal;
use crate::ledger::state::State;
use crate::ledger::store::{Access, Store, Stored};
use crate::ledger::{WAIT, copy};

/// "blti", so that `file` and SQLite tell a ledger from other databases.
const APPLICATION_ID: i64 = 0x626c_7469;

/// The version of the tables.
pub const VERSION: i64 = 6;

/// The tables. `seal` is the first, so that its row is on the file's second page ([`super::log`]).
/// `crc` is the checksum of its row. `runs.batches` is the sum of what the run's index shows: one that
/// hides a batch adds up to something else.
const TABLES: &str = "
CREATE TABLE seal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    token BLOB NOT NULL CHECK (length(token) = 16),
    before BLOB NOT NULL CHECK (length(before) = 16),
    runs INTEGER NOT NULL,
    lists INTEGER NOT NULL,
    statuses INTEGER NOT NULL,
    closings INTEGER NOT NULL,
    scopes INTEGER NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16),
    hash_key BLOB NOT NULL CHECK (length(hash_key) = 32),
    created_at INTEGER NOT NULL,
    home_inode INTEGER NOT NULL,
    home_born INTEGER NOT NULL,
    moved_to TEXT,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE closings (
    closing INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    lists INTEGER NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE schemas (
    issuer TEXT NOT NULL,
    credential_type TEXT NOT NULL,
    vct TEXT NOT NULL,
    source BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    document BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (issuer, credential_type, version)
) STRICT;
CREATE TABLE scopes (
    scope INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('key', 'register')),
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    rule TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (kind, name)
) STRICT;
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES scopes,
    node INTEGER NOT NULL CHECK (node > 0),
    count INTEGER NOT NULL CHECK (count > 0),
    filter_crc INTEGER NOT NULL,
    entries_crc INTEGER NOT NULL,
    filter BLOB NOT NULL,
    entries BLOB NOT NULL CHECK (length(entries) = count * 24)
) STRICT;
CREATE INDEX segments_by_scope ON segments (scope);
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    credential_type TEXT NOT NULL,
    issuer TEXT NOT NULL,
    kid TEXT NOT NULL,
    proof_format TEXT NOT NULL,
    vct TEXT NOT NULL,
    context TEXT NOT NULL,
    ttl TEXT NOT NULL,
    disclosure TEXT NOT NULL,
    scope INTEGER REFERENCES scopes,
    started_at INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    UNIQUE (name, credential_type)
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
    opened_at INTEGER NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE orders (
    list INTEGER NOT NULL REFERENCES lists,
    part INTEGER NOT NULL,
    crc INTEGER NOT NULL,
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
    crc INTEGER NOT NULL,
    attestation_type TEXT,
    opening INTEGER,
    records BLOB NOT NULL CHECK (length(records) = count * 74),
    issued_first INTEGER NOT NULL,
    issued_last INTEGER NOT NULL,
    expires_first INTEGER NOT NULL,
    expires_last INTEGER NOT NULL,
    UNIQUE (list, first_slot)
) STRICT;
CREATE INDEX batches_by_position ON batches (run, first_position);
CREATE INDEX batches_by_id ON batches (id_millis);
CREATE INDEX batches_by_opening ON batches (opening) WHERE opening IS NOT NULL;
CREATE TABLE statuses (
    batch INTEGER NOT NULL REFERENCES batches,
    place INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('suspended', 'revoked')),
    since INTEGER NOT NULL,
    reason TEXT,
    cause TEXT,
    crc INTEGER NOT NULL,
    PRIMARY KEY (batch, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    event INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('issued', 'replayed', 'adopted', 'revoked', 'suspended', 'reinstated')),
    batch INTEGER NOT NULL REFERENCES batches,
    place INTEGER,
    reason TEXT,
    places BLOB,
    entries BLOB CHECK (length(entries) = 16),
    cause TEXT,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_by_batch ON events (batch);
";

/// Makes a ledger where there is no file, as the only process that has it open. It is made whole
/// under another name first, so that an empty file is never a ledger that was just begun.
pub(super) fn create(paths: &Paths) -> Result<(), LedgerError> {
    let fail = |source| LedgerError::file("create", &paths.given, source);
    // Mode 0600, because lists' secrets are in it. SQLite gives its other files the same mode.
    let file = files::Scratch::in_folder(paths.folder()).map_err(fail)?;
    let home = FileId::of(&file.path().metadata().map_err(fail)?);
    let id = create_tables(file.path(), home)
        .map_err(|source| LedgerError::store("create", &paths.given, source))?;
    file.commit(&paths.file, files::Way::Create).map_err(fail)?;
    // The mark is durable before anything is issued, and a ledger without one has issued nothing. Another
    // ledger's mark is left for whoever opens this one, to be told of.
    match mark::read(&paths.mark()) {
        MarkFound::Nothing => {
            MarkFile::begin(&paths.mark(), &Mark::at(id, State::NOTHING), true).map(drop).map_err(fail)
        }
        MarkFound::Here(_) | MarkFound::Elsewhere(_) => Ok(()),
    }
}

/// Copies a ledger into a new file that takes its place: see [`copy`]. The file appears whole.
pub(super) fn create_copy(paths: &Paths, from: &dyn Store) -> Result<(), LedgerError> {
    let fail = |source| LedgerError::file("create", &paths.given, source);
    files::create_directories(paths.folder(), DirectoryMode::Private).map_err(fail)?;
    let file = files::Scratch::in_folder(paths.folder()).map_err(fail)?;
    let home = FileId::of(&file.path().metadata().map_err(fail)?);
    let (identity, state) = copy_tables(file.path(), from, copy::Purpose::Move(home))
        .map_err(|source| LedgerError::store("copy to", &paths.given, source))?;
    file.commit(&paths.file, files::Way::Create).map_err(fail)?;
    MarkFile::begin(&paths.mark(), &Mark::at(identity.id, state), true).map(drop).map_err(fail)
}

/// Makes the tables in an empty file, and copies a ledger into them.
pub(super) fn copy_tables(
    path: &Path,
    from: &dyn Store,
    purpose: copy::Purpose,
) -> Stored<(Identity, State)> {
    fill_tables(path, |store| copy::all(from, store, purpose))
}

fn create_tables(path: &Path, home: FileId) -> Stored<[u8; 16]> {
    fill_tables(path, |store| {
        Seal::insert(store)?;
        let identity = Identity::new(home)?;
        identity.insert(store)?;
        Ok(identity.id)
    })
}

/// Makes the tables in an empty file, and has them filled.
fn fill_tables<T>(path: &Path, fill: impl FnOnce(&SqliteStore) -> Stored<T>) -> Stored<T> {
    let connection = Connection::open(path)?;
    // Nobody looks at the file before it is whole and on the disk.
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "page_size", PAGE_BYTES as i64)?;
    let store = SqliteStore::over(connection, path);
    store.begin(Access::Write)?;
    store.connection.execute_batch(TABLES)?;
    store.connection.pragma_update(None, "user_version", VERSION)?;
    store.connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let filled = fill(&store)?;
    store.connection.execute_batch("COMMIT")?;
    // The mode stays in the file, so that processes that open a new ledger at once need not set it.
    store.connection.pragma_update(None, "journal_mode", "wal")?;
    store.close()?;
    Ok(filled)
}

/// Opens a ledger for durable writes; its log was judged before.
pub(super) fn connect(paths: &Paths) -> Result<Connection, LedgerError> {
    let fail = |source: rusqlite::Error| LedgerError::sqlite("open", &paths.given, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&paths.file, flags).map_err(fail)?;
    connection.busy_timeout(WAIT).map_err(fail)?;
    version(&connection, &paths.given)?;
    use_log(&connection).map_err(fail)?;
    connection.pragma_update(None, "synchronous", "full").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    // Written back by `Keeper`, once it has seen that the file is still the one that was opened.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(fail)?;
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
/// open. Where it cannot, on a medium that is read-only or full, nobody else writes either.
pub(super) fn connect_to_look(paths: &Paths) -> Result<(Connection, Option<TempDir>), LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match query_only(&paths.file, &paths.given, flags) {
        Err(error) if super::leaves_no_room(&error) => connect_read_only(paths),
        outcome => outcome.map(|connection| (connection, None)),
    }
}

/// Opens a ledger without changing a byte of it, or of the folder that it is in.
pub(super) fn connect_read_only(paths: &Paths) -> Result<(Connection, Option<TempDir>), LedgerError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    // Where there is a log with anything in it, another process is at work or one was killed, and the files that
    // reading needs are mostly there already. Where there is none, SQLite would create them, unless it is
    // told that nothing changes the file; so what others write meanwhile is not seen.
    if paths.log().metadata().map_or(0, |log| log.len()) == 0 {
        let name = format!("file:{}?immutable=1", uri_path(&paths.file));
        return query_only(Path::new(&name), &paths.given, flags).map(|connection| (connection, None));
    }
    match query_only(&paths.file, &paths.given, flags) {
        Err(error) if super::leaves_no_room(&error) => copy_to_look(paths),
        outcome => outcome.map(|connection| (connection, None)),
    }
}

/// Copies a ledger and its log into a folder of this process, and opens the copy: SQLite cannot
/// read a log where it cannot make files beside it.
fn copy_to_look(paths: &Paths) -> Result<(Connection, Option<TempDir>), LedgerError> {
    let fail = |source| LedgerError::file("copy, to read it with its log,", &paths.given, source);
    let folder = tempfile::Builder::new().prefix("beltic-").tempdir().map_err(fail)?;
    let copy = Paths { given: paths.given.clone(), file: folder.path().join("ledger.db") };
    let looks = || -> io::Result<_> {
        let look = |path: &Path| path.metadata().and_then(|file| Ok((file.len(), file.modified()?)));
        Ok((look(&paths.file)?, look(&paths.log())?))
    };
    let before = looks().map_err(fail)?;
    for (from, to) in [(&paths.file, &copy.file), (&paths.log(), &copy.log())] {
        let mut target = open_no_link(to, true, true).map_err(fail)?;
        io::copy(&mut File::open(from).map_err(fail)?, &mut target).map_err(fail)?;
    }
    if looks().map_err(fail)? != before {
        return Err(fail(io::Error::other("another process changed it meanwhile; try again")));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = query_only(&copy.file, &paths.given, flags)?;
    Ok((connection, Some(folder)))
}

fn query_only(name: &Path, path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    let fail = |source: rusqlite::Error| LedgerError::sqlite("open", path, source);
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

/// Refuses what is no ledger of this version, by the first bytes of the file. They never change
/// once a ledger is made, so its log is not needed for that, and is not touched.
pub(super) fn refuse_others(file: &File, given: &Path) -> Result<(), LedgerError> {
    let mut header = [0; 100];
    let not_a_ledger = || LedgerError::NotALedger { path: given.to_owned() };
    read_at(file, &mut header, 0).map_err(|_| not_a_ledger())?;
    let number = |at: usize| {
        i64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]))
    };
    if !header.starts_with(b"SQLite format 3\0") || number(68) != APPLICATION_ID {
        return Err(not_a_ledger());
    }
    match number(60) {
        VERSION => Ok(()),
        found => Err(LedgerError::Version { path: given.to_owned(), found, known: VERSION }),
    }
}

/// Refuses other databases, and ledgers of other versions.
fn version(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let number = |pragma| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|source: rusqlite::Error| LedgerError::sqlite("open", path, source))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(LedgerError::NotALedger { path: path.to_owned() });
    }
    match number("user_version")? {
        VERSION => Ok(()),
        found => Err(LedgerError::Version { path: path.to_owned(), found, known: VERSION }),
    }
}
