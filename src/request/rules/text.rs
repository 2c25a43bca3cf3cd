//! Text that is signed as it is, and yet deserves a look: an earlier program lost or changed characters, or put
//! a list or several lines where one name belongs.

/// What is doubtful about a text. It is a warning: every one of these can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TextDoubt {
    /// U+FFFD, which a program writes for a character that it could not read.
    #[error(
        "U+FFFD (replacement character): an earlier program lost a character here; export the data again"
    )]
    LostCharacter,
    /// UTF-8 that was read as Windows-1252.
    #[error(
        "looks like UTF-8 that was read as Windows-1252 (as `Ã¼` for `ü`); export it as UTF-8, or check --encoding"
    )]
    Mojibake,
    /// U+FEFF within the text, where two files were joined.
    #[error("U+FEFF (byte order mark) within the text; remove it")]
    ByteOrderMark,
    /// A JSON array or object as text.
    #[error("looks like a JSON array or object, not like text; give each value a field of its own")]
    JsonInText,
    /// A line break in text of one line.
    #[error("holds a line break; was a quote left open, or are these several values?")]
    LineBreak,
}

impl TextDoubt {
    /// All of them.
    pub const ALL: [TextDoubt; 5] = [
        TextDoubt::LostCharacter,
        TextDoubt::Mojibake,
        TextDoubt::ByteOrderMark,
        TextDoubt::JsonInText,
        TextDoubt::LineBreak,
    ];
}

/// What is doubtful about a text, if anything. `lines` says that it may have several lines, as an address does.
pub fn text_doubt(text: &str, lines: bool) -> Option<TextDoubt> {
    if !lines && has_line_break(text) {
        return Some(TextDoubt::LineBreak);
    }
    if text.as_bytes().first().is_some_and(|byte| matches!(byte, b'[' | b'{')) && looks_like_json(text) {
        return Some(TextDoubt::JsonInText);
    }
    // Text in ASCII, which is most, has no characters that were lost.
    if text.is_ascii() { None } else { encoding_doubt(text) }
}

/// As [`text_doubt`], for text of which nothing is known but its characters.
pub fn encoding_doubt(text: &str) -> Option<TextDoubt> {
    if text.contains('\u{FFFD}') {
        Some(TextDoubt::LostCharacter)
    } else if text.contains('\u{FEFF}') {
        Some(TextDoubt::ByteOrderMark)
    } else {
        is_mojibake(text).then_some(TextDoubt::Mojibake)
    }
}

fn has_line_break(text: &str) -> bool {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
        || (!text.is_ascii() && text.contains(['\u{85}', '\u{2028}', '\u{2029}']))
}

/// Whether the text is in brackets as JSON, or as Python's and Ruby's way to print lists: a name such as `[yellow
/// tail]` has no quote behind the bracket.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_end();
    let closes = text.ends_with(if text.starts_with('[') { ']' } else { '}' });
    let inside = text[1..].trim_start();
    closes && inside.starts_with(['"', '\'', '[', '{', ']', '}'])
}

/// Whether a text holds what UTF-8 becomes when its bytes are read as Windows-1252 (or ISO 8859-1).
///
/// `Ã` or `Â` before a character of the upper half, and `â€™` and its like, are hardly ever meant. Other
/// sequences, such as `É»` at the end of a French quotation, count from the second on.
fn is_mojibake(text: &str) -> bool {
    let mut pairs = 0;
    let mut characters = text.chars();
    while let Some(first) = characters.next() {
        let Some(lead @ 0xC2..=0xF4) = windows_1252(first) else { continue };
        let length = match lead {
            0xC2..=0xDF => 1,
            0xE0..=0xEF => 2,
            _ => 3,
        };
        let rest = characters.clone();
        let following = rest.take(length).map_while(windows_1252);
        if following.filter(|byte| (0x80..=0xBF).contains(byte)).count() < length {
            continue;
        }
        pairs += 1;
        if pairs == 2 || matches!(lead, 0xC2 | 0xC3 | 0xE2 | 0xEF..) {
            return true;
        }
    }
    false
}

