//! A folder in which the program is killed, and the books that are kept about what it gave out.

use std::collections::hash_map::{Entry, HashMap};
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use tempfile::TempDir;

/// Every item whose number has this remainder is not sound.
const UNSOUND: (usize, usize) = (97, 13);

/// Whether an item of [`ndjson`] and [`csv`] is to be issued.
pub(crate) fn is_sound(number: usize) -> bool {
    number % UNSOUND.0 != UNSOUND.1
}

/// How many of so many items are to be issued.
pub(crate) fn sound_items(count: usize) -> usize {
    (0..count).filter(|number| is_sound(*number)).count()
}

/// Items about invented companies, some of which are not sound, one a line. `filler` makes each
/// so many bytes longer.
pub(crate) fn ndjson(name: &str, count: usize, filler: usize) -> String {
    let mut text = String::new();
    let filler = "x".repeat(filler);
    for number in 0..count {
        let attested = is_sound(number);
        let _ = writeln!(
            text,
            r#"{{"request":{{"self_attestation_complete":{attested},"subject":{{"id":"urn:example:{name}:{number}","legal_form":"Ltd{filler}"}},"claims":{{"jurisdiction":"GB"}}}},"correlation_id":"{name}-{number}"}}"#,
        );
    }
    text
}

/// The like as CSV.
pub(crate) fn csv(name: &str, count: usize) -> String {
    let mut text =
        "correlation_id,subject_id,legal_form,claims_jurisdiction,self_attestation_complete\n".to_owned();
    for number in 0..count {
        let attested = is_sound(number);
        let _ = writeln!(text, "{name}-{number},urn:example:{name}:{number},Ltd,GB,{attested}");
    }
    text
}

/// A folder with an issuer key, in which the program runs.
pub(crate) struct Yard {
    folder: TempDir,
}

impl Yard {
    pub(crate) fn new() -> Yard {
        let yard = Yard { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(yard.path(".beltic")).unwrap();
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/p256-pkcs8.pem");
        let copy = yard.path(".beltic/issuer.pem");
        std::fs::copy(key, &copy).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(copy, PermissionsExt::from_mode(0o600)).unwrap();
        yard
    }

    /// Where a file of this folder is; its real path, as strace compares paths.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Another program's command, in this folder and in an environment with nothing in it.
    pub(crate) fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program, with these arguments separated by spaces.
    pub(crate) fn beltic(&self, args: &str) -> Command {
        let mut command = self.tool(PROGRAM);
        command.args(args.split_whitespace());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &str) -> Ended {
        Ended::of(self.beltic(args).output().unwrap())
    }

    /// Starts the program, and reads what it writes as fast as it comes.
    pub(crate) fn start(&self, args: &str) -> Running {
        Running::of(self.beltic(args).spawn().unwrap())
    }

    /// Has the program look its ledger over, which must be sound, and gives the number of
    /// credentials in it. A ledger that was never begun has none.
    #[track_caller]
    pub(crate) fn check_ledger(&self, ledger: &str) -> usize {
        if !self.path(ledger).exists() {
            return 0;
        }
        self.check_ledger_at(ledger)
    }

    /// The same for a ledger that is there, wherever it is kept.
    #[track_caller]
    pub(crate) fn check_ledger_at(&self, address: &str) -> usize {
        let ended = self.run(&format!("ledger check --ledger {address}"));
        assert_eq!(ended.code, Some(0), "the ledger is not intact: {}", ended.stderr);
        let said = ended.stdout.split("is intact: ").nth(1).unwrap_or_else(|| panic!("{}", ended.stdout));
        let count = said.split(" credential").next().unwrap().replace(',', "");
        count.parse().unwrap_or_else(|_| panic!("{}", ended.stdout))
    }

    /// Files whose names a user would take for results.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The size of a file; 0 where there is none.
    pub(crate) fn size(&self, name: &str) -> u64 {
        self.path(name).metadata().map_or(0, |file| file.len())
    }
}

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_beltic");

/// What a process left.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None where it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What the process left, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    /// The end of a run over items some of which are not sound, and over nothing else.
    #[track_caller]
    pub(crate) fn finished(self) -> Ended {
        self.expect(3)
    }

    /// The key that the hint says to go on with.
    #[track_caller]
    pub(crate) fn key_to_go_on(&self) -> String {
        let said = self.stderr.split("--idempotency-key ").nth(1);
        let said = said.unwrap_or_else(|| panic!("no hint how to go on: {}", self.stderr));
        said.split(['`', '\n']).next().unwrap().trim_matches('\'').to_owned()
    }
}

/// A process whose output is read while it runs.
pub(crate) struct Running {
    child: Child,
    read: Arc<AtomicUsize>,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Running {
    pub(crate) fn of(mut child: Child) -> Running {
        let read = Arc::new(AtomicUsize::new(0));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let counter = Arc::clone(&read);
        Running {
            child,
            read,
            stdout: thread::spawn(move || drain(stdout, &counter)),
            stderr: thread::spawn(move || drain(stderr, &AtomicUsize::new(0))),
        }
    }

    /// How many bytes of output were read so far.
    pub(crate) fn bytes_read(&self) -> usize {
        self.read.load(Ordering::Acquire)
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &process]).status().unwrap().success());
    }

    /// Waits until this holds or the process has ended.
    pub(crate) fn wait_until(&mut self, mut holds: impl FnMut(&Running) -> bool) {
        while !holds(self) && self.child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
    }

    /// Ends the process as a power cut would, if it has not ended, and gives what it left.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap(); // kill -9; fails on no process that was not waited for
        self.end()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let (stdout, stderr) = (self.stdout.join().unwrap(), self.stderr.join().unwrap());
        Ended::of(Output { status, stdout, stderr })
    }
}

