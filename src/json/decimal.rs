//! JSON numbers by their digits, however many there are.

use std::cmp::Ordering;

/// A JSON number, exactly: 0.DIGITS × 10^exponent. Two spellings of a number are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; none for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number (RFC 8259 section 6). `None` for other text, and for an exponent beyond 64 bits.
    pub fn parse(literal: &str) -> Option<Decimal> {
        let (negative, unsigned) = match literal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, literal),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
        let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if whole.is_empty() || has_leading_zero || exponent_digits.is_empty() {
            return None;
        }
        if ![whole, fraction, exponent_digits].into_iter().all(is_digits) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Decimal { negative: false, digits: String::new(), exponent: 0 });
        }
        let leading_zeros = all.len() - significant.len();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading_zeros).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(point)?;
        Some(Decimal { negative, digits: significant.trim_end_matches('0').to_owned(), exponent })
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_whole(&self) -> bool {
        self.exponent >= i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The order of two numbers without their signs.
    fn cmp_magnitude(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Both begin with a digit that is not zero, right behind the point.
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(literal: &str) -> Decimal {
        Decimal::parse(literal).unwrap()
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (one, other) in [
            ("50", "50.00"),
            ("50", "5e1"),
            ("50", "0.5E+2"),
            ("0", "-0"),
            ("0", "0e99999999999999999999"),
            ("0.001", "1e-3"),
            ("-12.5", "-125e-1"),
        ] {
            assert_eq!(decimal(one), decimal(other), "{one} {other}");
        }
    }

    #[test]
    fn the_order_is_exact() {
        let ascending = [
            "-1e400",
            "-10",
            "-9.99",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000001",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
            "2e400",
        ];
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                assert_eq!(decimal(one).cmp(&decimal(other)), place.cmp(&other_place), "{one} {other}");
            }
        }
    }

    #[test]
    fn other_text_is_no_number() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "NaN",
            " 1",
            "1 ",
            "１",
            "1e99999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        /// Whole numbers of 64 bits, in three spellings each, are ordered as the integers are.
        #[test]
        fn the_order_is_that_of_integers(one in any::<i64>(), other in any::<i64>(), zeros in 0..5usize) {
            let spelt = format!("{one}.{}", "0".repeat(zeros + 1));
            let other_spelt = format!("{other}{}e-{zeros}", "0".repeat(zeros));
            let (one_number, other_number) = (decimal(&spelt), Decimal::parse(&other_spelt));
            // A zero with zeros behind it is no JSON number.
            if other != 0 || zeros == 0 {
                prop_assert_eq!(one_number.cmp(&other_number.unwrap()), one.cmp(&other));
            }
            prop_assert!(one_number.is_whole());
            prop_assert_eq!(one_number.is_negative(), one < 0);
        }
    }
}
