//! Types of one's own, from their files to credentials.

use serde_json::{Value, json};

use crate::support::*;

/// A definition that is sound.
const SOUND: &str = r#"type: licence
name: LicenceCredential
schema:
  properties:
    subject:
      properties:
        name: { type: string }
    claims:
      required: [number]
      additionalProperties: false
      properties:
        number: { type: string }
        parts:
          type: array
          items: { type: object, properties: { code: { type: string } } }
"#;

/// Each fault with its file, line and place, and what to write.
#[test]
fn a_fault_in_a_type_is_told_with_its_line() {
    let sandbox = Sandbox::new();
    let check = |text: &str| {
        sandbox.write("licence.yaml", text);
        sandbox.beltic(&["types", "check", "licence.yaml"])
    };
    check(SOUND).expect(0);
    let mut work = "        number: { allOf: [{ $ref: '#/$defs/d0' }] }\n  $defs:\n".to_owned();
    for depth in 0..30 {
        let next = format!("{{ $ref: '#/$defs/d{}' }}", depth + 1);
        work += &format!("    d{depth}: {{ allOf: [{next}, {next}] }}\n");
    }
    work += "    d30: { type: string }\n    d31:\n      properties:";
    // Each refers to the next one twice.
    let mut laughs = "        number: { $ref: '#/properties/claims/properties/l0' }\n".to_owned();
    for depth in 0..60 {
        let next = format!("{{ $ref: '#/properties/claims/properties/l{}' }}", depth + 1);
        laughs += &format!("        l{depth}: {{ type: object, properties: {{ a: {next}, b: {next} }} }}\n");
    }
    laughs += "        l60: { type: string }";
    for (from, to, expected) in [
        ("type: licence\n", "", "licence.yaml:1: `type` is missing"),
        ("type: licence\n", "type: Licence\n", "licence.yaml:1: /type: expected the word in credential_type"),
        ("type: licence\n", "type: user\n", "licence.yaml:1: /type: user is taken"),
        (
            "LicenceCredential",
            "UserCredential",
            "licence.yaml:2: /name: UserCredential is taken by the type user",
        ),
        ("LicenceCredential", "VerifiableCredential", "licence.yaml:2: /name: VerifiableCredential is taken"),
        ("schema:\n", "ttl: 1 year\nschema:\n", "licence.yaml:3: /ttl: "),
        ("schema:\n", "extends: licenses\nschema:\n", "licence.yaml:3: /extends: there is no type licenses"),
        ("schema:\n", "vct: not a uri\nschema:\n", "licence.yaml:3: /vct: expected the name in sd_jwt_vc"),
        (
            "schema:\n",
            "personl: [claims.number]\nschema:\n",
            "/personl: nothing is known of this; did you mean personal?",
        ),
        (
            "schema:\n",
            "personal: [claims.nmber]\nschema:\n",
            "licence.yaml:3: /personal/0: claims.nmber does not exist; did you mean claims.number?",
        ),
        (
            "schema:\n",
            "identifiers: [claims.parts]\nschema:\n",
            "/identifiers/0: claims.parts is none; expected a field that is text",
        ),
        (
            "schema:\n",
            "disclosure: { claims.number: hidden }\nschema:\n",
            "/disclosure/claims.number: expected always, allowed or never",
        ),
        (
            "schema:\n",
            "disclosure: { subject.id: always }\nschema:\n",
            "subject.id is in the clear in every credential",
        ),
        (
            "schema:\n",
            "labels: { claims.number: Nummer }\nschema:\n",
            "/labels/claims.number: expected for each path a label",
        ),
        ("schema:\n", "display: [{ name: Licence }]\nschema:\n", "licence.yaml:3: /display/0: "),
        ("schema:\n", "csv: { columns: { Nr: claims.numbr } }\nschema:\n", "licence.yaml:3: /csv/columns: "),
        (
            "schema:\n",
            "csv: { repeat: { claims.number: n } }\nschema:\n",
            "claims.number is none; expected a list of objects",
        ),
        (
            "{ type: string }\n    claims",
            "{ type: strin }\n    claims",
            "licence.yaml:7: /schema/properties/subject/properties/name/type: ",
        ),
        (
            "required: [number]",
            "requird: [number]",
            "licence.yaml:9: /schema/properties/claims/requird: requird is not a keyword of JSON Schema 2020-12; did you mean required?",
        ),
        (
            "        number: { type: string }",
            "        number: { type: string, format: zip }",
            "licence.yaml:12: /schema/properties/claims/properties/number/format: the format is not known",
        ),
        (
            "        number: { type: string }",
            "        number: { $ref: 'https://a.example/x.json' }",
            "references to other documents are refused",
        ),
        (
            "        number: { type: string }",
            "        number: { $ref: '#/$defs/number' }",
            "leads to no schema in this document",
        ),
        (
            "        number: { type: string }",
            "        number: { type: string, pattern: '(' }",
            "licence.yaml:12: /schema/properties/claims/properties/number/pattern",
        ),
        (
            "        number: { type: string }",
            "        _sd: { type: string }",
            "/schema/properties/claims/properties/_sd: the name has a meaning of its own",
        ),
        (
            "        number: { type: string }",
            "        '@id': { type: string }",
            "the name has a meaning of its own",
        ),
        (
            "        number: { type: string }",
            "        type: { type: string }",
            "choose another, such as permit_type",
        ),
        (
            "        name: { type: string }",
            "        type: { type: string }",
            "licence.yaml:7: /schema/properties/subject/properties/type: expected an enum of words",
        ),
        (
            "        name: { type: string }",
            "        issuer: { type: string }",
            "the name is that of a member of credentials",
        ),
        ("    claims:\n", "    claim:\n", "/schema/properties/claim: expected subject or claims"),
        (
            "        number: { type: string }",
            "        number: { type: string, contentEncoding: base64 }",
            "contentEncoding is refused",
        ),
        ("schema:\n", "vct: 'javascript:alert(1)'\nschema:\n", "/vct: expected the name in sd_jwt_vc"),
        ("schema:\n", "vct: 'https://'\nschema:\n", "/vct: expected the name in sd_jwt_vc"),
        (
            "schema:\n",
            "vct: urn:beltic:business:1\nschema:\n",
            "/vct: this name is taken by the type business",
        ),
        (
            "schema:\n",
            "vct: https://a.example/credentials/user/v1\nschema:\n",
            "/vct: this name is taken by the type user",
        ),
        ("schema:\n", "ttl: P100Y\nschema:\n", "licence.yaml:3: /ttl: "),
        ("schema:\n", "identifiers: [claims]\nschema:\n", "claims is not a field; expected one inside it"),
        (
            "schema:\n",
            "csv: { columns: { subject_id: claims.number } }\nschema:\n",
            "'subject_id' is already a column of the type",
        ),
        ("schema:\n", "csv: { columns: { '': claims.number } }\nschema:\n", "expected your own header"),
        ("schema:\n", "schema:\n  required: [foo]\n", "/schema/required/0: expected subject or claims"),
        (
            "        name: { type: string }",
            "        evidence_refs: { type: string }",
            "the name is that of a member of every item",
        ),
        ("        number: { type: string }", &work, "judging an item would not end"),
        ("type: licence\n", "type: licence\ntype: licence\n", "duplicate entry"),
        ("        number: { type: string }", &laughs, "judging an item would not end"),
    ] {
        assert!(SOUND.contains(from), "{from}");
        let run = check(&SOUND.replacen(from, to, 1));
        assert_eq!(run.code, 2, "{to}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{to}: {}\nexpected {expected}", run.stderr);
    }
}

