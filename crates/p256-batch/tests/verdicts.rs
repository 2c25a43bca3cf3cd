//! Verdicts of the public interface: Wycheproof, edges, and batches with a bad signature at every place.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod adversary;
#[path = "../../../tests/support/machine.rs"]
mod machine;

use std::path::Path;

use adversary::{Dice, N, by_aws_lc, by_p256, point, sec1, signature_of, splitmix, x_of};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::DecompressPoint;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use p256_batch::{Engine, InvalidKey, Keys, Signature, Verifier};
use proptest::prelude::*;
use serde_json::Value;

type Signed = ([u8; 32], [u8; 64]);

/// The engines of this machine.
fn engines() -> impl Iterator<Item = Engine> {
    [Engine::Portable, Engine::Ifma].into_iter().filter(|engine| engine.is_available())
}

/// Verifies signatures of one key in one batch. The oracle says what AWS-LC says. Also returned: which it was asked.
fn verify(engine: Engine, public: &[u8; 65], signed: &[Signed]) -> (Vec<bool>, Vec<usize>) {
    let mut keys = Keys::default();
    let key = keys.add(public).unwrap();
    let batch: Vec<Signature<'_>> =
        signed.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
    let mut asked = Vec::new();
    let verdicts = Verifier::with(&keys, engine).unwrap().verify(&batch, |at| {
        asked.push(at);
        by_aws_lc(public, &signed[at].0, &signed[at].1)
    });
    assert!(!keys.is_distrusted());
    (verdicts, asked)
}

/// Holds the verdicts of every engine to those of both other implementations, and the portable engine to judging the good
/// ones itself.
fn check(public: &[u8; 65], signed: &[Signed]) {
    let expected: Vec<bool> =
        signed.iter().map(|(digest, signature)| by_p256(public, digest, signature)).collect();
    for engine in engines() {
        let (verdicts, asked) = verify(engine, public, signed);
        for (at, (digest, signature)) in signed.iter().enumerate() {
            assert_eq!(by_aws_lc(public, digest, signature), expected[at]);
            assert_eq!(
                verdicts[at], expected[at],
                "{engine:?}, key {public:x?}, digest {digest:x?}, signature {signature:x?}"
            );
        }
        let good_and_asked = asked.iter().filter(|&&at| verdicts[at]).count();
        assert!(
            good_and_asked <= 1 || engine == Engine::Ifma,
            "the oracle was asked about {good_and_asked} good signatures"
        );
    }
}

fn random_signatures(count: usize) -> ([u8; 65], Vec<Signed>) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signed = (0..count).map(|number| {
        let message = number.to_be_bytes();
        let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
        (digest(&SHA256, &message).as_ref().try_into().unwrap(), signature.as_ref().try_into().unwrap())
    });
    let signed = signed.collect();
    (pair.public_key().as_ref().try_into().unwrap(), signed)
}

#[test]
fn one_bad_signature_is_found_at_every_place() {
    let (public, good) = random_signatures(150);
    for engine in engines() {
        assert_eq!(verify(engine, &public, &good), (vec![true; 150], vec![0]));
        for at in 0..150 {
            let mut signed = good.clone();
            signed[at].1[at % 64] ^= 1 << (at % 8);
            let (verdicts, asked) = verify(engine, &public, &signed);
            assert!(verdicts.iter().enumerate().all(|(place, verdict)| *verdict == (place != at)));
            assert!(asked.contains(&at) && asked.len() == 2);
        }
    }
}

