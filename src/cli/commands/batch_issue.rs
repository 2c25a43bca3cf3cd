//! `beltic batch-issue`: resolve, issue, report.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::batch::{self, Plan, Register, SelfCheck};
use crate::cli::args::{BatchIssueArgs, Common, OutputFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::failed_file::FailedFile;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::progress::Progress;
use crate::cli::render;
use crate::cli::report::{Counts, Facts, Report, Summary};
use crate::cli::settings::{self, Settings};
use crate::cli::signals::StopSignals;
use crate::cli::streams;
use crate::clock::{UnixTime, system_now};
use crate::credential::{Profile, ProfileSettings, ProofFormat};
use crate::files::{self, Target, TargetError};
use crate::invisible::{self, is_invisible};
use crate::issuer::Issuer;
use crate::keys::IssuerKey;
use crate::ledger::{self, Ledger, RunDescription};
use crate::request::Rules;
use crate::source::{RowCheck, Source};
use crate::types::Types;

pub(super) fn run(common: &Common, args: &BatchIssueArgs) -> Result<ExitStatus, Failure> {
    let started = (Instant::now(), system_now());
    let signals = StopSignals::listen()?;
    let settings = Settings::load(common)?;
    let clock = settings::clock(args.issued_at.as_deref())?;
    let (default_ttl, ttl) = settings.default_ttl(args, clock.now())?;
    let types = settings.types();
    let rules = |hash_key| Rules { types, allow_unknown: args.allow_unknown, default_ttl, hash_key };
    let mut source =
        open_source(&settings, args, batch::row_check(rules(Default::default()), clock), &signals)?;
    let key_path = settings.key_path(&args.key)?;
    let key = settings::load_key(&key_path, args.passphrase_file.as_deref(), common.quiet)?;
    let issuer = settings.issuer(&args.issuer, key.public())?;
    let profile_settings = settings.profile(args, &issuer, key.public())?;
    let mut caveats = caveats(&profile_settings, &issuer, clock.now());
    let profile = Profile::new(&issuer, profile_settings);
    let run = describe_run(args, &settings, ttl, &profile, &issuer)?;
    let ledger_path = settings.ledger_path(&args.ledger)?;
    if run.status_base.is_none() && ledger_path.is_some() {
        caveats.push(NO_LIST_ADDRESS.to_owned());
    }
    let format = output::form(args.output_format, &args.output(), OutputFormat::Text, OutputFormat::Ndjson)?;
    let form = render::form(format, output::takes_color(&args.output(), common.color));
    let notice = first_run_notice(ledger_path.as_deref(), &run, &issuer);
    let kept = Kept::files(args.inputs.iter().chain([&key_path]))
        .and_ledger(ledger_path.as_deref())
        .and_settings(&settings);
    let mut files = Files::begin(args, kept, settings.encoding(&args.encoding).is_some())?;
    let opened = open_register(&settings, args, &run, common.quiet)?;
    let self_check = self_check(args, &key, &profile, types, clock.now())?;
    let plan = Plan {
        profile: &profile,
        key: &key,
        rules: rules(opened.hash_key),
        clock,
        jobs: if source.is_one_chunk() { 0 } else { settings.jobs(&args.jobs) },
        run,
        max_failures: args.max_failures,
        keep_failed: files.failed.is_some(),
        self_check: self_check.as_ref(),
    };

    if let Some(notice) = notice.filter(|_| !common.quiet) {
        streams::say(&notice);
    }
    let progress = Progress::new(total_bytes(&args.inputs), !common.quiet && !args.no_progress);
    let mut report =
        Report::new(form.as_ref(), &mut files.output, files.failed.as_mut(), progress, common.quiet);
    caveats.iter().chain(&opened.warnings).for_each(|warning| report.warn(warning));
    let ended =
        batch::issue(&mut source, &plan, opened.register, form.as_render(), &signals.stop, |delivery| {
            report.deliver(delivery)
        });
    report.input_warnings(&source.warnings());
    if ended.outcome.is_ok() && args.allow_empty {
        report.begin()?;
    }
    let counts = report.finish();

    let stopped = signals.status().map(stopped_by);
    let complete = ended.outcome.is_ok() && stopped.is_none();
    let outcome = ended.outcome.err().map(Failure::from);
    let (summary, unwritten) = files.finish(&form.tail(counts.issued, counts.failed), complete);
    let mut failures: Vec<Failure> = outcome.into_iter().chain(unwritten).chain(stopped).collect();
    let status = status(&failures, &counts, args);
    let facts = Facts { started_at: started.1, took: started.0.elapsed(), status };
    let summary_of = |file: Target| {
        file.commit_with(&Summary::new(&plan, &counts, facts, &source.bytes_read()).to_json()).err()
    };
    failures.extend(summary.and_then(summary_of).map(Failure::from));
    if !common.quiet && (counts.items() > 0 || args.allow_empty) {
        streams::say(&counts.closing_line(started.0.elapsed(), args.dry_run));
    }
    Failure::of_all(failures).map_err(|failure| match ended.recorded > 0 {
        true => failure.hint(go_on(&plan.run, args)),
        false => failure,
    })?;
    Ok(status)
}

/// The exit code of a run with these failures and counts.
fn status(failures: &[Failure], counts: &Counts, args: &BatchIssueArgs) -> ExitStatus {
    let some_failed = counts.failed > 0 && !args.accept_failures;
    let items = some_failed.then_some(ExitStatus::SomeFailed);
    ExitStatus::of_all(failures.iter().map(|failure| failure.status).chain(items))
}

/// What credentials are verified by under `--verify`.
fn self_check(
    args: &BatchIssueArgs,
    key: &IssuerKey,
    profile: &Profile,
    types: Types,
    now: UnixTime,
) -> Result<Option<SelfCheck>, Failure> {
    let look = args.verify.then(|| SelfCheck::new(key.public(), profile, types, now));
    look.transpose().map_err(|error| Failure::new(ExitStatus::Key, error))
}

fn stopped_by(status: ExitStatus) -> Failure {
    Failure::said(status, "interrupted; work in progress was completed")
}

/// What a verifier may stumble over in the credentials of this run.
fn caveats(settings: &ProfileSettings, issuer: &Issuer, now: UnixTime) -> Vec<String> {
    let mut caveats = Vec::new();
    caveats.extend(issuer.port_taken_for_path().map(|meant| {
        format!("the issuer {} has a path that looks like a port; did you mean {meant}?", issuer.id())
    }));
    if settings.proof_format != ProofFormat::SdJwtVc {
        return caveats;
    }
    if issuer.is_did() && settings.x5c.is_none() {
        caveats.push(
            "SD-JWT VC finds an issuer's key by an https issuer or by x5c; a verifier of these credentials must be \
             told to take it from the DID, or be handed the key"
                .to_owned(),
        );
    }
    if settings.x5c.as_ref().is_some_and(|chain| !chain.is_valid_at(now)) {
        caveats.push(
            "the certificate of the key is not valid now; verifiers will refuse these credentials".to_owned(),
        );
    }
    caveats
}

fn open_source(
    settings: &Settings,
    args: &BatchIssueArgs,
    row_check: RowCheck,
    signals: &StopSignals,
) -> Result<Source, Failure> {
    let options = settings.source(args, row_check)?;
    let source =
        Source::open(settings::inputs(&args.inputs)?, options, &signals.stop).map_err(
            |error| match signals.status() {
                Some(status) if error.is_stopped() => stopped_by(status),
                _ => error.into(),
            },
        )?;
    match args.failed.is_some() && !source.is_uniform() {
        true => Err(Failure::usage("--failed cannot hold items of files with different columns or forms")
            .hint("issue the files in runs of their own")),
        false => Ok(source),
    }
}

/// What the run is called, and what must be the same if it is repeated.
fn describe_run(
    args: &BatchIssueArgs,
    settings: &Settings,
    ttl: String,
    profile: &Profile,
    issuer: &Issuer,
) -> Result<RunDescription, Failure> {
    let name = match &args.idempotency_key {
        Some(key) => {
            check_idempotency_key(key)?;
            key.clone()
        }
        None => ledger::new_run_name().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?,
    };
    Ok(RunDescription {
        repeatable: args.idempotency_key.is_some(),
        status_base: settings.status_base(issuer)?,
        ..RunDescription::of(profile, name, ttl)
    })
}

/// Refuses a key that a person would take for another one: under that, everything would be issued once more.
fn check_idempotency_key(key: &str) -> Result<(), Failure> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(Failure::usage(format!("the idempotency key must have 1 to {MAX_KEY_BYTES} bytes")));
    }
    let last = key.chars().count();
    let is_hidden = |(place, found): &(usize, char)| {
        is_invisible(*found) || (*found == ' ' && (*place == 1 || *place == last))
    };
    let Some((place, found)) = key.chars().enumerate().map(|(at, found)| (at + 1, found)).find(is_hidden)
    else {
        return Ok(());
    };
    let message = format!(
        "the idempotency key (--idempotency-key or BELTIC_IDEMPOTENCY_KEY) has {} at character {place} of {last}; \
         expected visible characters, and no space at either end",
        invisible::name(found)
    );
    Err(Failure::usage(message)
        .hint("remove the character; files of variables from Windows end their lines with U+000D"))
}

