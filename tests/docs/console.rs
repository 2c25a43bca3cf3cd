//! Every `console` block is run, and what the program says is compared with what the page shows.
//!
//! The blocks of a page run in their order, in one shell and in a folder of their own. `$ ` begins a command, `> ` goes
//! on with it, and everything else is the output of the command before. `…` stands for any text within a line. What
//! differs from run to run need not be cut out: ids, keys, times, dates, tokens and rates are alike, and the folder is
//! shown as `/home/me`.
//!
//! A command that ends with another code than 0 has to be followed by `$ echo $?`. Two comments help a page:
//!
//! - `<!-- run`, then lines of shell, then `-->`: what the reader need not see, such as the making of a key.
//! - `<!-- not run: WHY -->` in front of a block. `NOT_RUN` says how many there may be.
//!
//! `BELTIC_WRITE_DOCS=1 cargo test --locked --test docs` writes what the program says into the pages.

use std::ops::Range;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use super::machine::has_tool;
use super::pages::{PAGES, Page, readme, rewrite, root};
use super::text_of;

/// How many blocks may be left out.
const NOT_RUN: usize = 2;
/// The folder of a page's commands, as it is shown where the program shows whole paths.
const HOME: &str = "/home/me";

#[test]
fn the_quick_start_ends_with_a_valid_credential() {
    if !has_tool("bash") {
        return;
    }
    let commands = readme().block_under("## Quick start", "sh");
    assert!(commands.lines().count() <= 5, "that is not quick");
    let folder = tempfile::tempdir().unwrap();
    let output = shell(folder.path()).arg(format!("set -eu\nexec 2>&1\n{commands}")).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output.stdout));
    assert!(text_of(&output.stdout).contains("\"valid\":true"), "{}", text_of(&output.stdout));
}

#[test]
fn console_blocks_show_what_the_program_says() {
    if !has_tool("bash") {
        return;
    }
    let scripts: Vec<(&Page, Script)> = PAGES.iter().map(|page| (page, Script::of(page))).collect();
    let left_out: usize = scripts.iter().map(|(_, script)| script.left_out).sum();
    assert!(left_out <= NOT_RUN, "{left_out} blocks are not run");
    let shown =
        scripts.iter().flat_map(|(_, script)| &script.steps).filter(|step| step.shown.is_some()).count();
    assert!(shown > 30, "{shown} commands");

    let wrong: Vec<String> = scripts
        .iter()
        .filter(|(_, script)| script.steps.iter().any(|step| step.shown.is_some()))
        .flat_map(|(page, script)| script.compare(page))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The commands of a page, in their order.
#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    /// Blocks that are not run.
    left_out: usize,
}

/// A command, and where its output stands in the page's text; nowhere if nobody is shown it.
struct Step {
    command: String,
    shown: Option<Range<usize>>,
}

impl Script {
    fn of(page: &Page) -> Script {
        let mut script = Script::default();
        let mut place = Place::Text { not_run: false };
        let mut at = 0;
        for line in page.text.split_inclusive('\n') {
            let begin = at;
            at += line.len();
            let line = line.trim_end_matches('\n');
            place = match place {
                Place::Text { not_run } if line == "```console" => {
                    script.left_out += usize::from(not_run);
                    if not_run { Place::Fence } else { Place::Console }
                }
                Place::Text { .. } if line.starts_with("```") => Place::Fence,
                Place::Text { .. } if line == "<!-- run" => {
                    script.steps.push(Step { command: String::new(), shown: None });
                    Place::Hidden
                }
                Place::Text { .. } => {
                    let why = line.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->"));
                    Place::Text { not_run: why.is_some_and(|why| !why.is_empty()) }
                }
                Place::Hidden if line == "-->" => Place::Text { not_run: false },
                Place::Fence | Place::Console if line == "```" => Place::Text { not_run: false },
                Place::Fence => Place::Fence,
                Place::Hidden => {
                    script.go_on(line);
                    Place::Hidden
                }
                Place::Console => {
                    script.push(line, begin..at, &page.path);
                    Place::Console
                }
            };
        }
        assert!(matches!(place, Place::Text { .. }), "{} ends within a block", page.path);
        script
    }

    /// A line of a `console` block.
    fn push(&mut self, line: &str, at: Range<usize>, page: &str) {
        if let Some(command) = line.strip_prefix("$ ") {
            self.steps.push(Step { command: command.to_owned(), shown: Some(at.end..at.end) });
            return;
        }
        let shown = self.steps.last_mut().and_then(|step| step.shown.as_mut());
        let shown = shown.unwrap_or_else(|| panic!("{page}: a block begins with output: {line}"));
        let is_more = line.strip_prefix("> ").filter(|_| shown.start == shown.end);
        match is_more {
            Some(more) => {
                *shown = at.end..at.end;
                self.go_on(more);
            }
            None => shown.end = at.end,
        }
    }

    fn go_on(&mut self, line: &str) {
        let command = &mut self.steps.last_mut().unwrap().command;
        if !command.is_empty() {
            command.push('\n');
        }
        command.push_str(line);
    }

