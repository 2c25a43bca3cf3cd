//! The tests of every store, on a server of their own; and what only a server has.

#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../../../tests/postgres/cluster.rs"]
mod cluster;

/// What [`cluster`] finds beside it where it is a part of the tests of the command.
mod readers {
    pub(super) use crate::machine;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use self::cluster::Cluster;
use super::address::ServerAddress;
use crate::ledger::tests::Home;

/// A database of a server, in which a test keeps a ledger.
pub(in crate::ledger) struct Database {
    cluster: Arc<Cluster>,
    made: Arc<AtomicU32>,
    name: String,
}

impl Database {
    /// Another database of the same server.
    pub(in crate::ledger) fn another(&self) -> Database {
        let name = format!("ledger_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.cluster.sql("postgres", &format!("CREATE DATABASE {name} OWNER {}", cluster::USER));
        Database { cluster: Arc::clone(&self.cluster), made: Arc::clone(&self.made), name }
    }

    pub(in crate::ledger) fn address(&self) -> ServerAddress {
        let url = self.cluster.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        ServerAddress::parse(&format!("{server}/{}", self.name)).unwrap()
    }
}

/// A test by its name.
pub(in crate::ledger) type Named<'t> = (&'t str, fn(&Home));

/// Runs tests, each over a database of its own.
pub(in crate::ledger) fn on_a_server(tests: &[Named<'_>]) {
    let Some(cluster) = Cluster::new() else { return };
    let first =
        Database { cluster: Arc::new(cluster), made: Arc::default(), name: cluster::DATABASE.to_owned() };
    for (name, test) in tests {
        println!("{name}");
        test(&Home::Server(first.another()));
    }
}
