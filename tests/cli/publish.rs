//! `publish`: what verifiers fetch, read by other crates than those that wrote it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use zune_inflate::DeflateDecoder;

use crate::readers::exact::Exact;
use crate::readers::machine;
use crate::readers::token::TokenKey;
use crate::support::*;

const WEB: &str = "issuer:\n  did: did:web:issuer.example\nstatus:\n  base_url: https://issuer.example\n";

/// A sandbox of did:web:issuer.example with so many credentials, and their results.
fn issued(count: usize) -> (Sandbox, Vec<Credential>) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.write_items("items.ndjson", &items(count));
    let run = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    sandbox.write("results.ndjson", &run.stdout);
    (sandbox, run.rows().into_iter().map(Row::into_credential).collect())
}

/// Every file of a site, by its path.
fn site(sandbox: &Sandbox, folder: &str) -> BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            match path.is_dir() {
                true => collect(&path, &format!("{name}/"), files),
                false => assert!(files.insert(name, std::fs::read(&path).unwrap()).is_none()),
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&sandbox.path(folder), "", &mut files);
    files
}

/// The lists of a site, by what credentials call them: the indices with each value that is not 0.
fn lists(site: &BTreeMap<String, Vec<u8>>, key: &TokenKey) -> HashMap<String, Vec<(u32, u8)>> {
    let mut lists = HashMap::new();
    for (path, bytes) in site.iter().filter(|(path, _)| path.ends_with(".jwt")) {
        let token = key.open(std::str::from_utf8(bytes).unwrap());
        let (uri, entries) = match token.header.text_of("typ") {
            "statuslist+jwt" => token_list(&token.payload),
            "vc+jwt" => bitstring(&token.payload),
            other => panic!("{path} is of type {other}"),
        };
        let life = token.payload.member("exp").integer() - token.payload.member("iat").integer();
        assert_eq!(life, 7 * 86_400, "{path}");
        lists.insert(uri, entries);
    }
    lists
}

/// Token Status List section 4: zlib, the first entry in the lowest bits.
fn token_list(payload: &Exact) -> (String, Vec<(u32, u8)>) {
    let list = payload.member("status_list");
    let bits = list.member("bits").integer() as u32;
    let packed = BASE64URL_NOPAD.decode(list.text_of("lst").as_bytes()).unwrap();
    let bytes = DeflateDecoder::new(&packed).decode_zlib().unwrap();
    assert_eq!(bytes.len() as u32 * 8 / bits, 131_072);
    assert_eq!(payload.member("ttl").integer(), 43_200, "seconds");
    let value =
        |index: u32| bytes[(index * bits / 8) as usize] >> (index * bits % 8) & ((1u16 << bits) - 1) as u8;
    (
        payload.text_of("sub").to_owned(),
        (0..131_072).map(|index| (index, value(index))).filter(|(_, value)| *value != 0).collect(),
    )
}

/// Bitstring Status List section 3: multibase, gzip, the first entry in the highest bit. Entries
/// for revocation are told as 1, for suspension as 2, as in the token list.
fn bitstring(payload: &Exact) -> (String, Vec<(u32, u8)>) {
    let subject = payload.member("credentialSubject");
    let encoded = subject.text_of("encodedList").strip_prefix('u').expect("multibase base64url");
    let packed = BASE64URL_NOPAD.decode(encoded.as_bytes()).unwrap();
    let bytes = DeflateDecoder::new(&packed).decode_gzip().unwrap();
    assert_eq!(bytes.len(), 131_072 / 8);
    assert_eq!(subject.member("ttl").integer(), 43_200_000, "milliseconds");
    let url = payload.text_of("id");
    assert_eq!(subject.text_of("id"), format!("{url}#list"));
    let mark = match subject.text_of("statusPurpose") {
        "revocation" => 1,
        "suspension" => 2,
        other => panic!("{other}"),
    };
    let is_set = |index: u32| bytes[(index / 8) as usize] >> (7 - index % 8) & 1 == 1;
    (url.to_owned(), (0..131_072).filter(|index| is_set(*index)).map(|index| (index, mark)).collect())
}

/// The places of a credential: its token list and its bitstring lists, by their purposes.
struct Places {
    index: u32,
    token: String,
    bitstrings: HashMap<String, String>,
}

fn places(credential: &Credential, key: &TokenKey) -> Places {
    let payload = key.open(&credential.signed_payload).payload;
    let entry = payload.member("status").member("status_list");
    let index = entry.member("idx").integer() as u32;
    assert_eq!(Some(index), credential.status_list_index);
    let status = payload.member("credentialStatus");
    let entries =
        if let Exact::Array(entries) = status { entries.as_slice() } else { std::slice::from_ref(status) };
    let bitstrings = entries.iter().map(|entry| {
        assert_eq!(entry.text_of("statusListIndex"), index.to_string());
        (entry.text_of("statusPurpose").to_owned(), entry.text_of("statusListCredential").to_owned())
    });
    Places { index, token: entry.text_of("uri").to_owned(), bitstrings: bitstrings.collect() }
}

