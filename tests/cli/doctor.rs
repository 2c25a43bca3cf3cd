//! `beltic doctor`.

use serde_json::Value;

use crate::support::*;

/// What `doctor` says, line by line.
fn rows(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn findings(run: &Run) -> Vec<(String, String)> {
    let found = rows(run).into_iter().filter(|row| row.get("severity").is_some());
    found
        .map(|row| (row["code"].as_str().unwrap().to_owned(), row["severity"].as_str().unwrap().to_owned()))
        .collect()
}

fn has(run: &Run, code: &str, severity: &str) -> bool {
    findings(run).contains(&(code.to_owned(), severity.to_owned()))
}

fn origin_of(run: &Run, key: &str) -> (String, String) {
    let row = rows(run).into_iter().find(|row| row["setting"] == key).unwrap();
    (row["value"].as_str().unwrap().to_owned(), row["origin"].as_str().unwrap().to_owned())
}

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["init", "--issuer", "issuer.example", "--yes"]).expect(0);
    sandbox
}

#[test]
fn a_new_project_is_in_order() {
    let sandbox = project();
    let run = sandbox.beltic(&["doctor"]).expect(0);
    assert!(findings(&run).iter().all(|(_, severity)| severity == "ok"), "{}", run.stdout);
    for code in ["version", "key", "issuer", "status_address", "ledger"] {
        assert!(has(&run, code, "ok"), "{code}: {}", run.stdout);
    }
    sandbox.write_items("items.ndjson", &items(2));
    sandbox.issue("items.ndjson").expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let text = sandbox.beltic(&["doctor", "--site", "site", "--output-format", "text"]).expect(0).stdout;
    assert!(
        text.contains("credentials: 2, runs: 1")
            && text.contains("status lists: 1, of which closed")
            && text.contains("2 status lists, valid until"),
        "{text}"
    );
}

/// Flag, variable, file with its line, default.
#[test]
fn every_setting_says_where_it_comes_from() {
    let sandbox = project();
    let run = sandbox
        .command(&["doctor", "--key", ".beltic/issuer.pem", "--output-format", "ndjson"])
        .env("BELTIC_JOBS", "3")
        .env("BELTIC_ISSUER", "did:web:issuer.example")
        .output()
        .unwrap();
    let run = Run::of(run).expect(0);
    assert_eq!(origin_of(&run, "key"), (".beltic/issuer.pem".into(), "--key".into()));
    assert_eq!(origin_of(&run, "jobs"), ("3".into(), "BELTIC_JOBS".into()));
    assert_eq!(origin_of(&run, "issuer.did"), ("did:web:issuer.example".into(), "BELTIC_ISSUER".into()));
    let (value, origin) = origin_of(&run, "status.base_url");
    assert_eq!(value, "https://issuer.example");
    let line = sandbox.read(".beltic.yaml").lines().position(|line| line.contains("base_url:")).unwrap() + 1;
    assert!(origin.ends_with(&format!(".beltic.yaml line {line}")), "{origin}");
    assert_eq!(origin_of(&run, "credential.ttl"), ("P1Y".into(), "default".into()));
}

