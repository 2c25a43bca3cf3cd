//! Claims without their JSON.

use super::words::Words;
use crate::json::{Kind, Value};

/// A value, for people. Its depth is that which any JSON may have here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Text(String),
    /// As it is written.
    Number(String),
    Flag(bool),
    Nothing,
    List(Vec<Shown>),
    Members(Vec<(String, Shown)>),
}

impl Shown {
    pub(super) fn of(value: Value<'_>) -> Shown {
        match value.kind() {
            Kind::String => Shown::Text(value.as_str().unwrap_or_default().into_owned()),
            Kind::Number => Shown::Number(value.text().to_owned()),
            Kind::Boolean(flag) => Shown::Flag(flag),
            Kind::Null => Shown::Nothing,
            Kind::Array => Shown::List(value.elements().map(Shown::of).collect()),
            Kind::Object => {
                let members = value.members().map(|(name, value)| (name.into_owned(), Shown::of(value)));
                Shown::Members(members.collect())
            }
        }
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self) -> &[(String, Shown)] {
        if let Shown::Members(members) = self { members } else { &[] }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Shown> {
        self.members().iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Shown::Text(text) = self { Some(text) } else { None }
    }

    /// The value on one line.
    pub(super) fn in_words(&self, words: &Words) -> String {
        match self {
            Shown::Text(text) | Shown::Number(text) => text.clone(),
            Shown::Flag(flag) => (if *flag { words.yes } else { words.no }).to_owned(),
            Shown::Nothing => "–".to_owned(),
            Shown::List(values) if values.is_empty() => "–".to_owned(),
            Shown::List(values) => joined(values.iter().map(|value| value.in_words(words)), ", "),
            Shown::Members(members) if members.is_empty() => "–".to_owned(),
            Shown::Members(members) => {
                let named =
                    |(name, value): &(String, Shown)| format!("{}: {}", spaced(name), value.in_words(words));
                joined(members.iter().map(named), "; ")
            }
        }
    }
}

fn joined(texts: impl Iterator<Item = String>, separator: &str) -> String {
    texts.collect::<Vec<_>>().join(separator)
}

/// A claim's name where it has no label.
pub(super) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// Text as a certificate shows it. Characters that nobody sees are spelled out, as everywhere, but for those that
/// people write with: joiners in Persian and Indic names and in emoji, marks of direction, wide and unbreakable spaces,
/// and variants of characters. Whatever they do to the direction of text ends with the element around it. Lines are
/// joined.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            '\u{200C}'..='\u{200F}' | '\u{00A0}' | '\u{202F}' | '\u{3000}' => shown.push(character),
            '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => shown.push(character),
            other if crate::invisible::is_invisible(other) => shown.extend(other.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

/// Text of at most so many characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Parser;

    #[test]
    fn values_are_in_words_and_numbers_as_they_are_written() {
        let mut parser = Parser::for_tokens();
        let json = r#"{"a_b":[true,null,33.330000000000000001],"c":{"d":"x","e":[]},"f":{}}"#;
        let shown = Shown::of(parser.parse(json).unwrap().root());
        let words = Words::of("de");
        assert_eq!(shown.in_words(words), "a b: ja, –, 33.330000000000000001; c: d: x; e: –; f: –");
        assert_eq!(shown.member("c").and_then(|c| c.member("d")).and_then(Shown::text), Some("x"));
    }

    #[test]
    fn what_people_write_with_stays_and_what_deceives_is_spelled_out() {
        assert_eq!(visible("می\u{200C}خواهم\u{A0}۱"), "می\u{200C}خواهم\u{A0}۱");
        assert_eq!(visible("a\r\nb\u{202E}c\u{0}\u{2066}"), "a  b\\u{202e}c\\u{0}\\u{2066}");
        assert_eq!(clipped("añb", 2), "añ…");
        assert_eq!(clipped("añ", 2), "añ");
    }
}
