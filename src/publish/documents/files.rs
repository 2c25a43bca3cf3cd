//! The files of a site, before they are written.

use std::collections::BTreeMap;

use thiserror::Error;

use super::serving::{self, ServingRules};
use super::{Hosts, SitePath};
use crate::status_list::{bitstring, token_list};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// The keys as a JWK set.
    Jwks,
    /// The DID document.
    DidDocument,
    /// The metadata of an https issuer.
    JwtVcIssuer,
    /// The JSON-LD context.
    Context,
    /// The type metadata of SD-JWT credentials.
    TypeMetadata,
    /// The JSON Schema of credentials of a type.
    Schema,
    /// A list, as a signed Token Status List.
    TokenList,
    /// A list, as a signed Bitstring Status List credential.
    BitstringList,
    /// The document that names all lists.
    Aggregation,
    /// The page that verifies credentials in the browser.
    VerifyPage,
    /// The `_headers` file itself, which hosts read and do not serve.
    Headers,
    /// Settings for a web server, which it reads and does not serve.
    ServerSettings,
}

impl DocumentKind {
    /// The media type under which the file is served.
    ///
    /// A DID document has two in DID Core 1.0. Ours has an `@context`, which makes it JSON-LD; readers of plain JSON
    /// ignore that member, and `application/did+json` is what DID Core gives to them. Resolvers of did:web read
    /// either. The plain one is told, as no reader has to process JSON-LD to understand the document.
    pub fn media_type(self) -> &'static str {
        match self {
            DocumentKind::Jwks => "application/jwk-set+json",
            DocumentKind::DidDocument => "application/did+json",
            DocumentKind::JwtVcIssuer | DocumentKind::TypeMetadata | DocumentKind::Aggregation => {
                "application/json"
            }
            DocumentKind::Context => "application/ld+json",
            DocumentKind::Schema => "application/schema+json",
            DocumentKind::TokenList => token_list::MEDIA_TYPE,
            DocumentKind::BitstringList => bitstring::MEDIA_TYPE,
            DocumentKind::VerifyPage => "text/html",
            DocumentKind::Headers | DocumentKind::ServerSettings => "text/plain",
        }
    }

    /// How many seconds caches may keep the file.
    ///
    /// Lists: so few that a revocation is seen soon; a list's own `ttl` and `exp` say how long verifiers may rely on
    /// it, and count for more (Token Status List section 8). The page that reads them: as few, so that one of a newer
    /// version is seen soon. Keys: long enough to matter, short beside the time for
    /// which a next key is published before it signs. Contexts and type metadata hardly ever change.
    pub fn max_age_seconds(self) -> u32 {
        match self {
            DocumentKind::TokenList
            | DocumentKind::BitstringList
            | DocumentKind::Aggregation
            | DocumentKind::VerifyPage
            | DocumentKind::Headers
            | DocumentKind::ServerSettings => 300,
            DocumentKind::Jwks | DocumentKind::DidDocument | DocumentKind::JwtVcIssuer => 3_600,
            DocumentKind::Context | DocumentKind::TypeMetadata | DocumentKind::Schema => 86_400,
        }
    }
}

