//! How fast are the whole of `batch-issue` and of `verify`, next to the signature alone? And what do
//! memory and speed do as a ledger grows to ten million?
//!
//! Rounds of both alternate, so that a neighbour on the machine slows both. Each figure is the
//! median of the rounds: the wall rate, and the rate per second of CPU time, which neighbours
//! disturb least. The ratio is taken round by round.
//!
//! `cargo bench --bench throughput -- verifying` measures `verify` and `batch-issue --verify` alone, on one core.
//!
//! `batch-issue` runs as a user runs it: the release binary, from a file to `/dev/null`, with the
//! ledger on and full sync.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use beltic::keys::IssuerKey;
use beltic::sample::{CSV_HEADER, item, item_with_owners, row};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::UsageWho;
use nix::unistd::Pid;

mod measured;

use measured::{Took, measure, median, run_and_watch};

const ROUNDS: usize = 5;
const ITEMS: usize = 100_000;
/// How many tokens a round of `verify` verifies, which takes three times as long as signing.
const TOKENS: usize = 20_000;
/// The first million is issued from so many copies of the items.
const COPIES: usize = 10;
/// How often the million is issued once more, in one run.
const MORE_MILLIONS: usize = 10;
const BELTIC: &str = env!("CARGO_BIN_EXE_beltic");

fn main() {
    // `cargo test --benches` runs benchmarks too; there they only have to compile.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let bench = Bench::prepare();
    println!("{ITEMS} items a round, {ROUNDS} rounds, {} bytes signed an item\n", bench.signed_bytes);
    let all = sched_getaffinity(Pid::from_raw(0)).expect("the system tells its processors");
    let cores = (0..CpuSet::count()).filter(|&cpu| all.is_set(cpu).unwrap_or(false)).collect::<Vec<_>>();

    if std::env::args().any(|argument| argument == "verifying") {
        bench.compare_verifying("one core", &cores[..1]);
        bench.compare_self_check(&cores[..1]);
        return;
    }
    bench.one_item(); // before the disk has gigabytes of others to write
    let one = bench.compare("one core", &cores[..1]);
    bench.compare_verifying("one core", &cores[..1]);
    bench.compare_self_check(&cores[..1]);
    if cores.len() > 1 {
        let title = format!("{} cores", cores.len());
        let every = bench.compare(&title, &cores);
        bench.compare_verifying(&title, &cores);
        println!("batch-issue (ndjson), {} cores to one, wall: {:.2}", cores.len(), every / one);
    }
    bench.growth(cores.len());
}

/// A way to issue: what its line in the table is called, its input, and its flags.
struct Way {
    name: &'static str,
    input: &'static str,
    flags: &'static [&'static str],
    /// Whether each of its runs has an idempotency key of its own.
    keyed: bool,
}

const SD_JWT: &[&str] = &["--proof-format=sd_jwt_vc", "--issuer=https://issuer.example"];

/// Agents whose permissions stand in the settings.
const AGENTS: &[&str] = &["--config=agents.yaml"];
const AGENT_SETTINGS: &str = "
credential: {type: agent_authorization, ttl: P30D}
csv:
  constants:
    self_attestation_complete: true
    delegated_by_subject_id: U-1
    permissions:
      - resource_type: wallet
        resource_id: '*'
        actions: [checkout, refund]
        conditions:
          - {field: amount, operator: lte, value: 5000}
          - {field: currency, operator: in, value: [EUR, USD]}
";
/// A type of one's own whose schema is all in tables, and the same with a rule that tables cannot say.
const OWN_TYPE: &[&str] = &["--types=own.yaml", "--type=licence"];
const OWN_TYPE_BEYOND: &[&str] = &["--types=beyond.yaml", "--type=licence"];
const OWN_TYPE_FILE: &str = r#"
type: licence
name: LicenceCredential
schema:
  properties:
    subject:
      additionalProperties: false
      properties:
        name: { type: string, minLength: 1 }
    claims:
      required: [number, granted_on]
      additionalProperties: false
      properties:
        number: { type: string, pattern: "^L-[0-9]{6}$" }
        granted_on: { type: string, format: date }
        country: { type: string, format: iso3166-1 }
        fee: { type: number, minimum: 0 }
        state: { enum: [active, provisional] }
        activities:
          type: array
          items:
            type: object
            required: [code]
            additionalProperties: false
            properties: { code: { type: string, minLength: 2 }, from: { type: string, format: date } }
