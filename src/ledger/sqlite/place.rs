//! Where a ledger is: its file behind all links, the files beside it, and who each of them is.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::ledger::identity::FileId;

/// How many links are followed on the way to a ledger.
const MAX_LINKS: usize = 40;

/// The file of a ledger and those that belong to it.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    /// The path that was given, for messages.
    pub(super) given: PathBuf,
    /// The file itself. The names of all others are made from it, so that a ledger has one log,
    /// one mark and one lock, whichever link it is opened by.
    pub(super) file: PathBuf,
}

impl Paths {
    /// Follows all links. The file need not be there, nor its folder.
    pub(super) fn of(given: &Path) -> io::Result<Paths> {
        let mut file = given.to_owned();
        for _ in 0..MAX_LINKS {
            match fs::symlink_metadata(&file) {
                Ok(found) if found.file_type().is_symlink() => {
                    let target = fs::read_link(&file)?;
                    file = folder_of(&file).join(target);
                }
                Ok(_) => return Ok(Paths { given: given.to_owned(), file: file.canonicalize()? }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let folder = folder_of(&file);
                    let file = match (folder.canonicalize(), file.file_name()) {
                        (Ok(folder), Some(name)) => folder.join(name),
                        _ => file,
                    };
                    return Ok(Paths { given: given.to_owned(), file });
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many links lead to each other"))
    }

    /// Every file that is or can be part of the ledger.
    pub(super) fn files(&self) -> [PathBuf; 6] {
        [self.file.clone(), self.log(), self.log_index(), self.journal(), self.mark(), self.lock()]
    }

    /// A file beside the ledger.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.file.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    /// The write-ahead log.
    pub(super) fn log(&self) -> PathBuf {
        self.beside("-wal")
    }

    /// The index of the log, which processes share.
    pub(super) fn log_index(&self) -> PathBuf {
        self.beside("-shm")
    }

    /// The rollback journal, which a ledger never has.
    pub(super) fn journal(&self) -> PathBuf {
        self.beside("-journal")
    }

    /// The mark.
    pub(super) fn mark(&self) -> PathBuf {
        self.beside(".mark")
    }

    /// The lock of those who open the ledger.
    pub(super) fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    /// The folder of the ledger.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.file)
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Gives a file another name beside its own, one that is free.
pub(super) fn set_aside(file: &Path) -> io::Result<PathBuf> {
    for number in 1..10_000u32 {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".aside-{number}"));
        let name = PathBuf::from(name);
        if fs::symlink_metadata(&name).is_err() {
            fs::rename(file, &name)?;
            return Ok(name);
        }
    }
    Err(io::Error::other("too many files were set aside before"))
}

impl FileId {
    pub(super) fn of(file: &Metadata) -> FileId {
        let born = file.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        FileId { inode: inode(file) as i64, born: born.map_or(0, |time| time.as_nanos() as i64) }
    }

    /// Whether this may be the file of that id: a time that is unknown says nothing.
    pub(super) fn may_be(self, other: FileId) -> bool {
        self.inode == other.inode && (self.born == other.born || self.born == 0 || other.born == 0)
    }
}

#[cfg(unix)]
fn inode(file: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(file)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    1
}

/// A file while a process has it open: device and inode, which nothing else has meanwhile.
#[cfg(unix)]
pub(super) fn while_open(file: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
pub(super) fn while_open(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// How many names a file has.
#[cfg(unix)]
pub(super) fn links(file: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(file)
}

#[cfg(not(unix))]
pub(super) fn links(_: &Metadata) -> u64 {
    1
}

/// Opens a file that the ledger keeps beside it, and never what a link leads to.
pub(super) fn open_no_link(path: &Path, write: bool, create: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(write).create(create);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    let file = options.open(path)?;
    let found = file.metadata()?;
    match found.is_file() && links(&found) == 1 {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file with one name")),
    }
}

/// Reads at a place of a file, without moving anything.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
pub(super) fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

/// Writes at the start of a file.
#[cfg(unix)]
pub(super) fn write_at_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
pub(super) fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)
}
