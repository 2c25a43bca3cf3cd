//! The batch files, and how they are read.

use std::fs::Metadata;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::BatchIssueArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::cli::settings::Settings;
use crate::cli::shared_args::InputFormat;
use crate::source::{Format, Input, InputError, Items, Options, RowCheck};

/// How many items the API takes at once.
const API_LIMIT: u64 = 1_000;

/// How the batch files are read.
pub(super) fn options(
    settings: &Settings,
    args: &BatchIssueArgs,
    row_check: RowCheck,
) -> Result<Options, Failure> {
    let types = settings.types(args.of.credential_type.as_deref())?;
    let (columns, constants) = settings.csv_fields();
    let delimiter = settings.value(&args.delimiter, |config| &config.csv.delimiter);
    let encoding = settings.encoding(&args.encoding);
    let typed = |given: &Option<String>, flag| given.as_ref().map(|_| Origin::typed(flag, None));
    let delimiter_from = settings
        .origin(typed(&args.delimiter, "--delimiter"), "csv.delimiter", |config| &config.csv.delimiter);
    let encoding_from =
        settings.origin(typed(&args.encoding, "--encoding"), "csv.encoding", |config| &config.csv.encoding);
    let items =
        Items::new(types, columns.clone(), constants.clone(), row_check).map_err(InputError::of_run)?;
    Ok(Options {
        dialect: Arc::new(items),
        format: args.input_format.map(|format| match format {
            InputFormat::Json => Format::Json,
            InputFormat::Ndjson => Format::Ndjson,
            InputFormat::Csv => Format::Csv,
        }),
        encoding: encoding.map(|name| find_encoding(&name, &encoding_from)).transpose()?,
        delimiter: delimiter.map(|text| parse_delimiter(&text, &delimiter_from)).transpose()?,
        line_breaks: settings.line_breaks()?,
        max_item_bytes: args.max_item_bytes as usize,
        allow_empty: args.allow_empty,
        max_items: args.api_limits.then_some(API_LIMIT),
    })
}

fn find_encoding(name: &str, origin: &Origin) -> Result<&'static encoding_rs::Encoding, Failure> {
    encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Failure::usage(format!("{origin} is \"{name}\", which is not a known encoding")).hint(
            "names are those of the WHATWG Encoding Standard, such as windows-1252, iso-8859-1 or shift_jis",
        )
    })
}

fn parse_delimiter(text: &str, origin: &Origin) -> Result<u8, Failure> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [byte]
            if byte.is_ascii()
                && !matches!(byte, b'"' | b'\n' | b'\r' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') =>
        {
            Ok(*byte)
        }
        _ => Err(Failure::usage(format!(
            "{origin} is \"{text}\"; expected one character such as ; or the word tab"
        ))),
    }
}

/// The batch files, or standard input.
pub(super) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let stdin = || Input::Stdin(Box::new(io::stdin()));
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::new(ExitStatus::Usage, anyhow::anyhow!("no batch file"))
                .hint("name one, or pipe one in: beltic batch-issue items.json"));
        }
        return Ok(vec![stdin()]);
    }
    Ok(paths
        .iter()
        .map(|path| if path == Path::new("-") { stdin() } else { Input::File(path.clone()) })
        .collect())
}

/// The size of all inputs as stored, where all are regular files.
pub(super) fn total_bytes(inputs: &[PathBuf]) -> Option<u64> {
    let size = |path: &PathBuf| path.metadata().ok().filter(Metadata::is_file).map(|file| file.len());
    if inputs.is_empty() { None } else { inputs.iter().map(size).sum() }
}
