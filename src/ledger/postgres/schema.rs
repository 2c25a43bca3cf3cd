//! The tables, in the schema `beltic` of the database.
//!
//! They are those of a ledger in a file, with two differences: numbers are all of eight bytes, and recording by several
//! machines has tables of its own ([`crate::ledger::lanes`]): `lanes`, `slots`, `pending`, `guards`. `commits` has the
//! tokens of the last transactions, for whoever lost the answer to a commit.

use super::PostgresStore;
use super::address::ServerAddress;
use super::fitness::{is_durable, timeline};
use super::line::Statement;
use super::opening::shown;
use crate::ledger::LedgerError;
use crate::ledger::checksum::contradiction;
use crate::ledger::identity::{FileId, Identity};
use crate::ledger::seal::Seal;
use crate::ledger::sqlite::FORMAT_VERSION;
use crate::ledger::store::{Store, Stored};

/// What is locked while the tables are made; any number does that nobody else takes.
const MAKING: i64 = 0x626c_7469;

const TABLES: &[&str] = &[
    "CREATE TABLE beltic.seal (
        one bigint PRIMARY KEY CHECK (one = 1),
        token bytea NOT NULL CHECK (length(token) = 16),
        before bytea NOT NULL CHECK (length(before) = 16),
        runs bigint NOT NULL,
        lists bigint NOT NULL,
        statuses bigint NOT NULL,
        closings bigint NOT NULL,
        scopes bigint NOT NULL,
        crc bigint NOT NULL
    ) WITH (fillfactor = 20)",
    "CREATE TABLE beltic.ledger (
        one bigint PRIMARY KEY CHECK (one = 1),
        format bigint NOT NULL,
        id bytea NOT NULL CHECK (length(id) = 16),
        hash_key bytea NOT NULL CHECK (length(hash_key) = 32),
        created_at bigint NOT NULL,
        home_inode bigint NOT NULL,
        home_born bigint NOT NULL,
        moved_to text,
        crc bigint NOT NULL
    )",
    "CREATE TABLE beltic.commits (token bytea PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE beltic.closings (
        closing bigint PRIMARY KEY,
        at bigint NOT NULL,
        event bigint NOT NULL,
        reasons text NOT NULL,
        lists bigint NOT NULL,
        crc bigint NOT NULL
    )",
    "CREATE TABLE beltic.schemas (
        issuer text NOT NULL,
        credential_type text NOT NULL,
        vct text NOT NULL,
        source bytea NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        document bytea NOT NULL,
        crc bigint NOT NULL,
        PRIMARY KEY (issuer, credential_type, version)
    )",
    "CREATE TABLE beltic.scopes (
        scope bigint PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('key', 'register')),
        name text NOT NULL,
        issuer text NOT NULL,
        rule text NOT NULL,
        created_at bigint NOT NULL,
        version bigint NOT NULL,
        entries bigint NOT NULL,
        sum bigint NOT NULL,
        crc bigint NOT NULL,
        UNIQUE (kind, name)
    )",
    "CREATE TABLE beltic.segments (
        segment bigint PRIMARY KEY,
        scope bigint NOT NULL REFERENCES beltic.scopes,
        node bigint NOT NULL CHECK (node > 0),
        count bigint NOT NULL CHECK (count > 0),
        filter_crc bigint NOT NULL,
        entries_crc bigint NOT NULL,
        filter bytea NOT NULL,
        entries bytea NOT NULL CHECK (length(entries) = count * 24)
    )",
    "ALTER TABLE beltic.segments ALTER filter SET STORAGE EXTERNAL, ALTER entries SET STORAGE EXTERNAL",
    "CREATE INDEX segments_by_scope ON beltic.segments (scope)",
    "CREATE TABLE beltic.runs (
        run bigint PRIMARY KEY,
        name text NOT NULL,
        credential_type text NOT NULL,
        issuer text NOT NULL,
        kid text NOT NULL,
        proof_format text NOT NULL,
        vct text NOT NULL,
        context text NOT NULL,
        ttl text NOT NULL,
        disclosure text NOT NULL,
        scope bigint REFERENCES beltic.scopes,
        started_at bigint NOT NULL,
        crc bigint NOT NULL,
        batches bigint NOT NULL,
        UNIQUE (name, credential_type)
    )",
    "CREATE TABLE beltic.lists (
        list bigint PRIMARY KEY,
        issuer text NOT NULL,
        base text NOT NULL,
        token_uri text NOT NULL UNIQUE,
        bitstring_uri text NOT NULL UNIQUE,
        suspension_uri text UNIQUE,
        secret bytea NOT NULL CHECK (length(secret) = 32),
        taken bigint NOT NULL CHECK (taken BETWEEN 0 AND 131072),
        closed boolean NOT NULL,
        opened_at bigint NOT NULL,
        crc bigint NOT NULL
    ) WITH (fillfactor = 20)",
    "CREATE TABLE beltic.orders (
        list bigint NOT NULL REFERENCES beltic.lists,
        part bigint NOT NULL,
        crc bigint NOT NULL,
        indices bytea NOT NULL,
        PRIMARY KEY (list, part)
    )",
    "ALTER TABLE beltic.orders ALTER indices SET STORAGE EXTERNAL",
    "CREATE TABLE beltic.lanes (
        list bigint PRIMARY KEY REFERENCES beltic.lists,
        issuer text NOT NULL,
        base text NOT NULL,
        given bigint NOT NULL CHECK (given BETWEEN 0 AND 131072),
        seal bytea NOT NULL CHECK (length(seal) = 32),
        entered bytea NOT NULL CHECK (length(entered) = 32),
        closed boolean NOT NULL
    ) WITH (fillfactor = 20)",
    "CREATE INDEX lanes_that_give ON beltic.lanes (issuer, base) WHERE NOT closed",
    // Every range of slots that was ever given. One that does not begin at 0 begins where another one ends, and no two
    // begin or end at one place, so that none overlaps another.
    "CREATE TABLE beltic.slots (
        ticket uuid PRIMARY KEY,
        list bigint NOT NULL,
        first_slot bigint NOT NULL CHECK (first_slot >= 0),
        end_slot bigint NOT NULL CHECK (end_slot > first_slot AND end_slot <= 131072),
        follows bigint GENERATED ALWAYS AS (nullif(first_slot, 0)) STORED,
        UNIQUE (list, first_slot),
        UNIQUE (list, end_slot),
        FOREIGN KEY (list, follows) REFERENCES beltic.slots (list, end_slot)
    )",
    "CREATE TABLE beltic.pending (
        list bigint NOT NULL,
        first_slot bigint NOT NULL,
        end_slot bigint NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (list, first_slot)
    )",
    "ALTER TABLE beltic.pending ALTER body SET STORAGE EXTERNAL",
    "CREATE TABLE beltic.guards (run uuid NOT NULL, key uuid NOT NULL, PRIMARY KEY (run, key))",
    "CREATE TABLE beltic.batches (
        batch bigint PRIMARY KEY,
        run bigint NOT NULL REFERENCES beltic.runs,
        first_position bigint NOT NULL,
        list bigint NOT NULL REFERENCES beltic.lists,
        first_slot bigint NOT NULL,
        id_millis bigint NOT NULL,
        count bigint NOT NULL CHECK (count > 0 AND first_slot + count <= 131072),
        crc bigint NOT NULL,
        attestation_type text,
        opening bigint,
        records bytea NOT NULL CHECK (length(records) = count * 74),
        issued_first bigint NOT NULL,
        issued_last bigint NOT NULL,
        expires_first bigint NOT NULL,
        expires_last bigint NOT NULL,
        UNIQUE (list, first_slot)
    )",
    "ALTER TABLE beltic.batches ALTER records SET STORAGE EXTERNAL",
    "CREATE INDEX batches_by_position ON beltic.batches (run, first_position)",
    "CREATE INDEX batches_by_id ON beltic.batches (id_millis)",
    "CREATE INDEX batches_by_opening ON beltic.batches (opening) WHERE opening IS NOT NULL",
    "CREATE TABLE beltic.statuses (
        batch bigint NOT NULL REFERENCES beltic.batches,
        place bigint NOT NULL,
        status text NOT NULL CHECK (status IN ('suspended', 'revoked')),
        since bigint NOT NULL,
        reason text,
        cause text,
        crc bigint NOT NULL,
        PRIMARY KEY (batch, place)
    )",
    "CREATE TABLE beltic.events (
        event bigint PRIMARY KEY,
        at bigint NOT NULL,
        kind text NOT NULL
            CHECK (kind IN ('issued', 'replayed', 'adopted', 'revoked', 'suspended', 'reinstated')),
        batch bigint NOT NULL REFERENCES beltic.batches,
        place bigint,
        reason text,
        places bytea,
        entries bytea CHECK (length(entries) = 16),
        cause text,
        hash bytea NOT NULL CHECK (length(hash) = 32)
    )",
    "CREATE INDEX events_by_batch ON beltic.events (batch)",
];

