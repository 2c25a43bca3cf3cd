//! Why a run ended before its input did.

use crate::credential::AssemblyError;
use crate::keys::SignError;
use crate::ledger::LedgerError;
use crate::source::InputError;
use crate::stop::ThreadError;
use crate::verify::Refusal;

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum BatchError<S> {
    /// The input cannot be read any further.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(LedgerError),
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
    Signing(#[source] AssemblyError),
    /// A credential did not pass the self-check. Its result, and those of its batch, were not written.
    #[error("the credential of item {index} does not verify: {refusal}")]
    Unverified {
        /// The item.
        index: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
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
    /// The results cannot be delivered.
    #[error("cannot write the results")]
    Sink(S),
}

impl<S> BatchError<S> {
    /// Names the items that were delivered last, where the ledger was taken away.
    pub(super) fn with_items_in_doubt(self, delivered: Option<(u64, u64)>) -> BatchError<S> {
        match self {
            BatchError::Ledger(LedgerError::Changed { path, change, .. }) => {
                BatchError::Ledger(LedgerError::Changed { path, change, last: delivered })
            }
            error => error,
        }
    }
}

/// Why a batch was recorded and has no results.
pub(super) enum FinishError {
    Signing(AssemblyError),
    Unverified { index: u64, refusal: Box<Refusal> },
}

impl From<AssemblyError> for FinishError {
    fn from(error: AssemblyError) -> FinishError {
        FinishError::Signing(error)
    }
}

impl FinishError {
    pub(super) fn into_batch_error<S>(self) -> BatchError<S> {
        match self {
            FinishError::Signing(error) => BatchError::Signing(error),
            FinishError::Unverified { index, refusal } => BatchError::Unverified { index, refusal },
        }
    }
}