#[test]
fn keys_of_a_batch_are_told_apart() {
    let made: Vec<_> = (0..5).map(|_| random_signatures(60)).collect();
    let mut keys = Keys::with_tables(3);
    let ids: Vec<_> = made.iter().map(|(public, _)| keys.add(public).unwrap()).collect();
    let mut verifier = Verifier::new(&keys);
    for shift in [0, 1] {
        let places: Vec<(usize, usize)> = (0..300).map(|at| (at % 5, at / 5)).collect();
        let batch: Vec<Signature<'_>> = places
            .iter()
            .map(|&(of, at)| {
                let (digest, signature) = &made[of].1[at];
                Signature { key: ids[(of + shift) % 5], digest, signature }
            })
            .collect();
        let verdicts = verifier.verify(&batch, |at| {
            let (of, place) = places[at];
            let (digest, signature) = &made[of].1[place];
            by_aws_lc(&made[(of + shift) % 5].0, digest, signature)
        });
        assert_eq!(verdicts, vec![shift == 0; 300]);
    }
}

#[test]
fn few_signatures_are_left_to_the_oracle_and_so_are_those_after_many_bad_ones() {
    let (public, good) = random_signatures(100);
    let (_, asked) = verify(Engine::fastest(), &public, &good[..10]);
    assert_eq!(asked, (0..10).collect::<Vec<_>>());

    let mut keys = Keys::default();
    let key = keys.add(&public).unwrap();
    let mut verifier = Verifier::new(&keys);
    let batch: Vec<Signature<'_>> =
        good.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
    let bad: Vec<Signature<'_>> = batch.iter().map(|item| Signature { digest: &[7; 32], ..*item }).collect();
    let mut asked_of = |batch: &[Signature<'_>], verdict| {
        let mut asked = 0;
        let verdicts = verifier.verify(batch, |_| {
            asked += 1;
            verdict
        });
        assert_eq!(verdicts, vec![verdict; batch.len()]);
        asked
    };
    assert_eq!(asked_of(&bad, false), 100);
    for _ in 0..4 {
        assert_eq!(asked_of(&batch, true), 100, "the engine rests");
    }
    assert_eq!(asked_of(&batch, true), 1, "the engine is back");
}

#[test]
fn only_points_of_the_curve_are_keys() {
    let public = random_signatures(0).0;
    let mut keys = Keys::default();
    keys.add(&public).unwrap();
    let mut off_curve = public;
    off_curve[64] ^= 1;
    let mut infinity = [0; 65];
    infinity[0] = 4;
    let above_p = [vec![4], vec![0xff; 64]].concat();
    let compressed = [&[2], &public[1..33]].concat();
    for wrong in [&off_curve[..], &infinity, &above_p, &compressed, &public[..64], &[], &[0]] {
        assert_eq!(keys.add(wrong), Err(InvalidKey));
    }
}

/// x(R) is between n and p, which a random signature never meets: r is x - n, and only that is good.
#[test]
fn an_x_above_n_is_taken_modulo_n() {
    let mut signed = Vec::new();
    let mut random = splitmix(5);
    let mut dice = Dice(&mut random);
    let mut offset = 0_u64;
    let r_point = loop {
        let mut x = N;
        let low = u64::from_be_bytes(x[24..].try_into().unwrap()) + offset;
        x[24..].copy_from_slice(&low.to_be_bytes());
        let found: Option<AffinePoint> = AffinePoint::decompress(&FieldBytes::from(x), 0.into()).into();
        match found {
            Some(point) if offset > 0 => break ProjectivePoint::from(point),
            _ => offset += 1,
        }
    };
    let r = Scalar::from(offset);
    assert_eq!(x_of(&r_point), r);
    // Q = (R - u1 * G) / u2, for digests of one key: u1 and u2 stay, r and s are as they come.
    let (u1, u2) = (dice.secret(), dice.secret());
    let key = (r_point - point(u1)) * u2.invert().unwrap();
    let s = r * u2.invert().unwrap();
    for change in 0..30 {
        let r = Scalar::from(offset + change);
        signed.push(((u1 * s).to_repr().into(), signature_of(r, s)));
    }
    let public = sec1(&key);
    check(&public, &signed);
    assert!(verify(Engine::fastest(), &public, &signed).0[0]);
}

