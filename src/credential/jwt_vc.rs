//! `jwt_vc`: W3C VC Data Model 2.0, secured by VC-JOSE-COSE.
//!
//! The payload is the credential itself, with the JWT claims beside its own members. Both say the
//! same: `iss` = `issuer`, `jti` = `id`, `iat` = `validFrom`, `exp` = `validUntil`, so that readers
//! of either kind agree. `sub` = `credentialSubject.id`, and neither is there where the subject's id is
//! not a URI: the context of the VC Data Model reads both as IRIs.

use super::assemble::{push_number, push_token_status};
use super::evidence;
use super::profile::Profile;
use crate::json::Parser;
use crate::ledger::{Grant, ListUris};
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
    let id = grant.id.urn().encode_lower(&mut id_buffer).as_bytes();
    let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);

    put(br#"{"@context":"#);
    put(profile.context_json.as_bytes());
    put(br#","id":""#);
    put(id);
    put(br#"","type":["VerifiableCredential","BusinessCredential"],"issuer":"#);
    put(profile.issuer_json.as_bytes());
    put(br#","validFrom":""#);
    put(&grant.issued_at.rfc3339());
    put(br#"","validUntil":""#);
    put(&grant.expires_at.rfc3339());
    put(br#"","credentialSubject":{"#);
    // VC Data Model 2.0 section 4.8: an id is a URL. Other identifiers keep a name of ours.
    put(if draft.subject_id_is_uri { br#""id":"# } else { br#""subject_id":"# });
    put(draft.subject_id.of(text));
    put(draft.subject_members.of(text));
    put(br#","claims":"#);
    put(draft.claims.of(text));
    put(b"}");

    if let Some((uris, index)) = &grant.status {
        write_status(out, uris, *index);
    }
    evidence::write(out, draft.evidence_refs.of(text), parser);
    if !draft.cnf.is_empty() {
        out.extend_from_slice(br#","cnf":"#);
        out.extend_from_slice(draft.cnf.of(text));
    }

    out.extend_from_slice(br#","iss":"#);
    out.extend_from_slice(profile.issuer_json.as_bytes());
    if draft.subject_id_is_uri {
        out.extend_from_slice(br#","sub":"#);
        out.extend_from_slice(draft.subject_id.of(text));
    }
    out.extend_from_slice(br#","jti":""#);
    out.extend_from_slice(id);
    out.extend_from_slice(br#"","iat":"#);
    push_number(out, grant.issued_at.seconds());
    out.extend_from_slice(br#","exp":"#);
    push_number(out, grant.expires_at.seconds());
    out.extend_from_slice(br#","vct":"#);
    out.extend_from_slice(profile.vct_json.as_bytes());
    push_token_status(out, grant);
    out.push(b'}');
}

/// Writes `credentialStatus`: an entry for revocation, and one for suspension where the list has
/// that (Bitstring Status List section 2.1).
fn write_status(out: &mut Vec<u8>, uris: &ListUris, index: u32) {
    out.extend_from_slice(br#","credentialStatus":"#);
    match &uris.suspension {
        None => write_status_entry(out, &uris.bitstring, "revocation", index),
        Some(suspension) => {
            out.push(b'[');
            write_status_entry(out, &uris.bitstring, "revocation", index);
            out.push(b',');
            write_status_entry(out, suspension, "suspension", index);
            out.push(b']');
        }
    }
}

/// A list's URIs are ours and hold nothing that JSON escapes.
fn write_status_entry(out: &mut Vec<u8>, list: &str, purpose: &str, index: u32) {
    let index = index.to_string();
    for piece in [
        r#"{"id":""#,
        list,
        "#",
        &index,
        r#"","type":"BitstringStatusListEntry","statusPurpose":""#,
        purpose,
        r#"","statusListIndex":""#,
        &index,
        r#"","statusListCredential":""#,
        list,
        r#""}"#,
    ] {
        out.extend_from_slice(piece.as_bytes());
    }
}
