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
    pub fn strangers(&mut self, ids: impl IntoIterator<Item = Uuid>) -> Result<HashSet<Uuid>, LedgerError> {
        self.enter_what_was_left()?;
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

#[cfg(test)]
mod tests {
    use super::super::tests::{draft, open, run};
    use super::super::{Answer, Change, ChangeOrder};
    use super::*;
    use crate::clock::UnixTime;
    use crate::request::{Draft, Former};

    fn renewal_of(id: Uuid) -> Draft {
        Draft { former: Some(Former { id, was_suspended: false }), ..draft(2) }
    }

    fn record(ledger: &mut Ledger, name: &str, drafts: &[Draft]) -> Vec<Answer> {
        let entries: Vec<_> = (0..).zip(drafts).map(|(position, draft)| Entry { position, draft }).collect();
        ledger.record(&run(name), &entries).unwrap()
    }

    fn change(ledger: &mut Ledger, change: Change, id: Uuid) {
        let order = ChangeOrder { change, reason: None, at: UnixTime::FIRST, cause: None };
        ledger.change(order, &[id]).unwrap().remove(0).unwrap();
    }

    fn statuses_of(answers: &[Answer]) -> Vec<Status> {
        let status = |answer: &Answer| match answer {
            Ok(_) => Status::Active,
            Err(Conflict::Former { current, .. }) => current.status,
            Err(other) => panic!("{other}"),
        };
        answers.iter().map(status).collect()
    }

    /// What another process has done until the moment of recording counts, and nothing is issued beside it.
    #[test]
    fn the_status_counts_that_holds_when_the_renewal_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        let ids: Vec<Uuid> = record(&mut ledger, "first", &[draft(1), draft(1), draft(1), draft(1)])
            .into_iter()
            .map(|answer| answer.unwrap().id)
            .collect();
        let renewals: Vec<Draft> = ids.iter().map(|id| renewal_of(*id)).collect();
        let mut other = open(&path);
        change(&mut other, Change::Revoke, ids[0]);
        change(&mut other, Change::Suspend, ids[2]);
        change(&mut other, Change::Suspend, ids[3]);
        change(&mut other, Change::Reinstate, ids[3]);
        let expected = [Status::Revoked, Status::Active, Status::Suspended, Status::Active];
        assert_eq!(statuses_of(&record(&mut ledger, "second", &renewals)), expected);
        let entries: Vec<_> =
            (0..).zip(&renewals).map(|(position, draft)| Entry { position, draft }).collect();
        let previewed = ledger.preview(&run("third"), &entries).unwrap();
        assert_eq!(previewed.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false, true]);
        assert_eq!(ledger.newest_batch().unwrap(), 2);
    }

    #[test]
    fn a_ledger_knows_its_own_credentials_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) =
            (open(&folder.path().join("one.db")), open(&folder.path().join("other.db")));
        let own = record(&mut one, "a", &[draft(1)]).remove(0).unwrap().id;
        let foreign = record(&mut other, "a", &[draft(1)]).remove(0).unwrap().id;
        assert_eq!(one.strangers([own, foreign, Uuid::nil()]).unwrap(), [foreign, Uuid::nil()].into());
        // Of a stranger there is nothing to say.
        assert!(record(&mut one, "b", &[renewal_of(foreign)]).remove(0).is_ok());
    }

    /// A revocation that was taken out of the file does not make a credential one to renew.
    #[test]
    fn a_ledger_without_all_of_its_statuses_renews_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        let id = record(&mut ledger, "a", &[draft(1)]).remove(0).unwrap().id;
        change(&mut ledger, Change::Revoke, id);
        drop(ledger);
        let mut ledger = open(&path);
        rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM statuses", []).unwrap();
        let renewal = renewal_of(id);
        let entries = [Entry { position: 0, draft: &renewal }];
        assert!(ledger.record(&run("b"), &entries).is_err());
    }
}
