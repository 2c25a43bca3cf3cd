//! `csv`: a header row, then one result a row.

use super::table::{RowMembers, csv_header};
use super::{Form, Removed};
use crate::batch::{Action, Outcome, Render, Row};
use crate::credential::Resource;
use crate::request::Rejection;
use crate::types::ATTESTATION_TYPE;

/// A table; of a register, with the columns that say what was done.
pub(super) struct Table {
    pub(super) of_register: bool,
}

/// The columns of a register, before the others and behind them.
const OF_REGISTER: [&str; 2] = ["action", "former"];
const OF_REVOKED: [&str; 2] = ["revoked_at", "revocation_reason"];

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
        if let Some(done) = row.done {
            members.word("action", done.action.as_str());
            members.text("former", done.former.map(|former| former.urn().to_string()));
        }
        members.number("index", row.index).number("line", row.line).text("correlation_id", correlation_id);
        match &row.outcome {
            Outcome::Issued(resource) => push_issued(&mut members, resource),
            Outcome::WouldIssue { replay } => {
                members.word("status", if *replay { "would_replay" } else { "would_issue" });
            }
            Outcome::Planned => {}
            Outcome::Rejected(rejection) => push_rejected(&mut members, rejection),
        }
        members.write_csv(&self.columns(), out);
    }
}

impl Table {
    fn columns(&self) -> Vec<&'static str> {
        let of_register = OF_REGISTER.into_iter().filter(|_| self.of_register);
        let of_revoked = OF_REVOKED.into_iter().filter(|_| self.of_register);
        of_register.chain(COLUMNS).chain(of_revoked).collect()
    }
}

impl Form for Table {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        csv_header(&self.columns(), &mut out);
        out
    }

    fn removed(&self, removed: &Removed<'_>, out: &mut Vec<u8>) {
        let mut members = RowMembers::default();
        members
            .word("action", Action::REVOKED)
            .word("id", removed.credential.id.urn().to_string())
            .word("status", removed.credential.current.status.as_str())
            .text("revoked_at", removed.revoked_at().map(|since| since.to_string()))
            .text("revocation_reason", removed.reason());
        members.write_csv(&self.columns(), out);
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
