//! What was issued is issued anew with the same content, from results in any form and any spelling.

use proptest::prelude::*;
use proptest::sample::select;

use crate::anything::extended;
use crate::companies::{any_style, spelt};
use crate::holds;
use crate::readers::exact::Exact;
use crate::readers::token::unix_seconds;
use crate::support::*;

/// What must be the same in a former credential and a renewed one: numbers are compared as they are written.
#[derive(Debug, PartialEq)]
struct Lasting {
    correlation_id: Option<Exact>,
    subject: Exact,
    claims: Exact,
    evidence_refs: Exact,
    seconds: i64,
}

fn lasting(row: &Exact) -> Lasting {
    let credential = row.get("credential").unwrap_or_else(|| panic!("{}", row.write()));
    Lasting {
        correlation_id: row.get("correlation_id").cloned(),
        subject: credential.member("subject").sorted(),
        claims: credential.member("claims").sorted(),
        evidence_refs: credential.member("evidence_refs").clone(),
        seconds: unix_seconds(credential.text_of("expires_at"))
            - unix_seconds(credential.text_of("issued_at")),
    }
}

#[test]
fn a_renewed_credential_says_what_the_former_said() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "disclosure: { decoys: 1, claims: { claims.jurisdiction: always } }\n");
    let items = prop::collection::vec(extended(), 1..12);
    let proof_formats = || select(vec!["jwt_vc", "sd_jwt_vc"]);
    let forms = select(vec!["ndjson", "json", "csv"]);
    let lives = select(vec!["PT1S", "P1M", "P1Y", "P2Y11M30DT23H"]);
    holds(
        32,
        file!(),
        (items, any_style(), proof_formats(), proof_formats(), forms, lives),
        |(items, style, before, after, form, ttl)| {
            let text: Vec<_> = items.iter().map(|(_, item)| item.write()).collect();
            sandbox.write("items.ndjson", text.join("\n"));
            let flags = "--ledger none --quiet --allow-unknown";
            let out = format!("results.{form}");
            let issue = |out: &str| {
                sandbox
                    .issue(&format!(
                        "items.ndjson {flags} --ttl {ttl} --proof-format {before} --issued-at 2025-01-31T00:00:00Z --out {out} --force"
                    ))
                    .expect(0);
            };
            issue(&out);
            if form == "ndjson" {
                let rows: Vec<_> =
                    sandbox.read(&out).lines().map(|line| spelt(&Exact::parse(line), style)).collect();
                sandbox.write(&out, rows.join("\n"));
            }
            let renewed = sandbox
                .issue(&format!("{out} {flags} --ttl P5Y --proof-format {after} --output-format ndjson"))
                .expect(0);
            issue("expected.ndjson");
            let expected: Vec<_> =
                sandbox.read("expected.ndjson").lines().map(|line| lasting(&Exact::parse(line))).collect();
            let found: Vec<_> = renewed.stdout.lines().map(|line| lasting(&Exact::parse(line))).collect();
            assert_eq!(found, expected);
        },
    );
}
