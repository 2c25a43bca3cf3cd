//! The JSON-LD context of our credentials.
//!
//! It stands after `https://www.w3.org/ns/credentials/v2` and defines every term of a `jwt_vc` that is not defined
//! there, so that a processor in safe mode, which refuses what no context defines, takes the credential. Terms are
//! protected: no context after this one can change what they mean.
//!
//! Members of the subject that `--allow-unknown` carried through are not defined here, as nobody knows what they
//! mean. Claims are one JSON value to JSON-LD, unknown ones included.

use serde_json::{Map, Value, json};

use super::{DocumentKind, SiteDocument, SitePath, json_text};
use crate::types::{Field, FieldKind, Types};

/// The terms that the context of the VC Data Model 2.0 defines for every node. They are protected there: to define
/// them anew is an error, and needless.
const DEFINED_ALREADY: [&str; 20] = [
    "id",
    "type",
    "description",
    "digestMultibase",
    "digestSRI",
    "mediaType",
    "name",
    "...",
    "_sd",
    "_sd_alg",
    "aud",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jku",
    "kid",
    "nbf",
    "sub",
    "x5u",
];

/// JWT claims by the names under which IANA lists them, as the VC Data Model's context names `cnf` and `exp`.
const JWT: &str = "https://www.iana.org/assignments/jwt#";

/// The context for credentials of these types that is published at `url`, and its path there. The terms of our own are `URL#term`.
pub fn document(path: SitePath, url: &str, types: Types) -> SiteDocument {
    let context = json!({ "@context": terms(url, types) });
    SiteDocument { path, kind: DocumentKind::Context, bytes: json_text(&context) }
}

fn terms(url: &str, types: Types) -> Map<String, Value> {
    let own = |term: &str| format!("{url}#{term}");
    let mut terms = Map::new();
    terms.insert("@protected".to_owned(), true.into());
    // Types, and the members beside the subject's: see `credential::jwt_vc` and `credential::evidence`.
    let names = types.all().iter().map(|known| known.vc_type);
    for term in names.chain(["EvidenceReference", "document_type", "reference", "subject_id"]) {
        terms.insert(term.to_owned(), own(term).into());
    }
    for claim in ["jti", "vct"] {
        terms.insert(claim.to_owned(), format!("{JWT}{claim}").into());
    }
    terms.insert("status".to_owned(), as_json(&format!("{JWT}status")));
    terms.insert("claims".to_owned(), as_json(&own("claims")));
    let of_type = types.all().iter().flat_map(|known| known.own.fields.iter().chain(known.subject.1.fields));
    for field in of_type {
        add_subject_field(&mut terms, field, &own);
    }
    terms
}

fn add_subject_field(terms: &mut Map<String, Value>, field: &Field, own: &impl Fn(&str) -> String) {
    if field.name == "type"
        && let FieldKind::Word(types) = field.kind
    {
        terms.extend(types.iter().map(|&name| (name.to_owned(), own(name).into())));
    }
    if !DEFINED_ALREADY.contains(&field.name) {
        let is_structure =
            matches!(field.kind, FieldKind::Object(_) | FieldKind::Array { .. } | FieldKind::Any);
        // Of two types of which one has a structure under the name, both have JSON.
        if is_structure || !terms.contains_key(field.name) {
            let definition = if is_structure { as_json(&own(field.name)) } else { own(field.name).into() };
            terms.insert(field.name.to_owned(), definition);
        }
    }
}

