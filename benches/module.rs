//! Issuing with a key in a PKCS#11 module, beside the module alone: SoftHSM, with a token made for this.
//!
//! In each round `C_Sign` signs digests in as many threads and sessions as `batch-issue` has workers, with nothing around
//! it; then `batch-issue` issues a file. Every credential is verified by the `p256` crate, which has no code in common
//! with the module or with AWS-LC.
//!
//! `ITEMS` (100,000), `JOBS` (all cores) and `ROUNDS` (1) in the environment change what is done.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

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
    let (items, jobs, rounds) = (number("ITEMS", 100_000), number("JOBS", cores()), number("ROUNDS", 1));
    if std::env::args().any(|arg| arg == ALONE) {
        println!("{}", sign_alone(module, items, jobs).as_micros());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench { folder: folder.path().to_owned(), module, items, jobs };
    bench.set_up();
    println!("{items} credentials a round, {jobs} workers");
    for _ in 0..rounds {
        for format in ["jwt_vc", "sd_jwt_vc"] {
            let (alone, whole) = (bench.alone(), bench.issue(format));
            let rate = |time: Duration| items as f64 / time.as_secs_f64();
            println!(
                "{format:<10} C_Sign alone {:>7.0}/s, batch-issue {:>7.0}/s, ratio {:.3}; {} verified by p256",
                rate(alone),
                rate(whole),
                alone.as_secs_f64() / whole.as_secs_f64(),
                bench.verify()
            );
        }
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Signs so many digests with the module alone.
fn sign_alone(module: &str, count: usize, threads: usize) -> Duration {
    let context = Pkcs11::new(module).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let first = context.open_ro_session(slot).unwrap();
    first.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    let begun = Instant::now();
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
    begun.elapsed()
}

struct Bench {
    folder: PathBuf,
    module: &'static str,
    items: usize,
    jobs: usize,
}

impl Bench {
    fn set_up(&self) {
        let write = |name: &str, text: &str| std::fs::write(self.folder.join(name), text).unwrap();
        std::fs::create_dir(self.folder.join("tokens")).unwrap();
        let tokens = self.folder.join("tokens");
        write("softhsm.conf", &format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()));
        write("pin", PIN);
        let items = (0..self.items).fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "{}", beltic::sample::item(number));
            text
        });
        write("items.ndjson", &items);
        self.done(Command::new("softhsm2-util").args([
            "--init-token",
            "--free",
            "--label",
            "bench",
            "--pin",
            PIN,
            "--so-pin",
            PIN,
        ]));
        let uri = self.uri();
        let jwk = self.done(self.beltic().args(["keygen", "--key", &uri, "--quiet"]));
        write("issuer.jwk", &jwk);
    }

    fn uri(&self) -> String {
        format!("pkcs11:token=bench;object=bench?module-path={}&pin-source=pin", self.module)
    }

    fn beltic(&self) -> Command {
        Command::new(env!("CARGO_BIN_EXE_beltic"))
    }

    /// Runs a command to its end, which must be good, and gives what it printed.
    fn done(&self, command: &mut Command) -> String {
        command.current_dir(&self.folder).env("SOFTHSM2_CONF", self.folder.join("softhsm.conf"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn alone(&self) -> Duration {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(ALONE).env("ITEMS", self.items.to_string()).env("JOBS", self.jobs.to_string());
        Duration::from_micros(self.done(&mut command).trim().parse().unwrap())
    }

    /// How long the command takes, from its start to its end.
    fn issue(&self, format: &str) -> Duration {
        let (uri, jobs) = (self.uri(), self.jobs.to_string());
        let mut command = self.beltic();
        command.args(["batch-issue", "items.ndjson", "--quiet", "--force", "--out", "jwts", "--key", &uri]);
        command.args(["--output-format", "jwt", "--proof-format", format, "--jobs", &jobs]);
        let begun = Instant::now();
        self.done(&mut command);
        begun.elapsed()
    }

    fn verify(&self) -> usize {
        let jwk: serde_json::Value =
            serde_json::from_slice(&std::fs::read(self.folder.join("issuer.jwk")).unwrap()).unwrap();
        let decode = |text: &str| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
        let point =
            [vec![4], decode(jwk["x"].as_str().unwrap()), decode(jwk["y"].as_str().unwrap())].concat();
        let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
        let tokens = std::fs::read_to_string(self.folder.join("jwts")).unwrap();
        let verify = |token: &str| {
            let (input, signature) = token.split('~').next().unwrap().rsplit_once('.').unwrap();
            let signature = Signature::from_slice(&decode(signature)).unwrap();
            key.verify(input.as_bytes(), &signature).expect("the signature verifies");
        };
        tokens.lines().for_each(verify);
        assert_eq!(tokens.lines().count(), self.items);
        self.items
    }
}
