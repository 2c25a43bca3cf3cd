//! What is wrong with results, in words that do not speak of batches: the commands that read results know no
//! `--input-format`, no `--encoding` and no `--failed`.

use std::fmt;

use crate::source::{InputError, InputFault, ItemFault, RecordProblem, names};

/// Why results cannot be read any further.
#[derive(Debug)]
pub struct ResultsError(InputError);

impl ResultsError {
    /// Whether the file could not be read (exit code 6), rather than being no results (4).
    pub fn is_io(&self) -> bool {
        self.0.is_io()
    }

    /// Whether waiting for more was given up on request.
    pub fn is_stopped(&self) -> bool {
        self.0.is_stopped()
    }
}

impl From<InputError> for ResultsError {
    fn from(error: InputError) -> Self {
        Self(error)
    }
}

impl fmt::Display for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(input) = &self.0.input {
            write!(f, "{input}: ")?;
        }
        f.write_str(&in_words(&self.0.fault))
    }
}

impl std::error::Error for ResultsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0)
    }
}

/// The forms of results, for who has something else.
const EXPECTED: &str =
    "expected {\"results\":[…]}, an array, or one result, id or token a line (`jq -c` writes one a line)";

fn in_words(fault: &InputFault) -> String {
    match fault {
        InputFault::Utf16WithoutBom(_) => "UTF-16 without a byte order mark; save as UTF-8".to_owned(),
        InputFault::NotInEncoding { line, encoding } => format!("line {line}: not {encoding}; save as UTF-8"),
        InputFault::NotUtf8 { line, byte, value } => not_utf8(*line, *byte, *value),
        InputFault::Markup { .. } => "no results: starts with '<' (a web page or XML?)".to_owned(),
        InputFault::NoItems => "no results, ids or tokens in it".to_owned(),
        InputFault::LooksLike { .. } => format!("no 'results' array at the top level; {EXPECTED}"),
        InputFault::NoItemsArray { key, keys } => {
            format!("no '{key}' array at the top level{}; {EXPECTED}", names(keys))
        }
        InputFault::TrailingData(at) => {
            format!("{at}: trailing data after the end of the JSON value; {EXPECTED}")
        }
        other => other.to_string(),
    }
}

/// What is wrong with one row.
pub(super) fn problem_of_row(fault: ItemFault) -> String {
    match fault {
        ItemFault::Record { problem: RecordProblem::NotUtf8 { line, byte, value }, .. } => {
            not_utf8(line, byte, value)
        }
        // Nothing is given back here, so nothing is said of what was not kept.
        ItemFault::Record { problem, lines, .. } => {
            ItemFault::Record { problem, lines, kept: true }.to_string()
        }
        other => other.to_string(),
    }
}

fn not_utf8(line: u64, byte: u64, value: u8) -> String {
    format!("not UTF-8: line {line}, byte {byte} (0x{value:02X}); save as UTF-8")
}
