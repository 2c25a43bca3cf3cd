//! CSV columns: their names, derived from the field table, and the header of a file.

use std::collections::HashMap;
use std::sync::LazyLock;

use csv::StringRecord;

use super::csv::bytes_of;
use super::damage::without_apostrophe;
use super::error::{Found, InputFault, MAX_NAMED, UnknownColumn};
use super::plan::{Convert, Node, plan};
use super::{Contents, Options};
use crate::invisible;
use crate::json::push_str_to;
use crate::request::fields::{Field, ITEM, Kind, Object};
use crate::request::rules::is_digits;

/// The canonical column names in the README's order, with columns for this many owners.
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

// ---------------------------------------------------------------------------------- the catalog

/// A field that a cell can feed.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) field: &'static Field,
    /// The members on the way to it, from the item, without itself.
    pub(super) parents: Vec<&'static str>,
    /// For members of list elements, the singular that the column names carry before a number.
    pub(super) list: Option<&'static str>,
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
    pub(super) fn json_rank(&self) -> (usize, usize) {
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
}

/// More bytes than a column's name has.
const LONGEST_NAME: usize = 64;

/// Stands for all owner columns in [`COLUMN_ORDER`].
const OWNER_COLUMNS: &str = "owner…";

/// The order of the README's list of columns. A field that is not named here comes last.
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
pub(super) struct Target {
    leaf: usize,
    pub(super) number: u64,
}

impl Target {
    pub(super) fn leaf(self) -> &'static Leaf {
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
        // No name is longer, and every character costs.
        if name.len() > 2 * LONGEST_NAME {
            return None;
        }
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
            Kind::PublicJwk | Kind::Ignored => {}
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
    let is_known = |cell: &&str| match options.contents {
        Contents::Items => find_column(cell, options).is_some(),
        Contents::Results => result_column(cell).is_some(),
    };
    header.filter(is_known).count()
}

/// The columns of a results table that are read, and the members of a result that they feed.
const RESULT_COLUMNS: [&str; 6] =
    ["credential_id", "id", "signed_payload", "correlation_id", "subject_id", "error_code"];

/// What each of the first [`RESULT_COLUMNS`] names a credential by, the preferred ones first.
const NAMING_COLUMNS: [RowKey; 5] =
    [RowKey::CredentialId, RowKey::CredentialId, RowKey::Token, RowKey::CorrelationId, RowKey::SubjectId];

/// The place of the correlation id among [`RESULT_COLUMNS`].
const CORRELATION_ID: usize = 3;

/// What the rows of a table name credentials by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKey {
    /// The credential's id.
    CredentialId,
    /// The credential itself.
    Token,
    /// The correlation id of its item.
    CorrelationId,
    /// The id of its subject.
    SubjectId,
}

impl RowKey {
    /// Whether it is an id of the user's own.
    pub fn is_own_id(self) -> bool {
        matches!(self, RowKey::CorrelationId | RowKey::SubjectId)
    }
}

/// The place of a column among [`RESULT_COLUMNS`], however its name is spelt.
fn result_column(name: &str) -> Option<usize> {
    let name = normal(name);
    RESULT_COLUMNS.iter().position(|known| normal(known) == name)
}

fn row_key(name: &str) -> Option<RowKey> {
    result_column(name).and_then(|column| NAMING_COLUMNS.get(column).copied())
}

/// Whether this is the name of a column of ids or of tokens.
pub fn names_credential(name: &str) -> bool {
    row_key(name).is_some_and(|key| !key.is_own_id())
}

/// Whether this is the name of a column of the user's own ids.
pub(super) fn names_own_id(name: &str) -> bool {
    row_key(name).is_some_and(RowKey::is_own_id)
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
    /// The columns with a field, for messages about one.
    targets: Vec<(usize, Target)>,
    /// The cells of each list element, in order of the numbers.
    elements: Vec<(u64, Vec<usize>)>,
    /// The cells of the columns in [`ERROR_COLUMNS`].
    errors: Vec<usize>,
    /// The one column of a results table that names credentials, where only one is read.
    key: Option<(RowKey, String)>,
    /// The cell that holds the record which could not be read, in a file of failed items.
    record: Option<usize>,
    plan: Plan,
}

