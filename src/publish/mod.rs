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
//! A revocation that is published is never taken back. What was published is what the directory holds, and what a
//! former site holds that the caller names: either form of a list is enough to know. Before anything is signed, every
//! list is compared with both (see `earlier`):
//!
//! | the ledger | what was published | then |
//! | --- | --- | --- |
//! | any | has no revocation that the ledger does not know | publish |
//! | any | has some | stop; with `accept_lost_revocations`, keep them revoked in the new lists |
//! | was restored from a copy | nothing to compare with | stop, unless `accept_lost_revocations` |
//!
//! Lists that were published and that the ledger does not know are not signed anew: they expire, and their credentials
//! then have no known status. That is said in a notice.
//!
//! Nothing here can publish anything private: [`documents`] takes public keys only, and lists
//! hold bits.

pub mod credential_schema;
mod directory;
pub mod documents;
mod earlier;
mod lists;

use std::path::PathBuf;

use thiserror::Error;

use crate::clock::UnixTime;
use crate::credential::ListUris;
use crate::files::PathError;
use crate::issuer::Issuer;
use crate::keys::{CertificateChain, PublicKey, SignError, Signer, SigningKey};
use crate::ledger::{Ledger, LedgerError, ListState};
use crate::status_list::Validity;
use crate::token::sign_compact;
use crate::types::Types;
pub use directory::Directory;
pub use documents::did_document::DidMethods;
use documents::{
    DocumentKind, FileConflict, Hosts, KeySet, KeySetError, KeyState, PlaceError, SiteDocument, SiteFiles,
    SitePath, aggregation, context, did_document, jwks, jwt_vc_issuer, page,
};
use earlier::Earlier;
use lists::{Freshness, UnsignedList, forms};

/// The largest file of a site that is looked at, in bytes: lists and documents are far smaller.
const MAX_FILE_BYTES: usize = 16 << 20;

/// What is to be published.
#[derive(Debug)]
pub struct SitePlan<'p> {
    /// Who issues.
    pub issuer: &'p Issuer,
    /// The key that signs the lists.
    pub key: &'p dyn SigningKey,
    /// The keys that do not sign: next and retired ones.
    pub other_keys: Vec<(PublicKey, KeyState)>,
    /// `status.base_url`, where there is one.
    pub base_url: Option<String>,
    /// The issuer's JSON-LD context, where there is one.
    pub context: Option<String>,
    /// The types of credentials, which the context defines the terms of.
    pub types: Types,
    /// The type metadata, one document for each type.
    pub type_metadata: Vec<PublishedType>,
    /// The schemas that credentials cite, with the URL of each.
    pub schemas: Vec<(String, Vec<u8>)>,
    /// What the methods of the DID document are called.
    pub did_methods: DidMethods,
    /// The certificates for the header of token status lists.
    pub x5c: Option<CertificateChain>,
    /// From when to when lists hold that are signed now.
    pub validity: Validity,
    /// The folder of a site that was published before, with which lists are compared.
    pub previous: Option<PathBuf>,
    /// Whether the ledger was restored from a copy, and so may have forgotten revocations.
    pub ledger_was_restored: bool,
    /// Whether to publish although revocations were lost; those that are published stay.
    pub accept_lost_revocations: bool,
}

/// The type metadata of a credential type.
#[derive(Debug)]
pub struct PublishedType {
    /// The type's name in credentials, and where the document stands if it is an https URL.
    pub vct: String,
    /// The document.
    pub document: Vec<u8>,
    /// Whether it may change once it is published.
    pub stays: Stays,
}

