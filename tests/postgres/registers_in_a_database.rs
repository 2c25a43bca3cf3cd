//! The invented registers of the tests of `sync`, with a database of its own for each ledger.

use std::cell::Cell;

use crate::cluster::{Cluster, DATABASE, USER};
use crate::days::live_through_registers;
use crate::readers::machine::rounds;
use crate::support::Sandbox;
use crate::sync_support::issuer;

#[test]
fn every_day_a_ledger_in_a_database_has_what_the_register_says() {
    let Some(cluster) = Cluster::new() else { return };
    // A ledger without anything in it, which the others are copies of: making one takes longer.
    let template = with_ledger(&cluster, DATABASE);
    template.beltic(&["ledger", "init"]).expect(0);
    let databases = Cell::new(0);
    live_through_registers(rounds("registers", 12, 160), || {
        let number = databases.replace(databases.get() + 1);
        let name = format!("register{number}");
        cluster.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {DATABASE} OWNER {USER}"));
        with_ledger(&cluster, &name)
    });
}

/// An issuer whose ledger is in a database.
fn with_ledger(cluster: &Cluster, database: &str) -> Sandbox {
    let sandbox = issuer();
    let url = cluster.url().replace(DATABASE, database);
    let settings = format!("status:\n  base_url: https://issuer.example\nledger: {url}\n");
    sandbox.write(".beltic.yaml", settings);
    sandbox
}
