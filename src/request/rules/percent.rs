//! Shares of a company.

/// The value of a JSON number from 0 to 100, or `None`.
///
/// The comparison is exact: `100.000000000000001` is more than 100 although it is the same
/// double. A negative zero is refused, for it is no share.
pub fn percent(literal: &str) -> Option<f64> {
    let value: f64 = literal.parse().ok()?;
    let in_range =
        !literal.starts_with('-') && value <= 100.0 && !(value == 100.0 && rounds_down_to_100(literal));
    in_range.then_some(value)
}

/// Whether a number whose nearest double is 100 is more than 100.
fn rounds_down_to_100(literal: &str) -> bool {
    let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    // Exactly 100 has the significant digit 1; what lies just below begins with 9.
    significant != "1" && !significant.starts_with('9')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_exact() {
        for literal in [
            "0",
            "25",
            "25.0",
            "2.5e1",
            "2.5E+1",
            "100",
            "100.00",
            "1e2",
            "5e-324",
            "33.333333333333336",
            "99.99999999999999999",
        ] {
            assert!(percent(literal).is_some(), "{literal}");
        }
        for literal in [
            "-0",
            "-5",
            "100.00000000000001",
            "100.000000000000001",
            "1e400",
            "1e3",
            "123456789012345678901234567890",
        ] {
            assert!(percent(literal).is_none(), "{literal}");
        }
    }
}
