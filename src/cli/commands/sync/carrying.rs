//! Carrying a plan out, and telling how that went.

use std::time::Instant;

use super::super::batch_issue::{
    Facts, Outlets, Problems, Report, RunCounts, Summary, Tellers, open_source, page,
};
use super::Job;
use super::telling::{self, FirstChanges, Outcome};
use crate::batch::{self, Delivery, Register};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::log;
use crate::cli::render::{Form, Removed};
use crate::cli::signals::StopSignals;
use crate::cli::streams;
use crate::clock::{UnixTime, system_now};
use crate::ledger::Changing;
use crate::source::InputBytes;
use crate::sync::{Carrier, Mode, Plan, RemovedCredential};

/// How a `sync` went.
#[derive(Default)]
struct Course {
    counts: RunCounts,
    problems: Problems,
    inputs: Vec<InputBytes>,
    /// Whether the ledger has anything that it did not have before.
    has_recorded: bool,
    removed: u64,
    superseded: u64,
    failures: Vec<Failure>,
    /// What a plan shows to people.
    first: FirstChanges,
}

impl Job<'_> {
    /// Reads the register for the second time, and does what the plan says, or tells it.
    pub(super) fn carry_out(
        mut self,
        plan: Plan,
        (limit, exceeds): (u64, bool),
        started: (Instant, UnixTime),
        signals: &StopSignals,
    ) -> Result<ExitStatus, Failure> {
        let (counts, not_pruned) = (plan.counts, plan.not_pruned.clone());
        let exceeded = telling::too_many(&counts, limit).map(|failure| failure.message());
        let mut course = self.follow(plan, exceeded, signals)?;
        if self.args.plan && course.failures.is_empty() {
            let text = match self.shows_first_changes() {
                true => telling::plan_text(&counts, &course.first),
                false => {
                    let pruning = (self.args.prune, not_pruned.as_ref());
                    format!("{}\n", telling::plan_members(&counts, limit, pruning))
                }
            };
            self.files.output.print(text.as_bytes())?;
        }
        let outcome = Outcome {
            done: course.counts.done,
            removed: course.removed,
            superseded: course.superseded,
            adopted: counts.adopted,
            pruning: telling::pruning(self.args.prune, not_pruned.as_ref()),
            unchanged: counts.unchanged,
            failed: counts.failed.max(course.counts.failed),
            warnings: course.counts.warnings,
        };
        let work = match self.args.plan {
            true => counts.have_work() || counts.failed > 0,
            false => outcome.failed > 0 && !self.args.issuing.accept_failures,
        };
        let statuses = [
            exceeds.then_some(ExitStatus::MaxFailures),
            (work || not_pruned.is_some()).then_some(ExitStatus::SomeFailed),
        ];
        let form = self.form.as_ref();
        let tail =
            if self.args.plan { Vec::new() } else { form.tail(course.counts.issued, course.counts.failed) };
        let (pages, unwritten) = self.files.finish(&tail, course.failures.is_empty());
        course.failures.extend(unwritten);
        let failed = course.failures.iter().map(|failure| failure.status);
        let status = ExitStatus::of_all(failed.chain(statuses.into_iter().flatten()));
        let batch_plan = self.issuing.plan(false, false);
        let facts = Facts { started_at: started.1, took: started.0.elapsed(), status };
        let mut summary = Summary::new(&batch_plan, &course.counts, facts, &course.inputs);
        summary.sync = Some(outcome.end_members(facts.took, status));
        let written = pages
            .write(&summary.to_json(), || page::page(&summary, &course.counts.reasons, &course.problems));
        course.failures.extend(written);
        match (self.telling.quiet, self.args.plan) {
            (true, _) => {}
            (false, true) => streams::say(&Outcome::plan_line(&counts)),
            (false, false) => tell_end(&outcome, counts.items, started.0, status, &course.counts),
        }
        Failure::of_all(course.failures).map_err(|failure| match course.has_recorded {
            true => failure.hint("run the same command again to finish; what was done stays done"),
            false => failure,
        })?;
        Ok(status)
    }

    fn shows_first_changes(&self) -> bool {
        self.args.plan && self.form.is_text()
    }

    /// Adoptions, then the second reading, then removals; each only if all before it went well.
    fn follow(
        &mut self,
        plan: Plan,
        exceeded: Option<String>,
        signals: &StopSignals,
    ) -> Result<Course, Failure> {
        let shows_first = self.shows_first_changes();
        let counts = plan.counts;
        let not_pruned = plan.not_pruned.as_ref().map(telling::not_pruned);
        let mode = if self.args.plan { Mode::Tell } else { Mode::Act };
        let batch_plan = self.issuing.plan(self.files.failed.is_some(), self.files.out_dir.is_some());
        let by = Changing { run: &batch_plan.run, register: &self.name, at: system_now() };
        let mut carrier = Carrier::new(&mut self.ledger, by, plan, mode);
        if let Some(notice) = self.telling.notice.as_ref().filter(|_| !self.telling.quiet) {
            streams::say(notice);
        }
        let tellers = Tellers {
            progress: self.telling.progress(),
            quiet: self.telling.quiet,
            annotations: self.telling.annotations.take(),
            problems: self.telling.wants_report.then(Problems::default),
        };
        let outlets = Outlets {
            output: &mut self.files.output,
            failed: self.files.failed.as_mut(),
            out_dir: self.files.out_dir.as_mut(),
        };
        let mut course = Course::default();
        let mut report = Report::new(self.form.as_ref(), outlets, tellers);
        if let Some(why) = not_pruned.as_ref().filter(|_| self.telling.quiet) {
            streams::say(&format!("warning: {why}")); // whoever prunes relies on it
        }
        let own = not_pruned.into_iter().chain(exceeded).chain(telling::suspended(&counts));
        let warnings = self.telling.warnings.iter().cloned();
        warnings.chain(own).for_each(|warning| report.warn(&warning));
        if mode == Mode::Act {
            carrier.adopt()?;
        }
        if counts.need_second_reading(self.args.all) {
            let inputs = self.register.inputs()?;
            let mut source = open_source(&self.settings, &self.request, inputs, signals)?;
            let register = Register::Planned(&mut carrier);
            let render = self.form.as_render();
            let deliver = |delivery: Delivery| match shows_first {
                true => report.deliver(course.first.take(delivery)),
                false => report.deliver(delivery),
            };
            let ended = batch::issue(&mut source, &batch_plan, register, render, &signals.stop, deliver);
            report.input_warnings(&source.warnings());
            course.inputs = source.bytes_read();
            course.has_recorded = ended.recorded > 0;
            course
                .failures
                .extend(ended.outcome.err().map(Failure::from).into_iter().chain(signals.failure()));
            course.superseded = carrier.superseded();
            if course.failures.is_empty() {
                course.failures.extend(carrier.must_have_seen_all().err().map(Failure::from));
            }
        }
        if course.failures.is_empty() && !shows_first {
            report.begin()?;
        }
        (course.counts, course.problems) = report.finish();
        if course.failures.is_empty() {
            let mut rows = RemovedRows { form: self.form.as_ref(), has_rows: course.counts.items() > 0 };
            let removed = carrier.remove(|removed| {
                course.removed += removed.len() as u64;
                course.has_recorded |= mode == Mode::Act;
                match shows_first {
                    true => removed.iter().for_each(|removed| course.first.add_removed(removed)),
                    false => self.files.output.write(&[], &rows.render(removed), &[])?,
                }
                match signals.failure() {
                    Some(stopped) => Err(stopped),
                    None => Ok(()),
                }
            });
            course.failures.extend(removed.err());
        }
        Ok(course)
    }
}

/// Renders what was removed.
struct RemovedRows<'f> {
    form: &'f dyn Form,
    has_rows: bool,
}

impl RemovedRows<'_> {
    fn render(&mut self, removed: &[RemovedCredential]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for credential in removed {
            let row = Removed { credential, is_first: !self.has_rows };
            self.form.removed(&row, &mut bytes);
            self.has_rows = true;
        }
        bytes
    }
}

/// The end for people, or as a JSON line.
fn tell_end(outcome: &Outcome, items: u64, started: Instant, status: ExitStatus, counts: &RunCounts) {
    let took = started.elapsed();
    let line = outcome.closing_line(items, took);
    if log::is_json() {
        return log::event("info", &line, &outcome.end_members(took, status));
    }
    streams::say(&line);
    counts.reasons.lines().iter().for_each(|line| streams::say(line));
    if outcome.changed_anything() {
        streams::say("  hint: run `beltic publish` so that verifiers see what was revoked");
    }
}
