//! The JSON Schema of a credential type that `jwt_vc` cites as `credentialSchema` (VC Data Model 2.0 section 4.11,
//! Verifiable Credentials JSON Schema Specification).
//!
//! A credential holds the hash of the document, so the document stays as it was when it was first cited. The ledger
//! keeps it:
//!
//! | the ledger has | the type | then |
//! | --- | --- | --- |
//! | none of the type | any | version 1 is made, kept, and cited |
//! | one | comes with the program | that is cited, whatever this program would write; a new version is made when asked for |
//! | one, from the same definition | one's own | that is cited |
//! | one, from another definition | one's own | the type needs a new `vct` |
//! | none of this `vct`, others of the type | one's own | the next version is made, kept, and cited |
//!
//! An issuer without a host has no place for it, and cites none; nor do credentials without a ledger.

use base64_simd::STANDARD;
use sha2::{Digest, Sha256};

use super::documents::json_text;
use crate::issuer::Issuer;
use crate::ledger::{CitedSchema, Ledger, LedgerError};
use crate::request::schema;
use crate::types::CredentialType;

/// Why no schema can be cited.
#[derive(Debug, thiserror::Error)]
pub enum CiteError {
    /// A type of one's own says something else than when it was first cited.
    #[error("the type {credential_type} has changed since credentials of {vct} were first issued")]
    NeedsNewVct {
        /// The type.
        credential_type: &'static str,
        /// Its name in credentials.
        vct: String,
    },
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A type, and its name in credentials.
pub type NamedType = (&'static CredentialType, String);

/// The schemas that the issuer's credentials of these types cite. Those that are not there yet are made, and kept in one
/// transaction.
///
/// # Errors
/// See [`CiteError`].
pub fn cited(
    ledger: &mut Ledger,
    issuer: &Issuer,
    types: &[NamedType],
) -> Result<Vec<CitedSchema>, CiteError> {
    let Some(host) = issuer.host() else { return Ok(Vec::new()) };
    let kept = ledger.schemas_of(issuer.id())?;
    let (mut cited, mut missing) = (Vec::new(), Vec::new());
    for of_type in types {
        match current(&kept, of_type)? {
            Some(schema) => cited.push(schema.clone()),
            None => missing.push(next(&kept, issuer, &host, of_type)),
        }
    }
    cited.extend(ledger.keep_schemas(missing)?);
    Ok(cited)
}

/// Refuses types of one's own that say something else than when they were first cited.
///
/// # Errors
/// See [`CiteError`].
pub fn check(ledger: &Ledger, issuer: &Issuer, types: &[NamedType]) -> Result<(), CiteError> {
    let kept = ledger.schemas_of(issuer.id())?;
    types.iter().try_for_each(|of_type| current(&kept, of_type).map(drop))
}

/// Makes a new version of the schema of a type that comes with the program, which is cited from now on. `None` where
/// the one that is cited says the same, or nothing was cited yet.
///
/// # Errors
/// Where the ledger cannot be read or written.
pub fn renew(
    ledger: &mut Ledger,
    issuer: &Issuer,
    of_type: &NamedType,
) -> Result<Option<CitedSchema>, LedgerError> {
    let kept = ledger.schemas_of(issuer.id())?;
    let known = of_type.0;
    let (Some(host), Some(last)) = (issuer.host(), versions(&kept, known).last()) else { return Ok(None) };
    if last.document == document(known, &url(&host, known.name, last.version)) {
        return Ok(None);
    }
    Ok(ledger.keep_schemas(vec![next(&kept, issuer, &host, of_type)])?.pop())
}

/// The schema that is cited of a type, where there is one.
fn current<'k>(
    kept: &'k [CitedSchema],
    (known, vct): &NamedType,
) -> Result<Option<&'k CitedSchema>, CiteError> {
    let is_own = known.from_file.is_some();
    match versions(kept, known).filter(|schema| !is_own || schema.vct == *vct).last() {
        Some(other) if other.source != source_of(known) => {
            Err(CiteError::NeedsNewVct { credential_type: known.name, vct: vct.clone() })
        }
        found => Ok(found),
    }
}

/// The schemas of a type, the latest last.
fn versions<'k>(kept: &'k [CitedSchema], known: &CredentialType) -> impl Iterator<Item = &'k CitedSchema> {
    let name = known.name;
    kept.iter().filter(move |schema| schema.credential_type == name)
}

fn source_of(known: &CredentialType) -> Vec<u8> {
    known.from_file.map(|file| file.fingerprint.to_vec()).unwrap_or_default()
}

