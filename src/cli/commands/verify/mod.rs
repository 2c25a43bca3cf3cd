//! `beltic verify`: resolve, verify, report.

mod args;
mod authorization;
mod explain;
mod said;
mod trust;
mod verdicts;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(super) use self::args::VerifyArgs;
use self::args::{Engine, KeyBindingPolicy};
use self::explain::Missing;
use self::verdicts::{About, VerdictCounts, VerdictForm, VerdictFormat, no_token};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Given};
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::Common;
use crate::cli::streams;
use crate::json::Parser;
use crate::pipeline;
use crate::request::rules::CalendarDuration;
use crate::results::{self, RawRows, ResultRow, Results};
use crate::verify::{KeyBinding, Policy, Presented, Refusal, Verdict, Verifier};

/// The files that are read, as far as the arguments name files and not tokens.
fn kept(args: &VerifyArgs) -> Kept {
    let inputs = args.inputs.iter().map(Path::new);
    let trusted = [&args.jwks, &args.did, &args.key, &args.trust_anchor, &args.status_list, &args.chain]
        .into_iter()
        .flatten();
    Kept::files(inputs.chain(trusted.map(PathBuf::as_path)))
}

pub(super) fn run(common: &Common, args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    if !args.names_keys() {
        return explain_without_keys(args);
    }
    let started = Instant::now();
    let settings = Settings::load(common)?;
    let mut policy = policy(args, &settings)?;
    let ring = trust::keys(args, common.quiet)?;
    let lists = trust::lists(args, &ring, &policy, common.quiet)?;
    policy.delegators = authorization::delegators(args, &ring, &policy, &lists)?;
    let batch_ring = match args.engine {
        Engine::AwsLc => None,
        Engine::Batch => Some(ring.for_batches()),
        Engine::Portable => Some(ring.for_batches().portable()),
    };
    let mut inputs = Inputs::open(&args.inputs)?;
    let format = output::form(args.output_format, &args.output, VerdictFormat::Text, VerdictFormat::Ndjson)?;
    let color = output::takes_color(&args.output, common.color);
    let form = VerdictForm { format, color, explains: args.explain };
    let mut output = Output::open(&args.output, Purpose::Read, kept(args))?;
    let (mut counts, mut missing) = (VerdictCounts::default(), Missing::default());
    let mut order = Presentation::default();
    let ended = pipeline::run(
        workers(args),
        || {
            let verifier = match &batch_ring {
                Some(ring) => Verifier::in_batches(ring, &policy, &lists),
                None => Verifier::new(&ring, &policy, &lists),
            };
            Ok(VerifyStation { parser: Parser::for_tokens(), verifier, form, rows: Rows::default() })
        },
        || inputs.next(),
        |judged| order.number(judged),
        |written: Written| {
            output.write(b"", &written.bytes, &written.ends)?;
            counts.add(written.counts);
            missing.add(written.missing);
            Ok(())
        },
    );
    let ended = ended.and_then(|()| order.end());
    let finished = output.finish(b"").map_err(Failure::from);
    let reader_left = ended.as_ref().is_err_and(Failure::is_reader_left);
    if !common.quiet && !reader_left {
        counts.closing_lines(started.elapsed()).iter().for_each(|line| streams::say(line));
    }
    if !reader_left {
        missing.lines(args).iter().for_each(|line| streams::say(line));
    }
    Failure::of_all([ended.err(), finished.err()].into_iter().flatten())?;
    match counts.not_valid() {
        0 => Ok(ExitStatus::Done),
        _ => Ok(ExitStatus::SomeFailed),
    }
}

/// Says what is needed to verify the tokens, and fails.
fn explain_without_keys(args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    let (mut inputs, mut parser) = (Inputs::open(&args.inputs)?, Parser::for_tokens());
    let mut missing = Missing::default();
    while let Some(read) = inputs.next()? {
        read.rows.read(&mut parser, |row| {
            if let Some(Ok(token)) = given::token_of(row.content) {
                missing.add_token(&token, true);
            }
        });
    }
    missing.lines(args).iter().for_each(|line| streams::say(line));
    Err(Failure::usage("nothing was verified: no key was given")
        .hint("name one with `--did`, `--jwks`, `--key`, `--trust-anchor` or `--site`; keys in tokens are never trusted"))
}

/// How many threads verify. One alone is this one: no disk is waited for, so nothing is gained by another.
fn workers(args: &VerifyArgs) -> usize {
    match settings::jobs_or_cores(args.jobs.jobs) {
        1 => 0,
        jobs => jobs,
    }
}

