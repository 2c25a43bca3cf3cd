//! RFC 3339 date-times.

use jiff::Timestamp;

/// What is wrong with a date-time that must have passed at `now`, if anything.
pub fn past_date_time_problem(text: &str, now: Timestamp) -> Option<&'static str> {
    let expected = "expected an RFC 3339 date-time, such as 2026-01-31T12:00:00Z";
    if !has_rfc3339_form(text) {
        return Some(expected);
    }
    match text.parse::<Timestamp>() {
        Err(_) => Some(expected),
        Ok(time) if time > now => {
            Some("lies in the future; expected the time at which the claims were verified")
        }
        Ok(_) => None,
    }
}

/// Whether the text has the form of RFC 3339 section 5.6. The parser behind it knows more forms
/// than that, and a verifier might not.
fn has_rfc3339_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !matches_pattern(&bytes[..19], b"0000-00-00T00:00:00") {
        return false;
    }
    let mut rest = &bytes[19..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    match rest {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => matches_pattern(offset, b"00:00"),
        _ => false,
    }
}

/// Whether digits stand where the pattern has `0`, and its own characters elsewhere (`t` for `T`).
fn matches_pattern(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.len() == pattern.len()
        && bytes.iter().zip(pattern).all(|(&byte, &wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(&wanted),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_rfc_3339_and_no_others() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        // The first two are examples of RFC 3339 section 5.8.
        for text in [
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "2026-11-23t00:00:00z",
            "2026-11-23T02:00:00+02:00",
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
            "2026-01-31T12:00:00Z[UTC]",
            "2026-11-23T00:00:01Z",
            "2026-01-31T25:00:00Z",
            "",
        ] {
            assert!(past_date_time_problem(text, now).is_some(), "{text}");
        }
    }
}
