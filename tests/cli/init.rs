//! `beltic init`.

use crate::support::*;

fn settings_of(sandbox: &Sandbox) -> String {
    sandbox.read(".beltic.yaml")
}

/// From an empty folder to a valid credential, by the commands that are printed.
#[test]
fn a_project_is_set_up_without_questions() {
    let sandbox = Sandbox::new();
    let run = sandbox.beltic(&["init", "--issuer", "issuer.example", "--yes"]).expect(0);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    assert!(run.stdout.contains("issuer    did:web:issuer.example\n"), "{}", run.stdout);
    assert!(run.stdout.contains("  beltic publish --out site\n"), "{}", run.stdout);
    let settings = settings_of(&sandbox);
    assert!(
        settings.contains("did: \"did:web:issuer.example\"")
            && settings.contains("base_url: \"https://issuer.example\"")
    );
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.beltic(&["batch-issue", "items.ndjson", "--out", "results.ndjson"]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    sandbox.beltic(&["verify", "results.ndjson", "--site", "site"]).expect(0);
}

#[test]
fn the_issuer_can_be_said_in_several_ways() {
    for (said, issuer, base) in [
        ("did:key", None, None),
        ("issuer.example", Some("did:web:issuer.example"), Some("https://issuer.example")),
        ("issuer.example:8443", Some("did:web:issuer.example%3A8443"), Some("https://issuer.example:8443")),
        ("Issuer.example/a/b/", Some("did:web:issuer.example:a:b"), Some("https://issuer.example/a/b")),
        ("did:web:issuer.example:a", Some("did:web:issuer.example:a"), Some("https://issuer.example/a")),
        ("https://issuer.example/", Some("https://issuer.example"), Some("https://issuer.example")),
    ] {
        let sandbox = Sandbox::new();
        sandbox.beltic(&["init", "--issuer", said, "--yes"]).expect(0);
        let settings = settings_of(&sandbox);
        let line = |key: &str, value: Option<&str>| match value {
            Some(value) => settings.contains(&format!("\n  {key}: \"{value}\"\n")),
            None => !settings.contains(&format!("\n  {key}:")),
        };
        assert!(line("did", issuer) && line("base_url", base), "{said}: {settings}");
    }
}

/// The mapping of a header is part of the settings, which load as they are.
#[test]
fn a_header_is_mapped() {
    let sandbox = Sandbox::new();
    sandbox.write("export.csv", "Kundennummer;Firma;Land;Notiz\nK-1;Quillmere GmbH;DE;x\n");
    let run = sandbox.beltic(&["init", "--yes", "--map", "export.csv", "--type", "business"]).expect(0);
    assert!(run.stdout.contains("beltic batch-issue export.csv --dry-run"), "{}", run.stdout);
    let settings = settings_of(&sandbox);
    assert!(settings.contains("\"Firma\": name") && settings.contains("type: \"business\""), "{settings}");
    let issued = sandbox.issue("export.csv --set self_attestation_complete=true --ledger none").expect(0);
    assert_eq!(issued.rows().remove(0).into_credential().subject["name"], "Quillmere GmbH");
}

/// Nothing is overwritten, and where something is wrong nothing is left behind.
#[test]
fn mistakes_leave_nothing_behind() {
    let sandbox = Sandbox::new();
    for (args, code, said) in [
        (&["init"][..], 2, "`beltic init` needs --issuer where it cannot ask"),
        (&["init", "--issuer", "did:key"], 2, "`beltic init` needs --status-base-url where it cannot ask"),
        (&["init", "--issuer", "bad host", "--yes"], 2, "bad host"),
        (&["init", "--issuer", "http://issuer.example", "--yes"], 2, "https://"),
        (&["init", "--issuer", "did:key:zDnaeDifferent", "--yes"], 2, "did:key"),
        (&["init", "--yes", "--status-base-url", "http://x"], 2, "'http://x' is not an https:// URL"),
        (&["init", "--yes", "--map", "missing.csv"], 6, "missing.csv"),
        (&["init", "--yes", "--type", "busines"], 2, "busines"),
        (&["init", "--yes", "--encrypt"], 5, "no passphrase was given for the new key"),
        (&["init", "--encoding", "utf-8"], 2, "--map"),
    ] {
        let run = sandbox.beltic(args).expect(code);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
        assert!(!sandbox.has(".beltic") && !sandbox.has(".beltic.yaml"), "{args:?}");
    }
    sandbox.write(".beltic.yaml", "jobs: 1\n");
    let run = sandbox.beltic(&["init", "--yes"]).expect(6);
    assert!(run.stderr.contains(".beltic.yaml already exists"), "{}", run.stderr);
    assert_eq!(settings_of(&sandbox), "jobs: 1\n");
}

/// A key that is there is kept, whoever made it.
#[test]
fn an_existing_key_is_kept() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen"]).expect(0);
    let key = sandbox.read(".beltic/issuer.pem");
    let run = sandbox.beltic(&["init", "--issuer", "issuer.example", "--yes"]).expect(0);
    assert!(run.stdout.contains("issuer.pem (kept)"), "{}", run.stdout);
    assert_eq!(sandbox.read(".beltic/issuer.pem"), key);
    assert!(sandbox.read(".beltic/issuer.pub.jwk").contains("did:web:issuer.example"));
}

