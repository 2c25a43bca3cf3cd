//! Secrets and personal data stay where they belong: nothing of a key or passphrase comes out of the program
//! or stays in its memory, nothing personal gets into messages or the ledger, and no file is written but those
//! that were named.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/mod.rs"]
mod readers;
#[allow(dead_code, reason = "it serves the tests of the command line, too")]
#[path = "../cli/support.rs"]
mod support;

#[cfg(unix)]
mod creation;
mod outputs;
mod personal;
#[cfg(target_os = "linux")]
mod process;
mod spellings;
#[cfg(target_os = "linux")]
mod writes;
