//! `beltic revoke`, `beltic suspend`, `beltic reinstate`: one change of status, for one credential
//! or many.
//!
//! # What is durable when
//!
//! Credentials are changed in batches of up to 1,000, each in one transaction of the ledger. A result
//! leaves the process when its change is on the disk. One that cannot be changed fails on its own. A
//! signal ends the command between two batches: what is reported was changed, nothing else was. The same
//! command finishes the work, since a credential that already has the wanted status is no failure.
//!
//! # Who is changed
//!
//! `targets` turns what was named into credentials: ids and tokens at once, ids of the user's own by a
//! search through the ledger (`names`), which knows them by keyed hashes only. Whatever was named and
//! matches nothing is a failed result, so that a typo is never silent.
//!
//! # When it asks
//!
//! On a terminal, more than [`ASK_ABOVE`] changes are confirmed first (`ask`). What is to be changed is
//! counted by the same code that changes it, in a dry run. Credentials that are issued while the question
//! stands are not changed.

mod args;
mod ask;
mod names;
mod target;
mod targets;

use uuid::Uuid;

pub(super) use self::args::StatusArgs;
use self::target::ChangeTarget;
use self::targets::Request;
use super::open_ledger;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::render::changes::{ChangeRow, ChangeRows, StatusReached, already, done};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, RowFormat};
use crate::cli::signals::StopSignals;
use crate::cli::streams::{self, grouped};
use crate::clock::system_now;
use crate::ledger::{Change, ChangeOrder, ChangeRefusal, Ledger};
use crate::request::ErrorCode;
use crate::stop::Stop;

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 512;

/// More changes than this are confirmed on a terminal.
const ASK_ABOVE: u64 = 10;

