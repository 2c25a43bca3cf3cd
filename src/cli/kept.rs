//! What no output may replace: the files that a command reads, and the ledger with all that belongs to it.
//!
//! `--force` allows an output to replace a file. It is not meant for these: whoever types the ledger or the key after
//! `--out` has slipped, and would lose what cannot be had again.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::settings::Settings;
use crate::files::{self, Way};
use crate::ledger::{self, Address};

/// Files that must stay as they are, by their real paths.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    files: Vec<PathBuf>,
}

impl Kept {
    /// These files: inputs, keys.
    pub(crate) fn files(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Kept {
        Kept { files: paths.into_iter().map(|path| real(path.as_ref())).collect() }
    }

    /// And the ledger, where there is one.
    pub(crate) fn and_ledger(mut self, address: Option<&Address>) -> Kept {
        let file = address.and_then(Address::file);
        self.files.extend(file.into_iter().flat_map(ledger::files_of).map(|path| real(&path)));
        self
    }

    /// And the settings files in force.
    pub(crate) fn and_settings(mut self, settings: &Settings) -> Kept {
        self.files.extend(settings.files().map(real));
        self
    }

    /// Refuses an output that would replace one of the files, and keeps it from the outputs that follow.
    ///
    /// # Errors
    /// Where the output is one of the files.
    pub(crate) fn refuse(&mut self, output: &Path) -> Result<(), Failure> {
        // Several outputs may go to one device or terminal.
        if matches!(files::way(output, true), Ok(Way::WriteThrough)) {
            return Ok(());
        }
        let file = real(output);
        if self.files.contains(&file) {
            let message = format!(
                "{} would be overwritten, but the command needs it or writes it under another flag",
                output.display()
            );
            return Err(Failure::usage(message).hint("name another file"));
        }
        self.files.push(file);
        Ok(())
    }
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize().unwrap_or_else(|_| {
        folder.canonicalize().unwrap_or_default().join(path.file_name().unwrap_or_default())
    })
}
