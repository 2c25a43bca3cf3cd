//! How fast is one process whose ledger is in a database, beside it and 20 ms away, with and without a key?
//!
//! It runs as a user runs it: the release binary, a file of items, a PostgreSQL server of its own with full sync. The
//! distance is a proxy that holds each message back for half of the round trip. Rates are of whole runs by the clock, in
//! alternating rounds: the rounds of one line are comparable, and less so those of a machine that does other things too.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, clippy::unwrap_used, reason = "the tests use the rest")]

#[path = "../tests/postgres/cluster.rs"]
mod cluster;
#[path = "../tests/postgres/proxy.rs"]
mod proxy;
#[path = "../tests/support/mod.rs"]
mod readers;

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use beltic::keys::IssuerKey;
use beltic::sample::{CSV_HEADER, row};

use cluster::{Cluster, Options};
use proxy::Proxy;

const BELTIC: &str = env!("CARGO_BIN_EXE_beltic");
const ROWS: usize = 1_000_000;
const ROUNDS: usize = 5;
const ROUND_TRIP: Duration = Duration::from_millis(20);

fn main() {
    // `cargo test --benches` runs benchmarks too; there they only have to compile.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(cluster) = Cluster::with(Options { fsync: true, ..Options::default() }) else { return };
    let far = Proxy::with_round_trip(cluster.port(), ROUND_TRIP);
    let folder = tempfile::tempdir().unwrap();
    let key = IssuerKey::generate().expect("keys can be made");
    std::fs::write(folder.path().join("issuer.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
    let rows: String = (0..ROWS).map(|number| row(number) + "\n").collect();
    std::fs::write(folder.path().join("items.csv"), format!("{CSV_HEADER}\n{rows}")).unwrap();

    for with_key in [false, true] {
        let issue = |url: &str, name: String| issue(folder.path(), url, with_key.then_some(name));
        issue(&cluster.url(), "warm-up".to_owned());
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            rates[0].push(issue("ledger.db", format!("file-{round}")));
            rates[1].push(issue(&cluster.url(), format!("near-{round}")));
            rates[2].push(issue(&far.url(), format!("far-{round}")));
        }
        let [file, near, far] = rates.map(summed_up);
        println!("{}", if with_key { "with a key" } else { "without a key" });
        println!("  a file                {file}");
        println!("  a database            {near}");
        println!("  a database 20 ms away {far}, {:.2} of that", far.median / near.median);
    }
}

/// Issues all rows, and gives how many a second.
fn issue(folder: &Path, ledger: &str, key: Option<String>) -> f64 {
    let mut command = Command::new(BELTIC);
    command.args(["batch-issue", "items.csv", "--key=issuer.pem", "--output-format=ndjson", "--quiet"]);
    command.args(["--duplicates=allow", "--issuer=did:web:issuer.example"]).args(["--ledger", ledger]);
    if let Some(key) = key {
        command.args(["--idempotency-key", &key]);
    }
    let nowhere = File::create("/dev/null").unwrap();
    command.current_dir(folder).stdin(Stdio::null()).stdout(nowhere);
    let start = Instant::now();
    assert!(command.status().unwrap().success(), "{command:?}");
    ROWS as f64 / start.elapsed().as_secs_f64()
}

/// The rates of a line.
struct Rates {
    median: f64,
    least: f64,
    most: f64,
}

fn summed_up(mut rates: Vec<f64>) -> Rates {
    rates.sort_by(f64::total_cmp);
    Rates { median: rates[rates.len() / 2], least: rates[0], most: rates[rates.len() - 1] }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7.0} per second ({:.0} to {:.0})", self.median, self.least, self.most)
    }
}
