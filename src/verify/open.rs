//! The way from a token to a payload that somebody signed: split, header, key, signature, payload.

use super::header::{Header, Typ};
use super::in_words;
use super::policy::Policy;
use super::ring::{KeyFound, KeyRing, RingKey, did_of};
use super::verdict::{Reason, Refusal, Step};
use crate::json::Parser;
use crate::keys::{self, BatchKeys, BatchVerifier, Implementation, SIGNATURE_BYTES, Signature, Signed};
use crate::token::{self, Compact, Part, TokenError, decode, decode_text, parse_object};

/// Checks headers and signatures with the keys of a ring, each parsed once.
pub(super) struct Opener<'r> {
    ring: &'r KeyRing,
    implementation: Implementation,
    verifiers: Vec<Option<keys::SignatureVerifier>>,
    /// What checks many signatures at once, if it is not done one by one.
    batch: Option<BatchVerifier<'r>>,
    parser: Parser,
    buffer: Vec<u8>,
    /// The header that was read last, base64url, and what it came to: tokens of one issuer have the same.
    last: Option<(String, OpenedToken)>,
}

/// What a header came to.
#[derive(Debug, Clone)]
pub(super) struct OpenedToken {
    pub(super) typ: Typ,
    /// Whether `kid` is an absolute URL, which a key's name need not be where `iss` says whose it is.
    pub(super) kid_is_absolute: bool,
    key: usize,
}

impl<'r> Opener<'r> {
    pub(super) fn new(ring: &'r KeyRing, implementation: Implementation) -> Opener<'r> {
        let verifiers = std::iter::repeat_with(|| None).take(ring.len()).collect();
        Opener {
            ring,
            implementation,
            verifiers,
            batch: None,
            parser: Parser::default(),
            buffer: Vec::new(),
            last: None,
        }
    }

    /// Has [`Opener::check_all`] check signatures in batches. The keys are those of the ring, at the same places.
    pub(super) fn in_batches(&mut self, keys: &'r BatchKeys) {
        self.batch = Some(BatchVerifier::new(keys));
    }

    /// Reads the header, which must be of a type that `accepts` does not refuse, and finds its key.
    pub(super) fn header(
        &mut self,
        compact: &Compact<'_>,
        policy: &Policy,
        accepts: impl FnOnce(&Typ) -> Result<(), Refusal>,
    ) -> Result<OpenedToken, Refusal> {
        if let Some((text, opened)) = &self.last
            && text == compact.header
        {
            accepts(&opened.typ)?;
            return Ok(opened.clone());
        }
        let text = decode_text(compact.header, Part::Header, &mut self.buffer).map_err(at(Step::Header))?;
        let document = parse_object(text, Part::Header, &mut self.parser).map_err(at(Step::Header))?;
        let Header { typ, kid } = Header::read(document.root(), accepts)?;
        let opened = match kid {
            Some(kid) => {
                OpenedToken { typ, kid_is_absolute: kid.contains(':'), key: self.find(&kid, policy)? }
            }
            // Whoever names the one key says what `kid` would say.
            None => OpenedToken { typ, kid_is_absolute: true, key: self.only_key()? },
        };
        self.last = Some((compact.header.to_owned(), opened.clone()));
        Ok(opened)
    }

    /// The key of a token that names none: the only one that was given, by itself. None is ever tried out.
    fn only_key(&self) -> Result<usize, Refusal> {
        self.ring.only_key().ok_or_else(|| {
            let message = "the header has no `kid` to name the key; name its one key with `--key`";
            Refusal::new(Reason::UnknownKid, Step::Header, message)
        })
    }

    /// The key of this name. A name that holds a DID must be one of the issuer asked for, and a key that ended
    /// verifies nothing, however old the token says that it is: who has the key can date a token back.
    fn find(&self, kid: &str, policy: &Policy) -> Result<usize, Refusal> {
        let unknown = |message: String| Refusal::new(Reason::UnknownKid, Step::Key, message);
        if let (Some(expected), Some(did)) = (policy.issuer.as_deref(), did_of(kid))
            && expected != did
        {
            let message = format!("`kid` is a key of {}; expected one of {expected}", shown(did));
            return Err(Refusal::new(Reason::IssuerMismatch, Step::Key, message));
        }
        let at = match self.ring.find(kid, policy.issuer.as_deref()) {
            KeyFound::One(at) => at,
            KeyFound::None => {
                return Err(unknown(format!(
                    "none of the given keys matches the token's kid {}",
                    shown(kid)
                )));
            }
            KeyFound::Several => {
                let kid = shown(kid);
                return Err(unknown(format!(
                    "several of the given keys match the token's kid {kid}; name the issuer with `--issuer`"
                )));
            }
        };
        match self.ring.key(at).end {
            Some(end) if end.seconds <= policy.now.seconds() => {
                let (kid, end, word) = (shown(kid), in_words(end.seconds), end.claim);
                Err(unknown(format!("the key {kid} is no longer valid: `{word}` was {end}")))
            }
            _ => Ok(at),
        }
    }

    /// The key that a header named.
    pub(super) fn key(&self, opened: &OpenedToken) -> &'r RingKey {
        self.ring.key(opened.key)
    }

