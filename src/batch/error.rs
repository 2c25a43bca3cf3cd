//! Why a run ends before its input does.

use crate::credential::AssemblyError;
use crate::keys::SignError;
use crate::ledger::LedgerError;
use crate::source::InputError;
use crate::stop::ThreadError;
use crate::verify::Refusal;

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The input cannot be read any further.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The operating system starts no more threads.
    #[error(transparent)]
    Thread(#[from] ThreadError),
    /// The operating system gives no random bytes.
    #[error("the operating system's random generator failed")]
    Random(#[source] getrandom::Error),
    /// The key cannot be used. Nothing was recorded that waits for it.
    #[error("cannot sign with the key")]
    Key(#[from] SignError),
    /// A credential could not be signed.
    #[error("cannot sign a credential")]
    Signing(#[from] AssemblyError),
    /// A credential did not pass the self-check. Its result, and those of its batch, were not written.
    #[error("the credential of item {index} does not verify: {refusal}")]
    Unverified {
        /// The item.
        index: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// The input is not what it was when the plan was made.
    #[error("the input changed while it was read a second time; {0}")]
    OtherInput(&'static str),
    /// What is kept on the disk meanwhile cannot be written or read.
    #[error("cannot use a temporary file")]
    Temporary(#[from] std::io::Error),
    /// More items failed than may.
    #[error(
        "stopped after item {last_index}: {failed} of {items} items failed, more than --max-failures allows"
    )]
    TooManyFailures {
        /// The last item that was looked at.
        last_index: u64,
        /// How many items failed.
        failed: u64,
        /// How many items there were so far.
        items: u64,
    },
}

impl BatchError {
    /// Names the items that were delivered last, where the ledger was taken away.
    pub(super) fn with_items_in_doubt(self, delivered: Option<(u64, u64)>) -> BatchError {
        match self {
            BatchError::Ledger(LedgerError::Changed { path, change, .. }) => {
                BatchError::Ledger(LedgerError::Changed { path, change, last: delivered })
            }
            error => error,
        }
    }
}

/// Why a run ended before its input did: by its own reasons, or by those of the sink that takes the results.
#[derive(Debug, thiserror::Error)]
pub enum IssueError<S> {
    /// The run cannot go on.
    #[error(transparent)]
    Batch(BatchError),
    /// The results cannot be delivered. This is what the sink said.
    #[error("cannot write the results")]
    Sink(S),
}

impl<S, E: Into<BatchError>> From<E> for IssueError<S> {
    fn from(error: E) -> IssueError<S> {
        IssueError::Batch(error.into())
    }
}
