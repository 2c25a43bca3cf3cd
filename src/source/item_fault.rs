//! What can be wrong with one item. The items around it are read all the same.

use thiserror::Error;

/// Why one item cannot be read. The items around it are not affected.
///
/// The text never quotes cells.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ItemFault {
    /// More bytes than `--max-item-bytes`.
    #[error("{}longer than {limit} bytes, the maximum for an item", at_line(.line))]
    TooLong {
        /// The limit.
        limit: usize,
        /// The physical line where it begins.
        line: Option<u64>,
    },
    /// Bytes that are not UTF-8.
    #[error("{}not UTF-8: byte {byte} (0x{value:02X})", at_line(.line))]
    NotUtf8 {
        /// The physical line.
        line: Option<u64>,
        /// The byte's place in the item, from 1.
        byte: usize,
        /// The byte.
        value: u8,
    },
    /// NUL bytes, as a crash or a power loss leaves them.
    #[error("NUL bytes{}", within_line(.line))]
    NulBytes {
        /// The physical line.
        line: Option<u64>,
    },
    /// A CSV record that is not allowed, as a whole. Nothing of it was read: its lines may be rows of other companies
    /// with ids of their own.
    #[error("{}", record(.problem, .lines, *.kept))]
    Record {
        /// What is wrong with it.
        problem: RecordProblem,
        /// Its first and its last physical line.
        lines: (u64, u64),
        /// Whether all of it was kept, to be given back. If not, it is longer than an item may be.
        kept: bool,
    },
    /// The header once more, where two exports were joined.
    #[error("line {line}: row repeats the header")]
    RepeatsHeader {
        /// The physical line.
        line: u64,
    },
    /// A value that no field would carry.
    #[error("line {line}: column {position} has no name, but this row has a value in it")]
    UnnamedCell {
        /// The column's place, from 1.
        position: usize,
        /// The physical line.
        line: u64,
    },
    /// The row cannot be read; a fault of this program.
    #[error("line {line}: the row cannot be read ({reason}); please report this")]
    Unreadable {
        /// The physical line.
        line: u64,
        /// What the CSV reader said.
        reason: String,
    },
}

/// Why a CSV record is not allowed. Lines are physical lines of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// Text after a closing quote, where RFC 4180 has a delimiter or the record's end.
    #[error("text after a closing quote on line {line}; double every quote inside a quoted cell (\"\")")]
    AfterQuote {
        /// The line with the text.
        line: u64,
    },
    /// White space before the quote that was to open a cell.
    #[error("white space before an opening quote on line {line}; remove it")]
    SpaceBeforeQuote {
        /// The line with the quote.
        line: u64,
    },
    /// A quote that is not closed: in the file, or in the line where `csv.line_breaks` is `never`.
    #[error("the quote opened on line {line} is not closed")]
    QuoteOpen {
        /// The line with the quote.
        line: u64,
    },
    /// A quote in an identifier that is not quoted.
    #[error("quote inside an identifier, in column '{column}'; remove it")]
    QuoteInIdentifier {
        /// The user's own name of the column.
        column: String,
    },
    /// More or fewer cells than the header.
    #[error("{}", cell_count(*.found, *.expected, *.unterminated))]
    CellCount {
        /// How many cells the record has.
        found: usize,
        /// How many the header has.
        expected: usize,
        /// Whether the file ends within the record.
        unterminated: bool,
    },
    /// In a file of failed items: a record that could not be read, and still stands under `error_record`.
    #[error(
        "the record under error_record was not fixed; move its cells to their columns and clear error_record"
    )]
    Unrepaired,
    /// A line of a quoted cell is a row of its own.
    #[error(
        "line {line} is inside a quoted cell but looks like a row of its own; was a quote left open before it?"
    )]
    LooksLikeRows {
        /// The line.
        line: u64,
    },
    /// NUL bytes, as a crash or a power loss leaves them.
    #[error("NUL bytes at line {line}")]
    NulBytes {
        /// The line of the first one.
        line: u64,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "not UTF-8: line {line}, byte {byte} (0x{value:02X}); if the file is in another encoding, pass --encoding, \
         for example windows-1252"
    )]
    NotUtf8 {
        /// The line.
        line: u64,
        /// The byte's place in the line, from 1.
        byte: u64,
        /// The byte.
        value: u8,
    },
    /// The file ends inside a character.
    #[error("the row ends inside a character; the file may be truncated")]
    CutShort,
    /// More bytes than `--max-item-bytes`.
    #[error("longer than {limit} bytes, the maximum for an item")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

impl RecordProblem {
    /// Whether the record's quotes are what is wrong, so that nothing is known of the quoting behind it.
    pub(super) fn is_of_quotes(&self) -> bool {
        matches!(
            self,
            RecordProblem::AfterQuote { .. }
                | RecordProblem::SpaceBeforeQuote { .. }
                | RecordProblem::QuoteOpen { .. }
                | RecordProblem::QuoteInIdentifier { .. }
        )
    }
}

fn at_line(line: &Option<u64>) -> String {
    line.map_or(String::new(), |line| format!("line {line}: "))
}

fn within_line(line: &Option<u64>) -> String {
    line.map_or(String::new(), |line| format!(" at line {line}"))
}

fn cell_count(found: usize, expected: usize, unterminated: bool) -> String {
    if found > expected {
        return format!("{found} cells, but the header has {expected}");
    }
    let hint = if unterminated { "; the file may be truncated" } else { "" };
    format!("{found} of {expected} cells{hint}")
}

fn record(problem: &RecordProblem, (first, last): &(u64, u64), kept: bool) -> String {
    let mut text = match problem {
        // The first line is said already.
        RecordProblem::NulBytes { .. } | RecordProblem::NotUtf8 { .. } if first == last => {
            problem.to_string()
        }
        _ => format!("line {first}: {problem}"),
    };
    if last > first {
        text += &format!("; this record spans lines {first} to {last}");
    }
    if !kept && !matches!(problem, RecordProblem::TooLong { .. }) {
        text += "; it exceeds the item size limit, so --failed does not include it";
    }
    text
}
