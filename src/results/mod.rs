//! What `batch-issue` wrote, read row by row: results as NDJSON, as the API's JSON envelope or as
//! CSV; and plain lists of ids or tokens, one a line or in a JSON array. Any of them may be gzipped.
//!
//! For changes of status, a CSV file of the user's own is read too ([`Results::open_targets`]). Exactly one of its
//! columns names the credentials, the first of these that it has: `credential_id`, `id`, `signed_payload`,
//! `correlation_id`, `subject_id`. Nothing is looked for in another column where a cell of that one is empty: such a
//! row fails.
//!
//! The first bytes decide which it is. The file is cut by [`crate::source`], as batches are, so
//! memory is bounded by the longest row.

mod dialect;
mod error;

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use crate::json::{Kind, Parser, Value};
use crate::request::Lookup;
use crate::source::{Chunk, Input, InputError, InputFault, InputName, ItemFault, Options, Source};
use crate::stop::Stop;
use crate::token::MAX_TOKEN_BYTES;
use dialect::{Outcomes, RowKey, names_credential};
pub use error::ResultsError;
use error::problem_of_row;

/// The longest row, in bytes. A row holds a token, and beside it once more what the token says; four times the longest
/// token that is read leaves room for escapes.
pub const MAX_ROW_BYTES: usize = 4 * MAX_TOKEN_BYTES;

/// A row of a results file or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow<'r> {
    /// Its index, counted from 0: over all rows from [`Batches`], over its [`RawRows`] from these.
    pub index: u64,
    /// The line on which it begins, where the file has lines.
    pub line: Option<u64>,
    /// The item's correlation id, where the row has it.
    pub correlation_id: Option<Cow<'r, str>>,
    /// The nonce that was given out for it, where it is a presentation.
    pub nonce: Option<Cow<'r, str>>,
    /// What it holds.
    pub content: Content<'r>,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'r> {
    /// A credential: its id, its token, or both.
    Credential {
        /// The id as it is written.
        id: Option<Cow<'r, str>>,
        /// The token.
        token: Option<Cow<'r, str>>,
    },
    /// An id of the user's own, which may be that of several credentials.
    OwnId(Lookup, Cow<'r, str>),
    /// An item that failed: there is no credential.
    Failed,
    /// Nothing that can be read, and why.
    Unreadable(String),
}

impl ResultRow<'_> {
    /// Whether it would be the name of the only column, if it were the first line of a list.
    pub fn looks_like_a_heading(&self) -> bool {
        matches!(&self.content, Content::Credential { id: Some(text), token: None } if names_credential(text))
    }

    /// The row, for whoever keeps it.
    fn into_owned(self) -> ResultRow<'static> {
        let own = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let content = match self.content {
            Content::Credential { id, token } => Content::Credential { id: own(id), token: own(token) },
            Content::OwnId(lookup, text) => Content::OwnId(lookup, Cow::Owned(text.into_owned())),
            Content::Failed => Content::Failed,
            Content::Unreadable(problem) => Content::Unreadable(problem),
        };
        ResultRow {
            index: self.index,
            line: self.line,
            correlation_id: own(self.correlation_id),
            nonce: own(self.nonce),
            content,
        }
    }
}

/// One file of results.
#[derive(Debug)]
pub struct Results {
    name: InputName,
    source: Box<Source>,
}

impl Results {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// Where the file cannot be opened, or is no results.
    pub fn open(path: &Path, stop: &Stop) -> Result<Results, ResultsError> {
        let input = match path.to_str() {
            Some("-") => Input::Stdin(Box::new(io::stdin())),
            _ => Input::File(path.to_owned()),
        };
        Results::of(input, stop)
    }

    /// Reads what names the credentials whose status is to be changed: as [`Results::of`], and CSV files with a
    /// column of the user's own ids.
    ///
    /// # Errors
    /// Where the input cannot be read, or names no credentials.
    pub fn open_targets(input: Input, stop: &Stop) -> Result<Results, ResultsError> {
        Results::with(input, true, stop)
    }

