//! Batch files and results, as they are stored: cut, read, checked and given back.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use beltic::request::{Checker, DetailCode, ErrorCode, Rejection};
use beltic::results::{Content, ResultRow, Results, ResultsError};
use beltic::source::{
    Format, Input, InputName, ItemFault, ItemForm, Items, Mapping, Options, RowCheck, Source,
};
use beltic::stop::Stop;
use beltic::types::Types;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::world::{now, rules};

/// A JSON batch: the envelope or an array.
pub fn json_batch(data: &[u8]) {
    batch(data, &of_format(Format::Json));
}

/// An NDJSON batch.
pub fn ndjson(data: &[u8]) {
    batch(data, &of_format(Format::Ndjson));
}

/// A CSV batch.
pub fn csv(data: &[u8]) {
    batch(data, &of_format(Format::Csv));
}

/// A CSV batch under a mapping of columns, which stands before it: `header -> column` and `column = cell` on
/// lines of their own, and an empty line.
pub fn csv_columns(data: &[u8]) {
    let at = data.windows(2).position(|pair| pair == b"\n\n");
    let (settings, table) = data.split_at(at.unwrap_or(0));
    let table = table.strip_prefix(b"\n\n").unwrap_or(table);
    let settings = String::from_utf8_lossy(settings);
    let pairs = |separator: &str| -> BTreeMap<String, String> {
        let pairs = settings.lines().filter_map(|line| line.split_once(separator));
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    };
    let mapping = Mapping { constants: pairs("="), ..Mapping::of_columns(pairs("->")) };
    let Ok(items) = Items::new(Types::BUILT_IN, mapping, RowCheck::default()) else { return };
    batch(table, &Options { dialect: Arc::new(items), ..of_format(Format::Csv) });
}

/// A batch of any format as it may be stored: compressed, or in the encoding that its first byte chooses.
pub fn stored(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let encodings = [
        None,
        Some(encoding_rs::WINDOWS_1252),
        Some(encoding_rs::SHIFT_JIS),
        Some(encoding_rs::UTF_16LE),
        Some(encoding_rs::UTF_16BE),
        Some(encoding_rs::GB18030),
        Some(encoding_rs::ISO_2022_JP),
        Some(encoding_rs::UTF_8),
    ];
    let encoding = encodings[usize::from(choice % 8)];
    let options = Options { encoding, max_item_bytes: 4096, ..Options::of(Items::of(Types::BUILT_IN)) };
    let plain = read(data, &options, Pieces::whole(data));
    same_in_pieces(data, &options, &plain);
    if !data.starts_with(&[0x1F, 0x8B]) && !data.is_empty() {
        let packed = gzip(data);
        let unpacked = read(&packed, &options, Pieces::cut(&packed));
        assert_eq!(unpacked.items_if_sound(), plain.items_if_sound(), "gzip changes nothing");
    }
}

/// Results, or a list of ids or tokens; and the same where a table may name credentials by ids of the user's own.
pub fn results(data: &[u8]) {
    for open in [Results::of, Results::open_targets] {
        results_opened_by(open, data);
    }
}

type Open = fn(Input, &Stop) -> Result<Results, ResultsError>;

fn results_opened_by(open: Open, data: &[u8]) {
    let whole = read_results(open, Pieces::whole(data));
    let cut = read_results(open, Pieces::cut(data));
    for (at, row) in whole.0.iter().enumerate() {
        assert_eq!(row.index, at as u64);
    }
    let text = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    if whole.1.is_some() != cut.1.is_some() && text.trim_ascii_start().starts_with(b"{") {
        // An envelope without results, or a line that is none: how much of it has come decides what it is called. It
        // is told either way.
        let rows = if whole.1.is_some() { &cut.0 } else { &whole.0 };
        assert!(rows.iter().any(|row| matches!(row.content, Content::Unreadable(_))));
        return;
    }
    same_fault(data, &whole.1, &cut.1);
    // Before a fault, fewer may have been handed out.
    let sound = whole.0.len().min(cut.0.len());
    assert_eq!(whole.0[..sound], cut.0[..sound], "rows do not depend on how the bytes arrive");
    assert!(whole.1.is_some() || whole.0.len() == cut.0.len());
}

