//! 256-bit integers: four words of 64 bits, least significant first, with explicit carries.
#![forbid(unsafe_code)]

pub(crate) type Words = [u64; 4];

/// `a + b + carry`, and the carry out of it.
#[inline(always)]
pub(crate) fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// `a - b - borrow`, and the borrow out of it.
#[inline(always)]
pub(crate) fn sub_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first | second)
}

/// `a * b + c + d`, as low and high word. The largest result is 2^128 - 1, so nothing is lost.
#[inline(always)]
pub(crate) fn mul_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let result = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (result as u64, (result >> 64) as u64)
}

/// `a - b`, and whether it was negative, in which case 2^256 was added.
#[inline(always)]
pub(crate) fn sub(a: Words, b: Words) -> (Words, bool) {
    let (d0, c) = sub_borrow(a[0], b[0], false);
    let (d1, c) = sub_borrow(a[1], b[1], c);
    let (d2, c) = sub_borrow(a[2], b[2], c);
    let (d3, c) = sub_borrow(a[3], b[3], c);
    ([d0, d1, d2, d3], c)
}

/// `a + b`, and the carry out of it.
#[inline(always)]
pub(crate) fn add(a: Words, b: Words) -> (Words, bool) {
    let (s0, c) = add_carry(a[0], b[0], false);
    let (s1, c) = add_carry(a[1], b[1], c);
    let (s2, c) = add_carry(a[2], b[2], c);
    let (s3, c) = add_carry(a[3], b[3], c);
    ([s0, s1, s2, s3], c)
}

/// `words + 2^256 * high`, which must be below twice the modulus, reduced to below the modulus.
///
/// The choice is a mask and not a branch: which of the two it is cannot be predicted.
#[inline(always)]
pub(crate) fn reduce_once(words: Words, high: u64, modulus: &Words) -> Words {
    let (less, borrow) = sub(words, *modulus);
    let keep = 0u64.wrapping_sub(u64::from(u64::from(borrow) > high));
    [
        (words[0] & keep) | (less[0] & !keep),
        (words[1] & keep) | (less[1] & !keep),
        (words[2] & keep) | (less[2] & !keep),
        (words[3] & keep) | (less[3] & !keep),
    ]
}

/// Whether `a < b`.
pub(crate) fn is_less(a: Words, b: Words) -> bool {
    sub(a, b).1
}

/// Reads 32 bytes, most significant first.
pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Words {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    words
}
