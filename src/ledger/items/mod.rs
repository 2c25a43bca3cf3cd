//! The index of items: which credentials were issued for an item, found by what the item is known by.
//!
//! An idempotency key and a register ([`super::scopes`]) each have an index of their own. It maps the 128-bit keyed hash
//! of an item's id ([`ItemKey`]) to the places of its credentials. An entry is written in the transaction that records
//! its credential, and never changed or removed: the newest credential of an item is the one with the greatest place.
//!
//! # Form
//!
//! Hashes fall anywhere, so a B-tree would write a page for nearly every item. Entries are kept in sorted *segments*
//! instead, of about a thousand each, and segments in a tree of *nodes*. The root takes each batch as one segment. Once a
//! node has [`FULL`] segments, they are merged, and cut by the next three bits of their keys into a segment for each of
//! eight children. So an entry is written once for each level, and a key is looked for in the nodes on its path only.
//! Where many batches come at once, they are cut before, and go to the nodes further down.
//! Each segment has a filter ([`filter`]), by which nearly all segments that do not hold a key are left unread.
//!
//! At most one node is emptied for each batch, of at most [`MOST_MERGED`] segments, which bounds what a transaction takes
//! however large the index is. Others wait for theirs; on average there is less than one to empty for each batch.
//!
//! # What is believed
//!
//! That an item is *not* found decides that it is issued. So the scope's row has the sum of the checksums of all its
//! segments, which is compared before the index is used, and every part of a segment is compared with its own checksum
//! when it is read. The audit trail has the sum of the entries of each batch ([`digest`]).

mod filter;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use self::filter::Filter;
pub(super) use self::segment::IndexEntry;
use self::segment::{Node, Segment};
use super::checksum::{Checksum, contradiction};
use super::next;
use super::record::RecordPlace;
use super::rows::SegmentHead;
use super::scopes::Scope;
use super::store::{Store, Stored};
use crate::request::{BATCH_ITEMS, ItemKey};

/// A node with so many segments is emptied.
const FULL: usize = 8;

/// So many of them at once.
const MOST_MERGED: usize = 16;

/// Fewer entries than this stay in their node, as one segment: runs of a few items fill nodes with tiny segments.
const LEAST_CUT: usize = 6_000;

/// How many bytes of filters are kept in memory. Those beyond it are read each time.
const FILTER_BYTES: usize = 24 << 20;

/// So many filters are read at once.
const FILTERS_READ: usize = 64;

/// A scope's index, as this process knows it.
#[derive(Debug)]
pub(super) struct ItemIndex {
    scope: i64,
    version: i64,
    nodes: BTreeMap<Node, Vec<Known>>,
    filter_bytes: usize,
}

/// A segment of which everything but the entries is known.
#[derive(Debug)]
struct Known {
    head: SegmentHead,
    filter: Option<Filter>,
}

impl ItemIndex {
    /// The index of a scope. Refuses one in which a segment is changed, missing, or out of sight.
    pub(super) fn open(store: &dyn Store, scope: &Scope) -> Stored<ItemIndex> {
        let mut index = ItemIndex {
            scope: scope.number,
            version: scope.version,
            nodes: BTreeMap::new(),
            filter_bytes: 0,
        };
        let (mut sum, mut entries) = (0i64, 0i64);
        for head in store.segments_of(scope.number)? {
            sum = sum.wrapping_add(checksum_of(scope.number, &head));
            entries += i64::from(head.count);
            index.nodes.entry(Node(head.node)).or_default().push(Known { head, filter: None });
        }
        match (sum, entries) == (scope.sum, scope.entries) {
            true => Ok(index),
            false => Err(contradiction(format!(
                "table `segments` shows other segments of scope {} than it has",
                scope.number
            ))),
        }
    }

    /// Whether this is still all that there is: others may have added to it.
    pub(super) fn is_current(&self, scope: &Scope) -> bool {
        (self.scope, self.version) == (scope.number, scope.version)
    }

