//! What `inspect`, `present` and `verify` are given: a token on the command line, a file, or
//! standard input.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::exit::ExitStatus;
use super::failure::Failure;
use super::streams;
use crate::credential::parse_id;
use crate::files::{self, PathError};
use crate::results::{Content, ResultRow, Results, ResultsError};
use crate::source::{Input, InputName};
use crate::stop::Stop;

/// The longest name of a file that messages show.
const MAX_NAME_BYTES: usize = 200;

/// An input as it was named.
#[derive(Debug)]
pub(crate) enum Given {
    Stdin,
    File(PathBuf),
    Token(String),
}

impl Given {
    /// What was named: a file, a token, or standard input.
    pub(crate) fn named(name: &str) -> Result<Given, Failure> {
        match name {
            "-" => Given::piped(),
            name if Path::new(name).exists() => Ok(Given::File(name.into())),
            name if looks_like_a_token(name) => Ok(Given::Token(name.to_owned())),
            name => {
                // What was meant to be a token is not shown: it holds personal data.
                let name = match name.len() > MAX_NAME_BYTES || name.matches('.').count() >= 2 {
                    true => "the argument".to_owned(),
                    false => streams::printable(name),
                };
                let message = format!("{name}: no such file (and not a token)");
                Err(Failure::said(ExitStatus::Files, message))
            }
        }
    }

    /// What was named, or standard input.
    pub(crate) fn named_or_piped(name: Option<&str>) -> Result<Given, Failure> {
        name.map_or_else(Given::piped, Given::named)
    }

    /// Standard input, if anything comes from there.
    pub(crate) fn piped() -> Result<Given, Failure> {
        match io::stdin().is_terminal() {
            true => {
                Err(Failure::usage("no input").hint("name a token or a file, or pipe one to standard input"))
            }
            false => Ok(Given::Stdin),
        }
    }

    /// Opens it as results or tokens.
    pub(crate) fn open(self) -> Result<Results, ResultsError> {
        self.open_until(&Stop::default())
    }

    /// The same, until reading is given up.
    pub(crate) fn open_until(self, stop: &Stop) -> Result<Results, ResultsError> {
        match self {
            Given::Stdin => Results::open(Path::new("-"), stop),
            Given::File(path) => Results::open(&path, stop),
            Given::Token(token) => {
                let bytes = Box::new(Cursor::new(token.into_bytes()));
                Results::of(Input::Ready(InputName::Stdin, bytes), stop)
            }
        }
    }

    /// Opens a file or standard input as text, and reads so many bytes of it. What was read stands
    /// before the rest again.
    pub(crate) fn open_with_head(self, length: u64) -> Result<(Vec<u8>, Opened), Failure> {
        let (name, path, mut reader): (_, _, Box<dyn Read + Send>) = match self {
            Given::Stdin => (InputName::Stdin, "standard input".into(), Box::new(io::stdin())),
            Given::Token(token) => {
                (InputName::Stdin, "the token".into(), Box::new(Cursor::new(token.into_bytes())))
            }
            Given::File(path) => {
                let file = File::open(&path).and_then(|file| files::refuse_endless(&file).map(|()| file));
                let file = file.map_err(|source| PathError::new("read", &path, source))?;
                (InputName::File(path.clone()), path, Box::new(file))
            }
        };
        let mut head = Vec::new();
        let read = reader.by_ref().take(length).read_to_end(&mut head);
        read.map_err(|source| PathError::new("read", &path, source))?;
        let reader = Box::new(Cursor::new(head.clone()).chain(reader));
        Ok((head, Opened { name, reader }))
    }
}

/// An input that is open, and of which nothing was taken yet.
pub(crate) struct Opened {
    name: InputName,
    reader: Box<dyn Read + Send>,
}

impl Opened {
    /// Reads it as results or tokens.
    pub(crate) fn results(self) -> Result<Results, ResultsError> {
        Results::read(self.name, self.reader, &Stop::default())
    }
}

/// A failure of something that cannot be decoded.
pub(crate) fn undecodable(message: impl Into<String>) -> Failure {
    Failure::said(ExitStatus::Input, message.into())
}

/// Whether a text that names no file is a token, or was meant to be; or a disclosure of one, which
/// begins with base64url of `["`.
fn looks_like_a_token(text: &str) -> bool {
    let of_a_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let begins_like_one = text.matches('.').count() >= 2 && text.starts_with("ey") || text.starts_with("WyI");
    begins_like_one && text.bytes().all(of_a_token)
}

/// The token that a row holds, or what it holds instead; none for an item that failed.
pub(crate) fn token_of(content: Content<'_>) -> Option<Result<Cow<'_, str>, String>> {
    match content {
        Content::Failed => None,
        // Read for changes of status alone.
        Content::OwnId(..) => Some(Err("an id of your own".to_owned())),
        Content::Unreadable(problem) => Some(Err(problem)),
        Content::Credential { token: Some(token), .. } => Some(Ok(token)),
        Content::Credential { id: Some(id), .. } if parse_id(&id).is_some() => {
            Some(Err("a credential's id alone".to_owned()))
        }
        // A line that begins like no token is taken for an id by the reader.
        Content::Credential { id, .. } => Some(id.ok_or_else(|| "the row is empty".to_owned())),
    }
}

/// Where a row stands, in words.
pub(crate) fn place_of(row: &ResultRow<'_>) -> String {
    match row.line {
        Some(line) => format!("line {line}"),
        None => format!("row {}", row.index + 1),
    }
}
