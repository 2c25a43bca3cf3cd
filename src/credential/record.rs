//! What is known of a credential beside what it says: who it is, where its status stands, and what became of it.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::UnixTime;

/// A credential's id, with or without `urn:uuid:`, as it may be written; `None` for what is none of ours.
pub fn parse_id(text: &str) -> Option<Uuid> {
    let text = text.trim();
    let id = Uuid::try_parse(text.strip_prefix("urn:uuid:").unwrap_or(text)).ok()?;
    (id.get_version_num() == 7).then_some(id)
}

/// What the ledger gives a credential: who it is, and where its status stands.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The credential's id.
    pub id: Uuid,
    /// The status list and the index in it; none without a ledger.
    pub status: Option<(Arc<ListUris>, u32)>,
    /// When the credential is issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// Whether it was granted before, under the same idempotency key.
    pub replayed: bool,
    /// What became of it since then.
    pub current: CredentialStatus,
}

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

/// Whether a credential can be relied on, apart from its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// It can.
    #[default]
    Active,
    /// Not now.
    Suspended,
    /// Never again.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 3] = [Status::Active, Status::Suspended, Status::Revoked];

    /// The word in the ledger, in resources and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Revoked => "revoked",
        }
    }
}

/// A credential's status, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialStatus {
    /// The status.
    pub status: Status,
    /// Since when; none for one that is active.
    pub since: Option<UnixTime>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The run that gave it this status by itself; none where somebody asked for that.
    pub cause: Option<String>,
}
