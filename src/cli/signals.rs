//! Stopping on request: the first SIGHUP, SIGINT or SIGTERM ends the run in good order, the second at once.
//!
//! A SIGHUP that the program was started to ignore (`nohup`) stays ignored, where the system tells; Linux does.
//! SIGXFSZ, sent to whoever writes beyond the largest file that is allowed, is caught and does nothing: then the write
//! fails like one to a full disk, and the run ends as after any such failure.

use std::io;
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::exit::ExitStatus;
use super::failure::Failure;
use crate::stop::{Stop, ThreadError};

/// Signals so close together are one request: `timeout` and some CI runners send theirs to the
/// process and to its group.
const ONE_REQUEST: Duration = Duration::from_millis(100);

/// The signals that ask the run to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopSignals {
    /// The first signal's number; 0 where there was none.
    signal: Arc<AtomicI32>,
    /// The switch that a signal sets, and that anything else may set too.
    pub(crate) stop: Stop,
}

impl StopSignals {
    /// Listens for the signals from now on.
    ///
    /// # Errors
    /// Where the system refuses, or starts no thread.
    pub(crate) fn listen() -> Result<StopSignals, Failure> {
        let listener = StopSignals::default();
        let StopSignals { signal: flag, stop } = listener.clone();
        let mut signals =
            Signals::new(asked_for()).map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
        // The thread ends with the process.
        let started = thread::Builder::new().spawn(move || {
            let mut first = None;
            for signal in signals.forever() {
                match first {
                    None => {
                        first = Some(Instant::now());
                        flag.store(signal, Ordering::Release);
                        stop.request();
                    }
                    Some(at) if at.elapsed() < ONE_REQUEST => {}
                    // As safe as kill -9: what is durable is durable.
                    Some(_) => low_level::exit(i32::from(status_of(signal).code())),
                }
            }
        });
        started.map_err(ThreadError::from)?;
        Ok(listener)
    }

    /// The exit code that says that a signal came.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        match self.signal.load(Ordering::Acquire) {
            0 => None,
            signal => Some(status_of(signal)),
        }
    }

    /// How the command ends because of a signal that came, where one did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.status().map(|status| Failure::said(status, "interrupted; work in progress was completed"))
    }
}

/// Makes a write beyond the largest file that is allowed fail, instead of ending the program.
pub(crate) fn outlive_file_size_limit() {
    // Handlers of caught signals do nothing but set a switch, which nobody reads. Where that is refused, the signal
    // does what it always does.
    #[cfg(unix)]
    let _: io::Result<_> = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// The signals that are listened for.
fn asked_for() -> Vec<i32> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no SIGHUP"))]
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !is_ignored(SIGHUP) {
        signals.push(SIGHUP);
    }
    signals
}

/// Whether the program was started with this signal ignored. Without `/proc` nobody can tell without unsafe code.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

/// Whether a signal is in the mask of ignored ones, whose bit 0 is signal 1 (see `proc_pid_status(5)`).
#[cfg(unix)]
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn status_of(signal: i32) -> ExitStatus {
    match signal {
        #[cfg(unix)]
        SIGHUP => ExitStatus::HungUp,
        SIGTERM => ExitStatus::Terminated,
        _ => ExitStatus::Interrupted,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_found_in_their_mask() {
        let status =
            |mask: &str| format!("SigBlk:\t0000000000000000\nSigIgn:\t{mask}\nSigCgt:\tffffffffffffffff\n");
        assert!(ignores(&status("0000000000000001"), SIGHUP));
        assert!(ignores(&status("0000000001001003"), SIGINT));
        assert!(!ignores(&status("0000000000001000"), SIGHUP));
        assert!(!ignores("", SIGHUP) && !ignores("SigIgn: none", SIGHUP));
    }
}
