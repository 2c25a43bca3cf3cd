//! What is said to a signer program, and what it may answer.
//!
//! ```text
//! {"v":1,"id":7,"alg":"ES256","digests":["base64url of 32 bytes", …]}
//! {"id":7,"signatures":["base64url of r and s, 64 bytes", …]}
//! {"id":7,"error":"why not","retry":true}
//! ```
//!
//! Whatever else an answer says is refused: a misspelt `retry`, say, would silently mean that a run ends. Errors quote
//! nothing of an answer but its id and what stands in `error`.

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use thiserror::Error;

use crate::keys::signing::{SIGNATURE_BYTES, Signature};

/// The longest answer that is read, in bytes. One with 256 signatures takes a third of it.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How much of a program's own message is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 500;

/// A request, with the line feed behind it.
pub(super) fn request(id: u64, digests: &[[u8; 32]]) -> Vec<u8> {
    let mut line = format!(r#"{{"v":1,"id":{id},"alg":"ES256","digests":["#);
    for (place, digest) in digests.iter().enumerate() {
        line.push_str(if place == 0 { "\"" } else { ",\"" });
        URL_SAFE_NO_PAD.encode_append(digest, &mut line);
        line.push('"');
    }
    line.push_str("]}\n");
    line.into_bytes()
}

/// What a program says to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The signatures, as many as there were digests.
    Signatures(Vec<Signature>),
    /// It failed.
    Failed {
        /// What it says about that.
        message: String,
        /// Whether it asks for another try.
        retry: bool,
    },
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum AnswerProblem {
    #[error("it is longer than {MAX_ANSWER_BYTES} bytes, without a line end")]
    TooLong,
    #[error(
        r#"it is not a line such as {{"id":1,"signatures":["…"]}} or {{"id":1,"error":"…","retry":true}}"#
    )]
    Form,
    #[error("it has the id {found}; expected {expected}")]
    OtherId { found: u64, expected: u64 },
    #[error("it has {found} signatures; expected {expected}")]
    Count { found: usize, expected: usize },
    #[error("signature {} is not base64url of {SIGNATURE_BYTES} bytes", place + 1)]
    NotASignature { place: usize },
    #[error("signature {} does not verify with the public key: it is of another key or another digest", place + 1)]
    Unverified { place: usize },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: u64,
    signatures: Option<Vec<String>>,
    error: Option<String>,
    retry: Option<bool>,
}

/// Reads the answer to the request of this id, which had so many digests.
pub(super) fn read(line: &[u8], id: u64, count: usize) -> Result<Answer, AnswerProblem> {
    let line: Line = serde_json::from_slice(line).map_err(|_| AnswerProblem::Form)?;
    if line.id != id {
        return Err(AnswerProblem::OtherId { found: line.id, expected: id });
    }
    match (line.signatures, line.error, line.retry) {
        (Some(encoded), None, None | Some(false)) => signatures(&encoded, count).map(Answer::Signatures),
        (None, Some(message), retry) => {
            let message = message.chars().take(MAX_MESSAGE_CHARS).collect();
            Ok(Answer::Failed { message, retry: retry.unwrap_or(false) })
        }
        _ => Err(AnswerProblem::Form),
    }
}

