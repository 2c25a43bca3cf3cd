//! Integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, the field of the curve.
//!
//! A [`Field`] is in Montgomery form (a * 2^256 mod p) and always fully reduced: equality of the words is equality of
//! the numbers, and zero has one form only.
#![forbid(unsafe_code)]

use crate::words::{self, Words, add_carry, mul_add};

/// An integer modulo p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field(Words);

pub(crate) const P: Words = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];
/// 2^512 mod p, which brings an integer into Montgomery form.
const R_SQUARED: Field = Field([3, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);

impl Field {
    pub(crate) const ZERO: Field = Field([0; 4]);
    pub(crate) const ONE: Field = Field([1, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe]);

    /// The number, if it is below p.
    pub(crate) fn from_words(words: Words) -> Option<Field> {
        words::is_less(words, P).then(|| Field(words).mul(R_SQUARED))
    }

    /// The number, below p.
    pub(crate) fn to_words(self) -> Words {
        self.mul(Field([1, 0, 0, 0])).0
    }

    /// The number times 2^256, modulo p: how it is kept.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn montgomery(self) -> Words {
        self.0
    }

    /// The number that is kept as `words + 2^256 * high`, which must be below 2p.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn from_montgomery(words: Words, high: u64) -> Field {
        Field(words::reduce_once(words, high, &P))
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    #[inline(always)]
    pub(crate) fn mul(self, other: Field) -> Field {
        let mut sum = [0u64; 5];
        for word in other.0 {
            add_row(&mut sum, &self.0, word);
        }
        Field(words::reduce_once([sum[0], sum[1], sum[2], sum[3]], sum[4], &P))
    }

    /// The square: the products of different words once, doubled, then the squares of the words.
    #[inline(always)]
    pub(crate) fn sqr(self) -> Field {
        let a = self.0;
        let (r1, c) = mul_add(a[0], a[1], 0, 0);
        let (r2, c) = mul_add(a[0], a[2], c, 0);
        let (r3, r4) = mul_add(a[0], a[3], c, 0);
        let (r3, c) = mul_add(a[1], a[2], r3, 0);
        let (r4, r5) = mul_add(a[1], a[3], r4, c);
        let (r5, r6) = mul_add(a[2], a[3], r5, 0);
        let r7 = r6 >> 63;
        let r6 = r6 << 1 | r5 >> 63;
        let r5 = r5 << 1 | r4 >> 63;
        let r4 = r4 << 1 | r3 >> 63;
        let r3 = r3 << 1 | r2 >> 63;
        let r2 = r2 << 1 | r1 >> 63;
        let r1 = r1 << 1;
        let (r0, high) = mul_add(a[0], a[0], 0, 0);
        let (r1, c) = add_carry(r1, high, false);
        let (low, high) = mul_add(a[1], a[1], 0, 0);
        let (r2, c) = add_carry(r2, low, c);
        let (r3, c) = add_carry(r3, high, c);
        let (low, high) = mul_add(a[2], a[2], 0, 0);
        let (r4, c) = add_carry(r4, low, c);
        let (r5, c) = add_carry(r5, high, c);
        let (low, high) = mul_add(a[3], a[3], 0, 0);
        let (r6, c) = add_carry(r6, low, c);
        let (r7, _) = add_carry(r7, high, c);
        // The low half is reduced in four steps; the high half is added at the end.
        let mut low = [r0, r1, r2, r3];
        for _ in 0..4 {
            low = reduce_step(low);
        }
        let (sum, carry) = words::add(low, [r4, r5, r6, r7]);
        Field(words::reduce_once(sum, u64::from(carry), &P))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Field) -> Field {
        let (difference, borrow) = words::sub(self.0, other.0);
        let add = 0u64.wrapping_sub(u64::from(borrow));
        Field(words::add(difference, [P[0] & add, P[1] & add, 0, P[3] & add]).0)
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Field) -> Field {
        let (sum, carry) = words::add(self.0, other.0);
        Field(words::reduce_once(sum, u64::from(carry), &P))
    }

    #[inline(always)]
    pub(crate) fn double(self) -> Field {
        self.add(self)
    }

    pub(crate) fn neg(self) -> Field {
        Field::ZERO.sub(self)
    }

    fn square_times(self, times: usize) -> Field {
        (0..times).fold(self, |power, _| power.sqr())
    }

    /// 1/a, as a^(p-2). The inverse of zero comes out as zero; callers never ask for it.
    pub(crate) fn invert(self) -> Field {
        // `ones_k` is a to the power of the number that is written as k ones in binary.
        let ones_2 = self.sqr().mul(self);
        let ones_4 = ones_2.square_times(2).mul(ones_2);
        let ones_8 = ones_4.square_times(4).mul(ones_4);
        let ones_16 = ones_8.square_times(8).mul(ones_8);
        let ones_32 = ones_16.square_times(16).mul(ones_16);
        let ones_24 = ones_16.square_times(8).mul(ones_8);
        let ones_28 = ones_24.square_times(4).mul(ones_4);
        let ones_30 = ones_28.square_times(2).mul(ones_2);
        // p - 2 = ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff fffffffd
        let power = ones_32.square_times(32).mul(self);
        let power = power.square_times(128).mul(ones_32);
        let power = power.square_times(32).mul(ones_32);
        let power = power.square_times(30).mul(ones_30);
        power.square_times(2).mul(self)
    }
}

/// A row of a product, and one step of its reduction as in [`reduce_step`]: `(sum + a * b + m * p) / 2^64`.
#[inline(always)]
fn add_row(sum: &mut [u64; 5], a: &Words, b: u64) {
    let (x0, c) = mul_add(a[0], b, sum[0], 0);
    let (x1, c) = mul_add(a[1], b, sum[1], c);
    let (x2, c) = mul_add(a[2], b, sum[2], c);
    let (x3, c) = mul_add(a[3], b, sum[3], c);
    let (x4, x5) = add_carry(sum[4], c, false);
    let (y1, k) = add_carry(x1, x0 << 32, false);
    let (y2, k) = add_carry(x2, x0 >> 32, k);
    let (low, high) = mul_add(x0, P[3], 0, 0);
    let (y3, k) = add_carry(x3, low, k);
    let (y4, k) = add_carry(x4, high, k);
    *sum = [y1, y2, y3, y4, u64::from(x5) + u64::from(k)];
}

/// `(words + m * p) / 2^64` for the m that makes it a whole number.
///
/// -1/p modulo 2^64 is 1, so m is the lowest word itself, and m * p is two shifts of it (for 2^96 - 1) and one
/// multiplication (for the top word).
#[inline(always)]
fn reduce_step([m, w1, w2, w3]: Words) -> Words {
    let (y1, k) = add_carry(w1, m << 32, false);
    let (y2, k) = add_carry(w2, m >> 32, k);
    let (low, high) = mul_add(m, P[3], 0, 0);
    let (y3, k) = add_carry(w3, low, k);
    // Cannot overflow: words and m * 2^192 * P[3] together are below 2^320.
    [y1, y2, y3, high + u64::from(k)]
}
