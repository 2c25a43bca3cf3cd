//! `agent_authorization`: what a software agent may do, and for whom.

use super::field::{Field, FieldKind, NON_EMPTY, Object, TEXT};
use super::{CredentialType, Frame, Grants, Rule};

/// The credential type.
pub(super) static AGENT_AUTHORIZATION: CredentialType = CredentialType {
    name: "agent_authorization",
    vc_type: "AgentAuthorizationCredential",
    title: "Agent authorization",
    description: "What a software agent may do, and for whom.",
    own: &Object::NOTHING,
    subject: ("the agent", &SUBJECT),
    claims: ("what the agent may do", &CLAIMS),
    columns: &[
        "correlation_id",
        "subject_id",
        "subject_type",
        "subject_public_jwk",
        "agent_external_id",
        "parent_user_id",
        "parent_business_id",
        "permission…",
        "delegated_by_subject_id",
        "spend_limit_amount",
        "spend_limit_currency",
        "spend_limit_period",
        "authorized_currencies",
        "max_idle_duration",
        "human_present",
        "confirmation_threshold_cents",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ],
    hidden: &["subject.agent_external_id", "subject.parent_user_id"],
    grants: Some(Grants {
        permissions: "permissions",
        delegated_by: "delegated_by_subject_id",
        not_judged: &[
            "spend_limit",
            "authorized_currencies",
            "max_idle_duration",
            "human_present",
            "confirmation_threshold_cents",
        ],
    }),
    rules: &[Rule::HolderIsSubject, Rule::ShortLife { days: 90 }],
    frame: Frame::new(),
    from_file: None,
};

static SUBJECT: Object = Object {
    reserved: &["claims", "subject_id"],
    rules: &[Rule::KeyOfDid { did: "id", jwk: "public_jwk" }],
    ..Object::of_claims(&[
        Field::required("id", FieldKind::DidJwk, "the agent's key as a did:jwk; becomes `sub`"),
        Field::optional("type", FieldKind::Word(&["agent"]), "`agent`"),
        Field::optional("public_jwk", FieldKind::PublicJwk, "the agent's key, the same as in `id`"),
        Field::optional("agent_external_id", TEXT, "your own name for the agent").identifier(),
        Field::optional("parent_user_id", TEXT, "the person for whom it acts").identifier(),
        Field::optional("parent_business_id", TEXT, "the business for which it acts").identifier(),
    ])
};

static CLAIMS: Object = Object {
    rules: &[
        Rule::DelegationNeeded {
            member: "delegated_by_subject_id",
            list: "permissions",
            says: ("resource_type", "wallet"),
        },
        Rule::AmongThese { of: ("spend_limit", "currency"), list: "authorized_currencies" },
    ],
    ..Object::of_claims(&[
        Field::required(
            "permissions",
            FieldKind::Array { of: &PERMISSION, min: 1, max: None },
            "what it may do, at least one",
        ),
        Field::optional("delegated_by_subject_id", NON_EMPTY, "who lets it do so; required for a `wallet`")
            .identifier(),
        Field::optional("spend_limit", FieldKind::Object(&SPEND_LIMIT), "what it may spend"),
        Field::optional(
            "authorized_currencies",
            FieldKind::Array { of: &CURRENCY, min: 0, max: None },
            "the currencies in which it may pay",
        ),
        Field::optional(
            "max_idle_duration",
            FieldKind::Duration,
            "how long it may do nothing, such as `PT15M`",
        ),
        Field::optional("human_present", FieldKind::Boolean, "whether a person must be there"),
        Field::optional(
            "confirmation_threshold_cents",
            FieldKind::Whole { or_null: true },
            "from which amount a person must confirm, in minor units",
        ),
    ])
};

static PERMISSION: Field =
    Field::required("permission", FieldKind::Object(&PERMISSION_OBJECT), "something that it may do");

static PERMISSION_OBJECT: Object = Object::of_claims(&[
    Field::required("resource_type", NON_EMPTY, "the kind of thing, such as `wallet`"),
    Field::optional("resource_id", TEXT, "the thing; `*` is all of them"),
    Field::required(
        "actions",
        FieldKind::Array { of: &ACTION, min: 1, max: None },
        "what it may do with it, at least one",
    ),
    Field::optional(
        "conditions",
        FieldKind::Array { of: &CONDITION, min: 0, max: None },
        "what must hold, all of them",
    ),
]);

static ACTION: Field = Field::required("action", NON_EMPTY, "an action, such as `checkout`");

static CONDITION: Field =
    Field::required("condition", FieldKind::Object(&CONDITION_OBJECT), "something that must hold");

static CONDITION_OBJECT: Object = Object {
    rules: &[Rule::Comparison { operator: "operator", value: "value" }],
    ..Object::of_claims(&[
        Field::required("field", NON_EMPTY, "what is compared, such as `amount`"),
        Field::required(
            "operator",
            FieldKind::Word(&["lte", "lt", "gte", "gt", "eq", "neq", "in"]),
            "how it is compared",
        ),
        Field::required(
            "value",
            FieldKind::Comparand,
            "with what: a number, text, a boolean; an array for `in`",
        ),
    ])
};

static SPEND_LIMIT: Object = Object::of_claims(&[
    Field::required("amount", FieldKind::Whole { or_null: false }, "how much, in minor units: 5000 is 50.00"),
    Field::required("currency", FieldKind::Currency, "of which currency, such as `EUR`"),
    Field::required(
        "period",
        FieldKind::Word(&["per_transaction", "daily", "weekly", "monthly", "lifetime"]),
        "for how long",
    ),
]);

static CURRENCY: Field = Field::required("currency", FieldKind::Currency, "a currency, such as `EUR`");
