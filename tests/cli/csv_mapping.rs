//! Files with headers and cells of somebody's own: what the settings under `csv` make of them.

use serde_json::json;

use crate::support::*;

/// A register's export: its own words, columns that nobody needs, German dates and truths.
const EXPORT: &str = "Kennung;Firma;Geprüft;Geprüft am;Gesellschafter 1;Anteil 1;Notiz;Stand\n\
    A-1;Quillmere Bäckerei;WAHR;01.02.2026;Ottilie Quarrington;62,5 %;egal;-\n\
    A-2;Wexcombe Widgets;FALSCH;;-;;;x\n\
    A-3;Thistlewick & Söhne;VIELLEICHT;31.02.2026;;;;\n";

const SETTINGS: &str = "
csv:
  columns:
    Kennung: [subject_id, correlation_id]
    Firma: name
    Geprüft: tax_id_verified
    Geprüft am: verified_at
    Gesellschafter 1: owner1_full_name
    Anteil 1: owner1_ownership_percent
  ignore: [Notiz, stand]
  values:
    Geprüft: { WAHR: true, FALSCH: false }
  dates:
    Geprüft am: '%d.%m.%Y'
  percent_sign: allowed
  nulls: ['-', NULL]
  defaults: { claims_jurisdiction: DE, legal_form: unbekannt }
  constants: { self_attestation_complete: true }
";

#[test]
fn an_export_of_somebody_elses_is_read_as_its_settings_say() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", SETTINGS);
    sandbox.write("export.csv", EXPORT);
    let run = sandbox.issue("export.csv --ledger none --failed failed.csv");
    assert_eq!(run.code, 3, "{}", run.stderr);
    let mut rows = run.rows();
    // What a setting cannot read is refused as it stands, under the user's own column.
    let error = rows.remove(2).error.unwrap();
    let places: Vec<_> =
        error.details.iter().map(|detail| detail.column.clone().unwrap_or_default()).collect();
    assert_eq!(places, ["Geprüft", "Geprüft am"], "{error:?}");
    assert!(
        error.details[1].message.ends_with("expected a date such as 31.01.2026 (csv.dates: %d.%m.%Y)"),
        "{error:?}"
    );
    assert!(sandbox.read("failed.csv").contains("VIELLEICHT;31.02.2026"), "as it came");
    let second = rows.remove(1).into_credential();
    assert_eq!(second.claims, json!({ "jurisdiction": "DE", "tax_id_verified": false }));
    let first = rows.remove(0);
    assert_eq!(first.correlation_id.as_deref(), Some("A-1"), "one column, two fields");
    let first = first.into_credential();
    assert_eq!(
        first.subject,
        json!({ "id": "A-1", "name": "Quillmere Bäckerei", "legal_form": "unbekannt" })
    );
    let claims = json!({
        "jurisdiction": "DE",
        "tax_id_verified": true,
        "verified_at": "2026-02-01T00:00:00Z",
        "beneficial_owners": [{ "full_name": "Ottilie Quarrington", "ownership_percent": 62.5 }],
    });
    assert_eq!(first.claims, claims);
}

/// A run can say what every row has, in place of the settings.
#[test]
fn a_flag_gives_every_row_a_field() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "csv: { constants: { self_attestation_complete: true, ttl: P1M } }\n");
    sandbox.write("a.csv", "subject_id,jurisdiction\nA,GB\n");
    let run = sandbox.issue(
        "a.csv --ledger none --set claims.jurisdiction=GB --set ttl=P2M --issued-at 2026-02-01T00:00:00Z",
    );
    let credential = run.rows().remove(0).into_credential();
    assert_eq!(credential.expires_at, "2026-04-01T00:00:00Z");
    assert_eq!(credential.claims, json!({ "jurisdiction": "GB" }));
    for (set, expected) in [
        ("jurisdiction=GB", "and --set both give jurisdiction"),
        ("jurisdicton=GB", "--set gives 'jurisdicton', which is not a field; did you mean jurisdiction?"),
        ("jurisdiction", "expected FIELD=VALUE"),
    ] {
        let run = sandbox.issue(&format!("a.csv --ledger none --set claims.jurisdiction=GB --set {set}"));
        assert!(run.stderr.contains(expected), "{set}: {}", run.stderr);
        assert!(run.code == 2 || run.code == 4);
    }
}

