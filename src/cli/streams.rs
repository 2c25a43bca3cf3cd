//! Standard streams, colours, and text that is safe to show.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};

use super::log;
use super::shared_args::Color;
use crate::invisible;

/// Prints a line to standard error. Where that is closed, there is nobody to tell.
pub(crate) fn say(line: &str) {
    match log::is_json() {
        true => log::line(line),
        false => put(line),
    }
}

/// Prints a line as it is, in one call, so that no other thread's line gets into it.
pub(crate) fn put(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Whether standard output is a terminal.
pub(crate) fn stdout_is_a_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether the program was started without a standard output (`>&-`), as far as can be told.
///
/// Before `main`, Rust opens `/dev/null` in the place of a standard stream that is closed, for reading and writing.
/// A shell's `> /dev/null` is open for writing only, so the two can be told apart. What cannot: a parent that hands
/// over `/dev/null` opened for both. There, too, whatever is written is lost.
#[cfg(unix)]
pub(crate) fn stdout_is_closed() -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use rustix::fs::{OFlags, fcntl_getfl};

    let Ok(flags) = fcntl_getfl(io::stdout()) else { return true };
    if flags & OFlags::RWMODE != OFlags::RDWR {
        return false;
    }
    let Ok(stdout) = unbuffered_stdout().and_then(|stdout| stdout.metadata()) else { return true };
    let null = std::fs::metadata("/dev/null");
    stdout.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == stdout.rdev())
}

/// Where there are no descriptors there is nothing to look at.
#[cfg(not(unix))]
pub(crate) fn stdout_is_closed() -> bool {
    false
}

/// Standard output without a buffer.
#[cfg(unix)]
pub(crate) fn unbuffered_stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Standard output without a buffer.
#[cfg(windows)]
pub(crate) fn unbuffered_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// Whether standard error takes colour.
pub(crate) fn color_on_stderr(color: Color) -> bool {
    wants_color(color, io::stderr().is_terminal(), |name| std::env::var_os(name))
}

/// Whether standard error is a terminal on which a bar can be drawn over itself.
pub(crate) fn stderr_takes_a_bar() -> bool {
    io::stderr().is_terminal() && !is_dumb(|name| std::env::var_os(name))
}

/// Whether standard output takes colour.
pub(crate) fn color_on_stdout(color: Color) -> bool {
    wants_color(color, io::stdout().is_terminal(), |name| std::env::var_os(name))
}

/// `NO_COLOR` is the convention of no-color.org.
fn wants_color(color: Color, is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            is_terminal && variable("NO_COLOR").is_none_or(|value| value.is_empty()) && !is_dumb(variable)
        }
    }
}

/// Whether the terminal says that it knows no escape sequences.
fn is_dumb(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    variable("TERM").is_some_and(|term| term == "dumb")
}

/// Text in a colour, by its SGR parameters.
pub(crate) fn paint(text: &str, style: &str, color: bool) -> String {
    if color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Text without characters that a terminal would act on, or that nobody would see.
pub(crate) fn printable(text: &str) -> String {
    invisible::escaped(text)
}

/// A count with separators, `1,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let texts: Vec<_> = [0, 12, 999, 1_000, 24_693, 1_000_000].map(grouped).into();
        assert_eq!(texts, ["0", "12", "999", "1,000", "24,693", "1,000,000"]);
    }

    #[test]
    fn colour_is_for_terminals_that_take_it() {
        let auto = |is_terminal, variables: &[(&str, &str)]| {
            let value = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            wants_color(Color::Auto, is_terminal, value)
        };
        assert!(auto(true, &[]));
        assert!(auto(true, &[("TERM", "xterm-256color"), ("NO_COLOR", "")]));
        assert!(!auto(false, &[]));
        assert!(!auto(true, &[("NO_COLOR", "1")]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(wants_color(Color::Always, false, |_| Some("dumb".into())));
    }

    #[test]
    fn nothing_printable_acts_on_a_terminal() {
        assert_eq!(printable("a\x1b[31mb\u{202e}c日"), "a\\u{1b}[31mb\\u{202e}c日");
        assert_eq!(printable("true\u{a0} \u{feff}"), "true\\u{a0} \\u{feff}");
    }
}
