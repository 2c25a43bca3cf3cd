//! Several issuers in one configuration: each has its own id, key and lists, and a command takes one.

use serde_json::Value;

use crate::support::*;

const SETTINGS: &str = "\
key: common.pem
status: {base_url: 'https://common.example'}
issuers:
  north:
    did: did:web:north.example
    key: keys/north.pem
    keys: {next: [keys/next.pub.jwk]}
  south:
    did: https://south.example/issuers/1
    base_url: https://lists.south.example
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["common", "keys/north", "keys/next"] {
        sandbox.beltic(&["keygen", "--out", &format!("{name}.pem")]).expect(0);
    }
    sandbox.write(".beltic.yaml", SETTINGS);
    sandbox.write_items("items.ndjson", &items(2));
    sandbox
}

/// The issuer, kid and list of what is issued with these arguments.
fn issued(sandbox: &Sandbox, args: &str) -> [String; 3] {
    let row =
        sandbox.issue(&format!("items.ndjson --output-format ndjson {args}")).expect(0).rows().remove(0);
    let credential = row.into_credential();
    let list = credential.status_list_uri.unwrap();
    [credential.issuer_did, credential.kid, list.split("/status/").next().unwrap().to_owned()]
}

fn thumbprint(sandbox: &Sandbox, key: &str) -> String {
    let jwk: Value = serde_json::from_str(&sandbox.read(&format!("{key}.pub.jwk"))).unwrap();
    let key = beltic::PublicKey::from_jwk_json(&jwk.to_string()).unwrap();
    key.thumbprint().to_owned()
}

#[test]
fn a_command_takes_the_issuer_that_is_named() {
    let sandbox = sandbox();
    let north = thumbprint(&sandbox, "keys/north");
    let north = [
        "did:web:north.example".into(),
        format!("did:web:north.example#{north}"),
        "https://north.example".into(),
    ];
    assert_eq!(issued(&sandbox, "--issuer north"), north);
    assert_eq!(issued(&sandbox, "--issuer did:web:north.example"), north);
    // Without a key of its own, an issuer signs with the common one; its lists are its own all the same.
    let common = thumbprint(&sandbox, "common");
    let south =
        ["https://south.example/issuers/1".into(), common.clone(), "https://lists.south.example".into()];
    assert_eq!(issued(&sandbox, "--issuer south"), south);
    let run =
        sandbox.issue_with("items.ndjson --output-format ndjson", &[("BELTIC_ISSUER", "south")]).expect(0);
    assert_eq!(run.rows().remove(0).into_credential().issuer_did, south[0]);
    // One that is not in the list is what it was without the list.
    let other = issued(&sandbox, "--issuer did:web:other.example");
    assert_eq!(
        other,
        [
            "did:web:other.example".into(),
            format!("did:web:other.example#{common}"),
            "https://common.example".into()
        ]
    );
    // A flag has more weight than what the issuer's entry says.
    let own = issued(&sandbox, "--issuer north --key keys/next.pem");
    assert!(own[1].ends_with(&thumbprint(&sandbox, "keys/next")), "{own:?}");
    // The settings can name one.
    sandbox.write(".beltic.yaml", format!("{SETTINGS}issuer: {{did: north}}\n"));
    assert_eq!(issued(&sandbox, ""), north);
    assert_eq!(issued(&sandbox, "--issuer south"), south);
    let doctor = sandbox.beltic(&["doctor", "--output-format", "text"]);
    for expected in
        ["issuer.did               did:web:north.example", "key                      keys/north.pem"]
    {
        assert!(doctor.stdout.contains(expected), "{}", doctor.stdout);
    }
}

#[test]
fn nobody_is_taken_for_somebody_else() {
    let sandbox = sandbox();
    let run = sandbox.issue("items.ndjson").expect(2);
    assert!(
        run.stderr.contains("has several issuers") && run.stderr.contains("north, south"),
        "{}",
        run.stderr
    );
    let run = sandbox.issue("items.ndjson --issuer nort").expect(2);
    assert!(
        run.stderr.contains("--issuer is \"nort\", which is not the name of an issuer"),
        "{}",
        run.stderr
    );
    let doctor = sandbox.beltic(&["doctor", "--output-format", "ndjson"]).expect(3);
    assert!(doctor.stdout.contains("issuer_unnamed"), "{}", doctor.stdout);
    sandbox.beltic(&["schema"]).expect(0);
    sandbox.write(".beltic.yaml", "issuers: {'../up': {did: 'did:web:up.example'}}\n");
    let run = sandbox.issue("items.ndjson --issuer north").expect(2);
    assert!(run.stderr.contains("expected letters, digits"), "{}", run.stderr);
    sandbox.write(".beltic.yaml", "issuers: {north: {dod: 'did:web:up.example'}}\n");
    let run = sandbox.issue("items.ndjson --issuer north").expect(2);
    assert!(run.stderr.contains("unknown key `dod`") && run.stderr.contains("line 1"), "{}", run.stderr);
    assert_eq!(sandbox.recorded(), 0);
}

#[test]
fn every_issuer_is_published_to_a_folder_of_its_name() {
    let sandbox = sandbox();
    for name in ["north", "south"] {
        sandbox.issue(&format!("items.ndjson --issuer {name} --out {name}.ndjson")).expect(0);
    }
    let due = sandbox.beltic(&["publish", "--all", "--out", "sites", "--check"]).expect(3);
    assert!(due.stderr.contains("beltic publish --all --out sites"), "{}", due.stderr);
    let run = sandbox.beltic(&["publish", "--all", "--out", "sites"]).expect(0);
    assert!(run.stdout.contains(" north/.well-known/did.json\n"), "{}", run.stdout);
    assert!(run.stdout.contains(" south/.well-known/jwt-vc-issuer/issuers/1\n"), "{}", run.stdout);
    sandbox.beltic(&["publish", "--all", "--out", "sites", "--check"]).expect(0);
    for (name, keys) in [("north", 2), ("south", 1)] {
        let (site, results) = (format!("sites/{name}"), format!("{name}.ndjson"));
        let jwks: Value =
            serde_json::from_str(&sandbox.read(&format!("{site}/.well-known/jwks.json"))).unwrap();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), keys, "{name}");
        sandbox.beltic(&["verify", &results, "--site", &site]).expect(0);
    }
    sandbox.beltic(&["verify", "north.ndjson", "--site", "sites/south"]).expect(3);
    // One that cannot be published does not keep the others from it.
    std::fs::remove_file(sandbox.path("keys/north.pem")).unwrap();
    std::fs::remove_dir_all(sandbox.path("sites")).unwrap();
    let run = sandbox.beltic(&["publish", "--all", "--out", "sites"]).expect(5);
    assert!(run.stderr.contains("the issuer north"), "{}", run.stderr);
    assert!(sandbox.has("sites/south/.well-known/jwks.json"));
    sandbox.beltic(&["publish", "--all", "--out", "sites", "--issuer", "north"]).expect(2);
    sandbox.write(".beltic.yaml", "key: common.pem\n");
    let run = sandbox.beltic(&["publish", "--all", "--out", "sites"]).expect(2);
    assert!(run.stderr.contains("have no `issuers`"), "{}", run.stderr);
}
