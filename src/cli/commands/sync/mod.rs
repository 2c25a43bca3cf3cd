//! `beltic sync`: survey, plan, carry out.
//!
//! What a plan is and how it is carried out, [`crate::sync`] knows. Here stand flags, files and what is said: [`args`]
//! is what was typed, [`input`] reads the register twice, [`carrying`] does the work, [`telling`] has the words.

mod args;
mod carrying;
mod input;
mod telling;

use std::time::Instant;

use tempfile::TempDir;

use self::args::MaxRemovals;
pub(super) use self::args::SyncArgs;
use self::input::Register;
use super::batch_issue::{
    Files, Groundwork, Issuing, Repeats, Request, Telling, open_source, result_form, said_of_ledger,
};
use crate::batch;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::render::Form;
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, OutputFormat};
use crate::cli::signals::StopSignals;
use crate::clock::{Clock, system_now};
use crate::ledger::{Ledger, RegisterName};
use crate::source::Source;
use crate::sync::{Allowed, Plan, PlanError, PlanOptions, Survey};

pub(super) fn run(common: &Common, args: &SyncArgs) -> Result<ExitStatus, Failure> {
    let started = (Instant::now(), system_now());
    let signals = StopSignals::listen()?;
    let (mut job, source) = Job::resolve(common, args, &signals)?;
    let plan = job.plan(source, &signals)?;
    let limit = MaxRemovals::limit(args.max_removals, plan.counts.active);
    match telling::too_many(&plan.counts, limit) {
        Some(failure) if !args.plan => Err(failure),
        too_many => job.carry_out(plan, (limit, too_many.is_some()), started, &signals),
    }
}

/// A `sync` that is about to begin.
struct Job<'a> {
    args: &'a SyncArgs,
    request: Request<'a>,
    settings: Settings,
    register: Register,
    name: RegisterName,
    ledger: Ledger,
    /// Where a plan is made although there is no ledger yet: the folder of one that nobody keeps.
    _scratch: Option<TempDir>,
    issuing: Issuing,
    files: Files,
    form: Box<dyn Form>,
    telling: Telling,
}

impl<'a> Job<'a> {
    /// Reads the flags and settings, opens everything, and begins the files that will be written.
    fn resolve(
        common: &Common,
        args: &'a SyncArgs,
        signals: &StopSignals,
    ) -> Result<(Job<'a>, Source), Failure> {
        let request = args.request();
        let settings = Settings::load_for(common, &args.issuing.issuer.issuer)?;
        let mut register = Register::gather(&args.inputs)?;
        let source = open_source(&settings, &request, register.inputs()?, signals)?;
        let mut ground = Groundwork::lay(&request, settings)?;
        // Both readings happen as of one moment: what is due does not change between them.
        ground.clock = Clock::Fixed(ground.clock.now());
        let form = form(common, args)?;
        let notice = ground.notice()?;
        let files = ground.begin_files(&request)?;
        let (mut ledger, scratch) = open_ledger(&ground, args)?;
        let mut warnings = ground.take_warnings();
        warnings.extend(said_of_ledger(&mut ledger, &args.issuing, common.quiet));
        if !args.plan {
            ground.cite_schemas(&mut ledger)?;
        }
        let telling = Telling::of(common, &request, notice, warnings);
        let name =
            RegisterName { name: args.scope.clone(), issuer: ground.issuer.id().to_owned(), rule: args.by };
        let jobs = ground.settings.jobs(&args.issuing.jobs.jobs);
        let (issuing, settings) = ground.issuing(&request, ledger.hash_key(), jobs)?;
        let job = Job {
            args,
            request,
            settings,
            register,
            name,
            ledger,
            _scratch: scratch,
            issuing,
            files,
            form,
            telling,
        };
        Ok((job, source))
    }

    /// Reads the register for the first time, and makes the plan.
    fn plan(&mut self, mut source: Source, signals: &StopSignals) -> Result<Plan, Failure> {
        let mut survey = Survey::new(&self.issuing.run, self.args.by);
        let issuing = self.issuing.plan(false, false);
        batch::survey(&mut source, &issuing, &signals.stop, |items| {
            items.iter().try_for_each(|item| survey.add(item)).map_err(cannot_sort)
        })?;
        if let Some(stopped) = signals.failure() {
            return Err(stopped);
        }
        let options = PlanOptions {
            allowed: self.args.allowed(),
            prune: self.args.prune,
            adopt: self.args.adopt,
            prints_unchanged: self.args.all,
            run: &self.issuing.run,
            rule: self.args.by,
            now: self.issuing.clock.now(),
        };
        self.ledger
            .view_register(&self.name, |view| Plan::make(survey, view, &options))
            .map_err(|error| failure_of_plan(error, &self.args.scope))
    }
}

impl SyncArgs {
    fn request(&self) -> Request<'_> {
        Request {
            inputs: &self.inputs,
            issuing: &self.issuing,
            api_limits: false,
            // An empty file would remove everything.
            allow_empty: self.issuing.allow_empty && !self.prune,
            max_failures: None,
            shard: None,
            writes_nothing: self.plan,
            repeats: Repeats::Register(self.by),
        }
    }

    fn allowed(&self) -> Allowed {
        Allowed {
            renew_within: self.renew_within,
            revoke_renewed: self.revoke_renewed,
            replace_suspended: self.replace_suspended,
            reissue_revoked: self.reissue_revoked,
        }
    }
}

/// The form of the results. A plan is told as text or as NDJSON.
fn form(common: &Common, args: &SyncArgs) -> Result<Box<dyn Form>, Failure> {
    let format = args.issuing.output_format;
    let is_for_plans = matches!(format, None | Some(OutputFormat::Text | OutputFormat::Ndjson));
    match args.plan && !is_for_plans {
        true => Err(Failure::usage("--plan is written as text or ndjson")
            .hint("use `--output-format text` or `--output-format ndjson`")),
        false => result_form(common, &args.issuing, true),
    }
}

/// The ledger; for a plan where there is none, an empty one.
fn open_ledger(ground: &Groundwork, args: &SyncArgs) -> Result<(Ledger, Option<TempDir>), Failure> {
    let Some(path) = &ground.ledger_at else {
        return Err(Failure::usage("sync needs a ledger, and the settings say `none`")
            .hint("pass `--ledger FILE`, or remove `ledger: none`"));
    };
    if !args.plan {
        let (ledger, _) = Ledger::open(path)?;
        ledger.must_be_in_use()?;
        return Ok((ledger, None));
    }
    if let Some(ledger) = Ledger::open_read_only(path)? {
        ledger.must_be_in_use()?;
        return Ok((ledger, None));
    }
    let scratch = tempfile::tempdir().map_err(|error| Failure::new(ExitStatus::Files, error))?;
    let ledger = Ledger::open(scratch.path().join("ledger.db").as_path())?.0;
    Ok((ledger, Some(scratch)))
}

fn cannot_sort(error: std::io::Error) -> Failure {
    let error = anyhow::Error::new(error).context("cannot use a temporary file");
    Failure::new(ExitStatus::Files, error).hint("TMPDIR names the folder of temporary files")
}

fn failure_of_plan(error: PlanError, scope: &str) -> Failure {
    match error {
        PlanError::Ledger(error) => error.into(),
        PlanError::Temporary(error) => cannot_sort(error),
        PlanError::Outside(_) => Failure::said(ExitStatus::Usage, error.to_string()).hint(format!(
            "nothing was changed; to take credentials that belong to no scope into \"{scope}\", add `--adopt`; those of \
             another scope stay there"
        )),
    }
}