/// What becomes of the cells of a row.
#[derive(Debug)]
enum Plan {
    /// An item.
    Item(Node),
    /// A result: the cell of each of [`RESULT_COLUMNS`], where the table has it.
    Result([Option<usize>; RESULT_COLUMNS.len()]),
}

/// What a file of failed items says about each, in front of its own columns. Read back, they feed no field.
pub(super) const ERROR_COLUMNS: [&str; 4] = ["error_code", "error_message", "error_paths", ERROR_RECORD];
/// The column of a record that could not be read.
const ERROR_RECORD: &str = "error_record";

fn is_error_column(name: &str) -> bool {
    ERROR_COLUMNS.iter().any(|column| normal(column) == normal(name))
}

impl Columns {
    /// Binds a header, which stands on this physical line.
    pub(super) fn new(
        header: StringRecord,
        line: u64,
        delimiter: u8,
        options: &Options,
    ) -> Result<Self, InputFault> {
        if options.contents == Contents::Results {
            return Self::of_results(header, line, delimiter, options.own_ids);
        }
        let targets = bind(&header, line, delimiter, options)?;
        let constants = constants(options)?;
        refuse_doubles(&header, &targets, &constants)?;
        refuse_missing(&targets, &constants)?;
        let unnamed = (0..header.len()).filter(|cell| header[*cell].trim().is_empty()).collect();
        let errors: Vec<_> = (0..header.len()).filter(|cell| is_error_column(&header[*cell])).collect();
        let named =
            targets.last().map(|(cell, _)| *cell).max(errors.last().copied()).map_or(0, |last| last + 1);
        let convert = Convert { decimal_comma: matches!(delimiter, b';' | b'\t') };
        Ok(Self {
            delimiter,
            named,
            unnamed,
            correlation_id: position_of(&targets, "correlation_id"),
            elements: elements(&targets),
            record: header.iter().position(|name| normal(name) == normal(ERROR_RECORD)),
            errors,
            key: None,
            plan: Plan::Item(plan(&targets, &constants, convert)),
            targets,
            header,
        })
    }

    /// Binds the header of a results table, which may have columns that are not read.
    fn of_results(header: StringRecord, line: u64, delimiter: u8, own_ids: bool) -> Result<Self, InputFault> {
        let mut places: [Option<usize>; RESULT_COLUMNS.len()] = Default::default();
        for (cell, name) in header.iter().enumerate() {
            let Some(column) = result_column(name) else { continue };
            if RESULT_COLUMNS[column] == "subject_id" && !own_ids {
                continue;
            }
            if let Some(first) = places[column].replace(cell) {
                let [first, second] = [first, cell].map(|cell| (shown(&header[cell]), cell + 1));
                return Err(InputFault::DuplicateColumn { first, second });
            }
        }
        let readable = |column: &usize| own_ids || !NAMING_COLUMNS[*column].is_own_id();
        let naming = (0..NAMING_COLUMNS.len()).filter(readable).find(|column| places[*column].is_some());
        let Some(naming) = naming else { return Err(InputFault::NoResultColumn { line, own_ids }) };
        let key = own_ids.then(|| {
            for other in (0..NAMING_COLUMNS.len()).filter(|other| ![naming, CORRELATION_ID].contains(other)) {
                places[other] = None;
            }
            let name = places[naming].and_then(|cell| header.get(cell)).unwrap_or_default();
            (NAMING_COLUMNS[naming], shown(name))
        });
        let named =
            (0..header.len()).rfind(|cell| !header[*cell].trim().is_empty()).map_or(0, |last| last + 1);
        Ok(Self {
            delimiter,
            named,
            unnamed: Vec::new(),
            correlation_id: places[CORRELATION_ID],
            targets: Vec::new(),
            elements: Vec::new(),
            errors: Vec::new(),
            key,
            record: None,
            plan: Plan::Result(places),
            header,
        })
    }

    /// The one column that names credentials, where only one is read: what it holds, and its name in the header.
    pub(super) fn key(&self) -> Option<&(RowKey, String)> {
        self.key.as_ref()
    }