    /// The places of the credentials of each key, in the order of the keys; those of one key in the order of issuance.
    pub(super) fn find(&mut self, store: &dyn Store, keys: &[ItemKey]) -> Stored<Vec<Vec<RecordPlace>>> {
        // In the order of the keys, so that each node and each filter is turned to once.
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|at| keys[*at]);
        let depth = self.nodes.last_key_value().map_or(0, |(deepest, _)| deepest.depth());
        let on_the_way: Vec<(Node, &[usize])> = (0..=depth)
            .flat_map(|depth| {
                let node_of = move |at: &usize| Node::of(&keys[*at], depth);
                let together = order.chunk_by(move |one, other| node_of(one) == node_of(other));
                together.map(move |together| (node_of(&together[0]), together))
            })
            .collect();
        self.read_filters(store, on_the_way.iter().map(|(node, _)| *node))?;
        let mut wanted: BTreeMap<i64, (Node, Vec<usize>)> = BTreeMap::new();
        for (node, together) in on_the_way {
            for known in self.nodes.get(&node).into_iter().flatten() {
                for at in together {
                    if known.may_hold(store, &keys[*at])? {
                        wanted.entry(known.head.segment).or_insert((node, Vec::new())).1.push(*at);
                    }
                }
            }
        }
        let mut found = vec![Vec::new(); keys.len()];
        let wanted: Vec<(SegmentHead, Vec<usize>)> = (wanted.into_iter())
            .map(|(number, (node, ats))| {
                let known = self.nodes[&node].iter().find(|known| known.head.segment == number);
                (known.expect("it was just seen").head, ats)
            })
            .collect();
        for together in wanted.chunks(MOST_MERGED) {
            let heads: Vec<_> = together.iter().map(|(head, _)| *head).collect();
            for (segment, (_, ats)) in Segment::read_all(store, &heads)?.iter().zip(together) {
                for at in ats {
                    found[*at].extend(segment.places_of(&keys[*at]));
                }
            }
        }
        found.iter_mut().for_each(|places| places.sort_unstable());
        Ok(found)
    }

    /// Reads the filters of these nodes that were not read yet, as many as are kept.
    fn read_filters(&mut self, store: &dyn Store, nodes: impl Iterator<Item = Node>) -> Stored<()> {
        let mut unread = Vec::new();
        for node in nodes {
            let known = self.nodes.get(&node).into_iter().flatten();
            unread.extend(known.filter(|known| known.filter.is_none()).map(|known| known.head));
        }
        for heads in unread.chunks(FILTERS_READ) {
            if self.filter_bytes >= FILTER_BYTES {
                break;
            }
            for (head, filter) in heads.iter().zip(Filter::read_all(store, heads)?) {
                let mut of_node = self.nodes.get_mut(&Node(head.node)).into_iter().flatten();
                let known = of_node.find(|known| known.head.segment == head.segment);
                self.filter_bytes += filter.bytes().len();
                known.expect("it was just seen").filter = Some(filter);
            }
        }
        Ok(())
    }

    /// Adds entries, and notes in the scope's row what there is now.
    pub(super) fn insert(
        &mut self,
        store: &dyn Store,
        scope: &mut Scope,
        entries: Vec<IndexEntry>,
    ) -> Stored<()> {
        if entries.is_empty() {
            return Ok(());
        }
        scope.entries += entries.len() as i64;
        let batches = entries.len().div_ceil(BATCH_ITEMS as usize);
        for part in Segment::new(Node::ROOT, entries).cut_below(LEAST_CUT) {
            self.add(store, scope, part)?;
        }
        for _ in 0..batches {
            self.empty_fullest(store, scope)?;
        }
        scope.version = next(scope.version)?;
        self.version = scope.version;
        scope.update(store)
    }

    fn add(&mut self, store: &dyn Store, scope: &mut Scope, segment: Segment) -> Stored<()> {
        let filter = Filter::of(&segment.entries);
        let row = segment.row(next(store.last_segment()?)?, self.scope, &filter);
        store.insert_segment(&row)?;
        scope.sum = scope.sum.wrapping_add(checksum_of(self.scope, &row.head));
        self.filter_bytes += filter.bytes().len();
        let known = Known { head: row.head, filter: Some(filter) };
        self.nodes.entry(segment.node).or_default().push(known);
        Ok(())
    }

    /// Merges the segments of the node that has most of them, if it is full, and hands them down.
    fn empty_fullest(&mut self, store: &dyn Store, scope: &mut Scope) -> Stored<()> {
        let Some((&node, _)) = self.nodes.iter().rev().max_by_key(|(_, known)| known.len()) else {
            return Ok(());
        };
        if self.nodes[&node].len() < FULL {
            return Ok(());
        }
        let mut merged = self.nodes.remove(&node).unwrap_or_default();
        let rest = merged.split_off(merged.len().min(MOST_MERGED));
        if !rest.is_empty() {
            self.nodes.insert(node, rest);
        }
        let heads: Vec<_> = merged.iter().map(|known| known.head).collect();
        let segments = Segment::read_all(store, &heads)?;
        let entries = segments.into_iter().flat_map(|segment| segment.entries).collect();
        for known in &merged {
            store.delete_segment(known.head.segment)?;
            scope.sum = scope.sum.wrapping_sub(checksum_of(self.scope, &known.head));
            self.filter_bytes -= known.filter.as_ref().map_or(0, |filter| filter.bytes().len());
        }
        let whole = Segment::new(node, entries);
        let parts = if whole.entries.len() < LEAST_CUT { vec![whole] } else { whole.cut() };
        parts.into_iter().try_for_each(|part| self.add(store, scope, part))
    }

    /// The entries of one segment after the other.
    pub(super) fn segments<'i>(
        &'i self,
        store: &'i dyn Store,
    ) -> impl Iterator<Item = Stored<Vec<IndexEntry>>> + 'i {
        let known = self.nodes.values().flatten();
        known.map(move |known| Ok(Segment::read(store, &known.head)?.entries))
    }

    /// Goes through all entries, in no particular order.
    pub(super) fn each(
        &self,
        store: &dyn Store,
        each: &mut dyn FnMut(IndexEntry) -> Stored<()>,
    ) -> Stored<()> {
        self.segments(store).try_for_each(|entries| entries?.into_iter().try_for_each(&mut *each))
    }

    /// Goes through all entries, and refuses a segment that is out of place, or whose filter hides what it holds.
    pub(super) fn examine(
        &self,
        store: &dyn Store,
        each: &mut dyn FnMut(IndexEntry) -> Stored<()>,
    ) -> Stored<()> {
        for known in self.nodes.values().flatten() {
            let segment = Segment::read(store, &known.head)?;
            let filter = Filter::read(store, &known.head)?;
            if !segment.is_in_place() || !segment.entries.iter().all(|entry| filter.may_hold(&entry.key())) {
                return Err(contradiction(format!(
                    "table `segments`, segment {}: entries would not be found",
                    known.head.segment
                )));
            }
            segment.entries.into_iter().try_for_each(&mut *each)?;
        }
        Ok(())
    }
}

