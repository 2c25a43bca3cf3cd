//! Keys and signatures made by somebody who knows how the sums are computed.
//!
//! Whoever knows the private number d of a key Q = d * G can choose u1 and u2 freely, and make a signature whose
//! verification computes u1 * G + u2 * Q: R is that sum, r = x(R), s = r / u2, and the digest is u1 * s. So tables can be
//! made to hold equal or opposite points, and scalars of a few digits bring those together anywhere in the tree.
#![allow(dead_code, clippy::unwrap_used, reason = "not every user of it needs all of it")]

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

pub(crate) const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Numbers that decide what is made: random ones, or those of a fuzzer.
pub(crate) struct Dice<'d>(pub(crate) &'d mut dyn FnMut() -> u64);

/// The generator splitmix64, for numbers that are the same each time.
pub(crate) fn splitmix(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Dice<'_> {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.0)() % limit
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&(self.0)().to_be_bytes()));
        bytes
    }

    /// A scalar of a kind that is met at the edges: small, near n or n/2, a power of two or its inverse, of a few
    /// digits; or any.
    pub(crate) fn scalar(&mut self) -> Scalar {
        let small = Scalar::from(self.below(131));
        match self.below(8) {
            0 => small,
            1 => -small,
            2 => self.power_of_two() + small,
            3 => self.power_of_two() - small,
            4 => Option::from(small.invert()).unwrap_or(Scalar::ONE),
            5 => self.power_of_two().invert().unwrap(),
            6 => (0..1 << self.below(4)).map(|_| self.power_of_two() * Scalar::from(self.below(65))).sum(),
            _ => Scalar::reduce(&FieldBytes::from(self.bytes())),
        }
    }

    /// A power of two at the edge of a table's row, or any.
    fn power_of_two(&mut self) -> Scalar {
        let exponent = match self.below(3) {
            0 => 7 * self.below(37),
            1 => 8 * self.below(32),
            _ => self.below(256),
        };
        (0..exponent).fold(Scalar::ONE, |power, _| power.double())
    }

    /// The private number of a key.
    pub(crate) fn secret(&mut self) -> Scalar {
        let scalar = self.scalar();
        if scalar == Scalar::ZERO { Scalar::ONE } else { scalar }
    }

    /// A digest and a signature for it by this key, which may be good or bad.
    pub(crate) fn signature(&mut self, secret: Scalar) -> ([u8; 32], [u8; 64]) {
        let (u1, u2) = (self.scalar(), self.secret());
        // Both halves of the sum equal or opposite, now and then.
        let u1 = match self.below(6) {
            0 => u2 * secret,
            1 => -(u2 * secret),
            _ => u1,
        };
        let r = match point(u1 + u2 * secret) {
            sum if bool::from(sum.is_identity()) => self.secret(),
            sum => x_of(&sum),
        };
        let s = r * u2.invert().unwrap();
        self.damaged((u1 * s).to_repr().into(), signature_of(r, s))
    }

    /// The same, or changed in a way that makes it bad, or written in another way that is as good.
    fn damaged(&mut self, mut digest: [u8; 32], mut signature: [u8; 64]) -> ([u8; 32], [u8; 64]) {
        let (r, s) = signature.split_at_mut(32);
        match self.below(16) {
            0 => signature[self.below(64) as usize] ^= 1 << self.below(8),
            1 => digest[self.below(32) as usize] ^= 1 << self.below(8),
            2 => r.fill(0),
            3 => s.fill(0),
            4 => r.copy_from_slice(&N),
            5 => s.copy_from_slice(&N),
            6 => add_n(r),
            7 => add_n(s),
            8 => add_n(&mut digest), // as good: digests are taken modulo n
            9 => {
                let negated = -Scalar::reduce(&FieldBytes::try_from(&*s).unwrap());
                s.copy_from_slice(&negated.to_repr()); // as good: no rule about low s
            }
            10 => signature = [0xff; 64],
            _ => {}
        }
        (digest, signature)
    }
}

/// Adds n to a number of 32 bytes, unless it becomes too large.
fn add_n(number: &mut [u8]) {
    let mut sum = [0; 32];
    let mut carry = 0;
    for i in (0..32).rev() {
        carry += u32::from(number[i]) + u32::from(N[i]);
        sum[i] = carry as u8;
        carry >>= 8;
    }
    if carry == 0 {
        number.copy_from_slice(&sum);
    }
}

pub(crate) fn point(multiple: Scalar) -> ProjectivePoint {
    ProjectivePoint::GENERATOR * multiple
}

pub(crate) fn sec1(point: &ProjectivePoint) -> [u8; 65] {
    point.to_affine().to_sec1_point(false).as_bytes().try_into().unwrap()
}

pub(crate) fn x_of(point: &ProjectivePoint) -> Scalar {
    Scalar::reduce(&AffinePoint::from(point).x())
}

pub(crate) fn signature_of(r: Scalar, s: Scalar) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r.to_repr());
    signature[32..].copy_from_slice(&s.to_repr());
    signature
}

/// What the `p256` crate says of a signature.
pub(crate) fn by_p256(key: &[u8; 65], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
    p256::ecdsa::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
}

/// What AWS-LC says of it.
pub(crate) fn by_aws_lc(key: &[u8; 65], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
    use aws_lc_rs::digest::{Digest, SHA256};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).unwrap();
    let digest = Digest::import_less_safe(digest, &SHA256).unwrap();
    key.verify_digest_sig(&digest, signature).is_ok()
}
