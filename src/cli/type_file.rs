//! Files of types of one's own: YAML, and JSON Schema in the same file or one beside it.
//!
//! The library reads JSON and says where something is wrong by a JSON Pointer. Here YAML becomes JSON, its order kept,
//! and a pointer becomes a line of the file.

use std::path::{Path, PathBuf};

use super::exit::ExitStatus;
use super::failure::Failure;
use super::settings;
use super::yaml_bounds;
use super::yaml_place;
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
            let named_by = || format!("the file is named by `schema` in {}", path.display());
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
        let line = yaml_place::line_of(&self.bytes, &fault.pointer);
        Failure::usage(format!("{}:{line}: {place}{}", self.path.display(), fault.message))
    }
}
