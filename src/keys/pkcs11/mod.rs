//! Keys in PKCS#11 modules: hardware security modules, smart cards, SoftHSM.
//!
//! A [`ModuleUri`] says which key. The token is logged in to once, in a session that stays open as long as the key; each
//! worker has a session of its own, which shares the login. A worker signs a test message first, so that a key that does
//! not sign, or is not the one whose public half is known, is found before anything is recorded. Every signature is
//! verified before it is used.
//!
//! Nothing is tried again: a token that is removed, or a session that is lost, ends the run, and a repeat under the run's
//! key goes on from there. A PIN that is wrong is not tried a second time, because tokens count that.

mod module;
mod uri;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use thiserror::Error;
use zeroize::Zeroizing;

use super::made_elsewhere::SignatureCheck;
use super::signing::{SIGNATURE_BYTES, SignError, Signature, Signer, SigningKey, TEST_MESSAGE};
use super::verifier::sha256;
use super::{BatchKeys, PublicKey};
use module::{Module, in_words};
pub use uri::{ModuleUri, TokenTerms, UriProblem};

/// The object identifier of P-256, in DER: 1.2.840.10045.3.1.7.
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// The length of a point, uncompressed.
const POINT_BYTES: usize = 65;
/// The length of the id that a new key gets where none is asked for.
const NEW_ID_BYTES: usize = 8;

/// Gives the PIN of a token, by the token's label; `None` where nobody has said it. Called at most once.
pub type Pin<'a> = &'a mut dyn FnMut(&str) -> Result<Option<Zeroizing<String>>, PinSourceError>;

/// Why a PIN cannot be read from where it should come from.
pub type PinSourceError = Box<dyn std::error::Error + Send + Sync>;

/// Why a key in a module cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The module cannot be loaded or initialized.
    #[error("cannot use the PKCS#11 module {}: {reason}", path.display())]
    Module {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// None of the module's tokens is the one that is meant, or several are.
    #[error(
        "{found} tokens of the module are the one that the URI names; expected one (its tokens: {labels})"
    )]
    Token {
        /// How many.
        found: usize,
        /// The labels of all tokens.
        labels: String,
    },
    /// Nobody has said the PIN.
    #[error("the token needs a PIN, and none was given")]
    NoPin,
    /// The PIN cannot be read.
    #[error("cannot read the PIN")]
    PinUnreadable(#[source] PinSourceError),
    /// The token is not open to users.
    #[error("cannot log in to the token: {0}")]
    Login(String),
    /// There is no such key, or there are several.
    #[error("{found} private keys of the token are the one that the URI names; expected one P-256 key")]
    Key {
        /// How many.
        found: usize,
    },
    /// The public half is not in the token.
    #[error("the token does not have the public half of the key")]
    NoPublicHalf,
    /// The key is not P-256.
    #[error("the key is not a P-256 key")]
    OtherKind,
    /// A key that would be made is there.
    #[error("the token already has a key of this name")]
    Exists,
    /// Keys are made with a label.
    #[error("the URI has no object; expected the label that the new key gets")]
    NoLabel,
    /// No random numbers for the id of a new key.
    #[error("the operating system's random generator failed")]
    Random(#[from] getrandom::Error),
    /// Something else.
    #[error("cannot {action}: {reason}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// Why not.
        reason: String,
    },
}

/// Names what was tried, where the module refuses.
fn refused(action: &'static str) -> impl Fn(Error) -> ModuleError {
    move |error| ModuleError::Refused { action, reason: in_words(&error) }
}

/// A key in a module, logged in to.
#[derive(Debug)]
pub struct ModuleKey {
    token: Token,
    uri: ModuleUri,
    public: PublicKey,
    keys: Arc<BatchKeys>,
}

impl ModuleKey {
    /// Finds the key, and logs in. `public` is its public half, where that is not in the token.
    ///
    /// # Errors
    /// See [`ModuleError`].
    pub fn open(uri: &ModuleUri, pin: Pin<'_>, public: Option<PublicKey>) -> Result<ModuleKey, ModuleError> {
        let token = Token::open(uri, pin)?;
        let key = token.with_session(|session| {
            let key = private_key(session, uri)?;
            match public {
                Some(public) => Ok(public),
                None => public_half(session, key),
            }
        })?;
        let keys = Arc::new(BatchKeys::new([&key]));
        Ok(ModuleKey { token, uri: uri.clone(), public: key, keys })
    }

