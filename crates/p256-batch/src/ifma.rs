//! The engine for processors with AVX-512 IFMA: the same tree of additions, eight sums to a vector.
//!
//! **Numbers.** An element of the field is five limbs of 52 bits, in the 64-bit lanes of five vectors, in Montgomery form
//! a * 2^260 mod p. The instructions `vpmadd52luq` and `vpmadd52huq` multiply the low 52 bits of two lanes and add one
//! half of the product. So a factor needs limbs below 2^52: that is a [`Tight`]. The difference of two of them has signed
//! limbs: that is a [`Loose`], which [`Loose::tighten`] makes tight again. Neither is fully reduced.
//!
//! **Additions.** Five multiplications and a square, with one inversion for all denominators of a round. No digit of a
//! scalar is zero, so no entry of a table is the point at infinity, and the formula holds unless both summands have the
//! same x. Then the product of all denominators is zero, which is tested exactly. [`Work::disarm`] looks for the sums
//! where it happened, replaces their summands, and marks them: they are undecided, and others do not suffer.
//!
//! It works on public numbers only: addresses depend on digits.
#![forbid(unsafe_code)]
#![allow(
    clippy::needless_range_loop,
    reason = "loops run over the same limbs, lanes or chains of several arrays"
)]

use core::arch::x86_64::*;

use crate::field::Field;
use crate::point::Point;
use crate::scalar::OddDigits;
use crate::sums::{POINTS, Pair};
use crate::table::Table;
use crate::words::Words;

/// So many sums are in a vector.
const LANES: usize = 8;
/// So many vectors are worked on side by side, to hide how long a multiplication takes.
const CHAINS: usize = 2;

const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;
/// The limbs of p = 2^96 - 1 + 2^192 + P_TOP * 2^208.
const P: [u64; 5] = [MASK, (1 << 44) - 1, 0, 1 << 36, P_TOP];
const P_TOP: u64 = 0xffff_ffff_0000;

type V = __m512i;

/// Limbs below 2^52, and a number below 2^257 + 2^232.
#[derive(Clone, Copy, Debug)]
struct Tight([V; 5]);

/// Signed limbs between -2^54 and 2^54, and a number between -64p and 64p.
#[derive(Clone, Copy, Debug)]
struct Loose([V; 5]);

/// Coordinates in limbs between -2^52 and 2^52, and numbers between -16p and 16p: entries of tables, and sums.
#[derive(Clone, Copy, Debug)]
struct Points {
    x: Loose,
    y: Loose,
}

