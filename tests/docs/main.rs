//! The README, the pages of `docs/` and the fixtures against the program: tables, flags, settings, limits, and every
//! command line. The modules run what the pages show (`console` blocks, the guide for spreadsheets, the recipes for CI),
//! and look at the pages themselves: links, the table of contents, words.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the exceptions for tests leave out their helpers"
)]

#[path = "../support/machine.rs"]
mod machine;

mod comparison;
mod console;
mod links;
mod pages;
mod recipes;
mod registers;
mod renewal;
mod spreadsheets;
mod words;
mod workflows;

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use beltic::cli::{self, ExitStatus};
use beltic::ledger::allocation::{LIST_ENTRIES, ROLL_AT};
use beltic::request::{DetailCode, ErrorCode};
use beltic::source::{self, Input, InputFault, Items, Options, Source};
use beltic::types::{self, CredentialType, FieldInWords, Object, Types};
use beltic::verify::{Reason, Step};
use pages::{PAGES, block, page, readme, rewrite};
use serde_json::{Value, json};

const SETTINGS: &str = include_str!("../../fixtures/beltic.yaml");

// ---- Tables

#[test]
fn the_table_of_fields_is_the_table_that_items_are_checked_by() {
    let mut rows =
        vec!["| field | value | required | what it is |".into(), "| --- | --- | --- | --- |".into()];
    push_fields(business().item(), &mut rows);
    let mut bare = Vec::new();
    push_fields(business().bare_item(), &mut bare);
    bare.retain(|row| !rows.contains(row));
    rows.extend(bare);
    assert_block("fields", &rows);
}

/// The fields of the other types, without those that every item has.
#[test]
fn the_tables_of_the_other_types_are_complete() {
    for other in types_with_tables() {
        let mut rows =
            vec!["| field | value | required | what it is |".into(), "| --- | --- | --- | --- |".into()];
        push_fields(other.item(), &mut rows);
        let own = |row: &String| {
            let is_in = |name: &str| row.starts_with(&format!("| `{name}`"));
            row.starts_with("| `subject.")
                || row.starts_with("| `claims.")
                || other.own.fields.iter().any(|field| is_in(field.name))
        };
        rows = rows[..2].iter().cloned().chain(rows[2..].iter().filter(|row| own(row)).cloned()).collect();
        assert_block(&format!("fields of {}", other.name), &rows);
        let columns = source::csv_columns(other, 1).join("`, `");
        assert_block(&format!("columns of {}", other.name), &[format!("CSV columns: `{columns}`.")]);
        let hidden = other.hidden.join("`, `");
        assert_block(
            &format!("hidden of {}", other.name),
            &[format!("Hidden in an `sd_jwt_vc` by default: `{hidden}`.")],
        );
    }
}

fn types_with_tables() -> impl Iterator<Item = &'static CredentialType> {
    Types::BUILT_IN.all().iter().copied().skip(1)
}

fn push_fields(object: &Object, rows: &mut Vec<String>) {
    rows.extend(types::described(object).map(|FieldInWords { path, value, required, doc }| {
        let required = if required { "yes" } else { "no" };
        format!("| `{path}` | {value} | {required} | {doc} |")
    }));
}

fn business() -> &'static CredentialType {
    Types::BUILT_IN.default_type()
}

#[test]
fn the_table_of_exit_codes_is_complete() {
    let mut rows = vec!["| code | meaning | what to do |".to_owned(), "| --- | --- | --- |".to_owned()];
    let row = |(status, meaning, advice): (ExitStatus, _, _)| {
        format!("| {} | {meaning} | {advice} |", status.code())
    };
    rows.extend(ExitStatus::ALL.map(row));
    assert_block("exit codes", &rows);
}

#[test]
fn the_commands_that_read_the_variable_for_the_form_are_named() {
    let reads = |command: &&clap::Command| {
        command.get_arguments().any(|arg| arg.get_env() == Some("BELTIC_OUTPUT_FORMAT".as_ref()))
    };
    let program = program();
    let names: Vec<String> =
        program.get_subcommands().filter(reads).map(|command| format!("`{}`", command.get_name())).collect();
    let sentence = format!("`BELTIC_OUTPUT_FORMAT` is read by {} only", names.join(" and "));
    assert!(page("settings").text.contains(&sentence), "{sentence}");
}

