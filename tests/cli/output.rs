//! `beltic batch-issue`: forms of results, files and streams that they go to, counts and codes.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::readers::token::unix_seconds;
use crate::support::*;

/// Three items, the second of which fails.
fn mixed() -> [Value; 3] {
    [item("alice"), with(item("bob"), "/request/ttl", json!("soon")), item("carol")]
}

fn sandbox_with_mixed_items() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &mixed());
    sandbox
}

// ----------------------------------------------------------------------------------------- forms

/// Where standard output is no terminal, results are NDJSON.
#[test]
fn ndjson_is_the_default_of_a_pipe() {
    let sandbox = sandbox_with_mixed_items();
    for args in ["items.ndjson", "items.ndjson --output-format ndjson"] {
        let run = sandbox.issue(args).expect(3);
        assert!(run.stdout.ends_with('\n'));
        assert_eq!(run.rows().len(), 3);
    }
    let run = sandbox.issue("items.ndjson").expect(3);
    assert!(run.stdout.starts_with(r#"{"index":0,"correlation_id":"alice","credential":{"subject":{"#));
    let failure = run.stdout.lines().nth(1).unwrap();
    let start =
        r#"{"index":1,"line":2,"correlation_id":"bob","error":{"code":"validation_failed","message":""#;
    assert!(failure.starts_with(start), "{failure}");
    assert!(
        failure.contains(r#","details":[{"path":"/request/ttl","code":"invalid_format","message":""#),
        "{failure}"
    );
}

#[test]
fn the_json_envelope_is_the_apis() {
    let sandbox = Sandbox::with_issuer_key();
    let mut many = items(2_100);
    many[1_500] = without(many[1_500].clone(), "/request/claims");
    for (batch, failed) in [(&mixed()[..], 1), (&many, 1), (&many[..1], 0)] {
        sandbox.write_items("items.ndjson", batch);
        let run = sandbox.issue("items.ndjson --output-format json");
        let envelope: serde_json::Map<String, Value> = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(envelope.keys().collect::<Vec<_>>(), ["failure_count", "results", "success_count"]);
        assert_eq!(envelope["failure_count"], failed);
        assert_eq!(envelope["success_count"], batch.len() - failed);
        let results = envelope["results"].as_array().unwrap();
        assert_eq!(results.len(), batch.len());
        for (at, result) in results.iter().enumerate() {
            let row = Row::parse(&result.to_string());
            assert_eq!(row.index, at as u64);
            assert_eq!(row.correlation_id.as_deref(), batch[at]["correlation_id"].as_str());
        }
        assert!(run.stdout.starts_with(r#"{"results":["#) && run.stdout.ends_with("}\n"));
    }
}

/// A table with every column in every row, that a spreadsheet can open without running anything.
#[test]
fn csv_has_every_column_and_guards_formulas() {
    let sandbox = Sandbox::with_issuer_key();
    let names = ["=1+1", "+44", "-10", "@home", "\tx", "a,\"b\"\nc", "ok"];
    let mut batch: Vec<_> =
        names.iter().map(|name| with(item("x"), "/correlation_id", json!(name))).collect();
    batch.push(without(without(item("bad"), "/request/claims"), "/request/subject/id"));
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --output-format csv").expect(3);

    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let header = reader.headers().unwrap().clone();
    for column in ["index", "line", "correlation_id", "id", "issuer_did", "status_list_index", "kid"] {
        assert!(header.iter().any(|name| name == column), "{column}");
    }
    let column =
        |name: &str| header.iter().position(|known| known == name).unwrap_or_else(|| panic!("{name}"));
    // The reader refuses rows of another length.
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), batch.len());
    for (row, name) in rows.iter().zip(names) {
        let shown = &row[column("correlation_id")];
        let guarded = name.starts_with(['=', '+', '-', '@', '\t']);
        assert_eq!(*shown, if guarded { format!("'{name}") } else { name.to_owned() });
        if name.contains(char::is_control) {
            // No id has such a character, and what the table says of the item is guarded all the same.
            assert_eq!(&row[column("error_code")], "validation_failed");
            continue;
        }
        let token = issuer_token_key().open(&row[column("signed_payload")]);
        assert_eq!(token.payload.text_of("jti"), &row[column("id")]);
        assert_eq!(token.payload.text_of("validUntil"), &row[column("expires_at")]);
        let index = token.payload.member("status").member("status_list").member("idx").integer();
        assert_eq!(row[column("status_list_index")], index.to_string());
        assert_eq!(&row[column("error_code")], "");
    }
    let failed = rows.last().unwrap();
    assert_eq!(&failed[column("line")], "8");
    assert_eq!(&failed[column("error_code")], "missing_required_field");
    assert_eq!(&failed[column("error_paths")], "/request/subject/id /request/claims");
    assert_eq!(&failed[column("signed_payload")], "");
}

/// Tokens and nothing else; what failed is said on standard error.
#[test]
fn jwt_has_tokens_only_and_failures_on_standard_error() {
    let sandbox = sandbox_with_mixed_items();
    let run = sandbox.issue("items.ndjson --output-format jwt").expect(3);
    let key = issuer_token_key();
    let subjects: Vec<_> =
        run.stdout.lines().map(|line| key.open(line).payload.text_of("sub").to_owned()).collect();
    assert_eq!(subjects, ["urn:example:alice", "urn:example:carol"]);
    let failure: Vec<&str> = run.stderr.lines().skip_while(|line| !line.contains("bob")).take(2).collect();
    let failure = failure.join("\n");
    for part in ["failed", "line 2", "validation_failed", "/request/ttl", "\"soon\""] {
        assert!(failure.contains(part), "{part} in {failure}");
    }
}

/// One short line an item, and below it one for each problem.
#[test]
fn text_has_one_line_an_item() {
    let sandbox = sandbox_with_mixed_items();
    let run = sandbox.issue("items.ndjson --output-format text").expect(3);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.stdout);
    let expected =
        [["issued", "alice"], ["failed", "bob"], ["         /request/ttl", "\"soon\""], ["issued", "carol"]];
    for (line, parts) in lines.iter().zip(expected) {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    assert!(lines[0].split_whitespace().any(|word| uuid::Uuid::parse_str(word).is_ok()), "{}", run.stdout);
    assert!(!run.stdout.contains('\x1b'), "no colour in a pipe");
    let coloured = sandbox.issue("items.ndjson --output-format text --color always").expect(3);
    assert!(coloured.stdout.contains('\x1b'));
    let hostile = with(item("x"), "/correlation_id", json!("\x1b[31m\u{202e}\n"));
    sandbox.write_items("hostile.ndjson", &[hostile]);
    let run = sandbox.issue("hostile.ndjson --output-format text").expect(3);
    assert_eq!(run.stdout.lines().count(), 2, "{:?}", run.stdout);
    assert!(!run.stdout.contains(['\x1b', '\u{202e}']), "{:?}", run.stdout);
}

// ----------------------------------------------------------------------------------------- --out

/// The file appears when it is complete, and nothing lies beside it.
#[test]
fn out_appears_complete() {
    let sandbox = sandbox_with_mixed_items();
    let run = sandbox.issue("items.ndjson --out results.ndjson").expect(3);
    assert_eq!(run.stdout, "");
    assert_eq!(rows(&sandbox.read("results.ndjson")).len(), 3);
    sandbox.issue("items.ndjson --output-format json --out results.json").expect(3);
    let envelope: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    assert_eq!(envelope["success_count"], 2);
    let mut names: Vec<_> = std::fs::read_dir(sandbox.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".beltic", "items.ndjson", "results.json", "results.ndjson"]);
}

/// While the run goes on there is no file of that name.
#[test]
fn out_is_not_there_before_the_end() {
    use std::io::Write;
    let sandbox = Sandbox::with_issuer_key();
    let args = ["batch-issue", "--out", "results.ndjson", "--summary", "summary.json"];
    let mut child = sandbox.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than a pipe and all batches in flight hold: when it is written, results were made.
    stdin.write_all(ndjson(&items(60_000)).as_bytes()).unwrap();
    assert!(sandbox.has(".beltic/ledger.db"));
    assert!(!sandbox.has("results.ndjson") && !sandbox.has("summary.json"));
    drop(stdin);
    let run = Run::of(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(run.stdout, "");
    assert_eq!(sandbox.read("results.ndjson").lines().count(), 60_000);
}

#[test]
fn out_replaces_a_file_only_by_force() {
    let sandbox = sandbox_with_mixed_items();
    sandbox.write("results.ndjson", "precious\n");
    let run = sandbox.issue("items.ndjson --out results.ndjson").expect(6);
    assert!(run.stderr.contains("results.ndjson") && run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(sandbox.read("results.ndjson"), "precious\n");
    assert_eq!(sandbox.recorded(), 0, "refused before anything is issued");
    sandbox.issue("items.ndjson --out results.ndjson --force").expect(3);
    assert_eq!(rows(&sandbox.read("results.ndjson")).len(), 3);
}

/// A run that issues nothing leaves the file that is there alone.
#[test]
fn out_stays_as_it_is_where_the_input_is_no_batch() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("results.ndjson", "precious\n");
    sandbox.write("items.json", "{}");
    sandbox.issue("items.json --out results.ndjson --force").expect(4);
    assert_eq!(sandbox.read("results.ndjson"), "precious\n");
    sandbox.issue("items.json --out new.ndjson").expect(4);
    assert!(!sandbox.has("new.ndjson"));
}

#[test]
fn out_in_a_folder_that_is_not_there_is_named() {
    let sandbox = sandbox_with_mixed_items();
    let run = sandbox.issue("items.ndjson --out nowhere/results.ndjson").expect(6);
    assert!(run.stderr.contains("nowhere/results.ndjson"), "{}", run.stderr);
    assert_eq!(sandbox.recorded(), 0);
}

// ------------------------------------------------------------------------------- counts and ends

/// The line at the end has both counts, the time and the rate.
#[test]
fn the_closing_line_has_counts_time_and_rate() {
    let sandbox = sandbox_with_mixed_items();
    sandbox.write(".beltic.yaml", "status:\n  base_url: https://issuer.example\n");
    let run = sandbox.issue("items.ndjson").expect(3);
    assert_eq!(run.stderr.lines().count(), 3, "{}", run.stderr);
    let words: Vec<_> = run.stderr.lines().next().unwrap().split_whitespace().collect();
    let [issued, two, failed, one, count, noun, within, seconds, unit, rate] = words[..] else {
        panic!("{}", run.stderr)
    };
    assert_eq!(
        [issued, two, failed, one, count, noun, within],
        ["issued", "2,", "failed", "1", "(3", "items", "in"]
    );
    assert!(seconds.parse::<f64>().is_ok() && unit == "s,", "{}", run.stderr);
    let rate = rate.strip_suffix("/s)").unwrap().replace(',', "");
    assert!(rate.parse::<u64>().is_ok(), "{}", run.stderr);
    assert_eq!(sandbox.issue("items.ndjson --quiet").expect(3).stderr, "");

    sandbox.write_items("items.ndjson", &items(1_234));
    let run = sandbox.issue("items.ndjson --output-format jwt").expect(0);
    assert!(run.stderr.contains("issued 1,234, failed 0 (1,234 items in "), "{}", run.stderr);
}

/// `--summary` says the same in JSON, with the facts of the run.
#[test]
fn the_summary_has_counts_and_facts() {
    let sandbox = sandbox_with_mixed_items();
    sandbox.write_items("more.ndjson", &items(3));
    let run = sandbox
        .issue("items.ndjson more.ndjson --summary summary.json --issuer did:web:issuer.example")
        .expect(3);
    let summary: serde_json::Map<String, Value> =
        serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    let mut names: Vec<_> = summary.keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut known = [
        "success_count",
        "failure_count",
        "replayed_count",
        "warning_count",
        "run_id",
        "started_at",
        "finished_at",
        "duration_ms",
        "exit_code",
        "beltic_version",
        "kid",
        "issuer_did",
        "inputs",
        "status_lists",
        "reasons",
        "other_reasons",
    ];
    known.sort_unstable();
    assert_eq!(names, known);
    for (name, count) in
        [("success_count", 5), ("failure_count", 1), ("replayed_count", 0), ("warning_count", 0)]
    {
        assert_eq!(summary[name], count, "{name}");
    }
    let credential = run.rows().remove(0).into_credential();
    assert_eq!(summary["kid"], json!(credential.kid));
    assert_eq!(summary["issuer_did"], json!(credential.issuer_did));
    assert_eq!(summary["status_lists"], json!([credential.status_list_uri.unwrap()]));
    let bytes = |name: &str| sandbox.read(name).len();
    let inputs = json!([
        { "path": "items.ndjson", "bytes": bytes("items.ndjson") },
        { "path": "more.ndjson", "bytes": bytes("more.ndjson") },
    ]);
    assert_eq!(summary["inputs"], inputs);
    let time = |name: &str| unix_seconds(summary[name].as_str().unwrap());
    assert!(time("started_at") <= time("finished_at"));

    assert_eq!(summary["exit_code"], 3);
    assert_eq!(summary["beltic_version"], env!("CARGO_PKG_VERSION"));
    assert!(summary["duration_ms"].is_u64());

    let first = summary["run_id"].clone();
    sandbox.issue("more.ndjson --summary summary.json --ledger none").expect(6);
    sandbox.issue("more.ndjson --summary summary.json --ledger none --force").expect(0);
    let second: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    assert_ne!(second["run_id"], first);
    assert_eq!(second["status_lists"], json!([]));
    assert_eq!(second["failure_count"], 0);
}

/// A reader that goes away is told apart from a finished run.
#[test]
fn a_closed_standard_output_is_code_6() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(5_000));
    let mut child = sandbox.spawn(&["batch-issue", "items.ndjson", "--jobs", "2"]);
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let run = Run::of(child.wait_with_output().unwrap()).expect(6);
    assert!(run.stderr.contains("standard output was closed"), "{}", run.stderr);
    assert!(
        run.stderr.contains("results were written up to item")
            || run.stderr.contains("no results were written"),
        "{}",
        run.stderr
    );

    // A command that only reads has nothing to lose: its reader has seen enough.
    for args in [&["schema"][..], &["template", "csv"], &["completions", "bash"]] {
        let mut child = sandbox.spawn(args);
        drop(child.stdout.take());
        let run = Run::of(child.wait_with_output().unwrap()).expect(0);
        assert_eq!(run.stderr, "", "{args:?}");
    }
}

/// A disk that takes nothing more.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_code_6() {
    let sandbox = sandbox_with_mixed_items();
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = sandbox.command(&["batch-issue", "items.ndjson"]).stdout(full()).output().unwrap();
    let run = Run::of(output).expect(6);
    assert!(run.stderr.contains("standard output"), "{}", run.stderr);
    let output = sandbox.command(&["schema"]).stdout(full()).output().unwrap();
    Run::of(output).expect(6);
}

