//! `business`: what an issuer has verified about a company.

use super::field::{Field, FieldKind, ID, NON_EMPTY, Object, TEXT};
use super::{CredentialType, Frame, Rule};

/// The credential type.
pub(super) static BUSINESS: CredentialType = CredentialType {
    name: "business",
    vc_type: "BusinessCredential",
    title: "Business credential",
    description: "What an issuer has verified about a business.",
    own: &Object::NOTHING,
    subject: ("the business", &SUBJECT),
    claims: ("what is said about it; at least one claim", &CLAIMS),
    columns: &[
        "correlation_id",
        "subject_id",
        "subject_type",
        "name",
        "registration_number",
        "jurisdiction",
        "legal_form",
        "claims_jurisdiction",
        "tax_id_verified",
        "kyb_status",
        "business_type",
        "registered_name",
        "verified_at",
        "address_line1",
        "address_line2",
        "address_city",
        "address_state_or_region",
        "address_postal_code",
        "address_country",
        "owner…",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ],
    hidden: &[
        "subject.registration_number",
        "claims.beneficial_owners",
        "claims.beneficial_owners[]",
        "claims.registered_address",
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
        Field::optional("type", FieldKind::Word(&["organisation"]), "`organisation`"),
        Field::optional("name", NON_EMPTY, "the business's name").personal(),
        Field::optional("registration_number", NON_EMPTY, "its number in the register").identifier(),
        Field::optional("legal_form", NON_EMPTY, "its legal form, an ELF code or text"),
        Field::optional(
            "jurisdiction",
            FieldKind::Jurisdiction,
            "where it is registered, such as `GB` or `US-DE`",
        ),
    ])
};

static CLAIMS: Object = Object {
    min_members: 1,
    rules: &[Rule::SharesOfAWhole { list: "beneficial_owners", share: "ownership_percent" }],
    ..Object::of_claims(&[
        Field::optional(
            "jurisdiction",
            FieldKind::Jurisdiction,
            "the jurisdiction that was verified, such as `GB` or `US-DE`",
        ),
        Field::optional("tax_id_verified", FieldKind::Boolean, "whether the tax number was verified"),
        Field::optional("kyb_status", TEXT, "the outcome of the check"),
        Field::optional("business_type", TEXT, "the kind of business"),
        Field::optional("registered_name", TEXT, "the name in the register").personal(),
        Field::optional("verified_at", FieldKind::PastDateTime, "when the claims were verified (RFC 3339)"),
        Field::optional(
            "beneficial_owners",
            FieldKind::Array { of: &OWNER, min: 0, max: None },
            "the people and companies that own it",
        ),
        Field::optional("registered_address", FieldKind::Object(&ADDRESS), "its registered address")
            .columns_as("address"),
    ])
};

static OWNER: Field = Field::required("owner", FieldKind::Object(&OWNER_OBJECT), "a beneficial owner");

static OWNER_OBJECT: Object = Object::of_claims(&[
    Field::required("full_name", NON_EMPTY, "the owner's name").personal(),
    Field::optional("ownership_percent", FieldKind::Percent, "the owner's share, 0 to 100"),
    Field::optional("person_id", TEXT, "the owner's identifier").personal().identifier(),
    Field::optional("role", TEXT, "how the owner controls the business").personal(),
]);

static ADDRESS: Object = Object::of_claims(&[
    Field::required("line1", NON_EMPTY, "the first line").personal().lines(),
    Field::optional("line2", TEXT, "the second line").personal().lines(),
    Field::required("city", NON_EMPTY, "the city").personal(),
    Field::optional("state_or_region", TEXT, "the state or region").personal(),
    Field::optional("postal_code", TEXT, "the postal code").personal(),
    Field::required("country", FieldKind::Country, "the country, such as `GB`"),
]);
