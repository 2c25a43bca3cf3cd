//! One input of a run: opened, recognised, and cut into chunks.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::bytes::{BLOCK, Bytes};
use super::chunk::{Chunk, RawItem, Shape};
use super::csv::CsvCutter;
use super::error::{InputError, InputFault, InputName, InputWarning, WarningFault};
use super::json::JsonCutter;
use super::ndjson::NdjsonCutter;
use super::{Format, Input, ItemForm, Options, sniff};
use crate::files;
use crate::ledger::BATCH_ITEMS;
use crate::stop::{Stop, StoppableReader};

/// The most items of a chunk: a batch of the API.
pub(super) const MAX_CHUNK_ITEMS: usize = BATCH_ITEMS as usize;
/// A chunk is full when its items take this many bytes.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// The text that is being cut.
#[derive(Debug)]
pub(super) struct Window {
    /// The text from the first item of the batch on, as far as it was read.
    pub(super) bytes: Vec<u8>,
    /// Everything before this place is cut; the item that is not complete yet starts here.
    pub(super) start: usize,
    /// How far the cutter has looked.
    pub(super) at: usize,
    /// How many bytes before `start` belong to an item that is not complete: they are kept with it.
    pub(super) held: usize,
    /// Whether nothing follows.
    pub(super) ended: bool,
    /// The byte before `bytes`.
    before: u8,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), start: 0, at: 0, held: 0, ended: false, before: b'\n' }
    }

    /// The byte before this place; a line end at the start of the input.
    pub(super) fn byte_before(&self, at: usize) -> u8 {
        if at == 0 { self.before } else { self.bytes[at - 1] }
    }

    /// Ends what is being cut: the next item starts at `to`.
    pub(super) fn advance(&mut self, to: usize) {
        self.start = to;
        self.at = to;
    }

    /// Forgets what is cut already, where no item of the batch lies in it.
    pub(super) fn drop_cut(&mut self) {
        let cut = self.start - self.held;
        self.before = self.byte_before(cut);
        self.bytes.drain(..cut);
        self.at -= cut;
        self.start -= cut;
    }

    /// Nothing but this text.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ended: true, ..Self::new() }
    }

    /// Forgets the unfinished item as far as it was looked at, but for its last byte, so that an
    /// item that is too long takes no memory. Returns how many bytes went.
    pub(super) fn drop_unfinished(&mut self) -> usize {
        self.drop_before(self.at)
    }

    /// Forgets the unfinished item up to this place, which was looked at, but for the last byte before it. Returns how
    /// many bytes went.
    pub(super) fn drop_before(&mut self, place: usize) -> usize {
        let dropped = (place - self.start).saturating_sub(1);
        self.bytes.drain(self.start..self.start + dropped);
        self.at -= dropped;
        dropped
    }

    /// Hands over what is cut, and keeps the rest.
    fn split(&mut self) -> Vec<u8> {
        let end = self.start - self.held;
        let before = self.byte_before(end);
        // The next chunk is likely to be as large as this one.
        let mut rest = Vec::with_capacity(self.bytes.len() + BLOCK);
        rest.extend_from_slice(&self.bytes[end..]);
        let mut cut = std::mem::replace(&mut self.bytes, rest);
        cut.truncate(end);
        self.before = before;
        self.at -= end;
        self.start -= end;
        cut
    }
}

/// The items cut so far.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<RawItem>,
}

impl Batch {
    pub(super) fn is_full(&self, window: &Window) -> bool {
        !self.items.is_empty() && (self.items.len() >= MAX_CHUNK_ITEMS || window.start >= MAX_CHUNK_BYTES)
    }
}

enum Cutter {
    Json(Box<JsonCutter>),
    Ndjson(NdjsonCutter),
    Csv(Box<CsvCutter>),
}

impl Cutter {
    /// Cuts until the batch is full or the window has no complete item left. Where the window
    /// has ended, the last item is cut too.
    fn cut(&mut self, window: &mut Window, batch: &mut Batch) -> Result<(), InputFault> {
        match self {
            Self::Json(cutter) => cutter.cut(window, batch),
            Self::Ndjson(cutter) => {
                cutter.cut(window, batch);
                Ok(())
            }
            Self::Csv(cutter) => cutter.cut(window, batch),
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Json(_) | Self::Ndjson(_) => Shape::Json,
            Self::Csv(cutter) => Shape::Csv(cutter.columns()),
        }
    }

    fn take_warnings(&mut self) -> Vec<WarningFault> {
        match self {
            Self::Json(cutter) => cutter.take_warnings(),
            Self::Ndjson(_) | Self::Csv(_) => Vec::new(),
        }
    }
}

/// One input of the run, open.
pub(super) struct Feed {
    name: InputName,
    live: bool,
    bytes: Bytes,
    window: Window,
    batch: Batch,
    cutter: Cutter,
    any_items: bool,
    over: bool,
    failure: Option<InputError>,
    /// How many bytes were read since the last item was cut, and how many may be.
    since_item: u64,
    patience: u64,
}

/// How many bytes without an item are read before an input is given up. An item that is too long is dropped as it is
/// read, so memory is safe; but one that never ends, as of `/dev/zero`, would be read without end.
fn patience(max_item_bytes: usize) -> u64 {
    let most = (1 << 30).max(4 * max_item_bytes as u64);
    (1024 * max_item_bytes as u64).clamp(1 << 20, most)
}

