//! Whole files through a [`Source`]: the dirty files of the test data, pipes, several
//! inputs, limits.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::types::Types;

/// How batches are read where nothing else is said.
fn items_options() -> Options {
    Options::of(Items::of(Types::BUILT_IN))
}

/// An item as a worker sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    index: u64,
    pub(super) line: Option<u64>,
    pub(super) last_line: Option<u64>,
    unterminated: bool,
    pub(super) correlation_id: Option<String>,
    pub(super) text: Result<String, ItemFault>,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.text.as_ref().unwrap()).unwrap()
    }

    pub(super) fn fault(&self) -> String {
        self.text.as_ref().unwrap_err().to_string()
    }
}

fn see(chunk: &Chunk) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut texts = chunk.open();
    while let Some(item) = texts.next() {
        seen.push(Seen {
            index: item.index,
            line: item.line,
            last_line: chunk.items[seen.len()].last_line,
            unterminated: item.unterminated,
            correlation_id: item.correlation_id.map(str::to_owned),
            text: item.text.map(str::to_owned),
        });
    }
    assert!(!seen.is_empty(), "no chunk is empty");
    assert!(seen.len() <= 1_000, "no chunk is larger than a batch");
    seen
}

/// Reads a run to its end: the items handed out, and the error that ended it.
pub(super) fn run(inputs: Vec<Input>, options: Options) -> (Vec<Seen>, Option<InputError>) {
    let mut seen = Vec::new();
    let mut source = match Source::open(inputs, options, &Stop::default()) {
        Ok(source) => source,
        Err(error) => return (seen, Some(error)),
    };
    let is_one_chunk = source.is_one_chunk();
    loop {
        match source.next_chunk() {
            Ok(Some(chunk)) => {
                assert!(seen.is_empty() || !is_one_chunk, "a second chunk");
                seen.extend(see(&chunk));
            }
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(source.next_chunk(), Ok(None)), "nothing follows an error");
                return (seen, Some(error));
            }
        }
    }
    assert!(seen.iter().map(|item| item.index).eq(0..seen.len() as u64));
    (seen, None)
}

/// What an input holds, read without options.
pub(super) fn items_and_error(input: Input) -> (Vec<Seen>, Option<InputError>) {
    run(vec![input], items_options())
}

/// A small generator of numbers (xorshift), the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

pub(super) fn stdin(bytes: impl Into<Vec<u8>>) -> Input {
    Input::Stdin(Box::new(io::Cursor::new(bytes.into())))
}

fn items(bytes: impl Into<Vec<u8>>, options: Options) -> Vec<Seen> {
    let (seen, error) = run(vec![stdin(bytes)], options);
    assert!(error.is_none(), "{}", error.unwrap());
    seen
}

/// The folder of dirty files; `None`, with a message, where it is not there.
fn messy() -> Option<PathBuf> {
    crate::machine::data("data/messy")
}