/// A schema in a file of its own is named by its own lines, and cannot be missing.
#[test]
fn a_fault_in_a_schema_file_is_told_with_that_file() {
    let sandbox = Sandbox::with_own_types();
    let schema = sandbox.read("types/trade_licence.schema.json");
    sandbox
        .write("types/trade_licence.schema.json", schema.replace("\"minLength\": 1,", "\"minLenght\": 1,"));
    let run = sandbox.beltic(&["types"]);
    let place = "types/trade_licence.schema.json:13: /properties/claims/properties/holder_name/minLenght: ";
    assert!(
        run.code == 2 && run.stderr.contains(place) && run.stderr.contains("did you mean minLength?"),
        "{}",
        run.stderr
    );
    std::fs::remove_file(sandbox.path("types/trade_licence.schema.json")).unwrap();
    let run = sandbox.beltic(&["types"]);
    assert!(
        run.code == 2 && run.stderr.contains("hint: the file is named by `schema` in "),
        "{}",
        run.stderr
    );
}

/// No output replaces a file of a type, whatever `--force` says.
#[test]
fn files_of_types_are_kept() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write_items("items.ndjson", &[full_item("a")]);
    for file in ["types/trade_licence.yaml", "types/trade_licence.schema.json"] {
        let before = sandbox.read(file);
        let run = sandbox.issue(&format!("items.ndjson --ledger none --force --out {file}"));
        assert!(run.code == 2 && run.stderr.contains("would be overwritten"), "{}", run.stderr);
        assert_eq!(sandbox.read(file), before);
    }
}

