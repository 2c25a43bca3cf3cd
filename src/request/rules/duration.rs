//! ISO 8601 durations, added to a time by the calendar.

use jiff::Span;
use jiff::tz::TimeZone;

use crate::clock::UnixTime;
use crate::request::DetailCode;

/// A duration of the form `PnYnMnDTnHnMnS` or `PnW` (ISO 8601-1), in whole numbers.
///
/// It has no length of its own: a year from 29 February ends on 28 February, a month from
/// 31 January on the last day of February. Fractions, signs, lower case and weeks beside other
/// units are refused: readers differ in what they make of them.
#[derive(Debug, Clone, Copy)]
pub struct CalendarDuration(Span);

/// What is wrong with a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationProblem {
    /// The text is no duration of the forms accepted.
    #[error("expected an ISO 8601 duration in whole numbers, such as P1Y, P90D or P1Y6M")]
    Form,
    /// The duration is zero.
    #[error("expected a duration of more than zero")]
    Zero,
    /// The credential would live longer than allowed, or beyond the year 9999.
    #[error("expected a duration of at most P10Y")]
    TooLong,
}

impl DurationProblem {
    /// What kind of violation it is.
    pub(in crate::request) fn code(self) -> DetailCode {
        match self {
            DurationProblem::Form => DetailCode::InvalidFormat,
            DurationProblem::Zero | DurationProblem::TooLong => DetailCode::OutOfRange,
        }
    }
}

/// The units in the order in which they must stand; the time units follow the `T`.
const DATE_UNITS: [u8; 4] = *b"YMWD";
const TIME_UNITS: [u8; 3] = *b"HMS";

impl CalendarDuration {
    /// Reads a duration.
    ///
    /// # Errors
    /// [`DurationProblem::Form`] where it is none, [`DurationProblem::TooLong`] where a number is
    /// beyond any calendar, [`DurationProblem::Zero`] where nothing is left.
    pub fn parse(text: &str) -> Result<CalendarDuration, DurationProblem> {
        let body = text.strip_prefix('P').ok_or(DurationProblem::Form)?;
        let (date, time) = match body.split_once('T') {
            Some((_, "")) => return Err(DurationProblem::Form),
            Some((date, time)) => (date, time),
            None => (body, ""),
        };
        let mut span = Span::new();
        let date_units = read_units(date, &DATE_UNITS, |unit, number| {
            span = match unit {
                b'Y' => span.try_years(number),
                b'M' => span.try_months(number),
                b'W' => span.try_weeks(number),
                _ => span.try_days(number),
            }?;
            Ok(())
        })?;
        let time_units = read_units(time, &TIME_UNITS, |unit, number| {
            span = match unit {
                b'H' => span.try_hours(number),
                b'M' => span.try_minutes(number),
                _ => span.try_seconds(number),
            }?;
            Ok(())
        })?;
        let units = date_units + time_units;
        let weeks_beside_others = date.contains('W') && units > 1;
        if units == 0 || weeks_beside_others {
            return Err(DurationProblem::Form);
        }
        if span.is_zero() { Err(DurationProblem::Zero) } else { Ok(CalendarDuration(span)) }
    }

    /// The time that is this duration after `start`, by the calendar in UTC.
    ///
    /// # Errors
    /// [`DurationProblem::TooLong`] where that is more than ten years later, or after 9999.
    pub fn after(self, start: UnixTime) -> Result<UnixTime, DurationProblem> {
        let end = add(start, self.0).ok_or(DurationProblem::TooLong)?;
        match add(start, Span::new().years(10)) {
            Some(limit) if end > limit => Err(DurationProblem::TooLong),
            _ => Ok(end),
        }
    }
}

/// Whether more than two calendar years lie between the times, which deserves a warning.
pub fn is_beyond_two_years(start: UnixTime, end: UnixTime) -> bool {
    // Two years have at least 730 days; only beyond them is the calendar asked.
    const TWO_SHORT_YEARS: i64 = 730 * 86_400;
    end.seconds() - start.seconds() > TWO_SHORT_YEARS
        && add(start, Span::new().years(2)).is_some_and(|limit| end > limit)
}

