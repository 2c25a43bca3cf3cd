//! How credentials that get a file or a folder each are named.
//!
//! A name is what `--name-by` says; where a credential lacks that, or another one of the run has the name, it is the
//! credential's id, with a warning. Names follow from the credentials and their order, so that the same run gives the
//! same ones. [`name_for`] says which characters they have.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use clap::ValueEnum;
use uuid::Uuid;

use super::exit::ExitStatus;
use super::failure::Failure;
use crate::files::{self, DirectoryMode, NameBook, PathError, name_for};

/// What names a credential's file or folder.
#[expect(clippy::enum_variant_names, reason = "named as the fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameBy {
    /// The item's correlation_id
    CorrelationId,
    /// The id of its subject
    SubjectId,
    /// The credential's id, without urn:uuid:
    CredentialId,
}

/// The names of a folder so far.
#[derive(Debug)]
pub(crate) struct Namer {
    by: NameBy,
    names: NameBook,
}

impl Namer {
    /// No names yet.
    pub(crate) fn by(by: NameBy) -> Namer {
        Namer { by, names: NameBook::default() }
    }

    /// Keeps a name that a file beside the credentials has.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.names.take(name);
    }

    /// The name of a credential, by its correlation id and subject id, and why it is not the one that was asked for.
    /// `what` is what gets the name.
    pub(crate) fn name(
        &mut self,
        id: Uuid,
        (correlation_id, subject_id): (Option<&str>, Option<&str>),
        what: &str,
    ) -> (String, Option<String>) {
        let (field, wanted) = match self.by {
            NameBy::CorrelationId => ("correlation_id", correlation_id),
            NameBy::SubjectId => ("subject.id", subject_id),
            NameBy::CredentialId => return (self.fallback(id), None),
        };
        let problem = match wanted.map(name_for) {
            None => format!("it has no {field}"),
            Some(None) => format!("no file name can be made of its {field}"),
            Some(Some(name)) if self.names.take(&name) => return (name, None),
            Some(Some(_)) => format!("another item's {what} has the name of its {field}"),
        };
        (self.fallback(id), Some(problem))
    }

    /// The credential's id, with a number where another one is called so.
    fn fallback(&mut self, id: Uuid) -> String {
        let id = id.to_string();
        let numbered = (2..).map(|number: u64| format!("{id}_{number}"));
        let name = std::iter::once(id.clone()).chain(numbered).find(|name| self.names.take(name));
        name.unwrap_or(id)
    }
}

/// Makes a folder for its owner alone, unless it is there.
///
/// # Errors
/// Where it cannot be made, or is no folder.
pub(crate) fn make_folder(folder: &Path, flag: &str) -> Result<(), Failure> {
    files::create_directories(folder, DirectoryMode::Private)
        .and_then(|()| fs::read_dir(folder).map(drop))
        .map_err(|source| match source.kind() {
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Failure::said(
                ExitStatus::Files,
                format!("{} is not a folder; expected one for {flag}", folder.display()),
            )
            .hint("name another folder"),
            _ => PathError::new("create", folder, source).into(),
        })
}

/// Refuses a folder that is not empty, unless by force. `what` is what would be written into it.
///
/// # Errors
/// Where it is not empty.
pub(crate) fn refuse_full(folder: &Path, force: bool, what: &str) -> Result<(), Failure> {
    let mut entries = fs::read_dir(folder).map_err(|source| PathError::new("read", folder, source))?;
    match entries.next().is_some() && !force {
        true => {
            Err(Failure::said(ExitStatus::Files, format!("the folder {} is not empty", folder.display()))
                .hint(format!(
                    "name a new folder, or use `--force` to replace the {what} of the same names in it"
                )))
        }
        false => Ok(()),
    }
}
