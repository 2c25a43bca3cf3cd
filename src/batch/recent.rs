//! Correlation ids of the last items, to warn of repeats.

use std::collections::{HashMap, VecDeque};

/// How many items back a repeat is noticed.
pub const WINDOW: usize = 65_536;

/// The hashes of the last [`WINDOW`] items' correlation ids.
#[derive(Debug, Default)]
pub(super) struct RecentIds {
    /// The items that had an id, and its hash.
    order: VecDeque<(u64, u64)>,
    last_item: HashMap<u64, u64>,
}

impl RecentIds {
    /// Notes that `item` has the id with this hash; returns the last item before it that had it.
    pub(super) fn note(&mut self, hash: u64, item: u64) -> Option<u64> {
        while let Some(&(oldest, hash)) = self.order.front()
            && oldest + WINDOW as u64 <= item
        {
            self.order.pop_front();
            if self.last_item.get(&hash) == Some(&oldest) {
                self.last_item.remove(&hash);
            }
        }
        self.order.push_back((item, hash));
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
        assert_eq!(recent.note(1_004, WINDOW as u64 + 3), Some(4));
        assert_eq!(recent.note(1_004, 3 * WINDOW as u64), None, "items without an id count too");
    }
}
