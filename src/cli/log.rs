//! `--log-format json`: what is said on standard error, as JSON lines.
//!
//! The form is a property of the process, because everything that is said goes through [`streams::say`], from errors on
//! the command line to panics. It is looked for before the command line is understood, so that a mistake there is told
//! in it too. A line has `level` (`info`, `warning`, `error`) and `message`; errors have `code`, `exit_code`, and where
//! there are any `causes` and `hints`; progress and the end have their counts.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::exit::ExitStatus;
use super::streams;

/// The forms of what is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// The variable of `--log-format`.
pub(crate) const VARIABLE: &str = "BELTIC_LOG_FORMAT";

static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether JSON lines were asked for.
pub(crate) fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Notes which form is asked for. What is misspelt is told as text.
pub(crate) fn look_for_format(args: &[OsString], variable: Option<OsString>) {
    IS_JSON.store(asks_for_json(args, variable), Ordering::Relaxed);
}

fn asks_for_json(args: &[OsString], variable: Option<OsString>) -> bool {
    let args = args.iter().take_while(|arg| *arg != "--");
    let mut asked = variable;
    let mut value_follows = false;
    for arg in args {
        let text = arg.to_string_lossy();
        if value_follows {
            asked = Some(arg.clone());
        } else if let Some(value) = text.strip_prefix("--log-format=") {
            asked = Some(value.into());
        }
        value_follows = text == "--log-format";
    }
    asked.is_some_and(|asked| asked == "json")
}

/// Says something that was made for people: the word before it becomes the level.
pub(crate) fn line(text: &str) {
    let levels = [("warning: ", "warning"), ("error: ", "error"), ("note: ", "info")];
    let known = levels.iter().find_map(|(prefix, level)| Some((*level, text.strip_prefix(prefix)?)));
    let (level, message) = known.unwrap_or(("info", text));
    event(level, message, &json!({}));
}

/// Says a failure.
pub(crate) fn failure(status: ExitStatus, message: &str, causes: &[String], hints: &[String]) {
    let mut members = json!({"code": status.word(), "exit_code": status.code()});
    for (name, texts) in [("causes", causes), ("hints", hints)] {
        if !texts.is_empty() {
            members[name] = json!(texts);
        }
    }
    event("error", message, &members);
}

/// Says something with members of its own.
pub(crate) fn event(level: &str, message: &str, members: &Value) {
    streams::put(&rendered(level, message, members));
}

fn rendered(level: &str, message: &str, members: &Value) -> String {
    let mut object = json!({"level": level, "message": message});
    for (name, value) in members.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_counts_for_more_than_the_variable() {
        let asks = |args: &[&str], variable: Option<&str>| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            asks_for_json(&args, variable.map(Into::into))
        };
        assert!(asks(&["beltic", "--log-format", "json"], None));
        assert!(asks(&["beltic", "--log-format=json", "list"], Some("text")));
        assert!(asks(&["beltic"], Some("json")));
        assert!(!asks(&["beltic", "--log-format", "text"], Some("json")));
        assert!(!asks(&["beltic", "--", "--log-format=json"], None));
        assert!(!asks(&["beltic", "json"], Some("jsn")));
    }

    #[test]
    fn a_line_has_no_line_break_whatever_is_said() {
        let line = rendered("info", "a\nb\u{202e}\"", &json!({"items": 3}));
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["message"], &value["items"]), (&json!("a\nb\u{202e}\""), &json!(3)));
    }
}
