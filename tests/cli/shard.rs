//! `--shard`: processes that share a batch, each with all of the files.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::*;

/// The shard of so many that a name belongs to, as docs/batch-issue.md says.
fn shard_of(name: &str, count: u64) -> u64 {
    let digest = Sha256::digest(name);
    u64::from_be_bytes(std::array::from_fn(|at| digest[at])) % count
}

/// What a result says of its item, whoever issued it.
fn said(row: &Row) -> (u64, Option<u64>, Option<String>, Option<String>, Option<Value>) {
    let error = row.error.as_ref().map(|error| format!("{error:?}"));
    let subject = row.credential.as_ref().map(|credential| credential.subject.clone());
    (row.index, row.line, row.correlation_id.clone(), error, subject)
}

/// Items, every third of them without an id, and every seventh invalid.
fn batch(count: usize) -> Vec<Value> {
    let items = items(count).into_iter().enumerate();
    let mixed = items.map(|(at, item)| match (at % 3, at % 7) {
        (0, 0) => with(without(item, "/correlation_id"), "/request/ttl", json!("soon")),
        (0, _) => without(item, "/correlation_id"),
        (_, 0) => with(item, "/request/ttl", json!("soon")),
        _ => item,
    });
    mixed.collect()
}

/// The same batch, by the name of a file in each format.
fn sandbox_with(count: usize) -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    let items = batch(count);
    let mut lines = ndjson(&items);
    lines.push_str("\n{\"correlation_id\":\"broken\n");
    sandbox.write("items.ndjson", lines);
    sandbox.write("items.json", json!({ "items": items }).to_string());
    let mut csv = "correlation_id,subject_id,claims_jurisdiction,self_attestation_complete,ttl\n".to_owned();
    for item in &items {
        let (id, ttl) = (item["correlation_id"].as_str(), item["request"]["ttl"].as_str());
        let subject = item["request"]["subject"]["id"].as_str().unwrap();
        csv += &format!("{},{subject},GB,true,{}\n", id.unwrap_or_default(), ttl.unwrap_or_default());
    }
    csv += "a row,with,too,many,cells,for,the,header\n";
    sandbox.write("items.csv", csv);
    sandbox
}

/// What the items of a file are known by, where its first item is at this line; none where it has no lines.
fn names(first_line: Option<usize>) -> Vec<String> {
    let place = |at: usize| first_line.map_or(at, |line| at + line).to_string();
    let name =
        |(at, item): (usize, Value)| item["correlation_id"].as_str().map_or_else(|| place(at), str::to_owned);
    batch(60).into_iter().enumerate().map(name).collect()
}

/// Each item is in the shard that the page says, and in no other; all shards together are the run without.
#[test]
fn the_shards_are_the_batch() {
    let sandbox = sandbox_with(60);
    let unreadable = |mut names: Vec<String>| {
        names.push("62".to_owned());
        names
    };
    let (csv, lines) = (unreadable(names(Some(2))), unreadable(names(Some(1))));
    // The index of an item goes on from file to file.
    let together = [csv.clone(), lines.clone()].concat();
    for (files, names) in [
        ("items.ndjson", lines),
        ("items.csv", csv),
        ("items.json", names(None)),
        ("items.csv items.ndjson", together),
    ] {
        let whole = sandbox.issue(&format!("{files} --ledger none --output-format ndjson")).expect(3);
        let mut parts = BTreeMap::new();
        for shard in 0..4 {
            let run = format!("{files} --ledger none --output-format ndjson --shard {shard}/4");
            let run = sandbox.issue(&run);
            assert_eq!(run.code, if run.errors().is_empty() { 0 } else { 3 }, "{}", run.stderr);
            for row in run.rows() {
                assert_eq!(shard_of(&names[row.index as usize], 4), shard, "{files}: {row:?}");
                assert!(parts.insert(row.index, said(&row)).is_none(), "{files}: {} twice", row.index);
            }
        }
        let whole: Vec<_> = whole.rows().iter().map(said).collect();
        assert_eq!(whole.len(), names.len());
        assert_eq!(parts.into_values().collect::<Vec<_>>(), whole, "{files}");
    }
}

#[test]
fn rows_of_one_shard_stay_in_their_order_and_failed_ones_are_its_own() {
    let sandbox = sandbox_with(2_500);
    let mut failed = Vec::new();
    for shard in 0..3 {
        let flags = format!("--ledger none --output-format ndjson --failed failed-{shard}.csv --jobs 2");
        let run = sandbox.issue(&format!("items.csv {flags} --shard {shard}/3")).expect(3);
        let rows = run.rows();
        assert!(rows.is_sorted_by_key(|row| row.index), "in the order of the file");
        let kept = sandbox.read(&format!("failed-{shard}.csv")).lines().count() - 1;
        assert_eq!(kept, run.errors().len());
        failed.extend(sandbox.read(&format!("failed-{shard}.csv")).lines().skip(1).map(str::to_owned));
    }
    sandbox.issue("items.csv --ledger none --failed failed.csv --quiet").expect(3);
    let mut all: Vec<_> = sandbox.read("failed.csv").lines().skip(1).map(str::to_owned).collect();
    failed.sort();
    all.sort();
    assert_eq!(failed, all);
}

