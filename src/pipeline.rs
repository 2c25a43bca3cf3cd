//! Ordered parallel work with a serial commit in the middle. Knows nothing of credentials.
//!
//! ```text
//!  read ──▶ check ──▶ commit ──▶ finish ──▶ write
//! 1 thread  workers   1 thread   workers    caller's thread
//! ```
//!
//! Pieces of work flow through five stages. `read`, `commit` and `write` see them in input order,
//! one at a time; `check` and `finish` are done by a pool of workers, in any order. While a commit
//! waits for the disk, the workers go on with other pieces. A piece that can be finished goes
//! before one that can be checked, so that results leave as early as they can.
//!
//! A commit may wait for another machine. So `commit` takes as many pieces as have come meanwhile, up to a number that the
//! caller names, and says of each whether it is done. Where that is more than one, a piece that can be checked goes first:
//! otherwise none would have come, and the workers would wait with the commit.
//!
//! What `commit` holds is dropped once there is nothing more to commit, while the last pieces are finished and
//! written.
//!
//! A bounded number of pieces is in flight: `read` waits for a permit that `write` gives back, so
//! memory does not grow with the input.
//!
//! With no workers, all is done in the caller's thread, one piece after the other. A single piece is finished
//! sooner than the threads would have started, and on one core nothing is gained by handing pieces over, unless a
//! commit waits. What `commit` holds is then dropped after the last piece is written.
//!
//! # How it ends
//!
//! - `read` has no more: what is in flight is finished, then it ends.
//! - `read` fails: the same, and its error is returned after everything before it was written.
//! - `commit` fails: pieces committed before are finished and written; later ones are dropped.
//! - `write` fails: no commit begins after that.
//! - a thread cannot be started: no more is read, and what is in flight is finished and written.
//! - a worker cannot be made: as if `write` had failed at the next piece.
//! - a stage panics: the others stop, and the panic goes on in the caller's thread.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, select_biased, unbounded};

use crate::stop::ThreadError;

/// What a worker thread does with a piece of work. Each thread makes its own worker, which need
/// not be able to leave it.
pub trait Worker {
    /// A piece as it was read.
    type Raw: Send;
    /// A piece that can be committed.
    type Checked: Send;
    /// A piece that was committed.
    type Committed: Send;
    /// A piece that can be written.
    type Finished: Send;

    /// Prepares a piece for its commit.
    fn check(&mut self, piece: Self::Raw) -> Self::Checked;

    /// Turns a committed piece into its result.
    fn finish(&mut self, piece: Self::Committed) -> Self::Finished;
}

/// Runs the pipeline to its end; pieces are committed one by one. As [`run_together`] otherwise.
///
/// # Errors
/// Those of [`run_together`].
pub fn run<W, E>(
    jobs: usize,
    make_worker: impl Fn() -> Result<W, E> + Sync,
    read: impl FnMut() -> Result<Option<W::Raw>, E> + Send,
    mut commit: impl FnMut(W::Checked) -> Result<W::Committed, E> + Send,
    write: impl FnMut(W::Finished) -> Result<(), E>,
) -> Result<(), E>
where
    W: Worker,
    E: Send + From<ThreadError>,
{
    let one_by_one = |pieces: Vec<W::Checked>| {
        let mut committed = Vec::with_capacity(1);
        let outcome = pieces.into_iter().try_for_each(|piece| {
            committed.push(commit(piece)?);
            Ok(())
        });
        (committed, outcome)
    };
    run_together((jobs, 1), make_worker, read, one_by_one, write)
}

/// What became of pieces that were to be committed together: those that were, which are the first ones, and why there
/// are no more.
pub type Commits<T, E> = (Vec<T>, Result<(), E>);

