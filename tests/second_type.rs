//! A second credential type, in one file: nothing outside of it knows the type, and it passes every stage.

#![allow(clippy::unwrap_used, reason = "the exception for tests leaves out their helpers")]

use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use beltic::batch::{Outcome, Plan, Register, Render, Row, SelfCheck, issue, row_check};
use beltic::clock::{Clock, UnixTime, system_now};
use beltic::credential::sd_jwt::type_metadata;
use beltic::credential::{Profile, ProfileSettings, ProofFormat};
use beltic::issuer::Issuer;
use beltic::keys::IssuerKey;
use beltic::ledger::{Filter, Ledger, RunDescription};
use beltic::publish::{DidMethods, Directory, PublishedType, Site, SitePlan, Stays};
use beltic::request::rules::CalendarDuration;
use beltic::request::{Rules, schema};
use beltic::source::{Format, Input, InputName, Items, Options, RowCheck, Source, csv_columns, template};
use beltic::status_list::Validity;
use beltic::stop::Stop;
use beltic::types::{CredentialType, Field, FieldKind, Frame, ID, NON_EMPTY, Object, Rule, TEXT, Types};
use beltic::verify::{KeyRing, NoLists, Policy, Verdict, Verifier};
use serde_json::{Value, json};

/// A licence to trade, with the kinds of fields that types can have.
static LICENCE: CredentialType = CredentialType {
    name: "trade_licence",
    vc_type: "TradeLicenceCredential",
    title: "Trade licence",
    description: "What somebody may trade in.",
    own: &Object::NOTHING,
    subject: ("who holds the licence", &HOLDER),
    claims: ("what it allows", &CLAIMS),
    columns: &[
        "correlation_id",
        "subject_id",
        "subject_type",
        "holder_name",
        "licence_number",
        "area",
        "partner…",
        "premises_city",
        "premises_country",
        "open_on_sundays",
        "granted_at",
        "evidence_refs",
        "ttl",
        "self_attestation_complete",
        "credential_type",
    ],
    hidden: &["subject.holder_name", "claims.partners[]"],
    grants: None,
    rules: &[],
    frame: Frame::new(),
    from_file: None,
};

static HOLDER: Object = Object {
    reserved: &["claims", "subject_id"],
    ..Object::of_claims(&[
        Field::required("id", ID, "the holder's identifier").identifier(),
        Field::optional("type", FieldKind::Word(&["person", "shop"]), "`person` or `shop`"),
        Field::optional("holder_name", NON_EMPTY, "the holder's name").personal(),
    ])
};

static CLAIMS: Object = Object {
    min_members: 1,
    rules: &[Rule::SharesOfAWhole { list: "partners", share: "share" }],
    ..Object::of_claims(&[
        Field::required("licence_number", NON_EMPTY, "its number").identifier(),
        Field::optional("area", FieldKind::Jurisdiction, "where it holds"),
        Field::optional(
            "partners",
            FieldKind::Array { of: &PARTNER, min: 0, max: Some(3) },
            "who trades with the holder",
        ),
        Field::optional("premises", FieldKind::Object(&PREMISES), "where the holder trades"),
        Field::optional("open_on_sundays", FieldKind::Boolean, "whether Sunday is a working day"),
        Field::optional("granted_at", FieldKind::PastDateTime, "when it was granted"),
    ])
};

static PARTNER: Field =
    Field::required("partner", FieldKind::Object(&PARTNER_OBJECT), "somebody who trades with the holder");

static PARTNER_OBJECT: Object = Object::of_claims(&[
    Field::required("called", NON_EMPTY, "the partner's name").personal(),
    Field::optional("share", FieldKind::Percent, "the partner's share"),
]);

static PREMISES: Object = Object::of_claims(&[
    Field::optional("city", TEXT, "the city").personal(),
    Field::required("country", FieldKind::Country, "the country"),
]);

/// Both types; items that name none are licences.
fn types() -> Types {
    static BOTH: LazyLock<[&CredentialType; 2]> =
        LazyLock::new(|| [&LICENCE, Types::BUILT_IN.default_type()]);
    Types::new(&*BOTH)
}

const TIME: i64 = 1_795_406_400;

fn licence(id: &str) -> Value {
    json!({
        "request": {
            "self_attestation_complete": true,
            "subject": { "id": id, "type": "shop", "holder_name": "Ottilie Quarrington" },
            "claims": {
                "licence_number": "L-0042",
                "area": "GB",
                "partners": [{ "called": "Barnabas Wexcombe", "share": 60 }, { "called": "花子", "share": 40.5 }],
                "premises": { "city": "Newtown", "country": "GB" },
                "open_on_sundays": false,
                "granted_at": "2020-01-31T12:00:00Z",
            },
        },
        "correlation_id": id,
    })
}

