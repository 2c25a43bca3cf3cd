//! CSV columns: their names, derived from the field table, and the plan by which a row becomes
//! the JSON text of an item.

use std::collections::HashMap;
use std::sync::LazyLock;

use csv::StringRecord;

use super::Options;
use super::error::{DamagedCell, Found, InputFault, UnknownColumn};
use crate::request::fields::{Field, ITEM, Kind, Object};

/// The canonical column names in the contract's order, with columns for this many owners.
pub fn csv_columns(owners: usize) -> Vec<String> {
    let mut leaves: Vec<&Leaf> = CATALOG.leaves.iter().collect();
    leaves.sort_by_key(|leaf| leaf.column_rank());
    let (first_owner, end) = owner_range(&leaves);
    let mut names: Vec<String> = leaves[..first_owner].iter().map(|leaf| leaf.column_name(0)).collect();
    for number in 1..=owners as u64 {
        names.extend(leaves[first_owner..end].iter().map(|leaf| leaf.column_name(number)));
    }
    names.extend(leaves[end..].iter().map(|leaf| leaf.column_name(0)));
    names
}

fn owner_range(leaves: &[&Leaf]) -> (usize, usize) {
    let first = leaves.iter().position(|leaf| leaf.list.is_some()).unwrap_or(leaves.len());
    let count = leaves.iter().filter(|leaf| leaf.list.is_some()).count();
    (first, first + count)
}

/// What a spreadsheet did to an identifier, if it did: `3.3048E+06`, `="03304752"`,
/// `03304752.0`, `'03304752`.
///
/// An apostrophe before a number that does not begin with 0 is left alone: some registers
/// publish numbers such as `'9900047091`.
pub fn spreadsheet_damage(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'=' if bytes.starts_with(b"=\"") && bytes.len() > 2 && bytes.ends_with(b"\"") => {
            Some("written as a spreadsheet formula; remove =\" and \"")
        }
        b'\'' if bytes.get(1) == Some(&b'0') && bytes[1..].iter().all(u8::is_ascii_digit) => {
            Some("begins with a spreadsheet's apostrophe; remove it")
        }
        b'0'..=b'9' | b'+' | b'-' if is_scientific(text) => {
            Some("number changed by a spreadsheet; restore its digits and format the column as text")
        }
        b'0'..=b'9' if is_digits_with_zero_fraction(text) => {
            Some("number with a decimal point added; remove it and format the column as text")
        }
        _ => None,
    }
}

/// `3.3048E+06`: spreadsheets write one digit, a fraction, and the exponent's sign. Without the
/// sign it may be a number that a register gave out.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    let digits = exponent.strip_prefix(['+', '-']);
    whole.len() == 1 && is_digits(whole) && is_digits(fraction) && digits.is_some_and(is_digits)
}