// ------------------------------------------------------------------------------------ exit codes

/// One code for each kind of end.
#[test]
fn each_kind_of_end_has_its_code() {
    let sandbox = sandbox_with_mixed_items();
    sandbox.write_items("good.ndjson", &items(2));
    sandbox.write("bad.json", "{}");
    sandbox.copy_key("p384.pem", "p384.pem");
    for (args, code) in [
        ("good.ndjson", 0),
        ("good.ndjson --nonsense", 2),
        ("good.ndjson --output-format xml", 2),
        ("good.ndjson --jobs 0", 2),
        ("good.ndjson --issuer example.com", 2),
        ("items.ndjson", 3),
        ("bad.json", 4),
        ("good.ndjson --key missing.pem", 5),
        ("good.ndjson --key p384.pem", 5),
        ("missing.ndjson", 6),
        ("good.ndjson --ledger good.ndjson", 6),
        ("good.ndjson --ledger .", 6),
    ] {
        let run = sandbox.issue(args).expect(code);
        let said = if code == 0 || code == 3 { "issued " } else { "error: " };
        assert!(run.stderr.contains(said), "{args}: {}", run.stderr);
        assert_eq!(run.stdout.is_empty(), code != 0 && code != 3, "{args}");
    }
    assert_eq!(sandbox.beltic(&[]).code, 2);
    assert_eq!(sandbox.beltic(&["--version"]).expect(0).stderr, "");
}

#[test]
fn every_help_says_where_the_exit_codes_are() {
    let sandbox = Sandbox::new();
    let commands = beltic::cli::command();
    let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    assert!(names.contains(&"revoke"), "{names:?}");
    let mut all = vec![vec!["help", "batch-issue"], vec!["ledger", "check", "--help"]];
    all.extend(names.into_iter().map(|name| vec![name, "--help"]));
    for args in &all {
        let help = sandbox.beltic(args).expect(0).stdout;
        assert!(help.contains("beltic help exit-codes"), "{help}");
    }
}
