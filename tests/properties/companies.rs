//! Companies that a row of a table can hold, sound and faulty, and what must become of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::readers::exact::Exact;
use crate::readers::table;

/// A company as a row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    /// The text under each column of docs/columns.md; never empty.
    pub(crate) cells: BTreeMap<String, String>,
    /// The code of the error that it must get; none where it is sound.
    pub(crate) error: Option<&'static str>,
}

impl Company {
    /// The company as an item in its envelope.
    pub(crate) fn item(&self) -> Exact {
        table::item(self.cells.iter().map(|(column, text)| (column.as_str(), text.as_str())))
    }

    /// The text under a column.
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// The company's own name for itself.
    pub(crate) fn correlation_id(&self) -> Option<&str> {
        self.cells.get("correlation_id").map(String::as_str)
    }
}

/// A request without the envelope around it.
pub(crate) fn bare(item: &Exact) -> Exact {
    let Exact::Object(mut members) = item.member("request").clone() else { panic!("a request is an object") };
    members.extend(item.get("correlation_id").map(|id| ("correlation_id".to_owned(), id.clone())));
    Exact::Object(members)
}

/// How JSON is written: what it says is the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) spaced: bool,
    pub(crate) escaped: bool,
}

/// Any style.
pub(crate) fn any_style() -> impl Strategy<Value = Style> {
    any::<(bool, bool)>().prop_map(|(spaced, escaped)| Style { spaced, escaped })
}

/// JSON on one line, in a style.
pub(crate) fn spelt(value: &Exact, style: Style) -> String {
    let (comma, colon) = if style.spaced { (" ,\t", " : ") } else { (",", ":") };
    let quoted = |text: &str| match style.escaped {
        true => {
            format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>())
        }
        false => Exact::string(text).write(),
    };
    match value {
        Exact::String(text) => quoted(text),
        Exact::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(|element| spelt(element, style)).collect();
            format!("[{}]", elements.join(comma))
        }
        Exact::Object(members) => {
            let member = |(name, value): &(String, Exact)| quoted(name) + colon + &spelt(value, style);
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(comma))
        }
        other => other.write(),
    }
}

/// A table with a header of canonical names, and a row for each company.
pub(crate) fn csv_text(companies: &[&Company], delimiter: u8) -> Vec<u8> {
    let columns = columns_of(companies);
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(&columns).unwrap();
    for company in companies {
        writer.write_record(columns.iter().map(|column| company.cell(column))).unwrap();
    }
    writer.into_inner().unwrap()
}

/// The columns that a table of these companies needs. The first one never holds a line break: what follows a line break
/// in the first column has as many cells as a row, and so would be the mark of a quote that was left open.
pub(crate) fn columns_of(companies: &[&Company]) -> Vec<String> {
    const FIRST: &str = "self_attestation_complete";
    let always = ["subject_id", "claims_jurisdiction"].map(str::to_owned);
    let used = companies.iter().flat_map(|company| company.cells.keys().cloned());
    let mut columns: std::collections::BTreeSet<_> = always.into_iter().chain(used).collect();
    columns.remove(FIRST);
    std::iter::once(FIRST.to_owned()).chain(columns).collect()
}

// ------------------------------------------------------------------------------------- strategies

/// Text that has tripped programs before.
const HOSTILE: [&str; 31] = [
    "=1+1",
    "'=1+1",
    "@SUM(A1)",
    "+49 30",
    "-",
    "'",
    "''@",
    "\t",
    "\r",
    "\n",
    "a\r\nb",
    "\"",
    "\"\"",
    "a,b;c|d\te",
    "\u{202e}gro.elpmaxe\u{202c}",
    "\u{feff}x",
    " lead and trail ",
    " ",
    "null",
    "true",
    "{}",
    "[",
    "\\u0000",
    "\\ud800",
    "\u{1b}[31m\u{7f}\u{80}\u{2028}",
    "💥👩‍👩‍👧",
    "e\u{301}\u{fffd}\u{10ffff}",
    "eyJ~.",
    "#",
    "sep=,",
    "error_code",
];

/// Any text that a field takes: no NUL, and not empty.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![4 => "[a-zA-Z0-9 .&-]{1,20}", 2 => "[^\\x00]{1,12}", 2 => select(HOSTILE.to_vec()).prop_map(str::to_owned)]
        .boxed()
}

