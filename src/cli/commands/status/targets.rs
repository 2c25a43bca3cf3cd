//! Which credentials are to be changed, as they were named: by ids, by a file, or by conditions.
//!
//! A [`Request`] is what was typed. It can be gone through more than once, each time as [`Targets`]: once to
//! count, where a person is asked, and once to change. A file is read again for that; a pipe cannot be, so it
//! is copied to a file without a name first.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::args::StatusArgs;
use super::names::{Names, Search};
use super::target::ChangeTarget;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::streams::{grouped, printable};
use crate::credential;
use crate::files::PathError;
use crate::ledger::{Filter, Ledger};
use crate::request::{BATCH_ITEMS, ErrorCode, Lookup};
use crate::results::{Batches, Content, ResultRow, Results};
use crate::source::{Input, InputName};
use crate::stop::Stop;

/// The most targets of a batch: one transaction.
const LIMIT: usize = BATCH_ITEMS as usize;
/// How many unreadable rows may wait while ids of the user's own are collected.
const MAX_READY: usize = 1 << 16;

/// What was asked for.
pub(super) struct Request {
    kind: NameKind,
    /// The last batch of the ledger whose credentials may be changed.
    up_to: Option<i64>,
}

enum NameKind {
    Ids(Vec<String>),
    File(PathBuf, Option<File>),
    Conditions { filter: Box<Filter>, subjects: Vec<String>, correlation_ids: Vec<String> },
}

impl Request {
    pub(super) fn of(args: &StatusArgs) -> Result<Request, Failure> {
        let kind = match &args.from {
            Some(path) if path == Path::new("-") && io::stdin().is_terminal() => {
                return Err(Failure::usage("no input").hint("name a file, or pipe one to standard input"));
            }
            Some(path) => NameKind::File(path.clone(), None),
            None if !args.ids.is_empty() => NameKind::Ids(args.ids.clone()),
            None => NameKind::Conditions {
                filter: Box::new(Filter {
                    run: args.run.clone(),
                    issuer: args.issuer.clone(),
                    kid: args.kid.clone(),
                    vct: args.vct.clone(),
                    credential_type: args.credential_type.clone(),
                    with_delegated: args.delegated,
                    ..Filter::default()
                }),
                subjects: args.subject.clone(),
                correlation_ids: args.correlation_id.clone(),
            },
        };
        Ok(Request { kind, up_to: None })
    }

    /// Makes sure that it means the same each time it is gone through.
    pub(super) fn settle(&mut self, ledger: &Ledger) -> Result<(), Failure> {
        self.up_to = Some(ledger.newest_batch()?);
        if let NameKind::File(path, copy) = &mut self.kind
            && is_pipe(path)
        {
            *copy = Some(copied(path).map_err(|source| PathError::new("copy", &*path, source))?);
        }
        Ok(())
    }

    /// Goes through it from the start.
    pub(super) fn begin(&self, ledger: &Ledger, stop: &Stop) -> Result<Targets, Failure> {
        let source = match &self.kind {
            NameKind::Ids(ids) => NameSource::Ids(ids.clone().into_iter()),
            NameKind::File(path, copy) => {
                let input = match copy {
                    Some(copy) => reopened(path, copy)
                        .map_err(|source| PathError::new("read", path, source))
                        .map_err(Failure::from)?,
                    None if path == Path::new("-") => Input::Stdin(Box::new(io::stdin())),
                    None => Input::File(path.clone()),
                };
                let results = Results::open_targets(input, stop)?.batches();
                NameSource::File(Box::new(FileTargets::new(results, self.up_to)))
            }
            NameKind::Conditions { filter, subjects, correlation_ids } => {
                let names = [(Lookup::Subject, subjects), (Lookup::CorrelationId, correlation_ids)];
                let names = names.map(|(lookup, texts)| {
                    let mut names = Names::new(lookup);
                    texts.iter().for_each(|text| names.add(text, None));
                    names
                });
                let filter = Filter { up_to: self.up_to, ..filter.as_ref().clone() };
                NameSource::Search(Box::new(Search::new(filter, names.into(), ledger)))
            }
        };
        Ok(Targets { source, next_index: 0 })
    }

