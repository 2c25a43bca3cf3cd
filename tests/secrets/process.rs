//! What others can see of a process that has its key in memory: its limits, its command line, its memory.
//!
//! The process waits for more of its batch. It has given out a result, so whatever was read of the key has been
//! used.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command};

use memchr::memmem;
use std::os::unix::process::ExitStatusExt;

use crate::outputs::{PASSPHRASE, issuer_key};
use crate::readers::machine::skip;
use crate::spellings::Secret;
use crate::support::*;

/// A run that waits, with the key loaded.
struct Waiting {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    sandbox: Sandbox,
}

/// The keys, and how their passphrase is given.
const KEYS: [(&str, Option<Given>); 5] = [
    ("p256-pkcs8.pem", None),
    ("p256-sec1-params.pem", None),
    ("p256-private.jwk", None),
    ("p256-encrypted.pem", Some(Given::ByFile)),
    ("p256-encrypted-scrypt.pem", Some(Given::ByVariable)),
];

#[derive(Clone, Copy, PartialEq)]
enum Given {
    ByFile,
    ByVariable,
}

impl Waiting {
    fn with(key: &str, passphrase: Option<Given>) -> Waiting {
        let sandbox = Sandbox::new();
        sandbox.copy_key(key, "key");
        sandbox.write("passphrase", format!("{PASSPHRASE}\n"));
        // The limit is lifted first, so that it is the program that lowers it. The shell becomes the program. No signal
        // stays ignored, as those are that stop what `nohup` or `&` started; not every `env` can do that.
        let script = "ulimit -S -c \"$(ulimit -H -c)\"; reset='env --default-signal'
            $reset true 2>/dev/null || reset=; exec $reset \"$0\" \"$@\"";
        let command = sandbox.command(&[]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(command.get_program()).current_dir(sandbox.path("")).env_clear();
        shell.args([
            "batch-issue",
            "-",
            "--input-format",
            "ndjson",
            "--output-format",
            "ndjson",
            "--jobs",
            "1",
        ]);
        shell.args(["--key", "key", "--ledger", "ledger.db"]);
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        match passphrase {
            Some(Given::ByFile) => drop(shell.args(["--passphrase-file", "passphrase"])),
            Some(Given::ByVariable) => drop(shell.env("BELTIC_KEY_PASSPHRASE", PASSPHRASE)),
            None => {}
        }
        let piped = std::process::Stdio::piped;
        let mut child = shell.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        writeln!(stdin, "{}", item("a")).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Row::parse(&line).into_credential();
        Waiting { child, stdin, stdout, sandbox }
    }

    /// A file of `/proc/PID`; `None` where the system keeps it to itself.
    fn proc(&self, name: &str) -> Option<Vec<u8>> {
        let path = format!("/proc/{}/{name}", self.child.id());
        fs::read(&path).map_err(|error| skip(format_args!("{path}: {error}"))).ok()
    }

    /// The memory that can be written to, region by region: what a program keeps is there.
    fn memory(&self) -> Option<Vec<(String, Vec<u8>)>> {
        let maps = String::from_utf8(self.proc("maps")?).unwrap();
        let mut memory = File::open(format!("/proc/{}/mem", self.child.id())).ok()?;
        let mut regions = Vec::new();
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, permissions) = (fields.next().unwrap(), fields.next().unwrap());
            if !permissions.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; (end - start) as usize];
            memory.seek(SeekFrom::Start(start)).unwrap();
            memory.read_exact(&mut bytes).unwrap();
            regions.push((fields.nth(3).unwrap_or("anonymous").to_owned(), bytes));
        }
        Some(regions)
    }

    fn end(self) {
        let Waiting { mut child, stdin, mut stdout, .. } = self;
        drop(stdin);
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

/// How often a text is in the regions, and in which.
fn places(memory: &[(String, Vec<u8>)], text: &[u8]) -> Vec<String> {
    memory.iter().flat_map(|(name, bytes)| memmem::find_iter(bytes, text).map(|_| name.clone())).collect()
}

/// How often the private number may be in the memory of a run with one worker: the key, and AWS-LC's own.
const MOST_COPIES: usize = 2;

/// Nothing of the passphrase and of the key's file is left in memory. The private number is there where it
/// signs, and nowhere else.
#[test]
fn memory_keeps_what_signs_and_nothing_else() {
    for (name, passphrase) in KEYS {
        let run = Waiting::with(name, passphrase);
        let Some(memory) = run.memory() else { return };
        assert!(!places(&memory, b"urn:example:a").is_empty(), "the memory that was read is that of the run");
        let file = fs::read_to_string(key_fixture(name)).unwrap();
        let (file_text, scalar) = (secret_text(&file), scalar());
        let reversed: Vec<u8> = scalar.iter().rev().copied().collect();

        let found = places(&memory, PASSPHRASE.as_bytes());
        match passphrase {
            // The system keeps a process's first environment on its stack, and no program can rely on wiping it.
            Some(Given::ByVariable) => assert_eq!(found, ["[stack]"], "{name}: the passphrase"),
            _ => assert_eq!(found, [""; 0], "{name}: the passphrase"),
        }
        for piece in file_text.as_bytes().chunks(24).filter(|piece| piece.len() == 24) {
            let shown = String::from_utf8_lossy(piece);
            assert_eq!(places(&memory, piece), [""; 0], "{name}: {shown} of the key's file");
        }
        // What reads the file wipes its buffers, and AWS-LC what it frees.
        assert_eq!(places(&memory, &scalar), [""; 0], "{name}: the private number");
        // Where it signs it is a large number, in words.
        let words = places(&memory, &reversed);
        println!("{name}: the words of the private number are in {words:?}");
        assert!((1..=MOST_COPIES).contains(&words.len()), "{name}: {words:?}");
        run.end();
    }
}

/// The lines of a PEM file, or the private member of a JWK, as they stand in the file.
fn secret_text(file: &str) -> String {
    match file.split_once("\"d\"") {
        Some((_, rest)) => rest.split('"').nth(1).unwrap().to_owned(),
        None => {
            // Behind the part that all keys of a form have in common.
            let lines = file.split("PARAMETERS-----").last().unwrap().lines();
            lines.filter(|line| !line.contains('-')).collect::<Vec<_>>().concat()
        }
    }
}

fn scalar() -> Vec<u8> {
    let jwk: serde_json::Value =
        serde_json::from_slice(&fs::read(key_fixture("p256-private.jwk")).unwrap()).unwrap();
    data_encoding::BASE64URL_NOPAD.decode(jwk["d"].as_str().unwrap().as_bytes()).unwrap()
}

/// The command line and the environment show no secret but the variable that the user has set, and there is no
/// other process that could.
#[test]
fn others_see_no_secret_of_a_process() {
    let secrets = [issuer_key(), Secret::of_bytes("the passphrase", PASSPHRASE.as_bytes())];
    for (name, passphrase) in KEYS {
        let run = Waiting::with(name, passphrase);
        let Some(command_line) = run.proc("cmdline") else { return };
        assert!(memmem::find(&command_line, b"batch-issue").is_some());
        secrets.iter().for_each(|secret| secret.expect_absent("the command line", &command_line));
        if let Some(environment) = run.proc("environ") {
            for variable in environment.split(|byte| *byte == 0) {
                if !variable.starts_with(b"BELTIC_KEY_PASSPHRASE=") {
                    secrets.iter().for_each(|secret| secret.expect_absent("the environment", variable));
                }
            }
        }
        let tasks = fs::read_dir(format!("/proc/{}/task", run.child.id())).unwrap();
        for task in tasks {
            let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
            assert_eq!(children, "", "a child process");
        }
        run.end();
    }
}

/// However many bytes of core dump the user allows: the process that has a key leaves none.
#[test]
fn a_process_with_a_key_dumps_no_core() {
    let allowed = Command::new("sh").args(["-c", "ulimit -H -c"]).output().unwrap();
    println!("core dumps that the system allows: {}", String::from_utf8_lossy(&allowed.stdout).trim());
    for signal in ["ABRT", "QUIT"] {
        let mut run = Waiting::with("p256-pkcs8.pem", None);
        let limits = String::from_utf8(run.proc("limits").unwrap()).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
        kill(signal, run.child.id());
        let status = run.child.wait().unwrap();
        assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
        let left = fs::read_dir(run.sandbox.path("")).unwrap().map(|file| file.unwrap().file_name());
        let cores: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("core")).collect();
        assert!(cores.is_empty(), "{cores:?}");
    }
}

