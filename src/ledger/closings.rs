//! When and why open lists were closed: because a ledger may not know everything that was issued from it.

use std::path::PathBuf;

use super::checksum::Checksum;
use super::rows::ClosingRow;
use super::seal::{self, Done, Seal, Writing, must_count};
use super::store::{Store, Stored, in_one_snapshot};
use super::{Ledger, LedgerError, corrupt, lists};
use crate::clock::{UnixTime, system_now};

/// In how many seconds the third closing makes one ask why.
const MONTH: i64 = 30 * 24 * 60 * 60;

/// Why a ledger is not believed to know everything that was issued from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingReason {
    /// It lies at another place than it was made for.
    Copied,
    /// It is a backup that `ledger backup` made.
    Backup,
    /// The file that says how far it had come is missing or cannot be read.
    NoMark,
    /// That file is another ledger's.
    OtherMark,
    /// That file was itself copied or restored.
    MovedMark,
    /// It knows less than it once did.
    WentBack,
    /// A write-ahead log or a journal lay beside it that is not its own. It has this name now.
    ForeignLog(PathBuf),
    /// Its server is another one, or was promoted or restored.
    FailedOver,
    /// It was moved, and nothing is missing from it.
    Moved,
    /// The user asked for it.
    Asked,
}

impl ClosingReason {
    /// The word in the ledger.
    fn word(&self) -> &'static str {
        match self {
            ClosingReason::Copied => "copied",
            ClosingReason::Backup => "backup",
            ClosingReason::NoMark => "no mark",
            ClosingReason::OtherMark => "other mark",
            ClosingReason::MovedMark => "moved mark",
            ClosingReason::WentBack => "went back",
            ClosingReason::ForeignLog(_) => "foreign log",
            ClosingReason::FailedOver => "failed over",
            ClosingReason::Moved => "moved",
            ClosingReason::Asked => "asked",
        }
    }
}

/// How a ledger that may not know everything is gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// Why; not empty.
    pub reasons: Vec<ClosingReason>,
    /// How many open lists were closed now.
    pub lists: u64,
    /// How often lists were closed unasked in the last thirty days, with this time.
    pub closings_in_a_month: usize,
}

/// A time at which the open lists were closed.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub(super) at: UnixTime,
    event: i64,
    reasons: String,
    lists: i64,
}

impl Closing {
    fn checksum(&self, number: i64) -> Checksum {
        let sums = Checksum::of("closings").number(number).number(self.at.seconds()).number(self.event);
        sums.text(&self.reasons).number(self.lists)
    }

    /// Whether nobody asked for it.
    fn was_noticed(&self) -> bool {
        self.reasons != ClosingReason::Asked.word() && self.may_lack_something()
    }

    /// Whether the ledger may not know everything that was issued from it before.
    pub(super) fn may_lack_something(&self) -> bool {
        self.reasons != ClosingReason::Moved.word()
    }

    /// All closings, the first one first.
    pub(super) fn all(store: &dyn Store) -> Stored<Vec<Closing>> {
        in_one_snapshot(store, || Closing::all_of(store, Seal::read(store)?.counts.closings))
    }

    /// All closings, of which there must be so many.
    fn all_of(store: &dyn Store, counted: i64) -> Stored<Vec<Closing>> {
        let mut closings = Vec::new();
        for row in store.closings()? {
            let at = UnixTime::from_seconds(row.at).ok_or_else(corrupt)?;
            let closing = Closing { at, event: row.event, reasons: row.reasons, lists: row.lists };
            let number = row.closing;
            closing.checksum(number).must_be(row.crc, || format!("table `closings`, row {number}"))?;
            closings.push(closing);
        }
        must_count("closings", closings.len() as i64, counted)?;
        Ok(closings)
    }

    /// Notes a closing of so many lists, now.
    fn insert(
        store: &dyn Store,
        number: i64,
        event: i64,
        reasons: &[ClosingReason],
        lists: u64,
    ) -> Stored<()> {
        let words: Vec<_> = reasons.iter().map(ClosingReason::word).collect();
        let closing = Closing { at: system_now(), event, reasons: words.join(", "), lists: lists as i64 };
        let crc = closing.checksum(number).sum();
        let Closing { at, event, reasons, lists } = closing;
        store.insert_closing(&ClosingRow { closing: number, at: at.seconds(), event, reasons, lists, crc })
    }
}

/// Closes the open lists and notes why, within a transaction.
pub(super) fn close_lists(store: &dyn Store, reasons: Vec<ClosingReason>) -> Stored<Restoration> {
    let state = seal::state(store)?;
    let closed = lists::close_open(store)?;
    Closing::insert(store, state.closings + 1, state.event, &reasons, closed)?;
    let since = system_now().saturating_add(-MONTH);
    let noticed = Closing::all_of(store, state.closings + 1)?;
    let closings_in_a_month =
        noticed.iter().filter(|closing| closing.was_noticed() && closing.at >= since).count();
    Ok(Restoration { reasons, lists: closed, closings_in_a_month })
}

impl Ledger {
    /// Closes the open lists, as after a restore that no file can notice. `None` where that was done
    /// before, and no list has been opened since.
    ///
    /// # Errors
    /// Where the ledger cannot be written.
    pub fn close_lists(&mut self) -> Result<Option<Restoration>, LedgerError> {
        let fail = |source| self.cannot("write", source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        if let Some(restoration) = writing.restored {
            return Ok(Some(restoration));
        }
        let store = writing.store;
        let is_any_open = store.has_open_lists().map_err(fail)?;
        if !is_any_open && !Closing::all(store).map_err(fail)?.is_empty() {
            return Ok(None);
        }
        let restoration = close_lists(store, vec![ClosingReason::Asked]).map_err(fail)?;
        writing.done = Done::closing(writing.done.reached);
        writing.commit(fail)?;
        Ok(Some(restoration))
    }
}
