//! `beltic keygen`.

use crate::readers::exact::Exact;
use crate::readers::token::{TokenKey, base64url};
use crate::support::*;

/// The value of a line of the report: `kid     did:key:…`.
fn reported<'r>(run: &'r Run, name: &str) -> &'r str {
    let line = run.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {}", run.stdout)).split_whitespace().nth(1).unwrap()
}

/// A private key, a public one beside it, and a report that names both.
#[test]
fn a_key_and_its_public_jwk_are_made() {
    let sandbox = Sandbox::new();
    let run = sandbox.beltic(&["keygen"]).expect(0);
    let pem = sandbox.read(".beltic/issuer.pem");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8");
    assert!(pem.ends_with("-----END PRIVATE KEY-----\n"));
    let jwk = Exact::parse(&sandbox.read(".beltic/issuer.pub.jwk"));
    let mut names = jwk.names();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"], "nothing private");
    for (name, value) in [("kty", "EC"), ("crv", "P-256"), ("alg", "ES256"), ("use", "sig")] {
        assert_eq!(jwk.text_of(name), value);
    }
    TokenKey::from_jwk_file(&sandbox.path(".beltic/issuer.pub.jwk"));

    assert_eq!(reported(&run, "key"), ".beltic/issuer.pem");
    assert_eq!(reported(&run, "public"), ".beltic/issuer.pub.jwk");
    assert_eq!(reported(&run, "kid"), jwk.text_of("kid"));
    let did = reported(&run, "did");
    assert_eq!(jwk.text_of("kid"), format!("{did}#{}", did.strip_prefix("did:key:").unwrap()));
    assert_eq!(run.stderr, "");
}

/// The secret does not leave its file.
#[test]
fn nothing_of_the_private_key_is_shown() {
    let sandbox = Sandbox::new();
    let run = sandbox.beltic(&["keygen"]).expect(0);
    let pem = sandbox.read(".beltic/issuer.pem");
    let secret: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let jwk = sandbox.read(".beltic/issuer.pub.jwk");
    for piece in secret.as_bytes().windows(16).step_by(8) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!run.stdout.contains(piece) && !run.stderr.contains(piece) && !jwk.contains(piece));
    }
}

#[cfg(unix)]
#[test]
fn the_private_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen"]).expect(0);
    sandbox.beltic(&["keygen", "--out", "deep/er/key.pem"]).expect(0);
    let mode = |name: &str| sandbox.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".beltic/issuer.pem"), 0o600);
    assert_eq!(mode("deep/er/key.pem"), 0o600);
    assert_eq!(mode(".beltic"), 0o700);
}

#[test]
fn an_existing_file_is_never_replaced() {
    let sandbox = Sandbox::new();
    for (name, content) in [(".beltic/issuer.pem", "precious\n"), ("other.pem", "")] {
        sandbox.write(name, content);
        let run = sandbox.beltic(&["keygen", "--out", name]).expect(5);
        assert!(run.stderr.contains(name) && run.stderr.contains("--if-missing"), "{}", run.stderr);
        assert_eq!(sandbox.read(name), content);
        assert_eq!(run.stdout, "");
    }
    sandbox.beltic(&["keygen"]).expect(5);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", sandbox.path("link.pem")).unwrap();
        sandbox.beltic(&["keygen", "--out", "link.pem"]).expect(5);
        assert!(!sandbox.has("nowhere"), "a dangling link is not followed");
    }
}

/// `--if-missing` makes a key once, and reports the same one each time.
#[test]
fn if_missing_keeps_the_key() {
    let sandbox = Sandbox::new();
    let first = sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let (pem, jwk) = (sandbox.read(".beltic/issuer.pem"), sandbox.read(".beltic/issuer.pub.jwk"));
    let second = sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(sandbox.read(".beltic/issuer.pem"), pem);
    assert_eq!(sandbox.read(".beltic/issuer.pub.jwk"), jwk);
    // A public file that was lost is made again.
    std::fs::remove_file(sandbox.path(".beltic/issuer.pub.jwk")).unwrap();
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    assert_eq!(sandbox.read(".beltic/issuer.pub.jwk"), jwk);
    // What is there must be a key.
    sandbox.write("notes.pem", "no key\n");
    sandbox.beltic(&["keygen", "--if-missing", "--out", "notes.pem"]).expect(5);
}

#[test]
fn if_missing_opens_an_encrypted_key_with_its_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.copy_key("p256-encrypted.pem", ".beltic/issuer.pem");
    sandbox.write("passphrase", "correct horse\n");
    sandbox.beltic(&["keygen", "--if-missing"]).expect(5);
    let run = sandbox.beltic(&["keygen", "--if-missing", "--passphrase-file", "passphrase"]).expect(0);
    assert_eq!(reported(&run, "did"), DID_KEY);
}

/// Several processes that start at once agree on one key.
#[test]
fn processes_at_once_make_one_key() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..6).map(|_| sandbox.spawn(&["keygen", "--if-missing"])).collect();
    let reports: Vec<_> = children
        .into_iter()
        .map(|child| Run::of(child.wait_with_output().unwrap()).expect(0).stdout)
        .collect();
    assert!(reports.iter().all(|report| *report == reports[0]), "{reports:?}");
}

