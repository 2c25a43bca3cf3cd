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
use crate::json::Parser;
use crate::pipeline;
use crate::request::rules::CalendarDuration;
use crate::results::{Numbering, RawRows, ResultRow, Results};
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
    let mut order = Order::default();
    let ended = pipeline::run(
        settings::jobs_or_cores(args.jobs),
        || Station { parser: Parser::for_tokens(), verifier: Verifier::new(&ring, &policy, &lists), form },
        || inputs.next(),
        |rows| order.number(rows),
        |judged: Judged| {
            output.write(b"", &judged.bytes, &judged.ends)?;
            counts.add(judged.counts);
            Ok(())
        },
    );
    let ended = ended.and_then(|()| order.end());
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

/// The inputs, one after the other.
struct Inputs {
    pending: std::vec::IntoIter<Given>,
    current: Option<Results>,
}

/// Rows of one input, of which nothing is known yet or all.
struct Rows<R> {
    /// What numbers the rows of this input, with its first ones.
    first_of: Option<Numbering>,
    rows: R,
}

impl Inputs {
    fn open(names: &[String]) -> Result<Inputs, Failure> {
        let mut pending = names.iter().map(|name| Given::named(name)).collect::<Result<Vec<_>, _>>()?;
        if pending.is_empty() {
            pending.push(Given::piped()?);
        }
        Ok(Inputs { pending: pending.into_iter(), current: None })
    }

    /// The next rows; none after the last.
    fn next(&mut self) -> Result<Option<Rows<RawRows>>, Failure> {
        let mut first_of = None;
        loop {
            if let Some(current) = &mut self.current
                && let Some(rows) = current.next_raw()?
            {
                return Ok(Some(Rows { first_of, rows }));
            }
            let Some(next) = self.pending.next() else { return Ok(None) };
            first_of = Some(self.current.insert(next.open()?).numbering());
        }
    }
}

/// The order of the rows: indices count on from one input to the next.
#[derive(Default)]
struct Order {
    current: Option<Numbering>,
    next_index: u64,
}

impl Order {
    fn number(&mut self, read: Rows<Vec<ResultRow>>) -> Result<Vec<ResultRow>, Failure> {
        if let Some(first_of) = read.first_of {
            self.end()?;
            self.current = Some(first_of);
        }
        let mut rows = read.rows;
        if let Some(current) = &mut self.current {
            self.next_index = current.number(&mut rows, self.next_index);
        }
        Ok(rows)
    }

    /// What was read of an input must have held a row.
    fn end(&self) -> Result<(), Failure> {
        self.current.as_ref().map_or(Ok(()), |current| Ok(current.end()?))
    }
}

/// A worker: reads rows, verifies them, and writes their verdicts.
struct Station<'v> {
    parser: Parser,
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
    type Raw = Rows<RawRows>;
    type Checked = Rows<Vec<ResultRow>>;
    type Committed = Vec<ResultRow>;
    type Finished = Judged;

    fn check(&mut self, raw: Rows<RawRows>) -> Rows<Vec<ResultRow>> {
        Rows { first_of: raw.first_of, rows: raw.rows.read(&mut self.parser) }
    }

    fn finish(&mut self, rows: Vec<ResultRow>) -> Judged {
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
}
