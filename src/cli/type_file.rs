//! Files of types of one's own: YAML, and JSON Schema in the same file or one beside it.
//!
//! The library reads JSON and says where something is wrong by a JSON Pointer. Here YAML becomes JSON, its order kept,
//! and a pointer becomes a line of the file.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::exit::ExitStatus;
use super::failure::Failure;
use super::settings;
use super::yaml_bounds;
use crate::json::pointer_segments;
use crate::types::file::{Definition, Part, TypeFault};
use crate::types::{CredentialType, Types};

/// A definition that was read, with its schema.
#[derive(Debug)]
pub(crate) struct TypeFile {
    text: Text,
    definition: Definition,
    schema: Option<Text>,
}

/// A file's text, and the same in JSON.
#[derive(Debug)]
struct Text {
    path: PathBuf,
    bytes: Vec<u8>,
    json: String,
}

impl TypeFile {
    /// Reads a definition, and the schema that it names.
    ///
    /// # Errors
    /// Where a file cannot be read, or is no definition.
    pub(crate) fn read(path: &Path) -> Result<TypeFile, Failure> {
        let mut file = TypeFile::of(Text::read(path)?)?;
        if let Some(name) = file.definition.schema_file() {
            let schema = Text::read(&path.parent().unwrap_or(Path::new("")).join(name));
            let named_by = || format!("`schema` in {} names the file", path.display());
            file.schema = Some(schema.map_err(|failure| failure.hint(named_by()))?);
        }
        Ok(file)
    }

    /// One that was just written, before it is a file.
    ///
    /// # Errors
    /// Where it is no definition.
    pub(crate) fn of_new(text: &str) -> Result<TypeFile, Failure> {
        TypeFile::of(Text::of(Path::new("the new type"), text.as_bytes().to_vec())?)
    }

    fn of(text: Text) -> Result<TypeFile, Failure> {
        let definition = Definition::read(&text.json).map_err(|fault| text.failure(&fault))?;
        Ok(TypeFile { text, definition, schema: None })
    }

    /// The files that were read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.text), self.schema.as_ref()].into_iter().flatten().map(|text| text.path.as_path())
    }

    /// What it says.
    pub(crate) fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Makes the type. The others are known already.
    ///
    /// # Errors
    /// Where something is wrong in it, with the line.
    pub(crate) fn define(&self, others: Types) -> Result<CredentialType, Failure> {
        let schema = self.schema.as_ref().map(|schema| schema.json.as_str());
        self.definition.define(schema, others).map_err(|fault| self.failure(&fault))
    }

    /// A fault, with its file and line.
    pub(crate) fn failure(&self, fault: &TypeFault) -> Failure {
        match (fault.part, &self.schema) {
            (Part::Schema, Some(schema)) => schema.failure(fault),
            _ => self.text.failure(fault),
        }
    }
}

impl Text {
    fn read(path: &Path) -> Result<Text, Failure> {
        Text::of(path, settings::read_type_file(path)?)
    }

    fn of(path: &Path, bytes: Vec<u8>) -> Result<Text, Failure> {
        let unusable = |message: String| {
            Failure::said(ExitStatus::Usage, format!("cannot use the type in {}: {message}", path.display()))
        };
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let json = match is_json {
            true => String::from_utf8(bytes.clone())
                .map_err(|_| unusable("it is not UTF-8 text; save it as UTF-8".to_owned()))?,
            false => {
                yaml_bounds::check(&bytes).map_err(unusable)?;
                let value: serde_yaml::Value =
                    serde_yaml::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
                serde_json::to_string(&value).map_err(|error| unusable(error.to_string()))?
            }
        };
        Ok(Text { path: path.to_owned(), bytes, json })
    }

    fn failure(&self, fault: &TypeFault) -> Failure {
        let place = match fault.pointer.as_str() {
            "" => String::new(),
            pointer => format!("{pointer}: "),
        };
        let line = line_of(&self.bytes, &fault.pointer);
        Failure::usage(format!("{}:{line}: {place}{}", self.path.display(), fault.message))
    }
}

/// The line of a place in YAML or JSON, which is YAML; 1 where there is no such place.
fn line_of(bytes: &[u8], pointer: &str) -> usize {
    let segments: Vec<String> = pointer_segments(pointer).collect();
    // The deepest place that is there: what is missing has no line of its own.
    for depth in (0..=segments.len()).rev() {
        let at = At { way: &segments[..depth] };
        if let Err(error) = at.deserialize(serde_yaml::Deserializer::from_slice(bytes))
            && error.to_string().contains(FOUND)
        {
            return error.location().map_or(1, |place| place.line());
        }
    }
    1
}

/// What the error says that stands for the place that was looked for.
const FOUND: &str = "this is the place";

/// Fails at the end of a way through mappings and sequences, so that the parser says where that is.
struct At<'w> {
    way: &'w [String],
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(FOUND)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.way.split_first() else { return Err(A::Error::custom(FOUND)) };
        while let Some(name) = members.next_key_seed(Name)? {
            match name == *first {
                true => members.next_value_seed(At { way: rest })?,
                false => members.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.way.split_first() else { return Err(A::Error::custom(FOUND)) };
        let mut place = 0;
        loop {
            let next = match first.parse() == Ok(place) {
                true => elements.next_element_seed(At { way: rest })?,
                false => elements.next_element::<IgnoredAny>()?.map(drop),
            };
            if next.is_none() {
                return Ok(());
            }
            place += 1;
        }
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

impl At<'_> {
    fn scalar<E: Error>(self) -> Result<(), E> {
        if self.way.is_empty() { Err(E::custom(FOUND)) } else { Ok(()) }
    }
}

/// The name of a member, as it is written.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<String, E> {
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_line() {
        let yaml = b"# a type\ntype: a\nschema:\n  properties:\n    claims:\n      enum:\n        - x\n        - y\n\n      a/b: 1\n";
        for (pointer, line) in [
            ("/type", 2),
            ("/schema/properties", 5),
            ("/schema/properties/claims", 6),
            ("/schema/properties/claims/enum/1", 8),
            ("/schema/properties/claims/a~1b", 10),
            ("/schema/properties/claims/missing/deeper", 6),
            ("", 2),
            ("/nothing", 2),
        ] {
            assert_eq!(line_of(yaml, pointer), line, "{pointer}");
        }
        let json = b"{\n  \"type\": \"object\",\n\t\"properties\": {\n    \"a\": {\"type\":\n \"strin\"}}}";
        assert_eq!(line_of(json, "/properties/a/type"), 5);
    }
}
