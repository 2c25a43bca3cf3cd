//! Batch files, cut into items.
//!
//! A [`Source`] reads one run's inputs in order and hands out [`Chunk`]s: consecutive items as
//! they stand in the input, uninterpreted. Cutting is all that happens here, in the one reader
//! thread; everything that costs time per byte of an item (UTF-8, JSON, CSV cells, rules) happens
//! in the workers, from the chunk's own buffer.
//!
//! ```text
//! stored bytes ─ bytes ──▶ UTF-8 text ─ json, ndjson, csv ──▶ Chunk ─ Chunk::open ──▶ JSON text
//!               gzip, BOM,             cut into items          │       of each item
//!               encodings                                      └ from here on in the workers
//! ```
//!
//! Memory is bounded by the largest item that is allowed, whatever the inputs are: what is not
//! part of an item, and an item that is too long, is dropped as it is read.
//!
//! A fault of a file ends the run at that place. Where it is found while the first chunk of the
//! run is being built, nothing is handed out at all; [`Source::open`] builds the first chunk of
//! every regular file for that reason.

mod bytes;
mod chunk;
mod columns;
mod csv;
mod damage;
mod dialect;
mod error;
mod failed;
mod feed;
mod item;
mod item_fault;
mod items;
mod json;
mod ndjson;
mod record;
mod sniff;
mod splitter;
mod warning;
mod window;

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

pub use self::chunk::{Chunk, ItemText, ItemTexts};
pub(crate) use self::columns::{normal, shown};
pub(crate) use self::csv::{cells_of_line, separator_line};
pub use self::damage::{is_formula, without_apostrophe};
pub use self::dialect::{Binding, Dialect, Meaning, RowPlan};
pub(crate) use self::error::names;
pub use self::error::{Found, InputError, InputFault, InputName, Position, UnknownColumn};
pub use self::failed::{FailedWriter, ItemForm};
use self::feed::Feed;
pub use self::item::RawItem;
pub use self::item_fault::{ItemFault, RecordProblem};
pub use self::items::{CellReading, Items, Mapping, PUT_IT, csv_columns, guessed_settings, template};
pub(crate) use self::sniff::{begins_on_a_line_of_its_own, first_line_keys};
pub use self::warning::{InputWarning, WarningFault};
use crate::stop::Stop;

/// The most bytes of an item, unless [`Options`] say otherwise: 1 MiB.
pub const DEFAULT_MAX_ITEM_BYTES: usize = 1024 * 1024;

/// The most that `--max-item-bytes` can be: 64 MiB.
pub const LARGEST_MAX_ITEM_BYTES: u32 = 64 * 1024 * 1024;

/// How a batch file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values one after the other: `{"items":[…]}`, bare arrays, single items.
    Json,
    /// One item a line.
    Ndjson,
    /// A header row, then one item a row.
    Csv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Json, Self::Ndjson, Self::Csv];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Ndjson => "NDJSON",
            Self::Csv => "CSV",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let format = Self::ALL.into_iter().find(|format| format.name() == name);
        format.ok_or_else(|| format!("'{name}' is not a format; expected json, ndjson or csv"))
    }
}

/// What `csv.line_breaks` says: whether a cell of a CSV file can hold a line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineBreaks {
    /// A quoted cell can, as in RFC 4180.
    #[default]
    Allowed,
    /// No cell does: every physical line is a record. A stray quote then costs its own line alone. It is the user's
    /// word: where a cell holds line breaks all the same, whoever wrote the cell wrote rows.
    Never,
}

impl LineBreaks {
    /// Both, by their names in the settings.
    pub const ALL: [(&'static str, Self); 2] = [("allowed", Self::Allowed), ("never", Self::Never)];
}

/// Says whether the JSON text of an item would pass: what a line of a quoted CSV cell is tried with, to notice rows
/// that a stray quote swallowed.
///
/// The default takes every line for an item that has as many cells as the header.
#[derive(Clone, Default)]
pub struct RowCheck(Option<Arc<Passes>>);

type Passes = dyn Fn(&str) -> bool + Send + Sync;

impl RowCheck {
    /// A check that asks `passes`, from the thread that reads.
    pub fn new(passes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(passes)))
    }

    fn passes(&self, item: &str) -> bool {
        self.0.as_ref().is_none_or(|passes| passes(item))
    }
}

impl fmt::Debug for RowCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowCheck")
    }
}

