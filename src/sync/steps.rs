//! Carrying out the plan, beside the second reading.

use uuid::Uuid;

use super::items::{InputDigest, part};
use super::plan::Plan;
use crate::batch::{Action, BatchError, Decision, Done, Planned, Proposed};
use crate::credential::{CredentialStatus, Status};
use crate::ledger::{
    Answer, Changing, Entry, Ledger, LedgerError, RecordPlace, RunDescription, Standing, SyncOrder, Watcher,
};
use crate::request::{BATCH_ITEMS, ContentHash, Draft, ErrorCode, Rejection};

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Issue,
    Replace,
    Renew,
    /// The credential is given out again.
    Print,
    /// A credential that the item has.
    Former,
    /// The item fails: another one has its id.
    Repeated,
    /// It fails: its credential is suspended.
    Suspended,
    /// It fails: somebody revoked its credential.
    Revoked,
    /// It fails: its id has a credential outside of the register.
    Outside,
    /// It fails: its id has a credential in another register.
    OfOtherScope,
}

impl Tag {
    const ALL: [Tag; 10] = [
        Tag::Issue,
        Tag::Replace,
        Tag::Renew,
        Tag::Print,
        Tag::Former,
        Tag::Repeated,
        Tag::Suspended,
        Tag::Revoked,
        Tag::Outside,
        Tag::OfOtherScope,
    ];
}

/// A step of a plan. Those of an item stand together: what is done, then its credentials.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) position: u64,
    pub(super) nth: u16,
    pub(super) tag: Tag,
    /// A credential, where the step is about one.
    pub(super) place: u64,
    /// Of an action: the beginning of the item's content. Of a former: its status, and whether it is revoked. Of a
    /// repeated id: another item that has it.
    pub(super) extra: u64,
}

/// In `extra` of a former: it is revoked.
const IS_REVOKED: u64 = 1 << 8;

impl Step {
    pub(super) const BYTES: usize = 27;

    /// The beginning of a content hash.
    pub(super) fn content(content: &ContentHash) -> u64 {
        u64::from_be_bytes(part(&content.0, 0))
    }

    pub(super) fn former(position: u64, nth: u16, place: u64, status: Status, is_revoked: bool) -> Step {
        let extra = status as u64 | if is_revoked { IS_REVOKED } else { 0 };
        Step { position, nth, tag: Tag::Former, place, extra }
    }

    pub(super) fn pack(&self) -> [u8; Step::BYTES] {
        let mut bytes = [0; Step::BYTES];
        bytes[..8].copy_from_slice(&self.position.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.nth.to_be_bytes());
        bytes[10] = self.tag as u8;
        bytes[11..19].copy_from_slice(&self.place.to_be_bytes());
        bytes[19..].copy_from_slice(&self.extra.to_be_bytes());
        bytes
    }

    fn unpack(bytes: &[u8; Step::BYTES]) -> Step {
        Step {
            position: u64::from_be_bytes(part(bytes, 0)),
            nth: u16::from_be_bytes(part(bytes, 8)),
            tag: Tag::ALL[usize::from(bytes[10])],
            place: u64::from_be_bytes(part(bytes, 11)),
            extra: u64::from_be_bytes(part(bytes, 19)),
        }
    }

    fn place(&self) -> RecordPlace {
        RecordPlace::of_number(self.place)
    }
}

/// Whether a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Act,
    /// It is only told.
    Tell,
}

/// A credential that was revoked because its item is gone, or would be.
#[derive(Debug, Clone)]
pub struct RemovedCredential {
    /// Its id.
    pub id: Uuid,
    /// Its status: what it is now, or what it was when the plan was made.
    pub current: CredentialStatus,
}

/// Carries out a plan.
#[derive(Debug)]
pub struct Carrier<'l> {
    ledger: &'l mut Ledger,
    by: Changing<'l>,
    mode: Mode,
    plan: Plan,
    seen: InputDigest,
    /// How many credentials were revoked because another one took their place.
    superseded: u64,
}

/// What is to be done for an item.
struct Task<'b> {
    draft: &'b Draft,
    step: Step,
    position: u64,
    formers: Vec<(RecordPlace, Status)>,
    revoke: Vec<RecordPlace>,
}

