//! Keys in certificates: who vouches for them, for whom, and when. For the chains themselves see [`crate::chains`].

use beltic::clock::UnixTime;
use beltic::verify::{KeyRing, Lists, Policy, Reason, Step};
use serde_json::{Value, json};

use crate::authority::{Authority, dns, pem, uri};
use crate::chains::{HTTPS_ISSUER, Row, Valid, row, sans, unchanged, x5c};
use crate::lists::zlib;
use crate::readers::sign::{Hand, base64url};
use crate::world::{ENDS, ISSUED, Kind, World, hand, stranger};

/// A good chain, and the world that trusts its root and no key.
fn trusted() -> (Row, World) {
    let root = Authority::root("Root", unchanged);
    let leaf = root.issue(&hand(), sans([uri(HTTPS_ISSUER), dns("second.example")]));
    let row = row("good", &[&root.certificate], x5c(&[&leaf]), Valid);
    let world = row.world().unwrap();
    (row, world)
}

fn key_of(hand: &Hand, kid: &str) -> String {
    json!({"keys": [hand.jwk(kid)]}).to_string()
}

/// Certificates count where somebody is trusted, and never by themselves; they are judged as of the time asked for.
#[test]
fn certificates_count_at_their_time_and_for_those_who_trust_the_anchor() {
    let (row, world) = trusted();
    let token = row.token(Kind::SdJwtVc);
    assert_eq!(world.refusal(&token), None);
    let later = World { policy: Policy::at(UnixTime::from_seconds(1_830_297_601).unwrap()), ..world };
    assert_eq!(later.refusal(&token), Some((Reason::CertificateInvalid, Step::Key)), "in 2028");

    let mut ring = KeyRing::default();
    ring.add_jwks(&key_of(&hand(), "k"), Some(HTTPS_ISSUER)).unwrap();
    let without = World { ring, ..row.world().unwrap() };
    assert_eq!(without.refusal(&token), Some((Reason::UnknownKid, Step::Header)), "no anchor, no kid");
    assert_eq!(
        without.refusal(&row.kid("k").token(Kind::SdJwtVc)),
        None,
        "no anchor, and x5c is not looked at"
    );
}

/// `kid` and `x5c` must not name different keys.
#[test]
fn a_given_key_must_be_the_certified_one() {
    let (row, _) = trusted();
    let row = row.kid("k");
    let with_key = |jwks: String| {
        let mut world = row.world().unwrap();
        world.ring.add_jwks(&jwks, Some(HTTPS_ISSUER)).unwrap();
        world.refusal(&row.token(Kind::SdJwtVc))
    };
    assert_eq!(with_key(key_of(&hand(), "k")), None);
    assert_eq!(with_key(key_of(&stranger(), "other")), None);
    assert_eq!(with_key(key_of(&stranger(), "k")), Some((Reason::CertificateInvalid, Step::Key)));
}

/// Who issued a token is who its certificate names, and `--issuer` asks for one of them.
#[test]
fn the_issuer_asked_for_is_one_that_the_certificate_names() {
    let (row, world) = trusted();
    let asking = |issuer: &str, token: &str| {
        let mut policy = world.policy.clone();
        policy.issuer = Some(issuer.to_owned());
        World { ring: world.ring.clone(), policy, lists: Lists::default() }.refusal(token)
    };
    let mismatch = Some((Reason::IssuerMismatch, Step::Issuer));
    let named = row.token(Kind::SdJwtVc);
    assert_eq!(asking(HTTPS_ISSUER, &named), None);
    assert_eq!(asking("https://second.example", &named), mismatch, "`iss` says which of them it is");
    let nameless = row.by(None).token(Kind::SdJwtVc);
    assert_eq!(asking(HTTPS_ISSUER, &nameless), None);
    assert_eq!(asking("https://second.example/a", &nameless), None);
    assert_eq!(asking("https://third.example", &nameless), mismatch);
}

/// Status lists come with certificates, too.
#[test]
fn certified_lists_answer_for_those_whom_their_certificate_names() {
    const LIST: &str = "https://issuer.example/status/9.jwt";
    let (row, _) = trusted();
    let other = Authority::root("Other", unchanged);
    let of_other = other.issue(&hand(), sans([uri("https://other.example")]));
    let credential = |iss: Option<&str>| {
        let mut payload = Kind::SdJwtVc.payload();
        let object = payload.as_object_mut().unwrap();
        object.remove("iss");
        object.insert("status".into(), json!({"status_list": {"idx": 3, "uri": LIST}}));
        if let Some(iss) = iss {
            object.insert("iss".into(), json!(iss));
        }
        Kind::SdJwtVc.with(
            &json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": row.x5c}).to_string(),
            &payload.to_string(),
        )
    };
    let list = |x5c: &Value, iss: Option<&str>, set: bool| {
        let lst = base64url(&zlib(&[if set { 0b1000 } else { 0 }]));
        let mut payload =
            json!({"sub": LIST, "iat": ISSUED, "exp": ENDS, "status_list": {"bits": 1, "lst": lst}});
        if let Some(iss) = iss {
            payload["iss"] = json!(iss);
        }
        hand().token(&json!({"alg": "ES256", "typ": "statuslist+jwt", "x5c": x5c}), &payload)
    };
    let judged = |list: &str, iss: Option<&str>| {
        let mut world = row.world().unwrap();
        world.ring.add_trust_anchors(pem(&other.certificate).as_bytes()).unwrap();
        let added = world.lists.add(list, &world.ring, &world.policy).is_ok();
        (added, world.refusal(&credential(iss)).map(|(reason, _)| reason))
    };
    let own = &row.x5c;
    for iss in [None, Some(HTTPS_ISSUER), Some("https://second.example/a")] {
        assert_eq!(judged(&list(own, None, false), iss), (true, None), "{iss:?}");
        assert_eq!(judged(&list(own, None, true), iss), (true, Some(Reason::Revoked)), "{iss:?}");
    }
    assert_eq!(
        judged(&list(own, Some(HTTPS_ISSUER), true), Some(HTTPS_ISSUER)),
        (true, Some(Reason::Revoked))
    );
    let unknown = Some(Reason::StatusUnknown);
    let second = "https://second.example";
    assert_eq!(
        judged(&list(own, Some(second), false), Some(HTTPS_ISSUER)),
        (true, unknown),
        "another of its names"
    );
    assert_eq!(
        judged(&list(own, Some("https://other.example"), false), None),
        (false, unknown),
        "a name that it has not"
    );
    assert_eq!(judged(&list(&x5c(&[&of_other]), None, false), None), (true, unknown), "somebody else's");
    assert_eq!(judged(&list(&json!([]), None, false), None), (false, unknown), "no certificate");
}

/// Anchors are PEM certificates of authorities.
#[test]
fn anchors_are_certificates_of_authorities() {
    let root = Authority::root("Root", unchanged);
    let added =
        |text: &str| KeyRing::default().add_trust_anchors(text.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(
        added(&format!("A bundle\n========\n{0}{0}", pem(&root.certificate))),
        Ok(()),
        "text and repetitions"
    );
    for (text, words) in [
        (String::new(), "no certificate"),
        ("nothing".to_owned(), "something other than X.509 certificates"),
        (key_of(&hand(), "k"), "something other than X.509 certificates"),
        (hand().to_pem(), "something other than X.509 certificates"),
        (pem(b"nothing"), "something other than X.509 certificates"),
        (
            pem(&root.certificate) + &pem(&root.issue(&hand(), unchanged)),
            "certificate 2 is not that of a certificate authority",
        ),
    ] {
        let problem = added(&text).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}
