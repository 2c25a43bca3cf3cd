//! Cutting a token into its parts, and reading one part.

use base64_simd::URL_SAFE_NO_PAD;
use memchr::{memchr, memchr_iter};

use super::error::{Part, TokenError};
use super::limits::{MAX_DISCLOSURES, MAX_TOKEN_BYTES};
use crate::json::{Document, Kind, Parser};

/// A token in compact form, cut into its parts, none of them decoded.
///
/// A JWS is `header.payload.signature` (RFC 7515 section 7.1). An SD-JWT goes on with `~`, and then a
/// disclosure and `~` any number of times; what stands after the last `~` is a key binding JWT
/// (RFC 9901 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compact<'t> {
    /// The JWS alone.
    pub jwt: &'t str,
    /// The protected header, base64url.
    pub header: &'t str,
    /// The payload, base64url.
    pub payload: &'t str,
    /// The signature, base64url; may be empty, as in an unsecured JWS.
    pub signature: &'t str,
    /// Whether a `~` follows the JWS.
    pub is_sd_jwt: bool,
    /// The disclosures, base64url.
    pub disclosures: Vec<&'t str>,
    /// What stands after the last `~`.
    pub key_binding: Option<&'t str>,
}

impl<'t> Compact<'t> {
    /// Cuts a token. White space is not trimmed: a token has none.
    pub fn split(text: &'t str) -> Result<Compact<'t>, TokenError> {
        Compact::split_at_most(text, MAX_TOKEN_BYTES)
    }

    /// As [`Compact::split`], with another limit: status lists are longer than credentials.
    pub fn split_at_most(text: &'t str, max_bytes: usize) -> Result<Compact<'t>, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if text.len() > max_bytes {
            return Err(TokenError::TooLong { bytes: text.len(), max_bytes });
        }
        check_characters(text)?;
        let (jwt, tail) = match memchr(b'~', text.as_bytes()) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let mut dots = memchr_iter(b'.', jwt.as_bytes());
        let (header, payload, signature) = match (dots.next(), dots.next(), dots.count()) {
            (Some(first), Some(second), 0) => (&jwt[..first], &jwt[first + 1..second], &jwt[second + 1..]),
            _ => return Err(TokenError::Parts { found: 1 + jwt.matches('.').count() }),
        };
        let (disclosures, key_binding) = tail.map_or(Ok((Vec::new(), None)), split_tail)?;
        let is_sd_jwt = tail.is_some();
        Ok(Compact { jwt, header, payload, signature, is_sd_jwt, disclosures, key_binding })
    }

    /// What the signature covers: header, dot, payload.
    pub fn signing_input(&self) -> &'t [u8] {
        &self.jwt.as_bytes()[..self.header.len() + 1 + self.payload.len()]
    }
}

/// The disclosures after the first `~`, and what stands after the last.
fn split_tail(tail: &str) -> Result<(Vec<&str>, Option<&str>), TokenError> {
    let Some((disclosures, last)) = tail.rsplit_once('~') else {
        return Ok((Vec::new(), key_binding(tail)?));
    };
    let found = 1 + disclosures.bytes().filter(|&byte| byte == b'~').count();
    if found > MAX_DISCLOSURES {
        return Err(TokenError::TooManyDisclosures { found });
    }
    let disclosures: Vec<&str> = disclosures.split('~').collect();
    match disclosures.iter().position(|disclosure| disclosure.is_empty()) {
        Some(at) => Err(TokenError::EmptyDisclosure { at: at + 1 }),
        None => Ok((disclosures, key_binding(last)?)),
    }
}

/// What stands after the last `~`: nothing, or a JWS. Anything else is a disclosure whose `~` was cut off.
fn key_binding(text: &str) -> Result<Option<&str>, TokenError> {
    match (text.is_empty(), text.bytes().filter(|&byte| byte == b'.').count()) {
        (true, _) => Ok(None),
        (false, 2) => Ok(Some(text)),
        (false, _) => Err(TokenError::Unended),
    }
}

/// Refuses every character that stands in no token, so that nothing more is read of a text that is none.
fn check_characters(text: &str) -> Result<(), TokenError> {
    if text.starts_with('{') {
        return Err(TokenError::Json);
    }
    // Without a way out before the end, which lets the compiler look at many bytes at once.
    if text.bytes().fold(true, |all, byte| all & stands_in_tokens(byte)) {
        return Ok(());
    }
    let first = text
        .char_indices()
        .find(|&(_, character)| !character.is_ascii() || !stands_in_tokens(character as u8));
    match first {
        Some((at, character)) => Err(TokenError::Character { character, at }),
        None => Ok(()),
    }
}

/// Whether a byte is one of base64url, or stands between the parts of a token.
fn stands_in_tokens(byte: u8) -> bool {
    let (letter, digit) = ((byte | 0x20).wrapping_sub(b'a') < 26, byte.wrapping_sub(b'0') < 10);
    letter | digit | (byte == b'-') | (byte == b'_') | (byte == b'.') | (byte == b'~')
}

/// Decodes base64url without padding (RFC 7515 section 2) into a buffer. Padding, line breaks, the
/// alphabet of plain base64 and stray bits at the end are refused, so that no two texts are one part.
pub fn decode<'b>(text: &str, part: Part, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], TokenError> {
    buffer.clear();
    match URL_SAFE_NO_PAD.decode_append(text, buffer) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(check_characters(text).err().unwrap_or(TokenError::Base64 { part })),
    }
}

/// Decodes a part that is text.
pub fn decode_text<'b>(text: &str, part: Part, buffer: &'b mut Vec<u8>) -> Result<&'b str, TokenError> {
    std::str::from_utf8(decode(text, part, buffer)?).map_err(|_| TokenError::Utf8 { part })
}