    /// Reads from something open.
    ///
    /// # Errors
    /// Where it cannot be read, or is no results.
    pub fn read(name: InputName, reader: Box<dyn Read + Send>, stop: &Stop) -> Result<Results, ResultsError> {
        Results::of(Input::Opened(name, reader), stop)
    }

    /// Reads from an input of any kind.
    ///
    /// # Errors
    /// Where it cannot be read, or is no results.
    pub fn of(input: Input, stop: &Stop) -> Result<Results, ResultsError> {
        Results::with(input, false, stop)
    }

    fn with(input: Input, own_ids: bool, stop: &Stop) -> Result<Results, ResultsError> {
        let options = Options { max_item_bytes: MAX_ROW_BYTES, ..Options::of(Outcomes { own_ids }) };
        let name = input.name();
        let source = Box::new(Source::open(vec![input], options, stop)?);
        Ok(Results { name, source })
    }

    /// The next rows as they stand in the file, at most 1,000; none after the last.
    ///
    /// # Errors
    /// Where the file cannot be read any further. What came before is sound.
    pub fn next_raw(&mut self) -> Result<Option<RawRows>, ResultsError> {
        Ok(self.source.next_chunk()?.map(RawRows))
    }

    /// What looks at the order of this file's rows.
    pub fn order(&self) -> Order {
        Order { name: self.name.clone(), begun: false, any_rows: false }
    }

    /// The rows one batch after the other, for whoever reads them on one thread.
    pub fn batches(self) -> Batches {
        let (order, parser) = (self.order(), Parser::for_tokens());
        Batches { order, results: self, parser, column: None, next_index: 0, over: false }
    }
}

/// Consecutive rows as they stand in the file, cut but not looked into.
#[derive(Debug)]
pub struct RawRows(Chunk);

impl RawRows {
    /// Reads them one by one, on any thread. The first may be a heading: [`Order::drops_first`] knows.
    pub fn read(&self, parser: &mut Parser, mut each: impl FnMut(ResultRow<'_>)) {
        let mut index = 0;
        let mut texts = self.0.open();
        let key = self.0.key().and_then(|(member, column)| Some((RowKey::named(member)?, column)));
        while let Some(item) = texts.next() {
            let mut row = |Said { correlation_id, nonce, content }: Said<'_>| {
                each(ResultRow { index, line: item.line, correlation_id, nonce, content });
                index += 1;
            };
            match item.text {
                Ok(text) => match key {
                    Some((key, column)) => row(row_of_table(text, key, column, parser)),
                    None => rows_of(text, item.line.is_some(), parser, row),
                },
                // Two tables were joined; nothing is lost with it.
                Err(ItemFault::RepeatsHeader { .. }) => {}
                Err(fault) => row(Said {
                    correlation_id: item.correlation_id.map(Cow::Borrowed),
                    ..Said::of(Content::Unreadable(problem_of_row(fault)))
                }),
            }
        }
    }
}

/// Looks at the rows of one file in their order: whether the first is a heading, and whether there are any.
#[derive(Debug)]
pub struct Order {
    name: InputName,
    /// Whether the first row was seen.
    begun: bool,
    any_rows: bool,
}

impl Order {
    /// To be called with each of the [`RawRows`]: how many there are, and whether the first looks like a heading.
    /// Where it is the first of the file, it is one, and does not count.
    pub fn drops_first(&mut self, rows: usize, looks_like_a_heading: bool) -> bool {
        let drops = looks_like_a_heading && !self.begun;
        self.begun |= rows > 0;
        self.any_rows |= rows > usize::from(drops);
        drops
    }

    /// To be called after the last row.
    ///
    /// # Errors
    /// Where there was no row.
    pub fn end(&self) -> Result<(), ResultsError> {
        match self.any_rows {
            true => Ok(()),
            false => Err(InputError::of(&self.name, InputFault::NoItems).into()),
        }
    }
}

