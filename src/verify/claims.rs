//! The claims of each format: which must be there, what they must be, and which must agree.

mod model;

use std::borrow::Cow;

pub(super) use self::model::check_context;
use self::model::{PARTS, check_entries, check_parts, issuer_id, url};
use super::TokenFormat;
use super::policy::Policy;
use super::times::{ClaimedTime, date_time, numeric_date};
use super::verdict::{Reason, Refusal, Step};
use crate::json::{Kind, Value};
use crate::token::Disclosed;
use crate::types::{CredentialType, Types};

/// The context that stands first in a credential of the VC Data Model 2.0.
pub(super) const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The context of the VC Data Model 1.1.
const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";

/// The type of a W3C status list, which is a credential, and about nobody.
pub(super) const LIST_TYPE: &str = "BitstringStatusListCredential";

/// What a verification needs of a credential.
#[derive(Debug, Default)]
pub(super) struct Claims<'d> {
    /// Who issued it.
    pub(super) issuer: Option<Cow<'d, str>>,
    pub(super) id: Option<Cow<'d, str>>,
    pub(super) vct: Option<Cow<'d, str>>,
    pub(super) audience: Option<Value<'d>>,
    /// From when it holds; all must have passed.
    pub(super) starts: [Option<ClaimedTime>; 3],
    /// Until when it holds; none may have passed.
    pub(super) ends: [Option<ClaimedTime>; 2],
    pub(super) token_status: Option<Value<'d>>,
    pub(super) bitstring_status: Option<Value<'d>>,
    /// What is said, where the credential is of a type that we know: about one subject, unless it has several.
    pub(super) statements: Vec<Statement<'d>>,
}

/// Where the claims about a subject stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement<'d> {
    /// By whose rules they are checked.
    pub(super) credential_type: &'static CredentialType,
    pub(super) subject: Option<Value<'d>>,
    pub(super) claims: Option<Value<'d>>,
    /// Whether claims may be missing because they were withheld.
    pub(super) may_be_withheld: bool,
}

/// The members that matter, found in one pass over the payload.
#[derive(Default, Clone, Copy)]
struct ClaimMembers<'d> {
    iss: Option<Value<'d>>,
    sub: Option<Value<'d>>,
    jti: Option<Value<'d>>,
    iat: Option<Value<'d>>,
    nbf: Option<Value<'d>>,
    exp: Option<Value<'d>>,
    aud: Option<Value<'d>>,
    vct: Option<Value<'d>>,
    vct_integrity: Option<Value<'d>>,
    aka_vcts: Option<Value<'d>>,
    status: Option<Value<'d>>,
    cnf: Option<Value<'d>>,
    context: Option<Value<'d>>,
    id: Option<Value<'d>>,
    types: Option<Value<'d>>,
    issuer: Option<Value<'d>>,
    valid_from: Option<Value<'d>>,
    valid_until: Option<Value<'d>>,
    issuance_date: Option<Value<'d>>,
    expiration_date: Option<Value<'d>>,
    credential_subject: Option<Value<'d>>,
    credential_status: Option<Value<'d>>,
    /// The other parts of a credential that have types, with their names.
    parts: [Option<(&'static str, Value<'d>)>; PARTS.len()],
    vc: Option<Value<'d>>,
    vp: Option<Value<'d>>,
    subject: Option<Value<'d>>,
    claims: Option<Value<'d>>,
}

impl<'d> ClaimMembers<'d> {
    fn of(object: Value<'d>) -> ClaimMembers<'d> {
        let mut found = ClaimMembers::default();
        for (name, value) in object.members() {
            let place = match &*name {
                "iss" => &mut found.iss,
                "sub" => &mut found.sub,
                "jti" => &mut found.jti,
                "iat" => &mut found.iat,
                "nbf" => &mut found.nbf,
                "exp" => &mut found.exp,
                "aud" => &mut found.aud,
                "vct" => &mut found.vct,
                "vct#integrity" => &mut found.vct_integrity,
                "aka_vcts" => &mut found.aka_vcts,
                "status" => &mut found.status,
                "cnf" => &mut found.cnf,
                "@context" => &mut found.context,
                "id" => &mut found.id,
                "type" => &mut found.types,
                "issuer" => &mut found.issuer,
                "validFrom" => &mut found.valid_from,
                "validUntil" => &mut found.valid_until,
                "issuanceDate" => &mut found.issuance_date,
                "expirationDate" => &mut found.expiration_date,
                "credentialSubject" => &mut found.credential_subject,
                "credentialStatus" => &mut found.credential_status,
                "vc" => &mut found.vc,
                "vp" => &mut found.vp,
                "subject" => &mut found.subject,
                "claims" => &mut found.claims,
                other => {
                    if let Some(at) = PARTS.iter().position(|part| *part == other) {
                        found.parts[at] = Some((PARTS[at], value));
                    }
                    continue;
                }
            };
            *place = Some(value);
        }
        found
    }
}

impl<'d> Claims<'d> {
    /// Reads the claims of a credential of this format, and finds its type among these.
    pub(super) fn read(
        payload: Value<'d>,
        format: TokenFormat,
        policy: &Policy,
    ) -> Result<Claims<'d>, Refusal> {
        let (members, known) = (ClaimMembers::of(payload), policy.types);
        match format {
            TokenFormat::JwtVc => of_credential(members, known),
            TokenFormat::SdJwtVc => of_sd_jwt(members, policy),
            TokenFormat::LegacyVc => of_vc_claim(members, known),
        }
    }
}

