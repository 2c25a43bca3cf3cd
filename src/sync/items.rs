//! What the first reading finds.

use std::io;

use sha2::{Digest, Sha256};

use super::SORTER_BYTES;
use crate::batch::{Said, Surveyed};
use crate::ledger::RunDescription;
use crate::request::{ContentHash, IdRule, ItemId, ItemKey};
use crate::sorter::{Sorted, Sorter};

/// The length of a packed item.
const ITEM_BYTES: usize = 54;

/// By what a credential is found that was issued outside of the register: the hash of its id, and one of its type and
/// of what it attests.
pub(super) type OutsideKey = [u8; 12];

/// An item of the file, as it is sorted: by its key, then by its position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) key: ItemKey,
    pub(super) position: u64,
    pub(super) is_valid: bool,
    pub(super) content: ContentHash,
    pub(super) outside: OutsideKey,
    /// The place of its type among those of the run.
    pub(super) of_type: u8,
}

impl Item {
    fn pack(&self) -> [u8; ITEM_BYTES] {
        let mut bytes = [0; ITEM_BYTES];
        bytes[..16].copy_from_slice(&self.key);
        bytes[16..24].copy_from_slice(&self.position.to_be_bytes());
        bytes[24] = self.is_valid.into();
        bytes[25..41].copy_from_slice(&self.content.0);
        bytes[41..53].copy_from_slice(&self.outside);
        bytes[53] = self.of_type;
        bytes
    }

    fn unpack(bytes: &[u8; ITEM_BYTES]) -> Item {
        Item {
            key: part(bytes, 0),
            position: u64::from_be_bytes(part(bytes, 16)),
            is_valid: bytes[24] == 1,
            content: ContentHash(part(bytes, 25)),
            outside: part(bytes, 41),
            of_type: bytes[53],
        }
    }
}

/// So many bytes of a packed record, from this one on.
pub(super) fn part<const N: usize, const M: usize>(bytes: &[u8; M], from: usize) -> [u8; N] {
    std::array::from_fn(|at| bytes[from + at])
}

/// What was found in the input: its items by their ids, and whether anything in it cannot be told.
#[derive(Debug)]
pub struct Survey {
    rule: IdRule,
    types: Vec<String>,
    items: Sorter<ITEM_BYTES>,
    digest: InputDigest,
    /// How many items there are.
    pub count: u64,
    /// How many of them are invalid.
    pub invalid: u64,
    /// The first item of which nobody can tell whose it is, and its line.
    pub unreadable: Option<(u64, Option<u64>)>,
}

impl Survey {
    /// A survey of the input of a run, whose items are known by this field.
    pub fn new(run: &RunDescription, rule: IdRule) -> Survey {
        Survey {
            rule,
            types: run.types.iter().map(|of_type| of_type.credential_type.clone()).collect(),
            items: Sorter::with_memory(2 * SORTER_BYTES),
            digest: InputDigest::default(),
            count: 0,
            invalid: 0,
            unreadable: None,
        }
    }

    /// Adds an item. They come in the order of the input.
    ///
    /// # Errors
    /// Where a temporary file cannot be written.
    pub fn add(&mut self, item: &Surveyed) -> io::Result<()> {
        self.count += 1;
        self.invalid += u64::from(item.valid.is_none());
        self.digest.add(item.index, item.id, item.valid.as_ref().map(|said| said.content));
        let ItemId::Key(key) = item.id else {
            self.unreadable.get_or_insert((item.index, item.line));
            return Ok(());
        };
        let position = item.index;
        let packed = match &item.valid {
            None => Item {
                key,
                position,
                is_valid: false,
                content: ContentHash::default(),
                outside: OutsideKey::default(),
                of_type: 0,
            },
            Some(said) => Item {
                key,
                position,
                is_valid: true,
                content: said.content,
                outside: self.outside_key(said),
                of_type: self.place_of_type(said),
            },
        };
        self.items.push(packed.pack())
    }

    fn outside_key(&self, said: &Said) -> OutsideKey {
        let id = match self.rule {
            IdRule::SubjectId => said.subject_hash,
            _ => said.correlation_hash,
        };
        outside_key(id, said.credential_type.name, said.attestation_type.as_deref())
    }

    fn place_of_type(&self, said: &Said) -> u8 {
        let place = self.types.iter().position(|name| name == said.credential_type.name);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }

    pub(super) fn finish(self) -> io::Result<(Items, InputDigest)> {
        Ok((Items(self.items.sort()?), self.digest))
    }
}

/// What a credential outside of the register is compared by.
pub(super) fn outside_key(id: [u8; 8], credential_type: &str, attestation_type: Option<&str>) -> OutsideKey {
    let mut kind = crc32fast::Hasher::new();
    for text in [credential_type, attestation_type.unwrap_or_default()] {
        kind.update(text.as_bytes());
        kind.update(&[0]);
    }
    let mut key = OutsideKey::default();
    key[..8].copy_from_slice(&id);
    key[8..].copy_from_slice(&kind.finalize().to_be_bytes());
    key
}

/// All items, sorted.
#[derive(Debug)]
pub(super) struct Items(Sorted<ITEM_BYTES>);

impl Items {
    pub(super) fn peek(&mut self) -> io::Result<Option<Item>> {
        Ok(self.0.peek()?.as_ref().map(Item::unpack))
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Item>> {
        Ok(self.0.take()?.as_ref().map(Item::unpack))
    }
}

/// By which the second reading is known to have shown what the first one did.
#[derive(Debug, Clone, Default)]
pub(super) struct InputDigest(Sha256);

impl InputDigest {
    pub(super) fn add(&mut self, index: u64, id: ItemId, content: Option<ContentHash>) {
        self.0.update(index.to_le_bytes());
        match id {
            ItemId::Key(key) => self.0.update(key),
            ItemId::Position | ItemId::Unreadable => self.0.update(b"none"),
        }
        match content {
            Some(content) => self.0.update(content.0),
            None => self.0.update(b"invalid"),
        }
    }

    pub(super) fn is(self, other: InputDigest) -> bool {
        self.0.finalize() == other.0.finalize()
    }
}
