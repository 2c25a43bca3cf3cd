//! For those who receive credentials: certificates, explanations, and older forms.

use serde_json::{Value, json};

use crate::readers::sign::Hand;
use crate::support::*;

const ISSUER: &str = "https://issuer.example";

fn certificate(name: &str) -> String {
    format!("{}/fixtures/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A folder with an SD-JWT VC of an issuer whose key has a certificate.
fn certified() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let chain = certificate("chain.pem");
    let args = format!("items.ndjson --issuer {ISSUER} --proof-format sd_jwt_vc --ledger none --x5c {chain}");
    let run = sandbox.issue(&format!("{args} --output-format jwt --out my.jwt")).expect(0);
    assert!(!run.stderr.contains("certificate"), "{}", run.stderr);
    sandbox
}

fn verdicts(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_trust_anchor_vouches_for_the_keys_of_tokens() {
    let sandbox = certified();
    let verify = |more: &[&str]| {
        let args: Vec<&str> =
            ["verify", "my.jwt", "--no-status"].into_iter().chain(more.iter().copied()).collect();
        sandbox.beltic(&args)
    };
    let anchor = certificate("anchor.pem");
    let run = verify(&["--trust-anchor", &anchor]).expect(0);
    assert_eq!(verdicts(&run)[0]["valid"], true, "{}", run.stdout);
    assert!(verdicts(&run)[0]["unchecked"].is_null(), "the issuer is known: {}", run.stdout);
    for engine in ["batch", "aws-lc"] {
        verify(&["--trust-anchor", &anchor, "--issuer", ISSUER, "--engine", engine]).expect(0);
    }
    let run = verify(&["--trust-anchor", &anchor, "--at", "2121-01-01T00:00:00Z"]).expect(3);
    assert_eq!(verdicts(&run)[0]["reason"], "certificate_invalid", "{}", run.stdout);
    // Several files, and a byte order mark.
    sandbox.write("bom.pem", "\u{feff}".to_owned() + &std::fs::read_to_string(&anchor).unwrap());
    verify(&["--trust-anchor", "bom.pem", "--trust-anchor", &anchor]).expect(0);
    for (file, words) in [
        (certificate("chain.pem"), "certificate 1 is not that of a certificate authority"),
        (certificate("README.md"), "something other than X.509 certificates"),
        ("my.jwt".to_owned(), "something other than X.509 certificates"),
        (".beltic/issuer.pem".to_owned(), "something other than X.509 certificates"),
    ] {
        let run = verify(&["--trust-anchor", &file]).expect(5);
        assert!(run.stderr.contains(words), "{file}: {}", run.stderr);
    }
    verify(&["--trust-anchor", "nowhere.pem"]).expect(6);
}

/// A wallet refuses a credential whose issuer is not in its certificate. Whoever issues one hears of it.
#[test]
fn a_certificate_that_does_not_name_the_issuer_is_warned_of() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let issue = |issuer: &str| {
        let chain = certificate("chain.pem");
        let args =
            format!("items.ndjson --proof-format sd_jwt_vc --ledger none --x5c {chain} --issuer {issuer}");
        sandbox.issue(&args).expect(0).stderr
    };
    let publish = |issuer: &str| {
        let chain = certificate("chain.pem");
        let args =
            ["publish", "--out", "site", "--ledger", "none", "--x5c", &chain, "--issuer", issuer, "--check"];
        sandbox.beltic(&args).expect(3).stderr
    };
    for named in [ISSUER, "https://issuer.example/a", "did:web:issuer.example", DID_KEY] {
        assert!(!issue(named).contains("does not name the issuer"), "{named}");
    }
    for other in ["https://other.example", "did:web:www.issuer.example"] {
        let said = issue(other);
        for said in [said, publish(other)] {
            assert!(
                said.contains(&format!("does not name the issuer {other}: it is for \"did:key:")),
                "{said}"
            );
        }
    }
    assert!(!publish(ISSUER).contains("does not name the issuer"));
}

#[test]
fn certificates_are_laid_out_for_reading() {
    let sandbox = certified();
    let inspect = |args: &[&str]| sandbox.beltic(&[&["inspect"], args].concat()).expect(0).stdout;
    let text = inspect(&["my.jwt", "--output-format", "text"]);
    for words in [
        "certificate 1",
        "certificate 2",
        "CN=Example Intermediate",
        "issuer.example",
        THUMBPRINT,
        "digitalSignature",
        "keyCertSign",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let read: Value = serde_json::from_str(&inspect(&["my.jwt"])).unwrap();
    let own = &read["certificates"][0];
    assert_eq!(own["thumbprint"], THUMBPRINT);
    assert_eq!((&own["dns_names"], &own["ca"]), (&json!(["issuer.example"]), &json!(false)));
    assert_eq!(read["certificates"][1]["key_usage"], json!(["keyCertSign"]));

    let chain = inspect(&[&certificate("chain.pem")]);
    assert_eq!(chain.lines().count(), 3, "{chain}");
    let root: Value = serde_json::from_str(chain.lines().last().unwrap()).unwrap();
    assert_eq!((&root["subject"], &root["ca"]), (&json!("CN=Example Root"), &json!(true)));
    assert!(inspect(&[&certificate("chain.pem"), "--output-format", "text"]).contains("certificate 3"));

    let token = Hand::of_number(3).jws(r#"{"alg":"ES256","x5c":["MIIB",5,"\u001b"]}"#, "{}");
    let broken: Value = serde_json::from_str(&inspect(&[&token])).unwrap();
    assert_eq!(broken["certificates"], json!(vec![json!({"problem": "it is not an X.509 certificate"}); 3]));
}

/// Without keys, nothing is verified, and it is said what that takes.
#[test]
fn without_keys_verify_explains_what_it_needs() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a"), item("b")]);
    sandbox
        .issue("items.ndjson --issuer did:web:issuer.example:a --output-format jwt --out my.jwt")
        .expect(0);
    let run = sandbox.beltic(&["verify", "my.jwt"]).expect(2);
    assert_eq!(run.stdout, "");
    for words in [
        "Not verified. A token says (the first of 2):\n  issuer   did:web:issuer.example:a\n",
        "  type     BusinessCredential\n",
        "  keys     https://issuer.example/a/did.json\n",
        "  curl -fsS -o did.json https://issuer.example/a/did.json\n",
        "  status   https://issuer.example/a/status/token/",
        "  beltic verify my.jwt --did did.json --status-list list.jwt --status-list list-2.jwt",
        "nothing was verified: no key was given",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    let token = sandbox.read("my.jwt").lines().next().unwrap().to_owned();
    let run = sandbox.beltic(&["verify", &token]).expect(2);
    assert!(run.stderr.contains("  beltic verify TOKEN --did did.json"), "{}", run.stderr);
    assert!(!run.stderr.contains(&token), "the token is not repeated");
    let run = sandbox.beltic_fed(&["verify"], token.as_bytes()).expect(2);
    assert!(run.stderr.contains("  beltic verify - --did did.json"), "{}", run.stderr);
    sandbox.beltic(&["verify", "nowhere.jwt"]).expect(6);
}

/// What the commands do works: the published files, under the names that the explanation gives them.
#[test]
fn what_the_explanation_says_works() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    for (issuer, folder) in
        [("did:web:issuer.example", ".well-known/did.json"), (ISSUER, ".well-known/jwt-vc-issuer")]
    {
        sandbox
            .issue(&format!("items.ndjson --issuer {issuer} --output-format jwt --out my.jwt --force"))
            .expect(0);
        let _ = std::fs::remove_dir_all(sandbox.path("site"));
        sandbox.beltic(&["publish", "--issuer", issuer, "--out", "site"]).expect(0);
        let said = sandbox.beltic(&["verify", "my.jwt"]).expect(2).stderr;
        assert!(said.contains(folder), "{said}");
        let mut command = None;
        for line in said.lines() {
            if let Some(rest) = line.strip_prefix("  curl -fsS -o ") {
                let (file, url) = rest.split_once(" https://issuer.example/").unwrap();
                std::fs::copy(sandbox.path("site").join(url), sandbox.path(file)).unwrap();
            }
            command = line.strip_prefix("  beltic ").or(command);
        }
        let args: Vec<&str> = command.unwrap().split(' ').collect();
        let run = sandbox.beltic(&args).expect(0);
        assert_eq!(verdicts(&run)[0]["valid"], true, "{}", run.stdout);
    }
}

/// Each issuer says in another way where its keys are, or not at all.
#[test]
fn keys_are_explained_for_every_kind_of_issuer() {
    let explain = |header: Value, payload: Value| {
        let token = Hand::of_number(3).token(&header, &payload);
        Sandbox::new().beltic(&["verify", &token]).expect(2).stderr
    };
    let header = json!({"alg": "ES256", "typ": "vc+jwt", "kid": "k"});
    for (issuer, words) in [
        (DID_KEY, "beltic verify TOKEN --issuer did:key:"),
        ("https://issuer.example:8443/a", "--jwks issuer.json"),
        ("https://issuer.example:8443/a", "https://issuer.example:8443/.well-known/jwt-vc-issuer/a"),
        ("did:web:issuer.example%3A8443", "https://issuer.example:8443/.well-known/did.json"),
        ("did:example:x", "ask the issuer for the public key"),
        ("did:web:a.example$(touch x)", "ask the issuer for the public key"),
        ("https://a.example/'; touch x; '", "ask the issuer for the public key"),
    ] {
        let said = explain(header.clone(), json!({"iss": issuer}));
        assert!(said.contains(words), "{issuer}: {said}");
    }
    for list in [
        "urn:uuid:1",
        "http://issuer.example/1.jwt",
        "https://issuer.example/'$(x)'.jwt",
        "file:///etc/passwd",
    ] {
        let payload = json!({"iss": DID_KEY, "status": {"status_list": {"idx": 1, "uri": list}}});
        let said = explain(header.clone(), payload);
        assert!(
            said.contains("cannot be fetched; ask the issuer") && !said.contains("curl"),
            "{list}: {said}"
        );
    }
    let said = explain(json!({"alg": "ES256", "x5c": []}), json!({}));
    assert!(said.contains("issuer   it does not say") && said.contains("--key KEY.jwk"), "{said}");
    let unreadable = Sandbox::new().beltic(&["verify", "eyJ.eyJ.x"]).expect(2).stderr;
    assert!(unreadable.contains("1 more token of other issuers, or unreadable"), "{unreadable}");
}

/// `--explain` is about what is missing, and nothing else.
#[test]
fn explain_says_what_is_missing() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), item("b")]);
    sandbox.issue("items.ndjson --issuer did:web:issuer.example --out results.ndjson").expect(0);
    sandbox.beltic(&["publish", "--issuer", "did:web:issuer.example", "--out", "site"]).expect(0);
    let verify = |more: &str| {
        let args: Vec<&str> = "verify results.ndjson --explain".split(' ').chain(more.split(' ')).collect();
        sandbox.beltic(&args)
    };
    let whole = verify("--site site").expect(0);
    assert!(!whole.stderr.contains("A token says"), "{}", whole.stderr);
    let run = verify("--did site/.well-known/did.json").expect(3);
    assert!(
        run.stderr.contains("Verified except for its status. A token says (the first of 2):"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("--status-list list.jwt") && !run.stderr.contains("-o did.json"),
        "{}",
        run.stderr
    );
    sandbox.write("other.json", json!({"keys": [Hand::of_number(3).jwk("k")]}).to_string());
    let run = verify("--jwks other.json --no-status").expect(3);
    assert!(run.stderr.contains("Not verified.") && run.stderr.contains("-o did.json"), "{}", run.stderr);
}

