//! `beltic completions`: what a shell and `man` know of the command line.

use std::path::{Path, PathBuf};

use clap_complete::Shell;

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::manual;
use crate::cli::shared_args::Common;
use crate::cli::streams;
use crate::files::{self, DirectoryMode, PathError};
use clap::{ArgGroup, Args, ValueHint};

/// What `completions` takes.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").args(["shell", "man"]).required(true),
    before_help = "Examples:
  beltic completions bash > ~/.local/share/bash-completion/completions/beltic
  beltic completions zsh > ~/.zfunc/_beltic
  beltic completions fish > ~/.config/fish/completions/beltic.fish
  beltic completions --man ~/.local/share/man
"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Option<clap_complete::Shell>,
    /// Write man pages to the folders man1 and man5 of this directory instead, replacing existing ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub man: Option<PathBuf>,
}

pub(super) fn run(
    common: &Common,
    args: &CompletionsArgs,
    program: clap::Command,
) -> Result<ExitStatus, Failure> {
    match (args.shell, &args.man) {
        (_, Some(folder)) => write_man_pages(program, folder, common.quiet),
        (Some(shell), None) => print_script(program, shell),
        (None, None) => Err(Failure::usage("name a shell, or a directory for man pages with `--man DIR`")),
    }
}

fn print_script(mut program: clap::Command, shell: Shell) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, "beltic", &mut script);
    super::print(&script)
}

fn write_man_pages(program: clap::Command, folder: &Path, quiet: bool) -> Result<ExitStatus, Failure> {
    let pages = manual::pages(program);
    for page in &pages {
        let folder = folder.join(page.folder);
        files::create_directories(&folder, DirectoryMode::Shared)
            .map_err(|source| PathError::new("create", &folder, source))?;
        files::replace(&folder.join(&page.file_name), &page.text)?;
    }
    if !quiet {
        streams::say(&format!("wrote {} man pages to {}", pages.len(), folder.display()));
    }
    Ok(ExitStatus::Done)
}
