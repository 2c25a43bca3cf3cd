//! CSV (RFC 4180): cut into rows by the reader, read into items by the workers.
//!
//! Both follow the rules of the `csv` crate: CR, LF and CRLF end a row; a quote opens a quoted
//! cell only at the cell's start, and is a character like any other elsewhere.

use std::io::{Chain, Read};
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::bytes::Bytes;
use super::chunk::RawItem;
use super::columns::{Columns, count_known};
use super::error::{InputFault, ItemFault};
use super::feed::{Batch, Window};
use super::{Contents, Options};

/// The longest header, and the longest line before it.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

// ------------------------------------------------------------------------------------ the reader

/// Cuts rows. Knows where a row ends, and nothing of its cells.
#[derive(Debug)]
pub(super) struct CsvCutter {
    columns: Arc<Columns>,
    scanner: Scanner,
}

impl CsvCutter {
    /// Reads up to the end of the header, which is the first row that is not blank.
    pub(super) fn open(
        bytes: &mut Bytes,
        window: &mut Window,
        options: &Options,
    ) -> Result<Self, InputFault> {
        let mut scanner = Scanner::new(MAX_HEADER_BYTES);
        let mut line = first_line(bytes, window, &mut scanner)?;
        let mut delimiter = options.delimiter;
        if let Some(named) = separator_line(line) {
            delimiter = delimiter.or(Some(named));
            scanner.skip_line(window);
            line = first_line(bytes, window, &mut scanner)?;
        }
        scanner.delimiter = delimiter.unwrap_or_else(|| detect_delimiter(line, options));
        let columns = read_header(bytes, window, &mut scanner, options)?;
        scanner.max_bytes = options.max_item_bytes;
        scanner.strict = options.contents == Contents::Results;
        scanner.ragged = None;
        Ok(Self { columns: Arc::new(columns), scanner })
    }

