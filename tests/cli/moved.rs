//! `ledger copy`: a ledger moves, and is retired where it was. And `ledger init` and `migrate`.

use std::collections::HashSet;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::*;

/// What must not change about credentials, whatever became of them since.
fn lasting(run: &Run) -> Vec<(String, String, u64)> {
    let told = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lasting = |row: Value| {
        let text = |name: &str| row["credential"][name].as_str().unwrap().to_owned();
        (text("id"), text("status_list_uri"), row["credential"]["status_list_index"].as_u64().unwrap())
    };
    told.map(lasting).collect()
}

/// A sandbox in which 1,500 items were issued under the key `k`, and what came out.
fn sandbox() -> (Sandbox, Vec<(String, String, u64)>) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "status: {base_url: https://issuer.example}\n");
    sandbox.write_items("items.ndjson", &items(1_500));
    let issued = lasting(&sandbox.issue("items.ndjson --idempotency-key k --output-format ndjson").expect(0));
    (sandbox, issued)
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_ledger_moves_with_all_that_it_knows() {
    let (sandbox, issued) = sandbox();
    let run = |line: &str| sandbox.beltic(&words(line));
    run(&format!("revoke {} --reason compromised", issued[0].0)).expect(0);
    run(&format!("suspend {}", issued[1_400].0)).expect(0);
    run("publish --out site").expect(0);
    let events = run("list --events --output-format ndjson").expect(0).stdout;
    let listed = run("list --output-format ndjson").expect(0).stdout;

    let moved = run("ledger copy .beltic/ledger.db deep/er/new.db").expect(0);
    assert!(moved.stderr.contains("moved the ledger to deep/er/new.db"), "{}", moved.stderr);

    for ledger in [".beltic/ledger.db", "deep/er/new.db"] {
        let run = |line: &str| run(&format!("{line} --ledger {ledger}"));
        assert_eq!(run("list --events --output-format ndjson").expect(0).stdout, events, "{ledger}");
        assert_eq!(run("list --output-format ndjson").expect(0).stdout, listed, "{ledger}");
        assert!(run("ledger check").expect(0).stdout.contains("1,500 credentials, 1 status list, 1 run"));
        run("list --events --verify").expect(0);
        run(&format!("show {}", issued[0].0)).expect(0);
        run("ledger backup backup.db --force").expect(0);
    }

    // What is issued again is what it was, and what is new goes into a list of its own.
    let flags = "items.ndjson --ledger deep/er/new.db --output-format ndjson";
    let again = sandbox.issue(&format!("{flags} --idempotency-key k")).expect(0);
    assert!(!again.stderr.contains("may be incomplete"), "{}", again.stderr);
    assert_eq!(lasting(&again), issued);
    let old: HashSet<_> = issued.iter().map(|(_, list, _)| list.clone()).collect();
    let new = lasting(&sandbox.issue(&format!("{flags} --duplicates allow")).expect(0));
    assert!(new.iter().all(|(_, list, _)| !old.contains(list)), "the lists of the source are closed");
    run(&format!("reinstate {} --ledger deep/er/new.db", issued[1_400].0)).expect(0);
    // Nothing is missing, so a new site needs no former one.
    run("publish --out another-site --ledger deep/er/new.db").expect(0);
    run("ledger check --ledger deep/er/new.db").expect(0);
}

