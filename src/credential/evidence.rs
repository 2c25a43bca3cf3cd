//! Evidence references, as the `evidence` of the VC Data Model 2.0 (section 5.6): one object a reference.
//!
//! | reference | members beside `type` and `reference` |
//! | --- | --- |
//! | `sha256:HEX` | `digestSRI` |
//! | `sha256:HEX:DOCTYPE` | `digestSRI`, `document_type` |
//! | `sha256:HEX:DOCTYPE:FILENAME` | `digestSRI`, `document_type`, `name` |
//! | anything else | none |
//!
//! The kind of document is a text and not a `type`: JSON-LD would take it for a term that no context defines.

use base64_simd::STANDARD;

use crate::json::{Parser, object};

/// Appends `"evidence":[…]`, and the comma before it, for an array of references; nothing where there are none.
pub(super) fn push(out: &mut Vec<u8>, references: Option<&[u8]>, parser: &mut Parser) {
    let Ok(text) = std::str::from_utf8(references.unwrap_or_default()) else { return };
    let Ok(document) = parser.parse(text) else { return };
    let mut before: &[u8] = b",\"evidence\":[";
    for reference in document.root().elements() {
        let value = reference.as_str();
        let file = value.as_deref().and_then(Hashed::of);
        out.extend_from_slice(before);
        object!(out, {
            "type": plain "EvidenceReference",
            "reference": raw reference.text(),
            "digestSRI"?: text file.as_ref().map(|file| &file.digest_sri),
            "document_type"?: text file.as_ref().and_then(|file| file.document_type),
            "name"?: text file.as_ref().and_then(|file| file.name),
        });
        before = b",";
    }
    if before == b"," {
        out.push(b']');
    }
}

/// A reference that holds the hash of a file.
struct Hashed<'r> {
    /// The hash as subresource integrity writes it (VC Data Model 2.0 section 5.3).
    digest_sri: String,
    document_type: Option<&'r str>,
    name: Option<&'r str>,
}

impl<'r> Hashed<'r> {
    /// Takes a reference apart: `sha256:` and 64 hexadecimal digits, then what kind of document it is and what the file
    /// is called, if that is there. Colons after that belong to the file's name.
    fn of(reference: &'r str) -> Option<Hashed<'r>> {
        let mut parts = reference.strip_prefix("sha256:")?.splitn(3, ':');
        let digest = hex(parts.next()?).filter(|digest| digest.len() == 32)?;
        let mut part = || parts.next().filter(|part| !part.is_empty());
        Some(Hashed {
            digest_sri: format!("sha256-{}", STANDARD.encode_to_string(digest)),
            document_type: part(),
            name: part(),
        })
    }
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
        push(&mut out, Some(references.as_bytes()), &mut Parser::default());
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
        for form in ["", ":extract", ":extract:a.pdf", ":", "::", "::a.pdf"] {
            let reference = reference.replace("\"]", &format!("{form}\"]"));
            assert!(written(&reference).contains("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), "{form}");
        }
        assert!(!written(r#"["sha256:e3b0"]"#).contains("digestSRI"));
        assert!(!written(r#"["sha256:zz"]"#).contains("digestSRI"));
    }

    #[test]
    fn type_and_name_of_a_hashed_file_have_members() {
        let hash = "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let found = |rest: &str| {
            let mut evidence = written(&serde_json::json!([format!("{hash}{rest}")]).to_string());
            evidence.insert_str(0, "{\"x\":1");
            evidence.push('}');
            let evidence: serde_json::Value = serde_json::from_str(&evidence).unwrap();
            let one = evidence["evidence"][0].clone();
            assert_eq!(
                (&one["type"], &one["reference"]),
                (&"EvidenceReference".into(), &format!("{hash}{rest}").into())
            );
            [one.get("document_type").cloned(), one.get("name").cloned()]
                .map(|member| member.map(|text| text.as_str().unwrap().to_owned()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found(""), [None, None]);
        assert_eq!(found(":register_extract"), [some("register_extract"), None]);
        assert_eq!(found(":register_extract:Auszug 7.pdf"), [some("register_extract"), some("Auszug 7.pdf")]);
        assert_eq!(found(":a:C:\\b.pdf"), [some("a"), some("C:\\b.pdf")], "the name has the other colons");
        assert_eq!(found("::b \"quoted\".pdf"), [None, some("b \"quoted\".pdf")]);
        assert_eq!(found(":a:"), [some("a"), None]);
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
