//! The JSON Schema (2020-12) of an item, made from the table of fields.
//!
//! It accepts what [`Checker`](super::Checker) accepts, but for rules that JSON Schema cannot say:
//! repeated keys, characters that cannot be signed, invisible characters beyond U+FFFF in identifiers, how many values
//! there are in all, times in the future, durations beyond the
//! calendar's limits, shares that only differ from 0 or 100 beyond a double (or by a minus), and whether the
//! numbers of a holder's key make a key, alone or in a did:jwk, and whether two keys are one.

use serde_json::{Map, Value, json};

use super::rules;
use crate::types::{
    CredentialType, Field, FieldKind, JSON_LD_KEYWORDS, MAX_WHOLE, Object, Others, Rule, SD_JWT_NAMES, Types,
};

/// The schema of a whole `jwt_vc` of this type, which is published at `id` (Verifiable Credentials JSON Schema
/// Specification). What `--allow-unknown` carries through is taken, and rules between subject and claims are left out:
/// it takes every credential that is issued, and no other structure.
pub fn credential(known: &'static CredentialType, id: &str) -> Value {
    let writing = Writing { types: Types::new(vec![known].leak()), takes_unknown: true };
    let mut subject = object(known.subject.1, writing);
    let mut claims = json!({ "$ref": format!("#/$defs/{}", part_name(known, "claims")) });
    let mut definitions = definitions(writing);
    if let Some(schema) = known.schema() {
        definitions[part_name(known, "schema")] = with_id(of_credential_subject(schema.spelt_out()), known);
        subject["$ref"] = format!("{}#/properties/subject", id_of_schema(known)).into();
        claims["allOf"] = json!([{ "$ref": format!("{}#/properties/claims", id_of_schema(known)) }]);
    }
    // A subject whose id is no URI has it under another name.
    let required = subject["required"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let required: Vec<Value> =
        required.into_iter().filter(|name| name != "id").chain(["claims".into()]).collect();
    let id_schema = subject["properties"]["id"].clone();
    subject["required"] = required.into();
    subject["properties"]["subject_id"] = id_schema;
    subject["properties"]["claims"] = claims;
    // Claims stand among the subject's members, under a name that no member of an item's subject has.
    subject.as_object_mut().into_iter().for_each(|subject| drop(subject.remove("propertyNames")));
    subject["oneOf"] = json!([{ "required": ["id"] }, { "required": ["subject_id"] }]);
    let mut properties = json!({ "credentialSubject": subject });
    let mut required = vec![Value::from("credentialSubject")];
    for field in known.own.fields {
        properties[field.name] = described(field, writing);
        required.extend(field.required.then(|| Value::from(field.name)));
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": known.title,
        "description": known.description,
        "type": "object",
        "properties": properties,
        "required": required,
    });
    schema["$defs"] = used_definitions(&schema, definitions);
    schema
}

/// Those of the definitions that a schema refers to, and that those refer to.
fn used_definitions(schema: &Value, mut definitions: Value) -> Value {
    let mut used = Map::new();
    let mut text = schema.to_string();
    loop {
        let all = definitions.as_object_mut().expect("definitions are an object");
        let is_named = |name: &&String| {
            text.contains(&format!("\"#/$defs/{name}\""))
                || text.contains(&format!("\"urn:beltic:schema:{}", type_of_part(name)))
        };
        let Some(name) = all.keys().find(is_named).cloned() else { return used.into() };
        let definition = all.remove(&name).unwrap_or_default();
        text.push_str(&definition.to_string());
        used.insert(name, definition);
    }
}

/// The type in the name of a part that is a schema of its own; no type's name where it is none.
fn type_of_part(name: &str) -> &str {
    name.strip_suffix(".schema").unwrap_or("-")
}

/// How tables are written.
#[derive(Debug, Clone, Copy)]
struct Writing {
    /// The types whose parts have names.
    types: Types,
    /// Whether members are taken that `--allow-unknown` carries through.
    takes_unknown: bool,
}

impl Writing {
    /// As items are judged.
    fn of_items(types: Types) -> Writing {
        Writing { types, takes_unknown: false }
    }
}

/// What schemas refer to.
fn definitions(writing: Writing) -> Value {
    let mut definitions = json!({
        "country": { "enum": rules::countries() },
        "jurisdiction": { "enum": rules::jurisdictions() },
        "currency": { "enum": rules::currencies() },
        "identifier": identifier(),
        "public_jwk": public_jwk(),
        "claim_name": claim_name(),
        "any_claim": {
            "propertyNames": { "$ref": "#/$defs/claim_name" },
            "additionalProperties": { "$ref": "#/$defs/any_claim" },
            "items": { "$ref": "#/$defs/any_claim" },
        },
    });
    for known in writing.types.all() {
        for (part, (_, table)) in [("subject", known.subject), ("claims", known.claims)] {
            definitions[part_name(known, part)] = object(table, writing);
        }
    }
    definitions
}