/// 300,000 credentials, of which 10,000 are revoked from a results file: exactly their bits are
/// set, in both forms of every list.
#[test]
fn exactly_the_revoked_bits_are_set_among_three_hundred_thousand() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.write("items.ndjson", ndjson(&[item("a")]).repeat(300_000));
    sandbox.issue("items.ndjson --quiet --out results.ndjson").expect(0);
    let key = issuer_token_key();
    let (mut chosen, mut expected, mut all_lists) = (String::new(), HashMap::new(), HashSet::new());
    for (at, line) in
        BufReader::new(std::fs::File::open(sandbox.path("results.ndjson")).unwrap()).lines().enumerate()
    {
        let line = line.unwrap();
        let row: Value = serde_json::from_str(&line).unwrap();
        let list = row["credential"]["status_list_uri"].as_str().unwrap().to_owned();
        all_lists.insert(list.clone());
        if at % 30 != 7 {
            continue;
        }
        let credential = crate::support::Row::parse(&line).into_credential();
        let places = places(&credential, &key);
        for list in [&places.token, &places.bitstrings["revocation"]] {
            expected.entry(list.clone()).or_insert_with(Vec::new).push((places.index, 1));
        }
        chosen += &format!("{line}\n");
    }
    // A list takes 98,304 and what is left of the batch, so three are full.
    assert_eq!(all_lists.len(), 4);
    sandbox.write("chosen.ndjson", chosen);
    let run = sandbox.beltic(&["revoke", "--from", "chosen.ndjson", "--reason", "policy_change"]).expect(0);
    assert!(run.stderr.starts_with("revoked 10,000, failed 0"), "{}", run.stderr);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let found = lists(&site(&sandbox, "site"), &key);
    assert_eq!(found.len(), 8, "four lists in two forms");
    for entries in expected.values_mut() {
        entries.sort_unstable();
    }
    let found: HashMap<_, _> = found.into_iter().filter(|(_, entries)| !entries.is_empty()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_site_has_every_document_and_each_once() {
    let (sandbox, credentials) = issued(2);
    sandbox.write(
        ".beltic.yaml",
        format!("{WEB}credential:\n  context: https://issuer.example/contexts/business/v1\n"),
    );
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let site_files = site(&sandbox, "site");
    let mut fixed: Vec<_> =
        site_files.keys().filter(|path| !path.ends_with(".jwt")).map(String::as_str).collect();
    fixed.sort_unstable();
    assert_eq!(
        fixed,
        [
            ".well-known/did.json",
            ".well-known/jwks.json",
            "_headers",
            "contexts/business/v1",
            "credentials/business/v1",
            "schemas/business/v1",
            "server/Caddyfile",
            "server/nginx.conf",
            "status/aggregation.json",
            "verify/index.html"
        ]
    );
    assert_eq!(site_files.len(), fixed.len() + 2);
    assert_eq!(run.stdout.lines().count(), site_files.len(), "{}", run.stdout);
    let json = |path: &str| serde_json::from_slice::<Value>(&site_files[path]).unwrap();
    let jwk = &json(".well-known/jwks.json")["keys"][0];
    assert_eq!(jwk["kid"], credentials[0].kid);
    assert_eq!(json(".well-known/did.json")["verificationMethod"][0]["publicKeyJwk"], *jwk);
    assert_eq!(
        json("status/aggregation.json")["status_lists"][0],
        credentials[0].status_list_uri.clone().unwrap()
    );
    assert_eq!(json("credentials/business/v1")["vct"], "https://issuer.example/credentials/business/v1");
}

/// Every file that is served has its media type in the settings of every server: lists by their folder, others by name.
#[test]
fn servers_are_told_the_media_type_of_every_file() {
    let (sandbox, _) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let read = |path: &str| sandbox.read(&format!("site/{path}"));
    let (headers, nginx, caddy) = (read("_headers"), read("server/nginx.conf"), read("server/Caddyfile"));
    let files = site(&sandbox, "site");
    let served = files.keys().filter(|path| *path != "_headers" && !path.starts_with("server/"));
    for path in served {
        let (place, exact) = match path.rsplit_once('/') {
            Some((folder, name)) if name.ends_with(".jwt") || folder == "verify" => {
                (format!("/{folder}/"), false)
            }
            _ => (format!("/{path}"), true),
        };
        let pattern = if exact { place.clone() } else { format!("{place}*") };
        let media_type = match place.as_str() {
            "/status/token/" => "application/statuslist+jwt",
            "/status/bitstring/" => "application/vc+jwt",
            "/.well-known/jwks.json" => "application/jwk-set+json",
            "/.well-known/did.json" => "application/did+json",
            "/verify/" => "text/html",
            path if path.starts_with("/schemas/") => "application/schema+json",
            _ => "application/json",
        };
        assert!(headers.contains(&format!("\n{pattern}\n  Content-Type: {media_type}\n")), "{headers}");
        let operator = if exact { "=" } else { "^~" };
        let location = format!(
            "\nlocation {operator} \"{place}\" {{\n    types {{ }}\n    default_type {media_type};\n"
        );
        assert!(nginx.contains(&location), "{location} in {nginx}");
        let rule = format!("\theader {pattern} {{\n\t\tContent-Type \"{media_type}\"\n");
        assert!(caddy.contains(&rule), "{rule} in {caddy}");
    }
    assert!(headers.starts_with("/*\n  Access-Control-Allow-Origin: *\n"));
    assert_eq!(nginx.matches("Access-Control-Allow-Origin").count(), nginx.matches("default_type").count());
    assert!(caddy.contains("\nissuer.example {\n"), "{caddy}");
}

/// Somebody may have a page of their own at the same place.
#[test]
fn a_page_that_is_not_ours_is_kept() {
    let (sandbox, _) = issued(1);
    std::fs::create_dir_all(sandbox.path("site/verify")).unwrap();
    sandbox.write("site/verify/index.html", "<!doctype html><title>Our own</title>");
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(run.stderr.contains("was not written by beltic and is kept"), "{}", run.stderr);
    assert_eq!(sandbox.read("site/verify/index.html"), "<!doctype html><title>Our own</title>");
    std::fs::remove_file(sandbox.path("site/verify/index.html")).unwrap();
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let page = sandbox.read("site/verify/index.html");
    // A page of another version is replaced.
    sandbox.write("site/verify/index.html", page.replace("Verify a credential", "Verify"));
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(run.stdout.contains("changed   verify/index.html"), "{}", run.stdout);
    assert_eq!(sandbox.read("site/verify/index.html"), page);
}

/// Settings of a server that were loaded before there was a list stay right.
#[test]
fn settings_of_servers_do_not_change_with_the_lists() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.beltic(&["publish", "--out", "before"]).expect(0);
    sandbox.write_items("items.ndjson", &items(2));
    let credential = sandbox.issue("items.ndjson").expect(0).rows().remove(0).into_credential();
    sandbox.beltic(&["suspend", &credential.id]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let folders = |path: &str| -> Vec<String> {
        sandbox
            .read(path)
            .lines()
            .filter(|line| line.contains("/status/token/") || line.contains("/status/bitstring/"))
            .map(str::to_owned)
            .collect()
    };
    for name in ["_headers", "server/nginx.conf", "server/Caddyfile"] {
        let (before, after) = (folders(&format!("before/{name}")), folders(&format!("site/{name}")));
        assert_eq!(before.len(), 2, "{name}: {before:?}");
        assert_eq!(before, after, "{name}");
    }
}

/// List tokens say who issued them, in both forms.
#[test]
fn lists_name_their_issuer() {
    let (sandbox, _) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let key = issuer_token_key();
    let mut forms = HashSet::new();
    for (path, bytes) in site(&sandbox, "site").iter().filter(|(path, _)| path.ends_with(".jwt")) {
        let token = key.open(std::str::from_utf8(bytes).unwrap());
        assert_eq!(token.payload.text_of("iss"), "did:web:issuer.example", "{path}");
        let folder = if token.header.text_of("typ") == "statuslist+jwt" { "token" } else { "bitstring" };
        assert!(path.starts_with(&format!("status/{folder}/")), "{path}");
        forms.insert(folder);
    }
    assert_eq!(forms.len(), 2);
}

/// Two issuers of one host have lists of their own, each at its own place.
#[test]
fn issuers_of_one_host_do_not_share_lists() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let mut results = String::new();
    for unit in ["a", "b"] {
        let issuer = format!("did:web:issuer.example:{unit}");
        results += &sandbox
            .issue(&format!("items.ndjson --issuer {issuer} --output-format ndjson"))
            .expect(0)
            .stdout;
    }
    sandbox.write("results", results);
    for unit in ["a", "b"] {
        let issuer = format!("did:web:issuer.example:{unit}");
        sandbox.beltic(&["publish", "--out", "site", "--issuer", &issuer]).expect(0);
    }
    let paths: Vec<String> =
        site(&sandbox, "site").into_keys().filter(|path| path.ends_with(".jwt")).collect();
    for unit in ["a", "b"] {
        for form in ["token", "bitstring"] {
            let prefix = format!("{unit}/status/{form}/");
            assert_eq!(
                paths.iter().filter(|path| path.starts_with(&prefix)).count(),
                1,
                "{prefix}: {paths:?}"
            );
        }
    }
    sandbox.beltic(&["verify", "results", "--site", "site"]).expect(0);
}

