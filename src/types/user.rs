//! `user`: what an issuer has verified about a person.

use super::field::{Field, FieldKind, ID, NON_EMPTY, Object, TEXT};
use super::{CredentialType, Frame, Rule};

/// The credential type.
pub(super) static USER: CredentialType = CredentialType {
    name: "user",
    vc_type: "UserCredential",
    title: "User credential",
    description: "What an issuer has verified about a person.",
    own: &Object::NOTHING,
    subject: ("the person", &SUBJECT),
    claims: ("what is said about the person; at least one claim", &CLAIMS),
    columns: &[
        "correlation_id",
        "subject_id",
        "subject_type",
        "email",
        "first_name",
        "last_name",
        "kyc_status",
        "trust_level",
        "nationality",
        "date_of_birth",
        "id_document_type",
        "id_document_country",
        "parent_business_id",
        "jurisdiction",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ],
    hidden: &[
        "subject.email",
        "subject.first_name",
        "subject.last_name",
        "claims.nationality",
        "claims.date_of_birth",
        "claims.id_document_type",
        "claims.id_document_country",
    ],
    grants: None,
    rules: &[],
    frame: Frame::new(),
    from_file: None,
};

static SUBJECT: Object = Object {
    reserved: &["claims", "subject_id"],
    ..Object::of_claims(&[
        Field::required("id", ID, "the subject's identifier; becomes `sub`").identifier(),
        Field::optional("type", FieldKind::Word(&["person"]), "`person`"),
        Field::optional("email", NON_EMPTY, "the person's email address").personal().identifier(),
        Field::optional("first_name", NON_EMPTY, "the person's first name").personal(),
        Field::optional("last_name", NON_EMPTY, "the person's last name").personal(),
    ])
};

/// Levels at which somebody has looked at a document of the person's.
const SAW_A_DOCUMENT: &[&str] = &["idv_verified", "enterprise_verified"];

static CLAIMS: Object = Object {
    min_members: 1,
    rules: &[
        Rule::Needs { member: "id_document_type", other: "id_document_country" },
        Rule::NeedsWord { member: "id_document_type", other: "trust_level", words: SAW_A_DOCUMENT },
        Rule::SeldomAlone { member: "id_document_country", other: "id_document_type" },
    ],
    ..Object::of_claims(&[
        Field::optional("kyc_status", NON_EMPTY, "the outcome of the check"),
        Field::optional(
            "trust_level",
            FieldKind::Word(&["self_attested", "liveness_verified", "idv_verified", "enterprise_verified"]),
            "how the person was verified",
        ),
        Field::optional("nationality", FieldKind::Country, "the person's nationality, such as `GB`")
            .personal(),
        Field::optional("date_of_birth", FieldKind::PastDate, "the person's date of birth").personal(),
        Field::optional(
            "id_document_type",
            FieldKind::Word(&["passport", "drivers_license", "national_id", "residence_permit"]),
            "the document that was seen",
        ),
        Field::optional("id_document_country", FieldKind::Country, "the country that issued the document"),
        Field::optional("parent_business_id", TEXT, "the business to which the person belongs").identifier(),
        Field::optional(
            "jurisdiction",
            FieldKind::Jurisdiction,
            "where the claims hold, such as `GB` or `US-DE`",
        ),
    ])
};
