//! The static site that verifiers fetch, made from keys, settings and the ledger.
//!
//! ```text
//!   keys, settings ──▶ site::* ───────────────────────────▶ Files ──▶ the directory
//!   ledger ──▶ both forms of each list ──▶ as it is there? ──▶ keep, or sign anew
//! ```
//!
//! A list that is published already is kept, byte for byte, as long as it says what the ledger
//! says, is signed by the current key, and has more than half of its life before it. So running
//! this again changes only what has to change, and running it daily never lets a list lapse. What
//! is written is replaced file by file, each at once: a reader sees the old one or the new one.
//! The directory is locked from before the ledger is read until the last file is written, so that
//! what is written last is what is newest.
//!
//! Nothing here can publish anything private: [`crate::site`] takes public keys only, and lists
//! hold bits.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use crate::clock::UnixTime;
use crate::files::{self, DirectoryMode, PathError};
use crate::issuer::Issuer;
use crate::jws::{self, SignError};
use crate::keys::{CertificateChain, IssuerKey, PublicKey};
use crate::ledger::allocation::LIST_ENTRIES;
use crate::ledger::{Ledger, LedgerError, ListState, Status};
use crate::site::{
    Document, FileConflict, Files, Hosts, KeySet, KeySetError, KeyState, Kind, PathError as PlaceError,
    SitePath, aggregation, context, did_document, jwks, jwt_vc_issuer,
};
use crate::status::bitstring::{self, Bitstring, ListCredential, Purpose};
use crate::status::token_list::{self, TokenList};
use crate::status::{self, StatusArray, Validity, Width};
use crate::token::{Compact, Part, decode_text};

/// The largest file of a site that is looked at, in bytes: lists and documents are far smaller.
const MAX_FILE_BYTES: usize = 16 << 20;

/// What is to be published.
#[derive(Debug)]
pub struct Plan<'p> {
    /// Who issues.
    pub issuer: &'p Issuer,
    /// The key that signs the lists.
    pub key: &'p IssuerKey,
    /// The keys that do not sign: next and retired ones.
    pub other_keys: Vec<(PublicKey, KeyState)>,
    /// `status.base_url`, where there is one.
    pub base_url: Option<String>,
    /// The issuer's JSON-LD context, where there is one.
    pub context: Option<String>,
    /// The credential type.
    pub vct: String,
    /// The type metadata document.
    pub type_metadata: Vec<u8>,
    /// Whether credentials hold the hash of the type metadata, so that they must stay as they are.
    pub type_metadata_are_frozen: bool,
    /// The certificates for the header of token status lists.
    pub x5c: Option<CertificateChain>,
    /// From when to when lists hold that are signed now.
    pub validity: Validity,
}

/// Why the site cannot be made.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The keys do not fit together.
    #[error("the keys cannot be published")]
    Keys(#[from] KeySetError),
    /// A URL is none of the site's.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Two files would be one.
    #[error(transparent)]
    Conflict(#[from] FileConflict),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A published list has revocations that the ledger knows nothing of.
    #[error(
        "{} has {count} revocation{} that the ledger does not know, and revocation is final",
        path.display(), plural(*count)
    )]
    Forgotten {
        /// The published list.
        path: PathBuf,
        /// How many there are.
        count: u64,
    },
    /// Type metadata that credentials hold the hash of would be replaced.
    #[error("{} holds other type metadata, and credentials hold their hash", path.display())]
    Frozen {
        /// The document.
        path: PathBuf,
    },
    /// A list cannot be signed.
    #[error("cannot sign a status list")]
    Sign(#[from] SignError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] PathError),
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The site as it should be, and what was found on the way.
#[derive(Debug, Default)]
pub struct Site {
    /// Its files.
    pub files: Files,
    /// What is left out, and why.
    pub notices: Vec<String>,
    /// Lists that were about to lapse, or had, by the paths of their files.
    pub lapsing: Vec<SitePath>,
}

/// What was done with a file, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It was not there.
    Missing,
    /// It was another.
    Outdated,
    /// It said the same, but not for much longer.
    Lapsing,
}

/// A form of a list, before it is signed.
struct Form<'l> {
    uri: String,
    /// The entries that are revoked.
    revoked: &'l HashSet<u64>,
    kind: Kind,
    header: String,
    payload: String,
}