fn is_digits_with_zero_fraction(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else { return false };
    whole.len() >= 4 && is_digits(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

// ---------------------------------------------------------------------------------- the catalog

/// A field that a cell can feed.
#[derive(Debug)]
struct Leaf {
    field: &'static Field,
    /// The members on the way to it, from the item, without itself.
    parents: Vec<&'static str>,
    /// For members of list elements, the singular that the column names carry before a number.
    list: Option<&'static str>,
    /// The column's name; for list elements, what follows the singular and the number.
    name: String,
    /// Whether an item without it, in a row that has other cells, is incomplete.
    required: bool,
}

impl Leaf {
    fn column_name(&self, number: u64) -> String {
        match self.list {
            Some(singular) => format!("{singular}{number}_{}", self.name),
            None => self.name.clone(),
        }
    }

    fn column_rank(&self) -> usize {
        let name = if self.list.is_some() { OWNER_COLUMNS } else { &self.name };
        COLUMN_ORDER.iter().position(|known| *known == name).unwrap_or(COLUMN_ORDER.len())
    }

    /// The place among an item's members, as in the API's own examples: an item means the same
    /// in any order, and reads the same in this one.
    fn json_rank(&self) -> (usize, usize) {
        let section = match (self.parents.as_slice(), &self.field.kind) {
            (["request"], Kind::Attestation) => 0,
            (["request", "subject", ..], _) => 1,
            (["request", "claims", ..], _) if self.list.is_some() => 2,
            (["request", "claims"], _) => 3,
            (["request", "claims", ..], _) => 4,
            (["request"], Kind::Array { .. }) => 5,
            (["request"], Kind::CredentialType) => 7,
            (["request", ..], _) => 6,
            _ => 8,
        };
        (section, self.column_rank())
    }

    fn is_claim(&self) -> bool {
        self.parents.get(1) == Some(&"claims")
    }

    /// An identifier that spreadsheets take for a number.
    fn is_identifier(&self) -> bool {
        matches!(self.field.name, "id" | "registration_number" | "person_id")
    }
}

/// Stands for all owner columns in [`COLUMN_ORDER`].
const OWNER_COLUMNS: &str = "owner…";

/// The order of section 2.1 of the contract, with the columns that it does not list beside their
/// neighbours in the table. A field that is not named here comes last.
const COLUMN_ORDER: [&str; 24] = [
    "correlation_id",
    "subject_id",
    "subject_type",
    "name",
    "registration_number",
    "jurisdiction",
    "legal_form",
    "claims_jurisdiction",
    "tax_id_verified",
    "kyb_status",
    "business_type",
    "registered_name",
    "verified_at",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state_or_region",
    "address_postal_code",
    "address_country",
    OWNER_COLUMNS,
    "evidence_refs",
    "ttl",
    "self_attestation_complete",
    "credential_type",
];

struct Catalog {
    leaves: Vec<Leaf>,
    /// Normal forms of all names, of columns that are not numbered.
    names: HashMap<String, usize>,
    /// Normal forms of what stands before and after the number of a list's element, and the
    /// number of the first element.
    numbered: Vec<(String, String, u64, usize)>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::new);

/// A column's or a constant's field: a leaf, and the number of the list's element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Target {
    leaf: usize,
    number: u64,
}

impl Target {
    fn leaf(self) -> &'static Leaf {
        &CATALOG.leaves[self.leaf]
    }

    fn name(self) -> String {
        self.leaf().column_name(self.number)
    }
}

