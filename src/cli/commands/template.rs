//! `beltic template`: files to fill in. They fail until they are filled in, so that nobody issues
//! a credential to an example.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, InputFormat, OutputArgs, TypeArg, whole_number};
use crate::source::{Format, Input, Items, Options, guessed_settings, template};
use crate::stop::Stop;
use crate::types::Types;

/// What `template` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic template csv > items.csv
  beltic template csv --elements 5 > items.csv
  beltic template csv --type user > users.csv
  beltic template ndjson > items.ndjson
  beltic template --map export.csv --encoding windows-1252
")]
pub(crate) struct TemplateArgs {
    /// Format of the file
    #[arg(value_enum, required_unless_present = "map")]
    pub format: Option<InputFormat>,
    /// Instead print settings that map the header of this CSV file, with a best guess for each column
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["format", "elements"])]
    pub map: Option<PathBuf>,
    /// With --map: CSV delimiter, one character or `tab` [default: detected from the header]
    #[arg(long, value_name = "CHAR", requires = "map")]
    pub delimiter: Option<String>,
    /// With --map: encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]
    #[arg(long, value_name = "NAME", requires = "map")]
    pub encoding: Option<String>,
    /// What is to be issued.
    #[command(flatten)]
    pub of: TypeArg,
    /// Number of elements to allow for in each list
    #[arg(long, alias = "owners", value_name = "N", default_value_t = 2, value_parser = whole_number::<u16>(0..=1000))]
    pub elements: u16,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

pub(super) fn run(common: &Common, args: &TemplateArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let types = settings.types(args.of.credential_type.as_deref())?;
    let kept = Kept::files(&args.map).and_settings(&settings);
    let output = Output::open(&args.output, Purpose::Read, kept)?;
    let elements = usize::from(args.elements);
    let text = match (&args.map, args.format) {
        (Some(file), _) => mapping(&settings, (&args.delimiter, &args.encoding), types, file)?,
        (None, Some(InputFormat::Csv) | None) => template(types.default_type(), Format::Csv, elements),
        (None, Some(InputFormat::Ndjson)) => template(types.default_type(), Format::Ndjson, elements),
        (None, Some(InputFormat::Json)) => template(types.default_type(), Format::Json, elements),
    };
    output.print_all(text.as_bytes())
}

/// Settings that map the header of a file, and that say how the file was read where a flag said so.
pub(super) fn mapping(
    settings: &Settings,
    (delimiter, encoding): (&Option<String>, &Option<String>),
    types: Types,
    file: &Path,
) -> Result<String, Failure> {
    let items = Items::of(types);
    let stop = Stop::default();
    let mut options = Options::of(items.clone());
    (options.delimiter, options.encoding) = settings.csv_form(delimiter, encoding)?;
    let flags = [("delimiter", delimiter), ("encoding", encoding)];
    let given: Vec<_> =
        flags.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
    Ok(guessed_settings(items, Input::File(file.to_owned()), options, &given, &stop)?)
}
