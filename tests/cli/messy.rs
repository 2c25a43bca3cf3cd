//! The dirty files of the test data, each with what becomes of it. What is right is said
//! by the README there and by docs/dirty-input.md; where that README leaves a choice, the choice is
//! in a comment.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::readers::exact::Exact;
use crate::readers::table;
use crate::readers::token::request_of;
use crate::support::*;

/// A file, how it is read, and what becomes of it.
struct Case {
    file: &'static str,
    options: &'static str,
    end: End,
    /// What the warnings say, in order.
    warnings: &'static [&'static str],
    /// Items under an id of 00-clean whose content the file changed on purpose.
    changed: &'static [&'static str],
}

enum End {
    /// All items are issued; exit code 0.
    Accepted { items: usize },
    /// These fail, the others are issued; exit code 3.
    Items { issued: usize, failures: Vec<Failure> },
    /// Nothing is issued; exit code 4, and these are parts of the message.
    Refused { parts: &'static [&'static str] },
}

/// A failed item: its physical line (none in JSON), its code, and parts of what is said of it.
struct Failure {
    line: Option<u64>,
    code: &'static str,
    parts: Vec<String>,
}

impl Case {
    fn new(file: &'static str, end: End) -> Case {
        Case { file, options: "", end, warnings: &[], changed: &[] }
    }

    fn with(self, options: &'static str) -> Case {
        Case { options, ..self }
    }

    fn warned(self, warnings: &'static [&'static str]) -> Case {
        Case { warnings, ..self }
    }

    fn changing(self, changed: &'static [&'static str]) -> Case {
        Case { changed, ..self }
    }
}

fn accepted(file: &'static str, items: usize) -> Case {
    Case::new(file, End::Accepted { items })
}

