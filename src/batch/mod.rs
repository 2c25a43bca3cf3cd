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

mod recent;
mod row;

use std::hash::{BuildHasher, RandomState};

use crate::clock::{Clock, UnixTime, system_millis};
use crate::credential::{Assembler, AssemblyError, Profile, Resource};
use crate::keys::IssuerKey;
use crate::ledger::{Entry, Grant, Ledger, LedgerError, RunDescription, grants_without_ledger};
use crate::pipeline;
use crate::request::{Checked, Checker, Rules, Warning};
use crate::source::{Chunk, InputError, ItemText, Source};

pub use recent::WINDOW as REPEAT_WINDOW;
pub use row::{Outcome, Render, Row};

use recent::RecentIds;

/// What a run is to do with its items.
#[derive(Debug)]
pub struct Plan<'p> {
    /// What the credentials have in common.
    pub profile: &'p Profile,
    /// The key that signs.
    pub key: &'p IssuerKey,
    /// What holds for all items.
    pub rules: Rules,
    /// When credentials are issued.
    pub clock: Clock,
    /// How many workers share the work; at least 1.
    pub jobs: usize,
    /// What the run is called in the ledger.
    pub run: RunDescription,
}

/// A batch whose results can leave the process.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The rows, rendered.
    pub bytes: Vec<u8>,
    /// What is to be said beside the output: rejected items, where the form has no place for them.
    pub notes: Vec<String>,
    /// Warnings, with the item and the line that each is about.
    pub warnings: Vec<(u64, Option<u64>, Warning)>,
    /// How many items were issued.
    pub issued: u64,
    /// How many items were rejected.
    pub rejected: u64,
    /// The status lists that the issued ones stand in.
    pub status_lists: Vec<String>,
    /// The index of the batch's last item.
    pub last_index: u64,
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
    /// The operating system gives no random bytes.
    #[error("the operating system's random generator failed")]
    Random(#[source] getrandom::Error),
    /// A credential could not be signed.
    #[error("cannot sign a credential")]
    Signing(#[source] AssemblyError),
    /// The results cannot be delivered.
    #[error("cannot write the results")]
    Sink(S),
}

/// Issues every item of the source, and hands each batch's results to `sink` in input order.
/// Without a ledger nothing is remembered, and no credential has a status.
///
/// # Errors
/// Where the input stops being readable, the ledger cannot be written, or the sink fails. What
/// was handed to the sink before stays issued.
pub fn issue<S: Send>(
    source: &mut Source,
    plan: &Plan<'_>,
    ledger: Option<Ledger>,
    render: &dyn Render,
    mut sink: impl FnMut(Delivery) -> Result<(), S>,
) -> Result<(), BatchError<S>> {
    let hasher = RandomState::new();
    // A key that cannot sign is found here, not in the workers.
    drop(plan.key.signer().map_err(BatchError::Signing)?);
    let mut registrar = Registrar { ledger, run: &plan.run, recent: RecentIds::default() };
    let clock = plan.clock;
    pipeline::run(
        plan.jobs.max(1),
        || IssueWorker::new(plan, render, hasher.clone()),
        || Ok(source.next_chunk()?.map(|chunk| Dated { chunk, issued_at: clock.now() })),
        |batch| registrar.record(batch),
        |finished| sink(finished.map_err(BatchError::Signing)?).map_err(BatchError::Sink),
    )
}

/// A chunk and the time at which its items are issued. The reader sets it, so that times never
/// run backwards along the results.
struct Dated {
    chunk: Chunk,
    issued_at: UnixTime,
}

/// A chunk whose items were checked.
struct CheckedBatch {
    items: Vec<CheckedItem>,
    /// The pieces of all drafts.
    text: Vec<u8>,
    bytes_consumed: u64,
}

struct CheckedItem {
    index: u64,
    line: Option<u64>,
    /// The hash of the correlation id, where there is one.
    id_hash: Option<u64>,
    checked: Checked,
}

/// A batch that is in the ledger: a grant for each draft, in order.
struct RecordedBatch {
    batch: CheckedBatch,
    grants: Vec<Grant>,
}

/// What each worker thread has.
struct IssueWorker<'p> {
    checker: Checker,
    assembler: Assembler<'p>,
    profile: &'p Profile,
    render: &'p dyn Render,
    hasher: RandomState,
    /// How large the last batch's pieces and results were: good guesses for the next.
    last_text: usize,
    last_output: usize,
}

