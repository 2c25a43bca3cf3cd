//! `outcome_attestation`: what came of something, in claims of any names.

use super::field::{ATTESTATION_TYPE, Field, FieldKind, ID, Object, TEXT};
use super::{CredentialType, Frame};

/// The credential type.
pub(super) static OUTCOME_ATTESTATION: CredentialType = CredentialType {
    name: "outcome_attestation",
    vc_type: "OutcomeAttestationCredential",
    title: "Outcome attestation",
    description: "What came of a check, a payment, a delivery or anything else.",
    own: &Object::closed(&[Field::required(
        ATTESTATION_TYPE,
        FieldKind::Text { min: 1, max: Some(64) },
        "what is attested, such as `payment_completed`",
    )]),
    subject: ("whom or what it is about", &SUBJECT),
    claims: ("what came of it, in claims of any names; at least one", &CLAIMS),
    columns: &[
        "correlation_id",
        "attestation_type",
        "subject_id",
        "subject_type",
        "parent_user_id",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ],
    hidden: &["claims.*"],
    grants: None,
    rules: &[],
    frame: Frame::new(),
    from_file: None,
};

static SUBJECT: Object = Object {
    reserved: &["claims", "subject_id"],
    ..Object::of_claims(&[
        Field::required("id", ID, "the subject's identifier; becomes `sub`").identifier(),
        Field::optional(
            "type",
            FieldKind::Word(&["organisation", "person", "agent", "document"]),
            "what the subject is",
        ),
        Field::optional("parent_user_id", TEXT, "the person to whom it belongs").identifier(),
    ])
};

static CLAIMS: Object = Object { min_members: 1, ..Object::of_any_claims(&[]) };
