//! The comparison with the hosted API: its fields are those that the program takes and writes.

use std::collections::BTreeSet;
use std::fs;

use beltic::types::{FieldKind, Object, Types};
use serde_yaml::{Mapping, Value};

use super::pages::{code, rows_of_block};
use super::{beltic, fixture, project_with_key};

#[test]
fn the_request_has_the_fields_that_are_compared() {
    let mut known: Vec<&str> = vec!["items"];
    push_names(Types::BUILT_IN.default_type().item(), &mut known);
    assert_eq!(sorted(documented("api request")), sorted(known));
}

fn push_names<'f>(object: &'f Object, names: &mut Vec<&'f str>) {
    for field in object.fields {
        names.push(field.name);
        if let FieldKind::Object(request) = &field.kind
            && field.name == "request"
        {
            names.extend(request.fields.iter().map(|field| field.name));
        }
    }
}

#[test]
fn the_envelope_has_the_fields_that_are_compared() {
    let project = project_with_key();
    let mixed = fixture("items/mixed.ndjson").display().to_string();
    let output = beltic(project.path(), &["batch-issue", &mixed, "--output-format", "json"]);
    let envelope: Value = serde_yaml::from_slice(&output.stdout).unwrap();
    let mut found = names(envelope.as_mapping().unwrap());
    found.extend(
        envelope["results"].as_sequence().unwrap().iter().flat_map(|row| names(row.as_mapping().unwrap())),
    );
    let documented = documented("api envelope");
    assert_eq!(sorted(documented), found.iter().map(String::as_str).collect());
}

/// Revoked, with a developer's id: a resource with every field, in their order.
#[test]
fn the_resource_has_the_fields_that_are_compared_in_their_order() {
    let project = project_with_key();
    let item = fs::read_to_string(fixture("items/companies.ndjson")).unwrap();
    fs::write(project.path().join("items.ndjson"), item.lines().next().unwrap()).unwrap();
    let issue = ["batch-issue", "items.ndjson", "--idempotency-key", "once", "--developer-id", "dev_0417"];
    assert!(beltic(project.path(), &issue).status.success());
    assert!(beltic(project.path(), &["revoke", "--run", "once", "--reason", "error"]).status.success());
    let output = beltic(project.path(), &issue);
    // A mapping of this crate keeps its order, and JSON is YAML.
    let row: Mapping = serde_yaml::from_slice(&output.stdout).unwrap();
    assert_eq!(documented("api resource"), names(row["credential"].as_mapping().unwrap()));
}

fn documented(table: &str) -> Vec<&'static str> {
    rows_of_block(table).into_iter().map(|row| code(row[0]).unwrap()).collect()
}

fn names(mapping: &Mapping) -> Vec<String> {
    mapping.keys().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn sorted(names: Vec<&str>) -> BTreeSet<&str> {
    names.into_iter().collect()
}
