//! What is said about items that are issued all the same.

use super::rules::TextDoubt;
use crate::clock::UnixTime;

/// Something lawful that deserves a look.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Warning {
    /// A credential that lives for more than two years.
    #[error("the credential lives for more than two years, until {0}")]
    LongLife(UnixTime),
    /// Direct shares of more than 100 percent in all.
    #[error("the owners' direct shares add up to {0}, more than 100 percent")]
    SharesOver100(f64),
    /// Text that is most likely not what somebody wrote.
    #[error("{}: {doubt}", super::rejection::place(None, column.as_deref(), path))]
    Text {
        /// What is doubtful.
        doubt: TextDoubt,
        /// Where: a JSON Pointer into the item.
        path: String,
        /// The column of the CSV file that feeds this place.
        column: Option<String>,
    },
    /// A correlation id that was there a short while ago.
    #[error("the correlation_id was used before, by item {0}")]
    RepeatedCorrelationId(u64),
}
