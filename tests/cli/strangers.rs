//! Whom the program obeys: settings, state folders and ledgers that others could have named; and inputs that never end.
#![cfg(unix)]

use crate::support::*;

/// Nothing may be taken for a path that is the URL of a database, and no file may appear.
#[test]
fn a_ledger_url_is_refused_wherever_it_comes_from() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let names = || {
        let names = std::fs::read_dir(sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for (url, said) in [
        ("postgres://user:hunter2@db.example/beltic", "no PostgreSQL ledger"),
        ("postgresql:///beltic?password=hunter2", "no PostgreSQL ledger"),
        ("POSTGRES://user:hunter2@db.example/beltic", "no PostgreSQL ledger"),
        ("sqlite://hunter2.db", "sqlite: URL"),
        ("http://user:hunter2@db.example", "http: URL"),
        ("file:hunter2.db", "file: URL"),
    ] {
        sandbox.write(".beltic.yaml", "");
        let before = names();
        for (origin, run) in [
            ("--ledger", sandbox.issue(&format!("items.ndjson --ledger {url}"))),
            ("BELTIC_LEDGER", sandbox.issue_with("items.ndjson", &[("BELTIC_LEDGER", url)])),
            ("--ledger", sandbox.beltic(&["list", "--ledger", url])),
            ("--ledger", sandbox.beltic(&["ledger", "check", "--ledger", url])),
            ("--ledger", sandbox.beltic(&["revoke", "x", "--ledger", url])),
            ("--ledger", sandbox.beltic(&["publish", "--out", "site", "--ledger", url])),
        ] {
            let run = run.expect(2);
            assert!(run.stderr.contains(said) && run.stderr.contains(origin), "{}", run.stderr);
            assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
            assert_eq!(names(), before, "{url}");
        }
        sandbox.write(".beltic.yaml", format!("ledger: {url}\n"));
        let run = sandbox.issue("items.ndjson").expect(2);
        assert!(run.stderr.contains("ledger in ") && run.stderr.contains(".beltic.yaml"), "{}", run.stderr);
        assert_eq!(names(), before, "{url}");
    }
    sandbox.write(".beltic.yaml", "");
    sandbox.issue("items.ndjson --ledger ./a:b.db").expect(0);
    assert!(sandbox.has("a:b.db"));
}

/// What everybody can write is refused, unless a flag or a variable names it; what the group can write is a warning.
#[test]
fn a_project_that_others_could_have_made_is_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.write(".beltic.yaml", "developer_id: theirs\n");
    let file = sandbox.path(".beltic.yaml");
    set_mode(&file, 0o666);
    let refused = sandbox.issue("items.ndjson").expect(2);
    assert!(refused.stderr.contains("every user can write to it"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--config FILE"), "{}", refused.stderr);
    for run in [
        sandbox.issue("items.ndjson --config .beltic.yaml"),
        sandbox.issue_with("items.ndjson", &[("BELTIC_CONFIG", ".beltic.yaml")]),
    ] {
        assert_eq!(run.expect(0).credential().developer_id.as_deref(), Some("theirs"));
    }
    set_mode(&file, 0o664);
    let warned = sandbox.issue("items.ndjson").expect(0);
    assert!(warned.stderr.contains("warning:") && warned.stderr.contains("chmod g-w"), "{}", warned.stderr);
    set_mode(&file, 0o644);

    set_mode(&sandbox.path(".beltic"), 0o777);
    let refused = sandbox.issue("items.ndjson").expect(2);
    assert!(
        refused.stderr.contains(".beltic:") && refused.stderr.contains("--key FILE"),
        "{}",
        refused.stderr
    );
    let refused = sandbox.issue("items.ndjson --key .beltic/issuer.pem").expect(2);
    assert!(refused.stderr.contains("--ledger FILE"), "{}", refused.stderr);
    sandbox.issue("items.ndjson --key .beltic/issuer.pem --ledger .beltic/ledger.db").expect(0);
    set_mode(&sandbox.path(".beltic"), 0o755);
    set_mode(&sandbox.path(""), 0o777);
    sandbox.issue("items.ndjson").expect(2);
    set_mode(&sandbox.path(""), 0o1777);
    sandbox.issue("items.ndjson").expect(0);
}

/// As root, another owner can be had: that is how root once signed with a stranger's key.
#[test]
fn a_project_of_another_user_is_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("deep/items.ndjson", &items(1));
    sandbox.write(".beltic.yaml", "developer_id: theirs\n");
    if std::os::unix::fs::chown(sandbox.path(".beltic.yaml"), Some(64_321), None).is_err() {
        println!("skipped: only root gives files away");
        return;
    }
    let issue = |args: &[&str], variables: &[(&str, &str)]| {
        let words: Vec<_> = ["batch-issue", "items.ndjson"].iter().chain(args).copied().collect();
        let mut command = sandbox.command(&words);
        command.current_dir(sandbox.path("deep")).envs(variables.iter().copied());
        Run::of(command.output().unwrap())
    };
    let refused = issue(&[], &[]).expect(2);
    assert!(refused.stderr.contains("belongs to another user (uid 64321)"), "{}", refused.stderr);
    issue(&["--config", "../.beltic.yaml"], &[]).expect(0);
    issue(&[], &[("SUDO_UID", "64321")]).expect(0);
    issue(&[], &[("SUDO_UID", "64322")]).expect(2);
    // Without the file, the folder above is the project, and it is of somebody else.
    std::fs::remove_file(sandbox.path(".beltic.yaml")).unwrap();
    issue(&[], &[]).expect(0);
    std::os::unix::fs::chown(sandbox.path(".beltic"), Some(64_321), None).unwrap();
    issue(&[], &[]).expect(2);
    issue(&["--key", "../.beltic/issuer.pem", "--ledger", "none"], &[]).expect(0);
}

/// Both the file and the folder are those of the nearest project, never of one further up.
#[test]
fn the_nearest_project_is_the_only_one() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "developer_id: outer\n");
    sandbox.copy_key("p256-pkcs8.pem", "inner/.beltic/issuer.pem");
    sandbox.write_items("inner/deep/items.ndjson", &items(1));
    let mut command = sandbox.command(&["batch-issue", "items.ndjson"]);
    let run = Run::of(command.current_dir(sandbox.path("inner/deep")).output().unwrap()).expect(0);
    assert_eq!(run.credential().developer_id, None);
    assert!(sandbox.has("inner/.beltic/ledger.db") && !sandbox.has(".beltic/ledger.db"));
}

