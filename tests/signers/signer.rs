//! A signer program that does what its argument says. It is this very file, run as a test by a script.
//!
//! The script keeps what the test harness prints away from standard output: the program answers on another descriptor.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};

/// The script, which takes a behaviour and after which request it begins: `signer BEHAVIOUR:N AFTER`.
pub(crate) fn script(folder: &Path) -> String {
    let this = env::current_exe().unwrap();
    format!(
        "#!/bin/sh\nexec 3>&1 >/dev/null\nexport SIGNER_FOLDER='{}' SIGNER_DOES=\"$1\" SIGNER_AFTER=\"${{2:-1}}\"\n\
         exec '{}' --ignored --exact signer::speaks --nocapture\n",
        folder.display(),
        this.display()
    )
}

/// The program. Its folder has the key, and gets a line in `starts` for each start.
#[test]
#[ignore = "a signer program, which other tests start"]
fn speaks() {
    let Some(folder) = env::var_os("SIGNER_FOLDER").map(PathBuf::from) else { return };
    let does = env::var("SIGNER_DOES").unwrap();
    let (does, number) = does.split_once(':').unwrap_or((&does, "0"));
    let mut names: Vec<String> =
        env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    fs::write(folder.join("environment"), names.join("\n")).unwrap();
    note(&folder, "starts");
    let read_key = |name: &str| {
        SigningKey::from(
            p256::SecretKey::from_pkcs8_pem(&fs::read_to_string(folder.join(name)).unwrap()).unwrap(),
        )
    };
    let program = Program {
        key: read_key(if does == "other-key" { "other.pem" } else { "key.pem" }),
        does: does.to_owned(),
        number: number.parse().unwrap(),
        after: env::var("SIGNER_AFTER").unwrap().parse().unwrap(),
        answers: OpenOptions::new().write(true).open("/dev/fd/3").unwrap(),
        folder,
    };
    program.run();
}

struct Program {
    key: SigningKey,
    does: String,
    number: usize,
    /// The last request that is answered as it should be.
    after: u64,
    answers: File,
    folder: PathBuf,
}

impl Program {
    fn run(mut self) {
        for (answered, line) in BufReader::new(std::io::stdin().lock()).lines().enumerate() {
            let line = line.unwrap();
            let request: Value = serde_json::from_str(&line).unwrap();
            let id = request["id"].as_u64().unwrap();
            let expected = json!({"v": 1, "id": id, "alg": "ES256", "digests": request["digests"]});
            assert_eq!(request, expected, "the request is as it is documented");
            let signatures = self.sign(request["digests"].as_array().unwrap());
            if id > self.after {
                self.misbehave(id, &signatures, answered);
            }
            self.say(&json!({"id": id, "signatures": signatures}).to_string());
        }
        note(&self.folder, "ends");
    }

    fn sign(&self, digests: &[Value]) -> Vec<String> {
        assert!((1..=256).contains(&digests.len()), "{} digests", digests.len());
        let sign = |digest: &Value| {
            let digest = URL_SAFE_NO_PAD.decode_to_vec(digest.as_str().unwrap()).unwrap();
            assert_eq!(digest.len(), 32);
            let signature: Signature = self.key.sign_prehash(&digest).unwrap();
            URL_SAFE_NO_PAD.encode_to_string(signature.to_bytes())
        };
        digests.iter().map(sign).collect()
    }

    fn say(&mut self, line: &str) {
        self.answers.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Does what it should not, and returns where it answers as it should all the same.
    fn misbehave(&mut self, id: u64, signatures: &[String], answered: usize) {
        let answer = |signatures: &[String]| json!({"id": id, "signatures": signatures}).to_string();
        let wrong = match self.does.as_str() {
            "good" | "other-key" => return,
            "slow" => return thread::sleep(Duration::from_millis(5)),
            "chatty" => return eprintln!("signer: request {id}"),
            "dies" if answered < self.number => return,
            "dies" => exit(3),
            "halves" if answered < self.number => return,
            "halves" => {
                let whole = answer(signatures);
                self.answers.write_all(&whole.as_bytes()[..whole.len() / 2]).unwrap();
                exit(0)
            }
            "busy" if note(&self.folder, "busy") > self.number => return,
            "busy" => json!({"id": id, "error": "quota exceeded", "retry": true}).to_string(),
            "mute" if note(&self.folder, "mute") > self.number => return,
            "mute" => loop {
                thread::park();
            },
            "closes" if note(&self.folder, "closes") > self.number => return,
            "closes" => {
                // The script's descriptor as well: the pipe ends with the last one.
                self.answers = File::open("/dev/null").unwrap();
                nix::unistd::close(3).unwrap();
                loop {
                    thread::park();
                }
            }
            "refuses" => json!({"id": id, "error": "the key is disabled\u{1b}[2J"}).to_string(),
            "short" => answer(&signatures[1..]),
            "long" => answer(&[signatures, &signatures[..1]].concat()),
            "swapped" => answer(&signatures.iter().rev().cloned().collect::<Vec<_>>()),
            "other-id" => json!({"id": id + 1, "signatures": signatures}).to_string(),
            "twice" => answer(signatures),
            "garbage" => "Traceback: secret-of-the-program".to_owned(),
            "padded" => answer(&signatures.iter().map(|one| format!("{one}==")).collect::<Vec<_>>()),
            "endless" => loop {
                if self.answers.write_all(&[b'x'; 4096]).is_err() {
                    exit(0);
                }
            },
            other => panic!("no behaviour {other}"),
        };
        self.say(&wrong);
    }
}

/// Adds a line to a file, and says how many there are.
fn note(folder: &Path, name: &str) -> usize {
    let path = folder.join(name);
    let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    file.write_all(b"once\n").unwrap();
    fs::read_to_string(path).unwrap().lines().count()
}
