//! What `inspect` and `present` are given: a token on the command line, or a text in a file.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::exit::ExitStatus;
use super::failure::Failure;
use crate::files::PathError;
use crate::json::{Document, Parser, Value};

/// The longest text that is read. Whoever has more tokens to look at takes some of them.
const MAX_TEXT_BYTES: u64 = 16 * 1024 * 1024;

/// The text that was named: by a file, as a token, or on standard input.
pub(crate) fn text(input: Option<&str>) -> Result<String, Failure> {
    let bytes = match input {
        None | Some("-") => from_stdin()?,
        Some(name) if Path::new(name).exists() => from_file(Path::new(name))?,
        Some(token) if looks_like_a_token(token) => return Ok(token.to_owned()),
        Some(name) => {
            let name = super::streams::printable(&name.chars().take(200).collect::<String>());
            return Err(Failure::said(
                ExitStatus::Files,
                format!("there is no file {name}, and it is no token"),
            ));
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| undecodable("the input is not UTF-8 text"))?;
    match text.strip_prefix('\u{feff}') {
        Some(text) => Ok(text.to_owned()),
        None => Ok(text),
    }
}

/// A failure of something that cannot be decoded.
pub(crate) fn undecodable(message: impl Into<String>) -> Failure {
    Failure::said(ExitStatus::Input, message.into())
}

/// Whether a text that names no file is a token, or was meant to be.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    let of_a_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.matches('.').count() >= 2 && text.bytes().all(of_a_token) && text.starts_with("ey")
}

fn from_stdin() -> Result<Vec<u8>, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage("there is nothing to read").hint("name a token or a file, or pipe one in"));
    }
    limited(io::stdin()).map_err(|error| {
        let failed = anyhow::Error::new(error).context("cannot read standard input");
        Failure::new(ExitStatus::Files, failed)
    })
}

fn from_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = File::open(path).and_then(limited);
    Ok(read.map_err(|source| PathError::new("read", path, source))?)
}

fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        let message = format!("it is larger than {MAX_TEXT_BYTES} bytes; take some lines of it");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The tokens in a text: one a line, results of `batch-issue` one a line, or results in their envelope.
/// Lines without a token, such as failed results, are passed over.
pub(crate) fn tokens(text: &str) -> Result<Vec<String>, Failure> {
    let mut parser = Parser::default();
    if let Ok(document) = parser.parse(text) {
        return Ok(tokens_of(document.root()));
    }
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line = line.trim();
        if line.starts_with('{') {
            let document: Document<'_> = parser
                .parse(line)
                .map_err(|error| undecodable(format!("line {} is no result: {error}", number + 1)))?;
            tokens.extend(tokens_of(document.root()));
        } else {
            tokens.push(line.to_owned());
        }
    }
    Ok(tokens)
}

/// The tokens of a result, of results in their envelope or in an array, or of a credential alone.
fn tokens_of(value: Value<'_>) -> Vec<String> {
    let results = value.member("results").unwrap_or(value);
    let of_result = |result: Value<'_>| {
        let token = result.member("credential").unwrap_or(result).member("signed_payload")?;
        token.as_str().map(|token| token.into_owned())
    };
    of_result(value).into_iter().chain(results.elements().filter_map(of_result)).collect()
}