#[test]
fn the_tables_of_error_codes_are_complete() {
    let mut rows =
        vec!["| `error.code` | meaning | what to do |".to_owned(), "| --- | --- | --- |".to_owned()];
    let row = |(code, meaning, advice): (ErrorCode, _, _)| {
        format!("| `{}` | {meaning} | {advice} |", code.as_str())
    };
    rows.extend(ErrorCode::ALL.map(row));
    assert_block("error codes", &rows);
    let mut rows = vec!["| `code` in `details` | what to do |".to_owned(), "| --- | --- |".to_owned()];
    rows.extend(DetailCode::ALL.map(|(code, advice)| format!("| `{}` | {advice} |", code.as_str())));
    assert_block("detail codes", &rows);
}

#[test]
fn the_tables_of_steps_and_reasons_are_complete() {
    let mut rows = vec!["| `step` | what is checked |".to_owned(), "| --- | --- |".to_owned()];
    rows.extend(Step::ALL.map(|(step, meaning)| format!("| `{}` | {meaning} |", step.as_str())));
    assert_block("steps", &rows);
    let mut rows = vec!["| `reason` | meaning |".to_owned(), "| --- | --- |".to_owned()];
    rows.extend(Reason::ALL.map(|(reason, meaning)| format!("| `{}` | {meaning} |", reason.as_str())));
    assert_block("reasons", &rows);
}

/// Compares the lines between two comments of a page, and shows what should stand there.
fn assert_block(name: &str, rows: &[String]) {
    let expected = rows.join("\n");
    let (page, place) = block(name);
    if page.text[place.clone()] != format!("{expected}\n") {
        rewrite(page, place, &format!("{expected}\n"));
        panic!("{name} in {} should be:\n{expected}\n", page.path);
    }
}

#[test]
fn every_csv_column_feeds_the_field_that_the_table_says() {
    let rows: Vec<(&str, &str)> =
        page("columns").table_under("# CSV columns").into_iter().map(|row| (row[0], row[1])).collect();
    let columns: Vec<&str> = rows.iter().map(|(column, _)| *column).collect();
    assert_eq!(columns, source::csv_columns(business(), 1));
    for (column, path) in rows.into_iter().filter(|(column, path)| column != path) {
        // The field's path is a column name too, so the two together are one field twice.
        let header = format!("{column},{path}\n");
        let error = open(header).expect_err(path);
        assert!(matches!(*error.fault, InputFault::DuplicateColumn { .. }), "{column}, {path}: {error}");
    }
}

fn open(text: String) -> Result<Source, source::InputError> {
    let options = Options { format: Some(source::Format::Csv), ..Options::of(Items::of(Types::BUILT_IN)) };
    Source::open(vec![Input::Stdin(Box::new(Cursor::new(text)))], options, &beltic::stop::Stop::default())
}

#[test]
fn the_table_of_output_forms_is_complete() {
    let documented: Vec<&str> =
        page("batch-issue").table_under("## Results").into_iter().map(|row| row[0]).collect();
    let program = program();
    let batch_issue = program.find_subcommand("batch-issue").unwrap();
    let output = batch_issue.get_arguments().find(|arg| arg.get_long() == Some("output-format")).unwrap();
    let known: Vec<String> =
        output.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    assert_eq!(documented, known);
}

// ---- Flags, variables, settings, limits

#[test]
fn every_command_flag_and_variable_is_mentioned() {
    for subcommand in program().get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        assert_mentioned(subcommand.get_name());
        assert_flags_mentioned(subcommand);
        for action in subcommand.get_subcommands().filter(|action| action.get_name() != "help") {
            assert_mentioned(&format!("beltic {} {}", subcommand.get_name(), action.get_name()));
            assert_flags_mentioned(action);
        }
    }
    assert_mentioned("BELTIC_KEY_PASSPHRASE");
}

/// The command line, with the flags of every command.
fn program() -> clap::Command {
    let mut program = cli::command();
    program.build();
    program
}

fn assert_flags_mentioned(command: &clap::Command) {
    for arg in command.get_arguments() {
        match arg.get_long() {
            Some("help") | None => {}
            Some(flag) => assert_mentioned(&format!("--{flag}")),
        }
        if let Some(variable) = arg.get_env() {
            assert_mentioned(variable.to_str().unwrap());
        }
    }
}

