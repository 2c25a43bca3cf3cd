//! The public data of the test data, all of it: what is issued says what the files say, and
//! every token verifies.

use std::collections::HashMap;
use std::path::Path;

use crate::readers::exact::Exact;
use crate::readers::table;
use crate::readers::token::request_of;
use crate::support::*;

/// The members that an address must have.
const REQUIRED: [&str; 3] = ["line1", "city", "country"];

/// Issues a file, and checks every result against its item. Counts both kinds.
fn check_file(path: &Path, items: &[Exact]) -> (usize, usize) {
    let sandbox = Sandbox::with_issuer_key();
    let run = sandbox.beltic(&["batch-issue", path.to_str().unwrap(), "--summary", "summary.json"]).expect(3);
    let results: Vec<_> = run.stdout.lines().collect();
    assert_eq!(results.len(), items.len());

    // Verifying takes the longest, so all cores do it.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads);
    let issued: usize = std::thread::scope(|scope| {
        let parts = results.chunks(share).zip(items.chunks(share)).enumerate();
        let threads: Vec<_> = parts
            .map(|(part, (results, items))| scope.spawn(move || check(part * share, results, items)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });

    let failed = items.len() - issued;
    let summary = Exact::parse(&sandbox.read("summary.json"));
    assert_eq!(summary.member("success_count").integer(), issued as i64);
    assert_eq!(summary.member("failure_count").integer(), failed as i64);
    (issued, failed)
}

/// Checks results that begin with this index, and counts the issued ones.
fn check(first: usize, results: &[&str], items: &[Exact]) -> usize {
    let (key, issuance) = (issuer_token_key(), default_issuance());
    let mut issued = 0;
    for (at, (result, item)) in results.iter().zip(items).enumerate() {
        let result = Exact::parse(result);
        assert_eq!(result.member("index").integer(), (first + at) as i64);
        assert_eq!(result.member("correlation_id"), item.member("correlation_id"));
        match result.get("credential") {
            Some(resource) => {
                assert_eq!(lacking(item), Vec::<String>::new(), "{}", item.write());
                issuance.check(&key, resource, item);
                issued += 1;
            }
            None => check_failure(result.member("error"), item),
        }
    }
    issued
}

/// An item fails because its address lacks what an address must have, and for nothing else.
fn check_failure(error: &Exact, item: &Exact) {
    assert_eq!(error.text_of("code"), "missing_required_field");
    let details = error.member("details").elements();
    let mut paths: Vec<_> = details.iter().map(|detail| detail.text_of("path").to_owned()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    assert_eq!(paths, lacking(item), "{}", item.write());
    assert!(details.iter().all(|detail| detail.text_of("code") == "missing"));
}

/// The paths of what an item's address lacks.
fn lacking(item: &Exact) -> Vec<String> {
    let Some(address) = request_of(item).member("claims").get("registered_address") else {
        return Vec::new();
    };
    let missing = REQUIRED.iter().filter(|name| address.get(name).is_none());
    let mut paths: Vec<_> =
        missing.map(|name| format!("/request/claims/registered_address/{name}")).collect();
    paths.sort();
    paths
}

fn ndjson_items(data: &Path) -> Vec<Exact> {
    let text = std::fs::read_to_string(data.join("real-companies.ndjson")).unwrap();
    text.lines().map(Exact::parse).collect()
}

fn csv_items(path: &Path) -> Vec<Exact> {
    let items = table::items(&std::fs::read_to_string(path).unwrap());
    items.into_iter().map(|item| item.expect("a row of the header's length")).collect()
}

#[test]
fn real_companies_from_ndjson() {
    let Some(data) = shared_data() else { return };
    let items = ndjson_items(&data);
    assert_eq!(check_file(&data.join("real-companies.ndjson"), &items), (24_488, 205));
}

#[test]
fn real_companies_from_csv() {
    let Some(data) = shared_data() else { return };
    let path = data.join("real-companies.csv");
    assert_eq!(check_file(&path, &csv_items(&path)), (24_488, 205));
}

#[test]
fn real_companies_from_json() {
    let Some(data) = shared_data() else { return };
    let path = data.join("real-companies.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let batch = Exact::parse(&text);
    assert_eq!(check_file(&path, batch.member("items").elements()), (992, 8));
    // The API's limit is just kept.
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["batch-issue", path.to_str().unwrap(), "--api-limits"]).expect(3);
}

#[test]
fn real_companies_with_owners_from_csv() {
    let Some(data) = shared_data() else { return };
    let path = data.join("real-companies-owners.csv");
    assert_eq!(check_file(&path, &csv_items(&path)), (1_445, 73));
}

/// The tables say what the NDJSON says, so what is checked against one is checked against the
/// other. (The table without owners leaves them out.)
#[test]
fn the_tables_hold_the_same_items_as_the_ndjson() {
    let Some(data) = shared_data() else { return };
    let items: HashMap<_, _> = ndjson_items(&data)
        .into_iter()
        .map(|item| (item.text_of("correlation_id").to_owned(), item))
        .collect();
    for (file, with_owners) in [("real-companies.csv", false), ("real-companies-owners.csv", true)] {
        for row in csv_items(&data.join(file)) {
            let (item, row) = (request_of(&items[row.text_of("correlation_id")]), request_of(&row));
            assert_eq!(row.member("subject").sorted(), item.member("subject").sorted());
            let mut claims = item.member("claims").clone();
            if !with_owners {
                claims = claims.without("beneficial_owners");
            }
            assert_eq!(row.member("claims").sorted(), claims.sorted());
        }
    }
}
