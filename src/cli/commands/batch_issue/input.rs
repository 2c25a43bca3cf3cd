//! The batch files, and how they are read.

use std::fs::Metadata;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::job::Request;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::cli::shared_args::InputFormat;
use crate::source::{Format, Input, InputError, Items, Options, RowCheck};

/// How many items the API takes at once.
const API_LIMIT: u64 = 1_000;

/// How the batch files are read.
pub(super) fn options(
    settings: &Settings,
    request: &Request<'_>,
    row_check: RowCheck,
) -> Result<Options, Failure> {
    let args = request.issuing;
    let types = settings.types(args.of.credential_type.as_deref())?;
    let mapping = settings.mapping(&args.set)?;
    let (delimiter, encoding) = settings.csv_form(&args.delimiter, &args.encoding)?;
    let items = Items::new(types, mapping, row_check).map_err(InputError::of_run)?;
    Ok(Options {
        dialect: Arc::new(items),
        format: args.input_format.map(|format| match format {
            InputFormat::Json => Format::Json,
            InputFormat::Ndjson => Format::Ndjson,
            InputFormat::Csv => Format::Csv,
        }),
        encoding,
        delimiter,
        line_breaks: settings.line_breaks()?,
        max_item_bytes: args.max_item_bytes as usize,
        allow_empty: request.allow_empty,
        max_items: request.api_limits.then_some(API_LIMIT),
    })
}

/// The batch files, or standard input.
pub(super) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let stdin = || Input::Stdin(Box::new(io::stdin()));
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::new(ExitStatus::Usage, anyhow::anyhow!("no batch file")).hint(
                "name a file, such as `beltic batch-issue items.json`, or pipe one to standard input",
            ));
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
