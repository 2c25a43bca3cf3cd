//! What a run of `batch-issue` is to do: every flag and setting is read here, once.

use std::path::{Path, PathBuf};

use super::annotations::Annotations;
use super::args::{AnnotationService, BatchIssueArgs};
use super::files::Files;
use super::progress::Progress;
use super::{credentials, input};
use crate::batch::{self, MaxFailures, Plan, Register, SelfCheck};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::render::{self, Form};
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::{Common, OutputFormat};
use crate::cli::signals::StopSignals;
use crate::cli::{log, output, streams};
use crate::clock::Clock;
use crate::credential::{Profile, ProofFormat};
use crate::files::{self, TargetError};
use crate::invisible::{self, is_invisible};
use crate::issuer::Issuer;
use crate::keys::IssuerKey;
use crate::ledger::{self, Ledger, RunDescription};
use crate::publish::credential_schema;
use crate::request::Rules;
use crate::source::{RowCheck, Source};

/// What is said where the status lists are named by UUIDs.
const NO_LIST_ADDRESS: &str = "verifiers cannot fetch the status lists of these credentials: they have no URL; \
     set `status.base_url` in .beltic.yaml to the https:// URL where you publish, or use a did:web or https issuer";

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// A run that is about to begin: everything that can be refused was.
pub(super) struct Job {
    pub(super) source: Source,
    pub(super) issuing: Issuing,
    pub(super) register: Register,
    pub(super) files: Files,
    /// The form of the results.
    pub(super) form: Box<dyn Form>,
    pub(super) telling: Telling,
    pub(super) ending: Ending,
}

/// How credentials are made.
pub(super) struct Issuing {
    key: IssuerKey,
    profile: Profile,
    rules: Rules,
    clock: Clock,
    jobs: usize,
    run: RunDescription,
    max_failures: Option<MaxFailures>,
    self_check: Option<SelfCheck>,
}

/// What is said to people beside the results.
pub(super) struct Telling {
    pub(super) quiet: bool,
    /// What is said before the first result.
    pub(super) notice: Option<String>,
    pub(super) warnings: Vec<String>,
    shows_progress: bool,
    pub(super) annotations: Option<Annotations>,
    pub(super) wants_report: bool,
    total_bytes: Option<u64>,
}

/// What makes a difference at the end.
pub(super) struct Ending {
    pub(super) accepts_failures: bool,
    pub(super) allows_empty: bool,
    pub(super) is_dry_run: bool,
    failed: Option<PathBuf>,
    /// The run's name, and the files that are in the way of doing it again.
    run: String,
    outputs: Vec<PathBuf>,
    fills_folder: bool,
}

