//! Sorting more records than memory should hold.
//!
//! Records are byte strings of one length, which sort as their bytes do. Up to a limit they stay in memory. Beyond it,
//! sorted parts go to one temporary file without a name, which nobody else can open and which is gone with the process,
//! and are merged as they are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// How many bytes of each part are read at once.
const READ_BYTES: usize = 64 << 10;

/// Takes records, in any order.
#[derive(Debug)]
pub struct Sorter<const N: usize> {
    records: Vec<[u8; N]>,
    /// How many records stay in memory.
    limit: usize,
    spilled: Option<Spilled>,
}

/// The parts in the file, one after the other: how many bytes each has.
#[derive(Debug)]
struct Spilled {
    file: File,
    parts: Vec<u64>,
}

impl<const N: usize> Sorter<N> {
    /// A sorter that keeps at most so many bytes in memory.
    pub fn with_memory(bytes: usize) -> Sorter<N> {
        Sorter { records: Vec::new(), limit: (bytes / N).max(1), spilled: None }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn push(&mut self, record: [u8; N]) -> io::Result<()> {
        if self.records.len() == self.limit {
            self.spill()?;
        }
        self.records.push(record);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.records.sort_unstable();
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            None => self.spilled.insert(Spilled { file: tempfile::tempfile()?, parts: Vec::new() }),
        };
        let bytes = self.records.as_flattened();
        spilled.file.write_all(bytes)?;
        spilled.parts.push(bytes.len() as u64);
        self.records.clear();
        Ok(())
    }

    /// All records, sorted.
    ///
    /// # Errors
    /// Where the temporary file cannot be written or read.
    pub fn sort(mut self) -> io::Result<Sorted<N>> {
        if self.spilled.is_none() {
            self.records.sort_unstable();
            return Ok(Sorted { source: Sources::Memory(self.records.into_iter()), next: None });
        }
        self.spill()?;
        let Spilled { file, parts } = self.spilled.take().expect("it was just written to");
        Ok(Sorted { source: Sources::Merged(Merge::begin(file, &parts)?), next: None })
    }
}

/// Records in their order.
#[derive(Debug)]
pub struct Sorted<const N: usize> {
    source: Sources<N>,
    /// The record that was looked at, and not taken.
    next: Option<[u8; N]>,
}

#[derive(Debug)]
enum Sources<const N: usize> {
    Memory(std::vec::IntoIter<[u8; N]>),
    Merged(Merge<N>),
}

impl<const N: usize> Sorted<N> {
    /// The next record, without taking it.
    ///
    /// # Errors
    /// Where the temporary file cannot be read.
    pub fn peek(&mut self) -> io::Result<Option<[u8; N]>> {
        if self.next.is_none() {
            self.next = self.read()?;
        }
        Ok(self.next)
    }

    /// The next record; none after the last.
    ///
    /// # Errors
    /// Where the temporary file cannot be read.
    pub fn take(&mut self) -> io::Result<Option<[u8; N]>> {
        match self.next.take() {
            Some(record) => Ok(Some(record)),
            None => self.read(),
        }
    }

    /// The next record, if this holds for it.
    ///
    /// # Errors
    /// Where the temporary file cannot be read.
    pub fn take_if(&mut self, holds: impl FnOnce(&[u8; N]) -> bool) -> io::Result<Option<[u8; N]>> {
        match self.peek()? {
            Some(record) if holds(&record) => self.take(),
            _ => Ok(None),
        }
    }

    fn read(&mut self) -> io::Result<Option<[u8; N]>> {
        match &mut self.source {
            Sources::Memory(records) => Ok(records.next()),
            Sources::Merged(merge) => merge.next(),
        }
    }
}

/// Sorted parts of a file, merged.
#[derive(Debug)]
struct Merge<const N: usize> {
    file: File,
    parts: Vec<Part<N>>,
    /// The first record of each part that has any left.
    first: BinaryHeap<Reverse<([u8; N], usize)>>,
}

/// What is left of a part: where it begins and ends in the file, and the records that were read already.
#[derive(Debug)]
struct Part<const N: usize> {
    at: u64,
    end: u64,
    read: std::vec::IntoIter<[u8; N]>,
}

impl<const N: usize> Merge<N> {
    fn begin(file: File, lengths: &[u64]) -> io::Result<Merge<N>> {
        let mut at = 0;
        let mut parts = Vec::new();
        for length in lengths {
            parts.push(Part { at, end: at + length, read: Vec::new().into_iter() });
            at += length;
        }
        let mut merge = Merge { file, parts, first: BinaryHeap::new() };
        (0..lengths.len()).try_for_each(|part| merge.refill(part))?;
        Ok(merge)
    }

    fn next(&mut self) -> io::Result<Option<[u8; N]>> {
        let Some(Reverse((record, part))) = self.first.pop() else { return Ok(None) };
        self.refill(part)?;
        Ok(Some(record))
    }

    /// Has the next record of a part take part, where there is one.
    fn refill(&mut self, part: usize) -> io::Result<()> {
        let Part { at, end, read } = &mut self.parts[part];
        if read.len() == 0 && at < end {
            let most = (READ_BYTES / N).max(1) * N;
            let mut records = vec![[0; N]; (most as u64).min(*end - *at) as usize / N];
            self.file.seek(SeekFrom::Start(*at))?;
            self.file.read_exact(records.as_flattened_mut())?;
            *at += records.as_flattened().len() as u64;
            *read = records.into_iter();
        }
        if let Some(record) = read.next() {
            self.first.push(Reverse((record, part)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_out_sorted_whatever_fits_into_memory(
            records in proptest::collection::vec(any::<[u8; 3]>(), 0..400), memory in 0usize..600,
        ) {
            let mut sorter = Sorter::with_memory(memory);
            for record in &records {
                sorter.push(*record).unwrap();
            }
            let mut sorted = sorter.sort().unwrap();
            let mut expected = records.clone();
            expected.sort_unstable();
            for record in expected {
                prop_assert_eq!(sorted.peek().unwrap(), Some(record));
                prop_assert_eq!(sorted.take_if(|_| false).unwrap(), None);
                prop_assert_eq!(sorted.take().unwrap(), Some(record));
            }
            prop_assert_eq!(sorted.take().unwrap(), None);
        }
    }

    #[test]
    fn a_part_is_read_piece_by_piece() {
        let mut sorter = Sorter::with_memory(100_000 * 8);
        for number in (0..350_000u64).rev() {
            sorter.push(number.to_be_bytes()).unwrap();
        }
        let mut sorted = sorter.sort().unwrap();
        for number in 0..350_000u64 {
            assert_eq!(sorted.take().unwrap(), Some(number.to_be_bytes()));
        }
        assert_eq!(sorted.take().unwrap(), None);
    }
}