fn business(id: &str) -> Value {
    json!({
        "request": {
            "credential_type": "business",
            "self_attestation_complete": true,
            "subject": { "id": id },
            "claims": { "kyb_status": "passed" },
        },
        "correlation_id": id,
    })
}

fn rules(hash_key: [u8; 32]) -> Rules {
    let default_ttl = CalendarDuration::parse("P1Y").unwrap();
    Rules {
        types: types(),
        allow_unknown: false,
        default_ttl,
        overrules_types: false,
        hash_key,
        identity: None,
    }
}

/// Writes a line of JSON for each item: its resource, or its error.
struct Lines;

impl Render for Lines {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        match &row.outcome {
            Outcome::Issued(resource) => resource.write_json(out),
            Outcome::Rejected(rejection) => serde_json::to_writer(&mut *out, rejection).unwrap(),
            Outcome::WouldIssue { .. } | Outcome::Planned => unreachable!("nothing is a dry run here"),
        }
        out.push(b'\n');
    }
}

struct Desk {
    folder: tempfile::TempDir,
    key: IssuerKey,
    issuer: Issuer,
}

impl Desk {
    fn new() -> Desk {
        let key = IssuerKey::generate().unwrap();
        let issuer = Issuer::parse("https://issuer.example", key.public()).unwrap();
        Desk { folder: tempfile::tempdir().unwrap(), key, issuer }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(self.folder.path().join("ledger.db").as_path()).unwrap().0
    }