/// VC Data Model 2.0, secured by VC-JOSE-COSE: the payload is the credential.
fn of_credential<'d>(members: ClaimMembers<'d>, known: Types) -> Result<Claims<'d>, Refusal> {
    for (name, member) in [("vc", members.vc), ("vp", members.vp)] {
        if member.is_some() {
            return Err(wrong(format!("`{name}` is not allowed: the payload itself is the credential")));
        }
    }
    check_context(members.context, CREDENTIALS_V2)?;
    let of_type = check_types(members.types, known)?;
    let issuer = issuer_id("issuer", required("issuer", members.issuer)?)?;
    let id = url("id", members.id)?;
    let jti = optional_text("jti", members.jti)?;
    if let Some(iss) = optional_text("iss", members.iss)? {
        agree("iss", &iss, "issuer", &issuer)?;
    }
    if let (Some(id), Some(jti)) = (&id, &jti) {
        agree("jti", jti, "id", id)?;
    }
    let sub = optional_text("sub", members.sub)?;
    let subjects = check_subjects(members.credential_subject, sub, of_type.is_some())?;
    let (valid_from, valid_until) =
        (times_of("validFrom", members.valid_from)?, times_of("validUntil", members.valid_until)?);
    if let (Some(from), Some(until)) = (valid_from, valid_until) {
        in_order(from, until)?;
    }
    check_entries(members.credential_status)?;
    check_parts(members.parts)?;
    let statement = |credential_type, subject: &Value<'d>| Statement {
        credential_type,
        subject: Some(*subject),
        claims: subject.member("claims"),
        may_be_withheld: false,
    };
    let statements = match of_type {
        Some(of_type) => subjects.iter().map(|subject| statement(of_type, subject)).collect(),
        None => Vec::new(),
    };
    Ok(Claims {
        issuer: Some(issuer),
        id: id.or(jti),
        vct: optional_text("vct", members.vct)?,
        audience: members.aud,
        starts: [number("iat", members.iat)?, number("nbf", members.nbf)?, valid_from],
        ends: [number("exp", members.exp)?, valid_until],
        token_status: members.status,
        bitstring_status: members.credential_status,
        statements,
    })
}

/// SD-JWT VC, after its disclosures were put in. `iss` and `exp` are optional (SD-JWT VC, "Registered JWT Claims"): the
/// issuer is then whoever the key belongs to, and there is no end.
fn of_sd_jwt<'d>(members: ClaimMembers<'d>, policy: &Policy) -> Result<Claims<'d>, Refusal> {
    let issuer = members.iss.map(|iss| text("iss", iss)).transpose()?;
    let vct = text("vct", required("vct", members.vct)?)?;
    let sub = optional_text("sub", members.sub)?;
    check_confirmation(members.cnf)?;
    check_types_beside(members, &vct)?;
    check_entries(members.credential_status)?;
    let of_type = policy.type_of_vct(&vct);
    if of_type.is_some()
        && let (Some(sub), Some(id)) = (&sub, subject_text(members.subject, "id"))
    {
        agree("sub", sub, "subject.id", &id)?;
    }
    let statement = of_type.map(|credential_type| Statement {
        credential_type,
        subject: members.subject,
        claims: members.claims,
        may_be_withheld: true,
    });
    Ok(Claims {
        issuer,
        id: optional_text("jti", members.jti)?,
        vct: Some(vct),
        audience: members.aud,
        starts: [number("iat", members.iat)?, number("nbf", members.nbf)?, None],
        ends: [number("exp", members.exp)?, None],
        token_status: members.status,
        // The draft knows no such member. Who adds one means what it means elsewhere.
        bitstring_status: members.credential_status,
        statements: statement.into_iter().collect(),
    })
}

