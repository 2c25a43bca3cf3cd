//! Where settings come from: flag, environment, project file, user file, default.

use crate::support::*;

const USER_FILE: &str = ".config/beltic/config.yaml";

fn sandbox_with_an_item() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox
}

/// Each source gives way to the one before it; what counts is where a value came from, so a flag
/// that repeats the default still wins.
#[test]
fn the_first_source_wins_even_if_it_says_the_default() {
    let sandbox = sandbox_with_an_item();
    let issue = |args: &str, variables: &[(&str, &str)]| {
        let args = format!("items.ndjson --issued-at 2026-01-01T00:00:00Z {args}");
        sandbox.issue_with(&args, variables).expect(0).credential().expires_at
    };
    let environment = [("BELTIC_TTL", "P4Y")];
    assert_eq!(issue("", &[]), "2027-01-01T00:00:00Z");
    sandbox.write(USER_FILE, "credential:\n  ttl: P2Y\n");
    assert_eq!(issue("", &[]), "2028-01-01T00:00:00Z");
    sandbox.write(".beltic.yaml", "credential:\n  ttl: P3Y\n");
    assert_eq!(issue("", &[]), "2029-01-01T00:00:00Z");
    assert_eq!(issue("", &environment), "2030-01-01T00:00:00Z");
    assert_eq!(issue("--ttl P5Y", &environment), "2031-01-01T00:00:00Z");
    assert_eq!(issue("--ttl P1Y", &environment), "2027-01-01T00:00:00Z");
    assert_eq!(issue("", &[("BELTIC_TTL", "P1Y")]), "2027-01-01T00:00:00Z");
    sandbox.write(".beltic.yaml", "credential:\n  ttl: P1Y\n");
    assert_eq!(issue("", &[]), "2027-01-01T00:00:00Z");
}

/// Files are merged value by value.
#[test]
fn the_user_file_fills_what_the_project_file_leaves_open() {
    let sandbox = sandbox_with_an_item();
    sandbox.write(USER_FILE, "developer_id: user\ncredential:\n  vct: https://user.example/v1\n");
    sandbox.write(".beltic.yaml", "credential:\n  vct: https://project.example/v1\n");
    let credential = sandbox.issue("items.ndjson").expect(0).credential();
    assert_eq!(credential.vct, "https://project.example/v1");
    assert_eq!(credential.developer_id.as_deref(), Some("user"));
}

#[test]
fn every_setting_can_come_from_flag_environment_and_file() {
    let sandbox = sandbox_with_an_item();
    let settings = [
        ("--developer-id", "BELTIC_DEVELOPER_ID", "developer_id: VALUE", ["dev-1", "dev-2", "dev-3"]),
        ("--vct", "BELTIC_VCT", "credential:\n  vct: VALUE", ["urn:a:1", "urn:a:2", "urn:a:3"]),
        (
            "--issuer",
            "BELTIC_ISSUER",
            "issuer:\n  did: VALUE",
            ["did:web:a.example", "did:web:b.example", "https://c.example"],
        ),
    ];
    for (flag, variable, yaml, [by_flag, by_variable, by_file]) in settings {
        let found = |args: &str, variables: &[(&str, &str)]| {
            let credential =
                sandbox.issue_with(&format!("items.ndjson {args}"), variables).expect(0).credential();
            match flag {
                "--developer-id" => credential.developer_id.unwrap(),
                "--vct" => credential.vct,
                _ => credential.issuer_did,
            }
        };
        sandbox.write(".beltic.yaml", yaml.replace("VALUE", by_file));
        assert_eq!(found("", &[]), by_file);
        assert_eq!(found("", &[(variable, by_variable)]), by_variable);
        assert_eq!(found(&format!("{flag} {by_flag}"), &[(variable, by_variable)]), by_flag);
    }
}

/// The key, from four places (docs/settings.md).
#[test]
fn the_key_is_looked_for_in_order() {
    let sandbox = Sandbox::new();
    sandbox.write_items("items.ndjson", &items(1));
    let run = sandbox.issue("items.ndjson").expect(5);
    assert!(run.stderr.contains(".beltic/issuer.pem") && run.stderr.contains("keygen"), "{}", run.stderr);

    sandbox.copy_key("p256-short-scalar.pem", "other.pem");
    sandbox.copy_key("p256-pkcs8.pem", "named.pem");
    let issuer = |args: &str, variables: &[(&str, &str)]| {
        sandbox.issue_with(&format!("items.ndjson {args}"), variables).expect(0).credential().issuer_did
    };
    assert_eq!(issuer("--key named.pem", &[("BELTIC_KEY", "other.pem")]), DID_KEY);
    assert_eq!(issuer("", &[("BELTIC_KEY", "named.pem")]), DID_KEY);
    sandbox.write(".beltic.yaml", "key: named.pem\n");
    assert_eq!(issuer("", &[]), DID_KEY);
    assert_ne!(issuer("", &[("BELTIC_KEY", "other.pem")]), DID_KEY);
}

