//! `--proof-format sd_jwt_vc`: what is hidden, what is not, and what a holder's choice shows.
//! Tokens are opened by the tests' own reader and by the crate `sd-jwt-payload`.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::readers::exact::Exact;
use crate::readers::sd_jwt::{Disclosure, SdJwt, foreign_payload};
use crate::readers::token::{Issuance, base64url, request_of};
use crate::support::*;

fn sd_jwt_issuance() -> Issuance {
    Issuance { proof_format: "sd_jwt_vc".into(), ..default_issuance() }
}

/// Issues items in a sandbox whose settings say this, and opens the tokens.
fn issued(settings: &str, items: &[Value]) -> Vec<SdJwt> {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", settings);
    sandbox.write_items("items.ndjson", items);
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --ledger none").expect(0);
    let tokens = run.rows().into_iter().map(|row| row.into_credential().signed_payload);
    tokens.map(|token| SdJwt::open(&issuer_token_key(), &token)).collect()
}

/// The names and paths of what one token hides, the innermost first.
fn hidden(token: &SdJwt) -> Vec<&str> {
    token.disclosures.iter().map(|disclosure| disclosure.name.as_deref().unwrap_or("[]")).collect()
}

#[test]
fn the_default_hides_owners_address_and_number() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [full_item("fennwick"), item("plain")];
    sandbox.write_items("items.ndjson", &batch);
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc").expect(0);
    let key = issuer_token_key();
    let tokens: Vec<SdJwt> = (run.stdout.lines().zip(&batch))
        .map(|(line, item)| {
            let result = Exact::parse(line);
            sd_jwt_issuance().check_sd_jwt(&key, result.member("credential"), &Exact::of(item))
        })
        .collect();
    assert_eq!(
        hidden(&tokens[0]),
        ["registration_number", "[]", "[]", "beneficial_owners", "registered_address"]
    );
    let clear = tokens[0].token.payload.member("claims");
    let in_clear =
        ["business_type", "jurisdiction", "kyb_status", "registered_name", "tax_id_verified", "verified_at"];
    assert_eq!(clear.names(), [&in_clear[..], &["_sd"]].concat());
    assert!(hidden(&tokens[1]).is_empty());
    assert!(!run.stdout.lines().nth(1).unwrap().contains("_sd"));
    assert!(run.stderr.contains("warning: SD-JWT VC looks up keys by"), "{}", run.stderr);
}

