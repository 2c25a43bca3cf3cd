//! JSON: the envelope `{"items":[…]}` or a bare array, cut into elements without being parsed.

use super::Format;
use super::chunk::RawItem;
use super::error::{Found, InputFault, ItemFault, Position, WarningFault};
use super::feed::{Batch, Window};
use super::sniff::is_item_key;

/// The deepest nesting of one item.
const MAX_DEPTH: usize = 1024;
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
    /// The key of the array in the envelope.
    envelope: &'static str,
    state: State,
    /// Whether the array of items stands in an envelope.
    enveloped: bool,
    seen_items: bool,
    /// The first keys of the envelope.
    keys: Vec<String>,
    splitter: Splitter,
    /// How much of the unfinished value was dropped.
    dropped: usize,
    /// The place of the window's start.
    place: Place,
    /// The last comma between items or members.
    comma: Position,
    warnings: Vec<WarningFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
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
    /// After an object that turned out not to be an envelope, which ended on this line.
    NoEnvelope {
        line: u64,
    },
    End,
}

impl JsonCutter {
    pub(super) fn new(max_item_bytes: usize, envelope: &'static str) -> Self {
        let place = Place { byte: 0, line: 1, line_start: 0 };
        Self {
            max_item_bytes,
            envelope,
            state: State::Start,
            enveloped: false,
            seen_items: false,
            keys: Vec::new(),
            splitter: Splitter::default(),
            dropped: 0,
            comma: place.position(),
            place,
            warnings: Vec::new(),
        }
    }

    pub(super) fn take_warnings(&mut self) -> Vec<WarningFault> {
        std::mem::take(&mut self.warnings)
    }

