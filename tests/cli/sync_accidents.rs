//! `sync` and what goes wrong with registers: empty ones, torn ones, the wrong one. Nothing may be revoked by accident.

use serde_json::{Value, json};

use crate::support::*;
use crate::sync_support::*;

/// A scope with so many companies, and the credentials' ids in the order of the items.
fn scope_of(count: usize) -> (Sandbox, Vec<String>) {
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(count));
    let begun = sync(&sandbox, "register.ndjson").expect(0);
    let ids = synced(&begun).iter().map(Synced::id).collect();
    (sandbox, ids)
}

/// Runs `sync`, which must change nothing and end with this code, as must its plan.
#[track_caller]
fn refused(sandbox: &Sandbox, args: &str, code: i32) -> Run {
    let before = (held(sandbox), events(sandbox));
    sync(sandbox, &format!("{args} --plan")).expect(code);
    let run = sync(sandbox, args).expect(code);
    assert_eq!((held(sandbox), events(sandbox)), before, "nothing is changed by: {args}");
    run
}

/// The statuses of the credentials with these ids.
fn statuses(sandbox: &Sandbox, ids: &[String]) -> Vec<String> {
    let held = held(sandbox);
    ids.iter().map(|id| held[id].status.clone()).collect()
}

const HEADER: &str = "correlation_id,subject_id,claims_jurisdiction,self_attestation_complete";

/// The rows of the same companies as [`items`] has.
fn csv_rows(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("company-{number},urn:example:company-{number},GB,true")).collect()
}

// ---- Files that are no register

/// An export that came out empty is no reason to revoke everything, whatever the flags say.
#[test]
fn an_empty_file_is_refused() {
    let (sandbox, ids) = scope_of(6);
    sandbox.write("empty.ndjson", "");
    sandbox.write("blank.ndjson", "\n\n  \n");
    sandbox.write("empty.json", "{\"items\":[]}");
    sandbox.write("header.csv", format!("{HEADER}\n"));
    sandbox.write("nothing.csv", "");
    for file in ["empty.ndjson", "blank.ndjson", "empty.json", "header.csv", "nothing.csv"] {
        refused(&sandbox, &format!("{file} --prune --max-removals 100%"), 4);
        let allowed = sync(&sandbox, &format!("{file} --prune --max-removals 100% --allow-empty"));
        assert!(matches!(allowed.code, 2 | 4), "{file}: {} {}", allowed.code, allowed.stderr);
        refused(&sandbox, file, 4);
    }
    let fed = sandbox.beltic_fed(&["sync", "-", "--prune", "--max-removals", "100%"], b"");
    fed.expect(4);
    assert_eq!(statuses(&sandbox, &ids), ["active"; 6]);
}

/// What stops being readable ends the run before anything is changed, also where the first half holds changes.
#[test]
fn a_download_that_was_cut_off_changes_nothing() {
    use std::io::Write;
    let (sandbox, _) = scope_of(40);
    let mut changed = items(41);
    changed[0] = with(changed[0].clone(), "/request/subject/legal_form", json!("PLC"));
    let text = ndjson(&changed);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    sandbox.write("torn.ndjson.gz", &packed[..packed.len() - 4]);
    let array = Value::Array(changed).to_string();
    sandbox.write("torn.json", &array[..array.len() - 30]);
    sandbox.write("page.csv", "<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n");
    sandbox.write("other.csv", "Kennung;Gesellschaft\n1;Quarrington\n");
    for file in ["torn.ndjson.gz", "torn.json", "page.csv", "other.csv"] {
        refused(&sandbox, &format!("{file} --prune --max-removals 100%"), 4);
        refused(&sandbox, file, 4);
        refused(&sandbox, &format!("register.ndjson {file} --prune --max-removals 100%"), 4);
    }
    refused(&sandbox, "register.ndjson missing.ndjson --prune", 6);
}

// ---- Items without an id