/// What is named and is not there, or holds nothing, is told, and what was most likely meant.
#[test]
fn slips_in_names_are_told() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write("empty/readme.txt", "");
    for (arguments, expected) in [
        (&["types", "--types", "nope.yaml"][..], "cannot read nope.yaml"),
        (&["types", "--types", "empty"], "--types names empty, which has no types"),
        (&["types", "show", "trade_license"], "the type is \"trade_license\"; expected business or "),
        (&["types", "show", "trade_license"], "did you mean trade_licence?"),
        (&["types", "new", "Trade Licence"], "expected small letters, digits and _"),
        (&["types", "new", "business"], "business is taken"),
        (&["types", "new", "verifiable"], "VerifiableCredential is taken"),
        (&["list", "--type", "trade_license"], "--type is \"trade_license\""),
    ] {
        let run = sandbox.beltic(arguments);
        assert!(run.code == 2 && run.stderr.contains(expected), "{arguments:?}: {}", run.stderr);
    }
}

/// What is written for a new type is a type.
#[test]
fn a_new_type_can_be_checked_and_issued_at_once() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["types", "new", "club_membership", "--out", "club.yaml"]).expect(0);
    sandbox.beltic(&["types", "check", "club.yaml"]).expect(0);
    assert!(sandbox.beltic(&["types", "new", "Club"]).code == 2);
    sandbox.write(
        "members.csv",
        "subject_id,name,number,issued_on,self_attestation_complete\nM-1,Ottilie Quarrington,A-1,2026-01-31,true\n",
    );
    let run = sandbox.issue("members.csv --types club.yaml --type club_membership --ledger none");
    let row: Value = serde_json::from_str(&run.expect(0).stdout).unwrap();
    let credential = &row["credential"];
    assert_eq!(credential["credential_type"], "club_membership");
    assert_eq!(credential["claims"], json!({ "number": "A-1", "issued_on": "2026-01-31" }));
}

/// The user's own headers, repeated groups and the type's own life, from a CSV file.
#[test]
fn a_spreadsheet_of_a_type_of_ones_own_is_read_by_its_columns() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write(
        "licences.csv",
        "subject_id,Nr,holder_name,fee,activity1_code,activity1_from,activity2_code,self_attestation_complete\n\
         S-1,L-0042,Ottilie Quarrington,12.50,A1,2026-01-31,B2,true\n\
         S-2,L-42,Barnabas Wexcombe,-1,A,,,true\n",
    );
    let run =
        sandbox.issue("licences.csv --type trade_licence --ledger none --issued-at 2026-02-01T00:00:00Z");
    assert_eq!(run.code, 3, "{}", run.stderr);
    let mut rows = run.rows();
    let error = rows.remove(1).error.unwrap();
    let places: Vec<_> =
        error.details.iter().map(|detail| detail.column.clone().unwrap_or_default()).collect();
    assert_eq!(places, ["activity1_code", "Nr", "fee"], "{error:?}");
    assert!(!format!("{error:?}").contains("Barnabas"));
    let credential = rows.remove(0).into_credential();
    let expected = json!({
        "licence_number": "L-0042", "holder_name": "Ottilie Quarrington", "fee": 12.50,
        "activities": [{ "code": "A1", "from": "2026-01-31" }, { "code": "B2" }],
    });
    assert_eq!(credential.claims, expected);
    assert_eq!(credential.expires_at, "2027-02-01T00:00:00Z");
    assert_eq!(credential.vct, "https://issuer.example/credentials/trade_licence/v1");
}

