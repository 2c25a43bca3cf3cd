//! `sync` against the table of docs/register.md: invented registers are edited, brought into line, and edited again,
//! and after each run the ledger has to hold what a simple model says.
//!
//! [`registers`] invents registers and what happens to them and writes them as files, [`model`] is the table once more,
//! [`days`] runs the program and compares. `PROPTEST_CASES` and `BELTIC_TEST_SCALE` set how long they look. A case that
//! fails is kept in `tests/sync/days.regressions`, and tried first from then on.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/mod.rs"]
mod readers;
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../cli/support.rs"]
mod support;
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../cli/sync_support.rs"]
mod sync_support;

mod days;
mod model;
mod registers;

#[test]
fn every_day_the_ledger_has_what_the_register_says() {
    let cases = readers::machine::rounds("registers", 32, 320);
    days::live_through_registers(cases, sync_support::issuer);
}