/// The rows of one file.
#[derive(Debug)]
pub struct Batches {
    results: Results,
    order: Order,
    parser: Parser,
    column: Option<String>,
    next_index: u64,
    over: bool,
}

impl Batches {
    /// The one column that names the credentials, as soon as a batch was read from a table of which only one is read.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// The next rows, at most 1,000; none after the last.
    ///
    /// # Errors
    /// Where the file cannot be read any further, or ends without a row. What came before is sound.
    pub fn next_batch(&mut self) -> Result<Vec<ResultRow<'static>>, ResultsError> {
        while !self.over {
            let Some(raw) = self.results.next_raw().inspect_err(|_| self.over = true)? else {
                self.over = true;
                self.order.end()?;
                break;
            };
            if self.column.is_none() {
                self.column = raw.0.key().map(|(_, column)| column.to_owned());
            }
            let mut rows = Vec::new();
            raw.read(&mut self.parser, |row| rows.push(row.into_owned()));
            if self.order.drops_first(rows.len(), rows.first().is_some_and(ResultRow::looks_like_a_heading)) {
                rows.remove(0);
            }
            rows.iter_mut().zip(self.next_index..).for_each(|(row, index)| row.index = index);
            self.next_index += rows.len() as u64;
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }
}

/// What a row says.
struct Said<'r> {
    correlation_id: Option<Cow<'r, str>>,
    nonce: Option<Cow<'r, str>>,
    content: Content<'r>,
}

impl<'r> Said<'r> {
    fn of(content: Content<'r>) -> Said<'r> {
        Said { correlation_id: None, nonce: None, content }
    }
}

/// What a row of a table holds in its one column that names credentials. The text is the row as JSON.
fn row_of_table<'r>(text: &'r str, key: RowKey, column: &str, parser: &'r mut Parser) -> Said<'r> {
    let Ok(document) = parser.parse(text) else { return Said::of(no_result()) };
    let row = document.root();
    let member = |names: &[&str]| names.iter().find_map(|name| text_of(row, name));
    let content = match key {
        _ if row.member("error").is_some() => Some(Content::Failed),
        RowKey::CredentialId => {
            member(&["credential_id", "id"]).map(|id| Content::Credential { id: Some(id), token: None })
        }
        RowKey::Token => {
            member(&["signed_payload"]).map(|token| Content::Credential { id: None, token: Some(token) })
        }
        RowKey::CorrelationId => {
            member(&["correlation_id"]).map(|id| Content::OwnId(Lookup::CorrelationId, id))
        }
        RowKey::SubjectId => member(&["subject_id"]).map(|id| Content::OwnId(Lookup::Subject, id)),
    };
    let empty = || Content::Unreadable(format!("column '{column}' is empty in this row"));
    let correlation_id = text_of(row, "correlation_id");
    Said { correlation_id, ..Said::of(content.unwrap_or_else(empty)) }
}

/// What a line or an element of an array holds: nothing where a line is a comment, and several rows where it is an
/// object that holds `credentials`, as the APIs of others return it.
fn rows_of<'r>(text: &'r str, is_line: bool, parser: &'r mut Parser, mut each: impl FnMut(Said<'r>)) {
    let mut text = text.trim();
    if is_line && !text.starts_with(['{', '[']) {
        let Some(entry) = entry(text) else { return };
        text = entry;
    }
    if !text.starts_with(['{', '[', '"']) {
        return each(Said::of(plain(text.into())));
    }
    let Ok(document) = parser.parse(text) else {
        return each(Said::of(Content::Unreadable("not valid JSON".to_owned())));
    };
    let row = document.root();
    if let Some(text) = row.as_str() {
        return each(Said::of(plain(text)));
    }
    if row.kind() != Kind::Object || !document.faults().is_empty() {
        return each(Said { correlation_id: text_of(row, "correlation_id"), ..Said::of(no_result()) });
    }
    match row.member("credentials").filter(|several| several.kind() == Kind::Array) {
        Some(several) => several.elements().map(said_of).for_each(each),
        None => each(said_of(row)),
    }
}

