//! What is said about items that are issued all the same.

use uuid::Uuid;

use super::rules::TextDoubt;
use crate::clock::UnixTime;

/// What is doubtful at a place of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Doubt {
    /// Text that is most likely not what somebody wrote.
    #[error(transparent)]
    Text(#[from] TextDoubt),
    /// A whole number with a decimal point.
    #[error("has a decimal point; amounts are in minor units: 5000 is 50.00")]
    DecimalPoint,
    /// A member that is none of those beside it.
    #[error("is not among {list}")]
    NotAmong {
        /// Those.
        list: &'static str,
    },
    /// A life that is long for credentials of the type.
    #[error("the credential is valid for more than {days} days, which is long for what it allows")]
    LongLife {
        /// The days that are not.
        days: u16,
    },
    /// A member that says little on its own.
    #[error("stands alone; {other} is most likely missing beside it")]
    Alone {
        /// The member that is expected with it.
        other: &'static str,
    },
}

/// Something lawful that deserves a look.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Warning {
    /// A credential that lives for more than two years.
    #[error("the credential is valid for more than two years, until {0}")]
    LongLife(UnixTime),
    /// Direct shares of more than 100 percent in all.
    #[error("the owners' direct shares add up to {0}, more than 100 percent")]
    SharesOver100(f64),
    /// A value that is most likely not what somebody meant.
    #[error("{}: {doubt}", super::rejection::place(None, column.as_deref(), path))]
    Place {
        /// What is doubtful.
        doubt: Doubt,
        /// Where: a JSON Pointer into the item.
        path: String,
        /// The column of the CSV file that feeds this place.
        column: Option<String>,
    },
    /// The run begins as one before did.
    #[error("{0}; an idempotency key would keep them from being issued twice")]
    IssuedBefore(String),
    /// A correlation id that was there a short while ago.
    #[error("the correlation_id was used before, by item {0}")]
    RepeatedCorrelationId(u64),
    /// A credential is renewed of which the ledger knows nothing.
    #[error("the ledger does not know urn:uuid:{0}, which is renewed, and so not whether it was revoked")]
    UnknownFormer(Uuid),
}
