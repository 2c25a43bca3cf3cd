//! Status lists: what they say, and when nobody should believe them.

use std::io::Write;

use beltic::verify::{Lists, Reason, Step};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::readers::sign::base64url;
use crate::world::{
    BIT_LIST, ENDS, INDEX, ISSUED, ISSUER, KID, Kind, NOW, TOKEN_LIST, World, hand, stranger,
};

/// Two bits an entry, with these values at these places.
pub(crate) fn token_list(values: &[(u64, u8)]) -> String {
    sign_token_list(|_| {}, values)
}

/// One bit an entry, with these places set.
pub(crate) fn bit_list(set: &[u64]) -> String {
    sign_bit_list(|_| {}, set)
}

pub(crate) fn sign_token_list(change: impl FnOnce(&mut Value), values: &[(u64, u8)]) -> String {
    let mut bytes = vec![0u8; 131_072 / 4];
    for (index, value) in values {
        bytes[(index / 4) as usize] |= value << (2 * (index % 4));
    }
    let mut payload = json!({
        "sub": TOKEN_LIST, "iat": ISSUED, "exp": ISSUED + 604_800, "ttl": 43_200,
        "status_list": {"bits": 2, "lst": base64url(&zlib(&bytes))},
    });
    change(&mut payload);
    hand().token(&json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": KID}), &payload)
}

pub(crate) fn sign_bit_list(change: impl FnOnce(&mut Value), set: &[u64]) -> String {
    let mut bytes = vec![0u8; 131_072 / 8];
    for index in set {
        bytes[(index / 8) as usize] |= 0x80 >> (index % 8);
    }
    let mut payload = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": BIT_LIST, "type": ["VerifiableCredential", "BitstringStatusListCredential"], "issuer": ISSUER,
        "validFrom": "2026-11-23T04:00:00Z", "validUntil": "2026-11-30T04:00:00Z",
        "credentialSubject": {
            "id": format!("{BIT_LIST}#list"), "type": "BitstringStatusList", "statusPurpose": "revocation",
            "encodedList": format!("u{}", base64url(&gzip(&bytes))),
        },
    });
    change(&mut payload);
    hand().token(&json!({"alg": "ES256", "typ": "vc+jwt", "kid": KID}), &payload)
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a credential's verdict is with these lists.
fn with_lists(kind: Kind, lists: &[String]) -> Option<(Reason, Step)> {
    judged(&kind.token(), lists)
}

/// What a token's verdict is with these lists. [`problem`] says whether they can be relied on.
fn judged(token: &str, lists: &[String]) -> Option<(Reason, Step)> {
    let mut world = World::new();
    world.lists = Lists::default();
    for list in lists {
        let kept = world.lists.usable();
        let added = world.lists.add(list, &world.ring, &world.policy);
        assert!(added.is_ok() || world.lists.usable() <= kept);
    }
    world.refusal(token)
}

/// Why a list cannot be relied on, if it cannot.
fn problem(list: &str) -> Option<(Reason, Step)> {
    let world = World::new();
    let added = Lists::default().add(list, &world.ring, &world.policy);
    added.err().map(|problem| (problem.problem.reason, problem.problem.step))
}

const UNKNOWN: Option<(Reason, Step)> = Some((Reason::StatusUnknown, Step::Status));
const REVOKED: Option<(Reason, Step)> = Some((Reason::Revoked, Step::Status));
const SUSPENDED: Option<(Reason, Step)> = Some((Reason::Suspended, Step::Status));

/// What is done to a list's payload.
type Change = Box<dyn FnOnce(&mut Value)>;

