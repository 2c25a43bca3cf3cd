//! Status lists: which there are, and which slots they gave.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::allocation::{IndexOrder, ROLL_AT, index_in, is_whole, parts_of};
use super::{RunDescription, Status, corrupt, random};
use crate::clock::system_now;

/// How many lists are kept open; a replay goes through them one after the other.
const LISTS_KEPT: usize = 4;

/// A status list, as credentials refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUris {
    /// The URI of the IETF Token Status List.
    pub token: String,
    /// The URL of the W3C Bitstring Status List credential for revocation.
    pub bitstring: String,
    /// The URL of the one for suspension, from the first suspension in the list on.
    pub suspension: Option<String>,
}

/// Slots of one list, from `first` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    pub(super) list: i64,
    pub(super) first: u32,
}

impl Slots {
    /// So many of the slots from this place on, with their list.
    pub(super) fn from(self, place: u32, count: u32) -> (i64, Range<u32>) {
        let first = self.first + place;
        (self.list, first..first + count)
    }
}

/// A list with the parts of its order that were read.
#[derive(Debug)]
struct OpenList {
    number: i64,
    uris: Arc<ListUris>,
    parts: HashMap<u32, Vec<u8>>,
}

/// The lists that are open. Their orders never change; their URIs are read anew each time.
#[derive(Debug, Default)]
pub(super) struct OpenLists(Vec<OpenList>);