impl DocumentKind {
    /// The folder below `status` for lists of this form, so that a web server can give all of it one media type;
    /// `None` for what is not a list.
    pub fn list_folder(self) -> Option<&'static str> {
        match self {
            DocumentKind::TokenList => Some("token"),
            DocumentKind::BitstringList => Some("bitstring"),
            _ => None,
        }
    }

    /// The folder of which all has the headers of this kind: that of lists of a form, and that of the page, which is
    /// asked for by its folder's name.
    pub(super) fn folder_with_headers(self) -> Option<&'static str> {
        match self {
            DocumentKind::VerifyPage => Some("verify"),
            _ => self.list_folder(),
        }
    }

    /// The headers that only files of this kind have. Nobody may show the page inside another one, where a reader
    /// could take the verdict for one about something else, and no address that a credential may be in is passed on.
    pub(super) fn own_headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            DocumentKind::VerifyPage => {
                &[("Content-Security-Policy", "frame-ancestors 'none'"), ("Referrer-Policy", "no-referrer")]
            }
            _ => &[],
        }
    }
}

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteDocument {
    /// Where it is.
    pub path: SitePath,
    /// What it is.
    pub kind: DocumentKind,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Two files that cannot both be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileConflict {
    /// They have one path.
    #[error("two files of the site would be {path}")]
    SamePath {
        /// The path of both.
        path: String,
    },
    /// One is where the other needs a directory.
    #[error("{file} of the site would be both a file and the directory of {inside}")]
    FileAndDirectory {
        /// The path of the one.
        file: String,
        /// The path of the other.
        inside: String,
    },
}

/// The files of a site, by their paths.
#[derive(Debug, Default)]
pub struct SiteFiles(BTreeMap<SitePath, (DocumentKind, Vec<u8>)>);

impl SiteFiles {
    /// Adds a file.
    ///
    /// # Errors
    /// Where it cannot stand beside those that are there, as when a credential type and the context have one URL.
    pub fn add(&mut self, document: SiteDocument) -> Result<(), FileConflict> {
        let SiteDocument { path, kind, bytes } = document;
        self.check_place(&path)?;
        self.0.insert(path, (kind, bytes));
        Ok(())
    }

    /// Adds the settings by which web servers give each of the files that are there its headers; `lists` is the folder
    /// in which folders of lists stand.
    ///
    /// # Errors
    /// Where a file of one of their names is there.
    pub fn add_serving(&mut self, hosts: &Hosts, lists: &SitePath) -> Result<(), FileConflict> {
        let rules = ServingRules::of(self.0.iter().map(|(path, (kind, _))| (path, *kind)), lists);
        serving::documents(&rules, hosts).into_iter().try_for_each(|document| self.add(document))
    }

    /// The files, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&SitePath, DocumentKind, &[u8])> {
        self.0.iter().map(|(path, (kind, bytes))| (path, *kind, bytes.as_slice()))
    }

    fn check_place(&self, path: &SitePath) -> Result<(), FileConflict> {
        // What lies in a directory follows the directory's own path in the order.
        let Some((next, _)) = self.0.range(path..).next() else { return self.check_directories(path) };
        if next == path {
            return Err(FileConflict::SamePath { path: path.url_path() });
        }
        if next.segments().starts_with(path.segments()) {
            return Err(FileConflict::FileAndDirectory { file: path.url_path(), inside: next.url_path() });
        }
        self.check_directories(path)
    }

    /// None of the directories that the file needs is a file.
    fn check_directories(&self, path: &SitePath) -> Result<(), FileConflict> {
        for depth in 1..path.segments().len() {
            let directory = SitePath::of_segments(path.segments()[..depth].iter().cloned());
            if self.0.contains_key(&directory) {
                return Err(FileConflict::FileAndDirectory {
                    file: directory.url_path(),
                    inside: path.url_path(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> SiteDocument {
        let path = SitePath::of_segments(path.split('/').map(str::to_owned));
        SiteDocument { path, kind: DocumentKind::Jwks, bytes: Vec::new() }
    }

    #[test]
    fn two_files_never_share_a_place() {
        let mut files = SiteFiles::default();
        for path in ["a/b", "a/c", "a b", "b"] {
            assert_eq!(files.add(at(path)), Ok(()), "{path}");
        }
        assert_eq!(files.add(at("a/b")), Err(FileConflict::SamePath { path: "/a/b".to_owned() }));
        let both = |file: &str, inside: &str| {
            Err(FileConflict::FileAndDirectory { file: file.to_owned(), inside: inside.to_owned() })
        };
        assert_eq!(files.add(at("a")), both("/a", "/a/b"));
        assert_eq!(files.add(at("a/b/c/d")), both("/a/b", "/a/b/c/d"));
        assert_eq!(files.add(at("z/y")), Ok(()));
        assert_eq!(files.add(at("zz")), Ok(()));
        assert_eq!(files.iter().count(), 6);
    }

    #[test]
    fn settings_of_servers_come_once_and_cover_what_was_there() {
        let mut files = SiteFiles::default();
        files.add(at("keys.json")).unwrap();
        let hosts =
            Hosts::new(&crate::issuer::Issuer::of_key(&super::super::keys::tests::key()), None).unwrap();
        let lists = SitePath::known(&["status"]);
        files.add_serving(&hosts, &lists).unwrap();
        let is_settings =
            |kind: DocumentKind| matches!(kind, DocumentKind::Headers | DocumentKind::ServerSettings);
        let settings: Vec<_> = files.iter().filter(|(_, kind, _)| is_settings(*kind)).collect();
        assert_eq!(settings.len(), 3);
        for (path, _, bytes) in settings {
            assert!(std::str::from_utf8(bytes).unwrap().contains("/keys.json"), "{path:?}");
        }
        assert!(matches!(files.add_serving(&hosts, &lists), Err(FileConflict::SamePath { .. })));
    }
}
