//! `jwt_vc`: W3C VC Data Model 2.0, secured by VC-JOSE-COSE.
//!
//! The payload is the credential itself, with the JWT claims beside its own members. Both say the
//! same: `iss` = `issuer`, `jti` = `id`, `iat` = `validFrom`, `exp` = `validUntil`, so that readers
//! of either kind agree. `sub` = `credentialSubject.id`, and neither is there where the subject's id is
//! not a URI: the context of the VC Data Model reads both as IRIs.

use super::assemble::push_token_status;
use super::evidence;
use super::profile::Profile;
use crate::json::{Parser, object};
use crate::ledger::Grant;
use crate::request::Draft;

/// The protected header (VC-JOSE-COSE section 3.1.1).
pub(super) fn header(profile: &Profile) -> String {
    format!(r#"{{"alg":"ES256","typ":"vc+jwt","cty":"vc","kid":{}}}"#, profile.kid_json)
}

/// Writes the payload.
pub(super) fn write_payload(
    out: &mut Vec<u8>,
    profile: &Profile,
    draft: &Draft,
    text: &[u8],
    grant: &Grant,
    parser: &mut Parser,
) {
    let mut id_buffer = [0; uuid::fmt::Urn::LENGTH];
    let id = grant.id.urn().encode_lower(&mut id_buffer);
    object!(out, {
        "@context": raw &profile.context_json,
        "id": plain id,
        "type": raw r#"["VerifiableCredential","BusinessCredential"]"#,
        "issuer": raw &profile.issuer_json,
        "validFrom": plain grant.issued_at.rfc3339(),
        "validUntil": plain grant.expires_at.rfc3339(),
        "credentialSubject": with { write_subject(out, draft, text) },
        ..{ push_status(out, grant) },
        ..{ evidence::write(out, draft.evidence_refs.of(text), parser) },
        "cnf"?: raw draft.cnf.some_of(text),
        "iss": raw &profile.issuer_json,
        "sub"?: raw draft.subject_id_is_uri.then(|| draft.subject_id.of(text)),
        "jti": plain id,
        "iat": number grant.issued_at.seconds(),
        "exp": number grant.expires_at.seconds(),
        "vct": raw &profile.vct_json,
        ..{ push_token_status(out, grant) },
    });
}

/// VC Data Model 2.0 section 4.8: an id is a URL. Other identifiers keep a name of ours.
fn write_subject(out: &mut Vec<u8>, draft: &Draft, text: &[u8]) {
    let id = draft.subject_id.of(text);
    let members = draft.subject_members.of(text);
    let claims = draft.claims.of(text);
    if draft.subject_id_is_uri {
        object!(out, { "id": raw id, ..{ out.extend_from_slice(members) }, "claims": raw claims });
    } else {
        object!(out, { "subject_id": raw id, ..{ out.extend_from_slice(members) }, "claims": raw claims });
    }
}

/// Appends `credentialStatus`, where there is any: an entry for revocation, and one for suspension where the list has
/// that (Bitstring Status List section 2.1).
fn push_status(out: &mut Vec<u8>, grant: &Grant) {
    let Some((uris, index)) = &grant.status else { return };
    out.extend_from_slice(b",\"credentialStatus\":");
    match &uris.suspension {
        None => write_status_entry(out, &uris.bitstring, "revocation", *index),
        Some(suspension) => {
            out.push(b'[');
            write_status_entry(out, &uris.bitstring, "revocation", *index);
            out.push(b',');
            write_status_entry(out, suspension, "suspension", *index);
            out.push(b']');
        }
    }
}

/// A list's URIs are ours and hold nothing that JSON escapes.
fn write_status_entry(out: &mut Vec<u8>, list: &str, purpose: &str, index: u32) {
    let index = index.to_string();
    object!(out, {
        "id": with {
            for piece in ["\"", list, "#", &index, "\""] {
                out.extend_from_slice(piece.as_bytes());
            }
        },
        "type": plain "BitstringStatusListEntry",
        "statusPurpose": plain purpose,
        "statusListIndex": plain &index,
        "statusListCredential": plain list,
    });
}
