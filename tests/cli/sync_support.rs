//! Runs of `sync`, and what the ledger has after them. Only what docs/register.md promises is looked at.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Run, Sandbox};

/// A result of `sync`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Synced {
    pub(crate) index: Option<u64>,
    pub(crate) line: Option<u64>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) former: Option<String>,
    pub(crate) credential: Option<Value>,
    pub(crate) error: Option<Value>,
}

impl Synced {
    /// The id of its credential.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        let id = self.credential.as_ref().and_then(|credential| credential["id"].as_str());
        id.unwrap_or_else(|| panic!("no credential: {self:?}")).to_owned()
    }

    /// The code of its error.
    pub(crate) fn code(&self) -> Option<&str> {
        self.error.as_ref()?["code"].as_str()
    }
}

/// The results of a run in NDJSON.
pub(crate) fn synced(run: &Run) -> Vec<Synced> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.stdout.lines().map(parse).collect()
}

/// Runs `sync` with these arguments, separated by spaces.
pub(crate) fn sync(sandbox: &Sandbox, args: &str) -> Run {
    let args: Vec<_> = ["sync"].into_iter().chain(args.split_whitespace()).collect();
    sandbox.beltic(&args)
}

/// A folder with an issuer's key, whose status lists have an address.
pub(crate) fn issuer() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "status:\n  base_url: https://issuer.example\n");
    sandbox
}

/// A credential in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) issued_at: String,
    pub(crate) expires_at: String,
    pub(crate) revocation_reason: Option<String>,
}

/// The credentials that the ledger has, by their ids.
#[track_caller]
pub(crate) fn held(sandbox: &Sandbox) -> BTreeMap<String, Held> {
    found(sandbox, "").into_iter().map(|held| (held.id.clone(), held)).collect()
}

/// Whether there is a ledger to look at: a file, or a database that the settings name.
fn has_ledger(sandbox: &Sandbox) -> bool {
    let is_in_database =
        || sandbox.has(".beltic.yaml") && sandbox.read(".beltic.yaml").contains("postgres://");
    sandbox.has(".beltic/ledger.db") || is_in_database()
}

/// The credentials that `list` finds under these conditions, the newest last.
#[track_caller]
pub(crate) fn found(sandbox: &Sandbox, conditions: &str) -> Vec<Held> {
    if !has_ledger(sandbox) {
        return Vec::new();
    }
    let args = ["list", "--output-format", "ndjson"].into_iter().chain(conditions.split_whitespace());
    let run = sandbox.beltic(&args.collect::<Vec<_>>()).expect(0);
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All that ever happened to the ledger, without what was given out again.
#[track_caller]
pub(crate) fn events(sandbox: &Sandbox) -> String {
    if !has_ledger(sandbox) {
        return String::new();
    }
    let all = sandbox.beltic(&["list", "--events", "--output-format", "ndjson"]).expect(0).stdout;
    all.lines()
        .filter(|line| !line.contains("\"kind\":\"replayed\""))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What `sync` says at the end that it did, or `--plan` that it would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) issued: usize,
    pub(crate) replaced: usize,
    pub(crate) renewed: usize,
    pub(crate) removed: usize,
    pub(crate) unchanged: usize,
    pub(crate) failed: usize,
}

impl Counts {
    /// The counts at the end of a run on standard error, or those of a plan. A count that is left out is 0.
    #[track_caller]
    pub(crate) fn of(run: &Run) -> Counts {
        Counts::planned(run).unwrap_or_else(|| Counts::done(run))
    }

    /// What the last line of a plan in NDJSON says.
    fn planned(run: &Run) -> Option<Counts> {
        let last: Value = serde_json::from_str(run.stdout.lines().last()?).ok()?;
        let count = |name: &str| Some(usize::try_from(last["plan"][name].as_u64()?).unwrap());
        Some(Counts {
            issued: count("issued")?,
            replaced: count("replaced")?,
            renewed: count("renewed")?,
            removed: count("revoked")?,
            unchanged: count("unchanged")?,
            failed: count("failed")?,
        })
    }

    #[track_caller]
    fn done(run: &Run) -> Counts {
        let said = run.stderr.lines().find(|line| line.starts_with("issued "));
        let said = said.unwrap_or_else(|| panic!("no counts:\n{}\n{}", run.stderr, run.stdout));
        let pairs =
            Regex::new(r"\b(issued|replaced|renewed|revoked|unchanged|failed) ([0-9][0-9,]*)").unwrap();
        let mut counts = Counts::default();
        for pair in pairs.captures_iter(said) {
            let number: usize = pair[2].trim_end_matches(',').replace(',', "").parse().unwrap();
            let place = match &pair[1] {
                "issued" => &mut counts.issued,
                "replaced" => &mut counts.replaced,
                "renewed" => &mut counts.renewed,
                "unchanged" => &mut counts.unchanged,
                "failed" => &mut counts.failed,
                _ => &mut counts.removed,
            };
            *place += number;
        }
        counts
    }
}
