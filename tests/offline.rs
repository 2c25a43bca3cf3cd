//! No network: no crate that could open a connection is linked, no source file names a socket, and
//! no command makes a system call that opens a connection.

#![allow(clippy::unwrap_used, reason = "the exceptions for tests leave out their helpers")]

#[path = "support/machine.rs"]
mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use beltic::cli;
use serde_json::{Value, json};

use machine::skip;

// ---- Crates

/// Crates that exist to speak with other machines, and what they are built on. A `*` at the end
/// stands for anything.
const NETWORK_CRATES: &[&str] = &[
    "actix*",
    "async-io",
    "async-net",
    "async-std",
    "attohttpc",
    "axum*",
    "curl*",
    "git2",
    "gix*",
    "h2",
    "h3",
    "hickory-*",
    "http-body*",
    "hyper*",
    "isahc",
    "lettre",
    "libgit2-sys",
    "libssh2-sys",
    "minreq",
    "mio",
    "mysql*",
    "native-tls",
    "openssl*",
    "opentelemetry*",
    "postgres*",
    "quinn*",
    "redis",
    "reqwest*",
    "rouille",
    "rustls*",
    "schannel",
    "security-framework*",
    "sentry*",
    "smol",
    "socket2",
    "sqlx*",
    "ssh2",
    "surf",
    "tiny_http",
    "tokio-*",
    "tonic*",
    "trust-dns-*",
    "tungstenite",
    "ureq*",
    "warp",
    "webpki*",
    "zmq*",
];

/// Crates of these families that only calculate: certificate paths, without a protocol and without a socket.
const WITHOUT_NETWORK: &[&str] = &["rustls-pki-types", "rustls-webpki"];

/// Crates that are harmless without this feature. (The bindings in `windows-sys` are declarations, and no code.)
const NETWORK_FEATURES: &[(&str, &str)] = &[
    ("async-signal", "net"),
    ("nix", "net"),
    ("nix", "socket"),
    ("rustix", "net"),
    ("tokio", "net"),
    ("tokio", "full"),
];

/// The lines of `cargo tree` (a crate, its version, `|`, its features) that mean a network.
fn network_crates(tree: &str) -> BTreeSet<String> {
    let is_network = |line: &&str| {
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap();
        let is_meant = |listed: &&str| match listed.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *listed,
        };
        let listed = NETWORK_CRATES.iter().any(is_meant) && !WITHOUT_NETWORK.contains(&name);
        let has = |feature: &str| features.split([',', ' ']).any(|found| found == feature);
        listed || NETWORK_FEATURES.iter().any(|(listed, feature)| name == *listed && has(feature))
    };
    tree.lines().filter(is_network).map(str::to_owned).collect()
}

