//! `beltic completions`: what a shell and `man` know of the command line.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::{Cli, Common, CompletionsArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::manual;
use crate::cli::streams;
use crate::files::{self, DirectoryMode, PathError};

pub(super) fn run(common: &Common, args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    match (args.shell, &args.man) {
        (_, Some(folder)) => write_man_pages(folder, common.quiet),
        (Some(shell), None) => print_script(shell),
        (None, None) => Err(Failure::usage("name a shell, or a directory for man pages by `--man DIR`")),
    }
}

fn print_script(shell: Shell) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "beltic", &mut script);
    super::print(&script)
}

fn write_man_pages(folder: &Path, quiet: bool) -> Result<ExitStatus, Failure> {
    files::create_directories(folder, DirectoryMode::Shared)
        .map_err(|source| PathError::new("create", folder, source))?;
    let pages = manual::pages();
    for page in &pages {
        files::replace(&folder.join(&page.file_name), &page.text)?;
    }
    if !quiet {
        streams::say(&format!("wrote {} man pages to {}", pages.len(), folder.display()));
    }
    Ok(ExitStatus::Done)
}