impl Known {
    fn may_hold(&self, store: &dyn Store, key: &ItemKey) -> Stored<bool> {
        match &self.filter {
            Some(filter) => Ok(filter.may_hold(key)),
            None => Ok(Filter::read(store, &self.head)?.may_hold(key)),
        }
    }
}

fn checksum_of(scope: i64, head: &SegmentHead) -> i64 {
    let SegmentHead { segment, node, count, filter_crc, entries_crc } = *head;
    let sums = Checksum::of("segments").number(scope).number(segment).number(node).number(count.into());
    sums.number(filter_crc).number(entries_crc).sum()
}

/// What an entry adds to the sum that the audit trail has of a batch: of 128 bits, so that nobody finds other entries
/// with the same sum.
pub(super) fn digest(scope: i64, entry: &IndexEntry) -> u128 {
    let mut hash = Sha256::new_with_prefix(scope.to_le_bytes());
    hash.update(entry.bytes());
    let digest = hash.finalize();
    u128::from_le_bytes(std::array::from_fn(|at| digest[at]))
}

/// What the audit trail has of a batch: the sum of what its entries add.
pub(super) fn sum_of(scope: i64, entries: &[IndexEntry]) -> u128 {
    entries.iter().fold(0, |sum, entry| sum.wrapping_add(digest(scope, entry)))
}
