//! Granting: one statement, which is a transaction of its own, and calls the function `grant_slots` of the schema.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::fitness::{asynchronous, is_durable};
use super::line::{Statement, Value, server_error};
use super::read::{LIST, array, read_list, short};
use super::{PostgresStore, bytes, number, text, value};
use crate::ledger::allocation::ROLL_AT;
use crate::ledger::checksum::contradiction;
use crate::ledger::identity::FileId;
use crate::ledger::lanes::{Generation, Granted, GrantedSlots, Hash, Lanes, Order, Patience, PendingRow};
use crate::ledger::retry::Retry;
use crate::ledger::store::{ServerFault, Store, StoreError, Stored};
use crate::request::ItemKey;

/// The constraint that lets an item be granted once.
const GUARDS: &str = "guards_pkey";

impl PostgresStore {
    fn granting_once(&self, order: &Order<'_>, patience: Patience) -> Stored<Granted> {
        let (run, keys) = order.guards.clone().unwrap_or_default();
        let keys: Vec<Uuid> = keys.into_iter().map(Uuid::from_bytes).collect();
        let values = vec![
            text(order.issuer),
            text(order.base),
            number(ROLL_AT.into()),
            number(order.count.into()),
            bytes(&order.digest),
            value(order.ticket, Type::UUID),
            bytes(&order.body),
            value(run, Type::UUID),
            value(keys, Type::UUID_ARRAY),
            value(patience == Patience::Wait, Type::BOOL),
            value(order.known.clone(), Type::INT8_ARRAY),
        ];
        let values = values.into_iter().chain(self.generation(order)).collect();
        let sql = format!(
            "SELECT {}, g.first, g.before, g.after
             FROM beltic.grant_slots($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) g",
            columns_of_list("(g.lane)")
        );
        let rows = self.ask(sql, values)?;
        match rows.first() {
            Some(row) => granted(row, |at| Ok(Some((array(row, at)?, array(row, at + 1)?)))),
            None => self.why_nothing_was_granted(order),
        }
    }

    /// What the function `is_fit` takes.
    fn generation(&self, order: &Order<'_>) -> [Value; 5] {
        let Generation { id, home, closings } = order.generation;
        let unguarded = value(self.is_unguarded.get(), Type::BOOL);
        [bytes(&id), number(home.inode), number(home.born), number(closings), unguarded]
    }

    fn why_nothing_was_granted(&self, order: &Order<'_>) -> Stored<Granted> {
        let sql = format!("SELECT {}, beltic.is_fit($3, $4, $5, $6, $7), {OPEN_LANES}", is_durable());
        let values = [text(order.issuer), text(order.base)].into_iter().chain(self.generation(order));
        let rows = self.ask(sql, values.collect())?;
        let row = rows.first().ok_or_else(crate::ledger::corrupt)?;
        match (row.try_get(0)?, row.try_get(1)?) {
            (false, _) => Err(asynchronous()),
            (true, false) => Ok(Granted::Unsettled),
            (true, true) => Ok(Granted::NoLane(short(row, 2)?)),
        }
    }

    /// The grant of a ticket, where it was carried out.
    fn granted_before(&self, order: &Order<'_>) -> Stored<Option<Granted>> {
        let columns = columns_of_list("s");
        let sql = format!(
            "SELECT {columns}, t.first_slot FROM beltic.slots t JOIN beltic.lists s USING (list)
             WHERE t.ticket = $1 AND t.end_slot - t.first_slot = $2"
        );
        let rows = self.ask(sql, vec![value(order.ticket, Type::UUID), number(order.count.into())])?;
        if !rows.is_empty() {
            self.wait_for_standbys()?;
        }
        rows.first().map(|row| granted(row, |_| Ok(None))).transpose()
    }
}

/// How many lanes of the issuer `$1` and the base URL `$2` are open and not full.
const OPEN_LANES: &str = "(SELECT count(*) FROM beltic.lanes WHERE issuer = $1 AND base = $2 AND NOT closed)";

