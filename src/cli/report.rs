//! What a run tells beside its results: notes, warnings, counts.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::output::{Output, OutputError};
use super::progress::Progress;
use super::render::Form;
use super::streams::{self, grouped};
use crate::batch::{Delivery, Plan};
use crate::clock::{UnixTime, system_now};
use crate::source::{InputBytes, InputName, InputWarning};

/// How many warnings are shown. All are counted.
const WARNINGS_SHOWN: u64 = 100;

/// What came of the items so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    pub(crate) issued: u64,
    pub(crate) failed: u64,
    pub(crate) warnings: u64,
    pub(crate) status_lists: Vec<String>,
}

impl Counts {
    /// How many items have a result.
    pub(crate) fn items(&self) -> u64 {
        self.issued + self.failed
    }

    /// The line at the end of a run (contract section 2.3).
    pub(crate) fn closing_line(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        let rate = (self.items() as f64 / seconds.max(1e-6)) as u64;
        let warnings = match self.warnings {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            count => format!(", {} warnings", grouped(count)),
        };
        let (issued, failed, items) = (grouped(self.issued), grouped(self.failed), grouped(self.items()));
        let noun = if self.items() == 1 { "item" } else { "items" };
        format!(
            "issued {issued}, failed {failed}{warnings} ({items} {noun} in {seconds:.2} s, {}/s)",
            grouped(rate)
        )
    }
}

/// Passes deliveries on, and keeps count.
pub(crate) struct Report {
    counts: Counts,
    progress: Progress,
    quiet: bool,
}

impl Report {
    pub(crate) fn new(progress: Progress, quiet: bool) -> Report {
        Report { counts: Counts::default(), progress, quiet }
    }

    /// Writes a batch's rows, then what is to be said about them.
    pub(crate) fn deliver(
        &mut self,
        delivery: Delivery,
        form: &dyn Form,
        output: &mut Output,
    ) -> Result<(), OutputError> {
        self.progress.aside(|| output.write(&form.head(), &delivery.bytes, delivery.last_index))?;
        self.counts.issued += delivery.issued;
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
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            self.warn(&format!("item {index}{line}: {warning}"));
        }
        self.progress.advance(self.counts.items(), delivery.bytes_consumed);
        Ok(())
    }

    /// Passes on what the reader noticed about the files.
    pub(crate) fn input_warnings(&mut self, warnings: &[InputWarning]) {
        for warning in warnings {
            self.warn(&warning.to_string());
        }
    }

    /// Takes the progress bar away, and gives the counts.
    pub(crate) fn finish(self) -> Counts {
        self.progress.finish();
        self.counts
    }

    fn warn(&mut self, warning: &str) {
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

impl<'s> Summary<'s> {
    pub(crate) fn new(
        plan: &'s Plan<'_>,
        counts: &'s Counts,
        started_at: UnixTime,
        inputs: &[InputBytes],
    ) -> Summary<'s> {
        Summary {
            success_count: counts.issued,
            failure_count: counts.failed,
            replayed_count: 0,
            warning_count: counts.warnings,
            run_id: &plan.run.name,
            started_at: started_at.to_string(),
            finished_at: system_now().to_string(),
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
