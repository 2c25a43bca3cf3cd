//! The programs of a run, and who asks them.
//!
//! A seat is a program's, started or not. Whoever signs takes one, asks, and gives it back: a free one, else a new one as
//! long as there are fewer than there may be, else the first that is given back. After a failure nobody gets one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::process::{Heard, Process};
use super::protocol::{self, Answer, AnswerProblem};
use super::{FIRST_PAUSE, Failure, Problem, Program, TRIES};
use crate::keys::signing::{SignError, Signature};
use crate::stop::Stop;

/// The seats of a run.
#[derive(Debug)]
pub(super) struct Seats {
    program: Arc<Program>,
    most: usize,
    stop: Stop,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether the key was seen to sign. Who looks keeps the others waiting.
    is_tested: Mutex<bool>,
}

#[derive(Debug, Default)]
struct State {
    free: Vec<Seat>,
    made: usize,
    /// Why the run has to end.
    failure: Option<Arc<Failure>>,
}

impl Seats {
    pub(super) fn new(program: Arc<Program>, most: usize, stop: Stop) -> Seats {
        Seats {
            program,
            most,
            stop,
            state: Mutex::default(),
            changed: Condvar::new(),
            is_tested: Mutex::default(),
        }
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// Tests the key, unless that was done.
    pub(super) fn test(&self, test: impl FnOnce() -> Result<(), SignError>) -> Result<(), SignError> {
        let mut is_tested = self.is_tested.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_tested {
            test()?;
            *is_tested = true;
        }
        Ok(())
    }

    /// Waits for a seat.
    pub(super) fn take(&self) -> Result<Taken<'_>, Arc<Failure>> {
        let mut state = self.state();
        loop {
            if let Some(failure) = &state.failure {
                return Err(Arc::clone(failure));
            }
            if let Some(seat) = state.free.pop() {
                return Ok(Taken { seats: self, seat });
            }
            if state.made < self.most {
                state.made += 1;
                return Ok(Taken { seats: self, seat: Seat::default() });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the run with the first failure, and gives that one.
    pub(super) fn end_with(&self, failure: Failure) -> Arc<Failure> {
        let mut state = self.state();
        self.changed.notify_all();
        Arc::clone(state.failure.get_or_insert_with(|| Arc::new(failure)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat that is given back when it is dropped.
pub(super) struct Taken<'s> {
    seats: &'s Seats,
    seat: Seat,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let seat = std::mem::take(&mut self.seat);
        self.seats.state().free.push(seat);
        self.seats.changed.notify_one();
    }
}

/// A request that was made.
pub(super) struct Request {
    line: Arc<[u8]>,
    /// How many signatures are expected.
    count: usize,
}

impl Taken<'_> {
    /// Makes a request.
    pub(super) fn ask(&mut self, digests: &[[u8; 32]]) -> Result<Request, Failure> {
        self.seat.last_id += 1;
        let line = protocol::request(self.seat.last_id, digests).into();
        let request = Request { line, count: digests.len() };
        self.send(&request).map_err(Failure::once)?;
        Ok(request)
    }

    /// Waits for the answer to the last request, which is made again if need be.
    pub(super) fn answer(&mut self, request: Request) -> Result<Vec<Signature>, Failure> {
        let (mut tries, mut pause) = (1, FIRST_PAUSE);
        loop {
            let problem = match self.hear(&request) {
                Ok(made) => return Ok(made),
                Err(problem) => problem,
            };
            if !problem.may_pass() || tries == TRIES || self.seats.stop.is_requested() {
                return Err(Failure { problem, tries });
            }
            thread::sleep(pause);
            (tries, pause) = (tries + 1, pause * 2);
            self.send(&request).map_err(|problem| Failure { problem, tries })?;
        }
    }

    fn send(&mut self, request: &Request) -> Result<(), Problem> {
        let process = match self.seat.process.take() {
            Some(process) => process,
            None => {
                Process::start(&self.seats.program).map_err(|error| Problem::NotStarted(Arc::new(error)))?
            }
        };
        self.seat.process.insert(process).ask(&request.line);
        Ok(())
    }

    /// Waits for an answer. After a failure there is no process.
    fn hear(&mut self, request: &Request) -> Result<Vec<Signature>, Problem> {
        let timeout = self.seats.program.timeout;
        let Some(mut process) = self.seat.process.take() else { unreachable!("a request was made") };
        let answer = match process.hear(timeout) {
            Heard::Line(line) => {
                protocol::read(&line, self.seat.last_id, request.count).map_err(Problem::Wrong)?
            }
            Heard::TooLong => return Err(Problem::Wrong(AnswerProblem::TooLong)),
            Heard::Nothing => return Err(Problem::TimedOut(timeout)),
            Heard::End => return Err(Problem::Ended(process.end())),
        };
        match answer {
            Answer::Signatures(made) => {
                self.seat.process = Some(process);
                Ok(made)
            }
            Answer::Failed { message, retry } => Err(Problem::Said { message, retry }),
        }
    }
}

/// A program.
#[derive(Debug, Default)]
struct Seat {
    /// None before it is started, and after it failed.
    process: Option<Process>,
    /// The id of the last request.
    last_id: u64,
}
