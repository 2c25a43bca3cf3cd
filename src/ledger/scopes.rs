//! Scopes: within which an item is known by its id.
//!
//! | kind | what it is | how its items are known |
//! | --- | --- | --- |
//! | `key` | an idempotency key under which items are known by an id | as its rule says |
//! | `register` | a register that `sync` keeps | as its rule says, within a type |
//!
//! A run under a key whose items are known by their places alone, or without a key, has no scope.

use super::checksum::{Checksum, contradiction};
use super::rows::ScopeRow;
use super::seal::{Counts, Seal, must_count};
use super::store::{Store, Stored};
use super::{Difference, LedgerError, corrupt, next};
use crate::clock::system_now;
use crate::request::IdRule;

/// What a scope is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// An idempotency key.
    Key,
    /// A register.
    Register,
}

impl ScopeKind {
    fn as_str(self) -> &'static str {
        match self {
            ScopeKind::Key => "key",
            ScopeKind::Register => "register",
        }
    }
}

/// A scope's row.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) number: i64,
    pub(super) kind: ScopeKind,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) rule: IdRule,
    created_at: i64,
    /// How often its index was changed.
    pub(super) version: i64,
    /// How many entries its index has.
    pub(super) entries: i64,
    /// The sum of the checksums of its segments: see [`super::items`].
    pub(super) sum: i64,
}

impl Scope {
    /// The scope of this kind and name, where there is one. Refuses a ledger that may only seem to have none.
    pub(super) fn find(store: &dyn Store, kind: ScopeKind, name: &str) -> Stored<Option<Scope>> {
        if let Some(row) = store.scope_named(kind.as_str(), name)? {
            return Scope::read(row).map(Some);
        }
        let all = Scope::all(store)?;
        match all.iter().any(|scope| scope.kind == kind && scope.name == name) {
            true => Err(contradiction("the index of table `scopes` does not find a scope that is there")),
            false => Ok(None),
        }
    }

    /// The scope of this number.
    pub(super) fn of_number(store: &dyn Store, number: i64) -> Stored<Scope> {
        let found = Scope::all(store)?.into_iter().find(|scope| scope.number == number);
        found.ok_or_else(|| contradiction(format!("table `scopes`, scope {number} is missing")))
    }

    /// All scopes, if none is missing.
    pub(super) fn all(store: &dyn Store) -> Stored<Vec<Scope>> {
        let mut scopes = Vec::new();
        store.scan_scopes(&mut |row| {
            scopes.push(Scope::read(row)?);
            Ok(())
        })?;
        must_count("scopes", scopes.len() as i64, Seal::read(store)?.counts.scopes)?;
        Ok(scopes)
    }

    /// Adds a scope.
    pub(super) fn add(
        store: &dyn Store,
        kind: ScopeKind,
        (name, issuer, rule): (&str, &str, IdRule),
        added: &mut Counts,
    ) -> Stored<Scope> {
        let scope = Scope {
            number: next(store.last_scope()?)?,
            kind,
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            rule,
            created_at: system_now().seconds(),
            version: 0,
            entries: 0,
            sum: 0,
        };
        store.insert_scope(&scope.row())?;
        added.scopes += 1;
        Ok(scope)
    }

    /// Writes what changes of it.
    pub(super) fn update(&self, store: &dyn Store) -> Stored<()> {
        store.update_scope(&self.row())
    }

    /// Refuses to go on with it under another rule or for another issuer.
    pub(super) fn must_be(&self, issuer: &str, rule: IdRule) -> Result<(), LedgerError> {
        let of_issuer = (self.issuer != issuer).then(|| Difference::new("issuer", &self.issuer, issuer));
        let of_rule =
            (self.rule != rule).then(|| Difference::new("identity", self.rule.as_str(), rule.as_str()));
        let differences: Vec<_> = of_issuer.into_iter().chain(of_rule).collect();
        match (differences.is_empty(), self.kind) {
            (true, _) => Ok(()),
            (false, ScopeKind::Key) => Err(LedgerError::OtherTerms { name: self.name.clone(), differences }),
            (false, ScopeKind::Register) => {
                Err(LedgerError::OtherRegister { name: self.name.clone(), differences })
            }
        }
    }

    fn read(row: ScopeRow) -> Stored<Scope> {
        let kind = [ScopeKind::Key, ScopeKind::Register].into_iter().find(|kind| kind.as_str() == row.kind);
        let scope = Scope {
            number: row.scope,
            kind: kind.ok_or_else(corrupt)?,
            name: row.name,
            issuer: row.issuer,
            rule: IdRule::ALL.into_iter().find(|rule| rule.as_str() == row.rule).ok_or_else(corrupt)?,
            created_at: row.created_at,
            version: row.version,
            entries: row.entries,
            sum: row.sum,
        };
        scope.checksum().must_be(row.crc, || format!("table `scopes`, scope {}", scope.number))?;
        Ok(scope)
    }

    fn row(&self) -> ScopeRow {
        ScopeRow {
            scope: self.number,
            kind: self.kind.as_str().to_owned(),
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            rule: self.rule.as_str().to_owned(),
            created_at: self.created_at,
            version: self.version,
            entries: self.entries,
            sum: self.sum,
            crc: self.checksum().sum(),
        }
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("scopes").number(self.number).text(self.kind.as_str()).text(&self.name);
        let sums = sums.text(&self.issuer).text(self.rule.as_str()).number(self.created_at);
        sums.number(self.version).number(self.entries).number(self.sum)
    }
}
