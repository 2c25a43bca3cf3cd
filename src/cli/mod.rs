//! The edge: what was typed, what it means, and what goes back to the shell.
//!
//! Only here are clap, anyhow, indicatif, terminals and exit codes known.

mod asking;
mod commands;
mod config;
mod core_dumps;
mod credential_names;
mod exit;
mod failure;
mod given;
mod help;
pub mod inspection;
mod kept;
mod key_speed;
mod log;
mod manual;
mod output;
mod panics;
mod project;
mod render;
mod settings;
mod shared_args;
mod signals;
mod streams;
mod type_file;
mod usage;
mod variables;
mod yaml_bounds;
mod yaml_place;

use std::ffi::OsString;

use clap::error::ErrorKind;

pub use commands::command;
pub use exit::ExitStatus;
pub use settings::check_settings;

use crate::keys::is_private_key_text;

/// Whether an argument is a private key, alone or behind the name of a flag.
fn is_or_sets_private_key(arg: &str) -> bool {
    let value = arg.split_once('=').filter(|_| arg.starts_with('-')).map(|(_, value)| value);
    is_private_key_text(arg) || value.is_some_and(is_private_key_text)
}

/// Runs the command line, from the program's name on, and says how it went.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitStatus {
    core_dumps::turn_off();
    signals::outlive_file_size_limit();
    let args: Vec<OsString> = args.into_iter().collect();
    panics::caught(|| run_checked(args))
}

fn run_checked(args: Vec<OsString>) -> ExitStatus {
    log::look_for_format(&args, std::env::var_os(log::VARIABLE));
    if args.iter().any(|arg| is_or_sets_private_key(&arg.to_string_lossy())) {
        // Whatever it stands for, it would be quoted as something that is not understood or not there.
        streams::say("error: an argument is a private key; expected the path of its file");
        return ExitStatus::Usage;
    }
    if let Some(variable) = variables::holding_a_key() {
        streams::say(&format!(
            "error: the environment variable {variable} contains a private key; write it to a file of mode \
             0600, and name that by `--key` or BELTIC_KEY"
        ));
        return ExitStatus::Usage;
    }
    let cli = match commands::parse(&args) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &args),
    };
    if !cli.common.quiet {
        variables::warn_of_unknown();
    }
    match commands::dispatch(&cli) {
        Ok(status) => status,
        Err(failure) => {
            failure.print(streams::color_on_stderr(cli.common.color));
            failure.status
        }
    }
}

/// What is printed where the command line was not understood, or asks for help.
fn not_parsed(error: &clap::Error, args: &[OsString]) -> ExitStatus {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Where even that cannot be written, there is nobody to tell.
            let _ = error.print();
            ExitStatus::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if args.len() <= 1 => {
            streams::say(commands::overview().trim_end());
            ExitStatus::Usage
        }
        _ => {
            let mut program = command();
            program.build();
            let failure = usage::mistake(error, &program, args);
            failure.print(streams::color_on_stderr(shared_args::Color::Auto));
            failure.status
        }
    }
}