fn add(start: UnixTime, span: Span) -> Option<UnixTime> {
    let start = start.timestamp().to_zoned(TimeZone::UTC);
    UnixTime::from_timestamp(start.checked_add(span).ok()?.timestamp())
}

/// Reads `n` and a unit in turn, each unit at most once and in order, and counts them.
fn read_units(
    text: &str,
    order: &[u8],
    mut add: impl FnMut(u8, i64) -> Result<(), jiff::Error>,
) -> Result<usize, DurationProblem> {
    let (mut rest, mut order, mut count) = (text, order, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = *rest.as_bytes().get(digits).ok_or(DurationProblem::Form)?;
        let position = order.iter().position(|&known| known == unit).ok_or(DurationProblem::Form)?;
        if digits == 0 {
            return Err(DurationProblem::Form);
        }
        let number = rest[..digits].parse().map_err(|_| DurationProblem::TooLong)?;
        add(unit, number).map_err(|_| DurationProblem::TooLong)?;
        (rest, order, count) = (&rest[digits + 1..], &order[position + 1..], count + 1);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> UnixTime {
        UnixTime::from_timestamp(text.parse().unwrap()).unwrap()
    }

    fn after(start: &str, duration: &str) -> String {
        CalendarDuration::parse(duration).unwrap().after(time(start)).unwrap().to_string()
    }

    #[test]
    fn months_and_years_end_by_the_calendar() {
        assert_eq!(after("2028-02-29T10:00:00Z", "P1Y"), "2029-02-28T10:00:00Z");
        assert_eq!(after("2027-01-31T00:00:00Z", "P1M"), "2027-02-28T00:00:00Z");
        assert_eq!(after("2026-11-23T04:00:00Z", "P1Y"), "2027-11-23T04:00:00Z");
        assert_eq!(after("2026-11-23T04:00:00Z", "P1Y2M10DT2H30M"), "2028-02-02T06:30:00Z");
        assert_eq!(after("2026-11-23T04:00:00Z", "PT8760H"), "2027-11-23T04:00:00Z");
        assert_eq!(after("2026-11-23T04:00:00Z", "P52W"), "2027-11-22T04:00:00Z");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1Y",
            "p1y",
            "P-1Y",
            "-P1Y",
            "P1.5Y",
            "P1,5D",
            "P1Y1W",
            "P1M1Y",
            "P1H",
            "P1YT",
            " P1Y",
            "P1Y ",
            "P1Y\n",
            "2027-01-01",
            "2026-01-01/P1Y",
            "Ｐ１Ｙ",
            "1 year",
            "P1Y1Y",
        ] {
            assert_eq!(CalendarDuration::parse(text).unwrap_err(), DurationProblem::Form, "{text:?}");
        }
        for text in ["P0D", "PT0S", "P0Y0M"] {
            assert_eq!(CalendarDuration::parse(text).unwrap_err(), DurationProblem::Zero);
        }
    }

    #[test]
    fn ten_years_is_the_longest() {
        let start = time("2026-11-23T04:00:00Z");
        assert!(CalendarDuration::parse("P10Y").unwrap().after(start).is_ok());
        for text in ["P10YT1S", "P121M", "P99999999999Y", "P18446744073709551616D", "P9999Y"] {
            let end = CalendarDuration::parse(text).and_then(|duration| duration.after(start));
            assert_eq!(end, Err(DurationProblem::TooLong), "{text}");
        }
        let warned = |text: &str| {
            is_beyond_two_years(start, CalendarDuration::parse(text).unwrap().after(start).unwrap())
        };
        assert!(warned("P2YT1S") && warned("P10Y"));
        assert!(!warned("P24M") && !warned("P1Y"));
    }
}