#[test]
fn a_foreign_reader_finds_every_real_company() {
    let Some(data) = shared_data() else { return };
    let sandbox = Sandbox::with_issuer_key();
    for (file, expected) in [("real-companies.ndjson", 24_488), ("real-companies-owners.csv", 1_445)] {
        let path = data.join(file);
        let run = sandbox
            .beltic(&["batch-issue", path.to_str().unwrap(), "--proof-format", "sd_jwt_vc", "--quiet"])
            .expect(3);
        let text = std::fs::read_to_string(&path).unwrap();
        let items: Vec<Exact> = match file.ends_with("csv") {
            false => text.lines().map(Exact::parse).collect(),
            true => crate::readers::table::items(&text).into_iter().map(Option::unwrap).collect(),
        };
        let (key, issuance) = (issuer_token_key(), sd_jwt_issuance());
        let mut found = 0;
        for (line, item) in run.stdout.lines().zip(&items) {
            let result = Exact::parse(line);
            let Some(resource) = result.get("credential") else { continue };
            issuance.check_sd_jwt(&key, resource, item);
            let foreign = foreign_payload(resource.text_of("signed_payload"));
            for name in ["subject", "claims", "evidence_refs"] {
                let asked: Option<Value> =
                    request_of(item).get(name).map(|value| serde_json::from_str(&value.write()).unwrap());
                assert_eq!(foreign.get(name), asked.as_ref(), "{name} of {line}");
            }
            found += 1;
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn salts_and_digests_are_distinct_over_a_hundred_thousand() {
    let sandbox = Sandbox::with_issuer_key();
    // The same company again and again: only the salts can make a difference.
    let line = ndjson(&[full_item("fennwick")]);
    sandbox.write("items.ndjson", line.repeat(100_000));
    let run = sandbox
        .issue("items.ndjson --proof-format sd_jwt_vc --output-format jwt --ledger none --quiet")
        .expect(0);
    let (mut salts, mut digests, mut tokens) = (HashSet::new(), HashSet::new(), 0);
    for token in run.stdout.lines() {
        for text in token.split('~').skip(1).filter(|text| !text.is_empty()) {
            let content: Vec<Value> = serde_json::from_slice(&base64url(text)).unwrap();
            assert!(salts.insert(base64url(content[0].as_str().unwrap())), "a salt is used twice");
            assert!(digests.insert(<[u8; 32]>::from(Sha256::digest(text))), "a digest is there twice");
        }
        tokens += 1;
    }
    assert_eq!((tokens, salts.len(), digests.len()), (100_000, 500_000, 500_000));
    assert!(salts.iter().all(|salt| salt.len() == 16), "a salt has 128 bits");
}

/// Digests are sorted, and a digest is as good as random: so where a claim's digest stands says
/// nothing about the claim. Among owners and address, either is first about half the time.
#[test]
fn the_place_of_a_digest_tells_nothing() {
    let tokens = issued("", &vec![full_item("fennwick"); 2_000]);
    let address_first = tokens.iter().filter(|token| {
        let of_name = |name: &str| {
            let disclosure =
                token.disclosures.iter().find(|disclosure| disclosure.name.as_deref() == Some(name));
            disclosure.unwrap().digest.clone()
        };
        let digests = token.token.payload.member("claims").member("_sd").elements();
        digests[0].text() == of_name("registered_address")
    });
    // 2,000 fair coins are within 900 to 1,100 heads but for one run in a hundred thousand.
    let count = address_first.count();
    assert!((900..=1_100).contains(&count), "{count} of 2,000");
}

/// A company whose every text is found nowhere else, so that a text that leaks is recognised.
fn marked_company() -> impl Strategy<Value = Value> {
    (0..5usize, any::<bool>(), any::<bool>(), 1..u64::MAX).prop_map(|(owners, address, number, mark)| {
        let owner = |at: usize| {
            json!({ "full_name": format!("owner-{mark:x}-{at}"), "role": format!("role-{mark:x}-{at}") })
        };
        let mut company = item(&format!("{mark:x}"));
        company["request"]["claims"]["kyb_status"] = json!(format!("kyb-{mark:x}"));
        if owners > 0 {
            let owners: Vec<_> = (0..owners).map(owner).collect();
            company["request"]["claims"]["beneficial_owners"] = json!(owners);
        }
        if address {
            company["request"]["claims"]["registered_address"] =
                json!({ "line1": format!("line-{mark:x}"), "city": format!("city-{mark:x}"), "country": "GB" });
        }
        if number {
            company["request"]["subject"]["registration_number"] = json!(format!("number-{mark:x}"));
        }
        company
    })
}

/// The texts in a value, without digests.
fn texts(value: &Exact) -> Vec<&str> {
    match value {
        Exact::String(text) => vec![text],
        Exact::Array(elements) => elements.iter().flat_map(texts).collect(),
        Exact::Object(members) => members
            .iter()
            .filter(|(name, _)| name != "_sd" && name != "...")
            .flat_map(|(_, value)| texts(value))
            .collect(),
        _ => Vec::new(),
    }
}

/// No choice of disclosures shows what is withheld, neither in the token nor in the disclosures that
/// are passed on; and what they show is part of what was asked for, in its order.
#[test]
fn no_choice_of_disclosures_shows_more_than_was_chosen() {
    let companies = prop::collection::vec((marked_company(), any::<u32>()), 1..40);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    runner
        .run(&companies, |companies| {
            let items: Vec<Value> = companies.iter().map(|(item, ..)| item.clone()).collect();
            for (token, (item, choice)) in issued("", &items).iter().zip(&companies) {
                let chosen = |at: usize| choice >> (at % 32) & 1 == 1;
                let (kept, withheld) = split_disclosures(token, chosen);
                let shown = std::iter::once(token.token.payload.write())
                    .chain(kept.iter().map(|disclosure| disclosure.value.write()))
                    .collect::<String>();
                for disclosure in &withheld {
                    for text in texts(&disclosure.value).into_iter().filter(|text| *text != "GB") {
                        prop_assert!(!shown.contains(text), "{} shows in {}", text, shown);
                    }
                    prop_assert!(!shown.contains(&disclosure.salt));
                }
                let asked = Exact::of(&item["request"]);
                let secret = ["owner-", "role-", "line-", "city-", "number-"];
                let clear = token.token.payload.write();
                prop_assert!(secret.iter().all(|secret| !clear.contains(secret)), "{}", clear);
                // What is shown is what the item says, in its order.
                let processed = token.disclosing(reachable(token, &kept).into_iter());
                prop_assert!(is_part_of(processed.member("claims"), asked.member("claims")));
                prop_assert!(is_part_of(processed.member("subject"), asked.member("subject")));
            }
            Ok(())
        })
        .unwrap();
}

fn split_disclosures(token: &SdJwt, chosen: impl Fn(usize) -> bool) -> (Vec<&Disclosure>, Vec<&Disclosure>) {
    let (kept, withheld): (Vec<_>, Vec<_>) =
        token.disclosures.iter().enumerate().partition(|(at, _)| chosen(*at));
    let plain = |list: Vec<(usize, _)>| list.into_iter().map(|(_, disclosure)| disclosure).collect();
    (plain(kept), plain(withheld))
}

/// Those of the kept disclosures that the payload or another kept one refers to.
fn reachable<'t>(token: &SdJwt, kept: &[&'t Disclosure]) -> Vec<&'t Disclosure> {
    let mut found: Vec<&Disclosure> = Vec::new();
    loop {
        let texts: Vec<String> = std::iter::once(token.token.payload.write())
            .chain(found.iter().map(|disclosure| disclosure.value.write()))
            .collect();
        let next: Vec<&Disclosure> = (kept.iter().copied())
            .filter(|disclosure| texts.iter().any(|text| text.contains(&disclosure.digest)))
            .collect();
        if next.len() == found.len() {
            return found;
        }
        found = next;
    }
}

