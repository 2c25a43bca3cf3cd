//! Types of one's own judge items as JSON Schema 2020-12 says: the official test suite, through the whole of the validator.

#![allow(clippy::unwrap_used, reason = "the exception for tests leaves out their helpers")]

use std::fs;
use std::path::PathBuf;

use beltic::clock::system_now;
use beltic::request::rules::CalendarDuration;
use beltic::request::{Checker, DetailCode, Rules};
use beltic::types::file::Definition;
use beltic::types::{CredentialType, Types};
use serde_json::{Value, json};

/// Files of the suite whose keywords are refused by design, and why.
const REFUSED_FILES: [(&str, &str); 5] = [
    ("format", "here a format judges (the format-assertion vocabulary); these tests want an annotation"),
    (
        "content",
        "contentEncoding and contentMediaType judge nothing by the standard, and look as if they did",
    ),
    ("dynamicRef", "a type's schema is one document, so a dynamic reference is a plain one"),
    ("refRemote", "no reference leaves the document: nothing is fetched, and no file is read for a schema"),
    ("vocabulary", "$vocabulary is for meta-schemas"),
];

/// What a group of tests needs that is refused by design: a piece of the message, and why.
const REFUSED: [(&str, &str); 9] = [
    ("dependencies is refused", "it is of a former draft"),
    ("NUL character in a string", "no credential holds one"),
    ("$id is refused", "a type's schema is one document"),
    ("$dynamicRef is refused", "a type's schema is one document"),
    ("$dynamicAnchor is refused", "a type's schema is one document"),
    ("references to other documents are refused", "nothing is fetched"),
    ("the name has a meaning of its own", "@… and _sd would be read as something else in a credential"),
    ("names of members have no", "names stand in dotted paths and in columns"),
    ("is not a keyword of JSON Schema", "an unknown keyword is most likely a slip, and would judge nothing"),
];

/// Single tests of the suite, all of them optional, that turn out otherwise, and why.
const OTHERWISE: [(&str, &str); 12] = [
    ("a bignum is an integer", "whole numbers stay in the range that every reader of JSON keeps (RFC 7493)"),
    ("a negative bignum is an integer", "the same"),
    ("valid if optional overflow handling is implemented", "it is not: the crate divides as doubles do"),
    (
        "Python named group (?P<name>...) is not ECMA 262",
        "the crate's engine takes it as a pattern; none is refused",
    ),
    ("a single global inline flag (?i)", "the same"),
    ("multiple global inline flags (?ims)", "the same"),
    ("an ECMA 262 named backreference \\k<name>", "the crate's engine has none: `format: regex` refuses it"),
    ("an empty character class is valid ECMA 262", "the same"),
    ("a negated empty character class is valid ECMA 262", "the same"),
    ("an apostrophe in a literal is valid", "the crate's uri-template refuses it"),
    (
        "reference internals of known non-applicator",
        "a reference leads to a schema, whose keywords were looked at",
    ),
    ("unknown format", "an unknown format would judge nothing"),
];

/// The type of items whose one claim is as this schema wants it.
fn type_of(schema: &Value) -> Result<&'static CredentialType, String> {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    move_references(&mut schema);
    let definition = json!({
        "type": "suite",
        "name": "SuiteCredential",
        "schema": { "properties": { "claims": { "type": "object", "properties": { "value": schema } } } },
    });
    let definition = Definition::read(&definition.to_string());
    let defined = definition.and_then(|definition| definition.define(None, Types::BUILT_IN));
    let defined = defined.map_err(|fault| fault.message)?;
    Ok(Box::leak(Box::new(defined)))
}

/// The schema of the suite stands inside ours, so what it calls the root is further in.
fn move_references(schema: &mut Value) {
    const ROOT: &str = "#/properties/claims/properties/value";
    match schema {
        Value::Object(members) => {
            // What `enum` and `const` hold are values, whatever they look like.
            for (name, value) in members.iter_mut().filter(|(name, _)| *name != "enum" && *name != "const") {
                match value.as_str().filter(|_| name == "$ref").and_then(|target| target.strip_prefix('#')) {
                    Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                        *value = format!("{ROOT}{pointer}").into();
                    }
                    _ => move_references(value),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(move_references),
        _ => {}
    }
}

/// Whether an item with this claim passes; none where the claim itself cannot stand in a credential.
fn passes(known: &'static CredentialType, data: &Value) -> Option<bool> {
    let types = Types::new(vec![known].leak());
    let default_ttl = CalendarDuration::parse("P1Y").unwrap();
    let rules = Rules {
        types,
        allow_unknown: false,
        default_ttl,
        overrules_types: false,
        hash_key: [0; 32],
        identity: None,
    };
    let item = json!({
        "self_attestation_complete": true,
        "subject": { "id": "a" },
        "claims": { "value": data },
    });
    let checked = Checker::new(rules).check(&item.to_string(), false, system_now(), &mut Vec::new());
    let by_design =
        |code: DetailCode| matches!(code, DetailCode::ReservedName | DetailCode::InvalidCharacter);
    match checked.outcome {
        Ok(_) => Some(true),
        Err(rejection) if rejection.details.iter().any(|detail| by_design(detail.code)) => None,
        Err(_) => Some(false),
    }
}

fn turns_out_otherwise(description: &Value) -> bool {
    OTHERWISE.iter().any(|(known, _)| description == known)
}

#[test]
fn the_suite_of_json_schema_is_judged_right() {
    let Some(suite) = std::env::var_os("BELTIC_TEST_DATA").map(PathBuf::from) else {
        return eprintln!("skipped: BELTIC_TEST_DATA names no folder of test data");
    };
    let suite = suite.join("vectors/json-schema-test-suite/draft2020-12");
    let folders = ["", "optional", "optional/format"].map(|folder| suite.join(folder));
    let (mut judged, mut refused, mut wrong) = (0, 0, Vec::new());
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if REFUSED_FILES.iter().any(|(refused, _)| file == &suite.join(format!("{refused}.json"))) {
            continue;
        }
        let groups: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        for group in &groups {
            let about = format!("{name}: {}", group["description"]);
            let known = match type_of(&group["schema"]) {
                Ok(known) => known,
                Err(message) => {
                    // A schema with `$id` is refused for that, at whatever it is noticed.
                    let by_design = group["schema"].to_string().contains("\"$id\"")
                        || REFUSED.iter().any(|(piece, _)| message.contains(piece));
                    if !by_design && !turns_out_otherwise(&group["description"]) {
                        wrong.push(format!("{about} is refused: {message}"));
                    }
                    refused += 1;
                    continue;
                }
            };
            for test in group["tests"].as_array().unwrap() {
                match passes(known, &test["data"]) {
                    Some(found) if found == test["valid"] => judged += 1,
                    Some(_) if turns_out_otherwise(&test["description"]) => refused += 1,
                    Some(_) => {
                        wrong.push(format!("{about}: {}: {}", test["description"], test["data"]));
                    }
                    None => refused += 1,
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {judged} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{judged} judged right, {refused} refused by design");
    assert!(judged > 1_000, "{judged}");
}
