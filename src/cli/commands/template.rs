//! `beltic template`: files to fill in. They fail until they are filled in, so that nobody issues
//! a credential to an example.

use super::super::args::{InputFormat, TemplateArgs};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::kept::Kept;
use super::super::output::{Output, Purpose};
use crate::source;
use crate::types::{Field, FieldKind, Object, Types};

pub(super) fn run(args: &TemplateArgs) -> Result<ExitStatus, Failure> {
    let output = Output::open(&args.output, Purpose::Read, Kept::default())?;
    let owners = usize::from(args.owners);
    let credential_type = Types::BUILT_IN.default_type();
    let item = credential_type.item();
    let text = match args.format {
        InputFormat::Csv => source::csv_columns(credential_type, owners).join(",") + "\n",
        InputFormat::Ndjson => object(item, owners, None) + "\n",
        InputFormat::Json => format!("{{\"items\":[\n  {}\n]}}\n", object(item, owners, Some(2))),
    };
    output.print_all(text.as_bytes())
}

/// An object with all its fields, to be filled in; on one line without `indent`.
fn object(object: &Object, owners: usize, indent: Option<usize>) -> String {
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
                value(field, owners, inner)
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
fn value(field: &Field, owners: usize, indent: Option<usize>) -> String {
    match &field.kind {
        FieldKind::Attestation | FieldKind::Boolean => "false".into(),
        FieldKind::Percent => "0".into(),
        FieldKind::Duration => "\"P1Y\"".into(),
        FieldKind::Word(words) => format!("\"{}\"", words[0]),
        FieldKind::Object(inner) => object(inner, owners, indent),
        FieldKind::Array { of, .. } => {
            let count = if matches!(of.kind, FieldKind::Object(_)) { owners } else { 1 };
            format!("[{}]", vec![value(of, owners, None); count].join(", "))
        }
        _ => "\"\"".into(),
    }
}
