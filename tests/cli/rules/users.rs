//! The rules of `user`.

use serde_json::json;

use super::Table;
use crate::support::*;

pub(super) fn push(table: &mut Table) {
    table.base = full_user;
    table.sound("a full user", full_user("x"));
    let claims = json!({ "kyc_status": "passed" });
    table.sound("a plain user", with(full_user("x"), "/request/claims", claims));
    subject(table);
    claims_alone(table);
    documents(table);
}

fn subject(table: &mut Table) {
    table.required(["/request/subject/id"]);
    table.optional([
        "/request/subject/type",
        "/request/subject/email",
        "/request/subject/first_name",
        "/request/subject/last_name",
    ]);
    table.refuses("/request/subject/type", "unknown_code", [json!("organisation"), json!("Person")]);
    for name in ["email", "first_name", "last_name"] {
        table.refuses(&format!("/request/subject/{name}"), "empty", [json!("")]);
        table.refuses(&format!("/request/subject/{name}"), "wrong_type", [json!(1), json!(null)]);
    }
    table.refuses("/request/subject/email", "invalid_format", [json!("NULL"), json!("'a@b.example'")]);
    // A field of another type.
    table.unknown("/request/subject/registration_number");
}

fn claims_alone(table: &mut Table) {
    let claims = "/request/claims";
    table.refuses(claims, "empty", [json!({})]);
    table.refuses(&format!("{claims}/kyc_status"), "empty", [json!("")]);
    table.refuses(
        &format!("{claims}/nationality"),
        "unknown_code",
        [json!("UK"), json!("GB-SCT"), json!("gb")],
    );
    table.takes(&format!("{claims}/date_of_birth"), [json!("1900-01-01"), json!("2024-02-29")]);
    table.refuses(
        &format!("{claims}/date_of_birth"),
        "invalid_format",
        [json!("1990-02-30"), json!("31.01.1990"), json!("1990-01-31T00:00:00Z"), json!("")],
    );
    table.refuses_beyond_schema(&format!("{claims}/date_of_birth"), "out_of_range", [json!("9999-12-31")]);
    table.refuses(&format!("{claims}/jurisdiction"), "unknown_code", [json!("XX")]);
    table.refuses(&format!("{claims}/parent_business_id"), "invalid_format", [json!("N/A")]);
    table.unknown("/request/claims/tax_id_verified");
}

fn documents(table: &mut Table) {
    let claims = "/request/claims";
    let level = format!("{claims}/trust_level");
    let country = format!("{claims}/id_document_country");
    let kind = format!("{claims}/id_document_type");
    for kind in ["passport", "drivers_license", "national_id", "residence_permit"] {
        table.takes(&format!("{claims}/id_document_type"), [json!(kind)]);
    }
    table.refuses(&kind, "unknown_code", [json!("driving_licence"), json!("")]);
    table.takes(&level, [json!("idv_verified"), json!("enterprise_verified")]);
    table.refuses(&level, "inconsistent", [json!("self_attested"), json!("liveness_verified")]);
    table.refuses(&level, "unknown_code", [json!("verified")]);
    table.required([&level, &country]);
    // Without a document the level is the person's own affair, and a country alone is a warning.
    let none = without(full_user("x"), &kind);
    table.sound("without a document", without(with(none.clone(), &level, json!("self_attested")), &country));
    table.sound("a country alone", none);
}
