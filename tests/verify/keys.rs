//! Whose key it is.

use beltic::keys::PublicKey;
use beltic::verify::{KeyRing, NoLists, Policy, Reason, RingError, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::readers::sign::Hand;
use crate::world::{ISSUER, KID, Kind, NOW, hand, stranger};

/// An SD-JWT without status, of this issuer and key.
fn token(signer: &Hand, kid: &str, iss: &str) -> String {
    let payload = json!({"iss": iss, "vct": "urn:x", "exp": 4_000_000_000u32});
    signer.sd_jwt(&json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": kid}), &payload, &[])
}

/// Whether it is valid, and whether the issuer was checked; else the reason and step.
fn verdict(ring: &KeyRing, issuer: Option<&str>, token: &str) -> Result<bool, (Reason, Step)> {
    let mut policy = Policy::at(beltic::clock::UnixTime::from_seconds(NOW).unwrap());
    policy.issuer = issuer.map(str::to_owned);
    match Verifier::new(ring, &policy, NoLists).verify(token) {
        Verdict::Valid(valid) => Ok(!valid.unchecked.issuer),
        Verdict::Invalid(refusal) => Err((refusal.reason, refusal.step)),
    }
}

fn ring_of_jwks(keys: &[Value], issuer: Option<&str>) -> Result<KeyRing, RingError> {
    let mut ring = KeyRing::default();
    ring.add_jwks(&json!({ "keys": keys }).to_string(), issuer).map(|()| ring)
}

fn method(signer: &Hand, id: &str) -> Value {
    json!({"id": id, "type": "JsonWebKey", "controller": ISSUER, "publicKeyJwk": signer.jwk(id)})
}

fn public(signer: &Hand) -> PublicKey {
    PublicKey::from_jwk_json(&signer.jwk("x").to_string()).unwrap()
}

#[test]
fn a_bare_name_says_nothing_about_the_issuer_until_somebody_does() {
    let ring = ring_of_jwks(&[hand().jwk("k")], None).unwrap();
    assert_eq!(verdict(&ring, None, &token(&hand(), "k", "https://a.example")), Ok(false));
    assert_eq!(
        verdict(&ring, Some("https://a.example"), &token(&hand(), "k", "https://a.example")),
        Ok(true)
    );
    let other = verdict(&ring, Some("https://a.example"), &token(&hand(), "k", "https://b.example"));
    assert_eq!(other, Err((Reason::IssuerMismatch, Step::Issuer)));
}

/// A did:key and a did:jwk are their keys, whatever else was said of another one.
#[test]
fn a_did_that_is_a_key_has_no_other() {
    for did in [public(&hand()).did_key(), public(&hand()).did_jwk()] {
        for asked in [None, Some(did.as_str())] {
            for named in [None, Some(did.as_str())] {
                let mismatch = Err((Reason::IssuerMismatch, Step::Issuer));
                let theirs = ring_of_jwks(&[stranger().jwk("k")], named).unwrap();
                assert_eq!(verdict(&theirs, asked, &token(&stranger(), "k", &did)), mismatch, "{did}");
                let own = ring_of_jwks(&[hand().jwk("k")], named).unwrap();
                let is_known = asked.is_some() || named.is_some();
                assert_eq!(verdict(&own, asked, &token(&hand(), "k", &did)), Ok(is_known), "{did}");
            }
        }
    }
}

#[test]
fn a_key_signs_only_for_the_did_in_its_name() {
    let ring = ring_of_jwks(&[hand().jwk(KID), stranger().jwk("did:web:other.example#key-1")], None).unwrap();
    assert_eq!(verdict(&ring, None, &token(&hand(), KID, ISSUER)), Ok(true));
    let mismatch = |step| Err((Reason::IssuerMismatch, step));
    assert_eq!(verdict(&ring, None, &token(&hand(), KID, "did:web:other.example")), mismatch(Step::Issuer));
    let of_other = token(&stranger(), "did:web:other.example#key-1", ISSUER);
    assert_eq!(verdict(&ring, None, &of_other), mismatch(Step::Issuer));
    assert_eq!(verdict(&ring, Some(ISSUER), &of_other), mismatch(Step::Key));
    // The other's key under this issuer's name, and the other way round.
    assert_eq!(
        verdict(&ring, None, &token(&stranger(), KID, ISSUER)),
        Err((Reason::BadSignature, Step::Signature))
    );
}

#[test]
fn a_did_document_gives_its_assertion_methods_and_no_others() {
    let id = |name: &str| format!("{ISSUER}#{name}");
    let document = json!({
        "id": ISSUER,
        "verificationMethod": [
            method(&hand(), &id("a")), method(&stranger(), &id("login")), method(&Hand::of_number(3), "#short"),
            method(&Hand::of_number(4), "did:web:other.example#d"),
            {"id": id("c"), "type": "JsonWebKey", "controller": "did:web:other.example", "publicKeyJwk": Hand::of_number(5).jwk("c")},
            {"id": id("ed"), "type": "Multikey", "controller": ISSUER, "publicKeyMultibase": "z6Mk"},
        ],
        "authentication": [id("login")],
        "assertionMethod": [
            id("a"), "#short", "did:web:other.example#d", id("c"), id("ed"), id("nowhere"),
            method(&Hand::of_number(6), &id("inside")),
        ],
    });
    let mut ring = KeyRing::default();
    assert_eq!(ring.add_did_document(&document.to_string()).unwrap(), ISSUER);
    let sound = |signer: &Hand, name: &str| verdict(&ring, None, &token(signer, name, ISSUER));
    assert_eq!(sound(&hand(), &id("a")), Ok(true));
    assert_eq!(sound(&Hand::of_number(3), &id("short")), Ok(true));
    assert_eq!(sound(&Hand::of_number(6), &id("inside")), Ok(true));
    // By the fragment alone, where `iss` says the rest.
    assert_eq!(sound(&hand(), "a"), Ok(true));
    let unknown = Err((Reason::UnknownKid, Step::Key));
    assert_eq!(sound(&stranger(), &id("login")), unknown);
    assert_eq!(sound(&Hand::of_number(4), "did:web:other.example#d"), unknown);
    assert_eq!(sound(&Hand::of_number(5), &id("c")), unknown);
    // And by the DID URL that is relative to the issuer.
    assert_eq!(sound(&hand(), "#a"), Ok(true));
    assert_eq!(sound(&stranger(), "#login"), unknown);
}

#[test]
fn files_that_are_no_keys_are_refused() {
    let mut ring = KeyRing::default();
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, r#"{"keys":[]}"#] {
        assert!(ring.add_jwks(text, None).is_err(), "{text}");
        assert!(ring.add_did_document(text).is_err(), "{text}");
    }
    let private = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d", "kid": "k"}]});
    assert!(matches!(ring.add_jwks(&private.to_string(), None), Err(RingError::Key { .. })));
    assert!(ring.is_empty());

    let mut other_use = hand().jwk("k");
    other_use["use"] = json!("enc");
    assert!(matches!(ring_of_jwks(&[other_use], None), Err(RingError::NoKey(_))));
    let twice = ring_of_jwks(&[hand().jwk(KID), stranger().jwk(KID)], None);
    assert!(matches!(twice, Err(RingError::TwoKeys { .. })));
    let forged = format!("{}#x", public(&hand()).did_key());
    assert!(matches!(ring_of_jwks(&[stranger().jwk(&forged)], None), Err(RingError::OtherKey { .. })));
    assert!(ring_of_jwks(&[hand().jwk(KID), hand().jwk(KID)], None).is_ok());
}

fn document(methods: Vec<Value>) -> Value {
    let ids: Vec<Value> = methods.iter().map(|method| method["id"].clone()).collect();
    json!({"id": ISSUER, "verificationMethod": methods, "assertionMethod": ids})
}

/// Controlled Identifiers 1.0 section 2.2: from `expires` and `revoked` on, a method verifies nothing.
#[test]
fn a_method_ends_when_it_says() {
    let sound = |member: &str, value: Value| {
        let mut ended = method(&hand(), KID);
        ended[member] = value;
        let mut ring = KeyRing::default();
        let document = document(vec![ended, method(&stranger(), &format!("{ISSUER}#other"))]);
        ring.add_did_document(&document.to_string()).unwrap();
        assert_eq!(verdict(&ring, None, &token(&stranger(), &format!("{ISSUER}#other"), ISSUER)), Ok(true));
        let skipped = ring.take_skipped().len();
        (verdict(&ring, None, &token(&hand(), KID, ISSUER)), skipped)
    };
    let unknown = Err((Reason::UnknownKid, Step::Key));
    for member in ["revoked", "expires"] {
        // NOW is 05:00:00.
        assert_eq!(sound(member, json!("2026-11-23T05:00:01Z")), (Ok(true), 0), "{member}");
        assert_eq!(sound(member, json!("2026-11-23T05:00:00Z")), (unknown, 0), "{member}");
        assert_eq!(sound(member, json!("2020-01-01T00:00:00+02:00")), (unknown, 0), "{member}");
        for odd in [json!("2099-01-01"), json!(4_000_000_000u32), json!(null), json!(false), json!("")] {
            assert_eq!(sound(member, odd.clone()), (unknown, 1), "{member} {odd}");
        }
    }
}

#[test]
fn two_methods_of_one_name_are_a_contradiction() {
    let two = |second: &Hand| {
        let document = document(vec![method(&hand(), KID), method(second, KID)]);
        KeyRing::default().add_did_document(&document.to_string())
    };
    assert!(matches!(two(&stranger()), Err(RingError::TwoKeys { .. })));
    assert_eq!(two(&hand()).unwrap(), ISSUER);
}

/// RFC 7517 section 4.3.
#[test]
fn a_key_for_other_operations_verifies_nothing() {
    let added = |operations: Value| {
        let mut key = hand().jwk(KID);
        key["key_ops"] = operations;
        let mut method = method(&hand(), KID);
        method["publicKeyJwk"] = key.clone();
        let in_document = KeyRing::default().add_did_document(&document(vec![method]).to_string()).is_ok();
        let in_set = ring_of_jwks(&[key], None).is_ok();
        assert_eq!(in_document, in_set);
        in_set
    };
    assert!(added(json!(["verify"])) && added(json!(["sign", "verify"])));
    for operations in [
        json!([]),
        json!(["sign"]),
        json!(["deriveBits"]),
        json!("verify"),
        json!(["verify", "verify"]),
        json!(["verify", 1]),
        json!(null),
        json!({"verify": true}),
    ] {
        assert!(!added(operations.clone()), "{operations}");
    }
}

/// RFC 7517 section 5: keys that cannot be used are ignored, and those beside them are not.
#[test]
fn one_unsound_key_leaves_the_others() {
    let unsound = [
        json!({"kty": "EC", "crv": "P-256", "kid": "no point"}),
        json!({"kty": "EC", "kid": "no curve", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "use": 5}),
    ];
    let keys: Vec<Value> =
        unsound.iter().cloned().chain([hand().jwk(KID), json!({"kty": "RSA"}), json!(5)]).collect();
    let mut ring = ring_of_jwks(&keys, None).unwrap();
    assert_eq!(verdict(&ring, None, &token(&hand(), KID, ISSUER)), Ok(true));
    let names: Vec<String> = ring.take_skipped().into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["no point", "no curve", "number 2"]);
    assert!(ring.take_skipped().is_empty(), "told once");
    assert!(matches!(ring_of_jwks(&unsound, None), Err(RingError::Key { .. })));
    // A private key is no oversight.
    let mut private = stranger().jwk("k");
    private["d"] = json!("AA");
    assert!(matches!(ring_of_jwks(&[hand().jwk(KID), private], None), Err(RingError::Key { .. })));

    let mut broken = method(&stranger(), &format!("{ISSUER}#broken"));
    broken["publicKeyJwk"]["x"] = json!("AA");
    let mut ring = KeyRing::default();
    ring.add_did_document(&document(vec![broken, method(&hand(), KID)]).to_string()).unwrap();
    assert_eq!(verdict(&ring, None, &token(&hand(), KID, ISSUER)), Ok(true));
}

