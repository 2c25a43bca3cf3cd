//! The process of a signer program: starting it, asking it, and ending it.
//!
//! A thread writes requests and reads answers, so that a program which reads nothing, or answers nothing, is waited for no
//! longer than is allowed. That thread ends with the pipes, which may be after the process: its own children may hold
//! them. The process itself is always waited for.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::Program;
use super::protocol::MAX_ANSWER_BYTES;

/// How long a program may take to end once its input has ended.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often is looked whether it has ended, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// A running program.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// None once it is to end: then its input ends.
    requests: Option<Sender<Arc<[u8]>>>,
    answers: Receiver<Heard>,
    /// Since when it owes an answer, and so would not notice the end of its input.
    asked_at: Option<Instant>,
}

/// What came back to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// More than the longest line.
    TooLong,
    /// The end of its output.
    End,
    /// Nothing for as long as was waited.
    Nothing,
}

impl Process {
    pub(super) fn start(program: &Program) -> io::Result<Process> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        for name in program.withheld {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were piped")
        };
        let ((requests, to_write), (heard, answers)) = (bounded(1), bounded(1));
        let process = Process { child, requests: Some(requests), answers, asked_at: None };
        // Where it does not start, `process` is dropped, which ends the program.
        thread::Builder::new().spawn(move || talk(stdin, stdout, &to_write, &heard))?;
        Ok(process)
    }

    /// Makes a request.
    pub(super) fn ask(&mut self, request: &Arc<[u8]>) {
        self.asked_at = Some(Instant::now());
        // Where nobody takes it, nobody answers.
        let _ = self.requests.as_ref().map(|requests| requests.send(Arc::clone(request)));
        // Whoever asks has other work to do until the answer comes. The request is to leave before that, on a machine
        // without an idle core too.
        thread::yield_now();
    }

    /// Waits for the answer until so long after the request.
    pub(super) fn hear(&mut self, timeout: Duration) -> Heard {
        let left = timeout.saturating_sub(self.asked_at.map_or(timeout, |asked_at| asked_at.elapsed()));
        let heard = match self.answers.recv_timeout(left) {
            Ok(heard) => heard,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
            Err(RecvTimeoutError::Timeout) => return Heard::Nothing,
        };
        self.asked_at = None;
        heard
    }

    /// Ends the program, and says how it ended.
    pub(super) fn end(mut self) -> Ending {
        self.end_now()
    }

    fn end_now(&mut self) -> Ending {
        self.requests = None;
        if self.asked_at.is_some() {
            let _ = self.child.kill();
        }
        match self.wait() {
            Some(status) => Ending::Exited(status),
            None => {
                let _ = self.child.kill();
                let _ = self.child.wait();
                Ending::Killed
            }
        }
    }

    /// Waits for the end for a while.
    fn wait(&mut self) -> Option<ExitStatus> {
        let (begun, mut pause) = (Instant::now(), LOOKS.0);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if begun.elapsed() < PATIENCE => thread::sleep(pause),
                _ => return None,
            }
            pause = (pause * 2).min(LOOKS.1);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// Writes requests and reads an answer to each, until there are no more, or nobody waits for the answer.
fn talk(mut stdin: ChildStdin, stdout: ChildStdout, requests: &Receiver<Arc<[u8]>>, heard: &Sender<Heard>) {
    let mut stdout = BufReader::new(stdout);
    for request in requests {
        let answer = match stdin.write_all(&request) {
            // A program that has stopped reading may have said why.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Heard::End,
            _ => read_line(&mut stdout),
        };
        if heard.send(answer).is_err() {
            return;
        }
    }
}

/// Reads a line of bounded length. One that stops in the middle counts as the end.
fn read_line(from: &mut impl BufRead) -> Heard {
    let mut line = Vec::new();
    let most = MAX_ANSWER_BYTES as u64 + 1; // and the line end
    let read = from.take(most).read_until(b'\n', &mut line);
    match (read, line.pop()) {
        (Ok(_), Some(b'\n')) => Heard::Line(line),
        (Ok(length), _) if length as u64 == most => Heard::TooLong,
        _ => Heard::End,
    }
}

/// How a program ended, as what is said after "it".
#[derive(Debug)]
pub(super) enum Ending {
    /// By itself, or by a signal.
    Exited(ExitStatus),
    /// By us: it had closed its output and ran on.
    Killed,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // "exit status: 1", "signal: 9 (SIGKILL)"
            Ending::Exited(status) => write!(f, "ended without an answer ({status})"),
            Ending::Killed => f.write_str("closed its output without an answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_whole() {
        let longest = "x".repeat(MAX_ANSWER_BYTES);
        for (text, expected) in [
            ("a\nb\n".to_owned(), Heard::Line(b"a".to_vec())),
            ("\n".to_owned(), Heard::Line(Vec::new())),
            (String::new(), Heard::End),
            ("half".to_owned(), Heard::End),
            (format!("{longest}\n"), Heard::Line(longest.clone().into_bytes())),
            (longest.clone(), Heard::End),
            (format!("{longest}x\n"), Heard::TooLong),
            (format!("{longest}xxx"), Heard::TooLong),
        ] {
            assert_eq!(read_line(&mut text.as_bytes()), expected, "{} bytes", text.len());
        }
        assert_eq!(read_line(&mut BufReader::new(io::repeat(b'x'))), Heard::TooLong);
    }
}