    /// Makes a P-256 key in the token that cannot be taken out of it, and gives its public half.
    ///
    /// # Errors
    /// See [`ModuleError`]. A key of this label, or of this id, is never replaced.
    pub fn generate(uri: &ModuleUri, pin: Pin<'_>) -> Result<PublicKey, ModuleError> {
        let label = uri.object.clone().ok_or(ModuleError::NoLabel)?.into_bytes();
        let token = Token::open(uri, pin)?;
        token.with_session(|session| {
            if !find(session, &template_of(ObjectClass::PRIVATE_KEY, uri))?.is_empty() {
                return Err(ModuleError::Exists);
            }
            Ok(())
        })?;
        let id = match &uri.id {
            Some(id) => id.clone(),
            None => {
                let mut id = vec![0; NEW_ID_BYTES];
                getrandom::fill(&mut id)?;
                id
            }
        };
        let session = token.module.context.open_rw_session(token.slot).map_err(refused("open a session"))?;
        let named = [Attribute::Token(true), Attribute::Label(label), Attribute::Id(id)];
        let of_public =
            [Attribute::Private(false), Attribute::Verify(true), Attribute::EcParams(P256_OID.to_vec())];
        let of_private = [
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        let (public, _) = session
            .generate_key_pair(
                &Mechanism::EccKeyPairGen,
                &[&named[..], &of_public].concat(),
                &[&named[..], &of_private].concat(),
            )
            .map_err(refused("make a key in the token"))?;
        point_of(&session, public)
    }
}

impl SigningKey for ModuleKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let cannot_use =
            |error: ModuleError| SignError::new("the key in the PKCS#11 module cannot be used", error);
        let session = self.token.session().map_err(cannot_use)?;
        let key = private_key(&session, &self.uri).map_err(cannot_use)?;
        let check = SignatureCheck::new(&self.public, &self.keys)?;
        let module = Arc::clone(&self.token.module);
        let mut signer = ModuleSigner { session, _module: module, key, check };
        signer.sign(&[TEST_MESSAGE], &mut [[0; SIGNATURE_BYTES]])?;
        Ok(Box::new(signer))
    }

    fn is_elsewhere(&self) -> bool {
        true
    }
}

/// A worker's session. It is closed before the module is let go.
struct ModuleSigner {
    session: Session,
    _module: Arc<Module>,
    key: ObjectHandle,
    check: SignatureCheck,
}

impl Signer for ModuleSigner {
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError> {
        debug_assert_eq!(messages.len(), signatures.len());
        let digests: Vec<_> = messages.iter().map(|message| sha256(message)).collect();
        for (digest, signature) in digests.iter().zip(signatures.iter_mut()) {
            let made = self.session.sign(&Mechanism::Ecdsa, self.key, digest).map_err(|error| {
                SignError::said(format!("the PKCS#11 module made no signature: {}", in_words(&error)))
            })?;
            *signature = made.try_into().map_err(|made: Vec<u8>| {
                let found = made.len();
                SignError::said(format!("the PKCS#11 module made a signature of {found} bytes; expected 64"))
            })?;
        }
        match self.check.first_bad(messages, &digests, signatures) {
            None => Ok(()),
            Some(_) => Err(SignError::said(
                "the PKCS#11 module made a signature that does not verify with the public key",
            )),
        }
    }
}

/// A token that is logged in to, as long as its first session is open.
#[derive(Debug)]
struct Token {
    first: Mutex<Session>,
    module: Arc<Module>,
    slot: Slot,
}

impl Token {
    fn open(uri: &ModuleUri, pin: Pin<'_>) -> Result<Token, ModuleError> {
        let module = Module::at(&uri.module_path).map_err(|error| ModuleError::Module {
            path: uri.module_path.clone(),
            reason: in_words(&error),
        })?;
        let (slot, info) = the_token(&module, &uri.token)?;
        let first = module.context.open_ro_session(slot).map_err(refused("open a session"))?;
        if info.login_required() {
            log_in(&first, &info, pin)?;
        }
        Ok(Token { first: Mutex::new(first), module, slot })
    }

    fn session(&self) -> Result<Session, ModuleError> {
        self.module.context.open_ro_session(self.slot).map_err(refused("open a session"))
    }

