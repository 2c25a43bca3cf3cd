//! What a grant keeps of its batches, packed: numbers of eight bytes, the least first, and what has a length behind it.

use crate::ledger::corrupt;
use crate::ledger::issued::Issued;
use crate::ledger::store::Stored;
use crate::request::ItemKey;

/// The form, which stands first.
const FORM: u64 = 1;

/// A batch that was granted.
pub(in crate::ledger) struct GrantedBatch {
    pub(in crate::ledger) run: i64,
    /// The scope within which items are known by these keys, by their places.
    pub(in crate::ledger) scope: Option<i64>,
    pub(in crate::ledger) keys: Vec<(u32, ItemKey)>,
    pub(in crate::ledger) millis: u64,
    /// When it was granted, in seconds.
    pub(in crate::ledger) at: i64,
    pub(in crate::ledger) attestation_type: Option<String>,
    pub(in crate::ledger) records: Vec<u8>,
}

pub(super) fn of(issued: &[Issued<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, FORM);
    for batch in issued.iter().flat_map(Issued::granted) {
        put(&mut bytes, batch.run.cast_unsigned());
        put(&mut bytes, batch.scope.unwrap_or_default().cast_unsigned());
        put(&mut bytes, batch.millis);
        put(&mut bytes, batch.at.cast_unsigned());
        put_bytes(&mut bytes, batch.attestation_type.as_deref().unwrap_or_default().as_bytes());
        put(&mut bytes, batch.keys.len() as u64);
        for (place, key) in &batch.keys {
            put(&mut bytes, u64::from(*place));
            bytes.extend_from_slice(key);
        }
        put_bytes(&mut bytes, &batch.records);
    }
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Stored<Vec<GrantedBatch>> {
    let mut rest = bytes;
    let mut batches = Vec::new();
    if take(&mut rest)? != FORM {
        return Err(corrupt());
    }
    while !rest.is_empty() {
        let run = take(&mut rest)?.cast_signed();
        let scope = Some(take(&mut rest)?.cast_signed()).filter(|scope| *scope != 0);
        let (millis, at) = (take(&mut rest)?, take(&mut rest)?.cast_signed());
        let attestation_type = String::from_utf8(take_bytes(&mut rest)?.to_vec()).map_err(|_| corrupt())?;
        let count = take(&mut rest)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let place = u32::try_from(take(&mut rest)?).map_err(|_| corrupt())?;
            let (key, after) = rest.split_first_chunk::<16>().ok_or_else(corrupt)?;
            rest = after;
            keys.push((place, *key));
        }
        let records = take_bytes(&mut rest)?.to_vec();
        let attestation_type = Some(attestation_type).filter(|text| !text.is_empty());
        batches.push(GrantedBatch { run, scope, keys, millis, at, attestation_type, records });
    }
    Ok(batches)
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, long: &[u8]) {
    put(bytes, long.len() as u64);
    bytes.extend_from_slice(long);
}

fn take(rest: &mut &[u8]) -> Stored<u64> {
    let (number, after) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
    *rest = after;
    Ok(u64::from_le_bytes(*number))
}

fn take_bytes<'b>(rest: &mut &'b [u8]) -> Stored<&'b [u8]> {
    let length = usize::try_from(take(rest)?).map_err(|_| corrupt())?;
    let (long, after) = rest.split_at_checked(length).ok_or_else(corrupt)?;
    *rest = after;
    Ok(long)
}
