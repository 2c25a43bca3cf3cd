//! What `-o, --out` and the other flags that name an output file may write, and how: one decision for all of them.
#![cfg(unix)]

use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
    sandbox.issue("items.ndjson --out issued.ndjson").expect(3);
    let row = rows(&sandbox.read("issued.ndjson")).remove(0).into_credential();
    sandbox.write("id.txt", row.id);
    sandbox.write("token.txt", row.signed_payload);
    sandbox
}

/// A command for every flag that takes an output file, without that file.
const WRITERS: [&str; 11] = [
    "batch-issue items.ndjson --ledger none --out",
    "batch-issue items.ndjson --ledger none --failed",
    "batch-issue items.ndjson --ledger none --summary",
    "verify token.txt --key .beltic/issuer.pub.jwk --no-status --out",
    "inspect token.txt --out",
    "list --out",
    "list --events --verify --out",
    "show ID --out",
    "schema --out",
    "template csv --out",
    "revoke --from id.txt --dry-run --out",
];

/// `present` needs a token of the other form, and is tried with a folder only.
fn words(sandbox: &Sandbox, writer: &str, target: &str, more: &[&str]) -> Vec<String> {
    let id = sandbox.read("id.txt");
    let words = writer.split(' ').map(|word| if word == "ID" { id.clone() } else { word.to_owned() });
    words.chain([target.to_owned()]).chain(more.iter().map(ToString::to_string)).collect()
}