    /// Which credentials they are, in words that follow "credentials".
    pub(super) fn describe(&self, column: Option<&str>) -> String {
        match (&self.kind, column) {
            (NameKind::Ids(_), _) => "named by their ids".to_owned(),
            (NameKind::File(path, _), Some(column)) => {
                format!("named by column '{}' of {}", printable(column), shown(path))
            }
            (NameKind::File(path, _), None) => format!("named in {}", shown(path)),
            (NameKind::Conditions { .. }, _) => format!("of {}", self.conditions().join(", ")),
        }
    }

    fn conditions(&self) -> Vec<String> {
        let NameKind::Conditions { filter, subjects, correlation_ids } = &self.kind else {
            return Vec::new();
        };
        let Filter { run, issuer, kid, vct, credential_type, .. } = filter.as_ref();
        let named = [("run", run), ("issuer", issuer), ("kid", kid), ("vct", vct), ("type", credential_type)];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} '{}'", printable(value))));
        let counted = [("subject id", subjects), ("correlation id", correlation_ids)];
        let counted = counted.into_iter().filter(|(_, texts)| !texts.is_empty()).map(|(what, texts)| {
            let plural = if texts.len() == 1 { "" } else { "s" };
            format!("{} {what}{plural}", grouped(texts.len() as u64))
        });
        let delegated = filter.with_delegated.then(|| "authorizations they delegated".to_owned());
        named.chain(counted).chain(delegated).collect()
    }

    /// What to do where not one row could be read.
    pub(super) fn what_is_read(&self, column: Option<&str>) -> String {
        match (&self.kind, column) {
            (NameKind::File(..), Some(column)) => {
                format!("to use another column, remove or rename '{}'", printable(column))
            }
            (NameKind::File(..), None) => {
                "`--from` reads results of batch-issue, ids or tokens (one per line), or a CSV with a column \
                 credential_id, id, signed_payload, correlation_id or subject_id"
                    .to_owned()
            }
            _ => "use `--correlation-id ID` or `--subject ID` for your own ids".to_owned(),
        }
    }

    /// The failure of conditions that no credential meets.
    pub(super) fn matches_nothing(&self) -> Failure {
        let message = format!("the ledger has no credential of {}", self.conditions().join(", "));
        Failure::said(ExitStatus::SomeFailed, message)
            .hint("run `beltic list` to see its credentials, or pass `--ledger FILE` to use another ledger")
    }
}

fn shown(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => printable(&path.display().to_string()),
    }
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// The most that is copied from a pipe: some twenty million ids.
const MAX_PIPED_BYTES: u64 = 1 << 30;

/// What a pipe holds, in a file that has no name and goes with the process.
fn copied(path: &Path) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    let length = io::copy(&mut File::open(path)?.take(MAX_PIPED_BYTES + 1), &mut copy)?;
    match length > MAX_PIPED_BYTES {
        true => {
            Err(io::Error::other("the input from the pipe exceeds 1 GiB; save it to a file and name that"))
        }
        false => Ok(copy),
    }
}

fn reopened(path: &Path, copy: &File) -> io::Result<Input> {
    let mut copy = copy.try_clone()?;
    copy.seek(SeekFrom::Start(0))?;
    Ok(Input::Ready(InputName::File(path.to_owned()), Box::new(copy)))
}

/// The credentials, one batch after the other.
pub(super) struct Targets {
    source: NameSource,
    next_index: u64,
}

enum NameSource {
    Ids(std::vec::IntoIter<String>),
    File(Box<FileTargets>),
    Search(Box<Search>),
}

impl Targets {
    /// The next targets, at most a batch; none after the last.
    pub(super) fn next_batch(&mut self, ledger: &mut Ledger) -> Result<Vec<ChangeTarget>, Failure> {
        let mut batch = match &mut self.source {
            NameSource::Ids(ids) => ids.take(LIMIT).map(|text| ChangeTarget::of(parse_id(&text))).collect(),
            NameSource::File(file) => file.next_batch(ledger)?,
            NameSource::Search(search) => search.next_batch(ledger, LIMIT)?,
        };
        for target in &mut batch {
            target.index = self.next_index;
            self.next_index += 1;
        }
        Ok(batch)
    }

