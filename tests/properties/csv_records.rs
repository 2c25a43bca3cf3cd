//! What one fault does to a CSV file, and what a cell can do: nothing to any other record.
//!
//! A file is made of a seed. So the first 2,000 are the same in every run, and others are invented beside them.

use std::io::Cursor;

use beltic::batch::row_check;
use beltic::clock::{Clock, system_now};
use beltic::request::rules::CalendarDuration;
use beltic::request::{Checker, Rejection, Rules};
use beltic::source::{
    Format, Input, InputName, ItemFault, Items, LineBreaks, Options, RecordProblem, Source,
};
use beltic::stop::Stop;
use beltic::types::Types;
use proptest::prelude::*;

use crate::holds;

const COLUMNS: [&str; 7] = [
    "correlation_id",
    "subject_id",
    "name",
    "claims_jurisdiction",
    "kyb_status",
    "self_attestation_complete",
    "legal_form",
];

/// A small generator of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as usize % limit
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

// -------------------------------------------------------------------------------------- the files

/// What names and remarks hold in the files of honest exporters. Lines have one delimiter at most, and nothing begins
/// with a delimiter or a line break: see the module documentation of the reader for what is beyond it.
const HONEST: [&str; 14] = [
    "",
    "Ltd",
    "Thistlewick & Sons",
    "Mill, Ltd",
    "\"Best\" Ltd",
    "5\" Drives",
    "\"",
    "\"\"",
    "Half \"Q\" Ltd",
    "1 Road\nTown",
    "1 Road\r\nTown, Fife\nUK",
    "Ελλάδα ΑΕ",
    "\"quoted\"\nover, two",
    "x\\",
];

const PLAIN: [&str; 6] = ["", "Ltd", "Mill, Ltd", "\"Best\" Ltd", "5\" Drives", "Ελλάδα ΑΕ"];

/// What an attacker writes into a cell: rows that would be issued, in every disguise.
fn hostile(random: &mut Random) -> String {
    let row = "EVIL,urn:evil:1,Evil Ltd,GB,ok,true,x";
    let quoted = "\"EVIL\",\"urn:evil:2\",\"Evil, Ltd\",\"GB\",\"ok\",\"true\",\"x\"";
    let header = COLUMNS.join(",");
    let pieces = [
        row, row, quoted, &header, "\n", "\r\n", "\r", "\n", "\"", "\"\"", ",", "\"\n", "\n\"", "\",", ",\"",
        "x", "EVIL", "true", ",GB,", "\0", " \"", "\n,\n",
    ];
    (0..1 + random.below(9)).map(|_| random.one_of(&pieces)).collect::<String>().replace('\0', "")
}

/// A valid file, row by row as it is written, the header first.
struct Table {
    rows: Vec<Vec<u8>>,
}

impl Table {
    fn new(random: &mut Random, mut text: impl FnMut(&mut Random) -> String) -> Table {
        let always = random.below(4) == 0;
        let crlf = random.below(3) == 0;
        let write = |cells: [&str; 7]| {
            let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer =
                csv::WriterBuilder::new().quote_style(style).terminator(end).from_writer(Vec::new());
            writer.write_record(cells).unwrap();
            writer.into_inner().unwrap()
        };
        let mut rows = vec![write(COLUMNS)];
        for number in 0..2 + random.below(14) {
            let id = format!("urn:example:{number}");
            let texts = [(); 3].map(|()| text(random));
            let own = format!("a{number}");
            let own = if random.below(4) == 0 { "" } else { &own };
            rows.push(write([own, &id, &texts[0], "GB", &texts[1], "true", &texts[2]]));
        }
        Table { rows }
    }

    fn bytes(&self) -> Vec<u8> {
        self.rows.concat()
    }
}

fn honest(random: &mut Random) -> String {
    random.one_of(&HONEST).to_owned()
}

fn on_one_line(random: &mut Random) -> String {
    random.one_of(&PLAIN).to_owned()
}

// ------------------------------------------------------------------------------------- the reader

/// What became of a file.
#[derive(Debug, Default)]
struct Read {
    /// The items that would be issued: where they begin, and their JSON.
    issued: Vec<(u64, String)>,
    failed: Vec<Failed>,
    /// Whether the file was refused, because not one record of it is UTF-8.
    refused: bool,
}

#[derive(Debug)]
struct Failed {
    lines: (u64, u64),
    problem: Option<RecordProblem>,
    given_back: Vec<u8>,
}

