//! The rules of `outcome_attestation`.

use serde_json::{Value, json};

use super::Table;
use crate::support::*;

pub(super) fn push(table: &mut Table) {
    table.base = full_outcome;
    table.sound("a full outcome", full_outcome("x"));
    let kind = "/request/attestation_type";
    table.required([kind, "/request/subject/id"]);
    table.optional(["/request/subject/type", "/request/subject/parent_user_id"]);
    table.refuses(kind, "empty", [json!("")]);
    table.takes(kind, [json!("é".repeat(64))]);
    table.refuses(kind, "too_long", [json!("x".repeat(65))]);
    table.refuses(kind, "wrong_type", [json!(1), json!(null)]);
    for sound in ["organisation", "person", "agent", "document"] {
        table.takes("/request/subject/type", [json!(sound)]);
    }
    table.refuses("/request/subject/type", "unknown_code", [json!("thing")]);
    claims(table);
    // The other types have no such member.
    let of_business = with(item("x"), kind, json!("x"));
    table.faulty("a business with an attestation type", of_business, kind, "unknown_field");
}

/// Any names and any values, but for names that mean something else.
fn claims(table: &mut Table) {
    table.refuses("/request/claims", "empty", [json!({})]);
    table.refuses("/request/claims", "wrong_type", [json!([]), json!("x")]);
    for value in [json!(null), json!([1, [null]]), json!({ "a": { "b": [] } }), json!(1.50), json!("")] {
        table.takes("/request/claims", [json!({ "a name": value })]);
    }
    table.takes(
        "/request/claims",
        [json!({ "permissions": "*", "": 1, "a/b": true, "beneficial_owners": 7 })],
    );
    let refused = |inside: fn(&str) -> Value| {
        ["_sd", "...", "_sd_alg", "@context", "@", "id", "type"].map(|name| (name, inside(name)))
    };
    for (name, claims) in refused(|name| json!({ name: 1 })) {
        table.refuses_at("/request/claims", &format!("/request/claims/{name}"), "reserved_name", claims);
    }
    for (name, claims) in refused(|name| json!({ "a": [{ name: 1 }] })) {
        table.refuses_at("/request/claims", &format!("/request/claims/a/0/{name}"), "reserved_name", claims);
    }
}
