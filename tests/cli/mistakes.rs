//! Mistakes that people make: each with its exit code and what is said. Nothing is changed by any of them, and nothing
//! secret is repeated.

use crate::support::*;

/// A mistake: what is typed, separated by spaces, the exit code, and what the output says.
type Mistake = (&'static str, i32, &'static str);

const MISTAKES: &[Mistake] = &[
    // Commands
    ("items.ndjson", 2, "to issue from it, run `beltic batch-issue items.ndjson`"),
    ("missing.csv", 2, "to issue from it, run `beltic batch-issue missing.csv`"),
    ("token.jwt", 2, "to check it, run `beltic verify token.jwt`"),
    ("sign", 2, "'sign' is not a command of `beltic`; did you mean `beltic batch-issue`?"),
    ("sgin", 2, "did you mean `beltic batch-issue`?"),
    ("isue items.ndjson", 2, "did you mean `beltic issue`?"),
    ("Verify results.ndjson", 2, "did you mean `beltic verify`?"),
    ("decode", 2, "did you mean `beltic inspect`?"),
    ("unrevoke", 2, "did you mean `beltic reinstate`?"),
    ("genkey", 2, "did you mean `beltic keygen`?"),
    ("frobnicate", 2, "`beltic` alone lists the commands"),
    ("ledger", 2, "`beltic ledger` needs a command: init, migrate, copy, check, backup, close-lists"),
    ("ledger chekc", 2, "did you mean `beltic ledger check`?"),
    ("ledger vacuum", 2, "'vacuum' is not a command of `beltic ledger`; its commands are init"),
    ("help colums", 2, "'colums' is not a command or a topic; did you mean `beltic help columns`?"),
    ("help frobnicate", 2, "`beltic help` lists commands and topics"),
    // Flags
    (
        "batch-issue items.ndjson --output x",
        2,
        "`beltic batch-issue` has no flag --output; did you mean --out?",
    ),
    ("batch-issue items.ndjson --outpt x", 2, "did you mean --out"),
    ("batch-issue items.ndjson --json", 2, "did you mean --output-format json?"),
    ("batch-issue items.ndjson --format csv", 2, "did you mean --output-format or --input-format?"),
    ("batch-issue items.ndjson --threads 3", 2, "did you mean --jobs?"),
    ("batch-issue --input items.ndjson", 2, "did you mean FILE (without a flag)?"),
    ("batch-issue items.ndjson --dryrun", 2, "did you mean --dry-run?"),
    ("batch-issue items.ndjson --frobnicate", 2, "`beltic batch-issue --help` explains every flag"),
    ("batch-issue items.ndjson -x", 2, "`beltic batch-issue` has no flag -x"),
    ("batch-issue items.ndjson --quiet=3", 2, "--quiet takes no value"),
    ("batch-issue items.ndjson --ttl", 2, "--ttl needs a value"),
    ("batch-issue items.ndjson --out a --out b", 2, "--out was given twice"),
    ("batch-issue items.ndjson --force", 2, "`beltic batch-issue` needs --out FILE"),
    ("-v", 2, "`beltic` has no flag -v; did you mean --version?"),
    ("--verison", 2, "did you mean --version?"),
    ("schema business", 2, "unexpected argument 'business'"),
    ("show", 2, "`beltic show` needs ID; for example: `beltic show"),
    ("verify results.ndjson", 2, "nothing was verified: no key was given"),
    ("completions", 2, "`beltic completions` needs SHELL or --man DIR"),
    // Values
    ("batch-issue items.ndjson --jobs 0", 2, "--jobs: '0' is not valid; expected a whole number from 1 to"),
    (
        "batch-issue items.ndjson --jobs many",
        2,
        "--jobs: 'many' is not valid; expected a whole number from 1 to",
    ),
    (
        "batch-issue items.ndjson --output-format jsn",
        2,
        "--output-format: 'jsn' is not one of ndjson, text, json, csv, jwt",
    ),
    ("batch-issue items.ndjson --output-format jsn", 2, "did you mean 'json'?"),
    ("batch-issue items.ndjson --proof-format sd-jwt", 2, "'sd-jwt' is not one of jwt_vc, sd_jwt_vc"),
    (
        "batch-issue items.ndjson --max-failures lots",
        2,
        "expected a number such as 10, or a percentage such as 5%",
    ),
    (
        "batch-issue items.ndjson --max-item-bytes 1e6",
        2,
        "--max-item-bytes: '1e6' is not valid; expected a whole number",
    ),
    ("list --limit 0", 2, "--limit: '0' is not valid; expected a whole number from 1 on"),
    ("list --limit -1", 2, "`beltic list` has no flag -1"),
    ("verify results.ndjson --key k --leeway 301", 2, "expected a whole number from 0 to 300"),
    ("completions cmd", 2, "'cmd' is not one of bash, elvish, fish, powershell, zsh"),
    ("keygen --color sometimes", 2, "--color: 'sometimes' is not one of auto, always, never"),
    // Which credentials
    ("revoke", 2, "`beltic revoke` needs ID, --from FILE"),
    ("revoke ID --run first", 2, "ID cannot be used together with --run"),
    (
        "revoke --from results.ndjson --subject urn:example:company-0",
        2,
        "--from cannot be used together with --subject",
    ),
    ("revoke --corelation-id company-0", 2, "did you mean --correlation-id?"),
    ("revok ID", 2, "did you mean `beltic revoke`?"),
    ("revoke company-0", 3, "use `--correlation-id ID` or `--subject ID`"),
    ("revoke 01a206e6-9989-4123-a539-f16d67dba009", 3, "a version 7 UUID"),
    ("revoke 01a206e6-9989-7123-a539-f16d67dba009", 3, "credential_not_found"),
    ("suspend --run frist", 3, "the ledger has no credential of run 'frist'"),
    ("suspend --subject= ", 2, "--subject needs a value"),
    ("reinstate --correlation-id compnay-0", 3, "no credential in the ledger has this correlation id"),
    ("revoke ID --reason=", 2, "the reason must have 1 to 512 characters"),
    // Files that are not what was meant
    ("revoke --from result.ndjson", 6, "no such file or directory"),
    ("revoke --from .beltic", 6, "is a directory"),
    ("revoke --from empty", 4, "empty file"),
    ("revoke --from /dev/null", 4, "empty file"),
    ("revoke --from binary", 3, "`--from` reads results of batch-issue"),
    ("revoke --from page.html", 4, "starts with '<'"),
    ("revoke --from items.ndjson", 3, "`--from` reads results of batch-issue"),
    ("revoke --from table.csv", 4, "no correlation_id or subject_id"),
    ("revoke --from numbers.csv", 3, "to use another column, remove or rename 'id'"),
    ("revoke --from .beltic/ledger.db", 4, "SQLite database"),
    ("revoke --from .beltic/issuer.pem", 3, "`--from` reads results of batch-issue"),
    ("revoke --from other.ndjson", 3, "credential_not_found"),
    // Ledgers that are not what was meant
    ("revoke ID --ledger none", 2, "no ledger configured (ledger: none)"),
    ("revoke ID --ledger ledger.db", 6, "no ledger found at ledger.db"),
    ("revoke ID --ledger binary", 6, "is not a beltic ledger"),
    ("revoke ID --ledger other.db", 3, "credential_not_found"),
    // Looking things up
    ("list --status revokd", 2, "did you mean 'revoked'?"),
    ("list --after yesterday", 2, "expected the `cursor` of a row"),
    ("list --expires-before 2026-13-01", 2, "RFC 3339"),
    ("list --events --kid k", 2, "--events cannot be used together with --kid"),
    ("show company-0", 2, "is not a credential id"),
    ("show 01a206e6-9989-7123-a539-f16d67dba009", 6, "has no credential"),
];

