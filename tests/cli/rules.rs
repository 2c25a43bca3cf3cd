//! Every rule of the fields of an item, as a table of items. The validator and the JSON Schema are
//! both held to it.

mod agents;
mod outcomes;
mod users;

use serde_json::{Value, json};

use crate::support::*;

/// An item and what becomes of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) item: Value,
    /// The path and the code of its violation; none for a sound item.
    pub(crate) violation: Option<(String, &'static str)>,
    /// Whether the rule is one that a JSON Schema cannot say (the head of `src/request/schema.rs`).
    pub(crate) beyond_schema: bool,
}

/// The table.
pub(crate) fn cases() -> Vec<Case> {
    let mut table = Table { cases: Vec::new(), base: full_item };
    whole_items(&mut table);
    attestation_and_type(&mut table);
    subjects(&mut table);
    claims(&mut table);
    owners(&mut table);
    addresses(&mut table);
    evidence(&mut table);
    lives(&mut table);
    holder_keys(&mut table);
    correlation_ids(&mut table);
    identifiers(&mut table);
    users::push(&mut table);
    agents::push(&mut table);
    outcomes::push(&mut table);
    table.cases
}

struct Table {
    cases: Vec<Case>,
    /// A sound item with every field of its type.
    base: fn(&str) -> Value,
}

const OWNER: &str = "/request/claims/beneficial_owners/0";
const ADDRESS: &str = "/request/claims/registered_address";
const JWK: &str = "/request/cnf/jwk";

impl Table {
    fn sound(&mut self, name: &str, item: Value) {
        self.cases.push(Case { name: name.into(), item, violation: None, beyond_schema: false });
    }

    fn faulty(&mut self, name: &str, item: Value, path: &str, code: &'static str) {
        let violation = Some((path.to_owned(), code));
        self.cases.push(Case { name: name.into(), item, violation, beyond_schema: false });
    }

    /// The full item with these values in this place, all sound.
    fn takes<const N: usize>(&mut self, path: &str, values: [Value; N]) {
        for value in values {
            self.sound(&format!("{path} = {value}"), with((self.base)("x"), path, value));
        }
    }

    /// The full item with these values in this place, all refused there.
    fn refuses<const N: usize>(&mut self, path: &str, code: &'static str, values: [Value; N]) {
        for value in values {
            let name = format!("{path} = {value}");
            self.faulty(&name, with((self.base)("x"), path, value), path, code);
        }
    }

    /// The full item with this value in this place, refused at another one.
    fn refuses_at(&mut self, path: &str, at: &str, code: &'static str, value: Value) {
        let name = format!("{path} = {value}");
        self.faulty(&name, with((self.base)("x"), path, value), at, code);
    }

    /// As [`Table::refuses`], for what a schema cannot say.
    fn refuses_beyond_schema<const N: usize>(&mut self, path: &str, code: &'static str, values: [Value; N]) {
        let before = self.cases.len();
        self.refuses(path, code, values);
        self.cases[before..].iter_mut().for_each(|case| case.beyond_schema = true);
    }

    fn optional<const N: usize>(&mut self, paths: [&str; N]) {
        for path in paths {
            self.sound(&format!("without {path}"), without((self.base)("x"), path));
        }
    }

    fn required<const N: usize>(&mut self, paths: [&str; N]) {
        for path in paths {
            self.faulty(&format!("without {path}"), without((self.base)("x"), path), path, "missing");
        }
    }

    fn unknown(&mut self, path: &str) {
        self.faulty(
            &format!("unknown {path}"),
            with((self.base)("x"), path, json!("x")),
            path,
            "unknown_field",
        );
    }
}

