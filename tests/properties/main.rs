//! What holds for every batch, shown on invented ones.
//!
//! [`companies`], [`loose`] and [`anything`] invent what goes in; the other modules are one kind of
//! property each. `PROPTEST_CASES` sets how long they look: 256 is what runs by default, 5120 is
//! twenty times as many cases. A case that fails is kept in `tests/properties/MODULE.regressions`,
//! and tried first from then on; such a file is committed with the fix.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/mod.rs"]
mod readers;
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../cli/support.rs"]
mod support;

mod anything;
mod batches;
mod companies;
mod csv_records;
mod forms;
mod loose;
mod outputs;
mod panics;
mod renewals;
mod reruns;
mod schema;
mod signed;

pub(crate) use readers::property::holds;
