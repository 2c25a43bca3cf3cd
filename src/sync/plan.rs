//! Making the plan: sorted streams are joined, one after the other.

use std::io;

use super::SORTER_BYTES;
use super::decide::{Allowed, Change, Fate, Former, decide};
use super::items::{InputDigest, Item, Items, OutsideKey, Survey, outside_key, part};
use super::steps::{Step, Tag};
use crate::clock::UnixTime;
use crate::credential::Status;
use crate::ledger::{LedgerError, RecordPlace, RegisterView, RunDescription, Standing};
use crate::request::{ContentHash, IdRule};
use crate::sorter::{Sorted, Sorter};

/// What a plan is made for.
#[derive(Debug, Clone)]
pub struct PlanOptions<'p> {
    /// What the user allows.
    pub allowed: Allowed,
    /// Whether credentials of items that are gone are revoked.
    pub prune: bool,
    /// Whether credentials from outside of the register are taken in.
    pub adopt: bool,
    /// Whether results are wanted of unchanged items, too.
    pub prints_unchanged: bool,
    /// The run that will issue.
    pub run: &'p RunDescription,
    /// What items are known by.
    pub rule: IdRule,
    /// As of when.
    pub now: UnixTime,
}

/// How much a plan has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Items that get a credential.
    pub issued: u64,
    /// Items that get another one, because they or the settings have changed.
    pub replaced: u64,
    /// Those of them for which only the settings have.
    pub by_settings: u64,
    /// Items whose credential is renewed.
    pub renewed: u64,
    /// Items that have their credential.
    pub unchanged: u64,
    /// Those of them whose credential is suspended.
    pub suspended: u64,
    /// Items that fail: the invalid ones, and those that cannot have what they ask for.
    pub failed: u64,
    /// Credentials that are revoked because their items are gone.
    pub removed: u64,
    /// Suspended credentials of items that are gone: they stay as they are.
    pub gone_suspended: u64,
    /// Credentials that are revoked because another one takes their place, but for renewals.
    pub superseded: u64,
    /// Credentials that are revoked because they were renewed.
    pub renewed_revoked: u64,
    /// Credentials of the register that are active now.
    pub active: u64,
    /// Credentials that are taken into the register.
    pub adopted: u64,
    /// Ids that stand in the input more than once.
    pub repeated: u64,
    /// Items in the input.
    pub items: u64,
}

/// Why nothing may be removed, whatever is missing from the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPruned {
    /// Nobody can tell whose item this is: it may be that of any id that is missing.
    Unreadable {
        /// Its index.
        index: u64,
        /// Its line, where its file has lines.
        line: Option<u64>,
    },
    /// The id of this item stands in the input more than once.
    Repeated {
        /// Its index.
        index: u64,
    },
}

impl Counts {
    /// Whether there is anything to change.
    pub fn have_work(&self) -> bool {
        self.issued + self.replaced + self.renewed + self.removed + self.adopted > 0
    }

    /// Whether the input is read a second time: for its results, and because nothing may be removed by what one reading
    /// of a file showed that somebody was writing.
    pub fn need_second_reading(&self, of_unchanged: bool) -> bool {
        self.have_work() || self.failed > 0 || of_unchanged && self.items > 0
    }

    /// How many credentials would be revoked, as a limit counts them.
    pub fn revocations(&self) -> u64 {
        self.removed + self.superseded
    }
}

/// Why no plan can be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A temporary file cannot be written or read.
    #[error("cannot use a temporary file")]
    Temporary(#[from] io::Error),
    /// Items of a new register have credentials that it does not know.
    #[error(
        "{0} of the items have an active credential outside of this scope, which was never synced before"
    )]
    Outside(u64),
}

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    /// How much.
    pub counts: Counts,
    /// Why nothing is removed, although that was asked for.
    pub not_pruned: Option<NotPruned>,
    /// What for which item, in the order of the input.
    pub(super) steps: Sorted<{ Step::BYTES }>,
    pub(super) removals: Sorted<8>,
    pub(super) adoptions: Sorted<24>,
    pub(super) digest: InputDigest,
}

/// A credential of the register, to be looked at: its place, and the item that it belongs to.
const ENTRY_BYTES: usize = 34;
/// In place of a position: no item has the id.
const GONE: u64 = u64::MAX;
/// In place of a position: items have the id, and fail.
const LEFT_ALONE: u64 = u64::MAX - 1;

