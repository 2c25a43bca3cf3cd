//! What the help looks like: the overview of `beltic` alone, `-h`, `--help`, and the topics of `beltic help TOPIC`.
//!
//! The definitions of the commands say what there is to say. This folder says how much of it is shown where:
//!
//! - `beltic`, `beltic -h`: the commands in groups, on one screen of 24 lines;
//! - `beltic COMMAND -h`: the flags that most runs need, in 40 lines;
//! - `beltic COMMAND --help`: everything;
//! - `beltic help TOPIC`: a reference page of `docs/`, which the program carries with it.

mod overview;
mod page;
mod topics;

use clap::{Arg, ArgAction, Command};

use overview::overview;
pub(super) use topics::{TOPICS, Topic, topic};

/// The heading of the flags that every command has. They come last.
pub(super) const EVERYWHERE: &str = "Every command";

/// The flags that few runs need. `--help` shows them, `-h` does not.
const RARE: [&str; 53] = [
    "accept-failures",
    "adopt",
    "after",
    "all",
    "allow-empty",
    "allow-unknown",
    "annotations",
    "api-limits",
    "chain",
    "color",
    "config",
    "context",
    "delegated",
    "delimiter",
    "developer-id",
    "duplicates",
    "engine",
    "expires-after",
    "expires-before",
    "force",
    "head",
    "idempotent-by",
    "issued-after",
    "issued-at",
    "issued-before",
    "jobs",
    "kb-max-age",
    "key-binding",
    "kid",
    "ledger",
    "leeway",
    "legacy-typ",
    "legacy-vc",
    "log-format",
    "max-item-bytes",
    "max-ttl",
    "name-by",
    "no-progress",
    "out-dir",
    "passphrase-file",
    "public-key",
    "reissue-revoked",
    "replace-suspended",
    "report",
    "revoke-renewed",
    "set",
    "signer-command",
    "summary",
    "ttl",
    "types",
    "vct",
    "verify",
    "x5c",
];

/// The examples that `-h` shows of those that `--help` begins with.
const EXAMPLES_IN_SHORT_HELP: usize = 3;

/// How much the help says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What `-h` prints.
    Short,
    /// What `--help` prints.
    Full,
}

/// Examples come first, then what the command is for.
const HELP_TEMPLATE: &str =
    "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The last line of a command's help.
pub(super) const EXIT_CODES: &str = "Exit codes: see `beltic help exit-codes`";

/// The program and its commands, with help that says as much as this.
pub(super) fn laid_out(program: Command, detail: Detail) -> Command {
    let program = with_help_flag(command_laid_out(program, detail));
    let overview = overview(&program);
    let options = match detail {
        Detail::Short => "",
        Detail::Full => "\n{all-args}\n",
    };
    program.help_template(format!("{overview}{options}")).before_help("").after_help("")
}

/// A command, and those below it.
fn command_laid_out(command: Command, detail: Detail) -> Command {
    let closing = match command.get_after_help() {
        Some(closing) => format!("{closing}\n{EXIT_CODES}"),
        None => EXIT_CODES.to_owned(),
    };
    let command = match (detail, command.get_before_help().map(ToString::to_string)) {
        (Detail::Short, Some(examples)) => command.before_help(first_examples(&examples)),
        _ => command,
    };
    command
        .help_template(HELP_TEMPLATE)
        .after_help(closing)
        .mut_args(|arg| {
            // What the reader's environment holds may be secret, and is nobody else's business in a report of a bug.
            let arg = arg.hide_env_values(true);
            let is_rare = arg.get_long().is_some_and(|flag| RARE.contains(&flag));
            match detail {
                Detail::Short if is_rare => arg.hide(true),
                Detail::Short => in_short(arg),
                Detail::Full => arg,
            }
        })
        .mut_subcommands(|below| with_help_flag(command_laid_out(below, detail)))
}

/// A flag as `-h` shows it: what it is for, in a line or two.
fn in_short(arg: Arg) -> Arg {
    let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let about = about.split(" [").next().unwrap_or_default();
    let about = about.split(';').next().unwrap_or_default().to_owned();
    let takes_value = arg.get_action().takes_values();
    // One list is shorter than one for each heading.
    let heading = (arg.get_help_heading() == Some(EVERYWHERE)).then_some(EVERYWHERE);
    let arg = arg.help(about).help_heading(heading);
    arg.hide_env(true).hide_possible_values(takes_value).hide_default_value(takes_value)
}

/// The flags for help, under the heading of the flags that every command has.
fn with_help_flag(command: Command) -> Command {
    let short = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let text = "Print the everyday flags (-h) or everything (--help)";
    command.disable_help_flag(true).arg(short.help(text).help_heading(EVERYWHERE))
}

fn first_examples(examples: &str) -> String {
    let lines: Vec<&str> = examples.lines().take(1 + EXAMPLES_IN_SHORT_HELP).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands;

    /// The most lines of `-h`, on a terminal of 80 columns.
    const SHORT_HELP: usize = 40;

    fn with_those_below(command: &Command) -> Vec<Command> {
        let below = command.get_subcommands().flat_map(with_those_below);
        std::iter::once(command.clone()).chain(below).collect()
    }

    fn built(detail: Detail) -> Command {
        let mut program = commands::command_with(detail).term_width(80);
        program.build();
        program
    }

    #[test]
    fn the_short_help_of_every_command_fits() {
        for command in with_those_below(&built(Detail::Short)) {
            let help = command.term_width(80).render_help().to_string();
            let lines = help.lines().count();
            assert!(lines <= SHORT_HELP, "{lines} lines:\n{help}");
        }
    }

    #[test]
    fn the_overview_fits_a_terminal_of_24_lines() {
        let help = built(Detail::Short).render_help().to_string();
        assert!(help.lines().count() < 24, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }

    #[test]
    fn the_flags_of_every_command_come_last() {
        for mut command in with_those_below(&built(Detail::Full)).into_iter().skip(1) {
            let help = command.render_long_help().to_string();
            let headings: Vec<&str> =
                help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
            assert_eq!(headings.last(), Some(&"Every command:"), "{help}");
        }
    }

    #[test]
    fn a_rare_flag_is_one_that_a_command_has() {
        let program = built(Detail::Full);
        let flags: Vec<String> = with_those_below(&program)
            .iter()
            .flat_map(|command| {
                command
                    .get_arguments()
                    .filter_map(|arg| arg.get_long().map(str::to_owned))
                    .collect::<Vec<_>>()
            })
            .collect();
        for rare in RARE {
            assert!(flags.iter().any(|flag| flag == rare), "{rare}");
        }
    }
}
