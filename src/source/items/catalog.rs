//! The columns of a credential type: their names, derived from its fields.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::request::rules::is_digits;
use crate::source::columns::normal;
use crate::types::{CredentialType, Field, FieldKind, Object, Others, Rule, TEXT};

/// The canonical column names of a type in the order of docs/columns.md, with columns for this many elements of each list.
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
    /// The lists on the way whose elements have numbers in the column's name, outermost first.
    pub(super) lists: Vec<NumberedList>,
    /// The column's name; for members of list elements, what follows the last number.
    pub(super) name: String,
    /// Whether an item without it, in a row that has other cells, is incomplete.
    pub(super) required: bool,
    /// The member beside it that says how it is read: see [`Rule::Comparison`].
    pub(super) operator: Option<&'static str>,
}

/// A list of objects on the way to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberedList {
    /// How many of the field's parents lead to the list; the last of them is its own name.
    pub(super) depth: usize,
    /// The singular that column names carry before a number.
    pub(super) singular: &'static str,
}

/// How many lists on the way to a field have numbers in its column's name. The elements of lists further inside stand
/// in one cell, as JSON.
pub(super) const MOST_NUMBERS: usize = 2;

/// The numbers of list elements on the way to a field, from 1; 0 where there are no more lists.
pub(super) type Numbers = [u64; MOST_NUMBERS];

impl Leaf {
    pub(super) fn column_name(&self, numbers: Numbers) -> String {
        let lists = self.lists.iter().zip(numbers);
        lists.map(|(list, number)| format!("{}{number}_", list.singular)).collect::<String>() + &self.name
    }

    /// The name of the column of the first elements.
    pub(super) fn first_column_name(&self) -> String {
        self.column_name([1; MOST_NUMBERS])
    }

    /// Where the field is a list of objects, which one cell can hold as JSON: the singular.
    fn whole_list(&self) -> Option<&'static str> {
        match &self.field.kind {
            FieldKind::Array { of: Field { kind: FieldKind::Object(_), name, .. }, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether the other field stands inside this one, a list that one cell can hold.
    fn holds(&self, other: &Leaf) -> bool {
        let depth = self.parents.len();
        self.whole_list().is_some()
            && other.parents.starts_with(&self.parents)
            && other.parents.get(depth) == Some(&self.field.name)
    }

    /// Whether this is the public key beside a did:jwk that can be made from it.
    fn is_key_of(&self, did: &Leaf) -> bool {
        matches!((&self.field.kind, &did.field.kind), (FieldKind::PublicJwk, FieldKind::DidJwk))
            && self.parents == did.parents
    }

    /// The place among an item's members, as in the API's own examples: an item means the same
    /// in any order, and reads the same in this one.
    fn json_section(&self) -> usize {
        match (self.parents.as_slice(), &self.field.kind) {
            (["request"], FieldKind::Attestation) => 0,
            (["request", "subject", ..], _) => 1,
            (["request", "claims", ..], _) if !self.lists.is_empty() || self.whole_list().is_some() => 2,
            (["request", "claims"], _) => 3,
            (["request", "claims", ..], _) => 4,
            (["request"], FieldKind::Array { .. }) => 5,
            (["request"], FieldKind::CredentialType(_)) => 7,
            (["request", ..], _) => 6,
            _ => 8,
        }
    }

    pub(super) fn is_claim(&self) -> bool {
        self.parents.get(1) == Some(&"claims")
    }
}

/// What stands before the name of a claim of any name.
const CLAIM_PREFIX: &str = "claims.";

/// More bytes than a column's name has.
const LONGEST_NAME: usize = 64;

/// All columns of a type.
#[derive(Debug)]
pub(super) struct Catalog {
    credential_type: &'static CredentialType,
    leaves: Vec<Leaf>,
    /// Normal forms of all names, of columns that are not numbered.
    names: HashMap<String, usize>,
    /// Claims of any names that have columns, by their own names.
    any_claims: BTreeMap<String, usize>,
    /// The names of members of list elements.
    numbered: Vec<NumberedName>,
}

/// A column's name with numbers in it.
#[derive(Debug)]
struct NumberedName {
    /// Normal forms of what stands before, between and behind the numbers.
    pieces: Vec<String>,
    /// The number of the first element.
    first: u64,
    leaf: usize,
}

impl NumberedName {
    /// The numbers in a name in normal form, if it is this one.
    fn numbers_in(&self, name: &str) -> Option<Numbers> {
        let (last, before) = self.pieces.split_last()?;
        let mut numbers = Numbers::default();
        let mut rest = name;
        for (piece, number) in before.iter().zip(&mut numbers) {
            rest = rest.strip_prefix(piece.as_str())?;
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (digits, behind) = rest.split_at(digits);
            if !is_digits(digits) || (digits.len() > 1 && digits.starts_with('0')) {
                return None;
            }
            let found: u64 = digits.parse().ok().filter(|number| *number >= self.first)?;
            *number = found.checked_add(1 - self.first)?;
            rest = behind;
        }
        (rest == last).then_some(numbers)
    }
}

/// A column's or a constant's field: a leaf, and the numbers of the list elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ColumnTarget {
    leaf: usize,
    pub(super) numbers: Numbers,
}

impl Catalog {
    pub(super) fn of(credential_type: &'static CredentialType) -> Self {
        let mut leaves = Vec::new();
        Way::default().collect(credential_type.item(), true, &mut leaves);
        for leaf in &mut leaves {
            leaf.rank = rank(leaf, credential_type.columns);
        }
        let mut catalog = Self {
            credential_type,
            leaves,
            names: HashMap::new(),
            any_claims: BTreeMap::new(),
            numbered: Vec::new(),
        };
        for index in 0..catalog.leaves.len() {
            catalog.add_names(index);
        }
        catalog
    }

