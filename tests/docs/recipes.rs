//! The recipes in `examples/`: they are parsed, and their scripts are run with stand-ins for what a CI system gives.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_yaml::Value;

use super::console::shell;
use super::machine::{has_tool, skip};
use super::{beltic, fixture, text_of};

const WORKFLOW: &str = include_str!("../../examples/github-actions.yml");
const PIPELINE: &str = include_str!("../../examples/gitlab-ci.yml");
const SCRIPT: &str = include_str!("../../examples/issue.sh");
const PARALLEL: &str = include_str!("../../examples/parallel.sh");
/// The settings beside the batch: where the lists are published.
const SETTINGS: &str = "status:\n  base_url: https://issuer.example\n";
/// Two companies, of which one has a mistake.
const BATCH: &str = "subject_id,claims_jurisdiction,self_attestation_complete\nEX-1,GB,true\nEX-2,UK,true\n";
/// That of the encrypted key in `fixtures/keys`.
const PASSPHRASE: &str = "correct horse";

// ---- GitHub Actions

#[test]
fn the_github_job_issues_once_and_stores_the_ledger_before_results_leave() {
    let Some(world) = GitHub::new() else { return };
    let first = world.workspace("first");
    let late = world.workspace("late");

    let job = world.run(&first, "4711");
    assert_eq!(job.failed, ["Issue"], "{}", job.log);
    assert!(job.log.contains("issued 1, failed 1"), "{}", job.log);
    assert!(job.uploads);
    let ids = ids(&first);
    assert_eq!(ids.len(), 1);
    assert!(fs::read_to_string(first.join("failed.csv")).unwrap().contains("EX-2"));

    // Another job that took its copy of the ledger before that cannot store it.
    let job = world.run(&late, "4712");
    assert_eq!(job.failed, ["Issue", "Store the ledger"], "{}", job.log);
    assert!(!job.uploads);

    // The batch is fixed and pushed: another run, in a new workspace.
    let fixed = world.workspace("fixed");
    fs::write(fixed.join("batches/november.csv"), fixed_batch()).unwrap();
    let job = world.run(&fixed, "4713");
    assert!(job.failed.is_empty() && job.uploads, "{}", job.log);
    assert_second_is_new(&ids, &self::ids(&fixed));
    assert_recorded(&fixed.join("ledger/ledger.db"), 2);
}

#[test]
fn the_github_job_hands_out_the_results_of_a_batch_that_changes_nothing_in_the_ledger() {
    let Some(world) = GitHub::new() else { return };
    world.run(&world.workspace("first"), "4711");

    let second = world.workspace("second");
    fs::write(second.join("batches/november.csv"), BATCH.replace("true", "false")).unwrap();
    let job = world.run(&second, "4712");
    assert_eq!(job.failed, ["Issue"], "{}", job.log);
    assert!(job.log.contains("issued 0, failed 2"), "{}", job.log);
    assert!(job.uploads);
}

#[test]
fn the_github_job_is_alone_and_gives_no_secret_to_a_shell_to_expand() {
    let workflow: Value = serde_yaml::from_str(WORKFLOW).unwrap();
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
    assert!(workflow["concurrency"]["group"].is_string());
    assert_eq!(workflow["on"]["push"]["branches"][0], "main", "a branch of its own issues nothing");
    for step in workflow["jobs"]["issue"]["steps"].as_sequence().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        assert!(!script.contains("${{"), "{script}");
    }
}

/// The workflow, and a store for its ledger.
struct GitHub {
    folder: tempfile::TempDir,
    steps: Vec<Value>,
}

/// How a job went.
struct Job {
    failed: Vec<String>,
    log: String,
    uploads: bool,
}