/// Runs the pipeline to its end, on at most `jobs` threads for the workers, two more, and the caller's; on the
/// caller's alone where `jobs` is 0. At most `together` pieces are committed at once.
///
/// # Errors
/// The error of the last stage that failed: of `write`, else of `commit`, else of `read`; a [`ThreadError`] where a
/// thread cannot be started.
pub fn run_together<W, E>(
    (jobs, together): (usize, usize),
    make_worker: impl Fn() -> Result<W, E> + Sync,
    read: impl FnMut() -> Result<Option<W::Raw>, E> + Send,
    commit: impl FnMut(Vec<W::Checked>) -> Commits<W::Committed, E> + Send,
    mut write: impl FnMut(W::Finished) -> Result<(), E>,
) -> Result<(), E>
where
    W: Worker,
    E: Send + From<ThreadError>,
{
    if jobs == 0 {
        return run_alone(make_worker()?, read, commit, write);
    }
    // While pieces are committed together, as many are checked and finished.
    let in_flight = 2 * together.max(jobs + 1);
    let (permit, permits) = bounded::<()>(in_flight);
    let (to_check, check_queue) = unbounded::<Numbered<W::Raw>>();
    let (to_commit, commit_queue) = unbounded::<Numbered<W::Checked>>();
    let (to_finish, finish_queue) = unbounded::<Numbered<W::Committed>>();
    let (to_write, write_queue) = unbounded::<Handover<W::Finished, E>>();
    let halted = AtomicBool::new(false);

    thread::scope(|scope| {
        let committer = thread::Builder::new()
            .spawn_scoped(scope, || commit_all(commit, together, commit_queue, to_finish, &halted));
        let committer = committer.map_err(ThreadError::from)?;
        let make_worker = &make_worker;
        // There are more permits than workers: before the reader waits for one, it has started them all.
        let station = || Station {
            check_queue: check_queue.clone(),
            finish_queue: finish_queue.clone(),
            to_commit: Some(to_commit.clone()),
            to_write: to_write.clone(),
            checks_first: together > 1,
        };
        let mut stations: Vec<_> = std::iter::repeat_with(station).take(jobs).collect();
        drop((check_queue, finish_queue, to_commit, to_write));
        let reader = thread::Builder::new().spawn_scoped(scope, move || {
            read_all(read, permit, to_check, || {
                if let Some(station) = stations.pop() {
                    thread::Builder::new().spawn_scoped(scope, move || station.work(make_worker))?;
                }
                Ok(())
            })
        });
        // Where it did not start, all that would have kept the committer waiting went with it.
        let reader = reader.map_err(ThreadError::from)?;

        let written = deliver(write_queue, permits, &mut write);
        halted.store(written.is_err(), Ordering::Release);
        let committed = join(committer.join());
        let read = join(reader.join());
        match written {
            Err(Halt::Panic(payload)) => resume_unwind(payload),
            Err(Halt::Error(error)) => Err(error),
            Ok(()) => committed.and(read),
        }
    })
}

/// The committing thread: takes the pieces in their order, until something is halted.
fn commit_all<A, B, E>(
    mut commit: impl FnMut(Vec<A>) -> Commits<B, E>,
    together: usize,
    queue: Receiver<Numbered<A>>,
    to_finish: Sender<Numbered<B>>,
    halted: &AtomicBool,
) -> Result<(), E> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    // `to_finish` is dropped first, which tells the workers to stop, then what `commit` holds.
    while let Ok(piece) = queue.recv() {
        for Numbered(number, piece) in std::iter::once(piece).chain(queue.try_iter()) {
            waiting.insert(number, piece);
        }
        loop {
            let in_order = (next..).map_while(|number| waiting.remove(&number));
            let pieces: Vec<A> = in_order.take(together).collect();
            if pieces.is_empty() || halted.load(Ordering::Acquire) {
                break;
            }
            let (committed, outcome) = commit(pieces);
            for piece in committed {
                let _ = to_finish.send(Numbered(next, piece));
                next += 1;
            }
            outcome?;
        }
    }
    Ok(())
}

/// Runs the pipeline in the caller's thread.
fn run_alone<W: Worker, E>(
    mut worker: W,
    mut read: impl FnMut() -> Result<Option<W::Raw>, E>,
    mut commit: impl FnMut(Vec<W::Checked>) -> Commits<W::Committed, E>,
    mut write: impl FnMut(W::Finished) -> Result<(), E>,
) -> Result<(), E> {
    while let Some(piece) = read()? {
        let (committed, outcome) = commit(vec![worker.check(piece)]);
        for piece in committed {
            write(worker.finish(piece))?;
        }
        outcome?;
    }
    Ok(())
}

/// A piece and its place in the order.
struct Numbered<T>(u64, T);

/// What a worker hands to the writer.
enum Handover<T, E> {
    Finished(Numbered<T>),
    /// There is a worker less, which must not leave the writer waiting for the piece it had.
    Stopped(Halt<E>),
}

/// Why the writer, or a worker, stopped before the end.
enum Halt<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
}

/// Reads pieces, and starts a worker with each while there are more to start: a short input needs few.
fn read_all<T, E: From<ThreadError>>(
    mut read: impl FnMut() -> Result<Option<T>, E>,
    permit: Sender<()>,
    to_check: Sender<Numbered<T>>,
    mut start_worker: impl FnMut() -> Result<(), ThreadError>,
) -> Result<(), E> {
    let mut number = 0;
    // A closed channel means that the writer or all workers have stopped.
    while permit.send(()).is_ok() {
        let Some(piece) = read()? else { break };
        start_worker()?;
        if to_check.send(Numbered(number, piece)).is_err() {
            break;
        }
        number += 1;
    }
    Ok(())
}