/// Parses a part that is a JSON object. Repeated names and characters that are none are refused.
pub fn parse_object<'d>(
    text: &'d str,
    part: Part,
    parser: &'d mut Parser,
) -> Result<Document<'d>, TokenError> {
    let document = parser.parse(text).map_err(|source| TokenError::Syntax { part, source })?;
    match (document.root().kind(), document.faults().first()) {
        (Kind::Object, None) => Ok(document),
        (Kind::Object, Some(&fault)) => {
            Err(TokenError::Fault { part, pointer: document.pointer(fault), kind: fault.kind })
        }
        (found, _) => Err(TokenError::NotAnObject { part, found }),
    }
}

/// The id of the credential that a token says it is, `jti` or `id`. Nothing is verified: it serves
/// to look the credential up where its truth is known.
pub fn unverified_id(token: &str) -> Option<String> {
    let token = Compact::split(token).ok()?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::default());
    let payload = decode_text(token.payload, Part::Payload, &mut buffer).ok()?;
    let document = parser.parse(payload).ok()?;
    let payload = document.root();
    let id = payload.member("jti").or_else(|| payload.member("id"))?;
    id.as_str().map(|id| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jws_has_three_parts_and_an_sd_jwt_a_tail() {
        let jws = Compact::split("aa.bb.cc").unwrap();
        assert_eq!((jws.header, jws.payload, jws.signature, jws.is_sd_jwt), ("aa", "bb", "cc", false));
        assert_eq!(jws.signing_input(), b"aa.bb");
        let bare = Compact::split("aa.bb.cc~").unwrap();
        assert_eq!((bare.is_sd_jwt, bare.disclosures.len(), bare.key_binding), (true, 0, None));
        let full = Compact::split("aa.bb.cc~d1~d2~").unwrap();
        assert_eq!(
            (full.jwt, &full.disclosures[..], full.key_binding),
            ("aa.bb.cc", &["d1", "d2"][..], None)
        );
        let bound = Compact::split("aa.bb.cc~d1~x.y.z").unwrap();
        assert_eq!((bound.disclosures.len(), bound.key_binding), (1, Some("x.y.z")));
        assert_eq!(Compact::split("aa.bb.cc~x.y.z").unwrap().key_binding, Some("x.y.z"));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for (text, error) in [
            ("", TokenError::Empty),
            ("aa", TokenError::Parts { found: 1 }),
            ("aa.bb", TokenError::Parts { found: 2 }),
            ("aa.bb.cc.dd.ee", TokenError::Parts { found: 5 }),
            ("aa.bb\n.cc.", TokenError::Character { character: '\n', at: 5 }),
            (r#"{"payload":"x"}"#, TokenError::Json),
            ("aa.bb.cc~d1~d2", TokenError::Unended),
            ("aa.bb.cc~d1", TokenError::Unended),
            ("aa.bb.cc~d1~x.y", TokenError::Unended),
            ("aa.bb.cc~d1~w.x.y.z", TokenError::Unended),
            ("aa.b!b.cc", TokenError::Character { character: '!', at: 4 }),
            ("aa.bb.cc~é~", TokenError::Character { character: 'é', at: 9 }),
            ("aa.bb.cc~~", TokenError::EmptyDisclosure { at: 1 }),
            ("aa.bb.cc~d1~~d2~", TokenError::EmptyDisclosure { at: 2 }),
        ] {
            assert_eq!(Compact::split(text), Err(error), "{text}");
        }
        let long = "a".repeat(MAX_TOKEN_BYTES + 1);
        assert_eq!(
            Compact::split(&long),
            Err(TokenError::TooLong { bytes: MAX_TOKEN_BYTES + 1, max_bytes: MAX_TOKEN_BYTES })
        );
        let many = format!("a.b.c{}~", "~d".repeat(MAX_DISCLOSURES + 1));
        let found = MAX_DISCLOSURES + 1;
        assert_eq!(Compact::split(&many), Err(TokenError::TooManyDisclosures { found }));
    }

    #[test]
    fn base64url_has_one_spelling() {
        let mut buffer = Vec::new();
        let mut decoded = |text| decode(text, Part::Payload, &mut buffer).map(<[u8]>::to_vec);
        assert_eq!(decoded("_-8").unwrap(), [0xFF, 0xEF]);
        assert!(decoded("").unwrap().is_empty());
        let refused = TokenError::Base64 { part: Part::Payload };
        // One character alone; stray bits after one byte and after two.
        for text in ["A", "AAAAA", "_x", "_-9"] {
            assert_eq!(decoded(text), Err(refused.clone()), "{text}");
        }
        for (text, character, at) in [("_w==", '=', 2), ("/w", '/', 0), ("_w\n", '\n', 2), ("_é", 'é', 1)] {
            assert_eq!(decoded(text), Err(TokenError::Character { character, at }), "{text}");
        }
    }

    #[test]
    fn a_part_is_an_object_that_everybody_reads_alike() {
        let mut parser = Parser::default();
        let mut problem = |text: &str| parse_object(text, Part::Header, &mut parser).unwrap_err().to_string();
        assert_eq!(problem("[]"), "the header is an array; expected a JSON object");
        assert_eq!(problem(r#"{"a":1,"\u0061":2}"#), r#"the header has a fault: duplicate key"#);
        assert_eq!(problem("{").split(':').next(), Some("the header is not JSON"));
        assert_eq!(problem("\u{feff}{}").split(':').next(), Some("the header is not JSON"));
    }
}