fn whole_items(table: &mut Table) {
    table.sound("full", full_item("x"));
    table.sound("plain", item("x"));
    let mut bare = full_item("x")["request"].clone();
    table.sound("bare", bare.clone());
    bare["correlation_id"] = json!("x");
    table.sound("bare with correlation id", bare.clone());
    table.faulty("bare, unknown", with(bare.clone(), "/note", json!(1)), "/note", "unknown_field");
    table.faulty("bare, missing", without(bare, "/subject"), "/subject", "missing");
    table.required(["/request"]);
    table.unknown("/note");
    table.unknown("/request/note");
    table.refuses("/request", "wrong_type", [json!(null), json!([]), json!("x")]);
    for value in [json!(null), json!([]), json!("text"), json!(42), json!(true)] {
        table.faulty(&format!("{value}"), value, "", "");
    }
    table.faulty("{}", json!({}), "/request", "missing");
}

fn attestation_and_type(table: &mut Table) {
    let attestation = "/request/self_attestation_complete";
    table.faulty(
        &format!("without {attestation}"),
        without(full_item("x"), attestation),
        attestation,
        "not_true",
    );
    table.refuses(
        attestation,
        "not_true",
        [json!(false), json!("true"), json!(1), json!(null), json!({}), json!([true])],
    );
    table.optional(["/request/credential_type"]);
    table.takes("/request/credential_type", [json!("business")]);
    table.refuses(
        "/request/credential_type",
        "unsupported_type",
        [json!("person"), json!("Business"), json!("")],
    );
    table.refuses("/request/credential_type", "wrong_type", [json!(null), json!(1)]);
    // Another type has other rules, so nothing else is said about its item.
    let person = with(full_item("x"), "/request/credential_type", json!("person"));
    let person = with(person, "/request/subject", json!({"full_name": "Ada Roe"}));
    let person = without(with(person, "/request/claims", json!({"age": 30})), attestation);
    table.faulty("a person", person, "/request/credential_type", "unsupported_type");
}

fn subjects(table: &mut Table) {
    table.required(["/request/subject", "/request/subject/id"]);
    table.optional([
        "/request/subject/type",
        "/request/subject/name",
        "/request/subject/registration_number",
        "/request/subject/legal_form",
        "/request/subject/jurisdiction",
    ]);
    table.refuses("/request/subject", "wrong_type", [json!(null), json!([]), json!("x")]);
    let id = "/request/subject/id";
    table.takes(id, [json!("x"), json!("日".repeat(512)), json!("x y"), json!("did:web:a.example")]);
    table.refuses(id, "empty", [json!("")]);
    table.refuses(id, "too_long", [json!("x".repeat(513)), json!("日".repeat(513))]);
    table.refuses(id, "wrong_type", [json!(7), json!(null), json!(["x"])]);
    table.takes("/request/subject/type", [json!("organisation")]);
    table.refuses(
        "/request/subject/type",
        "unknown_code",
        [json!("organization"), json!("person"), json!("")],
    );
    table.refuses("/request/subject/type", "wrong_type", [json!(null)]);
    for name in ["name", "registration_number", "legal_form"] {
        let path = &format!("/request/subject/{name}");
        table.takes(path, [json!("x".repeat(2_000))]);
        if name != "registration_number" {
            table.takes(path, ["Null", "N/A", " ", "\"x\"", "a\u{A0}b"].map(|text| json!(text)));
        }
        table.refuses(path, "empty", [json!("")]);
        table.refuses(path, "wrong_type", [json!(445_790), json!(null), json!({})]);
    }
    jurisdictions(table, "/request/subject/jurisdiction");
    table.unknown("/request/subject/registrationNumber");
    table.unknown("/request/subject/__proto__");
}

fn jurisdictions(table: &mut Table, path: &str) {
    table.takes(path, ["GB", "US-DE", "GB-SCT", "JP-13", "TW", "CN-HK"].map(|code| json!(code)));
    let none = ["UK", "gb", "GBR", "826", "", " GB", "US_DE", "US-ZZ", "XK", "EU", "Germany", "ΚΥ"];
    table.refuses(path, "unknown_code", none.map(|code| json!(code)));
    table.refuses(path, "wrong_type", [json!(null), json!(826)]);
}