/// A limit binds no program that the system pipes dumps to. So the process also says that it is not to be
/// dumped, before it has read anything.
#[test]
fn a_process_is_not_dumpable_from_its_start() {
    let sandbox = Sandbox::new();
    let mut strace = Command::new("strace");
    strace
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", sandbox.path(""));
    strace.args(["-f", "-qq", "-e", "trace=prctl,prlimit64,openat", "-o", "trace"]);
    strace.arg(env!("CARGO_BIN_EXE_beltic")).args(["keygen", "--out", "new.pem"]);
    if !strace.current_dir(sandbox.path("")).output().is_ok_and(|output| output.status.success()) {
        skip("strace is missing, or may not trace here");
        return;
    }
    let trace = sandbox.read("trace");
    let at = |call: &str| trace.find(call).unwrap_or_else(|| panic!("no {call}: {trace}"));
    let (limit, dumpable) =
        (at("RLIMIT_CORE, {rlim_cur=0, rlim_max=0}"), at("PR_SET_DUMPABLE, SUID_DUMP_DISABLE"));
    // Nobody but root sees the arguments of what comes after.
    let settings = trace.find("config.yaml").unwrap_or(trace.len());
    assert!(limit < settings && dumpable < settings, "{trace}");
}

fn kill(signal: &str, process: u32) {
    let status = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
    assert!(status.success());
}
