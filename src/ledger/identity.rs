//! Who a ledger is, where its file is at home, and how often its lists were closed.

use rusqlite::{Connection, params};

use super::checksum::Checksum;
use super::place::FileId;
use super::seal::{Seal, in_one_snapshot, must_count};
use super::trust::Reason;
use crate::clock::{UnixTime, system_now};

/// The ledger's own row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    /// A random id, which its mark has too.
    pub(super) id: [u8; 16],
    /// The key for hashes of requests, subjects' ids and correlation ids.
    pub(super) hash_key: [u8; 32],
    created_at: i64,
    /// The file that it was made in or has moved to; zeros in a backup.
    pub(super) home: FileId,
}

impl Identity {
    /// A new ledger in this file.
    pub(super) fn new(home: FileId) -> rusqlite::Result<Identity> {
        let created_at = system_now().seconds();
        Ok(Identity { id: super::random()?, hash_key: super::random()?, created_at, home })
    }

    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Identity> {
        let sql = "SELECT id, hash_key, created_at, home_inode, home_born, crc FROM ledger";
        let (identity, crc) = connection.prepare_cached(sql)?.query_row([], |row| {
            let home = FileId { inode: row.get(3)?, born: row.get(4)? };
            let identity = Identity { id: row.get(0)?, hash_key: row.get(1)?, created_at: row.get(2)?, home };
            Ok((identity, row.get(5)?))
        })?;
        identity.checksum().must_be(crc, || "table `ledger`".to_owned())?;
        Ok(identity)
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("ledger").bytes(&self.id).bytes(&self.hash_key).number(self.created_at);
        sums.number(self.home.inode).number(self.home.born)
    }

    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            "INSERT INTO ledger VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                self.id,
                self.hash_key,
                self.created_at,
                self.home.inode,
                self.home.born,
                self.checksum().sum()
            ],
        )?;
        Ok(())
    }

    /// Whether this is the ledger's file; none in a backup, which has no home.
    pub(super) fn is_at_home(&self, file: FileId) -> Option<bool> {
        (self.home != FileId::default()).then(|| self.home.may_be(file))
    }

    /// Makes this file the ledger's home; none makes it a backup.
    pub(super) fn move_to(&mut self, connection: &Connection, home: Option<FileId>) -> rusqlite::Result<()> {
        self.home = home.unwrap_or_default();
        connection.execute(
            "UPDATE ledger SET home_inode = ?1, home_born = ?2, crc = ?3",
            params![self.home.inode, self.home.born, self.checksum().sum()],
        )?;
        Ok(())
    }
}

/// A time at which the open lists were closed.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub(super) at: UnixTime,
    event: i64,
    reasons: String,
    lists: i64,
}

impl Closing {
    fn checksum(&self, number: i64) -> Checksum {
        let sums = Checksum::of("closings").number(number).number(self.at.seconds()).number(self.event);
        sums.text(&self.reasons).number(self.lists)
    }

    /// Whether nobody asked for it.
    pub(super) fn was_noticed(&self) -> bool {
        self.reasons != Reason::Asked.word()
    }

    /// All closings, the first one first.
    pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Closing>> {
        in_one_snapshot(connection, || Closing::all_of(connection, Seal::read(connection)?.counts.closings))
    }

    /// All closings, of which there must be so many.
    pub(super) fn all_of(connection: &Connection, counted: i64) -> rusqlite::Result<Vec<Closing>> {
        let mut statement = connection
            .prepare("SELECT closing, at, event, reasons, lists, crc FROM closings ORDER BY closing")?;
        let mut rows = statement.query([])?;
        let mut closings = Vec::new();
        while let Some(row) = rows.next()? {
            let closing = Closing {
                at: UnixTime::from_seconds(row.get(1)?).ok_or_else(super::corrupt)?,
                event: row.get(2)?,
                reasons: row.get(3)?,
                lists: row.get(4)?,
            };
            let number: i64 = row.get(0)?;
            closing.checksum(number).must_be(row.get(5)?, || format!("table `closings`, row {number}"))?;
            closings.push(closing);
        }
        must_count("closings", closings.len() as i64, counted)?;
        Ok(closings)
    }

    /// Notes a closing of so many lists, now.
    pub(super) fn insert(
        connection: &Connection,
        number: i64,
        event: i64,
        reasons: &[Reason],
        lists: u64,
    ) -> rusqlite::Result<()> {
        let words: Vec<_> = reasons.iter().map(Reason::word).collect();
        let closing = Closing { at: system_now(), event, reasons: words.join(", "), lists: lists as i64 };
        connection.execute(
            "INSERT INTO closings VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                number,
                closing.at.seconds(),
                event,
                closing.reasons,
                closing.lists,
                closing.checksum(number).sum()
            ],
        )?;
        Ok(())
    }
}
