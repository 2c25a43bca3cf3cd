//! Makes tokens by hand, sound and unsound ones, with the `p256` crate.

use std::path::Path;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A private key that signs whatever it is given.
#[derive(Clone)]
pub(crate) struct Hand(SigningKey);

impl Hand {
    /// The key in a PKCS#8 PEM file.
    pub(crate) fn from_pem_file(path: &Path) -> Hand {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        Hand(SigningKey::from_pkcs8_pem(&text).expect("a P-256 key"))
    }

    /// The key whose private number is this small number.
    pub(crate) fn of_number(number: u8) -> Hand {
        let mut scalar = [0; 32];
        scalar[31] = number;
        Hand(SigningKey::from_slice(&scalar).expect("a number from 1 on"))
    }

    /// The private key, PKCS#8 PEM.
    pub(crate) fn to_pem(&self) -> String {
        self.0.to_pkcs8_pem(LineEnding::LF).expect("a key that can be written").to_string()
    }

    /// The public key as a JWK with this `kid`.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y),
            "kid": kid, "alg": "ES256", "use": "sig",
        })
    }

    /// A JWS of these two JSON texts.
    pub(crate) fn jws(&self, header: &str, payload: &str) -> String {
        self.sign(&format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes())))
    }

    /// The input and its signature.
    pub(crate) fn sign(&self, signing_input: &str) -> String {
        let signature: Signature = self.0.sign(signing_input.as_bytes());
        format!("{signing_input}.{}", base64url(&signature.to_bytes()))
    }

    /// A JWS of these two values.
    pub(crate) fn token(&self, header: &Value, payload: &Value) -> String {
        self.jws(&header.to_string(), &payload.to_string())
    }

    /// An SD-JWT of these two values and disclosures.
    pub(crate) fn sd_jwt(&self, header: &Value, payload: &Value, disclosures: &[String]) -> String {
        let tail: String = disclosures.iter().map(|disclosure| format!("{disclosure}~")).collect();
        format!("{}~{tail}", self.token(header, payload))
    }
}

/// Encodes base64url without padding (RFC 7515 section 2).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digits = (0..=chunk.len()).map(|at| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]));
        digits.collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// The disclosure of an object's member, with a salt that only tests may have.
pub(crate) fn member(name: &str, value: &Value) -> String {
    base64url(json!([format!("salt of {name}"), name, value]).to_string().as_bytes())
}

/// The disclosure of an array's element.
pub(crate) fn element(value: &Value) -> String {
    base64url(json!([format!("salt of {value}"), value]).to_string().as_bytes())
}

/// The digest of a disclosure (RFC 9901 section 4.2.3).
pub(crate) fn digest(disclosure: &str) -> String {
    base64url(&Sha256::digest(disclosure.as_bytes()))
}
