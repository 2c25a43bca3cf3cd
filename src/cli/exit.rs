//! Exit codes: one list, for the code, the help and docs/errors.md.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Everything asked for was done.
    Done = 0,
    /// Something failed that no other code names.
    Unexpected = 1,
    /// The command line or a settings file asks for something that does not exist.
    Usage = 2,
    /// Finished, but some items failed, some tokens are not valid, or a check found work to do.
    SomeFailed = 3,
    /// The input is not a batch, or stopped being readable.
    Input = 4,
    /// The key or its passphrase.
    Key = 5,
    /// Files or the ledger.
    Files = 6,
    /// Stopped by `--max-failures`.
    MaxFailures = 7,
    /// Stopped by SIGHUP.
    HungUp = 129,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl ExitStatus {
    /// Every code with its meaning, which fits on a line of the help, and what to do about it.
    pub const ALL: [(ExitStatus, &'static str, &'static str); 11] = [
        (ExitStatus::Done, "everything asked for was done", "nothing"),
        (
            ExitStatus::Unexpected,
            "unexpected failure",
            "read the message; if it names no cause of yours, report it as a bug",
        ),
        (ExitStatus::Usage, "usage: flags, settings", "correct the flag or setting named; nothing was done"),
        (
            ExitStatus::SomeFailed,
            "some items failed, tokens are not valid, or a check found work to do",
            "`batch-issue`: fix what `--failed` wrote and issue that, or under an idempotency key fix the first file \
             and run again; the others are issued. `--accept-failures` gives 0 instead. `verify`: do not rely on the \
             tokens named. `list --expiring-within`: renew those listed. `publish --check`: publish",
        ),
        (
            ExitStatus::Input,
            "the input is not a batch, or stopped being readable at the place named",
            "fix the file at that place; what was issued before is in the results",
        ),
        (ExitStatus::Key, "key or passphrase", "name the right key or passphrase; nothing was issued"),
        (
            ExitStatus::Files,
            "files or ledger: I/O, lock, disk full, closed pipe",
            "fix what the message names; then run again with the same `--idempotency-key`",
        ),
        (
            ExitStatus::MaxFailures,
            "stopped by --max-failures or --max-removals",
            "look for the common cause; what `batch-issue` issued before is in the results, and `sync` has changed nothing",
        ),
        (
            ExitStatus::HungUp,
            "stopped by SIGHUP (the terminal was closed)",
            "resume as the hint says: with `--idempotency-key` and the id of the run",
        ),
        (ExitStatus::Interrupted, "stopped by SIGINT (Ctrl-C)", "the same"),
        (ExitStatus::Terminated, "stopped by SIGTERM", "the same"),
    ];

    /// Where several codes apply, the first of these is the one.
    const FIRST_COUNTS: [ExitStatus; 11] = [
        ExitStatus::Interrupted,
        ExitStatus::Terminated,
        ExitStatus::HungUp,
        ExitStatus::Unexpected,
        // A mistake on the command line ends a run before anything else can apply.
        ExitStatus::Usage,
        ExitStatus::Key,
        ExitStatus::Files,
        ExitStatus::Input,
        ExitStatus::MaxFailures,
        ExitStatus::SomeFailed,
        ExitStatus::Done,
    ];

    /// The status as a word for programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ExitStatus::Done => "done",
            ExitStatus::Unexpected => "unexpected",
            ExitStatus::Usage => "usage",
            ExitStatus::SomeFailed => "some_failed",
            ExitStatus::Input => "input",
            ExitStatus::Key => "key",
            ExitStatus::Files => "files",
            ExitStatus::MaxFailures => "max_failures",
            ExitStatus::HungUp => "hung_up",
            ExitStatus::Interrupted => "interrupted",
            ExitStatus::Terminated => "terminated",
        }
    }

    /// The place of a code in the order in which they count: the smallest is the one that is told.
    pub(crate) fn rank(self) -> usize {
        Self::FIRST_COUNTS.iter().position(|status| *status == self).unwrap_or_default()
    }

    /// The one code of a command to which all of these apply; [`ExitStatus::Done`] where none does.
    pub(crate) fn of_all(statuses: impl IntoIterator<Item = ExitStatus>) -> ExitStatus {
        statuses.into_iter().min_by_key(|status| status.rank()).unwrap_or(ExitStatus::Done)
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signal, then 1, 5, 6, 4, 7, 3: for every set of codes, however it is ordered.
    #[test]
    fn of_several_codes_the_first_of_the_order_counts() {
        let order = [130, 143, 129, 1, 2, 5, 6, 4, 7, 3, 0];
        let all: Vec<ExitStatus> = ExitStatus::ALL.iter().map(|(status, ..)| *status).collect();
        assert_eq!(all.len(), order.len());
        for set in 0..1u32 << all.len() {
            let members = || all.iter().enumerate().filter(|(at, _)| set & 1 << at != 0).map(|(_, s)| *s);
            let codes: Vec<u8> = members().map(ExitStatus::code).collect();
            let expected = order.into_iter().find(|code| codes.contains(code)).unwrap_or(0);
            assert_eq!(ExitStatus::of_all(members()).code(), expected, "{codes:?}");
            let reversed: Vec<_> = members().collect();
            assert_eq!(ExitStatus::of_all(reversed.into_iter().rev()).code(), expected, "{codes:?}");
        }
    }
}
