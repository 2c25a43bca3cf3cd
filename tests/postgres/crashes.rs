//! kill -9 of the server under load, and of those who issue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::books::*;
use crate::cluster::Options;
use crate::readers::machine::rounds;
use crate::world::{World, choices, taken};

/// Items of a batch that is issued under load.
const BATCH: usize = 3_000;

/// A batch under a key, and all that left the processes that issued it, the last of which got to the end.
struct Batch {
    key: String,
    outputs: Vec<Ended>,
}

#[test]
fn a_server_that_crashes_under_load_loses_nothing_that_was_delivered() {
    let crashes = rounds("crashes of the server", 4, 20);
    let Some(mut world) = World::with(Options { fsync: true, ..Options::default() }) else { return };
    world.run("--allow-empty --input-format ndjson").expect(0);
    let is_over = AtomicBool::new(false);
    let (cluster, yard) = (&mut world.cluster, &world.yard);
    let url = cluster.url();
    let batches: Vec<Batch> = thread::scope(|scope| {
        let (is_over, url) = (&is_over, url.as_str());
        let issuers: Vec<_> =
            (0..4).map(|number| scope.spawn(move || issue_until(is_over, yard, url, number))).collect();
        for _ in 0..crashes {
            // Some batches have been recorded since the last crash, and others are about to be.
            let before = taken(cluster);
            while taken(cluster) < before + 5_000 {
                assert!(issuers.iter().all(|issuer| !issuer.is_finished()), "an issuer has given up");
            }
            cluster.crash();
            cluster.start();
        }
        is_over.store(true, Ordering::SeqCst);
        issuers.into_iter().flat_map(|issuer| issuer.join().unwrap()).collect()
    });

    let mut books = Books::default();
    let attempts: usize = batches.iter().map(|batch| batch.outputs.len()).sum();
    for Batch { key, outputs } in &batches {
        for output in outputs {
            books.enter(key, &output.stdout);
        }
        books.enter_complete(key, &outputs.last().unwrap().stdout, BATCH);
    }
    println!(
        "{crashes} crashes: {} batches in {attempts} attempts, {} credentials",
        batches.len(),
        books.credentials()
    );
    assert_eq!(books.credentials(), batches.len() * sound_items(BATCH));
    assert_eq!(world.recorded(), books.credentials(), "each item has one record");
    world.compare(&books);
    for Batch { key, .. } in &batches {
        world.yard.write("again.ndjson", ndjson(key, BATCH, 0));
        let again = world.run(&format!("again.ndjson --idempotency-key {key} --quiet")).finished();
        books.enter_complete(key, &again.stdout, BATCH);
    }
    assert_eq!(world.recorded(), books.credentials(), "nothing is issued again");
}

/// Issues batch after batch, each until it is finished.
fn issue_until(is_over: &AtomicBool, yard: &Yard, url: &str, number: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let key = format!("c{number}b{}", batches.len());
        let items = format!("{key}.ndjson");
        yard.write(&items, ndjson(&key, BATCH, 0));
        let mut outputs = Vec::new();
        let args = format!("batch-issue {items} --ledger {url} --idempotency-key {key} --jobs 1 --quiet");
        while outputs.last().is_none_or(|ended: &Ended| ended.code != Some(3)) {
            let ended = yard.run(&args);
            assert!(matches!(ended.code, Some(3 | 6)), "{:?}: {}", ended.code, ended.stderr);
            outputs.push(ended);
        }
        batches.push(Batch { key, outputs });
    }
    batches
}

/// When a process is to die.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Once so many bytes of its output were read.
    Output(usize),
    /// Once so many more places are taken in the database.
    Taken(usize),
    /// At this turn of the waiting loop.
    Turn(usize),
}

/// What a result takes in the output, a little less than it does.
const BYTES_PER_ROW: usize = 1_600;

#[test]
fn a_batch_whose_issuers_are_killed_again_and_again_is_issued_once() {
    let kills = rounds("kills", 12, 60);
    let Some(world) = World::new() else { return };
    world.run("--allow-empty --input-format ndjson").expect(0);
    let mut choices = choices();
    let mut books = Books::default();
    let (mut killed, mut delivered, mut keys, mut sound) = (0, 0, 0, 0);
    while killed < kills {
        let (key, count) = (format!("batch-{keys}"), 8_000 + choices.below(4_001));
        world.yard.write("items.ndjson", ndjson(&key, count, 0));
        for _ in 0..4 {
            let ended = kill_one_of(&world, &key, count, &mut choices);
            killed += ended.iter().filter(|ended| ended.code.is_none()).count();
            delivered += ended.iter().map(|ended| books.enter(&key, &ended.stdout)).sum::<usize>();
            // What the server was about to carry out for a process that is gone, it carries out.
            let at_work =
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'beltic' AND state <> 'idle'";
            while world.cluster.sql("postgres", at_work) != "0" {}
            let recorded = world.recorded();
            assert!(recorded >= books.credentials(), "a record for each result that got out");
            assert!(recorded <= sound + sound_items(count), "no second record of any item");
        }
        let last = world.run(&format!("items.ndjson --idempotency-key {key} --quiet")).finished();
        books.enter_complete(&key, &last.stdout, count);
        (keys, sound) = (keys + 1, sound + sound_items(count));
        assert_eq!(world.recorded(), sound, "a record for each sound item, and no other");
        assert_eq!(books.credentials(), sound);
    }
    world.compare(&books);
    println!(
        "{killed} kills over {keys} batches; {delivered} results had left processes that were killed or ended"
    );
}

/// One or two runs under a key, killed at some moment. Gives what they left.
fn kill_one_of(world: &World, key: &str, count: usize, choices: &mut Choices) -> Vec<Ended> {
    let moment = match choices.below(3) {
        0 => Moment::Output(1 + choices.below(count * BYTES_PER_ROW)),
        1 => Moment::Taken(1 + choices.below(count)),
        _ => Moment::Turn(choices.below(5_000)),
    };
    let before = taken(&world.cluster);
    let jobs = 1 + choices.below(4);
    let start = || world.start(&format!("items.ndjson --idempotency-key {key} --jobs {jobs} --quiet"));
    let rival = (choices.below(3) == 0).then(start);
    let mut run = start();
    let mut turns = 0;
    run.wait_until(|run| match moment {
        Moment::Output(bytes) => run.bytes_read() >= bytes,
        Moment::Taken(count) => taken(&world.cluster) >= before + count,
        Moment::Turn(last) => {
            turns += 1;
            turns > last
        }
    });
    [Some(run), rival].into_iter().flatten().map(Running::kill).collect()
}
