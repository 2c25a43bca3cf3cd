//! Compares the verdicts with those of AWS-LC and of the `p256` crate for as long as it is told to:
//!
//! ```sh
//! cargo run --release -p p256-batch --example differential -- 3600 [SEED]
//! ```
//!
//! The keys and signatures are made by somebody who knows how the sums are computed (`tests/adversary`); the `p256` crate
//! judges one in eight of them, because it takes its time. A difference ends it with a panic that names the seed.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for people")]

#[path = "../tests/adversary/mod.rs"]
mod adversary;

use std::time::{Duration, Instant};

use adversary::{Dice, by_aws_lc, by_p256, point, sec1, splitmix};
use p256_batch::{Keys, Signature, Verifier};

/// How many keys a batch has signatures of, and how many of each.
const KEYS: usize = 4;
const OF_EACH: usize = 64;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().expect("a number"));
    let seconds = arguments.next().expect("for how many seconds?");
    let mut seed = arguments.next().unwrap_or(1);
    let started = Instant::now();
    let (mut good, mut bad, mut asked) = (0_u64, 0_u64, 0_u64);
    while started.elapsed() < Duration::from_secs(seconds) {
        let counts = compare(seed);
        good += counts.0;
        bad += counts.1;
        asked += counts.2;
        seed += 1;
    }
    let elapsed = started.elapsed().as_secs();
    println!(
        "{good} good and {bad} bad signatures, {asked} good ones shown to the oracle, no difference, {elapsed} s"
    );
    println!("next seed: {seed}");
}

/// Compares the verdicts of a batch. Returns how many signatures were good, how many bad, and of how many good ones the
/// oracle was asked.
fn compare(seed: u64) -> (u64, u64, u64) {
    let mut random = splitmix(seed);
    let mut dice = Dice(&mut random);
    let secrets: [_; KEYS] = std::array::from_fn(|_| dice.secret());
    let publics = secrets.map(|secret| sec1(&point(secret)));
    let mut keys = Keys::default();
    let ids = publics.map(|public| keys.add(&public).unwrap());
    let signed: Vec<_> = (0..KEYS * OF_EACH)
        .map(|at| {
            let (digest, signature) = dice.signature(secrets[at % KEYS]);
            (at % KEYS, digest, signature)
        })
        .collect();
    let batch: Vec<_> = signed
        .iter()
        .map(|(key, digest, signature)| Signature { key: ids[*key], digest, signature })
        .collect();
    let expected: Vec<bool> =
        signed.iter().map(|(key, digest, signature)| by_aws_lc(&publics[*key], digest, signature)).collect();
    for (at, (key, digest, signature)) in signed.iter().enumerate().step_by(8) {
        let other = by_p256(&publics[*key], digest, signature);
        assert_eq!(other, expected[at], "the oracles differ: seed {seed}, place {at}");
    }
    let mut asked_of_good = 0;
    let verdicts = Verifier::new(&keys).verify(&batch, |at| {
        asked_of_good += u64::from(expected[at]);
        expected[at]
    });
    for (at, (verdict, expected)) in verdicts.iter().zip(&expected).enumerate() {
        assert_eq!(verdict, expected, "seed {seed}, place {at}: {:x?}", signed[at]);
    }
    // One for each key as a sample. More would mean that the engine refused a good one.
    assert!(
        asked_of_good <= KEYS as u64 && !keys.is_distrusted(),
        "seed {seed}: asked of {asked_of_good} good ones"
    );
    let good = expected.iter().filter(|good| **good).count() as u64;
    (good, batch.len() as u64 - good, asked_of_good)
}
