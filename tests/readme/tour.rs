//! The quick start and the tour: every command is run in an empty folder, and the tour's output compared.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::machine::has_tool;
use super::{block_under, section, text_of};

#[test]
fn the_quick_start_ends_with_a_valid_credential() {
    if !has_tool("bash") {
        return;
    }
    let commands = block_under("## Quick start", "sh");
    assert!(commands.lines().count() <= 5, "that is not quick");
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), commands);
    assert!(output.status.success(), "{}", text_of(&output.stdout));
    assert!(text_of(&output.stdout).contains("\"valid\":true"), "{}", text_of(&output.stdout));
}

#[test]
fn the_tour_shows_what_the_program_says() {
    shows_what_the_program_says(section("## A tour in five minutes"), 12);
}

/// From nothing to a published credential of one's own type.
#[test]
fn the_page_on_types_shows_what_the_program_says() {
    shows_what_the_program_says(include_str!("../../docs/own-types.md"), 8);
}

fn shows_what_the_program_says(text: &'static str, at_least: usize) {
    if !has_tool("bash") {
        return;
    }
    let steps = steps(text);
    assert!(steps.len() > at_least, "{}", steps.len());
    // A NUL ends the output of each command.
    let script: String = steps.iter().map(|step| format!("{}\nprintf '\\0'\n", step.command)).collect();
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), &script);
    let transcript = text_of(&output.stdout);
    assert!(output.status.success(), "{transcript}");

    let outputs: Vec<&str> = transcript.split_terminator('\0').collect();
    assert_eq!(outputs.len(), steps.len(), "{transcript}");
    for (step, output) in steps.iter().zip(outputs) {
        let found: Vec<&str> = output.lines().collect();
        let alike = |(shown, found): (&&str, &&str)| is_shown_as(found, shown);
        assert!(
            found.len() == step.output.len() && step.output.iter().zip(&found).all(alike),
            "$ {}\nshown:\n{}\nfound:\n{output}",
            step.command,
            step.output.join("\n"),
        );
    }
}

#[test]
fn only_what_is_marked_may_differ() {
    assert!(is_shown_as("issued 1 in 0.01 s", "issued 1 in …"));
    assert!(is_shown_as("wrote 2, 77 bytes in all", "wrote 2, … bytes in all"));
    assert!(is_shown_as("a-1-b-2-c", "a-…-b-…-c"));
    assert!(!is_shown_as("issued 2 in 0.01 s", "issued 1 in …"));
    assert!(!is_shown_as("wrote 2, 77 bytes", "wrote 2, … bytes in all"));
    assert!(!is_shown_as("plain and more", "plain"));
}

/// Whether a line is as shown, where `…` stands for any text.
fn is_shown_as(found: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = found.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

/// A command of the tour and the output shown for it.
struct Step {
    command: String,
    output: Vec<&'static str>,
}

/// The steps in all `console` blocks: `$ ` begins a command, `> ` goes on with it.
fn steps(text: &'static str) -> Vec<Step> {
    let blocks = text.split("```console\n").skip(1);
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(|rest| rest.split_once("```").unwrap().0.lines()) {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), output: Vec::new() });
        } else if let Some(more) = line.strip_prefix("> ") {
            let step = steps.last_mut().unwrap();
            step.command.push('\n');
            step.command.push_str(more);
        } else {
            steps.last_mut().unwrap().output.push(line);
        }
    }
    steps
}

/// Runs a script that stops at the first failure, with standard error among the output.
fn run_in(folder: &Path, script: &str) -> Output {
    shell(folder).arg(format!("set -eu\nexec 2>&1\n{script}")).output().unwrap()
}

/// A shell in a folder, with the program on its PATH and nobody's settings; the script is still missing.
pub(crate) fn shell(folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_beltic")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&path)));
    let mut shell = Command::new("bash");
    shell.arg("-c").current_dir(folder).env_clear();
    shell.env("PATH", path.unwrap()).env("HOME", folder).stdin(Stdio::null());
    shell
}
