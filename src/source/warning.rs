//! What is worth saying about an input that is read all the same.

use std::fmt;

use thiserror::Error;

use super::error::{InputName, Position};

/// Something worth saying about an input that is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputWarning {
    /// The input.
    pub input: InputName,
    /// What was found.
    pub fault: WarningFault,
}

impl fmt::Display for InputWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.fault)
    }
}

/// What a warning is about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WarningFault {
    /// A member of the JSON envelope that is not `items`.
    #[error("{at}: key '{key}' next to 'items' is ignored")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where.
        at: Position,
    },
    /// The encoding that was named is most likely not the file's.
    #[error(
        "read as {encoding}, but all of it is valid UTF-8, with the first character beyond ASCII on line {line}; \
         omit --encoding (csv.encoding)"
    )]
    IsUtf8 {
        /// The physical line of the first character beyond ASCII.
        line: u64,
        /// The encoding that was named.
        encoding: &'static str,
    },
}
