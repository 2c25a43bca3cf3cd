//! The header of a CSV file of items: the field of each column.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use csv::StringRecord;

use super::Items;
use super::catalog::{Catalog, ColumnTarget, Leaf, Numbers};
use super::mapping::CellReading;
use super::plan::{Convert, PlanNode, plan};
use crate::json::push_pointer_segment;
use crate::source::columns::{normal, shown};
use crate::source::dialect::{Binding, RowPlan};
use crate::source::error::{Found, InputFault, MAX_NAMED, UnknownColumn};
use crate::types::{CredentialType, FieldKind, Scalar};

impl Items {
    /// Refuses mappings and constants for fields that do not exist.
    pub(super) fn check(&self) -> Result<(), InputFault> {
        self.mapping.check()?;
        let fields = self.mapping.columns.iter();
        for (column, field) in
            fields.flat_map(|(column, fields)| fields.iter().map(move |field| (column, field)))
        {
            if self.catalog.find(field).is_none() {
                let suggestion = self.catalog.suggest(field);
                let (column, field) = (column.clone(), field.clone());
                return Err(InputFault::UnknownMapping { column, field, suggestion });
            }
        }
        self.constants()?;
        self.defaults().map(drop)
    }

    /// What every row has: what the run sets, and the constants of the settings that it does not set.
    fn constants(&self) -> Result<HashMap<ColumnTarget, &str>, InputFault> {
        let mut constants = self.texts_of("--set", &self.mapping.set)?;
        for (target, text) in self.texts_of("csv.constants", &self.mapping.constants)? {
            constants.entry(target).or_insert(text);
        }
        constants.retain(|_, text| !text.is_empty());
        Ok(constants)
    }

