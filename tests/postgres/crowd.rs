//! Many processes on one database.

use crate::books::*;
use crate::readers::machine::rounds;
use crate::world::{World, choices, shuffled};

#[test]
fn eight_processes_at_once_share_a_database() {
    let each = rounds("items of each process", 3_000, 125_000);
    let Some(world) = World::new() else { return };
    let runs: Vec<_> = (0..8)
        .map(|number| {
            let (name, key) = (format!("items-{number}.ndjson"), format!("p{number}"));
            world.yard.write(&name, ndjson(&key, each, 0));
            // Half of them without a key, as most runs are.
            let with_key = if number % 2 == 0 { format!("--idempotency-key {key}") } else { String::new() };
            (key, world.start(&format!("{name} --jobs 2 {with_key}")))
        })
        .collect();
    let mut books = Books::default();
    for (key, run) in runs {
        let ended = run.end().finished();
        assert_no_complaint(&ended);
        books.enter_complete(&key, &ended.stdout, each);
    }
    assert_eq!(books.credentials(), 8 * sound_items(each));
    assert_eq!(world.recorded(), books.credentials(), "no record is lost");
    world.compare(&books);
}

/// Schedulers start many short tasks.
#[test]
fn sixty_four_processes_at_once_issue_small_batches() {
    let small_batches = rounds("batches of each process", 2, 25);
    let Some(world) = World::new() else { return };
    let mut books = Books::default();
    for round in 0..small_batches {
        let runs: Vec<_> = (0..64)
            .map(|number| {
                let key = format!("r{round}p{number}");
                world.yard.write(&format!("{key}.ndjson"), ndjson(&key, 40, 0));
                let with_key =
                    if number % 2 == 0 { format!("--idempotency-key {key}") } else { String::new() };
                let run = world.start(&format!("{key}.ndjson --jobs 1 {with_key}"));
                (key, run)
            })
            .collect();
        for (key, run) in runs {
            let ended = run.end().finished();
            assert_no_complaint(&ended);
            books.enter_complete(&key, &ended.stdout, 40);
        }
    }
    assert_eq!(books.credentials(), small_batches * 64 * sound_items(40));
    assert_eq!(world.recorded(), books.credentials());
    world.compare(&books);
}

#[track_caller]
fn assert_no_complaint(ended: &Ended) {
    for word in ["lock", "in use", "warning", "error"] {
        assert!(!ended.stderr.contains(word), "{}", ended.stderr);
    }
}

/// Many that find an empty database make a ledger, together.
#[test]
fn many_processes_at_once_make_one_ledger() {
    for round in 0..rounds("new ledgers", 2, 10) {
        let Some(world) = World::new() else { return };
        world.yard.write("items.ndjson", ndjson("m", 20, 0));
        let runs: Vec<_> = (0..12).map(|_| world.start("items.ndjson --jobs 1 --duplicates allow")).collect();
        let mut books = Books::default();
        for (number, run) in runs.into_iter().enumerate() {
            let ended = run.end().finished();
            assert_no_complaint(&ended);
            books.enter_complete(&format!("{round}-{number}"), &ended.stdout, 20);
        }
        assert_eq!(world.recorded(), 12 * sound_items(20));
    }
}

/// What engines do that start a slow task a second time: the same items, each time in another order.
#[test]
fn four_attempts_of_the_same_items_at_once_get_the_same_answers() {
    let count = rounds("items", 10_000, 40_000);
    let Some(world) = World::new() else { return };
    let mut choices = choices();
    let items = ndjson("same", count, 0);
    let runs: Vec<_> = (0..4)
        .map(|attempt| {
            let name = format!("attempt-{attempt}.ndjson");
            world.yard.write(&name, shuffled(&items, &mut choices));
            world.start(&format!(
                "{name} --idempotency-key same --idempotent-by correlation-id --jobs {}",
                1 + attempt % 2
            ))
        })
        .collect();
    let mut books = Books::default();
    let mut issued = 0;
    for run in runs {
        let ended = run.end().finished();
        issued += issued_by(&ended);
        assert_eq!(books.enter_shuffled("same", &ended.stdout), count, "every item has a row");
    }
    assert_eq!(issued, sound_items(count), "each item is issued by one of them");
    assert_eq!(books.credentials(), sound_items(count));
    assert_eq!(world.recorded(), sound_items(count));
    world.compare(&books);
}

/// How many credentials the closing line says that were new.
fn issued_by(ended: &Ended) -> usize {
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("issued ")).expect(&ended.stderr);
    let number = line.split(", ").next().unwrap().replace(',', "");
    number.parse().expect(line)
}

/// Each task reads the whole file, and issues its share.
#[test]
fn shards_of_one_file_are_all_of_it() {
    const COUNT: usize = 5_000;
    let Some(world) = World::new() else { return };
    world.yard.write("items.ndjson", ndjson("s", COUNT, 0));
    let runs: Vec<_> = (0..5)
        .map(|shard| world.start(&format!("items.ndjson --idempotency-key s --shard {shard}/5 --jobs 1")))
        .collect();
    let mut books = Books::default();
    let mut count = 0;
    for run in runs {
        let ended = run.end();
        assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.stderr);
        count += books.enter_shuffled("s", &ended.stdout);
    }
    assert_eq!(count, COUNT, "each item is in one shard");
    assert_eq!(books.credentials(), sound_items(COUNT));
    assert_eq!(world.recorded(), sound_items(COUNT));
}