/// Lines for people say who issued a credential and about whom, where that is known to be true.
#[test]
fn lines_for_people_say_who_and_about_whom() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), item("b")]);
    sandbox.issue("items.ndjson --issuer did:web:issuer.example --out results.ndjson").expect(0);
    sandbox.beltic(&["revoke", "--correlation-id", "b", "--reason", "gone"]).expect(0);
    sandbox.beltic(&["publish", "--issuer", "did:web:issuer.example", "--out", "site"]).expect(0);
    let verify = |more: &str| {
        let args: Vec<&str> =
            "verify results.ndjson --output-format text".split(' ').chain(more.split(' ')).collect();
        sandbox.beltic(&args).stdout
    };
    let said = verify("--site site");
    let [valid, revoked] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    let about = |id: &str| format!("BusinessCredential about {id} by did:web:issuer.example until ");
    let (a, b) = (&item("a")["request"]["subject"]["id"], &item("b")["request"]["subject"]["id"]);
    assert!(valid.contains(&about(a.as_str().unwrap())), "{valid}");
    assert!(revoked.contains("revoked: the issuer revoked this credential, on 20"), "{revoked}");
    assert!(
        revoked.contains(" at the latest (") && revoked.contains(&about(b.as_str().unwrap())),
        "{revoked}"
    );
    // Whoever forged it may have written anything.
    sandbox.write("other.json", json!({"keys": [Hand::of_number(3).jwk("k")]}).to_string());
    let said = verify("--jwks other.json --no-status");
    assert!(said.contains("unknown_kid") && !said.contains("BusinessCredential"), "{said}");
}

