//! What a run of `batch-issue` is to do: every flag and setting is read here, once.

use std::path::PathBuf;

use super::annotations::Annotations;
use super::args::{AnnotationService, BatchIssueArgs, IssuingArgs};
use super::files::Files;
use super::progress::Progress;
use super::{credentials, input};
use crate::batch::{self, MaxFailures, Plan, Register, Renewals, SelfCheck, Shard};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::render::{self, Form};
use crate::cli::settings::{self, OpenKey, Settings};
use crate::cli::shared_args::{Common, OutputFormat};
use crate::cli::signals::StopSignals;
use crate::cli::{log, output, streams};
use crate::clock::Clock;
use crate::credential::{Profile, ProofFormat};
use crate::files::{self, TargetError};
use crate::invisible::{self, is_invisible};
use crate::issuer::Issuer;
use crate::keys::SigningKey;
use crate::ledger::{self, Address, Duplicates, Ledger, RunDescription};
use crate::publish::credential_schema;
use crate::request::rules::CalendarDuration;
use crate::request::{IdRule, Identity, Rules};
use crate::source::{Input, RowCheck, Source};
use crate::types::Types;

/// What is said where the status lists are named by UUIDs.
const NO_LIST_ADDRESS: &str = "verifiers cannot fetch the status lists of these credentials: they have no URL; \
     set `status.base_url` in .beltic.yaml to the https:// URL where you publish, or use a did:web or https issuer";

/// What is said about a shard that is issued without an idempotency key.
const SHARD_WITHOUT_KEY: &str = "--shard without --idempotency-key: a task that is run again issues its items again; \
     pass the same `--idempotency-key KEY` to every shard";

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// What a command asks for.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Request<'a> {
    /// The batch files; none for standard input.
    pub(in super::super) inputs: &'a [PathBuf],
    pub(in super::super) issuing: &'a IssuingArgs,
    pub(in super::super) api_limits: bool,
    pub(in super::super) allow_empty: bool,
    pub(in super::super) max_failures: Option<MaxFailures>,
    /// The part of the items that is issued.
    pub(in super::super) shard: Option<Shard>,
    /// A dry run, or a plan: nothing is issued, and no file is written.
    pub(in super::super) writes_nothing: bool,
    /// What items are known by, in a run that is repeated under a name.
    pub(in super::super) repeats: Repeats<'a>,
}

/// How items are told from those that were issued before.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Repeats<'a> {
    /// Not at all, but for a run that begins as one before did.
    Never(Duplicates),
    /// Under an idempotency key, by this rule, where one is asked for.
    Key(&'a str, Option<IdRule>),
    /// In a register, by this rule.
    Register(IdRule),
}

