//! What must not be refused, and how what is asked for changes that.

use beltic::clock::UnixTime;
use beltic::request::rules::CalendarDuration;
use beltic::verify::{Lists, Policy, Reason, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::readers::sign::base64url;
use crate::readers::token::base64url as decode;
use crate::world::{BIT_LIST, ENDS, INDEX, ISSUED, ISSUER, KID, Kind, NOW, TOKEN_LIST, World, hand};

const BOTH: [Kind; 2] = [Kind::JwtVc, Kind::SdJwtVc];

#[test]
fn sound_tokens_are_valid_and_come_out_whole() {
    let world = World::new();
    assert_eq!(world.verdict(&Kind::JwtVc.token()), Ok(Kind::JwtVc.payload()));
    let disclosed = world.verdict(&Kind::SdJwtVc.token()).unwrap();
    assert_eq!(disclosed["subject"], json!({"id": "urn:example:a", "registration_number": "00012345"}));
    assert_eq!(disclosed["claims"]["registered_address"]["city"], "Leith");
}

/// Unknown parameters and claims are ignored, and so is what a token brings along (RFC 7515 section 4, RFC 7519
/// section 4).
#[test]
fn what_nobody_knows_is_ignored() {
    let world = World::new();
    for kind in BOTH {
        for (member, value) in [
            ("x", json!({"y": [1, null]})),
            ("cty", json!("vc")),
            ("jwk", hand().jwk("other")),
            ("jku", json!("https://evil.example/")),
            ("x5c", json!(["MIIB"])),
            ("x5t#S256", json!("abc")),
            ("iss", json!(ISSUER)),
        ] {
            let token = kind.with_header(|header| header[member] = value.clone());
            assert_eq!(world.refusal(&token), None, "{kind:?} {member}");
        }
        let token = kind.with_payload(|payload| payload["x"] = json!({"iss": "somebody", "exp": "never"}));
        assert_eq!(world.refusal(&token), None, "{kind:?}");
    }
    for (pointer, value) in [
        ("/credentialSubject/claims/x", json!({"id": 1})),
        ("/credentialSubject/x", json!("y")),
        ("/termsOfUse", json!([{"type": "x"}])),
        ("/issuer", json!({"id": ISSUER, "name": "Issuer"})),
    ] {
        assert_eq!(world.refusal(&Kind::JwtVc.at(pointer, Some(value))), None, "{pointer}");
    }
}

/// Media types have no case, and `application/` may be left out (RFC 7515 section 4.1.9).
#[test]
fn the_type_may_be_spelt_in_several_ways() {
    let world = World::new();
    for (kind, typ) in [
        (Kind::JwtVc, "application/vc+jwt"),
        (Kind::JwtVc, "VC+JWT"),
        (Kind::SdJwtVc, "application/dc+sd-jwt"),
        (Kind::SdJwtVc, "Application/DC+SD-JWT"),
    ] {
        assert_eq!(world.refusal(&kind.with_header(|header| header["typ"] = json!(typ))), None, "{typ}");
    }
}

/// Numbers that no calendar has are numbers (RFC 7519 section 2), and the last second of 9999 is a second.
#[test]
fn far_off_times_are_times() {
    let world = World::new();
    for kind in BOTH {
        for (pointer, value) in [
            ("/exp", json!(253_402_300_800u64)),
            ("/exp", json!(u64::MAX)),
            ("/exp", json!(1e300)),
            ("/nbf", json!(-1)),
            ("/iat", json!(-1.5)),
        ] {
            assert_eq!(
                world.refusal(&kind.at(pointer, Some(value.clone()))),
                None,
                "{kind:?} {pointer} {value}"
            );
        }
    }
    for text in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "9999-12-30T22:00:01Z"] {
        assert_eq!(world.refusal(&Kind::JwtVc.at("/validUntil", Some(json!(text)))), None, "{text}");
    }
    let lasting = |exp: Value| {
        let world =
            World::new().asking(|policy| policy.max_ttl = Some(CalendarDuration::parse("P10Y").unwrap()));
        world.refusal(&Kind::SdJwtVc.at("/exp", Some(exp)))
    };
    assert_eq!(lasting(json!(u64::MAX)), Some((Reason::LifetimeTooLong, Step::Times)));
}

