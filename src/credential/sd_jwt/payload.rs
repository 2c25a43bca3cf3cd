//! The payload and header of an `sd_jwt_vc` (SD-JWT VC draft, sections 3.2.1 and 3.2.2).

use super::disclose::Hider;
use super::policy::{DisclosurePolicy, DisclosureRule};
use crate::credential::profile::Profile;
use crate::credential::record::Grant;
use crate::credential::status::push_token_status;
use crate::json::{Parser, object};
use crate::request::DraftText;

/// The protected header. `vc+sd-jwt` was its type in older drafts; verifiers refuse it now.
pub(in crate::credential) fn header(profile: &Profile) -> String {
    let x5c = profile.x5c_json.as_ref().map(|chain| format!(r#","x5c":{chain}"#)).unwrap_or_default();
    format!(r#"{{"alg":"ES256","typ":"dc+sd-jwt","kid":{}{x5c}}}"#, profile.kid_json)
}

/// Writes the payload, and makes the disclosures.
pub(in crate::credential) fn write_payload(
    out: &mut Vec<u8>,
    profile: &Profile,
    draft: DraftText<'_>,
    grant: &Grant,
    parser: &mut Parser,
    hider: &mut Hider,
) -> Result<(), getrandom::Error> {
    let mut id_buffer = [0; uuid::fmt::Urn::LENGTH];
    let id = grant.id.urn().encode_lower(&mut id_buffer);
    let of_type = profile.of_type(draft.credential_type());
    let sub = is_string_or_uri(draft, parser).then(|| draft.subject_id());
    object!(out, {
        "iss": raw &profile.issuer_json,
        "sub"?: raw sub,
        "jti": plain id,
        "iat": number grant.issued_at.seconds(),
        "nbf": number grant.issued_at.seconds(),
        "exp": number grant.expires_at.seconds(),
        "vct": raw &of_type.vct_json,
        ..{ out.extend_from_slice(draft.own_members()) },
        "vct#integrity"?: raw of_type.vct_integrity_json.as_ref(),
        "cnf"?: raw draft.cnf(),
        ..{ push_token_status(out, grant) },
        ..{ write_claims(out, &of_type.disclosure, draft, parser, hider)?; },
        // It may be left out where nothing is hidden, but some verifiers want to read it all the same.
        "_sd_alg": plain "sha-256",
    });
    Ok(())
}

/// Whether the subject's id may stand in `sub`: a text with a colon must be a URI there (RFC 7519 section 2,
/// StringOrURI).
fn is_string_or_uri(draft: DraftText<'_>, parser: &mut Parser) -> bool {
    let id = draft.subject_id();
    // A colon may be written as an escape. Most ids have neither.
    if draft.subject_uri().is_some() || memchr::memchr2(b':', b'\\', id).is_none() {
        return true;
    }
    let document = std::str::from_utf8(id).ok().and_then(|id| parser.parse(id).ok());
    document.and_then(|id| id.root().as_str().map(|id| !id.contains(':'))).unwrap_or(false)
}

/// Writes what comes from the item, each member with a comma before it.
fn write_claims(
    out: &mut Vec<u8>,
    policy: &DisclosurePolicy,
    draft: DraftText<'_>,
    parser: &mut Parser,
    hider: &mut Hider,
) -> Result<(), getrandom::Error> {
    let mut digests = Vec::new();
    hider.disclosures.clear();
    let members = [
        ("subject", Some(draft.subject())),
        ("claims", Some(draft.claims())),
        ("evidence_refs", draft.evidence_refs()),
    ];
    for (name, piece) in members {
        let (Some(node), Some(piece)) = (policy.root.member(name), piece) else { continue };
        let text = std::str::from_utf8(piece).expect("a draft's pieces are text");
        let document = parser.parse(text).expect("a draft's pieces are JSON");
        if node.disclosure == DisclosureRule::Always {
            digests.push(hider.hide(Some(name), document.root(), node, policy.decoys)?);
        } else {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            hider.write(document.root(), node, policy.decoys, out)?;
        }
    }
    if !digests.is_empty() {
        out.push(b',');
        hider.write_digests(digests, policy.decoys, out)?;
    }
    Ok(())
}
