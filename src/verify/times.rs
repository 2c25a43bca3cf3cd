//! Times in tokens: numbers of seconds and date-times, without rounding that would help anybody.

use super::verdict::{Reason, Refusal, Step};
use crate::json::{Kind, Value};
use crate::request::rules;

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// A time with the name of its claim, in seconds since 1970. A fraction is rounded up, which changes no
/// comparison with a whole second: `now < 5.2` and `now < 6` are the same for whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) claim: &'static str,
    pub(super) seconds: i64,
}

/// A NumericDate (RFC 7519 section 2): a number of seconds from 1970 on, before the year 10000.
pub(super) fn numeric_date(claim: &'static str, value: Value<'_>) -> Result<Moment, Refusal> {
    let seconds = match value.kind() {
        Kind::Number => seconds(value.text()),
        _ => None,
    };
    let expected = "a number of seconds since 1970, before the year 10000";
    seconds
        .map(|seconds| Moment { claim, seconds })
        .ok_or_else(|| wrong(format!("`{claim}` is no time; expected {expected}")))
}

fn seconds(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|seconds| (0..=LAST).contains(seconds));
    }
    // Checked before it is converted: the conversion itself would turn 1e300 into a time.
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=LAST as f64).contains(seconds))?;
    Some(seconds.ceil() as i64)
}

/// A date-time with its zone (VC Data Model 2.0 section 4.9: dateTimeStamp).
pub(super) fn date_time(claim: &'static str, value: Value<'_>) -> Result<Moment, Refusal> {
    let text = value.as_str().unwrap_or_default();
    let time = rules::date_time(&text)
        .ok_or_else(|| wrong(format!("`{claim}` is no date-time with a time zone, as RFC 3339 has it")))?;
    let up = i64::from(time.subsec_nanosecond() > 0);
    Ok(Moment { claim, seconds: time.as_second() + up })
}

fn wrong(message: String) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Claims, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_checked_before_they_are_converted() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1795406400", Some(1_795_406_400)),
            ("253402300799", Some(LAST)),
            ("253402300800", None),
            ("18446744073709551617", None),
            ("1.5", Some(2)),
            ("1.0", Some(1)),
            ("1e3", Some(1000)),
            ("1e300", None),
            ("1e999", None),
            ("-1", None),
            ("-0.5", None),
            ("-0", Some(0)),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
