//! A credential of this issuer, read back: the request that it answers, and what its resource must say.
//!
//! It is the way of [`jwt_vc`](super::jwt_vc) and [`sd_jwt`](super::sd_jwt) backwards, of a payload whose signature was
//! verified and whose disclosures are in their places. Every member must be one that is written there: a credential that
//! is issued anew would lose any other.

use std::borrow::Cow;

use uuid::Uuid;

use super::profile::{Profile, ProofFormat};
use super::record::{Status, parse_id};
use crate::clock::UnixTime;
use crate::json::{self, Kind, Value};
use crate::request::{Detail, DetailCode};
use crate::types::CredentialType;

/// A credential of this issuer.
#[derive(Debug)]
pub struct OwnCredential<'d> {
    /// What kind of credential it is.
    pub credential_type: &'static CredentialType,
    /// Its id.
    pub id: Uuid,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When it expires, or did.
    pub expires_at: UnixTime,
    format: ProofFormat,
    payload: Value<'d>,
    /// `subject`, or the `credentialSubject` that it became.
    subject: Value<'d>,
    claims: Value<'d>,
    /// Its place in a Token Status List, where it has one.
    status: Option<Value<'d>>,
}

/// The members of both forms, beside those that only one type has.
const MEMBERS: [&str; 7] = ["iss", "sub", "jti", "iat", "exp", "vct", "status"];
/// The members of a `jwt_vc` alone.
const JWT_VC_MEMBERS: [&str; 11] = [
    "@context",
    "id",
    "type",
    "issuer",
    "validFrom",
    "validUntil",
    "credentialSubject",
    "credentialSchema",
    "credentialStatus",
    "evidence",
    "cnf",
];
/// The members of an `sd_jwt_vc` alone.
const SD_JWT_VC_MEMBERS: [&str; 6] = ["nbf", "vct#integrity", "cnf", "subject", "claims", "evidence_refs"];
/// The members of an `evidence`.
const EVIDENCE_MEMBERS: [&str; 5] = ["type", "reference", "digestSRI", "document_type", "name"];

