//! Results of an earlier run as a batch: each credential is issued anew, and only what its token says.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::readers::exact::Exact;
use crate::readers::sd_jwt::foreign_payload;
use crate::readers::sign::{Hand, base64url};
use crate::support::*;

const SETTINGS: &str = "issuer: { did: 'did:web:issuer.example' }\ntypes: types\n";
const DID: &str = "did:web:issuer.example";

/// An item of every type.
fn every_type() -> Vec<Value> {
    vec![
        full_item("a"),
        full_user("b"),
        full_outcome("c"),
        full_agent("d"),
        full_licence("e"),
        full_certificate("f"),
        item("g"),
    ]
}

/// A sandbox of a did:web with types of its own.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_own_types();
    sandbox.write(".beltic.yaml", SETTINGS);
    sandbox
}

/// A sandbox with the results of one item.
fn issued(item: &Value, flags: &str) -> (Sandbox, Value) {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", std::slice::from_ref(item));
    let run = sandbox.issue(&format!("items.ndjson {flags}")).expect(0);
    (sandbox, serde_json::from_str(&run.stdout).unwrap())
}

/// What becomes of a row.
fn renew(sandbox: &Sandbox, row: &Value, flags: &str) -> Run {
    sandbox.write_items("results.ndjson", std::slice::from_ref(row));
    sandbox.issue(&format!("results.ndjson {flags}"))
}

/// What a row and its credential say, beside id, dates, place and key.
fn content(row: &Exact) -> Vec<Option<Exact>> {
    let credential = row.member("credential");
    let names = ["subject", "claims", "evidence_refs", "vct", "credential_type", "attestation_type"];
    let token = credential.text_of("signed_payload");
    let payload = Exact::of(&if token.contains('~') { foreign_payload(token) } else { payload(token) });
    let of_token =
        ["credentialSubject", "subject", "claims", "evidence", "evidence_refs", "cnf", "sub", "vct"];
    let said = names.into_iter().map(|name| credential.get(name).map(Exact::sorted));
    let signed = of_token.into_iter().map(|name| payload.get(name).map(Exact::sorted));
    said.chain(signed).chain([row.get("correlation_id").cloned()]).collect()
}

fn seconds(row: &Row) -> i64 {
    let credential = row.credential.as_ref().unwrap();
    let of = |text: &str| crate::readers::token::unix_seconds(text);
    of(&credential.expires_at) - of(&credential.issued_at)
}

#[test]
fn every_type_is_renewed_from_results_of_every_form() {
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let sandbox = sandbox();
        sandbox.write_items("items.ndjson", &every_type());
        let flags = format!("--proof-format {format} --quiet --ttl P7M");
        for form in ["ndjson", "json", "csv"] {
            let out = format!("results.{form}");
            sandbox
                .issue(&format!(
                    "items.ndjson {flags} --issued-at 2025-03-01T12:00:00Z --out {out} --output-format {form}"
                ))
                .expect(0);
        }
        let first =
            sandbox.issue(&format!("items.ndjson {flags} --issued-at 2025-03-01T12:00:00Z")).expect(0);
        let formers: Vec<Exact> = first.stdout.lines().map(Exact::parse).collect();
        let mut ids: HashSet<String> = first.rows().into_iter().map(|row| row.into_credential().id).collect();
        for form in ["ndjson", "json", "csv"] {
            // The default validity of this run is another one.
            let run = sandbox
                .issue(&format!("results.{form} --proof-format {format} --quiet --ttl P1M --verify"))
                .expect(0);
            assert_eq!(run.rows().len(), formers.len());
            let rows = run.rows();
            for ((line, former), (row, before)) in
                run.stdout.lines().zip(&formers).zip(rows.iter().zip(first.rows()))
            {
                assert_eq!(content(&Exact::parse(line)), content(former), "{form}");
                assert_eq!(seconds(row), seconds(&before), "{form}");
                let credential = row.credential.as_ref().unwrap();
                assert!(
                    credential.issued_at > before.credential.unwrap().expires_at,
                    "issued now, after it expired"
                );
                assert!(ids.insert(credential.id.clone()), "a new id");
            }
        }
        // Renewed credentials are renewed like any others.
        let run = sandbox.issue(&format!("results.ndjson --proof-format {format} --quiet")).expect(0);
        sandbox.write("again.ndjson", &run.stdout);
        assert_eq!(sandbox.issue("again.ndjson --quiet").expect(0).rows().len(), formers.len());
    }
}