fn clean(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("00-clean.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read_messy(folder: &Path, name: &str) -> (Vec<Seen>, Option<InputError>) {
    run(vec![Input::File(folder.join(name))], items_options())
}

fn accepted(folder: &Path, name: &str) -> Vec<Seen> {
    let (seen, error) = read_messy(folder, name);
    assert!(error.is_none(), "{}", error.unwrap());
    seen
}

// ------------------------------------------------------------------------------------ dirty files

/// Files that are sound once read the right way.
#[test]
fn undamaged_content_is_read_in_every_disguise() {
    let Some(folder) = messy() else { return };
    let clean = clean(&folder);
    for name in [
        "00-clean.csv",
        "00-clean.json",
        "00-clean.ndjson",
        "c01-utf8-bom.csv",
        "c02-crlf.csv",
        "c03-cr-only.csv",
        "c06-excel-utf16le-tab.csv",
        "c07-semicolon-decimal-comma.csv",
        "c08-sep-line.csv",
        "c10-trailing-commas.csv",
        "c11-blank-lines.csv",
        "c22-header-case-and-spaces.csv",
        "c24-owners-as-json-cell.csv",
        "j01-bom.ndjson",
        "j02-crlf.ndjson",
        "j03-blank-lines.ndjson",
        "j19-top-level-array.json",
        "j18-concatenated.json",
        "j20-pretty-printed.json",
        "j21-ndjson-named.json",
        "j31-no-final-newline.ndjson",
        "z01-clean.ndjson.gz",
        "z02-clean.csv.gz",
        "z04-two-members.ndjson.gz",
        "z05-gzip-named.ndjson",
    ] {
        let seen: Vec<Value> = accepted(&folder, name).iter().map(Seen::json).collect();
        assert_eq!(seen, clean, "{name}");
    }
}

/// Numbers keep their spelling: value equality alone would not tell 25 from 25.0.
#[test]
fn csv_gives_the_same_text_as_ndjson() {
    let Some(folder) = messy() else { return };
    let csv = accepted(&folder, "00-clean.csv");
    let ndjson = accepted(&folder, "00-clean.ndjson");
    assert!(csv.iter().map(|item| &item.text).eq(ndjson.iter().map(|item| &item.text)));
}

#[test]
fn real_companies_are_the_same_in_csv_and_ndjson() {
    let Some(folder) = messy() else { return };
    let data = folder.join("..");
    let ndjson = accepted(&data, "real-companies.ndjson");
    let csv = accepted(&data, "real-companies.csv");
    assert_eq!(csv.len(), ndjson.len());
    assert!(csv.iter().all(|item| item.text.is_ok()), "no real identifier is taken for damaged");
    for (csv, ndjson) in csv.iter().zip(&ndjson) {
        let mut ndjson = ndjson.json();
        ndjson["request"]["claims"].as_object_mut().unwrap().remove("beneficial_owners");
        assert_eq!(csv.json(), ndjson);
    }
    let with_owners = accepted(&data, "real-companies-owners.csv");
    let by_id: BTreeMap<String, Value> =
        ndjson.iter().map(|item| (item.json()["correlation_id"].to_string(), item.json())).collect();
    assert_eq!(with_owners.len(), 1_518);
    for item in &with_owners {
        assert_eq!(item.json(), by_id[&item.json()["correlation_id"].to_string()]);
    }
}

/// What cannot be cut, and what the message has to say.
#[test]
fn files_that_are_no_batch() {
    let Some(folder) = messy() else { return };
    for (name, message) in [
        ("c04-latin1.csv", "not UTF-8: line 13, byte 117 (0xD8)"),
        ("c04-latin1.csv", "--encoding"),
        ("c05-excel-cp1252-semicolon.csv", "not UTF-8: line "),
        ("c13-duplicate-column.csv", "column 'jurisdiction' appears at 4 and 36"),
        ("c14-extra-columns.csv", "unknown columns 'company_name' (1"),
        ("c14-extra-columns.csv", "'notes' (37"),
        ("c15-missing-required-column.csv", "missing column subject_id"),
        ("c20-header-only.csv", "no items"),
        ("c21-empty.csv", "empty file"),
        ("c23-one-line-per-owner.csv", "'owner_full_name' (16; did you mean owner1_full_name?)"),
        ("j09-deep-nesting.json", "nested deeper than 1024 levels at byte 1026"),
        ("j22-trailing-comma.json", "line 24, column 249 (byte 12165): trailing comma"),
        ("j23-comments-and-single-quotes.json", "not JSON at line 1, column 1 (byte 1): found '/'"),
        ("j24-empty-items.json", "no items"),
        ("j25-wrong-envelope.json", "no 'items' array at the top level (found 'data')"),
        ("j27-two-items-keys.json", "duplicate key 'items'"),
        ("j33-html-error-page.json", "not JSON: starts with '<'"),
        ("j34-xlsx-renamed.csv", "this is a ZIP or .xlsx file"),
        ("z03-truncated.ndjson.gz", "gzip stream ends early"),
        ("z07-bomb-200mb.ndjson.gz", "no items"),
    ] {
        let (seen, error) = read_messy(&folder, name);
        let error = error.unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(seen.is_empty(), "{name}: nothing is handed out");
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.is_io() && !error.is_usage(), "{error}");
    }
}

