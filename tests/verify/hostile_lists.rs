//! Lists that nobody should believe: every kind of fault, in both forms of lists, for both formats of credentials.
//!
//! Whatever is wrong with a list, a credential that names it has no known status: alone, beside a good list of the
//! other form that says "valid", and beside good lists of other names. What a good list has taken back stays taken back.

use std::collections::BTreeSet;

use beltic::verify::{Lists, Reason, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::lists::{bit_list, gzip, sign_bit_list, sign_token_list, token_list, zlib};
use crate::readers::sign::base64url;
use crate::world::{BIT_LIST, ENDS, INDEX, ISSUED, KID, Kind, NOW, TOKEN_LIST, World, hand, stranger};

/// The forms of lists.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Token,
    Bitstring,
}

impl Form {
    const ALL: [Form; 2] = [Form::Token, Form::Bitstring];

    fn other(self) -> Form {
        if self == Form::Token { Form::Bitstring } else { Form::Token }
    }

    fn uri(self) -> &'static str {
        if self == Form::Token { TOKEN_LIST } else { BIT_LIST }
    }

    fn header(self) -> Value {
        let typ = if self == Form::Token { "statuslist+jwt" } else { "vc+jwt" };
        json!({"alg": "ES256", "typ": typ, "kid": KID})
    }

    /// A good list, in which the credential is revoked or not.
    fn good(self, revoked: bool) -> String {
        match (self, revoked) {
            (Form::Token, false) => token_list(&[]),
            (Form::Token, true) => token_list(&[(INDEX, 1)]),
            (Form::Bitstring, false) => bit_list(&[]),
            (Form::Bitstring, true) => bit_list(&[INDEX]),
        }
    }

    fn payload(self) -> Value {
        crate::readers_payload(&self.good(false))
    }

    /// A list with a good signature whose payload was changed.
    fn with(self, change: impl FnOnce(&mut Value)) -> String {
        match self {
            Form::Token => sign_token_list(change, &[]),
            Form::Bitstring => sign_bit_list(change, &[]),
        }
    }

    /// A list with other bytes in it, packed by the compression given.
    fn holding(self, packed: &[u8]) -> String {
        self.with(|payload| match self {
            Form::Token => payload["status_list"]["lst"] = json!(base64url(packed)),
            Form::Bitstring => {
                payload["credentialSubject"]["encodedList"] = json!(format!("u{}", base64url(packed)));
            }
        })
    }
}

/// A fault that a list can have.
struct Fault {
    name: String,
    list: String,
    /// Whether anybody could have made the list: then it takes no good list's place.
    unsigned: bool,
}

fn faults(form: Form) -> Vec<Fault> {
    let mut faults = unsigned(form);
    faults.extend(signed(form).into_iter().map(|(name, list)| Fault { name, list, unsigned: false }));
    faults
}

