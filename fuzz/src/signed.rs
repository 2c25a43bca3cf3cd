//! What is signed: hostile payloads under a sound signature, and what is issued for whatever is accepted.

use std::sync::LazyLock;

use beltic::credential::{Assembler, Profile, ProfileSettings, ProofFormat};
use beltic::issuer::Issuer;
use beltic::keys::SigningKey;
use beltic::ledger::{Entry, grants_without_ledger};
use beltic::request::Checker;
use beltic::token::sign_compact;
use beltic::types::Types;
use beltic::verify::{KeyRing, NoLists, Policy, Verdict, Verifier};

use crate::world::{ISSUER, KEY, KID, now, rules};

/// A credential: a byte for its type, then its payload, which is signed here; disclosures after each `~`. Once it
/// is changed, it is never valid.
pub fn credential(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (payload, disclosures) = text.split_once('~').unwrap_or((text, ""));
    let (typ, is_sd_jwt) = [("vc+jwt", false), ("dc+sd-jwt", true), ("JWT", false)][usize::from(kind % 3)];
    let header = format!(r#"{{"alg":"ES256","typ":"{typ}","kid":"{KID}"}}"#);
    let mut signer = KEY.signer().expect("the key signs");
    let mut token = sign_compact(&mut *signer, &header, payload).expect("the key signs");
    if is_sd_jwt {
        token.push('~');
        token.push_str(disclosures);
    }
    let policy = Policy { legacy_vc: true, ..Policy::at(now()) };
    judge(&token, &policy);
}

/// An item that is accepted gives a credential that is valid, in both forms.
pub fn issued(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut buffer = Vec::new();
    let checked = Checker::new(rules(kind & 1 == 1)).check(text, false, now(), &mut buffer);
    let Ok(draft) = checked.outcome else { return };
    let grants = grants_without_ledger(&[Entry { position: 0, draft: &draft }]).expect("random numbers");
    let profile = &PROFILES[usize::from(kind >> 1 & 1)];
    let mut assembler = Assembler::new(profile, KEY.signer().expect("the key signs"));
    let drafts = std::iter::once((draft.with_text(&buffer), &grants[0]));
    let tokens = assembler.sign(drafts).expect("a draft can be signed");
    let token = tokens.iter().next().expect("a token for the draft");
    let token = std::str::from_utf8(token).expect("a token is ASCII");
    let policy = Policy { status: false, ..Policy::at(now()) };
    assert!(judge(token, &policy), "what is issued is valid");
}

/// A profile of each proof format.
static PROFILES: LazyLock<[Profile; 2]> = LazyLock::new(|| {
    [ProofFormat::JwtVc, ProofFormat::SdJwtVc].map(|proof_format| {
        let issuer = Issuer::parse(ISSUER, KEY.public()).expect("an issuer");
        let settings =
            ProfileSettings { proof_format, ..ProfileSettings::of_types(Types::BUILT_IN, &issuer) };
        Profile::new(&issuer, settings)
    })
});

/// Verifies a token, and, where it is valid, that it is not once a character is another.
fn judge(token: &str, policy: &Policy) -> bool {
    let mut ring = KeyRing::default();
    for kid in [KID, &PROFILES[0].kid] {
        ring.add_named(kid, KEY.public(), ISSUER).expect("a name of the issuer's");
    }
    let mut verifier = Verifier::new(&ring, policy, NoLists);
    if let Verdict::Invalid(refusal) = verifier.verify(token) {
        assert!(!refusal.message.is_empty());
        return false;
    }
    let at = token.bytes().fold(0, |seed: usize, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
        % token.len();
    let other = if token[at..].starts_with('A') { "B" } else { "A" };
    let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    let verdict = verifier.verify(&changed);
    assert!(matches!(verdict, Verdict::Invalid(_)), "changed at {at}, it is still valid");
    true
}
