//! How an output file is written: the one decision for every flag that names one.
//!
//! | the target | without `force` | with `force` |
//! | --- | --- | --- |
//! | is not there | created | created |
//! | a regular file, or a link to one, or to nothing | refused | replaced: a link itself, never what it leads to |
//! | is or leads to a device, a named pipe, or anything in `/dev` or `/proc` | written through | written through |
//! | is or leads to a directory | refused | refused |
//!
//! What is created or replaced appears whole or not at all: see [`Replacement`]. What is written through cannot be
//! taken back; it is opened when the target is begun, so that a fault is found before there is anything to write.
//!
//! `/dev/shm` is an ordinary folder in memory, and is treated as one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use thiserror::Error;

use super::{PathError, Replacement, directory_of};

/// Why a target is not written.
#[derive(Debug, Error)]
pub enum TargetError {
    /// A file that would have to be replaced.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// A directory, where a file was expected.
    #[error("{} is a directory; expected the name of a file", .0.display())]
    Directory(PathBuf),
    /// The target cannot be looked at or opened.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// What is done with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A new file gets the name, if it is still free at the end.
    Create,
    /// A new file takes the place of what has the name.
    Replace,
    /// The bytes go to what is there.
    WriteThrough,
}

/// Decides what is done with a target.
///
/// # Errors
/// Where it is not to be written.
pub fn way(path: &Path, force: bool) -> Result<Way, TargetError> {
    let failed = |source| PathError::new("write", path, source);
    let special = leads_to_system_folder(path).map_err(failed)?;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(TargetError::Directory(path.to_owned())),
        Ok(found) if special || !found.is_file() => Ok(Way::WriteThrough),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error).into()),
        Err(_) if special => Ok(Way::WriteThrough),
        Err(_) if names_a_directory(path) => Err(TargetError::Directory(path.to_owned())),
        // The metadata of a link that leads nowhere are those of nothing.
        _ if path.symlink_metadata().is_err() => Ok(Way::Create),
        _ if force => Ok(Way::Replace),
        _ => Err(TargetError::Exists(path.to_owned())),
    }
}

/// How many links are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// Whether a path, or a link on the way to what it names, is in `/dev` or `/proc`.
fn leads_to_system_folder(path: &Path) -> io::Result<bool> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        if is_in_system_folder(&at) {
            return Ok(true);
        }
        match at.symlink_metadata() {
            Ok(found) if found.is_symlink() => at = directory_of(&at).join(at.read_link()?),
            _ => return Ok(false),
        }
    }
    Ok(false) // a loop of links: opening it fails, and says so
}

fn is_in_system_folder(path: &Path) -> bool {
    let folder = directory_of(path).canonicalize().unwrap_or_default();
    (folder.starts_with("/dev") && !folder.starts_with("/dev/shm")) || folder.starts_with("/proc")
}

/// A path such as `results/`, of which nothing is there.
fn names_a_directory(path: &Path) -> bool {
    let ends_with_separator = path.as_os_str().as_encoded_bytes().last().is_some_and(|last| {
        let last = char::from(*last);
        last == '/' || last == MAIN_SEPARATOR
    });
    ends_with_separator || path.file_name().is_none()
}

/// An output file that is being written.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    to: Destination,
}

#[derive(Debug)]
enum Destination {
    Whole { file: Replacement, replace: bool },
    Through(File),
}