/// Whether a value says only what another says: some of its members, some of its elements in
/// their order.
fn is_part_of(part: &Exact, whole: &Exact) -> bool {
    match (part, whole) {
        (Exact::Object(members), Exact::Object(_)) => {
            members.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| is_part_of(value, whole)))
        }
        (Exact::Array(elements), Exact::Array(all)) => {
            let mut all = all.iter();
            elements.iter().all(|element| all.any(|candidate| is_part_of(element, candidate)))
        }
        _ => part == whole,
    }
}

#[test]
fn the_policy_decides_what_is_hidden() {
    let company = [full_item("fennwick")];
    let policy = |lines: &str| format!("disclosure:\n  claims:\n{lines}");
    let tokens = issued(
        &policy(
            "    subject.registration_number: never\n    claims.beneficial_owners: never\n    \
             claims.beneficial_owners[]: allowed\n    claims.beneficial_owners[].person_id: always\n    \
             claims.registered_address.line2: always\n    evidence_refs[]: always\n",
        ),
        &company,
    );
    assert_eq!(hidden(&tokens[0]), ["person_id", "line2", "registered_address", "[]", "[]"]);
    let whole = issued(&policy("    evidence_refs: always\n"), &company);
    assert!(hidden(&whole[0]).contains(&"evidence_refs"));
    assert_eq!(whole[0].token.payload.member("_sd").elements().len(), 1);
    for token in [&tokens[0], &whole[0]] {
        let disclosed = token.disclosed();
        let request = Exact::of(&company[0]["request"]);
        for name in ["subject", "claims", "evidence_refs"] {
            assert_eq!(disclosed.member(name).sorted(), request.member(name).sorted(), "{name}");
        }
    }
}

#[test]
fn decoys_stand_beside_real_digests_only() {
    let tokens = issued("disclosure:\n  decoys: 3\n", &[full_item("fennwick"), item("plain")]);
    let digests = |at: usize, name: &str| {
        tokens[at].token.payload.member(name).get("_sd").map_or(0, |digests| digests.elements().len())
    };
    assert_eq!((digests(0, "subject"), digests(0, "claims")), (1 + 3, 2 + 3));
    assert_eq!((digests(1, "subject"), digests(1, "claims")), (0, 0));
    assert_eq!(tokens[0].disclosures.len(), 5);
    tokens[0].disclosed();
    // The owners' placeholders have decoys among them.
    let owners = tokens[0]
        .disclosures
        .iter()
        .find(|disclosure| disclosure.name.as_deref() == Some("beneficial_owners"));
    assert_eq!(owners.unwrap().value.elements().len(), 2 + 3);
}

