//! `beltic template`: files to fill in. They fail until they are filled in, so that nobody issues
//! a credential to an example.

use clap::Args;

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, InputFormat, OutputArgs, TypeArg};
use crate::source::{Format, template};

/// What `template` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic template csv > items.csv
  beltic template csv --elements 5 > items.csv
  beltic template csv --type user > users.csv
  beltic template ndjson > items.ndjson
")]
pub(crate) struct TemplateArgs {
    /// The form of the file
    #[arg(value_enum)]
    pub format: InputFormat,
    /// What is to be issued.
    #[command(flatten)]
    pub of: TypeArg,
    /// For how many elements of each list there is room
    #[arg(long, alias = "owners", value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub elements: u16,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

pub(super) fn run(common: &Common, args: &TemplateArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let types = settings.types(args.of.credential_type.as_deref())?;
    let output = Output::open(&args.output, Purpose::Read, Kept::default().and_settings(&settings))?;
    let format = match args.format {
        InputFormat::Csv => Format::Csv,
        InputFormat::Ndjson => Format::Ndjson,
        InputFormat::Json => Format::Json,
    };
    let text = template(types.default_type(), format, usize::from(args.elements));
    output.print_all(text.as_bytes())
}