#[test]
fn older_sd_jwt_vcs_are_accepted_where_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let hand = Hand::of_number(3);
    let payload = json!({"iss": "https://issuer.example", "vct": "urn:x", "exp": 4_000_000_000u32});
    sandbox.write("jwks.json", json!({"keys": [hand.jwk("k")]}).to_string());
    sandbox.write(
        "old.txt",
        hand.sd_jwt(&json!({"alg": "ES256", "typ": "vc+sd-jwt", "kid": "k"}), &payload, &[]),
    );
    let args = ["verify", "old.txt", "--jwks", "jwks.json", "--no-status"];
    let run = sandbox.beltic(&args).expect(3);
    assert!(run.stdout.contains("as in older drafts of SD-JWT VC"), "{}", run.stdout);
    sandbox.beltic(&[&args[..], &["--legacy-typ"]].concat()).expect(0);
    // The name belongs to another kind of credential by now, which has no `vct`.
    let of_w3c = json!({"issuer": "https://issuer.example", "type": ["VerifiableCredential"]});
    sandbox.write(
        "old.txt",
        hand.sd_jwt(&json!({"alg": "ES256", "typ": "vc+sd-jwt", "kid": "k"}), &of_w3c, &[]),
    );
    let run = sandbox.beltic(&[&args[..], &["--legacy-typ"]].concat()).expect(3);
    assert!(run.stdout.contains("`vct` is missing"), "{}", run.stdout);
}

