//! Who may say that a program signs, and what of it is shown.

use crate::support::{Run, set_mode};
use crate::yard::{PUBLIC, Yard};

const ISSUE: [&str; 4] = ["batch-issue", "items.ndjson", "--output-format", "ndjson"];

fn yard() -> Yard {
    let yard = Yard::new();
    yard.sandbox.write_items("items.ndjson", &crate::support::items(2));
    yard
}

fn issue(yard: &Yard, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let args = [&ISSUE[..], args].concat();
    Run::of(yard.sandbox.command(&args).envs(variables.iter().copied()).output().unwrap())
}

const SETTINGS: &str = "signer:\n  command: [./sign, good]\n  public_key: issuer.jwk\n";

#[test]
fn a_program_is_not_taken_from_a_project_that_was_found() {
    let yard = yard();
    yard.sandbox.write(".beltic.yaml", SETTINGS);
    let run = issue(&yard, &[], &[]).expect(2);
    assert!(run.stderr.contains("refusing to run the signer.command of"), "{}", run.stderr);
    assert!(run.stderr.contains("--config"), "{}", run.stderr);
    assert_eq!(yard.count("starts"), 0);
    // What is said with more weight is all that counts.
    issue(&yard, &["--signer-command", "./sign good"], &[]).expect(0);
    issue(&yard, &["--config", ".beltic.yaml"], &[]).expect(0);
    issue(&yard, &[], &[("BELTIC_CONFIG", ".beltic.yaml")]).expect(0);
    issue(&yard, &[], &[("BELTIC_SIGNER_COMMAND", "./sign good")]).expect(0);
    assert_eq!(yard.count("starts"), 4);
    yard.sandbox.copy_key("p256-pkcs8.pem", "key.pem");
    issue(&yard, &["--key", "key.pem"], &[]).expect(0);
    assert_eq!(yard.count("starts"), 4);
}

#[test]
fn the_users_own_file_may_name_a_program() {
    let yard = yard();
    yard.sandbox.write(
        ".config/beltic/config.yaml",
        SETTINGS.replace("./sign", "../../sign").replace("issuer", "../../issuer"),
    );
    issue(&yard, &[], &[]).expect(0);
    assert_eq!(yard.count("starts"), 1);
    // A project's key file has more weight than the user's program.
    yard.sandbox.copy_key("p256-pkcs8.pem", "key.pem");
    yard.sandbox.write(".beltic.yaml", "key: key.pem\n");
    issue(&yard, &[], &[]).expect(0);
    assert_eq!(yard.count("starts"), 1);
    issue(&yard, &["--signer-command", "./sign good", "--public-key", "issuer.jwk"], &[]).expect(0);
    assert_eq!(yard.count("starts"), 2);
}

#[test]
fn one_key_signs() {
    let yard = yard();
    yard.sandbox.copy_key("p256-pkcs8.pem", "key.pem");
    yard.sandbox.write("both.yaml", format!("key: key.pem\n{SETTINGS}"));
    let program = ["--signer-command", "./sign good", PUBLIC[0], PUBLIC[1]];
    let key = ("BELTIC_KEY", "key.pem");
    for (args, variables, said) in [
        (
            [&["--key", "key.pem"][..], &program].concat(),
            vec![],
            "the flags: both --key and --signer-command are set",
        ),
        (
            vec![],
            vec![key, ("BELTIC_SIGNER_COMMAND", "./sign good")],
            "the environment: both BELTIC_KEY and BELTIC_SIGNER_COMMAND are set",
        ),
        (vec!["--config", "both.yaml"], vec![], "both.yaml: both key and signer.command are set"),
        (vec!["--signer-command", "./sign good"], vec![], "--signer-command needs the public half"),
        (vec!["--key", "key.pem", "--public-key", "issuer.jwk"], vec![], "--public-key is the public half"),
        ([&program[..], &["--passphrase-file", "p"]].concat(), vec![], "--passphrase-file is for key files"),
        (
            vec!["--signer-command", "./sign 'good", "--public-key", "issuer.jwk"],
            vec![],
            "ends within quotes",
        ),
        (vec!["--signer-command", "", "--public-key", "issuer.jwk"], vec![], "--signer-command"),
        (vec!["--signer-command", " ", "--public-key", "issuer.jwk"], vec![], "is empty"),
    ] {
        let run = issue(&yard, &args, &variables).expect(2);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
    // A flag has more weight than a variable.
    issue(&yard, &program, &[key]).expect(0);
    issue(&yard, &["--key", "key.pem"], &[("BELTIC_SIGNER_COMMAND", "./none")]).expect(0);
    assert_eq!(yard.count("starts"), 1);
}

/// No shell takes part: what has a meaning for one is an argument like any other.
#[test]
fn words_are_those_of_a_shell_without_one() {
    let yard = yard();
    yard.sandbox.write("show", "#!/bin/sh\nprintf '<%s>' \"$@\" >arguments\nexec ./sign good\n");
    set_mode(&yard.sandbox.path("show"), 0o700);
    let command = r#"./show 'two words' "a \"b\"" $HOME `id` a;b | > x"#;
    let run = issue(&yard, &["--signer-command", command, "--public-key", "issuer.jwk"], &[]).expect(0);
    assert_eq!(yard.sandbox.read("arguments"), r#"<two words><a "b"><$HOME><`id`><a;b><|><>><x>"#);
    assert_eq!(run.rows().len(), 2);
}

#[test]
fn arguments_and_secrets_are_not_shown_and_not_passed_on() {
    let yard = yard();
    let passphrase = [("BELTIC_KEY_PASSPHRASE", "correct horse")];
    issue(&yard, &["--signer-command", "./sign good", "--public-key", "issuer.jwk"], &passphrase).expect(0);
    let names = yard.sandbox.read("signer/environment");
    assert!(names.contains("HOME") && !names.contains("BELTIC_KEY_PASSPHRASE"), "{names}");
    for (command, code) in [
        ("./none --pin 4711-secret", 5),
        ("PIN=4711-secret ./sign good", 2),
        ("./sign garbage 0 4711-secret", 5),
        ("./sign 'dies 4711-secret", 2),
    ] {
        let args = ["--signer-command", command, "--public-key", "issuer.jwk"];
        for log_format in ["text", "json"] {
            let run = issue(&yard, &[&args[..], &["--log-format", log_format]].concat(), &[]).expect(code);
            assert!(!run.stderr.contains("4711"), "{command}: {}", run.stderr);
        }
        let doctor = [&["doctor"][..], &args].concat();
        let run = yard.sandbox.beltic(&doctor);
        assert!(!run.stdout.contains("4711") && !run.stderr.contains("4711"), "{command}: {}", run.stdout);
        let run = Run::of(
            yard.sandbox.command(&["doctor"]).env("BELTIC_SIGNER_COMMAND", command).output().unwrap(),
        );
        assert!(!run.stdout.contains("4711") && !run.stderr.contains("4711"), "{command}: {}", run.stdout);
    }
    // A key where its public half, or the program, is expected.
    let key = yard.sandbox.read("signer/key.pem");
    let run =
        issue(&yard, &["--signer-command", "./sign good", "--public-key", "signer/key.pem"], &[]).expect(5);
    assert!(!run.stderr.contains("MIGH"), "{}", run.stderr);
    let run = issue(&yard, &["--signer-command", &key, "--public-key", "issuer.jwk"], &[]);
    assert!(run.code != 0 && !run.stderr.contains("MIGH"), "{}", run.stderr);
}