#[test]
fn a_mistake_is_named_and_changes_nothing() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    let results = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let other = sandbox.issue("items.ndjson --ledger other.db").expect(0);
    let id = results.rows()[0].clone().into_credential().id;
    sandbox.write("results.ndjson", &results.stdout);
    sandbox.write("other.ndjson", &other.stdout);
    sandbox.write("empty", "");
    sandbox.write("binary", [0xE7, 0x00, 0x0A, 0x90, 0xFE].repeat(500));
    sandbox.write("page.html", "<!DOCTYPE html>\n");
    sandbox.write("table.csv", "customer,country\n1,GB\n");
    sandbox.write("numbers.csv", "id,correlation_id\n1,company-0\n2,company-1\n");
    let key = sandbox.read(".beltic/issuer.pem");
    let before = sandbox.beltic(&["list"]).expect(0).stdout;
    for (typed, code, said) in MISTAKES {
        let args: Vec<&str> =
            typed.split_whitespace().map(|arg| if arg == "ID" { &id } else { arg }).collect();
        let run = sandbox.beltic(&args);
        // A hint is what its error says next.
        let output = run.stderr.replace("\n  hint: ", "; ") + &run.stdout;
        assert_eq!(run.code, *code, "{typed}: {output}");
        assert!(output.contains(said), "{typed}: {output}");
        let secrets = key.lines().filter(|line| line.len() > 8 && !line.starts_with('-'));
        assert!(secrets.into_iter().all(|line| !output.contains(line)), "{typed}");
        assert_eq!(sandbox.beltic(&["list"]).expect(0).stdout, before, "{typed}");
    }
    assert!(MISTAKES.len() >= 80);
}

