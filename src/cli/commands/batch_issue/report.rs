//! What a run tells beside its results: notes, warnings, counts.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::annotations::Annotations;
use super::failed_file::FailedFile;
use super::out_dir::OutDir;
use super::page::Problems;
use super::progress::{Progress, Reached};
use super::reasons::{Reason, Reasons};
use crate::batch::{Action, Delivery, FailedItem, IssuedToken, Plan};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::render::Form;
use crate::cli::streams::{self, grouped};
use crate::clock::{UnixTime, system_now};
use crate::request::Doubt;
use crate::request::Warning;
use crate::source::{InputBytes, InputName, InputWarning};

/// How many warnings are shown. All are counted.
const WARNINGS_SHOWN: u64 = 100;

/// How many reasons the JSON line at the end has. The summary has all.
const REASONS_IN_LINE: usize = 10;

/// What came of the items so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct RunCounts {
    pub(crate) issued: u64,
    pub(crate) replayed: u64,
    pub(crate) failed: u64,
    /// How many items each action was done for, in a run that keeps a register up to date.
    pub(crate) done: [u64; Action::ALL.len()],
    pub(crate) warnings: u64,
    pub(crate) status_lists: Vec<String>,
    pub(crate) reasons: Reasons,
}

impl RunCounts {
    /// How many items have a result.
    pub(crate) fn items(&self) -> u64 {
        self.issued + self.failed
    }

    /// The end of a run for programs.
    pub(crate) fn end_members(&self, elapsed: Duration, status: ExitStatus) -> Value {
        json!({
            "event": "end",
            "issued": self.issued - self.replayed,
            "already_issued": self.replayed,
            "failed": self.failed,
            "warnings": self.warnings,
            "duration_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "exit_code": status.code(),
            "reasons": self.reasons.ranked().into_iter().take(REASONS_IN_LINE).collect::<Vec<_>>(),
        })
    }

    /// The line at the end of a run.
    pub(crate) fn closing_line(&self, elapsed: Duration, dry_run: bool) -> String {
        let seconds = elapsed.as_secs_f64();
        let rate = (self.items() as f64 / seconds.max(1e-6)) as u64;
        let warnings = match self.warnings {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            count => format!(", {} warnings", grouped(count)),
        };
        let (failed, items) = (grouped(self.failed), grouped(self.items()));
        let (issued, replayed) = (
            grouped(self.issued - self.replayed),
            match self.replayed {
                0 => String::new(),
                count => format!(", already issued {}", grouped(count)),
            },
        );
        let noun = if self.items() == 1 { "item" } else { "items" };
        let rate = grouped(rate);
        let (issue, fail) =
            if dry_run { ("dry run: would issue", "would fail") } else { ("issued", "failed") };
        format!(
            "{issue} {issued}{replayed}, {fail} {failed}{warnings} ({items} {noun} in {seconds:.2} s, {rate}/s)"
        )
    }
}

/// Where results go.
pub(crate) struct Outlets<'r> {
    pub(crate) output: &'r mut Output,
    pub(crate) failed: Option<&'r mut FailedFile>,
    pub(crate) out_dir: Option<&'r mut OutDir>,
}

/// How people are told of the run meanwhile.
pub(crate) struct Tellers {
    pub(crate) progress: Progress,
    pub(crate) quiet: bool,
    pub(crate) annotations: Option<Annotations>,
    /// What the page about the run lists, where one is wanted.
    pub(crate) problems: Option<Problems>,
}

/// Passes deliveries on, and keeps count.
pub(crate) struct Report<'r> {
    form: &'r dyn Form,
    outlets: Outlets<'r>,
    counts: RunCounts,
    tellers: Tellers,
    /// What was said of some text already: where a whole export is damaged, the first place is enough.
    doubts: Vec<Doubt>,
}

