//! What a `sync` says: its plan, and its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::{Action, Delivery};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::streams::grouped;
use crate::sync::{Counts, NotPruned, RemovedCredential};

/// How many changes of each kind a plan shows.
const SHOWN: usize = 5;

/// The first changes of each kind, as lines of text.
#[derive(Debug, Default)]
pub(super) struct FirstChanges(Vec<(String, Vec<String>)>);

impl FirstChanges {
    /// Takes the rows of a batch out of it.
    pub(super) fn take(&mut self, mut delivery: Delivery) -> Delivery {
        let mut from = 0;
        for (_, end) in delivery.row_ends.drain(..) {
            let row = String::from_utf8_lossy(&delivery.bytes[from..end]).into_owned();
            // A row begins with what is done, in one word or two.
            let kind = row.split("  ").next().unwrap_or_default().to_owned();
            self.add(&kind, row);
            from = end;
        }
        delivery.bytes.clear();
        delivery
    }

    /// Takes a credential that would be removed.
    pub(super) fn add_removed(&mut self, removed: &RemovedCredential) {
        self.add("would revoke", format!("would revoke  {}\n", removed.id));
    }

    fn add(&mut self, kind: &str, row: String) {
        match self.0.iter_mut().find(|(known, _)| known == kind) {
            Some((_, rows)) if rows.len() >= SHOWN => {}
            Some((_, rows)) => rows.push(row),
            None => self.0.push((kind.to_owned(), vec![row])),
        }
    }

    fn lines(&self) -> String {
        self.0.iter().flat_map(|(_, rows)| rows).map(String::as_str).collect()
    }
}

/// The plan for people: a line for each kind of change, then the first ones of each.
pub(super) fn plan_text(counts: &Counts, changes: &FirstChanges) -> String {
    let mut text = String::new();
    for (count, what) in kinds(counts) {
        if count > 0 {
            text.push_str(&format!("{:>9}  {what}\n", grouped(count)));
        }
    }
    let lines = changes.lines();
    if !lines.is_empty() {
        text.push('\n');
        text.push_str(&lines);
    }
    text
}

fn kinds(counts: &Counts) -> [(u64, &'static str); 11] {
    let Counts { issued, replaced, by_settings, renewed, unchanged, suspended, failed, removed, .. } =
        *counts;
    [
        (counts.adopted, "to adopt (active credentials from outside of the scope)"),
        (issued, "to issue"),
        (replaced - by_settings, "to replace (changed items)"),
        (by_settings, "to replace (only the settings changed: type URI, proof format or disclosure policy)"),
        (renewed, "to renew"),
        (removed, "to revoke (no longer in the register)"),
        (unchanged - suspended, "unchanged"),
        (suspended, "unchanged and suspended"),
        (counts.gone_suspended, "suspended, no longer in the register, left as they are"),
        (failed, "would fail"),
        (counts.repeated, "ids that stand in the input more than once"),
    ]
}

/// The plan's counts for programs.
pub(super) fn plan_members(
    counts: &Counts,
    limit: u64,
    (is_pruning, not_pruned): (bool, Option<&NotPruned>),
) -> Value {
    json!({
        "plan": {
            "issued": counts.issued,
            "replaced": counts.replaced,
            "replaced_by_settings": counts.by_settings,
            "renewed": counts.renewed,
            "revoked": counts.removed,
            "unchanged": counts.unchanged,
            "suspended": counts.suspended,
            "superseded": counts.superseded + counts.renewed_revoked,
            "pruning": pruning(is_pruning, not_pruned),
            "adopted": counts.adopted,
            "failed": counts.failed,
            "active": counts.active,
            "max_removals": limit,
            "exceeds_max_removals": counts.revocations() > limit,
        }
    })
}

/// Whether what is gone is revoked, in a word.
pub(super) fn pruning(is_asked: bool, not_pruned: Option<&NotPruned>) -> &'static str {
    match (is_asked, not_pruned) {
        (_, Some(_)) => "off",
        (true, None) => "on",
        (false, None) => "not_asked",
    }
}