fn assert_mentioned(word: &str) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mentions = |text: &str| {
        let mut places = text.match_indices(word);
        places.any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word))
    };
    assert!(PAGES.iter().any(|page| mentions(&page.text)), "no page mentions {word}");
}

#[test]
fn every_setting_is_in_the_table_and_in_the_example() {
    let known = known_settings();
    assert!(known.contains("csv.columns") && known.contains("key"), "{known:?}");
    for key in &known {
        assert!(page("settings").text.contains(&format!("`{key}`")), "the settings do not mention {key}");
        let last = key.rsplit('.').next().unwrap();
        assert!(
            SETTINGS.lines().any(|line| line.trim_start().starts_with(&format!("{last}:"))),
            "fixtures/beltic.yaml does not have {key}"
        );
    }
}

/// The settings as the program lists them when it refuses one that it does not know.
fn known_settings() -> BTreeSet<String> {
    let list = |section: &str| -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let text = if section.is_empty() { "bogus: 1\n".into() } else { format!("{section}:\n  bogus: 1\n") };
        fs::write(folder.path().join(".beltic.yaml"), text).unwrap();
        let output = beltic(folder.path(), &["keygen"]);
        assert_eq!(output.status.code(), Some(2), "{}", text_of(&output.stderr));
        let message = text_of(&output.stderr);
        let (_, expected) = message.split_once("expected").unwrap();
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let sections = ["keys", "signer", "issuer", "credential", "disclosure", "status", "publish", "csv"];
    let top = list("").into_iter().filter(|key| !sections.contains(&key.as_str()));
    let nested = sections
        .into_iter()
        .flat_map(|section| list(section).into_iter().map(move |key| format!("{section}.{key}")));
    top.chain(nested).collect()
}

