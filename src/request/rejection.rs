//! Why an item is not issued.

use serde::Serialize;

use crate::invisible;

/// The code of a failed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The item cannot be read, or not in only one way.
    MalformedRequest,
    /// A required field is not there.
    MissingRequiredField,
    /// A field breaks its rule, or there are violations of several kinds.
    ValidationFailed,
    /// `self_attestation_complete` is missing or is not `true`.
    SelfAttestationIncomplete,
    /// `credential_type` names a type that is not issued here.
    UnsupportedCredentialType,
    /// A permission needs a delegation that the item does not name.
    DelegatedByRequired,
    /// The item was issued before under the same idempotency key, with other content.
    IdempotencyKeyConflict,
    /// The item lacks the field that items of the run are known by.
    IdempotencyKeyMissing,
    /// The ledger knows no such credential.
    CredentialNotFound,
    /// The credential's status does not allow the change.
    StatusConflict,
}

impl ErrorCode {
    /// Every code, what it means, and what to do about it: the source of the table in docs/errors.md.
    pub const ALL: [(ErrorCode, &'static str, &'static str); 10] = [
        (
            ErrorCode::MalformedRequest,
            "the line, row or id cannot be read, or not in only one way",
            "fix the line or row named; the message says where it stops making sense",
        ),
        (
            ErrorCode::MissingRequiredField,
            "a required field is missing",
            "add the field that `details` names",
        ),
        (
            ErrorCode::ValidationFailed,
            "fields break their rules, or there are problems of several kinds",
            "fix the fields that `details` names",
        ),
        (
            ErrorCode::SelfAttestationIncomplete,
            "`self_attestation_complete` is missing or is not `true`",
            "have the subject complete its attestation, then set the field to `true`",
        ),
        (
            ErrorCode::UnsupportedCredentialType,
            "`credential_type` names a type that is not issued here",
            "use the type that the message names, or leave `credential_type` out",
        ),
        (
            ErrorCode::DelegatedByRequired,
            "a permission for a `wallet` needs `delegated_by_subject_id`",
            "name the subject that delegates",
        ),
        (
            ErrorCode::IdempotencyKeyConflict,
            "an item with this id, or at this place, was issued under the same idempotency key with other content",
            "restore the item as it was, or issue the changed one under another key",
        ),
        (
            ErrorCode::IdempotencyKeyMissing,
            "the item lacks the id that `--idempotent-by` or `--by` names",
            "add the id, or let items be known by another field",
        ),
        (
            ErrorCode::CredentialNotFound,
            "the credential was not found in the ledger",
            "check the id, and that `--ledger` names the ledger that the credential was issued with",
        ),
        (
            ErrorCode::StatusConflict,
            "the status of the credential does not allow what was asked: the message says which it is",
            "nothing where a revoked credential was to be suspended or reinstated; in a `sync`, the flag that the message names; to renew a suspended credential, reinstate it first",
        ),
    ];

    /// The code as it stands in results.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::MalformedRequest => "malformed_request",
            ErrorCode::MissingRequiredField => "missing_required_field",
            ErrorCode::ValidationFailed => "validation_failed",
            ErrorCode::SelfAttestationIncomplete => "self_attestation_incomplete",
            ErrorCode::UnsupportedCredentialType => "unsupported_credential_type",
            ErrorCode::DelegatedByRequired => "delegated_by_required",
            ErrorCode::IdempotencyKeyConflict => "idempotency_key_conflict",
            ErrorCode::IdempotencyKeyMissing => "idempotency_key_missing",
            ErrorCode::CredentialNotFound => "credential_not_found",
            ErrorCode::StatusConflict => "status_conflict",
        }
    }
}

