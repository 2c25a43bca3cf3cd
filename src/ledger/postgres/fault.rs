//! What a server says, as an error of a store.

use std::error::Error;

use tokio_postgres::error::SqlState;

use crate::ledger::store::{ServerError, ServerFault, StoreError};

impl From<tokio_postgres::Error> for StoreError {
    fn from(source: tokio_postgres::Error) -> StoreError {
        StoreError::Server(ServerError::of(&source))
    }
}

impl ServerError {
    fn of(source: &tokio_postgres::Error) -> ServerError {
        let Some(said) = source.as_db_error() else {
            return ServerError { fault: fault_of_line(source), said: chain(source), constraint: None };
        };
        ServerError {
            fault: fault_of(said.code()),
            // The message alone: what the server adds may quote a row.
            said: format!("{} (SQLSTATE {})", said.message(), said.code().code()),
            constraint: said.constraint().map(str::to_owned),
        }
    }
}

/// What went wrong where the server said nothing.
fn fault_of_line(source: &tokio_postgres::Error) -> ServerFault {
    let text = chain(source);
    let is_of_certificate = ["certificate", "Certificate", "UnknownIssuer", "tls", "TLS"];
    if is_of_certificate.iter().any(|word| text.contains(word)) {
        return ServerFault::Tls;
    }
    match source.is_closed() {
        true => ServerFault::Lost,
        false => ServerFault::Unreachable,
    }
}

fn fault_of(state: &SqlState) -> ServerFault {
    match *state {
        SqlState::UNIQUE_VIOLATION => ServerFault::Taken,
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => ServerFault::Conflict,
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => ServerFault::Waited,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            ServerFault::Lost
        }
        SqlState::TOO_MANY_CONNECTIONS => ServerFault::TooMany,
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => ServerFault::Password,
        SqlState::INSUFFICIENT_PRIVILEGE => ServerFault::NoRights,
        SqlState::READ_ONLY_SQL_TRANSACTION => ServerFault::ReadOnly,
        SqlState::INVALID_CATALOG_NAME => ServerFault::NoDatabase,
        SqlState::DISK_FULL => ServerFault::Full,
        SqlState::DUPLICATE_PSTATEMENT | SqlState::INVALID_SQL_STATEMENT_NAME => ServerFault::Pooler,
        // Or the server ended a connection that said nothing for a while.
        _ if state.code().starts_with("08") || ["25P03", "57P05"].contains(&state.code()) => {
            ServerFault::Lost
        }
        _ if state.code().starts_with("XX") => ServerFault::Damaged,
        _ => ServerFault::Other,
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