impl<'l> Carrier<'l> {
    /// Begins with a plan that was made from the register as the ledger viewed it last.
    pub fn new(ledger: &'l mut Ledger, by: Changing<'l>, plan: Plan, mode: Mode) -> Carrier<'l> {
        Carrier { ledger, by, mode, plan, seen: InputDigest::default(), superseded: 0 }
    }

    /// Takes credentials from outside into the register, which comes before all else.
    ///
    /// # Errors
    /// Where the ledger or a temporary file cannot be used.
    pub fn adopt(&mut self) -> Result<(), BatchError> {
        loop {
            let mut members = Vec::new();
            while members.len() < BATCH_ITEMS as usize
                && let Some(bytes) = self.plan.adoptions.take()?
            {
                members.push((part(&bytes, 0), RecordPlace::of_number(u64::from_be_bytes(part(&bytes, 16)))));
            }
            if members.is_empty() {
                return Ok(());
            }
            self.ledger.adopt(self.by, &members)?;
        }
    }

    /// Refuses to go on where the second reading did not show what the first one did.
    ///
    /// # Errors
    /// Where it did not.
    pub fn must_have_seen_all(&mut self) -> Result<(), BatchError> {
        let has_more = self.plan.steps.peek()?.is_some();
        match !has_more && std::mem::take(&mut self.seen).is(self.plan.digest.clone()) {
            true => Ok(()),
            false => Err(BatchError::OtherInput("nothing was removed")),
        }
    }

    /// Revokes the credentials of items that are gone, and hands them to `each`, up to a batch at a time.
    ///
    /// # Errors
    /// Where the ledger or a temporary file cannot be used, and those of `each`.
    pub fn remove<E: From<BatchError>>(
        &mut self,
        mut each: impl FnMut(&[RemovedCredential]) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let mut places = Vec::new();
            while places.len() < BATCH_ITEMS as usize
                && let Some(place) = self.plan.removals.take().map_err(BatchError::from)?
            {
                places.push(RecordPlace::of_number(u64::from_be_bytes(place)));
            }
            if places.is_empty() {
                return Ok(());
            }
            let removed: Result<Vec<_>, LedgerError> = match self.mode {
                Mode::Act => self.ledger.remove(self.by, &places),
                Mode::Tell => places.iter().map(|place| self.standing(*place)).collect(),
            };
            let removed = removed.map_err(BatchError::from)?.into_iter();
            let removed: Vec<_> = removed.map(|(id, current)| RemovedCredential { id, current }).collect();
            each(&removed)?;
        }
    }

    /// How many credentials were revoked so far because another one took their place.
    pub fn superseded(&self) -> u64 {
        self.superseded
    }

    fn standing(&self, place: RecordPlace) -> Result<(Uuid, CredentialStatus), LedgerError> {
        let Standing { id, current, .. } = self.ledger.standing(place)?;
        Ok((id, current))
    }

    /// The steps of the item at this position.
    fn task<'b>(&mut self, position: u64, draft: Option<&'b Draft>) -> Result<Option<Task<'b>>, BatchError> {
        let of_item = |step: &[u8; Step::BYTES]| u64::from_be_bytes(part(step, 0)) == position;
        let Some(step) = self.plan.steps.take_if(of_item)? else { return Ok(None) };
        let step = Step::unpack(&step);
        let (mut formers, mut revoke) = (Vec::new(), Vec::new());
        while let Some(former) = self.plan.steps.take_if(of_item)? {
            let former = Step::unpack(&former);
            formers.push((former.place(), Status::ALL[(former.extra & 0xFF) as usize]));
            if former.extra & IS_REVOKED != 0 {
                revoke.push(former.place());
            }
        }
        Ok(draft.map(|draft| Task { draft, step, position, formers, revoke }))
    }

    /// Does what is to be done for these items, in one transaction.
    fn act(&mut self, tasks: &[Task<'_>]) -> Result<Vec<Answer>, BatchError> {
        let orders: Vec<_> = tasks.iter().filter_map(Task::order).collect();
        Ok(self.ledger.sync(self.by, &orders)?)
    }

    /// What is said to an item for which there is a task.
    fn decision(
        &mut self,
        task: &Task<'_>,
        former: Option<Uuid>,
        answers: &mut impl Iterator<Item = Answer>,
    ) -> Result<Result<Decision, Rejection>, BatchError> {
        let Some(action) = task.action() else { return Ok(Err(self.rejection(task)?)) };
        let done = Done { action, former };
        if self.mode == Mode::Tell {
            return Ok(Ok(Decision::Planned(done)));
        }
        let answer = answers.next().expect("the ledger answers each order");
        if answer.is_ok() {
            self.superseded += task.revoke.len() as u64;
        }
        Ok(answer.map(|grant| Decision::Issue(grant, Some(done))).map_err(Rejection::from))
    }

    /// Why an item cannot have what it asks for.
    fn rejection(&self, task: &Task<'_>) -> Result<Rejection, LedgerError> {
        if task.step.tag == Tag::Repeated {
            let message = format!("item {} has the same id; both were left as they are", task.step.extra);
            return Ok(Rejection { code: ErrorCode::ValidationFailed, message, details: Vec::new() });
        }
        let (id, current) = self.standing(task.step.place())?;
        let since = current.since.map(|since| format!(" on {since}")).unwrap_or_default();
        let reason = current.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let message = match task.step.tag {
            Tag::Suspended => format!(
                "the item has changed, and its credential urn:uuid:{id} was suspended{since}{reason}; to replace it, \
                 use --replace-suspended"
            ),
            Tag::Revoked => format!(
                "its credential urn:uuid:{id} was revoked{since}{reason}; to issue another one, use --reissue-revoked"
            ),
            Tag::OfOtherScope => format!("its credential urn:uuid:{id} belongs to another scope"),
            _ => format!(
                "urn:uuid:{id} was issued for this id outside of the scope and is active; to take it in, use --adopt"
            ),
        };
        Ok(Rejection { code: ErrorCode::StatusConflict, message, details: Vec::new() })
    }
}