fn read(bytes: &[u8], line_breaks: LineBreaks) -> Read {
    let default_ttl = CalendarDuration::parse("P1Y").unwrap();
    let rules = Rules {
        types: Types::BUILT_IN,
        allow_unknown: false,
        default_ttl,
        overrules_types: false,
        hash_key: [0; 32],
        identity: None,
    };
    let check = row_check(rules.clone(), Clock::System);
    let items = Items::new(Types::BUILT_IN, Default::default(), check).unwrap();
    let options = Options { format: Some(Format::Csv), line_breaks, ..Options::of(items) };
    let input = Input::Ready(InputName::Stdin, Box::new(Cursor::new(bytes.to_vec())));
    let mut read = Read::default();
    let mut source = Source::open(vec![input], options, &Stop::default()).unwrap();
    let mut checker = Checker::new(rules);
    loop {
        let chunk = match source.next_chunk() {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return read,
            Err(error) => {
                // A file without one record in UTF-8 is refused as a whole, before anything is issued.
                read.refused = error.to_string().contains("not UTF-8");
                assert!(read.refused || error.to_string().contains("no items"), "{error}");
                assert!(!read.refused || read.issued.is_empty(), "{error}");
                return read;
            }
        };
        let (mut texts, mut failed_writer) = (chunk.open(), chunk.failed_writer());
        let mut place = 0;
        while let Some(item) = texts.next() {
            let raw = &chunk.items[place];
            let (line, last_line) = (raw.line.unwrap(), raw.last_line.unwrap());
            let (rejection, problem) = match &item.text {
                Ok(text) => match checker.check(text, false, system_now(), &mut Vec::new()).outcome {
                    Ok(_) => {
                        read.issued.push((line, (*text).to_owned()));
                        (None, None)
                    }
                    Err(rejection) => (Some(*rejection), None),
                },
                Err(fault) => {
                    let problem = match fault {
                        ItemFault::Record { problem, .. } => Some(problem.clone()),
                        _ => None,
                    };
                    (Some(Rejection::malformed(fault.to_string())), problem)
                }
            };
            if let Some(rejection) = rejection {
                let mut given_back = Vec::new();
                failed_writer.item(place, &rejection, &mut given_back);
                read.failed.push(Failed { lines: (line, last_line), problem, given_back });
            }
            place += 1;
        }
    }
}

