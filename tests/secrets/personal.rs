//! Names, addresses and what else is about a person, marked, through every way to fail: they are in no message,
//! in no summary, and nowhere in the ledger.
//!
//! Results and the file of failed items hold them, as they must. Their messages do not.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::sync::Mutex;

use beltic::request::ErrorCode;
use serde_json::{Value, json};

use crate::outputs::files_under;
use crate::spellings::{Secret, expect_all_absent};
use crate::support::*;

/// The fields that may be about a person, and their columns. Each gets a value of its own.
const PERSONAL: [(&str, &str); 10] = [
    ("/request/subject/name", "name"),
    ("/request/claims/registered_name", "registered_name"),
    ("/request/claims/beneficial_owners/0/full_name", "owner1_full_name"),
    ("/request/claims/beneficial_owners/0/person_id", "owner1_person_id"),
    ("/request/claims/beneficial_owners/0/role", "owner1_role"),
    ("/request/claims/registered_address/line1", "address_line1"),
    ("/request/claims/registered_address/line2", "address_line2"),
    ("/request/claims/registered_address/city", "address_city"),
    ("/request/claims/registered_address/state_or_region", "address_state_or_region"),
    ("/request/claims/registered_address/postal_code", "address_postal_code"),
];

/// What identifies a business or an item. Messages may name it; the ledger knows it by hashes only.
const IDENTIFYING: [&str; 5] = [
    "/correlation_id",
    "/request/subject/id",
    "/request/subject/registration_number",
    "/request/subject/legal_form",
    "/request/evidence_refs/0",
];

/// The fields that are no text of anybody's choice: codes, numbers, dates, truths.
const SLIPPED: [&str; 9] = [
    "/request/self_attestation_complete",
    "/request/credential_type",
    "/request/ttl",
    "/request/subject/type",
    "/request/subject/jurisdiction",
    "/request/claims/jurisdiction",
    "/request/claims/tax_id_verified",
    "/request/claims/verified_at",
    "/request/claims/beneficial_owners/0/ownership_percent",
];

/// A number in the place of a text about a person.
const NUMBER: u64 = 83_920_571_463;

/// A value that is like no word: half of it is not in any message by chance.
fn marker(pointer: &str) -> String {
    let mut pointers = PERSONAL.iter().map(|(pointer, _)| *pointer).chain(IDENTIFYING);
    let number = pointers.position(|known| known == pointer).unwrap();
    format!("Zq{number:02}xV{number:02}KprN{number:02}Qhb")
}

/// An item with a mark in every text.
fn marked() -> Value {
    let pointers = PERSONAL.iter().map(|(pointer, _)| *pointer).chain(IDENTIFYING);
    let mut item = pointers.fold(full_item("x"), |item, pointer| with(item, pointer, json!(marker(pointer))));
    item["request"]["claims"]["beneficial_owners"].as_array_mut().unwrap().truncate(1);
    item
}

/// The marks of these fields; any half of one is a leak.
fn marks(pointers: impl Iterator<Item = &'static str>) -> Vec<Secret> {
    pointers.map(|pointer| Secret::of_bytes(pointer, marker(pointer).as_bytes())).collect()
}

fn personal() -> Vec<Secret> {
    let mut personal = marks(PERSONAL.iter().map(|(pointer, _)| *pointer));
    personal.push(Secret::of_bytes("a number", NUMBER.to_string().as_bytes()));
    personal
}

#[test]
fn marks_are_found_where_they_are() {
    let text = marked().to_string();
    let personal = marks(PERSONAL.iter().map(|(pointer, _)| *pointer));
    for mark in personal.iter().chain(&marks(IDENTIFYING.into_iter())) {
        assert_eq!(mark.found_in(text.as_bytes()), ["raw"]);
    }
}

/// Runs a command, and looks at what it says and leaves.
fn run(sandbox: &Sandbox, args: &str) -> Run {
    let words: Vec<_> = args.split(' ').collect();
    let run = sandbox.beltic(&words);
    judge(sandbox, args, &run);
    run
}

