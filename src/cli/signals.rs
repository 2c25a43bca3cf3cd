//! Stopping on request: the first Ctrl-C or SIGTERM ends the run in good order, the second at
//! once.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::exit::ExitStatus;

/// How often a waiting read looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// Signals so close together are one request: `timeout` and some CI runners send theirs to the
/// process and to its group.
const ONE_REQUEST: Duration = Duration::from_millis(100);

/// Whether somebody asked the run to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopRequest {
    /// The signal's number; 0 where there was none.
    signal: Arc<AtomicI32>,
}

impl StopRequest {
    /// Listens for the signals from now on.
    ///
    /// # Errors
    /// Where the system refuses, which it does not for these signals.
    pub(crate) fn listen() -> io::Result<StopRequest> {
        let request = StopRequest::default();
        let flag = Arc::clone(&request.signal);
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        // The thread ends with the process.
        thread::spawn(move || {
            let mut first = None;
            for signal in signals.forever() {
                match first {
                    None => {
                        first = Some(Instant::now());
                        flag.store(signal, Ordering::Release);
                    }
                    Some(at) if at.elapsed() < ONE_REQUEST => {}
                    // As safe as kill -9: what is durable is durable.
                    Some(_) => low_level::exit(i32::from(status_of(signal).code())),
                }
            }
        });
        Ok(request)
    }

    /// Whether to stop.
    pub(crate) fn is_made(&self) -> bool {
        self.signal.load(Ordering::Acquire) != 0
    }

    /// The exit code that says so.
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

/// Standard input, read in a thread of its own so that a read that waits for a pipe can be given
/// up.
pub(crate) struct StoppableInput {
    blocks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    stop: StopRequest,
}

impl StoppableInput {
    pub(crate) fn new(stop: StopRequest) -> StoppableInput {
        let (sender, blocks) = bounded(4);
        // The thread ends with its input, or with the process.
        thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut block = vec![0; 256 * 1024];
                let read = stdin.read(&mut block).map(|count| {
                    block.truncate(count);
                    block
                });
                let over = !matches!(&read, Ok(block) if !block.is_empty());
                if sender.send(read).is_err() || over {
                    return;
                }
            }
        });
        StoppableInput { blocks, current: io::Cursor::default(), stop }
    }

    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.blocks.recv_timeout(LOOK) {
                Ok(block) => return block,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) if self.stop.is_made() => {
                    return Err(io::Error::other("stopped while waiting for more input"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for StoppableInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.current.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        self.current = io::Cursor::new(self.next_block()?);
        self.current.read(buffer)
    }
}