fn signatures(encoded: &[String], expected: usize) -> Result<Vec<Signature>, AnswerProblem> {
    if encoded.len() != expected {
        return Err(AnswerProblem::Count { found: encoded.len(), expected });
    }
    let decode = |(place, text): (usize, &String)| {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(AnswerProblem::NotASignature { place })
    };
    encoded.iter().enumerate().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_it_is_documented() {
        let line = String::from_utf8(request(7, &[[0; 32], [0xFF; 32]])).unwrap();
        assert_eq!(
            line,
            "{\"v\":1,\"id\":7,\"alg\":\"ES256\",\"digests\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\
             \"__________________________________________8\"]}\n"
        );
    }

    #[test]
    fn the_longest_request_and_answer_are_bounded() {
        assert!(request(u64::MAX, &[[0; 32]; super::super::MAX_DIGESTS]).len() < 16 * 1024);
        let signature = "A".repeat(86);
        let answer = format!(r#"{{"id":1,"signatures":{:?}}}"#, vec![signature; 256]);
        assert!(answer.len() < MAX_ANSWER_BYTES);
        assert_eq!(read(answer.as_bytes(), 1, 256), Ok(Answer::Signatures(vec![[0; 64]; 256])));
    }

    #[test]
    fn only_what_is_documented_is_an_answer() {
        let one = "A".repeat(86);
        let failed = |retry| Ok(Answer::Failed { message: "busy".into(), retry });
        let not_one = Err(AnswerProblem::NotASignature { place: 0 });
        for (line, expected) in [
            (format!(r#"{{"id":7,"signatures":["{one}"]}}"#), Ok(Answer::Signatures(vec![[0; 64]]))),
            (
                format!(r#" {{"signatures":["{one}"],"id":7,"error":null}} "#),
                Ok(Answer::Signatures(vec![[0; 64]])),
            ),
            (r#"{"id":7,"error":"busy","retry":true}"#.into(), failed(true)),
            (r#"{"id":7,"error":"busy","retry":false}"#.into(), failed(false)),
            (r#"{"id":7,"error":"busy"}"#.into(), failed(false)),
            (String::new(), Err(AnswerProblem::Form)),
            ("7".into(), Err(AnswerProblem::Form)),
            ("Traceback (most recent call last):".into(), Err(AnswerProblem::Form)),
            (r#"{"id":7}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":7,"retry":true}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":"7","error":"busy"}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":-7,"error":"busy"}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":7,"id":7,"error":"busy"}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":7,"error":"busy","retryable":true}"#.into(), Err(AnswerProblem::Form)),
            (r#"{"id":7,"error":"busy","retry":"true"}"#.into(), Err(AnswerProblem::Form)),
            (format!(r#"{{"id":7,"signatures":["{one}"],"error":"busy"}}"#), Err(AnswerProblem::Form)),
            (format!(r#"{{"id":7,"signatures":["{one}"],"retry":true}}"#), Err(AnswerProblem::Form)),
            (format!(r#"{{"id":7,"signatures":["{one}"]}} x"#), Err(AnswerProblem::Form)),
            (
                format!(r#"{{"id":6,"signatures":["{one}"]}}"#),
                Err(AnswerProblem::OtherId { found: 6, expected: 7 }),
            ),
            (r#"{"id":7,"signatures":[]}"#.into(), Err(AnswerProblem::Count { found: 0, expected: 1 })),
            (
                format!(r#"{{"id":7,"signatures":["{one}","{one}"]}}"#),
                Err(AnswerProblem::Count { found: 2, expected: 1 }),
            ),
            (format!(r#"{{"id":7,"signatures":["{one}A"]}}"#), not_one),
            (
                format!(r#"{{"id":7,"signatures":["{}=="]}}"#, &one),
                Err(AnswerProblem::NotASignature { place: 0 }),
            ),
            (
                format!(r#"{{"id":7,"signatures":["{}"]}}"#, &one[2..]),
                Err(AnswerProblem::NotASignature { place: 0 }),
            ),
            (r#"{"id":7,"signatures":["MEUCIQ"]}"#.into(), Err(AnswerProblem::NotASignature { place: 0 })),
        ] {
            assert_eq!(read(line.as_bytes(), 7, 1), expected, "{line}");
        }
    }

    #[test]
    fn of_a_long_message_the_beginning_is_shown() {
        let line = format!(r#"{{"id":1,"error":"{}"}}"#, "ü".repeat(1000));
        let Ok(Answer::Failed { message, .. }) = read(line.as_bytes(), 1, 1) else { panic!("not read") };
        assert_eq!(message, "ü".repeat(MAX_MESSAGE_CHARS));
    }
}
