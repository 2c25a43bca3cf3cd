//! `beltic completions`.

use clap::CommandFactory;

use super::super::args::{Cli, CompletionsArgs};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;

pub(super) fn run(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "beltic", &mut script);
    super::print(&script)
}