impl<'a> Request<'a> {
    /// What `batch-issue` asks for.
    pub(super) fn of(args: &'a BatchIssueArgs) -> Request<'a> {
        Request {
            inputs: &args.inputs,
            issuing: &args.issuing,
            api_limits: args.api_limits,
            allow_empty: args.issuing.allow_empty,
            max_failures: args.max_failures,
            shard: args.shard,
            writes_nothing: args.dry_run,
            repeats: match &args.idempotency_key {
                Some(key) => Repeats::Key(key, args.idempotent_by),
                None => Repeats::Never(args.duplicates.into()),
            },
        }
    }
}

/// A run that is about to begin: everything that can be refused was.
pub(super) struct Job {
    pub(super) source: Source,
    pub(super) issuing: Issuing,
    pub(super) register: Register<'static>,
    pub(super) files: Files,
    /// The form of the results.
    pub(super) form: Box<dyn Form>,
    pub(super) telling: Telling,
    pub(super) ending: Ending,
}

/// How credentials are made.
pub(in super::super) struct Issuing {
    key: Box<dyn SigningKey>,
    profile: Profile,
    rules: Rules,
    pub(in super::super) clock: Clock,
    jobs: usize,
    pub(in super::super) run: RunDescription,
    max_failures: Option<MaxFailures>,
    shard: Option<Shard>,
    self_check: Option<SelfCheck>,
    renewals: Renewals,
}

/// What is said to people beside the results.
pub(in super::super) struct Telling {
    pub(in super::super) quiet: bool,
    /// What is said before the first result.
    pub(in super::super) notice: Option<String>,
    pub(in super::super) warnings: Vec<String>,
    shows_progress: bool,
    pub(in super::super) annotations: Option<Annotations>,
    pub(in super::super) wants_report: bool,
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

/// What is laid down for a run before its input is opened and its ledger is.
pub(in super::super) struct Groundwork {
    pub(in super::super) settings: Settings,
    pub(in super::super) clock: Clock,
    pub(in super::super) issuer: Issuer,
    pub(in super::super) ledger_at: Option<Address>,
    key: Box<dyn SigningKey>,
    key_files: Vec<PathBuf>,
    types: Types,
    default_ttl: CalendarDuration,
    profile: Profile,
    run: RunDescription,
    warnings: Vec<String>,
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
        let request = Request::of(args);
        let settings = Settings::load_for(common, &args.issuing.issuer.issuer)?;
        let source = open_source(&settings, &request, input::inputs(&args.inputs)?, signals)?;
        let mut ground = Groundwork::lay(&request, settings)?;
        let form = result_form(common, &args.issuing, false)?;
        let notice = ground.notice()?;
        let files = ground.begin_files(&request)?;
        let mut opened = open_register(&mut ground, &request, common.quiet)?;
        let (hash_key, jobs) = (opened.hash_key, &args.issuing.jobs.jobs);
        let jobs = if source.is_one_chunk() { 0 } else { ground.settings.jobs(jobs) };
        if let Register::Ledger(ledger) = &mut opened.register {
            ground.cite_schemas(ledger)?;
        }
        ground.warnings.extend(opened.warnings);
        let telling = Telling::of(common, &request, notice, std::mem::take(&mut ground.warnings));
        let ending = Ending::of(args, &ground.run);
        let (issuing, _) = ground.issuing(&request, hash_key, jobs)?;
        Ok(Job { telling, ending, issuing, source, register: opened.register, files, form })
    }
}

impl Groundwork {
    /// Reads the flags and settings.
    ///
    /// # Errors
    /// Where they cannot be used.
    pub(in super::super) fn lay(request: &Request<'_>, settings: Settings) -> Result<Groundwork, Failure> {
        let args = request.issuing;
        if args.annotations.is_some() && log::is_json() {
            return Err(Failure::usage(
                "--annotations writes lines that are not JSON to standard error, and --log-format is json",
            )
            .hint("leave out one of the two"));
        }
        let clock = settings::clock_of("--issued-at", args.issued_at.as_deref())?;
        let types = settings.types(args.of.credential_type.as_deref())?;
        let (default_ttl, ttl) = credentials::default_ttl(&settings, args, types, clock.now())?;
        let OpenKey { key, files: key_files } = settings.open_key(&args.key)?;
        let issuer = settings.issuer(&args.issuer.issuer, key.public())?;
        let profile_settings = credentials::profile(&settings, args, &issuer, key.public())?;
        let mut warnings = credentials::caveats(&profile_settings, &issuer, clock.now());
        if request.shard.is_some() && matches!(request.repeats, Repeats::Never(_)) {
            warnings.push(SHARD_WITHOUT_KEY.to_owned());
        }
        let profile = Profile::new(&issuer, profile_settings);
        let run = describe_run(request, &settings, ttl, &profile, &issuer)?;
        let ledger_at = settings.ledger_address(&args.ledger.ledger)?;
        if run.status_base.is_none() && ledger_at.is_some() {
            warnings.push(NO_LIST_ADDRESS.to_owned());
        }
        Ok(Groundwork {
            settings,
            clock,
            issuer,
            ledger_at,
            key,
            key_files,
            types,
            default_ttl,
            profile,
            run,
            warnings,
        })
    }

    /// What tells rows from lines of a cell, before anything but the settings is read.
    fn row_check(settings: &Settings, request: &Request<'_>) -> Result<RowCheck, Failure> {
        let args = request.issuing;
        let clock = settings::clock_of("--issued-at", args.issued_at.as_deref())?;
        let types = settings.types(args.of.credential_type.as_deref())?;
        let (default_ttl, _) = credentials::default_ttl(settings, args, types, clock.now())?;
        Ok(batch::row_check(rules(args, types, default_ttl), clock))
    }

    /// Where the status lists will be, where nobody has said so.
    pub(in super::super) fn notice(&self) -> Result<Option<String>, Failure> {
        Ok(match self.settings.configured_status_base()? {
            Some(_) => None, // somebody has said where
            None => first_run_notice(self.ledger_at.as_ref(), &self.run),
        })
    }

    /// Begins every file that the run writes.
    pub(in super::super) fn begin_files(&self, request: &Request<'_>) -> Result<Files, Failure> {
        let kept = Kept::files(request.inputs.iter().chain(&self.key_files))
            .and_ledger(self.ledger_at.as_ref())
            .and_settings(&self.settings);
        let names_encoding = self.settings.encoding(&request.issuing.encoding).is_some();
        Files::begin(request, kept, names_encoding, self.profile.proof_format)
    }

