//! `ndjson` and `json`: the API's results, one a line, or in its envelope.

use super::Form;
use crate::batch::{Outcome, Render, Row};
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
}

impl Render for Envelope {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        if row.index > 0 {
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
        ..{ push_outcome(&row.outcome, out) },
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
        Outcome::Rejected(rejection) => {
            out.extend_from_slice(b",\"error\":");
            // A struct of strings always has a JSON form, and a Vec always takes it.
            let _ = serde_json::to_writer(&mut *out, rejection);
        }
    }
}