#[test]
fn two_issuers_may_call_a_key_the_same() {
    let other = "did:web:other.example";
    let of_other = |signer: &Hand| {
        let id = format!("{other}#k");
        json!({
            "id": other, "assertionMethod": [id],
            "verificationMethod": [{"id": id, "type": "JsonWebKey", "controller": other, "publicKeyJwk": signer.jwk("k")}],
        })
    };
    let unknown = Err((Reason::UnknownKid, Step::Key));
    // One key of both, and one of each.
    for signer in [hand(), stranger()] {
        let mut ring = KeyRing::default();
        ring.add_did_document(&document(vec![method(&hand(), &format!("{ISSUER}#k"))]).to_string()).unwrap();
        ring.add_did_document(&of_other(&signer).to_string()).unwrap();
        for kid in ["k", "#k"] {
            assert_eq!(verdict(&ring, Some(ISSUER), &token(&hand(), kid, ISSUER)), Ok(true), "{kid}");
            assert_eq!(verdict(&ring, Some(other), &token(&signer, kid, other)), Ok(true), "{kid}");
            assert_eq!(verdict(&ring, None, &token(&hand(), kid, ISSUER)), unknown, "{kid}");
        }
        assert_eq!(verdict(&ring, None, &token(&signer, &format!("{other}#k"), other)), Ok(true));
        let policy = Policy::at(beltic::clock::UnixTime::from_seconds(NOW).unwrap());
        let mut verifier = Verifier::new(&ring, &policy, NoLists);
        let ambiguous = token(&hand(), "k", ISSUER);
        let Verdict::Invalid(refusal) = verifier.verify(&ambiguous) else { panic!("valid") };
        assert!(
            refusal.message.contains("several of the given keys match the token's kid \"k\""),
            "{refusal}"
        );
    }
}

