//! `beltic schema` says what `beltic batch-issue` does: an independent reader of JSON Schema and
//! the validator come to the same verdicts. `tests/properties/schema.rs` asks both about invented items.

use jsonschema::Validator;
use serde_json::Value;

use crate::rules::cases;
use crate::support::*;

fn schema_of(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.beltic(&["schema"]).expect(0).stdout).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
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
