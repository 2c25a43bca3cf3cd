//! The recipes for CI: they are parsed, and their scripts are run with stand-ins for what a CI system gives.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_yaml::Value;

use super::tour::shell;
use super::{beltic, block_under, fixture, text_of};

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

    // The same job again, in a new workspace.
    let again = world.workspace("again");
    let job = world.run(&again, "4711");
    assert!(job.uploads, "{}", job.log);
    assert_eq!(self::ids(&again), ids);
    let check = beltic(&again, &["ledger", "check", "--ledger", "ledger/ledger.db"]);
    assert!(text_of(&check.stdout).contains("1 credential"), "{}", text_of(&check.stderr));
}

#[test]
fn the_github_job_is_alone_and_gives_no_secret_to_a_shell_to_expand() {
    let workflow: Value = serde_yaml::from_str(block_under("### GitHub Actions", "yaml")).unwrap();
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
    assert!(workflow["concurrency"]["group"].is_string());
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
    /// None where there is no git.
    fn new() -> Option<GitHub> {
        if std::process::Command::new("git").arg("--version").output().is_err() {
            println!("skipped: there is no git");
            return None;
        }
        let workflow: Value = serde_yaml::from_str(block_under("### GitHub Actions", "yaml")).unwrap();
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

    /// What the two checkouts leave: the batch, and a copy of the ledger's store.
    fn workspace(&self, name: &str) -> std::path::PathBuf {
        let workspace = self.folder.path().join(name);
        fs::create_dir_all(workspace.join("batches")).unwrap();
        fs::write(workspace.join("batches/november.csv"), BATCH).unwrap();
        let cloned = self.shell(&workspace, "git clone --quiet ../store.git ledger");
        assert!(cloned.status.success(), "{}", text_of(&cloned.stderr));
        workspace
    }

    /// Runs the steps as GitHub does: after a failure only those that are to run always.
    fn run(&self, workspace: &Path, run_id: &str) -> Job {
        let temporary = workspace.join("temporary");
        fs::create_dir_all(&temporary).unwrap();
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
            command.arg(format!("set -eo pipefail\n{}", step["run"].as_str().unwrap()));
            command
                .env("HOME", self.folder.path())
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
        assert!(!job.log.contains("warning"), "{}", job.log);
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "the key is still there");
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
    let pipeline: Value = serde_yaml::from_str(block_under("### GitLab CI", "yaml")).unwrap();
    let job = &pipeline["issue"];
    assert!(job["resource_group"].is_string() && job["cache"].is_null());
    assert_eq!(job["allow_failure"]["exit_codes"][0], 3);

    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    fs::create_dir(project.join("batches")).unwrap();
    fs::write(project.join("batches/november.csv"), BATCH).unwrap();
    put_secrets(project);
    let run = |section: &str| {
        let lines: Vec<&str> =
            job[section].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let mut command = shell(project);
        command.arg(format!("set -eo pipefail\n{}", lines.join("\n")));
        for (name, value) in job["variables"].as_mapping().unwrap() {
            command.env(name.as_str().unwrap(), value.as_str().unwrap().replace("$CI_PIPELINE_ID", "4711"));
        }
        command.env("BELTIC_LEDGER", project.join("ledger.db")); // the runner's disk
        command.env("ISSUER_KEY", "issuer-secret.pem").env("ISSUER_PASSPHRASE", "passphrase");
        command.output().unwrap()
    };

    let mut issued = Vec::new();
    for _ in 0..2 {
        let output = run("script");
        assert_eq!(output.status.code(), Some(3), "{}", text_of(&output.stderr));
        assert!(!text_of(&output.stderr).contains("warning"), "{}", text_of(&output.stderr));
        assert!(run("after_script").status.success());
        assert!(!project.join("issuer.pem").exists());
        for path in job["artifacts"]["paths"].as_sequence().unwrap() {
            assert!(project.join(path.as_str().unwrap()).exists(), "{path:?}");
        }
        issued.push(ids(project));
    }
    assert_eq!(issued[0].len(), 1);
    assert_eq!(issued[0], issued[1]);
}

/// The encrypted key, open to more than its owner as such files of a runner are, and its passphrase.
fn put_secrets(folder: &Path) {
    fs::copy(fixture("keys/p256-encrypted.pem"), folder.join("issuer-secret.pem")).unwrap();
    fs::write(folder.join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
}

// ---- Plain shell

#[test]
fn the_script_issues_a_batch_once_and_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    put_secrets(project);
    fs::rename(project.join("issuer-secret.pem"), project.join("issuer.pem")).unwrap();
    fs::create_dir(project.join("state")).unwrap();
    fs::create_dir(project.join("tmp")).unwrap();
    fs::write(project.join("issue.sh"), block_under("### Plain shell", "bash")).unwrap();
    fs::write(project.join("november.csv"), BATCH).unwrap();
    let run = || {
        let mut command = shell(project);
        command.arg("sh issue.sh november.csv").env("STATE", project.join("state")).env("SECRETS", project);
        let output = command.env("TMPDIR", project.join("tmp")).output().unwrap();
        assert!(!text_of(&output.stderr).contains("warning"), "{}", text_of(&output.stderr));
        assert_eq!(fs::read_dir(project.join("tmp")).unwrap().count(), 0, "the key is still there");
        output
    };

    let output = run();
    assert_eq!(output.status.code(), Some(3), "{}", text_of(&output.stderr));
    assert!(text_of(&output.stderr).contains("november.failed.csv"), "{}", text_of(&output.stderr));
    assert!(project.join("state/site/.well-known/jwks.json").exists());
    let first = ids_in(&project.join("november.results.ndjson"));

    fs::write(project.join("november.csv"), BATCH.replace("UK", "GB")).unwrap();
    let output = run();
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    let ids = ids_in(&project.join("november.results.ndjson"));
    assert_eq!((ids.len(), &ids[..1]), (2, &first[..]));
    assert!(!project.join("november.failed.csv").exists(), "what failed before is issued");
}

// ---- Helpers

fn ids(folder: &Path) -> Vec<String> {
    ids_in(&folder.join("results.ndjson"))
}

/// The ids of the credentials in a file of results.
fn ids_in(results: &Path) -> Vec<String> {
    let text = fs::read_to_string(results).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.filter_map(|row| Some(row["credential"]["id"].as_str()?.to_owned())).collect()
}