fn next(kept: &[CitedSchema], issuer: &Issuer, host: &str, (known, vct): &NamedType) -> CitedSchema {
    let version = versions(kept, known).last().map_or(1, |last| last.version + 1);
    CitedSchema {
        issuer: issuer.id().to_owned(),
        credential_type: known.name.to_owned(),
        vct: vct.clone(),
        source: source_of(known),
        version,
        document: document(known, &url(host, known.name, version)),
    }
}

fn document(known: &'static CredentialType, url: &str) -> Vec<u8> {
    json_text(&schema::credential(known, url))
}

fn url(host: &str, credential_type: &str, version: u32) -> String {
    format!("https://{host}/schemas/{credential_type}/v{version}")
}

/// Where a schema is published; none where the issuer has no host.
pub fn url_of(schema: &CitedSchema, issuer: &Issuer) -> Option<String> {
    Some(url(&issuer.host()?, &schema.credential_type, schema.version))
}

/// `digestSRI`: subresource integrity of the document's bytes (VC Data Model 2.0 section 5.3).
pub fn digest_sri(document: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode_to_string(Sha256::digest(document)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::IssuerKey;
    use crate::types::Types;
    use crate::types::file::Definition;

    const DEFINITION: &str = r#"{"type":"licence","name":"LicenceCredential","schema":{"properties":{"claims":{"type":"object"}}}}"#;

    fn world() -> (tempfile::TempDir, Ledger, Issuer) {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, _) = Ledger::open(&folder.path().join("l.db")).unwrap();
        let key = IssuerKey::generate().unwrap();
        (folder, ledger, Issuer::parse("did:web:issuer.example", key.public()).unwrap())
    }

    /// What another program has cited goes on being cited, until somebody asks for a new version.
    #[test]
    fn a_newer_program_cites_what_was_published() {
        let (_folder, mut ledger, issuer) = world();
        let of_type = (Types::BUILT_IN.default_type(), "urn:x".to_owned());
        let mut older = next(&[], &issuer, "issuer.example", &of_type);
        older.document = b"{}".to_vec();
        assert_eq!(renew(&mut ledger, &issuer, &of_type).unwrap(), None, "nothing was cited yet");
        ledger.keep_schemas(vec![older.clone()]).unwrap();
        let cited = |ledger: &mut Ledger| cited(ledger, &issuer, std::slice::from_ref(&of_type)).unwrap();
        assert_eq!(cited(&mut ledger), std::slice::from_ref(&older));
        assert_eq!(cited(&mut ledger), std::slice::from_ref(&older));
        let newer = renew(&mut ledger, &issuer, &of_type).unwrap().unwrap();
        assert_eq!(newer.version, 2);
        assert_eq!(url_of(&newer, &issuer).unwrap(), "https://issuer.example/schemas/business/v2");
        assert_eq!(cited(&mut ledger), std::slice::from_ref(&newer));
        assert_eq!(renew(&mut ledger, &issuer, &of_type).unwrap(), None);
        assert_eq!(ledger.schemas_of(issuer.id()).unwrap(), [older, newer]);
        assert!(ledger.schemas_of("did:web:other.example").unwrap().is_empty());
    }

    /// A type of one's own that has changed is refused under its old name.
    #[test]
    fn a_changed_type_needs_a_new_name() {
        let (_folder, mut ledger, issuer) = world();
        let known = |text: &str| -> &'static CredentialType {
            let definition = Definition::read(text).unwrap();
            Box::leak(Box::new(definition.define(None, Types::BUILT_IN).unwrap()))
        };
        let mut cited = |known, vct: &str| cited(&mut ledger, &issuer, &[(known, vct.to_owned())]);
        let first = cited(known(DEFINITION), "urn:x").unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(cited(known(&DEFINITION.replace(':', " : ")), "urn:x").unwrap(), first);
        let changed =
            known(&DEFINITION.replace(r#"{"type":"object"}"#, r#"{"type":"object","minProperties":1}"#));
        let refused = cited(changed, "urn:x").unwrap_err();
        assert!(matches!(refused, CiteError::NeedsNewVct { .. }), "{refused}");
        assert_eq!(cited(changed, "urn:y").unwrap()[0].version, 2);
    }

    #[test]
    fn an_issuer_without_a_host_cites_nothing() {
        let (_folder, mut ledger, _) = world();
        let issuer = Issuer::of_key(IssuerKey::generate().unwrap().public());
        let types = [(Types::BUILT_IN.default_type(), "urn:x".to_owned())];
        assert_eq!(cited(&mut ledger, &issuer, &types).unwrap(), []);
    }
}