fn run(sandbox: &Sandbox, writer: &str, target: &str, more: &[&str]) -> Run {
    let words = words(sandbox, writer, target, more);
    sandbox.beltic(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn public_key(sandbox: &Sandbox) {
    std::fs::copy(key_fixture("p256-public.jwk"), sandbox.path(".beltic/issuer.pub.jwk")).unwrap();
}

#[test]
fn an_existing_file_is_overwritten_by_force_only_and_a_link_is_replaced() {
    let sandbox = sandbox();
    public_key(&sandbox);
    for writer in WRITERS {
        sandbox.write("target", "precious");
        symlink("target", sandbox.path("link")).unwrap();
        for name in ["target", "link"] {
            let refused = run(&sandbox, writer, name, &[]).expect(6);
            let said = format!("{name} already exists");
            assert!(
                refused.stderr.contains(&said) && refused.stderr.contains("--force"),
                "{}",
                refused.stderr
            );
            assert_eq!(refused.stdout, "", "{writer}: refused before anything is done");
        }
        let done = run(&sandbox, writer, "link", &["--force"]);
        assert!(matches!(done.code, 0 | 3), "{writer}: {}", done.stderr);
        assert_eq!(sandbox.read("target"), "precious", "{writer}: the link's target");
        assert!(sandbox.path("link").symlink_metadata().unwrap().is_file(), "{writer}");
        assert!(!sandbox.read("link").is_empty(), "{writer}");
        std::fs::remove_file(sandbox.path("link")).unwrap();
    }
}

#[test]
fn a_folder_is_refused_before_anything_is_issued() {
    let sandbox = sandbox();
    public_key(&sandbox);
    sandbox.write("folder/file", "");
    let before = sandbox.recorded();
    for writer in WRITERS.map(|writer| writer.replace(" --ledger none", "")) {
        for (target, force) in [("folder", &["--force"][..]), ("folder", &[]), ("new/", &[])] {
            let refused = run(&sandbox, &writer, target, force).expect(6);
            assert!(refused.stderr.contains("is a directory"), "{writer}: {}", refused.stderr);
            assert!(!refused.stderr.contains("--force"), "{writer}: {}", refused.stderr);
        }
    }
    assert_eq!(sandbox.recorded(), before);
    sandbox.beltic(&["present", "token.txt", "--out", "folder", "--force"]).expect(6);
}

/// A named pipe stays one, and its reader gets what a file would hold.
#[test]
fn a_pipe_is_written_through_and_needs_no_force() {
    let sandbox = sandbox();
    public_key(&sandbox);
    if !Command::new("mkfifo").arg(sandbox.path("pipe")).status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no mkfifo");
        return;
    }
    for writer in WRITERS {
        for force in [&[][..], &["--force"]] {
            // What comes out goes to a file: a pipe that nobody reads would fill up.
            let read = std::fs::File::create(sandbox.path("read")).unwrap();
            let mut reader = Command::new("cat").arg(sandbox.path("pipe")).stdout(read).spawn().unwrap();
            let done = run(&sandbox, writer, "pipe", force);
            assert!(matches!(done.code, 0 | 3), "{writer}: {}", done.stderr);
            assert!(sandbox.path("pipe").symlink_metadata().unwrap().file_type().is_fifo(), "{writer}");
            assert!(reader.wait().unwrap().success());
            let read = sandbox.read("read");
            assert!(read.ends_with('\n'), "{writer}: {read}");
        }
    }
}

/// Devices of our own, made in the sandbox; never the system's.
#[test]
fn a_device_is_written_through() {
    let sandbox = sandbox();
    public_key(&sandbox);
    let made =
        Command::new("mknod").arg(sandbox.path("null")).args(["c", "1", "3"]).stderr(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: only root makes devices");
        return;
    }
    symlink("null", sandbox.path("to-null")).unwrap();
    for writer in WRITERS {
        for name in ["null", "to-null"] {
            for force in [&[][..], &["--force"]] {
                let done = run(&sandbox, writer, name, force);
                // A sandbox on a file system without devices cannot open them.
                if done.stderr.contains("Permission denied") {
                    println!("skipped: devices cannot be opened here");
                    return;
                }
                assert!(matches!(done.code, 0 | 3), "{writer}: {}", done.stderr);
                let kind = sandbox.path("null").symlink_metadata().unwrap().file_type();
                assert!(kind.is_char_device(), "{writer}: the device was replaced");
                assert!(sandbox.path("to-null").symlink_metadata().unwrap().is_symlink(), "{writer}");
            }
        }
    }
    // One device may take several outputs.
    sandbox.issue("items.ndjson --ledger none --out null --failed null --summary null").expect(3);
}

/// What the shell has opened, by its number: `>(cmd)` and `3>file`.
#[test]
fn descriptors_are_written_through() {
    let sandbox = sandbox();
    if !Path::new("/dev/fd/0").exists() {
        println!("skipped: there is no /dev/fd");
        return;
    }
    sandbox.write("log", "before\n");
    let program = env!("CARGO_BIN_EXE_beltic");
    let script = format!(
        "{program} batch-issue items.ndjson --ledger none --out /dev/fd/3 --summary /dev/stdout 3>>log"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(sandbox.path("")).env("HOME", sandbox.path(""));
    let run = Run::of(command.output().unwrap()).expect(3);
    assert!(run.stdout.starts_with('{') && run.stdout.contains("success_count"), "{}", run.stdout);
    let log = sandbox.read("log");
    assert_eq!(rows(log.strip_prefix("before\n").unwrap()).len(), 2);
}

/// `-` is standard output, as for inputs.
#[test]
fn a_dash_is_standard_output() {
    let sandbox = sandbox();
    let run = sandbox.issue("items.ndjson --ledger none --out -").expect(3);
    assert_eq!(run.rows().len(), 2);
    assert!(!sandbox.has("-"));
}

/// The extension names the form, unless a flag does.
#[test]
fn the_extension_decides_the_form() {
    let sandbox = sandbox();
    public_key(&sandbox);
    let begins = |name: &str, start: &str| {
        let text = sandbox.read(name);
        assert!(text.starts_with(start), "{name}: {text}");
    };
    for (name, start) in [
        ("r.csv", "index,"),
        ("r.json", "{\"results\":["),
        ("r.NDJSON", "{\"index\":0"),
        ("r.jsonl", "{\"index\":0"),
        ("r.jwt", "eyJ"),
        ("r.txt", "issued"),
        ("r.out", "{\"index\":0"),
    ] {
        sandbox.issue(&format!("items.ndjson --ledger none -o {name}")).expect(3);
        begins(name, start);
    }
    sandbox.issue("items.ndjson --ledger none -o t.csv --output-format jwt").expect(3);
    begins("t.csv", "eyJ");
    run(&sandbox, "list --out", "list.csv", &[]).expect(0);
    begins("list.csv", "id,issuer_did,");
    run(&sandbox, "inspect token.txt --out", "token.json", &[]).expect(0);
    begins("token.json", "{");
    run(&sandbox, "show ID --out", "show.txt", &[]).expect(0);
    run(&sandbox, "show ID --out", "show.ndjson", &[]).expect(0);
    begins("show.ndjson", "{");
    let refused = run(&sandbox, "list --out", "list.jwt", &[]).expect(2);
    assert!(
        refused.stderr.contains("this command cannot write jwt; expected ndjson, text, csv"),
        "{}",
        refused.stderr
    );
    assert!(!sandbox.has("list.jwt"));
}

/// Where the name cannot be had in the end, nothing was delivered, and that is what is said.
#[test]
fn a_file_that_cannot_have_its_name_delivers_nothing() {
    use std::io::{BufRead, Write};
    let sandbox = sandbox();
    let args = ["batch-issue", "--out", "out", "--failed", "failed.ndjson", "--summary", "s.json"];
    let mut child = sandbox.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}\n{{\"request\":1}}", item("z")).unwrap();
    // A warning or the like is not needed: the ledger says that the run has begun.
    while sandbox.recorded() < 2 {
        std::thread::yield_now();
    }
    sandbox.write("out/in the way", "");
    drop(stdin);
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let stderr: Vec<String> = stderr.lines().map(Result::unwrap).collect();
    let stderr = stderr.join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(6), "{stderr}");
    assert!(stderr.contains("no results were written"), "{stderr}");
    assert!(!stderr.contains("written up to"), "{stderr}");
    assert!(stderr.contains("issued 1, failed 1") && stderr.contains("--idempotency-key"), "{stderr}");
    let summary: serde_json::Value = serde_json::from_str(&sandbox.read("s.json")).unwrap();
    assert_eq!((&summary["exit_code"], &summary["success_count"]), (&6.into(), &1.into()));
}

/// A program that is started without a standard output would lose its results.
#[test]
fn a_closed_standard_output_is_refused_before_anything_is_issued() {
    let sandbox = sandbox();
    let before = sandbox.recorded();
    let program = env!("CARGO_BIN_EXE_beltic");
    let shell = |args: &str, code: i32| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{program} {args}")]);
        command.current_dir(sandbox.path("")).env("HOME", sandbox.path(""));
        Run::of(command.output().unwrap()).expect(code)
    };
    let refused = shell("batch-issue items.ndjson >&-", 6);
    assert!(refused.stderr.contains("standard output is closed"), "{}", refused.stderr);
    assert_eq!(sandbox.recorded(), before);
    shell("batch-issue items.ndjson --ledger none > /dev/null", 3);
    shell("batch-issue items.ndjson --ledger none --out kept.ndjson >&-", 3);
    shell("batch-issue items.ndjson --dry-run >&-", 3);
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        shell(&format!("batch-issue items.ndjson --out {name} >&-"), 6);
    }
    assert_eq!(sandbox.recorded(), before);
    shell("schema >&-", 0);
}

