//! How fast is `sync` where nothing has changed, where 1 % has, and how much memory does it take?
//!
//! It runs as a user runs it: the release binary, a file of a million rows, a ledger with full sync. Beside it stands a
//! check of the same file without a ledger (`batch-issue --dry-run --ledger none`), which reads and checks every item
//! once and does nothing else.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use beltic::keys::IssuerKey;
use beltic::sample::{CSV_HEADER, row};
use nix::sys::resource::UsageWho;

mod measured;

use measured::{measure, median, run_and_watch};

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 3;
const BELTIC: &str = env!("CARGO_BIN_EXE_beltic");

fn main() {
    // `cargo test --benches` runs benchmarks too; there they only have to compile.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let key = IssuerKey::generate().expect("keys can be made");
    std::fs::write(folder.path().join("issuer.pem"), key.to_pkcs8_pem().as_bytes())
        .expect("the key can be written");
    write_register(&folder.path().join("register.csv"), |_| false);
    // One row in a hundred says something else.
    write_register(&folder.path().join("changed.csv"), |row| row % 100 == 7);

    sync(folder.path(), "register.csv", "first sync");
    let checked =
        run(folder.path(), &["batch-issue", "register.csv", "--dry-run", "--ledger=none"], "check alone");
    let unchanged = median((0..ROUNDS).map(|_| sync(folder.path(), "register.csv", "unchanged")));
    println!("unchanged to a check of the same rows: {:.2} times its CPU", unchanged / checked);
    sync(folder.path(), "changed.csv", "1 % changed");
    sync(folder.path(), "changed.csv", "unchanged again");
}

fn write_register(path: &Path, is_changed: impl Fn(usize) -> bool) {
    let mut file = BufWriter::new(File::create(path).expect("the register can be written"));
    let mut write = |text: &str| file.write_all(text.as_bytes()).expect("the register can be written");
    write(CSV_HEADER);
    write("\n");
    for number in 0..ROWS {
        let row = row(number);
        write(&if is_changed(number) { row.replacen("REGISTER:", "CHANGED:", 1) } else { row });
        write("\n");
    }
}

/// Syncs, and returns the CPU seconds.
fn sync(folder: &Path, file: &str, what: &str) -> f64 {
    run(folder, &["sync", file, "--ledger=ledger.db", "--max-removals=100%"], what)
}

fn run(folder: &Path, args: &[&str], what: &str) -> f64 {
    let mut command = Command::new(BELTIC);
    command.args(args).args(["--key=issuer.pem", "--output-format=ndjson", "--quiet"]);
    let nowhere = File::create("/dev/null").expect("there is a /dev/null");
    command.current_dir(folder).stdin(Stdio::null()).stdout(nowhere);
    let mut peak = 0;
    let took = measure(UsageWho::RUSAGE_CHILDREN, || peak = run_and_watch(&mut command));
    let cpu = took.cpu.as_secs_f64();
    println!(
        "{what:<16} {:>9.0} rows per CPU second, {:>9.0} per second, peak {:.1} MB",
        ROWS as f64 / cpu,
        ROWS as f64 / took.wall.as_secs_f64(),
        peak as f64 * 1024.0 / 1e6
    );
    cpu
}
