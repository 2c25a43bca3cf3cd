//! Claims that nobody knows, carried through by `--allow-unknown`: any JSON there is.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use crate::companies::{self, Company};
use crate::readers::exact::Exact;

/// The levels that an item may have, and those around a claim: item, request, claims.
const LEVELS: usize = 64;
const LEVELS_AROUND_A_CLAIM: usize = 3;

/// A number, spelt in any way and of any length that is taken.
fn number() -> BoxedStrategy<Exact> {
    let whole = "-?(0|[1-9][0-9]{0,30})";
    let spelling = format!("{whole}(\\.[0-9]{{1,20}})?([eE][+-]?[0-9]{{1,2}})?");
    let edges = [
        "-0",
        "0.0",
        "-0e-0",
        "9007199254740993",
        "18446744073709551616",
        "1.7976931348623157e308",
        "5e-324",
        "1e-400",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890123456789012345678901234567890.123",
    ];
    let edges: Vec<_> = edges.into_iter().map(str::to_owned).collect();
    prop_oneof![proptest::string::string_regex(&spelling).unwrap(), select(edges)]
        .prop_map(Exact::Number)
        .boxed()
}

/// A name that means nothing to anybody.
fn name() -> BoxedStrategy<String> {
    companies::text().prop_map(|text| format!("x{text}")).boxed()
}

/// Any JSON value.
pub(crate) fn any_json() -> BoxedStrategy<Exact> {
    let text = prop_oneof![4 => companies::text(), 1 => Just(String::new())];
    let leaf = prop_oneof![
        Just(Exact::Null),
        any::<bool>().prop_map(Exact::Boolean),
        number(),
        text.prop_map(Exact::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = prop::collection::btree_map(name(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Exact::Array),
            members.prop_map(|members| Exact::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A value in so many arrays and objects, one in the other.
fn nested() -> BoxedStrategy<Exact> {
    prop::collection::vec(any::<bool>(), 0..=LEVELS - LEVELS_AROUND_A_CLAIM)
        .prop_map(|levels| {
            levels.into_iter().fold(Exact::Null, |inner, array| match array {
                true => Exact::Array(vec![inner]),
                false => Exact::Object(vec![("x".to_owned(), inner)]),
            })
        })
        .boxed()
}

/// A sound company with unknown members in its subject, its claims and what is in them.
pub(crate) fn extended() -> BoxedStrategy<(Company, Exact)> {
    let some = || prop::collection::btree_map(name(), any_json(), 0..3);
    let deep = prop::option::weighted(0.2, nested());
    (companies::sound(), some(), some(), some(), deep)
        .prop_map(|(company, subject, mut claims, inner, deep)| {
            claims.extend(deep.map(|value| ("deep".to_owned(), value)));
            let mut item = company.item();
            add(&mut item, &["request", "subject"], &subject);
            add(&mut item, &["request", "claims"], &claims);
            add(&mut item, &["request", "claims", "registered_address"], &inner);
            (company, item)
        })
        .boxed()
}

/// Puts members at the end of the object at this path, if it is there.
fn add(value: &mut Exact, path: &[&str], more: &BTreeMap<String, Exact>) {
    let Exact::Object(members) = value else { panic!("an object") };
    match path.split_first() {
        None => members.extend(more.iter().map(|(name, value)| (name.clone(), value.clone()))),
        Some((first, rest)) => {
            let member = members.iter_mut().find(|(name, _)| name == first);
            if let Some((_, member)) = member {
                add(member, rest, more);
            }
        }
    }
}
