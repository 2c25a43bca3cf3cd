//! `beltic batch-issue`: what becomes of items, and what their credentials say.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::readers::exact::Exact;
use crate::readers::token::{Issuance, TokenKey, unix_seconds};
use crate::support::*;

fn exact(items: &[Value]) -> Vec<Exact> {
    items.iter().map(Exact::of).collect()
}

// ------------------------------------------------------------------------------- order and place

/// Results stand in input order, whatever the number of workers, over several batches.
#[test]
fn order_is_kept_for_any_number_of_jobs() {
    let sandbox = Sandbox::with_issuer_key();
    let mut items = items(2_600);
    for at in [0, 999, 1_000, 1_700, 2_599] {
        items[at] = without(items[at].clone(), "/request/subject/id");
    }
    sandbox.write_items("items.ndjson", &items);
    for jobs in [1, 2, 7] {
        let run = sandbox.issue(&format!("items.ndjson --jobs {jobs}")).expect(3);
        let rows = run.rows();
        assert_eq!(rows.len(), items.len(), "jobs {jobs}");
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.index, at as u64);
            assert_eq!(row.correlation_id.as_deref(), items[at]["correlation_id"].as_str());
        }
        assert_eq!(run.errors().len(), 5);
    }
}

/// A rejected item keeps its place in the output and does not disturb its neighbours.
#[test]
fn a_rejected_item_does_not_disturb_its_neighbours() {
    let sandbox = Sandbox::with_issuer_key();
    let bob = without(item("bob"), "/request/subject/id");
    sandbox.write_items("items.ndjson", &[item("alice"), bob, item("carol")]);

    let run = sandbox.issue("items.ndjson --jobs 4").expect(3);

    let rows = run.rows();
    let ids: Vec<_> = rows.iter().map(|row| row.correlation_id.as_deref()).collect();
    assert_eq!(ids, [Some("alice"), Some("bob"), Some("carol")]);
    assert_eq!(rows.iter().map(|row| row.index).collect::<Vec<_>>(), [0, 1, 2]);
    let error = rows[1].error.as_ref().unwrap();
    assert_eq!(error.code, "missing_required_field");
    assert_eq!(error.places(), [("/request/subject/id", "missing")]);
    assert_eq!(rows[1].line, Some(2));
    assert_eq!(rows[0].line, None, "only failures have a line");
    let index = |at: usize| rows[at].credential.as_ref().unwrap().status_list_index.unwrap();
    assert_ne!(index(0), index(2));
}