/// The life of a type goes before the settings, and a flag before the type.
#[test]
fn the_life_is_that_of_the_flag_then_of_the_type() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write(".beltic.yaml", "types: [types]\ncredential: { ttl: P1M }\n");
    sandbox.write_items("items.ndjson", &[full_certificate("a"), full_item("b")]);
    let ends = |flags: &str| {
        let run =
            sandbox.issue(&format!("items.ndjson --ledger none --issued-at 2026-02-01T00:00:00Z {flags}"));
        run.rows().into_iter().map(|row| row.into_credential().expires_at).collect::<Vec<_>>()
    };
    let of_business = full_item("b")["request"]["ttl"].as_str().map(|_| ends("").remove(1));
    assert_eq!(ends("")[0], "2029-02-01T00:00:00Z");
    assert_eq!(ends("--ttl P2M")[0], "2026-04-01T00:00:00Z");
    assert_eq!(ends("").get(1).cloned(), of_business.or(Some("2026-03-01T00:00:00Z".to_owned())));
}

/// What is inside something personal is as personal, and no guess shows what was found.
#[test]
fn nothing_personal_is_quoted_at_any_depth() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(
        "t.yaml",
        "type: t\nname: TCredential\npersonal: [claims.addr, claims.people, claims.tags, claims.land]\nschema:\n  properties:\n    claims:\n      \
         properties:\n        addr: { type: object, properties: { city: { enum: [Ulm] }, n: { type: integer, maximum: 3 } } }\n        \
         people: { type: array, items: { type: object, properties: { nm: { enum: [Bob] } } } }\n        \
         tags: { type: array, items: { enum: [aabbcc] } }\n        land: { type: string, format: iso3166-1 }\n",
    );
    let claims = json!({ "addr": { "city": "SECRET1", "n": 777001 }, "people": [{ "nm": "SECRET2" }], "tags": ["aabbcd"], "land": "US-DE" });
    let item = json!({ "self_attestation_complete": true, "subject": { "id": "a" }, "claims": claims });
    sandbox.write_items("items.ndjson", &[item]);
    let run = sandbox.issue("items.ndjson --ledger none --types t.yaml --type t");
    assert_eq!(run.code, 3, "{}", run.stderr);
    for secret in ["SECRET", "777001", "aabbcd", "US-DE", "did you mean"] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{secret}: {}", run.stdout);
    }
}

/// A reference by an anchor leads to what has it, whatever the root says.
#[test]
fn a_reference_by_an_anchor_is_followed() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(
        "t.yaml",
        "type: t\nname: TCredential\nschema:\n  type: object\n  properties:\n    claims:\n      properties: { number: { $ref: '#number' } }\n  \
         $defs: { n: { $anchor: number, type: string, pattern: '^L-' } }\n",
    );
    let item = |number| json!({ "self_attestation_complete": true, "subject": { "id": "a" }, "claims": { "number": number } });
    sandbox.write_items("items.ndjson", &[item("L-1"), item("1")]);
    let rows = sandbox.issue("items.ndjson --ledger none --types t.yaml --type t").stdout;
    let is_issued: Vec<bool> = rows.lines().map(|row| row.contains("\"credential\"")).collect();
    assert_eq!(is_issued, [true, false], "{rows}");
}

