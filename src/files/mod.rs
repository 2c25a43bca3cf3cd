//! Files: small ones read whole, new ones that appear whole or not at all, and the path in every error.
//!
//! Two rules hold for everything written here. A reader never sees half a file: the bytes go to a temporary
//! file in the same directory, reach the disk, and only then get their name. And the name itself reaches the
//! disk, because the directory is synchronised too.
//!
//! [`Target`] decides what may be written at all, and how; the module `temporary` says what becomes of the files of killed runs.

mod folders;
mod names;
mod target;
mod temporary;
mod together;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;
use zeroize::Zeroizing;

pub use folders::Folders;
pub use names::{MAX_NAME, NameBook, name_for};
pub use target::{Target, TargetError, Way, way};
use temporary::FileMode;
pub use temporary::Scratch;
pub use together::Together;

/// A file operation that failed, with the path as the user typed it.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct PathError {
    /// What was attempted, as a verb: `read`, `create`, `replace`.
    pub action: &'static str,
    /// The path, as it was given.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl PathError {
    /// Ties an I/O error to the operation and the path that it belongs to.
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }

    /// The kind of the underlying I/O error, such as [`io::ErrorKind::NotFound`].
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// The reason for an I/O error as messages give it: in lower case, without the system's error number.
pub fn reason(error: &io::Error) -> String {
    let is_only_a_kind = error.raw_os_error().is_none() && error.get_ref().is_none();
    let text = match error.kind() {
        io::ErrorKind::NotFound if is_only_a_kind => "no such file or directory".to_owned(),
        io::ErrorKind::StorageFull if is_only_a_kind => "no space left on device".to_owned(),
        // The crate for temporary files appends their path.
        _ => without_number(error.to_string().split(" at path \"").next().unwrap_or_default()),
    };
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if error.raw_os_error().is_some() => first.to_lowercase().chain(characters).collect(),
        _ => text,
    }
}

/// A text without ` (os error 2)` and the like, which Rust appends to the system's words.
pub fn without_number(text: &str) -> String {
    const MARK: &str = " (os error ";
    let Some((before, rest)) = text.split_once(MARK) else { return text.to_owned() };
    match rest.split_once(')') {
        Some((number, after)) if number.parse::<i32>().is_ok() => before.to_owned() + &without_number(after),
        _ => before.to_owned() + MARK + &without_number(rest),
    }
}

/// Reads a whole file of at most `max_bytes`. The buffer is wiped when it is dropped.
///
/// A byte order mark at the start, which says that the file is UTF-8, is no part of what is returned: editors put one
/// before every kind of text. Nothing that is no text begins with these bytes.
///
/// Pipes and `/dev/fd/N` work as well as files do. `max_bytes` of address space are reserved at once, so that
/// a growing buffer leaves no copy of a key behind; meant for files of up to a few megabytes.
pub fn read_limited(path: &Path, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, PathError> {
    let failed = |source| PathError::new("read", path, source);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = read_at_most(file, max_bytes).map_err(failed)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

/// U+FEFF in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Creates `path` with `bytes`, readable and writable by the owner only, and never over an existing file.
///
/// A file, directory or symbolic link (dangling or not) that is already there is left alone, and the error is of
/// kind [`io::ErrorKind::AlreadyExists`]. Missing parent directories are created with mode 0700.
pub fn create_new_private(path: &Path, bytes: &[u8]) -> Result<(), PathError> {
    create_directories(directory_of(path), DirectoryMode::Private)
        .map_err(|source| PathError::new("create", path, source))?;
    Replacement::begin_private(path)?.commit_new_with(bytes)
}

/// Creates `path` with `bytes` in a directory that exists, and never over an existing file: see
/// [`create_new_private`]. Its permissions are those that the umask leaves.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), PathError> {
    Replacement::begin(path)?.commit_new_with(bytes)
}

/// Puts `bytes` in the place of `path`, whether or not a file is there.
///
/// A file that was there keeps its permissions; a new one gets those that the umask leaves. Parent directories
/// must exist. A symbolic link is replaced, not followed.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), PathError> {
    Replacement::begin(path)?.commit_with(bytes)
}

/// Refuses to read a device, which may never end; terminals and `/dev/null` are none of those.
///
/// # Errors
/// Where it is such a device.
#[cfg(unix)]
pub fn refuse_endless(file: &File) -> io::Result<()> {
    use std::io::IsTerminal;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let found = file.metadata()?;
    let is_null = || fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == found.rdev());
    match found.file_type().is_char_device() && !file.is_terminal() && !is_null() {
        true => Err(io::Error::other("it is a device with endless input; expected a file or a pipe")),
        false => Ok(()),
    }
}