/// Every violation of an item is reported, in one go.
#[test]
fn all_violations_of_an_item_are_reported_together() {
    let sandbox = Sandbox::with_issuer_key();
    let mut faulty = full_item("acme");
    faulty = with(faulty, "/request/ttl", json!("soon"));
    faulty = with(faulty, "/request/self_attestation_complete", json!(false));
    faulty = with(faulty, "/request/claims/beneficial_owners/0/ownership_percent", json!(101));
    faulty = without(faulty, "/request/claims/registered_address/city");
    faulty = with(faulty, "/request/subject/registrationNumber", json!("1"));
    sandbox.write_items("items.ndjson", &[faulty]);

    let error = sandbox.issue("items.ndjson").expect(3).error();

    assert_eq!(error.code, "validation_failed");
    let found: HashSet<_> = error.places().into_iter().collect();
    let expected = HashSet::from([
        ("/request/ttl", "invalid_format"),
        ("/request/self_attestation_complete", "not_true"),
        ("/request/claims/beneficial_owners/0/ownership_percent", "out_of_range"),
        ("/request/claims/registered_address/city", "missing"),
        ("/request/subject/registrationNumber", "unknown_field"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(error.details.len(), 5);
}

/// Violations of one kind give that kind's code.
#[test]
fn violations_of_one_kind_have_a_code_of_their_own() {
    let sandbox = Sandbox::with_issuer_key();
    let attestation = "/request/self_attestation_complete";
    let cases = [
        (without(item("a"), "/request/claims"), "missing_required_field"),
        (without(item("b"), attestation), "self_attestation_incomplete"),
        (with(item("c"), attestation, json!("true")), "self_attestation_incomplete"),
        (with(item("d"), "/request/credential_type", json!("diploma")), "unsupported_credential_type"),
        (with(item("e"), "/request/claims/jurisdiction", json!("Atlantis")), "validation_failed"),
        (json!("text"), "malformed_request"),
    ];
    let batch: Vec<_> = cases.iter().map(|(item, _)| item.clone()).collect();
    sandbox.write_items("items.ndjson", &batch);
    let errors = sandbox.issue("items.ndjson").expect(3).errors();
    let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, cases.each_ref().map(|(_, code)| *code));
}

// ------------------------------------------------------------------------------------ credentials

/// Every member of the token says what the item and the resource say (docs/formats.md).
#[test]
fn tokens_say_what_items_and_resources_say() {
    let sandbox = Sandbox::with_issuer_key();
    let bare = {
        let mut request = full_item("bare")["request"].clone();
        request["correlation_id"] = json!("bare");
        request
    };
    let items = [
        item("plain"),
        full_item("full"),
        bare,
        with(item("no-uri"), "/request/subject/id", json!("GB-COH-00012345")),
        with(item("odd-uri"), "/request/subject/id", json!("urn:näh")),
        with(item("empty"), "/request/evidence_refs", json!([])),
        without(item("nameless"), "/correlation_id"),
    ];
    sandbox.write_items("items.ndjson", &items);
    let run = sandbox.issue("items.ndjson").expect(0);
    assert_eq!(check_tokens(&default_issuance(), &run.stdout, &exact(&items)), items.len());
    assert_eq!(run.rows()[6].correlation_id, None);
}

/// The reader of these tests is no rubber stamp: a token with one character changed is refused.
#[test]
fn a_changed_token_does_not_verify() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let token = sandbox.issue("items.ndjson").expect(0).credential().signed_payload;
    let key = issuer_token_key();
    let opens = |token: &str| std::panic::catch_unwind(|| key.open(token)).is_ok();
    assert!(opens(&token));
    for at in (0..token.len()).step_by(token.len() / 40) {
        let other = if &token[at..=at] == "x" { "y" } else { "x" };
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        assert!(!opens(&changed), "character {at} of {token}");
    }
    let other_key = TokenKey::from_jwk_file(&{
        sandbox.beltic(&["keygen", "--out", "other.pem"]).expect(0);
        sandbox.path("other.pub.jwk")
    });
    assert!(std::panic::catch_unwind(|| other_key.open(&token)).is_err());
}

/// What was reviewed is what is signed: text byte for byte, numbers as they are written.
#[test]
fn text_and_numbers_are_carried_as_they_are_written() {
    let sandbox = Sandbox::with_issuer_key();
    let owner = |name: &str, percent: &str| {
        format!(r#"{{"full_name":{name},"ownership_percent":{percent},"role":" \u0041\/\n"}}"#)
    };
    let owners = [
        owner(r#"" e\u0301 \uD842\uDFB7 ""#, "25.00"),
        owner("\"\u{feff}é \u{2028}\u{202e}\u{7f}\"", "2.5E+1"),
        owner(r#""\"\\/""#, "33.333333333333336"),
    ]
    .join(" , ");
    let line = format!(
        r#" {{ "correlation_id" : "x\u0020y", "request":{{"claims":{{"beneficial_owners":[ {owners} ] }},
           "subject":{{"legal_form":"\t","id":"urn:example:x"}},"self_attestation_complete":true}} }}"#
    )
    .replace('\n', "");
    sandbox.write("items.ndjson", &line);

    let run = sandbox.issue("items.ndjson").expect(0);

    let item = Exact::parse(&line);
    assert_eq!(check_tokens(&default_issuance(), &run.stdout, std::slice::from_ref(&item)), 1);
    let result = Exact::parse(run.stdout.trim_end());
    assert_eq!(result.text_of("correlation_id"), "x y");
    let resource = result.member("credential");
    assert_eq!(resource.member("claims"), item.member("request").member("claims"), "in the item's order");
    assert!(run.stdout.contains("\"ownership_percent\":25.00,") && run.stdout.contains(":2.5E+1,"));
}

