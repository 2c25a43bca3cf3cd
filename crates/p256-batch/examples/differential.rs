//! Compares the verdicts with those of AWS-LC and of the `p256` crate for so many seconds of CPU time:
//!
//! ```sh
//! cargo run --release -p p256-batch --example differential -- portable 3600 [SEED]
//! cargo run --release -p p256-batch --example differential -- ifma 3600 [SEED]
//! ```
//!
//! The keys and signatures are made by somebody who knows how the sums are computed (`tests/adversary`); the `p256` crate
//! judges one in eight of them, because it takes its time. A difference ends it with a panic that names the seed.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for people")]

#[path = "../tests/adversary/mod.rs"]
mod adversary;

use adversary::{Dice, by_aws_lc, by_p256, point, sec1, splitmix};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use p256_batch::{Engine, Keys, Signature, Verifier};

/// How many keys a batch has signatures of, and how many of each.
const KEYS: usize = 4;
const OF_EACH: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let engine = match arguments.first().map(String::as_str) {
        Some("portable") => Engine::Portable,
        Some("ifma") => Engine::Ifma,
        _ => panic!("expected an engine: portable or ifma"),
    };
    assert!(engine.is_available(), "this processor lacks what the engine needs");
    let number = |at: usize| arguments.get(at).map(|number| number.parse::<i64>().expect("a number"));
    let seconds = number(1).expect("for how many seconds of CPU time?");
    let first = number(2).unwrap_or(1).unsigned_abs();
    let (mut good, mut bad, mut asked, mut batches) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut reported = 0;
    loop {
        let used = cpu_seconds();
        if used / 600 > reported || used >= seconds {
            reported = used / 600;
            println!(
                "{engine:?}: {batches} batches, {good} good and {bad} bad signatures, {asked} good ones left to the \
                 oracle, no difference, {used} s of CPU time"
            );
        }
        if used >= seconds {
            return;
        }
        for _ in 0..16 {
            let counts = compare(engine, first + batches);
            good += counts.0;
            bad += counts.1;
            asked += counts.2;
            batches += 1;
        }
    }
}

fn cpu_seconds() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    (usage.user_time() + usage.system_time()).num_seconds()
}

/// Compares the verdicts of a batch. Returns how many signatures were good, how many bad, and of how many good ones the
/// oracle was asked.
fn compare(engine: Engine, seed: u64) -> (u64, u64, u64) {
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
    let verdicts = Verifier::with(&keys, engine).unwrap().verify(&batch, |at| {
        asked_of_good += u64::from(expected[at]);
        expected[at]
    });
    for (at, (verdict, expected)) in verdicts.iter().zip(&expected).enumerate() {
        assert_eq!(verdict, expected, "seed {seed}, place {at}: {:x?}", signed[at]);
    }
    // One for each key as a sample. More would mean that the portable engine refused a good one; the other one leaves sums
    // with an exceptional addition undecided.
    let most = if engine == Engine::Portable { KEYS as u64 } else { u64::MAX };
    assert!(
        asked_of_good <= most && !keys.is_distrusted(),
        "seed {seed}: asked of {asked_of_good} good ones"
    );
    let good = expected.iter().filter(|good| **good).count() as u64;
    (good, batch.len() as u64 - good, asked_of_good)
}