/// The memory of a batch, which is used again.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// [`POINTS`] places for each vector of sums; each round overwrites the first half.
    points: Vec<Points>,
    /// For each pair of a round, the product of all denominators that come after it in its chain.
    products: Vec<Tight>,
    /// For each vector of sums, the lanes that met two points with the same x.
    undecided: Vec<u8>,
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn all(number: u64) -> V {
    _mm512_set1_epi64(number.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn all_limbs(limbs: [u64; 5]) -> [V; 5] {
    [all(limbs[0]), all(limbs[1]), all(limbs[2]), all(limbs[3]), all(limbs[4])]
}

/// The number 1.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn one() -> Tight {
    from_field(Field::ONE)
}

/// A number in every lane. Its form a * 2^256 times 16 is the one of this module, though not reduced.
#[target_feature(enable = "avx512f,avx512ifma")]
fn from_field(number: Field) -> Tight {
    Loose(all_limbs(limbs_of_16_times(number.montgomery()))).tighten()
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn to_lanes(vector: V) -> [u64; LANES] {
    let low = _mm512_castsi512_si256(vector);
    let high = _mm512_extracti64x4_epi64::<1>(vector);
    [
        _mm256_extract_epi64::<0>(low).cast_unsigned(),
        _mm256_extract_epi64::<1>(low).cast_unsigned(),
        _mm256_extract_epi64::<2>(low).cast_unsigned(),
        _mm256_extract_epi64::<3>(low).cast_unsigned(),
        _mm256_extract_epi64::<0>(high).cast_unsigned(),
        _mm256_extract_epi64::<1>(high).cast_unsigned(),
        _mm256_extract_epi64::<2>(high).cast_unsigned(),
        _mm256_extract_epi64::<3>(high).cast_unsigned(),
    ]
}

/// Divides ten columns by 2^260 modulo p. The columns hold a product of two tight numbers and are below 2^57. The result
/// is below (2^257 + 2^232)^2 / 2^260 + p < 1.26p.
///
/// -1/p modulo 2^52 is 1, so the multiplier u of a step is the low limb itself, and u * p is -u, which cancels the
/// limb, and u * 2^96 + u * 2^192 + u * P_TOP * 2^208.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(mut c: [V; 10]) -> Tight {
    let (mask, top) = (all(MASK), all(P_TOP));
    for i in 0..5 {
        let u = _mm512_and_si512(c[i], mask);
        c[i + 1] = _mm512_add_epi64(c[i + 1], _mm512_srli_epi64::<BITS>(c[i]));
        c[i + 1] = _mm512_madd52lo_epu64(c[i + 1], u, all(1 << 44));
        c[i + 2] = _mm512_add_epi64(c[i + 2], _mm512_srli_epi64::<8>(u));
        c[i + 3] = _mm512_madd52lo_epu64(c[i + 3], u, all(1 << 36));
        c[i + 4] = _mm512_add_epi64(c[i + 4], _mm512_srli_epi64::<16>(u));
        c[i + 4] = _mm512_madd52lo_epu64(c[i + 4], u, top);
        c[i + 5] = _mm512_madd52hi_epu64(c[i + 5], u, top);
    }
    for i in 5..9 {
        c[i + 1] = _mm512_add_epi64(c[i + 1], _mm512_srli_epi64::<BITS>(c[i]));
        c[i] = _mm512_and_si512(c[i], mask);
    }
    Tight([c[5], c[6], c[7], c[8], c[9]])
}

/// a * b / 2^260.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(Tight(a): &Tight, Tight(b): &Tight) -> Tight {
    let mut c = [_mm512_setzero_si512(); 10];
    for i in 0..5 {
        for j in 0..5 {
            c[i + j] = _mm512_madd52lo_epu64(c[i + j], a[i], b[j]);
            c[i + j + 1] = _mm512_madd52hi_epu64(c[i + j + 1], a[i], b[j]);
        }
    }
    reduce(c)
}

/// a * a / 2^260: the products of different limbs once, doubled, then the squares of the limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn sqr(Tight(a): &Tight) -> Tight {
    let mut c = [_mm512_setzero_si512(); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            c[i + j] = _mm512_madd52lo_epu64(c[i + j], a[i], a[j]);
            c[i + j + 1] = _mm512_madd52hi_epu64(c[i + j + 1], a[i], a[j]);
        }
    }
    for column in &mut c[1..9] {
        *column = _mm512_add_epi64(*column, *column);
    }
    for i in 0..5 {
        c[2 * i] = _mm512_madd52lo_epu64(c[2 * i], a[i], a[i]);
        c[2 * i + 1] = _mm512_madd52hi_epu64(c[2 * i + 1], a[i], a[i]);
    }
    reduce(c)
}

/// a - b.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn sub(Loose(a): &Loose, Loose(b): &Loose) -> Loose {
    let mut difference = *a;
    for i in 0..5 {
        difference[i] = _mm512_sub_epi64(a[i], b[i]);
    }
    Loose(difference)
}

/// a + b.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn add(Loose(a): &Loose, Loose(b): &Loose) -> Loose {
    let mut sum = *a;
    for i in 0..5 {
        sum[i] = _mm512_add_epi64(a[i], b[i]);
    }
    Loose(sum)
}

/// The lanes in which a number is zero modulo p.
///
/// A tight number times 1 / 2^260 is at most p, so it has two forms of zero: 0 and p.
#[target_feature(enable = "avx512f,avx512ifma")]
fn is_zero(number: &Tight) -> u8 {
    let Tight(limbs) = mul(number, &Tight(all_limbs([1, 0, 0, 0, 0])));
    let (mut zero, mut p) = (u8::MAX, u8::MAX);
    for i in 0..5 {
        zero &= _mm512_cmpeq_epi64_mask(limbs[i], all(0));
        p &= _mm512_cmpeq_epi64_mask(limbs[i], all(P[i]));
    }
    zero | p
}

