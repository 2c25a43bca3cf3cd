//! The part of a schema that tables can say, as tables.
//!
//! A schema becomes the kind of value that says the same. What no kind says makes the tables *partial*: the field takes
//! anything, or the table says less, and the whole schema is judged besides.

use serde_json::{Value as Json, json};

use super::keywords::{ANNOTATIONS, Fault, MAX_REFERENCES, pointer_of};
use crate::json::{Kind, Value, pointer_segments, pointer_to};
use crate::types::json_schema::{Judged, Scalar, Schema};
use crate::types::{CredentialType, Field, FieldKind, MAX_WHOLE, Object, Others};

/// The most fields of a type.
const MAX_FIELDS: usize = 2_000;

/// What a schema says of subject and claims.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) subject: Object,
    pub(super) claims: Object,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) subject_doc: Option<String>,
    pub(super) claims_doc: Option<String>,
    /// Whether the schema says more.
    pub(super) is_partial: bool,
}

impl Tables {
    /// The tables of a schema whose keywords are known.
    pub(super) fn of(root: Value<'_>) -> Result<Tables, Fault> {
        let mut compiler = Compiler { root, is_partial: false, inside: Vec::new(), fields: 0 };
        let properties = root.member("properties");
        let part = |name: &str| properties.and_then(|properties| properties.member(name));
        let subject = compiler.part(part("subject"), "/properties/subject")?;
        let claims = compiler.part(part("claims"), "/properties/claims")?;
        check_subject_type(&subject)?;
        // Every subject has an id that is text; what the schema says besides, it judges itself.
        compiler.is_partial |= subject.field("id").is_some_and(|id| !matches!(id.kind, FieldKind::Any));
        // That both are there and are objects, the item's frame says.
        let beyond = ["type", "properties", "required", "additionalProperties", "$defs"];
        compiler.note_unless(root, &beyond);
        let doc = |name: &str| part(name).and_then(|part| text_of(part, "description"));
        Ok(Tables {
            subject,
            claims,
            title: text_of(root, "title"),
            description: text_of(root, "description"),
            subject_doc: doc("subject"),
            claims_doc: doc("claims"),
            is_partial: compiler.is_partial,
        })
    }

    /// Whether a field of the type that is extended is here again, so that both rules hold.
    pub(super) fn repeats(&self, base: &CredentialType) -> bool {
        let repeats =
            |own: &Object, base: &Object| own.fields.iter().any(|field| base.field(field.name).is_some());
        repeats(&self.subject, base.subject.1) || repeats(&self.claims, base.claims.1)
    }
}

impl Object {
    /// This table behind that of the type that it extends.
    pub(super) fn extending(
        self,
        base: Option<&'static Object>,
        reserved: &'static [&'static str],
    ) -> Object {
        let Some(base) = base else { return Object { reserved, ..self } };
        let narrowed = |field: &Field| match self.field(field.name) {
            Some(own) => Field { required: field.required || own.required, ..*field },
            None => *field,
        };
        let added = self.fields.iter().filter(|field| base.field(field.name).is_none());
        let fields: Vec<Field> = base.fields.iter().map(narrowed).chain(added.copied()).collect();
        let others = if base.others == Others::Welcome { self.others } else { base.others };
        let min_members = base.min_members.max(self.min_members);
        Object { fields: fields.leak(), min_members, others, reserved: base.reserved, rules: base.rules }
    }
}

/// The subject's `type` is a type of the thing in JSON-LD, whose words the context defines.
fn check_subject_type(subject: &Object) -> Result<(), Fault> {
    let is_term = |word: &&str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    };
    match subject.field("type").map(|field| field.kind) {
        None => Ok(()),
        Some(FieldKind::Word(words)) if words.iter().all(is_term) => Ok(()),
        Some(_) => {
            let message = "expected an enum of words of letters and digits, such as [person, organisation]";
            Err(("/properties/subject/properties/type".to_owned(), message.to_owned()))
        }
    }
}

struct Compiler<'s> {
    root: Value<'s>,
    is_partial: bool,
    /// The schemas in which the one at hand stands, by their places in the text.
    inside: Vec<*const u8>,
    /// How many fields there are so far: what is referred to twice is there twice.
    fields: usize,
}

