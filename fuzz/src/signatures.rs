//! Signatures that are verified in batches.

#[path = "../../crates/p256-batch/tests/adversary/mod.rs"]
mod adversary;

use adversary::{Dice, by_aws_lc, by_p256, point, sec1, splitmix};
use p256_batch::{Keys, Signature, Verifier};

/// As many signatures of one key as give it a table. The first ones are what the input says, word by word; the others fill
/// the batch up.
pub fn signatures(data: &[u8]) {
    let mut words = data.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let mut more = splitmix(data.len() as u64);
    let mut next = || words.next().unwrap_or_else(&mut more);
    let mut dice = Dice(&mut next);
    let secret = dice.secret();
    let public = sec1(&point(secret));
    let signed: Vec<_> = (0..24).map(|_| dice.signature(secret)).collect();

    let mut keys = Keys::default();
    let key = keys.add(&public).expect("it is a point of the curve");
    let batch: Vec<_> =
        signed.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
    let expected: Vec<bool> =
        signed.iter().map(|(digest, signature)| by_aws_lc(&public, digest, signature)).collect();
    let (digest, signature) = &signed[0];
    assert_eq!(by_p256(&public, digest, signature), expected[0]);
    let mut good_and_asked = 0;
    let verdicts = Verifier::new(&keys).verify(&batch, |at| {
        good_and_asked += usize::from(expected[at]);
        expected[at]
    });
    assert_eq!(verdicts, expected);
    // The first one is shown as a sample. More would mean that the engine refused a good one.
    assert!(good_and_asked <= 1 && !keys.is_distrusted());
}
