use csv::{ReaderBuilder, StringRecord};

use super::header::detect_delimiter;
use super::*;
use crate::source::tests::{Random, Seen, file, items_and_error, run, stdin};
use crate::source::{DEFAULT_MAX_ITEM_BYTES, Items};
use crate::source::{Input, LineBreaks, Mapping};
use crate::types::Types;

const HEADER: &str = "subject_id,self_attestation_complete,kyb_status\n";

/// What a test makes files of: everything that means something to a reader of CSV.
const ALPHABET: [&str; 13] =
    ["a", ",", "\"", "\n", "\r\n", "\r", " ", "\"\"", ",\"", "\",", "é", "\n\"a", "a,b,c\n"];

fn random_body(random: &mut Random, pieces: usize) -> String {
    (0..random.below(pieces)).map(|_| ALPHABET[random.below(ALPHABET.len())]).collect()
}

// -------------------------------------------------------------------------------------- the model

/// A record as the model finds it.
#[derive(Debug, PartialEq)]
struct Record {
    lines: (u64, u64),
    /// Its text, where it is allowed.
    text: Option<String>,
}

/// The rule, byte by byte over a whole text of three columns in which no line of a quoted cell counts as a row.
struct Model<'t> {
    text: &'t [u8],
    limit: usize,
    line_breaks: bool,
}

impl Model<'_> {
    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut start = 0;
        while start < self.text.len() {
            let (mut end, verdict) = self.strict_end(start);
            let allowed = verdict == Verdict::Allowed;
            if !allowed && self.line_breaks {
                let from = (verdict == Verdict::NotAllowed).then_some(end);
                end = self.certain_end(end, from);
            }
            let row = &self.text[start..end];
            let line = |at: usize| 2 + scan::count_lines(&self.text[..at]);
            if !allowed || !is_blank(row, b',') {
                let text = allowed.then(|| String::from_utf8(row.to_vec()).unwrap());
                records.push(Record { lines: (line(start), line(end)), text });
            }
            start = end + if self.text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        }
        records
    }

    fn is_line_end(&self, at: usize) -> bool {
        self.text.get(at).is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
    }

    fn line_end(&self, from: usize) -> usize {
        (from..).find(|at| self.is_line_end(*at)).unwrap()
    }

    /// Where a record ends by its quotes, or the line in which they show that it is not allowed.
    fn strict_end(&self, start: usize) -> (usize, Verdict) {
        let mut at = start;
        let mut cells = 1;
        let mut loose_identifier = false;
        loop {
            let cell = at;
            if self.text.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    match (self.text.get(at), self.text.get(at + 1)) {
                        (None, _) => return (at, Verdict::Quotes),
                        (Some(b'"'), Some(b'"')) => at += 2,
                        (Some(b'"'), _) => break,
                        _ if self.is_line_end(at) && !self.line_breaks => return (at, Verdict::Quotes),
                        _ => at += 1,
                    }
                }
                at += 1;
                if self.text.get(at) != Some(&b',') && !self.is_line_end(at) {
                    return (self.line_end(at), Verdict::Quotes);
                }
            }
            while !self.is_line_end(at) && self.text[at] != b',' {
                if self.text[at] == b'"' {
                    if self.text[cell..at].iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                        return (self.line_end(at), Verdict::Quotes);
                    }
                    loose_identifier |= cells == 1;
                }
                at += 1;
            }
            if self.is_line_end(at) {
                let is_blank = is_blank(&self.text[start..at], b',');
                let verdict = match cells == 3 || is_blank {
                    _ if at - start > self.limit => Verdict::NotAllowed,
                    true if loose_identifier => Verdict::Quotes,
                    true => Verdict::Allowed,
                    false => Verdict::NotAllowed,
                };
                return (at, verdict);
            }
            cells += 1;
            at += 1;
        }
    }

    /// Where a failed record ends that goes at least up to this line end. `from` is where the quoting was certain.
    fn certain_end(&self, end: usize, from: Option<usize>) -> usize {
        let near = &self.text[end..self.text.len().min(end + self.limit)];
        let Some(length) = near.iter().position(|byte| *byte == b'"') else { return end };
        let at = end + length;
        let at_start = matches!(self.text[at - 1], b',' | b'\r' | b'\n');
        let opens = !self.is_line_end(at + 1) && !matches!(self.text[at + 1], b',' | b'"');
        if at_start && opens && !from.is_some_and(|from| self.is_in_cell(from, end)) {
            end
        } else {
            self.certain_end(self.line_end(at), from)
        }
    }

    /// Whether a line end is in a quoted cell, if the text from a line end between records to there is correct.
    fn is_in_cell(&self, from: usize, end: usize) -> bool {
        let mut at = from;
        while at < end {
            // Where a cell may begin.
            at += 1;
            if self.text.get(at) != Some(&b'"') || at >= end {
                at = (at..end).find(|at| self.is_line_end(*at) || self.text[*at] == b',').unwrap_or(end);
                continue;
            }
            at += 1;
            loop {
                match (self.text.get(at), self.text.get(at + 1)) {
                    _ if at >= end => return true,
                    (Some(b'"'), Some(b'"')) => at += 2,
                    (Some(b'"'), _) => break,
                    _ => at += 1,
                }
            }
            at += 1;
            if self.text.get(at) != Some(&b',') && !self.is_line_end(at) {
                return false; // not correct
            }
        }
        false
    }
}

