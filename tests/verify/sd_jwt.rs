//! What only an SD-JWT can do wrong.

use beltic::verify::{Reason, Step};
use serde_json::{Value, json};

use crate::case;
use crate::readers::sign::{base64url, digest, element, member};
use crate::world::{Case, ENDS, Kind, World, disclosures, hand};

/// An SD-JWT of the sound payload and these disclosures.
fn showing(disclosures: &[String]) -> String {
    let (header, payload) = (Kind::SdJwtVc.header(), Kind::SdJwtVc.payload());
    hand().sd_jwt(&header, &payload, disclosures)
}

/// An SD-JWT whose payload was changed, with these disclosures.
fn changed(change: impl FnOnce(&mut Value), disclosures: &[String]) -> String {
    let mut payload = Kind::SdJwtVc.payload();
    change(&mut payload);
    hand().sd_jwt(&Kind::SdJwtVc.header(), &payload, disclosures)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = tails();
    cases.extend(holders());
    cases.extend(issuers());
    cases.extend(hidden());
    cases
}

/// What stands after the signature.
fn tails() -> Vec<Case> {
    let sound = Kind::SdJwtVc.token();
    let jwt = sound.split('~').next().unwrap();
    vec![
        case("tail: no tilde", jwt.to_owned(), Reason::Malformed, Step::Header),
        case("tail: two tildes", format!("{sound}~"), Reason::DisclosureInvalid, Step::Split),
        case(
            "tail: an empty disclosure first",
            sound.replacen('~', "~~", 1),
            Reason::DisclosureInvalid,
            Step::Split,
        ),
        case(
            "tail: no tilde at the end",
            sound[..sound.len() - 1].to_owned(),
            Reason::Malformed,
            Step::Split,
        ),
        case("tail: something else at the end", format!("{sound}x"), Reason::Malformed, Step::Split),
        case("tail: four parts at the end", format!("{sound}w.x.y.z"), Reason::Malformed, Step::Split),
        case("tail: a padded disclosure", format!("{jwt}~W10=~"), Reason::Malformed, Step::Split),
        case("tail: no base64url", format!("{jwt}~+/~"), Reason::Malformed, Step::Split),
        case(
            "tail: 140,000 disclosures",
            format!("{jwt}~{}", "W10~".repeat(140_000)),
            Reason::DisclosureInvalid,
            Step::Split,
        ),
    ]
}

