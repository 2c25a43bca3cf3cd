//! Reads `jwt_vc` tokens and compares them with the item that asked for them. Signatures are checked by the
//! `p256` crate, which the program does not sign with.

use std::path::Path;

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use super::exact::Exact;

/// The context that must stand first in every credential.
const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The context where the issuer has none of its own.
pub(crate) const UNDEFINED_TERMS: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";

/// A JWS in compact form, opened: its signature is sound.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) header: Exact,
    pub(crate) payload: Exact,
}

/// The public key that tokens are checked with.
#[derive(Debug, Clone)]
pub(crate) struct TokenKey(VerifyingKey);

impl TokenKey {
    /// The key of a JWK file, from its coordinates alone.
    pub(crate) fn from_jwk_file(path: &Path) -> TokenKey {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let jwk = Exact::parse(&text);
        assert_eq!((jwk.text_of("kty"), jwk.text_of("crv")), ("EC", "P-256"));
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            let bytes = base64url(jwk.text_of(coordinate));
            assert_eq!(bytes.len(), 32, "{coordinate}");
            point.extend(bytes);
        }
        TokenKey(VerifyingKey::from_sec1_bytes(&point).expect("a point on P-256"))
    }

    /// Checks a token's signature and reads it.
    pub(crate) fn open(&self, token: &str) -> Token {
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("not three parts: {token}") };
        let signature = base64url(signature);
        assert_eq!(signature.len(), 64, "R and S: {token}");
        let signature = Signature::from_slice(&signature).expect("two numbers in range");
        let signed = &token[..header.len() + 1 + payload.len()];
        assert!(self.0.verify(signed.as_bytes(), &signature).is_ok(), "the signature is not sound: {token}");
        let json = |part: &str| Exact::parse(std::str::from_utf8(&base64url(part)).expect("UTF-8"));
        Token { header: json(header), payload: json(payload) }
    }
}

/// What a token has from its run.
#[derive(Debug, Clone)]
pub(crate) struct Issuance {
    pub(crate) issuer: String,
    pub(crate) kid: String,
    pub(crate) vct: String,
    /// The context after the first.
    pub(crate) context: String,
    pub(crate) proof_format: String,
    /// Whether there is a ledger, and so a status.
    pub(crate) with_status: bool,
}

impl Issuance {
    /// Checks a result's credential against the item that asked for it: the resource's members and
    /// their order, the token's signature, header and every member of its payload. Returns the
    /// token.
    pub(crate) fn check(&self, key: &TokenKey, resource: &Exact, item: &Exact) -> Token {
        self.check_resource(resource, item);
        let token = key.open(resource.text_of("signed_payload"));
        assert_eq!(token.header.names(), ["alg", "typ", "cty", "kid"]);
        for (name, expected) in [("alg", "ES256"), ("typ", "vc+jwt"), ("cty", "vc"), ("kid", &self.kid)] {
            assert_eq!(token.header.text_of(name), expected, "{name}");
        }
        self.check_payload(&token.payload, resource, item);
        token
    }

    pub(super) fn check_resource(&self, resource: &Exact, item: &Exact) {
        let request = request_of(item);
        let known = [
            "subject",
            "claims",
            "id",
            "credential_id",
            "issuer_did",
            "status_list_index",
            "kid",
            "signed_payload",
            "evidence_refs",
            "issued_at",
            "expires_at",
            "vct",
            "created_via",
            "developer_id",
            "credential_type",
            "proof_format",
            "alg",
            "status",
            "status_list_uri",
        ];
        let left_out = |name: &&str| match *name {
            "status_list_index" | "status_list_uri" => self.with_status,
            "developer_id" => resource.get("developer_id").is_some(),
            _ => true,
        };
        let expected: Vec<_> = known.into_iter().filter(left_out).collect();
        assert_eq!(resource.names(), expected, "the API's fields in the API's order");

        assert_eq!(resource.member("subject").sorted(), request.member("subject").sorted());
        assert_eq!(resource.member("claims").sorted(), request.member("claims").sorted());
        let no_references = Exact::Array(Vec::new());
        let references = request.get("evidence_refs").unwrap_or(&no_references);
        assert_eq!(resource.member("evidence_refs"), references);
        assert_eq!(resource.text_of("id"), resource.text_of("credential_id"));
        check_uuid_v7_urn(resource.text_of("id"));
        for (name, expected) in [
            ("issuer_did", self.issuer.as_str()),
            ("kid", &self.kid),
            ("vct", &self.vct),
            ("created_via", "cli"),
            ("credential_type", "business"),
            ("proof_format", &self.proof_format),
            ("alg", "ES256"),
            ("status", "active"),
        ] {
            assert_eq!(resource.text_of(name), expected, "{name}");
        }
    }

