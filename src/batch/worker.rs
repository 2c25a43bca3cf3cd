//! The parallel stages: checking a chunk's items, and signing a recorded batch.

use std::hash::{BuildHasher, RandomState};

use super::Plan;
use super::delivery::{Delivery, FailedItem, IssuedToken};
use super::error::BatchError;
use super::failed::FailedItems;
use super::renewal::{Renewals, Renewer};
use super::row::{Done, Outcome, Render, Row};
use super::self_check::{SelfCheck, SelfVerifier};
use super::shard::Shard;
use super::stages::{CheckedBatch, CheckedItem, Dated, Decision, RecordedBatch};
use crate::clock::{Clock, Moment};
use crate::credential::Grant;
use crate::credential::{Assembler, Profile, Resource, beyond_verifiers};
use crate::keys::{SignError, SigningKey, Turn};
use crate::pipeline;
use crate::request::{
    Checked, Checker, Detail, DetailCode, DraftText, FeedingColumn, Reading, Rejection, Rules, Warning,
};
use crate::source::{ItemFault, ItemText, RowCheck};
use crate::token::MAX_TOKEN_BYTES;

/// The key of a run, and whether its workers share signers.
#[derive(Clone, Copy)]
pub(super) struct RunKey<'k> {
    pub(super) key: &'k dyn SigningKey,
    pub(super) is_shared: bool,
}

/// What each worker thread has.
pub(super) struct IssueWorker<'p> {
    checker: Checker,
    assembler: Assembler<'p>,
    profile: &'p Profile,
    render: &'p dyn Render,
    keep_failed: bool,
    keep_tokens: bool,
    shard: Option<Shard>,
    self_check: Option<SelfVerifier<'p>>,
    renewals: Option<&'p Renewals>,
    /// What reads rows of earlier results, once there was one.
    renewer: Option<Renewer<'p>>,
    hasher: RandomState,
    /// How many credentials are signed with one call.
    signed_together: usize,
    /// How large the last batch's pieces and results were: good guesses for the next.
    last_text: usize,
    last_output: usize,
}

impl<'p> IssueWorker<'p> {
    pub(super) fn new(
        plan: &Plan<'p>,
        key: RunKey<'_>,
        render: &'p dyn Render,
        hasher: RandomState,
    ) -> Result<IssueWorker<'p>, SignError> {
        Ok(IssueWorker {
            checker: Checker::new(plan.rules.clone()),
            assembler: Assembler::new(plan.profile, key.key.signer()?),
            profile: plan.profile,
            render,
            keep_failed: plan.keep_failed,
            keep_tokens: plan.keep_tokens,
            shard: plan.shard,
            self_check: plan.self_check.map(SelfCheck::verifier),
            renewals: plan.renewals,
            renewer: None,
            hasher,
            // What is shared is had once for a whole batch.
            signed_together: if key.is_shared { usize::MAX } else { SIGNED_TOGETHER },
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
        (text, is_first): (&[u8], bool),
        turn: &mut Turn,
        delivery: &mut Delivery,
    ) -> Result<(), BatchError> {
        let granted = decided.iter().filter_map(|decided| match decided {
            Decided::Issue(_, draft, (grant, _)) => Some((*draft, grant)),
            _ => None,
        });
        let tokens = self.assembler.sign_in_turn(granted, turn)?;
        if let Some(verifier) = &mut self.self_check {
            check_signed(verifier, decided, tokens.iter())?;
        }
        let mut tokens = tokens.iter();
        for decided in decided {
            let (item, done, outcome) = match decided {
                Decided::Skip => continue,
                Decided::Reject(item, rejection) => (item, None, Outcome::Rejected(rejection)),
                Decided::WouldIssue(item, replay) => (item, None, Outcome::WouldIssue { replay: *replay }),
                Decided::Planned(item, done) => (item, Some(*done), Outcome::Planned),
                Decided::Issue(item, draft, (grant, done)) => {
                    delivery.note_list(grant);
                    let token = tokens.next().expect("a token for each draft that was granted");
                    if self.keep_tokens {
                        delivery.tokens.push(IssuedToken {
                            index: item.index,
                            id: grant.id,
                            correlation_id: item.checked.correlation_id(text).and_then(unquoted),
                            subject_id: std::str::from_utf8(draft.subject_id()).ok().and_then(unquoted),
                            token: token.to_vec(),
                        });
                    }
                    let resource = Resource { profile: self.profile, draft: *draft, grant, token };
                    (item, *done, Outcome::Issued(resource))
                }
            };
            delivery.count(&outcome, done);
            let row = Row {
                index: item.index,
                line: item.line,
                correlation_id: item.checked.correlation_id(text),
                is_first: is_first && delivery.row_ends.is_empty(),
                done,
                outcome,
            };
            self.render.row(&row, &mut delivery.bytes, &mut delivery.notes);
            delivery.row_ends.push((item.index, delivery.bytes.len()));
        }
        Ok(())
    }

    fn check_item(&mut self, item: &ItemText<'_>, moment: Moment, buffer: &mut Vec<u8>) -> Checked {
        match &item.text {
            Ok(text) => match self.checker.read(text, item.unterminated, moment, buffer) {
                Reading::Checked(checked) => checked,
                Reading::Row => self.renew(text, moment, buffer),
            },
            Err(fault) => Checked::rejected(rejection_of(fault), item.correlation_id, buffer),
        }
    }

    /// Checks a row of earlier results.
    fn renew(&mut self, row: &str, moment: Moment, buffer: &mut Vec<u8>) -> Checked {
        match self.renewals {
            Some(renewals) => {
                let renewer = self.renewer.get_or_insert_with(|| Renewer::new(renewals, self.profile));
                renewer.renew(&mut self.checker, row, moment, buffer)
            }
            None => self.checker.check(row, false, moment, buffer),
        }
    }
}

impl pipeline::Worker for IssueWorker<'_> {
    type Raw = Dated;
    type Checked = CheckedBatch;
    type Committed = (RecordedBatch, Turn);
    type Finished = Result<Delivery, BatchError>;