fn policy(args: &VerifyArgs, settings: &Settings) -> Result<Policy, Failure> {
    let max_ttl = args.max_ttl.as_deref().map(|text| {
        CalendarDuration::parse(text)
            .map_err(|problem| Failure::usage(format!("--max-ttl is \"{text}\"; {problem}")))
    });
    Ok(Policy {
        now: settings::clock_of("--at", args.at.as_deref())?.now(),
        leeway: args.leeway,
        issuer: args.issuer.clone(),
        vcts: args.vct.iter().cloned().collect(),
        credential_type: settings.type_named(&args.credential_type)?,
        types: settings.known_types()?,
        key_binding: key_binding(args)?,
        audience: args.audience.clone(),
        may_have_expired: false,
        max_ttl: max_ttl.transpose()?,
        legacy_vc: args.legacy_vc,
        legacy_typ: args.legacy_typ,
        status: !args.no_status,
        context: args.context.as_deref().map(authorization::context).transpose()?,
        delegators: None,
    })
}

/// What a key binding JWT has to say, where one is asked for.
fn key_binding(args: &VerifyArgs) -> Result<Option<KeyBinding>, Failure> {
    match (args.key_binding, &args.nonce) {
        (Some(KeyBindingPolicy::Ignore), Some(_)) => {
            return Err(Failure::usage("--nonce asks for key binding, and `--key-binding ignore` for none"));
        }
        (Some(KeyBindingPolicy::Ignore) | None, None) => return Ok(None),
        (Some(KeyBindingPolicy::Required), _) | (None, Some(_)) => {}
    }
    let missing = || {
        Failure::usage(
            "`--key-binding required` needs `--audience`, the identifier that presentations are addressed to",
        )
        .hint("also add `--nonce`, or use lines such as {\"presentation\":\"…\",\"nonce\":\"…\"}")
    };
    let audience = args.audience.clone().ok_or_else(missing)?;
    Ok(Some(KeyBinding { audience, nonce: args.nonce.clone(), max_age: args.kb_max_age }))
}

/// The inputs, one after the other.
struct Inputs {
    pending: std::vec::IntoIter<Given>,
    current: Option<Results>,
}

/// Rows of one input, of which nothing is known yet or all.
struct TokenRows<R> {
    /// What looks at the order of this input's rows, with its first ones.
    first_of: Option<results::Order>,
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
    fn next(&mut self) -> Result<Option<TokenRows<RawRows>>, Failure> {
        let mut first_of = None;
        loop {
            if let Some(current) = &mut self.current
                && let Some(rows) = current.next_raw()?
            {
                return Ok(Some(TokenRows { first_of, rows }));
            }
            let Some(next) = self.pending.next() else { return Ok(None) };
            first_of = Some(self.current.insert(next.open()?).order());
        }
    }
}

/// The order of the rows: indices count on from one input to the next.
#[derive(Default)]
struct Presentation {
    current: Option<results::Order>,
    next_index: u64,
}

impl Presentation {
    fn number(&mut self, read: TokenRows<Judged>) -> Result<Judged, Failure> {
        if let Some(first_of) = read.first_of {
            self.end()?;
            self.current = Some(first_of);
        }
        let mut judged = read.rows;
        if let Some(current) = &mut self.current
            && current.drops_first(judged.rows, judged.heading.is_some())
        {
            judged.heading = None;
            judged.dropped = 1;
        }
        judged.first_index = self.next_index;
        self.next_index += judged.rows as u64 - judged.dropped;
        Ok(judged)
    }

    /// What was read of an input must have held a row.
    fn end(&self) -> Result<(), Failure> {
        self.current.as_ref().map_or(Ok(()), |current| Ok(current.end()?))
    }
}

/// A worker: reads rows and verifies them together, and writes their verdicts when their indices are known.
struct VerifyStation<'v> {
    parser: Parser,
    verifier: Verifier<'v>,
    form: VerdictForm,
    rows: Rows,
}

/// Rows that are read and not verified yet, in memory that is used again.
#[derive(Default)]
struct Rows {
    /// Their correlation ids, tokens and nonces, one after the other.
    texts: String,
    rows: Vec<Row>,
}

/// A row that says something about a credential.
struct Row {
    index: u64,
    line: Option<u64>,
    may_be_heading: bool,
    correlation_id: Option<Range<usize>>,
    token: Result<Range<usize>, Refusal>,
    nonce: Option<Range<usize>>,
}

