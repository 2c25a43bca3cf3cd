//! The credential resource: the API's fields, in the API's order.

use super::profile::Profile;
use super::record::{Grant, Status};
use crate::json::object;
use crate::request::DraftText;

/// An issued credential, as results show it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'r> {
    /// What the run's credentials have in common.
    pub profile: &'r Profile,
    /// What was asked for.
    pub draft: DraftText<'r>,
    /// What the ledger gave.
    pub grant: &'r Grant,
    /// The signed credential.
    pub token: &'r [u8],
}

impl Resource<'_> {
    /// Writes the resource as a JSON object on one line.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Resource { profile, draft, grant, token } = self;
        let mut id_buffer = [0; uuid::fmt::Urn::LENGTH];
        let id = grant.id.urn().encode_lower(&mut id_buffer);
        let evidence_refs = draft.evidence_refs().unwrap_or(b"[]");
        let status = grant.status.as_ref();
        let current = &grant.current;
        let credential_type = draft.credential_type();
        let revoked = current.since.filter(|_| current.status == Status::Revoked);
        object!(out, {
            "subject": raw draft.subject(),
            "claims": raw draft.claims(),
            "id": plain id,
            "credential_id": plain id,
            "issuer_did": raw &profile.issuer_json,
            "status_list_index"?: number status.map(|(_, index)| index),
            "kid": raw &profile.kid_json,
            "signed_payload": plain token,
            "evidence_refs": raw evidence_refs,
            "issued_at": plain grant.issued_at.rfc3339(),
            "expires_at": plain grant.expires_at.rfc3339(),
            "vct": raw &profile.of_type(credential_type).vct_json,
            "revoked_at"?: plain revoked.map(|since| since.rfc3339()),
            "revocation_reason"?: text revoked.and(current.reason.as_ref()),
            "created_via": plain "cli",
            "developer_id"?: raw profile.developer_id_json.as_ref(),
            "credential_type": text credential_type.name,
            ..{ out.extend_from_slice(draft.own_members()) },
            "proof_format": plain profile.proof_format.as_str(),
            "alg": plain "ES256",
            "status": plain current.status.as_str(),
            "status_list_uri"?: plain status.map(|(uris, _)| &uris.token),
        });
    }
}
