//! What `revoke`, `suspend` and `reinstate` take.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueHint};

use crate::cli::shared_args::{LedgerArg, OutputArgs, RowFormat, credential_type};

/// What `revoke`, `suspend` and `reinstate` take: which credentials, why, and how it is told.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").args([
        "ids", "from", "run", "subject", "correlation_id", "issuer", "kid", "vct", "credential_type",
    ]).multiple(true).required(true)
)]
pub(crate) struct StatusArgs {
    /// Ids of credentials, with or without `urn:uuid:`
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Read results, ids or tokens from this file; `-` is standard input, and a CSV needs a column credential_id, id, signed_payload, correlation_id or subject_id
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "ids", help_heading = "Which credentials")]
    pub from: Option<PathBuf>,
    /// All credentials of this run; its id or idempotency key
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub run: Option<String>,
    /// All credentials of this subject id; repeatable
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub subject: Vec<String>,
    /// With --subject: also what they delegated; these are agent authorizations
    #[arg(long, requires = "subject", conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub delegated: bool,
    /// All credentials of this correlation id; repeatable
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub correlation_id: Vec<String>,
    /// All credentials of this issuer
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub issuer: Option<String>,
    /// All credentials signed with the key that has this id
    #[arg(long, value_name = "KID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub kid: Option<String>,
    /// All credentials of the type with this URI
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub vct: Option<String>,
    /// All credentials of this credential type
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub credential_type: Option<String>,

    /// Do not ask; otherwise changing more than 10 credentials needs confirmation
    #[arg(long, short)]
    pub yes: bool,

    /// Show what would change; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the results [default: from the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<RowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Where credentials are recorded.
    #[command(flatten)]
    pub ledger: LedgerArg,
    /// The reason; key_rotation, compromised, policy_change, user_request, error, or your own text (no personal data)
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
}