/// Where the lists will be published, said before the first run of a ledger that takes the address from the issuer:
/// credentials name it, so it cannot be changed for them later.
fn first_run_notice(ledger: Option<&Path>, run: &RunDescription, issuer: &Issuer) -> Option<String> {
    let is_first = ledger.is_some_and(|path| !path.exists());
    let base = run.status_base.as_ref().filter(|_| is_first)?;
    (issuer.default_status_base().as_ref() == Some(base)).then(|| {
        format!(
            "note: credentials name status lists under {base}/status/; `status.base_url` sets another address"
        )
    })
}

/// What is said where the status lists are named by UUIDs.
const NO_LIST_ADDRESS: &str = "verifiers cannot fetch the status lists of these credentials, which have no web address; \
     set `status.base_url` in .beltic.yaml to the https:// URL where you publish, or use a did:web or https issuer";

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// Where the run records what it issues, and what is to be said about that.
struct OpenedRegister {
    register: Register,
    hash_key: [u8; 32],
    warnings: Vec<String>,
}

fn open_register(
    settings: &Settings,
    args: &BatchIssueArgs,
    run: &RunDescription,
    quiet: bool,
) -> Result<OpenedRegister, Failure> {
    let path = settings.ledger_path(&args.ledger)?;
    if path.is_none() && run.repeatable {
        return Err(Failure::usage("--idempotency-key needs a ledger, which remembers what was issued"));
    }
    let mut warnings = Vec::new();
    if args.dry_run && (args.out.is_some() || args.failed.is_some() || args.summary.is_some()) {
        warnings.push("a dry run writes no files: its results go to standard output".to_owned());
    }
    let mut ledger = match &path {
        None => None,
        Some(path) if args.dry_run => Ledger::open_read_only(path)?,
        Some(path) => Some(Ledger::open(path)?.0),
    };
    if let Some(ledger) = &mut ledger {
        if args.issued_at.is_some() {
            ledger.accept_expired();
        }
        match super::ledger_warnings(ledger) {
            // They are said once, and so even where warnings are not wanted.
            said if quiet => said.iter().for_each(|warning| streams::say(&format!("warning: {warning}"))),
            said => warnings.extend(said),
        }
    }
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
    let register = match ledger {
        ledger if args.dry_run => Register::DryRun(ledger),
        Some(ledger) => Register::Ledger(ledger),
        None => Register::None,
    };
    Ok(OpenedRegister { register, hash_key, warnings })
}

