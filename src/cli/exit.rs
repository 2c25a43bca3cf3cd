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
    /// Every code with its meaning, which fits on a line of the help, and what to do about it.
    pub const ALL: [(ExitStatus, &'static str, &'static str); 10] = [
        (ExitStatus::Done, "everything asked for was done", "nothing"),
        (
            ExitStatus::Unexpected,
            "unexpected failure",
            "read the message; if it names no cause of yours, report it as a bug",
        ),
        (ExitStatus::Usage, "usage: flags, settings", "correct the flag or setting named; nothing was done"),
        (
            ExitStatus::SomeFailed,
            "some items failed, tokens are not valid, or a check found something to do",
            "`batch-issue`: mend what `--failed` wrote and issue that, or under an idempotency key mend the first file \
             and run again; the others are issued. `verify`: do not rely on the tokens named. \
             `list --expiring-within`: renew those listed. `publish --check`: publish",
        ),
        (
            ExitStatus::Input,
            "the input is not a batch, or stopped being readable at the place named",
            "mend the file at that place; what was issued before it stands in the results",
        ),
        (ExitStatus::Key, "key or passphrase", "name the right key or passphrase; nothing was issued"),
        (
            ExitStatus::Files,
            "files or ledger: I/O, lock, disk full, closed pipe",
            "mend what the message names; then run again with the same `--idempotency-key`",
        ),
        (
            ExitStatus::MaxFailures,
            "stopped by --max-failures",
            "look for the common cause; what was issued before stands in the results",
        ),
        (
            ExitStatus::Interrupted,
            "stopped by SIGINT (Ctrl-C)",
            "go on as the hint says: with `--idempotency-key` and the id of the run",
        ),
        (ExitStatus::Terminated, "stopped by SIGTERM", "the same"),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The codes as a table for help texts.
    pub fn help() -> String {
        let lines = Self::ALL.map(|(status, meaning, _)| format!("{:>5}  {meaning}", status.code()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}
