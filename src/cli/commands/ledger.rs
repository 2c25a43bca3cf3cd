//! `beltic ledger`: make it, check it, back it up, move it, close its lists.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::{DAMAGED_LEDGER, Failure};
use crate::cli::kept::Kept;
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, LedgerArg};
use crate::cli::streams::{self, grouped};
use crate::files;
use crate::ledger::{FORMAT_VERSION, History, Ledger, LedgerError};

/// What `ledger` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic ledger check
  beltic ledger backup /backup/ledger.db --force
  beltic ledger copy .beltic/ledger.db /var/lib/issuer/ledger.db
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
    /// Make an empty ledger; the first run does that, too
    #[command(before_help = "Examples:
  beltic ledger init
  beltic ledger init --ledger postgres://issuer@db.example/credentials
")]
    Init {
        /// Allow a PostgreSQL server that does not tell its timeline: run `close-lists` after each failover
        #[arg(long)]
        no_failover_guard: bool,
        /// Where credentials are recorded.
        #[command(flatten)]
        ledger: LedgerArg,
    },
    /// Bring a ledger of an earlier version of beltic up to date
    #[command(before_help = "Examples:
  beltic ledger migrate
")]
    Migrate {
        /// Where credentials are recorded.
        #[command(flatten)]
        ledger: LedgerArg,
    },
    /// Move the ledger to another file or database; the old one can only be read from then on
    #[command(before_help = "Examples:
  beltic ledger copy .beltic/ledger.db /var/lib/issuer/ledger.db
  beltic ledger copy .beltic/ledger.db postgres://issuer@db.example/credentials
")]
    Copy {
        /// The ledger: a file, or the URL of a database
        #[arg(value_name = "FROM", value_hint = ValueHint::FilePath)]
        from: PathBuf,
        /// Where it moves to: a new file, or the URL of a database without a ledger
        #[arg(value_name = "TO", value_hint = ValueHint::FilePath)]
        to: PathBuf,
    },
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
        LedgerAction::Init { no_failover_guard, ledger } => {
            init(&settings, ledger, *no_failover_guard, common.quiet)
        }
        LedgerAction::Migrate { ledger } => {
            migrate(&super::open_ledger(&settings, ledger, true)?, common.quiet)
        }
        LedgerAction::Copy { from, to } => copy(&settings, from, to, common.quiet),
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

/// Makes a ledger where there is none.
fn init(
    settings: &Settings,
    given: &LedgerArg,
    no_failover_guard: bool,
    quiet: bool,
) -> Result<ExitStatus, Failure> {
    let address = settings
        .ledger_address(&given.ledger)?
        .ok_or_else(|| Failure::usage("no ledger configured (ledger: none)"))?;
    let address = match no_failover_guard {
        true => address.without_failover_guard().ok_or_else(|| {
            Failure::usage("--no-failover-guard is for a ledger in a PostgreSQL database")
                .hint("leave the flag out for a file")
        })?,
        false => address,
    };
    if Ledger::open_to_look(&address)?.is_some() {
        return Err(LedgerError::Exists { path: address.to_string().into() }.into());
    }
    Ledger::open(&address)?;
    if !quiet {
        streams::say(&format!("made an empty ledger: {address}"));
    }
    Ok(ExitStatus::Done)
}

/// Says that there is nothing to do: opening has refused every other format.
fn migrate(ledger: &Ledger, quiet: bool) -> Result<ExitStatus, Failure> {
    if !quiet {
        let path = ledger.path().display();
        streams::say(&format!("{path} has format {FORMAT_VERSION}, which is the current one; nothing to do"));
    }
    Ok(ExitStatus::Done)
}

/// Moves a ledger.
fn copy(settings: &Settings, from: &Path, to: &Path, quiet: bool) -> Result<ExitStatus, Failure> {
    let (from, to) = (settings.ledger_at(from, "FROM")?, settings.ledger_at(to, "TO")?);
    let (source, _) = Ledger::open_existing(&from)?.ok_or_else(|| Failure::no_ledger(&from))?;
    source.move_to(&to)?;
    if !quiet {
        streams::say(&format!(
            "moved the ledger to {to}; pass it as `--ledger` from now on. {from} can only be read"
        ));
    }
    Ok(ExitStatus::Done)
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
