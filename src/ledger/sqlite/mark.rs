//! The mark: how far a ledger had come, kept in a file beside it (`ledger.db.mark`).
//!
//! It holds the ledger's random id and two states: the one that was *reached*, and the one that
//! is being *written*. A state is the number and the hash of the last event, and how often the
//! lists were closed. A transaction goes
//!
//! 1. mark: reached A, writing B (under the ledger's write lock, so marks never overtake each other);
//! 2. commit;
//! 3. mark: reached B;
//! 4. results leave.
//!
//! A ledger that was left alone therefore holds B, or A where the mark still says "writing B":
//! then nothing of B ever left. One that holds more than the mark says lost the mark's last
//! lines in a power cut; what the mark says must be among its events. Anything else went back in
//! time, or went another way in a copy.
//!
//! The mark also says which file it is itself: inode and time of creation. Each process that opens
//! the ledger replaces it by a new file, which shows that it can be replaced; and so does step 3 of
//! each commit, before results leave. So once something left that a copy of ledger, log and mark
//! does not know, the mark is another file than the copy's, and stays another one where the copy is
//! written over the files in place. Only a mark that is put back together with its very inode, as a
//! rolled back file system does, is not found out.
//!
//! It is never written through a link: it is made under a fresh name and renamed. What is read is
//! bounded and checked; a mark that cannot be is no mark. A power cut may leave an older mark, or on
//! some file systems an empty one, which is none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::place::{folder_of, links, open_no_link, while_open, write_at_start};
use crate::files;
use crate::ledger::checksum::Checksum;
use crate::ledger::identity::FileId;
use crate::ledger::state::State;

/// Longer than any mark, in bytes.
const MAX_BYTES: u64 = 512;
/// How often a mark is looked for that others replace meanwhile.
const LOOKS: usize = 100;
/// The first words of a mark.
const TITLE: &str = "beltic ledger mark 2";

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The random id of its ledger.
    pub ledger: [u8; 16],
    /// A state that was committed.
    pub reached: State,
    /// The state that was about to be committed; the same where that has happened.
    pub writing: State,
}

/// What lies where the mark should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkFound {
    /// Nothing, or no file of this ledger's kind.
    Nothing,
    /// A mark that was copied or restored: it says that it is another file.
    Elsewhere(Mark),
    /// The mark.
    Here(Mark),
}

impl State {
    fn write(&self, text: &mut String) {
        text.push_str(&format!(" {:>19} {} {:>10}", self.event, hex(&self.hash), self.closings));
    }

    fn read<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<State> {
        Some(State {
            event: words.next()?.parse().ok().filter(|event| *event >= 0)?,
            hash: unhex(words.next()?)?,
            closings: words.next()?.parse().ok().filter(|closings| *closings >= 0)?,
        })
    }
}

impl Mark {
    /// A mark of this state, with nothing under way.
    pub fn at(ledger: [u8; 16], state: State) -> Mark {
        Mark { ledger, reached: state, writing: state }
    }

    /// Whether something after that state was begun.
    fn is_beyond(&self, state: &State) -> bool {
        let reach = |state: &State| (state.closings, state.event);
        reach(&self.writing) > reach(state)
    }

    /// Reads a mark's text.
    pub fn parse(text: &[u8]) -> Option<Mark> {
        Mark::parse_with_file(text).map(|(mark, _)| mark)
    }

    fn parse_with_file(text: &[u8]) -> Option<(Mark, FileId)> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
        let (said, sum) = text.rsplit_once(' ')?;
        if sum.parse::<i64>().ok()? != Checksum::of("mark").text(said).sum() {
            return None;
        }
        let mut words = said.strip_prefix(TITLE)?.split_ascii_whitespace();
        let ledger = unhex(words.next()?)?;
        let (reached, writing) = (State::read(&mut words)?, State::read(&mut words)?);
        let file = FileId { inode: words.next()?.parse().ok()?, born: words.next()?.parse().ok()? };
        words.next().is_none().then_some((Mark { ledger, reached, writing }, file))
    }

    /// The text of the mark in that file. All texts have the same length, so that one is written
    /// over the other in a single write.
    fn text(&self, file: FileId) -> String {
        let mut text = format!("{TITLE} {}", hex(&self.ledger));
        self.reached.write(&mut text);
        self.writing.write(&mut text);
        text.push_str(&format!(" {:>20} {:>20}", file.inode, file.born));
        let sum = Checksum::of("mark").text(&text).sum();
        format!("{text} {sum:0>10}\n")
    }
}