impl Target {
    /// Decides how a target is written, and begins it. A named pipe waits for its reader here.
    ///
    /// # Errors
    /// Where it is not to be written, or cannot be begun.
    pub fn begin(path: &Path, force: bool) -> Result<Target, TargetError> {
        let to = match way(path, force)? {
            Way::WriteThrough => Destination::Through(open(path)?),
            way => Destination::Whole { file: Replacement::begin(path)?, replace: way == Way::Replace },
        };
        Ok(Target { path: path.to_owned(), to })
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file appears whole at the end, so that until then nobody has seen any of it.
    pub fn appears_whole(&self) -> bool {
        matches!(self.to, Destination::Whole { .. })
    }

    /// Whether a file of that name is to be replaced.
    pub fn replaces(&self) -> bool {
        matches!(self.to, Destination::Whole { replace: true, .. })
    }

    /// Gives a new file its name. What was written through is where it is.
    ///
    /// # Errors
    /// Where the file cannot be made durable, or cannot have its name; it is gone then.
    pub fn commit(self) -> Result<(), PathError> {
        match self.to {
            Destination::Whole { file, replace: true } => file.commit(),
            Destination::Whole { file, replace: false } => file.commit_new(),
            Destination::Through(_) => Ok(()),
        }
    }

    /// Writes these bytes and commits.
    ///
    /// # Errors
    /// Where one or the other fails.
    pub fn commit_with(mut self, bytes: &[u8]) -> Result<(), PathError> {
        self.write_all(bytes).map_err(|source| PathError::new("write", &self.path, source))?;
        self.commit()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Destination::Whole { file, .. } => file.write(bytes),
            Destination::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is buffered
    }
}

/// Opens what is written through. A regular file behind `/dev/stdout` keeps what the shell put there: `>` has emptied
/// it, `>>` has not.
fn open(path: &Path) -> Result<File, PathError> {
    let failed = |source| PathError::new("write", path, source);
    let is_file = fs::metadata(path).map_err(failed)?.is_file();
    OpenOptions::new().write(true).append(is_file).open(path).map_err(failed)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn fifo(path: &Path) {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    }

    /// The table of the module, row by row.
    #[test]
    fn each_kind_of_target_has_its_way() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "old").unwrap();
        fs::create_dir(at("folder")).unwrap();
        fifo(&at("pipe"));
        for (link, to) in [
            ("to-file", "file"),
            ("to-link", "to-file"),
            ("to-nothing", "nothing"),
            ("to-folder", "folder"),
            ("to-pipe", "pipe"),
            ("to-null", "/dev/null"),
            ("to-fd", "/dev/fd/0"),
            ("to-missing-fd", "/proc/self/fd/987654"),
        ] {
            symlink(to, at(link)).unwrap();
        }
        #[derive(Debug, PartialEq)]
        enum Said {
            Do(Way),
            Exists,
            Directory,
        }
        use Said::{Directory, Do, Exists};
        let told = |path: &Path, force| match way(path, force) {
            Ok(way) => Do(way),
            Err(TargetError::Exists(_)) => Exists,
            Err(TargetError::Directory(_)) => Directory,
            Err(TargetError::Path(error)) => panic!("{error}"),
        };
        for (name, plain, forced) in [
            ("new", Do(Way::Create), Do(Way::Create)),
            ("file", Exists, Do(Way::Replace)),
            ("to-file", Exists, Do(Way::Replace)),
            ("to-link", Exists, Do(Way::Replace)),
            ("to-nothing", Exists, Do(Way::Replace)),
            ("folder", Directory, Directory),
            ("to-folder", Directory, Directory),
            ("new/", Directory, Directory),
            ("pipe", Do(Way::WriteThrough), Do(Way::WriteThrough)),
            ("to-pipe", Do(Way::WriteThrough), Do(Way::WriteThrough)),
            ("to-null", Do(Way::WriteThrough), Do(Way::WriteThrough)),
            ("to-fd", Do(Way::WriteThrough), Do(Way::WriteThrough)),
            ("to-missing-fd", Do(Way::WriteThrough), Do(Way::WriteThrough)),
        ] {
            assert_eq!(told(&at(name), false), plain, "{name}");
            assert_eq!(told(&at(name), true), forced, "{name} by force");
        }
        for path in ["/dev/null", "/dev/no-such-device", "/dev/../dev/null", "/proc/self/fd/0"] {
            assert_eq!(told(Path::new(path), true), Do(Way::WriteThrough), "{path}");
        }
        for path in ["/dev", "/proc/self", ".", "..", "/"] {
            assert_eq!(told(Path::new(path), true), Directory, "{path}");
        }
        assert!(matches!(way(&at("file/below"), true), Err(TargetError::Path(_))));
    }

    /// The victim of a stranger's link keeps its text.
    #[test]
    fn a_link_is_replaced_and_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, link) = (dir.path().join("victim"), dir.path().join("out"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &link).unwrap();

        Target::begin(&link, true).unwrap().commit_with(b"results").unwrap();

        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(link.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(&link).unwrap(), b"results");
    }

    #[test]
    fn a_pipe_stays_and_its_reader_gets_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        fifo(&path);
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| fs::read(&path).unwrap());
            let target = Target::begin(&path, true).unwrap();
            assert!(!target.appears_whole());
            target.commit_with(b"results").unwrap();
            reader.join().unwrap()
        });
        assert_eq!(read, b"results");
        assert!(!path.symlink_metadata().unwrap().is_file());
    }

    /// What another process makes while the file is written is not overwritten.
    #[test]
    fn a_name_that_is_taken_meanwhile_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let target = Target::begin(&path, false).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert_eq!(target.commit_with(b"ours").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }
}
