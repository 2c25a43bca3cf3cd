//! Times in tokens: numbers of seconds and date-times, without rounding that would help anybody.

use super::verdict::{Reason, Refusal, Step};
use crate::json::{Kind, Value};
use crate::request::rules;

/// A time with the name of its claim, in seconds since 1970. A fraction is rounded up, which changes no
/// comparison with a whole second: `now < 5.2` and `now < 6` are the same for whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClaimedTime {
    pub(super) claim: &'static str,
    pub(super) seconds: i64,
}

/// A NumericDate (RFC 7519 section 2): any number of seconds from 1970 on, or before. One that no calendar has is
/// as far away as can be, which is where it says that it is.
pub(super) fn numeric_date(claim: &'static str, value: Value<'_>) -> Result<ClaimedTime, Refusal> {
    let seconds = match value.kind() {
        Kind::Number => seconds(value.text()),
        _ => None,
    };
    seconds
        .map(|seconds| ClaimedTime { claim, seconds })
        .ok_or_else(|| wrong(format!("`{claim}` is not a Unix timestamp")))
}

fn seconds(text: &str) -> Option<i64> {
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    // The conversion saturates: 1e300 is the last second that there is, and no earlier one.
    text.parse::<f64>().ok().filter(|seconds| !seconds.is_nan()).map(|seconds| seconds.ceil() as i64)
}

/// A date-time with its zone (VC Data Model 2.0 section 4.9: dateTimeStamp, which has no leap seconds).
pub(super) fn date_time(claim: &'static str, value: Value<'_>) -> Result<ClaimedTime, Refusal> {
    let text = value.as_str().unwrap_or_default();
    let leap_second = text.get(16..19) == Some(":60");
    let seconds = if leap_second { None } else { seconds_of_date_time(&text) };
    seconds
        .map(|seconds| ClaimedTime { claim, seconds })
        .ok_or_else(|| wrong(format!("`{claim}` is not an RFC 3339 date-time with a time zone")))
}

fn seconds_of_date_time(text: &str) -> Option<i64> {
    let parse = |text: &str| {
        let time = rules::date_time(text)?;
        Some(time.as_second() + i64::from(time.subsec_nanosecond() > 0))
    };
    // The calendar behind this ends before the last two days of 9999 do, which people write for "never". The same
    // days two years before are no leap years' either, and lie 730 days earlier.
    parse(text).or_else(|| match text.get(..9) {
        Some("9999-12-3") => parse(&format!("9997{}", &text[4..])).map(|seconds| seconds + 730 * 86_400),
        _ => None,
    })
}

fn wrong(message: String) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Claims, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_calendar_has_are_as_far_away_as_they_say() {
        for (text, expected) in [
            ("0", 0),
            ("1795406400", 1_795_406_400),
            ("253402300800", 253_402_300_800),
            ("18446744073709551617", i64::MAX),
            ("1.5", 2),
            ("1.0", 1),
            ("1e3", 1000),
            ("1e300", i64::MAX),
            ("1e999", i64::MAX),
            ("-1e999", i64::MIN),
            ("-1", -1),
            ("-1.5", -1),
            ("-0.5", 0),
            ("-0", 0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_last_seconds_of_9999_are_times() {
        for (text, expected) in [
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
            ("9999-12-31T23:59:59-12:00", Some(253_402_300_799 + 43_200)),
            ("9999-12-31T00:00:00.5Z", Some(253_402_214_401)),
            ("9999-12-30T23:00:00+01:00", Some(253_402_207_200)),
            ("9999-12-29T23:59:59Z", Some(253_402_127_999)),
            ("9999-12-32T00:00:00Z", None),
            ("9999-12-31T24:00:00Z", None),
            ("9999-12-31", None),
        ] {
            assert_eq!(seconds_of_date_time(text), expected, "{text}");
        }
    }
}
