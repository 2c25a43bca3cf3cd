//! The definition of a type: what it may say, and what it says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::{DEFINITION_SCHEMA, TypeFault};
use crate::json::pointer_to;
use crate::types::{Schema, Types};

/// A definition that is as `definition.schema.json` wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub(super) r#type: String,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) vct: Option<String>,
    pub(super) ttl: Option<String>,
    pub(super) extends: Option<String>,
    /// An object, or the name of a file.
    pub(super) schema: Value,
    #[serde(default)]
    pub(super) personal: Vec<String>,
    #[serde(default)]
    pub(super) identifiers: Vec<String>,
    #[serde(default)]
    pub(super) disclosure: BTreeMap<String, Disclosure>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) display: Vec<Value>,
    #[serde(default)]
    pub(super) csv: Csv,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Csv {
    pub(super) columns: BTreeMap<String, String>,
    pub(super) repeat: BTreeMap<String, String>,
}

/// The words of a disclosure policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Disclosure {
    Always,
    Allowed,
    Never,
}

/// Names of the W3C's own types and of members of our context, which mean something else.
const TAKEN_NAMES: [&str; 6] = [
    "VerifiableCredential",
    "VerifiablePresentation",
    "EvidenceReference",
    "JsonSchema",
    "BitstringStatusListEntry",
    "BitstringStatusListCredential",
];

static RULES: LazyLock<Schema> = LazyLock::new(|| {
    let rules = serde_json::from_str(DEFINITION_SCHEMA).expect("the schema of definitions is JSON");
    Schema::new(rules).expect("the schema of definitions is a schema")
});

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn read(text: &str) -> Result<Definition, TypeFault> {
        let no_json =
            |error: serde_json::Error| TypeFault::in_definition("", format!("it is no JSON: {error}"));
        let value: Value = serde_json::from_str(text).map_err(no_json)?;
        if let Some(problem) = RULES.problems(&value, 1).pop() {
            return Err(fault(&value, problem.path, &problem.keyword));
        }
        serde_json::from_value(value).map_err(no_json)
    }

    /// Refuses names that another type has.
    pub(super) fn check_names(&self, others: Types) -> Result<(), TypeFault> {
        let taken = |pointer: &str, what: &str, by: &str| {
            Err(TypeFault::in_definition(pointer, format!("{what} is taken by {by}; choose another one")))
        };
        if others.named(&self.r#type).is_some() {
            return taken("/type", &self.r#type, "a type of the same name");
        }
        if let Some(other) = others.of_vc_type(&self.name) {
            return taken("/name", &self.name, &format!("the type {}", other.name));
        }
        if TAKEN_NAMES.contains(&self.name.as_str()) {
            return taken("/name", &self.name, "the W3C's data model");
        }
        match self.vct.as_deref().and_then(|vct| others.of_vct(vct).or_else(|| others.of_default_vct(vct))) {
            Some(other) => taken("/vct", "this name", &format!("the type {}", other.name)),
            None => Ok(()),
        }
    }
}

/// What is wrong at a place of a definition. What is expected there stands in the schema beside the broken keyword, or
/// further out.
fn fault(definition: &Value, place: String, keyword: &str) -> TypeFault {
    let (mut schema, broken) = keyword.rsplit_once('/').unwrap_or(("", keyword));
    if broken == "required" {
        let missing = ["type", "name", "schema"].into_iter().find(|name| definition.get(name).is_none());
        if let Some(name) = missing.filter(|_| place.is_empty()) {
            let message = format!("`{name}` is missing; a definition has type, name and schema");
            return TypeFault::in_definition(place, message);
        }
        let rules: Value = serde_json::from_str(DEFINITION_SCHEMA).unwrap_or_default();
        let required = rules.pointer(keyword).cloned().unwrap_or_default();
        return TypeFault::in_definition(
            place,
            format!("a member is missing; these are required: {required}"),
        );
    }
    if broken == "additionalProperties" {
        return unknown_member(definition, place, schema);
    }
    let rules: Value = serde_json::from_str(DEFINITION_SCHEMA).unwrap_or_default();
    loop {
        let described =
            rules.pointer(schema).and_then(|rules| rules.get("description")).and_then(Value::as_str);
        if let Some(description) = described {
            return TypeFault::in_definition(place, format!("expected {description}"));
        }
        match schema.rsplit_once('/') {
            Some((outer, _)) => schema = outer,
            None => {
                return TypeFault::in_definition(place, "expected a mapping with type, name and schema");
            }
        }
    }
}

/// A member that nobody knows, with the one that was probably meant.
fn unknown_member(definition: &Value, place: String, schema: &str) -> TypeFault {
    let rules: Value = serde_json::from_str(DEFINITION_SCHEMA).unwrap_or_default();
    let known = rules.pointer(&format!("{schema}/properties")).and_then(Value::as_object);
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let found = definition.pointer(&place).and_then(Value::as_object);
    let unknown =
        found.into_iter().flatten().map(|(name, _)| name).find(|name| !known.contains(&name.as_str()));
    let Some(unknown) = unknown else {
        return TypeFault::in_definition(place, format!("expected {}", known.join(", ")));
    };
    let near = known.iter().find(|known| strsim::damerau_levenshtein(known, unknown) <= 2);
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known here: {}", known.join(", ")),
    };

    TypeFault::in_definition(pointer_to(&place, unknown), format!("nothing is known of this; {hint}"))
}