    fn with_session<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, ModuleError>,
    ) -> Result<T, ModuleError> {
        work(&self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The one token that says of itself what it must.
fn the_token(module: &Module, terms: &TokenTerms) -> Result<(Slot, TokenInfo), ModuleError> {
    let slots = module.context.get_slots_with_token().map_err(refused("list the tokens"))?;
    let info = |slot: Slot| Some((slot, module.context.get_token_info(slot).ok()?));
    let mut tokens: Vec<_> =
        slots.into_iter().filter_map(info).filter(|(_, info)| info.token_initialized()).collect();
    let labels: Vec<String> = tokens.iter().map(|(_, info)| format!("\"{}\"", info.label())).collect();
    tokens.retain(|(_, info)| is_meant(info, terms));
    match tokens.len() {
        1 => Ok(tokens.remove(0)),
        found => Err(ModuleError::Token {
            found,
            labels: if labels.is_empty() { "none".to_owned() } else { labels.join(", ") },
        }),
    }
}

fn is_meant(info: &TokenInfo, terms: &TokenTerms) -> bool {
    let fits = |term: &Option<String>, said: &str| term.as_deref().is_none_or(|term| term == said);
    fits(&terms.label, info.label())
        && fits(&terms.serial, info.serial_number())
        && fits(&terms.manufacturer, info.manufacturer_id())
        && fits(&terms.model, info.model())
}

fn log_in(session: &Session, info: &TokenInfo, pin: Pin<'_>) -> Result<(), ModuleError> {
    if info.user_pin_locked() {
        return Err(ModuleError::Login("the PIN is locked".to_owned()));
    }
    let pin = match pin(info.label()).map_err(ModuleError::PinUnreadable)? {
        Some(pin) => Some(AuthPin::from(take(pin))),
        // A reader with keys of its own asks there.
        None if info.protected_authentication_path() => None,
        None => return Err(ModuleError::NoPin),
    };
    match session.login(UserType::User, pin.as_ref()) {
        // By another key of the same token.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(ModuleError::Login(in_words(&error))),
    }
}

/// The text of a PIN without a copy of it that would not be wiped.
fn take(mut pin: Zeroizing<String>) -> String {
    std::mem::take(&mut *pin)
}

/// What an object must have to be the one of this URI.
fn template_of(class: ObjectClass, uri: &ModuleUri) -> Vec<Attribute> {
    let mut template = vec![Attribute::Class(class)];
    template.extend(uri.object.clone().map(|label| Attribute::Label(label.into_bytes())));
    template.extend(uri.id.clone().map(Attribute::Id));
    template
}

fn find(session: &Session, template: &[Attribute]) -> Result<Vec<ObjectHandle>, ModuleError> {
    session.find_objects(template).map_err(refused("look for the key in the token"))
}

/// The one private key of this URI.
fn private_key(session: &Session, uri: &ModuleUri) -> Result<ObjectHandle, ModuleError> {
    let mut template = template_of(ObjectClass::PRIVATE_KEY, uri);
    template.push(Attribute::KeyType(KeyType::EC));
    match find(session, &template)?[..] {
        [key] => Ok(key),
        ref keys => Err(ModuleError::Key { found: keys.len() }),
    }
}

/// The public half of a private key: the public key of the same id or, where keys have none, of the same label.
fn public_half(session: &Session, key: ObjectHandle) -> Result<PublicKey, ModuleError> {
    let names = session
        .get_attributes(key, &[AttributeType::Id, AttributeType::Label])
        .map_err(refused("read the names of the key"))?;
    let id = names.iter().find(|name| matches!(name, Attribute::Id(id) if !id.is_empty()));
    let label = names.iter().find(|name| matches!(name, Attribute::Label(label) if !label.is_empty()));
    let name = id.or(label).ok_or(ModuleError::NoPublicHalf)?;
    let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(KeyType::EC), name.clone()];
    match find(session, &template)?[..] {
        [public] => point_of(session, public),
        _ => Err(ModuleError::NoPublicHalf),
    }
}

fn point_of(session: &Session, public: ObjectHandle) -> Result<PublicKey, ModuleError> {
    let attributes = session
        .get_attributes(public, &[AttributeType::EcParams, AttributeType::EcPoint])
        .map_err(refused("read the public half of the key"))?;
    let mut point = None;
    for attribute in attributes {
        match attribute {
            Attribute::EcParams(curve) if curve != P256_OID => return Err(ModuleError::OtherKind),
            Attribute::EcPoint(bytes) => point = Some(bytes),
            _ => {}
        }
    }
    // An OCTET STRING around the point; some modules leave that out.
    let point = point.ok_or(ModuleError::NoPublicHalf)?;
    let bare = point.strip_prefix(&[0x04, POINT_BYTES as u8]).filter(|bare| bare.len() == POINT_BYTES);
    PublicKey::from_sec1(bare.unwrap_or(&point)).ok_or(ModuleError::OtherKind)
}
