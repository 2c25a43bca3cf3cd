//! How fast is a batch, next to AWS-LC verifying the same signatures one after the other?
//!
//! Rounds of both alternate, so that a neighbour on the machine slows both. The figures are CPU time; each ratio is taken
//! round by round. Printed are the median, and the smallest and the largest in brackets.
//!
//! `cargo bench -p p256-batch -- ifma` (or `portable`) measures one engine.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its figures, and may panic")]

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::{FieldBytes, Scalar};
use p256_batch::{Engine, KeyId, Keys, Signature, Verifier};

const ROUNDS: usize = 7;
const SIGNATURES: usize = 4_096;

fn main() {
    // `cargo test --benches` runs benchmarks too; there they only have to compile.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{SIGNATURES} signatures, {ROUNDS} rounds, CPU time");
    println!("{:<46} {:>22} {:>26}", "", "ns a signature", "times AWS-LC's speed");
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (name, engine) in [("portable", Engine::Portable), ("ifma", Engine::Ifma)] {
        if engine.is_available() && (wanted == name || wanted.starts_with('-') || wanted.is_empty()) {
            println!("{name}");
            run(engine);
        }
    }
}

fn run(engine: Engine) {
    let good = Signed::new(engine, 1);
    for batch in [32, 64, 128, 256] {
        good.compare(&format!("one key, batches of {batch}"), batch);
    }
    Signed::new(engine, 16).compare("16 keys, batches of 128", 128);
    Signed::new(engine, 512).compare("512 keys, batches of 128: tables for 64", 128);
    let mut one_bad = Signed::new(engine, 1);
    one_bad.spoil(|at| at % 128 == 64);
    one_bad.compare("one bad signature a batch of 128", 128);
    let mut half = Signed::new(engine, 1);
    half.spoil(|at| at % 2 == 0);
    half.compare("half of them bad, batches of 128", 128);
    let mut bad = Signed::new(engine, 1);
    bad.spoil(|_| true);
    bad.compare("nothing but bad ones, batches of 128", 128);
    bad.compare("nothing but bad ones, one batch", SIGNATURES);
    let mut changing = Signed::new(engine, 1);
    changing.spoil(|at| at / 128 % 5 == 0);
    changing.compare("a bad batch of 128, then four good ones", 128);
    let mut hostile = Signed::new(engine, 1);
    hostile.make_up(|at| at % 128 == 64);
    hostile.compare("one exceptional sum a batch of 128", 128);
    hostile.make_up(|at| at % 8 == 4);
    hostile.compare("16 exceptional sums a batch of 128", 128);
    hostile.make_up(|_| true);
    hostile.compare("nothing but exceptional sums", 128);
    for few in [1, 2, 4, 8, 16] {
        good.compare(&format!("{few} at a time"), few);
    }
    good.compare_few(16);
    good.compare_few(24);
    good.compare_few(64);
}

/// Messages, and signatures of them by some keys in turn.
struct Signed {
    engine: Engine,
    public: Vec<ParsedPublicKey>,
    points: Vec<Vec<u8>>,
    /// The private number of the first key.
    secret: Scalar,
    messages: Vec<[u8; 32]>,
    signatures: Vec<[u8; 64]>,
}

