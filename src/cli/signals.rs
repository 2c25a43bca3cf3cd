//! Stopping on request: the first Ctrl-C or SIGTERM ends the run in good order, the second at
//! once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::exit::ExitStatus;
use crate::stop::Stop;

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
    /// Where the system refuses, which it does not for these signals.
    pub(crate) fn listen() -> io::Result<StopSignals> {
        let listener = StopSignals::default();
        let StopSignals { signal: flag, stop } = listener.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        // The thread ends with the process.
        thread::spawn(move || {
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
        Ok(listener)
    }

    /// The exit code that says that a signal came.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        match self.signal.load(Ordering::Acquire) {
            0 => None,
            signal => Some(status_of(signal)),
        }
    }
}

fn status_of(signal: i32) -> ExitStatus {
    if signal == SIGTERM { ExitStatus::Terminated } else { ExitStatus::Interrupted }
}
