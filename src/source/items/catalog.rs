//! The columns of a credential type: their names, derived from its fields.

use std::collections::HashMap;

use crate::request::rules::is_digits;
use crate::source::columns::normal;
use crate::types::{CredentialType, Field, FieldKind, Object};

/// The canonical column names of a type in the README's order, with columns for this many elements of each list.
pub fn csv_columns(credential_type: &'static CredentialType, elements: usize) -> Vec<String> {
    Catalog::of(credential_type).column_names(elements)
}

/// A field that a cell can feed.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The place among the type's columns.
    rank: usize,
    pub(super) field: &'static Field,
    /// The members on the way to it, from the item, without itself.
    pub(super) parents: Vec<&'static str>,
    /// For members of list elements, the singular that the column names carry before a number.
    pub(super) list: Option<&'static str>,
    /// The column's name; for list elements, what follows the singular and the number.
    pub(super) name: String,
    /// Whether an item without it, in a row that has other cells, is incomplete.
    pub(super) required: bool,
}

impl Leaf {
    pub(super) fn column_name(&self, number: u64) -> String {
        match self.list {
            Some(singular) => format!("{singular}{number}_{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The place among an item's members, as in the API's own examples: an item means the same
    /// in any order, and reads the same in this one.
    pub(super) fn json_rank(&self) -> (usize, usize) {
        let section = match (self.parents.as_slice(), &self.field.kind) {
            (["request"], FieldKind::Attestation) => 0,
            (["request", "subject", ..], _) => 1,
            (["request", "claims", ..], _) if self.list.is_some() => 2,
            (["request", "claims"], _) => 3,
            (["request", "claims", ..], _) => 4,
            (["request"], FieldKind::Array { .. }) => 5,
            (["request"], FieldKind::CredentialType(_)) => 7,
            (["request", ..], _) => 6,
            _ => 8,
        };
        (section, self.rank)
    }

    pub(super) fn is_claim(&self) -> bool {
        self.parents.get(1) == Some(&"claims")
    }
}

/// More bytes than a column's name has.
const LONGEST_NAME: usize = 64;

/// All columns of a type.
#[derive(Debug)]
pub(super) struct Catalog {
    leaves: Vec<Leaf>,
    /// Normal forms of all names, of columns that are not numbered.
    names: HashMap<String, usize>,
    /// Normal forms of what stands before and after the number of a list's element, and the
    /// number of the first element.
    numbered: Vec<(String, String, u64, usize)>,
}

/// A column's or a constant's field: a leaf, and the number of the list's element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ColumnTarget {
    leaf: usize,
    pub(super) number: u64,
}

impl Catalog {
    pub(super) fn of(credential_type: &'static CredentialType) -> Self {
        let mut leaves = Vec::new();
        collect(credential_type.item(), &[], true, &mut leaves);
        for leaf in &mut leaves {
            leaf.rank = rank(leaf, credential_type.columns);
        }
        let mut catalog = Self { leaves, names: HashMap::new(), numbered: Vec::new() };
        for index in 0..catalog.leaves.len() {
            catalog.add_names(index);
        }
        catalog
    }

    /// Every field that a cell can feed.
    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The field of a target.
    pub(super) fn leaf(&self, target: ColumnTarget) -> &Leaf {
        &self.leaves[target.leaf]
    }

    /// The canonical name of a target's column.
    pub(super) fn name(&self, target: ColumnTarget) -> String {
        self.leaf(target).column_name(target.number)
    }

    /// Whether one of these feeds the leaf.
    pub(super) fn is_fed(&self, leaf: &Leaf, mut by: impl Iterator<Item = ColumnTarget>) -> bool {
        by.any(|target| std::ptr::eq(self.leaf(target), leaf))
    }

    fn column_names(&self, elements: usize) -> Vec<String> {
        let mut leaves: Vec<&Leaf> = self.leaves.iter().collect();
        leaves.sort_by_key(|leaf| leaf.rank);
        let by_list = leaves.chunk_by(|one, next| one.list.is_some() && one.list == next.list);
        by_list.flat_map(|leaves| names_of(leaves, elements)).collect()
    }

    /// The canonical name, and the path with and without `request`; for members of a list's
    /// elements, numbered from 1 in names and from 0 in paths, as in JSON Pointers.
    fn add_names(&mut self, index: usize) {
        let leaf = &self.leaves[index];
        let mut path = leaf.parents.clone();
        let name = normal(&leaf.name);
        if let Some(singular) = leaf.list {
            let paths = [path.join(""), path[1..].join("")];
            self.numbered.push((normal(singular), name.clone(), 1, index));
            self.numbered.extend(paths.map(|path| (normal(&path), name.clone(), 0, index)));
            return;
        }
        path.push(leaf.field.name);
        let short = if path[0] == "request" { &path[1..] } else { &path[..] };
        let names = [name, normal(&path.join("")), normal(&short.join(""))];
        self.names.extend(names.map(|name| (name, index)));
    }

    /// The field of a column name, however it is spelt.
    pub(super) fn find(&self, name: &str) -> Option<ColumnTarget> {
        let name = normal(name);
        if let Some(leaf) = self.names.get(&name) {
            return Some(ColumnTarget { leaf: *leaf, number: 0 });
        }
        self.numbered.iter().find_map(|(before, after, first, leaf)| {
            let digits = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
            if !is_digits(digits) || (digits.len() > 1 && digits.starts_with('0')) {
                return None;
            }
            let number: u64 = digits.parse().ok().filter(|number| number >= first)?;
            Some(ColumnTarget { leaf: *leaf, number: number.checked_add(1 - first)? })
        })
    }

    /// The nearest column name, for "did you mean".
    pub(super) fn suggest(&self, name: &str) -> Option<String> {
        // No name is longer, and every character costs.
        if name.len() > 2 * LONGEST_NAME {
            return None;
        }
        let name = normal(name);
        let nearness = |known: &String| strsim::normalized_damerau_levenshtein(&name, &normal(known));
        let known = self.column_names(1).into_iter().map(|known| (nearness(&known), known));
        let (nearness, known) = known.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (nearness >= 0.7).then_some(known)
    }
}

/// The names of columns that stand together: those of a list's elements, one element after the other, or one other.
fn names_of(leaves: &[&Leaf], elements: usize) -> Vec<String> {
    match leaves {
        [leaf] if leaf.list.is_none() => vec![leaf.column_name(0)],
        _ => (1..=elements as u64)
            .flat_map(|number| leaves.iter().map(move |leaf| leaf.column_name(number)))
            .collect(),
    }
}

/// The place of a leaf among the columns of its type; behind all of them where it is not named.
fn rank(leaf: &Leaf, columns: &[&str]) -> usize {
    let is_named = |known: &&str| match (leaf.list, known.strip_suffix('…')) {
        (Some(list), Some(known)) => list == known,
        (None, None) => leaf.name == **known,
        _ => false,
    };
    columns.iter().position(is_named).unwrap_or(columns.len())
}

/// Collects the fields that a cell can feed, in the table's order.
fn collect(object: &'static Object, parents: &[&'static str], required: bool, leaves: &mut Vec<Leaf>) {
    for field in object.fields {
        let required = required && field.required;
        let inner: Vec<_> = parents.iter().copied().chain([field.name]).collect();
        match &field.kind {
            FieldKind::PublicJwk | FieldKind::Ignored => {}
            FieldKind::Object(object) => collect(object, &inner, required, leaves),
            FieldKind::Array { of: Field { kind: FieldKind::Object(object), name, .. }, .. } => {
                let members = object.fields.iter();
                leaves.extend(members.map(|field| Leaf {
                    rank: 0,
                    field,
                    parents: inner.clone(),
                    list: Some(name),
                    name: field.name.to_owned(),
                    required: false,
                }));
            }
            _ => {
                let name = column_name(field.name, parents, leaves);
                leaves.push(Leaf { rank: 0, field, parents: parents.to_vec(), list: None, name, required });
            }
        }
    }
}

/// The bare name where it is enough. `id` and `type` say too little, and a name that is taken
/// gets its object's name before it. Inside an object of the claims, the last word of the
/// object's name always stands before it: `address_city`.
fn column_name(name: &str, parents: &[&str], taken: &[Leaf]) -> String {
    let parent = parents.last().copied().unwrap_or_default();
    if parents.len() > 2 {
        let word = parent.rsplit('_').next().unwrap_or(parent);
        format!("{word}_{name}")
    } else if matches!(name, "id" | "type") || taken.iter().any(|leaf| leaf.name == name) {
        format!("{parent}_{name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::types::Types;

    fn business() -> Catalog {
        Catalog::of(Types::BUILT_IN.default_type())
    }

    #[test]
    fn columns_are_those_of_the_readme_in_its_order() {
        let listed = "correlation_id subject_id registration_number jurisdiction legal_form claims_jurisdiction \
            tax_id_verified address_line1 address_line2 address_city address_state_or_region address_postal_code \
            address_country owner1_full_name owner1_ownership_percent owner1_person_id owner1_role \
            owner2_full_name owner2_ownership_percent owner2_person_id owner2_role evidence_refs ttl \
            self_attestation_complete credential_type";
        let unlisted =
            ["subject_type", "name", "kyb_status", "business_type", "registered_name", "verified_at"];
        let columns = csv_columns(Types::BUILT_IN.default_type(), 2);
        let (others, found): (Vec<&str>, Vec<&str>) =
            columns.iter().map(String::as_str).partition(|name| unlisted.contains(name));
        assert_eq!(found, listed.split_whitespace().collect::<Vec<_>>());
        assert_eq!(others, unlisted);
    }

    #[test]
    fn the_order_names_every_field_and_no_other() {
        for known in Types::BUILT_IN.all() {
            let ranks: HashSet<_> = Catalog::of(known).leaves.iter().map(|leaf| leaf.rank).collect();
            assert_eq!(ranks, (0..known.columns.len()).collect());
        }
    }

    /// No two fields share a name in any spelling, and every name finds its own field.
    #[test]
    fn names_are_unambiguous() {
        let catalog = business();
        let mut names: HashMap<String, usize> = HashMap::new();
        for (index, leaf) in catalog.leaves.iter().enumerate() {
            let path = leaf.parents.join(".");
            let spellings: Vec<String> = if leaf.list.is_some() {
                let short = path.strip_prefix("request.").unwrap();
                vec![
                    leaf.column_name(3),
                    format!("{path}.2.{}", leaf.field.name),
                    format!("{short}.2.{}", leaf.field.name),
                ]
            } else {
                let full = format!("{path}.{}", leaf.field.name);
                let short = full.strip_prefix("request.").unwrap_or(&full).to_owned();
                vec![leaf.name.clone(), full.trim_start_matches('.').to_owned(), short]
            };
            for name in spellings {
                for name in [name.to_uppercase(), name.replace('_', " "), name.replace(['_', '.'], "-"), name]
                {
                    let number = if leaf.list.is_some() { 3 } else { 0 };
                    assert_eq!(catalog.find(&name), Some(ColumnTarget { leaf: index, number }), "{name}");
                    assert_eq!(*names.entry(normal(&name)).or_insert(index), index, "{name}");
                }
            }
        }
        let unnumbered = names.keys().filter(|name| !name.contains("owner")).count();
        assert_eq!(catalog.names.len(), unnumbered, "no name of one field hides another's");
    }

    #[test]
    fn owners_are_numbered_from_one_and_by_plain_numbers() {
        let catalog = business();
        for name in ["owner0_role", "owner01_role", "owner_role", "owner1", "ownerx_role", "owner-1_role_"] {
            let found = catalog.find(name);
            assert_eq!(found.is_some(), name == "owner-1_role_", "{name}");
        }
        assert!(catalog.find("owner18446744073709551616_role").is_none());
        assert_eq!(catalog.name(catalog.find("Owner 120 Full Name").unwrap()), "owner120_full_name");
    }
}
