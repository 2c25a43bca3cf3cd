//! `jwt_vc`: W3C VC Data Model 2.0, secured by VC-JOSE-COSE.
//!
//! The payload is the credential itself, with the JWT claims beside its own members. Both say the
//! same: `iss` = `issuer`, `jti` = `id`, `iat` = `validFrom`, `exp` = `validUntil`, so that readers
//! of either kind agree. `sub` = `credentialSubject.id`, and neither is there where the subject's id is
//! not a URI: the context of the VC Data Model reads both as IRIs.

use super::evidence;
use super::profile::Profile;
use super::record::Grant;
use super::status::{push_credential_status, push_token_status};
use crate::json::{Parser, object};
use crate::request::DraftText;

/// The protected header (VC-JOSE-COSE section 3.1.1).
pub(super) fn header(profile: &Profile) -> String {
    format!(r#"{{"alg":"ES256","typ":"vc+jwt","cty":"vc","kid":{}}}"#, profile.kid_json)
}

/// Writes the payload.
pub(super) fn write_payload(
    out: &mut Vec<u8>,
    profile: &Profile,
    draft: DraftText<'_>,
    grant: &Grant,
    parser: &mut Parser,
) {
    let mut id_buffer = [0; uuid::fmt::Urn::LENGTH];
    let id = grant.id.urn().encode_lower(&mut id_buffer);
    let of_type = profile.of_type(draft.credential_type());
    object!(out, {
        "@context": raw &profile.context_json,
        "id": plain id,
        "type": raw &of_type.vc_types_json,
        "issuer": raw &profile.issuer_json,
        "validFrom": plain grant.issued_at.rfc3339(),
        "validUntil": plain grant.expires_at.rfc3339(),
        "credentialSubject": with { write_subject(out, draft) },
        "credentialSchema"?: raw of_type.credential_schema_json.as_deref(),
        ..{ push_credential_status(out, grant) },
        ..{ evidence::push(out, draft.evidence_refs(), parser) },
        "cnf"?: raw draft.cnf(),
        "iss": raw &profile.issuer_json,
        "sub"?: raw draft.subject_uri(),
        "jti": plain id,
        "iat": number grant.issued_at.seconds(),
        "exp": number grant.expires_at.seconds(),
        "vct": raw &of_type.vct_json,
        ..{ out.extend_from_slice(draft.own_members()) },
        ..{ push_token_status(out, grant) },
    });
}

/// VC Data Model 2.0 section 4.8: an id is a URL. Other identifiers keep a name of ours.
fn write_subject(out: &mut Vec<u8>, draft: DraftText<'_>) {
    let (id, members, claims) = (draft.subject_id(), draft.subject_members(), draft.claims());
    if draft.subject_uri().is_some() {
        object!(out, { "id": raw id, ..{ out.extend_from_slice(members) }, "claims": raw claims });
    } else {
        object!(out, { "subject_id": raw id, ..{ out.extend_from_slice(members) }, "claims": raw claims });
    }
}
