//! `beltic list`: the ledger's credentials, or its audit trail, page by page.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::{BROKEN_TRAIL, Failure};
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::render::listing::{Listed, Listing, hex};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, LedgerArg, OutputArgs, RowFormat, credential_type, whole_number};
use crate::cli::streams::{self, grouped};
use crate::clock::{UnixTime, system_now};
use crate::credential::Status;
use crate::ledger::{Credential, Event, EventHash, Filter, Ledger, LedgerError, RecordPlace};
use crate::request::Lookup;
use crate::request::rules::{self, CalendarDuration};

/// How many rows are read and written at once.
const PAGE: usize = 1_000;
/// How many problems of an audit trail are told.
const PROBLEMS_SHOWN: usize = 100;

/// What `list` takes.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("condition").multiple(true).args([
        "status", "run", "subject", "correlation_id", "issuer", "kid", "vct", "credential_type", "issued_after", "issued_before", "expires_after",
        "expires_before", "expiring_within",
    ]),
    before_help = "Examples:
  beltic list --status revoked
  beltic list --run 2027-01 --output-format csv > credentials.csv
  beltic list --subject EX-GB-00EX4179
  beltic list --expiring-within P30D   for cron: exit code 3 when there are any
  beltic list --events
  beltic list --events --verify
"
)]
pub(crate) struct ListArgs {
    /// Where credentials are recorded.
    #[command(flatten)]
    pub ledger: LedgerArg,

    /// With this status; expired credentials keep theirs
    #[arg(long, value_parser = status(), help_heading = CONDITIONS)]
    pub status: Option<Status>,
    /// Issued by this run, given by its idempotency key or `run_id`
    #[arg(long, value_name = "NAME", help_heading = CONDITIONS)]
    pub run: Option<String>,
    /// With this subject id; repeatable
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub subject: Vec<String>,
    /// With this correlation id; repeatable
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub correlation_id: Vec<String>,
    /// Issued by this issuer
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub issuer: Option<String>,
    /// Signed with the key that has this id
    #[arg(long, value_name = "KID", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub kid: Option<String>,
    /// Of the type with this URI
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new(), help_heading = CONDITIONS)]
    pub vct: Option<String>,
    /// Of this credential type
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type(), help_heading = CONDITIONS)]
    pub credential_type: Option<String>,
    /// Issued at or after this time; RFC 3339, or a date (midnight UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub issued_after: Option<UnixTime>,
    /// Issued before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub issued_before: Option<UnixTime>,
    /// Expiring at or after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub expires_after: Option<UnixTime>,
    /// Expiring before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = CONDITIONS)]
    pub expires_before: Option<UnixTime>,
    /// Expiring within this time, such as P30D; revoked ones are not listed; exits with 3 if any are found
    #[arg(long, value_name = "DURATION", value_parser = CalendarDuration::parse, conflicts_with_all = ["expires_after", "expires_before"], help_heading = CONDITIONS)]
    pub expiring_within: Option<CalendarDuration>,

    /// Maximum number of rows
    #[arg(long, value_name = "N", value_parser = whole_number::<NonZeroUsize>(1..=u64::MAX), help_heading = "Output")]
    pub limit: Option<NonZeroUsize>,
    /// Continue after this row, given by its `cursor`, or with --events by its `event`
    #[arg(long, value_name = "CURSOR", help_heading = "Output")]
    pub after: Option<String>,
    /// Format of the rows [default: from the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<RowFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,

    /// List events instead: the audit log
    #[arg(long, conflicts_with = "condition", help_heading = "Audit log")]
    pub events: bool,
    /// Check the whole log: no event was changed or removed
    #[arg(long, requires = "events", conflicts_with_all = ["limit", "after", "output_format"], help_heading = "Audit log")]
    pub verify: bool,
    /// A head printed by an earlier --verify, which must still be in the log
    #[arg(long, value_name = "HEX", value_parser = parse_hash, requires = "verify", help_heading = "Audit log")]
    pub head: Option<EventHash>,
}

/// Over the conditions of `list`.
const CONDITIONS: &str = "Which credentials (all conditions must hold)";

