//! What can be wrong with an input as a whole, and what with one item of it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::Format;
use super::item_fault::RecordProblem;
use crate::stop::Stopped;

/// Which input an error or a count is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputName {
    /// Standard input.
    Stdin,
    /// A file, by its path as given.
    File(PathBuf),
}

impl fmt::Display for InputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why an input cannot be read, or cannot be read on: which input, what was found, what to do.
///
/// One line of text. Where the operating system gave the reason, that is the
/// [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct InputError {
    /// The input, unless the fault lies in the options or in the run as a whole.
    pub input: Option<InputName>,
    /// What is wrong with it.
    pub fault: Box<InputFault>,
}

impl InputError {
    /// An error about one input.
    pub fn of(input: &InputName, fault: InputFault) -> Self {
        Self { input: Some(input.clone()), fault: Box::new(fault) }
    }

    /// An error about the run or its options.
    pub fn of_run(fault: InputFault) -> Self {
        Self { input: None, fault: Box::new(fault) }
    }

    /// Whether the file could not be read (exit code 6), rather than being no batch (4).
    pub fn is_io(&self) -> bool {
        matches!(*self.fault, InputFault::Open(_) | InputFault::Read(_) | InputFault::Directory)
    }

    /// Whether the input holds no item and nothing that is wrong.
    pub fn is_empty(&self) -> bool {
        matches!(*self.fault, InputFault::Empty | InputFault::NoItems)
    }

    /// Whether the header of a CSV file has columns of somebody's own, or lacks some, so that a mapping may help.
    pub fn is_of_header(&self) -> bool {
        use InputFault::{MissingColumns, NoKnownColumn, UnknownColumns};
        matches!(*self.fault, MissingColumns { .. } | NoKnownColumn { .. } | UnknownColumns { .. })
    }

    /// Settings that would map the columns of a CSV file, where some of them are not known.
    pub fn mapping(&self) -> Option<&str> {
        match &*self.fault {
            InputFault::UnknownColumns { mapping, .. } => mapping.as_deref(),
            _ => None,
        }
    }

    /// Whether the header of a CSV file lacks columns that could be said otherwise.
    pub fn lacks_columns(&self) -> bool {
        matches!(*self.fault, InputFault::MissingColumns { .. })
    }

    /// Whether waiting for more input was given up on request.
    pub fn is_stopped(&self) -> bool {
        matches!(&*self.fault, InputFault::Read(source) if Stopped::is(source))
    }

