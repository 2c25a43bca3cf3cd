//! JSON: values one after the other, each an envelope `{"items":[…]}`, an array of items, or a single item; cut into
//! items without being parsed.
//!
//! Whether an object is an envelope or an item shows with its first key that only one of them has, or at its end. So
//! that nothing of an item is lost until then, the window holds what was passed of it ([`Window::held`]), up to the
//! longest item that is allowed. An object that is longer is an envelope, or an item that is too long; either way
//! its beginning is not needed, and memory stays bounded.

use std::ops::Range;
use std::sync::Arc;

use super::dialect::{Dialect, Meaning};
use super::error::{Found, InputFault, Position};
use super::item::RawItem;
use super::item_fault::ItemFault;
use super::splitter::{Broken, MAX_DEPTH, Splitter, is_white};
use super::warning::WarningFault;
use super::window::{ItemBatch, Window};
use crate::files::BYTE_ORDER_MARK;
use crate::invisible;

/// The longest key of the envelope.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// The most characters of a key that a message shows.
const MAX_SHOWN_KEY: usize = 40;
/// The most keys that an error names, and the most that are warned of.
const MAX_SHOWN_KEYS: usize = 5;

/// Cuts a JSON batch. Everything outside the items is checked here; an item is only followed to
/// its end, with an eye on brackets and strings.
#[derive(Debug)]
pub(super) struct JsonCutter {
    max_item_bytes: usize,
    dialect: Arc<dyn Dialect>,
    state: ScanState,
    /// The object at the top level that is being read, if the array of items does not stand on its own.
    object: Option<TopObject>,
    /// Whether a value at the top level was complete before.
    any_values: bool,
    splitter: Splitter,
    /// How much of the unfinished value was dropped.
    dropped: usize,
    /// The place of the window's start.
    place: ElementPlace,
    /// The last comma between items or members.
    comma: Position,
    warnings: Vec<WarningFault>,
    /// How many keys were warned of.
    warned: usize,
}

/// An object at the top level: an envelope, an item, or not known yet.
#[derive(Debug, Default)]
struct TopObject {
    /// The key of the array of items, once that was seen.
    envelope: Option<&'static str>,
    /// Whether a key was seen that an item has.
    has_item_key: bool,
    /// Whether a key was seen that only an item has, so that `items` is a member of it that is not known.
    is_item: bool,
    /// The first keys beside the array of items.
    keys: Vec<String>,
    /// Where they stand.
    places: Vec<Position>,
    /// How much was dropped of an object that is longer than any item.
    dropped: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanState {
    /// Before a value at the top level, or behind all of them.
    Top,
    Key {
        first: bool,
    },
    Colon {
        items: bool,
    },
    Value {
        items: bool,
    },
    Skip,
    AfterValue,
    Element {
        first: bool,
    },
    InElement,
    AfterElement,
}

impl JsonCutter {
    pub(super) fn new(max_item_bytes: usize, dialect: Arc<dyn Dialect>) -> Self {
        let place = ElementPlace { byte: 0, line: 1, line_start: 0 };
        Self {
            max_item_bytes,
            dialect,
            state: ScanState::Top,
            object: None,
            any_values: false,
            splitter: Splitter::default(),
            dropped: 0,
            comma: place.position(),
            place,
            warnings: Vec::new(),
            warned: 0,
        }
    }

