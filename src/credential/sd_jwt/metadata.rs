//! The type metadata document: what a `vct` means, for verifiers and wallets (SD-JWT VC draft,
//! section 4). It repeats the policy by which credentials are issued.
//!
//! A verifier that processes type metadata must refuse a credential that fails them. So `mandatory` is said of a
//! claim only where every credential has it in the clear: it and all that it stands in are required, it is not
//! inside an array, which may be empty, and nobody can withhold it.

use base64_simd::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::policy::{DisclosurePolicy, DisclosureRule, Path};
use crate::types::{CredentialType, FieldKind};

/// The type metadata of a credential type of this name under this policy.
pub fn type_metadata(
    credential_type: &'static CredentialType,
    vct: &str,
    policy: &DisclosurePolicy,
) -> Value {
    let claims: Vec<Value> = policy
        .paths()
        .into_iter()
        .map(|(path, node)| {
            // The claim's name is its `label`; `name` is that of the type.
            let mut claim = json!({
                "path": segments(&path),
                "display": claim_display(credential_type, &path, node.doc),
                "sd": node.disclosure.as_str(),
            });
            if is_mandatory(credential_type, &path) && node.disclosure == DisclosureRule::Never {
                claim["mandatory"] = true.into();
            }
            claim
        })
        .collect();
    json!({
        "vct": vct,
        "name": credential_type.title,
        "description": credential_type.description,
        "display": display(credential_type),
        "claims": claims,
    })
}

/// How wallets show the credential: as its type says, else by its title.
fn display(credential_type: &CredentialType) -> Value {
    match credential_type.from_file.map(|file| file.display.as_slice()) {
        None | Some([]) => json!([{ "locale": "en", "name": credential_type.title }]),
        Some(display) => display.into(),
    }
}

/// How wallets show a claim: by its labels, else by its name.
fn claim_display(credential_type: &CredentialType, path: &Path, doc: &str) -> Value {
    match credential_type.from_file.and_then(|file| file.labels.get(&path.to_string())) {
        None => json!([{ "locale": "en", "label": label(path), "description": doc }]),
        Some(labels) => {
            labels.iter().map(|(locale, label)| json!({ "locale": locale, "label": label })).collect()
        }
    }
}

/// Whether every credential has this claim.
fn is_mandatory(credential_type: &'static CredentialType, path: &Path) -> bool {
    let mut object = credential_type.request();
    path.0.iter().enumerate().all(|(depth, segment)| {
        let Some(field) = segment.and_then(|name| object.field(name)) else { return false };
        let is_last = depth + 1 == path.0.len();
        match field.kind {
            FieldKind::Object(inside) => object = inside,
            _ if !is_last => return false,
            _ => {}
        }
        field.required
    })
}

/// The path as type metadata has it: names, and null for each element of an array.
fn segments(path: &Path) -> Vec<Value> {
    path.0.iter().map(|segment| segment.map_or(Value::Null, Value::from)).collect()
}

/// The claim's name for people: the last name of its path, in words.
fn label(path: &Path) -> String {
    let name = path.0.iter().rev().flatten().next().copied().unwrap_or_default();
    name.replace('_', " ")
}

/// A type metadata document as it is published, byte for byte.
#[derive(Debug, Clone)]
pub struct TypeMetadata {
    bytes: Vec<u8>,
}

/// What is wrong with a type metadata document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is no JSON object.
    #[error("it is not a JSON object; `beltic schema --vct` prints one")]
    NotJson,
    /// It describes another type.
    #[error("its vct is {found}, and the credentials' is {expected}")]
    OtherType {
        /// The document's `vct`.
        found: String,
        /// The credentials' `vct`.
        expected: String,
    },
    /// It tells verifiers something else than the policy does.
    #[error("it says that {path} is \"{found}\", and the disclosure policy says \"{expected}\"")]
    OtherPolicy {
        /// The claim.
        path: String,
        /// The word in the document.
        found: String,
        /// The word of the policy.
        expected: &'static str,
    },
}

impl TypeMetadata {
    /// Reads a document, which must describe this type and agree with this policy.
    ///
    /// # Errors
    /// Where it is no document, or contradicts what is issued.
    pub fn read(bytes: &[u8], vct: &str, policy: &DisclosurePolicy) -> Result<TypeMetadata, MetadataError> {
        let document: Value = serde_json::from_slice(bytes).map_err(|_| MetadataError::NotJson)?;
        let found = document.get("vct").and_then(Value::as_str).ok_or(MetadataError::NotJson)?;
        if found != vct {
            return Err(MetadataError::OtherType { found: found.into(), expected: vct.into() });
        }
        let claims = document.get("claims").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let known: Vec<_> =
            policy.paths().into_iter().map(|(path, node)| (Value::from(segments(&path)), node)).collect();
        for claim in claims {
            // A claim without a word may be hidden or not (section 4.6.3).
            let Some(word) = claim.get("sd").and_then(Value::as_str) else { continue };
            let path = claim.get("path").unwrap_or(&Value::Null);
            let node = known.iter().find(|(known, _)| known == path).map(|(_, node)| node);
            let hidden = node.is_some_and(|node| node.disclosure == DisclosureRule::Always);
            if word == "always" && !hidden || word == "never" && hidden {
                let expected = if hidden { "always" } else { "never" };
                return Err(MetadataError::OtherPolicy {
                    path: path.to_string(),
                    found: word.into(),
                    expected,
                });
            }
        }
        Ok(TypeMetadata { bytes: bytes.to_vec() })
    }

    /// `vct#integrity`: subresource integrity of the document's bytes.
    pub fn integrity(&self) -> String {
        format!("sha256-{}", STANDARD.encode_to_string(Sha256::digest(&self.bytes)))
    }

    /// The document.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Types;

    /// SD-JWT VC, "Claim Display Metadata" and "Claim Metadata": both members of a display are required, and what is
    /// mandatory is in every credential, in the clear.
    #[test]
    fn claims_have_labels_and_only_what_is_always_there_is_mandatory() {
        let business = Types::BUILT_IN.default_type();
        let metadata = type_metadata(business, "urn:x", &DisclosurePolicy::of_type(business));
        let claims = metadata["claims"].as_array().unwrap();
        let mut mandatory = Vec::new();
        for claim in claims {
            for display in claim["display"].as_array().unwrap() {
                let members: Vec<&String> = display.as_object().unwrap().keys().collect();
                assert!(
                    members.iter().all(|name| ["locale", "label", "description"].contains(&name.as_str()))
                );
                for required in ["locale", "label"] {
                    assert!(display[required].as_str().is_some_and(|text| !text.is_empty()), "{claim}");
                }
            }
            if let Some(is_mandatory) = claim.get("mandatory") {
                assert_eq!((is_mandatory, &claim["sd"]), (&json!(true), &json!("never")));
                mandatory.push(claim["path"].clone());
            }
        }
        assert_eq!(mandatory, [json!(["subject"]), json!(["subject", "id"]), json!(["claims"])]);
    }
}
