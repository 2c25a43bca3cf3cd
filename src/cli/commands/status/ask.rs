//! The question before many credentials are changed.

use super::args::StatusArgs;
use crate::cli::asking;
use crate::cli::failure::Failure;
use crate::cli::streams::grouped;
use crate::ledger::Change;

/// Whether there is somebody to ask, and something to ask about.
pub(super) fn can_ask(args: &StatusArgs) -> bool {
    !args.yes && !args.dry_run && asking::is_possible()
}

/// Asks whether so many credentials, which are described, are to be changed.
pub(super) fn confirm(change: Change, count: u64, which: &str) -> Result<bool, Failure> {
    let (verb, warning) = match change {
        Change::Revoke => ("Revoke", " Revocation is permanent."),
        Change::Suspend => ("Suspend", ""),
        Change::Reinstate => ("Reinstate", ""),
    };
    asking::confirm(&format!("{verb} {} credentials {which}?{warning}", grouped(count)))
}