#[test]
fn limits_are_those_of_the_program() {
    let limits = &page("limits").text;
    for limit in [
        source::DEFAULT_MAX_ITEM_BYTES,
        beltic::credential::sd_jwt::MAX_DECOYS,
        beltic::json::MAX_DEPTH,
        types::MAX_ID_CHARS,
        types::MAX_EVIDENCE_REFS,
        LIST_ENTRIES as usize,
        ROLL_AT as usize,
        beltic::keys::MAX_KEY_FILE_BYTES,
        beltic::token::MAX_TOKEN_BYTES,
        beltic::token::MAX_DISCLOSURES,
        beltic::results::MAX_ROW_BYTES,
        beltic::verify::MAX_LIST_TOKEN_BYTES,
    ] {
        assert!(limits.contains(&grouped(limit)), "the limits do not mention {}", grouped(limit));
    }
    assert_mentioned(&grouped(beltic::batch::REPEAT_WINDOW));
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

// ---- Command lines

#[test]
fn every_command_line_can_be_typed() {
    if machine::ran_without_settings("every_command_line_can_be_typed") {
        return;
    }
    let lines = PAGES.iter().flat_map(|page| page.blocks("sh")).flat_map(str::lines);
    let typed: Vec<&str> = lines.filter(|line| line.starts_with("beltic ")).collect();
    assert!(typed.len() > 20, "{typed:?}");
    for line in typed {
        let words = line.split_whitespace().take_while(|word| !matches!(*word, "|" | ">" | "<" | "&&" | "#"));
        let parsed = cli::command().try_get_matches_from(words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn the_command_under_run_it_issues_every_item() {
    let project = tempfile::tempdir().unwrap();
    let items = project.path().join("fixtures/items");
    fs::create_dir_all(&items).unwrap();
    fs::copy(fixture("items/companies.json"), items.join("companies.json")).unwrap();

    let line = readme().block_under("## Run it", "sh").lines().next().unwrap();
    let mut last = None;
    for step in line.split(" && ") {
        let args = step.strip_prefix("cargo run --release --locked -- ").expect(step);
        let output = beltic(project.path(), &args.split_whitespace().collect::<Vec<_>>());
        assert!(output.status.success(), "{step}: {}", text_of(&output.stderr));
        last = Some(output);
    }

    assert_eq!(rows(&last.unwrap()).len(), 8);
}

#[test]
fn the_command_under_test_it_is_the_one_that_ci_runs() {
    let section = readme().section("## Test it");
    assert_eq!(section.split("```").nth(1), Some("sh\ncargo test --workspace --locked\n"));
}

#[test]
fn settings_that_are_shown_are_settings() {
    let mut shown = 0;
    for page in PAGES.iter() {
        for settings in page.blocks("yaml") {
            let project = tempfile::tempdir().unwrap();
            fs::write(project.path().join(".beltic.yaml"), settings).unwrap();
            let output = beltic(project.path(), &["types"]);
            assert!(output.status.success(), "{}: {settings}{}", page.path, text_of(&output.stderr));
            shown += 1;
        }
    }
    assert!(shown > 5, "{shown}");
}

#[test]
fn json_that_is_shown_is_json() {
    for page in PAGES.iter() {
        for text in page.blocks("json") {
            let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            let values: Result<Vec<Value>, _> = values.collect();
            assert!(values.is_ok_and(|values| !values.is_empty()), "{}: {text}", page.path);
        }
    }
}

#[test]
fn examples_of_batches_are_batches() {
    let project = project_with_key();
    let page = page("batch-issue");
    let json = page.blocks("json");
    let examples = [("json", json[0]), ("ndjson", json[1]), ("csv", page.blocks("csv")[0])];
    for (format, text) in examples {
        fs::write(project.path().join("items"), text).unwrap();
        let rows = issue(project.path(), &["items", "--input-format", format]);
        assert_eq!(rows[0]["correlation_id"], "0001", "{text}");
    }
}

// ---- Fixtures

#[test]
fn the_same_companies_come_out_of_all_three_forms() {
    let project = project_with_key();
    let from =
        |name: &str| issue(project.path(), &[&fixture(&format!("items/{name}")).display().to_string()]);
    let json = from("companies.json");
    assert_eq!(json.len(), 8);
    assert!(json.iter().all(|row| row["correlation_id"].is_string()));
    assert_eq!(json, from("companies.ndjson"));
    assert_eq!(json, from("companies.csv"));
}

/// What the results say about the items themselves, without what differs from run to run.
fn issue(project: &Path, args: &[&str]) -> Vec<Value> {
    let fixed =
        ["batch-issue", "--ledger=none", "--output-format=ndjson", "--issued-at=2026-01-31T00:00:00Z"];
    let output = beltic(project, &[&fixed, args].concat());
    assert!(output.status.success(), "{}{}", text_of(&output.stdout), text_of(&output.stderr));
    let facts = |row: Value| {
        let credential = &row["credential"];
        json!({
            "index": row["index"],
            "correlation_id": row["correlation_id"],
            "subject": credential["subject"],
            "claims": credential["claims"],
            "evidence_refs": credential["evidence_refs"],
            "expires_at": credential["expires_at"],
        })
    };
    rows(&output).into_iter().map(facts).collect()
}

#[test]
fn the_mixed_batch_has_two_sound_items_and_four_kinds_of_failures() {
    let project = project_with_key();
    let mixed = fixture("items/mixed.ndjson").display().to_string();
    let output =
        beltic(project.path(), &["batch-issue", &mixed, "--output-format", "ndjson", "--ledger", "none"]);
    assert_eq!(output.status.code(), Some(3));
    let outcomes: Vec<Value> = rows(&output).iter().map(|row| row["error"]["code"].clone()).collect();
    let expected = json!([
        null,
        "malformed_request",
        "self_attestation_incomplete",
        null,
        "validation_failed",
        "missing_required_field"
    ]);
    assert_eq!(Value::Array(outcomes), expected);
}

#[test]
fn the_example_settings_fit_the_register_export() {
    let project = project_with_key();
    fs::write(project.path().join(".beltic.yaml"), SETTINGS).unwrap();
    let export = fixture("items/register-export.csv").display().to_string();
    let rows = issue(project.path(), &[&export]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["subject"]["registration_number"], "HRB 00417");
    assert_eq!(rows[0]["claims"]["beneficial_owners"][0]["ownership_percent"], 87.5);
}

// ---- Helpers

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn project_with_key() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    let output = beltic(project.path(), &["keygen"]);
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    project
}

/// Runs the program in a folder, without the settings of whoever runs the tests.
fn beltic(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_beltic"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn rows(output: &Output) -> Vec<Value> {
    text_of(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