/// What stands beside `vct`, a holder's public key, `b64` that says what holds anyway, several businesses.
#[test]
fn what_is_well_formed_is_let_be() {
    let world = World::new();
    for (pointer, value) in [
        ("/cnf", json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}})),
        ("/cnf", json!({})),
        ("/vct#integrity", json!("sha256-AA==")),
        ("/aka_vcts", json!(["urn:x"])),
    ] {
        assert_eq!(world.refusal(&Kind::SdJwtVc.at(pointer, Some(value))), None, "{pointer}");
    }
    for kind in BOTH {
        assert_eq!(world.refusal(&kind.with_header(|header| header["b64"] = json!(true))), None, "{kind:?}");
    }
    for cty in ["vc", "VC", "application/vc"] {
        assert_eq!(
            world.refusal(&Kind::JwtVc.with_header(|header| header["cty"] = json!(cty))),
            None,
            "{cty}"
        );
    }
    let two = json!([
        {"id": "urn:example:b", "claims": {"jurisdiction": "GB"}},
        {"id": "urn:example:a", "claims": {"jurisdiction": "FR"}},
    ]);
    assert_eq!(world.refusal(&Kind::JwtVc.at("/credentialSubject", Some(two))), None);
}

/// ES256 has no rule that S be low (RFC 7518 section 3.4).
#[test]
fn both_halves_of_s_are_sound() {
    let token = Kind::JwtVc.token();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&decode(signature)).unwrap();
    let (r, s) = signature.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    let token = format!("{input}.{}", base64url(&other.to_bytes()));
    assert_eq!(World::new().refusal(&token), None);
}

/// What others may leave out or say in another way, as the VC Data Model lets them.
#[test]
fn sparse_credentials_of_others_are_valid() {
    let world = World::new();
    let sparse = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", {"x": "https://x.example/"}],
        "type": "VerifiableCredential",
        "issuer": {"id": ISSUER},
        "credentialSubject": [{"degree": "BSc"}, {"id": "urn:example:b", "degree": "MSc"}], "sub": "urn:example:b",
    });
    let token = hand().token(&json!({"alg": "ES256", "typ": "vc+jwt", "kid": KID}), &sparse);
    let mut verifier = Verifier::new(&world.ring, &world.policy, &world.lists);
    let Verdict::Valid(valid) = verifier.verify(&token) else { panic!("refused") };
    assert_eq!((valid.id, valid.expires_at), (None, None));
    assert_eq!(valid.unchecked.names().collect::<Vec<_>>(), ["schema"]);

    // A subject id that is not a URI is called `subject_id`. Older credentials repeat it in `sub`, and then it must be the
    // same.
    let named = |sub: Option<&str>, types: &Value| {
        let token = Kind::JwtVc.with_payload(|payload| {
            payload["credentialSubject"]["subject_id"] = json!("EX-1");
            payload["credentialSubject"].as_object_mut().unwrap().remove("id");
            payload.as_object_mut().unwrap().remove("sub");
            sub.into_iter().for_each(|sub| payload["sub"] = json!(sub));
            payload["type"] = types.clone();
        });
        world.refusal(&token)
    };
    for types in [json!(["VerifiableCredential", "BusinessCredential"]), json!(["VerifiableCredential", "x"])]
    {
        assert_eq!([named(None, &types), named(Some("EX-1"), &types)], [None, None]);
        let contradiction = Some((Reason::SchemaInvalid, Step::Claims));
        for other in ["EX-2", "ex-1", "EX-1 ", "urn:example:a"] {
            assert_eq!(named(Some(other), &types), contradiction, "{other}");
        }
    }
    // What others call `subject_id` beside an `id` is their own affair.
    let token = Kind::JwtVc.with_payload(|payload| {
        payload["credentialSubject"]["subject_id"] = json!("Physics");
        payload["type"] = json!(["VerifiableCredential", "x"]);
    });
    assert_eq!(world.refusal(&token), None);
    // An SD-JWT without `sub`.
    assert_eq!(world.refusal(&Kind::SdJwtVc.at("/sub", None)), None);
    // Times with fractions, as RFC 7519 allows.
    let token = Kind::SdJwtVc.at("/exp", Some(json!(ENDS as f64 + 0.25)));
    assert_eq!(world.refusal(&token), None);
    // An SD-JWT of another type is judged by what every credential has.
    let token = Kind::SdJwtVc.with_payload(|payload| {
        payload["vct"] = json!("https://other.example/pid");
        payload["claims"]["jurisdiction"] = json!("England");
    });
    assert_eq!(world.refusal(&token), None);
}

