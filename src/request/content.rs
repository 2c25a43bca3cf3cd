//! What an item says, and what it is known by, as keyed hashes.
//!
//! **Content** is what decides whether an item has changed: type, subject, claims, evidence, holder's key and the item's
//! own ttl. Members are sorted by name, strings lose needless escapes, numbers stay as written. So the same row gives the
//! same hash from JSON, NDJSON and CSV, and neither the order of columns nor the default ttl has a part in it. What the
//! settings add (`vct`, proof format, disclosure policy) the ledger compares by itself: it keeps that for each run.
//!
//! **Id** is what decides which item it is. All hashes are keyed with the ledger's secret, so that nobody can try out
//! requests or ids against a ledger without it.

use sha2::{Digest, Sha256};

use super::check::Checked;
use super::draft::Lookup;
use super::rejection::{ErrorCode, Rejection};
use crate::json::Value;
use crate::types::CredentialType;

/// What a request says, as a keyed hash: twelve bytes for all but the ttl, and four for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ContentHash(pub [u8; 16]);

/// In place of a ttl's hash: an item that was issued before and whose ttl nobody knows any more.
const ANY_TTL: [u8; 4] = [0xFF; 4];

/// How many bytes of a content hash are about all but the ttl.
const WITHOUT_TTL: usize = 12;

impl ContentHash {
    /// Whether two items say the same. An item from earlier results says nothing about its ttl, so that any ttl is the
    /// same.
    pub fn is_same_as(&self, other: &ContentHash) -> bool {
        let (content, ttl) = self.0.split_at(WITHOUT_TTL);
        let (other_content, other_ttl) = other.0.split_at(WITHOUT_TTL);
        content == other_content && (ttl == other_ttl || ttl == ANY_TTL || other_ttl == ANY_TTL)
    }

    /// The same content with a ttl that nobody knows.
    pub fn with_any_ttl(mut self) -> ContentHash {
        self.0[WITHOUT_TTL..].copy_from_slice(&ANY_TTL);
        self
    }
}

/// Which field an item is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdRule {
    /// Its correlation id; one that has none, its place in the run.
    CorrelationIdOrPosition,
    /// Its correlation id, which it must have.
    CorrelationId,
    /// The id of its subject.
    SubjectId,
    /// Its place in the run.
    Position,
}

impl IdRule {
    /// Every rule.
    pub const ALL: [IdRule; 4] =
        [IdRule::CorrelationIdOrPosition, IdRule::CorrelationId, IdRule::SubjectId, IdRule::Position];

    /// The name, as flags and the ledger have it.
    pub fn as_str(self) -> &'static str {
        match self {
            IdRule::CorrelationIdOrPosition => "correlation-id or position",
            IdRule::CorrelationId => "correlation-id",
            IdRule::SubjectId => "subject-id",
            IdRule::Position => "position",
        }
    }
}

/// How the items of a run are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// By which field.
    pub rule: IdRule,
    /// Whether the same id is another item in another type or with another attestation type. It always is where the
    /// subject's id counts: one subject may have a credential of each.
    pub within_type: bool,
}

impl Identity {
    /// Items known by this field under an idempotency key.
    pub fn under_key(rule: IdRule) -> Identity {
        Identity { rule, within_type: rule == IdRule::SubjectId }
    }

    /// Items known by this field in a register.
    pub fn in_register(rule: IdRule) -> Identity {
        Identity { rule, within_type: true }
    }
}

/// What an item is known by, as a keyed hash of 128 bits: of 300 million ids, two have the same one with a chance of one
/// in ten to the 22nd.
pub type ItemKey = [u8; 16];

/// What an item is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemId {
    /// By its place in the run.
    #[default]
    Position,
    /// By this.
    Key(ItemKey),
    /// The item has no id that could be read, or one that breaks a rule: nobody knows which item it is.
    Unreadable,
}

/// A text by which an item is known.
pub(super) struct KnownBy<'t> {
    pub(super) credential_type: &'static CredentialType,
    pub(super) attestation_type: Option<&'t str>,
    pub(super) id: &'t str,
}

