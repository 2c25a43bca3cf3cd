//! Whatever a reader is given, it answers: with what it read, or with what is wrong. It never
//! panics and never goes on for ever.
//!
//! What it is given is sound text with a few slips in it, which gets further than noise does.

use std::io::Cursor;
use std::path::Path;

use beltic::clock::system_now;
use beltic::credential::sd_jwt::{DisclosurePolicy, type_metadata};
use beltic::keys::{CertificateChain, IssuerKey, PublicKey};
use beltic::request::rules::CalendarDuration;
use beltic::request::{Checker, Rules, schema};
use beltic::results::Results;
use beltic::source::{Format, Input, InputName, Items, Options, Source, template};
use beltic::status_list::{bitstring, token_list};
use beltic::stop::Stop;
use beltic::token;
use beltic::types::file::Definition;
use beltic::types::{Types, described};
use beltic::verify::{KeyRing, Lists, Policy, Verifier};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::holds;
use crate::readers::sign::Hand;
use crate::readers::token::base64url;
use crate::support::*;

/// Pieces that mean something to one reader or another.
const PIECES: [&[u8]; 44] = [
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"\t",
    b"|",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"\\u0000",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"~",
    b".",
    b"=",
    b"sep=;\n",
    b"1e999",
    b"-",
    b"null",
    b"\x1f\x8b\x08",
    b"-----",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!binary ",
    b"- ",
    b"  ",
    b"| ",
    b"? ",
    b"18446744073709551616",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// One slip.
#[derive(Debug, Clone)]
enum Slip {
    /// Bytes that are left out.
    Cut(Index, usize),
    /// Bytes that are there twice.
    Double(Index, usize),
    /// A piece put in.
    Piece(Index, &'static [u8]),
    /// A byte that is another one.
    Byte(Index, u8),
    /// The rest left out.
    End(Index),
}

fn slip() -> BoxedStrategy<Slip> {
    prop_oneof![
        2 => (any::<Index>(), 1..20usize).prop_map(|(at, count)| Slip::Cut(at, count)),
        2 => (any::<Index>(), 1..60usize).prop_map(|(at, count)| Slip::Double(at, count)),
        4 => (any::<Index>(), select(PIECES.to_vec())).prop_map(|(at, piece)| Slip::Piece(at, piece)),
        2 => any::<(Index, u8)>().prop_map(|(at, byte)| Slip::Byte(at, byte)),
        1 => any::<Index>().prop_map(Slip::End),
    ]
    .boxed()
}

impl Slip {
    fn make(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index| index.index(bytes.len() + 1);
        match self {
            Slip::Cut(index, count) => {
                let start = at(index);
                bytes.drain(start..(start + count).min(bytes.len()));
            }
            Slip::Double(index, count) => {
                let start = at(index);
                let piece = bytes[start..(start + count).min(bytes.len())].to_vec();
                bytes.splice(start..start, piece);
            }
            Slip::Piece(index, piece) => {
                let start = at(index);
                bytes.splice(start..start, piece.iter().copied());
            }
            Slip::Byte(index, byte) => {
                let place = at(index);
                bytes.splice(place..(place + 1).min(bytes.len()), [*byte]);
            }
            Slip::End(index) => bytes.truncate(at(index)),
        }
    }
}

/// One of these texts, with up to four slips.
fn slipped(texts: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(texts), prop::collection::vec(slip(), 0..=4)).prop_map(|(mut bytes, slips)| {
        slips.iter().for_each(|slip| slip.make(&mut bytes));
        bytes
    })
}

/// A batch in each form, and what comes of it: everything that is made from two companies.
struct World {
    sandbox: Sandbox,
    tokens: Vec<String>,
}

impl World {
    fn new() -> World {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write_items("items.ndjson", &[full_item("a"), item("b"), json!({})]);
        let mut tokens = Vec::new();
        for format in ["jwt_vc", "sd_jwt_vc"] {
            for form in ["ndjson", "json", "csv", "jwt"] {
                let out = format!("{format}.{form}");
                let run = sandbox.issue(&format!(
                    "items.ndjson --proof-format {format} --output-format {form} --out {out}"
                ));
                assert_eq!(run.code, 3, "{}", run.stderr);
            }
            tokens.extend(sandbox.read(&format!("{format}.jwt")).lines().map(str::to_owned));
        }
        sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        World { sandbox, tokens }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.sandbox.path(name)).unwrap()
    }

    /// The status lists of the site.
    fn lists(&self) -> Vec<String> {
        let folders = ["site/status/token", "site/status/bitstring"];
        let files =
            folders.into_iter().flat_map(|folder| std::fs::read_dir(self.sandbox.path(folder)).unwrap());
        let files = files.map(|file| file.unwrap().path());
        let lists = files.filter(|path| path.extension().is_some_and(|end| end == "jwt"));
        lists.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::default();
        ring.add_key(&self.bytes(".beltic/issuer.pub.jwk"), Some(DID_KEY)).unwrap();
        ring
    }
}

