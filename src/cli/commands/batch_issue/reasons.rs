//! Why items failed, counted: for the end of the run, `--summary` and `--report`.
//!
//! A reason is a code at a field. Positions in lists are no part of the field, so that a fault of each owner's name is one
//! reason. An item counts once for each of its reasons. Memory has a bound: of more reasons than [`MAX_REASONS`], the
//! later ones are counted together.

use std::collections::HashMap;

use serde::Serialize;

use crate::batch::FailedItem;
use crate::cli::streams::{grouped, printable};
use crate::request::Detail;

/// How many reasons are told apart.
const MAX_REASONS: usize = 1_000;
/// How many are shown at the end.
const SHOWN: usize = 10;
/// The longest field that is kept, in characters. Names in it may be the user's own.
const MAX_FIELD: usize = 200;

/// A reason, and how many items failed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    /// The place in the item as a JSON Pointer, with `*` for positions in lists; none where it is the whole item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The column of a CSV file that feeds it, with `*` for the numbers in which several differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    pub(crate) count: u64,
    /// The first item that failed for it.
    pub(crate) example: Example,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Example {
    pub(crate) index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
}

/// The reasons of a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reasons {
    found: Vec<Reason>,
    places: HashMap<(&'static str, Option<String>), usize>,
    /// Items that failed for a reason beyond the bound.
    beyond: u64,
}

impl Reasons {
    /// Counts an item's reasons.
    pub(crate) fn add(&mut self, item: &FailedItem) {
        let example = Example { index: item.index, line: item.line };
        let details = &item.rejection.details;
        if details.is_empty() {
            self.count(item.rejection.code.as_str(), None, None, example, &mut Vec::new());
        }
        let mut counted = Vec::new();
        for Detail { path, column, code, .. } in details {
            let path = (!path.is_empty()).then(|| general_path(path));
            self.count(code.as_str(), path, column.as_deref(), example, &mut counted);
        }
    }

    /// Counts one reason of an item whose other reasons, `counted`, are counted.
    fn count(
        &mut self,
        code: &'static str,
        path: Option<String>,
        column: Option<&str>,
        example: Example,
        counted: &mut Vec<usize>,
    ) {
        let key = (code, path);
        let column = column.map(clipped);
        let at = match self.places.get(&key) {
            Some(at) => *at,
            None if self.found.len() == MAX_REASONS => {
                // Once an item, like any reason.
                if !counted.contains(&MAX_REASONS) {
                    counted.push(MAX_REASONS);
                    self.beyond += 1;
                }
                return;
            }
            None => {
                let path = key.1.clone();
                self.found.push(Reason { code, path, column: column.clone(), count: 0, example });
                self.places.insert(key, self.found.len() - 1);
                self.found.len() - 1
            }
        };
        let reason = &mut self.found[at];
        if reason.column != column {
            let known = reason.column.take().map(|column| general_column(&column));
            reason.column =
                known.filter(|known| column.is_some_and(|column| general_column(&column) == *known));
        }
        if !counted.contains(&at) {
            counted.push(at);
            reason.count += 1;
        }
    }

    /// The reasons, the most frequent first.
    pub(crate) fn ranked(&self) -> Vec<&Reason> {
        let mut ranked: Vec<&Reason> = self.found.iter().collect();
        ranked.sort_by_key(|reason| std::cmp::Reverse(reason.count)); // stable: of equals, the first found first
        ranked
    }

    /// How many items have a reason that is not told apart.
    pub(crate) fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The end of the run for people, a line each; none where nothing failed.
    pub(crate) fn lines(&self) -> Vec<String> {
        let ranked = self.ranked();
        let shown = ranked.iter().take(SHOWN);
        let width = ranked.first().map_or(0, |most| grouped(most.count).len());
        let mut lines: Vec<String> = shown
            .map(|reason| {
                let line = reason.example.line;
                let place = match line {
                    Some(line) => format!("line {line}"),
                    None => format!("item {}", reason.example.index),
                };
                format!(
                    "  {:>width$}  {} at {}, for example {place}",
                    grouped(reason.count),
                    reason.code,
                    reason.place()
                )
            })
            .collect();
        match (ranked.len().saturating_sub(SHOWN), self.beyond) {
            (0, 0) => {}
            (1, 0) => lines.push("  and 1 more reason".to_owned()),
            (more, 0) => lines.push(format!("  and {} more reasons", grouped(more as u64))),
            (more, _) => lines.push(format!("  and more than {} more reasons", grouped(more as u64))),
        }
        lines
    }
}

impl Reason {
    /// The field for people: the column first, which they know.
    pub(crate) fn place(&self) -> String {
        match (&self.column, &self.path) {
            (Some(column), Some(path)) => format!("column '{}' ({})", printable(column), printable(path)),
            (_, Some(path)) => printable(path),
            (_, None) => "the item".to_owned(),
        }
    }
}

/// A path without positions in lists.
fn general_path(path: &str) -> String {
    let is_position = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = path.split('/').map(|part| if is_position(part) { "*" } else { part }).collect();
    clipped(&parts.join("/"))
}

/// A column with `*` for each number in it.
fn general_column(column: &str) -> String {
    let mut general = String::new();
    for character in column.chars() {
        match character.is_ascii_digit() || character == '*' {
            true if general.ends_with('*') => {}
            true => general.push('*'),
            false => general.push(character),
        }
    }
    general
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_FIELD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{DetailCode, Rejection};

    fn failed(index: u64, details: &[(&str, Option<&str>)]) -> FailedItem {
        let details = details.iter().map(|(path, column)| Detail {
            path: (*path).to_owned(),
            column: column.map(ToOwned::to_owned),
            code: DetailCode::Missing,
            message: "m".to_owned(),
        });
        let rejection = Rejection::of_details(details.collect());
        FailedItem { index, line: Some(index + 2), correlation_id: None, rejection }
    }

    #[test]
    fn positions_in_lists_make_no_reasons_of_their_own() {
        let mut reasons = Reasons::default();
        reasons.add(&failed(0, &[("/a/0/b", Some("a1_b")), ("/a/1/b", Some("a2_b"))]));
        reasons.add(&failed(1, &[("/a/7/b", Some("a8_b")), ("/c", None)]));
        let found: Vec<_> = reasons.ranked().iter().map(|r| (r.place(), r.count, r.example.index)).collect();
        assert_eq!(found, [("column 'a*_b' (/a/*/b)".to_owned(), 2, 0), ("/c".to_owned(), 1, 1)]);
    }

    #[test]
    fn there_is_a_bound_whatever_the_input() {
        let mut reasons = Reasons::default();
        for index in 0..5_000 {
            let long = format!("/{}x{}", index, "y".repeat(1_000));
            reasons.add(&failed(index, &[(&long, Some(&long))]));
        }
        assert_eq!((reasons.ranked().len(), reasons.beyond()), (MAX_REASONS, 4_000));
        assert!(reasons.ranked().iter().all(|reason| reason.place().len() < 3 * MAX_FIELD));
        assert_eq!(reasons.lines().len(), SHOWN + 1);
        assert_eq!(reasons.lines()[SHOWN], "  and more than 990 more reasons");
    }
}
