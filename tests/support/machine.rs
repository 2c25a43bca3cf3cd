//! What tests ask of the machine they run on, and how much they do there.
//!
//! | variable | what it is |
//! | --- | --- |
//! | `BELTIC_TEST_DATA` | the folder with data, vectors and cases; relative to the repository, `../shared` by default |
//! | `BELTIC_TEST_SCALE` | `small`, the default: soaks and scans take a few minutes; `full`: all that they can do |
//!
//! A test that leaves something out says so with [`skip`], on the terminal and not only where the test fails.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says what the running test leaves out, past the test harness, which keeps back what passing tests print.
pub(crate) fn skip(what: impl Display) {
    say("skipped", what);
}

fn say(verdict: &str, what: impl Display) {
    let thread = std::thread::current();
    let line = format!("{verdict}: {}: {what}\n", thread.name().unwrap_or("a thread of a test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A file or folder of the test data. `None`, with a message, where there is none.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    data_beside(Path::new(env!("CARGO_MANIFEST_DIR")), name)
}

/// The same for a crate that is not the repository's root.
pub(crate) fn data_beside(repository: &Path, name: &str) -> Option<PathBuf> {
    let top = std::env::var_os("BELTIC_TEST_DATA").filter(|value| !value.is_empty());
    let path = repository.join(top.unwrap_or_else(|| "../shared".into())).join(name);
    if !path.exists() {
        skip(format_args!("{} is absent (BELTIC_TEST_DATA names the folder of test data)", path.display()));
        return None;
    }
    Some(path)
}

/// How many rounds a soak or a scan takes. Where that is fewer than all of them, it says so.
pub(crate) fn rounds(of_what: &str, small: usize, full: usize) -> usize {
    if is_full() || small >= full {
        return full;
    }
    reduced(format_args!("{small} of {full} {of_what}"));
    small
}

/// Says what the running test does less of than it could.
pub(crate) fn reduced(to_what: impl Display) {
    say("reduced", format_args!("{to_what}; BELTIC_TEST_SCALE=full takes all"));
}

/// Whether soaks and scans are to do all that they can.
///
/// # Panics
///
/// Where `BELTIC_TEST_SCALE` is neither `small` nor `full`.
pub(crate) fn is_full() -> bool {
    match std::env::var("BELTIC_TEST_SCALE").as_deref() {
        Ok("full") => true,
        Ok("small" | "") | Err(_) => false,
        Ok(other) => panic!("BELTIC_TEST_SCALE is {other:?}, expected \"small\" or \"full\""),
    }
}

/// Where the user has set a `BELTIC_` variable, runs a test again in a process without it, and says whether it did so.
/// For tests that parse command lines themselves: parsing reads the variables.
pub(crate) fn ran_without_settings(test: &str) -> bool {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_setting = |name: &String| name.starts_with("BELTIC_") && !name.starts_with("BELTIC_TEST_");
    let settings: Vec<String> = names.filter(is_setting).collect();
    if settings.is_empty() {
        return false;
    }
    let this = std::env::current_exe().expect("the path of the test binary");
    let mut again = Command::new(this);
    for name in &settings {
        again.env_remove(name);
    }
    let output = again.args([test, "--exact"]).output().expect("the test binary runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" 1 passed"), "{said}");
    true
}

/// Whether there is such a program on the `PATH`; where there is none, a message says so.
pub(crate) fn has_tool(name: &str) -> bool {
    let found = Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        skip(format_args!("there is no {name}"));
    }
    found
}