/// What a record is by its quotes and cells.
#[derive(Debug, PartialEq)]
enum Verdict {
    Allowed,
    /// Not allowed, but not for its quotes.
    NotAllowed,
    /// Not allowed for its quotes: nothing is known of those behind it.
    Quotes,
}

fn checked_by(row_check: RowCheck) -> Options {
    Options::of(Items::new(Types::BUILT_IN, Default::default(), row_check).unwrap())
}

fn options(limit: usize, line_breaks: bool) -> Options {
    let line_breaks = if line_breaks { LineBreaks::Allowed } else { LineBreaks::Never };
    let row_check = RowCheck::new(|_| false);
    Options { max_item_bytes: limit, line_breaks, ..checked_by(row_check) }
}

/// Gives a few bytes at a time.
struct Drip(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = (self.0.position() as usize % 5 + 1).min(out.len());
        self.0.read(&mut out[..length])
    }
}

fn record_of_item(item: &Seen) -> Record {
    match &item.text {
        Err(ItemFault::Record { lines, .. }) => Record { lines: *lines, text: None },
        _ => Record { lines: (item.line.unwrap(), item.last_line.unwrap()), text: Some(String::new()) },
    }
}

/// The cutter finds the model's records, whatever the limit is and however the bytes arrive.
#[test]
fn records_are_those_of_the_model() {
    let mut random = Random(1);
    let mut failed = 0;
    for round in 0..1_500 {
        let body = random_body(&mut random, 60);
        let limit = [1 << 20, 40, 12][round % 3];
        let line_breaks = round % 5 != 0;
        let expected = Model { text: body.as_bytes(), limit, line_breaks }.records();
        let text = format!("{HEADER}{body}").into_bytes();
        let drip = Input::Stdin(Box::new(Drip(std::io::Cursor::new(text.clone()))));
        for input in [stdin(text), drip] {
            let (seen, error) = run(vec![input], options(limit, line_breaks));
            if let Some(error) = error {
                assert!(matches!(*error.fault, InputFault::NoItems), "{error}: {body:?}");
                assert!(expected.is_empty(), "{body:?}");
                continue;
            }
            let found: Vec<_> = seen.iter().map(record_of_item).collect();
            let without_text = expected.iter().map(|record| Record {
                lines: record.lines,
                text: record.text.as_ref().map(|_| String::new()),
            });
            assert_eq!(found, without_text.collect::<Vec<_>>(), "{body:?}, limit {limit}, {line_breaks}");
            failed += found.iter().filter(|record| record.text.is_none()).count();
            // Each is read as the crate reads it alone.
            for (item, record) in seen.iter().zip(&expected).filter(|(_, record)| record.text.is_some()) {
                assert_same(item, record.text.as_deref().unwrap_or_default());
            }
        }
    }
    assert!(failed > 1_500, "{failed}");
}