fn judge(sandbox: &Sandbox, args: &str, run: &Run) {
    let personal = personal();
    expect_all_absent(&personal, &format!("{args}: {}", run.stderr), run.stderr.as_bytes());
    if args.ends_with("--output-format text") {
        expect_all_absent(&personal, &format!("{args}: {}", run.stdout), run.stdout.as_bytes());
    }
    for line in run.stdout.lines() {
        // Whoever issues gets the credential and its item back; the error beside it quotes nothing.
        let Ok(row) = serde_json::from_str::<Value>(line) else { continue };
        expect_all_absent(&personal, &format!("{args}: {line}"), row["error"].to_string().as_bytes());
        expect_all_absent(&personal, &format!("{args}: {line}"), row["message"].to_string().as_bytes());
    }
    let summary = fs::read(sandbox.path("summary.json")).unwrap_or_default();
    expect_all_absent(&personal, "the summary", &summary);
    let all: Vec<Secret> = personal.into_iter().chain(marks(IDENTIFYING.into_iter())).collect();
    for (path, bytes) in files_under(&sandbox.path("ledger")) {
        if is_new(&bytes) {
            expect_all_absent(&all, &format!("{args}: {}", path.display()), &bytes);
        }
    }
}

/// Whether a file of this content was never looked at before. Most runs leave the ledger as it is, and a search
/// through the whole of it takes long.
fn is_new(bytes: &[u8]) -> bool {
    static SEEN: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
    SEEN.lock().unwrap().insert(bytes.to_vec())
}

const ISSUE: &str = "batch-issue items.ndjson --ledger ledger/l.db --summary summary.json --force";

fn yard() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    fs::create_dir(sandbox.path("ledger")).unwrap();
    sandbox
}

/// Items that fail with this code when they are issued; none where it is not an item that fails so.
///
/// A new code does not compile until it has its case.
fn items_failing_with(code: ErrorCode) -> Vec<Value> {
    let pointers = || PERSONAL.iter().map(|(pointer, _)| *pointer);
    match code {
        ErrorCode::MalformedRequest => Vec::new(), // see `UNREADABLE`
        ErrorCode::MissingRequiredField => [
            "/request/subject/id",
            "/request/claims/beneficial_owners/0/full_name",
            "/request/claims/registered_address/line1",
            "/request/claims/registered_address/country",
        ]
        .map(|pointer| without(marked(), pointer))
        .into(),
        ErrorCode::DelegatedByRequired => {
            vec![without(full_agent("a"), "/request/claims/delegated_by_subject_id")]
        }
        ErrorCode::ValidationFailed => {
            let mut items = Vec::new();
            for pointer in pointers() {
                let text = marker(pointer);
                for value in [json!([text]), json!({ (&text[..3]): text }), json!({ "x": [text] })] {
                    items.push(with(marked(), pointer, value));
                }
                // Unquoted, as identifiers and postal codes are by mistake.
                items.push(with(marked(), pointer, json!(NUMBER)));
                // In the place of what it is a part of, and under a name that no rule knows.
                let (parent, _) = pointer.rsplit_once('/').unwrap();
                items.push(with(marked(), parent, json!(text)));
                items.push(with(marked(), parent, json!([text])));
                items.push(with(marked(), &format!("{parent}/nickname"), json!(text)));
            }
            items.push(with(marked(), "/request/claims/beneficial_owners", json!([marker(PERSONAL[2].0)])));
            items.push(with(marked(), "/request/claims/beneficial_owners", json!(marker(PERSONAL[2].0))));
            items.push(with(marked(), "/request/claims/beneficial_owners/0/ownership_percent", json!(101)));
            items.push(with(
                marked(),
                "/request/claims/registered_address/country",
                json!(marker(PERSONAL[5].0)),
            ));
            items.push(with(marked(), "/request/cnf/jwk", json!({ "kty": marker(PERSONAL[2].0) })));
            items.push(with(marked(), "/request/cnf/jwk", json!(marker(PERSONAL[2].0))));
            // In the place of whatever is no name, as where a column slipped.
            let full_name = format!("{0} {0}", marker(PERSONAL[2].0));
            items.extend(SLIPPED.map(|pointer| with(marked(), pointer, json!(full_name))));
            items.push(with(marked(), "/request/evidence_refs", json!(vec!["x"; 51])));
            items.push(with(marked(), "/request/subject/id", json!("x".repeat(600))));
            items
        }
        ErrorCode::SelfAttestationIncomplete => {
            vec![with(marked(), "/request/self_attestation_complete", json!(false))]
        }
        ErrorCode::UnsupportedCredentialType => {
            vec![with(marked(), "/request/credential_type", json!("person"))]
        }
        // What the ledger refuses, once the first run is over: see below.
        ErrorCode::IdempotencyKeyConflict => vec![marked()],
        ErrorCode::IdempotencyKeyMissing => vec![without(marked(), "/correlation_id")],
        ErrorCode::CredentialNotFound | ErrorCode::StatusConflict => vec![marked()],
    }
}