/// The project file is found upward from the working directory, and its paths start at its folder.
#[test]
fn the_project_file_is_found_upward() {
    let sandbox = sandbox_with_an_item();
    sandbox.copy_key("p256-pkcs8.pem", "keys/issuer.pem");
    sandbox.write(".beltic.yaml", "key: keys/issuer.pem\nledger: state/ledger.db\ndeveloper_id: upward\n");
    sandbox.write_items("deep/er/items.ndjson", &items(1));
    let mut command = sandbox.command(&["batch-issue", "items.ndjson"]);
    let run = Run::of(command.current_dir(sandbox.path("deep/er")).output().unwrap()).expect(0);
    assert_eq!(run.credential().developer_id.as_deref(), Some("upward"));
    assert!(sandbox.has("state/ledger.db") && !sandbox.has("deep/er/.beltic"));

    // Without settings for them, key and ledger are beside the project file too.
    sandbox.write(".beltic.yaml", "");
    let mut command = sandbox.command(&["batch-issue", "items.ndjson"]);
    Run::of(command.current_dir(sandbox.path("deep/er")).output().unwrap()).expect(0);
    assert!(sandbox.has(".beltic/ledger.db"));

    // The nearest file counts.
    sandbox.write("deep/.beltic.yaml", "key: ../keys/issuer.pem\ndeveloper_id: nearer\n");
    let mut command = sandbox.command(&["batch-issue", "items.ndjson"]);
    let run = Run::of(command.current_dir(sandbox.path("deep/er")).output().unwrap()).expect(0);
    assert_eq!(run.credential().developer_id.as_deref(), Some("nearer"));
}

#[test]
fn config_names_another_project_file() {
    let sandbox = sandbox_with_an_item();
    sandbox.write(".beltic.yaml", "developer_id: found\n");
    sandbox.write("other.yaml", "developer_id: named\n");
    let developer = |args: &str, variables: &[(&str, &str)]| {
        let run = sandbox.issue_with(&format!("items.ndjson {args}"), variables).expect(0);
        run.credential().developer_id.unwrap()
    };
    assert_eq!(developer("", &[]), "found");
    assert_eq!(developer("--config other.yaml", &[]), "named");
    assert_eq!(developer("", &[("BELTIC_CONFIG", "other.yaml")]), "named");
    let run = sandbox.issue("items.ndjson --config missing.yaml");
    assert!(run.code == 2 || run.code == 6, "{}", run.code);
    assert!(run.stderr.contains("missing.yaml"), "{}", run.stderr);
}

/// A misspelt setting is an error with its name and its line, and nothing is issued.
#[test]
fn an_unknown_key_is_named_with_its_line() {
    let sandbox = sandbox_with_an_item();
    for (text, name, line) in [
        ("# mine\nkey: .beltic/issuer.pem\nisuer:\n  did: did:web:a.example\n", "isuer", "line 3"),
        ("issuer:\n  did: did:web:a.example\n  dod: x\n", "dod", "line 3"),
        ("csv:\n  column: {}\n", "column", "line 2"),
        ("passphrase: secret\n", "passphrase", "line 1"),
    ] {
        for file in [".beltic.yaml", USER_FILE] {
            sandbox.write(file, text);
            let run = sandbox.issue("items.ndjson").expect(2);
            assert!(run.stderr.contains(&format!("`{name}`")) && run.stderr.contains(line), "{}", run.stderr);
            assert!(run.stderr.contains(file.rsplit('/').next().unwrap()), "{}", run.stderr);
            assert_eq!(run.stdout, "");
            sandbox.write(file, "");
        }
    }
    for text in ["key: [\n", "jobs: many\n", "jobs: 0\n", "issuer: did:web:a.example\n", "- a\n"] {
        sandbox.write(".beltic.yaml", text);
        let run = sandbox.issue("items.ndjson").expect(2);
        assert!(run.stderr.contains(".beltic.yaml"), "{text}: {}", run.stderr);
    }
}