impl Identity {
    /// The hash of an id.
    pub(super) fn key(self, hash_key: &[u8; 32], known_by: &KnownBy<'_>) -> ItemKey {
        let mut hash = Sha256::new_with_prefix(hash_key);
        hash.update(b"item\0");
        hash.update(self.rule.as_str());
        hash.update([0]);
        if self.within_type {
            hash.update(known_by.credential_type.name);
            hash.update([0]);
            hash.update(known_by.attestation_type.unwrap_or_default());
            hash.update([0]);
        }
        hash.update(known_by.id);
        shortened(hash)
    }

    /// By which text credentials are found that may be this item's, although nobody noted it.
    pub fn lookup(self) -> Lookup {
        match self.rule {
            IdRule::SubjectId => Lookup::Subject,
            _ => Lookup::CorrelationId,
        }
    }
}

impl Checked {
    /// Rejects an item that has nothing to be known by, although all else is well.
    pub(super) fn must_be_known(&mut self, rule: IdRule) {
        if self.id == ItemId::Unreadable && self.outcome.is_ok() {
            let field = if rule == IdRule::SubjectId { "subject.id" } else { "correlation_id" };
            self.outcome = Err(Box::new(Rejection {
                code: ErrorCode::IdempotencyKeyMissing,
                message: format!(
                    "{field} is missing, and items of this run are known by it; another field is named with \
                     --idempotent-by, or --by in a sync"
                ),
                details: Vec::new(),
            }));
        }
    }
}

/// Makes content hashes. It keeps its buffers, and the ttl that it saw last: most items of a batch have the same.
#[derive(Debug, Default)]
pub(super) struct ContentHasher {
    text: Vec<u8>,
    last_ttl: Option<(String, [u8; 4])>,
}

/// The parts of a request that are its content.
pub(super) struct Content<'a> {
    pub(super) credential_type: &'static CredentialType,
    pub(super) request: Value<'a>,
    /// The holder's key as it goes into the credential, where the item names it only by a did:jwk.
    pub(super) derived_cnf: Option<&'a [u8]>,
}

impl ContentHasher {
    /// The hash of what a request says.
    pub(super) fn hash(&mut self, hash_key: &[u8; 32], content: &Content<'_>) -> ContentHash {
        let Content { credential_type, request, derived_cnf } = content;
        self.text.clear();
        self.text.extend_from_slice(hash_key);
        self.text.extend_from_slice(credential_type.name.as_bytes());
        self.text.push(0); // no JSON text holds a NUL, so parts cannot run into each other
        let own = credential_type.own.fields.iter().map(|field| field.name);
        for name in own.chain(["subject", "claims", "evidence_refs", "cnf"]) {
            match (request.member(name), derived_cnf) {
                (Some(value), _) => value.write_canonical(&mut self.text),
                (None, Some(cnf)) if name == "cnf" => self.text.extend_from_slice(cnf),
                (None, _) => {}
            }
            self.text.push(0);
        }
        let mut hash = ContentHash(shortened(Sha256::new_with_prefix(&self.text)));
        let ttl = request.member("ttl").and_then(Value::as_str);
        hash.0[WITHOUT_TTL..].copy_from_slice(&self.hash_ttl(hash_key, ttl.as_deref()));
        hash
    }

    fn hash_ttl(&mut self, hash_key: &[u8; 32], ttl: Option<&str>) -> [u8; 4] {
        let Some(ttl) = ttl else { return [0; 4] };
        if let Some((last, hash)) = &self.last_ttl
            && last == ttl
        {
            return *hash;
        }
        let mut hash = Sha256::new_with_prefix(hash_key);
        hash.update(b"ttl\0");
        hash.update(ttl);
        let hash = match shortened(hash) {
            ANY_TTL => [0xFE; 4],
            hash => hash,
        };
        self.last_ttl = Some((ttl.to_owned(), hash));
        hash
    }
}

/// The first bytes of a digest.
fn shortened<const N: usize>(hash: Sha256) -> [u8; N] {
    let digest = hash.finalize();
    std::array::from_fn(|at| digest[at])
}