/// Lines that are no item, with marks in them.
fn unreadable() -> Vec<Vec<u8>> {
    let text = marked().to_string();
    let name = marker(PERSONAL[2].0);
    let at = text.find(&name).unwrap();
    let quoted = format!("\"{name}\"");
    let mut lines: Vec<Vec<u8>> = [
        text[..at + 5].to_owned(),
        text.replacen(&quoted, &name, 1),
        text.replacen(&quoted, &format!("\"{name}"), 1),
        text.replacen(&quoted, &format!("'{name}'"), 1),
        text.replacen(&quoted, &format!("{quoted} {quoted}"), 1),
        text.replacen(&name, &format!("{name}\\ud800"), 1),
        text.replacen(&name, &format!("{name}\\u0000"), 1),
        text.replacen(&name, &format!("\\q{name}"), 1),
        text.replacen("\"full_name\"", &format!("\"full_name\":{quoted},\"full_name\""), 1),
        format!("{text}{quoted}"),
        quoted.clone(),
        format!("[{quoted}]"),
        name.clone(),
        format!("{}{quoted}{}", "[".repeat(200), "]".repeat(200)),
    ]
    .map(Vec::from)
    .into();
    let mut latin = text.clone().into_bytes();
    latin[at + 4] = 0xE9;
    lines.push(latin);
    lines
}

/// Every code that an item can fail with, in every form of the results.
#[test]
fn no_error_code_comes_with_personal_data() {
    for (code, ..) in ErrorCode::ALL {
        let sandbox = yard();
        let mut input: Vec<u8> = ndjson(&items_failing_with(code)).into();
        if code == ErrorCode::MalformedRequest {
            input = unreadable().join(&b'\n');
        }
        sandbox.write("items.ndjson", &input);
        let mut said = String::new();
        let mut all = |args: &str| {
            let run = run(&sandbox, args);
            said += &run.stdout;
            said += &run.stderr;
        };
        match code {
            ErrorCode::IdempotencyKeyConflict => {
                all(&format!("{ISSUE} --idempotency-key k"));
                let changed = with(marked(), PERSONAL[2].0, json!(format!("{}s", marker(PERSONAL[2].0))));
                sandbox.write_items("items.ndjson", &[changed]);
                all(&format!("{ISSUE} --idempotency-key k"));
            }
            ErrorCode::IdempotencyKeyMissing => {
                for output in ["ndjson", "csv", "text"] {
                    all(&format!(
                        "{ISSUE} --idempotency-key k --idempotent-by correlation-id --output-format {output}"
                    ));
                    all(&format!("sync items.ndjson --ledger ledger/l.db --output-format {output}"));
                }
            }
            ErrorCode::CredentialNotFound | ErrorCode::StatusConflict => {
                all(&format!("{ISSUE} --out results"));
                let ledger =
                    if code == ErrorCode::StatusConflict { "ledger/l.db" } else { "ledger/other.db" };
                sandbox.write_items("other.ndjson", &[item("other")]);
                all("batch-issue other.ndjson --ledger ledger/other.db");
                for change in ["revoke", "suspend", "reinstate", "revoke"] {
                    for output in ["ndjson", "csv", "text"] {
                        all(&format!("{change} --from results --ledger {ledger} --output-format {output}"));
                    }
                }
            }
            _ => {
                for output in ["ndjson", "json", "csv", "jwt", "text"] {
                    all(&format!("{ISSUE} --output-format {output} --failed failed --force"));
                    all(&format!("{ISSUE} --output-format {output} --dry-run --allow-unknown"));
                }
            }
        }
        assert!(said.contains(code.as_str()), "{} was not provoked: {said}", code.as_str());
        for form in ["ndjson", "csv", "text"] {
            for what in ["list --ledger ledger/l.db", "list --events --ledger ledger/l.db"] {
                let args = format!("{what} --output-format {form}");
                let run = run(&sandbox, &args);
                let marks = personal().into_iter().chain(marks(IDENTIFYING.into_iter()));
                marks.for_each(|mark| mark.expect_absent(&args, run.stdout.as_bytes()));
            }
        }
    }
}

