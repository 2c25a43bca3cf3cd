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
    /// Read results, ids or tokens from this file [a CSV: by its column credential_id, id, signed_payload, correlation_id or subject_id]; `-`: standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "ids", help_heading = "Which credentials")]
    pub from: Option<PathBuf>,
    /// All credentials of this run: its id or its idempotency key
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub run: Option<String>,
    /// All credentials of this subject id; may be given again
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub subject: Vec<String>,
    /// With --subject: also the agent authorizations that these subjects delegated
    #[arg(long, requires = "subject", conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub delegated: bool,
    /// All credentials of this correlation id; may be given again
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub correlation_id: Vec<String>,
    /// All credentials of this issuer
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub issuer: Option<String>,
    /// All credentials signed with the key of this id
    #[arg(long, value_name = "KID", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub kid: Option<String>,
    /// All credentials of this type, by its URI
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub vct: Option<String>,
    /// All credentials of this credential type
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type(), conflicts_with_all = ["ids", "from"], help_heading = "Which credentials")]
    pub credential_type: Option<String>,

    /// Do not ask before changing more than 10 credentials
    #[arg(long, short)]
    pub yes: bool,

    /// Say what would be changed; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The form of the results [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<RowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Where credentials are recorded.
    #[command(flatten)]
    pub ledger: LedgerArg,
    /// Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
}