#[test]
fn a_token_holds_from_its_first_second_until_before_its_last() {
    for kind in BOTH {
        let at = |now: i64, leeway: u32| {
            let world = World::new().asking(|policy| {
                policy.now = UnixTime::from_seconds(now).unwrap();
                policy.leeway = leeway;
                policy.status = false;
            });
            world.refusal(&kind.token())
        };
        let (early, late) = (Some((Reason::NotYetValid, Step::Times)), Some((Reason::Expired, Step::Times)));
        assert_eq!(
            [at(ISSUED - 1, 0), at(ISSUED, 0), at(ENDS - 1, 0), at(ENDS, 0)],
            [early, None, None, late]
        );
        assert_eq!([at(ISSUED - 60, 60), at(ISSUED - 61, 60)], [None, early]);
        assert_eq!([at(ENDS + 59, 60), at(ENDS + 60, 60)], [None, late]);
        assert_eq!(at(ENDS + 300, 1_000_000), late, "no more than 300 seconds, whatever is asked for");
    }
}

#[test]
fn issuer_type_audience_and_life_are_asked_for() {
    for kind in BOTH {
        let asking = |change: &dyn Fn(&mut Policy), token: &str| World::new().asking(change).refusal(token);
        let token = kind.token();
        let to = |name: &str| Some(name.to_owned());
        assert_eq!(asking(&|policy| policy.issuer = to(ISSUER), &token), None);
        let other = asking(&|policy| policy.issuer = to("did:web:other.example"), &token);
        assert_eq!(other, Some((Reason::IssuerMismatch, Step::Key)));

        assert_eq!(asking(&|policy| policy.vcts = vec!["urn:beltic:business:1".to_owned()], &token), None);
        let refused = Some((Reason::TypeMismatch, Step::Issuer));
        assert_eq!(asking(&|policy| policy.vcts = vec!["urn:beltic:business:2".to_owned()], &token), refused);
        assert_eq!(asking(&|policy| policy.vcts = vec!["urn:Beltic:business:1".to_owned()], &token), refused);

        let refused = Some((Reason::AudienceMismatch, Step::Issuer));
        let unaddressed = asking(&|policy| policy.audience = to("https://v.example"), &token);
        assert_eq!(unaddressed, None, "a credential without `aud` is for everybody");
        for aud in [json!("https://v.example"), json!(["x", "https://v.example"])] {
            let token = kind.at("/aud", Some(aud));
            assert_eq!(asking(&|policy| policy.audience = to("https://v.example"), &token), None);
            assert_eq!(asking(&|policy| policy.audience = to("https://w.example"), &token), refused);
            assert_eq!(asking(&|_| {}, &token), refused);
        }

        let life = |text: &str| {
            asking(&|policy| policy.max_ttl = Some(CalendarDuration::parse(text).unwrap()), &token)
        };
        assert_eq!([life("P1Y"), life("P10Y")], [None, None]);
        assert_eq!(life("P364D"), Some((Reason::LifetimeTooLong, Step::Times)));
    }
    let endless = Kind::JwtVc.with_payload(|payload| {
        payload.as_object_mut().unwrap().retain(|name, _| name != "exp" && name != "validUntil");
    });
    assert_eq!(World::new().refusal(&endless), None);
    let limited =
        World::new().asking(|policy| policy.max_ttl = Some(CalendarDuration::parse("P10Y").unwrap()));
    assert_eq!(limited.refusal(&endless), Some((Reason::LifetimeTooLong, Step::Times)));
}

#[test]
fn a_credential_without_a_status_has_none_to_look_up() {
    let mut world = World::new();
    world.lists = Lists::default();
    for kind in BOTH {
        assert_eq!(
            world.refusal(&kind.token()),
            Some((Reason::StatusUnknown, Step::Status)),
            "no list was given"
        );
        let bare = kind.with_payload(|payload| {
            payload.as_object_mut().unwrap().retain(|name, _| name != "status" && name != "credentialStatus");
        });
        assert_eq!(world.refusal(&bare), None);
        let unchecked = world.asking(|policy| policy.status = false);
        let mut verifier = Verifier::new(&unchecked.ring, &unchecked.policy, &unchecked.lists);
        let Verdict::Valid(valid) = verifier.verify(&kind.token()) else { panic!("refused") };
        assert!(valid.unchecked.status);
        let Verdict::Valid(valid) = verifier.verify(&bare) else { panic!("refused") };
        assert!(!valid.unchecked.status, "there is none to leave out");
    }
}

fn legacy() -> Value {
    json!({
        "iss": ISSUER, "sub": "urn:example:a", "jti": "urn:uuid:1", "nbf": ISSUED, "exp": ENDS,
        "vc": {
            "@context": ["https://www.w3.org/2018/credentials/v1"],
            "type": ["VerifiableCredential"],
            "issuer": ISSUER,
            "issuanceDate": "2026-11-23T04:00:00Z", "expirationDate": "2027-11-23T04:00:00Z",
            "credentialSubject": {"id": "urn:example:a", "x": 1},
        },
    })
}