impl Job {
    /// Reads the flags and settings, opens everything, and begins the files that will be written.
    ///
    /// # Errors
    /// Where anything of that cannot be used. Nothing was issued then, and no file is left behind.
    pub(super) fn resolve(
        common: &Common,
        args: &BatchIssueArgs,
        signals: &StopSignals,
    ) -> Result<Job, Failure> {
        if args.annotations.is_some() && log::is_json() {
            return Err(Failure::usage(
                "--annotations writes lines that are not JSON to standard error, and --log-format is json",
            )
            .hint("leave out one of the two"));
        }
        let settings = Settings::load(common)?;
        let clock = settings::clock_of("--issued-at", args.issued_at.as_deref())?;
        let types = settings.types(args.of.credential_type.as_deref())?;
        let (default_ttl, ttl) = credentials::default_ttl(&settings, args, types, clock.now())?;
        let rules = |hash_key| Rules {
            types,
            allow_unknown: args.allow_unknown,
            default_ttl,
            overrules_types: args.ttl.is_some(),
            hash_key,
        };
        let row_check = batch::row_check(rules(Default::default()), clock);
        let source = open_source(&settings, args, row_check, signals)?;
        let key_path = settings.key_path(&args.key.key)?;
        let key = settings::load_key(&key_path, args.key.passphrase_file.as_deref(), common.quiet)?;
        let issuer = settings.issuer(&args.issuer.issuer, key.public())?;
        let profile_settings = credentials::profile(&settings, args, &issuer, key.public())?;
        let mut warnings = credentials::caveats(&profile_settings, &issuer, clock.now());
        let mut profile = Profile::new(&issuer, profile_settings);
        let run = describe_run(args, &settings, ttl, &profile, &issuer)?;
        let ledger_path = settings.ledger_path(&args.ledger.ledger)?;
        if run.status_base.is_none() && ledger_path.is_some() {
            warnings.push(NO_LIST_ADDRESS.to_owned());
        }
        let form = form(common, args)?;
        let notice = match settings.configured_status_base()? {
            Some(_) => None, // somebody has said where
            None => first_run_notice(ledger_path.as_deref(), &run),
        };
        let kept = Kept::files(args.inputs.iter().chain([&key_path]))
            .and_ledger(ledger_path.as_deref())
            .and_settings(&settings);
        let files =
            Files::begin(args, kept, settings.encoding(&args.encoding).is_some(), profile.proof_format)?;
        let mut opened = open_register(&settings, args, &run, common.quiet)?;
        cite_schemas(&mut profile, &mut opened.register, &issuer)?;
        warnings.extend(opened.warnings);
        let self_check = args.verify.then(|| SelfCheck::new(key.public(), &profile, types, clock.now()));
        let self_check = self_check.transpose().map_err(|error| Failure::new(ExitStatus::Key, error))?;
        Ok(Job {
            telling: Telling::of(common, args, notice, warnings),
            ending: Ending::of(args, &run),
            issuing: Issuing {
                rules: rules(opened.hash_key),
                jobs: if source.is_one_chunk() { 0 } else { settings.jobs(&args.jobs.jobs) },
                max_failures: args.max_failures,
                key,
                profile,
                clock,
                run,
                self_check,
            },
            source,
            register: opened.register,
            files,
            form,
        })
    }
}

impl Issuing {
    /// The plan, for a run that keeps the failed items, or the credentials one by one, or does not.
    pub(super) fn plan(&self, keep_failed: bool, keep_tokens: bool) -> Plan<'_> {
        Plan {
            profile: &self.profile,
            key: &self.key,
            rules: self.rules.clone(),
            clock: self.clock,
            jobs: self.jobs,
            run: self.run.clone(),
            max_failures: self.max_failures,
            keep_failed,
            keep_tokens,
            self_check: self.self_check.as_ref(),
        }
    }
}

impl Telling {
    fn of(common: &Common, args: &BatchIssueArgs, notice: Option<String>, warnings: Vec<String>) -> Telling {
        Telling {
            quiet: common.quiet,
            notice,
            warnings,
            annotations: args.annotations.map(|AnnotationService::Github| Annotations::of(&args.inputs)),
            wants_report: args.report.is_some() && !args.dry_run,
            shows_progress: !common.quiet && !args.no_progress,
            total_bytes: input::total_bytes(&args.inputs),
        }
    }

    /// The progress bar, hidden where it is not wanted.
    pub(super) fn progress(&self) -> Progress {
        Progress::new(self.total_bytes, self.shows_progress)
    }
}

impl Ending {
    fn of(args: &BatchIssueArgs, run: &RunDescription) -> Ending {
        Ending {
            accepts_failures: args.accept_failures,
            allows_empty: args.allow_empty,
            is_dry_run: args.dry_run,
            fills_folder: args.out_dir.is_some(),
            failed: args.failed.clone().filter(|_| !args.dry_run),
            run: run.name.clone(),
            outputs: args.named_files().cloned().collect(),
        }
    }

