//! The W3C Bitstring Status List 1.0, as a credential.

use std::io::Write;

use base64_simd::URL_SAFE_NO_PAD;
use flate2::{Compression, GzBuilder};

use super::{DecodeError, EntryError, Validity, base64url, inflate};
use crate::json;

/// The media type of the signed credential.
pub const MEDIA_TYPE: &str = "application/vc+jwt";

/// The fewest entries of a list: 16 KB of them (section 3.2, `STATUS_LIST_LENGTH_ERROR`).
pub const MIN_ENTRIES: u64 = 131_072;

/// "Unknown", so that one list gives the same bytes on every system (RFC 1952 section 2.3.1).
const UNKNOWN_SYSTEM: u8 = 255;

/// What it means that an entry is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusPurpose {
    /// The credential is revoked, which is final.
    Revocation,
    /// The credential is suspended, until the entry is cleared.
    Suspension,
}

impl StatusPurpose {
    /// The name, as `statusPurpose` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            StatusPurpose::Revocation => "revocation",
            StatusPurpose::Suspension => "suspension",
        }
    }

    /// The purpose of this name, compared exactly.
    pub fn of_name(name: &str) -> Option<StatusPurpose> {
        [StatusPurpose::Revocation, StatusPurpose::Suspension]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// One bit for each credential, for one purpose; the first entry is the highest bit of the first
/// byte (section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitstring(Vec<u8>);

impl Bitstring {
    /// A list of at least this many entries, and at least [`MIN_ENTRIES`]; none of them is set.
    pub fn new(entries: u32) -> Bitstring {
        let bytes = u64::from(entries).max(MIN_ENTRIES).div_ceil(8);
        Bitstring(vec![0; bytes as usize])
    }

    /// A list in which these entries are set.
    ///
    /// # Errors
    /// At the first index that is outside the list.
    pub fn with(entries: u32, set: impl IntoIterator<Item = u64>) -> Result<Bitstring, EntryError> {
        let mut list = Bitstring::new(entries);
        set.into_iter().try_for_each(|index| list.set(index))?;
        Ok(list)
    }

    /// The entries as bytes, before compression.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    /// Sets an entry.
    ///
    /// # Errors
    /// Where the index is outside the list.
    pub fn set(&mut self, index: u64) -> Result<(), EntryError> {
        let (at, mask) =
            self.place(index).ok_or(EntryError::OutOfRange { index, entries: self.entries() })?;
        self.0[at] |= mask;
        Ok(())
    }

    /// Whether an entry is set; `None` outside the list.
    pub fn get(&self, index: u64) -> Option<bool> {
        self.place(index).map(|(at, mask)| self.0[at] & mask != 0)
    }

    /// The byte that holds an entry, and its bit.
    fn place(&self, index: u64) -> Option<(usize, u8)> {
        let at = usize::try_from(index / 8).ok().filter(|&at| at < self.0.len())?;
        Some((at, 0x80 >> (index % 8)))
    }
}

/// The entries as `encodedList` holds them: gzip, then multibase base64url (section 3.3). The gzip
/// header carries neither time nor name nor system.
pub fn encode(list: &Bitstring) -> String {
    let mut encoder =
        GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(Vec::new(), Compression::best());
    let written = encoder.write_all(list.as_bytes()).and_then(|()| encoder.finish());
    let compressed = written.expect("compressing into memory does not fail");
    format!("u{}", URL_SAFE_NO_PAD.encode_to_string(compressed))
}

/// Reads an `encodedList` of entries of one bit (`statusSize` 1, the default), from a credential
/// whose signature was checked. The list may take up to `max_bytes` when decompressed.
///
/// # Errors
/// Where the text is not what the standard says, or the list is shorter than [`MIN_ENTRIES`].
pub fn decode(encoded_list: &str, max_bytes: usize) -> Result<Bitstring, DecodeError> {
    let text = encoded_list.strip_prefix('u').ok_or(DecodeError::Multibase)?;
    let list = Bitstring(inflate::gzip(&base64url(text)?, max_bytes)?);
    match list.entries() {
        entries if entries < MIN_ENTRIES => Err(DecodeError::TooShort { entries }),
        _ => Ok(list),
    }
}

/// The protected header (VC-JOSE-COSE section 3.1.1): a list is a credential like any other.
pub fn header(kid: &str) -> String {
    format!(r#"{{"alg":"ES256","typ":"vc+jwt","cty":"vc","kid":{}}}"#, json::string(kid))
}

/// What the credential says (section 2.2).
#[derive(Debug, Clone, Copy)]
pub struct ListCredential<'l> {
    /// Where the list is published: byte for byte what credentials call it.
    pub url: &'l str,
    /// Who issues it.
    pub issuer: &'l str,
    /// From when to when it holds.
    pub validity: Validity,
    /// What a set entry means. One purpose, as some verifiers compare it as a string.
    pub purpose: StatusPurpose,
    /// The entries.
    pub list: &'l Bitstring,
}

impl ListCredential<'_> {
    /// The payload, as JSON text.
    ///
    /// As in our credentials, `iss` repeats `issuer`, `iat` `validFrom` and `exp` `validUntil`.
    /// There is no `sub`, which might disagree with the id of the subject, and no `jti`, which the
    /// context of the VC Data Model does not define.
    pub fn payload(&self) -> String {
        let Validity { issued_at, expires_at, ttl_seconds } = self.validity;
        let (url, issuer) = (json::string(self.url), json::string(self.issuer));
        let subject = json::string(&format!("{}#list", self.url));
        let (purpose, encoded) = (self.purpose.as_str(), encode(self.list));
        // Milliseconds, where the Token Status List has seconds.
        let ttl = match ttl_seconds {
            0 => String::new(),
            seconds => format!(r#","ttl":{}"#, u64::from(seconds) * 1000),
        };
        format!(
            concat!(
                r#"{{"@context":["https://www.w3.org/ns/credentials/v2"],"id":{url},"#,
                r#""type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":{issuer},"#,
                r#""validFrom":"{issued_at}","validUntil":"{expires_at}","credentialSubject":{{"id":{subject},"#,
                r#""type":"BitstringStatusList","statusPurpose":"{purpose}","encodedList":"{encoded}"{ttl}}},"#,
                r#""iss":{issuer},"iat":{iat},"exp":{exp}}}"#,
            ),
            url = url,
            issuer = issuer,
            issued_at = issued_at,
            expires_at = expires_at,
            subject = subject,
            purpose = purpose,
            encoded = encoded,
            ttl = ttl,
            iat = issued_at.seconds(),
            exp = expires_at.seconds(),
        )
    }
}

#[cfg(test)]
mod tests {

    use serde_json::{Value, json};

    use super::*;
    use crate::clock::UnixTime;

    const MAX: usize = 1 << 20;

    #[test]
    fn index_1993_is_bit_6_of_byte_249() {
        let list = Bitstring::with(131_072, [1993]).unwrap();
        assert_eq!(list.as_bytes()[249], 0x40);
        assert_eq!(list.as_bytes().iter().filter(|&&byte| byte != 0).count(), 1);
        assert_eq!(list.get(1993), Some(true));
        assert_eq!(list.get(1992), Some(false));
    }

    #[test]
    fn the_list_ends_where_it_ends() {
        let list = Bitstring::with(1, [0, 131_071]).unwrap();
        assert_eq!(list.entries(), MIN_ENTRIES);
        assert_eq!((list.as_bytes()[0], list.as_bytes()[16_383]), (0x80, 0x01));
        for index in [131_072, 1 << 32, u64::MAX] {
            assert_eq!(list.get(index), None);
            let refused = EntryError::OutOfRange { index, entries: MIN_ENTRIES };
            assert_eq!(Bitstring::with(1, [index]), Err(refused));
        }
        assert_eq!(Bitstring::new(131_073).entries(), 131_080);
    }

    #[test]
    fn published_lists_decode() {
        let name = "vectors/w3c-bitstring-status-list/examples.json";
        let Some(path) = crate::machine::data(name) else { return };
        let examples: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let encoded =
            |example: &Value| example["credentialSubject"]["encodedList"].as_str().map(str::to_owned);
        let lists: Vec<String> = examples.iter().filter_map(encoded).collect();
        assert_eq!(lists.len(), 6);
        for text in lists {
            let list = decode(&text, MAX).unwrap();
            assert_eq!(list, Bitstring::new(131_072));
            assert_eq!(decode(&encode(&list), MAX), Ok(list));
        }
    }

    #[test]
    fn one_list_is_one_text_without_time_or_system() {
        let list = Bitstring::with(131_072, (0..131_072).step_by(97)).unwrap();
        let text = encode(&list);
        assert_eq!(encode(&list.clone()), text);
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(&text[1..]).unwrap();
        // Magic, DEFLATE, no flags, no time, highest compression, no system.
        assert_eq!(bytes[..10], [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255]);
        assert_eq!(decode(&text, 16_384), Ok(list));
        assert_eq!(decode(&text, 16_383), Err(DecodeError::TooLarge { max_bytes: 16_383 }));
    }

    #[test]
    fn texts_that_others_would_read_differently_are_refused() {
        let text = encode(&Bitstring::new(131_072));
        let without_prefix = text[1..].to_owned();
        assert_eq!(decode(&without_prefix, MAX), Err(DecodeError::Multibase));
        assert_eq!(decode("", MAX), Err(DecodeError::Multibase));
        for wrong in [format!("{text}="), format!("{text} "), format!("uU{text}+")] {
            assert_eq!(decode(&wrong, MAX), Err(DecodeError::Base64), "{wrong:?}");
        }
        let zlib = super::super::token_list::encode(&super::super::StatusArray::from_bytes(
            Bitstring::new(131_072).0,
            super::super::Width::One,
        ));
        let framing = DecodeError::Framing { expected: "gzip (RFC 1952)" };
        assert_eq!(decode(&format!("u{zlib}"), MAX), Err(framing));
        assert_eq!(
            decode(&encode(&Bitstring(vec![0; 16_383])), MAX),
            Err(DecodeError::TooShort { entries: 131_064 })
        );
    }

    fn sample(list: &Bitstring) -> ListCredential<'_> {
        let time = |seconds| UnixTime::from_seconds(seconds).unwrap();
        ListCredential {
            url: "https://issuer.example/status/b.jwt",
            issuer: "did:web:issuer.example",
            validity: Validity {
                issued_at: time(1_795_406_400),
                expires_at: time(1_796_011_200),
                ttl_seconds: 43_200,
            },
            purpose: StatusPurpose::Suspension,
            list,
        }
    }

    #[test]
    fn the_credential_says_what_it_was_given() {
        let list = Bitstring::with(131_072, [5]).unwrap();
        let payload: Value = serde_json::from_str(&sample(&list).payload()).unwrap();
        assert_eq!(
            payload,
            json!({
                "@context": ["https://www.w3.org/ns/credentials/v2"],
                "id": "https://issuer.example/status/b.jwt",
                "type": ["VerifiableCredential", "BitstringStatusListCredential"],
                "issuer": "did:web:issuer.example",
                "validFrom": "2026-11-23T04:00:00Z",
                "validUntil": "2026-11-30T04:00:00Z",
                "credentialSubject": {
                    "id": "https://issuer.example/status/b.jwt#list",
                    "type": "BitstringStatusList",
                    "statusPurpose": "suspension",
                    "encodedList": encode(&list),
                    "ttl": 43_200_000,
                },
                "iss": "did:web:issuer.example", "iat": 1_795_406_400, "exp": 1_796_011_200,
            })
        );
    }

    #[test]
    fn the_longest_ttl_survives_in_milliseconds_and_none_is_none() {
        let list = Bitstring::new(0);
        let with = |ttl_seconds| {
            let sample = sample(&list);
            ListCredential { validity: Validity { ttl_seconds, ..sample.validity }, ..sample }.payload()
        };
        assert!(with(u32::MAX).contains(r#""ttl":4294967295000}"#));
        assert!(!with(0).contains("ttl"));
    }

    #[test]
    fn header_and_purposes_have_their_names() {
        assert_eq!(
            header("did:web:issuer.example#k"),
            r#"{"alg":"ES256","typ":"vc+jwt","cty":"vc","kid":"did:web:issuer.example#k"}"#
        );
        for purpose in [StatusPurpose::Revocation, StatusPurpose::Suspension] {
            assert_eq!(StatusPurpose::of_name(purpose.as_str()), Some(purpose));
        }
        assert_eq!(StatusPurpose::of_name("Revocation"), None);
    }
}