impl GitHub {
    /// None where a tool is missing.
    fn new() -> Option<GitHub> {
        if !has_tool("git") || !has_tool("bash") || !has_tool("sha256sum") {
            return None;
        }
        let workflow: Value = serde_yaml::from_str(WORKFLOW).unwrap();
        let steps = workflow["jobs"]["issue"]["steps"].as_sequence().unwrap().clone();
        let world = GitHub { folder: tempfile::tempdir().unwrap(), steps };
        let made = world.shell(
            world.folder.path(),
            "git init --quiet --bare store.git && git clone --quiet store.git begun && cd begun &&
             git -c user.name=n -c user.email=e@example.com commit --quiet --allow-empty --message begun &&
             git push --quiet origin HEAD",
        );
        assert!(made.status.success(), "{}", text_of(&made.stderr));
        Some(world)
    }

    fn shell(&self, folder: &Path, script: &str) -> Output {
        shell(folder).arg(script).env("HOME", self.folder.path()).output().unwrap()
    }

    /// What the two checkouts leave: the batch, the archive with the program, and a copy of the ledger's store.
    fn workspace(&self, name: &str) -> PathBuf {
        let workspace = self.folder.path().join(name);
        fs::create_dir_all(workspace.join("batches")).unwrap();
        fs::write(workspace.join("batches/november.csv"), BATCH).unwrap();
        fs::write(workspace.join(".beltic.yaml"), SETTINGS).unwrap();
        let made = self.shell(
            &workspace,
            "git clone --quiet ../store.git ledger && mkdir -p tools/beltic-0.1.0 && cd tools &&
             printf 'exec %s \"$@\"\\n' \"$(command -v beltic)\" > beltic-0.1.0/beltic && chmod +x beltic-0.1.0/beltic &&
             tar -czf beltic-0.1.0.tar.gz beltic-0.1.0 && sha256sum beltic-0.1.0.tar.gz > SHA256SUMS",
        );
        assert!(made.status.success(), "{}", text_of(&made.stderr));
        workspace
    }

    /// Runs the steps as GitHub does: after a failure only those that are to run always.
    fn run(&self, workspace: &Path, run_id: &str) -> Job {
        let temporary = workspace.join("temporary");
        fs::create_dir_all(&temporary).unwrap();
        let path = workspace.join("path");
        let mut job = Job { failed: Vec::new(), log: String::new(), uploads: false };
        let mut ledger_stored = false;
        for step in &self.steps {
            let condition = step["if"].as_str();
            if let Some(action) = step["uses"].as_str() {
                if action.starts_with("actions/upload-artifact@") {
                    assert_eq!(condition, Some("always() && steps.ledger.outcome == 'success'"));
                    job.uploads = ledger_stored;
                }
                continue;
            }
            if !job.failed.is_empty() && condition != Some("always()") {
                continue;
            }
            let mut command = shell(workspace);
            // A line of this file comes first in the PATH of later steps.
            let begin = "[ ! -e \"$GITHUB_PATH\" ] || PATH=$(cat \"$GITHUB_PATH\"):$PATH\nset -eo pipefail";
            command.arg(format!("{begin}\n{}", step["run"].as_str().unwrap()));
            command
                .env("HOME", self.folder.path())
                .env("GITHUB_PATH", &path)
                .env("GITHUB_RUN_ID", run_id)
                .env("RUNNER_TEMP", &temporary);
            for (name, value) in step["env"].as_mapping().into_iter().flatten() {
                command.env(name.as_str().unwrap(), secret(value.as_str().unwrap()));
            }
            let output = command.output().unwrap();
            job.log += &text_of(&output.stdout);
            job.log += &text_of(&output.stderr);
            if !output.status.success() {
                job.failed.push(step["name"].as_str().unwrap().to_owned());
            } else if step["id"] == "ledger" {
                ledger_stored = true;
            }
        }
        // A checkout is a copy, which the ledger says; nothing else is to be warned of.
        let mut warnings = job.log.lines().filter(|line| line.contains("warning: "));
        assert!(warnings.all(|line| line.contains("the file was copied or restored here")), "{}", job.log);
        assert!(path.exists() && temporary.join("beltic/beltic").exists(), "{}", job.log);
        assert!(!temporary.join("issuer.pem").exists(), "the key is still there");
        job
    }
}

