//! `beltic template`: files to fill in. They fail until they are filled in, so that nobody issues
//! a credential to an example.

use crate::cli::args::{InputFormat, TemplateArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::source::{Format, template};
use crate::types::Types;

pub(super) fn run(args: &TemplateArgs) -> Result<ExitStatus, Failure> {
    let output = Output::open(&args.output, Purpose::Read, Kept::default())?;
    let format = match args.format {
        InputFormat::Csv => Format::Csv,
        InputFormat::Ndjson => Format::Ndjson,
        InputFormat::Json => Format::Json,
    };
    let text = template(Types::BUILT_IN.default_type(), format, usize::from(args.owners));
    output.print_all(text.as_bytes())
}