/// With decoys, the place of an owner's placeholder is any, in the order of the owners.
#[test]
fn decoys_stand_anywhere_between_owners() {
    let tokens = issued("disclosure:\n  decoys: 1\n", &vec![full_item("fennwick"); 300]);
    let place_of_decoy = |token: &SdJwt| {
        let named =
            |name: &str| token.disclosures.iter().find(|disclosure| disclosure.name.as_deref() == Some(name));
        let owners = named("beneficial_owners").unwrap().value.elements();
        let is_known =
            |owner: &Exact| token.disclosures.iter().any(|known| known.digest == owner.text_of("..."));
        assert_eq!(token.disclosed().member("claims").member("beneficial_owners").elements().len(), 2);
        owners.iter().position(|owner| !is_known(owner)).unwrap()
    };
    let places: HashSet<_> = tokens.iter().map(place_of_decoy).collect();
    assert_eq!(places, HashSet::from([0, 1, 2]));
}

#[test]
fn a_policy_that_cannot_be_kept_is_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    for (lines, said) in [
        ("  claims:\n    exp: always\n", "names exp, which every verifier must see"),
        ("  claims:\n    status: allowed\n", "names status, which every verifier must see"),
        ("  claims:\n    cnf.jwk: always\n", "names cnf.jwk, which is not a claim"),
        ("  claims:\n    subject.id: always\n", "names subject.id, which every verifier must see"),
        ("  claims:\n    claims.owners: always\n", "names claims.owners, which is not a claim"),
        ("  claims:\n    claims.kyb_statu: always\n", "did you mean claims.kyb_status?"),
        (
            "  claims:\n    claims.kyb_status: hidden\n",
            "says \"hidden\" for claims.kyb_status; expected always, allowed or never",
        ),
        ("  decoys: 33\n", "asks for 33 decoys; expected at most 32"),
        ("  decoy: 3\n", "unknown key `decoy`"),
    ] {
        sandbox.write(".beltic.yaml", format!("disclosure:\n{lines}"));
        let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc").expect(2);
        assert!(run.stderr.contains(said), "{lines}: {}", run.stderr);
        assert!(!sandbox.has(".beltic/ledger.db"));
    }
}

#[test]
fn unknown_claims_are_carried_through_in_the_clear() {
    let sandbox = Sandbox::with_issuer_key();
    let company = with(full_item("fennwick"), "/request/claims/sector", json!({ "code": [1.50, "x"] }));
    sandbox.write_items("items.ndjson", std::slice::from_ref(&company));
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --ledger none --allow-unknown").expect(0);
    let token = SdJwt::open(&issuer_token_key(), &run.credential().signed_payload);
    let asked = Exact::of(&company["request"]["claims"]["sector"]);
    assert_eq!(token.token.payload.member("claims").member("sector"), &asked);
}

#[test]
fn type_metadata_repeat_the_policy() {
    let sandbox = Sandbox::new();
    sandbox.write(
        ".beltic.yaml",
        "issuer:\n  did: did:web:issuer.example\ndisclosure:\n  claims:\n    claims.kyb_status: always\n    claims.business_type: allowed\n",
    );
    let document: Value =
        serde_json::from_str(&sandbox.beltic(&["schema", "--vct"]).expect(0).stdout).unwrap();
    assert_eq!(document["vct"], "https://issuer.example/credentials/business/v1");
    let sd = |path: Value| {
        let claims = document["claims"].as_array().unwrap();
        let claim = claims.iter().find(|claim| claim["path"] == path).unwrap_or_else(|| panic!("{path}"));
        assert!(claim["display"][0]["locale"] == "en" && claim["display"][0]["label"].is_string());
        claim["sd"].as_str().unwrap().to_owned()
    };
    assert_eq!(sd(json!(["subject", "registration_number"])), "always");
    assert_eq!(sd(json!(["claims", "beneficial_owners"])), "always");
    assert_eq!(sd(json!(["claims", "beneficial_owners", null])), "always");
    assert_eq!(sd(json!(["claims", "beneficial_owners", null, "full_name"])), "never");
    assert_eq!(sd(json!(["claims", "kyb_status"])), "always");
    assert_eq!(sd(json!(["claims", "business_type"])), "allowed");
    assert_eq!(sd(json!(["subject", "id"])), "never");
    let other = sandbox.beltic(&["schema", "--vct", "https://types.example/b"]).expect(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&other).unwrap()["vct"], "https://types.example/b");
}

