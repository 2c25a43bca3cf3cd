//! The language in which types describe what stands in an item: fields, what their values must be, and objects.

use super::{Judged, Rule};

/// A member of an object: its name, what its value must be, and whether it may be absent.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The member's name in JSON.
    pub name: &'static str,
    /// What the value must be.
    pub kind: FieldKind,
    /// Whether the object is incomplete without it.
    pub required: bool,
    /// Whether the value may name a person or an address, so that no message quotes it.
    pub personal: bool,
    /// Whether the text names something by which it is looked for, and so must pass
    /// [`identifier_problem`](crate::request::rules::identifier_problem).
    pub identifier: bool,
    /// Whether text may have several lines without a warning, as an address does.
    pub lines: bool,
    /// The word that stands before the column names of an object's members; none where that is its own name.
    pub column_prefix: Option<&'static str>,
    /// One line for the schema and the pages.
    pub doc: &'static str,
}

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// JSON `true` and nothing else: the self-attestation.
    Attestation,
    /// The name of this credential type; another string has an error code of its own.
    CredentialType(&'static str),
    /// Text of `min` to `max` characters (Unicode scalar values).
    Text {
        /// The least number of characters.
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
    /// An RFC 3339 full-date that has come.
    PastDate,
    /// An ISO 4217 code.
    Currency,
    /// A whole number from 0 to [`MAX_WHOLE`], kept as written.
    Whole {
        /// Whether `null` may stand in its place.
        or_null: bool,
    },
    /// An ISO 8601 duration in whole numbers.
    Duration,
    /// The same, as the life of the credential: at most ten years.
    Life,
    /// A did:jwk of a public key.
    DidJwk,
    /// What a condition compares with: a number, text, a boolean, or an array of those.
    Comparand,
    /// A public JWK (RFC 7517): the holder's key.
    PublicJwk,
    /// What a type of one's own says in words of JSON Schema that no other kind has.
    Judged(&'static Judged),
    /// Any value.
    Any,
    /// Anything: it is skipped.
    Ignored,
    /// An object with these members.
    Object(&'static Object),
    /// An array of `min` to `max` values of one kind.
    Array {
        /// What each element must be. Its `name` is the singular, as CSV columns use it.
        of: &'static Field,
        /// The least number of elements.
        min: usize,
        /// The greatest number of elements, where there is a limit besides the item's size.
        max: Option<usize>,
    },
}

/// An object's members.
#[derive(Debug)]
pub struct Object {
    /// The members that are known, in the order of the pages.
    pub fields: &'static [Field],
    /// How many members there must be at least.
    pub min_members: usize,
    /// What becomes of other members.
    pub others: Others,
    /// Names that mean something to the credential formats at this place, and are refused even
    /// under `--allow-unknown`, beside those of [`is_reserved`].
    pub reserved: &'static [&'static str],
    /// Rules between the members.
    pub rules: &'static [Rule],
}

/// What becomes of members that an object's table does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are refused.
    Refused,
    /// They are refused unless `--allow-unknown` carries them through.
    Extensions,
    /// They are what the object is for, whatever they are called and hold.
    Welcome,
}

impl Object {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// An object without members.
    pub const NOTHING: Object = Object::closed(&[]);

    /// An object of these members and no others.
    pub const fn closed(fields: &'static [Field]) -> Object {
        Object { fields, min_members: 0, others: Others::Refused, reserved: &[], rules: &[] }
    }

    /// An object of claims of any names beside these.
    pub const fn of_any_claims(fields: &'static [Field]) -> Object {
        Object { others: Others::Welcome, ..Object::of_claims(fields) }
    }

    /// An object of the claims, to which `--allow-unknown` adds.
    pub const fn of_claims(fields: &'static [Field]) -> Object {
        Object { others: Others::Extensions, reserved: &JSON_LD_KEYWORDS, ..Object::closed(fields) }
    }
}

/// Names that have a meaning of their own in SD-JWT (RFC 9901 section 4.1) or JSON-LD, and so
/// can never be a claim's name, at any depth.
pub fn is_reserved(name: &str) -> bool {
    SD_JWT_NAMES.contains(&name) || name.starts_with('@')
}

/// The names that have a meaning in the payload of an SD-JWT (RFC 9901 section 4.1).
pub const SD_JWT_NAMES: [&str; 3] = ["_sd", "...", "_sd_alg"];

/// The names that stand for `@id` and `@type` in the contexts of a credential, and so cannot be
/// names of unknown claims.
pub const JSON_LD_KEYWORDS: [&str; 2] = ["id", "type"];

/// The greatest whole number that every reader of JSON keeps (RFC 7493 section 2.2).
pub const MAX_WHOLE: u64 = (1 << 53) - 1;

/// The member that says what is attested, beside the type.
pub const ATTESTATION_TYPE: &str = "attestation_type";

/// The greatest length, in characters, of ids and references.
pub const MAX_ID_CHARS: usize = 512;

/// Text of 1 to [`MAX_ID_CHARS`] characters.
pub const ID: FieldKind = FieldKind::Text { min: 1, max: Some(MAX_ID_CHARS) };
/// Text that is not empty.
pub const NON_EMPTY: FieldKind = FieldKind::Text { min: 1, max: None };
/// Any text.
pub const TEXT: FieldKind = FieldKind::Text { min: 0, max: None };

impl Field {
    /// A member that must be there.
    pub const fn required(name: &'static str, kind: FieldKind, doc: &'static str) -> Field {
        Field {
            name,
            kind,
            required: true,
            personal: false,
            identifier: false,
            lines: false,
            column_prefix: None,
            doc,
        }
    }

    /// A member that may be absent.
    pub const fn optional(name: &'static str, kind: FieldKind, doc: &'static str) -> Field {
        Field { required: false, ..Field::required(name, kind, doc) }
    }

    /// The field, whose value may name a person or an address.
    pub const fn personal(self) -> Field {
        Field { personal: true, ..self }
    }

    /// The field, whose text is looked for.
    pub const fn identifier(self) -> Field {
        Field { identifier: true, ..self }
    }

    /// The field, an object, with this word before the column names of its members.
    pub const fn columns_as(self, prefix: &'static str) -> Field {
        Field { column_prefix: Some(prefix), ..self }
    }

    /// The field, whose text may have several lines.
    pub const fn lines(self) -> Field {
        Field { lines: true, ..self }
    }
}