fn refused(file: &'static str, parts: &'static [&'static str]) -> Case {
    Case::new(file, End::Refused { parts })
}

fn some_fail(file: &'static str, issued: usize, failures: impl IntoIterator<Item = Failure>) -> Case {
    Case::new(file, End::Items { issued, failures: failures.into_iter().collect() })
}

fn fails(line: u64, code: &'static str, parts: &[&str]) -> Failure {
    Failure { line: Some(line), code, parts: parts.iter().map(|&part| part.to_owned()).collect() }
}

const MALFORMED: &str = "malformed_request";
const MISSING: &str = "missing_required_field";
const INVALID: &str = "validation_failed";
const ATTESTATION: &str = "self_attestation_incomplete";

fn cases() -> Vec<Case> {
    let mut cases = csv_files();
    cases.extend(csv_cells());
    cases.extend(ndjson_files());
    cases.extend(ndjson_items());
    cases.extend(json_files());
    cases.extend(gzip_files());
    cases
}

fn csv_files() -> Vec<Case> {
    vec![
        accepted("00-clean.csv", 24),
        accepted("c01-utf8-bom.csv", 24),
        accepted("c02-crlf.csv", 24),
        // Choice: CR alone ends a row, too.
        accepted("c03-cr-only.csv", 24),
        refused("c04-latin1.csv", &["not UTF-8", "line 13, byte 117 (0xD8)", "CSV UTF-8", "--encoding"]),
        accepted("c04-latin1.csv", 16).with("--encoding iso-8859-1"),
        refused("c05-excel-cp1252-semicolon.csv", &["not UTF-8", "(0xD8)", "--encoding"]),
        accepted("c05-excel-cp1252-semicolon.csv", 17).with("--encoding windows-1252 --delimiter ;"),
        // Choice: the delimiter is found, so the encoding alone is enough.
        accepted("c05-excel-cp1252-semicolon.csv", 17).with("--encoding windows-1252"),
        // Choice: UTF-16 is read by its mark.
        accepted("c06-excel-utf16le-tab.csv", 24),
        // Choice: the delimiter is found, and under it `87,5` is 87.5.
        accepted("c07-semicolon-decimal-comma.csv", 24),
        accepted("c07-semicolon-decimal-comma.csv", 24).with("--delimiter ;"),
        accepted("c08-sep-line.csv", 24),
        accepted("c09-quoted-newlines.csv", 24).changing(&CHANGED_ADDRESSES),
        accepted("c10-trailing-commas.csv", 24),
        accepted("c11-blank-lines.csv", 24),
        // Choice: a failure, so that a file joined from two is noticed.
        some_fail("c12-repeated-header.csv", 24, [fails(14, MALFORMED, &["repeats the header"])]),
        refused("c13-duplicate-column.csv", &["column 'jurisdiction' appears at 4 and 36"]),
        refused("c14-extra-columns.csv", &["'company_name' (1)", "'notes' (37)", "csv.columns"]),
        refused("c15-missing-required-column.csv", &["missing column subject_id"]),
        // The README of the files refuses the file; a record that is not allowed fails alone.
        some_fail(
            "c19-unbalanced-quote.csv",
            23,
            [fails(25, MALFORMED, &["quote opened on line 25 is not closed"])],
        ),
        refused("c20-header-only.csv", &["no items"]),
        refused("c21-empty.csv", &["empty file"]),
        // Choice: names are matched loosely.
        accepted("c22-header-case-and-spaces.csv", 24),
        refused("c23-one-line-per-owner.csv", &["'owner_full_name' (16; did you mean owner1_full_name?)"]),
        accepted("c24-owners-as-json-cell.csv", 24),
        some_fail(
            "c25-stray-quote-backslash.csv",
            22,
            [
                fails(5, INVALID, &["/request/subject/jurisdiction", "GB\"x"]),
                fails(6, MISSING, &["/request/claims/beneficial_owners/0/full_name"]),
            ],
        ),
        // Choice: the padding is one item that fails.
        some_fail("c26-nul-padding.csv", 24, [fails(26, MALFORMED, &["NUL bytes at line 26"])]),
        some_fail(
            "c28-truncated-last-line.csv",
            11,
            [fails(13, MALFORMED, &["9 of 35 cells; the file may be truncated"])],
        ),
        // Choice: a row with too few cells fails, too.
        some_fail("c29-ragged-rows.csv", 13, ragged_rows()),
        // Choice: the row that swallowed two others fails, with the lines that it spans.
        some_fail(
            "c30-quote-swallows-rows.csv",
            21,
            [fails(5, MALFORMED, &["text after a closing quote on line 7", "lines 5 to 7"])],
        ),
        refused("j34-xlsx-renamed.csv", &["this is a ZIP or .xlsx file"]),
    ]
}

const CHANGED_ADDRESSES: [&str; 7] =
    ["03209327", "07158144", "00564955", "00972286", "00442696", "00057186", "6010603007550"];

/// Every third row has 15 cells, every seventh from the second on 36 (`make_messy.py`).
fn ragged_rows() -> Vec<Failure> {
    let ragged = |row: u64| match row {
        row if row % 3 == 0 => Some(fails(row + 2, MALFORMED, &["15 of 35 cells"])),
        row if row % 7 == 1 => Some(fails(row + 2, MALFORMED, &["36 cells", "35"])),
        _ => None,
    };
    (0..24).filter_map(ragged).collect()
}

fn csv_cells() -> Vec<Case> {
    let percent = "/request/claims/beneficial_owners/0/ownership_percent";
    let not_a_percent = |(line, found): (u64, &str)| {
        fails(line, INVALID, &[percent, found, "a number from 0 to 100, such as 25 or 12.5"])
    };
    // Choice: `1e2` is a number; ` 25 `, `+25`, `25.` and `.5` are none.
    let percents = [
        (4, "\"25%\""),
        (5, "\"25 %\""),
        (6, "\"25,0\""),
        (7, "\" 25 \""),
        (11, "100.0000001"),
        (14, "-5"),
        (15, "\"NaN\""),
        (16, "\"inf\""),
        (18, "\"n/a\""),
        (19, "\"75-100\""),
        (20, "\">25\""),
        (21, "\"٢٥\""),
        (22, "\"２５\""),
        (23, "\"'25\""),
        (24, "\"25.0.0\""),
        (25, "\"1,000\""),
        (26, "\"0x19\""),
        (27, "\"+25\""),
        (28, "\"25.\""),
        (29, "\".5\""),
    ];
    let attestation = "/request/self_attestation_complete";
    let not_attested =
        |(line, found): (u64, &str)| fails(line, ATTESTATION, &[attestation, found, "expected true"]);
    let mut attestations: Vec<_> = [
        (5, "\"1\""),
        (6, "\"yes\""),
        (7, "\"Y\""),
        (8, "\"ja\""),
        (9, "\"WAHR\""),
        (10, "\"x\""),
        (11, "false"),
        (12, "false"),
        (13, "\"0\""),
        (14, "\"no\""),
        (16, "\"null\""),
        (17, "\"truе\""),
    ]
    .map(not_attested)
    .into();
    attestations.insert(10, fails(15, ATTESTATION, &[attestation, "missing; expected true"]));
    vec![
        // Choice: a formula, a doubtful apostrophe, white space at the end and quotes are refused; every digit that
        // there is is kept.
        some_fail(
            "c16-leading-zeros.csv",
            12,
            [
                fails(11, INVALID, &["registration_number", "=\"03304752\"", "formula"]),
                fails(
                    12,
                    INVALID,
                    &["line 12, column 'registration_number' (/request", "'03304752", "apostrophe"],
                ),
                fails(13, INVALID, &["registration_number", "U+0020 (space) at character 9 of 9"]),
                fails(15, INVALID, &["3.3048E+06", "changed by a spreadsheet"]),
                fails(18, INVALID, &["registration_number", "U+00A0 (no-break space) at character 9 of 9"]),
                fails(19, INVALID, &["03304752.0", "decimal point"]),
                fails(20, INVALID, &["registration_number", "quote characters around the identifier"]),
            ],
        ),
        some_fail("c17-percent-spellings.csv", 9, percents.map(not_a_percent)),
        accepted("c18-formula-cells.csv", 6),
        // `true` in any case is true, nothing else is.
        some_fail("c27-boolean-spellings.csv", 3, attestations),
    ]
}

fn ndjson_files() -> Vec<Case> {
    vec![
        accepted("00-clean.ndjson", 24),
        accepted("j01-bom.ndjson", 24),
        accepted("j02-crlf.ndjson", 24),
        accepted("j03-blank-lines.ndjson", 24),
        some_fail(
            "j04-truncated-last-line.ndjson",
            23,
            [fails(24, MALFORMED, &["unexpected end", "the file may be truncated"])],
        ),
        some_fail(
            "j05-nul-bytes.ndjson",
            21,
            [
                fails(4, MALFORMED, &["NUL bytes at line 4"]),
                fails(7, MALFORMED, &["NUL bytes at line 7"]),
                // The escaped NUL makes the ttl none, besides.
                fails(10, INVALID, &["/request/ttl", "NUL character"]),
                fails(25, MALFORMED, &["NUL bytes at line 25"]),
            ],
        ),
        some_fail(
            "j06-duplicate-keys.ndjson",
            20,
            [
                fails(
                    1,
                    MALFORMED,
                    &["/request/claims/beneficial_owners/0/ownership_percent", "duplicate key"],
                ),
                fails(2, MALFORMED, &["/request/subject/jurisdiction", "duplicate key"]),
                fails(3, MALFORMED, &["/correlation_id", "duplicate key"]),
                fails(4, MALFORMED, &["/request/ttl", "duplicate key"]),
            ],
        ),
        some_fail(
            "j07-invalid-utf8.ndjson",
            20,
            [
                fails(3, MALFORMED, &["not UTF-8", "(0xC3)"]),
                fails(6, MALFORMED, &["not UTF-8", "(0xED)"]),
                fails(8, MALFORMED, &["not UTF-8", "(0xC0)"]),
                fails(17, MALFORMED, &["not UTF-8", "(0xD8)"]),
            ],
        ),
        some_fail(
            "j08-lone-surrogates.ndjson",
            21,
            [1, 2, 4].map(|line| {
                fails(line, MALFORMED, &["/request/claims/beneficial_owners/0/full_name", "lone surrogate"])
            }),
        )
        .changing(&["03209327"])
        .warned(&["item 0 (line 1): /request/claims/beneficial_owners/0/full_name: U+FFFD"]),
        some_fail(
            "j10-deep-nesting-item.ndjson",
            2,
            [2, 3].map(|line| fails(line, MALFORMED, &["nested deeper than 64 levels"])),
        ),
        accepted("j31-no-final-newline.ndjson", 24),
        // docs/fields.md accepts a repeated correlation id, so this is 5 of 8.
        some_fail(
            "j32-mixed-good-and-bad.ndjson",
            5,
            [
                fails(2, INVALID, &["/request/claims/beneficial_owners/0/ownership_percent", "\"25\""]),
                fails(4, MALFORMED, &["unexpected end"]),
                fails(7, MISSING, &["/request", "missing"]),
            ],
        )
        .warned(&["item 7 (line 9): the correlation_id was used before, by item 0"]),
        // Registration numbers are not checked.
        accepted("real-dirty-identifiers.ndjson", 120),
    ]
}

fn ndjson_items() -> Vec<Case> {
    vec![
        some_fail("j11-wrong-types.ndjson", 2, wrong_types()),
        // docs/fields.md accepts a repeated correlation id with a warning; the subject may be
        // anybody's (line 9).
        accepted("j12-duplicate-ids.ndjson", 9).warned(&[
            "item 6 (line 7): the correlation_id was used before, by item 0",
            "item 7 (line 8): the correlation_id was used before, by item 6",
        ]),
        some_fail("j13-missing-parts.ndjson", 7, missing_parts()),
        // A bare request is an item (line 5).
        some_fail(
            "j14-unknown-fields.ndjson",
            2,
            [
                fails(
                    2,
                    INVALID,
                    &["/request/subject/registrationNumber", "did you mean registration_number?"],
                ),
                fails(
                    3,
                    INVALID,
                    &[
                        "/request/claims/beneficial_owners/0/ownership_precent",
                        "did you mean ownership_percent?",
                    ],
                ),
                fails(4, INVALID, &["/note", "unknown field"]),
                fails(6, INVALID, &["/request/subject/__proto__", "unknown field"]),
            ],
        ),
        some_fail(
            "j15-line-separators.ndjson",
            9,
            [10, 11, 12, 13].map(|line| fails(line, MALFORMED, &["control character in a string"])),
        )
        .warned(&["full_name: holds a line break", "full_name: U+FEFF (byte order mark)"]),
        // Choice: no warning of U+202E; messages and text results show it escaped.
        accepted("j16-normalisation-and-bidi.ndjson", 17),
        some_fail("j17-numbers.ndjson", 7, numbers()),
        some_fail("j28-ttl-variants.ndjson", 6, lives()),
        some_fail("j29-jurisdiction-variants.ndjson", 11, jurisdictions()),
        // Choice: long names and many owners are issued, up to 1 MiB an item; references have a
        // limit; a sum over 100 is a warning, and three thirds are none.
        some_fail(
            "j30-long-and-many.ndjson",
            5,
            [fails(4, INVALID, &["/request/evidence_refs", "5000", "50"])],
        )
        .warned(&[
            "item 2 (line 3): /request/claims/beneficial_owners/404/full_name: holds a line break",
            "item 4 (line 5): the owners' direct shares add up to 120, more than 100 percent",
        ]),
    ]
}

/// Choice: an empty list of owners is accepted; `null` stands for nothing, so it is of the wrong
/// type everywhere.
fn wrong_types() -> Vec<Failure> {
    let percent = "/request/claims/beneficial_owners/0/ownership_percent";
    let number = "/request/subject/registration_number";
    let id = "/request/subject/id";
    let attestation = "/request/self_attestation_complete";
    let owners = "/request/claims/beneficial_owners";
    let address = "/request/claims/registered_address";
    let evidence = "/request/evidence_refs";
    let rows: [(u64, &str, &[&str]); 28] = [
        (2, INVALID, &[percent, "\"25\"", "a number from 0 to 100"]),
        (3, INVALID, &[percent, "\"25%\""]),
        (4, INVALID, &[percent, "null"]),
        (5, INVALID, &[percent, "true"]),
        (6, INVALID, &[number, "445790", "text"]),
        (7, INVALID, &[number, "445790.0", "text"]),
        (8, INVALID, &[number, "empty"]),
        (9, INVALID, &[id, "7", "text"]),
        (10, INVALID, &[id, "empty"]),
        (11, INVALID, &[id, "null"]),
        (12, ATTESTATION, &[attestation, "\"true\"", "expected true"]),
        (13, ATTESTATION, &[attestation, "an object"]),
        (14, ATTESTATION, &[attestation, "null"]),
        (15, INVALID, &["/request/ttl", "365", "ISO 8601"]),
        (16, INVALID, &["/request/claims/tax_id_verified", "\"yes\"", "true or false"]),
        (17, INVALID, &[owners, "null", "an array"]),
        (19, INVALID, &[owners, "an object", "an array"]),
        (20, INVALID, &["/request/claims/beneficial_owners/0", "an object"]),
        (21, INVALID, &[address, "an object"]),
        (22, MISSING, &["line1", "city", "country"]),
        (23, INVALID, &[evidence, "\"LEI:x\"", "an array"]),
        (24, INVALID, &["/request/evidence_refs/0", "/request/evidence_refs/1"]),
        (25, INVALID, &[evidence, "null"]),
        (26, INVALID, &["/request/claims", "an array", "an object"]),
        (27, INVALID, &["/request/subject", "null", "an object"]),
        (28, INVALID, &["/correlation_id", "12345", "text"]),
        (29, INVALID, &["/correlation_id", "empty"]),
        (30, INVALID, &["/correlation_id", "null"]),
    ];
    rows.into_iter().map(|(line, code, parts)| fails(line, code, parts)).collect()
}

fn missing_parts() -> Vec<Failure> {
    let missing = [
        (2, "/request"),
        (3, "/request/subject"),
        (4, "/request/subject/id"),
        (8, "/request/claims"),
        (11, "/request/self_attestation_complete"),
        (13, "/request/claims/registered_address/line1"),
        (14, "/request/claims/registered_address/city"),
        (15, "/request/claims/registered_address/country"),
        (16, "/request/claims/beneficial_owners/0/full_name"),
        (17, "/request"),
    ];
    let no_items = [(18, "null"), (19, "an array"), (20, "a string"), (21, "a number"), (22, "true")];
    let code = |path: &str| if path.ends_with("self_attestation_complete") { ATTESTATION } else { MISSING };
    let missing = missing.map(|(line, path)| fails(line, code(path), &[path, "missing"]));
    let no_items = no_items.map(|(line, found)| fails(line, MALFORMED, &["expected an item", found]));
    missing.into_iter().chain(no_items).collect()
}

/// Choices: -0 is no share; `100.000000000000001` is more than 100, although its double is not; a
/// number has at most 64 characters.
fn numbers() -> Vec<Failure> {
    let percent = "/request/claims/beneficial_owners/0/ownership_percent";
    let out_of_range = [
        (6, "-0"),
        (7, "-0.0"),
        (8, "100.00000000000001"),
        (9, "100.000000000000001"),
        (12, "1e400"),
        (13, "123456789012345678901234567890"),
    ];
    let out_of_range =
        out_of_range.map(|(line, found)| fails(line, INVALID, &[percent, found, "from 0 to 100"]));
    let not_json = [14, 15, 16, 17, 18, 19, 20].map(|line| fails(line, MALFORMED, &["not JSON"]));
    let long = [21, 22].map(|line| fails(line, MALFORMED, &["number", "64"]));
    out_of_range.into_iter().chain(not_json).chain(long).collect()
}

/// Choices: fractions, lower case, and weeks beside other units are refused.
fn lives() -> Vec<Failure> {
    let found = [
        "P0D",
        "PT0S",
        "P",
        "PT",
        "P1",
        "p1y",
        "P-1Y",
        "-P1Y",
        "1Y",
        "P1.5Y",
        "PT1.5H",
        "P1,5D",
        "P1Y1W",
        "P1M1Y",
        "P1H",
        "",
        " P1Y",
        "P1Y",
        "P99999999999Y",
        "P18446744073709551616D",
        "2027-01-01",
        "2026-01-01/P1Y",
        "Ｐ１Ｙ",
        "1 year",
    ];
    (7..).zip(found).map(|(line, found)| fails(line, INVALID, &["/request/ttl", found, "duration"])).collect()
}

fn jurisdictions() -> Vec<Failure> {
    let rows: [(u64, &[&str]); 23] = [
        (2, &["\"UK\"", "did you mean GB?"]),
        (3, &["\"gb\"", "did you mean GB?"]),
        (4, &["\"Gb\"", "did you mean GB?"]),
        (5, &["\" GB\""]),
        (6, &["\"GB \""]),
        (7, &["\"GBR\"", "did you mean GB?"]),
        (8, &["\"826\""]),
        (9, &["\"United Kingdom\"", "did you mean GB?"]),
        (10, &["\"England\""]),
        (15, &["\"us-de\"", "did you mean US-DE?"]),
        (16, &["\"US-ZZ\""]),
        (18, &["\"USDE\""]),
        (19, &["\"US_DE\"", "did you mean US-DE?"]),
        (20, &["\"XK\""]),
        (21, &["\"EL\"", "did you mean GR?"]),
        (22, &["\"AN\""]),
        (23, &["\"SU\""]),
        (24, &["\"EU\""]),
        (25, &["\"XX\""]),
        (26, &["\"ZZ\""]),
        (27, &["\"\""]),
        (28, &["\"日本\""]),
        (34, &["\"ΚΥ\""]),
    ];
    let place = "/request/subject/jurisdiction";
    rows.into_iter()
        .map(|(line, parts)| fails(line, INVALID, &[&[place, "ISO 3166"], parts].concat()))
        .collect()
}

fn json_files() -> Vec<Case> {
    vec![
        accepted("00-clean.json", 24),
        refused("j09-deep-nesting.json", &["nested deeper than 1024 levels at byte 1026"]),
        // Values one after the other are read, as `jq` writes them.
        accepted("j18-concatenated.json", 24),
        accepted("j19-top-level-array.json", 24),
        accepted("j20-pretty-printed.json", 24),
        accepted("j21-ndjson-named.json", 24),
        accepted("j21-ndjson-named.json", 24).with("--input-format ndjson"),
        refused("j22-trailing-comma.json", &["line 24", "trailing comma"]),
        refused("j23-comments-and-single-quotes.json", &["not JSON at line 1"]),
        refused("j24-empty-items.json", &["no items"]),
        refused("j25-wrong-envelope.json", &["no 'items' array at the top level", "'data'"]),
        // Choice: other keys beside the items are warned of.
        accepted("j26-envelope-extra-keys.json", 1).warned(&["'$schema'", "'count'", "'items_total'"]),
        refused("j27-two-items-keys.json", &["duplicate key 'items'"]),
        refused("j33-html-error-page.json", &["not JSON", "starts with '<'"]),
    ]
}

fn gzip_files() -> Vec<Case> {
    vec![
        accepted("z01-clean.ndjson.gz", 24),
        accepted("z02-clean.csv.gz", 24),
        // Choice: found before anything is issued, because the file is shorter than a batch.
        refused("z03-truncated.ndjson.gz", &["gzip stream ends early"]),
        accepted("z04-two-members.ndjson.gz", 24),
        accepted("z05-gzip-named.ndjson", 24),
        Case::new(BIG, End::Items { issued: 25_285, failures: Vec::new() }),
        refused("z07-bomb-200mb.ndjson.gz", &["no items"]),
    ]
}

/// Its 211 failures are looked at in a test of their own.
const BIG: &str = "z06-one-line-10mb.json.gz";

fn folder() -> Option<PathBuf> {
    shared_data().map(|data| data.join("messy"))
}

#[test]
fn every_dirty_file_is_in_the_table() {
    let Some(folder) = folder() else { return };
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> =
        names.filter(|name| !matches!(name.as_str(), "README.md" | ".gitattributes")).collect();
    let known: BTreeSet<_> = cases().iter().map(|case| case.file.to_owned()).collect();
    assert_eq!(known, files);
    assert_eq!(files.len(), 75);
}

#[test]
fn dirty_csv_files_end_as_they_should() {
    check(csv_files().into_iter().chain(csv_cells()));
}

#[test]
fn dirty_ndjson_files_end_as_they_should() {
    check(ndjson_files().into_iter().chain(ndjson_items()));
}

#[test]
fn dirty_json_files_end_as_they_should() {
    check(json_files());
}

#[test]
fn dirty_gzip_files_end_as_they_should() {
    check(gzip_files());
}

fn check(cases: impl IntoIterator<Item = Case>) {
    let Some(folder) = folder() else { return };
    let sandbox = Sandbox::with_issuer_key();
    let clean = clean_items(&folder);
    for case in cases {
        let path = folder.join(case.file);
        let mut args = vec!["batch-issue", path.to_str().unwrap(), "--ledger", "none"];
        args.extend(case.options.split_whitespace());
        let run = sandbox.beltic(&args);
        check_case(&case, &run);
        check_content(&case, &run, &clean);
    }
}

fn check_case(case: &Case, run: &Run) {
    let name = format!("{} {}", case.file, case.options);
    let rows = run.rows();
    let issued = rows.iter().filter(|row| row.credential.is_some()).count();
    let warnings: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    match &case.end {
        End::Accepted { items } => {
            assert_eq!((run.code, rows.len(), issued), (0, *items, *items), "{name}: {}", run.stderr);
        }
        End::Items { issued: expected, failures } => {
            assert_eq!((run.code, issued), (3, *expected), "{name}: {}", run.stderr);
            if case.file != BIG {
                check_failures(&name, &rows, failures);
            }
        }
        End::Refused { parts } => {
            assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{name}: {}", run.stderr);
            for part in parts.iter().chain([&case.file]) {
                assert!(run.stderr.contains(part), "{name}: no {part:?} in {}", run.stderr);
            }
        }
    }
    if case.file != BIG {
        assert_eq!(warnings.len(), case.warnings.len(), "{name}: {}", run.stderr);
        for (warning, part) in warnings.iter().zip(case.warnings) {
            assert!(warning.contains(part), "{name}: no {part:?} in {warning}");
        }
    }
}

fn check_failures(name: &str, rows: &[Row], expected: &[Failure]) {
    let failed: Vec<_> = rows.iter().filter(|row| row.error.is_some()).collect();
    let lines = |lines: &mut dyn Iterator<Item = Option<u64>>| lines.collect::<Vec<_>>();
    let found = lines(&mut failed.iter().map(|row| row.line));
    assert_eq!(found, lines(&mut expected.iter().map(|failure| failure.line)), "{name}: lines that fail");
    for (row, failure) in failed.iter().zip(expected) {
        let error = row.error.as_ref().unwrap();
        assert_eq!(error.code, failure.code, "{name}: {error:?}");
        let details = error.details.iter().map(|detail| format!("{}: {}\n", detail.path, detail.message));
        let said = error.message.clone() + "\n" + &details.collect::<String>();
        for part in &failure.parts {
            assert!(said.contains(part), "{name}, line {:?}: no {part:?} in {said}", row.line);
        }
    }
}

/// The undamaged items, by their correlation ids.
fn clean_items(folder: &Path) -> HashMap<String, Exact> {
    let text = std::fs::read_to_string(folder.join("00-clean.ndjson")).unwrap();
    let items = text.lines().map(Exact::parse);
    items.map(|item| (item.text_of("correlation_id").to_owned(), item)).collect()
}

/// Whatever was done to the file, an item that is issued says what it says in 00-clean.
fn check_content(case: &Case, run: &Run, clean: &HashMap<String, Exact>) {
    let mut compared = 0;
    for line in run.stdout.lines().map(Exact::parse) {
        let (Some(credential), Some(id)) = (line.get("credential"), line.get("correlation_id")) else {
            continue;
        };
        let Some(item) = clean.get(id.text()) else { continue };
        if case.changed.contains(&id.text()) {
            continue;
        }
        let request = request_of(item);
        for part in ["subject", "claims", "evidence_refs"] {
            let (found, expected) = (credential.member(part).sorted(), request.member(part).sorted());
            assert_eq!(found, expected, "{} {}: {part} of {}", case.file, case.options, id.text());
        }
        compared += 1;
    }
    // In these all items have ids of their own; see the next test.
    let others = ["c17", "c18", "c27", "j11", "j13", "j14", "j15", "j16", "j17", "j28", "j29", "j30", "rea"];
    let has_clean_ids = !matches!(case.end, End::Refused { .. }) && !others.contains(&&case.file[..3]);
    assert_eq!(compared > 0, has_clean_ids, "{}: {compared} items compared", case.file);
}

/// Items that stand in a file under ids of their own are carried as they stand there: spellings of
/// numbers, line separators, every kind of text.
#[test]
fn unusual_values_are_carried_as_they_stand() {
    let Some(folder) = folder() else { return };
    let sandbox = Sandbox::with_issuer_key();
    let mut carried = 0;
    for file in [
        "c09-quoted-newlines.csv",
        "c16-leading-zeros.csv",
        "c17-percent-spellings.csv",
        "c18-formula-cells.csv",
        "c27-boolean-spellings.csv",
        "j08-lone-surrogates.ndjson",
        "j11-wrong-types.ndjson",
        "j12-duplicate-ids.ndjson",
        "j13-missing-parts.ndjson",
        "j14-unknown-fields.ndjson",
        "j15-line-separators.ndjson",
        "j16-normalisation-and-bidi.ndjson",
        "j17-numbers.ndjson",
        "j28-ttl-variants.ndjson",
        "j29-jurisdiction-variants.ndjson",
        "j30-long-and-many.ndjson",
        "real-dirty-identifiers.ndjson",
    ] {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let run = sandbox.beltic(&["batch-issue", path.to_str().unwrap()]);
        let rows: Vec<_> = run.stdout.lines().map(Exact::parse).collect();
        let key = issuer_token_key();
        let mut check = |row: &Exact, item: &Exact| {
            default_issuance().check(&key, row.member("credential"), item);
            carried += 1;
        };
        if file.ends_with(".csv") {
            let items = table::items(&text);
            assert_eq!(rows.len(), items.len(), "{file}");
            for (row, item) in rows.iter().zip(&items).filter(|(row, _)| row.get("credential").is_some()) {
                check(row, item.as_ref().expect("a row of the header's length"));
            }
        } else {
            let lines: Vec<_> = text.split('\n').filter(|line| !line.trim_ascii().is_empty()).collect();
            assert_eq!(rows.len(), lines.len(), "{file}");
            for (row, line) in rows.iter().zip(lines).filter(|(row, _)| row.get("credential").is_some()) {
                check(row, &Exact::parse(line));
            }
        }
    }
    assert_eq!(carried, 24 + 12 + 9 + 6 + 3 + 21 + 2 + 9 + 7 + 2 + 9 + 17 + 7 + 6 + 11 + 5 + 120);
}

/// The 211 items of the large file that fail, fail for their address alone.
#[test]
fn the_large_file_fails_for_addresses_alone() {
    let Some(folder) = folder() else { return };
    let sandbox = Sandbox::with_issuer_key();
    let path = folder.join(BIG);
    let run = sandbox.beltic(&["batch-issue", path.to_str().unwrap(), "--summary", "summary.json"]).expect(3);
    let errors = run.errors();
    assert_eq!(errors.len(), 211);
    for error in &errors {
        assert_eq!(error.code, MISSING);
        for (path, code) in error.places() {
            let member = path.strip_prefix("/request/claims/registered_address/").unwrap_or(path);
            assert!(code == "missing" && ["line1", "city", "country"].contains(&member), "{path} {code}");
        }
    }
    let summary = Exact::parse(&sandbox.read("summary.json"));
    assert_eq!(summary.member("success_count").integer(), 25_285);
    assert_eq!(summary.member("failure_count").integer(), 211);
}

/// What a table of results says of cells that look like formulas cannot run in a spreadsheet.
#[test]
fn formula_cells_do_not_come_back_as_formulas() {
    let Some(folder) = folder() else { return };
    let sandbox = Sandbox::with_issuer_key();
    let path = folder.join("c18-formula-cells.csv");
    let run = sandbox.beltic(&["batch-issue", path.to_str().unwrap(), "--output-format", "csv"]).expect(0);
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
    }
}
