//! The fields of an item, said once.
//!
//! [`ITEM`] is the one source for the validator ([`Checker`](super::Checker)), the JSON Schema
//! ([`super::schema`]), the CSV columns ([`crate::source`]), the templates and the README's table.
//! A rule that is not in this table does not exist.

/// A member of an object: its name, what its value must be, and whether it may be absent.
#[derive(Debug)]
pub struct Field {
    /// The member's name in JSON.
    pub name: &'static str,
    /// What the value must be.
    pub kind: Kind,
    /// Whether the object is incomplete without it.
    pub required: bool,
    /// Whether the value may name a person or an address, so that no message quotes it.
    pub personal: bool,
    /// Whether the text names something by which it is looked for, and so must pass
    /// [`identifier_problem`](super::rules::identifier_problem).
    pub identifier: bool,
    /// Whether text may have several lines without a warning, as an address does.
    pub lines: bool,
    /// One line for the schema and the README.
    pub doc: &'static str,
}

/// What a value must be.
#[derive(Debug)]
pub enum Kind {
    /// JSON `true` and nothing else: the self-attestation.
    Attestation,
    /// The credential type; a string that is none of ours has an error code of its own.
    CredentialType,
    /// Text of `min` to `max` characters (Unicode scalar values).
    Text {
        /// The least number of characters: 0 or 1.
        min: usize,
        /// The greatest number of characters, where there is a limit besides the item's size.
        max: Option<usize>,
    },
    /// One of these words, exactly.
    Word(&'static [&'static str]),
    /// An ISO 3166-1 alpha-2 code.
    Country,
    /// An ISO 3166-1 alpha-2 code or an ISO 3166-2 code.
    Jurisdiction,
    /// JSON `true` or `false`.
    Boolean,
    /// A number from 0 to 100, kept as written.
    Percent,
    /// An RFC 3339 date-time that has passed.
    PastDateTime,
    /// An ISO 8601 duration, the life of the credential.
    Duration,
    /// A public JWK (RFC 7517): the holder's key.
    PublicJwk,
    /// Anything: it is passed over.
    Ignored,
    /// An object with these members.
    Object(&'static Object),
    /// An array of at most `max` values of one kind.
    Array {
        /// What each element must be. Its `name` is the singular, as CSV columns use it.
        of: &'static Field,
        /// The greatest number of elements, where there is a limit besides the item's size.
        max: Option<usize>,
    },
}

/// An object's members.
#[derive(Debug)]
pub struct Object {
    /// The members that are known, in the order of the README.
    pub fields: &'static [Field],
    /// How many members there must be at least.
    pub min_members: usize,
    /// Whether `--allow-unknown` carries other members through.
    pub extensible: bool,
    /// Names that mean something to the credential formats at this place, and are refused even
    /// under `--allow-unknown`, beside those of [`is_reserved`].
    pub reserved: &'static [&'static str],
}

impl Object {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Names that have a meaning of their own in SD-JWT (RFC 9901 section 4.1) or JSON-LD, and so
/// can never be a claim's name, at any depth.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "_sd" | "..." | "_sd_alg") || name.starts_with('@')
}

/// The names that stand for `@id` and `@type` in the contexts of a credential, and so cannot be
/// names of unknown claims.
pub const JSON_LD_KEYWORDS: [&str; 2] = ["id", "type"];

/// The greatest length, in characters, of ids and references.
pub const MAX_ID_CHARS: usize = 512;
/// The most evidence references of one item.
pub const MAX_EVIDENCE_REFS: usize = 50;
/// The credential type of this version.
pub const CREDENTIAL_TYPE: &str = "business";

const ID: Kind = Kind::Text { min: 1, max: Some(MAX_ID_CHARS) };
const NON_EMPTY: Kind = Kind::Text { min: 1, max: None };
const TEXT: Kind = Kind::Text { min: 0, max: None };

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: true, personal: false, identifier: false, lines: false, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, personal: false, identifier: false, lines: false, doc }
}

const fn personal(field: Field) -> Field {
    Field { personal: true, ..field }
}

const fn identifier(field: Field) -> Field {
    Field { identifier: true, ..field }
}

const fn lines(field: Field) -> Field {
    Field { lines: true, ..field }
}

const fn closed(fields: &'static [Field]) -> Object {
    Object { fields, min_members: 0, extensible: false, reserved: &[] }
}

/// An item of a batch file: a request and the name by which its result is found again.
pub static ITEM: Object =
    closed(&[required("request", Kind::Object(&REQUEST), "what to issue"), CORRELATION_ID, ERROR]);

/// An item without the envelope: the request's own fields, and `correlation_id` beside them.
pub static BARE_ITEM: Object = closed(&[
    CREDENTIAL_TYPE_FIELD,
    SELF_ATTESTATION,
    SUBJECT_FIELD,
    CLAIMS_FIELD,
    EVIDENCE_REFS,
    TTL,
    CNF_FIELD,
    CORRELATION_ID,
    ERROR,
]);

