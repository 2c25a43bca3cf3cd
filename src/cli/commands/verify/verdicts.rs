//! Verdicts as they are shown, and how many there are of each kind.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use clap::ValueEnum;

use super::said::Said;
use crate::cli::streams::{grouped, paint, printable};
use crate::clock::UnixTime;
use crate::json;
use crate::verify::{Reason, Refusal, Step, TokenFormat, Unchecked, Valid, Verdict};

/// The forms of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerdictFormat {
    /// One verdict a line, as JSON
    Ndjson,
    /// One short line a token, for people
    Text,
}

/// What a verdict is about, but for its index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'r> {
    pub(crate) line: Option<u64>,
    pub(crate) correlation_id: Option<&'r str>,
    /// The token, where there is one.
    pub(crate) token: Option<&'r str>,
}

/// Writes verdicts in one form. Where the index belongs is left open: it is known once all rows before are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VerdictForm {
    pub(crate) format: VerdictFormat,
    pub(crate) color: bool,
    /// Whether what is missing is to be explained.
    pub(crate) explains: bool,
}

impl VerdictForm {
    /// Writes a verdict, with the end of its line, and returns where [`VerdictForm::write_index`] belongs.
    pub(crate) fn write(self, about: About<'_>, verdict: &Verdict<'_>, out: &mut Vec<u8>) -> usize {
        let gap = match self.format {
            VerdictFormat::Ndjson => write_json(about, verdict, out),
            VerdictFormat::Text => self.write_text(about, verdict, out),
        };
        out.push(b'\n');
        gap
    }

    /// Writes a verdict's index.
    pub(crate) fn write_index(self, index: u64, out: &mut Vec<u8>) {
        // Writing to a Vec does not fail.
        let _ = match self.format {
            VerdictFormat::Ndjson => write!(out, "{index}"),
            VerdictFormat::Text => write!(out, "{index:>4}"),
        };
    }

    fn write_text(self, about: About<'_>, verdict: &Verdict<'_>, out: &mut Vec<u8>) -> usize {
        let (word, style, rest) = match verdict {
            Verdict::Valid(valid) => ("valid  ", "32", valid_in_words(valid)),
            Verdict::Invalid(refusal) => ("INVALID", "1;31", invalid_in_words(refusal, about.token)),
        };
        let id = about.correlation_id.map(|id| printable(id) + "  ").unwrap_or_default();
        let _ = write!(out, "{}  ", paint(word, style, self.color));
        let gap = out.len();
        let _ = write!(out, "  {id}{}", printable(&rest));
        gap
    }
}

fn valid_in_words(valid: &Valid<'_>) -> String {
    let id = valid.id.as_deref().map_or("no id", |id| id.strip_prefix("urn:uuid:").unwrap_or(id));
    let until = valid.expires_at.and_then(UnixTime::from_seconds).map(|time| time.to_string());
    let credential = std::str::from_utf8(valid.credential).unwrap_or_default();
    let mut said = Said::of_json(credential, valid.format == TokenFormat::SdJwtVc);
    said.issuer = said.issuer.or_else(|| valid.issuer.clone());
    // The earliest of all its ends.
    said.until = until.map(|until| until[..10].to_owned());
    let no_expiry = if said.until.is_none() { ", no expiry" } else { "" };
    format!("{id}  {}{no_expiry}", said.in_words())
}

/// Why a token is not valid. What it says of itself is only told where its signature is good and its issuer is known.
fn invalid_in_words(refusal: &Refusal, token: Option<&str>) -> String {
    let Refusal { reason, step, message } = refusal;
    let said = token.filter(|_| *step > Step::Issuer).and_then(Said::of_token).unwrap_or_default().in_words();
    let said = if said.is_empty() { said } else { format!(" ({said})") };
    format!("{}: {message}{said}", reason.as_str())
}

fn write_json(about: About<'_>, verdict: &Verdict<'_>, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(b"{\"index\":");
    let gap = out.len();
    if let Some(line) = about.line {
        let _ = write!(out, ",\"line\":{line}");
    }
    if let Some(id) = about.correlation_id {
        out.extend_from_slice(b",\"correlation_id\":");
        json::push_str(out, id);
    }
    match verdict {
        Verdict::Valid(valid) => write_valid(valid, out),
        Verdict::Invalid(refusal) => write_invalid(refusal, out),
    }
    gap
}

