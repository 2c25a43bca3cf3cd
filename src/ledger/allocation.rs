//! Which index a slot gets.
//!
//! A list's indices stand in a secret order: a permutation of all of them, drawn from the list's
//! 32 secret bytes. Slots are counted up and never given twice; the slot's place in the order is
//! its index. So indices are unique without a search, and whoever sees any number of them learns
//! nothing of the next (Token Status List sections 12.4, 12.5 and 13.2).
//!
//! The order is part of the ledger's format: another order under the same secret would give
//! indices twice. A test pins it.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many entries a list has: the least that the W3C Bitstring Status List allows.
pub const LIST_ENTRIES: u32 = 131_072;

/// Once this many slots are taken, a new list is opened: three quarters.
pub const ROLL_AT: u32 = LIST_ENTRIES / 4 * 3;

/// The order in which a list gives out its indices, drawn as far as somebody asked.
pub struct IndexOrder {
    stream: ChaCha20Rng,
    /// How many slots have their index.
    drawn: u32,
    /// The index at each place, XORed with the place. All are 0 at first, and memory of zeros
    /// costs nothing until it is used.
    moved: Vec<u32>,
}

impl IndexOrder {
    /// The order that belongs to a list's secret: a Fisher-Yates shuffle of all indices, from the
    /// first place on, fed by the ChaCha20 stream under that key.
    pub fn new(secret: &[u8; 32]) -> IndexOrder {
        let stream = ChaCha20Rng::from_seed(*secret);
        IndexOrder { stream, drawn: 0, moved: vec![0; LIST_ENTRIES as usize] }
    }

    /// The index of a slot. Slots are below [`LIST_ENTRIES`].
    pub fn index(&mut self, slot: u32) -> u32 {
        while self.drawn <= slot {
            self.draw();
        }
        self.at(slot)
    }

    /// Draws the index of the next slot from those that are left.
    fn draw(&mut self) {
        let place = self.drawn;
        let other = place + uniform(&mut self.stream, LIST_ENTRIES - 1 - place);
        let (here, there) = (self.at(place), self.at(other));
        self.moved[other as usize] = here ^ other;
        self.moved[place as usize] = there ^ place;
        self.drawn += 1;
    }

    fn at(&self, place: u32) -> u32 {
        self.moved[place as usize] ^ place
    }
}

/// The order is the list's secret.
impl fmt::Debug for IndexOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexOrder").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

/// A number from 0 to `max`, each as likely as the others: words of the stream, cut to the bits
/// that `max` needs, until one fits.
fn uniform(stream: &mut ChaCha20Rng, max: u32) -> u32 {
    let mask = u32::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
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
                [47222, 127393, 23874, 99926, 119489, 101797, 79534, 96146],
                55621,
                "846e522051bd015da676b2c3115a7d5b30338a98c5e67cfe56e416b8b5e3ecab",
            ),
            (
                counting,
                [130361, 116186, 114063, 56507, 13710, 57025, 117944, 60127],
                28085,
                "27802b18c3435aaa4fa9d7af6656895a131c49c66d88bfd61a90190d85cd81d8",
            ),
        ] {
            let mut order = IndexOrder::new(&secret);
            assert_eq!(std::array::from_fn::<u32, 8, _>(|slot| order.index(slot as u32)), first);
            assert_eq!(order.index(ROLL_AT - 1), at_roll);
            let bytes: Vec<u8> = (0..LIST_ENTRIES).flat_map(|slot| order.index(slot).to_le_bytes()).collect();
            let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, digest);
        }
    }

    #[test]
    fn every_index_is_given_once() {
        let mut order = IndexOrder::new(&[7; 32]);
        let mut indices: Vec<u32> = (0..LIST_ENTRIES).map(|slot| order.index(slot)).collect();
        indices.sort_unstable();
        assert!(indices.into_iter().eq(0..LIST_ENTRIES));
    }
}
