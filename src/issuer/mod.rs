//! Who issues: a DID or an https URL, and the name that verifiers find its key by.
//!
//! An issuer's identifier goes into every credential and is compared there byte for byte, so what is accepted
//! here is one spelling of each: lower-case hosts, no dot segments, no trailing dot.

pub mod certified;
mod location;

use std::fmt;

use thiserror::Error;

use crate::keys::PublicKey;
pub(crate) use location::{Location, parse_https, push_url_segment};
pub use location::{LocationFault, check_https_url};
use location::{check_domain_name, parse_did_web};

/// An issuer: its identifier and the `kid` of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    id: String,
    kid: String,
    location: Option<Location>,
}

/// Why a text is not an issuer that this key can sign for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// Nothing was given.
    #[error("the issuer is empty; expected {EXPECTED}")]
    Empty,
    /// White space, a control character, or a character outside ASCII.
    #[error(
        "{found:?} holds {character:?}, which no issuer may hold; hosts of other scripts are written in \
         Punycode (xn--…), other characters percent-encoded"
    )]
    Character {
        /// The issuer as given.
        found: String,
        /// The first character that does not belong.
        character: char,
    },
    /// A URL that is not https.
    #[error("{found:?} is not an https URL; expected {EXPECTED}")]
    NotHttps {
        /// The issuer as given.
        found: String,
    },
    /// A host without a scheme or method.
    #[error("{found:?} is neither a DID nor an https URL; did you mean {suggestion:?}?")]
    BareHost {
        /// The issuer as given.
        found: String,
        /// The did:web of that host.
        suggestion: String,
    },
    /// Neither a DID nor a URL.
    #[error("{found:?} is neither a DID nor an https URL; expected {EXPECTED}")]
    Unrecognised {
        /// The issuer as given.
        found: String,
    },
    /// A DID of another method.
    #[error("DID method {method:?} is not supported; expected {EXPECTED}")]
    UnsupportedMethod {
        /// The method, without `did:`.
        method: String,
    },
    /// A DID URL, with a path, query or fragment, where a DID is expected.
    #[error("{found:?} is a DID URL; expected the DID alone, {did:?}")]
    DidUrl {
        /// The issuer as given.
        found: String,
        /// The part before the path, query or fragment.
        did: String,
    },
    /// A did:key or did:jwk of another key.
    #[error("{found:?} is not the DID of the signing key, which is {own:?}")]
    OtherKey {
        /// The issuer as given.
        found: String,
        /// The key's own DID of the same method.
        own: String,
    },
    /// A did:web or https URL with a fault in one part.
    #[error("{found:?} is not a valid issuer: {fault}")]
    Faulty {
        /// The issuer as given.
        found: String,
        /// What is wrong.
        fault: LocationFault,
    },
}

const EXPECTED: &str = "did:web:…, did:key:…, did:jwk:… or an https:// URL";

impl Issuer {
    /// Reads an issuer that signs with this key.
    ///
    /// A did:key or did:jwk must be the key's own. For did:web and https, whether the key is published there
    /// cannot be known offline.
    pub fn parse(text: &str, key: &PublicKey) -> Result<Self, IssuerError> {
        check_characters(text)?;
        if let Some(rest) = text.strip_prefix("did:") {
            parse_did(text, rest, key)
        } else if let Some(rest) = text.strip_prefix("https://") {
            let location = parse_https(rest).map_err(|fault| faulty(text, fault))?;
            Ok(Self { id: text.to_owned(), kid: key.thumbprint().to_owned(), location: Some(location) })
        } else {
            Err(unrecognised(text))
        }
    }

    /// The issuer that is the key itself, as did:key.
    pub fn of_key(key: &PublicKey) -> Self {
        let id = key.did_key();
        let kid = format!("{id}#{}", id.trim_start_matches("did:key:"));
        Self { id, kid, location: None }
    }

    /// The identifier, as it stands in `iss` and `issuer`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `kid` of the key: a DID URL for a DID, the bare thumbprint for an https issuer.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Is the identifier a DID?
    pub fn is_did(&self) -> bool {
        self.id.starts_with("did:")
    }

    /// The did:web that was meant, where the first segment of a path looks like the port of the host: in a did:web the
    /// colon before a port is percent-encoded.
    pub fn port_taken_for_path(&self) -> Option<String> {
        let (host, path) = self.id.strip_prefix("did:web:")?.split_once(':')?;
        let (first, rest) = path.split_once(':').map_or((path, ""), |(first, rest)| (first, rest));
        let is_port = first.bytes().all(|byte| byte.is_ascii_digit()) && first.parse::<u16>().is_ok();
        let rest = if rest.is_empty() { String::new() } else { format!(":{rest}") };
        (is_port && !host.contains("%3A")).then(|| format!("did:web:{host}%3A{first}{rest}"))
    }

    /// Host and port of a did:web or https issuer, decoded: `example.com:8443`.
    pub fn host(&self) -> Option<String> {
        self.location.as_ref().map(|location| location.host.clone())
    }

    /// The path segments of a did:web or https issuer, percent-decoded. None of them is empty, `.` or `..`, or
    /// holds a slash, a backslash or a control character, so each can name a directory.
    pub fn path(&self) -> &[String] {
        self.location.as_ref().map_or(&[], |location| &location.path)
    }

    /// Where this issuer's status lists are published where nothing is configured: its own place on the web, so that
    /// two issuers on one host have lists of their own. `None` for a did:key or did:jwk, which has no place.
    pub fn default_status_base(&self) -> Option<String> {
        self.location.as_ref().map(status_base_at)
    }
}

