//! Mistakes on the command line, said in the words of this program: what was typed, what was expected, what to type.
//!
//! clap finds them. Its own texts speak of arguments, subcommands and types of Rust, and do not say that a value came
//! from the environment.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::failure::Failure;
use super::help::TOPICS;
use super::project::is_flag;

/// What people type where a command is expected, and the command that does it.
const OTHER_WORDS: [(&str, &str); 26] = [
    ("backup", "ledger backup FILE"),
    ("check", "verify"),
    ("config", "help settings"),
    ("create", "batch-issue"),
    ("decode", "inspect"),
    ("export", "list"),
    ("find", "list"),
    ("gen", "keygen"),
    ("generate", "keygen"),
    ("genkey", "keygen"),
    ("get", "show"),
    ("info", "inspect"),
    ("issue-batch", "batch-issue"),
    ("key", "keygen"),
    ("keys", "keygen"),
    ("log", "list --events"),
    ("ls", "list"),
    ("man", "completions --man DIR"),
    ("new", "batch-issue"),
    ("search", "list"),
    ("sign", "batch-issue"),
    ("site", "publish"),
    ("status", "list"),
    ("unrevoke", "reinstate"),
    ("unsuspend", "reinstate"),
    ("validate", "batch-issue FILE --dry-run"),
];

/// What people type where a flag is expected, and what does it here.
const OTHER_FLAGS: [(&str, &str); 36] = [
    ("--charset", "--encoding"),
    ("--check", "--dry-run"),
    ("--concurrency", "--jobs"),
    ("--continue", "--idempotency-key"),
    ("--count", "--limit"),
    ("--did", "--issuer"),
    ("--dryrun", "--dry-run"),
    ("--errors", "--failed"),
    ("--expires", "--ttl"),
    ("--expires-in", "--ttl"),
    ("--expiry", "--ttl"),
    ("--file", "FILE (without a flag)"),
    ("--format", "--output-format or --input-format"),
    ("--from-file", "--from"),
    ("--input", "FILE (without a flag)"),
    ("--json", "--output-format json"),
    ("--key-file", "--key"),
    ("--no-color", "--color never"),
    ("--output", "--out"),
    ("--output-file", "--out"),
    ("--overwrite", "--force"),
    ("--parallel", "--jobs"),
    ("--passphrase", "--passphrase-file or BELTIC_KEY_PASSPHRASE"),
    ("--password", "--passphrase-file or BELTIC_KEY_PASSPHRASE"),
    ("--private-key", "--key"),
    ("--rejects", "--failed"),
    ("--resume", "--idempotency-key"),
    ("--sep", "--delimiter"),
    ("--separator", "--delimiter"),
    ("--silent", "--quiet"),
    ("--subject-id", "--subject"),
    ("--test", "--dry-run"),
    ("--threads", "--jobs"),
    ("--validity", "--ttl"),
    ("--workers", "--jobs"),
    ("-v", "--version"),
];

/// What a file of this extension is for.
const FILES: [(&[&str], &str); 2] = [
    (&["json", "ndjson", "jsonl", "csv", "tsv", "txt", "gz"], "batch-issue"),
    (&["jwt", "sd-jwt", "sdjwt"], "verify"),
];

/// A mistake that clap found, as a failure of this program.
pub(super) fn mistake(error: &clap::Error, program: &Command, args: &[OsString]) -> Failure {
    Mistake { error, program, args, command: command_of(program, args) }.explained()
}

/// `beltic help WORDS`, where these words name nothing.
pub(super) fn no_such_topic(words: &str, program: &Command) -> Failure {
    let commands = program.get_subcommands().map(Command::get_name);
    let known: Vec<&str> = commands.chain(TOPICS.iter().map(|topic| topic.name)).collect();
    let failure = Failure::usage(format!("'{words}' is not a command or a topic"));
    match nearest(words, known) {
        Some(name) => failure.hint(format!("did you mean `beltic help {name}`?")),
        None => failure.hint("`beltic help` lists commands and topics"),
    }
}

/// The name that is most like this one, if any is.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let near = known.into_iter().map(|name| (strsim::damerau_levenshtein(name, &word), name));
    near.filter(|(distance, name)| *distance <= 1 + name.len() / 5).min().map(|(_, name)| name)
}

/// What a word means here, where it is not one of this program's own.
fn meaning_of<'a>(word: &'a str, others: &[(&str, &'a str)]) -> &'a str {
    others.iter().find(|(other, _)| *other == word).map_or(word, |(_, meant)| meant)
}

/// The command that was meant, with its names from the program's on: `["beltic", "ledger", "check"]`.
fn command_of<'a>(program: &'a Command, args: &[OsString]) -> (Vec<&'a str>, &'a Command) {
    let mut found = (vec![program.get_name()], program);
    for arg in args.iter().skip(1).filter_map(|arg| arg.to_str()) {
        if let Some(below) = found.1.find_subcommand(arg) {
            found.0.push(below.get_name());
            found.1 = below;
        }
    }
    found
}

struct Mistake<'a> {
    error: &'a clap::Error,
    program: &'a Command,
    args: &'a [OsString],
    command: (Vec<&'a str>, &'a Command),
}

