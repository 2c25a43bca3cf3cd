//! What stopped a command, and what to do about it.

use std::fmt::Display;
use std::io::ErrorKind;

use super::exit::ExitStatus;
use super::log;
use super::streams;
use crate::batch::{BatchError, IssueError};
use crate::credential::AssemblyError;
use crate::files::{self, NEW_FILE, PathError, TargetError};
use crate::issuer::IssuerError;
use crate::keys::{KeyError, LoadError};
use crate::ledger::{Address, LedgerError, ServerFault, StoreError};
use crate::publish::PublishError;
use crate::publish::credential_schema::CiteError;
use crate::publish::documents::KeySetError;
use crate::results::ResultsError;
use crate::source::InputError;
use crate::stop::ThreadError;

/// What to do about a ledger that cannot be trusted. A restored one has forgotten the indices that
/// were given since; a new one opens new lists, and so repeats none.
pub(crate) const DAMAGED_LEDGER: &str = "issue with a new ledger (`--ledger NEW.db`), which opens new status lists; \
     keep what you can restore of this one for the status of its credentials";

/// What to do about a type of one's own that has changed.
const NEW_VCT: &str = "give the changed type a new `vct`, such as …/v2, or restore its file";

/// What to do about an audit trail that does not hold.
pub(crate) const BROKEN_TRAIL: &str = "something other than beltic changed the ledger, or it is an old copy; \
     keep the file unchanged and compare it with a backup";

/// A command that could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) status: ExitStatus,
    /// What happened, with its causes.
    error: anyhow::Error,
    /// What to do about it.
    hints: Vec<String>,
    /// What else failed, which counts for less.
    others: Vec<Failure>,
}

impl Failure {
    /// A failure with this exit code.
    pub(crate) fn new(status: ExitStatus, error: impl Into<anyhow::Error>) -> Failure {
        let error = error.into();
        // Wherever it happened, that the system starts no thread is nobody's mistake.
        let status = if ThreadError::is_behind(error.as_ref()) { ExitStatus::Unexpected } else { status };
        Failure { status, error, hints: Vec::new(), others: Vec::new() }
    }

    /// A failure that is said in one sentence.
    pub(crate) fn said(
        status: ExitStatus,
        message: impl Display + Send + Sync + std::fmt::Debug + 'static,
    ) -> Failure {
        Failure { status, error: anyhow::Error::msg(message), hints: Vec::new(), others: Vec::new() }
    }

    /// A mistake in flags or settings.
    pub(crate) fn usage(message: impl Display + Send + Sync + std::fmt::Debug + 'static) -> Failure {
        Failure::said(ExitStatus::Usage, message)
    }

    /// The reader of a command that only reads has left: that is its end, and nothing to tell.
    pub(crate) fn reader_left() -> Failure {
        Failure::said(ExitStatus::Done, "the reader closed the pipe")
    }

    /// Whether it is that.
    pub(crate) fn is_reader_left(&self) -> bool {
        self.status == ExitStatus::Done
    }

    /// One failure of all these, whose code is that of the one that counts most; none where there is none.
    pub(crate) fn of_all(failures: impl IntoIterator<Item = Failure>) -> Result<(), Failure> {
        let mut failures: Vec<Failure> = failures.into_iter().collect();
        failures.sort_by_key(|failure| failure.status.rank()); // stable: what happened first is told first
        let mut failures = failures.into_iter();
        let Some(mut first) = failures.next() else { return Ok(()) };
        first.others.extend(failures);
        Err(first)
    }

    /// A ledger that is to be read, and is not there.
    pub(crate) fn no_ledger(at: &Address) -> Failure {
        Failure::said(ExitStatus::Files, format!("no ledger found at {at}"))
            .hint("pass `--ledger FILE` to name the one used to issue the credentials")
    }