impl<'b> Task<'b> {
    /// What is done; none where the item fails.
    fn action(&self) -> Option<Action> {
        match self.step.tag {
            Tag::Issue => Some(Action::Issued),
            Tag::Replace => Some(Action::Replaced),
            Tag::Renew => Some(Action::Renewed),
            Tag::Print => Some(Action::Unchanged),
            _ => None,
        }
    }

    /// The credential in whose place the new one is.
    fn former(&self) -> Option<RecordPlace> {
        matches!(self.action(), Some(Action::Replaced | Action::Renewed)).then(|| self.step.place())
    }

    fn order(&self) -> Option<SyncOrder<'_>> {
        match self.action()? {
            Action::Unchanged => Some(SyncOrder::Print(self.step.place())),
            _ => Some(SyncOrder::Issue {
                entry: Entry { position: self.position, draft: self.draft },
                formers: &self.formers,
                revoke: &self.revoke,
            }),
        }
    }
}

impl Planned for Carrier<'_> {
    fn watcher(&self) -> Option<Box<dyn Watcher>> {
        self.ledger.watcher()
    }

    fn decide(
        &mut self,
        _: &RunDescription,
        items: &[Proposed<'_>],
    ) -> Result<Vec<Result<Decision, Rejection>>, BatchError> {
        let mut tasks = Vec::new();
        for item in items {
            self.seen.add(item.index, item.id, item.draft.map(|draft| draft.content_hash));
            let task = self.task(item.index, item.draft)?;
            if let (Some(task), Some(draft)) = (task, item.draft) {
                let is_action = task.action().is_some();
                if is_action && task.step.extra != Step::content(&draft.content_hash) {
                    return Err(BatchError::OtherInput("what was done before stays done"));
                }
                tasks.push(task);
            }
        }
        let answers = if self.mode == Mode::Act { self.act(&tasks)? } else { Vec::new() };
        let formers: Vec<_> = tasks.iter().filter_map(Task::former).collect();
        let mut formers = self.ledger.ids_at(&formers)?.into_iter();
        let (mut answers, mut tasks) = (answers.into_iter(), tasks.iter().peekable());
        let mut decisions = Vec::new();
        for item in items.iter().filter(|item| item.draft.is_some()) {
            decisions.push(match tasks.next_if(|task| task.position == item.index) {
                Some(task) => {
                    let former = task.former().and_then(|_| formers.next());
                    self.decision(task, former, &mut answers)?
                }
                None => Ok(Decision::Skip),
            });
        }
        Ok(decisions)
    }
}
