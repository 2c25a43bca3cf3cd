//! `text`: one short line an item, for people.

use super::{Form, Removed};
use crate::batch::{Action, Outcome, Render, Row};
use crate::cli::streams::{paint, printable};
use crate::credential::Resource;
use crate::request::{Rejection, place};

pub(super) struct Text {
    pub(super) color: bool,
}

impl Render for Text {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        let line = match &row.outcome {
            Outcome::Issued(resource) => issued_line(row, resource, self.color),
            Outcome::WouldIssue { replay: false } => {
                format!("{} {}", paint("would issue", "32", self.color), name(row, row.line))
            }
            Outcome::WouldIssue { replay: true } => {
                format!("{} {}", paint("would replay", "32", self.color), name(row, row.line))
            }
            Outcome::Planned => planned_line(row),
            Outcome::Rejected(rejection) => failure_line(row, rejection, self.color),
        };
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
}

impl Form for Text {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn removed(&self, removed: &Removed<'_>, out: &mut Vec<u8>) {
        let line = format!("{}  {}\n", paint(Action::REVOKED, "31", self.color), removed.credential.id);
        out.extend_from_slice(line.as_bytes());
    }

    fn is_text(&self) -> bool {
        true
    }
}

/// What a plan has for an item.
fn planned_line(row: &Row<'_>) -> String {
    let verb = match row.done.map(|done| done.action) {
        Some(Action::Issued) | None => "would issue",
        Some(Action::Replaced) => "would replace",
        Some(Action::Renewed) => "would renew",
        Some(Action::Unchanged) => "unchanged",
    };
    let former =
        row.done.and_then(|done| done.former).map(|former| format!("  {former}")).unwrap_or_default();
    format!("{verb}  {}{former}", name(row, row.line))
}

/// Fits into 80 columns where the correlation id is short: the id is written without its
/// `urn:uuid:`, and there is no room for the line and the status list's index.
fn issued_line(row: &Row<'_>, resource: &Resource<'_>, color: bool) -> String {
    let grant = resource.grant;
    let expires_at = grant.expires_at.to_string();
    let until = expires_at.split('T').next().unwrap_or_default();
    let done = row.done.map_or("issued", |done| done.action.as_str());
    format!("{} {}  {}  until {until}", paint(done, "32", color), name(row, None), grant.id)
}

/// How many problems of an item are shown.
const PROBLEMS_SHOWN: usize = 20;

/// What failed: a line for the item, and below it one for each problem. An item that could not be read has the one
/// line, which says why.
pub(super) fn failure_line(row: &Row<'_>, rejection: &Rejection, color: bool) -> String {
    let code = rejection.code.as_str();
    let mut text = format!("{} {}  {code}", paint("failed", "31", color), name(row, row.line));
    if rejection.details.is_empty() {
        text.push_str(&format!(": {}", printable(&rejection.message)));
    }
    for detail in rejection.details.iter().take(PROBLEMS_SHOWN) {
        let place = place(None, detail.column.as_deref().map(printable).as_deref(), &detail.path);
        text.push_str(&format!("\n         {place}: {}", printable(&detail.message)));
    }
    if rejection.details.len() > PROBLEMS_SHOWN {
        text.push_str(&format!("\n         and {} more problems", rejection.details.len() - PROBLEMS_SHOWN));
    }
    text
}

/// How a person finds the item: its index, its line where that helps, its correlation id.
fn name(row: &Row<'_>, line: Option<u64>) -> String {
    let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let id = row.correlation_id.and_then(|json| serde_json::from_str::<String>(json).ok());
    let id = id.map(|id| format!("  {}", printable(&id))).unwrap_or_default();
    format!("{:>5}{line}{id}", row.index)
}
