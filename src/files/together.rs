//! Files of one folder that become durable together.
//!
//! Making each file durable by itself costs two waits for the disk, some milliseconds each. Here many are written under
//! other names first, then one flush of the file system makes all of them durable, and only then they get their own
//! names. So each appears whole or not at all, and what was not committed leaves nothing behind.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::temporary::{self, FileMode};
use super::{PathError, sync_directory};

/// Files that wait for their names.
#[derive(Debug)]
pub struct Together {
    folder: PathBuf,
    /// Closed, so that there may be more of them than descriptors.
    waiting: Vec<(TempPath, PathBuf)>,
}

impl Together {
    /// None yet, in this folder.
    pub fn in_folder(folder: &Path) -> Together {
        Together { folder: folder.to_owned(), waiting: Vec::new() }
    }

    /// Writes a file for its owner alone, without its name yet.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        let target = self.folder.join(name);
        let failed = |source| PathError::new("write", &target, source);
        let mut file = temporary::create(&self.folder, FileMode::Private).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        if !cfg!(target_os = "linux") {
            file.as_file().sync_all().map_err(failed)?;
        }
        self.waiting.push((file.into_temp_path(), target));
        Ok(())
    }

    /// Makes them durable and gives them their names. `replace` says whether files of the same names give way.
    ///
    /// # Errors
    /// Where that fails, or a name is taken. Those that have their names already keep them.
    pub fn commit(&mut self, replace: bool) -> Result<(), PathError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        flush(&self.folder).map_err(|source| PathError::new("write to", &self.folder, source))?;
        for (file, target) in self.waiting.drain(..) {
            let named = match replace {
                true => file.persist(&target),
                false => file.persist_noclobber(&target),
            };
            named.map_err(|error| PathError::new("create", &target, error.error))?;
        }
        sync_directory(&self.folder).map_err(|source| PathError::new("write to", &self.folder, source))
    }
}

/// Makes everything durable that was written to the file system of this folder.
#[cfg(target_os = "linux")]
fn flush(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(std::fs::File::open(folder)?)?)
}

/// Elsewhere each file was made durable when it was written.
#[cfg(not(target_os = "linux"))]
fn flush(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_appear_together_and_replace_only_what_they_may() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Together::in_folder(folder.path());
        files.add("a", b"1").unwrap();
        files.add("b", b"2").unwrap();
        assert!(!folder.path().join("a").exists());
        files.commit(false).unwrap();
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"2");
        files.add("a", b"3").unwrap();
        assert!(files.commit(false).is_err());
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"1");
        files.add("a", b"4").unwrap();
        files.commit(true).unwrap();
        files.add("c", b"5").unwrap();
        drop(files);
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "b"], "nothing is left behind");
    }
}
