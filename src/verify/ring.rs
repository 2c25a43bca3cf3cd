//! The keys that a verifier trusts, by the names that tokens call them.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use super::times::{ClaimedTime, date_time};
use super::verdict::Refusal;
use crate::issuer::{Issuer, IssuerError};
use crate::json::{Kind, Parser, Value};
use crate::keys::{AnchorError, BatchKeys, KeyError, PublicKey, TrustAnchors};
use crate::token::{Part, TokenError, parse_object};

/// Why a source of keys cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RingError {
    /// Not one JSON object.
    #[error("it is not a JSON object that every reader reads alike: {0}")]
    Json(TokenError),
    /// Neither a JWK nor a JWK Set.
    #[error("it has no `keys`; expected a JWK Set")]
    NotAJwkSet,
    /// No `id` that is a DID.
    #[error("it has no `id` that is a DID; expected a DID document")]
    NotADidDocument,
    /// Issuer metadata without an issuer.
    #[error("it has no `issuer`; expected the metadata of an issuer")]
    NoIssuer,
    /// Nothing in it signs credentials here.
    #[error("it holds no P-256 key for credentials{0}")]
    NoKey(&'static str),
    /// A key that says that it is P-256, and is not sound.
    #[error("key {name:?} cannot be used: {source}")]
    Key {
        /// Its name, or its place in the set.
        name: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A verification method that does not say clearly until when it may be used.
    #[error("key {name:?} cannot be used: {problem}")]
    Method {
        /// Its id.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two keys of one name.
    #[error("two different keys have the name {kid:?}")]
    TwoKeys {
        /// The name.
        kid: String,
    },
    /// A key under the name of a did:key or did:jwk that holds another key.
    #[error("the key with the name {kid:?} does not match its name")]
    OtherKey {
        /// The name.
        kid: String,
    },
    /// Certificates that cannot be trust anchors.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// An issuer that cannot be one.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

/// A key and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RingKey {
    pub(super) public: PublicKey,
    /// The issuer; none where nobody said.
    pub(super) issuer: Option<String>,
    /// From when on it verifies nothing any more.
    pub(super) end: Option<ClaimedTime>,
}

/// A key that was left out because it cannot be used. Those beside it can (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its name, or its place in the set.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What the search for a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFound {
    /// The place of the key.
    One(usize),
    /// Nobody has given any key that name.
    None,
    /// Several keys have that name, and nothing says which of them is meant.
    Several,
}

/// The keys that a verifier trusts, and the authorities whose certificates it does. A `kid` is looked up byte for byte; it is never taken apart, and never
/// followed anywhere.
///
/// Each key belongs to an issuer where that is known: to the DID of its document, to the DID in its own
/// name, else to the issuer that the caller names. A did:key or did:jwk is its own proof; any other DID is
/// believed because whoever handed over the file says so.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: Vec<RingKey>,
    /// The keys of each name. Only a name without a DID can have several, of several issuers.
    names: HashMap<String, Vec<usize>>,
    skipped: Vec<SkippedKey>,
    /// The keys that were given by themselves: a name of each, which says whose it is where that is known.
    given_alone: Vec<String>,
    /// Who vouches for keys that come with tokens.
    anchors: TrustAnchors,
}

/// A ring whose signatures are checked in batches: its keys, at the same places, and their tables. All verifiers of a run
/// share it.
#[derive(Debug)]
pub struct BatchRing<'r> {
    pub(super) ring: Cow<'r, KeyRing>,
    pub(super) keys: BatchKeys,
}

impl BatchRing<'_> {
    /// The same for verifiers that use no instructions that some processors lack.
    pub fn portable(self) -> Self {
        BatchRing { keys: self.keys.portable(), ..self }
    }
}

/// What a key that is added brings along.
#[derive(Clone, Copy)]
struct New<'k> {
    public: &'k PublicKey,
    issuer: Option<&'k str>,
    end: Option<ClaimedTime>,
}

