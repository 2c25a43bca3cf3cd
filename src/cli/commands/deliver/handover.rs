//! The folder that credentials are handed over in, and what is told about them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DeliverArgs;
use super::args::Column;
use super::looks::Looks;
use super::station::{Folder, Made, Making};
use crate::cli::credential_names::{Namer, make_folder, refuse_full};
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::render::table::{Cell, csv_header, csv_record};
use crate::cli::streams::{self, grouped, printable};
use crate::credential::ProofFormat;
use crate::files::{Folders, PathError, Replacement};

/// The list of all folders.
const INDEX: &str = "index.csv";

/// The files of a folder.
const CERTIFICATE: &str = "certificate.html";
const PICTURE: &str = "qr.svg";
const FILES: [&str; 4] = ["credential.jwt", "credential.sd-jwt", CERTIFICATE, PICTURE];

/// The columns of the index. None of them is personal; those that can be are asked for by name.
const COLUMNS: [&str; 7] =
    ["index", "folder", "credential_id", "credential_type", "issued_at", "expires_at", "qr"];

/// How many warnings and failures are shown, each. All are counted.
const SHOWN: u64 = 100;

/// The folder on its way.
pub(super) struct Handover<'m> {
    making: &'m Making,
    folders: Folders,
    namer: Namer,
    index: Index,
    quiet: bool,
    told: Told,
}

/// The index, which appears whole at the end.
struct Index {
    path: PathBuf,
    file: Replacement,
}

impl Index {
    fn begin(path: PathBuf, columns: &[Column]) -> Result<Index, Failure> {
        let file = Replacement::begin_private(&path)?;
        let mut index = Index { path, file };
        let mut header = Vec::new();
        let names: Vec<&str> = COLUMNS.into_iter().chain(columns.iter().map(Column::name)).collect();
        csv_header(&names, &mut header);
        index.write(&header)?;
        Ok(index)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.file.write_all(bytes).map_err(|source| PathError::new("write", &self.path, source))?)
    }
}

/// What was counted and noticed.
#[derive(Default)]
struct Told {
    delivered: u64,
    failed: u64,
    skipped: u64,
    warnings: u64,
    /// The types of which there was a credential, by their places.
    types: BTreeSet<usize>,
    /// The columns and paths that some credential has.
    columns: BTreeSet<usize>,
    paths: BTreeSet<usize>,
}