/// Rows and lines that fail alone: which item, and what the message has to say.
#[test]
fn items_that_cannot_be_read_do_not_disturb_their_neighbours() {
    let Some(folder) = messy() else { return };
    /// Which items, and what the message says.
    type Faults = &'static [(usize, &'static str)];
    let cases: [(&str, usize, Faults); 12] = [
        ("c19-unbalanced-quote.csv", 24, &[(23, "line 25: the quote opened on line 25 is not closed")]),
        ("c12-repeated-header.csv", 25, &[(12, "line 14: row repeats the header")]),
        ("c25-stray-quote-backslash.csv", 24, &[]),
        ("c26-nul-padding.csv", 25, &[(24, "NUL bytes at line 26")]),
        ("c28-truncated-last-line.csv", 12, &[(11, "line 13: 9 of 35 cells; the file may be truncated")]),
        (
            "c30-quote-swallows-rows.csv",
            22,
            &[(
                3,
                "closing quote on line 7; double every quote inside a quoted cell (\"\"); this record spans lines 5 to 7",
            )],
        ),
        (
            "j05-nul-bytes.ndjson",
            25,
            &[(3, "NUL bytes at line 4"), (6, "NUL bytes at line 7"), (24, "NUL bytes at line 25")],
        ),
        (
            "j07-invalid-utf8.ndjson",
            24,
            &[
                (2, "line 3: not UTF-8"),
                (5, "line 6: not UTF-8"),
                (7, "line 8: not UTF-8"),
                (16, "line 17: not UTF-8"),
            ],
        ),
        ("j10-deep-nesting-item.ndjson", 4, &[]),
        ("j15-line-separators.ndjson", 13, &[]),
        ("j30-long-and-many.ndjson", 6, &[]),
        ("j32-mixed-good-and-bad.ndjson", 8, &[]),
    ];
    for (name, count, faults) in cases {
        let seen = accepted(&folder, name);
        assert_eq!(seen.len(), count, "{name}");
        let failed: Vec<_> = seen.iter().filter(|item| item.text.is_err()).collect();
        assert_eq!(failed.len(), faults.len(), "{name}: {failed:#?}");
        for (item, (index, message)) in failed.iter().zip(faults) {
            assert_eq!(item.index, *index as u64, "{name}");
            assert!(item.fault().contains(message), "{name}: {}", item.fault());
        }
    }
}

#[test]
fn ragged_rows_fail_one_by_one() {
    let Some(folder) = messy() else { return };
    let seen = accepted(&folder, "c29-ragged-rows.csv");
    assert_eq!(seen.len(), 24);
    for item in seen.iter().filter(|item| item.text.is_err()) {
        let fault = item.fault();
        assert!(
            fault.contains("15 of 35 cells") || fault.contains("36 cells, but the header has 35"),
            "{fault}"
        );
    }
    assert!(seen.iter().any(|item| item.text.is_err()) && seen.iter().any(|item| item.text.is_ok()));
}

#[test]
fn quoted_line_breaks_are_kept_and_lines_are_physical() {
    let Some(folder) = messy() else { return };
    let seen = accepted(&folder, "c09-quoted-newlines.csv");
    let expected = clean(&folder);
    assert_eq!(seen.len(), 24);
    let address = |item: &Value| item["request"]["claims"]["registered_address"].clone();
    for (index, (item, clean)) in seen.iter().zip(&expected).enumerate() {
        let (found, clean) = (address(&item.json()), address(clean));
        match (index, clean["line2"].as_str()) {
            (0..8, Some(line2)) => {
                assert_eq!(found["line1"], format!("{}\n{line2}", clean["line1"].as_str().unwrap()));
            }
            (8, _) => assert!(found["line1"].as_str().unwrap().ends_with("\r\n")),
            _ => assert_eq!(found, clean),
        }
    }
    let text = std::fs::read_to_string(folder.join("c09-quoted-newlines.csv")).unwrap();
    let line_of_last = text.lines().position(|line| line.starts_with("EITI-186034,")).unwrap() as u64 + 1;
    assert_eq!(seen[23].line, Some(line_of_last));
}

#[test]
fn windows_1252_is_read_when_it_is_named() {
    let Some(folder) = messy() else { return };
    let options = Options { encoding: Some(encoding_rs::WINDOWS_1252), ..items_options() };
    let file = |name: &str| vec![Input::File(folder.join(name))];
    let (seen, error) = run(file("c05-excel-cp1252-semicolon.csv"), options.clone());
    assert!(error.is_none());
    assert_eq!(seen.len(), 17);
    assert_eq!(
        seen[0].json()["request"]["claims"]["beneficial_owners"][0]["ownership_percent"].to_string(),
        "87.5"
    );
    assert!(seen[16].text.as_ref().unwrap().contains('\u{2019}'));
    let clean = clean(&folder);
    let (seen, error) = run(file("c04-latin1.csv"), options);
    assert!(error.is_none());
    assert!(seen.iter().all(|item| clean.contains(&item.json())));
}

