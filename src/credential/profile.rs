//! What all credentials of a run have in common.

use super::sd_jwt::DisclosurePolicy;
use crate::issuer::Issuer;
use crate::json;
use crate::keys::CertificateChain;
use crate::types::{CredentialType, Types};

/// The form in which a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProofFormat {
    /// W3C VC Data Model 2.0, secured by VC-JOSE-COSE.
    #[default]
    JwtVc,
    /// SD-JWT VC: the holder decides what to show.
    SdJwtVc,
}

impl ProofFormat {
    /// Every format.
    pub const ALL: [ProofFormat; 2] = [ProofFormat::JwtVc, ProofFormat::SdJwtVc];

    /// The name in flags, settings and resources.
    pub fn as_str(self) -> &'static str {
        match self {
            ProofFormat::JwtVc => "jwt_vc",
            ProofFormat::SdJwtVc => "sd_jwt_vc",
        }
    }

    /// How the names of files end that hold one such credential.
    pub fn file_ending(self) -> &'static str {
        match self {
            ProofFormat::JwtVc => "jwt",
            ProofFormat::SdJwtVc => "sd-jwt",
        }
    }
}

/// The context of the VC Data Model 2.0, which must stand first.
const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The context for terms that no other context defines.
const UNDEFINED_TERMS: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";

/// What a run's flags and settings say about its credentials.
#[derive(Debug, Clone)]
pub struct ProfileSettings {
    /// The form of the credentials.
    pub proof_format: ProofFormat,
    /// The issuer's own JSON-LD context.
    pub context: Option<String>,
    /// Who runs the issuance, echoed in results.
    pub developer_id: Option<String>,
    /// The certificates for the header of an `sd_jwt_vc`.
    pub x5c: Option<CertificateChain>,
    /// What is said of each type.
    pub types: Vec<TypeSettings>,
}

/// What a run's flags and settings say about its credentials of one type.
#[derive(Debug, Clone)]
pub struct TypeSettings {
    /// The type.
    pub credential_type: &'static CredentialType,
    /// Its name in credentials.
    pub vct: String,
    /// Which claims of an `sd_jwt_vc` can be disclosed one by one.
    pub disclosure: DisclosurePolicy,
    /// `vct#integrity` of an `sd_jwt_vc`, where its type metadata is configured.
    pub vct_integrity: Option<String>,
}

impl ProfileSettings {
    /// What an issuer's credentials of these types have in common where nothing is said.
    pub fn of_types(types: Types, issuer: &Issuer) -> ProfileSettings {
        ProfileSettings {
            proof_format: ProofFormat::default(),
            context: None,
            developer_id: None,
            x5c: None,
            types: types.all().iter().map(|known| TypeSettings::of_type(known, issuer)).collect(),
        }
    }
}

impl TypeSettings {
    /// What an issuer's credentials of this type have in common where nothing is said.
    pub fn of_type(credential_type: &'static CredentialType, issuer: &Issuer) -> TypeSettings {
        TypeSettings {
            credential_type,
            vct: credential_type.default_vct(issuer.host().as_deref()),
            disclosure: DisclosurePolicy::of_type(credential_type),
            vct_integrity: None,
        }
    }
}

/// What all credentials of a run have in common. Text fields named `…_json` are JSON texts.
#[derive(Debug)]
pub struct Profile {
    /// The form of the credentials.
    pub proof_format: ProofFormat,
    /// The issuer's id.
    pub issuer: String,
    /// The key's id.
    pub kid: String,
    /// The issuer's own JSON-LD context; empty where there is none.
    pub context: String,
    pub(super) issuer_json: String,
    pub(super) kid_json: String,
    pub(super) context_json: String,
    pub(super) developer_id_json: Option<String>,
    pub(super) x5c_json: Option<String>,
    /// What those of each type have in common besides.
    pub types: Vec<TypeProfile>,
}

/// What all credentials of a type have in common in a run.
#[derive(Debug)]
pub struct TypeProfile {
    /// The type.
    pub credential_type: &'static CredentialType,
    /// Its name in credentials.
    pub vct: String,
    /// What the credentials hide, in words; empty where their form hides nothing.
    pub hidden_claims: String,
    pub(super) vct_json: String,
    pub(super) vc_types_json: String,
    pub(super) vct_integrity_json: Option<String>,
    pub(super) credential_schema_json: Option<String>,
    pub(super) disclosure: DisclosurePolicy,
}

impl TypeProfile {
    fn new(settings: TypeSettings, proof_format: ProofFormat) -> TypeProfile {
        let TypeSettings { credential_type, vct, disclosure, vct_integrity } = settings;
        let vc_type = json::string(credential_type.vc_type);
        TypeProfile {
            credential_type,
            hidden_claims: match proof_format {
                ProofFormat::JwtVc => String::new(),
                ProofFormat::SdJwtVc => disclosure.to_string(),
            },
            vct_json: json::string(&vct),
            vc_types_json: format!("[\"VerifiableCredential\",{vc_type}]"),
            vct_integrity_json: vct_integrity.as_deref().map(json::string),
            credential_schema_json: None,
            vct,
            disclosure,
        }
    }
}

impl TypeProfile {
    /// How many digests that explain nothing stand beside the real ones of each object of an `sd_jwt_vc`.
    pub fn decoys(&self) -> usize {
        self.disclosure.decoys()
    }
}

impl Profile {
    /// What the credentials of this type have in common. A run's profile has every type that its rules allow.
    pub fn of_type(&self, credential_type: &'static CredentialType) -> &TypeProfile {
        let of_type = self.types.iter().find(|of_type| of_type.credential_type == credential_type);
        of_type.expect("the profile of a run has all of its types")
    }

    /// Has credentials of a type cite the schema that is published at this URL (VC Data Model 2.0 section 4.11).
    pub fn cite(&mut self, credential_type: &str, url: &str, digest_sri: &str) {
        let of_type = self.types.iter_mut().find(|of_type| of_type.credential_type.name == credential_type);
        if let Some(of_type) = of_type {
            let (url, digest) = (json::string(url), json::string(digest_sri));
            of_type.credential_schema_json =
                Some(format!("{{\"id\":{url},\"type\":\"JsonSchema\",\"digestSRI\":{digest}}}"));
        }
    }

    /// The profile of a run of this issuer.
    pub fn new(issuer: &Issuer, settings: ProfileSettings) -> Profile {
        let context = settings.context.as_deref().unwrap_or(UNDEFINED_TERMS);
        let of_type = |of_type| TypeProfile::new(of_type, settings.proof_format);
        let of_types = settings.types.into_iter().map(of_type).collect();
        Profile {
            proof_format: settings.proof_format,
            issuer_json: json::string(issuer.id()),
            kid_json: json::string(issuer.kid()),
            context_json: format!("[{},{}]", json::string(CREDENTIALS_V2), json::string(context)),
            developer_id_json: settings.developer_id.as_deref().map(json::string),
            x5c_json: settings.x5c.map(|chain| chain.to_json()),
            types: of_types,
            issuer: issuer.id().to_owned(),
            kid: issuer.kid().to_owned(),
            context: settings.context.unwrap_or_default(),
        }
    }
}