fn assert_same(item: &Seen, record: &str) {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
    let mut cells = StringRecord::new();
    assert!(reader.read_record(&mut cells).unwrap());
    let item = item.json();
    let request = &item["request"];
    let found =
        [&request["subject"]["id"], &request["self_attestation_complete"], &request["claims"]["kyb_status"]];
    assert!(found.map(|value| value.as_str().unwrap_or_default()).into_iter().eq(cells.iter()), "{record:?}");
}

/// A valid file is read as the `csv` crate reads it.
#[test]
fn a_valid_file_is_read_as_the_csv_crate_reads_it() {
    let mut random = Random(2);
    for _ in 0..1_000 {
        let rows: Vec<[String; 3]> = (0..1 + random.below(12))
            .map(|row| [format!("id{row}"), random_body(&mut random, 8), random_body(&mut random, 8)])
            .collect();
        let mut writer = csv::WriterBuilder::new().from_writer(HEADER.as_bytes().to_vec());
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let (seen, error) = run(vec![stdin(writer.into_inner().unwrap())], options(1 << 20, true));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen.len(), rows.len());
        for (item, row) in seen.iter().zip(&rows) {
            let item = item.json();
            let request = &item["request"];
            let found = [
                &request["subject"]["id"],
                &request["self_attestation_complete"],
                &request["claims"]["kyb_status"],
            ];
            assert_eq!(
                found.map(|value| value.as_str().unwrap_or_default()),
                row.each_ref().map(String::as_str)
            );
        }
    }
}

// ------------------------------------------------------------------------------------- one by one

#[test]
fn a_byte_order_mark_inside_the_file_is_text() {
    let body = format!("{HEADER}1,true,\u{FEFF}x\n");
    let (seen, _) = items_and_error(stdin(body));
    assert!(seen[0].text.as_ref().unwrap().contains("\"kyb_status\":\"\u{FEFF}x\""));
}

#[test]
fn the_delimiter_is_the_one_that_makes_columns_known() {
    for (line, delimiter) in [
        ("subject_id,kyb_status", b','),
        ("\"subject_id\";\"kyb,status\"", b';'),
        ("subject_id\tkyb_status", b'\t'),
        ("subject_id|kyb_status", b'|'),
        ("subject_id", b','),
        // Of a foreign header, the one that stands there most often.
        ("what;ever", b';'),
        ("what", b','),
    ] {
        assert_eq!(detect_delimiter(line.as_bytes(), &Items::of(Types::BUILT_IN)), delimiter, "{line}");
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
    let long = "x".repeat(DEFAULT_MAX_ITEM_BYTES + 1);
    for (row, message) in [
        ("1,true", "line 4: 2 of 3 cells; the file may be truncated"),
        ("1,true\n", "line 4: 2 of 3 cells"),
        ("1,\"\r\n\n\",x,y\n", "line 4: 4 cells, but the header has 3; this record spans lines 4 to 6"),
        ("1,\"\n\0\",x\n", "line 4: NUL bytes at line 5; this record spans lines 4 to 5"),
        ("1,\0,x\n", "NUL bytes at line 4"),
        ("subject_id,self_attestation_complete,kyb_status\n", "line 4: row repeats the header"),
        (&format!("1,true,{long}\n"), "line 4: longer than 1048576 bytes"),
        ("\u{FEFF}subject_id,self_attestation_complete,kyb_status\n", "line 4: row repeats the header"),
        ("1,\"3\" pipe\",x\n", "line 4: text after a closing quote on line 4; double every quote"),
        ("1,\"a \\\"b\\\" c\",x\n", "line 4: text after a closing quote on line 4"),
        ("1, \"true\",x\n", "line 4: white space before an opening quote on line 4"),
        (
            "1,\"tr\nue,x\n",
            "line 4: the quote opened on line 4 is not closed; this record spans lines 4 to 6",
        ),
        ("1,\"a,x\n2,\"b\",x\n", "line 4: text after a closing quote on line 5"),
        ("1\",true,x\n", "line 4: quote inside an identifier, in column 'subject_id'"),
        (
            "1,\"a,x\n2,true,x\n3,b\",x\n",
            "line 4: line 5 is inside a quoted cell but looks like a row of its own; was a quote left open before \
             it?; this record spans lines 4 to 6",
        ),
    ] {
        let (seen, error) = items_and_error(stdin(format!("{HEADER}0,\"\n\",x\n{row}")));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen.len(), 2, "{row:?}");
        let fault = seen[1].text.as_ref().unwrap_err().to_string();
        assert!(fault.starts_with(message), "{fault}");
        assert!(!fault.contains("tr\n"), "no cell is quoted");
    }
}

