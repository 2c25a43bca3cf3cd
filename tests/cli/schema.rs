//! `beltic schema` says what `beltic batch-issue` does: an independent reader of JSON Schema and
//! the validator come to the same verdicts.

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::rules::cases;
use crate::support::*;

fn schema_of(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.beltic(&["schema"]).expect(0).stdout).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// Whether `batch-issue` accepts each of these items.
fn verdicts(sandbox: &Sandbox, items: &[Value]) -> Vec<bool> {
    sandbox.write_items("items.ndjson", items);
    let run = sandbox.issue("items.ndjson --ledger none");
    let rows = run.rows();
    assert_eq!(rows.len(), items.len(), "{}", run.stderr);
    rows.into_iter().map(|row| row.credential.is_some()).collect()
}

#[test]
fn the_schema_is_one() {
    let schema = schema_of(&Sandbox::new());
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema));
    validator(&schema);
}

/// Every item of the rules' table gets one verdict from both.
#[test]
fn the_schema_agrees_with_the_table_of_rules() {
    let sandbox = Sandbox::with_issuer_key();
    let schema = validator(&schema_of(&sandbox));
    let (mut compared, mut differing) = (0, Vec::new());
    for case in cases() {
        let valid = schema.is_valid(&case.item);
        if case.beyond_schema {
            assert!(valid, "{} is named as a limit of the schema, and is none", case.name);
        } else {
            compared += 1;
            if valid != case.violation.is_none() {
                differing.push(format!("{}: the schema says {valid}", case.name));
            }
        }
    }
    assert!(compared > 200, "{compared}");
    assert!(differing.is_empty(), "{} of {compared}:\n{}", differing.len(), differing.join("\n"));
}

/// Invented items, sound and faulty in all their parts, get one verdict from both.
#[test]
fn the_schema_agrees_on_invented_items() {
    let sandbox = Sandbox::with_issuer_key();
    let schema = validator(&schema_of(&sandbox));
    let accepted = std::cell::Cell::new(0);
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(any_item(), 1..200), |items| {
            for (item, issued) in items.iter().zip(verdicts(&sandbox, &items)) {
                prop_assert_eq!(schema.is_valid(item), issued, "{}", item);
                accepted.set(accepted.get() + usize::from(issued));
            }
            Ok(())
        })
        .unwrap();
    assert!(accepted.get() > 100, "too few sound items to say anything: {}", accepted.get());
}

// ------------------------------------------------------------------------------------- strategies

/// Values that some field refuses.
fn odd() -> BoxedStrategy<Value> {
    let values = [
        json!(null),
        json!(1),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!("x"),
        json!([1]),
        json!(-0.5),
    ];
    select(values.to_vec()).boxed()
}

/// Mostly one of these, and now and then something odd.
fn mostly(values: &[Value]) -> BoxedStrategy<Value> {
    prop_oneof![60 => select(values.to_vec()), 1 => odd()].boxed()
}

/// Mostly from this strategy, and now and then something odd.
fn usually(strategy: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![60 => strategy, 1 => odd()].boxed()
}

