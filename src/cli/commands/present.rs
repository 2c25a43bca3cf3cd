//! `beltic present`: the holder's side of an SD-JWT.

use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Given, undecodable};
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::shared_args::OutputArgs;
use crate::cli::streams::printable;
use crate::token::{self, PresentError};

/// What `present` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic present credential.txt --disclose claims.registered_address
  beltic present credential.txt --disclose 'claims.beneficial_owners[]'
  beltic present credential.txt --disclose /claims/beneficial_owners/0
  beltic present credential.txt               shows nothing that can be withheld
")]
pub(crate) struct PresentArgs {
    /// The token, or a file that holds it; `-` or none: standard input
    #[arg(value_name = "TOKEN or FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<String>,
    /// Keep the disclosure of this claim, and those around it; a path, where `[]` stands for every element, or a JSON Pointer; repeatable
    #[arg(long, value_name = "PATH")]
    pub disclose: Vec<String>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

pub(super) fn run(args: &PresentArgs) -> Result<ExitStatus, Failure> {
    let output = Output::open(&args.output, Purpose::Read, Kept::files(&args.input))?;
    let token = only_token(Given::named_or_piped(args.input.as_deref())?)?;
    let presented = token::present(&token, &args.disclose).map_err(failure)?;
    output.print_all(format!("{presented}\n").as_bytes())
}

/// The one token of an input. Items that failed are passed over.
fn only_token(given: Given) -> Result<String, Failure> {
    let mut results = given.open()?.batches();
    let (mut only, mut found) = (None, 0);
    loop {
        let rows = results.next_batch()?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let place = given::place_of(&row);
            let Some(token) = given::token_of(row.content) else { continue };
            let token = token.map_err(|problem| undecodable(format!("{place} holds no token: {problem}")))?;
            found += 1;
            only.get_or_insert(token.into_owned());
        }
    }
    match only {
        Some(token) if found == 1 => Ok(token),
        _ => Err(undecodable(format!("found {found} tokens; expected one, to be presented"))),
    }
}

fn failure(error: PresentError) -> Failure {
    match error {
        PresentError::UnknownPath { path, known } => {
            let there_are = match known.is_empty() {
                true => "the token has no disclosures".to_owned(),
                false => format!("the token has: {}", printable(&known.join(", "))),
            };
            Failure::usage(format!("no disclosure is at \"{}\"", printable(&path))).hint(there_are)
        }
        PresentError::AmbiguousPath { path, pointers } => {
            let message = format!("\"{}\" is the path of {} disclosures", printable(&path), pointers.len());
            let pointers = printable(&pointers.join(" or "));
            Failure::usage(message).hint(format!("name the one by its JSON Pointer: {pointers}"))
        }
        other => undecodable(format!("the token cannot be presented: {other}")),
    }
}