#[test]
fn what_the_lists_say_is_the_verdict() {
    for (value, expected) in [(0, None), (1, REVOKED), (2, SUSPENDED), (3, UNKNOWN)] {
        let list = token_list(&[(INDEX, value)]);
        assert_eq!(with_lists(Kind::SdJwtVc, std::slice::from_ref(&list)), expected);
        let alone = with_lists(Kind::JwtVc, std::slice::from_ref(&list));
        assert_eq!(alone, expected.or(UNKNOWN), "it names two lists, and one is missing");
        assert_eq!(with_lists(Kind::JwtVc, &[list, bit_list(&[])]), expected);
    }
    assert_eq!(with_lists(Kind::JwtVc, &[bit_list(&[])]), UNKNOWN);
    assert_eq!(with_lists(Kind::JwtVc, &[bit_list(&[INDEX])]), REVOKED, "what one list takes back stays so");
    for value in [0, 2, 3] {
        let lists = [bit_list(&[INDEX]), token_list(&[(INDEX, value)])];
        assert_eq!(with_lists(Kind::JwtVc, &lists), REVOKED, "beside {value}");
    }
    assert_eq!(with_lists(Kind::SdJwtVc, &[bit_list(&[])]), UNKNOWN, "it names no such list");
    // Neighbours, and the place that another bit order would read.
    let neighbours = [(INDEX - 1, 1), (INDEX + 1, 1), (INDEX ^ 3, 1), (INDEX % 131_072 / 2, 1)];
    assert_eq!(with_lists(Kind::SdJwtVc, &[token_list(&neighbours)]), None);
    let neighbours = bit_list(&[INDEX - 1, INDEX + 1, INDEX ^ 7]);
    assert_eq!(with_lists(Kind::JwtVc, &[neighbours, token_list(&[])]), None);
}

#[test]
fn the_other_purpose_of_a_list_is_another_list() {
    let suspension = |change: &mut Value| change["credentialSubject"]["statusPurpose"] = json!("suspension");
    let list = sign_bit_list(suspension, &[INDEX]);
    assert_eq!(with_lists(Kind::JwtVc, std::slice::from_ref(&list)), UNKNOWN, "it is no list of revocations");

    let mut world = World::new();
    world.lists = Lists::default();
    world.lists.add(&list, &world.ring, &world.policy).unwrap();
    world.lists.add(&bit_list(&[]), &world.ring, &world.policy).unwrap();
    let token = Kind::JwtVc.with_payload(|payload| {
        let mut entry = payload["credentialStatus"].clone();
        entry["statusPurpose"] = json!("suspension");
        payload["credentialStatus"] = json!([payload["credentialStatus"], entry]);
    });
    assert_eq!(world.refusal(&token), SUSPENDED);
}