    /// What gives every row this field.
    fn setting_of(&self, target: ColumnTarget) -> &'static str {
        let mut set = self.mapping.set.keys().filter_map(|field| self.catalog.find(field));
        if set.any(|set| self.catalog.overlap(set, target)) { "--set" } else { "csv.constants" }
    }

    /// The texts of empty cells.
    fn defaults(&self) -> Result<HashMap<ColumnTarget, &str>, InputFault> {
        self.texts_of("csv.defaults", &self.mapping.defaults)
    }

    /// Texts by the fields that they are for.
    fn texts_of<'t>(
        &self,
        setting: &'static str,
        texts: &'t BTreeMap<String, String>,
    ) -> Result<HashMap<ColumnTarget, &'t str>, InputFault> {
        let catalog = &self.catalog;
        let mut constants = HashMap::new();
        for (field, text) in texts {
            let target = catalog.find(field).ok_or_else(|| InputFault::UnknownConstant {
                setting,
                field: field.clone(),
                suggestion: catalog.suggest(field),
            })?;
            // Twice is also a list, and a part of it under another name.
            let is_given = constants.keys().any(|given| catalog.overlap(*given, target));
            if is_given || constants.insert(target, text.as_str()).is_some() {
                return Err(InputFault::ConstantTwice { setting, field: catalog.name(target) });
            }
        }
        Ok(constants)
    }

    /// The fields of a header cell: as mapped in the settings, else by its name.
    pub(super) fn find_columns(&self, header: &str, catalog: &Catalog) -> Vec<ColumnTarget> {
        match self.mapping.fields_of(header) {
            Some(fields) => fields.iter().filter_map(|field| catalog.find(field)).collect(),
            None if self.mapping.ignores(header) => Vec::new(),
            None => catalog.find(header).into_iter().collect(),
        }
    }

    /// Whether a header feeds no field, and need not.
    pub(super) fn is_skipped(&self, header: &str) -> bool {
        is_error_column(header) || self.mapping.ignores_unknown || self.mapping.ignores(header)
    }

    /// Binds a header, which stands on this physical line.
    pub(super) fn bind_header(
        &self,
        header: &StringRecord,
        line: u64,
        delimiter: u8,
    ) -> Result<Binding, InputFault> {
        // Claims of any names are known once the header is.
        let of_header = Items { catalog: self.catalog.with_any_claims(header.iter()), ..self.clone() };
        of_header.bind_known(header, line, delimiter)
    }

    fn bind_known(&self, header: &StringRecord, line: u64, delimiter: u8) -> Result<Binding, InputFault> {
        let targets = self.targets(header, line, delimiter)?;
        let constants = self.constants()?;
        let defaults = self.defaults()?;
        self.refuse_doubles(header, &targets, &constants)?;
        self.refuse_missing(header, &targets, constants.keys().chain(defaults.keys()))?;
        let unnamed = (0..header.len()).filter(|cell| header[*cell].trim().is_empty()).collect();
        let errors: Vec<_> = (0..header.len()).filter(|cell| is_error_column(&header[*cell])).collect();
        let is_named = |cell: &usize| !header[*cell].trim().is_empty();
        let named = (0..header.len()).rfind(is_named).map_or(0, |last| last + 1);
        let convert = Convert { decimal_comma: matches!(delimiter, b';' | b'\t') };
        let root = plan(&self.catalog, &targets, (&constants, &defaults), convert);
        let of_correlation_id =
            |(_, target): &&(usize, ColumnTarget)| self.catalog.leaf(*target).name == "correlation_id";
        Ok(Binding {
            named,
            unnamed,
            correlation_id: targets.iter().find(of_correlation_id).map(|(cell, _)| *cell),
            record: header.iter().position(|name| normal(name) == normal(ERROR_RECORD)),
            errors,
            key: None,
            readings: self.readings(header, &targets),
            plan: Box::new(ItemPlan {
                elements: ListElement::of(&self.catalog, &targets),
                catalog: Arc::clone(&self.catalog),
                targets,
                root,
            }),
        })
    }

    /// The field of each named column.
    fn targets(
        &self,
        header: &StringRecord,
        line: u64,
        delimiter: u8,
    ) -> Result<Vec<(usize, ColumnTarget)>, InputFault> {
        let mut targets = Vec::new();
        let mut unknown = Vec::new();
        let mut unnamed = None;
        for (cell, name) in header.iter().enumerate() {
            let found = self.find_columns(name, &self.catalog);
            if name.trim().is_empty() {
                unnamed = unnamed.or(Some(cell + 1));
            } else if !found.is_empty() {
                targets.extend(found.into_iter().map(|target| (cell, target)));
            } else if !self.is_skipped(name) {
                // Only so many are named in the message.
                let is_named = unknown.len() < MAX_NAMED;
                let suggest = || self.catalog.suggest(name).or_else(|| self.suggest_elements(name));
                let suggestion = is_named.then(suggest).flatten();
                unknown.push(UnknownColumn { name: shown(name), position: cell + 1, suggestion });
            }
        }
        if !unknown.is_empty()
            && let Some(name) = self.other_type_of(header)
        {
            return Err(InputFault::ColumnsOfType { name });
        }
        if targets.is_empty() {
            return Err(InputFault::NoKnownColumn { line, delimiter: Found(delimiter) });
        }
        if !unknown.is_empty() {
            return Err(InputFault::UnknownColumns {
                columns: unknown,
                mapping: self.mapping_to_paste(header),
            });
        }
        match unnamed {
            Some(position) if targets.iter().any(|(cell, _)| *cell >= position) => {
                Err(InputFault::UnnamedColumn { position })
            }
            _ => Ok(targets),
        }
    }

    /// How the cells of each column are read, where a setting says so.
    fn readings(
        &self,
        header: &StringRecord,
        targets: &[(usize, ColumnTarget)],
    ) -> Vec<(usize, CellReading)> {
        let mut readings: Vec<(usize, CellReading)> = Vec::new();
        for (cell, _) in targets {
            if readings.last().is_some_and(|(last, _)| last == cell) {
                continue; // a column that feeds several fields
            }
            let fed = targets.iter().filter(|(fed, _)| fed == cell).map(|(_, target)| *target);
            let names: Vec<String> = fed.clone().map(|target| self.catalog.name(target)).collect();
            let kinds = || fed.clone().map(|target| &self.catalog.leaf(target).field.kind);
            let names = [&header[*cell]].into_iter().chain(names.iter().map(String::as_str));
            let reading = self.mapping.reading(names, kinds().any(is_share), kinds().any(has_time));
            readings.push((*cell, reading));
        }
        readings.retain(|(_, reading)| !reading.is_plain());
        readings
    }

    /// The type other than the file's that has all of these columns.
    fn other_type_of(&self, header: &StringRecord) -> Option<&'static str> {
        let has_all = |known: &&'static CredentialType| {
            let catalog = Arc::new(Catalog::of(known)).with_any_claims(header.iter());
            let mut names = header.iter().filter(|name| !name.trim().is_empty() && !is_error_column(name));
            names.all(|name| !self.find_columns(name, &catalog).is_empty())
        };
        self.types.all().iter().copied().skip(1).find(has_all).map(|known| known.name)
    }

    /// For a list given whole, or without numbers.
    fn suggest_elements(&self, name: &str) -> Option<String> {
        let name = normal(name);
        let is_list = |leaf: &&Leaf| leaf.lists.last().is_some_and(|list| normal(list.singular) == name);
        let leaf = self.catalog.leaves().iter().find(is_list)?;
        Some(format!("{}, and so on", leaf.first_column_name()))
    }

    fn refuse_doubles(
        &self,
        header: &StringRecord,
        targets: &[(usize, ColumnTarget)],
        constants: &HashMap<ColumnTarget, &str>,
    ) -> Result<(), InputFault> {
        let mut seen = HashMap::new();
        for (cell, target) in targets {
            let column = (shown(&header[*cell]), cell + 1);
            if constants.keys().any(|constant| self.catalog.overlap(*constant, *target)) {
                let (column, position) = column;
                return Err(InputFault::ColumnAndConstant {
                    setting: self.setting_of(*target),
                    column,
                    position,
                    field: self.catalog.name(*target),
                });
            }
            if let Some(first) = seen.insert(*target, column.clone()) {
                return Err(InputFault::DuplicateColumn { first, second: column });
            }
            // A list that one cell holds, and a column of one of its elements.
            let overlaps = |(_, earlier): &&(usize, ColumnTarget)| self.catalog.overlap(*earlier, *target);
            if self.catalog.may_overlap(*target)
                && let Some((first, _)) = targets.iter().filter(|(other, _)| other != cell).find(overlaps)
            {
                let first = (shown(&header[*first]), first + 1);
                return Err(InputFault::DuplicateColumn { first, second: column });
            }
        }
        Ok(())
    }

    fn refuse_missing<'t>(
        &self,
        header: &StringRecord,
        targets: &[(usize, ColumnTarget)],
        given: impl Iterator<Item = &'t ColumnTarget> + Clone,
    ) -> Result<(), InputFault> {
        let fed = || targets.iter().map(|(_, target)| *target).chain(given.clone().copied());
        let is_present = |leaf: &&Leaf| self.catalog.is_fed(leaf, fed());
        let leaves = || self.catalog.leaves().iter();
        let absent = leaves().filter(|leaf| leaf.required && !is_present(leaf));
        let missing: Vec<String> = absent.map(|leaf| leaf.name.clone()).collect();
        let mut claims = leaves().filter(|leaf| leaf.is_claim());
        let example = claims.clone().next().map(Leaf::first_column_name);
        let example = example.or_else(|| self.catalog.takes_any_claims().then(|| "claims.result".to_owned()));
        let claim = example.filter(|_| !claims.any(|leaf| is_present(&leaf)));
        if missing.is_empty() && claim.is_none() {
            return Ok(());
        }
        let found = header.iter().filter(|name| !name.trim().is_empty()).map(shown).collect();
        Err(InputFault::MissingColumns { missing, claim, found })
    }
}

