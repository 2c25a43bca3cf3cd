//! `beltic batch-issue`: where items come from.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::readers::exact::Exact;
use crate::support::*;

const CSV_HEADER: &str = "correlation_id,subject_id,self_attestation_complete,claims_jurisdiction";

/// The same items as [`item`] makes.
fn csv(names: &[&str]) -> String {
    let rows: String = names.iter().map(|name| format!("{name},urn:example:{name},true,GB\n")).collect();
    format!("{CSV_HEADER}\n{rows}")
}

fn envelope(items: &[Value]) -> String {
    json!({ "items": items }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Subject, claims and correlation id of each credential.
fn content(run: &Run) -> Vec<(Value, Value, Option<String>)> {
    let content = |row: Row| {
        let id = row.correlation_id.clone();
        let credential = row.into_credential();
        (credential.subject, credential.claims, id)
    };
    run.rows().into_iter().map(content).collect()
}

// ----------------------------------------------------------------------------------------- forms

/// The same items give the same content, whatever form they come in and however it is recognised.
#[test]
fn all_forms_give_the_same_content() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a"), item("b"), item("c")];
    let forms = [
        ("ndjson", ndjson(&batch)),
        ("json", envelope(&batch)),
        ("json", json!(batch).to_string()),
        ("json", format!("{:#}\n", json!({ "items": batch }))),
        ("csv", csv(&["a", "b", "c"])),
    ];
    let expected: Vec<_> = batch
        .iter()
        .map(|item| {
            let request = &item["request"];
            let id = item["correlation_id"].as_str().map(str::to_owned);
            (request["subject"].clone(), request["claims"].clone(), id)
        })
        .collect();
    for (format, text) in forms {
        for bytes in
            [text.clone().into_bytes(), gzip(text.as_bytes()), format!("\u{feff}{text}").into_bytes()]
        {
            let names =
                [format!("items.{format}"), format!("items.{format}.gz"), "items".into(), "items.dat".into()];
            for name in names {
                sandbox.write(&name, &bytes);
                assert_eq!(content(&sandbox.issue(&name).expect(0)), expected, "{name}: {text}");
            }
            sandbox.write("items.txt", &bytes);
            let told = sandbox.issue(&format!("items.txt --input-format {format}")).expect(0);
            assert_eq!(content(&told), expected);
            let piped = sandbox.beltic_fed(&["batch-issue"], &bytes).expect(0);
            assert_eq!(content(&piped), expected, "piped: {text}");
        }
    }
}

#[test]
fn a_bare_request_is_an_item() {
    let sandbox = Sandbox::with_issuer_key();
    let mut bare = item("a")["request"].clone();
    bare["correlation_id"] = json!("a");
    sandbox.write_items("items.ndjson", &[bare.clone(), without(bare.clone(), "/correlation_id")]);
    let rows = sandbox.issue("items.ndjson").expect(0).rows();
    assert_eq!(rows[0].correlation_id.as_deref(), Some("a"));
    assert_eq!(rows[1].correlation_id, None);

    sandbox.write_items("faulty.ndjson", &[with(bare, "/subject/id", json!(""))]);
    let error = sandbox.issue("faulty.ndjson").expect(3).error();
    assert_eq!(error.places(), [("/subject/id", "empty")], "paths are into the item as it is");
}

/// Nothing but LF ends a line of NDJSON, and lines are counted as they stand in the file.
#[test]
fn blank_lines_are_skipped_and_counted() {
    let sandbox = Sandbox::with_issuer_key();
    let bad = without(item("bad"), "/request/claims");
    sandbox.write("items.ndjson", format!("\n  \t\r\n{}\r\n\n{bad}\n\n{{\n{}", item("a"), item("b")));
    let rows = sandbox.issue("items.ndjson").expect(3).rows();
    let places: Vec<_> = rows.iter().map(|row| (row.index, row.line)).collect();
    assert_eq!(places, [(0, None), (1, Some(5)), (2, Some(7)), (3, None)]);
    assert_eq!(rows[2].error.as_ref().unwrap().code, "malformed_request");
}

// ------------------------------------------------------------------------------ streams and files

#[test]
fn standard_input_is_read_with_a_dash_or_without_a_name() {
    let sandbox = Sandbox::with_issuer_key();
    let text = ndjson(&items(3));
    for args in [&["batch-issue"][..], &["batch-issue", "-"]] {
        assert_eq!(sandbox.beltic_fed(args, text.as_bytes()).expect(0).rows().len(), 3);
    }
    let run = sandbox.beltic_fed(&["batch-issue", "-", "-"], text.as_bytes());
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "standard input can be read only once");
}

