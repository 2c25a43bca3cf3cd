//! Which issuers a certificate names.
//!
//! A URI among its subject alternative names names the issuer that is spelt the same; a DNS name every https or did:web
//! issuer on that host, whatever the port and path. A wildcard names no issuer, and neither does the subject: a common
//! name is not an identifier (RFC 9525 section 2).

use crate::clock::UnixTime;
use crate::keys::{CertificateChain, CertificateNames};

/// Whether the certificate of these names is that of the issuer.
pub fn is_named(issuer: &str, names: &CertificateNames) -> bool {
    let is_host = |host: &str| names.dns_names.iter().any(|name| name.eq_ignore_ascii_case(host));
    names.uris.iter().any(|uri| uri == issuer) || host_of(issuer).is_some_and(|host| is_host(&host))
}

/// The issuer that a certificate names first, for tokens that name none: its first URI, else its first host, else its
/// subject.
pub fn first_named(names: &CertificateNames) -> String {
    let host = names.dns_names.iter().find(|name| !name.contains('*'));
    let of_host = || host.map(|host| format!("https://{}", host.to_ascii_lowercase()));
    names.uris.first().cloned().or_else(of_host).unwrap_or_else(|| names.subject.clone())
}

/// Why verifiers that use certificates may reject what is signed with the key of a chain.
pub fn doubts(chain: &CertificateChain, issuer: &str, now: UnixTime) -> Vec<String> {
    let mut doubts = Vec::new();
    if !is_named(issuer, chain.names()) {
        let names = names_in_words(chain.names());
        doubts.push(format!(
            "the certificate of the key does not name the issuer {issuer}: it {names}; verifiers that use certificates will \
             reject these credentials"
        ));
    }
    if !chain.is_valid_at(now) {
        doubts.push(
            "the certificate of the key is not valid now; verifiers will reject these credentials".to_owned(),
        );
    }
    doubts
}

/// How many names of a certificate are shown, and how many characters of each.
const MAX_NAMES_SHOWN: usize = 4;
const MAX_NAME_CHARS: usize = 120;

/// The names of a certificate that can name an issuer, in words that end a sentence.
pub fn names_in_words(names: &CertificateNames) -> String {
    let all = names.uris.iter().chain(&names.dns_names);
    let cut = |name: &String| format!("{:?}", name.chars().take(MAX_NAME_CHARS).collect::<String>());
    let shown: Vec<String> = all.take(MAX_NAMES_SHOWN).map(cut).collect();
    match names.uris.len() + names.dns_names.len() {
        0 => "names no issuer: it has no URI and no DNS name".to_owned(),
        count if count > MAX_NAMES_SHOWN => {
            format!("is for {} and {} more", shown.join(", "), count - MAX_NAMES_SHOWN)
        }
        _ => format!("is for {}", shown.join(", ")),
    }
}

/// The host of an https or did:web issuer, without its port. It is read as it is where documents are fetched from: by
/// two readings of a name, one could be certified and another be meant.
fn host_of(issuer: &str) -> Option<String> {
    let host = super::host_of(issuer).ok()??;
    Some(host.split(':').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(uris: &[&str], dns_names: &[&str]) -> CertificateNames {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        CertificateNames {
            uris: owned(uris),
            dns_names: owned(dns_names),
            subject: "CN=plover.example".into(),
        }
    }

    #[test]
    fn a_certificate_names_issuers_by_uri_and_by_host() {
        let uri = names(&["https://plover.example/a", "did:web:plover.example:b"], &[]);
        let host = names(&[], &["Plover.example", "*.siskin.example"]);
        for (issuer, by_uri, by_host) in [
            ("https://plover.example/a", true, true),
            ("https://plover.example/a/", false, true),
            ("https://plover.example", false, true),
            ("https://plover.example:8443/x", false, true),
            ("https://plover.example:8443/x?y", false, false),
            ("https://plover.example#z", false, false),
            ("https://plover.example:99999", false, false),
            ("did:web:plover.example%40evil.example", false, false),
            ("did:web:plover.example%2Eevil.example", false, false),
            ("did:web:plover.example%2F..", false, false),
            ("did:web:plover.example%3A443%40evil.example", false, false),
            ("did:web:plover.example%", false, false),
            ("did:web:plover.example:..:x", false, false),
            ("did:web:plover.example:b", true, true),
            ("did:web:plover.example%3A8443:b", false, true),
            ("http://plover.example", false, false),
            ("https://www.plover.example", false, false),
            ("https://plover.example.evil.example", false, false),
            ("https://plover.example@evil.example/", false, false),
            ("https://plover.example:x@evil.example/", false, false),
            ("https://evil.example/plover.example", false, false),
            ("https://a.siskin.example", false, false),
            ("https://*.siskin.example", false, false),
            ("https://", false, false),
            ("did:web:", false, false),
            ("did:key:plover.example", false, false),
            ("plover.example", false, false),
            ("CN=plover.example", false, false),
        ] {
            assert_eq!((is_named(issuer, &uri), is_named(issuer, &host)), (by_uri, by_host), "{issuer}");
        }
    }

    #[test]
    fn the_first_name_is_a_uri_or_a_host_or_the_subject() {
        assert_eq!(first_named(&names(&["urn:a", "urn:b"], &["c.example"])), "urn:a");
        assert_eq!(first_named(&names(&[], &["*.c.example", "D.example"])), "https://d.example");
        assert_eq!(first_named(&names(&[], &["*.c.example"])), "CN=plover.example");
    }
}
