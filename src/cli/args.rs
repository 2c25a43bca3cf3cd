//! What can be typed: clap definitions only. Their meaning is in `settings`.

use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::deferred::{Deferred, with_exit_codes};
use super::exit::ExitStatus;
use crate::batch::MaxFailures;
use crate::clock::UnixTime;
use crate::credential::ProofFormat;
use crate::credential::Status;
use crate::ledger::EventHash;
use crate::request::rules::{self, CalendarDuration};
use crate::source::{DEFAULT_MAX_ITEM_BYTES, LARGEST_MAX_ITEM_BYTES};
use crate::verify::MAX_LEEWAY;

/// Issue verifiable business credentials in bulk, offline
#[derive(Debug, Parser)]
#[command(
    name = "beltic",
    version,
    help_template = "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}{after-help}",
    before_help = "Examples:
  beltic keygen                       make an issuer key
  beltic template csv > items.csv     a file to fill in
  beltic batch-issue items.csv        issue a credential for each row
",
    after_help = ExitStatus::help()
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Read settings from this file instead of looking for .beltic.yaml
    #[arg(long, global = true, value_name = "FILE", env = "BELTIC_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Colour messages and text results
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
    /// Print errors only: no warnings, progress or closing line
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// Where a command's output goes: the same flags for every command that has any.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Write the output to this file, which appears when it is complete [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Overwrite the file that --out names, if it exists
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,
}

impl OutputArgs {
    /// The file, where it is not standard output; `-` is that, too.
    pub fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| *path != Path::new("-"))
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Issue a signed credential for each item of the batch files
    BatchIssue(Deferred<BatchIssueArgs>),
    /// Make a P-256 issuer key
    Keygen(Deferred<KeygenArgs>),
    /// Check credentials, offline and in bulk
    Verify(Deferred<VerifyArgs>),
    /// Decode a credential, status list or key for reading, without judging it
    Inspect(Deferred<InspectArgs>),
    /// Keep some disclosures of an SD-JWT and drop the others
    Present(Deferred<PresentArgs>),
    /// Permanently revoke credentials
    #[command(
        before_help = "Examples:
  beltic revoke 01a206e6-9989-7123-a539-f16d67dba009 --reason compromised
  beltic revoke --from results.ndjson --reason policy_change
  beltic revoke --correlation-id 0001 --correlation-id 0002
  beltic revoke --run nightly-2026-11-23 --dry-run
  beltic revoke --from register.csv --yes
",
        after_help = "Revocation is permanent. Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Revoke(Deferred<StatusArgs>),
    /// Suspend credentials, until they are reinstated
    #[command(
        before_help = "Examples:
  beltic suspend 01a206e6-9989-7123-a539-f16d67dba009 --reason user_request
  beltic suspend --subject EX-GB-00EX4179
",
        after_help = "Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Suspend(Deferred<StatusArgs>),
    /// End the suspension of credentials
    #[command(
        before_help = "Examples:
  beltic reinstate 01a206e6-9989-7123-a539-f16d67dba009
  beltic reinstate --subject EX-GB-00EX4179
",
        after_help = "Verifiers see it once `beltic publish` has written the lists.\n"
    )]
    Reinstate(Deferred<StatusArgs>),
    /// Write the static site that verifiers fetch: keys, DID document, status lists
    Publish(Deferred<PublishArgs>),
    /// List issued credentials, or the audit log
    List(Deferred<ListArgs>),
    /// Show one credential and its history
    Show(Deferred<ShowArgs>),
    /// Look the ledger over
    Ledger(LedgerArgs),
    /// Print the JSON Schema of an item, or a credential type's metadata
    Schema(Deferred<SchemaArgs>),
    /// Print a batch file to fill in
    Template(Deferred<TemplateArgs>),
    /// Measure how fast this machine issues
    Bench(Deferred<BenchArgs>),
    /// Print completions for a shell, or write man pages
    Completions(Deferred<CompletionsArgs>),
}

