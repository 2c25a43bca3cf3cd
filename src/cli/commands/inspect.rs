//! `beltic inspect`: what a token says, without a word on whether it is true.

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Given, undecodable};
use crate::cli::inspection::{self, Inspection};
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::shared_args::OutputArgs;
use crate::cli::streams::grouped;
use crate::clock;
use crate::files::BYTE_ORDER_MARK;
use crate::json::Parser;
use crate::results::{ResultRow, Results};

/// The longest JWK or JWK Set. What is longer is read as results.
const MAX_KEYS_BYTES: u64 = 1 << 20;

/// What `inspect` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic inspect results.ndjson
  beltic inspect eyJhbGciOiJFUzI1NiIs…
  beltic inspect results.ndjson --output-format json
  head -n 1 results.ndjson | beltic inspect --output-format text
")]
pub(crate) struct InspectArgs {
    /// A token, or a file of tokens, results, keys or certificates [default: standard input, also `-`]
    #[arg(value_name = "TOKEN or FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<String>,
    /// Format of the output [default: from the file's extension, else text on a terminal, json in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<InspectFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The forms of `inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InspectFormat {
    /// For people
    Text,
    /// One JSON object per token
    #[value(alias = "ndjson")]
    Json,
}

pub(super) fn run(args: &InspectArgs) -> Result<ExitStatus, Failure> {
    let format = output::form(args.output_format, &args.output, InspectFormat::Text, InspectFormat::Json)?;
    let as_json = format == InspectFormat::Json;
    let output = Output::open(&args.output, Purpose::Read, Kept::files(&args.input))?;
    let given = Given::named_or_piped(args.input.as_deref())?;
    let (head, input) = given.open_with_head(MAX_KEYS_BYTES)?;
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    if let Some(keys) = keys(text, as_json) {
        if keys.is_empty() {
            return Err(undecodable("the JWK Set is empty"));
        }
        return output.print_all(keys.as_bytes());
    }
    if let Some(certificates) = inspection::certificates(text, as_json, clock::system_now()) {
        return output.print_all(certificates.as_bytes());
    }
    if let Some(disclosure) = disclosure(text, as_json) {
        return output.print_all(disclosure.as_bytes());
    }
    let mut pages = Pages { as_json, output, shown: 0, failed: 0, problem: None };
    pages.print_all(input.results()?)?;
    pages.output.finish(b"")?;
    if let Some(problem) = pages.problem {
        return Err(undecodable(problem));
    }
    if pages.shown == 0 {
        let failed = grouped(pages.failed);
        return Err(undecodable(format!(
            "the input has no token: all of its {failed} results are failed items"
        )));
    }
    Ok(ExitStatus::Done)
}

/// A JWK or a JWK Set, laid out; none where the text is neither.
fn keys(text: &[u8], as_json: bool) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parser = Parser::default();
    let document = parser.parse(text).ok()?;
    inspection::keys(document.root(), as_json)
}

/// A disclosure that stands alone, laid out; none where the text is none.
fn disclosure(text: &[u8], as_json: bool) -> Option<String> {
    inspection::disclosure(std::str::from_utf8(text).ok()?.trim(), as_json)
}

/// What is printed, token by token.
struct Pages {
    as_json: bool,
    output: Output,
    shown: u64,
    /// Rows of items that failed, which have no token.
    failed: u64,
    /// What is wrong with the first row that cannot be shown, or not as it was meant to be.
    problem: Option<String>,
}

impl Pages {
    /// Prints every token. One that cannot be decoded does not keep the others from being shown.
    fn print_all(&mut self, results: Results) -> Result<(), Failure> {
        let mut results = results.batches();
        loop {
            let rows = results.next_batch()?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                self.print(row)?;
            }
        }
    }

    fn print(&mut self, row: ResultRow<'_>) -> Result<(), Failure> {
        let place = given::place_of(&row);
        let token = match given::token_of(row.content) {
            Some(Ok(token)) => token,
            Some(Err(problem)) => {
                self.note(format!("{place} has no token: {problem}"));
                return Ok(());
            }
            None => {
                self.failed += 1;
                return Ok(());
            }
        };
        match Inspection::of(&token) {
            Ok(inspection) => self.print_inspection(&inspection, &place),
            Err(error) => {
                self.note(format!("{place}: the token cannot be decoded: {error}"));
                Ok(())
            }
        }
    }

    fn print_inspection(&mut self, inspection: &Inspection, place: &str) -> Result<(), Failure> {
        let mut shown = if self.as_json { inspection.json() } else { inspection.text(clock::system_now()) };
        if !self.as_json && self.shown > 0 {
            shown.insert(0, '\n');
        }
        self.output.print(shown.as_bytes())?;
        self.shown += 1;
        if let Some(problem) = inspection.disclosure_problem() {
            self.note(format!("{place}: the disclosures cannot be applied: {problem}"));
        }
        Ok(())
    }

    fn note(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}
