//! Making a key binding JWT, with which a holder shows that a credential was issued to their key.

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::compact::{Compact, decode_text, parse_object};
use super::error::{Part, TokenError};
use super::sign_compact;
use crate::clock::UnixTime;
use crate::json::{self, Parser};
use crate::keys::{PublicKey, SignError, SigningKey};

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
    let hash = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(presentation));
    let claims = format!(
        r#"{{"iat":{},"aud":{},"nonce":{},"sd_hash":"{hash}"}}"#,
        now.seconds(),
        json::string(audience),
        json::string(nonce)
    );
    let token = sign_compact(&mut *holder.signer()?, r#"{"alg":"ES256","typ":"kb+jwt"}"#, &claims)?;
    Ok(presentation.to_owned() + &token)
}

fn check_holder(presentation: &str, holder: &PublicKey) -> Result<(), BindError> {
    let compact = Compact::split(presentation)?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
    let payload = decode_text(compact.payload, Part::Payload, &mut buffer)?;
    let payload = parse_object(payload, Part::Payload, &mut parser)?;
    let jwk = payload.root().member("cnf").and_then(|cnf| cnf.member("jwk")).ok_or(BindError::NoHolder)?;
    match PublicKey::from_jwk_json(jwk.text()) {
        Ok(key) if key == *holder => Ok(()),
        _ => Err(BindError::OtherKey),
    }
}
