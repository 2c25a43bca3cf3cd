//! Where results go: standard output, or a file that appears when it is complete.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::exit::ExitStatus;
use super::failure::Failure;
use crate::files::{PathError, Replacement};

/// The results on their way out.
pub(crate) struct Output {
    target: Target,
    started: bool,
    /// Whether a write failed: then a file does not get its name.
    broken: bool,
    /// The index of the last item whose result was handed to the system.
    last_delivered: Option<u64>,
}

enum Target {
    /// Without the buffer of `std::io::Stdout`, which would count bytes as written that it keeps.
    Stdout(File),
    File {
        file: Replacement,
        path: PathBuf,
        replace: bool,
    },
}

/// Why results could not be written, and how far they got.
#[derive(Debug)]
pub(crate) struct OutputError {
    source: anyhow::Error,
    last_delivered: Option<u64>,
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Failure {
        let delivered = match error.last_delivered {
            Some(index) => format!("the last result delivered is that of item {index}"),
            None => "no result was delivered".to_owned(),
        };
        Failure::new(ExitStatus::Files, error.source).hint(delivered)
    }
}

impl Output {
    /// Results on standard output.
    pub(crate) fn to_stdout() -> Result<Output, Failure> {
        let stdout = unbuffered_stdout().map_err(|source| {
            Failure::new(ExitStatus::Files, anyhow::Error::new(source).context("there is no standard output"))
        })?;
        Ok(Output { target: Target::Stdout(stdout), started: false, broken: false, last_delivered: None })
    }

    /// Results in a file.
    pub(crate) fn to_file(path: &Path, replace: bool) -> Result<Output, Failure> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(Failure::file_is_there(path));
        }
        let file = Replacement::begin(path)?;
        let target = Target::File { file, path: path.to_owned(), replace };
        Ok(Output { target, started: false, broken: false, last_delivered: None })
    }

    /// Writes the results of a batch, whose rows end at these places; before the first batch, the
    /// head of the form.
    pub(crate) fn write(
        &mut self,
        head: &[u8],
        rows: &[u8],
        row_ends: &[(u64, usize)],
    ) -> Result<(), OutputError> {
        if !self.started {
            self.started = true;
            if let Err((_, source)) = self.put(head) {
                self.broken = true;
                return Err(self.error(source));
            }
        }
        let outcome = self.put(rows);
        self.broken = outcome.is_err();
        let taken = outcome.as_ref().map_or_else(|(taken, _)| *taken, |()| rows.len());
        let delivered = row_ends.iter().take_while(|(_, end)| *end <= taken).last();
        self.last_delivered = delivered.map(|(index, _)| *index).or(self.last_delivered);
        outcome.map_err(|(_, source)| self.error(source))
    }

    /// Writes what stands after the last row, and gives a file its name. Where nothing was ever
    /// written, or a write failed, nothing appears and an older file stays.
    pub(crate) fn finish(mut self, tail: &[u8]) -> Result<(), OutputError> {
        if !self.started || self.broken {
            return Ok(());
        }
        self.put(tail).map_err(|(_, source)| self.error(source))?;
        let last_delivered = self.last_delivered;
        match self.target {
            Target::Stdout(_) => Ok(()),
            Target::File { file, replace, .. } => {
                let named = if replace { file.commit() } else { file.commit_new() };
                named.map_err(|error| OutputError { source: error.into(), last_delivered })
            }
        }
    }

    /// Writes all the bytes; where that fails, says how many were taken.
    fn put(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let written = match &mut self.target {
                Target::Stdout(stdout) => stdout.write(rest),
                Target::File { file, .. } => file.write(rest),
            };
            match written {
                Ok(0) => return Err((taken, io::ErrorKind::WriteZero.into())),
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((taken, error)),
            }
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> OutputError {
        let source = match &self.target {
            Target::Stdout(_) if source.kind() == io::ErrorKind::BrokenPipe => {
                anyhow::anyhow!("standard output was closed before all results were written")
            }
            Target::Stdout(_) => anyhow::Error::new(source).context("cannot write to standard output"),
            Target::File { path, .. } => PathError::new("write", path, source).into(),
        };
        OutputError { source, last_delivered: self.last_delivered }
    }
}

#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}
