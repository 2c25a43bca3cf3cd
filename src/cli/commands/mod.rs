//! The commands: one file each.

mod batch_issue;
mod bench;
mod completions;
mod inspect;
mod keygen;
mod ledger;
mod list;
mod present;
mod publish;
mod schema;
mod show;
mod status;
mod template;
mod verify;

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::args::{Cli, Command};
use super::exit::ExitStatus;
use super::failure::Failure;
use super::output::{Output, Purpose};
use super::settings::Settings;
use super::streams;
use crate::ledger::{Change, History, Ledger};

/// Runs the command that was typed.
pub(super) fn dispatch(cli: &Cli) -> Result<ExitStatus, Failure> {
    match &cli.command {
        Command::BatchIssue(args) => batch_issue::run(&cli.common, args),
        Command::Keygen(args) => keygen::run(&cli.common, args),
        Command::Verify(args) => verify::run(&cli.common, args),
        Command::Inspect(args) => inspect::run(args),
        Command::Present(args) => present::run(args),
        Command::Revoke(args) => status::run(&cli.common, Change::Revoke, args),
        Command::Suspend(args) => status::run(&cli.common, Change::Suspend, args),
        Command::Reinstate(args) => status::run(&cli.common, Change::Reinstate, args),
        Command::Publish(args) => publish::run(&cli.common, args),
        Command::List(args) => list::run(&cli.common, args),
        Command::Show(args) => show::run(&cli.common, args),
        Command::Ledger(args) => ledger::run(&cli.common, args),
        Command::Schema(args) => schema::run(&cli.common, args),
        Command::Template(args) => template::run(args),
        Command::Bench(args) => bench::run(&cli.common, args),
        Command::Completions(args) => completions::run(&cli.common, args),
    }
}

/// Opens the ledger that must be there; for `read_only`, without changing what it holds. Warns
/// where it is not what it was, which is said once and so even where warnings are not wanted.
fn open_ledger(settings: &Settings, given: &Option<PathBuf>, read_only: bool) -> Result<Ledger, Failure> {
    let path = settings
        .ledger_path(given)?
        .ok_or_else(|| Failure::usage("this needs a ledger, and the settings say `none`"))?;
    let missing = || Failure::no_ledger(&path);
    if read_only {
        return Ledger::open_to_look(&path)?.ok_or_else(missing);
    }
    let (ledger, history) = Ledger::open_existing(&path)?.ok_or_else(missing)?;
    if let Some(warning) = history_warning(history, &path) {
        streams::say(&format!("warning: {warning}"));
    }
    Ok(ledger)
}

/// What is to be said about a ledger that is not what it was.
fn history_warning(history: History, path: &Path) -> Option<String> {
    let path = path.display();
    match history {
        History::Whole => None,
        History::Replaced => Some(format!(
            "another ledger was kept in {path} before; this one knows nothing of its credentials"
        )),
        History::WentBack => Some(format!(
            "the ledger {path} knows less than it once did, as after restoring a backup; credentials issued and \
             revoked since then are missing from it. New ones go into new status lists"
        )),
    }
}

/// A credential's id, with or without `urn:uuid:`.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    let text = text.trim();
    let id = Uuid::try_parse(text.strip_prefix("urn:uuid:").unwrap_or(text)).ok()?;
    (id.get_version_num() == 7).then_some(id)
}

/// Writes the whole output of a command that has no flags for it.
fn print(bytes: &[u8]) -> Result<ExitStatus, Failure> {
    Output::to_stdout(Purpose::Read)?.print_all(bytes)
}
