//! Credential types beside the first: from JSON and CSV to credentials that verify.

use serde_json::{Value, json};

use crate::support::*;

/// One file of all types, in both formats: each credential names its own type, and verifies.
#[test]
fn items_of_several_types_stand_in_one_file() {
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let sandbox = Sandbox::with_issuer_key();
        let full = [full_item("a"), full_user("b"), full_agent("c"), full_outcome("d")];
        sandbox.write_items("items.ndjson", &full);
        let run =
            sandbox.issue(&format!("items.ndjson --proof-format {format} --ledger none -o results.ndjson"));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let results = sandbox.read("results.ndjson");
        for ((line, known), item) in results.lines().zip(TYPES).zip(&full) {
            let credential = Row::parse(line).into_credential();
            assert_eq!(credential.credential_type, known);
            assert_eq!(credential.vct, format!("urn:beltic:{known}:1"));
            assert_eq!(credential.claims, item["request"]["claims"]);
            assert_eq!(credential.subject, item["request"]["subject"]);
            assert_eq!(json!(credential.attestation_type), item["request"]["attestation_type"]);
            let signed = payload(&credential.signed_payload);
            assert_eq!(signed["attestation_type"], item["request"]["attestation_type"]);
        }
        sandbox.copy_key("p256-public.jwk", "issuer.jwk");
        sandbox.beltic(&["verify", "--key", "issuer.jwk", "--no-status", "results.ndjson"]).expect(0);
    }
}

/// `--type`, the setting and the variable say of which type the items are that name none.
#[test]
fn the_type_of_items_that_name_none_is_given() {
    let sandbox = Sandbox::with_issuer_key();
    let unnamed = without(full_user("a"), "/request/credential_type");
    sandbox.write_items("items.ndjson", &[unnamed, full_item("b")]);
    let of_first = |run: &Run| run.rows()[0].credential.as_ref().map(|found| found.credential_type.clone());
    assert_eq!(of_first(&sandbox.issue("items.ndjson --ledger none")), None);
    assert_eq!(of_first(&sandbox.issue("items.ndjson --ledger none --type user")).unwrap(), "user");
    let typo = sandbox.issue("items.ndjson --ledger none --type users");
    assert!(typo.code == 2 && typo.stderr.contains("did you mean user?"), "{}", typo.stderr);
    // The settings' own name of a credential is that of the settings' own type.
    sandbox.write(".beltic.yaml", "credential:\n  type: user\n  vct: https://a.example/person\n");
    let rows = sandbox.issue("items.ndjson --ledger none").rows();
    let vcts: Vec<_> = rows.into_iter().map(|row| row.into_credential().vct).collect();
    assert_eq!(vcts, ["https://a.example/person", "urn:beltic:business:1"]);
    let other = sandbox.issue("items.ndjson --ledger none --type business").rows();
    assert!(other[0].error.is_some());
    assert_eq!(other[1].credential.as_ref().unwrap().vct, "urn:beltic:business:1");
    sandbox.write(".beltic.yaml", "credential:\n  type: person\n");
    let unknown = sandbox.issue("items.ndjson --ledger none");
    assert!(unknown.code == 2 && unknown.stderr.contains("credential.type"), "{}", unknown.stderr);
}

/// The holder's key is that of the agent.
#[test]
fn the_key_of_an_agent_is_bound() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[without(full_agent("a"), "/request/cnf"), full_agent("b")]);
    let rows = sandbox.issue("items.ndjson --ledger none").rows();
    for row in rows {
        let cnf = payload(&row.into_credential().signed_payload)["cnf"]["jwk"].clone();
        assert_eq!(cnf, agent_jwk());
    }
}

