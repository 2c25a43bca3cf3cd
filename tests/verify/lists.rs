//! Status lists: what they say, and when nobody should believe them.

use std::io::Write;

use beltic::verify::{Lists, Reason, Step};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::readers::sign::base64url;
use crate::world::{BIT_LIST, INDEX, ISSUED, ISSUER, KID, Kind, NOW, TOKEN_LIST, World, hand, stranger};

/// Two bits an entry, with these values at these places.
pub(crate) fn token_list(values: &[(u64, u8)]) -> String {
    sign_token_list(|_| {}, values)
}

/// One bit an entry, with these places set.
pub(crate) fn bit_list(set: &[u64]) -> String {
    sign_bit_list(|_| {}, set)
}

fn sign_token_list(change: impl FnOnce(&mut Value), values: &[(u64, u8)]) -> String {
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

fn sign_bit_list(change: impl FnOnce(&mut Value), set: &[u64]) -> String {
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

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a credential's verdict is with these lists.
fn with_lists(kind: Kind, lists: &[String]) -> Option<(Reason, Step)> {
    let mut world = World::new();
    world.lists = Lists::default();
    for list in lists {
        // A list that cannot be relied on is what the case is about.
        let _ = world.lists.add(list, &world.ring, &world.policy);
    }
    world.refusal(&kind.token())
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
        assert_eq!(
            with_lists(Kind::JwtVc, std::slice::from_ref(&list)),
            expected,
            "one form of list is enough"
        );
        assert_eq!(with_lists(Kind::JwtVc, &[list, bit_list(&[])]), expected);
    }
    assert_eq!(with_lists(Kind::JwtVc, &[bit_list(&[INDEX])]), REVOKED);
    assert_eq!(
        with_lists(Kind::JwtVc, &[bit_list(&[INDEX]), token_list(&[])]),
        REVOKED,
        "either form revokes"
    );
    assert_eq!(with_lists(Kind::SdJwtVc, &[bit_list(&[])]), UNKNOWN, "it names no such list");
    // Neighbours, and the place that another bit order would read.
    let neighbours = [(INDEX - 1, 1), (INDEX + 1, 1), (INDEX ^ 3, 1), (INDEX % 131_072 / 2, 1)];
    assert_eq!(with_lists(Kind::SdJwtVc, &[token_list(&neighbours)]), None);
    assert_eq!(with_lists(Kind::JwtVc, &[bit_list(&[INDEX - 1, INDEX + 1, INDEX ^ 7])]), None);
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
    ];
    for (name, change) in changes {
        assert_eq!(with_lists(Kind::SdJwtVc, &[sign_token_list(change, &[])]), UNKNOWN, "{name}");
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
    ];
    for (name, change) in changes {
        assert_eq!(with_lists(Kind::JwtVc, &[sign_bit_list(change, &[])]), UNKNOWN, "{name}");
    }
}

#[test]
fn a_bad_list_is_not_made_good_by_another_form_or_copy() {
    let stale = sign_token_list(|payload| payload["exp"] = json!(NOW), &[]);
    assert_eq!(with_lists(Kind::JwtVc, &[stale.clone(), bit_list(&[])]), UNKNOWN);
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
        assert_eq!(with_lists(Kind::SdJwtVc, &[list]), UNKNOWN, "{name}");
    }
    // And a list is no credential.
    for list in [token_list(&[]), bit_list(&[])] {
        assert_eq!(World::new().refusal(&list).unwrap().0, Reason::UnsupportedType);
    }
}