#[test]
fn formulas_and_booleans_are_text_until_the_field_says_otherwise() {
    let Some(folder) = messy() else { return };
    let name = |item: &Seen| item.json()["request"]["claims"]["beneficial_owners"][0]["full_name"].clone();
    let names: Vec<_> = accepted(&folder, "c18-formula-cells.csv").iter().map(name).collect();
    assert_eq!(names[..5], ["=1+1", "+44 20 7946 0000 Ltd", "-10 Holdings", "@Home Ltd", "\tTab Ltd"]);
    assert_eq!(names[5], "=HYPERLINK(\"http://example.invalid\";\"x\")");

    let flags: Vec<_> = accepted(&folder, "c27-boolean-spellings.csv")
        .iter()
        .map(|item| item.json()["request"]["self_attestation_complete"].clone())
        .collect();
    assert!(flags.contains(&Value::Bool(true)) && flags.contains(&Value::Bool(false)));
    assert!(flags.iter().filter_map(Value::as_str).all(|flag| !flag.eq_ignore_ascii_case("true")));
}

#[test]
fn percentages_are_numbers_only_where_they_are_written_as_json_numbers() {
    let Some(folder) = messy() else { return };
    let seen = accepted(&folder, "c17-percent-spellings.csv");
    let percent = |item: &Seen| {
        let text = item.text.as_ref().unwrap();
        let rest = text.split_once("\"ownership_percent\":")?.1;
        Some(rest.split(",\"person_id\"").next().unwrap().to_owned())
    };
    let found: Vec<Option<String>> = seen.iter().map(percent).collect();
    let expected = [
        "25",
        "25.0",
        "\"25%\"",
        "\"25 %\"",
        "\"25,0\"",
        "\" 25 \"",
        "0.25",
        "1e2",
        "100",
        "100.0000001",
        "100.00",
        "0",
        "-5",
        "\"NaN\"",
        "\"inf\"",
        "",
        "\"n/a\"",
        "\"75-100\"",
        "\">25\"",
        "\"٢٥\"",
        "\"２５\"",
        "\"'25\"",
        "\"25.0.0\"",
        "\"1,000\"",
        "\"0x19\"",
        "\"+25\"",
        "\"25.\"",
        "\".5\"",
        "33.333333333333336",
    ];
    let expected: Vec<_> =
        expected.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn other_envelope_keys_are_warned_of() {
    let Some(folder) = messy() else { return };
    let file = Input::File(folder.join("j26-envelope-extra-keys.json"));
    let mut source = Source::open(vec![file], items_options(), &Stop::default()).unwrap();
    let mut warnings = Vec::new();
    let mut count = 0;
    while let Some(chunk) = source.next_chunk().unwrap() {
        count += see(&chunk).len();
        warnings.extend(source.warnings());
    }
    warnings.extend(source.warnings());
    assert_eq!(count, 1);
    let warnings: Vec<_> = warnings.iter().map(InputWarning::to_string).collect();
    assert_eq!(warnings.len(), 3);
    for (warning, key) in warnings.iter().zip(["'$schema'", "'count'", "'items_total'"]) {
        assert!(warning.contains(key), "{warning}");
    }
}

#[test]
fn the_last_line_is_marked_where_it_has_no_end() {
    let Some(folder) = messy() else { return };
    let seen = accepted(&folder, "j04-truncated-last-line.ndjson");
    assert_eq!(seen.len(), 24);
    assert!(seen[23].unterminated && !seen[22].unterminated);
}

#[test]
fn ten_megabytes_on_one_line() {
    let Some(folder) = messy() else { return };
    let seen = accepted(&folder, "z06-one-line-10mb.json.gz");
    assert_eq!(seen.len(), 25_496);
    let last = seen[25_495].json();
    assert!(last["correlation_id"].as_str().unwrap().ends_with("-2"));
}

/// Also those whose lines are all left to the rules.
#[test]
fn ndjson_files_have_one_item_a_line() {
    let Some(folder) = messy() else { return };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".ndjson") || name.starts_with('z') {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        assert_eq!(accepted(&folder, name).len(), lines, "{name}");
    }
}

// ---------------------------------------------------------------------------------------- pipes

/// Gives a few bytes at a time, as a slow pipe does.
struct Drip {
    bytes: Vec<u8>,
    at: usize,
}