/// The columns of a list, in their order.
fn columns_of_list(list: &str) -> String {
    LIST.split(", ").map(|column| format!("{list}.{column}")).collect::<Vec<_>>().join(", ")
}

/// The slots in a row: a list, the first slot, and the seals from this column on, where they were asked for.
fn granted(row: &Row, seals: impl Fn(usize) -> Stored<Option<(Hash, Hash)>>) -> Stored<Granted> {
    let columns = LIST.split(", ").count();
    let (list, first) = (read_list(row)?, short(row, columns)?);
    Ok(Granted::Slots(Box::new(GrantedSlots { list, first, seals: seals(columns + 1)? })))
}

impl Lanes for PostgresStore {
    fn home(&self) -> Stored<FileId> {
        Ok(self.home.get())
    }

    fn most(&self) -> u32 {
        self.address.lanes
    }

    fn wait(&self) -> std::time::Duration {
        self.address.wait
    }

    fn grant(&self, order: &Order<'_>, patience: Patience) -> Stored<Granted> {
        let mut retry = Retry::default();
        let mut is_in_doubt = false;
        loop {
            let outcome = match is_in_doubt {
                true => self.granted_before(order).and_then(|found| match found {
                    Some(granted) => Ok(granted),
                    None => self.granting_once(order, patience),
                }),
                false => self.granting_once(order, patience),
            };
            let error = match outcome {
                Err(StoreError::Server(error)) => error,
                outcome => return outcome,
            };
            if error.fault == ServerFault::Taken {
                // It may be this grant itself that is there, from a time when its answer was lost.
                if let Some(granted) = self.granted_before(order)? {
                    return Ok(granted);
                }
                return match error.constraint.as_deref() {
                    Some(GUARDS) => Ok(Granted::Before),
                    _ => Err(StoreError::Damaged(error.into())),
                };
            }
            is_in_doubt |= matches!(error.fault, ServerFault::Lost | ServerFault::Unreachable);
            if !retry.is_worth_waiting(error.fault, self.address.wait) {
                return Err(StoreError::Server(error));
            }
        }
    }

    fn open_lanes(&self, issuer: &str, base: &str) -> Stored<u32> {
        let rows = self.ask(format!("SELECT {OPEN_LANES}"), vec![text(issuer), text(base)])?;
        short(rows.first().ok_or_else(crate::ledger::corrupt)?, 0)
    }

    fn insert_lane(&self, list: i64, issuer: &str, base: &str, seal: Hash) -> Stored<()> {
        self.tell(
            "INSERT INTO beltic.lanes (list, issuer, base, given, seal, entered, closed)
             VALUES ($1, $2, $3, 0, $4, $4, false)",
            vec![number(list), text(issuer), text(base), bytes(&seal)],
            0,
        )
    }

    fn pending(&self, bytes: u64) -> Stored<Vec<PendingRow>> {
        // A lane that has given more than is entered has grants.
        let sql = "SELECT list, p.first_slot, p.end_slot, p.body, l.entered, l.given, l.seal, p.of
                   FROM beltic.lanes l JOIN beltic.lists s USING (list) LEFT JOIN (
                       SELECT *, count(*) OVER () AS of,
                           sum(length(body)) OVER (ORDER BY list, first_slot) - length(body) AS before
                       FROM beltic.pending
                   ) p USING (list)
                   WHERE p.before < $1 OR p.first_slot IS NULL AND l.given <> s.taken
                   ORDER BY list, p.first_slot";
        let rows = self.ask(sql, vec![number(bytes as i64)])?;
        let read = |row: &Row| {
            let list: i64 = row.try_get(0)?;
            let missing = || contradiction(format!("table `pending`: the grants of list {list} are missing"));
            Ok(PendingRow {
                of: row.try_get::<_, Option<i64>>(7)?.ok_or_else(missing)?.unsigned_abs(),
                list,
                first: short(row, 1)?,
                end: short(row, 2)?,
                body: row.try_get(3)?,
                entered: array(row, 4)?,
                given: short(row, 5)?,
                seal: array(row, 6)?,
            })
        };
        rows.iter().map(read).collect()
    }