impl Rows {
    /// Takes a row; false where it has no credential.
    fn take(&mut self, row: ResultRow<'_>, may_be_heading: bool) -> bool {
        let ResultRow { index, line, correlation_id, content, nonce } = row;
        let Some(token) = given::token_of(content) else { return false };
        let correlation_id = correlation_id.map(|id| self.keep(&id));
        let token = token.map(|token| self.keep(&token)).map_err(|problem| no_token(&problem));
        let nonce = nonce.map(|nonce| self.keep(&nonce));
        self.rows.push(Row { index, line, may_be_heading, correlation_id, token, nonce });
        true
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    /// Verifies the rows together, and forgets them.
    fn judge(&mut self, verifier: &mut Verifier<'_>, form: VerdictForm, judged: &mut Judged) {
        let Rows { texts, rows } = self;
        let presented = |row: &Row| {
            let nonce = row.nonce.clone().map(|nonce| &texts[nonce]);
            row.token.clone().map(|token| Presented { token: &texts[token], nonce })
        };
        let mut judged_rows = rows.iter();
        verifier.verify_all(rows.iter().map(presented), |verdict| {
            // There is one verdict for each row, in the same order.
            let Some(row) = judged_rows.next() else { return };
            let correlation_id = row.correlation_id.clone().map(|id| &texts[id]);
            let token = row.token.as_ref().ok().map(|token| &texts[token.clone()]);
            let about = About { line: row.line, correlation_id, token };
            judged.verdicts(row.may_be_heading).note(row.index, about, verdict, form);
        });
        texts.clear();
        rows.clear();
    }
}

/// The verdicts on a batch of rows.
#[derive(Default)]
struct Judged {
    /// How many rows there were.
    rows: usize,
    /// The verdict on the first, where it looks like a heading and may be none.
    heading: Option<Verdicts>,
    others: Verdicts,
    /// The index of the first row that counts, and how many do not.
    first_index: u64,
    dropped: u64,
}

/// Verdicts that wait for their indices.
#[derive(Default)]
struct Verdicts {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
    counts: VerdictCounts,
    missing: Missing,
}

/// Where an index is missing.
struct Gap {
    /// The row's place in its batch.
    row: u64,
    at: usize,
    /// Where the verdict ends.
    end: usize,
}

impl Judged {
    /// Where the verdict on a row belongs.
    fn verdicts(&mut self, may_be_heading: bool) -> &mut Verdicts {
        match may_be_heading {
            true => self.heading.get_or_insert_default(),
            false => &mut self.others,
        }
    }
}

impl Verdicts {
    fn note(&mut self, row: u64, about: About<'_>, verdict: &Verdict<'_>, form: VerdictForm) {
        self.counts.note(verdict);
        if let Some(token) = about.token.filter(|_| form.explains) {
            self.missing.note(token, verdict);
        }
        let at = form.write(about, verdict, &mut self.bytes);
        self.gaps.push(Gap { row, at, end: self.bytes.len() });
    }
}

/// The verdicts of a batch, whole.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ends: Vec<(u64, usize)>,
    counts: VerdictCounts,
    missing: Missing,
}

impl Written {
    fn add(&mut self, verdicts: Verdicts, index_of: impl Fn(u64) -> u64, form: VerdictForm) {
        let mut start = 0;
        for gap in &verdicts.gaps {
            let index = index_of(gap.row);
            self.bytes.extend_from_slice(&verdicts.bytes[start..gap.at]);
            form.write_index(index, &mut self.bytes);
            self.bytes.extend_from_slice(&verdicts.bytes[gap.at..gap.end]);
            self.ends.push((index, self.bytes.len()));
            start = gap.end;
        }
        self.counts.add(verdicts.counts);
        self.missing.add(verdicts.missing);
    }
}

impl pipeline::Worker for VerifyStation<'_> {
    type Raw = TokenRows<RawRows>;
    type Checked = TokenRows<Judged>;
    type Committed = Judged;
    type Finished = Written;

    fn check(&mut self, raw: TokenRows<RawRows>) -> TokenRows<Judged> {
        let mut judged = Judged::default();
        raw.rows.read(&mut self.parser, |row| {
            judged.rows += 1;
            let may_be_heading = row.index == 0 && row.looks_like_a_heading();
            let verdicts = judged.verdicts(may_be_heading);
            if !self.rows.take(row, may_be_heading) {
                verdicts.counts.skipped += 1;
            }
        });
        self.rows.judge(&mut self.verifier, self.form, &mut judged);
        TokenRows { first_of: raw.first_of, rows: judged }
    }

    fn finish(&mut self, judged: Judged) -> Written {
        let mut written = Written::default();
        let index_of = |row| judged.first_index + row - judged.dropped;
        for verdicts in judged.heading.into_iter().chain([judged.others]) {
            written.add(verdicts, index_of, self.form);
        }
        written
    }
}
