//! Where an issuer is on the web: the host and path of a did:web or an https URL.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A place on the web, percent-decoded: where a did:web or https issuer lives, or where a file is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Host and port, as in `example.com:8443`.
    pub(crate) host: String,
    /// The segments of the path, each of which can name a directory: see [`Issuer::path`](super::Issuer::path).
    pub(crate) path: Vec<String>,
}

/// What can be wrong with a host or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationFault {
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

impl fmt::Display for LocationFault {
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
pub fn check_https_url(url: &str) -> Result<(), LocationFault> {
    parse_https(url.strip_prefix("https://").ok_or(LocationFault::NotHttps)?).map(|_| ())
}

/// The did:web method, "Method-specific identifier": a domain name, then path segments, all separated by colons;
/// a port's own colon is percent-encoded.
pub(super) fn parse_did_web(specific: &str) -> Result<Location, LocationFault> {
    let mut parts = specific.split(':');
    let host = decoded_port(parts.next().unwrap_or_default())?;
    let (name, port) = split_port(&host);
    check_domain_name(name)?;
    check_port(port)?;
    let path = parts.map(did_path_segment).collect::<Result<_, _>>()?;
    Ok(Location { host, path })
}

/// `example.com%3A8443` to `example.com:8443`.
fn decoded_port(host: &str) -> Result<String, LocationFault> {
    let Some((name, rest)) = host.split_once('%') else { return Ok(host.to_owned()) };
    let encoded = rest.get(..2).ok_or(LocationFault::BadPercent)?;
    let port = &rest[2..];
    if !encoded.eq_ignore_ascii_case("3a") || port.contains('%') {
        return Err(LocationFault::PercentInHost);
    }
    Ok(format!("{name}:{port}"))
}

fn did_path_segment(segment: &str) -> Result<String, LocationFault> {
    // DID Core 1.0 section 3.1: idchar.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_%".contains(&byte);
    if !segment.bytes().all(allowed) {
        return Err(LocationFault::BadPathCharacter);
    }
    decoded_segment(segment)
}

/// An https URL without its scheme, as an issuer is written: no query and no fragment (SD-JWT VC, "Issuer"), and
/// nothing that a URL parser would rewrite.
pub(crate) fn parse_https(rest: &str) -> Result<Location, LocationFault> {
    if rest.contains('#') {
        return Err(LocationFault::Fragment);
    }
    if rest.contains('?') {
        return Err(LocationFault::Query);
    }
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    if authority.contains('@') {
        return Err(LocationFault::UserInfo);
    }
    if authority.contains('%') {
        return Err(LocationFault::PercentInHost);
    }
    let (name, port) = split_port(authority);
    check_url_host(name)?;
    check_port(port)?;
    Ok(Location { host: authority.to_owned(), path: url_path(path.unwrap_or_default())? })
}

/// The segments of a path without its first slash. One slash at the end is allowed.
fn url_path(path: &str) -> Result<Vec<String>, LocationFault> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.strip_suffix('/').unwrap_or(path).split('/').map(url_path_segment).collect()
}

fn url_path_segment(segment: &str) -> Result<String, LocationFault> {
    // RFC 3986 section 3.3: pchar.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    if !segment.bytes().all(allowed) {
        return Err(LocationFault::BadPathCharacter);
    }
    decoded_segment(segment)
}

fn decoded_segment(segment: &str) -> Result<String, LocationFault> {
    let decoded = percent_decoded(segment)?;
    match decoded.as_str() {
        "" => Err(LocationFault::EmptySegment),
        "." | ".." => Err(LocationFault::DotSegment),
        text if text.contains(|c: char| c == '/' || c == '\\' || c.is_control()) => {
            Err(LocationFault::HiddenSeparator)
        }
        _ => Ok(decoded),
    }
}

fn percent_decoded(text: &str) -> Result<String, LocationFault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next()), digit(bytes.next()));
        let (high, low) = high.zip(low).ok_or(LocationFault::BadPercent)?;
        decoded.push((high * 16 + low) as u8);
    }
    String::from_utf8(decoded).map_err(|_| LocationFault::BadPercent)
}

/// Host and port of an authority; a colon inside the brackets of an IPv6 address is no port's.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (authority, None),
    }
}

fn check_port(port: Option<&str>) -> Result<(), LocationFault> {
    let Some(port) = port else { return Ok(()) };
    let number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    match port.parse::<u16>() {
        Ok(443) if number => Err(LocationFault::DefaultPort),
        Ok(_) if number => Ok(()),
        _ => Err(LocationFault::BadPort),
    }
}

fn check_url_host(host: &str) -> Result<(), LocationFault> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or(LocationFault::BadIpAddress)?;
        return address.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| LocationFault::BadIpAddress);
    }
    match check_domain_name(host) {
        Err(LocationFault::IpAddress) => {
            host.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| LocationFault::BadIpAddress)
        }
        other => other,
    }
}

/// A domain name of letters, digits and hyphens (RFC 1123 section 2.1), in lower case.
///
/// A last label that is a number makes it an IPv4 address in the verifier of every URL parser (WHATWG URL, "ends in a
/// number checker"), however odd.
pub(super) fn check_domain_name(host: &str) -> Result<(), LocationFault> {
    if host.is_empty() {
        return Err(LocationFault::NoHost);
    }
    if host.starts_with('[') {
        return Err(LocationFault::IpAddress);
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(LocationFault::UpperCase);
    }
    if host.ends_with('.') {
        return Err(LocationFault::TrailingDot);
    }
    if host.len() > 253 {
        return Err(LocationFault::LongHost);
    }
    if !host.split('.').all(is_label) {
        return Err(LocationFault::BadLabel);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if is_number(last) { Err(LocationFault::IpAddress) } else { Ok(()) }
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
