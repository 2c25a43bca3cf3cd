//! What a run writes beside the ledger.

use std::path::PathBuf;

use super::failed_file::FailedFile;
use super::job::Request;
use super::out_dir::OutDir;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::credential::ProofFormat;
use crate::files::Target;

/// What the run writes beside the ledger. A dry run writes to standard output only.
pub(in super::super) struct Files {
    pub(in super::super) output: Output,
    pub(in super::super) failed: Option<FailedFile>,
    pub(in super::super) out_dir: Option<OutDir>,
    pages: Pages,
}

/// The files that say how the run went, which are written last.
#[derive(Default)]
pub(in super::super) struct Pages {
    summary: Option<Target>,
    report: Option<Target>,
}

impl Pages {
    /// Writes the summary and the report, where they are wanted.
    pub(in super::super) fn write(self, summary: &[u8], report: impl FnOnce() -> Vec<u8>) -> Vec<Failure> {
        let summary = self.summary.map(|file| file.commit_with(summary));
        let report = self.report.map(|file| file.commit_with(&report()));
        let written = summary.into_iter().chain(report);
        written.filter_map(Result::err).map(Failure::from).collect()
    }
}

impl Files {
    /// Begins every file, so that one that cannot be written is found before anything is issued.
    pub(in super::super) fn begin(
        request: &Request<'_>,
        mut kept: Kept,
        names_encoding: bool,
        proof_format: ProofFormat,
    ) -> Result<Files, Failure> {
        let args = request.issuing;
        [&args.failed, &args.summary, &args.report]
            .into_iter()
            .flatten()
            .try_for_each(|path| kept.refuse(path))?;
        if request.writes_nothing {
            args.output().file().map_or(Ok(()), |path| kept.refuse(path))?;
            return Ok(Files {
                output: Output::to_stdout(Purpose::Read)?,
                failed: None,
                out_dir: None,
                pages: Pages::default(),
            });
        }
        let failed = args
            .failed
            .as_ref()
            .map(|path| FailedFile::begin(path, args.force, names_encoding))
            .transpose()?;
        let begin =
            |path: &Option<PathBuf>| path.as_deref().map(|path| Target::begin(path, args.force)).transpose();
        let pages = Pages { summary: begin(&args.summary)?, report: begin(&args.report)? };
        let output = Output::open(&args.output(), Purpose::Issue, kept)?;
        let out_dir = args.out_dir.as_deref();
        let out_dir = out_dir
            .map(|folder| OutDir::begin(folder, args.name_by, proof_format, args.force))
            .transpose()?;
        Ok(Files { output, failed, out_dir, pages })
    }

    /// Completes the results and the failed items, and gives those back that say how that went.
    pub(in super::super) fn finish(self, tail: &[u8], complete: bool) -> (Pages, Vec<Failure>) {
        let output = self.output.finish(tail).map_err(Failure::from).err();
        let failed = self.failed.and_then(|file| file.finish(complete).err());
        (self.pages, output.into_iter().chain(failed).collect())
    }
}
