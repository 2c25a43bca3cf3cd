//! The metadata of an https issuer (SD-JWT VC, "JWT VC Issuer Metadata").

use serde::Serialize;

use super::jwks::Jwks;
use super::{DocumentKind, KeySet, SiteDocument, SitePath, json_text};

#[derive(Serialize)]
struct Metadata<'m> {
    issuer: &'m str,
    jwks: Jwks<'m>,
}

/// The metadata of an https issuer; `None` for a DID, whose keys are found through its document.
///
/// The path is `.well-known/jwt-vc-issuer`, then the issuer's own path; a slash at its end names no file and is left
/// out. The keys stand in the document itself, which may then be copied as it is.
pub fn document(keys: &KeySet) -> Option<SiteDocument> {
    let issuer = keys.issuer();
    if issuer.is_did() {
        return None;
    }
    let well_known = [".well-known", "jwt-vc-issuer"].map(str::to_owned);
    let path = SitePath::of_segments(well_known.into_iter().chain(issuer.path().iter().cloned()));
    let metadata = Metadata { issuer: issuer.id(), jwks: Jwks::of(keys) };
    Some(SiteDocument { path, kind: DocumentKind::JwtVcIssuer, bytes: json_text(&metadata) })
}

/// Where the metadata of an issuer without a path are.
pub fn default_path() -> SitePath {
    SitePath::known(&[".well-known", "jwt-vc-issuer"])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::jwks;
    use super::super::keys::tests::{key, set_of};
    use super::*;

    #[test]
    fn issuer_and_keys_are_those_of_credentials() {
        for (id, path) in [
            ("https://issuer.example", "/.well-known/jwt-vc-issuer"),
            ("https://issuer.example:8443", "/.well-known/jwt-vc-issuer"),
            ("https://issuer.example/", "/.well-known/jwt-vc-issuer"),
            ("https://issuer.example/tenant/1234", "/.well-known/jwt-vc-issuer/tenant/1234"),
            ("https://issuer.example/tenant/1234/", "/.well-known/jwt-vc-issuer/tenant/1234"),
        ] {
            let keys = set_of(id, &key());
            let document = document(&keys).unwrap();
            assert_eq!(document.path.url_path(), path, "{id}");
            let read: Value = serde_json::from_slice(&document.bytes).unwrap();
            let jwks: Value = serde_json::from_slice(&jwks::document(&keys).bytes).unwrap();
            assert_eq!((&read["issuer"], &read["jwks"]), (&Value::from(id), &jwks));
            assert_eq!(read.as_object().unwrap().len(), 2);
        }
    }

    #[test]
    fn a_did_has_none() {
        assert!(document(&set_of("did:web:issuer.example", &key())).is_none());
    }
}
