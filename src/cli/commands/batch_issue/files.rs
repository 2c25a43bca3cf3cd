//! What a run writes beside the ledger.

use super::args::BatchIssueArgs;
use super::failed_file::FailedFile;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::files::Target;

/// What the run writes beside the ledger. A dry run writes to standard output only.
pub(super) struct Files {
    pub(super) output: Output,
    pub(super) failed: Option<FailedFile>,
    summary: Option<Target>,
}

impl Files {
    /// Begins every file, so that one that cannot be written is found before anything is issued.
    pub(super) fn begin(
        args: &BatchIssueArgs,
        mut kept: Kept,
        names_encoding: bool,
    ) -> Result<Files, Failure> {
        [&args.failed, &args.summary].into_iter().flatten().try_for_each(|path| kept.refuse(path))?;
        if args.dry_run {
            args.output().file().map_or(Ok(()), |path| kept.refuse(path))?;
            return Ok(Files { output: Output::to_stdout(Purpose::Read)?, failed: None, summary: None });
        }
        let failed = args
            .failed
            .as_ref()
            .map(|path| FailedFile::begin(path, args.force, names_encoding))
            .transpose()?;
        let summary = args.summary.as_deref().map(|path| Target::begin(path, args.force)).transpose()?;
        Ok(Files { output: Output::open(&args.output(), Purpose::Issue, kept)?, failed, summary })
    }

    /// Completes the results and the failed items, and gives the summary back, which says how that went.
    pub(super) fn finish(self, tail: &[u8], complete: bool) -> (Option<Target>, Vec<Failure>) {
        let output = self.output.finish(tail).map_err(Failure::from).err();
        let failed = self.failed.and_then(|file| file.finish(complete).err());
        (self.summary, output.into_iter().chain(failed).collect())
    }
}