/// VC Data Model 1.1 section 6.3.1: the rest of the credential under `vc`. What is said in both places
/// must be the same.
fn of_vc_claim(members: ClaimMembers<'_>, known: Types) -> Result<Claims<'_>, Refusal> {
    if members.vp.is_some() {
        return Err(wrong("`vp` is not allowed in a credential"));
    }
    let vc = required("vc", members.vc)?;
    if vc.kind() != Kind::Object {
        return Err(wrong("`vc` is not an object"));
    }
    let inner = ClaimMembers::of(vc);
    check_context(inner.context, CREDENTIALS_V1)?;
    // Credentials of the older model are none of ours, whatever they are called.
    check_types(inner.types, known)?;
    let issuer = text("iss", required("iss", members.iss)?)?;
    if let Some(named) = inner.issuer {
        agree("vc.issuer", &issuer_id("vc.issuer", named)?, "iss", &issuer)?;
    }
    let (id, jti) = (optional_text("vc.id", inner.id)?, optional_text("jti", members.jti)?);
    if let (Some(id), Some(jti)) = (&id, &jti) {
        agree("vc.id", id, "jti", jti)?;
    }
    let subjects = check_subjects(inner.credential_subject, optional_text("sub", members.sub)?, false)?;
    if subjects.len() > 1 {
        // `sub` names one subject, and the encoding has no place for more.
        return Err(wrong("`vc.credentialSubject` has several subjects"));
    }
    // The encoding puts the status into `vc`; where it stands beside, it counts as much.
    let token_status = in_one_place("status", members.status, inner.status)?;
    let bitstring_status =
        in_one_place("credentialStatus", members.credential_status, inner.credential_status)?;
    check_entries(bitstring_status)?;
    Ok(Claims {
        issuer: Some(issuer),
        id: jti.or(id),
        vct: None,
        audience: members.aud,
        starts: [
            number("iat", members.iat)?,
            number("nbf", members.nbf)?,
            times_of("vc.issuanceDate", inner.issuance_date)?,
        ],
        ends: [number("exp", members.exp)?, times_of("vc.expirationDate", inner.expiration_date)?],
        token_status,
        bitstring_status,
        statements: Vec::new(),
    })
}

/// A member that may stand at the top level or in `vc`, and not in both: they might contradict each other.
fn in_one_place<'d>(
    name: &str,
    top: Option<Value<'d>>,
    inner: Option<Value<'d>>,
) -> Result<Option<Value<'d>>, Refusal> {
    match (top, inner) {
        (Some(_), Some(_)) => Err(wrong(format!("`{name}` is both at the top level and in `vc`"))),
        (top, inner) => Ok(top.or(inner)),
    }
}

/// `cnf` (RFC 7800 section 3): an object; a key in it is the holder's public one.
fn check_confirmation(cnf: Option<Value<'_>>) -> Result<(), Refusal> {
    let Some(cnf) = cnf else { return Ok(()) };
    if cnf.kind() != Kind::Object {
        return Err(wrong("`cnf` is not an object"));
    }
    let Some(jwk) = cnf.member("jwk") else { return Ok(()) };
    if jwk.kind() != Kind::Object {
        return Err(wrong("`cnf.jwk` is not an object"));
    }
    match jwk.members().any(|(name, _)| PRIVATE_MEMBERS.contains(&&*name)) {
        true => Err(wrong("`cnf.jwk` has private members")),
        false => Ok(()),
    }
}

/// The private members of every kind of key (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What SD-JWT VC section 2.2.2.2 has beside `vct`: its hash, and the other types.
fn check_types_beside(members: ClaimMembers<'_>, vct: &str) -> Result<(), Refusal> {
    optional_text("vct#integrity", members.vct_integrity)?;
    let Some(others) = members.aka_vcts else { return Ok(()) };
    let mut names = others.elements().peekable();
    let sound = names.peek().is_some()
        && names.all(|name| name.as_str().is_some_and(|name| !name.is_empty() && name != vct));
    match sound {
        true => Ok(()),
        false => Err(wrong("`aka_vcts` is not an array of types other than `vct`")),
    }
}

/// Claims that judge the credential may not be the holder's to withhold (SD-JWT VC section 2.2.2.2),
/// neither as a whole nor in part.
pub(super) fn check_never_disclosable(payload: Value<'_>, disclosed: &[Disclosed]) -> Result<(), Refusal> {
    let refuse = |name: &str| {
        let message = format!("`{name}` must not be selectively disclosable");
        Err(Refusal::new(Reason::DisclosureInvalid, Step::Disclosures, message))
    };
    for found in disclosed {
        if NEVER_DISCLOSABLE.contains(&found.top_level_claim()) {
            return refuse(found.top_level_claim());
        }
    }
    for (name, value) in payload.members() {
        let is_container = matches!(value.kind(), Kind::Object | Kind::Array);
        if is_container && NEVER_DISCLOSABLE.contains(&&*name) && holds_digests(value) {
            return refuse(&name);
        }
    }
    Ok(())
}

