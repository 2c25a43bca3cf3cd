//! Whole numbers.

use crate::json::Decimal;
use crate::types::MAX_WHOLE;

/// Whether a JSON number is a whole one from 0 to [`MAX_WHOLE`], however it is written: `50`, `50.0` and `5e1` are. It
/// is judged by its digits: `1.00000000000000000001` is no whole number although its nearest double is.
pub fn is_whole(literal: &str) -> bool {
    let is_in_range =
        |number: &Decimal| Decimal::parse(&MAX_WHOLE.to_string()).is_some_and(|most| *number <= most);
    !literal.starts_with('-')
        && Decimal::parse(literal).is_some_and(|number| number.is_whole() && is_in_range(&number))
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
