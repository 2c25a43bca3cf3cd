//! How the certificates of each type look, made before the first of them.

use serde_json::Value;

use super::DeliverArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::credential::ProofFormat;
use crate::credential::sd_jwt::type_metadata;
use crate::deliver::{Credential, Logo, Look};
use crate::types::{CredentialType, Types};

/// The looks of all types that are known here.
pub(super) struct Looks {
    types: Types,
    of_types: Vec<TypeLook>,
    /// That of credentials of other types.
    plain: Look,
}

/// The look of a type.
pub(super) struct TypeLook {
    pub(super) credential_type: &'static CredentialType,
    /// The URI that settings give it.
    vct: Option<String>,
    pub(super) look: Look,
}

impl Looks {
    pub(super) fn of(settings: &Settings, args: &DeliverArgs) -> Result<Looks, Failure> {
        let logo = args.logo.as_deref().map(|path| {
            Logo::of_file(path).map_err(|problem| {
                Failure::said(ExitStatus::Files, format!("cannot use --logo {}: {problem}", path.display()))
            })
        });
        let logo = logo.transpose()?;
        let (locale, types) = (args.locale.as_deref(), settings.types(None)?);
        let of_type = |known: &&'static CredentialType| {
            let metadata = metadata(settings, known, types)?;
            Ok(TypeLook {
                credential_type: known,
                vct: settings.vct(known, types, &None)?,
                look: Look::of_metadata(&metadata, locale, logo.as_ref()),
            })
        };
        let of_types = types.all().iter().map(of_type).collect::<Result<_, Failure>>()?;
        Ok(Looks { types, of_types, plain: Look::plain(locale, logo.as_ref()) })
    }

    /// The type of a credential and its place among the looks, where it is known.
    pub(super) fn find(&self, credential: &Credential) -> Option<usize> {
        let configured = |vct: &str| self.of_types.iter().find(|known| known.vct.as_deref() == Some(vct));
        let by_vct = |vct: &str| {
            let configured = configured(vct).map(|known| known.credential_type);
            configured.or_else(|| self.types.of_vct(vct)).or_else(|| self.types.of_default_vct(vct))
        };
        let by_name = || match credential.format {
            ProofFormat::JwtVc => credential.vc_types.iter().find_map(|name| self.types.of_vc_type(name)),
            ProofFormat::SdJwtVc => None,
        };
        let known = credential.vct.as_deref().and_then(by_vct).or_else(by_name)?;
        self.of_types.iter().position(|of_type| of_type.credential_type == known)
    }

    /// What was found.
    pub(super) fn known(&self, found: Option<usize>) -> Option<&TypeLook> {
        found.and_then(|at| self.of_types.get(at))
    }

    /// The look of what was found.
    pub(super) fn look(&self, found: Option<usize>) -> &Look {
        self.known(found).map_or(&self.plain, |known| &known.look)
    }
}

/// The type metadata as `publish` writes them: what is configured, else what follows from the type.
fn metadata(settings: &Settings, known: &'static CredentialType, types: Types) -> Result<Value, Failure> {
    let policy = settings.disclosure(known)?;
    let vct = settings.vct_without_key(known, types, &None, &None)?;
    match settings.type_metadata(known, &vct, &policy)? {
        // It was read as JSON before.
        Some(document) => Ok(serde_json::from_slice(&document.into_bytes()).unwrap_or_default()),
        None => Ok(type_metadata(known, &vct, &policy)),
    }
}