    /// Whether the command line or `.beltic.yaml` is at fault (exit code 2), rather than a file.
    pub fn is_usage(&self) -> bool {
        use InputFault::*;
        matches!(
            *self.fault,
            NoInputs
                | StdinTwice
                | UnknownMapping { .. }
                | UnknownConstant { .. }
                | ConstantTwice { .. }
                | MappedAndIgnored { .. }
                | DateFormat { .. }
        )
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.input {
            Some(input) => write!(f, "{input}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl std::error::Error for InputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.fault)
    }
}

/// What is wrong with an input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputFault {
    // The file itself
    /// The file cannot be opened.
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    /// Reading failed.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// A folder where a file is expected.
    #[error("is a directory; name the files in it")]
    Directory,
    /// Standard input given more than once.
    #[error("is given twice but can be read only once")]
    StdinTwice,
    /// Nothing to read.
    #[error("no input: name a file, or `-` for standard input")]
    NoInputs,

    // Bytes
    /// Not one byte.
    #[error("empty file")]
    Empty,
    /// An item, or what stands between items, that does not end.
    #[error("no item ends within {bytes} bytes; expected the end of a line or of a JSON value")]
    Endless {
        /// How many bytes were read in vain.
        bytes: u64,
    },
    /// The compressed stream stops before its end.
    #[error("gzip stream ends early: the file is truncated; fetch or compress it again")]
    GzipEndsEarly,
    /// The compressed stream is damaged.
    #[error("gzip stream is damaged ({0}); fetch or compress it again")]
    GzipDamaged(String),
    /// A kind of file that is none of ours.
    #[error("this is {kind}; {advice}")]
    OtherKind {
        /// What it is.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A web page, most often an error page saved under the name of the batch.
    #[error("not {expected}: starts with '<' (a web page or XML?)")]
    Markup {
        /// What was expected.
        expected: Format,
    },
    /// UTF-16 that does not say so.
    #[error("UTF-16 without a byte order mark; pass --encoding {0}, or save as UTF-8")]
    Utf16WithoutBom(&'static str),
    /// Bytes that are not in the encoding that was named or marked.
    #[error("line {line}: not {encoding}; save as UTF-8, or pass the right --encoding")]
    NotInEncoding {
        /// The physical line.
        line: u64,
        /// The encoding's name.
        encoding: &'static str,
    },
    /// CSV that is not UTF-8.
    #[error(
        "not UTF-8: line {line}, byte {byte} (0x{value:02X}); save as CSV UTF-8, or pass --encoding, for example \
         windows-1252"
    )]
    NotUtf8 {
        /// The physical line.
        line: u64,
        /// The byte's place in the line, from 1.
        byte: u64,
        /// The byte.
        value: u8,
    },

    // Format
    /// Content and name disagree.
    #[error("looks like {found}, not {expected}; use --input-format {flag}", flag = .found.name())]
    LooksLike {
        /// What the content looks like.
        found: Format,
        /// What the name or the option says.
        expected: Format,
    },
    /// Nothing to issue.
    #[error("no items; expected at least one (in CSV, a row below the header)")]
    NoItems,
    /// More items than the API takes in one call, under `--api-limits`.
    #[error("more than {0} items, and --api-limits refuses what the API would refuse")]
    TooManyItems(u64),

    // JSON
    /// Something that JSON does not know.
    #[error("not JSON at {at}: found {found}, expected {expected}")]
    NotJson {
        /// Where.
        at: Position,
        /// The character.
        found: Found,
        /// What could stand there.
        expected: &'static str,
    },
    /// A comma before the closing bracket.
    #[error("{0}: trailing comma")]
    TrailingComma(Position),
    /// Two values side by side.
    #[error("{at}: missing comma before {found}")]
    MissingComma {
        /// Where.
        at: Position,
        /// The character.
        found: Found,
    },
    /// Something behind the end of a value that begins no other one.
    #[error("{0}: trailing data after the end of the JSON value; remove it")]
    TrailingData(Position),
    /// A comma between values that stand in no array.
    #[error("{0}: comma after the end of a JSON value; write [ and ] around the values, or remove the comma")]
    StrayComma(Position),
    /// Two arrays of items.
    #[error("{at}: duplicate key '{key}'")]
    DuplicateItems {
        /// Where the second one is.
        at: Position,
        /// The key of the array.
        key: &'static str,
    },
    /// An object with the members of a batch and of an item.
    #[error(
        "{at}: found '{key}', which only an item has, in an object with '{envelope}', which only a batch has"
    )]
    EnvelopeAndItem {
        /// Where the item's key is.
        at: Position,
        /// The key of the array.
        envelope: &'static str,
        /// The item's key.
        key: String,
    },
    /// An object that is no envelope.
    #[error("no '{key}' array at the top level{}", found_keys(.keys))]
    NoItemsArray {
        /// The key of the array.
        key: &'static str,
        /// The keys that were found, the first few of them.
        keys: Vec<String>,
    },
    /// `items` is something else.
    #[error("{at}: '{key}' must be an array, and starts with {found}")]
    ItemsNotArray {
        /// The key of the array.
        key: &'static str,
        /// Where.
        at: Position,
        /// The first character of the value.
        found: Found,
    },
    /// The file stops inside the batch.
    #[error("{at}: unexpected end, inside {inside}; the file may be truncated")]
    Truncated {
        /// The end.
        at: Position,
        /// What is not closed.
        inside: &'static str,
    },
    /// Too many brackets.
    #[error("nested deeper than {limit} levels at byte {}", .at.byte)]
    TooDeep {
        /// Where.
        at: Position,
        /// The limit.
        limit: usize,
    },
    /// `]` for `{`, or `}` for `[`.
    #[error("{at}: {found} does not match the opening bracket")]
    Mismatched {
        /// Where.
        at: Position,
        /// The closing bracket.
        found: Found,
    },

    // CSV
    /// A quote that runs on, in the header.
    #[error("quote opened on line {line}, in the header, is not closed{}", within(.limit))]
    QuoteOpen {
        /// The physical line where it was opened.
        line: u64,
        /// The limit that it ran over; none where the file ended first.
        limit: Option<usize>,
    },
    /// A header that RFC 4180 does not allow.
    #[error("line {line}: in the header: {problem}")]
    HeaderQuotes {
        /// The physical line where the header begins.
        line: u64,
        /// What is wrong with its quotes.
        problem: RecordProblem,
    },
    /// A header as long as no header is.
    #[error("line {line}: the header is longer than {limit} bytes; is this a CSV file?")]
    HeaderTooLong {
        /// The physical line where it begins.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// Not one name in the header is known. It may be no header, so its cells are not shown: they may be about
    /// a person.
    #[error(
        "line {line}: no known column in the header; is the first row a header, and the delimiter \
         {delimiter}? `beltic template` prints one, and `csv.columns` in the settings maps yours"
    )]
    NoKnownColumn {
        /// The header's physical line.
        line: u64,
        /// The delimiter that was used.
        delimiter: Found,
    },
    /// A header that does not say what is asked of it.
    #[error("line {line}: {problem}")]
    Header {
        /// The header's physical line.
        line: u64,
        /// What is wrong with it, without its cells.
        problem: String,
    },
    /// Columns that map to nothing.
    #[error("{}", unknown_columns(columns))]
    UnknownColumns {
        /// The columns.
        columns: Vec<UnknownColumn>,
        /// Settings that say something of each of them.
        mapping: Option<String>,
    },
    /// Columns of a type that the file was not said to be of.
    #[error(
        "the columns are those of the type {name}; add `--type {name}`, or set credential.type in .beltic.yaml"
    )]
    ColumnsOfType {
        /// The type's name.
        name: &'static str,
    },
    /// A column without a name among those with one.
    #[error("column {position} has no name; name it, or remove it")]
    UnnamedColumn {
        /// Its place, from 1.
        position: usize,
    },
    /// One field from two columns.
    #[error("{}", duplicate_column(.first, .second))]
    DuplicateColumn {
        /// The name and place of the first column.
        first: (String, usize),
        /// The name and place of the second.
        second: (String, usize),
    },
    /// Required columns that are not there.
    #[error("{}", missing_columns(missing, claim.as_deref(), found))]
    MissingColumns {
        /// Their names.
        missing: Vec<String>,
        /// The name of a claim's column, where there is none of any claim.
        claim: Option<String>,
        /// The header that is there, as messages show it.
        found: Vec<String>,
    },
    /// A constant for a field that also has a column.
    #[error("column '{column}' ({position}) and {setting} both give {field}; keep one of them")]
    ColumnAndConstant {
        /// The setting or the flag.
        setting: &'static str,
        /// The column's name.
        column: String,
        /// Its place, from 1.
        position: usize,
        /// The field.
        field: String,
    },

    // Options
    /// One header is mapped and ignored.
    #[error("csv.columns maps '{column}', and csv.ignore ignores it; keep one of them")]
    MappedAndIgnored {
        /// The header text.
        column: String,
    },
    /// What is no format of dates.
    #[error(
        "csv.dates: '{format}' for '{column}' is not the format of a date; expected one such as %d.%m.%Y"
    )]
    DateFormat {
        /// The header or field.
        column: String,
        /// The format.
        format: String,
    },
    /// `csv.columns` names a field that does not exist.
    #[error("csv.columns maps '{column}' to '{field}', which is not a field{}", did_you_mean(.suggestion))]
    UnknownMapping {
        /// The header text.
        column: String,
        /// The field as written.
        field: String,
        /// The nearest known name.
        suggestion: Option<String>,
    },
    /// `csv.constants` names a field that does not exist.
    #[error("{setting} gives '{field}', which is not a field{}", did_you_mean(.suggestion))]
    UnknownConstant {
        /// The setting or the flag.
        setting: &'static str,
        /// The field as written.
        field: String,
        /// The nearest known name.
        suggestion: Option<String>,
    },
    /// `csv.constants` gives one field under two names.
    #[error("{setting} gives {field} twice")]
    ConstantTwice {
        /// The setting or the flag.
        setting: &'static str,
        /// The field.
        field: String,
    },
}

