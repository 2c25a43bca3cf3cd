//! Times, in whole seconds.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A time in whole seconds since 1970-01-01T00:00:00Z, in the years 1970 to 9999.
///
/// Credentials carry the same second as a number (`iat`, `exp`) and as text (`validFrom`,
/// `validUntil`), so a fraction has no place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

/// The last second that is the year 9999 everywhere on Earth, and so in every calendar library.
const LAST: i64 = 253_402_207_200;

impl UnixTime {
    /// The first time there is.
    pub const FIRST: UnixTime = UnixTime(0);
    /// The last time there is.
    pub const LAST: UnixTime = UnixTime(LAST);

    /// The time so many seconds later, or the last one there is; earlier, or the first one.
    pub fn saturating_add(self, seconds: i64) -> UnixTime {
        UnixTime(self.0.saturating_add(seconds).clamp(0, LAST))
    }

    /// The time that is `seconds` after the epoch, where it lies in the years 1970 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<UnixTime> {
        (0..=LAST).contains(&seconds).then_some(UnixTime(seconds))
    }

    /// The time that a clock shows, cut to the second.
    pub fn from_timestamp(timestamp: Timestamp) -> Option<UnixTime> {
        UnixTime::from_seconds(timestamp.as_second())
    }

    /// Seconds since the epoch.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The same time for calendar arithmetic.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_second(self.0).expect("the years 1970 to 9999 are in a Timestamp's range")
    }

    /// The time as RFC 3339 text in UTC, `2026-11-23T04:00:00Z`.
    pub fn rfc3339(self) -> [u8; 20] {
        let civil = jiff::tz::Offset::UTC.to_datetime(self.timestamp());
        let mut text = *b"0000-00-00T00:00:00Z";
        put(&mut text[0..4], i32::from(civil.year()));
        put(&mut text[5..7], i32::from(civil.month()));
        put(&mut text[8..10], i32::from(civil.day()));
        put(&mut text[11..13], i32::from(civil.hour()));
        put(&mut text[14..16], i32::from(civil.minute()));
        put(&mut text[17..19], i32::from(civil.second()));
        text
    }
}

/// Writes a number right-aligned over zeros.
fn put(digits: &mut [u8], mut value: i32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always the same time: `--issued-at`.
    Fixed(UnixTime),
}

impl Clock {
    /// The time at which something issued now is issued.
    pub fn now(self) -> UnixTime {
        match self {
            Clock::System => system_now(),
            Clock::Fixed(time) => time,
        }
    }

    /// The time of issue, beside the latest time that is known.
    pub fn moment(self) -> Moment {
        match self {
            Clock::System => system_now().into(),
            Clock::Fixed(at) => Moment { at, latest: system_now().max(at) },
        }
    }
}

/// When something is issued or looked at. With `--issued-at`, that is not the latest time that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of issue, or as of which a credential is looked at.
    pub at: UnixTime,
    /// Nothing that has happened is later than this.
    pub latest: UnixTime,
}

impl From<UnixTime> for Moment {
    /// A moment behind which no time is known.
    fn from(at: UnixTime) -> Moment {
        Moment { at, latest: at }
    }
}

/// The system's time, cut to the second.
pub fn system_now() -> UnixTime {
    UnixTime((system_millis() / 1000).min(LAST as u64) as i64)
}

/// The system's time in milliseconds since the epoch; 0 where the clock stands before it.
pub fn system_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_seconds_agree_with_published_pairs() {
        // RFC 7519 section 4.1.4's neighbour, the billennium, and the ends of the range.
        for (seconds, text) in [
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (1_234_567_890, "2009-02-13T23:31:30Z"),
            (0, "1970-01-01T00:00:00Z"),
            (LAST, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(UnixTime::from_seconds(seconds).unwrap().to_string(), text);
        }
        assert_eq!(UnixTime::from_seconds(-1), None);
        assert_eq!(UnixTime::from_seconds(LAST + 1), None);
        assert_eq!(UnixTime::FIRST.saturating_add(5).saturating_add(-6), UnixTime::FIRST);
        assert_eq!(UnixTime::FIRST.saturating_add(i64::MAX), UnixTime::LAST);
    }
}
