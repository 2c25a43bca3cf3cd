//! The commands: one file each.

mod batch_issue;
mod bench;
mod completions;
mod deliver;
mod doctor;
mod help;
mod init;
mod inspect;
mod keygen;
mod ledger;
mod list;
mod present;
mod publish;
mod schema;
mod show;
mod status;
mod sync;
mod template;
mod types;
mod verify;

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::exit::ExitStatus;
use super::failure::Failure;
use super::help::{self as help_texts, Detail};
use super::output::{Output, Purpose};
use super::settings::Settings;
use super::shared_args::{Common, LedgerArg};
use super::streams;
use crate::clock::system_now;
use crate::ledger::{Change, ClosingReason, History, Ledger, Restoration};

/// Issue verifiable business credentials in bulk, offline
#[derive(Debug, Parser)]
#[command(name = "beltic", version, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue a signed credential for each item of the batch files
    #[command(visible_alias = "issue")]
    BatchIssue(batch_issue::BatchIssueArgs),
    /// Bring the credentials of a register up to date
    Sync(sync::SyncArgs),
    /// Set up a project: issuer, key, settings, columns
    Init(init::InitArgs),
    /// Make a P-256 issuer key
    Keygen(keygen::KeygenArgs),
    /// Verify credentials, offline and in bulk
    Verify(verify::VerifyArgs),
    /// Decode a credential, status list or key, without verifying it
    Inspect(inspect::InspectArgs),
    /// Present an SD-JWT, disclosing only selected claims
    Present(present::PresentArgs),
    /// Permanently revoke credentials
    #[command(
        override_usage = "beltic revoke [OPTIONS] [ID]...",
        before_help = "Examples:
  beltic revoke 01a206e6-9989-7123-a539-f16d67dba009 --reason compromised
  beltic revoke --from results.ndjson --reason policy_change
  beltic revoke --correlation-id 0001 --correlation-id 0002
  beltic revoke --run nightly-2026-11-23 --dry-run
  beltic revoke --from register.csv --yes
",
        after_help = "Revocation is permanent. Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Revoke(status::StatusArgs),
    /// Suspend credentials until they are reinstated
    #[command(
        override_usage = "beltic suspend [OPTIONS] [ID]...",
        before_help = "Examples:
  beltic suspend 01a206e6-9989-7123-a539-f16d67dba009 --reason user_request
  beltic suspend --subject EX-GB-00EX4179
",
        after_help = "Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Suspend(status::StatusArgs),
    /// End the suspension of credentials
    #[command(
        override_usage = "beltic reinstate [OPTIONS] [ID]...",
        before_help = "Examples:
  beltic reinstate 01a206e6-9989-7123-a539-f16d67dba009
  beltic reinstate --subject EX-GB-00EX4179
",
        after_help = "Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Reinstate(status::StatusArgs),
    /// Write the static site that verifiers use
    Publish(publish::PublishArgs),
    /// Write a folder for each credential, to hand over
    Deliver(deliver::DeliverArgs),
    /// List issued credentials, or the audit log
    List(list::ListArgs),
    /// Show one credential and its history
    Show(show::ShowArgs),
    /// Check, back up or close the ledger
    Ledger(ledger::LedgerArgs),
    /// Print the JSON Schema of an item, or a credential type's metadata
    Schema(schema::SchemaArgs),
    /// Print an example batch file to fill in
    Template(template::TemplateArgs),
    /// List credential types, or describe one
    Types(types::TypesArgs),
    /// Show the settings in force, and what is wrong with them
    Doctor(doctor::DoctorArgs),
    /// Measure how fast this machine issues
    Bench(bench::BenchArgs),
    /// Print completions for a shell, or write man pages
    Completions(completions::CompletionsArgs),
    /// Explain a command or a topic, such as columns or exit-codes
    Help(help::HelpArgs),
}

/// Reads the command line. What help and errors look like is laid down only where they are asked for: that takes as
/// long as everything else before a run.
pub(super) fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(args).or_else(|_| {
        let detail = if args.iter().any(|arg| arg == "-h") { Detail::Short } else { Detail::Full };
        let found = command_with(detail).try_get_matches_from(args)?;
        Cli::from_arg_matches(&found)
    })
}