/// The same agents as CSV: with a column for each part, with JSON in cells, and with a key in the place of the DID.
#[test]
fn agents_in_csv_are_those_in_json() {
    let permissions = r#""[{""resource_type"":""wallet"",""resource_id"":""*"",""actions"":[""checkout"",""refund""],""conditions"":[{""field"":""amount"",""operator"":""lte"",""value"":5000},{""field"":""currency"",""operator"":""in"",""value"":[""EUR"",""USD""]}]},{""resource_type"":""report"",""actions"":[""read""]}]""#;
    let jwk = agent_jwk().to_string().replace('"', "\"\"");
    let shared = "agent,agent-a,U-1,B-17,U-1,100000,EUR,monthly,EUR;USD,PT15M,false,10000,P30D,true,a";
    let names = "subject_type,agent_external_id,parent_user_id,parent_business_id,delegated_by_subject_id,\
        spend_limit_amount,spend_limit_currency,spend_limit_period,authorized_currencies,max_idle_duration,\
        human_present,confirmation_threshold_cents,ttl,self_attestation_complete,correlation_id";
    let columns = "permission1_resource_type,permission1_resource_id,permission1_actions,\
        permission1_condition1_field,permission1_condition1_operator,permission1_condition1_value,\
        permission1_condition2_field,permission1_condition2_operator,permission1_condition2_value,\
        permission2_resource_type,permission2_actions,permission2_condition1_field";
    let cells = "wallet,*,checkout;refund,amount,lte,5000,currency,in,EUR;USD,report,read,";
    let conditions = r#""[{""field"":""amount"",""operator"":""lte"",""value"":5000},{""field"":""currency"",""operator"":""in"",""value"":[""EUR"",""USD""]}]""#;
    let expected = full_agent("a");
    for (name, header, row) in [
        (
            "columns",
            format!("subject_id,subject_public_jwk,{columns},{names}"),
            format!("{AGENT_DID},\"{jwk}\",{cells},{shared}"),
        ),
        (
            "a cell",
            format!("subject_id,subject_public_jwk,permissions,{names}"),
            format!("{AGENT_DID},\"{jwk}\",{permissions},{shared}"),
        ),
        (
            "a key",
            format!("Subject Public JWK,claims.permissions,{names}"),
            format!("\"{jwk}\",{permissions},{shared}"),
        ),
        (
            "no id",
            format!("subject_id,subject_public_jwk,permissions,{names}"),
            format!(",\"{jwk}\",{permissions},{shared}"),
        ),
        (
            "conditions",
            format!(
                "subject_id,subject_public_jwk,permission1_resource_type,permission1_resource_id,permission1_actions,permission1_conditions,permission3_actions,permission3_resource_type,{names}"
            ),
            format!("{AGENT_DID},\"{jwk}\",wallet,*,checkout;refund,{conditions},read,report,{shared}"),
        ),
    ] {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write("agents.csv", format!("{header}\n{row}\n"));
        let run = sandbox.issue("agents.csv --ledger none --type agent_authorization");
        assert_eq!(run.code, 0, "{name}: {} {}", run.stdout, run.stderr);
        let credential = run.rows().remove(0).into_credential();
        assert_eq!(credential.subject, expected["request"]["subject"], "{name}");
        assert_eq!(credential.claims, expected["request"]["claims"], "{name}");
    }
}

/// What is wrong in a list inside a list is found in the user's own column, whichever elements the row has.
#[test]
fn faults_in_nested_lists_name_their_column() {
    let sandbox = Sandbox::with_issuer_key();
    let header = "subject_id,permission1_resource_type,permission1_actions,permission2_resource_type,permission2_actions,\
        permission2_condition1_field,permission2_condition1_operator,permission2_condition1_value,\
        permission2_condition2_field,Permission 2 Condition 2 Operator,permission2_condition2_value,\
        self_attestation_complete,correlation_id";
    let rows = [
        format!("{AGENT_DID},report,read,report,read,amount,lte,5,amount,between,5,true,both"),
        format!("{AGENT_DID},,,report,read,,,,amount,between,5,true,second only"),
        format!("{AGENT_DID},report,read,,,,,,,,,true,first only"),
        format!("{AGENT_DID},report,read,report,read,amount,lte,many,,,,true,text"),
    ];
    sandbox.write("agents.csv", format!("{header}\n{}\n", rows.join("\n")));
    let rows = sandbox.issue("agents.csv --ledger none --type agent_authorization").rows();
    let column = Some("Permission 2 Condition 2 Operator".to_owned());
    for (row, path) in [(0, "1/conditions/1"), (1, "0/conditions/0")] {
        let detail = &rows[row].error.as_ref().unwrap().details[0];
        assert_eq!(detail.path, format!("/request/claims/permissions/{path}/operator"));
        assert_eq!(detail.column, column);
    }
    assert!(rows[2].credential.is_some());
    let detail = &rows[3].error.as_ref().unwrap().details[0];
    assert_eq!(detail.column.as_deref(), Some("permission2_condition1_value"));
    assert_eq!(detail.code, "inconsistent");
}

