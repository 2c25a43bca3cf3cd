//! `beltic verify`: resolve, verify, report.

use std::time::Instant;

use super::super::args::{Common, VerdictFormat, VerifyArgs};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::given::{self, Given};
use super::super::output::Output;
use super::super::settings;
use super::super::streams;
use super::super::trust;
use super::super::verdicts::{Counts, Form, Place, no_token};
use crate::pipeline;
use crate::request::rules::CalendarDuration;
use crate::results::{ResultRow, Results};
use crate::verify::{Policy, Verifier};

pub(super) fn run(common: &Common, args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    let policy = policy(args)?;
    let ring = trust::keys(args, common.quiet)?;
    let lists = trust::lists(args, &ring, &policy, common.quiet)?;
    let mut inputs = Inputs::open(&args.inputs)?;
    let default = if super::wants_text() { VerdictFormat::Text } else { VerdictFormat::Ndjson };
    let form = Form { format: args.output.unwrap_or(default), color: streams::color_on_stdout(common.color) };
    let mut output = Output::to_stdout()?;
    let mut counts = Counts::default();
    let ended = pipeline::run(
        settings::jobs_or_cores(args.jobs),
        || Station { verifier: Verifier::new(&ring, &policy, &lists), form },
        || inputs.next(),
        Ok,
        |judged: Judged| {
            output.write(b"", &judged.bytes, &judged.ends)?;
            counts.add(judged.counts);
            Ok(())
        },
    );
    let finished = output.finish(b"").map_err(Failure::from);
    if !common.quiet {
        counts.closing_lines(started.elapsed()).iter().for_each(|line| streams::say(line));
    }
    ended.and(finished)?;
    match counts.not_valid() {
        0 => Ok(ExitStatus::Done),
        _ => Ok(ExitStatus::SomeFailed),
    }
}

fn policy(args: &VerifyArgs) -> Result<Policy, Failure> {
    let max_ttl = args.max_ttl.as_deref().map(|text| {
        CalendarDuration::parse(text)
            .map_err(|problem| Failure::usage(format!("--max-ttl is \"{text}\"; {problem}")))
    });
    Ok(Policy {
        now: settings::clock_of("--at", args.at.as_deref())?.now(),
        leeway: args.leeway,
        issuer: args.issuer.clone(),
        vct: args.vct.clone(),
        audience: args.audience.clone(),
        max_ttl: max_ttl.transpose()?,
        legacy_vc: args.legacy_vc,
        status: !args.no_status,
    })
}

/// The inputs, one after the other. Indices count on from one to the next.
struct Inputs {
    pending: std::vec::IntoIter<Given>,
    current: Option<Results>,
    next_index: u64,
}

impl Inputs {
    fn open(names: &[String]) -> Result<Inputs, Failure> {
        let mut pending = names.iter().map(|name| Given::named(name)).collect::<Result<Vec<_>, _>>()?;
        if pending.is_empty() {
            pending.push(Given::piped()?);
        }
        Ok(Inputs { pending: pending.into_iter(), current: None, next_index: 0 })
    }

    /// The next rows; none after the last.
    fn next(&mut self) -> Result<Option<Vec<ResultRow>>, Failure> {
        loop {
            if let Some(current) = &mut self.current {
                let mut rows = current.next_batch()?;
                if !rows.is_empty() {
                    for row in &mut rows {
                        row.index = self.next_index;
                        self.next_index += 1;
                    }
                    return Ok(Some(rows));
                }
            }
            let Some(next) = self.pending.next() else { return Ok(None) };
            self.current = Some(next.open()?);
        }
    }
}

/// A worker: verifies rows and writes their verdicts.
struct Station<'v> {
    verifier: Verifier<'v>,
    form: Form,
}

/// The verdicts of a batch of rows.
struct Judged {
    bytes: Vec<u8>,
    ends: Vec<(u64, usize)>,
    counts: Counts,
}

impl pipeline::Worker for Station<'_> {
    type Raw = Vec<ResultRow>;
    type Checked = Judged;
    type Committed = Judged;
    type Finished = Judged;

    fn check(&mut self, rows: Vec<ResultRow>) -> Judged {
        let mut judged =
            Judged { bytes: Vec::new(), ends: Vec::with_capacity(rows.len()), counts: Counts::default() };
        for row in rows {
            let ResultRow { index, line, correlation_id, content } = row;
            let Some(token) = given::token_of(content) else {
                judged.counts.skipped += 1;
                continue;
            };
            let verdict = match &token {
                Ok(token) => self.verifier.verify(token),
                Err(problem) => no_token(problem),
            };
            judged.counts.note(&verdict);
            self.form.write(&Place { index, line, correlation_id }, &verdict, &mut judged.bytes);
            judged.ends.push((index, judged.bytes.len()));
        }
        judged
    }

    fn finish(&mut self, judged: Judged) -> Judged {
        judged
    }
}
