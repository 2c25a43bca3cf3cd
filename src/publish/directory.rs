//! The directory that a site is written to.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Differing, MAX_FILE_BYTES};
use crate::files::{DirectoryMode, PathError, create_directories, hold_directory, replace};
use crate::publish::documents::SitePath;

/// The directory of a site. While it is open to be written, no other process publishes into it.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    _lock: Option<File>,
}

impl Directory {
    /// Opens the directory to be written, and makes it where there is none. Waits for others who
    /// publish into it.
    ///
    /// # Errors
    /// Where it cannot be made or opened.
    pub fn to_write(root: &Path) -> Result<Directory, PathError> {
        let failed = |source| PathError::new("open", root, source);
        create_directories(root, DirectoryMode::Shared).map_err(failed)?;
        let lock = hold_directory(root).map_err(failed)?;
        Ok(Directory { root: root.to_owned(), _lock: lock })
    }

    /// The directory as it is; there may be none.
    pub fn to_read(root: &Path) -> Directory {
        Directory { root: root.to_owned(), _lock: None }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The files in a folder of the site, but not in those below it; none where there is no such folder.
    pub(super) fn files_in(&self, folder: &SitePath) -> Result<Vec<PathBuf>, PathError> {
        let path = self.path_of(folder);
        let list = || match fs::read_dir(&path) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        };
        let mut files: Vec<PathBuf> = list().map_err(|source| PathError::new("read", &path, source))?;
        files.retain(|file| file.is_file());
        Ok(files)
    }

    pub(super) fn path_of(&self, path: &SitePath) -> PathBuf {
        self.root.join(path.relative())
    }

    /// What a file holds; none where there is no such file.
    pub(super) fn read(&self, path: &SitePath) -> Result<Option<Vec<u8>>, PathError> {
        let path = self.path_of(path);
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            // A device has no length, and a named pipe may have no writer.
            if fs::metadata(&path)?.is_file() {
                File::open(&path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            }
            // Nothing of ours is as large: whatever it is, it is not what it should be.
            if bytes.len() > MAX_FILE_BYTES {
                bytes.clear();
            }
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(PathError::new("read", &path, source)),
        }
    }

    /// Writes a file, in place of an older one.
    ///
    /// # Errors
    /// Where it cannot be written. The older one is then still there.
    pub fn write(&self, file: &Differing<'_>) -> Result<(), PathError> {
        let target = self.path_of(file.path);
        if let Some(folder) = target.parent() {
            create_directories(folder, DirectoryMode::Shared)
                .map_err(|source| PathError::new("create", folder, source))?;
        }
        replace(&target, file.bytes)
    }
}