#[test]
fn a_moved_ledger_is_only_read() {
    let (sandbox, issued) = sandbox();
    let run = |line: &str| sandbox.beltic(&words(line));
    run("ledger copy .beltic/ledger.db new.db").expect(0);
    let new = sandbox.path("new.db").canonicalize().unwrap().display().to_string();
    let before = run("list --events --output-format ndjson").expect(0).stdout;
    for refused in [
        "batch-issue items.ndjson",
        "batch-issue items.ndjson --dry-run",
        "batch-issue items.ndjson --idempotency-key k",
        "sync items.ndjson",
        "sync items.ndjson --plan",
        &format!("revoke {}", issued[0].0),
        &format!("revoke {} --dry-run", issued[0].0),
        &format!("suspend {}", issued[0].0),
        &format!("reinstate {}", issued[0].0),
        "ledger close-lists",
        "ledger copy .beltic/ledger.db another.db",
        "publish --out site",
    ] {
        let run = run(refused).expect(6);
        assert!(run.stderr.contains(&format!("was moved to {new}")), "{refused}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("hint: use `--ledger {new}`")), "{refused}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{refused}");
    }
    assert!(!sandbox.has("another.db"));
    assert_eq!(run("list --events --output-format ndjson").expect(0).stdout, before);
    // A copy of it is not used by accident either.
    run("ledger backup backup.db").expect(0);
    run("batch-issue items.ndjson --ledger backup.db").expect(6);
    // Whoever does not know that the move has ended repeats it.
    run("ledger copy .beltic/ledger.db new.db").expect(0);
    run("ledger copy new.db .beltic/ledger.db").expect(6);
    run("batch-issue items.ndjson --idempotency-key k --ledger new.db").expect(0);
}

#[test]
fn a_ledger_moves_only_where_nothing_is() {
    let (sandbox, _) = sandbox();
    let run = |line: &str| sandbox.beltic(&words(line));
    run("batch-issue items.ndjson --ledger other.db").expect(0);
    sandbox.write("letter.txt", "Dear Ms Thistlewick,");
    sandbox.write("empty", "");
    for taken in ["other.db", "letter.txt", "empty", ".beltic", ".beltic/ledger.db"] {
        let before = std::fs::read(sandbox.path(taken)).ok();
        run(&format!("ledger copy .beltic/ledger.db {taken}")).expect(6);
        assert_eq!(std::fs::read(sandbox.path(taken)).ok(), before, "{taken}");
    }
    run("ledger copy missing.db new.db").expect(6);
    run("ledger copy letter.txt new.db").expect(6);
    assert!(!sandbox.has("new.db"));
    // It is as it was: its list is open still.
    let more = sandbox.issue("items.ndjson --duplicates allow --output-format ndjson").expect(0);
    let lists: HashSet<_> = lasting(&more).into_iter().map(|(_, list, _)| list).collect();
    let first = lasting(&sandbox.issue("items.ndjson --idempotency-key k --output-format ndjson").expect(0));
    assert_eq!(lists, HashSet::from([first[0].1.clone()]));
}

/// A row that was changed, and the move is refused; nothing is left behind, and the source is as it was.
#[test]
fn a_damaged_ledger_does_not_move() {
    for damage in [
        "UPDATE batches SET records = zeroblob(length(records)) WHERE batch = 1",
        "UPDATE batches SET first_position = first_position + 1 WHERE batch = 2",
        "UPDATE lists SET secret = randomblob(32)",
        "UPDATE orders SET indices = zeroblob(length(indices)) WHERE part = 3",
        "UPDATE runs SET ttl = 'P9Y'",
        "UPDATE runs SET batches = batches + 1",
        "UPDATE scopes SET entries = entries + 1",
        "UPDATE segments SET filter = zeroblob(length(filter))",
        "UPDATE segments SET entries = zeroblob(length(entries))",
        "UPDATE statuses SET reason = 'because'",
        "UPDATE events SET at = at + 1 WHERE event = 1",
        "UPDATE seal SET runs = runs + 1",
        "UPDATE ledger SET created_at = created_at + 1",
        "DELETE FROM statuses",
        "DELETE FROM events WHERE event = 2",
        "DELETE FROM segments",
        "DELETE FROM orders WHERE part = 2",
    ] {
        let (sandbox, issued) = sandbox();
        sandbox.beltic(&["revoke", &issued[0].0, "--reason", "error"]).expect(0);
        let ledger = Connection::open(sandbox.path(".beltic/ledger.db")).unwrap();
        assert!(ledger.execute(damage, []).unwrap() > 0, "{damage}");
        drop(ledger);
        let run = sandbox.beltic(&["ledger", "copy", ".beltic/ledger.db", "new.db"]).expect(6);
        assert!(run.stderr.contains(".beltic/ledger.db is damaged"), "{damage}: {}", run.stderr);
        let left = std::fs::read_dir(sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("new")).collect();
        assert!(left.is_empty(), "{damage}: {left:?}");
        let ledger = Connection::open(sandbox.path(".beltic/ledger.db")).unwrap();
        let open: i64 =
            ledger.query_row("SELECT count(*) FROM lists WHERE NOT closed", [], |row| row.get(0)).unwrap();
        assert_eq!(open, 1, "{damage}");
    }
}

#[test]
fn a_ledger_is_made_once() {
    let sandbox = Sandbox::with_issuer_key();
    let run = |line: &str| sandbox.beltic(&words(line));
    run("ledger migrate").expect(6);
    let made = run("ledger init").expect(0);
    assert!(made.stderr.contains("made an empty ledger"), "{}", made.stderr);
    run("ledger init").expect(6);
    run("ledger init --ledger other.db --quiet").expect(0);
    run("ledger init --ledger third.db --no-failover-guard").expect(2);
    assert!(run("ledger check").expect(0).stdout.contains("0 credentials, 0 status lists, 0 runs"));
    let current = run("ledger migrate").expect(0);
    assert!(current.stderr.contains("the current one"), "{}", current.stderr);
    sandbox.write_items("items.ndjson", &items(2));
    sandbox.issue("items.ndjson").expect(0);
    Connection::open(sandbox.path("other.db")).unwrap().pragma_update(None, "user_version", 5).unwrap();
    run("ledger migrate --ledger other.db").expect(6);
}
