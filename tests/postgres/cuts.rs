//! The line is cut at every message between the program and the server, and each item is issued once.

use crate::books::*;
use crate::proxy::{Cut, From, Proxy};
use crate::readers::machine::is_full;
use crate::readers::machine::reduced;
use crate::world::{World, taken};

/// Items of a run at each scale: more than one batch, of which the first is recorded in another way than the others; and
/// at the full scale so many that several are on their way at once.
const COUNT: [usize; 2] = [1_200, 2_500];

/// A run over a line that is cut once, somewhere.
struct Broken<'w> {
    world: &'w World,
    with_key: bool,
    count: usize,
    books: Books,
    runs: usize,
    cuts: usize,
    gave_up: usize,
}

#[test]
fn a_line_that_is_cut_at_any_message_issues_each_item_once_under_a_key() {
    let Some(world) = World::new() else { return };
    Broken::new(&world, true).at_every_message();
}

#[test]
fn a_line_that_is_cut_at_any_message_issues_each_item_once_without_a_key() {
    let Some(world) = World::new() else { return };
    Broken::new(&world, false).at_every_message();
}

impl<'w> Broken<'w> {
    fn new(world: &'w World, with_key: bool) -> Broken<'w> {
        let count = COUNT[usize::from(is_full())];
        Broken { world, with_key, count, books: Books::default(), runs: 0, cuts: 0, gave_up: 0 }
    }

    fn at_every_message(&mut self) {
        // The first run makes the ledger, the second shows how many messages a run takes.
        self.run(&Proxy::before(self.world.cluster.port()), "first").finished();
        let proxy = Proxy::before(self.world.cluster.port());
        self.run(&proxy, "second").finished();
        proxy.wait_for_the_end();
        let messages = [From::Program, From::Server].map(|from| proxy.messages(from));
        let recordings = proxy.recordings();
        drop(proxy);
        assert!(!recordings.is_empty(), "the run has recorded something");
        if !is_full() {
            reduced("cuts at each message of a statement that records, and at every eleventh of the others");
        }
        for (from, messages) in [From::Program, From::Server].into_iter().zip(messages) {
            let is_of_recording = |message: usize| {
                recordings
                    .iter()
                    .any(|seen| (seen[from as usize]..seen[from as usize] + 8).contains(&message))
            };
            for message in 1..=messages {
                let is_taken = is_full() || is_of_recording(message) || message == messages;
                if is_taken || message % 11 == 1 {
                    self.cut(Cut { from, message, arrives: false });
                }
                if is_taken {
                    self.cut(Cut { from, message, arrives: true });
                }
            }
        }
        println!(
            "{messages:?} messages, {} cuts, {} runs gave up and were repeated",
            self.cuts, self.gave_up
        );
        assert!(self.cuts * 10 > self.runs * 9, "the line was cut in almost every run");
        assert_eq!(self.world.recorded(), self.books.credentials());
        self.world.compare(&self.books);
    }

    /// Issues the same number of new items each time, under a name of their own.
    fn run(&mut self, proxy: &Proxy, name: &str) -> Ended {
        let before = self.books.credentials();
        self.world.yard.write("items.ndjson", ndjson(name, self.count, 0));
        let key = if self.with_key { format!("--idempotency-key {name}") } else { String::new() };
        let args = format!("items.ndjson --jobs 1 {key}");
        let mut ended = self.world.run_at(&proxy.url(), &args);
        self.books.enter(name, &ended.stdout);
        if ended.code == Some(6) {
            // Without a key, only a run of which nothing was recorded can be repeated.
            let is_nothing = ended.stdout.is_empty() && taken(&self.world.cluster) == before;
            assert!(self.with_key || is_nothing, "{name}: {}", ended.stderr);
            self.gave_up += 1;
            ended = self.world.run_at(&proxy.url(), &args);
        }
        assert_eq!(ended.code, Some(3), "{name}: {}", ended.stderr);
        self.books.enter_complete(name, &ended.stdout, self.count);
        assert_eq!(self.books.credentials(), before + sound_items(self.count), "{name}");
        assert_eq!(taken(&self.world.cluster), self.books.credentials(), "{name}: each item has one record");
        ended
    }

    fn cut(&mut self, cut: Cut) {
        let proxy = Proxy::with_cut(self.world.cluster.port(), cut);
        let Cut { from, message, arrives } = cut;
        self.run(&proxy, &format!("{from:?}{message}{}", if arrives { "after" } else { "before" }));
        self.runs += 1;
        self.cuts += usize::from(proxy.has_cut());
    }
}
