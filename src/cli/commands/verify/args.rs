//! What `verify` takes.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueEnum, ValueHint};

use super::verdicts::VerdictFormat;
use crate::cli::shared_args::{JobsArg, OutputArgs, credential_type, whole_number};
use crate::request::rules::CalendarDuration;
use crate::verify::MAX_LEEWAY;

/// Whether key binding JWTs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyBindingPolicy {
    /// Key binding JWTs are parsed off and not checked
    Ignore,
    /// Presentations without a valid one are refused; needs --audience, and --nonce or a nonce beside each presentation
    Required,
}

/// What `verify` takes.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("keys").args(["jwks", "did", "key", "site", "issuer"]).multiple(true).required(true),
    override_usage = "beltic verify [OPTIONS] [FILE]...",
    before_help = "Examples:
  beltic verify results.ndjson --site public
  beltic verify tokens.txt --did did.json --status-list lists
  beltic verify results.csv --key .beltic/issuer.pub.jwk --no-status
  beltic verify agent.jwt --site public --context action.json
  beltic verify --jwks jwks.json --no-status < token.txt
  beltic verify shown.txt --site public --audience https://me.example --nonce n
"
)]
pub(crate) struct VerifyArgs {
    /// Tokens, or files of tokens or results; `-` or none: standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<String>,

    /// Trust the keys of this JWK Set; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Keys")]
    pub jwks: Vec<PathBuf>,
    /// Trust the assertion methods of this DID document; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Keys")]
    pub did: Vec<PathBuf>,
    /// Trust this public key, PEM or JWK; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Keys")]
    pub key: Vec<PathBuf>,
    /// Take keys and status lists from a folder that `publish` wrote
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Keys")]
    pub site: Option<PathBuf>,
    /// Accept credentials of this issuer only; a did:key or did:jwk brings its key along
    #[arg(long, value_name = "DID", help_heading = "Keys")]
    pub issuer: Option<String>,

    /// Look statuses up in this signed list, or in every *.jwt of this folder; repeatable
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, help_heading = "Status")]
    pub status_list: Vec<PathBuf>,
    /// Do not look at statuses
    #[arg(long, conflicts_with = "status_list", help_heading = "Status")]
    pub no_status: bool,

    /// Accept credentials of this type only, by its URI
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub vct: Option<String>,
    /// Accept credentials of this credential type only; with --vct, those are held to be of it
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type(), help_heading = "What is accepted")]
    pub credential_type: Option<String>,
    /// Accept credentials for this audience; without it, those that name one are refused
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub audience: Option<String>,
    /// Whether presentations must prove that the holder has the key in `cnf`
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "ignore",
        help_heading = "What is accepted"
    )]
    pub key_binding: KeyBindingPolicy,
    /// The nonce that was given out for the presentation; implies --key-binding required
    #[arg(long, value_name = "NONCE", requires = "audience", value_parser = NonEmptyStringValueParser::new(), help_heading = "What is accepted")]
    pub nonce: Option<String>,
    /// How long ago a key binding JWT may have been made
    #[arg(long, value_name = "DURATION", default_value = "PT5M", value_parser = CalendarDuration::parse, help_heading = "What is accepted")]
    pub kb_max_age: CalendarDuration,
    /// Verify as of this time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", help_heading = "What is accepted")]
    pub at: Option<String>,
    /// By how many seconds clocks may differ
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = whole_number::<u32>(0..=u64::from(MAX_LEEWAY)), help_heading = "What is accepted")]
    pub leeway: u32,
    /// Refuse credentials that live for longer than this ISO 8601 duration
    #[arg(long, value_name = "DURATION", help_heading = "What is accepted")]
    pub max_ttl: Option<String>,
    /// Accept authorizations that allow this: a JSON file, or pairs such as resource_type=wallet,action=checkout,amount=5000
    #[arg(long, value_name = "FILE|PAIRS", value_hint = ValueHint::FilePath, help_heading = "What is accepted")]
    pub context: Option<String>,
    /// Accept delegated authorizations if a valid credential in this file is about who delegated; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is accepted")]
    pub chain: Vec<PathBuf>,
    /// Accept JWTs with a `vc` claim (VC Data Model 1.1), too
    #[arg(long, help_heading = "What is accepted")]
    pub legacy_vc: bool,

    /// The form of the verdicts [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, env = "BELTIC_OUTPUT_FORMAT", help_heading = "Output")]
    pub output_format: Option<VerdictFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How much is done at once.
    #[command(flatten)]
    pub jobs: JobsArg,
}
