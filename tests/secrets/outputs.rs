//! Every command that reads a key, as it should or by mistake: nothing of the key and of the passphrase is in
//! what it prints and in what it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use data_encoding::{BASE64, BASE64_MIME, BASE64URL_NOPAD};
use serde_json::Value;

use crate::spellings::{Secret, expect_all_absent};
use crate::support::*;

pub(crate) const PASSPHRASE: &str = "correct horse";
const WRONG_PASSPHRASE: &str = "incorrect zebra crossing";

/// The private number of the key in `fixtures/keys/p256-*`.
pub(crate) fn issuer_key() -> Secret {
    let jwk: Value = serde_json::from_slice(&fs::read(key_fixture("p256-private.jwk")).unwrap()).unwrap();
    Secret::of_bytes("the key", &BASE64URL_NOPAD.decode(jwk["d"].as_str().unwrap().as_bytes()).unwrap())
}

/// What no run may show.
fn secrets() -> Vec<Secret> {
    vec![
        issuer_key(),
        Secret::of_bytes("the passphrase", PASSPHRASE.as_bytes()),
        Secret::of_bytes("the wrong passphrase", WRONG_PASSPHRASE.as_bytes()),
    ]
}

/// Files and folders under a folder, with the files' bytes.
pub(crate) fn files_under(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => {
                    files.insert(entry.path(), Vec::new());
                    folders.push(entry.path());
                }
                false => drop(files.insert(entry.path(), fs::read(entry.path()).unwrap_or_default())),
            }
        }
    }
    files
}

/// A folder with all keys of the fixtures, two passphrases and items.
fn yard() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in fixture_names() {
        sandbox.copy_key(&name, &format!("keys/{name}"));
    }
    fs::create_dir(sandbox.path("keys/folder.pem")).unwrap();
    for (name, fixture, slip) in [("slip.pem", "p256-pkcs8.pem", '*'), ("slip.jwk", "p256-private.jwk", '*')]
    {
        let text = fs::read_to_string(key_fixture(fixture)).unwrap();
        let at = text.find(if name == "slip.jwk" { "\"d\"" } else { "MIGH" }).unwrap() + 30;
        sandbox.write(&format!("keys/{name}"), format!("{}{slip}{}", &text[..at], &text[at + 1..]));
    }
    sandbox.write("right", format!("{PASSPHRASE}\n"));
    sandbox.write("wrong", format!("{WRONG_PASSPHRASE}\n"));
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/subject/id")]);
    sandbox
}

fn fixture_names() -> Vec<String> {
    let names = fs::read_dir(manifest_folder().join("fixtures/keys")).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect()
}

/// Runs a command, looks at all that came of it, and gives its exit code.
fn run(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)], secrets: &[Secret]) -> i32 {
    let folder = sandbox.path("");
    let before = files_under(&folder);
    let mut command = sandbox.command(args);
    command.env("RUST_BACKTRACE", "full").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = |stream: &[u8]| format!("{args:?}: {}", String::from_utf8_lossy(stream));
    expect_all_absent(secrets, &said(&output.stdout), &output.stdout);
    expect_all_absent(secrets, &said(&output.stderr), &output.stderr);
    for (path, bytes) in files_under(&folder).iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes))
    {
        let place = format!("{args:?}: {}", path.display());
        expect_all_absent(secrets, &place, bytes);
        expect_all_absent(secrets, &place, path.as_os_str().as_encoded_bytes());
    }
    output.status.code().unwrap_or_else(|| panic!("{args:?} was killed"))
}

/// The commands that sign or look at the private key. The bench signs nothing that is kept.
const USES: [&str; 5] = [
    "batch-issue items.ndjson --key KEY --ledger out/l.db --out out/r.ndjson --failed out/f.ndjson --summary out/s.json --force",
    "batch-issue items.ndjson --key KEY --ledger none --proof-format sd_jwt_vc --output-format csv",
    "keygen --if-missing --out KEY",
    "publish --out out/site --key KEY --ledger out/l.db",
    "bench --items 1 --rounds 1 --jobs 1 --key KEY",
];

