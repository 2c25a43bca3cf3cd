//! Issuers and keys: who signs, under which name, and which keys are refused.

use crate::readers::exact::Exact;
use crate::readers::token::{Issuance, TokenKey};
use crate::support::*;

fn did_jwk() -> String {
    // The public JWK of the fixture key, in the order of RFC 7638, base64url.
    let jwk = Exact::parse(&std::fs::read_to_string(key_fixture("p256-public.jwk")).unwrap());
    let text =
        format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, jwk.text_of("x"), jwk.text_of("y"));
    format!("did:jwk:{}", base64_simd::URL_SAFE_NO_PAD.encode_to_string(text))
}

/// kid and vct follow from the issuer, and are the same wherever they stand.
#[test]
fn kid_and_vct_follow_from_the_issuer() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a"), full_item("b")];
    sandbox.write_items("items.ndjson", &batch);
    let batch: Vec<_> = batch.iter().map(Exact::of).collect();
    let did_jwk = did_jwk();
    let web_vct = |host: &str| format!("https://{host}/credentials/business/v1");
    let own = "urn:beltic:business:1".to_owned();
    let cases = [
        (DID_KEY.to_owned(), default_issuance().kid, own.clone()),
        (did_jwk.clone(), format!("{did_jwk}#0"), own),
        (
            "did:web:issuer.example".into(),
            format!("did:web:issuer.example#{THUMBPRINT}"),
            web_vct("issuer.example"),
        ),
        (
            "did:web:issuer.example%3A8443:tenants:1".into(),
            format!("did:web:issuer.example%3A8443:tenants:1#{THUMBPRINT}"),
            web_vct("issuer.example:8443"),
        ),
        ("https://issuer.example".into(), THUMBPRINT.to_owned(), web_vct("issuer.example")),
        ("https://issuer.example/tenants/1".into(), THUMBPRINT.to_owned(), web_vct("issuer.example")),
    ];
    for (issuer, kid, vct) in cases {
        let run = sandbox
            .issue(&format!("items.ndjson --issuer {issuer} --summary summary.json --force"))
            .expect(0);
        let summary = Exact::parse(&sandbox.read("summary.json"));
        assert_eq!((summary.text_of("kid"), summary.text_of("issuer_did")), (kid.as_str(), issuer.as_str()));
        let issuance = Issuance { issuer, kid, vct, ..default_issuance() };
        assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    }
}

/// The default issuer is the key's own did:key.
#[test]
fn the_default_issuer_is_the_keys_own_did_key() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let credential = sandbox.issue("items.ndjson").expect(0).credential();
    assert_eq!(credential.issuer_did, DID_KEY);
    assert_eq!(credential.kid, format!("{DID_KEY}#{}", &DID_KEY["did:key:".len()..]));
}

#[test]
fn an_issuer_that_is_none_is_a_usage_error() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let strange_key = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
    for (issuer, part) in [
        ("issuer.example", "did you mean \"did:web:issuer.example\"?"),
        ("http://issuer.example", "https"),
        ("did:ion:abc", "\"ion\" is not supported"),
        ("did:web:issuer.example#key-1", "the DID alone"),
        (strange_key, DID_KEY),
    ] {
        let run = sandbox.issue(&format!("items.ndjson --issuer {issuer}")).expect(2);
        assert!(run.stderr.contains(part), "{issuer}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(sandbox.recorded(), 0);
}

/// The issuer's own context and status address, from the settings.
#[test]
fn context_and_status_address_come_from_the_settings() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [full_item("a")];
    sandbox.write_items("items.ndjson", &batch);
    sandbox.write(
        ".beltic.yaml",
        "issuer:\n  did: did:web:issuer.example\ncredential:\n  context: https://issuer.example/context/v1\n\
         status:\n  base_url: https://issuer.example/beltic\n",
    );
    let run = sandbox.issue("items.ndjson").expect(0);
    let issuance = Issuance {
        issuer: "did:web:issuer.example".into(),
        kid: format!("did:web:issuer.example#{THUMBPRINT}"),
        vct: "https://issuer.example/credentials/business/v1".into(),
        context: "https://issuer.example/context/v1".into(),
        ..default_issuance()
    };
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch.map(|item| Exact::of(&item))), 1);
    let uri = run.credential().status_list_uri.unwrap();
    assert!(uri.starts_with("https://issuer.example/beltic/status/token/"), "{uri}");
}