/// What a holder can do with disclosures.
fn holders() -> Vec<Case> {
    let [number, owners, ada, address] = disclosures();
    let with = |more: &[String]| showing(&[&[number.clone(), address.clone()], more].concat());
    let odd_texts = [
        ("a stray bit", "W10x".to_owned()),
        ("one character", "W".to_owned()),
        ("not UTF-8", base64url(b"[\"s\",\"n\",\"\xff\"]")),
        ("not JSON", base64url(b"[\"s\",\"n\"")),
        ("an object", base64url(b"{}")),
        ("a number", base64url(b"1")),
        ("one element", base64url(b"[\"s\"]")),
        ("four elements", base64url(b"[\"s\",\"n\",1,2]")),
        ("a salt that is none", base64url(b"[1,\"n\",1]")),
        ("a name that is none", base64url(b"[\"s\",1,1]")),
        ("the name _sd", base64url(b"[\"s\",\"_sd\",[]]")),
        ("the name ...", base64url(b"[\"s\",\"...\",\"x\"]")),
        ("a name twice", base64url(b"[\"s\",\"n\",{\"a\":1,\"a\":2}]")),
        ("of nobody", member("full_name", &json!("Mallory"))),
        ("of no place", element(&json!("Mallory"))),
        (
            "another salt",
            base64url(json!(["other", "registration_number", "00012345"]).to_string().as_bytes()),
        ),
        (
            "another value",
            base64url(
                json!(["salt of registration_number", "registration_number", "9"]).to_string().as_bytes(),
            ),
        ),
        (
            "another spelling",
            base64url(br#"["salt of registration_number", "registration_number", "00012345"]"#),
        ),
        ("twice", number.clone()),
        ("without what is around it", ada.clone()),
    ];
    let mut cases: Vec<Case> = odd_texts
        .into_iter()
        .map(|(name, text)| {
            case(format!("disclosure: {name}"), with(&[text]), Reason::DisclosureInvalid, Step::Disclosures)
        })
        .collect();
    let bomb = format!("[\"s\",\"n\",{}", "[".repeat(200_000));
    let bomb = with(&[base64url(bomb.as_bytes())]);
    cases.push(case("disclosure: too deep", bomb, Reason::DisclosureInvalid, Step::Disclosures));
    let sneaked = with(&[owners, ada, member("iss", &json!("did:web:evil.example"))]);
    cases.push(case(
        "disclosure: an iss of one's own",
        sneaked,
        Reason::DisclosureInvalid,
        Step::Disclosures,
    ));
    cases
}

/// What an issuer must not do.
fn issuers() -> Vec<Case> {
    let sound = disclosures();
    let [number, owners, ..] = &sound;
    let (number_digest, owners_digest) = (digest(number), digest(owners));
    let decoy = digest("decoy");
    let variants: Vec<(&str, String)> = vec![
        (
            "a digest twice in one place",
            changed(|p| p["claims"]["_sd"] = json!([owners_digest, owners_digest]), &[]),
        ),
        ("a digest in two places", changed(|p| p["_sd"] = json!([number_digest]), &sound)),
        (
            "a decoy twice",
            changed(|p| (p["_sd"] = json!([decoy]), p["a"] = json!([{"...": decoy}])).1, &sound),
        ),
        ("digests that are no array", changed(|p| p["claims"]["_sd"] = json!("x"), &[])),
        ("a digest that is no text", changed(|p| p["claims"]["_sd"] = json!([1]), &[])),
        ("digests in an object", changed(|p| p["_sd"] = json!({"a": "b"}), &sound)),
        ("another hash", changed(|p| p["_sd_alg"] = json!("sha-512"), &sound)),
        ("a weak hash", changed(|p| p["_sd_alg"] = json!("md5"), &sound)),
        ("a hash that is no text", changed(|p| p["_sd_alg"] = json!(null), &sound)),
        ("a hash inside", changed(|p| p["claims"]["_sd_alg"] = json!("sha-256"), &sound)),
        ("dots as a claim", changed(|p| p["..."] = json!("x"), &sound)),
        ("dots beside something", changed(|p| p["a"] = json!([{"...": "x", "b": 1}]), &sound)),
        ("dots that are no text", changed(|p| p["a"] = json!([{"...": 1}]), &sound)),
        ("a name that is there", changed(|p| p["subject"]["registration_number"] = json!("1"), &sound)),
        (
            "an element among members",
            changed(|p| p["_sd"] = json!([digest(&element(&json!(1)))]), &[element(&json!(1))]),
        ),
        ("a member among elements", changed(|p| p["a"] = json!([{"...": number_digest}]), &[])),
    ];
    let fault = |(name, token): (&str, String)| {
        case(format!("issuer: {name}"), token, Reason::DisclosureInvalid, Step::Disclosures)
    };
    // The last is only a fault where the disclosure is shown.
    let mut cases: Vec<Case> =
        variants.into_iter().filter(|(name, _)| *name != "a member among elements").map(fault).collect();
    let token = changed(
        |p| (p["subject"] = json!({}), p["a"] = json!([{"...": number_digest}])).1,
        std::slice::from_ref(number),
    );
    cases.push(fault(("a member among elements", token)));
    cases
}

/// Claims that must not be hidden.
fn hidden() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, value) in [
        ("iss", json!("did:web:issuer.example")),
        ("exp", json!(ENDS)),
        ("nbf", json!(1)),
        ("vct", json!("urn:beltic:business:1")),
        ("cnf", json!({"jwk": {}})),
        ("status", json!({"status_list": {"idx": 1, "uri": "x"}})),
        ("vct#integrity", json!("sha256-x")),
        ("aka_vcts", json!(["urn:x"])),
    ] {
        let disclosure = member(name, &value);
        let hide = |payload: &mut Value| {
            payload.as_object_mut().unwrap().remove(name);
            payload["_sd"] = json!([digest(&disclosure)]);
        };
        let token = changed(hide, std::slice::from_ref(&disclosure));
        cases.push(case(format!("hidden: {name}"), token, Reason::DisclosureInvalid, Step::Disclosures));
    }
    let inner = member("uri", &json!("x"));
    let in_part = changed(
        |payload| payload["status"] = json!({"status_list": {"idx": 1, "_sd": [digest(&inner)]}}),
        std::slice::from_ref(&inner),
    );
    cases.push(case("hidden: a part of status", in_part, Reason::DisclosureInvalid, Step::Disclosures));
    let withheld = changed(|payload| payload["status"] = json!({"_sd": [digest(&inner)]}), &[]);
    cases.push(case("hidden: status withheld", withheld, Reason::DisclosureInvalid, Step::Disclosures));
    let subject = changed(|payload| payload["subject"] = json!([]), &[]);
    cases.push(case("hidden: a subject that is no object", subject, Reason::SchemaInvalid, Step::Schema));
    let bad = member("registered_address", &json!({"line1": "1 Quay"}));
    let bad_country = member("registered_address", &json!({"country": "Scotland"}));
    for (name, disclosure) in
        [("without a country is sound where parts may be hidden", bad), ("of no country", bad_country)]
    {
        let token =
            changed(|p| p["claims"]["_sd"] = json!([digest(&disclosure)]), std::slice::from_ref(&disclosure));
        if name == "of no country" {
            cases.push(case(
                format!("hidden: an address {name}"),
                token,
                Reason::SchemaInvalid,
                Step::Schema,
            ));
        } else {
            assert_eq!(World::new().refusal(&token), None, "{name}");
        }
    }
    cases
}

/// Disclosures may be left out and stand in any order.
#[test]
fn every_honest_choice_of_a_holder_is_valid() {
    let world = World::new();
    let [number, owners, ada, address] = disclosures();
    let seen = |disclosures: &[&String]| {
        let disclosures: Vec<String> = disclosures.iter().map(|&text| text.clone()).collect();
        let credential = world.verdict(&showing(&disclosures)).unwrap();
        assert!(credential.get("_sd_alg").is_none() && credential["claims"].get("_sd").is_none());
        (credential["subject"].clone(), credential["claims"].clone())
    };
    assert_eq!(seen(&[]), (json!({"id": "urn:example:a"}), json!({"jurisdiction": "GB"})));
    assert_eq!(seen(&[&owners]).1, json!({"jurisdiction": "GB", "beneficial_owners": []}));
    let owner = json!({"full_name": "Ada", "ownership_percent": 62.5});
    assert_eq!(seen(&[&ada, &owners]).1["beneficial_owners"], json!([owner]));
    assert_eq!(seen(&[&address, &ada, &owners, &number]), seen(&[&number, &owners, &ada, &address]));
}
