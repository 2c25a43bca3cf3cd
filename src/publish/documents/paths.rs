//! Where a published URL is in the site's directory.
//!
//! The directory is the root of a host: `https://issuer.example/a/b.jwt` is the file `a/b.jwt`. Where the lists have
//! a host of their own (`status.base_url` is `https://cdn.example/issuer/`), the same directory is the root of both:
//! upload it to each, or to each its part. A base URL's path is kept, `issuer/status/…`, since credentials name the
//! whole URL. URLs of other hosts are not ours to publish.

use std::path::{Component, Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

use super::DocumentKind;
use crate::issuer::{Issuer, Location, LocationFault, parse_https, push_url_segment};

/// Why a URI has no file in the site.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// Neither an https URL nor the UUID of a list.
    #[error("cannot publish {found:?}: expected an https:// URL or urn:uuid:…")]
    NoPlace {
        /// The URI.
        found: String,
    },
    /// A URL that servers and browsers would not read as it stands.
    #[error("cannot publish {found:?}: {fault}")]
    Faulty {
        /// The URL.
        found: String,
        /// What is wrong.
        fault: LocationFault,
    },
    /// A URL that names a directory: without a path, or with a slash at its end.
    #[error("cannot publish {found:?}: it names a directory, and a file is needed")]
    Directory {
        /// The URL.
        found: String,
    },
    /// A URL of a host that is neither the issuer's nor that of the lists.
    #[error("cannot publish {found:?}: this site is for {}", or_none(expected))]
    OtherHost {
        /// The URL.
        found: String,
        /// The hosts of the site.
        expected: Vec<String>,
    },
    /// A part of the path that is no file name on this system, such as `c:` on Windows.
    #[error("cannot publish {found:?}: {segment:?} cannot name a file here")]
    NoFileName {
        /// The URL.
        found: String,
        /// The part, percent-decoded.
        segment: String,
    },
}

fn or_none(hosts: &[String]) -> String {
    if hosts.is_empty() { "no host".to_owned() } else { hosts.join(" and ") }
}

/// The place of a file in the site. It never leads out of the directory that it is joined to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SitePath(Vec<String>);

impl SitePath {
    /// A path that is written in this program.
    pub(super) fn known(segments: &[&str]) -> SitePath {
        SitePath(segments.iter().map(|&segment| segment.to_owned()).collect())
    }

    /// A path of segments that are safe: see [`Issuer::path`].
    pub(super) fn of_segments(segments: impl IntoIterator<Item = String>) -> SitePath {
        SitePath(segments.into_iter().collect())
    }

    /// The segments, percent-decoded.
    pub(super) fn segments(&self) -> &[String] {
        &self.0
    }