/// A relative name needs an `iss` that says what it is relative to.
#[test]
fn a_relative_name_without_an_issuer_is_refused() {
    let world = crate::world::World::new();
    for kid in ["key-1", "#key-1"] {
        let named = |change: &dyn Fn(&mut Value)| {
            let mut payload = Kind::JwtVc.payload();
            change(&mut payload);
            hand().token(&json!({"alg": "ES256", "typ": "vc+jwt", "kid": kid}), &payload)
        };
        assert_eq!(world.refusal(&named(&|_| {})), None, "{kid}");
        let without = named(&|payload| drop(payload.as_object_mut().unwrap().remove("iss")));
        assert_eq!(world.refusal(&without), Some((Reason::SchemaInvalid, Step::Claims)), "{kid}");
    }
    assert_eq!(world.refusal(&Kind::JwtVc.at("/iss", None)), None, "an absolute one says it itself");
}

#[test]
fn a_bare_name_of_two_keys_is_nobodys() {
    let ring = ring_of_jwks(&[hand().jwk("k"), stranger().jwk("k"), hand().jwk("only")], None).unwrap();
    for signer in [hand(), stranger()] {
        assert_eq!(verdict(&ring, None, &token(&signer, "k", "i")), Err((Reason::UnknownKid, Step::Key)));
    }
    assert_eq!(verdict(&ring, None, &token(&hand(), "only", "i")), Ok(false));
}