/// How inputs are to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// What they hold.
    pub dialect: Arc<dyn Dialect>,
    /// The format of all inputs; otherwise each one's name and content decide.
    pub format: Option<Format>,
    /// The encoding of inputs without a byte order mark; otherwise UTF-8.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// The delimiter of CSV inputs, an ASCII character; otherwise it is found from the header.
    pub delimiter: Option<u8>,
    /// `csv.line_breaks`.
    pub line_breaks: LineBreaks,
    /// The most bytes of an item.
    pub max_item_bytes: usize,
    /// Whether an input may hold no item (`--allow-empty`).
    pub allow_empty: bool,
    /// The most items of a run (`--api-limits`). All of them are read before the first chunk is
    /// handed out, because the API refuses the whole batch.
    pub max_items: Option<u64>,
}

impl Options {
    /// What is of this dialect, where nothing else is said.
    pub fn of(dialect: impl Dialect + 'static) -> Self {
        Self {
            dialect: Arc::new(dialect),
            format: None,
            encoding: None,
            delimiter: None,
            line_breaks: LineBreaks::default(),
            max_item_bytes: DEFAULT_MAX_ITEM_BYTES,
            allow_empty: false,
            max_items: None,
        }
    }
}

/// Where a batch is read from.
pub enum Input {
    /// Standard input, or what stands for it in a test. May be given once.
    Stdin(Box<dyn Read + Send>),
    /// A file, a named pipe or a device.
    File(PathBuf),
    /// Something that was opened before, by its name.
    Opened(InputName, Box<dyn Read + Send>),
    /// The same, where no read waits for anybody, so that none has to be given up: bytes in memory.
    Ready(InputName, Box<dyn Read + Send>),
}

impl Input {
    /// What messages call it.
    pub fn name(&self) -> InputName {
        match self {
            Self::Stdin(_) => InputName::Stdin,
            Self::File(path) => InputName::File(path.clone()),
            Self::Opened(name, _) | Self::Ready(name, _) => name.clone(),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({})", self.name())
    }
}

/// How much of an input was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputBytes {
    /// The input.
    pub input: InputName,
    /// Its bytes as stored, so far: before unpacking and decoding.
    pub bytes: u64,
}

/// The inputs of one run, cut into chunks in the order given.
pub struct Source {
    options: Options,
    stop: Stop,
    /// The different forms of the inputs.
    forms: Vec<ItemForm>,
    current: Option<Feed>,
    pending: VecDeque<Pending>,
    /// Chunks that were built before they were asked for.
    ready: VecDeque<Chunk>,
    handed_out: bool,
    next_index: u64,
    /// Bytes of the inputs that are finished.
    finished: Vec<InputBytes>,
    warnings: Vec<InputWarning>,
}

/// An input that was checked, and whose turn has not come.
enum Pending {
    /// A file, closed again: only one is open at a time.
    Closed(PathBuf),
    /// A pipe, which can be opened only once.
    Open(Box<Feed>),
}

impl Source {
    /// Checks all inputs: that they exist, can be read, are in a known format, have a valid CSV
    /// header, and, for regular files, that their first chunk of items can be cut.
    ///
    /// Waiting for an input that is a pipe ends once `stop` is requested, with an error of which
    /// [`InputError::is_stopped`] is true.
    pub fn open(inputs: Vec<Input>, options: Options, stop: &Stop) -> Result<Self, InputError> {
        refuse_impossible(&inputs)?;
        let mut source = Self {
            options,
            stop: stop.clone(),
            forms: Vec::new(),
            current: None,
            pending: VecDeque::new(),
            ready: VecDeque::new(),
            handed_out: false,
            next_index: 0,
            finished: Vec::new(),
            warnings: Vec::new(),
        };
        for input in inputs {
            source.check(input)?;
        }
        Ok(source)
    }

    fn check(&mut self, input: Input) -> Result<(), InputError> {
        let is_first = self.current.is_none() && self.pending.is_empty();
        let name = input.name();
        let mut feed = match Feed::open(input, &self.options, &self.stop) {
            Err(error) if self.options.allow_empty && error.is_empty() => {
                self.finished.push(InputBytes { input: name, bytes: 0 });
                return Ok(());
            }
            feed => feed?,
        };
        let form = feed.form();
        if !self.forms.contains(&form) {
            self.forms.push(form);
        }
        if feed.is_live() {
            self.pending.push_back(Pending::Open(Box::new(feed)));
            return Ok(());
        }
        let chunk = feed.next_chunk(self.withholds())?;
        if is_first {
            self.warnings.extend(feed.take_warnings());
            self.current = Some(feed);
            let chunk = chunk.map(|chunk| self.number(chunk));
            self.ready.extend(chunk);
        } else if let InputName::File(path) = feed.name() {
            self.pending.push_back(Pending::Closed(path.clone()));
        }
        Ok(())
    }

