//! Whole numbers.

use crate::types::MAX_WHOLE;

/// Whether a JSON number is a whole one from 0 to [`MAX_WHOLE`], however it is written: `50`, `50.0` and `5e1` are. It
/// is judged by its digits: `1.00000000000000000001` is no whole number although its nearest double is.
pub fn is_whole(literal: &str) -> bool {
    !literal.starts_with('-')
        && has_no_fraction(literal)
        && literal.parse::<f64>().is_ok_and(|value| value <= MAX_WHOLE as f64)
}

fn has_no_fraction(literal: &str) -> bool {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() && whole.trim_start_matches('0').is_empty() {
        return true;
    }
    // An exponent beyond this makes a number that is far too large, or nearly nothing.
    let Ok(exponent) = exponent.parse::<i64>() else { return !exponent.starts_with('-') };
    let zeros = if fraction.is_empty() { whole.len() - whole.trim_end_matches('0').len() } else { 0 };
    exponent + zeros as i64 >= fraction.len() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_by_its_digits() {
        for literal in [
            "0",
            "0.0",
            "0e9",
            "0e-99999999999999999999",
            "7",
            "50.0",
            "5e1",
            "5E+1",
            "1.5e1",
            "100e-2",
            "0.5e1",
            "9007199254740991",
            "9007199254740991.000",
            "120e-1",
        ] {
            assert!(is_whole(literal), "{literal}");
        }
        for literal in [
            "-0",
            "-1",
            "0.5",
            "1.5",
            "15e-1",
            "1e-1",
            "100e-3",
            "1.00000000000000000001",
            "9007199254740992",
            "1e400",
            "1e99999999999999999999",
            "1e-99999999999999999999",
        ] {
            assert!(!is_whole(literal), "{literal}");
        }
    }
}