/// Why a document stays as it was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// It does not.
    No,
    /// Credentials hold its hash.
    Hashed,
    /// It is of a type of one's own: what was issued under its name says what it said then.
    OwnType,
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
    /// Published lists have revocations that the ledger knows nothing of.
    #[error(
        "{count} published revocation{} {} not in the ledger, and revocation is final; the first is in {}",
        plural(*count), if *count == 1 { "is" } else { "are" }, path.display()
    )]
    Forgotten {
        /// The first list that has one.
        path: PathBuf,
        /// How many there are in all lists.
        count: u64,
    },
    /// The ledger was restored, and there is nothing that says which revocations it lost.
    #[error(
        "the ledger was restored from a copy, and {} has no readable form of the list {list} to compare it with: \
         revocations that the copy does not know would be taken back",
        directory.display()
    )]
    NothingToCompare {
        /// The name of the list.
        list: String,
        /// The directory of the site.
        directory: PathBuf,
    },
    /// Keys would be published in the place of another issuer's.
    #[error("{} is the document of another issuer, {found}", path.display())]
    OtherIssuer {
        /// The document.
        path: PathBuf,
        /// Whose it is, by its own word.
        found: String,
    },
    /// Revocations would be kept from a list that nobody vouches for.
    #[error("{} has revocations that are not in the ledger, and is not signed by a key of this issuer", path.display())]
    NotOurs {
        /// The list.
        path: PathBuf,
    },
    /// Type metadata that credentials hold the hash of would be replaced.
    #[error("{} holds other type metadata, and credentials hold their hash", path.display())]
    Frozen {
        /// The document.
        path: PathBuf,
    },
    /// A type of one's own says something else than when it was published.
    #[error("{} describes the type {vct} differently from its file; published metadata cannot change", path.display())]
    NeedsNewVct {
        /// The document.
        path: PathBuf,
        /// The type's name in credentials.
        vct: String,
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
    pub files: SiteFiles,
    /// What is left out, and why.
    pub notices: Vec<String>,
    /// Lists that were about to lapse, or had, by the paths of their files.
    pub lapsing: Vec<SitePath>,
}

/// What was done with a file, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteDifference {
    /// It was not there.
    Missing,
    /// It was another.
    Outdated,
    /// It said the same, but not for much longer.
    Lapsing,
}

impl Site {
    /// Makes the site from the plan and the ledger; lists that stand in the directory already and
    /// need no change are taken from there.
    ///
    /// # Errors
    /// See [`PublishError`]. Nothing is written here.
    pub fn build(
        plan: &SitePlan<'_>,
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
        site.add_page(plan, &hosts, directory)?;
        // The document that names the lists stands beside their folders.
        let aggregation = place_of_aggregation(plan.base_url.as_deref(), &hosts)?;
        site.files.add_serving(&hosts, &aggregation.folder())?;
        site.note_leftovers(directory)?;
        site.refuse_other_issuer(directory)?;
        Ok(site)
    }

    fn add_keys(&mut self, plan: &SitePlan<'_>, ledger: Option<&Ledger>) -> Result<(), PublishError> {
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
        for document in [did_document::document(&keys, plan.did_methods), jwt_vc_issuer::document(&keys)]
            .into_iter()
            .flatten()
        {
            self.files.add(document)?;
        }
        Ok(())
    }

    fn add_documents(
        &mut self,
        plan: &SitePlan<'_>,
        hosts: &Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        if let Some(url) = &plan.context
            && let Some(path) = self.own_place(hosts, url, "the context")
        {
            self.files.add(context::document(path, url, plan.types))?;
        }
        for (url, document) in &plan.schemas {
            if let Some(path) = self.own_place(hosts, url, "the schema") {
                self.files.add(SiteDocument { path, kind: DocumentKind::Schema, bytes: document.clone() })?;
            }
        }
        plan.type_metadata.iter().try_for_each(|of_type| self.add_type_metadata(of_type, hosts, directory))
    }

    fn add_type_metadata(
        &mut self,
        of_type: &PublishedType,
        hosts: &Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        // A urn has no place on any host, and needs none.
        if of_type.vct.starts_with("https://")
            && let Some(path) = self.own_place(hosts, &of_type.vct, "the type metadata")
        {
            let bytes = of_type.document.clone();
            let published = directory.read(&path)?;
            if published.is_some_and(|published| published != bytes) {
                let file = directory.path_of(&path);
                match of_type.stays {
                    Stays::No => {}
                    Stays::Hashed => return Err(PublishError::Frozen { path: file }),
                    Stays::OwnType => {
                        return Err(PublishError::NeedsNewVct { path: file, vct: of_type.vct.clone() });
                    }
                }
            }
            self.files.add(SiteDocument { path, kind: DocumentKind::TypeMetadata, bytes })?;
        }
        Ok(())
    }

