//! The way from a token to a payload that somebody signed: split, header, key, signature, payload.

use super::header::{Header, Typ};
use super::in_words;
use super::policy::Policy;
use super::ring::{KeyFound, KeyRing, RingKey, did_of};
use super::verdict::{Reason, Refusal, Step};
use crate::json::Parser;
use crate::keys::{self, Implementation, SIGNATURE_BYTES};
use crate::token::{self, Compact, Part, TokenError, decode, decode_text, parse_object};

/// Checks headers and signatures with the keys of a ring, each parsed once.
pub(super) struct Opener<'r> {
    ring: &'r KeyRing,
    implementation: Implementation,
    verifiers: Vec<Option<keys::SignatureVerifier>>,
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
        Opener { ring, implementation, verifiers, parser: Parser::default(), buffer: Vec::new(), last: None }
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
        let opened = OpenedToken { typ, kid_is_absolute: kid.contains(':'), key: self.find(&kid, policy)? };
        self.last = Some((compact.header.to_owned(), opened.clone()));
        Ok(opened)
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

    /// Checks the signature.
    pub(super) fn signature(&mut self, compact: &Compact<'_>, opened: &OpenedToken) -> Result<(), Refusal> {
        let bad = |message: String| Refusal::new(Reason::BadSignature, Step::Signature, message);
        let signature =
            decode(compact.signature, Part::Signature, &mut self.buffer).map_err(at(Step::Signature))?;
        if signature.len() != SIGNATURE_BYTES {
            let found = signature.len();
            return Err(bad(format!("the signature has {found} bytes; expected {SIGNATURE_BYTES}")));
        }
        let verifier = &mut self.verifiers[opened.key];
        if verifier.is_none() {
            let made = keys::SignatureVerifier::of(self.implementation, &self.ring.key(opened.key).public);
            *verifier = Some(made.map_err(|error| bad(error.to_string()))?);
        }
        match verifier {
            Some(verifier) if verifier.verify(compact.signing_input(), signature) => Ok(()),
            _ => Err(bad("signature does not match the key named in `kid`".to_owned())),
        }
    }
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