#[test]
fn ids_are_version_7_uuids_and_unique() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_500));
    let mut ids = HashSet::new();
    for ledger in ["", "--ledger none"] {
        for row in sandbox.issue(&format!("items.ndjson {ledger}")).expect(0).rows() {
            let credential = row.into_credential();
            assert_eq!(credential.id, credential.credential_id);
            let uuid = uuid::Uuid::parse_str(credential.id.strip_prefix("urn:uuid:").unwrap()).unwrap();
            assert_eq!(uuid.get_version_num(), 7);
            assert!(ids.insert(uuid), "{uuid} twice");
        }
    }
    assert_eq!(ids.len(), 3_000);
}

// ------------------------------------------------------------------------------- times and names

/// Durations are added by the calendar, in UTC.
#[test]
fn life_is_calendar_arithmetic_from_the_time_of_issue() {
    let sandbox = Sandbox::with_issuer_key();
    let cases = [
        ("P1Y", "2025-02-28T12:00:00Z"),
        ("P1M", "2024-03-29T12:00:00Z"),
        ("P365D", "2025-02-28T12:00:00Z"),
        ("P52W", "2025-02-27T12:00:00Z"),
        ("P1Y2M10DT2H30M", "2025-05-09T14:30:00Z"),
        ("PT1S", "2024-02-29T12:00:01Z"),
        ("P10Y", "2034-02-28T12:00:00Z"),
    ];
    let batch: Vec<_> = cases.iter().map(|(ttl, _)| with(item(ttl), "/request/ttl", json!(ttl))).collect();
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --issued-at 2024-02-29T13:00:00.75+01:00").expect(0);
    for (row, (ttl, expires_at)) in run.rows().into_iter().zip(cases) {
        let credential = row.into_credential();
        assert_eq!(credential.issued_at, "2024-02-29T12:00:00Z");
        assert_eq!(credential.expires_at, expires_at, "{ttl}");
    }
    assert_eq!(check_tokens(&default_issuance(), &run.stdout, &exact(&batch)), cases.len());
}

/// Without `--issued-at`, credentials are issued now.
#[test]
fn credentials_are_issued_at_the_time_of_the_run() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let before = now();
    let credential = sandbox.issue("items.ndjson").expect(0).credential();
    let issued_at = unix_seconds(&credential.issued_at);
    assert!((before..=now()).contains(&issued_at), "{}", credential.issued_at);
}

#[test]
fn times_of_issue_that_are_none_are_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    for time in
        ["yesterday", "2026-01-31", "2026-01-31T12:00:00", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"]
    {
        let run = sandbox.issue(&format!("items.ndjson --issued-at {time}")).expect(2);
        assert!(run.stderr.contains(time) && run.stderr.contains("RFC 3339"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

/// `--ttl` is for items that say nothing.
#[test]
fn the_default_life_is_for_items_without_one() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), with(item("b"), "/request/ttl", json!("P2D"))]);
    let ends = |args: &str| -> Vec<_> {
        let run = sandbox.issue(&format!("items.ndjson --issued-at 2026-01-01T00:00:00Z {args}")).expect(0);
        run.rows().into_iter().map(|row| row.into_credential().expires_at).collect()
    };
    assert_eq!(ends(""), ["2027-01-01T00:00:00Z", "2026-01-03T00:00:00Z"]);
    assert_eq!(ends("--ttl P90D"), ["2026-04-01T00:00:00Z", "2026-01-03T00:00:00Z"]);
    for ttl in ["P11Y", "P0D", "1Y", "P1Y1W", "p1y"] {
        let run = sandbox.issue(&format!("items.ndjson --ttl {ttl}")).expect(2);
        assert!(run.stderr.contains(&format!("\"{ttl}\"")), "{}", run.stderr);
    }
}

