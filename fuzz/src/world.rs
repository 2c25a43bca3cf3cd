//! What the targets have in common: a time, a key, an issuer.

use std::sync::LazyLock;

use beltic::clock::UnixTime;
use beltic::keys::{IssuerKey, KeyError};
use beltic::request::Rules;
use beltic::request::rules::CalendarDuration;
use beltic::types::Types;
use zeroize::Zeroizing;

/// The fixtures' key, which is nobody's.
pub(crate) const KEY_PEM: &[u8] = include_bytes!("../../fixtures/keys/p256-pkcs8.pem");

/// The issuer of everything that is signed here.
pub(crate) const ISSUER: &str = "did:web:issuer.example";
/// The name of its key.
pub(crate) const KID: &str = "did:web:issuer.example#key-1";

/// The key that signs.
pub(crate) static KEY: LazyLock<IssuerKey> =
    LazyLock::new(|| IssuerKey::parse(KEY_PEM, &mut no_passphrase).expect("the fixture is a key"));

/// For keys that are not to be decrypted: an attacker's parameters may ask for seconds of work.
pub(crate) fn no_passphrase() -> Result<Zeroizing<String>, KeyError> {
    Err(KeyError::NoPassphrase)
}

/// 2026-11-23T04:00:00Z.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(1_795_406_400).expect("a time of this century")
}

/// The rules of a run.
pub(crate) fn rules(allow_unknown: bool) -> Rules {
    let default_ttl = CalendarDuration::parse("P1Y").expect("a year is a duration");
    Rules {
        types: Types::BUILT_IN,
        allow_unknown,
        default_ttl,
        overrules_types: false,
        hash_key: [0; 32],
        identity: None,
    }
}
