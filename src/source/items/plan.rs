//! The plan by which the cells of a row become the JSON text of an item.

use std::collections::HashMap;

use csv::StringRecord;

use super::catalog::{Catalog, ColumnTarget};
use crate::json::push_str_to;
use crate::request::rules::is_digits;
use crate::types::{Field, FieldKind};

/// A piece of the item. Written, it is a member (or an element) with a comma behind it, or
/// nothing.
#[derive(Debug)]
pub(super) enum PlanNode {
    /// The value of a cell.
    Cell { key: String, cell: usize, kind: &'static FieldKind, convert: Convert },
    /// The same for every row.
    Constant { text: String },
    /// An object, left out where it is empty. An object that a request can do without is also
    /// left out where nothing but constants would stand in it.
    Object { name: &'static str, key: String, members: Vec<PlanNode>, needs_cell: bool },
    /// A list of objects.
    List { name: &'static str, key: String, elements: Vec<(u64, PlanNode)> },
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
    constants: &HashMap<ColumnTarget, &str>,
    convert: Convert,
) -> PlanNode {
    let cells = targets.iter().map(|(cell, target)| (*target, Ok(*cell)));
    let constants = constants.iter().map(|(target, text)| (*target, Err(*text)));
    let mut values: Vec<(ColumnTarget, Result<usize, &str>)> = cells.chain(constants).collect();
    values.sort_by_key(|(target, _)| {
        let (section, column) = catalog.leaf(*target).json_rank();
        (section, target.number, column)
    });
    let mut root = PlanNode::object("", true);
    for (target, value) in values {
        let leaf = catalog.leaf(target);
        let place = ColumnPlace { path: &leaf.parents, is_list: leaf.list.is_some(), number: target.number };
        root.insert(place, PlanNode::value(leaf.field, value, convert));
    }
    root.settle(true);
    root
}

/// Where a value goes: the members on the way to it, whether the last of them is a list, and the number of its element.
#[derive(Debug, Clone, Copy)]
struct ColumnPlace<'p> {
    path: &'p [&'static str],
    is_list: bool,
    number: u64,
}

impl PlanNode {
    fn object(name: &'static str, keyed: bool) -> Self {
        let key = if keyed && !name.is_empty() { format!("\"{name}\":{{") } else { "{".to_owned() };
        Self::Object { name, key, members: Vec::new(), needs_cell: false }
    }

    fn list(name: &'static str) -> Self {
        Self::List { name, key: format!("\"{name}\":["), elements: Vec::new() }
    }

    fn value(field: &'static Field, value: Result<usize, &str>, convert: Convert) -> Self {
        let key = format!("\"{}\":", field.name);
        match value {
            Ok(cell) => Self::Cell { key, cell, kind: &field.kind, convert },
            Err(constant) => {
                let mut text = key;
                convert.write(constant, &field.kind, &mut text);
                text.push(',');
                Self::Constant { text }
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Object { name, .. } | Self::List { name, .. } => name,
            Self::Cell { .. } | Self::Constant { .. } => "",
        }
    }

    /// Puts a value at the end of a path, making the objects and lists on the way.
    fn insert(&mut self, place: ColumnPlace<'_>, value: Self) {
        match self {
            Self::Cell { .. } | Self::Constant { .. } => unreachable!("a path leads through objects"),
            Self::List { elements, .. } => {
                if elements.last().is_none_or(|(number, _)| *number != place.number) {
                    elements.push((place.number, Self::object("", false)));
                }
                let (_, element) = elements.last_mut().expect("pushed above");
                element.insert(place, value);
            }
            Self::Object { members, .. } => {
                let Some((name, rest)) = place.path.split_first() else { return members.push(value) };
                if members.last().is_none_or(|member| member.name() != *name) {
                    let is_list = rest.is_empty() && place.is_list;
                    members.push(if is_list { Self::list(name) } else { Self::object(name, true) });
                }
                members.last_mut().expect("pushed above").insert(ColumnPlace { path: rest, ..place }, value);
            }
        }
    }

    /// Decides which objects need a cell: those that are optional, unless all of their values
    /// are constants. Returns whether there is any cell inside.
    fn settle(&mut self, required: bool) -> bool {
        match self {
            Self::Cell { .. } => true,
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
            Self::Cell { key, cell, kind, convert } => {
                let text = row.get(*cell).unwrap_or_default();
                if text.is_empty() {
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
            FieldKind::Array { .. } => write_list(text, out),
            _ => push_str_to(out, text),
        }
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
fn write_list(text: &str, out: &mut String) {
    out.push('[');
    for part in text.split(';') {
        push_str_to(out, part);
        out.push(',');
    }
    out.pop();
    out.push(']');
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