#[test]
fn published_type_metadata_give_their_integrity() {
    let sandbox = Sandbox::with_issuer_key();
    let document = sandbox.beltic(&["schema", "--vct"]).expect(0).stdout;
    sandbox.write("business.json", &document);
    sandbox.write(".beltic.yaml", "credential:\n  type_metadata: business.json\n");
    sandbox.write_items("items.ndjson", &[item("a")]);
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --ledger none").expect(0);
    let token = SdJwt::open(&issuer_token_key(), &run.credential().signed_payload);
    let digest = base64_simd::STANDARD.encode_to_string(Sha256::digest(&document));
    assert_eq!(token.token.payload.text_of("vct#integrity"), format!("sha256-{digest}"));

    // A document that says something else than what is issued is refused.
    for (from, to, said) in [
        ("urn:beltic:business:1", "urn:other:1", "its vct is urn:other:1"),
        ("\"always\"", "\"never\"", "is \"never\", and the disclosure policy says \"always\""),
        ("\"never\"", "\"always\"", "is \"always\", and the disclosure policy says \"never\""),
        ("{", "[", "it is not a JSON object"),
    ] {
        sandbox.write("business.json", document.replacen(from, to, 1));
        let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --ledger none").expect(2);
        assert!(run.stderr.contains(said) && run.stderr.contains("business.json"), "{}", run.stderr);
    }
}

fn certificates(name: &str) -> String {
    manifest_folder().join("fixtures/certificates").join(name).to_str().unwrap().to_owned()
}