/// Reads what lies where the mark should be. A link is no mark.
pub(super) fn read(path: &Path) -> MarkFound {
    for _ in 0..LOOKS {
        let opened = open_no_link(path, false, false).and_then(|file| Ok((file.metadata()?, file)));
        // Whoever commits replaces the mark: one that is not there any more says nothing.
        match opened {
            Ok((found, file)) => {
                let mark = read_from(&file);
                if is_at(path, while_open(&found)) {
                    return mark;
                }
            }
            Err(_) if is_one_file(path) => {}
            Err(_) => return MarkFound::Nothing,
        }
    }
    MarkFound::Nothing
}

/// Whether the file of this device and inode lies there.
fn is_at(path: &Path, file: (u64, u64)) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| while_open(&found) == file)
}

/// Whether a file with one name lies there, which can be opened unless it is replaced meanwhile.
fn is_one_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && links(&found) == 1)
}

fn read_from(file: &File) -> MarkFound {
    let mut text = Vec::new();
    // Not while it is being written; where files have no locks, that is not known.
    let _ = file.lock_shared();
    let read = file.metadata().and_then(|found| {
        file.take(MAX_BYTES).read_to_end(&mut text)?;
        Ok(FileId::of(&found))
    });
    let _ = file.unlock();
    match (read, Mark::parse_with_file(&text)) {
        (Ok(id), Some((mark, said))) if said.may_be(id) => MarkFound::Here(mark),
        (Ok(_), Some((mark, _))) => MarkFound::Elsewhere(mark),
        _ => MarkFound::Nothing,
    }
}

/// The mark's file, open for writing.
#[derive(Debug)]
pub(super) struct MarkFile {
    path: PathBuf,
    file: File,
    id: FileId,
    /// Device and inode, while it is open.
    at: (u64, u64),
}

impl MarkFile {
    /// Puts a new file with this mark in the place of what is there. `durable`: on the disk when
    /// this returns.
    pub(super) fn begin(path: &Path, mark: &Mark, durable: bool) -> io::Result<MarkFile> {
        MarkFile::put(files::temporary_in(folder_of(path))?, path, mark, durable)
    }

