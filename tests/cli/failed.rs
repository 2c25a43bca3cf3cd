//! `--failed`: the items that failed, in the form they came in, to be mended and read again.

use serde_json::{Value, json};

use crate::support::*;

const CSV_ERRORS: [&str; 4] = ["error_code", "error_message", "error_paths", "error_record"];

/// Runs with `--failed`, which must name this many failures.
#[track_caller]
fn issue_failing(sandbox: &Sandbox, args: &str, failures: usize) -> Run {
    let run = sandbox.issue(args).expect(3);
    assert_eq!(run.errors().len(), failures, "{}", run.stdout);
    run
}

/// Codes and paths of the failures, which must be the same when a file is read back.
fn codes(run: &Run) -> Vec<(String, Vec<String>)> {
    let paths = |error: &RowError| error.details.iter().map(|detail| detail.path.clone()).collect();
    run.errors().iter().map(|error| (error.code.clone(), paths(error))).collect()
}

fn records(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

// ------------------------------------------------------------------------------------------- CSV

/// The file's own columns, under their own names and in their own order, with the cells as they
/// were; the errors stand before them.
#[test]
fn csv_rows_come_back_with_their_own_header_and_cells() {
    let sandbox = Sandbox::with_issuer_key();
    let table = "\
Subject ID,self-attestation complete,Claims.Jurisdiction,registration_number,legal_form,ttl,correlation_id
urn:example:a,TRUE,GB,00445790,Ltd,,a
urn:example:b,true,XX,00012345,\"Ltd, \"\"old\"\"\nsecond line\",P1Y,b
urn:example:c,false,GB,1E5, spaced ,,c
urn:example:d,True,GB,,=1+1,never,
";
    sandbox.write("items.csv", table);
    let run = issue_failing(&sandbox, "items.csv --failed failed.csv", 3);
    let failed = sandbox.read("failed.csv");
    let (given, came) = (records(&failed, b','), records(table, b','));
    assert_eq!(given.len(), 4);
    assert_eq!(given[0][..4], CSV_ERRORS, "in front");
    assert_eq!(given[0][4..], came[0], "the header as it was");
    for (row, (original, error)) in given[1..].iter().zip(came[2..].iter().zip(run.errors())) {
        assert_eq!(row[4..], original[..], "cells as they were");
        let paths: Vec<_> = error.details.iter().map(|detail| &*detail.path).collect();
        assert_eq!(row[..4], [error.code, error.message, paths.join(" "), String::new()]);
    }
}

/// Unmended, the file fails as before, and its error columns are replaced, not repeated.
#[test]
fn an_unmended_csv_file_gives_itself() {
    let sandbox = Sandbox::with_issuer_key();
    for (name, table) in [
        (
            "comma.csv",
            "subject_id,self_attestation_complete,claims_jurisdiction\nurn:a:b,true,XX\n,true,GB\n",
        ),
        (
            "semicolon.csv",
            "subject_id;self_attestation_complete;claims_jurisdiction;owner1_full_name;owner1_ownership_percent\nurn:a:b;true;XX;A;87,5\nurn:a:c;true;GB;B;187,5\n",
        ),
        (
            "tab.csv",
            "subject_id\tself_attestation_complete\tclaims_jurisdiction\nurn:a:b\ttrue\tXX\nurn:a:c\tno\tGB\n",
        ),
        (
            "crlf.csv",
            "subject_id,self_attestation_complete,claims_jurisdiction\r\nurn:a:b,true,\"X\r\nX\"\r\n\r\nurn:a:c,,GB\r\n",
        ),
        // Rows with a cell too few and one too many.
        (
            "ragged.csv",
            "subject_id,self_attestation_complete,claims_jurisdiction\nurn:a:b,true\nurn:a:c,true,GB,extra\n",
        ),
        (
            "bom.csv",
            "\u{feff}subject_id,self_attestation_complete,claims_jurisdiction\nurn:a:b,true,XX\nurn:a:c,x,GB\n",
        ),
    ] {
        sandbox.write(name, table);
        let first = issue_failing(&sandbox, &format!("{name} --failed once.csv --force"), 2);
        let once = sandbox.read("once.csv");
        let again = issue_failing(&sandbox, "once.csv --failed twice.csv --force", 2);
        let twice = sandbox.read("twice.csv");
        assert_eq!(codes(&again), codes(&first), "{name}: {once}");
        assert_eq!(twice.lines().next(), once.lines().next(), "{name}");
        let third = issue_failing(&sandbox, "twice.csv --failed thrice.csv --force", 2);
        assert_eq!(codes(&third), codes(&first), "{name}: {twice}");
        assert_eq!(sandbox.read("thrice.csv"), twice, "{name}");
    }
}

/// Mended, each row is issued.
#[test]
fn a_mended_csv_file_is_issued() {
    let sandbox = Sandbox::with_issuer_key();
    let header = "correlation_id;subject_id;self_attestation_complete;claims_jurisdiction;owner1_full_name;owner1_ownership_percent\n";
    sandbox.write(
        "items.csv",
        format!(
            "{header}a;urn:e:a;true;XX;\"A; B\nC\";87,5\nb;urn:e:b;true;GB;D;12,5\nc;urn:e:c;nope;GB;E;1\n"
        ),
    );
    issue_failing(&sandbox, "items.csv --failed failed.csv", 2);
    let mended = sandbox.read("failed.csv").replace(";XX;", ";DE;").replace(";nope;", ";true;");
    assert!(mended.contains("\"A; B\nC\""), "{mended}");
    sandbox.write("failed.csv", mended);
    let run = sandbox.issue("failed.csv --failed again.csv").expect(0);
    let rows = run.rows();
    let ids: Vec<_> = rows.iter().map(|row| row.correlation_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["a", "c"]);
    let owner = &rows[0].credential.as_ref().unwrap().claims["beneficial_owners"][0];
    assert_eq!(*owner, json!({ "full_name": "A; B\nC", "ownership_percent": 87.5 }));
    assert!(!sandbox.has("again.csv"), "nothing failed");
}

/// Columns that the settings name, and columns of an own encoding.
#[test]
fn csv_with_settings_and_encodings_comes_back_too() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "csv:\n  columns:\n    Firmen-ID: subject_id\n    Land: claims_jurisdiction\n  constants:\n    self_attestation_complete: \"true\"\n");
    sandbox.write("items.csv", b"Firmen-ID;Land;legal_form\nurn:e:a;XX;Soci\xe9t\xe9\nurn:e:b;DE;GmbH\n");
    issue_failing(&sandbox, "items.csv --encoding windows-1252 --failed failed.csv", 1);
    let failed = sandbox.read("failed.csv");
    assert!(
        failed.starts_with(
            "\u{FEFF}error_code;error_message;error_paths;error_record;Firmen-ID;Land;legal_form\n"
        ),
        "{failed}"
    );
    assert!(failed.ends_with(";urn:e:a;XX;Société\n"), "{failed}");
    sandbox.write("failed.csv", failed.replace(";XX;", ";FR;"));
    let run = sandbox.issue("failed.csv").expect(0);
    assert_eq!(run.credential().subject["legal_form"], "Société");
}