/// Lists whose signature is not one of the issuer's, and what is not a list at all.
fn unsigned(form: Form) -> Vec<Fault> {
    let (good, header, payload) = (form.good(false), form.header(), form.payload().to_string());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = crate::readers::token::base64url(signature);
    let (r, s) = raw.split_at(32);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut push = |name: &str, list: String| found.push((name.to_owned(), list));

    push("a stranger's signature", stranger().jws(&header.to_string(), &payload));
    for (member, value) in [
        ("jwk", stranger().jwk(KID)),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = header.clone();
        header[member] = value;
        push(&format!("a stranger's signature with {member}"), stranger().jws(&header.to_string(), &payload));
    }
    for (name, signature) in [
        ("no signature", Vec::new()),
        ("zeros", vec![0; 64]),
        ("r = 0", [&[0; 32], s].concat()),
        ("s = 0", [r, &[0; 32]].concat()),
        ("r and s swapped", [s, r].concat()),
        ("63 bytes", raw[..63].to_vec()),
        ("65 bytes", [&raw[..], &[0]].concat()),
    ] {
        push(&format!("signature: {name}"), format!("{input}.{}", base64url(&signature)));
    }
    push("signature: padded", format!("{good}=="));
    push("two parts", input.to_owned());
    push("four parts", format!("{good}.{signature}"));
    for (member, values) in [
        (
            "alg",
            vec![
                json!("none"),
                json!("HS256"),
                json!("ES384"),
                json!("es256"),
                json!(null),
                json!(["ES256"]),
            ],
        ),
        (
            "typ",
            vec![json!("JWT"), json!("dc+sd-jwt"), json!("vc+sd-jwt"), json!("kb+jwt"), json!(""), json!(1)],
        ),
        ("kid", vec![json!("key-2"), json!("did:web:other.example#key-1"), json!(""), json!(7), json!(null)]),
        ("crit", vec![json!(["exp"]), json!([])]),
        ("b64", vec![json!(false)]),
    ] {
        for value in values {
            let mut header = header.clone();
            header[member] = value.clone();
            push(&format!("header {member} {value}"), hand().jws(&header.to_string(), &payload));
        }
    }
    for member in ["alg", "typ", "kid"] {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove(member);
        push(&format!("header without {member}"), hand().jws(&header.to_string(), &payload));
    }
    let other_form = form.other().header()["typ"].clone();
    for text in [
        format!(r#"{{"alg":"none",{}"#, &header.to_string()[1..]),
        format!(r#"{{"typ":{other_form},{}"#, &header.to_string()[1..]),
    ] {
        push(&format!("header twice: {text}"), hand().jws(&text, &payload));
    }
    for (name, text) in [
        ("empty", ""),
        ("spaces", "  "),
        ("HTML", "<!doctype html><html><title>404 Not Found</title></html>"),
        ("JSON", r#"{"error":"not found"}"#),
        ("dots", ".."),
        ("words", "Not Found"),
        ("NUL", "\0"),
    ] {
        push(name, text.to_owned());
    }
    for share in 1..20 {
        push(&format!("cut after {share} of 20"), good[..good.len() * share / 20].to_owned());
    }
    push("cut by one", good[..good.len() - 1].to_owned());
    push("with a tilde", format!("{good}~"));
    push("with a line break", good.replacen('.', ".\n", 1));
    push("twice", format!("{good}{good}"));
    push("a credential", Kind::JwtVc.token());
    push("an SD-JWT", Kind::SdJwtVc.token());
    push("the list's payload alone", payload);
    found.into_iter().map(|(name, list)| Fault { name, list, unsigned: true }).collect()
}

/// A compression.
type Pack = fn(&[u8]) -> Vec<u8>;

/// Lists that the issuer signed, and that say nothing about the credential all the same.
fn signed(form: Form) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut push = |name: &str, list: String| found.push((name.to_owned(), list));
    let name_member = if form == Form::Token { "sub" } else { "id" };
    for name in [
        json!(format!("{}/", form.uri())),
        json!(format!("{}#list", form.uri())),
        json!(format!("{}?x", form.uri())),
        json!(form.uri().to_uppercase()),
        json!(form.uri().replace("https", "http")),
        json!(form.other().uri()),
        json!([form.uri()]),
        json!(""),
        json!(7),
        json!(null),
    ] {
        push(&format!("name {name}"), form.with(|payload| payload[name_member] = name.clone()));
    }
    push("no name", form.with(|payload| drop(payload.as_object_mut().unwrap().remove(name_member))));
    push("another issuer", form.with(|payload| payload["iss"] = json!("did:web:other.example")));
    push("an issuer that is no text", form.with(|payload| payload["iss"] = json!(1)));
    for exp in [NOW, NOW - 1, ISSUED, 0, -1] {
        push(&format!("exp {exp}"), form.with(|payload| payload["exp"] = json!(exp)));
    }
    for exp in [json!("never"), json!(null), json!([ENDS])] {
        push(&format!("exp {exp}"), form.with(|payload| payload["exp"] = exp.clone()));
    }
    for (member, value) in [("iat", json!(NOW + 1)), ("nbf", json!(NOW + 1)), ("iat", json!("now"))] {
        push(&format!("{member} {value}"), form.with(|payload| payload[member] = value.clone()));
    }
    let (pack, other_pack): (Pack, Pack) = if form == Form::Token { (zlib, gzip) } else { (gzip, zlib) };
    let whole = pack(&[0; 32_768]);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (name, packed) in [
        ("the other compression", other_pack(&[0; 32_768])),
        ("no compression", vec![0; 32_768]),
        ("cut", whole[..whole.len() - 5].to_vec()),
        ("damaged", damaged),
        ("something behind it", [whole.clone(), vec![0]].concat()),
        ("two in one", [whole.clone(), whole.clone()].concat()),
        ("a bomb", pack(&vec![0; (16 << 20) + 1])),
        ("nothing", Vec::new()),
        ("too short", pack(&[0; 64])),
        ("ends before the index", pack(&vec![0; (INDEX / 8) as usize])),
    ] {
        push(&format!("packed: {name}"), form.holding(&packed));
    }
    match form {
        Form::Token => {
            for bits in [
                json!(0),
                json!(3),
                json!(16),
                json!(-2),
                json!("2"),
                json!(2.5),
                json!(null),
                json!((1u64 << 32) + 2),
            ] {
                push(&format!("bits {bits}"), form.with(|p| p["status_list"]["bits"] = bits.clone()));
            }
            for (name, member) in [("no list", "status_list"), ("no iat", "iat")] {
                push(name, form.with(|p| drop(p.as_object_mut().unwrap().remove(member))));
            }
            for lst in [json!("eNo="), json!("+/"), json!(""), json!(7), json!(null)] {
                push(&format!("lst {lst}"), form.with(|p| p["status_list"]["lst"] = lst.clone()));
            }
            push("a value that is reserved", token_list(&[(INDEX, 3)]));
        }
        Form::Bitstring => {
            for purpose in [
                json!("suspension"),
                json!("message"),
                json!("refresh"),
                json!("Revocation"),
                json!([]),
                json!(null),
                json!(1),
            ] {
                let change = |p: &mut Value| p["credentialSubject"]["statusPurpose"] = purpose.clone();
                push(&format!("purpose {purpose}"), form.with(change));
            }
            for (member, value) in [
                ("issuer", json!("did:web:other.example")),
                ("issuer", json!(null)),
                ("type", json!(["VerifiableCredential"])),
                ("type", json!("BitstringStatusListCredential")),
                ("type", json!(["VerifiableCredential", "StatusList2021Credential"])),
                ("@context", json!([])),
                ("@context", json!(["https://www.w3.org/2018/credentials/v1"])),
                ("validUntil", json!("2026-11-23T05:00:00Z")),
                ("validUntil", json!("soon")),
                ("validFrom", json!("2026-11-23T05:00:01Z")),
                ("vc", json!({})),
                ("credentialSubject", json!({})),
                ("credentialSubject", json!([])),
            ] {
                push(&format!("{member} {value}"), form.with(|payload| payload[member] = value.clone()));
            }
            for (member, value) in [
                ("type", json!("StatusList2021")),
                ("statusSize", json!(2)),
                ("statusSize", json!("1")),
                ("encodedList", json!(base64url(&whole))),
                ("encodedList", json!("u")),
                ("encodedList", json!(7)),
                ("ttl", json!(0)),
            ] {
                let change = |payload: &mut Value| payload["credentialSubject"][member] = value.clone();
                push(&format!("subject {member} {value}"), form.with(change));
            }
        }
    }
    let twice = form.payload().to_string();
    let twice = format!(r#"{{"{name_member}":{},{}"#, json!(form.uri()), &twice[1..]);
    push("a member twice", hand().jws(&form.header().to_string(), &twice));
    let typ_of_other = form.other().header().to_string();
    push("the typ of the other form", hand().jws(&typ_of_other, &form.payload().to_string()));
    push(
        "the payload of the other form",
        hand().jws(&form.header().to_string(), &form.other().payload().to_string()),
    );
    found
}

/// A credential of this kind that names lists of these forms, and no other.
fn credential(kind: Kind, forms: &[Form]) -> String {
    kind.with_payload(|payload| {
        let entry = Kind::JwtVc.payload()["credentialStatus"].clone();
        let members = payload.as_object_mut().unwrap();
        members.remove("credentialStatus");
        if !forms.contains(&Form::Token) {
            members.remove("status");
        }
        if forms.contains(&Form::Bitstring) {
            members.insert("credentialStatus".to_owned(), entry);
        }
    })
}

/// The keys and the policy of [`World`], and whatever lists are given. Making a whole world signs lists each time.
struct Judge(World);

impl Judge {
    fn verdict(&self, token: &str, given: &[&str]) -> Option<(Reason, Step, String)> {
        let mut lists = Lists::default();
        for list in given {
            let _ = lists.add(list, &self.0.ring, &self.0.policy);
        }
        match Verifier::new(&self.0.ring, &self.0.policy, &lists).verify(token) {
            Verdict::Valid(_) => None,
            Verdict::Invalid(refusal) => Some((refusal.reason, refusal.step, refusal.message)),
        }
    }

    fn reason(&self, token: &str, lists: &[&str]) -> Option<Reason> {
        self.verdict(token, lists).map(|(reason, ..)| reason)
    }
}

const UNKNOWN: Option<Reason> = Some(Reason::StatusUnknown);
const REVOKED: Option<Reason> = Some(Reason::Revoked);

#[test]
fn no_fault_of_a_list_makes_a_credential_valid() {
    let judge = Judge(World::new());
    let mut checked = 0;
    for form in Form::ALL {
        let (good, revoked) = (form.good(false), form.good(true));
        let (other, other_revoked) = (form.other().good(false), form.other().good(true));
        let faults = faults(form);
        let names: BTreeSet<&String> = faults.iter().map(|fault| &fault.name).collect();
        assert_eq!(names.len(), faults.len(), "each fault has a name of its own");
        for kind in [Kind::JwtVc, Kind::SdJwtVc] {
            let (one, both) = (credential(kind, &[form]), credential(kind, &Form::ALL));
            // The table says something only if the same credentials are valid by good lists.
            assert_eq!(judge.verdict(&one, &[&good]), None);
            assert_eq!(judge.verdict(&both, &[&good, &other]), None);
            for Fault { name, list, unsigned } in &faults {
                let case = format!("{kind:?}, {form:?}: {name}");
                assert_eq!(judge.reason(&one, &[list]), UNKNOWN, "{case}: alone");
                assert_eq!(judge.reason(&one, &[list, &other]), UNKNOWN, "{case}: beside the other form");
                for lists in [[list, other.as_str()], [other.as_str(), list]] {
                    assert_eq!(judge.reason(&both, &lists), UNKNOWN, "{case}: the other form stands in");
                }
                assert_eq!(
                    judge.reason(&both, &[list, &other_revoked]),
                    REVOKED,
                    "{case}: revoked elsewhere"
                );
                if *unsigned {
                    for (own, expected) in [(&good, None), (&revoked, REVOKED)] {
                        for lists in [[list, own.as_str()], [own.as_str(), list]] {
                            assert_eq!(
                                judge.reason(&one, &lists),
                                expected,
                                "{case}: anybody's file takes its place"
                            );
                        }
                    }
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 350, "{checked} cases");
}

/// A list that was given and is broken is not called missing.
#[test]
fn a_broken_list_is_named_in_the_verdict() {
    let judge = Judge(World::new());
    for form in Form::ALL {
        let token = credential(Kind::JwtVc, &[form]);
        let forged = stranger().token(&form.header(), &form.payload());
        let expired = form.with(|payload| payload["exp"] = json!(NOW));
        for (list, said) in [(&forged, "signature does not match"), (&expired, "expired")] {
            let (reason, _, message) = judge.verdict(&token, &[list]).unwrap();
            assert_eq!(reason, Reason::StatusUnknown);
            assert!(message.contains(form.uri()) && message.contains("cannot be relied on"), "{message}");
            assert!(message.contains(said), "{message}");
        }
        let (_, _, message) = judge.verdict(&token, &[]).unwrap();
        assert!(message.contains(form.uri()) && message.contains("was not given"), "{message}");
    }
    let suspension =
        |payload: &mut Value| payload["credentialSubject"]["statusPurpose"] = json!("suspension");
    let list = Form::Bitstring.with(suspension);
    let (_, _, message) = judge.verdict(&credential(Kind::JwtVc, &[Form::Bitstring]), &[&list]).unwrap();
    assert!(message.contains("is not a Bitstring Status List for revocation"), "{message}");
}