/// How a run that ended early is finished.
fn go_on(run: &RunDescription, args: &BatchIssueArgs) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:".contains(character);
    let key = match run.name.chars().all(plain) {
        true => run.name.clone(),
        false => format!("'{}'", run.name.replace('\'', r"'\''")),
    };
    let written = [&args.out, &args.failed, &args.summary].into_iter().flatten();
    let in_the_way = |path: &PathBuf| matches!(files::way(path, false), Err(TargetError::Exists(_)));
    let force = if written.into_iter().any(in_the_way) { " and `--force`" } else { "" };
    format!(
        "to resume, run the same command with `--idempotency-key {key}`{force}; \
         already issued items are returned unchanged"
    )
}

/// What the run writes beside the ledger. A dry run writes to standard output only.
struct Files {
    output: Output,
    failed: Option<FailedFile>,
    summary: Option<Target>,
}

impl Files {
    /// Begins every file, so that one that cannot be written is found before anything is issued.
    fn begin(args: &BatchIssueArgs, mut kept: Kept, names_encoding: bool) -> Result<Files, Failure> {
        [&args.failed, &args.summary].into_iter().flatten().try_for_each(|path| kept.refuse(path))?;
        if args.dry_run {
            args.output().file().map_or(Ok(()), |path| kept.refuse(path))?;
            return Ok(Files { output: Output::to_stdout(Purpose::Read)?, failed: None, summary: None });
        }
        let failed = args
            .failed
            .as_ref()
            .map(|path| FailedFile::begin(path, args.force, names_encoding))
            .transpose()?;
        let summary = args.summary.as_deref().map(|path| Target::begin(path, args.force)).transpose()?;
        Ok(Files { output: Output::open(&args.output(), Purpose::Issue, kept)?, failed, summary })
    }

    /// Completes the results and the failed items, and gives the summary back, which says how that went.
    fn finish(self, tail: &[u8], complete: bool) -> (Option<Target>, Vec<Failure>) {
        let output = self.output.finish(tail).map_err(Failure::from).err();
        let failed = self.failed.and_then(|file| file.finish(complete).err());
        (self.summary, output.into_iter().chain(failed).collect())
    }
}

/// The size of all inputs as stored, where all are regular files.
fn total_bytes(inputs: &[PathBuf]) -> Option<u64> {
    let size = |path: &PathBuf| path.metadata().ok().filter(Metadata::is_file).map(|file| file.len());
    if inputs.is_empty() { None } else { inputs.iter().map(size).sum() }
}