/// The numbers of all lanes, fully reduced, in the form a * 2^256 mod p.
#[target_feature(enable = "avx512f,avx512ifma")]
fn to_fields(number: &Tight) -> [Field; LANES] {
    // a * 2^260 times 2^256 mod p, divided by 2^260. It is below 1.2p: the top limb may have a bit above 2^256.
    let Tight(limbs) = mul(number, &Tight(all_limbs(limbs_of(Field::ONE.montgomery()))));
    let lanes =
        [to_lanes(limbs[0]), to_lanes(limbs[1]), to_lanes(limbs[2]), to_lanes(limbs[3]), to_lanes(limbs[4])];
    core::array::from_fn(|lane| field_of(lanes.map(|limb| limb[lane])))
}

/// Lane i of the result is lane i + N of the number.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn rotate<const N: i32>(Tight(a): &Tight) -> Tight {
    Tight([
        _mm512_alignr_epi64::<N>(a[0], a[0]),
        _mm512_alignr_epi64::<N>(a[1], a[1]),
        _mm512_alignr_epi64::<N>(a[2], a[2]),
        _mm512_alignr_epi64::<N>(a[3], a[3]),
        _mm512_alignr_epi64::<N>(a[4], a[4]),
    ])
}

/// 1/a in every lane by one inversion; None where a lane is zero.
///
/// The lanes are multiplied together by halves, and the inverse of their product is divided the same way back.
#[target_feature(enable = "avx512f,avx512ifma")]
fn invert(a: &Tight) -> Option<Tight> {
    let two = mul(a, &rotate::<4>(a));
    let four = mul(&two, &rotate::<2>(&two));
    let eight = mul(&four, &rotate::<1>(&four));
    let product = to_fields(&eight)[0];
    if product.is_zero() {
        return None;
    }
    let eight = from_field(product.invert());
    let four = mul(&eight, &rotate::<1>(&four));
    let two = mul(&four, &rotate::<2>(&two));
    Some(mul(&two, &rotate::<4>(a)))
}

/// An entry: x and y, word by word.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn words(entry: &Point) -> V {
    let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (entry.x.montgomery(), entry.y.montgomery());
    _mm512_set_epi64(
        y3.cast_signed(),
        y2.cast_signed(),
        y1.cast_signed(),
        y0.cast_signed(),
        x3.cast_signed(),
        x2.cast_signed(),
        x1.cast_signed(),
        x0.cast_signed(),
    )
}

/// Eight entries of tables, those in the lanes of `negative` negated.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(entries: &[&Point; LANES], negative: u8) -> Points {
    let mut rows = [all(0); 8];
    for lane in 0..LANES {
        rows[lane] = words(entries[lane]);
    }
    let [x0, x1, x2, x3, y0, y1, y2, y3] = transpose(rows);
    let x = limbs_of_words([x0, x1, x2, x3]);
    let mut y = limbs_of_words([y0, y1, y2, y3]);
    for limb in &mut y {
        *limb = _mm512_mask_sub_epi64(*limb, negative, all(0), *limb);
    }
    Points { x: Loose(x), y: Loose(y) }
}

/// Word i of vector j becomes word j of vector i.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn transpose(r: [V; 8]) -> [V; 8] {
    let mut pairs = r;
    for i in 0..4 {
        pairs[2 * i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    // pairs[2i + odd] has words odd, odd + 2, odd + 4 and odd + 6 of vectors 2i and 2i + 1.
    let mut quads = r;
    for odd in 0..2 {
        for half in 0..2 {
            let (a, b) = (pairs[4 * half + odd], pairs[4 * half + 2 + odd]);
            quads[4 * half + odd] = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b); // words odd and odd + 4
            quads[4 * half + 2 + odd] = _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b); // odd + 2 and odd + 6
        }
    }
    let mut columns = r;
    for low in 0..4 {
        let (a, b) = (quads[low], quads[4 + low]);
        columns[low] = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b);
        columns[low + 4] = _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b);
    }
    columns
}

