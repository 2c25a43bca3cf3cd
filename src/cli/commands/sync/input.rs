//! The register's files, which are read twice.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::source::{Input, InputName};

/// Files that can be opened as often as is needed: what cannot be is copied first, to a file without a name.
pub(super) struct Register(Vec<Readable>);

enum Readable {
    File(PathBuf),
    Copy(InputName, File),
}

impl Register {
    /// Copies standard input, pipes and devices, and looks at no other file.
    ///
    /// # Errors
    /// Where one of them cannot be read, or there is no space for a copy.
    pub(super) fn gather(paths: &[PathBuf]) -> Result<Register, Failure> {
        paths.iter().map(|path| Readable::of(path)).collect::<Result<_, _>>().map(Register)
    }

    /// The inputs, from their beginning.
    ///
    /// # Errors
    /// Where a copy cannot be read again.
    pub(super) fn inputs(&mut self) -> Result<Vec<Input>, Failure> {
        self.0.iter_mut().map(|readable| readable.input().map_err(cannot_copy)).collect()
    }
}

impl Readable {
    fn of(path: &Path) -> Result<Readable, Failure> {
        if path == Path::new("-") {
            return Readable::copy(InputName::Stdin, &mut io::stdin().lock());
        }
        match path.metadata() {
            // What is not there, or no file, is for whoever opens it to tell of.
            Ok(found) if !found.is_file() && !found.is_dir() => {
                let mut pipe = File::open(path).map_err(cannot_copy)?;
                Readable::copy(InputName::File(path.to_owned()), &mut pipe)
            }
            _ => Ok(Readable::File(path.to_owned())),
        }
    }

    fn copy(name: InputName, from: &mut dyn io::Read) -> Result<Readable, Failure> {
        let mut copy = tempfile::tempfile().map_err(cannot_copy)?;
        io::copy(from, &mut copy).map_err(cannot_copy)?;
        Ok(Readable::Copy(name, copy))
    }

    fn input(&mut self) -> io::Result<Input> {
        Ok(match self {
            Readable::File(path) => Input::File(path.clone()),
            Readable::Copy(name, copy) => {
                copy.rewind()?;
                Input::Ready(name.clone(), Box::new(copy.try_clone()?))
            }
        })
    }
}

fn cannot_copy(source: io::Error) -> Failure {
    Failure::new(
        ExitStatus::Files,
        anyhow::Error::new(source).context("cannot copy the input to a temporary file"),
    )
}