/// What `batch-issue` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    group = ArgGroup::new("replaceable").args(["out", "failed", "summary"]).multiple(true),
    before_help = "Examples:
  beltic batch-issue items.ndjson > results.ndjson
  beltic batch-issue companies.csv --out results.csv --output-format csv
  beltic batch-issue a.json b.json --issuer did:web:issuer.example
  zcat items.ndjson.gz | beltic batch-issue --key issuer.pem --output-format jwt
  beltic batch-issue items.csv --dry-run
  beltic batch-issue items.csv --failed failed.csv --summary summary.json
  beltic batch-issue items.csv --idempotency-key companies-2026-11
"
)]
pub struct BatchIssueArgs {
    /// Batch files, read in this order as one run; `-` or none: standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<PathBuf>,

    /// The issuer's private key [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub passphrase_file: Option<PathBuf>,
    /// did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER", help_heading = "Issuer")]
    pub issuer: Option<String>,
    /// PEM certificates for the header of sd_jwt_vc, the key's own first; a trust anchor is left out
    #[arg(long, value_name = "FILE", env = "BELTIC_X5C", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub x5c: Option<PathBuf>,
    /// Your id at the API, echoed in results
    #[arg(long, value_name = "ID", env = "BELTIC_DEVELOPER_ID", help_heading = "Issuer")]
    pub developer_id: Option<String>,
    /// Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub ledger: Option<PathBuf>,

    /// The form of the batch files [default: by extension, else by content]
    #[arg(long, value_enum, env = "BELTIC_INPUT_FORMAT", help_heading = "Input")]
    pub input_format: Option<InputFormat>,
    /// What separates CSV cells: one character, or `tab` [default: found in the header]
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub delimiter: Option<String>,
    /// The encoding of the batch files, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub encoding: Option<String>,
    /// Carry unknown fields of subject and claims through instead of failing the item
    #[arg(long, help_heading = "Input")]
    pub allow_unknown: bool,
    /// Refuse more than 1,000 items, as the API does
    #[arg(long, help_heading = "Input")]
    pub api_limits: bool,
    /// The longest item, in bytes
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX_ITEM_BYTES as u32, value_parser = clap::value_parser!(u32).range(1..=MAX_ITEM_BYTES), help_heading = "Input")]
    pub max_item_bytes: u32,

    /// The form of the credentials [default: jwt_vc]
    #[arg(long, value_name = "FORMAT", env = "BELTIC_PROOF_FORMAT", value_parser = proof_format(), help_heading = "Credentials")]
    pub proof_format: Option<ProofFormat>,
    /// The life of credentials whose item has no ttl, an ISO 8601 duration [default: P1Y]
    #[arg(long, value_name = "DURATION", env = "BELTIC_TTL", help_heading = "Credentials")]
    pub ttl: Option<String>,
    /// The credential type's name [default: from the issuer]
    #[arg(long, value_name = "URI", env = "BELTIC_VCT", help_heading = "Credentials")]
    pub vct: Option<String>,
    /// Verify each credential by a second implementation before its result is written
    #[arg(long, help_heading = "Credentials")]
    pub verify: bool,
    /// Issue as of this time (RFC 3339), for tests and backdated runs [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Credentials")]
    pub issued_at: Option<String>,

    /// The form of the results [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_enum, env = "BELTIC_OUTPUT_FORMAT", help_heading = "Output")]
    pub output_format: Option<OutputFormat>,
    /// Write the results to this file, which appears when they are complete [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write the failed items to this file, in their original format, so they can be fixed and re-submitted
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub failed: Option<PathBuf>,
    /// Overwrite the files that --out, --failed and --summary name, if they exist
    #[arg(long, requires = "replaceable", help_heading = "Output")]
    pub force: bool,
    /// Write a JSON summary of the run to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub summary: Option<PathBuf>,
    /// Show no progress bar
    #[arg(long, help_heading = "Output")]
    pub no_progress: bool,

    /// Issue each item once, however often the run is repeated under this key, such as the name of the batch
    #[arg(long, value_name = "KEY", env = "BELTIC_IDEMPOTENCY_KEY", help_heading = "Running again")]
    pub idempotency_key: Option<String>,
    /// Check everything and say what would be issued; write nothing, take no index
    #[arg(long, help_heading = "Running again")]
    pub dry_run: bool,
    /// Exit with 0, not 3, where items failed but nothing else went wrong; for engines that retry on any other code
    #[arg(long, help_heading = "Running again")]
    pub accept_failures: bool,
    /// Accept an input without items: the results are empty, and the exit code is 0, not 4
    #[arg(long, help_heading = "Input")]
    pub allow_empty: bool,
    /// Stop once more than N items, or N% of the items so far, have failed
    #[arg(long, value_name = "N|N%", value_parser = parse_max_failures, help_heading = "Running again")]
    pub max_failures: Option<MaxFailures>,

    /// How many items are worked on at once, at most 1,024 [default: all cores]
    #[arg(long, short, value_name = "N", env = "BELTIC_JOBS", help_heading = "Speed")]
    pub jobs: Option<NonZeroU16>,
}

