//! The guide for spreadsheets: each cell of its table in a row of its own, and each kind of file.

use std::fs;

use serde_json::Value;

use super::pages::{code, page, rows_of_block};
use super::{beltic, project_with_key, rows, text_of};

#[test]
fn cells_get_what_the_guide_says() {
    let project = project_with_key();
    let table = rows_of_block("cells");
    assert!(table.len() > 20, "{}", table.len());
    for row in table {
        let [column, cell, outcome, _] = row[..] else { panic!("{row:?}") };
        let (column, cell) = (code(column).unwrap(), code(cell).unwrap_or_default());
        fs::write(project.path().join("items.csv"), sheet(column, cell)).unwrap();
        let output =
            beltic(project.path(), &["batch-issue", "items.csv", "--ledger=none", "--output-format=ndjson"]);
        let result = rows(&output).remove(0);
        match outcome.starts_with("fails: ") {
            true => {
                let message = result["error"]["message"].as_str().unwrap_or_default();
                assert!(message.contains(code(outcome).unwrap()), "{column}, {cell}: {result}");
            }
            false => {
                assert!(outcome.starts_with("accepted"), "{outcome}");
                assert!(is_kept(&result["credential"], column, cell), "{column}, {cell}: {result}");
            }
        }
    }
}

/// A batch of one company, with this cell in this column.
fn sheet(column: &str, cell: &str) -> String {
    let mut cells =
        vec![("subject_id", "EX-1"), ("claims_jurisdiction", "GB"), ("self_attestation_complete", "true")];
    if column.starts_with("owner1_") {
        cells.push(("owner1_full_name", "Marjory Thistlewick"));
    }
    cells.retain(|(name, _)| *name != column);
    cells.push((column, cell));
    let (header, cells): (Vec<&str>, Vec<String>) =
        cells.into_iter().map(|(name, cell)| (name, format!("\"{}\"", cell.replace('"', "\"\"")))).unzip();
    format!("{}\n{}\n", header.join(","), cells.join(","))
}

/// Whether a credential has a cell as it came.
fn is_kept(credential: &Value, column: &str, cell: &str) -> bool {
    match column {
        "name" | "registration_number" => credential["subject"][column] == cell,
        "owner1_ownership_percent" => {
            credential["claims"]["beneficial_owners"][0]["ownership_percent"].as_f64() == cell.parse().ok()
        }
        "evidence_refs" => credential[column].as_array().unwrap().len() == cell.split(';').count(),
        _ => credential["id"].is_string(),
    }
}

/// A file: what it is, its bytes, the flags that go with it, the exit code, and part of what is said.
type FileCase = (&'static str, Vec<u8>, &'static [&'static str], i32, &'static str);

#[test]
fn files_get_what_the_guide_says() {
    let header = "subject_id,name,claims_jurisdiction,self_attestation_complete,owner1_full_name,owner1_ownership_percent";
    let row = "EX-1,Zwölf,GB,TRUE,Ann,62.5";
    let sound = format!("{header}\r\n{row}\r\n");
    let tabs = |text: &str| text.replace(',', "\t");
    let utf_16: Vec<u8> =
        [0xFEFF].into_iter().chain(tabs(&sound).encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let windows: Vec<u8> = sound.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let semicolons =
        format!("\u{feff}{}\r\nEX-1;Zwölf;GB;TRUE;Ann;62,5\r\n;;;;;\r\n", header.replace(',', ";"));

    let cases: [FileCase; 11] = [
        ("bom and semicolons", semicolons.into(), &[], 0, ""),
        ("tabs", tabs(&sound).into(), &[], 0, ""),
        ("Unicode Text", utf_16, &[], 0, ""),
        ("Windows", windows.clone(), &[], 4, "save as CSV UTF-8, or pass --encoding"),
        ("Windows, named", windows, &["--encoding=windows-1252"], 0, ""),
        (".xlsx", b"PK\x03\x04\x14\0\x06\0".into(), &[], 4, "save the sheet as CSV UTF-8"),
        (".xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".into(), &[], 4, "save the sheet as CSV UTF-8"),
        ("title", format!("Companies 2026,,,,,\r\n{sound}").into(), &[], 4, "line 1: no known column"),
        (
            "notes",
            format!("{header},Notes\r\n{row},ask Ann\r\n").into(),
            &[],
            4,
            "unknown column 'Notes' (7)",
        ),
        ("totals", format!("{sound}Total,,,,,62.5\r\n").into(), &[], 3, "issued 1, failed 1"),
        (
            "share without a name",
            format!("{header}\r\nEX-1,,GB,true,,40\r\n").into(),
            &[],
            3,
            "issued 0, failed 1",
        ),
    ];
    for (name, bytes, flags, code, message) in cases {
        let project = project_with_key();
        fs::write(project.path().join("items.csv"), bytes).unwrap();
        let output = beltic(project.path(), &[&["batch-issue", "items.csv"], flags].concat());
        let said = text_of(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {said}{}", text_of(&output.stdout));
        assert!(said.contains(message), "{name}: {said}");
        if code == 0 {
            let credential = &rows(&output)[0]["credential"];
            assert_eq!(credential["subject"]["name"], "Zwölf", "{name}");
            assert_eq!(credential["claims"]["beneficial_owners"][0]["ownership_percent"], 62.5, "{name}");
        }
    }
}

#[test]
fn failed_rows_can_be_issued_with_the_columns_about_errors() {
    let project = project_with_key();
    fs::write(project.path().join("items.csv"), sheet("claims_jurisdiction", "UK")).unwrap();
    let failed = beltic(project.path(), &["batch-issue", "items.csv", "--failed", "failed.csv"]);
    assert_eq!(failed.status.code(), Some(3));
    let text = fs::read_to_string(project.path().join("failed.csv")).unwrap();
    assert!(text.starts_with("error_code,error_message,error_paths,error_record,subject_id,"), "{text}");
    let mended = text.replace(",UK", ",GB").replace(",\"UK\"", ",\"GB\"");
    fs::write(project.path().join("failed.csv"), mended).unwrap();
    let output = beltic(project.path(), &["batch-issue", "failed.csv"]);
    assert!(output.status.success(), "{}", text_of(&output.stdout));
}

#[test]
fn headers_of_your_own_are_mapped_by_the_settings_shown() {
    let project = project_with_key();
    let (page, heading) = (page("spreadsheets"), "## Headers of your own");
    fs::write(project.path().join(".beltic.yaml"), page.block_under(heading, "yaml")).unwrap();
    fs::write(project.path().join("items.csv"), page.block_under(heading, "csv")).unwrap();
    let output = beltic(project.path(), &["batch-issue", "items.csv"]);
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    assert_eq!(
        rows(&output)[0]["credential"]["claims"]["beneficial_owners"][0]["full_name"],
        "Leopold Zwirner"
    );
}