/// A row may be read and written by other programs: members in another order, numbers and escapes in another spelling,
/// one value over several lines.
#[test]
fn a_row_may_have_been_written_anew() {
    let item = with(full_item("a"), "/request/claims/beneficial_owners/0/ownership_percent", json!(62.5));
    let (sandbox, row) = issued(&item, "");
    let text = row.to_string();
    let respelt = text
        .replace("\"ownership_percent\":62.5", "\"ownership_percent\":6.250e1")
        .replace("\"full_name\":\"Ada ", "\"full_name\":\"\\u0041da ");
    assert_ne!(respelt, text);
    sandbox.write("results.ndjson", &respelt);
    sandbox.issue("results.ndjson").expect(0);
    let sorted: std::collections::BTreeMap<String, Value> = serde_json::from_value(row.clone()).unwrap();
    let pretty = serde_json::to_string_pretty(&sorted).unwrap();
    for text in [format!("{pretty}\n{pretty}"), format!("[{pretty}]"), format!("{{\"items\":[{text}]}}")] {
        let run = sandbox.beltic_fed(&["batch-issue"], text.as_bytes()).expect(0);
        assert!(run.rows().iter().all(|row| row.credential.is_some()), "{}", run.stdout);
    }
    // A results envelope on standard input, with nothing to warn of.
    let envelope = format!("{{\"results\":[{text}\n],\"success_count\":1,\"failure_count\":0}}");
    let run = sandbox.beltic_fed(&["batch-issue"], envelope.as_bytes()).expect(0);
    assert!(!run.stderr.contains("warning: standard input"), "{}", run.stderr);
    run.credential();
}

#[test]
fn a_revoked_or_suspended_credential_is_not_renewed() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &items(4));
    let first = sandbox.issue("items.ndjson").expect(0);
    sandbox.write("results.ndjson", &first.stdout);
    let ids: Vec<String> = first.rows().into_iter().map(|row| row.into_credential().id).collect();
    sandbox.beltic(&["revoke", &ids[0], "--reason", "closed", "--yes"]).expect(0);
    sandbox.beltic(&["suspend", &ids[1], &ids[2], "--yes"]).expect(0);
    sandbox.beltic(&["reinstate", &ids[2], "--yes"]).expect(0);
    for flags in ["--dry-run", "--failed failed.ndjson"] {
        let run = sandbox.issue(&format!("results.ndjson {flags}")).expect(3);
        let errors: Vec<Option<Value>> = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap().get("error").cloned())
            .collect();
        assert_eq!(errors.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false]);
        for (error, status) in errors.iter().flatten().zip(["revoked", "suspended"]) {
            assert_eq!(error["code"], "status_conflict");
            assert!(error["message"].as_str().unwrap().contains(&format!("is {status} since 20")), "{error}");
        }
    }
    // The item that is one failure too many stops the run: those behind it are not issued.
    let before = sandbox.recorded();
    let run = sandbox.issue("results.ndjson --max-failures 1").expect(7);
    assert_eq!((run.rows().len(), sandbox.recorded()), (2, before), "{}", run.stdout);

    // What failed can be issued from its file, once there is nothing against it.
    sandbox.beltic(&["reinstate", &ids[1], "--yes"]).expect(0);
    let run = sandbox.issue("failed.ndjson").expect(3);
    let outcomes: Vec<bool> = run.rows().iter().map(|row| row.credential.is_some()).collect();
    assert_eq!(outcomes, [false, true], "{}", run.stdout);
}

