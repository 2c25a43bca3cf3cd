//! A second look at each credential before its result leaves: by the verifier, and by other arithmetic than the
//! signer's.

use crate::clock::UnixTime;
use crate::credential::Profile;
use crate::jws::Implementation;
use crate::keys::PublicKey;
use crate::verify::{KeyRing, NoLists, Policy, Refusal, RingError, Verdict, Verifier};

/// What the run's credentials are held to.
#[derive(Debug)]
pub struct SecondLook {
    ring: KeyRing,
    policy: Policy,
}

impl SecondLook {
    /// The credentials must be of this key, and of the profile's issuer and type. They have no published status
    /// yet, so none is asked for.
    ///
    /// # Errors
    /// Where the key cannot have the name that the profile gives it.
    pub fn new(key: &PublicKey, profile: &Profile, now: UnixTime) -> Result<SecondLook, RingError> {
        let mut ring = KeyRing::default();
        ring.add_named(&profile.kid, key, &profile.issuer)?;
        let policy = Policy {
            issuer: Some(profile.issuer.clone()),
            vct: Some(profile.vct.clone()),
            status: false,
            ..Policy::at(now)
        };
        Ok(SecondLook { ring, policy })
    }

    /// A verifier for one worker thread.
    pub(super) fn eyes(&self) -> Eyes<'_> {
        Eyes(Verifier::with(Implementation::P256, &self.ring, &self.policy, NoLists))
    }
}

/// Looks at credentials, one after the other.
pub(super) struct Eyes<'l>(Verifier<'l>);

impl Eyes<'_> {
    /// Verifies a credential as of its own first second.
    pub(super) fn look(&mut self, token: &[u8], issued_at: UnixTime) -> Result<(), Box<Refusal>> {
        let token = std::str::from_utf8(token).unwrap_or_default();
        match self.0.verify_at(token, issued_at) {
            Verdict::Valid(_) => Ok(()),
            Verdict::Invalid(refusal) => Err(Box::new(refusal)),
        }
    }
}
