//! Correlation ids of the last items, to warn of repeats.

use std::collections::{HashMap, VecDeque};

/// How many items back a repeat is noticed (contract section 2.2).
pub const WINDOW: usize = 65_536;

/// The hashes of the last [`WINDOW`] items' correlation ids.
#[derive(Debug, Default)]
pub(super) struct RecentIds {
    order: VecDeque<u64>,
    last_item: HashMap<u64, u64>,
}

impl RecentIds {
    /// Notes that `item` has the id with this hash; returns the last item before it that had it.
    pub(super) fn note(&mut self, hash: u64, item: u64) -> Option<u64> {
        if self.order.len() == WINDOW
            && let Some(oldest) = self.order.pop_front()
            && self.last_item.get(&oldest).is_some_and(|&at| at + WINDOW as u64 <= item)
        {
            self.last_item.remove(&oldest);
        }
        self.order.push_back(hash);
        self.last_item.insert(hash, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_noticed_within_the_window_and_no_further() {
        let mut recent = RecentIds::default();
        assert_eq!(recent.note(7, 0), None);
        assert_eq!(recent.note(7, 1), Some(0));
        for item in 2..WINDOW as u64 + 1 {
            assert_eq!(recent.note(1_000 + item, item), None);
        }
        assert_eq!(recent.note(7, WINDOW as u64 + 1), None, "item 1 is {WINDOW} items back");
        assert_eq!(recent.note(1_002, WINDOW as u64 + 2), None);
        assert_eq!(recent.note(1_004, WINDOW as u64 + 3), Some(4));
    }
}
