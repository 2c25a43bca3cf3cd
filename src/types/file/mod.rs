//! Types of one's own: a definition and a JSON Schema in, a [`CredentialType`] out.
//!
//! ```text
//!   definition ──▶ read: is it as definition.schema.json says? ─┐
//!                                                               ├──▶ merge with the type it extends ──▶ mark fields
//!   schema ──▶ keywords: is each understood? ──▶ tables ────────┘         as personal, hidden, labelled
//!                                          └───▶ what is beyond the tables: the `jsonschema` crate
//! ```
//!
//! Nothing in a file is ignored. What a schema says goes into the same tables that built-in types are made of
//! (`tables`); if the tables cannot say all of it, the whole schema is compiled as well, and judges each item after
//! the tables did. What neither can say is refused here (`keywords`), with its place.
//!
//! Both texts are JSON, whose order is kept: it is that of columns and templates. Who reads YAML makes JSON of it
//! first, and finds the line of a place afterwards.

mod definition;
mod keywords;
mod marks;
mod tables;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::field::{Field, FieldKind, ID, JSON_LD_KEYWORDS, Object};
use super::{CredentialType, Frame, FromFile, Scalar, Schema, Types};
use crate::json::{Document, Parser};
pub use definition::Definition;
use definition::Said;
use keywords::Fault;
use marks::Marks;
use tables::Tables;

/// The schema of a definition, for editors and for people.
pub const DEFINITION_SCHEMA: &str = include_str!("definition.schema.json");

/// What is wrong with a type of one's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeFault {
    /// The text in which it is.
    pub part: Part,
    /// Where: a JSON Pointer into that text.
    pub pointer: String,
    /// What is wrong, and what to write.
    pub message: String,
}

/// The texts of which a type is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The definition.
    Definition,
    /// The schema in a text of its own.
    Schema,
}

impl TypeFault {
    fn new(part: Part, pointer: impl Into<String>, message: impl Into<String>) -> TypeFault {
        TypeFault { part, pointer: pointer.into(), message: message.into() }
    }

    fn in_definition(pointer: impl Into<String>, message: impl Into<String>) -> TypeFault {
        TypeFault::new(Part::Definition, pointer, message)
    }
}

impl Definition {
    /// Makes a type of the definition. `schema` is the text of the file that the definition names, where it does not
    /// hold the schema itself; `others` are the types that are known already.
    ///
    /// # Errors
    /// Where something in it is wrong, or neither of the two ways of judging items can keep it.
    pub fn define(&self, schema: Option<&str>, others: Types) -> Result<CredentialType, TypeFault> {
        self.check_names(others)?;
        let (part, prefix) = match schema {
            Some(_) => (Part::Schema, ""),
            None => (Part::Definition, "/schema"),
        };
        let at = |(pointer, message): Fault| TypeFault::new(part, format!("{prefix}{pointer}"), message);
        let mut parser = Parser::default();
        let (document, value) = sound_json(&mut parser, schema.unwrap_or(self.text())).map_err(at)?;
        let root = match schema {
            Some(_) => Some(document.root()),
            None => document.root().member("schema"),
        };
        let root = root.expect("a definition has a schema");
        let value = if schema.is_some() { value } else { self.said.schema.clone() };
        keywords::check(root, &value).map_err(at)?;
        let base = self.base(others)?;
        let tables = Tables::of(root).map_err(at)?;
        let is_beyond_tables = tables.is_partial || base.is_some_and(|base| tables.repeats(base));
        let rest = is_beyond_tables.then(|| {
            let text = keywords::with_what_items_have(value, base.is_some());
            Schema::new(text).map_err(|problem| at((problem.keyword, problem.message)))
        });
        assemble(self.said.clone(), tables, rest.transpose()?, base, self.fingerprint(schema))
    }

    /// The type that it extends, where it extends one.
    fn base(&self, others: Types) -> Result<Option<&'static CredentialType>, TypeFault> {
        let Some(name) = self.extends() else { return Ok(None) };
        others.named(name).map(Some).ok_or_else(|| {
            let known = others.names();
            let message =
                format!("there is no type {name}, unless it extends this one in turn; expected {known}");
            TypeFault::in_definition("/extends", message)
        })
    }

    /// A hash of what a definition and its schema say, however they are written.
    fn fingerprint(&self, schema: Option<&str>) -> [u8; 32] {
        let said = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default().to_string();
        let mut hash = Sha256::new_with_prefix(said(self.text()));
        hash.update([0]);
        hash.update(schema.map(said).unwrap_or_default());
        hash.finalize().into()
    }
}

