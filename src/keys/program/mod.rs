//! Signing by a program of the user's own, which speaks with whatever holds the private key.
//!
//! The program is started without a shell, as often as there are workers. It reads requests from its standard input, a
//! line each, and answers each with a line on its standard output (`protocol`). What it writes to standard error is the user's to
//! read: it goes where ours goes. Nothing but digests is told to it.
//!
//! The programs of a run are shared by twice as many threads (`seats`): while one waits for an answer, another verifies
//! the last one, writes results and prepares the next request. A batch keeps its program to its end, and while a request
//! is answered, the answer before it is verified.
//!
//! What a program is, and what follows from what it does:
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
//! Once the run is to stop, there is no other try.
//!
//! An answer holds if it has the request's id and a signature for each digest, in their order, every one of which
//! verifies by the public key. Only then does any of them count, so a program that is confused, or replaced, cannot have
//! a credential delivered that does not verify.
//!
//! The test message shows, before anything is recorded, that the program can be started, reaches its key, and that the
//! key is the one whose public half was named.

mod process;
mod protocol;
mod seats;

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::made_elsewhere::SignatureCheck;
use super::signing::{SIGNATURE_BYTES, SignError, Signature, Signer, SigningKey, TEST_MESSAGE};
use super::turns::Turn;
use super::verifier::sha256;
use super::{BatchKeys, PublicKey};
use crate::stop::Stop;
use process::Ending;
use protocol::AnswerProblem;
use seats::{Seats, Taken};

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
        self.with_seats(1, &Stop::default()).signer()
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    fn shared(&self, signers: usize, stop: &Stop) -> Option<Box<dyn SigningKey>> {
        Some(Box::new(self.with_seats(signers, stop)))
    }
}

impl ProgramKey {
    fn with_seats(&self, programs: usize, stop: &Stop) -> SharedProgramKey {
        let seats = Seats::new(Arc::clone(&self.program), programs, stop.clone());
        SharedProgramKey { seats: Arc::new(seats), public: self.public.clone(), keys: Arc::clone(&self.keys) }
    }
}

/// The same key for the workers of a run.
#[derive(Debug)]
struct SharedProgramKey {
    seats: Arc<Seats>,
    public: PublicKey,
    keys: Arc<BatchKeys>,
}

impl SigningKey for SharedProgramKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let check = SignatureCheck::new(&self.public, &self.keys)?;
        let mut signer = ProgramSigner { seats: Arc::clone(&self.seats), check };
        self.seats.test(|| signer.sign(&[TEST_MESSAGE], &mut [[0; SIGNATURE_BYTES]]))?;
        Ok(Box::new(signer))
    }

    fn is_elsewhere(&self) -> bool {
        true
    }
}

/// A worker's way to the programs.
struct ProgramSigner {
    seats: Arc<Seats>,
    check: SignatureCheck,
}

impl Signer for ProgramSigner {
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError> {
        self.sign_in_turn(messages, signatures, &mut Turn::at_once())
    }

    fn sign_in_turn(
        &mut self,
        messages: &[&[u8]],
        signatures: &mut [Signature],
        turn: &mut Turn,
    ) -> Result<(), SignError> {
        debug_assert_eq!(messages.len(), signatures.len());
        if messages.is_empty() {
            return Ok(());
        }
        let digests: Vec<_> = messages.iter().map(|message| sha256(message)).collect();
        let batch = Batch { messages, digests: &digests };
        turn.wait();
        let seat = self.seats.take();
        turn.pass();
        let made = seat.and_then(|seat| self.sign_from(seat, batch, signatures));
        made.map_err(|failure| failure.said_of(self.seats.program()))
    }
}

/// What is signed together.
#[derive(Clone, Copy)]
struct Batch<'b> {
    messages: &'b [&'b [u8]],
    digests: &'b [[u8; 32]],
}

impl ProgramSigner {
    /// Has a batch signed by the program of this seat, which is given back with the last answer.
    fn sign_from(
        &self,
        mut seat: Taken<'_>,
        batch: Batch<'_>,
        signatures: &mut [Signature],
    ) -> Result<(), Arc<Failure>> {
        let end = |failure| self.seats.end_with(failure);
        // The run has failed before anybody else gets the seat.
        let last = self.ask_all(&mut seat, batch, signatures).map_err(end)?;
        drop(seat);
        self.check(last, batch, signatures).map_err(end)
    }

    /// Makes all requests. The answer to the last one is not verified.
    fn ask_all(
        &self,
        seat: &mut Taken<'_>,
        batch: Batch<'_>,
        signatures: &mut [Signature],
    ) -> Result<Range<usize>, Failure> {
        let mut last = 0..0;
        for start in (0..signatures.len()).step_by(MAX_DIGESTS) {
            let part = start..signatures.len().min(start + MAX_DIGESTS);
            let request = seat.ask(&batch.digests[part.clone()])?;
            self.check(last, batch, signatures)?;
            signatures[part.clone()].copy_from_slice(&seat.answer(request)?);
            last = part;
        }
        Ok(last)
    }

    /// Whether the signatures of a request verify.
    fn check(&self, part: Range<usize>, batch: Batch<'_>, signatures: &[Signature]) -> Result<(), Failure> {
        let (messages, digests) = (&batch.messages[part.clone()], &batch.digests[part.clone()]);
        match self.check.first_bad(messages, digests, &signatures[part]) {
            None => Ok(()),
            Some(place) => Err(Failure::once(Problem::Wrong(AnswerProblem::Unverified { place }))),
        }
    }
}

/// Why a request was not answered with signatures, and how often it was made.
#[derive(Debug)]
struct Failure {
    problem: Problem,
    tries: u32,
}

/// What a program did in place of answering with signatures.
#[derive(Debug)]
enum Problem {
    /// It cannot be started.
    NotStarted(Arc<io::Error>),
    /// It ended.
    Ended(Ending),
    /// It did not answer in time.
    TimedOut(Duration),
    /// It says that it failed, and whether to try again.
    Said { message: String, retry: bool },
    /// Its answer cannot be used.
    Wrong(AnswerProblem),
}

impl Problem {
    /// Whether the same request may be answered another time.
    fn may_pass(&self) -> bool {
        match self {
            Problem::Ended(_) | Problem::TimedOut(_) => true,
            Problem::Said { retry, .. } => *retry,
            Problem::NotStarted(_) | Problem::Wrong(_) => false,
        }
    }
}

impl Failure {
    fn once(problem: Problem) -> Failure {
        Failure { problem, tries: 1 }
    }

    /// How often it was tried, where it could have been tried again.
    fn tries_in_words(&self) -> String {
        match self.tries {
            _ if !self.problem.may_pass() => String::new(),
            TRIES => format!("failed {TRIES} times; the last time it "),
            _ => "was not tried again after the interruption; it ".to_owned(),
        }
    }

    fn said_of(&self, program: &Program) -> SignError {
        let subject = format!("the signer program {} {}", program.path.display(), self.tries_in_words());
        match &self.problem {
            Problem::NotStarted(error) => {
                SignError::new(format!("{subject}cannot be started"), Arc::clone(error))
            }
            Problem::Ended(ending) => SignError::said(format!("{subject}{ending}")),
            Problem::TimedOut(timeout) => SignError::said(format!(
                "{subject}did not answer within {} s (`signer.timeout`)",
                timeout.as_secs()
            )),
            Problem::Said { message, .. } => SignError::said(format!("{subject}said: {message}")),
            Problem::Wrong(problem) => {
                SignError::new(format!("{subject}gave an answer that cannot be used"), problem.clone())
            }
        }
    }
}
