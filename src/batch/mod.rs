//! Issuing a batch: the main job.
//!
//! ```text
//!           ┌──────── workers ────────┐      ledger thread       ┌─ workers ─┐
//!  Source ─▶│ parse, check every rule │─▶ ids, slots, records ──▶│   sign    │─▶ sink
//!  (reader  │ copy the pieces, hash   │   one transaction a      │  render   │   (caller's
//!   thread) └─────────────────────────┘   batch, full sync       └───────────┘    thread)
//!           nothing durable               durable from here on    a result may leave
//! ```
//!
//! A run of a single batch goes through the same stages in the caller's thread alone, without starting others.
//!
//! A batch is up to 1,000 consecutive items. What is durable when:
//!
//! - Up to the ledger's commit nothing has happened: a crash leaves no trace of the batch.
//! - The commit gives every sound item of the batch its id, index and dates, and records them.
//!   Only then is anything signed, so no signature exists of which the ledger does not know.
//! - A crash between commit and output leaves records without delivered results. Their indices
//!   are never given again.
//!
//! Rejected items take no index. Order is kept by [`crate::pipeline`], whatever the number of
//! workers.
//!
//! # Running again
//!
//! The ledger keeps each item's position, content hash, id, index and dates under the run's name.
//! A run under the name of an earlier one (an idempotency key) asks the ledger first, batch by
//! batch and in the transaction that would issue: what was issued comes out again as it was,
//! freshly signed; what is missing is issued; what changed is rejected. So a run that ended
//! anywhere, for any reason, is finished by running it again.

mod failed;
mod recent;
mod row;
mod second_look;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};

use crate::clock::{Clock, UnixTime};
use crate::credential::{Assembler, AssemblyError, Profile, Resource, beyond_verifiers};
use crate::keys::{SignError, SigningKey};
use crate::ledger::{self, Conflict, Entry, Grant, Ledger, LedgerError, RunDescription};
use crate::pipeline;
use crate::request::{Checked, Checker, Detail, DetailCode, DraftText, ErrorCode, Rejection, Rules, Warning};
use crate::source::{Chunk, InputError, ItemFault, ItemText, RowCheck, Source};
use crate::stop::{Stop, ThreadError};
use crate::token::MAX_TOKEN_BYTES;

pub use failed::FailedItems;
pub use recent::WINDOW as REPEAT_WINDOW;
pub use row::{Outcome, Render, Row};
pub use second_look::SecondLook;

use crate::verify::Refusal;
use recent::RecentIds;
use second_look::Eyes;

/// What a run is to do with its items.
#[derive(Debug)]
pub struct Plan<'p> {
    /// What the credentials have in common.
    pub profile: &'p Profile,
    /// The key that signs.
    pub key: &'p dyn SigningKey,
    /// What holds for all items.
    pub rules: Rules,
    /// When credentials are issued.
    pub clock: Clock,
    /// How many workers share the work. With 0 it is done in the caller's thread, which is soonest for one batch.
    pub jobs: usize,
    /// What the run is called in the ledger.
    pub run: RunDescription,
    /// How many items may fail.
    pub max_failures: Option<MaxFailures>,
    /// Whether the failed items are wanted as they came in.
    pub keep_failed: bool,
    /// What each credential is verified by before its result leaves, where that is wanted.
    pub second_look: Option<&'p SecondLook>,
}

/// How many items may fail before a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFailures {
    /// So many. The next one stops the run at its item.
    Count(u64),
    /// So many of a hundred items of the run so far. It is looked at after each batch, because a
    /// share of a few items says nothing.
    Percent(f64),
}

impl MaxFailures {
    fn is_exceeded(self, failed: u64, items: u64) -> bool {
        match self {
            MaxFailures::Count(most) => failed > most,
            MaxFailures::Percent(most) => failed as f64 * 100.0 > most * items as f64,
        }
    }
}

