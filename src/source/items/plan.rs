//! The plan by which the cells of a row become the JSON text of an item.

use std::collections::HashMap;

use csv::StringRecord;

use super::catalog::{Catalog, ColumnTarget, Leaf, Numbers};
use crate::json::{self, Parser, push_str_to};
use crate::keys::HolderKey;
use crate::request::rules::is_digits;
use crate::types::{Field, FieldKind, Judged, Scalar};

/// A piece of the item. Written, it is a member (or an element) with a comma behind it, or
/// nothing.
#[derive(Debug)]
pub(super) enum PlanNode {
    /// The value of a cell; where that is empty, the text of a member that stands for it, if there is one.
    Cell { key: String, cell: usize, default: String, kind: &'static FieldKind, convert: Convert },
    /// The same for every row.
    Constant { text: String },
    /// What a condition compares with, which is read as its operator asks for.
    Comparand { key: String, text: CellText, operator: Option<CellText> },
    /// A did:jwk; where its own cell is empty, it is made from the key in another one.
    Did { key: String, cell: Option<usize>, jwk: usize },
    /// An object, left out where it is empty. An object that a request can do without is also
    /// left out where nothing but constants would stand in it.
    Object { name: &'static str, key: String, members: Vec<PlanNode>, needs_cell: bool },
    /// A list of objects.
    List { name: &'static str, key: String, elements: Vec<(u64, PlanNode)> },
}

/// Where a text comes from: a cell of the row, or the same for every row.
#[derive(Debug, Clone)]
pub(super) enum CellText {
    Cell(usize),
    /// A cell, and the text where it is empty.
    CellOr(usize, String),
    Constant(String),
}

impl CellText {
    fn of<'r>(&'r self, row: &'r StringRecord) -> &'r str {
        match self {
            CellText::Cell(cell) => row.get(*cell).unwrap_or_default(),
            CellText::CellOr(cell, default) => {
                row.get(*cell).filter(|text| !text.is_empty()).unwrap_or(default)
            }
            CellText::Constant(text) => text,
        }
    }
}

/// How cells are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convert {
    /// Whether the file comes from where `87,5` is a number.
    pub(super) decimal_comma: bool,
}

/// The plan for a header: every column and constant at its place in the item.
pub(super) fn plan(
    catalog: &Catalog,
    targets: &[(usize, ColumnTarget)],
    (constants, defaults): (&HashMap<ColumnTarget, &str>, &HashMap<ColumnTarget, &str>),
    convert: Convert,
) -> PlanNode {
    // A field without a column has its constant, else its default, in every row.
    let constant = |(target, text): (&ColumnTarget, &&str)| (*target, CellText::Constant((*text).to_owned()));
    let cells = targets.iter().map(|(cell, target)| match defaults.get(target) {
        Some(default) => (*target, CellText::CellOr(*cell, (*default).to_owned())),
        None => (*target, CellText::Cell(*cell)),
    });
    let given = defaults.iter().map(constant).chain(constants.iter().map(constant));
    let texts: HashMap<ColumnTarget, CellText> = given.chain(cells).collect();
    let keys = texts.iter().filter_map(|(target, text)| match text {
        CellText::Cell(jwk) | CellText::CellOr(jwk, _) => catalog.did_of(*target).map(|did| (did, *jwk)),
        CellText::Constant(_) => None,
    });
    let keys: HashMap<ColumnTarget, usize> = keys.collect();
    let mut fed: Vec<ColumnTarget> = texts.keys().chain(keys.keys()).copied().collect();
    fed.sort_by_key(|target| catalog.json_order(*target));
    fed.dedup();
    let mut root = PlanNode::object("", true);
    for target in fed {
        let leaf = catalog.leaf(target);
        // The name of a claim in a header is the user's own, and may be anything.
        let key = json::string(leaf.field.name) + ":";
        let node = match (texts.get(&target), keys.get(&target), leaf.operator) {
            (Some(CellText::Cell(cell) | CellText::CellOr(cell, _)), Some(jwk), _) => {
                PlanNode::Did { key, cell: Some(*cell), jwk: *jwk }
            }
            (None, Some(jwk), _) => PlanNode::Did { key, cell: None, jwk: *jwk },
            (Some(text), _, Some(operator)) => {
                let operator = catalog.beside(target, operator).and_then(|operator| texts.get(&operator));
                PlanNode::Comparand { key, text: text.clone(), operator: operator.cloned() }
            }
            (Some(text), ..) => PlanNode::value(key, &leaf.field.kind, text, convert),
            (None, None, _) => continue,
        };
        root.insert(&way(leaf, target.numbers), node);
    }
    root.settle(true);
    root
}

/// The members on the way to a field, each with the number of the element where it is a list.
fn way(leaf: &Leaf, numbers: Numbers) -> Vec<(&'static str, Option<u64>)> {
    let number_of = |depth: usize| {
        let lists = leaf.lists.iter().zip(numbers);
        lists.filter(|(list, _)| list.depth == depth).map(|(_, number)| number).next()
    };
    leaf.parents.iter().enumerate().map(|(place, parent)| (*parent, number_of(place + 1))).collect()
}

impl PlanNode {
    fn object(name: &'static str, keyed: bool) -> Self {
        let key = if keyed && !name.is_empty() { format!("\"{name}\":{{") } else { "{".to_owned() };
        Self::Object { name, key, members: Vec::new(), needs_cell: false }
    }

    fn list(name: &'static str) -> Self {
        Self::List { name, key: format!("\"{name}\":["), elements: Vec::new() }
    }

    fn value(key: String, kind: &'static FieldKind, text: &CellText, convert: Convert) -> Self {
        let member = |value: &str| {
            let mut text = key.clone();
            convert.write(value, kind, &mut text);
            text.push(',');
            text
        };
        match text {
            CellText::Cell(cell) => Self::Cell { key, cell: *cell, default: String::new(), kind, convert },
            CellText::CellOr(cell, default) => {
                let default = if default.is_empty() { String::new() } else { member(default) };
                Self::Cell { key, cell: *cell, default, kind, convert }
            }
            CellText::Constant(constant) if constant.is_empty() => Self::Constant { text: String::new() },
            CellText::Constant(constant) => Self::Constant { text: member(constant) },
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Object { name, .. } | Self::List { name, .. } => name,
            Self::Cell { .. } | Self::Constant { .. } | Self::Comparand { .. } | Self::Did { .. } => "",
        }
    }

    /// Puts a value at the end of a way, making the objects and lists on it.
    fn insert(&mut self, way: &[(&'static str, Option<u64>)], value: Self) {
        let Self::Object { members, .. } = self else { unreachable!("a way leads through objects") };
        let Some(((name, number), rest)) = way.split_first() else { return members.push(value) };
        let place = members.iter().position(|member| member.name() == *name).unwrap_or_else(|| {
            members.push(if number.is_some() { Self::list(name) } else { Self::object(name, true) });
            members.len() - 1
        });
        match (&mut members[place], number) {
            (Self::List { elements, .. }, Some(number)) => {
                let place = elements.iter().position(|(known, _)| known == number).unwrap_or_else(|| {
                    elements.push((*number, Self::object("", false)));
                    elements.len() - 1
                });
                elements[place].1.insert(rest, value);
            }
            (object, _) => object.insert(rest, value),
        }
    }

    /// Decides which objects need a cell: those that are optional, unless all of their values
    /// are constants. Returns whether there is any cell inside.
    fn settle(&mut self, required: bool) -> bool {
        match self {
            Self::Cell { .. } | Self::Did { .. } => true,
            Self::Comparand { text, .. } => !matches!(text, CellText::Constant(_)),
            Self::Constant { .. } => false,
            Self::Object { members, needs_cell, .. } => {
                let mut any_cell = false;
                for member in members {
                    let required = matches!(member.name(), "request" | "subject" | "claims");
                    any_cell |= member.settle(required);
                }
                *needs_cell = !required && any_cell;
                any_cell
            }
            Self::List { elements, .. } => {
                let mut any_cell = false;
                for (_, element) in elements {
                    any_cell |= element.settle(false);
                }
                any_cell
            }
        }
    }

    /// Appends this piece of the item. Returns whether a cell had a value for it.
    pub(super) fn write(&self, row: &StringRecord, out: &mut String) -> bool {
        match self {
            Self::Cell { key, cell, default, kind, convert } => {
                let text = row.get(*cell).unwrap_or_default();
                if text.is_empty() {
                    out.push_str(default);
                    return false;
                }
                out.push_str(key);
                convert.write(text, kind, out);
                out.push(',');
                true
            }
            Self::Constant { text } => {
                out.push_str(text);
                false
            }
            Self::Comparand { key, text, operator } => {
                let found = text.of(row);
                if found.is_empty() {
                    return false;
                }
                out.push_str(key);
                match operator.as_ref().map(|operator| operator.of(row)) {
                    Some("in") => write_list(found, write_scalar, out),
                    _ => write_scalar(found, out),
                }
                out.push(',');
                match text {
                    CellText::Cell(cell) | CellText::CellOr(cell, _) => {
                        row.get(*cell).is_some_and(|text| !text.is_empty())
                    }
                    CellText::Constant(_) => false,
                }
            }
            Self::Did { key, cell, jwk } => {
                let own = cell.and_then(|cell| row.get(cell)).unwrap_or_default();
                let jwk = row.get(*jwk).unwrap_or_default();
                if own.is_empty() && jwk.is_empty() {
                    return false;
                }
                if let Some(did) = if own.is_empty() { did_of(jwk) } else { Some(own.to_owned()) } {
                    out.push_str(key);
                    push_str_to(out, &did);
                    out.push(',');
                }
                true
            }
            Self::Object { key, members, needs_cell, .. } => {
                write_members(key, members.iter(), *needs_cell, '}', row, out)
            }
            Self::List { key, elements, .. } => {
                write_members(key, elements.iter().map(|(_, element)| element), false, ']', row, out)
            }
        }
    }
}

fn write_members<'a>(
    open: &str,
    members: impl Iterator<Item = &'a PlanNode>,
    needs_cell: bool,
    close: char,
    row: &StringRecord,
    out: &mut String,
) -> bool {
    let start = out.len();
    out.push_str(open);
    let inside = out.len();
    let mut any_cell = false;
    for member in members {
        any_cell |= member.write(row, out);
    }
    if out.len() == inside || (needs_cell && !any_cell) {
        out.truncate(start);
        return false;
    }
    out.pop();
    out.push(close);
    out.push(',');
    any_cell
}

impl Convert {
    /// Appends the JSON of a cell that is not empty, by what its field is. What cannot be read
    /// as that becomes a string, so that the rules can refuse it with the text as found.
    fn write(self, text: &str, kind: &FieldKind, out: &mut String) {
        match kind {
            FieldKind::Boolean | FieldKind::Attestation if text.eq_ignore_ascii_case("true") => {
                out.push_str("true")
            }
            FieldKind::Boolean | FieldKind::Attestation if text.eq_ignore_ascii_case("false") => {
                out.push_str("false")
            }
            FieldKind::Percent if is_json_number(text) => out.push_str(text),
            FieldKind::Percent if self.decimal_comma => write_decimal_comma(text, out),
            FieldKind::Whole { .. } if is_json_number(text) => out.push_str(text),
            FieldKind::Whole { or_null: true } if text == "null" => out.push_str(text),
            FieldKind::Judged(judged) => self.write_judged(text, judged, out),
            FieldKind::Any => write_any(text, out),
            FieldKind::Array { of: Field { kind: FieldKind::Object(_), .. }, .. } => {
                write_json(text, '[', out)
            }
            FieldKind::PublicJwk => write_json(text, '{', out),
            FieldKind::Array { .. } => write_list(text, |part, out| push_str_to(out, part), out),
            _ => push_str_to(out, text),
        }
    }
}

impl Convert {
    fn write_judged(self, text: &str, judged: &Judged, out: &mut String) {
        match judged.scalar {
            _ if judged.or_null && text == "null" => out.push_str(text),
            Scalar::Boolean if text.eq_ignore_ascii_case("true") => out.push_str("true"),
            Scalar::Boolean if text.eq_ignore_ascii_case("false") => out.push_str("false"),
            Scalar::Number | Scalar::Whole if is_json_number(text) => out.push_str(text),
            Scalar::Number if self.decimal_comma => write_decimal_comma(text, out),
            _ => push_str_to(out, text),
        }
    }
}

/// A list or an object in JSON, a JSON number, `true` or `false` is that; anything else is text.
fn write_any(text: &str, out: &mut String) {
    match text.as_bytes().first() {
        Some(b'[') => write_json(text, '[', out),
        Some(b'{') => write_json(text, '{', out),
        _ => write_scalar(text, out),
    }
}

fn write_decimal_comma(text: &str, out: &mut String) {
    let number = text.replacen(',', ".", 1);
    if !text.contains('.') && is_json_number(&number) {
        out.push_str(&number);
    } else {
        push_str_to(out, text);
    }
}

/// Every `;` separates, also the last: an empty part is an empty string, which the rules refuse.
fn write_list(text: &str, write: impl Fn(&str, &mut String), out: &mut String) {
    out.push('[');
    for part in text.split(';') {
        write(part, out);
        out.push(',');
    }
    out.pop();
    out.push(']');
}

/// A JSON number, `true` or `false` is that; anything else is text.
fn write_scalar(text: &str, out: &mut String) {
    match text {
        "true" | "false" => out.push_str(text),
        _ if is_json_number(text) => out.push_str(text),
        _ => push_str_to(out, text),
    }
}

/// JSON that begins with this bracket, as it is. It is a value of its own, so it cannot reach beyond its place.
fn write_json(text: &str, open: char, out: &mut String) {
    match text.starts_with(open) && Parser::default().parse(text).is_ok() {
        true => out.push_str(text),
        false => push_str_to(out, text),
    }
}

/// The did:jwk of the public JWK in a cell. Where it holds none, the rules say so of the cell's own field.
fn did_of(jwk: &str) -> Option<String> {
    let members = serde_json::from_str(jwk).ok()?;
    Some(HolderKey::of_jwk(&members).ok()?.did())
}

fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    is_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_json_says_they_are() {
        for text in [
            "0", "-0", "12", "01", "1.", ".5", "1.5", "1e5", "1E+5", "1e", "1e+", "-", "", "+1", "0x1",
            "1.5e-3", "00", "1.e5", "NaN", "1e5.5", "--1", "1 ", "１",
        ] {
            assert_eq!(
                is_json_number(text),
                serde_json::from_str::<f64>(text).is_ok() && text.trim() == text,
                "{text}"
            );
        }
    }
}