    /// Has the credentials cite the schemas of their types, which the ledger keeps.
    pub(in super::super) fn cite_schemas(&mut self, ledger: &mut Ledger) -> Result<(), Failure> {
        if self.profile.proof_format != ProofFormat::JwtVc {
            return Ok(());
        }
        let types: Vec<_> = (self.profile.types.iter())
            .map(|of_type| (of_type.credential_type, of_type.vct.clone()))
            .collect();
        for schema in credential_schema::cited(ledger, &self.issuer, &types)? {
            let url = credential_schema::url_of(&schema, &self.issuer).unwrap_or_default();
            let digest = credential_schema::digest_sri(&schema.document);
            self.profile.cite(&schema.credential_type, &url, &digest);
        }
        Ok(())
    }

    /// The run, and what else makes credentials.
    pub(in super::super) fn issuing(
        self,
        request: &Request<'_>,
        hash_key: [u8; 32],
        jobs: usize,
    ) -> Result<(Issuing, Settings), Failure> {
        let identity = match request.repeats {
            Repeats::Never(_) => None,
            Repeats::Key(..) => Some(Identity::under_key(self.run.rule)),
            Repeats::Register(rule) => Some(Identity::in_register(rule)),
        };
        let self_check = (request.issuing.verify)
            .then(|| SelfCheck::new(self.key.public(), &self.profile, self.types, self.clock.now()));
        let self_check = self_check.transpose().map_err(|error| Failure::new(ExitStatus::Key, error))?;
        // Only rows of earlier results need the former keys, so that they alone fail where those cannot be read.
        let keys = self.settings.ring_of(&self.issuer, self.key.public());
        let keys = keys.map_err(|failure| failure.message());
        let renewals = Renewals::new(keys, &self.profile, self.types, self.clock.now());
        let issuing = Issuing {
            rules: Rules { hash_key, identity, ..rules(request.issuing, self.types, self.default_ttl) },
            jobs,
            max_failures: request.max_failures,
            shard: request.shard,
            key: self.key,
            profile: self.profile,
            clock: self.clock,
            run: self.run,
            self_check,
            renewals,
        };
        Ok((issuing, self.settings))
    }

    /// What is to be said beside the results, but for what the ledger adds to it.
    pub(in super::super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}

/// What holds for all items, but for the ledger's part in it.
fn rules(args: &IssuingArgs, types: Types, default_ttl: CalendarDuration) -> Rules {
    Rules {
        types,
        allow_unknown: args.allow_unknown,
        default_ttl,
        overrules_types: args.ttl.is_some(),
        hash_key: Default::default(),
        identity: None,
    }
}

impl Issuing {
    /// The plan, for a run that keeps the failed items, or the credentials one by one, or does not.
    pub(in super::super) fn plan(&self, keep_failed: bool, keep_tokens: bool) -> Plan<'_> {
        Plan {
            profile: &self.profile,
            key: &*self.key,
            rules: self.rules.clone(),
            clock: self.clock,
            jobs: self.jobs,
            run: self.run.clone(),
            max_failures: self.max_failures,
            shard: self.shard,
            keep_failed,
            keep_tokens,
            self_check: self.self_check.as_ref(),
            renewals: Some(&self.renewals),
        }
    }
}

impl Telling {
    pub(in super::super) fn of(
        common: &Common,
        request: &Request<'_>,
        notice: Option<String>,
        warnings: Vec<String>,
    ) -> Telling {
        let args = request.issuing;
        Telling {
            quiet: common.quiet,
            notice,
            warnings,
            annotations: args.annotations.map(|AnnotationService::Github| Annotations::of(request.inputs)),
            wants_report: args.report.is_some() && !request.writes_nothing,
            shows_progress: !common.quiet && !args.no_progress,
            total_bytes: input::total_bytes(request.inputs),
        }
    }

