//! Key binding (RFC 9901 section 7.3): presentations by the holder, and every way of forging one.

use beltic::keys::IssuerKey;
use beltic::request::rules::CalendarDuration;
use beltic::token::{BindError, bind, present};
use beltic::verify::{KeyBinding, Reason, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::readers::sign::{Hand, base64url, digest};
use crate::world::{Kind, NOW, World, disclosures, hand, stranger};

const AUDIENCE: &str = "https://verifier.example";
const NONCE: &str = "n-0S6_WzA2Mj";

/// The holder's key.
fn holder() -> Hand {
    Hand::of_number(21)
}

/// An SD-JWT that was issued to the holder, with some of its disclosures.
fn shown() -> String {
    issued_to(json!({"jwk": holder().jwk("holder")}))
}

fn issued_to(cnf: Value) -> String {
    let mut payload = Kind::SdJwtVc.payload();
    payload["cnf"] = cnf;
    let [number, _, _, address] = disclosures();
    hand().sd_jwt(&Kind::SdJwtVc.header(), &payload, &[number, address])
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "kb+jwt"})
}

fn claims(shown: &str) -> Value {
    json!({"iat": NOW - 10, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(shown)})
}

/// A presentation whose key binding JWT was changed before it was signed.
fn changed(change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (shown, mut header) = (shown(), header());
    let mut claims = claims(&shown);
    change(&mut header, &mut claims);
    shown.clone() + &holder().token(&header, &claims)
}

fn with_header(change: impl FnOnce(&mut Value)) -> String {
    changed(|header, _| change(header))
}

fn with_claim(name: &str, value: Value) -> String {
    changed(|_, claims| claims[name] = value)
}

fn without_claim(name: &str) -> String {
    changed(|_, claims| {
        claims.as_object_mut().unwrap().remove(name);
    })
}

fn sound() -> String {
    changed(|_, _| {})
}

/// Who asks for key binding.
fn asking() -> World {
    World::new().asking(|policy| {
        policy.key_binding = Some(KeyBinding {
            audience: AUDIENCE.to_owned(),
            nonce: Some(NONCE.to_owned()),
            max_age: CalendarDuration::parse("PT5M").unwrap(),
        });
    })
}

#[test]
fn a_presentation_by_the_holder_is_valid() {
    let world = asking();
    for (name, presentation) in [
        ("plain", sound()),
        ("the media type in full", with_header(|header| header["typ"] = json!("application/KB+JWT"))),
        ("a header with more", with_header(|header| header["kid"] = json!("holder"))),
        ("claims with more", with_claim("purpose", json!("onboarding"))),
        ("at the very end of its time", with_claim("iat", json!(NOW - 300))),
        ("just now", with_claim("iat", json!(NOW))),
        ("fractions of a second", with_claim("iat", json!(NOW as f64 - 10.5))),
        ("an end that has not come", with_claim("exp", json!(NOW + 1))),
    ] {
        assert_eq!(world.refusal(&presentation), None, "{name}: {:?}", world.verdict(&presentation));
    }
}

