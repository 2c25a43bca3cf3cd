//! Revoking while the process is killed, and while others issue and publish.

use std::collections::HashSet;

use serde_json::Value;

use crate::machine::rounds;
use crate::support::*;

const CREDENTIALS: usize = 12_000;

/// The ids of a run's credentials, and its results in a file.
fn issued(yard: &Yard) -> Vec<String> {
    yard.write("items.ndjson", ndjson("first", CREDENTIALS, 0));
    let ended = yard.run("batch-issue items.ndjson --ledger ledger.db --quiet").finished();
    yard.write("results.ndjson", &ended.stdout);
    rows(&ended.stdout).filter_map(|row| row.credential).map(|credential| credential.id).collect()
}

/// The ids that an output says were revoked; its last line may be torn.
fn revoked(output: &str) -> HashSet<String> {
    let whole = output.rfind('\n').map_or("", |end| &output[..end]);
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    whole
        .lines()
        .map(row)
        .filter(|row| row["status"] == "revoked")
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A revocation that was told is never lost, whenever the process dies; and the ledger's trail has
/// exactly one event for each.
#[test]
fn what_was_told_as_revoked_stays_revoked() {
    for share in [1, 9, 5, 3, 7].into_iter().take(rounds("moments of death", 3, 5)) {
        let yard = Yard::new();
        let ids = issued(&yard);
        let mut running =
            yard.start("revoke --from results.ndjson --ledger ledger.db --output-format ndjson");
        let bytes = ids.len() * 100 * share / 10;
        running.wait_until(|running| running.bytes_read() >= bytes);
        let told = revoked(&running.kill().stdout);
        yard.check_ledger("ledger.db");

        // Whoever runs it again is told of each credential: revoked now, or revoked already.
        let again = yard.run("revoke --from results.ndjson --ledger ledger.db --output-format ndjson");
        let again = again.expect(0);
        let all = revoked(&again.stdout);
        assert_eq!(all.len(), ids.len());
        let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let before: HashSet<String> = (again.stdout.lines().map(row))
            .filter(|row| row["unchanged"] == true)
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(told.is_subset(&before), "a revocation that was told was lost");
        assert_eq!(yard.check_ledger("ledger.db"), ids.len());
    }
}

/// Issuing, revoking and publishing at the same time: none of them fails, and at the end the lists
/// are as the ledger says.
#[test]
fn revoking_and_publishing_disturb_no_issuing() {
    let yard = Yard::new();
    let ids = issued(&yard);
    let issuing = yard.start("batch-issue items.ndjson --ledger ledger.db --quiet");
    let revoking = yard.start("revoke --from results.ndjson --ledger ledger.db --output-format ndjson");
    for _ in 0..5 {
        yard.run("publish --out site --ledger ledger.db --quiet").expect(0);
    }
    assert_eq!(revoked(&revoking.end().expect(0).stdout).len(), ids.len());
    let second = issuing.end().finished();
    assert_eq!(rows(&second.stdout).filter(|row| row.credential.is_some()).count(), ids.len());
    yard.run("publish --out site --ledger ledger.db --quiet").expect(0);
    yard.run("publish --out site --ledger ledger.db --check").expect(0);
    assert_eq!(yard.check_ledger("ledger.db"), ids.len() * 2);
}

/// A backup that is restored after a crash is noticed: the mark rises with each commit.
#[test]
fn a_backup_restored_after_a_kill_is_noticed() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("first", 20_000, 0));
    yard.write("one.ndjson", ndjson("one", 1, 0));
    yard.run("batch-issue one.ndjson --ledger ledger.db --quiet").expect(0);
    std::fs::copy(yard.path("ledger.db"), yard.path("backup.db")).unwrap();
    let mut running = yard.start("batch-issue items.ndjson --ledger ledger.db --quiet");
    running.wait_until(|running| running.bytes_read() > 3_000_000);
    let places = |output: &str| -> HashSet<(String, u32)> {
        let credentials = rows(output).filter_map(|row| row.credential);
        credentials.map(|credential| (credential.status_list_uri, credential.status_list_index)).collect()
    };
    let given = places(&running.kill().stdout);
    assert!(given.len() > 1_000);
    for leftover in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(yard.path(leftover));
    }
    std::fs::copy(yard.path("backup.db"), yard.path("ledger.db")).unwrap();
    let again = yard.run("batch-issue items.ndjson --ledger ledger.db --quiet").finished();
    assert!(
        again.stderr.contains("it is older than it was, as after restoring a backup"),
        "said even with --quiet: {}",
        again.stderr
    );
    assert!(given.is_disjoint(&places(&again.stdout)), "a place was given twice");
}