/// A credential of an item that has several.
const FORMER_BYTES: usize = 43;

/// An item that the register knows nothing of.
const CANDIDATE_BYTES: usize = 53;

/// A credential outside of the register.
const OUTSIDER_BYTES: usize = 21;

/// A plan that is being made.
struct Planner<'p> {
    options: &'p PlanOptions<'p>,
    counts: Counts,
    not_pruned: Option<NotPruned>,
    steps: Sorter<{ Step::BYTES }>,
    removals: Sorter<8>,
    adoptions: Sorter<24>,
    entries: Sorter<ENTRY_BYTES>,
    candidates: Sorter<CANDIDATE_BYTES>,
}

impl Plan {
    /// Makes the plan for what a survey found, and the register as it is at one moment.
    ///
    /// # Errors
    /// Where the ledger cannot be read, a temporary file cannot be used, or a new register has credentials elsewhere.
    pub fn make(
        survey: Survey,
        view: &mut RegisterView<'_>,
        options: &PlanOptions<'_>,
    ) -> Result<Plan, PlanError> {
        let counts = Counts { failed: survey.invalid, items: survey.count, ..Counts::default() };
        let unreadable = survey.unreadable.filter(|_| options.prune);
        let mut planner = Planner {
            options,
            counts,
            not_pruned: unreadable.map(|(index, line)| NotPruned::Unreadable { index, line }),
            steps: Sorter::with_memory(SORTER_BYTES),
            removals: Sorter::with_memory(SORTER_BYTES / 4),
            adoptions: Sorter::with_memory(SORTER_BYTES / 4),
            entries: Sorter::with_memory(SORTER_BYTES),
            candidates: Sorter::with_memory(SORTER_BYTES),
        };
        let (items, digest) = survey.finish()?;
        planner.join(items, entries_by_key(view)?)?;
        planner.look_outside(view)?;
        planner.look_at_credentials(view)?;
        let Planner { counts, not_pruned, steps, removals, adoptions, .. } = planner;
        Ok(Plan {
            counts,
            not_pruned,
            steps: steps.sort()?,
            removals: removals.sort()?,
            adoptions: adoptions.sort()?,
            digest,
        })
    }
}

/// The entries of the register, by their keys.
fn entries_by_key(view: &RegisterView<'_>) -> Result<Sorted<24>, PlanError> {
    let mut entries = Sorter::with_memory(SORTER_BYTES);
    view.entries(|key, place| {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&key);
        bytes[16..].copy_from_slice(&place.number().to_be_bytes());
        Ok::<_, PlanError>(entries.push(bytes)?)
    })?;
    Ok(entries.sort()?)
}