pub(super) fn run(common: &Common, args: &ListArgs) -> Result<ExitStatus, Failure> {
    let now = system_now();
    let conditions = Conditions::of(args, now)?;
    let settings = Settings::load(common)?;
    settings.type_named(&args.credential_type)?;
    let mut ledger = super::open_ledger(&settings, &args.ledger, true)?;
    let kept = Kept::default().and_ledger(Some(ledger.address())).and_settings(&settings);
    let form = output::form(args.output_format, &args.output, RowFormat::Text, RowFormat::Ndjson)?;
    let mut output = Output::open(&args.output, Purpose::Read, kept)?;
    if args.verify {
        return verify(&ledger, args, output);
    }
    let listing = Listing { form, now, color: output::takes_color(&args.output, common.color) };
    let told = if args.events {
        let after = cursor(args, "the number of an event")?.unwrap_or_default();
        tell(
            &listing,
            &mut output,
            args.limit,
            after,
            |event: &Event| event.number,
            |after, limit| ledger.events(*after, limit),
        )?
    } else {
        let after: Option<RecordPlace> = cursor(args, "the `cursor` of a row")?;
        let filter = conditions.filter(args, &ledger.hash_key());
        let place = |credential: &Credential| Some(credential.place);
        let next = |after: &Option<RecordPlace>, limit| ledger.credentials(&filter, *after, limit);
        tell(&listing, &mut output, args.limit, after, place, next)?
    };
    output.finish(b"")?;
    if !common.quiet {
        told.say(form);
    }
    Ok(match args.expiring_within {
        Some(_) if told.rows > 0 => ExitStatus::SomeFailed,
        _ => ExitStatus::Done,
    })
}

/// Where to go on.
fn cursor<C: FromStr>(args: &ListArgs, expected: &str) -> Result<Option<C>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|_| Failure::usage(format!("--after is \"{text}\"; expected {expected}")))
    };
    args.after.as_ref().map(parse).transpose()
}

/// The times that were asked for.
struct Conditions {
    issued: Option<RangeInclusive<UnixTime>>,
    expiring: Option<RangeInclusive<UnixTime>>,
}

impl Conditions {
    fn of(args: &ListArgs, now: UnixTime) -> Result<Conditions, Failure> {
        let issued = between("issued", args.issued_after, args.issued_before)?;
        let Some(duration) = args.expiring_within else {
            let expiring = between("expires", args.expires_after, args.expires_before)?;
            return Ok(Conditions { issued, expiring });
        };
        if args.status == Some(Status::Revoked) {
            return Err(Failure::usage("--expiring-within does not list revoked credentials")
                .hint("use `--expires-before` with `--status revoked`"));
        }
        let end = duration
            .after(now)
            .map_err(|problem| Failure::usage(format!("--expiring-within is out of range; {problem}")))?;
        Ok(Conditions { issued, expiring: Some(now.saturating_add(1)..=end) })
    }

    /// What the ledger is asked. It knows subjects' and correlation ids by their hashes only.
    fn filter(self, args: &ListArgs, hash_key: &[u8; 32]) -> Filter {
        let hashes = |lookup: Lookup, texts: &[String]| {
            (!texts.is_empty()).then(|| texts.iter().map(|text| lookup.hash(hash_key, text)).collect())
        };
        Filter {
            status: args.status,
            not_revoked: args.expiring_within.is_some(),
            run: args.run.clone(),
            issuer: args.issuer.clone(),
            kid: args.kid.clone(),
            vct: args.vct.clone(),
            credential_type: args.credential_type.clone(),
            with_delegated: false,
            up_to: None,
            issued: self.issued,
            expiring: self.expiring,
            subjects: hashes(Lookup::Subject, &args.subject),
            correlation_ids: hashes(Lookup::CorrelationId, &args.correlation_id),
        }
    }
}

/// The times at or after the one and before the other.
fn between(
    what: &str,
    after: Option<UnixTime>,
    before: Option<UnixTime>,
) -> Result<Option<RangeInclusive<UnixTime>>, Failure> {
    if after.is_none() && before.is_none() {
        return Ok(None);
    }
    let start = after.unwrap_or(UnixTime::FIRST);
    match before {
        None => Ok(Some(start..=UnixTime::LAST)),
        Some(before) if before > start => Ok(Some(start..=before.saturating_add(-1))),
        Some(before) => Err(Failure::usage(format!(
            "--{what}-before is {before}; expected a time after {start}, where the search begins"
        ))),
    }
}

