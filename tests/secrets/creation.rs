//! Who may read what is written, and what becomes of links and pipes in its place.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use crate::readers::machine::skip;
use crate::support::*;

/// Runs the program under a umask.
fn under_umask(sandbox: &Sandbox, umask: &str, args: &str) -> Run {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", umask, env!("CARGO_BIN_EXE_beltic")]);
    shell.args(args.split(' ')).current_dir(sandbox.path("")).env_clear();
    Run::of(shell.output().unwrap())
}

fn mode(sandbox: &Sandbox, name: &str) -> String {
    let metadata = sandbox.path(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}"));
    format!("{:o}", metadata.permissions().mode() & 0o777)
}

/// Keys and the ledger are their owner's whatever the umask is; results and the site are for whom it allows.
#[test]
fn secrets_are_their_owners_under_every_umask() {
    for (umask, shared_file, shared_folder) in
        [("000", "666", "777"), ("022", "644", "755"), ("077", "600", "700")]
    {
        let sandbox = Sandbox::new();
        sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
        under_umask(&sandbox, umask, "keygen --out k/e/y.pem").expect(0);
        let issue = "batch-issue items.ndjson --key k/e/y.pem --ledger l/l.db --out results --failed failed --summary s";
        under_umask(&sandbox, umask, issue).expect(3);
        under_umask(&sandbox, umask, "publish --out site --key k/e/y.pem --ledger l/l.db").expect(0);
        for name in ["k/e/y.pem", "l/l.db", "l/l.db.mark"] {
            assert_eq!(mode(&sandbox, name), "600", "{name} under {umask}");
        }
        for name in ["k", "k/e", "l"] {
            assert_eq!(mode(&sandbox, name), "700", "{name} under {umask}");
        }
        for name in ["k/e/y.pub.jwk", "results", "failed", "s", "site/.well-known/jwks.json"] {
            assert_eq!(mode(&sandbox, name), shared_file, "{name} under {umask}");
        }
        assert_eq!(mode(&sandbox, "site"), shared_folder, "under {umask}");
    }
}

/// The ledger's log is as private as the ledger, while both are in use.
#[test]
fn the_log_of_the_ledger_is_private_too() {
    use std::io::{BufRead, BufReader, Write};
    let sandbox = Sandbox::with_issuer_key();
    let mut command = sandbox.command(&["batch-issue", "-", "--input-format", "ndjson", "--ledger", "l.db"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", item("a")).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    for name in ["l.db", "l.db-wal", "l.db-shm", "l.db.mark"] {
        assert_eq!(mode(&sandbox, name), "600", "{name}");
    }
    drop(stdin);
    child.wait().unwrap();
}

/// What stands in the place of a key stays as it is, and what it points to is neither made nor changed.
#[test]
fn nothing_is_written_in_the_place_of_a_key_that_is_taken() {
    let sandbox = Sandbox::new();
    sandbox.write("precious", "precious\n");
    symlink(sandbox.path("nowhere"), sandbox.path("dangling.pem")).unwrap();
    symlink(sandbox.path("precious"), sandbox.path("link.pem")).unwrap();
    symlink(sandbox.path("loop.pem"), sandbox.path("loop.pem")).unwrap();
    fs::hard_link(sandbox.path("precious"), sandbox.path("hard.pem")).unwrap();
    fs::create_dir(sandbox.path("folder.pem")).unwrap();
    let mut names = vec!["dangling.pem", "link.pem", "loop.pem", "hard.pem", "folder.pem"];
    match Command::new("mkfifo").arg(sandbox.path("pipe.pem")).status() {
        Ok(status) if status.success() => names.push("pipe.pem"),
        failed => skip(format_args!("a pipe in the place of a key; mkfifo: {failed:?}")),
    }
    for name in &names {
        let before = sandbox.path(name).symlink_metadata().unwrap();
        sandbox.beltic(&["keygen", "--out", name]).expect(5);
        let after = sandbox.path(name).symlink_metadata().unwrap();
        assert_eq!((before.ino(), before.file_type()), (after.ino(), after.file_type()), "{name}");
        assert!(!sandbox.has(&name.replace(".pem", ".pub.jwk")), "{name}");
    }
    assert_eq!(sandbox.read("precious"), "precious\n");
    assert!(!sandbox.has("nowhere"));
    if names.contains(&"pipe.pem") {
        assert!(sandbox.path("pipe.pem").symlink_metadata().unwrap().file_type().is_fifo());
    }
}

/// A link in the place of results or of a public key is replaced, and what it points to stays as it is.
#[test]
fn links_in_the_place_of_results_are_not_written_through() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
    let names = ["results", "failed", "summary", ".beltic/issuer.pub.jwk"];
    for name in names {
        sandbox.write(&format!("{name}.precious"), "precious\n");
        symlink(sandbox.path(&format!("{name}.precious")), sandbox.path(name)).unwrap();
    }
    sandbox.issue("items.ndjson --out results --failed failed --summary summary --force").expect(3);
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    for name in names {
        assert!(sandbox.path(name).symlink_metadata().unwrap().is_file(), "{name}");
        assert_eq!(sandbox.read(&format!("{name}.precious")), "precious\n");
    }
    // Without --force a link is a file that is there.
    symlink(sandbox.path("nowhere"), sandbox.path("dangling")).unwrap();
    sandbox.issue("items.ndjson --out dangling").expect(6);
    assert!(!sandbox.has("nowhere"));
}