impl KeyRing {
    /// Adds the keys of a JWK Set (RFC 7517 section 5). Keys of other kinds are skipped, and so, with a word
    /// in [`KeyRing::take_skipped`], are unsound ones.
    ///
    /// # Errors
    /// Where no key is left, one is private, or two of one name contradict each other.
    pub fn add_jwks(&mut self, text: &str, issuer: Option<&str>) -> Result<(), RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        let keys = document.root().member("keys").filter(|keys| keys.kind() == Kind::Array);
        let mut count = Count::default();
        for (number, key) in keys.ok_or(RingError::NotAJwkSet)?.elements().enumerate() {
            let kid = key.member("kid").and_then(Value::as_str);
            let name = kid.as_deref().map_or_else(|| format!("number {number}"), str::to_owned);
            if let Some(public) = self.usable(key, name, &mut count)? {
                let kid = kid.map_or_else(|| public.thumbprint().to_owned(), |kid| kid.into_owned());
                self.add(&kid, New { public: &public, issuer, end: None })?;
            }
        }
        count.check("")
    }

    /// Adds the keys of a JWK Set, or of an https issuer's metadata, which hold one.
    pub fn add_jwks_or_metadata(&mut self, text: &str, issuer: Option<&str>) -> Result<(), RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        let has = |name: &str| document.root().member(name).is_some();
        match !has("keys") && has("issuer") && has("jwks") {
            true => self.add_issuer_metadata(text).map(|_| ()),
            false => self.add_jwks(text, issuer),
        }
    }

    /// Adds the keys of an https issuer's metadata (SD-JWT VC, "JWT VC Issuer Metadata"), and returns the issuer.
    /// Keys that it only points to are not fetched.
    pub fn add_issuer_metadata(&mut self, text: &str) -> Result<String, RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        let issuer = document.root().member("issuer").and_then(Value::as_str).ok_or(RingError::NoIssuer)?;
        let jwks = document.root().member("jwks").ok_or(RingError::NotAJwkSet)?;
        self.add_jwks(jwks.text(), Some(&issuer))?;
        Ok(issuer.into_owned())
    }

    /// Adds the assertion methods of a DID document (DID Core section 5.3.2), and returns its DID.
    ///
    /// Methods that are not of this DID, or not for assertions, are skipped: a key for logging in
    /// issues no credentials.
    pub fn add_did_document(&mut self, text: &str) -> Result<String, RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        // A DID resolution result has the document inside (DID Resolution 1.0).
        let root = document.root();
        let root = root.member("didDocument").filter(|inner| inner.kind() == Kind::Object).unwrap_or(root);
        let did = root.member("id").and_then(Value::as_str).filter(|id| id.starts_with("did:"));
        let did = did.ok_or(RingError::NotADidDocument)?.into_owned();
        let methods: Vec<Value<'_>> =
            root.member("verificationMethod").map_or_else(Vec::new, |methods| methods.elements().collect());
        let asserting =
            root.member("assertionMethod").map_or_else(Vec::new, |list| list.elements().collect());
        let mut count = Count::default();
        for reference in asserting {
            let Some(id) = reference.as_str().map(|id| absolute(&did, &id)) else {
                self.add_method(&did, reference, &mut count)?;
                continue;
            };
            // All of that name: two that hold different keys are a contradiction.
            for method in methods.iter().filter(|method| method_id(&did, **method).as_deref() == Some(&id)) {
                self.add_method(&did, *method, &mut count)?;
            }
        }
        count.check(" among its assertion methods").map(|()| did)
    }

    fn add_method(&mut self, did: &str, method: Value<'_>, count: &mut Count) -> Result<(), RingError> {
        let (jwk, multibase) = (method.member("publicKeyJwk"), text(method, "publicKeyMultibase"));
        let Some(id) = method_id(did, method).filter(|_| jwk.is_some() || multibase.is_some()) else {
            return Ok(());
        };
        if did_of(&id) != Some(did) || text(method, "controller").as_deref() != Some(did) {
            return Ok(());
        }
        let end = match end_of(method) {
            Ok(end) => end,
            Err(problem) => {
                let problem = problem.message;
                self.skip(id.clone(), problem.clone());
                count.first_problem.get_or_insert(RingError::Method { name: id, problem });
                return Ok(());
            }
        };
        let public = match (jwk, multibase) {
            (Some(jwk), _) => self.usable(jwk, id.clone(), count)?,
            (None, multibase) => of_multikey(&multibase.unwrap_or_default(), count),
        };
        let Some(public) = public else { return Ok(()) };
        let new = New { public: &public, issuer: Some(did), end };
        self.add(&id, new)?;
        // Some issuers call the key by the JWK's own name, where `iss` says the rest.
        match jwk.and_then(|jwk| text(jwk, "kid")) {
            Some(name) if did_of(&name).is_none() && !name.is_empty() => self.name(&name, new),
            _ => {}
        }
        Ok(())
    }

    /// The key of a JWK, unless it is of a kind that has no part in this, or unsound.
    fn usable(
        &mut self,
        jwk: Value<'_>,
        name: String,
        count: &mut Count,
    ) -> Result<Option<PublicKey>, RingError> {
        let other_use = text(jwk, "use").is_some_and(|purpose| purpose != "sig")
            || text(jwk, "alg").is_some_and(|alg| alg != "ES256")
            || text(jwk, "crv").is_some_and(|curve| curve != "P-256")
            || text(jwk, "kty").is_none_or(|kind| kind != "EC");
        if other_use {
            return Ok(None);
        }
        match PublicKey::from_jwk_json(jwk.text()) {
            Ok(public) => {
                count.added += 1;
                Ok(Some(public))
            }
            // A private key that was handed out is nothing to pass over.
            Err(source) if jwk.member("d").is_some() => Err(RingError::Key { name, source }),
            Err(source) => {
                self.skip(name.clone(), source.to_string());
                count.first_problem.get_or_insert(RingError::Key { name, source });
                Ok(None)
            }
        }
    }

    fn skip(&mut self, name: String, problem: String) {
        self.skipped.push(SkippedKey { name, problem });
    }

    /// The keys that were skipped since this was last asked.
    pub fn take_skipped(&mut self) -> Vec<SkippedKey> {
        std::mem::take(&mut self.skipped)
    }

    /// Adds one public key, PEM or JWK.
    ///
    /// It is found by the JWK's `kid`, by its thumbprint, and by the name that it has as a key of `issuer`;
    /// without an issuer, by the names that it has as did:key and did:jwk.
    pub fn add_key(&mut self, bytes: &[u8], issuer: Option<&str>) -> Result<(), RingError> {
        let public =
            PublicKey::parse(bytes).map_err(|source| RingError::Key { name: "given".into(), source })?;
        let mut parser = Parser::default();
        let jwk = std::str::from_utf8(bytes).ok().and_then(|text| parser.parse(text).ok());
        let kid = jwk.and_then(|jwk| jwk.root().member("kid")).and_then(Value::as_str);
        // A DID in its name says whose it is, also where a token names no key. Its own did:key and did:jwk say nothing:
        // every key has them.
        let says_whose = |kid: &&str| did_of(kid).is_some_and(|did| !holds_its_key(did));
        let own_name = kid.as_deref().filter(says_whose).filter(|_| issuer.is_none());
        self.given_alone.push(own_name.unwrap_or(public.thumbprint()).to_owned());
        let new = New { public: &public, issuer, end: None };
        match issuer {
            Some(issuer) => self.add(Issuer::parse(issuer, &public)?.kid(), new)?,
            None => self.add_own_names(&public)?,
        }
        self.name(public.thumbprint(), new);
        match kid.as_deref() {
            Some(kid) => self.add(kid, new),
            None => Ok(()),
        }
    }

    /// Adds the key inside a did:key or did:jwk; other DIDs hold none, and nothing is added.
    pub fn add_did(&mut self, did: &str) -> Result<(), RingError> {
        let Some(public) = PublicKey::from_did(did) else { return Ok(()) };
        let new = New { public: &public, issuer: None, end: None };
        match did.starts_with("did:key:") {
            true => self.add(Issuer::of_key(&public).kid(), new),
            false => self.add(&format!("{did}#0"), new),
        }
    }

    /// Adds a key under this name, for this issuer.
    pub fn add_named(&mut self, kid: &str, public: &PublicKey, issuer: &str) -> Result<(), RingError> {
        self.add(kid, New { public, issuer: Some(issuer), end: None })
    }

    fn add_own_names(&mut self, public: &PublicKey) -> Result<(), RingError> {
        let new = New { public, issuer: None, end: None };
        self.add(Issuer::of_key(public).kid(), new)?;
        self.add(&format!("{}#0", public.did_jwk()), new)
    }

    /// Gives a key a name; a DID in the name says whose it is.
    ///
    /// It is then also found by the fragment of that name, with and without its `#`: a DID URL that is relative
    /// to the issuer (DID Core section 3.2.2).
    fn add(&mut self, kid: &str, new: New<'_>) -> Result<(), RingError> {
        let Some((did, fragment)) = did_of(kid).zip(kid.split_once('#').map(|(_, fragment)| fragment)) else {
            self.name(kid, new);
            return Ok(());
        };
        if holds_its_key(did) && PublicKey::from_did(did).as_ref() != Some(new.public) {
            return Err(RingError::OtherKey { kid: kid.to_owned() });
        }
        let known = self.names.get(kid).and_then(|keys| keys.first());
        if known.is_some_and(|&at| self.keys[at].public != *new.public) {
            return Err(RingError::TwoKeys { kid: kid.to_owned() });
        }
        let new = New { issuer: Some(did), ..new };
        for name in [kid, fragment, &format!("#{fragment}")] {
            self.name(name, new);
        }
        Ok(())
    }

    /// Gives a key a name, beside other keys that have it.
    fn name(&mut self, kid: &str, new: New<'_>) {
        let keys = self.names.entry(kid.to_owned()).or_default();
        let same = keys.iter().copied().find(|&at| {
            let known = &self.keys[at];
            let one_issuer =
                known.issuer.is_none() || new.issuer.is_none() || known.issuer.as_deref() == new.issuer;
            known.public == *new.public && one_issuer
        });
        let issuer = new.issuer.map(str::to_owned);
        match same.map(|at| &mut self.keys[at]) {
            Some(known) => {
                known.issuer = known.issuer.take().or(issuer);
                // The earlier of two ends: a key that was revoked stays so.
                known.end = known.end.into_iter().chain(new.end).min_by_key(|end| end.seconds);
            }
            None => {
                keys.push(self.keys.len());
                self.keys.push(RingKey { public: new.public.clone(), issuer, end: new.end });
            }
        }
    }

    /// Trusts the authorities of these PEM certificates: keys that they certify are then taken from the `x5c` of tokens.
    pub fn add_trust_anchors(&mut self, pem: &[u8]) -> Result<(), RingError> {
        Ok(self.anchors.add_pem(pem)?)
    }

    /// Who vouches for keys that come with tokens.
    pub(super) fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// Whether there is no key, and nobody who vouches for keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.anchors.is_empty()
    }

    /// The key of this name, of this issuer where one is asked for. A key whose issuer nobody knows may be
    /// anybody's, but not where the issuer has one of that name.
    pub(super) fn find(&self, kid: &str, issuer: Option<&str>) -> KeyFound {
        let all = self.names.get(kid).map_or(&[][..], Vec::as_slice);
        let of_issuer = |at: &&usize| issuer.is_some() && self.keys[**at].issuer.as_deref() == issuer;
        let mut own = all.iter().filter(of_issuer);
        match (own.next(), own.next(), all) {
            (Some(&at), None, _) | (None, _, &[at]) => KeyFound::One(at),
            (None, _, []) => KeyFound::None,
            _ => KeyFound::Several,
        }
    }

    /// The only key there is, where it was given by itself and not in a set.
    pub(super) fn only_key(&self) -> Option<usize> {
        let [name] = self.given_alone.as_slice() else { return None };
        let at = *self.names.get(name)?.first()?;
        self.keys.iter().all(|key| key.public == self.keys[at].public).then_some(at)
    }

    pub(super) fn key(&self, at: usize) -> &RingKey {
        &self.keys[at]
    }

    /// The ring for verifiers that check signatures in batches. It can take no more keys.
    pub fn for_batches(&self) -> BatchRing<'_> {
        BatchRing { ring: Cow::Borrowed(self), keys: self.batch_keys() }
    }

    /// The same, for whoever needs the ring for nothing else.
    pub fn into_batches(self) -> BatchRing<'static> {
        BatchRing { keys: self.batch_keys(), ring: Cow::Owned(self) }
    }

    fn batch_keys(&self) -> BatchKeys {
        BatchKeys::new(self.keys.iter().map(|key| &key.public))
    }

    /// How many keys there are, counted once for each name.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The P-256 key of a Multikey (Controlled Identifiers 1.0 section 2.2.2), which is spelt as in a did:key; none for keys
