//! The question before many credentials are changed.

use std::io::{self, IsTerminal, Write};

use super::args::StatusArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::streams::grouped;
use crate::ledger::Change;

/// Whether there is somebody to ask, and something to ask about. Scripts are never asked: without a
/// terminal to read the question on and to answer it, the command goes on.
pub(super) fn can_ask(args: &StatusArgs) -> bool {
    !args.yes && !args.dry_run && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether so many credentials, which are described, are to be changed. Only `y` and `yes` mean yes.
pub(super) fn confirm(change: Change, count: u64, which: &str) -> Result<bool, Failure> {
    let fail = |source| {
        Failure::new(ExitStatus::Files, anyhow::Error::new(source).context("cannot ask on the terminal"))
            .hint("use `--yes` to answer beforehand")
    };
    let (verb, warning) = match change {
        Change::Revoke => ("Revoke", " Revocation is permanent."),
        Change::Suspend => ("Suspend", ""),
        Change::Reinstate => ("Reinstate", ""),
    };
    let mut stderr = io::stderr();
    write!(stderr, "{verb} {} credentials {which}?{warning} [y/N] ", grouped(count)).map_err(fail)?;
    stderr.flush().map_err(fail)?;
    let mut answer = String::new();
    let length = io::stdin().read_line(&mut answer).map_err(fail)?;
    if length == 0 {
        // The end of input leaves the cursor behind the question.
        writeln!(stderr).map_err(fail)?;
    }
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}