impl Site {
    /// Makes the site from the plan and the ledger; lists that stand in the directory already and
    /// need no change are taken from there.
    ///
    /// # Errors
    /// See [`PublishError`]. Nothing is written here.
    pub fn build(
        plan: &Plan<'_>,
        ledger: Option<&Ledger>,
        directory: &Directory,
    ) -> Result<Site, PublishError> {
        let mut site = Site::default();
        let mut hosts = Hosts::new(plan.issuer, plan.base_url.as_deref())?;
        site.add_keys(plan, ledger)?;
        site.add_documents(plan, &hosts, directory)?;
        if let Some(ledger) = ledger {
            site.add_lists(plan, ledger, &mut hosts, directory)?;
        }
        site.files.add_headers()?;
        site.note_leftovers(directory)?;
        Ok(site)
    }

    fn add_keys(&mut self, plan: &Plan<'_>, ledger: Option<&Ledger>) -> Result<(), PublishError> {
        let mut keys = vec![(plan.key.public().clone(), KeyState::Current)];
        for (key, state) in &plan.other_keys {
            let kid = Issuer::parse(plan.issuer.id(), key).map_err(KeySetError::Issuer)?.kid().to_owned();
            // Another ledger may know of more, so the key is left out by people only.
            if *state == KeyState::Retired && has_expired(ledger, &kid, plan.validity.issued_at)? {
                self.notices.push(format!(
                    "the retired key {kid} can go: the last credential that it signed has expired, as far as this ledger knows"
                ));
            }
            keys.push((key.clone(), *state));
        }
        let keys = KeySet::new(plan.issuer, &keys)?;
        self.files.add(jwks::document(&keys))?;
        for document in [did_document::document(&keys), jwt_vc_issuer::document(&keys)].into_iter().flatten()
        {
            self.files.add(document)?;
        }
        Ok(())
    }

    fn add_documents(
        &mut self,
        plan: &Plan<'_>,
        hosts: &Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        if let Some(url) = &plan.context
            && let Some(path) = self.own_place(hosts, url, "the context")
        {
            self.files.add(context::document(path, url))?;
        }
        // A urn has no place on any host, and needs none.
        if plan.vct.starts_with("https://")
            && let Some(path) = self.own_place(hosts, &plan.vct, "the type metadata")
        {
            let bytes = plan.type_metadata.clone();
            let published = directory.read(&path)?;
            if plan.type_metadata_are_frozen && published.is_some_and(|published| published != bytes) {
                return Err(PublishError::Frozen { path: directory.path_of(&path) });
            }
            self.files.add(Document { path, kind: Kind::TypeMetadata, bytes })?;
        }
        Ok(())
    }

    /// The place of a document; none where its URL is on somebody else's host, or names no file.
    fn own_place(&mut self, hosts: &Hosts, url: &str, what: &str) -> Option<SitePath> {
        let problem = match hosts.path_of(url) {
            Ok(path) => return Some(path),
            Err(PlaceError::OtherHost { .. }) => format!("{url} is on a host that is not this issuer's"),
            Err(error) => error.to_string(),
        };
        self.notices.push(format!("{what} is left out: {problem}"));
        None
    }

    fn add_lists(
        &mut self,
        plan: &Plan<'_>,
        ledger: &Ledger,
        hosts: &mut Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        let signer = plan.key.signer()?;
        let aggregation_uri = plan.base_url.as_deref().map(aggregation::url);
        let (mut uris, mut of_others) = (Vec::new(), 0);
        for number in ledger.status_lists()? {
            let list = ledger.status_list(number)?;
            if list.issuer != plan.issuer.id() {
                of_others += 1;
                continue;
            }
            if let Some(host) = hosts.add(&list.uris.token)? {
                self.notices
                    .push(format!("status lists of {host} are among the files: upload them there too"));
            }
            let revoked = revoked_entries(&list);
            for form in forms(&list, &revoked, plan, aggregation_uri.as_deref()) {
                let path = hosts.path_of(&form.uri)?;
                let published = directory.read(&path)?;
                refuse_to_forget(&form, published.as_deref(), &directory.path_of(&path))?;
                let freshness = form.freshness(published.as_deref(), plan);
                let bytes = match (freshness, published) {
                    (Freshness::Fresh, Some(bytes)) => bytes,
                    (freshness, _) => {
                        if freshness == Freshness::Lapsing {
                            self.lapsing.push(path.clone());
                        }
                        jws::sign_compact(&signer, &form.header, &form.payload)?.into_bytes()
                    }
                };
                self.files.add(Document { path, kind: form.kind, bytes })?;
            }
            uris.push(list.uris.token);
        }
        if of_others > 0 {
            let verb = if of_others == 1 { "is" } else { "are" };
            let lists = format!("{of_others} status list{}", plural(of_others));
            self.notices.push(format!("{lists} of other issuers {verb} left out"));
        }
        if !uris.is_empty() {
            let path = match &aggregation_uri {
                Some(uri) => hosts.path_of(uri)?,
                None => aggregation::path_without_url(),
            };
            let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
            self.files.add(aggregation::document(path, &uris))?;
        }
        Ok(())
    }