    /// What to do about failed items.
    pub(super) fn about_failed(&self) -> String {
        match &self.failed {
            Some(path) => {
                let path = streams::printable(&path.display().to_string());
                format!("the failed items are in {path}; fix them there and issue that file")
            }
            None => "to get the failed items in a file of their own, add `--failed FILE`".to_owned(),
        }
    }

    /// How a run that ended early is finished.
    pub(super) fn go_on(&self) -> String {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:".contains(character);
        let key = match self.run.chars().all(plain) {
            true => self.run.clone(),
            false => format!("'{}'", self.run.replace('\'', r"'\''")),
        };
        let in_the_way = |path: &PathBuf| matches!(files::way(path, false), Err(TargetError::Exists(_)));
        let force =
            if self.outputs.iter().any(in_the_way) || self.fills_folder { " and `--force`" } else { "" };
        format!(
            "to resume, run the same command with `--idempotency-key {key}`{force}; \
             already issued items are returned unchanged"
        )
    }
}

/// Has the credentials cite the schemas of their types, which the ledger keeps.
fn cite_schemas(profile: &mut Profile, register: &mut Register, issuer: &Issuer) -> Result<(), Failure> {
    let Register::Ledger(ledger) = register else { return Ok(()) };
    if profile.proof_format != ProofFormat::JwtVc {
        return Ok(());
    }
    let types: Vec<_> =
        profile.types.iter().map(|of_type| (of_type.credential_type, of_type.vct.clone())).collect();
    for schema in credential_schema::cited(ledger, issuer, &types)? {
        let url = credential_schema::url_of(&schema, issuer).unwrap_or_default();
        let digest = credential_schema::digest_sri(&schema.document);
        profile.cite(&schema.credential_type, &url, &digest);
    }
    Ok(())
}

/// The form of the results.
fn form(common: &Common, args: &BatchIssueArgs) -> Result<Box<dyn Form>, Failure> {
    let form = output::form(args.output_format, &args.output(), OutputFormat::Text, OutputFormat::Ndjson)?;
    Ok(render::form(form, output::takes_color(&args.output(), common.color)))
}

fn open_source(
    settings: &Settings,
    args: &BatchIssueArgs,
    row_check: RowCheck,
    signals: &StopSignals,
) -> Result<Source, Failure> {
    let options = input::options(settings, args, row_check)?;
    let inputs = input::inputs(&args.inputs)?;
    let source = Source::open(inputs, options, &signals.stop).map_err(|error| match signals.failure() {
        Some(stopped) if error.is_stopped() => stopped,
        _ => error.into(),
    })?;
    match args.failed.is_some() && !source.is_uniform() {
        true => Err(Failure::usage("--failed cannot combine files with different columns or formats")
            .hint("issue the files in separate runs")),
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
        return Err(Failure::usage(format!(
            "the idempotency key (--idempotency-key or BELTIC_IDEMPOTENCY_KEY) must have 1 to {MAX_KEY_BYTES} bytes"
        )));
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
        .hint("remove the character; env files from Windows end their lines with U+000D"))
}

/// Where the lists will be published, said before the first run of a ledger that takes the address from the issuer:
/// credentials name it, so it cannot be changed for them later.
fn first_run_notice(ledger: Option<&Path>, run: &RunDescription) -> Option<String> {
    let is_first = ledger.is_some_and(|path| !path.exists());
    let base = run.status_base.as_ref().filter(|_| is_first)?;
    Some(format!("note: status lists will be at {base}/status/; set `status.base_url` to change that"))
}

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
    let path = settings.ledger_path(&args.ledger.ledger)?;
    if path.is_none() && run.repeatable {
        return Err(Failure::usage("--idempotency-key needs a ledger"));
    }
    let mut warnings = Vec::new();
    if args.dry_run && (args.named_files().next().is_some() || args.out_dir.is_some()) {
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
        match super::super::ledger_warnings(ledger) {
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
            "the ledger has no run with this id; if you expected one, this is another ledger or an old copy"
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
