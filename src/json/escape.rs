//! Escapes in strings.

use std::borrow::Cow;

/// The bytes at which a plain stretch of a string ends: those that RFC 8259 section 7 wants
/// escaped, and those that end a string or begin an escape.
pub(super) static ENDS_PLAIN_TEXT: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

/// The value of a string's text. Half a surrogate pair becomes U+FFFD; such a document has a
/// fault and is never signed.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        rest = push_unescaped(&mut value, &rest[at..]);
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// Reads one escape (or pair of them) at the start of `text`, and returns what follows.
fn push_unescaped<'a>(value: &mut String, text: &'a str) -> &'a str {
    let simple = match text.as_bytes()[1] {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return push_code_point(value, text),
        other => char::from(other),
    };
    value.push(simple);
    &text[2..]
}

fn push_code_point<'a>(value: &mut String, text: &'a str) -> &'a str {
    let unit = |at: usize| text.as_bytes().get(at..at + 4).and_then(parse_hex);
    let high = unit(2).unwrap_or(0xFFFD);
    let low = if text[6..].starts_with("\\u") { unit(8) } else { None };
    match (high, low) {
        (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
            let point = 0x10000 + ((u32::from(high) & 0x3FF) << 10) + (u32::from(low) & 0x3FF);
            value.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            &text[12..]
        }
        _ => {
            value.push(char::from_u32(u32::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER));
            &text[6..]
        }
    }
}

pub(super) fn parse_hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | value as u16)
    })
}