    /// Documents that name another kind of issuer's keys would be believed for ever.
    fn note_leftovers(&mut self, directory: &Directory) -> Result<(), PublishError> {
        for path in [did_document::default_path(), jwt_vc_issuer::default_path()] {
            let is_ours = self.files.iter().any(|(known, ..)| *known == path);
            if !is_ours && directory.read(&path)?.is_some() {
                let path = directory.path_of(&path);
                self.notices
                    .push(format!("{} is left over from another issuer; take it away", path.display()));
            }
        }
        Ok(())
    }

    /// The files that are not in the directory as they should be.
    ///
    /// # Errors
    /// Where a file that is there cannot be read.
    pub fn differences(&self, directory: &Directory) -> Result<Vec<Differing<'_>>, PublishError> {
        let mut differences = Vec::new();
        for (path, _, bytes) in self.files.iter() {
            let difference = match directory.read(path)? {
                None => Difference::Missing,
                Some(there) if there == bytes => continue,
                Some(_) if self.lapsing.contains(path) => Difference::Lapsing,
                Some(_) => Difference::Outdated,
            };
            differences.push(Differing { path, difference, bytes });
        }
        Ok(differences)
    }
}

/// A file that is not in the directory as it should be.
#[derive(Debug, Clone, Copy)]
pub struct Differing<'s> {
    /// Where it belongs.
    pub path: &'s SitePath,
    /// What is wrong with what is there.
    pub difference: Difference,
    /// What it should hold.
    bytes: &'s [u8],
}

/// The directory of a site. While it is open to be written, no other process publishes into it.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    _lock: Option<File>,
}

impl Directory {
    /// Opens the directory to be written, and makes it where there is none. Waits for others who
    /// publish into it.
    ///
    /// # Errors
    /// Where it cannot be made or opened.
    pub fn to_write(root: &Path) -> Result<Directory, PathError> {
        let failed = |source| PathError::new("open", root, source);
        files::create_directories(root, DirectoryMode::Shared).map_err(failed)?;
        // Elsewhere directories cannot be opened as files.
        let lock = if cfg!(unix) { Some(File::open(root).map_err(failed)?) } else { None };
        lock.as_ref().map_or(Ok(()), File::lock).map_err(failed)?;
        Ok(Directory { root: root.to_owned(), _lock: lock })
    }

    /// The directory as it is; there may be none.
    pub fn to_read(root: &Path) -> Directory {
        Directory { root: root.to_owned(), _lock: None }
    }

    fn path_of(&self, path: &SitePath) -> PathBuf {
        self.root.join(path.relative())
    }

    /// What a file holds; none where there is no such file.
    fn read(&self, path: &SitePath) -> Result<Option<Vec<u8>>, PathError> {
        let path = self.path_of(path);
        let read = || match fs::metadata(&path)?.len() {
            // Nothing of ours is as large: whatever it is, it is not what it should be.
            length if length > MAX_FILE_BYTES as u64 => Ok(Vec::new()),
            _ => fs::read(&path),
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(PathError::new("read", &path, source)),
        }
    }

    /// Writes a file, in place of an older one.
    ///
    /// # Errors
    /// Where it cannot be written. The older one is then still there.
    pub fn write(&self, file: &Differing<'_>) -> Result<(), PathError> {
        let target = self.path_of(file.path);
        if let Some(folder) = target.parent() {
            files::create_directories(folder, DirectoryMode::Shared)
                .map_err(|source| PathError::new("create", folder, source))?;
        }
        files::replace(&target, file.bytes)
    }
}

/// Revocation is final (contract section 6). A ledger that was restored from an older copy has
/// forgotten some, and must not take them back in public.
fn refuse_to_forget(form: &Form, published: Option<&[u8]>, path: &Path) -> Result<(), PublishError> {
    let theirs = published.and_then(|bytes| revocations(std::str::from_utf8(bytes).ok()?));
    let Some(theirs) = theirs else { return Ok(()) };
    let Form { revoked, .. } = form;
    let count = theirs.iter().filter(|index| !revoked.contains(index)).count() as u64;
    match count {
        0 => Ok(()),
        _ => Err(PublishError::Forgotten { path: path.to_owned(), count }),
    }
}

