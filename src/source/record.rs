//! One CSV record on its own, read with the `csv` crate.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder, StringRecord};

/// The cells of one record.
pub(super) fn record_of(text: &str, delimiter: u8) -> StringRecord {
    let mut record = StringRecord::new();
    let read = reader(text.as_bytes(), delimiter).read_record(&mut record);
    debug_assert!(read.is_ok(), "the text is UTF-8, and memory cannot fail");
    record
}

/// The cells of one record, in whatever encoding.
pub(super) fn bytes_of(row: &[u8], delimiter: u8) -> ByteRecord {
    let mut record = ByteRecord::new();
    let read = reader(row, delimiter).read_byte_record(&mut record);
    debug_assert!(read.is_ok(), "memory cannot fail");
    record
}

/// The line end before the record keeps the reader from taking off a byte order mark, which would be a character of a
/// cell.
fn reader(row: &[u8], delimiter: u8) -> csv::Reader<impl Read> {
    let text = b"\n".chain(row);
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text)
}
