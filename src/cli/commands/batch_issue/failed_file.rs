//! `--failed`: the failed items in a file of their own, in the form they came in.

use std::io::Write;
use std::path::Path;

use crate::batch::FailedItems;
use crate::cli::failure::Failure;
use crate::files::{BYTE_ORDER_MARK, PathError, Target};
use crate::source::ItemForm;

/// The file of failed items, which appears at the end if there are any.
pub(crate) struct FailedFile {
    file: Target,
    /// The form of the items so far; `None` as long as there are none.
    form: Option<ItemForm>,
    /// Whether a write failed: then the file does not get its name.
    broken: bool,
    /// Whether the file begins with a byte order mark: it is UTF-8, and the settings say otherwise of inputs without one.
    is_marked: bool,
}

impl FailedFile {
    /// Begins the file. `is_marked` is for runs whose inputs have an encoding of their own: the file of failed items is
    /// read by the same settings.
    pub(crate) fn begin(path: &Path, force: bool, is_marked: bool) -> Result<FailedFile, Failure> {
        Ok(FailedFile { file: Target::begin(path, force)?, form: None, broken: false, is_marked })
    }

    /// Adds the failed items of a batch.
    pub(crate) fn add(&mut self, failed: FailedItems) -> Result<(), Failure> {
        let is_first = self.form.is_none();
        let mut bytes = Vec::new();
        if is_first && self.is_marked {
            bytes.extend_from_slice(BYTE_ORDER_MARK);
        }
        match &failed.form {
            ItemForm::Csv { header } => {
                bytes.extend_from_slice(if is_first { header } else { b"" });
                bytes.extend(failed.items.iter().flatten());
            }
            ItemForm::Ndjson => {
                bytes.extend_from_slice(&failed.items.join(&b"\n"[..]));
                bytes.push(b'\n');
            }
            ItemForm::Json => {
                bytes.extend_from_slice(if is_first { b"{\"items\":[\n" } else { b",\n" });
                bytes.extend_from_slice(&failed.items.join(&b",\n"[..]));
            }
        }
        self.form = Some(failed.form);
        self.put(&bytes)
    }

    /// Gives the file its name. Where nothing failed there is no file, and after a `complete` run
    /// not even an old one.
    pub(crate) fn finish(mut self, complete: bool) -> Result<(), Failure> {
        match &self.form {
            _ if self.broken => return Ok(()),
            None if complete && self.file.replaces() => {
                let path = self.file.path();
                return std::fs::remove_file(path)
                    .map_err(|source| PathError::new("remove", path, source).into());
            }
            None => return Ok(()),
            Some(ItemForm::Json) => self.put(b"\n]}\n")?,
            Some(_) => {}
        }
        Ok(self.file.commit()?)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes);
        self.broken |= written.is_err();
        written.map_err(|source| PathError::new("write", self.file.path(), source).into())
    }
}
