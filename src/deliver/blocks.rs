//! A credential's claims, laid out as facts, groups of facts, and tables.

use super::credential::Credential;
use super::look::{Label, Look};
use super::shown::{Shown, clipped, visible};

/// The longest value and the longest name of a subject, in characters.
const MAX_VALUE: usize = 600;
const MAX_HEADING: usize = 200;

/// The most columns of a table. Objects with more members have each row in words.
const MAX_COLUMNS: usize = 6;

/// Something that stands on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Facts(Vec<Fact>),
    Group { label: Label, facts: Vec<Fact> },
    Table { label: Label, heads: Vec<Label>, rows: Vec<Vec<String>> },
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) label: Label,
    pub(super) value: String,
}

/// Whom a certificate is about, in large letters: the name where it is shown, else the id.
pub(super) fn heading(credential: &Credential) -> (&'static str, String) {
    let subject = credential.shown.member("subject");
    let text = |name| subject.and_then(|subject| subject.member(name)).and_then(Shown::text);
    let shown = |text: &str| clipped(&visible(text), MAX_HEADING);
    match (text("name"), text("id")) {
        (Some(name), _) if !name.trim().is_empty() => ("subject.name", shown(name)),
        (_, Some(id)) => ("subject.id", shown(id)),
        _ => ("", String::new()),
    }
}

/// What is shown beside the heading: single facts first, then groups, then tables, each in the order of the type.
pub(super) fn blocks(credential: &Credential, look: &Look, in_heading: &str) -> Vec<Block> {
    let mut found: Vec<(u8, usize, Block)> = Vec::new();
    let mut add = |path: String, value: &Shown| {
        if path != in_heading {
            let block = block(&path, value, look);
            found.push((rank(&block), look.order(&path), block));
        }
    };
    for (name, value) in credential.shown.members() {
        match (name.as_str(), value) {
            ("subject" | "claims", Shown::Members(members)) => {
                members.iter().for_each(|(member, value)| add(format!("{name}.{member}"), value));
            }
            _ => add(name.clone(), value),
        }
    }
    found.sort_by_key(|(rank, order, _)| (*rank, *order));
    let mut blocks: Vec<Block> = Vec::new();
    for (.., block) in found {
        match (blocks.last_mut(), block) {
            (Some(Block::Facts(before)), Block::Facts(more)) => before.extend(more),
            (_, block) => blocks.push(block),
        }
    }
    blocks
}

fn rank(block: &Block) -> u8 {
    match block {
        Block::Facts(_) => 0,
        Block::Group { .. } => 1,
        Block::Table { .. } => 2,
    }
}

fn block(path: &str, value: &Shown, look: &Look) -> Block {
    let label = look.label(path);
    match value {
        Shown::Members(members) if !members.is_empty() => {
            let fact = |(name, value): &(String, Shown)| fact(&format!("{path}.{name}"), value, look);
            Block::Group { label, facts: members.iter().map(fact).collect() }
        }
        Shown::List(elements) if elements.iter().any(|element| matches!(element, Shown::Members(_))) => {
            table(path, label, elements, look)
        }
        _ => Block::Facts(vec![fact(path, value, look)]),
    }
}

fn fact(path: &str, value: &Shown, look: &Look) -> Fact {
    Fact { label: look.label(path), value: cell(value, look) }
}

fn cell(value: &Shown, look: &Look) -> String {
    clipped(&visible(&value.in_words(look.words)), MAX_VALUE)
}

/// A list of objects, a row each.
fn table(path: &str, label: Label, elements: &[Shown], look: &Look) -> Block {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in elements.iter().flat_map(Shown::members) {
        // More are not needed to know that there are too many.
        if names.len() <= MAX_COLUMNS && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let all_are_objects = elements.iter().all(|element| matches!(element, Shown::Members(_)));
    if names.len() > MAX_COLUMNS || !all_are_objects {
        let rows = elements.iter().map(|element| vec![cell(element, look)]).collect();
        return Block::Table { label, heads: Vec::new(), rows };
    }
    let of_column = |name: &str| format!("{path}[].{name}");
    names.sort_by_key(|name| look.order(&of_column(name)));
    let row = |element: &Shown| {
        let of = |name: &&str| element.member(name).map(|value| cell(value, look)).unwrap_or_default();
        names.iter().map(of).collect()
    };
    let rows = elements.iter().map(row).collect();
    Block::Table { label, heads: names.iter().map(|name| look.label(&of_column(name))).collect(), rows }
}
