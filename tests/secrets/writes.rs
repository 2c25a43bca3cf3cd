//! Each command writes where its arguments say, and nowhere else: as strace sees it, and as the folders show that
//! programs use without being asked. Left out where strace is missing or may not trace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::readers::machine::skip;
use crate::support::*;

/// The working directory, a home and a folder for temporary files, all of which stay empty. Named paths are in a
/// fourth folder, `named`.
const WORKING: &str = "working";
const HOME: &str = "home";
const TEMPORARY: &str = "temporary";

/// The steps, in this order: command, and folder or file that it may write to. `N` stands for the folder of named
/// paths. Files beside a named one, such as a ledger's log or a temporary file, are in its folder.
const STEPS: &[(&str, &[&str])] = &[
    ("keygen --out N/keys/key.pem", &["N/keys"]),
    ("keygen --out N/keys/key.pem --if-missing", &["N/keys"]),
    ("keygen --out N/keys/key.pem", &[]),
    // It sets up the working directory, and nothing else.
    ("init --issuer did:web:issuer.example --yes", &[WORKING, "working/.beltic", "working/.beltic.yaml"]),
    ("template csv", &[]),
    ("types", &[]),
    ("types show user", &[]),
    ("types new licence --out N/out/licence.yaml", &["N/out"]),
    ("types check N/out/licence.yaml", &[]),
    ("types --types N/out/licence.yaml", &[]),
    ("help columns", &[]),
    ("schema", &[]),
    ("completions bash", &[]),
    ("completions --man N/man", &["N/man"]),
    (
        "batch-issue N/in/items.ndjson --key N/keys/key.pem --ledger N/ledger/l.db --out N/out/results --failed N/failed/f --summary N/summary/s",
        &["N/ledger", "N/out", "N/failed", "N/summary"],
    ),
    (
        "batch-issue N/in/items.ndjson --key N/keys/key.pem --ledger N/ledger/l.db --output-format csv --idempotency-key k",
        &["N/ledger"],
    ),
    (
        "batch-issue N/in/items.ndjson --key N/keys/key.pem --ledger none --proof-format sd_jwt_vc --output-format text",
        &[],
    ),
    ("batch-issue N/in/items.ndjson --key N/keys/key.pem --ledger N/ledger/l.db --dry-run", &["N/ledger"]),
    (
        "batch-issue N/in/broken.json --key N/keys/key.pem --ledger N/ledger/l.db --out N/out/none",
        &["N/ledger", "N/out"],
    ),
    ("batch-issue N/in/items.ndjson --key N/keys/none.pem --ledger N/ledger/l.db", &[]),
    (
        "sync N/in/items.ndjson --key N/keys/key.pem --ledger N/ledger/register.db --prune --failed N/failed/s",
        &["N/ledger", "N/failed"],
    ),
    ("sync N/in/items.ndjson --key N/keys/key.pem --ledger N/ledger/register.db --plan", &["N/ledger"]),
    ("inspect N/out/results", &[]),
    ("present N/out/none", &[]),
    ("suspend --correlation-id a --ledger N/ledger/l.db", &["N/ledger"]),
    ("reinstate --correlation-id a --ledger N/ledger/l.db", &["N/ledger"]),
    ("revoke --from N/out/results --ledger N/ledger/l.db", &["N/ledger"]),
    ("publish --out N/site --key N/keys/key.pem --ledger N/ledger/l.db", &["N/site", "N/ledger"]),
    ("publish --out N/site --check --key N/keys/key.pem --ledger N/ledger/l.db", &["N/ledger"]),
    ("verify N/out/results --site N/site", &[]),
    ("deliver N/out/results --out N/handover", &["N/handover"]),
    ("deliver N/out/results --out N/handover --force", &["N/handover"]),
    // SQLite keeps the log of a ledger beside it, also for who only reads.
    ("list --ledger N/ledger/l.db", &["N/ledger"]),
    ("list --events --verify --ledger N/ledger/l.db", &["N/ledger"]),
    ("show 01a206e6-9989-7123-a539-f16d67dba009 --ledger N/ledger/l.db", &["N/ledger"]),
    ("ledger check --ledger N/ledger/l.db", &["N/ledger"]),
    ("doctor --site N/site --key N/keys/key.pem --ledger N/ledger/l.db", &[]),
    // What it measures, it makes in the working directory, and removes.
    ("bench --items 50 --rounds 1 --key N/keys/key.pem", &[WORKING]),
];

