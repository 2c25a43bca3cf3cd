//! A credential's record, packed.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–7 | position in the run, little-endian |
//! | 8–17 | the random part of the id |
//! | 18–25 | issued at, seconds, little-endian |
//! | 26–33 | expires at, seconds, little-endian |
//! | 34–49 | hash of the request, keyed with the ledger's secret |
//!
//! The id's other part is the batch's millisecond, and the index is that of the batch's first
//! slot plus the record's place in the batch.

use uuid::Uuid;

use crate::clock::UnixTime;
use crate::request::ContentHash;

/// The length of a packed record, in bytes.
pub(super) const RECORD_BYTES: usize = 50;

/// What the ledger keeps of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The item's index in its run.
    pub position: u64,
    /// The random part of the id.
    pub id_tail: [u8; 10],
    /// When the credential was issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// The keyed hash of the request.
    pub content_hash: ContentHash,
}

impl Record {
    /// The credential's id, given the batch's millisecond.
    pub fn id(&self, millis: u64) -> Uuid {
        id_from_parts(millis, &self.id_tail)
    }
}

/// A version 7 UUID (RFC 9562 section 5.7).
pub(super) fn id_from_parts(millis: u64, tail: &[u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(millis, tail).into_uuid()
}

/// Packs the records of a batch.
pub(super) fn pack(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
    for record in records {
        bytes.extend_from_slice(&record.position.to_le_bytes());
        bytes.extend_from_slice(&record.id_tail);
        bytes.extend_from_slice(&record.issued_at.seconds().to_le_bytes());
        bytes.extend_from_slice(&record.expires_at.seconds().to_le_bytes());
        bytes.extend_from_slice(&record.content_hash);
    }
    bytes
}