/// Where a run records what it issues.
#[derive(Debug)]
pub enum Register {
    /// In a ledger.
    Ledger(Box<Ledger>),
    /// Nowhere: `--ledger none`.
    None,
    /// Nothing is issued: a dry run, beside the ledger as it is, if there is one.
    DryRun(Option<Box<Ledger>>),
}

/// A batch whose results can leave the process.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The rows, rendered.
    pub bytes: Vec<u8>,
    /// Each item's index, and where its row ends in the bytes.
    pub row_ends: Vec<(u64, usize)>,
    /// The failed items as they came in, where they are wanted.
    pub failed: Option<FailedItems>,
    /// What is to be said beside the output: rejected items, where the form has no place for them.
    pub notes: Vec<String>,
    /// Warnings, with the item and the line that each is about.
    pub warnings: Vec<(u64, Option<u64>, Warning)>,
    /// How many items were issued, now or before.
    pub issued: u64,
    /// How many of them were issued before.
    pub replayed: u64,
    /// How many items were rejected.
    pub rejected: u64,
    /// The status lists that the issued ones stand in.
    pub status_lists: Vec<String>,
    /// How far into the stored input the batch reaches, in bytes.
    pub bytes_consumed: u64,
}

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum BatchError<S> {
    /// The input cannot be read any further.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The operating system starts no more threads.
    #[error(transparent)]
    Thread(#[from] ThreadError),
    /// The operating system gives no random bytes.
    #[error("the operating system's random generator failed")]
    Random(#[source] getrandom::Error),
    /// The key cannot be used. Nothing was recorded that waits for it.
    #[error("cannot sign with the key")]
    Key(#[from] SignError),
    /// A credential could not be signed.
    #[error("cannot sign a credential")]
    Signing(#[source] AssemblyError),
    /// A credential did not stand up to a second look. Its result, and those of its batch, were not written.
    #[error("the credential of item {index} does not verify: {refusal}")]
    Unverified {
        /// The item.
        index: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// More items failed than may.
    #[error(
        "stopped after item {last_index}: {failed} of {items} items failed, more than --max-failures allows"
    )]
    TooManyFailures {
        /// The last item that was looked at.
        last_index: u64,
        /// How many items failed.
        failed: u64,
        /// How many items there were so far.
        items: u64,
    },
    /// The results cannot be delivered.
    #[error("cannot write the results")]
    Sink(S),
}

impl<S> BatchError<S> {
    /// Names the items that were delivered last, where the ledger was taken away.
    fn with_items_in_doubt(self, delivered: Option<(u64, u64)>) -> BatchError<S> {
        match self {
            BatchError::Ledger(LedgerError::Changed { path, change, .. }) => {
                BatchError::Ledger(LedgerError::Changed { path, change, last: delivered })
            }
            error => error,
        }
    }
}

/// Why a batch was recorded and has no results.
enum FinishError {
    Signing(AssemblyError),
    Unverified { index: u64, refusal: Box<Refusal> },
}

impl From<AssemblyError> for FinishError {
    fn from(error: AssemblyError) -> FinishError {
        FinishError::Signing(error)
    }
}

impl FinishError {
    fn into_batch_error<S>(self) -> BatchError<S> {
        match self {
            FinishError::Signing(error) => BatchError::Signing(error),
            FinishError::Unverified { index, refusal } => BatchError::Unverified { index, refusal },
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended<S> {
    /// How many credentials of the run the ledger knows, delivered or not.
    pub recorded: u64,
    /// Where the input stopped being readable, the ledger could not be written, too many items
    /// failed, or the sink failed: that. What was handed to the sink before stays issued.
    pub outcome: Result<(), BatchError<S>>,
}

/// Issues every item of the source, and hands each batch's results to `sink` in input order.
/// Once `stop` is requested, no more items are taken; what was taken is finished. A run that has
/// to end for another reason requests it too, so that nobody waits for more input.
pub fn issue<S: Send>(
    source: &mut Source,
    plan: &Plan<'_>,
    register: Register,
    render: &dyn Render,
    stop: &Stop,
    mut sink: impl FnMut(Delivery) -> Result<(), S>,
) -> Ended<S> {
    let hasher = RandomState::new();
    let mut tally = Tally::default();
    let watch = match &register {
        Register::Ledger(ledger) => ledger.watch(),
        _ => None,
    };
    let mut delivered = None;
    let mut registrar = Registrar::new(register, plan, &mut tally);
    let clock = plan.clock;
    let outcome = pipeline::run(
        plan.jobs,
        || Ok(IssueWorker::new(plan, render, hasher.clone())?),
        || {
            if stop.is_requested() {
                return Ok(None);
            }
            match source.next_chunk() {
                Err(error) if error.is_stopped() => Ok(None),
                chunk => Ok(chunk?.map(|chunk| Dated { chunk, issued_at: clock.now() })),
            }
        },
        // The registrar goes with the stage: where there are workers, the ledger is closed while they sign the last
        // batch.
        move |batch| {
            let recorded = registrar.record(batch);
            if recorded.is_err() || registrar.tally.stopped_at.is_some() {
                stop.request();
            }
            recorded
        },
        |finished| {
            let delivery = finished.map_err(FinishError::into_batch_error);
            let written = delivery.and_then(|delivery| {
                // What leaves is recorded in the file that the next command will open.
                if let Some(watch) = &watch {
                    watch.check().map_err(BatchError::Ledger)?;
                }
                if let (Some((first, _)), Some((last, _))) =
                    (delivery.row_ends.first(), delivery.row_ends.last())
                {
                    delivered = Some((*first, *last));
                }
                sink(delivery).map_err(BatchError::Sink)
            });
            written.inspect_err(|_| stop.request())
        },
    );
    let outcome = outcome.map_err(|error| error.with_items_in_doubt(delivered));
    Ended { recorded: tally.recorded, outcome: outcome.and_then(|()| tally.verdict()) }
}

/// A chunk and the time at which its items are issued. The reader sets it, in the order of the
/// input.
struct Dated {
    chunk: Chunk,
    issued_at: UnixTime,
}

/// A chunk whose items were checked.
struct CheckedBatch {
    items: Vec<CheckedItem>,
    /// The pieces of all drafts.
    text: Vec<u8>,
    /// The chunk itself, where failed items are wanted as they came in.
    chunk: Option<Chunk>,
    bytes_consumed: u64,
}

struct CheckedItem {
    index: u64,
    line: Option<u64>,
    /// The hash of the correlation id, where there is one.
    id_hash: Option<u64>,
    checked: Checked,
}

/// A batch that is in the ledger: a decision for each draft that was not rejected, in order.
struct RecordedBatch {
    batch: CheckedBatch,
    decisions: Vec<Decision>,
}

/// What the registrar says to a draft.
enum Decision {
    Issue(Grant),
    WouldIssue { replay: bool },
}

/// An item and what becomes of it.
enum Decided<'b> {
    Reject(&'b CheckedItem, &'b Rejection),
    WouldIssue(&'b CheckedItem, bool),
    Issue(&'b CheckedItem, DraftText<'b>, Grant),
}

impl<'b> Decided<'b> {
    /// Takes the next decision, where the item is one that was decided on.
    fn next(
        item: &'b CheckedItem,
        text: &'b [u8],
        decisions: &mut impl Iterator<Item = Decision>,
    ) -> Decided<'b> {
        match &item.checked.outcome {
            Err(rejection) => Decided::Reject(item, rejection),
            Ok(draft) => match decisions.next().expect("the registrar decides on each draft") {
                Decision::WouldIssue { replay } => Decided::WouldIssue(item, replay),
                Decision::Issue(grant) => Decided::Issue(item, draft.with_text(text), grant),
            },
        }
    }
}

/// How many credentials are signed with one call. Engines that sign many at once gain nothing by more, and so many
/// unsigned tokens still fit into a processor's cache.
const SIGNED_TOGETHER: usize = 256;

/// What each worker thread has.
struct IssueWorker<'p> {
    checker: Checker,
    assembler: Assembler<'p>,
    profile: &'p Profile,
    render: &'p dyn Render,
    keep_failed: bool,
    second_look: Option<Eyes<'p>>,
    hasher: RandomState,
    /// How large the last batch's pieces and results were: good guesses for the next.
    last_text: usize,
    last_output: usize,
}

impl<'p> IssueWorker<'p> {
    fn new(
        plan: &Plan<'p>,
        render: &'p dyn Render,
        hasher: RandomState,
    ) -> Result<IssueWorker<'p>, SignError> {
        Ok(IssueWorker {
            checker: Checker::new(plan.rules.clone()),
            assembler: Assembler::new(plan.profile, plan.key.signer()?),
            profile: plan.profile,
            render,
            keep_failed: plan.keep_failed,
            second_look: plan.second_look.map(SecondLook::eyes),
            hasher,
            last_text: 0,
            last_output: 0,
        })
    }

    /// Rejects a draft whose credential may be longer than verifiers read, before it is recorded.
    fn refuse_oversized(&self, checked: &mut Checked, text: &[u8]) {
        let Ok(draft) = &checked.outcome else { return };
        if let Some(longest) = beyond_verifiers(self.profile, draft.with_text(text)) {
            let message = format!(
                "its credential may have {longest} bytes; expected at most {MAX_TOKEN_BYTES}, which verifiers read"
            );
            let detail = Detail { path: String::new(), column: None, code: DetailCode::TooLong, message };
            checked.outcome = Err(Box::new(Rejection::of_details(vec![detail])));
        }
    }

    /// Signs some items of a batch, and renders their rows.
    fn finish_some(
        &mut self,
        decided: &[Decided<'_>],
        text: &[u8],
        delivery: &mut Delivery,
    ) -> Result<(), FinishError> {
        let granted = decided.iter().filter_map(|decided| match decided {
            Decided::Issue(_, draft, grant) => Some((*draft, grant)),
            _ => None,
        });
        let mut tokens = self.assembler.sign(granted)?.iter();
        for decided in decided {
            let (item, outcome) = match decided {
                Decided::Reject(item, rejection) => (item, Outcome::Rejected(rejection)),
                Decided::WouldIssue(item, replay) => (item, Outcome::Foreseen { replay: *replay }),
                Decided::Issue(item, draft, grant) => {
                    note_list(&mut delivery.status_lists, grant);
                    let token = tokens.next().expect("a token for each draft that was granted");
                    if let Some(eyes) = &mut self.second_look {
                        let index = item.index;
                        eyes.look(token, grant.issued_at)
                            .map_err(|refusal| FinishError::Unverified { index, refusal })?;
                    }
                    (item, Outcome::Issued(Resource { profile: self.profile, draft: *draft, grant, token }))
                }
            };
            delivery.count(&outcome);
            let row = Row {
                index: item.index,
                line: item.line,
                correlation_id: item.checked.correlation_id(text),
                outcome,
            };
            self.render.row(&row, &mut delivery.bytes, &mut delivery.notes);
            delivery.row_ends.push((item.index, delivery.bytes.len()));
        }
        Ok(())
    }

    fn check_item(&mut self, item: &ItemText<'_>, issued_at: UnixTime, buffer: &mut Vec<u8>) -> Checked {
        match &item.text {
            Ok(text) => self.checker.check(text, item.unterminated, issued_at, buffer),
            Err(fault) => Checked::rejected(rejection_of(fault), item.correlation_id, buffer),
        }
    }
}

/// What tells rows that a stray quote swallowed from lines that belong in their cell: whether they would be issued
/// under these rules. It has no part in what is issued, so the rules' hash key can be any.
pub fn row_check(rules: Rules, clock: Clock) -> RowCheck {
    RowCheck::new(move |item| {
        let checked = Checker::new(rules.clone()).check(item, false, clock.now(), &mut Vec::new());
        checked.outcome.is_ok()
    })
}

/// What is said about an item that could not be read.
fn rejection_of(fault: &ItemFault) -> Rejection {
    Rejection::malformed(fault.to_string())
}

/// Names the columns of a CSV file beside the places in its item.
fn locate(checked: &mut Checked, line: Option<u64>, column_at: impl Fn(&str) -> Option<Option<String>>) {
    if let (Err(rejection), Some(line)) = (&mut checked.outcome, line)
        && column_at("").is_some()
    {
        rejection.locate(line, |path| column_at(path).flatten());
    }
    for warning in &mut checked.warnings {
        if let Warning::Text { path, column, .. } = warning {
            *column = column_at(path).flatten();
        }
    }
}

impl pipeline::Worker for IssueWorker<'_> {
    type Raw = Dated;
    type Checked = CheckedBatch;
    type Committed = RecordedBatch;
    type Finished = Result<Delivery, FinishError>;

    fn check(&mut self, Dated { chunk, issued_at }: Dated) -> CheckedBatch {
        let mut text = Vec::with_capacity(self.last_text + self.last_text / 8);
        let mut items = Vec::with_capacity(chunk.items.len());
        let mut texts = chunk.open();
        while let Some(item) = texts.next() {
            let (index, line) = (item.index, item.line);
            let mut checked = self.check_item(&item, issued_at, &mut text);
            self.refuse_oversized(&mut checked, &text);
            locate(&mut checked, line, |path| texts.column_at(path));
            let id_hash = checked.correlation_id(&text).map(|id| self.hasher.hash_one(id));
            items.push(CheckedItem { index, line, id_hash, checked });
        }
        self.last_text = text.len();
        let bytes_consumed = chunk.bytes_consumed;
        CheckedBatch { items, text, chunk: self.keep_failed.then_some(chunk), bytes_consumed }
    }

    fn finish(&mut self, RecordedBatch { batch, decisions }: RecordedBatch) -> Result<Delivery, FinishError> {
        let mut delivery = Delivery {
            bytes: Vec::with_capacity(self.last_output + self.last_output / 8),
            row_ends: Vec::with_capacity(batch.items.len()),
            bytes_consumed: batch.bytes_consumed,
            ..Delivery::default()
        };
        let mut decisions = decisions.into_iter();
        for items in batch.items.chunks(SIGNED_TOGETHER) {
            let decided: Vec<_> =
                items.iter().map(|item| Decided::next(item, &batch.text, &mut decisions)).collect();
            self.finish_some(&decided, &batch.text, &mut delivery)?;
        }
        delivery.failed = batch.chunk.as_ref().and_then(|chunk| FailedItems::of(chunk, &batch.items));
        for item in batch.items {
            let (index, line) = (item.index, item.line);
            delivery.warnings.extend(item.checked.warnings.into_iter().map(|warning| (index, line, warning)));
        }
        self.last_output = delivery.bytes.len();
        Ok(delivery)
    }
}

impl Delivery {
    fn count(&mut self, outcome: &Outcome<'_>) {
        let (issued, replayed) = match outcome {
            Outcome::Rejected(_) => (0, 0),
            Outcome::Issued(resource) => (1, u64::from(resource.grant.replayed)),
            Outcome::Foreseen { replay } => (1, u64::from(*replay)),
        };
        self.issued += issued;
        self.replayed += replayed;
        self.rejected += 1 - issued;
    }
}

fn note_list(lists: &mut Vec<String>, grant: &Grant) {
    if let Some((uris, _)) = &grant.status
        && lists.last() != Some(&uris.token)
    {
        lists.push(uris.token.clone());
    }
}

/// What the serial stage has counted.
#[derive(Debug, Default)]
struct Tally {
    items: u64,
    failed: u64,
    recorded: u64,
    /// The last item of the batch in which too many had failed.
    stopped_at: Option<u64>,
}

impl Tally {
    /// Whether the run may go on.
    fn verdict<S>(&self) -> Result<(), BatchError<S>> {
        match self.stopped_at {
            None => Ok(()),
            Some(last_index) => {
                Err(BatchError::TooManyFailures { last_index, failed: self.failed, items: self.items })
            }
        }
    }
}

/// The serial stage: gives ids and indices, records them, and counts what failed.
struct Registrar<'p> {
    register: Register,
    run: &'p RunDescription,
    max_failures: Option<MaxFailures>,
    recent: RecentIds,
    tally: &'p mut Tally,
}

impl<'p> Registrar<'p> {
    fn new(register: Register, plan: &'p Plan<'_>, tally: &'p mut Tally) -> Registrar<'p> {
        let (run, max_failures, recent) = (&plan.run, plan.max_failures, RecentIds::default());
        Registrar { register, run, max_failures, recent, tally }
    }

    fn record<S>(&mut self, mut batch: CheckedBatch) -> Result<RecordedBatch, BatchError<S>> {
        self.tally.verdict()?;
        self.foresee_conflicts(&mut batch)?;
        self.cut_at_limit(&mut batch);
        self.note_repeats(&mut batch);
        let answers = self.ask(&batch)?;
        let decisions = apply(answers, &mut batch);
        self.count(&batch);
        Ok(RecordedBatch { batch, decisions })
    }

    /// Rejects items whose content changed, where it matters for the limit which item fails first.
    fn foresee_conflicts<S>(&mut self, batch: &mut CheckedBatch) -> Result<(), BatchError<S>> {
        let (Register::Ledger(ledger), Some(MaxFailures::Count(_)), true) =
            (&mut self.register, self.max_failures, self.run.repeatable)
        else {
            return Ok(());
        };
        let foreseen = ledger.foresee(self.run, &entries(batch)).map_err(BatchError::Ledger)?;
        apply(foreseen, batch);
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
        for item in &mut batch.items {
            if let Some(hash) = item.id_hash
                && let Some(earlier) = self.recent.note(hash, item.index)
            {
                item.checked.warnings.push(Warning::RepeatedCorrelationId(earlier));
            }
        }
    }

    /// Asks the register about each draft of the batch.
    fn ask<S>(&mut self, batch: &CheckedBatch) -> Result<Vec<Result<Decision, Conflict>>, BatchError<S>> {
        let entries = entries(batch);
        match &mut self.register {
            Register::Ledger(ledger) => {
                let answers = ledger.record(self.run, &entries).map_err(BatchError::Ledger)?;
                self.tally.recorded += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
                Ok(answers.into_iter().map(|answer| answer.map(Decision::Issue)).collect())
            }
            Register::None => {
                let grants = ledger::grants_without_ledger(&entries).map_err(BatchError::Random)?;
                Ok(grants.into_iter().map(|grant| Ok(Decision::Issue(grant))).collect())
            }
            Register::DryRun(Some(ledger)) => {
                let answers = ledger.foresee(self.run, &entries).map_err(BatchError::Ledger)?;
                let would_issue =
                    |answer: Result<bool, _>| answer.map(|replay| Decision::WouldIssue { replay });
                Ok(answers.into_iter().map(would_issue).collect())
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
fn apply<D>(answers: Vec<Result<D, Conflict>>, batch: &mut CheckedBatch) -> Vec<D> {
    let mut answers = answers.into_iter();
    let mut decisions = Vec::with_capacity(answers.len());
    for item in batch.items.iter_mut().filter(|item| item.checked.outcome.is_ok()) {
        match answers.next() {
            Some(Ok(decision)) => decisions.push(decision),
            Some(Err(conflict)) => item.checked.outcome = Err(Box::new(rejection_of_conflict(&conflict))),
            None => {}
        }
    }
    decisions
}

fn rejection_of_conflict(conflict: &Conflict) -> Rejection {
    Rejection { code: ErrorCode::IdempotencyKeyConflict, message: conflict.to_string(), details: Vec::new() }
}
