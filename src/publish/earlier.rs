//! What was published before: which revocations the ledger may have forgotten.
//!
//! A ledger that was restored from an older copy has forgotten some, and must not take them back in public. So every
//! list is compared with the lists in the directory and in a former site, in whatever form they are there. After a
//! restore each list that is older than it must be among them, or the run stops. Which files count:
//!
//! | a file | its revocations |
//! | --- | --- |
//! | that cannot be read as a list | none: it says nothing |
//! | a list | stop the run, where the ledger does not know them |
//! | a list that a key of this issuer signed | may also be kept, by the user's wish |
//!
//! A suspension may have been lifted rightly, so one that a restored ledger does not know stops nothing. It is told,
//! for the user to repeat.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lists::entries_of;
use super::{Directory, MAX_FILE_BYTES, PublishError, SitePlan};
use crate::credential::Status;
use crate::keys::{self, PublicKey};
use crate::ledger::ListState;
use crate::ledger::allocation::LIST_ENTRIES;
use crate::publish::documents::{DocumentKind, SitePath};
use crate::status_list::bitstring::{self, StatusPurpose};
use crate::status_list::{StatusType, token_list};
use crate::token::{Compact, Part, decode, decode_text};

/// The comparison of all lists with what was published.
pub(super) struct Earlier<'p> {
    plan: &'p SitePlan<'p>,
    directory: &'p Directory,
    previous: Option<Directory>,
    /// The lists of the ledger that were found, in any form, and their folders.
    known: HashSet<PathBuf>,
    folders: HashSet<SitePath>,
    /// The revocations of the list at hand that the ledger does not know.
    lost: HashSet<u64>,
    /// The suspensions of the list at hand that a restored ledger does not know, and how many there are in all lists.
    lifted: HashSet<u64>,
    lifted_count: u64,
    /// How many lost revocations there are in all lists, and where the first is.
    lost_count: u64,
    first_lost: Option<PathBuf>,
    /// Whether the list at hand was found.
    found: bool,
    /// The first list from before a restore that was found nowhere.
    missing: Option<String>,
}

