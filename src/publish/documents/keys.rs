//! The keys that an issuer publishes.

use thiserror::Error;

use crate::issuer::{Issuer, IssuerError};
use crate::keys::{PublicJwk, PublicKey};

/// What a published key is for. In this order they are published, as some readers take the first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// It signs.
    Current,
    /// It will sign. It is published before it does, so that verifiers who keep a copy of the keys know it in time.
    Next,
    /// It signed credentials or lists that have not expired.
    Retired,
}

/// Why keys cannot be published together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// None signs, or several do.
    #[error("{found} keys are current; expected exactly one, which signs")]
    NotOneCurrent {
        /// How many there are.
        found: usize,
    },
    /// The issuer was read with another key than the current one.
    #[error("the current key is {current}, and the issuer signs with {issuer}")]
    NotTheIssuers {
        /// The `kid` of the key that is said to be current.
        current: String,
        /// The `kid` of the issuer.
        issuer: String,
    },
    /// A key is there twice: verifiers look for one key by its `kid`.
    #[error("the key {kid} is given twice")]
    Repeated {
        /// Its `kid`.
        kid: String,
    },
    /// The key cannot be this issuer's: a did:key or did:jwk is one key, and cannot change it.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

/// The public keys of an issuer, each under the `kid` that credentials name it by.
///
/// All of them stand in every document, retired ones too: a key that is no longer listed fails every credential that
/// it signed. A key that was stolen is left out by the caller, for just that reason.
#[derive(Debug, Clone)]
pub struct KeySet {
    issuer: Issuer,
    keys: Vec<(KeyState, String, PublicJwk)>,
}

impl KeySet {
    /// The keys of an issuer that signs with the current one of them.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn new(issuer: &Issuer, keys: &[(PublicKey, KeyState)]) -> Result<KeySet, KeySetError> {
        let mut named =
            keys.iter().map(|(key, state)| named(issuer, key, *state)).collect::<Result<Vec<_>, _>>()?;
        named.sort_by_key(|(state, ..)| *state);
        check_current(issuer, &named)?;
        for (position, (_, kid, _)) in named.iter().enumerate() {
            if named[..position].iter().any(|(_, earlier, _)| earlier == kid) {
                return Err(KeySetError::Repeated { kid: kid.clone() });
            }
        }
        Ok(KeySet { issuer: issuer.clone(), keys: named })
    }

    /// Whose keys they are.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The names of the keys, in the order of their states.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(_, kid, _)| kid.as_str())
    }

    /// The keys, in the order of their states.
    pub fn jwks(&self) -> impl Iterator<Item = &PublicJwk> {
        self.keys.iter().map(|(.., jwk)| jwk)
    }
}

/// The key under the name that an issuer of this id gives it.
fn named(
    issuer: &Issuer,
    key: &PublicKey,
    state: KeyState,
) -> Result<(KeyState, String, PublicJwk), IssuerError> {
    let kid = Issuer::parse(issuer.id(), key)?.kid().to_owned();
    let jwk = key.to_jwk(&kid);
    Ok((state, kid, jwk))
}

fn check_current(issuer: &Issuer, keys: &[(KeyState, String, PublicJwk)]) -> Result<(), KeySetError> {
    let mut current = keys.iter().filter(|(state, ..)| *state == KeyState::Current);
    match (current.next(), current.count()) {
        (Some((_, kid, _)), 0) if kid == issuer.kid() => Ok(()),
        (Some((_, kid, _)), 0) => {
            Err(KeySetError::NotTheIssuers { current: kid.clone(), issuer: issuer.kid().to_owned() })
        }
        (first, others) => Err(KeySetError::NotOneCurrent { found: usize::from(first.is_some()) + others }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keys::IssuerKey;

    pub(in crate::publish) fn key() -> PublicKey {
        IssuerKey::generate().unwrap().public().clone()
    }

    /// A set with one current key.
    pub(in crate::publish) fn set_of(id: &str, key: &PublicKey) -> KeySet {
        let issuer = Issuer::parse(id, key).unwrap();
        KeySet::new(&issuer, &[(key.clone(), KeyState::Current)]).unwrap()
    }

    #[test]
    fn keys_stand_in_the_order_of_their_states_under_the_kids_of_credentials() {
        let [old, now, soon] = [key(), key(), key()];
        let issuer = Issuer::parse("did:web:issuer.example", &now).unwrap();
        let given = [
            (old.clone(), KeyState::Retired),
            (soon.clone(), KeyState::Next),
            (now.clone(), KeyState::Current),
        ];
        let set = KeySet::new(&issuer, &given).unwrap();
        let expected = [&now, &soon, &old].map(|key| format!("did:web:issuer.example#{}", key.thumbprint()));
        assert_eq!(set.kids().collect::<Vec<_>>(), expected);
        assert_eq!(set.kids().next(), Some(issuer.kid()));
        let jwks: Vec<_> = set.jwks().cloned().collect();
        assert_eq!(jwks[2], old.to_jwk(&expected[2]));
    }

    #[test]
    fn exactly_one_key_is_current_and_it_is_the_issuers() {
        let [first, second] = [key(), key()];
        let issuer = Issuer::parse("did:web:issuer.example", &first).unwrap();
        let of = |keys: &[(PublicKey, KeyState)]| KeySet::new(&issuer, keys).map(|_| ());
        let current = |key: &PublicKey| (key.clone(), KeyState::Current);
        assert_eq!(of(&[]), Err(KeySetError::NotOneCurrent { found: 0 }));
        assert_eq!(of(&[(first.clone(), KeyState::Retired)]), Err(KeySetError::NotOneCurrent { found: 0 }));
        assert_eq!(of(&[current(&first), current(&second)]), Err(KeySetError::NotOneCurrent { found: 2 }));
        assert!(matches!(of(&[current(&second)]), Err(KeySetError::NotTheIssuers { .. })));
        let twice = [current(&first), (first.clone(), KeyState::Retired)];
        assert_eq!(of(&twice), Err(KeySetError::Repeated { kid: issuer.kid().to_owned() }));
    }

    #[test]
    fn a_did_that_is_a_key_has_no_other() {
        let [own, other] = [key(), key()];
        for id in [own.did_key(), own.did_jwk()] {
            let issuer = Issuer::parse(&id, &own).unwrap();
            let keys = [(own.clone(), KeyState::Current), (other.clone(), KeyState::Next)];
            let refused = KeySet::new(&issuer, &keys).map(|_| ());
            assert!(matches!(refused, Err(KeySetError::Issuer(IssuerError::OtherKey { .. }))), "{refused:?}");
        }
    }
}
