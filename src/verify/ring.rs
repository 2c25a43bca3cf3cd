//! The keys that a verifier trusts, by the names that tokens call them.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use crate::issuer::{Issuer, IssuerError};
use crate::json::{Kind, Parser, Value};
use crate::keys::{KeyError, PublicKey};
use crate::token::{Part, TokenError, parse_object};

/// Why a source of keys cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RingError {
    /// Not one JSON object.
    #[error("it is no JSON object that every reader takes alike: {0}")]
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
    /// Two keys of one name.
    #[error("two different keys have the name {kid:?}")]
    TwoKeys {
        /// The name.
        kid: String,
    },
    /// A key under the name of a did:key or did:jwk that holds another key.
    #[error("the key with the name {kid:?} is another one than the name says")]
    OtherKey {
        /// The name.
        kid: String,
    },
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
}

/// The keys that a verifier trusts. A `kid` is looked up byte for byte; it is never taken apart, and never
/// followed anywhere.
///
/// Each key belongs to an issuer where that is known: to the DID of its document, to the DID in its own
/// name, else to the issuer that the caller names. A did:key or did:jwk is its own proof; any other DID is
/// believed because whoever handed over the file says so.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: Vec<RingKey>,
    /// `None` for a name without a DID that two issuers have given to different keys.
    names: HashMap<String, Option<usize>>,
}

impl KeyRing {
    /// Adds the keys of a JWK Set (RFC 7517 section 5). Keys of other kinds are passed over.
    pub fn add_jwks(&mut self, text: &str, issuer: Option<&str>) -> Result<(), RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        let keys = document.root().member("keys").filter(|keys| keys.kind() == Kind::Array);
        let mut added = 0;
        for (number, key) in keys.ok_or(RingError::NotAJwkSet)?.elements().enumerate() {
            let kid = key.member("kid").and_then(Value::as_str);
            let name = kid.as_deref().map_or_else(|| format!("number {number}"), str::to_owned);
            if let Some(public) = usable(key, name)? {
                let kid = kid.map_or_else(|| public.thumbprint().to_owned(), |kid| kid.into_owned());
                self.add(&kid, &public, issuer)?;
                added += 1;
            }
        }
        if added == 0 { Err(RingError::NoKey("")) } else { Ok(()) }
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
    /// Methods that are not of this DID, or not for assertions, are passed over: a key for logging in
    /// issues no credentials.
    pub fn add_did_document(&mut self, text: &str) -> Result<String, RingError> {
        let mut parser = Parser::default();
        let document = parse_object(text, Part::Payload, &mut parser).map_err(RingError::Json)?;
        let root = document.root();
        let did = root.member("id").and_then(Value::as_str).filter(|id| id.starts_with("did:"));
        let did = did.ok_or(RingError::NotADidDocument)?.into_owned();
        let methods: Vec<Value<'_>> =
            root.member("verificationMethod").map_or_else(Vec::new, |methods| methods.elements().collect());
        let asserting =
            root.member("assertionMethod").map_or_else(Vec::new, |list| list.elements().collect());
        let mut added = 0;
        for reference in asserting {
            let method = match reference.as_str() {
                None => Some(reference),
                Some(id) => {
                    let id = absolute(&did, &id);
                    methods.iter().copied().find(|method| method_id(&did, *method).as_deref() == Some(&id))
                }
            };
            added += usize::from(self.add_method(&did, method)?);
        }
        if added == 0 { Err(RingError::NoKey(" among its assertion methods")) } else { Ok(did) }
    }

    fn add_method(&mut self, did: &str, method: Option<Value<'_>>) -> Result<bool, RingError> {
        let Some(method) = method else { return Ok(false) };
        let (Some(id), Some(jwk)) = (method_id(did, method), method.member("publicKeyJwk")) else {
            return Ok(false);
        };
        let of_this_did = did_of(&id) == Some(did) && text(method, "controller").as_deref() == Some(did);
        if !of_this_did {
            return Ok(false);
        }
        let Some(public) = usable(jwk, id.clone())? else { return Ok(false) };
        self.add(&id, &public, Some(did))?;
        // Some issuers call the key by its fragment, or by the JWK's own name, where `iss` says the rest.
        let fragment = id.split_once('#').map(|(_, fragment)| fragment.to_owned());
        for name in fragment.into_iter().chain(text(jwk, "kid").map(|kid| kid.into_owned())) {
            if did_of(&name).is_none() && !name.is_empty() {
                self.name(&name, &public, Some(did));
            }
        }
        Ok(true)
    }

