//! Who issues, what, and where its documents and status lists are published.

use std::collections::BTreeMap;

use super::{MAX_DOCUMENT_BYTES, Settings, unusable};
use crate::cli::config::Config;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::clock::UnixTime;
use crate::credential::TypeSettings;
use crate::credential::sd_jwt::{DisclosurePolicy, TypeMetadata};
use crate::files;
use crate::issuer::{self, Issuer};
use crate::keys::PublicKey;
use crate::publish::DidMethods;
use crate::request::rules::{self, CalendarDuration};
use crate::status_list::Validity;
use crate::types::{CredentialType, Types};

/// How long a status list holds.
const DEFAULT_LIST_VALIDITY: &str = "P7D";
/// How long a verifier may keep a status list before it asks again.
const DEFAULT_LIST_TTL: &str = "PT12H";

impl Settings {
    /// The issuer whom this key signs for.
    pub(crate) fn issuer(&self, given: &Option<String>, key: &PublicKey) -> Result<Issuer, Failure> {
        // Of several issuers, the one that was named has been chosen.
        let given = if self.chosen.is_some() { &None } else { given };
        match self.value(given, |config| &config.issuer.did) {
            Some(text) => Issuer::parse(&text, key).map_err(|error| {
                let typed = given.as_ref().map(|_| Origin::typed("--issuer", Some("BELTIC_ISSUER")));
                let origin = self.origin(typed, "issuer.did", |config| &config.issuer.did);
                Failure::new(
                    ExitStatus::Usage,
                    anyhow::Error::new(error).context(format!("cannot use {origin}")),
                )
            }),
            None => Ok(Issuer::of_key(key)),
        }
    }

    /// What is said of one of the run's types.
    pub(crate) fn of_type(
        &self,
        credential_type: &'static CredentialType,
        types: Types,
        vct: &Option<String>,
        issuer: &Issuer,
    ) -> Result<TypeSettings, Failure> {
        let of_type = TypeSettings::of_type(credential_type, issuer);
        Ok(TypeSettings {
            vct: self.vct(credential_type, types, vct)?.unwrap_or(of_type.vct),
            disclosure: self.disclosure(credential_type)?,
            ..of_type
        })
    }

    /// The `vct` of a type, where one is named: by the flag for items that name no type, and by the settings for the
    /// project's own type.
    pub(crate) fn vct(
        &self,
        credential_type: &CredentialType,
        types: Types,
        given: &Option<String>,
    ) -> Result<Option<String>, Failure> {
        const NONE: &Option<String> = &None;
        let given = if credential_type == types.default_type() { given } else { NONE };
        let is_own = credential_type == self.own_type()?;
        let in_file = |config: &Config| if is_own { config.credential.vct.clone() } else { None };
        let typed = given.as_ref().map(|_| Origin::typed("--vct", Some("BELTIC_VCT")));
        let origin = || self.origin(typed, "credential.vct", |config| &config.credential.vct);
        let value =
            given.clone().or_else(|| in_file(&self.project.config)).or_else(|| in_file(&self.user.config));
        uri(value, origin)
    }

    /// The credential type whose metadata are asked for. There may be no key yet.
    pub(crate) fn vct_without_key(
        &self,
        credential_type: &CredentialType,
        types: Types,
        given: &Option<String>,
        issuer: &Option<String>,
    ) -> Result<String, Failure> {
        let given = given.clone().or_else(|| std::env::var("BELTIC_VCT").ok());
        let issuer = if self.chosen.is_some() { &None } else { issuer };
        match (self.vct(credential_type, types, &given)?, self.value(issuer, |config| &config.issuer.did)) {
            (Some(vct), _) => Ok(vct),
            (None, None) => Ok(credential_type.default_vct(None)),
            (None, Some(issuer)) => Ok(credential_type.default_vct(issuer::host_of(&issuer)?.as_deref())),
        }
    }

