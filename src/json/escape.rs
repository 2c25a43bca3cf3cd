//! Escapes in strings.

use std::borrow::Cow;

/// How long the plain stretch of a string is that `bytes` begin with.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Long ones in blocks: a loop without a way out of its middle looks at a whole block at once.
    while let Some(block) = bytes[at..].first_chunk::<16>()
        && !block.iter().fold(false, |ends, &byte| ends | ends_plain_text(byte))
    {
        at += block.len();
    }
    while let Some(&word) = bytes[at..].first_chunk() {
        match plain_bytes(word) {
            8 => at += 8,
            plain => return at + plain,
        }
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|&byte| ends_plain_text(byte)).unwrap_or(rest.len())
}

/// How many of eight bytes come before the first that is not plain.
fn plain_bytes(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let word = u64::from_le_bytes(bytes);
    // The highest bit of each byte that is below a limit, up to the first such byte; those after it may be wrong.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7);
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let ends = below(word, 0x20) | is(b'"') | is(b'\\');
    (ends.trailing_zeros() / 8) as usize
}

/// Whether a plain stretch of a string ends here: at what RFC 8259 section 7 wants escaped, and at what ends a
/// string or begins an escape.
fn ends_plain_text(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// The value of a string's text. Half a surrogate pair becomes U+FFFD, and so does U+0000; such a document has a
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
            let character = char::from_u32(u32::from(high)).filter(|&character| character != '\0');
            value.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks end nowhere in particular: whatever the length, the first byte that is not plain is found.
    #[test]
    fn plain_text_ends_at_the_first_byte_that_is_not_plain() {
        for length in (0..70).chain([191, 192, 193, 207, 208, 209, 320, 340]) {
            let plain = "é~ \u{7f}".repeat(70).into_bytes()[..length].to_vec();
            assert_eq!(plain_length(&plain), length);
            for at in 0..length {
                for end in [0, 0x1F, b'\n', b'"', b'\\'] {
                    let mut text = plain.clone();
                    text[at] = end;
                    text[length - 1] = end;
                    assert_eq!(plain_length(&text), at, "{length} bytes, {end} at {at}");
                }
            }
        }
    }
}