/// The schema of a type of one's own, for a subject that has claims inside and whose id may have another name.
fn of_credential_subject(mut schema: Value) -> Value {
    if let Some(subject) = schema.pointer_mut("/properties/subject").and_then(Value::as_object_mut) {
        for keyword in ["additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"] {
            subject.remove(keyword);
        }
        if let Some(required) = subject.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name != "id");
        }
    }
    schema["properties"].as_object_mut().into_iter().for_each(|parts| {
        parts.entry("subject").or_insert(Value::Bool(true));
    });
    schema
}

/// The schema of an item of one of these types: with its envelope, or bare.
pub fn item(types: Types) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "beltic batch item",
        "description": "An item of a batch file: a request with a correlation_id beside it, in an envelope or bare.",
    });
    for (name, part) in in_either_form(types) {
        schema[name] = part;
    }
    let mut definitions = definitions(Writing::of_items(types));
    for known in types.all() {
        if let Some(schema) = known.schema() {
            definitions[part_name(known, "schema")] = with_id(schema.spelt_out(), known);
        }
    }
    schema["$defs"] = definitions;
    schema
}

/// The name under which the table of a type's subject or claims stands in `$defs`.
fn part_name(known: &CredentialType, part: &str) -> String {
    format!("{}.{part}", known.name)
}

/// The schema of a type of one's own, as a resource of its own: its references are to its own parts.
fn with_id(schema: Value, known: &CredentialType) -> Value {
    let mut schema = schema;
    schema["$id"] = id_of_schema(known).into();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    schema
}

fn id_of_schema(known: &CredentialType) -> String {
    format!("urn:beltic:schema:{}", known.name)
}

/// The type of which this is the table of requests, in an item or bare, where it has a schema beside its tables.
fn type_with_schema(table: &Object, writing: Writing) -> Option<&'static CredentialType> {
    let is_table = |known: &&&'static CredentialType| {
        [known.request(), known.bare_item()].into_iter().any(|known| std::ptr::eq(known, table))
    };
    writing.types.all().iter().filter(|known| known.schema().is_some()).find(is_table).copied()
}

/// The reference to an object's table, where it has a name.
fn reference(object: &Object, writing: Writing) -> Option<Value> {
    let parts = writing.types.all().iter().flat_map(|known| {
        [("subject", known.subject.1), ("claims", known.claims.1)].map(|(part, table)| (known, part, table))
    });
    let named = parts
        .filter(|(.., table)| std::ptr::eq(*table, object))
        .map(|(known, part, _)| part_name(known, part));
    named.map(|name| json!({ "$ref": format!("#/$defs/{name}") })).next()
}

/// The schema of an item, with its envelope or without, as members of a schema.
fn in_either_form(types: Types) -> [(&'static str, Value); 3] {
    [
        ("if", json!({ "type": "object", "required": ["request"] })),
        ("then", by_type(types, CredentialType::item, |named| json!({ "properties": { "request": named } }))),
        ("else", by_type(types, CredentialType::bare_item, |named| named)),
    ]
}

/// The schema of a type's table: of the type that the item names, else of the default type. `place` says where in the
/// item the name stands.
fn by_type(
    types: Types,
    table: impl Fn(&'static CredentialType) -> &'static Object,
    place: impl Fn(Value) -> Value,
) -> Value {
    let default = object(table(types.default_type()), Writing::of_items(types));
    let others = types.all().iter().skip(1);
    others.rev().fold(default, |otherwise, other| {
        // Without `required`, an item that names no type would be one of this type.
        let named = json!({ "properties": { "credential_type": { "const": other.name } }, "required": ["credential_type"] });
        json!({ "if": place(named), "then": object(table(other), Writing::of_items(types)), "else": otherwise })
    })
}

fn object(object: &Object, writing: Writing) -> Value {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), described(field, writing))).collect();
    let required: Vec<_> =
        object.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let takes_others = match object.others {
        Others::Welcome => true,
        Others::Extensions => writing.takes_unknown,
        Others::Refused => false,
    };
    if takes_others {
        schema["additionalProperties"] = json!({ "$ref": "#/$defs/any_claim" });
        schema["propertyNames"] = names_beside(object);
    }
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if object.min_members > 0 {
        schema["minProperties"] = object.min_members.into();
    }
    if let Some(known) = type_with_schema(object, writing) {
        schema["$ref"] = id_of_schema(known).into();
    }
    let rules: Vec<_> = object.rules.iter().filter_map(rule).collect();
    if !rules.is_empty() {
        schema["allOf"] = rules.into();
    }
    schema
}

/// What a rule between members asks for, where it is more than a warning.
fn rule(rule: &Rule) -> Option<Value> {
    match rule {
        Rule::SharesOfAWhole { .. }
        | Rule::SeldomAlone { .. }
        | Rule::AmongThese { .. }
        | Rule::ShortLife { .. }
        | Rule::KeyOfDid { .. }
        | Rule::HolderIsSubject => None,
        Rule::DelegationNeeded { member, list, says: (part, word) } => {
            let says =
                json!({ "type": "object", "required": [part], "properties": { *part: { "const": word } } });
            let is_said = json!({ "type": "array", "contains": says });
            Some(json!({
                "if": { "required": [list], "properties": { *list: is_said } },
                "then": { "required": [member] },
            }))
        }
        Rule::Comparison { operator, value } => Some(comparison(operator, value)),
        Rule::Needs { member, other } => Some(json!({ "dependentRequired": { *member: [other] } })),
        Rule::NeedsWord { member, other, words } => Some(json!({
            "if": { "required": [member] },
            "then": { "required": [other], "properties": { *other: { "enum": words } } },
        })),
    }
}