/// Where devices have no paths there is nothing to refuse.
#[cfg(not(unix))]
pub fn refuse_endless(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Can anyone but the owner read this file? Always `false` where there are no Unix permissions.
pub fn is_readable_by_others(path: &Path) -> Result<bool, PathError> {
    let metadata = fs::metadata(path).map_err(|source| PathError::new("read", path, source))?;
    Ok(mode_allows_others(&metadata))
}

/// A temporary file in this folder, for its owner alone, which later runs remove if this one is killed. Whoever gives
/// it a name must unlock it then, if it stays open.
pub(crate) fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    temporary::create(folder, FileMode::Private)
}

/// As [`temporary_in`], by a run that has made one in this folder before and need not look for others again.
pub(crate) fn another_temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    temporary::create_another(folder, FileMode::Private)
}

/// What is attempted first where a file is written: it fails where there is no such folder.
pub const NEW_FILE: &str = "create a file beside";

/// A file that is being written next to the one it will replace.
///
/// Dropping it without a commit removes it.
#[derive(Debug)]
pub struct Replacement {
    file: NamedTempFile,
    target: PathBuf,
}

impl Replacement {
    /// Starts to write what will become `target`.
    pub fn begin(target: &Path) -> Result<Self, PathError> {
        let file = temporary_beside(target).map_err(|source| PathError::new(NEW_FILE, target, source))?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// As [`Replacement::begin`], with mode 0600 from the first moment.
    pub(crate) fn begin_private(target: &Path) -> Result<Self, PathError> {
        let file = temporary::create(directory_of(target), FileMode::Private)
            .map_err(|source| PathError::new("create", target, source))?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// Makes the file durable and gives it its name, replacing what has that name.
    pub fn commit(self) -> Result<(), PathError> {
        let Self { file, target } = self;
        let failed = |source| PathError::new("replace", &target, source);
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&target).map_err(|error| failed(error.error))?;
        sync_directory(directory_of(&target)).map_err(failed)
    }

    /// Writes these bytes and commits.
    pub fn commit_with(self, bytes: &[u8]) -> Result<(), PathError> {
        self.with(bytes)?.commit()
    }

    /// Writes these bytes and commits, or fails where the name is taken.
    fn commit_new_with(self, bytes: &[u8]) -> Result<(), PathError> {
        self.with(bytes)?.commit_new()
    }

    fn with(mut self, bytes: &[u8]) -> Result<Self, PathError> {
        self.write_all(bytes).map_err(|source| PathError::new("write", &self.target, source))?;
        Ok(self)
    }

    /// Makes the file durable and gives it its name, or fails where that name is taken.
    pub fn commit_new(self) -> Result<(), PathError> {
        let Self { file, target } = self;
        let failed = |source| PathError::new("create", &target, source);
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(&target).map_err(|error| failed(error.error))?;
        sync_directory(directory_of(&target)).map_err(failed)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Who may enter a directory that is created on the way to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryMode {
    /// The owner alone (0700): for keys and ledgers.
    Private,
    /// Whoever the umask allows: for a site to be published.
    Shared,
}

/// Creates a directory and those above it, where they are missing, and makes their names durable.
///
/// Directories that exist keep their permissions.
pub fn create_directories(path: &Path, mode: DirectoryMode) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|ancestor| is_missing(ancestor)).collect();
    for directory in missing.iter().rev() {
        match builder(mode).create(directory) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
            other => other?,
        }
        sync_directory(directory_of(directory))?;
    }
    Ok(())
}

/// Opens a directory to write into it, and waits for other processes that have it open for that. It is free again when
/// the file is dropped.
pub(crate) fn hold_directory(path: &Path) -> io::Result<Option<File>> {
    // Elsewhere directories cannot be opened as files.
    let held = if cfg!(unix) { Some(File::open(path)?) } else { None };
    held.as_ref().map_or(Ok(()), File::lock)?;
    Ok(held)
}

fn is_missing(path: &Path) -> bool {
    !path.as_os_str().is_empty() && !path.exists()
}

/// Small reads at the end of a file must not make the buffer grow: `Read::read_to_end` probes with 32 bytes.
const PROBE: usize = 64;