/// Whether a number of this kind may have a percent sign in a spreadsheet.
fn is_share(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Percent => true,
        FieldKind::Judged(judged) => matches!(judged.scalar, Scalar::Number | Scalar::Whole),
        _ => false,
    }
}

/// Whether a date of this kind has a time.
fn has_time(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::PastDateTime => true,
        FieldKind::Judged(judged) => judged.schema.has_format("date-time"),
        _ => false,
    }
}

/// What a file of failed items says about each, in front of its own columns. Read back, they feed no field.
pub(in super::super) const ERROR_COLUMNS: [&str; 4] =
    ["error_code", "error_message", "error_paths", ERROR_RECORD];
/// The column of a record that could not be read.
pub(super) const ERROR_RECORD: &str = "error_record";

pub(super) fn is_error_column(name: &str) -> bool {
    ERROR_COLUMNS.iter().any(|column| normal(column) == normal(name))
}

/// How the rows under a header become items.
#[derive(Debug)]
struct ItemPlan {
    catalog: Arc<Catalog>,
    /// The columns with a field, for messages about one.
    targets: Vec<(usize, ColumnTarget)>,
    /// The elements of lists that have columns, in order of their numbers.
    elements: Vec<ListElement>,
    root: PlanNode,
}

impl ItemPlan {
    /// Where a row's item has a target's field: a list has only the elements that the row has.
    fn pointer(&self, row: &StringRecord, target: ColumnTarget) -> String {
        let leaf = self.catalog.leaf(target);
        let mut pointer = String::new();
        let mut lists = leaf.lists.iter().enumerate().peekable();
        for (place, parent) in leaf.parents.iter().enumerate() {
            pointer.extend(["/", parent]);
            if let Some((level, list)) = lists.next_if(|(_, list)| list.depth == place + 1) {
                let before = |element: &&ListElement| {
                    element.list == leaf.parents[..list.depth]
                        && element.numbers[..level] == target.numbers[..level]
                        && element.numbers[level] < target.numbers[level]
                        && element.is_in(row)
                };
                pointer += &format!("/{}", self.elements.iter().filter(before).count());
            }
        }
        pointer.push('/');
        push_pointer_segment(&mut pointer, leaf.field.name);
        pointer
    }

