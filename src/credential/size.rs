//! How long a credential can become, known before it is recorded.
//!
//! Our verifier reads tokens of at most [`MAX_TOKEN_BYTES`]; a credential beyond that would be issued for nobody. The
//! bound here holds for every policy and is above the true length, but for ordinary items not far: what an item holds
//! is once in the token, in base64, and each of its values may cost a digest and a disclosure beside it.

use super::profile::{Profile, ProofFormat};
use crate::request::DraftText;
use crate::token::MAX_TOKEN_BYTES;

/// Items of fewer bytes cannot reach the limit, whatever they hold, and are not looked at.
const SMALL: usize = 64 * 1024;
/// What stands in a token beside the item: header, issuer, status, certificates.
const FRAME: usize = 64 * 1024;
/// What a hidden value costs beside its text: salt, brackets and commas of the disclosure, and `{"...":"DIGEST"},`.
const HIDDEN: usize = 32 + 56;
/// What a decoy costs.
const DECOY: usize = 56;

/// The length that the draft's token may have, where that is more than a verifier reads.
pub fn beyond_verifiers(profile: &Profile, draft: DraftText<'_>) -> Option<usize> {
    let optional = [draft.evidence_refs(), draft.cnf()].map(Option::unwrap_or_default);
    let pieces = [[draft.subject(), draft.claims()], optional].concat();
    let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
    if bytes < SMALL {
        return None;
    }
    let beside = match profile.proof_format {
        ProofFormat::JwtVc => 0,
        ProofFormat::SdJwtVc => pieces
            .iter()
            .map(|piece| hidden_bytes(piece, profile.of_type(draft.credential_type()).disclosure.decoys()))
            .sum(),
    };
    // Evidence of the other format repeats a digest of each reference, for which the frame has room.
    let longest = (FRAME + bytes + beside).div_ceil(3) * 4;
    (longest > MAX_TOKEN_BYTES).then_some(longest)
}

/// What hiding every value of a piece would cost.
fn hidden_bytes(piece: &[u8], decoys: usize) -> usize {
    let (mut values, mut containers) = (0, 0);
    let mut at = 0;
    while let Some(&byte) = piece.get(at) {
        match byte {
            b'"' => at = end_of_string(piece, at),
            b'{' | b'[' => containers += 1,
            b',' => values += 1,
            _ => {}
        }
        at += 1;
    }
    (values + containers) * HIDDEN + containers * decoys * DECOY
}

/// The place of the quote that ends the string which begins at `at`.
fn end_of_string(piece: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(length) = memchr::memchr2(b'"', b'\\', piece.get(at..).unwrap_or_default()) {
        at += length;
        if piece[at] == b'"' {
            return at;
        }
        at += 2;
    }
    piece.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_brackets_in_text_cost_nothing() {
        assert_eq!(hidden_bytes(br#"{"a":",{[\\\",","b":1}"#, 2), 2 * HIDDEN + 2 * DECOY);
        assert_eq!(hidden_bytes(br#"[{"a":1},{"a":2}]"#, 0), 4 * HIDDEN);
    }
}