impl Drip {
    fn input(bytes: Vec<u8>) -> Input {
        Input::Stdin(Box::new(Self { bytes, at: 0 }))
    }
}

impl Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = (self.at % 7 + 1).min(self.bytes.len() - self.at).min(out.len());
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// The same bytes give the same items and the same error, however they arrive.
#[test]
fn the_size_of_reads_makes_no_difference() {
    let Some(folder) = messy() else { return };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if bytes.len() > 150_000 || extension == "md" || extension == "gitattributes" {
            continue;
        }
        for limit in [DEFAULT_MAX_ITEM_BYTES, 300] {
            let format = extension.parse().ok();
            let options = Options { format, max_item_bytes: limit, ..items_options() };
            let (whole, whole_error) = run(vec![stdin(bytes.clone())], options.clone());
            let (drip, drip_error) = run(vec![Drip::input(bytes.clone())], options);
            let text = |error: Option<InputError>| error.map(|error| error.to_string());
            assert_eq!(text(whole_error), text(drip_error), "{}", path.display());
            // What is handed out before a fault depends on what had arrived before it.
            assert_eq!(whole[..], drip[..whole.len()], "{}", path.display());
        }
    }
}

/// A producer that waits for an answer before it goes on is heard.
#[test]
fn items_are_handed_out_before_the_next_read() {
    struct Turns(VecDeque<&'static str>);
    impl Read for Turns {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let turn = self.0.pop_front().expect("not read beyond what was asked for");
            out[..turn.len()].copy_from_slice(turn.as_bytes());
            Ok(turn.len())
        }
    }
    for turns in [
        ["{\"a\":1}\n", "{\"a\":2}\n{\"a\":3}\n", "{\"a\":4"],
        ["{\"items\":[{\"a\":1},", "{\"a\":2},{\"a\":3},", "{\"a\":4"],
        ["subject_id,self_attestation_complete,kyb_status\n1,true,x\n", "2,true,x\n3,true,x\n", "4,"],
    ] {
        let input = Input::Stdin(Box::new(Turns(turns.into())));
        let mut source = Source::open(vec![input], items_options(), &Stop::default()).unwrap();
        assert_eq!(source.next_chunk().unwrap().unwrap().items.len(), 1);
        assert_eq!(source.next_chunk().unwrap().unwrap().items.len(), 2);
    }
}

#[test]
fn formats_are_told_apart_without_a_name() {
    for (text, count) in [
        ("{\"items\":[{},{}]}", 2),
        ("{ \"$schema\" : \"x, {\\\" items\", \"items\":[{},{}]}", 2),
        ("{\n \"count\": 2, \"items\": [1, 2]}", 2),
        ("[1, 2]", 2),
        ("\n\n{\"request\":{\"items\":[]}}\n{}\n", 2),
        ("{\"request\":{\n{}\n", 2),
        ("42,subject_id,self_attestation_complete;kyb_status;subject_id\ntrue;x;1\nTRUE;y;2", 2),
    ] {
        let columns = BTreeMap::from([(
            "42,subject_id,self_attestation_complete".to_owned(),
            "self_attestation_complete".to_owned(),
        )]);
        let mapped = Items::new(Types::BUILT_IN, Mapping::of_columns(columns), RowCheck::default()).unwrap();
        let options = Options::of(mapped);
        assert_eq!(items(text, options).len(), count, "{text}");
    }
}

// ------------------------------------------------------------------------------- several inputs

pub(super) fn file(folder: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) -> Input {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Input::File(path)
}

#[test]
fn several_inputs_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = vec![
        file(&folder, "a.ndjson", "{\"n\":0}\n{\"n\":1}"),
        stdin("[{\"n\":2}]"),
        file(&folder, "b.csv", "subject_id,self_attestation_complete,kyb_status\r3,true,x\r"),
        file(&folder, "c.json", "{\"items\":[{\"n\":4}]}"),
    ];
    let mut source = Source::open(inputs, items_options(), &Stop::default()).unwrap();
    let mut seen = Vec::new();
    let mut consumed = Vec::new();
    while let Some(chunk) = source.next_chunk().unwrap() {
        assert_eq!(chunk.first_index, seen.len() as u64);
        consumed.push(chunk.bytes_consumed);
        seen.extend(see(&chunk));
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(
        seen.iter().map(|item| item.line).collect::<Vec<_>>(),
        [Some(1), Some(2), None, Some(2), None]
    );
    let bytes: Vec<u64> = source.bytes_read().iter().map(|input| input.bytes).collect();
    assert_eq!(bytes, [15, 9, 57, 19]);
    assert_eq!(consumed, [15, 24, 81, 100]);
}