/// Any text that an identifier may be: nothing that cannot be seen, no white space at its ends, no marker of a missing
/// value, and nothing that a spreadsheet or a program put around it.
pub(crate) fn identifier() -> BoxedStrategy<String> {
    let hostile =
        ["=1+1", "'=1+1", "@SUM(A1)", "+49 30", "''@", "'", "\"", "eyJ~.", "sep=,", "a,b;c|d", "error_code"];
    let between = text().prop_map(|text| format!("x{}z", text.chars().filter(is_seen).collect::<String>()));
    prop_oneof![3 => between, 1 => select(hostile.to_vec()).prop_map(str::to_owned)].boxed()
}

/// Whether a character is surely one that can be seen, or a space.
fn is_seen(character: &char) -> bool {
    // Letters by their category, and yet blank.
    let fillers = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}'];
    character.is_alphanumeric() && !fillers.contains(character)
        || character.is_ascii_graphic()
        || " 💥👩«“".contains(*character)
}

/// A share of 0 to 100, in every spelling that JSON has for it.
pub(crate) fn share() -> BoxedStrategy<String> {
    let spellings = [
        "0",
        "100",
        "62.5",
        "12.50",
        "1e2",
        "1E+2",
        "0.1e1",
        "5e-3",
        "100.000",
        "1e-300",
        "99.99999999999999999999",
        "0.00000000000000000000000000000000000000000000000000000000001",
        "1000000e-5",
        "0e99",
    ];
    prop_oneof![select(spellings.to_vec()).prop_map(str::to_owned), "[1-9]?[0-9]\\.[0-9]{1,20}"].boxed()
}

/// A URI, or a text that is none.
pub(crate) fn subject_id() -> BoxedStrategy<String> {
    let plain = ("[A-Z]{2} ", identifier()).prop_map(|(start, rest)| start + &rest);
    prop_oneof!["urn:example:[a-z0-9]{1,12}", "https://companies\\.example/[a-z0-9/]{1,12}", plain].boxed()
}

fn correlation_id() -> BoxedStrategy<String> {
    prop_oneof![select(vec!["0001", "0002"]).prop_map(str::to_owned), identifier()].boxed()
}

fn one_of(words: &[&str]) -> BoxedStrategy<String> {
    select(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).boxed()
}

/// The columns beside those of owners and address, and whether they are always there.
fn plain_columns() -> Vec<(&'static str, bool, BoxedStrategy<String>)> {
    let codes = ["GB", "US-DE", "JP-13", "DE", "FR"];
    // A separator in a reference would make two of it.
    let reference = text().prop_map(|text| text.replace(';', ":"));
    let references = prop::collection::vec(reference, 1..4).prop_map(|list| list.join(";"));
    vec![
        ("correlation_id", false, correlation_id()),
        ("credential_type", false, one_of(&["business"])),
        ("self_attestation_complete", true, one_of(&["true", "TRUE", "True"])),
        ("subject_id", true, subject_id()),
        ("subject_type", false, one_of(&["organisation"])),
        ("name", false, text()),
        ("registration_number", false, "[A-Z][0-9][A-Z0-9]{0,10}".boxed()),
        ("legal_form", false, text()),
        ("jurisdiction", false, one_of(&codes)),
        ("claims_jurisdiction", true, one_of(&codes)),
        ("tax_id_verified", false, one_of(&["true", "false", "FALSE"])),
        ("kyb_status", false, text()),
        ("business_type", false, text()),
        ("registered_name", false, text()),
        ("verified_at", false, one_of(&["2020-01-01T00:00:00Z", "2024-02-29T23:59:59.25+02:00"])),
        ("evidence_refs", false, references.boxed()),
        ("ttl", false, one_of(&["P1Y", "P6M", "P10Y", "PT1S", "P1Y2M3DT4H5M6S", "P52W"])),
    ]
}