/// What cargo says about this package.
fn cargo(args: &[&str]) -> Output {
    Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

/// The crates of the default build and what runs while it is built, a line each; for the platform of the build, or
/// with `--target all` for every one.
fn tree(more: &[&str]) -> Output {
    let args = ["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none", "--format"];
    cargo(&[&args[..], &["{p}|{f}"], more].concat())
}

fn assert_without_network(tree: &Output) {
    assert!(tree.status.success(), "{}", text_of(&tree.stderr));
    let tree = text_of(&tree.stdout);
    for linked in ["beltic ", "aws-lc-sys ", "libsqlite3-sys ", "clap "] {
        assert!(tree.lines().any(|line| line.starts_with(linked)), "{linked}is not in the tree:\n{tree}");
    }
    assert_eq!(network_crates(&tree), BTreeSet::new());
}

/// What this build is made of. Cargo has downloaded it, to build this test.
#[test]
fn no_crate_of_this_build_has_network_code() {
    assert_without_network(&tree(&[]));
}

/// What builds for other platforms are made of, by name. A build downloads the crates of its own platform only, but
/// `Cargo.lock` has those of every platform.
#[test]
fn no_crate_of_a_build_for_another_platform_has_network_code() {
    let metadata = cargo(&["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]);
    assert!(metadata.status.success(), "{}", text_of(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let beltic = packages.iter().find(|package| package["name"] == "beltic").unwrap();
    let crates = default_build(&lock, beltic);
    for everywhere in ["aws-lc-sys", "libsqlite3-sys", "windows-sys", "clap"] {
        let starts = |found: &String| found.split(' ').next() == Some(everywhere);
        assert!(crates.iter().any(starts), "{everywhere} is missing: {crates:?}");
    }
    let default = beltic["features"]["default"].as_array().unwrap();
    assert!(
        ["pkcs11", "postgres"].iter().all(|other| !default.iter().any(|feature| feature == other)),
        "{default:?}"
    );
    let loads_modules = |found: &String| found.starts_with("cryptoki");
    assert!(!crates.iter().any(loads_modules), "PKCS#11 modules are a feature of their own: {crates:?}");
    let names: String = crates.iter().map(|package| format!("{package}|\n")).collect();
    assert_eq!(network_crates(&names), BTreeSet::new());
}

/// The same with the features of each crate, where the crates of all platforms are there: after `cargo fetch`, say.
#[test]
fn no_feature_of_a_build_for_another_platform_has_network_code() {
    let all = tree(&["--target", "all"]);
    if !all.status.success() && text_of(&all.stderr).contains("--offline") {
        return skip("crates of other platforms are not downloaded; `cargo fetch --locked` does it");
    }
    assert_without_network(&all);
}

/// The optional dependencies that the default features bring.
fn brought_by_default(package: &Value) -> BTreeSet<&str> {
    let (mut open, mut brought) = (vec!["default"], BTreeSet::new());
    while let Some(feature) = open.pop() {
        for enabled in package["features"][feature].as_array().into_iter().flatten() {
            match enabled.as_str().unwrap() {
                dependency if dependency.starts_with("dep:") => drop(brought.insert(&dependency[4..])),
                feature => open.push(feature),
            }
        }
    }
    brought
}

/// The packages of the default build on any platform, each with its version: what `Cargo.lock` has below the
/// dependencies that are neither for tests only nor for other features.
fn default_build(lock: &str, package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let brought = brought_by_default(package);
    let is_wanted = |dependency: &Value| {
        dependency["optional"] != true || brought.contains(dependency["name"].as_str().unwrap())
    };
    let in_default_build = |dependency: &&Value| dependency["kind"] != "dev" && is_wanted(dependency);
    let direct: BTreeSet<&str> = dependencies
        .filter(in_default_build)
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect();
    let packages = locked_packages(lock);
    let root = package["name"].as_str().unwrap();
    let root = packages.iter().find(|found| found.name == root).unwrap();
    let mut open: Vec<&str> =
        root.dependencies.iter().copied().filter(|entry| direct.contains(name_of(entry))).collect();
    let mut found = BTreeSet::new();
    while let Some(entry) = open.pop() {
        for package in packages.iter().filter(|package| package.answers_to(entry)) {
            if found.insert(format!("{} {}", package.name, package.version)) {
                open.extend(&package.dependencies);
            }
        }
    }
    found
}

/// A package of `Cargo.lock`. A dependency is its name, followed by its version where several are locked.
#[derive(Default)]
struct Locked<'l> {
    name: &'l str,
    version: &'l str,
    dependencies: Vec<&'l str>,
}

impl Locked<'_> {
    fn answers_to(&self, entry: &str) -> bool {
        let mut words = entry.split(' ');
        words.next() == Some(self.name) && words.next().is_none_or(|version| version == self.version)
    }
}

fn name_of(entry: &str) -> &str {
    entry.split(' ').next().unwrap()
}

/// Reads `Cargo.lock`, which cargo always writes in this form: a key or an element a line.
fn locked_packages(lock: &str) -> Vec<Locked<'_>> {
    let mut packages: Vec<Locked<'_>> = Vec::new();
    for line in lock.lines() {
        if line == "[[package]]" {
            packages.push(Locked::default());
        }
        let (Some(package), Some(quoted)) = (packages.last_mut(), line.split('"').nth(1)) else { continue };
        match line.split('"').next().unwrap() {
            "name = " => package.name = quoted,
            "version = " => package.version = quoted,
            " " => package.dependencies.push(quoted),
            _ => {}
        }
    }
    packages
}

/// A crate that only Windows or only a feature or a test needs is told apart by the lock and the manifest alone.
#[test]
fn the_default_build_of_every_platform_is_found_in_the_lock() {
    let lock = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\ndependencies = [\n \"a\",\n \
                \"for-tests\",\n \"on-windows 2.0.0\",\n \"postgres\",\n]\n\n\
                [[package]]\nname = \"a\"\nversion = \"1.1.0\"\nsource = \"registry\"\nchecksum = \"00\"\n\n\
                [[package]]\nname = \"on-windows\"\nversion = \"1.0.0\"\n\n\
                [[package]]\nname = \"on-windows\"\nversion = \"2.0.0\"\ndependencies = [\n \"socket2\",\n]\n\n\
                [[package]]\nname = \"socket2\"\nversion = \"0.5.0\"\n\n\
                [[package]]\nname = \"postgres\"\nversion = \"0.1.0\"\ndependencies = [\n \"tokio\",\n]\n\n\
                [[package]]\nname = \"tokio\"\nversion = \"1.0.0\"\n";
    let package = json!({"name": "own", "dependencies": [
        {"name": "a", "kind": null, "optional": false},
        {"name": "for-tests", "kind": "dev", "optional": false},
        {"name": "on-windows", "kind": null, "optional": false, "target": "cfg(windows)"},
        {"name": "postgres", "kind": null, "optional": true},
    ]});
    let found = default_build(lock, &package);
    assert_eq!(Vec::from_iter(found), ["a 1.1.0", "on-windows 2.0.0", "socket2 0.5.0"]);
}

/// The list finds what it is meant to find.
#[test]
fn the_list_of_network_crates_is_understood() {
    let tree = "beltic v0.1.0 (/somewhere/tokio)|default\n\
                reqwest v0.12.9|json\nrustls-pki-types v1.0.0|\nrustls v0.23.0|\nsocket2 v0.5.8|all\n\
                tokio v1.47.0|net,rt\ntokio v1.47.0|rt,sync\nmio v1.0.0|\n\
                rustix v1.1.2|fs,std\nrustix v1.1.2|fs,net (*)\nserde v1.0.0|derive\nhttparse v1.0.0|";
    let found: Vec<String> =
        network_crates(tree).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(found, ["mio", "reqwest", "rustix", "rustls", "socket2", "tokio"]);
}

// ---- Source

/// What of the standard library can open a connection or resolve a name.
const SOCKET_TYPES: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "net::*",
];

#[test]
fn no_source_file_names_a_socket() {
    let mut files = Vec::new();
    push_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "only {} source files were found", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for name in SOCKET_TYPES {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

fn push_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => push_sources(&path, files),
            false => files.push(path),
        }
    }
}

// ---- System calls

/// Every command, with an issuer and a site that a program with a network would look up. Words are
/// separated by spaces; `ITEMS` stands for a batch file, and `ID` for a credential.
const STEPS: &[&str] = &[
    "keygen --issuer did:web:issuer.example",
    "init --issuer did:web:issuer.example --yes --type business",
    "template csv",
    "types",
    "types show user",
    "types new licence --out licence.yaml",
    "types check licence.yaml",
    "batch-issue ITEMS --types licence.yaml --dry-run",
    "schema",
    "schema --vct https://issuer.example/credentials/business/v1",
    "help columns",
    "doctor",
    "completions bash",
    "completions --man man",
    "batch-issue ITEMS --issuer did:web:issuer.example --out results.ndjson --output-format ndjson --summary summary.json",
    "batch-issue ITEMS --issuer https://issuer.example --proof-format sd_jwt_vc --out sd.txt --output-format jwt --jobs 2",
    "batch-issue ITEMS --dry-run",
    "inspect results.ndjson",
    "inspect sd.txt --output-format json",
    "suspend --correlation-id 0001",
    "reinstate --correlation-id 0001",
    "revoke --correlation-id 0002 --reason compromised",
    "sync ITEMS --plan --adopt --issuer did:web:issuer.example",
    "publish --out site --issuer did:web:issuer.example",
    "publish --out site --issuer did:web:issuer.example --check",
    "present one.txt --disclose claims.registered_address",
    "deliver results.ndjson --out handover",
    "verify results.ndjson --site site",
    "verify sd.txt --jwks site/.well-known/jwks.json --no-status",
    "verify results.ndjson --jwks site/.well-known/jwks.json --explain",
    "verify sd.txt --trust-anchor ANCHOR --no-status",
    "list",
    "show ID",
    "ledger check",
    "bench --items 100 --rounds 1",
];

#[test]
fn no_command_makes_a_network_call() {
    let folder = tempfile::tempdir().unwrap();
    if !can_trace(folder.path()) {
        return;
    }
    let mut traced = BTreeSet::new();
    for step in STEPS {
        if step.starts_with("present") {
            let tokens = fs::read_to_string(folder.path().join("sd.txt")).unwrap();
            fs::write(folder.path().join("one.txt"), tokens.lines().next().unwrap()).unwrap();
        }
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let items = fixtures.join("items/companies.ndjson");
        let anchor = fixtures.join("certificates/anchor.pem");
        let words: Vec<String> = step
            .split(' ')
            .map(|word| match word {
                "ITEMS" => items.to_str().unwrap().to_owned(),
                "ANCHOR" => anchor.to_str().unwrap().to_owned(),
                "ID" => first_id(&folder.path().join("results.ndjson")),
                word => word.to_owned(),
            })
            .collect();
        let (output, calls) = trace(folder.path(), Path::new(env!("CARGO_BIN_EXE_beltic")), &words);
        // 3: finished, but some tokens are not valid. One of them is revoked.
        assert!(matches!(output.status.code(), Some(0 | 3)), "{step}: {}", text_of(&output.stderr));
        assert_eq!(calls, "", "{step}");
        traced.insert(words[0].clone());
    }
    for command in cli::command().get_subcommands() {
        assert!(traced.contains(command.get_name()), "add `{}` to STEPS", command.get_name());
    }
}

/// What the test above would see of a program that does open a socket: [`opens_a_socket`], run by
/// this very file.
#[test]
fn a_network_call_would_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    if !can_trace(folder.path()) {
        return;
    }
    let this = std::env::current_exe().unwrap();
    let words = ["--ignored", "--exact", "opens_a_socket"].map(str::to_owned);
    let (output, calls) = trace(folder.path(), &this, &words);
    assert!(output.status.success(), "{}", text_of(&output.stdout));
    assert!(calls.contains("socket(AF_INET"), "{calls}");
}