#[test]
fn every_input_is_checked_before_the_first_item() {
    let folder = tempfile::tempdir().unwrap();
    let good = || file(&folder, "good.ndjson", "{}\n");
    for (name, content, message) in [
        ("a.csv", "subject_id\n1\n", "missing column self_attestation_complete and a column for a claim"),
        ("b.json", "{\"items\":[]}", "no items"),
        ("c.ndjson", " \n", "no items"),
        ("d.ndjson", "", "empty file"),
    ] {
        let error =
            Source::open(vec![good(), file(&folder, name, content)], items_options(), &Stop::default())
                .unwrap_err();
        assert!(error.to_string().contains(message) && error.to_string().contains(name), "{error}");
        assert!(!error.is_io());
    }
    for path in [folder.path().to_owned(), folder.path().join("absent.csv")] {
        let error =
            Source::open(vec![good(), Input::File(path)], items_options(), &Stop::default()).unwrap_err();
        assert!(error.is_io(), "{error}");
    }
    let twice = Source::open(vec![stdin("{}"), stdin("{}")], items_options(), &Stop::default()).unwrap_err();
    assert!(twice.is_usage());
    assert!(Source::open(Vec::new(), items_options(), &Stop::default()).unwrap_err().is_usage());
}

// --------------------------------------------------------------------------------------- limits

#[test]
fn a_late_fault_comes_after_the_items_before_it() {
    let mut text = "{\"items\":[".to_owned();
    for n in 0..1_500 {
        text += &format!("{{\"n\":{n}}},");
    }
    text += "]}";
    let folder = tempfile::tempdir().unwrap();
    let (seen, error) = run(vec![file(&folder, "late.json", text)], items_options());
    assert_eq!(seen.len(), 1_500);
    assert!(error.unwrap().to_string().contains("trailing comma"));
}

#[test]
fn api_limits_refuse_the_whole_run() {
    let lines = |n: usize| "{}\n".repeat(n);
    let options = Options { max_items: Some(1_000), ..items_options() };
    let (seen, error) = run(vec![stdin(lines(1_000))], options.clone());
    assert_eq!((seen.len(), error.is_none()), (1_000, true));
    let (seen, error) = run(vec![stdin(lines(1_001))], options.clone());
    assert_eq!(seen.len(), 0);
    assert!(error.unwrap().to_string().contains("more than 1000 items"));
    let folder = tempfile::tempdir().unwrap();
    let two = vec![file(&folder, "a.ndjson", lines(600)), file(&folder, "b.ndjson", lines(600))];
    assert_eq!(run(two, options).0.len(), 0);
}

#[test]
fn items_that_are_too_long_fail_alone() {
    let options = Options { max_item_bytes: 60, ..items_options() };
    let long = "x".repeat(300_000);
    let short = |fault: &Seen| fault.fault();
    let ndjson =
        items(format!("{{}}\n{{\"a\":\"{long}\"}}\r\n   {}\n{{}}\n", " ".repeat(300_000)), options.clone());
    assert_eq!(ndjson.len(), 3);
    assert_eq!(short(&ndjson[1]), "line 2: longer than 60 bytes, the maximum for an item");
    assert_eq!(ndjson[2].line, Some(4));
    let json = items(format!("[{{}},{{\"a\":\"{long}\\\"\"}},\n[]]"), options.clone());
    assert_eq!(json.len(), 3);
    assert_eq!(short(&json[1]), "longer than 60 bytes, the maximum for an item");
    let header = "subject_id,self_attestation_complete,kyb_status";
    let csv = items(format!("{header}\n1,true,x\n2,{long},\"y\n\"\n3,true,x\n"), options.clone());
    assert_eq!(csv.len(), 3);
    assert_eq!(
        short(&csv[1]),
        "line 3: longer than 60 bytes, the maximum for an item; this record spans lines 3 to 4"
    );
    assert_eq!((csv[2].line, csv[2].json()["request"]["subject"]["id"].as_str()), (Some(5), Some("3")));
    let csv = items(format!("{header}\n1,true,x\n2,\"{long}"), options);
    assert_eq!(
        csv[1].fault(),
        "line 3: the quote opened on line 3 is not closed; it exceeds the item size limit, so --failed does not include it"
    );
}

