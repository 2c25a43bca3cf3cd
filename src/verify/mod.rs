//! Verifying credentials, offline and strictly.
//!
//! A token goes through the steps of [`Step`], in their order, and the first that fails is the verdict. No
//! more is parsed before the signature than the header that names its key.
//!
//! ```text
//! split ─▶ header ─▶ key ─▶ signature ─▶ payload ─▶ disclosures ─▶ holder ─▶ claims ─▶ issuer ─▶ times ─▶ schema
//!       ─▶ status ─▶ policy ─▶ delegation
//! ```
//!
//! Keys come from a [`KeyRing`], or from certificates in the token that an authority of that ring vouches for; what is asked for beyond the standards is a
//! [`Policy`]; the status comes from a [`StatusSource`]. Nothing here opens a file or a connection.

mod authorization;
mod claims;
mod header;
mod holder;
mod lists;
mod open;
mod owner;
mod policy;
mod ring;
mod status;
mod times;
mod verdict;

pub use authorization::{ActionContext, Delegators, NotJudged};
pub use holder::KeyBinding;
pub use lists::{ListProblem, Lists, MAX_LIST_TOKEN_BYTES};
pub use policy::{MAX_LEEWAY, Policy};
pub use ring::{BatchRing, KeyRing, RingError, SkippedKey};
pub use status::{ListKind, NoLists, StatusClaim, StatusProblem, StatusSource, StatusValue};
pub use verdict::{Reason, Refusal, Step, Unchecked, Valid, Verdict};

use crate::clock::{Clock, Moment, UnixTime};
use crate::json::{Kind, Parser, Value};
use crate::keys::{Implementation, PublicKey, Signature};
use crate::request;
use crate::token::{Compact, MAX_TOKEN_BYTES, Part, decode_text, parse_object, process};
use crate::types::CredentialType;
use claims::{Claims, Statement, check_never_disclosable};
use header::Typ;
#[cfg(feature = "cli")]
pub(crate) use header::media_type;
use open::{OpenedToken, Opener, at, shown, split};
use owner::{KeyOwner, check_issuer};
use times::ClaimedTime;

/// How a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFormat {
    /// `vc+jwt`: VC Data Model 2.0, secured by VC-JOSE-COSE.
    JwtVc,
    /// `dc+sd-jwt`: SD-JWT VC.
    SdJwtVc,
    /// A JWT with a `vc` claim: VC Data Model 1.1.
    LegacyVc,
}

impl TokenFormat {
    /// The name as it stands in verdicts; where it is issued here, that of the proof format.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenFormat::JwtVc => "jwt_vc",
            TokenFormat::SdJwtVc => "sd_jwt_vc",
            TokenFormat::LegacyVc => "legacy_vc",
        }
    }
}

/// A token, and the nonce that was given out for it, if one was.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'t> {
    /// The token.
    pub token: &'t str,
    /// The nonce.
    pub nonce: Option<&'t str>,
}

/// Verifies tokens, one after the other or many at once, in buffers of its own. It stays on the thread that made it.
pub struct Verifier<'v> {
    policy: &'v Policy,
    status: Box<dyn StatusSource + 'v>,
    opener: Opener<'v>,
    buffer: Vec<u8>,
    parser: Parser,
    /// An SD-JWT's payload with its disclosures, and what is parsed of it.
    disclosed: String,
    unexplained: Vec<usize>,
    disclosed_parser: Parser,
    credential: Vec<u8>,
    /// The DID that was last found to be that of its token's key.
    last_named: Option<(String, PublicKey)>,
}

impl<'v> Verifier<'v> {
    /// A verifier for one worker thread.
    pub fn new(ring: &'v KeyRing, policy: &'v Policy, status: impl StatusSource + 'v) -> Verifier<'v> {
        Verifier::with(Implementation::default(), ring, policy, status)
    }

    /// As [`Verifier::new`], but [`Verifier::verify_all`] checks signatures in batches, which takes a fraction of the time.
    pub fn in_batches(
        ring: &'v BatchRing<'v>,
        policy: &'v Policy,
        status: impl StatusSource + 'v,
    ) -> Verifier<'v> {
        Verifier::in_batches_with(Implementation::default(), ring, policy, status)
    }