#[test]
fn what_is_wrong_is_found_and_exit_code_3() {
    let sandbox = Sandbox::new();
    let nothing = sandbox.beltic(&["doctor"]).expect(3);
    assert!(
        has(&nothing, "key_missing", "error") && nothing.stdout.contains("beltic init"),
        "{}",
        nothing.stdout
    );

    // A key without an address for its lists, readable by others.
    sandbox.beltic(&["keygen"]).expect(0);
    assert!(has(&sandbox.beltic(&["doctor"]).expect(3), "status_address_missing", "warning"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| {
            std::fs::set_permissions(
                sandbox.path(".beltic/issuer.pem"),
                std::fs::Permissions::from_mode(mode),
            )
            .unwrap()
        };
        mode(0o644);
        assert!(has(&sandbox.beltic(&["doctor"]).expect(3), "key_readable", "warning"));
        mode(0o600);
    }
    // Lists on another host than the issuer.
    sandbox.write(
        ".beltic.yaml",
        "issuer: {did: 'did:web:issuer.example'}\nstatus: {base_url: 'https://other.example'}\n",
    );
    assert!(has(&sandbox.beltic(&["doctor"]).expect(3), "status_address_elsewhere", "warning"));
    // An issuer that cannot be one, and a ledger that is none.
    sandbox.write(".beltic.yaml", "issuer: {did: 'did:web:'}\n");
    sandbox.write("notes.txt", "no ledger\n");
    let run = sandbox.beltic(&["doctor", "--ledger", "notes.txt"]).expect(3);
    assert!(has(&run, "issuer_unusable", "error") && has(&run, "ledger_unusable", "error"), "{}", run.stdout);
    // A key that is none.
    let run = sandbox.beltic(&["doctor", "--key", "notes.txt"]).expect(3);
    assert!(has(&run, "key_unusable", "error"), "{}", run.stdout);
    // A variable that means nothing.
    let output = sandbox.command(&["doctor"]).env("BELTIC_LEDGR", "x").output().unwrap();
    let run = Run::of(output).expect(3);
    assert!(has(&run, "variable_unknown", "warning"), "{}", run.stdout);
    // Settings that cannot be read end the command, as they end every other.
    sandbox.write(".beltic.yaml", "isuer: x\n");
    sandbox.beltic(&["doctor"]).expect(2);
}

/// Who has issued needs that key, and no new one.
#[test]
fn nobody_is_led_to_a_second_key() {
    let sandbox = project();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson").expect(0);
    std::fs::remove_file(sandbox.path(".beltic/issuer.pem")).unwrap();
    let run = sandbox.beltic(&["doctor"]).expect(3);
    assert!(
        has(&run, "key_missing", "error") && !run.stdout.contains("keygen") && !run.stdout.contains("init"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_encrypted_key_is_not_asked_for_its_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.write("passphrase", "correct horse\n");
    sandbox
        .beltic(&["keygen", "--passphrase-file", "passphrase", "--issuer", "did:web:issuer.example"])
        .expect(0);
    sandbox.write(".beltic.yaml", "issuer: {did: 'did:web:issuer.example'}\n");
    let run = sandbox.beltic(&["doctor"]).expect(0);
    assert!(run.stdout.contains("encrypted, and not opened") && has(&run, "issuer", "ok"), "{}", run.stdout);
    let opened = sandbox.beltic(&["doctor", "--passphrase-file", "passphrase"]).expect(0);
    assert!(opened.stdout.contains("thumbprint"), "{}", opened.stdout);
}

/// Lists of a site that have expired, are about to, or cannot be read.
#[test]
fn lists_about_to_lapse_are_found() {
    let sandbox = project();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson").expect(0);
    std::fs::write(sandbox.path(".beltic.yaml"), sandbox.read(".beltic.yaml") + "\n").unwrap();
    let settings =
        sandbox.read(".beltic.yaml").replace("  base_url:", "  validity: PT1H\n  ttl: PT1H\n  base_url:");
    sandbox.write(".beltic.yaml", settings);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let run = sandbox.beltic(&["doctor", "--site", "site"]).expect(3);
    assert!(has(&run, "list_lapses_soon", "warning"), "{}", run.stdout);
    let folder = std::fs::read_dir(sandbox.path("site/status/token")).unwrap();
    let list = folder
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "jwt"))
        .unwrap();
    std::fs::write(list, "half a downl").unwrap();
    let run = sandbox.beltic(&["doctor", "--site", "site"]).expect(3);
    assert!(has(&run, "list_unreadable", "error"), "{}", run.stdout);
    // A list that ended in 1970; `doctor` does not look at signatures.
    sandbox.write("old/status/token/1.jwt", "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.AAAA");
    let run = sandbox.beltic(&["doctor", "--site", "old"]).expect(3);
    assert!(has(&run, "list_lapsed", "error"), "{}", run.stdout);
    let run = sandbox.beltic(&["doctor", "--site", "nowhere"]).expect(3);
    assert!(has(&run, "site_empty", "warning"), "{}", run.stdout);
}

/// Nothing is written: neither a ledger where there is none, nor anything in or beside one.
#[test]
fn nothing_is_changed() {
    let sandbox = project();
    let contents = || {
        let files = std::fs::read_dir(sandbox.path(".beltic")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (std::fs::read(&path).unwrap(), path)).collect();
        files.sort();
        files
    };
    let before = contents();
    sandbox.beltic(&["doctor"]).expect(0);
    assert!(contents() == before && !sandbox.has(".beltic/ledger.db"));
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson").expect(0);
    let before = contents();
    let run = sandbox.beltic(&["doctor"]).expect(0);
    assert!(has(&run, "lists", "ok") && contents() == before, "{}", run.stdout);
}

/// The project's `keys` replace the user's as a whole, and so they are shown.
#[test]
fn the_keys_of_the_project_are_shown_alone() {
    let sandbox = project();
    sandbox.write("config/beltic/config.yaml", "keys:\n  retired: [old.jwk]\n");
    let output = || {
        let mut doctor = sandbox.command(&["doctor"]);
        Run::of(doctor.env("XDG_CONFIG_HOME", sandbox.path("config")).output().unwrap()).expect(0)
    };
    assert_eq!(origin_of(&output(), "keys.retired").0, "1 entry");
    sandbox.write(".beltic.yaml", sandbox.read(".beltic.yaml") + "\nkeys:\n  next: [next.jwk]\n");
    assert_eq!(origin_of(&output(), "keys.retired"), ("none".into(), "default".into()));
}
