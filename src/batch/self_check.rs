//! The check of each credential before its result leaves (`--verify`): by the verifier, and by other arithmetic than the
//! signer's.

use crate::clock::UnixTime;
use crate::credential::Profile;
use crate::keys::{Implementation, PublicKey};
use crate::types::Types;
use crate::verify::{KeyRing, NoLists, Policy, Refusal, RingError, Verdict, Verifier};

/// What the run's credentials are held to.
#[derive(Debug)]
pub struct SelfCheck {
    ring: KeyRing,
    policy: Policy,
}

impl SelfCheck {
    /// The credentials must be of this key, of the profile's issuer, and of one of its types. They have no published status
    /// yet, so none is asked for.
    ///
    /// # Errors
    /// Where the key cannot have the name that the profile gives it.
    pub fn new(
        key: &PublicKey,
        profile: &Profile,
        types: Types,
        now: UnixTime,
    ) -> Result<SelfCheck, RingError> {
        let mut ring = KeyRing::default();
        ring.add_named(&profile.kid, key, &profile.issuer)?;
        let policy = Policy {
            issuer: Some(profile.issuer.clone()),
            vcts: profile.types.iter().map(|of_type| of_type.vct.clone()).collect(),
            types,
            status: false,
            ..Policy::at(now)
        };
        Ok(SelfCheck { ring, policy })
    }

    /// A verifier for one worker thread.
    pub(super) fn verifier(&self) -> SelfVerifier<'_> {
        SelfVerifier(Verifier::with(Implementation::P256, &self.ring, &self.policy, NoLists))
    }
}

/// Looks at credentials, one after the other.
pub(super) struct SelfVerifier<'l>(Verifier<'l>);

impl SelfVerifier<'_> {
    /// Verifies a credential as of its own first second.
    pub(super) fn verify(&mut self, token: &[u8], issued_at: UnixTime) -> Result<(), Box<Refusal>> {
        let token = std::str::from_utf8(token).unwrap_or_default();
        match self.0.verify_at(token, issued_at) {
            Verdict::Valid(_) => Ok(()),
            Verdict::Invalid(refusal) => Err(Box::new(refusal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{Assembler, ProfileSettings};
    use crate::issuer::Issuer;
    use crate::keys::{IssuerKey, SigningKey};
    use crate::ledger::{Entry, grants_without_ledger};
    use crate::request::rules::CalendarDuration;
    use crate::request::{Checker, Rules};
    use crate::verify::Reason;

    #[test]
    fn a_credential_that_is_not_sound_does_not_pass() {
        let (key, other) = (IssuerKey::generate().unwrap(), IssuerKey::generate().unwrap());
        let issuer = Issuer::of_key(key.public());
        let profile = Profile::new(&issuer, ProfileSettings::of_types(Types::BUILT_IN, &issuer));
        let rules = Rules {
            types: Types::BUILT_IN,
            allow_unknown: false,
            default_ttl: CalendarDuration::parse("P1Y").unwrap(),
            overrules_types: false,
            hash_key: [0; 32],
            identity: None,
        };
        let now = UnixTime::from_seconds(1_795_406_400).unwrap();
        let item =
            r#"{"self_attestation_complete":true,"subject":{"id":"a"},"claims":{"jurisdiction":"GB"}}"#;
        let mut text = Vec::new();
        let draft = Checker::new(rules).check(item, false, now, &mut text).outcome.unwrap();
        let grant = grants_without_ledger(&[Entry { position: 0, draft: &draft }]).unwrap().remove(0);
        let signed_by = |key: &IssuerKey| {
            let mut assembler = Assembler::new(&profile, key.signer().unwrap());
            let tokens = assembler.sign(std::iter::once((draft.with_text(&text), &grant))).unwrap();
            tokens.iter().next().unwrap().to_vec()
        };
        let check = SelfCheck::new(key.public(), &profile, Types::BUILT_IN, now).unwrap();
        let mut verifier = check.verifier();
        assert!(verifier.verify(&signed_by(&key), now).is_ok());
        let refusal = verifier.verify(&signed_by(&other), now).unwrap_err();
        assert_eq!(refusal.reason, Reason::BadSignature);
        let before = UnixTime::from_seconds(1_795_406_399).unwrap();
        assert_eq!(verifier.verify(&signed_by(&key), before).unwrap_err().reason, Reason::NotYetValid);
    }
}
