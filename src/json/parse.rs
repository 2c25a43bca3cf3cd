//! The parser.

use std::collections::HashSet;

use super::document::{Document, Fault, FaultKind, Kind, Node, inside};
use super::escape::{parse_hex, plain_length, unescape};

/// The deepest nesting of arrays and objects in an item.
pub const MAX_DEPTH: usize = 64;

/// The longest number, in characters. No share of a company needs more, and a verifier's parser
/// would round it.
const MAX_NUMBER_CHARS: usize = 64;

/// The most faults that are listed; a text with more is not worth the time.
const MAX_FAULTS: usize = 100;

/// Objects with more keys than this are searched for repeated ones by hashing alone.
const FEW_KEYS: usize = 32;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at column {column}")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: SyntaxProblem,
    /// The byte at which it shows, counted from 0.
    pub offset: usize,
    /// The same place in characters, counted from 1.
    pub column: usize,
}

/// What is wrong with a text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxProblem {
    /// The text stops in the middle of a value.
    #[error("unexpected end of the JSON text")]
    UnexpectedEnd,
    /// Something else stands where this was expected.
    #[error("not JSON: expected {0}")]
    Expected(&'static str),
    /// A character below U+0020 inside a string; RFC 8259 wants it escaped.
    #[error("control character in a string (write it as an escape such as \\n)")]
    ControlCharacter,
    /// A backslash followed by something that is no escape.
    #[error("unknown escape in a string")]
    BadEscape,
    /// Arrays and objects inside each other beyond [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A number longer than any verifier reads exactly.
    #[error("a number of more than {MAX_NUMBER_CHARS} characters")]
    LongNumber,
    /// More text after the value.
    #[error("more text after the end of the JSON value")]
    TrailingText,
}

/// A parser whose buffers are used again for each text.
#[derive(Debug, Default)]
pub struct Parser {
    nodes: Vec<Node>,
    faults: Vec<Fault>,
    /// The arrays and objects that are open, as indices of their nodes.
    open: Vec<u32>,
    /// How many levels are allowed beyond [`MAX_DEPTH`].
    spare_depth: usize,
}

impl Parser {
    /// A parser for payloads of tokens, where the claims of an item that is as deep as allowed stand
    /// a little deeper.
    pub fn for_tokens() -> Parser {
        Parser { spare_depth: 2, ..Parser::default() }
    }

    /// Parses one JSON text.
    ///
    /// # Errors
    /// Where the text is not JSON by RFC 8259, or goes beyond a limit of this module. Faults that
    /// leave the structure clear are not errors: see [`Document::faults`].
    pub fn parse<'a>(&'a mut self, text: &'a str) -> Result<Document<'a>, SyntaxError> {
        self.nodes.clear();
        self.faults.clear();
        self.open.clear();
        let mut cursor = Cursor { text, bytes: text.as_bytes(), at: 0, saw_space: false };
        match self.run(&mut cursor) {
            Ok(()) => {
                Ok(Document { text, nodes: &self.nodes, faults: &self.faults, compact: !cursor.saw_space })
            }
            Err(problem) => {
                let offset = cursor.at.min(text.len());
                let before = &text.as_bytes()[..offset];
                let column = 1 + before.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
                Err(SyntaxError { problem, offset, column })
            }
        }
    }

    fn run(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        cursor.skip_space();
        self.value(cursor)?;
        while let Some(&container) = self.open.last() {
            match self.nodes[container as usize].kind {
                Kind::Object => self.member(cursor, container)?,
                _ => self.element(cursor, container)?,
            }
        }
        cursor.skip_space();
        if cursor.at < cursor.bytes.len() { Err(SyntaxProblem::TrailingText) } else { Ok(()) }
    }

    /// Reads the next member of an object, or its end.
    fn member(&mut self, cursor: &mut Cursor<'_>, object: u32) -> Result<(), SyntaxProblem> {
        cursor.skip_space();
        let first = self.nodes.len() == object as usize + 1;
        match cursor.peek() {
            Some(b'}') => {
                cursor.at += 1;
                self.check_keys(cursor, object);
                self.close(cursor);
                return Ok(());
            }
            Some(b',') if !first => {
                cursor.at += 1;
                cursor.skip_space();
            }
            Some(_) if first => {}
            Some(_) => return Err(SyntaxProblem::Expected("',' or '}' after a member of an object")),
            None => return Err(SyntaxProblem::UnexpectedEnd),
        }
        match cursor.peek() {
            Some(b'"') => self.string(cursor)?,
            Some(b'}') => return Err(SyntaxProblem::Expected("a member after ',' (trailing comma)")),
            Some(_) => return Err(SyntaxProblem::Expected("a key in double quotes")),
            None => return Err(SyntaxProblem::UnexpectedEnd),
        }
        cursor.skip_space();
        cursor.expect(b':', "':' after a key")?;
        cursor.skip_space();
        self.value(cursor)
    }

