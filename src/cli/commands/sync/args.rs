//! What `sync` takes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::super::batch_issue::{IssuingArgs, id_rule};
use crate::request::IdRule;
use crate::request::rules::CalendarDuration;

/// What `sync` takes.
#[derive(Debug, Args)]
#[command(
    mut_arg("ledger", |arg| arg.help(LEDGER)),
    before_help = "Examples:
  beltic sync register.csv --plan
  beltic sync register.csv --prune
  beltic sync register.csv --prune --renew-within P30D --out changes.ndjson
  beltic sync north.csv south.csv --scope branches --by subject-id
",
    after_help = "A second sync of the same file changes nothing. `beltic help register` explains the rules.\n"
)]
pub(crate) struct SyncArgs {
    /// The register, in one file or several; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    pub inputs: Vec<PathBuf>,

    /// Name of the scope; each register has its own
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = scope_name, help_heading = "Register")]
    pub scope: String,
    /// What items are known by
    #[arg(
        long,
        value_name = "FIELD",
        value_parser = id_rule(&[IdRule::CorrelationId, IdRule::SubjectId]),
        default_value = IdRule::CorrelationId.as_str(),
        help_heading = "Register"
    )]
    pub by: IdRule,
    /// Renew credentials that expire within this time; such as P30D, and never in the first half of their life
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Register")]
    pub renew_within: Option<CalendarDuration>,
    /// Revoke credentials of items that are gone
    #[arg(long, help_heading = "Register")]
    pub prune: bool,
    /// Stop if more than N, or N%, would be revoked; N% is of the active credentials [default: 10%, at least 5]
    #[arg(long, value_name = "N|N%", value_parser = max_removals, help_heading = "Register")]
    pub max_removals: Option<MaxRemovals>,
    /// Print what would be done; change nothing, and exit with 3 if there is work
    #[arg(long, help_heading = "Register")]
    pub plan: bool,
    /// Print results of unchanged items as well
    #[arg(long, help_heading = "Register")]
    pub all: bool,
    /// Revoke the former credential when one is renewed
    #[arg(long, help_heading = "Register")]
    pub revoke_renewed: bool,
    /// Replace suspended credentials of items that have changed
    #[arg(long, help_heading = "Register")]
    pub replace_suspended: bool,
    /// Issue a new credential where someone revoked the former one
    #[arg(long, help_heading = "Register")]
    pub reissue_revoked: bool,
    /// Take active credentials that were issued outside of the scope into it
    #[arg(long, help_heading = "Register")]
    pub adopt: bool,

    /// How items are read, credentials made, and results written.
    #[command(flatten)]
    pub issuing: IssuingArgs,
}

/// What the ledger is to this command.
const LEDGER: &str = "Where credentials and the scope are recorded [default: .beltic/ledger.db]";

/// The longest name of a scope, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// How many credentials may be revoked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MaxRemovals {
    /// So many.
    Count(u64),
    /// So many of a hundred that are active at the start.
    Percent(f64),
}

impl MaxRemovals {
    /// How many that is.
    pub(super) fn limit(limit: Option<MaxRemovals>, active: u64) -> u64 {
        let share = |percent: f64| (active as f64 * percent / 100.0) as u64;
        match limit {
            Some(MaxRemovals::Count(most)) => most,
            Some(MaxRemovals::Percent(percent)) => share(percent),
            None => share(10.0).max(5),
        }
    }
}

fn max_removals(text: &str) -> Result<MaxRemovals, String> {
    let limit = match text.strip_suffix('%') {
        Some(percent) => {
            percent.parse().ok().filter(|share| (0.0..=100.0).contains(share)).map(MaxRemovals::Percent)
        }
        None => text.parse().ok().map(MaxRemovals::Count),
    };
    limit.ok_or_else(|| "expected a number such as 10, or a percentage such as 5%".to_owned())
}

fn duration(text: &str) -> Result<CalendarDuration, String> {
    CalendarDuration::parse(text).map_err(|problem| problem.to_string())
}

fn scope_name(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty()
        && text.len() <= MAX_NAME_BYTES
        && text.trim() == text
        && !text.chars().any(crate::invisible::is_invisible);
    match is_plain {
        true => Ok(text.to_owned()),
        false => {
            Err(format!("expected 1 to {MAX_NAME_BYTES} visible characters, and no space at either end"))
        }
    }
}