fn read_at_most(file: File, max_bytes: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(max_bytes.saturating_add(PROBE)));
    file.take((max_bytes as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {max_bytes} bytes"),
        ));
    }
    Ok(bytes)
}

/// The directory that holds `path`: `.` for a bare file name.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A temporary file that will become `target`, with the permissions of the file that is there.
fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let existing = fs::symlink_metadata(target).ok().filter(fs::Metadata::is_file);
    let file = temporary::create(directory_of(target), FileMode::Shared)?;
    #[cfg(unix)]
    if let Some(metadata) = existing {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    #[cfg(not(unix))]
    let _ = existing;
    Ok(file)
}

#[cfg(unix)]
fn builder(mode: DirectoryMode) -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = fs::DirBuilder::new();
    if mode == DirectoryMode::Private {
        builder.mode(0o700);
    }
    builder
}

#[cfg(not(unix))]
fn builder(_mode: DirectoryMode) -> fs::DirBuilder {
    fs::DirBuilder::new()
}

#[cfg(unix)]
fn mode_allows_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    // A pipe, as in `--key <(vault read …)`, has no readers but the two processes at its ends.
    metadata.is_file() && metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn mode_allows_others(_metadata: &fs::Metadata) -> bool {
    false
}

/// A new name is durable only once its directory is (see `fsync(2)`).
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some network file systems have no such call; the name is as durable as they make it.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_for_an_error_is_plain() {
        let missing = File::open("no/such/file").unwrap_err();
        assert!(missing.to_string().contains("os error"), "{missing}");
        #[cfg(unix)]
        assert_eq!(reason(&missing), "no such file or directory");
        assert_eq!(reason(&io::ErrorKind::NotFound.into()), "no such file or directory");
        let wrapped = io::Error::other(format!("its folder: {missing}"));
        assert!(!reason(&wrapped).contains("os error"), "{wrapped}");
        assert_eq!(without_number("a (os error 2) at b (os error x)"), "a at b (os error x)");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (stored, read) in [
            (&b"\xEF\xBB\xBFtext"[..], &b"text"[..]),
            (b"\xEF\xBB\xBF\xEF\xBB\xBFx", b"\xEF\xBB\xBFx"),
            (b"\xEF\xBB", b"\xEF\xBB"),
            (b"x\xEF\xBB\xBF", b"x\xEF\xBB\xBF"),
            (b"\xEF\xBB\xBF", b""),
        ] {
            fs::write(&path, stored).unwrap();
            assert_eq!(read_limited(&path, 100).unwrap().as_slice(), read);
        }
    }

    #[test]
    fn a_new_private_file_never_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "first").unwrap();

        let error = create_new_private(&path, b"second").unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(error.path, path);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names_in(dir.path()), ["key.pem"], "no temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_private_file_does_not_follow_a_dangling_link() {
        let dir = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (dir.path().join("key.pem"), dir.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();

        let error = create_new_private(&link, b"secret").unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(!elsewhere.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_private_file_and_its_directories_are_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/.beltic/issuer.pem");

        create_new_private(&path, b"secret").unwrap();

        assert_eq!(mode_of(&path), 0o600);
        assert_eq!(mode_of(&dir.path().join("a")), 0o700);
        assert_eq!(mode_of(&dir.path().join("a/.beltic")), 0o700);
        assert!(!is_readable_by_others(&path).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn group_or_world_read_bits_count_as_readable_by_others() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "k").unwrap();

        for (mode, expected) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o622, false)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_readable_by_others(&path).unwrap(), expected, "mode {mode:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        replace(&path, b"new").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode_of(&path), 0o640);
        assert_eq!(names_in(dir.path()), ["out.json"]);
    }

    #[test]
    fn an_abandoned_replacement_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.json");
        fs::write(&path, "old").unwrap();

        let mut file = Replacement::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);

        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(dir.path()), ["out.json"]);
    }

    #[test]
    fn the_limit_is_the_last_size_that_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("small");
        fs::write(&path, [7; 100]).unwrap();

        assert_eq!(read_limited(&path, 100).unwrap().len(), 100);
        assert_eq!(read_limited(&path, 99).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn an_error_names_the_path_as_typed() {
        let error = read_limited(Path::new("no/such/file"), 10).unwrap_err();
        assert_eq!(error.to_string(), "cannot read no/such/file");
    }

    fn names_in(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[cfg(unix)]
    fn mode_of(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