fn policy() -> Policy {
    Policy::at(system_now())
}

fn issuer() -> Hand {
    Hand::from_pem_file(&key_fixture("p256-pkcs8.pem"))
}

/// The header and the payload of a JWS, as text.
fn parts(token: &str) -> [Vec<u8>; 2] {
    let mut parts = token.split('.');
    [parts.next(), parts.next()].map(|part| base64url(part.unwrap()))
}

/// The payload of a JWS signed anew, under its own header, after the slips.
fn signed(header: &[u8], payload: &[u8], tail: &str) -> String {
    let base64 = |bytes| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    issuer().sign(&format!("{}.{}", base64(header), base64(payload))) + tail
}

/// Cuts a batch into items, and has each checked. What there is to say is said.
fn read_batch(bytes: Vec<u8>, format: Option<Format>) {
    let options = Options { format, max_item_bytes: 4096, ..Options::of(Items::of(Types::BUILT_IN)) };
    let input = Input::Opened(InputName::Stdin, Box::new(Cursor::new(bytes)));
    let mut source = match Source::open(vec![input], options, &Stop::default()) {
        Ok(source) => source,
        Err(error) => return drop(error.to_string()),
    };
    let default_ttl = CalendarDuration::parse("P1Y").unwrap();
    let mut checker = Checker::new(Rules {
        types: Types::BUILT_IN,
        allow_unknown: true,
        default_ttl,
        overrules_types: false,
        hash_key: [7; 32],
        identity: None,
    });
    let now = policy().now;
    loop {
        let chunk = match source.next_chunk() {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => return drop(error.to_string()),
        };
        let (mut texts, mut back, mut given) = (chunk.open(), chunk.failed_writer(), Vec::new());
        let mut place = 0;
        while let Some(item) = texts.next() {
            match item.text {
                Err(fault) => drop(fault.to_string()),
                Ok(text) => {
                    let checked = checker.check(text, item.unterminated, now, &mut Vec::new());
                    if let Err(rejection) = checked.outcome {
                        back.item(place, &rejection, &mut given);
                    }
                }
            }
            place += 1;
        }
    }
    source.warnings().iter().for_each(|warning| drop(warning.to_string()));
}

#[test]
fn any_batch_is_read_or_refused() {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for form in ["json", "ndjson", "csv"] {
        texts
            .push(std::fs::read(manifest_folder().join(format!("fixtures/items/companies.{form}"))).unwrap());
    }
    texts.push(std::fs::read(manifest_folder().join("fixtures/items/mixed.ndjson")).unwrap());
    texts.push(ndjson(&[full_item("a"), item("b")]).into_bytes());
    let format = prop_oneof![2 => Just(None), 1 => select(Format::ALL.to_vec()).prop_map(Some)];
    holds(1_500, file!(), (slipped(texts), format), |(bytes, format)| read_batch(bytes, format));
}

#[test]
fn any_results_are_read_or_refused() {
    let world = World::new();
    let names = ["jwt_vc", "sd_jwt_vc"]
        .into_iter()
        .flat_map(|format| ["ndjson", "json", "csv", "jwt"].map(|form| format!("{format}.{form}")));
    let texts = names.map(|name| world.bytes(&name)).collect();
    holds(1_000, file!(), slipped(texts), |bytes| {
        let input = Box::new(Cursor::new(bytes));
        let Ok(results) = Results::read(InputName::Stdin, input, &Stop::default()) else { return };
        let mut results = results.batches();
        while results.next_batch().is_ok_and(|batch| !batch.is_empty()) {}
    });
}

#[test]
fn any_key_is_read_or_refused() {
    let keys: Vec<_> = files_in(&manifest_folder().join("fixtures/keys"));
    let certificates = files_in(&manifest_folder().join("fixtures/certificates"));
    let own = PublicKey::parse(&std::fs::read(key_fixture("p256-public.jwk")).unwrap()).unwrap();
    holds(1_000, file!(), slipped(keys), |bytes| {
        // Keys under a passphrase are left to the tests of keys: each try costs a second.
        let mut passphrase = || Err(beltic::keys::KeyError::NoPassphrase);
        let _ = IssuerKey::parse(&bytes, &mut passphrase).map_err(|error| error.to_string());
        let _ = PublicKey::parse(&bytes).map_err(|error| error.to_string());
        let _ = KeyRing::default().add_key(&bytes, None).map_err(|error| error.to_string());
    });
    holds(500, file!(), slipped(certificates), |bytes| {
        let _ = CertificateChain::read(&bytes, &own).map_err(|error| error.to_string());
    });
}

