//! Key files, certificates, and the documents that verifiers take keys from.

use std::fmt::{Debug, Display};

use base64_simd::STANDARD;
use beltic::keys::{CertificateChain, IssuerKey, PublicKey, SigningKey};
use beltic::token::sign_compact;
use beltic::verify::{KeyRing, NoLists, Policy, Verdict, Verifier};
use zeroize::Zeroizing;

use crate::world::{ISSUER, KEY, no_passphrase, now};

/// The certificates of the fixtures' key, and their root.
const CHAIN: &[u8] = include_bytes!("../../fixtures/certificates/chain.pem");
const ANCHOR: &[u8] = include_bytes!("../../fixtures/certificates/anchor.pem");

/// The first byte of every DER structure here: a SEQUENCE.
const SEQUENCE: u8 = 0x30;

/// A private key: PEM or JWK, or DER that is tried under each label. What is encrypted stays so.
pub fn private_key(data: &[u8]) {
    for file in files(data, &["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]) {
        match IssuerKey::parse(&file, &mut no_passphrase) {
            Ok(key) => {
                let again = IssuerKey::parse(key.to_pkcs8_pem().as_bytes(), &mut no_passphrase);
                let again = again.expect("what is written can be read");
                assert_eq!(again.public(), key.public());
                assert!(key.signer().is_ok(), "a key that is read can sign");
            }
            Err(error) => says_nothing_of(&file, &error),
        }
    }
}

/// The ciphertext of an encrypted key, under parameters that cost nothing: one iteration of PBKDF2, AES-256-CBC.
pub fn encrypted_key(data: &[u8]) {
    let file = pem("ENCRYPTED PRIVATE KEY", &encrypted(data));
    let mut passphrase = || Ok(Zeroizing::new("correct horse".to_owned()));
    match IssuerKey::parse(file.as_bytes(), &mut passphrase) {
        Ok(key) => assert_eq!(key.public(), KEY.public(), "no other key comes out of a ciphertext by chance"),
        Err(error) => says_nothing_of(file.as_bytes(), &error),
    }
}

/// A public key, PEM, JWK or DER; or a DID that holds one.
pub fn public_key(data: &[u8]) {
    for file in files(data, &["PUBLIC KEY"]) {
        match PublicKey::parse(&file) {
            Ok(key) => names_lead_back(&key),
            Err(error) => says_nothing_of(&file, &error),
        }
    }
    if let Some(key) = std::str::from_utf8(data).ok().and_then(PublicKey::from_did) {
        names_lead_back(&key);
    }
}

/// A chain for `--x5c`, PEM, or certificates in DER one after the other.
pub fn certificates(data: &[u8]) {
    for file in files(data, &["CERTIFICATE"]) {
        let Ok(chain) = CertificateChain::read(&file, KEY.public()) else { continue };
        let json = chain.to_json();
        let certificates: Vec<String> = serde_json::from_str(&json).expect("`x5c` is an array of texts");
        let der = certificates.iter().map(|text| STANDARD.decode_to_vec(text).expect("base64 of DER"));
        let again: String = der.map(|der| pem("CERTIFICATE", &der)).collect();
        let again =
            CertificateChain::read(again.as_bytes(), KEY.public()).expect("a chain can be read again");
        assert_eq!(again.to_json(), json, "nothing more is left out the second time");
    }
}

/// The certificates of a token, DER one after the other, on their way to the fixtures' root. The token is signed by the
/// fixtures' key, so that it is valid with the certificate of that key alone, which nobody can make but its authority.
pub fn x5c(data: &[u8]) {
    let chain = structures(data);
    let texts: Vec<String> = chain.iter().map(|der| STANDARD.encode_to_string(der)).collect();
    let header = serde_json::json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": texts}).to_string();
    let mut signer = KEY.signer().expect("the key signs");
    let token = sign_compact(&mut *signer, &header, r#"{"vct":"urn:x"}"#).expect("the key signs") + "~";
    let mut ring = KeyRing::default();
    ring.add_trust_anchors(ANCHOR).expect("the fixture is an authority");
    let policy = Policy::at(now());
    let is_valid = matches!(Verifier::new(&ring, &policy, NoLists).verify(&token), Verdict::Valid(_));
    let own = CertificateChain::read(CHAIN, KEY.public()).expect("the fixture is a chain").to_json();
    let own: Vec<String> = serde_json::from_str(&own).expect("`x5c` is an array of texts");
    assert!(!is_valid || texts.first() == own.first(), "only the key's own certificate makes it valid");
    crate::tokens::laid_out(&token);
    // Whatever is an anchor, nothing else becomes one.
    let file: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
    for file in [file.as_bytes(), data] {
        let mut ring = KeyRing::default();
        assert_eq!(ring.add_trust_anchors(file).is_ok(), !ring.is_empty(), "success means an anchor");
    }
}

/// DER structures that stand one after the other; what is left over is the last.
fn structures(data: &[u8]) -> Vec<&[u8]> {
    let mut rest = data;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, head) = match rest.get(1..4) {
            Some(&[length, ..]) if length < 0x80 => (usize::from(length), 2),
            Some(&[0x81, length, _]) => (usize::from(length), 3),
            Some(&[0x82, high, low]) => (usize::from(high) << 8 | usize::from(low), 4),
            _ => (rest.len(), 0),
        };
        let (structure, after) = rest.split_at((head + length).min(rest.len()));
        found.push(structure);
        rest = after;
    }
    found
}

