//! PgBouncer in transaction mode: a statement goes to whatever connection is free, and the next one to another.

use std::process::{Child, Stdio};

use crate::books::*;
use crate::cluster::{Cluster, DATABASE, USER, free_port, url_at, wait_for_port};
use crate::readers::machine::{rounds, skip};
use crate::world::World;

/// A pooler, which ends with the test.
struct Pooler {
    process: Child,
    port: u16,
}

impl Pooler {
    /// One with fewer connections than there are clients; `None`, with a message, where it is not installed.
    fn before(cluster: &Cluster) -> Option<Pooler> {
        let Some(program) = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .into_iter()
            .find(|path| std::path::Path::new(path).is_file())
        else {
            skip("there is no pgbouncer");
            return None;
        };
        let port = free_port();
        let server = format!("host=127.0.0.1 port={} dbname={DATABASE} user={USER}", cluster.port());
        let settings = [
            "[databases]".to_owned(),
            format!("{DATABASE} = {server}"),
            "[pgbouncer]".to_owned(),
            "listen_addr = 127.0.0.1".to_owned(),
            format!("listen_port = {port}"),
            "unix_socket_dir =".to_owned(),
            "auth_type = any".to_owned(),
            "pool_mode = transaction".to_owned(),
            "default_pool_size = 4".to_owned(),
        ];
        cluster.write("pgbouncer.ini", &settings.join("\n"));
        let mut command = cluster.as_owner(program.as_ref());
        command.arg("pgbouncer.ini").stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        wait_for_port(port, &mut process);
        Some(Pooler { process, port })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn eight_processes_issue_through_a_pooler_in_transaction_mode() {
    let each = rounds("items of each process", 2_000, 20_000);
    let Some(world) = World::new() else { return };
    let Some(pooler) = Pooler::before(&world.cluster) else { return };
    let url = url_at(pooler.port);
    let mut books = Books::default();
    for round in 0..2 {
        let runs: Vec<_> = (0..8)
            .map(|number| {
                let key = format!("p{number}");
                world.yard.write(&format!("{key}.ndjson"), ndjson(&key, each, 0));
                world.start_at(&url, &format!("{key}.ndjson --jobs 1 --idempotency-key {key}"))
            })
            .collect();
        for (number, run) in runs.into_iter().enumerate() {
            let ended = run.end().finished();
            assert!(!ended.stderr.contains("warning"), "round {round}: {}", ended.stderr);
            books.enter_complete(&format!("p{number}"), &ended.stdout, each);
        }
    }
    assert_eq!(books.credentials(), 8 * sound_items(each));
    assert_eq!(world.recorded(), books.credentials());
    world.compare(&books);
    change_through(&world, &url, &books);
}

/// The other commands work through it, too.
fn change_through(world: &World, url: &str, books: &Books) {
    let id = &books.given().next().unwrap().id;
    let commands =
        [format!("suspend {id}"), format!("reinstate {id}"), format!("revoke {id}"), format!("show {id}")];
    for command in commands.iter().map(String::as_str).chain([
        "ledger check",
        "publish --out site",
        "list --events --verify",
    ]) {
        world.yard.run(&format!("{command} --ledger {url}")).expect(0);
    }
    let shown = world.yard.run(&format!("show {id} --ledger {} --output-format ndjson", world.cluster.url()));
    assert!(shown.expect(0).stdout.contains(r#""status":"revoked""#));
}
