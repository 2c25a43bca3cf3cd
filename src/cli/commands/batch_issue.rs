//! `beltic batch-issue`: resolve, issue, report.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Instant;

use super::super::args::{BatchIssueArgs, Common, OutputFormat};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::report::{Report, Summary};
use super::super::settings::{self, Settings};
use super::super::{render, streams};
use crate::batch::{self, Plan};
use crate::clock::system_now;
use crate::credential::Profile;
use crate::files;
use crate::ledger::{self, Ledger, RunDescription};
use crate::request::Rules;
use crate::source::{Input, Source};

pub(super) fn run(common: &Common, args: &BatchIssueArgs) -> Result<ExitStatus, Failure> {
    let (started, started_at) = (Instant::now(), system_now());
    let settings = Settings::load(common)?;
    let clock = settings::clock(args.issued_at.as_deref())?;
    let default_ttl = settings.default_ttl(args, clock.now())?;
    let inputs = settings::inputs(&args.inputs)?;
    let total_bytes = total_bytes(&inputs);
    let mut source = Source::open(inputs, settings.source(args)?)?;

    let key_path = settings.key_path(&args.key);
    let key = settings::load_key(&key_path, args.passphrase_file.as_deref(), common.quiet)?;
    let issuer = settings.issuer(&args.issuer, key.public())?;
    let profile = Profile::new(&issuer, settings.profile(args)?);
    let run = RunDescription {
        name: ledger::new_run_name().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?,
        issuer: profile.issuer.clone(),
        kid: profile.kid.clone(),
        status_base: settings.status_base()?,
    };
    let format = args.output.unwrap_or_else(default_format);
    let form = render::form(format, streams::color_on_stdout(common.color) && args.out.is_none());
    let mut output = open_output(args)?;
    let ledger = settings.ledger_path(&args.ledger).map(|path| Ledger::open(&path)).transpose()?;
    let hash_key = ledger.as_ref().map(Ledger::hash_key).unwrap_or_default();
    let plan = Plan {
        profile: &profile,
        key: &key,
        rules: Rules { allow_unknown: args.allow_unknown, default_ttl, hash_key },
        clock,
        jobs: settings.jobs(args),
        run,
    };

    let progress = Progress::new(total_bytes, !common.quiet && !args.no_progress);
    let mut report = Report::new(progress, common.quiet);
    let issued = batch::issue(&mut source, &plan, ledger, form.as_render(), |delivery| {
        report.deliver(delivery, form.as_ref(), &mut output)
    });
    report.input_warnings(&source.warnings());
    let counts = report.finish();
    let finished = output.finish(&form.tail(counts.issued, counts.failed));

    let summary = Summary::new(&plan, &counts, started_at, &source.bytes_read());
    if let Some(path) = &args.summary {
        files::replace(path, &summary.to_json())?;
    }
    if !common.quiet && counts.items() > 0 {
        streams::say(&counts.closing_line(started.elapsed()));
    }
    issued?;
    finished?;
    Ok(if counts.failed == 0 { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

fn default_format() -> OutputFormat {
    if io::stdout().is_terminal() { OutputFormat::Text } else { OutputFormat::Ndjson }
}

fn open_output(args: &BatchIssueArgs) -> Result<Output, Failure> {
    match &args.out {
        Some(path) => Output::to_file(path, args.force),
        None => Ok(Output::to_stdout()),
    }
}

/// The size of all inputs as stored, where all are regular files.
fn total_bytes(inputs: &[Input]) -> Option<u64> {
    let size = |path: &Path| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    inputs.iter().map(|input| if let Input::File(path) = input { size(path) } else { None }).sum()
}
