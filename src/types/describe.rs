//! Tables in words: for docs/fields.md, docs/types.md and `beltic types show`.

use super::field::{Field, FieldKind, Object};

/// A field in words. Code stands between backticks.
#[derive(Debug, Clone)]
pub struct FieldInWords {
    /// Where it stands: dotted, with `[]` for each element of a list, and without `request`.
    pub path: String,
    /// What its value must be.
    pub value: String,
    /// Whether the object is incomplete without it.
    pub required: bool,
    /// What it is.
    pub doc: &'static str,
}

/// The fields of an object and of all objects inside it, in their order.
pub fn described(object: &Object) -> impl Iterator<Item = FieldInWords> {
    let mut fields = Vec::new();
    push_object(object, "", &mut fields);
    fields.into_iter()
}

fn push_object(object: &Object, parent: &str, fields: &mut Vec<FieldInWords>) {
    for field in object.fields {
        let path = if parent.is_empty() { field.name.to_owned() } else { format!("{parent}.{}", field.name) };
        // The request is the item's own level for a reader.
        let path = path.strip_prefix("request.").unwrap_or(&path).to_owned();
        push_field(field, path, fields);
    }
}

fn push_field(field: &Field, path: String, fields: &mut Vec<FieldInWords>) {
    let Field { kind, required, doc, .. } = *field;
    fields.push(FieldInWords { path: path.clone(), value: value(&kind), required, doc });
    match &field.kind {
        FieldKind::Object(object) => push_object(object, &path, fields),
        FieldKind::Array { of: Field { kind: FieldKind::Object(object), .. }, .. } => {
            push_object(object, &format!("{path}[]"), fields);
        }
        FieldKind::Array { of, .. } => push_field(of, format!("{path}[]"), fields),
        _ => {}
    }
}

/// What a value must be, in words.
fn value(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Attestation => "`true`".into(),
        FieldKind::CredentialType(name) => format!("`{name}`"),
        FieldKind::Text { min: 0, max: None } => "text".into(),
        FieldKind::Text { min: 1, max: None } => "text, not empty".into(),
        FieldKind::Text { min, max: None } => format!("text, at least {min} characters"),
        FieldKind::Text { min, max: Some(max) } => format!("text, {min} to {max} characters"),
        FieldKind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        FieldKind::Country => "ISO 3166-1 alpha-2 code".into(),
        FieldKind::Jurisdiction => "ISO 3166-1 alpha-2 or ISO 3166-2 code".into(),
        FieldKind::Boolean => "`true` or `false`".into(),
        FieldKind::Percent => "number, 0 to 100".into(),
        FieldKind::PastDateTime => "RFC 3339 date-time, not in the future".into(),
        FieldKind::PastDate => "RFC 3339 date, not in the future".into(),
        FieldKind::Currency => "ISO 4217 code".into(),
        FieldKind::Whole { or_null: false } => "whole number, 0 or more".into(),
        FieldKind::Whole { or_null: true } => "whole number, 0 or more, or `null`".into(),
        FieldKind::DidJwk => "did:jwk of a public key".into(),
        FieldKind::Comparand => "number, text, `true` or `false`; for `in` an array of those".into(),
        FieldKind::Duration | FieldKind::Life => "ISO 8601 duration in whole numbers".into(),
        FieldKind::Ignored | FieldKind::Any => "anything".into(),
        FieldKind::Judged(judged) => judged.words.clone(),
        FieldKind::PublicJwk => "public JWK: EC, OKP or RSA".into(),
        FieldKind::Object(Object { min_members: 0, .. }) => "object".into(),
        FieldKind::Object(Object { min_members: 1, .. }) => "object, at least 1 member".into(),
        FieldKind::Object(Object { min_members, .. }) => format!("object, at least {min_members} members"),
        FieldKind::Array { min: 0, max: None, .. } => "array".into(),
        FieldKind::Array { min, max: None, .. } => format!("array, at least {min}"),
        FieldKind::Array { min: 0, max: Some(max), .. } => format!("array, at most {max}"),
        FieldKind::Array { min, max: Some(max), .. } => format!("array, {min} to {max}"),
    }
}