    /// Gives a file this mark and the mark's name.
    fn put(fresh: NamedTempFile, path: &Path, mark: &Mark, durable: bool) -> io::Result<MarkFile> {
        let found = fresh.as_file().metadata()?;
        let (id, at) = (FileId::of(&found), while_open(&found));
        write_at_start(fresh.as_file(), mark.text(id).as_bytes())?;
        if durable {
            fresh.as_file().sync_all()?;
        }
        let file = fresh.persist(path).map_err(|error| error.error)?;
        file.unlock()?;
        if durable {
            files::sync_directory(folder_of(path))?;
        }
        Ok(MarkFile { path: path.to_owned(), file, id, at })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the mark; called under the ledger's write lock.
    pub(super) fn write(&mut self, mark: &Mark) -> io::Result<()> {
        if !self.lock_in_place()? {
            *self = MarkFile::begin(&self.path, mark, false)?;
            return Ok(());
        }
        let written = write_at_start(&self.file, mark.text(self.id).as_bytes());
        self.file.unlock()?;
        written
    }

    /// Says in a new file that what was being written was reached, unless others are further by
    /// now: then they know.
    pub(super) fn settle(&mut self, mark: &Mark) -> io::Result<()> {
        let reached = Mark::at(mark.ledger, mark.writing);
        if !self.lock_in_place()? {
            *self = MarkFile::begin(&self.path, &reached, false)?;
            return Ok(());
        }
        let mut text = vec![0; MAX_BYTES as usize];
        let length = read_up_to(&self.file, &mut text)?;
        let found = Mark::parse(&text[..length]);
        match found.is_some_and(|found| found.ledger == mark.ledger && found.is_beyond(&mark.writing)) {
            true => self.file.unlock(),
            false => {
                // The lock is held until the new file is in place, and goes with the old one.
                let fresh = files::another_temporary_in(folder_of(&self.path))?;
                *self = MarkFile::put(fresh, &self.path, &reached, false)?;
                Ok(())
            }
        }
    }

    /// Locks the mark that lies in the mark's place, this process's own or another's; `false`
    /// where there is none that can be used.
    fn lock_in_place(&mut self) -> io::Result<bool> {
        for _ in 0..LOOKS {
            if !self.is_in_place() && !self.adopt() {
                if is_one_file(&self.path) {
                    continue;
                }
                return Ok(false);
            }
            self.file.lock()?;
            // Whoever had the lock may have put another file there.
            if self.is_in_place() {
                return Ok(true);
            }
            self.file.unlock()?;
        }
        Ok(false)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn is_in_place(&self) -> bool {
        is_at(&self.path, self.at)
    }

    /// Goes on with the file that another process has put in the mark's place.
    fn adopt(&mut self) -> bool {
        let Ok(file) = open_no_link(&self.path, true, false) else { return false };
        let (MarkFound::Here(_), Ok(found)) = (read_from(&file), file.metadata()) else { return false };
        (self.id, self.at, self.file) = (FileId::of(&found), while_open(&found), file);
        true
    }
}

#[cfg(unix)]
fn read_up_to(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_up_to(mut file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.read(bytes)
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(event: i64) -> Mark {
        let state = |event| State { event, hash: [event as u8; 16], closings: event / 2 };
        Mark { ledger: [7; 16], reached: state(event), writing: state(event + 1) }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let id = FileId { inode: 12, born: 1_795_406_400_000_000_000 };
        let text = mark(5).text(id).into_bytes();
        for event in [0, 999, i64::from(u32::MAX)] {
            assert_eq!(text.len(), mark(event).text(FileId::default()).len(), "written over each other");
        }
        for event in 0..500 {
            assert_eq!(Mark::parse(mark(event).text(id).as_bytes()), Some(mark(event)));
        }
        assert!((text.len() as u64) < MAX_BYTES);
        assert_eq!(Mark::parse(&text), Some(mark(5)));
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Mark::parse(&flipped), Some(mark(5)), "bit {bit}");
            assert!(Mark::parse(&flipped).is_none(), "bit {bit}");
        }
        for length in 0..text.len() {
            assert_eq!(Mark::parse(&text[..length]), None);
        }
    }

    #[test]
    fn a_mark_that_is_another_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("mark"), folder.path().join("copy"));
        drop(MarkFile::begin(&path, &mark(1), true).unwrap());
        assert_eq!(read(&path), MarkFound::Here(mark(1)));
        fs::copy(&path, &copy).unwrap();
        assert_eq!(read(&copy), MarkFound::Elsewhere(mark(1)));
        // Restored in place, after another process has opened the ledger.
        let mut file = MarkFile::begin(&path, &mark(2), false).unwrap();
        let (old, new) = (fs::read(&copy).unwrap(), fs::read(&path).unwrap());
        fs::write(&path, old).unwrap();
        assert_eq!(read(&path), MarkFound::Elsewhere(mark(1)));
        fs::write(&path, new).unwrap();
        assert_eq!(read(&path), MarkFound::Here(mark(2)));
        // Copied while a process has it, and restored in place after that has committed something.
        file.write(&mark(3)).unwrap();
        let old = fs::read(&path).unwrap();
        file.settle(&mark(3)).unwrap();
        assert_eq!(read(&path), MarkFound::Here(Mark::at([7; 16], mark(3).writing)));
        fs::write(&path, old).unwrap();
        assert_eq!(read(&path), MarkFound::Elsewhere(mark(3)));
    }

    #[test]
    fn settling_never_takes_back_what_others_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let mut first = MarkFile::begin(&path, &mark(1), false).unwrap();
        let mut second = MarkFile::begin(&path, &mark(1), false).unwrap();
        first.write(&mark(2)).unwrap();
        assert_eq!(
            read(&path),
            MarkFound::Here(mark(2)),
            "the file that is there now is the one that is written"
        );
        second.write(&mark(3)).unwrap();
        first.settle(&mark(2)).unwrap();
        assert_eq!(read(&path), MarkFound::Here(mark(3)));
        second.settle(&mark(3)).unwrap();
        assert_eq!(read(&path), MarkFound::Here(Mark::at([7; 16], mark(3).writing)));
        fs::remove_file(&path).unwrap();
        first.write(&mark(4)).unwrap();
        assert_eq!(read(&path), MarkFound::Here(mark(4)), "one that was removed is made again");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_read_or_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("mark"), folder.path().join("victim"));
        for link in [
            |from: &Path, to: &Path| std::os::unix::fs::symlink(from, to),
            |from: &Path, to: &Path| fs::hard_link(from, to),
        ] {
            fs::write(&victim, "a letter").unwrap();
            let _ = fs::remove_file(&path);
            link(&victim, &path).unwrap();
            assert_eq!(read(&path), MarkFound::Nothing);
            let mut file = MarkFile::begin(&path, &mark(1), false).unwrap();
            fs::remove_file(&path).unwrap();
            link(&victim, &path).unwrap();
            file.write(&mark(2)).unwrap();
            assert_eq!(read(&path), MarkFound::Here(mark(2)));
            assert_eq!(fs::read(&victim).unwrap(), b"a letter");
        }
    }
}
