//! The DID document (DID Core 1.0, Controlled Identifiers 1.0).

use serde::Serialize;

use super::{DocumentKind, KeySet, SiteDocument, SitePath, json_text};
use crate::issuer::Issuer;
use crate::keys::PublicJwk;

/// What the methods of a document are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DidMethods {
    /// As VC-JOSE-COSE asks for.
    #[default]
    JsonWebKey,
    /// As consumers expect that know nothing newer.
    JsonWebKey2020,
}

impl DidMethods {
    fn name(self) -> &'static str {
        match self {
            DidMethods::JsonWebKey => "JsonWebKey",
            DidMethods::JsonWebKey2020 => "JsonWebKey2020",
        }
    }

    /// did/v1 alone defines neither name, and a JSON-LD processor would refuse the document.
    fn context(self) -> [&'static str; 2] {
        let names = match self {
            DidMethods::JsonWebKey => "https://www.w3.org/ns/cid/v1",
            DidMethods::JsonWebKey2020 => "https://w3id.org/security/suites/jws-2020/v1",
        };
        ["https://www.w3.org/ns/did/v1", names]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DidDocument<'d> {
    #[serde(rename = "@context")]
    context: [&'static str; 2],
    id: &'d str,
    verification_method: Vec<VerificationMethod<'d>>,
    assertion_method: Vec<&'d str>,
}

/// Controlled Identifiers 1.0 section 2.2.3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMethod<'d> {
    id: &'d str,
    r#type: &'static str,
    controller: &'d str,
    public_key_jwk: &'d PublicJwk,
}

/// The document of an issuer that is a DID; `None` for an https issuer, which has none.
///
/// Every key is an assertion method, whatever its state: a verifier accepts a credential only of a key that is one
/// (VC-JOSE-COSE section 4.2). A key's `kid` is its method's id, the whole DID URL, so that a reader who turns the
/// methods into a JWK set finds the key by the `kid` of the credential.
///
/// Resolvers make the document of a did:key or did:jwk from the DID itself. It is published for tools that want a
/// file.
pub fn document(keys: &KeySet, methods: DidMethods) -> Option<SiteDocument> {
    let issuer = keys.issuer();
    if !issuer.is_did() {
        return None;
    }
    let method = |(id, public_key_jwk)| VerificationMethod {
        id,
        r#type: methods.name(),
        controller: issuer.id(),
        public_key_jwk,
    };
    let document = DidDocument {
        context: methods.context(),
        id: issuer.id(),
        verification_method: keys.kids().zip(keys.jwks()).map(method).collect(),
        assertion_method: keys.kids().collect(),
    };
    Some(SiteDocument { path: path(issuer), kind: DocumentKind::DidDocument, bytes: json_text(&document) })
}

/// Where the document of an issuer without a path is.
pub fn default_path() -> SitePath {
    SitePath::known(&[".well-known", "did.json"])
}