/// The ledger decides; where it does not know the credential, the row's own word counts against it.
#[test]
fn what_the_ledger_does_not_know_is_said() {
    let (sandbox, row) = issued(&full_item("a"), "");
    let suspended = with(row.clone(), "/credential/status", json!("suspended"));
    renew(&sandbox, &suspended, "").expect(0);
    for flags in ["--ledger other.db", "--ledger none"] {
        let run = renew(&sandbox, &row, flags).expect(0);
        assert_eq!(
            run.stderr.contains("the ledger does not know urn:uuid:"),
            flags.contains("other"),
            "{}",
            run.stderr
        );
        let error = renew(&sandbox, &suspended, flags).expect(3).error();
        assert_eq!((error.code.as_str(), error.details.len()), ("status_conflict", 0));
    }
    let revoked = with(row.clone(), "/credential/status", json!("revoked"));
    let dated = with(row, "/credential/revoked_at", json!("2026-01-01T00:00:00Z"));
    for row in [revoked, dated] {
        assert_eq!(renew(&sandbox, &row, "").expect(3).error().code, "status_conflict");
    }
}

/// Whatever a resource says beside its token, another value fails the item.
#[test]
fn a_resource_that_says_anything_else_fails() {
    let others = [json!("x"), json!(1), json!(null), json!({}), json!([]), json!(["x"]), json!(true)];
    for (item, format) in [(full_item("a"), "jwt_vc"), (full_outcome("b"), "sd_jwt_vc")] {
        let (sandbox, row) = issued(&item, &format!("--proof-format {format}"));
        let free = ["created_via", "developer_id", "status", "signed_payload"];
        let names: Vec<String> = row["credential"].as_object().unwrap().keys().cloned().collect();
        let mut rows = Vec::new();
        for name in names.iter().filter(|name| !free.contains(&name.as_str())) {
            let place = format!("/credential/{name}");
            let changed = others.iter().map(|other| with(row.clone(), &place, other.clone()));
            rows.extend(
                changed.filter(|changed| *changed != row).map(|row| (place.clone(), "inconsistent", row)),
            );
        }
        for (pointer, value) in [
            ("/credential/subject/id", json!("urn:example:other")),
            ("/credential/subject/extra", json!(1)),
            ("/credential/claims/extra", json!("x")),
        ] {
            let place = pointer.rsplit_once('/').unwrap().0.to_owned();
            rows.push((place, "inconsistent", with(row.clone(), pointer, value)));
        }
        rows.push((
            "/credential/status".into(),
            "unknown_code",
            with(row.clone(), "/credential/status", json!("fine")),
        ));
        rows.push((
            "/credential/ttl".into(),
            "unknown_field",
            with(row.clone(), "/credential/ttl", json!("P9Y")),
        ));
        rows.push(("/note".into(), "unknown_field", with(row.clone(), "/note", json!("P9Y"))));
        rows.push(("/subject_id".into(), "inconsistent", with(row.clone(), "/subject_id", json!("other"))));
        rows.push(("/name".into(), "inconsistent", with(row.clone(), "/name", json!("other"))));
        let expected: Vec<_> = rows.iter().map(|(place, code, _)| vec![(place.as_str(), *code)]).collect();
        let all: Vec<Value> = rows.iter().map(|(_, _, row)| row.clone()).collect();
        assert!(all.len() > 60);
        sandbox.write_items("results.ndjson", &all);
        let before = sandbox.recorded();
        let run = sandbox.issue("results.ndjson").expect(3);
        // An empty list of references, or null, says what none does.
        for ((error, expected), row) in run.rows().iter().zip(&expected).zip(&all) {
            match &error.error {
                Some(error) => assert_eq!(&error.places(), expected),
                None => {
                    assert!([json!([]), json!(null)].contains(&row["credential"]["evidence_refs"]), "{row}")
                }
            }
        }
        assert!(sandbox.recorded() - before <= 2);
        // Members that are left out say nothing.
        let bare = json!({ "credential": { "signed_payload": row["credential"]["signed_payload"] } });
        renew(&sandbox, &bare, "").expect(0);
    }
}

/// A sandbox, the parts of its credential, and what signs in its issuer's name.
struct Forge {
    sandbox: Sandbox,
    hand: Hand,
    header: Value,
    payload: Value,
    disclosures: Vec<String>,
}

impl Forge {
    fn new(item: &Value, format: &str) -> Forge {
        let (sandbox, row) = issued(item, &format!("--proof-format {format}"));
        let token = row["credential"]["signed_payload"].as_str().unwrap();
        let mut parts = token.split('~');
        let jwt = parts.next().unwrap();
        let part = |at: usize| {
            let bytes = crate::readers::token::base64url(jwt.split('.').nth(at).unwrap());
            serde_json::from_slice(&bytes).unwrap()
        };
        Forge {
            hand: Hand::from_pem_file(&key_fixture("p256-pkcs8.pem")),
            header: part(0),
            payload: part(1),
            disclosures: parts.filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            sandbox,
        }
    }