/// The code of one violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailCode {
    /// A required field is not there.
    Missing,
    /// The value is of another JSON type.
    WrongType,
    /// The self-attestation is absent, or not `true`.
    NotTrue,
    /// The credential type is not issued here.
    UnsupportedType,
    /// Text, an object or an array that must hold something is empty.
    Empty,
    /// Text of more characters than allowed.
    TooLong,
    /// An array of more elements than allowed.
    TooMany,
    /// A number or time outside its range.
    OutOfRange,
    /// Text that is not of the form asked for.
    InvalidFormat,
    /// A word or code that is not in its list.
    UnknownCode,
    /// A field that no rule names.
    UnknownField,
    /// A name that means something to the credential formats.
    ReservedName,
    /// The delegation is missing that a permission needs.
    DelegatedByRequired,
    /// A value that does not fit another field's.
    Inconsistent,
    /// The holder's key is not a usable public key.
    InvalidKey,
    /// A credential of earlier results that is not one to renew.
    InvalidToken,
    /// The same key twice in one object.
    DuplicateKey,
    /// A character that cannot be signed: NUL, or half a surrogate pair.
    InvalidCharacter,
}

impl DetailCode {
    /// Every code, with what to do about it: the source of the table in docs/errors.md.
    pub const ALL: [(DetailCode, &'static str); 18] = [
        (DetailCode::Missing, "add the field; in CSV, fill in the cell"),
        (DetailCode::WrongType, "write the value as the type that the message asks for"),
        (DetailCode::NotTrue, "have the subject attest, then write `true`"),
        (DetailCode::UnsupportedType, "write the type that the message names, or leave the field out"),
        (DetailCode::Empty, "fill the field in, or leave it out"),
        (DetailCode::TooLong, "shorten the text to the length that the message names"),
        (DetailCode::TooMany, "leave some elements out"),
        (DetailCode::OutOfRange, "check the number or time against the range that the message names"),
        (DetailCode::InvalidFormat, "write the value in the form that the message shows"),
        (DetailCode::UnknownCode, "use one of the words or codes of its list; the message may suggest one"),
        (DetailCode::UnknownField, "correct its name or remove it; `--allow-unknown` carries it through"),
        (
            DetailCode::ReservedName,
            "give the field another name: this one means something to credential formats",
        ),
        (DetailCode::DelegatedByRequired, "name the subject that delegates, as the message asks for"),
        (DetailCode::Inconsistent, "make the field agree with the one that the message names"),
        (DetailCode::InvalidKey, "ask the holder for a public key of the kind that the message names"),
        (
            DetailCode::InvalidToken,
            "take the row from the results of `batch-issue` as they are; the message says why the credential in it cannot be renewed",
        ),
        (DetailCode::DuplicateKey, "keep one of the two members of this name"),
        (DetailCode::InvalidCharacter, "remove the NUL character or half surrogate pair at this place"),
    ];

    /// The code as it stands in results.
    pub fn as_str(self) -> &'static str {
        match self {
            DetailCode::Missing => "missing",
            DetailCode::WrongType => "wrong_type",
            DetailCode::NotTrue => "not_true",
            DetailCode::UnsupportedType => "unsupported_type",
            DetailCode::Empty => "empty",
            DetailCode::TooLong => "too_long",
            DetailCode::TooMany => "too_many",
            DetailCode::OutOfRange => "out_of_range",
            DetailCode::InvalidFormat => "invalid_format",
            DetailCode::UnknownCode => "unknown_code",
            DetailCode::UnknownField => "unknown_field",
            DetailCode::ReservedName => "reserved_name",
            DetailCode::DelegatedByRequired => "delegated_by_required",
            DetailCode::Inconsistent => "inconsistent",
            DetailCode::InvalidKey => "invalid_key",
            DetailCode::InvalidToken => "invalid_token",
            DetailCode::DuplicateKey => "duplicate_key",
            DetailCode::InvalidCharacter => "invalid_character",
        }
    }

