//! The columns of the tables, and the rows that are read from them.

use tokio_postgres::Row;

use super::line::Value;
use super::{number, text};
use crate::ledger::corrupt;
use crate::ledger::rows::{
    BatchRow, EventRow, LedgerRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow, SealRow, SegmentHead,
    StatusRow,
};
use crate::ledger::store::{BatchQuery, Stored};

pub(super) const SEAL: &str = "token, before, runs, lists, statuses, closings, scopes, crc";
pub(super) const LEDGER: &str = "id, hash_key, created_at, home_inode, home_born, crc, moved_to";
pub(super) const RUN: &str = "run, name, credential_type, issuer, kid, proof_format, vct, context, ttl, disclosure, started_at, \
                   crc, batches, scope";
pub(super) const BATCH: &str = "batch, run, first_position, list, first_slot, id_millis, count, records, issued_first, \
                     issued_last, expires_first, expires_last, attestation_type, opening, crc";
pub(super) const LIST: &str =
    "list, issuer, base, token_uri, bitstring_uri, suspension_uri, secret, taken, closed, opened_at, crc";
pub(super) const STATUS: &str = "batch, place, status, since, reason, cause, crc";
pub(super) const EVENT: &str = "event, at, kind, batch, place, reason, places, entries, cause, hash";
pub(super) const SCOPE: &str = "scope, kind, name, issuer, rule, created_at, version, entries, sum, crc";
pub(super) const SEGMENT: &str = "segment, node, count, filter_crc, entries_crc";
pub(super) const SCHEMA: &str = "issuer, credential_type, vct, source, version, document, crc";

pub(super) fn short(row: &Row, at: usize) -> Stored<u32> {
    u32::try_from(row.try_get::<_, i64>(at)?).map_err(|_| corrupt())
}

pub(super) fn array<const N: usize>(row: &Row, at: usize) -> Stored<[u8; N]> {
    row.try_get::<_, &[u8]>(at)?.try_into().map_err(|_| corrupt())
}

pub(super) fn read_seal(row: &Row) -> Stored<SealRow> {
    Ok(SealRow {
        token: array(row, 0)?,
        before: array(row, 1)?,
        runs: row.try_get(2)?,
        lists: row.try_get(3)?,
        statuses: row.try_get(4)?,
        closings: row.try_get(5)?,
        scopes: row.try_get(6)?,
        crc: row.try_get(7)?,
    })
}

pub(super) fn read_ledger(row: &Row) -> Stored<LedgerRow> {
    Ok(LedgerRow {
        id: array(row, 0)?,
        hash_key: array(row, 1)?,
        created_at: row.try_get(2)?,
        home_inode: row.try_get(3)?,
        home_born: row.try_get(4)?,
        crc: row.try_get(5)?,
        moved_to: row.try_get(6)?,
    })
}

pub(super) fn read_run(row: &Row) -> Stored<RunRow> {
    Ok(RunRow {
        run: row.try_get(0)?,
        name: row.try_get(1)?,
        credential_type: row.try_get(2)?,
        issuer: row.try_get(3)?,
        kid: row.try_get(4)?,
        proof_format: row.try_get(5)?,
        vct: row.try_get(6)?,
        context: row.try_get(7)?,
        ttl: row.try_get(8)?,
        disclosure: row.try_get(9)?,
        started_at: row.try_get(10)?,
        crc: row.try_get(11)?,
        batches: row.try_get(12)?,
        scope: row.try_get(13)?,
    })
}

pub(super) fn read_batch(row: &Row) -> Stored<BatchRow> {
    Ok(BatchRow {
        batch: row.try_get(0)?,
        run: row.try_get(1)?,
        first_position: row.try_get(2)?,
        list: row.try_get(3)?,
        first_slot: short(row, 4)?,
        id_millis: row.try_get(5)?,
        count: short(row, 6)?,
        records: row.try_get(7)?,
        dates: [row.try_get(8)?, row.try_get(9)?, row.try_get(10)?, row.try_get(11)?],
        attestation_type: row.try_get(12)?,
        opening: row.try_get(13)?,
        crc: row.try_get(14)?,
    })
}

