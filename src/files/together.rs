//! Files of one folder that become durable together.
//!
//! Making each file durable by itself costs two waits for the disk, some milliseconds each. Here many are written under
//! other names first, then one flush of the file system makes all of them durable, and only then they get their own
//! names. So each appears whole or not at all, and what was not committed leaves nothing behind. Until then the files
//! stay open and locked: another run in the folder takes files without a lock for those of a run that was killed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::temporary::{self, FileMode};
use super::{PathError, sync_directory};

/// So many files wait at most. Each of them takes a descriptor.
const MOST_WAITING: usize = 64;

/// Files that wait for their names.
#[derive(Debug)]
pub struct Together {
    folder: PathBuf,
    /// Whether files of the same names give way.
    replace: bool,
    waiting: Vec<(NamedTempFile, PathBuf)>,
    /// Whether what killed runs left in the folder was looked for.
    has_looked: bool,
}

impl Together {
    /// None yet, in this folder. `replace` says whether files of the same names give way.
    pub fn in_folder(folder: &Path, replace: bool) -> Together {
        Together { folder: folder.to_owned(), replace, waiting: Vec::new(), has_looked: false }
    }

    /// Finds out whether files can be made in the folder.
    ///
    /// # Errors
    /// Where they cannot.
    pub fn try_out(&mut self) -> Result<(), PathError> {
        self.make().map(drop)
    }

    fn make(&mut self) -> Result<NamedTempFile, PathError> {
        let made = match self.has_looked {
            true => temporary::create_another(&self.folder, FileMode::Private),
            false => temporary::create(&self.folder, FileMode::Private),
        };
        self.has_looked = true;
        made.map_err(|source| PathError::new("write to", &self.folder, source))
    }

    /// Writes a file for its owner alone, without its name yet.
    ///
    /// # Errors
    /// Where it cannot be written. The file itself is not named: its name may be somebody's.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        if self.waiting.len() >= MOST_WAITING {
            self.commit()?;
        }
        let mut file = self.make()?;
        let failed = |source| PathError::new("write to", &self.folder, source);
        file.write_all(bytes).map_err(failed)?;
        if !cfg!(target_os = "linux") {
            file.as_file().sync_all().map_err(failed)?;
        }
        self.waiting.push((file, self.folder.join(name)));
        Ok(())
    }

    /// Makes them durable and gives them their names.
    ///
    /// # Errors
    /// Where that fails, or a name is taken. Those that have their names already keep them.
    pub fn commit(&mut self) -> Result<(), PathError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        flush(&self.folder).map_err(|source| PathError::new("write to", &self.folder, source))?;
        for (file, target) in std::mem::take(&mut self.waiting) {
            let named = match self.replace {
                true => file.persist(&target),
                false => file.persist_noclobber(&target),
            };
            named.map_err(|error| PathError::new("create a file in", &self.folder, error.error))?;
        }
        sync_directory(&self.folder).map_err(|source| PathError::new("write to", &self.folder, source))
    }
}

/// Makes everything durable that was written to the file system of this folder.
#[cfg(target_os = "linux")]
pub(super) fn flush(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(std::fs::File::open(folder)?)?)
}

/// Elsewhere each file was made durable when it was written.
#[cfg(not(target_os = "linux"))]
pub(super) fn flush(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_appear_together_and_replace_only_what_they_may() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Together::in_folder(folder.path(), false);
        files.add("a", b"1").unwrap();
        files.add("b", b"2").unwrap();
        assert!(!folder.path().join("a").exists());
        files.commit().unwrap();
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"2");
        files.add("a", b"3").unwrap();
        assert!(files.commit().is_err());
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"1");
        let mut files = Together::in_folder(folder.path(), true);
        files.try_out().unwrap();
        files.add("a", b"4").unwrap();
        // Another run in the folder leaves them alone.
        drop(temporary::create(folder.path(), FileMode::Private).unwrap());
        files.commit().unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"4");
        files.add("c", b"5").unwrap();
        drop(files);
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "b"], "nothing is left behind");
    }
}
