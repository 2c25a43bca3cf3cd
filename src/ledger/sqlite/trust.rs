//! What is believed of a ledger, and why: the one place that decides to go on, to go on in new
//! lists, or to stop.
//!
//! # When a ledger is opened
//!
//! | what | how it is proved | where it is not |
//! | --- | --- | --- |
//! | the file has one name | its number of links | stop: by the other name it would have another log |
//! | the log beside it is its own | the random token of its base (`log`) | it is set aside, and new lists; where the ledger is only looked at or others use it: stop |
//! | there is no rollback journal | a ledger never has one, so it is another database's | it is set aside, and new lists |
//! | it is the file that it was | inode and time of creation, which the ledger itself holds (`home`) | copied: new lists |
//! | it is no backup | a backup has no home | new lists |
//! | it has not gone back in time | the mark's states are among its events (`mark`) | new lists |
//! | the mark is the one that this ledger left | the ledger's random id, and the mark's own inode and time of creation | new lists |
//! | its rows are what was written | a checksum in each, and counts (`checksum`, `seal`) | stop |
//! | it is whole | pages counted by the file's length; looked over wholly (`check`) before new lists are begun | stop |
//! | the clock | it is not before the last event | a warning; what would have expired at birth is refused |
//!
//! A ledger that has given nothing yet has nothing to lose: whatever its mark says, it goes on.
//!
//! # In each transaction
//!
//! Every row that decides an index or a replay is checked as it is read: the list with its counter,
//! which must be the end of the list's last batch; each part of an order, once; the batches of a
//! replay, their run, and that the run's index shows all of them; the statuses. A contradiction
//! ends the run before the commit.
//!
//! # At each commit
//!
//! Before it, after it, and before a batch's results leave, the path leads to the file that is
//! open, which has one name; the log and its index are those that were opened; and the file's
//! second page has a token of this ledger's line (`watch`). Then what was committed is
//! where the next command looks.
//!
//! # What is durable when
//!
//! A commit is on the disk when it returns. The mark is written before it and replaced after it, without
//! waiting for the disk: a power cut may leave it older or empty, never wrong. Where lists are closed, the
//! mark is on the disk before the commit, so that no restored copy has them open again.
//!
//! # What nothing in a file can tell
//!
//! A whole file system that was rolled back, a machine that was cloned, a snapshot of storage:
//! there the ledger, its mark, their inodes and times are all what they once were together. The
//! documented step after any of them is `ledger close-lists`.

use std::path::PathBuf;

use super::mark::{Mark, MarkFound};
use crate::ledger::closings::ClosingReason;
use crate::ledger::state::State;

/// What was found when a ledger was opened.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Its random id.
    pub(super) ledger: [u8; 16],
    /// How far it has come.
    pub(super) state: State,
    /// Whether it is the file that it says it is; none for a backup, which says nothing.
    pub(super) at_home: Option<bool>,
    /// What lies where its mark should be.
    pub(super) mark: MarkFound,
    /// What was set aside.
    pub(super) set_aside: Vec<PathBuf>,
    /// Whether it ever issued anything, or had its lists closed.
    pub(super) is_fresh: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TrustVerdict {
    /// Go on.
    GoOn,
    /// Go on; the place was another ledger's before.
    Replaced,
    /// Close the open lists, and go on in new ones. (To stop is decided by whoever finds evidence
    /// that cannot be weighed: it is an error.)
    NewLists(Vec<ClosingReason>),
}

impl Evidence {
    /// Weighs the evidence. `knows` says whether an event of this number and hash is in the ledger.
    pub(super) fn weigh(self, knows: impl Fn(&State) -> bool) -> TrustVerdict {
        let mut reasons: Vec<ClosingReason> =
            self.set_aside.into_iter().map(ClosingReason::ForeignLog).collect();
        match self.at_home {
            None => reasons.push(ClosingReason::Backup),
            Some(false) => reasons.push(ClosingReason::Copied),
            Some(true) => {}
        }
        let mark = match self.mark {
            MarkFound::Here(mark) => Some(mark),
            MarkFound::Elsewhere(mark) => {
                if mark.ledger == self.ledger {
                    reasons.push(ClosingReason::MovedMark);
                }
                Some(mark)
            }
            MarkFound::Nothing => None,
        };
        match mark {
            None => reasons.push(ClosingReason::NoMark),
            Some(mark) if mark.ledger != self.ledger && self.is_fresh => return TrustVerdict::Replaced,
            Some(mark) if mark.ledger != self.ledger => reasons.push(ClosingReason::OtherMark),
            Some(mark) if !is_reached(&mark, &self.state, knows) => reasons.push(ClosingReason::WentBack),
            Some(_) => {}
        }
        let lost_nothing = self.is_fresh && !reasons.contains(&ClosingReason::WentBack);
        if reasons.is_empty() || lost_nothing { TrustVerdict::GoOn } else { TrustVerdict::NewLists(reasons) }
    }
}

