//! `beltic ledger`: check it, back it up, close its lists.

use std::path::Path;

use crate::cli::args::{Common, LedgerAction, LedgerArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::{DAMAGED_LEDGER, Failure};
use crate::cli::kept::Kept;
use crate::cli::settings::Settings;
use crate::cli::streams::{self, grouped};
use crate::files;
use crate::ledger::{History, Ledger};

pub(super) fn run(common: &Common, args: &LedgerArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    match &args.action {
        LedgerAction::Check { ledger } => check(&super::open_ledger(&settings, ledger, true)?),
        LedgerAction::Backup { file, force, ledger } => {
            let ledger = super::open_ledger(&settings, ledger, true)?;
            // Where no key can be told, there is none to keep.
            let kept = Kept::files(settings.key_path(&None).ok())
                .and_ledger(Some(ledger.path()))
                .and_settings(&settings);
            backup(&ledger, kept, file, *force, common.quiet)
        }
        LedgerAction::CloseLists { ledger } => {
            close_lists(super::open_ledger(&settings, ledger, false)?, common.quiet)
        }
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

fn check(ledger: &Ledger) -> Result<ExitStatus, Failure> {
    let found = ledger.examine()?;
    let path = ledger.path().display();
    if !found.problems.is_empty() {
        let message = format!("the ledger {path} is damaged: {}", found.problems.join("; "));
        return Err(Failure::said(ExitStatus::Files, message).hint(DAMAGED_LEDGER));
    }
    super::print(
        format!(
            "{path} is sound: {}, {}, {}\n",
            counted(found.credentials, "credential"),
            counted(found.lists, "status list"),
            counted(found.runs, "run")
        )
        .as_bytes(),
    )
}

fn backup(
    ledger: &Ledger,
    mut kept: Kept,
    file: &Path,
    force: bool,
    quiet: bool,
) -> Result<ExitStatus, Failure> {
    let way = files::way(file, force)?;
    kept.refuse(file)?;
    ledger.backup(file, way)?;
    if !quiet {
        streams::say(&format!("backed up {} to {}", ledger.path().display(), file.display()));
    }
    Ok(ExitStatus::Done)
}

/// Opening a restored ledger closes its lists already; that is told as it happens.
fn close_lists(mut ledger: Ledger, quiet: bool) -> Result<ExitStatus, Failure> {
    let asked = ledger.close_lists()?;
    let closed = match (&asked, ledger.history()) {
        (Some(restoration), _) | (None, History::Restored(restoration)) => restoration.lists,
        _ => 0,
    };
    if !quiet {
        let path = ledger.path().display();
        streams::say(&match closed {
            0 => format!("{path} has no open status list; the next run opens a new one"),
            closed => {
                format!("closed {} of {path}; the next run opens a new one", counted(closed, "status list"))
            }
        });
    }
    Ok(ExitStatus::Done)
}
