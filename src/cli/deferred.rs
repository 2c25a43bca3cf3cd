//! Arguments that are defined only once the command they belong to is the one that was typed.
//!
//! A process runs one command of sixteen. To define the flags of all would take a fifth of a millisecond of every run.
//!
//! A command with others below it is not deferred: clap makes the tree of `help` before it asks.

use std::ops::Deref;

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::exit::ExitStatus;

/// The arguments `A` of a command.
#[derive(Debug)]
pub struct Deferred<A>(Box<A>);

impl<A> Deref for Deferred<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: Args> Args for Deferred<A> {
    fn augment_args(command: Command) -> Command {
        command.defer(define::<A>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(|args| Self(Box::new(args)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// Adds what `A` says to what the list of commands says, which alone says what the command is for.
fn define<A: Args>(command: Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    with_exit_codes(A::augment_args(command).about(about))
}

/// The help of a command ends with the exit codes.
pub(super) fn with_exit_codes(command: Command) -> Command {
    let codes = ExitStatus::help();
    let closing = match command.get_after_help() {
        Some(said) => format!("{said}\n{codes}"),
        None => codes,
    };
    command.after_help(closing)
}
