//! Entries in the order of their keys, packed.
//!
//! An entry has 24 bytes: the key, and the place of the credential in eight bytes, both with the most significant byte
//! first, so that entries sort as their bytes do.

use super::filter::Filter;
use crate::ledger::checksum::{Checksum, contradiction};
use crate::ledger::corrupt;
use crate::ledger::record::RecordPlace;
use crate::ledger::rows::{SegmentHead, SegmentRow};
use crate::ledger::store::{Store, Stored};
use crate::request::ItemKey;

/// The length of a packed entry, in bytes.
const ENTRY_BYTES: usize = 24;

/// By how many bits of a key children differ.
const NODE_BITS: u32 = 3;

/// So deep that no two of any number of keys are left together.
const MAX_DEPTH: u32 = 20;

/// An entry: a key, and the place of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ledger) struct IndexEntry([u8; ENTRY_BYTES]);

impl IndexEntry {
    pub(in crate::ledger) fn new(key: &ItemKey, place: RecordPlace) -> IndexEntry {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(key);
        bytes[16..].copy_from_slice(&place.number().to_be_bytes());
        IndexEntry(bytes)
    }

    pub(in crate::ledger) fn key(&self) -> ItemKey {
        std::array::from_fn(|at| self.0[at])
    }

    pub(in crate::ledger) fn place(&self) -> RecordPlace {
        RecordPlace::of_number(u64::from_be_bytes(std::array::from_fn(|at| self.0[16 + at])))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A node of the tree: a one, and the bits that the keys in it begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(pub(super) i64);

impl Node {
    pub(super) const ROOT: Node = Node(1);

    /// The node of a key at this depth.
    pub(super) fn of(key: &ItemKey, depth: u32) -> Node {
        let bits = u64::from_be_bytes(std::array::from_fn(|at| key[at]));
        let first = bits.checked_shr(u64::BITS - NODE_BITS * depth).unwrap_or(0);
        Node((1 << (NODE_BITS * depth) | first).cast_signed())
    }

    /// How far below the root it is.
    pub(super) fn depth(self) -> u32 {
        self.0.checked_ilog2().unwrap_or(0) / NODE_BITS
    }
}

/// Entries of one node, sorted.
pub(super) struct Segment {
    pub(super) node: Node,
    pub(super) entries: Vec<IndexEntry>,
}

impl Segment {
    pub(super) fn new(node: Node, mut entries: Vec<IndexEntry>) -> Segment {
        entries.sort(); // which is quick where they are sorted in parts
        Segment { node, entries }
    }

    /// Reads the entries of segments, and refuses what was not written.
    pub(super) fn read_all(store: &dyn Store, heads: &[SegmentHead]) -> Stored<Vec<Segment>> {
        let numbers: Vec<i64> = heads.iter().map(|head| head.segment).collect();
        let entries = store.segment_entries(&numbers)?;
        heads.iter().zip(entries).map(|(head, bytes)| Segment::of(head, &bytes)).collect()
    }

    /// Reads a segment's entries, and refuses what was not written.
    pub(super) fn read(store: &dyn Store, head: &SegmentHead) -> Stored<Segment> {
        Segment::read_all(store, &[*head])?.pop().ok_or_else(corrupt)
    }

    fn of(head: &SegmentHead, bytes: &[u8]) -> Stored<Segment> {
        let named = || format!("table `segments`, segment {}", head.segment);
        checksum("entries", head, bytes).must_be(head.entries_crc, named)?;
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        match rest.is_empty() && entries.len() == head.count as usize {
            true => Ok(Segment {
                node: Node(head.node),
                entries: entries.iter().copied().map(IndexEntry).collect(),
            }),
            false => {
                Err(contradiction(format!("{}: it has another number of entries than it says", named())))
            }
        }
    }

    pub(super) fn row(&self, segment: i64, scope: i64, filter: &Filter) -> SegmentRow {
        let entries: Vec<u8> = self.entries.iter().flat_map(|entry| entry.0).collect();
        let count = self.entries.len() as u32;
        let head = SegmentHead { segment, node: self.node.0, count, filter_crc: 0, entries_crc: 0 };
        let head = SegmentHead {
            filter_crc: checksum("filter", &head, filter.bytes()).sum(),
            entries_crc: checksum("entries", &head, &entries).sum(),
            ..head
        };
        SegmentRow { head, scope, filter: filter.bytes().to_vec(), entries }
    }

    /// The places of a key's credentials.
    pub(super) fn places_of(&self, key: &ItemKey) -> impl Iterator<Item = RecordPlace> {
        let first = self.entries.partition_point(|entry| entry.0[..16] < key[..]);
        self.entries[first..].iter().take_while(move |entry| entry.0[..16] == key[..]).map(IndexEntry::place)
    }

    /// A segment for each child of the node that has any of the entries.
    pub(super) fn cut(self) -> Vec<Segment> {
        let depth = self.node.depth() + 1;
        if depth > MAX_DEPTH {
            return vec![self];
        }
        let child = |entry: &IndexEntry| Node::of(&entry.key(), depth);
        let parts = self.entries.chunk_by(|one, other| child(one) == child(other));
        parts.map(|part| Segment { node: child(&part[0]), entries: part.to_vec() }).collect()
    }

    /// It, where it has fewer entries than this; else what is cut of it until all parts have.
    pub(super) fn cut_below(self, most: usize) -> Vec<Segment> {
        if self.entries.len() < most || self.node.depth() == MAX_DEPTH {
            return vec![self];
        }
        self.cut().into_iter().flat_map(|part| part.cut_below(most)).collect()
    }

    /// Whether the entries are sorted, and in the node that their keys belong to.
    pub(super) fn is_in_place(&self) -> bool {
        let depth = self.node.depth();
        self.entries.is_sorted()
            && self.entries.iter().all(|entry| Node::of(&entry.key(), depth) == self.node)
    }
}

/// The checksum of a part of a segment.
pub(super) fn checksum(part: &str, head: &SegmentHead, bytes: &[u8]) -> Checksum {
    Checksum::of("segments").text(part).number(head.segment).number(head.node).bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_sort_as_keys_and_places_do() {
        let entry = |key: u8, batch, place| IndexEntry::new(&[key; 16], RecordPlace { batch, place });
        let sorted = [entry(0, 7, 999), entry(1, 1, 0), entry(1, 1, 999), entry(1, 2, 0), entry(200, 1, 5)];
        assert!(sorted.is_sorted());
        for entry in sorted {
            assert_eq!(IndexEntry::new(&entry.key(), entry.place()), entry);
        }
    }

    #[test]
    fn a_key_is_in_one_node_of_each_depth() {
        let key: ItemKey = std::array::from_fn(|at| (at as u8).wrapping_mul(37) ^ 0xA5);
        assert_eq!(Node::of(&key, 0), Node::ROOT);
        for depth in 1..=MAX_DEPTH {
            let node = Node::of(&key, depth);
            assert_eq!(node.depth(), depth);
            assert_eq!(node.0 >> NODE_BITS, Node::of(&key, depth - 1).0);
        }
    }
}