    /// A token of the issuer's key, with this in the place of its header and payload.
    fn token(&self, header: &Value, payload: &Value) -> String {
        match header["typ"] == "dc+sd-jwt" {
            true => self.hand.sd_jwt(header, payload, &self.disclosures),
            false => self.hand.token(header, payload),
        }
    }

    /// What becomes of a row with this token alone.
    #[track_caller]
    fn refused(&self, token: &str) -> String {
        let row = json!({ "index": 0, "credential": { "signed_payload": token } });
        let before = self.sandbox.recorded();
        let error = renew(&self.sandbox, &row, "").expect(3).error();
        assert_eq!(self.sandbox.recorded(), before);
        assert_eq!(error.places(), [("/credential/signed_payload", "invalid_token")], "{error:?}");
        error.message
    }

    fn accepted(&self, token: &str) {
        let row = json!({ "index": 0, "credential": { "signed_payload": token } });
        renew(&self.sandbox, &row, "").expect(0);
    }
}

#[test]
fn a_token_that_is_not_the_issuers_own_fails() {
    for (item, format) in [(full_item("a"), "jwt_vc"), (full_item("b"), "sd_jwt_vc")] {
        let forge = Forge::new(&item, format);
        let own = forge.token(&forge.header, &forge.payload);
        forge.accepted(&own);
        for (at, _) in own.char_indices().step_by(41) {
            let mut changed = own.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            if changed != own {
                forge.refused(&changed);
            }
        }
        let other_key = Hand::of_number(7);
        let foreign = match format {
            "jwt_vc" => other_key.token(&forge.header, &forge.payload),
            _ => other_key.sd_jwt(&forge.header, &forge.payload, &forge.disclosures),
        };
        assert!(forge.refused(&foreign).contains("bad_signature"));
        for (pointer, value, expected) in [
            ("/kid", json!("did:web:issuer.example#other"), "`keys.retired`"),
            ("/kid", json!(format!("did:web:other.example#{THUMBPRINT}")), "issuer_mismatch"),
            ("/alg", json!("none"), "unsupported_alg"),
            ("/typ", json!("statuslist+jwt"), "unsupported_type"),
            ("/typ", json!("JWT"), "unsupported_type"),
        ] {
            let message =
                forge.refused(&forge.token(&with(forge.header.clone(), pointer, value), &forge.payload));
            assert!(message.contains(expected), "{message}");
        }
        let other_issuer = with(forge.payload.clone(), "/iss", json!("did:web:other.example"));
        forge.refused(&forge.token(&forge.header, &other_issuer));
        for text in ["", "x", "a.b.c", "eyJ.e30.", "https://x.example"] {
            forge.refused(text);
        }
    }
}