#[test]
fn the_public_file_has_the_keys_name() {
    let sandbox = Sandbox::new();
    for (name, public) in [("keys/2027.pem", "keys/2027.pub.jwk"), ("plain", "plain.pub.jwk")] {
        let run = sandbox.beltic(&["keygen", "--out", name]).expect(0);
        assert_eq!((reported(&run, "key"), reported(&run, "public")), (name, public));
        assert!(sandbox.has(name) && sandbox.has(public));
    }
}

/// The issuer decides the kid (docs/keys.md).
#[test]
fn the_kid_follows_from_the_issuer() {
    let sandbox = Sandbox::new();
    sandbox.copy_key("p256-pkcs8.pem", ".beltic/issuer.pem");
    for (issuer, kid, label) in [
        ("did:web:issuer.example", format!("did:web:issuer.example#{THUMBPRINT}"), "did"),
        ("https://issuer.example", THUMBPRINT.to_owned(), "issuer"),
    ] {
        let run = sandbox.beltic(&["keygen", "--if-missing", "--issuer", issuer]).expect(0);
        assert_eq!((reported(&run, "kid"), reported(&run, label)), (kid.as_str(), issuer));
        let jwk = Exact::parse(&sandbox.read(".beltic/issuer.pub.jwk"));
        assert_eq!(jwk.text_of("kid"), kid);
    }
    sandbox.write(".beltic.yaml", "issuer:\n  did: did:web:settings.example\n");
    let run = sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    assert_eq!(reported(&run, "did"), "did:web:settings.example");
}

/// An issuer that cannot be used is found before a key is made.
#[test]
fn a_bad_issuer_leaves_no_key_behind() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen", "--issuer", "issuer.example"]).expect(2);
    assert!(!sandbox.has(".beltic/issuer.pem"));
}

/// No two keys are alike.
#[test]
fn keys_differ() {
    let sandbox = Sandbox::new();
    let mut coordinates = std::collections::HashSet::new();
    for name in ["a.pem", "b.pem", "c.pem"] {
        sandbox.beltic(&["keygen", "--out", name]).expect(0);
        let jwk = Exact::parse(&sandbox.read(&name.replace(".pem", ".pub.jwk")));
        assert!(coordinates.insert(base64url(jwk.text_of("x"))));
    }
}

/// A passphrase that is given encrypts the key, wherever it comes from; OpenSSL opens it, too.
#[test]
fn a_passphrase_encrypts_the_new_key() {
    let sandbox = Sandbox::new();
    sandbox.write("passphrase", "correct horse\n");
    sandbox.beltic(&["keygen", "--passphrase-file", "passphrase", "--out", "by-file.pem"]).expect(0);
    let with_variable = |args: &[&str]| {
        let output = sandbox.command(args).env("BELTIC_KEY_PASSPHRASE", "correct horse").output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for args in
        [&["keygen", "--out", "by-variable.pem"][..], &["keygen", "--encrypt", "--out", "by-both.pem"]]
    {
        assert_eq!(with_variable(args), (0, String::new()));
    }
    sandbox.write_items("items.ndjson", &items(1));
    for name in ["by-file.pem", "by-variable.pem", "by-both.pem"] {
        let pem = sandbox.read(name);
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{name}");
        let issue = ["batch-issue", "items.ndjson", "--ledger", "none", "--key", name];
        assert_eq!(with_variable(&issue).0, 0, "{name}");
        let without = sandbox.beltic(&issue).expect(5);
        assert!(without.stderr.contains("no passphrase was given"), "{}", without.stderr);
        let openssl = std::process::Command::new("openssl")
            .args(["pkey", "-noout", "-text", "-passin", "pass:correct horse", "-in"])
            .arg(sandbox.path(name))
            .output();
        match openssl {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(output.status.success() && text.contains("prime256v1"), "{name}: {text}");
            }
            Err(error) => crate::readers::machine::skip(format_args!("openssl: {error}")),
        }
    }
}

/// No passphrase, an empty one, and one that cannot be read: no key is left behind.
#[test]
fn a_key_that_cannot_be_encrypted_is_not_made() {
    let sandbox = Sandbox::new();
    sandbox.write("empty", "\n");
    for (args, said) in [
        (&["keygen", "--encrypt"][..], "no passphrase was given for the new key"),
        (&["keygen", "--passphrase-file", "empty"], "the passphrase is empty"),
        (&["keygen", "--passphrase-file", "missing"], "cannot be read"),
    ] {
        let run = sandbox.beltic(args).expect(5);
        assert!(run.stderr.contains(said) && run.stderr.contains("--passphrase-file FILE"), "{}", run.stderr);
        assert!(!sandbox.has(".beltic/issuer.pem"));
    }
    let run = sandbox.command(&["keygen"]).env("BELTIC_KEY_PASSPHRASE", "").output().unwrap();
    assert_eq!(run.status.code(), Some(5));
}

