//! Exit codes: one list, for the code, the help and the README (contract section 2.4).

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Everything asked for was done.
    Done = 0,
    /// Something failed that no other code names.
    Unexpected = 1,
    /// The command line or a settings file asks for something that there is not.
    Usage = 2,
    /// Finished, but some items failed, some tokens are not valid, or `list --expiring-within` or
    /// `publish --check` found something to do.
    SomeFailed = 3,
    /// The input is not a batch, or stopped being readable.
    Input = 4,
    /// The key or its passphrase.
    Key = 5,
    /// Files or the ledger.
    Files = 6,
    /// Stopped by `--max-failures`.
    MaxFailures = 7,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl ExitStatus {
    /// Every code with its meaning.
    pub const ALL: [(ExitStatus, &'static str); 10] = [
        (ExitStatus::Done, "everything asked for was done"),
        (ExitStatus::Unexpected, "unexpected failure"),
        (ExitStatus::Usage, "usage: flags, settings"),
        (
            ExitStatus::SomeFailed,
            "finished, but some items failed, some tokens are not valid, or --expiring-within or --check found something to do",
        ),
        (ExitStatus::Input, "the input is not a batch, or stopped being readable at the place named"),
        (ExitStatus::Key, "key or passphrase"),
        (ExitStatus::Files, "files or ledger: I/O, lock, disk full, closed pipe"),
        (ExitStatus::MaxFailures, "stopped by --max-failures"),
        (ExitStatus::Interrupted, "stopped by SIGINT (Ctrl-C)"),
        (ExitStatus::Terminated, "stopped by SIGTERM"),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The codes as a table for help texts.
    pub fn help() -> String {
        let lines = Self::ALL.map(|(status, meaning)| format!("{:>5}  {meaning}", status.code()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}
