//! Issuing with a key in a PKCS#11 module, beside the module alone: SoftHSM, with a token made for this.
//!
//! Alone, `C_Sign` signs digests in as many threads and sessions as `batch-issue` has workers, with nothing around it.
//! Runs of both alternate, and each run of `batch-issue`, from its start to its end, is compared with the mean of the two
//! runs of the module alone before and after it, by both clocks: the wall, and the CPU time of the process. Every
//! credential of the first round is verified by the `p256` crate, which has no code in common with the module or AWS-LC.
//!
//! `ITEMS` (100,000), `JOBS` (4) and `ROUNDS` (5) in the environment change what is done.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use nix::sys::resource::UsageWho;

#[path = "measured/elsewhere.rs"]
mod elsewhere;
#[allow(dead_code, reason = "it serves other benchmarks, too")]
mod measured;

use elsewhere::{FORMATS, Yard, number};
use measured::{Took, measure, median, spread};

const PIN: &str = "0417";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
/// How this program is told to measure the module alone, in a process whose environment names the tokens.
const ALONE: &str = "module-alone";

fn main() {
    let module = MODULES.into_iter().find(|path| Path::new(path).exists());
    let Some(module) = module else {
        println!("skipped: SoftHSM is not installed");
        return;
    };
    let (items, jobs, rounds) = (number("ITEMS", 100_000), number("JOBS", 4), number("ROUNDS", 5));
    if std::env::args().any(|arg| arg == ALONE) {
        let took = sign_alone(module, items, jobs);
        println!("{} {}", took.wall.as_micros(), took.cpu.as_micros());
        return;
    }
    let bench = Bench::new(module, items, jobs);
    println!("{items} credentials a run, {jobs} workers, {rounds} rounds; median (range)");
    let mut pairs = FORMATS.map(|_| Vec::new());
    let mut before = bench.alone();
    for round in 0..rounds {
        for (format, pairs) in FORMATS.iter().zip(&mut pairs) {
            let whole = bench.issue(format);
            if round == 0 {
                bench.yard.verify("issuer.jwk");
            }
            let after = bench.alone();
            pairs.push(Pair { alone: mean(before, after), whole });
            before = after;
        }
    }
    for (format, pairs) in FORMATS.iter().zip(&pairs) {
        report(format, pairs, items);
    }
}

/// A run of `batch-issue`, and the module alone around it.
struct Pair {
    alone: Took,
    whole: Took,
}

fn mean(first: Took, second: Took) -> Took {
    Took { wall: (first.wall + second.wall) / 2, cpu: (first.cpu + second.cpu) / 2 }
}

fn report(format: &str, pairs: &[Pair], items: usize) {
    for (clock, of) in [("wall", (|took| took.wall) as fn(&Took) -> Duration), ("CPU", |took| took.cpu)] {
        let rate = |took: fn(&Pair) -> &Took| {
            median(pairs.iter().map(|pair| items as f64 / of(took(pair)).as_secs_f64()))
        };
        let ratios: Vec<_> =
            pairs.iter().map(|pair| of(&pair.alone).as_secs_f64() / of(&pair.whole).as_secs_f64()).collect();
        println!(
            "{format:<10} per {clock:<4} second: C_Sign alone {:>6.0}, batch-issue {:>6.0}, ratio {}",
            rate(|pair| &pair.alone),
            rate(|pair| &pair.whole),
            spread(&ratios)
        );
    }
}

/// Signs so many digests with the module alone.
fn sign_alone(module: &str, count: usize, threads: usize) -> Took {
    let context = Pkcs11::new(module).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let first = context.open_ro_session(slot).unwrap();
    first.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    measure(UsageWho::RUSAGE_SELF, || {
        thread::scope(|scope| {
            for thread in 0..threads {
                let session = context.open_ro_session(slot).unwrap();
                scope.spawn(move || {
                    let key = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap()[0];
                    for number in (thread..count).step_by(threads) {
                        let digest = [number.to_le_bytes(); 4].concat();
                        session.sign(&Mechanism::Ecdsa, key, &digest).unwrap();
                    }
                });
            }
        });
    })
}

struct Bench {
    yard: Yard,
    module: &'static str,
    jobs: usize,
}

impl Bench {
    fn new(module: &'static str, items: usize, jobs: usize) -> Bench {
        let mut yard = Yard::new(items);
        let tokens = yard.path("tokens");
        std::fs::create_dir(&tokens).unwrap();
        yard.write(
            "softhsm.conf",
            format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
        );
        yard.write("pin", PIN);
        yard.set("SOFTHSM2_CONF", yard.path("softhsm.conf"));
        let bench = Bench { yard, module, jobs };
        let token = ["--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", PIN];
        bench.yard.done(Command::new("softhsm2-util").args(token));
        let keygen = ["keygen", "--key", &bench.uri(), "--quiet"];
        let jwk = bench.yard.done(Command::new(env!("CARGO_BIN_EXE_beltic")).args(keygen));
        bench.yard.write("issuer.jwk", &jwk);
        bench
    }

    fn uri(&self) -> String {
        format!("pkcs11:token=bench;object=bench?module-path={}&pin-source=pin", self.module)
    }

    fn alone(&self) -> Took {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(ALONE).env("ITEMS", self.yard.items.to_string()).env("JOBS", self.jobs.to_string());
        let printed = self.yard.done(&mut command);
        let mut micros = printed.split_whitespace().map(|text| Duration::from_micros(text.parse().unwrap()));
        Took { wall: micros.next().unwrap(), cpu: micros.next().unwrap() }
    }

    fn issue(&self, format: &str) -> Took {
        self.yard.issue(format, self.jobs, &["--key", &self.uri()])
    }
}