/// The did:web method, "Read (Resolve)": `did.json` in the directory that the DID names, else in `.well-known`.
fn path(issuer: &Issuer) -> SitePath {
    match issuer.path() {
        [] => default_path(),
        directory => SitePath::of_segments(directory.iter().cloned().chain(["did.json".to_owned()])),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::keys::tests::{key, set_of};
    use super::super::{KeySet, KeyState};
    use super::*;

    fn read(document: &SiteDocument) -> Value {
        serde_json::from_slice(&document.bytes).unwrap()
    }

    #[test]
    fn every_key_is_an_assertion_method() {
        let [now, soon, old] = [key(), key(), key()];
        let issuer = Issuer::parse("did:web:issuer.example", &now).unwrap();
        let keys = [
            (now.clone(), KeyState::Current),
            (soon.clone(), KeyState::Next),
            (old.clone(), KeyState::Retired),
        ];
        let document = document(&KeySet::new(&issuer, &keys).unwrap(), DidMethods::default()).unwrap();
        let ids = [now, soon, old].map(|key| format!("did:web:issuer.example#{}", key.thumbprint()));
        assert_eq!(read(&document)["assertionMethod"], json!(ids));
        let methods = read(&document)["verificationMethod"].as_array().unwrap().clone();
        assert_eq!(methods.iter().map(|method| &method["id"]).collect::<Vec<_>>(), ids.each_ref());
    }

    #[test]
    fn the_document_is_where_and_what_its_method_says() {
        let key = key();
        let thumbprint = key.thumbprint();
        let (did_key, did_jwk) = (key.did_key(), key.did_jwk());
        for (did, fragment, path) in [
            ("did:web:example.com", thumbprint, "/.well-known/did.json"),
            ("did:web:example.com%3A8443", thumbprint, "/.well-known/did.json"),
            ("did:web:w3c-ccg.github.io:user:alice", thumbprint, "/user/alice/did.json"),
            ("did:web:example.com%3A3000:user:alice", thumbprint, "/user/alice/did.json"),
            ("did:web:example.com:a%20b", thumbprint, "/a%20b/did.json"),
            (&did_key, did_key.trim_start_matches("did:key:"), "/.well-known/did.json"),
            (&did_jwk, "0", "/.well-known/did.json"),
        ] {
            let document = document(&set_of(did, &key), DidMethods::default()).unwrap();
            assert_eq!(document.path.url_path(), path, "{did}");
            let method = format!("{did}#{fragment}");
            let expected = json!({
                "@context": ["https://www.w3.org/ns/did/v1", "https://www.w3.org/ns/cid/v1"],
                "id": did,
                "verificationMethod": [{
                    "id": method, "type": "JsonWebKey", "controller": did,
                    "publicKeyJwk": {
                        "kty": "EC", "crv": "P-256", "x": key.x(), "y": key.y(),
                        "kid": method, "alg": "ES256", "use": "sig",
                    },
                }],
                "assertionMethod": [method],
            });
            assert_eq!(read(&document), expected);
        }
    }

    /// For consumers that know nothing newer, both the name and the context that defines it are older.
    #[test]
    fn methods_can_have_their_older_name() {
        let set = set_of("did:web:issuer.example", &key());
        let (new, old) = [DidMethods::JsonWebKey, DidMethods::JsonWebKey2020]
            .map(|methods| read(&document(&set, methods).unwrap()))
            .into();
        assert_eq!(old["verificationMethod"][0]["type"], "JsonWebKey2020");
        let suite = "https://w3id.org/security/suites/jws-2020/v1";
        assert_eq!(old["@context"], json!(["https://www.w3.org/ns/did/v1", suite]));
        let mut renamed = old;
        renamed["verificationMethod"][0]["type"] = json!("JsonWebKey");
        renamed["@context"] = new["@context"].clone();
        assert_eq!(renamed, new, "nothing else is different");
    }

    #[test]
    fn an_https_issuer_has_no_document() {
        assert!(document(&set_of("https://issuer.example", &key()), DidMethods::default()).is_none());
    }

    /// The published examples of documents and of methods with a JWK have the members that ours have.
    #[test]
    fn the_members_are_those_of_the_published_examples() {
        let Some(folder) = crate::machine::data("vectors/did-web") else { return };
        let examples = |name: &str| -> Vec<Value> {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
        };
        let ours = read(&document(&set_of("did:web:example.com", &key()), DidMethods::default()).unwrap());
        let method = &ours["verificationMethod"][0];

        let web = &examples("did-web-examples.json")[0];
        assert_eq!((&web["id"], &web["@context"][0]), (&ours["id"], &ours["@context"][0]));
        let theirs = &web["verificationMethod"][0];
        assert_eq!(theirs["controller"], method["controller"]);

        let mut compared = 0;
        for theirs in examples("cid-1.0-examples.json").iter().flat_map(methods_with_a_jwk) {
            let missing: Vec<_> =
                names(theirs).difference(&names(method)).map(|name| name.as_str()).collect();
            // The time of a revocation is optional: a key that was stolen is not published at all.
            assert!(missing.is_empty() || missing == ["revoked"], "{missing:?}");
            assert!(names(method).is_subset(&names(theirs)));
            compared += 1;
        }
        assert!(compared > 0);
    }

    fn methods_with_a_jwk(example: &Value) -> impl Iterator<Item = &Value> {
        let methods = example["verificationMethod"].as_array().into_iter().flatten();
        methods.filter(|method| method["type"] == "JsonWebKey" && method["publicKeyJwk"]["crv"] == "P-256")
    }

    fn names(object: &Value) -> BTreeSet<&String> {
        object.as_object().unwrap().keys().collect()
    }
}
