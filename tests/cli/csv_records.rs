//! CSV records that are not allowed, through the program: named by their lines, given back, and nothing else changed.

use crate::support::*;

const HEADER: &str = "correlation_id,subject_id,name,claims_jurisdiction,self_attestation_complete\n";

/// Rows of companies, the first on this line of the file.
fn companies(first: u64, count: u64) -> Vec<String> {
    (first..first + count).map(|line| format!("a{line},EX-{line},Company {line},GB,true\n")).collect()
}

/// 5,000 companies, and one stray quote: what it swallows fails as one record, and nothing inside of it is signed.
#[test]
fn a_stray_quote_fails_the_record_that_it_opens_and_no_other() {
    let sandbox = Sandbox::with_issuer_key();
    let mut rows = companies(2, 5_000);
    rows[10] = rows[10].replace("Company 12", "\"Company 12");
    rows[3_999] = rows[3_999].replace("Company 4001", "\"Mill, Ltd\"");
    sandbox.write("items.csv", HEADER.to_owned() + &rows.concat());
    let dry = sandbox.issue("items.csv --dry-run").expect(3);
    assert_eq!(dry.stdout.lines().filter(|line| line.contains("\"line\":12,")).count(), 1);
    assert!(dry.stderr.contains("would fail 1"), "{}", dry.stderr);
    let run = sandbox.issue("items.csv --verify --failed failed.csv").expect(3);
    let failed: Vec<_> = run.rows().into_iter().filter(|row| row.error.is_some()).collect();
    assert_eq!((failed.len(), failed[0].line), (1, Some(12)));
    assert_eq!(run.rows().len(), 5_000 - 3_990 + 1);
    let message = &failed[0].error.as_ref().unwrap().message;
    assert!(message.starts_with("line 12: text after a closing quote on line 4001"), "{message}");
    assert!(message.ends_with("; this record spans lines 12 to 4001"), "{message}");
    assert!(!message.contains("Company") && !run.stdout.contains("EX-13\""), "nothing inside is shown");
    let failed = sandbox.read("failed.csv");
    let (header, record) = failed.split_once('\n').unwrap();
    assert_eq!(header, format!("{ERROR_HEADER},{}", HEADER.trim_end()));
    let kept = record_of(record.as_bytes());
    assert_eq!((kept.len(), &kept[0]), (9, "malformed_request"));
    assert!(kept[3] == *rows[10..4_000].concat().trim_end(), "byte for byte");

    // Unfixed, it fails and stays as it is; taken out and fixed, each row is issued.
    let again = sandbox.issue("failed.csv --failed again.csv").expect(3);
    assert_eq!((again.rows().len(), again.rows()[0].line), (1, Some(2)));
    assert!(again.error().message.contains("was not fixed"), "{}", again.error().message);
    assert!(record_of(sandbox.read("again.csv").split_once('\n').unwrap().1.as_bytes())[3] == kept[3]);
    sandbox.write("fixed.csv", HEADER.to_owned() + &kept[3].replace("\"Company 12", "Company 12"));
    let fixed = sandbox.issue("fixed.csv").expect(0);
    assert_eq!(fixed.rows().len(), 3_990);
}

const ERROR_HEADER: &str = "error_code,error_message,error_paths,error_record";

/// The cells of a record, by another reader.
fn record_of(text: &[u8]) -> csv::StringRecord {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.records().next().unwrap().unwrap()
}