fn status_base_at(Location { host, path }: &Location) -> String {
    url_below(format!("https://{host}"), path)
}

fn url_below(start: String, path: &[String]) -> String {
    path.iter().fold(start, |mut url, segment| {
        url.push('/');
        push_url_segment(&mut url, segment);
        url
    })
}

/// Where an issuer publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPlace {
    /// The DID document of a did:web.
    DidDocument(String),
    /// The metadata of an https issuer (SD-JWT VC, "JWT VC Issuer Metadata").
    IssuerMetadata(String),
    /// Nowhere: the DID holds the key.
    InDid,
}

/// Where an issuer that nobody has vouched for says that its keys are; none where it names no place.
pub fn key_place(issuer: &str) -> Option<KeyPlace> {
    if PublicKey::from_did(issuer).is_some() {
        return Some(KeyPlace::InDid);
    }
    if let Some(specific) = issuer.strip_prefix("did:web:") {
        let Location { host, path } = parse_did_web(specific).ok()?;
        let folder =
            if path.is_empty() { format!("https://{host}/.well-known") } else { format!("https://{host}") };
        return Some(KeyPlace::DidDocument(format!("{}/did.json", url_below(folder, &path))));
    }
    let Location { host, path } = parse_https(issuer.strip_prefix("https://")?).ok()?;
    Some(KeyPlace::IssuerMetadata(url_below(format!("https://{host}/.well-known/jwt-vc-issuer"), &path)))
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// What [`Issuer::host`] is for an issuer whose key is not at hand.
///
/// # Errors
/// Where a did:web or an https issuer is not well formed.
pub fn host_of(issuer: &str) -> Result<Option<String>, IssuerError> {
    Ok(location_of(issuer)?.map(|location| location.host))
}

/// What [`Issuer::default_status_base`] is for an issuer whose key is not at hand.
///
/// # Errors
/// Where a did:web or an https issuer is not well formed.
pub fn status_base_of(issuer: &str) -> Result<Option<String>, IssuerError> {
    Ok(location_of(issuer)?.as_ref().map(status_base_at))
}

fn location_of(issuer: &str) -> Result<Option<Location>, IssuerError> {
    check_characters(issuer)?;
    let location = match (issuer.strip_prefix("did:web:"), issuer.strip_prefix("https://")) {
        (Some(specific), _) => Some(parse_did_web(specific)),
        (_, Some(rest)) => Some(parse_https(rest)),
        _ => None,
    };
    location.transpose().map_err(|fault| faulty(issuer, fault))
}

fn check_characters(text: &str) -> Result<(), IssuerError> {
    if text.is_empty() {
        return Err(IssuerError::Empty);
    }
    match text.chars().find(|character| !character.is_ascii_graphic()) {
        Some(character) => Err(IssuerError::Character { found: text.to_owned(), character }),
        None => Ok(()),
    }
}

fn parse_did(text: &str, rest: &str, key: &PublicKey) -> Result<Issuer, IssuerError> {
    let (method, specific) = rest.split_once(':').ok_or_else(|| unrecognised(text))?;
    // DID Core 1.0 section 3.2: these three end the DID and start the rest of a DID URL.
    if let Some(end) = text.find(['/', '?', '#']) {
        return Err(IssuerError::DidUrl { found: text.to_owned(), did: text[..end].to_owned() });
    }
    match method {
        "web" => {
            let location = parse_did_web(specific).map_err(|fault| faulty(text, fault))?;
            let kid = format!("{text}#{}", key.thumbprint());
            Ok(Issuer { id: text.to_owned(), kid, location: Some(location) })
        }
        "key" => own_did_key(text, key),
        "jwk" => own_did_jwk(text, key),
        _ if matches!(method.to_ascii_lowercase().as_str(), "web" | "key" | "jwk") => {
            Err(faulty(text, LocationFault::UpperCase))
        }
        _ => Err(IssuerError::UnsupportedMethod { method: method.to_owned() }),
    }
}

fn own_did_key(text: &str, key: &PublicKey) -> Result<Issuer, IssuerError> {
    let own = Issuer::of_key(key);
    if own.id == text { Ok(own) } else { Err(IssuerError::OtherKey { found: text.to_owned(), own: own.id }) }
}

/// A did:jwk may be made from any JSON spelling of the JWK: the order of its members, and optional ones, make a
/// different DID of the same key. What counts is the key inside.
fn own_did_jwk(text: &str, key: &PublicKey) -> Result<Issuer, IssuerError> {
    let inside = PublicKey::from_did(text);
    if inside.as_ref() == Some(key) {
        Ok(Issuer { id: text.to_owned(), kid: format!("{text}#0"), location: None })
    } else {
        Err(IssuerError::OtherKey { found: text.to_owned(), own: key.did_jwk() })
    }
}

fn faulty(text: &str, fault: LocationFault) -> IssuerError {
    IssuerError::Faulty { found: text.to_owned(), fault }
}

/// What a text that starts with neither `did:` nor `https://` may have been meant to be.
fn unrecognised(text: &str) -> IssuerError {
    let found = text.to_owned();
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("https://") || (lower.starts_with("did:") && !text.starts_with("did:")) {
        return faulty(text, LocationFault::UpperCase);
    }
    if text.contains("://") {
        return IssuerError::NotHttps { found };
    }
    let host = lower.split(['/', ':']).next().unwrap_or_default();
    if host.contains('.') && check_domain_name(host).is_ok() {
        return IssuerError::BareHost { found, suggestion: format!("did:web:{host}") };
    }
    IssuerError::Unrecognised { found }
}
