//! Which claims can be disclosed one by one.

use std::collections::BTreeMap;
use std::fmt;

use crate::types::{CredentialType, Field, FieldKind, Object, Others, is_reserved};

/// Whether a claim is selectively disclosable, in the words of SD-JWT type metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DisclosureRule {
    /// Hidden until the holder discloses it.
    Always,
    /// In the clear in this issuer's credentials; verifiers are told that it may be hidden.
    Allowed,
    /// In the clear.
    #[default]
    Never,
}

impl DisclosureRule {
    /// Every word.
    pub const ALL: [DisclosureRule; 3] =
        [DisclosureRule::Always, DisclosureRule::Allowed, DisclosureRule::Never];

    /// The word in settings and type metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            DisclosureRule::Always => "always",
            DisclosureRule::Allowed => "allowed",
            DisclosureRule::Never => "never",
        }
    }
}

/// What is wrong with a disclosure policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A claim that verifiers need to judge the credential (RFC 9901 section 9.7, SD-JWT VC).
    #[error("the disclosure policy names {0}, which every verifier must see; it cannot be hidden")]
    Essential(String),
    /// A path that is none of a credential's.
    #[error("the disclosure policy names {path}, which is not a claim{}", meant(suggestion))]
    Unknown {
        /// The path.
        path: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// More decoys than hide anything.
    #[error("the disclosure policy asks for {0} decoys; expected at most {MAX_DECOYS}")]
    Decoys(usize),
    /// A word that is none of the three.
    #[error("the disclosure policy says \"{word}\" for {path}; expected always, allowed or never")]
    Word {
        /// The path.
        path: String,
        /// The word.
        word: String,
    },
}

fn meant(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|path| format!(" (did you mean {path}?)")).unwrap_or_default()
}

/// Claims that are never in a disclosure: those of the JWT itself, and those by which a verifier
/// judges it (SD-JWT VC section 3.2.2.2).
const ESSENTIAL: [&str; 14] = [
    "iss",
    "sub",
    "jti",
    "iat",
    "nbf",
    "exp",
    "vct",
    "vct#integrity",
    "cnf",
    "status",
    "_sd_alg",
    "subject",
    "claims",
    "subject.id",
];

/// Which claims can be disclosed one by one: a tree in the shape of the payload.
#[derive(Debug, Clone)]
pub struct DisclosurePolicy {
    pub(super) root: PolicyNode,
    /// How many digests that explain nothing stand beside the real ones of each object.
    pub(super) decoys: usize,
}

/// The most decoys of an object.
pub const MAX_DECOYS: usize = 32;

/// A claim in the policy, and what is inside it.
#[derive(Debug, Clone, Default)]
pub(super) struct PolicyNode {
    pub(super) disclosure: DisclosureRule,
    /// What is known of the claim; nothing for the payload itself and for array elements.
    pub(super) doc: &'static str,
    pub(super) inside: Inside,
}