impl<'p> IssueWorker<'p> {
    fn new(plan: &Plan<'p>, render: &'p dyn Render, hasher: RandomState) -> IssueWorker<'p> {
        let signer = plan.key.signer().expect("the same key gave a signer before");
        IssueWorker {
            checker: Checker::new(plan.rules.clone()),
            assembler: Assembler::new(plan.profile, signer),
            profile: plan.profile,
            render,
            hasher,
            last_text: 0,
            last_output: 0,
        }
    }

    fn check_item(&mut self, item: &ItemText<'_>, issued_at: UnixTime, buffer: &mut Vec<u8>) -> Checked {
        match &item.text {
            Ok(text) => self.checker.check(text, item.unterminated, issued_at, buffer),
            Err(fault) => {
                let id = item.correlation_id;
                Checked::unreadable(fault.to_string(), id, buffer)
            }
        }
    }
}

impl pipeline::Worker for IssueWorker<'_> {
    type Raw = Dated;
    type Checked = CheckedBatch;
    type Committed = RecordedBatch;
    type Finished = Result<Delivery, AssemblyError>;

    fn check(&mut self, Dated { chunk, issued_at }: Dated) -> CheckedBatch {
        let mut text = Vec::with_capacity(self.last_text + self.last_text / 8);
        let mut items = Vec::with_capacity(chunk.items.len());
        let mut texts = chunk.open();
        while let Some(item) = texts.next() {
            let checked = self.check_item(&item, issued_at, &mut text);
            let id = checked.correlation_id;
            let id_hash = (!id.is_empty()).then(|| self.hasher.hash_one(id.of(&text)));
            items.push(CheckedItem { index: item.index, line: item.line, id_hash, checked });
        }
        self.last_text = text.len();
        CheckedBatch { items, text, bytes_consumed: chunk.bytes_consumed }
    }

    fn finish(&mut self, RecordedBatch { batch, grants }: RecordedBatch) -> Result<Delivery, AssemblyError> {
        let mut delivery = Delivery {
            bytes: Vec::with_capacity(self.last_output + self.last_output / 8),
            bytes_consumed: batch.bytes_consumed,
            ..Delivery::default()
        };
        let mut grants = grants.iter();
        for item in &batch.items {
            let id = item.checked.correlation_id.of(&batch.text);
            let correlation_id = (!id.is_empty()).then(|| std::str::from_utf8(id).unwrap_or_default());
            let outcome = match &item.checked.outcome {
                Err(rejection) => {
                    delivery.rejected += 1;
                    Outcome::Rejected(rejection)
                }
                Ok(draft) => {
                    let grant = grants.next().expect("the registrar gives a grant for each draft");
                    delivery.issued += 1;
                    note_list(&mut delivery.status_lists, grant);
                    let token = self.assembler.sign(draft, &batch.text, grant)?;
                    Outcome::Issued(Resource {
                        profile: self.profile,
                        draft,
                        text: &batch.text,
                        grant,
                        token,
                    })
                }
            };
            let row = Row { index: item.index, line: item.line, correlation_id, outcome };
            self.render.row(&row, &mut delivery.bytes, &mut delivery.notes);
            delivery.last_index = item.index;
        }
        for item in batch.items {
            let place = (item.index, item.line);
            delivery
                .warnings
                .extend(item.checked.warnings.into_iter().map(|warning| (place.0, place.1, warning)));
        }
        self.last_output = delivery.bytes.len();
        Ok(delivery)
    }
}

fn note_list(lists: &mut Vec<String>, grant: &Grant) {
    if let Some((uris, _)) = &grant.status
        && lists.last() != Some(&uris.token)
    {
        lists.push(uris.token.clone());
    }
}

/// The serial stage: gives ids and indices, and records them.
struct Registrar<'p> {
    ledger: Option<Ledger>,
    run: &'p RunDescription,
    recent: RecentIds,
}

impl Registrar<'_> {
    fn record<S>(&mut self, mut batch: CheckedBatch) -> Result<RecordedBatch, BatchError<S>> {
        self.note_repeats(&mut batch);
        let entries: Vec<Entry<'_>> = batch
            .items
            .iter()
            .filter_map(|item| {
                let draft = item.checked.outcome.as_ref().ok()?;
                Some(Entry { position: item.index, draft })
            })
            .collect();
        let millis = system_millis();
        let grants = match &mut self.ledger {
            Some(ledger) => ledger.record(self.run, &entries, millis).map_err(BatchError::Ledger)?,
            None => grants_without_ledger(&entries, millis).map_err(BatchError::Random)?,
        };
        Ok(RecordedBatch { batch, grants })
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
}
