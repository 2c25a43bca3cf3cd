//! The serial stage: gives ids and indices, records them, and counts what failed.

use std::path::PathBuf;

use super::error::BatchError;
use super::recent::RecentIds;
use super::renewal;
use super::stages::{CheckedBatch, Decision, RecordedBatch};
use super::{MaxFailures, Plan, Proposed, Register};
use crate::ledger::{self, Answer, Conflict, Entry, Restoration, RunDescription};
use crate::pipeline::Commits;
use crate::request::{ErrorCode, Rejection, Warning};

/// What the serial stage has counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) items: u64,
    pub(super) failed: u64,
    pub(super) recorded: u64,
    /// What became of the ledger during the run, by the name of the ledger.
    pub(super) noticed: Option<(PathBuf, Restoration)>,
    /// The last item of the batch in which too many had failed.
    pub(super) stopped_at: Option<u64>,
}

impl Tally {
    /// Whether the run may go on.
    pub(super) fn verdict(&self) -> Result<(), BatchError> {
        match self.stopped_at {
            None => Ok(()),
            Some(last_index) => {
                Err(BatchError::TooManyFailures { last_index, failed: self.failed, items: self.items })
            }
        }
    }
}

/// The serial stage: gives ids and indices, records them, and counts what failed.
pub(super) struct Registrar<'p, 'r> {
    register: Register<'r>,
    run: &'p RunDescription,
    max_failures: Option<MaxFailures>,
    recent: RecentIds,
    /// Whether any batch had a row.
    has_rows: bool,
    pub(super) tally: &'p mut Tally,
}

impl<'p, 'r> Registrar<'p, 'r> {
    pub(super) fn new(register: Register<'r>, plan: &'p Plan<'_>, tally: &'p mut Tally) -> Registrar<'p, 'r> {
        let (run, max_failures, recent) = (&plan.run, plan.max_failures, RecentIds::default());
        Registrar { register, run, max_failures, recent, has_rows: false, tally }
    }

    /// How many batches are worth recording together where so many workers make them. Where a number of failures ends
    /// the run, it has to be known of each batch before the next one is recorded.
    pub(super) fn together(&self, workers: usize) -> usize {
        match &self.register {
            Register::Ledger(ledger) if self.max_failures.is_none() => ledger.recorded_together(workers),
            _ => 1,
        }
    }

    /// Records batches, in their order.
    pub(super) fn record_all(&mut self, batches: Vec<CheckedBatch>) -> Commits<RecordedBatch, BatchError> {
        let mut recorded = Vec::with_capacity(batches.len());
        if batches.len() > 1 && !batches.iter().any(renewal::has_any) {
            return self.record_together(batches);
        }
        for batch in batches {
            match self.record(batch) {
                Ok(batch) => recorded.push(batch),
                Err(error) => return (recorded, Err(error)),
            }
        }
        (recorded, Ok(()))
    }

    fn record(&mut self, mut batch: CheckedBatch) -> Result<RecordedBatch, BatchError> {
        self.tally.verdict()?;
        renewal::judge_strangers(&mut self.register, &mut batch)?;
        self.preview_conflicts(&mut batch)?;
        self.cut_at_limit(&mut batch);
        self.note_repeats(&mut batch);
        let answers = self.ask(&batch)?;
        Ok(self.recorded(batch, answers))
    }

    /// Records batches in one exchange with the ledger, where that can be.
    fn record_together(&mut self, mut batches: Vec<CheckedBatch>) -> Commits<RecordedBatch, BatchError> {
        batches.iter_mut().for_each(|batch| self.note_repeats(batch));
        let entries: Vec<_> = batches.iter().map(entries).collect();
        let entries: Vec<_> = entries.iter().map(Vec::as_slice).collect();
        let Register::Ledger(ledger) = &mut self.register else { unreachable!("a ledger said how many") };
        let (answers, outcome) = ledger.record_together(self.run, &entries);
        let answers: Vec<_> = answers.into_iter().map(|answers| self.decisions(answers)).collect();
        let recorded = batches.into_iter().zip(answers).map(|(batch, answers)| self.recorded(batch, answers));
        (recorded.collect(), outcome.map_err(BatchError::from))
    }

    /// A batch with what the register has said.
    fn recorded(
        &mut self,
        mut batch: CheckedBatch,
        answers: Vec<Result<Decision, Rejection>>,
    ) -> RecordedBatch {
        if let Register::Ledger(ledger) = &mut self.register
            && let Some(noticed) = ledger.take_noticed()
        {
            self.tally.noticed = Some((ledger.path().to_owned(), noticed));
        }
        let decisions = apply(answers, &mut batch);
        self.note_duplicate(&mut batch);
        self.count(&batch);
        let is_first = !self.has_rows;
        let skipped = decisions.iter().filter(|decision| matches!(decision, Decision::Skip)).count();
        self.has_rows |= skipped < batch.items.len();
        RecordedBatch { batch, decisions, is_first }
    }

    /// What follows from the ledger's answers, which are counted.
    fn decisions(&mut self, answers: Vec<Answer>) -> Vec<Result<Decision, Rejection>> {
        self.tally.recorded += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        let issue = |grant| Decision::Issue(grant, None);
        answers.into_iter().map(|answer| answer.map(issue).map_err(|conflict| conflict.into())).collect()
    }