#[test]
fn values_that_are_none_are_usage_errors() {
    let sandbox = sandbox_with_an_item();
    for (text, part) in [
        ("credential:\n  ttl: 1 year\n", "1 year"),
        ("credential:\n  vct: business\n", "business"),
        ("credential:\n  context: mine\n", "mine"),
        ("credential:\n  proof_format: ldp_vc\n", "ldp_vc"),
        ("status:\n  base_url: http://a.example\n", "http://a.example"),
        ("issuer:\n  did: a.example\n", "a.example"),
        ("csv:\n  delimiter: xy\n", "xy"),
        ("csv:\n  encoding: klingon\n", "klingon"),
    ] {
        sandbox.write(".beltic.yaml", text);
        let run = sandbox.issue("items.ndjson").expect(2);
        assert!(run.stderr.contains(part), "{text}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

// ------------------------------------------------------------------------------------------- CSV

const FOREIGN: &str = "Firma,Nummer,Land\nacme,urn:example:acme,DE\n";

#[test]
fn csv_columns_map_headers_and_constants_fill_columns() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.csv", FOREIGN);
    let run = sandbox.issue("items.csv").expect(4);
    assert!(run.stderr.contains("no known column") && run.stderr.contains("csv.columns"), "{}", run.stderr);
    let settings = "csv:\n  columns:\n    Firma: correlation_id\n    nummer: subject.id\n    Land: claims_jurisdiction\n  \
                    constants:\n    self_attestation_complete: true\n    ttl: P6M\n    registration_number: 00445790\n    \
                    owner1_full_name: Ada\n    owner1_ownership_percent: 12.50\n";
    sandbox.write(".beltic.yaml", settings);
    let run = sandbox.issue("items.csv --issued-at 2026-01-01T00:00:00Z").expect(0);
    let row = run.rows().remove(0);
    assert_eq!(row.correlation_id.as_deref(), Some("acme"));
    let credential = row.into_credential();
    assert_eq!(credential.subject["id"], "urn:example:acme");
    assert_eq!(credential.subject["registration_number"], "00445790");
    assert_eq!(credential.claims["jurisdiction"], "DE");
    assert_eq!(credential.claims["beneficial_owners"][0]["full_name"], "Ada");
    assert_eq!(credential.expires_at, "2026-07-01T00:00:00Z");
}

/// Constants are what cells would be: text as it is written.
#[test]
fn constants_keep_their_spelling() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.csv", "subject_id,claims_jurisdiction\nurn:example:a,NO\n");
    for (written, expected) in [
        ("00445790", "00445790"),
        ("12345", "12345"),
        ("1e5", "1e5"),
        ("1.50", "1.50"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("yes", "yes"),
        ("True", "True"),
    ] {
        sandbox.write(
            ".beltic.yaml",
            format!("csv:\n  constants:\n    self_attestation_complete: true\n    registration_number: {written}\n"),
        );
        let credential = sandbox.issue("items.csv").expect(0).credential();
        assert_eq!(credential.subject["registration_number"], expected);
    }
}

#[test]
fn csv_settings_for_fields_that_do_not_exist_are_usage_errors() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.csv", "subject_id,self_attestation_complete,claims_jurisdiction\na,true,GB\n");
    for (text, parts) in [
        ("csv:\n  columns:\n    Firma: subjectid2\n", ["Firma", "subjectid2"]),
        ("csv:\n  constants:\n    tttl: P1Y\n", ["tttl", "did you mean ttl?"]),
        ("csv:\n  constants:\n    ttl: P1Y\n    TTL: P2Y\n", ["ttl", "twice"]),
    ] {
        sandbox.write(".beltic.yaml", text);
        let run = sandbox.issue("items.csv");
        assert!(parts.iter().all(|part| run.stderr.contains(part)), "{}", run.stderr);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "a mistake in settings: {}", run.stderr);
    }
}

#[test]
fn csv_delimiter_and_encoding_can_be_settings() {
    let sandbox = Sandbox::with_issuer_key();
    let text = "subject_id~self_attestation_complete~legal_form~claims_jurisdiction\na~true~Société~FR\n";
    sandbox.write("items.csv", text.chars().map(|c| c as u8).collect::<Vec<_>>());
    sandbox.write(".beltic.yaml", "csv:\n  delimiter: \"~\"\n  encoding: iso-8859-1\n");
    assert_eq!(sandbox.issue("items.csv").expect(0).credential().subject["legal_form"], "Société");
    sandbox.issue("items.csv --delimiter ;").expect(4);
}

/// The user's and the project's csv settings are each a value of their own.
#[test]
fn csv_columns_of_the_user_and_constants_of_the_project_both_count() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("items.csv", FOREIGN);
    sandbox.write(
        USER_FILE,
        "csv:\n  columns:\n    Firma: correlation_id\n    Nummer: subject_id\n    Land: claims_jurisdiction\n",
    );
    sandbox.write(".beltic.yaml", "csv:\n  constants:\n    self_attestation_complete: true\n");
    let credential = sandbox.issue("items.csv").expect(0).credential();
    assert_eq!(credential.claims["jurisdiction"], "DE");
}
