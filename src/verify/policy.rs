//! What a verifier asks for beyond what the standards do.

use super::authorization::{ActionContext, Delegators};
use super::holder::KeyBinding;
use crate::clock::UnixTime;
use crate::request::rules::CalendarDuration;
use crate::types::{CredentialType, Types};

/// The greatest allowance for clocks that differ, in seconds.
pub const MAX_LEEWAY: u32 = 300;

/// What a verifier asks for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The time at which tokens are to hold.
    pub now: UnixTime,
    /// By how many seconds clocks may differ, at most [`MAX_LEEWAY`].
    pub leeway: u32,
    /// Who must have issued the credential.
    pub issuer: Option<String>,
    /// What `vct` it must have, one of these; any where there are none.
    pub vcts: Vec<String>,
    /// What type it must have. Credentials with one of `vcts` are taken to be of it where nothing else says.
    pub credential_type: Option<&'static CredentialType>,
    /// The types whose claims are checked by the rules under which they are issued.
    pub types: Types,
    /// What a key binding JWT has to say; it is not looked at where there is nothing.
    pub key_binding: Option<KeyBinding>,
    /// Whom a credential that names an audience must be meant for. Without this, such a credential is refused (RFC
    /// 7519 section 4.1.3).
    pub audience: Option<String>,
    /// Whether it may have expired, as one that is to be renewed.
    pub may_have_expired: bool,
    /// How long it may live.
    pub max_ttl: Option<CalendarDuration>,
    /// Whether JWTs with a `vc` claim (VC Data Model 1.1) are accepted.
    pub legacy_vc: bool,
    /// Whether SD-JWT VCs with the `typ` of older drafts are accepted.
    pub legacy_typ: bool,
    /// Whether the status is looked up.
    pub status: bool,
    /// What is about to be done, which an authorization must allow.
    pub context: Option<ActionContext>,
    /// Who may have delegated an authorization.
    pub delegators: Option<Delegators>,
}

impl Policy {
    /// By how many seconds clocks may differ, within the bound.
    pub(super) fn leeway(&self) -> i64 {
        i64::from(self.leeway.min(MAX_LEEWAY))
    }

    /// The type of an SD-JWT VC with this `vct`: the one of which that is a default name, else the one that the caller
    /// says it is.
    pub(super) fn type_of_vct(&self, vct: &str) -> Option<&'static CredentialType> {
        let named = || self.credential_type.filter(|_| self.vcts.iter().any(|named| named == vct));
        self.types.of_default_vct(vct).or_else(named)
    }

    /// A policy that asks for nothing in particular.
    pub fn at(now: UnixTime) -> Policy {
        Policy {
            now,
            leeway: 0,
            issuer: None,
            vcts: Vec::new(),
            credential_type: None,
            types: Types::BUILT_IN,
            key_binding: None,
            audience: None,
            may_have_expired: false,
            max_ttl: None,
            legacy_vc: false,
            legacy_typ: false,
            status: true,
            context: None,
            delegators: None,
        }
    }
}
