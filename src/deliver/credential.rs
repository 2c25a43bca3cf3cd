//! A token, decoded for its certificate.

use std::borrow::Cow;

use thiserror::Error;
use uuid::Uuid;

use super::shown::Shown;
use super::words::Words;
use crate::clock::UnixTime;
use crate::credential::{ProofFormat, parse_id};
use crate::json::{Document, Kind, Parser, Value};
use crate::keys::SIGNATURE_BYTES;
use crate::request::rules;
use crate::token::{
    Compact, DisclosureError, Part, PresentError, TokenError, chosen_where_there, decode, decode_text, names,
    parse_object, process,
};
use crate::verify::media_type;

/// Why a token is not delivered.
#[derive(Debug, Error)]
pub enum Unfit {
    /// It cannot be decoded.
    #[error("the token cannot be decoded: {0}")]
    Token(#[from] TokenError),
    /// Its disclosures do not fit.
    #[error("its disclosures cannot be applied: {0}")]
    Disclosures(#[from] DisclosureError),
    /// What is to be disclosed cannot be told apart.
    #[error("its disclosures cannot be chosen: {0}")]
    Choice(#[from] PresentError),
    /// It is no credential of a form that is issued here.
    #[error("{0}")]
    Form(&'static str),
}

/// What of an SD-JWT is shown that could be hidden.
#[derive(Debug, Clone, Default)]
pub struct Disclosing {
    paths: Vec<String>,
}

/// The path of everything.
const EVERYTHING: &str = "*";

impl Disclosing {
    /// Paths as `present` takes them, or `*` for everything. One that a credential does not have is skipped.
    pub fn new(paths: Vec<String>) -> Disclosing {
        Disclosing { paths }
    }

    /// The paths.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    fn everything(&self) -> bool {
        self.paths.iter().any(|path| path == EVERYTHING)
    }
}

/// A credential as its certificate needs it. Nothing of it was verified.
#[derive(Debug)]
pub struct Credential {
    /// Its id.
    pub id: Uuid,
    /// Its form.
    pub format: ProofFormat,
    /// Who issued it.
    pub issuer: String,
    /// The URI of its type.
    pub vct: Option<String>,
    /// Its types in the W3C form.
    pub vc_types: Vec<String>,
    /// When it was issued.
    pub issued_at: Option<UnixTime>,
    /// When it expires.
    pub expires_at: Option<UnixTime>,
    /// The token with those disclosures alone that are shown.
    pub presented: String,
    /// How many disclosures are not shown.
    pub hidden: usize,
    /// Which of the paths of [`Disclosing`] it has.
    pub disclosed: Vec<bool>,
    /// All claims: `subject`, `claims`, and what else is said of the subject.
    whole: Shown,
    /// Those that are shown.
    pub(super) shown: Shown,
}

/// Members of the payload that say nothing of the subject, or say it where no certificate shows it.
const NOT_CLAIMS: [&str; 26] = [
    "@context",
    "_sd_alg",
    "aka_vcts",
    "aud",
    "cnf",
    "credentialSchema",
    "credentialStatus",
    "credentialSubject",
    "evidence",
    "evidence_refs",
    "exp",
    "iat",
    "id",
    "iss",
    "issuer",
    "jti",
    "nbf",
    "refreshService",
    "status",
    "sub",
    "termsOfUse",
    "type",
    "validFrom",
    "validUntil",
    "vct",
    "vct#integrity",
];

impl Credential {
    /// Decodes a token.
    ///
    /// # Errors
    /// Where it cannot be decoded, or is no credential as it was issued.
    pub fn read(token: &str, disclosing: &Disclosing, parser: &mut Parser) -> Result<Credential, Unfit> {
        let compact = Compact::split(token)?;
        let mut buffer = Vec::new();
        if decode(compact.signature, Part::Signature, &mut buffer)?.len() != SIGNATURE_BYTES {
            return Err(Unfit::Form("its signature has another length than one of ES256"));
        }
        let header = decode_text(compact.header, Part::Header, &mut buffer)?;
        let format = format_of(parse_object(header, Part::Header, parser)?.root(), &compact)?;
        let payload = decode_text(compact.payload, Part::Payload, &mut buffer)?;
        if format == ProofFormat::JwtVc {
            let whole = claims_of(&parse_object(payload, Part::Payload, parser)?)?;
            let presented = Presented { token: token.to_owned(), hidden: 0, disclosed: Vec::new() };
            return Credential::of(payload, format, whole.clone(), whole, presented, parser);
        }
        let (whole, shown, presented) = {
            let document = parse_object(payload, Part::Payload, parser)?;
            let processed = process(document.root(), &compact.disclosures)?;
            let paths = disclosing.paths();
            let disclosed: Vec<bool> = paths
                .iter()
                .map(|path| path == EVERYTHING || processed.disclosed.iter().any(|found| names(path, found)))
                .collect();
            let kept = match disclosing.everything() {
                true => vec![true; processed.disclosed.len()],
                false => chosen_where_there(&processed.disclosed, paths)?,
            };
            let kept: Vec<&str> = compact
                .disclosures
                .iter()
                .zip(kept)
                .filter(|(_, kept)| *kept)
                .map(|(text, _)| *text)
                .collect();
            let hidden = compact.disclosures.len() - kept.len();
            let token = kept.iter().fold(format!("{}~", compact.jwt), |token, text| token + text + "~");
            let shown = process(document.root(), &kept)?.payload;
            (processed.payload, shown, Presented { token, hidden, disclosed })
        };
        let mut claims = |text: &str| claims_of(&parse_object(text, Part::Payload, parser)?);
        let (all, shown) = (claims(&whole)?, claims(&shown)?);
        Credential::of(&whole, format, all, shown, presented, parser)
    }

    fn of(
        payload: &str,
        format: ProofFormat,
        whole: Shown,
        shown: Shown,
        presented: Presented,
        parser: &mut Parser,
    ) -> Result<Credential, Unfit> {
        let document = parse_object(payload, Part::Payload, parser)?;
        let payload = document.root();
        let text = |name: &str| payload.member(name).and_then(Value::as_str).map(Cow::into_owned);
        let id = text("jti").or_else(|| text("id")).and_then(|id| parse_id(&id));
        // Members of the W3C's data model mean nothing in an SD-JWT VC.
        let of_model = |name: &str| payload.member(name).filter(|_| format == ProofFormat::JwtVc);
        let issuer = text("iss").or_else(|| of_model("issuer")?.as_str().map(Cow::into_owned));
        let vc_types = of_model("type").into_iter().flat_map(Value::elements);
        let vc_types: Vec<String> = vc_types.filter_map(|name| Some(name.as_str()?.into_owned())).collect();
        if vc_types.iter().any(|name| name == "BitstringStatusListCredential") {
            return Err(Unfit::Form("it is a status list; expected a credential"));
        }
        Ok(Credential {
            id: id.ok_or(Unfit::Form("it has no credential id (urn:uuid:… of version 7)"))?,
            format,
            issuer: issuer
                .filter(|issuer| !issuer.is_empty())
                .ok_or(Unfit::Form("it does not name its issuer"))?,
            vct: text("vct"),
            vc_types,
            issued_at: time(payload, ["validFrom", "iat"])?,
            expires_at: time(payload, ["validUntil", "exp"])?,
            presented: presented.token,
            hidden: presented.hidden,
            disclosed: presented.disclosed,
            whole,
            shown,
        })
    }

    /// The id of its subject.
    pub fn subject_id(&self) -> Option<&str> {
        self.whole.member("subject")?.member("id")?.text()
    }

    /// The text of any of its claims, hidden or not, by a path with dots, such as `subject.name`.
    pub fn claim(&self, path: &str) -> Option<String> {
        let found = path.split('.').try_fold(&self.whole, |value, name| value.member(name))?;
        Some(match found {
            Shown::Flag(flag) => flag.to_string(),
            other => other.in_words(Words::of("en")),
        })
    }
}

/// What is shown of a token.
struct Presented {
    token: String,
    hidden: usize,
    disclosed: Vec<bool>,
}

/// The form of a token, by its header.
fn format_of(header: Value<'_>, compact: &Compact<'_>) -> Result<ProofFormat, Unfit> {
    let text = |name: &str| header.member(name).and_then(Value::as_str);
    if text("alg").as_deref() != Some("ES256") {
        return Err(Unfit::Form("its `alg` is not ES256"));
    }
    let typ = text("typ").map(|typ| media_type(&typ)).unwrap_or_default();
    match (typ.as_str(), compact.is_sd_jwt) {
        ("vc+jwt", false) => Ok(ProofFormat::JwtVc),
        ("dc+sd-jwt", true) if compact.key_binding.is_some() => Err(Unfit::Form(
            "it is a presentation, with a key binding JWT; expected the credential as it was issued",
        )),
        ("dc+sd-jwt", true) => Ok(ProofFormat::SdJwtVc),
        _ => Err(Unfit::Form(
            "its `typ` is not that of a credential; expected vc+jwt, or dc+sd-jwt with a `~`",
        )),
    }
}

/// The claims of a payload, in one form: `subject` and `claims` beside each other, then other members.
fn claims_of(payload: &Document<'_>) -> Result<Shown, Unfit> {
    let payload = payload.root();
    let mut members = Vec::new();
    if let Some(subject) = payload.member("credentialSubject") {
        if subject.kind() != Kind::Object {
            return Err(Unfit::Form("it has several subjects, or none; expected one"));
        }
        let (mut about, mut claims) = (Vec::new(), None);
        for (name, value) in subject.members() {
            match &*name {
                "claims" => claims = Some(Shown::of(value)),
                "subject_id" => about.push(("id".to_owned(), Shown::of(value))),
                _ => about.push((name.into_owned(), Shown::of(value))),
            }
        }
        members.push(("subject".to_owned(), Shown::Members(about)));
        members.extend(claims.map(|claims| ("claims".to_owned(), claims)));
    }
    let others = payload.members().filter(|(name, _)| !NOT_CLAIMS.contains(&&**name));
    members.extend(others.map(|(name, value)| (name.into_owned(), Shown::of(value))));
    Ok(Shown::Members(members))
}

/// The first of these times that there is: a date-time, or seconds.
fn time(payload: Value<'_>, names: [&str; 2]) -> Result<Option<UnixTime>, Unfit> {
    let Some(value) = names.into_iter().find_map(|name| payload.member(name)) else { return Ok(None) };
    let time = match value.as_str() {
        Some(text) => rules::date_time(&text).and_then(UnixTime::from_timestamp),
        None => value.text().parse().ok().and_then(UnixTime::from_seconds),
    };
    time.map(Some).ok_or(Unfit::Form("one of its dates cannot be read"))
}