/// What a schema says of the subject's id is judged as well.
#[test]
fn an_id_is_judged_by_its_schema() {
    let sandbox = Sandbox::with_issuer_key();
    let item = json!({ "self_attestation_complete": true, "subject": { "id": "s1" }, "claims": {} });
    sandbox.write_items("items.ndjson", &[item]);
    for (rule, passes) in [
        ("{ type: string }", true),
        ("{ type: integer }", false),
        ("{ enum: [s2] }", false),
        ("{ const: s1 }", true),
        ("{ type: string, pattern: ^z }", false),
        ("{ type: string, format: uuid }", false),
    ] {
        sandbox.write(
            "t.yaml",
            format!("type: t\nname: TCredential\nschema: {{ properties: {{ subject: {{ properties: {{ id: {rule} }} }}, claims: {{ type: object }} }} }}\n"),
        );
        let run = sandbox.issue("items.ndjson --ledger none --types t.yaml --type t");
        assert_eq!(run.code == 0, passes, "{rule}: {}", run.stdout);
    }
}

/// Rules beyond tables judge an item that the tables take, and quote nothing.
#[test]
fn what_tables_cannot_say_is_judged_as_well() {
    let sandbox = Sandbox::with_own_types();
    let broken = with(
        full_licence("a"),
        "/request/claims/activities",
        json!([{ "code": "Quarrington", "until": "2026-01-31" }]),
    );
    sandbox.write_items("items.ndjson", &[broken]);
    let error = sandbox.issue("items.ndjson --ledger none").rows().remove(0).error.unwrap();
    let detail = &error.details[0];
    assert_eq!(detail.path, "/request/claims/activities/0");
    assert!(
        detail.message.contains("(schema ") && detail.message.contains("dependentRequired"),
        "{detail:?}"
    );
    assert!(!format!("{error:?}").contains("Quarrington"));
}

/// All types of one batch, in both formats: issued, published, verified from the site alone.
#[test]
fn a_mixed_batch_is_published_and_verified() {
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let sandbox = Sandbox::with_own_types();
        sandbox.write(
            ".beltic.yaml",
            "types: types\nissuer: { did: 'did:web:issuer.example' }\ncredential: { context: 'https://issuer.example/contexts/v1' }\n",
        );
        let full = [
            full_item("a"),
            full_user("b"),
            full_agent("c"),
            full_outcome("d"),
            full_licence("e"),
            full_certificate("f"),
        ];
        sandbox.write_items("items.ndjson", &full);
        let run = sandbox.issue(&format!("items.ndjson --proof-format {format} -o results.ndjson"));
        assert_eq!(run.code, 0, "{}", run.stderr);
        sandbox.beltic(&["publish", "--out", "site"]).expect(0);
        for known in TYPES.into_iter().chain(OWN_TYPES) {
            let document: Value =
                serde_json::from_str(&sandbox.read(&format!("site/credentials/{known}/v1"))).unwrap();
            assert_eq!(document["vct"], format!("https://issuer.example/credentials/{known}/v1"));
        }
        let context = sandbox.read("site/contexts/v1");
        assert!(context.contains("TradeLicenceCredential") && context.contains("\"website\""));
        sandbox.beltic(&["verify", "--site", "site", "results.ndjson"]).expect(0);
        let only = sandbox.beltic(&["verify", "--site", "site", "--type", "trade_licence", "results.ndjson"]);
        assert_eq!(only.code, 3, "{}", only.stderr);
        // Both say which type it is.
        let listed = sandbox.beltic(&["list", "--type", "management_certificate"]);
        assert_eq!(listed.expect(0).stdout.lines().count(), 1);
        let metadata: Value =
            serde_json::from_str(&sandbox.read("site/credentials/trade_licence/v1")).unwrap();
        assert_eq!(metadata["display"][0]["rendering"]["simple"]["background_color"], "#003366");
        let number = json!(["claims", "licence_number"]);
        let claim =
            metadata["claims"].as_array().unwrap().iter().find(|claim| claim["path"] == number).unwrap();
        assert_eq!(claim["display"][0], json!({ "locale": "de", "label": "Lizenznummer" }));
    }
}

