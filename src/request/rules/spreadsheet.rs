//! What spreadsheets do to identifiers.

/// What a spreadsheet did to an identifier, if it did: `3.3048E+06`, `="03304752"`,
/// `03304752.0`, `'03304752`, `#REF!`.
///
/// An apostrophe before a number that does not begin with 0 is left alone: some registers
/// publish numbers such as `'9900047091`.
pub fn spreadsheet_damage(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'=' if bytes.starts_with(b"=\"") && bytes.len() > 2 && bytes.ends_with(b"\"") => {
            Some("written as a spreadsheet formula; remove =\" and \"")
        }
        b'\'' if bytes.get(1) == Some(&b'0') && bytes[1..].iter().all(u8::is_ascii_digit) => {
            Some("begins with a spreadsheet's apostrophe; remove it")
        }
        b'0'..=b'9' | b'+' | b'-' if is_scientific(text) => {
            Some("number changed by a spreadsheet; restore its digits and format the column as text")
        }
        b'#' if is_error_value(text) => {
            Some("error of a spreadsheet's formula; fix the formula, or write the identifier itself")
        }
        b'0'..=b'9' if is_digits_with_zero_fraction(text) => {
            Some("number with a decimal point added; remove it and format the column as text")
        }
        _ => None,
    }
}

/// `3.3048E+06`: spreadsheets write one digit (three at most), a fraction, and the exponent's sign. Without the
/// sign it may be a number that a register gave out.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    let digits = exponent.strip_prefix(['+', '-']);
    whole.len() <= 3 && is_digits(whole) && is_digits(fraction) && digits.is_some_and(is_digits)
}

/// `#REF!`, `#¡VALOR!` or `#ИМЯ?`, in whatever language; those that end in no mark; and `#####`, which stands in a
/// column that is too narrow for its number.
fn is_error_value(text: &str) -> bool {
    const UNMARKED: [&str; 4] = ["#N/A", "#NV", "#N/D", "#GETTING_DATA"];
    const LONGEST: usize = 30;
    let name = text.strip_prefix('#').and_then(|text| text.strip_suffix(['!', '?'])).unwrap_or_default();
    let in_name = |found: char| !found.is_whitespace() && !matches!(found, '#' | '1'..='9');
    let is_name = !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(in_name);
    is_name || UNMARKED.contains(&text) || (text.len() > 2 && text.bytes().all(|byte| byte == b'#'))
}

fn is_digits_with_zero_fraction(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once(['.', ',']) else { return false };
    whole.len() >= 4 && is_digits(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
}

/// Whether the text is ASCII digits, and at least one.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_do_to_identifiers() {
        for damaged in [
            "3.3048E+06",
            "1E+15",
            "-3,3E+06",
            "=\"03304752\"",
            "03304752.0",
            "2019.00",
            "'03304752",
            "#REF!",
            "#N/A",
            "####",
        ] {
            assert!(spreadsheet_damage(damaged).is_some(), "{damaged}");
        }
        for sound in [
            "",
            "'",
            "=",
            "=\"",
            "03304752",
            "'9900047091",
            "12E45",
            "1.0",
            "762/2002-2003",
            "CHE-105.163.532",
            "0100-01-114017",
            "E+06",
            "2019.5",
            "\"03304752\"",
            "#",
            "#12",
            "#REF!12",
            "03304752 ",
            "0３.0",
            "3E+",
        ] {
            assert_eq!(spreadsheet_damage(sound), None, "{sound}");
        }
    }
}
