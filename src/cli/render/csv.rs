//! `csv`: a header row, then one result a row.

use super::Form;
use super::table::{RowMembers, csv_header};
use crate::batch::{Outcome, Render, Row};
use crate::credential::Resource;
use crate::request::Rejection;
use crate::types::ATTESTATION_TYPE;

pub(super) struct Table;

/// The columns, in order.
const COLUMNS: [&str; 20] = [
    "index",
    "line",
    "correlation_id",
    "id",
    "issuer_did",
    "status_list_index",
    "status_list_uri",
    "kid",
    "issued_at",
    "expires_at",
    "vct",
    "credential_type",
    ATTESTATION_TYPE,
    "proof_format",
    "alg",
    "status",
    "signed_payload",
    "error_code",
    "error_message",
    "error_paths",
];

impl Render for Table {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        let correlation_id = row.correlation_id.and_then(|json| serde_json::from_str::<String>(json).ok());
        let mut members = RowMembers::default();
        members.number("index", row.index).number("line", row.line).text("correlation_id", correlation_id);
        match &row.outcome {
            Outcome::Issued(resource) => push_issued(&mut members, resource),
            Outcome::WouldIssue { replay } => {
                members.word("status", if *replay { "would_replay" } else { "would_issue" });
            }
            Outcome::Rejected(rejection) => push_rejected(&mut members, rejection),
        }
        members.write_csv(&COLUMNS, out);
    }
}

impl Form for Table {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        csv_header(&COLUMNS, &mut out);
        out
    }
}

fn push_issued<'r>(members: &mut RowMembers<'r>, resource: &Resource<'r>) {
    let Resource { profile, draft, grant, token } = resource;
    let credential_type = draft.credential_type();
    members.word("id", grant.id.urn().to_string()).word("issuer_did", profile.issuer.as_str());
    if let Some((uris, index)) = &grant.status {
        members.number("status_list_index", u64::from(*index)).word("status_list_uri", uris.token.as_str());
    }
    members
        .word("kid", profile.kid.as_str())
        .word("issued_at", grant.issued_at.to_string())
        .word("expires_at", grant.expires_at.to_string())
        .word("vct", profile.of_type(credential_type).vct.as_str())
        .word("credential_type", credential_type.name)
        .text(ATTESTATION_TYPE, draft.attestation_type())
        .word("proof_format", profile.proof_format.as_str())
        .word("alg", "ES256")
        .word("status", grant.current.status.as_str())
        .word("signed_payload", String::from_utf8_lossy(token));
}

fn push_rejected<'r>(members: &mut RowMembers<'r>, rejection: &'r Rejection) {
    let paths: Vec<_> = rejection.details.iter().map(|detail| detail.path.as_str()).collect();
    let mut error = RowMembers::default();
    error
        .word("code", rejection.code.as_str())
        .text("message", Some(rejection.message.as_str()))
        .word("paths", paths.join(" "));
    members.group("error", error);
}
