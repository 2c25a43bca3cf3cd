//! A filter: tells nearly always that a segment does not hold a key, and never that it does not where it does.
//!
//! A Bloom filter in blocks of 512 bits, sixteen bits a key. The bits of a key are in one block, so a question costs one
//! look into memory. One key in about seven hundred is taken for another.

use super::segment::{IndexEntry, checksum};
use crate::ledger::checksum::contradiction;
use crate::ledger::corrupt;
use crate::ledger::rows::SegmentHead;
use crate::ledger::store::{Store, Stored};
use crate::request::ItemKey;

const BLOCK_BYTES: usize = 64;
const BITS_PER_KEY: usize = 16;

/// How many bits a key sets, and how many bits of its hash each takes.
const BITS_SET: u32 = 6;
const BIT_BITS: u32 = 9;

/// The filter of a segment.
#[derive(Debug)]
pub(super) struct Filter(Vec<u8>);

impl Filter {
    pub(super) fn of(entries: &[IndexEntry]) -> Filter {
        let blocks = (entries.len() * BITS_PER_KEY).div_ceil(8 * BLOCK_BYTES).max(1);
        let mut filter = Filter(vec![0; blocks * BLOCK_BYTES]);
        for entry in entries {
            let (block, bits) = filter.bits_of(&entry.key());
            for bit in bits {
                filter.0[block + bit / 8] |= 1 << (bit % 8);
            }
        }
        filter
    }

    /// Reads the filters of segments, and refuses what was not written.
    pub(super) fn read_all(store: &dyn Store, heads: &[SegmentHead]) -> Stored<Vec<Filter>> {
        let numbers: Vec<i64> = heads.iter().map(|head| head.segment).collect();
        let filters = store.segment_filters(&numbers)?;
        heads.iter().zip(filters).map(|(head, bytes)| Filter::checked(head, bytes)).collect()
    }

    /// Reads a segment's filter, and refuses one that is not what was written.
    pub(super) fn read(store: &dyn Store, head: &SegmentHead) -> Stored<Filter> {
        Filter::read_all(store, &[*head])?.pop().ok_or_else(corrupt)
    }

    fn checked(head: &SegmentHead, bytes: Vec<u8>) -> Stored<Filter> {
        let named = || format!("table `segments`, segment {}", head.segment);
        checksum("filter", head, &bytes).must_be(head.filter_crc, named)?;
        match !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK_BYTES) {
            true => Ok(Filter(bytes)),
            false => Err(contradiction(format!("{}: its filter has no whole blocks", named()))),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn may_hold(&self, key: &ItemKey) -> bool {
        let (block, mut bits) = self.bits_of(key);
        bits.all(|bit| self.0[block + bit / 8] >> (bit % 8) & 1 == 1)
    }

    /// Where a key's block begins, and its bits in that. The first half of a key says in which node it is, so only the
    /// second one is used here.
    fn bits_of(&self, key: &ItemKey) -> (usize, impl Iterator<Item = usize> + use<>) {
        let half = u64::from_le_bytes(std::array::from_fn(|at| key[8 + at]));
        let blocks = (self.0.len() / BLOCK_BYTES) as u64;
        let block = ((half >> 32) * blocks) >> 32;
        // The upper bits chose the block; multiplied, all bits have a part in the others.
        let mixed = half.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32) ^ half;
        let bits = (0..BITS_SET).map(move |nth| (mixed >> (nth * BIT_BITS)) as usize % (8 * BLOCK_BYTES));
        (block as usize * BLOCK_BYTES, bits)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::ledger::record::RecordPlace;

    fn key(number: u32) -> ItemKey {
        let digest = Sha256::digest(number.to_le_bytes());
        std::array::from_fn(|at| digest[at])
    }

    #[test]
    fn what_is_held_is_never_denied_and_the_rest_nearly_always() {
        let entries = |range: std::ops::Range<u32>| {
            range
                .map(|number| IndexEntry::new(&key(number), RecordPlace { batch: 1, place: 0 }))
                .collect::<Vec<_>>()
        };
        for count in [1, 2, 31, 1_000] {
            let filter = Filter::of(&entries(0..count));
            assert!((0..count).all(|number| filter.may_hold(&key(number))));
            let mistaken = (count..count + 20_000).filter(|number| filter.may_hold(&key(*number))).count();
            assert!(mistaken < 100, "{mistaken} of 20,000 with {count} keys");
        }
    }
}