/// What is done with the passphrase: arguments, and the variable.
const PASSPHRASES: [(&str, Option<&str>); 5] = [
    ("", None),
    (" --passphrase-file right", None),
    (" --passphrase-file wrong", None),
    ("", Some(PASSPHRASE)),
    ("", Some(WRONG_PASSPHRASE)),
];

/// Every key of the fixtures, sound and not, under every command that takes one.
#[test]
fn no_use_of_a_key_shows_it() {
    let sandbox = yard();
    let secrets = secrets();
    let (mut done, mut refused) = (0, 0);
    fs::create_dir(sandbox.path("out")).unwrap();
    let names = fixture_names().into_iter().chain(["folder.pem", "slip.pem", "slip.jwk"].map(str::to_owned));
    for name in names {
        let is_encrypted = name.contains("encrypted");
        for (passphrase, variable) in &PASSPHRASES[..if is_encrypted { 5 } else { 1 }] {
            // What fails, fails in the same place under each command.
            let uses = if name.contains("pkcs8") || name.contains("private") { 5 } else { 2 };
            for command in &USES[..uses] {
                let line = command.replace("KEY", &format!("keys/{name}")) + passphrase;
                let args: Vec<_> = line.split_whitespace().collect();
                let variables: Vec<_> =
                    variable.map(|text| ("BELTIC_KEY_PASSPHRASE", text)).into_iter().collect();
                match run(&sandbox, &args, &variables, &secrets) {
                    0 | 3 => done += 1,
                    5 => refused += 1,
                    code => panic!("{line}: {code}"),
                }
            }
        }
    }
    assert!(done >= 20 && refused >= 40, "{done} done, {refused} refused");
}

/// A private key in the place of something else.
const MISTAKES: [&str; 21] = [
    "batch-issue KEY --key keys/p256-pkcs8.pem --ledger none",
    "batch-issue KEY --key keys/p256-pkcs8.pem --ledger none --input-format json",
    "batch-issue KEY --key keys/p256-pkcs8.pem --ledger none --input-format csv",
    "batch-issue items.ndjson --config KEY",
    "batch-issue items.ndjson --key keys/p256-encrypted.pem --passphrase-file KEY",
    "batch-issue items.ndjson --key keys/p256-pkcs8.pem --ledger none --proof-format sd_jwt_vc --x5c KEY",
    "batch-issue items.ndjson --key keys/p256-pkcs8.pem --ledger KEY",
    "verify KEY --key keys/p256-public.jwk --no-status",
    "verify results.ndjson --key KEY",
    "verify results.ndjson --jwks KEY",
    "verify results.ndjson --did KEY",
    "verify results.ndjson --trust-anchor KEY",
    "verify KEY",
    "verify results.ndjson --key keys/p256-public.jwk --status-list KEY",
    "inspect KEY",
    "inspect KEY --output-format json",
    "present KEY",
    "revoke --ledger l.db --from KEY",
    "list --ledger KEY",
    "ledger check --ledger KEY",
    "list --config KEY",
];

#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    let sandbox = yard();
    let secrets = secrets();
    sandbox.issue("items.ndjson --key keys/p256-pkcs8.pem --ledger l.db --out results.ndjson").expect(3);
    for name in ["p256-pkcs8.pem", "p256-sec1-params.pem", "p256-private.jwk", "p256-pkcs8.der"] {
        for command in MISTAKES {
            let line = command.replace("KEY", &format!("keys/{name}"));
            run(&sandbox, &line.split_whitespace().collect::<Vec<_>>(), &[], &secrets);
        }
    }
    // A passphrase file in the place of settings and of a batch.
    for command in ["batch-issue right --ledger none --key keys/p256-pkcs8.pem", "list --config right"] {
        assert_ne!(run(&sandbox, &command.split(' ').collect::<Vec<_>>(), &[], &secrets), 0, "{command}");
    }
}

