//! Making a compact JWS, for documents that are signed one at a time.

use base64_simd::URL_SAFE_NO_PAD;

use crate::keys::{SIGNATURE_BYTES, SignError, Signer};

/// A compact JWS (RFC 7515 section 7.1) of this header and this payload, both JSON texts.
///
/// # Errors
/// Where the signer does not sign.
pub fn sign_compact(signer: &mut dyn Signer, header: &str, payload: &str) -> Result<String, SignError> {
    let mut token = URL_SAFE_NO_PAD.encode_to_string(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(payload, &mut token);
    let mut signature = [[0; SIGNATURE_BYTES]];
    signer.sign(&[token.as_bytes()], &mut signature)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(signature[0], &mut token);
    Ok(token)
}