impl<'d> OwnCredential<'d> {
    /// Reads a payload that was verified, of a type of this profile.
    ///
    /// # Errors
    /// Why it is not a credential that this program issues, in words.
    pub fn read(
        payload: Value<'d>,
        format: ProofFormat,
        profile: &Profile,
    ) -> Result<OwnCredential<'d>, String> {
        let credential_type = type_of(payload, format, profile)?;
        must_know_members(payload, format, credential_type)?;
        let id = text(payload, "jti")?;
        let id = parse_id(&id).ok_or("`jti` is not the id of a credential that beltic issued")?;
        let (issued_at, expires_at) = period(payload, format)?;
        let (subject, claims) = match format {
            ProofFormat::JwtVc => {
                let subject = object(payload, "credentialSubject")?;
                (subject, object(subject, "claims")?)
            }
            ProofFormat::SdJwtVc => (object(payload, "subject")?, object(payload, "claims")?),
        };
        if format == ProofFormat::JwtVc {
            must_have_one_id(subject)?;
            must_be_references(payload)?;
        }
        let status = payload.member("status").and_then(|status| status.member("status_list"));
        Ok(OwnCredential {
            credential_type,
            id,
            issued_at,
            expires_at,
            format,
            payload,
            subject,
            claims,
            status,
        })
    }

    /// How long it is valid, in seconds.
    pub fn seconds(&self) -> i64 {
        self.expires_at.seconds() - self.issued_at.seconds()
    }

    /// Appends the request that it answers. It is attested to, because what it answers was.
    pub fn write_request(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"credential_type\":");
        json::push_str(out, self.credential_type.name);
        out.extend_from_slice(b",\"self_attestation_complete\":true");
        for field in self.credential_type.own.fields {
            self.push_member(field.name, out);
        }
        out.extend_from_slice(b",\"subject\":");
        match self.format {
            ProofFormat::JwtVc => self.write_subject(out),
            ProofFormat::SdJwtVc => self.subject.write_compact(out),
        }
        out.extend_from_slice(b",\"claims\":");
        self.claims.write_compact(out);
        match self.format {
            ProofFormat::JwtVc => self.push_references(out),
            ProofFormat::SdJwtVc => self.push_member("evidence_refs", out),
        }
        self.push_member("cnf", out);
        out.push(b'}');
    }

    /// Appends a member of the payload under its own name, and a comma before it, where it is there.
    fn push_member(&self, name: &str, out: &mut Vec<u8>) {
        let Some(value) = self.payload.member(name) else { return };
        out.push(b',');
        json::push_str(out, name);
        out.push(b':');
        value.write_compact(out);
    }

    /// Writes the subject of a `jwt_vc`, whose claims stand beside it in the request.
    fn write_subject(&self, out: &mut Vec<u8>) {
        let mut separator = b'{';
        for (name, value) in self.subject.members().filter(|(name, _)| name != "claims") {
            out.push(separator);
            separator = b',';
            json::push_str(out, if name == "subject_id" { "id" } else { &name });
            out.push(b':');
            value.write_compact(out);
        }
        out.push(b'}');
    }

    fn push_references(&self, out: &mut Vec<u8>) {
        let Some(evidence) = self.payload.member("evidence") else { return };
        let mut before = b",\"evidence_refs\":[".as_slice();
        for reference in evidence.elements().filter_map(|evidence| evidence.member("reference")) {
            out.extend_from_slice(before);
            before = b",";
            reference.write_compact(out);
        }
        out.push(b']');
    }

    /// What a resource says that the credential does not. `request` is the one that [`OwnCredential::write_request`]
    /// wrote, and `kid` the name of the key that signed. What a resource leaves out, it does not contradict.
    pub fn contradictions(&self, resource: Value<'_>, request: Value<'_>, kid: Option<&str>) -> Vec<Detail> {
        let judge = |name: &str, found: Value<'_>| self.judge(name, found, request, kid);
        Contradiction::among(resource, "/credential", judge)
    }

    fn judge(
        &self,
        name: &str,
        found: Value<'_>,
        request: Value<'_>,
        kid: Option<&str>,
    ) -> Result<(), Contradiction> {
        let is_text = |expected: &str| found.as_str().is_some_and(|found| found == expected);
        let is_same = |expected: Option<Value<'_>>| match expected {
            Some(expected) => found.says_the_same_as(expected),
            None => found.kind() == Kind::Null,
        };
        let of_status = |name| is_same(self.status.and_then(|status| status.member(name)));
        let agrees = match name {
            "subject" | "claims" => is_same(request.member(name)),
            "evidence_refs" => {
                is_same(request.member(name)) || is_empty_array(found) && request.member(name).is_none()
            }
            "id" | "credential_id" => found.as_str().and_then(|id| parse_id(&id)) == Some(self.id),
            "issuer_did" => is_same(self.payload.member("iss")),
            "vct" => is_same(self.payload.member(name)),
            "kid" => kid.is_some_and(is_text),
            "status_list_index" => of_status("idx"),
            "status_list_uri" => of_status("uri"),
            "issued_at" => is_text(&self.issued_at.to_string()),
            "expires_at" => is_text(&self.expires_at.to_string()),
            "credential_type" => is_text(self.credential_type.name),
            "proof_format" => is_text(self.format.as_str()),
            "alg" => is_text("ES256"),
            // What became of it since, and who ran the issuance: the credential does not say.
            "status" if stated_status(found).is_none() => return Err(Contradiction::UnknownStatus),
            "status" | "revoked_at" | "revocation_reason" | "created_via" | "developer_id"
            | "signed_payload" => true,
            _ if self.credential_type.own.field(name).is_some() => is_same(request.member(name)),
            _ => return Err(Contradiction::UnknownField),
        };
        if agrees { Ok(()) } else { Err(Contradiction::Other) }
    }
}

/// How a member of a result contradicts the credential in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// No result has such a member.
    UnknownField,
    /// A status that is none.
    UnknownStatus,
    /// The credential says something else, or nothing.
    Other,
}

/// The most contradictions of one object that are told.
const MAX_CONTRADICTIONS: usize = 100;