impl<'r> Report<'r> {
    pub(crate) fn new(form: &'r dyn Form, outlets: Outlets<'r>, tellers: Tellers) -> Report<'r> {
        Report { form, outlets, counts: RunCounts::default(), tellers, doubts: Vec::new() }
    }

    /// Writes a batch's rows and failed items, then what is to be said about them.
    pub(crate) fn deliver(&mut self, delivery: Delivery) -> Result<(), Failure> {
        let head = self.form.head();
        // They are in the ledger, whatever becomes of their rows.
        self.counts.issued += delivery.issued;
        self.counts.replayed += delivery.replayed;
        self.counts.failed += delivery.rejected;
        self.counts.done.iter_mut().zip(delivery.done).for_each(|(sum, done)| *sum += done);
        for list in delivery.status_lists {
            if !self.counts.status_lists.contains(&list) {
                self.counts.status_lists.push(list);
            }
        }
        self.write_tokens(&delivery.tokens)?;
        let output = &mut self.outlets.output;
        let written = || output.write(&head, &delivery.bytes, &delivery.row_ends);
        self.tellers.progress.beside_results(written)?;
        if let (Some(file), Some(failed)) = (&mut self.outlets.failed, delivery.failed) {
            file.add(failed)?;
        }
        self.note_failures(&delivery.failures);
        for note in &delivery.notes {
            self.tellers.progress.aside(|| streams::say(note));
        }
        for (index, line, warning) in &delivery.warnings {
            let doubt = if let Warning::Place { doubt, .. } = warning { Some(*doubt) } else { None };
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            let warning = format!("item {index}{line}: {warning}");
            match doubt {
                Some(doubt) if self.doubts.contains(&doubt) => self.counts.warnings += 1,
                Some(doubt) => {
                    self.doubts.push(doubt);
                    self.warn(&format!("{warning}; more warnings of this kind are counted but not shown"));
                }
                None => self.warn(&warning),
            }
        }
        let (items, failed) = (self.counts.items(), self.counts.failed);
        self.tellers.progress.advance(Reached { items, failed, bytes: delivery.bytes_consumed });
        Ok(())
    }

    /// Writes the files of credentials, before their rows say that they were issued.
    fn write_tokens(&mut self, tokens: &[IssuedToken]) -> Result<(), Failure> {
        for token in tokens {
            let Some(out_dir) = &mut self.outlets.out_dir else { break };
            if let Some(warning) = out_dir.add(token)? {
                self.warn(&warning);
            }
        }
        match &mut self.outlets.out_dir {
            Some(out_dir) => out_dir.commit(),
            None => Ok(()),
        }
    }

    /// Counts why items failed, and tells those who want to know of each.
    fn note_failures(&mut self, failures: &[FailedItem]) {
        let Tellers { progress, annotations, problems, .. } = &mut self.tellers;
        for item in failures {
            self.counts.reasons.add(item);
            if let Some(problems) = problems {
                problems.add(item);
            }
            if let Some(line) = annotations.as_mut().and_then(|annotations| annotations.line(item)) {
                progress.aside(|| streams::put(&line));
            }
        }
    }

    /// Writes what stands before the first row, where there was none.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        Ok(self.outlets.output.begin(&self.form.head())?)
    }

    /// Passes on what the reader noticed about the files.
    pub(crate) fn input_warnings(&mut self, warnings: &[InputWarning]) {
        for warning in warnings {
            self.warn(&warning.to_string());
        }
    }

    /// Takes the progress bar away, and gives the counts and what the page lists.
    pub(crate) fn finish(self) -> (RunCounts, Problems) {
        self.tellers.progress.finish();
        if let Some(rest) = self.tellers.annotations.and_then(|annotations| annotations.rest()) {
            streams::put(&rest);
        }
        (self.counts, self.tellers.problems.unwrap_or_default())
    }

    /// Says a warning, and counts it.
    pub(crate) fn warn(&mut self, warning: &str) {
        self.counts.warnings += 1;
        if self.tellers.quiet || self.counts.warnings > WARNINGS_SHOWN + 1 {
            return;
        }
        let text = match self.counts.warnings > WARNINGS_SHOWN {
            false => format!("warning: {}", streams::printable(warning)),
            true => "warning: more warnings are counted but not shown".to_owned(),
        };
        self.tellers.progress.aside(|| streams::say(&text));
    }
}

/// What `--summary` writes.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'s> {
    pub(super) success_count: u64,
    pub(super) failure_count: u64,
    pub(super) replayed_count: u64,
    pub(super) warning_count: u64,
    pub(super) run_id: &'s str,
    /// The part of the items that the counts are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shard: Option<String>,
    /// What was done with a register: as at the end of a `sync` with `--log-format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sync: Option<Value>,
    pub(super) started_at: String,
    pub(super) finished_at: String,
    pub(super) duration_ms: u64,
    pub(super) exit_code: u8,
    pub(super) beltic_version: &'static str,
    pub(super) kid: &'s str,
    pub(super) issuer_did: &'s str,
    pub(super) inputs: Vec<SummaryInput>,
    pub(super) status_lists: &'s [String],
    /// The most frequent first.
    pub(super) reasons: Vec<&'s Reason>,
    /// How many items have a reason beyond those that are told apart.
    pub(super) other_reasons: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct SummaryInput {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// How a run went beside its counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) started_at: UnixTime,
    pub(crate) took: Duration,
    /// The exit code, if the summary itself can be written.
    pub(crate) status: ExitStatus,
}

impl<'s> Summary<'s> {
    pub(crate) fn new(
        plan: &'s Plan<'_>,
        counts: &'s RunCounts,
        facts: Facts,
        inputs: &[InputBytes],
    ) -> Summary<'s> {
        Summary {
            success_count: counts.issued,
            failure_count: counts.failed,
            replayed_count: counts.replayed,
            warning_count: counts.warnings,
            run_id: &plan.run.name,
            shard: plan.shard.map(|shard| shard.to_string()),
            sync: None,
            started_at: facts.started_at.to_string(),
            finished_at: system_now().to_string(),
            duration_ms: u64::try_from(facts.took.as_millis()).unwrap_or(u64::MAX),
            exit_code: facts.status.code(),
            beltic_version: env!("CARGO_PKG_VERSION"),
            kid: &plan.profile.kid,
            issuer_did: &plan.profile.issuer,
            inputs: inputs
                .iter()
                .map(|input| SummaryInput {
                    path: match &input.input {
                        InputName::Stdin => "-".into(),
                        InputName::File(path) => path.clone(),
                    },
                    bytes: input.bytes,
                })
                .collect(),
            status_lists: &counts.status_lists,
            reasons: counts.reasons.ranked(),
            other_reasons: counts.reasons.beyond(),
        }
    }

    /// The summary as a JSON file.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}
