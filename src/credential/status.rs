//! Where a credential says where its status stands. A list's URIs are ours and hold nothing that JSON escapes.

use super::record::Grant;
use crate::json::object;

/// Appends `"status":…` and the comma before it, the place in a Token Status List (section 6.2), where the credential has
/// one. Both forms of credentials carry it.
pub(super) fn push_token_status(out: &mut Vec<u8>, grant: &Grant) {
    let Some((uris, index)) = &grant.status else { return };
    out.extend_from_slice(b",\"status\":");
    object!(out, { "status_list": { "idx": number index, "uri": plain &uris.token } });
}

/// Appends `credentialStatus`, where there is any: an entry for revocation, and one for suspension where the list has
/// that (Bitstring Status List section 2.1).
pub(super) fn push_credential_status(out: &mut Vec<u8>, grant: &Grant) {
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