/// A place in a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The physical line, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: u64,
    /// The byte in the (decompressed, UTF-8) text, from 1.
    pub byte: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {})", self.line, self.column, self.byte)
    }
}

/// A byte of the input, for a message: itself if it can be seen, its number if not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found(pub u8);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            byte @ b'!'..=b'~' => write!(f, "'{}'", char::from(byte)),
            byte => write!(f, "byte 0x{byte:02X}"),
        }
    }
}

/// A column that maps to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownColumn {
    /// Its name as written.
    pub name: String,
    /// Its place, from 1.
    pub position: usize,
    /// What it may be meant to be.
    pub suggestion: Option<String>,
}

fn within(limit: &Option<usize>) -> String {
    limit.map_or(String::new(), |limit| format!(" within {limit} bytes"))
}

fn found_keys(keys: &[String]) -> String {
    match keys {
        [] => names(keys),
        _ => format!(
            "{}; write {{\"items\":[…]}}, or use --input-format ndjson for one item a line",
            names(keys)
        ),
    }
}

/// The keys that an object has instead.
pub(crate) fn names(keys: &[String]) -> String {
    if keys.is_empty() {
        return " (the object is empty)".to_owned();
    }
    let keys: Vec<_> = keys.iter().map(|key| format!("'{key}'")).collect();
    format!(" (found {})", keys.join(", "))
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or(String::new(), |name| format!("; did you mean {name}?"))
}