#[test]
fn vct_and_developer_id_are_as_told() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a")];
    sandbox.write_items("items.ndjson", &batch);
    let run =
        sandbox.issue("items.ndjson --vct https://types.example/business --developer-id dev\"1").expect(0);
    let credential = run.credential();
    assert_eq!(credential.vct, "https://types.example/business");
    assert_eq!(credential.developer_id.as_deref(), Some("dev\"1"));
    let issuance = Issuance { vct: "https://types.example/business".into(), ..default_issuance() };
    assert_eq!(check_tokens(&issuance, &run.stdout, &exact(&batch)), 1);
    assert_eq!(sandbox.issue("items.ndjson").expect(0).credential().developer_id, None);
    sandbox.issue("items.ndjson --vct business").expect(2);
}

#[test]
fn the_proof_format_is_the_one_asked_for() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let credential = sandbox.issue("items.ndjson --proof-format jwt_vc").expect(0).credential();
    assert_eq!((credential.proof_format.as_str(), credential.alg.as_str()), ("jwt_vc", "ES256"));
    sandbox.issue("items.ndjson --proof-format ldp_vc").expect(2);
}

// ---------------------------------------------------------------------------------------- limits

/// `--api-limits` refuses what the API refuses, before anything is issued.
#[test]
fn api_limits_refuse_a_batch_of_more_than_1000() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("1000.ndjson", &items(1_000));
    sandbox.write_items("1001.ndjson", &items(1_001));
    assert_eq!(sandbox.issue("1000.ndjson --api-limits").expect(0).rows().len(), 1_000);
    let refused = sandbox.issue("1001.ndjson --api-limits --summary summary.json").expect(4);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("1000") && refused.stderr.contains("--api-limits"), "{}", refused.stderr);
    assert_eq!(sandbox.issue("1001.ndjson").expect(0).rows().len(), 1_001);
}

/// Several files are one run, so their items count together.
#[test]
fn api_limits_count_over_all_files() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("a.ndjson", &items(600));
    sandbox.write_items("b.ndjson", &items(401));
    assert_eq!(sandbox.issue("a.ndjson b.ndjson --api-limits").expect(4).stdout, "");
}

#[test]
fn an_item_that_is_too_long_fails_alone() {
    let sandbox = Sandbox::with_issuer_key();
    let long = with(item("long"), "/request/claims/kyb_status", json!("x".repeat(5_000)));
    let batch = [item("a"), long.clone(), item("b")];
    sandbox.write_items("items.ndjson", &batch);
    sandbox.write("items.json", json!({ "items": batch }).to_string());
    for file in ["items.ndjson", "items.json"] {
        assert_eq!(sandbox.issue(file).expect(0).rows().len(), 3);
        let error = sandbox.issue(&format!("{file} --max-item-bytes 4096")).expect(3).error();
        assert_eq!(error.code, "malformed_request");
        assert!(error.message.contains("4096"), "{}", error.message);
        let exactly = long.to_string().len();
        assert_eq!(sandbox.issue(&format!("{file} --max-item-bytes {exactly}")).expect(0).rows().len(), 3);
        sandbox.issue(&format!("{file} --max-item-bytes {}", exactly - 1)).expect(3);
    }
    sandbox.issue("items.ndjson --max-item-bytes 0").expect(2);
}

