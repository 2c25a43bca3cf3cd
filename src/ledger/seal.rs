//! The seal: the ledger's one row that every transaction changes.
//!
//! It holds the tokens that tie the log to the file ([`super::log`]), and how many rows the
//! tables have that are looked through: a row that has become invisible leaves a number too high.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::checksum::{Checksum, contradiction};
use super::log::{Token, Tokens};
use super::mark::State;

/// Tables whose rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) runs: i64,
    pub(super) lists: i64,
    pub(super) statuses: i64,
    pub(super) closings: i64,
}

/// The seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) tokens: Tokens,
    pub(super) counts: Counts,
}

impl Seal {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Seal> {
        let sql = "SELECT token, before, runs, lists, statuses, closings, crc FROM seal";
        let (seal, crc) = connection.prepare_cached(sql)?.query_row([], |row| {
            let tokens = Tokens { token: row.get(0)?, before: row.get(1)? };
            let counts = Counts {
                runs: row.get(2)?,
                lists: row.get(3)?,
                statuses: row.get(4)?,
                closings: row.get(5)?,
            };
            Ok((Seal { tokens, counts }, row.get(6)?))
        })?;
        seal.checksum().must_be(crc, || "table `seal`".to_owned())?;
        Ok(seal)
    }

    fn checksum(&self) -> Checksum {
        let counts = &self.counts;
        let sums = Checksum::of("seal").bytes(&self.tokens.token).bytes(&self.tokens.before);
        sums.number(counts.runs).number(counts.lists).number(counts.statuses).number(counts.closings)
    }

    /// The seal of an empty ledger.
    pub(super) fn insert(connection: &Connection) -> rusqlite::Result<()> {
        let tokens = Tokens { token: super::random()?, before: super::random()? };
        let seal = Seal { tokens, counts: Counts::default() };
        connection.execute(
            "INSERT INTO seal VALUES (1, ?1, ?2, 0, 0, 0, 0, ?3)",
            params![seal.tokens.token, seal.tokens.before, seal.checksum().sum()],
        )?;
        Ok(())
    }

    /// Gives the transaction its token, and notes what it added. Called once in each, as the last
    /// of its changes.
    pub(super) fn renew(transaction: &Transaction<'_>, added: Counts) -> rusqlite::Result<Token> {
        let old = Seal::read(transaction)?;
        let counts = Counts {
            runs: old.counts.runs + added.runs,
            lists: old.counts.lists + added.lists,
            statuses: old.counts.statuses + added.statuses,
            closings: old.counts.closings + added.closings,
        };
        let tokens = Tokens { token: super::random()?, before: old.tokens.token };
        let seal = Seal { tokens, counts };
        transaction
            .prepare_cached(
                "UPDATE seal SET token = ?1, before = ?2, runs = ?3, lists = ?4, statuses = ?5, closings = ?6,
                                 crc = ?7",
            )?
            .execute(params![
                tokens.token,
                tokens.before,
                counts.runs,
                counts.lists,
                counts.statuses,
                counts.closings,
                seal.checksum().sum()
            ])?;
        Ok(tokens.token)
    }
}

/// How far a ledger has come.
pub(super) fn state(connection: &Connection) -> rusqlite::Result<State> {
    let closings = Seal::read(connection)?.counts.closings;
    let sql = "SELECT event, hash FROM events ORDER BY event DESC LIMIT 1";
    let last = connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get(0)?, row.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    Ok(match last {
        Some((event, hash)) => State { event, hash: half(&hash), closings },
        None => State { closings, ..State::NOTHING },
    })
}

/// Whether a state is the present one or was once.
pub(super) fn knows(connection: &Connection, state: &State) -> rusqlite::Result<bool> {
    if state.event == 0 {
        return Ok(true);
    }
    let found: Option<[u8; 32]> = connection
        .prepare_cached("SELECT hash FROM events WHERE event = ?1")?
        .query_row([state.event], |row| row.get(0))
        .optional()?;
    Ok(found.is_some_and(|hash| half(&hash) == state.hash))
}

fn half(hash: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| hash[at])
}

/// Reads several rows as they are at one moment, so that they fit together while others write: within the transaction
/// that is open, else in one of its own.
pub(super) fn in_one_snapshot<T>(
    connection: &Connection,
    read: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Deferred);
    let snapshot = connection.is_autocommit().then(begin).transpose()?;
    let outcome = read();
    drop(snapshot);
    outcome
}

/// Refuses a table in which other than so many rows were seen; both from one snapshot.
pub(super) fn must_count(table: &str, seen: i64, counted: i64) -> rusqlite::Result<()> {
    match seen == counted {
        true => Ok(()),
        false => {
            Err(contradiction(format!("table `{table}` shows {seen} rows, and the ledger counted {counted}")))
        }
    }
}