    /// Says whom it is about, where several are dealt with.
    pub(crate) fn of(self, whom: &str) -> Failure {
        Failure { error: self.error.context(whom.to_owned()), ..self }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// What happened, in one sentence.
    pub(crate) fn message(&self) -> String {
        self.error.to_string()
    }

    /// What happened, with its causes.
    pub(crate) fn whole_message(&self) -> String {
        let said = [plain(self.error.as_ref())].into_iter().chain(self.causes());
        said.collect::<Vec<_>>().join(": ")
    }

    /// What is behind it, without causes that the error before repeats in its own text.
    fn causes(&self) -> Vec<String> {
        let texts: Vec<String> = self.error.chain().map(plain).collect();
        let said = texts.windows(2).filter(|pair| !pair[0].contains(&pair[1]));
        said.map(|pair| pair[1].clone()).collect()
    }

    /// The first thing to do about it.
    pub(crate) fn first_hint(&self) -> Option<String> {
        self.hints.first().cloned()
    }

    /// Prints the failure to standard error, and what else failed. A reader who left is not told of.
    pub(crate) fn print(&self, color: bool) {
        if self.status == ExitStatus::Done {
            return;
        }
        self.others.iter().for_each(|other| other.print_alone(color));
        self.print_alone(color); // the one that decides the exit code is the last, where people look first
    }

    fn print_alone(&self, color: bool) {
        if log::is_json() {
            let causes: Vec<String> = self.error.chain().skip(1).map(plain).collect();
            return log::failure(self.status, &plain(self.error.as_ref()), &causes, &self.hints);
        }
        let error = streams::printable(&plain(self.error.as_ref()));
        streams::say(&format!("{} {error}", streams::paint("error:", "1;31", color)));
        for cause in self.causes() {
            streams::say(&format!("  caused by: {}", streams::printable(&cause)));
        }
        for hint in &self.hints {
            let mut lines = hint.lines().map(streams::printable);
            let first = lines.next().unwrap_or_default();
            streams::say(&format!("  {} {first}", streams::paint("hint:", "1;36", color)));
            // What is to be pasted stands at the margin.
            lines.for_each(|line| streams::say(&line));
        }
    }
}

/// What an error says, in plain words where the system said it.
fn plain(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => files::reason(error),
        None => files::without_number(&error.to_string()),
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        let status = match () {
            () if error.is_io() => ExitStatus::Files,
            () if error.is_usage() => ExitStatus::Usage,
            () => ExitStatus::Input,
        };
        let mapping = error.mapping().map(|mapping| {
            format!("put this into .beltic.yaml, and check it; `beltic template --map FILE` prints it too:\n{mapping}")
        });
        let (is_of_header, lacks_columns) = (error.is_of_header(), error.lacks_columns());
        let failure = Failure::new(status, error);
        match mapping {
            // U+00C3 is how the first byte of an umlaut or accent in UTF-8 reads in Windows-1252.
            Some(mapping) if mapping.contains('\u{c3}') => failure
                .hint("the header looks like UTF-8 that was read in another encoding: check `csv.encoding`, or pass `--encoding utf-8`"),
            Some(mapping) => failure.hint(mapping),
            None if lacks_columns => failure.hint(
                "map a column of yours under csv.columns in .beltic.yaml (`beltic template --map FILE` prints a mapping), or \
                 give every row the same value with `--set FIELD=VALUE`",
            ),
            None if is_of_header => failure.hint(
                "`beltic template --map FILE` prints settings that map a header of your own, to put into .beltic.yaml",
            ),
            None => failure,
        }
    }
}

impl From<ResultsError> for Failure {
    fn from(error: ResultsError) -> Failure {
        let status = if error.is_io() { ExitStatus::Files } else { ExitStatus::Input };
        Failure::new(status, error)
    }
}