/// The most columns that one message names.
pub(super) const MAX_NAMED: usize = 12;

fn missing_columns(missing: &[String], claim: Option<&str>, found: &[String]) -> String {
    let claim = claim.map(|example| format!("a column for a claim, such as {example}"));
    let named = match missing {
        [] => String::new(),
        [one] => format!("column {one}"),
        several => format!("columns {}", several.join(", ")),
    };
    let parts: Vec<String> = [named].into_iter().filter(|named| !named.is_empty()).chain(claim).collect();
    let shown: Vec<String> = found.iter().take(MAX_NAMED).map(|name| format!("'{name}'")).collect();
    let more = if found.len() > MAX_NAMED {
        format!(" and {} more", found.len() - MAX_NAMED)
    } else {
        String::new()
    };
    format!("missing {}; the header has {}{more}", parts.join(" and "), shown.join(", "))
}

fn unknown_columns(columns: &[UnknownColumn]) -> String {
    let mut text =
        if columns.len() == 1 { "unknown column ".to_owned() } else { "unknown columns ".to_owned() };
    let named: Vec<_> = columns.iter().take(MAX_NAMED).map(unknown_column).collect();
    text += &named.join(", ");
    if columns.len() > MAX_NAMED {
        text += &format!(" and {} more", columns.len() - MAX_NAMED);
    }
    text + "; remove or rename what is not a field, or map it under csv.columns in .beltic.yaml"
}

fn unknown_column(column: &UnknownColumn) -> String {
    match &column.suggestion {
        Some(name) => format!("'{}' ({}; did you mean {name}?)", column.name, column.position),
        None => format!("'{}' ({})", column.name, column.position),
    }
}

fn duplicate_column(first: &(String, usize), second: &(String, usize)) -> String {
    if first.0 == second.0 {
        format!("column '{}' appears at {} and {}", first.0, first.1, second.1)
    } else {
        format!("columns '{}' ({}) and '{}' ({}) are the same field", first.0, first.1, second.0, second.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_which_input_and_keep_the_cause_apart() {
        let cause = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = InputError::of(&InputName::File("a.csv".into()), InputFault::Open(cause));
        assert_eq!(error.to_string(), "a.csv: cannot be opened");
        assert_eq!(
            std::error::Error::source(&error).map(ToString::to_string).as_deref(),
            Some("permission denied")
        );
        assert!(error.is_io());
    }

    #[test]
    fn long_lists_of_columns_are_cut_short() {
        let column = |position| UnknownColumn { name: "x".to_owned(), position, suggestion: None };
        let text =
            InputFault::UnknownColumns { columns: (1..=30).map(column).collect(), mapping: None }.to_string();
        assert!(text.contains("'x' (12) and 18 more;"), "{text}");
    }
}