    pub(super) fn columns(&self) -> Arc<Columns> {
        Arc::clone(&self.columns)
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut Batch) -> Result<(), InputFault> {
        while !batch.is_full(window) {
            match self.scanner.find_row_end(window)? {
                Some(end) => {
                    self.take_row(window, end, false, batch)?;
                    self.scanner.pass_row_end(window, end);
                }
                None if window.ended => {
                    let end = self.scanner.end(window)?;
                    self.take_row(window, end, true, batch)?;
                    window.advance(end);
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn take_row(
        &self,
        window: &mut Window,
        end: usize,
        unterminated: bool,
        batch: &mut Batch,
    ) -> Result<(), InputFault> {
        let row = &mut window.bytes[window.start..end];
        let scanner = &self.scanner;
        let limit = scanner.max_bytes;
        let too_long = scanner.dropped + row.len() > limit;
        if !too_long && is_blank(row, scanner.delimiter) {
            return Ok(());
        }
        let line = scanner.row_line;
        let fault = if too_long {
            Some(ItemFault::TooLong { limit, line: Some(line) })
        } else if let (true, Some(at)) = (scanner.strict, scanner.ragged) {
            Some(ItemFault::AfterQuote { lines: (line, at) })
        } else {
            check_row(row, line, unterminated)?
        };
        if fault.is_some() {
            row.fill(b' '); // what is left of it must not lead the workers' reader astray
        }
        batch.items.push(RawItem {
            span: window.start..end,
            line: Some(line),
            last_line: Some(scanner.line),
            unterminated,
            fault,
        });
        Ok(())
    }
}

/// A row of nothing but spaces and delimiters is no item.
fn is_blank(row: &[u8], delimiter: u8) -> bool {
    row.iter().all(|byte| *byte == delimiter || matches!(byte, b' ' | b'\t'))
}

fn check_row(row: &[u8], line: u64, unterminated: bool) -> Result<Option<ItemFault>, InputFault> {
    if let Some(at) = memchr::memchr(0, row) {
        return Ok(Some(ItemFault::NulBytes { line: Some(line + count_lines(&row[..at])) }));
    }
    match std::str::from_utf8(row) {
        Ok(_) => Ok(None),
        Err(error) if unterminated && error.error_len().is_none() => Ok(Some(ItemFault::CutShort { line })),
        Err(error) => Err(not_utf8(row, error.valid_up_to(), line)),
    }
}

fn not_utf8(row: &[u8], at: usize, line: u64) -> InputFault {
    let line_start = memchr::memrchr2(b'\n', b'\r', &row[..at]).map_or(0, |line_end| line_end + 1);
    InputFault::NotUtf8 {
        line: line + count_lines(&row[..at]),
        byte: (at - line_start) as u64 + 1,
        value: row[at],
    }
}

/// The line ends in a text: CRLF is one.
fn count_lines(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|at| text[*at] == b'\r' || *at == 0 || text[at - 1] != b'\r').count() as u64
}

/// Follows quotes and line ends through the text.
#[derive(Debug)]
struct Scanner {
    delimiter: u8,
    /// The longest row, and the longest quoted cell.
    max_bytes: usize,
    /// The physical line of what comes next.
    line: u64,
    /// The physical line where the row begins.
    row_line: u64,
    quote: Option<OpenQuote>,
    /// How much of the unfinished row was dropped, because it is too long.
    dropped: usize,
    /// Whether text behind a closing quote is a fault of the row. It is a sign that the quote
    /// was meant to open a cell, and that rows before it were swallowed by another one.
    strict: bool,
    /// The physical line where the row has such text.
    ragged: Option<u64>,
}

/// A quote that was not closed yet.
#[derive(Debug, Clone, Copy)]
struct OpenQuote {
    line: u64,
    /// Its place in the row, counting what was dropped.
    offset: usize,
}

impl Scanner {
    fn new(max_bytes: usize) -> Self {
        Self {
            delimiter: b',',
            max_bytes,
            line: 1,
            row_line: 1,
            quote: None,
            dropped: 0,
            strict: false,
            ragged: None,
        }
    }

    /// The place of the line end that ends the row, if the window has it.
    fn find_row_end(&mut self, window: &mut Window) -> Result<Option<usize>, InputFault> {
        loop {
            let Some(length) = memchr::memchr3(b'"', b'\n', b'\r', &window.bytes[window.at..]) else {
                window.at = window.bytes.len();
                self.check_length(window)?;
                return Ok(None);
            };
            let at = window.at + length;
            let is_quote = window.bytes[at] == b'"';
            match self.quote {
                None if !is_quote => return Ok(Some(at)),
                None => {
                    window.at = at + 1;
                    self.open_quote(window, at);
                }
                Some(_) if !is_quote => self.pass_line_end(window, at),
                Some(quote) => {
                    window.at = at;
                    self.check_quote(quote, window)?;
                    match window.bytes.get(at + 1) {
                        None if !window.ended => return Ok(None),
                        Some(b'"') => window.at = at + 2,
                        after => {
                            self.close_quote(after.copied());
                            window.at = at + 1;
                        }
                    }
                }
            }
        }
    }

    fn open_quote(&mut self, window: &Window, at: usize) {
        let offset = self.dropped + at - window.start;
        if offset == 0 || window.byte_before(at) == self.delimiter {
            self.quote = Some(OpenQuote { line: self.line, offset });
        }
    }

    fn close_quote(&mut self, after: Option<u8>) {
        self.quote = None;
        let ends_cell = after.is_none_or(|byte| byte == self.delimiter || matches!(byte, b'\r' | b'\n'));
        if !ends_cell {
            self.ragged = self.ragged.or(Some(self.line));
        }
    }

    /// Goes past a line end within a quoted cell.
    fn pass_line_end(&mut self, window: &mut Window, at: usize) {
        let is_second_half = window.bytes[at] == b'\n' && window.byte_before(at) == b'\r';
        self.line += u64::from(!is_second_half);
        window.at = at + 1;
    }

    /// Goes past the line end that ends a row.
    fn pass_row_end(&mut self, window: &mut Window, end: usize) {
        self.pass_line_end(window, end);
        window.advance(end + 1);
        self.row_line = self.line;
        self.dropped = 0;
        self.ragged = None;
    }

    /// Goes past the line at the window's start, which is complete or the last.
    fn skip_line(&mut self, window: &mut Window) {
        match memchr::memchr2(b'\n', b'\r', &window.bytes[window.start..]) {
            Some(length) => self.pass_row_end(window, window.start + length),
            None => window.advance(window.bytes.len()),
        }
    }

    /// The end of the last row, which has no line end.
    fn end(&self, window: &Window) -> Result<usize, InputFault> {
        match self.quote {
            Some(quote) => Err(InputFault::QuoteOpen { line: quote.line, limit: None }),
            None => Ok(window.bytes.len()),
        }
    }

    /// A quote that runs on and on was left open, and would swallow the file; a row that does
    /// is one item's fault.
    fn check_length(&mut self, window: &mut Window) -> Result<(), InputFault> {
        if let Some(quote) = self.quote {
            self.check_quote(quote, window)?;
        }
        if self.dropped + window.at - window.start > self.max_bytes {
            self.dropped += window.drop_unfinished();
        }
        Ok(())
    }

    fn check_quote(&self, quote: OpenQuote, window: &Window) -> Result<(), InputFault> {
        let length = self.dropped + window.at - window.start - quote.offset;
        if length > self.max_bytes {
            return Err(InputFault::QuoteOpen { line: quote.line, limit: Some(self.max_bytes) });
        }
        Ok(())
    }
}

/// Goes to the first line that is not blank, and reads all of it.
fn first_line<'w>(
    bytes: &mut Bytes,
    window: &'w mut Window,
    scanner: &mut Scanner,
) -> Result<&'w [u8], InputFault> {
    loop {
        let length = memchr::memchr2(b'\n', b'\r', &window.bytes[window.start..]);
        let end = length.map_or(window.bytes.len(), |length| window.start + length);
        let is_complete = length.is_some() || window.ended;
        refuse_long_header(window, end, scanner)?;
        if is_complete && !is_blank_line(&window.bytes[window.start..end]) {
            return Ok(&window.bytes[window.start..end]);
        }
        match length {
            Some(_) => scanner.skip_line(window),
            None if window.ended => return Err(InputFault::NoItems),
            None => {
                window.drop_cut();
                window.ended = bytes.read_onto(&mut window.bytes)? == 0;
            }
        }
    }
}

/// Before the delimiter is known, all of them count.
fn is_blank_line(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == b' ' || DELIMITERS.contains(byte))
}

