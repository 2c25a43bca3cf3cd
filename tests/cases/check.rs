//! What a case wants, and what a command gave.
//!
//! | member of `want` | holds where |
//! | --- | --- |
//! | `rc`, `rc_not` | the exit code is this one, or one of these; is not this one |
//! | `issued`, `failed`, `valid`, `invalid` | so many lines of the output are credentials, errors, verdicts of each kind |
//! | `reasons` | the reasons of the invalid verdicts are these, in any order |
//! | `signed_has`, `signed_lacks` | some, no credential matches this expression |
//! | `out`, `out_lacks`, `err`, `err_lacks`, `says` | standard output, standard error, both together match; no case counts in messages |
//! | `either` | one of these wants holds as a whole |

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::exact::Exact;

/// What a command left.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The exit code; a signal's number below zero.
    code: i32,
    stdout: String,
    stderr: String,
    /// The objects among the lines of standard output.
    rows: Vec<Exact>,
}

impl Verdict {
    pub(crate) fn new(code: i32, stdout: String, stderr: String) -> Verdict {
        // Every line end of Unicode ends a line.
        let ends =
            ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
        let is_object = |line: &&str| serde_json::from_str::<Map<String, Value>>(line).is_ok();
        let rows = stdout.split(ends).filter(is_object).map(Exact::parse).collect();
        Verdict { code, stdout, stderr, rows }
    }

    /// Whether the program panicked, aborted or broke a rule of memory.
    pub(crate) fn has_crashed(&self) -> bool {
        self.stderr.contains("panicked") || [101, 134, 139].contains(&self.code)
    }

    /// The beginning of the messages, in one line.
    pub(crate) fn messages(&self) -> String {
        beginning(&self.stderr)
    }

    fn results(&self) -> impl Iterator<Item = &Exact> {
        self.rows.iter().filter(|row| row.get("valid").is_none())
    }

    fn signed(&self) -> impl Iterator<Item = &Exact> {
        self.results()
            .filter_map(|row| row.get("credential"))
            .filter(|found| matches!(found, Exact::Object(_)))
    }

    fn failed(&self) -> usize {
        self.results().filter(|row| row.get("error").is_some()).count()
    }

    fn judged(&self, valid: bool) -> impl Iterator<Item = &Exact> {
        self.rows.iter().filter(move |row| row.get("valid") == Some(&Exact::Boolean(valid)))
    }

    fn reasons(&self) -> Vec<&str> {
        let reason = |row| match Exact::get(row, "reason") {
            Some(Exact::String(reason)) => reason.as_str(),
            _ => "?",
        };
        let mut reasons: Vec<&str> = self.judged(false).map(reason).collect();
        reasons.sort_unstable();
        reasons
    }

    /// The credentials, one a line.
    fn signed_text(&self) -> String {
        self.signed().map(plain_text).collect::<Vec<_>>().join("\n")
    }
}

/// The beginning of a text, in one line.
fn beginning(text: &str) -> String {
    text.chars().take(300).collect::<String>().replace('\n', " ")
}

