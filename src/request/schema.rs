//! The JSON Schema (2020-12) of an item, made from the table of fields.
//!
//! It accepts what [`Checker`](super::Checker) accepts, but for rules that JSON Schema cannot say:
//! repeated keys, characters that cannot be signed, invisible characters beyond U+FFFF in identifiers, how many values
//! there are in all, times in the future, durations beyond the
//! calendar's limits, shares that only differ from 0 or 100 beyond a double (or by a minus), and whether the
//! numbers of a holder's key make a key.

use serde_json::{Map, Value, json};

use super::fields::{self, Field, Kind, Object};
use super::rules;

/// The schema of an item: with its envelope, or bare.
pub fn item() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "beltic batch item",
        "description": "An item of a batch file: a request with a correlation_id beside it, in an envelope or bare.",
        "if": { "type": "object", "required": ["request"] },
        "then": object(&fields::ITEM),
        "else": object(&fields::BARE_ITEM),
        "$defs": {
            "country": { "enum": rules::countries() },
            "jurisdiction": { "enum": rules::jurisdictions() },
            "identifier": identifier(),
        },
    })
}

fn object(object: &Object) -> Value {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<_> =
        object.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if object.min_members > 0 {
        schema["minProperties"] = object.min_members.into();
    }
    schema
}

/// What no identifier may be: see [`rules::identifier_problem`].
fn identifier() -> Value {
    let patterns: Vec<Value> =
        rules::IDENTIFIER_PATTERNS.iter().map(|pattern| json!({ "pattern": pattern })).collect();
    json!({ "not": { "type": "string", "anyOf": patterns } })
}

fn described(field: &Field) -> Value {
    let mut schema = value(&field.kind);
    if field.identifier {
        schema["$ref"] = "#/$defs/identifier".into();
    }
    schema["description"] = field.doc.into();
    schema
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Ignored => json!({}),
        Kind::Attestation => json!({ "const": true }),
        Kind::CredentialType => json!({ "const": fields::CREDENTIAL_TYPE }),
        Kind::Text { min, max } => text(*min, *max),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Country => json!({ "$ref": "#/$defs/country" }),
        Kind::Jurisdiction => json!({ "$ref": "#/$defs/jurisdiction" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Percent => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        Kind::PastDateTime => json!({ "type": "string", "format": "date-time" }),
        Kind::Duration => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        Kind::PublicJwk => public_jwk(),
        Kind::Object(inner) => object(inner),
        Kind::Array { of, max } => array(of, *max),
    }
}

/// A duration in whole numbers that are not all zero, weeks on their own.
const DURATION_PATTERN: &str = "^P(?=.*[1-9])(?:[0-9]+W|(?=.)(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?=.)(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?)$";

fn text(min: usize, max: Option<usize>) -> Value {
    let mut schema = json!({ "type": "string" });
    if min > 0 {
        schema["minLength"] = min.into();
    }
    if let Some(max) = max {
        schema["maxLength"] = max.into();
    }
    schema
}

fn array(of: &Field, max: Option<usize>) -> Value {
    let mut schema = json!({ "type": "array", "items": described(of) });
    if let Some(max) = max {
        schema["maxItems"] = max.into();
    }
    schema
}

fn public_jwk() -> Value {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let none_of: Map<String, Value> =
        private.into_iter().map(|name| (name.to_owned(), Value::Bool(false))).collect();
    json!({
        "type": "object",
        "allOf": [{ "properties": none_of }],
        "anyOf": jwk_types(),
    })
}

/// The members of each key type (RFC 7518 section 6, RFC 8037 section 2).
fn jwk_types() -> Vec<Value> {
    let curve = |kty: &str, curves: &[&str], members: &[&str], bytes: usize| {
        let mut properties = json!({ "kty": { "const": kty }, "crv": { "enum": curves } });
        for member in members {
            properties[member] = json!({ "type": "string", "pattern": base64url_pattern(bytes) });
        }
        let required = [&["kty", "crv"], members].concat();
        json!({ "required": required, "properties": properties })
    };
    let number =
        |least: usize| json!({ "type": "string", "pattern": format!("^[A-Za-z0-9_-]{{{least},}}$") });
    vec![
        curve("EC", &["P-256", "secp256k1"], &["x", "y"], 32),
        curve("EC", &["P-384"], &["x", "y"], 48),
        curve("EC", &["P-521"], &["x", "y"], 66),
        curve("OKP", &["Ed25519", "X25519"], &["x"], 32),
        curve("OKP", &["Ed448"], &["x"], 57),
        curve("OKP", &["X448"], &["x"], 56),
        json!({
            "required": ["kty", "n", "e"],
            "properties": { "kty": { "const": "RSA" }, "n": number(342), "e": number(2) },
        }),
    ]
}

/// Base64url of so many bytes; where the last digit has bits to spare, they are zero.
fn base64url_pattern(bytes: usize) -> String {
    let digits = (bytes * 8).div_ceil(6);
    match bytes % 3 {
        0 => format!("^[A-Za-z0-9_-]{{{digits}}}$"),
        1 => format!("^[A-Za-z0-9_-]{{{}}}[AQgw]$", digits - 1),
        _ => format!("^[A-Za-z0-9_-]{{{}}}[AEIMQUYcgkosw048]$", digits - 1),
    }
}