pub(super) fn read_list(row: &Row) -> Stored<ListRow> {
    Ok(ListRow {
        list: row.try_get(0)?,
        issuer: row.try_get(1)?,
        base: row.try_get(2)?,
        token_uri: row.try_get(3)?,
        bitstring_uri: row.try_get(4)?,
        suspension_uri: row.try_get(5)?,
        secret: array(row, 6)?,
        taken: short(row, 7)?,
        closed: row.try_get(8)?,
        opened_at: row.try_get(9)?,
        crc: row.try_get(10)?,
    })
}

pub(super) fn read_schema(row: &Row) -> Stored<SchemaRow> {
    Ok(SchemaRow {
        issuer: row.try_get(0)?,
        credential_type: row.try_get(1)?,
        vct: row.try_get(2)?,
        source: row.try_get(3)?,
        version: short(row, 4)?,
        document: row.try_get(5)?,
        crc: row.try_get(6)?,
    })
}

pub(super) fn read_order(row: &Row) -> Stored<OrderRow> {
    Ok(OrderRow {
        list: row.try_get(0)?,
        part: short(row, 1)?,
        indices: row.try_get(2)?,
        crc: row.try_get(3)?,
    })
}

pub(super) fn read_status(row: &Row) -> Stored<StatusRow> {
    Ok(StatusRow {
        batch: row.try_get(0)?,
        place: short(row, 1)?,
        status: row.try_get(2)?,
        since: row.try_get(3)?,
        reason: row.try_get(4)?,
        cause: row.try_get(5)?,
        crc: row.try_get(6)?,
    })
}

pub(super) fn read_event(row: &Row) -> Stored<EventRow> {
    let place = row.try_get::<_, Option<i64>>(4)?.map(u32::try_from).transpose().map_err(|_| corrupt())?;
    let entries = row.try_get::<_, Option<&[u8]>>(7)?.map(TryInto::try_into).transpose();
    Ok(EventRow {
        event: row.try_get(0)?,
        at: row.try_get(1)?,
        kind: row.try_get(2)?,
        batch: row.try_get(3)?,
        place,
        reason: row.try_get(5)?,
        places: row.try_get(6)?,
        entries: entries.map_err(|_| corrupt())?,
        cause: row.try_get(8)?,
        hash: array(row, 9)?,
    })
}

pub(super) fn read_scope(row: &Row) -> Stored<ScopeRow> {
    Ok(ScopeRow {
        scope: row.try_get(0)?,
        kind: row.try_get(1)?,
        name: row.try_get(2)?,
        issuer: row.try_get(3)?,
        rule: row.try_get(4)?,
        created_at: row.try_get(5)?,
        version: row.try_get(6)?,
        entries: row.try_get(7)?,
        sum: row.try_get(8)?,
        crc: row.try_get(9)?,
    })
}

pub(super) fn read_segment(row: &Row) -> Stored<SegmentHead> {
    Ok(SegmentHead {
        segment: row.try_get(0)?,
        node: row.try_get(1)?,
        count: short(row, 2)?,
        filter_crc: row.try_get(3)?,
        entries_crc: row.try_get(4)?,
    })
}

/// A condition in SQL for a query, and its values.
pub(super) fn conditions(query: &BatchQuery) -> (String, Vec<Value>) {
    let mut conditions = vec!["batch >= $1".to_owned()];
    let mut values = vec![number(query.from)];
    let mut add = |condition: &str, of: Vec<Value>| {
        let mut condition = condition.to_owned();
        for value in of {
            values.push(value);
            condition = condition.replacen('?', &format!("${}", values.len()), 1);
        }
        conditions.push(condition);
    };
    if let Some(last) = query.up_to {
        add("batch <= ?", vec![number(last)]);
    }
    for (column, wanted) in [
        ("name", &query.run),
        ("issuer", &query.issuer),
        ("kid", &query.kid),
        ("vct", &query.vct),
        ("credential_type", &query.credential_type),
    ] {
        if let Some(wanted) = wanted {
            add(&format!("run IN (SELECT run FROM beltic.runs WHERE {column} = ?)"), vec![text(wanted)]);
        }
    }
    for (first, last, range) in
        [("issued_first", "issued_last", &query.issued), ("expires_first", "expires_last", &query.expiring)]
    {
        if let Some(range) = range {
            let values = vec![number(*range.end()), number(*range.start())];
            add(&format!("{first} <= ? AND {last} >= ?"), values);
        }
    }
    if query.with_statuses {
        add("EXISTS (SELECT FROM beltic.statuses WHERE statuses.batch = batches.batch)", Vec::new());
    }
    (conditions.join(" AND "), values)
}
