//! What several commands take: the same flag is defined once.

use std::ffi::OsStr;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{NonEmptyStringValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command, ValueEnum, ValueHint};

use super::help::EVERYWHERE;
use super::log::{self, LogFormat};
use super::streams::grouped;
use crate::types::Types;

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Read settings from this file instead of looking for .beltic.yaml
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "BELTIC_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Read your own types from this file, or from the files of this folder
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", env = "BELTIC_TYPES", hide_env_values = true, value_hint = ValueHint::AnyPath)]
    pub types: Option<PathBuf>,
    /// Colour messages and text results
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
    /// Print messages, progress and errors on standard error as text, or as JSON lines
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FORM", value_enum, default_value = "text", env = log::VARIABLE)]
    pub log_format: LogFormat,
    /// Print errors only: no warnings, progress or closing line
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where a command's output goes: the same flags for every command that has any.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Write the output to this file; it appears when it is complete [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Overwrite the file that --out names, if it exists
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,
}

impl OutputArgs {
    /// The file, where it is not standard output; `-` is that, too.
    pub(super) fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| *path != Path::new("-"))
    }
}

/// The key that signs.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// The issuer's private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub key: Option<PathBuf>,
    /// File whose first line is the key's passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub passphrase_file: Option<PathBuf>,
    /// A program that signs, in place of --key: its words as for a shell, but without one
    #[arg(long, value_name = "COMMAND", env = "BELTIC_SIGNER_COMMAND", hide_env_values = true, value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::CommandString, help_heading = "Issuer")]
    pub signer_command: Option<String>,
    /// The public half of the key that --signer-command or a token signs with, a JWK or PEM
    #[arg(long, value_name = "FILE", env = "BELTIC_PUBLIC_KEY", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub public_key: Option<PathBuf>,
}

/// Who issues.
#[derive(Debug, Args)]
pub(super) struct IssuerArgs {
    /// did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER", help_heading = "Issuer")]
    pub issuer: Option<String>,
    /// PEM certificates for the header of sd_jwt_vc and of token status lists, the key's own first; a trust anchor is omitted
    #[arg(long, value_name = "FILE", env = "BELTIC_X5C", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub x5c: Option<PathBuf>,
    /// URI of the credential type [default: derived from the issuer]
    #[arg(long, value_name = "URI", env = "BELTIC_VCT", help_heading = "Issuer")]
    pub vct: Option<String>,
}

/// What is issued.
#[derive(Debug, Args)]
pub(super) struct TypeArg {
    /// Default credential type [default: business]
    #[arg(long = "type", value_name = "TYPE", env = "BELTIC_TYPE", value_parser = credential_type())]
    pub credential_type: Option<String>,
}

/// Takes the name of a type. Settings know whether there is one of this name; shells can complete those that come with
/// the program.
pub(super) fn credential_type() -> TypeName {
    TypeName
}

/// See [`credential_type`].
#[derive(Debug, Clone)]
pub(super) struct TypeName;

impl TypedValueParser for TypeName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        NonEmptyStringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Types::BUILT_IN.all().iter().map(|known| PossibleValue::new(known.name))))
    }
}

/// Where credentials are recorded.
#[derive(Debug, Args)]
pub(super) struct LedgerArg {
    /// The ledger [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
}

/// How much is done at once.
#[derive(Debug, Args)]
pub(super) struct JobsArg {
    /// Number of worker threads, at most 1,024 [default: all cores]
    #[arg(long, short, value_name = "N", env = "BELTIC_JOBS", value_parser = whole_number::<NonZeroU16>(1..=u64::from(u16::MAX)), help_heading = "Speed")]
    pub jobs: Option<NonZeroU16>,
}

/// Takes a whole number of this range, and says so where it is given something else.
pub(super) fn whole_number<N: FromStr>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let is_in_range = text.parse().is_ok_and(|number: u64| range.contains(&number));
        text.parse().ok().filter(|_| is_in_range).ok_or_else(|| match *range.end() {
            u64::MAX => format!("expected a whole number from {} on", range.start()),
            end => format!("expected a whole number from {} to {}", range.start(), grouped(end)),
        })
    }
}

/// The forms of batch files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InputFormat {
    /// {"items": […]} or an array of items
    Json,
    /// One item per line
    Ndjson,
    /// A header row, then one item per row
    Csv,
}

/// The forms of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// One result per line, as JSON
    Ndjson,
    /// One short line per item, for people
    Text,
    /// {"results": […], "success_count": n, "failure_count": n}
    Json,
    /// A header row, then one result per row
    Csv,
    /// One token per line; failed items go to standard error
    Jwt,
}

/// The forms of rows about credentials and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RowFormat {
    /// One row per line, as JSON
    Ndjson,
    /// One short line per row, for people
    Text,
    /// A header row, then the rows
    Csv,
}