    pub(super) fn take_warnings(&mut self) -> Vec<WarningFault> {
        std::mem::take(&mut self.warnings)
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<(), InputFault> {
        while !batch.is_full(window) {
            let went_on = match self.state {
                ScanState::Skip | ScanState::InElement => self.follow_value(window, batch)?,
                _ => self.step(window, batch)?,
            };
            if !went_on {
                return if window.ended { self.check_end(window) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Takes one token outside the items. `false`: the window has none.
    fn step(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<bool, InputFault> {
        self.pass_white(window);
        let Some(&byte) = window.bytes.get(window.start) else { return Ok(false) };
        if self.state == ScanState::Top && byte == BYTE_ORDER_MARK[0] {
            return self.pass_mark(window);
        }
        if let ScanState::Key { .. } = self.state
            && byte == b'"'
        {
            return self.read_key(window);
        }
        let at = self.place.position();
        let next = self.next_state(byte, at)?;
        let closes = next == ScanState::Top && byte == b'}';
        self.state = next;
        if !matches!(self.state, ScanState::Skip | ScanState::InElement) {
            self.advance(window, 1);
        }
        if closes {
            self.close_object(window, batch)?;
        }
        Ok(true)
    }

    fn pass_white(&mut self, window: &mut Window) {
        let rest = &window.bytes[window.start..];
        let white = rest.iter().position(|byte| !is_white(*byte)).unwrap_or(rest.len());
        self.advance(window, white);
    }

    /// Goes past a byte order mark between values, where files were joined. `false`: the window ends within it.
    fn pass_mark(&mut self, window: &mut Window) -> Result<bool, InputFault> {
        let rest = &window.bytes[window.start..];
        if rest.starts_with(BYTE_ORDER_MARK) {
            self.advance(window, BYTE_ORDER_MARK.len());
            return Ok(true);
        }
        if BYTE_ORDER_MARK.starts_with(rest) && !window.ended {
            return Ok(false);
        }
        let at = self.place.position();
        Err(InputFault::NotJson { at, found: Found(rest[0]), expected: "'{' or '['" })
    }

    fn next_state(&mut self, byte: u8, at: Position) -> Result<ScanState, InputFault> {
        let found = Found(byte);
        let unexpected = |expected| Err(InputFault::NotJson { at, found, expected });
        match (self.state, byte) {
            (ScanState::Top, b'{') => {
                self.object = Some(TopObject::default());
                Ok(ScanState::Key { first: true })
            }
            (ScanState::Top, b'[') => Ok(ScanState::Element { first: true }),
            (ScanState::Top, b',') if self.any_values => Err(InputFault::StrayComma(at)),
            (ScanState::Top, _) if self.any_values => Err(InputFault::TrailingData(at)),
            (ScanState::Top, _) => unexpected("'{' or '['"),
            (ScanState::Key { first: true }, b'}') => Ok(ScanState::Top),
            (ScanState::Key { first: false }, b'}') => Err(InputFault::TrailingComma(self.comma)),
            (ScanState::Key { .. }, _) => unexpected("a key in double quotes"),
            (ScanState::Colon { items }, b':') => Ok(ScanState::Value { items }),
            (ScanState::Colon { .. }, _) => unexpected("':'"),
            (ScanState::Value { items: true }, b'[') => Ok(ScanState::Element { first: true }),
            (ScanState::Value { items: true }, _) => {
                Err(InputFault::ItemsNotArray { key: self.envelope(), at, found })
            }
            (ScanState::Value { items: false }, _) => self.begin_value(byte, ScanState::Skip, at),
            (ScanState::AfterValue, b',') => Ok(self.pass_comma(at, ScanState::Key { first: false })),
            (ScanState::AfterValue, b'}') => Ok(ScanState::Top),
            (ScanState::AfterValue, b'"') => Err(InputFault::MissingComma { at, found }),
            (ScanState::AfterValue, _) => unexpected("',' or '}'"),
            (ScanState::Element { first: true }, b']') => Ok(self.close_array()),
            (ScanState::Element { first: false }, b']') => Err(InputFault::TrailingComma(self.comma)),
            (ScanState::Element { .. }, _) => self.begin_value(byte, ScanState::InElement, at),
            (ScanState::AfterElement, b',') => Ok(self.pass_comma(at, ScanState::Element { first: false })),
            (ScanState::AfterElement, b']') => Ok(self.close_array()),
            (ScanState::AfterElement, b'{' | b'[' | b'"') => Err(InputFault::MissingComma { at, found }),
            (ScanState::AfterElement, _) => unexpected("',' or ']'"),
            (ScanState::Skip | ScanState::InElement, _) => {
                unreachable!("a value is followed, not stepped through")
            }
        }
    }

    fn begin_value(&mut self, byte: u8, state: ScanState, at: Position) -> Result<ScanState, InputFault> {
        let found = Found(byte);
        let splitter = Splitter::new(byte);
        self.splitter = splitter.ok_or(InputFault::NotJson { at, found, expected: "a value" })?;
        self.dropped = 0;
        Ok(state)
    }

    fn pass_comma(&mut self, at: Position, next: ScanState) -> ScanState {
        self.comma = at;
        next
    }

    fn close_array(&mut self) -> ScanState {
        if self.object.is_some() {
            return ScanState::AfterValue;
        }
        self.any_values = true;
        ScanState::Top
    }

    /// Decides what the object was that ends at the window's start.
    fn close_object(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<(), InputFault> {
        let object = self.object.take().unwrap_or_default();
        let held = std::mem::take(&mut window.held);
        let is_first = !std::mem::replace(&mut self.any_values, true);
        if object.envelope.is_some() {
            return Ok(());
        }
        // The first value tells an envelope under another name; where items came before, an object is one more,
        // however little it looks like it.
        if is_first && !object.has_item_key {
            return Err(InputFault::NoItemsArray { key: self.dialect.envelope(), keys: object.keys });
        }
        let too_long = object.dropped + held > self.max_item_bytes;
        let start = if too_long { window.start } else { window.start - held };
        self.push_item(start..window.start, too_long, batch);
        Ok(())
    }

    fn read_key(&mut self, window: &mut Window) -> Result<bool, InputFault> {
        let at = self.place.position();
        let text = &window.bytes[window.start..];
        let length = Splitter::whole(text);
        if length.unwrap_or(text.len()) > MAX_KEY_BYTES {
            return Err(InputFault::NotJson { at, found: Found(b'"'), expected: "a key of at most 64 KiB" });
        }
        let Some(length) = length else { return Ok(false) };
        let Ok(key) = serde_json::from_slice::<String>(&text[..length]) else {
            return Err(InputFault::NotJson {
                at,
                found: Found(b'"'),
                expected: "a key that is a JSON string",
            });
        };
        self.advance(window, length);
        self.state = ScanState::Colon { items: self.note_key(&key, at, window)? };
        Ok(true)
    }

    /// Whether the key is the one of the items.
    fn note_key(&mut self, key: &str, at: Position, window: &mut Window) -> Result<bool, InputFault> {
        let object = self.object.get_or_insert_default();
        let meaning = self.dialect.meaning_of(key);
        let decides = meaning == Meaning::Decides;
        if let Some(envelope) = object.envelope.filter(|_| decides) {
            return Err(InputFault::EnvelopeAndItem { at, envelope, key: shown_key(key) });
        }
        object.is_item |= decides;
        if let Some(envelope) = self.dialect.envelope_of(key).filter(|_| !object.is_item) {
            if object.envelope.replace(envelope).is_some() {
                return Err(InputFault::DuplicateItems { at, key: envelope });
            }
            window.held = 0;
            let found = object.keys.drain(..).zip(object.places.drain(..)).collect::<Vec<_>>();
            found.into_iter().for_each(|(key, at)| self.warn_of_key(key, at));
            return Ok(true);
        }
        if object.envelope.is_some() {
            self.warn_of_key(shown_key(key), at);
        } else if !object.has_item_key && object.keys.len() < MAX_SHOWN_KEYS {
            object.keys.push(shown_key(key));
            object.places.push(at);
        }
        if let Some(object) = &mut self.object {
            object.has_item_key |= meaning != Meaning::Unknown;
        }
        Ok(false)
    }

    /// The key of the array that is being read, or that is expected.
    fn envelope(&self) -> &'static str {
        self.object.as_ref().and_then(|object| object.envelope).unwrap_or_else(|| self.dialect.envelope())
    }

    fn warn_of_key(&mut self, key: String, at: Position) {
        if self.warned < MAX_SHOWN_KEYS && !self.dialect.stands_beside(&key) {
            self.warned += 1;
            self.warnings.push(WarningFault::UnknownKey { key, at });
        }
    }

    /// Follows an item, or a value that is of no interest, to its end. `false`: the window has
    /// only a part of it.
    fn follow_value(&mut self, window: &mut Window, batch: &mut ItemBatch) -> Result<bool, InputFault> {
        let scanned = self.splitter.scan(&window.bytes[window.at..]);
        match scanned {
            Err((length, broken)) => Err(self.broken_fault(window, window.at + length, broken)),
            Ok(Some(length)) => {
                let end = window.at + length;
                self.take_value(window.start, end, batch);
                self.advance(window, end - window.start);
                Ok(true)
            }
            Ok(None) => {
                window.at = window.bytes.len();
                self.drop_excess(window);
                Ok(false)
            }
        }
    }

    fn take_value(&mut self, start: usize, end: usize, batch: &mut ItemBatch) {
        if self.state == ScanState::Skip {
            self.state = ScanState::AfterValue;
            return;
        }
        self.state = ScanState::AfterElement;
        let too_long = self.dropped + (end - start) > self.max_item_bytes;
        self.push_item(start..end, too_long, batch);
    }

    fn push_item(&self, span: Range<usize>, too_long: bool, batch: &mut ItemBatch) {
        let fault = too_long.then_some(ItemFault::TooLong { limit: self.max_item_bytes, line: None });
        let end = if too_long { span.start } else { span.end };
        batch.items.push(RawItem {
            span: span.start..end,
            line: None,
            last_line: None,
            unterminated: false,
            fault,
        });
    }

    /// Whether the object at hand may turn out to be an item, so that all of it is needed.
    fn may_be_item(&self) -> bool {
        self.object.as_ref().is_some_and(|object| object.envelope.is_none() && object.dropped == 0)
    }

    /// Keeps memory bounded: what is not an item, or too long for one, is not kept.
    fn drop_excess(&mut self, window: &mut Window) {
        let length = self.dropped + window.at - window.start;
        let is_kept = self.state == ScanState::InElement || self.may_be_item();
        if is_kept && window.held + length <= self.max_item_bytes {
            return;
        }
        self.let_go(window);
        if window.at > window.start {
            self.place.pass(&window.bytes[window.start..window.at - 1]);
            let dropped = window.drop_unfinished();
            self.dropped += dropped;
            if let Some(object) = self.object.as_mut().filter(|object| object.envelope.is_none()) {
                object.dropped += dropped;
            }
        }
    }

    /// Stops to keep an object that is longer than any item.
    fn let_go(&mut self, window: &mut Window) {
        if let Some(object) = self.object.as_mut().filter(|object| object.envelope.is_none()) {
            object.dropped += std::mem::take(&mut window.held);
        }
    }

    fn advance(&mut self, window: &mut Window, length: usize) {
        let to = window.start + length;
        self.place.pass(&window.bytes[window.start..to]);
        window.advance(to);
        if self.may_be_item() {
            window.held += length;
            if window.held > self.max_item_bytes {
                self.let_go(window);
            }
        } else if let Some(object) = self.object.as_mut().filter(|object| object.envelope.is_none()) {
            object.dropped += length;
        }
    }

    fn position(&self, window: &Window, at: usize) -> Position {
        let mut place = self.place;
        place.pass(&window.bytes[window.start..at]);
        place.position()
    }

    fn broken_fault(&self, window: &Window, at: usize, broken: Broken) -> InputFault {
        let found = Found(window.bytes[at]);
        let at = self.position(window, at);
        match broken {
            Broken::TooDeep => InputFault::TooDeep { at, limit: MAX_DEPTH },
            Broken::Mismatched => InputFault::Mismatched { at, found },
        }
    }

    fn check_end(&self, window: &Window) -> Result<(), InputFault> {
        let at = self.position(window, window.bytes.len());
        let is_item =
            self.object.as_ref().is_some_and(|object| object.envelope.is_none() && object.has_item_key);
        let inside = match self.state {
            ScanState::Top => return Ok(()),
            ScanState::InElement | ScanState::Skip
                if self.splitter.is_in_string() && (is_item || self.state == ScanState::InElement) =>
            {
                "a string of an item"
            }
            ScanState::InElement => "an item",
            ScanState::Element { .. } | ScanState::AfterElement => "the array of items",
            _ if is_item => "an item",
            _ => "the envelope",
        };
        Err(InputFault::Truncated { at, inside })
    }
}

fn shown_key(key: &str) -> String {
    let shown: String = key.chars().take(MAX_SHOWN_KEY).flat_map(char::escape_debug).collect();
    let mut shown = invisible::escaped(&shown);
    if key.chars().nth(MAX_SHOWN_KEY).is_some() {
        shown.push('…');
    }
    shown
}

/// A place in the text, from 0.
#[derive(Debug, Clone, Copy)]
struct ElementPlace {
    byte: u64,
    line: u64,
    line_start: u64,
}

impl ElementPlace {
    /// Goes past these bytes.
    fn pass(&mut self, bytes: &[u8]) {
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
            self.line_start = self.byte + last as u64 + 1;
        }
        self.byte += bytes.len() as u64;
    }

    fn position(self) -> Position {
        Position { line: self.line, column: self.byte - self.line_start + 1, byte: self.byte + 1 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::super::tests::{Random, items_and_error, stdin};
    use super::super::{Input, InputName};
    use super::*;
    use crate::source::Items;
    use crate::types::Types;

    fn items() -> Arc<dyn Dialect> {
        Arc::new(Items::of(Types::BUILT_IN))
    }

    fn invent(random: &mut Random, depth: usize) -> Value {
        match random.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => Value::from(random.below(1_000)),
            2 => Value::from(-0.5),
            3 => Value::from(invent_string(random)),
            4 => (0..random.below(4)).map(|_| invent(random, depth - 1)).collect(),
            _ => {
                let member = |random: &mut Random| (invent_string(random), invent(random, depth - 1));
                Value::Object((0..random.below(4)).map(|_| member(random)).collect::<Map<_, _>>())
            }
        }
    }

    fn invent_string(random: &mut Random) -> String {
        let parts = ["\"", "\\", "{", "}", "[", "]", ",", ":", "a", "é", "\n", "\u{1F600}"];
        (0..random.below(8)).map(|_| parts[random.below(parts.len())]).collect()
    }

    /// Whatever the values are, and however they are set out, they are cut where a parser ends.
    #[test]
    fn items_are_those_of_a_parser() {
        let mut random = Random(7);
        for round in 0..40 {
            let values: Vec<Value> = (0..64).map(|_| invent(&mut random, 5)).collect();
            let batch = if round % 2 == 0 {
                Value::from(values.clone())
            } else {
                serde_json::json!({"count": [{"items": "]"}], "items": values, "more": {}})
            };
            let text = if round % 4 < 2 {
                serde_json::to_string(&batch).unwrap()
            } else {
                serde_json::to_string_pretty(&batch).unwrap()
            };
            let (seen, error) = items_and_error(stdin(text));
            assert!(error.is_none(), "{error:?}");
            let found: Vec<Value> = seen.iter().map(|item| item.json()).collect();
            assert_eq!(found, values);
        }
    }

    #[test]
    fn the_end_is_found_in_pieces_of_any_size() {
        let text = br#"{"a\\":["\"]}",{"b":[[],{}]}],"c":"\u005d"}"#;
        for size in 1..text.len() {
            let mut splitter = Splitter::new(text[0]).unwrap();
            let mut pieces = text.chunks(size).peekable();
            let mut passed = 0;
            while let Some(piece) = pieces.next() {
                let end = splitter.scan(piece).unwrap();
                assert_eq!(end.is_some(), pieces.peek().is_none());
                passed += end.unwrap_or(piece.len());
            }
            assert_eq!(passed, text.len());
        }
    }

    #[test]
    fn nesting_is_bounded_exactly() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(Splitter::whole(nested(MAX_DEPTH).as_bytes()), Some(2 * MAX_DEPTH));
        let mut splitter = Splitter::new(b'[').unwrap();
        let scanned = splitter.scan(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(scanned, Err((MAX_DEPTH, Broken::TooDeep)));
    }

    #[test]
    fn words_end_where_something_else_begins() {
        for (text, length) in
            [("12,", Some(2)), ("true]", Some(4)), ("null }", Some(4)), ("1e5", None), ("'a'", None)]
        {
            assert_eq!(Splitter::whole(text.as_bytes()), length, "{text}");
        }
    }

    /// A few bytes at a time, as from a pipe.
    struct SmallReads {
        rest: std::io::Cursor<Vec<u8>>,
        step: usize,
    }

    impl std::io::Read for SmallReads {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.step.min(out.len());
            std::io::Read::read(&mut self.rest, &mut out[..n])
        }
    }

    fn in_pieces(text: &str, step: usize) -> Input {
        let rest = std::io::Cursor::new(text.as_bytes().to_vec());
        Input::Ready(InputName::File("items.json".into()), Box::new(SmallReads { rest, step }))
    }

    /// Values at the top level, each written in its own way, and the items that they hold.
    fn invent_values(random: &mut Random) -> (String, Vec<Value>) {
        let (mut text, mut items) = (String::new(), Vec::new());
        for _ in 0..1 + random.below(6) {
            let mut inside: Vec<Value> = (0..random.below(4)).map(|_| invent(random, 2)).collect();
            let value = match random.below(4) {
                0 => Value::from(inside.clone()),
                1 => serde_json::json!({"items": inside}),
                2 => serde_json::json!({"count": {"items": [1]}, "ttl": [], "items": inside}),
                _ => {
                    let item = serde_json::json!({"x": invent(random, 2), "items_": "}", "request": invent(random, 3)});
                    inside = vec![item.clone()];
                    item
                }
            };
            items.extend(inside);
            let pretty = random.below(2) == 0;
            text +=
                &if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }
                    .unwrap();
            text += ["", " ", "\n", "\r\n\n", "\n\u{FEFF}", "\u{FEFF} "][random.below(6)];
        }
        (text, items)
    }

    /// Envelopes, arrays and single items one after the other give the items of each, however they are set out, and
    /// in pieces of any size.
    #[test]
    fn values_one_after_the_other_are_read() {
        let mut random = Random(11);
        for _ in 0..100 {
            let (text, items) = invent_values(&mut random);
            for step in [1, 3, 50, 100_000] {
                let (seen, error) = items_and_error(in_pieces(&text, step));
                let found: Vec<Value> = seen.iter().map(|item| item.json()).collect();
                assert_eq!(found, items, "{text}\nin steps of {step}: {error:?}");
                let only_no_items =
                    error.is_none_or(|error| items.is_empty() && error.to_string().contains("no items"));
                assert!(only_no_items, "{text}");
            }
        }
    }

    #[test]
    fn what_stands_between_values_is_named_with_its_place() {
        let item = r#"{"subject":{}}"#;
        for (text, message) in [
            (format!("{item},\n{item}"), "line 1, column 15 (byte 15): comma after the end of a JSON value"),
            (format!("{item}\n]"), "line 2, column 1 (byte 16): trailing data"),
            (format!("[]\n{item} x"), "line 2, column 16 (byte 19): trailing data"),
            (format!("{item}\u{FEFF}\u{200B}"), "line 1, column 18 (byte 18): trailing data"),
            (format!("{item}\n{{\"subject\":{{"), "unexpected end, inside an item"),
            (format!("{item}\n{{\"items\":[{item}"), "unexpected end, inside the array of items"),
            (r#"{"data":[1]}"#.to_owned(), "no 'items' array at the top level (found 'data')"),
            (r#"{"error":{"code":"x"}}"#.to_owned(), "no 'items' array at the top level (found 'error')"),
        ] {
            let (seen, error) = items_and_error(in_pieces(&text, 5));
            let error = error.unwrap_or_else(|| panic!("{text} is read: {seen:?}")).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    /// An object that is longer than any item fails as one, and takes no memory: it may be an envelope whose items
    /// are still to come.
    #[test]
    fn objects_longer_than_an_item_are_not_kept() {
        for (object, faulty) in [
            (r#"{"subject":{},"x":["LONG"],"y":"LONG"}"#, true),
            (r#"{"ttl":{},"x":["LONG"],"y":"LONG","items":[{"a":1}]}"#, false),
            (r#"{"subject":{},"x":["LONG"],"y":"LONG","items":[{"a":1}]}"#, true),
            (r#"{"LONG":1,"subject":{}}"#, true),
        ] {
            let long = "some text ".repeat(50);
            let text = format!("[1]{}[2]", object.replace("LONG", &long));
            let mut window = Window::new();
            let mut batch = ItemBatch::default();
            let mut cutter = JsonCutter::new(400, items());
            for piece in text.as_bytes().chunks(16) {
                window.bytes.extend_from_slice(piece);
                cutter.cut(&mut window, &mut batch).unwrap();
                // The first item stays in the window until the batch is handed out; a key is read whole.
                assert!(window.held <= 400 && window.bytes.len() - window.start <= 600);
            }
            window.ended = true;
            cutter.cut(&mut window, &mut batch).unwrap();
            let faults: Vec<bool> = batch.items.iter().map(|item| item.fault.is_some()).collect();
            assert_eq!(faults, [false, faulty, false], "{object}");
        }
    }

    /// What is skipped takes no memory, and does not disturb the places in messages.
    #[test]
    fn skipped_values_are_not_kept() {
        let mut window = Window::new();
        let mut batch = ItemBatch::default();
        let mut cutter = JsonCutter::new(1_000, items());
        window.bytes = b"{\"x\":[\n".to_vec();
        for _ in 0..1_000 {
            cutter.cut(&mut window, &mut batch).unwrap();
            // Up to the longest item, the object may be one.
            assert!(window.bytes.len() <= 1_100);
            window.bytes.extend_from_slice(b"\"some text\",\n");
        }
        window.bytes.extend_from_slice(b"0],\"items\":[1 2]}");
        let fault = cutter.cut(&mut window, &mut batch).unwrap_err();
        assert!(fault.to_string().starts_with("not JSON at line 1002, column 15 (byte 13022): "), "{fault}");
    }
}
