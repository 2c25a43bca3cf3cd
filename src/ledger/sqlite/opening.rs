//! Opening a ledger: gathering the evidence that [`super::trust`] weighs, and doing what it decides.

use std::fs;
use std::path::{Path, PathBuf};

use super::SqliteStore;
use super::keeper::Keeper;
use super::lock::Lock;
use super::log::Log;
use super::mark::{self, Mark, MarkFile};
use super::place::{Paths, links, set_aside};
use super::schema;
use super::trust::{Evidence, TrustVerdict};
use super::watch::{Handle, Watch};
use crate::files::{self, DirectoryMode};
use crate::ledger::check::Examination;
use crate::ledger::closings::{self, Restoration};
use crate::ledger::error::LedgerError;
use crate::ledger::identity::{FileId, Identity};
use crate::ledger::seal::{self, Counts, Done, Seal};
use crate::ledger::state::{SealTokens, State};
use crate::ledger::store::{Access, Stored, Transaction};
use crate::ledger::{History, Ledger};

/// How often a file is read again that others write back while it is judged.
const LOOKS: usize = 100;

/// A database file that may be opened, as far as can be told without SQLite.
struct Candidate {
    paths: Paths,
    handle: Handle,
    tokens: SealTokens,
    id: FileId,
}

impl Candidate {
    /// Looks at the file itself, whatever lies beside it.
    fn of(paths: &Paths) -> Result<Candidate, LedgerError> {
        let fail = |source| LedgerError::file("open", &paths.given, source);
        let found = fs::metadata(&paths.file).map_err(fail)?;
        let path = paths.given.clone();
        if found.is_dir() {
            return Err(LedgerError::Folder { path });
        }
        if !found.is_file() {
            return Err(LedgerError::NotALedger { path });
        }
        if found.len() == 0 {
            return Err(LedgerError::Empty { path });
        }
        if links(&found) != 1 {
            return Err(LedgerError::Linked { path, names: links(&found) });
        }
        let handle = Handle::open(&paths.file).map_err(fail)?;
        let file = handle.file().ok_or_else(|| LedgerError::NotALedger { path: path.clone() })?;
        schema::refuse_others(file, &paths.given)?;
        let tokens = SealTokens::of_file(file)
            .ok_or_else(|| LedgerError::damaged(&path, "its second page is not the seal"))?;
        Ok(Candidate { paths: paths.clone(), handle, tokens, id: FileId::of(&found) })
    }

    /// Whose log lies beside it. Others may write the log back meanwhile, and begin it anew.
    fn log(&mut self) -> Result<Log, LedgerError> {
        let log = self.paths.log();
        let mut verdict = Log::Foreign;
        for _ in 0..LOOKS {
            verdict = self.tokens.judge(&log).map_err(|source| {
                LedgerError::file("use the write-ahead log of", &self.paths.given, source)
            })?;
            if verdict != Log::Foreign {
                break;
            }
            match self.handle.file().and_then(SealTokens::of_file) {
                Some(tokens) if tokens != self.tokens => self.tokens = tokens,
                _ => break,
            }
        }
        Ok(verdict)
    }
}

/// Whether there is anything by this name, a link that leads nowhere too.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Opens a ledger for writing, and creates it where there is none.
pub(in crate::ledger) fn to_write(given: &Path) -> Result<(Ledger, History), LedgerError> {
    let fail = |source| LedgerError::file("open", given, source);
    let mut paths = Paths::of(given).map_err(fail)?;
    if !is_there(&paths.file) {
        files::create_directories(paths.folder(), DirectoryMode::Private)
            .map_err(|source| LedgerError::file("create", given, source))?;
        paths = Paths::of(given).map_err(fail)?;
    } else {
        // Nothing is put beside a file that is no ledger.
        Candidate::of(&paths)?;
    }
    let mut lock = Lock::take(&paths)?;
    let mut aside = Vec::new();
    if !is_there(&paths.file) {
        lock.wait_to_be_alone(&paths)?;
    }
    if !is_there(&paths.file) {
        clear_place(&paths, true, &mut aside)?;
        schema::create(&paths)?;
    }
    let mut candidate = Candidate::of(&paths)?;
    if is_there(&paths.journal()) || candidate.log()? == Log::Foreign {
        lock.wait_to_be_alone(&paths)?;
        candidate = Candidate::of(&paths)?;
        let foreign = candidate.log()? == Log::Foreign;
        clear_place(&paths, foreign, &mut aside)?;
    }
    let is_at_rest = lock.is_alone() && candidate.log()? == Log::Empty;
    let connection = schema::connect(&paths)?;
    let (mut store, identity, history) =
        decide(SqliteStore::over(connection, given), candidate, aside, is_at_rest)?;
    lock.share(&paths)?;
    store.lock = Some(lock);
    let mut ledger = Ledger::on(Box::new(store), given, identity);
    ledger.note_clock()?;
    ledger.history = history.clone();
    Ok((ledger, history))
}