    /// As [`Verifier::in_batches`], with this implementation of ES256 for what the batch arithmetic does not accept, and for
    /// its samples.
    pub fn in_batches_with(
        implementation: Implementation,
        ring: &'v BatchRing<'v>,
        policy: &'v Policy,
        status: impl StatusSource + 'v,
    ) -> Verifier<'v> {
        let mut verifier = Verifier::with(implementation, &ring.ring, policy, status);
        verifier.opener.in_batches(&ring.keys);
        verifier
    }

    /// As [`Verifier::new`], with this implementation of ES256.
    pub fn with(
        implementation: Implementation,
        ring: &'v KeyRing,
        policy: &'v Policy,
        status: impl StatusSource + 'v,
    ) -> Verifier<'v> {
        Verifier {
            policy,
            status: Box::new(status),
            opener: Opener::new(ring, implementation),
            buffer: Vec::new(),
            parser: Parser::for_tokens(),
            disclosed: String::new(),
            unexplained: Vec::new(),
            disclosed_parser: Parser::for_tokens(),
            last_named: None,
            credential: Vec::new(),
        }
    }

    /// Verifies a token. White space around it is not forgiven.
    pub fn verify(&mut self, token: &str) -> Verdict<'_> {
        self.verify_at(token, self.policy.now)
    }

    /// Verifies a presentation for which this nonce was given out.
    pub fn verify_presentation(&mut self, presentation: &str, nonce: &str) -> Verdict<'_> {
        self.verdict(Presented { token: presentation, nonce: Some(nonce) }, self.policy.now)
    }

    /// Verifies a token as of another time than the policy's.
    pub fn verify_at(&mut self, token: &str, now: UnixTime) -> Verdict<'_> {
        self.verdict(Presented { token, nonce: None }, now)
    }

    fn verdict(&mut self, presented: Presented<'_>, now: UnixTime) -> Verdict<'_> {
        let checked = self.open(presented).and_then(|token| {
            self.opener.check(&token.compact, &token.header, &token.signature)?;
            Ok(token)
        });
        self.judge(checked, now)
    }

    /// Verifies tokens, of which some may be refused already, and calls `each` with every verdict, in their order. The
    /// verdicts are those of [`Verifier::verify`] and [`Verifier::verify_presentation`].
    pub fn verify_all<'t>(
        &mut self,
        tokens: impl IntoIterator<Item = Result<Presented<'t>, Refusal>>,
        mut each: impl FnMut(&Verdict<'_>),
    ) {
        let now = self.policy.now;
        let opened =
            tokens.into_iter().map(|token| (token.and_then(|token| self.open(token)), now)).collect();
        self.verify_opened(opened, &mut each);
    }

    /// Verifies tokens, each as of a time of its own, and calls `each` with every verdict, in their order. The verdicts are
    /// those of [`Verifier::verify_at`].
    pub fn verify_all_at<'t>(
        &mut self,
        tokens: impl IntoIterator<Item = (&'t str, UnixTime)>,
        mut each: impl FnMut(&Verdict<'_>),
    ) {
        let tokens = tokens.into_iter();
        let opened = tokens.map(|(token, now)| (self.open(Presented { token, nonce: None }), now)).collect();
        self.verify_opened(opened, &mut each);
    }

    fn verify_opened(
        &mut self,
        opened: Vec<(Result<Opened<'_>, Refusal>, UnixTime)>,
        each: &mut dyn FnMut(&Verdict<'_>),
    ) {
        let tokens = opened.iter().filter_map(|(token, _)| token.as_ref().ok());
        let signed: Vec<_> = tokens.map(|token| (&token.compact, &token.header, &token.signature)).collect();
        let mut checks = self.opener.check_all(&signed).into_iter();
        for (token, now) in opened {
            let checked = token.and_then(|token| {
                checks.next().unwrap_or_else(|| Err(token.header.mismatch())).map(|()| token)
            });
            each(&self.judge(checked, now));
        }
    }

    fn judge(&mut self, token: Result<Opened<'_>, Refusal>, now: UnixTime) -> Verdict<'_> {
        match token.and_then(|token| self.read(&token, now)) {
            Ok(valid) => Verdict::Valid(valid),
            Err(refusal) => Verdict::Invalid(refusal),
        }
    }

    /// Goes with a token up to its signature, which is left to be checked.
    fn open<'t>(&mut self, presented: Presented<'t>) -> Result<Opened<'t>, Refusal> {
        let compact = split(presented.token, MAX_TOKEN_BYTES)?;
        let policy = self.policy;
        let accepts = |typ: &Typ| accept(typ, policy).and_then(|()| check_form(&compact, format_of(typ)));
        let header = self.opener.header(&compact, policy, accepts)?;
        let signature = self.opener.signature(&compact)?;
        Ok(Opened { presented, compact, header, signature })
    }

    /// Reads and judges what a token says, whose signature was checked.
    fn read(&mut self, token: &Opened<'_>, now: UnixTime) -> Result<Valid<'_>, Refusal> {
        let Opened { presented, compact, header, .. } = token;
        let (policy, format) = (self.policy, format_of(&header.typ));
        let owner = self.opener.owner(header);
        let text =
            decode_text(compact.payload, Part::Payload, &mut self.buffer).map_err(at(Step::Payload))?;
        let document = parse_object(text, Part::Payload, &mut self.parser).map_err(at(Step::Payload))?;
        self.unexplained.clear();
        let payload = match format {
            TokenFormat::SdJwtVc => {
                (self.disclosed, self.unexplained) = put_in(document.root(), compact)?;
                let parsed = parse_object(&self.disclosed, Part::Payload, &mut self.disclosed_parser);
                parsed.map_err(at(Step::Disclosures))?.root()
            }
            _ => document.root(),
        };
        if let Some(wanted) = &policy.key_binding {
            holder::check(presented.token, compact, payload, (wanted, presented.nonce), (policy, now))?;
        }
        check_relative_name(payload, format, header.names_owner)?;
        let (claims, issuer, unchecked) =
            judge_claims(payload, format, owner, (policy, now), &mut *self.status)?;
        let meant = claims.issuer.as_deref().or(issuer.as_deref());
        owner::check_key_of_did(meant, self.opener.key(header), &mut self.last_named)?;
        self.credential.clear();
        payload.write_compact(&mut self.credential);
        Ok(Valid {
            format,
            credential: &self.credential,
            unexplained: &self.unexplained,
            id: claims.id.map(|id| id.into_owned()),
            issuer,
            expires_at: claims.ends.iter().flatten().map(|end| end.seconds).min(),
            unchecked,
        })
    }
}

/// A token whose header is read and whose key is found.
struct Opened<'t> {
    presented: Presented<'t>,
    compact: Compact<'t>,
    header: OpenedToken,
    signature: Signature,
}

/// Whether credentials of this type are accepted.
fn accept(typ: &Typ, policy: &Policy) -> Result<(), Refusal> {
    let message = match typ {
        Typ::Credential | Typ::SdJwt => return Ok(()),
        Typ::Jwt if policy.legacy_vc => return Ok(()),
        Typ::OldSdJwt if policy.legacy_typ => return Ok(()),
        Typ::OldSdJwt => {
            "`typ` is \"vc+sd-jwt\", as in older drafts of SD-JWT VC; expected \"dc+sd-jwt\"".to_owned()
        }
        Typ::Jwt => "`typ` is \"JWT\" or missing, as in credentials of the VC Data Model 1.1".to_owned(),
        Typ::StatusList => "it is a status list, not a credential".to_owned(),
        Typ::Other(name) => format!("`typ` is {name:?}; expected \"vc+jwt\" or \"dc+sd-jwt\""),
    };
    Err(Refusal::new(Reason::UnsupportedType, Step::Header, message))
}

/// The format of an accepted type.
fn format_of(typ: &Typ) -> TokenFormat {
    match typ {
        Typ::Credential => TokenFormat::JwtVc,
        Typ::SdJwt | Typ::OldSdJwt => TokenFormat::SdJwtVc,
        _ => TokenFormat::LegacyVc,
    }
}

/// An SD-JWT has a `~` and no other token does.
fn check_form(compact: &Compact<'_>, format: TokenFormat) -> Result<(), Refusal> {
    let malformed = |message: &str| Err(Refusal::new(Reason::Malformed, Step::Header, message));
    match (format, compact.is_sd_jwt) {
        (TokenFormat::SdJwtVc, false) => {
            malformed("`typ` is that of an SD-JWT, but the token does not end with `~`")
        }
        (TokenFormat::JwtVc | TokenFormat::LegacyVc, true) => {
            malformed("the token has a `~` after the signature, but `typ` is not that of an SD-JWT")
        }
        _ => Ok(()),
    }
}

/// The payload of an SD-JWT with its disclosures in their places, and the digests that they leave unexplained.
fn put_in(payload: Value<'_>, compact: &Compact<'_>) -> Result<(String, Vec<usize>), Refusal> {
    let processed = process(payload, &compact.disclosures)
        .map_err(|error| Refusal::new(Reason::DisclosureInvalid, Step::Disclosures, error.to_string()))?;
    check_never_disclosable(payload, &processed.disclosed)?;
    Ok((processed.payload, processed.unexplained))
}

/// A name that does not say whose key it is needs an `iss` that does (VC-JOSE-COSE, "Key Discovery"): a credential
/// without one has an absolute URL in `kid`.
fn check_relative_name(payload: Value<'_>, format: TokenFormat, names_owner: bool) -> Result<(), Refusal> {
    if format == TokenFormat::JwtVc && !names_owner && payload.member("iss").is_none() {
        let message = "`iss` is missing, and `kid` is not an absolute URL, so nothing says whose key it is";
        return Err(Refusal::new(Reason::SchemaInvalid, Step::Claims, message));
    }
    Ok(())
}

/// Everything that is asked of claims whose signature is sound. Returns who issued them, too, where they do not say.
fn judge_claims<'d>(
    payload: Value<'d>,
    format: TokenFormat,
    owner: KeyOwner<'_>,
    (policy, now): (&Policy, UnixTime),
    status: &mut dyn StatusSource,
) -> Result<(Claims<'d>, Option<String>, Unchecked), Refusal> {
    let claims = Claims::read(payload, format, policy)?;
    let issuer = check_issuer(claims.issuer.as_deref(), owner, policy)?;
    check_type(&claims, policy)?;
    check_audience(&claims, policy)?;
    check_times(&claims, policy, now)?;
    let has_schema = check_schema(&claims, payload, now)?;
    if policy.status && status::has_status(&claims) {
        status::check(&claims, issuer, status)?;
    }
    let unchecked = Unchecked {
        issuer: issuer.is_none(),
        holder: policy.key_binding.is_none() && holder::has_holder(payload),
        status: !policy.status && status::has_status(&claims),
        schema: !has_schema,
        limits: check_authorization(&claims, policy)?,
    };
    let unnamed = issuer.filter(|_| claims.issuer.is_none()).map(str::to_owned);
    Ok((claims, unnamed, unchecked))
}

/// What is about to be done must be allowed, by somebody who could allow it. Returns what limits it beyond that.
fn check_authorization(claims: &Claims<'_>, policy: &Policy) -> Result<NotJudged, Refusal> {
    let statement = match claims.statements.as_slice() {
        [statement] => Some(statement),
        // Nobody can say whose permissions count.
        _ => None,
    };
    let mut limits = NotJudged::default();
    if let Some(context) = &policy.context {
        let Some(Statement { credential_type, claims, .. }) = statement else {
            let message = "it is not an authorization of a known type about one subject";
            return Err(Refusal::new(Reason::PolicyDenied, Step::Policy, message));
        };
        limits = authorization::check_policy(credential_type, *claims, context)?;
    }
    if let (Some(delegators), Some(statement)) = (&policy.delegators, statement) {
        authorization::check_delegation(statement.credential_type, statement.claims, delegators)?;
    }
    Ok(limits)
}

fn check_type(claims: &Claims<'_>, policy: &Policy) -> Result<(), Refusal> {
    if let Some(expected) = policy.credential_type {
        let mut found = claims.statements.iter().map(|statement| statement.credential_type);
        if claims.statements.is_empty() || found.any(|found| found != expected) {
            let message = format!("it is not of the type {}", expected.name);
            return Err(Refusal::new(Reason::TypeMismatch, Step::Issuer, message));
        }
    }
    let expected = &policy.vcts;
    match claims.vct.as_deref() {
        _ if expected.is_empty() => Ok(()),
        Some(vct) if expected.iter().any(|expected| expected == vct) => Ok(()),
        found => {
            let found = found.map_or("missing".to_owned(), shown);
            let expected = expected.join(" or ");
            let message = format!("`vct` is {found}; expected {expected}");
            Err(Refusal::new(Reason::TypeMismatch, Step::Issuer, message))
        }
    }
}

/// A token that names an audience is for that audience alone (RFC 7519 section 4.1.3). One that names none is for
/// everybody.
fn check_audience(claims: &Claims<'_>, policy: &Policy) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(Reason::AudienceMismatch, Step::Issuer, message));
    let Some(audience) = claims.audience else { return Ok(()) };
    let Some(expected) = policy.audience.as_deref() else {
        return refuse("the credential names an audience in `aud`, and `--audience` was not given");
    };
    let single = (audience.kind() == Kind::String).then_some(audience);
    let mut named = single.into_iter().chain(audience.elements());
    match named.any(|name| name.as_str().as_deref() == Some(expected)) {
        true => Ok(()),
        false => refuse("`aud` does not name the audience asked for"),
    }
}

fn check_times(claims: &Claims<'_>, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
    let ends = claims.ends.iter().flatten().filter(|_| !policy.may_have_expired);
    check_period(claims.starts.iter().flatten(), ends, policy, now)
        .map_err(|(reason, message)| Refusal::new(reason, Step::Times, message))?;
    let Some(max_ttl) = policy.max_ttl else { return Ok(()) };
    let start = claims.starts.iter().flatten().map(|start| start.seconds).min();
    let end = claims.ends.iter().flatten().map(|end| end.seconds).min();
    let within = start.zip(end).is_some_and(|(start, end)| {
        let start = UnixTime::from_seconds(start);
        start.and_then(|start| max_ttl.after(start).ok()).is_some_and(|latest| end <= latest.seconds())
    });
    match within {
        true => Ok(()),
        false => {
            let message = "it is valid for longer than allowed, or has no end date";
            Err(Refusal::new(Reason::LifetimeTooLong, Step::Times, message))
        }
    }
}

/// Every start must have come, and no end: a token holds while start <= now < end (RFC 7519 section
/// 4.1.4). The leeway is granted at both ends.
fn check_period<'m>(
    mut starts: impl Iterator<Item = &'m ClaimedTime>,
    mut ends: impl Iterator<Item = &'m ClaimedTime>,
    policy: &Policy,
    now: UnixTime,
) -> Result<(), (Reason, String)> {
    let (now, leeway) = (now.seconds(), policy.leeway());
    if let Some(end) = ends.find(|end| now >= end.seconds.saturating_add(leeway)) {
        return Err((Reason::Expired, format!("`{}` was {}", end.claim, in_words(end.seconds))));
    }
    if let Some(start) = starts.find(|start| now < start.seconds.saturating_sub(leeway)) {
        return Err((Reason::NotYetValid, format!("`{}` is {}", start.claim, in_words(start.seconds))));
    }
    Ok(())
}

