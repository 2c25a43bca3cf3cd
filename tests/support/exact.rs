//! JSON as it is written: numbers keep their text, members their order. Written for the tests
//! alone, so that the program's own reader is never its own judge.

use std::fmt::Write;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Exact {
    Null,
    Boolean(bool),
    /// The number as it is written.
    Number(String),
    String(String),
    Array(Vec<Exact>),
    /// Members in the order of the text.
    Object(Vec<(String, Exact)>),
}

impl Exact {
    /// Reads one JSON text.
    pub(crate) fn parse(text: &str) -> Exact {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value();
        reader.skip_space();
        assert_eq!(reader.at, text.len(), "text after the JSON value: {text}");
        value
    }

    /// A value that a test made.
    pub(crate) fn of(value: &serde_json::Value) -> Exact {
        Exact::parse(&value.to_string())
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Exact> {
        let Exact::Object(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The member of this name, which must be there.
    pub(crate) fn member(&self, name: &str) -> &Exact {
        self.get(name).unwrap_or_else(|| panic!("no member {name} in {self:?}"))
    }

    /// The text of the member of this name.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.member(name).text()
    }

    /// A string's text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Exact::String(text) => text,
            other => panic!("expected a string, found {other:?}"),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self) -> i64 {
        match self {
            Exact::Number(text) => text.parse().unwrap_or_else(|_| panic!("{text} is no whole number")),
            other => panic!("expected a number, found {other:?}"),
        }
    }

    /// An array's elements.
    pub(crate) fn elements(&self) -> &[Exact] {
        match self {
            Exact::Array(elements) => elements,
            other => panic!("expected an array, found {other:?}"),
        }
    }

    /// An object's members.
    pub(crate) fn members(&self) -> &[(String, Exact)] {
        match self {
            Exact::Object(members) => members,
            other => panic!("expected an object, found {other:?}"),
        }
    }

    /// The names of an object's members, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.members().iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The object without the member of this name.
    pub(crate) fn without(&self, name: &str) -> Exact {
        Exact::Object(self.members().iter().filter(|(key, _)| key != name).cloned().collect())
    }

    /// The same value with members in the order of their names: for comparing content.
    pub(crate) fn sorted(&self) -> Exact {
        match self {
            Exact::Array(elements) => Exact::Array(elements.iter().map(Exact::sorted).collect()),
            Exact::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| (name.clone(), value.sorted())).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Exact::Object(members)
            }
            other => other.clone(),
        }
    }

    /// A string value.
    pub(crate) fn string(text: impl Into<String>) -> Exact {
        Exact::String(text.into())
    }

    /// A whole number.
    pub(crate) fn number(number: impl std::fmt::Display) -> Exact {
        Exact::Number(number.to_string())
    }

    /// An object of these members.
    pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Exact)>) -> Exact {
        Exact::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Compact JSON text.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        let quoted = |text: &String| serde_json::to_string(text).expect("a string has a JSON form");
        match self {
            Exact::Null => out.push_str("null"),
            Exact::Boolean(value) => write!(out, "{value}").expect("a String takes it"),
            Exact::Number(text) => out.push_str(text),
            Exact::String(text) => out.push_str(&quoted(text)),
            Exact::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    element.write_to(out);
                }
                out.push(']');
            }
            Exact::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn peek(&mut self) -> u8 {
        self.skip_space();
        *self.text.as_bytes().get(self.at).unwrap_or_else(|| panic!("unexpected end: {}", self.text))
    }

    fn take(&mut self, expected: u8) {
        let found = self.peek();
        assert_eq!(char::from(found), char::from(expected), "at byte {} of {}", self.at, self.text);
        self.at += 1;
    }

    fn value(&mut self) -> Exact {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Exact::String(self.string()),
            _ => self.scalar(),
        }
    }

    fn object(&mut self) -> Exact {
        self.take(b'{');
        let mut members: Vec<(String, Exact)> = Vec::new();
        while self.peek() != b'}' {
            if !members.is_empty() {
                self.take(b',');
                self.skip_space();
            }
            let name = self.string();
            self.take(b':');
            assert!(members.iter().all(|(known, _)| *known != name), "{name} twice in {}", self.text);
            members.push((name, self.value()));
        }
        self.take(b'}');
        Exact::Object(members)
    }

    fn array(&mut self) -> Exact {
        self.take(b'[');
        let mut elements = Vec::new();
        while self.peek() != b']' {
            if !elements.is_empty() {
                self.take(b',');
            }
            elements.push(self.value());
        }
        self.take(b']');
        Exact::Array(elements)
    }

    /// A string; its escapes are left to `serde_json`.
    fn string(&mut self) -> String {
        let start = self.at;
        self.take(b'"');
        let bytes = self.text.as_bytes();
        while bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let quoted = &self.text[start..self.at];
        serde_json::from_str(quoted).unwrap_or_else(|error| panic!("{quoted}: {error}"))
    }

    fn scalar(&mut self) -> Exact {
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        match word {
            "null" => Exact::Null,
            "true" => Exact::Boolean(true),
            "false" => Exact::Boolean(false),
            number => {
                let parsed: Result<serde_json::Number, _> = serde_json::from_str(number);
                parsed.unwrap_or_else(|error| panic!("{number}: {error}"));
                Exact::Number(number.to_owned())
            }
        }
    }
}
