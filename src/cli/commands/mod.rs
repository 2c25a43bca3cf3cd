//! The commands: one file each.

mod batch_issue;
mod completions;
mod inspect;
mod keygen;
mod ledger;
mod present;
mod schema;
mod template;

use std::io::{self, Write};

use super::args::{Cli, Command};
use super::exit::ExitStatus;
use super::failure::Failure;

/// Runs the command that was typed.
pub(super) fn dispatch(cli: &Cli) -> Result<ExitStatus, Failure> {
    match &cli.command {
        Command::BatchIssue(args) => batch_issue::run(&cli.common, args),
        Command::Keygen(args) => keygen::run(&cli.common, args),
        Command::Inspect(args) => inspect::run(args),
        Command::Present(args) => present::run(args),
        Command::Ledger(args) => ledger::run(&cli.common, args),
        Command::Schema(args) => schema::run(&cli.common, args),
        Command::Template(args) => template::run(args),
        Command::Completions(args) => completions::run(args),
    }
}

/// Writes a command's whole output.
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
