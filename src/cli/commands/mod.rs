//! The commands: one file each.

mod batch_issue;
mod completions;
mod keygen;
mod ledger;
mod list;
mod schema;
mod show;
mod template;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{Cli, Command, Common};
use super::exit::ExitStatus;
use super::failure::Failure;
use super::settings::Settings;
use super::streams;
use crate::ledger::{History, Ledger};

/// Runs the command that was typed.
pub(super) fn dispatch(cli: &Cli) -> Result<ExitStatus, Failure> {
    match &cli.command {
        Command::BatchIssue(args) => batch_issue::run(&cli.common, args),
        Command::Keygen(args) => keygen::run(&cli.common, args),
        Command::List(args) => list::run(&cli.common, args),
        Command::Show(args) => show::run(&cli.common, args),
        Command::Ledger(args) => ledger::run(&cli.common, args),
        Command::Schema(args) => schema::run(&cli.common, args),
        Command::Template(args) => template::run(args),
        Command::Completions(args) => completions::run(args),
    }
}

/// A ledger that a command reads, with its path.
struct OpenedLedger {
    ledger: Ledger,
    path: PathBuf,
}

/// Opens the ledger, which must be there, and says what is to be said about its history.
fn open_ledger(common: &Common, given: &Option<PathBuf>) -> Result<OpenedLedger, Failure> {
    let path = Settings::load(common)?
        .ledger_path(given)
        .ok_or_else(|| Failure::usage("there is no ledger to read: the settings say `none`"))?;
    let (ledger, history) = Ledger::open_existing(&path)?.ok_or_else(|| Failure::no_ledger(&path))?;
    if let Some(warning) = history_warning(history, &path).filter(|_| !common.quiet) {
        streams::say(&format!("warning: {warning}"));
    }
    Ok(OpenedLedger { ledger, path })
}

/// What the user must know of a ledger's history.
fn history_warning(history: History, path: &Path) -> Option<String> {
    let path = path.display();
    match history {
        History::Whole => None,
        History::Replaced => Some(format!(
            "another ledger was kept in {path} before; this one knows nothing of its credentials"
        )),
        History::WentBack => Some(format!(
            "the ledger {path} knows less than it once did, as after restoring a backup; credentials issued since \
             then are missing from it. New ones go into new status lists"
        )),
    }
}

/// Writes a command's whole output, or the next part of it.
fn print(bytes: &[u8]) -> Result<ExitStatus, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ExitStatus::Done),
        Err(source) => Err(Failure::new(
            ExitStatus::Files,
            anyhow::Error::new(source).context("cannot write to standard output"),
        )),
    }
}