fn write_valid(valid: &Valid<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"valid\":true");
    let _ = write!(out, ",\"format\":\"{}\"", valid.format.as_str());
    if let Some(issuer) = &valid.issuer {
        out.extend_from_slice(b",\"issuer\":");
        json::push_str(out, issuer);
    }
    if valid.unchecked != Unchecked::default() {
        let names: Vec<String> = valid.unchecked.names().map(json::string).collect();
        let _ = write!(out, ",\"unchecked\":[{}]", names.join(","));
    }
    out.extend_from_slice(b",\"credential\":");
    out.extend_from_slice(valid.credential);
    out.push(b'}');
}

fn write_invalid(refusal: &Refusal, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"valid\":false");
    let Refusal { reason, step, message } = refusal;
    let _ = write!(out, ",\"reason\":\"{}\",\"step\":\"{}\",\"message\":", reason.as_str(), step.as_str());
    json::push_str(out, message);
    out.push(b'}');
}

/// A row that holds no token.
pub(crate) fn no_token(problem: &str) -> Refusal {
    Refusal::new(Reason::Malformed, Step::Split, format!("no token: {problem}"))
}

/// How many verdicts there are of each kind.
#[derive(Debug, Default)]
pub(crate) struct VerdictCounts {
    pub(crate) valid: u64,
    pub(crate) invalid: BTreeMap<Reason, u64>,
    /// Failed items, which have no credential.
    pub(crate) skipped: u64,
    issuer_unchecked: u64,
    holder_unchecked: u64,
    status_unchecked: u64,
}

impl VerdictCounts {
    pub(crate) fn note(&mut self, verdict: &Verdict<'_>) {
        match verdict {
            Verdict::Valid(valid) => {
                self.valid += 1;
                self.issuer_unchecked += u64::from(valid.unchecked.issuer);
                self.holder_unchecked += u64::from(valid.unchecked.holder);
                self.status_unchecked += u64::from(valid.unchecked.status);
            }
            Verdict::Invalid(refusal) => *self.invalid.entry(refusal.reason).or_default() += 1,
        }
    }

    pub(crate) fn add(&mut self, other: VerdictCounts) {
        self.valid += other.valid;
        self.skipped += other.skipped;
        self.issuer_unchecked += other.issuer_unchecked;
        self.holder_unchecked += other.holder_unchecked;
        self.status_unchecked += other.status_unchecked;
        for (reason, count) in other.invalid {
            *self.invalid.entry(reason).or_default() += count;
        }
    }

    /// How many tokens are not valid.
    pub(crate) fn not_valid(&self) -> u64 {
        self.invalid.values().sum()
    }

    /// The lines at the end: counts, and what was left out.
    pub(crate) fn closing_lines(&self, elapsed: Duration) -> Vec<String> {
        let (seconds, tokens) = (elapsed.as_secs_f64(), self.valid + self.not_valid());
        let rate = grouped((tokens as f64 / seconds.max(1e-6)) as u64);
        let noun = if tokens == 1 { "token" } else { "tokens" };
        let skipped = match self.skipped {
            0 => String::new(),
            count => format!(", {} skipped (no credential)", grouped(count)),
        };
        let (valid, not_valid) = (grouped(self.valid), grouped(self.not_valid()));
        let tokens = grouped(tokens);
        let mut lines = vec![format!(
            "{valid} valid, {not_valid} invalid{skipped} ({tokens} {noun} in {seconds:.2} s, {rate}/s)"
        )];
        if !self.invalid.is_empty() {
            let reasons = self.invalid.iter();
            let reasons = reasons.map(|(reason, count)| format!("{} {}", reason.as_str(), grouped(*count)));
            lines.push(format!("  {}", reasons.collect::<Vec<_>>().join(", ")));
        }
        if self.skipped > 0 && self.valid + self.not_valid() == 0 {
            lines.push("warning: nothing was verified; all results are failed items".to_owned());
        }
        if self.issuer_unchecked > 0 {
            let count = grouped(self.issuer_unchecked);
            lines.push(format!(
                "warning: the issuer was not checked for {count} of the valid credentials; name it with `--issuer`"
            ));
        }
        if self.holder_unchecked > 0 {
            let count = grouped(self.holder_unchecked);
            lines.push(format!(
                "note: the holder was not checked for {count} of the valid credentials (`--key-binding required`)"
            ));
        }
        if self.status_unchecked > 0 {
            let count = grouped(self.status_unchecked);
            let noun = if self.status_unchecked == 1 { "credential" } else { "credentials" };
            lines.push(format!("warning: revocation was not checked for {count} {noun} (--no-status)"));
        }
        lines
    }
}