impl Mistake<'_> {
    fn explained(&self) -> Failure {
        match self.error.kind() {
            ErrorKind::InvalidSubcommand => self.unknown_command(),
            ErrorKind::UnknownArgument => self.unknown_argument(),
            ErrorKind::InvalidValue => self.invalid_value(),
            ErrorKind::ValueValidation => self.unusable_value(),
            ErrorKind::TooManyValues => self.value_of_a_switch(),
            ErrorKind::ArgumentConflict => self.conflict(),
            ErrorKind::MissingRequiredArgument => self.missing(),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                self.missing_command()
            }
            ErrorKind::InvalidUtf8 => self.said("an argument is not valid UTF-8".to_owned()),
            // No flag of this program has a fixed number of values above one, or needs `=`.
            _ => self.said(first_line(&self.error.to_string())),
        }
    }

    fn unknown_command(&self) -> Failure {
        let typed = self.text(ContextKind::InvalidSubcommand);
        let path = self.command.0.join(" ");
        let failure = Failure::usage(format!("'{typed}' is not a command of `{path}`"));
        if self.command.0.len() > 1 {
            return match nearest(&typed, self.command.1.get_subcommands().map(Command::get_name)) {
                Some(name) => failure.hint(format!("did you mean `{path} {name}`?")),
                None => failure.hint(format!("its commands are {}", self.commands_below())),
            };
        }
        if let Some(command) = command_for_file(&typed) {
            return failure.hint(format!("to {}, run `beltic {command} {typed}`", purpose(command)));
        }
        let names = self
            .program
            .get_subcommands()
            .flat_map(|below| std::iter::once(below.get_name()).chain(below.get_visible_aliases()));
        let near = nearest(&typed, names.chain(OTHER_WORDS.iter().map(|(word, _)| *word)));
        match near.map(|near| meaning_of(near, &OTHER_WORDS)) {
            Some(meant) => failure.hint(format!("did you mean `beltic {meant}`?")),
            None => failure.hint("`beltic` alone lists the commands"),
        }
    }

    fn unknown_argument(&self) -> Failure {
        let typed = self.text(ContextKind::InvalidArg);
        let flag = typed.split('=').next().unwrap_or_default().to_owned();
        if !flag.starts_with('-') {
            return self.said(format!("unexpected argument '{typed}'"));
        }
        let path = self.command.0.join(" ");
        let failure = Failure::usage(format!("`{path}` has no flag {flag}"));
        if flag == "--shard" && self.command.1.get_name() == "sync" {
            return failure.hint("sync compares all of a register with its files; leave the flag out");
        }
        let flags = || self.command.1.get_arguments().filter_map(|arg| arg.get_long());
        let meant = nearest(&flag, OTHER_FLAGS.iter().map(|(word, _)| *word))
            .map(|near| meaning_of(near, &OTHER_FLAGS));
        // A flag that only other commands have is no help here.
        let is_here = |meant: &&str| {
            flags().any(|flag| meant.contains(&format!("--{flag}")))
                || meant.starts_with("FILE") && self.command.1.get_positionals().next().is_some()
        };
        let similar = nearest(flag.trim_start_matches('-'), flags()).map(|flag| format!("--{flag}"));
        match similar.or(meant.filter(is_here).map(str::to_owned)) {
            Some(meant) => failure.hint(format!("did you mean {meant}?")),
            None => failure.hint(self.where_flags_are()),
        }
    }

    fn invalid_value(&self) -> Failure {
        let value = self.text(ContextKind::InvalidValue);
        let source = self.source();
        if value.is_empty() {
            return self.said(format!("{source} needs a value"));
        }
        let expected = self.texts(ContextKind::ValidValue);
        let failure = Failure::usage(match expected.is_empty() {
            true => format!("{source}: '{value}' is not valid"),
            false => format!("{source}: '{value}' is not one of {}", expected.join(", ")),
        });
        match nearest(&value, expected.iter().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean '{near}'?")),
            None => failure,
        }
    }

    fn unusable_value(&self) -> Failure {
        let value = self.text(ContextKind::InvalidValue);
        let why = self.error.source().map(ToString::to_string).unwrap_or_default();
        self.said(format!("{}: '{value}' is not valid; {why}", self.source()))
    }

    fn value_of_a_switch(&self) -> Failure {
        self.said(format!("{} takes no value", flag_of(&self.text(ContextKind::InvalidArg))))
    }

    fn conflict(&self) -> Failure {
        let one = flag_of(&self.text(ContextKind::InvalidArg));
        let mut others: Vec<String> =
            self.texts(ContextKind::PriorArg).iter().map(|other| flag_of(other)).collect();
        // Of a group, clap names every flag.
        if others.iter().any(|other| self.is_typed(other)) {
            others.retain(|other| self.is_typed(other));
        }
        match others.contains(&one) || others.is_empty() {
            true => self.said(format!("{one} was given twice")),
            false => self.said(format!("{one} cannot be used together with {}", others.join(", "))),
        }
    }

    fn missing(&self) -> Failure {
        let missing: Vec<String> =
            self.texts(ContextKind::InvalidArg).iter().map(|arg| alternatives(arg)).collect();
        let failure =
            Failure::usage(format!("`{}` needs {}", self.command.0.join(" "), missing.join(" and ")));
        match self.example_with(&missing) {
            Some(example) => failure.hint(format!("for example: `{example}`")),
            None => failure.hint(self.where_flags_are()),
        }
    }

    fn missing_command(&self) -> Failure {
        let path = self.command.0.join(" ");
        self.said(format!("`{path}` needs a command: {}", self.commands_below()))
    }

    /// A failure whose hint is where everything is explained.
    fn said(&self, message: String) -> Failure {
        Failure::usage(message).hint(self.where_flags_are())
    }

    fn where_flags_are(&self) -> String {
        format!("`{} --help` explains every flag", self.command.0.join(" "))
    }

    /// The first example of the command's help that has what is missing; any has what stands without a flag.
    fn example_with(&self, missing: &[String]) -> Option<String> {
        let examples = self.command.1.get_before_help()?.to_string();
        let flags: Vec<&str> = missing
            .iter()
            .flat_map(|missing| missing.split(' '))
            .filter(|word| word.starts_with("--"))
            .collect();
        let has_one = |line: &&str| flags.is_empty() || flags.iter().any(|flag| line.contains(flag));
        examples.lines().skip(1).find(has_one).map(|line| line.trim().to_owned())
    }

    fn commands_below(&self) -> String {
        let names: Vec<&str> = self.command.1.get_subcommands().map(Command::get_name).collect();
        names.join(", ")
    }

    /// Where a value came from: the flag, or the variable that stands for it.
    fn source(&self) -> String {
        let flag = flag_of(&self.text(ContextKind::InvalidArg));
        let arg = self.command.1.get_arguments().find(|arg| arg.get_long() == flag.strip_prefix("--"));
        let short = arg.and_then(clap::Arg::get_short).map(|short| format!("-{short}"));
        let is_typed = self.is_typed(&flag)
            || short
                .is_some_and(|short| self.args.iter().any(|arg| arg.to_string_lossy().starts_with(&short)));
        match arg.and_then(clap::Arg::get_env).filter(|_| !is_typed) {
            Some(variable) => format!("the environment variable {}", variable.to_string_lossy()),
            None => flag,
        }
    }

    fn is_typed(&self, flag: &str) -> bool {
        self.args.iter().any(|arg| is_flag(arg, flag))
    }

    fn text(&self, kind: ContextKind) -> String {
        self.texts(kind).into_iter().next().unwrap_or_default()
    }

    fn texts(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }
}