/// The issuer's own signature is not enough: what a renewed credential could not say, or says twice, is refused.
#[test]
fn a_credential_that_is_not_written_here_fails() {
    let id = "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009";
    let jwt_vc: &[(&str, Value, &str)] = &[
        ("/termsOfUse", json!({ "type": "x" }), "it has `termsOfUse`"),
        ("/nbf", json!(1), "it has `nbf`"),
        ("/aud", json!("x"), "audience_mismatch"),
        ("/jti", json!("urn:uuid:9d4ad2a2-5c5b-4a1c-8c9e-0c8d1e1b7f00"), "schema_invalid"),
        ("/exp", json!(1), "`exp` is not after `iat`"),
        ("/exp", json!(1.5e9), "`exp` is not"),
        ("/iat", json!("1"), "schema_invalid"),
        ("/iat", json!(32_503_680_000u64), "not_yet_valid"),
        ("/iat", json!(1_700_000_000), "two different periods"),
        ("/validUntil", json!("2999-01-01T00:00:00Z"), "two different periods"),
        ("/type", json!(["VerifiableCredential", "BusinessCredential", "Other"]), "`type` does not"),
        ("/type", json!(["VerifiableCredential", "Other"]), "none of the types"),
        ("/credentialSubject/subject_id", json!("x"), "`sub` and `credentialSubject.subject_id`"),
        ("/credentialSubject/subject_id", json!("https://companies.example/a"), "exactly one of"),
        ("/credentialSubject/claims", json!([]), "schema_invalid"),
        ("/evidence", json!([{ "type": "EvidenceReference" }]), "without a reference"),
        ("/evidence", json!([{ "type": "x", "reference": "y", "z": 1 }]), "it has `z`"),
        ("/evidence", json!("x"), "`evidence` "),
    ];
    let sd_jwt_vc: &[(&str, Value, &str)] = &[
        ("/extra", json!(1), "it has `extra`"),
        ("/nbf", json!(1), "two different periods"),
        ("/jti", json!("x"), "`jti` is not the id"),
        ("/vct", json!("urn:other:1"), "none of the types"),
        ("/claims", json!([]), "disclosure_invalid"),
    ];
    for (format, cases) in [("jwt_vc", jwt_vc), ("sd_jwt_vc", sd_jwt_vc)] {
        let forge = Forge::new(&full_item("a"), format);
        for (pointer, value, expected) in cases {
            let message = forge
                .refused(&forge.token(&forge.header, &with(forge.payload.clone(), pointer, value.clone())));
            assert!(message.contains(expected), "{pointer}: {message}");
        }
        for missing in ["/exp", "/iat", "/jti"] {
            forge.refused(&forge.token(&forge.header, &without(forge.payload.clone(), missing)));
        }
        let other_id = with(forge.payload.clone(), "/jti", json!(id));
        match format {
            "jwt_vc" => drop(forge.refused(&forge.token(&forge.header, &other_id))),
            _ => forge.accepted(&forge.token(&forge.header, &other_id)),
        }
    }
    // Rules that the token breaks are told of its place in the row.
    let forge = Forge::new(&full_item("a"), "jwt_vc");
    let unknown = with(forge.payload.clone(), "/credentialSubject/claims/favourite_colour", json!("red"));
    let row = json!({ "credential": { "signed_payload": forge.token(&forge.header, &unknown) } });
    let error = renew(&forge.sandbox, &row, "").expect(3).error();
    assert_eq!(error.places(), [("/credential/claims/favourite_colour", "unknown_field")]);
    renew(&forge.sandbox, &row, "--allow-unknown").expect(0);
}

/// A presentation is not what was issued, and neither is a token that lacks a disclosure: not even where decoys hide
/// that.
#[test]
fn a_token_without_all_of_its_disclosures_fails() {
    for decoys in [0, 1, 3] {
        let sandbox = sandbox();
        sandbox.write(".beltic.yaml", format!("{SETTINGS}disclosure: {{ decoys: {decoys} }}\n"));
        let items = [full_item("a"), full_user("b"), full_outcome("c")];
        sandbox.write_items("items.ndjson", &items);
        let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc").expect(0);
        sandbox.write("results.ndjson", &run.stdout);
        sandbox.issue("results.ndjson").expect(0);
        let mut rows = Vec::new();
        for row in run.rows() {
            let token = row.into_credential().signed_payload;
            let parts: Vec<&str> = token.trim_end_matches('~').split('~').collect();
            for left_out in 1..parts.len() {
                let mut kept = parts.clone();
                kept.remove(left_out);
                rows.push(format!("{}~", kept.join("~")));
            }
            rows.push(format!("{}~", parts[0]));
            rows.push(parts.join("~"));
            rows.push(format!(
                "{token}{}",
                Hand::of_number(3).jws("{\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}", "{}")
            ));
        }
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|token| json!({ "index": 0, "credential": { "signed_payload": token } }))
            .collect();
        sandbox.write_items("partial.ndjson", &rows);
        let run = sandbox.issue("partial.ndjson").expect(3);
        assert_eq!(run.errors().len(), rows.len(), "{decoys}: {}", run.stdout);

        // Former decoys are not forgotten claims, and claims are not decoys that were never there.
        sandbox.write(".beltic.yaml", format!("{SETTINGS}disclosure: {{ decoys: 2 }}\n"));
        let code = if decoys == 0 { 0 } else { 3 };
        sandbox.issue("results.ndjson").expect(code);
    }
}

