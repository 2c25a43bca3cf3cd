//! Integers modulo n, the order of the group.
//!
//! A [`Scalar`] is always fully reduced. Which of them are in Montgomery form (a * 2^256 mod n) is said where they are
//! made: a product of one that is and one that is not is not.
#![forbid(unsafe_code)]

use crate::words::{self, Words, add_carry, mul_add};

/// An integer modulo n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar(Words);

pub(crate) const N: Words =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];
/// -1/n modulo 2^64.
const MINUS_N_INVERSE: u64 = 0xccd1_c8aa_ee00_bc4f;
/// 2^512 mod n.
const R_SQUARED: Scalar =
    Scalar([0x8324_4c95_be79_eea2, 0x4699_799c_49bd_6fa6, 0x2845_b239_2b6b_ec59, 0x66e1_2d94_f3d9_5620]);
const ONE: Scalar = Scalar([1, 0, 0, 0]);

impl Scalar {
    /// The number, if it is at least 1 and below n, as both halves of a signature must be.
    pub(crate) fn nonzero(words: Words) -> Option<Scalar> {
        (words != [0; 4] && words::is_less(words, N)).then_some(Scalar(words))
    }

    /// Any number of 256 bits modulo n, as a digest is taken.
    pub(crate) fn reduce(words: Words) -> Scalar {
        Scalar(words::reduce_once(words, 0, &N)) // 2^256 < 2n
    }

    pub(crate) fn words(self) -> Words {
        self.0
    }

    /// a * b / 2^256.
    pub(crate) fn mul(self, other: Scalar) -> Scalar {
        let a = self.0;
        let mut t = [0u64; 5];
        for b in other.0 {
            let (x0, c) = mul_add(a[0], b, t[0], 0);
            let (x1, c) = mul_add(a[1], b, t[1], c);
            let (x2, c) = mul_add(a[2], b, t[2], c);
            let (x3, c) = mul_add(a[3], b, t[3], c);
            let (x4, x5) = add_carry(t[4], c, false);
            let m = x0.wrapping_mul(MINUS_N_INVERSE);
            let (_, c) = mul_add(m, N[0], x0, 0);
            let (y0, c) = mul_add(m, N[1], x1, c);
            let (y1, c) = mul_add(m, N[2], x2, c);
            let (y2, c) = mul_add(m, N[3], x3, c);
            let (y3, k) = add_carry(x4, c, false);
            t = [y0, y1, y2, y3, u64::from(x5) + u64::from(k)];
        }
        Scalar(words::reduce_once([t[0], t[1], t[2], t[3]], t[4], &N))
    }

    pub(crate) fn to_montgomery(self) -> Scalar {
        self.mul(R_SQUARED)
    }

    /// 1/a in Montgomery form, of an a in Montgomery form, as a^(n-2), four bits of the exponent at a time.
    fn invert(self) -> Scalar {
        let mut powers = [ONE.to_montgomery(); 16];
        for i in 1..16 {
            powers[i] = powers[i - 1].mul(self);
        }
        let exponent = words::sub(N, [2, 0, 0, 0]).0;
        let mut power = powers[15];
        for i in (0..63).rev() {
            for _ in 0..4 {
                power = power.mul(power);
            }
            power = power.mul(powers[(exponent[i / 16] >> (4 * (i % 16)) & 15) as usize]);
        }
        power
    }
}

/// The inverses of all these numbers in Montgomery form, none of which may be zero, for the price of one inversion and
/// three multiplications each (Montgomery's trick).
pub(crate) fn invert_all(numbers: &[Scalar]) -> Vec<Scalar> {
    let mut product = ONE.to_montgomery();
    let mut inverses = Vec::with_capacity(numbers.len());
    for number in numbers {
        inverses.push(product);
        product = product.mul(*number);
    }
    let mut rest = product.invert();
    for (inverse, number) in inverses.iter_mut().zip(numbers).rev() {
        *inverse = inverse.mul(rest);
        rest = rest.mul(*number);
    }
    inverses
}

/// A scalar as signed digits that are all odd: none is zero, so every sum of a table's entries has the same number of
/// points.
///
/// The order n is odd. An even scalar a is written as -(n - a), and so is 0, whose digits then add up to n.
pub(crate) struct OddDigits {
    /// `(odd + 2^bits - 1) / 2`, where `bits` is `width * count`. Its unsigned digits c stand for 2c - (2^width - 1).
    words: [u64; 5],
    width: u32,
    negative: bool,
}

impl OddDigits {
    /// `count` digits of `width` bits, least significant first; `width * count` must be at least 256 and at most 320.
    #[inline]
    pub(crate) fn new(scalar: Scalar, width: u32, count: usize) -> OddDigits {
        let negative = scalar.0[0] & 1 == 0;
        let odd = if negative { words::sub(N, scalar.0).0 } else { scalar.0 };
        let top = width as usize * count - 1;
        let mut words = [
            odd[0] >> 1 | odd[1] << 63,
            odd[1] >> 1 | odd[2] << 63,
            odd[2] >> 1 | odd[3] << 63,
            odd[3] >> 1,
            0,
        ];
        words[top / 64] |= 1 << (top % 64);
        OddDigits { words, width, negative }
    }

    /// The digit of this place: j for the odd number 2j + 1, and whether it is negative.
    #[inline(always)]
    pub(crate) fn digit(&self, place: usize) -> (usize, bool) {
        let bit = place * self.width as usize;
        let (word, shift) = (bit / 64, bit % 64);
        let above = self.words[(word + 1).min(4)] << 1 << (63 - shift);
        let digit = (self.words[word] >> shift | above) as usize;
        let half = 1 << (self.width - 1);
        let negative = digit & half == 0;
        let index = if negative { !digit } else { digit } & (half - 1);
        (index, negative != self.negative)
    }
}