#[derive(Debug, Clone, Default)]
pub(super) enum Inside {
    #[default]
    Nothing,
    Members(Vec<(&'static str, PolicyNode)>),
    /// Members of any names, and what holds for those that are not named.
    AnyMembers(Vec<(&'static str, PolicyNode)>, DisclosureRule),
    Elements(Box<PolicyNode>),
}

/// What stands in a path for every member of an object that takes members of any names.
const ANY_MEMBER: &str = "*";

impl DisclosurePolicy {
    /// What a type hides where no setting says otherwise.
    pub fn of_type(credential_type: &'static CredentialType) -> DisclosurePolicy {
        let mut policy = DisclosurePolicy { root: payload_node(credential_type), decoys: 0 };
        let hidden = credential_type.hidden.iter().map(|path| (*path, DisclosureRule::Always));
        let file = credential_type.from_file.into_iter();
        let allowed =
            file.flat_map(|file| &file.may_be_hidden).map(|path| (path.as_str(), DisclosureRule::Allowed));
        for (path, rule) in hidden.chain(allowed) {
            let found = policy.root.set(path, rule);
            assert!(found, "what a type hides is among its fields");
        }
        policy
    }

    /// How many digests that explain nothing stand beside the real ones of each object.
    pub(in crate::credential) fn decoys(&self) -> usize {
        self.decoys
    }

    /// The type's own policy with these words for these paths. A path is dotted, as
    /// `claims.registered_address`; `[]` stands for each element of an array. Each object that
    /// hides something gets `decoys` digests more (RFC 9901 section 4.2.5).
    ///
    /// # Errors
    /// Where a path is no claim or must stay in the clear, a word is none of the three, or there
    /// are more than [`MAX_DECOYS`].
    pub fn new(
        credential_type: &'static CredentialType,
        words: &BTreeMap<String, String>,
        decoys: usize,
    ) -> Result<DisclosurePolicy, PolicyError> {
        if decoys > MAX_DECOYS {
            return Err(PolicyError::Decoys(decoys));
        }
        let mut policy = DisclosurePolicy { decoys, ..DisclosurePolicy::of_type(credential_type) };
        for (path, word) in words {
            let disclosure = DisclosureRule::ALL.into_iter().find(|disclosure| disclosure.as_str() == word);
            let Some(disclosure) = disclosure else {
                return Err(PolicyError::Word { path: path.clone(), word: word.clone() });
            };
            if ESSENTIAL.contains(&path.as_str()) && disclosure != DisclosureRule::Never {
                return Err(PolicyError::Essential(path.clone()));
            }
            if !policy.root.set(path, disclosure) && !ESSENTIAL.contains(&path.as_str()) {
                let suggestion = policy.nearest(path);
                return Err(PolicyError::Unknown { path: path.clone(), suggestion });
            }
        }
        Ok(policy)
    }

    /// Every path with its node, in the order of the payload.
    pub(super) fn paths(&self) -> Vec<(Path, &PolicyNode)> {
        let mut paths = Vec::new();
        self.root.collect(&Path::default(), &mut paths);
        paths
    }

    /// The objects that take members of any names, with what holds for those.
    fn any_members(&self) -> Vec<(Path, DisclosureRule)> {
        let of_node = |(path, node): (Path, &PolicyNode)| match node.inside {
            Inside::AnyMembers(_, rule) => Some((path, rule)),
            _ => None,
        };
        self.paths().into_iter().filter_map(of_node).collect()
    }

    fn nearest(&self, path: &str) -> Option<String> {
        let known = self.paths().into_iter().map(|(known, _)| known.to_string());
        known
            .map(|known| (strsim::damerau_levenshtein(&known, path), known))
            .filter(|(distance, known)| *distance <= 4 && *distance * 2 < known.len())
            .min()
            .map(|(_, known)| known)
            .or_else(|| self.ending_in(path))
    }

    fn ending_in(&self, path: &str) -> Option<String> {
        let ending = format!(".{path}");
        self.paths().into_iter().map(|(known, _)| known.to_string()).find(|known| known.ends_with(&ending))
    }
}

/// The paths that are hidden, and the decoys: all that makes a difference to what is issued.
impl fmt::Display for DisclosurePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, node) in self.paths() {
            if node.disclosure == DisclosureRule::Always {
                write!(f, "{path} ")?;
            }
        }
        for (path, rule) in self.any_members() {
            if rule == DisclosureRule::Always {
                write!(f, "{path}.{ANY_MEMBER} ")?;
            }
        }
        write!(f, "+{} decoys", self.decoys)
    }
}

impl PolicyNode {
    /// Lays down what holds for a path; false where there is no such claim.
    fn set(&mut self, path: &str, disclosure: DisclosureRule) -> bool {
        if let Some(object) = path.strip_suffix(ANY_MEMBER).and_then(|path| path.strip_suffix('.'))
            && let Some(Inside::AnyMembers(_, rule)) = self.find(object).map(|node| &mut node.inside)
        {
            *rule = disclosure;
            return true;
        }
        let found = self.find(path);
        found.map(|node| node.disclosure = disclosure).is_some()
    }