#[test]
fn jwts_with_a_vc_claim_only_where_they_are_asked_for() {
    let world = World::new().asking(|policy| policy.legacy_vc = true);
    let token = |typ: Option<&str>, payload: &Value| {
        let mut header = json!({"alg": "ES256", "kid": KID});
        typ.into_iter().for_each(|typ| header["typ"] = json!(typ));
        hand().token(&header, payload)
    };
    for typ in [None, Some("JWT")] {
        let token = token(typ, &legacy());
        assert_eq!(world.refusal(&token), None, "{typ:?}");
        assert_eq!(World::new().refusal(&token), Some((Reason::UnsupportedType, Step::Header)));
    }
    // 2.0 in a `vc` claim conforms to neither text.
    let mixed = token(Some("vc+jwt"), &legacy());
    assert_eq!(world.refusal(&mixed), Some((Reason::SchemaInvalid, Step::Claims)));
    let invalid = Some((Reason::SchemaInvalid, Step::Claims));
    for (pointer, value, expected) in [
        ("/vc/issuer", json!("did:web:other.example"), invalid),
        ("/vc/id", json!("urn:uuid:2"), invalid),
        ("/vc/credentialSubject/id", json!("urn:example:b"), invalid),
        ("/vc/@context", json!(["https://www.w3.org/ns/credentials/v2"]), invalid),
        ("/vc", json!("x"), invalid),
        ("/vc/credentialSubject", json!([{"id": "urn:example:a", "x": 1}, {"y": 2}]), invalid),
        ("/vp", json!({}), invalid),
        ("/vc/expirationDate", json!("2026-11-23T05:00:00Z"), Some((Reason::Expired, Step::Times))),
        ("/nbf", json!(NOW + 1), Some((Reason::NotYetValid, Step::Times))),
        ("/iss", json!("did:web:other.example"), invalid),
    ] {
        let mut payload = legacy();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        payload.pointer_mut(parent).unwrap()[name] = value;
        assert_eq!(world.refusal(&token(Some("JWT"), &payload)), expected, "{pointer}");
    }
}

/// The status counts wherever the credential has it.
#[test]
fn the_status_of_a_jwt_with_a_vc_claim_is_looked_up() {
    let mut world = World::new().asking(|policy| policy.legacy_vc = true);
    let token = |payload: &Value| hand().token(&json!({"alg": "ES256", "typ": "JWT", "kid": KID}), payload);
    let status = Kind::JwtVc.payload()["status"].clone();
    let entry = Kind::JwtVc.payload()["credentialStatus"].clone();
    let places = [
        ("", "status", &status),
        ("/vc", "status", &status),
        ("", "credentialStatus", &entry),
        ("/vc", "credentialStatus", &entry),
    ];
    let tokens: Vec<String> = places
        .into_iter()
        .map(|(parent, name, value)| {
            let mut payload = legacy();
            payload.pointer_mut(parent).unwrap()[name] = value.clone();
            token(&payload)
        })
        .collect();
    for token in &tokens {
        assert_eq!(world.refusal(token), None);
    }
    world.lists = Lists::default();
    for token in &tokens {
        assert_eq!(world.refusal(token), Some((Reason::StatusUnknown, Step::Status)));
    }
    for list in [crate::lists::token_list(&[(INDEX, 1)]), crate::lists::bit_list(&[INDEX])] {
        world.lists.add(&list, &world.ring, &world.policy).unwrap();
    }
    for token in &tokens {
        assert_eq!(world.refusal(token), Some((Reason::Revoked, Step::Status)));
    }
    let mut twice = legacy();
    twice["status"] = status.clone();
    twice["vc"]["status"] = status;
    assert_eq!(world.refusal(&token(&twice)), Some((Reason::SchemaInvalid, Step::Claims)));
}

#[test]
fn reasons_and_steps_have_names_of_their_own() {
    let reasons: std::collections::BTreeSet<_> =
        Reason::ALL.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(reasons.len(), Reason::ALL.len());
    let steps: Vec<_> = Step::ALL.iter().map(|(step, _)| *step).collect();
    assert!(steps.is_sorted() && steps.len() == 14);
}

/// The credential names the lists that [`World`] has, so that the cases about statuses are about them.
#[test]
fn the_sound_token_names_the_lists() {
    let payload = Kind::JwtVc.payload();
    assert_eq!(payload["status"]["status_list"]["uri"], TOKEN_LIST);
    assert_eq!(payload["credentialStatus"]["statusListCredential"], BIT_LIST);
    assert_eq!(payload["credentialStatus"]["statusListIndex"], INDEX.to_string());
}