/// What cannot be read may be any of the items that seem to be gone.
#[test]
fn what_cannot_be_read_switches_pruning_off() {
    let companies = items(12);
    let nameless = without(companies[11].clone(), "/correlation_id");
    let other_type = with(companies[11].clone(), "/request/credential_type", json!("bussiness"));
    let damaged = with(companies[11].clone(), "/correlation_id", json!("company-11\u{a0}"));
    let null = with(companies[11].clone(), "/correlation_id", json!("NULL"));
    let lines = ndjson(&companies[..11]);
    let rows = |last: &str| format!("{HEADER}\n{}\n{last}\n", csv_rows(11).join("\n"));
    let mut seven = csv_rows(11);
    seven[7] = "company-7,\"urn:example:company-7,GB,true".to_owned();
    let files = [
        ("half.ndjson", format!("{lines}{{\"request\":\n")),
        ("number.ndjson", format!("{lines}17\n")),
        ("nameless.ndjson", format!("{lines}{nameless}\n")),
        ("type.ndjson", format!("{lines}{other_type}\n")),
        ("damaged.ndjson", format!("{lines}{damaged}\n")),
        ("null.ndjson", format!("{lines}{null}\n")),
        (
            "number.json",
            Value::Array(companies[..11].iter().cloned().chain([json!(17)]).collect()).to_string(),
        ),
        ("nameless.csv", rows(",urn:example:company-11,GB,true")),
        ("long.csv", rows("company-11,urn:example:company-11,GB,true,more")),
        ("short.csv", rows("company-11,urn:example:company-11")),
        ("quote.csv", rows("company-11,\"urn\" example,GB,true")),
        ("open.csv", rows("company-11,\"urn:example:company-11,GB,true")),
        ("early.csv", format!("{HEADER}\n{}\n", seven.join("\n"))),
    ];
    let (sandbox, ids) = scope_of(12);
    for (name, text) in files {
        sandbox.write(name, text);
        for more in ["", "--accept-failures"] {
            let before = events(&sandbox);
            let run = sync(&sandbox, &format!("{name} --prune --max-removals 100% {more}")).expect(3);
            assert_eq!(statuses(&sandbox, &ids), ["active"; 12], "{name}");
            assert_eq!(events(&sandbox), before, "{name}");
            let line = synced(&run).iter().find_map(|row| row.error.as_ref().and(row.line));
            if let Some(line) = line {
                let is_named =
                    ["line", "lines"].iter().any(|word| run.stderr.contains(&format!("{word} {line}")));
                assert!(is_named, "{name} names line {line}: {}", run.stderr);
            }
        }
        sync(&sandbox, &format!("{name} --prune --max-removals 100% --plan")).expect(3);
        // Without --prune there is nothing to be told but the failure.
        sync(&sandbox, &format!("{name} --accept-failures")).expect(0);
    }
}

/// A cell whose quotes match by chance takes rows with it, and looks well formed.
#[test]
fn rows_inside_of_a_quoted_cell_are_not_gone() {
    let (sandbox, ids) = scope_of(12);
    let mut rows = csv_rows(12);
    rows[3] = "company-3,\"urn:example:company-3,GB,true".to_owned();
    rows[8] = "company-8,urn:example:company-8\",GB,true".to_owned();
    sandbox.write("quotes.csv", format!("{HEADER}\n{}\n", rows.join("\n")));
    sync(&sandbox, "quotes.csv --prune --max-removals 100%").expect(3);
    assert_eq!(statuses(&sandbox, &ids), ["active"; 12]);
}

/// An item that fails but has an id keeps its credential, and the others may go.
#[test]
fn an_invalid_item_keeps_its_credential() {
    let (sandbox, ids) = scope_of(6);
    let mut changed = items(5);
    changed[0] = with(changed[0].clone(), "/request/ttl", json!("soon"));
    changed[1] = with(changed[1].clone(), "/request/self_attestation_complete", json!(false));
    changed[2] = without(changed[2].clone(), "/request/subject/id");
    changed[3] = with(changed[3].clone(), "/request/claims/jurisdiction", json!("UK"));
    sandbox.write_items("changed.ndjson", &changed);
    let run = sync(&sandbox, "changed.ndjson --prune").expect(3);
    let rows = synced(&run);
    assert_eq!(rows.iter().filter(|row| row.error.is_some()).count(), 4, "{}", run.stdout);
    let expected = ["active", "active", "active", "active", "active", "revoked"];
    assert_eq!(statuses(&sandbox, &ids), expected);
    sync(&sandbox, "changed.ndjson --prune --accept-failures").expect(0);
}

// ---- Twice in a file

