//! `beltic ledger`: check it, back it up, close its lists.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::{DAMAGED_LEDGER, Failure};
use crate::cli::kept::Kept;
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, LedgerArg};
use crate::cli::streams::{self, grouped};
use crate::files;
use crate::ledger::{History, Ledger};

/// What `ledger` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic ledger check
  beltic ledger backup /backup/ledger.db --force
  beltic ledger close-lists
")]
pub(crate) struct LedgerArgs {
    /// What to do with the ledger.
    #[command(subcommand)]
    pub action: LedgerAction,
}

/// What can be done with a ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerAction {
    /// Check that the ledger is intact, with no duplicate index, id or item
    #[command(before_help = "Examples:
  beltic ledger check
  beltic ledger check --ledger /var/lib/issuer/ledger.db
")]
    Check {
        /// Where credentials are recorded.
        #[command(flatten)]
        ledger: LedgerArg,
    },
    /// Write a consistent copy of the ledger, even during a run
    #[command(before_help = "Examples:
  beltic ledger backup /backup/ledger.db --force
")]
    Backup {
        /// The file to write
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Overwrite the file if it exists
        #[arg(long)]
        force: bool,
        /// Where credentials are recorded.
        #[command(flatten)]
        ledger: LedgerArg,
    },
    /// Close the open status lists, so new credentials go into new ones; run this after every restore
    #[command(before_help = "Examples:
  beltic ledger close-lists
")]
    CloseLists {
        /// Where credentials are recorded.
        #[command(flatten)]
        ledger: LedgerArg,
    },
}

pub(super) fn run(common: &Common, args: &LedgerArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    match &args.action {
        LedgerAction::Check { ledger } => check(&super::open_ledger(&settings, ledger, true)?),
        LedgerAction::Backup { file, force, ledger } => {
            let ledger = super::open_ledger(&settings, ledger, true)?;
            // Where no key can be told, there is none to keep.
            let kept = Kept::files(settings.key_path(&None).ok())
                .and_ledger(Some(ledger.address()))
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
            "{path} is intact: {}, {}, {}\n",
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
