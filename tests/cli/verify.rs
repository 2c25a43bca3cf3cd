//! `beltic verify`. What makes a token valid is tested in `tests/verify`; here, how it is asked and told.

use serde_json::{Value, json};

use crate::readers::sign::Hand;
use crate::support::*;

/// A folder with credentials of every form: three issued, one item failed.
fn issued() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a"), item("b"), json!({"request": {}}), item("c")]);
    for form in ["ndjson", "json", "csv", "jwt"] {
        sandbox.issue(&format!("items.ndjson --output-format {form} --out results.{form}")).expect(3);
    }
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    sandbox
}

const KEY: &str = "--key=.beltic/issuer.pub.jwk";

fn verdicts(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_form_of_results_is_verified() {
    let sandbox = issued();
    for form in ["ndjson", "json", "csv", "jwt"] {
        let run = sandbox.beltic(&["verify", &format!("results.{form}"), KEY, "--no-status"]).expect(0);
        let found = verdicts(&run);
        assert_eq!(found.len(), 3, "{form}: {}", run.stdout);
        assert!(found.iter().all(|verdict| verdict["valid"] == true && verdict["format"] == "jwt_vc"));
        assert_eq!(found[0]["credential"]["credentialSubject"]["claims"]["kyb_status"], "verified");
        // The first one was issued to a holder's key.
        assert_eq!(found[0]["unchecked"], json!(["holder", "status"]));
        assert_eq!(found[1]["unchecked"], json!(["status"]));
        assert!(run.stderr.starts_with("3 valid, 0 invalid"), "{}", run.stderr);
        assert!(
            run.stderr.contains("revocation was not checked for 3 credentials (--no-status)"),
            "{}",
            run.stderr
        );
        if form != "jwt" {
            let places: Vec<_> =
                found.iter().map(|v| (v["index"].clone(), v["correlation_id"].clone())).collect();
            assert_eq!(
                places,
                [(json!(0), json!("a")), (json!(1), json!("b")), (json!(3), json!("c"))],
                "{form}"
            );
            assert!(run.stderr.contains("1 skipped (no credential)"), "{}", run.stderr);
        }
    }
}

#[test]
fn a_status_without_a_list_is_not_valid() {
    let sandbox = issued();
    let run = sandbox.beltic(&["verify", "results.ndjson", KEY]).expect(3);
    for verdict in verdicts(&run) {
        assert_eq!((&verdict["valid"], &verdict["reason"]), (&json!(false), &json!("status_unknown")));
        assert_eq!(verdict["step"], "status");
        assert!(verdict["message"].as_str().unwrap().contains("was not given"));
    }
    assert!(run.stderr.contains("status_unknown 3"), "{}", run.stderr);
}

#[test]
fn verdicts_keep_the_order_of_the_input_whatever_the_jobs() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2_500));
    let tokens = sandbox.issue("items.ndjson --ledger none --output-format jwt --out tokens").expect(0);
    assert_eq!(tokens.stdout, "");
    let mut lines: Vec<String> = sandbox.read("tokens").lines().map(str::to_owned).collect();
    for at in (0..lines.len()).step_by(7) {
        lines[at].pop();
    }
    sandbox.write("tokens", lines.join("\n"));
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let outputs: Vec<String> = ["1", "4"]
        .map(|jobs| sandbox.beltic(&["verify", "tokens", KEY, "--jobs", jobs]).expect(3).stdout)
        .into();
    assert_eq!(outputs[0], outputs[1]);
    let found: Vec<Value> = outputs[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2_500);
    for (at, verdict) in found.iter().enumerate() {
        assert_eq!((&verdict["index"], &verdict["line"]), (&json!(at), &json!(at + 1)));
        assert_eq!(verdict["valid"], at % 7 != 0, "{verdict}");
        if at % 7 != 0 {
            assert_eq!(verdict["credential"]["sub"], format!("urn:example:company-{at}"));
            assert_eq!(verdict.get("unchecked"), None);
        }
    }
}

