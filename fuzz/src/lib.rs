//! What is fuzzed: one function for each reader of files and texts from outside. Each takes any bytes, gives
//! them to the reader that the commands use, and asserts what must hold whatever the bytes are.
//!
//! `fuzz_targets/` calls these functions with what libFuzzer invents; `tests/corpus.rs` calls them with the
//! committed inputs and with mutations of those, on stable Rust.
#![forbid(unsafe_code)]

mod batches;
mod keys;
mod ledgers;
mod lists;
mod signed;
mod texts;
mod tokens;
mod world;

pub use batches::{csv, csv_columns, json_batch, ndjson, results, stored};
pub use keys::{certificates, encrypted_key, key_ring, private_key, public_key, x5c};
pub use ledgers::{ledger, mark};
pub use lists::{bitstring, list_token, token_list};
pub use signed::{credential, issued};
pub use texts::{disclosure_policy, json, settings, small_texts, type_metadata};
pub use tokens::{key_binding, presentation, token};

/// A target: its name, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("bitstring", bitstring),
    ("certificates", certificates),
    ("credential", credential),
    ("csv", csv),
    ("csv_columns", csv_columns),
    ("disclosure_policy", disclosure_policy),
    ("encrypted_key", encrypted_key),
    ("issued", issued),
    ("json", json),
    ("json_batch", json_batch),
    ("key_binding", key_binding),
    ("key_ring", key_ring),
    ("ledger", ledger),
    ("list_token", list_token),
    ("mark", mark),
    ("ndjson", ndjson),
    ("presentation", presentation),
    ("private_key", private_key),
    ("public_key", public_key),
    ("results", results),
    ("settings", settings),
    ("small_texts", small_texts),
    ("stored", stored),
    ("token", token),
    ("token_list", token_list),
    ("type_metadata", type_metadata),
    ("x5c", x5c),
];