/// Which of two rows is right, nobody knows.
#[test]
fn an_id_that_is_there_twice_fails_both_times() {
    let (sandbox, ids) = scope_of(4);
    let mut doubled = items(5);
    doubled.push(with(doubled[1].clone(), "/request/subject/legal_form", json!("PLC")));
    doubled.push(with(doubled[2].clone(), "/request/ttl", json!("soon")));
    doubled.push(doubled[4].clone());
    sandbox.write_items("doubled.ndjson", &doubled);
    let run = sync(&sandbox, "doubled.ndjson --prune --max-removals 100%").expect(3);
    let failed: Vec<u64> =
        synced(&run).iter().filter(|row| row.error.is_some()).filter_map(|row| row.index).collect();
    assert_eq!(failed, [1, 2, 4, 5, 6, 7]);
    assert_eq!(statuses(&sandbox, &ids), ["active"; 4], "they stay as they are");
    assert_eq!(held(&sandbox).len(), 4, "nothing was issued");

    // Also in two files, and not where the type is another one.
    sandbox.write_items("one.ndjson", &items(4));
    let person = with(full_user("x"), "/correlation_id", json!("company-3"));
    sandbox.write_items("two.ndjson", &[items(4)[0].clone(), person]);
    let run = sync(&sandbox, "one.ndjson two.ndjson").expect(3);
    let failed: Vec<u64> =
        synced(&run).iter().filter(|row| row.error.is_some()).filter_map(|row| row.index).collect();
    assert_eq!(failed, [0, 4]);
    let done = Counts::of(&run);
    assert_eq!((done.issued, done.unchanged, done.failed), (1, 3, 2), "{}", run.stderr);
}

/// Repeats are found wherever they are in a large file.
#[test]
fn a_repeat_is_found_among_many() {
    let sandbox = issuer();
    let mut many = items(20_000);
    many.push(many[3].clone());
    sandbox.write_items("many.ndjson", &many);
    let run = sync(&sandbox, "many.ndjson").expect(3);
    let failed: Vec<u64> =
        synced(&run).iter().filter(|row| row.error.is_some()).filter_map(|row| row.index).collect();
    assert_eq!(failed, [3, 20_000]);
    assert_eq!(Counts::of(&run).issued, 19_999);
    assert_eq!(sandbox.recorded(), 19_999);
}

// ---- Too much at once

/// The default is a tenth of the scope, but at least five.
#[test]
fn too_many_removals_stop_the_run_before_any_change() {
    for (count, gone, flags, allowed) in [
        (40, 5, "", true),
        (40, 6, "", false),
        (80, 8, "", true),
        (80, 9, "", false),
        (40, 6, "--max-removals 6", true),
        (40, 6, "--max-removals 5", false),
        (40, 1, "--max-removals 0", false),
        (40, 0, "--max-removals 0", true),
        (40, 20, "--max-removals 50%", true),
        (40, 21, "--max-removals 50%", false),
        (40, 39, "--max-removals 100%", true),
    ] {
        let (sandbox, ids) = scope_of(count);
        let kept = items(count).split_off(gone);
        // Something else is to be done, too.
        sandbox.write_items("next.ndjson", &[kept, vec![item("newcomer")]].concat());
        let args = format!("next.ndjson --prune {flags}");
        if allowed {
            let plan = sync(&sandbox, &format!("{args} --plan")).expect(3);
            let run = sync(&sandbox, &args).expect(0);
            let done = Counts::of(&run);
            assert_eq!(done, Counts::of(&plan));
            assert_eq!(
                (done.issued, done.removed, done.unchanged),
                (1, gone, count - gone),
                "{}",
                run.stderr
            );
            let revoked = statuses(&sandbox, &ids).iter().filter(|status| *status == "revoked").count();
            assert_eq!(revoked, gone);
        } else {
            refused(&sandbox, &args, 7);
            // Without removals the newcomer alone is let in.
            sync(&sandbox, "next.ndjson").expect(0);
        }
    }
}

/// A change revokes, too.
#[test]
fn replacements_count_as_removals() {
    let (sandbox, _) = scope_of(40);
    let mut changed = items(40);
    for company in &mut changed[..4] {
        *company = with(company.clone(), "/request/subject/legal_form", json!("PLC"));
    }
    sandbox.write_items("next.ndjson", &changed[..38]);
    refused(&sandbox, "next.ndjson --prune", 7);
    refused(&sandbox, "next.ndjson --max-removals 3", 7);
    let run = sync(&sandbox, "next.ndjson --prune --max-removals 6").expect(0);
    let done = Counts::of(&run);
    assert_eq!((done.replaced, done.removed), (4, 2), "{}", run.stderr);
}