/// Enough tokens of one key that the batch engine judges them, with bad ones and failed items among them.
#[test]
fn both_engines_say_the_same() {
    let sandbox = Sandbox::with_issuer_key();
    let items: Vec<Value> =
        (0..90).map(|n| if n % 9 == 4 { json!({}) } else { item(&format!("i{n}")) }).collect();
    sandbox.write_items("items.ndjson", &items);
    sandbox.issue("items.ndjson --output-format csv --out results.csv").expect(3);
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let results = sandbox.read("results.csv");
    let mut rows: Vec<String> = results.lines().map(str::to_owned).collect();
    for row in rows.iter_mut().skip(1).step_by(7) {
        *row = row.replacen(".", ".A", 1);
    }
    sandbox.write("results.csv", &(rows.join("\n") + "\n"));
    let verify = |engine: &str| {
        let run = sandbox.beltic(&["verify", "results.csv", KEY, "--no-status", engine]).expect(3);
        run.stdout
    };
    let found = verify("--engine=batch");
    assert_eq!(found, verify("--engine=aws-lc"));
    assert_eq!(found, verify("--engine=portable"));
    assert_eq!(found.lines().count(), 80);
    assert!(found.contains("\"valid\":true") && found.contains("\"reason\":\"bad_signature\""), "{found}");
}

/// Enough credentials that `batch-issue --verify` checks them in batches, with failed items among them.
#[test]
fn issuing_with_verify_delivers_what_verifies() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let items: Vec<Value> =
        (0..600).map(|n| if n % 50 == 4 { json!({}) } else { item(&format!("i{n}")) }).collect();
    sandbox.write_items("items.ndjson", &items);
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let out = format!("{format}.ndjson");
        sandbox.issue(&format!("items.ndjson --verify --proof-format {format} --out {out}")).expect(3);
        assert_eq!(sandbox.read(&out).lines().count(), 600);
        let verdicts = sandbox.beltic(&["verify", &out, KEY, "--no-status", "--engine=aws-lc"]).expect(0);
        assert_eq!(verdicts.stdout.matches("\"valid\":true").count(), 588);
    }
}

#[test]
fn tokens_come_as_arguments_from_files_and_on_standard_input() {
    let sandbox = issued();
    let tokens = sandbox.read("results.jwt");
    let token = tokens.lines().next().unwrap();
    let args = |input: &'static str| ["verify", input, KEY, "--no-status", "--output-format", "text"];
    let from_argument =
        sandbox.beltic(&["verify", token, KEY, "--no-status", "--output-format", "text"]).expect(0);
    assert!(from_argument.stdout.starts_with("valid       0  01"), "{}", from_argument.stdout);
    assert!(from_argument.stdout.contains(" until 20"), "{}", from_argument.stdout);
    let from_stdin =
        sandbox.beltic_fed(&["verify", KEY, "--no-status", "--output-format", "text"], token.as_bytes());
    assert_eq!(from_stdin.expect(0).stdout, from_argument.stdout);
    let from_dash = sandbox.beltic_fed(&args("-"), token.as_bytes());
    assert_eq!(from_dash.expect(0).stdout, from_argument.stdout);
    // Several inputs are counted on.
    let run = sandbox.beltic(&["verify", "results.jwt", token, KEY, "--no-status"]).expect(0);
    assert_eq!(verdicts(&run).last().unwrap()["index"], 3);
}