    /// Reads the next element of an array, or its end.
    fn element(&mut self, cursor: &mut Cursor<'_>, array: u32) -> Result<(), SyntaxProblem> {
        cursor.skip_space();
        let first = self.nodes.len() == array as usize + 1;
        match cursor.peek() {
            Some(b']') => {
                cursor.at += 1;
                self.close(cursor);
                return Ok(());
            }
            Some(b',') if !first => {
                cursor.at += 1;
                cursor.skip_space();
                if cursor.peek() == Some(b']') {
                    return Err(SyntaxProblem::Expected("an element after ',' (trailing comma)"));
                }
            }
            Some(_) if first => {}
            Some(_) => return Err(SyntaxProblem::Expected("',' or ']' after an element of an array")),
            None => return Err(SyntaxProblem::UnexpectedEnd),
        }
        self.value(cursor)
    }

    /// Reads a scalar whole, or opens an array or object.
    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        match cursor.peek() {
            Some(b'"') => self.string(cursor),
            Some(b'{') => self.open(cursor, Kind::Object),
            Some(b'[') => self.open(cursor, Kind::Array),
            Some(b't') => self.word(cursor, b"true", Kind::Boolean(true)),
            Some(b'f') => self.word(cursor, b"false", Kind::Boolean(false)),
            Some(b'n') => self.word(cursor, b"null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(cursor),
            Some(_) => Err(SyntaxProblem::Expected("a JSON value")),
            None => Err(SyntaxProblem::UnexpectedEnd),
        }
    }

    fn open(&mut self, cursor: &mut Cursor<'_>, kind: Kind) -> Result<(), SyntaxProblem> {
        if self.open.len() == MAX_DEPTH + self.spare_depth {
            return Err(SyntaxProblem::TooDeep);
        }
        self.open.push(self.nodes.len() as u32);
        self.nodes.push(Node { kind, escaped: false, start: cursor.at as u32, end: 0, next: 0 });
        cursor.at += 1;
        Ok(())
    }

    fn close(&mut self, cursor: &Cursor<'_>) {
        if let Some(container) = self.open.pop() {
            let next = self.nodes.len() as u32;
            let node = &mut self.nodes[container as usize];
            node.end = cursor.at as u32;
            node.next = next;
        }
    }

