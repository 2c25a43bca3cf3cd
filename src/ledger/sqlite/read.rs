//! The columns of SQLite's tables, and the rows that are read from them.

use std::ops::RangeInclusive;

use rusqlite::{Row, ToSql};

use crate::ledger::rows::{
    BatchRow, EventRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow, SegmentHead, StatusRow,
};
use crate::ledger::store::BatchQuery;

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

pub(super) fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        run: row.get(0)?,
        name: row.get(1)?,
        credential_type: row.get(2)?,
        issuer: row.get(3)?,
        kid: row.get(4)?,
        proof_format: row.get(5)?,
        vct: row.get(6)?,
        context: row.get(7)?,
        ttl: row.get(8)?,
        disclosure: row.get(9)?,
        started_at: row.get(10)?,
        crc: row.get(11)?,
        batches: row.get(12)?,
        scope: row.get(13)?,
    })
}

pub(super) fn read_batch(row: &Row<'_>) -> rusqlite::Result<BatchRow> {
    Ok(BatchRow {
        batch: row.get(0)?,
        run: row.get(1)?,
        first_position: row.get(2)?,
        list: row.get(3)?,
        first_slot: row.get(4)?,
        id_millis: row.get(5)?,
        count: row.get(6)?,
        records: row.get(7)?,
        dates: [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?],
        attestation_type: row.get(12)?,
        opening: row.get(13)?,
        crc: row.get(14)?,
    })
}

pub(super) fn read_list(row: &Row<'_>) -> rusqlite::Result<ListRow> {
    Ok(ListRow {
        list: row.get(0)?,
        issuer: row.get(1)?,
        base: row.get(2)?,
        token_uri: row.get(3)?,
        bitstring_uri: row.get(4)?,
        suspension_uri: row.get(5)?,
        secret: row.get(6)?,
        taken: row.get(7)?,
        closed: row.get(8)?,
        opened_at: row.get(9)?,
        crc: row.get(10)?,
    })
}

pub(super) fn read_schema(row: &Row<'_>) -> rusqlite::Result<SchemaRow> {
    Ok(SchemaRow {
        issuer: row.get(0)?,
        credential_type: row.get(1)?,
        vct: row.get(2)?,
        source: row.get(3)?,
        version: row.get(4)?,
        document: row.get(5)?,
        crc: row.get(6)?,
    })
}

pub(super) fn read_order(row: &Row<'_>) -> rusqlite::Result<OrderRow> {
    Ok(OrderRow { list: row.get(0)?, part: row.get(1)?, indices: row.get(2)?, crc: row.get(3)? })
}

pub(super) fn read_status(row: &Row<'_>) -> rusqlite::Result<StatusRow> {
    Ok(StatusRow {
        batch: row.get(0)?,
        place: row.get(1)?,
        status: row.get(2)?,
        since: row.get(3)?,
        reason: row.get(4)?,
        cause: row.get(5)?,
        crc: row.get(6)?,
    })
}

pub(super) fn read_event(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        event: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        batch: row.get(3)?,
        place: row.get(4)?,
        reason: row.get(5)?,
        places: row.get(6)?,
        entries: row.get(7)?,
        cause: row.get(8)?,
        hash: row.get(9)?,
    })
}

pub(super) fn read_scope(row: &Row<'_>) -> rusqlite::Result<ScopeRow> {
    Ok(ScopeRow {
        scope: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        issuer: row.get(3)?,
        rule: row.get(4)?,
        created_at: row.get(5)?,
        version: row.get(6)?,
        entries: row.get(7)?,
        sum: row.get(8)?,
        crc: row.get(9)?,
    })
}

pub(super) fn read_segment(row: &Row<'_>) -> rusqlite::Result<SegmentHead> {
    Ok(SegmentHead {
        segment: row.get(0)?,
        node: row.get(1)?,
        count: row.get(2)?,
        filter_crc: row.get(3)?,
        entries_crc: row.get(4)?,
    })
}

/// A condition in SQL for a query, and its values.
pub(super) fn conditions(query: &BatchQuery) -> (String, Vec<Box<dyn ToSql>>) {
    let mut conditions = vec!["batch >= ?"];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(query.from)];
    if let Some(batch) = query.up_to {
        conditions.push("batch <= ?");
        values.push(Box::new(batch));
    }
    // The `+` keeps SQLite from the index by run, which would have it sort the records of
    // the whole run anew for each page.
    for (condition, text) in [
        ("+run IN (SELECT run FROM runs WHERE name = ?)", &query.run),
        ("+run IN (SELECT run FROM runs WHERE issuer = ?)", &query.issuer),
        ("+run IN (SELECT run FROM runs WHERE kid = ?)", &query.kid),
        ("+run IN (SELECT run FROM runs WHERE vct = ?)", &query.vct),
        ("+run IN (SELECT run FROM runs WHERE credential_type = ?)", &query.credential_type),
    ] {
        if let Some(text) = text {
            conditions.push(condition);
            values.push(Box::new(text.clone()));
        }
    }
    let mut overlaps = |condition, range: &Option<RangeInclusive<i64>>| {
        if let Some(range) = range {
            conditions.push(condition);
            values.push(Box::new(*range.end()));
            values.push(Box::new(*range.start()));
        }
    };
    overlaps("issued_first <= ? AND issued_last >= ?", &query.issued);
    overlaps("expires_first <= ? AND expires_last >= ?", &query.expiring);
    if query.with_statuses {
        conditions.push("EXISTS (SELECT 1 FROM statuses WHERE statuses.batch = batches.batch)");
    }
    (conditions.join(" AND "), values)
}
