//! Keys, and the verdicts on batches of signatures.
//!
//! The engine can only accept. What it does not accept, for whatever reason, goes to the caller's oracle, whose word is
//! final. So the engine cannot refuse what is good, and there are three guards against accepting what is not:
//!
//! - It accepts a sum only if it is a point of the curve. A fault of the arithmetic does not lead to one.
//! - The first signature that it accepts for a key, and one in [`CONFIRM_EVERY`] after it, goes to the oracle too. Where
//!   the two disagree, the engine is never used again for these [`Keys`], and the oracle judges the whole batch.
//! - Its sums are complete: there is no input for which a formula does not hold.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::dispatch::{Calculator, Engine};
use crate::field::P;
use crate::point::Point;
use crate::scalar::{N, Scalar, invert_all};
use crate::sums::Pair;
use crate::table::{Table, Width};
use crate::words::{self, from_be_bytes};

/// A key gets its table with the signature of this number. A table costs what the engine saves on some of them.
const TABLE_AFTER: u64 = 24;
/// One in so many accepted signatures of a key is shown to the oracle.
const CONFIRM_EVERY: u64 = 1024;
/// At most so many sums are computed together. Their points have to fit into the processor's second cache.
const BLOCK: usize = 128;
/// Fewer are left to the oracle: the inversions of a single sum cost as much as it does.
const FEWEST: usize = 2;
/// After a block of which the engine refused most, so many times as many signatures go to the oracle at once. This keeps
/// a file of nothing but bad signatures from costing both.
const PAUSE: usize = 4;

/// Public keys, and the tables of those that many signatures were seen of. Threads share it.
///
/// A table has 148 KiB. No more than a given number are made; signatures of further keys are left to the oracle.
#[derive(Debug)]
pub struct Keys {
    keys: Vec<Key>,
    tables_left: AtomicUsize,
    distrusted: AtomicBool,
}

#[derive(Debug)]
struct Key {
    point: Point,
    seen: AtomicU64,
    accepted: AtomicU64,
    /// None inside where no more tables may be made.
    table: OnceLock<Option<Table>>,
}

/// A key of [`Keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(usize);

/// What was given as a public key is not an uncompressed point of P-256: 0x04 and two coordinates of 32 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidKey;

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an uncompressed point of P-256")
    }
}

impl Error for InvalidKey {}

impl Default for Keys {
    /// No keys, and at most 64 tables, which are 10 MB.
    fn default() -> Keys {
        Keys::with_tables(64)
    }
}

impl Keys {
    /// No keys yet, and at most so many tables.
    pub fn with_tables(max_tables: usize) -> Keys {
        Keys {
            keys: Vec::new(),
            tables_left: AtomicUsize::new(max_tables),
            distrusted: AtomicBool::new(false),
        }
    }

    /// Adds a public key: an uncompressed point (SEC 1 section 2.3.3), 65 bytes.
    ///
    /// # Errors
    /// Where it has another form, a coordinate that is not below p, or is not on the curve.
    pub fn add(&mut self, sec1: &[u8]) -> Result<KeyId, InvalidKey> {
        let coordinates: &[u8; 64] =
            sec1.strip_prefix(&[4]).and_then(|rest| rest.try_into().ok()).ok_or(InvalidKey)?;
        let (x, y) = halves(coordinates);
        let point = Point::from_coordinates(x, y).ok_or(InvalidKey)?;
        self.keys.push(Key {
            point,
            seen: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            table: OnceLock::new(),
        });
        Ok(KeyId(self.keys.len() - 1))
    }

    /// Whether the engine once accepted a signature that the oracle refused, and has not been used since. It means a
    /// faulty machine or a fault of this crate.
    pub fn is_distrusted(&self) -> bool {
        self.distrusted.load(Relaxed)
    }

    /// The key's table, if it has earned one and there may be one more.
    fn table(&self, id: KeyId) -> Option<&Table> {
        let key = self.keys.get(id.0)?;
        if let Some(made) = key.table.get() {
            return made.as_ref();
        }
        if key.seen.load(Relaxed) < TABLE_AFTER {
            return None;
        }
        let one_less = |left: usize| left.checked_sub(1);
        let made = key.table.get_or_init(|| {
            let allowed = self.tables_left.fetch_update(Relaxed, Relaxed, one_less).is_ok();
            allowed.then(|| Table::new(key.point, Width::Seven))
        });
        made.as_ref()
    }

    /// Gives a key another table.
    #[cfg(test)]
    pub(crate) fn use_table(&self, id: KeyId, table: Table) {
        assert!(self.keys[id.0].table.set(Some(table)).is_ok());
    }
}

/// A signature to verify.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// Whose it should be.
    pub key: KeyId,
    /// The SHA-256 digest of what should be signed.
    pub digest: &'a [u8; 32],
    /// r and s, 32 bytes each, most significant first (IEEE P1363, JWS).
    pub signature: &'a [u8; 64],
}

/// Verifies signatures in batches. Each thread has its own.
#[derive(Debug)]
pub struct Verifier<'k> {
    keys: &'k Keys,
    calculator: Calculator,
    /// So many signatures go to the oracle before the engine is used again.
    pause: usize,
}

/// What the engine needs to judge a signature.
struct Prepared<'k> {
    /// Its place in the block.
    at: usize,
    table: &'k Table,
    r: Scalar,
    s: Scalar,
    digest: Scalar,
}

