//! A server with a ledger, a folder from which is issued, and what has to be true of both.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::books::{Books, Choices, Credential, Ended, Running, Yard, rows_of_list};
use crate::cluster::{Cluster, DATABASE, Options};

/// The settings of everyone who issues: an issuer whose status lists have an address, and how long a server is waited
/// for.
pub(crate) fn settings(wait: &str) -> String {
    format!("issuer:\n  did: did:web:issuer.example\nledger:\n  wait: {wait}\n")
}

/// Longer than any test takes.
const WAIT: &str = "PT10M";

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) yard: Yard,
}

impl World {
    /// `None`, with a message, where there is no PostgreSQL.
    pub(crate) fn new() -> Option<World> {
        World::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Option<World> {
        let world = World { cluster: Cluster::with(options)?, yard: Yard::new() };
        world.wait_at_most(WAIT);
        Some(world)
    }

    /// From now on a server that does not answer is waited for as long as this.
    pub(crate) fn wait_at_most(&self, wait: &str) {
        self.yard.write(".beltic.yaml", settings(wait));
    }

    /// Starts to issue.
    pub(crate) fn start(&self, args: &str) -> Running {
        self.start_at(&self.cluster.url(), args)
    }

    /// The same with another address of the ledger.
    pub(crate) fn start_at(&self, url: &str, args: &str) -> Running {
        self.yard.start(&format!("batch-issue --ledger {url} {args}"))
    }

    /// Issues.
    pub(crate) fn run(&self, args: &str) -> Ended {
        self.run_at(&self.cluster.url(), args)
    }

    pub(crate) fn run_at(&self, url: &str, args: &str) -> Ended {
        self.yard.run(&format!("batch-issue --ledger {url} {args}"))
    }

    /// How many credentials there are in the ledger, which must be intact.
    #[track_caller]
    pub(crate) fn recorded(&self) -> usize {
        recorded_on(&self.yard, &self.cluster)
    }

    /// Compares all that was given out with what the ledger has, which may be more.
    #[track_caller]
    pub(crate) fn compare(&self, books: &Books) {
        compare_on(&self.yard, &self.cluster, books.given());
    }
}

/// How many credentials a server's ledger has. It must be intact, and its places must be as the database has them.
#[track_caller]
pub(crate) fn recorded_on(yard: &Yard, cluster: &Cluster) -> usize {
    let count = yard.check_ledger_at(&cluster.url());
    assert_eq!(taken(cluster), count, "a place for each credential, and no other");
    assert_eq!(cluster.sql(DATABASE, OVERLAPS), "0", "a place is taken twice");
    count
}

/// Compares credentials with what a ledger has. Each must be there, and be what it was.
#[track_caller]
pub(crate) fn compare_on<'c>(
    yard: &Yard,
    cluster: &Cluster,
    credentials: impl Iterator<Item = &'c Credential>,
) {
    let known = listed(yard, cluster);
    for credential in credentials {
        assert_eq!(known.get(&credential.id), Some(credential), "it left a process");
    }
}

/// The credentials of a ledger, by their ids.
pub(crate) fn listed(yard: &Yard, cluster: &Cluster) -> HashMap<String, Credential> {
    let ended = yard.run(&format!("list --ledger {} --output-format ndjson", cluster.url())).expect(0);
    rows_of_list(&ended.stdout).map(|credential| (credential.id.clone(), credential)).collect()
}

/// How many places are taken, as the database says; 0 where nobody has made a ledger yet.
pub(crate) fn taken(cluster: &Cluster) -> usize {
    let is_made = cluster.sql(DATABASE, "SELECT to_regclass('beltic.slots') IS NOT NULL");
    if is_made != "t" {
        return 0;
    }
    let sql = "SELECT coalesce(sum(end_slot - first_slot), 0) FROM beltic.slots";
    cluster.sql(DATABASE, sql).parse().unwrap()
}

/// How many takings of places begin before the one before them in the list ends.
const OVERLAPS: &str = "
    SELECT count(*) FROM (
        SELECT first_slot, lag(end_slot, 1, 0) OVER (PARTITION BY list ORDER BY first_slot) AS free FROM beltic.slots
    ) AS taken WHERE first_slot < free";

/// Choices that `BELTIC_SOAK_SEED` repeats.
pub(crate) fn choices() -> Choices {
    let said = std::env::var("BELTIC_SOAK_SEED").ok();
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = said.map_or(u64::from(clock), |seed| seed.parse().expect("a number"));
    println!("to repeat the choices: BELTIC_SOAK_SEED={seed}");
    Choices::from_seed(seed)
}

/// Lines in another order.
pub(crate) fn shuffled(text: &str, choices: &mut Choices) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for last in (1..lines.len()).rev() {
        lines.swap(last, choices.below(last + 1));
    }
    lines.join("\n") + "\n"
}
