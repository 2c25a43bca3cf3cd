//! Which index a slot gets.
//!
//! A list's indices stand in a secret order: a permutation of all of them, drawn from the list's
//! 32 secret bytes. Slots are counted up and never given twice; the slot's place in the order is
//! its index. So indices are unique without a search, and whoever sees any number of them learns
//! nothing of the next (Token Status List sections 12.4, 12.5 and 13.2).
//!
//! The order is part of the ledger's format: another order under the same secret would give
//! indices twice. A test pins it.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many entries a list has: the least that the W3C Bitstring Status List allows.
pub const LIST_ENTRIES: u32 = 131_072;

/// Once this many slots are taken, a new list is opened: three quarters.
pub const ROLL_AT: u32 = LIST_ENTRIES / 4 * 3;

/// The order in which a list gives out its indices.
#[derive(Debug)]
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

    /// The index of a slot. Slots are below [`LIST_ENTRIES`].
    pub fn index(&self, slot: u32) -> u32 {
        self.0[slot as usize]
    }
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
