//! Any batch, in any form and on any number of threads: a result for each item, in order, and counts
//! that are those of the results.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::companies::{Company, Style, any_company, any_style, bare, columns_of, spelt};
use crate::holds;
use crate::loose::any_item;
use crate::readers::exact::Exact;
use crate::support::*;

/// Bytes that read well where a case fails.
#[derive(Clone, Copy)]
struct Raw(&'static [u8]);

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// What stands at one place of a batch.
#[derive(Debug, Clone)]
enum Entry {
    Company {
        company: Company,
        is_bare: bool,
        style: Style,
    },
    /// An item of which only the schema knows what becomes of it.
    Loose(Value),
    /// Text that is no item.
    Text(Raw),
    /// The like, of which the end cannot be found but in a file of lines.
    Line(Raw),
    /// A line, or a row, of nothing.
    Blank,
}

/// What is no item, or could be taken for more than one.
const NO_ITEMS: [&[u8]; 13] = [
    b"{\"a\":}",
    b"{\"a\" 1}",
    b"{\"a\":1,}",
    b"{\"request\":{},,}",
    b"{\"a\":\"\xff\"}",
    b"{\"a\":01}",
    b"5",
    b"null",
    b"\"text\"",
    b"[1]",
    br#"{"self_attestation_complete":true,"subject":{"id":"a\u0000"},"claims":{"jurisdiction":"GB"}}"#,
    br#"{"self_attestation_complete":true,"subject":{"id":"\ud83d"},"claims":{"jurisdiction":"GB"}}"#,
    br#"{"self_attestation_complete":true,"subject":{"id":"a","\u0069d":"b"},"claims":{"jurisdiction":"GB"}}"#,
];

const NO_LINES: [&[u8]; 7] = [
    b"{",
    b"{\"request\":{\"subject\":",
    b"nonsense",
    b"{} {}",
    b"\"x",
    b"{\"a\":1}}",
    b"[\"items\", {\"a\"]",
];

fn entry() -> BoxedStrategy<Entry> {
    let company = (any_company(), any::<bool>(), any_style())
        .prop_map(|(company, is_bare, style)| Entry::Company { company, is_bare, style });
    prop_oneof![
        10 => company,
        3 => any_item().prop_map(Entry::Loose),
        2 => select(NO_ITEMS.to_vec()).prop_map(|text| Entry::Text(Raw(text))),
        1 => select(NO_LINES.to_vec()).prop_map(|text| Entry::Line(Raw(text))),
        1 => Just(Entry::Blank),
    ]
    .boxed()
}

/// A batch with one item at least; now and then so long that several threads get some of it.
fn batch() -> BoxedStrategy<Vec<Entry>> {
    let count = prop_oneof![7 => Just(1usize), 1 => 1_001..2_600usize];
    (prop::collection::vec(entry(), 1..40), any_company(), count)
        .prop_map(|(mut entries, company, count)| {
            entries.push(Entry::Company {
                company,
                is_bare: false,
                style: Style { spaced: false, escaped: false },
            });
            let count = entries.len().max(count);
            entries.into_iter().cycle().take(count).collect()
        })
        .boxed()
}

/// What must come back of an item.
#[derive(Debug)]
struct Expected {
    correlation_id: Option<String>,
    /// The code of its error, or none; unknown where only the schema knows.
    error: Option<Option<&'static str>>,
    line: Option<u64>,
}

impl Entry {
    /// The text in a file of lines, or between the commas of an array.
    fn text(&self) -> Vec<u8> {
        match self {
            Entry::Company { company, is_bare, style } => {
                let item = company.item();
                let item = if *is_bare { bare(&item) } else { item };
                spelt(&item, *style).into_bytes()
            }
            Entry::Loose(value) => value.to_string().into_bytes(),
            Entry::Text(Raw(text)) | Entry::Line(Raw(text)) => text.to_vec(),
            Entry::Blank => Vec::new(),
        }
    }

    fn expected(&self, line: Option<u64>) -> Expected {
        let (correlation_id, error) = match self {
            Entry::Company { company, .. } => (company.correlation_id(), Some(company.error)),
            Entry::Loose(value) => (value["correlation_id"].as_str(), None),
            Entry::Text(_) | Entry::Line(_) | Entry::Blank => (None, Some(Some("malformed_request"))),
        };
        Expected { correlation_id: correlation_id.map(str::to_owned), error, line }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Entry::Blank)
    }
}

/// A batch as a file: its bytes, and what must come back.
type File = (Vec<u8>, Vec<Expected>);

fn ndjson_file(entries: &[Entry]) -> File {
    let text = entries.iter().flat_map(|entry| [entry.text(), b"\n".to_vec()].concat()).collect();
    let lines = entries.iter().zip(1..).filter(|(entry, _)| !entry.is_blank());
    (text, lines.map(|(entry, line)| entry.expected(Some(line))).collect())
}

fn json_file(entries: &[Entry]) -> File {
    let items: Vec<_> =
        entries.iter().filter(|entry| !matches!(entry, Entry::Line(_) | Entry::Blank)).collect();
    let texts: Vec<_> = items.iter().map(|entry| entry.text()).collect();
    let text =
        [b"{\"note\":[1], \"items\": [\n".as_slice(), &texts.join(b" ,\r\n".as_slice()), b"]}\n"].concat();
    (text, items.into_iter().map(|entry| entry.expected(None)).collect())
}