/// A list in one cell and a column of one of its elements would give two lists.
#[test]
fn a_list_is_in_one_cell_or_in_many() {
    let sandbox = Sandbox::with_issuer_key();
    let row = format!("{AGENT_DID},[],read,true");
    sandbox.write(
        "agents.csv",
        format!("subject_id,permissions,permission1_actions,self_attestation_complete\n{row}\n"),
    );
    let run = sandbox.issue("agents.csv --ledger none --type agent_authorization");
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(
        run.stderr.contains("'permissions' (2)") && run.stderr.contains("'permission1_actions' (3)"),
        "{}",
        run.stderr
    );
    // A cell that holds no JSON array is refused with the rules of the field.
    sandbox.write(
        "agents.csv",
        format!("subject_id,permissions,self_attestation_complete\n{AGENT_DID},read,true\n"),
    );
    let rows = sandbox.issue("agents.csv --ledger none --type agent_authorization").rows();
    let detail = &rows[0].error.as_ref().unwrap().details[0];
    assert_eq!((detail.column.as_deref(), detail.code.as_str()), (Some("permissions"), "wrong_type"));
}

/// A fleet: the permissions of all agents stand in the settings.
#[test]
fn a_fleet_shares_its_permissions() {
    let permissions = json!([{ "resource_type": "report", "actions": ["read"] }]);
    let as_yaml = "\n      - resource_type: report\n        actions: [read]";
    for written in [format!("'{permissions}'"), permissions.to_string(), as_yaml.to_owned()] {
        a_fleet_with(&permissions, &written);
    }
}

fn a_fleet_with(permissions: &Value, written: &str) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(
        ".beltic.yaml",
        format!("credential:\n  type: agent_authorization\ncsv:\n  constants:\n    permissions: {written}\n    self_attestation_complete: true\n"),
    );
    let jwk = agent_jwk().to_string().replace('"', "\"\"");
    sandbox.write("agents.csv", format!("subject_public_jwk,agent_external_id\n\"{jwk}\",a\n\"{jwk}\",b\n"));
    let rows = sandbox.issue("agents.csv --ledger none").rows();
    for (row, name) in rows.into_iter().zip(["a", "b"]) {
        let credential = row.into_credential();
        assert_eq!(credential.claims["permissions"], *permissions);
        assert_eq!(credential.subject["id"], AGENT_DID);
        assert_eq!(credential.subject["agent_external_id"], name);
    }
}

/// Lawful, and worth a look.
#[test]
fn doubtful_authorizations_are_warned_of() {
    let sandbox = Sandbox::with_issuer_key();
    let doubtful = |item: Value, said: &str| {
        sandbox.write_items("items.ndjson", &[item]);
        let run = sandbox.issue("items.ndjson --ledger none");
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    };
    doubtful(
        with(full_agent("a"), "/request/claims/spend_limit/currency", json!("GBP")),
        "/request/claims/spend_limit/currency: is not among authorized_currencies",
    );
    doubtful(with(full_agent("a"), "/request/claims/spend_limit/amount", json!(50.0)), "minor units");
    doubtful(with(full_agent("a"), "/request/ttl", json!("P91D")), "more than 90 days");
    doubtful(
        without(full_user("a"), "/request/claims/id_document_type"),
        "id_document_type is most likely missing",
    );
    sandbox.write_items("items.ndjson", &[full_agent("a"), full_user("b")]);
    let run = sandbox.issue("items.ndjson --ledger none");
    assert!(!run.stderr.contains("item "), "{}", run.stderr);
}

