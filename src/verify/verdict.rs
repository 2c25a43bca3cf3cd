//! What a verification comes to.

use std::fmt;

use super::TokenFormat;
use super::authorization::NotJudged;

/// Whether a token is valid, and if not, why and at which step.
#[derive(Debug)]
pub enum Verdict<'v> {
    /// Everything that was to be checked is sound.
    Valid(Valid<'v>),
    /// Something is not; what comes after it was not looked at.
    Invalid(Refusal),
}

/// A token that passed.
#[derive(Debug)]
pub struct Valid<'v> {
    /// How the credential is secured.
    pub format: TokenFormat,
    /// The payload on one line, as JSON; of an SD-JWT, with its disclosures in their places.
    pub credential: &'v [u8],
    /// For each object and each array of an SD-JWT with digests: how many of them no disclosure explains.
    pub unexplained: &'v [usize],
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Who issued it, where that is known and the credential does not say.
    pub issuer: Option<String>,
    /// The last second before which it holds, in seconds since 1970; none where it never ends.
    pub expires_at: Option<i64>,
    /// What was left out.
    pub unchecked: Unchecked,
}

/// The checks that were left out, by the caller's wish or for want of something to check against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unchecked {
    /// Nobody said whose key it is, so `iss` may be anyone.
    pub issuer: bool,
    /// It was issued to a holder's key, and nobody showed that they have it.
    pub holder: bool,
    /// The credential has a status, and it was not looked up.
    pub status: bool,
    /// Its type is none of ours, so only the members that every credential has were checked.
    pub schema: bool,
    /// What limits an authorization beyond its permissions.
    pub limits: NotJudged,
}

impl Unchecked {
    /// The names of what was left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.issuer, "issuer"),
            (self.holder, "holder"),
            (self.schema, "schema"),
            (self.status, "status"),
        ];
        all.into_iter().filter_map(|(left_out, name)| left_out.then_some(name)).chain(self.limits.names())
    }
}

/// Why a token is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code that programs look at.
    pub reason: Reason,
    /// The step that failed.
    pub step: Step,
    /// The sentence that people read. It quotes no claim of a person.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, step: Step, message: impl Into<String>) -> Refusal {
        Refusal { reason, step, message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.message)
    }
}

/// Why a token is not valid, as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It cannot be read, or not in only one way.
    Malformed,
    /// `alg` is something else than `ES256`.
    UnsupportedAlg,
    /// It is no credential of a form that is accepted.
    UnsupportedType,
    /// `crit` in the header, or a `b64` that is not true.
    UnsupportedCritical,
    /// The presentation has no key binding JWT, and the verifier asks for one.
    KeyBindingMissing,
    /// The key binding JWT is not one for this presentation, by the holder.
    KeyBindingInvalid,
    /// No key of this name is known, or it must not be used any more, or there are several.
    UnknownKid,
    /// The certificates that come with it do not lead to a trust anchor, or are not for this.
    CertificateInvalid,
    /// The signature is not that of the key.
    BadSignature,
    /// The disclosures break RFC 9901 section 7.1.
    DisclosureInvalid,
    /// A claim is missing, of another form, or contradicts another.
    SchemaInvalid,
    /// The issuer is not the one asked for, or not the one whose key it is.
    IssuerMismatch,
    /// `vct` is not the one asked for.
    TypeMismatch,
    /// `aud` names somebody else.
    AudienceMismatch,
    /// It lived until a time that has passed.
    Expired,
    /// It lives from a time that has not come.
    NotYetValid,
    /// It lives for longer than allowed.
    LifetimeTooLong,
    /// It was revoked.
    Revoked,
    /// It is suspended.
    Suspended,
    /// Nobody can say whether it was revoked.
    StatusUnknown,
    /// It does not allow what is about to be done.
    PolicyDenied,
    /// Who delegated it has no valid credential among those given.
    DelegationUnproven,
}