impl From<CiteError> for Failure {
    fn from(error: CiteError) -> Failure {
        match error {
            CiteError::Ledger(error) => error.into(),
            CiteError::NeedsNewVct { .. } => Failure::new(ExitStatus::Usage, error).hint(NEW_VCT),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        match error {
            PublishError::Ledger(error) => error.into(),
            PublishError::File(error) => error.into(),
            PublishError::Keys(KeySetError::Issuer(_)) => Failure::new(ExitStatus::Usage, error).hint(
                "a did:key or did:jwk is a single key and cannot change it: sign its lists with `--key`, \
                 or issue as did:web or https",
            ),
            PublishError::NeedsNewVct { .. } => Failure::new(ExitStatus::Usage, error)
                .hint(NEW_VCT),
            PublishError::Frozen { .. } => Failure::new(ExitStatus::Usage, error)
                .hint("give the changed type a new `vct`, or restore the document"),
            PublishError::Keys(_) | PublishError::Place(_) | PublishError::Conflict(_) => {
                Failure::new(ExitStatus::Usage, error)
            }
            PublishError::Forgotten { .. } => Failure::new(ExitStatus::Files, error).hint(
                "restore a newer copy of the ledger, or revoke those credentials again; \
                 `--accept-lost-revocations` keeps them revoked in the lists without the ledger",
            ),
            PublishError::NothingToCompare { .. } => Failure::new(ExitStatus::Files, error).hint(
                "name the site that was published last with `--previous DIR`; if there is none, \
                 `--accept-lost-revocations` publishes what the ledger knows",
            ),
            PublishError::OtherIssuer { .. } => Failure::new(ExitStatus::Files, error)
                .hint("name another directory with `--out DIR`; if the issuer has changed permanently, remove the file"),
            PublishError::NotOurs { .. } => Failure::new(ExitStatus::Files, error)
                .hint("remove the file, or name the key that signed it in `keys.retired`"),
            PublishError::Sign(_) => Failure::new(ExitStatus::Key, error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        Failure::new(ExitStatus::Key, error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        if let LoadError::Key { source: KeyError::NoPassphrase | KeyError::WrongPassphrase, .. } = &error {
            return Failure::new(ExitStatus::Key, error)
                .hint("give the passphrase with `--passphrase-file FILE` or BELTIC_KEY_PASSPHRASE");
        }
        let missing = matches!(&error, LoadError::Read(read) if read.kind() == ErrorKind::NotFound);
        let failure = Failure::new(ExitStatus::Key, error);
        if missing {
            failure.hint("name your key with `--key FILE`; only a new issuer needs `beltic keygen`")
        } else {
            failure
        }
    }
}

impl From<IssuerError> for Failure {
    fn from(error: IssuerError) -> Failure {
        Failure::new(ExitStatus::Usage, error)
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Failure {
        let no_folder = error.action == NEW_FILE && error.kind() == ErrorKind::NotFound;
        let failure = Failure::new(ExitStatus::Files, error);
        if no_folder { failure.hint("create its folder first, or name another file") } else { failure }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Failure {
        let hint = match error {
            TargetError::Path(error) => return error.into(),
            TargetError::Exists(_) => "use `--force` to overwrite it",
            TargetError::Directory(_) => "name a file in it",
        };
        Failure::new(ExitStatus::Files, error).hint(hint)
    }
}

impl From<ThreadError> for Failure {
    fn from(error: ThreadError) -> Failure {
        Failure::new(ExitStatus::Unexpected, error)
            .hint("lower `--jobs`, or raise the limit of processes (`ulimit -u`)")
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        let hint = match &error {
            LedgerError::NotALedger { .. } => {
                "name the ledger with `--ledger FILE`; a new file is created where there is none"
            }
            LedgerError::Damaged { .. } | LedgerError::Empty { .. } => DAMAGED_LEDGER,
            LedgerError::Moved { to, .. } if to.is_empty() => "run the same `beltic ledger copy` again",
            LedgerError::Moved { to, .. } => {
                let hint = format!("use `--ledger {to}`");
                return Failure::new(ExitStatus::Files, error).hint(hint);
            }
            LedgerError::Exists { .. } => "name another place; a ledger is never replaced",
            LedgerError::OtherTerms { .. } => {
                return Failure::new(ExitStatus::Usage, error)
                    .hint("restore them, or issue under another key; nothing was issued");
            }
            LedgerError::OtherRegister { .. } => {
                return Failure::new(ExitStatus::Usage, error)
                    .hint("restore them, or name another scope with `--scope`; nothing was changed");
            }
            LedgerError::RegisterChanged { .. } => "run the same command again; what was done stays done",
            LedgerError::Duplicate(_) => {
                "nothing was issued; to issue them all the same, pass `--duplicates allow`"
            }
            LedgerError::Version { .. } => {
                "use the version of beltic that wrote it, or issue with a new ledger (`--ledger NEW.db`)"
            }
            LedgerError::Folder { .. } => "name a file in it, such as `--ledger FOLDER/ledger.db`",
            LedgerError::Linked { .. } => {
                "remove the other names, or copy the file elsewhere and use the copy"
            }
            LedgerError::ForeignLog { .. } => {
                "run `beltic ledger close-lists` to set it aside and close the open status lists"
            }
            LedgerError::Changed { .. } => {
                "put the ledger back with its `-wal` file and run `beltic ledger check`, or restore a backup as \
                 docs/ledger.md describes"
            }
            LedgerError::Expired { .. } => "set the clock, or pass `--issued-at` to issue for another time",
            LedgerError::Database { source: StoreError::Server(source), .. } => match remedy(source.fault) {
                Some(hint) => hint,
                None => return Failure::new(ExitStatus::Files, error),
            },
            LedgerError::Full { .. } => "free some space and run again; nothing was partly recorded",
            _ => return Failure::new(ExitStatus::Files, error),
        };
        Failure::new(ExitStatus::Files, error).hint(hint)
    }
}

/// What to do about a fault of the ledger's server.
fn remedy(fault: ServerFault) -> Option<&'static str> {
    Some(match fault {
        ServerFault::Unreachable => "check the host, the port and whether PostgreSQL listens there",
        ServerFault::Tls => {
            "name the certificate of its CA with `?sslrootcert=FILE` in the URL; a certificate that is its own CA cannot \
             be used by a server"
        }
        ServerFault::Lost | ServerFault::Conflict | ServerFault::Taken => {
            "run the same command again; nothing was delivered that is not recorded"
        }
        ServerFault::Waited => {
            "see whether a synchronous standby is missing (pg_stat_replication) or a transaction is left open \
             (pg_stat_activity), then run the same command again; `ledger.wait` sets how long to wait"
        }
        ServerFault::TooMany => "run fewer tasks at once, or put a pooler in front of the server",
        ServerFault::Password => {
            "set PGPASSFILE to a file with a line HOST:PORT:DATABASE:USER:PASSWORD, or `ledger.password_file`"
        }
        ServerFault::NoRights => {
            "have the database's owner run `beltic ledger init`, and grant this user the rights that \
             docs/more-than-one-machine.md lists"
        }
        ServerFault::NoDatabase => {
            "create it with `createdb`, or correct the name after the last slash of the URL"
        }
        ServerFault::ReadOnly => "name the primary server in the URL, or several hosts of which one is",
        ServerFault::Asynchronous => {
            "set `synchronous_commit = on` for the database or the user, and `fsync = on` for the server"
        }
        ServerFault::Unguarded => {
            "make the ledger with `beltic ledger init --no-failover-guard`, and run `beltic ledger close-lists` after \
             every failover"
        }
        ServerFault::Pooler => "let the pooler work by transaction, and pass unnamed statements on",
        ServerFault::Full | ServerFault::Damaged | ServerFault::Other => return None,
    })
}

impl From<IssueError<Failure>> for Failure {
    fn from(error: IssueError<Failure>) -> Failure {
        match error {
            IssueError::Batch(error) => error.into(),
            IssueError::Sink(failure) => failure,
        }
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Failure {
        match error {
            BatchError::Input(error) => error.into(),
            BatchError::Ledger(error) => error.into(),
            BatchError::Thread(error) => error.into(),
            BatchError::TooManyFailures { .. } => Failure::said(ExitStatus::MaxFailures, error.to_string())
                .hint("items issued before that are valid and in the results"),
            BatchError::OtherInput(_) => Failure::said(ExitStatus::Input, error.to_string())
                .hint("run the same command again once nobody writes to the file"),
            BatchError::Temporary(source) => Failure::new(
                ExitStatus::Files,
                anyhow::Error::new(source).context("cannot use a temporary file"),
            )
            .hint("TMPDIR names the folder of temporary files"),
            BatchError::Random(source) => Failure::new(
                ExitStatus::Unexpected,
                anyhow::Error::new(source).context("the operating system's random generator failed"),
            ),
            BatchError::Unverified { .. } => Failure::said(ExitStatus::Unexpected, error.to_string())
                .hint("no result of its batch was written; the cause is the key, the memory or this program"),
            BatchError::Key(source) => {
                Failure::new(ExitStatus::Key, anyhow::Error::new(source).context("cannot sign with the key"))
            }
            BatchError::Signing(source) => {
                let status = match &source {
                    AssemblyError::Sign(_) => ExitStatus::Key,
                    AssemblyError::Random(_) => ExitStatus::Unexpected,
                };
                Failure::new(status, anyhow::Error::new(source).context("cannot sign a credential"))
            }
        }
    }
}
