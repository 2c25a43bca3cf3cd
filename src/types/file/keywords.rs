//! The keywords of JSON Schema 2020-12: each is judged, says nothing by the standard, or is refused.
//!
//! | keywords | what becomes of them |
//! | --- | --- |
//! | `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`, lengths, ranges, formats, … | judged, by the tables or by the `jsonschema` crate |
//! | `title`, `description`, `$comment`, `default`, `examples`, `deprecated`, `readOnly`, `writeOnly`, `$schema` | read or skipped: they judge nothing, by the standard |
//! | `$id`, `$dynamicRef`, `$dynamicAnchor`, `$vocabulary`, `content…`, those of former drafts, unknown ones | refused, with what to write |
//!
//! References stay inside the document, and lead to a schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};

use crate::json::{Kind, Value, pointer_to};
use crate::types::json_schema::{self, Schema};

/// A place in a schema, as a JSON Pointer, and what is wrong there.
pub(super) type Fault = (String, String);

/// The most schemas in a document. How deep they stand in each other, the parser limits.
const MAX_SCHEMAS: usize = 10_000;

/// How many references are followed one after the other.
pub(super) const MAX_REFERENCES: usize = 64;

/// Where schemas stand in a keyword's value.
#[derive(Clone, Copy)]
enum Holds {
    /// The value is a schema.
    Schema,
    /// Its elements are.
    List,
    /// Its members are.
    Map,
    /// It holds none.
    Nothing,
}

/// Keywords that judge nothing.
pub(super) const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "$comment",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$anchor",
];

/// Keywords that judge, by what they hold.
const JUDGING: [(Holds, &[&str]); 4] = [
    (
        Holds::Nothing,
        &[
            "type",
            "required",
            "enum",
            "const",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minContains",
            "maxContains",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "$ref",
        ],
    ),
    (Holds::Map, &["properties", "patternProperties", "dependentSchemas", "$defs"]),
    (Holds::List, &["allOf", "anyOf", "oneOf", "prefixItems"]),
    (
        Holds::Schema,
        &[
            "additionalProperties",
            "items",
            "not",
            "if",
            "then",
            "else",
            "contains",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties",
        ],
    ),
];

/// Keywords that are refused, and what to write.
const REFUSED: [(&str, &str); 14] = [
    ("$id", "a type's schema is one document; leave it out, and refer to its parts by #/$defs/…"),
    ("$dynamicRef", "a type's schema is one document; write $ref and $anchor"),
    ("$dynamicAnchor", "a type's schema is one document; write $ref and $anchor"),
    ("$vocabulary", "it is for meta-schemas; leave it out"),
    ("contentEncoding", JUDGES_NOTHING),
    ("contentMediaType", JUDGES_NOTHING),
    ("contentSchema", JUDGES_NOTHING),
    ("definitions", "it is of a former draft; write $defs"),
    ("dependencies", "it is of a former draft; write dependentRequired or dependentSchemas"),
    ("additionalItems", "it is of a former draft; write prefixItems and items"),
    ("$recursiveRef", "it is of a former draft; write $ref and $anchor"),
    ("$recursiveAnchor", "it is of a former draft; write $ref and $anchor"),
    ("id", "it is of a former draft, and a type's schema is one document; leave it out"),
    ("nullable", "it is not a keyword of JSON Schema; write type: [string, \"null\"]"),
];

const JUDGES_NOTHING: &str =
    "it judges nothing (section 8 of JSON Schema Validation); leave it out, or say it in a pattern";

/// What is known of a keyword; why it is refused where nothing is.
fn holds(keyword: &str) -> Result<Holds, String> {
    if let Some((holds, _)) = JUDGING.iter().find(|(_, keywords)| keywords.contains(&keyword)) {
        return Ok(*holds);
    }
    if ANNOTATIONS.contains(&keyword) {
        return Ok(Holds::Nothing);
    }
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == keyword) {
        return Err(format!("{keyword} is refused: {why}"));
    }
    Err(match nearest(keyword) {
        Some(known) => format!("{keyword} is not a keyword of JSON Schema 2020-12; did you mean {known}?"),
        None => format!("{keyword} is not a keyword of JSON Schema 2020-12"),
    })
}

fn nearest(keyword: &str) -> Option<&'static str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(&known.to_lowercase(), &keyword.to_lowercase());
    let known = JUDGING.into_iter().flat_map(|(_, keywords)| keywords).copied().chain(ANNOTATIONS);
    known.filter(|known| distance(known) <= 2 && known.len() > 3).min_by_key(distance)
}

/// Refuses what is no schema of a type, or holds what nobody judges.
///
/// # Errors
/// The first fault.
pub(super) fn check(root: Value<'_>, value: &Json) -> Result<(), Fault> {
    let mut walk = Walk::default();
    walk.schema(root, String::new())?;
    if let Some(problem) = Schema::problem_of_schema(value) {
        return Err((problem.path, problem.message));
    }
    walk.references.iter().try_for_each(|(place, target)| walk.check_reference(place, target))?;
    walk.check_work()?;
    check_root(root)
}