    /// The next items; `None` after the last. After an error there is nothing more to come.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, InputError> {
        if let Some(limit) = self.options.max_items.take() {
            self.read_all(limit)?;
        }
        let chunk = match self.ready.pop_front() {
            Some(chunk) => Some(chunk),
            None => self.build_chunk(self.withholds()).inspect_err(|_| self.pending.clear())?,
        };
        self.handed_out |= chunk.is_some();
        Ok(chunk)
    }

    /// Whether a fault now takes back the items before it. Of items none are to be issued then;
    /// results before a fault are as good as any.
    fn withholds(&self) -> bool {
        self.options.dialect.withholds() && !self.handed_out
    }

    /// Reads the whole run before anything is handed out, and refuses it if it is too long.
    fn read_all(&mut self, limit: u64) -> Result<(), InputError> {
        while self.next_index <= limit {
            match self.build_chunk(true) {
                Ok(Some(chunk)) => self.ready.push_back(chunk),
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.give_up(error)),
            }
        }
        let error = InputError::of_run(InputFault::TooManyItems(limit));
        Err(self.give_up(error))
    }

    fn give_up(&mut self, error: InputError) -> InputError {
        self.ready.clear();
        self.pending.clear();
        self.current = None;
        error
    }

    fn build_chunk(&mut self, withhold: bool) -> Result<Option<Chunk>, InputError> {
        loop {
            let Some(feed) = &mut self.current else {
                match self.pending.pop_front() {
                    None => return Ok(None),
                    Some(pending) => self.current = Some(self.reopen(pending)?),
                }
                continue;
            };
            let chunk = feed.next_chunk(withhold);
            self.warnings.extend(feed.take_warnings());
            match chunk {
                Ok(Some(chunk)) => return Ok(Some(self.number(chunk))),
                Ok(None) => self.finish_current(),
                Err(error) => {
                    self.finish_current();
                    return Err(error);
                }
            }
        }
    }

    fn reopen(&self, pending: Pending) -> Result<Feed, InputError> {
        match pending {
            Pending::Open(feed) => Ok(*feed),
            Pending::Closed(path) => Feed::open(Input::File(path), &self.options, &self.stop),
        }
    }

    fn finish_current(&mut self) {
        self.finished.extend(self.current.take().map(|feed| read_so_far(&feed)));
    }

    fn number(&mut self, mut chunk: Chunk) -> Chunk {
        chunk.first_index = self.next_index;
        chunk.bytes_consumed = self.bytes_read().iter().map(|input| input.bytes).sum();
        self.next_index += chunk.items.len() as u64;
        chunk
    }

    /// Whether all inputs have the same form, and if CSV, the same header.
    pub fn is_uniform(&self) -> bool {
        self.forms.len() <= 1
    }

    /// Whether one chunk, which is at hand, is known to hold all items of the run. A pipe may always have more to say.
    pub fn is_one_chunk(&self) -> bool {
        !self.handed_out && self.pending.is_empty() && self.current.as_ref().is_some_and(Feed::is_over)
    }

    /// The inputs whose turn has come, and how much of each was read.
    pub fn bytes_read(&self) -> Vec<InputBytes> {
        self.finished.iter().cloned().chain(self.current.as_ref().map(read_so_far)).collect()
    }

    /// What was noticed since the last call that does not stop the run.
    pub fn warnings(&mut self) -> Vec<InputWarning> {
        std::mem::take(&mut self.warnings)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("next_index", &self.next_index).finish_non_exhaustive()
    }
}

fn read_so_far(feed: &Feed) -> InputBytes {
    InputBytes { input: feed.name().clone(), bytes: feed.stored_bytes() }
}

fn refuse_impossible(inputs: &[Input]) -> Result<(), InputError> {
    if inputs.is_empty() {
        return Err(InputError::of_run(InputFault::NoInputs));
    }
    if inputs.iter().filter(|input| matches!(input, Input::Stdin(_))).count() > 1 {
        return Err(InputError::of(&InputName::Stdin, InputFault::StdinTwice));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
