//! The rows of a ledger, as a store keeps them: numbers, texts and bytes, and nothing of what they mean.
//!
//! Each row has the checksum that was stored with it. Who reads a row decides whether to believe it.

/// A run, as far as it is about one credential type.
#[derive(Debug, Clone)]
pub(super) struct RunRow {
    pub(super) run: i64,
    pub(super) name: String,
    pub(super) credential_type: String,
    pub(super) issuer: String,
    pub(super) kid: String,
    pub(super) proof_format: String,
    pub(super) vct: String,
    pub(super) context: String,
    pub(super) ttl: String,
    pub(super) disclosure: String,
    /// The scope within which its items are known, where they are.
    pub(super) scope: Option<i64>,
    pub(super) started_at: i64,
    pub(super) crc: i64,
    /// The sum of what the run's index must show: see `batches`.
    pub(super) batches: i64,
}

/// A batch of credentials.
#[derive(Debug, Clone)]
pub(super) struct BatchRow {
    pub(super) batch: i64,
    pub(super) run: i64,
    pub(super) first_position: i64,
    pub(super) list: i64,
    pub(super) first_slot: u32,
    pub(super) id_millis: i64,
    pub(super) count: u32,
    pub(super) records: Vec<u8>,
    /// When its first and last credentials were issued, and expire.
    pub(super) dates: [i64; 4],
    /// What all of its credentials attest, where their type says so.
    pub(super) attestation_type: Option<String>,
    /// What the first items of its run say, where nothing else tells the run from another: see `openings`.
    pub(super) opening: Option<i64>,
    pub(super) crc: i64,
}

/// Within which items are known by an id.
#[derive(Debug, Clone)]
pub(super) struct ScopeRow {
    pub(super) scope: i64,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) rule: String,
    pub(super) created_at: i64,
    pub(super) version: i64,
    pub(super) entries: i64,
    pub(super) sum: i64,
    pub(super) crc: i64,
}

/// A segment of a scope's index, but for what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentHead {
    pub(super) segment: i64,
    pub(super) node: i64,
    pub(super) count: u32,
    pub(super) filter_crc: i64,
    pub(super) entries_crc: i64,
}

/// A segment of a scope's index.
#[derive(Debug, Clone)]
pub(super) struct SegmentRow {
    pub(super) head: SegmentHead,
    pub(super) scope: i64,
    pub(super) filter: Vec<u8>,
    pub(super) entries: Vec<u8>,
}

/// What the index of batches by position shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexRow {
    pub(super) run: i64,
    pub(super) first_position: i64,
    pub(super) batch: i64,
}

/// A status list.
#[derive(Debug, Clone)]
pub(super) struct ListRow {
    pub(super) list: i64,
    pub(super) issuer: String,
    pub(super) base: String,
    pub(super) token_uri: String,
    pub(super) bitstring_uri: String,
    pub(super) suspension_uri: Option<String>,
    pub(super) secret: [u8; 32],
    pub(super) taken: u32,
    pub(super) closed: bool,
    pub(super) opened_at: i64,
    pub(super) crc: i64,
}

/// A part of a list's order.
#[derive(Debug, Clone)]
pub(super) struct OrderRow {
    pub(super) list: i64,
    pub(super) part: u32,
    pub(super) indices: Vec<u8>,
    pub(super) crc: i64,
}

/// A credential that is not active.
#[derive(Debug, Clone)]
pub(super) struct StatusRow {
    pub(super) batch: i64,
    pub(super) place: u32,
    pub(super) status: String,
    pub(super) since: i64,
    pub(super) reason: Option<String>,
    /// The run that did it by itself.
    pub(super) cause: Option<String>,
    pub(super) crc: i64,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct EventRow {
    pub(super) event: i64,
    pub(super) at: i64,
    pub(super) kind: String,
    pub(super) batch: i64,
    pub(super) place: Option<u32>,
    pub(super) reason: Option<String>,
    /// Which places of the batch it is about, one bit each.
    pub(super) places: Option<Vec<u8>>,
    /// The sum of what an index has of them since: see `items`.
    pub(super) entries: Option<[u8; 16]>,
    /// The run that did it by itself.
    pub(super) cause: Option<String>,
    pub(super) hash: [u8; 32],
}

/// A JSON Schema that credentials cite.
#[derive(Debug, Clone)]
pub(super) struct SchemaRow {
    pub(super) issuer: String,
    pub(super) credential_type: String,
    pub(super) vct: String,
    pub(super) source: Vec<u8>,
    pub(super) version: u32,
    pub(super) document: Vec<u8>,
    pub(super) crc: i64,
}

/// A time at which the open lists were closed.
#[derive(Debug, Clone)]
pub(super) struct ClosingRow {
    pub(super) closing: i64,
    pub(super) at: i64,
    pub(super) event: i64,
    pub(super) reasons: String,
    pub(super) lists: i64,
    pub(super) crc: i64,
}

/// The one row that every transaction changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SealRow {
    pub(super) token: [u8; 16],
    pub(super) before: [u8; 16],
    pub(super) runs: i64,
    pub(super) lists: i64,
    pub(super) statuses: i64,
    pub(super) closings: i64,
    pub(super) scopes: i64,
    pub(super) crc: i64,
}

/// The ledger's own row.
#[derive(Debug, Clone)]
pub(super) struct LedgerRow {
    pub(super) id: [u8; 16],
    pub(super) hash_key: [u8; 32],
    pub(super) created_at: i64,
    pub(super) home_inode: i64,
    pub(super) home_born: i64,
    /// Where it was moved to; empty where it is still arriving.
    pub(super) moved_to: Option<String>,
    pub(super) crc: i64,
}