/// What verifiers take keys from: a JWK Set, a DID document, issuer metadata, a key.
pub fn key_ring(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let adders: [&dyn Fn(&mut KeyRing) -> bool; 6] = [
        &|ring| ring.add_jwks(text, None).is_ok(),
        &|ring| ring.add_jwks(text, Some(ISSUER)).is_ok(),
        &|ring| ring.add_did_document(text).is_ok(),
        &|ring| ring.add_issuer_metadata(text).is_ok(),
        &|ring| ring.add_key(data, Some(ISSUER)).is_ok(),
        &|ring| ring.add_key(data, None).is_ok(),
    ];
    for add in adders {
        let mut ring = KeyRing::default();
        if add(&mut ring) {
            assert!(!ring.is_empty(), "success means a key");
            assert!(add(&mut ring), "what was added can be added again");
        }
        ring.take_skipped();
    }
    let _ = KeyRing::default().add_did(text);
}

/// The input as a file; DER in PEM armour under each label.
fn files(data: &[u8], labels: &[&str]) -> Vec<Vec<u8>> {
    match data.first() {
        Some(&SEQUENCE) => labels.iter().map(|label| pem(label, data).into_bytes()).collect(),
        _ => vec![data.to_vec()],
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode_to_string(der);
    let lines: Vec<&str> =
        (0..base64.len()).step_by(64).map(|at| &base64[at..base64.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A message about a key shows none of it.
fn says_nothing_of(file: &[u8], error: &(impl Display + Debug)) {
    let said = format!("{error} {error:?}");
    let of_key = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte));
    for run in file.split(of_key).filter(|run| run.len() >= 24) {
        let shown = std::str::from_utf8(&run[..24]).is_ok_and(|start| said.contains(start));
        assert!(!shown, "the message shows a part of the file");
    }
}

fn names_lead_back(key: &PublicKey) {
    for did in [key.did_key(), key.did_jwk()] {
        assert_eq!(PublicKey::from_did(&did).as_ref(), Some(key));
    }
    assert_eq!(key.thumbprint().len(), 43);
}

/// `EncryptedPrivateKeyInfo` (RFC 5958 section 3) around a ciphertext.
fn encrypted(ciphertext: &[u8]) -> Vec<u8> {
    /// PBES2 with PBKDF2 (HMAC-SHA-256, one iteration, eight bytes of salt) and AES-256-CBC.
    const PBES2: &[u8] = &[
        0x30, 0x56, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D, 0x30, 0x49, 0x30, 0x28,
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C, 0x30, 0x1B, 0x04, 0x08, b's', b'a',
        b'l', b't', b's', b'a', b'l', b't', 0x02, 0x01, 0x01, 0x30, 0x0C, 0x06, 0x08, 0x2A, 0x86, 0x48, 0x86,
        0xF7, 0x0D, 0x02, 0x09, 0x05, 0x00, 0x30, 0x1D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
        0x01, 0x2A, 0x04, 0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];
    der(SEQUENCE, &[PBES2, &der(0x04, ciphertext)].concat())
}

/// A DER value of this tag.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}