    /// Which claims of an `sd_jwt_vc` can be disclosed one by one.
    pub(crate) fn disclosure(
        &self,
        credential_type: &'static CredentialType,
    ) -> Result<DisclosurePolicy, Failure> {
        let (project, user) = (&self.project.config.disclosure, &self.user.config.disclosure);
        let of_own_type = if project.claims.is_empty() { &user.claims } else { &project.claims };
        let nothing = BTreeMap::new();
        let claims = if credential_type == self.own_type()? { of_own_type } else { &nothing };
        let decoys = project.decoys.or(user.decoys).unwrap_or_default();
        DisclosurePolicy::new(credential_type, claims, decoys)
            .map_err(|error| Failure::new(ExitStatus::Usage, error))
    }

    /// The type metadata document that is published for a type, where one is configured: that of the project's own type
    /// can be.
    pub(crate) fn type_metadata(
        &self,
        credential_type: &CredentialType,
        vct: &str,
        policy: &DisclosurePolicy,
    ) -> Result<Option<TypeMetadata>, Failure> {
        if credential_type != self.own_type()? {
            return Ok(None);
        }
        let Some(path) = self.path(&None, |config| &config.credential.type_metadata) else { return Ok(None) };
        let bytes = files::read_limited(&path, MAX_DOCUMENT_BYTES)?;
        TypeMetadata::read(&bytes, vct, policy)
            .map(Some)
            .map_err(|error| unusable(error, "the type metadata", &path))
    }

    /// The issuer's JSON-LD context, where there is one.
    pub(crate) fn context(&self) -> Result<Option<String>, Failure> {
        let origin = || self.origin(None, "credential.context", |config| &config.credential.context);
        uri(self.value(&None, |config| &config.credential.context), origin)
    }

    /// Where this issuer's status lists are published: where the settings say, else at the issuer's own place.
    pub(crate) fn status_base(&self, issuer: &Issuer) -> Result<Option<String>, Failure> {
        Ok(self.configured_status_base()?.or_else(|| issuer.default_status_base()))
    }

    pub(crate) fn configured_status_base(&self) -> Result<Option<String>, Failure> {
        match self.value(&None, |config| &config.status.base_url) {
            None => Ok(None),
            Some(url) => match issuer::check_https_url(&url) {
                Ok(()) => Ok(Some(url)),
                Err(fault) => Err(Failure::usage(format!(
                    "{} is \"{url}\"; expected an https:// URL without a query: {fault}",
                    self.origin(None, "status.base_url", |config| &config.status.base_url)
                ))),
            },
        }
    }

    /// What did.json calls its keys.
    pub(crate) fn did_methods(&self) -> DidMethods {
        match self.value(&None, |config| &config.publish.legacy_did_methods) {
            Some(true) => DidMethods::JsonWebKey2020,
            Some(false) | None => DidMethods::JsonWebKey,
        }
    }

    /// From when to when status lists hold that are signed now.
    pub(crate) fn list_validity(&self, now: UnixTime) -> Result<Validity, Failure> {
        let end = |key, from: fn(&Config) -> &Option<String>, default: &str| {
            let text = self.value(&None, from).unwrap_or_else(|| default.to_owned());
            CalendarDuration::parse(&text).and_then(|duration| duration.after(now)).map_err(|problem| {
                Failure::usage(format!("{} is \"{text}\"; {problem}", self.origin(None, key, from)))
            })
        };
        let expires_at = end("status.validity", |config| &config.status.validity, DEFAULT_LIST_VALIDITY)?;
        let kept_until = end("status.ttl", |config| &config.status.ttl, DEFAULT_LIST_TTL)?;
        if kept_until > expires_at {
            return Err(Failure::usage("status.ttl is longer than status.validity; expected at most that"));
        }
        let ttl_seconds = (kept_until.seconds() - now.seconds()) as u32; // ten years at most
        Ok(Validity { issued_at: now, expires_at, ttl_seconds })
    }
}

fn uri(value: Option<String>, origin: impl FnOnce() -> Origin) -> Result<Option<String>, Failure> {
    match value {
        Some(text) if !rules::is_uri(&text) => {
            Err(Failure::usage(format!("{} is \"{text}\"; expected a URI", origin())))
        }
        value => Ok(value),
    }
}
