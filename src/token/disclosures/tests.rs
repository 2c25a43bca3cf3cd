//! Against published examples, and against what a hostile holder or issuer could send.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use serde_yaml::Value as Yaml;

use super::*;
use crate::token::parse_object;
use crate::token::{Part, TokenError};

/// Processes a payload given as text.
fn run(payload: &str, disclosures: &[String]) -> Result<Processed, DisclosureError> {
    let mut parser = Parser::default();
    let document = parse_object(payload, Part::Payload, &mut parser).unwrap();
    let disclosures: Vec<&str> = disclosures.iter().map(String::as_str).collect();
    process(document.root(), &disclosures)
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(text)
}

fn digest(disclosure: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(disclosure.as_bytes()))
}

/// The claims that come out.
fn claims(payload: &Json, disclosures: &[String]) -> Json {
    let processed = run(&payload.to_string(), disclosures).unwrap();
    serde_json::from_str(&processed.payload).unwrap()
}

/// What is wrong.
fn refusal(payload: &Json, disclosures: &[String]) -> (Option<usize>, Problem) {
    let error = run(&payload.to_string(), disclosures).unwrap_err();
    (error.at, error.problem)
}

fn member(name: &str, value: &Json) -> String {
    encode(&json!(["salt-of-128-bits", name, value]).to_string())
}

fn element(value: &Json) -> String {
    encode(&json!(["salt-of-128-bits", value]).to_string())
}

// ---- Published examples

/// A folder of published vectors, where it is there.
fn vectors(name: &str) -> Option<std::path::PathBuf> {
    crate::machine::data(&format!("vectors/{name}"))
}

/// RFC 9901 section 4.2: five spellings of disclosures, with the digest of each.
#[test]
fn digests_are_those_of_rfc_9901() {
    let Some(folder) = vectors("rfc9901-examples") else { return };
    let examples: Vec<Json> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("disclosures.json")).unwrap()).unwrap();
    assert_eq!(examples.len(), 5);
    for example in examples {
        let disclosure = vec![example["disclosure"].as_str().unwrap().to_owned()];
        let array = example["array"].as_array().unwrap();
        let (payload, expected) = match array.len() {
            3 => (json!({"_sd": [example["sha256"]]}), json!({"family_name": "Möbius"})),
            _ => (json!({"n": [{"...": example["sha256"]}, "DE"]}), json!({"n": ["FR", "DE"]})),
        };
        assert_eq!(claims(&payload, &disclosure), expected);
    }
}

/// Makes SD-JWT payloads from the specifications of the working group's examples: `!sd` marks what
/// can be disclosed.
#[derive(Default)]
struct Maker {
    /// Each with whether the example's holder shows it.
    disclosures: Vec<(String, bool)>,
}

impl Maker {
    /// The value with its marked parts replaced by digests. `choice` is what the example's holder says
    /// about the value's parts, `shown` whether everything around it is shown.
    fn hide(&mut self, value: &Yaml, choice: Option<&Yaml>, shown: bool) -> Json {
        match value {
            Yaml::Tagged(tagged) => self.hide(&tagged.value, choice, shown),
            Yaml::Mapping(members) => self.hide_members(members, choice, shown),
            Yaml::Sequence(elements) => self.hide_elements(elements, choice, shown),
            scalar => plain(scalar),
        }
    }

    fn hide_members(&mut self, members: &serde_yaml::Mapping, choice: Option<&Yaml>, shown: bool) -> Json {
        let (mut object, mut digests) = (Map::new(), Vec::new());
        for (key, value) in members {
            let (name, marked) = match key {
                Yaml::Tagged(key) => (key_text(&key.value), true),
                key => (key_text(key), false),
            };
            let choice = choice.and_then(|choice| choice.get(&name));
            let shows = shown && (!marked || is_shown(choice));
            let value = self.hide(value, choice, shows);
            if marked {
                digests.push(self.disclose(member(&name, &value), shows));
            } else {
                object.insert(name, value);
            }
        }
        if !digests.is_empty() {
            // A decoy of its own: a digest must not stand in a token twice.
            digests.push(digest(&format!("decoy {}", self.disclosures.len())).into());
            digests.sort_by_key(Json::to_string);
            object.insert("_sd".into(), digests.into());
        }
        Json::Object(object)
    }

