//! CSV rows as items, by docs/spreadsheets.md and docs/columns.md, read by the `csv`
//! crate and put together here, so that the program's own reader is not its judge.

use super::exact::Exact;

/// The items of a CSV text with canonical headers and commas; none for a row of another length
/// than the header.
pub(crate) fn items(text: &str) -> Vec<Option<Exact>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let rows = reader.records().map(|row| row.expect("UTF-8"));
    rows.map(|row| (row.len() == header.len()).then(|| item(header.iter().zip(&row)))).collect()
}

/// The item that the cells under canonical column names describe.
pub(crate) fn item<'r>(cells: impl Iterator<Item = (&'r str, &'r str)>) -> Exact {
    let mut item = Exact::Object(Vec::new());
    for (column, text) in cells.filter(|(_, text)| !text.is_empty()) {
        let (path, value) = field(column, text);
        put(&mut item, &path, value);
    }
    item
}

/// Where a column's value stands, and what it is.
fn field(column: &str, text: &str) -> (Vec<String>, Exact) {
    let text_value = Exact::string(text);
    let path = |names: &str| names.split('.').map(str::to_owned).collect::<Vec<_>>();
    if let Some(member) = column.strip_prefix("address_") {
        return (path(&format!("request.claims.registered_address.{member}")), text_value);
    }
    if let Some((number, member)) = column.strip_prefix("owner").and_then(|rest| rest.split_once('_')) {
        let number: usize = number.parse().expect("a number");
        let is_number =
            member == "ownership_percent" && serde_json::from_str::<serde_json::Number>(text).is_ok();
        let value = if is_number { Exact::Number(text.into()) } else { text_value };
        return (path(&format!("request.claims.beneficial_owners.{}.{member}", number - 1)), value);
    }
    match column {
        "correlation_id" => (path(column), text_value),
        "subject_id" => (path("request.subject.id"), text_value),
        "subject_type" => (path("request.subject.type"), text_value),
        "name" | "registration_number" | "jurisdiction" | "legal_form" => {
            (path(&format!("request.subject.{column}")), text_value)
        }
        "claims_jurisdiction" => (path("request.claims.jurisdiction"), text_value),
        "tax_id_verified" => (path("request.claims.tax_id_verified"), truth(text)),
        "kyb_status" | "business_type" | "registered_name" | "verified_at" => {
            (path(&format!("request.claims.{column}")), text_value)
        }
        "self_attestation_complete" => (path("request.self_attestation_complete"), truth(text)),
        "evidence_refs" => {
            (path("request.evidence_refs"), Exact::Array(text.split(';').map(Exact::string).collect()))
        }
        "ttl" | "credential_type" => (path(&format!("request.{column}")), text_value),
        other => panic!("column {other}"),
    }
}

/// `true` and `false` in any case; what is neither stays text.
fn truth(text: &str) -> Exact {
    match text.to_ascii_lowercase().as_str() {
        "true" => Exact::Boolean(true),
        "false" => Exact::Boolean(false),
        _ => Exact::string(text),
    }
}

/// Puts a value at the end of a path, making objects on the way, and arrays where a number stands.
fn put(parent: &mut Exact, path: &[String], value: Exact) {
    let (name, rest) = path.split_first().expect("a path");
    let child = child(parent, name, rest.first());
    if rest.is_empty() { *child = value } else { put(child, rest, value) }
}

/// The member or element of this name, made if it is not there.
fn child<'p>(parent: &'p mut Exact, name: &str, next: Option<&String>) -> &'p mut Exact {
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let empty =
        if next.is_some_and(is_number) { Exact::Array(Vec::new()) } else { Exact::Object(Vec::new()) };
    match parent {
        Exact::Array(elements) => {
            let number: usize = name.parse().expect("a number");
            assert!(number <= elements.len(), "owners in order");
            if number == elements.len() {
                elements.push(empty);
            }
            &mut elements[number]
        }
        Exact::Object(members) => {
            let place = members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                members.push((name.to_owned(), empty));
                members.len() - 1
            });
            &mut members[place].1
        }
        other => panic!("{name} in {other:?}"),
    }
}
