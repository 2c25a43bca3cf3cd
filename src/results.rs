//! What `batch-issue` wrote, read row by row: results as NDJSON, as the API's JSON envelope or as
//! CSV; and plain lists of ids or tokens, one a line. Any of them may be gzipped.
//!
//! The first bytes decide which it is. Memory is bounded by the longest row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use crate::json::{Kind, Parser, Value};
use crate::source::{Chunk, Format, Input, InputError, InputName, Options, Source};
use crate::stop::Stop;

/// The longest row, in bytes: an issued credential is as long as its item three times over.
const MAX_ROW_BYTES: usize = 8 << 20;
/// How many CSV rows are handed out at once.
const ROWS_AT_ONCE: usize = 1_000;
/// How much is looked at to tell one form from another.
const HEAD_BYTES: usize = 64 << 10;

/// A row of a results file or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// Its index, counted from 0 over all rows.
    pub index: u64,
    /// The line on which it begins, where the file has lines.
    pub line: Option<u64>,
    /// The item's correlation id, where the row has it.
    pub correlation_id: Option<String>,
    /// What it holds.
    pub content: Content,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A credential: its id, its token, or both.
    Credential {
        /// The id as it is written.
        id: Option<String>,
        /// The token.
        token: Option<String>,
    },
    /// An item that failed: there is no credential.
    Failed,
    /// Nothing that can be read.
    Unreadable(&'static str),
}

/// Why results cannot be read any further.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// The file cannot be opened, or its JSON is none.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The file cannot be read.
    #[error("cannot read {name}")]
    Read {
        /// The file.
        name: InputName,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no CSV.
    #[error("{name} cannot be read as CSV")]
    Csv {
        /// The file.
        name: InputName,
        /// What is wrong.
        source: ::csv::Error,
    },
}

impl ResultsError {
    /// Whether the file could not be read (exit code 6), rather than being no results (4).
    pub fn is_io(&self) -> bool {
        match self {
            ResultsError::Input(error) => error.is_io(),
            ResultsError::Read { .. } => true,
            ResultsError::Csv { source, .. } => source.is_io_error(),
        }
    }
}

/// The rows of one file, in batches.
pub struct Results {
    rows: Rows,
    parser: Parser,
    next_index: u64,
}

enum Rows {
    /// JSON, NDJSON and plain lines.
    Cut(Box<Source>),
    Csv {
        name: InputName,
        reader: Box<::csv::Reader<Box<dyn Read + Send>>>,
        columns: Columns,
    },
}

/// Where a results table has what is looked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Columns {
    id: Option<usize>,
    token: Option<usize>,
    correlation_id: Option<usize>,
    error: Option<usize>,
}

impl Results {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(path: &Path, stop: &Stop) -> Result<Results, ResultsError> {
        if path == Path::new("-") {
            return Results::read(InputName::Stdin, Box::new(io::stdin()), stop);
        }
        let name = InputName::File(path.to_owned());
        match File::open(path) {
            Ok(file) => Results::read(name, Box::new(file), stop),
            Err(source) => Err(ResultsError::Read { name, source }),
        }
    }

    /// Reads from something open.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(name: InputName, reader: Box<dyn Read + Send>, stop: &Stop) -> Result<Results, ResultsError> {
        let fail = |source| ResultsError::Read { name: name.clone(), source };
        let (mut reader, head) = unpacked(reader).map_err(fail)?;
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
        let format = match head.trim_ascii_start().first() {
            Some(b'[') => Format::Json,
            Some(b'{') if is_envelope(head) => Format::Json,
            Some(b'{' | b'"') | None => Format::Ndjson,
            Some(_) => match Columns::of_line(first_line(head)) {
                Some(_) => return Results::read_csv(name, reader),
                None => Format::Ndjson,
            },
        };
        let options = Options {
            format: Some(format),
            envelope: "results",
            max_item_bytes: MAX_ROW_BYTES,
            ..Options::default()
        };
        reader = Box::new(reader);
        let source = Source::open(vec![Input::Opened(name, reader)], options, stop)?;
        Ok(Results { rows: Rows::Cut(Box::new(source)), parser: Parser::for_tokens(), next_index: 0 })
    }

    fn read_csv(name: InputName, reader: Box<dyn Read + Send>) -> Result<Results, ResultsError> {
        let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(reader);
        let header = match reader.headers() {
            Ok(header) => header,
            Err(source) => return Err(ResultsError::Csv { name, source }),
        };
        let columns = Columns::of(header.iter());
        let rows = Rows::Csv { name, reader: Box::new(reader), columns };
        Ok(Results { rows, parser: Parser::for_tokens(), next_index: 0 })
    }

    /// The next rows, at most 1,000; none after the last.
    ///
    /// # Errors
    /// Where the file cannot be read any further. What came before is sound.
    pub fn next_batch(&mut self) -> Result<Vec<ResultRow>, ResultsError> {
        match &mut self.rows {
            Rows::Cut(source) => match source.next_chunk()? {
                Some(chunk) => Ok(cut_rows(&chunk, &mut self.parser)),
                None => Ok(Vec::new()),
            },
            Rows::Csv { name, reader, columns } => {
                let mut rows = Vec::new();
                let mut record = ::csv::StringRecord::new();
                while rows.len() < ROWS_AT_ONCE {
                    match reader.read_record(&mut record) {
                        Ok(false) => break,
                        Ok(true) => rows.push(columns.row(&record, self.next_index)),
                        Err(source) => return Err(ResultsError::Csv { name: name.clone(), source }),
                    }
                    self.next_index += 1;
                }
                Ok(rows)
            }
        }
    }
}

