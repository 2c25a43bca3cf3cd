//! The rules of `agent_authorization`.

use serde_json::{Value, json};

use super::Table;
use crate::support::*;

const CLAIMS: &str = "/request/claims";
const PERMISSION: &str = "/request/claims/permissions/0";
const CONDITION: &str = "/request/claims/permissions/0/conditions/0";

pub(super) fn push(table: &mut Table) {
    table.base = full_agent;
    table.sound("a full agent", full_agent("x"));
    let mut plain = full_agent("x");
    plain["request"]["subject"] = json!({ "id": AGENT_DID });
    plain["request"]["claims"] =
        json!({ "permissions": [{ "resource_type": "report", "actions": ["read"] }] });
    table.sound("a plain agent", without(plain, "/request/cnf"));
    subject(table);
    keys(table);
    permissions(table);
    conditions(table);
    limits(table);
}

fn subject(table: &mut Table) {
    table.required(["/request/subject/id"]);
    table.optional([
        "/request/subject/type",
        "/request/subject/agent_external_id",
        "/request/subject/parent_user_id",
        "/request/subject/parent_business_id",
        "/request/subject/public_jwk",
    ]);
    table.refuses("/request/subject/type", "unknown_code", [json!("person")]);
    table.refuses("/request/subject/agent_external_id", "invalid_format", [json!("undefined")]);
    for id in ["", "agent-1", "did:key:z6Mk", "did:jwk:", "did:jwk:=", "did:jwk:a b", "DID:jwk:e30"] {
        table.refuses("/request/subject/id", "invalid_format", [json!(id)]);
    }
}

/// What the DID is made of, and whether its key, that of the subject and the holder's are one.
fn keys(table: &mut Table) {
    let own = &full_agent("x")["request"]["cnf"]["jwk"];
    let did = |jwk: &Value| json!(did_jwk(&jwk.to_string()));
    let id = "/request/subject/id";
    for (pointer, value) in [("/d", json!("AA")), ("/x", json!("AA")), ("/kty", json!("oct"))] {
        table.refuses_beyond_schema(id, "invalid_key", [did(&with(own.clone(), pointer, value))]);
    }
    table.refuses_beyond_schema(id, "invalid_key", [json!(did_jwk("{}"))]);
    let text = own.to_string();
    let twice = did_jwk(&text.replacen('{', "{\"kty\":\"EC\",", 1));
    for text in [twice, did_jwk("[]"), did_jwk("{"), did_jwk(&format!("{text} x"))] {
        table.refuses_beyond_schema(id, "invalid_format", [json!(text)]);
    }
    // Another spelling of the same key is another DID, and the same key.
    table.takes(id, [did(&with(own.clone(), "/alg", json!("ES256")))]);
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    table.refuses_beyond_schema("/request/cnf/jwk", "inconsistent", [other.clone()]);
    table.refuses_beyond_schema("/request/subject/public_jwk", "inconsistent", [other.clone()]);
    let mut of_other = with(full_agent("x"), id, did(&other));
    of_other = with(of_other, "/request/cnf/jwk", other.clone());
    table.sound("another kind of key", with(of_other, "/request/subject/public_jwk", other));
}

fn permissions(table: &mut Table) {
    table.required([&format!("{CLAIMS}/permissions")]);
    table.refuses(&format!("{CLAIMS}/permissions"), "empty", [json!([])]);
    table.refuses(&format!("{CLAIMS}/permissions"), "wrong_type", [json!({}), json!("*")]);
    table.refuses(PERMISSION, "wrong_type", [json!("wallet"), json!([])]);
    table.required([&format!("{PERMISSION}/resource_type"), &format!("{PERMISSION}/actions")]);
    table.optional([&format!("{PERMISSION}/resource_id"), &format!("{PERMISSION}/conditions")]);
    table.refuses(&format!("{PERMISSION}/resource_type"), "empty", [json!("")]);
    table.refuses(&format!("{PERMISSION}/actions"), "empty", [json!([])]);
    table.refuses(&format!("{PERMISSION}/actions/0"), "empty", [json!("")]);
    table.refuses(&format!("{PERMISSION}/actions/0"), "wrong_type", [json!(1)]);
    table.unknown(&format!("{PERMISSION}/effect"));
    let delegated = format!("{CLAIMS}/delegated_by_subject_id");
    let alone = without(full_agent("x"), &delegated);
    table.faulty("a wallet without delegation", alone.clone(), &delegated, "delegated_by_required");
    table.sound("no wallet", with(alone, &format!("{PERMISSION}/resource_type"), json!("report")));
    table.refuses(&delegated, "empty", [json!("")]);
}