    fn note_entered(&self, list: i64, seal: Hash, end: u32) -> Stored<()> {
        let values = vec![number(list), bytes(&seal)];
        self.tell("UPDATE beltic.lanes SET entered = $2 WHERE list = $1", values, 0)?;
        let values = vec![number(list), number(end.into())];
        self.tell("DELETE FROM beltic.pending WHERE list = $1 AND first_slot < $2", values, 0)
    }

    fn insert_guards(&self, of: Uuid, keys: &[ItemKey]) -> Stored<()> {
        let keys: Vec<Uuid> = keys.iter().copied().map(Uuid::from_bytes).collect();
        let values = vec![value(of, Type::UUID), value(keys, Type::UUID_ARRAY)];
        let sql = "INSERT INTO beltic.guards (run, key) SELECT $1, key FROM unnest($2::uuid[]) AS key";
        self.send(vec![Statement::new(sql, values)]).map(drop)
    }

    fn has_guard(&self, of: Uuid, key: &ItemKey) -> Stored<bool> {
        let values = vec![value(of, Type::UUID), value(Uuid::from_bytes(*key), Type::UUID)];
        let rows =
            self.ask("SELECT EXISTS (SELECT FROM beltic.guards WHERE run = $1 AND key = $2)", values)?;
        rows.first().map_or(Ok(false), |row| Ok(row.try_get(0)?))
    }
}

impl PostgresStore {
    /// How many credentials were granted and are not entered.
    pub(super) fn unentered(&self) -> Stored<u64> {
        let sql = "SELECT coalesce(sum(end_slot - first_slot), 0)::bigint FROM beltic.pending";
        let rows = self.ask(sql, Vec::new())?;
        Ok(rows.first().ok_or_else(crate::ledger::corrupt)?.try_get::<_, i64>(0)?.unsigned_abs())
    }

    /// Waits until whoever has to have it has all that is seen here. What a commit left that is not confirmed is seen
    /// here before a synchronous standby has it; a later commit is confirmed after both.
    fn wait_for_standbys(&self) -> Stored<()> {
        let token: [u8; 16] = crate::ledger::random()?;
        self.ask("INSERT INTO beltic.commits (token) VALUES ($1)", vec![bytes(&token)]).map(drop)
    }

    /// Whether a token is that of a transaction that was committed. Where its fate is open still, that is waited for:
    /// it holds the lock that is taken here. Whoever is not told must not repeat it.
    pub(super) fn was_committed(&self, token: &[u8]) -> Stored<bool> {
        let mut retry = Retry::default();
        loop {
            match self.was_committed_now(token) {
                Ok(true) => return self.wait_for_standbys().map(|()| true),
                Ok(false) => return Ok(false),
                Err(error) => {
                    let fault = error.fault().unwrap_or(ServerFault::Other);
                    if !retry.is_worth_waiting(fault, self.address.wait) {
                        return Err(server_error(
                            ServerFault::Waited,
                            "nobody knows whether it has recorded the batch",
                        ));
                    }
                }
            }
        }
    }

    fn was_committed_now(&self, token: &[u8]) -> Stored<bool> {
        self.begin_plain()?;
        let locked = self.ask("SELECT FROM beltic.seal FOR UPDATE", Vec::new());
        let found = locked.and_then(|_| {
            self.ask("SELECT EXISTS (SELECT FROM beltic.commits WHERE token = $1)", vec![bytes(token)])
        });
        self.roll_back();
        let rows = found?;
        Ok(rows.first().ok_or_else(|| server_error(ServerFault::Other, "no answer"))?.try_get(0)?)
    }
}
