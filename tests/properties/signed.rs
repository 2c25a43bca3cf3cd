//! Whatever is accepted is signed as it came, in both formats.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::anything::extended;
use crate::companies::{Company, any_style, bare, spelt};
use crate::holds;
use crate::readers::exact::Exact;
use crate::readers::sd_jwt::foreign_payload;
use crate::readers::token::{Issuance, request_of};
use crate::support::*;

/// What may be hidden in an SD-JWT, in several ways.
const POLICIES: [&str; 3] = [
    "",
    "disclosure:\n  decoys: 2\n  claims:\n    claims.kyb_status: always\n    evidence_refs[]: always\n    \
     claims.beneficial_owners[].ownership_percent: always\n    claims.registered_address.line2: always\n",
    "disclosure:\n  claims:\n    claims.beneficial_owners: never\n    claims.beneficial_owners[]: never\n    \
     claims.registered_address: never\n    subject.registration_number: never\n    evidence_refs: always\n",
];

/// Every member of the payload is compared with the request, and numbers by their text.
#[test]
fn what_is_accepted_is_signed_as_it_came() {
    let sandbox = Sandbox::with_issuer_key();
    let item = (extended(), any::<bool>(), any_style());
    let batches = (prop::collection::vec(item, 1..24), select(POLICIES.to_vec()), any::<bool>());
    holds(24, file!(), batches, |(batch, policy, with_status)| {
        let items: Vec<Exact> = batch.iter().map(|((_, item), ..)| item.clone()).collect();
        let line = |((_, item), is_bare, style): &((Company, Exact), bool, _)| {
            let item = if *is_bare { bare(item) } else { item.clone() };
            spelt(&item, *style) + "\n"
        };
        sandbox.write("items.ndjson", batch.iter().map(line).collect::<String>());
        sandbox.write(".beltic.yaml", policy);
        for proof_format in ["jwt_vc", "sd_jwt_vc"] {
            let issuance = Issuance { proof_format: proof_format.into(), with_status, ..default_issuance() };
            let ledger = if with_status { "" } else { "--ledger none" };
            let run = sandbox
                .issue(&format!(
                    "items.ndjson --allow-unknown --quiet --proof-format {proof_format} {ledger}"
                ))
                .expect(0);
            check(&issuance, &run.stdout, &items);
        }
    });
}

fn check(issuance: &Issuance, results: &str, items: &[Exact]) {
    let key = issuer_token_key();
    assert_eq!(results.lines().count(), items.len());
    for (line, item) in results.lines().zip(items) {
        let result = Exact::parse(line);
        let resource = result.member("credential");
        if issuance.proof_format == "jwt_vc" {
            issuance.check(&key, resource, item);
            continue;
        }
        issuance.check_sd_jwt(&key, resource, item);
        let foreign = foreign_payload(resource.text_of("signed_payload"));
        for name in ["subject", "claims", "evidence_refs"] {
            let asked = request_of(item).get(name).map(|value| serde_json::from_str(&value.write()).unwrap());
            let found = foreign.get(name).cloned();
            assert_eq!(
                found.map(without_empty_elements),
                asked.map(without_empty_elements),
                "{name} of {line}"
            );
        }
    }
}

/// The value without objects that have nothing in them and are elements of an array: the foreign reader
/// forgets some of those. Our own reader of tokens, above, does not.
fn without_empty_elements(value: Value) -> Value {
    let is_empty = |value: &Value| value.as_object().is_some_and(|members| members.is_empty());
    match value {
        Value::Array(elements) => {
            let elements = elements.into_iter().map(without_empty_elements);
            elements.filter(|element| !is_empty(element)).collect()
        }
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_empty_elements(value))).collect()
        }
        other => other,
    }
}
