//! The check of each credential before its result leaves (`--verify`): by the verifier, and by other arithmetic than the
//! signer's.
//!
//! Signatures are checked in batches. What the batch arithmetic does not accept is judged by the `p256` crate, which also
//! confirms the first signature and one in 1,024 after it. Neither shares code with AWS-LC, which signs.

use crate::clock::UnixTime;
use crate::credential::Profile;
use crate::keys::{Implementation, PublicKey};
use crate::types::Types;
use crate::verify::{BatchRing, KeyRing, NoLists, Policy, Refusal, RingError, Verdict, Verifier};

/// What the run's credentials are held to.
#[derive(Debug)]
pub struct SelfCheck {
    ring: BatchRing<'static>,
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
        Ok(SelfCheck { ring: ring.into_batches(), policy })
    }

    /// A verifier for one worker thread.
    pub(super) fn verifier(&self) -> SelfVerifier<'_> {
        SelfVerifier(Verifier::in_batches_with(Implementation::P256, &self.ring, &self.policy, NoLists))
    }
}

/// Looks at credentials, many at once.
pub(super) struct SelfVerifier<'l>(Verifier<'l>);

impl SelfVerifier<'_> {
    /// Verifies credentials, each as of its own first second. The error has the place of the first that is refused.
    pub(super) fn verify<'t>(
        &mut self,
        credentials: impl IntoIterator<Item = (&'t [u8], UnixTime)>,
    ) -> Result<(), (usize, Box<Refusal>)> {
        let credentials = credentials.into_iter();
        let credentials =
            credentials.map(|(token, issued_at)| (std::str::from_utf8(token).unwrap_or_default(), issued_at));
        let (mut place, mut refused) = (0, None);
        self.0.verify_all_at(credentials, |verdict| {
            if let (None, Verdict::Invalid(refusal)) = (&refused, verdict) {
                refused = Some((place, Box::new(refusal.clone())));
            }
            place += 1;
        });
        refused.map_or(Ok(()), Err)
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
        let (good, bad) = (signed_by(&key), signed_by(&other));
        let mut refused = |tokens: &[&Vec<u8>], time| {
            let refused = verifier.verify(tokens.iter().map(|token| (token.as_slice(), time))).err();
            refused.map(|(place, refusal)| (place, refusal.reason))
        };
        assert_eq!(refused(&[&good], now), None);
        assert_eq!(refused(&[&bad], now), Some((0, Reason::BadSignature)));
        let before = UnixTime::from_seconds(1_795_406_399).unwrap();
        assert_eq!(refused(&[&good], before), Some((0, Reason::NotYetValid)));
        // So many that they are judged together.
        assert_eq!(refused(&[&good; 256], now), None);
        for place in [0, 100, 255] {
            let mut tokens = [&good; 256];
            tokens[place] = &bad;
            assert_eq!(refused(&tokens, now), Some((place, Reason::BadSignature)));
        }
    }
}
