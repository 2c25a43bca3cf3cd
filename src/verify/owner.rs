//! Whose a key is: of the issuer to whom it was given, or of whoever its certificate names.

use super::open::shown;
use super::policy::Policy;
use super::verdict::{Reason, Refusal, Step};
use crate::issuer::certified::{first_named, is_named, names_in_words};
use crate::keys::{CertificateNames, CertifiedKey, PublicKey};

/// A key from the `x5c` of a token.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) key: CertifiedKey,
    /// Whose it is where a token does not say.
    pub(super) first_name: String,
}

impl Certified {
    pub(super) fn new(key: CertifiedKey) -> Certified {
        Certified { first_name: first_named(&key.names), key }
    }

    /// Whether its certificate names this issuer.
    fn is_of(&self, issuer: &str) -> bool {
        self.first_name == issuer || is_named(issuer, &self.key.names)
    }
}

/// Whose a key is.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyOwner<'k> {
    /// An issuer; none where nobody said.
    Issuer(Option<&'k str>),
    /// Whoever a certificate names.
    Certificate(&'k Certified),
}

impl<'k> KeyOwner<'k> {
    /// The owner by name, where that is known: of the names in a certificate, the one that is claimed.
    pub(super) fn name<'n>(self, claimed: Option<&'n str>) -> Option<&'n str>
    where
        'k: 'n,
    {
        match self {
            KeyOwner::Issuer(issuer) => issuer,
            KeyOwner::Certificate(certified) => {
                let claimed = claimed.filter(|claimed| certified.is_of(claimed));
                Some(claimed.unwrap_or(&certified.first_name))
            }
        }
    }

    /// The names of the certificate, if there is one.
    pub(super) fn certificate(self) -> Option<&'k CertificateNames> {
        match self {
            KeyOwner::Issuer(_) => None,
            KeyOwner::Certificate(certified) => Some(&certified.key.names),
        }
    }
}

/// The issuer must be the one asked for and the one whose key it is (RFC 8725 section 3.8). A token that does not name
/// its issuer is by whoever the key belongs to. Returns the issuer where it is known.
pub(super) fn check_issuer<'c>(
    named: Option<&'c str>,
    owner: KeyOwner<'c>,
    policy: &'c Policy,
) -> Result<Option<&'c str>, Refusal> {
    let expected = policy.issuer.as_deref();
    match owner {
        KeyOwner::Issuer(owner) => check_owner(named, owner, expected),
        KeyOwner::Certificate(certified) => check_certificate(named, certified, expected).map(Some),
    }
}

fn check_owner<'c>(
    named: Option<&'c str>,
    owner: Option<&'c str>,
    expected: Option<&'c str>,
) -> Result<Option<&'c str>, Refusal> {
    match (named.or(owner), expected) {
        (None, Some(expected)) => {
            refuse(format!("`iss` is missing, and nothing says whose key it is; expected {expected}"))
        }
        (Some(issuer), Some(expected)) if issuer != expected => refuse(not_expected(issuer, expected)),
        (Some(issuer), _) if owner.is_some_and(|owner| owner != issuer) => {
            let owner = owner.unwrap_or_default();
            refuse(format!("the issuer is {}, and the key is one of {owner}", shown(issuer)))
        }
        (issuer, _) => Ok(issuer.filter(|_| expected.is_some() || owner.is_some())),
    }
}

fn check_certificate<'c>(
    named: Option<&'c str>,
    certified: &'c Certified,
    expected: Option<&'c str>,
) -> Result<&'c str, Refusal> {
    let is_of = |issuer: &&str| certified.is_of(issuer);
    // Of several names that a certificate has, the one that is asked for is meant.
    let issuer = named.or(expected.filter(is_of)).unwrap_or(&certified.first_name);
    match expected {
        Some(expected) if issuer != expected => refuse(not_expected(issuer, expected)),
        _ if !certified.is_of(issuer) => {
            let names = names_in_words(&certified.key.names);
            refuse(format!("the issuer is {}, and the certificate in `x5c` {names}", shown(issuer)))
        }
        _ => Ok(issuer),
    }
}

/// A did:key or a did:jwk is its key: by another one it is issued by somebody else, whatever else was said of that key.
/// `last` is what was found before, because most tokens of a file have one issuer.
pub(super) fn check_key_of_did(
    issuer: Option<&str>,
    key: &PublicKey,
    last: &mut Option<(String, PublicKey)>,
) -> Result<(), Refusal> {
    let Some(issuer) =
        issuer.filter(|issuer| issuer.starts_with("did:key:") || issuer.starts_with("did:jwk:"))
    else {
        return Ok(());
    };
    if last.as_ref().is_some_and(|(known, of)| known == issuer && of == key) {
        return Ok(());
    }
    if PublicKey::from_did(issuer).as_ref() != Some(key) {
        return refuse(format!(
            "the issuer is {}, which is another key than the one that signed",
            shown(issuer)
        ));
    }
    *last = Some((issuer.to_owned(), key.clone()));
    Ok(())
}

fn not_expected(issuer: &str, expected: &str) -> String {
    format!("the issuer is {}; expected {expected}", shown(issuer))
}

fn refuse<T>(message: String) -> Result<T, Refusal> {
    Err(Refusal::new(Reason::IssuerMismatch, Step::Issuer, message))
}