/// A value that comes from the environment is named with its variable.
#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    for (variable, value, said) in [
        (
            "BELTIC_JOBS",
            "many",
            "the environment variable BELTIC_JOBS: 'many' is not valid; expected a whole number",
        ),
        ("BELTIC_OUTPUT_FORMAT", "jsn", "the environment variable BELTIC_OUTPUT_FORMAT: 'jsn' is not one of"),
        (
            "BELTIC_PROOF_FORMAT",
            "vc",
            "the environment variable BELTIC_PROOF_FORMAT: 'vc' is not one of jwt_vc",
        ),
    ] {
        let run = sandbox.command(&["batch-issue", "items.ndjson"]).env(variable, value).output().unwrap();
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}

/// No text of clap's or Rust's reaches people.
#[test]
fn no_message_speaks_of_subcommands_or_types() {
    let sandbox = Sandbox::with_issuer_key();
    for (typed, ..) in MISTAKES {
        let run = sandbox.beltic(&typed.split_whitespace().collect::<Vec<_>>());
        for foreign in
            ["subcommand", "invalid digit", "non-zero type", "For more information", "tip:", "usize", "u32"]
        {
            assert!(!run.stderr.contains(foreign), "{typed}: {}", run.stderr);
        }
    }
}

/// `beltic` alone shows what there is, on one screen, and is a mistake to scripts.
#[test]
fn beltic_alone_shows_the_commands() {
    let sandbox = Sandbox::new();
    let alone = sandbox.beltic(&[]).expect(2);
    let asked = sandbox.beltic(&["-h"]).expect(0);
    assert_eq!(alone.stderr, asked.stdout);
    assert!(alone.stdout.is_empty());
    assert!(asked.stdout.lines().count() < 24);
    let help = sandbox.beltic(&["help"]).expect(0).stdout;
    assert!(help.starts_with(&asked.stdout) && help.contains("exit-codes"), "{help}");
}

/// Help of commands and topics, as text of 80 columns in a pipe.
#[test]
fn help_explains_commands_and_topics() {
    let sandbox = Sandbox::new();
    let of_command = sandbox.beltic(&["help", "ledger", "check"]).expect(0).stdout;
    assert_eq!(of_command, sandbox.beltic(&["ledger", "check", "--help"]).expect(0).stdout);
    assert_eq!(
        sandbox.beltic(&["help", "issue"]).expect(0).stdout,
        sandbox.beltic(&["batch-issue", "--help"]).expect(0).stdout
    );
    let codes = sandbox.beltic(&["help", "exit-codes"]).expect(0).stdout;
    for (status, ..) in beltic::cli::ExitStatus::ALL {
        assert!(
            codes.lines().any(|line| line.trim_start().starts_with(&format!("{} ", status.code()))),
            "{codes}"
        );
    }
    for topic in ["fields", "columns", "types", "settings", "errors", "offline"] {
        let page = sandbox.beltic(&["help", topic]).expect(0).stdout;
        assert!(page.lines().count() > 5, "{page}");
        assert!(!page.contains("<!--") && !page.contains("| ---"), "{page}");
    }
}