/// As [`limbs_of_16_times`].
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn limbs_of_words([w0, w1, w2, w3]: [V; 4]) -> [V; 5] {
    let mask = all(MASK);
    let middle1 = _mm512_or_si512(_mm512_srli_epi64::<48>(w0), _mm512_slli_epi64::<16>(w1));
    let middle2 = _mm512_or_si512(_mm512_srli_epi64::<36>(w1), _mm512_slli_epi64::<28>(w2));
    let middle3 = _mm512_or_si512(_mm512_srli_epi64::<24>(w2), _mm512_slli_epi64::<40>(w3));
    [
        _mm512_and_si512(_mm512_slli_epi64::<4>(w0), mask),
        _mm512_and_si512(middle1, mask),
        _mm512_and_si512(middle2, mask),
        _mm512_and_si512(middle3, mask),
        _mm512_srli_epi64::<12>(w3),
    ]
}

/// Computes sums; None for those that are undecided.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn compute(work: &mut Work, pairs: &[Pair<'_>]) -> Vec<Option<Point>> {
    let groups = pairs.len().div_ceil(LANES * CHAINS);
    work.fill(pairs, groups * CHAINS);
    let mut count = POINTS;
    while count > 1 {
        if !work.round(groups, count) {
            return vec![None; pairs.len()];
        }
        count = count.div_ceil(2);
    }
    let mut sums = Vec::with_capacity(groups * CHAINS * LANES);
    for (points, undecided) in work.points.chunks_exact(POINTS).zip(&work.undecided) {
        let (x, y) = (to_fields(&points[0].x.tighten()), to_fields(&points[0].y.tighten()));
        for lane in 0..LANES {
            sums.push((undecided >> lane & 1 == 0).then_some(Point { x: x[lane], y: y[lane] }));
        }
    }
    sums.truncate(pairs.len());
    sums
}

impl Tight {
    fn loose(self) -> Loose {
        Loose(self.0)
    }
}

impl Loose {
    /// Takes off q * p, where q is one less than the number divided by 2^256, rounded down: that leaves a number between
    /// 2^256 and 2^257, give or take what the limbs below the top one carry, and |q| * 2^224. The carries are signed.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn tighten(self) -> Tight {
        let mut r = self.0;
        let mask = all(MASK);
        let q = _mm512_sub_epi64(_mm512_srai_epi64::<48>(r[4]), all(1));
        r[0] = _mm512_add_epi64(r[0], q);
        r[1] = _mm512_sub_epi64(r[1], _mm512_slli_epi64::<44>(q));
        r[3] = _mm512_sub_epi64(r[3], _mm512_slli_epi64::<36>(q));
        r[4] = _mm512_add_epi64(r[4], _mm512_slli_epi64::<16>(q));
        r[4] = _mm512_sub_epi64(r[4], _mm512_slli_epi64::<48>(q));
        for i in 0..4 {
            r[i + 1] = _mm512_add_epi64(r[i + 1], _mm512_srai_epi64::<BITS>(r[i]));
            r[i] = _mm512_and_si512(r[i], mask);
        }
        Tight(r)
    }
}

impl Work {
    /// Looks up the points of all sums. Lanes that are left over repeat the last pair.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn fill(&mut self, pairs: &[Pair<'_>], vectors: usize) {
        let generator = Table::of_generator();
        let nothing = Loose([all(0); 5]);
        self.points.resize(vectors * POINTS, Points { x: nothing, y: nothing });
        self.products.resize(vectors * (POINTS / 2), one());
        self.undecided.clear();
        self.undecided.resize(vectors, 0);
        for (vector, places) in self.points.chunks_exact_mut(POINTS).enumerate() {
            let of_lane = |lane: usize| &pairs[(vector * LANES + lane).min(pairs.len() - 1)];
            let lanes: [&Pair<'_>; LANES] = core::array::from_fn(of_lane);
            let (left, right) = places.split_at_mut(generator.rows());
            fill_rows(left, &[generator; LANES], &lanes.map(|pair| generator.digits(pair.u1)));
            fill_rows(right, &lanes.map(|pair| pair.table), &lanes.map(|pair| pair.table.digits(pair.u2)));
        }
    }

