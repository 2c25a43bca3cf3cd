//! What `sync` has to do, by its table: which credentials an id has, and what an item of the register does to them.
//!
//! Where the table leaves something open, the model allows both. That is so for credentials that have expired (revoking
//! them changes nothing for anybody), and for formers that somebody reinstated after their id had got another one.

use std::collections::{BTreeMap, BTreeSet};

/// The types of credentials in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Business,
    User,
}

/// What an item is known by: its type, and the number that its ids are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) number: u8,
}

/// What a credential says, as far as it differs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) variant: u8,
    /// The item's own ttl, in days.
    pub(crate) ttl: Option<u16>,
    pub(crate) is_sd_jwt: bool,
}

/// An item as `sync` reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// None where its id cannot be read.
    pub(crate) key: Option<Key>,
    /// None where it is invalid.
    pub(crate) content: Option<Content>,
}

/// The flags that decide what is done.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    pub(crate) prune: bool,
    pub(crate) renew_within: Option<u16>,
    pub(crate) revoke_renewed: bool,
    pub(crate) replace_suspended: bool,
    pub(crate) reissue_revoked: bool,
    pub(crate) is_sd_jwt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Suspended,
    Revoked { by_hand: bool },
}

/// A credential that was issued.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) content: Content,
    pub(crate) issued: i64,
    pub(crate) expires: i64,
    pub(crate) status: Status,
}

impl Credential {
    fn is_in_force(&self, now: i64) -> bool {
        self.status == Status::Active && now < self.expires
    }
}

/// What has to become of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Issue,
    /// In the place of one that was revoked by hand.
    Reissue,
    Replace,
    Renew,
    Unchanged,
    /// Suspended, and left so.
    Kept,
    Fail,
}

/// Which status a credential has to have afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The one it has.
    Same,
    Revoked,
    Either,
}

/// What has to come of a run.
#[derive(Debug)]
pub(crate) struct Expected {
    /// One for each item.
    pub(crate) verdicts: Vec<Verdict>,
    /// For each credential that may change, by its id.
    pub(crate) after: BTreeMap<String, After>,
    /// Credentials that are revoked because their item is gone, and those of them that have expired.
    pub(crate) removed: Vec<String>,
    pub(crate) maybe_removed: Vec<String>,
    /// How many revocations count for `--max-removals`, at least and at most.
    pub(crate) revocations: (usize, usize),
    pub(crate) is_pruning_off: bool,
}

/// The credentials of a scope, the newest of each id last.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) of: BTreeMap<Key, Vec<Credential>>,
}

impl Model {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Credential> {
        self.of.values().flatten()
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Credential> {
        self.of.values_mut().flatten()
    }

    pub(crate) fn newest(&self, key: Key) -> Option<&Credential> {
        self.of.get(&key)?.last()
    }

    /// How many credentials are active and have not expired.
    pub(crate) fn in_force(&self, now: i64) -> usize {
        self.all().filter(|credential| credential.is_in_force(now)).count()
    }

    /// What a run over these items has to do.
    pub(crate) fn expected(&self, items: &[Item], flags: &Flags, now: i64) -> Expected {
        let mut seen = BTreeMap::<Key, usize>::new();
        for key in items.iter().filter_map(|item| item.key) {
            *seen.entry(key).or_default() += 1;
        }
        let verdict = |item: &Item| match (item.key, item.content) {
            (Some(key), Some(content)) if seen[&key] == 1 => self.verdict(key, content, flags, now),
            _ => Verdict::Fail,
        };
        let verdicts: Vec<Verdict> = items.iter().map(verdict).collect();

        let mut expected = Expected {
            after: BTreeMap::new(),
            removed: Vec::new(),
            maybe_removed: Vec::new(),
            revocations: (0, 0),
            // One of two rows with an id may stand for another item, which then only seems to be gone.
            is_pruning_off: items.iter().any(|item| item.key.is_none_or(|key| seen[&key] > 1)),
            verdicts,
        };
        for (item, verdict) in items.iter().zip(expected.verdicts.clone()) {
            if let (Some(key), Some(content)) = (item.key, item.content) {
                self.follow(key, content, verdict, flags, now, &mut expected);
            }
        }
        if flags.prune && !expected.is_pruning_off {
            let present: BTreeSet<Key> = seen.into_keys().collect();
            for (_, credentials) in self.of.iter().filter(|(key, _)| !present.contains(key)) {
                for gone in credentials.iter().filter(|gone| gone.status == Status::Active) {
                    let is_in_force = gone.is_in_force(now);
                    let list = if is_in_force { &mut expected.removed } else { &mut expected.maybe_removed };
                    list.push(gone.id.clone());
                    expected.revoke(gone, now, true);
                }
            }
        }
        expected
    }

