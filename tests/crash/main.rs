//! Nothing lost, nothing twice: the program is killed, starved and crowded, and then what it
//! promised about its ledger is checked.
//!
//! Nothing here waits for a time. The program is killed when it was seen to have come so far: so
//! many bytes of output read, so large a write-ahead log, or the N-th write by strace.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `BELTIC_SOAK_KILLS` | how often the soak kills |
//! | `BELTIC_SOAK_SEED` | repeats a soak's choices |
//! | `BELTIC_RESTORE_TRIALS` | how many ledgers are restored, copied or damaged, 50 unless it is set |
//! | `BELTIC_EVERY_WRITE` | set: strace takes every write of large batches too, not a sample |
//! | `BELTIC_TEST_SCALE` | `full`: as many rounds as are worth while, see `tests/support/machine.rs` |
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/machine.rs"]
mod machine;

mod crowd;
mod faults;
mod kills;
mod moved;
mod moves;
mod pipes;
mod restore;
mod revocations;
#[allow(dead_code, reason = "the tests over PostgreSQL use the rest")]
mod support;
mod sync_input;
mod syncs;
mod traced;