/// The physical line on which each byte stands; CRLF is one line end.
fn line_of(bytes: &[u8], at: usize) -> u64 {
    let is_end = |(place, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(place + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + bytes[..at].iter().enumerate().filter(|pair| is_end(*pair)).count() as u64
}

// ------------------------------------------------------------------------------------- the faults

const STRAY_QUOTE: usize = 0;

const EARLY_END: usize = 6;
const FAULTS: usize = 7;

/// Puts one fault into a row. The file may end there.
fn break_row(random: &mut Random, kind: usize, row: &mut Vec<u8>) -> bool {
    let content = row.len() - if row.ends_with(b"\r\n") { 2 } else { 1 };
    let at = random.below(content + 1);
    match kind {
        STRAY_QUOTE => row.insert(at, b'"'),
        1 => {
            // Behind a closing quote, where there is one.
            let text = std::str::from_utf8(row).unwrap();
            let places: Vec<_> = text[..content].match_indices("\",").map(|(at, _)| at + 1).collect();
            let at = if places.is_empty() { content } else { places[random.below(places.len())] };
            row.splice(at..at, *b"x\"y");
        }
        2 | 3 => {
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row.as_slice());
            let record = reader.records().next().unwrap().unwrap();
            let mut cells: Vec<_> = record.iter().collect();
            match kind {
                2 => drop(cells.remove(random.below(7))),
                _ => cells.insert(random.below(8), "more"),
            }
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            writer.write_record(cells).unwrap();
            *row = writer.into_inner().unwrap();
        }
        4 => row.insert(at, 0),
        5 => row.insert(at, 0xFF),
        _ => {
            row.truncate(at);
            return true;
        }
    }
    false
}

/// A file with one fault in it.
struct Broken {
    bytes: Vec<u8>,
    /// Where each row that is left lies, without the one with the fault; its number among the rows of the whole file.
    others: Vec<(usize, std::ops::Range<usize>)>,
    /// The lines of the row with the fault.
    lines: (u64, u64),
}

fn broken(random: &mut Random, table: &Table, kind: usize) -> Broken {
    let place = 1 + random.below(table.rows.len() - 1);
    let mut bytes = Vec::new();
    let mut others = Vec::new();
    let mut at = 0..0;
    for (number, row) in table.rows.iter().enumerate() {
        let start = bytes.len();
        if number != place {
            bytes.extend_from_slice(row);
            if number > 0 {
                others.push((number - 1, start..bytes.len()));
            }
            continue;
        }
        let mut row = row.clone();
        let ended = break_row(random, kind, &mut row);
        bytes.extend_from_slice(&row);
        at = start..bytes.len();
        if ended {
            break;
        }
    }
    let lines = (line_of(&bytes, at.start), line_of(&bytes, at.end.saturating_sub(1).max(at.start)));
    Broken { bytes, others, lines }
}

/// One fault in a valid file: rows are issued as they were or are part of the failed record, which is named by its
/// lines and given back.
fn one_fault_changes_no_other_record(seed: u64) {
    let mut random = Random(seed);
    let kind = random.below(FAULTS);
    let table = Table::new(&mut random, honest);
    let whole = read(&table.bytes(), LineBreaks::Allowed);
    assert_eq!(whole.issued.len(), table.rows.len() - 1, "the file is valid");
    let broken = broken(&mut random, &table, kind);
    let found = read(&broken.bytes, LineBreaks::Allowed);
    if found.refused {
        // A bad byte, or another one put into the middle of a character.
        assert!(std::str::from_utf8(&broken.bytes).is_err(), "seed {seed}");
        return;
    }
    let shown =
        || format!("seed {seed}, fault {kind}: {}\n{found:#?}", String::from_utf8_lossy(&broken.bytes));

    let mut issued: Vec<_> = found.issued.iter().collect();
    for (number, bytes) in &broken.others {
        let text = &whole.issued[*number].1;
        let (first, last) = (line_of(&broken.bytes, bytes.start), line_of(&broken.bytes, bytes.end - 1));
        if let Some(place) = issued.iter().position(|item| *item == &(first, text.clone())) {
            issued.remove(place);
            continue;
        }
        let failed = found.failed.iter().find(|failed| failed.lines.0 <= first && last <= failed.lines.1);
        let failed = failed.unwrap_or_else(|| panic!("row {number} is gone, {}", shown()));
        assert!(failed.problem.is_some(), "{}", shown());
        let row = broken.bytes[bytes.clone()].trim_ascii_end();
        // In its cell, every quote is doubled.
        let given_back = String::from_utf8_lossy(&failed.given_back).replace("\"\"", "\"");
        let row = &*String::from_utf8_lossy(row);
        let is_given_back = given_back.contains(row);
        assert!(is_given_back, "row {number} is not given back, {}", shown());
    }
    // What else is issued is the row with the fault, or what is left of it.
    assert!(issued.len() <= 1, "{}", shown());
    assert!(issued.iter().all(|(line, _)| *line == broken.lines.0), "{}", shown());
    // Its lines are accounted for, where it was not blank.
    if issued.is_empty() && !broken.bytes.trim_ascii_end().ends_with(b"\n") {
        let is_told = found.failed.iter().any(|failed| failed.lines.0 <= broken.lines.0);
        assert!(is_told || kind == EARLY_END, "{}", shown());
    }
}

/// With `csv.line_breaks: never`, no other row is affected at all.
fn one_fault_stays_on_its_line(seed: u64) {
    let mut random = Random(seed);
    let kind = random.below(FAULTS);
    let table = Table::new(&mut random, on_one_line);
    let whole = read(&table.bytes(), LineBreaks::Never);
    assert_eq!(whole.issued.len(), table.rows.len() - 1, "the file is valid");
    let broken = broken(&mut random, &table, kind);
    let found = read(&broken.bytes, LineBreaks::Never);
    if found.refused {
        // A bad byte, or another one put into the middle of a character.
        assert!(std::str::from_utf8(&broken.bytes).is_err(), "seed {seed}");
        return;
    }
    let (own, others): (Vec<_>, Vec<_>) =
        found.issued.into_iter().partition(|(line, _)| *line == broken.lines.0);
    let expected: Vec<_> = broken.others.iter().map(|(number, _)| whole.issued[*number].clone()).collect();
    assert_eq!(others, expected, "seed {seed}, fault {kind}");
    assert!(own.len() + found.failed.len() <= 1);
    assert!(found.failed.iter().all(|failed| failed.lines == (broken.lines.0, broken.lines.0)));
}

/// Whatever cells hold, each row of a correct file is issued as it was, or fails; nothing else is issued.
fn no_cell_forges_a_row(seed: u64) {
    let mut random = Random(seed);
    let table = Table::new(&mut random, hostile);
    let bytes = table.bytes();
    let found = read(&bytes, LineBreaks::Allowed);
    let mut at = 0;
    let mut rows = Vec::new();
    for row in &table.rows {
        rows.push((line_of(&bytes, at), line_of(&bytes, at + row.len() - 1)));
        at += row.len();
    }
    let expected = rows_of_the_crate(&bytes);
    for (line, text) in &found.issued {
        let row =
            rows.iter().position(|(first, _)| first == line).expect("an item begins where a row begins");
        assert_same(text, &expected[row], seed);
    }
    for failed in &found.failed {
        let is_looks = matches!(failed.problem, None | Some(RecordProblem::LooksLikeRows { .. }));
        assert!(is_looks, "seed {seed}: {failed:?}");
        let ends = |line: u64, of: fn(&(u64, u64)) -> u64| rows.iter().any(|row| of(row) == line);
        assert!(
            ends(failed.lines.0, |row| row.0) && ends(failed.lines.1, |row| row.1),
            "seed {seed}: {failed:?}"
        );
    }
    let lines = found
        .failed
        .iter()
        .map(|failed| rows.iter().filter(|row| failed.lines.0 <= row.0 && row.1 <= failed.lines.1).count());
    assert_eq!(
        found.issued.len() + lines.sum::<usize>(),
        rows.len() - 1,
        "seed {seed}: every row is accounted for"
    );
}

/// The same beside a fault that cannot leave text which RFC 4180 allows: no item begins inside a cell. A file that is
/// cut off inside a cell is left out: the quote that would tell is not there.
fn no_cell_forges_a_row_beside_a_fault(seed: u64) {
    let mut random = Random(seed);
    let kind = 1 + random.below(EARLY_END - 1);
    let table = Table::new(&mut random, hostile);
    let expected = rows_of_the_crate(&table.bytes());
    let broken = broken(&mut random, &table, kind);
    let found = read(&broken.bytes, LineBreaks::Allowed);
    if found.refused {
        // A bad byte, or another one put into the middle of a character.
        assert!(std::str::from_utf8(&broken.bytes).is_err(), "seed {seed}");
        return;
    }
    for (line, text) in &found.issued {
        if *line == broken.lines.0 {
            continue;
        }
        let row = broken.others.iter().find(|(_, bytes)| line_of(&broken.bytes, bytes.start) == *line);
        let shown =
            || format!("seed {seed}, fault {kind}, line {line}: {}", String::from_utf8_lossy(&broken.bytes));
        let (number, _) = row.unwrap_or_else(|| panic!("an item begins inside a cell: {}", shown()));
        assert_same(text, &expected[number + 1], seed);
    }
}

fn rows_of_the_crate(bytes: &[u8]) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(Result::unwrap).collect()
}