/// `--force` replaces files, but none that the command reads, and nothing of the ledger, the key or the settings.
#[test]
fn what_a_command_needs_is_not_overwritten() {
    let sandbox = sandbox();
    public_key(&sandbox);
    sandbox.write(".beltic.yaml", "developer_id: d\n");
    sandbox.copy_key("p256-pkcs8.pem", "key.pem");
    let ledger =
        ["", "-wal", "-shm", "-journal", ".mark", ".lock"].map(|end| format!(".beltic/ledger.db{end}"));
    let ledger: Vec<&str> = ledger.iter().map(String::as_str).collect();
    let issue = [&ledger[..], &["items.ndjson", "key.pem", ".beltic.yaml"]].concat();
    let change = [&ledger[..], &["id.txt", ".beltic.yaml"]].concat();
    let look = [&ledger[..], &[".beltic.yaml"]].concat();
    let cases: [(&str, &[&str]); 9] = [
        ("batch-issue items.ndjson --key key.pem --out", &issue),
        ("batch-issue items.ndjson --key key.pem --failed", &issue),
        ("batch-issue items.ndjson --key key.pem --summary", &issue),
        ("revoke --from id.txt --out", &change),
        ("list --out", &look),
        ("show ID --out", &look),
        ("ledger backup", &look),
        (
            "verify token.txt --key .beltic/issuer.pub.jwk --no-status --out",
            &["token.txt", ".beltic/issuer.pub.jwk"],
        ),
        ("inspect token.txt --out", &["token.txt"]),
    ];
    let recorded = sandbox.recorded();
    for (writer, targets) in cases {
        for target in targets {
            let before = std::fs::read(sandbox.path(target)).ok();
            let refused = run(&sandbox, writer, target, &["--force"]).expect(2);
            assert!(refused.stderr.contains("would be overwritten"), "{writer} {target}: {}", refused.stderr);
            // Whoever opens the ledger may write into it.
            let of_ledger = target.contains("ledger.db");
            assert!(of_ledger || std::fs::read(sandbox.path(target)).ok() == before, "{writer} {target}");
        }
    }
    assert_eq!(sandbox.recorded(), recorded);
    sandbox.beltic(&["ledger", "check"]).expect(0);
}