fn files_in(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn any_set_of_keys_is_read_or_refused() {
    let world = World::new();
    let texts = ["site/.well-known/jwks.json", "site/did.json", "site/.well-known/did.json"];
    let texts: Vec<_> =
        texts.into_iter().filter(|name| world.sandbox.has(name)).map(|name| world.bytes(name)).collect();
    assert!(texts.len() >= 2);
    holds(1_000, file!(), slipped(texts), |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let mut ring = KeyRing::default();
        let _ = ring.add_jwks(&text, None).map_err(|error| error.to_string());
        let _ = ring.add_did_document(&text).map_err(|error| error.to_string());
        let _ = ring.add_issuer_metadata(&text).map_err(|error| error.to_string());
        let _ = ring.add_did(&text).map_err(|error| error.to_string());
    });
}

/// Slips in the token itself, and slips under a sound signature: in the payload, in a disclosure.
#[test]
fn any_token_is_judged() {
    let world = World::new();
    let (ring, policy) = (world.ring(), policy());
    let mut lists = Lists::default();
    for list in world.lists() {
        lists.add(list.trim(), &ring, &policy).unwrap();
    }
    let judge = |token: &str| {
        let verdict = format!("{:?}", Verifier::new(&ring, &policy, &lists).verify(token));
        let _ = token::present(token, &["claims.beneficial_owners[]".to_owned()])
            .map_err(|error| error.to_string());
        let _ = token::unverified_id(token);
        verdict
    };
    for token in &world.tokens {
        assert!(judge(token).starts_with("Valid"), "{}", judge(token));
    }
    let whole = world.tokens.iter().map(|token| token.clone().into_bytes()).collect();
    holds(1_000, file!(), slipped(whole), |bytes| drop(judge(&String::from_utf8_lossy(&bytes))));

    let signed_parts = world.tokens.iter().map(|token| {
        let [header, payload] = parts(token);
        let tail = token.split_once('~').map_or(String::new(), |(_, tail)| format!("~{tail}"));
        (header, payload, tail)
    });
    let slips = prop::collection::vec(slip(), 0..=4);
    let choice = (select(signed_parts.collect::<Vec<_>>()), slips, any::<Index>());
    holds(1_000, file!(), choice, |((header, mut payload, tail), slips, place)| {
        let mut disclosures: Vec<_> = tail.split('~').map(str::to_owned).collect();
        // The empty texts before the first `~` and after the last one are no disclosures.
        let at = place.index(disclosures.len());
        if disclosures[at].is_empty() {
            slips.iter().for_each(|slip| slip.make(&mut payload));
        } else {
            let mut disclosure = base64url(&disclosures[at]);
            slips.iter().for_each(|slip| slip.make(&mut disclosure));
            let text = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&disclosure);
            // Its digest is put in the place of the old one, where that is in the clear.
            let [old, new] = [&disclosures[at], &text].map(|text| crate::readers::sign::digest(text));
            payload = String::from_utf8_lossy(&payload).replace(&old, &new).into_bytes();
            disclosures[at] = text;
        }
        judge(&signed(&header, &payload, &disclosures.join("~")));
    });
}

#[test]
fn any_status_list_is_read_or_refused() {
    let world = World::new();
    let (ring, policy) = (world.ring(), policy());
    let lists = world.lists();
    assert!(lists.len() >= 2);
    let parted: Vec<_> = lists.iter().map(|list| parts(list.trim())).collect();
    let slips = prop::collection::vec(slip(), 0..=4);
    holds(400, file!(), (select(parted), slips), |([header, mut payload], slips)| {
        slips.iter().for_each(|slip| slip.make(&mut payload));
        let _ = Lists::default().add(&signed(&header, &payload, ""), &ring, &policy);
    });

    // The packed bits themselves, which are of zlib and gzip.
    let packed = lists.iter().map(|list| {
        let [_, payload] = parts(list.trim());
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let bits = &payload["status_list"]["lst"];
        let text =
            bits.as_str().or_else(|| payload["credentialSubject"]["encodedList"].as_str()?.strip_prefix('u'));
        base64url(text.unwrap())
    });
    holds(600, file!(), (slipped(packed.collect()), 0..9u64), |(bytes, width)| {
        let text = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&bytes);
        let _ = token_list::decode(width, &text, 1 << 16).map_err(|error| error.to_string());
        let _ = bitstring::decode(&format!("u{text}"), 1 << 16).map_err(|error| error.to_string());
    });
}