impl Catalog {
    fn new() -> Self {
        let mut leaves = Vec::new();
        collect(&ITEM, &[], true, &mut leaves);
        let mut catalog = Self { leaves, names: HashMap::new(), numbered: Vec::new() };
        for index in 0..catalog.leaves.len() {
            catalog.add_names(index);
        }
        catalog
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
    fn find(&self, name: &str) -> Option<Target> {
        let name = normal(name);
        if let Some(leaf) = self.names.get(&name) {
            return Some(Target { leaf: *leaf, number: 0 });
        }
        self.numbered.iter().find_map(|(before, after, first, leaf)| {
            let digits = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
            if !is_digits(digits) || (digits.len() > 1 && digits.starts_with('0')) {
                return None;
            }
            let number: u64 = digits.parse().ok().filter(|number| number >= first)?;
            Some(Target { leaf: *leaf, number: number.checked_add(1 - first)? })
        })
    }

    /// The nearest column name, for "did you mean".
    fn suggest(&self, name: &str) -> Option<String> {
        let name = normal(name);
        let nearness = |known: &String| strsim::normalized_damerau_levenshtein(&name, &normal(known));
        let known = csv_columns(1).into_iter().map(|known| (nearness(&known), known));
        let (nearness, known) = known.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (nearness >= 0.7).then_some(known)
    }
}

/// Collects the fields that a cell can feed, in the table's order.
fn collect(object: &'static Object, parents: &[&'static str], required: bool, leaves: &mut Vec<Leaf>) {
    for field in object.fields {
        let required = required && field.required;
        let inner: Vec<_> = parents.iter().copied().chain([field.name]).collect();
        match &field.kind {
            Kind::PublicJwk => {}
            Kind::Object(object) => collect(object, &inner, required, leaves),
            Kind::Array { of: Field { kind: Kind::Object(object), name, .. }, .. } => {
                let members = object.fields.iter();
                leaves.extend(members.map(|field| Leaf {
                    field,
                    parents: inner.clone(),
                    list: Some(name),
                    name: field.name.to_owned(),
                    required: false,
                }));
            }
            _ => {
                let name = column_name(field.name, parents, leaves);
                leaves.push(Leaf { field, parents: parents.to_vec(), list: None, name, required });
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

/// A name without case, spaces, dots, dashes and underscores.
fn normal(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '_'));
    plain.flat_map(char::to_lowercase).collect()
}

// ---------------------------------------------------------------------------- header and options

/// Refuses mappings and constants for fields that do not exist.
pub(super) fn check_options(options: &Options) -> Result<(), InputFault> {
    for (column, field) in &options.columns {
        if CATALOG.find(field).is_none() {
            let suggestion = CATALOG.suggest(field);
            let (column, field) = (column.clone(), field.clone());
            return Err(InputFault::UnknownMapping { column, field, suggestion });
        }
    }
    constants(options).map(drop)
}

fn constants(options: &Options) -> Result<HashMap<Target, &str>, InputFault> {
    let mut constants = HashMap::new();
    for (field, text) in &options.constants {
        let target = CATALOG.find(field).ok_or_else(|| InputFault::UnknownConstant {
            field: field.clone(),
            suggestion: CATALOG.suggest(field),
        })?;
        if constants.insert(target, text.as_str()).is_some() {
            return Err(InputFault::ConstantTwice { field: target.name() });
        }
    }
    constants.retain(|_, text| !text.is_empty());
    Ok(constants)
}

/// The field of a header cell: as mapped in the options, else by its name.
fn find_column(header: &str, options: &Options) -> Option<Target> {
    let normal_header = normal(header);
    let mapped = options.columns.get(header).or_else(|| {
        options.columns.iter().find(|(column, _)| normal(column) == normal_header).map(|(_, field)| field)
    });
    CATALOG.find(mapped.map_or(header, String::as_str))
}

/// How many of these header cells are known; tells delimiters apart.
pub(super) fn count_known<'a>(header: impl Iterator<Item = &'a str>, options: &Options) -> usize {
    header.filter(|cell| find_column(cell, options).is_some()).count()
}

/// The columns of one file, and the plan by which its rows become items.
#[derive(Debug)]
pub(super) struct Columns {
    /// The delimiter of the file.
    pub(super) delimiter: u8,
    header: StringRecord,
    /// The number of columns up to the last that has a name.
    named: usize,
    unnamed: Vec<usize>,
    correlation_id: Option<usize>,
    identifiers: Vec<(usize, Target)>,
    /// The cells of each list element, in order of the numbers.
    elements: Vec<(u64, Vec<usize>)>,
    plan: Node,
}

impl Columns {
    /// Binds a header, which stands on this physical line.
    pub(super) fn new(
        header: StringRecord,
        line: u64,
        delimiter: u8,
        options: &Options,
    ) -> Result<Self, InputFault> {
        let targets = bind(&header, line, delimiter, options)?;
        let constants = constants(options)?;
        refuse_doubles(&header, &targets, &constants)?;
        refuse_missing(&targets, &constants)?;
        let unnamed = (0..header.len()).filter(|cell| header[*cell].trim().is_empty()).collect();
        let named = targets.last().map_or(0, |(cell, _)| cell + 1);
        let convert = Convert { decimal_comma: matches!(delimiter, b';' | b'\t') };
        Ok(Self {
            delimiter,
            named,
            unnamed,
            correlation_id: position_of(&targets, "correlation_id"),
            identifiers: identifiers(&targets),
            elements: elements(&targets),
            plan: plan(&targets, &constants, convert),
            header,
        })
    }

    /// How many cells a row must have.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    /// Whether a row may have this many cells: those with a name, and any of the empty columns
    /// behind them.
    pub(super) fn fits(&self, cells: usize) -> bool {
        (self.named..=self.header.len()).contains(&cells)
    }

    pub(super) fn repeats_header(&self, row: &StringRecord) -> bool {
        row.get(0) == self.header.get(0)
            && self.fits(row.len())
            && row.iter().eq(self.header.iter().take(row.len()))
    }

    /// The place of a value under no name, from 1.
    pub(super) fn unnamed_value(&self, row: &StringRecord) -> Option<usize> {
        let with_value = |cell: &&usize| row.get(**cell).is_some_and(|text| !text.trim().is_empty());
        self.unnamed.iter().find(with_value).map(|cell| cell + 1)
    }

    pub(super) fn correlation_id<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        row.get(self.correlation_id?).filter(|text| !text.is_empty())
    }

    /// The identifiers of a row that a spreadsheet changed.
    pub(super) fn damaged(&self, row: &StringRecord) -> Vec<DamagedCell> {
        let damage = |(cell, target): &(usize, Target)| {
            let text = row.get(*cell)?;
            let hint = spreadsheet_damage(text)?;
            let value = (!target.leaf().field.personal).then(|| text.to_owned());
            Some(DamagedCell { column: target.name(), pointer: self.pointer(row, *target), value, hint })
        };
        self.identifiers.iter().filter_map(damage).collect()
    }

    fn pointer(&self, row: &StringRecord, target: Target) -> String {
        let leaf = target.leaf();
        let mut pointer: String = leaf.parents.iter().flat_map(|parent| ["/", parent]).collect();
        if leaf.list.is_some() {
            let is_present = |cells: &[usize]| cells.iter().any(|cell| !row[*cell].is_empty());
            let before = self.elements.iter().take_while(|(number, _)| *number < target.number);
            pointer += &format!("/{}", before.filter(|(_, cells)| is_present(cells)).count());
        }
        pointer + "/" + leaf.field.name
    }

    /// Appends the item that a row describes.
    pub(super) fn write_item(&self, row: &StringRecord, out: &mut String) {
        if !self.plan.write(row, out) && out.is_empty() {
            out.push_str("{},");
        }
        out.pop(); // the comma that every member leaves
    }
}