/// Without an address, status lists are named by URNs.
#[test]
fn status_lists_have_urns_where_nothing_is_configured() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    let rows = sandbox.issue("items.ndjson").expect(0).rows();
    let uris: Vec<_> = rows.into_iter().map(|row| row.into_credential().status_list_uri.unwrap()).collect();
    assert!(uris[0].starts_with("urn:uuid:"), "{}", uris[0]);
    assert_eq!(uris[0], uris[1], "one list for both");
}

/// A did:web or https issuer has a place on the web, and its lists are there unless the settings say otherwise. Issuers of
/// one host have no list in common.
#[test]
fn status_lists_are_at_the_issuers_own_place() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    for (issuer, base) in [
        ("did:web:issuer.example", "https://issuer.example"),
        ("did:web:issuer.example%3A8443", "https://issuer.example:8443"),
        ("did:web:issuer.example:units:a%20b", "https://issuer.example/units/a%20b"),
        ("https://issuer.example/units/b", "https://issuer.example/units/b"),
        ("https://issuer.example/units/c/", "https://issuer.example/units/c"),
    ] {
        for format in ["jwt_vc", "sd_jwt_vc"] {
            let run =
                sandbox.issue(&format!("items.ndjson --issuer {issuer} --proof-format {format}")).expect(0);
            assert!(!run.stderr.contains("warning: verifiers"), "{}", run.stderr);
            let uri = run.credential().status_list_uri.unwrap();
            let id = uri.strip_prefix(&format!("{base}/status/token/")).unwrap_or_else(|| panic!("{uri}"));
            assert!(!id.contains('/') && id.ends_with(".jwt"), "{uri}");
        }
    }
    let first = |settings: &str, ledger: &str| {
        sandbox.write(".beltic.yaml", settings);
        sandbox
            .issue(&format!("items.ndjson --issuer did:web:issuer.example --ledger {ledger}"))
            .expect(0)
            .stderr
    };
    let note = "note: status lists will be at https://issuer.example/status/";
    assert!(first("", "new.db").contains(note), "the first run says where");
    assert!(!first("", "new.db").contains("note:"));
    assert!(!first("status:\n  base_url: https://issuer.example/x\n", "newer.db").contains("note:"));
    sandbox.write(".beltic.yaml", "status:\n  base_url: https://cdn.example/lists/\n");
    let uri =
        sandbox.issue("items.ndjson --issuer did:web:issuer.example").expect(0).credential().status_list_uri;
    assert!(uri.unwrap().starts_with("https://cdn.example/lists/status/token/"));
}

/// Credentials whose lists nobody can fetch are issued, with one warning a run that says what to set.
#[test]
fn lists_without_an_address_are_a_warning() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(3));
    let said = |run: &Run| run.stderr.matches("warning: verifiers cannot fetch").count();
    for args in ["items.ndjson", "items.ndjson --proof-format sd_jwt_vc", "items.ndjson --dry-run"] {
        let run = sandbox.issue(args).expect(0);
        assert_eq!(said(&run), 1, "{args}: {}", run.stderr);
        assert!(run.stderr.contains("`status.base_url`"), "{}", run.stderr);
    }
    assert_eq!(said(&sandbox.issue("items.ndjson --ledger none").expect(0)), 0, "they name no list");
    sandbox.write(".beltic.yaml", "status:\n  base_url: https://issuer.example\n");
    assert_eq!(said(&sandbox.issue("items.ndjson").expect(0)), 0);
}

// ------------------------------------------------------------------------------------------ keys