/// An item is at most 1 MiB, unless told otherwise.
#[test]
fn an_item_of_more_than_1_mib_fails() {
    let sandbox = Sandbox::with_issuer_key();
    let base = with(item("x"), "/request/claims/kyb_status", json!(""));
    let padding = (1 << 20) - base.to_string().len();
    let of = |length: usize| with(base.clone(), "/request/claims/kyb_status", json!("x".repeat(length)));
    sandbox.write_items("items.ndjson", &[of(padding), of(padding + 1)]);
    let rows = sandbox.issue("items.ndjson").expect(3).rows();
    assert!(rows[0].credential.is_some() && rows[1].error.is_some());
    sandbox.write("crlf.ndjson", format!("{}\r\n", of(padding)));
    sandbox.issue("crlf.ndjson").expect(0);
}

// -------------------------------------------------------------------------------- unknown fields

#[test]
fn unknown_fields_fail_with_the_nearest_known_name() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [
        with(item("a"), "/request/subject/registrationNumber", json!("1")),
        with(item("b"), "/request/claims/beneficial_owner", json!([])),
        with(item("c"), "/request/tll", json!("P1Y")),
        with(item("d"), "/note", json!("x")),
    ];
    sandbox.write_items("items.ndjson", &batch);
    let errors = sandbox.issue("items.ndjson").expect(3).errors();
    let expected = [
        ("/request/subject/registrationNumber", "registration_number"),
        ("/request/claims/beneficial_owner", "beneficial_owners"),
        ("/request/tll", "ttl"),
        ("/note", "correlation_id"),
    ];
    assert_eq!(errors.len(), expected.len());
    for (error, (path, hint)) in errors.iter().zip(expected) {
        assert_eq!(error.places(), [(path, "unknown_field")]);
        assert!(error.details[0].message.contains(hint), "{}", error.details[0].message);
    }
}

/// `--allow-unknown` carries fields of the subject and the claims into the credential.
#[test]
fn allow_unknown_carries_fields_of_subject_and_claims() {
    let sandbox = Sandbox::with_issuer_key();
    let extra = json!({ "deep": [{ "number": 1.5, "text": "ü" }, null, true] });
    let batch = [
        with(item("a"), "/request/subject/extra", extra.clone()),
        with(item("b"), "/request/claims/extra", extra.clone()),
        with(item("c"), "/request/claims/beneficial_owners", json!([{ "full_name": "A", "extra": extra }])),
    ];
    sandbox.write_items("items.ndjson", &batch);
    assert_eq!(sandbox.issue("items.ndjson").expect(3).errors().len(), 3);
    let run = sandbox.issue("items.ndjson --allow-unknown").expect(0);
    assert_eq!(check_tokens(&default_issuance(), &run.stdout, &exact(&batch)), 3);
}

#[test]
fn allow_unknown_is_for_subject_and_claims_only() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [
        with(item("a"), "/note", json!(1)),
        with(item("b"), "/request/note", json!(1)),
        with(full_item("c"), "/request/cnf/note", json!(1)),
    ];
    sandbox.write_items("items.ndjson", &batch);
    let errors = sandbox.issue("items.ndjson --allow-unknown").expect(3).errors();
    let places: Vec<_> = errors.iter().flat_map(RowError::places).collect();
    assert_eq!(
        places,
        [
            ("/note", "unknown_field"),
            ("/request/note", "unknown_field"),
            ("/request/cnf/note", "unknown_field")
        ]
    );
}