    /// How many rows of a results file were failed items, which have no credential.
    pub(super) fn skipped(&self) -> u64 {
        match &self.source {
            NameSource::File(file) => file.skipped,
            _ => 0,
        }
    }

    /// The one column of a file that names the credentials, once it is known.
    pub(super) fn column(&self) -> Option<&str> {
        match &self.source {
            NameSource::File(file) => file.results.column(),
            _ => None,
        }
    }
}

/// The targets that a file names.
struct FileTargets {
    results: Batches,
    up_to: Option<i64>,
    /// Those that are known, and wait for their turn.
    ready: VecDeque<ChangeTarget>,
    /// The pass over the ledger for the ids of the user's own that were read.
    search: Option<Search>,
    /// Why the file cannot be read any further, which is told after what came before.
    fault: Option<Failure>,
    skipped: u64,
}

impl FileTargets {
    fn new(results: Batches, up_to: Option<i64>) -> FileTargets {
        FileTargets { results, up_to, ready: VecDeque::new(), search: None, fault: None, skipped: 0 }
    }

    fn next_batch(&mut self, ledger: &mut Ledger) -> Result<Vec<ChangeTarget>, Failure> {
        loop {
            if !self.ready.is_empty() {
                return Ok(self.ready.drain(..self.ready.len().min(LIMIT)).collect());
            }
            if let Some(search) = &mut self.search {
                let batch = search.next_batch(ledger, LIMIT)?;
                if !batch.is_empty() {
                    return Ok(batch);
                }
                self.search = None;
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            self.read(ledger);
            if self.ready.is_empty() && self.search.is_none() && self.fault.is_none() {
                return Ok(Vec::new());
            }
        }
    }

    /// Reads on: the next rows that name credentials, or as many ids of the user's own as one pass looks for.
    fn read(&mut self, ledger: &Ledger) {
        let mut names: Option<Names> = None;
        loop {
            let rows = match self.results.next_batch() {
                Ok(rows) if rows.is_empty() => break,
                Ok(rows) => rows,
                Err(error) => {
                    self.fault = Some(error.into());
                    break;
                }
            };
            rows.into_iter().for_each(|row| self.take(row, &mut names));
            let is_enough = match &names {
                Some(names) => names.is_full() || self.ready.len() >= MAX_READY,
                // A batch of nothing but failed items is not the end.
                None => !self.ready.is_empty(),
            };
            if is_enough {
                break;
            }
        }
        let filter = Filter { up_to: self.up_to, ..Filter::default() };
        self.search = names.map(|names| Search::new(filter, vec![names], ledger));
    }

    fn take(&mut self, row: ResultRow<'static>, names: &mut Option<Names>) {
        let id = match row.content {
            Content::Failed => {
                self.skipped += 1;
                return;
            }
            Content::OwnId(lookup, text) => {
                return names.get_or_insert_with(|| Names::new(lookup)).add(&text, row.line);
            }
            Content::Unreadable(problem) => Err((ErrorCode::MalformedRequest, problem)),
            Content::Credential { id: Some(id), .. } => parse_id(&id),
            Content::Credential { token, .. } => id_of_token(&token.unwrap_or_default()),
        };
        let mut target = ChangeTarget::of(id);
        target.line = row.line;
        target.own_id.correlation_id = row.correlation_id.map(|text| text.into_owned());
        self.ready.push_back(target);
    }
}

fn parse_id(text: &str) -> Result<Uuid, (ErrorCode, String)> {
    let problem = "not a credential id; expected urn:uuid: and a version 7 UUID";
    credential::parse_id(text).ok_or_else(|| (ErrorCode::MalformedRequest, problem.to_owned()))
}

/// The `jti` of a token. Nothing of the token is verified: the ledger knows what was issued.
fn id_of_token(token: &str) -> Result<Uuid, (ErrorCode, String)> {
    let problem = "not a token with a credential id";
    match crate::token::unverified_id(token) {
        Some(id) => parse_id(&id),
        None => Err((ErrorCode::MalformedRequest, problem.to_owned())),
    }
}
