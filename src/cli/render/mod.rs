//! The forms of results: one file for each. A form writes rows, and what stands before the first
//! and after the last.

pub(crate) mod changes;
mod csv;
mod json;
mod jwt;
pub(crate) mod listing;
mod table;
mod text;

use super::shared_args::OutputFormat;
use crate::batch::Render;

/// One of the forms of results.
pub(crate) trait Form: Render {
    /// The form, for the workers.
    fn as_render(&self) -> &dyn Render;

    /// What stands before the first row.
    fn head(&self) -> Vec<u8> {
        Vec::new()
    }

    /// What stands after the last row.
    fn tail(&self, issued: u64, failed: u64) -> Vec<u8> {
        let _ = (issued, failed);
        Vec::new()
    }
}

/// The form that was asked for.
pub(crate) fn form(format: OutputFormat, color: bool) -> Box<dyn Form> {
    match format {
        OutputFormat::Ndjson => Box::new(json::Lines),
        OutputFormat::Json => Box::new(json::Envelope),
        OutputFormat::Csv => Box::new(csv::Table),
        OutputFormat::Jwt => Box::new(jwt::TokenLines),
        OutputFormat::Text => Box::new(text::Text { color }),
    }
}
