//! The forms of results: one file for each. A form writes rows, and what stands before the first
//! and after the last.

pub(crate) mod changes;
mod csv;
mod json;
mod jwt;
pub(crate) mod listing;
pub(crate) mod table;
mod text;

use super::shared_args::OutputFormat;
use crate::batch::Render;
use crate::clock::UnixTime;
use crate::credential::Status;
use crate::sync::RemovedCredential;

/// One of the forms of results.
pub(crate) trait Form: Render {
    /// The form, for the workers.
    fn as_render(&self) -> &dyn Render;

    /// What stands before the first row.
    fn head(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Appends a row for a credential that was revoked because its item is gone.
    fn removed(&self, removed: &Removed<'_>, out: &mut Vec<u8>);

    /// Whether it is for people.
    fn is_text(&self) -> bool {
        false
    }

    /// What stands after the last row.
    fn tail(&self, issued: u64, failed: u64) -> Vec<u8> {
        let _ = (issued, failed);
        Vec::new()
    }
}

/// A credential that was revoked because its item is gone, or would be.
pub(crate) struct Removed<'r> {
    pub(crate) credential: &'r RemovedCredential,
    /// Whether no row comes before it.
    pub(crate) is_first: bool,
}

impl<'r> Removed<'r> {
    /// When it was revoked; none where it only would be.
    fn revoked_at(&self) -> Option<UnixTime> {
        let current = &self.credential.current;
        current.since.filter(|_| current.status == Status::Revoked)
    }

    /// Why; none where it only would be.
    fn reason(&self) -> Option<&'r str> {
        self.revoked_at().and(self.credential.current.reason.as_deref())
    }
}

/// The form that was asked for. In a run that keeps a register up to date, rows say what was done.
pub(crate) fn form(format: OutputFormat, color: bool, of_register: bool) -> Box<dyn Form> {
    match format {
        OutputFormat::Ndjson => Box::new(json::Lines),
        OutputFormat::Json => Box::new(json::Envelope),
        OutputFormat::Csv => Box::new(csv::Table { of_register }),
        OutputFormat::Jwt => Box::new(jwt::TokenLines),
        OutputFormat::Text => Box::new(text::Text { color }),
    }
}
