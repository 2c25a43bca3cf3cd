//! Who issues: a DID or an https URL, and the name that verifiers find its key by.
//!
//! An issuer's identifier goes into every credential and is compared there byte for byte, so what is accepted
//! here is one spelling of each: lower-case hosts, no dot segments, no trailing dot.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use crate::keys::PublicKey;

/// An issuer: its identifier and the `kid` of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    id: String,
    kid: String,
    location: Option<Location>,
}

/// A place on the web, percent-decoded: where a did:web or https issuer lives, or where a file is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Host and port, as in `example.com:8443`.
    pub(crate) host: String,
    /// The segments of the path, each of which can name a directory: see [`Issuer::path`].
    pub(crate) path: Vec<String>,
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
        fault: Fault,
    },
}

const EXPECTED: &str = "did:web:…, did:key:…, did:jwk:… or an https:// URL";

/// What can be wrong with a host or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not begin with `https://`.
    NotHttps,
    /// There is no host.
    NoHost,
    /// The host, or the scheme, has capital letters.
    UpperCase,
    /// An IP address in a did:web.
    IpAddress,
    /// Something like an IP address that is not one.
    BadIpAddress,
    /// A dot at the end of the host.
    TrailingDot,
    /// A label that DNS does not allow (RFC 1123 section 2.1).
    BadLabel,
    /// A host of more than 253 characters.
    LongHost,
    /// A port that is not a number from 1 to 65535.
    BadPort,
    /// The port that every https URL has, which makes two names of one host.
    DefaultPort,
    /// `%` that is not followed by two hexadecimal digits.
    BadPercent,
    /// A percent-encoded character in the host.
    PercentInHost,
    /// A path segment with nothing in it.
    EmptySegment,
    /// `.` or `..` as a path segment.
    DotSegment,
    /// A percent-encoded slash, backslash or control character in the path.
    HiddenSeparator,
    /// A character that does not belong into the path.
    BadPathCharacter,
    /// A user name or password.
    UserInfo,
    /// A query.
    Query,
    /// A fragment.
    Fragment,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttps => "it does not begin with https://",
            Self::NoHost => "it has no host",
            Self::UpperCase => "scheme, method and host are written in lower case",
            Self::IpAddress => "did:web takes no IP address; expected a domain name",
            Self::BadIpAddress => "its host looks like an IP address and is not one",
            Self::TrailingDot => "its host ends in a dot",
            Self::BadLabel => "its host is not a domain name",
            Self::LongHost => "its host is longer than 253 characters",
            Self::BadPort => "its port is not a number from 1 to 65535 (in did:web written as %3A8443)",
            Self::DefaultPort => "its port is 443, which is left out",
            Self::BadPercent => "a % is not followed by two hexadecimal digits",
            Self::PercentInHost => {
                "its host is percent-encoded (only the port's colon is, as %3A, in did:web)"
            }
            Self::EmptySegment => "its path has an empty part",
            Self::DotSegment => "its path has a part that is . or ..",
            Self::HiddenSeparator => "its path hides a slash, backslash or control character as %XX",
            Self::BadPathCharacter => "its path has a character that has to be percent-encoded",
            Self::UserInfo => "it has a user name",
            Self::Query => "it has a query",
            Self::Fragment => "it has a fragment",
        })
    }
}

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
        let Location { host, path } = self.location.as_ref()?;
        Some(path.iter().fold(format!("https://{host}"), |mut url, segment| {
            url.push('/');
            push_url_segment(&mut url, segment);
            url
        }))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// Appends a segment of a URL's path, with everything percent-encoded that is not unreserved (RFC 3986 section 2.3).
pub(crate) fn push_url_segment(url: &mut String, segment: &str) {
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
}

/// Checks an https URL under which something is published: no query, no fragment, and nothing that
/// a URL parser would rewrite.
///
/// # Errors
/// What is wrong with it.
pub fn check_https_url(url: &str) -> Result<(), Fault> {
    parse_https(url.strip_prefix("https://").ok_or(Fault::NotHttps)?).map(|_| ())
}