    fn push_scalar(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped, start: start as u32, end: end as u32, next });
    }

    fn word(&mut self, cursor: &mut Cursor<'_>, word: &[u8], kind: Kind) -> Result<(), SyntaxProblem> {
        let start = cursor.at;
        for &expected in word {
            match cursor.peek() {
                Some(found) if found == expected => cursor.at += 1,
                Some(_) => return Err(SyntaxProblem::Expected("a JSON value")),
                None => return Err(SyntaxProblem::UnexpectedEnd),
            }
        }
        self.push_scalar(kind, false, start, cursor.at);
        Ok(())
    }

    fn number(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        let start = cursor.at;
        if cursor.peek() == Some(b'-') {
            cursor.at += 1;
        }
        match cursor.peek() {
            Some(b'0') => {
                cursor.at += 1;
                if let Some(b'0'..=b'9') = cursor.peek() {
                    return Err(SyntaxProblem::Expected("a number without leading zeros"));
                }
            }
            _ => cursor.digits()?,
        }
        if cursor.peek() == Some(b'.') {
            cursor.at += 1;
            cursor.digits()?;
        }
        if let Some(b'e' | b'E') = cursor.peek() {
            cursor.at += 1;
            if let Some(b'+' | b'-') = cursor.peek() {
                cursor.at += 1;
            }
            cursor.digits()?;
        }
        if cursor.at - start > MAX_NUMBER_CHARS {
            cursor.at = start;
            return Err(SyntaxProblem::LongNumber);
        }
        self.push_scalar(Kind::Number, false, start, cursor.at);
        Ok(())
    }

    fn string(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        let start = cursor.at;
        cursor.at += 1;
        let mut escaped = false;
        loop {
            cursor.skip_plain();
            match cursor.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape(cursor)?;
                }
                Some(_) => return Err(SyntaxProblem::ControlCharacter),
                None => return Err(SyntaxProblem::UnexpectedEnd),
            }
        }
        cursor.at += 1;
        self.push_scalar(Kind::String, escaped, start, cursor.at);
        Ok(())
    }

    fn escape(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        match cursor.bytes.get(cursor.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                cursor.at += 2;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(cursor),
            Some(_) => Err(SyntaxProblem::BadEscape),
            None => Err(SyntaxProblem::UnexpectedEnd),
        }
    }

    fn unicode_escape(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxProblem> {
        let unit = cursor.code_unit()?;
        let fault = match unit {
            0 => Some(FaultKind::Nul),
            0xD800..=0xDBFF => match cursor.low_surrogate()? {
                true => None,
                false => Some(FaultKind::LoneSurrogate),
            },
            0xDC00..=0xDFFF => Some(FaultKind::LoneSurrogate),
            _ => None,
        };
        if let Some(kind) = fault {
            // The string's own node comes next: it is pushed when its closing quote is found.
            self.note(kind, self.nodes.len() as u32);
        }
        Ok(())
    }

    fn note(&mut self, kind: FaultKind, node: u32) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { kind, node });
        }
    }

    /// Lists the keys of an object that stand in it already.
    fn check_keys(&mut self, cursor: &Cursor<'_>, object: u32) {
        if self.keys_may_repeat(cursor, object) {
            self.note_repeated_keys(cursor, object);
        }
    }

    /// A quick look at the marks of keys, which is enough for almost every object: a few keys, none like another.
    fn keys_may_repeat(&self, cursor: &Cursor<'_>, object: u32) -> bool {
        let mut marks = [0; FEW_KEYS];
        let mut count = 0;
        let mut at = object + 1;
        while let Some(&key) = self.nodes.get(at as usize) {
            let mark = mark(cursor.inside(key).as_bytes());
            if key.escaped || count == FEW_KEYS || marks[..count].contains(&mark) {
                return true;
            }
            marks[count] = mark;
            count += 1;
            at = self.nodes[at as usize + 1].next;
        }
        false
    }

    fn note_repeated_keys(&mut self, cursor: &Cursor<'_>, object: u32) {
        let mut seen = HashSet::new();
        let mut at = object + 1;
        while let Some(&key) = self.nodes.get(at as usize) {
            if !seen.insert(unescape(cursor.inside(key))) {
                self.note(FaultKind::DuplicateKey, at);
            }
            at = self.nodes[at as usize + 1].next;
        }
    }
}

/// A number that equal keys share, and different ones hardly ever: their length and both their ends.
fn mark(key: &[u8]) -> u64 {
    let ends = match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32),
        _ => key.iter().fold(0, |ends, &byte| ends << 8 | u64::from(byte)),
    };
    ends.wrapping_add(key.len() as u64)
}