/// A sandbox with the results of these items in `results.ndjson`, and the public key.
fn issued(items: &[Value], format: &str) -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.copy_key("p256-public.jwk", "issuer.jwk");
    sandbox.write_items("items.ndjson", items);
    let run = sandbox.issue(&format!("items.ndjson --proof-format {format} --ledger none -o results.ndjson"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    sandbox
}

/// The verdicts on `results.ndjson`.
fn verdicts(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let trust = ["verify", "results.ndjson", "--key", "issuer.jwk", "--no-status"];
    let run = sandbox.beltic(&[&trust, arguments].concat());
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The context is a file or pairs. Who grants nothing is denied, and limits that only the wallet can count are named.
#[test]
fn an_authorization_is_held_against_what_is_done() {
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let sandbox = issued(&[full_agent("a"), full_item("b")], format);
        sandbox.write(
            "fits.json",
            r#"{"resource_type":"wallet","action":"refund","amount":5000,"currency":"USD"}"#,
        );
        let fits = verdicts(&sandbox, &["--context", "fits.json"]);
        assert_eq!(fits[0]["valid"], true, "{fits:?}");
        let unchecked = fits[0]["unchecked"].as_array().unwrap();
        for name in [
            "spend_limit",
            "authorized_currencies",
            "max_idle_duration",
            "human_present",
            "confirmation_threshold_cents",
        ] {
            assert!(unchecked.contains(&json!(name)), "{unchecked:?}");
        }
        assert_eq!((&fits[1]["reason"], &fits[1]["step"]), (&json!("policy_denied"), &json!("policy")));
        let pairs = |amount: &str| format!("resource_type=wallet,action=refund,currency=USD,amount={amount}");
        assert_eq!(verdicts(&sandbox, &["--context", &pairs("5000")])[0]["valid"], true);
        let denied = verdicts(&sandbox, &["--context", &pairs("5000.01")]);
        assert_eq!(denied[0]["message"], "condition 1 of permission 1 does not hold");
        assert!(
            verdicts(&sandbox, &[])[0]["unchecked"]
                .as_array()
                .is_none_or(|names| !names.contains(&json!("spend_limit")))
        );
        sandbox.write("odd.json", r#"{"amount":1,"amount":2}"#);
        for odd in ["odd.json", "a=1,a=2"] {
            let run = sandbox.beltic(&[
                "verify",
                "results.ndjson",
                "--key",
                "issuer.jwk",
                "--no-status",
                "--context",
                odd,
            ]);
            assert_eq!(run.code, 2, "{}", run.stderr);
        }
    }
}

/// Who delegated must have a valid credential; an expired one, or one of another key, is none.
#[test]
fn a_delegation_is_traced_to_a_valid_credential() {
    for format in ["jwt_vc", "sd_jwt_vc"] {
        let user = with(full_user("u"), "/request/subject/id", json!("U-1"));
        let expired = with(user.clone(), "/request/ttl", json!("P1D"));
        let alone = with(
            without(full_agent("b"), "/request/claims/delegated_by_subject_id"),
            "/request/claims/permissions/0/resource_type",
            json!("report"),
        );
        let chain = issued(&[user], format);
        let outdated = issued(&[expired], format);
        let others = issued(&[full_user("u")], format);
        let sandbox = issued(&[full_agent("a"), alone, full_item("c")], format);
        let at = ["--at", "2099-01-01T00:00:00Z"];
        for (name, from, valid) in [
            ("chain.ndjson", &chain, true),
            ("others.ndjson", &others, false),
            ("outdated.ndjson", &outdated, true),
        ] {
            sandbox.write(name, from.read("results.ndjson"));
            let found = verdicts(&sandbox, &["--chain", name]);
            assert_eq!(found[0]["valid"], valid, "{name}: {found:?}");
            // Nobody delegated these.
            assert_eq!((&found[1]["valid"], &found[2]["valid"]), (&json!(true), &json!(true)));
        }
        let two = verdicts(&sandbox, &["--chain", "others.ndjson", "--chain", "chain.ndjson"]);
        assert_eq!(two[0]["valid"], true);
        let unproven = verdicts(&sandbox, &["--chain", "others.ndjson"]);
        assert_eq!(
            (&unproven[0]["reason"], &unproven[0]["step"]),
            (&json!("delegation_unproven"), &json!("delegation"))
        );
        assert_eq!(verdicts(&sandbox, &["--chain", "chain.ndjson", at[0], at[1]])[0]["reason"], "expired");
        // A week on, the agent's credential lives and that of a day does not.
        let in_a_week = (std::time::SystemTime::now() + std::time::Duration::from_secs(7 * 86_400))
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let later = beltic::clock::UnixTime::from_seconds(in_a_week.as_secs() as i64).unwrap().to_string();
        assert_eq!(
            verdicts(&sandbox, &["--chain", "outdated.ndjson", "--at", &later])[0]["reason"],
            "delegation_unproven"
        );
        let missing = sandbox.beltic(&[
            "verify",
            "results.ndjson",
            "--key",
            "issuer.jwk",
            "--no-status",
            "--chain",
            "none.ndjson",
        ]);
        assert_eq!(missing.code, 6, "{}", missing.stderr);
    }
}

/// Every claim of an outcome is hidden until it is disclosed, unless the settings say otherwise.
#[test]
fn claims_of_any_names_are_hidden() {
    let sandbox = issued(&[full_outcome("a")], "sd_jwt_vc");
    let token = Row::parse(&sandbox.read("results.ndjson")).into_credential().signed_payload;
    let signed = payload(&token);
    assert_eq!(signed["claims"].as_object().unwrap().keys().collect::<Vec<_>>(), ["_sd"]);
    assert_eq!(signed["claims"]["_sd"].as_array().unwrap().len(), 4);
    let shown = verdicts(&sandbox, &[])[0]["credential"]["claims"].clone();
    assert_eq!(shown, full_outcome("a")["request"]["claims"]);
    sandbox.write(
        ".beltic.yaml",
        "credential:\n  type: outcome_attestation\ndisclosure:\n  claims:\n    claims.parcels: never\n    claims.*: always\n",
    );
    let named = sandbox
        .issue("items.ndjson --proof-format sd_jwt_vc --ledger none")
        .rows()
        .remove(0)
        .into_credential();
    let claims = payload(&named.signed_payload)["claims"].clone();
    assert_eq!((&claims["parcels"], claims["_sd"].as_array().unwrap().len()), (&json!(3), 3));
    sandbox.write(
        ".beltic.yaml",
        "credential:\n  type: outcome_attestation\ndisclosure:\n  claims:\n    claims.*: never\n    claims.signed: always\n",
    );
    let open = sandbox
        .issue("items.ndjson --proof-format sd_jwt_vc --ledger none")
        .rows()
        .remove(0)
        .into_credential();
    let claims = payload(&open.signed_payload)["claims"].clone();
    assert_eq!((&claims["parcels"], claims["_sd"].as_array().unwrap().len()), (&json!(3), 1));
}

/// A credential of the type says what it attests.
#[test]
fn an_attestation_without_its_type_is_none() {
    let sandbox = issued(&[full_outcome("a"), full_item("b")], "jwt_vc");
    let found = verdicts(&sandbox, &[]);
    assert_eq!(found[0]["credential"]["attestation_type"], "delivery_completed");
    assert_eq!((&found[0]["valid"], &found[1]["valid"]), (&json!(true), &json!(true)));
}

/// Columns `claims.NAME` keep the name byte for byte, whatever it holds.
#[test]
fn claims_of_any_names_have_columns() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(
        "outcomes.csv",
        "attestation_type,subject_id,self_attestation_complete,claims.netResult,claims.net_result,\"claims.a \"\"b\"\"/c\",Ausgang,claims.empty\n\
         delivery,S-1,true,1.50,b,c,gut,\n",
    );
    sandbox.write(
        ".beltic.yaml",
        "csv:\n  columns:\n    Ausgang: claims.outcome\n  constants:\n    claims.source: register\n",
    );
    let run = sandbox.issue("outcomes.csv --ledger none --type outcome_attestation");
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    let claims = run.rows().remove(0).into_credential().claims;
    let expected = json!({ "netResult": "1.50", "net_result": "b", "a \"b\"/c": "c", "outcome": "gut", "source": "register" });
    assert_eq!(claims, expected);
    // Twice the same is refused, as is a file without any claim; a name that means something else costs its rows.
    std::fs::remove_file(sandbox.path(".beltic.yaml")).unwrap();
    let refused = |header: &str, said: &str| {
        sandbox.write(
            "outcomes.csv",
            format!("attestation_type,subject_id,self_attestation_complete{header}\n"),
        );
        let run = sandbox.issue("outcomes.csv --ledger none --type outcome_attestation");
        assert!(run.code == 4 && run.stderr.contains(said), "{}", run.stderr);
    };
    refused(",claims.a,claims.a", "'claims.a' appears at 4 and 5");
    refused("", "such as claims.result");
    sandbox.write("outcomes.csv", "attestation_type,subject_id,self_attestation_complete,claims._sd,claims.b\nx,S,true,1,2\nx,S,true,,2\n");
    let rows = sandbox.issue("outcomes.csv --ledger none --type outcome_attestation").rows();
    let detail = &rows[0].error.as_ref().unwrap().details[0];
    assert_eq!((detail.code.as_str(), detail.column.as_deref()), ("reserved_name", Some("claims._sd")));
    assert!(rows[1].credential.is_some());
}

/// Every type is listed, the default first, and shown with all that it holds.
#[test]
fn types_are_listed_and_shown() {
    let sandbox = Sandbox::with_issuer_key();
    let listed = sandbox.beltic(&["types"]).expect(0).stdout;
    let names: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, TYPES);
    sandbox.write(".beltic.yaml", "credential:\n  type: user\n");
    let listed = sandbox.beltic(&["types"]).expect(0).stdout;
    assert!(listed.starts_with("user ") && listed.lines().count() == TYPES.len(), "{listed}");
    for name in TYPES {
        let shown = sandbox.beltic(&["types", "show", name]).expect(0).stdout;
        assert!(shown.contains("subject.id*") && shown.contains(&format!("urn:beltic:{name}:1")), "{shown}");
        let template =
            sandbox.beltic(&["template", "csv", "--type", name, "--elements", "1"]).expect(0).stdout;
        assert!(template.trim().split(',').all(|column| shown.contains(column)), "{template}\n{shown}");
    }
    let typo = sandbox.beltic(&["types", "show", "usr"]).expect(2);
    assert!(typo.stderr.contains("did you mean user?"), "{}", typo.stderr);
}