/// The key itself where the path of its file belongs, as happens to variables of CI jobs.
#[test]
fn a_key_that_is_given_as_a_path_is_not_shown() {
    for fixture in ["p256-pkcs8.pem", "p256-sec1.pem", "p256-private.jwk"] {
        let sandbox = yard();
        let text = fs::read_to_string(key_fixture(fixture)).unwrap();
        let one_line = text.replace('\n', "\\n");
        // As secret stores keep them: the file in base64, and what stands between the lines of the PEM file.
        let (encoded, wrapped) = (BASE64.encode(text.as_bytes()), BASE64_MIME.encode(text.as_bytes()));
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        for key in [text.as_str(), text.trim(), &one_line, &encoded, &wrapped, &body] {
            let mut secrets = secrets();
            secrets.push(Secret::of_bytes("what was given", key.as_bytes()));
            for args in [
                &["batch-issue", "items.ndjson", "--ledger", "none"][..],
                &["keygen"],
                &["keygen", "--if-missing"],
                &["publish", "--out", "site"],
                &["bench", "--items", "1"],
            ] {
                let code = run(&sandbox, args, &[("BELTIC_KEY", key)], &secrets);
                assert_eq!(code, 5, "{args:?}");
            }
            run(&sandbox, &["batch-issue", "items.ndjson", "--key", key], &[], &secrets);
            run(&sandbox, &["batch-issue", "items.ndjson", &format!("--key={key}")], &[], &secrets);
            run(&sandbox, &["batch-issue", "items.ndjson", "--output-format", key], &[], &secrets);
            run(&sandbox, &["batch-issue", key], &[], &secrets);
            run(&sandbox, &["inspect", key], &[], &secrets);
            run(&sandbox, &["verify", key, "--key", "keys/p256-public.jwk"], &[], &secrets);
        }
    }
}

/// A passphrase in the place of the path of its file is not shown as one that is not there.
#[test]
fn a_passphrase_that_is_given_as_a_path_is_not_shown() {
    let sandbox = yard();
    let args =
        ["batch-issue", "items.ndjson", "--key", "keys/p256-encrypted.pem", "--passphrase-file", PASSPHRASE];
    let output = sandbox.beltic(&args).expect(5);
    assert!(output.stderr.contains("passphrase cannot be read"), "{}", output.stderr);
    secrets().iter().for_each(|secret| secret.expect_absent("standard error", output.stderr.as_bytes()));
}

/// Where nobody reads what the program says, it ends without a panic, and says nothing of the key.
#[test]
fn a_closed_output_shows_nothing() {
    let sandbox = yard();
    let many: Vec<Value> = items(3_000);
    sandbox.write_items("many.ndjson", &many);
    let mut command = sandbox.command(&["batch-issue", "many.ndjson", "--key", "keys/p256-private.jwk"]);
    command.env("RUST_BACKTRACE", "full").args(["--ledger", "none"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    secrets().iter().for_each(|secret| secret.expect_absent("standard error", &output.stderr));
}

/// No flag takes a secret: whatever is about a key or a passphrase names a file.
#[test]
fn no_flag_takes_a_secret() {
    let mut command = beltic::cli::command();
    command.build();
    let mut looked_at = 0;
    for command in command.get_subcommands() {
        for argument in command.get_arguments() {
            let name = argument.get_id().as_str();
            let words = ["key", "pass", "secret", "token", "pin"];
            let is_about_secrets =
                words.iter().any(|word| name.split('_').any(|part| part.starts_with(word)));
            if !is_about_secrets || matches!(name, "idempotency_key" | "key_binding") {
                continue;
            }
            looked_at += 1;
            let values: Vec<_> =
                argument.get_value_names().unwrap_or_default().iter().map(|v| v.as_str()).collect();
            // A URI names a key in a module; one with a PIN in it is refused.
            let is_place = values == ["FILE"] || (name, &values[..]) == ("key", &["URI"]);
            assert!(is_place, "{} --{name}: {values:?}", command.get_name());
        }
        let variables = command.get_arguments().filter_map(|argument| argument.get_env());
        assert!(
            variables.into_iter().all(|name| name.to_str() != Some("BELTIC_KEY_PASSPHRASE")),
            "a flag for the passphrase"
        );
    }
    assert!(looked_at >= 6, "{looked_at} flags about keys and passphrases");
}
