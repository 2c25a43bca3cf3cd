//! Issuing with a signer program whose answers take a while, beside the same program alone.
//!
//! The program is this one. It answers a request 5 ms after it has read it, and needs next to no processor for that, like
//! one that asks a service: it signs with nonces that were made before, which nobody may do with a key that is worth
//! anything.
//!
//! What batching allows is the lower of two rates, with as many programs as `batch-issue` has workers:
//!
//! - that of the programs alone, each with requests of 256 digests, one behind the other, with nothing around them;
//! - that of `batch-issue` with programs that answer at once, which is the limit of this machine.
//!
//! Runs alternate, and the ratio is taken round by round, by the wall clock. Every credential of the first round is
//! verified by the `p256` crate.
//!
//! `ITEMS` (100,000), `JOBS` (1,2,4) and `ROUNDS` (5) in the environment change what is done.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a measurement")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64_simd::URL_SAFE_NO_PAD;
use nix::sys::resource::UsageWho;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{FieldBytes, ProjectivePoint, Scalar};
use serde_json::{Value, json};

#[path = "measured/elsewhere.rs"]
mod elsewhere;
#[allow(dead_code, reason = "it serves other benchmarks, too")]
mod measured;

use elsewhere::{FORMATS, Yard, number};
use measured::{Took, measure, median, spread};

/// How this program is told to be the signer: `signer FILE MICROSECONDS`.
const SIGNER: &str = "signer";
/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(5);
/// The most digests of a request.
const MOST: usize = 256;
/// How many nonces there are. They are used again in the same order.
const NONCES: usize = 4_096;
const SCALAR_BYTES: usize = 32;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, word, file, micros, ..] = &args[..]
        && word == SIGNER
    {
        return answer(&std::fs::read(file).unwrap(), Duration::from_micros(micros.parse().unwrap()));
    }
    let (items, rounds) = (number("ITEMS", 100_000), number("ROUNDS", 5));
    let jobs = std::env::var("JOBS").unwrap_or_else(|_| "1,2,4".to_owned());
    let yard = Yard::new(items);
    yard.write("issuer.jwk", make_key(&yard));
    println!("{items} credentials a run, {rounds} rounds, an answer after {} ms", LATENCY.as_millis());
    for jobs in jobs.split(',').map(|jobs| jobs.parse().unwrap()) {
        for format in FORMATS {
            compare(&yard, format, jobs, rounds);
        }
    }
}

fn compare(yard: &Yard, format: &str, jobs: usize, rounds: usize) {
    let rate = |took: Took| yard.items as f64 / took.wall.as_secs_f64();
    let issue = |latency: Duration| {
        let command = command(yard, latency);
        let words: Vec<_> = command.iter().map(|word| format!("'{word}'")).collect();
        yard.issue(format, jobs, &["--signer-command", &words.join(" "), "--public-key", "issuer.jwk"])
    };
    let (mut alone, mut at_once, mut whole, mut ratios) = (vec![], vec![], vec![], vec![]);
    for round in 0..rounds {
        alone.push(rate(ask_alone(yard, jobs)));
        whole.push(rate(issue(LATENCY)));
        if round == 0 {
            yard.verify("issuer.jwk");
        }
        at_once.push(rate(issue(Duration::ZERO)));
        ratios.push(whole[round] / alone[round].min(at_once[round]));
    }
    let [alone, at_once, whole] = [alone, at_once, whole].map(|rates| median(rates.into_iter()));
    println!(
        "{jobs} {:<8} {format:<10} programs alone {alone:>7.0}/s, answers at once {at_once:>6.0}/s, batch-issue {whole:>6.0}/s, \
         ratio {}",
        if jobs == 1 { "worker" } else { "workers" },
        spread(&ratios)
    );
}

/// The words of the command that starts the signer.
fn command(yard: &Yard, latency: Duration) -> [String; 4] {
    let this = std::env::current_exe().unwrap().display().to_string();
    let file = yard.path("signer.key").display().to_string();
    [this, SIGNER.to_owned(), file, latency.as_micros().to_string()]
}

/// Has the programs sign as many digests as there are credentials.
fn ask_alone(yard: &Yard, programs: usize) -> Took {
    let command = command(yard, LATENCY);
    measure(UsageWho::RUSAGE_CHILDREN, || {
        thread::scope(|scope| {
            for program in 0..programs {
                let command = &command;
                let count = yard.items / programs + usize::from(program < yard.items % programs);
                scope.spawn(move || ask(command, count));
            }
        });
    })
}

fn ask(command: &[String], count: usize) {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut requests, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    for first in (0..count).step_by(MOST) {
        let digests: Vec<_> = (first..count.min(first + MOST))
            .map(|number| URL_SAFE_NO_PAD.encode_to_string([number.to_le_bytes(); 4].concat()))
            .collect();
        let request = json!({"v": 1, "id": first, "alg": "ES256", "digests": digests});
        requests.write_all(format!("{request}\n").as_bytes()).unwrap();
        answers.next().unwrap().unwrap();
    }
    drop(requests);
    assert!(child.wait().unwrap().success());
}

/// Makes a key and nonces for the signer, and gives the public half as a JWK.
fn make_key(yard: &Yard) -> String {
    let number = |seed: usize| {
        let mut bytes = FieldBytes::default();
        getrandom::fill(&mut bytes).unwrap();
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Scalar::reduce(&bytes)
    };
    let private = number(0);
    let mut file = private.to_bytes().to_vec();
    for nonce in (1..=NONCES).map(number) {
        let point = (ProjectivePoint::GENERATOR * nonce).to_affine();
        file.extend_from_slice(&nonce.invert().unwrap().to_bytes());
        file.extend_from_slice(&Scalar::reduce(&point.x()).to_bytes());
    }
    yard.write("signer.key", &file);
    let public = (ProjectivePoint::GENERATOR * private).to_affine().to_sec1_point(false);
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let (x, y) = (coordinate(&public.as_bytes()[1..33]), coordinate(&public.as_bytes()[33..]));
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}).to_string()
}

/// The signer: answers each request so long after it was read.
fn answer(file: &[u8], latency: Duration) {
    let scalar = |bytes: &[u8]| Scalar::reduce(&FieldBytes::try_from(bytes).unwrap());
    let (private, nonces) = file.split_at(SCALAR_BYTES);
    let private = scalar(private);
    let mut nonces = nonces
        .chunks(2 * SCALAR_BYTES)
        .map(|pair| (scalar(&pair[..SCALAR_BYTES]), scalar(&pair[SCALAR_BYTES..])))
        .collect::<Vec<_>>()
        .into_iter()
        .cycle();
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let (line, read) = (line.unwrap(), Instant::now());
        let request: Value = serde_json::from_str(&line).unwrap();
        let mut text = format!(r#"{{"id":{},"signatures":["#, request["id"]);
        for (place, digest) in request["digests"].as_array().unwrap().iter().enumerate() {
            let digest = URL_SAFE_NO_PAD.decode_to_vec(digest.as_str().unwrap()).unwrap();
            let (inverse, r) = nonces.next().unwrap();
            let s = inverse * (scalar(&digest) + r * private);
            let signature = URL_SAFE_NO_PAD.encode_to_string([r.to_bytes(), s.to_bytes()].concat());
            let _ = write!(text, "{}\"{signature}\"", if place == 0 { "" } else { "," });
        }
        text.push_str("]}\n");
        thread::sleep(latency.saturating_sub(read.elapsed()));
        stdout.write_all(text.as_bytes()).unwrap();
        stdout.flush().unwrap();
    }
}