fn read_results(open: Open, pieces: Pieces) -> (Vec<ResultRow<'static>>, Option<String>) {
    let mut rows = Vec::new();
    let mut results = match open(pieces.into_input(), &Stop::default()) {
        Ok(results) => results.batches(),
        Err(error) => return (rows, Some(error.to_string())),
    };
    loop {
        match results.next_batch() {
            Ok(batch) if batch.is_empty() => return (rows, None),
            Ok(batch) => rows.extend(batch),
            Err(error) => return (rows, Some(error.to_string())),
        }
    }
}

/// The same fault ends both. What is left of a damaged gzip stream depends on how it arrives, and with it which of
/// two faults is met first.
fn same_fault(data: &[u8], one: &Option<String>, other: &Option<String>) {
    match data.starts_with(&[0x1F, 0x8B]) {
        true => assert_eq!(one.is_some(), other.is_some(), "{one:?} {other:?}"),
        false => assert_eq!(one, other),
    }
}

fn of_format(format: Format) -> Options {
    Options { format: Some(format), ..Options::of(Items::of(Types::BUILT_IN)) }
}

/// Everything that is asked of a batch.
fn batch(data: &[u8], options: &Options) {
    let whole = read(data, options, Pieces::whole(data));
    same_in_pieces(data, options, &whole);
    short_items_are_the_same(data, options, &whole);
    given_back_items_are_the_same(&whole, options);
}

/// However the bytes arrive, the items are the same; before a fault, fewer may have been handed out.
fn same_in_pieces(data: &[u8], options: &Options, whole: &Outcome) {
    let cut = read(data, options, Pieces::cut(data));
    same_fault(data, &cut.error, &whole.error);
    if whole.error.is_none() {
        assert_eq!(cut.items, whole.items);
    }
}

/// With a small limit there are as many items, in the same places, and those that are kept are the same.
fn short_items_are_the_same(data: &[u8], options: &Options, whole: &Outcome) {
    let max_item_bytes = 48;
    let limited = read(data, &Options { max_item_bytes, ..options.clone() }, Pieces::cut(data));
    // Where a failed CSV record ends depends on how far the next quote is looked for.
    let has_records = |outcome: &Outcome| outcome.failed_records > 0;
    if whole.error.is_some() || limited.error.is_some() || has_records(whole) || has_records(&limited) {
        return;
    }
    assert_eq!(limited.items.len(), whole.items.len());
    for (limited, whole) in limited.items.iter().zip(&whole.items) {
        assert_eq!((limited.index, limited.line), (whole.index, whole.line));
        match &limited.text {
            Ok(_) => assert_eq!(limited, whole),
            Err(_) => assert!(limited.text == whole.text || limited.text_is_too_long(max_item_bytes)),
        }
    }
}

/// Items that are refused are given back so that they can be mended: read again, they are refused for the same
/// reasons. The words may differ: an item at the end of a file may have been cut off, and is not at its end any more.
fn given_back_items_are_the_same(whole: &Outcome, options: &Options) {
    let Some(given_back) = &whole.given_back else { return };
    let again = read(given_back, options, Pieces::whole(given_back));
    assert_eq!(reasons(&again), reasons(whole), "{}", String::from_utf8_lossy(given_back));
}

/// The codes of what was refused, with their places.
fn reasons(outcome: &Outcome) -> Vec<(ErrorCode, Vec<(DetailCode, &str)>)> {
    let mut reasons = Vec::new();
    for rejection in &outcome.rejections {
        let places = rejection.details.iter().map(|detail| (detail.code, detail.path.as_str()));
        // Two errors of earlier runs become one.
        reasons.push((rejection.code, places.filter(|(_, path)| *path != "/error").collect()));
    }
    reasons
}

/// An item that was read.
#[derive(Debug, PartialEq)]
struct Item {
    index: u64,
    line: Option<u64>,
    correlation_id: Option<String>,
    text: Result<String, String>,
}

impl Item {
    fn text_is_too_long(&self, limit: usize) -> bool {
        self.text.as_ref().is_err_and(|problem| problem.contains(&limit.to_string()))
    }
}

/// What became of an input.
#[derive(Debug, Default)]
struct Outcome {
    items: Vec<Item>,
    error: Option<String>,
    /// Why items were refused that can be given back.
    rejections: Vec<Rejection>,
    /// Those items as a file, where their form is one without an envelope.
    given_back: Option<Vec<u8>>,
    /// How many CSV records failed as a whole.
    failed_records: usize,
}