impl BatchIssueArgs {
    /// Where the results go.
    pub fn output(&self) -> OutputArgs {
        OutputArgs { out: self.out.clone(), force: self.force }
    }
}

/// The greatest limit for the length of an item. Places in a batch's text are 32 bits wide.
const MAX_ITEM_BYTES: i64 = LARGEST_MAX_ITEM_BYTES as i64;
/// The most workers.
pub(super) const MAX_JOBS: usize = 1024;

/// What `keygen` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    before_help = "Examples:
  beltic keygen
  beltic keygen --issuer did:web:issuer.example
  beltic keygen --out keys/2027.pem
  beltic keygen --if-missing          in scripts: keeps the key that is there
"
)]
pub struct KeygenArgs {
    /// Where the private key goes; the public JWK goes beside it, ending in .pub.jwk [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Keep a key that is there, and succeed
    #[arg(long)]
    pub if_missing: bool,
    /// The issuer, from which the key's kid is made [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER")]
    pub issuer: Option<String>,
    /// A file whose first line is the passphrase of the key that is there [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "if_missing")]
    pub passphrase_file: Option<PathBuf>,
}

/// What `verify` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    group = ArgGroup::new("keys").args(["jwks", "did", "key", "site", "issuer"]).multiple(true).required(true),
    before_help = "Examples:
  beltic verify results.ndjson --site public
  beltic verify tokens.txt --did did.json --status-list lists
  beltic verify results.csv --key .beltic/issuer.pub.jwk --no-status
  beltic verify --jwks jwks.json --no-status < token.txt
"
)]
pub struct VerifyArgs {
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

    /// Accept credentials of this type only
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub vct: Option<String>,
    /// Accept credentials for this audience; without it, those that name one are refused
    #[arg(long, value_name = "URI", help_heading = "What is accepted")]
    pub audience: Option<String>,
    /// Verify as of this time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", help_heading = "What is accepted")]
    pub at: Option<String>,
    /// By how many seconds clocks may differ
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_LEEWAY)), help_heading = "What is accepted")]
    pub leeway: u32,
    /// Refuse credentials that live for longer than this ISO 8601 duration
    #[arg(long, value_name = "DURATION", help_heading = "What is accepted")]
    pub max_ttl: Option<String>,
    /// Accept JWTs with a `vc` claim (VC Data Model 1.1), too
    #[arg(long, help_heading = "What is accepted")]
    pub legacy_vc: bool,

    /// The form of the verdicts [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_enum, env = "BELTIC_OUTPUT_FORMAT", help_heading = "Output")]
    pub output_format: Option<VerdictFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How many chunks of tokens are worked on at once, at most 1,024 [default: all cores]
    #[arg(long, short, value_name = "N", env = "BELTIC_JOBS", help_heading = "Output")]
    pub jobs: Option<NonZeroU16>,
}

/// The forms of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictFormat {
    /// One verdict a line, as JSON
    Ndjson,
    /// One short line a token, for people
    Text,
}