    /// The most cells that a row can have.
    pub(super) fn width(&self) -> usize {
        self.header.len()
    }

    /// The fewest cells that a record can have.
    pub(super) fn fewest(&self) -> usize {
        self.named
    }

    /// Whether a row may have this many cells: those with a name, and any of the empty columns
    /// behind them.
    pub(super) fn fits(&self, cells: usize) -> bool {
        (self.named..=self.header.len()).contains(&cells)
    }

    /// The record that could not be read, and the cells of its own columns, in a row of a file of failed items; `None`
    /// where the row keeps none.
    pub(super) fn kept_record(&self, row: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let cell = self.record?;
        let cells = bytes_of(row, self.delimiter);
        let kept = cells.get(cell).filter(|kept| !kept.is_empty() && self.fits(cells.len()))?;
        let own = (0..cells.len()).filter(|cell| !self.errors.contains(cell));
        Some((kept.to_vec(), own.map(|cell| cells[cell].to_vec()).collect()))
    }

    /// The user's own name of a column.
    pub(super) fn own_name(&self, cell: usize) -> String {
        shown(self.header.get(cell).unwrap_or_default())
    }

    /// Whether the cells of this column are identifiers.
    pub(super) fn is_identifier(&self, cell: usize) -> bool {
        self.targets.iter().any(|(fed, target)| *fed == cell && target.leaf().field.identifier)
    }

    /// Whether a row is the header once more, as where two exports were joined. The second one may bring its
    /// byte order mark along.
    pub(super) fn repeats_header(&self, row: &StringRecord) -> bool {
        let first = row.get(0).map(|text| text.strip_prefix('\u{FEFF}').unwrap_or(text));
        first == self.header.get(0)
            && self.fits(row.len())
            && row.iter().skip(1).eq(self.header.iter().take(row.len()).skip(1))
    }

    /// The place of a value under no name, from 1.
    pub(super) fn unnamed_value(&self, row: &StringRecord) -> Option<usize> {
        let with_value = |cell: &&usize| row.get(**cell).is_some_and(|text| !text.trim().is_empty());
        self.unnamed.iter().find(with_value).map(|cell| cell + 1)
    }

    pub(super) fn correlation_id<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        row.get(self.correlation_id?).filter(|text| !text.is_empty())
    }

    /// The cells of a row, or of the header, without what an earlier run said about it.
    pub(super) fn own_cells<'r>(&self, row: &'r StringRecord) -> impl Iterator<Item = &'r str> {
        row.iter().enumerate().filter(|(cell, _)| !self.errors.contains(cell)).map(|(_, text)| text)
    }

    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The header cell of the column that feeds the field at this place, a JSON Pointer into the row's item.
    /// None where no column does: the field has a constant, or is missing from the file.
    pub(super) fn column_at(&self, row: &StringRecord, pointer: &str) -> Option<String> {
        let feeds = |(_, target): &&(usize, Target)| {
            // An element of a list in one cell, such as `/request/evidence_refs/0`, stands in its column too.
            let rest = pointer.strip_prefix(&self.pointer(row, *target));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && (target.leaf().list.is_none() || self.has_element(row, target.number))
        };
        let (cell, _) = self.targets.iter().find(feeds)?;
        Some(shown(&self.header[*cell]))
    }

    fn pointer(&self, row: &StringRecord, target: Target) -> String {
        let leaf = target.leaf();
        let mut pointer: String = leaf.parents.iter().flat_map(|parent| ["/", parent]).collect();
        if leaf.list.is_some() {
            let before = self.elements.iter().take_while(|(number, _)| *number < target.number);
            pointer += &format!("/{}", before.filter(|(number, _)| self.has_element(row, *number)).count());
        }
        pointer + "/" + leaf.field.name
    }

    /// Whether the row has the list element of this number: a cell of it that is not empty.
    fn has_element(&self, row: &StringRecord, number: u64) -> bool {
        let cells = self.elements.iter().filter(|(found, _)| *found == number).flat_map(|(_, cells)| cells);
        cells.into_iter().any(|cell| row.get(*cell).is_some_and(|text| !text.is_empty()))
    }

    /// Appends the item, or the result, that a row describes.
    pub(super) fn write_item(&self, row: &StringRecord, out: &mut String) {
        match &self.plan {
            Plan::Result(places) => write_result(places, row, out),
            Plan::Item(plan) => {
                if !plan.write(row, out) && out.is_empty() {
                    out.push_str("{},");
                }
                out.pop(); // the comma that every member leaves
            }
        }
    }
}