impl Signed {
    fn new(engine: Engine, keys: usize) -> Signed {
        let pairs: Vec<EcdsaKeyPair> =
            std::iter::repeat_with(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING))
                .take(keys)
                .collect::<Result<_, _>>()
                .unwrap();
        let messages: Vec<[u8; 32]> =
            (0..SIGNATURES).map(|number| digest_of(&number.to_be_bytes())).collect();
        let signatures = messages.iter().enumerate().map(|(at, message)| {
            pairs[at % keys].sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap()
        });
        let points: Vec<Vec<u8>> = pairs.iter().map(|pair| pair.public_key().as_ref().to_vec()).collect();
        Signed {
            engine,
            public: points
                .iter()
                .map(|point| ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap())
                .collect(),
            secret: secret_of(&pairs[0]),
            points,
            signatures: signatures.collect(),
            messages,
        }
    }

    fn spoil(&mut self, which: impl Fn(usize) -> bool) {
        for (at, signature) in self.signatures.iter_mut().enumerate().filter(|(at, _)| which(*at)) {
            signature[40] ^= 1 << (at % 8);
        }
    }

    /// Makes up signatures of the first key with u1 * G = -u2 * Q, for which r is minus the digest divided by the private
    /// number. The two are equal in x in the last addition, and the engine has done all of its work before it knows.
    fn make_up(&mut self, which: impl Fn(usize) -> bool) {
        let inverse = self.secret.invert().unwrap();
        for at in (0..SIGNATURES).filter(|at| which(*at)) {
            let digest = Scalar::reduce(&FieldBytes::from(digest_of(&self.messages[at])));
            let (r, s) = (-(digest * inverse), Scalar::from(at as u64 + 7));
            self.signatures[at] = [r.to_repr(), s.to_repr()].concat().try_into().unwrap();
        }
    }

    fn by_aws_lc(&self, at: usize) -> bool {
        let key = &self.public[at % self.public.len()];
        key.verify_sig(black_box(&self.messages[at]), &self.signatures[at]).is_ok()
    }

    fn keys(&self) -> (Keys, Vec<KeyId>) {
        let mut keys = Keys::default();
        let ids = self.points.iter().map(|point| keys.add(point).unwrap()).collect();
        (keys, ids)
    }

    /// Verifies the first ones in batches, hashing included.
    fn verify(&self, verifier: &mut Verifier<'_>, ids: &[KeyId], count: usize, batch: usize) {
        for start in (0..count).step_by(batch) {
            let places = start..(start + batch).min(count);
            let digests: Vec<[u8; 32]> =
                self.messages[places.clone()].iter().map(|message| digest_of(message)).collect();
            let items: Vec<Signature<'_>> = places
                .zip(&digests)
                .map(|(at, digest)| Signature {
                    key: ids[at % ids.len()],
                    digest,
                    signature: &self.signatures[at],
                })
                .collect();
            black_box(verifier.verify(&items, |at| self.by_aws_lc(start + at)));
        }
    }

    /// Compares with tables that are there, or are made in the first batches of the first round.
    fn compare(&self, name: &str, batch: usize) {
        let (keys, ids) = self.keys();
        let mut verifier = Verifier::with(&keys, self.engine).unwrap();
        self.verify(&mut verifier, &ids, SIGNATURES, batch);
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let raw = cpu_ns(|| {
                (0..SIGNATURES).for_each(|at| {
                    black_box(self.by_aws_lc(at));
                })
            });
            rounds.push((raw, cpu_ns(|| self.verify(&mut verifier, &ids, SIGNATURES, batch))));
        }
        line(name, SIGNATURES, &rounds);
    }

    /// Compares for a few signatures of a new key, whose table is made in that time if at all. That of the base point is
    /// there.
    fn compare_few(&self, count: usize) {
        const TIMES: usize = 60;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let raw = cpu_ns(|| {
                (0..count * TIMES).for_each(|at| {
                    black_box(self.by_aws_lc(at % count));
                })
            });
            let whole = cpu_ns(|| {
                for _ in 0..TIMES {
                    let (keys, ids) = self.keys();
                    self.verify(&mut Verifier::with(&keys, self.engine).unwrap(), &ids, count, count);
                }
            });
            rounds.push((raw, whole));
        }
        line(&format!("{count} signatures of a new key"), count * TIMES, &rounds);
    }
}

fn secret_of(pair: &EcdsaKeyPair) -> Scalar {
    let bytes: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
    Scalar::reduce(&FieldBytes::try_from(bytes.as_ref()).unwrap())
}

fn digest_of(message: &[u8]) -> [u8; 32] {
    digest(&SHA256, message).as_ref().try_into().unwrap()
}

fn cpu_ns(work: impl FnOnce()) -> f64 {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
        (usage.user_time() + usage.system_time()).num_microseconds() as f64 * 1000.0
    };
    let before = used();
    work();
    used() - before
}

fn line(name: &str, count: usize, rounds: &[(f64, f64)]) {
    let times = rounds.iter().map(|(_, whole)| whole / count as f64);
    let ratios = rounds.iter().map(|(raw, whole)| raw / whole);
    let ([low, time, high], [least, ratio, most]) = (figures(times), figures(ratios));
    println!("{name:<46} {time:>8.0} ({low:.0} to {high:.0}) {ratio:>10.2} ({least:.2} to {most:.2})");
}

/// The smallest, the median and the largest.
fn figures(numbers: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    [numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]]
}
