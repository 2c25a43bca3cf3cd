//! The IETF Token Status List, as a JWT.

use std::io::Write;

use base64_simd::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::{DecodeError, StatusArray, Validity, Width, base64url, inflate};
use crate::json;

/// The media type of the token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// The entries as `lst` holds them: zlib at its highest level, base64url (section 4.1).
pub fn encode(array: &StatusArray) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(array.as_bytes()).and_then(|()| encoder.finish());
    URL_SAFE_NO_PAD.encode_to_string(written.expect("compressing into memory does not fail"))
}

/// Reads `bits` and `lst` of a token whose signature was checked. The list may take up to
/// `max_bytes` when decompressed.
///
/// # Errors
/// Where the two are not what the standard says, down to the last byte: some readers take gzip
/// where zlib is due, or go by the first of two lists, and would see another list.
pub fn decode(bits: u64, lst: &str, max_bytes: usize) -> Result<StatusArray, DecodeError> {
    let width = Width::of_bits(bits).ok_or(DecodeError::Bits { found: bits })?;
    let bytes = inflate::zlib(&base64url(lst)?, max_bytes)?;
    Ok(StatusArray::from_bytes(bytes, width))
}

/// The protected header (section 5.1).
///
/// `x5c` is the JSON of the key's certificates, for verifiers that find the issuer's key by them in
/// credentials too (HAIP 1.0).
pub fn header(kid: &str, x5c: Option<&str>) -> String {
    let x5c = x5c.map(|chain| format!(r#","x5c":{chain}"#)).unwrap_or_default();
    format!(r#"{{"alg":"ES256","typ":"statuslist+jwt","kid":{}{x5c}}}"#, json::string(kid))
}

/// What a token says (section 5.1). The standard leaves `iss` open, and some verifiers need it.
#[derive(Debug, Clone, Copy)]
pub struct TokenList<'l> {
    /// Where the list is published: byte for byte what credentials call it.
    pub uri: &'l str,
    /// Who issues it.
    pub issuer: &'l str,
    /// From when to when it holds.
    pub validity: Validity,
    /// The entries.
    pub array: &'l StatusArray,
    /// Where all lists of the issuer are named.
    pub aggregation_uri: Option<&'l str>,
}

impl TokenList<'_> {
    /// The payload, as JSON text.
    pub fn payload(&self) -> String {
        let Validity { issued_at, expires_at, ttl_seconds } = self.validity;
        let mut out = format!(
            r#"{{"iss":{},"sub":{},"iat":{},"exp":{}"#,
            json::string(self.issuer),
            json::string(self.uri),
            issued_at.seconds(),
            expires_at.seconds()
        );
        if ttl_seconds > 0 {
            out.push_str(&format!(r#","ttl":{ttl_seconds}"#));
        }
        let (bits, lst) = (self.array.width().bits(), encode(self.array));
        out.push_str(&format!(r#","status_list":{{"bits":{bits},"lst":"{lst}""#));
        if let Some(uri) = self.aggregation_uri {
            out.push_str(r#","aggregation_uri":"#);
            json::push_str_to(&mut out, uri);
        }
        out.push_str("}}");
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::super::StatusType;
    use super::*;
    use crate::clock::UnixTime;
    use crate::keys::{PublicKey, verify_es256};

    /// Enough for the published lists of 2^20 entries of 8 bits.
    const MAX: usize = 1 << 20;

    /// A published list, and the values in it; the ones of long lists that are not named are 0.
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        bits: u64,
        size: u64,
        bytes_hex: Option<String>,
        values: BTreeMap<u64, u8>,
        lst: String,
    }

    /// A file of published vectors; `None`, with a message, where it is not there.
    fn published(name: &str) -> Option<String> {
        let path = crate::machine::data(&format!("vectors/{name}"))?;
        Some(std::fs::read_to_string(path).unwrap())
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn payload_of(token: &str) -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
    }

    #[test]
    fn published_lists_decode() {
        let Some(text) = published("ietf-token-status-list/status-lists.json") else { return };
        let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
        let mut widths: Vec<u64> = vectors.iter().map(|vector| vector.bits).collect();
        widths.dedup();
        assert_eq!(widths, [1, 2, 1, 2, 4, 8]);
        for vector in vectors {
            let array = decode(vector.bits, &vector.lst, MAX).unwrap();
            assert_eq!(array.entries(), vector.size, "{}", vector.name);
            if let Some(bytes) = vector.bytes_hex {
                assert_eq!(hex(array.as_bytes()), bytes);
            }
            for index in 0..vector.size {
                let expected = vector.values.get(&index).copied().unwrap_or(0);
                assert_eq!(array.get(index), Some(expected), "{} at {index}", vector.name);
            }
            assert_eq!(array.get(vector.size), None);
            assert_eq!(decode(vector.bits, &encode(&array), MAX), Ok(array), "{}", vector.name);
        }
    }

    #[test]
    fn the_published_token_is_read_and_its_list_written_again() {
        let Some(text) = published("ietf-token-status-list/status-list-token.json") else { return };
        let vector: Value = serde_json::from_str(&text).unwrap();
        let key = PublicKey::from_jwk_json(&vector["jwk"].to_string()).unwrap();
        let (signed, signature) = vector["token"].as_str().unwrap().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        assert!(verify_es256(&key, signed.as_bytes(), &signature));

        let published = payload_of(signed);
        let lst = published["status_list"]["lst"].as_str().unwrap();
        let array = decode(published["status_list"]["bits"].as_u64().unwrap(), lst, MAX).unwrap();
        let time = |name: &str| UnixTime::from_seconds(published[name].as_i64().unwrap()).unwrap();
        let validity = Validity {
            issued_at: time("iat"),
            expires_at: time("exp"),
            ttl_seconds: published["ttl"].as_u64().unwrap() as u32,
        };
        let uri = published["sub"].as_str().unwrap();
        let issuer = published["iss"].as_str().unwrap_or("https://example.com");
        let ours = TokenList { uri, issuer, validity, array: &array, aggregation_uri: None }.payload();

        let mut ours: Value = serde_json::from_str(&ours).unwrap();
        let compressed = ours["status_list"]["lst"].take();
        assert_eq!(decode(1, compressed.as_str().unwrap(), MAX), Ok(array));
        // Two programs may compress one list in two ways.
        let mut expected = published.clone();
        expected["status_list"]["lst"] = Value::Null;
        expected["iss"] = issuer.into();
        assert_eq!(ours, expected);
    }

    #[test]
    fn one_list_is_one_text() {
        let mut array = StatusArray::new(131_072, Width::Two);
        for index in (0..131_072).step_by(97) {
            array.set(index, StatusType::Suspended).unwrap();
        }
        let text = encode(&array);
        assert_eq!(encode(&array.clone()), text);
        // The first bytes of zlib at its highest level are 78 da.
        assert!(text.starts_with("eN"), "{}", &text[..4]);
        assert_eq!(decode(2, &text, 32_768), Ok(array));
    }

    #[test]
    fn the_token_says_what_it_was_given() {
        let time = |seconds| UnixTime::from_seconds(seconds).unwrap();
        let validity =
            Validity { issued_at: time(1_795_406_400), expires_at: time(1_796_011_200), ttl_seconds: 43_200 };
        let mut array = StatusArray::new(8, Width::One);
        array.set(3, StatusType::Invalid).unwrap();
        let list = TokenList {
            uri: "https://issuer.example/status/token/a.jwt",
            issuer: "did:web:issuer.example",
            validity,
            array: &array,
            aggregation_uri: Some("https://issuer.example/status/aggregation.json"),
        };
        let payload: Value = serde_json::from_str(&list.payload()).unwrap();
        assert_eq!(
            payload,
            json!({
                "iss": "did:web:issuer.example", "sub": "https://issuer.example/status/token/a.jwt",
                "iat": 1_795_406_400, "exp": 1_796_011_200, "ttl": 43_200,
                "status_list": {
                    "bits": 1, "lst": encode(&array),
                    "aggregation_uri": "https://issuer.example/status/aggregation.json",
                },
            })
        );
        let bare = Validity { ttl_seconds: 0, ..validity };
        let bare = TokenList { validity: bare, aggregation_uri: None, ..list }.payload();
        assert!(!bare.contains("ttl") && !bare.contains("aggregation_uri"));
    }

    #[test]
    fn the_header_names_type_and_key() {
        assert_eq!(
            header("did:web:issuer.example#k", None),
            r#"{"alg":"ES256","typ":"statuslist+jwt","kid":"did:web:issuer.example#k"}"#
        );
    }

    #[test]
    fn texts_that_others_would_read_differently_are_refused() {
        let text = encode(&StatusArray::new(16, Width::One));
        assert!(decode(1, &text, MAX).is_ok());
        for bits in [0, 3, 16, 1 << 32 | 1] {
            assert_eq!(decode(bits, &text, MAX), Err(DecodeError::Bits { found: bits }));
        }
        for wrong in
            [format!("{text}="), format!("{text}\n"), format!("{text} "), text.replace('_', "/") + "+"]
        {
            assert_eq!(decode(1, &wrong, MAX), Err(DecodeError::Base64), "{wrong:?}");
        }
        assert_eq!(decode(1, "", MAX), Err(DecodeError::Framing { expected: "zlib (RFC 1950)" }));
        assert_eq!(decode(1, &format!("{text}AAAA"), MAX).unwrap_err(), DecodeError::TrailingData);
    }
}