impl Planner<'_> {
    /// Joins the items with the entries of the register by their keys.
    fn join(&mut self, mut items: Items, mut entries: Sorted<24>) -> io::Result<()> {
        let key_of = |entry: &[u8; 24]| part::<16, 24>(entry, 0);
        while let Some(item) = items.next()? {
            while let Some(gone) = entries.take_if(|entry| key_of(entry) < item.key)? {
                self.entry(&gone, GONE, None, false)?;
            }
            let is_alone = items.peek()?.is_none_or(|next| next.key != item.key);
            if !is_alone {
                self.reject_repeated(item, &mut items)?;
            }
            let position = if is_alone && item.is_valid { item.position } else { LEFT_ALONE };
            let Some(mut entry) = entries.take_if(|entry| key_of(entry) == item.key)? else {
                if position != LEFT_ALONE {
                    self.candidates.push(candidate(&item))?;
                }
                continue;
            };
            let mut has_several = false;
            while let Some(next) = entries.take_if(|entry| key_of(entry) == item.key)? {
                has_several = true;
                self.entry(&entry, position, Some(&item), true)?;
                entry = next;
            }
            self.entry(&entry, position, Some(&item), has_several)?;
        }
        while let Some(gone) = entries.take()? {
            self.entry(&gone, GONE, None, false)?;
        }
        Ok(())
    }

    /// Has all items of an id fail that stands there more than once.
    fn reject_repeated(&mut self, first: Item, items: &mut Items) -> io::Result<()> {
        self.counts.repeated += 1;
        if self.options.prune {
            self.not_pruned.get_or_insert(NotPruned::Repeated { index: first.position });
        }
        self.reject(&first, Tag::Repeated, None, items.peek()?.map_or(0, |second| second.position))?;
        while let Some(item) = items.peek()?.filter(|item| item.key == first.key) {
            items.next()?;
            self.reject(&item, Tag::Repeated, None, first.position)?;
        }
        Ok(())
    }

    fn reject(&mut self, item: &Item, tag: Tag, place: Option<RecordPlace>, extra: u64) -> io::Result<()> {
        if item.is_valid {
            self.counts.failed += 1;
            let place = place.map_or(0, RecordPlace::number);
            self.steps.push(Step { position: item.position, nth: 0, tag, place, extra }.pack())?;
        }
        Ok(())
    }

    /// Has a credential looked at, in the order of places.
    fn entry(
        &mut self,
        entry: &[u8; 24],
        position: u64,
        item: Option<&Item>,
        has_several: bool,
    ) -> io::Result<()> {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&entry[16..]);
        bytes[8..16].copy_from_slice(&position.to_be_bytes());
        if let Some(item) = item {
            bytes[16..32].copy_from_slice(&item.content.0);
            bytes[32] = item.of_type;
        }
        bytes[33] = has_several.into();
        self.entries.push(bytes)
    }

    /// Looks for credentials of the items that the register knows nothing of.
    fn look_outside(&mut self, view: &RegisterView<'_>) -> Result<(), PlanError> {
        let candidates = std::mem::replace(&mut self.candidates, Sorter::with_memory(0)).sort()?;
        let mut candidates = candidates;
        if candidates.peek()?.is_none() {
            return Ok(());
        }
        let mut outsiders = self.outsiders(view)?;
        let mut of_new_register = 0;
        while let Some(bytes) = candidates.take()? {
            let (item, outside) = read_candidate(&bytes);
            while outsiders.take_if(|outsider| part::<12, OUTSIDER_BYTES>(outsider, 0) < outside)?.is_some() {
            }
            let mut found = Vec::new();
            while let Some(outsider) =
                outsiders.take_if(|outsider| part::<12, OUTSIDER_BYTES>(outsider, 0) == outside)?
            {
                let place = RecordPlace::of_number(u64::from_be_bytes(part(&outsider, 12)));
                found.push((place, outsider[20] == 1));
            }
            let of_other = found.iter().find(|(_, of_other)| *of_other);
            match (found.last(), of_other) {
                (None, _) => self.issue(&item)?,
                (_, Some(_)) if view.is_new() => of_new_register += 1,
                (Some(_), _) if view.is_new() && !self.options.adopt => of_new_register += 1,
                (_, Some((place, _))) => self.reject(&item, Tag::OfOtherScope, Some(*place), 0)?,
                (Some(_), None) if self.options.adopt => self.adopt(&item, &found)?,
                (Some((place, _)), None) => self.reject(&item, Tag::Outside, Some(*place), 0)?,
            }
        }
        match of_new_register {
            0 => Ok(()),
            count => Err(PlanError::Outside(count)),
        }
    }

    /// The active credentials of the issuer that are not in this register, by what they are found by, with whether they
    /// are in another one.
    fn outsiders(&self, view: &RegisterView<'_>) -> Result<Sorted<OUTSIDER_BYTES>, PlanError> {
        let places = |others: bool| {
            let mut places = Sorter::with_memory(SORTER_BYTES / 4);
            let push = |_, place: RecordPlace| Ok::<_, PlanError>(places.push(place.number().to_be_bytes())?);
            if others {
                view.entries_of_others(push)?
            } else {
                view.entries(push)?
            }
            Ok::<_, PlanError>(places.sort()?)
        };
        let (mut own, mut of_others) = (places(false)?, places(true)?);
        let mut outsiders = Sorter::with_memory(SORTER_BYTES / 2);
        view.members(&self.options.run.terms.issuer, |member, credential_type, attestation_type| {
            let number = member.place.number().to_be_bytes();
            let is_in = |places: &mut Sorted<8>| -> io::Result<bool> {
                while places.take_if(|place| *place < number)?.is_some() {}
                Ok(places.peek()? == Some(number))
            };
            let (is_own, is_of_other) = (is_in(&mut own)?, is_in(&mut of_others)?);
            let id = match self.options.rule {
                IdRule::SubjectId => member.subject_hash,
                _ => member.correlation_hash,
            };
            let is_good = member.is_active && member.expires_at > self.options.now;
            if !is_own && is_good && id != [0; 8] {
                let mut bytes = [0; OUTSIDER_BYTES];
                bytes[..12].copy_from_slice(&outside_key(id, credential_type, attestation_type));
                bytes[12..20].copy_from_slice(&number);
                bytes[20] = is_of_other.into();
                outsiders.push(bytes)?;
            }
            Ok::<_, PlanError>(())
        })?;
        Ok(outsiders.sort()?)
    }

    fn issue(&mut self, item: &Item) -> io::Result<()> {
        self.counts.issued += 1;
        let extra = Step::content(&item.content);
        self.steps.push(Step { position: item.position, nth: 0, tag: Tag::Issue, place: 0, extra }.pack())
    }

    fn adopt(&mut self, item: &Item, found: &[(RecordPlace, bool)]) -> io::Result<()> {
        for (place, _) in found {
            let mut bytes = [0; 24];
            bytes[..16].copy_from_slice(&item.key);
            bytes[16..].copy_from_slice(&place.number().to_be_bytes());
            self.adoptions.push(bytes)?;
            self.counts.adopted += 1;
            self.entry(&bytes, item.position, Some(item), found.len() > 1)?;
        }
        Ok(())
    }

    /// Looks at every credential of the register, in the order of places, and decides.
    fn look_at_credentials(&mut self, view: &mut RegisterView<'_>) -> Result<(), PlanError> {
        let mut entries = std::mem::replace(&mut self.entries, Sorter::with_memory(0)).sort()?;
        let mut formers = Sorter::with_memory(SORTER_BYTES);
        while let Some(bytes) = entries.take()? {
            let place = RecordPlace::of_number(u64::from_be_bytes(part(&bytes, 0)));
            let standing = view.standing(place)?;
            let is_expired = standing.expires_at <= self.options.now;
            let is_active = standing.current.status == Status::Active && !is_expired;
            self.counts.active += u64::from(is_active);
            match u64::from_be_bytes(part(&bytes, 8)) {
                LEFT_ALONE => {}
                GONE if is_active && self.options.prune && self.not_pruned.is_none() => {
                    self.counts.removed += 1;
                    self.removals.push(part(&bytes, 0))?;
                }
                GONE => {
                    self.counts.gone_suspended +=
                        u64::from(self.options.prune && standing.current.status == Status::Suspended);
                }
                position => {
                    let content = ContentHash(part(&bytes, 16));
                    let former = self.compare(&standing, &content, bytes[32]);
                    match bytes[33] {
                        0 => self.decide(position, &content, &[(place, former)])?,
                        _ => formers.push(pack_former(position, place, &former, &content))?,
                    }
                }
            }
        }
        self.decide_groups(formers.sort()?)
    }

    /// A credential, compared with what would be issued now.
    fn compare(&self, standing: &Standing, content: &ContentHash, of_type: u8) -> Former {
        let run = self.options.run;
        let now = run.types.get(usize::from(of_type));
        let same_settings =
            standing.run.terms.proof_format == run.terms.proof_format && now == Some(&standing.run.of_type);
        let change = match (standing.content.is_same_as(content), same_settings) {
            (false, _) => Change::Item,
            (true, false) => Change::Settings,
            (true, true) => Change::None,
        };
        Former {
            status: standing.current.status,
            by_sync: standing.current.cause.is_some(),
            issued_at: standing.issued_at,
            expires_at: standing.expires_at,
            change,
        }
    }

    fn decide_groups(&mut self, mut formers: Sorted<FORMER_BYTES>) -> Result<(), PlanError> {
        let mut group = Vec::new();
        while let Some(bytes) = formers.take()? {
            let (position, place, former, content) = unpack_former(&bytes);
            group.push((place, former));
            let is_last =
                formers.peek()?.is_none_or(|next| part::<8, FORMER_BYTES>(&next, 0) != part(&bytes, 0));
            if is_last {
                self.decide(position, &content, &group)?;
                group.clear();
            }
        }
        Ok(())
    }

    /// Decides on an item with these credentials, the newest last.
    fn decide(
        &mut self,
        position: u64,
        content: &ContentHash,
        formers: &[(RecordPlace, Former)],
    ) -> io::Result<()> {
        let PlanOptions { allowed, now, prints_unchanged, .. } = self.options;
        let Some((place, newest)) = formers.last() else { return Ok(()) };
        let fate = decide(newest, allowed, *now);
        let tag = match fate {
            Fate::Unchanged | Fate::StaysSuspended => {
                self.counts.unchanged += 1;
                self.counts.suspended += u64::from(fate == Fate::StaysSuspended);
                if !prints_unchanged {
                    return Ok(());
                }
                Tag::Print
            }
            Fate::Issue => {
                self.counts.issued += 1;
                Tag::Issue
            }
            Fate::Replace => {
                self.counts.replaced += 1;
                self.counts.by_settings += u64::from(newest.change == Change::Settings);
                Tag::Replace
            }
            Fate::Renew => {
                self.counts.renewed += 1;
                Tag::Renew
            }
            Fate::Suspended | Fate::Revoked => {
                self.counts.failed += 1;
                if fate == Fate::Suspended { Tag::Suspended } else { Tag::Revoked }
            }
        };
        let step = Step { position, nth: 0, tag, place: place.number(), extra: Step::content(content) };
        self.steps.push(step.pack())?;
        if !matches!(fate, Fate::Issue | Fate::Replace | Fate::Renew) {
            return Ok(());
        }
        for (nth, (place, former)) in (1..).zip(formers) {
            let is_revoked = former.is_revoked_with(fate, allowed, *now);
            match fate {
                Fate::Renew => self.counts.renewed_revoked += u64::from(is_revoked),
                _ => self.counts.superseded += u64::from(is_revoked),
            }
            let step = Step::former(position, nth, place.number(), former.status, is_revoked);
            self.steps.push(step.pack())?;
        }
        Ok(())
    }
}

