//! ISO 3166 codes, exactly as the standard writes them.

use std::fmt::Write;

const EXPECTED_COUNTRY: &str = "an ISO 3166-1 alpha-2 code, such as GB";
const EXPECTED_JURISDICTION: &str = "an ISO 3166-1 alpha-2 code or an ISO 3166-2 code, such as GB or US-DE";

/// Codes that people write for a country and that are none of its codes in ISO 3166-1.
const MISTAKEN: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// What is wrong with a country code, if anything.
pub fn country_problem(code: &str) -> Option<String> {
    match rust_iso3166::from_alpha2(code) {
        Some(_) => None,
        None => Some(expected(EXPECTED_COUNTRY, code)),
    }
}

/// What is wrong with a jurisdiction code, if anything.
pub fn jurisdiction_problem(code: &str) -> Option<String> {
    if rust_iso3166::from_alpha2(code).is_some() || rust_iso3166::iso3166_2::from_code(code).is_some() {
        return None;
    }
    Some(expected(EXPECTED_JURISDICTION, code))
}

/// Every country code, sorted.
pub fn countries() -> Vec<&'static str> {
    let mut codes: Vec<_> = rust_iso3166::ALL.iter().map(|country| country.alpha2).collect();
    codes.sort_unstable();
    codes
}

/// Every jurisdiction code, sorted.
pub fn jurisdictions() -> Vec<&'static str> {
    let mut codes = countries();
    codes.extend(rust_iso3166::iso3166_2::SUBDIVISION_MAP.keys().copied());
    codes.sort_unstable();
    codes
}

fn expected(what: &str, code: &str) -> String {
    let mut message = format!("expected {what}");
    if let Some(meant) = probably_meant(code) {
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
    let is_code = |code: &str| {
        rust_iso3166::from_alpha2(code).is_some() || rust_iso3166::iso3166_2::from_code(code).is_some()
    };
    if is_code(&dashed) {
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
        {
            assert!(jurisdiction_problem(code).is_some(), "{code}");
        }
        assert!(country_problem("US-DE").is_some());
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