fn comparison(operator: &str, value: &str) -> Value {
    let with = |operators: &[&str], fits: Value| {
        json!({
            "if": { "required": [operator], "properties": { operator: { "enum": operators } } },
            "then": { "properties": { value: fits } },
        })
    };
    json!({ "allOf": [
        with(&["lte", "lt", "gte", "gt"], json!({ "type": "number" })),
        with(&["in"], json!({ "type": "array", "minItems": 1 })),
        with(&["eq", "neq"], json!({ "type": ["number", "string", "boolean"] })),
    ] })
}

/// The names of members of an object that takes others beside its own.
fn names_beside(object: &Object) -> Value {
    let names: Vec<&str> = object.fields.iter().map(|field| field.name).collect();
    // Those of JSON-LD are no claim's name anyway.
    let reserved: Vec<&&str> =
        object.reserved.iter().filter(|name| !JSON_LD_KEYWORDS.contains(name)).collect();
    let mut others = json!({ "$ref": "#/$defs/claim_name" });
    if !reserved.is_empty() {
        others["not"] = json!({ "enum": reserved });
    }
    if names.is_empty() { others } else { json!({ "anyOf": [{ "enum": names }, others] }) }
}

/// The names that claims of any names may have: see [`crate::types::is_reserved`].
fn claim_name() -> Value {
    let names = SD_JWT_NAMES.iter().chain(&JSON_LD_KEYWORDS).collect::<Vec<_>>();
    json!({ "not": { "anyOf": [{ "enum": names }, { "pattern": "^@" }] } })
}

/// What no identifier may be: see [`rules::identifier_problem`].
fn identifier() -> Value {
    let patterns: Vec<Value> =
        rules::IDENTIFIER_PATTERNS.iter().map(|pattern| json!({ "pattern": pattern })).collect();
    json!({ "not": { "type": "string", "anyOf": patterns } })
}

fn described(field: &Field, writing: Writing) -> Value {
    let mut schema = value(&field.kind, writing);
    if field.identifier {
        schema["$ref"] = "#/$defs/identifier".into();
    }
    schema["description"] = field.doc.into();
    schema
}

fn value(kind: &FieldKind, writing: Writing) -> Value {
    match kind {
        FieldKind::Ignored => json!({}),
        FieldKind::Any => json!({ "$ref": "#/$defs/any_claim" }),
        FieldKind::Judged(judged) => judged.schema.spelt_out(),
        FieldKind::Attestation => json!({ "const": true }),
        FieldKind::CredentialType(name) => json!({ "const": name }),
        FieldKind::Text { min, max } => text(*min, *max),
        FieldKind::Word(words) => json!({ "enum": words }),
        FieldKind::Country => json!({ "$ref": "#/$defs/country" }),
        FieldKind::Jurisdiction => json!({ "$ref": "#/$defs/jurisdiction" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Percent => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        FieldKind::PastDateTime => json!({ "type": "string", "format": "date-time" }),
        FieldKind::PastDate => json!({ "type": "string", "format": "date" }),
        FieldKind::Currency => json!({ "$ref": "#/$defs/currency" }),
        FieldKind::Whole { or_null } => whole(*or_null),
        FieldKind::DidJwk => json!({ "type": "string", "pattern": "^did:jwk:[A-Za-z0-9_-]+$" }),
        FieldKind::Comparand => json!({
            "type": ["number", "string", "boolean", "array"],
            "items": { "type": ["number", "string", "boolean"] },
        }),
        FieldKind::Duration | FieldKind::Life => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        FieldKind::PublicJwk => json!({ "$ref": "#/$defs/public_jwk" }),
        FieldKind::Object(inner) => reference(inner, writing).unwrap_or_else(|| object(inner, writing)),
        FieldKind::Array { of, min, max } => array(of, (*min, *max), writing),
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

fn array(of: &Field, (min, max): (usize, Option<usize>), writing: Writing) -> Value {
    let mut schema = json!({ "type": "array", "items": described(of, writing) });
    if min > 0 {
        schema["minItems"] = min.into();
    }
    if let Some(max) = max {
        schema["maxItems"] = max.into();
    }
    schema
}

fn whole(or_null: bool) -> Value {
    let types: &[_] = if or_null { &["integer", "null"] } else { &["integer"] };
    json!({ "type": types, "minimum": 0, "maximum": MAX_WHOLE })
}

fn public_jwk() -> Value {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let none_of: Map<String, Value> =
        private.into_iter().map(|name| (name.to_owned(), Value::Bool(false))).collect();
    json!({
        "type": "object",
        "allOf": [{ "properties": none_of }],
        "propertyNames": { "not": { "anyOf": [{ "enum": SD_JWT_NAMES }, { "pattern": "^@" }] } },
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
