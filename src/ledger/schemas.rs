//! The JSON Schemas of credentials that were cited: by their hash, so they stay, byte for byte.
//!
//! A program that is newer may write another schema of the same type. The one that is here goes on being cited and
//! published until somebody asks for a new version, so that an update never puts a hash into credentials that no
//! published document has.

use super::checksum::Checksum;
use super::lanes::Grants;
use super::rows::SchemaRow;
use super::seal::Writing;
use super::store::{Store, Stored};
use super::{Ledger, LedgerError};

/// A schema that is cited, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitedSchema {
    /// Whose credentials cite it.
    pub issuer: String,
    /// The credential type.
    pub credential_type: String,
    /// The type's name in those credentials.
    pub vct: String,
    /// The hash of the definition of a type of one's own; empty for one that comes with the program.
    pub source: Vec<u8>,
    /// Which of the type's schemas it is, from 1.
    pub version: u32,
    /// The document.
    pub document: Vec<u8>,
}

impl CitedSchema {
    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("schemas").text(&self.issuer).text(&self.credential_type).text(&self.vct);
        sums.bytes(&self.source).number(self.version.into()).bytes(&self.document)
    }

    fn is_same_version(&self, other: &CitedSchema) -> bool {
        self.issuer == other.issuer
            && self.credential_type == other.credential_type
            && self.version == other.version
    }

    fn row(&self) -> SchemaRow {
        let crc = self.checksum().sum();
        let CitedSchema { issuer, credential_type, vct, source, version, document } = self.clone();
        SchemaRow { issuer, credential_type, vct, source, version, document, crc }
    }

    fn read(row: SchemaRow) -> Stored<CitedSchema> {
        let SchemaRow { issuer, credential_type, vct, source, version, document, crc } = row;
        let schema = CitedSchema { issuer, credential_type, vct, source, version, document };
        let named = || format!("table `schemas`, version {version} of {}", schema.credential_type);
        schema.checksum().must_be(crc, named)?;
        Ok(schema)
    }

    /// Every schema, in the order of versions.
    pub(super) fn all(store: &dyn Store) -> Stored<Vec<CitedSchema>> {
        store.schemas()?.into_iter().map(CitedSchema::read).collect()
    }
}

impl Ledger {
    /// The schemas that this issuer's credentials cite, in the order of their versions.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn schemas_of(&self, issuer: &str) -> Result<Vec<CitedSchema>, LedgerError> {
        let all = CitedSchema::all(&*self.store).map_err(|source| self.cannot("read", source))?;
        Ok(all.into_iter().filter(|schema| schema.issuer == issuer).collect())
    }

    /// Keeps schemas that are to be cited. When this returns, they are on the disk. Another process may have kept one of
    /// the same version in the meantime: then that one counts, and is returned in its place.
    ///
    /// # Errors
    /// Where the ledger cannot be written.
    pub fn keep_schemas(&mut self, schemas: Vec<CitedSchema>) -> Result<Vec<CitedSchema>, LedgerError> {
        if schemas.is_empty() {
            return Ok(schemas);
        }
        let fail = |source| self.cannot("write to", source);
        let writing = Writing::begin_with(&*self.store, &self.path, Grants::Leave, fail)?;
        let store = writing.store;
        let kept = CitedSchema::all(store).map_err(fail)?;
        let (schemas, is_new): (Vec<_>, Vec<_>) = schemas
            .into_iter()
            .map(|schema| match kept.iter().find(|kept| kept.is_same_version(&schema)) {
                Some(kept) => (kept.clone(), false),
                None => (schema, true),
            })
            .unzip();
        for (schema, _) in schemas.iter().zip(is_new).filter(|(_, is_new)| *is_new) {
            store.insert_schema(&schema.row()).map_err(fail)?;
        }
        writing.commit(fail)?;
        Ok(schemas)
    }
}