/// The definition of the command line, which shells and manuals are told of, too.
pub fn command() -> clap::Command {
    command_with(Detail::Full)
}

/// The definition of the command line, with help that says as much as this.
pub(super) fn command_with(detail: Detail) -> clap::Command {
    help_texts::laid_out(Cli::command(), detail)
}

/// The commands on one screen.
pub(super) fn overview() -> String {
    command_with(Detail::Short).render_help().to_string()
}

/// Runs the command that was typed.
pub(super) fn dispatch(cli: &Cli) -> Result<ExitStatus, Failure> {
    match &cli.command {
        Command::BatchIssue(args) => batch_issue::run(&cli.common, args),
        Command::Sync(args) => sync::run(&cli.common, args),
        Command::Init(args) => init::run(&cli.common, args),
        Command::Keygen(args) => keygen::run(&cli.common, args),
        Command::Verify(args) => verify::run(&cli.common, args),
        Command::Inspect(args) => inspect::run(args),
        Command::Present(args) => present::run(&cli.common, args),
        Command::Revoke(args) => status::run(&cli.common, Change::Revoke, args),
        Command::Suspend(args) => status::run(&cli.common, Change::Suspend, args),
        Command::Reinstate(args) => status::run(&cli.common, Change::Reinstate, args),
        Command::Publish(args) => publish::run(&cli.common, args),
        Command::Deliver(args) => deliver::run(&cli.common, args),
        Command::List(args) => list::run(&cli.common, args),
        Command::Show(args) => show::run(&cli.common, args),
        Command::Ledger(args) => ledger::run(&cli.common, args),
        Command::Schema(args) => schema::run(&cli.common, args),
        Command::Template(args) => template::run(&cli.common, args),
        Command::Types(args) => types::run(&cli.common, args),
        Command::Doctor(args) => doctor::run(&cli.common, args),
        Command::Bench(args) => bench::run(&cli.common, args),
        Command::Completions(args) => completions::run(&cli.common, args, command()),
        Command::Help(args) => help::run(args),
    }
}

/// Opens the ledger that must be there; for `read_only`, without changing what it holds. Warns
/// where it is not what it was, even where warnings are not wanted: a writer says it once.
fn open_ledger(settings: &Settings, given: &LedgerArg, read_only: bool) -> Result<Ledger, Failure> {
    let address = settings
        .ledger_address(&given.ledger)?
        .ok_or_else(|| Failure::usage("no ledger configured (ledger: none)"))?;
    let missing = || Failure::no_ledger(&address);
    let ledger = match read_only {
        true => Ledger::open_to_look(&address)?,
        false => Ledger::open_existing(&address)?.map(|(ledger, _)| ledger),
    };
    let ledger = ledger.ok_or_else(missing)?;
    let said = ledger_warnings(&ledger).into_iter().chain(not_seen(&ledger));
    said.for_each(|warning| streams::say(&format!("warning: {warning}")));
    Ok(ledger)
}

/// What is to be said about a ledger through which not everything is seen.
fn not_seen(ledger: &Ledger) -> Option<String> {
    (ledger.unseen() > 0).then(|| {
        format!(
            "the last {} credentials that were issued from {} do not count here, because nothing is written to it; \
             `beltic ledger check` enters them",
            streams::grouped(ledger.unseen()),
            ledger.path().display()
        )
    })
}

