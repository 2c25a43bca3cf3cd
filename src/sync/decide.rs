//! The rule of `sync`: what an item gets, given the credentials that it has.

use crate::clock::UnixTime;
use crate::credential::Status;
use crate::request::rules::CalendarDuration;

/// What the user lets a `sync` do.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Credentials with less life left than this, and than half of their whole life, are renewed.
    pub renew_within: Option<CalendarDuration>,
    /// The former of a renewed credential is revoked.
    pub revoke_renewed: bool,
    /// A suspended credential whose item has changed is replaced.
    pub replace_suspended: bool,
    /// An item whose credential somebody revoked gets a new one.
    pub reissue_revoked: bool,
}

/// A credential of an item, compared with the item as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Former {
    /// Its status.
    pub status: Status,
    /// Whether a `sync` gave it that status.
    pub by_sync: bool,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// How it differs from what would be issued now.
    pub change: Change,
}

/// How a credential differs from what would be issued now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    None,
    /// The item says the same; the settings are others (type, `vct`, proof format or disclosure policy).
    Settings,
    /// The item says something else.
    Item,
}

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has its credential.
    Unchanged,
    /// As [`Fate::Unchanged`], and the credential is suspended.
    StaysSuspended,
    /// It gets a credential.
    Issue,
    /// It gets another credential, and all that it has are revoked.
    Replace,
    /// It gets another credential before the one that it has expires.
    Renew,
    /// It fails: its credential is suspended, and the item has changed.
    Suspended,
    /// It fails: somebody revoked its credential.
    Revoked,
}

impl Former {
    fn has_expired(&self, now: UnixTime) -> bool {
        self.expires_at <= now
    }

    /// Whether little of its life is left.
    fn is_due(&self, renew_within: &CalendarDuration, now: UnixTime) -> bool {
        let left = self.expires_at.seconds() - now.seconds();
        let whole = self.expires_at.seconds() - self.issued_at.seconds();
        left.saturating_mul(2) < whole && renew_within.after(now).is_ok_and(|end| self.expires_at < end)
    }

    /// Whether it is revoked when its item gets another credential in this way.
    pub fn is_revoked_with(&self, fate: Fate, allowed: &Allowed, now: UnixTime) -> bool {
        let is_good = self.status != Status::Revoked;
        match fate {
            // All of them, so that nothing that is superseded is left, whatever a verifier's clock says.
            Fate::Replace => is_good,
            Fate::Renew => is_good && allowed.revoke_renewed && !self.has_expired(now),
            // One that was renewed may outlive the credential that took its place.
            Fate::Issue => is_good && self.change != Change::None && !self.has_expired(now),
            _ => false,
        }
    }
}

/// What becomes of an item with this newest credential.
pub fn decide(newest: &Former, allowed: &Allowed, now: UnixTime) -> Fate {
    let is_same = newest.change == Change::None;
    match newest.status {
        Status::Revoked if newest.by_sync || allowed.reissue_revoked => Fate::Issue,
        Status::Revoked => Fate::Revoked,
        Status::Suspended if is_same => Fate::StaysSuspended,
        Status::Suspended if allowed.replace_suspended => Fate::Replace,
        Status::Suspended => Fate::Suspended,
        Status::Active if newest.has_expired(now) => Fate::Issue,
        Status::Active if !is_same => Fate::Replace,
        Status::Active => match &allowed.renew_within {
            Some(renew_within) if newest.is_due(renew_within, now) => Fate::Renew,
            _ => Fate::Unchanged,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(day: i64) -> UnixTime {
        UnixTime::from_seconds(1_795_406_400 + day * DAY).unwrap()
    }

    fn former(status: Status, change: Change) -> Former {
        Former { status, by_sync: false, issued_at: at(0), expires_at: at(100), change }
    }

    #[test]
    fn the_table_of_the_documentation_holds() {
        let plain = Allowed::default();
        let replace = Allowed { replace_suspended: true, ..Allowed::default() };
        let reissue = Allowed { reissue_revoked: true, ..Allowed::default() };
        let removed = Former { by_sync: true, ..former(Status::Revoked, Change::None) };
        for (newest, allowed, day, fate) in [
            (former(Status::Active, Change::None), &plain, 99, Fate::Unchanged),
            (former(Status::Active, Change::None), &plain, 100, Fate::Issue),
            (former(Status::Active, Change::Item), &plain, 100, Fate::Issue),
            (former(Status::Active, Change::Item), &plain, 50, Fate::Replace),
            (former(Status::Active, Change::Settings), &plain, 50, Fate::Replace),
            (former(Status::Suspended, Change::None), &plain, 50, Fate::StaysSuspended),
            (former(Status::Suspended, Change::None), &replace, 150, Fate::StaysSuspended),
            (former(Status::Suspended, Change::Item), &plain, 150, Fate::Suspended),
            (former(Status::Suspended, Change::Item), &replace, 150, Fate::Replace),
            (former(Status::Revoked, Change::None), &plain, 50, Fate::Revoked),
            (former(Status::Revoked, Change::Item), &plain, 150, Fate::Revoked),
            (former(Status::Revoked, Change::None), &reissue, 50, Fate::Issue),
            (removed, &plain, 50, Fate::Issue),
        ] {
            assert_eq!(decide(&newest, allowed, at(day)), fate, "{newest:?} on day {day}");
        }
    }

    #[test]
    fn renewal_waits_for_the_second_half_of_a_life() {
        let within = |text: &str| Allowed {
            renew_within: Some(CalendarDuration::parse(text).unwrap()),
            ..Allowed::default()
        };
        let active = former(Status::Active, Change::None);
        for (allowed, day, fate) in [
            (within("P30D"), 69, Fate::Unchanged),
            (within("P30D"), 70, Fate::Unchanged),
            (within("P30D"), 71, Fate::Renew),
            (within("P90D"), 49, Fate::Unchanged),
            (within("P90D"), 50, Fate::Unchanged),
            (within("P90D"), 51, Fate::Renew),
            (within("P90D"), 100, Fate::Issue),
        ] {
            assert_eq!(decide(&active, &allowed, at(day)), fate, "{allowed:?} on day {day}");
        }
    }
}
