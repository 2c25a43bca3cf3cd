//! Batches of items: what the columns, keys and files of a batch mean.

mod bind;
mod catalog;
mod guess;
mod mapping;
mod plan;
mod results;
mod template;

use std::sync::Arc;

use csv::StringRecord;

use super::dialect::{Binding, Dialect, Meaning};
use super::{Format, InputFault, RowCheck, sniff};
use crate::types::{CredentialType, Types};
pub(super) use bind::ERROR_COLUMNS;
use catalog::Catalog;
pub use catalog::csv_columns;
pub use guess::{PUT_IT, guessed_settings};
pub(super) use mapping::read_row;
pub use mapping::{CellReading, Mapping};
pub use template::template;

/// How a batch is read. Format and encoding can be named, and names of files are believed.
#[derive(Debug, Clone)]
pub struct Items {
    types: Types,
    /// The columns of the type whose items CSV files hold: the default type.
    catalog: Arc<Catalog>,
    mapping: Mapping,
    row_check: RowCheck,
}

impl Items {
    /// Batches of these types, whose columns are read by this mapping; with `row_check` the lines of quoted CSV cells are
    /// tried.
    ///
    /// # Errors
    /// Where the mapping names fields that do not exist, or contradicts itself.
    pub fn new(types: Types, mapping: Mapping, row_check: RowCheck) -> Result<Items, InputFault> {
        let mapping = with_columns_of(types.default_type(), mapping);
        let named = mapping.columns.values().flatten().chain(mapping.constants.keys());
        let named = named.chain(mapping.set.keys()).chain(mapping.defaults.keys()).map(String::as_str);
        let catalog = Arc::new(Catalog::of(types.default_type())).with_any_claims(named);
        let items = Items { types, catalog, mapping, row_check };
        items.check()?;
        Ok(items)
    }

    /// Batches of these types, where nothing else is said.
    pub fn of(types: Types) -> Items {
        let catalog = Arc::new(Catalog::of(types.default_type()));
        let mapping = with_columns_of(types.default_type(), Mapping::default());
        Items { types, catalog, mapping, row_check: RowCheck::default() }
    }
}

/// The mapping, with the headers that the type's own file maps, except for those that are mapped already.
fn with_columns_of(credential_type: &CredentialType, mut mapping: Mapping) -> Mapping {
    for (header, path) in credential_type.from_file.into_iter().flat_map(|file| &file.csv_columns) {
        mapping.columns.entry(header.clone()).or_insert_with(|| vec![path.clone()]);
    }
    mapping
}

/// Keys of an item that no envelope has beside its array.
const ITEM_KEYS: [&str; 4] = ["request", "self_attestation_complete", "subject", "claims"];

/// The keys of the array of an envelope: of a batch, and of the results of an earlier one.
pub(super) const ENVELOPES: [&str; 2] = ["items", "results"];
/// What the envelope of results has beside its array.
const COUNTS_OF_RESULTS: [&str; 2] = ["success_count", "failure_count"];
/// What tells a row of results from an envelope.
const ROW_KEYS: [&str; 2] = ["index", "credential"];

impl Dialect for Items {
    fn envelope(&self) -> &'static str {
        ENVELOPES[0]
    }

    fn envelope_of(&self, key: &str) -> Option<&'static str> {
        ENVELOPES.into_iter().find(|envelope| *envelope == key)
    }

    fn stands_beside(&self, key: &str) -> bool {
        COUNTS_OF_RESULTS.contains(&key)
    }

    fn meaning_of(&self, key: &str) -> Meaning {
        match key {
            _ if ITEM_KEYS.contains(&key) => Meaning::Decides,
            _ if ROW_KEYS.contains(&key) => Meaning::OfValue,
            // An answer of the API that says `error` is no item that has one from an earlier run.
            _ if self.types.have_member(key) && key != "error" => Meaning::OfValue,
            _ => Meaning::Unknown,
        }
    }

    fn format_of(&self, head: &[u8]) -> Format {
        sniff::format_of_items(head)
    }

    fn is_telling_key(&self, key: &str) -> bool {
        ENVELOPES.contains(&key) || ROW_KEYS.contains(&key) || self.types.have_member(key)
    }

    fn believes_names(&self) -> bool {
        true
    }

    fn withholds(&self) -> bool {
        true
    }

    fn knows_column(&self, name: &str) -> bool {
        let catalog = self.catalog.with_any_claims([name].into_iter());
        self.mapping.ignores(name) || results::is_token(name) || !self.find_columns(name, &catalog).is_empty()
    }

    fn bind(&self, header: &StringRecord, line: u64, delimiter: u8) -> Result<Binding, InputFault> {
        match self.is_results_table(header) {
            true => self.bind_results(header, line),
            false => self.bind_header(header, line, delimiter),
        }
    }

    fn row_check(&self) -> Option<RowCheck> {
        Some(self.row_check.clone())
    }

    fn horizon(&self, max_item_bytes: usize) -> usize {
        max_item_bytes
    }
}