/// Whoever publishes into the wrong folder does not take another issuer's keys away.
#[test]
fn documents_of_another_issuer_are_not_overwritten() {
    let sandbox = Sandbox::with_issuer_key();
    for (first, second, document) in [
        ("did:web:issuer.example", "did:web:other.example", ".well-known/did.json"),
        ("https://issuer.example", "https://other.example", ".well-known/jwt-vc-issuer"),
    ] {
        let folder = document.replace('/', "-");
        let publish = |issuer: &str| sandbox.beltic(&["publish", "--out", &folder, "--issuer", issuer]);
        publish(first).expect(0);
        let before = site(&sandbox, &folder);
        let refused = publish(second).expect(6);
        assert!(
            refused.stderr.contains("another issuer") && refused.stderr.contains(first),
            "{}",
            refused.stderr
        );
        assert_eq!(site(&sandbox, &folder), before);
        publish(first).expect(0);
    }
}

#[test]
fn every_kind_of_issuer_has_a_site() {
    for (issuer, base, expected) in [
        (None, None, [".well-known/did.json", ".well-known/jwks.json"].as_slice()),
        (
            Some("did:web:issuer.example:units:a"),
            None,
            &["units/a/did.json", ".well-known/jwks.json", "units/a/status/aggregation.json"],
        ),
        (
            Some("https://issuer.example/units"),
            Some("https://issuer.example/units"),
            &[".well-known/jwt-vc-issuer/units", ".well-known/jwks.json", "units/status/aggregation.json"],
        ),
    ] {
        let sandbox = Sandbox::with_issuer_key();
        let did = issuer.map(|did| format!("issuer:\n  did: {did}\n")).unwrap_or_default();
        let base = base.map(|base| format!("status:\n  base_url: {base}\n")).unwrap_or_default();
        sandbox.write(".beltic.yaml", did + &base);
        sandbox.write_items("items.ndjson", &[item("a")]);
        let credential = sandbox.issue("items.ndjson").expect(0).credential();
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        let files = site(&sandbox, "site");
        for path in expected {
            assert!(files.contains_key(*path), "{issuer:?}: {path} of {:?}", files.keys());
        }
        assert_eq!(
            files.contains_key(".well-known/jwt-vc-issuer/units"),
            issuer.is_some_and(|id| id.starts_with("https"))
        );
        let found = lists(&files, &issuer_token_key());
        assert!(found.contains_key(&credential.status_list_uri.unwrap()), "{issuer:?}");
        assert!(files.keys().filter(|path| path.ends_with(".jwt")).all(|path| path.contains("status/")));
    }
}