/// Settings that contradict themselves, or say what cannot be.
#[test]
fn settings_that_cannot_be_are_refused() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("a.csv", "subject_id,claims_jurisdiction,self_attestation_complete\nA,GB,true\n");
    for (settings, expected) in [
        (
            "columns: { Land: jurisdiction }\n  ignore: land",
            "csv.columns maps 'Land', and csv.ignore ignores it",
        ),
        (
            "dates: { verified_at: dd.mm.yyyy }",
            "csv.dates: 'dd.mm.yyyy' for 'verified_at' is not the format of a date",
        ),
        ("percent_sign: yes please", "csv.percent_sign is \"yes please\"; expected allowed or refused"),
        ("defaults: { jurisdicton: GB }", "csv.defaults gives 'jurisdicton'"),
        ("columns: { Land: [jurisdiction, lnd] }", "csv.columns maps 'Land' to 'lnd'"),
    ] {
        sandbox.write(".beltic.yaml", format!("csv:\n  {settings}\n"));
        let run = sandbox.issue("a.csv --ledger none");
        assert!(run.code == 2 && run.stderr.contains(expected), "{settings}: {}", run.stderr);
    }
}

/// Every unknown column can be ignored; those that are known are not.
#[test]
fn a_star_ignores_what_is_unknown() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write("a.csv", "subject_id,claims_jurisdiction,self_attestation_complete,x,y\nA,GB,true,1,2\n");
    let refused = sandbox.issue("a.csv --ledger none");
    assert!(
        refused.code == 4 && refused.stderr.contains("`beltic template --map FILE`"),
        "{}",
        refused.stderr
    );
    sandbox.write(".beltic.yaml", "csv: { ignore: '*' }\n");
    let run = sandbox.issue("a.csv --ledger none").expect(0);
    assert_eq!(run.rows().remove(0).into_credential().claims, json!({ "jurisdiction": "GB" }));
    // A field that is ignored by name is not read, and what must be there is missing.
    sandbox.write(".beltic.yaml", "csv: { ignore: ['*', subject_id] }\n");
    assert!(sandbox.issue("a.csv --ledger none").stderr.contains("missing column subject_id"));
}

