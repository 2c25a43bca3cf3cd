//! The types that can be issued: those of the program, and those of the files that flags and settings name.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::{MAX_DOCUMENT_BYTES, Settings};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::cli::type_file::TypeFile;
use crate::clock::system_now;
use crate::files;
use crate::request::rules::CalendarDuration;
use crate::source::{Items, Mapping, RowCheck, csv_columns};
use crate::types::file::{Part, TypeFault};
use crate::types::{CredentialType, Types};

/// The most files of types.
const MAX_FILES: usize = 256;

/// The types that can be issued.
#[derive(Debug)]
pub(super) struct KnownTypes {
    types: Types,
    /// The files that some of them come from.
    files: Vec<PathBuf>,
}

impl KnownTypes {
    /// Those that come with the program.
    pub(super) const BUILT_IN: KnownTypes = KnownTypes { types: Types::BUILT_IN, files: Vec::new() };
}

impl Settings {
    /// The types that can be issued. Items that name none are of the one that is given, else of the project's own.
    pub(crate) fn types(&self, given: Option<&str>) -> Result<Types, Failure> {
        let types = self.known_types()?;
        let default = match given {
            Some(name) => find(types, name, Origin::typed("--type", Some("BELTIC_TYPE")))?,
            None => self.own_type()?,
        };
        Ok(types.with_default(default))
    }

    /// The type that an argument names.
    pub(crate) fn type_shown(&self, name: &str) -> Result<&'static CredentialType, Failure> {
        find(self.known_types()?, name, "the type")
    }

    /// The type that a flag names.
    pub(crate) fn type_named(
        &self,
        given: &Option<String>,
    ) -> Result<Option<&'static CredentialType>, Failure> {
        let find =
            |name: &String| find(self.known_types()?, name, Origin::typed("--type", Some("BELTIC_TYPE")));
        given.as_ref().map(find).transpose()
    }

    /// The types beside one of one's own of this name, which is about to be made anew.
    pub(crate) fn types_beside(&self, name: &str) -> Result<Types, Failure> {
        let is_other = |known: &&CredentialType| known.from_file.is_none() || known.name != name;
        let others: Vec<_> = self.known_types()?.all().iter().copied().filter(is_other).collect();
        Ok(Types::new(others.leak()))
    }

    /// The type that `credential.vct`, `credential.type_metadata` and `disclosure` are about.
    pub(super) fn own_type(&self) -> Result<&'static CredentialType, Failure> {
        let types = self.known_types()?;
        match self.value(&None, |config| &config.credential.r#type) {
            None => Ok(types.default_type()),
            Some(name) => {
                find(types, &name, self.origin(None, "credential.type", |config| &config.credential.r#type))
            }
        }
    }

    /// Every type, whichever is the default. The files are read once.
    pub(crate) fn known_types(&self) -> Result<Types, Failure> {
        if let Some(known) = self.types.get() {
            return Ok(known.types);
        }
        let known = self.read_types()?;
        Ok(self.types.get_or_init(|| known).types)
    }

    /// The files of types that were read.
    pub(super) fn files_of_types(&self) -> impl Iterator<Item = &Path> {
        self.types.get().into_iter().flat_map(|known| &known.files).map(PathBuf::as_path)
    }

    fn read_types(&self) -> Result<KnownTypes, Failure> {
        let named = self.type_files()?;
        let mut pending = named.iter().map(|path| TypeFile::read(path)).collect::<Result<Vec<_>, _>>()?;
        let files = pending.iter().flat_map(TypeFile::files).map(Path::to_owned).collect();
        let mut types = Types::BUILT_IN;
        // A type is made once the one that it extends is there, in whatever order the files are.
        while !pending.is_empty() {
            let is_known = |base: &str| types.named(base).is_some();
            let is_ready = |file: &TypeFile| file.definition().extends().is_none_or(is_known);
            let next = pending.iter().position(is_ready).unwrap_or_default();
            types = types.and([define(&pending.remove(next), types)?]);
        }
        Ok(KnownTypes { types, files })
    }

    /// The files, in the order in which they are named; those of a folder in the order of their names.
    fn type_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let typed = self.given_types.as_ref().map(|_| Origin::typed("--types", Some("BELTIC_TYPES")));
        let origin = || self.origin(typed.clone(), "types", |config| &config.types);
        let in_file = |file: &super::ConfigFile| {
            let named = file.config.types.as_ref()?;
            Some(named.all().iter().map(|path| file.path(path)).collect::<Vec<_>>())
        };
        let given = self.given_types.clone().map(|path| vec![path]);
        let named =
            given.or_else(|| in_file(&self.project)).or_else(|| in_file(&self.user)).unwrap_or_default();
        let mut found = Vec::new();
        for path in named {
            match path.is_dir() {
                true => match definitions_in(&path)? {
                    none if none.is_empty() => {
                        let message = format!("{} names {}, which has no types", origin(), path.display());
                        return Err(Failure::usage(message).hint(
                            "files of types end in .yaml or .yml; `beltic types new NAME` writes one",
                        ));
                    }
                    some => found.extend(some),
                },
                false => found.push(path),
            }
            if found.len() > MAX_FILES {
                let message = format!("{} names more than {MAX_FILES} files of types", origin());
                return Err(Failure::usage(message));
            }
        }
        Ok(found)
    }
}

