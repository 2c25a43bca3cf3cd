//! Credential types: what can be issued, said once, in one file a type.
//!
//! A [`CredentialType`] is the one source for the validator ([`crate::request::Checker`]), the JSON Schema, the CSV
//! columns, the templates, the disclosure policy, the type metadata, the JSON-LD context, what verifiers check, and the
//! tables in docs/. A rule that is not in it does not exist. No other file knows a type by its name.
//!
//! To add a type, write a file here and name it in `BUILT_IN`. Users write theirs as YAML and JSON Schema, from which
//! [`file`] makes the same tables.

use std::collections::BTreeMap;

mod agent_authorization;
mod business;
mod describe;
mod field;
pub mod file;
mod frame;
mod json_schema;
mod outcome_attestation;
mod rule;
mod user;

pub use describe::{FieldInWords, described};
pub use field::{
    ATTESTATION_TYPE, Field, FieldKind, ID, JSON_LD_KEYWORDS, MAX_ID_CHARS, MAX_WHOLE, NON_EMPTY, Object,
    Others, SD_JWT_NAMES, TEXT, is_reserved,
};
pub use frame::{Frame, MAX_EVIDENCE_REFS};
pub(crate) use frame::{TTL, credential_type_field};
pub use json_schema::{Judged, Scalar, Schema, SchemaProblem};
pub use rule::Rule;

/// A kind of credential: all that tells it from the others. Types live as long as the process.
#[derive(Debug)]
pub struct CredentialType {
    /// The name in `credential_type` and in the default `vct`.
    pub name: &'static str,
    /// The second entry of `type` in the W3C form (VC Data Model 2.0 section 4.5).
    pub vc_type: &'static str,
    /// What people call it, in the type metadata.
    pub title: &'static str,
    /// What it says, in one sentence, in the type metadata.
    pub description: &'static str,
    /// Members of the request that only this type has; they stand in the credential, too, at its top.
    pub own: &'static Object,
    /// The subject: one line about it, and its members.
    pub subject: (&'static str, &'static Object),
    /// The claims, likewise.
    pub claims: (&'static str, &'static Object),
    /// The CSV columns in the order of docs/columns.md. `owner…` stands for all numbered columns of the list whose elements are
    /// called `owner`. A field that is not named here comes last.
    pub columns: &'static [&'static str],
    /// What an `sd_jwt_vc` hides where no setting says otherwise: dotted paths, `[]` for each element of an array.
    pub hidden: &'static [&'static str],
    /// What the subject may do, where the type is one of authorizations.
    pub grants: Option<Grants>,
    /// Rules between the members of the request.
    pub rules: &'static [Rule],
    /// The item around subject and claims.
    pub frame: Frame,
    /// What only types of one's own say; none for those that come with the program.
    pub from_file: Option<&'static FromFile>,
}

/// What only types of one's own say.
#[derive(Debug, Default)]
pub struct FromFile {
    /// A hash of the definition and its schema: another one is another type.
    pub fingerprint: [u8; 32],
    /// The name in `sd_jwt_vc`, whoever the issuer is.
    pub vct: Option<String>,
    /// How long credentials live whose item does not say.
    pub ttl: Option<String>,
    /// Paths of which verifiers are told that they may be hidden; they are in the clear where no setting says otherwise.
    pub may_be_hidden: Vec<String>,
    /// A label for each language, by path.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// How wallets show the credential (SD-JWT VC, display metadata).
    pub display: Vec<serde_json::Value>,
    /// The path of each column whose header is the user's own.
    pub csv_columns: BTreeMap<String, String>,
    /// What the tables cannot say of an object of `subject` and `claims`.
    pub schema: Option<Schema>,
}

/// Where an authorization says what its subject may do.
#[derive(Debug, Clone, Copy)]
pub struct Grants {
    /// The claim that lists permissions: each with `resource_type`, `resource_id`, `actions` and `conditions`.
    pub permissions: &'static str,
    /// The claim that names the subject who delegated.
    pub delegated_by: &'static str,
    /// Claims that limit the permissions, and that only those can judge who keep count: at most 32.
    pub not_judged: &'static [&'static str],
}

impl CredentialType {
    /// The `vct` of an issuer's credentials where none is configured: the type's own, else at his host, if he has one.
    pub fn default_vct(&self, host: Option<&str>) -> String {
        if let Some(vct) = self.own_vct() {
            return vct.to_owned();
        }
        match host {
            Some(host) => format!("https://{host}/{}", self.vct_path()),
            None => format!("urn:beltic:{}:1", self.name),
        }
    }

