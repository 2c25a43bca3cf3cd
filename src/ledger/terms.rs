//! What a run is, and what must be the same when it is repeated.

use crate::credential::{Profile, TypeProfile};
use crate::request::IdRule;

/// What a run is, as far as its credentials depend on it.
#[derive(Debug, Clone)]
pub struct RunDescription {
    /// The run's name: a fresh UUID, or the idempotency key.
    pub name: String,
    /// Whether the name is an idempotency key, so that items may have been issued under it.
    pub repeatable: bool,
    /// What items are known by under the key.
    pub rule: IdRule,
    /// What must be the same whenever the run is repeated.
    pub terms: Terms,
    /// What must be the same for each type of which something was issued. The types have different names.
    pub types: Vec<TypeTerms>,
    /// `status.base_url`, where there is one.
    pub status_base: Option<String>,
}

/// What must be the same whenever a run is repeated under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who issues.
    pub issuer: String,
    /// The key that signs.
    pub kid: String,
    /// The form of the credentials.
    pub proof_format: String,
    /// The issuer's JSON-LD context; empty where there is none.
    pub context: String,
    /// The life of credentials whose item does not say.
    pub ttl: String,
}

/// What must be the same of a type whenever a run is repeated under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTerms {
    /// The name of the credential type.
    pub credential_type: String,
    /// Its name in credentials.
    pub vct: String,
    /// What an `sd_jwt_vc` hides; empty for other forms.
    pub disclosure: String,
}

impl RunDescription {
    /// A run that issues by this profile, with this life of credentials whose item does not say.
    pub fn of(profile: &Profile, name: String, ttl: String) -> RunDescription {
        let terms = Terms {
            issuer: profile.issuer.clone(),
            kid: profile.kid.clone(),
            proof_format: profile.proof_format.as_str().to_owned(),
            context: profile.context.clone(),
            ttl,
        };
        let of_type = |of_type: &TypeProfile| TypeTerms {
            credential_type: of_type.credential_type.name.to_owned(),
            vct: of_type.vct.clone(),
            disclosure: of_type.hidden_claims.clone(),
        };
        let types = profile.types.iter().map(of_type).collect();
        RunDescription { name, repeatable: false, rule: IdRule::Position, terms, types, status_base: None }
    }

    /// What is laid down for a type.
    pub(super) fn of_type(&self, credential_type: &str) -> Option<&TypeTerms> {
        self.types.iter().find(|of_type| of_type.credential_type == credential_type)
    }
}