/// Settings and `inspect`, through the program: a panic would be exit code 101.
#[test]
fn any_settings_and_any_text_to_inspect_get_an_answer() {
    let world = World::new();
    let sandbox = &world.sandbox;
    let settings = std::fs::read(manifest_folder().join("fixtures/beltic.yaml")).unwrap();
    let policy = "disclosure:\n  decoys: 2\n  claims:\n    claims.kyb_status: always\ncsv:\n  constants:\n    ttl: P1Y\n";
    let answered = |run: Run, codes: &[i32]| {
        assert!(
            codes.contains(&run.code) && !run.stderr.contains("panicked"),
            "{}: {}",
            run.code,
            run.stderr
        );
    };
    holds(60, file!(), slipped(vec![settings, policy.into()]), |bytes| {
        sandbox.write("some.yaml", bytes);
        let args = ["batch-issue", "items.ndjson", "--config", "some.yaml", "--dry-run", "--quiet"];
        answered(sandbox.beltic(&args), &[2, 3, 5, 6]);
    });
    let texts = [
        "jwt_vc.ndjson",
        "sd_jwt_vc.jwt",
        "sd_jwt_vc.json",
        "site/.well-known/jwks.json",
        ".beltic/issuer.pub.jwk",
    ];
    let mut texts: Vec<_> = texts.iter().map(|name| world.bytes(name)).collect();
    texts.extend(world.lists().into_iter().map(String::into_bytes));
    holds(60, file!(), slipped(texts), |bytes| {
        sandbox.write("some", bytes);
        answered(sandbox.beltic(&["inspect", "some"]), &[0, 4]);
    });
}

/// A definition with most of what one can say, and the pieces of JSON Schema in which slips mean something.
const DEFINITION: &str = r##"{"type":"licence","name":"LicenceCredential","ttl":"P1Y","extends":"business",
"schema":{"title":"Licence","properties":{"subject":{"properties":{"nick":{"type":"string"}}},"claims":{"type":"object",
"required":["number"],"additionalProperties":false,"minProperties":1,"properties":{"number":{"$ref":"#/$defs/number"},
"since":{"type":["string","null"],"format":"date"},"fee":{"type":"number","exclusiveMinimum":0,"multipleOf":0.5},
"count":{"type":"integer","maximum":10},"kind":{"enum":["a","b"]},"any":true,"parts":{"type":"array","minItems":1,
"uniqueItems":true,"items":{"type":"object","properties":{"code":{"type":"string","minLength":2},"inner":
{"$ref":"#/properties/claims/properties/parts"}}}}},"if":{"required":["fee"]},"then":{"required":["kind"]}}},
"$defs":{"number":{"type":"string","pattern":"^[A-Z]{2}-[0-9]+$"}}},"personal":["subject.nick"],
"identifiers":["claims.number"],"disclosure":{"claims.parts[].code":"always","claims.fee":"allowed"},
"labels":{"claims.number":{"en":"Number"}},"display":[{"locale":"en","name":"Licence"}],
"csv":{"columns":{"Nr":"claims.number"},"repeat":{"claims.parts":"part"}}}"##;

/// A type that was made of a text with slips can be asked for everything, and judges items.
#[test]
fn any_definition_of_a_type_is_read_or_refused() {
    let texts = slipped(vec![DEFINITION.as_bytes().to_vec()]);
    holds(256, file!(), texts, |bytes| {
        let Ok(text) = String::from_utf8(bytes) else { return };
        let definition = Definition::read(&text);
        let known = match definition.and_then(|definition| definition.define(None, Types::BUILT_IN)) {
            Ok(known) => &*Box::leak(Box::new(known)),
            Err(fault) => return drop(fault.to_string()),
        };
        let types = Types::BUILT_IN.and([known]).with_default(known);
        let documents = [schema::item(types), schema::credential(known, "https://a.example/s")];
        assert!(documents.iter().all(|document| document.is_object()));
        assert!(described(known.item()).count() > 5);
        drop(template(known, Format::Csv, 2));
        let metadata = type_metadata(known, "urn:x", &DisclosurePolicy::of_type(known));
        assert_eq!(metadata["vct"], "urn:x");
        let default_ttl = CalendarDuration::parse("P1Y").unwrap();
        let rules = Rules {
            types,
            allow_unknown: true,
            default_ttl,
            overrules_types: false,
            hash_key: [0; 32],
            identity: None,
        };
        for claims in [
            json!({ "number": "AB-1", "parts": [{ "code": "xy", "inner": [{ "code": "z" }] }], "fee": 1e300 }),
            json!({}),
        ] {
            let item =
                json!({ "self_attestation_complete": true, "subject": { "id": "a" }, "claims": claims });
            drop(Checker::new(rules.clone()).check(&item.to_string(), false, policy().now, &mut Vec::new()));
        }
    });
}
