//! RFC 3339 date-times and dates.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// What is wrong with a date-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateTimeProblem {
    /// It is none.
    #[error("expected an RFC 3339 date-time, such as 2026-01-31T12:00:00Z")]
    Form,
    /// It has not come yet.
    #[error("lies in the future; expected the time at which the claims were verified")]
    Future,
}

/// What is wrong with a date-time that must have passed at `now`, if anything.
pub fn past_date_time_problem(text: &str, now: Timestamp) -> Option<DateTimeProblem> {
    match date_time(text) {
        None => Some(DateTimeProblem::Form),
        Some(time) if time > now => Some(DateTimeProblem::Future),
        Some(_) => None,
    }
}

/// What is wrong with a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateProblem {
    /// It is none.
    #[error("expected an RFC 3339 date, such as 1990-01-31")]
    Form,
    /// It has not come yet.
    #[error("lies in the future; expected a date that has come")]
    Future,
}

/// What is wrong with an RFC 3339 full-date that must have come at `now`, if anything. Days begin in the east: a date
/// has come as soon as it has anywhere on earth, 14 hours before it does in UTC.
pub fn past_date_problem(text: &str, now: Timestamp) -> Option<DateProblem> {
    let date = matches_pattern(text, "0000-00-00").then(|| text.parse::<Date>().ok()).flatten();
    let Some(date) = date else { return Some(DateProblem::Form) };
    let in_the_east = now.saturating_add(SignedDuration::from_hours(14)).ok()?;
    (date > Offset::UTC.to_datetime(in_the_east).date()).then_some(DateProblem::Future)
}

/// The time that an RFC 3339 date-time names. Digits beyond nanoseconds are skipped.
pub fn date_time(text: &str) -> Option<Timestamp> {
    let parts = Parts::of(text)?;
    // The parser behind this knows more forms than RFC 3339, and a verifier might not.
    if parts.seconds == "60" && !parts.is_leap_second() {
        return None;
    }
    let fraction = &parts.fraction[..parts.fraction.len().min(".123456789".len())];
    let text = match fraction.len() == parts.fraction.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{}{fraction}{}", parts.date_and_time, parts.offset)),
    };
    text.parse().ok()
}

/// A text in the form of RFC 3339 section 5.6.
struct Parts<'t> {
    date_and_time: &'t str,
    seconds: &'t str,
    /// With its point; empty where there is none.
    fraction: &'t str,
    offset: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Parts<'t>> {
        let (date_and_time, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
        let digits =
            rest.strip_prefix('.').map(|digits| digits.bytes().take_while(u8::is_ascii_digit).count());
        let (fraction, offset) = rest.split_at(digits.map_or(0, |digits| 1 + digits));
        let offset_is_sound = match offset.as_bytes() {
            [b'Z' | b'z'] => true,
            [b'+' | b'-', hours @ .., b':', _, _] if hours <= b"23".as_slice() => {
                matches_pattern(&offset[1..], "00:00") && offset[4..] <= *"59"
            }
            _ => false,
        };
        let sound =
            matches_pattern(date_and_time, "0000-00-00T00:00:00") && digits != Some(0) && offset_is_sound;
        sound.then(|| Parts { date_and_time, seconds: &date_and_time[17..], fraction, offset })
    }

    /// Leap seconds come at the end of June or December, in UTC (RFC 3339 section 5.7).
    fn is_leap_second(&self) -> bool {
        let moment = self.date_and_time[5..].to_ascii_uppercase();
        self.offset.eq_ignore_ascii_case("Z")
            && matches!(moment.as_str(), "06-30T23:59:60" | "12-31T23:59:60")
    }
}

/// Whether digits stand where the pattern has `0`, and its own characters elsewhere (`t` for `T`).
fn matches_pattern(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(&wanted),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_come_where_the_day_begins_first() {
        let now: Timestamp = "2026-11-23T09:59:59Z".parse().unwrap();
        for text in ["0001-01-01", "1990-01-31", "2024-02-29", "2026-11-23"] {
            assert_eq!(past_date_problem(text, now), None, "{text}");
        }
        assert_eq!(past_date_problem("2026-11-24", now), Some(DateProblem::Future));
        assert_eq!(past_date_problem("2026-11-24", "2026-11-23T10:00:00Z".parse().unwrap()), None);
        for text in [
            "",
            "1990-1-31",
            "19900131",
            "1990-02-29",
            "1990-13-01",
            "+001990-01-31",
            "1990-01-31 ",
            "1990-01-31T00:00:00Z",
            "31.01.1990",
            "１990-01-31",
        ] {
            assert_eq!(past_date_problem(text, now), Some(DateProblem::Form), "{text}");
        }
    }

    #[test]
    fn the_forms_of_rfc_3339_and_no_others() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        // The first three are examples of RFC 3339 section 5.8.
        for text in [
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "2026-11-23t00:00:00z",
            "2026-11-23T02:00:00+02:00",
            "2025-01-01T00:00:00.1234567890123Z",
        ] {
            assert_eq!(past_date_time_problem(text, now), None, "{text}");
        }
        for text in [
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-02-30T12:00:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+0200",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+02:60",
            "2026-01-31T12:00:00Z[UTC]",
            "2026-01-31T25:00:00Z",
            "2026-06-15T23:59:60Z",
            "2026-01-31T12:00:00é",
            "",
        ] {
            assert_eq!(past_date_time_problem(text, now), Some(DateTimeProblem::Form), "{text}");
        }
        assert_eq!(past_date_time_problem("2026-11-23T00:00:01Z", now), Some(DateTimeProblem::Future));
    }
}