/// The field of each named column.
fn bind(
    header: &StringRecord,
    line: u64,
    delimiter: u8,
    options: &Options,
) -> Result<Vec<(usize, Target)>, InputFault> {
    let mut targets = Vec::new();
    let mut unknown = Vec::new();
    let mut unnamed = None;
    for (cell, name) in header.iter().enumerate() {
        if name.trim().is_empty() {
            unnamed = unnamed.or(Some(cell + 1));
        } else if let Some(target) = find_column(name, options) {
            targets.push((cell, target));
        } else {
            let suggestion = CATALOG.suggest(name).or_else(|| suggest_owners(name));
            unknown.push(UnknownColumn { name: shown(name), position: cell + 1, suggestion });
        }
    }
    if targets.is_empty() {
        let found: Vec<_> = header.iter().take(3).map(shown).collect();
        let (found, delimiter) = (found.join(", "), Found(delimiter));
        return Err(InputFault::NoKnownColumn { line, found, delimiter });
    }
    if !unknown.is_empty() {
        return Err(InputFault::UnknownColumns(unknown));
    }
    match unnamed {
        Some(position) if targets.iter().any(|(cell, _)| *cell >= position) => {
            Err(InputFault::UnnamedColumn { position })
        }
        _ => Ok(targets),
    }
}

/// For a list given whole, or without numbers.
fn suggest_owners(name: &str) -> Option<String> {
    let name = normal(name);
    let is_list = |leaf: &&Leaf| leaf.parents.last().is_some_and(|list| normal(list) == name);
    let leaf = CATALOG.leaves.iter().filter(|leaf| leaf.list.is_some()).find(is_list)?;
    Some(format!("{}, and so on", leaf.column_name(1)))
}

