//! What types of one's own say in JSON Schema 2020-12 beyond the tables' kinds of value.
//!
//! The `jsonschema` crate judges it, compiled once. It opens no connection and no file: a schema with references to
//! other documents is refused before it gets here ([`super::file`]), and the crate is built without a way to fetch one.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Value, json};

use crate::codes;

/// A format of our own: its name, whether a text is one of its codes, and all of them.
type CodeFormat = (&'static str, fn(&str) -> bool, fn() -> Vec<&'static str>);

const CODE_FORMATS: [CodeFormat; 3] = [
    ("iso3166-1", codes::is_country, codes::countries),
    ("iso3166-2", codes::is_subdivision, || codes::subdivisions().collect()),
    ("iso4217", codes::is_currency, codes::currencies),
];

/// How often the engine for patterns turns back before it gives up, which fails the item: a few milliseconds.
const MOST_STEPS_BACK: usize = 100_000;

/// How many bytes a pattern takes once it is compiled.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A schema that is compiled.
#[derive(Debug)]
pub struct Schema {
    text: Value,
    validator: Validator,
}

/// What a value breaks of a schema. Of items, nothing quotes the value: see `in_words`.
#[derive(Debug)]
pub struct SchemaProblem {
    /// Where in the value: a JSON Pointer.
    pub path: String,
    /// Where the keyword stands in the schema: a JSON Pointer.
    pub keyword: String,
    /// What is wrong, in words.
    pub message: String,
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// Where it is none, with the place in it.
    pub fn new(text: Value) -> Result<Schema, SchemaProblem> {
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(
                PatternOptions::fancy_regex().backtrack_limit(MOST_STEPS_BACK).size_limit(MAX_PATTERN_BYTES),
            )
            .with_format("duration", is_duration);
        let options = CODE_FORMATS
            .iter()
            .fold(options, |options, (name, is_code, _)| options.with_format(*name, *is_code));
        let validator = options.build(&text).map_err(|error| SchemaProblem::of(&error, error.to_string()))?;
        Ok(Schema { text, validator })
    }

    /// What a document breaks of the rules for schemas themselves (JSON Schema 2020-12, the meta-schema).
    pub fn problem_of_schema(text: &Value) -> Option<SchemaProblem> {
        let error = jsonschema::draft202012::meta::validate(text).err()?;
        Some(SchemaProblem::of(&error, error.to_string()))
    }

    /// The schema as it was given.
    pub fn text(&self) -> &Value {
        &self.text
    }

    /// Whether the schema asks for text of this format.
    pub fn has_format(&self, name: &str) -> bool {
        self.text.get("format").is_some_and(|format| format == name)
    }

    /// Whether a value is as the schema wants it.
    pub fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// What a value breaks; at most so many problems. Where the schema describes what it wants, that is said.
    pub fn problems(&self, value: &Value, most: usize) -> Vec<SchemaProblem> {
        let problems = self.validator.iter_errors(value).take(most);
        let problems = problems.map(|error| SchemaProblem::of(&error, in_words(&error)));
        problems.map(|problem| self.described(problem)).collect()
    }

    fn described(&self, problem: SchemaProblem) -> SchemaProblem {
        let around = problem.keyword.rsplit_once('/').map_or("", |(around, _)| around);
        let described = self.text.pointer(around).and_then(|around| around.get("description"));
        match described.and_then(Value::as_str).filter(|_| around.contains("/")) {
            Some(description) => SchemaProblem { message: format!("expected: {description}"), ..problem },
            None => problem,
        }
    }

    /// The schema, with the codes of our own formats spelt out, as every reader understands it.
    pub fn spelt_out(&self) -> Value {
        let mut text = self.text.clone();
        spell_out(&mut text);
        text
    }
}

impl SchemaProblem {
    fn of(error: &ValidationError<'_>, message: String) -> SchemaProblem {
        SchemaProblem {
            path: error.instance_path().to_string(),
            keyword: error.schema_path().to_string(),
            message,
        }
    }
}

/// What is wrong, without a value or a name of what was found: both may be personal.
fn in_words(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. } => {
            "there are members that the schema does not know".to_owned()
        }
        ValidationErrorKind::UnevaluatedItems { .. } | ValidationErrorKind::AdditionalItems { .. } => {
            "there are more elements than the schema knows".to_owned()
        }
        ValidationErrorKind::PropertyNames { .. } => "a member has a name that the schema refuses".to_owned(),
        _ => error.masked().to_string(),
    }
}

/// Whether this is a duration by the grammar of RFC 3339, appendix A, which the crate takes more widely.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return false,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    !rest.is_empty() && are_neighbours(date, "YMD") && are_neighbours(time, "HMS")
}

/// Whether these are numbers with units from the list, each the one behind the last.
fn are_neighbours(text: &str, units: &str) -> bool {
    let mut found = String::new();
    for part in text.split_inclusive(|letter: char| !letter.is_ascii_digit()) {
        let digits = part.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        found.push_str(&part[digits.len()..]);
        if digits.is_empty() || part.len() == digits.len() {
            return false;
        }
    }
    units.contains(&found)
}

/// Whether a format is one that is judged.
pub(super) fn is_format(name: &str) -> bool {
    const STANDARD: [&str; 19] = [
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "idn-email",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    ];
    STANDARD.contains(&name) || CODE_FORMATS.iter().any(|(known, ..)| *known == name)
}

fn spell_out(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(spell_out),
        Value::Object(members) => {
            let named = members.get("format").and_then(Value::as_str);
            let codes =
                CODE_FORMATS.iter().find(|(name, ..)| Some(*name) == named).map(|(.., codes)| codes());
            members.values_mut().for_each(spell_out);
            if let Some(codes) = codes {
                members.remove("format");
                // A value that is no text has no format.
                let is_code = json!({ "if": { "type": "string" }, "then": { "enum": codes } });
                match members.entry("allOf").or_insert_with(|| json!([])) {
                    Value::Array(all) => all.push(is_code),
                    other => *other = json!([is_code]),
                }
            }
        }
        _ => {}
    }
}

/// What a single value must be, where the tables have no kind for it: text of a pattern or a format, a number in a
/// range.
#[derive(Debug)]
pub struct Judged {
    /// Its kind in JSON.
    pub scalar: Scalar,
    /// Whether `null` may stand in its place.
    pub or_null: bool,
    /// What is expected, in words.
    pub words: String,
    /// The whole rule.
    pub schema: Schema,
}

/// The kinds of single values in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A number with nothing behind the point.
    Whole,
    /// `true` or `false`.
    Boolean,
}