/// What there is to fill in fails until it is filled in.
#[test]
fn no_template_is_issued_as_it_is() {
    for name in TYPES {
        for format in ["csv", "ndjson", "json"] {
            let sandbox = Sandbox::with_issuer_key();
            let template = sandbox.beltic(&["template", format, "--type", name]).expect(0).stdout;
            let file = format!("items.{format}");
            sandbox.write(&file, template);
            let run = sandbox.issue(&format!("{file} --ledger none --type {name}"));
            assert!(matches!(run.code, 3 | 4), "{name} {format}: {}", run.stderr);
            assert!(!run.stdout.contains("signed_payload"), "{name} {format}: {}", run.stdout);
        }
    }
}

/// `--type` picks credentials in the ledger and tokens to accept.
#[test]
fn commands_are_narrowed_to_a_type() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.copy_key("p256-public.jwk", "issuer.jwk");
    sandbox.write_items("items.ndjson", &[full_item("a"), full_user("b"), full_agent("c"), full_user("d")]);
    let run = sandbox.issue("items.ndjson --proof-format sd_jwt_vc -o results.ndjson");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let listed = |name: &str| {
        let listed = sandbox.beltic(&["list", "--output-format", "ndjson", "--type", name]).expect(0).stdout;
        listed.lines().count()
    };
    assert_eq!(["business", "user", "agent_authorization", "outcome_attestation"].map(listed), [1, 2, 1, 0]);
    let accepted: Vec<_> =
        verdicts(&sandbox, &["--type", "user"]).iter().map(|found| found["valid"] == true).collect();
    assert_eq!(accepted, [false, true, false, true]);
    assert_eq!(verdicts(&sandbox, &["--type", "user"])[0]["reason"], "type_mismatch");
    let revoked = sandbox.beltic(&["revoke", "--type", "user", "--output-format", "ndjson"]).expect(0).stdout;
    assert_eq!(revoked.lines().count(), 2, "{revoked}");
    let none = sandbox.beltic(&["revoke", "--type", "outcome_attestation"]).expect(3);
    assert!(none.stderr.contains("no credential of type 'outcome_attestation'"), "{}", none.stderr);
}