fn refuse_long_header(window: &Window, end: usize, scanner: &Scanner) -> Result<(), InputFault> {
    if scanner.dropped + end - window.start > MAX_HEADER_BYTES {
        return Err(InputFault::HeaderTooLong { line: scanner.row_line, limit: MAX_HEADER_BYTES });
    }
    Ok(())
}

/// The delimiter that Excel's `sep=;` names.
pub(super) fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            (delimiter.is_ascii() && *delimiter != b'"').then_some(*delimiter)
        }
        _ => None,
    }
}

/// The delimiter under which most columns are known; the comma where none stands out.
fn detect_delimiter(line: &[u8], options: &Options) -> u8 {
    let line = String::from_utf8_lossy(line);
    let known = |delimiter: &u8| count_known(split(&line, *delimiter), options);
    // The last of several equal ones is the greatest, so that the likeliest comes last.
    DELIMITERS.into_iter().rev().max_by_key(known).unwrap_or(b',')
}

/// The cells of a line that may be a header, roughly: names have no delimiters in them.
fn split(line: &str, delimiter: u8) -> impl Iterator<Item = &str> {
    line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'))
}

/// The cells of a line as [`split`] finds them, under the likeliest delimiter.
pub(super) fn cells_of_line<'l>(line: &'l str, options: &Options) -> impl Iterator<Item = &'l str> {
    split(line, detect_delimiter(line.as_bytes(), options))
}

fn read_header(
    bytes: &mut Bytes,
    window: &mut Window,
    scanner: &mut Scanner,
    options: &Options,
) -> Result<Columns, InputFault> {
    let end = loop {
        if let Some(end) = scanner.find_row_end(window)? {
            break end;
        }
        if window.ended {
            break scanner.end(window)?;
        }
        refuse_long_header(window, window.bytes.len(), scanner)?;
        window.ended = bytes.read_onto(&mut window.bytes)? == 0;
    };
    refuse_long_header(window, end, scanner)?;
    let row = &window.bytes[window.start..end];
    let line = scanner.row_line;
    let text = std::str::from_utf8(row).map_err(|error| not_utf8(row, error.valid_up_to(), line))?;
    let mut header = StringRecord::new();
    let read = reader(text.as_bytes(), scanner.delimiter).read_record(&mut header);
    debug_assert!(read.is_ok(), "UTF-8 was checked, and memory cannot fail");
    let columns = Columns::new(header, line, scanner.delimiter, options)?;
    if end < window.bytes.len() {
        scanner.pass_row_end(window, end);
    } else {
        window.advance(end);
    }
    Ok(columns)
}

// ------------------------------------------------------------------------------------ the worker

/// A reader that takes no byte order mark off, which would be a character of a cell: the line
/// end before the text keeps it from looking for one.
type RowReader<'a> = Reader<Chain<&'static [u8], &'a [u8]>>;

