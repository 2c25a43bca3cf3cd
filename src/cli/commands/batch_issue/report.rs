//! What a run tells beside its results: notes, warnings, counts.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::failed_file::FailedFile;
use super::progress::Progress;
use crate::batch::{Delivery, Plan};
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

/// What came of the items so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct RunCounts {
    pub(crate) issued: u64,
    pub(crate) replayed: u64,
    pub(crate) failed: u64,
    pub(crate) warnings: u64,
    pub(crate) status_lists: Vec<String>,
}

impl RunCounts {
    /// How many items have a result.
    pub(crate) fn items(&self) -> u64 {
        self.issued + self.failed
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
        let (issued, failed, items) = (grouped(self.issued), grouped(self.failed), grouped(self.items()));
        let replayed = match self.replayed {
            0 => String::new(),
            count => format!(" ({} replayed)", grouped(count)),
        };
        let noun = if self.items() == 1 { "item" } else { "items" };
        let rate = grouped(rate);
        let (issue, fail) =
            if dry_run { ("dry run: would issue", "would fail") } else { ("issued", "failed") };
        format!(
            "{issue} {issued}{replayed}, {fail} {failed}{warnings} ({items} {noun} in {seconds:.2} s, {rate}/s)"
        )
    }
}

/// Passes deliveries on, and keeps count.
pub(crate) struct Report<'r> {
    form: &'r dyn Form,
    output: &'r mut Output,
    failed_file: Option<&'r mut FailedFile>,
    counts: RunCounts,
    progress: Progress,
    quiet: bool,
    /// What was said of some text already: where a whole export is damaged, the first place is enough.
    doubts: Vec<Doubt>,
}

impl<'r> Report<'r> {
    pub(crate) fn new(
        form: &'r dyn Form,
        output: &'r mut Output,
        failed_file: Option<&'r mut FailedFile>,
        progress: Progress,
        quiet: bool,
    ) -> Report<'r> {
        Report {
            form,
            output,
            failed_file,
            counts: RunCounts::default(),
            progress,
            quiet,
            doubts: Vec::new(),
        }
    }

    /// Writes a batch's rows and failed items, then what is to be said about them.
    pub(crate) fn deliver(&mut self, delivery: Delivery) -> Result<(), Failure> {
        let head = self.form.head();
        self.progress.aside(|| self.output.write(&head, &delivery.bytes, &delivery.row_ends))?;
        if let (Some(file), Some(failed)) = (&mut self.failed_file, delivery.failed) {
            file.add(failed)?;
        }
        self.counts.issued += delivery.issued;
        self.counts.replayed += delivery.replayed;
        self.counts.failed += delivery.rejected;
        for list in delivery.status_lists {
            if !self.counts.status_lists.contains(&list) {
                self.counts.status_lists.push(list);
            }
        }
        for note in &delivery.notes {
            self.progress.aside(|| streams::say(note));
        }
        for (index, line, warning) in &delivery.warnings {
            let doubt = if let Warning::Place { doubt, .. } = warning { Some(*doubt) } else { None };
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            let warning = format!("item {index}{line}: {warning}");
            match doubt {
                Some(doubt) if self.doubts.contains(&doubt) => self.counts.warnings += 1,
                Some(doubt) => {
                    self.doubts.push(doubt);
                    self.warn(&format!("{warning}; further ones of this kind are counted, not shown"));
                }
                None => self.warn(&warning),
            }
        }
        self.progress.advance(self.counts.items(), delivery.bytes_consumed);
        Ok(())
    }

    /// Writes what stands before the first row, where there was none.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        Ok(self.output.begin(&self.form.head())?)
    }

    /// Passes on what the reader noticed about the files.
    pub(crate) fn input_warnings(&mut self, warnings: &[InputWarning]) {
        for warning in warnings {
            self.warn(&warning.to_string());
        }
    }

    /// Takes the progress bar away, and gives the counts.
    pub(crate) fn finish(self) -> RunCounts {
        self.progress.finish();
        self.counts
    }

    /// Says a warning, and counts it.
    pub(crate) fn warn(&mut self, warning: &str) {
        self.counts.warnings += 1;
        if self.quiet || self.counts.warnings > WARNINGS_SHOWN + 1 {
            return;
        }
        let text = match self.counts.warnings > WARNINGS_SHOWN {
            false => format!("warning: {}", streams::printable(warning)),
            true => "warning: further warnings are counted, not shown".to_owned(),
        };
        self.progress.aside(|| streams::say(&text));
    }
}

/// What `--summary` writes.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'s> {
    success_count: u64,
    failure_count: u64,
    replayed_count: u64,
    warning_count: u64,
    run_id: &'s str,
    started_at: String,
    finished_at: String,
    duration_ms: u64,
    exit_code: u8,
    beltic_version: &'static str,
    kid: &'s str,
    issuer_did: &'s str,
    inputs: Vec<SummaryInput>,
    status_lists: &'s [String],
}

#[derive(Debug, Serialize)]
struct SummaryInput {
    path: PathBuf,
    bytes: u64,
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
        }
    }

    /// The summary as a JSON file.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}