#[test]
fn credentials_of_other_keys_of_the_issuer_are_renewed() {
    let (sandbox, row) = issued(&full_item("a"), "");
    let id = row["credential"]["id"].as_str().unwrap().to_owned();
    sandbox.copy_key("p256-public.jwk", "former.jwk");
    std::fs::remove_file(sandbox.path(".beltic/issuer.pem")).unwrap();
    sandbox.beltic(&["keygen", "--out", "new.pem", "--yes"]).expect(0);
    let error = renew(&sandbox, &row, "--key new.pem").expect(3).error();
    assert!(error.message.contains("unknown_kid") && error.message.contains("`keys.retired`"), "{error:?}");
    for state in ["retired", "next"] {
        sandbox.write(".beltic.yaml", format!("{SETTINGS}keys: {{ {state}: [former.jwk] }}\n"));
        let renewed = renew(&sandbox, &row, "--key new.pem").expect(0).credential();
        assert_ne!(
            (renewed.id, renewed.kid.as_str()),
            (id.clone(), row["credential"]["kid"].as_str().unwrap())
        );
        // A did:key is its one key: another key is another issuer.
        let run = renew(&sandbox, &row, "--key new.pem --issuer did:web:other.example").expect(3);
        assert!(run.error().message.contains("issuer_mismatch"), "{}", run.stdout);
    }
    // Rows alone need the other keys.
    sandbox.write(".beltic.yaml", format!("{SETTINGS}keys: {{ retired: [gone.jwk] }}\n"));
    sandbox.write_items("both.ndjson", &[row, item("b")]);
    let run = sandbox.issue("both.ndjson --key new.pem").expect(3);
    assert!(run.error().message.contains("gone.jwk"), "{}", run.stdout);
}

#[test]
fn other_rows_say_what_they_are() {
    let (sandbox, row) = issued(&full_item("a"), "");
    sandbox.write_items("items.ndjson", &[item("b"), with(item("c"), "/request/ttl", json!("soon"))]);
    let id = row["credential"]["id"].as_str().unwrap();
    let failed = sandbox.issue("items.ndjson").expect(3).stdout.lines().nth(1).unwrap().to_owned();
    let dry = sandbox.issue("items.ndjson --dry-run").expect(3).stdout.lines().next().unwrap().to_owned();
    let listed = sandbox.beltic(&["list", "--limit", "1"]).stdout;
    let changed = sandbox.beltic(&["suspend", id]).expect(0).stdout;
    sandbox.write_items("results.ndjson", std::slice::from_ref(&row));
    let jwk = key_fixture("p256-public.jwk");
    let verdict = sandbox
        .beltic(&["verify", "results.ndjson", "--key", jwk.to_str().unwrap(), "--issuer", DID, "--no-status"])
        .expect(0)
        .stdout;
    for (line, expected) in [
        (failed, "the result of a failed item"),
        (dry, "a result of a dry run"),
        (listed, "a row about a credential, without the credential"),
        (changed, "a row about a credential, without the credential"),
        (verdict, "a verdict of `verify`"),
        (row["credential"].to_string(), "a credential without the row around it"),
        (with(row.clone(), "/ttl", json!("P9Y")).to_string(), "fields of an item beside `credential`"),
        (json!({ "index": 0, "credential": "eyJ" }).to_string(), "without `credential.signed_payload`"),
        (json!({ "index": 0, "credential": {} }).to_string(), "without `credential.signed_payload`"),
        (json!({ "credential": { "signed_payload": 1 } }).to_string(), "without `credential.signed_payload`"),
    ] {
        sandbox.write("rows.ndjson", &line);
        let error = sandbox.issue("rows.ndjson").expect(3).error();
        assert_eq!(error.code, "malformed_request", "{line}");
        assert!(error.message.contains(expected), "{}: {line}", error.message);
    }
    // A member twice could be read in two ways.
    let twice = row.to_string().replacen("\"credential\":{", "\"credential\":{\"id\":\"x\",", 1);
    sandbox.write("rows.ndjson", &twice);
    assert_eq!(sandbox.issue("rows.ndjson").expect(3).error().details[0].code, "duplicate_key");
}