/// Tables that fail, by file and by row.
#[test]
fn no_fault_of_a_table_shows_a_cell() {
    let header: Vec<&str> = PERSONAL.iter().map(|(_, column)| *column).collect();
    let cells: Vec<String> = PERSONAL.iter().map(|(pointer, _)| marker(pointer)).collect();
    let header = format!("subject_id,self_attestation_complete,address_country,{}", header.join(","));
    let row = format!("urn:example:a,true,GB,{}", cells.join(","));
    let table = |rows: &str| format!("{header}\n{rows}\n");
    let name = &cells[2];
    let mut latin = table(&row).into_bytes();
    let at = latin.len() - 5;
    latin[at] = 0xE9;
    let tables: Vec<(&str, Vec<u8>)> = vec![
        ("sound", table(&row).into()),
        ("a cell too few", table(row.rsplit_once(',').unwrap().0).into()),
        ("a cell too many", table(&format!("{row},{name}")).into()),
        ("an open quote", table(&row.replacen(name, &format!("\"{name}"), 1)).into()),
        ("text behind a quote", table(&row.replacen(name, &format!("\"{name}\"{name}"), 1)).into()),
        ("not UTF-8", latin),
        ("no header", format!("{row}\n{row}\n").into()),
        ("no header, nothing but names", format!("{}\n", cells.join(",")).into()),
        ("two headers", table(&format!("{row}\n{header}\n{row}")).into()),
        ("a name for a country", table(&row.replace("GB", name)).into()),
        ("NUL", table(&row.replacen(name, &format!("{name}\0"), 1)).into()),
        ("a spreadsheet's number", table(&row.replacen(name, "3.3E+06", 1)).into()),
        ("cut off", table(&row).as_bytes()[..header.len() + 60].to_vec()),
    ];
    for (what, table) in tables {
        let sandbox = yard();
        sandbox.write("items.csv", &table);
        sandbox.write("mapped.yaml", "csv:\n  columns:\n    Inhaber: owner1_full_name\n");
        let mapped = String::from_utf8_lossy(&table).replacen("owner1_full_name", "Inhaber", 1);
        sandbox.write("mapped.csv", mapped);
        for args in [
            "batch-issue items.csv --ledger ledger/l.db --summary summary.json --force",
            "batch-issue items.csv --ledger ledger/l.db --output-format jwt --failed failed --force",
            "batch-issue items.csv --ledger ledger/l.db --encoding windows-1252 --output-format text",
            "batch-issue items.csv --ledger ledger/l.db --delimiter ; --input-format csv",
            "batch-issue items.csv --ledger ledger/l.db --input-format ndjson",
            "batch-issue items.csv --ledger ledger/l.db --input-format json",
            "batch-issue mapped.csv --ledger ledger/l.db --config mapped.yaml --dry-run",
            "revoke --from items.csv --ledger ledger/l.db",
            "verify items.csv --key .beltic/issuer.pub.jwk --no-status",
            "inspect items.csv",
            "present items.csv",
        ] {
            println!("{what}: {args}");
            run(&sandbox, args);
        }
    }
}

/// Whole files that are no batch.
#[test]
fn no_fault_of_a_file_shows_an_item() {
    let text = marked().to_string();
    let name = marker(PERSONAL[2].0);
    let quoted = format!("\"{name}\"");
    for file in [
        format!("{{\"items\":[{text},{text}"),
        format!("{{\"items\":[{text} {text}]}}"),
        format!("{{\"items\":[{text}]}}{quoted}"),
        format!("{{\"items\":{quoted}}}"),
        format!("{{\"items\":[{text}],\"items\":[{text}]}}"),
        format!("{{\"items\":[{text},]}}"),
        format!("{{\"items\":[{quoted}]}}"),
        format!("[{text}}}"),
        format!("[{}]", text.replacen(&quoted, &name, 1)),
        text.replacen(&quoted, &format!("{quoted}\n"), 1),
        quoted.clone(),
        name.clone(),
        format!("<p>{name}</p>"),
        format!("{{\"note\":{quoted}}}"),
    ] {
        let sandbox = yard();
        sandbox.write("items.json", &file);
        for args in [
            "batch-issue items.json --ledger ledger/l.db --summary summary.json --force",
            "batch-issue items.json --ledger ledger/l.db --input-format ndjson --output-format text",
            "batch-issue items.json --ledger ledger/l.db --max-item-bytes 100 --failed failed --force",
            "batch-issue items.json --ledger ledger/l.db --api-limits --dry-run",
            "revoke --from items.json --ledger ledger/l.db",
            "verify items.json --key .beltic/issuer.pub.jwk --no-status",
            "inspect items.json",
            "present items.json",
        ] {
            run(&sandbox, args);
        }
    }
}

