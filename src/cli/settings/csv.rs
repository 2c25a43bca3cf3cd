//! How CSV files are written.

use std::collections::BTreeMap;

use super::Settings;
use crate::cli::failure::Failure;
use crate::source::LineBreaks;

impl Settings {
    /// The encoding of inputs without a byte order mark, where somebody names one.
    pub(crate) fn encoding(&self, given: &Option<String>) -> Option<String> {
        self.value(given, |config| &config.csv.encoding)
    }

    /// `csv.columns` and `csv.constants`, each from the project's file, else from the user's.
    pub(crate) fn csv_fields(&self) -> (&BTreeMap<String, String>, &BTreeMap<String, String>) {
        let (project, user) = (&self.project.config.csv, &self.user.config.csv);
        let columns = if project.columns.is_empty() { &user.columns } else { &project.columns };
        let constants = if project.constants.is_empty() { &user.constants } else { &project.constants };
        (columns, constants)
    }

    /// Whether CSV cells can hold line breaks.
    pub(crate) fn line_breaks(&self) -> Result<LineBreaks, Failure> {
        let Some(word) = self.value(&None, |config| &config.csv.line_breaks) else {
            return Ok(LineBreaks::default());
        };
        let known = LineBreaks::ALL.into_iter().find(|(name, _)| *name == word);
        known.map(|(_, line_breaks)| line_breaks).ok_or_else(|| {
            Failure::usage(format!("csv.line_breaks is \"{word}\"; expected allowed or never"))
                .hint("write `line_breaks: never` under `csv` only if no cell holds a line break")
        })
    }
}