/// A term whose value is one JSON value, of which JSON-LD does not look at the inside.
fn as_json(iri: &str) -> Value {
    json!({ "@id": iri, "@type": "@json" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use base64_simd::URL_SAFE_NO_PAD;
    use uuid::Uuid;

    use super::*;
    use crate::clock::UnixTime;
    use crate::credential::{Assembler, Profile, ProfileSettings};
    use crate::credential::{CredentialStatus, Grant, ListUris};
    use crate::issuer::Issuer;
    use crate::json::Parser;
    use crate::keys::{IssuerKey, SigningKey};
    use crate::request::rules::CalendarDuration;
    use crate::request::{Checker, Rules};

    const URL: &str = "https://issuer.example/contexts/kyb/v1";

    fn context() -> Map<String, Value> {
        let document = document(SitePath::known(&["contexts", "kyb", "v1"]), URL, Types::BUILT_IN);
        let read: Value = serde_json::from_slice(&document.bytes).unwrap();
        read["@context"].as_object().unwrap().clone()
    }

    /// Every term that the subject can have, and each member that only some credentials have.
    fn credentials() -> Vec<Value> {
        let full = r#"{"request":{"self_attestation_complete":true,"subject":{"id":"https://acme.example",
            "type":"organisation","name":"ACME","registration_number":"1","legal_form":"Ltd","jurisdiction":"GB"},
            "claims":{"kyb_status":"passed"},
            "evidence_refs":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855:extract:a.pdf"],
            "cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}}}"#;
        vec![issued(full), issued(&full.replace("https://acme.example", "no URI"))]
    }

    /// The payload of the credential that is issued for an item.
    fn issued(item: &str) -> Value {
        let key = IssuerKey::generate().unwrap();
        let issuer = Issuer::parse("did:web:issuer.example", key.public()).unwrap();
        let settings = ProfileSettings {
            context: Some(URL.to_owned()),
            ..ProfileSettings::of_types(Types::BUILT_IN, &issuer)
        };
        let profile = Profile::new(&issuer, settings);
        let rules = Rules {
            types: Types::BUILT_IN,
            allow_unknown: false,
            default_ttl: CalendarDuration::parse("P1Y").unwrap(),
            overrules_types: false,
            hash_key: [0; 32],
            identity: None,
        };
        let now = UnixTime::from_seconds(1_795_406_400).unwrap();
        let mut text = Vec::new();
        let draft = Checker::new(rules).check(item, false, now, &mut text).outcome.unwrap();
        let uris = ListUris {
            token: format!("{URL}/1"),
            bitstring: format!("{URL}/2"),
            suspension: Some(format!("{URL}/3")),
        };
        let grant = Grant {
            id: Uuid::nil(),
            status: Some((Arc::new(uris), 7)),
            issued_at: draft.issued_at,
            expires_at: draft.expires_at,
            replayed: false,
            current: CredentialStatus::default(),
        };
        let mut assembler = Assembler::new(&profile, key.signer().unwrap());
        let tokens = assembler.sign(std::iter::once((draft.with_text(&text), &grant))).unwrap();
        let token = std::str::from_utf8(tokens.iter().next().unwrap()).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
    }

    /// The names of an object's members, and its types.
    fn terms_of(object: &Value) -> BTreeSet<String> {
        let types = match &object["type"] {
            Value::Array(types) => types.clone(),
            one => vec![one.clone()],
        };
        let types = types.iter().filter_map(Value::as_str).map(str::to_owned);
        object.as_object().unwrap().keys().cloned().chain(types).collect()
    }

    /// Are all of these defined, here or in the VC Data Model's own context?
    fn assert_defined(used: BTreeSet<String>, by_the_model: &[&str]) {
        let ours = context();
        let defined = |term: &String| {
            ours.contains_key(term)
                || DEFINED_ALREADY.contains(&term.as_str())
                || by_the_model.contains(&term.as_str())
        };
        let undefined: Vec<_> = used.iter().filter(|term| !defined(term)).collect();
        assert!(undefined.is_empty(), "{undefined:?}");
    }

    #[test]
    fn every_term_of_a_credential_is_defined() {
        // What the model's context defines for a credential alone.
        let credential = [
            "@context",
            "VerifiableCredential",
            "issuer",
            "validFrom",
            "validUntil",
            "credentialSubject",
            "credentialStatus",
            "evidence",
        ];
        for item in include_str!("../../../fixtures/items/types.ndjson").lines() {
            let payload = issued(item);
            assert_defined(terms_of(&payload), &credential);
            assert_defined(terms_of(&payload["credentialSubject"]), &[]);
        }
        for payload in credentials() {
            assert_defined(terms_of(&payload), &credential);
            assert_defined(terms_of(&payload["credentialSubject"]), &[]);
            assert_defined(terms_of(&payload["evidence"][0]), &[]);
            let evidence = &payload["evidence"][0];
            assert!(evidence["digestSRI"].is_string() && evidence["document_type"] == "extract");
            assert!(evidence["name"] == "a.pdf" && payload["cnf"].is_object());
            // The model's context types `sub` as an IRI: safe mode refuses anything else there.
            assert_eq!(payload.get("sub"), payload["credentialSubject"].get("id"));
        }
    }

    #[test]
    fn every_field_of_the_subject_is_defined_and_nothing_of_the_model_is_defined_anew() {
        let fields = Types::BUILT_IN
            .all()
            .iter()
            .flat_map(|known| known.subject.1.fields.iter().chain(known.own.fields));
        assert_defined(fields.map(|field| field.name.to_owned()).collect(), &[]);
        let model = [
            "VerifiableCredential",
            "VerifiablePresentation",
            "BitstringStatusListEntry",
            "BitstringStatusListCredential",
            "BitstringStatusList",
            "DataIntegrityProof",
            "JsonSchema",
        ];
        for term in DEFINED_ALREADY.iter().chain(&model) {
            assert!(!context().contains_key(*term), "{term}");
        }
    }

    #[test]
    fn terms_are_protected_and_named_under_the_contexts_url() {
        let context = context();
        assert_eq!(context["@protected"], true);
        assert_eq!(context["registration_number"], format!("{URL}#registration_number"));
        assert_eq!(context["organisation"], format!("{URL}#organisation"));
        assert_eq!(context["claims"], json!({ "@id": format!("{URL}#claims"), "@type": "@json" }));
        assert_eq!(context["jti"], "https://www.iana.org/assignments/jwt#jti");
    }

    /// A parser that is stricter than most finds nothing to object to: no name twice.
    #[test]
    fn the_document_has_no_faults() {
        let bytes = document(SitePath::known(&["v1"]), URL, Types::BUILT_IN).bytes;
        let mut parser = Parser::default();
        let parsed = parser.parse(std::str::from_utf8(&bytes).unwrap().trim_end()).unwrap();
        assert_eq!(parsed.faults(), []);
    }
}