/// JSON with a space behind each comma and colon and no needless escapes: what the expressions of the cases are
/// written for.
fn plain_text(value: &Exact) -> String {
    match value {
        Exact::Null => "null".into(),
        Exact::Boolean(value) => value.to_string(),
        Exact::Number(text) => text.clone(),
        Exact::String(text) => quoted(text),
        Exact::Array(elements) => {
            format!("[{}]", elements.iter().map(plain_text).collect::<Vec<_>>().join(", "))
        }
        Exact::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{}: {}", quoted(name), plain_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What is not as wanted, a sentence each; none where all is.
///
/// # Errors
///
/// Where a want is not one of those above, or has no right value.
pub(crate) fn faults(want: &Value, verdict: &Verdict) -> Result<Vec<String>, String> {
    let wants = want.as_object().ok_or_else(|| format!("{want} is not an object"))?;
    let mut found = Vec::new();
    for (name, value) in wants {
        found.extend(fault(name, value, verdict)?);
    }
    Ok(found)
}

/// What is wrong by one member of a want.
fn fault(name: &str, value: &Value, verdict: &Verdict) -> Result<Option<String>, String> {
    let Verdict { code, stdout, stderr, .. } = verdict;
    let both = || format!("{stdout}{stderr}");
    let (holds, otherwise) = match name {
        "rc" => {
            let wanted = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            (
                wanted.contains(&Value::from(*code)),
                format!("exit {code}, wanted {value}: {}", verdict.messages()),
            )
        }
        "rc_not" => (value != code, format!("exit {code}")),
        "issued" | "failed" | "valid" | "invalid" => {
            let count = match name {
                "issued" => verdict.signed().count(),
                "failed" => verdict.failed(),
                _ => verdict.judged(name == "valid").count(),
            };
            (value.as_u64() == Some(count as u64), format!("{name} {count}, wanted {value}"))
        }
        "reasons" => {
            let reasons = verdict.reasons();
            let mut wanted = texts(value)?;
            wanted.sort_unstable();
            (reasons == wanted, format!("reasons {reasons:?}, wanted {wanted:?}"))
        }
        "signed_has" => {
            (exactly(value)?.is_match(&verdict.signed_text()), format!("no credential holds {value}"))
        }
        "signed_lacks" => {
            (!exactly(value)?.is_match(&verdict.signed_text()), format!("a credential holds {value}"))
        }
        "out" => (
            across_lines(value)?.is_match(stdout),
            format!("the output lacks {value}: {}", beginning(&both())),
        ),
        "out_lacks" => (!across_lines(value)?.is_match(stdout), format!("the output holds {value}")),
        "err" => (
            in_any_case(value)?.is_match(stderr),
            format!("the messages lack {value}: {}", verdict.messages()),
        ),
        "err_lacks" => (!in_any_case(value)?.is_match(stderr), format!("the messages hold {value}")),
        "says" => {
            let said = in_any_case(value)?.is_match(&both());
            (said, format!("neither output nor messages say {value}: {}", verdict.messages()))
        }
        "either" => return either(value, verdict),
        _ => return Err(format!("unknown check {name}")),
    };
    Ok((!holds).then_some(otherwise))
}

fn either(wants: &Value, verdict: &Verdict) -> Result<Option<String>, String> {
    let wants = wants.as_array().ok_or_else(|| format!("{wants} is not an array"))?;
    let found = wants.iter().map(|want| faults(want, verdict)).collect::<Result<Vec<_>, _>>()?;
    if found.iter().any(Vec::is_empty) {
        return Ok(None);
    }
    let found: Vec<String> = found.iter().map(|faults| format!("({})", faults.join(", "))).collect();
    Ok(Some(found.join(" or ")))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

fn texts(value: &Value) -> Result<Vec<&str>, String> {
    value.as_array().ok_or_else(|| format!("{value} is not an array"))?.iter().map(text).collect()
}

fn exactly(value: &Value) -> Result<Regex, String> {
    expression(value, false, false)
}

/// A point stands for a line end, too.
fn across_lines(value: &Value) -> Result<Regex, String> {
    expression(value, true, false)
}

fn in_any_case(value: &Value) -> Result<Regex, String> {
    expression(value, true, true)
}

fn expression(value: &Value, across_lines: bool, in_any_case: bool) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text(value)?);
    builder.dot_matches_new_line(across_lines).case_insensitive(in_any_case);
    builder.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An output of each kind of row, with what is no row between them.
    fn verdict() -> Verdict {
        let stdout = "issued\n{\"index\":0,\"credential\":{\"subject\":{\"id\":\"EX-1\",\"name\":\"M\\u00fcller\\nGmbH\"}}}\n\
                      {\"index\":1,\"error\":{\"code\":\"x\"}}\n[1]\n\
                      {\"valid\":true,\"credential\":{\"id\":\"EX-9\"}}\n\
                      {\"valid\":false,\"reason\":\"revoked\"}\n{\"valid\":false}\n";
        Verdict::new(3, stdout.into(), "error: Line 7\nhint: none\n".into())
    }

    #[test]
    fn every_want_holds_or_fails_as_it_should() {
        for (name, right, wrong) in [
            ("rc", json!(3), json!(0)),
            ("rc", json!([0, 3]), json!([0, 4])),
            ("rc_not", json!(0), json!(3)),
            ("issued", json!(1), json!(2)),
            ("failed", json!(1), json!(0)),
            ("valid", json!(1), json!(2)),
            ("invalid", json!(2), json!(1)),
            ("reasons", json!(["revoked", "?"]), json!(["revoked"])),
            ("signed_has", json!("\"id\": \"EX-1\", \"name\": \"Müller"), json!("EX-9")),
            ("signed_lacks", json!("ex-1"), json!("EX-[0-1]")),
            ("out", json!("issued.*valid"), json!("Issued")),
            ("out_lacks", json!("Line"), json!("issued.*valid")),
            ("err", json!("ERROR.*hint"), json!("issued")),
            ("err_lacks", json!("issued"), json!("LINE 7")),
            ("says", json!("valid.*line 7"), json!("line 8")),
            (
                "either",
                json!([{"rc": 0}, {"rc": 3, "issued": 1}]),
                json!([{"rc": 0}, {"rc": 3, "issued": 2}]),
            ),
        ] {
            let holds = |value: &Value| faults(&json!({ name: value }), &verdict()).unwrap().is_empty();
            assert!(holds(&right), "{name}: {right}");
            assert!(!holds(&wrong), "{name}: {wrong}");
        }
    }

    #[test]
    fn a_want_that_nobody_knows_is_no_want_that_holds() {
        for want in
            [json!({"exit": 0}), json!({"out": 1}), json!({"err": "("}), json!({"either": {}}), json!(0)]
        {
            assert!(faults(&want, &verdict()).is_err(), "{want}");
        }
    }

    #[test]
    fn a_crash_is_seen() {
        assert!(!verdict().has_crashed());
        assert!(Verdict::new(101, String::new(), String::new()).has_crashed());
        assert!(Verdict::new(1, String::new(), "thread 'main' panicked at".into()).has_crashed());
    }
}
