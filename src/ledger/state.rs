//! How far a ledger has come.

/// A token: which transaction was the last.
pub(super) type Token = [u8; 16];

/// What the seal says of the last transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SealTokens {
    /// The last transaction.
    pub(super) token: Token,
    /// The one before.
    pub(super) before: Token,
}

/// How far a ledger has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The number of the last event; 0 where there is none.
    pub event: i64,
    /// The first half of that event's hash; zeros where there is none.
    pub hash: [u8; 16],
    /// How often the open lists were closed.
    pub closings: i64,
}

impl State {
    /// That of a ledger in which nothing has happened.
    pub(super) const NOTHING: State = State { event: 0, hash: [0; 16], closings: 0 };

    /// One that no ledger ever reaches: what is said was reached while lists are being closed. A run that dies
    /// before that is committed must not be taken for one that had nothing to close.
    pub(super) const NEVER: State = State { event: i64::MAX, hash: [0xFF; 16], closings: 9_999_999_999 };
}