/// The function that says whether the server is fit for the ledger, of which nothing has changed that a process relies
/// on: what is asked of it is in [`super`].
fn is_fit() -> String {
    let (durable, timeline) = (is_durable(), timeline());
    format!(
        "CREATE FUNCTION beltic.is_fit(of_id bytea, inode bigint, born bigint, of_closings bigint, unguarded boolean)
        RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT {durable} THEN
                RETURN false;
            END IF;
            IF NOT EXISTS (SELECT FROM beltic.ledger l, beltic.seal s WHERE l.moved_to IS NULL AND l.id = of_id
                AND l.home_inode = inode AND l.home_born = born AND s.closings = of_closings)
            THEN
                RETURN false;
            END IF;
            RETURN unguarded OR (SELECT (inode, born) = (system_identifier, {timeline}) FROM pg_control_system());
        END $$"
    )
}

/// Grants: it takes a lane, moves it on, seals it, and keeps what is granted; nothing of that where no lane can be taken
/// or the server is not fit. It is a function because a server plans what is in one once for each connection; planning
/// takes longer than all the rest.
///
/// It locks one lane only: two processes that each held one and waited for the other's would block each other.
const GRANT_SLOTS: &str = "
CREATE FUNCTION beltic.grant_slots(
    of_issuer text, of_base text, roll_at bigint, wanted bigint, digest bytea, new_ticket uuid, new_body bytea,
    guarded uuid, keys uuid[], patient boolean, known bigint[],
    of_id bytea, inode bigint, born bigint, of_closings bigint, unguarded boolean
) RETURNS TABLE (lane beltic.lists, first bigint, before bytea, after bytea) LANGUAGE plpgsql ROWS 1 AS $$
DECLARE
    of_list bigint;