/// A place in the text.
struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether any white space stood outside strings.
    saw_space: bool,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.saw_space = true;
            self.at += 1;
        }
    }

    /// Skips the part of a string that is neither its end, nor an escape, nor forbidden.
    fn skip_plain(&mut self) {
        self.at += plain_length(&self.bytes[self.at..]);
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), SyntaxProblem> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(SyntaxProblem::Expected(what)),
            None => Err(SyntaxProblem::UnexpectedEnd),
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxProblem> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            Some(_) => Err(SyntaxProblem::Expected("a digit")),
            None => Err(SyntaxProblem::UnexpectedEnd),
        }
    }

    /// Reads `\uXXXX`, standing on its backslash.
    fn code_unit(&mut self) -> Result<u16, SyntaxProblem> {
        let Some(digits) = self.bytes.get(self.at + 2..self.at + 6) else {
            return Err(SyntaxProblem::UnexpectedEnd);
        };
        let unit = parse_hex(digits).ok_or(SyntaxProblem::BadEscape)?;
        self.at += 6;
        Ok(unit)
    }

    /// Reads the second half of a surrogate pair, if it is there.
    fn low_surrogate(&mut self) -> Result<bool, SyntaxProblem> {
        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
            return Ok(false);
        }
        let back = self.at;
        let found = (0xDC00..=0xDFFF).contains(&self.code_unit()?);
        if !found {
            self.at = back; // another escape: it is read in its own right
        }
        Ok(found)
    }

    /// A string's text between its quotes.
    fn inside(&self, node: Node) -> &'a str {
        inside(self.text, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compact(text: &str) -> Result<String, SyntaxError> {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        parser.parse(text)?.root().write_compact(&mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    fn faults(text: &str) -> Vec<(FaultKind, String)> {
        let mut parser = Parser::default();
        let document = parser.parse(text).unwrap();
        document.faults().iter().map(|&fault| (fault.kind, document.pointer(fault))).collect()
    }

    #[test]
    fn white_space_goes_and_spelling_stays() {
        assert_eq!(
            compact(" { \"a\" : [ 1.50 , 2e+1 , { } , [ ] ] , \"\\u0062\" : \"x y\" }\r\n").unwrap(),
            r#"{"a":[1.50,2e+1,{},[]],"\u0062":"x y"}"#
        );
    }

    #[test]
    fn faults_carry_their_place() {
        assert_eq!(
            faults(r#"{"a":1,"b":{"ttl":1,"\u0074tl":2}}"#),
            [(FaultKind::DuplicateKey, "/b/ttl".into())]
        );
        assert_eq!(faults(r#"[0,{"x/y":["\ud83d"]}]"#), [(FaultKind::LoneSurrogate, "/1/x~1y/0".into())]);
        assert_eq!(faults(r#"["\udc00","\uD83D\u0041","\ud842\udfb7"]"#).len(), 2);
        assert_eq!(faults(r#"{"a":"\u0000"}"#), [(FaultKind::Nul, "/a".into())]);
    }

    #[test]
    fn many_keys_are_compared_by_hash() {
        let members: Vec<String> = (0..500).map(|n| format!(r#""k{n}":0"#)).collect();
        let text = format!(r#"{{{},"\u006b7":1}}"#, members.join(","));
        assert_eq!(faults(&text), [(FaultKind::DuplicateKey, "/k7".into())]);
    }

    #[test]
    fn few_keys_repeat_only_where_they_are_the_same() {
        let alike = ["credential-of-a-subject", "credential_of-a-subject"];
        assert_eq!(
            mark(alike[0].as_bytes()),
            mark(alike[1].as_bytes()),
            "the marks tell nothing of the middle"
        );
        for (second, repeats) in
            [(alike[1], false), (alike[0], true), ("credential\\u002dof-a-subject", true)]
        {
            let found = faults(&format!(r#"{{"{}":0,"":1,"a":2,"{second}":3}}"#, alike[0]));
            assert_eq!(!found.is_empty(), repeats, "{second}");
        }
        for key in ["", "a", "eightlen", "nine bytes"] {
            assert_eq!(faults(&format!(r#"{{"{key}":0,"b":1,"{key}":2}}"#)).len(), 1, "{key}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(compact(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(compact(&deep(MAX_DEPTH + 1)).unwrap_err().problem, SyntaxProblem::TooDeep);
        assert_eq!(compact(&"[".repeat(100_000)).unwrap_err().problem, SyntaxProblem::TooDeep);
    }

    #[test]
    fn columns_count_characters() {
        let error = compact("{\"é\":\"日\" x").unwrap_err();
        assert_eq!((error.offset, error.column), (12, 10));
    }

    proptest! {
        /// Whatever serde_json refuses is refused here, and what both read is the same value.
        #[test]
        fn agrees_with_serde_json(text in r#"([\[\]{},:"\\ 0-9eE+.tu-]|true|null|"a"|"b":|\\u00e9|\\ud83d){0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let mut parser = Parser::default();
            match parser.parse(&text) {
                Err(_) => prop_assert!(theirs.is_err(), "{text} was refused"),
                Ok(document) if document.faults().is_empty() => {
                    let mut out = Vec::new();
                    document.root().write_compact(&mut out);
                    match theirs {
                        Ok(value) => prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), value),
                        Err(error) => prop_assert!(error.to_string().contains("number out of range"), "{error}: {text}"),
                    }
                }
                Ok(_) => {}
            }
        }
    }
}
