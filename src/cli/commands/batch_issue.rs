//! `beltic batch-issue`: resolve, issue, report.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Instant;

use super::super::args::{BatchIssueArgs, Common, OutputFormat};
use super::super::exit::ExitStatus;
use super::super::failed_file::FailedFile;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::render;
use super::super::report::{Report, Summary};
use super::super::settings::{self, Settings};
use super::super::signals::StopRequest;
use super::super::streams;
use crate::batch::{self, BatchError, Plan, Register};
use crate::clock::system_now;
use crate::credential::{Profile, ProfileSettings};
use crate::files::Replacement;
use crate::ledger::{self, History, Ledger, RunDescription, Terms};
use crate::request::Rules;
use crate::source::{Input, Source};

pub(super) fn run(common: &Common, args: &BatchIssueArgs) -> Result<ExitStatus, Failure> {
    let (started, started_at) = (Instant::now(), system_now());
    let stop = StopRequest::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let settings = Settings::load(common)?;
    let clock = settings::clock(args.issued_at.as_deref())?;
    let (default_ttl, ttl_text) = settings.default_ttl(args, clock.now())?;
    let inputs = settings::inputs(&args.inputs, &stop)?;
    let total_bytes = total_bytes(&inputs);
    let mut source = Source::open(inputs, settings.source(args)?)?;

    let key_path = settings.key_path(&args.key);
    let key = settings::load_key(&key_path, args.passphrase_file.as_deref(), common.quiet)?;
    let issuer = settings.issuer(&args.issuer, key.public())?;
    let profile_settings = settings.profile(args)?;
    let run = describe_run(
        args,
        &settings,
        &profile_settings,
        ttl_text,
        &Profile::new(&issuer, profile_settings.clone()),
    )?;
    let profile = Profile::new(&issuer, profile_settings);
    let form = render::form(format(args), streams::color_on_stdout(common.color) && args.out.is_none());
    let mut files = Files::begin(args)?;
    let opened = open_register(&settings, args, &run)?;
    let plan = Plan {
        profile: &profile,
        key: &key,
        rules: Rules { allow_unknown: args.allow_unknown, default_ttl, hash_key: opened.hash_key },
        clock,
        jobs: settings.jobs(args),
        run,
        max_failures: args.max_failures,
        keep_failed: files.failed.is_some(),
    };

    let progress = Progress::new(total_bytes, !common.quiet && !args.no_progress);
    let mut report =
        Report::new(form.as_ref(), &mut files.output, files.failed.as_mut(), progress, common.quiet);
    opened.warnings.iter().for_each(|warning| report.warn(warning));
    let issued = batch::issue(
        &mut source,
        &plan,
        opened.register,
        form.as_render(),
        || stop.is_made(),
        |delivery| report.deliver(delivery),
    );
    report.input_warnings(&source.warnings());
    let counts = report.finish();

    let summary = Summary::new(&plan, &counts, started_at, &source.bytes_read());
    let finished = files.finish(&form.tail(counts.issued, counts.failed), &summary);
    if !common.quiet && counts.items() > 0 {
        streams::say(&counts.closing_line(started.elapsed(), args.dry_run));
    }
    let how_to_go_on = |failure: Failure| match opened.recorded && counts.issued > 0 {
        true => failure.hint(go_on(&plan.run)),
        false => failure,
    };
    // A read that was given up is part of stopping; any other error is worth more than the stop.
    if let (Some(status), Ok(()) | Err(BatchError::Input(_))) = (stop.status(), &issued) {
        return Err(how_to_go_on(Failure::said(
            status,
            "stopped on request, after what was begun was finished",
        )));
    }
    issued.map_err(|error| how_to_go_on(error.into()))?;
    finished.map_err(how_to_go_on)?;
    Ok(if counts.failed == 0 { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

/// The form of the results.
fn format(args: &BatchIssueArgs) -> OutputFormat {
    let default = match args.out.is_none() && io::stdout().is_terminal() {
        true => OutputFormat::Text,
        false => OutputFormat::Ndjson,
    };
    args.output.unwrap_or(default)
}

/// What the run is called, and what must be the same if it is repeated.
fn describe_run(
    args: &BatchIssueArgs,
    settings: &Settings,
    profile_settings: &ProfileSettings,
    ttl: String,
    profile: &Profile,
) -> Result<RunDescription, Failure> {
    let name = match &args.idempotency_key {
        Some(key) if key.is_empty() || key.len() > MAX_KEY_BYTES => {
            return Err(Failure::usage(format!("the idempotency key must have 1 to {MAX_KEY_BYTES} bytes")));
        }
        Some(key) => key.clone(),
        None => ledger::new_run_name().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?,
    };
    Ok(RunDescription {
        name,
        repeatable: args.idempotency_key.is_some(),
        terms: Terms {
            issuer: profile.issuer.clone(),
            kid: profile.kid.clone(),
            proof_format: profile.proof_format.as_str().to_owned(),
            vct: profile.vct.clone(),
            context: profile_settings.context.clone().unwrap_or_default(),
            ttl,
        },
        status_base: settings.status_base()?,
    })
}

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// Where the run records what it issues, and what is to be said about that.
struct OpenedRegister {
    register: Register,
    hash_key: [u8; 32],
    /// Whether what is issued is recorded.
    recorded: bool,
    warnings: Vec<String>,
}

fn open_register(
    settings: &Settings,
    args: &BatchIssueArgs,
    run: &RunDescription,
) -> Result<OpenedRegister, Failure> {
    let path = settings.ledger_path(&args.ledger);
    if path.is_none() && run.repeatable {
        return Err(Failure::usage("--idempotency-key needs a ledger, which remembers what was issued"));
    }
    let mut warnings = Vec::new();
    let ledger = match &path {
        None => None,
        Some(path) if args.dry_run => Ledger::open_read_only(path)?,
        Some(path) => {
            let (ledger, history) = Ledger::open(path)?;
            if history == History::WentBack {
                warnings.push(format!(
                    "the ledger {} knows less than it once did, as after restoring a backup; credentials issued \
                     since then are missing from it. New ones go into new status lists",
                    path.display()
                ));
            }
            Some(ledger)
        }
    };
    if run.repeatable
        && !ledger.as_ref().map_or(Ok(false), |ledger| ledger.knows(run))?
        && ledger::is_run_name(&run.name)
    {
        warnings.push(
            "the ledger knows no run of this id; if it should, this is another ledger or an old copy of it"
                .to_owned(),
        );
    }
    let hash_key = ledger.as_ref().map(Ledger::hash_key).unwrap_or_default();
    let ledger = ledger.map(Box::new);
    let recorded = ledger.is_some() && !args.dry_run;
    let register = match ledger {
        ledger if args.dry_run => Register::DryRun(ledger),
        Some(ledger) => Register::Ledger(ledger),
        None => Register::None,
    };
    Ok(OpenedRegister { register, hash_key, recorded, warnings })
}

/// How a run that ended early is finished.
fn go_on(run: &RunDescription) -> String {
    format!(
        "to go on, repeat the command with `--idempotency-key {}`: what was issued comes out again, the rest is issued",
        run.name
    )
}

/// What the run writes beside the ledger. A dry run writes to standard output only.
struct Files {
    output: Output,
    failed: Option<FailedFile>,
    summary: Option<Replacement>,
}

impl Files {
    /// Begins every file, so that one that cannot be written is found before anything is issued.
    fn begin(args: &BatchIssueArgs) -> Result<Files, Failure> {
        if args.dry_run {
            return Ok(Files { output: Output::to_stdout(), failed: None, summary: None });
        }
        let output = match &args.out {
            Some(path) => Output::to_file(path, args.force)?,
            None => Output::to_stdout(),
        };
        let failed = args.failed.as_ref().map(|path| FailedFile::begin(path, args.force)).transpose()?;
        let summary = args.summary.as_deref().map(Replacement::begin).transpose()?;
        Ok(Files { output, failed, summary })
    }

    /// Completes every file, and tells the first fault.
    fn finish(self, tail: &[u8], summary: &Summary<'_>) -> Result<(), Failure> {
        let output = self.output.finish(tail).map_err(Failure::from);
        let failed = self.failed.map_or(Ok(()), FailedFile::finish);
        let summary =
            self.summary.map_or(Ok(()), |file| file.commit_with(&summary.to_json()).map_err(Failure::from));
        output.and(failed).and(summary)
    }
}

/// The size of all inputs as stored, where all are regular files.
fn total_bytes(inputs: &[Input]) -> Option<u64> {
    let size = |path: &Path| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    inputs.iter().map(|input| if let Input::File(path) = input { size(path) } else { None }).sum()
}