"#;
const RULE_BEYOND_TABLES: &str = "      dependentRequired: { fee: [state] }\n";

/// How many keys the agents have between them.
const AGENT_KEYS: usize = 1_000;

const WAYS: [Way; 10] = [
    Way { name: "NDJSON", input: "items.ndjson", flags: &[], keyed: false },
    Way { name: "JSON", input: "items.json", flags: &[], keyed: false },
    Way { name: "CSV", input: "items.csv", flags: &[], keyed: false },
    // Nothing is replayed, but the ledger is asked.
    Way { name: "NDJSON, idempotency key", input: "items.ndjson", flags: &[], keyed: true },
    // Two disclosures: number and address.
    Way { name: "NDJSON, SD-JWT", input: "items.ndjson", flags: SD_JWT, keyed: false },
    Way { name: "NDJSON, two owners", input: "owners.ndjson", flags: &[], keyed: false },
    // Five disclosures: number, address, the owners, and each of them.
    Way { name: "NDJSON, two owners, SD-JWT", input: "owners.ndjson", flags: SD_JWT, keyed: false },
    Way { name: "CSV, agents", input: "agents.csv", flags: AGENTS, keyed: false },
    Way { name: "NDJSON, own type", input: "licences.ndjson", flags: OWN_TYPE, keyed: false },
    // The whole schema judges each item after the tables did.
    Way {
        name: "NDJSON, own type, jsonschema",
        input: "licences.ndjson",
        flags: OWN_TYPE_BEYOND,
        keyed: false,
    },
];

/// What is verified: what its line is called, its file, and what checks the signatures.
const VERIFIED: [(&str, &str, &str); 5] = [
    ("verify, tokens", "tokens.jwt", "batch"),
    ("verify, results", "results.ndjson", "batch"),
    ("verify, results, SD-JWT", "sd-jwt.ndjson", "batch"),
    ("verify, tokens, portable", "tokens.jwt", "portable"),
    ("verify, tokens, AWS-LC", "tokens.jwt", "aws-lc"),
];

/// The rates of some rounds, beside those of the bare operation.
struct Table<'r> {
    raw: &'r [Took],
    /// How many a round has.
    count: usize,
}

impl Table<'_> {
    fn head(title: &str) {
        println!("{title:<30} {:>12} {:>12} {:>8} {:>8}", "wall /s", "cpu /s", "ratio", "(wall)");
    }

    /// Prints a line, and returns the wall rate.
    fn line(&self, name: &str, rounds: &[Took]) -> f64 {
        let rate = |time: Duration| self.count as f64 / time.as_secs_f64();
        let wall = median(rounds.iter().map(|took| rate(took.wall)));
        let cpu = median(rounds.iter().map(|took| rate(took.cpu)));
        let pairs = || rounds.iter().zip(self.raw);
        let ratio = median(pairs().map(|(took, raw)| rate(took.cpu) / rate(raw.cpu)));
        let wall_ratio = median(pairs().map(|(took, raw)| rate(took.wall) / rate(raw.wall)));
        println!("{name:<30} {wall:>12.0} {cpu:>12.0} {ratio:>8.3} {wall_ratio:>8.3}");
        wall
    }
}

struct Bench {
    folder: tempfile::TempDir,
    signed_bytes: usize,
}

impl Bench {
    fn prepare() -> Bench {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let bench = Bench { folder, signed_bytes: 0 };
        bench.write_inputs();
        bench.run(Command::new(BELTIC).arg("keygen"));
        fs::write(bench.path("one.ndjson"), item(0) + "\n").expect("the folder takes files");
        let signed_bytes = bench.signed_bytes();
        bench.write_credentials();
        Bench { signed_bytes, ..bench }
    }