    /// Adds one public key, PEM or JWK.
    ///
    /// It is found by the JWK's `kid`, by its thumbprint, and by the name that it has as a key of `issuer`;
    /// without an issuer, by the names that it has as did:key and did:jwk.
    pub fn add_key(&mut self, bytes: &[u8], issuer: Option<&str>) -> Result<(), RingError> {
        let public =
            PublicKey::parse(bytes).map_err(|source| RingError::Key { name: "given".into(), source })?;
        match issuer {
            Some(issuer) => self.add(Issuer::parse(issuer, &public)?.kid(), &public, Some(issuer))?,
            None => self.add_own_names(&public)?,
        }
        self.name(public.thumbprint(), &public, issuer);
        let mut parser = Parser::default();
        let jwk = std::str::from_utf8(bytes).ok().and_then(|text| parser.parse(text).ok());
        match jwk.and_then(|jwk| jwk.root().member("kid")).and_then(Value::as_str) {
            Some(kid) => self.add(&kid, &public, issuer),
            None => Ok(()),
        }
    }

    /// Adds the key inside a did:key or did:jwk; other DIDs hold none, and nothing is added.
    pub fn add_did(&mut self, did: &str) -> Result<(), RingError> {
        match PublicKey::from_did(did) {
            Some(public) if did.starts_with("did:key:") => {
                self.add(Issuer::of_key(&public).kid(), &public, None)
            }
            Some(public) => self.add(&format!("{did}#0"), &public, None),
            None => Ok(()),
        }
    }

    /// Adds a key under this name, for this issuer.
    pub fn add_named(&mut self, kid: &str, public: &PublicKey, issuer: &str) -> Result<(), RingError> {
        self.add(kid, public, Some(issuer))
    }

    fn add_own_names(&mut self, public: &PublicKey) -> Result<(), RingError> {
        self.add(Issuer::of_key(public).kid(), public, None)?;
        self.add(&format!("{}#0", public.did_jwk()), public, None)
    }

    /// Gives a key a name; a DID in the name says whose it is.
    fn add(&mut self, kid: &str, public: &PublicKey, issuer: Option<&str>) -> Result<(), RingError> {
        let Some(did) = did_of(kid) else {
            self.name(kid, public, issuer);
            return Ok(());
        };
        let holds_its_key = did.starts_with("did:key:") || did.starts_with("did:jwk:");
        if holds_its_key && PublicKey::from_did(did).as_ref() != Some(public) {
            return Err(RingError::OtherKey { kid: kid.to_owned() });
        }
        match self.name(kid, public, Some(did)) {
            true => Ok(()),
            false => Err(RingError::TwoKeys { kid: kid.to_owned() }),
        }
    }

    /// Gives a key a name, unless that name is another's: then it is nobody's, and the answer is `false`.
    fn name(&mut self, kid: &str, public: &PublicKey, issuer: Option<&str>) -> bool {
        let known = self.names.get(kid).copied();
        match known {
            Some(None) => false,
            Some(Some(at)) if self.keys[at].public == *public => {
                let known = &mut self.keys[at].issuer;
                match (known.as_deref(), issuer) {
                    (Some(known), Some(issuer)) if known != issuer => {
                        self.names.insert(kid.to_owned(), None);
                        false
                    }
                    (None, Some(issuer)) => {
                        *known = Some(issuer.to_owned());
                        true
                    }
                    _ => true,
                }
            }
            Some(Some(_)) => {
                self.names.insert(kid.to_owned(), None);
                false
            }
            None => {
                self.names.insert(kid.to_owned(), Some(self.keys.len()));
                self.keys.push(RingKey { public: public.clone(), issuer: issuer.map(str::to_owned) });
                true
            }
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The place of the key of this name.
    pub(super) fn find(&self, kid: &str) -> Option<usize> {
        self.names.get(kid).copied().flatten()
    }

    pub(super) fn key(&self, at: usize) -> &RingKey {
        &self.keys[at]
    }

    /// How many keys there are, counted once for each name.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The key of a JWK, unless it is of a kind that has no part in this.
fn usable(jwk: Value<'_>, name: String) -> Result<Option<PublicKey>, RingError> {
    let other_use = text(jwk, "use").is_some_and(|purpose| purpose != "sig")
        || text(jwk, "alg").is_some_and(|alg| alg != "ES256")
        || text(jwk, "crv").is_some_and(|curve| curve != "P-256")
        || text(jwk, "kty").is_none_or(|kind| kind != "EC");
    if other_use {
        return Ok(None);
    }
    PublicKey::from_jwk_json(jwk.text()).map(Some).map_err(|source| RingError::Key { name, source })
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