/// Names that mean something to SD-JWT or JSON-LD are refused at any depth.
#[test]
fn reserved_names_are_refused_even_if_unknown_ones_are_allowed() {
    let sandbox = Sandbox::with_issuer_key();
    let mut cases = vec![
        ("/request/subject/claims", json!({})),
        ("/request/subject/subject_id", json!("x")),
        ("/request/claims/id", json!("x")),
        ("/request/claims/type", json!("x")),
    ];
    for name in ["_sd", "...", "_sd_alg", "@context", "@id", "@type", "@graph"] {
        cases.push((Box::leak(format!("/request/subject/{name}").into_boxed_str()), json!([])));
        cases.push((Box::leak(format!("/request/claims/{name}").into_boxed_str()), json!([])));
    }
    let mut batch: Vec<_> = cases.iter().map(|(path, value)| with(item("x"), path, value.clone())).collect();
    batch.push(with(item("deep"), "/request/claims/extra", json!([{ "a": { "_sd": [] } }])));
    let mut paths: Vec<_> = cases.iter().map(|(path, _)| *path).collect();
    paths.push("/request/claims/extra/0/a/_sd");
    sandbox.write_items("items.ndjson", &batch);

    let errors = sandbox.issue("items.ndjson --allow-unknown").expect(3).errors();
    let places: Vec<_> = errors.iter().flat_map(RowError::places).collect();
    assert_eq!(places, paths.iter().map(|path| (*path, "reserved_name")).collect::<Vec<_>>());
    assert_eq!(sandbox.issue("items.ndjson").expect(3).errors().len(), batch.len(), "without the flag too");
}

// -------------------------------------------------------------------------------------- warnings

/// Warnings are said, counted, and change nothing.
#[test]
fn warnings_are_counted_and_do_not_fail_items() {
    let sandbox = Sandbox::with_issuer_key();
    let owners = json!([
        { "full_name": "A", "ownership_percent": 60 },
        { "full_name": "B", "ownership_percent": 40.5 },
    ]);
    let batch = [
        with(item("long"), "/request/ttl", json!("P2YT1S")),
        with(item("shares"), "/request/claims/beneficial_owners", owners),
        item("same"),
        item("same"),
        with(item("fine"), "/request/ttl", json!("P2Y")),
    ];
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --summary summary.json --issuer did:web:issuer.example").expect(0);
    let warnings: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 3, "{}", run.stderr);
    assert!(warnings[0].contains("item 0") && warnings[0].contains("two years"), "{}", warnings[0]);
    assert!(warnings[1].contains("item 1") && warnings[1].contains("100.5"), "{}", warnings[1]);
    assert!(warnings[2].contains("item 3") && warnings[2].contains("item 2"), "{}", warnings[2]);
    assert!(run.stderr.contains("3 warnings"), "{}", run.stderr);
    let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    assert_eq!((&summary["success_count"], &summary["warning_count"]), (&json!(5), &json!(3)));
    assert_eq!(sandbox.issue("items.ndjson --quiet").expect(0).stderr, "");
}

/// A repeated correlation id is noticed across batches of 1,000 and across files.
#[test]
fn a_correlation_id_of_an_earlier_batch_or_file_is_noticed() {
    let sandbox = Sandbox::with_issuer_key();
    let mut first = items(1_500);
    first[1_400] = item("company-7");
    sandbox.write_items("a.ndjson", &first);
    sandbox.write_items("b.ndjson", &[item("company-1400"), item("company-9")]);
    let run = sandbox
        .issue("a.ndjson b.ndjson --jobs 3 --output-format jwt --issuer did:web:issuer.example")
        .expect(0);
    let warnings: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(warnings[0].contains("item 1400") && warnings[0].contains("by item 7"), "{}", warnings[0]);
    assert!(warnings[1].contains("item 1501") && warnings[1].contains("by item 9"), "{}", warnings[1]);
}

// --------------------------------------------------------------------------------- personal data

