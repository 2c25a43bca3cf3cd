//! What `batch-issue` takes, and what it shares with `sync`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum, ValueHint};

use crate::batch::{MaxFailures, Shard};
use crate::cli::credential_names::NameBy;
use crate::cli::shared_args::{
    InputFormat, IssuerArgs, JobsArg, KeyArgs, LedgerArg, OutputArgs, OutputFormat, TypeArg, whole_number,
};
use crate::credential::ProofFormat;
use crate::ledger::Duplicates;
use crate::request::IdRule;
use crate::source::{DEFAULT_MAX_ITEM_BYTES, LARGEST_MAX_ITEM_BYTES};

/// What `batch-issue` takes.
#[derive(Debug, Args)]
#[command(
    mut_arg("ledger", |arg| arg.help(LEDGER)),
    before_help = "Examples:
  beltic batch-issue items.ndjson > results.ndjson
  beltic batch-issue companies.csv --out results.csv --output-format csv
  beltic batch-issue a.json b.json --issuer did:web:issuer.example
  zcat items.ndjson.gz | beltic batch-issue --key issuer.pem --output-format jwt
  beltic batch-issue items.csv --dry-run
  beltic batch-issue items.csv --failed failed.csv --summary summary.json
  beltic batch-issue items.csv --idempotency-key companies-2026-11
  beltic batch-issue items.csv --shard 0/16 --idempotency-key companies-2026-11
"
)]
pub(crate) struct BatchIssueArgs {
    /// Batch files, read in this order as one run [default: standard input, also `-`]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<PathBuf>,

    /// How items are read, credentials made, and results written.
    #[command(flatten)]
    pub issuing: IssuingArgs,

    /// Reject more than 1,000 items, as the API does
    #[arg(long, help_heading = "Input")]
    pub api_limits: bool,
    /// Issue each item only once per key; repeat a run with the same key, such as the name of the batch
    #[arg(long, value_name = "KEY", env = "BELTIC_IDEMPOTENCY_KEY", help_heading = "Running again")]
    pub idempotency_key: Option<String>,
    /// What items are known by under the key [default: the correlation_id, else the place in the run]
    #[arg(
        long,
        value_name = "FIELD",
        value_parser = id_rule(&[IdRule::CorrelationId, IdRule::SubjectId, IdRule::Position]),
        requires = "idempotency_key",
        help_heading = "Running again"
    )]
    pub idempotent_by: Option<IdRule>,
    /// What to do when a run without a key begins with items that were issued before
    #[arg(long, value_name = "WHAT", value_enum, default_value = "warn", help_heading = "Running again")]
    pub duplicates: OnDuplicates,
    /// Issue only shard I of N, such as 0/16; N processes with the same files and key issue all items
    #[arg(long, value_name = "I/N", value_parser = str::parse::<Shard>, help_heading = "Input")]
    pub shard: Option<Shard>,
    /// Validate everything; issue and write nothing
    #[arg(long, help_heading = "Running again")]
    pub dry_run: bool,
    /// Stop when more than N items, or N%, have failed; N% is of the items so far
    #[arg(long, value_name = "N|N%", value_parser = parse_max_failures, help_heading = "Running again")]
    pub max_failures: Option<MaxFailures>,
}

/// What is the same for every command that issues.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("replaceable").args(["out", "failed", "summary", "report", "out_dir"]).multiple(true))]
pub(crate) struct IssuingArgs {
    /// The key that signs.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Who issues.
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Where credentials are recorded.
    #[command(flatten, next_help_heading = "Issuer")]
    pub ledger: LedgerArg,
    /// Your id at the API, echoed in results
    #[arg(long, value_name = "ID", env = "BELTIC_DEVELOPER_ID", help_heading = "Issuer")]
    pub developer_id: Option<String>,