const LINE_END: &[u8] = b"\n";

fn reader(bytes: &[u8], delimiter: u8) -> RowReader<'_> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(LINE_END.chain(bytes))
}

/// The rows of a chunk, read one by one.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    columns: &'a Columns,
    reader: RowReader<'a>,
    row: StringRecord,
    json: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &'a Columns, bytes: &'a [u8]) -> Self {
        let reader = reader(bytes, columns.delimiter);
        Self { columns, reader, row: StringRecord::new(), json: String::new() }
    }

    /// The JSON of an item, and the correlation id of one that has a fault.
    pub(super) fn read(&mut self, item: &RawItem) -> (Result<&str, ItemFault>, Option<&str>) {
        let line = item.line.unwrap_or_default();
        if let Err(error) = self.go_to(item) {
            return (Err(ItemFault::Unreadable { line, reason: error.to_string() }), None);
        }
        if let Some(fault) = self.shape_fault(item, line) {
            return (Err(fault), None);
        }
        if let Some(fault) = self.cell_fault(line) {
            return (Err(fault), self.columns.correlation_id(&self.row));
        }
        self.json.clear();
        self.columns.write_item(&self.row, &mut self.json);
        (Ok(&self.json), None)
    }

    /// The header cell of the column that feeds a place of the item that was read last.
    pub(super) fn column_at(&self, pointer: &str) -> Option<String> {
        self.columns.column_at(&self.row, pointer)
    }

    /// The cells of an item's row.
    pub(super) fn cells(&mut self, item: &RawItem) -> Result<impl Iterator<Item = &str>, csv::Error> {
        self.go_to(item)?;
        Ok(self.columns.own_cells(&self.row))
    }

    /// Reads on to the row that lies where the item does: between items there are blank rows,
    /// and items with a fault.
    fn go_to(&mut self, item: &RawItem) -> Result<(), csv::Error> {
        let start = (LINE_END.len() + item.span.start) as u64;
        while self.reader.position().byte() <= start {
            if !self.reader.read_record(&mut self.row)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn shape_fault(&self, item: &RawItem, line: u64) -> Option<ItemFault> {
        if self.columns.repeats_header(&self.row) {
            return Some(ItemFault::RepeatsHeader { line });
        }
        let found = self.row.len();
        let expected = self.columns.named();
        let lines = (line, item.last_line.unwrap_or(line));
        let unterminated = item.unterminated;
        (!self.columns.fits(found)).then_some(ItemFault::CellCount { found, expected, lines, unterminated })
    }

    fn cell_fault(&self, line: u64) -> Option<ItemFault> {
        let position = self.columns.unnamed_value(&self.row)?;
        Some(ItemFault::UnnamedCell { position, line })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Random, items_and_error, stdin};
    use super::*;

    const HEADER: &str = "subject_id,self_attestation_complete,kyb_status\n";

    /// The rows that the `csv` crate finds by itself, without those that are no items.
    fn rows_of_the_crate(body: &str) -> Vec<Vec<String>> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
        let mut row = StringRecord::new();
        let mut rows = Vec::new();
        let mut start = 0;
        while reader.read_record(&mut row).unwrap() {
            let end = reader.position().byte() as usize;
            let raw = body[start..end].trim_matches(['\r', '\n']);
            if !is_blank(raw.as_bytes(), b',') {
                rows.push(row.iter().map(str::to_owned).collect());
            }
            start = end;
        }
        rows
    }

    /// Cutting by our own rules and reading by the crate's must agree on every text.
    #[test]
    fn rows_are_those_of_the_csv_crate() {
        let mut random = Random(1);
        let alphabet = ["a", ",", "\"", "\n", "\r\n", "\r", " ", "\"\"", ",\"", "\",", "é"];
        for _ in 0..3_000 {
            let body: String =
                (0..random.below(40)).map(|_| alphabet[random.below(alphabet.len())]).collect();
            let (seen, error) = items_and_error(stdin(format!("{HEADER}{body}")));
            if let Some(error) = error {
                let open = matches!(*error.fault, InputFault::QuoteOpen { .. });
                assert!(open || matches!(*error.fault, InputFault::NoItems), "{error}: {body:?}");
                continue;
            }
            let expected = rows_of_the_crate(&body);
            assert_eq!(seen.len(), expected.len(), "{body:?}");
            for (item, cells) in seen.iter().zip(expected) {
                match &item.text {
                    Ok(text) => assert_same(text, &cells),
                    Err(fault) => {
                        assert!(matches!(fault, ItemFault::CellCount { found, .. } if *found == cells.len()));
                    }
                }
            }
        }
    }

    fn assert_same(text: &str, cells: &[String]) {
        let item: serde_json::Value = serde_json::from_str(text).unwrap();
        let request = &item["request"];
        let found = [
            &request["subject"]["id"],
            &request["self_attestation_complete"],
            &request["claims"]["kyb_status"],
        ];
        assert_eq!(found.map(|value| value.as_str().unwrap_or_default()), *cells);
    }

    #[test]
    fn a_byte_order_mark_inside_the_file_is_text() {
        let body = format!("{HEADER}\u{FEFF}1,true,x\n");
        let (seen, _) = items_and_error(stdin(body));
        assert!(seen[0].text.as_ref().unwrap().contains("\"id\":\"\u{FEFF}1\""));
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_columns_known() {
        for (line, delimiter) in [
            ("subject_id,kyb_status", b','),
            ("\"subject_id\";\"kyb,status\"", b';'),
            ("subject_id\tkyb_status", b'\t'),
            ("subject_id|kyb_status", b'|'),
            ("subject_id", b','),
            ("what;ever", b','),
        ] {
            assert_eq!(detect_delimiter(line.as_bytes(), &Options::default()), delimiter, "{line}");
        }
    }

    #[test]
    fn the_separator_line_is_no_header() {
        for start in ["sep=,\n", "\"sep=,\"\r\n", "SEP=,\r", "\n sep=x\n"] {
            let (seen, error) = items_and_error(stdin(format!("{start}{HEADER}1,true,x")));
            assert_eq!(seen.len() == 1, !start.contains('x'), "{error:?}");
        }
        let (seen, error) =
            items_and_error(stdin("sep=^\nsubject_id^self_attestation_complete^kyb_status\n1^true^x"));
        assert_eq!(seen.len(), 1, "{error:?}");
    }

    #[test]
    fn faults_of_rows_name_physical_lines() {
        let long = "x".repeat(super::super::DEFAULT_MAX_ITEM_BYTES + 1);
        for (row, message) in [
            ("1,true", "line 4: 2 of 3 cells; the file may be truncated"),
            ("1,true\n", "line 4: 2 of 3 cells"),
            ("1,\"\r\n\n\",x,y\n", "line 4: 4 cells, and the header has 3; this row spans lines 4 to 6"),
            ("1,\"\n\0\",x\n", "NUL bytes at line 5"),
            ("subject_id,self_attestation_complete,kyb_status\n", "line 4: row repeats the header"),
            (&format!("1,true,{long}\n"), "line 4: longer than 1048576 bytes"),
            ("\u{FEFF}subject_id,self_attestation_complete,kyb_status\n", "line 4: row repeats the header"),
        ] {
            let (seen, error) = items_and_error(stdin(format!("{HEADER}0,\"\n\",x\n{row}")));
            assert!(error.is_none(), "{error:?}");
            let fault = seen[1].text.as_ref().unwrap_err().to_string();
            assert!(fault.starts_with(message), "{fault}");
        }
    }

    #[test]
    fn a_row_cut_inside_a_character_is_an_item() {
        let mut bytes = format!("{HEADER}1,true,x\n2,true,é").into_bytes();
        bytes.pop();
        let (seen, error) = items_and_error(stdin(bytes.clone()));
        assert!(error.is_none());
        assert!(matches!(seen[1].text, Err(ItemFault::CutShort { line: 3 })));
        bytes.push(b'\n');
        let (_, error) = items_and_error(stdin(bytes));
        assert!(error.unwrap().to_string().contains("not UTF-8: line 3, byte 8 (0xC3)"));
    }

    #[test]
    fn values_under_no_name_are_not_lost_in_silence() {
        let header = "correlation_id,subject_id,self_attestation_complete,kyb_status,,\n";
        let (seen, _) =
            items_and_error(stdin(format!("{header}c0,0,true,x,,\nc1,1,true,x\nc2,2,true,x,, y\n")));
        assert!(seen[0].text.is_ok() && seen[1].text.is_ok());
        assert_eq!(seen[2].text, Err(ItemFault::UnnamedCell { position: 6, line: 4 }));
        assert_eq!(seen[2].correlation_id.as_deref(), Some("c2"));
    }
}