/// A program that feeds items one at a time sees each result before it sends the next.
#[test]
fn results_leave_while_standard_input_is_still_open() {
    use std::io::{BufRead, BufReader};
    let sandbox = Sandbox::with_issuer_key();
    let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap());
    for name in ["a", "b", "c"] {
        writeln!(stdin, "{}", item(name)).unwrap();
        let mut line = String::new();
        results.read_line(&mut line).unwrap();
        assert_eq!(Row::parse(line.trim_end()).correlation_id.as_deref(), Some(name));
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Several files are one run, in the order given, whatever their forms.
#[test]
fn several_files_are_one_run() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("1.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
    sandbox.write("2.json", envelope(&[item("c")]));
    sandbox.write("3.csv", csv(&["d", "e"]));
    let args = ["batch-issue", "3.csv", "-", "1.ndjson", "2.json", "--summary", "summary.json"];
    let run = sandbox.beltic_fed(&args, ndjson(&[item("piped")]).as_bytes()).expect(3);
    let rows = run.rows();
    let ids: Vec<_> = rows.iter().map(|row| row.correlation_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["d", "e", "piped", "a", "b", "c"]);
    assert_eq!(rows.iter().map(|row| row.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(rows[4].line, Some(2), "lines count in their own file");
    let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    let paths: Vec<_> = summary["inputs"].as_array().unwrap().iter().map(|input| &input["path"]).collect();
    assert_eq!(paths, ["3.csv", "-", "1.ndjson", "2.json"]);
}

/// A file that is no batch is found before anything is issued, wherever it stands in the row.
#[test]
fn a_bad_file_among_several_stops_the_run_before_it_begins() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("good.ndjson", &items(2_000));
    sandbox.write("bad.json", r#"{"data":[]}"#);
    for bad in ["bad.json", "missing.json"] {
        let run = sandbox.issue(&format!("good.ndjson {bad}"));
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains(bad), "{}", run.stderr);
        assert_eq!(run.code, if bad == "bad.json" { 4 } else { 6 });
    }
    assert_eq!(sandbox.recorded(), 0, "nothing was recorded");
}

/// A fault that is found later ends the run at its place; what was issued before stays issued.
#[test]
fn a_late_fault_ends_the_run_at_its_place() {
    let sandbox = Sandbox::with_issuer_key();
    let mut text = envelope(&items(2_500));
    text.truncate(text.len() - 20);
    sandbox.write("cut.json", &text);
    let run = sandbox.issue("cut.json --summary summary.json").expect(4);
    let issued = run.rows().len();
    assert!((1_000..2_500).contains(&issued), "{issued}");
    let place = format!("line 1, column {} (byte {})", text.len() + 1, text.len() + 1);
    assert!(run.stderr.contains("cut.json") && run.stderr.contains(&place), "{}", run.stderr);
    assert!(run.stderr.contains("truncated"), "{}", run.stderr);
    assert!(run.stderr.contains("issued "), "what was issued is counted: {}", run.stderr);
    let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    assert_eq!(summary["success_count"], issued);

    sandbox.write("cut.ndjson.gz", &gzip(ndjson(&items(50_000)).as_bytes())[..200_000]);
    let run = sandbox.issue("cut.ndjson.gz").expect(4);
    assert!(run.stderr.contains("gzip stream ends early"), "{}", run.stderr);
    assert!(run.rows().len() >= 1_000);
}

#[test]
fn files_that_are_no_batch_are_refused() {
    let sandbox = Sandbox::with_issuer_key();
    let one = item("a");
    let cases = [
        ("a.json", String::new(), "empty file"),
        ("b.json", "[]".into(), "no items"),
        ("c.json", r#"{"items":[]}"#.into(), "no items"),
        ("d.json", r#"{"items":{}}"#.into(), "must be an array"),
        ("e.json", r#"{"data":[1]}"#.into(), "no 'items' array"),
        ("f.json", format!("{{\"items\":[{one},]}}"), "trailing comma"),
        ("g.json", format!("{{\"items\":[{one}{one}]}}"), "missing comma"),
        ("h.json", format!("[{one}]]"), "trailing data"),
        ("i.json", format!("{{\"items\":[{one}],\"items\":[]}}"), "duplicate key 'items'"),
        ("j.json", format!("{{\"items\":[{one}"), "truncated"),
        ("k.json", "<html></html>".into(), "starts with '<'"),
        ("l.json", format!("{one},{one}"), "comma after the end of a JSON value"),
        ("m.ndjson", "\n \n".into(), "no items"),
        ("n.ndjson", envelope(&[one]), "--input-format json"),
        ("o.csv", CSV_HEADER.into(), "no items"),
        ("p.csv", format!("{CSV_HEADER},ttll\na,b,true,GB,P1Y\n"), "did you mean ttl?"),
        (
            "q.csv",
            "correlation_id,claims_jurisdiction\na,GB\n".into(),
            "missing columns self_attestation_complete, subject_id",
        ),
        ("r.csv", "subject_id,self_attestation_complete\na,true\n".into(), "missing a column for a claim"),
        ("s.csv", format!("{CSV_HEADER},Subject-ID\na,b,true,GB,c\n"), "are the same field"),
        (
            "t.csv",
            format!("{CSV_HEADER},\"ttl\na,b,true,GB\n"),
            "quote opened on line 1, in the header, is not closed",
        ),
        ("u.csv", "PK\u{3}\u{4}\u{14}".into(), "ZIP"),
    ];
    for (name, text, part) in cases {
        sandbox.write(name, text);
        let run = sandbox.issue(name).expect(4);
        assert!(run.stderr.contains(name) && run.stderr.contains(part), "{name}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{name}");
    }
    assert_eq!(sandbox.recorded(), 0);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let sandbox = Sandbox::with_issuer_key();
    let run = sandbox.issue("missing.csv").expect(6);
    assert!(run.stderr.contains("missing.csv"), "{}", run.stderr);
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    let run = sandbox.issue("folder").expect(6);
    assert!(run.stderr.contains("folder") && run.stderr.contains("directory"), "{}", run.stderr);
}

// ------------------------------------------------------------------------------------------- CSV

/// Cells are text until their field says otherwise, under headers of any spelling.
#[test]
fn cells_become_what_their_fields_are() {
    let sandbox = Sandbox::with_issuer_key();
    let header = "Correlation ID,subject.id,Registration-Number,jurisdiction,LEGAL_FORM,claims.jurisdiction,\
                  taxIdVerified,address_line1,address_city,address_country,address_postal_code,\
                  owner1_full_name,owner1_ownership_percent,Owner 2 Full Name,owner2_role,evidence_refs,ttl,\
                  self_attestation_complete,credential_type";
    let rows = "one,urn:example:1,00445790,GB,007,GB,TRUE,1 Quay,Leith,GB,0123,Ada,25.00,,,a;b,P2D,True,business\n\
                two,urn:example:2,,,, ,,,,,,,,Bo,\"chair, \"\"acting\"\"\nsince 2020\",,,true,\n";
    sandbox.write("items.csv", format!("{header}\n{rows}").replace(", ,", ",FR,"));
    let run = sandbox.issue("items.csv").expect(0);
    let items = [
        r#"{"request":{"self_attestation_complete":true,"credential_type":"business","ttl":"P2D",
            "subject":{"id":"urn:example:1","registration_number":"00445790","jurisdiction":"GB","legal_form":"007"},
            "claims":{"jurisdiction":"GB","tax_id_verified":true,
              "beneficial_owners":[{"full_name":"Ada","ownership_percent":25.00}],
              "registered_address":{"line1":"1 Quay","city":"Leith","postal_code":"0123","country":"GB"}},
            "evidence_refs":["a","b"]},"correlation_id":"one"}"#,
        r#"{"request":{"self_attestation_complete":true,"subject":{"id":"urn:example:2"},
            "claims":{"jurisdiction":"FR",
              "beneficial_owners":[{"full_name":"Bo","role":"chair, \"acting\"\nsince 2020"}]}},
            "correlation_id":"two"}"#,
    ]
    .map(Exact::parse);
    assert_eq!(check_tokens(&default_issuance(), &run.stdout, &items), 2);
    assert!(run.stdout.contains("\"ownership_percent\":25.00"), "as it is written: {}", run.stdout);
}

/// JSON values one after the other, as `jq .` writes them, also in a file that is called NDJSON.
#[test]
fn values_one_after_the_other_are_items() {
    let sandbox = Sandbox::with_issuer_key();
    let pretty = |name: &str| serde_json::to_string_pretty(&item(name)).unwrap();
    let joined = format!("{}\n{}\n", pretty("a"), pretty("b"));
    for (args, text, ids) in [
        ("one.json", item("a").to_string(), vec!["a"]),
        ("pretty.json", joined.clone(), vec!["a", "b"]),
        ("pretty.ndjson", joined.clone(), vec!["a", "b"]),
        ("named.txt --input-format ndjson", joined, vec!["a", "b"]),
        ("array.ndjson", serde_json::to_string_pretty(&[item("a")]).unwrap(), vec!["a"]),
        (
            "mixed.json",
            format!("{}{}\n[{}]", envelope(&[item("a")]), item("b"), item("c")),
            vec!["a", "b", "c"],
        ),
        ("marks.ndjson", format!("\u{FEFF}{}\n\u{FEFF}{}\n", item("a"), item("b")), vec!["a", "b"]),
        ("marks.json", format!("\u{FEFF}{}\u{FEFF}{}", envelope(&[item("a")]), item("b")), vec!["a", "b"]),
    ] {
        sandbox.write(args.split(' ').next().unwrap(), text);
        let rows = sandbox.issue(&format!("{args} --ledger none")).expect(0).rows();
        let found: Vec<_> = rows.iter().map(|row| row.correlation_id.clone().unwrap()).collect();
        assert_eq!(found, ids, "{args}");
    }
}

/// An item with a member `items`, which no item has, fails; it does not become a batch that is empty.
#[test]
fn an_item_with_items_is_no_batch() {
    let sandbox = Sandbox::with_issuer_key();
    let with_items = |name: &str, items: Value| {
        let item = item(name).to_string();
        format!("{},\"items\":{items}}}", item.strip_suffix('}').unwrap())
    };
    let text =
        format!("{}\n{}\n{}", item("a"), with_items("b", json!([])), with_items("c", json!([item("d")])));
    sandbox.write("joined.json", text);
    let rows = sandbox.issue("joined.json --ledger none").expect(3).rows();
    let issued: Vec<_> = rows.iter().map(|row| row.credential.is_some()).collect();
    assert_eq!(issued, [true, false, false]);

    let mut late = json!({"items": [item("a")]});
    late["subject"] = json!({"id": "b"});
    sandbox.write("late.json", serde_json::to_string(&late).unwrap());
    let run = sandbox.issue("late.json --ledger none").expect(4);
    assert!(run.stderr.contains("found 'subject', which only an item has"), "{}", run.stderr);
}

/// What is wrong with a line of NDJSON is named with the remedy, and costs that line alone.
#[test]
fn lines_that_are_not_json_say_what_to_do() {
    let sandbox = Sandbox::with_issuer_key();
    let pretty = serde_json::to_string_pretty(&item("b")).unwrap();
    sandbox.write("items.ndjson", format!("{},\n{}\n{pretty}\n", item("a"), item("c")));
    let rows = sandbox.issue("items.ndjson --ledger none").expect(3).rows();
    assert_eq!(rows.len(), 2 + pretty.lines().count());
    let message = |at: usize| rows[at].error.as_ref().unwrap().message.clone();
    assert!(message(0).contains("found a comma; remove it"), "{}", message(0));
    assert!(rows[1].credential.is_some());
    assert!(message(2).contains("jq -c"), "{}", message(2));
}

#[test]
fn a_row_of_another_length_is_its_own_failure() {
    let sandbox = Sandbox::with_issuer_key();
    let rows = "a,urn:example:a,true,GB\nb,urn:example:b,true\nc,urn:example:c,true,GB,x\n\n,,,\nd,urn:example:d,true,GB\n";
    sandbox.write("items.csv", format!("{CSV_HEADER}\n{rows}"));
    let rows = sandbox.issue("items.csv").expect(3).rows();
    let places: Vec<_> = rows.iter().map(|row| (row.index, row.line, row.error.is_some())).collect();
    assert_eq!(places, [(0, None, false), (1, Some(3), true), (2, Some(4), true), (3, None, false)]);
    let message = |at: usize| rows[at].error.as_ref().unwrap().message.clone();
    assert!(message(1).contains("3 of 4 cells"), "{}", message(1));
    assert!(message(2).contains("5 cells") && message(2).contains('4'), "{}", message(2));
    assert_eq!(rows[1].error.as_ref().unwrap().code, "malformed_request");
}

#[test]
fn delimiters_are_found_or_told() {
    let sandbox = Sandbox::with_issuer_key();
    let text = csv(&["a", "b"]);
    for (name, delimiter) in [("comma", ","), ("semi", ";"), ("tab", "\t"), ("bar", "|"), ("tilde", "~")] {
        let name = format!("{name}.csv");
        sandbox.write(&name, text.replace(',', delimiter));
        if delimiter != "~" {
            assert_eq!(sandbox.issue(&name).expect(0).rows().len(), 2, "{name}");
        }
        let args = ["batch-issue", &name, "--delimiter", delimiter];
        assert_eq!(sandbox.beltic(&args).expect(0).rows().len(), 2, "{name}");
    }
    assert_eq!(sandbox.issue("tab.csv --delimiter tab").expect(0).rows().len(), 2);
    assert_eq!(sandbox.issue("tilde.csv").expect(4).stdout, "");
    for delimiter in [";;", "a", "\"", "ü", "5"] {
        let run = sandbox.issue(&format!("comma.csv --delimiter {delimiter}")).expect(2);
        assert!(run.stderr.contains(&format!("\"{delimiter}\"")), "{}", run.stderr);
    }
}

#[test]
fn encodings_are_told_or_marked() {
    let sandbox = Sandbox::with_issuer_key();
    let text = format!("{CSV_HEADER},legal_form\na,urn:example:a,true,GB,Société\n");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    sandbox.write("latin.csv", latin);
    sandbox.write("le.csv", utf16(u16::to_le_bytes));
    sandbox.write("be.csv", utf16(u16::to_be_bytes));
    for args in ["latin.csv --encoding windows-1252", "latin.csv --encoding iso-8859-1", "le.csv", "be.csv"] {
        let credential = sandbox.issue(args).expect(0).credential();
        assert_eq!(credential.subject["legal_form"], "Société", "{args}");
    }
    let run = sandbox.issue("latin.csv").expect(4);
    assert!(run.stderr.contains("not UTF-8: line 2, byte 29 (0xE9)"), "{}", run.stderr);
    assert!(run.stderr.contains("--encoding"), "{}", run.stderr);
    let run = sandbox.issue("latin.csv --encoding klingon").expect(2);
    assert!(run.stderr.contains("klingon"), "{}", run.stderr);
}

/// Doubts about text are warnings with the first place: in CSV the line and the user's own column.
#[test]
fn text_that_an_earlier_program_damaged_is_warned_of() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "csv:\n  columns:\n    Firma: name\n");
    let header = format!("{CSV_HEADER},Firma,owner1_full_name");
    let row = |name: &str, owner: &str| format!("a,urn:example:a,true,GB,\"{name}\",\"{owner}\"\n");
    for (rows, warning) in [
        (
            row("Acme", "Ada") + &row("Caf\u{FFFD}", "Ada"),
            "line 3): column 'Firma' (/request/subject/name): U+FFFD",
        ),
        (
            row("MÃ¼ller", "Ada"),
            "line 2): column 'Firma' (/request/subject/name): looks like UTF-8 that was read as",
        ),
        (row("x\u{FEFF}", "Ada"), "U+FEFF (byte order mark) within the text"),
        (
            row("Acme", "[\"\"Ada\"\",\"\"Bo\"\"]"),
            "column 'owner1_full_name' (/request/claims/beneficial_owners/0/full_name): looks like a JSON array",
        ),
        (row("Acme", "Ada\nBo"), "holds a line break"),
    ] {
        sandbox.write("items.csv", format!("{header}\n{rows}"));
        let run = sandbox.issue("items.csv --ledger none").expect(0);
        let warnings: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("warning: item")).collect();
        assert!(warnings.iter().any(|line| line.contains(warning)), "{warning}: {}", run.stderr);
        assert!(
            !run.stderr.contains("Ada") && !run.stderr.contains("ller"),
            "nothing personal: {}",
            run.stderr
        );
    }
    let doubtful = with(
        item("a"),
        "/request/claims/beneficial_owners",
        json!([{"full_name": "[\"Ada\"]"}, {"full_name": "{\"a\":1}"}]),
    );
    sandbox.write_items("items.ndjson", &[item("b"), doubtful]);
    let run = sandbox.issue("items.ndjson --ledger none").expect(0);
    let place =
        "warning: item 1 (line 2): /request/claims/beneficial_owners/0/full_name: looks like a JSON array";
    assert!(run.stderr.contains(place) && run.stderr.contains("2 warnings"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("looks like").count(), 1, "the first place is enough: {}", run.stderr);
}