#[test]
fn a_second_issuer_inside_a_project_takes_a_yes() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["init", "--issuer", "outer.example", "--yes"]).expect(0);
    std::fs::create_dir(sandbox.path("inner")).unwrap();
    let inner = |args: &[&str]| {
        let output = sandbox.command(args).current_dir(sandbox.path("inner")).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = inner(&["init", "--issuer", "inner.example"]);
    assert!(code == 2 && stderr.contains("is inside the project"), "{stderr}");
    assert!(!sandbox.has("inner/.beltic"));
    assert_eq!(inner(&["init", "--issuer", "inner.example", "--yes"]).0, 0);
    assert!(sandbox.read("inner/.beltic.yaml").contains("did:web:inner.example"));
}

/// On a terminal, what no flag says is asked for; a mistake is explained and asked again.
#[cfg(unix)]
#[test]
fn questions_are_asked_on_a_terminal() {
    let sandbox = Sandbox::new();
    let typed = "bad host\nissuer.example\nnonsense\n\nn\n";
    let (code, shown) = crate::asking::on_terminal(&mut sandbox.command(&["init"]), typed);
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("[did:key]:")
            && shown.contains("bad host")
            && shown.contains("'nonsense' is not an https:// URL"),
        "{shown}"
    );
    assert!(
        shown.contains("[https://issuer.example]:") && shown.contains("Encrypt the private key"),
        "{shown}"
    );
    let settings = settings_of(&sandbox);
    assert!(settings.contains("did:web:issuer.example") && settings.contains("\"https://issuer.example\""));
    assert!(sandbox.read(".beltic/issuer.pem").starts_with("-----BEGIN PRIVATE KEY-----"));
    // Whoever ends the input ends the questions, and nothing is left behind.
    let empty = Sandbox::new();
    let (code, shown) = crate::asking::on_terminal(&mut empty.command(&["init"]), "\u{4}");
    assert!(code == 2 && !empty.has(".beltic"), "{shown}");
}

/// A flag that cannot be followed is not skipped: a key that exists is not encrypted.
#[test]
fn an_existing_key_is_not_encrypted() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen"]).expect(0);
    let key = sandbox.read(".beltic/issuer.pem");
    let run = sandbox.beltic(&["init", "--yes", "--encrypt"]).expect(2);
    assert!(run.stderr.contains("--encrypt is for a new key"), "{}", run.stderr);
    assert!(!sandbox.has(".beltic.yaml") && sandbox.read(".beltic/issuer.pem") == key);
}

/// The next steps are words of a shell, whatever the file is called.
#[test]
fn odd_file_names_are_quoted_in_the_next_steps() {
    for (name, shown) in
        [("my export.csv", "'my export.csv'"), ("-x.csv", "./-x.csv"), ("it's.csv", r"'it'\''s.csv'")]
    {
        let sandbox = Sandbox::new();
        sandbox.write(name, "Firma;Land\nQuillmere GmbH;DE\n");
        let run = sandbox.beltic(&["init", "--yes", &format!("--map={name}")]).expect(0);
        assert!(run.stdout.contains(&format!("  beltic batch-issue {shown} --dry-run ")), "{}", run.stdout);
    }
}

/// A folder that cannot be written: nothing is left behind, and the message names it.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_stays_empty() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let sandbox = Sandbox::new();
    let mode = |mode| {
        std::fs::set_permissions(sandbox.path(""), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o555);
    let mut init = sandbox.command(&["init", "--yes"]);
    if sandbox.path("").metadata().unwrap().uid() == 0 {
        let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        let version = crate::asking::started_by(&nobody, &sandbox.command(&["--version"])).output();
        if !version.is_ok_and(|run| run.status.success()) {
            mode(0o755);
            return crate::readers::machine::skip("the program cannot be started as nobody");
        }
        init = crate::asking::started_by(&nobody, &init);
    }
    let run = Run::of(init.output().unwrap());
    mode(0o755);
    let run = run.expect(6);
    assert!(run.stderr.contains(".beltic"), "{}", run.stderr);
    assert!(!sandbox.has(".beltic") && !sandbox.has(".beltic.yaml"));
}
