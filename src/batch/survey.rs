//! Looking through a batch without issuing anything: what its items are, and what they say.

use std::hash::RandomState;

use super::Plan;
use super::error::IssueError;
use super::row::{Render, Row};
use super::stages::{CheckedBatch, Dated};
use super::worker::{IssueWorker, RunKey};
use crate::pipeline;
use crate::request::{ContentHash, Draft, ItemId, LookupHash};
use crate::source::Source;
use crate::stop::Stop;
use crate::types::CredentialType;

/// An item, as far as it matters to a plan.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its index in the run.
    pub index: u64,
    /// Its line, where its file has lines.
    pub line: Option<u64>,
    /// What it is known by.
    pub id: ItemId,
    /// What it says; none for an invalid item.
    pub valid: Option<Said>,
}

/// What a valid item says.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its content.
    pub content: ContentHash,
    /// Its type.
    pub credential_type: &'static CredentialType,
    /// What it attests, where its type says so.
    pub attestation_type: Option<Box<str>>,
    /// The hash of its subject's id.
    pub subject_hash: LookupHash,
    /// The hash of its correlation id; zeros where it has none.
    pub correlation_hash: LookupHash,
}

impl From<&Draft> for Said {
    fn from(draft: &Draft) -> Said {
        Said {
            content: draft.content_hash,
            credential_type: draft.credential_type,
            attestation_type: draft.attestation_type.clone(),
            subject_hash: draft.subject_hash,
            correlation_hash: draft.correlation_hash,
        }
    }
}

/// Checks every item as [`super::issue`] would, and hands what it is to `sink`, batch by batch in their order.
///
/// # Errors
/// Where the input stops being readable, a thread cannot be started, the key cannot be used, and those of `sink`.
pub fn survey<S: Send>(
    source: &mut Source,
    plan: &Plan<'_>,
    stop: &Stop,
    mut sink: impl FnMut(Vec<Surveyed>) -> Result<(), S> + Send,
) -> Result<(), IssueError<S>> {
    let clock = plan.clock;
    let key = RunKey { key: plan.key, is_shared: false };
    pipeline::run(
        plan.jobs,
        || Ok(SurveyWorker(IssueWorker::new(plan, key, &Nothing, RandomState::new())?)),
        || Ok(Dated::next(source, clock, stop)?),
        |surveyed| sink(surveyed).map_err(IssueError::Sink),
        |()| Ok(()),
    )
}

/// Renders nothing.
struct Nothing;

impl Render for Nothing {
    fn row(&self, _: &Row<'_>, _: &mut Vec<u8>, _: &mut Vec<String>) {}
}

struct SurveyWorker<'p>(IssueWorker<'p>);

impl pipeline::Worker for SurveyWorker<'_> {
    type Raw = Dated;
    type Checked = Vec<Surveyed>;
    type Committed = ();
    type Finished = ();

    fn check(&mut self, dated: Dated) -> Vec<Surveyed> {
        let CheckedBatch { items, .. } = self.0.check(dated);
        let surveyed = items.into_iter().map(|item| Surveyed {
            index: item.index,
            line: item.line,
            id: item.checked.id,
            valid: item.checked.outcome.as_ref().ok().map(Said::from),
        });
        surveyed.collect()
    }

    fn finish(&mut self, (): ()) {}
}