fn claims(table: &mut Table) {
    table.required(["/request/claims"]);
    table.optional([
        "/request/claims/jurisdiction",
        "/request/claims/tax_id_verified",
        "/request/claims/kyb_status",
        "/request/claims/business_type",
        "/request/claims/registered_name",
        "/request/claims/verified_at",
        "/request/claims/beneficial_owners",
        ADDRESS,
    ]);
    table.refuses("/request/claims", "wrong_type", [json!(null), json!([]), json!("x")]);
    table.refuses("/request/claims", "empty", [json!({})]);
    jurisdictions(table, "/request/claims/jurisdiction");
    table.takes("/request/claims/tax_id_verified", [json!(true), json!(false)]);
    table.refuses("/request/claims/tax_id_verified", "wrong_type", [json!("true"), json!(1), json!(null)]);
    for name in ["kyb_status", "business_type", "registered_name"] {
        let path = &format!("/request/claims/{name}");
        table.takes(path, [json!(""), json!("x")]);
        table.refuses(path, "wrong_type", [json!(1), json!(null)]);
    }
    let verified_at = "/request/claims/verified_at";
    let past = ["2024-02-29T10:00:00Z", "1996-12-19T16:39:57-08:00", "1985-04-12T23:20:50.52Z"];
    table.takes(verified_at, past.map(|time| json!(time)));
    let none = [
        "",
        "2024-02-29",
        "2024-02-29 10:00:00Z",
        "2024-02-29T10:00:00",
        "2023-02-29T10:00:00Z",
        "yesterday",
    ];
    table.refuses(verified_at, "invalid_format", none.map(|time| json!(time)));
    table.refuses(verified_at, "wrong_type", [json!(1_700_000_000), json!(null)]);
    table.refuses_beyond_schema(verified_at, "out_of_range", [json!("2999-01-01T00:00:00Z")]);
    table.unknown("/request/claims/company_name");
}

fn owners(table: &mut Table) {
    let list = "/request/claims/beneficial_owners";
    table.takes(list, [json!([])]);
    table.refuses(list, "wrong_type", [json!(null), json!({}), json!("Ada")]);
    table.refuses(OWNER, "wrong_type", [json!("Ada"), json!(null), json!([])]);
    table.required([&format!("{OWNER}/full_name")]);
    table.optional([
        &format!("{OWNER}/ownership_percent"),
        &format!("{OWNER}/person_id"),
        &format!("{OWNER}/role"),
    ]);
    table.refuses(&format!("{OWNER}/full_name"), "empty", [json!("")]);
    table.refuses(&format!("{OWNER}/full_name"), "wrong_type", [json!(null), json!(["Ada"])]);
    let percent = &format!("{OWNER}/ownership_percent");
    table.takes(
        percent,
        [json!(0), json!(100), json!(25.5), json!(0.25), json!(33.333333333333336), json!(100.0)],
    );
    table.refuses(
        percent,
        "out_of_range",
        [json!(-5), json!(100.000_000_000_000_01), json!(101), json!(1e300)],
    );
    table.refuses_beyond_schema(percent, "out_of_range", [json!(-0.0)]);
    table.refuses(percent, "wrong_type", [json!("25"), json!("25%"), json!(null), json!(true), json!([25])]);
    for name in ["person_id", "role"] {
        let path = &format!("{OWNER}/{name}");
        table.takes(path, [json!("")]);
        table.refuses(path, "wrong_type", [json!(7), json!(null)]);
    }
    table.unknown(&format!("{OWNER}/ownership_precent"));
}

