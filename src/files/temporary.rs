//! Temporary files, and what killed runs leave of them.
//!
//! A temporary file is called `.beltic-XXXXXX.tmp` and lies in the folder of the file that it will become. It is in
//! one of these states:
//!
//! - *in use*: its maker is alive and holds an exclusive lock on it (`flock`);
//! - *named*: it was renamed to its target, or removed, and there is no temporary file any more;
//! - *abandoned*: its maker was killed. The system has released the lock, and the name is still there.
//!
//! The next run of the same user that makes a temporary file in that folder removes the abandoned ones: regular files
//! of that name whose lock it can take. Nothing is removed without its lock, so a file in use is safe, however old it
//! is. Between the creation of a file and its lock another run may take the lock and remove the file; its maker
//! notices that and makes another. Where a file system knows no locks, nothing is removed.
//!
//! A [`Scratch`] file belongs to a program that locks its files itself (SQLite). It is never locked by us, because on
//! some systems both kinds of locks meet: a locked, empty temporary file beside it stands for it. Files whose name
//! begins with that of a temporary file and a `-` are removed together with it.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::{Way, directory_of, sync_directory};

pub(super) const PREFIX: &str = ".beltic-";
pub(super) const SUFFIX: &str = ".tmp";

/// How often a file is made anew because another run took it for an abandoned one. Once is already rare.
const ATTEMPTS: usize = 16;

/// Who may use a file that is created. The umask applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileMode {
    /// The owner alone (0600).
    Private,
    /// Whoever the umask allows (0666).
    Shared,
}

/// Creates a temporary file in a folder, locked, and removes those that killed runs left there.
pub(super) fn create(folder: &Path, mode: FileMode) -> io::Result<NamedTempFile> {
    remove_abandoned(folder);
    create_another(folder, mode)
}

/// As [`create`], by a run that has looked for abandoned files in that folder already.
pub(super) fn create_another(folder: &Path, mode: FileMode) -> io::Result<NamedTempFile> {
    for _ in 1..ATTEMPTS {
        let file = builder(mode).tempfile_in(folder)?;
        if take(&file)? {
            return Ok(file);
        }
    }
    Err(io::Error::other("another process is removing the temporary files in this folder"))
}

/// A file beside its target that another library writes and locks, such as a database.
///
/// Dropping it without a commit removes it, and what that library has made beside it.
#[derive(Debug)]
pub struct Scratch {
    marker: NamedTempFile,
    path: PathBuf,
}