#[test]
fn certificates_go_into_the_header_without_their_anchor() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let issue = |chain: &str| {
        let chain = certificates(chain);
        let args =
            ["batch-issue", "items.ndjson", "--proof-format=sd_jwt_vc", "--ledger=none", "--x5c", &chain];
        sandbox.beltic(&args)
    };
    let run = issue("chain.pem").expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    let chain_of = |run: &Run| {
        let token = SdJwt::open(&issuer_token_key(), &run.credential().signed_payload).token;
        assert_eq!(token.header.names(), ["alg", "typ", "kid", "x5c"]);
        token.header.member("x5c").elements().iter().map(|der| der.text().to_owned()).collect::<Vec<_>>()
    };
    let pem = std::fs::read_to_string(certificates("chain.pem")).unwrap();
    let bodies: Vec<String> = pem
        .split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|part| part.split("-----END").next().unwrap().split_whitespace().collect())
        .collect();
    assert_eq!(chain_of(&run), bodies[..2], "the root is left out");
    // A bundle made of two files may hold it twice.
    sandbox.write("twice.pem", pem + &std::fs::read_to_string(certificates("anchor.pem")).unwrap());
    let run = issue(sandbox.path("twice.pem").to_str().unwrap()).expect(0);
    assert_eq!(chain_of(&run), bodies[..2], "the root is left out both times");

    assert!(issue("expired.pem").expect(0).stderr.contains("not valid now"));
    for (chain, said) in [
        ("other-key.pem", "its first certificate is not that of the issuer's key"),
        ("gap.pem", "certificate 1 was not issued by the one after it"),
        ("anchor.pem", "its first certificate is not that of the issuer's key"),
        ("../keys/p256-certificate.pem", "its only certificate is self-signed"),
        ("../keys/p256-public.pem", "contains something other than X.509 certificates"),
        ("README.md", "contains something other than X.509 certificates"),
    ] {
        let run = issue(chain).expect(2);
        assert!(
            run.stderr.contains(said) && run.stderr.contains("cannot use the certificates"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn certificates_are_not_for_jwt_vc() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let chain = certificates("chain.pem");
    let run = sandbox.beltic(&["batch-issue", "items.ndjson", "--x5c", &chain]).expect(2);
    assert!(run.stderr.contains("--x5c requires the proof format sd_jwt_vc"), "{}", run.stderr);
}

/// `sub` is an IRI in `jwt_vc`, and a text without a colon or a URI in `sd_jwt_vc`; and whatever it is, the credential verifies
/// and is found again.
#[test]
fn sub_is_there_where_the_standards_allow_it() {
    for (id, subject, in_jwt_vc, in_sd_jwt_vc) in [
        ("EX-1", "EX-1", false, true),
        ("urn:example:a", "urn:example:a", true, true),
        ("https://issuer.example/a?b#c", "https://issuer.example/a?b#c", true, true),
        ("no URI: 7", "no URI: 7", false, false),
        (":7", ":7", false, false),
        ("GB\\u003a 7", "GB: 7", false, false),
        ("\\\\7", "\\7", false, true),
    ] {
        let sandbox = Sandbox::with_issuer_key();
        let item = format!(
            r#"{{"self_attestation_complete":true,"subject":{{"id":"{id}"}},"claims":{{"jurisdiction":"GB"}}}}"#
        );
        sandbox.write("items.ndjson", item + "\n");
        for (format, has_sub) in [("jwt_vc", in_jwt_vc), ("sd_jwt_vc", in_sd_jwt_vc)] {
            let run = sandbox
                .issue(&format!("items.ndjson --proof-format {format} --issuer did:web:issuer.example --output-format ndjson"))
                .expect(0);
            let token = run.credential().signed_payload;
            let payload = SdJwt::open(&issuer_token_key(), &format!("{}~", token.split('~').next().unwrap()))
                .token
                .payload;
            let sub = payload.get("sub").map(|sub| sub.text().to_owned());
            assert_eq!(sub, has_sub.then(|| subject.to_owned()), "{format} {id}");
            if format == "jwt_vc" {
                let name = if has_sub { "id" } else { "subject_id" };
                let own = payload.member("credentialSubject");
                assert_eq!(own.text_of(name), subject);
                assert_eq!(own.get("id").is_some(), has_sub, "{id}");
            }
            sandbox.write(format, &run.stdout);
        }
        sandbox.beltic(&["publish", "--out", "site", "--issuer", "did:web:issuer.example"]).expect(0);
        sandbox.beltic(&["verify", "jwt_vc", "sd_jwt_vc", "--site", "site"]).expect(0);
        let found = sandbox.beltic(&["list", "--subject", subject, "--output-format", "ndjson"]).expect(0);
        assert_eq!(found.stdout.lines().count(), 2, "{id}");
    }
}

#[test]
fn an_https_issuer_needs_no_warning() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    let run = sandbox
        .issue("items.ndjson --proof-format sd_jwt_vc --issuer https://issuer.example --ledger none")
        .expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn a_repeated_run_keeps_ids_and_draws_new_salts() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[full_item("a")]);
    let issue = || sandbox.issue("items.ndjson --proof-format sd_jwt_vc --idempotency-key k").expect(0);
    let (first, second) = (issue().credential(), issue().credential());
    assert_eq!((first.id, first.status_list_index), (second.id, second.status_list_index));
    let salts = |token: &str| -> Vec<String> {
        let token = SdJwt::open(&issuer_token_key(), token);
        token.disclosures.into_iter().map(|disclosure| disclosure.salt).collect()
    };
    let (first, second) = (salts(&first.signed_payload), salts(&second.signed_payload));
    assert!(first.iter().all(|salt| !second.contains(salt)));
    let run = sandbox.issue("items.ndjson --idempotency-key k").expect(2);
    assert!(run.stderr.contains("proof_format"), "{}", run.stderr);
    // What was hidden stays hidden.
    sandbox.write(".beltic.yaml", "disclosure:\n  claims:\n    claims.registered_address: never\n");
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --idempotency-key k").expect(2);
    assert!(run.stderr.contains("with another disclosure"), "{}", run.stderr);
}
