//! The same table in JSON, NDJSON and CSV is the same batch.

use proptest::prelude::*;
use proptest::sample::select;

use crate::companies::{Company, any_company, any_style, csv_text, spelt};
use crate::holds;
use crate::readers::exact::Exact;
use crate::support::*;

/// What became of an item, without what no two runs have in common.
#[derive(Debug, PartialEq)]
enum Told {
    Issued { subject: Exact, claims: Exact, evidence_refs: Exact },
    Failed { code: String, places: Vec<(String, String)> },
}

fn told(result: &Exact) -> (Option<String>, Told) {
    let id = result.get("correlation_id").map(|id| id.text().to_owned());
    let told = match result.get("credential") {
        Some(credential) => Told::Issued {
            subject: credential.member("subject").sorted(),
            claims: credential.member("claims").sorted(),
            evidence_refs: credential.member("evidence_refs").clone(),
        },
        None => {
            let error = result.member("error");
            let place =
                |detail: &Exact| (detail.text_of("path").to_owned(), detail.text_of("code").to_owned());
            let details = error.get("details").map_or(&[][..], Exact::elements);
            let mut places: Vec<_> = details.iter().map(place).collect();
            places.sort();
            Told::Failed { code: error.text_of("code").to_owned(), places }
        }
    };
    (id, told)
}

#[test]
fn a_table_is_the_same_batch_in_every_form() {
    let sandbox = Sandbox::with_issuer_key();
    let companies = prop::collection::vec(any_company(), 1..40);
    let formats = select(vec!["jwt_vc", "sd_jwt_vc"]);
    let delimiters = select(b",;\t|".to_vec());
    holds(
        32,
        file!(),
        (companies, any_style(), delimiters, formats),
        |(companies, style, delimiter, format)| {
            let items: Vec<_> = companies.iter().map(|company| spelt(&company.item(), style)).collect();
            sandbox.write("items.ndjson", items.join("\n"));
            sandbox.write("items.json", format!("{{\"items\":[{}]}}", items.join(",\r\n")));
            sandbox.write("items.csv", csv_text(&companies.iter().collect::<Vec<_>>(), delimiter));
            let of = |file: &str| {
                let run = sandbox.issue(&format!("{file} --ledger none --quiet --proof-format {format}"));
                let lines = run.stdout.lines();
                lines.map(|line| told(&Exact::parse(line))).collect::<Vec<_>>()
            };
            let results = of("items.ndjson");
            assert_eq!(results.len(), companies.len());
            for (company, result) in companies.iter().zip(&results) {
                check(company, result);
            }
            assert_eq!(of("items.json"), results);
            assert_eq!(of("items.csv"), results);
        },
    );
}

/// A sound company is issued with what its cells say, a faulty one fails with its code.
fn check(company: &Company, (id, told): &(Option<String>, Told)) {
    assert_eq!(id.as_deref(), company.correlation_id());
    match (told, company.error) {
        (Told::Failed { code, .. }, Some(expected)) => assert_eq!(code, expected, "{company:?}"),
        (Told::Issued { subject, claims, evidence_refs }, None) => {
            let item = company.item();
            let request = item.member("request");
            assert_eq!(*subject, request.member("subject").sorted());
            assert_eq!(*claims, request.member("claims").sorted());
            let none = Exact::Array(Vec::new());
            assert_eq!(evidence_refs, request.get("evidence_refs").unwrap_or(&none));
        }
        _ => panic!("{told:?} of {company:?}"),
    }
}