/// What a value holds: a result, a credential as text or as a resource, or a presentation with its nonce.
fn said_of(value: Value<'_>) -> Said<'_> {
    match value.as_str() {
        Some(text) => Said::of(plain(text)),
        None => Said {
            correlation_id: text_of(value, "correlation_id"),
            nonce: text_of(value, "nonce"),
            content: content_of(value),
        },
    }
}

/// A line of a list without the comma of the list that it was copied from; none for a comment.
fn entry(line: &str) -> Option<&str> {
    let entry = line.trim_end_matches(|c: char| matches!(c, ',' | ';') || c.is_whitespace());
    (!entry.is_empty() && !entry.starts_with('#')).then_some(entry)
}

fn no_result() -> Content<'static> {
    Content::Unreadable("not a result of batch-issue".to_owned())
}

/// What a result holds. An error is believed before anything beside it: a credential whose status
/// could not be changed has its id there.
fn content_of(row: Value<'_>) -> Content<'_> {
    if row.member("error").is_some_and(|error| error.kind() != Kind::Null) {
        return Content::Failed;
    }
    let wrapped = ["presentation", "credential"].into_iter().find_map(|name| text_of(row, name));
    if let Some(token) = wrapped {
        return Content::Credential { id: None, token: Some(bare(token)) };
    }
    // A result has its credential inside; the resource itself is read too.
    let resource = row.member("credential").filter(|inner| inner.kind() == Kind::Object).unwrap_or(row);
    let id = text_of(resource, "credential_id").or_else(|| text_of(resource, "id"));
    match (id, text_of(resource, "signed_payload")) {
        (None, None) => no_result(),
        // An enveloped credential (VC Data Model 2.0 section 4.13) is its own id.
        (Some(id), None) if id.starts_with("data:") => {
            Content::Credential { id: None, token: Some(bare(id)) }
        }
        (id, token) => Content::Credential { id, token },
    }
}

fn text_of<'r>(object: Value<'r>, name: &str) -> Option<Cow<'r, str>> {
    object.member(name).and_then(Value::as_str)
}

/// A token without the media type of a `data:` URL in front of it.
fn bare(text: Cow<'_, str>) -> Cow<'_, str> {
    let start = match text.strip_prefix("data:").and_then(|_| text.find(',')) {
        Some(comma) if text[comma + 1..].starts_with("eyJ") => comma + 1,
        _ => return text,
    };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..]),
        Cow::Owned(mut text) => {
            text.drain(..start);
            Cow::Owned(text)
        }
    }
}