#[test]
fn dids_that_hold_their_key_need_no_file_but_must_be_named() {
    let key = public(&hand());
    let (did_key, did_jwk) = (key.did_key(), key.did_jwk());
    let names = [
        (did_key.clone(), format!("{did_key}#{}", did_key.trim_start_matches("did:key:"))),
        (did_jwk.clone(), format!("{did_jwk}#0")),
    ];
    for (did, kid) in names {
        let token = token(&hand(), &kid, &did);
        let empty = KeyRing::default();
        assert_eq!(
            verdict(&empty, None, &token),
            Err((Reason::UnknownKid, Step::Key)),
            "never from the token"
        );
        let mut ring = KeyRing::default();
        ring.add_did(&did).unwrap();
        assert_eq!(verdict(&ring, Some(&did), &token), Ok(true));
        let fragment = kid.split_once('#').unwrap().1;
        for relative in [fragment.to_owned(), format!("#{fragment}")] {
            let token = crate::keys::token(&hand(), &relative, &did);
            assert_eq!(verdict(&ring, Some(&did), &token), Ok(true), "{relative}");
        }
        let forged = crate::keys::token(&stranger(), &kid, &did);
        assert_eq!(verdict(&ring, Some(&did), &forged), Err((Reason::BadSignature, Step::Signature)));
    }
    let mut ring = KeyRing::default();
    for did in [
        "did:web:issuer.example",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:key:z",
        "did:jwk:e30",
    ] {
        ring.add_did(did).unwrap();
        assert!(ring.is_empty(), "{did}");
    }
    // Base58 of megabytes would take minutes.
    ring.add_did(&format!("did:key:z{}", "2".repeat(1 << 20))).unwrap();
    assert!(ring.is_empty());
}