#[test]
fn chunks_end_at_a_thousand_items_or_half_a_megabyte() {
    let small = items("{}\n".repeat(2_500), items_options());
    assert_eq!(small.len(), 2_500);
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(100_000));
    let mut source = Source::open(vec![stdin(line.repeat(20))], items_options(), &Stop::default()).unwrap();
    let mut sizes = Vec::new();
    while let Some(chunk) = source.next_chunk().unwrap() {
        sizes.push(chunk.items.len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 20);
    assert!(sizes.iter().all(|size| *size <= 6), "{sizes:?}");
}

#[test]
fn one_chunk_is_known_to_be_all_where_nothing_can_follow() {
    let folder = tempfile::tempdir().unwrap();
    let is_one_chunk = |inputs| {
        let mut source = Source::open(inputs, items_options(), &Stop::default()).unwrap();
        let at_first = source.is_one_chunk();
        source.next_chunk().unwrap();
        assert!(!source.is_one_chunk(), "there was one chunk");
        at_first
    };
    for (name, text) in [
        ("a.ndjson", "{}\n".repeat(999)),
        ("a.json", "{\"items\":[{}]}".to_owned()),
        ("a.csv", "subject_id,self_attestation_complete,kyb_status\n3,true,x\n".to_owned()),
    ] {
        assert!(is_one_chunk(vec![file(&folder, name, text)]), "{name}");
    }
    assert!(!is_one_chunk(vec![file(&folder, "b.ndjson", "{}\n".repeat(1_001))]));
    assert!(!is_one_chunk(vec![file(&folder, "c.ndjson", "{}\n"), file(&folder, "d.ndjson", "{}\n")]));
    assert!(!is_one_chunk(vec![stdin("{}\n")]), "a pipe may say more");
}

// ---------------------------------------------------------------------------------------- bytes

#[test]
fn gzip_cut_anywhere_is_never_a_short_batch() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all("{\"a\":\"some text to be packed\"}\n".repeat(20).as_bytes()).unwrap();
    let member = encoder.finish().unwrap();
    let two = [member.clone(), member.clone()].concat();
    assert_eq!(items(two.clone(), items_options()).len(), 40);
    for end in (2..two.len()).filter(|end| *end != member.len()) {
        let (_, error) = run(vec![stdin(&two[..end])], items_options());
        let error = error.unwrap_or_else(|| panic!("cut at {end} is accepted")).to_string();
        assert!(
            error.contains("gzip stream ends early") || error.contains("gzip stream is damaged"),
            "{error}"
        );
    }
    let damaged = [&two[..member.len() - 6], &[0xFF; 6]].concat();
    let (_, error) = run(vec![stdin(damaged)], items_options());
    assert!(error.unwrap().to_string().contains("damaged"));
}

#[test]
fn kinds_of_files_that_are_none_of_ours() {
    for (bytes, message) in [
        (&b"%PDF-1.7\n"[..], "this is a PDF file"),
        (b"{\0\"\0r\0", "UTF-16 without a byte order mark; pass --encoding utf-16le"),
        (b"\0{\0\"\0r", "UTF-16 without a byte order mark; pass --encoding utf-16be"),
        (b"\xFF\xFE\0\0{\0\0\0", "this is UTF-32"),
        (b"  \n <html>", "starts with '<'"),
        (b"\xFF\xFE{\0\x00\xD8}\0", "line 1: not UTF-16LE"),
        (b"", "empty file"),
        (b"\xEF\xBB\xBF", "no items"),
    ] {
        for input in [stdin(bytes), Drip::input(bytes.to_vec())] {
            let (seen, error) = run(vec![input], items_options());
            assert!(seen.is_empty());
            let error = error.unwrap().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

#[test]
fn names_and_content_that_disagree() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, message) in [
        ("a.ndjson", "{\"items\":[]}", "looks like JSON, not NDJSON; use --input-format json"),
        ("b.csv", "{\"request\":{}}", "looks like NDJSON, not CSV"),
        ("c.csv.gz", "[{}]", "looks like JSON, not CSV"),
        ("d.ndjson", "[\n{\"a\":1]", "line 2, column 7 (byte 9): ']' does not match the opening bracket"),
        ("e.json", "a,b\n", "not JSON at line 1, column 1 (byte 1): found 'a'"),
    ] {
        let (_, error) = run(vec![file(&folder, name, content)], items_options());
        let error = error.unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_failing_disk_is_an_io_error() {
    struct Fails(bool);
    impl Read for Fails {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("disk on fire"));
            }
            out[..9].copy_from_slice(b"{}\n{}\n{}\n");
            Ok(9)
        }
    }
    let mut source =
        Source::open(vec![Input::Stdin(Box::new(Fails(false)))], items_options(), &Stop::default()).unwrap();
    assert_eq!(source.next_chunk().unwrap().unwrap().items.len(), 3);
    let error = source.next_chunk().unwrap_err();
    assert!(error.is_io());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "disk on fire");
}