    /// Whether the row has the element of the innermost list that a target's field is in.
    fn has_element(&self, row: &StringRecord, target: ColumnTarget) -> bool {
        let leaf = self.catalog.leaf(target);
        leaf.lists.last().is_none_or(|list| {
            let level = leaf.lists.len();
            self.elements.iter().any(|element| {
                element.list == leaf.parents[..list.depth]
                    && element.numbers[..level] == target.numbers[..level]
                    && element.is_in(row)
            })
        })
    }

    /// Whether a pointer leads to a target's field, or into it, whatever the numbers of list elements.
    fn leads_to(&self, pointer: &str, target: ColumnTarget) -> bool {
        let leaf = self.catalog.leaf(target);
        let mut found = pointer.split('/').skip(1);
        let parents = leaf.parents.iter().enumerate().all(|(place, parent)| {
            let is_parent = found.next() == Some(parent);
            let is_list = leaf.lists.iter().any(|list| list.depth == place + 1);
            is_parent && (!is_list || found.next().is_some())
        });
        let mut name = String::new();
        push_pointer_segment(&mut name, leaf.field.name);
        parents && found.next() == Some(name.as_str())
    }
}

/// An element of a list of objects that has columns of its own.
#[derive(Debug)]
struct ListElement {
    /// The members on the way to the list, with itself.
    list: Vec<&'static str>,
    /// Its number, behind those of the elements that it is in.
    numbers: Numbers,
    cells: Vec<usize>,
}

impl ListElement {
    fn of(catalog: &Catalog, targets: &[(usize, ColumnTarget)]) -> Vec<ListElement> {
        let mut cells = BTreeMap::<_, Vec<usize>>::new();
        for (cell, target) in targets {
            let leaf = catalog.leaf(*target);
            for (level, list) in leaf.lists.iter().enumerate() {
                let mut numbers = Numbers::default();
                numbers[..=level].copy_from_slice(&target.numbers[..=level]);
                cells.entry((leaf.parents[..list.depth].to_vec(), numbers)).or_default().push(*cell);
            }
        }
        let element = |((list, numbers), cells)| ListElement { list, numbers, cells };
        cells.into_iter().map(element).collect()
    }