/// The item has the row's cells, as the `csv` crate reads them.
fn assert_same(text: &str, row: &csv::StringRecord, seed: u64) {
    let item: serde_json::Value = serde_json::from_str(text).unwrap();
    let request = &item["request"];
    let places = [
        &item["correlation_id"],
        &request["subject"]["id"],
        &request["subject"]["name"],
        &request["claims"]["jurisdiction"],
        &request["claims"]["kyb_status"],
        &serde_json::Value::Null,
        &request["subject"]["legal_form"],
    ];
    for (cell, (place, expected)) in places.into_iter().zip(row).enumerate().filter(|(cell, _)| *cell != 5) {
        assert_eq!(place.as_str().unwrap_or_default(), expected, "seed {seed}, cell {cell}");
    }
}

// -------------------------------------------------------------------------------------- the tests

/// The same files in every run, then others.
fn for_files(count: u64, property: fn(u64)) {
    (0..count).for_each(property);
    holds(100, file!(), any::<u64>(), property);
}

#[test]
fn a_fault_in_one_of_2000_files_changes_no_other_record() {
    for_files(2_000, one_fault_changes_no_other_record);
}

#[test]
fn without_line_breaks_a_fault_in_one_of_2000_files_stays_on_its_line() {
    for_files(2_000, one_fault_stays_on_its_line);
}

#[test]
fn no_cell_of_a_correct_file_forges_a_row() {
    for_files(500, no_cell_forges_a_row);
}

#[test]
fn no_cell_forges_a_row_beside_a_fault_elsewhere() {
    // Files in which a fault made an opening quote of one that closes, behind a record that looked like rows.
    [3_377_680_170_753_413_274, 11_410_756_890_117_089_704, 8_285_702_996_686_343_965]
        .into_iter()
        .for_each(no_cell_forges_a_row_beside_a_fault);
    for_files(500, no_cell_forges_a_row_beside_a_fault);
}
