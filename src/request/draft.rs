//! A request that passed every check, in the pieces that a credential is made of.

use sha2::{Digest, Sha256};

use super::content::{ContentHash, ItemId};
use super::renewal::Former;
use crate::clock::UnixTime;
use crate::types::CredentialType;

/// A piece of compact JSON text in the buffer of its batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Piece {
    start: u32,
    end: u32,
}

impl Piece {
    /// Appends what `write` writes, and remembers where it stands.
    pub(crate) fn append(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Piece {
        let start = buffer.len() as u32;
        write(buffer);
        Piece { start, end: buffer.len() as u32 }
    }

    /// The text of the piece.
    pub(super) fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start as usize..self.end as usize]
    }

    /// The text of the piece, where there is any.
    fn some_of(self, buffer: &[u8]) -> Option<&[u8]> {
        (!self.is_empty()).then(|| self.of(buffer))
    }

    /// Whether there is any text.
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A request that can be signed without a further question.
///
/// It is made by [`Checker`](super::Checker) alone, so whatever it holds has passed every rule of
/// its type. Its text is the item's own, without white space between tokens.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What kind of credential it is.
    pub credential_type: &'static CredentialType,
    /// The members that only requests of this type have, each with a comma before it.
    pub own_members: Piece,
    /// `subject`, an object.
    pub subject: Piece,
    /// `subject.id`, a string with its quotes.
    pub subject_id: Piece,
    /// The subject's other members, each with a comma before it.
    pub subject_members: Piece,
    /// Whether `subject.id` is a URI and may stand as `credentialSubject.id`.
    pub subject_id_is_uri: bool,
    /// `claims`, an object.
    pub claims: Piece,
    /// `evidence_refs`, an array; empty text where there are none.
    pub evidence_refs: Piece,
    /// `cnf`, an object; empty text where there is none.
    pub cnf: Piece,
    /// When the credential is issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// What the request says.
    pub content_hash: ContentHash,
    /// What the item is known by.
    pub id: ItemId,
    /// By which a credential is found by its subject's id.
    pub subject_hash: LookupHash,
    /// By which an authorization is found by the subject who delegated; zeros where nobody did.
    pub delegator_hash: LookupHash,
    /// What is attested, where the type says so.
    pub attestation_type: Option<Box<str>>,
    /// By which a credential is found by its correlation id; zeros where the item has none.
    pub correlation_hash: LookupHash,
    /// The credential that it renews, where it comes from earlier results.
    pub former: Option<Former>,
}

impl Draft {
    /// The draft with the buffer into which its pieces were written, which only its batch knows.
    pub fn with_text<'b>(&'b self, buffer: &'b [u8]) -> DraftText<'b> {
        DraftText { draft: self, buffer }
    }
}

/// A draft and its text. Each piece is compact JSON.
#[derive(Debug, Clone, Copy)]
pub struct DraftText<'b> {
    draft: &'b Draft,
    buffer: &'b [u8],
}

impl<'b> DraftText<'b> {
    /// What kind of credential it is.
    pub fn credential_type(self) -> &'static CredentialType {
        self.draft.credential_type
    }

    /// What is attested, where the type says so.
    pub fn attestation_type(self) -> Option<&'b str> {
        self.draft.attestation_type.as_deref()
    }

    /// The members that only requests of this type have, each with a comma before it.
    pub fn own_members(self) -> &'b [u8] {
        self.draft.own_members.of(self.buffer)
    }

    /// `subject`, an object.
    pub fn subject(self) -> &'b [u8] {
        self.draft.subject.of(self.buffer)
    }

    /// `subject.id`, a string with its quotes.
    pub fn subject_id(self) -> &'b [u8] {
        self.draft.subject_id.of(self.buffer)
    }

    /// `subject.id`, where it is a URI and may stand as `credentialSubject.id`.
    pub fn subject_uri(self) -> Option<&'b [u8]> {
        self.draft.subject_id_is_uri.then(|| self.subject_id())
    }

    /// The subject's other members, each with a comma before it.
    pub fn subject_members(self) -> &'b [u8] {
        self.draft.subject_members.of(self.buffer)
    }

    /// `claims`, an object.
    pub fn claims(self) -> &'b [u8] {
        self.draft.claims.of(self.buffer)
    }

    /// `evidence_refs`, an array, where there is one.
    pub fn evidence_refs(self) -> Option<&'b [u8]> {
        self.draft.evidence_refs.some_of(self.buffer)
    }

    /// `cnf`, an object, where there is one.
    pub fn cnf(self) -> Option<&'b [u8]> {
        self.draft.cnf.some_of(self.buffer)
    }
}

/// A keyed hash of a text by which credentials are looked for. Among ten million credentials,
/// another text has the same one with a chance of one in two trillion.
pub type LookupHash = [u8; 8];

/// What a text is, by which credentials are looked for. The same text gives two hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A subject's id.
    Subject,
    /// A correlation id.
    CorrelationId,
}

impl Lookup {
    /// The hash of a text, keyed with the ledger's secret, so that nobody can try out texts
    /// against a ledger's hashes without that.
    pub fn hash(self, hash_key: &[u8; 32], text: &str) -> LookupHash {
        let mut hash = Sha256::new_with_prefix(hash_key);
        hash.update(match self {
            Lookup::Subject => b"subject\0".as_slice(),
            Lookup::CorrelationId => b"correlation id\0",
        });
        hash.update(text);
        let mut short = LookupHash::default();
        short.copy_from_slice(&hash.finalize()[..8]);
        short
    }
}