fn in_words(seconds: i64) -> String {
    match UnixTime::from_seconds(seconds) {
        Some(time) => time.to_string(),
        None if seconds < 0 => "before 1970".to_owned(),
        None => "after the year 9999".to_owned(),
    }
}

/// What is said about each subject, by the rules of the item that asked for it. Unknown claims are
/// ignored (RFC 7519 section 4). Returns whether there was anything to check.
fn check_schema(claims: &Claims<'_>, payload: Value<'_>, now: UnixTime) -> Result<bool, Refusal> {
    // What has happened by now has happened, whatever time the credential is looked at as of.
    let moment = Clock::Fixed(now).moment();
    for statement in &claims.statements {
        check_own_members(statement.credential_type, payload, moment)?;
        check_statement(*statement, moment)?;
    }
    Ok(!claims.statements.is_empty())
}

/// The members of the payload that only credentials of this type have.
fn check_own_members(
    credential_type: &'static CredentialType,
    payload: Value<'_>,
    moment: Moment,
) -> Result<(), Refusal> {
    if credential_type.own.fields.is_empty() {
        return Ok(());
    }
    match request::issued_problem(payload, credential_type.own, false, moment) {
        None => Ok(()),
        Some((place, message)) => {
            Err(Refusal::new(Reason::SchemaInvalid, Step::Schema, format!("{place}: {message}")))
        }
    }
}

fn check_statement(statement: Statement<'_>, moment: Moment) -> Result<(), Refusal> {
    let Statement { credential_type, subject, claims, may_be_withheld } = statement;
    let parts = [
        ("claims", claims, credential_type.claims.1, may_be_withheld),
        // The subject's id may stand in `sub` alone, or be called `subject_id`.
        ("subject", subject, credential_type.subject.1, true),
    ];
    for (name, part, object, may_be_withheld) in parts {
        let problem = match part {
            Some(value) if value.kind() == Kind::Object => {
                request::issued_problem(value, object, may_be_withheld, moment)
            }
            Some(_) => Some((String::new(), "expected an object".to_owned())),
            None if may_be_withheld => None,
            None => Some((String::new(), "missing".to_owned())),
        };
        if let Some((place, message)) = problem {
            let message = format!("{name}{place}: {message}");
            return Err(Refusal::new(Reason::SchemaInvalid, Step::Schema, message));
        }
    }
    Ok(())
}