    /// The product of all denominators of each chain. What comes after each pair is kept in `products`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn denominators(&mut self, groups: usize, count: usize) -> [Tight; CHAINS] {
        let mut product = [one(); CHAINS];
        for group in (0..groups).rev() {
            for pair in (0..count / 2).rev() {
                for chain in 0..CHAINS {
                    let vector = group * CHAINS + chain;
                    let at = vector * POINTS + 2 * pair;
                    let dx = sub(&self.points[at + 1].x, &self.points[at].x).tighten();
                    self.products[vector * (POINTS / 2) + pair] = product[chain];
                    product[chain] = mul(&product[chain], &dx);
                }
            }
        }
        product
    }

    /// Finds the sums in which the summands of a pair have the same x, marks them as undecided, and gives the pair a
    /// denominator of 1, so that the others go on.
    #[cold]
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn disarm(&mut self, count: usize) {
        for (points, undecided) in self.points.chunks_exact_mut(POINTS).zip(&mut self.undecided) {
            for pair in points[..count / 2 * 2].chunks_exact_mut(2) {
                let zero = is_zero(&sub(&pair[1].x, &pair[0].x).tighten());
                let other = add(&pair[0].x, &one().loose()).tighten();
                for i in 0..5 {
                    pair[1].x.0[i] = _mm512_mask_mov_epi64(pair[1].x.0[i], zero, other.0[i]);
                }
                *undecided |= zero;
            }
        }
    }

    /// The first `count` points of every sum become half as many. False where that failed, which no input can cause.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn round(&mut self, groups: usize, count: usize) -> bool {
        let mut products = self.denominators(groups, count);
        let inverses = invert_chains(&products).or_else(|| {
            self.disarm(count);
            products = self.denominators(groups, count);
            invert_chains(&products)
        });
        let Some(mut inverses) = inverses else { return false };
        for group in 0..groups {
            for pair in 0..count / 2 {
                self.add_pair(group, pair, &mut inverses);
            }
            if count % 2 == 1 {
                for chain in 0..CHAINS {
                    let first = (group * CHAINS + chain) * POINTS;
                    self.points[first + count / 2] = self.points[first + count - 1];
                }
            }
        }
        true
    }

    /// Adds a pair of each chain. `inverses` are 1 divided by all denominators from this one on. The short loops keep
    /// independent multiplications next to each other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add_pair(&mut self, group: usize, pair: usize, inverses: &mut [Tight; CHAINS]) {
        let at = |chain: usize| (group * CHAINS + chain) * POINTS;
        let (mut slopes, mut sums) = (*inverses, [self.points[at(0)]; CHAINS]);
        for chain in 0..CHAINS {
            let (p, q) = (&self.points[at(chain) + 2 * pair], &self.points[at(chain) + 2 * pair + 1]);
            let after = &self.products[(group * CHAINS + chain) * (POINTS / 2) + pair];
            slopes[chain] = mul(&inverses[chain], after);
            inverses[chain] = mul(&inverses[chain], &sub(&q.x, &p.x).tighten());
        }
        for chain in 0..CHAINS {
            let (p, q) = (&self.points[at(chain) + 2 * pair], &self.points[at(chain) + 2 * pair + 1]);
            slopes[chain] = mul(&slopes[chain], &sub(&q.y, &p.y).tighten());
        }
        for chain in 0..CHAINS {
            let (p, q) = (&self.points[at(chain) + 2 * pair], &self.points[at(chain) + 2 * pair + 1]);
            let square = sqr(&slopes[chain]).loose();
            sums[chain].x = sub(&sub(&square, &p.x), &q.x).tighten().loose();
        }
        for chain in 0..CHAINS {
            let p = &self.points[at(chain) + 2 * pair];
            let product = mul(&slopes[chain], &sub(&p.x, &sums[chain].x).tighten());
            sums[chain].y = sub(&product.loose(), &p.y).tighten().loose();
        }
        for chain in 0..CHAINS {
            self.points[at(chain) + pair] = sums[chain];
        }
    }
}

/// The entries of one table for each lane, row by row.
#[target_feature(enable = "avx512f,avx512ifma")]
fn fill_rows(places: &mut [Points], tables: &[&Table; LANES], digits: &[OddDigits; LANES]) {
    for (row, place) in places.iter_mut().enumerate() {
        let mut entries = [tables[0].entry(0, 0); LANES];
        let mut negative = 0;
        for lane in 0..LANES {
            let (index, minus) = digits[lane].digit(row);
            entries[lane] = tables[lane].entry(row, index);
            negative |= u8::from(minus) << lane;
        }
        *place = load(&entries, negative);
    }
}