pub(super) fn run(common: &Common, change: Change, args: &StatusArgs) -> Result<ExitStatus, Failure> {
    let reason = args.reason.as_deref().map(checked_reason).transpose()?;
    let mut request = Request::of(args)?;
    let settings = Settings::load(common)?;
    settings.type_named(&args.credential_type)?;
    let mut ledger = open_ledger(&settings, &args.ledger, args.dry_run)?;
    ledger.must_be_in_use()?;
    let order = ChangeOrder { change, reason, at: system_now(), cause: None };
    let format = output::form(args.output_format, &args.output, RowFormat::Text, RowFormat::Ndjson)?;
    let color = output::takes_color(&args.output, common.color);
    let rows = ChangeRows::new(format, change, args.dry_run, color);
    let kept = Kept::files(&args.from).and_ledger(Some(ledger.address())).and_settings(&settings);
    let mut output = Output::open(&args.output, Purpose::Change, kept)?;
    if ask::can_ask(args) && !may_go_on(&mut request, &mut ledger, order)? {
        streams::say("nothing was changed");
        return Ok(ExitStatus::SomeFailed);
    }
    // Before the question, Ctrl-C ends the command at once: nothing has been begun.
    let signals = StopSignals::listen()?;
    let mut counts = ChangeCounts::default();
    let deliver = |results: &[ChangeRow]| {
        let (bytes, row_ends) = rows.render(results);
        output.write(&rows.head(), &bytes, &row_ends).map_err(|error| {
            Failure::from(error)
                .hint("the counted changes are in the ledger; to list them, run the same command again")
        })
    };
    let ended = change_all(&request, &mut ledger, (order, args.dry_run), &signals, &mut counts, deliver);
    let ended = ended.and(output.finish(b"").map_err(Failure::from));
    if ended.is_ok() && counts.is_nothing() {
        return Err(request.matches_nothing());
    }
    if !common.quiet && (ended.is_ok() || !counts.is_nothing()) {
        counts.say(change, args.dry_run);
    }
    ended?;
    if counts.is_wrong_input() {
        streams::say(&format!("  hint: {}", request.what_is_read(counts.column.as_deref())));
    }
    Ok(if counts.failed == 0 && counts.in_order() > 0 { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

/// Counts what would be changed, and asks where that is much.
fn may_go_on(request: &mut Request, ledger: &mut Ledger, order: ChangeOrder<'_>) -> Result<bool, Failure> {
    request.settle(ledger)?;
    let mut targets = request.begin(ledger, &Stop::default())?;
    let mut counts = ChangeCounts::default();
    loop {
        let batch = targets.next_batch(ledger)?;
        if batch.is_empty() {
            break;
        }
        counts.note(&carry_out(ledger, order, batch, true)?);
    }
    ledger.forget_previews();
    if counts.changed <= ASK_ABOVE {
        return Ok(true);
    }
    ask::confirm(order.change, counts.changed, &request.describe(targets.column()))
}

/// Changes one batch after the other, and hands their results over.
fn change_all(
    request: &Request,
    ledger: &mut Ledger,
    (order, dry_run): (ChangeOrder<'_>, bool),
    signals: &StopSignals,
    counts: &mut ChangeCounts,
    mut deliver: impl FnMut(&[ChangeRow]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stopped = |status| {
        Failure::said(status, "interrupted; the changes above are complete, the rest was not started")
            .hint("to finish, run the same command again; finished changes are skipped")
    };
    let mut targets = request.begin(ledger, &signals.stop).map_err(|failure| match signals.status() {
        Some(status) => stopped(status),
        None => failure,
    })?;
    loop {
        let batch = targets.next_batch(ledger);
        counts.note_reading(&targets);
        if let Some(status) = signals.status() {
            // Nothing of this batch was begun; it may be what was there before a read that was given up.
            return Err(stopped(status));
        }
        let batch = batch?;
        if batch.is_empty() {
            return Ok(());
        }
        let results = carry_out(ledger, order, batch, dry_run)?;
        counts.note(&results);
        deliver(&results)?;
    }
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

/// Changes a batch, or says what would become of it.
fn carry_out(
    ledger: &mut Ledger,
    order: ChangeOrder<'_>,
    batch: Vec<ChangeTarget>,
    dry_run: bool,
) -> Result<Vec<ChangeRow>, Failure> {
    let ids: Vec<Uuid> = batch.iter().filter_map(|target| target.id.as_ref().ok().copied()).collect();
    let answers = if dry_run { ledger.preview_change(order, &ids)? } else { ledger.change(order, &ids)? };
    let mut answers = answers.into_iter();
    let row = |target: ChangeTarget| {
        let (id, outcome) = match target.id {
            Err(problem) => (None, Err(problem)),
            Ok(id) => match answers.next().expect("there is an answer for each id") {
                Ok(changed) => {
                    (Some(id), Ok(StatusReached { current: changed.current, unchanged: changed.unchanged }))
                }
                Err(refusal) => (Some(id), Err((code_of(refusal), refusal.to_string()))),
            },
        };
        ChangeRow { index: target.index, line: target.line, own_id: target.own_id, id, outcome }
    };
    Ok(batch.into_iter().map(row).collect())
}

fn code_of(refusal: ChangeRefusal) -> ErrorCode {
    match refusal {
        ChangeRefusal::Unknown => ErrorCode::CredentialNotFound,
        ChangeRefusal::Revoked => ErrorCode::StatusConflict,
    }
}

/// How it ended.
#[derive(Default)]
struct ChangeCounts {
    changed: u64,
    /// Those that had the wanted status before.
    unchanged: u64,
    failed: u64,
    /// The failed ones whose row or id could not be read.
    unreadable: u64,
    /// Rows of a results file that never were credentials.
    skipped: u64,
    /// The one column that named the credentials.
    column: Option<String>,
}

impl ChangeCounts {
    fn note(&mut self, results: &[ChangeRow]) {
        for row in results {
            match &row.outcome {
                Ok(StatusReached { unchanged: false, .. }) => self.changed += 1,
                Ok(StatusReached { unchanged: true, .. }) => self.unchanged += 1,
                Err((code, _)) => {
                    self.failed += 1;
                    self.unreadable += u64::from(*code == ErrorCode::MalformedRequest);
                }
            }
        }
    }

    fn note_reading(&mut self, targets: &targets::Targets) {
        self.skipped = targets.skipped();
        if self.column.is_none() {
            self.column = targets.column().map(str::to_owned);
        }
    }

    /// How many credentials have the wanted status now.
    fn in_order(&self) -> u64 {
        self.changed + self.unchanged
    }

    /// Whether not one row could be read: this is another kind of file, or another column.
    fn is_wrong_input(&self) -> bool {
        self.unreadable > 0 && self.unreadable == self.failed && self.in_order() == 0
    }

    fn is_nothing(&self) -> bool {
        self.in_order() + self.failed + self.skipped == 0
    }

    /// The closing line, as that of `batch-issue`.
    fn say(&self, change: Change, dry_run: bool) {
        let mut line = format!("{} {}", done(change, dry_run), grouped(self.changed));
        if self.unchanged > 0 {
            line += &format!(", {} {}", already(change), grouped(self.unchanged));
        }
        line += &format!(", failed {}", grouped(self.failed));
        if self.skipped > 0 {
            line += &format!(", skipped {} (never issued)", grouped(self.skipped));
        }
        if let Some(column) = &self.column {
            line += &format!(" (by column '{}')", streams::printable(column));
        }
        if self.changed > 0 && !dry_run {
            line += "; run `beltic publish` so verifiers see it";
        }
        streams::say(&line);
    }
}
