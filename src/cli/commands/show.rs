//! `beltic show`: one credential and its history.

use uuid::Uuid;

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::render::listing;
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, LedgerArg, OutputArgs};
use crate::clock::system_now;
use crate::credential;
use clap::{Args, ValueEnum};

/// What `show` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic show urn:uuid:01a206e6-9989-7123-a539-f16d67dba009
  beltic show 01a206e6-9989-7123-a539-f16d67dba009 --output-format json
")]
pub(crate) struct ShowArgs {
    /// The credential's id, with or without its urn:uuid:
    #[arg(value_name = "ID")]
    pub id: String,
    /// Where credentials are recorded.
    #[command(flatten)]
    pub ledger: LedgerArg,
    /// Format of the output [default: from the file's extension, else text on a terminal, json in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<ShowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The forms of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For people
    Text,
    /// One JSON object on one line
    #[value(alias = "ndjson")]
    Json,
}

pub(super) fn run(common: &Common, args: &ShowArgs) -> Result<ExitStatus, Failure> {
    let id = parse_id(&args.id)?;
    let format = output::form(args.output_format, &args.output, ShowFormat::Text, ShowFormat::Json)?;
    let settings = Settings::load(common)?;
    let mut ledger = super::open_ledger(&settings, &args.ledger, true)?;
    let kept = Kept::default().and_ledger(Some(ledger.address())).and_settings(&settings);
    let output = Output::open(&args.output, Purpose::Read, kept)?;
    let Some(credential) = ledger.credential(id)? else {
        let message = format!("the ledger {} has no credential {}", ledger.path().display(), id.urn());
        return Err(Failure::said(ExitStatus::Files, message).hint(
            "run `beltic list` to see its credentials, or pass `--ledger FILE` to use another ledger",
        ));
    };
    let events = ledger.events_of(credential.place)?;
    let now = system_now();
    let shown = match format {
        ShowFormat::Json => listing::life_as_json(&credential, &events, now),
        ShowFormat::Text => {
            let color = output::takes_color(&args.output, common.color);
            listing::life_as_text(&credential, &events, now, color).into_bytes()
        }
    };
    output.print_all(&shown)
}

/// A credential's id. A value that is not one is not quoted, for it may be personal: a subject's id, or a token.
fn parse_id(text: &str) -> Result<Uuid, Failure> {
    credential::parse_id(text).ok_or_else(|| {
        Failure::usage("the argument is not a credential id; expected one such as urn:uuid:01a206e6-9989-7123-a539-f16d67dba009")
            .hint("`beltic list --subject ID` and `--correlation-id ID` find credentials by other ids")
    })
}