#[test]
fn what_is_no_token_gets_a_verdict_and_what_is_no_file_a_failure() {
    let sandbox = issued();
    let run = sandbox.beltic_fed(&["verify", KEY], b"hello\neyJ.x.y\n{\"a\":1}\n\n").expect(3);
    let found = verdicts(&run);
    assert_eq!(found.len(), 3);
    for verdict in &found {
        assert_eq!(
            (&verdict["reason"], &verdict["index"].is_u64()),
            (&json!("malformed"), &true),
            "{verdict}"
        );
    }
    for (text, said) in [
        (&b""[..], "empty file"),
        (b"\n\n", "no results, ids or tokens in it"),
        (b"subject_id,kyb_status\n1,2\n", "no column id, credential_id or signed_payload"),
        (b"{\n  \"items\": []\n}", "no 'results' array at the top level (found 'items'); expected"),
    ] {
        let run = sandbox.beltic_fed(&["verify", KEY], text).expect(4);
        assert!(run.stderr.contains(said) && !run.stderr.contains("--input-format"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let failed = sandbox.beltic_fed(&["verify", KEY], br#"{"index":0,"error":{"code":"x"}}"#).expect(0);
    assert!(failed.stderr.contains("1 skipped (no credential)"), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("nothing was verified; all results are failed items"),
        "{}",
        failed.stderr
    );
    let id = b"urn:uuid:01a20600-0000-7000-8000-000000000000\n";
    let found = verdicts(&sandbox.beltic_fed(&["verify", KEY], id).expect(3));
    assert_eq!(found[0]["message"], "no token: a credential's id alone");
    let run = sandbox.beltic_fed(&["verify", KEY], b"index,signed_payload\n").expect(4);
    assert!(run.stderr.contains("no results, ids or tokens in it"), "{}", run.stderr);
    let run = sandbox.beltic(&["verify", "nothing.txt", KEY]).expect(6);
    assert!(run.stderr.contains("nothing.txt: no such file"), "{}", run.stderr);
    sandbox.write("cut.json", "{\"results\":[{\"index\":0,");
    sandbox.beltic(&["verify", "cut.json", KEY]).expect(4);
}

#[test]
fn keys_are_asked_for_and_never_taken_from_a_token() {
    let sandbox = issued();
    let run = sandbox.beltic(&["verify", "results.jwt"]).expect(2);
    assert!(run.stderr.contains("--jwks"), "{}", run.stderr);
    let run = sandbox.beltic(&["verify", "results.jwt", "--issuer", "did:web:issuer.example"]).expect(5);
    assert!(run.stderr.contains("no key"), "{}", run.stderr);
    // The issuer's own DID is its key; naming it is enough.
    sandbox.beltic(&["verify", "results.jwt", "--issuer", DID_KEY, "--no-status"]).expect(0);
    let run = sandbox.beltic(&["verify", "results.jwt", "--key", ".beltic/issuer.pem"]).expect(5);
    assert!(run.stderr.contains("private key"), "{}", run.stderr);
    let run = sandbox.beltic(&["verify", "results.jwt", "--did", ".beltic/issuer.pub.jwk"]).expect(5);
    assert!(run.stderr.contains("expected a DID document"), "{}", run.stderr);
    let run = sandbox.beltic(&["verify", "results.jwt", "--jwks", "nowhere.json"]).expect(6);
    assert!(run.stderr.contains("nowhere.json"), "{}", run.stderr);
}

#[test]
fn an_issuer_that_nobody_named_is_told_of() {
    let sandbox = Sandbox::new();
    let hand = Hand::of_number(5);
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": "k"});
    let token = hand.sd_jwt(
        &header,
        &json!({"iss": "https://a.example", "vct": "urn:x", "exp": 4_000_000_000u32}),
        &[],
    );
    sandbox.write("jwks.json", json!({"keys": [hand.jwk("k")]}).to_string());
    let run = sandbox.beltic(&["verify", &token, "--jwks", "jwks.json"]).expect(0);
    assert_eq!(verdicts(&run)[0]["unchecked"], json!(["issuer", "schema"]));
    assert!(
        run.stderr.contains("the issuer was not checked for 1 of the valid credentials"),
        "{}",
        run.stderr
    );
    let run =
        sandbox.beltic(&["verify", &token, "--jwks", "jwks.json", "--issuer", "https://a.example"]).expect(0);
    assert_eq!(verdicts(&run)[0]["unchecked"], json!(["schema"]));
    let run =
        sandbox.beltic(&["verify", &token, "--jwks", "jwks.json", "--issuer", "https://b.example"]).expect(3);
    assert_eq!(verdicts(&run)[0]["reason"], "issuer_mismatch");
}

#[test]
fn the_flags_about_what_is_accepted_reach_the_verifier() {
    let sandbox = issued();
    let reason = |flags: &[&str]| {
        let args = [&["verify", "results.jwt", KEY, "--no-status"], flags].concat();
        let run = sandbox.beltic(&args);
        verdicts(&run)[0].get("reason").cloned()
    };
    assert_eq!(reason(&[]), None);
    assert_eq!(reason(&["--at", "2020-01-01T00:00:00Z"]), Some(json!("not_yet_valid")));
    assert_eq!(reason(&["--at", "2099-01-01T00:00:00Z"]), Some(json!("expired")));
    assert_eq!(reason(&["--vct", "urn:x"]), Some(json!("type_mismatch")));
    assert_eq!(reason(&["--audience", "https://v.example"]), None, "they name no audience");
    assert_eq!(reason(&["--max-ttl", "P1D"]), Some(json!("lifetime_too_long")));
    for flags in [["--at", "tomorrow"], ["--max-ttl", "1y"], ["--leeway", "301"], ["--leeway", "-1"]] {
        sandbox.beltic(&[&["verify", "results.jwt", KEY], &flags[..]].concat()).expect(2);
    }
}

#[test]
fn sd_jwts_are_verified_with_what_is_disclosed() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a"), item("b")]);
    sandbox
        .issue("items.ndjson --ledger none --proof-format sd_jwt_vc --output-format jwt --out tokens")
        .expect(0);
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let found = verdicts(&sandbox.beltic(&["verify", "tokens", KEY]).expect(0));
    assert_eq!(found[0]["format"], "sd_jwt_vc");
    assert_eq!(found[0]["credential"]["claims"]["beneficial_owners"][0]["full_name"], "Ada Fennwick");
    let tokens = sandbox.read("tokens");
    let token = tokens.lines().next().unwrap();
    let shown =
        sandbox.beltic(&["present", token, "--disclose", "claims.beneficial_owners[1]"]).expect(0).stdout;
    let found = verdicts(&sandbox.beltic(&["verify", shown.trim(), KEY]).expect(0));
    assert_eq!(
        found[0]["credential"]["claims"]["beneficial_owners"],
        json!([{"full_name": "花子", "ownership_percent": 37.5}])
    );
    assert_eq!(found[0]["credential"]["claims"].get("registered_address"), None);
}

#[test]
fn a_tokens_words_cannot_act_on_the_terminal() {
    let sandbox = Sandbox::new();
    let hand = Hand::of_number(5);
    sandbox.write("jwks.json", json!({"keys": [hand.jwk("k")]}).to_string());
    let token = hand.token(&json!({"alg": "ES256", "typ": "vc+jwt", "kid": "\u{9b}31m\u{202e}"}), &json!({}));
    let row = json!({"correlation_id": "\u{9b}2J", "credential": {"signed_payload": token}}).to_string();
    let run = sandbox
        .beltic_fed(&["verify", "--jwks", "jwks.json", "--output-format", "text"], row.as_bytes())
        .expect(3);
    assert!(
        run.stdout.contains("unknown_kid") && !run.stdout.contains(['\u{9b}', '\u{202e}']),
        "{:?}",
        run.stdout
    );
}

/// The whole way: issue, publish, verify, take back, publish, verify.
#[test]
fn what_is_published_is_what_verifiers_need() {
    for (issuer, format) in [
        (DID_KEY, "jwt_vc"),
        ("did:web:issuer.example:a", "sd_jwt_vc"),
        ("https://issuer.example/tenant", "jwt_vc"),
    ] {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write_items("items.ndjson", &[full_item("a"), item("b"), item("c")]);
        let settings =
            if issuer == DID_KEY { "" } else { "status:\n  base_url: https://issuer.example/tenant\n" };
        sandbox.write(".beltic.yaml", format!("issuer:\n  did: \"{issuer}\"\n{settings}"));
        sandbox
            .issue(&format!("items.ndjson --proof-format {format} --output-format ndjson --out results"))
            .expect(0);
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        let run = sandbox.beltic(&["verify", "results", "--site", "site"]).expect(0);
        assert!(!run.stderr.contains("warning"), "{issuer}: {}", run.stderr);
        for verdict in verdicts(&run) {
            let holder = verdict["credential"].get("cnf").map(|_| json!(["holder"]));
            assert_eq!(verdict.get("unchecked"), holder.as_ref(), "{issuer}: {verdict}");
        }

        sandbox.beltic(&["revoke", "--correlation-id", "b"]).expect(0);
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        let run = sandbox.beltic(&["verify", "results", "--site", "site", "--issuer", issuer]).expect(3);
        let reasons: Vec<_> = verdicts(&run).iter().map(|verdict| verdict.get("reason").cloned()).collect();
        assert_eq!(reasons, [None, Some(json!("revoked")), None], "{issuer}");
        // Long after, the lists have lapsed, though the credentials have not.
        let run = sandbox.beltic(&["verify", "results", "--site", "site", "--at", &in_days(30)]).expect(3);
        assert!(run.stderr.contains("status_unknown 3"), "{issuer}: {}", run.stderr);
        assert!(run.stderr.contains("is not usable: expired"), "{issuer}: {}", run.stderr);
    }
}

/// The time so many days from now, as RFC 3339 text.
fn in_days(days: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).to_string()
}

#[test]
fn a_damaged_site_is_no_proof() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson --output-format ndjson --out results").expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    for form in ["token", "bitstring"] {
        for entry in std::fs::read_dir(sandbox.path(&format!("site/status/{form}"))).unwrap() {
            std::fs::write(entry.unwrap().path(), "x").unwrap();
        }
    }
    let run = sandbox.beltic(&["verify", "results", "--site", "site"]).expect(3);
    assert!(run.stderr.contains("is not usable: malformed"), "{}", run.stderr);
    assert_eq!(verdicts(&run)[0]["reason"], "status_unknown");
}