impl<'k> Verifier<'k> {
    /// A verifier of signatures of these keys, with the fastest engine that the processor has.
    pub fn new(keys: &'k Keys) -> Verifier<'k> {
        let fastest = Verifier::with(keys, Engine::fastest());
        fastest.unwrap_or_else(|| unreachable!("the fastest engine is one that is available"))
    }

    /// The same with this engine; None where the processor lacks what it needs.
    pub fn with(keys: &'k Keys, engine: Engine) -> Option<Verifier<'k>> {
        Some(Verifier { keys, calculator: Calculator::new(engine)?, pause: 0 })
    }

    /// Which engine it uses.
    pub fn engine(&self) -> Engine {
        self.calculator.engine()
    }

    /// Verifies signatures: for each, whether it is good.
    ///
    /// `oracle` is another implementation. It is asked about a signature by its place in the batch, at most once for
    /// each, and what it says of it is the verdict. It is asked about every signature that the engine did not accept,
    /// about those of keys that few signatures were seen of, and about some of the others.
    ///
    /// Batches may have any size; from 100 on, there is little more to gain.
    pub fn verify(&mut self, batch: &[Signature<'_>], mut oracle: impl FnMut(usize) -> bool) -> Vec<bool> {
        let accepted = self.accept(batch);
        let mut asked = vec![None; batch.len()];
        for (at, _) in batch.iter().enumerate().filter(|&(at, item)| accepted[at] && self.is_sample(item)) {
            let verdict = oracle(at);
            asked[at] = Some(verdict);
            if !verdict {
                self.keys.distrusted.store(true, Relaxed);
            }
        }
        let trusted = !self.keys.is_distrusted();
        let places = accepted.iter().zip(asked).enumerate();
        places
            .map(|(at, (accepted, asked))| asked.unwrap_or_else(|| accepted & trusted || oracle(at)))
            .collect()
    }

    /// Whether the oracle judges the next block alone.
    fn is_paused(&mut self, signatures: usize) -> bool {
        let paused = self.pause > 0;
        self.pause = self.pause.saturating_sub(signatures);
        paused || self.keys.is_distrusted()
    }

    /// Whether the oracle has to confirm this signature, which the engine accepted.
    fn is_sample(&self, item: &Signature<'_>) -> bool {
        let key = self.keys.keys.get(item.key.0);
        key.is_some_and(|key| key.accepted.fetch_add(1, Relaxed).is_multiple_of(CONFIRM_EVERY))
    }

    /// Which signatures the engine accepts.
    pub(crate) fn accept(&mut self, batch: &[Signature<'_>]) -> Vec<bool> {
        for item in batch {
            if let Some(key) = self.keys.keys.get(item.key.0) {
                key.seen.fetch_add(1, Relaxed);
            }
        }
        let mut accepted = vec![false; batch.len()];
        for (block, accepted) in batch.chunks(BLOCK).zip(accepted.chunks_mut(BLOCK)) {
            if self.is_paused(block.len()) {
                continue;
            }
            let prepared = self.prepare(block);
            if prepared.len() < FEWEST {
                continue; // not even the table of the base point is needed, which takes half a millisecond to make
            }
            let mut refused = 0;
            for (at, verdict) in self.judge(&prepared) {
                accepted[at] = verdict;
                refused += usize::from(!verdict);
            }
            if refused * 2 > prepared.len() {
                self.pause = prepared.len() * PAUSE;
            }
        }
        accepted
    }

    /// The signatures that the engine can judge: of a key with a table, and with both halves in range.
    fn prepare(&self, block: &[Signature<'_>]) -> Vec<Prepared<'k>> {
        let keys = self.keys;
        let prepare = |(at, item): (usize, &Signature<'_>)| {
            let table = keys.table(item.key)?;
            let (r, s) = halves(item.signature);
            let r = Scalar::nonzero(from_be_bytes(r))?;
            let s = Scalar::nonzero(from_be_bytes(s))?;
            let digest = Scalar::reduce(from_be_bytes(item.digest));
            Some(Prepared { at, table, r, s: s.to_montgomery(), digest })
        };
        block.iter().enumerate().filter_map(prepare).collect()
    }

    /// Judges a block: is x(digest/s * G + r/s * Q), modulo n, the same as r?
    fn judge(&mut self, block: &[Prepared<'_>]) -> impl Iterator<Item = (usize, bool)> {
        let divisors: Vec<Scalar> = block.iter().map(|prepared| prepared.s).collect();
        let pairs: Vec<Pair<'_>> = block
            .iter()
            .zip(invert_all(&divisors))
            // The inverse is in Montgomery form, the other factor is not, and so the product is not.
            .map(|(Prepared { table, r, digest, .. }, inverse)| Pair {
                u1: inverse.mul(*digest),
                u2: inverse.mul(*r),
                table,
            })
            .collect();
        let sums = self.calculator.compute(&pairs).into_iter();
        let accepted = |r, sum: Option<Point>| sum.is_some_and(|sum| has_x(sum, r));
        block.iter().zip(sums).map(move |(prepared, sum)| (prepared.at, accepted(prepared.r, sum)))
    }
}

/// Whether the point is on the curve, not at infinity, and its x is r modulo n.
pub(crate) fn has_x(point: Point, r: Scalar) -> bool {
    let x = point.x.to_words();
    // x < p < 2n, so x is r or r + n.
    let equal = x == r.words() || is_r_plus_n(x, r);
    equal && point.is_on_curve()
}

fn is_r_plus_n(x: words::Words, r: Scalar) -> bool {
    let (sum, carry) = words::add(r.words(), N);
    !carry && words::is_less(sum, P) && x == sum
}

fn halves(bytes: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (halves, _) = bytes.as_chunks::<32>();
    (&halves[0], &halves[1])
}