/// An object with some of these members; the required ones are there nearly always.
fn object(members: Vec<(&'static str, bool, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, required, value)| {
            let weight = if required { 0.99 } else { 0.4 };
            prop::option::weighted(weight, value)
                .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    let unknown = prop::option::weighted(0.01, select(vec!["note", "Id", "request", "claims", "__proto__"]));
    (members, unknown)
        .prop_map(|(members, unknown)| {
            let mut object: Map<String, Value> = members.into_iter().flatten().collect();
            if let Some(name) = unknown {
                object.entry(name).or_insert(json!("x"));
            }
            Value::Object(object)
        })
        .boxed()
}

fn text() -> BoxedStrategy<Value> {
    // NUL is one of the characters that the schema cannot speak of.
    prop_oneof![20 => "[^\\x00]{1,20}", 1 => Just(String::new())].prop_map(Value::from).boxed()
}

fn id() -> BoxedStrategy<Value> {
    prop_oneof![30 => "[a-z:/]{1,30}".boxed(), 1 => "[日é]{505,520}".boxed(), 1 => Just(String::new()).boxed()]
        .prop_map(Value::from)
        .boxed()
}

fn jurisdiction() -> BoxedStrategy<Value> {
    mostly(&["GB", "US", "US-DE", "JP-13", "DE-BY"].map(|code| json!(code)))
}

fn duration() -> BoxedStrategy<Value> {
    let made = "P([0-9]{1,2}Y)?([0-9]{1,2}M)?([0-9]{1,2}D)?(T([0-9]{1,2}H)?([0-9]M)?)?";
    // Longer than ten years is beyond the schema.
    let short = made.prop_filter("at most ten years", |text| {
        let years = text[1..].split('Y').next().and_then(|digits| digits.parse::<u32>().ok());
        years.unwrap_or(0) < 1
    });
    prop_oneof![8 => Just("P1Y".to_owned()), 4 => short, 1 => "P?[0-9]?[YMWDTHS]?"]
        .prop_map(Value::from)
        .boxed()
}

fn owner() -> BoxedStrategy<Value> {
    let percent = prop_oneof![
        (0..=100u32).prop_map(|percent| json!(percent)),
        (0.0..100.0f64).prop_map(|percent| json!(percent)),
        (-5..120i32).prop_map(|percent| json!(percent)),
    ];
    usually(object(vec![
        ("full_name", true, text()),
        ("ownership_percent", false, usually(percent.boxed())),
        ("person_id", false, mostly(&[json!("P-1"), json!("")])),
        ("role", false, mostly(&[json!("director"), json!("")])),
    ]))
}

fn address() -> BoxedStrategy<Value> {
    usually(object(vec![
        ("line1", true, text()),
        ("line2", false, mostly(&[json!("Floor 2")])),
        ("city", true, text()),
        ("state_or_region", false, mostly(&[json!("Fife")])),
        ("postal_code", false, mostly(&[json!("00-950")])),
        ("country", true, mostly(&["GB", "JP", "US"].map(|code| json!(code)))),
    ]))
}

fn claims_object() -> BoxedStrategy<Value> {
    let past = ["2020-01-01T00:00:00Z", "2024-02-29T23:59:59+02:00", "2024-13-01T00:00:00Z", "2020-01-01"];
    object(vec![
        ("jurisdiction", true, jurisdiction()),
        ("tax_id_verified", false, mostly(&[json!(true), json!(false)])),
        ("kyb_status", false, mostly(&[json!("verified")])),
        ("business_type", false, mostly(&[json!("shipping")])),
        ("registered_name", false, mostly(&[json!("ACME")])),
        ("verified_at", false, mostly(&past.map(|time| json!(time)))),
        (
            "beneficial_owners",
            false,
            usually(prop::collection::vec(owner(), 0..4).prop_map(Value::from).boxed()),
        ),
        ("registered_address", false, address()),
    ])
}

fn request() -> BoxedStrategy<Value> {
    let subject = object(vec![
        ("id", true, id()),
        ("type", false, mostly(&[json!("organisation")])),
        ("name", false, text()),
        ("registration_number", false, text()),
        ("legal_form", false, text()),
        ("jurisdiction", false, jurisdiction()),
    ]);
    object(vec![
        ("credential_type", false, mostly(&[json!("business")])),
        ("self_attestation_complete", true, mostly(&[json!(true)])),
        ("subject", true, usually(subject)),
        ("claims", true, usually(claims_object())),
        ("evidence_refs", false, usually(prop::collection::vec(id(), 0..4).prop_map(Value::from).boxed())),
        ("ttl", false, usually(duration())),
    ])
}

fn any_item() -> BoxedStrategy<Value> {
    let enveloped = object(vec![("request", true, usually(request())), ("correlation_id", false, id())]);
    prop_oneof![20 => enveloped, 5 => request(), 1 => odd()].boxed()
}
