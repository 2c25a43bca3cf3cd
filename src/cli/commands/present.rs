//! `beltic present`: the holder's side of an SD-JWT.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Given, undecodable};
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings;
use crate::cli::shared_args::{Common, OutputArgs};
use crate::cli::streams::printable;
use crate::clock::system_now;
use crate::token::{self, BindError, PresentError};

/// What `present` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic present credential.txt --disclose claims.registered_address
  beltic present credential.txt --disclose 'claims.beneficial_owners[]'
  beltic present credential.txt --disclose /claims/beneficial_owners/0
  beltic present credential.txt               shows nothing that can be withheld
  beltic present c.txt --holder-key me.pem --audience https://v.eu --nonce n
")]
pub(crate) struct PresentArgs {
    /// The token, or a file that holds it [default: standard input, also `-`]
    #[arg(value_name = "TOKEN or FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<String>,
    /// Disclose this claim and the objects that contain it: a path, where `[]` means every element, or a JSON Pointer; repeatable
    #[arg(long, value_name = "PATH")]
    pub disclose: Vec<String>,
    /// Add a key binding JWT signed with this key, to which the credential was issued
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires_all = ["nonce", "audience"])]
    pub holder_key: Option<PathBuf>,
    /// File whose first line is the key's passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "holder_key")]
    pub passphrase_file: Option<PathBuf>,
    /// The nonce given by the verifier
    #[arg(long, value_name = "NONCE", value_parser = NonEmptyStringValueParser::new(), requires = "holder_key")]
    pub nonce: Option<String>,
    /// The verifier's identifier, such as its URL
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), requires = "holder_key")]
    pub audience: Option<String>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

pub(super) fn run(common: &Common, args: &PresentArgs) -> Result<ExitStatus, Failure> {
    let output = Output::open(
        &args.output,
        Purpose::Read,
        Kept::files(args.input.as_deref().map(Path::new).into_iter().chain(args.holder_key.as_deref())),
    )?;
    let token = only_token(Given::named_or_piped(args.input.as_deref())?)?;
    let presented = token::present(&token, &args.disclose).map_err(failure)?;
    let presented = bound(common, args, presented)?;
    output.print_all(format!("{presented}\n").as_bytes())
}

/// The presentation, bound to the holder's key where there is one.
fn bound(common: &Common, args: &PresentArgs, presentation: String) -> Result<String, Failure> {
    let (Some(path), Some(audience), Some(nonce)) = (&args.holder_key, &args.audience, &args.nonce) else {
        return Ok(presentation);
    };
    let key = settings::load_key(path, args.passphrase_file.as_deref(), common.quiet)?;
    token::bind(&presentation, &key, (audience, nonce), system_now()).map_err(|error| match error {
        BindError::Token(error) => undecodable(format!("the token cannot be presented: {error}")),
        BindError::Sign(error) => Failure::new(ExitStatus::Key, error),
        other => Failure::said(ExitStatus::Key, format!("{other}; expected that of {}", path.display())),
    })
}

/// The one token of an input. Items that failed are skipped.
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
            let token = token.map_err(|problem| undecodable(format!("{place} has no token: {problem}")))?;
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
