//! Making a key binding JWT, with which a holder shows that a credential was issued to their key.

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::compact::{Compact, decode_text, parse_object};
use super::error::{Part, TokenError};
use super::sign_compact;
use crate::clock::UnixTime;
use crate::json::{self, Parser, Value};
use crate::keys::{KeyError, PublicKey, SignError, SigningKey};

/// Why a presentation cannot be bound to a holder's key.
#[derive(Debug, Error)]
pub enum BindError {
    /// The token cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No key in `cnf`.
    #[error("the credential has no holder's key in `cnf.jwk`")]
    NoHolder,
    /// Another one in `cnf`.
    #[error("the credential was issued to another key")]
    OtherKey,
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The presentation with a key binding JWT behind its last `~` (RFC 9901 section 4.3), for this audience and nonce, and
/// made at this time. `cnf` has to be the signing key: nobody would accept anything else.
///
/// # Errors
/// Where the credential is not one of this holder's, or nothing can be signed.
pub fn bind(
    presentation: &str,
    holder: &dyn SigningKey,
    (audience, nonce): (&str, &str),
    now: UnixTime,
) -> Result<String, BindError> {
    check_holder(presentation, holder.public())?;
    let claims = format!(
        r#"{{"iat":{},"aud":{},"nonce":{},"sd_hash":"{}"}}"#,
        now.seconds(),
        json::string(audience),
        json::string(nonce),
        sd_hash(presentation)
    );
    let token = sign_compact(&mut *holder.signer()?, r#"{"alg":"ES256","typ":"kb+jwt"}"#, &claims)?;
    Ok(presentation.to_owned() + &token)
}

fn check_holder(presentation: &str, holder: &PublicKey) -> Result<(), BindError> {
    let compact = Compact::split(presentation)?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
    let payload = decode_text(compact.payload, Part::Payload, &mut buffer)?;
    let payload = parse_object(payload, Part::Payload, &mut parser)?;
    match holder_key(payload.root()).ok_or(BindError::NoHolder)? {
        Ok(key) if key == *holder => Ok(()),
        _ => Err(BindError::OtherKey),
    }
}

/// The holder's key in `cnf` (RFC 7800 section 3.2): none where there is no JWK, an error where it is not one of P-256.
pub fn holder_key(payload: Value<'_>) -> Option<Result<PublicKey, KeyError>> {
    let jwk = payload.member("cnf").and_then(|cnf| cnf.member("jwk"))?;
    Some(PublicKey::from_jwk_json(jwk.text()))
}

/// The hash that ties a key binding JWT to a presentation, which ends with its last `~` (RFC 9901 section 4.3.1).
pub fn sd_hash(presentation: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(presentation))
}
