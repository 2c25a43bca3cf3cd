//! `beltic deliver`: read, lay out, hand over.
//!
//! Credentials are read as a stream, made into certificates by several workers, and written in their order. A folder of
//! a credential appears whole or not at all ([`Folders`](crate::files::Folders)), and the index at the end. Memory
//! holds a few credentials at once, and a hash of each name.
//!
//! Nothing is verified. `verify` has the keys, lists and policy that this takes, and its verdict would be a different
//! one on the day on which somebody reads the paper. What is refused here are rows that hold no credential, and tokens
//! of another form than those that are issued.

mod args;
mod handover;
mod looks;
mod rows;
mod station;

use std::path::Path;
use std::time::Instant;

pub(super) use self::args::DeliverArgs;
use self::handover::Handover;
use self::looks::Looks;
use self::rows::Rows;
use self::station::{Making, Station};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::settings::Settings;
use crate::cli::shared_args::Common;
use crate::cli::signals::StopSignals;
use crate::cli::streams;
use crate::deliver::Disclosing;
use crate::issuer;
use crate::pipeline;

/// What to do without a verification page.
const NO_PAGE: &str = "warning: the QR codes hold only credential ids, because no verification page is configured; set \
     `status.base_url`, or pass `--page URL`";

/// The longest address of the page, in bytes: a code has to hold it, and the credential's id.
const MAX_PAGE_BYTES: usize = 500;

pub(super) fn run(common: &Common, args: &DeliverArgs) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    let settings = Settings::load(common)?;
    let making = Making {
        looks: Looks::of(&settings, args)?,
        page: page(&settings, args)?,
        disclosing: Disclosing::new(args.disclose.clone()),
        columns: args.column.clone(),
    };
    let signals = StopSignals::listen()?;
    let mut rows = Rows::open(&args.inputs, &signals.stop)?;
    let kept = Kept::files(args.inputs.iter().map(Path::new)).and_settings(&settings);
    let mut handover = Handover::begin(args, &making, kept, common.quiet)?;
    if making.page.is_none() && !common.quiet {
        streams::say(NO_PAGE);
    }
    let mut written = true;
    let ended = pipeline::run(
        settings.jobs(&args.jobs.jobs),
        || Ok::<_, Failure>(Station::new(&making)),
        || rows.next(),
        Ok,
        |made| handover.take(made).inspect_err(|_| written = false),
    );
    if !written {
        return ended.map(|()| ExitStatus::SomeFailed).map_err(unfinished);
    }
    // What could be read is handed over, whatever kept the rest from being read.
    let handed_over = handover.finish().map_err(unfinished)?;
    if !common.quiet {
        handed_over.closing_lines(&args.out, started.elapsed()).iter().for_each(|line| streams::say(line));
    }
    Failure::of_all([ended.err(), signals.failure()].into_iter().flatten())?;
    Ok(if handed_over.failed == 0 { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

/// What to say of a folder that could not be written to its end.
fn unfinished(failure: Failure) -> Failure {
    failure.hint("folders that are there are complete; run the command again with `--force`")
}

/// The address of the verification page: as typed, else in the site that `publish` writes.
fn page(settings: &Settings, args: &DeliverArgs) -> Result<Option<String>, Failure> {
    if let Some(url) = &args.page {
        let problem = match issuer::check_https_url(url) {
            Err(fault) => Some(fault.to_string()),
            Ok(()) if url.len() > MAX_PAGE_BYTES => Some(format!("it is longer than {MAX_PAGE_BYTES} bytes")),
            Ok(()) => None,
        };
        return match problem {
            Some(problem) => Err(Failure::usage(format!(
                "--page is \"{}\"; expected an https:// URL without a query: {problem}",
                streams::printable(url)
            ))),
            None => Ok(Some(url.clone())),
        };
    }
    let base = match settings.configured_status_base()? {
        Some(base) => Some(base),
        None => settings
            .value(&None, |config| &config.issuer.did)
            .map(|did| issuer::status_base_of(&did))
            .transpose()?
            .flatten(),
    };
    Ok(base.map(|base| format!("{}/verify/", base.trim_end_matches('/'))))
}