/// Moves out of the way what is not the ledger's own. Nobody else has it open.
fn clear_place(paths: &Paths, with_log: bool, aside: &mut Vec<PathBuf>) -> Result<(), LedgerError> {
    let fail = |source| LedgerError::file("set aside what lies beside", &paths.given, source);
    let mut foreign = vec![paths.journal()];
    if with_log {
        foreign.push(paths.log());
        // The index says nothing that the log does not; SQLite makes it anew.
        match fs::remove_file(paths.log_index()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
    }
    foreign.retain(|file| is_there(file));
    if foreign.is_empty() {
        return Ok(());
    }
    for file in &foreign {
        let is_empty = fs::symlink_metadata(file).is_ok_and(|file| file.is_file() && file.len() == 0);
        match is_empty {
            true => fs::remove_file(file).map_err(fail)?,
            false => aside.push(set_aside(file).map_err(fail)?),
        }
    }
    files::sync_directory(paths.folder()).map_err(fail)
}

/// Weighs the evidence under the ledger's write lock, and does what follows.
fn decide(
    store: SqliteStore,
    candidate: Candidate,
    set_aside: Vec<PathBuf>,
    is_at_rest: bool,
) -> Result<(SqliteStore, Identity, History), LedgerError> {
    let Candidate { paths, handle, tokens, id } = candidate;
    let given = paths.given.clone();
    let fail = |source| LedgerError::store("open", &given, source);
    let watch = Watch::over(&paths, handle, tokens);
    let transaction = Transaction::begin(&store, Access::Write).map_err(fail)?;
    watch.note_log()?;
    if is_at_rest {
        refuse_cut(&store, &paths)?;
    }
    let mut identity = Identity::read(&store).map_err(fail)?;
    let evidence = gather(&store, &paths, &identity, id, set_aside).map_err(fail)?;
    let (state, at_home) = (evidence.state, evidence.at_home);
    let verdict = evidence.weigh(|asked| seal::knows(&store, asked).unwrap_or_default());
    let cannot_mark = |source| LedgerError::file("write the mark of", &paths.mark(), source);
    let ledger = identity.id;
    let keep = |mark: Mark, replace: bool| {
        let file = MarkFile::begin(&paths.mark(), &mark, replace).map_err(cannot_mark)?;
        *store.keeper.borrow_mut() = Some(Keeper::new(ledger, watch, file));
        Ok::<_, LedgerError>(())
    };
    let history = match verdict {
        TrustVerdict::NewLists(reasons) => {
            refuse_damaged(&store, &given)?;
            identity.move_to(&store, Some(id)).map_err(fail)?;
            let restoration = closings::close_lists(&store, reasons).map_err(fail)?;
            // The mark says that the lists are closed before the ledger does, and nothing else: what was noticed
            // is noticed again if this run dies before the commit.
            let writing = State { closings: state.closings + 1, ..state };
            keep(Mark { ledger, reached: State::NEVER, writing }, true)?;
            seal::commit(&store, transaction, Done::closing(State::NEVER), fail)?;
            return Ok((store, identity, History::Restored(restoration)));
        }
        TrustVerdict::Replaced => History::Replaced,
        TrustVerdict::GoOn => History::Whole,
    };
    keep(Mark::at(ledger, state), history == History::Replaced)?;
    if at_home == Some(true) {
        drop(transaction);
    } else {
        identity.move_to(&store, Some(id)).map_err(fail)?;
        seal::commit(&store, transaction, Done::adding(state, Counts::default()), fail)?;
    }
    Ok((store, identity, history))
}

/// What is known about a ledger that is open.
fn gather(
    store: &SqliteStore,
    paths: &Paths,
    identity: &Identity,
    id: FileId,
    set_aside: Vec<PathBuf>,
) -> Stored<Evidence> {
    let seal = Seal::read(store)?;
    let state = seal::state(store)?;
    Ok(Evidence {
        ledger: identity.id,
        state,
        // A backup has no home.
        at_home: (identity.home != FileId::default()).then(|| identity.home.may_be(id)),
        mark: mark::read(&paths.mark()),
        set_aside,
        is_fresh: state.event == 0 && state.closings == 0 && seal.counts.lists == 0,
    })
}

/// Refuses a file that has other pages than it says, or pages that are free where none should be:
/// SQLite would put new rows over old ones.
fn refuse_cut(store: &SqliteStore, paths: &Paths) -> Result<(), LedgerError> {
    let fail = |source| LedgerError::sqlite("open", &paths.given, source);
    let number =
        |pragma| store.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(fail);
    let length =
        fs::metadata(&paths.file).map_err(|source| LedgerError::file("open", &paths.given, source))?.len();
    let said = number("page_count")?.unsigned_abs() * super::log::PAGE_BYTES as u64;
    if said != length {
        let what = format!("the file has {length} bytes, and says that it has {said}");
        return Err(LedgerError::damaged(&paths.given, what));
    }
    match number("freelist_count")? {
        0 => Ok(()),
        _ => refuse_damaged(store, &paths.given),
    }
}

/// Looks a ledger over wholly, before it is used although something is wrong with it.
fn refuse_damaged(store: &SqliteStore, given: &Path) -> Result<(), LedgerError> {
    let found =
        Examination::of_store(store, false).map_err(|source| LedgerError::store("read", given, source))?;
    match found.problems.is_empty() {
        true => Ok(()),
        false => Err(LedgerError::damaged(given, found.problems.join("; "))),
    }
}

/// Opens a ledger to look at it. `None` where there is none.
pub(in crate::ledger) fn to_look(given: &Path, changes_nothing: bool) -> Result<Option<Ledger>, LedgerError> {
    let paths = Paths::of(given).map_err(|source| LedgerError::file("open", given, source))?;
    if !is_there(&paths.file) {
        return Ok(None);
    }
    let lock = Lock::to_look(&paths)?;
    let mut candidate = Candidate::of(&paths)?;
    for log in
        [(is_there(&paths.journal()), paths.journal()), (candidate.log()? == Log::Foreign, paths.log())]
    {
        if let (true, log) = log {
            return Err(LedgerError::ForeignLog { path: given.to_owned(), log });
        }
    }
    let (connection, copy) = match changes_nothing {
        true => schema::connect_read_only(&paths)?,
        false => schema::connect_to_look(&paths)?,
    };
    let fail = |source| LedgerError::store("read", given, source);
    let mut store = SqliteStore::over(connection, given);
    let identity = Identity::read(&store).map_err(fail)?;
    let evidence = gather(&store, &paths, &identity, candidate.id, Vec::new()).map_err(fail)?;
    let history = match evidence.weigh(|asked| seal::knows(&store, asked).unwrap_or_default()) {
        TrustVerdict::GoOn => History::Whole,
        TrustVerdict::Replaced => History::Replaced,
        TrustVerdict::NewLists(reasons) => {
            History::Restored(Restoration { reasons, lists: 0, closings_in_a_month: 1 })
        }
    };
    store.looking = Some((candidate.handle, copy));
    store.lock = lock;
    let mut ledger = Ledger::on(Box::new(store), given, identity);
    ledger.history = history;
    Ok(Some(ledger))
}