    fn find(&mut self, path: &str) -> Option<&mut PolicyNode> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let (name, element) = match first.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (first, false),
        };
        let members = match &mut self.inside {
            Inside::Members(members) => members,
            Inside::AnyMembers(members, _) => {
                if !element && !is_reserved(name) && !members.iter().any(|(known, _)| *known == name) {
                    members.push((name.to_owned().leak(), PolicyNode::default()));
                }
                members
            }
            Inside::Nothing | Inside::Elements(_) => return None,
        };
        let mut node = members.iter_mut().find(|(known, _)| *known == name).map(|(_, node)| node)?;
        if element {
            let Inside::Elements(of) = &mut node.inside else { return None };
            node = of;
        }
        match rest {
            None => Some(node),
            Some(rest) => node.find(rest),
        }
    }

    fn collect<'n>(&'n self, here: &Path, paths: &mut Vec<(Path, &'n PolicyNode)>) {
        match &self.inside {
            Inside::Nothing => {}
            Inside::Members(members) | Inside::AnyMembers(members, _) => {
                for (name, node) in members {
                    let path = here.member(name);
                    paths.push((path.clone(), node));
                    node.collect(&path, paths);
                }
            }
            Inside::Elements(node) => {
                let path = here.element();
                paths.push((path.clone(), node));
                node.collect(&path, paths);
            }
        }
    }

    /// The node of a member; `None` where the policy does not know it.
    pub(super) fn member(&self, name: &str) -> Option<&PolicyNode> {
        match &self.inside {
            Inside::Members(members) | Inside::AnyMembers(members, _) => {
                members.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
            }
            Inside::Nothing | Inside::Elements(_) => None,
        }
    }

    /// Whether a member that the policy does not know is hidden.
    pub(super) fn hides_unknown(&self) -> bool {
        matches!(self.inside, Inside::AnyMembers(_, DisclosureRule::Always))
    }

    /// The node of each element of an array.
    pub(super) fn element(&self) -> Option<&PolicyNode> {
        match &self.inside {
            Inside::Elements(node) => Some(node),
            _ => None,
        }
    }

    /// Whether anything in here is hidden, beside the claim itself.
    pub(super) fn hides_inside(&self) -> bool {
        let hides = |node: &PolicyNode| node.disclosure == DisclosureRule::Always || node.hides_inside();
        match &self.inside {
            Inside::Nothing => false,
            Inside::Members(members) => members.iter().any(|(_, node)| hides(node)),
            Inside::AnyMembers(members, _) => {
                self.hides_unknown() || members.iter().any(|(_, node)| hides(node))
            }
            Inside::Elements(node) => hides(node),
        }
    }
}

/// A claim's path: names, and `None` for each element of an array, as type metadata has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Option<&'static str>>);

impl Path {
    fn member(&self, name: &'static str) -> Path {
        Path(self.0.iter().copied().chain([Some(name)]).collect())
    }

    fn element(&self) -> Path {
        Path(self.0.iter().copied().chain([None]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Some(name) if position > 0 => write!(f, ".{name}")?,
                Some(name) => f.write_str(name)?,
                None => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

/// The claims that come from the item, as they stand in the payload.
fn payload_node(credential_type: &'static CredentialType) -> PolicyNode {
    let request = credential_type.request();
    let member = |name| request.field(name).map(|field| (field.name, node(field)));
    let members = ["subject", "claims", "evidence_refs"].into_iter().filter_map(member).collect();
    PolicyNode { inside: Inside::Members(members), ..PolicyNode::default() }
}

fn node(field: &'static Field) -> PolicyNode {
    let inside = match &field.kind {
        FieldKind::Object(object) => members(object),
        FieldKind::Array { of, .. } => Inside::Elements(Box::new(node(of))),
        _ => Inside::Nothing,
    };
    PolicyNode { disclosure: DisclosureRule::Never, doc: field.doc, inside }
}

fn members(object: &'static Object) -> Inside {
    let members = object.fields.iter().map(|field| (field.name, node(field))).collect();
    match object.others {
        Others::Welcome => Inside::AnyMembers(members, DisclosureRule::Never),
        Others::Refused | Others::Extensions => Inside::Members(members),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Types;

    fn policy(words: &[(&str, &str)]) -> Result<DisclosurePolicy, PolicyError> {
        let words = words.iter().map(|(path, word)| ((*path).to_owned(), (*word).to_owned())).collect();
        DisclosurePolicy::new(Types::BUILT_IN.default_type(), &words, 0)
    }

    #[test]
    fn essential_claims_and_unknown_paths_are_named() {
        for path in ["iss", "exp", "vct", "cnf", "status", "subject", "subject.id"] {
            assert_eq!(policy(&[(path, "always")]).unwrap_err(), PolicyError::Essential(path.into()));
            assert!(policy(&[(path, "never")]).is_ok());
        }
        let said = |path: &str| policy(&[(path, "always")]).unwrap_err().to_string();
        assert!(said("claims.registered_adress").contains("did you mean claims.registered_address?"));
        assert!(said("registered_address").contains("did you mean claims.registered_address?"));
        assert!(said("claims.registered_address[]").contains("not a claim"));
        assert!(
            said("claims.beneficial_owners.full_name")
                .contains("did you mean claims.beneficial_owners[].full_name?")
        );
        assert!(policy(&[("claims.jurisdiction", "maybe")]).unwrap_err().to_string().contains("maybe"));
    }

    #[test]
    fn every_path_finds_its_own_node() {
        let mut policy = DisclosurePolicy::of_type(Types::BUILT_IN.default_type());
        let paths: Vec<String> = policy.paths().into_iter().map(|(path, _)| path.to_string()).collect();
        assert!(paths.contains(&"claims.beneficial_owners[].person_id".to_owned()), "{paths:?}");
        assert!(paths.iter().all(|path| policy.root.find(path).is_some()));
    }
}