fn addresses(table: &mut Table) {
    table.refuses(ADDRESS, "wrong_type", [json!(null), json!("1 Quay, Leith"), json!([])]);
    table.required([&format!("{ADDRESS}/line1"), &format!("{ADDRESS}/city"), &format!("{ADDRESS}/country")]);
    table.optional([
        &format!("{ADDRESS}/line2"),
        &format!("{ADDRESS}/state_or_region"),
        &format!("{ADDRESS}/postal_code"),
    ]);
    for name in ["line1", "city"] {
        table.refuses(&format!("{ADDRESS}/{name}"), "empty", [json!("")]);
        table.refuses(&format!("{ADDRESS}/{name}"), "wrong_type", [json!(1)]);
    }
    for name in ["line2", "state_or_region", "postal_code"] {
        table.takes(&format!("{ADDRESS}/{name}"), [json!("")]);
        table.refuses(&format!("{ADDRESS}/{name}"), "wrong_type", [json!(12_345), json!(null)]);
    }
    table.takes(&format!("{ADDRESS}/country"), [json!("JP"), json!("TW")]);
    let none = ["US-DE", "UK", "Japan", "", "jp"];
    table.refuses(&format!("{ADDRESS}/country"), "unknown_code", none.map(|code| json!(code)));
    table.unknown(&format!("{ADDRESS}/zip"));
}

fn evidence(table: &mut Table) {
    let list = "/request/evidence_refs";
    table.optional([list]);
    table.takes(list, [json!([]), json!(vec!["x"; 50]), json!(["日".repeat(512)])]);
    table.refuses(list, "too_many", [json!(vec!["x"; 51])]);
    table.refuses(list, "wrong_type", [json!("x"), json!(null), json!({})]);
    let first = "/request/evidence_refs/0";
    table.refuses(first, "empty", [json!("")]);
    table.refuses(first, "too_long", [json!("x".repeat(513))]);
    table.refuses(first, "wrong_type", [json!(1), json!(null), json!(["x"])]);
}

fn lives(table: &mut Table) {
    let ttl = "/request/ttl";
    table.optional([ttl]);
    let durations = ["P1Y", "P12M", "P365D", "PT8760H", "P52W", "P1Y2M10DT2H30M", "P10Y", "P0Y1D", "PT1S"];
    table.takes(ttl, durations.map(|text| json!(text)));
    let none = [
        "",
        "P",
        "PT",
        "P1",
        "p1y",
        "P-1Y",
        "-P1Y",
        "1Y",
        "P1.5Y",
        "PT1.5H",
        "P1,5D",
        "P1Y1W",
        "P1M1Y",
        "P1H",
        " P1Y",
        "P1Y\n",
        "2027-01-01",
        "Ｐ１Ｙ",
        "1 year",
        "P1YT",
    ];
    table.refuses(ttl, "invalid_format", none.map(|text| json!(text)));
    table.refuses(ttl, "out_of_range", ["P0D", "PT0S", "P0Y0M"].map(|text| json!(text)));
    table.refuses_beyond_schema(
        ttl,
        "out_of_range",
        ["P11Y", "P10YT1S", "P99999999999Y", "P18446744073709551616D"].map(|text| json!(text)),
    );
    table.refuses(ttl, "wrong_type", [json!(365), json!(null)]);
}