    fn check_payload(&self, payload: &Exact, resource: &Exact, item: &Exact) {
        let request = request_of(item);
        let (issued_at, expires_at) = (resource.text_of("issued_at"), resource.text_of("expires_at"));
        let id = Exact::string(resource.text_of("id"));
        let issuer = Exact::string(&*self.issuer);
        let mut expected = vec![
            ("@context", strings([CREDENTIALS_V2, &self.context])),
            ("id", id.clone()),
            ("type", strings(["VerifiableCredential", "BusinessCredential"])),
            ("issuer", issuer.clone()),
            ("validFrom", Exact::string(issued_at)),
            ("validUntil", Exact::string(expires_at)),
            ("credentialSubject", credential_subject(request)),
            ("iss", issuer),
            ("jti", id),
            ("iat", Exact::number(unix_seconds(issued_at))),
            ("exp", Exact::number(unix_seconds(expires_at))),
            ("vct", Exact::string(&*self.vct)),
        ];
        let subject_id = request.member("subject").member("id");
        if is_absolute_uri(subject_id.text()) {
            expected.push(("sub", subject_id.clone()));
        }
        if self.with_status {
            let index = resource.member("status_list_index").integer();
            assert!((0..131_072).contains(&index), "index {index}");
            expected.push(("status", token_status(index, resource.text_of("status_list_uri"))));
            let list = payload.member("credentialStatus").text_of("statusListCredential");
            assert_ne!(list, resource.text_of("status_list_uri"), "the two forms of a list have two URIs");
            expected.push(("credentialStatus", bitstring_status(index, list)));
        }
        // An issuer with a host, and a ledger, cites the schema. Its hash is looked at where it is published.
        let host = self.issuer.strip_prefix("did:web:").or_else(|| self.issuer.strip_prefix("https://"));
        if let Some(host) = host.filter(|_| self.with_status) {
            let host = host.split([':', '/']).next().unwrap().replace("%3A", ":");
            let digest = payload.member("credentialSchema").member("digestSRI").clone();
            assert!(digest.text().starts_with("sha256-"));
            let cited = [
                ("id", Exact::string(format!("https://{host}/schemas/business/v1"))),
                ("type", Exact::string("JsonSchema")),
                ("digestSRI", digest),
            ];
            expected.push(("credentialSchema", Exact::object(cited.to_vec())));
        }
        if let Some(references) = request.get("evidence_refs").filter(|list| !list.elements().is_empty()) {
            let evidence = references.elements().iter().map(|reference| evidence_of(reference.text()));
            expected.push(("evidence", Exact::Array(evidence.collect())));
        }
        expected.extend(request.get("cnf").map(|cnf| ("cnf", cnf.clone())));
        assert_eq!(payload.sorted(), Exact::object(expected).sorted());
    }
}

/// The request of an item, in its envelope or bare.
pub(crate) fn request_of(item: &Exact) -> &Exact {
    item.get("request").unwrap_or(item)
}

fn credential_subject(request: &Exact) -> Exact {
    let subject = request.member("subject");
    let id = subject.text_of("id");
    let id_name = if is_absolute_uri(id) { "id" } else { "subject_id" };
    let Exact::Object(mut members) = subject.without("id") else { unreachable!("a subject is an object") };
    members.push((id_name.to_owned(), Exact::string(id)));
    members.push(("claims".to_owned(), request.member("claims").clone()));
    Exact::Object(members)
}

/// Whether a subject's id is a URI, for the ids that these tests use: a scheme and a colon, and
/// nothing that RFC 3986 does not know.
pub(super) fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c))
}

pub(super) fn token_status(index: i64, uri: &str) -> Exact {
    let entry = Exact::object([("idx", Exact::number(index)), ("uri", Exact::string(uri))]);
    Exact::object([("status_list", entry)])
}

fn bitstring_status(index: i64, list: &str) -> Exact {
    Exact::object([
        ("id", Exact::string(format!("{list}#{index}"))),
        ("type", Exact::string("BitstringStatusListEntry")),
        ("statusPurpose", Exact::string("revocation")),
        ("statusListIndex", Exact::string(index.to_string())),
        ("statusListCredential", Exact::string(list)),
    ])
}

fn evidence_of(reference: &str) -> Exact {
    let mut members =
        vec![("type", Exact::string("EvidenceReference")), ("reference", Exact::string(reference))];
    let mut parts = reference.strip_prefix("sha256:").unwrap_or_default().splitn(3, ':');
    if let Some(digest) = parts.next().and_then(unhex).filter(|bytes| bytes.len() == 32) {
        members.push(("digestSRI", Exact::string(format!("sha256-{}", base64(&digest)))));
        for name in ["document_type", "name"] {
            members
                .extend(parts.next().filter(|part| !part.is_empty()).map(|part| (name, Exact::string(part))));
        }
    }
    Exact::object(members)
}

fn strings<const N: usize>(texts: [&str; N]) -> Exact {
    Exact::Array(texts.into_iter().map(Exact::string).collect())
}

fn check_uuid_v7_urn(id: &str) {
    let uuid = id.strip_prefix("urn:uuid:").unwrap_or_else(|| panic!("{id} is no urn:uuid:"));
    let groups: Vec<_> = uuid.split('-').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
    assert!(uuid.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-')), "{id}");
    assert!(groups[2].starts_with('7'), "version 7: {id}");
    assert!(groups[3].starts_with(['8', '9', 'a', 'b']), "variant of RFC 9562: {id}");
}

/// Seconds since the epoch of `2026-11-23T04:00:00Z`, the one form in which times are written.
pub(crate) fn unix_seconds(text: &str) -> i64 {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{text}");
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days of the proleptic Gregorian calendar, with years that begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19)
}

/// Decodes base64url without padding (RFC 7515 section 2), strictly.
pub(crate) fn base64url(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::with_capacity(text.len() * 3 / 4));
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => panic!("not base64url: {text}"),
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    assert!(held < 6 && bits == 0, "stray bits at the end: {text}");
    bytes
}

/// Encodes base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digits = (0..4).map(|at| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]));
        let text: String = digits.take(chunk.len() + 1).collect();
        format!("{text:=<4}")
    };
    bytes.chunks(3).map(group).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
