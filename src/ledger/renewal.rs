//! Credentials that are to be renewed: what the ledger says against it.
//!
//! A credential that is revoked or suspended is not renewed. That is asked in the transaction that records the new one,
//! so that nobody can revoke the former in between. Of a credential that the ledger does not know it says nothing; that
//! it does not, whoever renews is told.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::change::{Recent, locate};
use super::issue::{Conflict, Entry};
use super::store::{Store, Stored, in_one_snapshot};
use super::{Ledger, LedgerError, statuses};
use crate::credential::Status;

impl Ledger {
    /// Which of these credentials the ledger does not know.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn strangers(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<HashSet<Uuid>, LedgerError> {
        let store = &*self.store;
        let mut recent = Recent::default();
        let strangers = in_one_snapshot(store, || {
            let mut strangers = HashSet::new();
            for id in ids {
                if locate(store, id, &mut recent)?.is_none() {
                    strangers.insert(id);
                }
            }
            Ok(strangers)
        });
        strangers.map_err(|source| self.cannot("read", source))
    }
}

/// The entries whose former credential must not be renewed, by position. `statuses_are_whole` says whether the statuses
/// were all seen to be there, which is asked once.
pub(super) fn refused(
    store: &dyn Store,
    entries: &[Entry<'_>],
    statuses_are_whole: &mut bool,
) -> Stored<HashMap<u64, Conflict>> {
    let mut refused = HashMap::new();
    let mut recent = Recent::default();
    for entry in entries {
        if entry.draft.former.is_some() && !*statuses_are_whole {
            statuses::must_be_whole(store)?;
            *statuses_are_whole = true;
        }
        if let Some(conflict) = refusal(store, entry, &mut recent)? {
            refused.insert(entry.position, conflict);
        }
    }
    Ok(refused)
}

/// Why an entry's former credential must not be renewed, where that is so.
pub(super) fn refusal(store: &dyn Store, entry: &Entry<'_>, recent: &mut Recent) -> Stored<Option<Conflict>> {
    let Some(former) = entry.draft.former else { return Ok(None) };
    let Some(place) = locate(store, former.id, recent)? else { return Ok(None) };
    let current = statuses::of(store, place)?;
    Ok((current.status != Status::Active).then_some(Conflict::Former { id: former.id, current }))
}