/// The byte that a character is in Windows-1252; where that has none, in ISO 8859-1.
fn windows_1252(character: char) -> Option<u8> {
    match character {
        '\u{80}'..='\u{FF}' => Some(character as u8),
        _ => SPECIALS.iter().find(|(special, _)| *special == character).map(|(_, byte)| *byte),
    }
}

/// The characters that Windows-1252 has where ISO 8859-1 has controls.
const SPECIALS: [(char, u8); 27] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('ƒ', 0x83),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‡', 0x87),
    ('ˆ', 0x88),
    ('‰', 0x89),
    ('Š', 0x8A),
    ('‹', 0x8B),
    ('Œ', 0x8C),
    ('Ž', 0x8E),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('˜', 0x98),
    ('™', 0x99),
    ('š', 0x9A),
    ('›', 0x9B),
    ('œ', 0x9C),
    ('ž', 0x9E),
    ('Ÿ', 0x9F),
];

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;

    use super::*;

    #[test]
    fn the_table_is_that_of_windows_1252() {
        for byte in 0x80..=0xFF {
            let byte = [byte];
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(&byte);
            assert_eq!(text.chars().map(windows_1252).collect::<Vec<_>>(), [Some(byte[0])]);
        }
    }

    #[test]
    fn utf_8_read_as_windows_1252_is_noticed() {
        for text in [
            "Müller GmbH",
            "Société Générale",
            "Øygarden Sjømat",
            "Łódź Spółka",
            "Ärzte",
            "O’Hara",
            "Ümit",
            "日本郵船",
            "ООО Ромашка",
            "Παπαδόπουλος",
            "São Paulo",
            "€100",
            "Zoë\u{A0}Ltd",
            "😀",
        ] {
            let (garbled, _) = WINDOWS_1252.decode_without_bom_handling(text.as_bytes());
            assert_eq!(text_doubt(&garbled, false), Some(TextDoubt::Mojibake), "{garbled}");
            assert_eq!(text_doubt(text, false), None, "{text}");
        }
    }

    #[test]
    fn what_people_mean_is_left_alone() {
        for text in [
            "",
            "Acme Ltd",
            "«SOCIÉTÉ»",
            "“CAFÉ”",
            "CAFÉ™ Ltd",
            "«\u{A0}Société\u{A0}»",
            "IRMÃ & Filhos",
            "MAÇÃ – Lda",
            "[yellow tail]",
            "{brand} Ltd",
            "[x] Ltd",
            "Ada [\"Roe\"]",
            "Ångström",
            "ÅÄÖ AB",
            "Ð",
            "â",
            "N° 5",
            "Acme ½ Ltd",
        ] {
            assert_eq!(text_doubt(text, false), None, "{text}");
        }
    }

    #[test]
    fn lists_and_lines_in_a_name_are_noticed() {
        for (text, doubt) in [
            ("[\"Ada Roe\",\"Bo Roe\"]", TextDoubt::JsonInText),
            ("['Ada']", TextDoubt::JsonInText),
            ("{\"name\": \"Ada\"} ", TextDoubt::JsonInText),
            ("[]", TextDoubt::JsonInText),
            ("[ { \"name\": 1 } ]", TextDoubt::JsonInText),
            ("Ada\nBo", TextDoubt::LineBreak),
            ("Ada\r", TextDoubt::LineBreak),
            ("Ada\u{2028}Bo", TextDoubt::LineBreak),
            ("Caf\u{FFFD} Ltd", TextDoubt::LostCharacter),
            ("\u{FEFF}Acme", TextDoubt::ByteOrderMark),
        ] {
            assert_eq!(text_doubt(text, false), Some(doubt), "{text:?}");
        }
        assert_eq!(text_doubt("1 Quay\nLeith", true), None);
    }
}