#[test]
fn edges_of_r_and_s_and_of_the_digest() {
    let mut random = splitmix(6);
    let secret = Dice(&mut random).secret();
    let edge = |by: i64| {
        let number = Scalar::from(by.unsigned_abs());
        (if by < 0 { -number } else { number }).to_repr().into()
    };
    let mut edges: Vec<[u8; 32]> = (-3..=3).map(edge).collect();
    let mut above_n = N;
    above_n[31] += 1;
    edges.extend([N, above_n, [0xff; 32], [0x7f; 32]]);
    let mut signed = Vec::new();
    for r in &edges {
        for s in &edges {
            for digest in &edges {
                signed.push((*digest, [*r, *s].concat().try_into().unwrap()));
            }
        }
    }
    let public = sec1(&point(secret));
    check(&public, &signed);
}

/// A file of Wycheproof's vectors, if it is there.
fn wycheproof(name: &str) -> Option<Value> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = machine::data_beside(&repository, "vectors/wycheproof")?;
    Some(serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap())
}

/// Holds every engine to the verdicts of a file. `read` reads a signature; none where it is not one of r and s, which
/// must not be valid. Returns how many vectors there are, and how many were judged.
fn hold_to(vectors: &Value, read: impl Fn(&[u8]) -> Option<[u8; 64]>) -> (usize, usize) {
    let (mut seen, mut judged) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let public: [u8; 65] = unhex(&group["publicKey"]["uncompressed"]).try_into().unwrap();
        for test in group["tests"].as_array().unwrap() {
            seen += 1;
            let Some(signature) = read(&unhex(&test["sig"])) else {
                assert_ne!(test["result"], "valid");
                continue;
            };
            judged += 1;
            let digest = digest(&SHA256, &unhex(&test["msg"])).as_ref().try_into().unwrap();
            // The same signature so many times that the key earns a table.
            let signed = vec![(digest, signature); 30];
            check(&public, &signed);
            for engine in engines() {
                let (verdicts, _) = verify(engine, &public, &signed);
                let expected = vec![test["result"] == "valid"; 30];
                assert_eq!(verdicts, expected, "{engine:?}, {}: {}", test["tcId"], test["comment"]);
            }
        }
    }
    assert_eq!(seen, vectors["numberOfTests"]);
    (seen, judged)
}

#[test]
fn wycheproof_signatures_get_the_expected_verdict() {
    let Some(vectors) = wycheproof("ecdsa_secp256r1_sha256_p1363_test.json") else { return };
    let (seen, judged) = hold_to(&vectors, |bytes| bytes.try_into().ok());
    assert!(judged > 200, "{judged} of {seen}");
}

/// Those in DER: what is not DER has no r and s, and is for whoever reads DER to refuse.
#[test]
fn wycheproof_signatures_in_der_get_the_expected_verdict() {
    let Some(vectors) = wycheproof("ecdsa_secp256r1_sha256_test.json") else { return };
    let (seen, judged) = hold_to(&vectors, |bytes| {
        let signature = p256::ecdsa::Signature::from_der(bytes).ok()?;
        Some(signature.to_bytes().into())
    });
    assert!(judged > 150, "{judged} of {seen}");
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn made_up_signatures_get_the_verdict_of_the_others(seed in any::<u64>()) {
        let mut random = splitmix(seed);
        let mut dice = Dice(&mut random);
        let secret = dice.secret();
        let signed: Vec<Signed> = (0..40).map(|_| dice.signature(secret)).collect();
        check(&sec1(&point(secret)), &signed);
    }

    #[test]
    fn random_bytes_are_refused(seed in any::<u64>()) {
        let mut random = splitmix(seed);
        let mut dice = Dice(&mut random);
        let secret = Scalar::reduce(&FieldBytes::from(dice.bytes()));
        let signed: Vec<Signed> =
            (0..30).map(|_| (dice.bytes(), [dice.bytes(), dice.bytes()].concat().try_into().unwrap())).collect();
        for engine in engines() {
            let (verdicts, asked) = verify(engine, &sec1(&point(secret)), &signed);
            prop_assert_eq!((verdicts, asked.len()), (vec![false; 30], 30));
        }
    }
}
