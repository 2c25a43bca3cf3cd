//! `jwt`: the tokens and nothing else, one a line. Failed items have no place in it and are told
//! on standard error.

use super::text::failure_line;
use super::{Form, Removed};
use crate::batch::{Outcome, Render, Row};

pub(super) struct TokenLines;

impl Render for TokenLines {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, notes: &mut Vec<String>) {
        match &row.outcome {
            Outcome::Issued(resource) => {
                out.extend_from_slice(resource.token);
                out.push(b'\n');
            }
            Outcome::WouldIssue { .. } | Outcome::Planned => {} // nothing was issued
            Outcome::Rejected(rejection) => notes.push(failure_line(row, rejection, false)),
        }
    }
}

impl Form for TokenLines {
    fn as_render(&self) -> &dyn Render {
        self
    }

    fn removed(&self, _: &Removed<'_>, _: &mut Vec<u8>) {} // there is no token to write
}
