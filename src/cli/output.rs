//! Where a command's output goes: standard output, or the file of `--out`.
//!
//! A file appears whole at the end or not at all, unless it is written through (see [`crate::files::Target`]).
//! So what was delivered when a write fails depends on where the output goes: from a stream, the rows that the system
//! took; of a file, nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;

use super::exit::ExitStatus;
use super::failure::Failure;
use super::kept::Kept;
use super::shared_args::{Color, OutputArgs};
use super::streams;
use crate::files::{PathError, Target};

/// What the system calls standard output.
const STDOUT_NAMES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// What a command does beside writing its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It issues credentials: a result that is not delivered may be lost.
    Issue,
    /// It changes what the ledger knows.
    Change,
    /// It only reads. A reader that closes the pipe has seen enough.
    Read,
}

/// The output on its way.
pub(crate) struct Output {
    to: To,
    purpose: Purpose,
    started: bool,
    /// Whether a write failed: then a file does not get its name.
    broken: bool,
    /// The index of the last item whose result was handed to the system.
    last_delivered: Option<u64>,
}

enum To {
    /// Without the buffer of `std::io::Stdout`, which would count bytes as written that it keeps.
    Stdout(File),
    File(Target),
}

/// Why output could not be written, and how far it got.
#[derive(Debug)]
pub(crate) struct OutputError {
    source: anyhow::Error,
    /// Whether a command that only reads lost its reader.
    reader_left: bool,
    delivered: Delivered,
}

/// What a reader has of results that could not all be written.
#[derive(Debug)]
enum Delivered {
    /// Of a stream, what the system took.
    UpTo(Option<u64>),
    /// Of a file that did not get its name, nothing.
    NotTheFile,
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Failure {
        if error.reader_left {
            return Failure::reader_left();
        }
        let delivered = match error.delivered {
            Delivered::UpTo(Some(index)) => format!("results were written up to item {index}"),
            Delivered::UpTo(None) => "no results were written".to_owned(),
            Delivered::NotTheFile => {
                "no results were written: the incomplete file was removed, and any existing file is unchanged"
                    .to_owned()
            }
        };
        Failure::new(ExitStatus::Files, error.source).hint(delivered)
    }
}

impl Output {
    /// Output to the file of `--out`, else to standard output.
    ///
    /// # Errors
    /// Where the file is not to be written or must be kept, or no standard output.
    pub(crate) fn open(args: &OutputArgs, purpose: Purpose, mut kept: Kept) -> Result<Output, Failure> {
        match args.file() {
            Some(path) if !STDOUT_NAMES.iter().any(|name| path == Path::new(name)) => {
                kept.refuse(path)?;
                Output::to_file(path, args.force, purpose)
            }
            _ => Output::to_stdout(purpose),
        }
    }

    /// Output to standard output.
    pub(crate) fn to_stdout(purpose: Purpose) -> Result<Output, Failure> {
        if purpose == Purpose::Issue && streams::stdout_is_closed() {
            return Err(Failure::said(
                ExitStatus::Files,
                "standard output is closed (or is /dev/null opened for reading and writing), so the results would be lost",
            )
            .hint("pass `--out FILE`; to discard the results, redirect them with `> /dev/null`"));
        }
        let stdout = streams::unbuffered_stdout().map_err(|source| {
            Failure::new(ExitStatus::Files, anyhow::Error::new(source).context("no standard output"))
        })?;
        Ok(Output::new(To::Stdout(stdout), purpose))
    }

    /// Output to a file.
    fn to_file(path: &Path, force: bool, purpose: Purpose) -> Result<Output, Failure> {
        Ok(Output::new(To::File(Target::begin(path, force)?), purpose))
    }

    fn new(to: To, purpose: Purpose) -> Output {
        Output { to, purpose, started: false, broken: false, last_delivered: None }
    }

