//! What can be done to any token: its header, its encoding, its signature.

use beltic::verify::{Reason, Step};
use serde_json::{Value, json};

use crate::case;
use crate::readers::sign::base64url;
use crate::readers::token::base64url as decode;
use crate::world::{Case, KID, Kind, hand, stranger};

pub(crate) fn cases(kind: Kind) -> Vec<Case> {
    [headers(kind), header_texts(kind), keys(kind), texts(kind), signatures(kind), payload_texts(kind)]
        .into_iter()
        .flatten()
        .collect()
}

fn headers(kind: Kind) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut push = |member: &str, value: Option<Value>, reason, step| {
        let name = format!("header {member} {value:?}");
        let token = kind.with_header(|header| match value {
            Some(value) => header[member] = value,
            None => drop(header.as_object_mut().unwrap().remove(member)),
        });
        cases.push(case(name, token, reason, step));
    };
    let algs = [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "ES512",
        "ES256K", "EdDSA", "Ed25519", "es256", "ES256 ",
    ];
    for alg in algs {
        push("alg", Some(json!(alg)), Reason::UnsupportedAlg, Step::Header);
    }
    for alg in [json!(null), json!(256), json!(["ES256"]), json!({"alg": "ES256"}), json!(true)] {
        push("alg", Some(alg), Reason::UnsupportedAlg, Step::Header);
    }
    push("alg", None, Reason::UnsupportedAlg, Step::Header);
    for typ in [
        "JWT",
        "jwt",
        "vc",
        "vp+jwt",
        "kb+jwt",
        "statuslist+jwt",
        "application/statuslist+jwt",
        "vc+sd-jwt",
        "vc+ld+json+jwt",
        "vc+cose",
        "",
        "vc+jwt ",
        "text/vc+jwt",
        "application/application/vc+jwt",
        "jose",
    ] {
        push("typ", Some(json!(typ)), Reason::UnsupportedType, Step::Header);
    }
    let other = if kind == Kind::JwtVc { "dc+sd-jwt" } else { "vc+jwt" };
    push("typ", Some(json!(other)), Reason::Malformed, Step::Header);
    for typ in [json!(null), json!(1), json!(["vc+jwt"])] {
        push("typ", Some(typ), Reason::Malformed, Step::Header);
    }
    push("typ", None, Reason::UnsupportedType, Step::Header);
    for crit in [
        json!([]),
        json!(["exp"]),
        json!(["b64"]),
        json!("exp"),
        json!(null),
        json!({}),
        json!(["alg"]),
        json!([1]),
    ] {
        push("crit", Some(crit), Reason::UnsupportedCritical, Step::Header);
    }
    for b64 in [json!(false), json!("true"), json!(null), json!(1)] {
        push("b64", Some(b64), Reason::UnsupportedCritical, Step::Header);
    }
    if kind == Kind::JwtVc {
        for cty in ["JWT", "vp", "vc+jwt", "", "application/vp"] {
            push("cty", Some(json!(cty)), Reason::UnsupportedType, Step::Header);
        }
        push("cty", Some(json!(["vc"])), Reason::Malformed, Step::Header);
    }
    push("kid", None, Reason::UnknownKid, Step::Header);
    for kid in [json!(null), json!(1), json!([KID]), json!({})] {
        push("kid", Some(kid), Reason::Malformed, Step::Header);
    }
    for kid in [
        "",
        "key-2",
        "#key-2",
        "##key-1",
        "#",
        "did:web:issuer.example",
        "did:web:issuer.example#",
        "did:web:issuer.example#KEY-1",
        "DID:web:issuer.example#key-1",
        "did:web:issuer.example#key-1 ",
        "did:web:issuer.example?x#key-1",
        "did:web:issuer.example%23key-1",
        "did:web:issuer.example.#key-1",
        "did:web:other.example#key-1",
        "../../../etc/passwd",
        "https://issuer.example/keys",
        "' OR 1=1 --",
        "did:web:issuer.example#key-1\u{0}x",
    ] {
        // NUL is no character of a header at all.
        let (reason, step) = match kid.contains('\0') {
            true => (Reason::Malformed, Step::Header),
            false => (Reason::UnknownKid, Step::Key),
        };
        push("kid", Some(json!(kid)), reason, step);
    }
    cases
}