    /// Issues a batch under an idempotency key; each credential is verified before it leaves.
    fn issue(&self, batch: String, format: Option<Format>, proof_format: ProofFormat) -> Vec<Value> {
        let settings = ProfileSettings { proof_format, ..ProfileSettings::of_types(types(), &self.issuer) };
        let profile = Profile::new(&self.issuer, settings);
        let ledger = self.ledger();
        let self_check =
            SelfCheck::new(self.key.public(), &profile, types(), UnixTime::from_seconds(TIME).unwrap())
                .unwrap();
        let clock = Clock::Fixed(UnixTime::from_seconds(TIME).unwrap());
        let plan = Plan {
            profile: &profile,
            key: &self.key,
            rules: rules(ledger.hash_key()),
            clock,
            jobs: 2,
            run: RunDescription {
                repeatable: true,
                status_base: Some("https://issuer.example".to_owned()),
                ..RunDescription::of(&profile, proof_format.as_str().to_owned(), "P1Y".to_owned())
            },
            max_failures: None,
            shard: None,
            keep_failed: false,
            keep_tokens: false,
            self_check: Some(&self_check),
            renewals: None,
        };
        let check: RowCheck = row_check(rules([0; 32]), clock);
        let items = Items::new(types(), Default::default(), check).unwrap();
        let input = Input::Ready(InputName::Stdin, Box::new(Cursor::new(batch.into_bytes())));
        let stop = Stop::default();
        let mut source = Source::open(vec![input], Options { format, ..Options::of(items) }, &stop).unwrap();
        let mut lines = Vec::new();
        let register = Register::Ledger(Box::new(ledger));
        let ended = issue(&mut source, &plan, register, &Lines, &stop, |delivery| {
            lines.extend(delivery.bytes);
            Ok::<_, ()>(())
        });
        ended.outcome.unwrap();
        let lines = String::from_utf8(lines).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn ndjson(items: &[Value]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

fn tokens(results: &[Value]) -> Vec<String> {
    results.iter().map(|result| result["signed_payload"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn schema_and_validator_take_the_same_items() {
    let schema = schema::item(types());
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut unnumbered = licence("a");
    unnumbered["request"]["claims"].as_object_mut().unwrap().remove("licence_number");
    let mut swapped = licence("a");
    swapped["request"]["credential_type"] = "business".into();
    let mut unknown = licence("a");
    unknown["request"]["credential_type"] = "passport".into();
    let bare = |item: Value| item["request"].clone();
    let cases = [licence("a"), business("b"), unnumbered, swapped, unknown];
    let mut checker = beltic::request::Checker::new(rules([0; 32]));
    for (item, is_sound) in cases.into_iter().zip([true, true, false, false, false]) {
        for item in [item.clone(), bare(item)] {
            assert_eq!(validator.is_valid(&item), is_sound, "{item}");
            let checked = checker.check(&item.to_string(), false, system_now(), &mut Vec::new());
            assert_eq!(checked.outcome.is_ok(), is_sound, "{item}: {:?}", checked.outcome);
        }
    }
}

#[test]
fn a_type_that_is_not_issued_is_told_with_those_that_are() {
    let mut item = licence("a");
    item["request"]["credential_type"] = "trade_license".into();
    let checked = beltic::request::Checker::new(rules([0; 32])).check(
        &item.to_string(),
        false,
        system_now(),
        &mut Vec::new(),
    );
    let rejection = checked.outcome.unwrap_err();
    assert_eq!(rejection.code, beltic::request::ErrorCode::UnsupportedCredentialType);
    assert!(rejection.message.ends_with("expected trade_licence or business"), "{}", rejection.message);
}

#[test]
fn templates_and_columns_are_those_of_the_type() {
    assert_eq!(
        csv_columns(&LICENCE, 2).join(" "),
        "correlation_id subject_id subject_type holder_name licence_number area partner1_called partner1_share \
         partner2_called partner2_share premises_city premises_country open_on_sundays granted_at evidence_refs ttl \
         self_attestation_complete credential_type"
    );
    let item: Value = serde_json::from_str(&template(&LICENCE, Format::Ndjson, 2)).unwrap();
    assert_eq!(item["request"]["claims"]["partners"].as_array().unwrap().len(), 2);
    assert_eq!(item["request"]["subject"]["type"], "person");
}

/// The same licences from JSON and from a table give the same credentials.
#[test]
fn a_table_gives_what_json_gives() {
    let table = "subject id;subject type;holder name;licence number;area;partner1 called;partner1 share;partner2_called;\
                 partner2_share;premises_city;premises_country;open on sundays;granted_at;self_attestation_complete;\
                 correlation_id\n\
                 a;shop;Ottilie Quarrington;L-0042;GB;Barnabas Wexcombe;60;花子;40,5;Newtown;GB;FALSE;\
                 2020-01-31T12:00:00Z;true;a\n";
    for proof_format in ProofFormat::ALL {
        let claims = |results: &[Value]| (results[0]["subject"].clone(), results[0]["claims"].clone());
        let from_table = Desk::new().issue(table.to_owned(), Some(Format::Csv), proof_format);
        let from_json = Desk::new().issue(ndjson(&[licence("a")]), None, proof_format);
        assert_eq!(claims(&from_table), claims(&from_json));
        assert_eq!(from_table[0]["credential_type"], "trade_licence");
    }
}

/// One run issues both types in the order of its items; run again, it gives the same ones.
#[test]
fn a_run_of_both_types_is_issued_once() {
    let items: Vec<Value> = (0..1_500)
        .map(|number| match number % 3 {
            0 => business(&number.to_string()),
            _ => licence(&number.to_string()),
        })
        .collect();
    for proof_format in ProofFormat::ALL {
        let desk = Desk::new();
        let first = desk.issue(ndjson(&items), None, proof_format);
        let again = desk.issue(ndjson(&items), None, proof_format);
        assert_eq!(first.len(), items.len());
        for (number, ((item, first), again)) in items.iter().zip(&first).zip(&again).enumerate() {
            let credential_type = ["business", "trade_licence"][usize::from(number % 3 > 0)];
            assert_eq!(first["credential_type"], credential_type);
            assert_eq!(first["vct"], format!("https://issuer.example/credentials/{credential_type}/v1"));
            assert_eq!(first["claims"], item["request"]["claims"]);
            for name in ["id", "status_list_index", "status_list_uri"] {
                assert_eq!(first[name], again[name], "{name} of item {number}");
            }
        }
        let places: std::collections::HashSet<_> = first
            .iter()
            .map(|result| (result["status_list_uri"].to_string(), result["status_list_index"].to_string()))
            .collect();
        assert_eq!(places.len(), items.len(), "no place twice");

        let mut ledger = desk.ledger();
        let of_type = |ledger: &mut Ledger, name: &str| {
            let vct = Some(format!("https://issuer.example/credentials/{name}/v1"));
            ledger.credentials(&Filter { vct, ..Filter::default() }, None, 10_000).unwrap().len()
        };
        assert_eq!((of_type(&mut ledger, "business"), of_type(&mut ledger, "trade_licence")), (500, 1_000));
    }
}

/// An item of one type in the place of one of the other is another item.
#[test]
fn the_type_is_part_of_what_an_item_says() {
    let desk = Desk::new();
    let mut item = business("a");
    desk.issue(ndjson(&[item.clone()]), None, ProofFormat::JwtVc);
    item["request"].as_object_mut().unwrap().remove("credential_type");
    item["request"]["claims"] = json!({ "licence_number": "1" });
    let again = desk.issue(ndjson(&[item]), None, ProofFormat::JwtVc);
    assert_eq!(again[0]["code"], "idempotency_key_conflict");
}

#[test]
fn verifiers_judge_by_the_rules_of_the_type() {
    let desk = Desk::new();
    let mut ring = KeyRing::default();
    ring.add_named(desk.issuer.kid(), desk.key.public(), desk.issuer.id()).unwrap();
    let policy =
        Policy { status: false, types: types(), ..Policy::at(UnixTime::from_seconds(TIME).unwrap()) };
    let mut verifier = Verifier::new(&ring, &policy, NoLists);
    for proof_format in ProofFormat::ALL {
        let results = desk.issue(ndjson(&[licence("a"), business("b")]), None, proof_format);
        for token in tokens(&results) {
            match verifier.verify(&token) {
                Verdict::Valid(valid) => assert!(!valid.unchecked.schema, "the type is known"),
                Verdict::Invalid(refusal) => panic!("{}", refusal.message),
            }
        }
    }
    // By the rules of a program that does not know the type, it is sound, and its claims are not checked.
    let built_in = Policy { types: Types::BUILT_IN, ..policy.clone() };
    let token = &tokens(&desk.issue(ndjson(&[licence("a")]), None, ProofFormat::JwtVc))[0];
    match Verifier::new(&ring, &built_in, NoLists).verify(token) {
        Verdict::Valid(valid) => assert!(valid.unchecked.schema),
        Verdict::Invalid(refusal) => panic!("{}", refusal.message),
    }
}

#[test]
fn the_site_has_the_metadata_and_terms_of_both() {
    let desk = Desk::new();
    desk.issue(ndjson(&[licence("a"), business("b")]), None, ProofFormat::SdJwtVc);
    let settings = ProfileSettings::of_types(types(), &desk.issuer).types;
    let type_metadata = settings.iter().map(|of_type| PublishedType {
        vct: of_type.vct.clone(),
        document: type_metadata(of_type.credential_type, &of_type.vct, &of_type.disclosure)
            .to_string()
            .into_bytes(),
        stays: Stays::No,
    });
    let now = system_now();
    let at = |seconds| UnixTime::from_seconds(now.seconds() + seconds).unwrap();
    let plan = SitePlan {
        issuer: &desk.issuer,
        key: &desk.key,
        other_keys: Vec::new(),
        base_url: Some("https://issuer.example".to_owned()),
        context: Some("https://issuer.example/contexts/v1".to_owned()),
        types: types(),
        type_metadata: type_metadata.collect(),
        schemas: Vec::new(),
        did_methods: DidMethods::default(),
        x5c: None,
        validity: Validity { issued_at: now, expires_at: at(86_400 * 7), ttl_seconds: 43_200 },
        previous: None,
        ledger_was_restored: false,
        accept_lost_revocations: false,
    };
    let ledger = desk.ledger();
    let site =
        Site::build(&plan, Some(&ledger), &Directory::to_read(&desk.folder.path().join("site"))).unwrap();
    let file = |path: &str| -> Value {
        let found = site.files.iter().find(|(found, ..)| found.relative() == Path::new(path));
        serde_json::from_slice(found.unwrap_or_else(|| panic!("{path}")).2).unwrap()
    };
    let metadata = file("credentials/trade_licence/v1");
    assert_eq!(metadata["name"], "Trade licence");
    let hidden: Vec<&Value> =
        metadata["claims"].as_array().unwrap().iter().filter(|claim| claim["sd"] == "always").collect();
    assert_eq!(hidden.len(), 2);
    let mandatory = json!(["claims", "licence_number"]);
    let claims = metadata["claims"].as_array().unwrap();
    assert!(claims.iter().any(|claim| claim["path"] == mandatory && claim["mandatory"] == true));
    assert_eq!(file("credentials/business/v1")["vct"], "https://issuer.example/credentials/business/v1");
    let terms = &file("contexts/v1")["@context"];
    for term in ["TradeLicenceCredential", "BusinessCredential", "holder_name", "shop"] {
        assert_eq!(terms[term], format!("https://issuer.example/contexts/v1#{term}"), "{term}");
    }
}

#[test]
fn inspect_shows_it() {
    let desk = Desk::new();
    let results = desk.issue(ndjson(&[licence("a")]), None, ProofFormat::SdJwtVc);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", tokens(&results)[0]).unwrap();
    let inspected =
        Command::new(env!("CARGO_BIN_EXE_beltic")).arg("inspect").arg(file.path()).output().unwrap();
    let shown = String::from_utf8(inspected.stdout).unwrap();
    for text in ["credentials/trade_licence/v1", "Ottilie Quarrington", "L-0042"] {
        assert!(shown.contains(text), "{shown}");
    }
}
