//! The recipes that keep a register up to date, over five invented days. The days of docs/register.md itself are run
//! like every page.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_yaml::Value;

use super::console::shell;
use super::machine::has_tool;
use super::recipes::put_secrets;
use super::{beltic, text_of};

const SCRIPT: &str = include_str!("../../examples/sync.sh");
const PIPELINE: &str = include_str!("../../examples/gitlab-ci-sync.yml");
const SETTINGS: &str = "status:\n  base_url: https://guild.example\n";
const HEADER: &str = "correlation_id,subject_id,legal_form,claims_jurisdiction,self_attestation_complete";

/// The register of these members, each with a legal form; the broken export of them ends within the last row.
fn register(members: &[(&str, &str)]) -> String {
    let rows = members
        .iter()
        .map(|(member, form)| format!("{member},https://{}.example,{form},GB,true\n", member.to_lowercase()));
    [format!("{HEADER}\n")].into_iter().chain(rows).collect()
}

const BEGIN: [(&str, &str); 3] = [("M-01", "Ltd"), ("M-02", "Ltd"), ("M-03", "LLP")];
/// One changed, one gone, one new.
const CHANGED: [(&str, &str); 3] = [("M-01", "Ltd"), ("M-02", "plc"), ("M-04", "Ltd")];

/// A day: when it is, what was exported, how it ends, and what is said of each member.
struct Day {
    time: &'static str,
    export: String,
    code: i32,
    actions: &'static [(&'static str, &'static str)],
    active: usize,
}

fn days() -> [Day; 5] {
    let whole = register(&CHANGED);
    [
        Day {
            time: "2031-03-01T06:00:00Z",
            export: register(&BEGIN),
            code: 0,
            actions: &[("M-01", "issued"), ("M-02", "issued"), ("M-03", "issued")],
            active: 3,
        },
        Day {
            time: "2031-03-02T06:00:00Z",
            export: whole.clone(),
            code: 0,
            actions: &[("M-01", "unchanged"), ("M-02", "replaced"), ("M-04", "issued")],
            active: 3,
        },
        Day {
            time: "2031-03-03T06:00:00Z",
            export: whole.clone(),
            code: 0,
            actions: &[("M-01", "unchanged"), ("M-02", "unchanged"), ("M-04", "unchanged")],
            active: 3,
        },
        Day {
            time: "2032-02-15T06:00:00Z",
            export: whole.clone(),
            code: 0,
            actions: &[("M-01", "renewed"), ("M-02", "renewed"), ("M-04", "renewed")],
            active: 6,
        },
        Day {
            time: "2032-02-16T06:00:00Z",
            export: whole[..whole.len() - 30].to_owned(),
            code: 3,
            actions: &[("M-01", "unchanged"), ("M-02", "unchanged")],
            active: 6,
        },
    ]
}

/// The actions of a file of results, by the members; rows of what was revoked have no member of the register.
fn actions(results: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(results).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    rows.filter(|row| row["action"] != "revoked")
        .filter_map(|row| Some((text(&row["correlation_id"])?, text(&row["action"])?)))
        .collect()
}

fn active(ledger: &Path) -> usize {
    let folder = ledger.parent().unwrap();
    let args = ["list", "--ledger", "ledger.db", "--status", "active", "--output-format", "ndjson"];
    let run = beltic(folder, &args);
    assert!(run.status.success(), "{}", text_of(&run.stderr));
    text_of(&run.stdout).lines().count()
}

/// What holds after each day.
#[track_caller]
fn check(day: &Day, run: &Output, results: &Path, ledger: &Path, site: &Path) {
    let said = text_of(&run.stderr);
    assert_eq!(run.status.code(), Some(day.code), "{}: {said}", day.time);
    let expected = day.actions.iter().map(|(member, action)| ((*member).to_owned(), (*action).to_owned()));
    assert_eq!(actions(results), expected.collect(), "{}: {said}", day.time);
    assert_eq!(active(ledger), day.active, "{}", day.time);
    assert!(site.join(".well-known/jwks.json").exists(), "{}: {said}", day.time);
}

// ---- Plain shell

#[test]
fn the_script_keeps_a_register_up_to_date() {
    if !has_tool("bash") {
        return;
    }
    let guild = Guild::new();
    for day in days() {
        let run = guild.run(&day.export, &format!("--issued-at {}", day.time));
        check(
            &day,
            &run,
            &guild.state("credentials.ndjson"),
            &guild.state("ledger.db"),
            &guild.state("site"),
        );
        assert_eq!(guild.state("failed.csv").exists(), day.code == 3, "{}", day.time);
        // Again on the same day, for those who were not sure.
        let again = guild.run(&day.export, &format!("--issued-at {}", day.time));
        assert_eq!(again.status.code(), Some(day.code), "{}", text_of(&again.stderr));
        assert_eq!(active(&guild.state("ledger.db")), day.active, "{}", day.time);
    }
}

