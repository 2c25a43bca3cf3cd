//! Ids of the user's own, and the search for the credentials that have them.
//!
//! The ledger knows such ids by keyed hashes, which have no index. So the ids are collected first, up to
//! [`MAX_NAMES`], and one pass over the ledger finds the credentials of all of them. One id may have
//! several credentials, and all of them are found. An id that has none is told after the pass.

use std::collections::HashSet;

use super::target::ChangeTarget;
use crate::cli::failure::Failure;
use crate::ledger::{Credential, Filter, Ledger, RecordPlace};
use crate::request::{ErrorCode, Lookup, LookupHash};

/// The most ids of one pass. With [`MAX_TEXT`] this bounds the memory, to about 40 MB.
const MAX_NAMES: usize = 1 << 18;
/// The most bytes that the ids of one pass may have together.
const MAX_TEXT: usize = 8 << 20;

/// Ids of one kind.
#[derive(Debug)]
pub(super) struct Names {
    lookup: Lookup,
    names: Vec<NamedCredential>,
    /// The hashes, in order, and which name has each; the first of those that are the same comes first.
    by_hash: Vec<(LookupHash, u32)>,
    text_bytes: usize,
}

#[derive(Debug)]
struct NamedCredential {
    text: Box<str>,
    line: Option<u64>,
    is_found: bool,
}

impl Names {
    pub(super) fn new(lookup: Lookup) -> Names {
        Names { lookup, names: Vec::new(), by_hash: Vec::new(), text_bytes: 0 }
    }

    pub(super) fn add(&mut self, text: &str, line: Option<u64>) {
        self.text_bytes += text.len();
        self.names.push(NamedCredential { text: text.into(), line, is_found: false });
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.names.len() >= MAX_NAMES || self.text_bytes >= MAX_TEXT
    }

    /// Hashes the ids, and drops those that are there twice: the first one stands for all.
    fn hash(&mut self, hash_key: &[u8; 32]) -> HashSet<LookupHash> {
        let hash = |(number, name): (usize, &NamedCredential)| {
            (self.lookup.hash(hash_key, &name.text), number as u32)
        };
        self.by_hash = self.names.iter().enumerate().map(hash).collect();
        self.by_hash.sort_unstable();
        self.by_hash.dedup_by_key(|(hash, _)| *hash);
        self.by_hash.iter().map(|(hash, _)| *hash).collect()
    }

    /// The name that a credential was found by.
    fn find(&mut self, credential: &Credential) -> Option<&NamedCredential> {
        let hashes = match self.lookup {
            // Under `--delegated` a credential may be that of an agent to whom the subject delegated.
            Lookup::Subject => vec![&credential.subject_hash, &credential.delegator_hash],
            Lookup::CorrelationId => vec![&credential.correlation_hash],
        };
        let place = |sought| self.by_hash.binary_search_by_key(sought, |(hash, _)| *hash).ok();
        let at = hashes.into_iter().find_map(place)?;
        let name = &mut self.names[self.by_hash[at].1 as usize];
        name.is_found = true;
        Some(name)
    }

    /// The names that no credential has, in their order.
    fn missing(&self) -> Vec<u32> {
        let missing = self.by_hash.iter().filter(|(_, number)| !self.names[*number as usize].is_found);
        let mut missing: Vec<u32> = missing.map(|(_, number)| *number).collect();
        missing.sort_unstable();
        missing
    }
}

/// One pass over the ledger.
#[derive(Debug)]
pub(super) struct Search {
    filter: Filter,
    names: Vec<Names>,
    /// Whether a credential must meet more conditions than having one of the names.
    is_narrow: bool,
    after: Option<RecordPlace>,
    /// Once the pass is over: which names no credential has, the last one first.
    missing: Option<Vec<(usize, u32)>>,
}

impl Search {
    /// Looks for what the filter takes, and has one of the names of each kind.
    pub(super) fn new(mut filter: Filter, names: Vec<Names>, ledger: &Ledger) -> Search {
        let mut names: Vec<Names> = names.into_iter().filter(|names| names.len() > 0).collect();
        let Filter { run, issuer, kid, vct, credential_type, .. } = &filter;
        let is_narrow = names.len() > 1
            || [run, issuer, kid, vct, credential_type].iter().any(|condition| condition.is_some());
        for names in &mut names {
            let hashes = Some(names.hash(&ledger.hash_key()));
            match names.lookup {
                Lookup::Subject => filter.subjects = hashes,
                Lookup::CorrelationId => filter.correlation_ids = hashes,
            }
        }
        Search { filter, names, is_narrow, after: None, missing: None }
    }

    /// The next credentials, and after all of them the names that have none; nothing after the last. At most
    /// `limit`.
    pub(super) fn next_batch(
        &mut self,
        ledger: &mut Ledger,
        limit: usize,
    ) -> Result<Vec<ChangeTarget>, Failure> {
        if self.missing.is_none() {
            let found = ledger.credentials(&self.filter, self.after, limit)?;
            self.after = found.last().map(|credential| credential.place).or(self.after);
            let targets: Vec<ChangeTarget> = found.iter().map(|credential| self.target(credential)).collect();
            if targets.len() < limit {
                self.missing = Some(self.collect_missing());
            }
            if !targets.is_empty() {
                return Ok(targets);
            }
        }
        let missing = self.missing.get_or_insert_default();
        let last = missing.split_off(missing.len().saturating_sub(limit));
        Ok(last.into_iter().rev().map(|(kind, number)| self.not_found(kind, number)).collect())
    }

    fn target(&mut self, credential: &Credential) -> ChangeTarget {
        let mut target = ChangeTarget::of(Ok(credential.id));
        for names in &mut self.names {
            let lookup = names.lookup;
            let Some(name) = names.find(credential) else { continue };
            target.line = target.line.or(name.line);
            target.own_id.set(lookup, &name.text);
        }
        target
    }

    fn collect_missing(&self) -> Vec<(usize, u32)> {
        let of_kind = |(kind, names): (usize, &Names)| {
            names.missing().into_iter().map(move |number| (kind, number)).collect::<Vec<_>>()
        };
        let mut missing: Vec<_> = self.names.iter().enumerate().flat_map(of_kind).collect();
        missing.reverse();
        missing
    }

    fn not_found(&self, kind: usize, number: u32) -> ChangeTarget {
        let names = &self.names[kind];
        let name = &names.names[number as usize];
        let what = match names.lookup {
            Lookup::Subject => "subject id",
            Lookup::CorrelationId => "correlation id",
        };
        let narrow = if self.is_narrow { " and meets the other conditions" } else { "" };
        let message = format!("no credential in the ledger has this {what}{narrow}");
        let mut target = ChangeTarget::of(Err((ErrorCode::CredentialNotFound, message)));
        target.line = name.line;
        target.own_id.set(names.lookup, &name.text);
        target
    }
}