impl Reason {
    /// Every reason with its meaning: the source of the table in docs/verify.md.
    pub const ALL: [(Reason, &'static str); 22] = [
        (Reason::Malformed, "it is not a token, or could be read in two ways"),
        (Reason::UnsupportedAlg, "`alg` is not `ES256`"),
        (Reason::UnsupportedType, "`typ` or `cty` is not that of a supported credential"),
        (Reason::UnsupportedCritical, "the header has `crit`, or a `b64` that is not true"),
        (Reason::KeyBindingMissing, "the key binding JWT is missing, and `--key-binding required` was given"),
        (Reason::KeyBindingInvalid, "the key binding JWT is not by the holder, or not for this presentation"),
        (Reason::UnknownKid, "`kid` matches none of the given keys, or more than one"),
        (
            Reason::CertificateInvalid,
            "the certificates in `x5c` do not lead to a `--trust-anchor`, or are not for this",
        ),
        (Reason::BadSignature, "the signature does not match that key"),
        (Reason::DisclosureInvalid, "the disclosures break RFC 9901 section 7.1"),
        (Reason::SchemaInvalid, "a claim is missing, has a wrong form, or contradicts another"),
        (Reason::IssuerMismatch, "the issuer is not the expected one, or the key belongs to another issuer"),
        (Reason::TypeMismatch, "it is not of the type that `--vct` or `--type` names"),
        (Reason::AudienceMismatch, "`aud` does not include `--audience`, or `--audience` is not given"),
        (Reason::Expired, "it has expired"),
        (Reason::NotYetValid, "it is not valid yet"),
        (Reason::LifetimeTooLong, "it is valid for longer than `--max-ttl`"),
        (Reason::Revoked, "the issuer revoked it"),
        (Reason::Suspended, "the issuer suspended it"),
        (Reason::StatusUnknown, "a status list that it names is missing, invalid or out of date"),
        (Reason::PolicyDenied, "it does not allow what `--context` says"),
        (Reason::DelegationUnproven, "none of the valid credentials of `--chain` is about who delegated it"),
    ];

    /// The code as it stands in verdicts.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::UnsupportedAlg => "unsupported_alg",
            Reason::UnsupportedType => "unsupported_type",
            Reason::UnsupportedCritical => "unsupported_critical",
            Reason::KeyBindingMissing => "key_binding_missing",
            Reason::KeyBindingInvalid => "key_binding_invalid",
            Reason::UnknownKid => "unknown_kid",
            Reason::CertificateInvalid => "certificate_invalid",
            Reason::BadSignature => "bad_signature",
            Reason::DisclosureInvalid => "disclosure_invalid",
            Reason::SchemaInvalid => "schema_invalid",
            Reason::IssuerMismatch => "issuer_mismatch",
            Reason::TypeMismatch => "type_mismatch",
            Reason::AudienceMismatch => "audience_mismatch",
            Reason::Expired => "expired",
            Reason::NotYetValid => "not_yet_valid",
            Reason::LifetimeTooLong => "lifetime_too_long",
            Reason::Revoked => "revoked",
            Reason::Suspended => "suspended",
            Reason::StatusUnknown => "status_unknown",
            Reason::PolicyDenied => "policy_denied",
            Reason::DelegationUnproven => "delegation_unproven",
        }
    }
}

/// The steps of a verification, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Length, characters, parts.
    Split,
    /// `alg`, `typ`, `crit`, `kid`.
    Header,
    /// The key of that name, and whose it is.
    Key,
    /// The signature.
    Signature,
    /// The payload as JSON.
    Payload,
    /// The disclosures of an SD-JWT.
    Disclosures,
    /// The key binding JWT of a presentation.
    Holder,
    /// The claims that every credential of the format has.
    Claims,
    /// The issuer, the type and the audience asked for.
    Issuer,
    /// The times.
    Times,
    /// The claims of a type that is issued here.
    Schema,
    /// The status.
    Status,
    /// The permissions of an authorization.
    Policy,
    /// Who delegated an authorization.
    Delegation,
}

impl Step {
    /// Every step with its meaning, in their order: the source of the table in docs/verify.md.
    pub const ALL: [(Step, &'static str); 14] = [
        (Step::Split, "size, characters, parts"),
        (Step::Header, "`alg`, `typ`, `crit`, `kid`; no member twice"),
        (Step::Key, "the key named by `kid`, or certified in `x5c`; its owner"),
        (Step::Signature, "64 bytes, by that key"),
        (Step::Payload, "a JSON object, no member twice"),
        (Step::Disclosures, "RFC 9901 section 7.1, in full"),
        (Step::Holder, "the key binding JWT, if `--key-binding required` was given"),
        (Step::Claims, "the members that every credential of the format has"),
        (Step::Issuer, "the key belongs to the issuer; `--issuer`, `--vct`, `--type`, `--audience`"),
        (Step::Times, "both periods hold at the time asked for; `--max-ttl`"),
        (Step::Schema, "what is said about the subject, by the rules of a batch item"),
        (Step::Status, "neither revoked nor suspended, by every status list that it names"),
        (Step::Policy, "one permission allows what `--context` says"),
        (Step::Delegation, "a valid credential of `--chain` is about who delegated"),
    ];

    /// The name as it stands in verdicts.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Split => "split",
            Step::Header => "header",
            Step::Key => "key",
            Step::Signature => "signature",
            Step::Payload => "payload",
            Step::Disclosures => "disclosures",
            Step::Holder => "holder",
            Step::Claims => "claims",
            Step::Issuer => "issuer",
            Step::Times => "times",
            Step::Schema => "schema",
            Step::Status => "status",
            Step::Policy => "policy",
            Step::Delegation => "delegation",
        }
    }
}