/// Where a worker thread takes its work from, and where it puts it.
struct Station<W: Worker, E> {
    check_queue: Receiver<Numbered<W::Raw>>,
    finish_queue: Receiver<Numbered<W::Committed>>,
    /// None once there is nothing more to check: the committer ends when no worker has one.
    to_commit: Option<Sender<Numbered<W::Checked>>>,
    to_write: Sender<Handover<W::Finished, E>>,
    /// Whether to check what can be checked before anything is finished.
    checks_first: bool,
}

impl<W: Worker, E> Station<W, E> {
    /// One worker thread, from its start to its end or its panic.
    fn work(self, make_worker: impl Fn() -> Result<W, E>) {
        let to_write = self.to_write.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            make_worker().map(|worker| self.work_to_the_end(worker)).map_err(Halt::Error)
        }));
        if let Err(stop) = outcome.unwrap_or_else(|payload| Err(Halt::Panic(payload))) {
            let _ = to_write.send(Handover::Stopped(stop));
        }
    }

    /// Finishes what can be finished, else checks, or the other way round, until there is neither.
    fn work_to_the_end(mut self, mut worker: W) {
        loop {
            if self.checks_first
                && let Ok(piece) = self.check_queue.try_recv()
            {
                self.check(&mut worker, piece);
                continue;
            }
            select_biased! {
                recv(self.finish_queue) -> piece => {
                    let Ok(Numbered(number, piece)) = piece else { return };
                    let finished = worker.finish(piece);
                    if self.to_write.send(Handover::Finished(Numbered(number, finished))).is_err() {
                        return;
                    }
                }
                recv(self.check_queue) -> piece => match piece {
                    Ok(piece) => self.check(&mut worker, piece),
                    Err(_) => {
                        self.to_commit = None;
                        self.check_queue = crossbeam_channel::never();
                    }
                },
            }
        }
    }

    fn check(&self, worker: &mut W, Numbered(number, piece): Numbered<W::Raw>) {
        let checked = worker.check(piece);
        if let Some(to_commit) = &self.to_commit {
            // A committer that is gone closes the finish queue, which ends the loop.
            let _ = to_commit.send(Numbered(number, checked));
        }
    }
}

/// Writes finished pieces in order, and gives their permits back.
fn deliver<T, E>(
    write_queue: Receiver<Handover<T, E>>,
    permits: Receiver<()>,
    write: &mut impl FnMut(T) -> Result<(), E>,
) -> Result<(), Halt<E>> {
    let mut stopped = None;
    let finished = write_queue.iter().map_while(|delivery| match delivery {
        Handover::Finished(piece) => Some(piece),
        Handover::Stopped(stop) => {
            stopped = Some(stop);
            None
        }
    });
    let written = in_order(finished, |_, piece| {
        write(piece)?;
        let _ = permits.recv();
        Ok(())
    });
    match stopped {
        Some(stop) => Err(stop),
        None => written.map_err(Halt::Error),
    }
}

/// Calls `each` with the pieces in the order of their numbers, from 0.
fn in_order<T, E>(
    pieces: impl Iterator<Item = Numbered<T>>,
    mut each: impl FnMut(u64, T) -> Result<(), E>,
) -> Result<(), E> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for Numbered(number, piece) in pieces {
        waiting.insert(number, piece);
        while let Some(piece) = waiting.remove(&next) {
            each(next, piece)?;
            next += 1;
        }
    }
    Ok(())
}

