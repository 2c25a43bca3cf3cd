//! kill -9 at random moments, again and again, and the same key until each batch is finished.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::machine::rounds;
use crate::support::*;

/// How often the soak kills where nobody says otherwise, and where all is to be done.
const KILLS: [usize; 2] = [8, 25];

/// A ledger with so many credentials has several lists, and takes long to look over: the soak goes
/// on with another.
const LARGE_LEDGER: usize = 300_000;

/// What a result takes in the output, a little less than it does.
const BYTES_PER_ROW: usize = 1_600;

/// What a soak did.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    runs: usize,
    keys: usize,
    items: usize,
    results_before_kills: usize,
}

/// One soak: a ledger, and batch after batch issued into it under a key of its own while it is
/// being killed.
struct Soak {
    yard: Yard,
    books: Books,
    choices: Choices,
    figures: Figures,
    /// Sound items of the batches that were finished.
    sound: usize,
}

/// When a process is to die.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Once so many bytes of its output were read.
    Output(usize),
    /// The log beside the ledger being of this size.
    Log(u64),
    /// Once so many bytes went into the file that will be its results.
    File(u64),
    /// At this turn of the waiting loop.
    Turn(usize),
}

#[test]
fn a_batch_that_is_killed_again_and_again_is_issued_once() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    let kills = number("BELTIC_SOAK_KILLS")
        .map_or_else(|| rounds("kills", KILLS[0], KILLS[1]), |kills| kills as usize);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = number("BELTIC_SOAK_SEED").unwrap_or(u64::from(clock));
    println!("to repeat the choices: BELTIC_SOAK_SEED={seed}");

    let mut soak = Soak {
        yard: Yard::new(),
        books: Books::default(),
        choices: Choices::from_seed(seed),
        figures: Figures::default(),
        sound: 0,
    };
    while soak.figures.kills < kills {
        if soak.sound > LARGE_LEDGER {
            soak = soak.with_a_new_ledger();
        }
        soak.batch(kills);
    }
    let Figures { kills, runs, keys, items, results_before_kills } = soak.figures;
    println!(
        "soak: {kills} kills in {runs} runs over {keys} batches of {items} items in all; \
         {results_before_kills} results had left a process before it was killed; 0 violations"
    );
}

impl Soak {
    fn with_a_new_ledger(self) -> Soak {
        Soak { yard: Yard::new(), books: Books::default(), sound: 0, ..self }
    }

    /// One batch, killed until it has died often enough, and then issued to its end.
    fn batch(&mut self, kills: usize) {
        let key = format!("batch-{}", self.figures.keys);
        let count = 20_000 + self.choices.below(10_001);
        let input = match self.figures.keys % 2 {
            0 => "items.ndjson",
            _ => "items.csv",
        };
        let text = if input.ends_with("csv") { csv(&key, count) } else { ndjson(&key, count, 0) };
        self.yard.write(input, text);
        self.figures.keys += 1;
        self.figures.items += count;
        let last = kills.min(self.figures.kills + 10 + self.choices.below(20));
        // A batch that got through is repeated, and killed, a few times more.
        let mut finished = 0;
        while finished < 4 && self.figures.kills < last {
            finished += usize::from(self.attempt(&key, input, count));
        }
        let ended = self.run_on(&key, input, "").end().finished();
        self.books.enter_complete(&key, &ended.stdout, count);
        self.sound += sound_items(count);
        let recorded = self.yard.check_ledger("ledger.db");
        assert_eq!(recorded, self.sound, "a record for each sound item, and no other");
        assert_eq!(self.books.credentials(), self.sound);
    }

    fn run_on(&mut self, key: &str, input: &str, more: &str) -> Running {
        self.figures.runs += 1;
        let jobs = 1 + self.choices.below(4);
        self.yard.start(&format!(
            "batch-issue {input} --ledger ledger.db --idempotency-key {key} --jobs {jobs} --quiet {more}"
        ))
    }

    /// One run, killed at some moment. Whether it was finished before that.
    fn attempt(&mut self, key: &str, input: &str, count: usize) -> bool {
        let to_file = self.choices.below(4) == 0;
        let with_rival = self.choices.below(4) == 0;
        let moment = match self.choices.below(if to_file { 2 } else { 3 }) {
            0 => Moment::Log(1 + self.choices.below(count * 75) as u64),
            1 if to_file => Moment::File(1 + self.choices.below(count * BYTES_PER_ROW) as u64),
            1 => Moment::Turn(self.choices.below(5_000)),
            _ => Moment::Output(1 + self.choices.below(count * BYTES_PER_ROW)),
        };
        let rival = with_rival.then(|| self.run_on(key, input, ""));
        let mut run = self.run_on(key, input, if to_file { "--out results.ndjson" } else { "" });
        self.wait_for(moment, &mut run);
        let mut finished = false;
        for run in [Some(run), rival].into_iter().flatten() {
            let mut ended = run.kill();
            if ended.code.is_some() {
                // It got through before the moment came.
                ended = ended.finished();
                finished = true;
                if !ended.stdout.is_empty() {
                    self.books.enter_complete(key, &ended.stdout, count);
                }
            } else {
                self.figures.kills += 1;
                self.figures.results_before_kills += self.books.enter(key, &ended.stdout);
            }
            assert!(!ended.stderr.contains("locked"), "{}", ended.stderr);
        }
        if to_file && self.yard.has("results.ndjson") {
            let results = std::fs::read_to_string(self.yard.path("results.ndjson")).unwrap();
            self.books.enter_complete(key, &results, count);
            std::fs::remove_file(self.yard.path("results.ndjson")).unwrap();
        }
        let recorded = self.yard.check_ledger("ledger.db");
        assert!(recorded >= self.books.credentials(), "a record for each result that got out");
        assert!(recorded <= self.sound + sound_items(count), "no second record of any item");
        self.remove_leftovers();
        finished
    }

    fn wait_for(&self, moment: Moment, run: &mut Running) {
        let mut turns = 0;
        run.wait_until(|run| match moment {
            Moment::Output(bytes) => run.bytes_read() >= bytes,
            Moment::Log(bytes) => self.yard.size("ledger.db-wal") >= bytes,
            Moment::File(bytes) => self.unfinished_bytes() >= bytes,
            Moment::Turn(last) => {
                turns += 1;
                turns > last
            }
        });
    }

    /// The size of the largest file that has not got its name.
    fn unfinished_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.yard.path("")).unwrap();
        files
            .filter_map(|file| {
                let file = file.ok()?;
                let is_unfinished = file.file_name().to_str()?.starts_with(".beltic-");
                is_unfinished.then(|| file.metadata().map_or(0, |file| file.len()))
            })
            .max()
            .unwrap_or(0)
    }

    /// What a killed process could not clear away. Their names begin with a dot and end in `.tmp`, or in
    /// `.tmp-new` and what SQLite puts beside that, so that nobody takes them for results or ledgers.
    fn remove_leftovers(&self) {
        for file in std::fs::read_dir(self.yard.path("")).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let known = ["items.ndjson", "items.csv", "ledger.db", "ledger.db-wal", "ledger.db-shm"];
            if known.contains(&&*name)
                || ["ledger.db.mark", "ledger.db.lock"].contains(&&*name)
                || name == ".beltic"
            {
                continue;
            }
            let ends = [".tmp", ".tmp-new", ".tmp-new-journal", ".tmp-new-wal", ".tmp-new-shm"];
            let ends = ends.iter().any(|end| name.ends_with(end));
            assert!(name.starts_with('.') && ends, "{name} was left behind");
            std::fs::remove_file(self.yard.path(&name)).unwrap();
        }
    }
}