#[test]
fn credentials_are_verified_before_they_leave_where_that_is_wanted() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a"), item("b"), json!({"request": {}})]);
    for format in ["jwt_vc", "sd_jwt_vc"] {
        for issuer in [DID_KEY, "did:web:issuer.example", "https://issuer.example"] {
            for time in ["2020-01-31T00:00:00Z", "2099-01-31T00:00:00Z"] {
                let run = sandbox.issue(&format!(
                    "items.ndjson --verify --proof-format {format} --issuer {issuer} --issued-at {time}"
                ));
                assert_eq!(run.expect(3).rows().iter().filter(|row| row.credential.is_some()).count(), 2);
            }
        }
    }
}

/// A list and a token that unpack to a gigabyte are refused in less than 512 MB.
#[cfg(target_os = "linux")]
#[test]
fn bombs_are_refused_in_bounded_memory() {
    let sandbox = Sandbox::with_issuer_key();
    let hand = Hand::from_pem_file(&key_fixture("p256-pkcs8.pem"));
    let kid = format!("{DID_KEY}#{}", DID_KEY.trim_start_matches("did:key:"));
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..1024 {
        std::io::Write::write_all(&mut packed, &vec![0; 1 << 20]).unwrap();
    }
    let lst = data_encoding::BASE64URL_NOPAD.encode(&packed.finish().unwrap());
    let list =
        format!(r#"{{"sub":"urn:list","iat":1,"exp":4000000000,"status_list":{{"bits":1,"lst":"{lst}"}}}}"#);
    let header = |typ: &str| format!(r#"{{"alg":"ES256","typ":"{typ}","kid":"{kid}"}}"#);
    sandbox.write("list.jwt", hand.jws(&header("statuslist+jwt"), &list));
    let claims = format!(
        r#"{{"iss":"{DID_KEY}","vct":"urn:x","exp":4000000000,"status":{{"status_list":{{"idx":1,"uri":"urn:list"}}}}}}"#
    );
    sandbox.write("token.jwt", hand.jws(&header("dc+sd-jwt"), &claims) + "~\n");
    let deep = format!("{{\"a\":{}", "[".repeat(900_000));
    sandbox.write("deep.jwt", hand.jws(&header("vc+jwt"), &deep) + "\n");
    for (file, reason) in [("token.jwt", "status_unknown"), ("deep.jwt", "malformed")] {
        let args =
            ["verify", file, "--issuer", DID_KEY, "--status-list", "list.jwt", "--output-format", "ndjson"];
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "ulimit -v 524288 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_beltic")]).args(args);
        shell.current_dir(sandbox.path(".")).env_clear().env("HOME", sandbox.path("."));
        let run = Run::of(shell.output().unwrap()).expect(3);
        assert_eq!(verdicts(&run)[0]["reason"], reason, "{}", run.stderr);
    }
}