/// An encoding that is named for a file that is UTF-8 is doubted; a byte order mark is believed before it.
#[test]
fn an_encoding_that_the_file_does_not_have_is_warned_of() {
    let sandbox = Sandbox::with_issuer_key();
    let text =
        format!("{CSV_HEADER},legal_form\na,urn:example:a,true,GB,Ltd\nb,urn:example:b,true,GB,Société\n");
    sandbox.write("plain.csv", &text);
    sandbox.write("marked.csv", format!("\u{FEFF}{text}"));
    let run = sandbox.issue("plain.csv --ledger none --encoding windows-1252").expect(0);
    let warning = "warning: plain.csv: read as windows-1252, but all of it is valid UTF-8, with the first character beyond \
                   ASCII on line 3";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
    let run = sandbox.issue("marked.csv --ledger none --encoding windows-1252").expect(0);
    assert!(!run.stderr.contains("warning: marked.csv"), "{}", run.stderr);
    let rows = run.rows();
    assert_eq!(rows[1].credential.as_ref().unwrap().subject["legal_form"], "Société");
}

/// Editors put a byte order mark before any kind of text, and it is no part of any.
#[test]
fn a_byte_order_mark_is_skipped_in_every_kind_of_file() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let mark = |name: &str| {
        let text = std::fs::read(sandbox.path(name)).unwrap();
        sandbox.write(name, [b"\xEF\xBB\xBF", &text[..]].concat());
    };
    sandbox
        .write(".beltic.yaml", "developer_id: dev-7\ndisclosure:\n  claims: {claims.kyb_status: always}\n");
    sandbox.write_items("items.ndjson", &items(3));
    ["items.ndjson", ".beltic.yaml", ".beltic/issuer.pem"].iter().for_each(|name| mark(name));
    let run = sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    assert!(run.stderr.contains("issued 3"), "{}", run.stderr);
    assert!(sandbox.read("results.ndjson").contains("\"developer_id\":\"dev-7\""));
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let mut marked = 0;
    for folder in ["site/.well-known", "site/status", "site/status/token", "site/status/bitstring"] {
        let Ok(entries) = std::fs::read_dir(sandbox.path(folder)) else { continue };
        for entry in entries.map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            mark(&format!("{folder}/{}", entry.file_name().to_str().unwrap()));
            marked += 1;
        }
    }
    assert!(marked >= 3, "{marked}");
    ["results.ndjson", ".beltic/issuer.pub.jwk"].iter().for_each(|name| mark(name));
    for keys in ["--site=site", "--did=site/.well-known/did.json", "--key=.beltic/issuer.pub.jwk"] {
        let status = if keys.starts_with("--site") { "-q" } else { "--no-status" };
        let run = sandbox.beltic(&["verify", "results.ndjson", keys, status]).expect(0);
        assert_eq!(run.stdout.matches("\"valid\":true").count(), 3, "{keys}: {}", run.stdout);
    }
    let ids = sandbox.read("results.ndjson");
    let id = ids.split("\"credential_id\":\"").nth(1).unwrap().split('"').next().unwrap();
    sandbox.write("ids.txt", format!("\u{FEFF}{id}\n"));
    sandbox.beltic(&["revoke", "--from", "ids.txt"]).expect(0);
}

