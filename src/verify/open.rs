//! The way from a token to a payload that somebody signed: split, header, key, signature, payload.

use std::rc::Rc;

use super::header::{Header, Typ, certificates};
use super::in_words;
use super::owner::{Certified, KeyOwner};
use super::policy::Policy;
use super::ring::{KeyFound, KeyRing, did_of};
use super::verdict::{Reason, Refusal, Step};
use crate::json::Parser;
use crate::keys::{
    self, BatchKeys, BatchVerifier, Implementation, PublicKey, SIGNATURE_BYTES, Signature, Signed,
};
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
    /// Whether the header says whose key it is: by a `kid` that is an absolute URL, by certificates, or by leaving it
    /// to whoever names the one key.
    pub(super) names_owner: bool,
    key: TokenKey,
}

/// The key of a token.
#[derive(Debug, Clone)]
enum TokenKey {
    /// The one at this place in the ring.
    Given(usize),
    /// One that came with the token, and that an anchor of the ring vouches for.
    Certified(Rc<Certified>),
}

impl OpenedToken {
    /// The refusal of a signature that is not of this key.
    pub(super) fn mismatch(&self) -> Refusal {
        bad_signature(match self.key {
            TokenKey::Given(_) => "signature does not match the key named in `kid`".to_owned(),
            TokenKey::Certified(_) => "signature does not match the first certificate in `x5c`".to_owned(),
        })
    }
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
        let certificates = match self.ring.anchors().is_empty() {
            true => None,
            false => certificates(document.root())?,
        };
        let names_owner = certificates.is_some() || kid.as_ref().is_none_or(|kid| kid.contains(':'));
        let key = match (certificates, kid) {
            (Some(chain), kid) => TokenKey::Certified(self.certified(&chain, kid.as_deref(), policy)?),
            (None, Some(kid)) => TokenKey::Given(self.find(&kid, policy)?),
            // Whoever names the one key says what `kid` would say.
            (None, None) => TokenKey::Given(self.only_key()?),
        };
        let opened = OpenedToken { typ, names_owner, key };
        self.last = Some((compact.header.to_owned(), opened.clone()));
        Ok(opened)
    }

    /// The key that the certificates of a token certify. Where `kid` names a key that was given, it must be the same.
    fn certified(
        &self,
        chain: &[Vec<u8>],
        kid: Option<&str>,
        policy: &Policy,
    ) -> Result<Rc<Certified>, Refusal> {
        let refuse = |message: String| Refusal::new(Reason::CertificateInvalid, Step::Key, message);
        let found = self.ring.anchors().certified(chain, policy.now);
        let key = found.map_err(|problem| refuse(format!("`x5c` is not accepted: {problem}")))?;
        if let Some(kid) = kid {
            check_named_issuer(kid, policy)?;
            let is_given = self.ring.find(kid, policy.issuer.as_deref()) != KeyFound::None;
            if is_given && self.ring.key(self.find(kid, policy)?).public != key.public {
                return Err(refuse("`kid` names another key than the first certificate in `x5c`".to_owned()));
            }
        }
        let certified = Certified::new(key);
        if certified.first_name.is_empty() {
            return Err(refuse("the first certificate in `x5c` names nobody".to_owned()));
        }
        Ok(Rc::new(certified))
    }

    /// The key of a token that names none: the only one that was given, by itself. None is ever tried out.
    fn only_key(&self) -> Result<usize, Refusal> {
        self.ring.only_key().ok_or_else(|| {
            let message = "the header has no `kid` to name the key; pass its one key with `--key`, or the authority \
                           of its certificates with `--trust-anchor`";
            Refusal::new(Reason::UnknownKid, Step::Header, message)
        })
    }

    /// The key of this name. A name that holds a DID must be one of the issuer asked for, and a key that ended
    /// verifies nothing, however old the token says that it is: who has the key can date a token back.
    fn find(&self, kid: &str, policy: &Policy) -> Result<usize, Refusal> {
        let unknown = |message: String| Refusal::new(Reason::UnknownKid, Step::Key, message);
        check_named_issuer(kid, policy)?;
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

    /// Whose key it is that a header named.
    pub(super) fn owner<'k>(&self, opened: &'k OpenedToken) -> KeyOwner<'k>
    where
        'r: 'k,
    {
        match &opened.key {
            TokenKey::Given(at) => KeyOwner::Issuer(self.ring.key(*at).issuer.as_deref()),
            TokenKey::Certified(certified) => KeyOwner::Certificate(certified),
        }
    }

    /// The key of a token.
    pub(super) fn key<'k>(&self, opened: &'k OpenedToken) -> &'k PublicKey
    where
        'r: 'k,
    {
        match &opened.key {
            TokenKey::Given(at) => &self.ring.key(*at).public,
            TokenKey::Certified(certified) => &certified.key.public,
        }
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
        let is_good = match &opened.key {
            TokenKey::Given(at) => verifier(&mut self.verifiers, self.ring, self.implementation, *at)?
                .verify(compact.signing_input(), signature),
            TokenKey::Certified(certified) => {
                let verifier = keys::SignatureVerifier::of(self.implementation, &certified.key.public);
                verifier.map_err(unusable)?.verify(compact.signing_input(), signature)
            }
        };
        if is_good { Ok(()) } else { Err(opened.mismatch()) }
    }

    /// Checks many signatures, at once where that is wanted.
    pub(super) fn check_all(
        &mut self,
        tokens: &[(&Compact<'_>, &OpenedToken, &Signature)],
    ) -> Vec<Result<(), Refusal>> {
        let in_batch = self.check_batch(tokens);
        let mut in_batch = in_batch.into_iter();
        let one_by_one = tokens.iter().map(|&(compact, opened, signature)| match opened.key {
            TokenKey::Given(_) if self.batch.is_some() => {
                in_batch.next().unwrap_or_else(|| Err(opened.mismatch()))
            }
            _ => self.check(compact, opened, signature),
        });
        one_by_one.collect()
    }

    /// Checks the signatures of given keys at once, and returns what they came to, in their order; nothing where they are
    /// not checked in batches. A key that came with a token is in no batch.
    fn check_batch(
        &mut self,
        tokens: &[(&Compact<'_>, &OpenedToken, &Signature)],
    ) -> Vec<Result<(), Refusal>> {
        let Some(batch) = &mut self.batch else { return Vec::new() };
        let of_given_keys = tokens.iter().filter_map(|&(compact, opened, signature)| match opened.key {
            TokenKey::Given(key) => Some((Signed { key, input: compact.signing_input(), signature }, opened)),
            TokenKey::Certified(_) => None,
        });
        let (signed, opened): (Vec<Signed<'_>>, Vec<&OpenedToken>) = of_given_keys.unzip();
        let mut problems: Vec<Option<Refusal>> = vec![None; signed.len()];
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
        let judged = verdicts.into_iter().zip(problems).zip(opened);
        judged
            .map(|((good, problem), opened)| match good {
                true => Ok(()),
                false => Err(problem.unwrap_or_else(|| opened.mismatch())),
            })
            .collect()
    }
}

/// A name that holds a DID must be one of the issuer asked for.
fn check_named_issuer(kid: &str, policy: &Policy) -> Result<(), Refusal> {
    match (policy.issuer.as_deref(), did_of(kid)) {
        (Some(expected), Some(did)) if expected != did => {
            let message = format!("`kid` is a key of {}; expected one of {expected}", shown(did));
            Err(Refusal::new(Reason::IssuerMismatch, Step::Key, message))
        }
        _ => Ok(()),
    }
}

/// The verifier of a given key, made when it is first asked for.
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
            Ok(place.insert(made.map_err(unusable)?))
        }
    }
}

fn unusable(error: keys::SignError) -> Refusal {
    bad_signature(error.to_string())
}

fn bad_signature(message: String) -> Refusal {
    Refusal::new(Reason::BadSignature, Step::Signature, message)
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