/// The folders around a site say nothing, and one file that is no list takes no other away.
#[test]
fn a_site_is_read_by_its_own_paths() {
    let sandbox = Sandbox::new();
    let (issuer, kid) = ("https://issuer.example", "k");
    let hand = Hand::of_number(9);
    let site = "jwt-vc-issuer/site";
    for folder in [format!("{site}/.well-known"), format!("{site}/status")] {
        std::fs::create_dir_all(sandbox.path(&folder)).unwrap();
    }
    let mut unsound = hand.jwk("unsound");
    unsound["x"] = json!("AA");
    let metadata = json!({"issuer": issuer, "jwks": {"keys": [unsound, hand.jwk(kid)]}});
    sandbox.write(&format!("{site}/.well-known/jwt-vc-issuer"), metadata.to_string());
    sandbox.write(&format!("{site}/index.html"), "<html>");
    sandbox.write(&format!("{site}/status/big.jwt"), "x".repeat(9 << 20));
    let payload = json!({"iss": issuer, "vct": "urn:x", "exp": 4_000_000_000u32});
    let token = hand.sd_jwt(&json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": kid}), &payload, &[]);
    let run = sandbox.beltic(&["verify", "--site", site, &token]).expect(0);
    assert!(run.stderr.contains("warning: the key unsound cannot be used: "), "{}", run.stderr);
    assert!(run.stderr.contains("big.jwt is not usable: it is larger than 8388608 bytes"), "{}", run.stderr);
    let quiet = sandbox.beltic(&["verify", "-q", "--site", site, &token]).expect(0);
    assert_eq!(quiet.stderr, "");
}

/// Files that are not lists are named, and only the credentials that need them have no known status.
#[test]
fn files_that_are_not_lists_do_not_stop_the_others() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let issuers = ["did:web:issuer.example:a", "did:web:issuer.example:b"];
    let mut results = String::new();
    for issuer in issuers {
        let site = format!("site-{}", &issuer[issuer.len() - 1..]);
        results += &sandbox
            .issue(&format!("items.ndjson --issuer {issuer} --output-format ndjson"))
            .expect(0)
            .stdout;
        sandbox.beltic(&["publish", "--out", &site, "--issuer", issuer]).expect(0);
    }
    sandbox.write("results", results);
    let list = |site: &str, form: &str| {
        let unit = &site[site.len() - 1..];
        let folder = sandbox.path(&format!("{site}/{unit}/status/{form}"));
        std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    };
    let whole = std::fs::read_to_string(list("site-a", "token")).unwrap();
    let html: &[u8] = b"<!doctype html><title>404</title>";
    let faults: [(&str, &[u8]); 4] = [
        ("html", html),
        ("empty", b""),
        ("binary", b"\xff\xfe\x00"),
        ("cut", &whole.as_bytes()[..whole.len() / 2]),
    ];
    for form in ["token", "bitstring"] {
        let path = list("site-a", form);
        let good = std::fs::read(&path).unwrap();
        for (name, content) in faults {
            std::fs::write(&path, content).unwrap();
            let keys = ["--did", "site-a/a/did.json", "--did", "site-b/b/did.json"];
            let lists = ["--status-list", "site-a", "--status-list", "site-b"];
            let run = sandbox.beltic(&[&["verify", "results"], &keys[..], &lists[..]].concat()).expect(3);
            let found = verdicts(&run);
            assert_eq!(found[0]["reason"], "status_unknown", "{form} {name}: {}", run.stdout);
            assert_eq!(found[1]["valid"], true, "{form} {name}: {}", run.stdout);
            let file = path.file_name().unwrap().to_str().unwrap();
            let warning = run.stderr.lines().find(|line| line.starts_with("warning: ")).unwrap();
            assert!(warning.contains(file) && warning.contains("is not usable"), "{warning}");
        }
        std::fs::write(&path, good).unwrap();
    }
    sandbox.write("nothing/readme.txt", "x");
    let args = ["verify", "results", "--did", "site-a/a/did.json", "--did", "site-b/b/did.json"];
    let run = sandbox.beltic(&[&args[..], &["--status-list", "nothing"]].concat()).expect(3);
    assert!(run.stderr.contains("nothing has no status lists"), "{}", run.stderr);
    sandbox.beltic(&[&args[..], &["--status-list", "absent.jwt"]].concat()).expect(6);
}

