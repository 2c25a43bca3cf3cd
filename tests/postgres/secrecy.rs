//! Neither the server's log nor its tables show what a credential says, or about whom.

use crate::cluster::Options;
use crate::world::World;

/// What is in items and may not be seen: subjects' ids, names, addresses and other claims, ids of the register.
const SECRETS: [&str; 8] = [
    "EX-QUILLFEATHER-4711",
    "Quillfeather Instruments",
    "quillfeather.example",
    "Featherstone Crescent",
    "REGISTER-ROW-0815",
    "UNUSED-EVIDENCE-REF",
    "Vane and Barometer",
    "DEPARTED-MEMBER-33",
];

/// A server that writes every statement and its parameters to its log.
fn talkative() -> Options {
    let settings = [
        "log_statement = 'all'",
        "log_min_duration_statement = 0",
        "log_parameter_max_length = -1",
        "log_parameter_max_length_on_error = -1",
        "log_error_verbosity = verbose",
        "log_duration = on",
    ];
    Options { settings: settings.map(str::to_owned).into(), ..Options::default() }
}

fn item(row: &str, name: &str, address: &str) -> String {
    format!(
        r#"{{"request":{{"self_attestation_complete":true,"subject":{{"id":"EX-QUILLFEATHER-4711","name":"{name}","website":"https://quillfeather.example","address":"{address}"}},"claims":{{"jurisdiction":"GB","industry":"Vane and Barometer"}},"evidence_refs":["UNUSED-EVIDENCE-REF"]}},"correlation_id":"{row}"}}"#,
    ) + "\n"
}

#[test]
fn the_log_and_the_tables_of_the_server_show_no_claim_and_no_id() {
    let Some(world) = World::with(talkative()) else { return };
    let url = world.cluster.url();
    let first = item("REGISTER-ROW-0815", "Quillfeather Instruments", "1 Featherstone Crescent");
    let other = item("REGISTER-ROW-0815", "Quillfeather Instruments Ltd", "2 Featherstone Crescent");
    let gone = item("DEPARTED-MEMBER-33", "Quillfeather Instruments", "1 Featherstone Crescent");
    world.yard.write("first.ndjson", format!("{first}{gone}"));
    world.yard.write("other.ndjson", &other);
    let flags = "--allow-unknown --quiet --output-format ndjson";
    // New items, the same again, one with the id of another, and all that by other ids.
    let issued = world.run(&format!("first.ndjson {flags} --idempotency-key k")).expect(0);
    world.run(&format!("first.ndjson {flags} --idempotency-key k")).expect(0);
    world.run(&format!("other.ndjson {flags} --idempotency-key k")).expect(3);
    world.run(&format!("first.ndjson {flags} --duplicates allow")).expect(0);
    world.run(&format!("first.ndjson {flags} --idempotency-key s --idempotent-by subject-id")).expect(0);
    world.run(&format!("other.ndjson {flags} --idempotency-key s --idempotent-by subject-id")).expect(3);
    let id = issued.stdout.split("urn:uuid:").nth(1).unwrap().split('"').next().unwrap();
    for (command, code) in [
        (format!("suspend {id}"), 0),
        (format!("reinstate {id}"), 0),
        (format!("sync first.ndjson --scope members --adopt {flags}"), 0),
        (format!("sync other.ndjson --scope members --prune --max-removals 100% {flags}"), 0),
        ("list --subject EX-QUILLFEATHER-4711".to_owned(), 0),
        ("list --correlation-id REGISTER-ROW-0815".to_owned(), 0),
        (format!("show {id}"), 0),
        ("publish --out site".to_owned(), 0),
        ("ledger check".to_owned(), 0),
    ] {
        let ended = world.yard.run(&format!("{command} --ledger {url}"));
        assert_eq!(ended.code, Some(code), "{command}: {}", ended.stderr);
    }
    // And the server's own words about what it refuses.
    assert!(world.cluster.log().contains("beltic.slots"), "the log has statements");
    assert_shows_nothing("log", &world.cluster.log());
    assert_shows_nothing("tables", &world.cluster.dump());
}

/// In the clear, or as the bytes of a column are written.
#[track_caller]
fn assert_shows_nothing(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for secret in SECRETS {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64_simd::STANDARD.encode_to_string(secret);
        assert!(!lower.contains(&secret.to_lowercase()), "the {what} show {secret:?}");
        assert!(!lower.contains(&hex), "the {what} show the bytes of {secret:?}");
        assert!(!text.contains(&base64[..base64.len() - 4]), "the {what} show {secret:?} in base64");
    }
}