/// What [`Issuer::host`] is for an issuer whose key is not at hand.
///
/// # Errors
/// Where a did:web or an https issuer is not well formed.
pub fn host_of(issuer: &str) -> Result<Option<String>, IssuerError> {
    check_characters(issuer)?;
    let location = match (issuer.strip_prefix("did:web:"), issuer.strip_prefix("https://")) {
        (Some(specific), _) => Some(parse_did_web(specific)),
        (_, Some(rest)) => Some(parse_https(rest)),
        _ => None,
    };
    let location = location.transpose().map_err(|fault| faulty(issuer, fault))?;
    Ok(location.map(|location| location.host))
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
            Err(faulty(text, Fault::UpperCase))
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

/// The did:web method, "Method-specific identifier": a domain name, then path segments, all separated by colons;
/// a port's own colon is percent-encoded.
fn parse_did_web(specific: &str) -> Result<Location, Fault> {
    let mut parts = specific.split(':');
    let host = decoded_port(parts.next().unwrap_or_default())?;
    let (name, port) = split_port(&host);
    check_domain_name(name)?;
    check_port(port)?;
    let path = parts.map(did_path_segment).collect::<Result<_, _>>()?;
    Ok(Location { host, path })
}

/// `example.com%3A8443` to `example.com:8443`.
fn decoded_port(host: &str) -> Result<String, Fault> {
    let Some((name, rest)) = host.split_once('%') else { return Ok(host.to_owned()) };
    let encoded = rest.get(..2).ok_or(Fault::BadPercent)?;
    let port = &rest[2..];
    if !encoded.eq_ignore_ascii_case("3a") || port.contains('%') {
        return Err(Fault::PercentInHost);
    }
    Ok(format!("{name}:{port}"))
}

fn did_path_segment(segment: &str) -> Result<String, Fault> {
    // DID Core 1.0 section 3.1: idchar.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_%".contains(&byte);
    if !segment.bytes().all(allowed) {
        return Err(Fault::BadPathCharacter);
    }
    decoded_segment(segment)
}

/// An https URL without its scheme, as an issuer is written: no query and no fragment (SD-JWT VC, "Issuer"), and
/// nothing that a URL parser would rewrite.
pub(crate) fn parse_https(rest: &str) -> Result<Location, Fault> {
    if rest.contains('#') {
        return Err(Fault::Fragment);
    }
    if rest.contains('?') {
        return Err(Fault::Query);
    }
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    if authority.contains('@') {
        return Err(Fault::UserInfo);
    }
    if authority.contains('%') {
        return Err(Fault::PercentInHost);
    }
    let (name, port) = split_port(authority);
    check_url_host(name)?;
    check_port(port)?;
    Ok(Location { host: authority.to_owned(), path: url_path(path.unwrap_or_default())? })
}

/// The segments of a path without its first slash. One slash at the end is allowed.
fn url_path(path: &str) -> Result<Vec<String>, Fault> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.strip_suffix('/').unwrap_or(path).split('/').map(url_path_segment).collect()
}

fn url_path_segment(segment: &str) -> Result<String, Fault> {
    // RFC 3986 section 3.3: pchar.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    if !segment.bytes().all(allowed) {
        return Err(Fault::BadPathCharacter);
    }
    decoded_segment(segment)
}

fn decoded_segment(segment: &str) -> Result<String, Fault> {
    let decoded = percent_decoded(segment)?;
    match decoded.as_str() {
        "" => Err(Fault::EmptySegment),
        "." | ".." => Err(Fault::DotSegment),
        text if text.contains(|c: char| c == '/' || c == '\\' || c.is_control()) => {
            Err(Fault::HiddenSeparator)
        }
        _ => Ok(decoded),
    }
}

fn percent_decoded(text: &str) -> Result<String, Fault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next()), digit(bytes.next()));
        let (high, low) = high.zip(low).ok_or(Fault::BadPercent)?;
        decoded.push((high * 16 + low) as u8);
    }
    String::from_utf8(decoded).map_err(|_| Fault::BadPercent)
}

/// Host and port of an authority; a colon inside the brackets of an IPv6 address is no port's.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (authority, None),
    }
}

fn check_port(port: Option<&str>) -> Result<(), Fault> {
    let Some(port) = port else { return Ok(()) };
    let number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    match port.parse::<u16>() {
        Ok(443) if number => Err(Fault::DefaultPort),
        Ok(_) if number => Ok(()),
        _ => Err(Fault::BadPort),
    }
}

fn check_url_host(host: &str) -> Result<(), Fault> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or(Fault::BadIpAddress)?;
        return address.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| Fault::BadIpAddress);
    }
    match check_domain_name(host) {
        Err(Fault::IpAddress) => host.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| Fault::BadIpAddress),
        other => other,
    }
}

/// A domain name of letters, digits and hyphens (RFC 1123 section 2.1), in lower case.
///
/// A last label that is a number makes it an IPv4 address in the verifier of every URL parser (WHATWG URL, "ends in a
/// number checker"), however odd.
fn check_domain_name(host: &str) -> Result<(), Fault> {
    if host.is_empty() {
        return Err(Fault::NoHost);
    }
    if host.starts_with('[') {
        return Err(Fault::IpAddress);
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::UpperCase);
    }
    if host.ends_with('.') {
        return Err(Fault::TrailingDot);
    }
    if host.len() > 253 {
        return Err(Fault::LongHost);
    }
    if !host.split('.').all(is_label) {
        return Err(Fault::BadLabel);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if is_number(last) { Err(Fault::IpAddress) } else { Ok(()) }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x");
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn faulty(text: &str, fault: Fault) -> IssuerError {
    IssuerError::Faulty { found: text.to_owned(), fault }
}

/// What a text that starts with neither `did:` nor `https://` may have been meant to be.
fn unrecognised(text: &str) -> IssuerError {
    let found = text.to_owned();
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("https://") || (lower.starts_with("did:") && !text.starts_with("did:")) {
        return faulty(text, Fault::UpperCase);
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