// ---------------------------------------------------------------------------------------- NDJSON

/// An item comes back with its error beside the request; what is no item comes back as it was.
#[test]
fn ndjson_items_come_back_with_an_error_beside_the_request() {
    let sandbox = Sandbox::with_issuer_key();
    let unsound = with(full_item("b"), "/request/ttl", json!("soon"));
    let bare = json!({ "self_attestation_complete": true, "subject": { "id": "urn:e:bare" }, "claims": {} });
    let mut text = ndjson(&[item("a"), unsound.clone(), bare.clone()]);
    text += "{\"request\": {\"self_attestation_complete\": true, \n";
    text += "[1, 2]\n\n";
    text += "{\"request\":{\"subject\":{\"id\":\"\0\"}}}\n";
    text += "{\"request\":{},\"request\":{}}\n";
    sandbox.write("items.ndjson", &text);
    let run = issue_failing(&sandbox, "items.ndjson --failed failed.ndjson", 6);
    let errors = run.errors();
    let failed = sandbox.read("failed.ndjson");
    let lines: Vec<_> = failed.lines().collect();
    assert_eq!(lines.len(), 6, "{failed}");
    for (line, (came, error)) in lines.iter().zip([&unsound, &bare].into_iter().zip(&errors)) {
        let mut given: Value = serde_json::from_str(line).unwrap();
        let said = given.as_object_mut().unwrap().remove("error").unwrap();
        assert_eq!(said["code"], *error.code);
        assert_eq!(said["message"], *error.message);
        assert_eq!(said["details"].as_array().map_or(0, Vec::len), error.details.len());
        assert_eq!(given, *came);
    }
    assert_eq!(lines[2], "{\"request\": {\"self_attestation_complete\": true, ");
    assert_eq!(lines[3], "[1, 2]");

    // Unmended: the same failures, and one error for each.
    let again = issue_failing(&sandbox, "failed.ndjson --failed twice.ndjson", 6);
    assert_eq!(codes(&again), codes(&run));
    let twice = sandbox.read("twice.ndjson");
    assert_eq!(twice.lines().count(), 6);
    assert!(twice.lines().all(|line| line.matches("\"error\":").count() <= 1), "{twice}");
    issue_failing(&sandbox, "twice.ndjson --failed thrice.ndjson", 6);
    assert_eq!(sandbox.read("thrice.ndjson"), twice);

    // Mended.
    let mended = format!(
        "{}\n{}\n",
        lines[0].replace("\"soon\"", "\"P2Y\""),
        lines[1].replace("\"claims\":{}", "\"claims\":{\"kyb_status\":\"ok\"}")
    );
    sandbox.write("mended.ndjson", mended);
    let rows = sandbox.issue("mended.ndjson").expect(0).rows();
    assert_eq!(rows[0].correlation_id.as_deref(), Some("b"));
    assert_eq!(rows[0].credential.as_ref().unwrap().claims, full_item("b")["request"]["claims"]);
}