BEGIN
    IF NOT beltic.is_fit(of_id, inode, born, of_closings, unguarded) THEN
        RETURN;
    END IF;
    IF patient THEN
        SELECT l.list INTO of_list FROM beltic.lanes l
            WHERE l.issuer = of_issuer AND l.base = of_base AND NOT l.closed ORDER BY random() LIMIT 1;
        SELECT l.list, l.given, l.seal INTO of_list, first, before FROM beltic.lanes l
            WHERE l.list = of_list AND NOT l.closed FOR UPDATE;
    ELSE
        -- One that the process knows, else the first one that is free, so that few machines fill few lists.
        SELECT l.list, l.given, l.seal INTO of_list, first, before FROM beltic.lanes l
            WHERE l.issuer = of_issuer AND l.base = of_base AND NOT l.closed
            ORDER BY l.list <> ALL (known), l.list LIMIT 1 FOR UPDATE SKIP LOCKED;
    END IF;
    IF of_list IS NULL THEN
        RETURN;
    END IF;
    after := sha256(before || int8send(first) || int8send(wanted) || digest);
    UPDATE beltic.lanes l SET given = first + wanted, seal = after, closed = first + wanted >= roll_at
        WHERE l.list = of_list;
    INSERT INTO beltic.slots (ticket, list, first_slot, end_slot)
        VALUES (new_ticket, of_list, first, first + wanted);
    INSERT INTO beltic.pending (list, first_slot, end_slot, body)
        VALUES (of_list, first, first + wanted, new_body);
    INSERT INTO beltic.guards (run, key) SELECT guarded, key FROM unnest(keys) AS key;
    SELECT * INTO lane FROM beltic.lists l WHERE l.list = of_list;
    RETURN NEXT;
END $$";

/// The format of the ledger in this database; `None` where there is none.
pub(super) fn format_of(store: &PostgresStore) -> Stored<Option<i64>> {
    // The schema may be there without its tables, or without a right to see them. The catalogue is read, not asked for a
    // name: the server remembers that a name was not there, also while this waits for somebody who makes it.
    let sql = "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                              WHERE nspname = 'beltic' AND relname = 'ledger')";
    let found = store.ask(sql, Vec::new())?;
    let is_there: bool = found.first().ok_or_else(crate::ledger::corrupt)?.try_get(0)?;
    if !is_there {
        return Ok(None);
    }
    let rows = store.ask("SELECT format FROM beltic.ledger", Vec::new())?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}

/// Makes a ledger where there is none. Several may do so at once: then one of them does.
pub(super) fn create(store: &PostgresStore, home: FileId) -> Stored<()> {
    fill_tables(store, || {
        Seal::insert(store)?;
        Identity::new(home)?.insert(store)
    })
    .map(drop)
}