/// A table of the companies; a line without an end becomes a row with a cell too many.
fn csv_file(entries: &[Entry]) -> File {
    let companies: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Company { company, .. } => Some(company),
            _ => None,
        })
        .collect();
    let columns = columns_of(&companies);
    // A record that fails goes on through a quote that may close a cell as well as open one. No company is to be in it.
    let opens_plainly = |cell: &String| !cell.starts_with(['"', ',', '\r', '\n']);
    let ends_at_its_line = companies.iter().all(|company| company.cells.values().all(opens_plainly));
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(&columns).unwrap();
    let mut expected = Vec::new();
    for entry in entries {
        match entry {
            Entry::Company { company, .. } => {
                writer.write_record(columns.iter().map(|column| company.cell(column))).unwrap();
                expected.push(entry.expected(None));
            }
            Entry::Line(_) if ends_at_its_line => {
                let cells = columns.iter().map(|column| if column == "correlation_id" { "" } else { "x" });
                writer.write_record(cells.chain(["one too many"])).unwrap();
                expected.push(entry.expected(None));
            }
            Entry::Blank => writer.write_record(columns.iter().map(|_| " ")).unwrap(),
            Entry::Line(_) | Entry::Loose(_) | Entry::Text(_) => {}
        }
    }
    (writer.into_inner().unwrap(), expected)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A result without what differs from run to run.
fn lasting(line: &str) -> Exact {
    let result = Exact::parse(line);
    let Some(credential) = result.get("credential") else { return result };
    let kept = ["subject", "claims", "evidence_refs"].map(|name| (name, credential.member(name).clone()));
    let Exact::Object(members) = result.without("credential") else { unreachable!("a result is an object") };
    Exact::Object(members.into_iter().chain([("credential".to_owned(), Exact::object(kept))]).collect())
}

/// All runs of a test, which share a ledger.
struct Runs {
    sandbox: Sandbox,
    /// The places in status lists that were ever given.
    places: RefCell<HashSet<(String, u32)>>,
}

impl Runs {
    /// Issues a file, checks everything that must be so of any run, and gives the results.
    fn issue(&self, name: &str, (bytes, expected): &File, is_packed: bool, flags: &str) -> Vec<Exact> {
        let bytes = if is_packed { &gzip(bytes) } else { bytes };
        self.sandbox.write(name, bytes);
        let run = self
            .sandbox
            .issue(&format!("{name} --output-format ndjson --summary summary.json --force {flags}"));
        let rows = run.rows();
        assert_eq!(rows.len(), expected.len(), "{name} {flags}: {}", run.stderr);
        for (index, (row, expected)) in rows.iter().zip(expected).enumerate() {
            assert_eq!(row.index, index as u64);
            assert_eq!(row.correlation_id, expected.correlation_id, "{row:?}");
            let code = row.error.as_ref().map(|error| error.code.as_str());
            assert!(expected.error.is_none_or(|error| error == code), "{expected:?} got {row:?}");
            if row.error.is_some() && expected.line.is_some() {
                assert_eq!(row.line, expected.line);
            }
            if let Some(credential) = &row.credential {
                let place =
                    (credential.status_list_uri.clone().unwrap(), credential.status_list_index.unwrap());
                assert!(self.places.borrow_mut().insert(place), "a place is given twice");
            }
        }
        self.check_counts(&run, &rows);
        run.stdout.lines().map(lasting).collect()
    }

    fn check_counts(&self, run: &Run, rows: &[Row]) {
        let issued = rows.iter().filter(|row| row.credential.is_some()).count();
        let failed = rows.len() - issued;
        assert_eq!(run.code, if failed > 0 { 3 } else { 0 }, "{}", run.stderr);
        let summary: Value = serde_json::from_str(&self.sandbox.read("summary.json")).unwrap();
        assert_eq!(summary["success_count"], issued);
        assert_eq!(summary["failure_count"], failed);
        let is_closing = |line: &&str| line.starts_with("issued ");
        let closing = run.stderr.lines().find(is_closing).unwrap_or_default().replace(',', "");
        assert!(closing.starts_with(&format!("issued {issued} failed {failed} ")), "{closing}");
        assert!(closing.contains(&format!("({} item", rows.len())), "{closing}");
    }
}

#[test]
fn every_item_has_its_result_whatever_the_form_and_the_jobs() {
    let runs = Runs { sandbox: Sandbox::with_issuer_key(), places: RefCell::default() };
    let formats = select(vec!["jwt_vc", "sd_jwt_vc"]);
    let ways = (any::<[bool; 3]>(), [1..=8usize, 2..=8, 1..=8, 1..=8], formats);
    holds(12, file!(), (batch(), ways), |(entries, (packed, jobs, format))| {
        let flags = |jobs: usize| format!("--jobs {jobs} --proof-format {format}");
        let lines = ndjson_file(&entries);
        let results = runs.issue("items.ndjson", &lines, packed[0], &flags(jobs[0]));
        let again = runs.issue("items.jsonl", &lines, !packed[0], &flags(jobs[1]));
        assert_eq!(results, again, "the number of threads shows in the results");

        let json = runs.issue("items.json", &json_file(&entries), packed[1], &flags(jobs[2]));
        let in_json = entries.iter().filter(|entry| !entry.is_blank()).zip(&results);
        let in_json = in_json.filter(|(entry, _)| !matches!(entry, Entry::Line(_))).map(|(_, result)| result);
        for (from_json, from_line) in json.iter().zip(in_json) {
            let content = |result: &Exact| {
                let code = result.get("error").map(|error| error.text_of("code").to_owned());
                (code, result.get("credential").cloned())
            };
            assert_eq!(content(from_json), content(from_line));
        }
        runs.issue("items.csv", &csv_file(&entries), packed[2], &flags(jobs[3]));
    });
    let given = runs.places.borrow().len();
    assert_eq!(runs.sandbox.recorded(), given as i64);
    let check = runs.sandbox.beltic(&["ledger", "check"]).expect(0);
    assert!(check.stdout.replace(',', "").contains(&format!("{given} credential")), "{}", check.stdout);
}
