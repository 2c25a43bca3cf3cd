//! Trying again what a server did not carry out.

use std::thread;
use std::time::{Duration, Instant};

use super::LedgerError;
use super::store::{ServerFault, Store, StoreError};

/// The first pause, and the longest. Each is somewhere between half of that and all of it, so that those who were
/// thrown back together do not come back together.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often in a row somebody else may have been faster.
const MOST_OVERTAKEN: u32 = 1_000;

/// How an operation is tried again, of which nothing was carried out.
#[derive(Debug)]
pub(super) struct Retry {
    begun: Instant,
    pause: Duration,
    overtaken: u32,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { begun: Instant::now(), pause: FIRST_PAUSE, overtaken: 0 }
    }
}

impl Retry {
    /// Whether to try again after this error, now that a pause is over. Always false for a store that is a file: what
    /// it cannot do now it cannot do a moment later.
    pub(super) fn is_worth_it(&mut self, store: &dyn Store, error: &LedgerError) -> bool {
        let LedgerError::Database { source: StoreError::Server(error), .. } = error else { return false };
        store.lanes().is_some_and(|lanes| self.is_worth_waiting(error.fault, lanes.wait()))
    }

    /// As [`Retry::is_worth_it`], given the fault and for how long faults that may pass are waited for.
    pub(super) fn is_worth_waiting(&mut self, fault: ServerFault, wait: Duration) -> bool {
        if fault == ServerFault::Taken {
            self.overtaken += 1;
            if self.overtaken > 3 {
                thread::sleep(FIRST_PAUSE.mul_f64(share()));
            }
            return self.overtaken < MOST_OVERTAKEN && self.begun.elapsed() < wait;
        }
        if !fault.may_pass() || self.begun.elapsed() + self.pause > wait {
            return false;
        }
        thread::sleep(self.pause.mul_f64(0.5 + share() / 2.0));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// A number from 0 to 1, another each time.
fn share() -> f64 {
    let mut bytes = [0; 4];
    // Where there are no random bytes, pauses are all the same.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
