//! What the parser makes: values with their places in the text.

use std::borrow::Cow;
use std::fmt;

use super::escape::unescape;
use super::write::push_str;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean(bool),
    /// `null`.
    Null,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Boolean(true) => "true",
            Kind::Boolean(false) => "false",
            Kind::Null => "null",
        })
    }
}

/// A value's place in the text, and where the values after it begin.
///
/// Nodes stand in the order of the text. An object's members are a key node and a value node in
/// turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Whether a string holds escapes, so that its text is not its value.
    pub(super) escaped: bool,
    /// First byte; of a string, its opening quote.
    pub(super) start: u32,
    /// The byte after the last.
    pub(super) end: u32,
    /// The index of the node after this value and all it holds.
    pub(super) next: u32,
}

/// A fault that leaves the structure clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    pub(super) node: u32,
}

/// What is wrong with a well-formed text that nobody should sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The same key twice in one object: parsers differ in which one counts.
    #[error("duplicate key")]
    DuplicateKey,
    /// U+0000, written as an escape.
    #[error("NUL character in a string")]
    Nul,
    /// Half of a UTF-16 surrogate pair, which is no character.
    #[error("lone surrogate in a string (half of a \\u pair)")]
    LoneSurrogate,
}

/// A parsed text.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) nodes: &'a [Node],
    pub(super) faults: &'a [Fault],
    /// Whether no white space stands outside strings.
    pub(super) compact: bool,
}

impl<'a> Document<'a> {
    /// The value that the text is.
    pub fn root(self) -> Value<'a> {
        Value { document: self, node: 0 }
    }

    /// The faults that leave the structure clear, in the order in which they were found.
    pub fn faults(self) -> &'a [Fault] {
        self.faults
    }

    /// The JSON Pointer (RFC 6901) of a fault: of the value with the bad string, or of the member
    /// whose key is repeated.
    pub fn pointer(self, fault: Fault) -> String {
        let mut pointer = String::new();
        self.descend(0, fault.node, &mut pointer);
        pointer
    }

    /// Extends `pointer` from the node `at` towards the node `target`, which lies inside it.
    fn descend(self, at: u32, target: u32, pointer: &mut String) {
        let is_object = self.nodes[at as usize].kind == Kind::Object;
        let (mut child, mut position) = (at + 1, 0);
        while child < self.nodes[at as usize].next {
            let value = if is_object { child + 1 } else { child };
            if target < self.nodes[value as usize].next {
                pointer.push('/');
                match is_object {
                    true => push_pointer_segment(pointer, &self.string(child)),
                    false => pointer.push_str(&position.to_string()),
                }
                if target > value {
                    self.descend(value, target, pointer);
                }
                return;
            }
            child = self.nodes[value as usize].next;
            position += 1;
        }
    }

    fn string(self, node: u32) -> Cow<'a, str> {
        let node = self.nodes[node as usize];
        let inner = inside(self.text, node);
        if node.escaped { unescape(inner) } else { Cow::Borrowed(inner) }
    }
}

