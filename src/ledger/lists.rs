//! Status lists: which there are, and which slots they gave.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::allocation::{IndexOrder, ROLL_AT, index_in, is_whole, parts_of};
use super::batches::{Slots, StoredBatch};
use super::checksum::{Checksum, contradiction};
use super::rows::{ListRow, OrderRow};
use super::seal::{Counts, Seal, must_count};
use super::store::{Store, Stored, in_one_snapshot};
use super::{corrupt, next, random, statuses};
use crate::clock::system_now;
use crate::credential::{ListUris, Status};

/// How many lists are kept open: as many as machines give from at once, with some to spare.
const LISTS_KEPT: usize = 16;

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
        store: &dyn Store,
        needed: impl IntoIterator<Item = (i64, Range<u32>)>,
    ) -> Stored<()> {
        self.forget_oldest();
        let mut current = HashSet::new();
        for (number, slots) in needed {
            if current.insert(number) {
                self.open(number, ListRow::of(store, number)?.uris());
            }
            let list = self.0.iter_mut().find(|list| list.number == number).ok_or_else(corrupt)?;
            for part in parts_of(slots) {
                if let Entry::Vacant(entry) = list.parts.entry(part) {
                    entry.insert(read_part(store, number, part)?);
                }
            }
        }
        Ok(())
    }

    /// Has these slots of a list at hand, given its sound row: its order follows from the secret.
    pub(super) fn keep_granted(&mut self, row: &ListRow, slots: Range<u32>) {
        self.forget_oldest();
        self.open(row.list, row.uris());
        let list = self.0.iter_mut().find(|list| list.number == row.list).expect("it was opened");
        if !parts_of(slots).all(|part| list.parts.contains_key(&part)) {
            list.parts = (0..).zip(IndexOrder::new(&row.secret).parts()).collect();
        }
    }

    /// The lists that are at hand.
    pub(super) fn numbers(&self) -> impl ExactSizeIterator<Item = i64> {
        self.0.iter().map(|list| list.number)
    }

    /// Forgets those that were opened first, if there are too many.
    fn forget_oldest(&mut self) {
        let surplus = self.0.len().saturating_sub(LISTS_KEPT);
        self.0.drain(..surplus);
    }

    fn open(&mut self, number: i64, uris: ListUris) {
        match self.0.iter_mut().find(|list| list.number == number) {
            Some(known) if *known.uris == uris => {}
            // It may have another form by now. Another list of this number, of a ledger that was put back, has
            // another order.
            Some(known) if known.uris.token == uris.token => known.uris = Arc::new(uris),
            Some(known) => *known = OpenList { number, uris: Arc::new(uris), parts: HashMap::new() },
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

impl ListRow {
    /// The row of this list, as it was written.
    fn of(store: &dyn Store, list: i64) -> Stored<ListRow> {
        let missing = || contradiction(format!("table `lists`, list {list} is missing"));
        let row = store.list(list)?.ok_or_else(missing)?;
        row.must_be_sound()?;
        Ok(row)
    }

    /// Refuses a row that is not what was written.
    pub(super) fn must_be_sound(&self) -> Stored<()> {
        self.checksum().must_be(self.crc, || format!("table `lists`, list {}", self.list))
    }

    fn uris(&self) -> ListUris {
        ListUris {
            token: self.token_uri.clone(),
            bitstring: self.bitstring_uri.clone(),
            suspension: self.suspension_uri.clone(),
        }
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("lists").number(self.list).text(&self.issuer).text(&self.base);
        let sums = sums.text(&self.token_uri).text(&self.bitstring_uri);
        let sums = sums.optional(self.suspension_uri.as_deref());
        let sums = sums.bytes(&self.secret).number(self.taken.into()).number(self.closed.into());
        sums.number(self.opened_at)
    }

    /// The row with the checksum of what it says now.
    pub(super) fn sealed(self) -> ListRow {
        ListRow { crc: self.checksum().sum(), ..self }
    }

    /// Refuses a counter that is not where the list's last batch ends.
    fn must_fit_batches(&self, store: &dyn Store) -> Stored<()> {
        let end = store.end_of_batches(self.list)?.unwrap_or(0);
        match end == self.taken {
            true => Ok(()),
            false => Err(contradiction(format!(
                "table `lists`, list {}: {} places are taken, and its last batch ends at {end}",
                self.list, self.taken,
            ))),
        }
    }
}

fn part_checksum(list: i64, part: u32, indices: &[u8]) -> Checksum {
    Checksum::of("orders").number(list).number(part.into()).bytes(indices)
}

fn read_part(store: &dyn Store, list: i64, part: u32) -> Stored<Vec<u8>> {
    let missing = || contradiction(format!("table `orders`, list {list}, part {part} is missing"));
    let row = store.order_part(list, part)?.ok_or_else(missing)?;
    part_checksum(list, part, &row.indices)
        .must_be(row.crc, || format!("table `orders`, list {list}, part {part}"))?;
    if is_whole(part, &row.indices) { Ok(row.indices) } else { Err(corrupt()) }
}

/// The row of this list, as it was written.
pub(super) fn of(store: &dyn Store, list: i64) -> Stored<ListRow> {
    ListRow::of(store, list)
}

/// The lists whose order is kept as another than their secret gives.
pub(super) fn with_other_order(store: &dyn Store) -> Stored<Vec<i64>> {
    let mut found = Vec::new();
    for number in numbers(store)? {
        let secret = store.list(number)?.ok_or_else(corrupt)?.secret;
        let kept = store.order_of(number)?.into_iter().map(|row| row.indices);
        if !IndexOrder::new(&secret).parts().eq(kept) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Takes slots from the issuer's current list, or from a new one once three quarters of that are
/// taken. A whole batch goes into one list: the last one may pass the mark, by less than the
/// quarter that is left.
pub(super) fn take_slots(store: &dyn Store, issuer: &str, base: &str, count: u32) -> Stored<(Slots, Counts)> {
    let mut added = Counts::default();
    let list = match store.open_list(issuer, base, ROLL_AT)? {
        Some(list) => list,
        None => {
            added.lists = 1;
            add_list(store, issuer, base)?
        }
    };
    let mut row = ListRow::of(store, list)?;
    row.must_fit_batches(store)?;
    if (row.closed, row.taken >= ROLL_AT, row.issuer.as_str(), row.base.as_str())
        != (false, false, issuer, base)
    {
        return Err(contradiction(format!("table `lists`, list {list} is not what its row says")));
    }
    let first = row.taken;
    row.taken += count;
    store.claim_slots(list, first..row.taken)?;
    store.update_list(&row.sealed())?;
    Ok((Slots { list, first }, added))
}

/// Adds a list, and gives its number.
pub(super) fn add_list(store: &dyn Store, issuer: &str, base: &str) -> Stored<i64> {
    let row = ListRow {
        list: next(store.last_list()?)?,
        issuer: issuer.to_owned(),
        base: base.to_owned(),
        token_uri: new_uri(base, "token")?,
        bitstring_uri: new_uri(base, "bitstring")?,
        suspension_uri: None,
        secret: random::<32>()?,
        taken: 0,
        closed: false,
        opened_at: system_now().seconds(),
        crc: 0,
    };
    let row = row.sealed();
    store.insert_list(&row)?;
    for (part, indices) in (0..).zip(IndexOrder::new(&row.secret).parts()) {
        let crc = part_checksum(row.list, part, &indices).sum();
        store.insert_order_part(&OrderRow { list: row.list, part, indices, crc })?;
    }
    Ok(row.list)
}

/// Closes all lists that are open, and says how many. Their rows need not agree with the batches: they are not
/// given from any more.
pub(super) fn close_open(store: &dyn Store) -> Stored<u64> {
    let mut closed = 0;
    for number in store.list_numbers()? {
        let mut row = ListRow::of(store, number)?;
        if !row.closed {
            row.closed = true;
            store.update_list(&row.sealed())?;
            closed += 1;
        }
    }
    Ok(closed)
}

/// A URI for a form of a list, in the folder of that form. It says nothing else about the list.
fn new_uri(base: &str, form: &str) -> Stored<String> {
    let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
    Ok(match base {
        "" => format!("urn:uuid:{id}"),
        base => format!("{}/status/{form}/{id}.jwt", base.trim_end_matches('/')),
    })
}

/// Gives a list its suspension form, unless it has one.
pub(super) fn begin_suspension(store: &dyn Store, list: i64) -> Stored<()> {
    let mut row = ListRow::of(store, list)?;
    if row.suspension_uri.is_none() {
        row.suspension_uri = Some(new_uri(&row.base, "bitstring")?);
        store.update_list(&row.sealed())?;
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
    /// Whether it is closed: it was open when the ledger was restored, or when closing was asked for.
    pub closed: bool,
    /// The indices that are not active.
    pub entries: Vec<(u32, Status)>,
}

/// The numbers of all lists, in the order in which they were opened.
pub(super) fn numbers(store: &dyn Store) -> Stored<Vec<i64>> {
    in_one_snapshot(store, || {
        let numbers = store.list_numbers()?;
        must_count("lists", numbers.len() as i64, Seal::read(store)?.counts.lists)?;
        Ok(numbers)
    })
}

/// Goes through all rows of lists and their orders: `problem` is told of each that is not what was written.
pub(super) fn verify(store: &dyn Store, mut problem: impl FnMut(String)) -> Stored<()> {
    for number in numbers(store)? {
        let outcome = ListRow::of(store, number).and_then(|row| row.must_fit_batches(store));
        outcome.unwrap_or_else(|error| problem(error.to_string()));
        for OrderRow { list, part, indices, crc } in store.order_of(number)? {
            let named = || format!("table `orders`, list {list}, part {part}");
            let told = part_checksum(list, part, &indices).must_be(crc, named);
            told.unwrap_or_else(|error| problem(error.to_string()));
        }
    }
    Ok(())
}

/// A list as it is to be published.
pub(super) fn state(store: &dyn Store, number: i64) -> Stored<ListState> {
    let row = ListRow::of(store, number)?;
    let mut slots = Vec::new();
    for batch in store.batches_with_statuses(number)? {
        let first = StoredBatch::of(store, batch)?.slots.first;
        let statuses_of_batch = statuses::of_batch(store, batch)?;
        slots.extend(statuses_of_batch.into_iter().map(|(place, current)| (first + place, current.status)));
    }
    let mut lists = OpenLists::default();
    lists.keep(store, slots.iter().map(|&(slot, _)| (number, slot..slot + 1)))?;
    let entries = slots.into_iter().map(|(slot, status)| (lists.place(number, slot).1, status)).collect();
    Ok(ListState { uris: row.uris(), closed: row.closed, issuer: row.issuer, entries })
}