    fn hide_elements(&mut self, elements: &[Yaml], choice: Option<&Yaml>, shown: bool) -> Json {
        let hidden = elements.iter().enumerate().map(|(at, value)| {
            let choice = choice.and_then(|choice| choice.get(at));
            let marked = matches!(value, Yaml::Tagged(_));
            let shows = shown && (!marked || is_shown(choice));
            let inner = self.hide(value, choice, shows);
            if marked { json!({"...": self.disclose(element(&inner), shows)}) } else { inner }
        });
        hidden.collect()
    }

    /// Adds a disclosure with a salt of its own, so that equal values have different digests.
    fn disclose(&mut self, disclosure: String, shown: bool) -> Json {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(disclosure).unwrap()).unwrap();
        let salted = text.replacen("salt-of-128-bits", &format!("salt {}", self.disclosures.len()), 1);
        let disclosure = encode(&salted);
        let digest = digest(&disclosure).into();
        self.disclosures.push((disclosure, shown));
        digest
    }
}

fn key_text(key: &Yaml) -> String {
    match key {
        Yaml::String(text) => text.clone(),
        other => plain(other).to_string(),
    }
}

fn is_shown(choice: Option<&Yaml>) -> bool {
    !matches!(choice, None | Some(Yaml::Null | Yaml::Bool(false)))
}

/// The value without marks.
fn plain(value: &Yaml) -> Json {
    match value {
        Yaml::Tagged(tagged) => plain(&tagged.value),
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(key, value)| match key {
                Yaml::Tagged(key) => (key_text(&key.value), plain(value)),
                key => (key_text(key), plain(value)),
            });
            Json::Object(members.collect())
        }
        Yaml::Sequence(elements) => elements.iter().map(plain).collect(),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

#[test]
fn published_examples_come_out_whole_and_in_part() {
    let (mut whole, mut in_part) = (0, 0);
    for folder in ["rfc9901-examples", "sd-jwt-python-testcases", "sd-jwt-vc-examples"] {
        let Some(folder) = vectors(folder) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path().join("specification.yml");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let specification: Yaml = serde_yaml::from_str(&text).unwrap();
            let user_claims = &specification["user_claims"];
            let mut maker = Maker::default();
            let payload = maker.hide(user_claims, specification.get("holder_disclosed_claims"), true);

            let all: Vec<String> = maker.disclosures.iter().rev().map(|(text, _)| text.clone()).collect();
            assert_same(&claims(&payload, &all), &plain(user_claims), &path);
            whole += 1;
            if let Some(expected) = specification.get("expect_verified_user_claims") {
                let shown = maker.disclosures.iter().filter(|(_, shown)| *shown);
                let shown: Vec<String> = shown.map(|(text, _)| text.clone()).collect();
                assert_same(&claims(&payload, &shown), &plain(expected), &path);
                in_part += 1;
            }
        }
    }
    assert!(whole >= 30 && in_part >= 10, "{whole} and {in_part}");
}

fn assert_same(found: &Json, expected: &Json, path: &Path) {
    // Compared by value: member order is nobody's.
    let sorted = |value: &Json| serde_json::from_value::<Sorted>(value.clone()).unwrap();
    assert_eq!(sorted(found), sorted(expected), "{}", path.display());
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(untagged)]
enum Sorted {
    Object(BTreeMap<String, Sorted>),
    Array(Vec<Sorted>),
    Other(Json),
}

// ---- Places

#[test]
fn each_disclosure_knows_where_it_went() {
    let (ada, bo) = (element(&json!({"full_name": "Ada"})), element(&json!({"full_name": "Bo"})));
    let owners = member("owners", &json!([{"...": digest(&ada)}, "plain", {"...": digest(&bo)}]));
    let slash = member("a/b~c", &json!(1));
    let payload = json!({
        "claims": {"_sd": [digest(&owners), digest("withheld")], "jurisdiction": "GB"},
        "_sd": [digest(&slash)],
        "_sd_alg": "sha-256",
    });
    let places = |disclosures: &[&String]| {
        let disclosures: Vec<String> = disclosures.iter().map(|&text| text.clone()).collect();
        let processed = run(&payload.to_string(), &disclosures).unwrap();
        let places: Vec<_> =
            processed.disclosed.into_iter().map(|found| (found.path, found.pointer, found.inside)).collect();
        (processed.payload, places, processed.unexplained)
    };

    let (text, found, unexplained) = places(&[&bo, &ada, &owners, &slash]);
    let expected = json!({
        "claims": {"jurisdiction": "GB", "owners": [{"full_name": "Ada"}, "plain", {"full_name": "Bo"}]},
        "a/b~c": 1,
    });
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    let place = |path: &str, pointer: &str, inside| (path.to_owned(), pointer.to_owned(), inside);
    assert_eq!(
        found,
        [
            place("claims.owners[2]", "/claims/owners/2", Some(2)),
            place("claims.owners[0]", "/claims/owners/0", Some(2)),
            place("claims.owners", "/claims/owners", None),
            place("a/b~c", "/a~1b~0c", None),
        ]
    );
    assert_eq!(unexplained, [0, 1, 0], "in the order in which the places end");

    // Elements close up where one is withheld.
    let (_, found, unexplained) = places(&[&owners, &bo]);
    assert_eq!(found[1], place("claims.owners[1]", "/claims/owners/1", Some(0)));
    assert_eq!(unexplained, [1, 1, 1]);
}

