//! Which index a slot gets.
//!
//! A list's indices stand in a secret order: a permutation of all of them, drawn from the list's
//! 32 secret bytes. Slots are counted up and never given twice; the slot's place in the order is
//! its index. So indices are unique without a search, and whoever sees any number of them learns
//! nothing of the next (Token Status List sections 12.4, 12.5 and 13.2).
//!
//! Drawing an order takes 2 ms, so the ledger keeps it beside the secret, in parts, and reads the
//! part that it needs. The order is part of the ledger's format all the same: what is kept must be
//! what the secret gives, which the event trail vouches for. A test pins it.

use std::ops::Range;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many entries a list has: the least that the W3C Bitstring Status List allows.
pub const LIST_ENTRIES: u32 = 131_072;

/// Once this many slots are taken, a new list is opened: three quarters.
pub const ROLL_AT: u32 = LIST_ENTRIES / 4 * 3;

/// How many indices a part holds: a batch's, and what fits on a page of the file.
const PART_SLOTS: u32 = 1_000;

/// The order in which a list gives out its indices.
pub struct IndexOrder(Vec<u32>);

impl IndexOrder {
    /// The order that belongs to a list's secret: a Fisher-Yates shuffle of all indices, fed by
    /// the ChaCha20 stream under that key.
    pub fn new(secret: &[u8; 32]) -> IndexOrder {
        let mut stream = ChaCha20Rng::from_seed(*secret);
        let mut order: Vec<u32> = (0..LIST_ENTRIES).collect();
        for last in (1..order.len()).rev() {
            let other = uniform(&mut stream, last as u32);
            order.swap(last, other as usize);
        }
        IndexOrder(order)
    }

    /// The parts, as the ledger keeps them: four bytes an index, the least first.
    pub(super) fn parts(&self) -> impl Iterator<Item = Vec<u8>> {
        let bytes_of = |indices: &[u32]| indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        self.0.chunks(PART_SLOTS as usize).map(bytes_of)
    }
}

/// The parts in which slots stand.
pub(super) fn parts_of(slots: Range<u32>) -> Range<u32> {
    slots.start / PART_SLOTS..slots.end.div_ceil(PART_SLOTS)
}

/// Whether these are as many bytes as a part has.
pub(super) fn is_whole(part: u32, indices: &[u8]) -> bool {
    let slots = LIST_ENTRIES.saturating_sub(part.saturating_mul(PART_SLOTS)).min(PART_SLOTS);
    indices.len() == 4 * slots as usize
}

/// The index of a slot, from the part in which it stands.
pub(super) fn index_in(part: &[u8], slot: u32) -> Option<u32> {
    let at = (slot % PART_SLOTS) as usize;
    part.as_chunks().0.get(at).map(|&bytes| u32::from_le_bytes(bytes))
}

/// A number from 0 to `max`, each as likely as the others: words of the stream, cut to the bits
/// that `max` needs, until one fits.
fn uniform(stream: &mut ChaCha20Rng, max: u32) -> u32 {
    let mask = u32::MAX >> max.leading_zeros();
    loop {
        let candidate = stream.next_u32() & mask;
        if candidate <= max {
            return candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// The values come from a program of a few lines in Python, over the ChaCha20 of OpenSSL. They
    /// must never change: ledgers hold slots whose indices are in credentials.
    #[test]
    fn the_order_is_pinned() {
        let counting: [u8; 32] = std::array::from_fn(|byte| byte as u8);
        for (secret, first, at_roll, digest) in [
            (
                [0; 32],
                [8933, 38904, 122521, 49650, 60620, 114600, 79416, 85567],
                30552,
                "4583a13021319175ad9875a11a0bee6cf0c66dbb5d8dfbc4be087fb3d21251df",
            ),
            (
                counting,
                [110378, 105348, 59209, 24010, 45136, 69684, 51264, 125638],
                7617,
                "145b1407a74de3165fd3c264e04eec0820516acbb760c16c55134c3a9f06503b",
            ),
        ] {
            let parts: Vec<Vec<u8>> = IndexOrder::new(&secret).parts().collect();
            let index = |slot| {
                let range = parts_of(slot..slot + 1);
                assert_eq!(range.len(), 1);
                assert!(is_whole(range.start, &parts[range.start as usize]));
                index_in(&parts[range.start as usize], slot).unwrap()
            };
            assert_eq!(std::array::from_fn::<u32, 8, _>(|slot| index(slot as u32)), first);
            assert_eq!(index(ROLL_AT - 1), at_roll);
            let bytes: Vec<u8> = (0..LIST_ENTRIES).flat_map(|slot| index(slot).to_le_bytes()).collect();
            assert_eq!(bytes, parts.concat());
            let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, digest);
        }
    }

    #[test]
    fn every_index_is_given_once() {
        let mut indices = IndexOrder::new(&[7; 32]).0;
        indices.sort_unstable();
        assert!(indices.into_iter().eq(0..LIST_ENTRIES));
    }
}
