//! Evidence references, as the `evidence` of the VC Data Model 2.0 (section 5.6).

use base64_simd::STANDARD;

use crate::json::{self, Parser};

/// Writes `,"evidence":[…]` for an array of references; nothing where there are none.
pub(super) fn write(out: &mut Vec<u8>, references: &[u8], parser: &mut Parser) {
    let Ok(text) = std::str::from_utf8(references) else { return };
    let Ok(document) = parser.parse(text) else { return };
    let mut separator: &[u8] = br#","evidence":["#;
    for reference in document.root().elements() {
        out.extend_from_slice(separator);
        out.extend_from_slice(br#"{"type":"EvidenceReference","reference":"#);
        out.extend_from_slice(reference.text().as_bytes());
        if let Some(digest) = reference.as_str().and_then(|text| digest_sri(&text)) {
            out.extend_from_slice(br#","digestSRI":"#);
            json::push_str(out, &digest);
        }
        out.push(b'}');
        separator = b",";
    }
    if separator == b"," {
        out.push(b']');
    }
}

/// The digest of a reference of the form `sha256:` and 64 hexadecimal digits, as subresource
/// integrity writes it (VC Data Model 2.0 section 5.3).
fn digest_sri(reference: &str) -> Option<String> {
    let digits = reference.strip_prefix("sha256:")?;
    let digest = hex(digits).filter(|digest| digest.len() == 32)?;
    Some(format!("sha256-{}", STANDARD.encode_to_string(digest)))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some((value(high)? << 4 | value(low)?) as u8));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(references: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, references.as_bytes(), &mut Parser::default());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_digest_gives_its_integrity_text() {
        // SHA-256 of nothing, as FIPS 180-4 gives it, and its base64.
        let reference = r#"["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]"#;
        assert!(
            written(reference)
                .contains(r#""digestSRI":"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=""#)
        );
        assert!(!written(r#"["sha256:e3b0"]"#).contains("digestSRI"));
        assert!(!written(r#"["sha256:zz"]"#).contains("digestSRI"));
    }

    #[test]
    fn no_references_are_no_evidence() {
        assert_eq!(written("[]"), "");
        assert_eq!(written(""), "");
        assert_eq!(
            written(r#"["a\"b","c"]"#),
            r#","evidence":[{"type":"EvidenceReference","reference":"a\"b"},{"type":"EvidenceReference","reference":"c"}]"#
        );
    }
}