    /// Adds the page on which people verify credentials, unless there is a page of the host's own in its place.
    fn add_page(
        &mut self,
        plan: &SitePlan<'_>,
        hosts: &Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        let has_keys = |kind| matches!(kind, DocumentKind::DidDocument | DocumentKind::JwtVcIssuer);
        let Some((keys, ..)) = self.files.iter().find(|(_, kind, _)| has_keys(*kind)) else { return Ok(()) };
        let document = page::document(plan.issuer, hosts, plan.base_url.as_deref(), keys)?;
        if directory.read(&document.path)?.is_some_and(|there| !page::is_ours(&there)) {
            let path = directory.path_of(&document.path);
            self.notices.push(format!(
                "{} was not written by beltic and is kept; the verification page is skipped",
                path.display()
            ));
            return Ok(());
        }
        Ok(self.files.add(document)?)
    }

    /// The place of a document; none where its URL is on somebody else's host, or names no file.
    fn own_place(&mut self, hosts: &Hosts, url: &str, what: &str) -> Option<SitePath> {
        let problem = match hosts.path_of(url) {
            Ok(path) => return Some(path),
            Err(PlaceError::OtherHost { .. }) => format!("{url} is on a host that is not this issuer's"),
            Err(error) => error.to_string(),
        };
        self.notices.push(format!("{what} is skipped: {problem}"));
        None
    }

    fn add_lists(
        &mut self,
        plan: &SitePlan<'_>,
        ledger: &Ledger,
        hosts: &mut Hosts,
        directory: &Directory,
    ) -> Result<(), PublishError> {
        let mut lists = self.lists_of_issuer(plan, ledger, hosts)?;
        let aggregation_uri = plan.base_url.as_deref().map(aggregation::url);
        let mut earlier = Earlier::new(plan, directory);
        for list in &mut lists {
            for (path, kind) in places(&list.uris, hosts)? {
                earlier.note(&path, kind, list)?;
            }
            earlier.keep_lost(list);
        }
        earlier.check()?;
        self.notices.extend(earlier.notice()?);

        let mut signer = LazySigner { key: plan.key, signer: None };
        for list in &lists {
            for form in forms(list, plan, aggregation_uri.as_deref()) {
                let path = hosts.path_of_list(&form.uri, form.kind)?;
                let published = directory.read(&path)?;
                self.add_form(form, path, published, plan, &mut signer)?;
            }
        }
        if !lists.is_empty() {
            let uris: Vec<&str> = lists.iter().map(|list| list.uris.token.as_str()).collect();
            let path = place_of_aggregation(plan.base_url.as_deref(), hosts)?;
            self.files.add(aggregation::document(path, &uris))?;
        }
        Ok(())
    }