impl Outcome {
    fn items_if_sound(&self) -> Option<&[Item]> {
        self.error.is_none().then_some(&self.items)
    }
}

/// Reads a batch to its end, checks its items, and gives back those that are refused.
fn read(data: &[u8], options: &Options, pieces: Pieces) -> Outcome {
    let mut outcome = Outcome::default();
    let input = pieces.into_input();
    let mut source = match Source::open(vec![input], options.clone(), &Stop::default()) {
        Ok(source) => source,
        Err(error) => return Outcome { error: Some(error.to_string()), ..outcome },
    };
    let mut checker = Checker::new(rules(false));
    loop {
        match source.next_chunk() {
            Ok(Some(chunk)) => {
                take_items(&chunk, &mut checker, &mut outcome);
            }
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(source.next_chunk(), Ok(None)), "nothing follows an error");
                outcome.error = Some(error.to_string());
                break;
            }
        }
    }
    if outcome.error.is_none() {
        let read: u64 = source.bytes_read().iter().map(|input| input.bytes).sum();
        assert_eq!(read, data.len() as u64, "every byte is counted");
    }
    for warning in source.warnings() {
        let _ = warning.to_string();
    }
    outcome
}

fn take_items(chunk: &beltic::source::Chunk, checker: &mut Checker, outcome: &mut Outcome) {
    assert_eq!(chunk.first_index, outcome.items.len() as u64, "items are numbered in order");
    assert!((1..=1000).contains(&chunk.items.len()));
    let mut texts = chunk.open();
    let mut failed_writer = chunk.failed_writer();
    let form = failed_writer.form();
    let mut buffer = Vec::new();
    let mut place = 0;
    while let Some(item) = texts.next() {
        let text = item.text.as_ref().map(|text| (*text).to_owned()).map_err(ToString::to_string);
        outcome.failed_records += usize::from(matches!(item.text, Err(ItemFault::Record { .. })));
        if let Ok(text) = item.text {
            let checked = checker.check(text, false, now(), &mut buffer);
            // What is no object comes back as it was, and at the start of a file it may look like another format.
            if let Err(rejection) = checked.outcome
                && text.starts_with('{')
                && !text.starts_with("{\\rtf")
            {
                let file = outcome.given_back.get_or_insert_default();
                if let (ItemForm::Csv { header }, true) = (&form, file.is_empty()) {
                    file.extend_from_slice(header);
                }
                failed_writer.item(place, &rejection, file);
                if form == ItemForm::Ndjson {
                    file.push(b'\n');
                }
                outcome.rejections.push(*rejection);
            }
        }
        let correlation_id = item.correlation_id.map(str::to_owned);
        outcome.items.push(Item { index: item.index, line: item.line, correlation_id, text });
        place += 1;
    }
    if form == ItemForm::Json {
        outcome.given_back = None;
    }
    assert_eq!(place, chunk.items.len());
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(data).and_then(|()| packed.finish()).expect("memory takes it")
}

/// Bytes that arrive in a few pieces, as from a pipe.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    /// Where the pieces end, in ascending order.
    ends: Vec<usize>,
}

impl Pieces {
    fn whole(data: &[u8]) -> Pieces {
        Pieces { bytes: data.to_vec(), at: 0, ends: vec![data.len()] }
    }

    fn into_input(self) -> Input {
        Input::Ready(InputName::Stdin, Box::new(self))
    }

    /// Cut in places that depend on the bytes alone, so that an input always does the same.
    fn cut(data: &[u8]) -> Pieces {
        let mut seed = data
            .iter()
            .fold(0xCBF2_9CE4u64, |seed, byte| (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
        let mut ends: Vec<usize> = (0..3)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize % (data.len() + 1)
            })
            .filter(|end| *end > 0)
            .collect();
        ends.push(data.len());
        ends.sort_unstable();
        ends.dedup();
        Pieces { bytes: data.to_vec(), at: 0, ends }
    }
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let end = self.ends.iter().copied().find(|end| *end > self.at).unwrap_or(self.bytes.len());
        let n = out.len().min(end - self.at);
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
