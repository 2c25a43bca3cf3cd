//! Characters that nobody sees: what they are, and how a message shows them.
//!
//! One function decides, so that what an identifier may not hold is exactly what every message and every text
//! output escapes. The set is that of Unicode's `Default_Ignorable_Code_Point` (UAX #44), the bidi controls
//! (UAX #9), all control characters, every white space but the plain space, and the braille blank.

/// Whether a character leaves no mark of its own: controls, white space other than U+0020, zero-width and
/// bidi characters, the byte order mark, and the other characters that fonts do not draw.
pub fn is_invisible(character: char) -> bool {
    // Most characters are printable ASCII and are answered here.
    if character.is_ascii() { character.is_ascii_control() } else { is_invisible_beyond_ascii(character) }
}

fn is_invisible_beyond_ascii(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

/// The ranges of invisible characters that are neither controls nor white space.
pub const INVISIBLE: [(char, char); 18] = [
    ('\u{00AD}', '\u{00AD}'),
    ('\u{034F}', '\u{034F}'),
    ('\u{061C}', '\u{061C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{202A}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFFB}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E0FFF}'),
];

/// A character for a message: its code point, and its name where people know it by one.
pub fn name(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    let known = match character {
        '\t' => "tab",
        '\n' => "line feed",
        '\r' => "carriage return",
        ' ' => "space",
        '\u{00A0}' => "no-break space",
        '\u{00AD}' => "soft hyphen",
        '\u{200B}' => "zero-width space",
        '\u{200C}' => "zero-width non-joiner",
        '\u{200D}' => "zero-width joiner",
        '\u{200E}' => "left-to-right mark",
        '\u{200F}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2060}' => "word joiner",
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}' => "bidirectional control",
        '\u{FEFF}' => "byte order mark",
        c if c.is_control() => "control character",
        c if c.is_whitespace() => "white space",
        _ => "invisible character",
    };
    format!("{code} ({known})")
}

/// Text with every invisible character written as an escape, such as `\u{a0}`.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match is_invisible(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_and_the_rest_is_kept() {
        for invisible in [
            '\0',
            '\t',
            '\n',
            '\u{7F}',
            '\u{85}',
            '\u{A0}',
            '\u{AD}',
            '\u{61C}',
            '\u{1680}',
            '\u{180E}',
            '\u{2003}',
            '\u{200B}',
            '\u{200D}',
            '\u{200E}',
            '\u{2028}',
            '\u{202E}',
            '\u{202F}',
            '\u{2060}',
            '\u{2066}',
            '\u{206F}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{FFA0}',
            '\u{E0001}',
            '\u{E0100}',
        ] {
            assert!(is_invisible(invisible), "{}", name(invisible));
            let shown = escaped(&format!("a{invisible}b"));
            assert!(shown.starts_with("a\\") && shown.is_ascii(), "{shown}");
        }
        let visible = "aZ 0~é日Ω-–’\u{FFFD}\u{1F600}";
        assert!(!visible.chars().any(is_invisible));
        assert_eq!(escaped(visible), visible);
    }

    #[test]
    fn characters_are_named_by_code_point() {
        assert_eq!(name('\u{FEFF}'), "U+FEFF (byte order mark)");
        assert_eq!(name('\u{A0}'), "U+00A0 (no-break space)");
        assert_eq!(name('\u{E0001}'), "U+E0001 (invisible character)");
    }
}