/// of other kinds.
fn of_multikey(multibase: &str, count: &mut Count) -> Option<PublicKey> {
    let public = PublicKey::from_did(&format!("did:key:{multibase}"))?;
    count.added += 1;
    Some(public)
}

/// How many keys a file gave, and what was wrong with the first that could not be used.
#[derive(Default)]
struct Count {
    added: usize,
    first_problem: Option<RingError>,
}

impl Count {
    /// A file without any usable key is refused for the reason that says most.
    fn check(self, place: &'static str) -> Result<(), RingError> {
        match (self.added, self.first_problem) {
            (0, Some(problem)) => Err(problem),
            (0, None) => Err(RingError::NoKey(place)),
            _ => Ok(()),
        }
    }
}

/// From when on a verification method must not be used: the earlier of `expires` and `revoked` (Controlled
/// Identifiers 1.0 section 2.2).
fn end_of(method: Value<'_>) -> Result<Option<ClaimedTime>, Refusal> {
    let mut end: Option<ClaimedTime> = None;
    for name in ["expires", "revoked"] {
        if let Some(value) = method.member(name) {
            let found = date_time(name, value)?;
            end = end.filter(|end| end.seconds <= found.seconds).or(Some(found));
        }
    }
    Ok(end)
}

/// Whether a DID is one of those that are a key.
fn holds_its_key(did: &str) -> bool {
    did.starts_with("did:key:") || did.starts_with("did:jwk:")
}

/// The DID in front of a DID URL's fragment; none where the name is something else.
pub(super) fn did_of(kid: &str) -> Option<&str> {
    let (did, fragment) = kid.split_once('#')?;
    (did.starts_with("did:") && !fragment.is_empty() && !did.contains(['/', '?'])).then_some(did)
}

fn text<'d>(object: Value<'d>, name: &str) -> Option<Cow<'d, str>> {
    object.member(name).and_then(Value::as_str)
}

fn method_id(did: &str, method: Value<'_>) -> Option<String> {
    method.member("id").and_then(Value::as_str).map(|id| absolute(did, &id))
}

/// A DID URL that is relative to its document (DID Core section 3.2.2) in full.
fn absolute(did: &str, id: &str) -> String {
    if id.starts_with('#') { format!("{did}{id}") } else { id.to_owned() }
}