/// A line end from Windows at the end of a variable names another ledger.
#[test]
fn a_ledger_with_a_control_character_is_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    for (name, said) in
        [("ledger.db\r", "U+000D"), ("ledger.db ", "U+0020 (space)"), (" ledger.db", "U+0020")]
    {
        let run = sandbox.issue_with("items.ndjson", &[("BELTIC_LEDGER", name)]).expect(2);
        assert!(run.stderr.contains(&format!("BELTIC_LEDGER has {said}")), "{}", run.stderr);
    }
    assert_eq!(std::fs::read_dir(sandbox.path("")).unwrap().count(), 2, "the key and the items");
}

/// What has the name of a settings file and is none is told, and the settings further up are not obeyed instead.
#[cfg(unix)]
#[test]
fn odd_settings_are_not_skipped() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "developer_id: outer\n");
    sandbox.write_items("inner/items.ndjson", &items(1));
    let inner = sandbox.path("inner/.beltic.yaml");
    let refused = |what: &str| {
        let mut command = sandbox.command(&["batch-issue", "items.ndjson", "--key", "../.beltic/issuer.pem"]);
        let run = Run::of(command.current_dir(sandbox.path("inner")).output().unwrap()).expect(2);
        assert!(run.stderr.contains(what) && run.stderr.contains(".beltic.yaml"), "{}", run.stderr);
    };
    std::os::unix::fs::symlink("nothing.yaml", &inner).unwrap();
    refused("a link to a file that does not exist");
    std::fs::remove_file(&inner).unwrap();
    std::fs::create_dir(&inner).unwrap();
    refused("a directory");
    std::fs::remove_dir(&inner).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&inner).status().unwrap();
    assert!(made.success());
    refused("a pipe");
}

/// A key that stands in the wrong variable is neither shown nor made the name of a file.
#[test]
fn a_key_in_another_variable_is_not_shown() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let key = sandbox.read(".beltic/issuer.pem");
    let secret = key.lines().nth(1).unwrap();
    for name in ["CONFIG", "DEVELOPER_ID", "IDEMPOTENCY_KEY", "ISSUER", "JOBS", "LEDGER", "TTL", "VCT", "X5C"]
    {
        let variable = format!("BELTIC_{name}");
        let run = sandbox.issue_with("items.ndjson --out results.ndjson", &[(&variable, &key)]).expect(2);
        assert!(run.stderr.contains(&variable), "{}", run.stderr);
        assert!(!run.stderr.contains(secret) && !sandbox.has("results.ndjson"));
    }
    let run = sandbox.issue_with("items.ndjson --out results.ndjson", &[("BELTIC_KEY", &key)]).expect(5);
    assert!(!run.stderr.contains(secret), "{}", run.stderr);
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let variables = [("BELTIC_LEDGR", "secret.db")];
    let run = sandbox.issue_with("items.ndjson", &variables).expect(0);
    assert!(
        run.stderr.contains("did you mean BELTIC_LEDGER?") && !run.stderr.contains("secret"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.issue_with("items.ndjson --quiet", &variables).expect(0).stderr.contains("BELTIC"));
}