/// A type that exists.
fn find(types: Types, name: &str, origin: impl Display) -> Result<&'static CredentialType, Failure> {
    types.named(name).ok_or_else(|| {
        let near = |known: &&&CredentialType| strsim::damerau_levenshtein(known.name, name) <= 3;
        let hint = match types.all().iter().find(near) {
            Some(near) => format!("did you mean {}?", near.name),
            None => {
                "`--types DIR`, or `types` in .beltic.yaml, names the files of types of your own".to_owned()
            }
        };
        Failure::usage(format!("{origin} is \"{name}\"; expected {}", types.names())).hint(hint)
    })
}

/// The definitions in a folder: files that end in `.yaml` or `.yml`.
fn definitions_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::said(
            ExitStatus::Usage,
            format!("cannot read the folder of types {}: {}", folder.display(), files::reason(&error)),
        )
    };
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_definition = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        // A schema in YAML may stand beside the definitions.
        let is_schema = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(".schema"));
        // A pipe would be waited for.
        if is_definition && !is_schema && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Makes the type of a file.
pub(crate) fn define(file: &TypeFile, others: Types) -> Result<&'static CredentialType, Failure> {
    let defined = file.define(others)?;
    let known: &'static CredentialType = Box::leak(Box::new(defined));
    check_beyond_tables(known).map_err(|fault| file.failure(&fault))?;
    Ok(known)
}

/// What the layers above the types know of a definition: durations and columns.
fn check_beyond_tables(known: &'static CredentialType) -> Result<(), TypeFault> {
    let fault = |pointer: &str, message: String| {
        Err(TypeFault { part: Part::Definition, pointer: pointer.to_owned(), message })
    };
    let lives = |ttl| CalendarDuration::parse(ttl).and_then(|duration| duration.after(system_now()));
    if let Some(Err(problem)) = known.default_ttl().map(lives) {
        return fault("/ttl", problem.to_string());
    }
    let own = csv_columns(known, 1);
    for header in known.from_file.into_iter().flat_map(|file| file.csv_columns.keys()) {
        let is_taken = own.iter().any(|column| column == header) || header.trim().is_empty();
        if is_taken {
            let message =
                format!("'{header}' is already a column of the type, or empty; expected your own header");
            return fault("/csv/columns", message);
        }
    }
    let types = Types::new(vec![known].leak());
    let columns = known.from_file.map(|file| file.csv_columns.clone()).unwrap_or_default();
    match Items::new(types, Mapping::of_columns(columns), RowCheck::default()) {
        Ok(_) => Ok(()),
        Err(problem) => fault("/csv/columns", problem.to_string()),
    }
}

/// Reads a file of a type or of its schema.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = files::read_limited(path, MAX_DOCUMENT_BYTES);
    bytes.map(|bytes| bytes.to_vec()).map_err(|error| Failure::new(ExitStatus::Usage, error))
}