/// The revoked entries of a published list, in either form; none where the file is something else.
fn revocations(token: &str) -> Option<Vec<u64>> {
    let token = Compact::split(token).ok()?;
    let mut buffer = Vec::new();
    let payload = decode_text(token.payload, Part::Payload, &mut buffer).ok()?;
    let payload: Value = serde_json::from_str(payload).ok()?;
    if let Some(subject) = payload.get("credentialSubject") {
        let text = |name| subject.get(name).and_then(Value::as_str);
        let purpose = Purpose::of_name(text("statusPurpose")?)?;
        let list = bitstring::decode(text("encodedList")?, MAX_FILE_BYTES).ok()?;
        let is_set = |index: &u64| list.get(*index) == Some(true);
        return (purpose == Purpose::Revocation).then(|| (0..list.entries()).filter(is_set).collect());
    }
    let list = payload.get("status_list")?;
    let (bits, lst) = (list.get("bits")?.as_u64()?, list.get("lst")?.as_str()?);
    let array = token_list::decode(bits, lst, MAX_FILE_BYTES).ok()?;
    let revoked = status::Status::Invalid.value();
    Some((0..array.entries()).filter(|index| array.get(*index) == Some(revoked)).collect())
}

/// Whether the ledger knows that every credential signed with the key has expired.
fn has_expired(ledger: Option<&Ledger>, kid: &str, now: UnixTime) -> Result<bool, LedgerError> {
    let Some(ledger) = ledger else { return Ok(false) };
    Ok(ledger.last_expiry_of_key(kid)?.is_some_and(|last| last <= now))
}

fn revoked_entries(list: &ListState) -> HashSet<u64> {
    let revoked = list.entries.iter().filter(|(_, status)| *status == Status::Revoked);
    revoked.map(|(index, _)| (*index).into()).collect()
}

/// Every form of a list: the token list, and a bitstring for each purpose that is in use.
fn forms<'l>(
    list: &ListState,
    revoked: &'l HashSet<u64>,
    plan: &Plan<'_>,
    aggregation_uri: Option<&str>,
) -> Vec<Form<'l>> {
    let validity = plan.validity;
    // A list keeps the second bit once it had one.
    let width = if list.uris.suspension.is_some() { Width::Two } else { Width::One };
    let mut array = StatusArray::new(LIST_ENTRIES, width);
    for (index, status) in &list.entries {
        array.set((*index).into(), on_the_wire(*status)).expect("an index of the ledger is in its list");
    }
    let x5c = plan.x5c.as_ref().map(CertificateChain::to_json);
    let token = TokenList { uri: &list.uris.token, validity, array: &array, aggregation_uri };
    let mut forms = vec![Form {
        uri: list.uris.token.clone(),
        revoked,
        kind: Kind::TokenList,
        header: token_list::header(plan.issuer.kid(), x5c.as_deref()),
        payload: token.payload(),
    }];
    let bitstrings = [
        (Some(&list.uris.bitstring), Purpose::Revocation, Status::Revoked),
        (list.uris.suspension.as_ref(), Purpose::Suspension, Status::Suspended),
    ];
    for (url, purpose, status) in bitstrings {
        let Some(url) = url else { continue };
        let set = list.entries.iter().filter(|(_, entry)| *entry == status).map(|(index, _)| (*index).into());
        let bits = Bitstring::with(LIST_ENTRIES, set).expect("an index of the ledger is in its list");
        let credential = ListCredential { url, issuer: plan.issuer.id(), validity, purpose, list: &bits };
        forms.push(Form {
            uri: url.clone(),
            revoked,
            kind: Kind::BitstringList,
            header: bitstring::header(plan.issuer.kid()),
            payload: credential.payload(),
        });
    }
    forms
}

fn on_the_wire(status: Status) -> status::Status {
    match status {
        Status::Active => status::Status::Valid,
        Status::Suspended => status::Status::Suspended,
        Status::Revoked => status::Status::Invalid,
    }
}

/// Whether a published list can stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    Fresh,
    /// It says what it should, but for less than half of its life.
    Lapsing,
    /// It is not there, says something else, or is not signed by the current key.
    Outdated,
}