/// Appends a result as `batch-issue` writes it, with the members that are read back: those of
/// the credential, and whether there is an error.
fn write_result(places: &[Option<usize>], row: &StringRecord, out: &mut String) {
    out.push('{');
    for (name, place) in RESULT_COLUMNS.into_iter().zip(places) {
        let text = place.and_then(|cell| row.get(cell)).unwrap_or_default();
        // An id of the user's own is any text, so nothing is trimmed from it.
        let is_own_id = matches!(name, "correlation_id" | "subject_id");
        let text = if is_own_id { without_apostrophe(text) } else { text.trim() };
        match name {
            _ if text.is_empty() => continue,
            "error_code" => out.push_str("\"error\":{}"),
            name => {
                push_str_to(out, name);
                out.push(':');
                push_str_to(out, text);
            }
        }
        out.push(',');
    }
    if out.len() > 1 {
        out.pop();
    }
    out.push('}');
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
        } else if !is_error_column(name) {
            // Only so many are named in the message.
            let is_named = unknown.len() < MAX_NAMED;
            let suggest = || CATALOG.suggest(name).or_else(|| suggest_owners(name));
            let suggestion = is_named.then(suggest).flatten();
            unknown.push(UnknownColumn { name: shown(name), position: cell + 1, suggestion });
        }
    }
    if targets.is_empty() {
        return Err(InputFault::NoKnownColumn { line, delimiter: Found(delimiter) });
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
    let shown: String = name.trim().chars().take(MOST).flat_map(char::escape_debug).collect();
    let mut shown = invisible::escaped(&shown);
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

fn elements(targets: &[(usize, Target)]) -> Vec<(u64, Vec<usize>)> {
    let mut elements = std::collections::BTreeMap::<u64, Vec<usize>>::new();
    for (cell, target) in targets.iter().filter(|(_, target)| target.leaf().list.is_some()) {
        elements.entry(target.number).or_default().push(*cell);
    }
    elements.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use serde_json::{Value, json};

    use super::*;

    const REQUIRED: [(&str, &str); 3] =
        [("subject_id", "S"), ("self_attestation_complete", "true"), ("kyb_status", "ok")];

    fn options(columns: &[(&str, &str)], constants: &[(&str, &str)]) -> Options {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        Options { columns: map(columns), constants: map(constants), ..Options::default() }
    }

    fn bound(header: &[&str], options: &Options) -> Result<Columns, InputFault> {
        check_options(options)?;
        Columns::new(StringRecord::from(header.to_vec()), 1, options.delimiter.unwrap_or(b','), options)
    }

    fn fault(header: &[&str], options: &Options) -> String {
        bound(header, options).unwrap_err().to_string()
    }

    /// The item of one row, given as columns and cells.
    fn text(cells: &[(&str, &str)], options: &Options) -> String {
        let header: Vec<_> = cells.iter().map(|(name, _)| *name).collect();
        let row = StringRecord::from(cells.iter().map(|(_, cell)| *cell).collect::<Vec<_>>());
        let mut out = String::new();
        bound(&header, options).unwrap().write_item(&row, &mut out);
        out
    }

    fn item(cells: &[(&str, &str)], options: &Options) -> Value {
        serde_json::from_str(&text(cells, options)).unwrap()
    }

    fn with_required<'a>(cells: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        REQUIRED.into_iter().chain(cells.iter().copied()).collect()
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
        let columns = csv_columns(2);
        let (others, found): (Vec<&str>, Vec<&str>) =
            columns.iter().map(String::as_str).partition(|name| unlisted.contains(name));
        assert_eq!(found, listed.split_whitespace().collect::<Vec<_>>());
        assert_eq!(others, unlisted);
    }

    #[test]
    fn the_order_names_every_field_and_no_other() {
        let ranks: HashSet<_> = CATALOG.leaves.iter().map(Leaf::column_rank).collect();
        assert_eq!(ranks, (0..COLUMN_ORDER.len()).collect());
    }

    /// No two fields share a name in any spelling, and every name finds its own field.
    #[test]
    fn names_are_unambiguous() {
        let mut names: HashMap<String, usize> = HashMap::new();
        for (index, leaf) in CATALOG.leaves.iter().enumerate() {
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
                    assert_eq!(CATALOG.find(&name), Some(Target { leaf: index, number }), "{name}");
                    assert_eq!(*names.entry(normal(&name)).or_insert(index), index, "{name}");
                }
            }
        }
        let unnumbered = names.keys().filter(|name| !name.contains("owner")).count();
        assert_eq!(CATALOG.names.len(), unnumbered, "no name of one field hides another's");
    }

    #[test]
    fn owners_are_numbered_from_one_and_by_plain_numbers() {
        for name in ["owner0_role", "owner01_role", "owner_role", "owner1", "ownerx_role", "owner-1_role_"] {
            let found = CATALOG.find(name);
            assert_eq!(found.is_some(), name == "owner-1_role_", "{name}");
        }
        assert!(CATALOG.find("owner18446744073709551616_role").is_none());
        assert_eq!(CATALOG.find("Owner 120 Full Name").unwrap().name(), "owner120_full_name");
    }

    #[test]
    fn headers_that_cannot_be_bound() {
        let none = Options::default();
        let required = REQUIRED.map(|(name, _)| name);
        let with = |more: &[&'static str]| [&required[..], more].concat();
        for (header, options, message) in [
            (
                with(&["regstration_number"]),
                &none,
                "'regstration_number' (4; did you mean registration_number?)",
            ),
            (with(&["notes", "zzz"]), &none, "unknown columns 'notes' (4), 'zzz' (5)"),
            (
                with(&["Subject ID"]),
                &none,
                "columns 'subject_id' (1) and 'Subject ID' (4) are the same field",
            ),
            (with(&["", "ttl"]), &none, "column 4 has no name"),
            (vec!["subject_id", "kyb_status"], &none, "missing column self_attestation_complete"),
            (
                vec!["subject_id", "self_attestation_complete"],
                &none,
                "missing column of a claim, such as claims_jurisdiction",
            ),
            (vec!["a", "b"], &none, "no known column in the header; is the first row a header"),
            (
                with(&["ttl"]),
                &options(&[], &[("ttl", "P1Y")]),
                "column 'ttl' (4) and csv.constants both give ttl",
            ),
            (
                with(&[]),
                &options(&[("x", "subject")], &[]),
                "csv.columns maps 'x' to 'subject', which is no field",
            ),
            (
                with(&[]),
                &options(&[], &[("jurisdicton", "GB")]),
                "csv.constants gives 'jurisdicton', which is no field; did you mean jurisdiction?",
            ),
            (with(&[]), &options(&[], &[("ttl", ""), ("TTL", "")]), "csv.constants gives ttl twice"),
        ] {
            let fault = fault(&header, options);
            assert!(fault.contains(message), "{fault}");
        }
    }

    #[test]
    fn mappings_and_constants_stand_for_columns() {
        let options = options(
            &[("Firma", "subject.name"), ("Register Nr.", "registration_number"), ("ttl", "kyb_status")],
            &[("self_attestation_complete", "TRUE"), ("subject_id", "S"), ("address_country", "GB")],
        );
        let row = [("Firma", "A & B"), ("register-nr", "007"), ("ttl", "ok"), ("address_line1", "")];
        let expected = json!({"request": {
            "self_attestation_complete": true,
            "subject": {"id": "S", "name": "A & B", "registration_number": "007"},
            "claims": {"kyb_status": "ok"},
        }});
        assert_eq!(item(&row, &options), expected, "a constant alone makes no address");
        let row = [("Firma", ""), ("register-nr", ""), ("ttl", "ok"), ("address_line1", "x")];
        let address = &item(&row, &options)["request"]["claims"]["registered_address"];
        assert_eq!(*address, json!({"line1": "x", "country": "GB"}));
    }

    #[test]
    fn empty_cells_are_absent_and_owners_close_ranks() {
        let none = Options::default();
        assert_eq!(text(&REQUIRED.map(|(name, _)| (name, "")), &none), "{}");
        let row = with_required(&[
            ("owner3_role", "c"),
            ("owner1_full_name", ""),
            ("owner2_full_name", "B"),
            ("owner10_full_name", "J"),
            ("claims.beneficial_owners.4.full_name", "E"),
        ]);
        let owners = &item(&row, &none)["request"]["claims"]["beneficial_owners"];
        let expected = json!([{"full_name": "B"}, {"role": "c"}, {"full_name": "E"}, {"full_name": "J"}]);
        assert_eq!(*owners, expected);
    }

    #[test]
    fn cells_are_read_by_the_kind_of_their_field() {
        let semicolon = Options { delimiter: Some(b';'), ..Options::default() };
        for (column, cell, with_comma, with_semicolon) in [
            ("owner1_ownership_percent", "87,5", "\"87,5\"", "87.5"),
            ("owner1_ownership_percent", "1.234,5", "\"1.234,5\"", "\"1.234,5\""),
            ("owner1_ownership_percent", "1,2,3", "\"1,2,3\"", "\"1,2,3\""),
            ("owner1_ownership_percent", "25.10", "25.10", "25.10"),
            ("tax_id_verified", "FALSE", "false", "false"),
            ("tax_id_verified", "yes", "\"yes\"", "\"yes\""),
            ("evidence_refs", "a; b;;c;", "[\"a\",\" b\",\"\",\"c\",\"\"]", "[\"a\",\" b\",\"\",\"c\",\"\"]"),
            ("name", "007", "\"007\"", "\"007\""),
            ("name", " \u{FEFF}x\t", "\" \u{FEFF}x\\t\"", "\" \u{FEFF}x\\t\""),
        ] {
            for (options, expected) in [(&Options::default(), with_comma), (&semicolon, with_semicolon)] {
                let text = text(&with_required(&[(column, cell)]), options);
                assert!(text.contains(&format!(":{expected}")), "{text}");
                serde_json::from_str::<Value>(&text).unwrap();
            }
        }
    }

    #[test]
    fn strings_keep_every_character() {
        let all: String = (0..0x300).chain([0x2028, 0xFEFF, 0x1F600]).filter_map(char::from_u32).collect();
        let item = item(&with_required(&[("name", &all)]), &Options::default());
        assert_eq!(item["request"]["subject"]["name"], all.as_str());
    }

    /// Places in the item are found in the user's own header, also where a row leaves owners out.
    #[test]
    fn places_are_named_by_the_users_own_columns() {
        let row = with_required(&[
            ("Reg No", "1.0E+10"),
            ("owner1_role", ""),
            ("owner1_person_id", ""),
            ("owner2_role", "x"),
            ("Third ID", "1234.0"),
            ("evidence_refs", "a;b"),
        ]);
        let header: Vec<_> = row.iter().map(|(name, _)| *name).collect();
        let record = StringRecord::from(row.iter().map(|(_, cell)| *cell).collect::<Vec<_>>());
        let options = options(
            &[("Reg No", "registration_number"), ("Third ID", "owner3_person_id")],
            &[("ttl", "P1Y")],
        );
        let columns = bound(&header, &options).unwrap();
        let owners = "/request/claims/beneficial_owners";
        for (pointer, column) in [
            ("/request/subject/registration_number", Some("Reg No")),
            (&format!("{owners}/0/role"), Some("owner2_role")),
            (&format!("{owners}/1/person_id"), Some("Third ID")),
            ("/request/evidence_refs/1", Some("evidence_refs")),
            (&format!("{owners}/0/person_id"), None),
            ("/request/ttl", None),
            ("/request/subject", None),
        ] {
            assert_eq!(columns.column_at(&record, pointer).as_deref(), column, "{pointer}");
        }
    }
}
