//! The JSON Schema, read by an independent reader, and the validator come to the same verdicts.

use std::cell::Cell;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::holds;
use crate::loose::{any_item, odd_values};
use crate::support::*;

fn schema_of(sandbox: &Sandbox) -> Validator {
    let schema = serde_json::from_str(&sandbox.beltic(&["schema"]).expect(0).stdout).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Has the program judge the items, compares, and gives the number of accepted ones.
fn agreed(sandbox: &Sandbox, schema: &Validator, items: &[Value]) -> usize {
    sandbox.write_items("items.ndjson", items);
    let run = sandbox.issue("items.ndjson --ledger none --quiet");
    let rows = run.rows();
    assert_eq!(rows.len(), items.len(), "{}", run.stderr);
    for (item, row) in items.iter().zip(&rows) {
        assert_eq!(schema.is_valid(item), row.credential.is_some(), "{item}\n{:?}", row.error);
    }
    rows.iter().filter(|row| row.credential.is_some()).count()
}

/// Invented items, sound and faulty in all their parts.
#[test]
fn the_schema_agrees_on_invented_items() {
    let sandbox = Sandbox::with_issuer_key();
    let schema = schema_of(&sandbox);
    let accepted = Cell::new(0);
    let items = proptest::collection::vec(any_item(), 1..200);
    holds(24, file!(), items, |items| accepted.set(accepted.get() + agreed(&sandbox, &schema, &items)));
    assert!(accepted.get() > 100, "too few sound items to say anything: {}", accepted.get());
}

/// Every value in an item, which is every field there is.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let place = format!("{at}/{name}");
        places(value, &place, found);
        found.push(place);
    }
}

/// Every field once with each kind of value, once left out, and once with another beside it, in the
/// envelope and without.
#[test]
fn the_schema_agrees_on_every_field() {
    let sandbox = Sandbox::with_issuer_key();
    let schema = schema_of(&sandbox);
    let enveloped = with(full_item("a"), "/error", json!("mended"));
    let mut bare = enveloped["request"].clone();
    bare["correlation_id"] = json!("a");
    for item in [enveloped, bare] {
        let mut fields = Vec::new();
        places(&item, "", &mut fields);
        assert!(fields.len() > 35, "{fields:?}");
        let mut variants = Vec::new();
        for field in fields {
            variants.extend(odd_values().into_iter().map(|odd| with(item.clone(), &field, odd)));
            if item.pointer(&field).unwrap().is_object() {
                variants.push(with(item.clone(), &format!("{field}/other"), json!("x")));
            }
            let parent = field.rsplit_once('/').unwrap().0;
            if item.pointer(parent).unwrap().is_object() {
                variants.push(without(item.clone(), &field));
            }
        }
        let accepted = agreed(&sandbox, &schema, &variants);
        assert!(accepted > 20 && accepted < variants.len() / 2, "{accepted} of {}", variants.len());
    }
}