/// What `inspect` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    before_help = "Examples:
  beltic inspect results.ndjson
  beltic inspect eyJhbGciOiJFUzI1NiIs…
  beltic inspect results.ndjson --output-format json
  head -n 1 results.ndjson | beltic inspect --output-format text
"
)]
pub struct InspectArgs {
    /// A token, or a file of tokens, results, or keys; `-` or none: standard input
    #[arg(value_name = "TOKEN or FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<String>,
    /// The form of the output [default: by the file's extension, else text on a terminal, json in a pipe]
    #[arg(long, value_enum, help_heading = "Output")]
    pub output_format: Option<InspectFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The forms of `inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// For people
    Text,
    /// One JSON object a token
    #[value(alias = "ndjson")]
    Json,
}

/// What `present` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    before_help = "Examples:
  beltic present credential.txt --disclose claims.registered_address
  beltic present credential.txt --disclose 'claims.beneficial_owners[]'
  beltic present credential.txt --disclose /claims/beneficial_owners/0
  beltic present credential.txt               shows nothing that can be withheld
"
)]
pub struct PresentArgs {
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

/// What `revoke`, `suspend` and `reinstate` take: which credentials, why, and how it is told.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    group = ArgGroup::new("which").args([
        "ids", "from", "run", "subject", "correlation_id", "issuer", "kid", "vct",
    ]).multiple(true).required(true)
)]
pub struct StatusArgs {
    /// Ids of credentials, with or without `urn:uuid:`
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "ids", help_heading = "Which credentials")]
    pub from: Option<PathBuf>,
    /// All credentials of this run: its id or its idempotency key
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub run: Option<String>,
    /// All credentials of this subject id; may be given again
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub subject: Vec<String>,
    /// All credentials of this correlation id; may be given again
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub correlation_id: Vec<String>,
    /// All credentials of this issuer
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub issuer: Option<String>,
    /// All credentials signed with the key of this id
    #[arg(long, value_name = "KID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub kid: Option<String>,
    /// All credentials of this type
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub vct: Option<String>,

    /// Do not ask before changing more than 10 credentials
    #[arg(long, short)]
    pub yes: bool,

    /// Say what would be changed; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The form of the results [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_enum, help_heading = "Output")]
    pub output_format: Option<RowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The ledger that the credentials were issued with [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
}

/// What `publish` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    before_help = "Examples:
  beltic publish --out site
  beltic publish --out site --issuer did:web:issuer.example
  beltic publish --out site --check   for cron: exit code 3 when work is due
  beltic publish --out new --previous site   after restoring the ledger
"
)]
pub struct PublishArgs {
    /// The site's directory, the root of the issuer's host; only what has changed is written
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Write nothing; say what is missing, outdated or about to lapse
    #[arg(long)]
    pub check: bool,
    /// Also compare revocations with this copy of a site published earlier
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub previous: Option<PathBuf>,
    /// Publish although a restored ledger lost revocations; those already published stay revoked
    #[arg(long)]
    pub accept_lost_revocations: bool,

    /// The issuer's private key, which signs the lists [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub passphrase_file: Option<PathBuf>,
    /// did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER", help_heading = "Issuer")]
    pub issuer: Option<String>,
    /// PEM certificates for the header of token status lists, the key's own first
    #[arg(long, value_name = "FILE", env = "BELTIC_X5C", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub x5c: Option<PathBuf>,
    /// The credential type's name, where its metadata are published [default: from the issuer]
    #[arg(long, value_name = "URI", env = "BELTIC_VCT", help_heading = "Issuer")]
    pub vct: Option<String>,
    /// The ledger with the lists [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath, help_heading = "Issuer")]
    pub ledger: Option<PathBuf>,
}

/// What `list` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    group = ArgGroup::new("condition").multiple(true).args([
        "status", "run", "subject", "correlation_id", "issuer", "kid", "vct", "issued_after", "issued_before", "expires_after",
        "expires_before", "expiring_within",
    ]),
    before_help = "Examples:
  beltic list --status revoked
  beltic list --run 2027-01 --output-format csv > credentials.csv
  beltic list --subject EX-GB-00EX4179
  beltic list --expiring-within P30D   for cron: exit code 3 when there are any
  beltic list --events
  beltic list --events --verify
"
)]
pub struct ListArgs {
    /// The ledger [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,

    /// Of this status; one that has expired keeps its status
    #[arg(long, value_parser = status(), help_heading = CONDITIONS)]
    pub status: Option<Status>,
    /// Issued by this run: its idempotency key, or its `run_id`
    #[arg(long, value_name = "NAME", help_heading = CONDITIONS)]
    pub run: Option<String>,
    /// Of the subject with this id; repeated: of any of them
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub subject: Vec<String>,
    /// Of the item with this correlation id; repeated: of any of them
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub correlation_id: Vec<String>,
    /// Of this issuer
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub issuer: Option<String>,
    /// Signed with the key of this id
    #[arg(long, value_name = "KID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub kid: Option<String>,
    /// Of this type
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub vct: Option<String>,
    /// Issued at or after this time: RFC 3339, or a date for its start in UTC
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub issued_after: Option<UnixTime>,
    /// Issued before this time, not at it
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub issued_before: Option<UnixTime>,
    /// Expiring at or after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub expires_after: Option<UnixTime>,
    /// Expiring before this time, not at it
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub expires_before: Option<UnixTime>,
    /// Neither expired nor revoked, and expiring in this time from now on, such as P30D; exit code 3 when there are any
    #[arg(long, value_name = "DURATION", value_parser = CalendarDuration::parse, conflicts_with_all = ["expires_after", "expires_before"], help_heading = CONDITIONS)]
    pub expiring_within: Option<CalendarDuration>,

    /// At most so many rows
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub limit: Option<NonZeroUsize>,
    /// Go on after this row: its `cursor`, or with --events its `event`
    #[arg(long, value_name = "CURSOR", help_heading = "Output")]
    pub after: Option<String>,
    /// The form of the rows [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_enum, help_heading = "Output")]
    pub output_format: Option<RowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,

    /// List what happened instead: the audit trail
    #[arg(long, conflicts_with = "condition", help_heading = "Audit trail")]
    pub events: bool,
    /// Check the whole trail: that no event was changed or removed
    #[arg(long, requires = "events", conflicts_with_all = ["limit", "after", "output_format"], help_heading = "Audit trail")]
    pub verify: bool,
    /// A head that --verify told before; it must still be in the trail
    #[arg(long, value_name = "HEX", value_parser = parse_hash, requires = "verify", help_heading = "Audit trail")]
    pub head: Option<EventHash>,
}

/// What `show` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    before_help = "Examples:
  beltic show urn:uuid:01a206e6-9989-7123-a539-f16d67dba009
  beltic show 01a206e6-9989-7123-a539-f16d67dba009 --output-format json
"
)]
pub struct ShowArgs {
    /// The credential's id, with or without its urn:uuid:
    #[arg(value_name = "ID")]
    pub id: String,
    /// The ledger [default: .beltic/ledger.db]
    #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// The form of the output [default: by the file's extension, else text on a terminal, json in a pipe]
    #[arg(long, value_enum, help_heading = "Output")]
    pub output_format: Option<ShowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `ledger` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    before_help = "Examples:
  beltic ledger check
  beltic ledger backup /backup/ledger.db --force
  beltic ledger close-lists
",
    mut_subcommands(with_exit_codes),
    after_help = ExitStatus::help()
)]
pub struct LedgerArgs {
    /// What to do with the ledger.
    #[command(subcommand)]
    pub action: LedgerAction,
}

/// What can be done with a ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerAction {
    /// Check that the file is intact and that no index, id or item occurs twice
    #[command(
        help_template = HELP_TEMPLATE,
        before_help = "Examples:
  beltic ledger check
  beltic ledger check --ledger /var/lib/issuer/ledger.db
"
    )]
    Check {
        /// The ledger [default: .beltic/ledger.db]
        #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", hide_env_values = true, value_hint = ValueHint::FilePath)]
        ledger: Option<PathBuf>,
    },
    /// Write a consistent copy of the ledger, also while others issue
    #[command(
        help_template = HELP_TEMPLATE,
        before_help = "Examples:
  beltic ledger backup /backup/ledger.db --force
"
    )]
    Backup {
        /// The file to write
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Overwrite the file if it exists
        #[arg(long)]
        force: bool,
        /// The ledger [default: .beltic/ledger.db]
        #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", hide_env_values = true, value_hint = ValueHint::FilePath)]
        ledger: Option<PathBuf>,
    },
    /// Close the open status lists, so that new credentials go into new ones: after every restore
    #[command(
        help_template = HELP_TEMPLATE,
        before_help = "Examples:
  beltic ledger close-lists
"
    )]
    CloseLists {
        /// The ledger [default: .beltic/ledger.db]
        #[arg(long, value_name = "FILE", env = "BELTIC_LEDGER", hide_env_values = true, value_hint = ValueHint::FilePath)]
        ledger: Option<PathBuf>,
    },
}

/// What `schema` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    before_help = "Examples:
  beltic schema > item.schema.json
  beltic schema --vct > business-v1.json
"
)]
pub struct SchemaArgs {
    /// Print the SD-JWT type metadata document instead, for this type [default: the credentials' own]
    #[arg(long, value_name = "URI", num_args = 0..=1)]
    pub vct: Option<Option<String>>,
    /// The issuer, from which the type's name is made
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER", requires = "vct")]
    pub issuer: Option<String>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `template` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    before_help = "Examples:
  beltic template csv > items.csv
  beltic template csv --owners 5 > items.csv
  beltic template ndjson > items.ndjson
"
)]
pub struct TemplateArgs {
    /// The form of the file
    #[arg(value_enum)]
    pub format: InputFormat,
    /// For how many beneficial owners there is room
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub owners: u16,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `bench` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    mut_args(|arg| arg.hide_env_values(true)),
    before_help = "Examples:
  beltic bench
  beltic bench --jobs 1 --rounds 7
",
    after_help = "The ledger of the measurement is made in the working directory, on the disk that you want to measure.\n"
)]
pub struct BenchArgs {
    /// How many credentials a round issues
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub items: u32,
    /// How many rounds; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    pub rounds: u8,
    /// The key that signs [default: .beltic/issuer.pem, else a new key]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// How many items are worked on at once, at most 1,024 [default: all cores]
    #[arg(long, short, value_name = "N", env = "BELTIC_JOBS")]
    pub jobs: Option<NonZeroU16>,
}

/// What `completions` takes.
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    group = ArgGroup::new("what").args(["shell", "man"]).required(true),
    before_help = "Examples:
  beltic completions bash > ~/.local/share/bash-completion/completions/beltic
  beltic completions zsh > ~/.zfunc/_beltic
  beltic completions fish > ~/.config/fish/completions/beltic.fish
  beltic completions --man ~/.local/share/man/man1
"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Option<clap_complete::Shell>,
    /// Write man pages into this directory instead, one for each command; those that are there are replaced
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub man: Option<PathBuf>,
}

/// The forms of batch files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// {"items": […]} or an array of items
    Json,
    /// One item a line
    Ndjson,
    /// A header row, then one item a row
    Csv,
}

/// The forms of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One result a line, as JSON
    Ndjson,
    /// One short line an item, for people
    Text,
    /// {"results": […], "success_count": n, "failure_count": n}
    Json,
    /// A header row, then one result a row
    Csv,
    /// One token a line; failed items go to standard error
    Jwt,
}

/// The forms of rows about credentials and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// One row a line, as JSON
    Ndjson,
    /// One short line a row, for people
    Text,
    /// A header row, then the rows
    Csv,
}

/// The forms of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For people
    Text,
    /// One JSON object on one line
    #[value(alias = "ndjson")]
    Json,
}

/// Over the conditions of `list`.
const CONDITIONS: &str = "Which credentials (all conditions must hold)";

/// Examples come first, then what the command is for.
const HELP_TEMPLATE: &str =
    "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}{after-help}";

fn parse_max_failures(text: &str) -> Result<MaxFailures, String> {
    let limit = match text.strip_suffix('%') {
        Some(percent) => {
            percent.parse().ok().filter(|share| (0.0..=100.0).contains(share)).map(MaxFailures::Percent)
        }
        None => text.parse().ok().map(MaxFailures::Count),
    };
    limit.ok_or_else(|| "expected a number such as 10, or a share such as 5%".to_owned())
}

/// The first whole second at or after a time: nothing happens between seconds here.
fn parse_time(text: &str) -> Result<UnixTime, String> {
    rules::date_time(text)
        .or_else(|| rules::date_time(&format!("{text}T00:00:00Z")))
        .and_then(|time| {
            let begun = i64::from(time.subsec_nanosecond() > 0);
            UnixTime::from_seconds(time.as_second() + begun)
        })
        .ok_or_else(|| {
            "expected an RFC 3339 date-time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31, from 1970 on"
                .to_owned()
        })
}

fn parse_hash(text: &str) -> Result<EventHash, &'static str> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * EventHash::default().len()).ok_or(HASH_FORM)?;
    Ok(std::array::from_fn(|byte| digits[2 * byte] << 4 | digits[2 * byte + 1]))
}

/// What the hash of an event looks like.
const HASH_FORM: &str = "expected 64 hex digits, as `list --events --verify` tells them";

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::as_str)).map(|name| {
        let known = Status::ALL.into_iter().find(|status| status.as_str() == name);
        known.expect("clap lets only listed names through")
    })
}

fn proof_format() -> impl TypedValueParser<Value = ProofFormat> {
    PossibleValuesParser::new(ProofFormat::ALL.map(ProofFormat::as_str)).map(|name| {
        let known = ProofFormat::ALL.into_iter().find(|format| format.as_str() == name);
        known.expect("clap lets only listed names through")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_text_starts_with_examples_that_can_be_typed() {
        let path = "cli::args::tests::every_help_text_starts_with_examples_that_can_be_typed";
        if crate::machine::ran_without_settings(path) {
            return;
        }
        let mut program = Cli::command();
        program.build();
        let mut examples = Vec::new();
        for mut command in with_those_below(&program) {
            let help = command.render_long_help().to_string();
            assert!(help.starts_with("Examples:\n  beltic "), "{help}");
            let shown = command.get_before_help().map(ToString::to_string).unwrap_or_default();
            examples.extend(shown.lines().skip(1).map(str::to_owned));
        }
        assert!(examples.len() > 40, "{examples:#?}");
        for example in examples {
            assert!(example.chars().count() <= 80, "{example}");
            let words = words_of(&example);
            assert_eq!(words[0], "beltic", "{example}");
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn no_help_text_shows_the_reader_s_environment_or_wraps_the_exit_codes() {
        let mut program = Cli::command();
        program.build();
        for command in with_those_below(&program) {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                assert!(arg.is_hide_env_values_set(), "{}: {}", command.get_name(), arg.get_id());
            }
        }
        for line in ExitStatus::help().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    /// The program, its commands and theirs, without those that print help.
    fn with_those_below(command: &clap::Command) -> Vec<clap::Command> {
        let mut commands = vec![command.clone()];
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        commands.extend(below.flat_map(with_those_below));
        commands
    }

    /// The words of an example's own command: what follows a pipe's last `|`, up to `>` or a comment,
    /// which stands behind three spaces.
    fn words_of(example: &str) -> Vec<String> {
        let command = example.trim().split("   ").next().unwrap_or_default();
        let command = command.split(" | ").last().unwrap_or_default();
        let words = command.split_whitespace().take_while(|word| !matches!(*word, ">" | "<"));
        words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
    }
}
