//! What is read of a token, at most: whatever is issued stays within it.

/// The longest token that is read: 16 MiB, in which every credential has room whose item keeps to
/// the limits of a batch.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024 * 1024;

/// The most disclosures of one token.
pub const MAX_DISCLOSURES: usize = 131_072;
