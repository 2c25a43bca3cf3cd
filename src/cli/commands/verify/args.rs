//! What `verify` takes.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueEnum, ValueHint};

use super::verdicts::VerdictFormat;
use crate::cli::shared_args::{JobsArg, OutputArgs, credential_type, whole_number};
use crate::clock::UnixTime;
use crate::request::rules::CalendarDuration;
use crate::verify::MAX_LEEWAY;

/// Whether key binding JWTs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyBindingPolicy {
    /// Ignore key binding JWTs
    Ignore,
    /// Reject presentations without a valid key binding JWT; needs --audience, and --nonce or a nonce with each presentation
    Required,
}

/// What `verify` takes.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("keys").args(["jwks", "did", "key", "trust_anchor", "site", "issuer"]).multiple(true),
    override_usage = "beltic verify [OPTIONS] [FILE]...",
    before_help = "Examples:
  beltic verify my.jwt                        explains what is needed
  beltic verify results.ndjson --site public
  beltic verify tokens.txt --did did.json --status-list lists
  beltic verify results.csv --key .beltic/issuer.pub.jwk --no-status
  beltic verify agent.jwt --site public --context action.json
  beltic verify --jwks jwks.json --no-status < token.txt
  beltic verify shown.txt --site public --audience https://me.example --nonce n
"
)]
pub(crate) struct VerifyArgs {
    /// Tokens, or files of tokens or results [default: standard input, also `-`]
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
    /// Trust the keys that the authorities in this PEM file certify, in the `x5c` of tokens; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Keys")]
    pub trust_anchor: Vec<PathBuf>,
    /// Use the keys and status lists in a folder written by `publish`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Keys")]
    pub site: Option<PathBuf>,
    /// Accept only credentials of this issuer; a did:key or did:jwk contains its own key
    #[arg(long, value_name = "DID", help_heading = "Keys")]
    pub issuer: Option<String>,

    /// Use this signed status list; or every *.jwt file of this folder; repeatable
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, help_heading = "Status")]
    pub status_list: Vec<PathBuf>,
    /// Do not check revocation and suspension
    #[arg(long, conflicts_with = "status_list", help_heading = "Status")]
    pub no_status: bool,

    /// Accept only credentials of the type with this URI
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub vct: Option<String>,
    /// Accept only credentials of this credential type; with --vct, treat that URI as this type
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type(), help_heading = "What is accepted")]
    pub credential_type: Option<String>,
    /// Required audience; credentials with an `aud` are rejected if this is not given
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub audience: Option<String>,
    /// Whether presentations must prove that the holder has the key in `cnf` [default: ignore]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = "What is accepted")]
    pub key_binding: Option<KeyBindingPolicy>,
    /// Nonce issued for the presentation; implies --key-binding required
    #[arg(long, value_name = "NONCE", requires = "audience", value_parser = NonEmptyStringValueParser::new(), help_heading = "What is accepted")]
    pub nonce: Option<String>,
    /// Maximum age of a key binding JWT, at most P7D
    #[arg(long, value_name = "DURATION", default_value = "PT5M", value_parser = kb_max_age, help_heading = "What is accepted")]
    pub kb_max_age: CalendarDuration,
    /// Verify as of this time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", help_heading = "What is accepted")]
    pub at: Option<String>,
    /// Clock skew to tolerate, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = whole_number::<u32>(0..=u64::from(MAX_LEEWAY)), help_heading = "What is accepted")]
    pub leeway: u32,
    /// Reject credentials valid for longer than this ISO 8601 duration
    #[arg(long, value_name = "DURATION", help_heading = "What is accepted")]
    pub max_ttl: Option<String>,
    /// Accept only authorizations that allow this: a JSON file, or pairs such as resource_type=wallet,action=checkout,amount=5000
    #[arg(long, value_name = "FILE|PAIRS", value_hint = ValueHint::FilePath, help_heading = "What is accepted")]
    pub context: Option<String>,
    /// Accept delegated authorizations if this file has a valid credential of the delegator; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is accepted")]
    pub chain: Vec<PathBuf>,
    /// Also accept JWTs with a `vc` claim (VC Data Model 1.1)
    #[arg(long, help_heading = "What is accepted")]
    pub legacy_vc: bool,
    /// Also accept SD-JWT VCs with the `typ` of older drafts, `vc+sd-jwt`
    #[arg(long, help_heading = "What is accepted")]
    pub legacy_typ: bool,

    /// Explain what is missing: which keys and status lists to fetch from where, and with which commands
    #[arg(long, help_heading = "Output")]
    pub explain: bool,
    /// Format of the verdicts [default: from the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, env = "BELTIC_OUTPUT_FORMAT", help_heading = "Output")]
    pub output_format: Option<VerdictFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How much is done at once.
    #[command(flatten)]
    pub jobs: JobsArg,
    /// What checks signatures; the verdicts are the same
    #[arg(long, value_enum, default_value_t, help_heading = "Speed")]
    pub engine: Engine,
}

impl VerifyArgs {
    /// Whether there is anything to verify with.
    pub(super) fn names_keys(&self) -> bool {
        let files = [&self.jwks, &self.did, &self.key, &self.trust_anchor];
        files.into_iter().any(|files| !files.is_empty()) || self.site.is_some() || self.issuer.is_some()
    }
}

/// What checks signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Engine {
    /// AWS-LC, one signature after the other
    AwsLc,
    /// Many signatures at once; AWS-LC checks again all that do not match
    #[default]
    Batch,
    /// The same without vector instructions, for comparisons
    #[value(hide = true)]
    Portable,
}

/// The longest that a key binding JWT may be good for: it shows that a holder is there now.
const LONGEST_KB_AGE_SECONDS: i64 = 7 * 86_400;

fn kb_max_age(text: &str) -> Result<CalendarDuration, String> {
    let age = CalendarDuration::parse(text).map_err(|problem| problem.to_string())?;
    let seconds = age.after(UnixTime::FIRST).map(|end| end.seconds() - UnixTime::FIRST.seconds());
    match seconds {
        Ok(0..=LONGEST_KB_AGE_SECONDS) => Ok(age),
        _ => Err("expected at most P7D; `--at` judges an older presentation as of its time".to_owned()),
    }
}