/// Tokens that fail: what is said of them does not quote them.
#[test]
fn no_verdict_shows_a_claim() {
    let sandbox = yard();
    sandbox.write_items("items.ndjson", &[marked()]);
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let args =
            format!("{ISSUE} --proof-format {format} --output-format jwt --issued-at 2020-01-01T00:00:00Z");
        let token = run(&sandbox, &args).stdout.trim().to_owned();
        let parts: Vec<&str> = token.splitn(3, '.').collect();
        let payload = data_encoding::BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
        let swap = |payload: &[u8]| {
            format!("{}.{}.{}", parts[0], data_encoding::BASE64URL_NOPAD.encode(payload), parts[2])
        };
        let text = String::from_utf8(payload).unwrap();
        for token in [
            token.clone(),
            token[..token.len() / 2].to_owned(),
            swap(text.replacen("\"iss\"", "\"iss", 1).as_bytes()),
            swap(text.replacen("\"sub\":\"", "\"sub\":7,\"x\":\"", 1).as_bytes()),
            swap(&text.as_bytes()[..text.len() - 9]),
            swap(b"\xFF{}"),
            format!("{}*", token),
            text.clone(),
        ] {
            sandbox.write("token", &token);
            for args in [
                "verify token --key .beltic/issuer.pub.jwk --no-status",
                "verify token --key .beltic/issuer.pub.jwk --output-format text",
                "verify token --issuer did:web:other.example --no-status --key .beltic/issuer.pub.jwk",
                "present token --disclose claims.nothing",
            ] {
                let run = run(&sandbox, args);
                if args.starts_with("verify") {
                    personal().iter().for_each(|mark| mark.expect_absent(args, run.stdout.as_bytes()));
                }
            }
            // What can be decoded is shown, as was asked for; what cannot is not quoted.
            judge(&sandbox, "inspect token", &sandbox.beltic(&["inspect", "token"]));
            judge(&sandbox, "inspect TOKEN", &sandbox.beltic(&["inspect", &token]));
        }
    }
}

/// Runs that do not get to their end.
#[test]
fn no_run_that_ends_early_shows_an_item() {
    let sandbox = yard();
    let bad = with(marked(), "/request/claims/beneficial_owners/0/ownership_percent", json!(101));
    sandbox.write_items("items.ndjson", &[marked(), bad.clone(), marked()]);
    sandbox.write("ledger/broken.db", "no ledger");
    fs::create_dir(sandbox.path("ledger/folder.db")).unwrap();
    for (args, code) in [
        (format!("{ISSUE} --max-failures 0"), 7),
        (format!("{ISSUE} --out no/such/folder"), 6),
        ("batch-issue items.ndjson --ledger ledger/broken.db".to_owned(), 6),
        ("batch-issue items.ndjson --ledger ledger/folder.db".to_owned(), 6),
        ("batch-issue items.ndjson --ledger none --key no.pem".to_owned(), 5),
        ("batch-issue items.ndjson --ledger none --verify".to_owned(), 3),
    ] {
        run(&sandbox, &args).expect(code);
    }
    // A pipe that nobody reads, and one that ends in the middle of an item.
    let mut child = sandbox.command(&["batch-issue", "-", "--ledger", "ledger/l.db"]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("{}\n", bad);
    // The program may close its end first.
    let _ = (0..3_000).try_for_each(|_| stdin.write_all(line.as_bytes()));
    let _ = stdin.write_all(&line.as_bytes()[..line.len() / 2]);
    drop(stdin);
    judge(&sandbox, "a closed pipe", &Run::of(child.wait_with_output().unwrap()));
}