    /// Whether a row has it: a cell of it that is not empty.
    fn is_in(&self, row: &StringRecord) -> bool {
        self.cells.iter().any(|cell| row.get(*cell).is_some_and(|text| !text.is_empty()))
    }
}

impl RowPlan for ItemPlan {
    fn write(&self, row: &StringRecord, out: &mut String) {
        if !self.root.write(row, out) && out.is_empty() {
            out.push_str("{},");
        }
        out.pop(); // the comma that every member leaves
    }

    fn cell_at(&self, row: &StringRecord, pointer: &str) -> Option<usize> {
        let feeds = |(_, target): &&(usize, ColumnTarget)| {
            self.leads_to(pointer, *target)
                && self.has_element(row, *target)
                // An element of a list in one cell, such as `/request/evidence_refs/0`, stands in its column too.
                && pointer
                    .strip_prefix(&self.pointer(row, *target))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.targets.iter().find(feeds).map(|(cell, _)| *cell)
    }

    fn is_identifier(&self, cell: usize) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|(fed, target)| *fed == cell && self.catalog.leaf(*target).field.identifier)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::columns::Columns;
    use super::super::Mapping;
    use super::*;
    use crate::types::Types;

    const REQUIRED: [(&str, &str); 3] =
        [("subject_id", "S"), ("self_attestation_complete", "true"), ("kyb_status", "ok")];

    /// `csv.columns` and `csv.constants`, and the delimiter.
    struct BindOptions {
        items: Items,
        delimiter: u8,
    }

    fn options(columns: &[(&str, &str)], constants: &[(&str, &str)]) -> BindOptions {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let mapping = Mapping { constants: map(constants), ..Mapping::of_columns(map(columns)) };
        let items = Items { mapping, ..Items::of(Types::BUILT_IN) };
        BindOptions { items, delimiter: b',' }
    }

    fn bound(header: &[&str], options: &BindOptions) -> Result<Columns, InputFault> {
        options.items.check()?;
        Columns::new(StringRecord::from(header.to_vec()), 1, options.delimiter, &options.items)
    }

    fn fault(header: &[&str], options: &BindOptions) -> String {
        bound(header, options).unwrap_err().to_string()
    }

    /// The item of one row, given as columns and cells.
    fn text(cells: &[(&str, &str)], options: &BindOptions) -> String {
        let header: Vec<_> = cells.iter().map(|(name, _)| *name).collect();
        let row = StringRecord::from(cells.iter().map(|(_, cell)| *cell).collect::<Vec<_>>());
        let mut out = String::new();
        bound(&header, options).unwrap().write_item(&row, &mut out);
        out
    }

    fn item(cells: &[(&str, &str)], options: &BindOptions) -> Value {
        serde_json::from_str(&text(cells, options)).unwrap()
    }

    fn with_required<'a>(cells: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        REQUIRED.into_iter().chain(cells.iter().copied()).collect()
    }

    #[test]
    fn headers_that_cannot_be_bound() {
        let none = options(&[], &[]);
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
                "missing a column for a claim, such as claims_jurisdiction",
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
                "csv.columns maps 'x' to 'subject', which is not a field",
            ),
            (
                with(&[]),
                &options(&[], &[("jurisdicton", "GB")]),
                "csv.constants gives 'jurisdicton', which is not a field; did you mean jurisdiction?",
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
        let none = options(&[], &[]);
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
        let semicolon = BindOptions { delimiter: b';', ..options(&[], &[]) };
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
            for (options, expected) in [(&options(&[], &[]), with_comma), (&semicolon, with_semicolon)] {
                let text = text(&with_required(&[(column, cell)]), options);
                assert!(text.contains(&format!(":{expected}")), "{text}");
                serde_json::from_str::<Value>(&text).unwrap();
            }
        }
    }

    #[test]
    fn strings_keep_every_character() {
        let all: String = (0..0x300).chain([0x2028, 0xFEFF, 0x1F600]).filter_map(char::from_u32).collect();
        let item = item(&with_required(&[("name", &all)]), &options(&[], &[]));
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
            let found = columns.column_at(&record, pointer).map(|found| found.name);
            assert_eq!(found.as_deref(), column, "{pointer}");
        }
    }
}
