//! `beltic bench`: how fast this machine signs, and how much of that is left of a whole
//! `batch-issue`.
//!
//! Rounds of both alternate, so that whatever else the machine does slows both. `batch-issue` is
//! the real one, from a file to nowhere, with a ledger on the disk and full sync.

use std::io::{BufWriter, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::batch::{self, Plan, Register, Render, SIGNED_TOGETHER};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::key_speed::KeySpeed;
use crate::cli::render;
use crate::cli::settings::{KeyPlace, Settings};
use crate::cli::shared_args::{Common, JobsArg, KeyArgs, OutputFormat, whole_number};
use crate::cli::streams::grouped;
use crate::clock::Clock;
use crate::credential::{Profile, ProfileSettings, ProofFormat};
use crate::files::PathError;
use crate::issuer::Issuer;
use crate::keys::{IssuerKey, SIGNATURE_BYTES, SignError, SigningKey};
use crate::ledger::{self, Ledger, RunDescription};
use crate::request::Rules;
use crate::request::rules::CalendarDuration;
use crate::sample;
use crate::source::{Input, Items, Options, Source};
use crate::stop::{Stop, ThreadError};
use crate::types::Types;

/// The ways to issue that are timed: what a line is called, its input, its form.
const WAYS: [(&str, &str, ProofFormat); 3] = [
    ("batch-issue, NDJSON", ITEMS, ProofFormat::JwtVc),
    ("batch-issue, CSV", ROWS, ProofFormat::JwtVc),
    ("batch-issue, NDJSON, two owners, SD-JWT", OWNERS, ProofFormat::SdJwtVc),
];
const ITEMS: &str = "items.ndjson";
const ROWS: &str = "items.csv";
const OWNERS: &str = "owners.ndjson";

/// What `bench` takes.
#[derive(Debug, Args)]
#[command(
    mut_arg("key", |arg| arg.help("The signing key [default: .beltic/issuer.pem, or a new key]")),
    before_help = "Examples:
  beltic bench
  beltic bench --jobs 1 --rounds 7
  beltic bench --signer-command sign --public-key key.jwk
",
    after_help = "The test ledger is created in the working directory: run this on the disk you want to measure.\n"
)]
pub(crate) struct BenchArgs {
    /// Number of credentials per round
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = whole_number::<u32>(1..=10_000_000))]
    pub items: u32,
    /// Number of rounds; the median is reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = whole_number::<u8>(1..=99))]
    pub rounds: u8,
    /// The key that signs.
    #[command(flatten)]
    pub key: KeyArgs,
    /// How much is done at once.
    #[command(flatten)]
    pub jobs: JobsArg,
}

pub(super) fn run(common: &Common, args: &BenchArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let key: Box<dyn SigningKey> = match settings.key_place(&args.key)? {
        KeyPlace::File(path) if args.key.key.is_none() && !path.exists() => Box::new(IssuerKey::generate()?),
        _ => settings.open_key(&args.key)?.key,
    };
    let folder = tempfile::Builder::new()
        .prefix(".beltic-bench-")
        .tempdir_in(".")
        .map_err(|source| Failure::from(PathError::new("make a folder in", Path::new("."), source)))?;
    let bench = Bench {
        folder: folder.path().to_owned(),
        issuer: Issuer::of_key(key.public()),
        key,
        items: args.items as usize,
        jobs: settings.jobs(&args.jobs.jobs),
    };
    bench.write_inputs()?;
    let (raw, whole) = bench.rounds(args.rounds)?;
    let speed = bench.key.is_elsewhere().then(|| KeySpeed::of(&*bench.key, SIGNED_TOGETHER)).transpose();
    let speed = speed.map_err(cannot_sign)?.map(|speed| format!("\nThe key: {speed}\n"));
    super::print((bench.table(raw, &whole) + &speed.unwrap_or_default()).as_bytes())
}

struct Bench {
    folder: PathBuf,
    issuer: Issuer,
    key: Box<dyn SigningKey>,
    items: usize,
    jobs: usize,
}

impl Bench {
    fn write_inputs(&self) -> Result<(), Failure> {
        self.write_lines(ITEMS, None, sample::item)?;
        self.write_lines(ROWS, Some(sample::CSV_HEADER), sample::row)?;
        self.write_lines(OWNERS, None, sample::item_with_owners)
    }

