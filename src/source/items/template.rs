//! Batches to fill in. They fail until they are filled in, so that nobody issues a credential to an example.

use super::catalog::csv_columns;
use crate::source::Format;
use crate::types::{CredentialType, Field, FieldKind, Object, Scalar};

/// A batch of one item of this type, with so many elements in each list of objects.
pub fn template(credential_type: &'static CredentialType, format: Format, elements: usize) -> String {
    let item = credential_type.item();
    match format {
        Format::Csv => csv_columns(credential_type, elements).join(",") + "\n",
        Format::Ndjson => object(item, elements, None) + "\n",
        Format::Json => format!("{{\"items\":[\n  {}\n]}}\n", object(item, elements, Some(2))),
    }
}

/// An object with all its fields, to be filled in; on one line without `indent`.
fn object(object: &Object, elements: usize, indent: Option<usize>) -> String {
    let inner = indent.map(|indent| indent + 2);
    let members: Vec<String> = object
        .fields
        .iter()
        .filter(|field| {
            !matches!(field.kind, FieldKind::CredentialType(_) | FieldKind::Ignored) && field.name != "cnf"
        })
        .map(|field| {
            format!(
                "\"{}\":{}{}",
                field.name,
                if indent.is_some() { " " } else { "" },
                value(field, elements, inner)
            )
        })
        .collect();
    match indent {
        None => format!("{{{}}}", members.join(",")),
        Some(indent) => {
            let pad = " ".repeat(indent);
            format!("{{\n{pad}  {}\n{pad}}}", members.join(&format!(",\n{pad}  ")))
        }
    }
}

/// A value that says what is wanted, and fails if it is left as it is where that matters.
fn value(field: &Field, elements: usize, indent: Option<usize>) -> String {
    match &field.kind {
        FieldKind::Attestation | FieldKind::Boolean => "false".into(),
        FieldKind::Percent => "0".into(),
        FieldKind::Whole { .. } | FieldKind::Comparand => "0".into(),
        FieldKind::Judged(judged) => match judged.scalar {
            Scalar::Text => "\"\"".into(),
            Scalar::Number | Scalar::Whole => "0".into(),
            Scalar::Boolean => "false".into(),
        },
        FieldKind::Duration | FieldKind::Life => "\"P1Y\"".into(),
        FieldKind::Word(words) => format!("\"{}\"", words[0]),
        FieldKind::Object(inner) => object(inner, elements, indent),
        FieldKind::Array { of, .. } => {
            let count = if matches!(of.kind, FieldKind::Object(_)) { elements } else { 1 };
            format!("[{}]", vec![value(of, elements, None); count].join(", "))
        }
        _ => "\"\"".into(),
    }
}
