//! Opens SD-JWTs by RFC 9901 section 7.1, and compares them with the item that asked for them.

use std::collections::{HashMap, HashSet};

use sd_jwt_payload::{Hasher, SdJwt as ForeignSdJwt, SdObjectDecoder};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::exact::Exact;
use super::token::{
    Issuance, Token, TokenKey, base64url, is_absolute_uri, request_of, token_status, unix_seconds,
};

/// An SD-JWT whose signature is sound.
#[derive(Debug)]
pub(crate) struct SdJwt {
    pub(crate) token: Token,
    pub(crate) disclosures: Vec<Disclosure>,
}

/// A disclosure, read.
#[derive(Debug)]
pub(crate) struct Disclosure {
    /// As it stands in the token.
    pub(crate) text: String,
    pub(crate) digest: String,
    pub(crate) salt: String,
    /// The claim's name; none for an array's element.
    pub(crate) name: Option<String>,
    pub(crate) value: Exact,
}

impl Disclosure {
    fn read(text: &str) -> Disclosure {
        let content = Exact::parse(std::str::from_utf8(&base64url(text)).expect("UTF-8"));
        let (salt, name, value) = match content.elements() {
            [salt, value] => (salt, None, value),
            [salt, name, value] => (salt, Some(name.text().to_owned()), value),
            other => panic!("a disclosure of {} elements", other.len()),
        };
        Disclosure {
            text: text.to_owned(),
            digest: base64_simd::URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(text)),
            salt: salt.text().to_owned(),
            name,
            value: value.clone(),
        }
    }
}

impl SdJwt {
    /// Reads an SD-JWT as an issuer sends it: no key binding, so it ends in `~`.
    pub(crate) fn open(key: &TokenKey, text: &str) -> SdJwt {
        let text = text.strip_suffix('~').expect("an SD-JWT ends in ~");
        let mut parts = text.split('~');
        let token = key.open(parts.next().unwrap());
        SdJwt { token, disclosures: parts.map(Disclosure::read).collect() }
    }

    /// The payload with these disclosures put in; each must have its place.
    pub(crate) fn disclosing<'d>(&'d self, disclosures: impl Iterator<Item = &'d Disclosure>) -> Exact {
        let by_digest: HashMap<_, _> =
            disclosures.map(|disclosure| (disclosure.digest.as_str(), disclosure)).collect();
        let mut met = HashSet::new();
        let payload = filled(&self.token.payload, &by_digest, &mut met);
        let unused: Vec<_> = by_digest.keys().filter(|digest| !met.contains(**digest)).collect();
        assert!(unused.is_empty(), "no digest refers to the disclosures {unused:?}");
        payload
    }

    /// The payload with every disclosure put in.
    pub(crate) fn disclosed(&self) -> Exact {
        self.disclosing(self.disclosures.iter())
    }
}

fn filled(value: &Exact, by_digest: &HashMap<&str, &Disclosure>, met: &mut HashSet<String>) -> Exact {
    match value {
        Exact::Object(members) => {
            let mut filled_members = Vec::new();
            for (name, value) in members {
                match name.as_str() {
                    "_sd" => {
                        let digests = value.elements();
                        assert!(!digests.is_empty(), "an empty _sd");
                        assert!(digests.is_sorted_by_key(|digest| digest.text()), "an order that may tell");
                        for digest in digests {
                            let digest = digest.text();
                            assert!(met.insert(digest.to_owned()), "the digest {digest} is there twice");
                            let Some(disclosure) = by_digest.get(digest) else { continue };
                            let name = disclosure.name.clone().expect("a member's disclosure has a name");
                            filled_members.push((name, filled(&disclosure.value, by_digest, met)));
                        }
                    }
                    "_sd_alg" => assert_eq!(value.text(), "sha-256"),
                    _ => filled_members.push((name.clone(), filled(value, by_digest, met))),
                }
            }
            let names: HashSet<_> = filled_members.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), filled_members.len(), "a name is there twice");
            Exact::Object(filled_members)
        }
        Exact::Array(elements) => Exact::Array(
            elements
                .iter()
                .filter_map(|element| match element.get("...") {
                    None => Some(filled(element, by_digest, met)),
                    Some(digest) => {
                        assert_eq!(element.names(), ["..."]);
                        let digest = digest.text();
                        assert!(met.insert(digest.to_owned()), "the digest {digest} is there twice");
                        let disclosure = by_digest.get(digest)?;
                        assert!(disclosure.name.is_none(), "an element's disclosure has no name");
                        Some(filled(&disclosure.value, by_digest, met))
                    }
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

impl Issuance {
    /// Checks a result's `sd_jwt_vc` against the item that asked for it: the resource, the header,
    /// the payload in the clear, and what all disclosures together say.
    pub(crate) fn check_sd_jwt(&self, key: &TokenKey, resource: &Exact, item: &Exact) -> SdJwt {
        self.check_resource(resource, item);
        let opened = SdJwt::open(key, resource.text_of("signed_payload"));
        let header = &opened.token.header;
        assert_eq!(header.names(), ["alg", "typ", "kid"]);
        for (name, expected) in [("alg", "ES256"), ("typ", "dc+sd-jwt"), ("kid", &self.kid)] {
            assert_eq!(header.text_of(name), expected, "{name}");
        }
        let request = request_of(item);
        let (issued_at, expires_at) = (resource.text_of("issued_at"), resource.text_of("expires_at"));
        let mut clear = vec![
            ("iss", Exact::string(&*self.issuer)),
            ("jti", Exact::string(resource.text_of("id"))),
            ("iat", Exact::number(unix_seconds(issued_at))),
            ("nbf", Exact::number(unix_seconds(issued_at))),
            ("exp", Exact::number(unix_seconds(expires_at))),
            ("vct", Exact::string(&*self.vct)),
        ];
        let subject_id = request.member("subject").member("id");
        if !subject_id.text().contains(':') || is_absolute_uri(subject_id.text()) {
            clear.push(("sub", subject_id.clone()));
        }
        clear.extend(request.get("cnf").map(|cnf| ("cnf", cnf.clone())));
        if self.with_status {
            let index = resource.member("status_list_index").integer();
            clear.push(("status", token_status(index, resource.text_of("status_list_uri"))));
        }
        for (name, expected) in &clear {
            assert_eq!(
                &opened.token.payload.member(name).sorted(),
                &expected.sorted(),
                "{name} in the clear"
            );
        }
        let from_item = ["subject", "claims", "evidence_refs"];
        let disclosed = opened.disclosed();
        let expected: Vec<_> = clear
            .into_iter()
            .chain(from_item.into_iter().filter_map(|name| Some((name, request.get(name)?.clone()))))
            .collect();
        assert_eq!(disclosed.sorted(), Exact::object(expected).sorted());
        assert_eq!(opened.token.payload.text_of("_sd_alg"), "sha-256");
        opened
    }
}

/// What the foreign reader gets out of a token with all its disclosures.
pub(crate) fn foreign_payload(token: &str) -> Value {
    struct Sha256Hasher;
    impl Hasher for Sha256Hasher {
        fn digest(&self, input: &[u8]) -> Vec<u8> {
            Sha256::digest(input).to_vec()
        }
        fn alg_name(&self) -> &'static str {
            "sha-256"
        }
    }
    let parsed = ForeignSdJwt::parse(token).unwrap();
    let payload = parsed.jwt.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&base64url(payload)).unwrap();
    let mut decoder = SdObjectDecoder::new();
    decoder.add_hasher(Box::new(Sha256Hasher));
    Value::Object(decoder.decode(payload.as_object().unwrap(), &parsed.disclosures).unwrap())
}