    /// Format of the batch files [default: detected from the extension or content]
    #[arg(long, value_name = "FORMAT", value_enum, env = "BELTIC_INPUT_FORMAT", help_heading = "Input")]
    pub input_format: Option<InputFormat>,
    /// CSV delimiter: one character, or `tab` [default: detected from the header]
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub delimiter: Option<String>,
    /// Encoding of the files, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub encoding: Option<String>,
    /// Add this CSV column to every row, overriding csv.constants; repeatable
    #[arg(long, value_name = "FIELD=VALUE", help_heading = "Input")]
    pub set: Vec<String>,
    /// Keep unknown fields of subject and claims instead of failing the item
    #[arg(long, help_heading = "Input")]
    pub allow_unknown: bool,
    /// Maximum size of an item, in bytes
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX_ITEM_BYTES as u32, value_parser = whole_number::<u32>(1..=LARGEST_MAX_ITEM_BYTES as u64), help_heading = "Input")]
    pub max_item_bytes: u32,

    /// What is issued.
    #[command(flatten, next_help_heading = "Credentials")]
    pub of: TypeArg,
    /// Format of the credentials [default: jwt_vc]
    #[arg(long, value_name = "FORMAT", env = "BELTIC_PROOF_FORMAT", value_parser = proof_format(), help_heading = "Credentials")]
    pub proof_format: Option<ProofFormat>,
    /// Default validity period, an ISO 8601 duration; the ttl of an item overrides it [default: P1Y]
    #[arg(long, value_name = "DURATION", env = "BELTIC_TTL", help_heading = "Credentials")]
    pub ttl: Option<String>,
    /// Verify each credential with a second implementation before writing its result
    #[arg(long, help_heading = "Credentials")]
    pub verify: bool,
    /// Issue as of this time (RFC 3339), for tests and backdated runs [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Credentials")]
    pub issued_at: Option<String>,

    /// Format of the results [default: from the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, env = "BELTIC_OUTPUT_FORMAT", help_heading = "Output")]
    pub output_format: Option<OutputFormat>,
    /// Write the results to this file; it appears when they are complete [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write failed items to this file; they keep their original format, so they can be fixed and re-submitted
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub failed: Option<PathBuf>,
    /// Overwrite the files that --out, --failed, --summary and --report name, and write to an --out-dir that is not empty
    #[arg(long, requires = "replaceable", help_heading = "Output")]
    pub force: bool,
    /// Write a JSON summary of the run to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub summary: Option<PathBuf>,
    /// Write a page about the run to this file; it shows counts, reasons and failed items
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Write each credential to a file in this folder; the results are written as well
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub out_dir: Option<PathBuf>,
    /// What names the files of --out-dir
    #[arg(
        long,
        value_name = "FIELD",
        value_enum,
        default_value = "credential-id",
        requires = "out_dir",
        help_heading = "Output"
    )]
    pub name_by: NameBy,
    /// Write failed items to standard error as annotations of this service
    #[arg(long, value_name = "SERVICE", value_enum, help_heading = "Output")]
    pub annotations: Option<AnnotationService>,
    /// Show no progress bar and no progress lines
    #[arg(long, help_heading = "Output")]
    pub no_progress: bool,

    /// Exit with 0 instead of 3 if only items failed; for schedulers that retry on any other code
    #[arg(long, help_heading = "Running again")]
    pub accept_failures: bool,
    /// Accept an input without items: write empty results and exit with 0 instead of 4
    #[arg(long, help_heading = "Input")]
    pub allow_empty: bool,

    /// How much is done at once.
    #[command(flatten)]
    pub jobs: JobsArg,
}

impl IssuingArgs {
    /// The files that flags name for what the run writes.
    pub(crate) fn named_files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.out, &self.failed, &self.summary, &self.report].into_iter().flatten()
    }

    /// Where the results go.
    pub(crate) fn output(&self) -> OutputArgs {
        OutputArgs { out: self.out.clone(), force: self.force }
    }
}

/// What becomes of a run that begins as one before did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDuplicates {
    /// Warn, and issue them again
    Warn,
    /// Issue nothing, and exit with 6
    Refuse,
    /// Issue them again
    Allow,
}

impl From<OnDuplicates> for Duplicates {
    fn from(on_duplicates: OnDuplicates) -> Duplicates {
        match on_duplicates {
            OnDuplicates::Warn => Duplicates::Warn,
            OnDuplicates::Refuse => Duplicates::Refuse,
            OnDuplicates::Allow => Duplicates::Allow,
        }
    }
}

/// Takes the name of one of these rules.
pub(crate) fn id_rule(rules: &'static [IdRule]) -> impl TypedValueParser<Value = IdRule> {
    PossibleValuesParser::new(rules.iter().map(|rule| rule.as_str())).map(|name| {
        let known = rules.iter().find(|rule| rule.as_str() == name);
        *known.expect("clap lets only listed names through")
    })
}

/// Services that show annotations beside files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnnotationService {
    /// GitHub Actions
    Github,
}

/// What the ledger is to this command.
const LEDGER: &str =
    "Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]";

fn parse_max_failures(text: &str) -> Result<MaxFailures, String> {
    let limit = match text.strip_suffix('%') {
        Some(percent) => {
            percent.parse().ok().filter(|share| (0.0..=100.0).contains(share)).map(MaxFailures::Percent)
        }
        None => text.parse().ok().map(MaxFailures::Count),
    };
    limit.ok_or_else(|| "expected a number such as 10, or a percentage such as 5%".to_owned())
}

fn proof_format() -> impl TypedValueParser<Value = ProofFormat> {
    PossibleValuesParser::new(ProofFormat::ALL.map(ProofFormat::as_str)).map(|name| {
        let known = ProofFormat::ALL.into_iter().find(|format| format.as_str() == name);
        known.expect("clap lets only listed names through")
    })
}
