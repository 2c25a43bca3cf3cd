//! `beltic batch-issue`: resolve, issue, report.
//!
//! [`job`] reads every flag and setting once; what follows knows a job and no flags.

mod annotations;
mod args;
mod credentials;
mod failed_file;
mod files;
mod input;
mod job;
mod out_dir;
pub(super) mod page;
mod progress;
mod reasons;
mod report;

use std::time::Instant;

pub(super) use self::args::{BatchIssueArgs, IssuingArgs, id_rule};
pub(super) use self::files::Files;
use self::files::Pages;
use self::job::{Ending, Job};
pub(super) use self::job::{
    Groundwork, Issuing, Repeats, Request, Telling, open_source, result_form, said_of_ledger,
};
pub(super) use self::page::Problems;
pub(super) use self::report::{Facts, Outlets, Report, RunCounts, Summary, Tellers};
use crate::batch::{self, Ended, Plan};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::log;
use crate::cli::render::Form;
use crate::cli::shared_args::Common;
use crate::cli::signals::StopSignals;
use crate::cli::streams;
use crate::clock::{UnixTime, system_now};
use crate::source::Source;

pub(super) fn run(common: &Common, args: &BatchIssueArgs) -> Result<ExitStatus, Failure> {
    let started = (Instant::now(), system_now());
    let signals = StopSignals::listen()?;
    let job = Job::resolve(common, args, &signals)?;
    let Job { mut source, issuing, register, mut files, form, telling, ending } = job;
    let plan = issuing.plan(files.failed.is_some(), files.out_dir.is_some());
    if let Some(notice) = telling.notice.as_ref().filter(|_| !telling.quiet) {
        streams::say(notice);
    }
    let progress = telling.progress();
    let tellers = Tellers {
        progress,
        quiet: telling.quiet,
        annotations: telling.annotations,
        problems: telling.wants_report.then(Problems::default),
    };
    let outlets =
        Outlets { output: &mut files.output, failed: files.failed.as_mut(), out_dir: files.out_dir.as_mut() };
    let mut report = Report::new(form.as_ref(), outlets, tellers);
    telling.warnings.iter().for_each(|warning| report.warn(warning));
    let ended = batch::issue(&mut source, &plan, register, form.as_render(), &signals.stop, |delivery| {
        report.deliver(delivery)
    });
    report.input_warnings(&source.warnings());
    if let Some((ledger, restoration)) = &ended.noticed {
        // It is said once, and so even where warnings are not wanted.
        streams::say(&format!("warning: {}", super::restored(ledger, true, restoration)));
    }
    if ended.outcome.is_ok() && ending.allows_empty {
        report.begin()?;
    }
    let (counts, problems) = report.finish();
    let finish = Finish {
        plan: &plan,
        source: &source,
        counts: &counts,
        problems: &problems,
        started,
        ending: &ending,
    };
    finish.run(ended, signals.failure(), files, form.as_ref(), telling.quiet)
}

/// A run whose results are out, and whose files are to be completed.
struct Finish<'f> {
    plan: &'f Plan<'f>,
    source: &'f Source,
    counts: &'f RunCounts,
    problems: &'f Problems,
    started: (Instant, UnixTime),
    ending: &'f Ending,
}

impl Finish<'_> {
    /// Completes the files, tells how it went, and says how to go on where it ended early.
    fn run(
        &self,
        ended: Ended<Failure>,
        stopped: Option<Failure>,
        files: Files,
        form: &dyn Form,
        quiet: bool,
    ) -> Result<ExitStatus, Failure> {
        let complete = ended.outcome.is_ok() && stopped.is_none();
        let outcome = ended.outcome.err().map(Failure::from);
        let (pages, unwritten) = files.finish(&form.tail(self.counts.issued, self.counts.failed), complete);
        let mut failures: Vec<Failure> = outcome.into_iter().chain(unwritten).chain(stopped).collect();
        let status = self.status(&failures);
        failures.extend(self.write_pages(pages, status));
        if !quiet && (self.counts.items() > 0 || self.ending.allows_empty) {
            self.tell_end(status);
        }
        Failure::of_all(failures).map_err(|failure| match ended.recorded > 0 {
            true => failure.hint(self.ending.go_on()),
            false => failure,
        })?;
        Ok(status)
    }

    /// The exit code of a run with these failures and counts.
    fn status(&self, failures: &[Failure]) -> ExitStatus {
        let some_failed = self.counts.failed > 0 && !self.ending.accepts_failures;
        let items = some_failed.then_some(ExitStatus::SomeFailed);
        ExitStatus::of_all(failures.iter().map(|failure| failure.status).chain(items))
    }

    /// The end for people, or as a JSON line.
    fn tell_end(&self, status: ExitStatus) {
        let took = self.started.0.elapsed();
        let line = self.counts.closing_line(took, self.ending.is_dry_run);
        if log::is_json() {
            return log::event("info", &line, &self.counts.end_members(took, status));
        }
        streams::say(&line);
        if self.counts.failed > 0 {
            self.counts.reasons.lines().iter().for_each(|line| streams::say(line));
            streams::say(&format!("  hint: {}", self.ending.about_failed()));
        }
    }

    /// Writes the summary and the report.
    fn write_pages(&self, pages: Pages, status: ExitStatus) -> Vec<Failure> {
        let facts = Facts { started_at: self.started.1, took: self.started.0.elapsed(), status };
        let summary = Summary::new(self.plan, self.counts, facts, &self.source.bytes_read());
        pages.write(&summary.to_json(), || page::page(&summary, &self.counts.reasons, self.problems))
    }
}