#[test]
fn only_what_has_changed_is_written() {
    let (sandbox, credentials) = issued(3);
    let publish =
        |args: &[&str], code| sandbox.beltic(&[&["publish", "--out", "site"], args].concat()).expect(code);
    publish(&[], 0);
    let first = site(&sandbox, "site");
    let again = publish(&[], 0);
    assert_eq!((again.stdout.as_str(), &site(&sandbox, "site")), ("", &first));
    assert_eq!(publish(&["--check"], 0).stdout, "");

    sandbox.beltic(&["revoke", &credentials[1].id]).expect(0);
    let check = publish(&["--check"], 3);
    assert_eq!(site(&sandbox, "site"), first, "a check writes nothing");
    let published = publish(&[], 0);
    let changed: Vec<_> =
        published.stdout.lines().map(|line| line.split_once(' ').unwrap().1.trim()).collect();
    let expected: Vec<_> = check.stdout.lines().map(|line| line.split_once(' ').unwrap().1.trim()).collect();
    assert_eq!(changed, expected);
    let second = site(&sandbox, "site");
    let differing: Vec<_> = second.keys().filter(|path| second[*path] != first[*path]).collect();
    assert_eq!(differing, changed);
    assert!(
        differing.len() == 2 && differing.iter().all(|path| path.starts_with("status/")),
        "{differing:?}"
    );

    // A file that somebody changed or took away comes back.
    sandbox.write("site/.well-known/jwks.json", "{}");
    std::fs::remove_file(sandbox.path("site/_headers")).unwrap();
    let list = sandbox.path(&format!("site/{}", changed[0]));
    let mut forged = std::fs::read(&list).unwrap();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    std::fs::write(&list, &forged).unwrap();
    let mended = publish(&[], 0).stdout;
    assert_eq!(mended.lines().count(), 3, "{mended}");
    assert!(mended.contains("new       _headers\n") && mended.contains("changed   .well-known/jwks.json\n"));
    publish(&["--check"], 0);
}