/// What is published of a type of one's own stays; under a new name the type may change.
#[test]
fn a_type_that_was_published_needs_a_new_name_to_change() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write(".beltic.yaml", "types: types\nissuer: { did: 'did:web:issuer.example' }\n");
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    sandbox.beltic(&["publish", "--out", "site", "--check"]).expect(0);
    let file = sandbox.read("types/trade_licence.yaml");
    sandbox.write("types/trade_licence.yaml", file.replace("Lizenznummer", "Nummer"));
    let run = sandbox.beltic(&["publish", "--out", "site"]);
    assert!(run.code == 2 && run.stderr.contains("new `vct`"), "{}", run.stderr);
    sandbox.write("types/trade_licence.yaml", file.replace("Lizenznummer", "Nummer").replace("/v1", "/v2"));
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    assert!(sandbox.read("site/credentials/trade_licence/v1").contains("Lizenznummer"));
}

/// `jwt_vc` cites the schema of its type, by the hash of what is published, and is as that says.
#[test]
fn a_credential_cites_the_schema_that_it_fits() {
    let sandbox = Sandbox::with_own_types();
    sandbox.write(".beltic.yaml", "types: types\nissuer: { did: 'did:web:issuer.example' }\n");
    let unknown = with(full_item("x"), "/request/claims/beyond", json!({ "a": [1] }));
    let full = [
        full_item("a"),
        full_user("b"),
        full_agent("c"),
        full_outcome("d"),
        full_licence("e"),
        full_certificate("https://f.example/"),
        full_certificate("not a URI"),
        with(full_item("y"), "/request/subject/id", json!("EX-1")),
        unknown,
    ];
    sandbox.write_items("items.ndjson", &full);
    sandbox.issue("items.ndjson --allow-unknown -o results.ndjson").expect(0);
    sandbox.beltic(&["publish", "--out", "site"]).expect(0);
    for line in sandbox.read("results.ndjson").lines() {
        let credential = Row::parse(line).into_credential();
        let payload = payload(&credential.signed_payload);
        let cited = &payload["credentialSchema"];
        assert_eq!(cited["type"], "JsonSchema");
        let url = format!("https://issuer.example/schemas/{}/v1", credential.credential_type);
        assert_eq!(cited["id"], url);
        let document = std::fs::read(sandbox.path(&url.replace("https://issuer.example", "site"))).unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &document);
        assert_eq!(cited["digestSRI"], format!("sha256-{}", base64_simd::STANDARD.encode_to_string(hash)));
        let schema: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(schema["$id"], url);
        let reader = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<_> = reader.iter_errors(&payload).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", credential.credential_type);
        // It is not that it would take anything.
        for wrong in [json!({}), with(payload.clone(), "/credentialSubject/claims", json!("x"))] {
            assert!(!reader.is_valid(&wrong), "{wrong}");
        }
    }
    // An SD-JWT, and a credential without a ledger, cite none.
    let none = sandbox.issue("items.ndjson --allow-unknown --ledger none").expect(0);
    assert!(
        none.rows()
            .into_iter()
            .all(|row| payload(&row.into_credential().signed_payload).get("credentialSchema").is_none())
    );
    // What the program would write is what is cited.
    let renewed = sandbox.beltic(&["publish", "--out", "site", "--new-type-version", "user"]).expect(0);
    assert!(renewed.stderr.contains("has not changed since it was published"), "{}", renewed.stderr);
    assert_eq!(sandbox.beltic(&["publish", "--out", "site", "--new-type-version", "trade_licence"]).code, 2);
    // A type that has changed is neither issued nor published under its name.
    let file = sandbox.read("types/management_certificate.yaml");
    sandbox.write("types/management_certificate.yaml", file.replace("ISO 9001", "ISO 9002"));
    for run in
        [sandbox.issue("items.ndjson --allow-unknown"), sandbox.beltic(&["publish", "--out", "elsewhere"])]
    {
        assert!(run.code == 2 && run.stderr.contains("new `vct`"), "{}", run.stderr);
    }
}