/// Only what can be an item of its own is taken for a row: as it stands in the file, and as it stands in its cell.
#[test]
fn lines_that_would_pass_as_items_give_a_swallowing_quote_away() {
    let only_true = || RowCheck::new(|item| item.contains("true"));
    for (record, fails) in [
        ("1,\"a\nb,c\nd\",x\n", false),
        ("1,\"a\nb,false,c\nd\",x\n", false),
        ("1,\"a\nb,true,c\nd\",x\n", true),
        ("1,\"b,true,c\nd\",x\n", true),
        ("1,\"d\rb,true,c\",x\n", true),
        ("1,\"d\r\nb,true,c\",x\n", true),
        // As it stands in the file: the quote is text there.
        ("1,\"d,x\nb,true\",c\n", true),
        ("1,d,\"x\nb,true,c\"\n", true),
        // Without the cell's doubled quotes.
        ("1,\"a\n\"\"b\"\",true,\"\"c, d\"\"\nd\",x\n", true),
        // A quote within an unquoted cell opens none.
        ("1,5\" disk,\"x\nb,true,c\ny\"\n", true),
        ("1,5\" disk,\"x\nb,c\ny\"\n", false),
        // A row that would not be read is none.
        ("1,\"a\n\"\"b,true,c\nd\",x\n", false),
        ("1,\"a\nb\"\",true,c\nd\",x\n", false),
    ] {
        let options = checked_by(only_true());
        let (seen, error) = run(vec![stdin(format!("{HEADER}{record}2,true,x\n"))], options);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen.len(), 2, "{record:?}");
        let found = matches!(
            &seen[0].text,
            Err(ItemFault::Record { problem: RecordProblem::LooksLikeRows { .. }, .. })
        );
        assert_eq!(found, fails, "{record:?}: {:?}", seen[0].text);
    }
}

