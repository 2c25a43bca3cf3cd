//! What a type's schema says beyond its tables, of items that the tables take.

use serde_json::{Value as Json, json};

use super::findings::{Findings, MAX_VIOLATIONS};
use super::rejection::{Detail, DetailCode};
use crate::json::Value;
use crate::types::{Schema, SchemaProblem};

impl Findings {
    /// Judges subject and claims by the schema. An item that breaks the tables is not judged again: what it breaks was
    /// said in better words.
    pub(super) fn check_schema(&mut self, schema: &Schema, request: Value<'_>, bare: bool) {
        if !self.violations.is_empty() {
            return;
        }
        let part =
            |name: &str| request.member(name).and_then(|part| serde_json::from_str::<Json>(part.text()).ok());
        let (Some(subject), Some(claims)) = (part("subject"), part("claims")) else {
            // The tables want both. A number that the other parser does not take is beyond a double.
            return self.violations.push(Detail {
                path: String::new(),
                column: None,
                code: DetailCode::OutOfRange,
                message: "a number is beyond what a double can hold".to_owned(),
            });
        };
        let prefix = if bare { "" } else { "/request" };
        let judged = json!({ "subject": subject, "claims": claims });
        let details =
            schema.problems(&judged, MAX_VIOLATIONS).into_iter().map(|problem| detail(prefix, problem));
        self.violations.extend(details);
    }
}

fn detail(prefix: &str, SchemaProblem { path, keyword, message }: SchemaProblem) -> Detail {
    let code = code_of(keyword.rsplit('/').next().unwrap_or_default());
    Detail {
        path: format!("{prefix}{path}"),
        column: None,
        code,
        message: format!("{message} (schema {keyword})"),
    }
}

fn code_of(keyword: &str) -> DetailCode {
    match keyword {
        "required" => DetailCode::Missing,
        "type" => DetailCode::WrongType,
        "const" | "enum" => DetailCode::UnknownCode,
        "format" | "pattern" | "minLength" => DetailCode::InvalidFormat,
        "maxLength" => DetailCode::TooLong,
        "maxItems" | "maxProperties" => DetailCode::TooMany,
        "minItems" | "minProperties" => DetailCode::Empty,
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            DetailCode::OutOfRange
        }
        "additionalProperties" | "unevaluatedProperties" | "propertyNames" => DetailCode::UnknownField,
        _ => DetailCode::Inconsistent,
    }
}