fn conditions(table: &mut Table) {
    for name in ["field", "operator", "value"] {
        table.required([&format!("{CONDITION}/{name}")]);
    }
    let operator = format!("{CONDITION}/operator");
    let value = format!("{CONDITION}/value");
    table.refuses(&operator, "unknown_code", [json!("LTE"), json!("between")]);
    table.takes(&operator, [json!("lt"), json!("gte"), json!("gt"), json!("eq"), json!("neq")]);
    table.takes(&value, [json!(0), json!(-1.5), json!(1e3)]);
    table.refuses(&value, "wrong_type", [json!(null), json!({}), json!([[1]]), json!([null])]);
    table.refuses(&value, "inconsistent", [json!("5000"), json!(true), json!([5000])]);
    let with_both = |a: &str, b: Value| with(with(full_agent("x"), &operator, json!(a)), &value, b);
    for sound in [json!("EUR"), json!(""), json!(true), json!(7)] {
        table.sound(&format!("eq {sound}"), with_both("eq", sound));
    }
    table.faulty("neq an array", with_both("neq", json!(["EUR"])), &value, "inconsistent");
    table.sound("in", with_both("in", json!(["EUR", 1, false])));
    table.faulty("in nothing", with_both("in", json!([])), &value, "inconsistent");
    table.faulty("in a text", with_both("in", json!("EUR")), &value, "inconsistent");
}

fn limits(table: &mut Table) {
    let limit = format!("{CLAIMS}/spend_limit");
    table.optional([
        &limit,
        &format!("{CLAIMS}/authorized_currencies"),
        &format!("{CLAIMS}/max_idle_duration"),
    ]);
    for name in ["amount", "currency", "period"] {
        table.required([&format!("{limit}/{name}")]);
    }
    let amount = format!("{limit}/amount");
    table.takes(&amount, [json!(0), json!(9_007_199_254_740_991_u64), json!(50.0)]);
    table.refuses(&amount, "out_of_range", [json!(-1), json!(0.5), json!(9_007_199_254_740_992_u64)]);
    table.refuses(&amount, "wrong_type", [json!(null), json!("5000")]);
    table.refuses(&format!("{limit}/currency"), "unknown_code", [json!("eur"), json!("€")]);
    table.refuses(&format!("{limit}/period"), "unknown_code", [json!("yearly")]);
    table.refuses(&format!("{CLAIMS}/authorized_currencies/0"), "unknown_code", [json!("EURO")]);
    table.takes(&format!("{CLAIMS}/max_idle_duration"), [json!("PT15M"), json!("P100Y")]);
    table.refuses(&format!("{CLAIMS}/max_idle_duration"), "invalid_format", [json!("15m"), json!("PT1.5H")]);
    table.refuses(&format!("{CLAIMS}/max_idle_duration"), "out_of_range", [json!("PT0S")]);
    table.takes(&format!("{CLAIMS}/confirmation_threshold_cents"), [json!(null), json!(0)]);
    table.refuses(&format!("{CLAIMS}/confirmation_threshold_cents"), "out_of_range", [json!(-5), json!(0.5)]);
    table.refuses(&format!("{CLAIMS}/human_present"), "wrong_type", [json!("true")]);
}