/// Another setting changes every credential: that is too much, and the plan says what it comes from.
#[test]
fn changed_settings_are_named_in_the_plan() {
    for (flags, settings) in [
        ("--proof-format sd_jwt_vc", ""),
        ("", "credential:\n  vct: https://issuer.example/credentials/firm/v2\n"),
    ] {
        let (sandbox, _) = scope_of(40);
        sandbox.write(".beltic.yaml", format!("status:\n  base_url: https://issuer.example\n{settings}"));
        let before = events(&sandbox);
        let plan = sync(&sandbox, &format!("register.ndjson {flags} --plan")).expect(7);
        let said = format!("{}{}", plan.stdout, plan.stderr);
        assert!(said.contains("setting"), "the plan names settings: {said}");
        sync(&sandbox, &format!("register.ndjson {flags}")).expect(7);
        assert_eq!(events(&sandbox), before);
        let run = sync(&sandbox, &format!("register.ndjson {flags} --max-removals 100%")).expect(0);
        assert_eq!(Counts::of(&run), Counts { replaced: 40, ..Counts::default() }, "{}", run.stderr);
        assert_eq!(found(&sandbox, "--status active").len(), 40);
    }
    // A disclosure policy is content of an sd_jwt_vc.
    let sandbox = issuer();
    sandbox.write_items("register.ndjson", &items(8));
    sync(&sandbox, "register.ndjson --proof-format sd_jwt_vc").expect(0);
    sandbox.write(
        ".beltic.yaml",
        "status:\n  base_url: https://issuer.example\ndisclosure:\n  claims: { claims.jurisdiction: always }\n",
    );
    let run = sync(&sandbox, "register.ndjson --proof-format sd_jwt_vc --max-removals 100%").expect(0);
    assert_eq!(Counts::of(&run), Counts { replaced: 8, ..Counts::default() }, "{}", run.stderr);
}

/// What is not content changes nothing: the key, the default ttl, the order, the form of the file.
#[test]
fn what_is_not_content_replaces_nothing() {
    let (sandbox, _) = scope_of(6);
    let mut reversed = items(6);
    reversed.reverse();
    sandbox.write("register.json", json!({ "items": reversed }).to_string());
    sandbox.write("register.csv", format!("{HEADER}\n{}\n", csv_rows(6).join("\n")));
    for args in ["register.json", "register.csv", "register.ndjson --ttl P2Y", "register.csv --jobs 3"] {
        let before = events(&sandbox);
        let run = sync(&sandbox, args).expect(0);
        assert_eq!(Counts::of(&run), Counts { unchanged: 6, ..Counts::default() }, "{args}: {}", run.stderr);
        assert_eq!(events(&sandbox), before, "{args}");
    }
}

// ---- Standard input

#[test]
fn standard_input_is_a_register() {
    let (sandbox, ids) = scope_of(6);
    let text = ndjson(&items(5));
    let plan = ["sync", "-", "--prune", "--input-format", "ndjson", "--plan"];
    let planned = sandbox.beltic_fed(&plan, text.as_bytes()).expect(3);
    let run = sandbox.beltic_fed(&plan[..5], text.as_bytes()).expect(0);
    assert_eq!(Counts::of(&run), Counts::of(&planned));
    assert_eq!(Counts::of(&run), Counts { removed: 1, unchanged: 5, ..Counts::default() }, "{}", run.stderr);
    assert_eq!(statuses(&sandbox, &ids)[5], "revoked");
}

/// A register belongs to one process: a share of it would prune all the others.
#[test]
fn shards_are_refused() {
    let (sandbox, _) = scope_of(2);
    let before = events(&sandbox);
    sync(&sandbox, "register.ndjson --shard 0/2").expect(2);
    assert_eq!(events(&sandbox), before);
}

#[test]
fn limits_and_durations_that_are_none_are_refused() {
    let (sandbox, _) = scope_of(2);
    for args in [
        "--max-removals many",
        "--max-removals 101%",
        "--max-removals=-1",
        "--renew-within soon",
        "--renew-within P-1D",
        "--by position",
    ] {
        sync(&sandbox, &format!("register.ndjson {args}")).expect(2);
    }
    sync(&sandbox, "").expect(2);
}