/// Records stand in the file of failed items between rows with their errors. Neither disturbs the other, fixed or not.
#[test]
fn records_and_rows_stand_in_one_file_of_failed_items() {
    let sandbox = Sandbox::with_issuer_key();
    let table = format!(
        "{HEADER}a1,EX-1,\"Hip\" Records,GB,true\na2,EX-2,\"Two\nlines\",XX,true\na3,EX-3,Three,GB\na4,EX-4,Four,XX,true\n\
         a5,EX-5,\"Five, Ltd\",GB,true\na6,EX-6,\"Six,GB,true\n"
    );
    sandbox.write("items.csv", table);
    let run = sandbox.issue("items.csv --failed failed.csv").expect(3);
    assert_eq!(run.rows().len(), 6);
    let failed = sandbox.read("failed.csv");
    let mut reader = csv::Reader::from_reader(failed.as_bytes());
    let kept: Vec<_> = reader.records().map(|row| row.unwrap()[3].to_owned()).collect();
    let records = ["a1,EX-1,\"Hip\" Records,GB,true", "", "a3,EX-3,Three,GB", "", "a6,EX-6,\"Six,GB,true\n"];
    assert_eq!(kept, records);
    let codes = |run: &Run| run.errors().into_iter().map(|error| error.code).collect::<Vec<_>>();
    let again = sandbox.issue("failed.csv --failed again.csv").expect(3);
    assert_eq!(codes(&again), codes(&run));
    let mut reader = csv::Reader::from_reader(std::fs::File::open(sandbox.path("again.csv")).unwrap());
    let kept: Vec<_> = reader.records().map(|row| row.unwrap()[3].to_owned()).collect();
    assert_eq!(kept, records, "not nested");

    // As somebody puts them right: the cells under their columns, and nothing under error_record.
    let mut reader = csv::Reader::from_reader(failed.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(reader.headers().unwrap()).unwrap();
    for (row, name) in reader.records().zip(["\"Hip\" Records", "Two\nlines", "Three", "Four", "Six"]) {
        let row = row.unwrap();
        let number = row[3].get(1..2).unwrap_or_default();
        let cells = match number {
            "" => row.iter().skip(4).map(|cell| cell.replace("XX", "GB")).collect(),
            _ => vec![format!("a{number}"), format!("EX-{number}"), name.into(), "GB".into(), "true".into()],
        };
        let errors = row.iter().take(3).map(str::to_owned).chain([String::new()]);
        writer.write_record(errors.chain(cells)).unwrap();
    }
    sandbox.write("all.csv", writer.into_inner().unwrap());
    let rows = sandbox.issue("all.csv").expect(0).rows();
    let names: Vec<_> =
        rows.iter().map(|row| row.credential.as_ref().unwrap().subject["name"].clone()).collect();
    assert_eq!(names, ["\"Hip\" Records", "Two\nlines", "Three", "Four", "Six"]);
}

/// A record that has the cells of the file of failed items by itself is not taken for one of its rows.
#[test]
fn no_record_is_issued_from_its_own_file_of_failed_items() {
    let sandbox = Sandbox::with_issuer_key();
    let records = [
        ",,,a1,EX-1,Shifted,GB,true\n",
        ",,,,a1,EX-1,Shifted,GB,true\n",
        "malformed_request,x,y,a2,EX-2,Coded,GB,true\n",
        "malformed_request,x,y,,a2,EX-2,Coded,GB,true\n",
        // Two quotes left open, and between them a line that is one only outside of them.
        "a3,EX-3,\"x\"y,GB,true\na4,EX-4,\"\na5,EX-5,Forged,GB,true\n\"q\",EX-6,Forged,GB,true\n",
    ];
    for (index, record) in records.into_iter().enumerate() {
        for records in [record.to_owned(), record.repeat(2), format!("{record}{}", records[4])] {
            sandbox.write("items.csv", format!("{HEADER}{records}z,EX-Z,Last,GB,true\n"));
            let first = sandbox.issue("items.csv --ledger none --failed failed.csv --force").rows();
            let again = sandbox.issue("failed.csv --ledger none --failed again.csv --force").expect(3).rows();
            assert!(again.iter().all(|row| row.credential.is_none()), "{index}: {again:?}");
            assert_eq!(again.len(), first.iter().filter(|row| row.error.is_some()).count(), "{index}");
        }
    }
}

/// The file of failed items is UTF-8, and read so where the settings name another encoding.
#[test]
fn failed_items_are_read_in_their_own_encoding() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "csv:\n  encoding: windows-1252\n");
    sandbox.write("items.csv", [HEADER.as_bytes(), b"a1,EX-1,M\xFCller,XX,true\n"].concat());
    sandbox.issue("items.csv --failed failed.csv").expect(3);
    sandbox.write("fixed.csv", sandbox.read("failed.csv").replace("XX", "GB"));
    assert_eq!(sandbox.issue("fixed.csv").expect(0).credential().subject["name"], "Müller");
}

