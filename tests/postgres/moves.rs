//! A ledger that moves between files and databases, backups of one that is in use, and what a user must be allowed.

use std::collections::BTreeMap;

use crate::books::*;
use crate::cluster::DATABASE;
use crate::world::{World, taken};

const COUNT: usize = 2_500;

/// What a ledger says about its credentials: all that `list` shows, by their ids, without its own page marks.
fn shown(world: &World, ledger: &str) -> BTreeMap<String, serde_json::Value> {
    let ended = world.yard.run(&format!("list --ledger {ledger} --output-format ndjson")).expect(0);
    let rows = ended.stdout.lines().map(|line| {
        let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
        row.as_object_mut().unwrap().remove("cursor");
        (row["id"].as_str().unwrap().to_owned(), row)
    });
    rows.collect()
}

/// Issues a batch under a key of its name, and enters what comes out.
fn issue(world: &World, ledger: &str, name: &str, books: &mut Books) {
    world.yard.write(&format!("{name}.ndjson"), ndjson(name, COUNT, 0));
    let args = format!("{name}.ndjson --idempotency-key {name} --quiet");
    let ended = world.run_at(ledger, &args).finished();
    books.enter_complete(name, &ended.stdout, COUNT);
}

#[test]
fn a_ledger_moves_from_a_file_to_a_database_and_back() {
    let Some(world) = World::new() else { return };
    let url = world.cluster.url();
    let mut books = Books::default();
    issue(&world, "ledger.db", "first", &mut books);
    let revoked = books.given().next().unwrap().id.clone();
    world.yard.run(&format!("revoke {revoked} --ledger ledger.db --reason test")).expect(0);

    let before = shown(&world, "ledger.db");
    world.yard.run(&format!("ledger copy ledger.db {url}")).expect(0);
    assert_eq!(shown(&world, &url), before);
    assert_eq!(world.recorded(), sound_items(COUNT));
    world.yard.run(&format!("list --events --verify --ledger {url}")).expect(0);
    let retired = world.run_at("ledger.db", "first.ndjson --quiet").expect(6);
    assert!(retired.stdout.is_empty() && retired.stderr.contains("127.0.0.1"), "{}", retired.stderr);
    assert_eq!(shown(&world, "ledger.db"), before, "it can still be looked at");

    issue(&world, &url, "first", &mut books);
    issue(&world, &url, "second", &mut books);
    assert_eq!(world.recorded(), 2 * sound_items(COUNT));
    let before = shown(&world, &url);
    world.yard.run(&format!("ledger copy {url} back.db")).expect(0);
    assert_eq!(shown(&world, "back.db"), before);
    assert_eq!(world.yard.check_ledger("back.db"), 2 * sound_items(COUNT));
    world.run("second.ndjson --quiet").expect(6);
    issue(&world, "back.db", "first", &mut books);
    issue(&world, "back.db", "second", &mut books);
    issue(&world, "back.db", "third", &mut books);
    assert_eq!(books.credentials(), 3 * sound_items(COUNT));
}

#[test]
fn a_backup_is_one_moment_of_a_ledger_that_is_in_use() {
    let Some(world) = World::new() else { return };
    let url = world.cluster.url();
    let mut books = Books::default();
    issue(&world, &url, "before", &mut books);
    world.yard.write("meanwhile.ndjson", ndjson("meanwhile", 8 * COUNT, 0));
    let mut run = world.start("meanwhile.ndjson --idempotency-key meanwhile --jobs 1 --quiet");
    let begun = taken(&world.cluster);
    run.wait_until(|_| taken(&world.cluster) > begun);
    world.yard.run(&format!("ledger backup backup.db --ledger {url}")).expect(0);
    let ended = run.end().finished();
    books.enter_complete("meanwhile", &ended.stdout, 8 * COUNT);
    assert_eq!(world.recorded(), books.credentials(), "the ledger is used on");

    let kept = world.yard.check_ledger("backup.db");
    assert!((sound_items(COUNT)..=books.credentials()).contains(&kept), "{kept}");
    let now = shown(&world, &url);
    for (id, row) in shown(&world, "backup.db") {
        assert_eq!(now.get(&id), Some(&row));
    }
}

/// The grants of docs/more-than-one-machine.md are enough to issue, and those for looking are enough to look.
#[test]
fn the_rights_that_the_page_lists_are_enough() {
    let Some(world) = World::new() else { return };
    let url = world.cluster.url();
    world.yard.run(&format!("ledger init --ledger {url}")).expect(0);
    let page = include_str!("../../docs/more-than-one-machine.md");
    let grants = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let admin = |sql: &str| world.cluster.sql(DATABASE, sql);
    admin("CREATE ROLE issuer LOGIN");
    admin("CREATE ROLE auditor LOGIN");
    admin(grants);
    admin("GRANT USAGE ON SCHEMA beltic TO auditor");
    admin("GRANT SELECT ON ALL TABLES IN SCHEMA beltic TO auditor");
    let (issuer, auditor) = (url.replace("beltic@", "issuer@"), url.replace("beltic@", "auditor@"));

    let mut books = Books::default();
    issue(&world, &issuer, "first", &mut books);
    issue(&world, &issuer, "first", &mut books);
    let id = books.given().next().unwrap().id.clone();
    for command in [format!("revoke {id}"), "publish --out site".to_owned(), "ledger close-lists".to_owned()]
    {
        world.yard.run(&format!("{command} --ledger {issuer}")).expect(0);
    }
    issue(&world, &issuer, "second", &mut books);
    let before = shown(&world, &url);
    assert_eq!(shown(&world, &auditor), before);
    for command in [format!("show {id}"), "ledger check".to_owned(), "list --events --verify".to_owned()] {
        world.yard.run(&format!("{command} --ledger {auditor}")).expect(0);
    }
    let refused = world.run_at(&auditor, "first.ndjson --quiet").expect(6);
    assert!(refused.stderr.contains("hint: ") && refused.stdout.is_empty(), "{}", refused.stderr);
    assert_eq!(shown(&world, &url), before);
}
