//! What can be said in a payload with a sound signature, and must not be accepted.

use beltic::verify::{Reason, Step};
use serde_json::{Value, json};

use crate::case;
use crate::world::{BIT_LIST, Case, ENDS, ISSUED, Kind, NOW};

use Reason::{
    AudienceMismatch, Expired, IssuerMismatch, NotYetValid, SchemaInvalid, StatusUnknown, UnsupportedType,
};

pub(crate) fn cases(kind: Kind) -> Vec<Case> {
    let mut table = common();
    table.extend(match kind {
        Kind::JwtVc => of_credential(),
        Kind::SdJwtVc => of_sd_jwt(),
    });
    table
        .into_iter()
        .map(|(pointer, value, reason, step)| {
            let name = format!("payload {pointer} = {value:?}");
            case(name, kind.at(pointer, value), reason, step)
        })
        .collect()
}

type Row = (&'static str, Option<Value>, Reason, Step);

/// Both formats.
fn common() -> Vec<Row> {
    let mut rows = vec![
        ("/exp", Some(json!(NOW)), Expired, Step::Times),
        ("/exp", Some(json!(NOW - 1)), Expired, Step::Times),
        ("/exp", Some(json!(0)), Expired, Step::Times),
        ("/exp", Some(json!(-1)), Expired, Step::Times),
        ("/exp", Some(json!(-1e300)), Expired, Step::Times),
        ("/nbf", Some(json!(1e300)), NotYetValid, Step::Times),
        ("/iat", Some(json!(u64::MAX)), NotYetValid, Step::Times),
        ("/exp", Some(json!(NOW as f64 - 0.5)), Expired, Step::Times),
        ("/iat", Some(json!(NOW + 1)), NotYetValid, Step::Times),
        ("/nbf", Some(json!(NOW + 1)), NotYetValid, Step::Times),
        ("/nbf", Some(json!(NOW as f64 + 0.5)), NotYetValid, Step::Times),
        ("/nbf", Some(json!(ENDS)), NotYetValid, Step::Times),
        ("/aud", Some(json!("https://verifier.example")), AudienceMismatch, Step::Issuer),
        ("/aud", Some(json!([])), AudienceMismatch, Step::Issuer),
        ("/aud", Some(json!(null)), AudienceMismatch, Step::Issuer),
        ("/jti", Some(json!(7)), SchemaInvalid, Step::Claims),
        ("/sub", Some(json!(["urn:example:a"])), SchemaInvalid, Step::Claims),
        ("/vct", Some(json!(1)), SchemaInvalid, Step::Claims),
        ("/vct", Some(json!("")), SchemaInvalid, Step::Claims),
        ("/iss", Some(json!("")), SchemaInvalid, Step::Claims),
        ("/iss", Some(json!(null)), SchemaInvalid, Step::Claims),
        ("/iss", Some(json!({"id": "did:web:issuer.example"})), SchemaInvalid, Step::Claims),
    ];
    for exp in [json!("1826942400"), json!(null), json!(true), json!([ENDS]), json!({})] {
        rows.push(("/exp", Some(exp), SchemaInvalid, Step::Claims));
    }
    for name in ["/iat", "/nbf"] {
        for value in [json!("2026-11-23T04:00:00Z"), json!(null)] {
            rows.push((name, Some(value), SchemaInvalid, Step::Claims));
        }
    }
    for status in [json!("revoked"), json!(null), json!([])] {
        rows.push(("/status", Some(status), SchemaInvalid, Step::Status));
    }
    for idx in
        [json!("94567"), json!(-1), json!(1.5), json!(94_567.0), json!(null), json!([94_567]), json!(1e20)]
    {
        rows.push(("/status/status_list/idx", Some(idx), SchemaInvalid, Step::Status));
    }
    rows.extend([
        // Far outside the list, and where a narrower number would wrap round to the credential's own place.
        ("/status/status_list/idx", Some(json!(131_072)), StatusUnknown, Step::Status),
        ("/status/status_list/idx", Some(json!((1u64 << 32) + 94_567)), StatusUnknown, Step::Status),
        ("/status/status_list/idx", Some(json!(u64::MAX)), StatusUnknown, Step::Status),
        ("/status/status_list/idx", None, SchemaInvalid, Step::Status),
        ("/status/status_list/uri", None, SchemaInvalid, Step::Status),
        ("/status/status_list/uri", Some(json!(1)), SchemaInvalid, Step::Status),
        ("/status/status_list/uri", Some(json!("")), SchemaInvalid, Step::Status),
        ("/status/status_list", Some(json!("x")), SchemaInvalid, Step::Status),
    ]);
    rows
}

/// VC Data Model 2.0.
fn of_credential() -> Vec<Row> {
    let invalid = |pointer, value| (pointer, Some(value), SchemaInvalid, Step::Claims);
    let missing = |pointer| (pointer, None, SchemaInvalid, Step::Claims);
    let schema = |pointer, value| (pointer, Some(value), SchemaInvalid, Step::Schema);
    let mut rows = vec![
        ("/iss", Some(json!("did:web:other.example")), SchemaInvalid, Step::Claims),
        ("/issuer", Some(json!("did:web:other.example")), SchemaInvalid, Step::Claims),
        missing("/issuer"),
        invalid("/issuer", json!(["did:web:issuer.example"])),
        invalid("/issuer", json!({"name": "x"})),
        missing("/@context"),
        invalid("/@context", json!("https://www.w3.org/ns/credentials/v2")),
        invalid("/@context", json!([])),
        invalid("/@context", json!(["https://www.w3.org/2018/credentials/v1"])),
        invalid("/@context", json!(["https://issuer.example/c", "https://www.w3.org/ns/credentials/v2"])),
        invalid("/@context", json!(["https://www.w3.org/ns/credentials/v2", 1])),
        invalid("/@context", json!(["https://www.w3.org/ns/credentials/v2/"])),
        invalid("/@context", json!(["https://www.w3.org/ns/credentials/v2", "https ://issuer.example/c"])),
        invalid("/@context", json!(["https://www.w3.org/ns/credentials/v2", "c"])),
        missing("/type"),
        invalid("/type", json!([])),
        invalid("/type", json!("BusinessCredential")),
        invalid("/type", json!(["verifiablecredential"])),
        invalid("/type", json!(["VerifiableCredential", 1])),
        (
            "/type",
            Some(json!(["VerifiableCredential", "BitstringStatusListCredential"])),
            UnsupportedType,
            Step::Claims,
        ),
        (
            "/type",
            Some(json!(["VerifiableCredential", "StatusList2021Credential"])),
            UnsupportedType,
            Step::Claims,
        ),
        ("/type", Some(json!(["VerifiablePresentation"])), UnsupportedType, Step::Claims),
        invalid("/vc", json!({"type": ["VerifiableCredential"]})),
        invalid("/vp", json!({})),
        missing("/credentialSubject"),
        invalid("/credentialSubject", json!({})),
        invalid("/credentialSubject", json!([])),
        invalid("/credentialSubject", json!([{}])),
        invalid("/credentialSubject", json!("urn:example:a")),
        // Who it is about may be all that a credential says, but not one of this type.
        schema("/credentialSubject", json!({"id": "urn:example:a"})),
        schema("/credentialSubject", json!([{"id": "urn:example:a", "x": 1}, {"id": "urn:example:b"}])),
        invalid(
            "/credentialSubject",
            json!([{"id": "urn:example:b", "x": 1}, {"id": "urn:example:c", "x": 1}]),
        ),
        schema(
            "/credentialSubject",
            json!([
                {"id": "urn:example:a", "claims": {"jurisdiction": "GB"}},
                {"id": "urn:example:b", "claims": {"jurisdiction": "Scotland"}},
            ]),
        ),
        schema(
            "/credentialSubject",
            json!([{"id": "urn:example:a", "claims": {"jurisdiction": "GB"}}, {"id": "urn:example:b", "x": 1}]),
        ),
        invalid("/credentialSubject", json!([{"id": "urn:example:a"}, "x"])),
        invalid("/credentialSubject/id", json!("no URL")),
        invalid("/credentialSubject/id", json!("urn:example:other")),
        invalid("/sub", json!("urn:example:other")),
        // No credential of ours has both, and they would have to agree.
        invalid("/credentialSubject/subject_id", json!("EX-1")),
        invalid("/id", json!("urn:uuid:00000000-0000-7000-8000-000000000000")),
        invalid("/id", json!("no URL")),
        invalid("/id", json!(["urn:uuid:01a206e6-9989-7123-a539-f16d67dba009"])),
        invalid("/jti", json!("urn:uuid:00000000-0000-7000-8000-000000000000")),
        invalid("/validFrom", json!(ISSUED)),
        invalid("/validFrom", json!("2026-11-23")),
        invalid("/validFrom", json!("2026-11-23T04:00:00")),
        invalid("/validUntil", json!("2027-11-23 04:00:00Z")),
        invalid("/validUntil", json!("2027-13-23T04:00:00Z")),
        invalid("/validUntil", json!("2026-11-23T03:59:59Z")),
        invalid("/validUntil", json!("9999-12-32T23:59:59Z")),
        invalid("/validFrom", json!("2016-12-31T23:59:60Z")),
        ("/credentialStatus/id", Some(json!(BIT_LIST)), SchemaInvalid, Step::Status),
        invalid("/credentialStatus/id", json!(5)),
        invalid("/credentialStatus/id", json!("no URL")),
        invalid("/credentialStatus/id", json!(["urn:a", "urn:b"])),
        invalid("/credentialStatus/type", json!(["BitstringStatusListEntry", 1])),
        invalid("/credentialStatus/type", json!([])),
        invalid("/evidence", json!([{"type": "x"}, {"id": "urn:a"}])),
        invalid("/evidence", json!("urn:a")),
        invalid("/termsOfUse", json!({"type": ""})),
        invalid("/refreshService", json!({"type": "x", "id": "no URL"})),
        invalid("/credentialSchema", json!({"type": "JsonSchema"})),
        invalid("/proof", json!([{}])),
        invalid("/issuer", json!({"id": "no URL"})),
        ("/validFrom", Some(json!("2026-11-23T05:00:01Z")), NotYetValid, Step::Times),
        ("/validFrom", Some(json!("2026-11-23T05:00:00.5Z")), NotYetValid, Step::Times),
        ("/validUntil", Some(json!("2026-11-23T05:00:00Z")), Expired, Step::Times),
        ("/validUntil", Some(json!("2026-11-23T07:00:00+02:00")), Expired, Step::Times),
        invalid("/credentialStatus", json!({"statusPurpose": "revocation"})),
        invalid("/credentialStatus", json!([])),
        invalid("/credentialStatus", json!("x")),
        ("/credentialStatus/statusListIndex", Some(json!(94_567)), SchemaInvalid, Step::Status),
        ("/credentialStatus/statusListIndex", Some(json!("-1")), SchemaInvalid, Step::Status),
        ("/credentialStatus/statusListIndex", Some(json!("+94567")), SchemaInvalid, Step::Status),
        ("/credentialStatus/statusListIndex", Some(json!("094567")), SchemaInvalid, Step::Status),
        ("/credentialStatus/statusListIndex", Some(json!("0x17167")), SchemaInvalid, Step::Status),
        (
            "/credentialStatus/statusListIndex",
            Some(json!("18446744073709646183")),
            SchemaInvalid,
            Step::Status,
        ),
        ("/credentialStatus/statusListIndex", Some(json!("131072")), StatusUnknown, Step::Status),
        ("/credentialStatus/statusListIndex", Some(json!("4295061863")), StatusUnknown, Step::Status),
        ("/credentialStatus/statusListCredential", None, SchemaInvalid, Step::Status),
        ("/credentialStatus/statusPurpose", None, SchemaInvalid, Step::Status),
        ("/credentialStatus/statusPurpose", Some(json!("whatever")), StatusUnknown, Step::Status),
        ("/credentialStatus/statusSize", Some(json!(2)), StatusUnknown, Step::Status),
    ];
    rows.extend([
        ("/credentialSubject/claims", None, SchemaInvalid, Step::Schema),
        schema("/credentialSubject/claims", json!({})),
        schema("/credentialSubject/claims", json!([])),
        schema("/credentialSubject/claims/jurisdiction", json!("Scotland")),
        schema("/credentialSubject/claims/tax_id_verified", json!("true")),
        schema("/credentialSubject/claims/beneficial_owners", json!({})),
        schema("/credentialSubject/claims/beneficial_owners/0", json!({"ownership_percent": 10})),
        schema("/credentialSubject/claims/beneficial_owners/0/ownership_percent", json!(101)),
        schema("/credentialSubject/claims/beneficial_owners/0/ownership_percent", json!("50")),
        schema("/credentialSubject/jurisdiction", json!("XX")),
        schema("/credentialSubject/type", json!("person")),
    ]);
    rows
}

/// SD-JWT VC.
fn of_sd_jwt() -> Vec<Row> {
    let invalid = |pointer, value| (pointer, Some(value), SchemaInvalid, Step::Claims);
    let missing = |pointer| (pointer, None, SchemaInvalid, Step::Claims);
    let schema = |pointer, value| (pointer, Some(value), SchemaInvalid, Step::Schema);
    vec![
        ("/iss", Some(json!("did:web:other.example")), IssuerMismatch, Step::Issuer),
        ("/iss", Some(json!("DID:web:issuer.example")), IssuerMismatch, Step::Issuer),
        ("/iss", Some(json!("did:web:issuer.example#key-1")), IssuerMismatch, Step::Issuer),
        ("/iss", Some(json!("did:web:issuer.example ")), IssuerMismatch, Step::Issuer),
        missing("/vct"),
        invalid("/vct", json!(["urn:beltic:business:1"])),
        invalid("/cnf", json!("key")),
        invalid("/cnf", json!({"jwk": "key"})),
        invalid("/cnf", json!({"jwk": {"kty": "EC", "d": "AA"}})),
        invalid("/cnf", json!({"jwk": {"kty": "oct", "k": "AA"}})),
        invalid("/vct#integrity", json!(5)),
        invalid("/aka_vcts", json!([])),
        invalid("/aka_vcts", json!("urn:x")),
        invalid("/aka_vcts", json!(["urn:x", 1])),
        invalid("/aka_vcts", json!(["urn:x", "urn:beltic:business:1"])),
        invalid("/sub", json!("urn:example:other")),
        invalid("/subject/id", json!("urn:example:other")),
        invalid("/credentialStatus", json!("revoked")),
        invalid("/credentialStatus", json!([])),
        (
            "/credentialStatus",
            Some(json!({
                "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567",
                "statusListCredential": "https://issuer.example/status/nowhere.jwt",
            })),
            StatusUnknown,
            Step::Status,
        ),
        schema("/claims/jurisdiction", json!("England")),
        schema("/claims/tax_id_verified", json!(1)),
        schema("/subject/jurisdiction", json!("gb")),
    ]
}