/// A pair of stray quotes that RFC 4180 allows by chance is noticed by the rows between them.
#[test]
fn rows_inside_a_quoted_cell_are_noticed() {
    let sandbox = Sandbox::with_issuer_key();
    let mut rows = companies(2, 9);
    rows[2] = rows[2].replace("Company 4", "\"Company 4");
    rows[5] = rows[5].replace("Company 7", "Company 7\"");
    sandbox.write("items.csv", HEADER.to_owned() + &rows.concat());
    let run = sandbox.issue("items.csv").expect(3);
    assert_eq!(run.rows().len(), 9 - 4 + 1);
    let message = run.error().message;
    assert!(message.contains("line 5 is inside a quoted cell but looks like a row of its own"), "{message}");
    assert!(message.ends_with("this record spans lines 4 to 7"), "{message}");
    // Lines that would not be issued are text: an address of three lines is none.
    sandbox.write("address.csv", format!("{HEADER}a1,EX-1,\"1 Road\nx,y,z,XX,true\nTown\",GB,true\n"));
    sandbox.issue("address.csv").expect(0);
}

/// With `csv.line_breaks: never`, a stray quote costs its own line.
#[test]
fn without_line_breaks_a_quote_costs_its_own_line() {
    let sandbox = Sandbox::with_issuer_key();
    let mut rows = companies(2, 9);
    rows[2] = rows[2].replace("Company 4", "\"Company 4");
    rows[5] = rows[5].replace("Company 7", "\"Hip\" Records");
    sandbox.write("items.csv", HEADER.to_owned() + &rows.concat());
    sandbox.write(".beltic.yaml", "csv:\n  line_breaks: never\n");
    let run = sandbox.issue("items.csv --failed failed.csv").expect(3);
    let failed: Vec<_> = run.rows().into_iter().filter(|row| row.error.is_some()).collect();
    assert_eq!(failed.iter().map(|row| row.line).collect::<Vec<_>>(), [Some(4), Some(7)]);
    assert_eq!(run.rows().len(), 9);
    assert!(run.errors()[0].message.contains("the quote opened on line 4 is not closed"));
    let failed = sandbox.read("failed.csv");
    let mut reader = csv::Reader::from_reader(failed.as_bytes());
    let kept: Vec<_> = reader.records().map(|row| row.unwrap()[3].to_owned() + "\n").collect();
    assert_eq!(kept, [rows[2].clone(), rows[5].clone()]);
    sandbox.write(".beltic.yaml", "csv:\n  line_breaks: no\n");
    let refused = sandbox.issue("items.csv").expect(2);
    assert!(
        refused.stderr.contains("csv.line_breaks is \"no\"; expected allowed or never"),
        "{}",
        refused.stderr
    );
}

/// A record that is too long to keep is named by its lines, and its error stands in its place.
#[test]
fn a_record_that_is_too_long_leaves_its_error() {
    let sandbox = Sandbox::with_issuer_key();
    let long = "x,EX-9,Forged,GB,true\n".repeat(200);
    sandbox.write("items.csv", format!("{HEADER}a1,EX-1,\"{long}\",GB,true\na2,EX-2,Two,GB,true\n"));
    let run = sandbox.issue("items.csv --max-item-bytes 1000 --failed failed.csv").expect(3);
    assert_eq!(run.rows().len(), 2);
    let message = run.error().message;
    assert!(
        message.starts_with("line 2: longer than 1000 bytes") && message.contains("lines 2 to 202"),
        "{message}"
    );
    let failed = sandbox.read("failed.csv");
    assert!(failed.contains(&format!("malformed_request,\"{message}\"")), "{failed}");
    // Read back, it is an item that failed, not one that vanished.
    let again = sandbox.issue("failed.csv").expect(3);
    assert_eq!(again.rows().len(), 1);
}
