//! The checksum of a row, by which a flipped bit is noticed when the row is read.
//!
//! CRC-32, not keyed: it finds what storage does to a file. Whoever can write the ledger can
//! write checksums too, and is not kept out by any; the audit trail (`events`) is for that.

use std::fmt;

use super::store::{StoreError, Stored};

/// A checksum that is being made. The table's name goes first, so that a row of one table is
/// never taken for one of another; every text and blob follows its length.
pub(super) struct Checksum(crc32fast::Hasher);

impl Checksum {
    /// Begins the checksum of a row of this table.
    pub(super) fn of(table: &str) -> Checksum {
        Checksum(crc32fast::Hasher::new()).bytes(table.as_bytes())
    }

    pub(super) fn number(mut self, number: i64) -> Checksum {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Checksum {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Checksum {
        self.bytes(text.as_bytes())
    }

    /// A value that may be absent, which is not the same as empty.
    pub(super) fn optional(self, text: Option<&str>) -> Checksum {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub(super) fn sum(self) -> i64 {
        self.0.finalize().into()
    }

    /// Refuses a row whose checksum is not the one that is stored with it.
    pub(super) fn must_be(self, stored: i64, row: impl FnOnce() -> String) -> Stored<()> {
        match self.sum() == stored {
            true => Ok(()),
            false => Err(contradiction(format!("{}: its checksum does not match its content", row()))),
        }
    }
}

/// What in a ledger contradicts itself: the table, the row, and how.
#[derive(Debug)]
struct Contradiction(String);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Contradiction {}

/// The error of a ledger that contradicts itself.
pub(super) fn contradiction(what: impl Into<String>) -> StoreError {
    StoreError::Damaged(Box::new(Contradiction(what.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_border_counts() {
        let sum = |first: &str, second: &str| Checksum::of("t").text(first).text(second).sum();
        assert_ne!(sum("ab", "c"), sum("a", "bc"));
        assert_ne!(Checksum::of("t").optional(None).sum(), Checksum::of("t").optional(Some("")).sum());
        assert_ne!(Checksum::of("t").number(1).sum(), Checksum::of("u").number(1).sum());
        let row = vec![0x5a; 600];
        let whole = Checksum::of("t").bytes(&row).sum();
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Checksum::of("t").bytes(&flipped).sum(), whole, "bit {bit}");
        }
    }
}
