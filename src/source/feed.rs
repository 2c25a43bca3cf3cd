//! One input of a run: opened, recognised, and cut into chunks.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::bytes::Bytes;
use super::chunk::{Chunk, Shape};
use super::csv::CsvCutter;
use super::error::{InputError, InputFault, InputName};
use super::json::JsonCutter;
use super::ndjson::NdjsonCutter;
use super::warning::{InputWarning, WarningFault};
use super::window::{ItemBatch, Window};
use super::{Format, Input, ItemForm, Options, sniff};
use crate::files;
use crate::stop::{Stop, StoppableReader};

enum Cutter {
    Json(Box<JsonCutter>),
    Ndjson(NdjsonCutter),
    Csv(Box<CsvCutter>),
}

impl Cutter {
    /// Cuts until the batch is full or the window has no complete item left. Where the window
    /// has ended, the last item is cut too.
    fn cut(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<(), InputFault> {
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
    batch: ItemBatch,
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
        let batch = ItemBatch::default();
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
