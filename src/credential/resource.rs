//! The credential resource: the API's fields, in the API's order.

use super::assemble::push_number;
use super::profile::Profile;
use crate::json;
use crate::ledger::{Grant, Status};
use crate::request::Draft;

/// An issued credential, as results show it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'r> {
    /// What the run's credentials have in common.
    pub profile: &'r Profile,
    /// What was asked for.
    pub draft: &'r Draft,
    /// The text that holds the draft's pieces.
    pub text: &'r [u8],
    /// What the ledger gave.
    pub grant: &'r Grant,
    /// The signed credential.
    pub token: &'r [u8],
}

impl Resource<'_> {
    /// Writes the resource as a JSON object on one line.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Resource { profile, draft, text, grant, token } = self;
        let mut id_buffer = [0; uuid::fmt::Urn::LENGTH];
        let id = grant.id.urn().encode_lower(&mut id_buffer).as_bytes();
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);

        put(br#"{"subject":"#);
        put(draft.subject.of(text));
        put(br#","claims":"#);
        put(draft.claims.of(text));
        put(br#","id":""#);
        put(id);
        put(br#"","credential_id":""#);
        put(id);
        put(br#"","issuer_did":"#);
        put(profile.issuer_json.as_bytes());
        if let Some((_, index)) = &grant.status {
            out.extend_from_slice(br#","status_list_index":"#);
            push_number(out, index);
        }
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
        put(br#","kid":"#);
        put(profile.kid_json.as_bytes());
        put(br#","signed_payload":""#);
        put(token);
        put(br#"","evidence_refs":"#);
        put(if draft.evidence_refs.is_empty() { b"[]" } else { draft.evidence_refs.of(text) });
        put(br#","issued_at":""#);
        put(&grant.issued_at.rfc3339());
        put(br#"","expires_at":""#);
        put(&grant.expires_at.rfc3339());
        put(br#"","vct":"#);
        put(profile.vct_json.as_bytes());
        let standing = &grant.standing;
        if let (Status::Revoked, Some(since)) = (standing.status, standing.since) {
            put(br#","revoked_at":""#);
            put(&since.rfc3339());
            put(b"\"");
            if let Some(reason) = &standing.reason {
                put(br#","revocation_reason":"#);
                json::push_str(out, reason);
            }
        }
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
        put(br#","created_via":"cli""#);
        if let Some(developer_id) = &profile.developer_id_json {
            put(br#","developer_id":"#);
            put(developer_id.as_bytes());
        }
        put(br#","credential_type":"business","proof_format":""#);
        put(profile.proof_format.as_str().as_bytes());
        put(br#"","alg":"ES256","status":""#);
        put(standing.status.as_str().as_bytes());
        put(b"\"");
        if let Some((uris, _)) = &grant.status {
            put(br#","status_list_uri":""#);
            put(uris.token.as_bytes());
            put(b"\"");
        }
        out.push(b'}');
    }
}