    /// Writes what is verified, and the site that it is verified by.
    fn write_credentials(&self) {
        for (form, flags, file) in [
            ("jwt", None, "tokens.jwt"),
            ("ndjson", None, "results.ndjson"),
            ("ndjson", Some("--proof-format=sd_jwt_vc"), "sd-jwt.ndjson"),
        ] {
            let mut command = Command::new(BELTIC);
            command.args(["batch-issue", "tokens.ndjson", "--ledger=verified.db", "--quiet"]);
            command.args([format!("--output-format={form}"), format!("--out={file}")]).args(flags);
            self.run(&mut command);
        }
        self.run(Command::new(BELTIC).args(["publish", "--out=site", "--ledger=verified.db", "--quiet"]));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_inputs(&self) {
        let create = |name: &str| {
            std::io::BufWriter::new(File::create(self.path(name)).expect("the folder takes files"))
        };
        let (mut ndjson, mut json, mut csv) =
            (create("items.ndjson"), create("items.json"), create("items.csv"));
        let mut owners = create("owners.ndjson");
        write!(json, "{{\"items\":[").expect("the disk has room");
        writeln!(csv, "{CSV_HEADER}").expect("the disk has room");
        let mut tokens = create("tokens.ndjson");
        for number in 0..TOKENS {
            writeln!(tokens, "{}", item(number)).expect("the disk has room");
        }
        for number in 0..ITEMS {
            writeln!(ndjson, "{}", item(number)).expect("the disk has room");
            writeln!(owners, "{}", item_with_owners(number)).expect("the disk has room");
            write!(json, "{}\n{}", if number > 0 { "," } else { "" }, item(number))
                .expect("the disk has room");
            writeln!(csv, "{}", row(number)).expect("the disk has room");
        }
        writeln!(json, "\n]}}").expect("the disk has room");
        self.write_agents();
        self.write_licences();
    }

    fn write_licences(&self) {
        let beyond = OWN_TYPE_FILE.to_owned() + RULE_BEYOND_TABLES;
        fs::write(self.path("own.yaml"), OWN_TYPE_FILE).expect("the folder takes files");
        fs::write(self.path("beyond.yaml"), beyond).expect("the folder takes files");
        let licence = |number: usize| {
            format!(
                "{{\"self_attestation_complete\":true,\"subject\":{{\"id\":\"EX-{number}\",\"name\":\"Quillmere Bakery {number}\"}},\
                 \"claims\":{{\"number\":\"L-{number:06}\",\"granted_on\":\"2026-01-31\",\"country\":\"GB\",\"fee\":12.50,\
                 \"state\":\"active\",\"activities\":[{{\"code\":\"A1\",\"from\":\"2026-01-31\"}},{{\"code\":\"B2\"}}]}}}}\n"
            )
        };
        let licences: String = (0..ITEMS).map(licence).collect();
        fs::write(self.path("licences.ndjson"), licences).expect("the folder takes files");
    }

    fn write_agents(&self) {
        fs::write(self.path("agents.yaml"), AGENT_SETTINGS).expect("the folder takes files");
        let agent = || IssuerKey::generate().expect("keys can be made").public().did_jwk();
        let agents: Vec<String> = std::iter::repeat_with(agent).take(AGENT_KEYS).collect();
        let rows = (0..ITEMS).map(|number| format!("{},agent-{number}\n", agents[number % AGENT_KEYS]));
        let csv =
            std::iter::once("subject_id,agent_external_id\n".to_owned()).chain(rows).collect::<String>();
        fs::write(self.path("agents.csv"), csv).expect("the folder takes files");
    }

    /// How many bytes are signed for an item, on average.
    fn signed_bytes(&self) -> usize {
        let output = Command::new(BELTIC)
            .args(["batch-issue", "items.ndjson", "--output-format=jwt", "--ledger=sample.db", "--quiet"])
            .current_dir(self.folder.path())
            .output()
            .expect("the binary runs");
        let signature = ".".len() + 86;
        output.stdout.len() / ITEMS - "\n".len() - signature
    }

    /// Compares on the given processors, prints the figures, and returns the wall rate of the
    /// whole on NDJSON.
    fn compare(&self, title: &str, cpus: &[usize]) -> f64 {
        pin(cpus);
        let jobs = format!("--jobs={}", cpus.len());
        let mut raw = Vec::new();
        let mut whole = vec![Vec::new(); WAYS.len()];
        self.sign_raw(cpus.len()); // warms up both
        self.issue(&WAYS[0], &jobs);
        for _ in 0..ROUNDS {
            raw.push(self.sign_raw(cpus.len()));
            for (way, rounds) in WAYS.iter().zip(&mut whole) {
                rounds.push(self.issue(way, &jobs));
            }
        }
        Table::head(title);
        let table = Table { raw: &raw, count: ITEMS };
        table.line("raw aws-lc-rs signing", &raw);
        let rates: Vec<f64> =
            WAYS.iter().zip(&whole).map(|(way, rounds)| table.line(way.name, rounds)).collect();
        print_disclosures(&whole);
        print_index(&whole);
        println!();
        rates[0]
    }

    /// Signs as many messages of the same size as there are items, with nothing around it.
    fn sign_raw(&self, threads: usize) -> Took {
        let message = vec![b'a'; self.signed_bytes];
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("keys can be made");
        let random = SystemRandom::new();
        measure(UsageWho::RUSAGE_SELF, || {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for _ in 0..ITEMS / threads {
                            let signature = key.sign(&random, std::hint::black_box(&message));
                            std::hint::black_box(signature.expect("the key signs"));
                        }
                    });
                }
            });
        })
    }

    fn issue(&self, way: &Way, jobs: &str) -> Took {
        let mut command = Command::new(BELTIC);
        command.args(["batch-issue", way.input, jobs, "--output-format=ndjson", "--quiet"]).args(way.flags);
        if way.keyed {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
            command.arg(format!("--idempotency-key=round {}", now.as_nanos()));
        }
        measure(UsageWho::RUSAGE_CHILDREN, || self.run(&mut command))
    }

    /// Compares verifying on the given processors, and prints the figures.
    fn compare_verifying(&self, title: &str, cpus: &[usize]) {
        pin(cpus);
        let mut raw = Vec::new();
        let mut whole = vec![Vec::new(); VERIFIED.len()];
        self.verify_raw(cpus.len());
        for _ in 0..ROUNDS {
            raw.push(self.verify_raw(cpus.len()));
            for ((_, file, engine), rounds) in VERIFIED.iter().zip(&mut whole) {
                rounds.push(self.verify(file, engine, cpus.len()));
            }
        }
        Table::head(title);
        let table = Table { raw: &raw, count: TOKENS };
        table.line("raw aws-lc-rs verifying", &raw);
        for ((name, ..), rounds) in VERIFIED.iter().zip(&whole) {
            table.line(name, rounds);
        }
        println!();
    }

    /// Verifies as many signatures as there are tokens, by a key that was parsed once. No two are the same, as
    /// in tokens: the arithmetic branches on the signature, and a processor learns the branches of one that returns.
    fn verify_raw(&self, threads: usize) -> Took {
        let message = vec![b'a'; self.signed_bytes];
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("keys can be made");
        let random = SystemRandom::new();
        let sign = |_| key.sign(&random, &message).expect("the key signs");
        let signatures: Vec<_> = (0..TOKENS).map(sign).collect();
        let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        let public = public.expect("a public key of ours is one");
        measure(UsageWho::RUSAGE_SELF, || {
            std::thread::scope(|scope| {
                for share in signatures.chunks(TOKENS.div_ceil(threads)) {
                    let (public, message) = (&public, &message);
                    scope.spawn(move || {
                        for signature in share {
                            let sound = public.verify_sig(std::hint::black_box(message), signature.as_ref());
                            sound.expect("the signature is sound");
                        }
                    });
                }
            });
        })
    }

    fn verify(&self, file: &str, engine: &str, threads: usize) -> Took {
        let jobs = format!("--jobs={threads}");
        let mut command = Command::new(BELTIC);
        command.args(["verify", file, "--site=site", &jobs, "--output-format=ndjson", "--quiet"]);
        command.args(["--engine", engine]);
        measure(UsageWho::RUSAGE_CHILDREN, || self.run(&mut command))
    }

    /// Compares issuing with and without `--verify` on the given processors.
    fn compare_self_check(&self, cpus: &[usize]) {
        const CHECKED: Way =
            Way { name: "NDJSON", input: "items.ndjson", flags: &["--verify"], keyed: false };
        const CHECKED_SD_JWT: Way = Way {
            name: "NDJSON, two owners, SD-JWT",
            input: "owners.ndjson",
            flags: &["--verify", "--proof-format=sd_jwt_vc", "--issuer=https://issuer.example"],
            keyed: false,
        };
        pin(cpus);
        for checked in [CHECKED, CHECKED_SD_JWT] {
            let plain = WAYS.iter().find(|way| way.name == checked.name).expect("the way has this name");
            let mut times: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let without = self.issue(plain, "--jobs=1").cpu;
                    self.issue(&checked, "--jobs=1").cpu.as_secs_f64() / without.as_secs_f64()
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let (least, most) = (times[0], times[ROUNDS - 1]);
            let name = checked.name;
            println!(
                "{name}: --verify takes {:.2} times the CPU time ({least:.2} to {most:.2})",
                times[ROUNDS / 2]
            );
        }
        println!();
    }

    /// A million, then ten million in one run, then a million again, all into one ledger.
    fn growth(&self, threads: usize) {
        let million = vec!["items.ndjson"; COPIES];
        let jobs = format!("--jobs={threads}");
        let issue = |inputs: &[&str]| {
            let mut command = Command::new(BELTIC);
            command.arg("batch-issue").args(inputs);
            command.args([&jobs, "--ledger=growing.db", "--output-format=ndjson", "--quiet"]);
            let mut peak = 0;
            let took =
                measure(UsageWho::RUSAGE_CHILDREN, || peak = run_and_watch(self.quietly(&mut command)));
            (took, peak)
        };
        let (first, peak_of_one) = issue(&million);
        let (_, peak_of_ten) = issue(&million.repeat(MORE_MILLIONS));
        let (last, _) = issue(&million);
        let ratio = |first: Duration, last: Duration| first.as_secs_f64() / last.as_secs_f64();
        println!(
            "the twelfth million to the first: {:.3} per CPU second, {:.3} wall",
            ratio(first.cpu, last.cpu),
            ratio(first.wall, last.wall)
        );
        let mega = |kib: u64| kib as f64 * 1024.0 / 1e6;
        println!(
            "peak memory: {:.1} MB for one million, {:.1} MB for ten ({:.2})",
            mega(peak_of_one),
            mega(peak_of_ten),
            peak_of_ten as f64 / peak_of_one as f64
        );
    }

    /// One item, as a whole process.
    fn one_item(&self) {
        let once = || {
            measure(UsageWho::RUSAGE_CHILDREN, || {
                self.run(Command::new(BELTIC).args(["batch-issue", "one.ndjson", "--quiet"]));
            })
        };
        once();
        // The disk still writes what was prepared, and would write it between the syncs of the ledger.
        self.run(&mut Command::new("sync"));
        let millis = median((0..31).map(|_| once().wall.as_secs_f64() * 1e3));
        println!("one item, whole process, warm: {millis:.1} ms\n");
    }

    fn run(&self, command: &mut Command) {
        let status = self.quietly(command).status().expect("the binary runs");
        assert!(status.success(), "{command:?} failed");
    }

    /// The command in the folder, with nothing to read and nobody to read it.
    fn quietly<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let nowhere = File::create("/dev/null").expect("there is a /dev/null");
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(nowhere)
    }
}