/// Results that a spreadsheet has touched: what it changes fails the row, and what somebody adds is named.
#[test]
fn a_table_of_results_says_nothing_of_its_own() {
    let sandbox = sandbox();
    sandbox.write_items(
        "items.ndjson",
        &[full_item("=a"), full_outcome("b"), with(item("c"), "/request/ttl", json!("soon"))],
    );
    sandbox.issue("items.ndjson --out results.csv --output-format csv").expect(3);
    let table = sandbox.read("results.csv");
    let run = sandbox.issue("results.csv --failed failed.csv").expect(3);
    let ids: Vec<_> = run.rows().into_iter().map(|row| row.correlation_id).collect();
    assert_eq!(ids, ["=a", "b", "c"].map(|id| Some(id.to_owned())));
    let error = run.error();
    assert!(error.message.contains("the result of a failed item"), "{error:?}");
    assert!(
        sandbox
            .read("failed.csv")
            .starts_with("error_code,error_message,error_paths,error_record,index,line,")
    );

    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let first: Vec<String> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
    let write = |header: &[String], row: &[String]| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).unwrap();
        writer.write_record(row).unwrap();
        sandbox.write("changed.csv", writer.into_inner().unwrap());
    };
    let free = [
        "index",
        "line",
        "correlation_id",
        "status",
        "error_code",
        "error_message",
        "error_paths",
        "action",
        "former",
    ];
    for (cell, name) in header.iter().enumerate().filter(|(_, name)| !free.contains(&name.as_str())) {
        let mut row = first.clone();
        row[cell] = if name == "status_list_index" { "0017".into() } else { "17".into() };
        write(&header, &row);
        let error = sandbox.issue("changed.csv").expect(3).error();
        let detail = &error.details[0];
        assert_eq!(detail.column.as_deref(), Some(name.as_str()), "{error:?}");
        assert!(error.message.starts_with(&format!("line 2, column '{name}'")), "{}", error.message);
        // A cell that is empty says nothing, as long as there is a token.
        if name != "signed_payload" {
            row[cell].clear();
            write(&header, &row);
            sandbox.issue("changed.csv").expect(0);
        }
    }
    let (mut wider, mut row) = (header.clone(), first.clone());
    wider.push("renew?".into());
    row.push("yes".into());
    write(&wider, &row);
    let run = sandbox.issue("changed.csv").expect(4);
    assert!(run.stderr.contains("column 'renew?'") && run.stderr.contains("`csv.ignore`"), "{}", run.stderr);
    sandbox.write(
        ".beltic.yaml",
        format!(
            "{SETTINGS}csv: {{ ignore: ['renew?'], constants: {{ ttl: P9Y }}, defaults: {{ name: x }} }}\n"
        ),
    );
    let renewed = sandbox.issue("changed.csv").expect(0);
    assert_eq!(seconds(&renewed.rows()[0]), seconds(&sandbox.issue("results.csv").expect(3).rows()[0]));
    let run = sandbox.issue("changed.csv --set ttl=P9Y").expect(4);
    assert!(run.stderr.contains("--set adds a column to results"), "{}", run.stderr);
    wider[header.len()] = "Signed-Payload".into();
    write(&wider, &row);
    sandbox.issue("changed.csv").expect(4);
}

/// A cell cannot bring a row of its own: one that holds a line of a results table fails as one record.
#[test]
fn a_cell_with_a_row_in_it_is_not_read_as_rows() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &items(3));
    sandbox.issue("items.ndjson --out results.csv --output-format csv").expect(0);
    let table = sandbox.read("results.csv");
    let lines: Vec<&str> = table.lines().collect();
    let correlation_id = lines[0].split(',').position(|name| name == "correlation_id").unwrap();
    let mut cells: Vec<String> = lines[1].split(',').map(str::to_owned).collect();
    cells[correlation_id] = format!("\"x\n{}\n\"", lines[2]);
    sandbox.write("forged.csv", [lines[0], &cells.join(","), lines[3]].join("\n"));
    let run = sandbox.issue("forged.csv").expect(3);
    let outcomes: Vec<bool> = run.rows().iter().map(|row| row.credential.is_some()).collect();
    assert_eq!(outcomes, [false, true], "{}", run.stdout);
}