#[test]
fn a_payload_of_nothing_but_digests_is_an_empty_object() {
    assert_eq!(claims(&json!({"_sd": [digest("x")], "a": [{"...": digest("y")}]}), &[]), json!({"a": []}));
    assert_eq!(claims(&json!({"_sd": []}), &[]), json!({}));
}

// ---- What must be refused

#[test]
fn forms_that_do_not_fit_their_place_are_refused() {
    let (name, value) = (member("n", &json!(1)), element(&json!(1)));
    let first = Some(1);
    assert_eq!(
        refusal(&json!({"_sd": [digest(&value)]}), std::slice::from_ref(&value)),
        (first, Problem::ElementAsMember)
    );
    let in_array = json!({"a": [{"...": digest(&name)}]});
    assert_eq!(refusal(&in_array, std::slice::from_ref(&name)), (first, Problem::MemberAsElement));
    assert_eq!(refusal(&json!({}), std::slice::from_ref(&name)), (first, Problem::Unreferenced));
    assert_eq!(
        refusal(&json!({"_sd": [digest(&name)]}), &[name.clone(), name.clone()]),
        (Some(2), Problem::Repeated)
    );
    // A digest as plain text refers to nothing.
    assert_eq!(refusal(&json!({"a": digest(&name)}), &[name]), (first, Problem::Unreferenced));

    for (text, problem) in [
        (r#"{"salt":"n"}"#, Problem::NotAnArray),
        (r#""salt""#, Problem::NotAnArray),
        (r#"["salt"]"#, Problem::NotAnArray),
        (r#"[]"#, Problem::NotAnArray),
        (r#"["salt","n",1,2]"#, Problem::NotAnArray),
        (r#"[1,"n",1]"#, Problem::Salt),
        (r#"["salt",7,1]"#, Problem::Name),
        (r#"["salt",null,1]"#, Problem::Name),
        (r#"["salt","_sd",[]]"#, Problem::ForbiddenName("_sd".into())),
        (r#"["salt","\u002e..",1]"#, Problem::ForbiddenName("...".into())),
        (r#"["salt","_sd_alg","sha-256"]"#, Problem::ForbiddenName("_sd_alg".into())),
        (r#"["salt","n",{"a":1,"a":2}]"#, Problem::Fault(crate::json::FaultKind::DuplicateKey)),
    ] {
        let disclosure = encode(text);
        assert_eq!(
            refusal(&json!({"_sd": [digest(&disclosure)]}), &[disclosure]),
            (first, problem),
            "{text}"
        );
    }
    for disclosure in ["W10=", "!", "W1", "_w"] {
        let problem = refusal(&json!({}), &[disclosure.to_owned()]).1;
        assert!(matches!(problem, Problem::Base64 | Problem::Utf8), "{disclosure}: {problem:?}");
    }
    let cut = encode(r#"["salt","n""#);
    assert!(matches!(refusal(&json!({}), &[cut]).1, Problem::Syntax(_)));
}

#[test]
fn names_that_are_taken_are_refused() {
    let taken = || Problem::NameTaken("n".into());
    let one = member("n", &json!(1));
    assert_eq!(
        refusal(&json!({"n": 0, "_sd": [digest(&one)]}), std::slice::from_ref(&one)),
        (Some(1), taken())
    );
    let two = member("n", &json!(2));
    let both = json!({"_sd": [digest(&one), digest(&two)]});
    assert_eq!(refusal(&both, &[one.clone(), two]), (Some(2), taken()));
    // The same name at another level is no conflict.
    assert_eq!(claims(&json!({"n": {"_sd": [digest(&one)]}}), &[one]), json!({"n": {"n": 1}}));
}

#[test]
fn a_digest_may_stand_nowhere_twice() {
    let one = member("n", &json!(1));
    let twice = |payload: Json, disclosures: &[String]| refusal(&payload, disclosures).1;
    let digest_of = digest(&one);
    let shown = [one];
    let in_both = json!({"_sd": [digest_of], "a": [{"...": digest_of}]});
    assert_eq!(twice(in_both, &[]), Problem::RepeatedDigest);
    for payload in
        [json!({"_sd": [digest_of, digest_of]}), json!({"_sd": [digest_of], "a": {"_sd": [digest_of]}})]
    {
        assert_eq!(twice(payload.clone(), &shown), Problem::RepeatedDigest, "{payload}");
        // Decoys and withheld claims count, too.
        assert_eq!(twice(payload.clone(), &[]), Problem::RepeatedDigest, "{payload}");
    }
    let inner = member("m", &json!({"_sd": [digest("decoy")]}));
    let payload = json!({"_sd": [digest("decoy"), digest(&inner)]});
    assert_eq!(twice(payload, &[inner]), Problem::RepeatedDigest);
}

#[test]
fn digests_stand_only_where_digests_stand() {
    for (payload, problem) in [
        (json!({"_sd": "x"}), Problem::Digests),
        (json!({"_sd": [1]}), Problem::Digests),
        (json!({"_sd": {"a": 1}}), Problem::Digests),
        (json!({"_sd": null}), Problem::Digests),
        (json!({"...": "x"}), Problem::Dots),
        (json!({"a": {"...": "x"}}), Problem::Dots),
        (json!({"a": [{"...": "x", "b": 1}]}), Problem::Dots),
        (json!({"a": [{"...": 1}]}), Problem::Dots),
        (json!({"a": {"_sd_alg": "sha-256"}}), Problem::MisplacedHash),
        (json!({"_sd_alg": "sha-512"}), Problem::UnknownHash),
        (json!({"_sd_alg": "SHA-256"}), Problem::UnknownHash),
        (json!({"_sd_alg": 256}), Problem::UnknownHash),
    ] {
        assert_eq!(refusal(&payload, &[]), (None, problem), "{payload}");
    }
}

#[test]
fn depth_and_names_are_bounded() {
    // Each disclosure is shallow; what they add up to is not.
    let mut disclosures = vec![member("n", &json!(0))];
    for _ in 0..MAX_DEPTH {
        let inner = disclosures.last().map(|text| digest(text)).unwrap();
        disclosures.push(member("n", &json!({"_sd": [inner]})));
    }
    let payload = json!({"_sd": [digest(disclosures.last().unwrap())]});
    assert_eq!(refusal(&payload, &disclosures).1, Problem::TooDeep);

    let disclosures: Vec<String> = (0..100).map(|n| member(&format!("n{n}"), &json!(n))).collect();
    let digests: Vec<String> = disclosures.iter().map(|text| digest(text)).collect();
    let mut payload = Map::new();
    payload.insert("x".repeat(100_000), json!({"_sd": digests}));
    assert_eq!(refusal(&Json::Object(payload), &disclosures).1, Problem::LongNames);
}

/// A cycle of digests cannot be made without breaking SHA-256; a disclosure that holds its own text's
/// digest cannot either. What can be sent is a disclosure referred to only from one that is withheld.
#[test]
fn a_disclosure_without_the_one_around_it_is_refused() {
    let inner = member("m", &json!(1));
    let outer = member("n", &json!({"_sd": [digest(&inner)]}));
    let payload = json!({"_sd": [digest(&outer)]});
    assert_eq!(refusal(&payload, std::slice::from_ref(&inner)), (Some(1), Problem::Unreferenced));
    assert_eq!(claims(&payload, &[inner, outer]), json!({"n": {"m": 1}}));
}

#[test]
fn errors_say_which_disclosure_it_is() {
    let mut parser = Parser::default();
    let error: TokenError = parse_object("[]", Part::Payload, &mut parser).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the payload is an array; expected a JSON object");
    let error = run("{}", &[member("n", &json!(1))]).unwrap_err();
    assert_eq!(error.to_string(), "disclosure 1 is not referred to by any digest");
}