#[test]
fn one_key_is_found_by_the_names_that_it_has() {
    let key = public(&hand());
    let thumbprint = key.thumbprint().to_owned();
    let jwk = hand().jwk(KID).to_string();
    let mut ring = KeyRing::default();
    ring.add_key(jwk.as_bytes(), None).unwrap();
    assert_eq!(verdict(&ring, None, &token(&hand(), KID, ISSUER)), Ok(true));
    let did = key.did_key();
    let kid = format!("{did}#{}", did.trim_start_matches("did:key:"));
    assert_eq!(verdict(&ring, None, &token(&hand(), &kid, &did)), Ok(true));
    assert_eq!(verdict(&ring, None, &token(&hand(), &thumbprint, "i")), Ok(false));
    let web = format!("{ISSUER}#{thumbprint}");
    assert_eq!(verdict(&ring, None, &token(&hand(), &web, ISSUER)), Err((Reason::UnknownKid, Step::Key)));
    let mut ring = KeyRing::default();
    ring.add_key(hand().jwk("k").to_string().as_bytes(), Some(ISSUER)).unwrap();
    assert_eq!(verdict(&ring, Some(ISSUER), &token(&hand(), &web, ISSUER)), Ok(true));
    assert_eq!(verdict(&ring, Some(ISSUER), &token(&hand(), "k", ISSUER)), Ok(true));
}

/// The header is read once for many tokens; that must not let one token pass for another.
#[test]
fn a_verifier_judges_each_token_anew() {
    let world = crate::world::World::new();
    let mut verifier = Verifier::new(&world.ring, &world.policy, &world.lists);
    let (jwt, sd_jwt) = (Kind::JwtVc.token(), Kind::SdJwtVc.token());
    let forged = stranger().token(&Kind::JwtVc.header(), &Kind::JwtVc.payload());
    for _ in 0..3 {
        assert!(matches!(verifier.verify(&jwt), Verdict::Valid(_)));
        assert!(matches!(verifier.verify(&forged), Verdict::Invalid(_)));
        assert!(matches!(verifier.verify(&sd_jwt), Verdict::Valid(_)));
        assert!(matches!(verifier.verify(""), Verdict::Invalid(_)));
        assert!(matches!(verifier.verify(&sd_jwt[..sd_jwt.len() - 1]), Verdict::Invalid(_)));
    }
}

/// A token that names no key is judged by the one key that was given by itself, and by no other.
#[test]
fn the_one_key_that_is_given_serves_tokens_without_a_name() {
    let pem = |signer: &Hand| signer.jwk("k").to_string();
    let without_kid = |signer: &Hand, iss: &str| {
        let payload = json!({"iss": iss, "vct": "urn:x", "exp": 4_000_000_000u32});
        signer.sd_jwt(&json!({"alg": "ES256", "typ": "dc+sd-jwt"}), &payload, &[])
    };
    let ring_of = |keys: &[&Hand], issuer: Option<&str>| {
        let mut ring = KeyRing::default();
        for key in keys {
            ring.add_key(pem(key).as_bytes(), issuer).unwrap();
        }
        ring
    };
    let (own, other) = (hand(), stranger());
    let anybody = ring_of(&[&own], None);
    assert_eq!(verdict(&anybody, None, &without_kid(&own, "https://a.example")), Ok(false));
    let known = ring_of(&[&own], Some(ISSUER));
    assert_eq!(verdict(&known, Some(ISSUER), &without_kid(&own, ISSUER)), Ok(true));
    let forged = verdict(&anybody, None, &without_kid(&other, "https://a.example"));
    assert_eq!(forged, Err((Reason::BadSignature, Step::Signature)));
    // Several keys, or one in a set: nobody says which it is.
    let unnamed = Err((Reason::UnknownKid, Step::Header));
    assert_eq!(verdict(&ring_of(&[&own, &other], None), None, &without_kid(&own, ISSUER)), unnamed);
    let set = ring_of_jwks(&[own.jwk("k")], Some(ISSUER)).unwrap();
    assert_eq!(verdict(&set, None, &without_kid(&own, ISSUER)), unnamed);
    let mut both = ring_of_jwks(&[other.jwk("k")], None).unwrap();
    both.add_key(pem(&own).as_bytes(), None).unwrap();
    assert_eq!(verdict(&both, None, &without_kid(&own, ISSUER)), unnamed);
}

