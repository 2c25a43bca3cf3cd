//! Which write-ahead log belongs to a database file.
//!
//! SQLite checks a log against itself only: it would apply a log that a killed process left to
//! whatever file has the name now, a restored backup or a new ledger, and damage it. So both
//! carry a random token. The table `seal` has one row, on the second page of the file (it is the
//! first table that is made), and every transaction writes a new token into it, beside the one
//! before. Hence:
//!
//! - the second page of the *file* has the token of the last transaction that was written back,
//! - each transaction in the *log* has a frame of the second page with its token, and the first
//!   one since the log was begun names the token that the file had then.
//!
//! A log is begun anew only when all of it was written back. So the file under a log has either
//! the token that the log's first transaction names, or that of a transaction in the log. In both
//! cases every page of the file that is older or newer than that is in the log as well, and the
//! log makes the file whole. A file with any other token is from another time or another ledger.
//! Tokens have 128 random bits, so copies that went different ways never share a new one.

use std::fs::File;
use std::io;
use std::path::Path;

use super::place::{open_no_link, read_at};
use crate::ledger::state::SealTokens;

/// The size of a ledger's pages, in bytes.
pub(super) const PAGE_BYTES: usize = 4096;
/// The page of the table `seal`.
pub(super) const SEAL_PAGE: u32 = 2;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first four bytes of a log, but for the lowest bit.
const LOG_MAGIC: u32 = 0x377f_0682;

/// What a log is to the file that it lies beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// There is none, or nothing in it that SQLite would read.
    Empty,
    /// It belongs to the file.
    Own,
    /// It does not.
    Foreign,
}

impl SealTokens {
    /// The tokens on the seal's page; `None` for any other page.
    pub(super) fn on_page(page: &[u8]) -> Option<SealTokens> {
        // A leaf of a table with one cell: size and row number, one byte each, then the record:
        // a header with one byte a column, then the columns.
        let number =
            |at: usize| Some(usize::from(u16::from_be_bytes(page.get(at..at + 2)?.try_into().ok()?)));
        if *page.first()? != 0x0d || number(3)? != 1 {
            return None;
        }
        let record = page.get(number(8)? + 2..)?;
        let header = usize::from(*record.first()?);
        if record.get(1..4)? != [0, 44, 44] {
            return None; // an alias of the row number, and two blobs of 16 bytes
        }
        let blob = |at: usize| record.get(header + at..header + at + 16)?.try_into().ok();
        Some(SealTokens { token: blob(0)?, before: blob(16)? })
    }

    /// The tokens in a database file, whatever its log says.
    pub(super) fn of_file(file: &File) -> Option<SealTokens> {
        let mut page = [0; PAGE_BYTES];
        read_at(file, &mut page, u64::from(SEAL_PAGE - 1) * PAGE_BYTES as u64).ok()?;
        SealTokens::on_page(&page)
    }

    /// What this log is to a file with these tokens.
    pub(super) fn judge(&self, log: &Path) -> io::Result<Log> {
        let log = match open_no_link(log, false, false) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::Empty),
            Err(error) => return Err(error),
        };
        let mut frames = Frames::of(&log)?;
        let mut first = true;
        while let Some(page) = frames.next_page()? {
            if page != SEAL_PAGE {
                continue;
            }
            let Some(tokens) = frames.tokens()? else { continue };
            if tokens.token == self.token || first && tokens.before == self.token {
                return Ok(Log::Own);
            }
            first = false;
        }
        // SQLite reads no transaction that was not committed, such as one in which a process was killed.
        Ok(if frames.has_commit { Log::Foreign } else { Log::Empty })
    }
}

/// The frames of a log that were written since it was begun anew.
struct Frames<'f> {
    log: &'f File,
    length: u64,
    salts: [u8; 8],
    /// Where the current frame begins, and the next one.
    at: u64,
    next: u64,
    /// Whether a transaction ended in one of the frames so far.
    has_commit: bool,
}

impl Frames<'_> {
    fn of(log: &File) -> io::Result<Frames<'_>> {
        let length = log.metadata()?.len();
        let mut header = [0; LOG_HEADER];
        let mut frames =
            Frames { log, length, salts: [0; 8], at: 0, next: LOG_HEADER as u64, has_commit: false };
        if length < (LOG_HEADER + FRAME_HEADER + PAGE_BYTES) as u64 {
            frames.length = 0;
            return Ok(frames);
        }
        read_at(log, &mut header, 0)?;
        let magic = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        if magic & !1 != LOG_MAGIC {
            frames.length = 0;
        }
        frames.salts.copy_from_slice(&header[16..24]);
        Ok(frames)
    }

    /// The number of the next frame's page.
    fn next_page(&mut self) -> io::Result<Option<u32>> {
        if self.next + (FRAME_HEADER + PAGE_BYTES) as u64 > self.length {
            return Ok(None);
        }
        let mut header = [0; FRAME_HEADER];
        read_at(self.log, &mut header, self.next)?;
        if header[8..16] != self.salts {
            return Ok(None);
        }
        self.has_commit |= header[4..8] != [0; 4];
        self.at = self.next;
        self.next += (FRAME_HEADER + PAGE_BYTES) as u64;
        Ok(Some(u32::from_be_bytes([header[0], header[1], header[2], header[3]])))
    }

    fn tokens(&self) -> io::Result<Option<SealTokens>> {
        let mut page = [0; PAGE_BYTES];
        read_at(self.log, &mut page, self.at + FRAME_HEADER as u64)?;
        Ok(SealTokens::on_page(&page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with one frame of page 1, which ends a transaction or does not.
    fn log(commits: bool) -> Vec<u8> {
        let mut log = vec![0; LOG_HEADER + FRAME_HEADER + PAGE_BYTES];
        log[..4].copy_from_slice(&LOG_MAGIC.to_be_bytes());
        log[16..24].fill(7); // salts
        log[LOG_HEADER + 3] = 1;
        log[LOG_HEADER + 7] = u8::from(commits);
        log[LOG_HEADER + 8..LOG_HEADER + 16].fill(7);
        log
    }

    #[test]
    fn a_transaction_that_was_not_committed_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db-wal");
        let tokens = SealTokens { token: [1; 16], before: [2; 16] };
        assert_eq!(tokens.judge(&path).unwrap(), Log::Empty);
        for (commits, verdict) in [(false, Log::Empty), (true, Log::Foreign)] {
            std::fs::write(&path, log(commits)).unwrap();
            assert_eq!(tokens.judge(&path).unwrap(), verdict);
        }
    }
}