    /// Warns where the run begins as one before did.
    fn note_duplicate(&mut self, batch: &mut CheckedBatch) {
        let duplicate = match &mut self.register {
            Register::Ledger(ledger) | Register::DryRun(Some(ledger)) => ledger.take_duplicate(),
            _ => None,
        };
        if let (Some(duplicate), Some(first)) = (duplicate, batch.items.first_mut()) {
            first.checked.warnings.push(Warning::IssuedBefore(duplicate.to_string()));
        }
    }

    /// Rejects items whose content changed, or whose former credential must not be renewed, where it matters for the
    /// limit which item fails first.
    fn preview_conflicts(&mut self, batch: &mut CheckedBatch) -> Result<(), BatchError> {
        let may_conflict = self.run.repeatable || renewal::has_any(batch);
        let (Register::Ledger(ledger), Some(MaxFailures::Count(_)), true) =
            (&mut self.register, self.max_failures, may_conflict)
        else {
            return Ok(());
        };
        let previewed = ledger.preview(self.run, &entries(batch))?;
        apply(previewed, batch);
        Ok(())
    }

    /// Drops the items after the one that is one failure too many: they are not issued.
    fn cut_at_limit(&self, batch: &mut CheckedBatch) {
        let Some(MaxFailures::Count(most)) = self.max_failures else { return };
        let left = most.saturating_sub(self.tally.failed);
        let failures = batch.items.iter().enumerate().filter(|(_, item)| item.checked.outcome.is_err());
        if let Some((at, _)) = failures.map(|(at, item)| (at, item.index)).nth(left as usize) {
            batch.items.truncate(at + 1);
        }
    }

    fn note_repeats(&mut self, batch: &mut CheckedBatch) {
        if self.run.repeatable || matches!(self.register, Register::Planned(_)) {
            return; // what a repeated id means is decided there
        }
        for item in &mut batch.items {
            if let Some(hash) = item.id_hash
                && let Some(earlier) = self.recent.note(hash, item.index)
            {
                item.checked.warnings.push(Warning::RepeatedCorrelationId(earlier));
            }
        }
    }

    /// Asks the register about each draft of the batch.
    fn ask(&mut self, batch: &CheckedBatch) -> Result<Vec<Result<Decision, Rejection>>, BatchError> {
        let entries = entries(batch);
        match &mut self.register {
            Register::Ledger(ledger) => {
                let answers = ledger.record(self.run, &entries)?;
                Ok(self.decisions(answers))
            }
            Register::None => {
                let grants = ledger::grants_without_ledger(&entries).map_err(BatchError::Random)?;
                Ok(grants.into_iter().map(|grant| Ok(Decision::Issue(grant, None))).collect())
            }
            Register::DryRun(Some(ledger)) => {
                let answers = ledger.preview(self.run, &entries)?;
                let would_issue = |answer: Result<bool, Conflict>| match answer {
                    Ok(replay) => Ok(Decision::WouldIssue { replay }),
                    Err(conflict) => Err(conflict.into()),
                };
                Ok(answers.into_iter().map(would_issue).collect())
            }
            Register::Planned(planned) => {
                let proposed: Vec<_> = batch.items.iter().map(Proposed::of).collect();
                let answers = planned.decide(self.run, &proposed)?;
                let issued = |answer: &&Result<Decision, _>| matches!(answer, Ok(Decision::Issue(..)));
                self.tally.recorded += answers.iter().filter(issued).count() as u64;
                Ok(answers)
            }
            Register::DryRun(None) => {
                Ok(entries.iter().map(|_| Ok(Decision::WouldIssue { replay: false })).collect())
            }
        }
    }

    fn count(&mut self, batch: &CheckedBatch) {
        let tally = &mut *self.tally;
        tally.items += batch.items.len() as u64;
        tally.failed += batch.items.iter().filter(|item| item.checked.outcome.is_err()).count() as u64;
        if self.max_failures.is_some_and(|limit| limit.is_exceeded(tally.failed, tally.items)) {
            tally.stopped_at = batch.items.last().map(|item| item.index);
        }
    }
}

/// The drafts of a batch that were not rejected.
fn entries(batch: &CheckedBatch) -> Vec<Entry<'_>> {
    let mut entries = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        if let Ok(draft) = &item.checked.outcome {
            entries.push(Entry { position: item.index, draft });
        }
    }
    entries
}

/// Turns drafts whose content changed into rejections; the decisions on the others remain.
fn apply<D, C: Into<Rejection>>(answers: Vec<Result<D, C>>, batch: &mut CheckedBatch) -> Vec<D> {
    let mut answers = answers.into_iter();
    let mut decisions = Vec::with_capacity(answers.len());
    for item in batch.items.iter_mut().filter(|item| item.checked.outcome.is_ok()) {
        match answers.next() {
            Some(Ok(decision)) => decisions.push(decision),
            Some(Err(conflict)) => item.checked.outcome = Err(Box::new(conflict.into())),
            None => {}
        }
    }
    decisions
}

impl From<Conflict> for Rejection {
    fn from(conflict: Conflict) -> Rejection {
        let code = match conflict {
            Conflict::Restless(_) | Conflict::Former { .. } => ErrorCode::StatusConflict,
            Conflict::Changed { .. } | Conflict::Moved(_) => ErrorCode::IdempotencyKeyConflict,
        };
        Rejection { code, message: conflict.to_string(), details: Vec::new() }
    }
}