/// An SD-JWT VC says its type in `vct` alone. Under a name of the issuer's own, the verifier is told of which type it is.
#[test]
fn a_type_under_another_name_is_known_when_it_is_told() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.copy_key("p256-public.jwk", "issuer.jwk");
    sandbox.write_items("items.ndjson", &[full_agent("a")]);
    let vct = "https://issuer.example/agents";
    let issue = format!(
        "items.ndjson --proof-format sd_jwt_vc --ledger none --type agent_authorization --vct {vct} -o results.ndjson"
    );
    assert_eq!(sandbox.issue(&issue).code, 0);
    let context = "resource_type=report,action=read";
    let told = verdicts(&sandbox, &["--context", context, "--vct", vct, "--type", "agent_authorization"]);
    assert_eq!(told[0]["valid"], true, "{told:?}");
    let untold = verdicts(&sandbox, &["--context", context, "--vct", vct]);
    assert_eq!(untold[0]["reason"], "policy_denied");
    let mistaken = verdicts(&sandbox, &["--vct", vct, "--type", "business"]);
    assert_eq!(mistaken[0]["valid"], false, "{mistaken:?}");
}

/// Who forgets `--type` is told so, and not that a column may be misspelt.
#[test]
fn a_file_of_another_type_is_known_by_its_columns() {
    let sandbox = Sandbox::with_issuer_key();
    let said = |header: &str| {
        sandbox.write("items.csv", format!("{header}\n"));
        let run = sandbox.issue("items.csv --ledger none").expect(4);
        run.stderr
    };
    assert!(
        said("subject_id,kyc_status,first name,email,self_attestation_complete")
            .contains("add `--type user`")
    );
    let agents = "subject_id,permission1_actions,permission1_resource_type,self_attestation_complete";
    assert!(said(agents).contains("add `--type agent_authorization`"));
    assert!(said("subject_id,attestation_type,claims.x").contains("add `--type outcome_attestation`"));
    assert!(said("subject_id,kyc_status,notes").contains("unknown columns 'kyc_status' (2"));
}

