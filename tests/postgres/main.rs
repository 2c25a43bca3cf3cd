//! A ledger in PostgreSQL: many processes at once, crashes, failovers, lines that are cut, and servers that refuse.
//!
//! Each test has servers of its own ([`cluster`]), made from the programs of PostgreSQL that are installed, and is
//! skipped where there are none. What left a process is entered into the books that the crash tests keep, and compared
//! with what the ledger knows. Nothing here waits for a time: states are asked for until they are there.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `BELTIC_TEST_SCALE` | `full`: a million items, 20 crashes of the server, every cut before and after each message |
//! | `BELTIC_SOAK_SEED` | repeats the choices of the soaks |
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[allow(dead_code, reason = "the tests of crashes use the rest")]
#[path = "../crash/support.rs"]
mod books;
#[path = "../sync/days.rs"]
mod days;
#[path = "../sync/model.rs"]
mod model;
#[path = "../support/mod.rs"]
mod readers;
#[path = "../sync/registers.rs"]
mod registers;
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../cli/support.rs"]
mod support;
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../cli/sync_support.rs"]
mod sync_support;

mod cluster;
mod connections;
mod crashes;
mod crowd;
mod cuts;
mod failover;
mod moves;
mod pooler;
mod proxy;
mod registers_in_a_database;
mod secrecy;
mod world;
