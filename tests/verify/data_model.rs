//! The credentials of the W3C's test suite for the VC Data Model 2.0, signed here: each is judged as its name says.

use std::path::Path;

use beltic::verify::{Lists, Reason, Step};
use serde_json::{Value, json};

use crate::readers::machine;
use crate::world::{ISSUER, Kind, World, hand};

/// Inputs that only JSON-LD processing refuses: each has the members that it must have, and what its contexts make of
/// them is wrong. A JWT is verified without that.
const NEED_JSON_LD: [(&str, &str); 4] = [
    ("credential-redef-type-fail", "a context defines VerifiableCredential, which is protected, once more"),
    ("credential-redef-type2-fail", "a context defines a protected type of its own once more"),
    ("credential-type-mapped-nonurl-fail", "a context maps a type to what is not a URL"),
    ("credential-type-unmapped-fail", "a type that no context defines, and `@vocab` is null"),
];

/// Inputs that are valid in periods of their own, which have passed or not begun: when they are looked at.
const TIMES: [(&str, &str); 6] = [
    ("credential-validfrom-far-future-ok", "4023-06-01T00:00:00Z"),
    ("credential-validuntil-invalid-fail", "2023-02-26T01:21:55Z"),
    ("credential-validuntil-ms-ok", "2023-02-26T01:20:05Z"),
    ("credential-validuntil-ok", "2023-02-26T01:19:19Z"),
    ("credential-validuntil-tz-ok", "2023-02-26T01:21:25Z"),
    ("credential-validUntil-validFrom-fail", "2026-11-23T05:00:00Z"),
];

#[test]
fn credentials_of_the_w3c_test_suite_are_judged_as_their_names_say() {
    let Some(folder) = machine::data("vectors/w3c-vc-data-model-2.0/input") else { return };
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name.starts_with("credential-"))
        .collect();
    names.sort();
    let wrong: Vec<String> = names.iter().filter_map(|name| problem(&folder, name)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names.len(), wrong.join("\n"));
    assert_eq!(names.len(), 71, "inputs");
}

/// What is wrong with the verdict on an input, if anything.
fn problem(folder: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let credential = completed(name, serde_json::from_str(&text).unwrap());
    let token = hand().token(&Kind::JwtVc.header(), &credential);
    let time =
        TIMES.iter().find(|(known, _)| *known == name).map_or("2026-11-23T05:00:00Z", |(_, time)| time);
    let mut world = World::new();
    world.policy.now =
        beltic::request::rules::date_time(time).and_then(beltic::clock::UnixTime::from_timestamp).unwrap();
    // Their status lists are none that anybody could fetch.
    world.policy.status = false;
    world.lists = Lists::default();
    let verdict = world.refusal(&token);
    let fails = name.ends_with("-fail") || name.ends_with("-fail-or-inject");
    let expected = match NEED_JSON_LD.iter().any(|(known, _)| *known == name) || !fails {
        true => None,
        false => Some((Reason::SchemaInvalid, Step::Claims)),
    };
    (verdict != expected).then(|| format!("{name}: {verdict:?}, not {expected:?}: {credential}"))
}

/// What the suite fills in before it hands an input over: an issuer, where the input is not about that, and dates.
fn completed(name: &str, mut credential: Value) -> Value {
    let object = credential.as_object_mut().unwrap();
    if name != "credential-no-issuer-fail" {
        object.entry("issuer").or_insert(json!(ISSUER));
    }
    if object.get("issuer") == Some(&json!({})) {
        object["issuer"] = json!({"id": ISSUER});
    }
    for (member, value) in [("validFrom", object.get("validFrom")), ("validUntil", object.get("validUntil"))]
        .map(|(member, value)| (member, value.cloned()))
    {
        match value.as_ref().and_then(Value::as_str) {
            Some("PAST DATE") => object[member] = json!("2024-01-01T00:00:00Z"),
            Some("FUTURE DATE") => object[member] = json!("2034-01-01T00:00:00Z"),
            _ => {}
        }
    }
    credential
}