    /// Writes a part of an output that has no rows.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.write(b"", bytes, &[])?)
    }

    /// Writes a whole output, and gives a file its name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn print_all(mut self, bytes: &[u8]) -> Result<ExitStatus, Failure> {
        self.print(bytes)?;
        self.finish(b"")?;
        Ok(ExitStatus::Done)
    }

    /// Writes the results of a batch, whose rows end at these places; before the first batch, the
    /// head of the form.
    pub(crate) fn write(
        &mut self,
        head: &[u8],
        rows: &[u8],
        row_ends: &[(u64, usize)],
    ) -> Result<(), OutputError> {
        self.begin(head)?;
        let outcome = self.put(rows);
        self.broken = outcome.is_err();
        let taken = outcome.as_ref().map_or_else(|(taken, _)| *taken, |()| rows.len());
        let delivered = row_ends.iter().take_while(|(_, end)| *end <= taken).last();
        self.last_delivered = delivered.map(|(index, _)| *index).or(self.last_delivered);
        outcome.map_err(|(_, source)| self.error(source))
    }

    /// Writes the head of the form, unless that was done.
    pub(crate) fn begin(&mut self, head: &[u8]) -> Result<(), OutputError> {
        if self.started {
            return Ok(());
        }
        self.started = true;
        self.put(head).map_err(|(_, source)| {
            self.broken = true;
            self.error(source)
        })
    }

    /// Writes what stands after the last row, and gives a file its name. Where nothing was ever
    /// written, or a write failed, nothing appears and an older file stays.
    pub(crate) fn finish(mut self, tail: &[u8]) -> Result<(), OutputError> {
        if !self.started || self.broken {
            return Ok(());
        }
        self.put(tail).map_err(|(_, source)| self.error(source))?;
        match self.to {
            To::Stdout(_) => Ok(()),
            To::File(target) => target.commit().map_err(|error| OutputError {
                source: error.into(),
                reader_left: false,
                delivered: Delivered::NotTheFile,
            }),
        }
    }

    /// Writes all the bytes; where that fails, says how many were taken.
    fn put(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let written = match &mut self.to {
                To::Stdout(stdout) => stdout.write(rest),
                To::File(target) => target.write(rest),
            };
            match written {
                Ok(0) => return Err((taken, io::ErrorKind::WriteZero.into())),
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((taken, error)),
            }
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> OutputError {
        let closed = source.kind() == io::ErrorKind::BrokenPipe;
        let delivered = match &self.to {
            To::File(target) if target.appears_whole() => Delivered::NotTheFile,
            _ => Delivered::UpTo(self.last_delivered),
        };
        let source = match &self.to {
            To::Stdout(_) if closed => {
                anyhow::anyhow!("standard output was closed before all results were written")
            }
            To::Stdout(_) => anyhow::Error::new(source).context("cannot write to standard output"),
            To::File(target) => PathError::new("write", target.path(), source).into(),
        };
        OutputError { source, reader_left: closed && self.purpose == Purpose::Read, delivered }
    }
}

/// The form of an output: the one that was asked for, else that of the file's extension, else `text` for a person at
/// a terminal and `stream` for a pipe or another file.
///
/// # Errors
/// Where the extension names a form that the command does not have.
pub(crate) fn form<F: ValueEnum>(
    given: Option<F>,
    args: &OutputArgs,
    text: F,
    stream: F,
) -> Result<F, Failure> {
    if let Some(form) = given {
        return Ok(form);
    }
    let Some(path) = args.file() else {
        return Ok(if streams::stdout_is_a_terminal() { text } else { stream });
    };
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let name = match extension.as_deref() {
        Some("csv") => "csv",
        Some("ndjson" | "jsonl") => "ndjson",
        Some("json") => "json",
        Some("txt") => "text",
        Some("jwt") => "jwt",
        _ => return Ok(stream),
    };
    F::from_str(name, false).map_err(|_| {
        let forms = F::value_variants().iter().filter_map(F::to_possible_value);
        let forms: Vec<String> = forms.map(|form| form.get_name().to_owned()).collect();
        Failure::usage(format!(
            "--out is {}, but this command cannot write {name}; expected {}",
            streams::printable(&path.display().to_string()),
            forms.join(", ")
        ))
        .hint(format!("add `--output-format {}`, or use another file extension", forms[0]))
    })
}

/// Whether an output takes colour: a file does only where that is asked for.
pub(crate) fn takes_color(args: &OutputArgs, color: Color) -> bool {
    match args.file() {
        Some(_) => color == Color::Always,
        None => streams::color_on_stdout(color),
    }
}
