//! What every item has around its subject and claims.

use std::sync::OnceLock;

use super::CredentialType;
use super::field::{Field, FieldKind, ID, Object};

/// The most evidence references of one item.
pub const MAX_EVIDENCE_REFS: usize = 50;

/// The tables of a type's items, made when they are first asked for.
#[derive(Debug, Default)]
pub struct Frame {
    request: OnceLock<Object>,
    item: OnceLock<Object>,
    bare_item: OnceLock<Object>,
}

impl Frame {
    /// A frame whose tables are not made yet.
    pub const fn new() -> Frame {
        Frame { request: OnceLock::new(), item: OnceLock::new(), bare_item: OnceLock::new() }
    }
}

impl CredentialType {
    /// The request: what is to be said about whom, and for how long.
    pub fn request(&'static self) -> &'static Object {
        self.frame.request.get_or_init(|| Object { rules: self.rules, ..table(self.request_fields()) })
    }

    /// An item of a batch file: a request and the name by which its result is found again.
    pub fn item(&'static self) -> &'static Object {
        self.frame.item.get_or_init(|| {
            let request = Field::required("request", FieldKind::Object(self.request()), "what to issue");
            table(vec![request, CORRELATION_ID, ERROR])
        })
    }

    /// An item without the envelope: the request's own fields, and `correlation_id` beside them.
    pub fn bare_item(&'static self) -> &'static Object {
        let fields = || self.request_fields().into_iter().chain([CORRELATION_ID, ERROR]).collect();
        self.frame.bare_item.get_or_init(|| Object { rules: self.rules, ..table(fields()) })
    }

    fn request_fields(&self) -> Vec<Field> {
        let (about_subject, subject) = self.subject;
        let (about_claims, claims) = self.claims;
        let own = self.own.fields.iter().copied();
        let shared = [
            Field::required(
                "self_attestation_complete",
                FieldKind::Attestation,
                "`true`: the subject has attested to the claims",
            ),
            Field::required("subject", FieldKind::Object(subject), about_subject),
            Field::required("claims", FieldKind::Object(claims), about_claims),
            Field::optional(
                "evidence_refs",
                FieldKind::Array { of: &EVIDENCE_REF, min: 0, max: Some(MAX_EVIDENCE_REFS) },
                "where the evidence is kept; at most 50",
            ),
            TTL,
            Field::optional("cnf", FieldKind::Object(&CNF), "the holder's key (RFC 7800)"),
        ];
        [credential_type_field(self.name)].into_iter().chain(own).chain(shared).collect()
    }
}

/// The field that names the type, where it is this one.
pub(crate) const fn credential_type_field(name: &'static str) -> Field {
    Field::optional("credential_type", FieldKind::CredentialType(name), "the kind of credential")
}

/// A table of a type, which lives as long as the type does.
fn table(fields: Vec<Field>) -> Object {
    Object::closed(fields.leak())
}

/// The life of the credential.
pub(crate) const TTL: Field = Field::optional(
    "ttl",
    FieldKind::Life,
    "how long the credential is valid, such as `P1Y`; at most `P10Y`",
);

const CORRELATION_ID: Field =
    Field::optional("correlation_id", ID, "your own name for the item; comes back with the result")
        .identifier();

const ERROR: Field = Field::optional("error", FieldKind::Ignored, "the error from an earlier run; ignored");

static EVIDENCE_REF: Field = Field::required("evidence_ref", ID, "a reference to one piece of evidence");

static CNF: Object = Object::closed(&[Field::required(
    "jwk",
    FieldKind::PublicJwk,
    "the holder's public key (RFC 7517), copied to `cnf`",
)]);