impl Scratch {
    /// An empty file in this folder, for its owner alone.
    ///
    /// # Errors
    /// Where it cannot be created.
    pub fn in_folder(folder: &Path) -> io::Result<Scratch> {
        let marker = create(folder, FileMode::Private)?;
        let mut name = marker.path().as_os_str().to_owned();
        name.push("-new");
        let path = PathBuf::from(name);
        create_private(&path)?;
        Ok(Scratch { marker, path })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file durable and gives it its name, or writes its bytes through to the target.
    ///
    /// # Errors
    /// Where that fails; of kind [`io::ErrorKind::AlreadyExists`] where a name that should be new is taken.
    pub fn commit(self, target: &Path, way: Way) -> io::Result<()> {
        let mut written = fs::File::open(&self.path)?;
        let file = TempPath::try_from_path(&self.path)?;
        match way {
            Way::WriteThrough => {
                io::copy(&mut written, &mut OpenOptions::new().write(true).open(target)?)?;
                return Ok(());
            }
            Way::Create => {
                written.sync_all()?;
                file.persist_noclobber(target).map_err(|error| error.error)?;
            }
            Way::Replace => {
                written.sync_all()?;
                file.persist(target).map_err(|error| error.error)?;
            }
        }
        sync_directory(directory_of(target))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove_companions(self.marker.path());
    }
}

fn builder(mode: FileMode) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // `tempfile` creates files with mode 0600 unless told otherwise.
    #[cfg(unix)]
    if mode == FileMode::Shared {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// Creates a file for its owner alone, where there is none.
pub(super) fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

pub(super) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.len() > PREFIX.len() + SUFFIX.len()
        && name.starts_with(PREFIX.as_bytes())
        && name.ends_with(SUFFIX.as_bytes())
}

/// Removes what a temporary file has beside it. What cannot be removed is in nobody's way.
fn remove_companions(marker: &Path) {
    let (Some(name), Ok(entries)) = (marker.file_name(), fs::read_dir(directory_of(marker))) else { return };
    let mut prefix = name.to_owned();
    prefix.push("-");
    for entry in entries.flatten() {
        let belongs = entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
        if belongs && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Locks a new file. False where another run was faster and took it for an abandoned one.
#[cfg(unix)]
fn take(file: &NamedTempFile) -> io::Result<bool> {
    use std::fs::TryLockError;
    use std::os::unix::fs::MetadataExt;

    match file.as_file().try_lock() {
        Ok(()) => Ok(file.as_file().metadata()?.nlink() > 0),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: then nobody can remove it either.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

/// Removes what killed runs left in a folder; once in the life of a process, since it reads the folder.
#[cfg(unix)]
fn remove_abandoned(folder: &Path) {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        remove_abandoned_now(folder);
    }
}

#[cfg(unix)]
fn remove_abandoned_now(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name())) {
        // One that cannot be removed does not keep the run from writing its own.
        let _ = remove_if_abandoned(&entry.path());
    }
}

#[cfg(unix)]
fn remove_if_abandoned(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use rustix::fs::OFlags;

    // A link may lead anywhere, and opening a named pipe may wait.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let found = file.metadata()?;
    let is_ours = found.is_file() && found.uid() == rustix::process::geteuid().as_raw();
    if !is_ours || file.try_lock().is_err() {
        return Ok(());
    }
    // It may have got its name, and its lock been released, since the folder was read.
    let named = fs::symlink_metadata(path)?;
    if (named.dev(), named.ino()) == (found.dev(), found.ino()) {
        remove_companions(path);
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn take(_file: &NamedTempFile) -> io::Result<bool> {
    Ok(true)
}

/// Locks are mandatory on Windows, and would keep the file from being written through another handle.
#[cfg(not(unix))]
fn remove_abandoned(_folder: &Path) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn abandoned_files_go_and_all_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [".beltic-abc.tmp", ".beltic-abc.tmp-new", ".beltic-abc.tmp-new-journal"] {
            fs::write(at(name), "half").unwrap();
        }
        let others = [".beltic-.tmp", ".beltic-x.db", ".beltic.yaml", "a.beltic-x.tmp", ".beltic-y.tmp.old"];
        others.iter().for_each(|name| fs::write(at(name), "mine").unwrap());
        fs::create_dir(at(".beltic-folder.tmp")).unwrap();
        std::os::unix::fs::symlink(at(".beltic.yaml"), at(".beltic-link.tmp")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at(".beltic-pipe.tmp"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let in_use = fs::File::create(at(".beltic-in-use.tmp")).unwrap();
        in_use.lock().unwrap();

        remove_abandoned_now(dir.path());

        let mut expected: Vec<String> = others.iter().map(ToString::to_string).collect();
        let kept = [".beltic-folder.tmp", ".beltic-link.tmp", ".beltic-pipe.tmp", ".beltic-in-use.tmp"];
        expected.extend(kept.iter().map(ToString::to_string));
        expected.sort();
        assert_eq!(names_in(dir.path()), expected);
    }

    /// What a run holds is not taken from it, by itself or by others, until it lets go.
    #[test]
    fn a_file_in_use_is_kept_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let file = create(dir.path(), FileMode::Shared).unwrap();
        let scratch = Scratch::in_folder(dir.path()).unwrap();
        fs::write(scratch.path().with_extension("tmp-new-journal"), "j").unwrap();
        remove_abandoned_now(dir.path());
        assert_eq!(names_in(dir.path()).len(), 4);
        drop((file, scratch));
        assert_eq!(names_in(dir.path()), [""; 0]);
    }

    #[test]
    fn a_scratch_file_gets_its_name_unless_that_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ledger.db");
        for (text, way, expected) in [
            ("first", Way::Create, Ok(())),
            ("second", Way::Create, Err(io::ErrorKind::AlreadyExists)),
            ("third", Way::Replace, Ok(())),
        ] {
            let scratch = Scratch::in_folder(dir.path()).unwrap();
            fs::write(scratch.path(), text).unwrap();
            assert_eq!(scratch.commit(&target, way).map_err(|error| error.kind()), expected);
        }
        assert_eq!(fs::read(&target).unwrap(), b"third");
        assert_eq!(names_in(dir.path()), ["ledger.db"]);
    }

    /// Many at once in one folder: none loses its file to another's search.
    #[test]
    fn searches_and_new_files_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let file = create(dir.path(), FileMode::Shared).unwrap();
                        remove_abandoned_now(dir.path());
                        assert!(file.path().exists());
                    }
                });
            }
        });
        assert_eq!(names_in(dir.path()), [""; 0]);
    }
}
