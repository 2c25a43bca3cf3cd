//! Standbys: one that lags and takes over while the former server lives, one in the middle of a run, and those that
//! every commit waits for.

use crate::books::*;
use crate::cluster::Cluster;
use crate::proxy::Proxy;
use crate::world::{World, compare_on, recorded_on, taken};

/// Items of a batch.
const COUNT: usize = 4_000;

/// A standby that has the ledger, and then nothing more of what happens to it.
fn lagging_standby(world: &World, books: &mut Books) -> Cluster {
    let standby = world.cluster.standby();
    issue(world, &world.cluster, "before", books);
    standby.catch_up_with(&world.cluster);
    standby.stop_following();
    standby
}

/// Issues a batch on a server, under a key of the batch's name.
fn issue(world: &World, on: &Cluster, name: &str, books: &mut Books) -> Ended {
    let run = start(world, &on.url(), name);
    finish(run, name, books)
}

fn start(world: &World, url: &str, name: &str) -> Running {
    world.yard.write(&format!("{name}.ndjson"), ndjson(name, COUNT, 0));
    world.start_at(url, &format!("{name}.ndjson --idempotency-key {name} --jobs 1"))
}

fn finish(run: Running, name: &str, books: &mut Books) -> Ended {
    let ended = run.end().finished();
    books.enter_complete(name, &ended.stdout, COUNT);
    ended
}

/// Asynchronous replication may lose what was delivered. It must not give a place to two.
#[test]
fn a_lagging_standby_that_takes_over_while_the_other_server_lives_gives_no_place_twice() {
    let Some(world) = World::new() else { return };
    let mut books = Books::default();
    let standby = lagging_standby(&world, &mut books);
    issue(&world, &world.cluster, "unknown-to-the-standby", &mut books);

    standby.promote();
    let on_both: Vec<(&str, Running)> = vec![
        ("on-the-old", start(&world, &world.cluster.url(), "on-the-old")),
        ("on-the-new", start(&world, &standby.url(), "on-the-new")),
        ("on-the-old-too", start(&world, &world.cluster.url(), "on-the-old-too")),
        ("on-the-new-too", start(&world, &standby.url(), "on-the-new-too")),
    ];
    let ended: Vec<Ended> = on_both.into_iter().map(|(name, run)| finish(run, name, &mut books)).collect();
    let is_warned = |ended: &Ended| ended.stderr.contains("warning: ");
    assert!(is_warned(&ended[1]) || is_warned(&ended[3]), "someone is told: {}", ended[1].stderr);
    assert!(!is_warned(&ended[0]) && !is_warned(&ended[2]), "{}", ended[0].stderr);

    // What was lost is issued again under other ids, at other places.
    let lost = "unknown-to-the-standby";
    let again = start(&world, &standby.url(), lost).end().finished();
    books.enter_complete("issued-again", &again.stdout, COUNT);
    assert_eq!(books.credentials(), 7 * sound_items(COUNT), "no place and no id was given twice");
    assert_eq!(recorded_on(&world.yard, &world.cluster), 4 * sound_items(COUNT));
    assert_eq!(recorded_on(&world.yard, &standby), 4 * sound_items(COUNT));
}

/// The guard is in every statement that records: a pooler, or a name that moves, leads a process to another server.
#[test]
fn a_run_that_is_led_to_another_server_gives_no_place_twice() {
    let Some(world) = World::new() else { return };
    let mut books = Books::default();
    let standby = lagging_standby(&world, &mut books);
    let proxy = Proxy::before(world.cluster.port());
    let count = 10 * COUNT;
    world.yard.write("moved.ndjson", ndjson("moved", count, 0));
    let mut moved = world.start_at(&proxy.url(), "moved.ndjson --jobs 1");
    let before = taken(&world.cluster);
    moved.wait_until(|_| taken(&world.cluster) >= before + COUNT);
    standby.promote();
    proxy.lead_to(standby.port());
    let old = issue(&world, &world.cluster, "on-the-old", &mut books);
    assert!(!old.stderr.contains("warning: "), "{}", old.stderr);
    let moved = moved.end();
    assert!(matches!(moved.code, Some(3 | 6)), "{:?}: {}", moved.code, moved.stderr);
    assert!(moved.code == Some(6) || moved.stderr.contains("warning: "), "{}", moved.stderr);
    books.enter("moved", &moved.stdout);
    issue(&world, &standby, "on-the-new", &mut books);
    recorded_on(&world.yard, &world.cluster);
    recorded_on(&world.yard, &standby);
}

/// Where each commit waits for a standby, what was delivered is there when the server is lost.
#[test]
fn nothing_is_lost_with_a_synchronous_standby() {
    let Some(mut world) = World::new() else { return };
    let mut books = Books::default();
    let standby = world.cluster.standby();
    wait_for_standbys(&world.cluster, "*");
    let runs: Vec<(String, Running)> = (0..3)
        .map(|number| {
            let name = format!("batch{number}");
            let run = start(&world, &world.cluster.url(), &name);
            (name, run)
        })
        .collect();
    while taken(&world.cluster) < COUNT {}
    world.cluster.crash();
    let delivered: Vec<(String, Ended)> = runs.into_iter().map(|(name, run)| (name, run.kill())).collect();
    for (name, ended) in &delivered {
        books.enter(name, &ended.stdout);
    }
    standby.stop_following();
    standby.promote();
    compare_on(&world.yard, &standby, books.given());
    for (name, _) in &delivered {
        let ended = start(&world, &standby.url(), name).end().finished();
        books.enter_complete(name, &ended.stdout, COUNT);
    }
    assert_eq!(recorded_on(&world.yard, &standby), 3 * sound_items(COUNT));
}

/// Standbys are asked for and none answers: nothing is delivered, and the run says so. The same command goes on later.
#[test]
fn without_the_standby_that_is_waited_for_nothing_is_delivered() {
    let Some(world) = World::new() else { return };
    let mut books = Books::default();
    issue(&world, &world.cluster, "before", &mut books);
    wait_for_standbys(&world.cluster, "nobody");
    world.wait_at_most("PT2S");
    for _ in 0..2 {
        let ended = start(&world, &world.cluster.url(), "waiting").end().expect(6);
        assert_eq!(ended.stdout, "", "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    }
    wait_for_standbys(&world.cluster, "");
    issue(&world, &world.cluster, "waiting", &mut books);
    assert_eq!(world.recorded(), 2 * sound_items(COUNT));
    world.compare(&books);
}

/// Has each commit wait for a standby of this name.
fn wait_for_standbys(cluster: &Cluster, names: &str) {
    cluster.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"));
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    while cluster.sql("postgres", "SHOW synchronous_standby_names") != names {}
}

/// What the other tests rest on, without the program under test.
#[test]
fn a_standby_follows_lags_and_takes_over() {
    let Some(cluster) = Cluster::new() else { return };
    let standby = cluster.standby();
    cluster.sql("postgres", "CREATE TABLE t AS SELECT 1 AS n");
    standby.catch_up_with(&cluster);
    standby.stop_following();
    cluster.sql("postgres", "INSERT INTO t VALUES (2)");
    standby.promote();
    standby.sql("postgres", "INSERT INTO t VALUES (3)");
    let numbers = "SELECT string_agg(n::text, ',' ORDER BY n) FROM t";
    assert_eq!(cluster.sql("postgres", numbers), "1,2");
    assert_eq!(standby.sql("postgres", numbers), "1,3");
}
