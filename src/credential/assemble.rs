//! From a draft and its grant to a signed credential.

use std::io::Write;

use base64_simd::{Out, URL_SAFE_NO_PAD};

use super::profile::{Profile, ProofFormat};
use super::sd_jwt::Hider;
use super::{jwt_vc, sd_jwt};
use crate::json::Parser;
use crate::jws::{SignError, Signer};
use crate::ledger::Grant;
use crate::request::Draft;

/// Why a credential could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The signer refused.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There were no random bytes for a salt.
    #[error("the operating system's random generator failed")]
    Random(#[from] getrandom::Error),
}

/// Signs credentials, one after the other, in buffers of its own.
pub struct Assembler<'p> {
    profile: &'p Profile,
    signer: Signer,
    parser: Parser,
    hider: Hider,
    /// The protected header, base64url, with the dot that follows it.
    header: Vec<u8>,
    payload: Vec<u8>,
    token: Vec<u8>,
}

impl<'p> Assembler<'p> {
    /// An assembler for one worker thread.
    pub fn new(profile: &'p Profile, signer: Signer) -> Assembler<'p> {
        let header = match profile.proof_format {
            ProofFormat::JwtVc => jwt_vc::header(profile),
            ProofFormat::SdJwtVc => sd_jwt::header(profile),
        };
        let mut encoded = URL_SAFE_NO_PAD.encode_to_string(header).into_bytes();
        encoded.push(b'.');
        Assembler {
            profile,
            signer,
            parser: Parser::default(),
            hider: Hider::default(),
            header: encoded,
            payload: Vec::new(),
            token: Vec::new(),
        }
    }

    /// Signs a credential; `text` holds the draft's pieces. The token stands in a buffer that the
    /// next call writes over. It is compact JWS (RFC 7515 section 7.1), with the disclosures
    /// behind it where the form has any (RFC 9901 section 4).
    ///
    /// # Errors
    /// Where there are no random bytes for a nonce or a salt.
    pub fn sign(&mut self, draft: &Draft, text: &[u8], grant: &Grant) -> Result<&[u8], AssemblyError> {
        self.payload.clear();
        self.token.clear();
        let Assembler { profile, parser, hider, payload, .. } = self;
        match profile.proof_format {
            ProofFormat::JwtVc => jwt_vc::write_payload(payload, profile, draft, text, grant, parser),
            ProofFormat::SdJwtVc => {
                sd_jwt::write_payload(payload, profile, draft, text, grant, parser, hider)?;
            }
        }
        self.token.extend_from_slice(&self.header);
        push_base64url(&mut self.token, &self.payload);
        let signature = self.signer.sign(&self.token)?;
        self.token.push(b'.');
        push_base64url(&mut self.token, &signature);
        if self.profile.proof_format == ProofFormat::SdJwtVc {
            self.token.extend_from_slice(&self.hider.disclosures);
            self.token.push(b'~');
        }
        Ok(&self.token)
    }
}

/// Appends base64url without padding (RFC 7515 section 2).
pub(super) fn push_base64url(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + URL_SAFE_NO_PAD.encoded_length(bytes.len()), 0);
    let _ = URL_SAFE_NO_PAD.encode(bytes, Out::from_slice(&mut out[start..]));
}

/// Appends a number in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    let _ = write!(out, "{number}"); // writing to a Vec does not fail
}

/// Appends `,"status":…`, the place in a Token Status List (section 6.2), where the credential has
/// one. Both forms of credentials carry it.
pub(super) fn push_token_status(out: &mut Vec<u8>, grant: &Grant) {
    let Some((uris, index)) = &grant.status else { return };
    out.extend_from_slice(br#","status":{"status_list":{"idx":"#);
    push_number(out, index);
    out.extend_from_slice(br#","uri":""#);
    // A list's URIs are ours and hold nothing that JSON escapes.
    out.extend_from_slice(uris.token.as_bytes());
    out.extend_from_slice(br#""}}"#);
}
