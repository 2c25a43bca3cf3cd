//! ISO 3166 codes, exactly as the standard writes them.

use std::fmt::Write;

const EXPECTED_COUNTRY: &str = "an ISO 3166-1 alpha-2 code, such as GB";
const EXPECTED_JURISDICTION: &str = "an ISO 3166-1 alpha-2 code or an ISO 3166-2 code, such as GB or US-DE";

/// Codes that people write for a country and that are none of its codes in ISO 3166-1.
const MISTAKEN: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// The codes of ISO 3166-2, one a line, in order: those of `rust_iso3166`, as a test makes sure. As text they cost
/// nothing until one is asked for. The crate's own table is 70,000 references to texts, all of which the system would
/// put right at every start.
const SUBDIVISIONS_TEXT: &str = include_str!("subdivisions.txt");

/// The same, each code filled up with zeros.
static SUBDIVISIONS: [[u8; 6]; 5_046] = cut(SUBDIVISIONS_TEXT.as_bytes());

const fn cut<const COUNT: usize>(text: &[u8]) -> [[u8; 6]; COUNT] {
    let mut codes = [[0; 6]; COUNT];
    let (mut code, mut place, mut at) = (0, 0, 0);
    while at < text.len() {
        if text[at] == b'\n' {
            (code, place) = (code + 1, 0);
        } else {
            codes[code][place] = text[at];
            place += 1;
        }
        at += 1;
    }
    assert!(code == COUNT, "every code is in the table");
    codes
}

/// Whether this is an ISO 3166-1 alpha-2 code.
pub fn is_country(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

/// Whether this is an ISO 3166-2 code.
pub fn is_subdivision(code: &str) -> bool {
    let mut filled = [0; 6];
    let Some(start) = filled.get_mut(..code.len()) else { return false };
    start.copy_from_slice(code.as_bytes());
    // A text that has zeros itself is no code, however it is filled up.
    !start.contains(&0) && SUBDIVISIONS.binary_search(&filled).is_ok()
}

/// What is wrong with a country code, if anything.
pub fn country_problem(code: &str) -> Option<String> {
    if is_country(code) { None } else { Some(expected(EXPECTED_COUNTRY, code, is_country)) }
}

/// What is wrong with a jurisdiction code, if anything.
pub fn jurisdiction_problem(code: &str) -> Option<String> {
    if is_jurisdiction(code) { None } else { Some(expected(EXPECTED_JURISDICTION, code, is_jurisdiction)) }
}

fn is_jurisdiction(code: &str) -> bool {
    is_country(code) || is_subdivision(code)
}

/// Every country code, sorted.
pub fn countries() -> Vec<&'static str> {
    let mut codes: Vec<_> = rust_iso3166::ALL.iter().map(|country| country.alpha2).collect();
    codes.sort_unstable();
    codes
}

/// Every subdivision code, sorted.
pub fn subdivisions() -> impl Iterator<Item = &'static str> {
    SUBDIVISIONS_TEXT.lines()
}

/// Every jurisdiction code, sorted.
pub fn jurisdictions() -> Vec<&'static str> {
    let mut codes = countries();
    codes.extend(subdivisions());
    codes.sort_unstable();
    codes
}

fn expected(what: &str, code: &str, is_allowed: fn(&str) -> bool) -> String {
    let mut message = format!("expected {what}");
    if let Some(meant) = probably_meant(code).filter(|meant| is_allowed(meant)) {
        let _ = write!(message, " (did you mean {meant}?)");
    }
    message
}

/// The code that somebody who wrote `text` had in mind, where that is plain.
pub fn probably_meant(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    if let Some((_, code)) = MISTAKEN.iter().find(|(mistaken, _)| *mistaken == upper) {
        return Some((*code).into());
    }
    let dashed = upper.replace('_', "-");
    if is_jurisdiction(&dashed) {
        return Some(dashed);
    }
    let by_name = || {
        rust_iso3166::ALL
            .iter()
            .find(|country| simple_name(country.name) == upper)
            .map(|country| country.alpha2)
    };
    rust_iso3166::from_alpha3(&upper).map(|country| country.alpha2).or_else(by_name).map(str::to_owned)
}

/// A country's name as people write it: capital letters, no explanation in brackets or after a
/// comma, and the full name of the United Kingdom cut to its everyday form.
fn simple_name(name: &str) -> String {
    let end = name.find([',', '(']).unwrap_or(name.len());
    let short = name[..end].trim().to_ascii_uppercase();
    short.strip_suffix(" OF GREAT BRITAIN AND NORTHERN IRELAND").map(str::to_owned).unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard_pass_and_nothing_else() {
        for code in ["GB", "US-DE", "GB-SCT", "JP-13", "CN-HK", "TW"] {
            assert_eq!(jurisdiction_problem(code), None, "{code}");
        }
        for code in
            ["UK", "gb", "GBR", " GB", "GB ", "", "XK", "AN", "SU", "EU", "ZZ", "US_DE", "US-ZZ", "826", "ΚΥ"]
                .into_iter()
                .chain(["US-DE\0", "AD-02\0", "\0", "\0\0\0\0\0\0", "US-DE ", "US-", "US-DEX", "US-DE12"])
        {
            assert!(jurisdiction_problem(code).is_some(), "{code}");
        }
        assert!(country_problem("US-DE").is_some());
    }

    #[test]
    fn the_codes_are_those_of_the_crate() {
        let mut codes: Vec<&str> = rust_iso3166::iso3166_2::SUBDIVISION_MAP.keys().copied().collect();
        codes.sort_unstable();
        assert!(SUBDIVISIONS_TEXT.lines().eq(codes.iter().copied()), "{}", codes.join("\n"));
        assert!(codes.iter().all(|code| is_subdivision(code) && jurisdiction_problem(code).is_none()));
    }

    #[test]
    fn a_likely_meaning_is_named() {
        for (text, meant) in [
            ("UK", "GB"),
            ("EL", "GR"),
            ("gb", "GB"),
            ("GBR", "GB"),
            ("us_de", "US-DE"),
            ("United Kingdom", "GB"),
            ("Germany", "DE"),
        ] {
            assert!(
                jurisdiction_problem(text).unwrap().contains(&format!("did you mean {meant}?")),
                "{text}"
            );
        }
        assert!(!jurisdiction_problem("Atlantis").unwrap().contains("did you mean"));
    }
}
