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
    #[error(
        "the type {credential_type} says something else than when credentials of {vct} were first issued"
    )]
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

/// The schema that the issuer's credentials of a type cite, made and kept where there is none yet.
///
/// # Errors
/// See [`CiteError`].
pub fn cited(
    ledger: &mut Ledger,
    issuer: &Issuer,
    known: &'static CredentialType,
    vct: &str,
) -> Result<Option<CitedSchema>, CiteError> {
    let Some(host) = issuer.host() else { return Ok(None) };
    let kept = of_type(ledger, issuer, known)?;
    let source = source_of(known);
    let latest = match known.from_file {
        Some(_) => kept.iter().rfind(|schema| schema.vct == vct),
        None => kept.last(),
    };
    match latest {
        Some(schema) if schema.source == source => Ok(Some(schema.clone())),
        Some(_) => Err(CiteError::NeedsNewVct { credential_type: known.name, vct: vct.to_owned() }),
        None => Ok(Some(ledger.keep_schema(next(&kept, issuer, &host, known, vct))?)),
    }
}

/// Refuses a type of one's own that says something else than when it was first cited.
///
/// # Errors
/// See [`CiteError`].
pub fn check(
    ledger: &Ledger,
    issuer: &Issuer,
    known: &'static CredentialType,
    vct: &str,
) -> Result<(), CiteError> {
    let kept = of_type(ledger, issuer, known)?;
    let is_other = |schema: &CitedSchema| schema.vct == vct && schema.source != source_of(known);
    match known.from_file.is_some() && kept.iter().any(is_other) {
        true => Err(CiteError::NeedsNewVct { credential_type: known.name, vct: vct.to_owned() }),
        false => Ok(()),
    }
}

/// Makes a new version of the schema of a type that comes with the program, which is cited from now on. `None` where
/// the one that is cited says the same, or nothing was cited yet.
///
/// # Errors
/// Where the ledger cannot be read or written.
pub fn renew(
    ledger: &mut Ledger,
    issuer: &Issuer,
    known: &'static CredentialType,
    vct: &str,
) -> Result<Option<CitedSchema>, LedgerError> {
    let kept = of_type(ledger, issuer, known)?;
    let (Some(host), Some(last)) = (issuer.host(), kept.last()) else { return Ok(None) };
    if last.document == document(known, &url(&host, known.name, last.version)) {
        return Ok(None);
    }
    ledger.keep_schema(next(&kept, issuer, &host, known, vct)).map(Some)
}

fn of_type(
    ledger: &Ledger,
    issuer: &Issuer,
    known: &CredentialType,
) -> Result<Vec<CitedSchema>, LedgerError> {
    let all = ledger.schemas_of(issuer.id())?;
    Ok(all.into_iter().filter(|schema| schema.credential_type == known.name).collect())
}

fn source_of(known: &CredentialType) -> Vec<u8> {
    known.from_file.map(|file| file.fingerprint.to_vec()).unwrap_or_default()
}

fn next(
    kept: &[CitedSchema],
    issuer: &Issuer,
    host: &str,
    known: &'static CredentialType,
    vct: &str,
) -> CitedSchema {
    let version = kept.last().map_or(1, |last| last.version + 1);
    CitedSchema {
        issuer: issuer.id().to_owned(),
        credential_type: known.name.to_owned(),
        vct: vct.to_owned(),
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
        let known = Types::BUILT_IN.default_type();
        let mut older = next(&[], &issuer, "issuer.example", known, "urn:x");
        older.document = b"{}".to_vec();
        assert_eq!(renew(&mut ledger, &issuer, known, "urn:x").unwrap(), None, "nothing was cited yet");
        ledger.keep_schema(older.clone()).unwrap();
        let mut cited = || cited(&mut ledger, &issuer, known, "urn:x").unwrap().unwrap();
        assert_eq!((cited(), cited()), (older.clone(), older.clone()));
        let newer = renew(&mut ledger, &issuer, known, "urn:x").unwrap().unwrap();
        assert_eq!(newer.version, 2);
        assert_eq!(url_of(&newer, &issuer).unwrap(), "https://issuer.example/schemas/business/v2");
        let mut cited = || super::cited(&mut ledger, &issuer, known, "urn:x").unwrap().unwrap();
        assert_eq!(cited(), newer);
        assert_eq!(renew(&mut ledger, &issuer, known, "urn:x").unwrap(), None);
        assert_eq!(ledger.schemas_of(issuer.id()).unwrap(), [older, newer]);
        assert!(ledger.schemas_of("did:web:other.example").unwrap().is_empty());
    }

    /// A type of one's own that has changed is refused under its old name.
    #[test]
    fn a_changed_type_needs_a_new_name() {
        let (_folder, mut ledger, issuer) = world();
        let known = |text: &str| -> &'static CredentialType {
            Box::leak(Box::new(Definition::read(text).unwrap().define(None, Types::BUILT_IN).unwrap()))
        };
        let first = cited(&mut ledger, &issuer, known(DEFINITION), "urn:x").unwrap().unwrap();
        let spaced = DEFINITION.replace(':', " : ");
        assert_eq!(cited(&mut ledger, &issuer, known(&spaced), "urn:x").unwrap(), Some(first));
        let changed =
            known(&DEFINITION.replace(r#"{"type":"object"}"#, r#"{"type":"object","minProperties":1}"#));
        let refused = cited(&mut ledger, &issuer, changed, "urn:x").unwrap_err();
        assert!(matches!(refused, CiteError::NeedsNewVct { .. }), "{refused}");
        assert_eq!(cited(&mut ledger, &issuer, changed, "urn:y").unwrap().unwrap().version, 2);
    }

    #[test]
    fn an_issuer_without_a_host_cites_nothing() {
        let (_folder, mut ledger, _) = world();
        let issuer = Issuer::of_key(IssuerKey::generate().unwrap().public());
        assert_eq!(cited(&mut ledger, &issuer, Types::BUILT_IN.default_type(), "urn:x").unwrap(), None);
    }
}
