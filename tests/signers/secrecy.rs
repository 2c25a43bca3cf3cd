//! What others can see of a run whose key is elsewhere: its command line, its environment, its children, its memory, and
//! what it leaves when it crashes.
//!
//! The run waits for more of its batch. It has given out a result, so it has logged in, and signed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use memchr::memmem;

use crate::readers::machine::skip;
use crate::support::*;
use crate::yard::{PUBLIC, Yard};

const SECRET: &str = "4711-told-to-nobody-0815";

/// A run that waits.
struct Waiting {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Waiting {
    /// Starts the command in a shell that lifts the limit of core dumps and becomes the command.
    fn of(command: &Command, folder: &Path) -> Waiting {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\""]);
        shell.arg(command.get_program()).args(command.get_args()).current_dir(folder).env_clear();
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        writeln!(stdin, "{}", item("a")).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Row::parse(&line).into_credential();
        assert!(!line.contains(SECRET));
        Waiting { child, stdin, stdout }
    }

    /// The processes that it has started.
    fn children(&self) -> Vec<u32> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let children =
            |task: std::io::Result<fs::DirEntry>| fs::read_to_string(task.unwrap().path().join("children"));
        tasks
            .flat_map(|task| {
                let children = children(task).unwrap_or_default();
                children.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Ends it by a signal, and says whether the system says that it left a core.
    fn abort(mut self) -> (bool, String) {
        let status = Command::new("kill").args(["-ABRT", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let ended = self.child.wait().unwrap();
        assert!(ended.signal().is_some(), "{ended}");
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        drop(self.stdin);
        (ended.core_dumped(), stdout + &stderr)
    }
}

/// How often a text is in a file, which may be large.
fn count_in(file: &Path, text: &[u8]) -> usize {
    let (mut file, mut window, mut count) = (File::open(file).unwrap(), Vec::new(), 0);
    let mut block = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut block).unwrap();
        if read == 0 {
            return count;
        }
        window.extend_from_slice(&block[..read]);
        count += memmem::find_iter(&window, text).count();
        window.drain(..window.len().saturating_sub(text.len() - 1));
    }
}

/// Files below a folder that hold the secret, without those that are meant to.
fn files_with_secret(folder: &Path, meant: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if meant.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with_secret(&entry.path(), meant));
        } else if entry.file_type().unwrap().is_file() && count_in(&entry.path(), SECRET.as_bytes()) > 0 {
            found.push(name);
        }
    }
    found
}

/// The variables of a process that hold the secret.
fn variables_with_secret(process: u32) -> Option<Vec<String>> {
    let path = format!("/proc/{process}/environ");
    let environment = fs::read(&path).map_err(|error| skip(format_args!("{path}: {error}"))).ok()?;
    let variables =
        environment.split(|byte| *byte == 0).map(|variable| String::from_utf8_lossy(variable).into_owned());
    Some(variables.filter(|variable| variable.contains(SECRET)).collect())
}

fn assert_command_line_is_clean(process: u32, expected: &str) {
    let command_line = String::from_utf8(fs::read(format!("/proc/{process}/cmdline")).unwrap()).unwrap();
    assert!(command_line.contains(expected) && !command_line.contains(SECRET), "{command_line}");
}

/// A signer program gets nothing that was meant for `beltic`.
#[test]
fn a_signer_program_is_not_told_what_beltic_knows() {
    let yard = Yard::new();
    let args = ["batch-issue", "-", "--input-format", "ndjson", "--output-format", "ndjson", "--jobs", "1"];
    let args: Vec<_> = args.into_iter().chain(["--signer-command", "./sign good"]).chain(PUBLIC).collect();
    let mut command = yard.sandbox.command(&args);
    command.env("BELTIC_PIN", SECRET).env("BELTIC_KEY_PASSPHRASE", SECRET);
    let run = Waiting::of(&command, &yard.sandbox.path(""));
    let children = run.children();
    assert!(!children.is_empty() || !Path::new("/proc/self/task").exists(), "the signer runs");
    for child in children {
        let Some(variables) = variables_with_secret(child) else { return };
        assert_eq!(variables, [""; 0]);
        assert_command_line_is_clean(child, "signer::speaks");
    }
    let (left_a_core, said) = run.abort();
    assert!(!left_a_core && !said.contains(SECRET), "{said}");
    assert_eq!(files_with_secret(&yard.sandbox.path(""), &[]), [""; 0]);
}

#[cfg(feature = "pkcs11")]
mod module {
    use super::*;
    use crate::token::Hsm;

    /// How a PIN is given, and the variables in which it may be seen.
    const GIVEN: [(&str, &[&str]); 2] = [("file", &[]), ("variable", &["BELTIC_PIN"])];

    #[test]
    fn a_pin_is_in_no_command_line_no_output_no_file_and_no_core() {
        for (given, variables) in GIVEN {
            let Some(hsm) = Hsm::with_pin(SECRET) else { return };
            let run = start(&hsm, given);
            let process = run.child.id();
            assert_command_line_is_clean(process, "batch-issue");
            let Some(found) = variables_with_secret(process) else { return };
            let found: Vec<_> = found.iter().map(|variable| variable.split('=').next().unwrap()).collect();
            assert_eq!(found, variables, "{given}");
            assert_eq!(run.children(), [0; 0], "a module starts no program");
            look_into_memory(process, variables.len());
            let (left_a_core, said) = run.abort();
            assert!(!left_a_core && !said.contains(SECRET), "{given}: {said}");
            let folder = hsm.sandbox.path("");
            let cores = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
            assert_eq!(cores.filter(|name| name.to_string_lossy().starts_with("core")).count(), 0, "{given}");
            assert_eq!(files_with_secret(&folder, &["pin"]), [""; 0], "{given}");
        }
    }

    fn start(hsm: &Hsm, given: &str) -> Waiting {
        let uri = match given {
            "file" => hsm.uri("object=issuer"),
            _ => hsm.uri_without_pin("object=issuer"),
        };
        let args =
            ["batch-issue", "-", "--input-format", "ndjson", "--output-format", "ndjson", "--jobs", "1"];
        let mut command = hsm.command(&[&args[..], &["--key", &uri]].concat());
        if given == "variable" {
            command.env("BELTIC_PIN", SECRET);
        }
        Waiting::of(&command, &hsm.sandbox.path(""))
    }

    /// A core that a debugger writes, which only root can have of this process, holds the PIN nowhere but where the system
    /// keeps a variable of the environment.
    fn look_into_memory(process: u32, expected: usize) {
        let folder = tempfile::tempdir().unwrap();
        let made =
            Command::new("gcore").arg("-o").arg(folder.path().join("core")).arg(process.to_string()).output();
        let core = folder.path().join(format!("core.{process}"));
        if !made.is_ok_and(|made| made.status.success()) || !core.exists() {
            skip("gcore (gdb) is missing, or may not look into the process: its memory was not searched");
            return;
        }
        assert!(count_in(&core, b"urn:example:a") > 0, "the core is that of the run");
        assert_eq!(count_in(&core, SECRET.as_bytes()), expected);
    }
}