#[test]
fn a_fault_in_the_header_is_one_of_the_file() {
    for (header, message) in [
        ("subject_id,\"kyb\"_status\n1,x\n", "line 1: in the header: text after a closing quote on line 1"),
        ("subject_id, \"kyb_status\"\n1,x\n", "line 1: in the header: white space before an opening quote"),
        ("subject_id,\"kyb_status\n1,x\n", "quote opened on line 1, in the header, is not closed"),
    ] {
        let (seen, error) = items_and_error(stdin(header));
        assert!(seen.is_empty());
        let error = error.unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_row_cut_inside_a_character_is_an_item() {
    let mut bytes = format!("{HEADER}1,true,x\n2,true,é").into_bytes();
    bytes.pop();
    let (seen, error) = items_and_error(stdin(bytes.clone()));
    assert!(error.is_none());
    assert!(seen[1].fault().contains("ends inside a character"), "{}", seen[1].fault());
    bytes.push(b'\n');
    let (seen, error) = items_and_error(stdin(bytes));
    assert!(error.is_none());
    assert!(seen[1].fault().starts_with("not UTF-8: line 3, byte 8 (0xC3)"), "{}", seen[1].fault());
}

/// A damaged byte is one record's fault. A file in another encoding is refused, and before anything is handed out.
#[test]
fn one_byte_is_a_fault_of_its_record_and_many_are_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let latin = |rows: &[&[u8]]| [HEADER.as_bytes(), &rows.concat()].concat();
    let (good, accented, bad) = (&b"1,true,x\n"[..], &b"2,true,\xC3\xA9\n"[..], &b"3,true,\xE9t\n"[..]);
    for (rows, refused) in [
        (vec![good, bad, good], false),
        (vec![bad], true),
        (vec![good, bad, bad, good], true),
        (vec![good, accented, bad, accented, bad, good], false),
        (vec![good, accented, bad, bad, good], true),
    ] {
        let count = rows.len();
        let (seen, error) =
            run(vec![file(&folder, "latin.csv", latin(&rows))], Options::of(Items::of(Types::BUILT_IN)));
        assert_eq!((error.is_some(), seen.len()), (refused, if refused { 0 } else { count }));
        assert!(error.is_none_or(|error| error.to_string().contains("byte 8 (0xE9)")));
    }
    let late = [vec![good; 1_000], vec![bad; 3]].concat();
    let (seen, error) = items_and_error(stdin(latin(&late)));
    assert_eq!((seen.len(), error.is_none()), (1_003, true));
    assert!(seen[1_000..].iter().all(|item| item.fault().contains("--encoding")));
}

#[test]
fn values_under_no_name_are_not_lost_in_silence() {
    let header = "correlation_id,subject_id,self_attestation_complete,kyb_status,,\n";
    let (seen, _) = items_and_error(stdin(format!("{header}c0,0,true,x,,\nc1,1,true,x\nc2,2,true,x,, y\n")));
    assert!(seen[0].text.is_ok() && seen[1].text.is_ok());
    assert_eq!(seen[2].text, Err(ItemFault::UnnamedCell { position: 6, line: 4 }));
    assert_eq!(seen[2].correlation_id.as_deref(), Some("c2"));
}

#[test]
fn nulls_apply_to_the_correlation_id_of_rejected_rows() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        "correlation_id,subject_id,self_attestation_complete,kyb_status,\nn/a,1,true,x,y\nc2,2,true,x,y\n";
    let mapping = Mapping { nulls: ["n/a".to_owned()].into(), ..Mapping::default() };
    let items = Items::new(Types::BUILT_IN, mapping, RowCheck::default()).unwrap();
    let (seen, error) = run(vec![file(&folder, "nulls.csv", rows)], Options::of(items));
    assert!(error.is_none() && seen.iter().all(|item| item.text.is_err()));
    assert_eq!(seen[0].correlation_id, None);
    assert_eq!(seen[1].correlation_id.as_deref(), Some("c2"));
}

/// In a file of failed items every row has the error columns, and a record that was not put right fails.
#[test]
fn rows_of_failed_files_have_their_error_columns() {
    let header = format!("error_code,error_message,error_paths,error_record,{HEADER}");
    for (row, expected) in [
        ("validation_failed,m,p,,1,true,x", Ok("1")),
        (",,,,1,true,x", Ok("1")),
        ("1,true,x", Err("3 of 7 cells")),
        (",,,1,true,x", Err("6 of 7 cells")),
        ("validation_failed,m,p,,1\",true,x", Err("quote inside an identifier, in column 'subject_id'")),
        ("malformed_request,m,,\"1,true\",,,", Err("the record under error_record was not fixed")),
        ("malformed_request,m,,\"1,true\",1,true,x", Err("the record under error_record was not fixed")),
        ("malformed_request,m,,\"1,true\n2,true,x\",,,", Err("the record under error_record was not fixed")),
    ] {
        let (seen, error) = items_and_error(stdin(format!("{header}{row}\n")));
        assert!(error.is_none(), "{error:?}");
        match expected {
            Ok(id) => assert_eq!(seen[0].json()["request"]["subject"]["id"], id, "{row}"),
            Err(message) => assert!(seen[0].fault().contains(message), "{}", seen[0].fault()),
        }
    }
}

/// A cell that is longer than an item may be is one failed item, whatever stands in it: also rows, and also where it
/// is many times as long.
#[test]
fn no_row_comes_from_inside_a_cell_that_is_too_long() {
    for times in [1, 2, 3, 50] {
        let rows = "9,true,forged\n".repeat(10 * times);
        let text = format!("{HEADER}1,\"{rows}\",x\n2,true,x\n3,\"true\",x\n");
        let (seen, error) = run(vec![stdin(text)], options(100, true));
        assert!(error.is_none());
        assert_eq!(seen.len(), 3);
        let message = format!(
            "line 2: longer than 100 bytes, the maximum for an item; this record spans lines 2 to {}",
            10 * times + 2
        );
        assert_eq!(seen[0].fault(), message);
        assert!(seen[1..].iter().all(|item| item.text.is_ok()));
    }
}