impl<'s> Compiler<'s> {
    /// The table of subject or claims.
    fn part(&mut self, schema: Option<Value<'s>>, place: &str) -> Result<Object, Fault> {
        let Some(schema) = schema.map(|schema| self.resolved(schema)) else {
            return Ok(Object { others: Others::Welcome, ..Object::closed(&[]) });
        };
        if schema.kind() != Kind::Object {
            return Err((place.to_owned(), "expected a schema with properties".to_owned()));
        }
        let said = schema.member("type");
        if said.is_some_and(|said| said.as_str().as_deref() != Some("object")) {
            return Err((format!("{place}/type"), "expected object".to_owned()));
        }
        self.object(schema, place)
    }

    /// The schema to which a reference leads, where that is all that it is.
    fn resolved(&self, schema: Value<'s>) -> Value<'s> {
        let mut at = schema;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = at.member("$ref").and_then(Value::as_str) else { return at };
            let is_all = at.members().all(|(name, _)| name == "$ref" || ANNOTATIONS.contains(&name.as_ref()));
            // The crate follows those by anchors.
            match pointer_of(&reference).and_then(|pointer| self.at(&pointer)).filter(|_| is_all) {
                Some(found) => at = found,
                None => return at,
            }
        }
        at
    }

    fn at(&self, pointer: &str) -> Option<Value<'s>> {
        pointer_segments(pointer).try_fold(self.root, |at, segment| {
            at.member(&segment).or_else(|| at.elements().nth(segment.parse().ok()?))
        })
    }

    /// Notes that the tables say less than the schema, where it has keywords beside these.
    fn note_unless(&mut self, schema: Value<'_>, known: &[&str]) {
        let is_known = |name: &str| known.contains(&name) || ANNOTATIONS.contains(&name);
        self.is_partial |= schema.members().any(|(name, _)| !is_known(&name));
    }

    fn object(&mut self, schema: Value<'s>, place: &str) -> Result<Object, Fault> {
        self.note_unless(
            schema,
            &["type", "properties", "required", "additionalProperties", "minProperties", "$defs"],
        );
        let required: Vec<String> = schema
            .member("required")
            .into_iter()
            .flat_map(Value::elements)
            .filter_map(|name| name.as_str().map(|name| name.into_owned()))
            .collect();
        let mut fields = Vec::new();
        let members = schema.member("properties");
        for (name, value) in members.into_iter().flat_map(Value::members) {
            let is_required = required.iter().any(|required| *required == name);
            fields.push(self.field(&name, value, is_required, &format!("{place}/properties"))?);
        }
        for name in required {
            if !fields.iter().any(|field: &Field| field.name == name) {
                fields.push(Field::required(name.leak(), FieldKind::Any, "anything"));
            }
        }
        // Members that fit a pattern are not additional; the tables know nothing of them.
        let has_patterns = schema.member("patternProperties").is_some();
        let others = match schema.member("additionalProperties").map(Value::kind) {
            Some(Kind::Boolean(false)) if !has_patterns => Others::Refused,
            None | Some(Kind::Boolean(true)) => Others::Welcome,
            Some(_) => {
                self.is_partial = true;
                Others::Welcome
            }
        };
        let min_members = bound(schema, "minProperties").unwrap_or_default();
        Ok(Object { fields: fields.leak(), min_members, others, reserved: &[], rules: &[] })
    }

    fn field(&mut self, name: &str, schema: Value<'s>, required: bool, place: &str) -> Result<Field, Fault> {
        let here = pointer_to(place, name);
        let target = self.resolved(schema);
        let doc = text_of(schema, "description").or_else(|| text_of(target, "description"));
        let doc = doc.or_else(|| text_of(schema, "title")).unwrap_or_else(|| name.replace('_', " "));
        let kind = self.kind(target, name, &here)?;
        let field = Field::optional(name.to_owned().leak(), kind, doc.leak());
        Ok(Field { required, ..field })
    }

    /// The kind of value that a schema asks for.
    fn kind(&mut self, schema: Value<'s>, name: &str, place: &str) -> Result<FieldKind, Fault> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            let message =
                format!("there are more than {MAX_FIELDS} members in all, with what is referred to");
            return Err((place.to_owned(), message));
        }
        let here = schema.text().as_ptr();
        if self.inside.contains(&here) {
            // A schema that leads to itself has no end as a table.
            self.is_partial = true;
            return Ok(FieldKind::Any);
        }
        self.inside.push(here);
        let kind = self.kind_of_resolved(schema, name, place);
        self.inside.pop();
        kind
    }

    fn kind_of_resolved(&mut self, schema: Value<'s>, name: &str, place: &str) -> Result<FieldKind, Fault> {
        if schema.kind() == Kind::Boolean(true) || (schema.kind() == Kind::Object && says_nothing(schema)) {
            return Ok(FieldKind::Any);
        }
        if let Some(words) = words(schema) {
            return Ok(FieldKind::Word(words.leak()));
        }
        match type_of(schema) {
            Some((SchemaType::Object, false)) => {
                let table = self.object(schema, place)?;
                Ok(FieldKind::Object(Box::leak(Box::new(table))))
            }
            Some((SchemaType::Array, false)) => self.array(schema, name, place),
            Some((SchemaType::Scalar(scalar), or_null)) => self.scalar(schema, scalar, or_null, place),
            _ => {
                self.is_partial = true;
                Ok(FieldKind::Any)
            }
        }
    }

    fn array(&mut self, schema: Value<'s>, name: &str, place: &str) -> Result<FieldKind, Fault> {
        self.note_unless(schema, &["type", "items", "minItems", "maxItems"]);
        // Where the first elements have schemas of their own, `items` is about those behind them.
        let items = schema.member("items").filter(|_| schema.member("prefixItems").is_none());
        let of = match items {
            Some(items) => {
                let target = self.resolved(items);
                let kind = self.kind(target, name, &format!("{place}/items"))?;
                let doc = text_of(target, "description")
                    .unwrap_or_else(|| format!("one of {}", name.replace('_', " ")));
                Field { required: true, ..Field::optional(name.to_owned().leak(), kind, doc.leak()) }
            }
            None => Field::required(name.to_owned().leak(), FieldKind::Any, "anything"),
        };
        let min = bound(schema, "minItems").unwrap_or_default();
        Ok(FieldKind::Array { of: Box::leak(Box::new(of)), min, max: bound(schema, "maxItems") })
    }

    fn scalar(
        &mut self,
        schema: Value<'s>,
        scalar: Scalar,
        or_null: bool,
        place: &str,
    ) -> Result<FieldKind, Fault> {
        let known: &[&str] = match scalar {
            Scalar::Text => &["type", "minLength", "maxLength", "pattern", "format"],
            Scalar::Number | Scalar::Whole => {
                &["type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
            }
            Scalar::Boolean => &["type"],
        };
        self.note_unless(schema, known);
        let rules = schema.members().filter(|(name, _)| known.contains(&name.as_ref()));
        let rules: Vec<(String, Json)> =
            rules.map(|(name, value)| (name.into_owned(), json_of(value))).collect();
        let has = |keyword: &str| rules.iter().any(|(name, _)| name == keyword);
        let format = rules.iter().find(|(name, _)| name == "format").and_then(|(_, format)| format.as_str());
        match (scalar, or_null) {
            (Scalar::Boolean, false) => return Ok(FieldKind::Boolean),
            (Scalar::Text, false) if !has("pattern") && !has("format") => {
                let min = bound(schema, "minLength").unwrap_or_default();
                return Ok(FieldKind::Text { min, max: bound(schema, "maxLength") });
            }
            (Scalar::Text, false) if rules.len() == 2 && format == Some("iso3166-1") => {
                return Ok(FieldKind::Country);
            }
            (Scalar::Text, false) if rules.len() == 2 && format == Some("iso4217") => {
                return Ok(FieldKind::Currency);
            }
            _ => {}
        }
        let words = in_words(scalar, or_null, &rules);
        let mut rules: serde_json::Map<String, Json> = rules.into_iter().collect();
        if scalar == Scalar::Whole {
            // What every reader of JSON keeps (RFC 7493 section 2.2).
            rules.entry("minimum").or_insert_with(|| json!(-(MAX_WHOLE as i64)));
            rules.entry("maximum").or_insert_with(|| json!(MAX_WHOLE));
        }
        let compiled = Schema::new(Json::Object(rules));
        let schema = compiled.map_err(|problem| (format!("{place}{}", problem.keyword), problem.message))?;
        Ok(FieldKind::Judged(Box::leak(Box::new(Judged { scalar, or_null, words, schema }))))
    }
}