fn candidate(item: &Item) -> [u8; CANDIDATE_BYTES] {
    let mut bytes = [0; CANDIDATE_BYTES];
    bytes[..12].copy_from_slice(&item.outside);
    bytes[12..20].copy_from_slice(&item.position.to_be_bytes());
    bytes[20..36].copy_from_slice(&item.key);
    bytes[36..52].copy_from_slice(&item.content.0);
    bytes[52] = item.of_type;
    bytes
}

fn read_candidate(bytes: &[u8; CANDIDATE_BYTES]) -> (Item, OutsideKey) {
    let outside = part(bytes, 0);
    let item = Item {
        key: part(bytes, 20),
        position: u64::from_be_bytes(part(bytes, 12)),
        is_valid: true,
        content: ContentHash(part(bytes, 36)),
        outside,
        of_type: bytes[52],
    };
    (item, outside)
}

fn pack_former(
    position: u64,
    place: RecordPlace,
    former: &Former,
    content: &ContentHash,
) -> [u8; FORMER_BYTES] {
    let mut bytes = [0; FORMER_BYTES];
    bytes[..8].copy_from_slice(&position.to_be_bytes());
    bytes[8..16].copy_from_slice(&place.number().to_be_bytes());
    bytes[16..24].copy_from_slice(&former.issued_at.seconds().to_be_bytes());
    bytes[24..32].copy_from_slice(&former.expires_at.seconds().to_be_bytes());
    bytes[32] = former.status as u8;
    bytes[33] = former.by_sync.into();
    bytes[34] = former.change as u8;
    bytes[35..43].copy_from_slice(&content.0[..8]);
    bytes
}

fn unpack_former(bytes: &[u8; FORMER_BYTES]) -> (u64, RecordPlace, Former, ContentHash) {
    let time = |from: usize| UnixTime::from_seconds(i64::from_be_bytes(part(bytes, from)));
    let mut content = ContentHash::default();
    content.0[..8].copy_from_slice(&bytes[35..43]);
    let former = Former {
        status: Status::ALL[usize::from(bytes[32])],
        by_sync: bytes[33] == 1,
        issued_at: time(16).expect("it was a time when it was packed"),
        expires_at: time(24).expect("it was a time when it was packed"),
        change: [Change::None, Change::Settings, Change::Item][usize::from(bytes[34])],
    };
    let place = RecordPlace::of_number(u64::from_be_bytes(part(bytes, 8)));
    (u64::from_be_bytes(part(bytes, 0)), place, former, content)
}