/// In every format, and with all of a row's problems together; no invisible character comes out raw.
#[test]
fn identifiers_are_held_to_the_same_rule_in_every_form() {
    let sandbox = Sandbox::with_issuer_key();
    for id in ["\\N", "x\u{A0}", "\u{FEFF}x", "'x'", "1.0E+10"] {
        let rejected = with(with(item("a"), "/request/subject/id", json!(id)), "/request/ttl", json!("x"));
        sandbox.write("items.json", envelope(std::slice::from_ref(&rejected)));
        sandbox.write("items.ndjson", format!("{rejected}\n"));
        sandbox.write("items.csv", format!("{CSV_HEADER},ttl\na,\"{id}\",true,GB,x\n"));
        for name in ["items.json", "items.ndjson", "items.csv"] {
            let run = sandbox.issue(&format!("{name} --ledger none")).expect(3);
            let error = run.rows().remove(0).error.unwrap();
            let places = [("/request/subject/id", "invalid_format"), ("/request/ttl", "invalid_format")];
            let mut found = error.places();
            found.sort_unstable();
            assert_eq!(found, places, "{name}, {id}: {error:?}");
            let columns: Vec<_> = error.details.iter().map(|detail| detail.column.as_deref()).collect();
            let expected =
                if name.ends_with("csv") { [Some("subject_id"), Some("ttl")] } else { [None, None] };
            assert_eq!(columns, expected, "{name}: {error:?}");
            let text = sandbox.issue(&format!("{name} --ledger none --output-format text")).expect(3).stdout;
            assert!(!text.contains(['\u{A0}', '\u{FEFF}']), "{text}");
        }
    }
}

#[test]
fn an_identifier_that_a_spreadsheet_changed_is_refused() {
    let sandbox = Sandbox::with_issuer_key();
    let header =
        "correlation_id,subject_id,registration_number,self_attestation_complete,claims_jurisdiction";
    let spellings = ["3.3048E+06", "=\"\"03304752\"\"", "03304752.0", "'03304752"];
    let rows: String = spellings.iter().map(|number| format!("a,b,\"{number}\",true,GB\n")).collect();
    sandbox.write("items.csv", format!("{header}\n{rows}"));
    let rows = sandbox.issue("items.csv").expect(3).rows();
    for (row, spelling) in rows.iter().zip(spellings) {
        let message = &row.error.as_ref().unwrap().message;
        assert!(message.contains(&spelling.replace("\"\"", "\"")), "{message}");
        assert!(message.contains("spreadsheet") || message.contains("as text"), "{message}");
        assert_eq!(row.correlation_id.as_deref(), Some("a"));
    }
}