/// With `--delegated`, a subject's credentials go with those of the agents to whom it delegated.
#[test]
fn what_a_subject_delegated_is_revoked_with_it() {
    let sandbox = Sandbox::with_issuer_key();
    let delegated_by = |name: &str, subject: &str| {
        with(full_agent(name), "/request/claims/delegated_by_subject_id", json!(subject))
    };
    let user = with(full_user("u"), "/request/subject/id", json!("U-7"));
    let other = with(full_user("o"), "/request/subject/id", json!("U-8"));
    sandbox.write_items(
        "items.ndjson",
        &[user, delegated_by("a", "U-7"), delegated_by("b", "U-8"), other, full_item("U-7")],
    );
    sandbox.issue("items.ndjson -o results.ndjson").expect(0);
    let revoked = || -> Vec<String> {
        let listed =
            sandbox.beltic(&["list", "--status", "revoked", "--output-format", "ndjson"]).expect(0).stdout;
        let index = |line: &str| serde_json::from_str::<Value>(line).unwrap()["index"].to_string();
        listed.lines().map(index).collect()
    };
    let id = "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009";
    for without_subject in [["--run", "x"], ["--from", "results.ndjson"], [id, id]] {
        let arguments = [&["revoke", "--delegated"][..], &without_subject].concat();
        assert_eq!(sandbox.beltic(&arguments).code, 2, "{without_subject:?}");
    }
    let plan = sandbox.beltic(&["revoke", "--subject", "U-7", "--delegated", "--dry-run"]);
    assert_eq!(plan.expect(0).stdout.lines().count(), 2);
    assert!(revoked().is_empty());
    sandbox.beltic(&["revoke", "--subject", "U-7"]).expect(0);
    assert_eq!(revoked(), ["0"]);
    sandbox.beltic(&["revoke", "--subject", "U-7", "--delegated"]).expect(0);
    assert_eq!(revoked(), ["0", "1"]);
    // Nothing is found by the text of an id that another kind of hash has.
    assert_eq!(sandbox.beltic(&["revoke", "--correlation-id", "U-8"]).code, 3);
    let only =
        sandbox.beltic(&["revoke", "--subject", "U-8", "--delegated", "--type", "agent_authorization"]);
    assert_eq!(only.expect(0).stdout.lines().count(), 1);
    assert_eq!(revoked(), ["0", "1", "2"]);
}