    fn check(&mut self, Dated { chunk, moment }: Dated) -> CheckedBatch {
        let mut text = Vec::with_capacity(self.last_text + self.last_text / 8);
        let mut items = Vec::with_capacity(chunk.items.len());
        let mut texts = chunk.open();
        while let Some(item) = texts.next() {
            if self.shard.is_some_and(|shard| !shard.has(&item)) {
                continue;
            }
            let (index, line) = (item.index, item.line);
            let mut checked = self.check_item(&item, moment, &mut text);
            self.refuse_oversized(&mut checked, &text);
            locate(&mut checked, line, |path| texts.column_at(path));
            let id_hash = checked.correlation_id(&text).map(|id| self.hasher.hash_one(id));
            items.push(CheckedItem { index, line, id_hash, checked });
        }
        self.last_text = text.len();
        let bytes_consumed = chunk.bytes_consumed;
        CheckedBatch { items, text, chunk: self.keep_failed.then_some(chunk), bytes_consumed }
    }

    fn finish(&mut self, (recorded, mut turn): (RecordedBatch, Turn)) -> Result<Delivery, BatchError> {
        let RecordedBatch { batch, decisions, is_first } = recorded;
        let mut delivery = Delivery {
            bytes: Vec::with_capacity(self.last_output + self.last_output / 8),
            row_ends: Vec::with_capacity(batch.items.len()),
            bytes_consumed: batch.bytes_consumed,
            ..Delivery::default()
        };
        let mut decisions = decisions.into_iter();
        for items in batch.items.chunks(self.signed_together) {
            let decided: Vec<_> =
                items.iter().map(|item| Decided::next(item, &batch.text, &mut decisions)).collect();
            self.finish_some(&decided, (&batch.text, is_first), &mut turn, &mut delivery)?;
        }
        delivery.failed = batch.chunk.as_ref().and_then(|chunk| FailedItems::of(chunk, &batch.items));
        for item in batch.items {
            let (index, line) = (item.index, item.line);
            let correlation_id =
                item.checked.outcome.is_err().then(|| item.checked.correlation_id(&batch.text));
            if let Err(rejection) = item.checked.outcome {
                let correlation_id = correlation_id.flatten().and_then(unquoted);
                delivery.failures.push(FailedItem { index, line, correlation_id, rejection: *rejection });
            }
            delivery.warnings.extend(item.checked.warnings.into_iter().map(|warning| (index, line, warning)));
        }
        self.last_output = delivery.bytes.len();
        Ok(delivery)
    }
}

/// An item and what becomes of it.
enum Decided<'b> {
    Reject(&'b CheckedItem, &'b Rejection),
    WouldIssue(&'b CheckedItem, bool),
    Planned(&'b CheckedItem, Done),
    Issue(&'b CheckedItem, DraftText<'b>, (Grant, Option<Done>)),
    Skip,
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
                Decision::Planned(done) => Decided::Planned(item, done),
                Decision::Issue(grant, done) => Decided::Issue(item, draft.with_text(text), (grant, done)),
                Decision::Skip => Decided::Skip,
            },
        }
    }
}

/// Has the credentials that were just signed verified, before anything is said about them.
fn check_signed<'t>(
    verifier: &mut SelfVerifier<'_>,
    decided: &[Decided<'_>],
    tokens: impl Iterator<Item = &'t [u8]>,
) -> Result<(), BatchError> {
    let issued = decided.iter().filter_map(|decided| match decided {
        Decided::Issue(item, _, (grant, _)) => Some((item.index, grant.issued_at)),
        _ => None,
    });
    let (indexes, times): (Vec<u64>, Vec<_>) = issued.unzip();
    verifier
        .verify(tokens.zip(times))
        .map_err(|(place, refusal)| BatchError::Unverified { index: indexes[place], refusal })
}

/// How many credentials are signed with one call. Engines that sign many at once gain nothing by more, and so many
/// unsigned tokens still fit into a processor's cache.
pub const SIGNED_TOGETHER: usize = 256;

/// What tells rows that a stray quote swallowed from lines that belong in their cell: whether they would be issued
/// under these rules. It has no part in what is issued, so the rules' hash key can be any.
pub fn row_check(rules: Rules, clock: Clock) -> RowCheck {
    RowCheck::new(move |item| {
        match Checker::new(rules.clone()).read(item, false, clock.moment(), &mut Vec::new()) {
            Reading::Checked(checked) => checked.outcome.is_ok(),
            // Its token is not verified here: what looks like a row is one.
            Reading::Row => true,
        }
    })
}

/// The text that a JSON string stands for.
fn unquoted(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// What is said about an item that could not be read.
fn rejection_of(fault: &ItemFault) -> Rejection {
    Rejection::malformed(fault.to_string())
}

/// Names the columns of a CSV file beside the places in its item.
fn locate(
    checked: &mut Checked,
    line: Option<u64>,
    column_at: impl Fn(&str) -> Option<Option<FeedingColumn>>,
) {
    if let (Err(rejection), Some(line)) = (&mut checked.outcome, line)
        && column_at("").is_some()
    {
        rejection.locate(line, |path| column_at(path).flatten());
    }
    for warning in &mut checked.warnings {
        if let Warning::Place { path, column, .. } = warning {
            *column = column_at(path).flatten().map(|column| column.name);
        }
    }
}
