//! Writing JSON text.

use std::io::Write;

use super::escape::plain_length;

/// Appends `text` as a JSON string, with its quotes.
///
/// Escapes what RFC 8259 section 7 demands and nothing else, so that other text stays readable.
pub fn push_str(out: &mut Vec<u8>, text: &str) {
    escape(text, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// As [`push_str`], onto text.
pub fn push_str_to(out: &mut String, text: &str) {
    escape(text, |piece| out.push_str(piece));
}

/// Appends an integer.
pub fn push_number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    let _ = write!(out, "{number}"); // writing to a Vec does not fail
}

/// `text` as a JSON string, with its quotes.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_str_to(&mut out, text);
    out
}

/// Hands out the pieces of a JSON string, in order.
fn escape(text: &str, mut put: impl FnMut(&str)) {
    put("\"");
    let mut rest = text;
    loop {
        let (plain, ends) = rest.split_at(plain_length(rest.as_bytes()));
        put(plain);
        match ends.bytes().next() {
            None => break,
            Some(b'"') => put("\\\""),
            Some(b'\\') => put("\\\\"),
            Some(b'\n') => put("\\n"),
            Some(b'\r') => put("\\r"),
            Some(b'\t') => put("\\t"),
            Some(control) => put(&format!("\\u{control:04x}")),
        }
        rest = &ends[1..];
    }
    put("\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives_another_readers_eyes() {
        let all: String = (0..=0x1_0000).filter_map(char::from_u32).collect();
        let read: String = serde_json::from_str(&string(&all)).unwrap();
        assert_eq!(read, all);
    }
}