    fn write_lines(&self, name: &str, head: Option<&str>, line: fn(usize) -> String) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let write = || {
            let mut file = BufWriter::new(std::fs::File::create(&path)?);
            head.map_or(Ok(()), |head| writeln!(file, "{head}"))?;
            (0..self.items).try_for_each(|number| writeln!(file, "{}", line(number)))?;
            file.flush()
        };
        Ok(write().map_err(|source| PathError::new("write", &path, source))?)
    }

    /// The median times of signing alone, and of each way to issue.
    fn rounds(&self, rounds: u8) -> Result<(Duration, Vec<Duration>), Failure> {
        let signed_bytes = self.signed_bytes()?;
        let (mut raw, mut whole) = (Vec::new(), vec![Vec::new(); WAYS.len()]);
        for _ in 0..rounds {
            raw.push(self.sign(signed_bytes)?);
            for (way, times) in WAYS.iter().zip(&mut whole) {
                times.push(self.issue(way.1, way.2)?);
            }
        }
        Ok((median(raw), whole.into_iter().map(median).collect()))
    }

    /// How many bytes are signed for a credential of the first way, on average.
    fn signed_bytes(&self) -> Result<usize, Failure> {
        let tokens = render::form(OutputFormat::Jwt, false, false);
        let mut bytes = 0;
        self.run(ITEMS, ProofFormat::JwtVc, Register::None, tokens.as_render(), |rows| bytes += rows)?;
        let signature = ".".len() + (SIGNATURE_BYTES * 4).div_ceil(3) + "\n".len();
        Ok((bytes / self.items).saturating_sub(signature))
    }

    /// Signs as many messages of that size as there are items, with nothing around it.
    fn sign(&self, signed_bytes: usize) -> Result<Duration, Failure> {
        let message = vec![b'a'; signed_bytes];
        let share = self.items.div_ceil(self.jobs);
        let begun = Instant::now();
        thread::scope(|scope| {
            let work = || {
                let mut signer = self.key.signer()?;
                let messages = [&*message; SIGNED_TOGETHER];
                let mut signatures = [[0; SIGNATURE_BYTES]; SIGNED_TOGETHER];
                (0..share).step_by(SIGNED_TOGETHER).try_for_each(|done| {
                    let count = SIGNED_TOGETHER.min(share - done);
                    signer.sign(std::hint::black_box(&messages[..count]), &mut signatures[..count])
                })
            };
            let start = |_| thread::Builder::new().spawn_scoped(scope, work).map_err(ThreadError::from);
            let threads = (0..self.jobs).map(start).collect::<Result<Vec<_>, _>>()?;
            let ended = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|payload| resume_unwind(payload))
            };
            threads.into_iter().try_for_each(|thread| ended(thread).map_err(cannot_sign))
        })?;
        Ok(begun.elapsed())
    }

    /// Issues a file, with a new ledger on the disk.
    fn issue(&self, input: &str, format: ProofFormat) -> Result<Duration, Failure> {
        let path = self.folder.join("ledger.db");
        let (ledger, _) = Ledger::open(&path)?;
        let results = render::form(OutputFormat::Ndjson, false, false);
        let begun = Instant::now();
        self.run(input, format, Register::Ledger(Box::new(ledger)), results.as_render(), |_| ())?;
        let took = begun.elapsed();
        std::fs::remove_file(&path).map_err(|source| PathError::new("remove", &path, source))?;
        Ok(took)
    }

    fn run(
        &self,
        input: &str,
        proof_format: ProofFormat,
        register: Register,
        render: &dyn Render,
        mut note: impl FnMut(usize),
    ) -> Result<(), Failure> {
        let types = Types::BUILT_IN;
        let settings = ProfileSettings { proof_format, ..ProfileSettings::of_types(types, &self.issuer) };
        let profile = Profile::new(&self.issuer, settings);
        let plan = Plan {
            profile: &profile,
            key: &*self.key,
            rules: Rules {
                types,
                allow_unknown: false,
                default_ttl: CalendarDuration::parse("P1Y").expect("a year is a duration"),
                overrules_types: false,
                hash_key: [0; 32],
                identity: None,
            },
            clock: Clock::System,
            jobs: self.jobs,
            run: describe(&profile)?,
            max_failures: None,
            shard: None,
            keep_failed: false,
            keep_tokens: false,
            self_check: None,
            renewals: None,
        };
        let stop = Stop::default();
        let inputs = vec![Input::File(self.folder.join(input))];
        let mut source = Source::open(inputs, Options::of(Items::of(types)), &stop)?;
        let ended = batch::issue(&mut source, &plan, register, render, &stop, |delivery| {
            note(delivery.bytes.len());
            Ok::<_, Failure>(())
        });
        Ok(ended.outcome?)
    }

    fn table(&self, raw: Duration, whole: &[Duration]) -> String {
        let rate = |time: Duration| grouped((self.items as f64 / time.as_secs_f64()) as u64);
        let threads = if self.jobs == 1 { "1 thread".into() } else { format!("{} threads", self.jobs) };
        let mut table = format!(
            "{} credentials a round, {threads}\n\n{:<42} {:>10} {:>8}\n{:<42} {:>10} {:>8.3}\n",
            grouped(self.items as u64),
            "",
            "a second",
            "ratio",
            "ES256 signatures alone",
            rate(raw),
            1.0
        );
        for ((name, ..), time) in WAYS.iter().zip(whole) {
            let ratio = raw.as_secs_f64() / time.as_secs_f64();
            table.push_str(&format!("{name:<42} {:>10} {ratio:>8.3}\n", rate(*time)));
        }
        table
    }
}

fn cannot_sign(error: SignError) -> Failure {
    Failure::new(ExitStatus::Key, anyhow::Error::new(error).context("cannot sign with the key"))
}

fn describe(profile: &Profile) -> Result<RunDescription, Failure> {
    let name = ledger::new_run_name().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    Ok(RunDescription::of(profile, name, "P1Y".to_owned()))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
