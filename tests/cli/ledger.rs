//! The ledger, as far as `batch-issue` shows it: indices, records, several processes.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rusqlite::Connection;

use crate::readers::exact::Exact;
use crate::readers::token::Issuance;
use crate::support::*;

/// List and index of every credential.
fn slots(run: &Run) -> Vec<(String, u32)> {
    let slot = |row: Row| {
        let credential = row.into_credential();
        (credential.status_list_uri.unwrap(), credential.status_list_index.unwrap())
    };
    run.rows().into_iter().map(slot).collect()
}

#[test]
fn two_runs_never_repeat_an_index() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_200));
    let mut given = HashSet::new();
    for _ in 0..3 {
        for slot in slots(&sandbox.issue("items.ndjson --jobs 3").expect(0)) {
            assert!(slot.1 < 131_072);
            assert!(given.insert(slot.clone()), "{slot:?} twice");
        }
    }
    assert_eq!(given.len(), 3_600);
}

/// Indices say nothing about the order of issue.
#[test]
fn indices_are_not_in_order() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1_000));
    let indices: Vec<_> =
        slots(&sandbox.issue("items.ndjson").expect(0)).into_iter().map(|slot| slot.1).collect();
    let ascending = indices.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((350..650).contains(&ascending), "{ascending} of 999 steps go up");
    let low = indices.iter().filter(|&&index| index < 65_536).count();
    assert!((350..650).contains(&low), "{low} of 1,000 in the lower half");
}

/// Four processes that start with no ledger share one, and no index.
#[test]
fn several_processes_at_once_never_repeat_an_index() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2_500));
    let args = ["batch-issue", "items.ndjson", "--jobs", "2"];
    let children: Vec<_> = (0..4).map(|_| sandbox.spawn(&args)).collect();
    // Their outputs are read at the same time, or a full pipe would hold a process up.
    let runs = std::thread::scope(|scope| {
        let waiting: Vec<_> = children
            .into_iter()
            .map(|child| scope.spawn(move || Run::of(child.wait_with_output().unwrap()).expect(0)))
            .collect();
        waiting.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let given: HashSet<_> = runs.iter().flat_map(slots).collect();
    let ids: HashSet<_> = runs.iter().flat_map(Run::rows).map(|row| row.into_credential().id).collect();
    assert_eq!((given.len(), ids.len()), (10_000, 10_000));
}

/// A list gives way to the next when three quarters of it are taken.
#[test]
fn a_new_list_is_opened_when_three_quarters_are_taken() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(50_000));
    let mut lists: Vec<String> = Vec::new();
    let mut given = HashSet::new();
    for _ in 0..2 {
        for slot in slots(&sandbox.issue("items.ndjson --summary summary.json --force").expect(0)) {
            if lists.last() != Some(&slot.0) {
                lists.push(slot.0.clone());
            }
            assert!(given.insert(slot));
        }
    }
    assert_eq!(lists.len(), 2, "{lists:?}");
    let first = given.iter().filter(|slot| slot.0 == lists[0]).count();
    assert!((98_304..98_304 + 1_000).contains(&first), "{first} in the first list");
    let summary = Exact::parse(&sandbox.read("summary.json"));
    let said: Vec<_> = summary.member("status_lists").elements().iter().map(Exact::text).collect();
    assert_eq!(said, lists);
}

/// Whoever has a result in hand finds its record in the ledger.
#[test]
fn records_come_before_results() {
    let sandbox = Sandbox::with_issuer_key();
    let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap());
    for count in 1..=5 {
        writeln!(stdin, "{}", item("a")).unwrap();
        let mut line = String::new();
        results.read_line(&mut line).unwrap();
        Row::parse(line.trim_end()).into_credential();
        assert_eq!(sandbox.recorded(), count);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A process that is killed in the middle leaves a ledger that opens, with a record for every
/// result that got out, and with indices that nobody gets again.
#[cfg(unix)]
#[test]
fn a_killed_process_leaves_a_sound_ledger() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(20_000));
    let mut delivered = Vec::new();
    for lines in [1, 700, 3_000] {
        let mut child = sandbox.spawn(&["batch-issue", "items.ndjson", "--jobs", "2"]);
        let mut results = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            let mut line = String::new();
            results.read_line(&mut line).unwrap();
            let credential = Row::parse(line.trim_end()).into_credential();
            delivered.push((credential.status_list_uri.unwrap(), credential.status_list_index.unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(sandbox.recorded() >= delivered.len() as i64);
    }
    sandbox.write_items("more.ndjson", &items(2_000));
    delivered.extend(slots(&sandbox.issue("more.ndjson").expect(0)));
    let distinct: HashSet<_> = delivered.iter().collect();
    assert_eq!(distinct.len(), delivered.len());
}

/// Rejected items take no index and leave no record.
#[test]
fn rejected_items_leave_nothing_in_the_ledger() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims")]);
    sandbox.issue("items.ndjson").expect(3);
    assert_eq!(sandbox.recorded(), 1);
}