enum SchemaType {
    Object,
    Array,
    Scalar(Scalar),
}

/// The one type that a schema asks for, and whether `null` will do as well.
fn type_of(schema: Value<'_>) -> Option<(SchemaType, bool)> {
    let said = schema.member("type")?;
    let names: Vec<String> = match said.as_str() {
        Some(name) => vec![name.into_owned()],
        None => said.elements().filter_map(|name| name.as_str().map(|name| name.into_owned())).collect(),
    };
    let (null, others): (Vec<_>, Vec<_>) = names.iter().map(String::as_str).partition(|name| *name == "null");
    let found = match others.as_slice() {
        ["object"] => SchemaType::Object,
        ["array"] => SchemaType::Array,
        ["string"] => SchemaType::Scalar(Scalar::Text),
        ["number"] | ["integer", "number"] | ["number", "integer"] => SchemaType::Scalar(Scalar::Number),
        ["integer"] => SchemaType::Scalar(Scalar::Whole),
        ["boolean"] => SchemaType::Scalar(Scalar::Boolean),
        _ => return None,
    };
    Some((found, !null.is_empty()))
}

/// Whether a schema takes anything.
fn says_nothing(schema: Value<'_>) -> bool {
    schema.members().all(|(name, _)| ANNOTATIONS.contains(&name.as_ref()))
}

