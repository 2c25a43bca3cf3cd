//! Questions on a terminal. Scripts are never asked: without a terminal to read a question on and to answer it, a
//! command goes on, or refuses and names the flag that answers.

use std::io::{self, IsTerminal, Write};

use zeroize::Zeroizing;

use super::exit::ExitStatus;
use super::failure::Failure;
use crate::keys::KeyError;

/// Whether there is somebody to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that only `y` and `yes` answer with yes.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let answer = answer_to(&format!("{question} [y/N] "))?.unwrap_or_default();
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Asks for a line; an empty one stands for the default. `None` at the end of the input.
pub(crate) fn line(question: &str, default: &str) -> Result<Option<String>, Failure> {
    let default_shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    let answer = answer_to(&format!("{question}{default_shown}: "))?;
    Ok(answer.map(|answer| match answer.trim() {
        "" => default.to_owned(),
        answer => answer.to_owned(),
    }))
}

/// Asks for a new passphrase twice, without echo, until both are the same.
pub(crate) fn new_passphrase() -> Result<Zeroizing<String>, KeyError> {
    let unreadable = |error| KeyError::PassphraseUnreadable(Box::new(error));
    loop {
        let first = Zeroizing::new(rpassword::prompt_password("New passphrase: ").map_err(unreadable)?);
        if first.is_empty() {
            return Ok(first); // refused by whoever encrypts
        }
        let second = Zeroizing::new(rpassword::prompt_password("The same again: ").map_err(unreadable)?);
        if first == second {
            return Ok(first);
        }
        super::streams::say("The two are different. Try again.");
    }
}

fn answer_to(question: &str) -> Result<Option<String>, Failure> {
    let fail = |source| {
        Failure::new(ExitStatus::Files, anyhow::Error::new(source).context("cannot ask on the terminal"))
            .hint("use `--yes` to answer beforehand")
    };
    let mut stderr = io::stderr();
    write!(stderr, "{question}").map_err(fail)?;
    stderr.flush().map_err(fail)?;
    let mut answer = String::new();
    let length = io::stdin().read_line(&mut answer).map_err(fail)?;
    if length == 0 {
        // The end of input leaves the cursor behind the question.
        writeln!(stderr).map_err(fail)?;
        return Ok(None);
    }
    Ok(Some(answer))
}