/// `--ledger none`: no state, no index, no status.
#[test]
fn without_a_ledger_there_is_no_state_and_no_status() {
    let sandbox = Sandbox::with_issuer_key();
    let batch = [item("a"), full_item("b")];
    sandbox.write_items("items.ndjson", &batch);
    let batch = batch.map(|item| Exact::of(&item));
    let issuance = Issuance { with_status: false, ..default_issuance() };
    let run = sandbox.issue("items.ndjson --ledger none").expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    let run = sandbox.issue_with("items.ndjson", &[("BELTIC_LEDGER", "none")]).expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    sandbox.write(".beltic.yaml", "ledger: none\n");
    let run = sandbox.issue("items.ndjson").expect(0);
    assert_eq!(check_tokens(&issuance, &run.stdout, &batch), 2);
    assert!(!sandbox.has(".beltic/ledger.db") && !sandbox.has("none"));
    let table = sandbox.issue("items.ndjson --output-format csv").expect(0).stdout;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "status_list_index").unwrap();
    assert!(reader.records().all(|row| row.unwrap()[column].is_empty()));
}

/// A file that is no ledger is left as it is.
#[test]
fn a_file_that_is_no_ledger_is_refused_and_kept() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox
        .write("notes.txt", "no database at all, and long enough to look like a header of one\n".repeat(9));
    Connection::open(sandbox.path("other.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    for name in ["notes.txt", "other.db"] {
        let before = std::fs::read(sandbox.path(name)).unwrap();
        let run = sandbox.issue(&format!("items.ndjson --ledger {name}")).expect(6);
        assert!(run.stderr.contains(name) && run.stderr.contains("not a beltic ledger"), "{}", run.stderr);
        assert_eq!(std::fs::read(sandbox.path(name)).unwrap(), before);
        assert_eq!(run.stdout, "");
    }
}

#[cfg(unix)]
#[test]
fn the_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    sandbox.issue("items.ndjson --ledger deep/er/ledger.db").expect(0);
    let mode = |name: &str| sandbox.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("deep/er/ledger.db"), 0o600);
    assert_eq!(mode("deep/er"), 0o700);
}

/// Each issuer has lists of its own in the same ledger.
#[test]
fn issuers_do_not_share_lists() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    let list = |args: &str| slots(&sandbox.issue(&format!("items.ndjson {args}")).expect(0)).remove(0).0;
    let own = list("");
    let web = list("--issuer did:web:a.example");
    assert_ne!(own, web);
    assert_eq!(list(""), own);
    assert_eq!(list("--issuer did:web:a.example"), web);
}

// ------------------------------------------------------------ backups, restores, and what is noticed

fn issued(count: usize) -> (Sandbox, Run) {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(count));
    let run = sandbox.issue("items.ndjson").expect(0);
    (sandbox, run)
}

/// `ledger backup` writes a whole file for its owner alone, never over another one unasked; using it is noticed.
#[test]
fn a_backup_is_written_and_restored() {
    let (sandbox, first) = issued(20);
    let run = sandbox.beltic(&["ledger", "backup", "backup.db"]).expect(0);
    assert!(run.stderr.contains("backed up") && run.stderr.contains("backup.db"), "{}", run.stderr);
    let run = sandbox.beltic(&["ledger", "backup", "backup.db"]).expect(6);
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    sandbox.beltic(&["ledger", "backup", "backup.db", "--force", "--quiet"]).expect(0);
    sandbox.beltic(&["ledger", "backup", ".beltic/ledger.db", "--force"]).expect(2);
    let run = sandbox.beltic(&["ledger", "backup", "no/such/folder/backup.db"]).expect(6);
    assert!(run.stderr.contains("no/such/folder/backup.db"), "{}", run.stderr);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = sandbox.path("backup.db").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!sandbox.has("backup.db.mark") && !sandbox.has("backup.db-wal"));

    let mut given: HashSet<_> = slots(&first).into_iter().collect();
    given.extend(slots(&sandbox.issue("items.ndjson").expect(0)));
    std::fs::rename(sandbox.path("backup.db"), sandbox.path(".beltic/ledger.db")).unwrap();
    let run = sandbox.issue("items.ndjson --quiet").expect(0);
    assert!(run.stderr.contains("warning: the ledger"), "said even with --quiet: {}", run.stderr);
    assert!(run.stderr.contains("it is a backup"), "{}", run.stderr);
    assert!(slots(&run).into_iter().all(|slot| given.insert(slot)));
    let run = sandbox.issue("items.ndjson").expect(0);
    assert!(!run.stderr.contains("may not know everything"), "said once: {}", run.stderr);
    sandbox.beltic(&["ledger", "check"]).expect(0);
}

