//! `--out-dir`: each credential in a file of its own.
//!
//! The files of a batch are durable, and have their names, before its rows leave: each whole or not at all, for its owner
//! alone. A file is named by what
//! `--name-by` says; where the item lacks that, or another one of this run has the name, by the credential's id, with a
//! warning. The names follow from the items and their order, so that a run repeated under its idempotency key gives the
//! same ones.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use clap::ValueEnum;

use crate::batch::IssuedToken;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::credential::ProofFormat;
use crate::files::{self, DirectoryMode, NameBook, PathError, Together, name_for};

/// What names a credential's file.
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

/// The folder on its way.
pub(crate) struct OutDir {
    name_by: NameBy,
    ending: &'static str,
    names: NameBook,
    files: Together,
}

impl OutDir {
    /// Makes the folder, or looks at the one that is there.
    ///
    /// # Errors
    /// Where it is no folder, or holds something and is not to be written to.
    pub(crate) fn begin(
        folder: &Path,
        name_by: NameBy,
        format: ProofFormat,
        force: bool,
    ) -> Result<OutDir, Failure> {
        files::create_directories(folder, DirectoryMode::Private)
            .and_then(|()| fs::read_dir(folder))
            .map_err(|source| match source.kind() {
                ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Failure::said(
                    ExitStatus::Files,
                    format!("{} is not a folder; expected one for --out-dir", folder.display()),
                )
                .hint("name another folder"),
                _ => PathError::new("create", folder, source).into(),
            })
            .and_then(|mut entries| match entries.next().is_some() && !force {
                true => Err(Failure::said(
                    ExitStatus::Files,
                    format!("the folder {} is not empty", folder.display()),
                )
                .hint("name a new folder, or use `--force` to replace the files of the same names in it")),
                false => Ok(()),
            })?;
        let ending = match format {
            ProofFormat::JwtVc => "jwt",
            ProofFormat::SdJwtVc => "sd-jwt",
        };
        let mut files = Together::in_folder(folder, force);
        files.try_out()?;
        Ok(OutDir { name_by, ending, names: NameBook::default(), files })
    }

    /// Writes a credential's file, which gets its name by [`OutDir::commit`]. Gives a warning where it could not have the name that was asked for.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(crate) fn add(&mut self, issued: &IssuedToken) -> Result<Option<String>, Failure> {
        let (name, warning) = self.name(issued);
        let mut line = issued.token.clone();
        line.push(b'\n');
        self.files.add(&format!("{name}.{}", self.ending), &line)?;
        Ok(warning)
    }

    /// Gives the files of a batch their names.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        Ok(self.files.commit()?)
    }

    /// The name of a credential's file, and what is to be said of it.
    fn name(&mut self, issued: &IssuedToken) -> (String, Option<String>) {
        let (what, wanted) = match self.name_by {
            NameBy::CorrelationId => ("correlation_id", issued.correlation_id.as_deref()),
            NameBy::SubjectId => ("subject.id", issued.subject_id.as_deref()),
            NameBy::CredentialId => return (self.fallback(issued), None),
        };
        let problem = match wanted.map(name_for) {
            None => "it has no",
            Some(None) => "no file name can be made of its",
            Some(Some(name)) if self.names.take(&name) => return (name, None),
            Some(Some(_)) => "another item's file has the name of its",
        };
        let name = self.fallback(issued);
        let warning =
            format!("item {}: {problem} {what}, so its file is {name}.{}", issued.index, self.ending);
        (name, Some(warning))
    }

    /// The credential's id, with a number where another item calls itself so.
    fn fallback(&mut self, issued: &IssuedToken) -> String {
        let id = issued.id.to_string();
        let numbered = (2..).map(|number: u64| format!("{id}_{number}"));
        let name = std::iter::once(id.clone()).chain(numbered).find(|name| self.names.take(name));
        name.unwrap_or(id)
    }
}
