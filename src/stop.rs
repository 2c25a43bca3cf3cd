//! Stopping in good order, and reads that can be given up for it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

/// How often a waiting read looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// How much is read at once. A pipe holds a quarter of it on Linux.
const BLOCK: usize = 256 * 1024;

/// Whether to take no more items. Clones are the same switch.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for no more items to be taken.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether that was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Why a read was given up. It is the inner error of an [`io::Error`].
#[derive(Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped while waiting for more input")
    }
}

impl std::error::Error for Stopped {}

impl Stopped {
    /// Whether an error is this one.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
    }
}

/// The operating system refuses to start a thread: too many processes, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("cannot start another thread")]
pub struct ThreadError(#[from] io::Error);

impl ThreadError {
    /// Whether it is what an error says, or what is behind it.
    pub fn is_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if error.is::<ThreadError>() || inner.is_some_and(|inner| ThreadError::is_behind(inner)) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// An input that may wait for its writer, such as a pipe. It is read in a thread of its own, so
/// that a read that waits can be given up.
#[derive(Debug)]
pub struct StoppableReader {
    blocks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    stop: Stop,
}

impl StoppableReader {
    /// Reads from `input` until there is no more, or the switch is set. Where no thread can be started, the first
    /// read fails with a [`ThreadError`].
    pub fn new(mut input: impl Read + Send + 'static, stop: Stop) -> StoppableReader {
        let (sender, blocks) = bounded(4);
        let failed = sender.clone();
        // The thread ends with its input, or with the process.
        let started = thread::Builder::new().spawn(move || {
            loop {
                let mut block = vec![0; BLOCK];
                let read = input.read(&mut block).map(|count| {
                    block.truncate(count);
                    block
                });
                let over = !matches!(&read, Ok(block) if !block.is_empty());
                if sender.send(read).is_err() || over {
                    return;
                }
            }
        });
        if let Err(error) = started {
            let _ = failed.send(Err(io::Error::other(ThreadError(error))));
        }
        StoppableReader { blocks, current: io::Cursor::default(), stop }
    }

    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        while !self.stop.is_requested() {
            match self.blocks.recv_timeout(LOOK) {
                Ok(block) => return block,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        Err(io::Error::other(Stopped))
    }
}

impl Read for StoppableReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.current.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        self.current = io::Cursor::new(self.next_block()?);
        self.current.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_in_order() {
        let bytes: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
        let mut read = Vec::new();
        let input = io::Cursor::new(bytes.clone());
        StoppableReader::new(input, Stop::default()).read_to_end(&mut read).unwrap();
        assert!(read == bytes);
    }

    #[test]
    fn a_thread_that_cannot_start_is_found_behind_other_errors() {
        let refused = || ThreadError(io::ErrorKind::WouldBlock.into());
        let wrapped = io::Error::other(io::Error::other(refused()));
        assert!(ThreadError::is_behind(&refused()) && ThreadError::is_behind(&wrapped));
        assert!(!ThreadError::is_behind(&io::Error::other(Stopped)));
    }

    #[test]
    fn a_read_that_waits_is_given_up() {
        let (reader, _writer) = io::pipe().unwrap();
        let stop = Stop::default();
        let mut input = StoppableReader::new(reader, stop.clone());
        stop.request();
        assert!(Stopped::is(&input.read(&mut [0; 8]).unwrap_err()));
    }
}