fn drain(mut from: impl Read, count: &AtomicUsize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match from.read(&mut block).unwrap() {
            0 => return bytes,
            length => bytes.extend_from_slice(&block[..length]),
        }
        count.store(bytes.len(), Ordering::Release);
    }
}

/// A result, as far as these tests look at it.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) index: usize,
    pub(crate) correlation_id: String,
    pub(crate) credential: Option<Credential>,
}

/// What must never change, and the token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) status_list_index: u32,
    pub(crate) status_list_uri: String,
    pub(crate) issued_at: String,
    pub(crate) expires_at: String,
    #[serde(rename = "signed_payload", default)]
    pub(crate) token: String,
}

/// The rows of an output that may end in the middle of one.
pub(crate) fn rows(output: &str) -> impl Iterator<Item = Row> {
    let whole = output.rfind('\n').map_or("", |end| &output[..end]);
    whole.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("not a result: {error}: {line}"))
    })
}

/// The credentials that `list` shows in NDJSON.
pub(crate) fn rows_of_list(output: &str) -> impl Iterator<Item = Credential> {
    output.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("not a credential: {error}: {line}"))
    })
}

/// All that was ever given out from one ledger. Each row that is entered is compared with it.
#[derive(Default)]
pub(crate) struct Books {
    /// What each key's items got.
    given: HashMap<(String, usize), Credential>,
    /// Who holds an index of a list.
    slots: HashMap<(String, u32), (String, usize)>,
    /// Who holds an id.
    ids: HashMap<String, (String, usize)>,
}

impl Books {
    /// How many credentials were seen.
    pub(crate) fn credentials(&self) -> usize {
        self.given.len()
    }

    /// What was given out, each credential once.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Credential> {
        self.given.values()
    }

    /// Enters the rows of an output, whose items came in whatever order, and gives their number.
    #[track_caller]
    pub(crate) fn enter_shuffled(&mut self, key: &str, output: &str) -> usize {
        let mut count = 0;
        for row in rows(output) {
            let number = row.correlation_id.rsplit('-').next().unwrap().parse().unwrap();
            assert_eq!(row.credential.is_some(), is_sound(number), "item {number} of {key}");
            if let Some(credential) = row.credential {
                self.enter_credential((key.to_owned(), number), credential);
            }
            count += 1;
        }
        count
    }

    /// Enters the rows of an output, which are the first of the run, in order.
    #[track_caller]
    pub(crate) fn enter(&mut self, key: &str, output: &str) -> usize {
        let mut count = 0;
        for row in rows(output) {
            assert_eq!(row.index, count, "rows are in order, none is missing");
            assert_eq!(row.correlation_id.rsplit('-').next(), Some(&*count.to_string()), "results line up");
            assert_eq!(row.credential.is_some(), is_sound(count), "item {count} of {key}");
            if let Some(credential) = row.credential {
                self.enter_credential((key.to_owned(), count), credential);
            }
            count += 1;
        }
        count
    }

    fn enter_credential(&mut self, holder: (String, usize), mut credential: Credential) {
        if holder.1.is_multiple_of(487) {
            check_signature(&credential.token);
        }
        credential.token = String::new(); // freshly signed each time
        let slot = (credential.status_list_uri.clone(), credential.status_list_index);
        assert!(slot.1 < 131_072);
        hold(&mut self.slots, slot, &holder);
        hold(&mut self.ids, credential.id.clone(), &holder);
        match self.given.entry(holder) {
            Entry::Vacant(place) => drop(place.insert(credential)),
            Entry::Occupied(earlier) => {
                assert_eq!(*earlier.get(), credential, "{:?} got something else before", earlier.key());
            }
        }
    }

    /// Enters a whole output.
    #[track_caller]
    pub(crate) fn enter_complete(&mut self, key: &str, output: &str, items: usize) {
        assert!(output.ends_with('\n'));
        assert_eq!(self.enter(key, output), items, "every item has a row");
    }
}

#[track_caller]
fn hold<K: std::hash::Hash + Eq + std::fmt::Debug>(
    holders: &mut HashMap<K, (String, usize)>,
    what: K,
    holder: &(String, usize),
) {
    match holders.entry(what) {
        Entry::Vacant(place) => drop(place.insert(holder.clone())),
        Entry::Occupied(place) => assert_eq!(place.get(), holder, "{:?} is given twice", place.key()),
    }
}

/// Checks a token's signature with another library than the one that made it.
pub(crate) fn check_signature(token: &str) {
    let jwk = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/p256-public.jwk");
    let jwk: HashMap<String, serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(jwk).unwrap()).unwrap();
    let decode = |text: &str| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
    let mut point = vec![4];
    point.extend(["x", "y"].iter().flat_map(|name| decode(jwk[*name].as_str().unwrap())));
    let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&decode(signature)).unwrap();
    key.verify(signed.as_bytes(), &signature).expect("the signature is sound");
}

/// A small generator of choices that can be repeated (xorshift64*).
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn from_seed(seed: u64) -> Choices {
        Choices(seed.max(1))
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % limit.max(1)
    }
}
