//! Which hosts an authority may issue certificates for (RFC 5280 section 4.2.1.10), where an issuer is named by a URI.
//!
//! A constraint on DNS names says nothing of URIs, and webpki checks it for DNS names alone. But an `https` or `did:web`
//! issuer is its host, in whichever form a certificate names it: an authority for one domain must not get around that by
//! writing a URI. So under an authority that may only issue for some domains, each URI must be one of theirs.

use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

/// The DNS names that an authority may issue for, and may not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostConstraints {
    permitted: Vec<String>,
    excluded: Vec<String>,
}

impl HostConstraints {
    /// What a certificate says.
    pub(super) fn of(constraints: &NameConstraints) -> HostConstraints {
        let domains = |subtrees: &Option<Vec<x509_cert::ext::pkix::constraints::name::GeneralSubtree>>| {
            let domain = |name: &GeneralName| match name {
                GeneralName::DnsName(domain) => Some(domain.as_str().to_ascii_lowercase()),
                _ => None,
            };
            subtrees.iter().flatten().filter_map(|subtree| domain(&subtree.base)).collect()
        };
        HostConstraints {
            permitted: domains(&constraints.permitted_subtrees),
            excluded: domains(&constraints.excluded_subtrees),
        }
    }

    /// Whether a certificate with this URI may be issued.
    pub(super) fn allow(&self, uri: &str) -> bool {
        let is_within = |domains: &[String], host: &str| domains.iter().any(|domain| is_below(host, domain));
        match host_of(uri) {
            Some(host) => {
                !is_within(&self.excluded, &host)
                    && (self.permitted.is_empty() || is_within(&self.permitted, &host))
            }
            None => self.permitted.is_empty(),
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let domain_only = domain.strip_prefix('.');
    let parent = domain_only.unwrap_or(domain);
    let is_inside = host.strip_suffix(parent).is_some_and(|rest| parent.is_empty() || rest.ends_with('.'));
    is_inside || domain_only.is_none() && host == parent
}

/// The host of a URI, in lower case; of a did:web, the one that it is resolved from.
fn host_of(uri: &str) -> Option<String> {
    let host = match uri.strip_prefix("did:web:") {
        Some(rest) => rest.split(':').next()?.split('%').next()?,
        None => {
            let authority = uri.split_once("://")?.1.split(['/', '?', '#']).next()?;
            let host = authority.rsplit('@').next()?;
            if host.starts_with('[') { host } else { host.split(':').next()? }
        }
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_must_be_one_of_the_hosts_that_are_permitted() {
        let of = |permitted: &[&str], excluded: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            HostConstraints { permitted: owned(permitted), excluded: owned(excluded) }
        };
        let (one, below, none, but) =
            (of(&["a.example"], &[]), of(&[".a.example"], &[]), of(&[], &[]), of(&[], &["a.example"]));
        for (uri, expected) in [
            ("https://a.example", [true, false, true, false]),
            ("https://A.example:8443/x", [true, false, true, false]),
            ("https://b.a.example/", [true, true, true, false]),
            ("did:web:b.a.example:x", [true, true, true, false]),
            ("did:web:a.example%3A8443", [true, false, true, false]),
            ("https://ba.example", [false, false, true, true]),
            ("https://a.example.evil.example", [false, false, true, true]),
            ("https://a.example@evil.example", [false, false, true, true]),
            ("https://evil.example/a.example", [false, false, true, true]),
            ("https://[::1]/", [false, false, true, true]),
            ("urn:a.example", [false, false, true, true]),
            ("did:key:a.example", [false, false, true, true]),
            ("https://", [false, false, true, true]),
        ] {
            let found = [&one, &below, &none, &but].map(|constraints| constraints.allow(uri));
            assert_eq!(found, expected, "{uri}");
        }
        assert!(of(&[""], &[]).allow("https://a.example"), "every host");
    }
}