/// A key whose name holds a DID is that DID's, also for tokens that do not name their key; unless the caller says otherwise.
#[test]
fn a_key_that_a_did_names_signs_for_that_did_alone() {
    let own = hand();
    let without_kid = |iss: Option<&str>| {
        let mut payload = json!({"vct": "urn:x", "exp": 4_000_000_000u32});
        if let Some(iss) = iss {
            payload["iss"] = json!(iss);
        }
        own.sd_jwt(&json!({"alg": "ES256", "typ": "dc+sd-jwt"}), &payload, &[])
    };
    let verdict = |kid: &str, issuer: Option<&str>, iss: Option<&str>| {
        let mut ring = KeyRing::default();
        ring.add_key(own.jwk(kid).to_string().as_bytes(), issuer).unwrap();
        verdict(&ring, issuer, &without_kid(iss))
    };
    let (a, b) = ("did:web:a.example", "did:web:b.example");
    let named = "did:web:a.example#k";
    assert_eq!(verdict(named, None, Some(a)), Ok(true));
    assert_eq!(verdict(named, None, None), Ok(true));
    for other in [b, "https://a.example", "did:web:a.example:x"] {
        assert_eq!(verdict(named, None, Some(other)), Err((Reason::IssuerMismatch, Step::Issuer)), "{other}");
    }
    assert_eq!(verdict(named, Some(b), Some(b)), Ok(true));
    assert_eq!(verdict("k", None, Some(b)), Ok(false));
}

/// `exp` and `iss` are optional in an SD-JWT VC: it is then by whoever the key belongs to.
#[test]
fn an_sd_jwt_vc_need_not_name_its_issuer_or_its_end() {
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": KID});
    let bare = hand().sd_jwt(&header, &json!({"vct": "urn:x"}), &[]);
    let mut ring = KeyRing::default();
    ring.add_did_document(&document(vec![method(&hand(), KID)]).to_string()).unwrap();
    assert_eq!(verdict(&ring, None, &bare), Ok(true));
    assert_eq!(verdict(&ring, Some(ISSUER), &bare), Ok(true));
    assert!(verdict(&ring, Some("did:web:other.example"), &bare).is_err());
    // Of a key that nobody knows, nobody knows the issuer.
    let unknown = ring_of_jwks(&[hand().jwk("k")], None).unwrap();
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": "k"});
    let bare = hand().sd_jwt(&header, &json!({"vct": "urn:x"}), &[]);
    assert_eq!(verdict(&unknown, None, &bare), Ok(false));
    let asked = verdict(&unknown, Some("https://a.example"), &bare);
    assert_eq!(asked, Err((Reason::IssuerMismatch, Step::Issuer)));
}

/// Multikey (Controlled Identifiers 1.0 section 2.2.2), and documents as a resolver returns them.
#[test]
fn multikeys_and_resolution_results_are_read() {
    let multibase = public(&hand()).did_key().strip_prefix("did:key:").unwrap().to_owned();
    let multikey = |value: &str| json!({"id": KID, "type": "Multikey", "controller": ISSUER, "publicKeyMultibase": value});
    let ed25519 = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    let mut other = multikey(ed25519);
    other["id"] = json!(format!("{ISSUER}#other"));
    let found = document(vec![multikey(&multibase), other]);
    let resolved = json!({"@context": "https://w3id.org/did-resolution/v1", "didDocument": found, "didResolutionMetadata": {}});
    for text in [found.to_string(), resolved.to_string()] {
        let mut ring = KeyRing::default();
        assert_eq!(ring.add_did_document(&text).unwrap(), ISSUER);
        assert_eq!(verdict(&ring, None, &token(&hand(), KID, ISSUER)), Ok(true));
    }
    let mut ring = KeyRing::default();
    assert!(ring.add_did_document(&document(vec![multikey(ed25519)]).to_string()).is_err());
    assert!(ring.add_did_document(&document(vec![multikey("zDnaeNonsense")]).to_string()).is_err());
}