/// A text that is JSON without faults, read by both parsers: one knows the order, the other what values are.
fn sound_json<'p>(parser: &'p mut Parser, text: &'p str) -> Result<(Document<'p>, Json), Fault> {
    let no_json = |error: &dyn std::fmt::Display| (String::new(), format!("it is not JSON: {error}"));
    let document = parser.parse(text).map_err(|error| no_json(&error))?;
    match document.faults().first() {
        Some(fault) => Err((document.pointer(*fault), fault.kind.to_string())),
        None => Ok((document, serde_json::from_str(text).map_err(|error| no_json(&error))?)),
    }
}

fn assemble(
    read: Said,
    tables: Tables,
    rest: Option<Schema>,
    base: Option<&'static CredentialType>,
    fingerprint: [u8; 32],
) -> Result<CredentialType, TypeFault> {
    let inherited = |part: fn(&CredentialType) -> &'static Object| base.map(part);
    let subject = tables.subject.extending(inherited(|base| base.subject.1), &keywords::TERMS_OF_CREDENTIALS);
    let subject = with_id(subject);
    let claims = tables.claims.extending(inherited(|base| base.claims.1), &JSON_LD_KEYWORDS);
    let mut marks = Marks::of(&read, base);
    let subject: &'static Object = Box::leak(Box::new(marks.apply(&subject, "subject", false)));
    let claims: &'static Object = Box::leak(Box::new(marks.apply(&claims, "claims", false)));
    marks.check_all_used()?;
    let title = read.title.clone().or(tables.title).unwrap_or_else(|| words_of(&read.name));
    let description = tables.description.unwrap_or_else(|| title.clone());
    let said = base.map(|base| (base.subject.0, base.claims.0));
    let (about_subject, about_claims) = said.unwrap_or(("whom or what it is about", "what is said about it"));
    let leaked = |text: String| -> &'static str { text.leak() };
    Ok(CredentialType {
        name: leaked(read.r#type.clone()),
        vc_type: leaked(read.name.clone()),
        title: leaked(title),
        description: leaked(description),
        own: base.map_or(&Object::NOTHING, |base| base.own),
        subject: (tables.subject_doc.map_or(about_subject, leaked), subject),
        claims: (tables.claims_doc.map_or(about_claims, leaked), claims),
        columns: &[],
        hidden: marks.hidden(),
        grants: base.and_then(|base| base.grants),
        rules: base.map_or(&[], |base| base.rules),
        frame: Frame::new(),
        from_file: Some(Box::leak(Box::new(FromFile {
            fingerprint,
            vct: read.vct,
            ttl: read.ttl,
            may_be_hidden: marks.may_be_hidden(),
            labels: read.labels,
            display: read.display,
            csv_columns: read.csv.columns,
            schema: rest,
        }))),
    })
}

/// Every subject has an id.
fn with_id(mut subject: Object) -> Object {
    let id = Field::required("id", ID, "the subject's identifier; becomes `sub`").identifier();
    let others = subject.fields.iter().copied().filter(|field| field.name != "id");
    subject.fields = std::iter::once(id).chain(others).collect::<Vec<_>>().leak();
    subject
}

/// `TradeLicenceCredential` as people write it: "Trade licence credential".
fn words_of(name: &str) -> String {
    let mut words = String::new();
    for (place, letter) in name.chars().enumerate() {
        match letter.is_uppercase() && place > 0 {
            true => words.extend([' '].into_iter().chain(letter.to_lowercase())),
            false => words.push(letter),
        }
    }
    words
}

/// Whether values of this kind are texts of the issuer's own, which can be an identifier.
fn is_text(kind: &FieldKind) -> bool {
    use FieldKind::{Country, Currency, Jurisdiction, Text, Word};
    match kind {
        Text { .. } | Word(_) | Country | Jurisdiction | Currency => true,
        FieldKind::Judged(judged) => judged.scalar == Scalar::Text,
        _ => false,
    }
}