/// All forms of the same key sign the same.
#[test]
fn keys_of_every_supported_form_sign() {
    let sandbox = Sandbox::new();
    let batch = [item("a")];
    sandbox.write_items("items.ndjson", &batch);
    let batch = batch.map(|item| Exact::of(&item));
    for fixture in [
        "p256-pkcs8.pem",
        "p256-sec1.pem",
        "p256-sec1-params.pem",
        "p256-sec1-unnamed.pem",
        "p256-private.jwk",
    ] {
        sandbox.copy_key(fixture, fixture);
        let run = sandbox.issue(&format!("items.ndjson --key {fixture}")).expect(0);
        assert_eq!(check_tokens(&default_issuance(), &run.stdout, &batch), 1);
        assert!(!run.stderr.contains("warning: the"), "{}", run.stderr);
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let sandbox = Sandbox::new();
    let batch = [item("a")];
    sandbox.write_items("items.ndjson", &batch);
    let batch = batch.map(|item| Exact::of(&item));
    sandbox.copy_key("p256-encrypted.pem", "key.pem");
    sandbox.write("passphrase", "correct horse\nignored\n");
    sandbox.write("wrong", "battery staple\n");

    let run = sandbox.issue("items.ndjson --key key.pem").expect(5);
    assert!(run.stderr.contains("encrypted") && run.stderr.contains("passphrase"), "{}", run.stderr);
    for (args, variables) in [
        ("--passphrase-file passphrase", &[][..]),
        ("", &[("BELTIC_KEY_PASSPHRASE", "correct horse")]),
        ("--passphrase-file passphrase", &[("BELTIC_KEY_PASSPHRASE", "wrong")]),
    ] {
        let run = sandbox.issue_with(&format!("items.ndjson --key key.pem {args}"), variables).expect(0);
        assert_eq!(check_tokens(&default_issuance(), &run.stdout, &batch), 1);
    }
    for args in ["--passphrase-file wrong", "--passphrase-file missing"] {
        let run = sandbox.issue(&format!("items.ndjson --key key.pem {args}")).expect(5);
        assert!(run.stderr.contains("passphrase"), "{}", run.stderr);
        assert!(!run.stderr.contains("battery"), "{}", run.stderr);
    }
}

/// Every key that is refused is refused with what was found, and nothing of the key is shown.
#[test]
fn keys_that_cannot_sign_are_code_5() {
    let sandbox = Sandbox::new();
    sandbox.write_items("items.ndjson", &items(1));
    for (fixture, part) in [
        ("p256-public.pem", "public key"),
        ("p256-public.jwk", "public key"),
        ("p256-certificate.pem", "certificate"),
        ("p384.pem", "P-384"),
        ("secp256k1.pem", "secp256k1"),
        ("ed25519.pem", "Ed25519"),
        ("rsa.pem", "RSA"),
        ("p256-truncated.pem", "truncated"),
        ("p256-literal-newlines.pem", "literal \\n"),
        ("p256-mismatch.pem", "does not belong"),
        ("p256-pkcs8.der", "openssl"),
    ] {
        sandbox.copy_key(fixture, fixture);
        let run = sandbox.issue(&format!("items.ndjson --key {fixture}")).expect(5);
        assert!(run.stderr.contains(fixture) && run.stderr.contains(part), "{fixture}: {}", run.stderr);
        assert_eq!(run.stdout, "");
        for line in String::from_utf8_lossy(&std::fs::read(key_fixture(fixture)).unwrap()).lines() {
            let start: String = line.chars().take(20).collect();
            if start.len() == 20 && !start.contains('-') {
                assert!(!run.stderr.contains(&start), "{fixture}: {}", run.stderr);
            }
        }
    }
    assert_eq!(sandbox.recorded(), 0);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_warned_of() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    assert!(!sandbox.issue("items.ndjson").expect(0).stderr.contains("issuer.pem"));
    set_mode(&sandbox.path(".beltic/issuer.pem"), 0o644);
    let run = sandbox.issue("items.ndjson").expect(0);
    assert!(
        run.stderr.contains("warning: other users can read the private key .beltic/issuer.pem"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.issue("items.ndjson --quiet").expect(0).stderr, "");
}

/// A made key, and what `batch-issue` makes with it, belong together.
#[test]
fn a_made_key_signs_and_its_jwk_verifies() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["keygen"]).expect(0);
    sandbox.write_items("items.ndjson", &items(1));
    let credential = sandbox.issue("items.ndjson").expect(0).credential();
    let key = TokenKey::from_jwk_file(&sandbox.path(".beltic/issuer.pub.jwk"));
    let token = key.open(&credential.signed_payload);
    let jwk = Exact::parse(&sandbox.read(".beltic/issuer.pub.jwk"));
    assert_eq!(token.header.text_of("kid"), jwk.text_of("kid"));
}