/// The words of a schema that asks for one of them and says nothing else.
fn words(schema: Value<'_>) -> Option<Vec<&'static str>> {
    let known = |name: &str| matches!(name, "type" | "enum" | "const") || ANNOTATIONS.contains(&name);
    let is_text = |said: Value<'_>| said.as_str().as_deref() == Some("string");
    let lists = [schema.member("enum"), schema.member("const")];
    if !schema.members().all(|(name, _)| known(&name)) || !schema.member("type").is_none_or(is_text) {
        return None;
    }
    let words: Vec<Value<'_>> = match lists {
        [Some(list), None] => list.elements().collect(),
        [None, Some(word)] => vec![word],
        _ => return None,
    };
    let texts: Option<Vec<&'static str>> =
        words.into_iter().map(|word| Some(&*word.as_str()?.into_owned().leak())).collect();
    texts.filter(|texts| !texts.is_empty())
}

/// What is expected, in words that follow "expected".
fn in_words(scalar: Scalar, or_null: bool, rules: &[(String, Json)]) -> String {
    let find = |keyword: &str| rules.iter().find(|(name, _)| name == keyword).map(|(_, value)| value);
    let text = |keyword: &str| find(keyword).and_then(Json::as_str);
    let mut words = match (scalar, text("format")) {
        (Scalar::Text, Some("date")) => "a date, such as 2026-01-31".to_owned(),
        (Scalar::Text, Some("date-time")) => "an RFC 3339 date-time, such as 2026-01-31T12:00:00Z".to_owned(),
        (Scalar::Text, Some("duration")) => "an ISO 8601 duration, such as P1Y".to_owned(),
        (Scalar::Text, Some("email")) => "an email address".to_owned(),
        (Scalar::Text, Some("uri")) => "a URI, such as https://example.com/".to_owned(),
        (Scalar::Text, Some("iso3166-1")) => "an ISO 3166-1 alpha-2 code, such as GB".to_owned(),
        (Scalar::Text, Some("iso3166-2")) => "an ISO 3166-2 code, such as US-DE".to_owned(),
        (Scalar::Text, Some("iso4217")) => "an ISO 4217 code, such as EUR".to_owned(),
        (Scalar::Text, Some(other)) => format!("text of the format {other}"),
        (Scalar::Text, None) => "text".to_owned(),
        (Scalar::Number, _) => "a number".to_owned(),
        (Scalar::Whole, _) => "a whole number".to_owned(),
        (Scalar::Boolean, _) => "true or false".to_owned(),
    };
    if let Some(pattern) = text("pattern") {
        words.push_str(&format!(" that matches {pattern}"));
    }
    let limits = [
        ("minimum", "of at least "),
        ("exclusiveMinimum", "above "),
        ("maximum", "of at most "),
        ("exclusiveMaximum", "below "),
        ("multipleOf", "that is a multiple of "),
    ];
    for (keyword, before) in limits {
        if let Some(limit) = find(keyword) {
            words.push_str(&format!(" {before}{limit}"));
        }
    }
    for (keyword, before) in [("minLength", "at least"), ("maxLength", "at most")] {
        if let Some(limit) = find(keyword) {
            words.push_str(&format!(", {before} {limit} characters"));
        }
    }
    if or_null {
        words.push_str(", or null");
    }
    words
}

/// A least or greatest number, where the schema has this one.
fn bound(schema: Value<'_>, keyword: &str) -> Option<usize> {
    let number = json_of(schema.member(keyword)?).as_f64()?;
    (number >= 0.0 && number.fract() == 0.0).then_some(number as usize)
}

fn json_of(value: Value<'_>) -> Json {
    serde_json::from_str(value.text()).unwrap_or_default()
}

fn text_of(schema: Value<'_>, keyword: &str) -> Option<String> {
    schema.member(keyword)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