const NEVER_DISCLOSABLE: [&str; 8] =
    ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];

fn holds_digests(value: Value<'_>) -> bool {
    value.members().any(|(name, member)| matches!(&*name, "_sd" | "...") || holds_digests(member))
        || value.elements().any(holds_digests)
}

/// `type`: a text or an array of texts, among them `VerifiableCredential`. A type that we know is returned.
fn check_types(types: Option<Value<'_>>, known: Types) -> Result<Option<&'static CredentialType>, Refusal> {
    let types = required("type", types)?;
    let (mut credential, mut of_type) = (false, None);
    let single = (types.kind() == Kind::String).then_some(types);
    for name in single.into_iter().chain(types.elements()) {
        match text("type", name)?.as_ref() {
            "VerifiableCredential" => credential = true,
            name @ (LIST_TYPE | "StatusList2021Credential" | "VerifiablePresentation") => {
                // Kinds of tokens must not stand in for each other (RFC 8725 section 3.12).
                let message = format!("it is a {name}, not a credential");
                return Err(Refusal::new(Reason::UnsupportedType, Step::Claims, message));
            }
            name => of_type = known.of_vc_type(name).or(of_type),
        }
    }
    if credential { Ok(of_type) } else { Err(wrong("`type` does not include VerifiableCredential")) }
}

/// `credentialSubject`: one object or several, each saying something, if only who it is. A `sub` names one of them: by its
/// `id`, or by its `subject_id`, where credentials of types that we know put ids that are not URIs. `subject_id` may mean
/// something else to others, and counts there only where no subject has an `id`.
fn check_subjects<'d>(
    subjects: Option<Value<'d>>,
    sub: Option<Cow<'_, str>>,
    is_known: bool,
) -> Result<Vec<Value<'d>>, Refusal> {
    let subjects = required("credentialSubject", subjects)?;
    let single = (subjects.kind() == Kind::Object).then_some(subjects);
    let subjects: Vec<Value<'d>> = single.into_iter().chain(subjects.elements()).collect();
    if subjects.is_empty() {
        return Err(wrong("`credentialSubject` is neither an object nor an array of objects"));
    }
    let (mut ids, mut own_ids) = (Vec::new(), Vec::new());
    for subject in &subjects {
        if subject.members().next().is_none() {
            return Err(wrong("`credentialSubject` has no claims"));
        }
        ids.extend(url("credentialSubject.id", subject.member("id"))?);
        own_ids.extend(subject_text(Some(*subject), "subject_id"));
    }
    let Some(sub) = sub else { return Ok(subjects) };
    if !ids.is_empty() && !ids.contains(&sub) {
        return Err(contradicts_sub("id"));
    }
    if (is_known || ids.is_empty()) && !own_ids.is_empty() && !own_ids.contains(&sub) {
        return Err(contradicts_sub("subject_id"));
    }
    Ok(subjects)
}

fn contradicts_sub(name: &str) -> Refusal {
    wrong(format!("`sub` and `credentialSubject.{name}` contradict each other"))
}

/// A text among the members of a subject.
fn subject_text<'d>(subject: Option<Value<'d>>, name: &str) -> Option<Cow<'d, str>> {
    subject.and_then(|subject| subject.member(name)).and_then(Value::as_str)
}

fn number(name: &'static str, value: Option<Value<'_>>) -> Result<Option<ClaimedTime>, Refusal> {
    value.map(|value| numeric_date(name, value)).transpose()
}

fn times_of(name: &'static str, value: Option<Value<'_>>) -> Result<Option<ClaimedTime>, Refusal> {
    value.map(|value| date_time(name, value)).transpose()
}

fn in_order(from: ClaimedTime, until: ClaimedTime) -> Result<(), Refusal> {
    match from.seconds <= until.seconds {
        true => Ok(()),
        false => Err(wrong(format!("`{}` is before `{}`", until.claim, from.claim))),
    }
}

fn required<'d>(name: &str, value: Option<Value<'d>>) -> Result<Value<'d>, Refusal> {
    value.ok_or_else(|| wrong(format!("`{name}` is missing")))
}

fn text<'d>(name: &str, value: Value<'d>) -> Result<Cow<'d, str>, Refusal> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(wrong(format!("`{name}` is {}; expected text", value.kind()))),
    }
}

fn optional_text<'d>(name: &str, value: Option<Value<'d>>) -> Result<Option<Cow<'d, str>>, Refusal> {
    value.map(|value| text(name, value)).transpose()
}

fn agree(one: &str, text: &str, other: &str, expected: &str) -> Result<(), Refusal> {
    match text == expected {
        true => Ok(()),
        false => Err(wrong(format!("`{one}` and `{other}` contradict each other"))),
    }
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Claims, message)
}
