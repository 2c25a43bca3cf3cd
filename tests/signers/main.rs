//! Keys that are not in files: signer programs that work, and those that do not.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what helps tests is test code, too"
)]

#[allow(dead_code, reason = "it serves the tests of crashes, too")]
#[path = "../crash/support.rs"]
mod books;
#[path = "../support/mod.rs"]
mod readers;
#[allow(dead_code, reason = "it serves the tests of the command line, too")]
#[path = "../cli/support.rs"]
mod support;

mod choosing;
mod examples;
mod program;
mod secrecy;
mod signer;
#[cfg(feature = "pkcs11")]
mod token;
mod yard;