/// 1 divided by the product of each chain, by one inversion.
#[target_feature(enable = "avx512f,avx512ifma")]
fn invert_chains(products: &[Tight; CHAINS]) -> Option<[Tight; CHAINS]> {
    let mut before = [one(); CHAINS];
    for i in 1..CHAINS {
        before[i] = mul(&before[i - 1], &products[i - 1]);
    }
    let mut rest = invert(&mul(&before[CHAINS - 1], &products[CHAINS - 1]))?;
    let mut inverses = before;
    for i in (0..CHAINS).rev() {
        inverses[i] = mul(&rest, &before[i]);
        rest = mul(&rest, &products[i]);
    }
    Some(inverses)
}

/// The limbs of a number.
const fn limbs_of(words: Words) -> [u64; 5] {
    [
        words[0] & MASK,
        (words[0] >> 52 | words[1] << 12) & MASK,
        (words[1] >> 40 | words[2] << 24) & MASK,
        (words[2] >> 28 | words[3] << 36) & MASK,
        words[3] >> 16,
    ]
}

/// The limbs of 16 times a number: all of 260 bits.
const fn limbs_of_16_times(words: Words) -> [u64; 5] {
    [
        words[0] << 4 & MASK,
        (words[0] >> 48 | words[1] << 16) & MASK,
        (words[1] >> 36 | words[2] << 28) & MASK,
        (words[2] >> 24 | words[3] << 40) & MASK,
        words[3] >> 12,
    ]
}

/// The number with these limbs, which is below 2p.
fn field_of(l: [u64; 5]) -> Field {
    let words =
        [l[0] | l[1] << 52, l[1] >> 12 | l[2] << 40, l[2] >> 24 | l[3] << 28, l[3] >> 36 | l[4] << 16];
    Field::from_montgomery(words, l[4] >> 48)
}

/// What a test looks at: of two loose numbers a and b in each lane, what they stand for, their product, the square of a,
/// their difference, and the lanes in which the difference is zero.
#[cfg(test)]
#[derive(Debug, PartialEq)]
pub(crate) struct Calculated {
    pub(crate) numbers: [[Field; LANES]; 2],
    pub(crate) product: [Field; LANES],
    pub(crate) square: [Field; LANES],
    pub(crate) difference: [Field; LANES],
    pub(crate) equal: u8,
    /// The inverses of a, unless a lane is zero.
    pub(crate) inverses: Option<[Field; LANES]>,
    /// All limbs of tight numbers that were met.
    pub(crate) limbs: Vec<[u64; 5]>,
}

#[cfg(test)]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn calculate(a: &[[i64; 5]; LANES], b: &[[i64; 5]; LANES]) -> Calculated {
    let (loose_a, loose_b) = (of_signed(a), of_signed(b));
    let (a, b) = (loose_a.tighten(), loose_b.tighten());
    let (product, square) = (mul(&a, &b), sqr(&a));
    let difference = sub(&a.loose(), &b.loose()).tighten();
    let inverses = invert(&a);
    let mut limbs = Vec::new();
    for Tight(number) in [a, b, product, square, difference] {
        let lanes = number.map(|limb| to_lanes(limb));
        limbs.extend((0..LANES).map(|lane| lanes.map(|limb| limb[lane])));
    }
    Calculated {
        numbers: [to_fields(&a), to_fields(&b)],
        product: to_fields(&product),
        square: to_fields(&square),
        difference: to_fields(&difference),
        equal: is_zero(&difference),
        inverses: inverses.map(|inverses| to_fields(&inverses)),
        limbs,
    }
}

#[cfg(test)]
#[target_feature(enable = "avx512f,avx512ifma")]
fn of_signed(numbers: &[[i64; 5]; LANES]) -> Loose {
    let mut limbs = [all(0); 5];
    for (i, limb) in limbs.iter_mut().enumerate() {
        let [a, b, c, d, e, f, g, h] = numbers.map(|number| number[i]);
        *limb = _mm512_set_epi64(h, g, f, e, d, c, b, a);
    }
    Loose(limbs)
}