#[test]
fn json_faults_name_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (json, message) in [
        ("[{} {}]", "line 1, column 5 (byte 5): missing comma before '{'"),
        ("[{},\n {},\n]", "line 2, column 4 (byte 9): trailing comma"),
        ("[,{}]", "found ',', expected a value"),
        ("{\"items\":[{}],}", "line 1, column 14 (byte 14): trailing comma"),
        ("{\"items\":{}}", "line 1, column 10 (byte 10): 'items' must be an array, and starts with '{'"),
        ("{\"items\":[{}],\"\\u0069tems\":[]}", "line 1, column 15 (byte 15): duplicate key 'items'"),
        ("{\"items\":[{}]} x", "line 1, column 16 (byte 16): trailing data"),
        ("{\"items\":[{}]", "unexpected end, inside the envelope"),
        ("[{\"a\":\"", "unexpected end, inside a string of an item"),
        ("[{}", "unexpected end, inside the array of items"),
        ("[{\"a\":[}]", "line 1, column 8 (byte 8): '}' does not match the opening bracket"),
        ("{'items':[]}", "found ''', expected a key in double quotes"),
        ("{}", "no 'items' array at the top level (the object is empty)"),
        ("{\"data\":1}{\"data\":2}", "no 'items' array at the top level (found 'data')"),
        ("[]", "no items"),
        ("\"text\"", "found '\"', expected '{' or '['"),
        ("   ", "no items"),
    ] {
        let (seen, error) = run(vec![file(&folder, "a.json", json)], items_options());
        assert!(seen.is_empty(), "{json}");
        let error = error.unwrap_or_else(|| panic!("{json} is accepted")).to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
}

/// An item that never ends is given up, and so is what is no item: the reader would go on for ever.
#[test]
fn an_input_without_the_end_of_an_item_is_given_up() {
    struct Endless(Vec<u8>, u8);
    impl io::Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                out.fill(self.1);
                return Ok(out.len());
            }
            let count = self.0.len().min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }
    for (format, start, byte) in [
        (Format::Ndjson, "{\"a\":1}\n{\"a\":\"", b'a'),
        (Format::Ndjson, "\n", b'\n'),
        (Format::Json, "{\"items\":[{\"a\":\"", b'a'),
        (Format::Json, "{\"items\":[", b' '),
        (Format::Json, "{\"other\":\"", b'a'),
    ] {
        let options = Options { format: Some(format), max_item_bytes: 1_000, ..items_options() };
        let input = Input::Ready(InputName::Stdin, Box::new(Endless(start.into(), byte)));
        let (seen, error) = run(vec![input], options);
        let error = error.unwrap_or_else(|| panic!("{start:?} ended")).to_string();
        assert!(error.contains("no item ends within"), "{start:?}: {error}");
        assert!(seen.len() <= 1, "{start:?}");
    }
}

/// `--allow-empty`: no item is no fault, of one input or of several.
#[test]
fn an_input_may_be_empty_where_that_is_allowed() {
    let input = |text: &'static str| Input::Ready(InputName::Stdin, Box::new(text.as_bytes()));
    for text in ["", "\n \n", "[]", "{\"items\": []}"] {
        let options = Options { allow_empty: true, ..items_options() };
        let (seen, error) = run(vec![input(text)], options.clone());
        assert!(seen.is_empty() && error.is_none(), "{text:?}: {error:?}");
        let (seen, error) = run(vec![input(text), input("{\"a\":1}\n"), input(text)], options);
        assert!(seen.len() == 1 && error.is_none(), "{text:?}: {error:?}");
        assert!(run(vec![input(text)], items_options()).1.unwrap().is_empty(), "{text:?}");
    }
}