/// A list whose signature is broken is named by what it calls itself, too.
#[test]
fn a_forged_list_is_named() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let issuer = "did:web:issuer.example";
    let run = sandbox.issue(&format!("items.ndjson --issuer {issuer} --output-format ndjson")).expect(0);
    let uri = run.credential().status_list_uri.unwrap();
    sandbox.write("results", &run.stdout);
    let hand = Hand::of_number(5);
    let header = json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": format!("{issuer}#{THUMBPRINT}")});
    let payload = json!({"iss": issuer, "sub": uri, "iat": 1, "status_list": {"bits": 1, "lst": ""}});
    sandbox.beltic(&["publish", "--out", "site", "--issuer", issuer]).expect(0);
    sandbox.write("forged.jwt", hand.token(&header, &payload));
    let run = sandbox
        .beltic(&["verify", "results", "--did", "site/.well-known/did.json", "--status-list", "forged.jwt"])
        .expect(3);
    assert!(run.stderr.contains("forged.jwt") && run.stderr.contains(&uri), "{}", run.stderr);
    let message = verdicts(&run)[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&uri) && message.contains("signature does not match"), "{message}");
}

/// What editors put in front of text files does not matter.
#[test]
fn a_byte_order_mark_is_skipped() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let issuer = "did:web:issuer.example";
    sandbox.issue(&format!("items.ndjson --issuer {issuer} --output-format jwt --out tokens")).expect(0);
    sandbox.beltic(&["publish", "--out", "site", "--issuer", issuer]).expect(0);
    let mark = |name: &str| {
        let marked = format!("\u{feff}{}", sandbox.read(name));
        sandbox.write(name, marked);
    };
    mark("site/.well-known/did.json");
    mark("site/.well-known/jwks.json");
    for form in ["token", "bitstring"] {
        let folder = sandbox.path(&format!("site/status/{form}"));
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().file_name();
        mark(&format!("site/status/{form}/{}", file.to_str().unwrap()));
    }
    let public = std::fs::read_to_string(key_fixture("p256-public.jwk")).unwrap();
    sandbox.write("public.jwk", format!("\u{feff}{public}"));
    for keys in [
        ["--site", "site"],
        ["--did", "site/.well-known/did.json"],
        ["--jwks", "site/.well-known/jwks.json"],
        ["--key", "public.jwk"],
    ] {
        let args = ["verify", "tokens", "--issuer", issuer, "--status-list", "site"];
        let run = sandbox.beltic(&[&args[..], &keys[..]].concat()).expect(0);
        assert!(!run.stderr.contains("warning"), "{keys:?}: {}", run.stderr);
    }
}