/// The root says what subject and claims are, and how they go together.
fn check_root(root: Value<'_>) -> Result<(), Fault> {
    if root.kind() != Kind::Object {
        return Err((String::new(), "expected a schema of {subject, claims}, which is an object".to_owned()));
    }
    let properties = root.member("properties");
    let members = properties.into_iter().flat_map(Value::members);
    for (name, _) in members {
        if name != "subject" && name != "claims" {
            let message = "expected subject or claims: what else an item has is the same for all types";
            return Err((pointer_to("/properties", &name), message.to_owned()));
        }
    }
    for (place, name) in root.member("required").into_iter().flat_map(Value::elements).enumerate() {
        if !matches!(name.as_str().as_deref(), Some("subject" | "claims")) {
            let message = "expected subject or claims: an item has nothing else of its type".to_owned();
            return Err((format!("/required/{place}"), message));
        }
    }
    let has = |part: &str| properties.and_then(|properties| properties.member(part)).is_some();
    let is_closed =
        root.member("additionalProperties").is_some_and(|others| others.kind() == Kind::Boolean(false));
    if is_closed && !has("subject") {
        let message = "every item has a subject; add it to the properties, or leave this out".to_owned();
        return Err(("/additionalProperties".to_owned(), message));
    }
    match properties.and_then(|properties| properties.member("claims")) {
        Some(_) => Ok(()),
        None => Err(("/properties".to_owned(), "the schema of claims is missing".to_owned())),
    }
}

#[derive(Default)]
struct Walk {
    /// The places of all schemas.
    places: HashSet<String>,
    /// Which schema stands in which: the outer one first.
    nested: Vec<(String, String)>,
    /// The place of each reference, and where it leads.
    references: Vec<(String, String)>,
    /// The places of anchors, by their names.
    anchored: HashMap<String, String>,
}

/// The most schemas that one value can be judged by, with all that is referred to.
const MAX_WORK: u64 = 100_000;

