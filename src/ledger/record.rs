//! A credential's record, packed.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–7 | position in the run, little-endian |
//! | 8–17 | the random part of the id |
//! | 18–25 | issued at, seconds, little-endian |
//! | 26–33 | expires at, seconds, little-endian |
//! | 34–49 | hash of the request's content, keyed with the ledger's secret |
//! | 50–57 | hash of the subject's id, likewise |
//! | 58–65 | hash of the correlation id, likewise; zeros where there is none |
//! | 66–73 | hash of the id of the subject who delegated, likewise; zeros where nobody did |
//!
//! The id's other part is the batch's millisecond, and the index is that of the batch's first
//! slot plus the record's place in the batch.

use uuid::Uuid;

use crate::clock::UnixTime;
use crate::request::{BATCH_ITEMS, ContentHash, LookupHash};

/// The length of a packed record, in bytes.
pub(super) const RECORD_BYTES: usize = 74;

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
    /// The keyed hash of the subject's id.
    pub subject_hash: LookupHash,
    /// The keyed hash of the correlation id; zeros where there is none.
    pub correlation_hash: LookupHash,
    /// The keyed hash of the id of the subject who delegated; zeros where nobody did.
    pub delegator_hash: LookupHash,
}

/// Where a credential's record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordPlace {
    pub(super) batch: i64,
    pub(super) place: u32,
}

/// How many bits of a place as a number are the place in the batch.
const PLACE_BITS: u32 = 10;
const _: () = assert!(BATCH_ITEMS <= 1 << PLACE_BITS);

impl RecordPlace {
    /// The place as a number, which is greater for what was issued later.
    pub fn number(self) -> u64 {
        self.batch.cast_unsigned() << PLACE_BITS | u64::from(self.place)
    }

    /// The place of this number.
    pub fn of_number(number: u64) -> RecordPlace {
        let place = number & ((1 << PLACE_BITS) - 1);
        RecordPlace { batch: (number >> PLACE_BITS).cast_signed(), place: place as u32 }
    }
}

impl Record {
    /// Whether its item had a correlation id.
    pub(super) fn has_correlation_id(&self) -> bool {
        self.correlation_hash != LookupHash::default()
    }

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
        bytes.extend_from_slice(&record.content_hash.0);
        bytes.extend_from_slice(&record.subject_hash);
        bytes.extend_from_slice(&record.correlation_hash);
        bytes.extend_from_slice(&record.delegator_hash);
    }
    bytes
}

/// Reads packed records; `None` for one that cannot be. The ledger's tables hold whole records
/// only.
pub(super) fn unpack(bytes: &[u8]) -> impl Iterator<Item = Option<Record>> {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    records.iter().map(unpack_one)
}

/// How many records these are.
pub(super) fn count(bytes: &[u8]) -> u32 {
    (bytes.len() / RECORD_BYTES) as u32
}

/// The record at this place; `None` where there is none.
pub(super) fn at(bytes: &[u8], place: u32) -> Option<Record> {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    records.get(place as usize).and_then(unpack_one)
}

/// The place of the credential of this id among records of one millisecond.
pub(super) fn find(bytes: &[u8], id: Uuid, millis: u64) -> Option<u32> {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    let place = records.iter().position(|record| id_from_parts(millis, &part(record, 8)) == id);
    place.map(|place| place as u32)
}

/// The millisecond in an id; `None` for one that is no version 7 UUID.
pub(super) fn millis_of(id: Uuid) -> Option<u64> {
    let (high, _) = id.as_u64_pair();
    (id.get_version_num() == 7).then_some(high >> 16)
}

fn unpack_one(bytes: &[u8; RECORD_BYTES]) -> Option<Record> {
    let time = |at: usize| UnixTime::from_seconds(i64::from_le_bytes(part(bytes, at)));
    Some(Record {
        position: u64::from_le_bytes(part(bytes, 0)),
        id_tail: part(bytes, 8),
        issued_at: time(18)?,
        expires_at: time(26)?,
        content_hash: ContentHash(part(bytes, 34)),
        subject_hash: part(bytes, 50),
        correlation_hash: part(bytes, 58),
        delegator_hash: part(bytes, 66),
    })
}

fn part<const N: usize>(bytes: &[u8; RECORD_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|byte| bytes[at + byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let record = |position: u64| Record {
            position,
            id_tail: std::array::from_fn(|byte| byte as u8 ^ position as u8),
            issued_at: UnixTime::from_seconds(1_795_406_400).unwrap(),
            expires_at: UnixTime::from_seconds(1_826_942_400 + position as i64).unwrap(),
            content_hash: ContentHash([position as u8; 16]),
            subject_hash: [position as u8 ^ 0x5a; 8],
            correlation_hash: [position as u8 ^ 0xa5; 8],
            delegator_hash: [position as u8 ^ 0x3c; 8],
        };
        let records: Vec<_> = [0, 1, 77, u64::from(u32::MAX) + 5].map(record).into();
        assert_eq!(pack(&records).len(), 4 * RECORD_BYTES);
        assert_eq!(unpack(&pack(&records)).map(Option::unwrap).collect::<Vec<_>>(), records);
    }
}