/// What is attested stands in every table of credentials, and in the ledger without anything else of the item.
#[test]
fn what_is_attested_is_listed() {
    let sandbox = Sandbox::with_issuer_key();
    let attested =
        |name: &str, what: &str| with(full_outcome(name), "/request/attestation_type", json!(what));
    let items = [attested("a", "paid"), full_item("b"), attested("c", "delivered"), attested("d", "paid")];
    sandbox.write_items("items.ndjson", &items);
    sandbox.issue("items.ndjson --idempotency-key k -o results.csv").expect(0);
    sandbox.issue("items.ndjson --idempotency-key k -o again.csv").expect(0);
    assert_eq!(sandbox.read("results.csv").lines().next(), sandbox.read("again.csv").lines().next());
    let ids = |name: &str| -> Vec<String> {
        sandbox.read(name).lines().map(|line| line.split(',').nth(3).unwrap().to_owned()).collect()
    };
    assert_eq!(ids("results.csv"), ids("again.csv"), "the same credentials in the same order");
    assert!(sandbox.read("results.csv").contains(",outcome_attestation,delivered,"));
    let listed =
        sandbox.beltic(&["list", "--type", "outcome_attestation", "--output-format", "ndjson"]).expect(0);
    let mut found: Vec<(u64, String)> = Vec::new();
    for line in listed.stdout.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["credential_type"], "outcome_attestation");
        found.push((row["index"].as_u64().unwrap(), row["attestation_type"].as_str().unwrap().to_owned()));
    }
    found.sort();
    assert_eq!(found, [(0, "paid".to_owned()), (2, "delivered".to_owned()), (3, "paid".to_owned())]);
    let businesses = sandbox.beltic(&["list", "--type", "business", "--output-format", "ndjson"]).expect(0);
    assert!(!businesses.stdout.contains("attestation_type"));
    sandbox.beltic(&["ledger", "check"]).expect(0);
    sandbox.beltic(&["list", "--events", "--verify"]).expect(0);
}