/// The command that reads files such as this one.
fn command_for_file(typed: &str) -> Option<&'static str> {
    if typed == "-" {
        return Some("batch-issue");
    }
    let extension = typed.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let by_name = extension.and_then(|extension| {
        FILES
            .iter()
            .find(|(extensions, _)| extensions.contains(&extension.as_str()))
            .map(|(_, command)| *command)
    });
    by_name.or_else(|| std::path::Path::new(typed).is_file().then_some("batch-issue"))
}

fn purpose(command: &str) -> &'static str {
    match command {
        "verify" => "check it",
        _ => "issue from it",
    }
}

/// `--out` of clap's `--out <FILE>`, and `ID` of its `[ID]...`.
fn flag_of(arg: &str) -> String {
    let word = arg.split_whitespace().next().unwrap_or_default();
    match word.starts_with('-') {
        true => word.split('=').next().unwrap_or_default().to_owned(),
        false => word.trim_matches(['<', '>', '[', ']', '.']).to_owned(),
    }
}

/// clap's `<--key <FILE>|--site <DIR>>` as `--key FILE or --site DIR`.
fn alternatives(arg: &str) -> String {
    let text: String = arg.replace("...", "").chars().filter(|c| !['<', '>', '[', ']'].contains(c)).collect();
    let options: Vec<&str> = text.split('|').collect();
    match options.as_slice() {
        [one] => (*one).to_owned(),
        [several @ .., last] => format!("{} or {last}", several.join(", ")),
        [] => String::new(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
