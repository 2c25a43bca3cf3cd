//! Who a ledger is, and where it is at home.

use super::checksum::Checksum;
use super::random;
use super::rows::LedgerRow;
use super::store::{Store, Stored};
use crate::clock::system_now;

/// The ledger's own row.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// A random id.
    pub(super) id: [u8; 16],
    /// The key for hashes of requests, subjects' ids and correlation ids.
    pub(super) hash_key: [u8; 32],
    created_at: i64,
    /// The file that it was made in or has moved to; zeros in a backup, and where it is in no file.
    pub(super) home: FileId,
    /// Where it was moved to; empty where it is still arriving: see [`super::copy`].
    pub(super) moved_to: Option<String>,
}

/// What a file is known by wherever its storage is attached: the number of its inode and the
/// time of its creation, 0 where the system tells none. The device's number is left out, because
/// containers and network shares change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileId {
    pub(super) inode: i64,
    pub(super) born: i64,
}

impl Identity {
    /// A new ledger in this file.
    pub(super) fn new(home: FileId) -> Stored<Identity> {
        Ok(Identity {
            id: random()?,
            hash_key: random()?,
            created_at: system_now().seconds(),
            home,
            moved_to: None,
        })
    }

    pub(super) fn read(store: &dyn Store) -> Stored<Identity> {
        let row = store.ledger()?;
        let home = FileId { inode: row.home_inode, born: row.home_born };
        let LedgerRow { id, hash_key, created_at, moved_to, .. } = row;
        let identity = Identity { id, hash_key, created_at, home, moved_to };
        identity.checksum().must_be(row.crc, || "table `ledger`".to_owned())?;
        Ok(identity)
    }

    fn row(&self) -> LedgerRow {
        let Identity { id, hash_key, created_at, home: FileId { inode, born }, moved_to } = self.clone();
        let crc = self.checksum().sum();
        LedgerRow { id, hash_key, created_at, home_inode: inode, home_born: born, moved_to, crc }
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("ledger").bytes(&self.id).bytes(&self.hash_key).number(self.created_at);
        sums.number(self.home.inode).number(self.home.born).optional(self.moved_to.as_deref())
    }

    pub(super) fn insert(&self, store: &dyn Store) -> Stored<()> {
        store.insert_ledger(&self.row())
    }

    /// Makes this file the ledger's home; none makes it a backup.
    pub(super) fn move_to(&mut self, store: &dyn Store, home: Option<FileId>) -> Stored<()> {
        self.home = home.unwrap_or_default();
        self.update(store)
    }

    /// Writes what can change of it.
    pub(super) fn update(&self, store: &dyn Store) -> Stored<()> {
        store.update_ledger(&self.row())
    }
}