fn join<T>(outcome: thread::Result<T>) -> T {
    outcome.unwrap_or_else(|payload| resume_unwind(payload))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Arc, Mutex};

    use super::*;

    impl From<ThreadError> for String {
        fn from(error: ThreadError) -> String {
            error.to_string()
        }
    }

    /// How many pieces are committed together.
    const TOGETHER: usize = 3;

    /// How many pieces are in flight at most.
    fn in_flight(jobs: usize) -> usize {
        2 * TOGETHER.max(jobs + 1)
    }

    /// Doubles numbers; panics at one of them, if told to.
    struct Doubler {
        panic_at: Option<u64>,
        in_flight: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    }

    impl Worker for Doubler {
        type Raw = u64;
        type Checked = u64;
        type Committed = u64;
        type Finished = u64;

        fn check(&mut self, piece: u64) -> u64 {
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            assert_ne!(Some(piece), self.panic_at, "told to");
            // Uneven work, so that pieces overtake each other.
            (0..(piece * 7919) % 997).fold(piece, |sum, n| std::hint::black_box(sum ^ n ^ n))
        }

        fn finish(&mut self, piece: u64) -> u64 {
            piece * 2
        }
    }

    struct Observed {
        result: Result<(), String>,
        committed: Vec<u64>,
        written: Vec<u64>,
        most_in_flight: usize,
    }

    /// Runs `count` numbers through; the stages fail where told.
    fn observe(jobs: usize, count: u64, panic_at: Option<u64>, fail: (&str, u64)) -> Observed {
        let in_flight = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let fails = |stage: &str, at: u64| if fail == (stage, at) { Err(stage.to_owned()) } else { Ok(()) };
        let made = AtomicUsize::new(0);
        let make_worker = || {
            fails("make", made.fetch_add(1, Ordering::SeqCst) as u64)?;
            Ok(Doubler { panic_at, in_flight: Arc::clone(&in_flight), most: Arc::clone(&most) })
        };
        let mut next = 0;
        let committed = Mutex::new(Vec::new());
        let mut written = Vec::new();
        let result = run_together(
            (jobs, TOGETHER),
            make_worker,
            || {
                fails("read", next)?;
                next += 1;
                Ok((next <= count).then_some(next - 1))
            },
            |pieces| {
                assert!(pieces.len() <= TOGETHER);
                let mut done = Vec::new();
                for piece in pieces {
                    if let Err(error) = fails("commit", piece) {
                        return (done, Err(error));
                    }
                    committed.lock().unwrap().push(piece);
                    done.push(piece);
                }
                (done, Ok(()))
            },
            |piece| {
                in_flight.fetch_sub(1, Ordering::SeqCst);
                fails("write", piece / 2)?;
                written.push(piece);
                Ok(())
            },
        );
        Observed {
            result,
            committed: committed.into_inner().unwrap(),
            written,
            most_in_flight: most.load(Ordering::SeqCst),
        }
    }

    fn doubles(count: u64) -> Vec<u64> {
        (0..count).map(|n| n * 2).collect()
    }

    #[test]
    fn order_is_kept_and_memory_is_bounded() {
        for jobs in [0, 1, 2, 7] {
            let observed = observe(jobs, 5_000, None, ("", 0));
            assert_eq!(observed.result, Ok(()));
            assert_eq!(observed.committed, (0..5_000).collect::<Vec<_>>());
            assert_eq!(observed.written, doubles(5_000));
            assert!(observed.most_in_flight <= in_flight(jobs), "{} in flight", observed.most_in_flight);
        }
    }

    #[test]
    fn a_read_error_comes_after_everything_before_it() {
        for jobs in [0, 4] {
            let observed = observe(jobs, 1_000, None, ("read", 300));
            assert_eq!(observed.result, Err("read".into()));
            assert_eq!(observed.written, doubles(300));
        }
    }

    #[test]
    fn what_was_committed_before_a_commit_error_is_written() {
        for jobs in [0, 4] {
            let observed = observe(jobs, 1_000, None, ("commit", 300));
            assert_eq!(observed.result, Err("commit".into()));
            assert_eq!(observed.written, doubles(300));
            assert_eq!(observed.committed.len(), 300);
        }
    }

    #[test]
    fn little_is_committed_after_a_write_error() {
        for jobs in [0, 4] {
            let observed = observe(jobs, 10_000, None, ("write", 300));
            assert_eq!(observed.result, Err("write".into()));
            assert_eq!(observed.written, doubles(300));
            assert!(observed.committed.len() <= 300 + 2 * in_flight(jobs), "{}", observed.committed.len());
        }
    }

    #[test]
    fn a_workers_panic_reaches_the_caller() {
        for jobs in [0, 3] {
            let panic = catch_unwind(|| observe(jobs, 1_000, Some(300), ("", 0)));
            assert!(panic.is_err());
        }
    }

    #[test]
    fn a_worker_that_cannot_be_made_ends_the_run() {
        for (jobs, nth) in [(0, 0), (1, 0), (3, 0), (3, 2)] {
            let observed = observe(jobs, 10_000, None, ("make", nth));
            assert_eq!(observed.result, Err("make".into()), "{nth} of {jobs}");
            // The other workers may have done something by then.
            assert_eq!(observed.written, doubles(observed.written.len() as u64));
            let lost = observed.committed.len() - observed.written.len();
            assert!(lost <= 2 * in_flight(jobs), "{lost}");
            assert!(nth > 0 || jobs > 1 || observed.committed.is_empty());
        }
    }

    #[test]
    fn nothing_to_read_is_nothing_to_write() {
        for jobs in [0, 2] {
            assert!(observe(jobs, 0, None, ("", 0)).written.is_empty());
        }
    }
}