/// What SD-JWT costs beside `jwt_vc`, from the rounds of [`WAYS`].
fn print_disclosures(whole: &[Vec<Took>]) {
    let of = |name: &str| {
        let place = WAYS.iter().position(|way| way.name == name);
        &whole[place.expect("the way has this name")]
    };
    for (plain, hiding, count) in
        [("NDJSON", "NDJSON, SD-JWT", 2), ("NDJSON, two owners", "NDJSON, two owners, SD-JWT", 5)]
    {
        let pairs = || of(plain).iter().zip(of(hiding));
        let ratio = median(pairs().map(|(plain, hiding)| rate(hiding.cpu) / rate(plain.cpu)));
        let micros = median(pairs().map(|(plain, hiding)| {
            (hiding.cpu.as_secs_f64() - plain.cpu.as_secs_f64()) * 1e6 / ITEMS as f64
        }));
        println!(
            "{hiding}: {ratio:.3} of the rate of jwt_vc, {:.2} us a disclosure ({count} an item)",
            micros / f64::from(count)
        );
    }
}

/// What an idempotency key costs: the index of items.
fn print_index(whole: &[Vec<Took>]) {
    let of = |name: &str| {
        let place = WAYS.iter().position(|way| way.name == name);
        &whole[place.expect("the way has this name")]
    };
    let pairs = of("NDJSON").iter().zip(of("NDJSON, idempotency key"));
    let micros =
        pairs.map(|(plain, keyed)| (keyed.cpu.as_secs_f64() - plain.cpu.as_secs_f64()) * 1e6 / ITEMS as f64);
    println!("NDJSON, idempotency key: {:.2} us an item for the index of items", median(micros));
}

fn rate(time: Duration) -> f64 {
    ITEMS as f64 / time.as_secs_f64()
}

/// Keeps this process, and those it starts, on these processors.
fn pin(cpus: &[usize]) {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).expect("the system named this processor");
    }
    sched_setaffinity(Pid::from_raw(0), &set).expect("a process may choose among its processors");
}
