//! Where cases run: a folder for each, a program on the `PATH`, and nobody's settings.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::check::Verdict;
use crate::machine::has_tool;

/// Runs a command as somebody who is not root, for cases about permissions.
const PRELUDE: &str = "
nobody() { if [ \"$(id -u)\" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"; else \"$@\"; fi; }
set -o pipefail
";

/// Programs that a case may need and a machine may lack.
const TOOLS: [&str; 5] = ["jq", "mkfifo", "python3", "setpriv", "timeout"];

/// Unoptimised programs on a busy machine take longer than the cases expect. This is no limit of a test's time: it
/// only keeps a case that hangs from holding up the others.
const PATIENCE: u64 = 10;

pub(crate) struct Place {
    /// `bin/beltic` and `.beltic/issuer.pem`.
    top: TempDir,
    /// The cases and their files.
    cases: PathBuf,
    missing: Vec<&'static str>,
}

impl Place {
    pub(crate) fn new(cases: PathBuf) -> Place {
        let top = tempfile::tempdir().unwrap();
        set_mode(top.path(), 0o755);
        fs::create_dir(top.path().join("bin")).unwrap();
        let program = top.path().join("bin/beltic");
        symlink(env!("CARGO_BIN_EXE_beltic"), &program).unwrap();
        let missing = TOOLS.into_iter().filter(|tool| !has_tool(tool)).collect();
        let place = Place { top, cases, missing };
        if !place.bash(place.top.path(), "nobody beltic --version").output().unwrap().status.success() {
            // The folder of the build may be closed to others.
            fs::remove_file(&program).unwrap();
            fs::copy(env!("CARGO_BIN_EXE_beltic"), &program).unwrap();
        }
        let made = place.bash(place.top.path(), "beltic keygen --quiet").output().unwrap();
        assert!(made.status.success(), "keygen: {}", String::from_utf8_lossy(&made.stderr));
        place
    }

    /// A tool that a script needs and this machine lacks.
    pub(crate) fn missing_tool(&self, script: &str) -> Option<&'static str> {
        let texts: Vec<String> = self.inputs(script).iter().filter_map(|file| script_text(file)).collect();
        let scripts = || texts.iter().map(String::as_str).chain([script]);
        let uses = |tool: &&str| scripts().flat_map(words).any(|word| word == *tool);
        self.missing.iter().copied().find(uses)
    }

    /// Runs a script in a folder of its own; `None` where it does not end.
    pub(crate) fn run(&self, script: &str, seconds: u64) -> Option<Verdict> {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        for file in self.inputs(script) {
            fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        self.copy_key(&folder.path().join(".beltic"));
        let output = output_of(self.bash(folder.path(), script), Duration::from_secs(seconds * PATIENCE));
        make_removable(folder.path());
        let Output { status, stdout, stderr } = output?;
        let code = status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some(Verdict::new(code, text(stdout), text(stderr)))
    }

    /// The files that a script, or a script that it runs, names.
    fn inputs(&self, script: &str) -> Vec<PathBuf> {
        let own = ["run.py", "cases.json", "README.md"];
        let entries = fs::read_dir(&self.cases).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<PathBuf> =
            entries.filter(|path| path.is_file() && !own.contains(&name_of(path))).collect();
        let named = files.iter().filter(|file| script.contains(name_of(file)));
        let scripts: String = named.filter_map(|file| script_text(file)).collect();
        let is_named = |file: &PathBuf| script.contains(name_of(file)) || scripts.contains(name_of(file));
        files.into_iter().filter(is_named).collect()
    }

    fn copy_key(&self, to: &Path) {
        let from = self.top.path().join(".beltic");
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(&from).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
        fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    }

    /// bash with a script, in a process group of its own, so that all of it can be ended.
    fn bash(&self, folder: &Path, script: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&path);
        let path = std::env::join_paths([self.top.path().join("bin")].into_iter().chain(path)).unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{PRELUDE}{script}")]).current_dir(folder).env_clear().process_group(0);
        command
            .env("HOME", folder.join("nohome"))
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// What a process left; `None` where it had to be ended.
fn output_of(mut command: Command, patience: Duration) -> Option<Output> {
    let child = command.spawn().unwrap();
    let group = Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || sender.send(child.wait_with_output().unwrap()));
        receiver.recv_timeout(patience).map_err(|_| kill_process_group(group, Signal::KILL)).ok()
    })
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn script_text(path: &Path) -> Option<String> {
    path.extension().filter(|extension| *extension == "sh")?;
    Some(fs::read_to_string(path).unwrap())
}

fn words(script: &str) -> impl Iterator<Item = &str> {
    script.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Cases leave folders that may not be written to. Whoever is not root could not remove what is in them.
fn make_removable(folder: &Path) {
    if fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).is_err() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_removable(&entry.path());
        }
    }
}