/// What stands in for a secret.
fn secret(expression: &str) -> String {
    match expression {
        "${{ secrets.BELTIC_ISSUER_KEY }}" => {
            fs::read_to_string(fixture("keys/p256-encrypted.pem")).unwrap().trim_end().to_owned()
        }
        "${{ secrets.BELTIC_KEY_PASSPHRASE }}" => PASSPHRASE.to_owned(),
        other => panic!("{other}"),
    }
}

// ---- GitLab CI

#[test]
fn the_gitlab_job_issues_once_and_tells_of_failed_items() {
    if !has_tool("bash") {
        return;
    }
    let pipeline: Value = serde_yaml::from_str(PIPELINE).unwrap();
    let job = &pipeline["issue"];
    assert!(job["resource_group"].is_string() && job["cache"].is_null());
    assert_eq!(job["allow_failure"]["exit_codes"][0], 3);
    for rule in job["rules"].as_sequence().unwrap() {
        let condition = rule["if"].as_str().unwrap();
        assert!(condition.contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), "{condition}");
        assert!(condition.contains("$CI_PIPELINE_SOURCE == \"push\""), "{condition}");
    }

    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    fs::create_dir(project.join("batches")).unwrap();
    fs::write(project.join("batches/november.csv"), BATCH).unwrap();
    fs::write(project.join(".beltic.yaml"), SETTINGS).unwrap();
    put_secrets(project);
    let run = |section: &str, pipeline_id: &str| {
        let lines: Vec<&str> =
            job[section].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let mut command = shell(project);
        command.arg(format!("set -eo pipefail\n{}", lines.join("\n")));
        for (name, value) in job["variables"].as_mapping().unwrap() {
            command
                .env(name.as_str().unwrap(), value.as_str().unwrap().replace("$CI_PIPELINE_ID", pipeline_id));
        }
        command.env("BELTIC_LEDGER", project.join("ledger.db")); // the runner's disk
        command.env("ISSUER_KEY", "issuer-secret.pem").env("ISSUER_PASSPHRASE", "passphrase");
        command.output().unwrap()
    };

    let issue = |pipeline_id: &str, code: i32| {
        let output = run("script", pipeline_id);
        assert_eq!(output.status.code(), Some(code), "{}", text_of(&output.stderr));
        assert!(!text_of(&output.stderr).contains("warning"), "{}", text_of(&output.stderr));
        assert!(run("after_script", pipeline_id).status.success());
        assert!(!project.join("issuer.pem").exists());
        ids(project)
    };

    let first = issue("4711", 3);
    assert_eq!(first.len(), 1);
    for path in job["artifacts"]["paths"].as_sequence().unwrap() {
        assert!(project.join(path.as_str().unwrap()).exists(), "{path:?}");
    }
    assert_eq!(issue("4711", 3), first);

    // The batch is fixed and pushed: another pipeline.
    fs::write(project.join("batches/november.csv"), fixed_batch()).unwrap();
    assert_second_is_new(&first, &issue("4712", 0));
    assert_recorded(&project.join("ledger.db"), 2);
}