impl<'m> Handover<'m> {
    /// Makes the folder, or looks at the one that is there.
    ///
    /// # Errors
    /// Where it is not to be written to.
    pub(super) fn begin(
        args: &DeliverArgs,
        making: &'m Making,
        mut kept: Kept,
        quiet: bool,
    ) -> Result<Handover<'m>, Failure> {
        make_folder(&args.out, "--out")?;
        let folders = Folders::hold(&args.out, args.force, &FILES)?;
        refuse_full(&args.out, args.force, "folders")?;
        let index = args.out.join(INDEX);
        kept.refuse(&index)?;
        let mut namer = Namer::by(args.name_by);
        namer.reserve(INDEX);
        let index = Index::begin(index, &making.columns)?;
        Ok(Handover { making, folders, namer, index, quiet, told: Told::default() })
    }

    /// Takes what rows came to, in their order.
    ///
    /// # Errors
    /// Where something cannot be written.
    pub(super) fn take(&mut self, made: Vec<Made>) -> Result<(), Failure> {
        for made in made {
            match made {
                Made::Folder(folder) => self.add(&folder)?,
                Made::Skipped => self.told.skipped += 1,
                Made::Failed { row, problem } => self.fail(&format!("{row} was not delivered: {problem}")),
            }
        }
        Ok(())
    }

    fn add(&mut self, folder: &Folder) -> Result<(), Failure> {
        let ids = (folder.correlation_id.as_deref(), folder.subject_id.as_deref());
        let (name, problem) = self.namer.name(folder.id, ids, "folder");
        if let Some(problem) = problem {
            self.warn(&format!("row {}: {problem}, so its folder is {name}", folder.index));
        }
        let token = match folder.format {
            ProofFormat::JwtVc => FILES[0],
            ProofFormat::SdJwtVc => FILES[1],
        };
        let line = format!("{}\n", folder.token);
        let files = [
            (token, line.as_bytes()),
            (CERTIFICATE, folder.certificate.as_bytes()),
            (PICTURE, folder.picture.as_bytes()),
        ];
        self.folders.add(&name, &files)?;
        self.index.write(&self.record(folder, &name))?;
        self.note(folder);
        Ok(())
    }

    /// The folder's record of the index.
    fn record(&self, folder: &Folder, name: &str) -> Vec<u8> {
        let word = |text: Option<&str>| Cell::Word(text.unwrap_or_default().to_owned().into());
        let known = self.making.looks.known(folder.found).map(|known| known.credential_type.name);
        let mut cells = vec![
            Cell::Number(folder.index),
            Cell::Text(name.into()),
            Cell::Word(folder.id.urn().to_string().into()),
            word(known),
            word(folder.issued_at.as_deref()),
            word(folder.expires_at.as_deref()),
            word(Some(folder.carries.as_str())),
        ];
        cells.extend(
            folder.values.iter().map(|value| Cell::Text(value.as_deref().unwrap_or_default().into())),
        );
        let mut record = Vec::new();
        csv_record(&cells, &mut record);
        record
    }

    /// Counts a credential, and tells of its type what was not told yet.
    fn note(&mut self, folder: &Folder) {
        let Told { delivered, types, columns, paths, .. } = &mut self.told;
        *delivered += 1;
        columns.extend(places(folder.values.iter().map(Option::is_some)));
        paths.extend(places(folder.disclosed.iter().copied()));
        if let Some(at) = folder.found
            && types.insert(at)
        {
            self.warn_of_type(at);
        }
    }

    fn warn_of_type(&mut self, at: usize) {
        let looks: &'m Looks = &self.making.looks;
        let Some(known) = looks.known(Some(at)) else { return };
        for warning in &known.look.warnings {
            self.warn(&format!("the type {}: {warning}", known.credential_type.name));
        }
    }

    /// Gives the last folders and the index their names.
    ///
    /// # Errors
    /// Where that fails.
    pub(super) fn finish(mut self) -> Result<Ended, Failure> {
        self.folders.commit()?;
        self.warn_of_nothing_found();
        let Handover { index, told, .. } = self;
        index.file.commit()?;
        let Told { delivered, failed, skipped, .. } = told;
        Ok(Ended { delivered, failed, skipped })
    }

    /// What was asked for and is nowhere was probably misspelt.
    fn warn_of_nothing_found(&mut self) {
        if self.told.delivered == 0 {
            return;
        }
        let making = self.making;
        let columns = making.columns.iter().enumerate();
        let missing = columns.filter(|(at, _)| !self.told.columns.contains(at));
        let missing = missing.map(|(_, column)| match column {
            Column::Link => "--column link is empty: no verification page is configured".to_owned(),
            other => format!("--column {}: no credential has it", other.name()),
        });
        let paths = making.disclosing.paths().iter().enumerate();
        let hidden = paths.filter(|(at, _)| !self.told.paths.contains(at));
        let hidden =
            hidden.map(|(_, path)| format!("--disclose {path}: no credential has such a disclosure"));
        missing.chain(hidden).collect::<Vec<_>>().iter().for_each(|warning| self.warn(warning));
    }

    fn warn(&mut self, warning: &str) {
        self.told.warnings += 1;
        if self.quiet || self.told.warnings > SHOWN + 1 {
            return;
        }
        match self.told.warnings > SHOWN {
            false => streams::say(&format!("warning: {}", printable(warning))),
            true => streams::say("warning: more warnings are counted but not shown"),
        }
    }

    fn fail(&mut self, problem: &str) {
        self.told.failed += 1;
        match self.told.failed {
            1..=SHOWN => streams::say(&format!("error: {}", printable(problem))),
            count if count == SHOWN + 1 => {
                streams::say("error: more rows were not delivered; they are counted but not shown")
            }
            _ => {}
        }
    }
}

/// The places of those that are true.
fn places(flags: impl Iterator<Item = bool>) -> impl Iterator<Item = usize> {
    flags.enumerate().filter(|(_, is_set)| *is_set).map(|(at, _)| at)
}

/// What came of it all.
pub(super) struct Ended {
    pub(super) delivered: u64,
    pub(super) failed: u64,
    skipped: u64,
}

impl Ended {
    /// The lines at the end.
    pub(super) fn closing_lines(&self, out: &Path, took: Duration) -> Vec<String> {
        let skipped = match self.skipped {
            0 => String::new(),
            count => format!(", {} skipped (no credential)", grouped(count)),
        };
        let (delivered, failed) = (grouped(self.delivered), grouped(self.failed));
        let rate = grouped((self.delivered as f64 / took.as_secs_f64().max(1e-6)) as u64);
        let mut lines = vec![format!(
            "delivered {delivered}, failed {failed}{skipped} (to {} in {:.2} s, {rate}/s)",
            out.display(),
            took.as_secs_f64()
        )];
        if self.delivered + self.failed == 0 {
            lines.push("warning: nothing was delivered; all results are failed items".to_owned());
        }
        lines
    }
}
