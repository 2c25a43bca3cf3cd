//! The JSON Schema, read by an independent reader, and the validator come to the same verdicts.

use std::cell::Cell;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
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

/// Items of every type with several things wrong at once, or with another lawful value: rules between fields meet
/// values of all kinds.
#[test]
fn the_schema_agrees_on_items_of_every_type() {
    let sandbox = Sandbox::with_own_types();
    let schema = schema_of(&sandbox);
    let accepted = Cell::new([0; 6]);
    let full = full_items();
    let change =
        (any::<Index>(), prop::option::of(prop_oneof![select(odd_values()), select(lawful_values())]));
    let changed = (0..full.len(), prop::collection::vec(change, 0..4)).prop_map(move |(of_type, changes)| {
        let item = changes.into_iter().fold(full[of_type].clone(), changed);
        (of_type, item)
    });
    holds(24, file!(), prop::collection::vec(changed, 1..300), |items| {
        for of_type in 0..6 {
            let of_type_only =
                items.iter().filter(|(found, _)| *found == of_type).map(|(_, item)| item.clone());
            let mut counts = accepted.get();
            counts[of_type] += agreed(&sandbox, &schema, &of_type_only.collect::<Vec<_>>());
            accepted.set(counts);
        }
    });
    assert!(accepted.get().iter().all(|count| *count > 100), "too few sound items: {:?}", accepted.get());
}

/// An item with every field, of each type: those of the program and those of `fixtures/types`.
fn full_items() -> [Value; 6] {
    [
        full_item("a"),
        full_user("a"),
        full_agent("a"),
        full_outcome("a"),
        full_licence("a"),
        full_certificate("a"),
    ]
}

/// The item with another value at one of its places, or without it.
fn changed(item: Value, (place, value): (Index, Option<Value>)) -> Value {
    let mut fields = Vec::new();
    places(&item, "", &mut fields);
    // An earlier change may have left nothing.
    if fields.is_empty() {
        return item;
    }
    let field = place.get(&fields);
    let parent = field.rsplit_once('/').unwrap().0;
    match value {
        Some(value) => with(item, field, value),
        None if item.pointer(parent).unwrap().is_object() => without(item, field),
        None => item,
    }
}

/// Values that some field accepts, so that fields meet which do not fit each other.
fn lawful_values() -> Vec<Value> {
    let words = [
        "idv_verified",
        "self_attested",
        "wallet",
        "in",
        "eq",
        "neq",
        "lte",
        "EUR",
        "GB",
        "PT15M",
        "1990-01-31",
        "L-1234",
        "GB-1234",
        "GB-SCT",
        "a@b.example",
        "https://a.example/",
        "ISO 9001",
    ];
    let others = [
        json!(["EUR"]),
        json!([1, true]),
        json!(5000),
        json!(false),
        json!("passport"),
        json!("monthly"),
        json!(null),
        json!(0.5),
        json!(-1),
    ];
    words.map(|word| json!(word)).into_iter().chain(others).collect()
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
    let sandbox = Sandbox::with_own_types();
    let schema = schema_of(&sandbox);
    let enveloped = full_items().map(|full| with(full, "/error", json!("mended")));
    let bare = enveloped.clone().map(|item| with(item["request"].clone(), "/correlation_id", json!("a")));
    for item in enveloped.into_iter().chain(bare) {
        let mut fields = Vec::new();
        places(&item, "", &mut fields);
        assert!(fields.len() > 13, "{fields:?}");
        let mut variants = Vec::new();
        for field in fields {
            variants.extend(odd_values().into_iter().map(|odd| with(item.clone(), &field, odd)));
            if item.pointer(&field).unwrap().is_object() {
                for name in ["other", "issuer", "claims", "id", "@id", "_sd"] {
                    let beside = format!("{field}/{name}");
                    if item.pointer(&beside).is_none() {
                        variants.push(with(item.clone(), &beside, json!("x")));
                    }
                }
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