impl Feed {
    /// Opens an input and finds out what it is; for CSV, reads the header.
    pub(super) fn open(input: Input, options: &Options, stop: &Stop) -> Result<Self, InputError> {
        let name = input.name();
        Self::open_named(input, name.clone(), options, stop).map_err(|fault| InputError::of(&name, fault))
    }

    fn open_named(input: Input, name: InputName, options: &Options, stop: &Stop) -> Result<Self, InputFault> {
        let (reader, live) = open_reader(input, stop)?;
        let mut bytes = Bytes::open(reader, live, options.encoding)?;
        let mut window = Window::new();
        let format = sniff::format(&name, &mut bytes, &mut window, options)?;
        let cutter = match format {
            Format::Json => {
                Cutter::Json(Box::new(JsonCutter::new(options.max_item_bytes, Arc::clone(&options.dialect))))
            }
            Format::Ndjson => Cutter::Ndjson(NdjsonCutter::new(options.max_item_bytes)),
            Format::Csv => Cutter::Csv(Box::new(CsvCutter::open(&mut bytes, &mut window, options)?)),
        };
        let batch = Batch::default();
        let patience = patience(options.max_item_bytes);
        // Where none is needed, that there is none is not said.
        let any_items = options.allow_empty;
        let (failure, over) = (None, false);
        Ok(Self {
            name,
            live,
            bytes,
            window,
            batch,
            cutter,
            any_items,
            over,
            failure,
            since_item: 0,
            patience,
        })
    }

    /// The input's name.
    pub(super) fn name(&self) -> &InputName {
        &self.name
    }

    /// The form of the items.
    pub(super) fn form(&self) -> ItemForm {
        match &self.cutter {
            Cutter::Json(_) => ItemForm::Json,
            Cutter::Ndjson(_) => ItemForm::Ndjson,
            Cutter::Csv(cutter) => ItemForm::of_columns(&cutter.columns()),
        }
    }

    /// Whether the input is a pipe or a terminal: it cannot be opened twice, and may have more
    /// to say later.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether nothing follows what was handed out, neither items nor a fault.
    pub(super) fn is_over(&self) -> bool {
        self.over && self.failure.is_none()
    }

    /// How many bytes were read, as stored.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.bytes.stored_bytes()
    }

    /// What was noticed since the last call.
    pub(super) fn take_warnings(&mut self) -> impl Iterator<Item = InputWarning> {
        let name = self.name.clone();
        let doubt = self.bytes.take_doubt();
        self.cutter
            .take_warnings()
            .into_iter()
            .chain(doubt)
            .map(move |fault| InputWarning { input: name.clone(), fault })
    }

    /// The next items. A fault of the input comes after the items before it, or, with
    /// `withhold`, instead of them.
    pub(super) fn next_chunk(&mut self, withhold: bool) -> Result<Option<Chunk>, InputError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if let Err(fault) = self.fill_batch() {
            let error = InputError::of(&self.name, fault);
            self.over = true;
            self.any_items = true; // more than "no items" is wrong
            if withhold || self.batch.items.is_empty() {
                self.batch.items.clear();
                return Err(error);
            }
            self.failure = Some(error);
        }
        if self.batch.items.is_empty() {
            return if self.any_items { Ok(None) } else { Err(self.no_items()) };
        }
        Ok(Some(self.take_chunk()))
    }

    fn no_items(&mut self) -> InputError {
        self.any_items = true; // said once
        InputError::of(&self.name, InputFault::NoItems)
    }

    fn fill_batch(&mut self) -> Result<(), InputFault> {
        while !self.over {
            let items = self.batch.items.len();
            self.cutter.cut(&mut self.window, &mut self.batch)?;
            if self.batch.items.len() > items {
                self.since_item = 0;
            }
            if self.batch.is_full(&self.window) {
                return Ok(());
            }
            if self.window.ended {
                self.over = true;
            } else if self.batch.items.is_empty() {
                self.window.drop_cut();
                self.read_more()?;
            } else if self.bytes.may_wait() {
                return Ok(());
            } else {
                self.read_more()?;
            }
        }
        Ok(())
    }

    fn read_more(&mut self) -> Result<(), InputFault> {
        let count = self.bytes.read_onto(&mut self.window.bytes)?;
        self.window.ended = count == 0;
        self.since_item += count as u64;
        if self.since_item > self.patience {
            return Err(InputFault::Endless { bytes: self.since_item });
        }
        Ok(())
    }

    fn take_chunk(&mut self) -> Chunk {
        self.any_items = true;
        let items = std::mem::take(&mut self.batch.items);
        Chunk::new(items, self.window.split(), self.cutter.shape())
    }
}

/// The bytes of an input, and whether it is live. A live one that may wait for its writer is read so
/// that the wait can be given up.
fn open_reader(input: Input, stop: &Stop) -> Result<(Box<dyn Read + Send>, bool), InputFault> {
    let (reader, live) = match input {
        Input::Stdin(reader) | Input::Opened(_, reader) => (reader, true),
        Input::Ready(_, reader) => return Ok((reader, true)),
        Input::File(path) => open_file(&path)?,
    };
    match live {
        true => Ok((Box::new(StoppableReader::new(reader, stop.clone())), true)),
        false => Ok((reader, false)),
    }
}

fn open_file(path: &Path) -> Result<(Box<dyn Read + Send>, bool), InputFault> {
    let file = File::open(path).map_err(InputFault::Open)?;
    let metadata = file.metadata().map_err(InputFault::Open)?;
    if metadata.is_dir() {
        return Err(InputFault::Directory);
    }
    files::refuse_endless(&file).map_err(InputFault::Open)?;
    Ok((Box::new(file), !metadata.is_file()))
}