/// What was told.
struct Told {
    rows: u64,
    noun: &'static str,
    /// The last row's cursor, where more rows follow it.
    more: Option<String>,
}

impl Told {
    /// Says on standard error what the rows do not: that more follow, and to people, that there are
    /// none. A cron job without a finding stays silent.
    fn say(&self, form: RowFormat) {
        if self.rows == 0 && form == RowFormat::Text {
            streams::say(&format!("no {} found", self.noun));
        }
        if let Some(cursor) = &self.more {
            streams::say(&format!("more: --after {cursor}"));
        }
    }
}

/// Writes rows page by page, until there are no more or as many as were asked for. A page that is
/// asked for has a row more than is wanted, which says whether more follow.
fn tell<T: Listed, C>(
    listing: &Listing,
    output: &mut Output,
    limit: Option<NonZeroUsize>,
    mut after: C,
    place: impl Fn(&T) -> C,
    mut next: impl FnMut(&C, usize) -> Result<Vec<T>, LedgerError>,
) -> Result<Told, Failure> {
    let mut told = Told { rows: 0, noun: T::NOUN, more: None };
    let mut left = limit.map_or(usize::MAX, NonZeroUsize::get);
    let mut text = listing.head::<T>();
    loop {
        let wanted = left.min(PAGE);
        let mut page = next(&after, wanted + 1)?;
        let more_follow = page.len() > wanted;
        page.truncate(wanted);
        page.iter().for_each(|row| listing.row(row, &mut text));
        output.print(&text)?;
        text.clear();
        told.rows += page.len() as u64;
        left -= page.len();
        let Some(last) = page.last().filter(|_| more_follow) else { return Ok(told) };
        if left == 0 {
            told.more = Some(last.cursor());
            return Ok(told);
        }
        after = place(last);
    }
}

/// Goes through the whole audit trail.
fn verify(ledger: &Ledger, args: &ListArgs, output: Output) -> Result<ExitStatus, Failure> {
    let trail = ledger.verify_events(args.head)?;
    if trail.problems.is_empty() {
        let noun = if trail.events == 1 { "event" } else { "events" };
        let count = grouped(trail.events.unsigned_abs());
        return output.print_all(format!("{count} {noun}, head {}\n", hex(&trail.head)).as_bytes());
    }
    let mut problems = trail.problems;
    let untold = problems.len().saturating_sub(PROBLEMS_SHOWN);
    problems.truncate(PROBLEMS_SHOWN);
    if untold > 0 {
        problems.push(format!("and {} more problems", grouped(untold as u64)));
    }
    let (path, problems) = (ledger.path().display(), problems.join("; "));
    let message = format!("the audit log of the ledger {path} is not intact: {problems}");
    Err(Failure::said(ExitStatus::Files, message).hint(BROKEN_TRAIL))
}

/// The first whole second at or after a time: nothing happens between seconds here.
fn parse_time(text: &str) -> Result<UnixTime, String> {
    rules::date_time(text)
        .or_else(|| rules::date_time(&format!("{text}T00:00:00Z")))
        .and_then(|time| {
            let begun = i64::from(time.subsec_nanosecond() > 0);
            UnixTime::from_seconds(time.as_second() + begun)
        })
        .ok_or_else(|| {
            "expected an RFC 3339 date-time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31, from 1970 on"
                .to_owned()
        })
}

fn parse_hash(text: &str) -> Result<EventHash, &'static str> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * EventHash::default().len()).ok_or(HASH_FORM)?;
    Ok(std::array::from_fn(|byte| digits[2 * byte] << 4 | digits[2 * byte + 1]))
}

/// What the hash of an event looks like.
const HASH_FORM: &str = "expected 64 hex digits, as printed by `list --events --verify`";

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::as_str)).map(|name| {
        let known = Status::ALL.into_iter().find(|status| status.as_str() == name);
        known.expect("clap lets only listed names through")
    })
}
