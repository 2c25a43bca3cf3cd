//! The failed items of a batch, as they came in.

use super::stages::CheckedItem;
use crate::source::{Chunk, ItemForm};

/// The failed items of a batch, in the form of their file.
#[derive(Debug)]
pub struct FailedItems {
    /// The form.
    pub form: ItemForm,
    /// The items: CSV rows with their line ends, JSON texts without.
    pub items: Vec<Vec<u8>>,
}

impl FailedItems {
    /// The failed ones of a chunk's items; `None` where there are none.
    pub(super) fn of(chunk: &Chunk, items: &[CheckedItem]) -> Option<FailedItems> {
        let mut failed_writer = chunk.failed_writer();
        let mut failed = Vec::new();
        for item in items {
            if let Err(rejection) = &item.checked.outcome {
                let mut bytes = Vec::new();
                // Items of other shards are in the chunk, and not among these.
                let place = (item.index - chunk.first_index) as usize;
                failed_writer.item(place, rejection, &mut bytes);
                failed.push(bytes);
            }
        }
        (!failed.is_empty()).then(|| FailedItems { form: failed_writer.form(), items: failed })
    }
}
