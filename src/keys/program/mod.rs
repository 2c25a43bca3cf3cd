//! Signing by a program of the user's own, which speaks with whatever holds the private key.
//!
//! The program is started without a shell, once for each worker. It reads requests from its standard input, a line each,
//! and answers each with a line on its standard output (`protocol`). What it writes to standard error is the user's to
//! read: it goes where ours goes. Nothing but digests is told to it.
//!
//! What a worker's program is, and what follows from what it does:
//!
//! ```text
//!                start, and sign a test message
//!   ┌─▶ (none) ─────────────────────────────▶ waiting ──── a request ───▶ asked
//!   │                                            ▲                          │ an answer that holds
//!   │                                            └──────────────────────────┤
//!   ├───── it exited, took too long, or asks for another try ◀──────────────┤ the same request again: five tries
//!   └───── it answered with anything else ◀─────────────────────────────────┘ nothing more is asked
//! ```
//!
//! An answer holds if it has the request's id and a signature for each digest, in their order, every one of which
//! verifies by the public key. Only then does any of them count, so a program that is confused, or replaced, cannot have
//! a credential delivered that does not verify.
//!
//! The test message shows, before anything is recorded, that the program can be started, reaches its key, and that the
//! key is the one whose public half was named.

mod process;
mod protocol;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::made_elsewhere::SignatureCheck;
use super::signing::{SIGNATURE_BYTES, SignError, Signature, Signer, SigningKey, TEST_MESSAGE};
use super::verifier::sha256;
use super::{BatchKeys, PublicKey};
use process::{Ending, Heard, Process};
use protocol::{Answer, AnswerProblem};

/// The most digests of a request.
pub const MAX_DIGESTS: usize = 256;
/// How often a request is made before the run gives up.
const TRIES: u32 = 5;
/// How long is waited before the second try; before each further one twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A program that signs, and how it is started.
#[derive(Clone)]
pub struct Program {
    /// The file of the program, or its name, which is looked for in `PATH`.
    pub path: PathBuf,
    /// What it is started with. It may hold what nobody else should see, so nothing shows it.
    pub arguments: Vec<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Variables of the environment that are not its business.
    pub withheld: &'static [&'static str],
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("path", &self.path)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A key that a program signs with.
#[derive(Debug)]
pub struct ProgramKey {
    program: Arc<Program>,
    public: PublicKey,
    keys: Arc<BatchKeys>,
}

impl ProgramKey {
    /// A key whose public half is known. The program is started by [`SigningKey::signer`].
    pub fn new(program: Program, public: PublicKey) -> ProgramKey {
        let keys = Arc::new(BatchKeys::new([&public]));
        ProgramKey { program: Arc::new(program), public, keys }
    }
}

impl SigningKey for ProgramKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let check = SignatureCheck::new(&self.public, &self.keys)?;
        let mut signer = ProgramSigner {
            program: Arc::clone(&self.program),
            check,
            process: None,
            last_id: 0,
            has_failed: false,
        };
        signer.sign(&[TEST_MESSAGE], &mut [[0; SIGNATURE_BYTES]])?;
        Ok(Box::new(signer))
    }

    fn is_elsewhere(&self) -> bool {
        true
    }
}

/// A worker's program.
struct ProgramSigner {
    program: Arc<Program>,
    check: SignatureCheck,
    /// None before it is started, and after it failed.
    process: Option<Process>,
    /// The id of the last request.
    last_id: u64,
    /// Whether the run has to end. Batches that were on their way are not tried.
    has_failed: bool,
}

impl Signer for ProgramSigner {
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError> {
        debug_assert_eq!(messages.len(), signatures.len());
        for (messages, signatures) in messages.chunks(MAX_DIGESTS).zip(signatures.chunks_mut(MAX_DIGESTS)) {
            if self.has_failed {
                let name = self.program.path.display();
                return Err(SignError::said(format!("the signer program {name} has failed before")));
            }
            let made = self.sign_some(messages).map_err(|failure| {
                self.has_failed = true;
                failure.said_of(&self.program)
            })?;
            signatures.copy_from_slice(&made);
        }
        Ok(())
    }
}

impl ProgramSigner {
    /// Has up to [`MAX_DIGESTS`] messages signed, in several tries if need be.
    fn sign_some(&mut self, messages: &[&[u8]]) -> Result<Vec<Signature>, Failure> {
        self.last_id += 1;
        let digests: Vec<_> = messages.iter().map(|message| sha256(message)).collect();
        let request: Arc<[u8]> = protocol::request(self.last_id, &digests).into();
        let (mut tries, mut pause) = (1, FIRST_PAUSE);
        let made = loop {
            match self.ask(&request, messages.len()) {
                Ok(made) => break made,
                Err(failure) if failure.may_pass() && tries < TRIES => {
                    thread::sleep(pause);
                    (tries, pause) = (tries + 1, pause * 2);
                }
                Err(failure) => return Err(failure),
            }
        };
        match self.check.first_bad(messages, &digests, &made) {
            None => Ok(made),
            Some(place) => {
                self.process = None;
                Err(Failure::Wrong(AnswerProblem::Unverified { place }))
            }
        }
    }

    /// Makes a request once. After a failure there is no process.
    fn ask(&mut self, request: &Arc<[u8]>, count: usize) -> Result<Vec<Signature>, Failure> {
        let mut process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.program).map_err(Failure::NotStarted)?,
        };
        let heard = process.ask(request, self.program.timeout);
        let answer = match heard {
            Heard::Line(line) => protocol::read(&line, self.last_id, count).map_err(Failure::Wrong)?,
            Heard::TooLong => return Err(Failure::Wrong(AnswerProblem::TooLong)),
            Heard::Nothing => return Err(Failure::TimedOut(self.program.timeout)),
            Heard::End => return Err(Failure::Ended(process.end())),
        };
        match answer {
            Answer::Signatures(made) => {
                self.process = Some(process);
                Ok(made)
            }
            Answer::Failed { message, retry } => Err(Failure::Said { message, retry }),
        }
    }
}

/// Why a request was not answered with signatures.
#[derive(Debug)]
enum Failure {
    /// The program cannot be started.
    NotStarted(io::Error),
    /// It ended.
    Ended(Ending),
    /// It did not answer in time.
    TimedOut(Duration),
    /// It says that it failed, and whether to try again.
    Said { message: String, retry: bool },
    /// Its answer cannot be used.
    Wrong(AnswerProblem),
}

impl Failure {
    /// Whether the same request may be answered another time.
    fn may_pass(&self) -> bool {
        match self {
            Failure::Ended(_) | Failure::TimedOut(_) => true,
            Failure::Said { retry, .. } => *retry,
            Failure::NotStarted(_) | Failure::Wrong(_) => false,
        }
    }

    fn said_of(self, program: &Program) -> SignError {
        let tries =
            if self.may_pass() { format!("failed {TRIES} times; the last time it ") } else { String::new() };
        let subject = format!("the signer program {} {tries}", program.path.display());
        match self {
            Failure::NotStarted(error) => SignError::new(format!("{subject}cannot be started"), error),
            Failure::Ended(ending) => SignError::said(format!("{subject}{ending}")),
            Failure::TimedOut(timeout) => SignError::said(format!(
                "{subject}did not answer within {} s (`signer.timeout`)",
                timeout.as_secs()
            )),
            Failure::Said { message, .. } => SignError::said(format!("{subject}said: {message}")),
            Failure::Wrong(problem) => {
                SignError::new(format!("{subject}gave an answer that cannot be used"), problem)
            }
        }
    }
}
