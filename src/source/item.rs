//! One item, as it was cut.

use std::ops::Range;

use super::item_fault::ItemFault;

/// An item that was cut but not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawItem {
    /// Where the item stands in the chunk's bytes, or what is left of it if it was too long.
    pub(super) span: Range<usize>,
    /// The physical line where it begins, from 1. NDJSON and CSV only.
    pub line: Option<u64>,
    /// The physical line where it ends; differs from `line` for CSV rows with line breaks in
    /// quoted cells.
    pub last_line: Option<u64>,
    /// Whether the input ended before the line did: what is wrong with such an item may be that
    /// the file is truncated.
    pub unterminated: bool,
    /// What was found wrong with it while cutting.
    pub fault: Option<ItemFault>,
}
