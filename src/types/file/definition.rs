//! The definition of a type: what it may say, and what it says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::keywords::Fault;
use super::{DEFINITION_SCHEMA, TypeFault, sound_json};
use crate::json::{Parser, pointer_to};
use crate::types::{Schema, Types};

/// A definition that is as `definition.schema.json` wants it.
#[derive(Debug)]
pub struct Definition {
    text: String,
    pub(super) said: Said,
}

/// What a definition says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
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

#[derive(Debug, Clone, Default, Deserialize)]
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
    /// Reads a definition, which is JSON.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(text: &str) -> Result<Definition, TypeFault> {
        let in_definition = |(pointer, message): Fault| TypeFault::in_definition(pointer, message);
        let (_, value) = sound_json(&mut Parser::default(), text).map_err(in_definition)?;
        if let Some(problem) = RULES.problems(&value, 1).pop() {
            return Err(fault(&value, problem.path, &problem.keyword));
        }
        let said = serde_json::from_value(value);
        let said = said.map_err(|error| in_definition((String::new(), error.to_string())))?;
        Ok(Definition { text: text.to_owned(), said })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The type's name in `credential_type`.
    pub fn type_name(&self) -> &str {
        &self.said.r#type
    }

    /// The file of the schema, where it is not in the definition.
    pub fn schema_file(&self) -> Option<&str> {
        self.said.schema.as_str()
    }

    /// The type that it extends.
    pub fn extends(&self) -> Option<&str> {
        self.said.extends.as_deref()
    }

    /// Refuses names that another type has.
    pub(super) fn check_names(&self, others: Types) -> Result<(), TypeFault> {
        let taken = |pointer: &str, what: &str, by: &str| {
            Err(TypeFault::in_definition(pointer, format!("{what} is taken by {by}; choose another one")))
        };
        let Said { r#type, name, vct, .. } = &self.said;
        if others.named(r#type).is_some() {
            return taken("/type", r#type, "a type of the same name");
        }
        if let Some(other) = others.of_vc_type(name) {
            return taken("/name", name, &format!("the type {}", other.name));
        }
        if TAKEN_NAMES.contains(&name.as_str()) {
            return taken("/name", name, "the W3C's data model");
        }
        match vct.as_deref().and_then(|vct| others.of_vct(vct).or_else(|| others.of_default_vct(vct))) {
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
        let required = RULES.text().pointer(keyword).unwrap_or(&Value::Null);
        let message = format!("a member is missing; these are required: {required}");
        return TypeFault::in_definition(place, message);
    }
    if broken == "additionalProperties" {
        return unknown_member(definition, place, schema);
    }
    loop {
        let rules = RULES.text().pointer(schema);
        let described = rules.and_then(|rules| rules.get("description")).and_then(Value::as_str);
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
    let known = RULES.text().pointer(&format!("{schema}/properties")).and_then(Value::as_object);
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