/// A header cell as a message shows it.
fn shown(name: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = name.trim().chars().take(MOST).flat_map(char::escape_debug).collect();
    if name.trim().chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

fn refuse_doubles(
    header: &StringRecord,
    targets: &[(usize, Target)],
    constants: &HashMap<Target, &str>,
) -> Result<(), InputFault> {
    let mut seen = HashMap::new();
    for (cell, target) in targets {
        let column = (shown(&header[*cell]), cell + 1);
        if constants.contains_key(target) {
            let (column, position) = column;
            return Err(InputFault::ColumnAndConstant { column, position, field: target.name() });
        }
        if let Some(first) = seen.insert(*target, column.clone()) {
            return Err(InputFault::DuplicateColumn { first, second: column });
        }
    }
    Ok(())
}

fn refuse_missing(targets: &[(usize, Target)], constants: &HashMap<Target, &str>) -> Result<(), InputFault> {
    let present = |leaf: usize| {
        targets.iter().map(|(_, target)| target).chain(constants.keys()).any(|target| target.leaf == leaf)
    };
    let leaves = || CATALOG.leaves.iter().enumerate();
    let required = leaves().filter(|(_, leaf)| leaf.required);
    let mut missing: Vec<String> =
        required.filter(|(index, _)| !present(*index)).map(|(_, leaf)| leaf.name.clone()).collect();
    if !leaves().any(|(index, leaf)| leaf.is_claim() && present(index)) {
        missing.push("of a claim, such as claims_jurisdiction".to_owned());
    }
    if missing.is_empty() { Ok(()) } else { Err(InputFault::MissingColumns(missing)) }
}

fn position_of(targets: &[(usize, Target)], name: &str) -> Option<usize> {
    targets.iter().find(|(_, target)| target.leaf().name == name).map(|(cell, _)| *cell)
}

fn identifiers(targets: &[(usize, Target)]) -> Vec<(usize, Target)> {
    targets.iter().copied().filter(|(_, target)| target.leaf().is_identifier()).collect()
}

fn elements(targets: &[(usize, Target)]) -> Vec<(u64, Vec<usize>)> {
    let mut elements = std::collections::BTreeMap::<u64, Vec<usize>>::new();
    for (cell, target) in targets.iter().filter(|(_, target)| target.leaf().list.is_some()) {
        elements.entry(target.number).or_default().push(*cell);
    }
    elements.into_iter().collect()
}

// -------------------------------------------------------------------------------------- the plan

/// A piece of the item. Written, it is a member (or an element) with a comma behind it, or
/// nothing.
#[derive(Debug)]
enum Node {
    /// The value of a cell.
    Cell { key: String, cell: usize, kind: &'static Kind, convert: Convert },
    /// The same for every row.
    Constant { text: String },
    /// An object, left out where it is empty. An object that a request can do without is also
    /// left out where nothing but constants would stand in it.
    Object { name: &'static str, key: String, members: Vec<Node>, needs_cell: bool },
    /// A list of objects.
    List { name: &'static str, key: String, elements: Vec<(u64, Node)> },
}

/// How cells are read.
#[derive(Debug, Clone, Copy)]
struct Convert {
    /// Whether the file comes from where `87,5` is a number.
    decimal_comma: bool,
}

fn plan(targets: &[(usize, Target)], constants: &HashMap<Target, &str>, convert: Convert) -> Node {
    let cells = targets.iter().map(|(cell, target)| (*target, Ok(*cell)));
    let constants = constants.iter().map(|(target, text)| (*target, Err(*text)));
    let mut values: Vec<(Target, Result<usize, &str>)> = cells.chain(constants).collect();
    values.sort_by_key(|(target, _)| {
        let (section, column) = target.leaf().json_rank();
        (section, target.number, column)
    });
    let mut root = Node::object("", true);
    for (target, value) in values {
        let leaf = target.leaf();
        root.insert(&leaf.parents, target, Node::value(leaf.field, value, convert));
    }
    root.settle(true);
    root
}

impl Node {
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
    fn insert(&mut self, path: &[&'static str], target: Target, value: Self) {
        match self {
            Self::Cell { .. } | Self::Constant { .. } => unreachable!("a path leads through objects"),
            Self::List { elements, .. } => {
                if elements.last().is_none_or(|(number, _)| *number != target.number) {
                    elements.push((target.number, Self::object("", false)));
                }
                let (_, element) = elements.last_mut().expect("pushed above");
                element.insert(path, target, value);
            }
            Self::Object { members, .. } => {
                let Some((name, rest)) = path.split_first() else { return members.push(value) };
                if members.last().is_none_or(|member| member.name() != *name) {
                    let is_list = rest.is_empty() && target.leaf().list.is_some();
                    members.push(if is_list { Self::list(name) } else { Self::object(name, true) });
                }
                members.last_mut().expect("pushed above").insert(rest, target, value);
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
    fn write(&self, row: &StringRecord, out: &mut String) -> bool {
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
    members: impl Iterator<Item = &'a Node>,
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
    fn write(self, text: &str, kind: &Kind, out: &mut String) {
        match kind {
            Kind::Boolean | Kind::Attestation if text.eq_ignore_ascii_case("true") => out.push_str("true"),
            Kind::Boolean | Kind::Attestation if text.eq_ignore_ascii_case("false") => out.push_str("false"),
            Kind::Percent if is_json_number(text) => out.push_str(text),
            Kind::Percent if self.decimal_comma => write_decimal_comma(text, out),
            Kind::Array { .. } => write_list(text, out),
            _ => write_string(text, out),
        }
    }
}

fn write_decimal_comma(text: &str, out: &mut String) {
    let number = text.replacen(',', ".", 1);
    if !text.contains('.') && is_json_number(&number) {
        out.push_str(&number);
    } else {
        write_string(text, out);
    }
}

/// Every `;` separates, also the last: an empty part is an empty string, which the rules refuse.
fn write_list(text: &str, out: &mut String) {
    out.push('[');
    for part in text.split(';') {
        write_string(part, out);
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

/// Appends a JSON string with these very characters.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[written..at]);
        write_escape(byte, out);
        written = at + 1;
    }
    out.push_str(&text[written..]);
    out.push('"');
}

fn write_escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        byte => out.push_str(&format!("\\u{byte:04x}")),
    }
}