    /// Reads the signature.
    pub(super) fn signature(&mut self, compact: &Compact<'_>) -> Result<Signature, Refusal> {
        let signature =
            decode(compact.signature, Part::Signature, &mut self.buffer).map_err(at(Step::Signature))?;
        Signature::try_from(signature).map_err(|_| {
            let found = signature.len();
            bad_signature(format!("the signature has {found} bytes; expected {SIGNATURE_BYTES}"))
        })
    }

    /// Checks a signature.
    pub(super) fn check(
        &mut self,
        compact: &Compact<'_>,
        opened: &OpenedToken,
        signature: &Signature,
    ) -> Result<(), Refusal> {
        let verifier = verifier(&mut self.verifiers, self.ring, self.implementation, opened.key)?;
        match verifier.verify(compact.signing_input(), signature) {
            true => Ok(()),
            false => Err(mismatch()),
        }
    }

    /// Checks many signatures, at once where that is wanted.
    pub(super) fn check_all(
        &mut self,
        tokens: &[(&Compact<'_>, &OpenedToken, &Signature)],
    ) -> Vec<Result<(), Refusal>> {
        let Some(batch) = &mut self.batch else {
            return tokens
                .iter()
                .map(|(compact, opened, signature)| self.check(compact, opened, signature))
                .collect();
        };
        let signed = tokens.iter().map(|&(compact, opened, signature)| Signed {
            key: opened.key,
            input: compact.signing_input(),
            signature,
        });
        let signed: Vec<Signed<'_>> = signed.collect();
        let mut problems: Vec<Option<Refusal>> = vec![None; tokens.len()];
        let verdicts = batch.verify(&signed, |at| {
            let Signed { key, input, signature } = signed[at];
            match verifier(&mut self.verifiers, self.ring, self.implementation, key) {
                Ok(verifier) => verifier.verify(input, signature),
                Err(problem) => {
                    problems[at] = Some(problem);
                    false
                }
            }
        });
        let problems = verdicts.into_iter().zip(problems);
        problems
            .map(|(good, problem)| if good { Ok(()) } else { Err(problem.unwrap_or_else(mismatch)) })
            .collect()
    }
}

/// The verifier of a key, made when it is first asked for.
fn verifier<'v>(
    verifiers: &'v mut [Option<keys::SignatureVerifier>],
    ring: &KeyRing,
    implementation: Implementation,
    key: usize,
) -> Result<&'v keys::SignatureVerifier, Refusal> {
    let place = &mut verifiers[key];
    match place {
        Some(made) => Ok(made),
        None => {
            let made = keys::SignatureVerifier::of(implementation, &ring.key(key).public);
            Ok(place.insert(made.map_err(|error| bad_signature(error.to_string()))?))
        }
    }
}

fn bad_signature(message: String) -> Refusal {
    Refusal::new(Reason::BadSignature, Step::Signature, message)
}

pub(super) fn mismatch() -> Refusal {
    bad_signature("signature does not match the key named in `kid`".to_owned())
}

/// Cuts a token of at most so many bytes.
pub(super) fn split(text: &str, max_bytes: usize) -> Result<Compact<'_>, Refusal> {
    Compact::split_at_most(text, max_bytes).map_err(|error| match error {
        TokenError::TooManyDisclosures { .. } | TokenError::EmptyDisclosure { .. } => {
            Refusal::new(Reason::DisclosureInvalid, Step::Split, error.to_string())
        }
        other => at(Step::Split)(other),
    })
}

/// A token that cannot be read, at this step.
pub(super) fn at(step: Step) -> impl Fn(token::TokenError) -> Refusal {
    move |error| Refusal::new(Reason::Malformed, step, error.to_string())
}

/// A name from a token, shortened and quoted.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}
