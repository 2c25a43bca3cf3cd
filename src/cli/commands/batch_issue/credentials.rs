//! What the run's credentials are like.

use std::path::PathBuf;

use super::args::IssuingArgs;
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::cli::settings::Settings;
use crate::clock::UnixTime;
use crate::credential::{ProfileSettings, ProofFormat};
use crate::issuer::{Issuer, certified};
use crate::keys::{CertificateChain, PublicKey};
use crate::request::rules::CalendarDuration;
use crate::types::{CredentialType, Types};

/// The default validity period of credentials.
const DEFAULT_TTL: &str = "P1Y";

/// What the run's credentials have in common.
pub(super) fn profile(
    settings: &Settings,
    args: &IssuingArgs,
    issuer: &Issuer,
    key: &PublicKey,
) -> Result<ProfileSettings, Failure> {
    let proof_format = proof_format(settings, args)?;
    let mut of_types = Vec::new();
    let types = settings.types(args.of.credential_type.as_deref())?;
    for credential_type in types.all() {
        let mut of_type = settings.of_type(credential_type, types, &args.issuer.vct, issuer)?;
        if proof_format == ProofFormat::SdJwtVc {
            let document = settings.type_metadata(credential_type, &of_type.vct, &of_type.disclosure)?;
            of_type.vct_integrity = document.map(|document| document.integrity());
        }
        of_types.push(of_type);
    }
    Ok(ProfileSettings {
        proof_format,
        context: settings.context()?,
        developer_id: settings.value(&args.developer_id, |config| &config.developer_id),
        x5c: certificates_for(settings, &args.issuer.x5c, proof_format, key)?,
        types: of_types,
    })
}

/// The certificates for the header of an `sd_jwt_vc`.
fn certificates_for(
    settings: &Settings,
    given: &Option<PathBuf>,
    proof_format: ProofFormat,
    key: &PublicKey,
) -> Result<Option<CertificateChain>, Failure> {
    match proof_format {
        ProofFormat::SdJwtVc => settings.certificates(given, key),
        ProofFormat::JwtVc if given.is_none() => Ok(None),
        ProofFormat::JwtVc => Err(Failure::usage("--x5c requires the proof format sd_jwt_vc")
            .hint("add `--proof-format sd_jwt_vc`, or remove --x5c")),
    }
}

fn proof_format(settings: &Settings, args: &IssuingArgs) -> Result<ProofFormat, Failure> {
    if let Some(format) = args.proof_format {
        return Ok(format);
    }
    match settings.value(&None, |config| &config.credential.proof_format) {
        None => Ok(ProofFormat::default()),
        Some(name) => ProofFormat::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
            let known = ProofFormat::ALL.map(ProofFormat::as_str).join(", ");
            let origin =
                settings.origin(None, "credential.proof_format", |config| &config.credential.proof_format);
            Failure::usage(format!("{origin} is \"{name}\"; expected one of {known}"))
        }),
    }
}

/// The life of credentials whose item does not say, and how it is written.
pub(super) fn default_ttl(
    settings: &Settings,
    args: &IssuingArgs,
    types: Types,
    issued_at: UnixTime,
) -> Result<(CalendarDuration, String), Failure> {
    let given = settings.value(&args.ttl, |config| &config.credential.ttl);
    let text = given.unwrap_or_else(|| DEFAULT_TTL.to_owned());
    CalendarDuration::parse(&text)
        .and_then(|duration| duration.after(issued_at).map(|_| duration))
        .map_err(|problem| {
            let typed = args.ttl.as_ref().map(|_| Origin::typed("--ttl", Some("BELTIC_TTL")));
            let origin = settings.origin(typed, "credential.ttl", |config| &config.credential.ttl);
            Failure::usage(format!("{origin} is \"{text}\"; {problem}"))
        })
        .map(|duration| (duration, text.clone() + &lives_of_types(args, types)))
}

/// What types of one's own say of lives, so that a run that is repeated after a change of it is known as another one.
fn lives_of_types(args: &IssuingArgs, types: Types) -> String {
    let said = |known: &&CredentialType| known.default_ttl().map(|ttl| format!(" {}={ttl}", known.name));
    match args.ttl {
        Some(_) => String::new(),
        None => types.all().iter().filter_map(said).collect(),
    }
}

/// What a verifier may stumble over in the credentials of this run.
pub(super) fn caveats(settings: &ProfileSettings, issuer: &Issuer, now: UnixTime) -> Vec<String> {
    let mut caveats = Vec::new();
    caveats.extend(issuer.port_taken_for_path().map(|meant| {
        format!("the path of the issuer {} looks like a port; did you mean {meant}?", issuer.id())
    }));
    if settings.proof_format != ProofFormat::SdJwtVc {
        return caveats;
    }
    if issuer.is_did() && settings.x5c.is_none() {
        caveats.push(
            "SD-JWT VC looks up keys by an https issuer or x5c; verifiers of these credentials must be \
             configured to resolve the DID, or be given the key"
                .to_owned(),
        );
    }
    if let Some(chain) = &settings.x5c {
        caveats.extend(certified::doubts(chain, issuer.id(), now));
    }
    caveats
}