/// The error beside an item names the path of what is wrong. Where the path itself has what no item may have, the
/// error does not, or the item could not be mended.
#[test]
fn what_is_wrong_with_a_name_is_not_wrong_with_the_error_beside_it() {
    let sandbox = Sandbox::with_issuer_key();
    for escape in ["\\u0000", "\\ud800"] {
        let inside = format!("\"claims\":{{\"kyb_{escape}status\":\"ok\",");
        let outside = format!("\"t{escape}tl\":\"P1Y\",\"claims\":{{");
        for broken in [inside, outside] {
            let text = item("a")["request"].to_string().replacen("\"claims\":{", &broken, 1);
            sandbox.write("items.ndjson", text + "\n");
            let run = issue_failing(&sandbox, "items.ndjson --failed failed.ndjson --force", 1);
            let failed = sandbox.read("failed.ndjson");
            assert_eq!(failed.matches(escape).count(), 1, "{failed}");
            let again = issue_failing(&sandbox, "failed.ndjson", 1);
            assert_eq!(codes(&again), codes(&run));
            sandbox.write("mended.ndjson", failed.replace(escape, ""));
            sandbox.issue("mended.ndjson").expect(0);
        }
    }
}

/// Numbers and escapes stay as they are written.
#[test]
fn what_an_item_says_is_not_rewritten() {
    let sandbox = Sandbox::with_issuer_key();
    let line = r#"{"correlation_id":"é\u0041","request":{"self_attestation_complete":true,"subject":{"id":"urn:e:a"},"claims":{"beneficial_owners":[{"full_name":"\u00e9","ownership_percent":12.50},{"full_name":"b","ownership_percent":1e3}]}}}"#;
    sandbox.write("items.ndjson", format!("{line}\n"));
    issue_failing(&sandbox, "items.ndjson --failed failed.ndjson", 1);
    let failed = sandbox.read("failed.ndjson");
    for written in ["12.50", "1e3"] {
        assert!(failed.contains(written), "{failed}");
    }
    let (given, came): (Value, Value) =
        (serde_json::from_str(failed.trim()).unwrap(), serde_json::from_str(line).unwrap());
    assert_eq!((&given["request"], &given["correlation_id"]), (&came["request"], &came["correlation_id"]));
}

/// Lines that are too long are not kept; the file says so in their place.
#[test]
fn a_line_that_is_too_long_leaves_its_error() {
    let sandbox = Sandbox::with_issuer_key();
    let long = with(item("long"), "/request/subject/legal_form", json!("x".repeat(5_000)));
    sandbox.write_items("items.ndjson", &[item("a"), long, item("b")]);
    let run = issue_failing(&sandbox, "items.ndjson --max-item-bytes 2000 --failed failed.ndjson", 1);
    let failed = sandbox.read("failed.ndjson");
    assert_eq!(failed.lines().count(), 1, "{failed}");
    let given: Value = serde_json::from_str(failed.trim()).unwrap();
    assert_eq!(given["error"]["message"], *run.error().message);
    // Read back, it is an item that failed, not one that vanished.
    issue_failing(&sandbox, "failed.ndjson", 1);
}