/// Unpacks gzip, and looks at the first bytes without taking them.
fn unpacked(reader: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, Vec<u8>)> {
    let mut reader = BufReader::with_capacity(HEAD_BYTES, reader);
    if reader.fill_buf()?.starts_with(b"\x1f\x8b") {
        let mut reader = BufReader::with_capacity(HEAD_BYTES, MultiGzDecoder::new(reader));
        let head = reader.fill_buf()?.to_vec();
        return Ok((Box::new(reader), head));
    }
    let head = reader.fill_buf()?.to_vec();
    Ok((Box::new(reader), head))
}

fn first_line(head: &[u8]) -> &[u8] {
    memchr::memchr2(b'\n', b'\r', head).map_or(head, |end| &head[..end])
}

/// Whether an object is the envelope: a row has no member of that name.
fn is_envelope(head: &[u8]) -> bool {
    let inside = head.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    inside.trim_ascii_start().starts_with(b"\"results\"")
        || inside.first().is_some_and(u8::is_ascii_whitespace)
}

fn cut_rows(chunk: &Chunk, parser: &mut Parser) -> Vec<ResultRow> {
    let mut rows = Vec::with_capacity(chunk.items.len());
    let mut texts = chunk.open();
    while let Some(item) = texts.next() {
        let (correlation_id, content) = match item.text {
            Ok(text) => row_of(text, parser),
            Err(_) => (None, Content::Unreadable("too long, or not UTF-8")),
        };
        rows.push(ResultRow { index: item.index, line: item.line, correlation_id, content });
    }
    rows
}

/// What a line or an element of an array holds.
fn row_of(text: &str, parser: &mut Parser) -> (Option<String>, Content) {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) {
        return (None, plain(text.to_owned()));
    }
    let Ok(document) = parser.parse(text) else {
        return (None, Content::Unreadable("no JSON"));
    };
    let row = document.root();
    if let Some(text) = row.as_str() {
        return (None, plain(text.into_owned()));
    }
    if row.kind() != Kind::Object || !document.faults().is_empty() {
        return (None, Content::Unreadable("no result of batch-issue"));
    }
    let text_of = |object: Value<'_>, name: &str| {
        object.member(name).and_then(Value::as_str).map(|text| text.into_owned())
    };
    let correlation_id = text_of(row, "correlation_id");
    // A result has its credential inside; the resource itself is read too.
    let resource = row.member("credential").unwrap_or(row);
    let id = text_of(resource, "credential_id").or_else(|| text_of(resource, "id"));
    let token = text_of(resource, "signed_payload");
    let content = match (id, token) {
        (None, None) if row.member("error").is_some() => Content::Failed,
        (None, None) => Content::Unreadable("no result of batch-issue"),
        (id, token) => Content::Credential { id, token },
    };
    (correlation_id, content)
}

/// A line that is nothing but an id or a token.
fn plain(text: String) -> Content {
    // A token begins with base64url of `{"`.
    match text.starts_with("eyJ") {
        true => Content::Credential { id: None, token: Some(text) },
        false => Content::Credential { id: Some(text), token: None },
    }
}

