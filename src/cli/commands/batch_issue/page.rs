//! `--report`: the run as a page that a person can read, print and file.
//!
//! The page has no script and fetches nothing, and its own policy forbids both. Whatever comes from outside is escaped,
//! and characters that nobody would see are spelled out. Messages quote no personal fields. Memory has a bound: of the
//! problems, the first [`MAX_ROWS`] are listed.

use std::fmt::Write;

use super::reasons::Reasons;
use super::report::Summary;
use crate::batch::FailedItem;
use crate::cli::exit::ExitStatus;
use crate::cli::streams::{grouped, printable};
use crate::html;
use crate::request::place;

/// How many problems are listed.
const MAX_ROWS: usize = 2_000;
/// How many reasons have a bar.
const MAX_BARS: usize = 100;
/// The longest text of a cell, in characters.
const MAX_CELL: usize = 400;

/// The problems for the table.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    rows: Vec<Problem>,
    all: u64,
}

#[derive(Debug)]
struct Problem {
    index: u64,
    line: Option<u64>,
    correlation_id: Option<String>,
    code: &'static str,
    place: String,
    message: String,
}

impl Problems {
    /// Adds the problems of an item.
    pub(crate) fn add(&mut self, item: &FailedItem) {
        let whole = (item.rejection.code.as_str(), String::new(), &item.rejection.message);
        let whole = item.rejection.details.is_empty().then_some(whole);
        let details = item.rejection.details.iter();
        let details = details.map(|detail| {
            let column = detail.column.as_deref().map(printable);
            (detail.code.as_str(), place(None, column.as_deref(), &detail.path), &detail.message)
        });
        for (code, place, message) in whole.into_iter().chain(details) {
            self.all += 1;
            if self.rows.len() < MAX_ROWS {
                self.rows.push(Problem {
                    index: item.index,
                    line: item.line,
                    correlation_id: item.correlation_id.as_deref().map(clipped),
                    code,
                    place: clipped(&place),
                    message: clipped(message),
                });
            }
        }
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text as it stands in the page, between tags or in quotes.
fn escaped(text: &str) -> String {
    html::escaped(&printable(text))
}

/// The same, for a path: it may go on in the next line behind a slash or an underscore.
fn breakable(text: &str) -> String {
    escaped(text).replace('/', "/<wbr>").replace('_', "_<wbr>")
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report of a beltic run</title>
<style>
:root { color-scheme: light dark; --bar: light-dark(#b3452c, #f08a70); --line: light-dark(#d5d5d5, #4a4a4a); --dim: light-dark(#595959, #b0b0b0); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem; background: Canvas; color: CanvasText; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem; min-width: 6rem; }
.counts b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9em; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead { display: table-header-group; } th { overflow-wrap: normal; } .bars td { vertical-align: middle; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
.code { white-space: nowrap; overflow-wrap: normal; }
.bar { height: .8rem; min-width: 2px; background: var(--bar); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.track { width: 30%; } .note { color: var(--dim); }
.wide { overflow-x: auto; }
@media (max-width: 40rem) { body { padding: 1rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } .track { display: none; } .items thead { display: none; } .items tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); } .items td { display: block; border: 0; padding: .1rem 0; text-align: left; } .items td:empty { display: none; } .items td[data-of]::before { content: attr(data-of) " "; color: var(--dim); } }
@page { size: A4; margin: 15mm; }
@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 10pt; } .wide { overflow: visible; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
</style>
</head>
<body>
"#;

/// The page.
pub(crate) fn page(summary: &Summary<'_>, reasons: &Reasons, problems: &Problems) -> Vec<u8> {
    let mut out = HEAD.to_owned();
    // Writing to a String does not fail.
    let _ = write_page(&mut out, summary, reasons, problems);
    out.into_bytes()
}

fn write_page(
    out: &mut String,
    summary: &Summary<'_>,
    reasons: &Reasons,
    problems: &Problems,
) -> std::fmt::Result {
    writeln!(out, "<h1>Report of a beltic run</h1>\n<ul class=\"counts\">")?;
    let issued_now = summary.success_count - summary.replayed_count;
    for (count, what) in [
        (issued_now, "issued"),
        (summary.replayed_count, "already issued"),
        (summary.failure_count, "failed"),
        (summary.warning_count, if summary.warning_count == 1 { "warning" } else { "warnings" }),
    ] {
        writeln!(out, "<li><b>{}</b>{what}</li>", grouped(count))?;
    }
    writeln!(out, "</ul>\n<h2>The run</h2>\n<dl>")?;
    let inputs: Vec<String> = summary
        .inputs
        .iter()
        .map(|input| format!("{} ({} bytes)", input.path.to_string_lossy(), grouped(input.bytes)))
        .collect();
    for (name, value) in [
        ("Run", summary.run_id),
        ("Started", &summary.started_at),
        ("Finished", &summary.finished_at),
        ("Issuer", summary.issuer_did),
        ("Key", summary.kid),
        ("Input", &inputs.join(", ")),
        ("Exit code", &exit_code_in_words(summary.exit_code)),
        ("beltic", summary.beltic_version),
    ] {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value))?;
    }
    writeln!(out, "</dl>")?;
    if summary.failure_count == 0 {
        writeln!(out, "<p>No item failed.</p>")?;
    } else {
        write_reasons(out, reasons)?;
        write_problems(out, problems)?;
    }
    writeln!(out, "</body>\n</html>")
}

/// `3 (some items failed, …)`.
fn exit_code_in_words(code: u8) -> String {
    let known = ExitStatus::ALL.iter().find(|(status, ..)| status.code() == code);
    known.map_or_else(|| code.to_string(), |(_, meaning, _)| format!("{code} ({meaning})"))
}

fn write_reasons(out: &mut String, reasons: &Reasons) -> std::fmt::Result {
    let ranked = reasons.ranked();
    let most = ranked.first().map_or(1, |reason| reason.count.max(1));
    writeln!(out, "<h2>Reasons by field</h2>\n<div class=\"wide\"><table class=\"bars\">")?;
    writeln!(
        out,
        "<thead><tr><th class=\"n\">Items</th><th class=\"track\"></th><th>Code</th><th>Field</th></tr></thead>\n<tbody>"
    )?;
    for reason in ranked.iter().take(MAX_BARS) {
        let width = reason.count as f64 * 100.0 / most as f64;
        writeln!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"track\"><div class=\"bar\" style=\"width:{width:.1}%\"></div></td>\
             <td class=\"code\">{}</td><td>{}</td></tr>",
            grouped(reason.count),
            reason.code,
            breakable(&reason.place())
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    let more = ranked.len().saturating_sub(MAX_BARS) as u64;
    if more > 0 || reasons.beyond() > 0 {
        writeln!(out, "<p class=\"note\">The most frequent reasons are shown; there are others.</p>")?;
    }
    writeln!(out, "<p class=\"note\">An item can fail for several reasons, and counts once for each.</p>")
}

fn write_problems(out: &mut String, problems: &Problems) -> std::fmt::Result {
    writeln!(out, "<h2>Failed items</h2>")?;
    let shown = problems.rows.len() as u64;
    if problems.all > shown {
        let (shown, all) = (grouped(shown), grouped(problems.all));
        writeln!(out, "<p class=\"note\">The first {shown} of {all} problems are listed.</p>")?;
    }
    writeln!(
        out,
        "<div class=\"wide\"><table class=\"items\">\n<thead><tr><th class=\"n\">Item</th><th class=\"n\">Line</th><th>Correlation ID</th>\
         <th>Code</th><th>Field</th><th>Problem</th></tr></thead>\n<tbody>"
    )?;
    let mut before = None;
    for row in &problems.rows {
        // Which item it is stands beside the first of its problems alone.
        let is_first = before.replace(row.index) != Some(row.index);
        let (item, line) = match is_first {
            true => (row.index.to_string(), row.line.map(|line| line.to_string()).unwrap_or_default()),
            false => Default::default(),
        };
        let id = row.correlation_id.as_deref().filter(|_| is_first).map(escaped).unwrap_or_default();
        writeln!(
            out,
            "<tr><td class=\"n\" data-of=\"Item\">{item}</td><td class=\"n\" data-of=\"Line\">{line}</td><td>{id}</td>\
             <td class=\"code\">{}</td><td>{}</td><td>{}</td></tr>",
            row.code,
            breakable(&row.place),
            escaped(&row.message)
        )?;
    }
    writeln!(out, "</tbody></table></div>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Rejection;

    #[test]
    fn nothing_from_outside_is_markup_or_hidden() {
        assert_eq!(escaped("<script>\"'&\u{202e}\0"), "&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\u{0}");
    }

    #[test]
    fn the_table_has_a_bound() {
        let mut problems = Problems::default();
        for index in 0..MAX_ROWS as u64 + 5 {
            let rejection = Rejection::malformed("é".repeat(10_000));
            let correlation_id = Some("x".repeat(512));
            problems.add(&FailedItem { index, line: None, correlation_id, rejection });
        }
        assert_eq!((problems.rows.len(), problems.all), (MAX_ROWS, MAX_ROWS as u64 + 5));
        assert_eq!(problems.rows[0].message.chars().count(), MAX_CELL + 1);
    }
}