/// Names and addresses of people do not get into messages, nor into the ledger.
#[test]
fn personal_data_stays_out_of_messages_and_the_ledger() {
    const MARK: &str = "Zebulon";
    let sandbox = Sandbox::with_issuer_key();
    let personal = [
        "/request/subject/name",
        "/request/claims/registered_name",
        "/request/claims/beneficial_owners/0/full_name",
        "/request/claims/beneficial_owners/0/person_id",
        "/request/claims/beneficial_owners/0/role",
        "/request/claims/registered_address/line1",
        "/request/claims/registered_address/line2",
        "/request/claims/registered_address/city",
        "/request/claims/registered_address/state_or_region",
        "/request/claims/registered_address/postal_code",
    ];
    let marked = personal.iter().fold(full_item("marked"), |item, path| with(item, path, json!(MARK)));
    let mut batch = vec![marked.clone()];
    // Sound and marked, but for one field elsewhere.
    batch.push(with(marked.clone(), "/request/ttl", json!("soon")));
    batch.push(without(marked.clone(), "/request/subject/id"));
    // The marked field itself is at fault.
    batch.extend(personal.map(|path| with(marked.clone(), path, json!([MARK]))));
    batch.extend(personal.map(|path| with(marked.clone(), path, json!({ MARK: MARK }))));
    let mut lines = ndjson(&batch);
    // A line that cannot be read, and one with a repeated key and a NUL.
    lines += &marked.to_string()[..marked.to_string().len() - 2];
    lines += "\n";
    lines += &marked
        .to_string()
        .replace("\"full_name\":\"Zebulon\"", r#""full_name":"Zebulon\u0000","full_name":"Zebulon""#);
    sandbox.write("items.ndjson", lines);

    let run = sandbox.issue("items.ndjson").expect(3);
    assert_eq!(run.errors().len(), batch.len() + 1, "all but the first failed");
    assert!(!run.stderr.contains(MARK), "{}", run.stderr);
    for error in run.errors() {
        let said = format!("{error:?}");
        assert!(!said.contains(MARK), "{said}");
    }
    for output in ["jwt", "text", "csv"] {
        let run = sandbox.issue(&format!("items.ndjson --output-format {output}")).expect(3);
        assert!(!run.stderr.contains(MARK), "{output}: {}", run.stderr);
        assert!(!run.stdout.contains(MARK), "{output}: {}", run.stdout);
    }
    for file in std::fs::read_dir(sandbox.path(".beltic")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for needle in [MARK, "Leith", "Fennwick", "GB-SCT"] {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} in {}", path.display());
        }
    }
}

/// What is not personal is shown as it was found.
#[test]
fn messages_say_what_was_found_and_what_was_expected() {
    let sandbox = Sandbox::with_issuer_key();
    let owner = "/request/claims/beneficial_owners/0/ownership_percent";
    let cases = [
        (with(full_item("a"), owner, json!("25%")), vec!["\"25%\"", "a number from 0 to 100", "12.5"]),
        (with(full_item("b"), owner, json!(125)), vec!["125", "from 0 to 100"]),
        (with(item("c"), "/request/claims/jurisdiction", json!("UK")), vec!["\"UK\"", "ISO 3166", "GB"]),
        (with(item("d"), "/request/ttl", json!("1 year")), vec!["\"1 year\"", "ISO 8601", "P1Y"]),
        (
            with(item("e"), "/request/subject/type", json!("Organization")),
            vec!["\"Organization\"", "organisation"],
        ),
        (with(item("j"), "/request/subject/type", json!("person")), vec!["\"person\"", "organisation"]),
        // Two words may be a name that came there with a column that slipped.
        (
            with(item("i"), "/request/subject/type", json!("Ada Odo")),
            vec!["found other text", "organisation"],
        ),
        (with(item("f"), "/request/subject/id", json!(7)), vec!["7", "expected text"]),
        (with(item("g"), "/correlation_id", json!("x".repeat(513))), vec!["513", "512"]),
        (without(item("h"), "/request/subject"), vec!["missing", "expected an object"]),
    ];
    let batch: Vec<_> = cases.iter().map(|(item, _)| item.clone()).collect();
    sandbox.write_items("items.ndjson", &batch);
    let errors = sandbox.issue("items.ndjson").expect(3).errors();
    for (error, (_, parts)) in errors.iter().zip(&cases) {
        for part in parts {
            assert!(error.details[0].message.contains(part), "{part} in {}", error.details[0].message);
        }
    }
}