/// A mapping that was guessed loads unchanged, and says something of every column.
#[test]
fn a_header_of_somebody_elses_is_mapped() {
    let sandbox = Sandbox::with_issuer_key();
    let export = "Kennung;Firma;Rechtsform;Straße;PLZ;Ort;Land;Gesellschafter 1;Anteil 1 (%);Gesellschafter 2;Anteil 2 (%);kyb_status;Lieblingsfarbe\n\
        A-1;Quillmere Bäckerei;GmbH;Hafenweg 1;20457;Hamburg;DE;Ottilie Quarrington;62,5;;;verified;blau\n";
    let windows_1252: Vec<u8> =
        export.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    sandbox.write("export.csv", windows_1252);
    let run = sandbox.beltic(&["template", "--map", "export.csv", "--encoding", "windows-1252"]).expect(0);
    assert!(
        run.stdout.contains("# export.csv: 1 columns keep their names, 11 are mapped, 1 are ignored."),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("    \"Straße\": address_line1\n"), "{}", run.stdout);
    assert!(
        run.stdout.contains("  ignore:\n    - \"Lieblingsfarbe\"\n")
            && run.stdout.contains("encoding: \"windows-1252\"")
    );
    sandbox.write(".beltic.yaml", &run.stdout);
    let issued = sandbox.issue("export.csv --ledger none --set self_attestation_complete=true").expect(0);
    let credential = issued.rows().remove(0).into_credential();
    assert_eq!(credential.subject["name"], "Quillmere Bäckerei");
    assert_eq!(credential.claims["registered_address"]["city"], "Hamburg");
    assert_eq!(credential.claims["beneficial_owners"][0]["ownership_percent"], json!(62.5));
    // A country alone is not an address, and what cells may look like is shown.
    std::fs::remove_file(sandbox.path(".beltic.yaml")).unwrap();
    sandbox.write(
        "short.csv",
        "Kundennummer,Land,Geprüft am,Bestätigt,Inhaber,Anteil\nK-1,DE,01.02.2026,JA,Ada,10 %\n",
    );
    let short = sandbox.beltic(&["template", "--map", "short.csv"]).expect(0).stdout;
    assert!(short.contains("    \"Land\": claims_jurisdiction\n"), "{short}");
    // What is shown as comments becomes settings where the `#` is taken away.
    let (csv, comments) = short.split_once("# Where cells").unwrap();
    let comments: Vec<&str> = comments.lines().skip(1).map(|line| &line["# ".len()..]).collect();
    let comments = comments.join("\n");
    sandbox.write(".beltic.yaml", format!("{csv}{}", comments.replace("\"yes\"", "\"JA\"")));
    let issued = sandbox.issue("short.csv --ledger none").expect(0).rows().remove(0).into_credential();
    assert_eq!(issued.claims["verified_at"], "2026-02-01T00:00:00Z");
    assert_eq!(issued.claims["beneficial_owners"][0]["ownership_percent"], json!(10));
    std::fs::remove_file(sandbox.path(".beltic.yaml")).unwrap();
    // A header of our own needs no mapping.
    sandbox.write("own.csv", "subject_id,claims_jurisdiction\n");
    let own = sandbox.beltic(&["template", "--map", "own.csv"]).expect(0).stdout;
    assert!(own.contains("csv: {}") && own.contains("#     self_attestation_complete:"), "{own}");
    sandbox.write(".beltic.yaml", &own);
    sandbox.beltic(&["template", "csv"]).expect(0);
}

/// The message about columns that are not known has a mapping to paste, which is one that works.
#[test]
fn an_unknown_column_comes_with_a_mapping() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(
        "a.csv",
        "subject_id;Firma;Land;self_attestation_complete;Notiz\nA;Quillmere GmbH;DE;true;x\n",
    );
    let refused = sandbox.issue("a.csv --ledger none").expect(4);
    let (said, mapping) =
        refused.stderr.split_once("prints it too:\n").unwrap_or_else(|| panic!("{}", refused.stderr));
    assert!(said.contains("unknown columns 'Firma' (2), 'Land' (3), 'Notiz' (5)"), "{said}");
    sandbox.write(".beltic.yaml", mapping);
    let credential = sandbox.issue("a.csv --ledger none").expect(0).rows().remove(0).into_credential();
    assert_eq!(credential.subject["name"], "Quillmere GmbH");
    assert_eq!(credential.claims, json!({ "jurisdiction": "DE" }));
    // What was read in the wrong encoding is not to be pasted.
    sandbox.write("d.csv", "subject_id;Geprüft;self_attestation_complete\nA;x;true\n");
    let misread = sandbox.issue("d.csv --ledger none --encoding windows-1252").expect(4).stderr;
    assert!(misread.contains("--encoding utf-8") && !misread.contains("csv:\n"), "{misread}");
    // A header of which nothing is known may be a row about somebody, and is not shown.
    std::fs::remove_file(sandbox.path(".beltic.yaml")).unwrap();
    sandbox.write("b.csv", "Odo Quillfeather;1970-01-01\nAda;1980-01-01\n");
    let refused = sandbox.issue("b.csv --ledger none").expect(4);
    assert!(!refused.stderr.contains("Odo"), "{}", refused.stderr);
    // What separates the cells is found even so.
    sandbox.write("c.csv", "Xyzzy;Plugh;Quux\n1;2;3\n");
    let mapped = sandbox.beltic(&["template", "--map", "c.csv"]).expect(0).stdout;
    assert!(mapped.contains("- \"Plugh\"\n"), "{mapped}");
}
