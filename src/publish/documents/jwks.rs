//! The JWK set (RFC 7517 section 5), for verifiers that know no DIDs.

use serde::Serialize;

use super::{DocumentKind, KeySet, SiteDocument, SitePath, json_text};
use crate::keys::PublicJwk;

/// A JWK set, as it is written.
#[derive(Serialize)]
pub(super) struct Jwks<'k> {
    keys: Vec<&'k PublicJwk>,
}

impl<'k> Jwks<'k> {
    pub(super) fn of(keys: &'k KeySet) -> Jwks<'k> {
        Jwks { keys: keys.jwks().collect() }
    }
}

/// `.well-known/jwks.json`, at the root of the site whatever path the issuer has.
pub fn document(keys: &KeySet) -> SiteDocument {
    let path = SitePath::known(&[".well-known", "jwks.json"]);
    SiteDocument { path, kind: DocumentKind::Jwks, bytes: json_text(&Jwks::of(keys)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::keys::tests::{key, set_of};
    use super::*;

    #[test]
    fn it_holds_the_public_members_and_no_other() {
        let key = key();
        let document = document(&set_of("https://issuer.example/tenant", &key));
        assert_eq!(document.path.url_path(), "/.well-known/jwks.json");
        let read: Value = serde_json::from_slice(&document.bytes).unwrap();
        let expected = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "x": key.x(), "y": key.y(),
            "kid": key.thumbprint(), "alg": "ES256", "use": "sig",
        }]});
        assert_eq!(read, expected);
    }
}
