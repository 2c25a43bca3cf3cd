//! Writing JSON text.

use super::escape::ENDS_PLAIN_TEXT;

/// Appends `text` as a JSON string, with its quotes.
///
/// Escapes what RFC 8259 section 7 demands and nothing else, so that other text stays readable.
pub fn push_str(out: &mut Vec<u8>, text: &str) {
    write(text, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// As [`push_str`], onto text.
pub fn push_str_to(out: &mut String, text: &str) {
    write(text, |piece| out.push_str(piece));
}

/// `text` as a JSON string, with its quotes.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_str_to(&mut out, text);
    out
}

/// Hands out the pieces of a JSON string, in order.
fn write(text: &str, mut put: impl FnMut(&str)) {
    put("\"");
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| ENDS_PLAIN_TEXT[usize::from(byte)]) {
        put(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => put("\\\""),
            b'\\' => put("\\\\"),
            b'\n' => put("\\n"),
            b'\r' => put("\\r"),
            b'\t' => put("\\t"),
            control => put(&format!("\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    put(rest);
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