/// Under a key, a renewal is done once, also if the former credential is revoked in between.
#[test]
fn a_renewal_is_repeated_under_its_key() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &items(3));
    let first = sandbox.issue("items.ndjson").expect(0);
    sandbox.write("results.ndjson", &first.stdout);
    let ids = |run: &Run| run.rows().into_iter().map(|row| row.into_credential().id).collect::<Vec<_>>();
    let renewed = sandbox.issue("results.ndjson --idempotency-key renewal").expect(0);
    let former = ids(&first)[1].clone();
    sandbox.beltic(&["revoke", &former, "--yes"]).expect(0);
    let again = sandbox.issue("results.ndjson --idempotency-key renewal").expect(0);
    assert_eq!(ids(&again), ids(&renewed));
    assert!(again.stderr.contains("already issued 3"), "{}", again.stderr);
    assert_eq!(
        sandbox.issue("results.ndjson --idempotency-key other").expect(3).error().code,
        "status_conflict"
    );
}

/// Hostile rows: nothing but a message comes of them.
#[test]
fn hostile_rows_fail_one_by_one() {
    let (sandbox, row) = issued(&full_item("a"), "");
    let token = row["credential"]["signed_payload"].as_str().unwrap().to_owned();
    let deep = format!("{}1{}", "[".repeat(62), "]".repeat(62));
    let many: String = (0..5_000).map(|at| format!(",\"x{at}\":1")).collect();
    let long = "~".repeat(300_000);
    let header = base64url(
        format!("{{\"alg\":\"ES256\",\"typ\":\"dc+sd-jwt\",\"kid\":\"{}\"}}", "k".repeat(100_000)).as_bytes(),
    );
    let rows = [
        format!("{{\"credential\":{{\"signed_payload\":\"{token}\",\"claims\":{deep}}}}}"),
        format!("{{\"credential\":{{\"signed_payload\":\"{token}\"{many}}}}}"),
        format!("{{\"credential\":{{\"signed_payload\":\"{token}\"}}{many}}}"),
        format!("{{\"credential\":{{\"signed_payload\":\"{long}\"}}}}"),
        format!("{{\"credential\":{{\"signed_payload\":\"{header}.e30.AAAA~{long}\"}}}}"),
        format!("{{\"correlation_id\":[1],\"credential\":{{\"signed_payload\":\"{token}\"}}}}"),
        format!("{{\"correlation_id\":\"\\u0000\",\"credential\":{{\"signed_payload\":\"{token}\"}}}}"),
        format!("{{\"correlation_id\":\"NULL\",\"credential\":{{\"signed_payload\":\"{token}\"}}}}"),
        format!("{{\"credential\":{{\"signed_payload\":\"{token}\",\"\\u001b[31m\":1}}}}"),
        "{\"credential\":null}".to_owned(),
    ];
    sandbox.write("rows.ndjson", rows.join("\n"));
    let before = sandbox.recorded();
    let run = sandbox.issue("rows.ndjson").expect(3);
    assert_eq!(run.errors().len(), rows.len(), "{}", run.stdout);
    assert_eq!(sandbox.recorded(), before);
    for error in run.errors() {
        assert!(error.details.len() <= 200 && error.message.len() < 2_000, "{}", error.message.len());
    }
}

/// The results of a register say what its file said, except for the ttl: nothing is to be done about them.
#[test]
fn a_register_is_unchanged_by_its_own_results() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &every_type());
    for form in ["ndjson", "csv"] {
        let results = format!("results.{form}");
        sandbox
            .beltic(&["sync", "items.ndjson", "--all", "--out", &results, "--scope", form, "--ledger", form])
            .expect(0);
        let run = sandbox.beltic(&["sync", &results, "--scope", form, "--ledger", form]).expect(0);
        assert!(run.stderr.contains("unchanged 7"), "{}", run.stderr);
        // What was revoked is not renewed, although the register may issue something in its place.
        let first = sandbox.beltic(&["list", "--limit", "1", "--ledger", form]).stdout;
        let id = serde_json::from_str::<Value>(first.lines().next().unwrap()).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        sandbox.beltic(&["revoke", &id, "--yes", "--ledger", form]).expect(0);
        let sync = ["sync", &results, "--scope", form, "--ledger", form, "--reissue-revoked"];
        let error = sandbox.beltic(&sync).expect(3).error();
        assert_eq!(error.code, "status_conflict");
        assert!(error.message.contains("is revoked since"), "{}", error.message);
    }
}