    fn verdict(&self, key: Key, content: Content, flags: &Flags, now: i64) -> Verdict {
        let Some(newest) = self.newest(key) else { return Verdict::Issue };
        let is_same = newest.content == content;
        match newest.status {
            Status::Revoked { by_hand: false } => Verdict::Issue,
            Status::Revoked { by_hand: true } if flags.reissue_revoked => Verdict::Reissue,
            Status::Revoked { by_hand: true } => Verdict::Fail,
            Status::Suspended if is_same => Verdict::Kept,
            Status::Suspended if flags.replace_suspended => Verdict::Replace,
            Status::Suspended => Verdict::Fail,
            Status::Active if newest.expires <= now => Verdict::Issue,
            Status::Active if !is_same => Verdict::Replace,
            Status::Active => {
                let left = newest.expires - now;
                let is_near = flags.renew_within.is_some_and(|days| left < i64::from(days) * 86_400);
                let is_past_half = 2 * left < newest.expires - newest.issued;
                if is_near && is_past_half { Verdict::Renew } else { Verdict::Unchanged }
            }
        }
    }

    /// What the verdict means for the credentials that the id has.
    fn follow(
        &self,
        key: Key,
        content: Content,
        verdict: Verdict,
        flags: &Flags,
        now: i64,
        expected: &mut Expected,
    ) {
        let Some((newest, formers)) = self.of.get(&key).and_then(|all| all.split_last()) else { return };
        match verdict {
            Verdict::Unchanged | Verdict::Kept | Verdict::Fail => {}
            Verdict::Replace => {
                for former in formers.iter().chain([newest]) {
                    expected.revoke(former, now, true);
                }
            }
            Verdict::Renew => {
                if flags.revoke_renewed {
                    expected.after.insert(newest.id.clone(), After::Revoked);
                    for former in formers {
                        expected.may_change(former);
                    }
                }
            }
            Verdict::Reissue => {
                for former in formers {
                    // What it says is not so any more.
                    if former.is_in_force(now) && former.content != content {
                        expected.revoke(former, now, true);
                    } else {
                        expected.revoke(former, now, false);
                    }
                }
            }
            Verdict::Issue => {
                for former in formers.iter().chain([newest]) {
                    expected.revoke(former, now, false);
                }
            }
        }
    }
}

impl Expected {
    /// Has a credential revoked, or lets it be.
    fn revoke(&mut self, credential: &Credential, now: i64, must: bool) {
        match credential.status {
            Status::Revoked { .. } => {}
            // An expired one need not be.
            Status::Active | Status::Suspended if must && now < credential.expires => {
                self.after.insert(credential.id.clone(), After::Revoked);
                self.revocations.0 += 1;
                self.revocations.1 += 1;
            }
            Status::Active => {
                self.may_change(credential);
                self.revocations.1 += 1;
            }
            Status::Suspended if must => {
                self.may_change(credential);
                self.revocations.1 += 1;
            }
            Status::Suspended => {}
        }
    }

    fn may_change(&mut self, credential: &Credential) {
        if credential.status == Status::Active || credential.status == Status::Suspended {
            self.after.insert(credential.id.clone(), After::Either);
        }
    }

    pub(crate) fn after(&self, id: &str) -> After {
        self.after.get(id).copied().unwrap_or(After::Same)
    }

    pub(crate) fn count(&self, of: impl Fn(Verdict) -> bool) -> usize {
        self.verdicts.iter().filter(|verdict| of(**verdict)).count()
    }

    /// Whether a failure has to be told.
    pub(crate) fn has_failures(&self, flags: &Flags) -> bool {
        self.count(|verdict| verdict == Verdict::Fail) > 0 || (flags.prune && self.is_pruning_off)
    }
}
