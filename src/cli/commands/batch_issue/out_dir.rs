//! `--out-dir`: each credential in a file of its own.
//!
//! The files of a batch are durable, and have their names, before its rows leave: each whole or not at all, for its owner
//! alone. [`Namer`] says how they are named.

use std::path::Path;

use crate::batch::IssuedToken;
use crate::cli::credential_names::{NameBy, Namer, make_folder, refuse_full};
use crate::cli::failure::Failure;
use crate::credential::ProofFormat;
use crate::files::Together;

/// The folder on its way.
pub(crate) struct OutDir {
    ending: &'static str,
    namer: Namer,
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
        make_folder(folder, "--out-dir")?;
        refuse_full(folder, force, "files")?;
        let mut files = Together::in_folder(folder, force);
        files.try_out()?;
        Ok(OutDir { ending: format.file_ending(), namer: Namer::by(name_by), files })
    }

    /// Writes a credential's file, which gets its name by [`OutDir::commit`]. Gives a warning where it could not have the name that was asked for.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(crate) fn add(&mut self, issued: &IssuedToken) -> Result<Option<String>, Failure> {
        let ids = (issued.correlation_id.as_deref(), issued.subject_id.as_deref());
        let (name, problem) = self.namer.name(issued.id, ids, "file");
        let name = format!("{name}.{}", self.ending);
        let mut line = issued.token.clone();
        line.push(b'\n');
        self.files.add(&name, &line)?;
        Ok(problem.map(|problem| format!("item {}: {problem}, so its file is {name}", issued.index)))
    }

    /// Gives the files of a batch their names.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        Ok(self.files.commit()?)
    }
}