/// The encrypted key, open to more than its owner as such files of a runner are, and its passphrase.
pub(crate) fn put_secrets(folder: &Path) {
    fs::copy(fixture("keys/p256-encrypted.pem"), folder.join("issuer-secret.pem")).unwrap();
    fs::write(folder.join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
}

// ---- Plain shell

#[test]
fn the_script_issues_a_batch_once_and_publishes() {
    if !has_tool("bash") {
        return;
    }
    let script = Script::new(BATCH);
    let output = script.run();
    assert_eq!(output.status.code(), Some(3), "{}", text_of(&output.stderr));
    assert!(text_of(&output.stderr).contains("november.failed.csv"), "{}", text_of(&output.stderr));
    assert!(script.has_published());
    let first = ids_in(&script.path("november.results.ndjson"));

    fs::write(script.path("november.csv"), fixed_batch()).unwrap();
    let output = script.run();
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    assert_second_is_new(&first, &ids_in(&script.path("november.results.ndjson")));
    assert_recorded(&script.path("state/ledger.db"), 2);
    assert!(!script.path("november.failed.csv").exists(), "what failed before is issued");
}

#[test]
fn the_script_publishes_what_was_issued_before_the_batch_broke_off() {
    if !has_tool("bash") {
        return;
    }
    let script = Script::new("no batch");
    assert_eq!(
        script.run().status.code(),
        Some(4),
        "nothing was ever issued, so there is nothing to publish"
    );

    let (header, _) = BATCH.split_once('\n').unwrap();
    let batch = format!("{header}\n{}", "EX-1,GB,true\n".repeat(3_000));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(batch.as_bytes()).unwrap();
    let mut packed = packed.finish().unwrap();
    packed.truncate(packed.len() - 4); // as a copy leaves it that was broken off
    fs::write(script.path("november.csv"), packed).unwrap();
    let output = script.run();
    assert_eq!(output.status.code(), Some(4), "{}", text_of(&output.stderr));
    assert!(!ids_in(&script.path("november.results.ndjson")).is_empty());
    assert!(script.has_published());
}

/// As when the machine shuts down, or a service is stopped: everything that runs is told to end. What `nohup` or `&`
/// started ignores some of the signals, and so would everything below it; `env` undoes that.
#[cfg(target_os = "linux")]
#[test]
fn the_script_leaves_no_key_behind_when_it_is_stopped() {
    if !has_tool("bash") {
        return;
    }
    use std::os::unix::process::CommandExt;

    let script = Script::new("");
    if !script.shell("env --default-signal mkfifo probe").status().is_ok_and(|status| status.success()) {
        return skip("there is no mkfifo, or no env that resets signals");
    }
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let script = Script::new("");
        let made = script.shell("rm november.csv && mkfifo november.csv").status().unwrap();
        assert!(made.success());
        let mut command = script.shell("exec env --default-signal sh issue.sh november.csv");
        let mut child = command.process_group(0).stderr(Stdio::null()).spawn().unwrap();
        // Opens once the other end is open: the key is copied, and the batch is waited for.
        let batch = fs::OpenOptions::new().write(true).open(script.path("november.csv")).unwrap();
        assert_eq!(script.keys_left(), 1);
        assert!(script.shell(&format!("kill -{signal} -- -{}", child.id())).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert_eq!(script.keys_left(), 0, "{signal}");
        drop(batch);
    }
}

/// The script, with its secrets and a batch beside it.
struct Script {
    folder: tempfile::TempDir,
}

impl Script {
    fn new(batch: &str) -> Script {
        let script = Script { folder: tempfile::tempdir().unwrap() };
        put_secrets(script.folder.path());
        fs::rename(script.path("issuer-secret.pem"), script.path("issuer.pem")).unwrap();
        fs::create_dir(script.path("state")).unwrap();
        fs::create_dir(script.path("tmp")).unwrap();
        fs::write(script.path("issue.sh"), SCRIPT).unwrap();
        fs::write(script.path("november.csv"), batch).unwrap();
        fs::write(script.path(".beltic.yaml"), SETTINGS).unwrap();
        script
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shell(&self, command: &str) -> Command {
        let folder = self.folder.path();
        let mut shell = shell(folder);
        shell.arg(command).env("STATE", self.path("state")).env("SECRETS", folder);
        shell.env("TMPDIR", self.path("tmp"));
        shell
    }

    /// Runs it to its end.
    fn run(&self) -> Output {
        let output = self.shell("sh issue.sh november.csv").output().unwrap();
        assert!(!text_of(&output.stderr).contains("warning"), "{}", text_of(&output.stderr));
        assert_eq!(self.keys_left(), 0, "the key is still there");
        output
    }

    /// How many folders there are for a copy of the key.
    fn keys_left(&self) -> usize {
        fs::read_dir(self.path("tmp")).unwrap().count()
    }

    fn has_published(&self) -> bool {
        self.path("state/site/.well-known/jwks.json").exists()
    }
}

// ---- GNU parallel

#[test]
fn files_that_are_issued_at_once_can_be_cut_differently_the_next_time() {
    if !has_tool("bash") || !has_gnu_parallel() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    fs::copy(fixture("keys/p256-pkcs8.pem"), project.join("issuer.pem")).unwrap();
    fs::write(project.join("parallel.sh"), PARALLEL).unwrap();
    fs::write(project.join(".beltic.yaml"), SETTINGS).unwrap();
    let row =
        |number: usize| format!("row-{number},EX-{number},{},true\n", if number == 7 { "UK" } else { "GB" });
    let cut = |name: &str, numbers: &[usize]| {
        let rows: String = numbers.iter().map(|number| row(*number)).collect();
        let header = "correlation_id,subject_id,claims_jurisdiction,self_attestation_complete\n";
        fs::write(project.join(name), header.to_owned() + &rows).unwrap();
    };
    let issue = |out: &str, files: &str| {
        let command = format!("sh parallel.sh 'the batch' {out} {files}");
        let output = shell(project)
            .arg(command)
            .env("BELTIC_KEY", "issuer.pem")
            .env("BELTIC_LEDGER", "ledger.db")
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text_of(&output.stderr));
        let results = fs::read_dir(project.join(out)).unwrap().map(|entry| entry.unwrap().path());
        let results = results.filter(|path| path.to_str().unwrap().ends_with(".results.ndjson"));
        let mut ids: Vec<String> = results.flat_map(|path| ids_in(&path)).collect();
        ids.sort();
        ids
    };

    cut("a part.csv", &[0, 1, 2, 3]);
    cut("b.csv", &[4, 5]);
    cut("c.csv", &[6, 7, 8, 9]);
    let first = issue("first", "'a part.csv' b.csv c.csv");
    assert_eq!(first.len(), 9);
    let failed = fs::read_to_string(project.join("first/c.csv.failed")).unwrap();
    assert!(failed.contains("row-7") && !failed.contains("row-8"), "{failed}");
    cut("d.csv", &[9, 0, 7, 2, 4]);
    cut("e.csv", &[1, 3, 5, 6, 8]);
    assert_eq!(issue("second", "d.csv e.csv"), first, "each item has the credential that it had");
    assert_recorded(&project.join("ledger.db"), 9);
}

/// Another program has the same name.
fn has_gnu_parallel() -> bool {
    let said = Command::new("parallel").arg("--version").stdin(Stdio::null()).output();
    let found = said.is_ok_and(|output| text_of(&output.stdout).contains("GNU parallel"));
    if !found {
        skip("there is no GNU parallel");
    }
    found
}

// ---- Helpers

/// The batch without its mistake.
fn fixed_batch() -> String {
    BATCH.replace("UK", "GB")
}

/// The first company has the credential that it had before, the second has one now.
fn assert_second_is_new(before: &[String], now: &[String]) {
    assert_eq!((before.len(), now.len()), (1, 2));
    assert_eq!(before[0], now[0]);
}

/// How many credentials a ledger knows.
fn assert_recorded(ledger: &Path, count: usize) {
    let check = beltic(ledger.parent().unwrap(), &["ledger", "check", "--ledger", "ledger.db"]);
    let said = text_of(&check.stdout);
    assert!(said.contains(&format!("is intact: {count} credential")), "{said}{}", text_of(&check.stderr));
}

fn ids(folder: &Path) -> Vec<String> {
    ids_in(&folder.join("results.ndjson"))
}

/// The ids of the credentials in a file of results.
pub(crate) fn ids_in(results: &Path) -> Vec<String> {
    let text = fs::read_to_string(results).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.filter_map(|row| Some(row["credential"]["id"].as_str()?.to_owned())).collect()
}
