//! The mark: how far a ledger had come, kept in a file beside it (`ledger.db.mark`).
//!
//! It is written after the ledger's own commits are durable, so it never runs ahead of a ledger
//! that was left alone. It is a help and no part of the ledger: one that is missing or cannot be
//! read says nothing, and one that cannot be written stops nobody.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A mark that was read: of which ledger, and its last event.
#[derive(Debug)]
pub(super) struct Mark {
    ledger: String,
    last_event: i64,
}

impl Mark {
    /// Whether the mark is of another ledger.
    pub(super) fn is_of_another(&self, hash_key: &[u8; 32]) -> bool {
        self.ledger != name(hash_key)
    }

    /// Whether the ledger was once further than its last event is now. A mark of another ledger,
    /// which stood here before, says nothing.
    pub(super) fn is_beyond(&self, hash_key: &[u8; 32], last_event: i64) -> bool {
        !self.is_of_another(hash_key) && self.last_event > last_event
    }
}

/// Reads the mark beside a ledger, if there is one.
pub(super) fn read(ledger: &Path) -> Option<Mark> {
    let text = fs::read_to_string(path(ledger)).ok()?;
    let (of, last_event) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(Mark { ledger: of.to_owned(), last_event: last_event.trim_start().parse().ok()? })
}

/// Sets the mark, unless it stands higher.
pub(super) fn raise(ledger: &Path, hash_key: &[u8; 32], last_event: i64) {
    if read(ledger).is_none_or(|mark| mark.is_of_another(hash_key) || mark.last_event < last_event) {
        set(ledger, hash_key, last_event);
    }
}

/// Sets the mark.
pub(super) fn set(ledger: &Path, hash_key: &[u8; 32], last_event: i64) {
    // Written over what is there, and always of the same length, so that a process that is killed
    // leaves the old line or the new one.
    let line = format!("{} {last_event:>20}\n", name(hash_key));
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path(ledger)).and_then(|mut file| file.write_all(line.as_bytes()));
}

fn path(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".mark");
    name.into()
}

/// A name for the ledger that gives its key away to nobody.
fn name(hash_key: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"beltic ledger mark").chain_update(hash_key).finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
