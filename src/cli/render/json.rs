//! `ndjson` and `json`: the API's results, one a line, or in its envelope.

use super::{Form, Removed};
use crate::batch::{Action, Done, Outcome, Render, Row};
use crate::json::object;

/// `ndjson`: one result a line.
pub(super) struct Lines;

/// `json`: `{"results":[…],"success_count":n,"failure_count":n}`, one result a line.
pub(super) struct Envelope;

impl Render for Lines {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        write_row(row, out);
        out.push(b'\n');
    }
}

impl Form for Lines {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn removed(&self, removed: &Removed<'_>, out: &mut Vec<u8>) {
        write_removed(removed, out);
        out.push(b'\n');
    }
}

impl Render for Envelope {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        if !row.is_first {
            out.push(b',');
        }
        out.push(b'\n');
        write_row(row, out);
    }
}

impl Form for Envelope {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn removed(&self, removed: &Removed<'_>, out: &mut Vec<u8>) {
        if !removed.is_first {
            out.push(b',');
        }
        out.push(b'\n');
        write_removed(removed, out);
    }

    fn head(&self) -> Vec<u8> {
        br#"{"results":["#.to_vec()
    }

    fn tail(&self, issued: u64, failed: u64) -> Vec<u8> {
        format!("\n],\"success_count\":{issued},\"failure_count\":{failed}}}\n").into_bytes()
    }
}

fn write_row(row: &Row<'_>, out: &mut Vec<u8>) {
    let is_rejected = matches!(row.outcome, Outcome::Rejected(_));
    object!(out, {
        "index": number row.index,
        "line"?: number row.line.filter(|_| is_rejected),
        "correlation_id"?: raw row.correlation_id,
        ..{ push_done(row.done, out) },
        ..{ push_outcome(&row.outcome, out) },
    });
}

/// What was done, in a run that keeps a register up to date.
fn push_done(done: Option<Done>, out: &mut Vec<u8>) {
    let Some(Done { action, former }) = done else { return };
    for piece in [",\"action\":\"", action.as_str(), "\""] {
        out.extend_from_slice(piece.as_bytes());
    }
    if let Some(former) = former {
        out.extend_from_slice(format!(",\"former\":\"{}\"", former.urn()).as_bytes());
    }
}

fn write_removed(removed: &Removed<'_>, out: &mut Vec<u8>) {
    object!(out, {
        "action": plain Action::REVOKED,
        "id": plain removed.credential.id.urn().to_string(),
        "revoked_at"?: plain removed.revoked_at().map(|since| since.rfc3339()),
        "revocation_reason"?: text removed.reason(),
    });
}

fn push_outcome(outcome: &Outcome<'_>, out: &mut Vec<u8>) {
    match outcome {
        Outcome::Issued(resource) => {
            out.extend_from_slice(b",\"credential\":");
            resource.write_json(out);
        }
        Outcome::WouldIssue { replay } => {
            out.extend_from_slice(b",\"dry_run\":");
            out.extend_from_slice(if *replay { b"\"would_replay\"" } else { b"\"would_issue\"" });
        }
        Outcome::Planned => {}
        Outcome::Rejected(rejection) => {
            out.extend_from_slice(b",\"error\":");
            // A struct of strings always has a JSON form, and a Vec always takes it.
            let _ = serde_json::to_writer(&mut *out, rejection);
        }
    }
}