// ------------------------------------------------------------------------------------------ JSON

#[test]
fn json_items_come_back_in_an_envelope() {
    let sandbox = Sandbox::with_issuer_key();
    let unsound = with(item("b"), "/request/ttl", json!("soon"));
    for batch in [json!({ "items": [item("a"), unsound, item("c"), 7] }), json!([item("a"), unsound, 7])] {
        sandbox.write("items.json", batch.to_string());
        let run = issue_failing(&sandbox, "items.json --failed failed.json --force", 2);
        let failed: Value = serde_json::from_str(&sandbox.read("failed.json")).unwrap();
        let items = failed["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!((&items[0]["request"], &items[1]), (&unsound["request"], &json!(7)));
        assert_eq!(items[0]["error"]["code"], *run.errors()[0].code);
        let again = issue_failing(&sandbox, "failed.json --failed twice.json --force", 2);
        assert_eq!(codes(&again), codes(&run));
        assert_eq!(sandbox.read("twice.json"), sandbox.read("failed.json"));
        sandbox.write(
            "failed.json",
            sandbox.read("failed.json").replace("\"soon\"", "\"P1Y\"").replace(",\n7", ""),
        );
        assert_eq!(sandbox.issue("failed.json").expect(0).rows()[0].correlation_id.as_deref(), Some("b"));
    }
}

/// Over the borders of batches, a JSON file is one array.
#[test]
fn failures_of_many_batches_are_one_file() {
    let sandbox = Sandbox::with_issuer_key();
    let batch: Vec<_> = (items(3_500).into_iter().enumerate())
        .map(|(place, item)| if place % 7 == 3 { with(item, "/request/ttl", json!("")) } else { item })
        .collect();
    sandbox.write("items.json", json!(batch).to_string());
    sandbox.write_items("items.ndjson", &batch);
    issue_failing(&sandbox, "items.json --failed failed.json --jobs 3", 500);
    issue_failing(&sandbox, "items.ndjson --failed failed.ndjson --jobs 3", 500);
    let failed: Value = serde_json::from_str(&sandbox.read("failed.json")).unwrap();
    let lines: Vec<Value> =
        sandbox.read("failed.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(*failed["items"].as_array().unwrap(), lines);
    let expected: Vec<_> =
        batch.iter().skip(3).step_by(7).map(|item| item["correlation_id"].clone()).collect();
    assert_eq!(lines.iter().map(|line| line["correlation_id"].clone()).collect::<Vec<_>>(), expected);
}

// ------------------------------------------------------------------------------------- the file

#[test]
fn there_is_no_file_where_nothing_failed() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("good.ndjson", &items(3));
    sandbox.issue("good.ndjson --failed failed.ndjson").expect(0);
    assert!(!sandbox.has("failed.ndjson"));
    // An old one would be taken for this run's.
    sandbox.write("failed.ndjson", "old\n");
    sandbox.issue("good.ndjson --failed failed.ndjson --force").expect(0);
    assert!(!sandbox.has("failed.ndjson"));
}

#[test]
fn an_old_file_is_kept_unless_force_says_otherwise() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), json!({})]);
    sandbox.write("failed.ndjson", "old\n");
    let run = sandbox.issue("items.ndjson --failed failed.ndjson").expect(6);
    assert!(
        run.stderr.contains("failed.ndjson already exists") && run.stderr.contains("--force"),
        "{}",
        run.stderr
    );
    assert_eq!((run.stdout.as_str(), sandbox.read("failed.ndjson").as_str()), ("", "old\n"));
    assert!(!sandbox.has(".beltic/ledger.db"), "nothing was begun");
    issue_failing(&sandbox, "items.ndjson --failed failed.ndjson --force", 1);
    assert_ne!(sandbox.read("failed.ndjson"), "old\n");
    // Where it cannot be written, nothing is issued.
    let run = sandbox.issue("items.ndjson --failed no/such/folder/f").expect(6);
    assert_eq!(run.stdout, "");
}