/// Makes the tables, and has them filled. `false` where there are some already.
pub(super) fn fill_tables(store: &PostgresStore, fill: impl FnOnce() -> Stored<()>) -> Stored<bool> {
    store.begin_plain()?;
    let filled = fill_tables_within(store, fill);
    match filled {
        Ok(true) => store.commit_plain().map(|()| true),
        outcome => {
            store.roll_back();
            outcome
        }
    }
}

fn fill_tables_within(store: &PostgresStore, fill: impl FnOnce() -> Stored<()>) -> Stored<bool> {
    store.ask("SELECT pg_advisory_xact_lock($1)", vec![super::number(MAKING)])?;
    if format_of(store)?.is_some() {
        return Ok(false);
    }
    store.ask("CREATE SCHEMA IF NOT EXISTS beltic", Vec::new())?;
    let tables = TABLES.iter().map(|table| (*table).to_owned());
    let all = tables.chain([is_fit(), GRANT_SLOTS.to_owned()]);
    store.send(all.map(|sql| Statement::new(sql, Vec::new())).collect())?;
    fill()?;
    Ok(true)
}

/// Removes the tables of a copy of the ledger of this id that was never in use, and nothing else.
pub(super) fn remove(store: &PostgresStore, id: [u8; 16]) -> Stored<()> {
    store.begin_plain()?;
    store.ask("LOCK TABLE beltic.ledger", Vec::new()).inspect_err(|_| store.roll_back())?;
    let found = Identity::read(store).inspect_err(|_| store.roll_back())?;
    if found.id != id || found.moved_to.as_deref() != Some("") {
        store.roll_back();
        return Err(contradiction("the copy is in use meanwhile"));
    }
    store.ask("DROP SCHEMA beltic CASCADE", Vec::new()).inspect_err(|_| store.roll_back())?;
    store.commit_plain()
}

/// Refuses a format that this program does not know.
pub(super) fn must_be_known(found: i64, address: &ServerAddress) -> Result<(), LedgerError> {
    match found == FORMAT_VERSION {
        true => Ok(()),
        false => Err(LedgerError::Version { path: shown(address), found, known: FORMAT_VERSION }),
    }
}

/// What is wrong with how rows are kept: constraints that were switched off, and lanes that do not fit their lists.
pub(super) fn problems(store: &PostgresStore) -> Stored<Vec<String>> {
    let text = |sql: &str| -> Stored<Vec<String>> {
        let rows = store.ask(sql, Vec::new())?;
        rows.iter().map(|row| Ok(row.try_get::<_, String>(0)?)).collect()
    };
    let mut problems = text(
        "SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' is not enforced' FROM pg_constraint
         WHERE connamespace = 'beltic'::regnamespace AND NOT convalidated",
    )?;
    problems.extend(text(
        "SELECT 'list ' || one.list || ': slots from ' || one.first_slot || ' on do not follow others'
         FROM beltic.slots one LEFT JOIN beltic.slots before
           ON before.list = one.list AND before.end_slot = one.first_slot
         WHERE one.first_slot > 0 AND before.list IS NULL",
    )?);
    problems.extend(text(
        "SELECT 'lane ' || lanes.list || ' has given ' || lanes.given || ' slots, and ' || coalesce(max(end_slot), 0)
           || ' are noted'
         FROM beltic.lanes LEFT JOIN beltic.slots USING (list)
         GROUP BY lanes.list, lanes.given HAVING lanes.given <> coalesce(max(end_slot), 0)",
    )?);
    problems.extend(text(
        "SELECT 'lane ' || lanes.list || ' has given ' || lanes.given || ' slots, and records are there of '
           || coalesce(max(pending.end_slot), lists.taken)
         FROM beltic.lanes JOIN beltic.lists USING (list) LEFT JOIN beltic.pending USING (list)
         GROUP BY lanes.list, lanes.given, lists.taken HAVING lanes.given <> coalesce(max(pending.end_slot), lists.taken)",
    )?);
    // A list's slots are noted up to what is taken; a lane's beyond that, as far as they are not entered yet.
    problems.extend(text(
        "SELECT 'list ' || lists.list || ' says that ' || lists.taken || ' slots are taken, and '
           || coalesce(max(end_slot), 0) || ' are noted'
         FROM beltic.lists LEFT JOIN beltic.slots USING (list) LEFT JOIN beltic.lanes USING (list)
         WHERE lanes.list IS NULL GROUP BY lists.list, lists.taken HAVING lists.taken <> coalesce(max(end_slot), 0)",
    )?);
    Ok(problems)
}