/// Inside a project, another key is another issuer: nobody makes one by accident.
#[test]
fn a_second_issuer_inside_a_project_takes_a_yes() {
    let sandbox = Sandbox::new();
    sandbox.write(".beltic.yaml", "issuer:\n  did: did:web:issuer.example\n");
    std::fs::create_dir(sandbox.path("inner")).unwrap();
    let inner = |args: &[&str]| {
        let output = sandbox.command(args).current_dir(sandbox.path("inner")).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, _, stderr) = inner(&["keygen"]);
    assert!(code == 2 && stderr.contains("is inside the project") && stderr.contains("`--yes`"), "{stderr}");
    assert!(!sandbox.has("inner/.beltic") && !sandbox.has(".beltic"));
    // A file that is named is no identity of the folder.
    let (code, stdout, _) = inner(&["keygen", "--out", "next.pem"]);
    assert!(code == 0 && stdout.contains("did:web:issuer.example"), "{stdout}");
    let (code, stdout, _) = inner(&["keygen", "--yes"]);
    assert!(code == 0 && stdout.contains("did:key:") && !stdout.contains("did:web"), "{stdout}");
    assert!(sandbox.has("inner/.beltic/issuer.pem") && !sandbox.has(".beltic"));
    // Now the folder is a project of its own, and a key of the outer one is kept where it is asked for.
    assert_eq!(inner(&["keygen", "--if-missing"]).0, 0);
    sandbox.beltic(&["keygen"]).expect(0);
    std::fs::create_dir(sandbox.path("other")).unwrap();
    let output =
        sandbox.command(&["keygen", "--if-missing"]).current_dir(sandbox.path("other")).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!sandbox.has("other/.beltic"));
}

/// A public key whose private key is gone is not written over, nor is that of another key.
#[test]
fn a_public_key_of_another_key_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen"]).expect(0);
    let public = sandbox.read(".beltic/issuer.pub.jwk");
    std::fs::remove_file(sandbox.path(".beltic/issuer.pem")).unwrap();
    for args in [&["keygen"][..], &["keygen", "--if-missing"], &["init", "--yes"]] {
        let run = sandbox.beltic(args).expect(5);
        assert!(run.stderr.contains("without its private key"), "{args:?}: {}", run.stderr);
        assert!(!sandbox.has(".beltic/issuer.pem") && !sandbox.has(".beltic.yaml"), "{args:?}");
    }
    sandbox.copy_key("p256-pkcs8.pem", ".beltic/issuer.pem");
    for args in [&["keygen", "--if-missing"][..], &["init", "--yes"]] {
        let run = sandbox.beltic(args).expect(5);
        assert!(run.stderr.contains("belongs to another key"), "{args:?}: {}", run.stderr);
        assert!(!sandbox.has(".beltic.yaml"), "{args:?}");
    }
    assert_eq!(sandbox.read(".beltic/issuer.pub.jwk"), public);
}

/// On a terminal the passphrase is asked for twice, and again where the two differ; it is never shown.
#[cfg(unix)]
#[test]
fn a_passphrase_is_typed_twice() {
    use crate::asking::{on_terminal, started_by};
    let sandbox = Sandbox::new();
    // Passphrases are read from the terminal that controls the session.
    let starter = ["setsid", "--ctty", "--wait"];
    if !std::process::Command::new("setsid").arg("--version").output().is_ok_and(|run| run.status.success()) {
        return crate::readers::machine::skip("setsid is missing");
    }
    let keygen = || started_by(&starter, &sandbox.command(&["keygen", "--encrypt"]));
    let (code, shown) = on_terminal(&mut keygen(), "\n");
    assert!(code == 5 && shown.contains("the passphrase is empty"), "{shown}");
    assert!(!sandbox.has(".beltic/issuer.pem"));
    let (code, shown) =
        on_terminal(&mut keygen(), "correct horse\ncorect horse\ncorrect horse\ncorrect horse\n");
    assert!(code == 0 && shown.contains("The two are different"), "{shown}");
    assert!(sandbox.read(".beltic/issuer.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    sandbox.write("passphrase", "correct horse\n");
    sandbox.beltic(&["keygen", "--if-missing", "--passphrase-file", "passphrase"]).expect(0);
}

/// Inside a project, somebody at a terminal is asked.
#[cfg(unix)]
#[test]
fn a_second_issuer_is_asked_about_on_a_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write(".beltic.yaml", "jobs: 1\n");
    std::fs::create_dir(sandbox.path("inner")).unwrap();
    for (typed, expected) in [("n\n", 2), ("\u{4}", 2), ("y\n", 0)] {
        let mut keygen = sandbox.command(&["keygen"]);
        let (code, shown) = crate::asking::on_terminal(keygen.current_dir(sandbox.path("inner")), typed);
        assert!(code == expected && shown.contains("Make a second issuer here? [y/N]"), "{typed:?}: {shown}");
        assert_eq!(sandbox.has("inner/.beltic/issuer.pem"), expected == 0, "{typed:?}");
    }
}