/// Settings that keep a YAML parser busy: refused by their shape, so that the time cannot matter.
#[test]
fn settings_are_bounded() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let bomb = "a: &a [x,x]\n".to_owned() + &"b: [*a,*a]\n".repeat(50);
    for text in ["[".repeat(100_000), "- ".repeat(400_000), "{a: ".repeat(100_000), bomb, "x".repeat(2 << 20)]
    {
        sandbox.write(".beltic.yaml", text);
        let run = sandbox.issue("items.ndjson").expect(2);
        assert!(run.stderr.contains(".beltic.yaml") && run.stderr.len() < 1_000, "{}", run.stderr);
    }
}

/// Devices that never end, under every flag that reads a file.
#[cfg(target_os = "linux")]
#[test]
fn no_input_is_read_for_ever() {
    let sandbox = Sandbox::with_issuer_key();
    std::fs::copy(key_fixture("p256-public.jwk"), sandbox.path("key.jwk")).unwrap();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson --out r.ndjson").expect(0);
    for device in ["/dev/zero", "/dev/urandom"] {
        for args in [
            "verify DEV --key key.jwk --no-status",
            "verify r.ndjson --jwks DEV --no-status",
            "verify r.ndjson --did DEV --no-status",
            "verify r.ndjson --key DEV --no-status",
            "verify r.ndjson --trust-anchor DEV --no-status",
            "verify DEV",
            "inspect DEV",
            "present DEV",
            "batch-issue DEV",
            "batch-issue DEV --input-format ndjson",
            "batch-issue DEV --input-format csv",
            "batch-issue DEV --input-format json",
            "batch-issue items.ndjson --key DEV",
            "batch-issue items.ndjson --config DEV",
            "batch-issue items.ndjson --ledger DEV",
            "batch-issue items.ndjson --proof-format sd_jwt_vc --x5c DEV",
            "revoke --from DEV",
        ] {
            let args = args.replace("DEV", device);
            let run = sandbox.beltic(&args.split(' ').collect::<Vec<_>>());
            assert!(matches!(run.code, 2 | 4 | 5 | 6), "{args}: {}: {}", run.code, run.stderr);
            assert!(run.stderr.contains("error:"), "{args}: {}", run.stderr);
        }
    }
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    for args in [&["batch-issue"][..], &["verify", "--key", "key.jwk", "--no-status"], &["inspect"]] {
        let output = sandbox.command(args).stdin(zeros.try_clone().unwrap()).output().unwrap();
        assert_eq!(Run::of(output).code, 4, "{args:?}");
    }
    // A list whose file does not end is one that cannot be used.
    sandbox.beltic(&["verify", "r.ndjson", "--key", "key.jwk", "--status-list", "/dev/zero"]).expect(3);
}

/// What an error is about is named: the variable, or the file with its key.
#[test]
fn errors_name_where_a_value_comes_from() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    for (flag, variable, key, value) in [
        ("--ttl", "BELTIC_TTL", "credential.ttl", "soon"),
        ("--vct", "BELTIC_VCT", "credential.vct", "business"),
        ("--issuer", "BELTIC_ISSUER", "issuer.did", "a.example"),
    ] {
        let (section, name) = key.split_once('.').unwrap();
        sandbox.write(".beltic.yaml", format!("{section}:\n  {name}: {value}\n"));
        let by_file = sandbox.issue("items.ndjson").expect(2).stderr;
        assert!(by_file.contains(&format!("{key} in ")) && by_file.contains(".beltic.yaml"), "{by_file}");
        sandbox.write(".beltic.yaml", "");
        let by_variable = sandbox.issue_with("items.ndjson", &[(variable, value)]).expect(2).stderr;
        assert!(by_variable.contains(variable), "{by_variable}");
        let by_flag = sandbox.issue(&format!("items.ndjson {flag} {value}")).expect(2).stderr;
        assert!(by_flag.contains(flag), "{by_flag}");
    }
}