impl Columns {
    /// The columns of a header, if it is that of a results table.
    fn of_line(line: &[u8]) -> Option<Columns> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        let header = reader.records().next()?.ok()?;
        let columns = Columns::of(header.iter());
        (columns.id.is_some() || columns.token.is_some()).then_some(columns)
    }

    fn of<'h>(header: impl Iterator<Item = &'h str>) -> Columns {
        let mut columns = Columns::default();
        for (place, name) in header.enumerate() {
            let column = match name {
                "id" | "credential_id" => &mut columns.id,
                "signed_payload" => &mut columns.token,
                "correlation_id" => &mut columns.correlation_id,
                "error_code" => &mut columns.error,
                _ => continue,
            };
            column.get_or_insert(place);
        }
        columns
    }

    fn row(&self, record: &::csv::StringRecord, index: u64) -> ResultRow {
        let cell = |column: Option<usize>| {
            let text = column.and_then(|column| record.get(column));
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let content = match (cell(self.id), cell(self.token)) {
            (None, None) if cell(self.error).is_some() => Content::Failed,
            (None, None) => Content::Unreadable("no id in this row"),
            (id, token) => Content::Credential { id, token },
        };
        ResultRow {
            index,
            line: record.position().map(::csv::Position::line),
            correlation_id: cell(self.correlation_id),
            content,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &[u8]) -> Vec<(Option<u64>, Option<String>, Content)> {
        let reader = Box::new(io::Cursor::new(text.to_vec()));
        let mut results = Results::read(InputName::Stdin, reader, &Stop::default()).unwrap();
        let mut rows = Vec::new();
        loop {
            let batch = results.next_batch().unwrap();
            if batch.is_empty() {
                return rows;
            }
            for row in batch {
                assert_eq!(row.index, rows.len() as u64);
                rows.push((row.line, row.correlation_id, row.content));
            }
        }
    }

    fn credential(id: &str, token: Option<&str>) -> Content {
        let (id, token) = (Some(id.to_owned()), token.map(str::to_owned));
        Content::Credential { id, token }
    }

    const ISSUED: &str = r#"{"index":0,"correlation_id":"a","credential":{"id":"u1","credential_id":"u1","signed_payload":"eyJ"}}"#;
    const FAILED: &str = r#"{"index":1,"correlation_id":"b","error":{"code":"x"}}"#;

    #[test]
    fn every_form_of_results_gives_the_same_rows() {
        let lines = format!("{ISSUED}\n\n{FAILED}\r\n");
        let envelope =
            format!("{{\"results\":[{ISSUED},\n{FAILED}],\"success_count\":1,\"failure_count\":1}}");
        let spaced = format!("{{\n  \"success_count\": 1, \"results\": [{ISSUED}, {FAILED}]\n}}");
        let table = "\u{feff}index,correlation_id,id,signed_payload,error_code\n0,a,u1,eyJ,\n1,b,,,x\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(table.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        for text in [lines.as_bytes(), envelope.as_bytes(), spaced.as_bytes(), table.as_bytes(), &packed] {
            let rows: Vec<_> = read(text).into_iter().map(|(_, id, content)| (id, content)).collect();
            let expected = [
                (Some("a".to_owned()), credential("u1", Some("eyJ"))),
                (Some("b".to_owned()), Content::Failed),
            ];
            assert_eq!(rows, expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn lists_of_ids_and_tokens_are_read() {
        let token = Content::Credential { id: None, token: Some("eyJx.y.z~".into()) };
        let plain = read(b"urn:uuid:1\n\n2\neyJx.y.z~\n");
        assert_eq!(
            plain,
            [
                (Some(1), None, credential("urn:uuid:1", None)),
                (Some(3), None, credential("2", None)),
                (Some(4), None, token.clone())
            ]
        );
        let array: Vec<_> = read(br#"["urn:uuid:1", "eyJx.y.z~"]"#).into_iter().map(|row| row.2).collect();
        assert_eq!(array, [credential("urn:uuid:1", None), token]);
    }

    #[test]
    fn what_is_no_result_is_said_to_be_none() {
        for text in [r#"{"a":1}"#, r#"{"id":"#, r#"{"id":"a","id":"b"}"#, "{}"] {
            let rows = read(text.as_bytes());
            assert!(matches!(rows[0].2, Content::Unreadable(_)), "{text}: {rows:?}");
        }
    }
}
