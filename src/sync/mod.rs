//! Keeping a register up to date: a file says what the credentials of a scope should be, and `sync` brings them there.
//!
//! ```text
//!  file ──▶ survey ──▶ Survey ──▶ plan ◀── RegisterView     as of one moment, nothing written
//!  (first reading:      ids and     │
//!   ids and contents)   contents    ▼
//!                                 Plan: counts, steps by item, removals     limits are judged here
//!                                   │
//!  file ──▶ batch::issue ──▶ Steps ─┴─▶ ledger: one transaction a batch     from here on things change
//!  (second reading)                     then the removals, likewise
//! ```
//!
//! # What is kept in memory
//!
//! Hashes, places and numbers, of a fixed size for each item, and no more of them than a limit: beyond it they are
//! sorted on the disk ([`crate::sorter`]). The plan is made by joining sorted streams: items with the entries of the
//! register by key, these with their records by place, and the outcome with the second reading by position. So nothing is
//! looked up one by one, and a register of any size takes the same memory.
//!
//! # Crash safety
//!
//! A plan is never kept. Each transaction leaves the register in a state from which the same command finishes the work:
//! an item that was done is found unchanged, and one that was not is still to be done. An item's new credential and the
//! revocation of its former ones are one transaction. Removals come last, and only after the second reading has shown
//! the same input as the first.

mod decide;
mod items;
mod plan;
mod steps;

pub use decide::{Allowed, Change, Fate, Former, decide};
pub use items::Survey;
pub use plan::{Counts, NotPruned, Plan, PlanError, PlanOptions};
pub use steps::{Carrier, Mode, RemovedCredential};

/// How many bytes each of the sorters keeps in memory. At most three are filled at a time.
const SORTER_BYTES: usize = 16 << 20;
