//! What people see of a run beside its results: reasons, the report, annotations, JSON lines, a file for each credential.

use serde_json::{Value, json};

use crate::support::*;

/// Four items of which three fail, two of them for one reason.
fn sandbox_with_failures() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    let items = [
        item("alice"),
        with(item("bob"), "/request/ttl", json!("soon")),
        with(item("carol"), "/request/ttl", json!("later")),
        without(with(item("dave"), "/request/ttl", json!("never")), "/request/subject/id"),
    ];
    sandbox.write_items("items.ndjson", &items);
    sandbox
}

/// The JSON lines on standard error, every one of which must be one.
fn log_of(run: &Run) -> Vec<Value> {
    run.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn the_end_groups_failures_by_reason() {
    let sandbox = sandbox_with_failures();
    let run = sandbox.issue("items.ndjson --summary summary.json").expect(3);
    let end = run.stderr.split_once("issued 1, failed 3").unwrap().1;
    let lines: Vec<&str> = end.lines().skip(1).collect();
    assert_eq!(lines[0], "  3  invalid_format at /request/ttl, for example line 2");
    assert_eq!(lines[1], "  1  missing at /request/subject/id, for example line 4");
    assert!(lines[2].contains("`--failed FILE`"), "{end}");
    let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    assert_eq!(
        summary["reasons"][0],
        json!({"code": "invalid_format", "path": "/request/ttl", "count": 3, "example": {"index": 1, "line": 2}})
    );

    let run = sandbox.issue("items.ndjson --failed failed.ndjson").expect(3);
    assert!(run.stderr.contains("the failed items are in failed.ndjson"), "{}", run.stderr);
    let run = sandbox.issue("items.ndjson --quiet").expect(3);
    assert_eq!(run.stderr, "");
}

#[test]
fn text_has_a_line_for_each_problem() {
    let sandbox = sandbox_with_failures();
    let run = sandbox.issue("items.ndjson --output-format text").expect(3);
    let dave = run.stdout.split_once("dave  validation_failed\n").unwrap().1;
    let lines: Vec<&str> = dave.lines().collect();
    assert_eq!(lines.len(), 2, "{dave}");
    assert!(lines.iter().all(|line| line.starts_with("         /request/")), "{dave}");
}

#[test]
fn every_line_of_the_log_is_json() {
    let sandbox = sandbox_with_failures();
    let run = sandbox.issue("items.ndjson --log-format json --ttl P3Y").expect(3);
    let log = log_of(&run);
    let end = log.last().unwrap();
    assert_eq!((&end["event"], &end["issued"], &end["failed"]), (&json!("end"), &json!(1), &json!(3)));
    assert_eq!((&end["exit_code"], &end["reasons"][0]["count"]), (&json!(3), &json!(3)));
    assert!(log.iter().any(|line| line["level"] == "warning"), "{}", run.stderr);

    for (args, code, word) in [("missing.ndjson", 6, "files"), ("items.ndjson --no-such-flag", 2, "usage")] {
        let run = sandbox.issue_with(args, &[("BELTIC_LOG_FORMAT", "json")]).expect(code);
        let log = log_of(&run);
        let error = log.iter().find(|line| line["level"] == "error").unwrap();
        assert_eq!((&error["code"], &error["exit_code"]), (&json!(word), &json!(code)), "{error}");
        assert!(!error["message"].as_str().unwrap().starts_with("error:"), "{error}");
    }
    sandbox.issue("items.ndjson --log-format json --annotations github").expect(2);
}

#[test]
fn the_report_is_whole_escaped_and_fetches_nothing() {
    let sandbox = Sandbox::with_issuer_key();
    let hostile = "<script>alert(1)</script>\u{202e}'\"&";
    let header = "subject_id,<img src=x>,correlation_id";
    sandbox.write(
        "a<b>.ndjson",
        ndjson(&[
            with(with(item("a"), "/correlation_id", json!(hostile)), "/request/ttl", json!("soon")),
            with(item("b"), "/request/claims/<script>x", json!(1)),
        ]),
    );
    let run = sandbox.issue("a<b>.ndjson --report report.html").expect(3);
    let page = sandbox.read("report.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{}", run.stderr);
    for forbidden in ["<script", "<img", "\u{202e}", "http://", "https://", "url(", "src=", "@import"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for expected in ["&lt;script&gt;alert(1)", "\\u{202e}", "a&lt;b&gt;.ndjson", "<b>2</b>failed", DID_KEY] {
        assert!(page.contains(expected), "{expected}");
    }
    let run = sandbox.issue("a<b>.ndjson --report report.html").expect(6);
    assert!(run.stderr.contains("--force") && run.stdout.is_empty(), "{}", run.stderr);
    sandbox.issue("a<b>.ndjson --report report.html --force").expect(3);

    // A header's name in the message of a file that does not map is no part of a page: nothing is begun.
    sandbox.write("c.csv", format!("{header}\n1,2,3\n"));
    sandbox.issue("c.csv --report c.html").expect(4);
}

#[test]
fn annotations_name_file_and_line_and_have_a_bound() {
    let sandbox = Sandbox::with_issuer_key();
    let items: Vec<Value> =
        items(30).into_iter().map(|item| with(item, "/request/ttl", json!("50%"))).collect();
    sandbox.write_items("in/a,b.ndjson", &items);
    let run = sandbox.issue("in/a,b.ndjson --annotations github").expect(3);
    let commands: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 11, "{}", run.stderr);
    assert!(commands[2].starts_with("::error file=in/a%2Cb.ndjson,line=3,title=validation_failed::item 2: "));
    assert!(commands[10].starts_with("::notice") && commands[10].contains("20 more items failed"));
    assert_eq!(run.rows().len(), 30);

    let root = sandbox.path("in");
    let run = sandbox
        .issue_with("in/a,b.ndjson --annotations github", &[("GITHUB_WORKSPACE", root.to_str().unwrap())]);
    assert!(run.stderr.contains("::error file=a%2Cb.ndjson,"), "{}", run.stderr);
}

/// The names in a folder.
fn names(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.path(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_credential_has_a_file_of_its_own() {
    let sandbox = Sandbox::with_issuer_key();
    let no_id = without(item("x"), "/correlation_id");
    let items = [item("Acme/1"), item("acme"), item("ACME"), item(".x"), item("nul"), no_id];
    sandbox.write_items("items.ndjson", &items);
    let args = "items.ndjson --out-dir out --name-by correlation-id --idempotency-key k";
    let run = sandbox.issue(args).expect(0);
    let found = names(&sandbox, "out");
    assert_eq!(found.len(), 6, "{found:?}");
    for name in ["Acme%2F1.jwt", "acme.jwt", "%2Ex.jwt", "%6Eul.jwt"] {
        assert!(found.contains(&name.to_owned()), "{name}: {found:?}");
    }
    assert!(run.stderr.contains("warning: item 2: another item's file has the name of its correlation_id"));
    assert!(run.stderr.contains("warning: item 5: it has no correlation_id"), "{}", run.stderr);
    let rows: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let token = rows[1]["credential"]["signed_payload"].as_str().unwrap();
    assert_eq!(sandbox.read("out/acme.jwt"), format!("{token}\n"));
    let id = rows[2]["credential"]["id"].as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
    assert!(sandbox.has(&format!("out/{id}.jwt")), "{found:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name| std::fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("out"), mode("out/acme.jwt")), (0o700, 0o600));
    }

    let run = sandbox.issue(args).expect(6);
    assert!(run.stderr.contains("not empty") && run.stdout.is_empty(), "{}", run.stderr);
    sandbox.issue(&format!("{args} --force")).expect(0);
    assert_eq!(names(&sandbox, "out"), found);

    sandbox.issue("items.ndjson --out-dir sd --proof-format sd_jwt_vc").expect(0);
    assert!(names(&sandbox, "sd").iter().all(|name| name.ends_with(".sd-jwt") && name.len() == 36 + 7));
    sandbox.issue("items.ndjson --out-dir dry --dry-run").expect(0);
    assert!(!sandbox.has("dry"));
    sandbox.issue("items.ndjson --out-dir items.ndjson").expect(6);
}