#[test]
fn nothing_is_written_but_what_was_named() {
    let sandbox = Sandbox::new();
    let root = sandbox.path("").canonicalize().unwrap();
    for folder in [WORKING, HOME, TEMPORARY, "named/out", "named/failed", "named/summary"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    sandbox
        .write_items("named/in/items.ndjson", &[item("a"), item("b"), without(item("c"), "/request/claims")]);
    sandbox.write("named/in/broken.json", "{\"items\":[nonsense");
    let mut traced = BTreeSet::new();
    for (step, writable) in STEPS {
        let words: Vec<String> = step.split(' ').map(|word| word.replace("N/", "../named/")).collect();
        let writable: Vec<PathBuf> =
            writable.iter().map(|path| root.join(path.replace("N/", "named/"))).collect();
        let Some(calls) = trace(&root, &words) else { return };
        for call in &calls {
            assert!(!starts_a_process(call), "{step}: {call}");
            for path in written(call, &root.join(WORKING)) {
                let is_named = writable.iter().any(|folder| path.starts_with(folder));
                let is_device = path == Path::new("/dev/null") || path == Path::new("/dev/tty");
                assert!(is_named || is_device, "{step}: {call}");
            }
        }
        for made in writable.iter().filter(|path| path.parent() == Some(&root.join(WORKING))) {
            let removed = if made.is_dir() { fs::remove_dir_all(made) } else { fs::remove_file(made) };
            removed.unwrap_or_else(|error| panic!("{step}: {}: {error}", made.display()));
        }
        for folder in [WORKING, HOME, TEMPORARY] {
            let left: Vec<_> =
                fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
            assert!(left.is_empty(), "{step}: {left:?}");
        }
        traced.insert(words[0].clone());
    }
    for command in beltic::cli::command().get_subcommands() {
        assert!(traced.contains(command.get_name()), "add `{}` to STEPS", command.get_name());
    }
    assert!(
        root.join("named/site/.well-known/jwks.json").exists() && root.join("named/out/results").exists()
    );
}

/// The calls that make, change, move or remove files, and those that start processes.
const CALLS: &str = "trace=open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,\
                     unlinkat,mkdir,mkdirat,rmdir,truncate,mknod,mknodat,chmod,fchmodat,chown,lchown,fchownat,\
                     execve,execveat,fork,vfork,clone,clone3";

/// Runs the program, and gives the calls that succeeded, without the one that started it.
fn trace(root: &Path, words: &[String]) -> Option<Vec<String>> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "4096", "-o"]).arg(root.join("trace")).args([
        "-e",
        CALLS,
        "-e",
        "signal=none",
    ]);
    strace.arg(env!("CARGO_BIN_EXE_beltic")).args(words).current_dir(root.join(WORKING)).env_clear();
    strace
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", root.join(HOME))
        .env("TMPDIR", root.join(TEMPORARY))
        .env("SQLITE_TMPDIR", root.join(TEMPORARY));
    if !strace.stdin(std::process::Stdio::null()).output().is_ok_and(|output| output.status.code().is_some())
    {
        skip("strace is missing, or may not trace here");
        return None;
    }
    let trace = fs::read_to_string(root.join("trace")).unwrap();
    let calls = trace.lines().filter(|line| !line.contains(" = -1 ")).skip(1).map(str::to_owned);
    let calls: Vec<_> = calls.collect();
    // Of a process that is not dumpable, strace sees the paths only with root's rights.
    let sees_paths = calls.iter().filter(|call| call.contains("openat(")).all(|call| call.contains('"'));
    if !sees_paths {
        skip("strace may not read the memory of the program");
    }
    sees_paths.then_some(calls)
}

/// Threads are made by `clone` too, and are no processes.
fn starts_a_process(call: &str) -> bool {
    let name = name_of(call);
    name.starts_with("exec")
        || name.ends_with("fork")
        || (name.starts_with("clone") && !call.contains("CLONE_THREAD"))
}

/// `1234 openat(AT_FDCWD, …` is a call of `openat`.
fn name_of(call: &str) -> &str {
    call.split_once(' ').map_or("", |(_, rest)| rest.trim_start()).split('(').next().unwrap()
}

/// The paths that a call writes to.
fn written(call: &str, working: &Path) -> Vec<PathBuf> {
    let name = name_of(call);
    let opens = name.starts_with("open");
    let changes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| call.contains(flag));
    if (opens && !changes) || name.starts_with("clone") || !call.contains('"') {
        return Vec::new();
    }
    let pieces: Vec<&str> = call.split('"').collect();
    let quoted = pieces.windows(2).step_by(2);
    quoted
        .map(|before_and_path| plain(&base_of(before_and_path[0], working).join(before_and_path[1])))
        .collect()
}

/// What a path is relative to: the folder that the argument before it is open on, as in `unlinkat(7</folder>, `.
fn base_of<'a>(before: &'a str, working: &'a Path) -> &'a Path {
    let folder = before.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    folder.map_or(working, |(folder, _)| Path::new(folder))
}

/// The path without `.` and `..`. There are no links on the way.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// What the test above looks for is found where it is.
#[test]
fn a_stray_write_would_be_seen() {
    let working = Path::new("/w/working");
    let seen =
        |call: &str| written(call, working).iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    assert_eq!(seen(r#"7 openat(AT_FDCWD, "../x/./y", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3"#), ["/w/x/y"]);
    assert_eq!(
        seen(r#"7 renameat2(AT_FDCWD, "a", AT_FDCWD, "/b", RENAME_NOREPLACE) = 0"#),
        ["/w/working/a", "/b"]
    );
    assert_eq!(seen(r#"7 unlink("/tmp/etilqs_1") = 0"#), ["/tmp/etilqs_1"]);
    assert_eq!(seen(r#"7 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3"#), [""; 0]);
    assert!(starts_a_process(r#"7 execve("/bin/sh", ["sh"], 0x1) = 0"#));
    assert!(starts_a_process("7 clone(child_stack=NULL, flags=SIGCHLD) = 8"));
    assert!(!starts_a_process("7 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 8"));
}