#[test]
fn suspension_has_a_form_of_its_own_once_it_is_used() {
    let (sandbox, credentials) = issued(4);
    let key = issuer_token_key();
    let publish = || {
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        lists(&site(&sandbox, "site"), &key)
    };
    assert_eq!(publish().len(), 2);
    sandbox.beltic(&["revoke", &credentials[0].id]).expect(0);
    sandbox.beltic(&["suspend", &credentials[1].id, &credentials[2].id]).expect(0);
    sandbox.beltic(&["reinstate", &credentials[2].id]).expect(0);
    let found = publish();
    assert_eq!(found.len(), 3);
    let (revoked, suspended) = (places(&credentials[0], &key), places(&credentials[1], &key));
    let mut both = vec![(revoked.index, 1), (suspended.index, 2)];
    both.sort_unstable();
    assert_eq!(found[&revoked.token], both);
    assert_eq!(found[&revoked.bitstrings["revocation"]], [(revoked.index, 1)]);
    // What is issued from now on names the list for suspension too.
    sandbox.write_items("more.ndjson", &[item("later")]);
    let later = places(&sandbox.issue("more.ndjson").expect(0).credential(), &key);
    assert_eq!(found[&later.bitstrings["suspension"]], [(suspended.index, 2)]);
    // A revoked credential is no longer suspended.
    sandbox.beltic(&["revoke", &credentials[1].id]).expect(0);
    let found = publish();
    assert_eq!(found[&later.bitstrings["suspension"]], []);
    assert_eq!(found[&revoked.token].iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_new_key_signs_and_the_old_one_stays_published() {
    let (sandbox, credentials) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let public = |path: &str| {
        let made = sandbox.beltic(&["keygen", "--out", path, "--issuer", "did:web:issuer.example"]).expect(0);
        made.stdout.lines().find_map(|line| line.strip_prefix("kid     ")).unwrap().to_owned()
    };
    let (second, third) = (public("second.pem"), public("third.pem"));
    std::fs::copy(key_fixture("p256-public.jwk"), sandbox.path("first.pub.jwk")).unwrap();
    let keys = "key: second.pem\nkeys:\n  next: [third.pub.jwk]\n  retired: [first.pub.jwk]\n";
    sandbox.write(".beltic.yaml", format!("{WEB}{keys}"));
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    let files = site(&sandbox, "site");
    let jwks: Value = serde_json::from_slice(&files[".well-known/jwks.json"]).unwrap();
    let kids: Vec<_> =
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, [second.as_str(), &third, &credentials[0].kid]);
    let did: Value = serde_json::from_slice(&files[".well-known/did.json"]).unwrap();
    assert_eq!(did["assertionMethod"].as_array().unwrap().len(), 3);
    // The lists were signed anew, by the key that signs now.
    lists(&files, &TokenKey::from_jwk_file(&sandbox.path("second.pub.jwk")));
}

#[test]
fn a_retired_key_is_told_to_go_when_its_last_credential_has_expired() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson --issued-at 2020-01-01T00:00:00Z").expect(0);
    sandbox.beltic(&["keygen", "--out", "second.pem"]).expect(0);
    std::fs::copy(key_fixture("p256-public.pem"), sandbox.path("first.pem")).unwrap();
    sandbox.write(".beltic.yaml", format!("{WEB}key: second.pem\nkeys:\n  retired: [first.pem]\n"));
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(run.stderr.contains("can go: the last credential that it signed has expired"), "{}", run.stderr);
    // Another ledger may know of one that lives.
    let jwks: Value = serde_json::from_slice(&site(&sandbox, "site")[".well-known/jwks.json"]).unwrap();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn a_restored_ledger_takes_no_revocation_back() {
    let (sandbox, credentials) = issued(2);
    let ledger = sandbox.path(".beltic/ledger.db");
    std::fs::copy(&ledger, sandbox.path("backup.db")).unwrap();
    sandbox.beltic(&["revoke", &credentials[0].id]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let before = site(&sandbox, "site");
    std::fs::copy(sandbox.path("backup.db"), &ledger).unwrap();
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(6);
    assert!(run.stderr.contains("1 published revocation is not in the ledger"), "{}", run.stderr);
    assert!(run.stderr.contains("it is older than it was"), "{}", run.stderr);
    assert_eq!(site(&sandbox, "site"), before);
    // Either form of the list is enough to know.
    for path in before.keys().filter(|path| path.ends_with(".jwt")) {
        std::fs::remove_file(sandbox.path(&format!("site/{path}"))).unwrap();
        sandbox.beltic(&["publish", "--out", "site"]).expect(6);
        std::fs::write(sandbox.path(&format!("site/{path}")), &before[path]).unwrap();
    }
    sandbox.beltic(&["revoke", &credentials[0].id]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
}

/// A suspension may have been lifted rightly, so one that a restored ledger does not know is told.
#[test]
fn a_suspension_that_a_restore_lost_is_told() {
    let (sandbox, credentials) = issued(2);
    let ledger = sandbox.path(".beltic/ledger.db");
    std::fs::copy(&ledger, sandbox.path("backup.db")).unwrap();
    sandbox.beltic(&["suspend", &credentials[0].id]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    sandbox.beltic(&["reinstate", &credentials[0].id]).expect(0);
    let run = sandbox.beltic(&["publish", "--out", "other", "--previous", "site"]).expect(0);
    assert!(!run.stderr.contains("suspension"), "{}", run.stderr);
    std::fs::copy(sandbox.path("backup.db"), &ledger).unwrap();
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(run.stderr.contains("1 published suspension is not in the restored ledger"), "{}", run.stderr);
}

/// A former site counts as much as the directory itself, and what is published stays revoked whatever the user accepts.
#[test]
fn no_published_revocation_is_taken_back() {
    let (sandbox, credentials) = issued(5);
    let ledger = sandbox.path(".beltic/ledger.db");
    std::fs::copy(&ledger, sandbox.path("backup.db")).unwrap();
    for credential in &credentials[..3] {
        sandbox.beltic(&["revoke", &credential.id]).expect(0);
    }
    sandbox.beltic(&["publish", "--out", "old"]).expect(0);
    std::fs::copy(sandbox.path("backup.db"), &ledger).unwrap();
    sandbox.beltic(&["suspend", &credentials[1].id]).expect(0);
    let before = site(&sandbox, "old");

    for args in [&["--out", "old"][..], &["--out", "new", "--previous", "old"], &["--out", "old", "--check"]]
    {
        let run = sandbox.beltic(&[&["publish"], args].concat()).expect(6);
        assert!(run.stderr.contains("3 published revocations are not in the ledger"), "{}", run.stderr);
        assert!(run.stderr.contains("--accept-lost-revocations"), "{}", run.stderr);
    }
    assert_eq!(site(&sandbox, "old"), before);
    assert!(!sandbox.has("new/status"), "nothing is written before the comparison");

    // Accepting the loss takes none back: their bits stay set, in every form.
    let accept = ["publish", "--out", "new", "--previous", "old", "--accept-lost-revocations"];
    let run = sandbox.beltic(&accept).expect(0);
    assert!(run.stderr.contains("3 published revocations are not in the ledger: kept"), "{}", run.stderr);
    let key = issuer_token_key();
    let found = lists(&site(&sandbox, "new"), &key);
    let mut expected: Vec<(u32, u8)> =
        credentials[..3].iter().map(|one| (places(one, &key).index, 1)).collect();
    expected.sort_unstable();
    let place = places(&credentials[0], &key);
    for uri in [&place.token, &place.bitstrings["revocation"]] {
        assert_eq!(found[uri], expected, "{uri}");
    }
    // And again, from the directory alone; what is there already is kept as it is.
    let published = site(&sandbox, "new");
    let run = sandbox.beltic(&["publish", "--out", "new", "--accept-lost-revocations"]).expect(0);
    assert_eq!((run.stdout.as_str(), &site(&sandbox, "new")), ("", &published));
    sandbox.beltic(&["publish", "--out", "new"]).expect(6);
    // Once the ledger knows them there is nothing to accept.
    for credential in &credentials[..3] {
        sandbox.beltic(&["revoke", &credential.id]).expect(0);
    }
    sandbox.beltic(&["publish", "--out", "new", "--previous", "old"]).expect(0);
    let run = sandbox.beltic(&["publish", "--out", "new", "--previous", "absent"]).expect(6);
    assert!(run.stderr.contains("absent: no such folder"), "{}", run.stderr);
}

/// What anybody could have written is not signed by the issuer.
#[test]
fn revocations_are_kept_from_lists_of_the_issuer_alone() {
    let (sandbox, credentials) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let key = issuer_token_key();
    let uri = places(&credentials[0], &key).token;
    let path = uri.strip_prefix("https://issuer.example/").unwrap();
    let mut bits = vec![0u8; 131_072 / 8];
    bits[0] = 0xFF;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&bits).unwrap();
    let lst = BASE64URL_NOPAD.encode(&packed.finish().unwrap());
    let payload = serde_json::json!({"iss": "did:web:issuer.example", "sub": uri, "iat": 1, "exp": 4_000_000_000u32,
        "status_list": {"bits": 1, "lst": lst}});
    let header = serde_json::json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": credentials[0].kid});
    let forged = crate::readers::sign::Hand::of_number(5).token(&header, &payload);
    sandbox.write(&format!("site/{path}"), &forged);
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(6);
    assert!(run.stderr.contains("8 published revocations"), "{}", run.stderr);
    let run = sandbox.beltic(&["publish", "--out", "site", "--accept-lost-revocations"]).expect(6);
    assert!(run.stderr.contains("is not signed by a key of this issuer"), "{}", run.stderr);
    assert_eq!(sandbox.read(&format!("site/{path}")), forged);
}

/// Lists that this ledger does not know are left alone, and that they will expire is said.
#[test]
fn lists_that_the_ledger_does_not_know_are_noticed() {
    let (sandbox, _) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let before = site(&sandbox, "site");
    sandbox.issue("items.ndjson --ledger other.db").expect(0);
    let run = sandbox.beltic(&["publish", "--out", "site", "--ledger", "other.db"]).expect(0);
    assert!(
        run.stderr.contains("2 published files with a status list that this ledger does not know"),
        "{}",
        run.stderr
    );
    let after = site(&sandbox, "site");
    for (path, bytes) in before.iter().filter(|(path, _)| path.ends_with(".jwt")) {
        assert_eq!(after[path], *bytes, "{path}");
    }
}

#[test]
fn lists_of_a_former_base_url_are_published_on() {
    let (sandbox, credentials) = issued(1);
    sandbox.write(".beltic.yaml", WEB.replace("https://issuer.example\n", "https://cdn.example/lists\n"));
    sandbox.write_items("more.ndjson", &[item("later")]);
    let later = sandbox.issue("more.ndjson").expect(0).credential();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.beltic(&["revoke", &credentials[0].id, &later.id]).expect(0);
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(run.stderr.contains("status lists of cdn.example are among the files"), "{}", run.stderr);
    let found = lists(&site(&sandbox, "site"), &issuer_token_key());
    for credential in [&credentials[0], &later] {
        let index = credential.status_list_index.unwrap();
        assert_eq!(found[credential.status_list_uri.as_ref().unwrap()], [(index, 1)]);
    }
    assert!(sandbox.has("site/lists/status"));
}

#[test]
fn type_metadata_that_credentials_vouch_for_stay() {
    let sandbox = Sandbox::with_issuer_key();
    let settings = format!("{WEB}credential:\n  type_metadata: type.json\n");
    sandbox.write(".beltic.yaml", WEB);
    let document = sandbox.beltic(&["schema", "--vct"]).expect(0).stdout;
    sandbox.write("type.json", &document);
    sandbox.write(".beltic.yaml", settings);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    sandbox.write("type.json", document.replacen("Business", "Company", 1));
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(2);
    assert!(
        run.stderr.contains("holds other type metadata") && run.stderr.contains("new `vct`"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.read("site/credentials/business/v1"), document);
}

#[test]
fn a_ledger_that_has_gone_stops_publishing() {
    let (sandbox, _) = issued(1);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    std::fs::rename(sandbox.path(".beltic/ledger.db"), sandbox.path("elsewhere.db")).unwrap();
    for check in [&["publish", "--out", "site"][..], &["publish", "--out", "site", "--check"]] {
        let run = sandbox.beltic(check).expect(6);
        assert!(run.stderr.contains("no ledger found at"), "{}", run.stderr);
    }
    sandbox.write(".beltic.yaml", format!("{WEB}ledger: state/ledger.db\n"));
    sandbox.beltic(&["publish", "--out", "new"]).expect(6);
}

/// So does one whose lists are below the path of their issuer.
#[test]
fn a_ledger_that_has_gone_stops_publishing_below_a_path_too() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "issuer:\n  did: did:web:issuer.example:units:a\n");
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson").expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    std::fs::rename(sandbox.path(".beltic/ledger.db"), sandbox.path("elsewhere.db")).unwrap();
    let run = sandbox.beltic(&["publish", "--out", "site"]).expect(6);
    assert!(run.stderr.contains("no ledger found at"), "{}", run.stderr);
}

/// While a process publishes, others wait; so what is written last is what the ledger says last.
#[test]
fn two_who_publish_at_once_take_turns() {
    let (sandbox, credentials) = issued(40);
    std::thread::scope(|scope| {
        for credential in &credentials {
            let sandbox = &sandbox;
            scope.spawn(move || {
                sandbox.beltic(&["revoke", &credential.id]).expect(0);
                sandbox.beltic(&["publish", "--out", "site", "--quiet"]).expect(0);
            });
        }
    });
    sandbox.beltic(&["publish", "--out", "site", "--check"]).expect(0);
    let found = lists(&site(&sandbox, "site"), &issuer_token_key());
    assert!(found.values().all(|entries| entries.len() == 40));
}

/// The first suspension in a list changes the form of the list while others read it.
#[test]
fn publishing_beside_the_first_suspension_of_a_list() {
    for _ in 0..8 {
        let (sandbox, credentials) = issued(2);
        std::thread::scope(|scope| {
            scope.spawn(|| sandbox.beltic(&["suspend", &credentials[0].id]).expect(0));
            for _ in 0..3 {
                sandbox.beltic(&["publish", "--out", "site", "--quiet"]).expect(0);
            }
        });
    }
}

/// Nothing private and nothing personal is in the site, in no encoding that would show it.
#[test]
fn only_public_data_is_published() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", WEB);
    sandbox.write_items("items.ndjson", &[full_item("fennwick")]);
    let credential = sandbox.issue("items.ndjson").expect(0).credential();
    sandbox.beltic(&["revoke", &credential.id, "--reason", "error"]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let jwk: Value =
        serde_json::from_str(&std::fs::read_to_string(key_fixture("p256-private.jwk")).unwrap()).unwrap();
    let scalar = jwk["d"].as_str().unwrap();
    let raw = BASE64URL_NOPAD.decode(scalar.as_bytes()).unwrap();
    let mut secrets: Vec<Vec<u8>> = vec![scalar.into(), raw, b"\"d\"".to_vec(), b"PRIVATE".to_vec()];
    for personal in
        ["Fennwick", "FENNWICK", "Harbour", "00012345", "fennwick", "case:4711", &credential.id[9..]]
    {
        secrets.push(personal.into());
    }
    for (path, bytes) in site(&sandbox, "site") {
        // What a token holds, beside what it looks like.
        let text = String::from_utf8(bytes.clone()).unwrap();
        let decoded = text.split('.').filter_map(|part| BASE64URL_NOPAD.decode(part.trim().as_bytes()).ok());
        for content in decoded.chain([bytes]) {
            for secret in &secrets {
                assert!(!content.windows(secret.len()).any(|window| window == secret), "{path}: {secret:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_published_is_told() {
    let (sandbox, _) = issued(1);
    for (settings, args, code, said) in [
        ("keys:\n  next: [absent.jwk]\n", vec![], 5, "absent.jwk"),
        ("keys:\n  next: [.beltic/issuer.pem]\n", vec![], 5, "cannot publish the key in"),
        ("keys:\n  old: []\n", vec![], 2, "unknown key `old`"),
        (
            "issuer:\n  did: did:web:issuer.example\ncredential:\n  vct: https://issuer.example/.well-known/did.json\n",
            vec![],
            2,
            "two files of the site would be /.well-known/did.json",
        ),
        ("status:\n  base_url: https://issuer.example?x\n", vec![], 2, "status.base_url"),
        ("status:\n  ttl: P8D\n", vec![], 2, "status.ttl is longer"),
        ("status:\n  validity: soon\n", vec![], 2, "beltic.yaml is \"soon\""),
        ("", vec!["--ledger", "absent.db"], 6, "no ledger found at absent.db"),
    ] {
        sandbox.write(".beltic.yaml", settings);
        let run = sandbox.beltic(&[&["publish", "--out", "site"], args.as_slice()].concat()).expect(code);
        assert!(run.stderr.contains(said), "{settings}: {}", run.stderr);
        assert!(!sandbox.has("site") || site(&sandbox, "site").is_empty(), "{settings}");
    }
}

#[test]
fn what_belongs_to_others_is_left_out() {
    let (sandbox, _) = issued(1);
    sandbox.write(".beltic.yaml", "credential:\n  context: https://elsewhere.example/c\n");
    let run = sandbox.beltic(&["publish", "--out", "site", "--issuer", "https://other.example"]).expect(0);
    assert!(run.stderr.contains("1 status list of other issuers is skipped"), "{}", run.stderr);
    assert!(
        run.stderr.contains("the context is skipped: https://elsewhere.example/c is on a host"),
        "{}",
        run.stderr
    );
    assert!(lists(&site(&sandbox, "site"), &issuer_token_key()).is_empty());
}

/// A static file server, and what it serves.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Serves a folder on loopback; none where there is no server.
    fn of(folder: &Path) -> Option<Server> {
        let mut process = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut line).ok()?;
        let port = line.split(" port ").nth(1)?.split(' ').next()?.parse().ok()?;
        Some(Server { process, port })
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        assert!(answer.starts_with(b"HTTP/1.0 200"), "{path}: {}", String::from_utf8_lossy(&answer));
        answer.split_off(end + 4)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A verifier that knows the issuer's host and the credential, and nothing else.
#[test]
fn a_verifier_finds_everything_on_a_static_host() {
    let (sandbox, credentials) = issued(2);
    sandbox.beltic(&["revoke", &credentials[1].id]).expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    let Some(server) = Server::of(&sandbox.path("site")) else {
        return machine::skip("python3 cannot serve files here");
    };
    let jwks = server.get("/.well-known/jwks.json");
    let jwk = serde_json::from_slice::<Value>(&jwks).unwrap()["keys"][0].to_string();
    sandbox.write("fetched.jwk", jwk);
    let key = TokenKey::from_jwk_file(&sandbox.path("fetched.jwk"));
    for (credential, revoked) in [(&credentials[0], false), (&credentials[1], true)] {
        let places = places(credential, &key);
        for (uri, read) in
            [(&places.token, token_list as fn(&Exact) -> _), (&places.bitstrings["revocation"], bitstring)]
        {
            let path = uri.strip_prefix("https://issuer.example").unwrap();
            let token = key.open(&String::from_utf8(server.get(path)).unwrap());
            let (name, entries) = read(&token.payload);
            assert_eq!((&name, entries.contains(&(places.index, 1))), (uri, revoked));
        }
    }
}