/// Cells of columns, some of which may be left out.
fn cells(
    columns: Vec<(&'static str, bool, BoxedStrategy<String>)>,
) -> BoxedStrategy<BTreeMap<String, String>> {
    let cell = |(column, always, text): (&'static str, bool, BoxedStrategy<String>)| {
        let text =
            if always { text.prop_map(Some).boxed() } else { prop::option::weighted(0.4, text).boxed() };
        text.prop_map(move |text| text.map(|text| (column.to_owned(), text)))
    };
    columns
        .into_iter()
        .map(cell)
        .collect::<Vec<_>>()
        .prop_map(|cells| cells.into_iter().flatten().collect())
        .boxed()
}

fn owner() -> BoxedStrategy<BTreeMap<String, String>> {
    // A letter in front, so that nothing takes it for a number that a spreadsheet changed.
    let person = identifier().prop_map(|text| format!("P{text}"));
    cells(vec![
        ("full_name", true, text()),
        ("ownership_percent", false, share()),
        ("person_id", false, person.boxed()),
        ("role", false, text()),
    ])
}

fn address() -> BoxedStrategy<BTreeMap<String, String>> {
    cells(vec![
        ("line1", true, text()),
        ("line2", false, text()),
        ("city", true, text()),
        ("state_or_region", false, text()),
        ("postal_code", false, text()),
        ("country", true, one_of(&["GB", "JP", "US"])),
    ])
}

/// A company that must be issued.
pub(crate) fn sound() -> BoxedStrategy<Company> {
    let address = prop::option::weighted(0.3, address());
    (cells(plain_columns()), prop::collection::vec(owner(), 0..3), address)
        .prop_map(|(mut all, owners, address)| {
            for (at, owner) in owners.into_iter().enumerate() {
                all.extend(owner.into_iter().map(|(name, text)| (format!("owner{}_{name}", at + 1), text)));
            }
            let address = address.into_iter().flatten();
            all.extend(address.map(|(name, text)| (format!("address_{name}"), text)));
            Company { cells: all, error: None }
        })
        .boxed()
}

/// What makes a company fail: the cells that are changed (to nothing: that are emptied), and the
/// code of the error.
type Slip = (Vec<(&'static str, String)>, &'static str);

fn slips() -> Vec<Slip> {
    let (missing, failed) = ("missing_required_field", "validation_failed");
    let one = |column, text: &str, code| (vec![(column, text.to_owned())], code);
    let address = |city: &str, country: &str| {
        ["1 Harbour Walk", city, country]
            .into_iter()
            .zip(["address_line1", "address_city", "address_country"])
            .map(|(text, column)| (column, text.to_owned()))
            .collect::<Vec<_>>()
    };
    let owner = |name: &str, share: &str| {
        vec![("owner1_full_name", name.to_owned()), ("owner1_ownership_percent", share.to_owned())]
    };
    vec![
        one("self_attestation_complete", "", "self_attestation_incomplete"),
        one("self_attestation_complete", "false", "self_attestation_incomplete"),
        one("self_attestation_complete", "yes", "self_attestation_incomplete"),
        one("credential_type", "person", "unsupported_credential_type"),
        one("subject_id", "", missing),
        one("subject_id", &"é".repeat(513), failed),
        one("subject_id", "NULL", failed),
        one("subject_id", "\u{feff}x", failed),
        one("correlation_id", " lead and trail ", failed),
        one("correlation_id", "\"quoted\"", failed),
        one("subject_type", "person", failed),
        one("jurisdiction", "UK", failed),
        one("claims_jurisdiction", "gb", failed),
        one("tax_id_verified", "yes", failed),
        one("verified_at", "2020-01-01", failed),
        one("verified_at", "2999-01-01T00:00:00Z", failed),
        one("evidence_refs", "a;;b", failed),
        one("evidence_refs", &["a"; 51].join(";"), failed),
        one("ttl", "P0D", failed),
        one("ttl", "P1.5Y", failed),
        one("ttl", "P10YT1S", failed),
        one("correlation_id", &"x".repeat(513), failed),
        (address("", "GB"), missing),
        (address("Leith", "GBR"), failed),
        (owner("", "50"), missing),
        (owner("Ada", "101"), failed),
        (owner("Ada", "-0"), failed),
        (owner("Ada", "25%"), failed),
    ]
}

fn slipped(mut company: Company, slips: Vec<Slip>) -> Company {
    let mut touched = Vec::new();
    let mut codes = Vec::new();
    for (edits, code) in slips {
        if edits.iter().any(|(column, _)| touched.contains(column)) {
            continue;
        }
        codes.push(code);
        for (column, text) in edits {
            touched.push(column);
            company.cells.remove(column);
            if !text.is_empty() {
                company.cells.insert(column.to_owned(), text);
            }
        }
    }
    let same = codes.windows(2).all(|pair| pair[0] == pair[1]);
    // Another type is said alone: nothing is known of its rules.
    let foreign = codes.contains(&"unsupported_credential_type");
    company.error = codes.first().map(|first| match (foreign, same) {
        (true, _) => "unsupported_credential_type",
        (false, true) => *first,
        (false, false) => "validation_failed",
    });
    company
}

/// A company, which must fail about every third time.
pub(crate) fn any_company() -> BoxedStrategy<Company> {
    let some = subsequence(slips(), 1..=3);
    let slips = prop_oneof![2 => Just(Vec::new()), 1 => some];
    (sound(), slips).prop_map(|(company, slips)| slipped(company, slips)).boxed()
}