/// What is said where more would be revoked than may be.
pub(super) fn too_many(counts: &Counts, limit: u64) -> Option<Failure> {
    if counts.revocations() <= limit {
        return None;
    }
    let settings = match counts.by_settings {
        0 => String::new(),
        count => format!("; {} of the replacements come from changed settings alone", grouped(count)),
    };
    let message = format!(
        "this would revoke {} of {} active credentials ({} removed, {} replaced), and --max-removals allows {}{settings}",
        grouped(counts.revocations()),
        grouped(counts.active),
        grouped(counts.removed),
        grouped(counts.superseded),
        grouped(limit),
    );
    Some(Failure::said(ExitStatus::MaxFailures, message).hint(
        "nothing was changed; check the register with `--plan`, then raise `--max-removals` if this is meant",
    ))
}

/// What is said where nothing may be removed.
pub(super) fn not_pruned(why: &NotPruned) -> String {
    match why {
        NotPruned::Unreadable { index, line } => {
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            format!(
                "nothing is removed: item {index}{line} has no readable id or type, so nobody can tell whose it is"
            )
        }
        NotPruned::Repeated { index } => {
            format!("nothing is removed: the id of item {index} stands in the input more than once")
        }
    }
}

/// What is said of suspended credentials.
pub(super) fn suspended(counts: &Counts) -> Option<String> {
    let Counts { suspended, gone_suspended, .. } = *counts;
    let said = [
        (suspended, "suspended and unchanged; not renewed"),
        (gone_suspended, "suspended and no longer in the register; not revoked"),
    ];
    let said = said.iter().filter(|(count, _)| *count > 0);
    let said: Vec<_> = said.map(|(count, what)| format!("credentials {what}: {}", grouped(*count))).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    /// How many items each action was done for.
    pub(super) done: [u64; Action::ALL.len()],
    /// How many credentials were revoked because their items are gone.
    pub(super) removed: u64,
    /// How many were revoked because another one took their place.
    pub(super) superseded: u64,
    pub(super) adopted: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
    pub(super) warnings: u64,
    /// Whether what is gone was revoked, in a word.
    pub(super) pruning: &'static str,
}

impl Outcome {
    fn of(&self, action: Action) -> u64 {
        self.done[action as usize]
    }

    /// Whether anything was revoked.
    pub(super) fn changed_anything(&self) -> bool {
        self.removed + self.superseded > 0
    }

    /// The line at the end of a plan.
    pub(super) fn plan_line(counts: &Counts) -> String {
        let superseded = match counts.superseded + counts.renewed_revoked {
            0 => String::new(),
            count => format!(", superseded {}", grouped(count)),
        };
        format!(
            "plan: would issue {}, replace {}, renew {}, revoke {}{superseded}, unchanged {}, failed {}",
            grouped(counts.issued),
            grouped(counts.replaced),
            grouped(counts.renewed),
            grouped(counts.removed),
            grouped(counts.unchanged),
            grouped(counts.failed),
        )
    }

    /// The line at the end.
    pub(super) fn closing_line(&self, items: u64, took: Duration) -> String {
        let optional = |count: u64, what: &str| match count {
            0 => String::new(),
            count => format!(", {what} {}", grouped(count)),
        };
        let seconds = took.as_secs_f64();
        let rate = grouped((items as f64 / seconds.max(1e-6)) as u64);
        let noun = if items == 1 { "item" } else { "items" };
        format!(
            "issued {}, replaced {}{}{}{}{}, unchanged {}, failed {}{} ({} {noun} in {seconds:.2} s, {rate}/s)",
            grouped(self.of(Action::Issued)),
            grouped(self.of(Action::Replaced)),
            optional(self.of(Action::Renewed), "renewed"),
            optional(self.removed, "revoked"),
            optional(self.superseded, "superseded"),
            optional(self.adopted, "adopted"),
            grouped(self.unchanged),
            grouped(self.failed),
            optional(self.warnings, "warnings"),
            grouped(items),
        )
    }

    /// The end for programs.
    pub(super) fn end_members(&self, took: Duration, status: ExitStatus) -> Value {
        json!({
            "event": "end",
            "issued": self.of(Action::Issued),
            "replaced": self.of(Action::Replaced),
            "renewed": self.of(Action::Renewed),
            "revoked": self.removed,
            "superseded": self.superseded,
            "adopted": self.adopted,
            "pruning": self.pruning,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "warnings": self.warnings,
            "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "exit_code": status.code(),
        })
    }
}
