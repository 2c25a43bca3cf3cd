//! `beltic help`: the overview, the help of a command, or a topic.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::help::{Detail, TOPICS, Topic, topic};
use crate::cli::usage;

/// What `help` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic help batch-issue
  beltic help columns
  beltic help exit-codes
")]
pub(crate) struct HelpArgs {
    /// A command, or a topic: fields, columns, types, settings, exit-codes, errors, offline
    #[arg(value_name = "COMMAND|TOPIC", value_parser = CommandOrTopic)]
    pub about: Vec<String>,
}

/// How wide a topic is where standard output is not a terminal, and at most.
const COLUMNS: (usize, usize) = (80, 120);

pub(super) fn run(args: &HelpArgs) -> Result<ExitStatus, Failure> {
    let text = match args.about.as_slice() {
        [] => super::overview() + &list_of_topics(),
        [name] if topic(name).is_some() => topic(name).map(text_of).unwrap_or_default(),
        words => help_of(words)?,
    };
    super::print(text.as_bytes())
}

fn text_of(topic: &Topic) -> String {
    let (default, most) = COLUMNS;
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let columns = terminal.map_or(default, |(width, _)| usize::from(width.0).clamp(default / 2, most));
    topic.page().to_text(columns)
}

fn list_of_topics() -> String {
    let lines = TOPICS.iter().map(|topic| format!("  {:<11} {}\n", topic.name, topic.about));
    format!("\nTopics of `beltic help TOPIC`:\n{}", lines.collect::<String>())
}

/// The whole help of the command that these words name.
fn help_of(words: &[String]) -> Result<String, Failure> {
    let mut program = super::command_with(Detail::Full);
    program.build();
    let mut command = &program;
    for word in words {
        command =
            command.find_subcommand(word).ok_or_else(|| usage::no_such_topic(&words.join(" "), &program))?;
    }
    Ok(command.clone().render_long_help().to_string())
}

/// Takes any word, and offers shells those that mean something.
#[derive(Debug, Clone)]
struct CommandOrTopic;

impl TypedValueParser for CommandOrTopic {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(TOPICS.iter().map(|topic| PossibleValue::new(topic.name).help(topic.about))))
    }
}