impl Walk {
    fn schema(&mut self, schema: Value<'_>, place: String) -> Result<(), Fault> {
        if self.places.len() >= MAX_SCHEMAS {
            return Err((place, format!("there are more than {MAX_SCHEMAS} schemas in it")));
        }
        self.places.insert(place.clone());
        for (keyword, value) in schema.members() {
            let here = pointer_to(&place, &keyword);
            self.keyword(&keyword, value, &here)?;
            match holds(&keyword).map_err(|message| (here.clone(), message))? {
                Holds::Nothing => {}
                Holds::Schema => self.inner(&place, value, here)?,
                Holds::List => {
                    for (index, inner) in value.elements().enumerate() {
                        self.inner(&place, inner, format!("{here}/{index}"))?;
                    }
                }
                Holds::Map => {
                    for (name, inner) in value.members() {
                        self.inner(&place, inner, pointer_to(&here, &name))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A schema that stands in another one.
    fn inner(&mut self, around: &str, schema: Value<'_>, place: String) -> Result<(), Fault> {
        self.nested.push((around.to_owned(), place.clone()));
        self.schema(schema, place)
    }

    /// What the meta-schema does not say of a keyword.
    fn keyword(&mut self, keyword: &str, value: Value<'_>, here: &str) -> Result<(), Fault> {
        let text = value.as_str();
        match (keyword, text.as_deref()) {
            ("format", Some(name)) if !json_schema::is_format(name) => {
                let message = "the format is not known; known are date, date-time, duration, email, uri, iso3166-1, \
                     iso3166-2, iso4217 and the others of JSON Schema 2020-12; write a pattern for one of your own";
                Err((here.to_owned(), message.to_owned()))
            }
            ("$schema", Some(dialect)) if dialect.trim_end_matches('#') != DIALECT => {
                Err((here.to_owned(), format!("expected {DIALECT}, the only draft that is read")))
            }
            ("$ref", Some(target)) if !target.starts_with('#') => {
                let message = "references to other documents are refused; copy what is needed into $defs";
                Err((here.to_owned(), message.to_owned()))
            }
            ("$ref", Some(target)) => {
                self.references.push((here.to_owned(), target.to_owned()));
                Ok(())
            }
            ("$anchor", Some(name)) => {
                let place = here.rsplit_once('/').map_or("", |(place, _)| place).to_owned();
                match self.anchored.insert(name.to_owned(), place) {
                    Some(_) => Err((here.to_owned(), "the name is there twice".to_owned())),
                    None => Ok(()),
                }
            }
            ("properties", _) => value.members().try_for_each(|(name, _)| check_name(&name, here)),
            _ => Ok(()),
        }
    }

    /// Refuses schemas that refer to the same parts so often that judging one value would not end.
    fn check_work(&self) -> Result<(), Fault> {
        let mut inside: HashMap<&str, Vec<&str>> = HashMap::new();
        for (around, place) in &self.nested {
            inside.entry(around).or_default().push(place);
        }
        for (place, reference) in &self.references {
            let around = place.rsplit_once('/').map_or("", |(around, _)| around);
            inside.entry(around).or_default().extend(self.target(reference));
        }
        if work("", &inside, &mut HashMap::new()) > MAX_WORK {
            let message = "its parts refer to each other so often that judging an item would not end";
            return Err((String::new(), message.to_owned()));
        }
        Ok(())
    }

    fn check_reference(&self, place: &str, reference: &str) -> Result<(), Fault> {
        let message = "the reference leads to no schema in this document";
        self.target(reference).map(drop).ok_or_else(|| (place.to_owned(), message.to_owned()))
    }

    /// The place of the schema to which a reference leads.
    fn target(&self, reference: &str) -> Option<&str> {
        let found = match pointer_of(reference) {
            Some(pointer) => self.places.get(&pointer),
            None => self.anchored.get(reference.strip_prefix('#')?),
        };
        found.map(String::as_str)
    }
}

/// By how many schemas a value is judged that is judged by this one. A schema that leads to itself goes on with another
/// part of the value, so it counts once.
fn work<'p>(
    place: &'p str,
    inside: &HashMap<&'p str, Vec<&'p str>>,
    known: &mut HashMap<&'p str, u64>,
) -> u64 {
    if let Some(known) = known.get(place) {
        return *known;
    }
    known.insert(place, 1);
    let inner = inside.get(place).into_iter().flatten();
    let all = inner.fold(1u64, |all, inner| all.saturating_add(work(inner, inside, known)));
    known.insert(place, all);
    all
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Pointer of a reference within the document, without its percent-encoding (RFC 6901 section 6); `None` for one
/// by an anchor.
pub(super) fn pointer_of(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let code = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(code).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Names that the contexts of a credential define for itself, so that a subject cannot have them.
pub(super) const TERMS_OF_CREDENTIALS: [&str; 24] = [
    "claims",
    "confidenceMethod",
    "credentialSchema",
    "credentialStatus",
    "credentialSubject",
    "document_type",
    "evidence",
    "holder",
    "issuer",
    "jti",
    "proof",
    "reference",
    "refreshService",
    "relatedResource",
    "renderMethod",
    "status",
    "statusPurpose",
    "subject_id",
    "termsOfUse",
    "validFrom",
    "validUntil",
    "vct",
    "verifiableCredential",
    "digestSRI",
];

/// Names of an item's own members, which are columns of every type.
const NAMES_OF_ITEMS: [&str; 9] = [
    "attestation_type",
    "cnf",
    "correlation_id",
    "credential_type",
    "error",
    "evidence_refs",
    "request",
    "self_attestation_complete",
    "ttl",
];

/// Names of members become paths, columns and terms.
fn check_name(name: &str, place: &str) -> Result<(), Fault> {
    let is_part = || place == "/properties";
    let is_in_subject = || place == "/properties/subject/properties";
    let message = match name {
        _ if crate::types::is_reserved(name) => {
            "the name has a meaning of its own in SD-JWT or JSON-LD; choose another"
        }
        "id" | "type" if !is_in_subject() && !is_part() => {
            "the name is reserved in JSON-LD for an identifier or a type; choose another, such as permit_type"
        }
        _ if is_in_subject() && TERMS_OF_CREDENTIALS.contains(&name) => {
            "the name is that of a member of credentials; choose another, or say it in the claims"
        }
        _ if (is_in_subject() || place == "/properties/claims/properties")
            && NAMES_OF_ITEMS.contains(&name) =>
        {
            "the name is that of a member of every item, and of its column; choose another"
        }
        "" => "the name is empty",
        _ if name.chars().count() > 128 => "the name has more than 128 characters",
        _ if name.chars().any(|letter| letter.is_control() || ".[]*:".contains(letter)) => {
            "names of members have no . [ ] * : and no control characters, because they stand in paths"
        }
        _ => return Ok(()),
    };
    Err((pointer_to(place, name), message.to_owned()))
}

/// The schema for whole subjects and claims: every subject has an `id`, and with a type that is extended both have
/// members that this schema need not name, because the tables refuse unknown ones.
pub(super) fn with_what_items_have(mut schema: Json, is_extension: bool) -> Json {
    if let Some(root) = schema.as_object_mut() {
        root.remove("additionalProperties");
    }
    for part in ["subject", "claims"] {
        let Some(place) = place_of_part(&schema, part) else { continue };
        let Some(found) = schema.pointer_mut(&place).and_then(Json::as_object_mut) else { continue };
        if part == "subject"
            && let Some(properties) = found.entry("properties").or_insert_with(|| json!({})).as_object_mut()
        {
            properties.entry("id").or_insert(Json::Bool(true));
        }
        if is_extension && found.get("additionalProperties") == Some(&Json::Bool(false)) {
            found.remove("additionalProperties");
        }
    }
    schema
}

/// Where the schema of subject or claims stands, if need be behind references.
fn place_of_part(schema: &Json, part: &str) -> Option<String> {
    let mut place = format!("/properties/{part}");
    for _ in 0..MAX_REFERENCES {
        let found = schema.pointer(&place)?;
        match found.get("$ref").and_then(Json::as_str) {
            Some(reference) if found.get("properties").is_none() => place = pointer_of(reference)?,
            _ => return Some(place),
        }
    }
    None
}
