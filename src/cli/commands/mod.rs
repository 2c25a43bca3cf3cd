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

use std::path::PathBuf;

use super::args::{Cli, Command};
use super::exit::ExitStatus;
use super::failure::Failure;
use super::output::{Output, Purpose};
use super::settings::Settings;
use super::streams;
use crate::clock::system_now;
use crate::ledger::{Change, History, Ledger, Reason, Restoration};

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
/// where it is not what it was, even where warnings are not wanted: a writer says it once.
fn open_ledger(settings: &Settings, given: &Option<PathBuf>, read_only: bool) -> Result<Ledger, Failure> {
    let path = settings
        .ledger_path(given)?
        .ok_or_else(|| Failure::usage("this command needs a ledger, and the settings say `none`"))?;
    let missing = || Failure::no_ledger(&path);
    let ledger = match read_only {
        true => Ledger::open_to_look(&path)?,
        false => Ledger::open_existing(&path)?.map(|(ledger, _)| ledger),
    };
    let ledger = ledger.ok_or_else(missing)?;
    ledger_warnings(&ledger).iter().for_each(|warning| streams::say(&format!("warning: {warning}")));
    Ok(ledger)
}

/// What is to be said about a ledger that was opened.
fn ledger_warnings(ledger: &Ledger) -> Vec<String> {
    let path = ledger.path().display();
    let mut warnings = Vec::new();
    match ledger.history() {
        History::Whole => {}
        History::Replaced => warnings.push(format!(
            "another ledger was kept in {path} before; this one knows nothing of its credentials"
        )),
        History::Restored(restoration) => warnings.push(restored(ledger, restoration)),
    }
    if let Some(last_event) = ledger.clock_behind() {
        warnings.push(format!(
            "the clock ({}) is before the last event of the ledger {path} ({last_event}); set the clock, or pass `--issued-at`",
            system_now()
        ));
    }
    warnings
}

/// Why a ledger may not know everything that was issued from it, and what follows.
fn restored(ledger: &Ledger, restoration: &Restoration) -> String {
    let path = ledger.path().display();
    let reasons: Vec<String> = restoration.reasons.iter().map(reason).collect();
    let lists = match ledger.watcher().is_some() {
        true => "its open status lists were closed, and new credentials go into new ones",
        false => "the next command that writes it closes its open status lists",
    };
    let mut text = format!(
        "the ledger {path} may not know everything that was issued from it: {}. Credentials issued and revoked \
         since then may be missing; {lists}",
        reasons.join("; ")
    );
    if restoration.closings_in_a_month >= OFTEN {
        text.push_str(&format!(
            ". This is the {}. time in 30 days: each run finds the ledger at a new place, as where it is checked out \
             or copied for each job, or where its storage gives files new inodes. Keep it in one place with \
             its `.mark` file, such as a disk of its own",
            restoration.closings_in_a_month
        ));
    }
    text
}

/// So many closings in a month are no accident.
const OFTEN: usize = 3;

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Copied => "the file was copied or restored here".to_owned(),
        Reason::Backup => "it is a backup".to_owned(),
        Reason::NoMark => "its `.mark` file is missing or cannot be read".to_owned(),
        Reason::OtherMark => "its `.mark` file belongs to another ledger".to_owned(),
        Reason::MovedMark => "its `.mark` file was copied or restored".to_owned(),
        Reason::WentBack => "it knows less than it once did, as after restoring a backup".to_owned(),
        Reason::ForeignLog(file) => format!(
            "a write-ahead log or journal that is not its own was beside it, and is now {}",
            file.display()
        ),
        Reason::Asked => "`beltic ledger close-lists` was run".to_owned(),
    }
}

/// Writes the whole output of a command that has no flags for it.
fn print(bytes: &[u8]) -> Result<ExitStatus, Failure> {
    Output::to_stdout(Purpose::Read)?.print_all(bytes)
}
