//! Every target over every committed input, and over mutations of each, on stable Rust: what was found once is
//! never lost, and the targets are known to run before anybody fuzzes for hours.

#[path = "../../tests/support/machine.rs"]
mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use beltic_fuzz::{TARGETS, Target};

/// How many mutations of each input are tried.
const MUTATIONS: u64 = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_target_stands_its_corpus_and_mutations_of_it() {
    let mut failures = Vec::new();
    for target in TARGETS {
        let inputs = inputs_of(target.0);
        let mut runs = 0;
        for (at, (name, input)) in inputs.iter().enumerate() {
            let other = &inputs[(at + 1) % inputs.len()].1;
            let mutated = (1..=MUTATIONS).map(|seed| Mutation::new(seed, at).of(input, other));
            for (mutation, data) in std::iter::once(input.clone()).chain(mutated).enumerate() {
                runs += 1;
                if let Err(problem) = run(target, &data) {
                    let bytes = data.escape_ascii();
                    failures.push(format!(
                        "{} on {name}, mutation {mutation}: {problem}\n  \"{bytes}\"",
                        target.0
                    ));
                    break;
                }
            }
        }
        println!("{}: {} inputs, {runs} runs", target.0, inputs.len());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Files from outside, where they are there, for the targets that read such files.
#[test]
fn targets_stand_files_from_outside() {
    for (folder, ending, names) in [
        ("vectors", "json", &["json", "json_batch"][..]),
        ("data/messy", "csv", &["csv", "results"]),
        ("data/messy", "ndjson", &["ndjson", "results"]),
        ("data/messy", "json", &["json_batch", "json"]),
    ] {
        let Some(folder) = machine::data_beside(&root().join(".."), folder) else { continue };
        let mut files = Vec::new();
        files_below(&folder, &mut files);
        let ends = |path: &PathBuf| path.extension().is_some_and(|found| found == ending);
        let files: Vec<PathBuf> = files.into_iter().filter(ends).collect();
        for target in TARGETS.iter().filter(|target| names.contains(&target.0)) {
            for path in &files {
                let data = fs::read(path).unwrap();
                if let Err(problem) = run(target, &data) {
                    panic!("{} on {}: {problem}", target.0, path.display());
                }
            }
            println!("{}: {} files of {}", target.0, files.len(), folder.display());
        }
    }
}

/// The targets are named in five places, which agree.
#[test]
fn targets_are_the_same_everywhere() {
    let named: BTreeSet<String> = TARGETS.iter().map(|target| target.0.to_owned()).collect();
    assert_eq!(named.len(), TARGETS.len(), "no name twice");

    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let manifest = read("Cargo.toml");
    let binaries = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""));
    assert_eq!(named, binaries.map(str::to_owned).collect(), "Cargo.toml");

    let readme = read("README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(named, rows.map(|(name, _)| name.to_owned()).collect(), "README.md");

    let names_in = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named, names_in("corpus"), "corpus/");
    assert_eq!(named, names_in("fuzz_targets"), "fuzz_targets/");
    for folder in ["regressions", "dictionaries"].into_iter().filter(|folder| root().join(folder).is_dir()) {
        assert!(names_in(folder).is_subset(&named), "{folder}/ has a name that is no target's");
    }
    for name in &named {
        let shim = read(&format!("fuzz_targets/{name}.rs"));
        assert!(shim.contains(&format!("beltic_fuzz::{name}(data)")), "{name}.rs calls its own function");
    }
}

/// Runs a target, and gives what it panicked with.
fn run(target: &Target, data: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| target.1(data))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// The committed inputs of a target, by name.
fn inputs_of(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in ["corpus", "regressions"] {
        files_below(&root().join(folder).join(target), &mut files);
    }
    // What libFuzzer found and nobody named is not committed.
    files.retain(|path| path.file_name().is_some_and(|name| name.len() != 40));
    assert!(!files.is_empty(), "{target} has no corpus");
    files.sort();
    let relative = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    files.into_iter().map(|path| (relative(&path), fs::read(path).unwrap())).collect()
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// A few random changes, always the same for a seed.
struct Mutation(u64);

impl Mutation {
    fn new(seed: u64, place: usize) -> Mutation {
        Mutation(((seed << 20) | (place as u64 + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// xorshift64, which is enough to stir.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit.max(1)
    }

    fn of(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut data = input.to_vec();
        for _ in 0..=self.below(3) {
            self.change(&mut data, other);
        }
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, other: &[u8]) {
        const TELLING: &[u8] = b"\0\n\r\t \"\\{}[],:;~.-+='#<@0AZ\x7F\x80\xC3\xED\xFF";
        let at = self.below(data.len());
        let length = self.below(16).min(data.len() - at);
        match self.below(7) {
            0 if !data.is_empty() => data[at] ^= 1 << self.below(8),
            1 if !data.is_empty() => data[at] = TELLING[self.below(TELLING.len())],
            2 => data.insert(at, TELLING[self.below(TELLING.len())]),
            3 => data.truncate(at),
            4 => drop(data.drain(at..at + length)),
            5 => {
                let piece = data[at..at + length].to_vec();
                data.splice(at..at, piece);
            }
            _ => {
                let from = self.below(other.len());
                let piece = &other[from..other.len().min(from + 64)];
                data.splice(at..at + length, piece.iter().copied());
            }
        }
    }
}
