//! `beltic revoke`, `beltic suspend`, `beltic reinstate`: one change of status, for one credential
//! or many.
//!
//! Credentials are changed in batches of 1,000, each in one transaction of the ledger. A result
//! leaves the process when its change is on the disk. One that cannot be changed fails on its own.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::path::Path;

use uuid::Uuid;

use super::super::args::{Common, RowFormat, StatusArgs};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::render::changes::{ChangeRow, ChangeRows, done};
use super::super::settings::Settings;
use super::super::streams::{self, grouped};
use super::{open_ledger, wants_text};
use crate::clock::system_now;
use crate::ledger::{BATCH_ITEMS, Change, Filter, Ledger, Order, Place, Refusal};
use crate::request::{ErrorCode, Lookup};
use crate::results::{Batches, Content, Results};
use crate::stop::Stop;

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 512;

pub(super) fn run(common: &Common, change: Change, args: &StatusArgs) -> Result<ExitStatus, Failure> {
    let reason = args.reason.as_deref().map(checked_reason).transpose()?;
    let settings = Settings::load(common)?;
    let mut ledger = open_ledger(&settings, &args.ledger, args.dry_run)?;
    let mut targets = Targets::of(args, &ledger)?;
    let order = Order { change, reason, at: system_now() };
    let format = args.output_format.unwrap_or(if wants_text() { RowFormat::Text } else { RowFormat::Ndjson });
    let rows = ChangeRows::new(format, change, args.dry_run, streams::color_on_stdout(common.color));
    let mut output = Output::to_stdout()?;
    let mut counts = Counts::default();
    let ended = loop {
        let batch = match targets.next_batch(&mut ledger) {
            Ok(batch) if batch.is_empty() => break Ok(()),
            Ok(batch) => batch,
            Err(failure) => break Err(failure),
        };
        let results = match carry_out(&mut ledger, order, batch, args.dry_run) {
            Ok(results) => results,
            Err(failure) => break Err(failure),
        };
        counts.note(&results);
        let (bytes, row_ends) = rows.render(&results);
        if let Err(error) = output.write(rows.head().as_bytes(), &bytes, &row_ends) {
            break Err(Failure::from(error).hint(
                "the changes that are counted are in the ledger; to see each, run the same command again",
            ));
        }
    };
    let ended = ended.and(output.finish(b"").map_err(Failure::from));
    counts.passed_over = targets.passed_over();
    if !common.quiet {
        counts.say(change, args.dry_run, ended.is_ok());
    }
    ended?;
    Ok(if counts.failed == 0 && counts.changed > 0 { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

/// A reason is told to everybody who gets the credential's resource, on one line.
fn checked_reason(reason: &str) -> Result<&str, Failure> {
    let length = reason.chars().count();
    let says_something = !reason.trim().is_empty();
    match says_something && length <= MAX_REASON_CHARS && !reason.chars().any(char::is_control) {
        true => Ok(reason),
        false => Err(Failure::usage(format!(
            "the reason must have 1 to {MAX_REASON_CHARS} characters on one line"
        ))),
    }
}

/// A credential that is to be changed, as it was named.
struct Target {
    index: u64,
    line: Option<u64>,
    correlation_id: Option<String>,
    /// Its id, or what is wrong with the row that should name it.
    id: Result<Uuid, String>,
}

/// Where the credentials to be changed are named.
enum Targets {
    Ids(std::vec::IntoIter<Target>),
    File { results: Batches, next_index: u64, skipped: u64 },
    Found { filter: Filter, after: Option<Place>, next_index: u64 },
}

impl Targets {
    fn of(args: &StatusArgs, ledger: &Ledger) -> Result<Targets, Failure> {
        if let Some(path) = &args.from {
            if path == Path::new("-") && io::stdin().is_terminal() {
                return Err(Failure::usage("there is nothing to read").hint("name a file, or pipe one in"));
            }
            let results = Results::open(path, &Stop::default())?.batches();
            return Ok(Targets::File { results, next_index: 0, skipped: 0 });
        }
        if !args.ids.is_empty() {
            let target = |(index, text): (usize, &String)| Target {
                index: index as u64,
                line: None,
                correlation_id: None,
                id: parse_id(text),
            };
            let targets: Vec<Target> = args.ids.iter().enumerate().map(target).collect();
            return Ok(Targets::Ids(targets.into_iter()));
        }
        let filter = Filter {
            run: args.run.clone(),
            subjects: hashes(ledger, Lookup::Subject, &args.subject),
            correlation_ids: hashes(ledger, Lookup::CorrelationId, &args.correlation_id),
            ..Filter::default()
        };
        Ok(Targets::Found { filter, after: None, next_index: 0 })
    }

    /// How many failed items of a results file were passed over.
    fn passed_over(&self) -> u64 {
        match self {
            Targets::File { skipped, .. } => *skipped,
            _ => 0,
        }
    }

    /// The next targets, at most a batch; none after the last.
    fn next_batch(&mut self, ledger: &mut Ledger) -> Result<Vec<Target>, Failure> {
        let limit = BATCH_ITEMS as usize;
        match self {
            Targets::Ids(targets) => Ok(targets.take(limit).collect()),
            Targets::File { results, next_index, skipped } => {
                let mut targets = Vec::new();
                // A batch of nothing but failed items is not the end.
                while targets.is_empty() {
                    let rows = results.next_batch()?;
                    if rows.is_empty() {
                        break;
                    }
                    for row in rows {
                        let id = match row.content {
                            Content::Failed => {
                                *skipped += 1;
                                continue;
                            }
                            Content::Unreadable(problem) => Err(problem),
                            Content::Credential { id: Some(id), .. } => parse_id(&id),
                            Content::Credential { token, .. } => id_of_token(&token.unwrap_or_default()),
                        };
                        let (line, correlation_id) = (row.line, row.correlation_id.map(Cow::into_owned));
                        targets.push(Target { index: *next_index, line, correlation_id, id });
                        *next_index += 1;
                    }
                }
                Ok(targets)
            }
            Targets::Found { filter, after, next_index } => {
                let found = ledger.credentials(filter, *after, limit)?;
                *after = found.last().map(|credential| credential.place).or(*after);
                let first = *next_index;
                *next_index += found.len() as u64;
                let targets = (first..).zip(found).map(|(index, credential)| Target {
                    index,
                    line: None,
                    correlation_id: None,
                    id: Ok(credential.id),
                });
                Ok(targets.collect())
            }
        }
    }
}

fn hashes(ledger: &Ledger, lookup: Lookup, texts: &[String]) -> Option<HashSet<[u8; 8]>> {
    let key = ledger.hash_key();
    (!texts.is_empty()).then(|| texts.iter().map(|text| lookup.hash(&key, text)).collect())
}

fn parse_id(text: &str) -> Result<Uuid, String> {
    super::parse_id(text)
        .ok_or_else(|| "expected the id of a credential, urn:uuid: and a version 7 UUID".to_owned())
}

/// The `jti` of a token. Nothing of the token is verified: the ledger knows what was issued.
fn id_of_token(token: &str) -> Result<Uuid, String> {
    let id = crate::token::unverified_id(token).ok_or("expected a token that names its credential")?;
    parse_id(&id)
}

/// Changes a batch, or says what would become of it.
fn carry_out(
    ledger: &mut Ledger,
    order: Order<'_>,
    batch: Vec<Target>,
    dry_run: bool,
) -> Result<Vec<ChangeRow>, Failure> {
    let ids: Vec<Uuid> = batch.iter().filter_map(|target| target.id.clone().ok()).collect();
    let answers = if dry_run { ledger.foresee_change(order, &ids)? } else { ledger.change(order, &ids)? };
    let mut answers = answers.into_iter();
    let row = |target: Target| {
        let (id, outcome) = match target.id {
            Err(problem) => (None, Err((ErrorCode::MalformedRequest, problem))),
            Ok(id) => match answers.next().expect("there is an answer for each id") {
                Ok(changed) => (Some(id), Ok(changed.standing)),
                Err(refusal) => (Some(id), Err((code_of(refusal), refusal.to_string()))),
            },
        };
        ChangeRow {
            index: target.index,
            line: target.line,
            correlation_id: target.correlation_id,
            id,
            outcome,
        }
    };
    Ok(batch.into_iter().map(row).collect())
}

fn code_of(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::Unknown => ErrorCode::CredentialNotFound,
        Refusal::Revoked | Refusal::Suspended | Refusal::NotSuspended => ErrorCode::StatusConflict,
    }
}

/// How it ended.
#[derive(Default)]
struct Counts {
    changed: u64,
    failed: u64,
    /// Rows of a results file that never were credentials.
    passed_over: u64,
}

impl Counts {
    fn note(&mut self, results: &[ChangeRow]) {
        let failed = results.iter().filter(|row| row.outcome.is_err()).count() as u64;
        self.failed += failed;
        self.changed += results.len() as u64 - failed;
    }

    /// The closing line, as that of `batch-issue`.
    fn say(&self, change: Change, dry_run: bool, complete: bool) {
        let passed_over = match self.passed_over {
            0 => String::new(),
            count => format!(", passed over {} that were never issued", grouped(count)),
        };
        let next = match (self.changed, self.failed, self.passed_over) {
            (0, 0, 0) if complete => ": no such credential was found",
            (1.., _, _) if !dry_run => "; `beltic publish` tells verifiers",
            _ => "",
        };
        let (changed, failed) = (grouped(self.changed), grouped(self.failed));
        streams::say(&format!("{} {changed}, failed {failed}{passed_over}{next}", done(change, dry_run)));
    }
}
