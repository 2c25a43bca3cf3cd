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

mod delivery;
mod error;
mod failed;
mod recent;
mod registrar;
mod renewal;
mod row;
mod self_check;
mod shard;
mod stages;
mod survey;
#[cfg(test)]
mod tests;
mod worker;

use std::hash::RandomState;
use std::path::PathBuf;

use crate::clock::Clock;
use crate::credential::Profile;
use crate::keys::{SigningKey, Turns};
use crate::ledger::{Ledger, Restoration, RunDescription, Watcher};
use crate::pipeline;
use crate::request::{Draft, ItemId, Rejection, Rules};
use crate::source::Source;
use crate::stop::Stop;

pub use delivery::{Delivery, FailedItem, IssuedToken};
pub use error::{BatchError, IssueError};
pub use failed::FailedItems;
pub use recent::WINDOW as REPEAT_WINDOW;
pub use renewal::Renewals;
pub use row::{Action, Done, Outcome, Render, Row};
pub use self_check::SelfCheck;
pub use shard::Shard;
pub use stages::Decision;
pub use survey::{Said, Surveyed, survey};
pub use worker::{SIGNED_TOGETHER, row_check};

use registrar::{Registrar, Tally};
use stages::Dated;
use worker::{IssueWorker, RunKey};

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
    /// Whether the credentials are wanted one by one, beside the rows.
    pub keep_tokens: bool,
    /// The part of the items that is issued; none for all of them.
    pub shard: Option<Shard>,
    /// What each credential is verified by before its result leaves, where that is wanted.
    pub self_check: Option<&'p SelfCheck>,
    /// By which keys rows of earlier results are known; such rows fail where there is nothing.
    pub renewals: Option<&'p Renewals>,
}

/// While one worker waits for a shared signer, another checks, verifies and writes.
const WORKERS_A_SHARED_SIGNER: usize = 2;

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
pub enum Register<'p> {
    /// In a ledger.
    Ledger(Box<Ledger>),
    /// Nowhere: `--ledger none`.
    None,
    /// Nothing is issued: a dry run, beside the ledger as it is, if there is one.
    DryRun(Option<Box<Ledger>>),
    /// As a plan says that was made before.
    Planned(&'p mut dyn Planned),
}

/// Decides about items by a plan that was made before, and records what it decides.
pub trait Planned: std::fmt::Debug + Send {
    /// What watches over where it records.
    fn watcher(&self) -> Option<Box<dyn Watcher>>;

    /// What becomes of each item of a batch that has a draft, in their order.
    ///
    /// # Errors
    /// Where nothing more can be recorded, or the items are not those of the plan.
    fn decide(
        &mut self,
        run: &RunDescription,
        items: &[Proposed<'_>],
    ) -> Result<Vec<Result<Decision, Rejection>>, BatchError>;
}

/// An item that was checked.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'b> {
    /// Its index in the run.
    pub index: u64,
    /// What it is known by.
    pub id: ItemId,
    /// What would be issued; none for an invalid item.
    pub draft: Option<&'b Draft>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended<S> {
    /// How many credentials of the run the ledger knows, delivered or not.
    pub recorded: u64,
    /// What became of the ledger during the run, by the name of the ledger: somebody has to be told.
    pub noticed: Option<(PathBuf, Restoration)>,
    /// Where the input stopped being readable, the ledger could not be written, too many items
    /// failed, or the sink failed: that. What was handed to the sink before stays issued.
    pub outcome: Result<(), IssueError<S>>,
}

/// Issues every item of the source, and hands each batch's results to `sink` in input order.
/// Once `stop` is requested, no more items are taken; what was taken is finished. A run that has
/// to end for another reason requests it too, so that nobody waits for more input.
pub fn issue<S: Send>(
    source: &mut Source,
    plan: &Plan<'_>,
    register: Register<'_>,
    render: &dyn Render,
    stop: &Stop,
    mut sink: impl FnMut(Delivery) -> Result<(), S>,
) -> Ended<S> {
    let hasher = RandomState::new();
    let mut tally = Tally::default();
    let watch = match &register {
        Register::Ledger(ledger) => ledger.watcher(),
        Register::Planned(planned) => planned.watcher(),
        _ => None,
    };
    let mut delivered = None;
    let mut registrar = Registrar::new(register, plan, &mut tally);
    let clock = plan.clock;
    let shared = plan.key.shared(plan.jobs.max(1), stop);
    let key = RunKey { key: shared.as_deref().unwrap_or(plan.key), is_shared: shared.is_some() };
    let workers = if key.is_shared { WORKERS_A_SHARED_SIGNER * plan.jobs } else { plan.jobs };
    let mut turns = Turns::default();
    let together = registrar.together(plan.jobs);
    let outcome = pipeline::run_together(
        (workers, together),
        || Ok(IssueWorker::new(plan, key, render, hasher.clone())?),
        || Ok(Dated::next(source, clock, stop)?),
        // The registrar goes with the stage: where there are workers, the ledger is closed while they sign the last
        // batch.
        move |batches| {
            let (recorded, outcome) = registrar.record_all(batches);
            if outcome.is_err() || registrar.tally.stopped_at.is_some() {
                stop.request();
            }
            let recorded = recorded.into_iter().map(|batch| (batch, turns.draw())).collect();
            (recorded, outcome.map_err(IssueError::from))
        },
        |finished| {
            let written = finished.map_err(IssueError::Batch).and_then(|delivery| {
                // What leaves is recorded in the file that the next command will open.
                if let Some(watch) = &watch {
                    watch.check()?;
                }
                if let (Some((first, _)), Some((last, _))) =
                    (delivery.row_ends.first(), delivery.row_ends.last())
                {
                    delivered = Some((*first, *last));
                }
                sink(delivery).map_err(IssueError::Sink)
            });
            written.inspect_err(|_| stop.request())
        },
    );
    let outcome = outcome.map_err(|error| match error {
        IssueError::Batch(error) => IssueError::Batch(error.with_items_in_doubt(delivered)),
        IssueError::Sink(error) => IssueError::Sink(error),
    });
    Ended {
        recorded: tally.recorded,
        noticed: tally.noticed.take(),
        outcome: outcome.and_then(|()| Ok(tally.verdict()?)),
    }
}
