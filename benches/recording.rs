//! How many credentials a second does one PostgreSQL server record, with 1, 4, 16 and 64 clients at once?
//!
//! Each client is a thread with a connection and a ledger of its own, as a process would be, and does nothing but record
//! batches of 1,000: nothing is read, signed or written. The server runs on the same machine, so the figures are a lower
//! bound for a server that has a machine to itself. Then the ledger is opened once more, which enters what was granted.
//!
//! `RECORDING_URL` names the database of a server that runs; without it the benchmark starts one. `RECORDING_BATCHES`
//! says how many batches there are in each round, `RECORDING_CLIENTS` with how many clients.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::thread;
use std::time::Instant;

use beltic::clock::{UnixTime, system_now};
use beltic::ledger::{Entry, Ledger, RunDescription, ServerAddress, Terms, TypeTerms};
use beltic::request::{ContentHash, Draft, IdRule, ItemId, Piece};
use beltic::types::Types;

#[allow(dead_code, clippy::unwrap_used, reason = "the tests use the rest")]
#[path = "../tests/postgres/cluster.rs"]
mod cluster;
#[allow(clippy::unwrap_used, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod readers;

const CLIENTS: [u64; 4] = [1, 4, 16, 64];
const BATCH: u64 = 1_000;

fn main() {
    // `cargo test --benches` runs benchmarks too; there they only have to compile.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let named = std::env::var("RECORDING_URL").ok();
    let options = cluster::Options { fsync: true, ..cluster::Options::default() };
    let own = if named.is_none() { cluster::Cluster::with(options) } else { None };
    let Some(url) = named.or_else(|| own.as_ref().map(cluster::Cluster::url)) else {
        println!("there is no PostgreSQL");
        return;
    };
    let address = ServerAddress::parse(&url).expect("the URL names a database");
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let batches = number("RECORDING_BATCHES").unwrap_or(1_280);
    for with_keys in [false, true] {
        for clients in CLIENTS {
            if number("RECORDING_CLIENTS").is_none_or(|only| only == clients) {
                round(&address, clients, batches, with_keys);
            }
        }
    }
}

fn round(address: &ServerAddress, clients: u64, batches: u64, with_keys: bool) {
    let name = format!("{:?}", Instant::now());
    // Each client begins its run before time is taken.
    let ledgers: Vec<Client> =
        (0..clients).map(|client| Client::begin(address, &name, client, with_keys)).collect();
    let begun = Instant::now();
    thread::scope(|scope| {
        for client in ledgers {
            scope.spawn(|| client.record(batches / clients));
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let recorded = (batches / clients * clients * BATCH) as f64;
    let begun = Instant::now();
    Ledger::open(address).expect("the ledger can be opened");
    println!(
        "{clients:>2} clients{}: {:>9.0} credentials/s, {:.0} batches/s; entered in {:.1} s",
        if with_keys { ", with keys" } else { "" },
        recorded / took,
        recorded / took / BATCH as f64,
        begun.elapsed().as_secs_f64()
    );
}

struct Client {
    ledger: Ledger,
    run: RunDescription,
    number: u64,
    drafts: Vec<Draft>,
}

impl Client {
    fn begin(address: &ServerAddress, name: &str, number: u64, with_keys: bool) -> Client {
        let (ledger, _) = Ledger::open(address).expect("the ledger can be opened");
        let drafts = (0..BATCH).map(|_| draft()).collect();
        let name = if with_keys { name.to_owned() } else { format!("{name} {number}") };
        let mut client = Client { ledger, run: run(name, with_keys), number, drafts };
        client.record_one(u64::MAX >> 20);
        client
    }

    fn record(mut self, batches: u64) {
        (0..batches).for_each(|batch| self.record_one(batch));
    }

    fn record_one(&mut self, batch: u64) {
        let first = (self.number << 40) + batch * BATCH;
        for (position, draft) in (first..).zip(&mut self.drafts) {
            if self.run.repeatable {
                // Spread, as keyed hashes are; and none of them zero, which stands for the run.
                let key = u128::from(position + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                draft.id = ItemId::Key(key.to_be_bytes());
            }
        }
        let entries: Vec<_> =
            (first..).zip(&self.drafts).map(|(position, draft)| Entry { position, draft }).collect();
        let answers = self.ledger.record(&self.run, &entries).expect("the batch can be recorded");
        assert!(answers.iter().all(Result::is_ok));
    }
}

fn run(name: String, repeatable: bool) -> RunDescription {
    RunDescription {
        name,
        repeatable,
        rule: IdRule::CorrelationId,
        terms: Terms {
            issuer: "did:web:issuer.example".to_owned(),
            kid: "did:web:issuer.example#k".to_owned(),
            proof_format: "jwt_vc".to_owned(),
            context: String::new(),
            ttl: "P1Y".to_owned(),
        },
        types: vec![TypeTerms {
            credential_type: "business".to_owned(),
            vct: "urn:beltic:business:1".to_owned(),
            disclosure: String::new(),
        }],
        status_base: None,
    }
}

fn draft() -> Draft {
    Draft {
        credential_type: Types::BUILT_IN.default_type(),
        own_members: Piece::default(),
        subject: Piece::default(),
        subject_id: Piece::default(),
        subject_members: Piece::default(),
        subject_id_is_uri: false,
        claims: Piece::default(),
        evidence_refs: Piece::default(),
        cnf: Piece::default(),
        issued_at: system_now(),
        expires_at: UnixTime::from_seconds(system_now().seconds() + 31_536_000).expect("a time"),
        content_hash: ContentHash([1; 16]),
        id: ItemId::Position,
        subject_hash: [1; 8],
        delegator_hash: [0; 8],
        attestation_type: None,
        correlation_hash: [1; 8],
        former: None,
    }
}
