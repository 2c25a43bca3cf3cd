//! Signatures that are checked in batches get the verdicts of signatures that are checked one by one.

use beltic::verify::{Presented, Verdict, Verifier};
use proptest::prelude::*;

use crate::world::{Kind, World};
use crate::{claims, encodings, sd_jwt};

/// What a verdict says, for comparing.
fn words(verdict: &Verdict<'_>) -> String {
    match verdict {
        Verdict::Valid(valid) => format!("{valid:?}"),
        Verdict::Invalid(refusal) => format!("{refusal:?}"),
    }
}

/// Every token of the hostile cases, and as many sound ones; some signatures are changed in one bit.
fn tokens() -> Vec<String> {
    let mut tokens = Vec::new();
    for kind in [Kind::JwtVc, Kind::SdJwtVc] {
        let cases = encodings::cases(kind).into_iter().chain(claims::cases(kind));
        for (at, case) in cases.chain(sd_jwt::cases()).enumerate() {
            tokens.push(case.token);
            tokens.push(kind.token());
            if at.is_multiple_of(8) {
                tokens.push(with_another_signature(&kind.token(), at));
            }
        }
    }
    tokens
}

/// The token with one character of its signature changed.
fn with_another_signature(token: &str, at: usize) -> String {
    let (_, signature) = token.rsplit_once('.').unwrap();
    let place = token.len() - signature.len() + at % 80;
    let new = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{new}{}", &token[..place], &token[place + 1..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn all_engines_give_the_same_verdicts(
        tokens in Just(tokens()).prop_shuffle(),
        sizes in proptest::collection::vec(1..300_usize, 1..6),
    ) {
        let world = World::new();
        let batch_ring = world.ring.for_batches();
        let portable_ring = world.ring.for_batches().portable();
        let mut one_by_one = Verifier::new(&world.ring, &world.policy, &world.lists);
        let expected: Vec<String> = tokens.iter().map(|token| words(&one_by_one.verify(token))).collect();
        let valid = expected.iter().filter(|verdict| verdict.starts_with("Valid")).count();
        prop_assert!(valid > 300 && expected.len() - valid > 300, "{valid} of {}", expected.len());

        let batches = Verifier::in_batches(&batch_ring, &world.policy, &world.lists);
        let portable = Verifier::in_batches(&portable_ring, &world.policy, &world.lists);
        for mut verifier in [batches, portable, one_by_one] {
            let (mut found, mut rest) = (Vec::new(), tokens.as_slice());
            for size in sizes.iter().cycle() {
                let (batch, others) = rest.split_at(rest.len().min(*size));
                verifier.verify_all(batch.iter().map(|token| Ok(Presented { token, nonce: None })), |verdict| found.push(words(verdict)));
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(&found, &expected);
        }
    }
}