/// Whether a ledger in this state is where its mark says, or further.
fn is_reached(mark: &Mark, state: &State, knows: impl Fn(&State) -> bool) -> bool {
    let is_further = state.closings == mark.writing.closings && knows(&mark.writing);
    is_further || *state == mark.reached
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A ledger's line of events, told by a number for each: its hash says all before it.
    fn state(line: &[u8], closings: i64) -> State {
        let mut hash = [0; 16];
        for (at, event) in line.iter().enumerate() {
            hash[at % 16] ^= event.wrapping_mul(31).wrapping_add(at as u8 + 1);
            hash.rotate_left(3);
        }
        State { event: line.len() as i64, hash, closings }
    }

    fn weigh(line: &[u8], closings: i64, mark: Mark) -> TrustVerdict {
        let evidence = Evidence {
            ledger: [1; 16],
            state: state(line, closings),
            at_home: Some(true),
            mark: MarkFound::Here(mark),
            set_aside: Vec::new(),
            is_fresh: false,
        };
        evidence.weigh(|asked| {
            (0..=line.len()).any(|end| {
                let known = state(&line[..end], asked.closings);
                known.event == asked.event && known.hash == asked.hash
            })
        })
    }

    proptest! {
        /// A ledger left alone goes on, wherever its process died; one that lost delivered events
        /// or a closing of its lists never does.
        #[test]
        fn what_was_delivered_is_known_or_missed(
            line in proptest::collection::vec(0u8..4, 1..8), closings in 0i64..3, back in 1usize..8,
        ) {
            let (before, now) = (state(&line[..line.len() - 1], closings), state(&line, closings));
            let writing = Mark { ledger: [1; 16], reached: before, writing: now };
            let settled = Mark::at([1; 16], now);
            prop_assert_eq!(weigh(&line, closings, writing), TrustVerdict::GoOn);
            prop_assert_eq!(weigh(&line[..line.len() - 1], closings, writing), TrustVerdict::GoOn);
            prop_assert_eq!(weigh(&line, closings, settled), TrustVerdict::GoOn);
            let mut further = line.clone();
            further.push(3);
            prop_assert_eq!(weigh(&further, closings, settled), TrustVerdict::GoOn);

            let went_back = TrustVerdict::NewLists(vec![ClosingReason::WentBack]);
            let kept = line.len().saturating_sub(back);
            prop_assert_eq!(&weigh(&line[..kept], closings, settled), &went_back);
            let mut other = line.clone();
            *other.last_mut().unwrap() ^= 1;
            other.push(0);
            prop_assert_eq!(&weigh(&other, closings, settled), &went_back);
            let closed = Mark::at([1; 16], state(&line, closings + 1));
            prop_assert_eq!(&weigh(&line, closings, closed), &went_back);
            prop_assert_eq!(&weigh(&further, closings, closed), &went_back);
        }
    }

    #[test]
    fn each_piece_of_evidence_counts() {
        let here = MarkFound::Here(Mark::at([1; 16], state(&[1, 2], 0)));
        let weigh = |at_home, mark, set_aside: &[&str], is_fresh| {
            let set_aside = set_aside.iter().map(PathBuf::from).collect();
            let line = if is_fresh { state(&[], 0) } else { state(&[1, 2], 0) };
            Evidence { ledger: [1; 16], state: line, at_home, mark, set_aside, is_fresh }
                .weigh(|asked| asked.event == 0 || *asked == state(&[1, 2], 0))
        };
        let MarkFound::Here(mark) = here else { unreachable!() };
        let other = MarkFound::Here(Mark { ledger: [2; 16], ..mark });
        let new_lists = |reason| TrustVerdict::NewLists(vec![reason]);
        assert_eq!(weigh(Some(true), here, &[], false), TrustVerdict::GoOn);
        assert_eq!(weigh(Some(false), here, &[], false), new_lists(ClosingReason::Copied));
        assert_eq!(weigh(None, here, &[], false), new_lists(ClosingReason::Backup));
        assert_eq!(weigh(Some(true), MarkFound::Nothing, &[], false), new_lists(ClosingReason::NoMark));
        assert_eq!(weigh(Some(true), other, &[], false), new_lists(ClosingReason::OtherMark));
        assert_eq!(
            weigh(Some(true), MarkFound::Elsewhere(mark), &[], false),
            new_lists(ClosingReason::MovedMark)
        );
        assert_eq!(weigh(Some(true), here, &["x"], false), new_lists(ClosingReason::ForeignLog("x".into())));
        // A ledger that has given nothing has nothing to lose.
        assert_eq!(weigh(Some(true), MarkFound::Nothing, &[], true), TrustVerdict::GoOn);
        assert_eq!(weigh(Some(true), other, &[], true), TrustVerdict::Replaced);
        assert_eq!(
            weigh(Some(true), MarkFound::Here(Mark::at([1; 16], state(&[1, 2, 3], 0))), &[], true),
            new_lists(ClosingReason::WentBack)
        );
    }
}