/// Whatever a batch may hold, its credentials can be verified.
#[test]
fn what_is_issued_at_the_limits_of_a_batch_verifies() {
    let owners: Vec<Value> = (0..30_000).map(|_| json!({"full_name": "a"})).collect();
    let many = with(item("many"), "/request/claims/beneficial_owners", json!(owners));
    let long = with(item("long"), "/request/subject/name", json!("n".repeat(1_000_000)));
    // The item and its claims are two of 64 levels.
    let deep = (0..62).fold(json!(1), |inside, _| json!([inside]));
    let mut bare = item("deep")["request"].clone();
    bare["claims"]["sector"] = deep;
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[many, long, bare]);
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let run = sandbox
            .issue(&format!(
                "items.ndjson --allow-unknown --ledger none --proof-format {format} --out {format} --force"
            ))
            .expect(0);
        assert!(run.stderr.contains("issued 3, failed 0"), "{}", run.stderr);
        let run = sandbox.beltic(&[
            "verify",
            format,
            "--issuer",
            DID_KEY,
            "--no-status",
            "--output-format",
            "text",
        ]);
        assert_eq!(run.code, 0, "{}", run.stdout.chars().take(2_000).collect::<String>());
    }
}

/// Tokens as the APIs and tools of others wrap them.
#[test]
fn wrapped_tokens_are_found() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen", "--quiet"]).expect(0);
    sandbox.write_items("items.ndjson", &items(3));
    sandbox.issue("items.ndjson --output-format jwt --out t.txt --quiet").expect(0);
    let tokens: Vec<String> = sandbox.read("t.txt").lines().map(str::to_owned).collect();
    let [one, two, three] = &tokens[..] else { panic!("{tokens:?}") };
    for (name, text, found) in [
        ("a credential", format!(r#"{{"credential":"{one}"}}"#), 1),
        ("credentials", format!(r#"{{"credentials":["{one}",{{"credential":"{two}"}},"{three}"]}}"#), 3),
        (
            "pretty credentials",
            format!("{{\n  \"credentials\": [\n    \"{one}\",\n    \"{two}\"\n  ]\n}}\n"),
            2,
        ),
        ("a data URL", format!("data:application/vc+jwt,{one}\n"), 1),
        ("data URLs", format!(r#"["data:application/vc+jwt,{one}","data:application/vc+jwt,{two}"]"#), 2),
        (
            "an enveloped credential",
            format!(
                r#"{{"@context":"https://www.w3.org/ns/credentials/v2","id":"data:application/vc+jwt,{one}","type":"EnvelopedVerifiableCredential"}}"#
            ),
            1,
        ),
        ("a list of tokens", format!(r#"["{one}","{two}"]"#), 2),
        ("a token as JSON text", format!("\"{one}\"\n\"{two}\"\n"), 2),
        (
            "presentations",
            format!("{{\"presentation\":\"{one}\",\"nonce\":\"n\"}}\n{{\"presentation\":\"{two}\"}}\n"),
            2,
        ),
    ] {
        sandbox.write("wrapped", &text);
        let run = sandbox
            .beltic(&["verify", "wrapped", "--key", ".beltic/issuer.pub.jwk", "--no-status"])
            .expect(0);
        assert_eq!(
            run.stdout.matches("\"valid\":true").count(),
            found,
            "{name}: {}{}",
            run.stdout,
            run.stderr
        );
    }
}
