//! What an identifier may not be: the one function that every identifier of every type and format passes.
//!
//! An identifier is compared byte by byte by whoever looks for it, so what looks like another one, or stands
//! for none, must not be signed. Each rule here is also a pattern of the JSON Schema ([`PATTERNS`]); a schema
//! has no pattern for invisible characters beyond U+FFFF, because readers differ in how they write those.

use super::spreadsheet::spreadsheet_damage;
use crate::invisible::{self, is_invisible};

/// What is wrong with an identifier, in words that end a message, if anything.
///
/// Characters are named by code point and by their place, counted from 1. The identifier itself is not quoted.
pub fn identifier_problem(text: &str) -> Option<String> {
    if let Some(problem) = hidden_character(text) {
        return Some(problem);
    }
    if is_null_marker(text) {
        return Some("that means a missing value; omit the field or give the identifier".to_owned());
    }
    if let Some(problem) = spreadsheet_damage(text) {
        return Some(problem.to_owned());
    }
    quotes_around(text).then(|| "quote characters around the identifier; remove them".to_owned())
}

fn hidden_character(text: &str) -> Option<String> {
    // Most identifiers are printable ASCII without a space at either end, and are answered here.
    let ends_are_plain = !text.starts_with(' ') && !text.ends_with(' ');
    if ends_are_plain && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let last = text.chars().count();
    let (place, found) =
        text.chars().enumerate().map(|(at, found)| (at + 1, found)).find(|(place, found)| {
            is_invisible(*found) || (*found == ' ' && (*place == 1 || *place == last))
        })?;
    Some(format!("{} at character {place} of {last}; remove it", invisible::name(found)))
}

/// What programs write where there is no value.
const NULL_MARKERS: [&str; 11] =
    ["null", "none", "nil", "\\N", "NaN", "undefined", "[object Object]", "N/A", "#N/A", "-", "?"];

/// Whether the text is what a program writes where there is no value, in any case.
fn is_null_marker(text: &str) -> bool {
    const LONGEST: usize = "[object Object]".len();
    text.len() <= LONGEST && NULL_MARKERS.iter().any(|marker| text.eq_ignore_ascii_case(marker))
}

/// Quote characters that a program or a person puts around text: in pairs, and one that stands on both sides.
const QUOTES: &str = "\"'`´“”„‟‘’‚‛«»‹›「」『』〝〞〟＂＇";

fn quotes_around(text: &str) -> bool {
    let mut characters = text.chars();
    let (Some(first), Some(last)) = (characters.next(), characters.next_back()) else { return false };
    QUOTES.contains(first) && QUOTES.contains(last)
}

/// The same rules as patterns of ECMA-262, none of which an identifier may match.
pub const PATTERNS: [&str; 4] = [
    // White space at the ends, and invisible characters anywhere.
    "^ | $|[\\u0000-\\u001F\\u007F-\\u00A0\\u00AD\\u034F\\u061C\\u115F\\u1160\\u1680\\u17B4\\u17B5\\u180B-\\u180F\\u2000-\\u200F\\u2028-\\u202F\\u205F-\\u206F\\u2800\\u3000\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF0-\\uFFFB]",
    // Markers of a missing value.
    "^(?:[Nn][Uu][Ll][Ll]|[Nn][Oo][Nn][Ee]|[Nn][Ii][Ll]|\\\\[Nn]|[Nn][Aa][Nn]|[Uu][Nn][Dd][Ee][Ff][Ii][Nn][Ee][Dd]|\\[[Oo][Bb][Jj][Ee][Cc][Tt] [Oo][Bb][Jj][Ee][Cc][Tt]\\]|#?[Nn]/[Aa]|-|\\?)$",
    // What a spreadsheet did.
    "^(?:=\"[\\s\\S]*\"|'0[0-9]*|[+-]?[0-9]{1,3}(?:[.,][0-9]+)?[Ee][+-][0-9]+|#[^\\s#1-9]{1,30}[!?]|#NV|#N/D|#GETTING_DATA|#{3,}|[0-9]{4,}[.,]0+)$",
    // Quotes around the value.
    "^[\"'`´“”„‟‘’‚‛«»‹›「」『』〝〞〟＂＇][\\s\\S]*[\"'`´“”„‟‘’‚‛«»‹›「」『』〝〞〟＂＇]$",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_identifier_is_refused_in_its_own_words() {
        for (text, part) in [
            ("NULL", "missing value"),
            ("nULl", "missing value"),
            ("\\N", "missing value"),
            ("\\n", "missing value"),
            ("nan", "missing value"),
            ("UNDEFINED", "missing value"),
            ("[object Object]", "missing value"),
            ("n/a", "missing value"),
            ("#n/a", "missing value"),
            ("-", "missing value"),
            ("?", "missing value"),
            ("#REF!", "spreadsheet"),
            ("3.3048E+06", "spreadsheet"),
            ("\"EX-1\"", "quote"),
            ("“EX-1”", "quote"),
            ("'EX-1'", "quote"),
            ("„EX-1”", "quote"),
            ("‚EX-1‘", "quote"),
            ("‹EX-1›", "quote"),
            ("’EX-1’", "quote"),
            ("“EX-1“", "quote"),
            ("「EX-1」", "quote"),
            ("#SPILL!", "spreadsheet"),
            ("#BEZUG!", "spreadsheet"),
            ("#WERT!", "spreadsheet"),
            ("#NV", "spreadsheet"),
            ("#¡REF!", "spreadsheet"),
            ("#NOM?", "spreadsheet"),
            ("#ДЕЛ/0!", "spreadsheet"),
            ("12E+10", "spreadsheet"),
            ("1234,0", "decimal point added"),
            (" EX-1", "U+0020 (space) at character 1 of 5"),
            ("EX-1 ", "U+0020 (space) at character 5 of 5"),
            (" ", "U+0020 (space)"),
            ("EX-1\u{A0}", "U+00A0 (no-break space) at character 5"),
            ("\u{FEFF}EX-1", "U+FEFF (byte order mark) at character 1"),
            ("é\u{200B}1", "U+200B (zero-width space) at character 2"),
            ("a\u{202E}b", "U+202E"),
            ("a\tb", "U+0009 (tab)"),
            ("a\u{E0041}", "U+E0041"),
        ] {
            let problem = identifier_problem(text).unwrap_or_else(|| panic!("{text:?} passes"));
            assert!(problem.contains(part), "{text:?}: {problem}");
        }
    }

    #[test]
    fn identifiers_as_registers_give_them_pass() {
        for text in [
            "03304752",
            "'9900047091",
            "12E45",
            "1.0",
            "762/2002-2003",
            "CHE-105.163.532",
            "HRB 12345 B",
            "did:web:a.example",
            "urn:example:Ö",
            "日本1",
            "Null Ltd",
            "NULL-1",
            "--",
            "a?",
            "N.A.",
            "NA",
            "O'Hara's",
            "5\"",
            "\"",
            "none of these",
            "",
            "x@y.example",
            "ΚΥ",
            "#12",
            "#A 1!",
            "12,0",
            "1234E+",
            "’s-Gravenhage 1",
            "a-b",
        ] {
            assert_eq!(identifier_problem(text), None, "{text:?}");
        }
    }
}
