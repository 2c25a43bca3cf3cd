//! Man pages: one for the program and one for each command (section 1), from the definition of the command line, and
//! one each for batch files and settings files (section 5), from the pages of `docs/` that `beltic help` shows.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::exit::ExitStatus;
use super::help::{EXIT_CODES, topic};

/// A man page.
pub(super) struct Page {
    /// The folder of its section.
    pub(super) folder: &'static str,
    /// Its file's name, such as `beltic-batch-issue.1`.
    pub(super) file_name: String,
    /// Its text, for roff.
    pub(super) text: Vec<u8>,
}

/// The page of the program, and those of its commands.
pub(super) fn pages(program: Command) -> Vec<Page> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    push_pages(&program, None, &mut pages);
    pages.extend(FILES.iter().map(page_of_file));
    pages
}

/// A kind of file that has a page in section 5: its name there, what it is, and the topics that say more.
type FileKind = (&'static str, &'static str, &'static [&'static str]);

const FILES: [FileKind; 2] = [
    (
        "beltic-batch",
        "batch files of beltic: JSON, NDJSON and CSV",
        &["fields", "types", "columns", "errors"],
    ),
    ("beltic.yaml", "settings of beltic", &["settings"]),
];

fn page_of_file((name, about, topics): &FileKind) -> Page {
    let mut roff = Roff::new();
    let source = concat!("beltic ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [*name, "5", "\"\"", source, "File Formats"]);
    roff.control("SH", ["NAME"]).text([roman(format!("{name} - {about}"))]);
    let mut text = roff.to_roff().into_bytes();
    for topic in topics.iter().filter_map(|name| topic(name)) {
        text.extend(topic.page().to_roff().to_roff().into_bytes());
    }
    text.extend(see_also("beltic").to_roff().into_bytes());
    Page { folder: "man5", file_name: format!("{name}.5"), text }
}

/// The page of a command, then those of the commands below it.
fn push_pages(command: &Command, parent: Option<&str>, pages: &mut Vec<Page>) {
    pages.push(page(command, parent));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        push_pages(below, Some(name(command)), pages);
    }
}

/// The name as in `man NAME`: `beltic-batch-issue`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command, parent: Option<&str>) -> Page {
    let man = Man::new(command.clone())
        // No date, so that a version's pages are always the same bytes. As roff writes an empty
        // argument: without the quotes, the next one would take its place.
        .date("\"\"")
        .source(concat!("beltic ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let file_name = man.get_filename();
    let mut text = Vec::new();
    write_page(&man, command, parent, &mut text).expect("memory takes whatever is written to it");
    Page { folder: "man1", file_name, text }
}

fn write_page(
    man: &Man,
    command: &Command,
    parent: Option<&str>,
    text: &mut Vec<u8>,
) -> Result<(), std::io::Error> {
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    description(command).to_writer(text)?;
    examples(command).to_writer(text)?;
    man.render_options_section(text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(text)?;
    }
    environment(command).to_writer(text)?;
    exit_status().to_writer(text)?;
    match parent {
        Some(parent) => see_also(parent).to_writer(text),
        None => files().to_writer(text),
    }
}

/// What the command is for, and what the help says last.
fn description(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
    roff.text([roman(format!("{}.", about.unwrap_or_default()))]);
    let closing = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // The exit codes have a section of their own.
    let closing = closing.strip_suffix(EXIT_CODES).unwrap_or(&closing).trim();
    if !closing.is_empty() {
        roff.control("PP", []).text([roman(closing)]);
    }
    roff
}

/// The examples that the help starts with, line for line.
fn examples(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let Some(help) = command.get_before_help().map(ToString::to_string) else { return roff };
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in help.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

/// The variables that stand in for flags, and the passphrase where there is a key to open.
fn environment(command: &Command) -> Roff {
    let mut variables: Vec<(String, String)> = command
        .get_arguments()
        .filter_map(|arg| {
            Some((arg.get_env()?.to_str()?.to_owned(), format!("same as --{}", arg.get_long()?)))
        })
        .collect();
    if command.get_arguments().any(|arg| arg.get_long() == Some("passphrase-file")) {
        variables.push(("BELTIC_KEY_PASSPHRASE".into(), "the passphrase of an encrypted key".into()));
    }
    variables
        .push(("NO_COLOR".into(), "if set and not empty, disables colour unless --color is given".into()));
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for (variable, purpose) in variables {
        roff.control("TP", []).text([bold(variable)]).text([roman(purpose)]);
    }
    roff
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning, _) in ExitStatus::ALL {
        roff.control("TP", []).text([bold(status.code().to_string())]).text([roman(meaning)]);
    }
    roff
}

fn files() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["FILES"]);
    for (file, purpose) in [
        (".beltic.yaml", "project settings, in the working directory or a parent"),
        ("$XDG_CONFIG_HOME/beltic/config.yaml", "user settings; default folder ~/.config"),
        (".beltic/issuer.pem", "the issuer's private key, beside .beltic.yaml"),
        (".beltic/ledger.db", "the ledger, beside .beltic.yaml: issued credentials and their status"),
    ] {
        roff.control("TP", []).text([italic(file)]).text([roman(purpose)]);
    }
    roff
}

fn see_also(parent: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text([bold(parent), roman("(1)")]);
    roff
}
