//! kill -9 at each system call of `ledger copy`: there are never two ledgers in use, and the same command finishes.

use crate::support::*;
use crate::traced::{Strace, stride};

const MOVE: &str = "ledger copy old.db new.db";

fn issue(ledger: &str) -> String {
    format!("batch-issue items.ndjson --ledger {ledger} --idempotency-key k --quiet --jobs 1")
}

/// Whether anything can be issued from this ledger.
fn is_in_use(yard: &Yard, ledger: &str) -> bool {
    yard.has(ledger) && yard.run(&format!("{} --dry-run", issue(ledger))).code != Some(6)
}

#[test]
fn death_at_every_call_of_a_move() {
    let (mut deaths, mut without) = (0, 0);
    for nth in (1..).step_by(stride(1, 7)) {
        let yard = Yard::new();
        let Some(strace) = Strace::find(&yard) else { return };
        yard.write("items.ndjson", ndjson("w", 20, 0));
        let mut books = Books::default();
        books.enter_complete("k", &yard.run(&issue("old.db")).finished().stdout, 20);
        let calls = "openat,pwrite64,fsync,fdatasync,link,linkat,rename,renameat2,unlink,mkdir";
        let died = strace.run(&[], &format!("{calls}:signal=SIGKILL:when={nth}"), MOVE);
        let in_use = [is_in_use(&yard, "old.db"), is_in_use(&yard, "new.db")];
        assert_ne!(in_use, [true, true], "two ledgers in use, at call {nth}");
        without += usize::from(in_use == [false, false]);
        if in_use[0] {
            assert_eq!(yard.check_ledger("old.db"), sound_items(20), "at call {nth}");
        }
        yard.run(MOVE).expect(0);
        assert_eq!([is_in_use(&yard, "old.db"), is_in_use(&yard, "new.db")], [false, true], "at call {nth}");
        books.enter_complete("k", &yard.run(&issue("new.db")).finished().stdout, 20);
        assert_eq!(yard.check_ledger("new.db"), sound_items(20), "at call {nth}");
        if died.code.is_some() {
            died.expect(0);
            break;
        }
        deaths = nth;
    }
    println!("died at calls up to number {deaths}; {without} times no ledger was in use");
    assert!(deaths > 50, "strace saw only {deaths} calls");
}