#[test]
fn accepted_failures_and_empty_inputs_are_code_0() {
    let sandbox = sandbox();
    sandbox.issue("items.ndjson --ledger none --accept-failures").expect(0);
    sandbox.write_items("bad.ndjson", &[without(item("b"), "/request/claims")]);
    sandbox.issue("bad.ndjson --ledger none --accept-failures").expect(0);
    sandbox.issue("bad.ndjson --ledger none --accept-failures --max-failures 0").expect(7);
    for (name, text) in [
        ("zero.csv", ""),
        ("blank.ndjson", "\n\n"),
        ("none.json", "{\"items\":[]}"),
        ("none-2.json", "[]"),
        ("header.csv", "subject.id,claims.jurisdiction,self_attestation_complete\n"),
    ] {
        sandbox.write(name, text);
        sandbox.issue(&format!("{name} --ledger none")).expect(4);
        for (form, expected) in [
            ("ndjson", ""),
            ("text", ""),
            ("jwt", ""),
            ("json", "{\"results\":[],\"success_count\":0,\"failure_count\":0}"),
        ] {
            let args = format!(
                "{name} --ledger none --allow-empty --output-format {form} --out r --summary s --force"
            );
            let run = sandbox.issue(&args).expect(0);
            assert!(run.stderr.contains("issued 0, failed 0"), "{name}: {}", run.stderr);
            let found: String = sandbox.read("r").split_whitespace().collect();
            assert_eq!(found, expected, "{name} as {form}");
            assert!(sandbox.read("s").contains("\"exit_code\": 0"));
        }
        sandbox
            .issue(&format!("{name} --ledger none --allow-empty --output-format csv --out r --force"))
            .expect(0);
        assert!(sandbox.read("r").starts_with("index,") && sandbox.read("r").lines().count() == 1);
        assert_eq!(
            sandbox.issue(&format!("{name} bad.ndjson --ledger none --allow-empty")).expect(3).rows().len(),
            1
        );
    }
    sandbox.write("other.json", "{\"data\":[]}");
    sandbox.issue("other.json --ledger none --allow-empty").expect(4);
}