/// Appends a member name as a segment of a JSON Pointer (RFC 6901 section 3).
pub(crate) fn push_pointer_segment(pointer: &mut String, name: &str) {
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The JSON Pointer of a member of what stands at a place.
pub(crate) fn pointer_to(place: &str, name: &str) -> String {
    let mut pointer = format!("{place}/");
    push_pointer_segment(&mut pointer, name);
    pointer
}

/// The names and numbers in a JSON Pointer (RFC 6901 section 4).
pub(crate) fn pointer_segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

/// A value in a document.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    document: Document<'a>,
    node: u32,
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        self.document.nodes[self.node as usize]
    }

    /// Whether the value is free of faults of its own, such as half a surrogate pair in a string.
    pub fn is_sound(self) -> bool {
        self.document.faults.iter().all(|fault| fault.node != self.node)
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The value as it is written.
    pub fn text(self) -> &'a str {
        let node = self.node();
        &self.document.text[node.start as usize..node.end as usize]
    }

    /// The value of a string; `None` for anything else.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| self.document.string(self.node))
    }

    /// The members of an object, in the order of the text; none for anything else.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        self.entries().map(move |(key, value)| (self.document.string(key.node), value))
    }

    /// As [`Value::members`], with the names as values, which tell how they are written.
    pub fn entries(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let at = move |node| Value { document: self.document, node };
        self.children(Kind::Object, 2).map(move |key| (at(key), at(key + 1)))
    }

    /// The elements of an array; none for anything else.
    pub fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.children(Kind::Array, 1).map(move |node| Value { document: self.document, node })
    }

    /// The member of this name, if the value is an object that has it. The first one counts; a
    /// document with two has a fault.
    pub fn member(self, name: &str) -> Option<Value<'a>> {
        self.members().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The first nodes of the children, which take `width` nodes and what they hold.
    fn children(self, kind: Kind, width: u32) -> impl Iterator<Item = u32> {
        let node = self.node();
        let end = if node.kind == kind { node.next } else { 0 };
        let mut at = self.node + 1;
        std::iter::from_fn(move || {
            let child = at;
            (child < end).then(|| {
                at = self.document.nodes[(child + width - 1) as usize].next;
                child
            })
        })
    }

    /// Appends the value without white space between its tokens; strings and numbers as written.
    pub fn write_compact(self, out: &mut Vec<u8>) {
        if self.document.compact {
            out.extend_from_slice(self.text().as_bytes());
            return;
        }
        match self.kind() {
            Kind::Object => {
                let mut separator = b'{';
                for key in self.children(Kind::Object, 2) {
                    out.push(separator);
                    Value { document: self.document, node: key }.write_compact(out);
                    out.push(b':');
                    Value { document: self.document, node: key + 1 }.write_compact(out);
                    separator = b',';
                }
                out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
            }
            Kind::Array => {
                let mut separator = b'[';
                for element in self.elements() {
                    out.push(separator);
                    element.write_compact(out);
                    separator = b',';
                }
                out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
            }
            _ => out.extend_from_slice(self.text().as_bytes()),
        }
    }

    /// Appends the value in a form that does not depend on how it is written: without white space, members sorted by
    /// their names, strings without needless escapes. Numbers stay as written. Duplicate keys keep their order.
    pub fn write_canonical(self, out: &mut Vec<u8>) {
        self.write_sorted(out, &mut Vec::new());
    }

    /// `keys` is a stack of key nodes; what is on it belongs to the objects around this value.
    fn write_sorted(self, out: &mut Vec<u8>, keys: &mut Vec<u32>) {
        match self.kind() {
            Kind::Object => {
                let bottom = keys.len();
                keys.extend(self.children(Kind::Object, 2));
                let name = |key: &u32| self.document.string(*key);
                keys[bottom..].sort_by(|one, other| name(one).as_ref().cmp(name(other).as_ref()));
                let top = keys.len();
                out.push(b'{');
                for at in bottom..top {
                    let node = keys[at];
                    if at > bottom {
                        out.push(b',');
                    }
                    Value { document: self.document, node }.write_sorted(out, keys);
                    out.push(b':');
                    Value { document: self.document, node: node + 1 }.write_sorted(out, keys);
                }
                out.push(b'}');
                keys.truncate(bottom);
            }
            Kind::Array => {
                out.push(b'[');
                for (at, element) in self.elements().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    element.write_sorted(out, keys);
                }
                out.push(b']');
            }
            Kind::String if self.node().escaped => push_str(out, &self.document.string(self.node)),
            _ => out.extend_from_slice(self.text().as_bytes()),
        }
    }
}

/// A string's text between its quotes.
pub(super) fn inside(text: &str, node: Node) -> &str {
    &text[node.start as usize + 1..node.end as usize - 1]
}
