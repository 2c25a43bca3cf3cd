//! Text that a spreadsheet would run as a formula.

/// What a formula begins with (OWASP, "CSV Injection"): also in full width, as Chinese and Japanese keyboards
/// write it, and behind a control character that a spreadsheet drops.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet would run text as a formula. Apostrophes in front do not count, so that
/// of two texts that differ in one apostrophe both can be told apart once one is put before them.
pub fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA_STARTS)
}

/// Text as it was before our CSV put an apostrophe before what looks like a formula.
pub fn without_apostrophe(text: &str) -> &str {
    text.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(text)
}
