//! A request that passed every check, in the pieces that a credential is made of.

use sha2::{Digest, Sha256};

use crate::clock::UnixTime;

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
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start as usize..self.end as usize]
    }

    /// The text of the piece, where there is any.
    pub fn some_of(self, buffer: &[u8]) -> Option<&[u8]> {
        (!self.is_empty()).then(|| self.of(buffer))
    }

    /// Whether there is any text.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A request that can be signed without a further question.
///
/// It is made by [`Checker`](super::Checker) alone, so whatever it holds has passed every rule of
/// [`fields`](super::fields). Its text is the item's own, without white space between tokens.
#[derive(Debug, Clone)]
pub struct Draft {
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
    /// What the request says, as a keyed hash: see [`Checker`](super::Checker).
    pub content_hash: ContentHash,
    /// By which a credential is found by its subject's id.
    pub subject_hash: LookupHash,
    /// By which a credential is found by its correlation id; zeros where the item has none.
    pub correlation_hash: LookupHash,
}

/// A keyed hash of a request and its correlation id.
pub type ContentHash = [u8; 16];

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