/// Headers that are no sound JSON objects.
fn header_texts(kind: Kind) -> Vec<Case> {
    let sound = kind.header().to_string();
    let inside = &sound[1..sound.len() - 1];
    let texts = [
        ("alg twice", format!(r#"{{{inside},"alg":"ES256"}}"#)),
        ("alg twice, first none", format!(r#"{{"alg":"none",{inside}}}"#)),
        ("kid twice, once escaped", format!(r#"{{{inside},"k\u0069d":"x"}}"#)),
        ("an unknown member twice", format!(r#"{{{inside},"x":1,"x":1}}"#)),
        ("a member twice inside another", format!(r#"{{{inside},"x":{{"a":1,"a":2}}}}"#)),
        ("an array", format!("[{sound}]")),
        ("a string", "\"ES256\"".to_owned()),
        ("null", "null".to_owned()),
        ("nothing", String::new()),
        ("cut", sound[..sound.len() - 1].to_owned()),
        ("something after it", format!("{sound}{sound}")),
        ("a comma too many", format!("{{{inside},}}")),
        ("a comment", format!("{{{inside}/**/}}")),
        ("single quotes", sound.replace('"', "'")),
        ("a byte order mark", format!("\u{feff}{sound}")),
        ("half a surrogate pair", format!(r#"{{{inside},"x":"\ud800"}}"#)),
        ("a number that is none", format!(r#"{{{inside},"x":NaN}}"#)),
        ("too deep", format!(r#"{{{inside},"x":{}{}}}"#, "[".repeat(100), "]".repeat(100))),
        ("deep enough for a stack", format!(r#"{{{inside},"x":{}"#, "[".repeat(100_000))),
    ];
    let mut cases: Vec<Case> = texts
        .into_iter()
        .map(|(name, text)| {
            let token = kind.with(&text, &kind.payload().to_string());
            case(format!("header text: {name}"), token, Reason::Malformed, Step::Header)
        })
        .collect();
    let bytes = [b"{\"alg\":\"ES256\",\"typ\":\"".as_slice(), b"\xff\xfe\"}"].concat();
    let input = format!("{}.{}", base64url(&bytes), base64url(kind.payload().to_string().as_bytes()));
    let token = hand().sign(&input) + &kind.tail();
    cases.push(case("header text: not UTF-8", token, Reason::Malformed, Step::Header));
    cases
}

/// A stranger who brings a key along.
fn keys(kind: Kind) -> Vec<Case> {
    let jwk = stranger().jwk(KID);
    let brought = [
        ("nothing", json!(null), ""),
        ("jwk", jwk.clone(), "jwk"),
        ("x5c", json!(["MIIB"]), "x5c"),
        ("jku", json!("https://evil.example/jwks.json"), "jku"),
        ("x5u", json!("https://evil.example/cert.pem"), "x5u"),
        ("jwks", json!({"keys": [jwk]}), "jwks"),
    ];
    brought
        .into_iter()
        .map(|(name, value, member)| {
            let mut header = kind.header();
            if !member.is_empty() {
                header[member] = value;
            }
            let token = stranger().jws(&header.to_string(), &kind.payload().to_string()) + &kind.tail();
            case(format!("a stranger's signature, with {name}"), token, Reason::BadSignature, Step::Signature)
        })
        .collect()
}

/// Spellings of the token that some readers take.
fn texts(kind: Kind) -> Vec<Case> {
    let token = kind.token();
    let (jwt, tail) = (token.split('~').next().unwrap().to_owned(), kind.tail());
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!() };
    let joined =
        |header: &str, payload: &str, signature: &str| format!("{header}.{payload}.{signature}{tail}");
    let (split, in_header) = (Step::Split, Step::Header);
    let mut cases = vec![
        ("nothing", String::new(), split),
        ("a space", " ".into(), split),
        ("no dots", joined(header, payload, signature).replace('.', ""), split),
        ("two parts", format!("{header}.{payload}{tail}"), split),
        ("four parts", format!("{jwt}.{signature}{tail}"), split),
        ("five parts, as encrypted ones have", format!("{header}.{payload}.{signature}.a.b{tail}"), split),
        ("a space before", format!(" {token}"), split),
        ("a line break before", format!("\n{token}"), split),
        ("Bearer", format!("Bearer {token}"), split),
        ("a byte order mark before", format!("\u{feff}{token}"), split),
        ("quotes", format!("\"{token}\""), split),
        (
            "a line break inside",
            joined(&format!("{}\n{}", &header[..8], &header[8..]), payload, signature),
            split,
        ),
        ("header with padding", joined(&format!("{header}="), payload, signature), split),
        ("header of nothing", joined("", payload, signature), in_header),
        ("header in plain base64", joined(&format!("{header}+/"), payload, signature), split),
        ("signature with padding", joined(header, payload, &format!("{signature}==")), split),
        ("signature with a line break", joined(header, payload, &format!("{signature}\n")), split),
        ("signature with a space", joined(header, payload, &format!(" {signature}")), split),
        ("signature in plain base64", joined(header, payload, &format!("{}+/", &signature[..84])), split),
        ("signature of another alphabet", joined(header, payload, &format!("é{signature}")), split),
        (
            "the general JSON form",
            json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
                .to_string(),
            split,
        ),
        (
            "the flattened JSON form",
            json!({"payload": payload, "protected": header, "signature": signature}).to_string(),
            split,
        ),
        ("percent-encoded", token.replace('.', "%2E"), split),
        ("a full stop of another script", token.replace('.', "。"), split),
    ];
    // 86 characters hold 516 bits, of which four say nothing and must be zero.
    let last = signature.as_bytes()[85];
    for bits in 1..4u8 {
        let changed = format!("{}{}", &signature[..85], char::from(stray(last, bits)));
        let name = ["", "stray bits 1", "stray bits 2", "stray bits 3"][usize::from(bits)];
        cases.push((name, joined(header, payload, &changed), Step::Signature));
    }
    let mut cases: Vec<Case> = cases
        .into_iter()
        .map(|(name, token, step)| case(format!("text: {name}"), token, Reason::Malformed, step))
        .collect();
    let long = format!("{token}{}", "A".repeat(16 << 20));
    cases.push(case("text: more than 16 megabytes", long, Reason::Malformed, split));
    if kind == Kind::JwtVc {
        for (name, text) in
            [("a tilde at the end", format!("{token}~")), ("a disclosure", format!("{token}~WyJzIiwxXQ~"))]
        {
            cases.push(case(format!("text: {name}"), text, Reason::Malformed, in_header));
        }
    }
    cases
}

/// The character whose value differs in bits that do not count.
fn stray(character: u8, bits: u8) -> u8 {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = DIGITS.iter().position(|&digit| digit == character).unwrap();
    DIGITS[value ^ usize::from(bits)]
}

/// The order of P-256.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The prime of P-256's field, which is greater.
const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

fn signatures(kind: Kind) -> Vec<Case> {
    let token = kind.token();
    let jwt = token.split('~').next().unwrap().to_owned();
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let (r, s) = signature.split_at(32);
    let (zero, one) = ([0u8; 32], number("01"));
    let (n, p, max) = (number(N), number(P), [0xFFu8; 32]);
    let n_and_one = number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552");
    let other = kind.with_payload(|payload| payload["sub"] = json!("urn:example:other"));
    let other_jwt = other.split('~').next().unwrap().to_owned();
    let other_signature = decode(other_jwt.rsplit('.').next().unwrap());
    let both = |r: &[u8], s: &[u8]| [r, s].concat();
    let variants: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("r alone", r.to_vec()),
        ("63 bytes", signature[..63].to_vec()),
        ("63 bytes, the first missing", signature[1..].to_vec()),
        ("65 bytes", both(&signature, &[0])),
        ("65 bytes, a zero first", both(&[0], &signature)),
        ("66 bytes, each number with a zero", [&[0], r, &[0], s].concat()),
        ("96 bytes, as of P-384", both(&signature, &[0; 32])),
        ("twice", both(&signature, &signature)),
        ("DER", der(r, s)),
        ("all zeros", vec![0; 64]),
        ("r = 0", both(&zero, s)),
        ("s = 0", both(r, &zero)),
        ("r = s = 1", both(&one, &one)),
        ("r = n", both(&n, s)),
        ("s = n", both(r, &n)),
        ("r = s = n", both(&n, &n)),
        ("r = n + 1", both(&n_and_one, s)),
        ("s = n + 1", both(r, &n_and_one)),
        ("r = p", both(&p, s)),
        ("r greater than all", both(&max, s)),
        ("s greater than all", both(r, &max)),
        ("all ones", vec![0xFF; 64]),
        ("r and s swapped", both(s, r)),
        ("little-endian", both(&reversed(r), &reversed(s))),
        ("one bit of r", flipped(&signature, 3)),
        ("one bit of s", flipped(&signature, 40)),
        ("that of another token", other_signature),
    ];
    let mut cases: Vec<Case> = variants
        .into_iter()
        .map(|(name, signature)| {
            let token = format!("{input}.{}{}", base64url(&signature), kind.tail());
            case(format!("signature: {name}"), token, Reason::BadSignature, Step::Signature)
        })
        .collect();
    let unsigned = kind.with_header(|header| header["alg"] = json!("none"));
    let unsigned = unsigned.split('~').next().unwrap().rsplit_once('.').unwrap().0.to_owned();
    let token = format!("{unsigned}.{}", kind.tail());
    cases.push(case("signature: none and empty", token, Reason::UnsupportedAlg, Step::Header));
    let (header, payload) = input.split_once('.').unwrap();
    let (_, other_payload) = other_jwt.rsplit_once('.').unwrap().0.split_once('.').unwrap();
    let signature = base64url(&signature);
    for (name, token) in [
        ("another payload under it", format!("{header}.{other_payload}.{signature}")),
        ("header and payload swapped", format!("{payload}.{header}.{signature}")),
        ("another spelling of the header", {
            let spaced = kind.header().to_string().replacen(':', ": ", 1);
            format!("{}.{payload}.{signature}", base64url(spaced.as_bytes()))
        }),
        ("no payload", format!("{header}..{signature}")),
    ] {
        let (reason, step) = match name {
            "header and payload swapped" => (Reason::UnsupportedAlg, Step::Header),
            _ => (Reason::BadSignature, Step::Signature),
        };
        cases.push(case(format!("signature: {name}"), token + &kind.tail(), reason, step));
    }
    cases
}

fn number(hex: &str) -> [u8; 32] {
    let hex = format!("{hex:0>64}");
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// ECDSA-Sig-Value (RFC 3279 section 2.2.3).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let rest: Vec<u8> = bytes.iter().copied().skip_while(|&byte| byte == 0).collect();
        let pad = if rest[0] & 0x80 != 0 { vec![0] } else { Vec::new() };
        [vec![2, (pad.len() + rest.len()) as u8], pad, rest].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [vec![0x30, both.len() as u8], both].concat()
}

/// Payloads with a sound signature that are no sound JSON objects.
fn payload_texts(kind: Kind) -> Vec<Case> {
    let sound = kind.payload().to_string();
    let inside = &sound[1..sound.len() - 1];
    let texts = [
        ("nothing", String::new()),
        ("an array", format!("[{sound}]")),
        ("a string", json!(sound).to_string()),
        ("a number", "1".to_owned()),
        ("cut", sound[..sound.len() - 1].to_owned()),
        ("something after it", format!("{sound} x")),
        ("iss twice", format!(r#"{{"iss":"did:web:evil.example",{inside}}}"#)),
        ("exp twice", format!(r#"{{{inside},"exp":9999999999}}"#)),
        ("exp twice, once escaped", format!(r#"{{{inside},"\u0065xp":9999999999}}"#)),
        ("a member twice inside another", format!(r#"{{{inside},"x":{{"a":1,"a":2}}}}"#)),
        ("NUL", format!(r#"{{{inside},"x":"\u0000"}}"#)),
        ("half a surrogate pair", format!(r#"{{{inside},"x":"\udc00"}}"#)),
        ("a control character", format!("{{{inside},\"x\":\"\u{1}\"}}")),
        ("a number that is none", format!(r#"{{{inside},"x":Infinity}}"#)),
        ("a number with leading zeros", format!(r#"{{{inside},"x":01}}"#)),
        ("too deep", format!(r#"{{{inside},"x":{}{}}}"#, "[".repeat(100), "]".repeat(100))),
        ("a byte order mark", format!("\u{feff}{sound}")),
        ("compressed", "x\u{1}".to_owned()),
    ];
    texts
        .into_iter()
        .map(|(name, text)| {
            let token = kind.with(&kind.header().to_string(), &text);
            case(format!("payload text: {name}"), token, Reason::Malformed, Step::Payload)
        })
        .collect()
}