    /// The item's code, where all its violations are of this kind.
    fn error_code(self) -> ErrorCode {
        match self {
            DetailCode::Missing => ErrorCode::MissingRequiredField,
            DetailCode::NotTrue => ErrorCode::SelfAttestationIncomplete,
            DetailCode::UnsupportedType => ErrorCode::UnsupportedCredentialType,
            DetailCode::DelegatedByRequired => ErrorCode::DelegatedByRequired,
            DetailCode::DuplicateKey | DetailCode::InvalidCharacter => ErrorCode::MalformedRequest,
            _ => ErrorCode::ValidationFailed,
        }
    }
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Where: a JSON Pointer (RFC 6901) into the item.
    pub path: String,
    /// The column of the CSV file that feeds this place, as its header names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What kind of violation it is.
    pub code: DetailCode,
    /// What was found and what was expected.
    pub message: String,
}

/// The column of a CSV file that feeds a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedingColumn {
    /// Its name in the header.
    pub name: String,
    /// What a setting expects in the cell and did not find, in words.
    pub expected: Option<String>,
}

/// Why an item is not issued: the `error` of its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The code that programs look at.
    pub code: ErrorCode,
    /// The sentence that people read.
    pub message: String,
    /// Each violation: faults of the text first, then broken rules; at most 100. Empty where the
    /// item could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

impl Rejection {
    /// An item that cannot be read.
    pub fn malformed(message: impl Into<String>) -> Rejection {
        Rejection { code: ErrorCode::MalformedRequest, message: message.into(), details: Vec::new() }
    }

    /// An item with these violations, of which there is at least one.
    pub fn of_details(details: Vec<Detail>) -> Rejection {
        let mut codes = details.iter().map(|detail| detail.code.error_code());
        let first = codes.next().unwrap_or(ErrorCode::ValidationFailed);
        let code = if codes.all(|code| code == first) { first } else { ErrorCode::ValidationFailed };
        Rejection { code, message: headline(&details, None), details }
    }

    /// Says where each violation stands in the CSV file that the item came from: first the line and the column,
    /// which the user knows, then the JSON Pointer.
    pub fn locate(&mut self, line: u64, column_at: impl Fn(&str) -> Option<FeedingColumn>) {
        if self.details.is_empty() {
            return; // the message is about the row as a whole, and names its lines
        }
        for detail in &mut self.details {
            let Some(FeedingColumn { name, expected }) = column_at(&detail.path) else { continue };
            detail.column = Some(name);
            if let (DetailCode::InvalidFormat, Some(expected)) = (detail.code, expected) {
                let found = detail.message.split("; expected ").next().unwrap_or_default();
                detail.message = format!("{found}; expected {expected}");
            }
        }
        self.message = headline(&self.details, Some(line));
    }
}

/// The place of a field for people: the line and column of a CSV file before the JSON Pointer.
pub(crate) fn place(line: Option<u64>, column: Option<&str>, path: &str) -> String {
    // A field's name in the path is the user's own, and may be anything.
    let path = if path.is_empty() { "the item".to_owned() } else { invisible::escaped(path) };
    let place = match column {
        Some(column) => format!("column '{column}' ({path})"),
        None => path,
    };
    match line {
        Some(line) => format!("line {line}, {place}"),
        None => place,
    }
}

fn headline(details: &[Detail], line: Option<u64>) -> String {
    let Some(first) = details.first() else { return String::new() };
    let place = place(line, first.column.as_deref(), &first.path);
    match details.len() {
        1 => format!("{place}: {}", first.message),
        count => format!("{count} problems, the first at {place}: {}", first.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(code: DetailCode) -> Detail {
        Detail { path: "/request/ttl".into(), column: None, code, message: "m".into() }
    }

    #[test]
    fn one_kind_of_violation_gives_its_own_code() {
        let code =
            |codes: &[DetailCode]| Rejection::of_details(codes.iter().map(|&c| detail(c)).collect()).code;
        assert_eq!(code(&[DetailCode::Missing, DetailCode::Missing]), ErrorCode::MissingRequiredField);
        assert_eq!(code(&[DetailCode::Missing, DetailCode::TooLong]), ErrorCode::ValidationFailed);
        assert_eq!(code(&[DetailCode::NotTrue]), ErrorCode::SelfAttestationIncomplete);
    }

    #[test]
    fn codes_are_written_as_serde_writes_them() {
        for (code, ..) in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        for (code, _) in DetailCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
