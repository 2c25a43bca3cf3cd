//! Issuing with a key that is outside of the process: a folder with items, and a look at what was signed.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::resource::UsageWho;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use super::{Took, measure};

/// The two forms of credentials.
pub(crate) const FORMATS: [&str; 2] = ["jwt_vc", "sd_jwt_vc"];

/// A number in the environment.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// A folder with so many items, in which `batch-issue` runs.
pub(crate) struct Yard {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, OsString)>,
    pub(crate) items: usize,
}

impl Yard {
    pub(crate) fn new(items: usize) -> Yard {
        let folder = tempfile::tempdir().unwrap();
        let text = (0..items).fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "{}", beltic::sample::item(number));
            text
        });
        std::fs::write(folder.path().join("items.ndjson"), text).unwrap();
        Yard { folder, variables: Vec::new(), items }
    }

    /// Sets a variable for every program that is started here.
    #[allow(dead_code, reason = "not every benchmark needs it")]
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.push((name, value.into()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Runs a command to its end, which must be good, and gives what it printed.
    pub(crate) fn done(&self, command: &mut Command) -> String {
        command
            .current_dir(self.folder.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `batch-issue` takes from its start to its end, the programs that it starts included.
    pub(crate) fn issue(&self, format: &str, jobs: usize, key: &[&str]) -> Took {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beltic"));
        command.args(["batch-issue", "items.ndjson", "--quiet", "--force", "--out", "jwts"]);
        command
            .args(["--output-format", "jwt", "--proof-format", format, "--jobs", &jobs.to_string()])
            .args(key);
        measure(UsageWho::RUSAGE_CHILDREN, || drop(self.done(&mut command)))
    }

    /// Verifies every signature of the last run with the `p256` crate, which has no code in common with what signed.
    pub(crate) fn verify(&self, jwk: &str) {
        let key = verifying_key(&self.path(jwk));
        let tokens = std::fs::read_to_string(self.path("jwts")).unwrap();
        let verify = |token: &str| {
            let (input, signature) = token.split('~').next().unwrap().rsplit_once('.').unwrap();
            let signature = Signature::from_slice(&decoded(signature)).unwrap();
            key.verify(input.as_bytes(), &signature).expect("the signature verifies");
        };
        tokens.lines().for_each(verify);
        assert_eq!(tokens.lines().count(), self.items);
    }
}

fn verifying_key(jwk: &Path) -> VerifyingKey {
    let jwk: serde_json::Value = serde_json::from_slice(&std::fs::read(jwk).unwrap()).unwrap();
    let coordinate = |name: &str| decoded(jwk[name].as_str().unwrap());
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    VerifyingKey::from_sec1_bytes(&point).unwrap()
}

fn decoded(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}