    /// The progress bar, hidden where it is not wanted.
    pub(in super::super) fn progress(&self) -> Progress {
        Progress::new(self.total_bytes, self.shows_progress)
    }
}

impl Ending {
    fn of(args: &BatchIssueArgs, run: &RunDescription) -> Ending {
        Ending {
            accepts_failures: args.issuing.accept_failures,
            allows_empty: args.issuing.allow_empty,
            is_dry_run: args.dry_run,
            fills_folder: args.issuing.out_dir.is_some(),
            failed: args.issuing.failed.clone().filter(|_| !args.dry_run),
            run: run.name.clone(),
            outputs: args.issuing.named_files().cloned().collect(),
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

/// The form of the results.
pub(in super::super) fn result_form(
    common: &Common,
    args: &IssuingArgs,
    of_register: bool,
) -> Result<Box<dyn Form>, Failure> {
    let form = output::form(args.output_format, &args.output(), OutputFormat::Text, OutputFormat::Ndjson)?;
    Ok(render::form(form, output::takes_color(&args.output(), common.color), of_register))
}

/// Opens the batch files.
pub(in super::super) fn open_source(
    settings: &Settings,
    request: &Request<'_>,
    inputs: Vec<Input>,
    signals: &StopSignals,
) -> Result<Source, Failure> {
    let row_check = Groundwork::row_check(settings, request)?;
    let options = input::options(settings, request, row_check)?;
    let source = Source::open(inputs, options, &signals.stop).map_err(|error| match signals.failure() {
        Some(stopped) if error.is_stopped() => stopped,
        _ => error.into(),
    })?;
    match request.issuing.failed.is_some() && !source.is_uniform() {
        true => Err(Failure::usage("--failed cannot combine files with different columns or formats")
            .hint("issue the files in separate runs")),
        false => Ok(source),
    }
}

/// What the run is called, and what must be the same if it is repeated.
fn describe_run(
    request: &Request<'_>,
    settings: &Settings,
    ttl: String,
    profile: &Profile,
    issuer: &Issuer,
) -> Result<RunDescription, Failure> {
    let name = match request.repeats {
        Repeats::Key(key, _) => {
            check_idempotency_key(key)?;
            key.to_owned()
        }
        _ => ledger::new_run_name().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?,
    };
    Ok(RunDescription {
        repeatable: matches!(request.repeats, Repeats::Key(..)),
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
fn first_run_notice(ledger: Option<&Address>, run: &RunDescription) -> Option<String> {
    let is_first = ledger.and_then(Address::file).is_some_and(|path| !path.exists());
    let base = run.status_base.as_ref().filter(|_| is_first)?;
    Some(format!("note: status lists will be at {base}/status/; set `status.base_url` to change that"))
}

/// Where the run records what it issues, and what is to be said about that.
struct OpenedRegister {
    register: Register<'static>,
    hash_key: [u8; 32],
    warnings: Vec<String>,
}

fn open_register(
    ground: &mut Groundwork,
    request: &Request<'_>,
    quiet: bool,
) -> Result<OpenedRegister, Failure> {
    let (args, run) = (request.issuing, &mut ground.run);
    if ground.ledger_at.is_none() && run.repeatable {
        return Err(Failure::usage("--idempotency-key needs a ledger"));
    }
    let mut warnings = Vec::new();
    if request.writes_nothing && (args.named_files().next().is_some() || args.out_dir.is_some()) {
        warnings.push("a dry run writes no files: its results go to standard output".to_owned());
    }
    let mut ledger = match &ground.ledger_at {
        None => None,
        Some(path) if request.writes_nothing => Ledger::open_read_only(path)?,
        Some(path) => Some(Ledger::open_to_issue(path)?.0),
    };
    if let Some(ledger) = &mut ledger {
        ledger.must_be_in_use()?;
        warnings.extend(said_of_ledger(ledger, args, quiet));
    }
    match request.repeats {
        Repeats::Key(_, asked) => {
            let unused = asked.unwrap_or(IdRule::CorrelationIdOrPosition);
            let (known, rule) =
                ledger.as_ref().map_or(Ok((false, unused)), |ledger| ledger.use_of_key(run, asked))?;
            run.rule = rule;
            if !known && ledger::is_run_name(&run.name) {
                warnings.push(
                    "the ledger has no run with this id; if you expected one, this is another ledger or an old copy"
                        .to_owned(),
                );
            }
        }
        Repeats::Never(duplicates) => {
            ledger.iter_mut().for_each(|ledger| ledger.guard_duplicates(duplicates));
        }
        Repeats::Register(_) => {}
    }
    let hash_key = ledger.as_ref().map(Ledger::hash_key).unwrap_or_default();
    let ledger = ledger.map(Box::new);
    let register = match ledger {
        ledger if request.writes_nothing => Register::DryRun(ledger),
        Some(ledger) => Register::Ledger(ledger),
        None => Register::None,
    };
    Ok(OpenedRegister { register, hash_key, warnings })
}

/// What is to be said of a ledger that was opened, unless it was said just now.
pub(in super::super) fn said_of_ledger(ledger: &mut Ledger, args: &IssuingArgs, quiet: bool) -> Vec<String> {
    if args.issued_at.is_some() {
        ledger.accept_expired();
    }
    let mut said = super::super::ledger_warnings(ledger);
    said.extend(super::super::not_seen(ledger));
    if !quiet {
        return said;
    }
    // They are said once, and so even where warnings are not wanted.
    said.iter().for_each(|warning| streams::say(&format!("warning: {warning}")));
    Vec::new()
}
