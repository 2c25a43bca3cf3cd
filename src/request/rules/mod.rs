//! The rules for single values. Each says what it expects in words that finish a message:
//! "found X; expected …".

mod date_time;
mod duration;
mod identifier;
mod percent;
mod spreadsheet;
mod text;
mod whole;

pub use crate::codes::{
    countries, country_problem, currencies, currency_problem, jurisdiction_problem, jurisdictions,
    probably_meant,
};
pub use date_time::{DateProblem, DateTimeProblem, date_time, past_date_problem, past_date_time_problem};
pub use duration::{CalendarDuration, DurationProblem, is_beyond_two_years};
pub use identifier::{PATTERNS as IDENTIFIER_PATTERNS, identifier_problem};
pub use percent::percent;
pub(crate) use spreadsheet::is_digits;
pub use spreadsheet::spreadsheet_damage;
pub use text::{TextDoubt, encoding_doubt, text_doubt};
pub use whole::is_whole;

/// Whether a subject's identifier is a URI with a scheme (RFC 3986 section 3), and so may stand
/// as `credentialSubject.id`, which the VC Data Model wants to be a URL.
pub fn is_uri(text: &str) -> bool {
    // Most identifiers have no colon and are answered here, without parsing.
    text.contains(':') && fluent_uri::Uri::parse(text).is_ok()
}