impl Form<'_> {
    fn freshness(&self, published: Option<&[u8]>, plan: &Plan<'_>) -> Freshness {
        let times = published.and_then(|bytes| self.times_if_same(bytes, plan.key.public()));
        let now = plan.validity.issued_at.seconds();
        match times {
            None => Freshness::Outdated,
            // Signed before a clock was put back: it does not hold yet.
            Some((issued, _)) if issued > now => Freshness::Outdated,
            Some((issued, expires)) if (expires - now) * 2 < expires - issued => Freshness::Lapsing,
            Some(_) => Freshness::Fresh,
        }
    }

    /// `iat` and `exp` of a published list that differs from this one in nothing else and is
    /// signed by the key.
    fn times_if_same(&self, published: &[u8], key: &PublicKey) -> Option<(i64, i64)> {
        let token = Compact::split(std::str::from_utf8(published).ok()?).ok()?;
        let (mut buffer, mut signature) = (Vec::new(), Vec::new());
        if decode_text(token.header, Part::Header, &mut buffer).ok()? != self.header {
            return None;
        }
        let payload = decode_text(token.payload, Part::Payload, &mut buffer).ok()?;
        let mut theirs: Value = serde_json::from_str(payload).ok()?;
        let times = (theirs.get("iat")?.as_i64()?, theirs.get("exp")?.as_i64()?);
        let mut ours: Value = serde_json::from_str(&self.payload).expect("a payload of ours is JSON");
        for payload in [&mut theirs, &mut ours] {
            let members = payload.as_object_mut()?;
            for time in ["iat", "exp", "validFrom", "validUntil"] {
                members.remove(time);
            }
        }
        let signature = crate::token::decode(token.signature, Part::Signature, &mut signature).ok()?;
        let sound = jws::verify_es256(key, token.signing_input(), signature);
        (ours == theirs && sound).then_some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, RunDescription, Terms};
    use crate::request::rules::CalendarDuration;
    use crate::request::{Checker, Rules};

    const DAY: i64 = 86_400;
    const START: i64 = 1_795_406_400;

    fn time(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    /// A ledger with one credential of the issuer.
    fn ledger(folder: &Path, issuer: &Issuer) -> Ledger {
        let item =
            r#"{"self_attestation_complete":true,"subject":{"id":"a"},"claims":{"jurisdiction":"GB"}}"#;
        let default_ttl = CalendarDuration::parse("P1Y").unwrap();
        let (mut ledger, _) = Ledger::open(&folder.join("ledger.db")).unwrap();
        let rules = Rules { allow_unknown: false, default_ttl, hash_key: ledger.hash_key() };
        let draft = Checker::new(rules).check(item, false, time(START), &mut Vec::new()).outcome.unwrap();
        let terms = Terms {
            issuer: issuer.id().into(),
            kid: issuer.kid().into(),
            proof_format: "jwt_vc".into(),
            vct: issuer.default_vct(),
            context: String::new(),
            ttl: "P1Y".into(),
            disclosure: String::new(),
        };
        let run = RunDescription { name: "a".into(), repeatable: false, terms, status_base: None };
        ledger.record(&run, &[Entry { position: 0, draft: &draft }]).unwrap();
        ledger
    }

    /// A list is signed anew when less than half of its life is left, and not before; also when a
    /// clock was put back behind its beginning.
    #[test]
    fn lists_are_renewed_at_half_of_their_life() {
        let folder = tempfile::tempdir().unwrap();
        let key = IssuerKey::generate().unwrap();
        let issuer = Issuer::of_key(key.public());
        let ledger = ledger(folder.path(), &issuer);
        let directory = Directory::to_write(&folder.path().join("site")).unwrap();
        let changes_at = |now: i64| -> Vec<Difference> {
            let plan = Plan {
                issuer: &issuer,
                key: &key,
                other_keys: Vec::new(),
                base_url: None,
                context: None,
                vct: issuer.default_vct(),
                type_metadata: Vec::new(),
                type_metadata_are_frozen: false,
                x5c: None,
                validity: Validity {
                    issued_at: time(now),
                    expires_at: time(now + 8 * DAY),
                    ttl_seconds: 43_200,
                },
            };
            let site = Site::build(&plan, Some(&ledger), &directory).unwrap();
            let differences = site.differences(&directory).unwrap();
            if now == START {
                differences.iter().for_each(|file| directory.write(file).unwrap());
            }
            differences.into_iter().map(|file| file.difference).collect()
        };
        assert_eq!(changes_at(START), vec![Difference::Missing; 6]);
        assert_eq!(changes_at(START), []);
        assert_eq!(changes_at(START + 4 * DAY), []);
        assert_eq!(changes_at(START + 4 * DAY + 1), vec![Difference::Lapsing; 2]);
        assert_eq!(changes_at(START + 9 * DAY), vec![Difference::Lapsing; 2]);
        assert_eq!(changes_at(START - 1), vec![Difference::Outdated; 2]);
    }
}