    /// The catalog with columns for claims of any names, where the type takes them and these are such columns.
    pub(super) fn with_any_claims<'n>(self: &Arc<Self>, names: impl Iterator<Item = &'n str>) -> Arc<Self> {
        let new: BTreeSet<&str> = names.filter_map(|name| self.any_claim(name)).collect();
        if new.is_empty() {
            return Arc::clone(self);
        }
        let mut catalog = Self::of(self.credential_type);
        for claim in self.any_claims.keys().map(String::as_str).chain(new) {
            let name = String::from(claim).leak();
            catalog.any_claims.insert(claim.to_owned(), catalog.leaves.len());
            catalog.leaves.push(Leaf {
                rank: self.credential_type.columns.len(),
                field: Box::leak(Box::new(Field::optional(name, TEXT, "a claim"))),
                parents: vec!["request", "claims"],
                lists: Vec::new(),
                name: format!("{CLAIM_PREFIX}{claim}"),
                required: false,
                operator: None,
            });
        }
        Arc::new(catalog)
    }

    /// The claim that a column feeds where the type takes claims of any names: what stands behind `claims.`, byte for
    /// byte.
    fn any_claim<'n>(&self, column: &'n str) -> Option<&'n str> {
        let claim = column.trim().strip_prefix(CLAIM_PREFIX).filter(|claim| !claim.is_empty())?;
        let takes_any = self.credential_type.claims.1.others == Others::Welcome;
        (takes_any && !self.names.contains_key(&normal(column))).then_some(claim)
    }

    /// Whether the type takes claims of any names.
    pub(super) fn takes_any_claims(&self) -> bool {
        self.credential_type.claims.1.others == Others::Welcome
    }

    /// Every field that a cell can feed.
    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The field of a target.
    pub(super) fn leaf(&self, target: ColumnTarget) -> &Leaf {
        &self.leaves[target.leaf]
    }

    /// The place among an item's members.
    pub(super) fn json_order(&self, target: ColumnTarget) -> impl Ord + use<> {
        let leaf = self.leaf(target);
        (leaf.json_section(), target.numbers, leaf.rank, target.leaf)
    }

    /// The canonical name of a target's column.
    pub(super) fn name(&self, target: ColumnTarget) -> String {
        self.leaf(target).column_name(target.numbers)
    }

    /// Whether one of these feeds the leaf: itself, an element of the list that it is, or the key that it is made from.
    pub(super) fn is_fed(&self, leaf: &Leaf, mut by: impl Iterator<Item = ColumnTarget>) -> bool {
        by.any(|target| {
            let other = self.leaf(target);
            std::ptr::eq(other, leaf) || leaf.holds(other) || other.is_key_of(leaf)
        })
    }

    /// Whether the two feed one field: they are the same, or one is a list that the other is in.
    pub(super) fn overlap(&self, one: ColumnTarget, other: ColumnTarget) -> bool {
        let holds = |list: ColumnTarget, inner: ColumnTarget| {
            let depth = self.leaf(list).lists.len();
            self.leaf(list).holds(self.leaf(inner)) && list.numbers[..depth] == inner.numbers[..depth]
        };
        one == other || holds(one, other) || holds(other, one)
    }

    /// Whether the target is a list that one cell holds.
    pub(super) fn may_overlap(&self, target: ColumnTarget) -> bool {
        self.leaf(target).whole_list().is_some()
    }

    /// The did:jwk that is made from this public key.
    pub(super) fn did_of(&self, key: ColumnTarget) -> Option<ColumnTarget> {
        let leaf = self.leaves.iter().position(|leaf| self.leaf(key).is_key_of(leaf))?;
        Some(ColumnTarget { leaf, ..key })
    }

    /// The member of this name beside a field.
    pub(super) fn beside(&self, target: ColumnTarget, name: &str) -> Option<ColumnTarget> {
        let parents = &self.leaf(target).parents;
        let leaf = self.leaves.iter().position(|leaf| leaf.field.name == name && leaf.parents == *parents)?;
        Some(ColumnTarget { leaf, ..target })
    }

    fn column_names(&self, elements: usize) -> Vec<String> {
        let mut leaves: Vec<&Leaf> = self.leaves.iter().filter(|leaf| leaf.whole_list().is_none()).collect();
        leaves.sort_by_key(|leaf| leaf.rank);
        let mut names = Vec::new();
        push_names(&leaves, Numbers::default(), 0, elements as u64, &mut names);
        names
    }

    /// The canonical name, and the path with and without `request`; for members of lists'
    /// elements, numbered from 1 in names and from 0 in paths, as in JSON Pointers.
    fn add_names(&mut self, index: usize) {
        let leaf = &self.leaves[index];
        let name = normal(&leaf.name);
        let path: Vec<_> = leaf.parents.iter().copied().chain([leaf.field.name]).collect();
        let start = usize::from(path[0] == "request");
        if leaf.lists.is_empty() {
            let names = [name, normal(&path.join("")), normal(&path[start..].join(""))];
            self.names.extend(names.map(|name| (name, index)));
            return;
        }
        let singulars = leaf.lists.iter().map(|list| normal(list.singular));
        let named = (singulars.chain([name]).collect(), 1);
        let cut = |start: usize| {
            let ends = leaf.lists.iter().map(|list| list.depth).chain([path.len()]);
            let starts = [start].into_iter().chain(leaf.lists.iter().map(|list| list.depth));
            (starts.zip(ends).map(|(start, end)| normal(&path[start..end].join(""))).collect(), 0)
        };
        let names = [named, cut(0), cut(start)];
        self.numbered.extend(names.map(|(pieces, first)| NumberedName { pieces, first, leaf: index }));
    }

    /// The field of a column name, however it is spelt.
    pub(super) fn find(&self, name: &str) -> Option<ColumnTarget> {
        // The name of such a claim is the user's own, and not spelt in any other way.
        if let Some(leaf) = self.any_claim(name).and_then(|claim| self.any_claims.get(claim)) {
            return Some(ColumnTarget { leaf: *leaf, numbers: Numbers::default() });
        }
        let name = normal(name);
        if let Some(leaf) = self.names.get(&name) {
            return Some(ColumnTarget { leaf: *leaf, numbers: Numbers::default() });
        }
        self.numbered
            .iter()
            .find_map(|known| Some(ColumnTarget { leaf: known.leaf, numbers: known.numbers_in(&name)? }))
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

/// The names of columns whose fields have the lists before `depth` in common, each list's elements one after the other.
fn push_names(leaves: &[&Leaf], numbers: Numbers, depth: usize, elements: u64, names: &mut Vec<String>) {
    for together in leaves.chunk_by(|one, next| one.lists.get(depth) == next.lists.get(depth)) {
        match together[0].lists.get(depth) {
            None => names.extend(together.iter().map(|leaf| leaf.column_name(numbers))),
            Some(_) => (1..=elements).for_each(|number| {
                let mut numbers = numbers;
                numbers[depth] = number;
                push_names(together, numbers, depth + 1, elements, names);
            }),
        }
    }
}

/// The place of a leaf among the columns of its type; behind all of them where it is not named. A type that lists no
/// columns has them in the order of its fields, what all types share behind them.
fn rank(leaf: &Leaf, columns: &[&str]) -> usize {
    if columns.is_empty() {
        let shared =
            ["correlation_id", "", "evidence_refs", "ttl", "self_attestation_complete", "credential_type"];
        return shared.iter().position(|name| *name == leaf.name).unwrap_or(1);
    }
    let list = leaf.lists.first().map(|list| list.singular).or_else(|| leaf.whole_list());
    let is_named = |known: &&str| match (list, known.strip_suffix('…')) {
        (Some(list), Some(known)) => list == known,
        (None, None) => leaf.name == **known,
        _ => false,
    };
    columns.iter().position(is_named).unwrap_or(columns.len())
}

/// The way from the item to an object.
#[derive(Debug, Clone, Default)]
struct Way {
    parents: Vec<&'static str>,
    lists: Vec<NumberedList>,
    /// What stands before the names of the object's members, where their own are not enough.
    prefix: &'static str,
}

impl Way {
    fn member(&self, field: &Field) -> Way {
        let parents = self.parents.iter().copied().chain([field.name]).collect();
        Way { parents, lists: self.lists.clone(), prefix: field.column_prefix.unwrap_or(field.name) }
    }

    /// Collects the fields that a cell can feed, in the table's order.
    fn collect(&self, object: &'static Object, required: bool, leaves: &mut Vec<Leaf>) {
        for field in object.fields {
            let required = required && field.required;
            match &field.kind {
                FieldKind::Ignored => {}
                // The holder's key is an object in an object, which no export has.
                FieldKind::PublicJwk if self.parents.last() == Some(&"cnf") => {}
                FieldKind::Object(inside) => self.member(field).collect(inside, required, leaves),
                FieldKind::Array { of: Field { kind: FieldKind::Object(element), name, .. }, .. } => {
                    leaves.push(self.leaf(field, object, required, leaves));
                    let mut inside = self.member(field);
                    if self.lists.len() < MOST_NUMBERS {
                        inside.lists.push(NumberedList { depth: inside.parents.len(), singular: name });
                        inside.collect(element, false, leaves);
                    }
                }
                _ => leaves.push(self.leaf(field, object, required, leaves)),
            }
        }
    }

    fn leaf(&self, field: &'static Field, object: &Object, required: bool, taken: &[Leaf]) -> Leaf {
        let name = match self.lists.last() {
            None => self.column_name(field.name, taken),
            Some(list) => {
                let way = self.parents[list.depth..].iter().copied();
                way.chain([field.name]).collect::<Vec<_>>().join("_")
            }
        };
        let operator = object.rules.iter().find_map(|rule| match rule {
            Rule::Comparison { operator, value } if *value == field.name => Some(*operator),
            _ => None,
        });
        let Way { parents, lists, .. } = self.clone();
        Leaf { rank: 0, field, parents, lists, name, required, operator }
    }

    /// The bare name where it is enough. `id`, `type` and `public_jwk` say too little, and a name that is taken
    /// gets its object's name before it. Inside an object of the claims, that always stands before it:
    /// `address_city`.
    fn column_name(&self, name: &str, taken: &[Leaf]) -> String {
        let says_little = || matches!(name, "id" | "type" | "public_jwk");
        let is_taken = || taken.iter().any(|leaf| leaf.name == name);
        match self.parents.len() > 2 || says_little() || is_taken() {
            true => format!("{}_{name}", self.prefix),
            false => name.to_owned(),
        }
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
    fn columns_are_those_of_the_page_in_its_order() {
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
            let spellings: Vec<String> = if !leaf.lists.is_empty() {
                let short = path.strip_prefix("request.").unwrap();
                vec![
                    leaf.column_name([3, 0]),
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
                    let numbers = if leaf.lists.is_empty() { [0, 0] } else { [3, 0] };
                    assert_eq!(catalog.find(&name), Some(ColumnTarget { leaf: index, numbers }), "{name}");
                    assert_eq!(*names.entry(normal(&name)).or_insert(index), index, "{name}");
                }
            }
        }
        let unnumbered = names.values().filter(|index| catalog.leaves[**index].lists.is_empty()).count();
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