#[test]
fn did_documents_have_older_names_where_that_is_set() {
    let sandbox = Sandbox::with_issuer_key();
    let publish = |folder: &str| {
        sandbox.beltic(&["publish", "--issuer", "did:web:issuer.example", "--out", folder]).expect(0);
        let text = sandbox.read(&format!("{folder}/.well-known/did.json"));
        serde_json::from_str::<Value>(&text).unwrap()["verificationMethod"][0]["type"].clone()
    };
    assert_eq!(publish("new"), "JsonWebKey");
    sandbox.write(".beltic.yaml", "publish: {legacy_did_methods: true}\n");
    assert_eq!(publish("old"), "JsonWebKey2020");
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson --issuer did:web:issuer.example --out results.ndjson").expect(0);
    sandbox
        .beltic(&["verify", "results.ndjson", "--did", "old/.well-known/did.json", "--no-status"])
        .expect(0);
    sandbox.write(".beltic.yaml", "publish: {legacy_did_methods: perhaps}\n");
    sandbox.beltic(&["publish", "--out", "third"]).expect(2);
}

/// Editors put a byte order mark in front of every kind of file.
#[test]
fn a_byte_order_mark_is_skipped_everywhere() {
    let sandbox = certified();
    let marked = |name: &str, text: String| {
        sandbox.write(name, format!("\u{feff}{text}"));
        name.to_owned()
    };
    let fixture = |name: &str| std::fs::read_to_string(certificate(name)).unwrap();
    let token = marked("token.txt", sandbox.read("my.jwt"));
    let anchor = marked("anchor.pem", fixture("anchor.pem"));
    let disclosure = marked("disclosure.txt", "WyJzYWx0IiwibmFtZSIsInZhbHVlIl0".to_owned());
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let key = marked("key.jwk", sandbox.read(".beltic/issuer.pub.jwk"));
    sandbox.beltic(&["verify", &token, "--no-status", "--trust-anchor", &anchor]).expect(0);
    sandbox.beltic(&["verify", &token, "--no-status", "--key", &key, "--issuer", ISSUER]).expect(0);
    sandbox.beltic(&["present", &token]).expect(0);
    for (file, kind) in
        [(token, "SD-JWT VC"), (anchor, "X.509"), (disclosure, "disclosure of a claim"), (key, "JWK")]
    {
        let shown = sandbox.beltic(&["inspect", &file]).expect(0).stdout;
        assert!(shown.contains(kind), "{file}: {shown}");
    }
    let chain = marked("chain.pem", fixture("chain.pem"));
    let items = marked("items.json", sandbox.read("items.ndjson"));
    let args = format!("{items} --issuer {ISSUER} --proof-format sd_jwt_vc --ledger none --x5c {chain}");
    sandbox.issue(&args).expect(0);
}