    /// Runs all of it and says what is not as the page shows it.
    fn compare(&self, page: &Page) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        // A NUL ends the output of each command, and another one its exit code.
        let end = "code=$?\nprintf '\\0%d\\0' $code\n(exit $code)\n";
        let steps = self.steps.iter().map(|step| match step.shown {
            Some(_) => format!("{}\n{end}", step.command),
            None => format!("set -e\n{}\nset +e\n{end}", step.command), // the first failure ends all of it
        });
        let script: String = ["exec 2>&1\n".to_owned()].into_iter().chain(steps).collect();
        let output: Output = shell(folder.path()).arg(script).output().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let transcript = text_of(&output.stdout).replace(place.to_str().unwrap(), HOME);
        let parts: Vec<&str> = transcript.split_terminator('\0').collect();
        assert_eq!(parts.len(), 2 * self.steps.len(), "{}: {transcript}", page.path);

        let mut wrong = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let (output, code) = (parts[2 * at], parts[2 * at + 1]);
            let asked_for = self.steps.get(at + 1).is_some_and(|next| next.command == "echo $?");
            if code != "0" && !asked_for {
                wrong.push(format!("{}: $ {}\nends with {code}:\n{output}", page.path, step.command));
            }
            let Some(shown) = step.shown.clone() else { continue };
            let lines: Vec<&str> = page.text[shown.clone()].lines().collect();
            if !are_alike(&lines, output) {
                let shown_text = lines.join("\n");
                wrong.push(format!(
                    "{}: $ {}\nshown:\n{shown_text}\nfound:\n{output}",
                    page.path, step.command
                ));
                rewrite(page, shown, &merged(&lines, output));
            }
        }
        wrong
    }
}

/// Where a line of a page stands.
enum Place {
    Text { not_run: bool },
    Fence,
    Console,
    Hidden,
}

fn are_alike(shown: &[&str], output: &str) -> bool {
    let found: Vec<&str> = output.lines().collect();
    shown.len() == found.len() && shown.iter().zip(&found).all(|(shown, found)| is_shown_as(found, shown))
}

/// The output, with those lines kept as they are shown that are right.
fn merged(shown: &[&str], output: &str) -> String {
    output
        .lines()
        .map(|found| {
            let line = shown.iter().find(|shown| is_shown_as(found, shown)).unwrap_or(&found);
            format!("{line}\n")
        })
        .collect()
}

#[test]
fn commands_go_on_and_comments_are_understood() {
    let text = "<!-- run\necho hidden\ntrue\n-->\n```console\n$ cat <<END\n> one\n> END\none\n> two\n```\n\
                <!-- not run: it needs a terminal -->\n```console\n$ beltic init\n```\n```sh\n$ no console\n```\n";
    let page = Page { path: "page".to_owned(), text: text.to_owned() };
    let script = Script::of(&page);
    assert_eq!(script.left_out, 1);
    let commands: Vec<&str> = script.steps.iter().map(|step| step.command.as_str()).collect();
    assert_eq!(commands, ["echo hidden\ntrue", "cat <<END\none\nEND"]);
    assert_eq!(script.steps[0].shown, None);
    assert_eq!(&text[script.steps[1].shown.clone().unwrap()], "one\n> two\n");
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

#[test]
fn ids_dates_and_rates_need_no_mark() {
    assert!(is_shown_as("(2 items in 0.01 s, 1,144/s)", "(2 items in 12.50 s, 9/s)"));
    assert!(!is_shown_as("(3 items in 0.01 s, 1,144/s)", "(2 items in 0.01 s, 1,144/s)"));
    assert!(is_shown_as("until 2027-11-27", "until 2026-01-31"));
    assert!(is_shown_as("at 2027-11-27T04:00:00Z", "at 2026-01-31T23:59:59Z"));
    let ids = ["01a206e6-9989-7123-a539-f16d67dba009", "01a21ec9-af0f-7b4f-abac-95b0e6666152"];
    assert!(is_shown_as(&format!("urn:uuid:{}", ids[0]), &format!("urn:uuid:{}", ids[1])));
    assert!(is_shown_as("did:key:zDnaer2LsJ#zDnaer2LsJ x", "did:key:zDnbUG5Asa#zDnbUG5Asa x"));
    assert!(!is_shown_as("00EX4179", "00EX4180"));
}

/// Whether a line is as shown, where `…` stands for any text.
fn is_shown_as(found: &str, shown: &str) -> bool {
    matches(found, shown) || matches(&leveled(found), &leveled(shown))
}

fn matches(found: &str, shown: &str) -> bool {
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

/// A line with one word in the place of everything that differs from run to run.
fn leveled(line: &str) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
            (r"\bz[1-9A-HJ-NP-Za-km-z]{8,}", "KEY"),
            (r"eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(~[A-Za-z0-9_-]*)*", "TOKEN"),
            (r"\b[0-9a-f]{64}\b", "HASH"),
            (r"\b[A-Za-z0-9_-]{43}\b", "THUMBPRINT"),
            (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
            (r"\b\d{4}-\d\d-\d\d\b", "DATE"),
            (r"\bin [\d.]+ m?s(, [\d,.]+/s)?", "in TIME"),
        ]
        .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
        .into()
    });
    let level =
        |line: String, (pattern, word): &(Regex, &str)| pattern.replace_all(&line, *word).into_owned();
    PATTERNS.iter().fold(line.to_owned(), level)
}

/// A shell in a folder, with the program on its PATH and nobody's settings; the script is still missing.
pub(crate) fn shell(folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_beltic")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&path)));
    let mut shell = Command::new("bash");
    shell.arg("-c").current_dir(folder).env_clear();
    shell.env("PATH", path.unwrap()).env("HOME", folder).env("REPOSITORY", root()).stdin(Stdio::null());
    shell
}