/// What is to be said about a ledger that was opened.
fn ledger_warnings(ledger: &Ledger) -> Vec<String> {
    let path = ledger.path().display();
    let mut warnings = Vec::new();
    match ledger.history() {
        History::Whole => {}
        History::Replaced => {
            warnings.push(format!("{path} held another ledger before; its credentials are not in this one"))
        }
        History::Restored(restoration) => {
            warnings.push(restored(ledger.path(), ledger.is_writable(), restoration))
        }
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
fn restored(ledger: &Path, is_writable: bool, restoration: &Restoration) -> String {
    let path = ledger.display();
    let reasons: Vec<String> = restoration.reasons.iter().map(reason).collect();
    let lists = match is_writable {
        true => "its open status lists were closed, and new credentials go into new ones",
        false => "the next command that writes it closes its open status lists",
    };
    let mut text = format!(
        "the ledger {path} may be incomplete: {}. Credentials issued and revoked \
         since then may be missing; {lists}",
        reasons.join("; ")
    );
    if restoration.closings_in_a_month >= OFTEN {
        text.push_str(&format!(
            ". This happened {} times in 30 days: the ledger moves between runs, for example because it is checked out \
             or copied for each job, or its storage assigns new inodes. Keep it in one place with \
             its `.mark` file, such as a disk of its own",
            restoration.closings_in_a_month
        ));
    }
    text
}

/// So many closings in a month are no accident.
const OFTEN: usize = 3;

fn reason(reason: &ClosingReason) -> String {
    match reason {
        ClosingReason::Copied => "the file was copied or restored here".to_owned(),
        ClosingReason::Backup => "it is a backup".to_owned(),
        ClosingReason::NoMark => "its `.mark` file is missing or cannot be read".to_owned(),
        ClosingReason::OtherMark => "its `.mark` file belongs to another ledger".to_owned(),
        ClosingReason::MovedMark => "its `.mark` file was copied or restored".to_owned(),
        ClosingReason::WentBack => "it is older than it was, as after restoring a backup".to_owned(),
        ClosingReason::ForeignLog(file) => format!(
            "a write-ahead log or journal of another ledger was beside it, and is now {}",
            file.display()
        ),
        ClosingReason::FailedOver => {
            "another server answers than before, or the same one after a failover or a restore".to_owned()
        }
        ClosingReason::Moved => "it was moved".to_owned(),
        ClosingReason::Asked => "`beltic ledger close-lists` was run".to_owned(),
    }
}

/// Writes the whole output of a command that has no flags for it.
fn print(bytes: &[u8]) -> Result<ExitStatus, Failure> {
    Output::to_stdout(Purpose::Read)?.print_all(bytes)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_definitions_fit_together() {
        command().debug_assert();
    }

    #[test]
    fn every_help_text_starts_with_examples_that_can_be_typed() {
        let path = "cli::commands::tests::every_help_text_starts_with_examples_that_can_be_typed";
        if crate::machine::ran_without_settings(path) {
            return;
        }
        let mut program = command();
        program.build();
        let mut examples = Vec::new();
        for mut command in with_those_below(&program).into_iter().skip(1) {
            let help = command.render_long_help().to_string();
            assert!(help.starts_with("Examples:\n  beltic "), "{help}");
            let shown = command.get_before_help().map(ToString::to_string).unwrap_or_default();
            examples.extend(shown.lines().skip(1).map(str::to_owned));
        }
        assert!(examples.len() > 40, "{examples:#?}");
        for example in examples {
            assert!(example.chars().count() <= 80, "{example}");
            let words = words_of(&example);
            assert_eq!(words[0], "beltic", "{example}");
            let parsed = command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn no_help_text_shows_the_reader_s_environment() {
        let mut program = command();
        program.build();
        for command in with_those_below(&program) {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                assert!(arg.is_hide_env_values_set(), "{}: {}", command.get_name(), arg.get_id());
            }
        }
    }

    /// The program, its commands and theirs, without those that print help.
    fn with_those_below(command: &clap::Command) -> Vec<clap::Command> {
        let mut commands = vec![command.clone()];
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        commands.extend(below.flat_map(with_those_below));
        commands
    }

    /// The words of an example's own command: what follows a pipe's last `|`, up to `>` or a comment,
    /// which stands behind three spaces.
    fn words_of(example: &str) -> Vec<String> {
        let command = example.trim().split("   ").next().unwrap_or_default();
        let command = command.split(" | ").last().unwrap_or_default();
        let words = command.split_whitespace().take_while(|word| !matches!(*word, ">" | "<"));
        words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
    }
}