/// A line that is nothing but an id or a token.
fn plain(text: Cow<'_, str>) -> Content<'_> {
    let text = bare(text);
    // A token begins with base64url of `{"`.
    match text.starts_with("eyJ") {
        true => Content::Credential { id: None, token: Some(text) },
        false => Content::Credential { id: Some(text), token: None },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    type Row = (Option<u64>, Option<String>, Content<'static>);

    fn read(text: &[u8]) -> Vec<Row> {
        let (rows, error) = rows_and_error(Box::new(io::Cursor::new(text.to_vec())));
        assert!(error.is_none(), "{}: {error:?}", String::from_utf8_lossy(text));
        rows
    }

    /// The rows, and what ended them before the file did.
    fn rows_and_error(reader: Box<dyn Read + Send>) -> (Vec<Row>, Option<String>) {
        let mut rows = Vec::new();
        let mut results = match Results::read(InputName::Stdin, reader, &Stop::default()) {
            Ok(results) => results.batches(),
            Err(error) => return (rows, Some(error.to_string())),
        };
        loop {
            match results.next_batch() {
                Ok(batch) if batch.is_empty() => return (rows, None),
                Ok(batch) => {
                    for row in batch {
                        assert_eq!(row.index, rows.len() as u64);
                        rows.push((row.line, row.correlation_id.map(Cow::into_owned), row.content));
                    }
                }
                Err(error) => {
                    assert!(results.next_batch().unwrap().is_empty(), "nothing follows an error");
                    return (rows, Some(error.to_string()));
                }
            }
        }
    }

    fn faulty(text: &[u8]) -> (Vec<Row>, String) {
        let (rows, error) = rows_and_error(Box::new(io::Cursor::new(text.to_vec())));
        (rows, error.unwrap_or_else(|| panic!("no fault in {}", String::from_utf8_lossy(text))))
    }

    /// Hands out so many bytes at first, and one after the other then.
    struct Slow(io::Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(std::mem::replace(&mut self.1, 1));
            self.0.read(&mut buffer[..length])
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn utf16(text: &str) -> Vec<u8> {
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    /// A table of so many rows, each with an id of its own.
    fn table(rows: usize) -> Vec<String> {
        let row = |number: usize| format!("{number},c{number},u{number},eyJ,");
        let header = "index,correlation_id,id,signed_payload,error_code".to_owned();
        [header].into_iter().chain((0..rows).map(row)).collect()
    }

    fn credential<'r>(id: &'r str, token: Option<&'r str>) -> Content<'r> {
        let (id, token) = (Some(id.into()), token.map(Cow::Borrowed));
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
        let quoted = table.trim_start_matches('\u{feff}').replace('\n', "\"\n\"").replace(',', "\",\"");
        let forms = [
            lines.clone(),
            lines.replace("{\"index", "{ \"index"),
            envelope,
            spaced.clone(),
            spaced.replace("{\n  \"success", "{ \"success"),
            format!("{{\"failure_count\":1,\"results\":[{ISSUED},{FAILED}],\"success_count\":1}}"),
            format!("{{\"success_count\":1,\n\"results\":[{ISSUED},{FAILED}]}}"),
            format!("[{ISSUED},{FAILED}]"),
            table.to_owned(),
            table.replace(',', ";"),
            table.replace(',', "\t"),
            table.replace("id,signed_payload", "Credential ID,SIGNED_PAYLOAD"),
            table.replace('\u{feff}', "sep=,\r\n"),
            format!("\"{}", quoted.strip_suffix('"').unwrap()),
        ];
        for text in &forms {
            let bytes = text.as_bytes();
            for form in [bytes.to_vec(), gzip(bytes), utf16(text.trim_start_matches('\u{feff}'))] {
                // However the bytes arrive: the first ones together, then one by one.
                for first in [usize::MAX, 1, 2, 5] {
                    let reader = Box::new(Slow(io::Cursor::new(form.clone()), first));
                    let (rows, error) = rows_and_error(reader);
                    let rows: Vec<_> = rows.into_iter().map(|(_, id, content)| (id, content)).collect();
                    let expected = [
                        (Some("a".to_owned()), credential("u1", Some("eyJ"))),
                        (Some("b".to_owned()), Content::Failed),
                    ];
                    assert_eq!((rows, error), (expected.to_vec(), None), "{text}");
                }
            }
        }
    }

    #[test]
    fn an_error_is_believed_before_an_id() {
        let row = r#"{"index":0,"id":"u1","error":{"code":"status_conflict"}}"#;
        let table = "index,id,status,error_code\n0,u1,,status_conflict\n1,u2,revoked,\n";
        assert_eq!(read(row.as_bytes())[0].2, Content::Failed);
        assert_eq!(read(format!("[{row}]").as_bytes())[0].2, Content::Failed);
        let rows: Vec<_> = read(table.as_bytes()).into_iter().map(|row| row.2).collect();
        assert_eq!(rows, [Content::Failed, credential("u2", None)]);
        assert_eq!(read(br#"{"id":"u1","error":null}"#)[0].2, credential("u1", None));
    }

    #[test]
    fn a_stray_quote_swallows_nothing_in_silence() {
        let sound = table(8);
        // At the start of each cell of the second row, with nothing and with something to close it.
        for (cell, closing) in (0..5).flat_map(|cell| [(cell, None), (cell, Some(5)), (cell, Some(8))]) {
            let mut lines = sound.clone();
            let mut cells: Vec<String> = lines[2].split(',').map(str::to_owned).collect();
            cells[cell].insert(0, '"');
            lines[2] = cells.join(",");
            for name in ["\"Acme, Inc\"", "\"Acme \"\"X\"\"\""] {
                if let Some(line) = closing {
                    lines[line] = lines[line].replacen(&format!("c{}", line - 1), name, 1);
                }
                let reader = Box::new(io::Cursor::new(lines.join("\n")));
                let (rows, error) = rows_and_error(reader);
                let told = rows.iter().any(|row| matches!(&row.2, Content::Unreadable(_)));
                assert!(told || error.is_some(), "{rows:?}: {lines:?}");
                assert_eq!(rows[0].2, credential("u0", Some("eyJ")), "{lines:?}");
                if closing.is_none() {
                    let said =
                        "line 3: the quote opened on line 3 is not closed; this record spans lines 3 to 9";
                    assert_eq!(
                        rows[1..].iter().map(|row| &row.2).collect::<Vec<_>>(),
                        [&Content::Unreadable(said.to_owned())]
                    );
                    assert_eq!(error, None);
                }
            }
        }
    }

    #[test]
    fn rows_with_a_wrong_number_of_cells_are_unreadable() {
        let mut lines = table(4);
        lines[2].push_str(",more");
        lines[4] = "3,c3,u3,ey".to_owned();
        let rows = read(lines.join("\n").as_bytes());
        let problem = |row: &Row| match &row.2 {
            Content::Unreadable(problem) => problem.clone(),
            _ => String::new(),
        };
        let problems: Vec<_> = rows.iter().map(problem).collect();
        let expected = [
            "",
            "line 3: 6 cells, but the header has 5",
            "",
            "line 5: 4 of 5 cells; the file may be truncated",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn a_fault_comes_after_the_rows_before_it() {
        let lines = table(6);
        let text = lines.join("\n");
        let mut latin1 = text.clone().into_bytes();
        latin1[text.find("c4").unwrap()] = 0xE9;
        let rows = read(&latin1);
        let unreadable = Content::Unreadable("not UTF-8: line 6, byte 3 (0xE9); save as UTF-8".to_owned());
        assert_eq!((rows.len(), &rows[4].2), (6, &unreadable), "one damaged byte is one row's fault");
        latin1[text.find("c5").unwrap()] = 0xE9;
        let (rows, error) = faulty(&latin1);
        assert_eq!(rows.len(), 5);
        assert_eq!(error, "standard input: not UTF-8: line 6, byte 3 (0xE9); save as UTF-8");

        let mut packed = gzip(format!("{text}\n").as_bytes());
        packed.truncate(packed.len() - 4);
        let (rows, error) = faulty(&packed);
        assert_eq!(rows.len(), 6);
        assert!(error.contains("gzip stream ends early"), "{error}");

        let (rows, error) = faulty(format!("{{\"results\":[{ISSUED},{FAILED},{{\"a").as_bytes());
        assert_eq!(rows.len(), 2);
        assert!(error.contains("unexpected end"), "{error}");
    }

    #[test]
    fn two_tables_in_one_file_are_one() {
        let text = format!("{}\n{}\n", table(2).join("\n"), table(1).join("\n"));
        let ids: Vec<_> = read(text.as_bytes()).into_iter().map(|row| row.1.unwrap()).collect();
        assert_eq!(ids, ["c0", "c1", "c0"]);
    }

    #[test]
    fn correlation_ids_are_those_that_were_issued() {
        for (cell, id) in [("'-5", "-5"), ("''-5", "'-5"), ("'a", "'a"), (" a ", " a "), ("'=1+1", "=1+1")] {
            let rows = read(format!("correlation_id,id\n{cell},u1\n").as_bytes());
            assert_eq!(rows[0].1.as_deref(), Some(id), "{cell}");
        }
    }

    /// The array comes last, behind more than a row may have, which is not kept.
    #[test]
    fn the_array_need_not_come_first() {
        let filling = format!("[{}0]", "\"some text\",\n".repeat(800_000));
        let text = format!("{{\n  \"other\": {filling},\n  \"results\": [\n{ISSUED}\n]\n}}");
        assert_eq!(read(text.as_bytes())[0].2, credential("u1", Some("eyJ")));
    }

    #[test]
    fn a_row_may_be_four_times_as_long_as_an_item() {
        let id = "x".repeat(9 << 20);
        let line = format!("{{\"correlation_id\":\"{id}\",\"id\":\"u1\"}}\n");
        assert_eq!(read(line.as_bytes())[0].2, credential("u1", None));
    }

    #[test]
    fn what_is_in_a_list_beside_its_entries_is_skipped() {
        for heading in ["", "ID\n", "id,\n", "\"credential_id\"\n", "# ids\n\n  # of May\nId\n"] {
            let list = format!("{heading}urn:uuid:1,\n\n# a comment\n\"urn:uuid:2\",\r\nurn:uuid:3 , \nid");
            let ids: Vec<_> = read(list.as_bytes()).into_iter().map(|row| row.2).collect();
            let expected = ["urn:uuid:1", "urn:uuid:2", "urn:uuid:3", "id"];
            assert_eq!(ids, expected.map(|id| credential(id, None)), "{heading}");
        }
    }

    #[test]
    fn what_is_no_results_file_is_refused_with_advice_that_can_be_followed() {
        for (text, said) in [
            ("", "empty file"),
            ("\n\n", "no results, ids or tokens in it"),
            ("# nothing\n", "no results, ids or tokens in it"),
            ("index,id\n", "no results, ids or tokens in it"),
            ("{\"results\":[]}", "no results, ids or tokens in it"),
            ("<!DOCTYPE html>", "no results: starts with '<'"),
            ("subject_id,kyb_status\n1,2\n", "line 1: no column id, credential_id or signed_payload"),
            ("id,ID\n1,2\n", "columns 'id' (1) and 'ID' (2) are the same field"),
            (
                "{\n\"correlation_id\":\"a\"}\n{}",
                "no 'results' array at the top level (found 'correlation_id'); expected",
            ),
            (
                "{\n\"correlation_id\":\"a\"}",
                "no 'results' array at the top level (found 'correlation_id'); expected",
            ),
            ("i\0d\0,\0x\0", "UTF-16 without a byte order mark; save as UTF-8"),
        ] {
            let (_, error) = faulty(text.as_bytes());
            assert!(error.starts_with("standard input: ") && error.contains(said), "{text}: {error}");
            assert!(!error.contains("items") && !error.contains("--"), "{text}: {error}");
        }
    }

    /// What `jq .` makes of results: each value over several lines.
    #[test]
    fn pretty_printed_results_are_read() {
        let pretty = "{\n  \"index\": 0,\n  \"credential\": {\n    \"id\": \"u1\"\n  }\n}\n";
        for text in [
            pretty.to_owned(),
            pretty.repeat(2),
            format!("[{pretty}]{pretty}"),
            format!("{{\n\"results\":[]}}{pretty}"),
        ] {
            let rows = read(text.as_bytes());
            assert_eq!(rows.len(), text.matches("u1").count(), "{text}");
            assert!(rows.iter().all(|row| row.2 == credential("u1", None)), "{text}: {rows:?}");
        }
        let (rows, error) = rows_and_error(Box::new(io::Cursor::new(format!("{pretty}x").into_bytes())));
        assert_eq!(rows.len(), 1);
        assert!(
            error.unwrap().to_string().contains("trailing data after the end of the JSON value; expected")
        );
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