impl OpenLists {
    /// Has these slots of these lists at hand, and the lists as they are now.
    pub(super) fn keep(
        &mut self,
        connection: &Connection,
        needed: impl IntoIterator<Item = (i64, Range<u32>)>,
    ) -> rusqlite::Result<()> {
        if self.0.len() > LISTS_KEPT {
            self.0.clear();
        }
        let mut current = HashSet::new();
        for (number, slots) in needed {
            if current.insert(number) {
                self.open(number, read_uris(connection, number)?);
            }
            let list = self.0.iter_mut().find(|list| list.number == number).ok_or_else(corrupt)?;
            for part in parts_of(slots) {
                if let Entry::Vacant(entry) = list.parts.entry(part) {
                    entry.insert(read_part(connection, number, part)?);
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, number: i64, uris: ListUris) {
        match self.0.iter_mut().find(|list| list.number == number) {
            Some(known) if *known.uris == uris => {}
            Some(known) => known.uris = Arc::new(uris),
            None => self.0.push(OpenList { number, uris: Arc::new(uris), parts: HashMap::new() }),
        }
    }

    /// The URIs of a list, and the index that stands for a slot that was kept.
    pub(super) fn place(&self, list: i64, slot: u32) -> (Arc<ListUris>, u32) {
        let list = self.0.iter().find(|open| open.number == list).expect("the list was kept");
        let part = &list.parts[&parts_of(slot..slot + 1).start];
        (Arc::clone(&list.uris), index_in(part, slot).expect("a part holds its slots"))
    }
}

fn read_uris(connection: &Connection, number: i64) -> rusqlite::Result<ListUris> {
    connection
        .prepare_cached("SELECT token_uri, bitstring_uri, suspension_uri FROM lists WHERE list = ?1")?
        .query_row([number], |row| {
            Ok(ListUris { token: row.get(0)?, bitstring: row.get(1)?, suspension: row.get(2)? })
        })
}

fn read_part(connection: &Connection, list: i64, part: u32) -> rusqlite::Result<Vec<u8>> {
    connection
        .prepare_cached("SELECT indices FROM orders WHERE list = ?1 AND part = ?2")?
        .query_row([list, part.into()], |row| row.get(0))
        .and_then(|indices: Vec<u8>| if is_whole(part, &indices) { Ok(indices) } else { Err(corrupt()) })
}

/// The lists whose order is kept as another than their secret gives.
pub(super) fn with_other_order(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut found = Vec::new();
    for number in numbers(connection)? {
        let secret =
            connection.query_row("SELECT secret FROM lists WHERE list = ?1", [number], |row| row.get(0))?;
        let mut statement =
            connection.prepare_cached("SELECT indices FROM orders WHERE list = ?1 ORDER BY part")?;
        let kept =
            statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
        if !IndexOrder::new(&secret).parts().eq(kept) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Takes slots from the issuer's current list, or from a new one once three quarters of that are
/// taken. A whole batch goes into one list: the last one may pass the mark, by less than the
/// quarter that is left.
pub(super) fn take_slots(
    transaction: &Transaction<'_>,
    run: &RunDescription,
    count: u32,
) -> rusqlite::Result<Slots> {
    let base = run.status_base.as_deref().unwrap_or_default();
    let current = transaction
        .prepare_cached(
            "SELECT list, taken FROM lists
             WHERE issuer = ?1 AND base = ?2 AND NOT closed AND taken < ?3 ORDER BY list DESC LIMIT 1",
        )?
        .query_row(params![run.terms.issuer, base, ROLL_AT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (list, first) = match current {
        Some(current) => current,
        None => (add_list(transaction, &run.terms.issuer, base)?, 0),
    };
    transaction
        .prepare_cached("UPDATE lists SET taken = taken + ?2 WHERE list = ?1")?
        .execute(params![list, count])?;
    Ok(Slots { list, first })
}

fn add_list(transaction: &Transaction<'_>, issuer: &str, base: &str) -> rusqlite::Result<i64> {
    let secret = random::<32>()?;
    transaction.execute(
        "INSERT INTO lists (issuer, base, token_uri, bitstring_uri, secret, taken, closed, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6)",
        params![
            issuer,
            base,
            new_uri(base, "token")?,
            new_uri(base, "bitstring")?,
            secret,
            system_now().seconds()
        ],
    )?;
    let list = transaction.last_insert_rowid();
    let mut statement =
        transaction.prepare("INSERT INTO orders (list, part, indices) VALUES (?1, ?2, ?3)")?;
    for (part, indices) in (0..).zip(IndexOrder::new(&secret).parts()) {
        statement.execute(params![list, part, indices])?;
    }
    Ok(list)
}

/// A URI for a form of a list, in the folder of that form. It says nothing else about the list.
fn new_uri(base: &str, form: &str) -> rusqlite::Result<String> {
    let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
    Ok(match base {
        "" => format!("urn:uuid:{id}"),
        base => format!("{}/status/{form}/{id}.jwt", base.trim_end_matches('/')),
    })
}

/// Gives a list its suspension form, unless it has one.
pub(super) fn begin_suspension(transaction: &Transaction<'_>, list: i64) -> rusqlite::Result<()> {
    let base: Option<String> = transaction
        .prepare_cached("SELECT base FROM lists WHERE list = ?1 AND suspension_uri IS NULL")?
        .query_row([list], |row| row.get(0))
        .optional()?;
    if let Some(base) = base {
        transaction.execute(
            "UPDATE lists SET suspension_uri = ?2 WHERE list = ?1",
            params![list, new_uri(&base, "bitstring")?],
        )?;
    }
    Ok(())
}

/// A list as it is to be published.
#[derive(Debug)]
pub struct ListState {
    /// Its names.
    pub uris: ListUris,
    /// Whose list it is.
    pub issuer: String,
    /// The indices that are not active.
    pub entries: Vec<(u32, Status)>,
}

/// The numbers of all lists, in the order in which they were opened.
pub(super) fn numbers(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare("SELECT list FROM lists ORDER BY list")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// A list as it is to be published.
pub(super) fn state(connection: &Connection, number: i64) -> rusqlite::Result<ListState> {
    let uris = read_uris(connection, number)?;
    let issuer = connection
        .prepare_cached("SELECT issuer FROM lists WHERE list = ?1")?
        .query_row([number], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT first_slot + place, status FROM batches JOIN statuses USING (batch) WHERE list = ?1",
    )?;
    let slots = statement
        .query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(u32, Status)>>>()?;
    let mut lists = OpenLists::default();
    lists.keep(connection, slots.iter().map(|&(slot, _)| (number, slot..slot + 1)))?;
    let entries = slots.into_iter().map(|(slot, status)| (lists.place(number, slot).1, status)).collect();
    Ok(ListState { uris, issuer, entries })
}