/// What must not change about a credential, by the item's index.
fn lasting(run: &Run) -> Vec<(u64, String, u32)> {
    let credentials = run.rows().into_iter().map(|row| (row.index, row.into_credential()));
    credentials.map(|(index, found)| (index, found.id, found.status_list_index.unwrap())).collect()
}

/// All shards use one key, also where items are known by their places in the file.
#[test]
fn shards_share_a_key() {
    let by_place = items(2_500).into_iter().map(|item| without(item, "/correlation_id"));
    for items in [items(2_500), by_place.collect()] {
        let sandbox = Sandbox::with_issuer_key();
        sandbox.write_items("items.ndjson", &items);
        let issue = |flags: &str| {
            let flags = format!("items.ndjson --output-format ndjson --idempotency-key k {flags}");
            let run = sandbox.issue(&flags).expect(0);
            assert!(!run.stderr.contains("warning: --shard"), "{}", run.stderr);
            lasting(&run)
        };
        // Two at a time, as two machines would.
        let mut first: Vec<_> = std::thread::scope(|scope| {
            let shards = ["--shard 0/3", "--shard 1/3"].map(|shard| scope.spawn(move || issue(shard)));
            shards.into_iter().flat_map(|shard| shard.join().unwrap()).collect()
        });
        first.extend(issue("--shard 2/3"));
        first.sort();
        assert_eq!(first.iter().map(|(_, _, index)| index).collect::<HashSet<_>>().len(), 2_500);
        assert_eq!(issue(""), first, "a run without shards gets the same");
        let mut again: Vec<_> = (0..5).flat_map(|shard| issue(&format!("--shard {shard}/5"))).collect();
        again.sort();
        assert_eq!(again, first, "and so do other shards");
        assert_eq!(sandbox.recorded(), 2_500);
        let said = sandbox.beltic(&["ledger", "check"]).expect(0).stdout;
        assert!(said.contains("2,500 credentials, 1 status list, 1 run"), "{said}");
    }
}

#[test]
fn a_shard_without_items_is_done() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let own = shard_of("company-0", 2);
    let other = 1 - own;
    let run = |flags: &str| sandbox.issue(&format!("items.ndjson --idempotency-key k {flags}"));
    for (form, expected) in
        [("ndjson", ""), ("json", "{\"results\":[],\"success_count\":0,\"failure_count\":0}"), ("text", "")]
    {
        let done = run(&format!("--shard {other}/2 --output-format {form} --summary summary.json --force"));
        let done = done.expect(0);
        let printed: String = done.stdout.split_whitespace().collect();
        assert_eq!(printed, expected, "{form}: {}", done.stderr);
        let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
        assert_eq!(summary["shard"], json!(format!("{other}/2")));
        assert_eq!((&summary["success_count"], &summary["failure_count"]), (&json!(0), &json!(0)));
    }
    assert_eq!(run(&format!("--shard {own}/2 --output-format ndjson")).expect(0).rows().len(), 1);
    // Whether the file has items at all is asked of the file.
    sandbox.write("items.ndjson", "");
    run("--shard 0/2").expect(4);
}

/// Only the shard's own failures count.
#[test]
fn failures_of_other_shards_do_not_stop_one() {
    let sandbox = Sandbox::with_issuer_key();
    let mut batch = items(400);
    let own: Vec<usize> = (0..400).filter(|at| shard_of(&format!("company-{at}"), 2) == 0).collect();
    for (at, item) in batch.iter_mut().enumerate().filter(|(at, _)| !own.contains(at)) {
        *item = with(item.clone(), "/request/ttl", json!(format!("soon {at}")));
    }
    let third = own[2];
    batch[third] = with(batch[third].clone(), "/request/ttl", json!("soon"));
    sandbox.write_items("items.ndjson", &batch);
    let run =
        |flags: &str| sandbox.issue(&format!("items.ndjson --ledger none --output-format ndjson {flags}"));
    assert_eq!(run("--shard 0/2 --max-failures 1").expect(3).rows().len(), own.len());
    assert_eq!(run("--shard 0/2 --max-failures 5%").expect(3).rows().len(), own.len());
    assert_eq!(run("--shard 0/2 --max-failures 0").expect(7).rows().len(), 3);
    assert_eq!(run("--shard 1/2 --max-failures 0").expect(7).rows().len(), 1);
}

#[test]
fn a_shard_without_a_key_warns_and_sync_has_none() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    let run = sandbox.issue("items.ndjson --shard 0/1").expect(0);
    assert!(run.stderr.contains("warning: --shard without --idempotency-key"), "{}", run.stderr);
    for bad in ["2/2", "1", "0/0", "-1/2", "a/b", "1/2/3"] {
        let run = sandbox.issue(&format!("items.ndjson --shard={bad}")).expect(2);
        assert!(run.stderr.contains("expected I/N"), "{bad}: {}", run.stderr);
    }
    let run = sandbox.beltic(&["sync", "items.ndjson", "--shard", "0/2"]).expect(2);
    assert!(run.stderr.contains("all of a register"), "{}", run.stderr);
}
