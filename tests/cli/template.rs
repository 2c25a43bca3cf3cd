//! `beltic template`: files that fail as they are, and pass once they are filled in.

use serde_json::{Value, json};

use crate::support::*;

#[test]
fn a_csv_template_is_a_header_without_items() {
    let sandbox = Sandbox::with_issuer_key();
    let run = sandbox.beltic(&["template", "csv"]).expect(0);
    assert_eq!(run.stdout.lines().count(), 1);
    sandbox.write("items.csv", &run.stdout);
    let refused = sandbox.issue("items.csv").expect(4);
    assert!(refused.stderr.contains("no items"), "{}", refused.stderr);
}

/// The columns are those of docs/columns.md, under the same names, in the same order.
#[test]
fn a_csv_template_has_the_columns_of_the_page() {
    let sandbox = Sandbox::new();
    let header = sandbox.beltic(&["template", "csv"]).expect(0).stdout;
    let columns: Vec<_> = header.trim_end().split(',').collect();
    let expected = [
        "correlation_id",
        "subject_id",
        "registration_number",
        "jurisdiction",
        "legal_form",
        "claims_jurisdiction",
        "tax_id_verified",
        "address_line1",
        "address_country",
        "owner1_full_name",
        "owner1_ownership_percent",
        "owner1_person_id",
        "owner1_role",
        "owner2_full_name",
        "owner2_role",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ];
    let places: Vec<_> = expected
        .iter()
        .map(|name| columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name}")))
        .collect();
    assert!(places.is_sorted(), "{columns:?}");
}

#[test]
fn a_filled_csv_template_is_accepted() {
    let sandbox = Sandbox::with_issuer_key();
    for owners in ["0", "1", "5"] {
        let header = sandbox.beltic(&["template", "csv", "--elements", owners]).expect(0).stdout;
        let columns: Vec<_> = header.trim_end().split(',').collect();
        let count = columns.iter().filter(|column| column.ends_with("_full_name")).count();
        assert_eq!(count.to_string(), owners);
        let row: Vec<_> = columns.iter().map(|column| filled_cell(column)).collect();
        sandbox.write("items.csv", format!("{header}{}\n", row.join(",")));
        let credential = sandbox.issue("items.csv").expect(0).credential();
        let listed = credential.claims.get("beneficial_owners").and_then(Value::as_array);
        assert_eq!(listed.map_or(0, Vec::len), count);
        assert_eq!(credential.claims["registered_address"]["country"], "GB");
    }
}

fn filled_cell(column: &str) -> &'static str {
    match column {
        "self_attestation_complete" | "tax_id_verified" => "true",
        "subject_type" => "organisation",
        "credential_type" => "business",
        "ttl" => "P1Y",
        "verified_at" => "2024-02-29T10:00:00Z",
        name if name.ends_with("ownership_percent") => "12.5",
        name if name.ends_with("jurisdiction") || name.ends_with("country") => "GB",
        _ => "text",
    }
}

#[test]
fn json_templates_are_refused_as_they_are_and_accepted_once_filled() {
    let sandbox = Sandbox::with_issuer_key();
    for (format, owners) in [("json", "2"), ("ndjson", "2"), ("json", "0"), ("ndjson", "7")] {
        let file = format!("items.{format}");
        let template = sandbox.beltic(&["template", format, "--elements", owners]).expect(0).stdout;
        sandbox.write(&file, &template);
        let error = sandbox.issue(&file).expect(3).error();
        assert!(error.details.iter().any(|detail| detail.path == "/request/self_attestation_complete"));
        assert!(error.details.iter().any(|detail| detail.path == "/request/subject/id"));
        assert!(error.details.iter().all(|detail| detail.code != "unknown_field"), "{error:?}");

        let mut batch: Value = serde_json::from_str(&template).unwrap();
        let item = if format == "json" { &mut batch["items"][0] } else { &mut batch };
        let listed = item["request"]["claims"]["beneficial_owners"].as_array().unwrap().len();
        assert_eq!(listed.to_string(), owners);
        fill(item, "");
        sandbox.write(&file, batch.to_string());
        assert_eq!(sandbox.issue(&file).expect(0).rows().len(), 1);
    }
}

/// Puts a sound value wherever the template has an empty one.
fn fill(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| fill(value, name)),
        Value::Array(elements) => elements.iter_mut().for_each(|value| fill(value, name)),
        Value::Bool(flag) => *flag = true,
        Value::String(text) if text.is_empty() => *value = json!(filled_cell(name)),
        _ => {}
    }
}

#[test]
fn templates_of_other_forms_are_usage_errors() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["template", "xml"]).expect(2);
    sandbox.beltic(&["template"]).expect(2);
    sandbox.beltic(&["template", "csv", "--elements", "1001"]).expect(2);
}