/// `ledger close-lists` may be repeated.
#[test]
fn lists_are_closed_on_request() {
    let (sandbox, first) = issued(3);
    let run = sandbox.beltic(&["ledger", "close-lists"]).expect(0);
    assert!(run.stderr.contains("closed 1 status list"), "{}", run.stderr);
    let run = sandbox.beltic(&["ledger", "close-lists"]).expect(0);
    assert!(run.stderr.contains("has no open status list"), "{}", run.stderr);
    let next = sandbox.issue("items.ndjson").expect(0);
    assert_ne!(slots(&first)[0].0, slots(&next)[0].0);
    sandbox.beltic(&["ledger", "close-lists", "--ledger", "none"]).expect(2);
    sandbox.beltic(&["ledger", "close-lists", "--ledger", "missing.db"]).expect(6);
}

/// The third closing in a month says why it happens.
#[test]
fn a_ledger_that_is_always_elsewhere_is_told_why() {
    let (sandbox, _) = issued(1);
    for time in 1..=3 {
        std::fs::remove_file(sandbox.path(".beltic/ledger.db.mark")).unwrap();
        let run = sandbox.issue("items.ndjson").expect(0);
        assert!(run.stderr.contains("`.mark` file is missing"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("times in 30 days"), time == 3, "{}", run.stderr);
    }
}

#[test]
fn a_folder_is_no_ledger() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(1));
    std::fs::create_dir(sandbox.path("d.db")).unwrap();
    for args in ["items.ndjson --ledger d.db", "items.ndjson --ledger d.db --dry-run"] {
        let run = sandbox.issue(args).expect(6);
        assert!(run.stderr.contains("d.db is a folder"), "{}", run.stderr);
    }
    assert_eq!(std::fs::read_dir(sandbox.path("d.db")).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn the_mark_is_not_written_through_a_link() {
    let (sandbox, first) = issued(5);
    sandbox.write("letter.txt", "Dear customer");
    std::fs::remove_file(sandbox.path(".beltic/ledger.db.mark")).unwrap();
    std::os::unix::fs::symlink("../letter.txt", sandbox.path(".beltic/ledger.db.mark")).unwrap();
    let run = sandbox.issue("items.ndjson").expect(0);
    assert_eq!(sandbox.read("letter.txt"), "Dear customer");
    assert!(run.stderr.contains("`.mark` file is missing or cannot be read"), "{}", run.stderr);
    assert!(slots(&run).iter().all(|slot| !slots(&first).contains(slot)));
    // The lock and the log are not followed either.
    for name in ["ledger.db.lock", "ledger.db-wal"] {
        let _ = std::fs::remove_file(sandbox.path(&format!(".beltic/{name}")));
        std::os::unix::fs::symlink("../letter.txt", sandbox.path(&format!(".beltic/{name}"))).unwrap();
        let run = sandbox.issue("items.ndjson").expect(6);
        assert!(run.stderr.contains("ledger.db"), "{}", run.stderr);
        assert_eq!(sandbox.read("letter.txt"), "Dear customer");
        std::fs::remove_file(sandbox.path(&format!(".beltic/{name}"))).unwrap();
    }
}

/// A ledger whose last event is in the future: the clock was set back.
#[test]
fn a_clock_that_was_set_back_is_noticed() {
    let (sandbox, _) = issued(2);
    let set_last_event = |seconds: i64| {
        let connection = Connection::open(sandbox.path(".beltic/ledger.db")).unwrap();
        connection.execute("UPDATE events SET at = ?1", [seconds]).unwrap();
        connection.close().unwrap();
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    set_last_event(now + 7 * 24 * 3600);
    let run = sandbox.issue("items.ndjson").expect(0);
    assert!(run.stderr.contains("warning: the clock ("), "{}", run.stderr);
    set_last_event(now + 3 * 366 * 24 * 3600);
    let run = sandbox.issue("items.ndjson").expect(6);
    assert!(run.stdout.is_empty() && run.stderr.contains("item 0 would expire on"), "{}", run.stderr);
    assert!(run.stderr.contains("--issued-at"), "{}", run.stderr);
    assert_eq!(sandbox.recorded(), 4);
    sandbox.issue("items.ndjson --issued-at 2026-11-01T00:00:00Z").expect(0);
}

/// A ledger of an earlier format is named as such and left alone.
#[test]
fn another_format_is_refused() {
    let (sandbox, _) = issued(1);
    Connection::open(sandbox.path(".beltic/ledger.db"))
        .unwrap()
        .pragma_update(None, "user_version", 1)
        .unwrap();
    let before = std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap();
    let run = sandbox.issue("items.ndjson").expect(6);
    assert!(run.stderr.contains("has format 1") && run.stderr.contains("format 6"), "{}", run.stderr);
    assert_eq!(std::fs::read(sandbox.path(".beltic/ledger.db")).unwrap(), before);
}

/// On storage that is read-only, a ledger is read together with the log that a killed process left.
#[cfg(target_os = "linux")]
#[test]
fn a_ledger_on_read_only_storage_is_read_with_its_log() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(700));
    sandbox.issue("items.ndjson").expect(0);
    let mut child = sandbox.command(&["batch-issue"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap());
    writeln!(child.stdin.as_mut().unwrap(), "{}", item("last")).unwrap();
    let mut line = String::new();
    results.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let last = Row::parse(line.trim_end()).into_credential();
    assert!(sandbox.path(".beltic/ledger.db-wal").metadata().unwrap().len() > 0);

    for with_index in [true, false] {
        if !with_index {
            std::fs::remove_file(sandbox.path(".beltic/ledger.db-shm")).unwrap();
        }
        // Another user, as for root nothing is read-only; else the folder's mode is enough.
        let folder = sandbox.path("");
        let script = "chmod 755 . && chmod -R a+rX .beltic && chmod 555 .beltic && \
                      if [ $(id -u) = 0 ]; then chown -R 65534 .beltic; exec setpriv --reuid 65534 --regid 65534 --clear-groups true; fi";
        let prepared =
            std::process::Command::new("sh").args(["-c", script]).current_dir(&folder).status().unwrap();
        if !prepared.success() {
            println!("left out: setpriv is missing");
            return;
        }
        let program = env!("CARGO_BIN_EXE_beltic");
        let run = |args: &str| {
            let script = format!(
                "p='{program}'; if [ $(id -u) = 0 ]; then p=\"setpriv --reuid 65534 --regid 65534 --clear-groups $p\"; fi; exec $p {args}"
            );
            let mut command = sandbox.command(&[]);
            let environment: Vec<_> = command
                .get_envs()
                .map(|(name, value)| (name.to_owned(), value.map(|v| v.to_owned())))
                .collect();
            command = std::process::Command::new("sh");
            command.args(["-c", &script]).current_dir(&folder);
            for (name, value) in environment {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            Run::of(command.output().unwrap())
        };
        if run("--version").stdout.is_empty() {
            println!("left out: another user cannot run the program here");
            return;
        }
        let listed = run("list --output-format ndjson").expect(0);
        assert_eq!(listed.stdout.lines().count(), 701, "the log is not ignored");
        run(&format!("show {}", last.id)).expect(0);
        let checked = run("ledger check").expect(0);
        assert!(checked.stdout.contains("701 credentials"), "{}", checked.stdout);
        let failed = run("revoke --run x").stderr;
        assert!(!failed.contains("Error code 14") && failed.contains("ledger.db"), "{failed}");
        let script = "chmod 755 .beltic";
        std::process::Command::new("sh").args(["-c", script]).current_dir(&folder).status().unwrap();
    }
}

/// Whatever asks for the ledger without writing it can be asked on a full disk, too.
#[cfg(unix)]
#[test]
fn a_ledger_on_a_full_disk_is_read() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a"), item("b")]);
    sandbox.issue("items.ndjson").expect(0);
    // No file can grow, as on a disk without room.
    let program = env!("CARGO_BIN_EXE_beltic");
    for command in ["list", "ledger check", "batch-issue items.ndjson --dry-run"] {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("ulimit -f 0; exec {program} {command}")]);
        let run =
            Run::of(shell.current_dir(sandbox.path("")).env("HOME", sandbox.path("")).output().unwrap());
        assert!(!run.expect(0).stdout.is_empty(), "{command}");
    }
}

/// What lies in the place of the lock or the mark is named itself.
#[cfg(unix)]
#[test]
fn what_lies_in_the_place_of_lock_or_mark_is_named() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson").expect(0);
    for name in ["ledger.db.mark", "ledger.db.lock"] {
        let path = sandbox.path(&format!(".beltic/{name}"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let run = sandbox.issue("items.ndjson").expect(6);
        assert!(run.stderr.contains(name), "{}", run.stderr);
        std::fs::remove_dir(&path).unwrap();
    }
}
