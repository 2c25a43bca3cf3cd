//! ISO 4217 codes, exactly as the standard writes them.

use iso_currency::{Currency, IntoEnumIterator};

/// Whether this is an ISO 4217 code. Another spelling is not the code: it is kept as written, and readers compare it.
pub fn is_currency(code: &str) -> bool {
    Currency::from_code(code).is_some_and(|currency| currency.code() == code)
}

/// What is wrong with a currency code, if anything.
pub fn currency_problem(code: &str) -> Option<&'static str> {
    (!is_currency(code)).then_some("expected an ISO 4217 code, such as EUR")
}

/// Every currency code, sorted.
pub fn currencies() -> Vec<&'static str> {
    let mut codes: Vec<_> = Currency::iter().map(|currency| currency.code()).collect();
    codes.sort_unstable();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_list() {
        assert!(currencies().len() > 150 && currencies().is_sorted());
        assert!(currencies().into_iter().all(|code| currency_problem(code).is_none()));
        for code in ["EUR", "USD", "JPY", "GBP"] {
            assert_eq!(currency_problem(code), None, "{code}");
        }
        for code in ["", "eur", "Eur", "EURO", "€", "ZZZ", " EUR", "978"] {
            assert!(currency_problem(code).is_some(), "{code}");
        }
    }
}