    /// The issuer's lists; those of others are left out. Hosts that lists had before are added to the site's.
    fn lists_of_issuer(
        &mut self,
        plan: &SitePlan<'_>,
        ledger: &Ledger,
        hosts: &mut Hosts,
    ) -> Result<Vec<ListState>, PublishError> {
        let (mut lists, mut of_others) = (Vec::new(), 0);
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
            lists.push(list);
        }
        if of_others > 0 {
            let verb = if of_others == 1 { "is" } else { "are" };
            let lists = format!("{of_others} status list{}", plural(of_others));
            self.notices.push(format!("{lists} of other issuers {verb} skipped"));
        }
        Ok(lists)
    }

    /// Adds a form of a list: the published one as long as it can stay, else one that is signed now.
    fn add_form(
        &mut self,
        form: UnsignedList,
        path: SitePath,
        published: Option<Vec<u8>>,
        plan: &SitePlan<'_>,
        signer: &mut LazySigner<'_>,
    ) -> Result<(), PublishError> {
        let freshness = form.freshness(published.as_deref(), plan);
        let bytes = match (freshness, published) {
            (Freshness::Fresh, Some(bytes)) => bytes,
            (freshness, _) => {
                if freshness == Freshness::Lapsing {
                    self.lapsing.push(path.clone());
                }
                sign_compact(signer.get()?, &form.header, &form.payload)?.into_bytes()
            }
        };
        Ok(self.files.add(SiteDocument { path, kind: form.kind, bytes })?)
    }

    /// Documents that name another kind of issuer's keys would be believed for ever.
    fn note_leftovers(&mut self, directory: &Directory) -> Result<(), PublishError> {
        for path in [did_document::default_path(), jwt_vc_issuer::default_path()] {
            let is_ours = self.files.iter().any(|(known, ..)| *known == path);
            if !is_ours && directory.read(&path)?.is_some() {
                let path = directory.path_of(&path);
                self.notices.push(format!(
                    "{} is the document of another issuer; remove it if no issuer of this host needs it any more",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// Whoever publishes over another issuer's document takes that issuer's keys away.
    fn refuse_other_issuer(&self, directory: &Directory) -> Result<(), PublishError> {
        for (path, _, bytes) in self.files.iter().filter(|(path, ..)| path.names_issuer()) {
            let Some(there) = directory.read(path)? else { continue };
            let (found, ours) = (issuer_named_in(&there), issuer_named_in(bytes));
            if found.is_some() && found != ours {
                let path = directory.path_of(path);
                return Err(PublishError::OtherIssuer { path, found: found.unwrap_or_default() });
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
                None => SiteDifference::Missing,
                Some(there) if there == bytes => continue,
                Some(_) if self.lapsing.contains(path) => SiteDifference::Lapsing,
                Some(_) => SiteDifference::Outdated,
            };
            differences.push(Differing { path, difference, bytes });
        }
        Ok(differences)
    }
}

/// The issuer that a DID document or the metadata of a JWT VC issuer is of.
fn issuer_named_in(document: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    ["id", "issuer"].iter().find_map(|name| document.get(name)?.as_str().map(str::to_owned))
}

/// A file that is not in the directory as it should be.
#[derive(Debug, Clone, Copy)]
pub struct Differing<'s> {
    /// Where it belongs.
    pub path: &'s SitePath,
    /// What is wrong with what is there.
    pub difference: SiteDifference,
    /// What it should hold.
    bytes: &'s [u8],
}

/// Where each form of a list is in the site.
fn places(uris: &ListUris, hosts: &Hosts) -> Result<Vec<(SitePath, DocumentKind)>, PlaceError> {
    let forms = [
        (Some(&uris.token), DocumentKind::TokenList),
        (Some(&uris.bitstring), DocumentKind::BitstringList),
        (uris.suspension.as_ref(), DocumentKind::BitstringList),
    ];
    let places = forms.into_iter().filter_map(|(uri, kind)| Some((uri?, kind)));
    places.map(|(uri, kind)| Ok((hosts.path_of_list(uri, kind)?, kind))).collect()
}

/// The folder, relative to the site's directory, in which the issuer's lists stand in folders of their own.
///
/// # Errors
/// Where the base URL is not https, or not written as servers read it.
pub fn folder_of_lists(issuer: &Issuer, base_url: Option<&str>) -> Result<PathBuf, PublishError> {
    let hosts = Hosts::new(issuer, base_url)?;
    Ok(place_of_aggregation(base_url, &hosts)?.folder().relative())
}

/// Where the document is that names all lists.
fn place_of_aggregation(base_url: Option<&str>, hosts: &Hosts) -> Result<SitePath, PlaceError> {
    match base_url {
        Some(base_url) => hosts.path_of(&aggregation::url(base_url)),
        None => Ok(aggregation::path_without_url()),
    }
}

/// Whether the ledger knows that every credential signed with the key has expired.
fn has_expired(ledger: Option<&Ledger>, kid: &str, now: UnixTime) -> Result<bool, LedgerError> {
    let Some(ledger) = ledger else { return Ok(false) };
    Ok(ledger.last_expiry_of_key(kid)?.is_some_and(|last| last <= now))
}

/// The signer, which is made when there is something to sign: it may be a program that has to be started.
struct LazySigner<'k> {
    key: &'k dyn SigningKey,
    signer: Option<Box<dyn Signer>>,
}

impl LazySigner<'_> {
    fn get(&mut self) -> Result<&mut dyn Signer, SignError> {
        let signer = match self.signer.take() {
            Some(signer) => signer,
            None => self.key.signer()?,
        };
        Ok(&mut **self.signer.insert(signer))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::credential::{Profile, ProfileSettings};
    use crate::keys::IssuerKey;
    use crate::ledger::{Entry, RunDescription};
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
        let types = Types::BUILT_IN;
        let rules = Rules {
            types,
            allow_unknown: false,
            default_ttl,
            overrules_types: false,
            hash_key: ledger.hash_key(),
            identity: None,
        };
        let draft = Checker::new(rules).check(item, false, time(START), &mut Vec::new()).outcome.unwrap();
        let profile = Profile::new(issuer, ProfileSettings::of_types(types, issuer));
        let run = RunDescription::of(&profile, "a".into(), "P1Y".into());
        ledger.record(&run, &[Entry { position: 0, draft: &draft }]).unwrap();
        ledger
    }

    fn plan<'p>(issuer: &'p Issuer, key: &'p IssuerKey, now: i64) -> SitePlan<'p> {
        SitePlan {
            issuer,
            key,
            other_keys: Vec::new(),
            base_url: None,
            context: None,
            types: Types::BUILT_IN,
            type_metadata: Vec::new(),
            schemas: Vec::new(),
            did_methods: DidMethods::default(),
            x5c: None,
            validity: Validity { issued_at: time(now), expires_at: time(now + 8 * DAY), ttl_seconds: 43_200 },
            previous: None,
            ledger_was_restored: false,
            accept_lost_revocations: false,
        }
    }

    /// After a restore, lists are published where there is something to compare them with, or by the user's wish.
    #[test]
    fn a_restored_ledger_is_compared_with_what_was_published() {
        let folder = tempfile::tempdir().unwrap();
        let key = IssuerKey::generate().unwrap();
        let issuer = Issuer::of_key(key.public());
        let mut ledger = ledger(folder.path(), &issuer);
        ledger.close_lists().unwrap();
        let at = |name: &str| Directory::to_write(&folder.path().join(name)).unwrap();
        let built = |restored: bool, previous: Option<&str>, accept: bool, directory: &Directory| {
            let plan = SitePlan {
                previous: previous.map(|name| folder.path().join(name)),
                ledger_was_restored: restored,
                accept_lost_revocations: accept,
                ..plan(&issuer, &key, START)
            };
            Site::build(&plan, Some(&ledger), directory)
        };
        let (full, empty) = (at("full"), at("empty"));
        let site = built(false, None, false, &full).unwrap();
        site.differences(&full).unwrap().iter().for_each(|file| full.write(file).unwrap());

        let refused = built(true, None, false, &empty).unwrap_err();
        assert!(matches!(refused, PublishError::NothingToCompare { .. }), "{refused}");
        let refused = built(true, Some("empty"), false, &empty).unwrap_err();
        assert!(matches!(refused, PublishError::NothingToCompare { .. }), "{refused}");
        for (previous, accept, directory) in [
            (None, false, &full),
            (Some("full"), false, &empty),
            (None, true, &empty),
            (Some("empty"), true, &empty),
        ] {
            assert!(built(true, previous, accept, directory).is_ok(), "{previous:?} {accept}");
        }
        assert!(built(false, None, false, &empty).is_ok(), "nothing was restored");
        // A file that is not a list is nothing to compare with.
        for file in site.files.iter().filter(|(_, kind, _)| kind.list_folder().is_some()) {
            std::fs::write(full.path_of(file.0), "<html>").unwrap();
        }
        assert!(built(true, None, false, &full).is_err());
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
        let changes_at = |now: i64| -> Vec<SiteDifference> {
            let plan = plan(&issuer, &key, now);
            let site = Site::build(&plan, Some(&ledger), &directory).unwrap();
            let differences = site.differences(&directory).unwrap();
            if now == START {
                differences.iter().for_each(|file| directory.write(file).unwrap());
            }
            differences.into_iter().map(|file| file.difference).collect()
        };
        assert_eq!(changes_at(START), vec![SiteDifference::Missing; 9]);
        assert_eq!(changes_at(START), []);
        assert_eq!(changes_at(START + 4 * DAY), []);
        assert_eq!(changes_at(START + 4 * DAY + 1), vec![SiteDifference::Lapsing; 2]);
        assert_eq!(changes_at(START + 9 * DAY), vec![SiteDifference::Lapsing; 2]);
        assert_eq!(changes_at(START - 1), vec![SiteDifference::Outdated; 2]);
    }
}