    pub(super) fn cut(&mut self, window: &mut Window, batch: &mut Batch) -> Result<(), InputFault> {
        while !batch.is_full(window) {
            let went_on = match self.state {
                State::Skip | State::InElement => self.follow_value(window, batch)?,
                _ => self.step(window)?,
            };
            if !went_on {
                return if window.ended { self.check_end(window) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Takes one token outside the items. `false`: the window has none.
    fn step(&mut self, window: &mut Window) -> Result<bool, InputFault> {
        let rest = &window.bytes[window.start..];
        let white = rest.iter().position(|byte| !is_white(*byte)).unwrap_or(rest.len());
        self.advance(window, white);
        let Some(&byte) = window.bytes.get(window.start) else { return Ok(false) };
        if let State::Key { .. } = self.state
            && byte == b'"'
        {
            return self.read_key(window);
        }
        let at = self.place.position();
        self.state = self.next_state(byte, at)?;
        if !matches!(self.state, State::Skip | State::InElement) {
            self.advance(window, 1);
        }
        Ok(true)
    }

    fn next_state(&mut self, byte: u8, at: Position) -> Result<State, InputFault> {
        let found = Found(byte);
        let unexpected = |expected| Err(InputFault::NotJson { at, found, expected });
        match (self.state, byte) {
            (State::Start, b'{') => {
                self.enveloped = true;
                Ok(State::Key { first: true })
            }
            (State::Start, b'[') => Ok(State::Element { first: true }),
            (State::Start, _) => unexpected("'{' or '['"),
            (State::Key { first: true }, b'}') => Ok(self.close_envelope()),
            (State::Key { first: false }, b'}') => Err(InputFault::TrailingComma(self.comma)),
            (State::Key { .. }, _) => unexpected("a key in double quotes"),
            (State::Colon { items }, b':') => Ok(State::Value { items }),
            (State::Colon { .. }, _) => unexpected("':'"),
            (State::Value { items: true }, b'[') => Ok(State::Element { first: true }),
            (State::Value { items: true }, _) => {
                Err(InputFault::ItemsNotArray { key: self.envelope, at, found })
            }
            (State::Value { items: false }, _) => self.begin_value(byte, State::Skip, at),
            (State::AfterValue, b',') => Ok(self.pass_comma(at, State::Key { first: false })),
            (State::AfterValue, b'}') => Ok(self.close_envelope()),
            (State::AfterValue, b'"') => Err(InputFault::MissingComma { at, found }),
            (State::AfterValue, _) => unexpected("',' or '}'"),
            (State::Element { first: true }, b']') => Ok(self.close_array()),
            (State::Element { first: false }, b']') => Err(InputFault::TrailingComma(self.comma)),
            (State::Element { .. }, _) => self.begin_value(byte, State::InElement, at),
            (State::AfterElement, b',') => Ok(self.pass_comma(at, State::Element { first: false })),
            (State::AfterElement, b']') => Ok(self.close_array()),
            (State::AfterElement, b'{' | b'[' | b'"') => Err(InputFault::MissingComma { at, found }),
            (State::AfterElement, _) => unexpected("',' or ']'"),
            (State::NoEnvelope { line }, _) => Err(self.no_envelope(line, at)),
            (State::End, _) => Err(InputFault::TrailingData(at)),
            (State::Skip | State::InElement, _) => unreachable!("a value is followed, not stepped through"),
        }
    }

    fn begin_value(&mut self, byte: u8, state: State, at: Position) -> Result<State, InputFault> {
        let found = Found(byte);
        let splitter = Splitter::new(byte);
        self.splitter = splitter.ok_or(InputFault::NotJson { at, found, expected: "a value" })?;
        self.dropped = 0;
        Ok(state)
    }

    fn pass_comma(&mut self, at: Position, next: State) -> State {
        self.comma = at;
        next
    }

    fn close_array(&mut self) -> State {
        if self.enveloped { State::AfterValue } else { State::End }
    }

    fn close_envelope(&mut self) -> State {
        if self.seen_items { State::End } else { State::NoEnvelope { line: self.place.line } }
    }

    /// What an object without `items` is, when something follows it at `at`.
    fn no_envelope(&self, line: u64, at: Position) -> InputFault {
        if !self.begins_like_item() {
            self.no_items_array()
        } else if at.line > line {
            InputFault::LooksLike { found: Format::Ndjson, expected: Format::Json }
        } else {
            InputFault::TrailingData(at)
        }
    }

    fn begins_like_item(&self) -> bool {
        self.keys.first().is_some_and(|key| is_item_key(key))
    }

    fn no_items_array(&self) -> InputFault {
        InputFault::NoItemsArray { key: self.envelope, keys: self.keys.clone() }
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
        self.state = State::Colon { items: self.note_key(&key, at)? };
        Ok(true)
    }

    /// Whether the key is the one of the items.
    fn note_key(&mut self, key: &str, at: Position) -> Result<bool, InputFault> {
        if key == self.envelope {
            if std::mem::replace(&mut self.seen_items, true) {
                return Err(InputFault::DuplicateItems { at, key: self.envelope });
            }
            return Ok(true);
        }
        if self.keys.len() < MAX_SHOWN_KEYS {
            let key = shown_key(key);
            self.keys.push(key.clone());
            self.warnings.push(WarningFault::UnknownKey { key, at });
        }
        Ok(false)
    }

    /// Follows an item, or a value that is of no interest, to its end. `false`: the window has
    /// only a part of it.
    fn follow_value(&mut self, window: &mut Window, batch: &mut Batch) -> Result<bool, InputFault> {
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

    fn take_value(&mut self, start: usize, end: usize, batch: &mut Batch) {
        if self.state == State::Skip {
            self.state = State::AfterValue;
            return;
        }
        self.state = State::AfterElement;
        let too_long = self.dropped + (end - start) > self.max_item_bytes;
        let fault = too_long.then_some(ItemFault::TooLong { limit: self.max_item_bytes, line: None });
        let end = if too_long { start } else { end };
        batch.items.push(RawItem {
            span: start..end,
            line: None,
            last_line: None,
            unterminated: false,
            fault,
        });
    }

    /// Keeps memory bounded: what is not an item, or too long for one, is not kept.
    fn drop_excess(&mut self, window: &mut Window) {
        let length = self.dropped + window.at - window.start;
        if (self.state == State::Skip || length > self.max_item_bytes) && window.at > window.start {
            self.place.pass(&window.bytes[window.start..window.at - 1]);
            self.dropped += window.drop_unfinished();
        }
    }

    fn advance(&mut self, window: &mut Window, length: usize) {
        let to = window.start + length;
        self.place.pass(&window.bytes[window.start..to]);
        window.advance(to);
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
        let inside = match self.state {
            State::Start | State::End => return Ok(()),
            State::NoEnvelope { .. } if self.begins_like_item() => return Err(InputFault::OneItem),
            State::NoEnvelope { .. } => return Err(self.no_items_array()),
            State::InElement if self.splitter.is_in_string() => "a string of an item",
            State::InElement => "an item",
            State::Element { .. } | State::AfterElement => "the array of items",
            _ => "the envelope",
        };
        Err(InputFault::Truncated { at, inside })
    }
}

fn shown_key(key: &str) -> String {
    let mut shown: String = key.chars().take(MAX_SHOWN_KEY).flat_map(char::escape_debug).collect();
    if key.chars().nth(MAX_SHOWN_KEY).is_some() {
        shown.push('…');
    }
    shown
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A place in the text, from 0.
#[derive(Debug, Clone, Copy)]
struct Place {
    byte: u64,
    line: u64,
    line_start: u64,
}

impl Place {
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

/// Finds the end of one JSON value, in as many pieces as it comes. It looks at strings and
/// brackets only; what else is wrong with the value is for the parser to say.
#[derive(Debug)]
pub(super) struct Splitter {
    /// A number or a word: it ends where something else begins.
    is_scalar: bool,
    in_string: bool,
    escaped: bool,
    depth: usize,
    /// One bit for each open bracket: whether it is `[`.
    arrays: [u64; MAX_DEPTH / 64],
}

/// What makes the end of a value uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    TooDeep,
    Mismatched,
}

impl Default for Splitter {
    fn default() -> Self {
        Self { is_scalar: false, in_string: false, escaped: false, depth: 0, arrays: [0; MAX_DEPTH / 64] }
    }
}

impl Splitter {
    /// For a value that begins with this byte; `None` where no value begins with it.
    fn new(first: u8) -> Option<Self> {
        match first {
            b'{' | b'[' | b'"' => Some(Self::default()),
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                Some(Self { is_scalar: true, ..Self::default() })
            }
            _ => None,
        }
    }

    /// The length of the value that `text` begins with, if all of it is there.
    pub(super) fn whole(text: &[u8]) -> Option<usize> {
        Self::new(*text.first()?)?.scan(text).ok()?
    }

    fn is_in_string(&self) -> bool {
        self.in_string
    }

    /// Goes on through the next piece of the text, which starts with the value's first byte the
    /// first time. Returns how much of it belongs to the value, if the value ends there.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, Broken)> {
        if self.is_scalar {
            return Ok(bytes.iter().position(|byte| is_white(*byte) || matches!(byte, b',' | b']' | b'}')));
        }
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                let Some(after) = self.scan_string(bytes, at) else { return Ok(None) };
                at = after;
                if self.in_string || self.depth > 0 {
                    continue;
                }
                return Ok(Some(at));
            }
            let Some(length) = bytes[at..].iter().position(|byte| IS_STRUCTURAL[usize::from(*byte)]) else {
                return Ok(None);
            };
            at += length;
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' => self.open(false).map_err(|broken| (at, broken))?,
                b'[' => self.open(true).map_err(|broken| (at, broken))?,
                close => self.close(close == b']').map_err(|broken| (at, broken))?,
            }
            at += 1;
            if self.depth == 0 && !self.in_string {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Goes to the end of the string, or past an escape in it; `None`: the piece ends first.
    fn scan_string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            self.in_string = false;
        } else {
            self.escaped = true;
        }
        Some(at + 1)
    }

    fn open(&mut self, is_array: bool) -> Result<(), Broken> {
        if self.depth == MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        let bit = 1 << (self.depth % 64);
        let word = &mut self.arrays[self.depth / 64];
        *word = if is_array { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, is_array: bool) -> Result<(), Broken> {
        let Some(depth) = self.depth.checked_sub(1) else { return Err(Broken::Mismatched) };
        if (self.arrays[depth / 64] >> (depth % 64) & 1 == 1) != is_array {
            return Err(Broken::Mismatched);
        }
        self.depth = depth;
        Ok(())
    }
}

/// The bytes outside strings that decide where a value ends.
static IS_STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::super::tests::{Random, items_and_error, stdin};
    use super::*;

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

    /// What is skipped takes no memory, and does not disturb the places in messages.
    #[test]
    fn skipped_values_are_not_kept() {
        let mut window = Window::new();
        let mut batch = Batch::default();
        let mut cutter = JsonCutter::new(1_000, "items");
        window.bytes = b"{\"x\":[\n".to_vec();
        for _ in 0..1_000 {
            cutter.cut(&mut window, &mut batch).unwrap();
            assert!(window.bytes.len() < 100);
            window.bytes.extend_from_slice(b"\"some text\",\n");
        }
        window.bytes.extend_from_slice(b"0],\"items\":[1 2]}");
        let fault = cutter.cut(&mut window, &mut batch).unwrap_err();
        assert!(fault.to_string().starts_with("not JSON at line 1002, column 15 (byte 13022): "), "{fault}");
    }
}
