//! From a draft and its grant to a signed credential.

use std::ops::Range;

use base64_simd::{Out, URL_SAFE_NO_PAD};

use super::profile::{Profile, ProofFormat};
use super::record::Grant;
use super::sd_jwt::Hider;
use super::{jwt_vc, sd_jwt};
use crate::json::Parser;
use crate::keys::{SIGNATURE_BYTES, SignError, Signature, Signer, Turn};
use crate::request::DraftText;

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

/// Signs credentials, many at once, in buffers of its own.
pub struct Assembler<'p> {
    profile: &'p Profile,
    signer: Box<dyn Signer>,
    parser: Parser,
    hider: Hider,
    /// The protected header, base64url, with the dot that follows it.
    header: Vec<u8>,
    payload: Vec<u8>,
    /// Tokens, one behind the other, each with a gap for its signature until that is made.
    tokens: Vec<u8>,
    places: Vec<StatusPlace>,
    signatures: Vec<Signature>,
}

/// Where a token is among the others.
struct StatusPlace {
    /// From its header to the end of its payload, which is what is signed.
    signing_input: Range<usize>,
    /// Where it ends, disclosures included.
    end: usize,
}

impl StatusPlace {
    /// Where the signature goes: behind the payload and a dot.
    fn signature(&self) -> Range<usize> {
        let start = self.signing_input.end + ".".len();
        start..start + ENCODED_SIGNATURE_BYTES
    }
}

/// The length of a signature in base64url.
const ENCODED_SIGNATURE_BYTES: usize = (SIGNATURE_BYTES * 4).div_ceil(3);

/// Signed credentials, in the order in which they were asked for.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    tokens: &'a [u8],
    places: &'a [StatusPlace],
}

impl<'a> Tokens<'a> {
    /// The tokens, each a compact JWS (RFC 7515 section 7.1), with the disclosures behind it where the form has any
    /// (RFC 9901 section 4).
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.places.iter().map(move |place| &self.tokens[place.signing_input.start..place.end])
    }
}

impl<'p> Assembler<'p> {
    /// An assembler for one worker thread.
    pub fn new(profile: &'p Profile, signer: Box<dyn Signer>) -> Assembler<'p> {
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
            tokens: Vec::new(),
            places: Vec::new(),
            signatures: Vec::new(),
        }
    }

    /// Signs a credential for each draft and its grant. The tokens stand in a buffer that the next call writes over.
    ///
    /// # Errors
    /// Where the signer does not sign, or there are no random bytes for a salt. Then there are no tokens at all.
    pub fn sign<'d>(
        &mut self,
        drafts: impl Iterator<Item = (DraftText<'d>, &'d Grant)>,
    ) -> Result<Tokens<'_>, AssemblyError> {
        self.sign_in_turn(drafts, &mut Turn::at_once())
    }

    /// Does so when it is the batch's turn, where the signer is shared with others.
    ///
    /// # Errors
    /// As [`Assembler::sign`].
    pub fn sign_in_turn<'d>(
        &mut self,
        drafts: impl Iterator<Item = (DraftText<'d>, &'d Grant)>,
        turn: &mut Turn,
    ) -> Result<Tokens<'_>, AssemblyError> {
        self.tokens.clear();
        self.places.clear();
        for (draft, grant) in drafts {
            self.add_unsigned(draft, grant)?;
        }
        let inputs: Vec<&[u8]> =
            self.places.iter().map(|place| &self.tokens[place.signing_input.clone()]).collect();
        self.signatures.resize(inputs.len(), [0; SIGNATURE_BYTES]);
        self.signer.sign_in_turn(&inputs, &mut self.signatures, turn)?;
        for (place, signature) in self.places.iter().zip(&self.signatures) {
            let gap = &mut self.tokens[place.signature()];
            let _ = URL_SAFE_NO_PAD.encode(signature, Out::from_slice(gap));
        }
        Ok(Tokens { tokens: &self.tokens, places: &self.places })
    }

    /// Writes a token with a gap where its signature will be.
    fn add_unsigned(&mut self, draft: DraftText<'_>, grant: &Grant) -> Result<(), AssemblyError> {
        let Assembler { profile, parser, hider, header, payload, tokens, places, .. } = self;
        payload.clear();
        match profile.proof_format {
            ProofFormat::JwtVc => jwt_vc::write_payload(payload, profile, draft, grant, parser),
            ProofFormat::SdJwtVc => {
                sd_jwt::write_payload(payload, profile, draft, grant, parser, hider)?;
            }
        }
        let start = tokens.len();
        tokens.extend_from_slice(header);
        push_base64url(tokens, payload);
        let signing_input = start..tokens.len();
        tokens.push(b'.');
        tokens.extend_from_slice(&[0; ENCODED_SIGNATURE_BYTES]);
        if profile.proof_format == ProofFormat::SdJwtVc {
            tokens.extend_from_slice(&hider.disclosures);
            tokens.push(b'~');
        }
        places.push(StatusPlace { signing_input, end: tokens.len() });
        Ok(())
    }
}

/// Appends base64url without padding (RFC 7515 section 2).
pub(super) fn push_base64url(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + URL_SAFE_NO_PAD.encoded_length(bytes.len()), 0);
    let _ = URL_SAFE_NO_PAD.encode(bytes, Out::from_slice(&mut out[start..]));
}