    /// The folder that the file is in; the root has no segments.
    pub(crate) fn folder(&self) -> SitePath {
        SitePath(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// What stands below this folder under a name.
    pub(super) fn below(&self, name: &str) -> SitePath {
        SitePath(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// Whether documents of this path say of which issuer they are.
    pub(crate) fn names_issuer(&self) -> bool {
        self.ends_in("did.json") || self.0.iter().take(2).eq([".well-known", "jwt-vc-issuer"])
    }

    /// Whether the last segment is this name.
    pub(super) fn ends_in(&self, name: &str) -> bool {
        self.0.last().is_some_and(|last| last == name)
    }

    /// The path of the file, relative to the site's directory.
    pub fn relative(&self) -> PathBuf {
        self.0.iter().collect()
    }

    /// The path of the URL, with its first slash. Whatever has a meaning in a URL or in a `_headers` file is
    /// percent-encoded.
    pub fn url_path(&self) -> String {
        let mut path = String::new();
        for segment in &self.0 {
            path.push('/');
            push_url_segment(&mut path, segment);
        }
        path
    }
}

/// The hosts for which a site is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The issuer's own host, where it has one, and that of `status.base_url`, where it is set.
    ///
    /// # Errors
    /// Where the base URL is not https, or not written as servers read it.
    pub fn new(issuer: &Issuer, base_url: Option<&str>) -> Result<Hosts, PlaceError> {
        let mut hosts: Vec<String> = issuer.host().into_iter().collect();
        if let Some(base_url) = base_url {
            let Location { host, .. } = location(base_url)?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        Ok(Hosts(hosts))
    }

    /// Adds the host of a list, which may be one that lists had before. Returns it, where it is new.
    ///
    /// # Errors
    /// Where the URI is neither an https URL nor that of a list without a URL.
    pub fn add(&mut self, uri: &str) -> Result<Option<&str>, PlaceError> {
        if uri.starts_with("urn:uuid:") {
            return Ok(None);
        }
        let Location { host, .. } = location(uri)?;
        if self.0.contains(&host) {
            return Ok(None);
        }
        self.0.push(host);
        Ok(self.0.last().map(String::as_str))
    }

    /// The hosts, each with its port where it has one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The file of a list by the URI that credentials call it: an https URL of one of the hosts, or the `urn:uuid:…`
    /// of a list that has no URL, which is `UUID.jwt` in the folder of its form.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn path_of_list(&self, uri: &str, kind: DocumentKind) -> Result<SitePath, PlaceError> {
        let Some(text) = uri.strip_prefix("urn:uuid:") else { return self.path_of(uri) };
        path_of_uuid(text, kind).ok_or_else(|| PlaceError::NoPlace { found: uri.to_owned() })
    }

    /// The file of an https URL of one of the hosts.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn path_of(&self, uri: &str) -> Result<SitePath, PlaceError> {
        let Location { host, path } = location(uri)?;
        if path.is_empty() || uri.ends_with('/') {
            return Err(PlaceError::Directory { found: uri.to_owned() });
        }
        if !self.0.contains(&host) {
            return Err(PlaceError::OtherHost { found: uri.to_owned(), expected: self.0.clone() });
        }
        match path.iter().find(|segment| !is_file_name(segment)) {
            Some(segment) => Err(PlaceError::NoFileName { found: uri.to_owned(), segment: segment.clone() }),
            None => Ok(SitePath(path)),
        }
    }
}

fn location(url: &str) -> Result<Location, PlaceError> {
    let rest = url.strip_prefix("https://").ok_or_else(|| PlaceError::NoPlace { found: url.to_owned() })?;
    parse_https(rest).map_err(|fault| PlaceError::Faulty { found: url.to_owned(), fault })
}

/// The file of a list without a URL. Only the canonical spelling counts: other ones are other URIs, of no list.
fn path_of_uuid(text: &str, kind: DocumentKind) -> Option<SitePath> {
    let id = Uuid::try_parse(text).ok().filter(|id| id.hyphenated().to_string() == text)?;
    Some(SitePath::known(&["status", kind.list_folder()?, &format!("{id}.jwt")]))
}

/// Is this one part of a path, and nothing that leads elsewhere, in the verifier of this system?
fn is_file_name(segment: &str) -> bool {
    let mut components = Path::new(segment).components();
    let first = matches!(components.next(), Some(Component::Normal(name)) if name == segment);
    first && components.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::key;
    use super::*;

    fn hosts(issuer: &str, base_url: Option<&str>) -> Hosts {
        Hosts::new(&Issuer::parse(issuer, &key()).unwrap(), base_url).unwrap()
    }

    fn file(hosts: &Hosts, uri: &str) -> PathBuf {
        hosts.path_of(uri).unwrap().relative()
    }

    #[test]
    fn the_directory_is_the_root_of_each_host() {
        let hosts = hosts("did:web:issuer.example:tenant", Some("https://cdn.example:8443/issuer/"));
        assert_eq!(file(&hosts, "https://issuer.example/contexts/kyb/v1"), Path::new("contexts/kyb/v1"));
        assert_eq!(
            file(&hosts, "https://cdn.example:8443/issuer/status/a.jwt"),
            Path::new("issuer/status/a.jwt")
        );
        assert_eq!(file(&hosts, "https://issuer.example/a%20b/c%2Bd"), Path::new("a b/c+d"));
        // Another port is another host.
        let refused = hosts.path_of("https://cdn.example/issuer/status/a.jwt");
        assert!(matches!(refused, Err(PlaceError::OtherHost { .. })));
    }

    #[test]
    fn a_list_without_a_url_has_a_file_by_its_uuid() {
        let key = key();
        let hosts = Hosts::new(&Issuer::of_key(&key), None).unwrap();
        let uri = "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057";
        for (kind, folder) in [(DocumentKind::TokenList, "token"), (DocumentKind::BitstringList, "bitstring")]
        {
            let path = hosts.path_of_list(uri, kind).unwrap().relative();
            let expected = format!("status/{folder}/01890a5d-ac96-774b-bcce-b302099a8057.jwt");
            assert_eq!(path, Path::new(&expected));
        }
        assert!(hosts.path_of_list(uri, DocumentKind::Jwks).is_err() && hosts.path_of(uri).is_err());
        for other in [
            "urn:uuid:01890A5D-AC96-774B-BCCE-B302099A8057",
            "urn:uuid:01890a5dac96774bbcceb302099a8057",
            "urn:uuid:../../etc/passwd",
            "urn:uuid:",
            "urn:other:1",
            "http://issuer.example/a",
            "/etc/passwd",
            "",
        ] {
            let refused = PlaceError::NoPlace { found: other.to_owned() };
            assert_eq!(hosts.path_of_list(other, DocumentKind::TokenList), Err(refused));
        }
        let refused = hosts.path_of("https://issuer.example/a").unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"cannot publish "https://issuer.example/a": this site is for no host"#
        );
    }

    #[test]
    fn no_url_leads_out_of_the_directory() {
        let hosts = hosts("https://issuer.example", None);
        for (path, fault) in [
            ("../a", LocationFault::DotSegment),
            ("a/../../b", LocationFault::DotSegment),
            ("%2e%2E/a", LocationFault::DotSegment),
            ("./a", LocationFault::DotSegment),
            ("/etc/passwd", LocationFault::EmptySegment),
            ("a//b", LocationFault::EmptySegment),
            ("a%2Fb", LocationFault::HiddenSeparator),
            ("a%5C..%5Cb", LocationFault::HiddenSeparator),
            ("a%00", LocationFault::HiddenSeparator),
            ("a%0Ab", LocationFault::HiddenSeparator),
            ("a\\b", LocationFault::BadPathCharacter),
            ("a b", LocationFault::BadPathCharacter),
            ("a%2", LocationFault::BadPercent),
            ("a%FF", LocationFault::BadPercent),
            ("a?b", LocationFault::Query),
            ("a#b", LocationFault::Fragment),
        ] {
            let found = format!("https://issuer.example/{path}");
            assert_eq!(hosts.path_of(&found), Err(PlaceError::Faulty { found, fault }));
        }
        for directory in ["https://issuer.example", "https://issuer.example/", "https://issuer.example/a/"] {
            let refused = PlaceError::Directory { found: directory.to_owned() };
            assert_eq!(hosts.path_of(directory), Err(refused));
        }
        for name in ["a", "a b", "...", "a.jwt"] {
            assert!(is_file_name(name), "{name}");
        }
        for name in ["", ".", "..", "/", "/a", "a/b", "a/", "a/."] {
            assert!(!is_file_name(name), "{name}");
        }
    }

    #[test]
    fn a_base_url_is_https_and_well_formed() {
        let issuer = Issuer::of_key(&key());
        let of = |base| Hosts::new(&issuer, Some(base));
        assert!(of("https://cdn.example/lists/").is_ok());
        assert!(matches!(of("http://cdn.example"), Err(PlaceError::NoPlace { .. })));
        assert!(matches!(
            of("https://cdn.example/a?b"),
            Err(PlaceError::Faulty { fault: LocationFault::Query, .. })
        ));
    }

    #[test]
    fn what_has_a_meaning_in_urls_and_headers_files_is_encoded() {
        let path = SitePath::known(&["a b", ":c*", "d%e", "ü"]);
        assert_eq!(path.url_path(), "/a%20b/%3Ac%2A/d%25e/%C3%BC");
    }
}