/// The inputs themselves are never written over.
#[test]
fn an_input_is_never_written_over() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), json!({})]);
    let before = sandbox.read("items.ndjson");
    for args in [
        "--failed items.ndjson",
        "--out items.ndjson",
        "--summary items.ndjson",
        "--failed ./x/../items.ndjson",
    ] {
        std::fs::create_dir_all(sandbox.path("x")).unwrap();
        let run = sandbox.issue(&format!("items.ndjson --force {args}")).expect(2);
        assert_eq!(run.stdout, "", "{args}");
        assert_eq!(sandbox.read("items.ndjson"), before, "{args}");
    }
    let run = sandbox.issue("items.ndjson --force --out same --failed same").expect(2);
    assert!(run.stderr.contains("same"), "{}", run.stderr);
}

/// Several inputs share a file if they have the same form; others are refused before anything is
/// issued.
#[test]
fn several_inputs_share_a_file_if_they_are_alike() {
    let sandbox = Sandbox::with_issuer_key();
    let header = "subject_id,self_attestation_complete,claims_jurisdiction\n";
    sandbox.write("a.csv", format!("{header}urn:e:a,true,XX\nurn:e:b,true,GB\n"));
    sandbox.write("b.csv", format!("{header}urn:e:c,true,GB\nurn:e:d,true,YY\n"));
    issue_failing(&sandbox, "a.csv b.csv --failed failed.csv", 2);
    let failed = records(&sandbox.read("failed.csv"), b',');
    assert_eq!(failed.iter().map(|row| &*row[4]).collect::<Vec<_>>(), ["subject_id", "urn:e:a", "urn:e:d"]);

    sandbox.write("other.csv", "claims_jurisdiction,subject_id,self_attestation_complete\nXX,urn:e:e,true\n");
    sandbox.write_items("c.ndjson", &[json!({})]);
    let before = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    for inputs in ["a.csv other.csv", "a.csv c.ndjson", "c.ndjson other.csv"] {
        let run = sandbox.issue(&format!("{inputs} --failed mixed")).expect(2);
        assert!(run.stderr.contains("--failed cannot combine"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!sandbox.has("mixed"));
        sandbox.issue(inputs).expect(3);
        sandbox.write(".beltic/ledger.db", &before);
    }
}

/// Conflicts are given back as well.
#[test]
fn conflicting_items_are_given_back() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), item("b")]);
    sandbox.issue("items.ndjson --idempotency-key k").expect(0);
    let changed = with(item("b"), "/request/claims/jurisdiction", json!("FR"));
    sandbox.write_items("items.ndjson", &[item("a"), changed]);
    issue_failing(&sandbox, "items.ndjson --idempotency-key k --failed failed.ndjson", 1);
    let given: Value = serde_json::from_str(sandbox.read("failed.ndjson").trim()).unwrap();
    assert_eq!(given["error"]["code"], "idempotency_key_conflict");
    sandbox.issue("failed.ndjson").expect(0);
}

/// A run that is stopped leaves the failures so far.
#[test]
fn a_stopped_run_leaves_its_failures() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), json!({}), item("b"), json!({})]);
    let run = sandbox.issue("items.ndjson --max-failures 0 --failed failed.ndjson").expect(7);
    assert_eq!(run.rows().len(), 2);
    assert_eq!(sandbox.read("failed.ndjson").lines().count(), 1);
}

/// The dirty files of the test data come back so that they fail in the same way again.
#[test]
fn dirty_files_give_themselves() {
    let Some(data) = shared_data() else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(data.join("messy")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let extension = name.trim_end_matches(".gz").rsplit('.').next().unwrap();
        if !["csv", "ndjson", "json"].contains(&extension) {
            continue;
        }
        let sandbox = Sandbox::with_issuer_key();
        let once = format!("once.{extension}");
        let args = ["batch-issue", path.to_str().unwrap(), "--failed", &once];
        let first = sandbox.beltic(&args);
        if !sandbox.has(&once) || first.code != 3 {
            continue;
        }
        let again = sandbox.issue(&format!("{once} --failed twice.{extension}"));
        assert_eq!(again.errors().len(), first.errors().len(), "{name}");
        assert_eq!(again.rows().len(), first.errors().len(), "{name}");
        sandbox.issue(&format!("twice.{extension} --failed thrice.{extension}"));
        let bytes = |name: &str| std::fs::read(sandbox.path(&format!("{name}.{extension}"))).unwrap();
        assert!(bytes("thrice") == bytes("twice"), "{name}");
        compared += 1;
    }
    assert!(compared > 5, "{compared}");
}