/// Nothing is changed by these exports, and yesterday's credentials stay where they are.
#[test]
fn the_script_says_what_is_wrong_with_an_export() {
    if !has_tool("bash") {
        return;
    }
    let guild = Guild::new();
    let empty = format!("{HEADER}\n");
    assert_eq!(guild.run(&empty, "").status.code(), Some(4), "nothing was ever issued");
    let many: Vec<String> = (0..30).map(|number| format!("M-{number:02}")).collect();
    let members: Vec<(&str, &str)> = many.iter().map(|member| (member.as_str(), "Ltd")).collect();
    assert!(guild.run(&register(&members), "").status.success());
    let before = fs::read_to_string(guild.state("credentials.ndjson")).unwrap();
    for (export, code, said) in [
        (empty, 4, "empty or broken"),
        ("<html>502</html>\n".to_owned(), 4, "empty or broken"),
        (register(&members[..10]), 7, "--max-removals"),
    ] {
        let run = guild.run(&export, "");
        assert_eq!(run.status.code(), Some(code), "{}", text_of(&run.stderr));
        assert!(text_of(&run.stderr).contains(said), "{}", text_of(&run.stderr));
        assert_eq!(active(&guild.state("ledger.db")), 30);
        assert_eq!(fs::read_to_string(guild.state("credentials.ndjson")).unwrap(), before);
    }
    let allowed = guild.run(&register(&members[..10]), "--max-removals 20");
    assert!(allowed.status.success(), "{}", text_of(&allowed.stderr));
    assert_eq!(active(&guild.state("ledger.db")), 10);
    assert_eq!(actions(&guild.state("credentials.ndjson")).len(), 10);
}

/// The script, with its secrets and settings beside it.
struct Guild {
    folder: tempfile::TempDir,
}

impl Guild {
    fn new() -> Guild {
        let guild = Guild { folder: tempfile::tempdir().unwrap() };
        let path = guild.folder.path();
        put_secrets(path);
        fs::rename(path.join("issuer-secret.pem"), path.join("issuer.pem")).unwrap();
        for folder in ["state", "tmp"] {
            fs::create_dir(path.join(folder)).unwrap();
        }
        fs::write(path.join("sync.sh"), SCRIPT).unwrap();
        fs::write(path.join(".beltic.yaml"), SETTINGS).unwrap();
        guild
    }

    fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    fn run(&self, export: &str, flags: &str) -> Output {
        let folder = self.folder.path();
        fs::write(folder.join("members.csv"), export).unwrap();
        let mut command = shell(folder);
        command.arg(format!("sh sync.sh members.csv {flags}"));
        command.env("STATE", folder.join("state")).env("SECRETS", folder);
        let output = command.env("TMPDIR", folder.join("tmp")).output().unwrap();
        assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0, "the key is still there");
        output
    }
}

// ---- GitLab CI

#[test]
fn the_gitlab_job_keeps_a_register_up_to_date() {
    if !has_tool("bash") {
        return;
    }
    let pipeline: Value = serde_yaml::from_str(PIPELINE).unwrap();
    let job = &pipeline["sync"];
    assert!(job["resource_group"].is_string() && job["cache"].is_null());
    assert_eq!(job["allow_failure"]["exit_codes"][0], 3);
    for rule in job["rules"].as_sequence().unwrap() {
        assert!(rule["if"].as_str().unwrap().contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"));
    }

    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    put_secrets(project);
    for name in ["registers", "disk"] {
        fs::create_dir(project.join(name)).unwrap();
    }
    fs::write(project.join(".beltic.yaml"), SETTINGS).unwrap();
    let run = |section: &str, time: &str| {
        let lines: Vec<&str> =
            job[section].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let script = lines.join("\n").replace("--all", &format!("--all --issued-at {time}"));
        let mut command = shell(project);
        command.arg(format!("set -eo pipefail\n{script}"));
        for (name, value) in job["variables"].as_mapping().unwrap() {
            command.env(name.as_str().unwrap(), value.as_str().unwrap());
        }
        command.env("BELTIC_LEDGER", project.join("disk/ledger.db")); // the runner's disk
        command.env("ISSUER_KEY", "issuer-secret.pem").env("ISSUER_PASSPHRASE", "passphrase");
        command.output().unwrap()
    };
    for day in days() {
        fs::write(project.join("registers/members.csv"), &day.export).unwrap();
        let output = run("script", day.time);
        let results = project.join("credentials.ndjson");
        check(&day, &output, &results, &project.join("disk/ledger.db"), &project.join("site"));
        assert!(run("after_script", day.time).status.success());
        assert!(!project.join("issuer.pem").exists());
    }
}