fn holder_keys(table: &mut Table) {
    table.optional(["/request/cnf"]);
    table.required([JWK]);
    table.unknown("/request/cnf/kid");
    table.refuses("/request/cnf", "wrong_type", [json!(null), json!("x")]);
    table.refuses(JWK, "wrong_type", [json!(null), json!("x"), json!([])]);
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    table.takes(JWK, [with(okp.clone(), "/kid", json!("holder-1")), okp.clone()]);
    let other = [
        json!({}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "XYZ"}),
        with(okp.clone(), "/d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
        with(okp.clone(), "/kty", json!(1)),
        // A member that its type must have.
        json!({"kty": "EC"}),
        json!({"kty": "EC", "crv": "P-256", "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"}),
        json!({"kty": "OKP", "crv": "Ed25519"}),
        json!({"kty": "RSA", "e": "AQAB"}),
        // A curve or a member that is none.
        with(okp.clone(), "/crv", json!("P-256")),
        with(okp.clone(), "/crv", json!("Ed25520")),
        with(okp.clone(), "/x", json!("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
        with(okp.clone(), "/x", json!("11qY")),
        with(okp, "/x", json!(11)),
    ];
    table.refuses(JWK, "invalid_key", other);
    let x = "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0";
    let off_curve = json!({"kty": "EC", "crv": "P-256", "x": x, "y": x});
    table.refuses_beyond_schema(JWK, "invalid_key", [off_curve]);
}

fn correlation_ids(table: &mut Table) {
    table.optional(["/correlation_id"]);
    table.takes("/correlation_id", [json!("日".repeat(512))]);
    table.refuses("/correlation_id", "empty", [json!("")]);
    table.refuses("/correlation_id", "too_long", [json!("x".repeat(513))]);
    table.refuses("/correlation_id", "wrong_type", [json!(12_345), json!(null)]);
}

/// What holds for every identifier, whatever field it is in.
fn identifiers(table: &mut Table) {
    let person_id = format!("{OWNER}/person_id");
    let fields =
        ["/correlation_id", "/request/subject/id", "/request/subject/registration_number", &person_id];
    for path in fields {
        table.takes(
            path,
            [
                "03304752",
                "'9900047091",
                "12E45",
                "1.0",
                "HRB 12345 B",
                "Null Ltd",
                "NULL-1",
                "N.A.",
                "--",
                "5\"",
                "O'Hara's",
                "日本1",
                "x\u{FFFD}",
            ]
            .map(|text| json!(text)),
        );
        table.refuses(
            path,
            "invalid_format",
            [
                // Markers of missing values.
                "NULL",
                "null",
                "None",
                "NIL",
                "\\N",
                "NaN",
                "undefined",
                "[object Object]",
                "n/a",
                "#N/A",
                "-",
                "?",
                // Spreadsheets.
                "3.3048E+06",
                "=\"03304752\"",
                "03304752.0",
                "'03304752",
                "#REF!",
                "####",
                // Quotes around the value.
                "\"x\"",
                "'x'",
                "“x”",
                "„x“",
                "«x»",
                // What nobody sees.
                " x",
                "x ",
                " ",
                "x\u{A0}",
                "\u{FEFF}x",
                "x\u{200B}y",
                "\u{202E}x",
                "x\ty",
                "x\n",
                "x\u{AD}y",
                "x\u{2028}",
                "\u{3000}x",
                "x\u{FE0F}",
                "x\u{85}",
            ]
            .map(|text| json!(text)),
        );
        table.refuses_beyond_schema(path, "invalid_format", [json!("x\u{E0041}"), json!("\u{1D173}x")]);
    }
}

/// Each item of the table gets the verdict, the path and the code that it should.
#[test]
fn each_rule_is_kept_with_its_path_and_code() {
    let sandbox = Sandbox::with_issuer_key();
    let cases = cases();
    let batch: Vec<_> = cases.iter().map(|case| case.item.clone()).collect();
    sandbox.write_items("items.ndjson", &batch);
    let rows = sandbox.issue("items.ndjson --ledger none").expect(3).rows();
    assert_eq!(rows.len(), cases.len());
    for (case, row) in cases.iter().zip(rows) {
        match &case.violation {
            None => drop(row.into_credential()),
            Some((_, "")) => {
                let error = row.error.unwrap_or_else(|| panic!("{} was issued", case.name));
                assert_eq!(error.code, "malformed_request", "{}", case.name);
            }
            Some((path, code)) => {
                let error = row.error.unwrap_or_else(|| panic!("{} was issued", case.name));
                assert_eq!(error.places(), [(path.as_str(), *code)], "{}: {error:?}", case.name);
            }
        }
    }
}