impl<'p> Earlier<'p> {
    pub(super) fn new(plan: &'p SitePlan<'p>, directory: &'p Directory) -> Earlier<'p> {
        Earlier {
            plan,
            directory,
            previous: plan.previous.as_deref().map(Directory::to_read),
            known: HashSet::new(),
            folders: HashSet::new(),
            lost: HashSet::new(),
            lifted: HashSet::new(),
            lifted_count: 0,
            lost_count: 0,
            first_lost: None,
            found: false,
            missing: None,
        }
    }

    /// Compares a form of a list with what was published at its place.
    pub(super) fn note(
        &mut self,
        path: &SitePath,
        kind: DocumentKind,
        list: &ListState,
    ) -> Result<(), PublishError> {
        let revoked = entries_of(list, &[Status::Revoked]);
        let taken_back = entries_of(list, &[Status::Revoked, Status::Suspended]);
        if kind.list_folder().is_some() {
            self.folders.insert(path.folder());
        }
        for site in [Some(self.directory), self.previous.as_ref()].into_iter().flatten() {
            let Some(bytes) = site.read(path)? else { continue };
            let Some(published) = Published::of(&bytes) else { continue };
            let file = site.path_of(path);
            if self.plan.ledger_was_restored {
                self.lifted
                    .extend(published.suspended.into_iter().filter(|index| !taken_back.contains(index)));
            }
            let lost: Vec<u64> =
                published.revoked.into_iter().filter(|index| !revoked.contains(index)).collect();
            if !lost.is_empty() {
                if self.plan.accept_lost_revocations && !is_ours(&bytes, self.plan) {
                    return Err(PublishError::NotOurs { path: file });
                }
                self.first_lost.get_or_insert_with(|| file.clone());
                self.lost.extend(lost);
            }
            self.known.insert(file);
            self.found = true;
        }
        Ok(())
    }

    /// Ends the comparison of a list: what the ledger has forgotten of it stays revoked, should it be published.
    pub(super) fn keep_lost(&mut self, list: &mut ListState) {
        if !std::mem::take(&mut self.found) && list.closed {
            self.missing.get_or_insert_with(|| list.uris.token.clone());
        }
        self.lost_count += self.lost.len() as u64;
        let lost = std::mem::take(&mut self.lost);
        self.lifted_count += std::mem::take(&mut self.lifted).difference(&lost).count() as u64;
        list.entries.retain(|(index, _)| !lost.contains(&u64::from(*index)));
        let in_list = |index: u64| u32::try_from(index).ok().filter(|index| *index < LIST_ENTRIES);
        list.entries.extend(lost.into_iter().filter_map(in_list).map(|index| (index, Status::Revoked)));
    }

    /// Whether anything may be published.
    pub(super) fn check(&self) -> Result<(), PublishError> {
        if self.plan.accept_lost_revocations {
            return Ok(());
        }
        if let Some(path) = &self.first_lost {
            return Err(PublishError::Forgotten { path: path.clone(), count: self.lost_count });
        }
        match &self.missing {
            Some(list) if self.plan.ledger_was_restored => {
                let (list, directory) = (list.clone(), self.directory.root().to_owned());
                Err(PublishError::NothingToCompare { list, directory })
            }
            _ => Ok(()),
        }
    }

    /// What is to be said about revocations that were kept, and lists that the ledger does not know.
    pub(super) fn notice(&self) -> Result<Vec<String>, PublishError> {
        let mut notices = Vec::new();
        if self.lost_count > 0 {
            notices.push(format!(
                "{} published revocation{} not in the ledger: kept in the lists",
                self.lost_count,
                if self.lost_count == 1 { " is" } else { "s are" }
            ));
        }
        if self.lifted_count > 0 {
            let (count, verb) = (self.lifted_count, if self.lifted_count == 1 { " is" } else { "s are" });
            notices.push(format!(
                "{count} published suspension{verb} not in the restored ledger: those credentials will be active; \
                 suspend them again, unless they were reinstated"
            ));
        }
        let mut unknown = 0;
        for site in [Some(self.directory), self.previous.as_ref()].into_iter().flatten() {
            for folder in &self.folders {
                let files = site.files_in(folder)?;
                unknown +=
                    files.iter().filter(|file| !self.known.contains(*file) && self.is_list(file)).count();
            }
        }
        if unknown > 0 {
            let (noun, pronoun) = if unknown == 1 { ("file", "its") } else { ("files", "their") };
            notices.push(format!(
                "{unknown} published {noun} with a status list that this ledger does not know will expire; \
                 {pronoun} credentials then have no known status"
            ));
        }
        Ok(notices)
    }

    /// Whether a file is a list of this issuer.
    fn is_list(&self, file: &Path) -> bool {
        let bytes = crate::files::read_limited(file, MAX_FILE_BYTES).unwrap_or_default();
        let is_of_issuer = payload(&bytes).is_some_and(|payload| {
            let has_list = ["/status_list", "/credentialSubject/encodedList"];
            has_list.iter().any(|place| payload.pointer(place).is_some())
                && payload.get("iss").and_then(Value::as_str) == Some(self.plan.issuer.id())
        });
        is_of_issuer && is_ours(&bytes, self.plan)
    }
}

/// Whether a key of this issuer signed it.
fn is_ours(bytes: &[u8], plan: &SitePlan<'_>) -> bool {
    let signed_by = |key: &PublicKey| {
        let token = Compact::split(std::str::from_utf8(bytes).ok()?).ok()?;
        let mut buffer = Vec::new();
        let signature = decode(token.signature, Part::Signature, &mut buffer).ok()?;
        Some(keys::verify_es256(key, token.signing_input(), signature))
    };
    let others = plan.other_keys.iter().map(|(key, _)| key);
    others.chain([plan.key.public()]).any(|key| signed_by(key) == Some(true))
}

fn payload(bytes: &[u8]) -> Option<Value> {
    let token = Compact::split(std::str::from_utf8(bytes).ok()?).ok()?;
    let mut buffer = Vec::new();
    serde_json::from_str(decode_text(token.payload, Part::Payload, &mut buffer).ok()?).ok()
}

/// What a published list says, in either form.
#[derive(Default)]
struct Published {
    revoked: Vec<u64>,
    suspended: Vec<u64>,
}

impl Published {
    /// None where the file is something else.
    fn of(bytes: &[u8]) -> Option<Published> {
        let payload = payload(bytes)?;
        if let Some(subject) = payload.get("credentialSubject") {
            let text = |name| subject.get(name).and_then(Value::as_str);
            let purpose = StatusPurpose::of_name(text("statusPurpose")?)?;
            let list = bitstring::decode(text("encodedList")?, MAX_FILE_BYTES).ok()?;
            let set = (0..list.entries()).filter(|index| list.get(*index) == Some(true)).collect();
            return Some(match purpose {
                StatusPurpose::Revocation => Published { revoked: set, ..Published::default() },
                StatusPurpose::Suspension => Published { suspended: set, ..Published::default() },
            });
        }
        let list = payload.get("status_list")?;
        let (bits, lst) = (list.get("bits")?.as_u64()?, list.get("lst")?.as_str()?);
        let array = token_list::decode(bits, lst, MAX_FILE_BYTES).ok()?;
        let with = |status: StatusType| {
            (0..array.entries()).filter(|index| array.get(*index) == Some(status.value())).collect()
        };
        Some(Published { revoked: with(StatusType::Invalid), suspended: with(StatusType::Suspended) })
    }
}
