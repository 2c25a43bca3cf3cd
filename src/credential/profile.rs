//! What all credentials of a run have in common.

use super::sd_jwt::Policy;
use crate::issuer::Issuer;
use crate::json;
use crate::keys::CertificateChain;

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
    /// The credential type's name.
    pub vct: String,
    /// The issuer's own JSON-LD context.
    pub context: Option<String>,
    /// Who runs the issuance, echoed in results.
    pub developer_id: Option<String>,
    /// Which claims of an `sd_jwt_vc` can be disclosed one by one.
    pub disclosure: Policy,
    /// `vct#integrity` of an `sd_jwt_vc`, where its type metadata is configured.
    pub vct_integrity: Option<String>,
    /// The certificates for the header of an `sd_jwt_vc`.
    pub x5c: Option<CertificateChain>,
}

impl ProfileSettings {
    /// Credentials of this type, where nothing else is said.
    pub fn of_type(vct: String) -> ProfileSettings {
        ProfileSettings {
            proof_format: ProofFormat::default(),
            vct,
            context: None,
            developer_id: None,
            disclosure: Policy::default(),
            vct_integrity: None,
            x5c: None,
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
    /// The credential type.
    pub vct: String,
    /// The issuer's own JSON-LD context; empty where there is none.
    pub context: String,
    pub(super) issuer_json: String,
    pub(super) kid_json: String,
    pub(super) vct_json: String,
    pub(super) context_json: String,
    pub(super) developer_id_json: Option<String>,
    pub(super) vct_integrity_json: Option<String>,
    pub(super) x5c_json: Option<String>,
    pub(super) disclosure: Policy,
}

impl Profile {
    /// What the credentials hide, in words; empty where their form hides nothing.
    pub fn hidden_claims(&self) -> String {
        match self.proof_format {
            ProofFormat::JwtVc => String::new(),
            ProofFormat::SdJwtVc => self.disclosure.to_string(),
        }
    }

    /// The profile of a run of this issuer.
    pub fn new(issuer: &Issuer, settings: ProfileSettings) -> Profile {
        let context = settings.context.as_deref().unwrap_or(UNDEFINED_TERMS);
        Profile {
            proof_format: settings.proof_format,
            issuer_json: json::string(issuer.id()),
            kid_json: json::string(issuer.kid()),
            vct_json: json::string(&settings.vct),
            context_json: format!("[{},{}]", json::string(CREDENTIALS_V2), json::string(context)),
            developer_id_json: settings.developer_id.as_deref().map(json::string),
            vct_integrity_json: settings.vct_integrity.as_deref().map(json::string),
            x5c_json: settings.x5c.map(|chain| chain.to_json()),
            disclosure: settings.disclosure,
            issuer: issuer.id().to_owned(),
            kid: issuer.kid().to_owned(),
            context: settings.context.unwrap_or_default(),
            vct: settings.vct,
        }
    }
}