/// A list that nobody should believe leaves the status unknown, though its bits say that all is well, and
/// though another list of the same name is sound.
#[test]
fn lists_that_cannot_be_relied_on_are_not_relied_on() {
    let bomb = || base64url(&zlib(&vec![0; 100 << 20]));
    let changes: Vec<(&str, Change)> = vec![
        ("expired", Box::new(|p| p["exp"] = json!(NOW))),
        ("from the future", Box::new(|p| p["iat"] = json!(NOW + 1))),
        ("without iat", Box::new(|p| drop(p.as_object_mut().unwrap().remove("iat")))),
        ("exp that is none", Box::new(|p| p["exp"] = json!("never"))),
        ("of another issuer", Box::new(|p| p["iss"] = json!("did:web:other.example"))),
        ("three bits", Box::new(|p| p["status_list"]["bits"] = json!(3))),
        ("2^32 + 2 bits", Box::new(|p| p["status_list"]["bits"] = json!((1u64 << 32) + 2))),
        ("bits as text", Box::new(|p| p["status_list"]["bits"] = json!("2"))),
        ("no list", Box::new(|p| drop(p.as_object_mut().unwrap().remove("status_list")))),
        ("lst with padding", Box::new(|p| p["status_list"]["lst"] = json!("eNo="))),
        ("gzip", Box::new(|p| p["status_list"]["lst"] = json!(base64url(&gzip(&[0; 32_768]))))),
        ("not compressed", Box::new(|p| p["status_list"]["lst"] = json!(base64url(&[0; 4])))),
        ("cut", Box::new(|p| p["status_list"]["lst"] = json!(base64url(&zlib(&[0; 32_768])[..20])))),
        (
            "two lists in one",
            Box::new(|p| {
                p["status_list"]["lst"] = json!(base64url(&[zlib(&[0; 32_768]), zlib(&[0; 4])].concat()))
            }),
        ),
        ("a bomb", Box::new(move |p| p["status_list"]["lst"] = json!(bomb()))),
        ("too short", Box::new(|p| p["status_list"]["lst"] = json!(base64url(&zlib(&[0; 16]))))),
        ("under another name", Box::new(|p| p["sub"] = json!("https://issuer.example/status/2.jwt"))),
        ("under its name with a slash", Box::new(|p| p["sub"] = json!(format!("{TOKEN_LIST}/")))),
        ("under no name", Box::new(|p| drop(p.as_object_mut().unwrap().remove("sub")))),
        ("ttl 0", Box::new(|p| p["ttl"] = json!(0))),
        ("ttl below 0", Box::new(|p| p["ttl"] = json!(-5))),
        ("ttl as text", Box::new(|p| p["ttl"] = json!("60"))),
        ("ttl null", Box::new(|p| p["ttl"] = json!(null))),
    ];
    for (name, change) in changes {
        let list = sign_token_list(change, &[]);
        let expected = match name {
            "expired" => Some((Reason::Expired, Step::Times)),
            "from the future" => Some((Reason::NotYetValid, Step::Times)),
            "of another issuer" => Some((Reason::IssuerMismatch, Step::Issuer)),
            // A sound list, and not the one that the credential is in.
            "too short" | "under another name" | "under its name with a slash" => None,
            _ => Some((Reason::SchemaInvalid, Step::Claims)),
        };
        assert_eq!(problem(&list), expected, "{name}");
        assert_eq!(with_lists(Kind::SdJwtVc, &[list]), UNKNOWN, "{name}");
    }
    let changes: Vec<(&str, Change)> = vec![
        ("expired", Box::new(|p| p["validUntil"] = json!("2026-11-23T05:00:00Z"))),
        ("its JWT expired", Box::new(|p| p["exp"] = json!(NOW))),
        ("from the future", Box::new(|p| p["validFrom"] = json!("2026-11-23T05:00:01Z"))),
        ("of another issuer", Box::new(|p| p["issuer"] = json!("did:web:other.example"))),
        ("of two issuers", Box::new(|p| p["iss"] = json!("did:web:other.example"))),
        ("no issuer", Box::new(|p| drop(p.as_object_mut().unwrap().remove("issuer")))),
        ("another type", Box::new(|p| p["type"] = json!(["VerifiableCredential"]))),
        ("another subject", Box::new(|p| p["credentialSubject"]["type"] = json!("x"))),
        ("another purpose", Box::new(|p| p["credentialSubject"]["statusPurpose"] = json!("message"))),
        ("two bits", Box::new(|p| p["credentialSubject"]["statusSize"] = json!(2))),
        (
            "no prefix",
            Box::new(|p| p["credentialSubject"]["encodedList"] = json!(base64url(&gzip(&[0; 16_384])))),
        ),
        (
            "zlib",
            Box::new(|p| {
                p["credentialSubject"]["encodedList"] = json!(format!("u{}", base64url(&zlib(&[0; 16_384]))))
            }),
        ),
        (
            "too short",
            Box::new(|p| {
                p["credentialSubject"]["encodedList"] = json!(format!("u{}", base64url(&gzip(&[0; 16_383]))))
            }),
        ),
        (
            "two members",
            Box::new(|p| {
                p["credentialSubject"]["encodedList"] =
                    json!(format!("u{}", base64url(&[gzip(&[0; 16_384]), gzip(&[0; 4])].concat())))
            }),
        ),
        (
            "a bomb",
            Box::new(|p| {
                p["credentialSubject"]["encodedList"] =
                    json!(format!("u{}", base64url(&gzip(&vec![0; 100 << 20]))))
            }),
        ),
        ("under another name", Box::new(|p| p["id"] = json!("https://issuer.example/status/2b.jwt"))),
        ("under no name", Box::new(|p| drop(p.as_object_mut().unwrap().remove("id")))),
        ("no context", Box::new(|p| drop(p.as_object_mut().unwrap().remove("@context")))),
        ("another context", Box::new(|p| p["@context"] = json!(["https://issuer.example/c"]))),
        ("no credential", Box::new(|p| p["type"] = json!(["BitstringStatusListCredential"]))),
        (
            "no purpose that counts",
            Box::new(|p| p["credentialSubject"]["statusPurpose"] = json!(["message"])),
        ),
        ("no purposes", Box::new(|p| p["credentialSubject"]["statusPurpose"] = json!([]))),
        ("ttl 0", Box::new(|p| p["credentialSubject"]["ttl"] = json!(0))),
        ("ttl as text", Box::new(|p| p["credentialSubject"]["ttl"] = json!("43200000"))),
        ("no times", Box::new(|p| p.as_object_mut().unwrap().retain(|name, _| !name.starts_with("valid")))),
    ];
    for (name, change) in changes {
        let list = sign_bit_list(change, &[]);
        let expected = match name {
            "expired" | "its JWT expired" => Some((Reason::Expired, Step::Times)),
            "from the future" => Some((Reason::NotYetValid, Step::Times)),
            "of another issuer" => Some((Reason::IssuerMismatch, Step::Issuer)),
            "another type" => Some((Reason::UnsupportedType, Step::Claims)),
            "under another name" => None,
            _ => Some((Reason::SchemaInvalid, Step::Claims)),
        };
        assert_eq!(problem(&list), expected, "{name}");
        assert_eq!(with_lists(Kind::JwtVc, &[list, token_list(&[])]), UNKNOWN, "{name}");
    }
}