    /// Whether this is what [`CredentialType::default_vct`] gives some issuer.
    pub fn has_default_vct(&self, vct: &str) -> bool {
        if let Some(own) = self.own_vct() {
            return vct == own;
        }
        match vct.strip_prefix("https://") {
            Some(rest) => rest.strip_suffix(self.vct_path().as_str()).is_some_and(|host| host.ends_with('/')),
            None => vct == self.default_vct(None),
        }
    }

    /// The `vct` that the type's own file names.
    fn own_vct(&self) -> Option<&'static str> {
        self.from_file?.vct.as_deref()
    }

    /// How long credentials live whose item does not say, where the type says so.
    pub fn default_ttl(&self) -> Option<&'static str> {
        self.from_file?.ttl.as_deref()
    }

    /// What the tables cannot say of an object of `subject` and `claims`.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.from_file?.schema.as_ref()
    }

    /// Whether the holder's key is that of the subject.
    pub(crate) fn holder_is_subject(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::HolderIsSubject))
    }

    fn vct_path(&self) -> String {
        format!("credentials/{}/v1", self.name)
    }
}

/// Two types are one if they have the same name: [`Types`] holds no two of a name.
impl PartialEq for CredentialType {
    fn eq(&self, other: &CredentialType) -> bool {
        self.name == other.name
    }
}

impl Eq for CredentialType {}

/// The types that come with the program. The first one is the default.
static BUILT_IN: &[&CredentialType] = &[
    &business::BUSINESS,
    &user::USER,
    &agent_authorization::AGENT_AUTHORIZATION,
    &outcome_attestation::OUTCOME_ATTESTATION,
];

/// The types that can be issued in a run. There is at least one.
#[derive(Debug, Clone, Copy)]
pub struct Types {
    all: &'static [&'static CredentialType],
}

impl Types {
    /// The types that come with the program.
    pub const BUILT_IN: Types = Types::new(BUILT_IN);

    /// These types, of different names. The first one is that of items which name none.
    ///
    /// # Panics
    /// Where there is no type.
    pub const fn new(all: &'static [&'static CredentialType]) -> Types {
        assert!(!all.is_empty(), "there is at least one type");
        Types { all }
    }

    /// Every type; the default first.
    pub fn all(self) -> &'static [&'static CredentialType] {
        self.all
    }

    /// The type of items that name none.
    pub fn default_type(self) -> &'static CredentialType {
        self.all[0]
    }

    /// The same types; items that name none are of this one, which is among them.
    pub fn with_default(self, default: &'static CredentialType) -> Types {
        if self.default_type() == default {
            return self;
        }
        let others = self.all.iter().copied().filter(|other| *other != default);
        Types { all: std::iter::once(default).chain(others).collect::<Vec<_>>().leak() }
    }

    /// The type of this name.
    pub fn named(self, name: &str) -> Option<&'static CredentialType> {
        self.all.iter().copied().find(|known| known.name == name)
    }

    /// The type with this entry in the W3C form's `type`.
    pub fn of_vc_type(self, vc_type: &str) -> Option<&'static CredentialType> {
        self.all.iter().copied().find(|known| known.vc_type == vc_type)
    }

    /// The type with this `vct` of its own.
    pub fn of_vct(self, vct: &str) -> Option<&'static CredentialType> {
        self.all.iter().copied().find(|known| known.own_vct() == Some(vct))
    }

    /// These types and more, of other names, behind them.
    pub fn and(self, more: impl IntoIterator<Item = &'static CredentialType>) -> Types {
        Types { all: self.all.iter().copied().chain(more).collect::<Vec<_>>().leak() }
    }

    /// The type of which this is a default `vct`.
    pub fn of_default_vct(self, vct: &str) -> Option<&'static CredentialType> {
        self.all.iter().copied().find(|known| known.has_default_vct(vct))
    }

    /// Whether items have a member of this name, in an envelope or bare.
    pub fn have_member(self, name: &str) -> bool {
        self.all
            .iter()
            .any(|known| known.item().field(name).is_some() || known.bare_item().field(name).is_some())
    }

    /// Whether requests have a member of this name.
    pub fn have_request_member(self, name: &str) -> bool {
        self.all.iter().any(|known| known.request().field(name).is_some())
    }

    /// The names, in words.
    pub fn names(self) -> String {
        self.all.iter().map(|known| known.name).collect::<Vec<_>>().join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_names_are_known_again() {
        let known = Types::BUILT_IN.default_type();
        for host in [None, Some("issuer.example"), Some("issuer.example:8443")] {
            assert!(known.has_default_vct(&known.default_vct(host)));
        }
        for other in [
            "urn:beltic:other:1",
            "http://a.example/credentials/business/v1",
            "https://a/credentials/business/v2",
        ] {
            assert!(!known.has_default_vct(other), "{other}");
        }
    }
}