#[test]
#[ignore = "only what `a_network_call_would_be_seen` looks at"]
fn opens_a_socket() {
    // Binding to the loopback interface sends nothing.
    drop(UdpSocket::bind("127.0.0.1:0"));
}

/// The id of the first credential of a results file.
fn first_id(results: &Path) -> String {
    let text = fs::read_to_string(results).unwrap();
    let row: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    row["credential"]["id"].as_str().unwrap().to_owned()
}

fn can_trace(folder: &Path) -> bool {
    let works = command(folder, Path::new("strace")).args(["-f", "-qq", "-o", "trace", "true"]).output();
    let works = works.is_ok_and(|output| output.status.success());
    if !works {
        skip("strace is missing, or may not trace here");
    }
    works
}

/// The calls without which no connection comes to be. `socketpair` is not among them: it makes a
/// pipe within the process, by which a signal wakes the thread that waits for it.
const NETWORK_CALLS: &str = "trace=socket,connect,bind,listen,accept,accept4,io_uring_setup";

/// Runs a program, and gives its network calls as strace writes them.
fn trace(folder: &Path, program: &Path, words: &[String]) -> (Output, String) {
    let mut strace = command(folder, Path::new("strace"));
    strace.args(["-f", "-qq", "-o", "trace", "-e", NETWORK_CALLS, "-e", "signal=none", "--"]);
    let output = strace.arg(program).args(words).output().unwrap();
    (output, fs::read_to_string(folder.join("trace")).unwrap())
}

/// A command in this folder, in an environment with nothing in it.
fn command(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.stdin(Stdio::null());
    command
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