/// Where nobody knows whose keys they are, a list that says that it is another issuer's is not the credential's.
#[test]
fn a_list_of_another_issuer_by_its_own_word_does_not_count() {
    let mut ring = beltic::verify::KeyRing::default();
    ring.add_jwks(&json!({"keys": [hand().jwk("k")]}).to_string(), None).unwrap();
    let policy = World::new().policy;
    let verdict = |issuer: Option<&str>| {
        let change = |payload: &mut Value| payload["iss"] = json!(issuer);
        let mut payload: Value = crate::readers_payload(&sign_token_list(change, &[]));
        if issuer.is_none() {
            payload.as_object_mut().unwrap().remove("iss");
        }
        let list = hand().token(&json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": "k"}), &payload);
        let world = World { ring: ring.clone(), policy: policy.clone(), lists: Lists::default() };
        let mut world = world;
        world.lists.add(&list, &world.ring, &world.policy).unwrap();
        world.verdict(&Kind::SdJwtVc.with_header(|header| header["kid"] = json!("k"))).err()
    };
    assert_eq!([verdict(None), verdict(Some(ISSUER))], [None, None]);
    let (reason, step, message) = verdict(Some("did:web:other.example")).unwrap();
    assert_eq!((reason, step), (Reason::StatusUnknown, Step::Status));
    assert!(message.contains("belongs to did:web:other.example"), "{message}");
}

/// The other Bitstring list, of suspensions, in which nothing is set.
fn suspension_list() -> String {
    let change = |payload: &mut Value| {
        payload["id"] = json!(SUSPENSIONS);
        payload["credentialSubject"]["statusPurpose"] = json!("suspension");
    };
    sign_bit_list(change, &[])
}

const SUSPENSIONS: &str = "https://issuer.example/status/1s.jwt";

/// A token list of one bit an entry, which cannot say "suspended".
fn one_bit_list(set: &[u64]) -> String {
    let mut bytes = vec![0u8; 131_072 / 8];
    for index in set {
        bytes[(index / 8) as usize] |= 1 << (index % 8);
    }
    let lst = base64url(&zlib(&bytes));
    sign_token_list(move |payload| payload["status_list"] = json!({"bits": 1, "lst": lst}), &[])
}

/// A `vc+jwt` with these entries beside its token list.
fn with_entries(entries: &[Value]) -> String {
    Kind::JwtVc.at("/credentialStatus", Some(json!(entries)))
}

fn entry(purpose: &str) -> Value {
    let list = if purpose == "suspension" { SUSPENSIONS } else { BIT_LIST };
    json!({
        "type": "BitstringStatusListEntry", "statusPurpose": purpose, "statusListIndex": INDEX.to_string(),
        "statusListCredential": list,
    })
}

/// Every entry is answered by its own list, and no list answers for another.
#[test]
fn every_entry_is_judged_by_the_list_that_it_names() {
    let suspended = with_entries(&[entry("suspension")]);
    let both = with_entries(&[entry("revocation"), entry("suspension")]);
    let revoked_alone = with_entries(&[entry("revocation")]);
    for (name, token, lists, expected) in [
        ("suspensions alone", &suspended, vec![suspension_list()], UNKNOWN),
        ("revoked there", &suspended, vec![suspension_list(), one_bit_list(&[INDEX])], REVOKED),
        ("revoked in the only one", &suspended, vec![one_bit_list(&[INDEX])], REVOKED),
        ("suspended in the only one", &suspended, vec![token_list(&[(INDEX, 2)])], SUSPENDED),
        ("one bit alone", &suspended, vec![one_bit_list(&[])], UNKNOWN),
        ("two bits alone", &suspended, vec![token_list(&[])], UNKNOWN),
        ("both forms", &suspended, vec![one_bit_list(&[]), suspension_list()], None),
        ("revocations for suspensions", &suspended, vec![token_list(&[]), bit_list(&[])], UNKNOWN),
        ("two bits for three", &both, vec![token_list(&[])], UNKNOWN),
        ("without revocations", &both, vec![token_list(&[]), suspension_list()], UNKNOWN),
        ("without suspensions", &both, vec![token_list(&[]), bit_list(&[])], UNKNOWN),
        ("without the token list", &both, vec![bit_list(&[]), suspension_list()], UNKNOWN),
        ("all three", &both, vec![token_list(&[]), bit_list(&[]), suspension_list()], None),
        ("suspended in the third", &both, vec![token_list(&[(INDEX, 2)]), bit_list(&[])], SUSPENDED),
        ("revoked, though two are missing", &both, vec![bit_list(&[INDEX])], REVOKED),
        // As credentials are that were issued before their list knew suspensions.
        ("the only bitstring", &revoked_alone, vec![bit_list(&[])], UNKNOWN),
        ("one bit for one", &revoked_alone, vec![one_bit_list(&[])], UNKNOWN),
        ("both for one", &revoked_alone, vec![one_bit_list(&[]), bit_list(&[])], None),
    ] {
        assert_eq!(judged(token, &lists), expected, "{name}");
    }
    // Two of one purpose are two lists.
    let mut second = entry("revocation");
    second["statusListCredential"] = json!("https://issuer.example/status/2b.jwt");
    let token = with_entries(&[entry("revocation"), second]);
    assert_eq!(judged(&token, &[token_list(&[]), bit_list(&[])]), UNKNOWN);
    let other = sign_bit_list(|payload| payload["id"] = json!("https://issuer.example/status/2b.jwt"), &[]);
    assert_eq!(judged(&token, &[token_list(&[]), bit_list(&[]), other]), None);
}

/// What nobody here can look up leaves the status unknown, unless what can be looked up says "revoked".
#[test]
fn an_entry_of_another_type_is_not_skipped() {
    for other in [
        json!({"type": "StatusList2021Entry", "statusPurpose": "revocation", "statusListIndex": "5", "statusListCredential": "x:y"}),
        json!({"type": "RevocationList2020Status"}),
        json!({"type": ["x"]}),
        json!({"type": "BitstringStatusListEntry", "statusPurpose": "x"}),
        json!({"type": ["BitstringStatusListEntry", "x"], "statusPurpose": "x"}),
    ] {
        for entries in [vec![entry("revocation"), other.clone()], vec![other.clone(), entry("revocation")]] {
            let token = with_entries(&entries);
            assert_eq!(judged(&token, &[token_list(&[]), bit_list(&[])]), UNKNOWN, "{other}");
            assert_eq!(judged(&token, &[bit_list(&[INDEX])]), REVOKED, "{other}");
        }
        assert_eq!(judged(&with_entries(&[other]), &[token_list(&[]), bit_list(&[])]), UNKNOWN);
    }
    // These say nothing about whether it holds.
    let alone = |purpose: &str| {
        Kind::JwtVc.with_payload(|payload| {
            payload.as_object_mut().unwrap().remove("status");
            payload["credentialStatus"] = entry(purpose);
        })
    };
    assert_eq!([judged(&alone("refresh"), &[]), judged(&alone("message"), &[])], [None, None]);
    assert_eq!(judged(&alone("revocation"), &[]), UNKNOWN);
}

/// A list without an end holds for its `ttl`, and without that for seven days.
#[test]
fn every_list_ends() {
    let age = NOW - ISSUED;
    let token = |ttl: Option<Value>, issued: i64| {
        let change = |payload: &mut Value| {
            let members = payload.as_object_mut().unwrap();
            members.retain(|name, _| !matches!(name.as_str(), "exp" | "ttl"));
            members.insert("iat".into(), json!(issued));
            members.extend(ttl.map(|ttl| ("ttl".to_owned(), ttl)));
        };
        problem(&sign_token_list(change, &[]))
    };
    let expired = Some((Reason::Expired, Step::Times));
    assert_eq!(token(Some(json!(age + 1)), ISSUED), None);
    assert_eq!(token(Some(json!(age as f64 + 0.5)), ISSUED), None);
    assert_eq!(token(Some(json!(age)), ISSUED), expired);
    assert_eq!(token(Some(json!(1e300)), ISSUED), None);
    assert_eq!(token(None, NOW - 604_799), None);
    assert_eq!(token(None, NOW - 604_800), expired);
    let bits = |ttl: i64| {
        let change = |payload: &mut Value| {
            payload.as_object_mut().unwrap().remove("validUntil");
            payload["credentialSubject"]["ttl"] = json!(ttl);
        };
        problem(&sign_bit_list(change, &[]))
    };
    assert_eq!([bits(1000 * age + 1), bits(1000 * age), bits(300_000)], [None, expired, expired]);
    // Beside an end, it is advice for caches.
    assert_eq!(problem(&sign_token_list(|payload| payload["ttl"] = json!(1), &[])), None);
}

#[test]
fn one_list_may_have_two_purposes() {
    let purposes = |change: &mut Value| {
        change["credentialSubject"]["statusPurpose"] = json!(["revocation", "suspension", "message"]);
    };
    assert_eq!(with_lists(Kind::JwtVc, &[sign_bit_list(purposes, &[]), token_list(&[])]), None);
    assert_eq!(with_lists(Kind::JwtVc, &[sign_bit_list(purposes, &[INDEX])]), REVOKED);
    let mut suspension = entry("suspension");
    suspension["statusListCredential"] = json!(BIT_LIST);
    assert_eq!(
        judged(&with_entries(&[suspension]), &[sign_bit_list(purposes, &[INDEX]), token_list(&[])]),
        SUSPENDED
    );
}

/// Nobody's list takes the place of another's, and none is spoilt by what came before it.
#[test]
fn lists_of_one_name_are_told_apart() {
    let other = "did:web:other.example";
    let kid = format!("{other}#k");
    let mut world = World::new();
    world.ring.add_jwks(&json!({"keys": [stranger().jwk(&kid)]}).to_string(), None).unwrap();
    let foreign = |exp: i64| {
        let lst = base64url(&zlib(&[0; 32_768]));
        let payload =
            json!({"sub": TOKEN_LIST, "iat": NOW - 1, "exp": exp, "status_list": {"bits": 2, "lst": lst}});
        stranger().token(&json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": kid}), &payload)
    };
    let verdict = |lists: &[&String], token: &str| {
        let mut world =
            World { ring: world.ring.clone(), policy: world.policy.clone(), lists: Lists::default() };
        for list in lists {
            let added = world.lists.add(list, &world.ring, &world.policy);
            assert_eq!(
                added.map_err(|problem| problem.problem.reason),
                if stale(list) { Err(Reason::Expired) } else { Ok(()) }
            );
        }
        world.refusal(token)
    };
    let (jwt, sd_jwt) = (Kind::JwtVc.token(), Kind::SdJwtVc.token());
    for foreign in [foreign(NOW), foreign(ENDS)] {
        assert_eq!(verdict(&[&foreign], &sd_jwt), UNKNOWN);
        assert_eq!(verdict(&[&foreign, &bit_list(&[])], &jwt), UNKNOWN, "the issuer's own is missing");
        for (own, expected) in [(token_list(&[]), None), (token_list(&[(INDEX, 1)]), REVOKED)] {
            assert_eq!(verdict(&[&foreign, &own], &sd_jwt), expected);
            assert_eq!(verdict(&[&own, &foreign], &sd_jwt), expected);
        }
    }
    let times = |iat: i64, exp: i64| {
        move |payload: &mut Value| (payload["iat"] = json!(iat), payload["exp"] = json!(exp)).1
    };
    let (old, new) = (sign_token_list(times(ISSUED - 60, NOW), &[]), token_list(&[]));
    for lists in [[&old, &new], [&new, &old]] {
        assert_eq!(verdict(&lists, &sd_jwt), None);
    }
    // The last word is one that cannot be relied on.
    let (sound, last) = (token_list(&[]), sign_token_list(times(ISSUED + 60, NOW), &[]));
    for lists in [[&sound, &last], [&last, &sound]] {
        assert_eq!(verdict(&lists, &sd_jwt), UNKNOWN);
    }
    // One that does not hold yet takes nothing away.
    let early = sign_token_list(times(NOW + 60, ENDS), &[(INDEX, 1)]);
    let both = [token_list(&[]), early];
    assert_eq!(judged(&sd_jwt, &both), None);
    assert_eq!(judged(&sd_jwt, &[both[1].clone(), both[0].clone()]), None);
    assert_eq!(judged(&sd_jwt, &both[1..]), UNKNOWN);
}

/// Whether a list of [`lists_of_one_name_are_told_apart`] has expired.
fn stale(list: &str) -> bool {
    let payload = crate::readers::token::base64url(list.split('.').nth(1).unwrap());
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    payload["exp"] == json!(NOW)
}

#[test]
fn a_bad_list_is_not_made_good_by_another_form_or_copy() {
    let stale = sign_token_list(|payload| payload["exp"] = json!(NOW), &[]);
    assert_eq!(with_lists(Kind::JwtVc, &[stale.clone(), bit_list(&[])]), UNKNOWN);
    let unsound = sign_token_list(|payload| payload["ttl"] = json!(0), &[]);
    assert_eq!(with_lists(Kind::JwtVc, &[unsound.clone(), bit_list(&[])]), UNKNOWN);
    let older = sign_token_list(|p| (p["ttl"] = json!(0), p["iat"] = json!(ISSUED - 60)).1, &[]);
    for lists in [[older.clone(), token_list(&[])], [token_list(&[]), older]] {
        assert_eq!(with_lists(Kind::SdJwtVc, &lists), None, "a newer sound one of that name says it");
    }
    // What was signed at the same time or later, or nobody knows when, may be the last word.
    let undated = sign_token_list(|payload| payload["iat"] = json!("yesterday"), &[(INDEX, 1)]);
    let faulty =
        sign_token_list(|p| (p["exp"] = json!("soon"), p["iat"] = json!(ISSUED + 60)).1, &[(INDEX, 1)]);
    for last in [unsound, undated, faulty] {
        for lists in [[last.clone(), token_list(&[])], [token_list(&[]), last.clone()]] {
            assert_eq!(with_lists(Kind::SdJwtVc, &lists), UNKNOWN);
        }
    }
    // Of two sound ones of the same second that differ, neither counts, whichever comes first.
    for lists in [[token_list(&[]), token_list(&[(INDEX, 1)])], [token_list(&[(INDEX, 1)]), token_list(&[])]]
    {
        assert_eq!(with_lists(Kind::SdJwtVc, &lists), UNKNOWN);
    }
    assert_eq!(with_lists(Kind::SdJwtVc, &[token_list(&[]), token_list(&[])]), None, "the same one twice");
    // Of two sound ones the newer counts, whichever comes first.
    let newer = sign_token_list(|payload| payload["iat"] = json!(ISSUED + 60), &[(INDEX, 1)]);
    for lists in [[token_list(&[]), newer.clone()], [newer, token_list(&[])]] {
        assert_eq!(with_lists(Kind::SdJwtVc, &lists), REVOKED);
    }
}

#[test]
fn a_list_is_a_token_like_any_other() {
    let sound = token_list(&[]);
    let payload = crate::readers::token::base64url(sound.split('.').nth(1).unwrap());
    let payload = String::from_utf8(payload).unwrap();
    let forged =
        |header: Value, forger: &crate::readers::sign::Hand| forger.jws(&header.to_string(), &payload);
    let header = json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": KID});
    let mut lists = vec![
        ("a stranger's", forged(header.clone(), &stranger())),
        ("unsigned", sound.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("with a tilde", format!("{sound}~")),
        ("a credential instead", Kind::JwtVc.token()),
        ("an SD-JWT instead", Kind::SdJwtVc.token()),
        ("nothing", String::new()),
    ];
    for (name, member, value) in [
        ("alg none", "alg", json!("none")),
        ("typ JWT", "typ", json!("JWT")),
        ("typ dc+sd-jwt", "typ", json!("dc+sd-jwt")),
        ("typ of the other form", "typ", json!("vc+jwt")),
        ("crit", "crit", json!(["exp"])),
        ("another kid", "kid", json!("k")),
    ] {
        let mut header = header.clone();
        header[member] = value;
        lists.push((name, forged(header, &hand())));
    }
    for (name, list) in lists {
        let expected = match name {
            "a stranger's" | "unsigned" => (Reason::BadSignature, Step::Signature),
            "with a tilde" => (Reason::Malformed, Step::Header),
            "nothing" => (Reason::Malformed, Step::Split),
            "alg none" => (Reason::UnsupportedAlg, Step::Header),
            "crit" => (Reason::UnsupportedCritical, Step::Header),
            "another kid" => (Reason::UnknownKid, Step::Key),
            "a credential instead" | "typ of the other form" => (Reason::UnsupportedType, Step::Claims),
            _ => (Reason::UnsupportedType, Step::Header),
        };
        assert_eq!(problem(&list), Some(expected), "{name}");
        assert_eq!(with_lists(Kind::SdJwtVc, &[list]), UNKNOWN, "{name}");
    }
    // And a list is no credential.
    for list in [token_list(&[]), bit_list(&[])] {
        assert_eq!(World::new().refusal(&list).unwrap().0, Reason::UnsupportedType);
    }
}