#[test]
fn nothing_else_is() {
    let world = asking();
    let (sound, shown) = (sound(), shown());
    let kb = sound.strip_prefix(&shown).unwrap().to_owned();
    let parts: Vec<&str> = kb.split('.').collect();
    let [number, owners, _, address] = disclosures();
    let stranger_bound = |token: &str| token.to_owned() + &stranger().token(&header(), &claims(token));
    let jwk = |change: fn(&mut Value)| {
        let mut jwk = holder().jwk("holder");
        change(&mut jwk);
        let shown = issued_to(json!({"jwk": jwk}));
        shown.clone() + &holder().token(&header(), &claims(&shown))
    };
    let cnf = |cnf: Value| {
        let shown = issued_to(cnf);
        shown.clone() + &holder().token(&header(), &claims(&shown))
    };
    let signed = |signature: &[u8]| format!("{shown}{}.{}.{}", parts[0], parts[1], base64url(signature));
    let invalid: Vec<(&str, String)> = vec![
        // Another key
        ("signed by a stranger", stranger_bound(&shown)),
        ("signed by the issuer", shown.clone() + &hand().token(&header(), &claims(&shown))),
        ("the stranger's key in its header", {
            let mut own = header();
            own["jwk"] = stranger().jwk("own");
            shown.clone() + &stranger().token(&own, &claims(&shown))
        }),
        ("issued to a stranger", {
            let shown = issued_to(json!({"jwk": stranger().jwk("other")}));
            shown.clone() + &holder().token(&header(), &claims(&shown))
        }),
        ("a signature of zeros", signed(&[0; 64])),
        ("a signature that is short", signed(&[1; 63])),
        ("a signature that is long", signed(&[1; 65])),
        ("no signature", format!("{shown}{}.{}.", parts[0], parts[1])),
        ("the signature of the credential", {
            let jwt = shown.split('~').next().unwrap().rsplit('.').next().unwrap();
            format!("{shown}{}.{}.{jwt}", parts[0], parts[1])
        }),
        // The holder's key as the credential has it
        ("no key in cnf", cnf(json!({}))),
        ("a kid in cnf", cnf(json!({"kid": "holder"}))),
        ("a thumbprint in cnf", cnf(json!({"jkt": "x"}))),
        ("a jwk that is text", cnf(json!({"jwk": "x"}))),
        ("a cnf that is text", cnf(json!("x"))),
        ("a jwk without y", jwk(|jwk| drop(jwk.as_object_mut().unwrap().remove("y")))),
        ("a jwk off the curve", jwk(|jwk| jwk["y"] = jwk["x"].clone())),
        ("a jwk of another curve", jwk(|jwk| jwk["crv"] = json!("P-384"))),
        ("a jwk of another kind", jwk(|jwk| jwk["kty"] = json!("OKP"))),
        ("a private jwk", jwk(|jwk| jwk["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABU"))),
        // Header
        ("alg none", with_header(|header| header["alg"] = json!("none"))),
        ("alg HS256", with_header(|header| header["alg"] = json!("HS256"))),
        ("alg ES384", with_header(|header| header["alg"] = json!("ES384"))),
        ("alg es256", with_header(|header| header["alg"] = json!("es256"))),
        ("alg in a list", with_header(|header| header["alg"] = json!(["ES256"]))),
        ("no alg", with_header(|header| drop(header.as_object_mut().unwrap().remove("alg")))),
        ("typ JWT", with_header(|header| header["typ"] = json!("JWT"))),
        ("typ of the credential", with_header(|header| header["typ"] = json!("dc+sd-jwt"))),
        ("typ with a suffix", with_header(|header| header["typ"] = json!("kb+jwt2"))),
        ("no typ", with_header(|header| drop(header.as_object_mut().unwrap().remove("typ")))),
        ("crit", with_header(|header| header["crit"] = json!(["exp"]))),
        ("an empty crit", with_header(|header| header["crit"] = json!([]))),
        ("a header with a member twice", {
            shown.clone()
                + &holder()
                    .jws(r#"{"alg":"ES256","typ":"kb+jwt","typ":"kb+jwt"}"#, &claims(&shown).to_string())
        }),
        ("a header that is no object", shown.clone() + &holder().jws("[]", &claims(&shown).to_string())),
        // Nonce and audience
        ("another nonce", with_claim("nonce", json!("other"))),
        ("a nonce with a space", with_claim("nonce", json!(format!("{NONCE} ")))),
        ("an empty nonce", with_claim("nonce", json!(""))),
        ("a nonce that is a number", with_claim("nonce", json!(1))),
        ("a nonce in a list", with_claim("nonce", json!([NONCE]))),
        ("no nonce", without_claim("nonce")),
        ("another audience", with_claim("aud", json!("https://other.example"))),
        ("an audience with a slash", with_claim("aud", json!(format!("{AUDIENCE}/")))),
        ("several audiences", with_claim("aud", json!([AUDIENCE]))),
        ("no audience", without_claim("aud")),
        // Time
        ("too old", with_claim("iat", json!(NOW - 301))),
        ("from the future", with_claim("iat", json!(NOW + 1))),
        ("from 1970", with_claim("iat", json!(0))),
        ("from before 1970", with_claim("iat", json!(-1))),
        ("from the end of time", with_claim("iat", json!(1e300))),
        ("an iat that is text", with_claim("iat", json!("2026-11-23T05:00:00Z"))),
        ("no iat", without_claim("iat")),
        ("over", with_claim("exp", json!(NOW))),
        ("an exp that is text", with_claim("exp", json!("x"))),
        ("not yet", with_claim("nbf", json!(NOW + 1))),
        // The presentation that it was made for
        ("another sd_hash", with_claim("sd_hash", json!(digest("x")))),
        ("a padded sd_hash", with_claim("sd_hash", json!(format!("{}=", digest(&shown))))),
        (
            "the sd_hash of the JWT alone",
            with_claim("sd_hash", json!(digest(shown.split('~').next().unwrap()))),
        ),
        (
            "the sd_hash without the last tilde",
            with_claim("sd_hash", json!(digest(&shown[..shown.len() - 1]))),
        ),
        (
            "an sd_hash in another alphabet",
            with_claim("sd_hash", json!(digest(&shown).replace(['-', '_'], "+") + "+")),
        ),
        ("no sd_hash", without_claim("sd_hash")),
        ("a disclosure more", shown.clone() + &owners + "~" + &kb),
        ("a disclosure fewer", shown.replacen(&format!("~{address}"), "", 1) + &kb),
        (
            "disclosures in another order",
            shown.replacen(&format!("{number}~{address}"), &format!("{address}~{number}"), 1) + &kb,
        ),
        // Other texts
        ("a payload with a member twice", {
            let twice = claims(&shown).to_string().replacen('{', &format!(r#"{{"nonce":"{NONCE}","#), 1);
            shown.clone() + &holder().jws(&header().to_string(), &twice)
        }),
        ("a payload that is no object", shown.clone() + &holder().jws(&header().to_string(), "1")),
        ("stray bits in the header", format!("{shown}{}x.{}.{}", parts[0], parts[1], parts[2])),
    ];
    assert!(invalid.len() >= 60, "{}", invalid.len());
    for (name, presentation) in &invalid {
        let refusal = world.refusal(presentation);
        assert_eq!(
            refusal,
            Some((Reason::KeyBindingInvalid, Step::Holder)),
            "{name}: {:?}",
            world.verdict(presentation)
        );
    }
}

/// Whether it is asked for does not depend on whether it is there (RFC 9901 section 7.3).
#[test]
fn a_presentation_without_key_binding_is_refused_where_it_is_asked_for() {
    let world = asking();
    let jwt_vc = Kind::JwtVc.token();
    for token in [shown(), Kind::SdJwtVc.token(), jwt_vc] {
        assert_eq!(world.refusal(&token), Some((Reason::KeyBindingMissing, Step::Holder)));
    }
}

/// By default a key binding JWT is parsed off, whatever it says, and the verdict says that nobody looked.
#[test]
fn a_key_binding_that_nobody_asks_for_is_not_looked_at() {
    let world = World::new();
    let forged = shown() + &stranger().token(&header(), &json!({"aud": "x"}));
    for (token, unchecked) in
        [(shown(), true), (sound(), true), (forged, true), (Kind::SdJwtVc.token(), false)]
    {
        let mut verifier = Verifier::new(&world.ring, &world.policy, &world.lists);
        match verifier.verify(&token) {
            Verdict::Valid(valid) => {
                assert_eq!(valid.unchecked.names().any(|name| name == "holder"), unchecked)
            }
            Verdict::Invalid(refusal) => panic!("{refusal}"),
        }
    }
}

/// What is wrong with the credential itself comes first.
#[test]
fn key_binding_saves_no_credential() {
    let world = asking();
    let revoked = stranger().sd_jwt(&Kind::SdJwtVc.header(), &Kind::SdJwtVc.payload(), &disclosures());
    let bound = revoked.clone() + &holder().token(&header(), &claims(&revoked));
    assert_eq!(world.refusal(&bound), Some((Reason::BadSignature, Step::Signature)));
    let late = asking()
        .asking(|policy| policy.now = beltic::clock::UnixTime::from_seconds(NOW + 400_000_000).unwrap());
    assert_eq!(late.refusal(&sound()), Some((Reason::KeyBindingInvalid, Step::Holder)));
}

/// A nonce beside the presentation counts where the verifier names none for all, and never in the place of that one: the
/// holder may have written the file.
#[test]
fn a_presentation_can_have_a_nonce_of_its_own() {
    let nobody = asking().asking(|policy| {
        if let Some(wanted) = &mut policy.key_binding {
            wanted.nonce = None;
        }
    });
    let mut verifier = Verifier::new(&nobody.ring, &nobody.policy, &nobody.lists);
    let own = with_claim("nonce", json!("its own"));
    assert!(matches!(verifier.verify_presentation(&own, "its own"), Verdict::Valid(_)));
    assert!(matches!(verifier.verify_presentation(&sound(), "its own"), Verdict::Invalid(_)));
    let empty = with_claim("nonce", json!(""));
    assert!(matches!(verifier.verify_presentation(&empty, ""), Verdict::Invalid(_)));
    let world = asking();
    let mut verifier = Verifier::new(&world.ring, &world.policy, &world.lists);
    assert!(matches!(verifier.verify_presentation(&own, "its own"), Verdict::Invalid(_)));
    assert!(matches!(verifier.verify_presentation(&sound(), NONCE), Verdict::Valid(_)));
    assert_eq!(nobody.refusal(&sound()), Some((Reason::KeyBindingInvalid, Step::Holder)));
}

/// What `present` makes is valid, for the holder's own key alone.
#[test]
fn what_is_bound_here_is_valid() {
    let world = asking();
    let key = IssuerKey::generate().unwrap();
    let jwk: Value = serde_json::to_value(key.public().to_jwk("holder")).unwrap();
    let shown =
        present(&issued_to(json!({"jwk": jwk})), &["subject.registration_number".to_owned()]).unwrap();
    let bound = bind(&shown, &key, (AUDIENCE, NONCE), world.policy.now).unwrap();
    assert_eq!(world.refusal(&bound), None, "{:?}", world.verdict(&bound));
    let other = IssuerKey::generate().unwrap();
    assert!(matches!(bind(&shown, &other, (AUDIENCE, NONCE), world.policy.now), Err(BindError::OtherKey)));
    let unbound = Kind::SdJwtVc.token();
    assert!(matches!(bind(&unbound, &key, (AUDIENCE, NONCE), world.policy.now), Err(BindError::NoHolder)));
}
