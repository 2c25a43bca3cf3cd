//! Items of which any part may be anything: sound ones, nearly sound ones, and no items at all. What
//! becomes of them is for the JSON Schema to say.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Values that some field refuses.
fn odd() -> BoxedStrategy<Value> {
    select(odd_values()).boxed()
}

/// One value at least of every kind of JSON.
pub(crate) fn odd_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(1),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!("x"),
        json!([1]),
        json!(-0.5),
        json!("x".repeat(513)),
        // What is text, and no identifier.
        json!("None"),
        json!("x\u{200B}"),
        json!("\u{FEFF}x"),
        json!("1.5E+10"),
        json!("'x'"),
        json!("x "),
        Value::from(vec!["a"; 51]),
    ]
}

/// Mostly one of these, and now and then something odd.
fn mostly(values: &[Value]) -> BoxedStrategy<Value> {
    prop_oneof![60 => select(values.to_vec()), 1 => odd()].boxed()
}

/// Mostly from this strategy, and now and then something odd.
fn usually(strategy: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![60 => strategy, 1 => odd()].boxed()
}

/// An object with some of these members; the required ones are there nearly always.
fn object(members: Vec<(&'static str, bool, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, required, value)| {
            let weight = if required { 0.99 } else { 0.4 };
            prop::option::weighted(weight, value)
                .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    let unknown = prop::option::weighted(0.01, select(vec!["note", "Id", "request", "claims", "__proto__"]));
    (members, unknown)
        .prop_map(|(members, unknown)| {
            let mut object: Map<String, Value> = members.into_iter().flatten().collect();
            if let Some(name) = unknown {
                object.entry(name).or_insert(json!("x"));
            }
            Value::Object(object)
        })
        .boxed()
}

fn text() -> BoxedStrategy<Value> {
    // NUL is one of the characters that the schema cannot speak of.
    prop_oneof![20 => "[^\\x00]{1,20}", 1 => Just(String::new())].prop_map(Value::from).boxed()
}

fn id() -> BoxedStrategy<Value> {
    prop_oneof![30 => "[a-z:/]{1,30}".boxed(), 1 => "[日é]{505,520}".boxed(), 1 => Just(String::new()).boxed()]
        .prop_map(Value::from)
        .boxed()
}

/// Anything that may be an identifier, or nearly. The schema cannot speak of invisible characters beyond U+FFFF.
fn identifier() -> BoxedStrategy<Value> {
    let nearly = "[\"'“”«»`]?[ \u{A0}\u{FEFF}]?[#A-Zn0-9/.=+E-]{1,6}[\u{200B}\t\u{202E}]?[\"'“”«»` ]?";
    prop_oneof![30 => "[A-Za-z0-9][A-Za-z0-9 /.-]{0,8}[0-9]", 3 => nearly, 2 => "[\u{1}-\u{FFFF}]{1,3}"]
        .prop_map(Value::from)
        .boxed()
}

fn jurisdiction() -> BoxedStrategy<Value> {
    mostly(&["GB", "US", "US-DE", "JP-13", "DE-BY"].map(|code| json!(code)))
}

fn duration() -> BoxedStrategy<Value> {
    let made = "P([0-9]{1,2}Y)?([0-9]{1,2}M)?([0-9]{1,2}D)?(T([0-9]{1,2}H)?([0-9]M)?)?";
    // Longer than ten years is beyond the schema.
    let short = made.prop_filter("at most ten years", |text| {
        let years = text[1..].split('Y').next().and_then(|digits| digits.parse::<u32>().ok());
        years.unwrap_or(0) < 1
    });
    prop_oneof![8 => Just("P1Y".to_owned()), 4 => short, 1 => "P?[0-9]?[YMWDTHS]?"]
        .prop_map(Value::from)
        .boxed()
}

fn owner() -> BoxedStrategy<Value> {
    let percent = prop_oneof![
        (0..=100u32).prop_map(|percent| json!(percent)),
        (0.0..100.0f64).prop_map(|percent| json!(percent)),
        (-5..120i32).prop_map(|percent| json!(percent)),
    ];
    usually(object(vec![
        ("full_name", true, text()),
        ("ownership_percent", false, usually(percent.boxed())),
        ("person_id", false, identifier()),
        ("role", false, mostly(&[json!("director"), json!("")])),
    ]))
}

fn address() -> BoxedStrategy<Value> {
    usually(object(vec![
        ("line1", true, text()),
        ("line2", false, mostly(&[json!("Floor 2")])),
        ("city", true, text()),
        ("state_or_region", false, mostly(&[json!("Fife")])),
        ("postal_code", false, mostly(&[json!("00-950")])),
        ("country", true, mostly(&["GB", "JP", "US"].map(|code| json!(code)))),
    ]))
}

fn claims_object() -> BoxedStrategy<Value> {
    let past = ["2020-01-01T00:00:00Z", "2024-02-29T23:59:59+02:00", "2024-13-01T00:00:00Z", "2020-01-01"];
    object(vec![
        ("jurisdiction", true, jurisdiction()),
        ("tax_id_verified", false, mostly(&[json!(true), json!(false)])),
        ("kyb_status", false, mostly(&[json!("verified")])),
        ("business_type", false, mostly(&[json!("shipping")])),
        ("registered_name", false, mostly(&[json!("ACME")])),
        ("verified_at", false, mostly(&past.map(|time| json!(time)))),
        (
            "beneficial_owners",
            false,
            usually(prop::collection::vec(owner(), 0..4).prop_map(Value::from).boxed()),
        ),
        ("registered_address", false, address()),
    ])
}

fn holder_key() -> BoxedStrategy<Value> {
    let (x, y) =
        ("acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0", "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE");
    let ec = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k" });
    let rsa = json!({ "kty": "RSA", "n": "w".repeat(342), "e": "AQAB" });
    let private = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": x });
    let short = json!({ "kty": "OKP", "crv": "Ed25519", "x": &x[1..] });
    let other = json!({ "kty": "oct", "k": x });
    prop_oneof![30 => select(vec![ec, okp, rsa]), 1 => select(vec![private, short, other])].boxed()
}

fn request() -> BoxedStrategy<Value> {
    let subject = object(vec![
        ("id", true, id()),
        ("type", false, mostly(&[json!("organisation")])),
        ("name", false, text()),
        ("registration_number", false, identifier()),
        ("legal_form", false, text()),
        ("jurisdiction", false, jurisdiction()),
    ]);
    object(vec![
        ("credential_type", false, mostly(&[json!("business")])),
        ("self_attestation_complete", true, mostly(&[json!(true)])),
        ("subject", true, usually(subject)),
        ("claims", true, usually(claims_object())),
        ("evidence_refs", false, usually(prop::collection::vec(id(), 0..4).prop_map(Value::from).boxed())),
        ("ttl", false, usually(duration())),
        ("cnf", false, usually(object(vec![("jwk", true, usually(holder_key()))]))),
    ])
}

/// An item, most of the time nearly sound.
pub(crate) fn any_item() -> BoxedStrategy<Value> {
    let enveloped = object(vec![
        ("request", true, usually(request())),
        ("correlation_id", false, usually(id())),
        ("error", false, odd()),
    ]);
    prop_oneof![20 => enveloped, 5 => request(), 1 => odd()].boxed()
}