/// The request: what is to be said about whom, and for how long.
pub static REQUEST: Object = closed(&[
    CREDENTIAL_TYPE_FIELD,
    SELF_ATTESTATION,
    SUBJECT_FIELD,
    CLAIMS_FIELD,
    EVIDENCE_REFS,
    TTL,
    CNF_FIELD,
]);

const CORRELATION_ID: Field =
    identifier(optional("correlation_id", ID, "your own name for the item; comes back with the result"));
const ERROR: Field = optional("error", Kind::Ignored, "what an earlier run said about the item; passed over");
/// The field that names the credential type.
pub(super) static TYPE_OF_CREDENTIAL: Field = CREDENTIAL_TYPE_FIELD;
const CREDENTIAL_TYPE_FIELD: Field =
    optional("credential_type", Kind::CredentialType, "the kind of credential; `business`");
const SELF_ATTESTATION: Field = required(
    "self_attestation_complete",
    Kind::Attestation,
    "`true`: the subject has attested to the claims",
);
const SUBJECT_FIELD: Field = required("subject", Kind::Object(&SUBJECT), "the business");
const CLAIMS_FIELD: Field =
    required("claims", Kind::Object(&CLAIMS), "what is said about it; at least one claim");
const EVIDENCE_REFS: Field = optional(
    "evidence_refs",
    Kind::Array { of: &EVIDENCE_REF, max: Some(MAX_EVIDENCE_REFS) },
    "where the evidence is kept; at most 50",
);
pub(super) const TTL: Field =
    optional("ttl", Kind::Duration, "how long the credential lives, such as `P1Y`; at most `P10Y`");
const CNF_FIELD: Field = optional("cnf", Kind::Object(&CNF), "the holder's key (RFC 7800)");

static EVIDENCE_REF: Field = required("evidence_ref", ID, "a reference to one piece of evidence");

/// The subject of the credential.
pub static SUBJECT: Object = Object {
    fields: &[
        identifier(required("id", ID, "the subject's identifier; becomes `sub`")),
        optional("type", Kind::Word(&["organisation"]), "`organisation`"),
        personal(optional("name", NON_EMPTY, "the business's name")),
        identifier(optional("registration_number", NON_EMPTY, "its number in the register")),
        optional("legal_form", NON_EMPTY, "its legal form, an ELF code or text"),
        optional("jurisdiction", Kind::Jurisdiction, "where it is registered, such as `GB` or `US-DE`"),
    ],
    min_members: 0,
    extensible: true,
    reserved: &["claims", "subject_id"],
};

/// The claims of the credential.
pub static CLAIMS: Object = Object {
    fields: &[
        optional(
            "jurisdiction",
            Kind::Jurisdiction,
            "the jurisdiction that was verified, such as `GB` or `US-DE`",
        ),
        optional("tax_id_verified", Kind::Boolean, "whether the tax number was verified"),
        optional("kyb_status", TEXT, "the outcome of the check"),
        optional("business_type", TEXT, "the kind of business"),
        personal(optional("registered_name", TEXT, "the name in the register")),
        optional("verified_at", Kind::PastDateTime, "when the claims were verified (RFC 3339)"),
        optional(
            "beneficial_owners",
            Kind::Array { of: &OWNER, max: None },
            "the people and companies that own it",
        ),
        optional("registered_address", Kind::Object(&ADDRESS), "its registered address"),
    ],
    min_members: 1,
    extensible: true,
    reserved: &JSON_LD_KEYWORDS,
};

/// The singular of `beneficial_owners`, which marks the array whose shares are added up.
pub const OWNER_NAME: &str = "owner";

static OWNER: Field = required(OWNER_NAME, Kind::Object(&OWNER_OBJECT), "a beneficial owner");

static OWNER_OBJECT: Object = Object {
    fields: &[
        personal(required("full_name", NON_EMPTY, "the owner's name")),
        optional("ownership_percent", Kind::Percent, "the owner's share, 0 to 100"),
        personal(identifier(optional("person_id", TEXT, "the owner's identifier"))),
        personal(optional("role", TEXT, "how the owner controls the business")),
    ],
    min_members: 0,
    extensible: true,
    reserved: &JSON_LD_KEYWORDS,
};

static ADDRESS: Object = Object {
    fields: &[
        personal(lines(required("line1", NON_EMPTY, "the first line"))),
        personal(lines(optional("line2", TEXT, "the second line"))),
        personal(required("city", NON_EMPTY, "the city")),
        personal(optional("state_or_region", TEXT, "the state or region")),
        personal(optional("postal_code", TEXT, "the postal code")),
        required("country", Kind::Country, "the country, such as `GB`"),
    ],
    min_members: 0,
    extensible: true,
    reserved: &JSON_LD_KEYWORDS,
};

static CNF: Object =
    closed(&[required("jwk", Kind::PublicJwk, "the holder's public key (RFC 7517), copied to `cnf`")]);
