//! What all credentials of a run have in common.

use crate::issuer::Issuer;
use crate::json;

/// The form in which a credential is secured (contract section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProofFormat {
    /// W3C VC Data Model 2.0, secured by VC-JOSE-COSE.
    #[default]
    JwtVc,
}

impl ProofFormat {
    /// Every format.
    pub const ALL: [ProofFormat; 1] = [ProofFormat::JwtVc];

    /// The name in flags, settings and resources.
    pub fn as_str(self) -> &'static str {
        match self {
            ProofFormat::JwtVc => "jwt_vc",
        }
    }
}

/// The context of the VC Data Model 2.0, which must stand first.
const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The context for terms that no other context defines.
const UNDEFINED_TERMS: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";

/// What a run's flags and settings say about its credentials.
#[derive(Debug, Clone, Default)]
pub struct ProfileSettings {
    /// The form of the credentials.
    pub proof_format: ProofFormat,
    /// The credential type's name, `vct`; the issuer's default where there is none.
    pub vct: Option<String>,
    /// The issuer's own JSON-LD context.
    pub context: Option<String>,
    /// Who runs the issuance, echoed in results.
    pub developer_id: Option<String>,
}

/// What all credentials of a run have in common. Text fields named `…_json` are JSON strings with
/// their quotes.
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
}

impl Profile {
    /// The profile of a run of this issuer.
    pub fn new(issuer: &Issuer, settings: ProfileSettings) -> Profile {
        let vct = settings.vct.unwrap_or_else(|| issuer.default_vct());
        let context = settings.context.as_deref().unwrap_or(UNDEFINED_TERMS);
        Profile {
            proof_format: settings.proof_format,
            issuer_json: json::string(issuer.id()),
            kid_json: json::string(issuer.kid()),
            vct_json: json::string(&vct),
            context_json: format!("[{},{}]", json::string(CREDENTIALS_V2), json::string(context)),
            developer_id_json: settings.developer_id.as_deref().map(json::string),
            issuer: issuer.id().to_owned(),
            kid: issuer.kid().to_owned(),
            context: settings.context.unwrap_or_default(),
            vct,
        }
    }
}