impl Contradiction {
    /// The members of an object, which stands at this place, that are judged to be contradictions.
    pub fn among(
        object: Value<'_>,
        place: &str,
        judge: impl Fn(&str, Value<'_>) -> Result<(), Contradiction>,
    ) -> Vec<Detail> {
        let judged = object.members().filter_map(|(name, found)| Some((judge(&name, found).err()?, name)));
        judged
            .take(MAX_CONTRADICTIONS)
            .map(|(contradiction, name)| contradiction.told(place, &name))
            .collect()
    }

    fn told(self, place: &str, name: &str) -> Detail {
        let (code, message) = match self {
            Contradiction::UnknownField => (
                DetailCode::UnknownField,
                "is not a field of results; a renewed credential says what `signed_payload` does",
            ),
            Contradiction::UnknownStatus => {
                (DetailCode::UnknownCode, "expected active, suspended or revoked")
            }
            Contradiction::Other => {
                (DetailCode::Inconsistent, "does not match the credential in `signed_payload`")
            }
        };
        Detail {
            path: json::pointer_to(place, &shortened(name)),
            column: None,
            code,
            message: message.to_owned(),
        }
    }
}

/// The status that a resource states, where it is one.
pub fn stated_status(status: Value<'_>) -> Option<Status> {
    let status = status.as_str()?;
    Status::ALL.into_iter().find(|known| known.as_str() == status)
}

/// A name of a member, cut to what a message has room for.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

fn is_empty_array(value: Value<'_>) -> bool {
    value.kind() == Kind::Array && value.elements().next().is_none()
}

/// The type, by the name that each form has for it. An `sd_jwt_vc` may also have the name that its type has by default.
fn type_of(
    payload: Value<'_>,
    format: ProofFormat,
    profile: &Profile,
) -> Result<&'static CredentialType, String> {
    let mut types = profile.types.iter();
    let found = match format {
        ProofFormat::JwtVc => {
            let names = payload.member("type").ok_or("`type` is missing")?;
            let mut names = names.elements().filter_map(Value::as_str);
            let (name, rest) = (names.by_ref().find(|name| name != "VerifiableCredential"), names.next());
            let name = name
                .filter(|_| rest.is_none())
                .ok_or("`type` does not have exactly one other entry than VerifiableCredential")?;
            types.find(|of_type| of_type.credential_type.vc_type == name)
        }
        ProofFormat::SdJwtVc => {
            let vct = text(payload, "vct")?;
            types
                .clone()
                .find(|of_type| of_type.vct == vct)
                .or_else(|| types.find(|of_type| of_type.credential_type.has_default_vct(&vct)))
        }
    };
    found.map(|of_type| of_type.credential_type).ok_or_else(|| {
        let name = if format == ProofFormat::JwtVc { "type" } else { "vct" };
        format!("its `{name}` is none of the types that are issued here")
    })
}

fn must_know_members(
    payload: Value<'_>,
    format: ProofFormat,
    credential_type: &CredentialType,
) -> Result<(), String> {
    let of_format = match format {
        ProofFormat::JwtVc => &JWT_VC_MEMBERS[..],
        ProofFormat::SdJwtVc => &SD_JWT_VC_MEMBERS,
    };
    let is_known = |name: &str| {
        MEMBERS.contains(&name) || of_format.contains(&name) || credential_type.own.field(name).is_some()
    };
    must_be_among(payload, is_known)
}

fn must_be_among(object: Value<'_>, is_known: impl Fn(&str) -> bool) -> Result<(), String> {
    match object.members().find(|(name, _)| !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(format!("it has `{}`, which a renewed credential would not have", shortened(&name)))
        }
    }
}

/// When it was issued and when it expires. A `jwt_vc` says both twice.
fn period(payload: Value<'_>, format: ProofFormat) -> Result<(UnixTime, UnixTime), String> {
    let time = |name: &str| {
        let seconds = payload.member(name).and_then(|value| value.text().parse().ok());
        seconds
            .and_then(UnixTime::from_seconds)
            .ok_or_else(|| format!("`{name}` is not a time in whole seconds"))
    };
    let (issued_at, expires_at) = (time("iat")?, time("exp")?);
    if expires_at <= issued_at {
        return Err("`exp` is not after `iat`".to_owned());
    }
    let again = match format {
        ProofFormat::JwtVc => {
            text(payload, "validFrom")? == issued_at.to_string()
                && text(payload, "validUntil")? == expires_at.to_string()
        }
        ProofFormat::SdJwtVc => time("nbf")? == issued_at,
    };
    match again {
        true => Ok((issued_at, expires_at)),
        false => Err("it states two different periods".to_owned()),
    }
}

/// The id of a subject stands under one of two names.
fn must_have_one_id(subject: Value<'_>) -> Result<(), String> {
    match (subject.member("id"), subject.member("subject_id")) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => Err("`credentialSubject` does not have exactly one of `id` and `subject_id`".to_owned()),
    }
}

/// Evidence is what references become.
fn must_be_references(payload: Value<'_>) -> Result<(), String> {
    let Some(evidence) = payload.member("evidence") else { return Ok(()) };
    if evidence.kind() != Kind::Array {
        return Err("`evidence` is not an array".to_owned());
    }
    for one in evidence.elements() {
        must_be_among(one, |name| EVIDENCE_MEMBERS.contains(&name))?;
        text(one, "reference").map_err(|_| "`evidence` has an entry without a reference".to_owned())?;
    }
    Ok(())
}

fn text<'d>(object: Value<'d>, name: &str) -> Result<Cow<'d, str>, String> {
    object.member(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is not text"))
}

fn object<'d>(parent: Value<'d>, name: &str) -> Result<Value<'d>, String> {
    let found = parent.member(name).filter(|value| value.kind() == Kind::Object);
    found.ok_or_else(|| format!("`{name}` is not an object"))
}
